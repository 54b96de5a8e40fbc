"""ISO 9660 discs with El Torito: laying out new ones; ``containers.iso9660_reader`` reads them.

The work is split in two, so that no payload is held or read twice: ``lay_out_iso`` takes
names and sizes and returns a value that knows every extent; ``write_skeleton`` writes
everything except the files whose bytes the caller then writes to their extents himself.

* pycdlib assigns the extents and renders descriptors, path tables, directories and the
  boot catalog. What it renders is read back by the reader of our own: offsets, boot
  entries and the records to be dated come from the bytes, not from pycdlib's objects.
* What is written: names of 8.3 characters, no Joliet, no Rock Ridge, every date from the
  caller. The same input gives the same bytes on any day and in any time zone.
* 150 empty sectors follow the files and count as part of the volume: drives that read ahead on burnt
  discs need them, and other writers put as many.
* On request the system area, which ECMA-119 leaves to the system, says where the UEFI loader image lies, as
  a partition: so UEFI boots the disc when it is written to a stick as it is.

Source: ECMA-119, "El Torito" Bootable CD-ROM Format Specification 1.0, docs/formats.md#disc-layout.
"""

from __future__ import annotations

import datetime as dt
import functools
import io
import os
import re
import struct
import zlib
from pathlib import PurePosixPath
from types import MappingProxyType
from typing import TYPE_CHECKING, BinaryIO, cast, final

import attrs
import pycdlib
from pycdlib.pycdlibexception import PyCdlibException

from esximage_builder.containers.boot_info_table import SMALLEST_LOADER_BYTES, with_boot_info_table
from esximage_builder.containers.iso9660_reader import (
    BLOCK_BYTES,
    DESCRIPTORS_AT,
    EFI_PLATFORM,
    BootEntry,
    IsoEntry,
    IsoReader,
    read_disc,
)
from esximage_builder.containers.partition_table import EFI_SYSTEM, SECTOR_BYTES, Partition, render_boot_record
from esximage_builder.disc_files import BOOT_CATALOG
from esximage_builder.errors import (
    DepotError,
    ExportError,
    LimitExceededError,
    ModelError,
)
from esximage_builder.limits import ReadLimits
from esximage_builder.streams.shared_file import SharedFile

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["IsoFile", "IsoLayout", "is_legal_iso_path", "lay_out_iso"]


_MOST_BLOCKS = 2**32 - 1
_PADDING_BLOCKS = 150
_VOLUME_BLOCKS = struct.Struct("<I")
_VOLUME_BLOCKS_AT = 80  # ECMA-119 8.4.8; big-endian right behind it
_BIOS_LOAD_SECTORS = 4
_MOST_LOAD_SECTORS = 0xFFFF

# The standard allows eight levels and counts the root as the first.
_MOST_PARTS = 7
_FOLDER_NAME = re.compile(r"[A-Z0-9_]{1,8}")
_FILE_NAME = re.compile(r"[A-Z0-9_]{1,8}(\.[A-Z0-9_]{1,3})?")
_VOLUME_ID = re.compile(r"[A-Z0-9_.-]{1,32}")

# Creation, modification, effective; expiration, at 847, stays "not specified".
_VOLUME_DATES_AT = (813, 830, 864)

_RECORD_DATE_AT = 18  # in a directory record, ECMA-119 9.1.5


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
    with_stick: bool = False,
    limits: ReadLimits | None = None,
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
        with_stick: Have a partition entry of type EF over ``efi_boot``, if there is one.
        limits: Upper bounds for reading the layout back; None takes the defaults.

    Returns:
        The layout. With a boot entry it holds one file more, ``BOOT.CAT``.

    Raises:
        ModelError: A path, size, volume id, date or boot file that cannot stand on a disc.
        ExportError: pycdlib refused, or rendered something else than was asked for.
        LimitExceededError: There are more files than ``limits`` allow.

    Source:
        docs/formats.md#disc-layout.
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
    _pad(metadata)
    rendered = _read_back(metadata, where=volume_id, limits=limits or ReadLimits())
    _require_as_asked(rendered, by_path=by_path, boots=boots, metadata_bytes=len(metadata))
    _stamp(metadata, positions=rendered.record_positions, dates=dates)
    offsets = {path: entry.offset for path, entry in rendered.files.items()}
    contents = {path: file.content for path, file in by_path.items() if file.content}
    if bios_boot is not None:
        contents[bios_boot] = with_boot_info_table(contents[bios_boot], offset=offsets[bios_boot])
    if with_stick and efi_boot is not None:
        _put_partition(metadata, rendered.files[efi_boot])
    return IsoLayout(
        volume_id=volume_id,
        total_bytes=rendered.volume_bytes,
        entries=tuple(rendered.files.values()),
        boot_entries=rendered.boot_entries,
        metadata=bytes(metadata),
        contents=tuple(sorted((offsets[path], content) for path, content in contents.items())),
    )


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
    for path, least in ((bios_boot, SMALLEST_LOADER_BYTES), (efi_boot, 1)):
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
        if BOOT_CATALOG in by_path:
            raise ModelError("the name is needed for the boot catalog", found=BOOT_CATALOG)


def _folders_of(paths: Mapping[str, object]) -> list[str]:
    """Return the folders that the paths need, parents before children."""
    folders = {str(parent) for path in paths for parent in PurePosixPath(path).parents}
    return sorted(folders - {"."})


def _blocks(size_bytes: int) -> int:
    return -(-size_bytes // BLOCK_BYTES)


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
            sectors = _blocks(by_path[efi_boot].size_bytes) * (BLOCK_BYTES // SECTOR_BYTES)
            disc.add_eltorito(
                _pycdlib_path(efi_boot),
                boot_load_size=min(sectors, _MOST_LOAD_SECTORS),
                platform_id=EFI_PLATFORM,
                efi=True,
            )
        disc.write_fp(cast("BinaryIO", sink))
        disc.close()
    except (PyCdlibException, struct.error) as error:
        raise ExportError("the disc cannot be laid out", where=volume_id, found=str(error)) from error
    sink.kept.extend(bytes(-len(sink.kept) % BLOCK_BYTES))
    return sink.kept


def _pycdlib_path(path: str) -> str:
    """Return the path as a file identifier, which always holds a dot (ECMA-119 7.5.1)."""
    dot = "" if "." in PurePosixPath(path).name else "."
    return f"/{path}{dot};1"


def _read_back(metadata: bytearray, *, where: str, limits: ReadLimits) -> IsoReader:
    """Read what pycdlib rendered; extents may lie behind the metadata, where nothing is yet."""
    source = SharedFile(io.BytesIO(metadata), where=where, noun="disc", size_bytes=_MOST_BLOCKS * BLOCK_BYTES)
    try:
        return read_disc(source, limits=limits)
    except LimitExceededError:
        raise
    except DepotError as error:
        raise ExportError(_NOT_AS_ASKED, where=where, found=error.message, hint=_OTHER_PYCDLIB) from error


def _pad(metadata: bytearray) -> None:
    """Let the volume be longer by the padding, in both forms of the number."""
    at = DESCRIPTORS_AT * BLOCK_BYTES + _VOLUME_BLOCKS_AT
    (blocks,) = _VOLUME_BLOCKS.unpack_from(metadata, at)
    struct.pack_into("<I", metadata, at, blocks + _PADDING_BLOCKS)
    struct.pack_into(">I", metadata, at + _VOLUME_BLOCKS.size, blocks + _PADDING_BLOCKS)


def _put_partition(metadata: bytearray, loader: IsoEntry) -> None:
    """Write the partition entry into the system area, which pycdlib leaves empty."""
    partition = Partition(
        kind=EFI_SYSTEM,
        first_sector=loader.offset // SECTOR_BYTES,
        sectors=_blocks(loader.size_bytes) * (BLOCK_BYTES // SECTOR_BYTES),
    )
    record = render_boot_record([partition], signature=zlib.crc32(metadata))
    metadata[: len(record)] = record


def _require_as_asked(
    rendered: IsoReader, *, by_path: dict[str, IsoFile], boots: list[str], metadata_bytes: int
) -> None:
    """Compare what was rendered with what was asked for, and refuse extents that overlap."""
    asked = {path: file.size_bytes for path, file in by_path.items()}
    as_asked = [entry.path for entry in rendered.boot_entries] == boots
    as_asked &= {path: entry.size_bytes for path, entry in rendered.files.items() if path in asked} == asked
    as_asked &= rendered.files.keys() - asked == ({BOOT_CATALOG} if boots else set())
    free_from = metadata_bytes
    for entry in sorted(rendered.files.values(), key=lambda entry: entry.offset):
        if entry.path in asked and entry.size_bytes:
            as_asked &= entry.offset >= free_from
            free_from = entry.offset + _blocks(entry.size_bytes) * BLOCK_BYTES
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
        start = DESCRIPTORS_AT * BLOCK_BYTES + field
        metadata[start : start + len(in_volume)] = in_volume
    for position in positions:
        start = position + _RECORD_DATE_AT
        metadata[start : start + len(in_record)] = in_record
