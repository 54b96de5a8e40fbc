"""Sticks with one FAT32 partition: laying out new ones; ``containers.fat32_reader`` reads them.

As with discs, the work is split in two, so that no payload is held or read twice: ``lay_out_stick`` takes names
and sizes and returns a value that knows every place; ``write_skeleton`` writes everything except the files
whose bytes the caller then writes to their places himself.

* Names are short ones, 8.3 in upper case; there are no long names, since no file of a disc needs one.
* Every file lies in one piece. Folders come first, in the order of their names, then the files.
* The same input gives the same bytes on any day and in any time zone. The number of the volume comes from
  what stands on it.
* Neither the partition table nor the volume has boot code.

Source: Microsoft FAT32 File System Specification 1.03, docs/formats.md#sticks.
"""

from __future__ import annotations

import array
import datetime as dt
import functools
import os
import re
import struct
import sys
import zlib
from pathlib import PurePosixPath
from types import MappingProxyType
from typing import TYPE_CHECKING, BinaryIO, final

import attrs

from esximage_builder.containers.partition_table import FAT32, SECTOR_BYTES, Partition, render_boot_record
from esximage_builder.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

__all__ = ["FatEntry", "FatFile", "StickLayout", "lay_out_stick"]

_PARTITION_SECTOR = 2048  # 1 MiB, where every partitioning tool begins
_FATS = 2
_LEAST_CLUSTERS = 65525 + 16  # fewer are FAT16 by definition; some drivers count a few wrong
_MOST_CLUSTERS = 0x0FFF_FFF5
_SPARE_CLUSTERS = 256  # so that a text on the stick can be edited
_FIRST_CLUSTER = 2
_ROOT_CLUSTER = 2
_END_OF_CHAIN = 0x0FFF_FFFF
_MEDIA = 0xF8
_SECTORS_PER_CLUSTER = (8, 1)  # 4 KiB; where that makes too few clusters, 512 bytes
_LEAST_RESERVED = 32
_INFO_SECTOR, _BACKUP_SECTOR = 1, 6
_LARGEST_FILE = 2**32 - 1

_PART = re.compile(r"[A-Z0-9_]{1,8}(\.[A-Z0-9_]{1,3})?")
_LABEL = re.compile(r"[A-Z0-9_. -]{1,11}")
_ENTRY = struct.Struct("<11sB2xHHHHHHHI")
_ENTRY_BYTES = 32
_IS_LABEL, _IS_FOLDER, _IS_FILE = 0x08, 0x10, 0x20
_MOST_ENTRIES = 65536
_FIRST_YEAR, _LAST_YEAR = 1980, 2107

# Jump, name, bytes per sector, sectors per cluster, reserved, FATs, root entries, sectors, media, FAT16 size,
# sectors per track, heads, hidden, sectors, FAT size, flags, version, root, info, backup, drive, mark, id, label, type.
_BOOT_SECTOR = struct.Struct("<3s8sHBHBHHBHHHIIIHHIHH12xBxBI11s8s")
_HEADS, _SECTORS_PER_TRACK = 255, 63


@final
@attrs.frozen(kw_only=True)
class FatFile:
    """One file to be laid out.

    Attributes:
        path: In upper case: ``EFI/BOOT/BOOT.CFG``; parts of 8.3 characters A-Z 0-9 _.
        content: The bytes; None if the caller writes them to their place himself.
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
class FatEntry:
    """One file on a stick.

    Attributes:
        path: In upper case, folders before the name.
        offset: Where its bytes start, in bytes from the start of the stick; without meaning for an empty file.
        size_bytes: Its length.
    """

    path: str
    offset: int
    size_bytes: int


@final
@attrs.frozen(kw_only=True)
class StickLayout:
    """A stick whose every byte has its place; a value, so it may be written many times.

    Attributes:
        total_bytes: Length of the finished image.
        entries: All files sorted by path.
        partition: Where the file system is.
        offsets: Look-up from path to byte offset (a cached view of ``entries``).
    """

    total_bytes: int
    entries: tuple[FatEntry, ...]
    partition: Partition
    _pieces: tuple[tuple[int, bytes], ...] = attrs.field(repr=False)

    @functools.cached_property
    def offsets(self) -> Mapping[str, int]:
        """Byte offset by path."""
        return MappingProxyType({entry.path: entry.offset for entry in self.entries})

    def write_skeleton(self, target: BinaryIO) -> None:
        """Write all but the files without content; their places stay unwritten, sparse on disk.

        Args:
            target: Seekable and writable; what it held is lost. Not closed; its position
                afterwards means nothing. Its length is then ``total_bytes``.

        Raises:
            OSError: The target would not take it.
        """
        target.seek(0)
        target.truncate()
        for offset, piece in self._pieces:
            target.seek(offset)
            target.write(piece)
        if target.seek(0, os.SEEK_END) < self.total_bytes:
            target.seek(self.total_bytes - 1)
            target.write(b"\x00")


def lay_out_stick(files: Sequence[FatFile], *, label: str, timestamp: dt.datetime) -> StickLayout:
    """Give every file its place on a new stick; nothing is written.

    Args:
        files: In any order; the result does not depend on it.
        label: 1 to 11 characters ``A-Z 0-9 _ - .`` and blanks.
        timestamp: The one date of label, folders and files, with time zone; written as UTC.

    Raises:
        ModelError: A path, size, label or date that cannot stand on a stick, or more than one can hold.

    Source:
        docs/formats.md#sticks.
    """
    by_path = _require_files(files)
    if not _LABEL.fullmatch(label):
        raise ModelError(
            "the label cannot stand on a stick", found=repr(label), expected="1 to 11 characters A-Z 0-9 _ - ."
        )
    date = _rendered_date(timestamp)
    tree = _Tree(by_path, label=label, date=date)
    volume = _volume_for(tree, by_path)
    places = _places(tree, by_path, volume)
    folders = {folder: tree.rendered(folder, places) for folder in tree.folders}
    number = zlib.crc32(b"".join(folders.values()))
    partition = Partition(kind=FAT32, first_sector=_PARTITION_SECTOR, sectors=volume.sectors, is_active=True)
    pieces = [(0, render_boot_record([partition], signature=number))]
    pieces += _system_pieces(volume, places, label=label, number=number)
    pieces += [(volume.offset_of(places[folder].start), data) for folder, data in folders.items()]
    pieces += [(volume.offset_of(places[path].start), file.content) for path, file in by_path.items() if file.content]
    return StickLayout(
        total_bytes=partition.offset + partition.size_bytes,
        entries=tuple(
            FatEntry(path=path, offset=volume.offset_of(places[path].start), size_bytes=file.size_bytes)
            for path, file in by_path.items()
        ),
        partition=partition,
        pieces=tuple(sorted(pieces)),
    )


def _require_files(files: Sequence[FatFile]) -> dict[str, FatFile]:
    """Return the files by path, sorted."""
    by_path: dict[str, FatFile] = {}
    for file in sorted(files, key=lambda file: file.path):
        if not all(_PART.fullmatch(part) for part in file.path.split("/")):
            raise ModelError(
                "the name cannot stand on a stick",
                found=repr(file.path),
                expected="parts of 8.3 characters A-Z 0-9 _",
            )
        if file.path in by_path:
            raise ModelError("two files have the same name on the stick", found=file.path)
        length = file.size_bytes if file.content is None else len(file.content)
        if not 0 <= file.size_bytes == length <= _LARGEST_FILE:
            raise ModelError(
                "the size of a file cannot stand on a stick",
                where=file.path,
                found=f"{file.size_bytes} bytes",
                expected=f"{length} bytes" if length != file.size_bytes else f"0 to {_LARGEST_FILE} bytes",
            )
        by_path[file.path] = file
    for folder in _folders_of(by_path):
        if folder in by_path:
            raise ModelError("a name is both a file and a folder", found=folder)
    return by_path


def _folders_of(paths: Iterable[str]) -> list[str]:
    """Return the folders that the paths need, parents before children; the root is the empty text."""
    folders = {str(parent) for path in paths for parent in PurePosixPath(path).parents}
    return sorted({"" if folder == "." else folder for folder in folders} | {""})


@final
class _Tree:
    """The folders, and what their entries say.

    Args:
        by_path: The files.
        label: Of the volume, which stands in the root.
        date: Time and date as entries have them.

    Raises:
        ModelError: A folder has more entries than one can hold.
    """

    def __init__(self, by_path: dict[str, FatFile], *, label: str, date: tuple[int, int]) -> None:
        self.folders = _folders_of(by_path)
        self._sizes = {path: file.size_bytes for path, file in by_path.items()}
        self._label = label
        self._date = date
        self._children: dict[str, list[str]] = {folder: [] for folder in self.folders}
        for path in sorted([*self.folders[1:], *by_path]):
            self._children[path.rpartition("/")[0]].append(path)
        for folder in self.folders:
            if self.size_bytes(folder) > _MOST_ENTRIES * _ENTRY_BYTES:
                raise ModelError("a folder has more files than one of FAT32 can hold", found=folder or "the root")

    def size_bytes(self, folder: str) -> int:
        """Return how long the entries of a folder are together."""
        return (len(self._children[folder]) + (2 if folder else 1)) * _ENTRY_BYTES

    def rendered(self, folder: str, places: Mapping[str, range]) -> bytes:
        """Write the entries of a folder: label, or itself and its parent; then what stands in it."""
        if folder:
            parent = folder.rpartition("/")[0]
            head = self._entry(b".".ljust(11), _IS_FOLDER, places[folder].start)
            head += self._entry(b"..".ljust(11), _IS_FOLDER, places[parent].start if parent else 0)
        else:
            head = self._entry(self._label.encode("ascii").ljust(11), _IS_LABEL, 0)
        return head + b"".join(self._entry_of(path, places[path]) for path in self._children[folder])

    def _entry_of(self, path: str, place: range) -> bytes:
        kind = _IS_FILE if path in self._sizes else _IS_FOLDER
        first = place.start if place else 0
        return self._entry(_short_name(path.rpartition("/")[2]), kind, first, self._sizes.get(path, 0))

    def _entry(self, name: bytes, kind: int, cluster: int, size_bytes: int = 0) -> bytes:
        time, date = self._date
        high, low = divmod(cluster, 1 << 16)
        return _ENTRY.pack(name, kind, time, date, date, high, time, date, low, size_bytes)


def _short_name(name: str) -> bytes:
    stem, _, suffix = name.partition(".")
    return f"{stem:8}{suffix:3}".encode("ascii")


@final
@attrs.frozen(kw_only=True)
class _Volume:
    """The measures of the file system, in sectors."""

    cluster_sectors: int
    clusters: int
    fat_sectors: int
    reserved: int

    @property
    def data_sector(self) -> int:
        """The first sector of the first cluster, from the beginning of the partition."""
        return self.reserved + _FATS * self.fat_sectors

    @property
    def sectors(self) -> int:
        """All of them."""
        return self.data_sector + self.clusters * self.cluster_sectors

    def offset_of(self, cluster: int) -> int:
        """Return where a cluster begins, in bytes from the beginning of the stick."""
        sector = _PARTITION_SECTOR + self.data_sector + (cluster - _FIRST_CLUSTER) * self.cluster_sectors
        return sector * SECTOR_BYTES


def _clusters(size_bytes: int, cluster_bytes: int) -> int:
    return -(-size_bytes // cluster_bytes)


def _volume_for(tree: _Tree, by_path: dict[str, FatFile]) -> _Volume:
    """Choose clusters as large as the least number of FAT32 allows, and begin the data at a whole cluster."""
    sizes = [*(tree.size_bytes(folder) for folder in tree.folders), *(file.size_bytes for file in by_path.values())]
    for cluster_sectors in _SECTORS_PER_CLUSTER:
        needed = sum(_clusters(size, cluster_sectors * SECTOR_BYTES) for size in sizes) + _SPARE_CLUSTERS
        if needed >= _LEAST_CLUSTERS:
            break
    clusters = max(needed, _LEAST_CLUSTERS)
    if clusters > _MOST_CLUSTERS:
        raise ModelError("the files are larger than any stick of FAT32", expected=f"at most {_MOST_CLUSTERS} clusters")
    fat_sectors = -(-(clusters + _FIRST_CLUSTER) * 4 // SECTOR_BYTES)
    odd = (_LEAST_RESERVED + _FATS * fat_sectors) % cluster_sectors
    reserved = _LEAST_RESERVED + (cluster_sectors - odd) % cluster_sectors
    return _Volume(cluster_sectors=cluster_sectors, clusters=clusters, fat_sectors=fat_sectors, reserved=reserved)


def _places(tree: _Tree, by_path: dict[str, FatFile], volume: _Volume) -> dict[str, range]:
    """Return the clusters of every folder and file; what is empty has none."""
    cluster_bytes = volume.cluster_sectors * SECTOR_BYTES
    sizes = [(folder, tree.size_bytes(folder)) for folder in tree.folders]
    sizes += [(path, file.size_bytes) for path, file in by_path.items()]
    places, free = {}, _ROOT_CLUSTER
    for path, size in sizes:
        places[path] = range(free, free + _clusters(size, cluster_bytes))
        free = places[path].stop
    return places


def _system_pieces(volume: _Volume, places: Mapping[str, range], *, label: str, number: int) -> list[tuple[int, bytes]]:
    """Return boot sector and free space information with their copies, and both allocation tables."""
    used_to = max(place.stop for place in places.values())
    start = _PARTITION_SECTOR * SECTOR_BYTES
    boot = _boot_sector(volume, label=label, number=number) + _info_sector(volume, used_to)
    table = _table(places.values())
    return [
        (start, boot),
        (start + _BACKUP_SECTOR * SECTOR_BYTES, boot),
        *((start + (volume.reserved + copy * volume.fat_sectors) * SECTOR_BYTES, table) for copy in range(_FATS)),
    ]


def _boot_sector(volume: _Volume, *, label: str, number: int) -> bytes:
    fields = _BOOT_SECTOR.pack(
        b"\xeb\x58\x90",
        b"MSWIN4.1",
        SECTOR_BYTES,
        volume.cluster_sectors,
        volume.reserved,
        _FATS,
        0,
        0,
        _MEDIA,
        0,
        _SECTORS_PER_TRACK,
        _HEADS,
        _PARTITION_SECTOR,
        volume.sectors,
        volume.fat_sectors,
        0,
        0,
        _ROOT_CLUSTER,
        _INFO_SECTOR,
        _BACKUP_SECTOR,
        0x80,
        0x29,
        number,
        label.encode("ascii").ljust(11),
        b"FAT32   ",
    )
    return fields.ljust(SECTOR_BYTES - 2, b"\x00") + b"\x55\xaa"


def _info_sector(volume: _Volume, used_to: int) -> bytes:
    free = volume.clusters + _FIRST_CLUSTER - used_to
    head = b"RRaA".ljust(484, b"\x00") + b"rrAa" + struct.pack("<II", free, used_to)
    return head.ljust(SECTOR_BYTES - 2, b"\x00") + b"\x55\xaa"


def _table(chains: Iterable[range]) -> bytes:
    """Write the allocation table as far as clusters are used: each points to the next one."""
    table = array.array("I", (0x0FFF_FF00 | _MEDIA, _END_OF_CHAIN))
    assert table.itemsize == 4  # noqa: PLR2004, S101 - 32 bits on every platform that CPython runs on
    for chain in chains:
        if chain:
            table.extend(range(chain.start + 1, chain.stop))
            table.append(_END_OF_CHAIN)
    if sys.byteorder == "big":
        table.byteswap()
    return table.tobytes()


def _rendered_date(timestamp: dt.datetime) -> tuple[int, int]:
    """Return time and date as entries have them, in steps of two seconds."""
    if timestamp.tzinfo is None:
        raise ModelError("the date of a stick needs a time zone", found=timestamp.isoformat())
    try:
        utc = timestamp.astimezone(dt.UTC)
    except (ValueError, OverflowError):
        utc = dt.datetime.min.replace(tzinfo=dt.UTC)
    if not _FIRST_YEAR <= utc.year <= _LAST_YEAR:
        raise ModelError(
            "the date cannot stand on a stick",
            found=timestamp.isoformat(),
            expected=f"years {_FIRST_YEAR} to {_LAST_YEAR}",
        )
    time = utc.hour << 11 | utc.minute << 5 | utc.second // 2
    return time, (utc.year - _FIRST_YEAR) << 9 | utc.month << 5 | utc.day
