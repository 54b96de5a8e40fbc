"""The directories of a disc record by record, and its path tables: do they all say the same?

Unlike ``containers.iso9660_reader`` nothing is passed over here: both forms of every number are read, ``.`` and
``..`` too, and each tree of the disc, so that no system finds another disc than the one that was verified.

Source: ECMA-119 9.1 (directory records), 9.4 (path tables).
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, final

import attrs

from esximage_builder.containers.iso9660_reader import BLOCK_BYTES
from esximage_builder.errors import LimitExceededError, MalformedDocumentError
from esximage_builder.findings import Severity
from esximage_builder.limits import ReadBudget

if TYPE_CHECKING:
    from collections.abc import Iterator

    from esximage_builder.containers.iso9660_reader import IsoReader
    from esximage_builder.limits import ReadLimits

__all__ = ["DiscFault", "Record", "Tree", "check_tree", "read_tree"]

_HEAD_BYTES = 33
_FOLDER, _ASSOCIATED, _RESERVED = 0x02, 0x04, 0x60
_UNUSUAL = 0x1D  # hidden, associated, described by an extended attribute record
_SELF, _PARENT = b"\x00", b"\x01"
_XA_BYTES = 14
_TABLES = {
    "the path table": (140, "little"),
    "the optional path table": (144, "little"),
    "the big-endian path table": (148, "big"),
    "the optional big-endian path table": (152, "big"),
}
_TABLE_SIZE_AT = 132
_TABLE_HEAD_BYTES = 8


@final
@attrs.frozen(kw_only=True)
class DiscFault:
    """Something that a disc says in two ways, or says and need not.

    Attributes:
        what: What is the matter, the same for all of its kind.
        item: Where: a file, a folder, a field.
        found: What stands there.
        severity: Error where two readers of the disc see different things.
        is_beside: True for bytes that are no part of the volume.
    """

    what: str
    item: str
    found: str = ""
    severity: Severity = Severity.ERROR
    is_beside: bool = False


@final
@attrs.frozen(kw_only=True)
class Record:
    """A directory record, all of its bytes.

    Attributes:
        folder: Path of the folder that it stands in, as it stands there.
        position: Of its first byte on the disc.
        data: The record.
    """

    folder: tuple[bytes, ...]
    position: int
    data: bytes = attrs.field(repr=False)

    @property
    def name(self) -> bytes:
        """The name with its version, as it stands there."""
        return self.data[_HEAD_BYTES : _HEAD_BYTES + self.data[32]]

    @property
    def flags(self) -> int:
        """The flags of the file."""
        return self.data[25]

    @property
    def extent(self) -> tuple[int, int]:
        """First sector and size, as little-endian readers see it."""
        return self.number(2, 4)[0], self.number(10, 4)[0]

    @property
    def date(self) -> bytes:
        """Seven bytes: the recording date."""
        return self.data[18:25]

    @property
    def system_use(self) -> bytes:
        """What follows the name and its padding."""
        return self.data[_HEAD_BYTES + self.data[32] + (self.data[32] + 1) % 2 :]

    @property
    def shown(self) -> str:
        """How to name it: its path, of ``.`` and ``..`` the folder's with these behind it."""
        name = {_SELF: b".", _PARENT: b".."}.get(self.name, self.name)
        return "/".join(_shown(part) for part in (*self.folder, name))

    def number(self, at: int, width: int) -> tuple[int, int]:
        """Return both forms of a number."""
        middle = at + width
        little, big = self.data[at:middle], self.data[middle : middle + width]
        return int.from_bytes(little, "little"), int.from_bytes(big, "big")


@final
@attrs.frozen(kw_only=True)
class _Folder:
    """A folder with what its own records say."""

    path: tuple[bytes, ...]
    extent: tuple[int, int]
    parent: tuple[int, int]
    attribute_blocks: int
    records: tuple[Record, ...]
    has_rest: bool

    @property
    def shown(self) -> str:
        return "/".join(map(_shown, self.path)) or "the root folder"


@final
@attrs.frozen(kw_only=True)
class Tree:
    """All folders of one volume descriptor.

    Attributes:
        root: The root's record in the descriptor.
        folders: The root first.
    """

    root: Record
    folders: tuple[_Folder, ...]

    @property
    def records(self) -> Iterator[Record]:
        """Every record, that of the descriptor first."""
        yield self.root
        for folder in self.folders:
            yield from folder.records

    @functools.cached_property
    def extents(self) -> frozenset[tuple[int, int]]:
        """First sector and size of every piece of a file that is not empty."""
        return frozenset(r.extent for r in self.records if not r.flags & _FOLDER and r.extent[1])


def read_tree(disc: IsoReader, root: bytes, position: int, *, limits: ReadLimits) -> Tree:
    """Read all directories below a root, each once.

    Args:
        disc: The opened disc.
        root: The root's record in a volume descriptor.
        position: Of that record on the disc.
        limits: ``member_count`` bounds records, ``metadata_bytes`` directories.

    Raises:
        MalformedDocumentError: A record that is none, or a folder twice.
        LimitExceededError: More than ``limits`` allow.
    """
    top = Record(folder=(), position=position, data=root)
    budget, left = ReadBudget(limits), limits.member_count
    folders: list[_Folder] = []
    seen: set[int] = set()
    waiting: list[tuple[tuple[bytes, ...], Record, tuple[int, int]]] = [((), top, top.extent)]
    while waiting:
        path, record, parent = waiting.pop(0)
        if record.extent[0] in seen:
            raise _malformed(disc, "a directory contains itself or stands twice", record)
        seen.add(record.extent[0])
        folder = _read_folder(disc, path, record, parent, budget)
        folders.append(folder)
        left -= len(folder.records)
        if left < 0:
            raise LimitExceededError("the disc holds more files than the limit", where=disc.where)
        waiting += [((*path, child.name), child, record.extent) for child in _children(folder)]
    return Tree(root=top, folders=tuple(folders))


def _children(folder: _Folder) -> Iterator[Record]:
    for record in folder.records:
        if record.flags & _FOLDER and not record.flags & _ASSOCIATED and record.name not in (_SELF, _PARENT):
            yield record


def _read_folder(
    disc: IsoReader, path: tuple[bytes, ...], record: Record, parent: tuple[int, int], budget: ReadBudget
) -> _Folder:
    sector, size = record.extent
    budget.spend(size, where=disc.where)
    start = (sector + record.data[1]) * BLOCK_BYTES
    records: list[Record] = []
    has_rest = False
    for at in range(start, start + size, BLOCK_BYTES):
        block = disc.read_at(at, min(BLOCK_BYTES, start + size - at))
        here = 0
        while here < len(block) and (length := block[here]):
            data = block[here : here + length]
            if len(data) < length or length <= _HEAD_BYTES or _HEAD_BYTES + data[32] > length or not data[32]:
                raise _malformed(disc, "a directory record is none", record)
            records.append(Record(folder=path, position=at + here, data=data))
            here += length
        has_rest = has_rest or any(block[here:])
    return _Folder(
        path=path,
        extent=record.extent,
        parent=parent,
        attribute_blocks=record.data[1],
        records=tuple(records),
        has_rest=has_rest,
    )


def _malformed(disc: IsoReader, message: str, record: Record) -> MalformedDocumentError:
    return MalformedDocumentError(message, where=disc.where, found=f"in {record.shown or 'the root folder'}")


def check_tree(disc: IsoReader, tree: Tree, descriptor: bytes) -> Iterator[DiscFault]:
    """Compare the records of a tree with each other, and with its path tables.

    Args:
        disc: The opened disc.
        tree: All its folders.
        descriptor: That of the volume; says where path tables stand.
    """
    has_use = _has_rock_ridge(tree)
    versions = {r.name.rpartition(b";")[2] for r in tree.records if b";" in r.name}
    for record in tree.records:
        yield from _check_record(record, has_use=has_use, versions=versions)
    if not tree.root.flags & _FOLDER:
        yield DiscFault(what="the root folder is called a file", item="volume descriptor")
    says_itself = all(_parent_of(folder) == folder.extent for folder in tree.folders)
    for folder in tree.folders:
        yield from _check_folder(folder, folder.extent if says_itself else folder.parent)
    yield from _check_tables(disc, tree, descriptor)


def _has_rock_ridge(tree: Tree) -> bool:
    """Tell whether bytes behind names are expected: the root's first record begins the sharing protocol."""
    first = next(iter(tree.folders[0].records), None)
    return first is not None and b"SP" in (first.system_use[:2], first.system_use[_XA_BYTES : _XA_BYTES + 2])


def _check_record(record: Record, *, has_use: bool, versions: set[bytes]) -> Iterator[DiscFault]:
    for name, at, width in (("first sector", 2, 4), ("size", 10, 4), ("number of the disc", 28, 2)):
        little, big = record.number(at, width)
        if little != big:
            found = f"{little} little-endian, {big} big-endian"
            yield DiscFault(what="the two forms of a number differ", item=f"{record.shown}: {name}", found=found)
    if record.number(28, 2)[0] != 1:
        yield _told("a file says that it is on another disc", record)
    if record.flags & _RESERVED:
        yield DiscFault(what="a file has flags that mean nothing", item=record.shown, found=f"{record.flags:#04x}")
    if record.flags & _UNUSUAL:
        yield _told("a file is hidden, or has attributes of its own", record, found=f"{record.flags:#04x}")
    if record.data[1]:
        what = "a file begins behind an extended attribute record, which loaders do not know"
        yield DiscFault(what=what, item=record.shown, severity=Severity.WARNING, found=f"{record.data[1]} sectors")
    yield from _check_name(record, versions)
    padding = record.data[_HEAD_BYTES + record.data[32] : len(record.data) - len(record.system_use)]
    if any(padding) or (record.system_use and not has_use):
        yield _told("bytes stand behind a name", record)


def _check_name(record: Record, versions: set[bytes]) -> Iterator[DiscFault]:
    """Tell of names that stand out by their version."""
    version = record.name.rpartition(b";")[2] if b";" in record.name else b"1"
    is_alone = version != b"1" and versions != {version}
    if is_alone or (record.name not in (_SELF, _PARENT) and versions and _lacks_version(record)):
        yield _told("a file has another version than the others", record)


def _lacks_version(record: Record) -> bool:
    return not record.flags & _FOLDER and b";" not in record.name


def _parent_of(folder: _Folder) -> tuple[int, int] | None:
    """Return where ``..`` leads; xorriso leads it to the folder itself in the tree of long names."""
    return next((record.extent for record in folder.records if record.name == _PARENT), None)


def _check_folder(folder: _Folder, parent: tuple[int, int]) -> Iterator[DiscFault]:
    """Compare ``.`` and ``..``, which stand first, with the folder and the one above it."""
    firsts = folder.records[:2]
    if [record.name for record in firsts] != [_SELF, _PARENT]:
        yield DiscFault(what="a folder does not begin with itself and its parent", item=folder.shown)
        return
    for record, expected in zip(firsts, (folder.extent, parent), strict=True):
        if record.extent != expected or not record.flags & _FOLDER:
            yield DiscFault(
                what="a folder says that it, or its parent, is elsewhere",
                item=record.shown,
                found=f"sector {record.extent[0]}, {record.extent[1]} bytes",
            )
    if any(record.name in (_SELF, _PARENT) for record in folder.records[2:]):
        yield DiscFault(what="a folder names itself or its parent twice", item=folder.shown)
    if folder.has_rest or folder.extent[1] % BLOCK_BYTES:
        yield DiscFault(what="bytes stand behind the last file of a folder", item=folder.shown, severity=Severity.INFO)


def _check_tables(disc: IsoReader, tree: Tree, descriptor: bytes) -> Iterator[DiscFault]:
    folders = {folder.path: (folder.extent[0], folder.attribute_blocks) for folder in tree.folders}
    size = int.from_bytes(descriptor[_TABLE_SIZE_AT : _TABLE_SIZE_AT + 4], "little")
    for name, (at, order) in _TABLES.items():
        sector = int.from_bytes(descriptor[at : at + 4], "little" if order == "little" else "big")
        if not sector and "optional" in name:
            continue
        found = _read_table(disc, sector, size, order)
        if found == folders:
            continue
        wrong = {path for path in {*folders, *(found or {})} if (found or {}).get(path) != folders.get(path)}
        shown = ", ".join(sorted("/".join(map(_shown, path)) or "the root folder" for path in wrong)[:5])
        yield DiscFault(
            what="a path table does not lead to the folders that the directories lead to",
            item=name,
            found="it cannot be read" if found is None else f"wrong: {shown}",
        )


def _read_table(disc: IsoReader, sector: int, size: int, order: str) -> dict[tuple[bytes, ...], tuple[int, int]] | None:
    """Return place and attribute sectors of each folder; None if it is no table."""
    if not sector or sector * BLOCK_BYTES + size > disc.size_bytes or size > disc.size_bytes:
        return None
    data = disc.read_at(sector * BLOCK_BYTES, size)
    paths: list[tuple[bytes, ...]] = []
    found: dict[tuple[bytes, ...], tuple[int, int]] = {}
    at = 0
    while at < len(data):
        length, attribute_blocks = data[at : at + 2].ljust(2, b"\x00")
        head = data[at + 2 : at + _TABLE_HEAD_BYTES]
        name = data[at + _TABLE_HEAD_BYTES : at + _TABLE_HEAD_BYTES + length]
        place = int.from_bytes(head[:4], "little" if order == "little" else "big")
        parent = int.from_bytes(head[4:], "little" if order == "little" else "big")
        at += _TABLE_HEAD_BYTES + length + length % 2
        is_root = not paths and (name, parent) == (_SELF, 1)
        if not length or at > len(data) or (length % 2 and data[at - 1]):
            return None
        if not is_root and not 1 <= parent <= len(paths):
            return None
        paths.append(() if is_root else (*paths[parent - 1], name))
        if paths[-1] in found:
            return None
        found[paths[-1]] = (place, attribute_blocks)
    return found


def _shown(name: bytes) -> str:
    """Return a name for people: long ones have two bytes a letter."""
    is_long = len(name) > 1 and len(name) % 2 == 0 and b"\x00" in name
    text = name.decode("utf-16-be", errors="replace") if is_long else name.decode("latin-1")
    return text.partition(";")[0]


def _told(what: str, record: Record, *, found: str = "") -> DiscFault:
    return DiscFault(what=what, item=record.shown, found=found, severity=Severity.INFO)
