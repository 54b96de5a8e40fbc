"""``.tgz`` files: tar inside gzip, written deterministically and read with bounds.

Reading takes regular files and folders only, under names that stay below the target. This is
the only module that knows ``tarfile``; it lets it take a header apart and name the types of members.

Source: POSIX ``ustar``; see docs/formats.md#disc-layout for where ESXi uses them.
"""

from __future__ import annotations

import io
import tarfile
from typing import TYPE_CHECKING, BinaryIO, Self, cast, final

import attrs

from esximage_builder.containers.gzip import DeflatedGzipWriter, StoredGzipWriter, gunzip_blocks, stored_gzip_bytes
from esximage_builder.containers.member_name import name_problem
from esximage_builder.containers.ustar import BLOCK_BYTES, LARGEST_OCTAL, NAME_BYTES, render_header, split_name
from esximage_builder.errors import (
    LimitExceededError,
    MalformedDocumentError,
    ModelError,
    UnsafeArchiveError,
)
from esximage_builder.limits import ReadBudget
from esximage_builder.streams.blocks import BoundedStream, block_stream
from esximage_builder.streams.hashing import COPY_BLOCK_BYTES, hashing_copy

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from esximage_builder.checksums import Checksum
    from esximage_builder.limits import ReadLimits

__all__ = ["TarGzReader", "TarGzWriter", "TarMember", "read_tgz", "render_tgz", "stored_tgz_bytes"]

_TAR_RECORD = 10_240
_BEFORE_PREFIX = bytes(16)  # device numbers, which only devices have
_LONG_NAME_BYTES = 64 * 1024

_DAMAGED_HINT = "the file is cut short or was changed: download it again"


# Writing .tgz


def _padding(size_bytes: int, unit: int) -> bytes:
    return bytes(-size_bytes % unit)


@final
class TarGzWriter:
    """Writes a ``.tgz`` in one pass: ustar headers of owner root, modes 0644 and 0755, one date.

    The same calls give the same bytes, whatever the versions of Python and, unless
    ``deflate`` is set, of zlib. As a context manager it closes itself, except on an error.

    Args:
        target: Written to in order, never closed.
        timestamp: Date of all members, in seconds since 1970 (UTC). The gzip header has none.
        deflate: Compress; False stores.

    Raises:
        ModelError: Here, an impossible timestamp.
    """

    def __init__(self, target: BinaryIO, *, timestamp: int = 0, deflate: bool = False) -> None:
        if not 0 <= timestamp <= LARGEST_OCTAL:
            raise ModelError(
                "this timestamp cannot stand in a tar archive",
                found=str(timestamp),
                expected=f"0 to {LARGEST_OCTAL} seconds since 1970",
            )
        self._gzip = DeflatedGzipWriter(target) if deflate else StoredGzipWriter(target)
        self._timestamp = timestamp
        self._written_bytes = 0
        self._names: set[str] = set()
        self._is_closed = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            self.close()

    def add_folder(self, name: str) -> None:
        """Write an entry for a folder; folders of members need none.

        Raises:
            ModelError: The name is no relative path, or was used before.
        """
        self._write_header(name.removesuffix("/"), suffix=b"/", kind=tarfile.DIRTYPE, size_bytes=0, mode=0o755)

    def add_bytes(self, name: str, data: bytes) -> None:
        """Write a regular file that is held in memory.

        Raises:
            ModelError: The name is no relative path, or was used before.
        """
        self._write_header(name, kind=tarfile.REGTYPE, size_bytes=len(data), mode=0o644)
        self._write(data + _padding(len(data), BLOCK_BYTES))

    def add_stream(self, name: str, source: BinaryIO, *, size_bytes: int, checksums: Sequence[Checksum] = ()) -> None:
        """Write a regular file from a stream, block by block.

        Args:
            name: Relative path with forward slashes.
            source: Read to its end, not closed.
            size_bytes: What the stream holds, in bytes; the header comes first and needs it.
            checksums: Those over stored bytes are checked on the way.

        Raises:
            ModelError: The name is no relative path or was used before, or 8 GiB are passed.
            ChecksumMismatchError: The stream is shorter, longer or other than announced; what
                was written must not be used then.
        """
        self._write_header(name, kind=tarfile.REGTYPE, size_bytes=size_bytes, mode=0o644)
        hashing_copy(source, cast("BinaryIO", self._gzip), checksums=checksums, size_bytes=size_bytes, where=name)
        self._written_bytes += size_bytes
        self._write(_padding(size_bytes, BLOCK_BYTES))

    def close(self) -> None:
        """Write the end of the archive and of the gzip member, once; the target stays open."""
        if self._is_closed:
            return
        self._is_closed = True
        self._write(bytes(2 * BLOCK_BYTES))
        self._write(_padding(self._written_bytes, _TAR_RECORD))
        self._gzip.close()

    def _write(self, data: bytes) -> None:
        self._gzip.write(data)
        self._written_bytes += len(data)

    def _write_header(self, name: str, *, suffix: bytes = b"", kind: bytes, size_bytes: int, mode: int) -> None:
        problem = name_problem(name) or ("was used before" if name in self._names else "")
        if problem:
            raise ModelError(
                f"the name of a tar member {problem}",
                found=repr(name),
                expected="a relative path with forward slashes, each name once",
            )
        if not 0 <= size_bytes <= LARGEST_OCTAL:
            raise ModelError(
                f"the size of {name!r} cannot stand in a tar archive",
                found=f"{size_bytes} bytes",
                expected=f"0 to {LARGEST_OCTAL} bytes",
            )
        self._names.add(name)
        raw = name.encode() + suffix
        split = split_name(raw)
        if split is None:
            # As GNU tar and Python write it: the whole name is the data of an entry of its own.
            self._write(
                render_header(
                    b"././@LongLink", kind=tarfile.GNUTYPE_LONGNAME, size_bytes=len(raw) + 1, mode=0, timestamp=0
                )
            )
            self._write(raw + b"\0" + _padding(len(raw) + 1, BLOCK_BYTES))
            split = b"", raw[:NAME_BYTES]
        prefix, short = split
        self._write(
            render_header(
                short,
                kind=kind,
                size_bytes=size_bytes,
                mode=mode,
                timestamp=self._timestamp,
                after_owner=_BEFORE_PREFIX + prefix,
            )
        )


def render_tgz(members: Iterable[tuple[str, bytes]], *, timestamp: int = 0, deflate: bool = False) -> bytes:
    """Return a whole ``.tgz``; for small ones, since it is made in memory.

    Args:
        members: Names and data, in the order to write. A name that ends in ``/`` is a folder,
            its data is not looked at.
        timestamp: As for ``TarGzWriter``.
        deflate: As for ``TarGzWriter``.

    Raises:
        ModelError: As ``TarGzWriter`` raises it.
    """
    target = io.BytesIO()
    with TarGzWriter(target, timestamp=timestamp, deflate=deflate) as writer:
        for name, data in members:
            if name.endswith("/"):
                writer.add_folder(name)
            else:
                writer.add_bytes(name, data)
    return target.getvalue()


# Reading .tgz


@final
@attrs.frozen(kw_only=True)
class TarMember:
    """One member of a ``.tgz``.

    Attributes:
        name: Relative path with forward slashes, without ``./`` before and ``/`` after it.
        is_folder: A folder; otherwise a regular file.
        size_bytes: Length of the data; 0 for folders.
        mode: Permission bits.
        modified_at: Seconds since 1970 (UTC), as the header says.
    """

    name: str
    is_folder: bool
    size_bytes: int
    mode: int
    modified_at: int


@final
class TarGzReader:
    """Sequential reader of a ``.tgz``: an iterator of ``(member, data)``.

    The data stream of a member is valid until the next member is asked for. Whatever is
    yielded counts only when the iterator has ended, since the CRC comes last.

    Args:
        source: Stands where the gzip stream begins; read to its end, not closed.
        where: How to name the archive in errors.
        limits: ``payload_bytes`` bounds the expanded archive, ``member_count`` its headers.
        budget: Charged with what the archive expands to, and with its headers.

    Raises:
        MalformedDocumentError: No gzip or no tar inside it, damaged, cut short.
        UnsafeArchiveError: A link or device, a name that leaves the target, one name twice.
        LimitExceededError: Too large or too many members.
    """

    def __init__(self, source: BinaryIO, *, where: str, limits: ReadLimits, budget: ReadBudget | None = None) -> None:
        self._budget = ReadBudget(limits) if budget is None else budget
        expanded = gunzip_blocks(source, where=where, max_bytes=limits.payload_bytes)
        self._stream = block_stream(self._budget.counted(expanded, where=where))
        self._where = where
        self._limits = limits
        self._header_count = 0
        self._folders: dict[str, bool] = {}
        self._current: tuple[BoundedStream, int] | None = None
        self._is_finished = False

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> tuple[TarMember, BinaryIO]:
        while not self._is_finished:
            self._is_finished = True  # unless a member is found below: nothing is sure after an error
            self._leave_member()
            info = self._read_member_header()
            if info is None:
                break
            member = self._require_safe(info)
            stream = self._open_data(member.size_bytes, name=member.name)
            self._is_finished = False
            if member.name:
                return member, cast("BinaryIO", stream)
        raise StopIteration

    def _open_data(self, size_bytes: int, *, name: str) -> BoundedStream:
        stream = BoundedStream(self._stream, size_bytes, where=f"{self._where}!{name}")
        self._current = (stream, size_bytes)
        return stream

    def _leave_member(self) -> None:
        if self._current is None:
            return
        stream, size_bytes = self._current
        self._current = None
        stream.close()
        stream.skip_rest()
        self._read_exactly(-size_bytes % BLOCK_BYTES)

    def _read_exactly(self, count: int) -> bytes:
        data = self._read_up_to(count)
        if len(data) < count:
            raise MalformedDocumentError("the tar archive is cut short", where=self._where, hint=_DAMAGED_HINT)
        return data

    def _read_up_to(self, count: int) -> bytes:
        data = b""
        while len(data) < count and (block := self._stream.read(count - len(data))):
            data += block
        return data

    def _read_member_header(self) -> tarfile.TarInfo | None:
        """Return the next header that is a member's own, with a long name put in; None at the end."""
        long_name = ""
        pax: dict[str, str] = {}
        while (info := self._read_header()) is not None:
            if info.type == tarfile.GNUTYPE_LONGNAME:
                long_name = _decode(self._read_extension(info).split(b"\0", 1)[0])
            elif info.type == tarfile.XHDTYPE:
                pax = _parse_pax(self._read_extension(info), where=self._where)
            elif info.type == tarfile.XGLTYPE:
                self._read_extension(info)
            else:
                info.name = pax.get("path") or long_name or info.name
                return info
        if long_name or pax:
            raise MalformedDocumentError(
                "the tar archive ends after a long name", where=self._where, hint=_DAMAGED_HINT
            )
        return None

    def _read_header(self) -> tarfile.TarInfo | None:
        block = self._read_up_to(BLOCK_BYTES)
        if not block.strip(b"\0"):
            self._require_zeros()
            return None
        self._header_count += 1
        self._budget.spend_members(1, where=self._where)
        if self._header_count > self._limits.member_count:
            raise LimitExceededError(
                "the archive has more members than the limit",
                where=self._where,
                expected=f"at most {self._limits.member_count} members",
                hint="if the file is trusted, pass ReadLimits(member_count=...) with a larger value",
            )
        try:
            info = tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
        except (tarfile.TarError, ValueError, OverflowError) as error:
            raise MalformedDocumentError(
                "there is no tar header",
                where=self._where,
                found=str(error),
                expected=f"{BLOCK_BYTES} bytes with a right checksum",
                hint=_DAMAGED_HINT,
            ) from error
        if info.size < 0:
            raise MalformedDocumentError("a tar header has a negative size", where=self._where, hint=_DAMAGED_HINT)
        return info

    def _require_zeros(self) -> None:
        """Read to the end, where the CRC is checked; nothing may hide behind the end mark."""
        while block := self._stream.read(COPY_BLOCK_BYTES):
            if block.strip(b"\0"):
                raise UnsafeArchiveError(
                    "something follows the end of the tar archive",
                    where=self._where,
                    found=repr(block.lstrip(b"\0")[:16]),
                    expected="zeros",
                    hint="do not use this file: different readers would see different contents",
                )

    def _read_extension(self, info: tarfile.TarInfo) -> bytes:
        if info.size > _LONG_NAME_BYTES:
            raise LimitExceededError(
                "a long name or extended header of a tar archive is too long",
                where=self._where,
                found=f"{info.size} bytes",
                expected=f"at most {_LONG_NAME_BYTES} bytes",
                hint="do not use this file: no name needs that much",
            )
        return self._read_exactly(info.size + -info.size % BLOCK_BYTES)[: info.size]

    def _require_safe(self, info: tarfile.TarInfo) -> TarMember:
        """Return the member; its name is empty for the entry ``./`` that GNU tar likes to write."""
        name = info.name
        while name.startswith("./"):
            name = name[2:].lstrip("/")
        name = name.rstrip("/") if info.isdir() else name
        if info.isdir() and name in ("", ".") and info.name.startswith("."):
            return TarMember(name="", is_folder=True, size_bytes=0, mode=info.mode, modified_at=int(info.mtime))
        problem = name_problem(name)
        if not problem and not (info.isdir() or info.type in (tarfile.REGTYPE, tarfile.AREGTYPE)):
            problem = f"belongs to a link, device or unknown type {info.type!r}"
        if not problem and name in self._folders and not (info.isdir() and self._folders[name]):
            problem = "occurs twice"
        if problem:
            raise UnsafeArchiveError(
                f"the name of a tar member {problem}",
                where=self._where,
                found=repr(info.name),
                expected="regular files and folders with relative names, each once",
                hint="do not use this file",
            )
        self._folders[name] = info.isdir()
        size_bytes = 0 if info.isdir() else info.size
        return TarMember(
            name=name, is_folder=info.isdir(), size_bytes=size_bytes, mode=info.mode, modified_at=int(info.mtime)
        )


def _decode(raw: bytes) -> str:
    return raw.decode("utf-8", "surrogateescape")


def _parse_pax(data: bytes, *, where: str) -> dict[str, str]:
    """Return the records of a pax extended header, of which only ``path`` is of use here."""
    records: dict[str, str] = {}
    at = 0
    while at < len(data):
        digits = data[at : at + 8].partition(b" ")[0]
        end = at + int(digits) if digits.isdigit() else 0
        record = data[at + len(digits) + 1 : end]
        key, equals, value = record.partition(b"=")
        if end > len(data) or not equals or not record.endswith(b"\n"):
            raise MalformedDocumentError(
                "an extended header of the tar archive is damaged",
                where=where,
                found=repr(data[at : at + 40]),
                hint=_DAMAGED_HINT,
            )
        if key == b"size" or key.startswith(b"GNU.sparse"):
            raise UnsafeArchiveError(
                "a tar member is sparse or has its size outside its header",
                where=where,
                found=_decode(key),
                expected="members with a plain header",
                hint="pack the archive again in ustar or GNU format",
            )
        records[_decode(key)] = _decode(value.removesuffix(b"\n"))
        at = end
    return records


def read_tgz(
    source: BinaryIO, *, where: str, limits: ReadLimits, budget: ReadBudget | None = None
) -> Iterator[tuple[str, bytes]]:
    """Read the regular files of a ``.tgz`` of documents, such as ``imgdb.tgz``, one after the other.

    Args:
        source: Stands where the gzip stream begins; read to its end, not closed.
        where: How to name the archive in errors.
        limits: ``document_bytes`` bounds each file; the rest as for ``TarGzReader``.
        budget: What the whole reading may spend; None starts a new one from ``limits``.

    Yields:
        Name and data, in archive order; folders are left out. They count only when the
        iterator has ended, since the CRC comes last.

    Raises:
        MalformedDocumentError: As ``TarGzReader`` raises it.
        UnsafeArchiveError: As ``TarGzReader`` raises it.
        LimitExceededError: As ``TarGzReader`` raises it, or the budget is spent.
    """
    budget = ReadBudget(limits=limits) if budget is None else budget
    for member, stream in TarGzReader(source, where=where, limits=limits, budget=budget):
        if member.size_bytes > limits.document_bytes:
            raise LimitExceededError(
                "a document is larger than the limit",
                where=f"{where}!{member.name}",
                found=f"{member.size_bytes} bytes",
                expected=f"at most {limits.document_bytes} bytes",
                hint="if the file is trusted, pass ReadLimits(document_bytes=...) with a larger value",
            )
        if not member.is_folder:
            budget.spend(member.size_bytes, where=f"{where}!{member.name}")
            yield member.name, stream.read()


def stored_tgz_bytes(members: Iterable[tuple[str, int]]) -> int:
    """Return the length of what ``TarGzWriter`` writes without compression, before writing it.

    Args:
        members: Name and size in bytes of each regular file.
    """
    tar = 2 * BLOCK_BYTES
    for name, size_bytes in members:
        raw = name.encode()
        if split_name(raw) is None:
            tar += BLOCK_BYTES + len(raw) + 1 + len(_padding(len(raw) + 1, BLOCK_BYTES))
        tar += BLOCK_BYTES + size_bytes + -size_bytes % BLOCK_BYTES
    tar += -tar % _TAR_RECORD
    return stored_gzip_bytes(tar)
