"""Reading ISO9660 discs: files, boot entries, and which extensions are there.

A reader of our own, without pycdlib, so that a damaged or hostile disc gives one of our errors.

* Primary volume descriptor, directory records and El Torito catalog are read, and nothing twice.
* Every length and position is checked against the size of the source; directories are
  walked without recursion.
* Joliet and Rock Ridge names of rebuilt discs are passed over, as boot loaders do.
* Of what a disc says twice one place is read, as loaders do; ``containers.disc_account`` compares.

Source: ECMA-119, "El Torito" Bootable CD-ROM Format Specification 1.0, docs/formats.md#disc-layout.
"""

from __future__ import annotations

import difflib
import io
import os
import struct
from types import MappingProxyType
from typing import TYPE_CHECKING, BinaryIO, Literal, final

import attrs

from esximage_builder.containers.member_name import SAFE_NAME, name_problem
from esximage_builder.errors import (
    LimitExceededError,
    MalformedDocumentError,
    NotInDepotError,
    UnsafeArchiveError,
)
from esximage_builder.limits import ReadBudget, ReadLimits
from esximage_builder.shown import Shown
from esximage_builder.streams.hashing import COPY_BLOCK_BYTES
from esximage_builder.streams.shared_file import SharedFile

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

__all__ = [
    "BLOCK_BYTES",
    "DESCRIPTORS_AT",
    "BootEntry",
    "IsoEntry",
    "IsoReader",
    "open_iso",
    "read_disc",
]

BLOCK_BYTES = 2048  # bytes of a logical sector and, here, of a logical block
DESCRIPTORS_AT = 16  # first sector of the volume descriptors, ECMA-119 7.2.1
_MOST_DESCRIPTORS = 64
_LONGEST_PATH = 1024  # characters; the standard allows 255, relaxed writers more

_TYPE_BOOT, _TYPE_PRIMARY, _TYPE_SUPPLEMENTARY, _TYPE_END = 0, 1, 2, 255
_JOLIET_ESCAPES = (b"%/@", b"%/C", b"%/E")
_ROOT_RECORD_AT, _ROOT_RECORD_BYTES = 156, 34
# Length, extended attribute blocks, extent, size, flags, unit size, gap size, name length.
_RECORD = struct.Struct("<BBI4xI4x7xBBB4xB")
_NAME_LENGTH_AT = _RECORD.size - 1
_FLAG_FOLDER, _FLAG_ASSOCIATED, _FLAG_CONTINUED = 0x02, 0x04, 0x80
_DOT_NAMES = (b"\x00", b"\x01")

_CATALOG_RECORD_BYTES = 32
_BOOTABLE, _NOT_BOOTABLE, _EXTENSION, _HEADER, _LAST_HEADER = 0x88, 0x00, 0x44, 0x90, 0x91
EFI_PLATFORM = 0xEF


@final
@attrs.frozen(kw_only=True)
class IsoEntry:
    """One file on a disc.

    Attributes:
        path: Upper-case ISO 9660 name without version: ``EFI/BOOT/BOOT.CFG``.
        offset: Where its bytes start, in bytes from the start of the disc; without
            meaning for an empty file.
        size_bytes: Its length.
    """

    path: str
    offset: int
    size_bytes: int


@final
@attrs.frozen(kw_only=True, repr=False)
class BootEntry(Shown):
    """One entry of the El Torito boot catalog.

    Attributes:
        platform: ``bios`` (x86, 0), ``efi`` (0xEF); ``other`` for PowerPC, Mac and unknown.
        is_default: True for the initial entry, which firmware takes when not asked.
        is_bootable: False for an entry switched off.
        is_emulated: True if a floppy or hard disk is emulated; ESXi discs emulate nothing.
        load_sectors: Sectors of 512 bytes that firmware loads; for EFI the image's size,
            where 0 and 1 mean up to the end of the disc.
        offset: Where the boot image starts, in bytes from the start of the disc.
        path: The file with that extent; None if no file has it.
    """

    platform: Literal["bios", "efi", "other"]
    is_default: bool
    is_bootable: bool
    is_emulated: bool
    load_sectors: int
    offset: int
    path: str | None


def _malformed(source: SharedFile, message: str, *, found: str = "", expected: str = "") -> MalformedDocumentError:
    return MalformedDocumentError(
        message,
        where=source.where,
        found=found,
        expected=expected,
        hint="compare the file's checksum with its publisher's and download it again",
    )


@final
@attrs.frozen(kw_only=True)
class _Record:
    """One directory record; ``position`` is its own place, ``offset`` its data's."""

    position: int
    offset: int
    size_bytes: int
    flags: int
    name: bytes
    system_use: bytes


def read_disc(source: SharedFile, *, limits: ReadLimits) -> IsoReader:
    """Read descriptors, directories and boot catalog in one pass."""
    primary: bytes | None = None
    root_at = catalog_at = 0
    has_joliet = False
    for position, descriptor in _descriptors(source):
        kind = descriptor[0]
        if kind == _TYPE_PRIMARY and primary is None:
            primary, root_at = descriptor, position + _ROOT_RECORD_AT
        elif kind == _TYPE_BOOT and descriptor[7:39].rstrip(b"\x00 ") == b"EL TORITO SPECIFICATION":
            catalog_at = int.from_bytes(descriptor[71:75], "little") * BLOCK_BYTES
        elif kind == _TYPE_SUPPLEMENTARY:
            has_joliet = has_joliet or descriptor[88:91] in _JOLIET_ESCAPES
    if primary is None:
        raise _malformed(source, "the disc has no primary volume descriptor")
    block_bytes = int.from_bytes(primary[128:130], "little")
    if block_bytes != BLOCK_BYTES:
        raise _malformed(source, "the block size is not readable", found=str(block_bytes), expected=str(BLOCK_BYTES))
    root = primary[_ROOT_RECORD_AT : _ROOT_RECORD_AT + _ROOT_RECORD_BYTES]
    walk = _Walk(source=source, budget=ReadBudget(limits=limits))
    walk.run(_parse_record(root, position=root_at, source=source))
    files = dict(sorted(walk.entries.items()))
    return IsoReader(
        where=source.where,
        volume_id=primary[40:72].decode("latin-1").rstrip(" \x00"),
        volume_bytes=int.from_bytes(primary[80:84], "little") * BLOCK_BYTES,
        files=MappingProxyType(files),
        boot_entries=_boot_entries(source, catalog_at=catalog_at, files=files) if catalog_at else (),
        has_joliet=has_joliet,
        has_rock_ridge=walk.has_rock_ridge,
        record_positions=(root_at, *walk.record_positions),
        catalog_at=catalog_at,
        source=source,
    )


def _descriptors(source: SharedFile) -> Iterator[tuple[int, bytes]]:
    """Yield position and bytes of each volume descriptor up to the terminator."""
    for sector in range(DESCRIPTORS_AT, DESCRIPTORS_AT + _MOST_DESCRIPTORS):
        descriptor = source.read_at(sector * BLOCK_BYTES, BLOCK_BYTES)
        if descriptor[1:6] != b"CD001":
            raise _malformed(
                source,
                "a volume descriptor is missing: not an ISO 9660 disc",
                found=f"{descriptor[:6]!r} at byte {sector * BLOCK_BYTES}",
                expected="CD001",
            )
        if descriptor[0] == _TYPE_END:
            return
        yield sector * BLOCK_BYTES, descriptor
    raise _malformed(source, "the volume descriptors have no end")


def _parse_record(data: bytes, *, position: int, source: SharedFile) -> _Record:
    """Read one directory record from exactly its bytes."""
    if len(data) <= _RECORD.size:
        raise _malformed(source, "a directory record is cut short", found=f"{len(data)} bytes at {position}")
    _, attribute_blocks, extent, size_bytes, flags, unit, gap, name_bytes = _RECORD.unpack_from(data)
    name_end = _RECORD.size + name_bytes
    if name_bytes == 0 or name_end > len(data):
        raise _malformed(source, "a directory record has an impossible name", found=f"at byte {position}")
    if unit or gap:
        raise _malformed(source, "interleaved files are not readable", found=f"at byte {position}")
    return _Record(
        position=position,
        offset=(extent + attribute_blocks) * BLOCK_BYTES,
        size_bytes=size_bytes,
        flags=flags,
        name=data[_RECORD.size : name_end],
        system_use=data[name_end + (name_bytes + 1) % 2 :],
    )


@final
@attrs.define(kw_only=True, eq=False)
class _Walk:
    """One walk over all directories: without recursion, each extent once, bounded."""

    source: SharedFile
    budget: ReadBudget
    entries: dict[str, IsoEntry] = attrs.field(factory=dict, init=False)
    record_positions: list[int] = attrs.field(factory=list, init=False)
    has_rock_ridge: bool = attrs.field(default=False, init=False)

    def run(self, root: _Record) -> None:
        """Collect every file below ``root``."""
        names: set[str] = set()
        seen: set[int] = set()
        waiting = [("", root)]
        while waiting:
            prefix, folder = waiting.pop()
            if folder.offset in seen:
                raise _malformed(self.source, "a directory contains itself or stands twice", found=prefix)
            seen.add(folder.offset)
            for record in self._merged(self._records(folder)):
                path = prefix + self._name(record.name, prefix=prefix)
                if path in names:
                    raise UnsafeArchiveError(
                        "two files have the same name on disc", where=self.source.where, found=path
                    )
                names.add(path)
                if record.flags & _FLAG_FOLDER:
                    waiting.append((f"{path}/", record))
                else:
                    self._add(path, record)

    def _records(self, folder: _Record) -> Iterator[_Record]:
        """Yield the records of one directory without ``.``, ``..`` and associated files."""
        for start in range(0, folder.size_bytes, BLOCK_BYTES):
            position = folder.offset + start
            self.budget.spend(BLOCK_BYTES, where=self.source.where)
            block = self.source.read_at(position, min(BLOCK_BYTES, folder.size_bytes - start))
            at = 0
            while at < len(block) and (length := block[at]):
                if at + length > len(block):
                    raise _malformed(self.source, "a record crosses a sector", found=f"at byte {position + at}")
                record = _parse_record(block[at : at + length], position=position + at, source=self.source)
                self._count(record)
                if record.name not in _DOT_NAMES and not record.flags & _FLAG_ASSOCIATED:
                    yield record
                at += length

    def _count(self, record: _Record) -> None:
        """Note the record; the very first one, the root's ``.``, tells of Rock Ridge."""
        if not self.record_positions:
            self.has_rock_ridge = _has_rock_ridge(record.system_use)
        self.record_positions.append(record.position)
        most = self.budget.limits.member_count
        if len(self.record_positions) > most:
            raise LimitExceededError(
                "the disc holds more files than the limit",
                where=self.source.where,
                found=f"more than {most}",
                expected=f"at most {most}",
                hint="if the file is trusted, pass ReadLimits(member_count=...) with a larger value",
            )

    def _merged(self, records: Iterator[_Record]) -> Iterator[_Record]:
        """Join the records of a file in several extents, which must follow one another."""
        begun: _Record | None = None
        for record in records:
            whole = record
            if begun is not None:
                follows = begun.offset + begun.size_bytes == record.offset
                if record.name != begun.name or not follows:
                    raise _malformed(
                        self.source, "a file in several extents is not in one piece", found=repr(begun.name)
                    )
                joined = begun.size_bytes + record.size_bytes
                whole = attrs.evolve(record, offset=begun.offset, size_bytes=joined)
            begun = whole if record.flags & _FLAG_CONTINUED else None
            if begun is None:
                yield whole
        if begun is not None:
            raise _malformed(self.source, "the last extent of a file is missing", found=repr(begun.name))

    def _name(self, raw: bytes, *, prefix: str) -> str:
        """Return the name without version and empty extension, in upper case."""
        name = raw.decode("latin-1").partition(";")[0].removesuffix(".").upper()
        problem = "has a slash" if "/" in name else name_problem(name)
        if problem:
            raise UnsafeArchiveError(
                f"a name on the disc is not safe: it {problem}",
                where=self.source.where,
                found=repr(raw),
                expected=SAFE_NAME,
            )
        if len(prefix) + len(name) > _LONGEST_PATH:
            raise LimitExceededError(
                "a path on the disc is longer than the limit",
                where=self.source.where,
                expected=f"at most {_LONGEST_PATH} characters",
            )
        return name

    def _add(self, path: str, record: _Record) -> None:
        if record.size_bytes and record.offset + record.size_bytes > self.source.size_bytes:
            raise _malformed(
                self.source,
                "the disc is cut short: a file lies behind its end",
                found=f"{self.source.size_bytes} bytes",
                expected=f"{path} up to byte {record.offset + record.size_bytes}",
            )
        self.entries[path] = IsoEntry(path=path, offset=record.offset, size_bytes=record.size_bytes)


def _has_rock_ridge(system_use: bytes) -> bool:
    """Look for the sharing protocol's SP and a Rock Ridge entry; CD-XA bytes may come first."""
    for start in (0, 14):
        signatures: set[bytes] = set()
        at = start
        while at + 4 <= len(system_use) and system_use[at + 2] >= len("SPnv"):
            signatures.add(system_use[at : at + 2])
            at += system_use[at + 2]
        if b"SP" in signatures and signatures & {b"RR", b"PX", b"ER"}:
            return True
    return False


def _boot_entries(source: SharedFile, *, catalog_at: int, files: Mapping[str, IsoEntry]) -> tuple[BootEntry, ...]:
    """Read the boot catalog: validation entry, default entry, then sections."""
    catalog = source.read_at(catalog_at, BLOCK_BYTES)  # 64 records; a disc has five
    paths = {entry.offset: entry.path for entry in reversed(list(files.values())) if entry.size_bytes}
    validation = catalog[:_CATALOG_RECORD_BYTES]
    words = struct.unpack("<16H", validation)
    if validation[0] != 1 or validation[30:] != b"\x55\xaa" or sum(words) & 0xFFFF:
        raise _malformed(source, "the boot catalog is damaged", found=f"at byte {catalog_at}")
    found: list[BootEntry] = []
    for platform, record in _catalog_records(catalog, source=source):
        indicator, media, sectors, block = struct.unpack("<BB4xHI20x", record)
        offset = block * BLOCK_BYTES
        if indicator not in (_BOOTABLE, _NOT_BOOTABLE) or offset >= source.size_bytes:
            raise _malformed(source, "an entry of the boot catalog is damaged", found=record.hex())
        found.append(
            BootEntry(
                platform="bios" if platform == 0 else "efi" if platform == EFI_PLATFORM else "other",
                is_default=not found,
                is_bootable=indicator == _BOOTABLE,
                is_emulated=bool(media & 0x0F),
                load_sectors=sectors,
                offset=offset,
                path=paths.get(offset),
            )
        )
    return tuple(found)


def _catalog_records(catalog: bytes, *, source: SharedFile) -> Iterator[tuple[int, bytes]]:
    """Yield platform and bytes of each entry, passing over headers and extensions."""
    platform, missing, is_last = catalog[1], 1, False
    for start in range(_CATALOG_RECORD_BYTES, len(catalog), _CATALOG_RECORD_BYTES):
        record = catalog[start : start + _CATALOG_RECORD_BYTES]
        if record[0] == _EXTENSION:
            continue
        if missing:
            yield platform, record
            missing -= 1
        elif not is_last and record[0] in (_HEADER, _LAST_HEADER):
            platform, missing = record[1], int.from_bytes(record[2:4], "little")
            is_last = record[0] == _LAST_HEADER
        else:
            return
    if missing:
        raise _malformed(source, "the boot catalog is cut short", found=f"{missing} entries are missing")


@final
class _ExtentStream(io.RawIOBase):
    """The bytes of one file on the disc, as a seekable stream."""

    def __init__(self, source: SharedFile, entry: IsoEntry) -> None:
        super().__init__()
        self._source = source
        self._entry = entry
        self._position = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        origins = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self._entry.size_bytes}
        self._position = max(0, origins[whence] + offset)
        return self._position

    def readinto(self, buffer: bytearray | memoryview, /) -> int:  # type: ignore[override]
        count = max(0, min(len(buffer), self._entry.size_bytes - self._position))
        if count:
            buffer[:count] = self._source.read_at(self._entry.offset + self._position, count)
            self._position += count
        return count


@final
@attrs.frozen(kw_only=True, eq=False)
class IsoReader:
    """An open disc; a context manager. Files may be read from several threads.

    Attributes:
        where: The disc's name in errors.
        volume_id: Its label, as it stands there.
        volume_bytes: Its length as it says itself; the source may be longer.
        files: By path, in path order.
        boot_entries: In catalog order; empty if it does not boot by El Torito.
        has_joliet: Windows' long names are there (and passed over).
        has_rock_ridge: Unix's long names are there (and passed over).
        record_positions: Byte offset of every directory record; where dates are put.
        catalog_at: Byte offset of the boot catalog; 0 without one.
        size_bytes: Length of the source.
    """

    where: str
    volume_id: str
    volume_bytes: int
    files: Mapping[str, IsoEntry] = attrs.field(repr=False)
    boot_entries: tuple[BootEntry, ...]
    has_joliet: bool
    has_rock_ridge: bool
    record_positions: tuple[int, ...] = attrs.field(repr=False)
    catalog_at: int
    _source: SharedFile = attrs.field(repr=False)

    def __enter__(self) -> IsoReader:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def size_bytes(self) -> int:  # noqa: D102 - described at the class
        return self._source.size_bytes

    def close(self) -> None:
        """Close the file, if ``open_iso`` was given a path."""
        self._source.close()

    def read_at(self, offset: int, count: int) -> bytes:
        """Return exactly ``count`` bytes of the disc from ``offset`` on.

        Raises:
            MalformedDocumentError: The disc ends before.
            SourceUnreadableError: The operating system would not give them.
        """
        return self._source.read_at(offset, count)

    def descriptors(self) -> Iterator[tuple[int, bytes]]:
        """Yield position and bytes of each volume descriptor, the terminator last.

        Raises:
            SourceUnreadableError: The operating system would not give them.
        """
        position = DESCRIPTORS_AT * BLOCK_BYTES
        for position, descriptor in _descriptors(self._source):
            yield position, descriptor
        position += BLOCK_BYTES
        yield position, self.read_at(position, BLOCK_BYTES)

    def entry(self, path: str) -> IsoEntry:
        """Return the file at ``path``, whose case does not matter.

        Raises:
            NotInDepotError: There is none.
        """
        entry = self.files.get(path.upper())
        if entry is None:
            near = difflib.get_close_matches(path.upper(), self.files, n=3)
            raise NotInDepotError("the disc has no such file", where=self.where, found=path, hint=", ".join(near))
        return entry

    def open(self, path: str) -> BinaryIO:
        """Return the file as a stream of its own, which the caller closes before the disc.

        Raises:
            NotInDepotError: There is none.
            SourceUnreadableError: Later, while reading.
        """
        return io.BufferedReader(_ExtentStream(self._source, self.entry(path)), COPY_BLOCK_BYTES)

    def read(self, path: str, *, max_bytes: int) -> bytes:
        """Return the whole file.

        Raises:
            NotInDepotError: There is none.
            LimitExceededError: It is longer than ``max_bytes``.
            SourceUnreadableError: The operating system would not give it.
        """
        entry = self.entry(path)
        if entry.size_bytes > max_bytes:
            raise LimitExceededError(
                "a file on the disc is larger than the limit",
                where=f"{self.where}!{entry.path}",
                found=f"{entry.size_bytes} bytes",
                expected=f"at most {max_bytes} bytes",
            )
        return self._source.read_at(entry.offset, entry.size_bytes) if entry.size_bytes else b""

    def recorded_names(self) -> Iterator[bytes]:
        """Yield the name in each directory record as it stands there: in its own case, with its version.

        Raises:
            SourceUnreadableError: The operating system would not give it.
        """
        for position in self.record_positions:
            length = self._source.read_at(position + _NAME_LENGTH_AT, 1)[0]
            yield self._source.read_at(position + _NAME_LENGTH_AT + 1, length)


def open_iso(source: Path | BinaryIO | SharedFile, *, where: str, limits: ReadLimits) -> IsoReader:
    """Open a disc and read its directories; file contents are not touched.

    Args:
        source: A path, or a seekable binary stream that the caller closes.
        where: How to name the disc in errors.
        limits: ``member_count`` bounds directory records, ``metadata_bytes`` directories.

    Raises:
        SourceUnreadableError: The operating system would not give the file.
        MalformedDocumentError: Not an ISO 9660 disc, damaged, or cut short.
        UnsafeArchiveError: Two files of one name, or a name that could escape.
        LimitExceededError: More than ``limits`` allow.
    """
    disc = source if isinstance(source, SharedFile) else SharedFile(source, where=where, noun="disc")
    try:
        return read_disc(disc, limits=limits)
    except BaseException:
        disc.close()
        raise
