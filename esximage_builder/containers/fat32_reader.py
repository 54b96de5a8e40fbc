"""Reading sticks with a FAT32 partition, to see that what was written can be found.

* The first partition of kind FAT32 is read, its folders by their short names; long names are passed over, since
  each short name stands for itself.
* A file that lies in pieces is refused: ``lay_out_stick`` writes none, and nobody else's sticks are read.
* Every length and position is checked against the source, and folders are walked without recursion.

Source: Microsoft FAT32 File System Specification 1.03, docs/formats.md#sticks.
"""

from __future__ import annotations

import struct
from types import MappingProxyType
from typing import TYPE_CHECKING, BinaryIO, final

import attrs

from esximage_builder.containers.fat32 import FatEntry
from esximage_builder.containers.partition_table import FAT32, SECTOR_BYTES, Partition, parse_boot_record
from esximage_builder.errors import LimitExceededError, MalformedDocumentError, NotInDepotError
from esximage_builder.limits import ReadBudget
from esximage_builder.streams.shared_file import SharedFile

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from esximage_builder.limits import ReadLimits

__all__ = ["StickReader", "open_stick"]

# Bytes per sector, sectors per cluster, reserved, FATs; then sectors, sectors of a FAT, and the root's cluster.
_MEASURES = struct.Struct("<11xHBHB15xII4xI")
_TYPE_AT, _TYPE = 82, b"FAT32   "
_ENTRY = struct.Struct("<11sB8xH4xHI")
_ENTRY_BYTES = 32
_IS_LABEL, _IS_FOLDER, _IS_LONG = 0x08, 0x10, 0x0F
_FREE, _DELETED = 0x00, 0xE5
_FIRST_CLUSTER = 2
_LAST_MARKS = 0x0FFF_FFF8
_MASK = 0x0FFF_FFFF
_DEEPEST = 8
_STEP = 4096  # entries of the table read at once


@final
@attrs.frozen(kw_only=True)
class _Measures:
    """Where things are on the stick, in bytes."""

    cluster_bytes: int
    table_at: int
    data_at: int
    clusters: int
    root: int

    def offset_of(self, cluster: int) -> int:
        return self.data_at + (cluster - _FIRST_CLUSTER) * self.cluster_bytes


@final
class StickReader:
    """An opened stick; the file is closed with it, if ``open_stick`` was given a path.

    Attributes:
        where: How the stick is named in errors.
        partition: Where the file system is.
        files: All files by path, in upper case.
    """

    def __init__(self, source: SharedFile, *, where: str, limits: ReadLimits) -> None:
        self.where = where
        self._source = source
        self._budget = ReadBudget(limits)
        self._limits = limits
        self.partition = self._find_partition()
        self._measures = self._read_measures()
        self.files: Mapping[str, FatEntry] = MappingProxyType(dict(self._walk()))

    def __enter__(self) -> StickReader:
        return self

    def __exit__(self, *_: object) -> None:
        self._source.close()

    def read(self, path: str, *, max_bytes: int) -> bytes:
        """Return the whole file.

        Raises:
            NotInDepotError: There is none.
            LimitExceededError: It is longer than ``max_bytes``.
        """
        entry = self.files.get(path.upper())
        if entry is None:
            raise NotInDepotError("the stick has no such file", where=self.where, found=path)
        if entry.size_bytes > max_bytes:
            raise LimitExceededError(
                "a file on the stick is larger than the limit",
                where=f"{self.where}!{entry.path}",
                found=f"{entry.size_bytes} bytes",
                expected=f"at most {max_bytes} bytes",
            )
        return self._source.read_at(entry.offset, entry.size_bytes) if entry.size_bytes else b""

    def _find_partition(self) -> Partition:
        record = parse_boot_record(self._source.read_at(0, SECTOR_BYTES))
        found = [partition for partition in record.partitions if partition.kind == FAT32] if record else []
        if not found:
            raise self._malformed("the stick has no partition of FAT32")
        return found[0]

    def _read_measures(self) -> _Measures:
        start = self.partition.offset
        sector = self._source.read_at(start, SECTOR_BYTES)
        size, per_cluster, reserved, fats, sectors, fat_sectors, root = _MEASURES.unpack_from(sector)
        data = reserved + fats * fat_sectors
        if sector[_TYPE_AT : _TYPE_AT + 8] != _TYPE or size != SECTOR_BYTES or not per_cluster or data > sectors:
            raise self._malformed("the file system of the stick is not FAT32", found=repr(sector[:16]))
        return _Measures(
            cluster_bytes=per_cluster * SECTOR_BYTES,
            table_at=start + reserved * SECTOR_BYTES,
            data_at=start + data * SECTOR_BYTES,
            clusters=min((sectors - data) // per_cluster, fat_sectors * SECTOR_BYTES // 4 - _FIRST_CLUSTER),
            root=root,
        )

    def _walk(self) -> Iterator[tuple[str, FatEntry]]:
        """Yield every file below the root."""
        waiting, seen, left = [("", self._measures.root)], set[int](), self._measures.clusters
        while waiting:
            folder, cluster = waiting.pop()
            if cluster in seen or folder.count("/") > _DEEPEST:
                raise self._malformed("the folders of the stick lead in circles", found=folder)
            seen.add(cluster)
            for name, kind, first, size_bytes in self._entries(cluster, folder):
                path = f"{folder}{name}"
                if kind & _IS_FOLDER:
                    waiting.append((f"{path}/", first))
                    continue
                left -= self._require_whole(path, first, size_bytes, most=left)
                yield path, FatEntry(path=path, offset=self._measures.offset_of(first), size_bytes=size_bytes)

    def _entries(self, cluster: int, folder: str) -> Iterator[tuple[str, int, int, int]]:
        """Yield name, kind, first cluster and length of what stands in a folder."""
        count = self._run_length(cluster, folder, most=self._measures.clusters)
        size = count * self._measures.cluster_bytes
        self._budget.spend(size, where=self.where)
        data = self._source.read_at(self._measures.offset_of(cluster), size)
        for at in range(0, size, _ENTRY_BYTES):
            name, kind, high, low, size_bytes = _ENTRY.unpack_from(data, at)
            if name[0] == _FREE:
                return
            is_passed = name[0] == _DELETED or kind & _IS_LONG == _IS_LONG or kind & _IS_LABEL
            if is_passed or name.startswith(b"."):
                continue
            yield _name_of(name), kind, high << 16 | low, size_bytes

    def _run_length(self, first: int, path: str, *, most: int) -> int:
        """Return how many clusters lie in one piece from ``first`` to the end of its chain."""
        count, behind = 0, self._measures.clusters + _FIRST_CLUSTER
        while behind > first + count >= _FIRST_CLUSTER and count <= most:
            step = min(_STEP, behind - first - count, most + 1 - count)
            data = self._source.read_at(self._measures.table_at + 4 * (first + count), 4 * step)
            for (raw,) in struct.iter_unpack("<I", data):
                count += 1
                following = raw & _MASK
                if following >= _LAST_MARKS:
                    return count
                if following != first + count:
                    raise self._malformed("a file of the stick lies in pieces", found=path)
        raise self._malformed("a file of the stick has no end, or lies outside of it", found=path)

    def _require_whole(self, path: str, first: int, size_bytes: int, *, most: int) -> int:
        """Return how many clusters a file has; all files together have no more than the stick."""
        needed = -(-size_bytes // self._measures.cluster_bytes)
        if needed > most or needed != (self._run_length(first, path, most=needed) if first else 0):
            raise self._malformed("a file of the stick is not as long as its folder says", found=path)
        return needed

    def _malformed(self, message: str, *, found: str = "") -> MalformedDocumentError:
        return MalformedDocumentError(message, where=self.where, found=found[:80])


def _name_of(short: bytes) -> str:
    text = short.decode("latin-1")
    return ".".join(part for part in (text[:8].rstrip(), text[8:].rstrip()) if part)


def open_stick(source: Path | BinaryIO, *, where: str, limits: ReadLimits) -> StickReader:
    """Open a stick image and read its folders; file contents are not touched.

    Args:
        source: A path, or a seekable binary stream that the caller closes.
        where: How to name the stick in errors.
        limits: ``metadata_bytes`` bounds the folders together.

    Raises:
        MalformedDocumentError: There is no FAT32 partition, or it is damaged.
        LimitExceededError: The folders are longer than ``limits`` allow.
        SourceUnreadableError: The file cannot be read.
    """
    file = SharedFile(source, where=where, noun="stick")
    try:
        return StickReader(file, where=where, limits=limits)
    except BaseException:
        file.close()
        raise
