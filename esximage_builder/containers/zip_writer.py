"""Zip archives out: streaming, deterministic, zip64 where needed.

Stored by default, so that the bytes depend on no zlib version; members of another archive are
carried over as they are packed there.

Source: APPNOTE.TXT, the published zip specification.
"""

from __future__ import annotations

import contextlib
import io
import stat
import struct
import zlib
from datetime import UTC, datetime
from typing import TYPE_CHECKING, BinaryIO, Self, final

import attrs

from esximage_builder.containers.member_name import SAFE_NAME, name_problem
from esximage_builder.containers.zip_records import (
    CENTRAL_MAGIC,
    DIRECTORY_RECORD,
    END64_MAGIC,
    END64_RECORD,
    END_MAGIC,
    END_RECORD,
    FLAG_UTF8,
    LOCAL_HEADER,
    LOCAL_MAGIC,
    LOCATOR64_MAGIC,
    LOCATOR64_RECORD,
    MAX16,
    MAX32,
    METHOD_DEFLATED,
    METHOD_STORED,
    ZIP64_EXTRA,
    EndRecord,
    ZipMember,
    require_crc,
    wrong_size,
)
from esximage_builder.errors import (
    ChecksumMismatchError,
    ExportError,
    ModelError,
    SourceUnreadableError,
)
from esximage_builder.streams.hashing import COPY_BLOCK_BYTES
from esximage_builder.streams.inflating import crc32_of
from esximage_builder.streams.placed_file import PlacedFile

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator
    from types import TracebackType


__all__ = ["ZipMemberWriter", "ZipWriter", "render_zip"]

# From these values on the writer uses zip64; tests lower them.
_ZIP64_BYTES, _ZIP64_COUNT = MAX32, MAX16
_VERSION, _VERSION64 = 20, 45
_MADE_ON_UNIX = 3 << 8
_MODE = stat.S_IFREG | 0o644
_FIRST_YEAR, _LAST_YEAR = 1980, 2107
_CRC_OFFSET = 14  # within a member's header
_RECORDS_AT_ONCE = 1024


def _dos_time(timestamp: datetime | None) -> tuple[int, int]:
    """Return date and time as zip keeps them: UTC, two-second steps, 1980 to 2107."""
    if timestamp is None:
        return 1 << 5 | 1, 0
    if timestamp.tzinfo is None:
        raise ModelError("a timestamp needs a time zone", found=repr(timestamp), expected="an aware datetime")
    moment = timestamp.astimezone(UTC)
    if not _FIRST_YEAR <= moment.year <= _LAST_YEAR:
        raise ModelError("zip keeps no such date", found=repr(timestamp), expected="a year from 1980 to 2107")
    date = (moment.year - _FIRST_YEAR) << 9 | moment.month << 5 | moment.day
    return date, moment.hour << 11 | moment.minute << 5 | moment.second // 2


def _name_and_flags(name: str) -> tuple[bytes, int]:
    return name.encode(), 0 if name.isascii() else FLAG_UTF8


@final
class ZipMemberWriter:
    """Takes the data of one member; made by ``ZipWriter``.

    Attributes:
        crc32: Of what was written so far; of raw bytes of another archive it is not computed.
    """

    def __init__(self, write: Callable[[bytes], object], member: ZipMember, *, where: str, is_plain: bool) -> None:
        self._write = write
        self._expected_bytes = member.compressed_bytes
        self._left = member.compressed_bytes
        self._where = where
        self._is_plain = is_plain
        self.crc32 = 0

    def write(self, block: bytes, /) -> int:
        """Take the next bytes.

        Raises:
            ChecksumMismatchError: They are more than the member has.
            ExportError: The target cannot be written.
        """
        self._left -= len(block)
        if self._left < 0:
            raise self._wrong_size(f"more than {self._expected_bytes} bytes")
        if self._is_plain:
            self.crc32 = crc32_of(block, self.crc32)
        self._write(block)
        return len(block)

    def require_all(self) -> None:
        """See that the member got all its bytes.

        Raises:
            ChecksumMismatchError: Some are missing.
        """
        if self._left:
            raise self._wrong_size(f"{self._expected_bytes - self._left} bytes")

    def _wrong_size(self, found: str) -> ChecksumMismatchError:
        return wrong_size(self._where, found=found, expected=f"{self._expected_bytes} bytes")


@final
@attrs.frozen
class _Reserved:
    """A place that waits for its bytes."""

    number: int
    offset: int
    is_counted: bool = attrs.field(kw_only=True)


@final
class ZipWriter:
    """Writes an archive front to back; the same calls give the same bytes.

    Members are made on Unix with mode 0100644 and one date, without extra fields but
    those of zip64. As a context manager it closes at the end, unless an error came up; what
    stands in the target is then no archive. The target is never closed.

    Args:
        target: Only ``write`` is needed, except for ``add_stream`` without a CRC-32.
        timestamp: Aware; written in UTC as the date of every member. None means 1980-01-01.
        where: How to name the archive in errors.

    All methods raise:
        ModelError: A name is not allowed or given twice; the timestamp does not fit.
        ExportError: The target cannot be written, or an earlier call had failed.
    """

    def __init__(self, target: BinaryIO, *, timestamp: datetime | None = None, where: str = "") -> None:
        self._target = target
        self._where = where
        self._date, self._time = _dos_time(timestamp)
        self._offset = 0
        self._members: list[ZipMember] = []
        self._keys: set[str] = set()
        self._reserved: dict[str, _Reserved] = {}
        self._is_whole = True
        self._is_closed = False

    def add_bytes(self, name: str, data: bytes, *, deflate: bool = False) -> None:
        """Add a member that is in memory; only without ``deflate`` is it the same with every zlib."""
        packed = data
        if deflate:
            packer = zlib.compressobj(zlib.Z_BEST_COMPRESSION, zlib.DEFLATED, -zlib.MAX_WBITS)
            packed = packer.compress(data) + packer.flush()
        member = ZipMember(
            name=name,
            size_bytes=len(data),
            compressed_bytes=len(packed),
            crc32=crc32_of(data),
            method=METHOD_DEFLATED if deflate else METHOD_STORED,
            header_offset=self._offset,
        )
        with self._putting(member, is_plain=False) as whole:
            whole.write(packed)

    def add_stream(self, name: str, source: BinaryIO, *, size_bytes: int, crc32: int | None = None) -> None:
        """Add a member from a stream, method stored, one block at a time.

        Args:
            name: The member.
            source: Read to its end; not closed.
            size_bytes: What it must hold, in bytes.
            crc32: What it must have; None takes it as it is, and the target must be seekable.

        Raises:
            ChecksumMismatchError: Size or CRC-32 differ.
            SourceUnreadableError: The source cannot be read.
        """
        with self.open_stored(name, size_bytes=size_bytes, crc32=crc32) as member:
            while block := _read_block(source, where=self._place(name)):
                member.write(block)

    @contextlib.contextmanager
    def open_stored(self, name: str, *, size_bytes: int, crc32: int | None = None) -> Iterator[ZipMemberWriter]:
        """Give a member to write to, method stored; it is whole when the block ends.

        Args:
            name: The member.
            size_bytes: What it must get, in bytes.
            crc32: As for ``add_stream``.

        Raises:
            ChecksumMismatchError: Size or CRC-32 differ.
        """
        described = ZipMember(
            name=name,
            size_bytes=size_bytes,
            compressed_bytes=size_bytes,
            crc32=crc32 or 0,
            method=METHOD_STORED,
            header_offset=self._offset,
        )
        start = self._position(name) if crc32 is None else 0
        with self._putting(described) as member:
            yield member
            if crc32 is not None:
                require_crc(member.crc32, crc32, where=self._place(name))
        if crc32 is None:
            self._set_crc32(described, member.crc32, header_at=start)

    def add_copied(self, name: str, member: ZipMember, blocks: Iterable[bytes]) -> None:
        """Add a member of another archive as it is stored there; see ``ZipReader.copy_blocks``.

        Args:
            name: The name it gets here.
            member: Where method, sizes and CRC-32 are taken from.
            blocks: The raw bytes. They are counted, not inflated: what they hold is for the giver to check.

        Raises:
            ChecksumMismatchError: More or fewer raw bytes than ``member.compressed_bytes``.
        """
        with self.open_copied(name, member) as copied:
            for block in blocks:
                copied.write(block)

    @contextlib.contextmanager
    def open_copied(self, name: str, member: ZipMember) -> Iterator[ZipMemberWriter]:
        """Give a member to write the raw bytes of another archive's member to; see ``add_copied``.

        Raises:
            ChecksumMismatchError: More or fewer raw bytes than ``member.compressed_bytes``.
        """
        with self._putting(attrs.evolve(member, name=name, header_offset=self._offset), is_plain=False) as copied:
            yield copied

    def reserve(self, members: Iterable[ZipMember], *, uncounted: Collection[str] = ()) -> None:
        """Give members their places, which are filled later, in any order and from any thread.

        The target must be seekable and is written at places from now on; see ``open_reserved``.

        Args:
            members: In the order of the archive; their names, sizes and CRC-32 are final.
            uncounted: Names of those, stored, whose CRC-32 is that of the bytes that come.
        """
        self._require_whole()
        with self._writing():
            for member in members:
                self._take_name(member.name)
                placed = attrs.evolve(member, header_offset=self._offset)
                self._write(self._header(placed))
                is_counted = member.name in uncounted
                self._reserved[member.name] = _Reserved(len(self._members), self._offset, is_counted=is_counted)
                self._members.append(placed)
                self._offset += placed.compressed_bytes
                self._target.seek(self._offset)
        self._placed = PlacedFile(self._target, self._writing)

    @contextlib.contextmanager
    def open_reserved(self, name: str) -> Iterator[ZipMemberWriter]:
        """Give the place of a member, once; it gets its bytes as the archive keeps them.

        Raises:
            ChecksumMismatchError: More or fewer bytes than the member has.
        """
        reserved = self._reserved[name]
        member = self._members[reserved.number]
        extent = self._placed.extent(reserved.offset)
        data = ZipMemberWriter(extent.write, member, where=self._place(name), is_plain=reserved.is_counted)
        yield data
        data.require_all()
        if reserved.is_counted:
            self._placed.write_at(member.header_offset + _CRC_OFFSET, struct.pack("<L", data.crc32))
            self._members[reserved.number] = attrs.evolve(member, crc32=data.crc32)
        del self._reserved[name]

    def close(self) -> None:
        """Write the directory and the end records; a second call does nothing."""
        if self._is_closed:
            return
        self._require_whole()
        if self._reserved:
            raise ExportError("the archive lacks the bytes of a member", where=self._place(next(iter(self._reserved))))
        start = self._offset
        for first in range(0, len(self._members), _RECORDS_AT_ONCE):
            batch = self._members[first : first + _RECORDS_AT_ONCE]
            self._write(b"".join([self._directory_record(member) for member in batch]))
        self._write(_end_records(EndRecord(len(self._members), self._offset - start, start)))
        self._is_closed = True

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self.close()

    @contextlib.contextmanager
    def _putting(self, member: ZipMember, *, is_plain: bool = True) -> Iterator[ZipMemberWriter]:
        """Write the header, take the data, and remember the member once all of it was right."""
        self._require_whole()
        self._take_name(member.name)
        self._is_whole = False
        self._write(self._header(member))
        data = ZipMemberWriter(self._write, member, where=self._place(member.name), is_plain=is_plain)
        yield data
        data.require_all()
        self._members.append(member)
        self._is_whole = True

    def _position(self, name: str) -> int:
        with self._writing(name):
            return self._target.tell()

    def _set_crc32(self, member: ZipMember, crc32: int, *, header_at: int) -> None:
        """Put the CRC-32 of the last member into its header, and remember it."""
        with self._writing(member.name):
            end = self._target.tell()
            self._target.seek(header_at + _CRC_OFFSET)
            self._target.write(struct.pack("<L", crc32))
            self._target.seek(end)
        self._members[-1] = attrs.evolve(member, crc32=crc32)

    def _take_name(self, name: str) -> None:
        problem = name_problem(name, is_printable=False) or ("is too long" if len(name.encode()) > MAX16 else "")
        if problem:
            raise ModelError(
                f"an archive cannot hold this name: it {problem}",
                where=self._where,
                found=repr(name),
                expected=SAFE_NAME,
            )
        if (key := name.casefold()) in self._keys:
            message = "two members would have the same name, upper and lower case aside"
            raise ModelError(message, where=self._where, found=repr(name))
        self._keys.add(key)

    def _header(self, member: ZipMember) -> bytes:
        raw_name, flags = _name_and_flags(member.name)
        version, extra, sizes = _VERSION, b"", (member.compressed_bytes, member.size_bytes)
        if max(sizes) >= _ZIP64_BYTES:
            extra = struct.pack("<2H2Q", ZIP64_EXTRA, 16, member.size_bytes, member.compressed_bytes)
            version, sizes = _VERSION64, (MAX32, MAX32)
        record = LOCAL_HEADER.pack(
            LOCAL_MAGIC, version, flags, member.method, self._time, self._date,
            member.crc32, *sizes, len(raw_name), len(extra),
        )  # fmt: skip
        return record + raw_name + extra

    def _directory_record(self, member: ZipMember) -> bytes:
        raw_name, flags = _name_and_flags(member.name)
        values = (member.size_bytes, member.compressed_bytes, member.header_offset)
        wide = [value for value in values if value >= _ZIP64_BYTES]
        size_bytes, compressed_bytes, offset = (MAX32 if value >= _ZIP64_BYTES else value for value in values)
        extra = struct.pack(f"<2H{len(wide)}Q", ZIP64_EXTRA, 8 * len(wide), *wide) if wide else b""
        version = _VERSION64 if wide else _VERSION
        record = DIRECTORY_RECORD.pack(
            CENTRAL_MAGIC, _MADE_ON_UNIX | version, version, flags, member.method, self._time, self._date,
            member.crc32, compressed_bytes, size_bytes, len(raw_name), len(extra), 0, 0, 0, _MODE << 16, offset,
        )  # fmt: skip
        return record + raw_name + extra

    def _write(self, data: bytes) -> None:
        with self._writing():
            written = self._target.write(data)
        if written != len(data):
            raise ExportError("the target took only a part of the bytes", where=self._where)
        self._offset += len(data)

    @contextlib.contextmanager
    def _writing(self, name: str = "") -> Iterator[None]:
        try:
            yield
        except OSError as error:
            self._is_whole = False
            message = "the archive cannot be written"
            raise ExportError(message, where=self._place(name), found=str(error)) from error

    def _place(self, name: str) -> str:
        return f"{self._where}!{name}" if self._where and name else self._where or name

    def _require_whole(self) -> None:
        if not self._is_whole or self._is_closed:
            message = "the archive is closed" if self._is_closed else "an earlier write to the archive failed"
            raise ExportError(message, where=self._where, hint="begin with a new file")


def _read_block(source: BinaryIO, *, where: str) -> bytes:
    try:
        return source.read(COPY_BLOCK_BYTES)
    except OSError as error:
        raise SourceUnreadableError("the source cannot be read", where=where, found=str(error)) from error


def _end_records(end: EndRecord) -> bytes:
    """Render the end record, with its zip64 form before it where a value does not fit."""
    ceilings = (_ZIP64_COUNT, _ZIP64_BYTES, _ZIP64_BYTES)
    if all(value < ceiling for value, ceiling in zip(end, ceilings, strict=True)):
        return END_RECORD.pack(END_MAGIC, 0, 0, end.member_count, end.member_count, end.size_bytes, end.offset, 0)
    version = _MADE_ON_UNIX | _VERSION64
    counts = (end.member_count, end.member_count)
    record = END64_RECORD.pack(END64_MAGIC, END64_RECORD.size - 12, version, _VERSION64, 0, 0, *counts, *end[1:])
    locator = LOCATOR64_RECORD.pack(LOCATOR64_MAGIC, 0, end.offset + end.size_bytes, 1)
    return record + locator + END_RECORD.pack(END_MAGIC, 0, 0, MAX16, MAX16, MAX32, MAX32, 0)


def render_zip(members: Iterable[tuple[str, bytes]], *, deflate: bool = False) -> bytes:
    """Return a small archive, such as ``metadata.zip``, with the members in the order given.

    Raises:
        ModelError: A name is not allowed or given twice.
    """
    target = io.BytesIO()
    with ZipWriter(target) as writer:
        for name, data in members:
            writer.add_bytes(name, data, deflate=deflate)
    return target.getvalue()
