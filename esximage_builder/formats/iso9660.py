"""ISO 9660 discs with El Torito: laying out new ones, reading any of them.

Writing is split in two, so that no payload is held or read twice: ``lay_out_iso`` takes
names and sizes and returns a value that knows every extent; ``write_skeleton`` writes
everything except the files whose bytes the caller then writes to their extents himself.

* pycdlib assigns the extents and renders descriptors, path tables, directories and the
  boot catalog. What it renders is read back by this module's own reader: offsets, boot
  entries and the records to be dated come from the bytes, not from pycdlib's objects.
* What is written: names of 8.3 characters, no Joliet, no Rock Ridge, every date from the
  caller. The same input gives the same bytes on any day and in any time zone.
* Reading does not use pycdlib. Every length and position is checked against the size of
  the source; directories are walked without recursion and never twice.
* Joliet and Rock Ridge names of rebuilt discs are passed over, as boot loaders do.

Source: ECMA-119, "El Torito" Bootable CD-ROM Format Specification 1.0, docs/formats.md 4.4.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import difflib
import functools
import io
import os
import re
import struct
import threading
from pathlib import Path, PurePosixPath
from types import MappingProxyType
from typing import TYPE_CHECKING, BinaryIO, Literal, cast, final

import attrs
import pycdlib
from pycdlib.pycdlibexception import PyCdlibException

from esximage_builder.checksums import COPY_BLOCK_BYTES
from esximage_builder.errors import (
    DepotError,
    ExportError,
    LimitExceededError,
    MalformedDocumentError,
    ModelError,
    NotInDepotError,
    SourceUnreadableError,
    UnsafeArchiveError,
)
from esximage_builder.limits import ReadBudget, ReadLimits

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

__all__ = [
    "BOOT_CATALOG_PATH",
    "BootEntry",
    "IsoEntry",
    "IsoFile",
    "IsoLayout",
    "IsoReader",
    "is_legal_iso_path",
    "lay_out_iso",
    "open_iso",
    "with_boot_info_table",
]

BOOT_CATALOG_PATH = "BOOT.CAT"

_BLOCK = 2048  # bytes of a logical sector and, here, of a logical block
_DESCRIPTORS_AT = 16  # first sector of the volume descriptors, ECMA-119 7.2.1
_MOST_DESCRIPTORS = 64
_MOST_BLOCKS = 2**32 - 1
_LONGEST_PATH = 1024  # characters; the standard allows 255, relaxed writers more
_BOOT_SECTOR_BYTES = 512
_BIOS_LOAD_SECTORS = 4
_MOST_LOAD_SECTORS = 0xFFFF
_INFO_TABLE_END = 64

# The standard allows eight levels and counts the root as the first.
_MOST_PARTS = 7
_FOLDER_NAME = re.compile(r"[A-Z0-9_]{1,8}")
_FILE_NAME = re.compile(r"[A-Z0-9_]{1,8}(\.[A-Z0-9_]{1,3})?")
_VOLUME_ID = re.compile(r"[A-Z0-9_.-]{1,32}")

_TYPE_BOOT, _TYPE_PRIMARY, _TYPE_SUPPLEMENTARY, _TYPE_END = 0, 1, 2, 255
_JOLIET_ESCAPES = (b"%/@", b"%/C", b"%/E")
_ROOT_RECORD_AT, _ROOT_RECORD_BYTES = 156, 34
# Creation, modification, effective; expiration, at 847, stays "not specified".
_VOLUME_DATES_AT = (813, 830, 864)

# Length, extended attribute blocks, extent, size, flags, unit size, gap size, name length.
_RECORD = struct.Struct("<BBI4xI4x7xBBB4xB")
_RECORD_DATE_AT = 18
_FLAG_FOLDER, _FLAG_ASSOCIATED, _FLAG_CONTINUED = 0x02, 0x04, 0x80
_DOT_NAMES = (b"\x00", b"\x01")

_CATALOG_RECORD_BYTES = 32
_BOOTABLE, _NOT_BOOTABLE, _EXTENSION, _HEADER, _LAST_HEADER = 0x88, 0x00, 0x44, 0x90, 0x91
_EFI_PLATFORM = 0xEF

_NOT_AS_ASKED = "the disc laid out is not the disc asked for"
_OTHER_PYCDLIB = "another release of pycdlib may behave differently: install the one that docs/dependencies.md names"


@final
@attrs.frozen(kw_only=True)
class IsoFile:
    """One file to be laid out.

    Attributes:
        path: As on disc without version: ``EFI/BOOT/BOOT.CFG``; see ``is_legal_iso_path``.
        content: The bytes; None if the caller writes them to the extent himself.
        size_bytes: May be left out where ``content`` is given, and must equal its length.
    """

    path: str
    content: bytes | None = attrs.field(default=None, repr=False)
    size_bytes: int = attrs.field()

    @size_bytes.default
    def _length_of_content(self) -> int:
        if self.content is None:
            raise ModelError("a file without content needs a size", where=self.path)
        return len(self.content)


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
@attrs.frozen(kw_only=True)
class BootEntry:
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


@final
@attrs.frozen(kw_only=True)
class IsoLayout:
    """A disc whose every byte has its place; a value, so it may be written many times.

    Attributes:
        volume_id: The disc's label.
        total_bytes: Length of the finished disc.
        entries: All files sorted by path, the boot catalog among them.
        boot_entries: In catalog order; empty for a disc that does not boot.
        offsets: Look-up from path to byte offset (a cached view of ``entries``).
    """

    volume_id: str
    total_bytes: int
    entries: tuple[IsoEntry, ...]
    boot_entries: tuple[BootEntry, ...]
    _metadata: bytes = attrs.field(repr=False)
    _contents: tuple[tuple[int, bytes], ...] = attrs.field(repr=False)

    @functools.cached_property
    def offsets(self) -> Mapping[str, int]:
        """Byte offset by path."""
        return MappingProxyType({entry.path: entry.offset for entry in self.entries})

    def write_skeleton(self, target: BinaryIO) -> None:
        """Write all but the files without content; their extents stay unwritten, sparse on disk.

        Args:
            target: Seekable and writable; what it held is lost. Not closed; its position
                afterwards means nothing. Its length is then ``total_bytes``.

        Raises:
            OSError: The target would not take it.
        """
        target.seek(0)
        target.truncate()
        target.write(self._metadata)
        for offset, content in self._contents:
            target.seek(offset)
            target.write(content)
        if target.seek(0, os.SEEK_END) < self.total_bytes:
            target.seek(self.total_bytes - 1)
            target.write(b"\x00")


def is_legal_iso_path(path: str) -> bool:
    """Say whether we write this path: parts of 8.3 characters A-Z 0-9 _, at most seven parts.

    Seven parts below the root are the eight levels of ECMA-119 6.8.2.1.
    """
    *folders, name = path.split("/")
    return (
        len(folders) < _MOST_PARTS
        and all(_FOLDER_NAME.fullmatch(folder) for folder in folders)
        and _FILE_NAME.fullmatch(name) is not None
    )


def lay_out_iso(
    files: Sequence[IsoFile],
    *,
    volume_id: str,
    bios_boot: str | None,
    efi_boot: str | None,
    timestamp: dt.datetime,
) -> IsoLayout:
    """Give every file its place on a new disc; nothing is written.

    Args:
        files: In any order; the result does not depend on it. Larger than 4 GiB is allowed
            (several directory records, one extent after the other).
        volume_id: 1-32 characters ``A-Z 0-9 _ - .``, kept as they are.
        bios_boot: Path of ``ISOLINUX.BIN``: default entry, no emulation, 4 sectors, boot
            information table patched in on disc. Must have content. None: no such entry.
        efi_boot: Path of ``EFIBOOT.IMG``: entry of platform 0xEF, no emulation, the whole
            image. The default entry if ``bios_boot`` is None. Must have content.
        timestamp: The one date of volume and files, with time zone; written as UTC.

    Returns:
        The layout. With a boot entry it holds one file more, ``BOOT.CAT``.

    Raises:
        ModelError: A path, size, volume id, date or boot file that cannot stand on a disc.
        ExportError: pycdlib refused, or rendered something else than was asked for.

    Source:
        docs/formats.md 4.4.
    """
    by_path = _require_files(files)
    boots = [path for path in (bios_boot, efi_boot) if path is not None]
    _require_boot_files(by_path, bios_boot=bios_boot, efi_boot=efi_boot)
    if not _VOLUME_ID.fullmatch(volume_id):
        raise ModelError(
            "the volume id cannot stand on a disc", found=repr(volume_id), expected="1 to 32 characters A-Z 0-9 _ - ."
        )
    dates = _rendered_dates(timestamp)
    metadata = _rendered_metadata(by_path, volume_id=volume_id, bios_boot=bios_boot, efi_boot=efi_boot)
    rendered = _read_back(metadata, where=volume_id)
    _require_as_asked(rendered, by_path=by_path, boots=boots, metadata_bytes=len(metadata))
    _stamp(metadata, positions=rendered.record_positions, dates=dates)
    offsets = {path: entry.offset for path, entry in rendered.files.items()}
    contents = {path: file.content for path, file in by_path.items() if file.content}
    if bios_boot is not None:
        contents[bios_boot] = with_boot_info_table(contents[bios_boot], offset=offsets[bios_boot])
    return IsoLayout(
        volume_id=volume_id,
        total_bytes=rendered.volume_bytes,
        entries=tuple(rendered.files.values()),
        boot_entries=rendered.boot_entries,
        metadata=bytes(metadata),
        contents=tuple(sorted((offsets[path], content) for path, content in contents.items())),
    )


def with_boot_info_table(content: bytes, *, offset: int) -> bytes:
    """Return a BIOS boot image as it stands on disc: bytes 8 to 63 tell it where it is.

    Args:
        content: The image as shipped, at least 64 bytes.
        offset: Where the image starts on disc, in bytes.

    Source:
        Sector of the primary descriptor, sector and length of the image, sum of its
        little-endian 32-bit words from byte 64, 40 zero bytes: docs/formats.md 4.4.
    """
    rest = content[_INFO_TABLE_END:]
    rest += bytes(-len(rest) % 4)
    checksum = sum(struct.unpack(f"<{len(rest) // 4}I", rest)) & 0xFFFFFFFF
    table = struct.pack("<IIII40x", _DESCRIPTORS_AT, offset // _BLOCK, len(content), checksum)
    return content[:8] + table + content[_INFO_TABLE_END:]


def _require_files(files: Sequence[IsoFile]) -> dict[str, IsoFile]:
    by_path: dict[str, IsoFile] = {}
    for file in files:
        if not is_legal_iso_path(file.path):
            raise ModelError(
                "the name cannot stand on a disc",
                found=repr(file.path),
                expected="parts of 8.3 characters A-Z 0-9 _, at most seven of them",
            )
        if file.path in by_path:
            raise ModelError("two files have the same name on disc", found=file.path)
        if file.size_bytes < 0 or (file.content is not None and len(file.content) != file.size_bytes):
            raise ModelError(
                "the size of a file is wrong",
                where=file.path,
                found=str(file.size_bytes),
                expected="at least 0" if file.content is None else str(len(file.content)),
            )
        by_path[file.path] = file
    for folder in _folders_of(by_path):
        if folder in by_path:
            raise ModelError("a name is both a file and a folder", found=folder)
    if sum(_blocks(file.size_bytes) for file in files) > _MOST_BLOCKS // 2:
        raise ModelError("the files are larger than any disc", expected=f"at most {_MOST_BLOCKS} sectors")
    return by_path


def _require_boot_files(by_path: dict[str, IsoFile], *, bios_boot: str | None, efi_boot: str | None) -> None:
    for path, least in ((bios_boot, _INFO_TABLE_END), (efi_boot, 1)):
        if path is None:
            continue
        content = by_path[path].content if path in by_path else None
        if content is None or len(content) < least:
            raise ModelError(
                "a boot file must be among the files, with its content",
                where=path,
                found="nothing" if content is None else f"{len(content)} bytes",
                expected=f"at least {least} bytes",
            )
        if BOOT_CATALOG_PATH in by_path:
            raise ModelError("the name is needed for the boot catalog", found=BOOT_CATALOG_PATH)


def _folders_of(paths: Mapping[str, object]) -> list[str]:
    """Return the folders that the paths need, parents before children."""
    folders = {str(parent) for path in paths for parent in PurePosixPath(path).parents}
    return sorted(folders - {"."})


def _blocks(size_bytes: int) -> int:
    return -(-size_bytes // _BLOCK)


@final
class _MetadataSink(io.RawIOBase):
    """Takes what pycdlib writes and keeps all up to the last byte that is not zero.

    Files are given to pycdlib without bytes, so behind the metadata it writes only zeros
    (padding), and memory does not grow with the disc.
    """

    def __init__(self) -> None:
        super().__init__()
        self.kept = bytearray()
        self._position = 0
        self._end = 0

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        origin = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self._end}[whence]
        self._position = origin + offset
        return self._position

    def write(self, data: bytes, /) -> int:  # type: ignore[override]
        start, self._position = self._position, self._position + len(data)
        self._end = max(self._end, self._position)
        if data.strip(b"\x00"):
            self.kept.extend(bytes(max(0, self._position - len(self.kept))))
            self.kept[start : self._position] = data
        return len(data)


def _rendered_metadata(
    by_path: dict[str, IsoFile], *, volume_id: str, bios_boot: str | None, efi_boot: str | None
) -> bytearray:
    """Return all sectors before the first file, with pycdlib's dates still in them.

    Relies on pycdlib 1.22 ending a file silently where its source ends early (it says so in
    ``utils.copy_data_yield``): each file is an empty source with the true length. A test
    fails if that changes.
    """
    disc, sink = pycdlib.PyCdlib(), _MetadataSink()
    try:
        # A blank application id keeps pycdlib from writing its own name.
        disc.new(interchange_level=3, vol_ident=volume_id, app_ident_str=" ")
        for folder in _folders_of(by_path):
            disc.add_directory(iso_path=f"/{folder}")
        for path, file in sorted(by_path.items()):
            disc.add_fp(io.BytesIO(), file.size_bytes, iso_path=_pycdlib_path(path))
        if bios_boot is not None:
            disc.add_eltorito(_pycdlib_path(bios_boot), boot_load_size=_BIOS_LOAD_SECTORS)
        if efi_boot is not None:
            # The whole image, as genisoimage and xorriso write it; firmware takes a
            # count of 0 or 1 as "up to the end of the disc".
            sectors = _blocks(by_path[efi_boot].size_bytes) * (_BLOCK // _BOOT_SECTOR_BYTES)
            disc.add_eltorito(
                _pycdlib_path(efi_boot),
                boot_load_size=min(sectors, _MOST_LOAD_SECTORS),
                platform_id=_EFI_PLATFORM,
                efi=True,
            )
        disc.write_fp(cast("BinaryIO", sink))
        disc.close()
    except (PyCdlibException, struct.error) as error:
        raise ExportError("the disc cannot be laid out", where=volume_id, found=str(error)) from error
    sink.kept.extend(bytes(-len(sink.kept) % _BLOCK))
    return sink.kept


def _pycdlib_path(path: str) -> str:
    """Return the path as a file identifier, which always holds a dot (ECMA-119 7.5.1)."""
    dot = "" if "." in PurePosixPath(path).name else "."
    return f"/{path}{dot};1"


def _read_back(metadata: bytearray, *, where: str) -> IsoReader:
    """Read what pycdlib rendered; extents may lie behind the metadata, where nothing is yet."""
    source = _Source(stream=io.BytesIO(metadata), size_bytes=_MOST_BLOCKS * _BLOCK, where=where)
    try:
        return _read_disc(source, limits=ReadLimits(), resources=contextlib.ExitStack())
    except DepotError as error:
        raise ExportError(_NOT_AS_ASKED, where=where, found=error.message, hint=_OTHER_PYCDLIB) from error


def _require_as_asked(
    rendered: IsoReader, *, by_path: dict[str, IsoFile], boots: list[str], metadata_bytes: int
) -> None:
    """Compare what was rendered with what was asked for, and refuse extents that overlap."""
    asked = {path: file.size_bytes for path, file in by_path.items()}
    as_asked = [entry.path for entry in rendered.boot_entries] == boots
    as_asked &= {path: entry.size_bytes for path, entry in rendered.files.items() if path in asked} == asked
    as_asked &= rendered.files.keys() - asked == ({BOOT_CATALOG_PATH} if boots else set())
    free_from = metadata_bytes
    for entry in sorted(rendered.files.values(), key=lambda entry: entry.offset):
        if entry.path in asked and entry.size_bytes:
            as_asked &= entry.offset >= free_from
            free_from = entry.offset + _blocks(entry.size_bytes) * _BLOCK
    if not as_asked or free_from > rendered.volume_bytes:
        raise ExportError(_NOT_AS_ASKED, where=rendered.where, hint=_OTHER_PYCDLIB)


def _rendered_dates(timestamp: dt.datetime) -> tuple[bytes, bytes]:
    """Return the date as volume descriptors and as directory records have it."""
    if timestamp.tzinfo is None:
        raise ModelError("the date of a disc needs a time zone", found=timestamp.isoformat())
    try:
        utc = timestamp.astimezone(dt.UTC)
        in_record = bytes((utc.year - 1900, utc.month, utc.day, utc.hour, utc.minute, utc.second, 0))
    except (ValueError, OverflowError) as error:
        raise ModelError(
            "the date cannot stand on a disc", found=timestamp.isoformat(), expected="years 1900 to 2155"
        ) from error
    return f"{utc:%Y%m%d%H%M%S}00\x00".encode("ascii"), in_record


def _stamp(metadata: bytearray, *, positions: tuple[int, ...], dates: tuple[bytes, bytes]) -> None:
    """Put the caller's date where pycdlib read the clock."""
    in_volume, in_record = dates
    for field in _VOLUME_DATES_AT:
        start = _DESCRIPTORS_AT * _BLOCK + field
        metadata[start : start + len(in_volume)] = in_volume
    for position in positions:
        start = position + _RECORD_DATE_AT
        metadata[start : start + len(in_record)] = in_record


@final
@attrs.frozen(kw_only=True, eq=False)
class _Source:
    """A seekable stream, its size and its name in errors; may be read from many threads."""

    stream: BinaryIO
    size_bytes: int
    where: str
    _lock: threading.Lock = attrs.field(factory=threading.Lock, init=False)

    def read_at(self, offset: int, count: int) -> bytes:
        """Return exactly ``count`` bytes; never asks for more than the source holds."""
        if offset + count > self.size_bytes:
            raise self.malformed("the disc is cut short", found=f"{self.size_bytes} bytes")
        pieces: list[bytes] = []
        missing = count
        try:
            with self._lock:
                self.stream.seek(offset)
                while missing and (piece := self.stream.read(missing)):
                    pieces.append(piece)
                    missing -= len(piece)
        except OSError as error:
            raise SourceUnreadableError("the disc cannot be read", where=self.where, found=str(error)) from error
        if missing:
            raise self.malformed("the disc ended while it was read", found=f"{missing} bytes are missing")
        return b"".join(pieces)

    def malformed(self, message: str, *, found: str = "", expected: str = "") -> MalformedDocumentError:
        """Return the error to raise where the bytes are at fault."""
        return MalformedDocumentError(
            message,
            where=self.where,
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


def _read_disc(source: _Source, *, limits: ReadLimits, resources: contextlib.ExitStack) -> IsoReader:
    """Read descriptors, directories and boot catalog in one pass."""
    primary: bytes | None = None
    root_at = catalog_at = 0
    has_joliet = False
    for position, descriptor in _descriptors(source):
        kind = descriptor[0]
        if kind == _TYPE_PRIMARY and primary is None:
            primary, root_at = descriptor, position + _ROOT_RECORD_AT
        elif kind == _TYPE_BOOT and descriptor[7:39].rstrip(b"\x00 ") == b"EL TORITO SPECIFICATION":
            catalog_at = int.from_bytes(descriptor[71:75], "little") * _BLOCK
        elif kind == _TYPE_SUPPLEMENTARY:
            has_joliet = has_joliet or descriptor[88:91] in _JOLIET_ESCAPES
    if primary is None:
        raise source.malformed("the disc has no primary volume descriptor")
    block_bytes = int.from_bytes(primary[128:130], "little")
    if block_bytes != _BLOCK:
        raise source.malformed("the block size is not readable", found=str(block_bytes), expected=str(_BLOCK))
    root = primary[_ROOT_RECORD_AT : _ROOT_RECORD_AT + _ROOT_RECORD_BYTES]
    walk = _Walk(source=source, budget=ReadBudget(limits=limits))
    walk.run(_parse_record(root, position=root_at, source=source))
    files = dict(sorted(walk.entries.items()))
    return IsoReader(
        where=source.where,
        volume_id=primary[40:72].decode("latin-1").rstrip(" \x00"),
        volume_bytes=int.from_bytes(primary[80:84], "little") * _BLOCK,
        files=MappingProxyType(files),
        boot_entries=_boot_entries(source, catalog_at=catalog_at, files=files) if catalog_at else (),
        has_joliet=has_joliet,
        has_rock_ridge=walk.has_rock_ridge,
        record_positions=(root_at, *walk.record_positions),
        source=source,
        resources=resources,
    )


def _descriptors(source: _Source) -> Iterator[tuple[int, bytes]]:
    """Yield position and bytes of each volume descriptor up to the terminator."""
    for sector in range(_DESCRIPTORS_AT, _DESCRIPTORS_AT + _MOST_DESCRIPTORS):
        descriptor = source.read_at(sector * _BLOCK, _BLOCK)
        if descriptor[1:6] != b"CD001":
            raise source.malformed(
                "a volume descriptor is missing: not an ISO 9660 disc",
                found=f"{descriptor[:6]!r} at byte {sector * _BLOCK}",
                expected="CD001",
            )
        if descriptor[0] == _TYPE_END:
            return
        yield sector * _BLOCK, descriptor
    raise source.malformed("the volume descriptors have no end")


def _parse_record(data: bytes, *, position: int, source: _Source) -> _Record:
    """Read one directory record from exactly its bytes."""
    if len(data) <= _RECORD.size:
        raise source.malformed("a directory record is cut short", found=f"{len(data)} bytes at {position}")
    _, attribute_blocks, extent, size_bytes, flags, unit, gap, name_bytes = _RECORD.unpack_from(data)
    name_end = _RECORD.size + name_bytes
    if name_bytes == 0 or name_end > len(data):
        raise source.malformed("a directory record has an impossible name", found=f"at byte {position}")
    if unit or gap:
        raise source.malformed("interleaved files are not readable", found=f"at byte {position}")
    return _Record(
        position=position,
        offset=(extent + attribute_blocks) * _BLOCK,
        size_bytes=size_bytes,
        flags=flags,
        name=data[_RECORD.size : name_end],
        system_use=data[name_end + (name_bytes + 1) % 2 :],
    )


@final
@attrs.define(kw_only=True, eq=False)
class _Walk:
    """One walk over all directories: without recursion, each extent once, bounded."""

    source: _Source
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
                raise self.source.malformed("a directory contains itself or stands twice", found=prefix)
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
        for start in range(0, folder.size_bytes, _BLOCK):
            position = folder.offset + start
            self.budget.spend(_BLOCK, where=self.source.where)
            block = self.source.read_at(position, min(_BLOCK, folder.size_bytes - start))
            at = 0
            while at < len(block) and (length := block[at]):
                if at + length > len(block):
                    raise self.source.malformed("a record crosses a sector", found=f"at byte {position + at}")
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
                    raise self.source.malformed("a file in several extents is not in one piece", found=repr(begun.name))
                joined = begun.size_bytes + record.size_bytes
                whole = attrs.evolve(record, offset=begun.offset, size_bytes=joined)
            begun = whole if record.flags & _FLAG_CONTINUED else None
            if begun is None:
                yield whole
        if begun is not None:
            raise self.source.malformed("the last extent of a file is missing", found=repr(begun.name))

    def _name(self, raw: bytes, *, prefix: str) -> str:
        """Return the name without version and empty extension, in upper case."""
        name = raw.decode("latin-1").partition(";")[0].removesuffix(".").upper()
        if name in ("", ".", "..") or not name.isprintable() or set(name) & set("/\\:"):
            raise UnsafeArchiveError("a name on the disc is not safe", where=self.source.where, found=repr(raw))
        if len(prefix) + len(name) > _LONGEST_PATH:
            raise LimitExceededError(
                "a path on the disc is longer than the limit",
                where=self.source.where,
                expected=f"at most {_LONGEST_PATH} characters",
            )
        return name

    def _add(self, path: str, record: _Record) -> None:
        if record.size_bytes and record.offset + record.size_bytes > self.source.size_bytes:
            raise self.source.malformed(
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


def _boot_entries(source: _Source, *, catalog_at: int, files: Mapping[str, IsoEntry]) -> tuple[BootEntry, ...]:
    """Read the boot catalog: validation entry, default entry, then sections."""
    catalog = source.read_at(catalog_at, _BLOCK)  # 64 records; a disc has five
    paths = {entry.offset: entry.path for entry in reversed(list(files.values())) if entry.size_bytes}
    validation = catalog[:_CATALOG_RECORD_BYTES]
    words = struct.unpack("<16H", validation)
    if validation[0] != 1 or validation[30:] != b"\x55\xaa" or sum(words) & 0xFFFF:
        raise source.malformed("the boot catalog is damaged", found=f"at byte {catalog_at}")
    found: list[BootEntry] = []
    for platform, record in _catalog_records(catalog, source=source):
        indicator, media, sectors, block = struct.unpack("<BB4xHI20x", record)
        offset = block * _BLOCK
        if indicator not in (_BOOTABLE, _NOT_BOOTABLE) or offset >= source.size_bytes:
            raise source.malformed("an entry of the boot catalog is damaged", found=record.hex())
        found.append(
            BootEntry(
                platform="bios" if platform == 0 else "efi" if platform == _EFI_PLATFORM else "other",
                is_default=not found,
                is_bootable=indicator == _BOOTABLE,
                is_emulated=bool(media & 0x0F),
                load_sectors=sectors,
                offset=offset,
                path=paths.get(offset),
            )
        )
    return tuple(found)


def _catalog_records(catalog: bytes, *, source: _Source) -> Iterator[tuple[int, bytes]]:
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
        raise source.malformed("the boot catalog is cut short", found=f"{missing} entries are missing")


@final
class _ExtentStream(io.RawIOBase):
    """The bytes of one file on the disc, as a seekable stream."""

    def __init__(self, source: _Source, entry: IsoEntry) -> None:
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
    """

    where: str
    volume_id: str
    volume_bytes: int
    files: Mapping[str, IsoEntry] = attrs.field(repr=False)
    boot_entries: tuple[BootEntry, ...]
    has_joliet: bool
    has_rock_ridge: bool
    record_positions: tuple[int, ...] = attrs.field(repr=False)
    _source: _Source = attrs.field(repr=False)
    _resources: contextlib.ExitStack = attrs.field(repr=False)

    def __enter__(self) -> IsoReader:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file, if ``open_iso`` was given a path."""
        self._resources.close()

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


def open_iso(source: Path | BinaryIO, *, where: str, limits: ReadLimits) -> IsoReader:
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
    with contextlib.ExitStack() as resources:
        try:
            if isinstance(source, Path):
                stream: BinaryIO = resources.enter_context(source.open("rb", buffering=0))
            else:
                stream = source
            size_bytes = stream.seek(0, os.SEEK_END)
        except OSError as error:
            raise SourceUnreadableError("the disc cannot be read", where=where, found=str(error)) from error
        checked = _Source(stream=stream, size_bytes=size_bytes, where=where)
        reader = _read_disc(checked, limits=limits, resources=resources)
        return attrs.evolve(reader, resources=resources.pop_all())
