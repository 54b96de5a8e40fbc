"""The "visor" tar of ``vgz`` payloads: listing its entries, and writing small ones.

A vmtar looks like a tar: 512-byte headers, one after the other. What differs (see
docs/formats.md, "Payloads"):

- the magic is ``visor`` and two blanks;
- all headers come first, up to a block of zeros, and byte 496 of each holds the offset of
  its data in the whole file, as a little-endian number of four bytes;
- an offset of 0 means that the data follows its header, as in other tars;
- type ``7`` is a file as much as type ``0``;
- the header checksum of some builds is 256 less than the tar rule says.

Some ``vgz`` payloads hold a GNU tar instead. It is read as well, and each entry says what it
stood in. Nothing is unpacked here; payloads pass by block by block.
"""

from __future__ import annotations

import collections.abc
import enum
import io
import re
import struct
from typing import TYPE_CHECKING, BinaryIO, final

import attrs

from esximage_builder.containers.member_name import SAFE_NAME, name_problem
from esximage_builder.containers.ustar import (
    BLOCK_BYTES,
    LARGEST_OCTAL,
    NAME_BYTES,
    VISOR_MAGIC,
    checksum_of,
    render_header,
)
from esximage_builder.errors import LimitExceededError, MalformedDocumentError, ModelError
from esximage_builder.limits import ReadLimits
from esximage_builder.streams.hashing import COPY_BLOCK_BYTES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

__all__ = [
    "EntryKind",
    "TarKind",
    "VmtarEntry",
    "detect_tar_kind",
    "parse_vmtar",
    "read_vmtar",
    "render_vmtar",
]

_LONG_NAME_BYTES = 64 * 1024
_LARGEST_OFFSET = 2**32 - 1
_LARGEST_MODE = 0o7777
_CHECKSUM = slice(148, 156)
_MAGIC = slice(257, 263)
_VISOR_PREFIX = slice(345, 496)
_TAR_PREFIX = slice(345, 500)
_BEFORE_OFFSET = bytes(496 - 329)  # from the owner to the offset
_SHORT_BY = 8 * ord(" ")  # builds that count the checksum's own field as zeros
_BASE_256_MARK = 0x80

_DAMAGED_HINT = "the payload is cut short or was changed: download the VIB again"


class TarKind(enum.StrEnum):
    """Which tar an archive is, by the magic of its first header."""

    VISOR = "visor"
    GNU = "gnu"
    POSIX = "posix"


class EntryKind(enum.StrEnum):
    """What an entry is on the host; ``OTHER`` are devices and whatever is unknown."""

    FILE = "file"
    FOLDER = "folder"
    LINK = "link"
    OTHER = "other"


_TAR_KINDS = {b"visor ": TarKind.VISOR, b"ustar ": TarKind.GNU, b"ustar\0": TarKind.POSIX}
_ENTRY_KINDS = {
    b"0": EntryKind.FILE,
    b"\0": EntryKind.FILE,
    b"7": EntryKind.FILE,
    b"5": EntryKind.FOLDER,
    b"1": EntryKind.LINK,
    b"2": EntryKind.LINK,
}
_TYPES_WITHOUT_DATA = (b"1", b"2", b"3", b"4", b"5", b"6")
_LONG_NAME_TYPE = b"L"
_PAX_TYPE = b"x"
_LONG_TARGET_TYPE = b"K"
_HARD_LINK_TYPE = b"1"
_EXTENSION_TYPES = (_LONG_TARGET_TYPE, b"g", _LONG_NAME_TYPE, _PAX_TYPE)
_PAX_PATH = re.compile(rb"(?:\A|\n)[0-9]+ path=([^\n]*)\n")
_PAX_TARGET = re.compile(rb"(?:\A|\n)[0-9]+ linkpath=([^\n]*)\n")
_TARGET = slice(157, 257)


@final
@attrs.frozen(kw_only=True)
class VmtarEntry:
    """One entry of a vmtar or tar.

    Attributes:
        name: As written, without the ``/`` that ends folders. It may begin with ``./``; it is
            not checked for safety, since nothing is unpacked. Bytes that are no UTF-8 are
            written as backslash escapes.
        kind: File, folder, link or other.
        size_bytes: Length of the data.
        offset: Where the data is, in bytes from the start of the archive; 0 without data.
        mode: Permission bits, with sticky bit and the like.
        mtime: Seconds since 1970 (UTC).
        tar_kind: What kind of header it has.
        target: Where a link leads, as written; empty for all else.
        is_hard_link: True for a further name of a file that stands in the archive.
    """

    name: str
    kind: EntryKind
    size_bytes: int
    offset: int
    mode: int
    mtime: int
    tar_kind: TarKind
    target: str = ""
    is_hard_link: bool = False


def detect_tar_kind(first_block: bytes) -> TarKind | None:
    """Return which tar begins with these bytes, None if it is none.

    Args:
        first_block: The first 512 bytes of the expanded payload, or more.
    """
    return _TAR_KINDS.get(bytes(first_block[_MAGIC]))


def parse_vmtar(data: bytes, *, where: str, limits: ReadLimits | None = None) -> tuple[VmtarEntry, ...]:
    """List the entries of an expanded payload that is held in memory.

    Args:
        data: The whole vmtar or tar.
        where: How to name it in errors.
        limits: As for ``read_vmtar``; None takes the defaults.

    Raises:
        MalformedDocumentError: As ``read_vmtar`` raises it.
        LimitExceededError: As ``read_vmtar`` raises it.
    """
    return read_vmtar(io.BytesIO(data), where=where, limits=ReadLimits() if limits is None else limits)


def read_vmtar(source: BinaryIO, *, where: str, limits: ReadLimits) -> tuple[VmtarEntry, ...]:
    """List the entries of an expanded payload from a stream, which need not be seekable.

    Args:
        source: Stands where the archive begins; read to its end, since only that shows
            whether all data is there.
        where: How to name it in errors.
        limits: ``payload_bytes`` bounds the archive, ``member_count`` its headers.

    Returns:
        The entries in the order of their headers; empty for an archive of zeros only.

    Raises:
        MalformedDocumentError: Neither vmtar nor GNU or POSIX tar, a damaged header, cut short.
        LimitExceededError: Too large or too many entries.
    """
    reader = _Reader(source, where=where, limits=limits)
    entries = tuple(reader.read_entries())
    total_bytes = reader.read_to_end()
    for entry in entries:
        if entry.offset + entry.size_bytes > total_bytes:
            raise MalformedDocumentError(
                "the data of an entry lies beyond the end of the archive",
                where=f"{where}!{entry.name}",
                found=f"bytes {entry.offset} to {entry.offset + entry.size_bytes}",
                expected=f"at most {total_bytes} bytes",
                hint=_DAMAGED_HINT,
            )
    return entries


@final
@attrs.frozen(kw_only=True)
class _Header:
    """One header block taken apart; ``offset`` is 0 where the data follows."""

    name: str
    type_flag: bytes
    size_bytes: int
    offset: int
    mode: int
    mtime: int
    tar_kind: TarKind
    target: str


@final
class _Reader:
    """Walks over the headers of an archive and keeps count of where it is."""

    def __init__(self, source: BinaryIO, *, where: str, limits: ReadLimits) -> None:
        self._source = source
        self._where = where
        self._limits = limits
        self._position = 0

    def read_entries(self) -> Iterator[VmtarEntry]:
        """Yield entries up to the block of zeros or the end; inline data is passed over."""
        long_name = long_target = ""
        header_count = 0
        while (block := self._read_up_to(BLOCK_BYTES)).strip(b"\0"):
            header_count += 1
            self._require_few(header_count)
            header = self._parse_header(block)
            if header.type_flag in _EXTENSION_TYPES:
                data = self._read_extension(header.size_bytes)
                if header.type_flag == _LONG_NAME_TYPE:
                    long_name = _text(data)
                elif header.type_flag == _LONG_TARGET_TYPE:
                    long_target = _text(data)
                elif header.type_flag == _PAX_TYPE:
                    long_name = _pax_text(_PAX_PATH, data) or long_name
                    long_target = _pax_text(_PAX_TARGET, data) or long_target
                continue
            yield self._entry(header, name=long_name or header.name, target=long_target or header.target)
            long_name = long_target = ""

    def read_to_end(self) -> int:
        """Return the length of the whole archive in bytes."""
        while self._read_up_to(COPY_BLOCK_BYTES):
            pass
        return self._position

    def _entry(self, header: _Header, *, name: str, target: str) -> VmtarEntry:
        kind = _ENTRY_KINDS.get(header.type_flag, EntryKind.OTHER)
        size_bytes = 0 if header.type_flag in _TYPES_WITHOUT_DATA else header.size_bytes
        offset = header.offset if size_bytes else 0
        if size_bytes and offset in (0, self._position):
            # If padding or even data is missing at the end, the check of all offsets finds it.
            offset = self._position
            self._skip(size_bytes + -size_bytes % BLOCK_BYTES)
        return VmtarEntry(
            name=name.rstrip("/") if kind is EntryKind.FOLDER else name,
            kind=kind,
            size_bytes=size_bytes,
            offset=offset,
            mode=header.mode,
            mtime=header.mtime,
            tar_kind=header.tar_kind,
            target=target if kind is EntryKind.LINK else "",
            is_hard_link=header.type_flag == _HARD_LINK_TYPE,
        )

    def _read_extension(self, size_bytes: int) -> bytes:
        """Return the data of a long name or extended header, which always follows inline."""
        if size_bytes > _LONG_NAME_BYTES:
            raise self._malformed("a long name is too long", found=f"{size_bytes} bytes")
        data = self._read_up_to(size_bytes + -size_bytes % BLOCK_BYTES)
        if len(data) < size_bytes:
            raise self._malformed("the archive is cut short", found=f"{len(data)} bytes")
        return data[:size_bytes]

    def _skip(self, count: int) -> None:
        while count and (data := self._read_up_to(min(count, COPY_BLOCK_BYTES))):
            count -= len(data)

    def _read_up_to(self, count: int) -> bytes:
        """Read ``count`` bytes, fewer only at the end of the source."""
        data = b""
        while len(data) < count and (block := self._source.read(count - len(data))):
            data += block
        self._position += len(data)
        if self._position > self._limits.payload_bytes:
            raise LimitExceededError(
                "the payload expands to more than the limit",
                where=self._where,
                found=f"more than {self._limits.payload_bytes} bytes",
                expected=f"at most {self._limits.payload_bytes} bytes",
                hint="if the file is trusted, pass ReadLimits(payload_bytes=...) with a larger value",
            )
        return data

    def _require_few(self, header_count: int) -> None:
        if header_count > self._limits.member_count:
            raise LimitExceededError(
                "the payload has more entries than the limit",
                where=self._where,
                expected=f"at most {self._limits.member_count} entries",
                hint="if the file is trusted, pass ReadLimits(member_count=...) with a larger value",
            )

    def _malformed(self, message: str, *, found: str, expected: str = "") -> MalformedDocumentError:
        return MalformedDocumentError(
            message,
            where=f"{self._where}, byte {self._position}",
            found=found,
            expected=expected,
            hint=_DAMAGED_HINT,
        )

    def _parse_header(self, block: bytes) -> _Header:
        tar_kind = detect_tar_kind(block)
        if len(block) < BLOCK_BYTES or tar_kind is None:
            raise self._malformed(
                "there is no vmtar or tar header",
                found=repr(block[_MAGIC]),
                expected=" or ".join(repr(magic) for magic in _TAR_KINDS),
            )
        self._require_checksum(block)
        prefix = b""
        if tar_kind is not TarKind.GNU:  # GNU tar keeps other things there
            prefix = block[_VISOR_PREFIX if tar_kind is TarKind.VISOR else _TAR_PREFIX].split(b"\0", 1)[0]
        raw_name = block[:NAME_BYTES].split(b"\0", 1)[0]
        return _Header(
            name=_text(prefix + b"/" + raw_name if prefix else raw_name),
            type_flag=block[156:157],
            size_bytes=self._parse_number(block[124:136], what="size"),
            offset=struct.unpack_from("<I", block, 496)[0] if tar_kind is TarKind.VISOR else 0,
            mode=self._parse_number(block[100:108], what="mode"),
            mtime=self._parse_number(block[136:148], what="date"),
            tar_kind=tar_kind,
            target=_text(block[_TARGET]),
        )

    def _require_checksum(self, block: bytes) -> None:
        stored = self._parse_number(block[_CHECKSUM], what="checksum")
        rightly = checksum_of(block)
        if stored not in (rightly, rightly - _SHORT_BY):
            raise self._malformed(
                "the checksum of a header is wrong",
                found=str(stored),
                expected=f"{rightly} or {rightly - _SHORT_BY}",
            )

    def _parse_number(self, field: bytes, *, what: str) -> int:
        """Return an octal number, or a binary one as GNU tar writes those that are too large."""
        if field[0] == _BASE_256_MARK:
            return int.from_bytes(field[1:], "big")
        digits = field.split(b"\0", 1)[0].strip(b" ")
        if digits.strip(b"01234567"):
            raise self._malformed(f"the {what} in a header is no octal number", found=repr(field))
        return int(digits, 8) if digits else 0


def _pax_text(record: re.Pattern[bytes], data: bytes) -> str:
    """Return the value of an extended header's record, empty if it has none."""
    found = record.search(data)
    return _text(found[1]) if found else ""


def _text(raw: bytes) -> str:
    return raw.split(b"\0", 1)[0].decode("utf-8", "backslashreplace")


def render_vmtar(
    files: Mapping[str, bytes] | Iterable[tuple[str, bytes]],
    *,
    alignment: int = 512,
    mtime: int = 0,
    mode: int = 0o644,
    with_folders: bool = False,
) -> bytes:
    """Return a vmtar of these files, owned by root; for small ones, since it is made in memory.

    Args:
        files: Relative names and data, written in the order given.
        alignment: Data begins at multiples of this many bytes: 512 as vibauthor does it,
            4096 as VMware does it.
        mtime: Date of all entries, in seconds since 1970 (UTC).
        mode: Permission bits of all files; folders get 0755.
        with_folders: Also write an entry for each folder, before the first file in it.

    Raises:
        ModelError: A name, number or the whole does not fit into the format.
    """
    if alignment < BLOCK_BYTES or alignment % BLOCK_BYTES:
        raise ModelError(
            "the alignment of a vmtar is impossible", found=str(alignment), expected=f"a multiple of {BLOCK_BYTES}"
        )
    if not 0 <= mtime <= LARGEST_OCTAL or not 0 <= mode <= _LARGEST_MODE:
        raise ModelError(
            "a date or mode cannot stand in a vmtar",
            found=f"date {mtime}, mode {mode:#o}",
            expected=f"a date of 0 to {LARGEST_OCTAL} seconds, a mode of 0 to {_LARGEST_MODE:#o}",
        )
    items = list(files.items() if isinstance(files, collections.abc.Mapping) else files)
    raw_names = _require_names([name for name, _ in items])
    folders_before = _folders_before(raw_names) if with_folders else [[] for _ in items]
    header_count = len(items) + sum(map(len, folders_before))
    headers: list[bytes] = []
    data_parts: list[bytes] = []
    position = (header_count + 1) * BLOCK_BYTES
    for raw, folders, (_, data) in zip(raw_names, folders_before, items, strict=True):
        headers += [_render_header(folder, type_flag=b"5", mode=0o755, mtime=mtime) for folder in folders]
        padding = bytes(-position % alignment) if data else b""
        offset = position + len(padding) if data else 0
        headers.append(_render_header(raw, type_flag=b"0", mode=mode, mtime=mtime, size_bytes=len(data), offset=offset))
        data_parts += [padding, data]
        position += len(padding) + len(data)
    return b"".join([*headers, bytes(BLOCK_BYTES), *data_parts])


def _require_names(names: list[str]) -> list[bytes]:
    """Return the names as bytes, after a check of each."""
    raw_names: list[bytes] = []
    for name in names:
        problem = name_problem(name) or ("is too long" if len(name.encode()) > NAME_BYTES else "")
        if problem:
            raise ModelError(
                "this name cannot stand in a vmtar",
                found=f"{name!r}, which {problem}",
                expected=f"{SAFE_NAME}, of at most {NAME_BYTES} bytes in UTF-8",
            )
        raw_names.append(name.encode())
    if len(set(raw_names)) < len(raw_names):
        raise ModelError("two files of a vmtar have one name", found=repr(names), expected="each name once")
    return raw_names


def _folders_before(raw_names: list[bytes]) -> list[list[bytes]]:
    """Return, for each file, the folders that no earlier file was in, outermost first."""
    seen: set[bytes] = set()
    result: list[list[bytes]] = []
    for raw in raw_names:
        parts = raw.split(b"/")[:-1]
        folders = [b"/".join(parts[:depth]) + b"/" for depth in range(1, len(parts) + 1)]
        result.append([folder for folder in folders if folder not in seen])
        seen.update(folders)
    return result


def _render_header(
    raw: bytes, *, type_flag: bytes, mode: int, mtime: int, size_bytes: int = 0, offset: int = 0
) -> bytes:
    if offset > _LARGEST_OFFSET or size_bytes > LARGEST_OCTAL:
        raise ModelError(
            "a vmtar cannot hold that much",
            found=f"{size_bytes} bytes at offset {offset}",
            expected=f"offsets of at most {_LARGEST_OFFSET}",
        )
    return render_header(
        raw,
        kind=type_flag,
        size_bytes=size_bytes,
        mode=mode,
        timestamp=mtime,
        magic=VISOR_MAGIC,
        after_owner=_BEFORE_OFFSET + struct.pack("<I", offset),
    )
