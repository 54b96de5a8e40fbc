"""A tree of files as payloads carry it: the same entries in a vmtar and in a plain tar, written and read.

Rules of writing, so that the same tree gives the same bytes (docs/formats.md#payloads):

- owner and group are root; modes and dates are those of the entries;
- entries stand in the order given, each folder before what is in it;
- in a vmtar all headers come first, and the data of each file begins at a page of 4,096 bytes, as in
  VMware's own; a file without data has the offset 0;
- a link is a symbolic one, type ``2``, with its target in the header.

Reading takes files, folders and links, and gives a hard link the data of the file that it names;
devices and whatever else there is are refused. Where links lead is not judged here.
"""

from __future__ import annotations

import io
import posixpath
import struct
from typing import TYPE_CHECKING, BinaryIO, final

import attrs

from esximage_builder.containers.member_name import SAFE_NAME, name_problem
from esximage_builder.containers.ustar import (
    BLOCK_BYTES,
    LARGEST_OCTAL,
    NAME_BYTES,
    USTAR_MAGIC,
    VISOR_MAGIC,
    render_header,
    split_name,
)
from esximage_builder.containers.vmtar import EntryKind, read_vmtar
from esximage_builder.errors import LimitExceededError, ModelError, UnsafeArchiveError
from esximage_builder.shown import Shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from esximage_builder.containers.vmtar import VmtarEntry
    from esximage_builder.limits import ReadLimits

__all__ = [
    "PAGE_BYTES",
    "StoredEntry",
    "TreeEntry",
    "leads_outside",
    "load_tree",
    "read_tree",
    "render_tar_tree",
    "render_vmtar_tree",
    "require_tree",
    "sorted_tree",
]

PAGE_BYTES = 4096
_TAR_RECORD = 10_240
_LARGEST_MODE = 0o7777
_LARGEST_OFFSET = 2**32 - 1
_ROOT = ("", ".")
_BEFORE_OFFSET = bytes(496 - 329)  # from the owner to the offset
_BEFORE_PREFIX = bytes(16)  # device numbers, which only devices have
_FLAGS = {EntryKind.FILE: b"0", EntryKind.LINK: b"2", EntryKind.FOLDER: b"5"}


@final
@attrs.frozen(kw_only=True, repr=False)
class TreeEntry(Shown):
    """A file, a folder or a symbolic link of a tree.

    Attributes:
        name: Relative path with forward slashes, without one at the end.
        kind: File, folder or link.
        mode: Permission bits, with sticky, set-user-id and set-group-id bit.
        mtime: Seconds since 1970 (UTC).
        data: Content of a file; empty for all else.
        target: Where a link leads, as written; empty for all else.
    """

    name: str
    kind: EntryKind = EntryKind.FILE
    mode: int = 0o644
    mtime: int = 0
    data: bytes = attrs.field(default=b"", repr=False)
    target: str = ""


def leads_outside(name: str, target: str) -> bool:
    """Tell whether a link may lead out of the tree as it lies in a folder.

    An absolute target does. So may ``..`` behind a name, since that name may be a link itself; at the
    beginning it is counted, as nothing of a tree lies below a link.

    Args:
        name: Of the link, from the tree's root.
        target: As the link has it.
    """
    steps = [step for step in target.split("/") if step not in ("", ".")]
    ups = next((count for count, step in enumerate(steps) if step != ".."), len(steps))
    return target.startswith("/") or ups > name.count("/") or ".." in steps[ups:]


# Writing


def require_tree(entries: Iterable[TreeEntry]) -> tuple[TreeEntry, ...]:
    """Return the entries if they make a tree: names that fit, each once, nothing below what is no folder.

    Raises:
        ModelError: They do not, or a mode, date or target cannot be written.
    """
    kinds: dict[str, EntryKind] = {}
    whole = tuple(entries)
    for entry in whole:
        _require_entry(entry)
        if entry.name in kinds:
            raise ModelError("two entries of a file tree have one name", found=repr(entry.name), expected="each once")
        kinds[entry.name] = entry.kind
    for entry in whole:
        for folder in _folders_above(entry.name):
            if kinds.get(folder, EntryKind.FOLDER) is not EntryKind.FOLDER:
                raise ModelError(
                    "a file tree has something below what is no folder",
                    found=f"{entry.name!r} below the {kinds[folder].value} {folder!r}",
                    expected="folders alone with something below them",
                )
    return whole


def _require_entry(entry: TreeEntry) -> None:
    if problem := name_problem(entry.name):
        raise ModelError(
            "this name cannot stand in a file tree", found=f"{entry.name!r}, which {problem}", expected=SAFE_NAME
        )
    if entry.kind is EntryKind.OTHER:
        raise ModelError("a file tree holds files, folders and symbolic links", found=f"something else: {entry.name!r}")
    if not 0 <= entry.mtime <= LARGEST_OCTAL or not 0 <= entry.mode <= _LARGEST_MODE:
        raise ModelError(
            "a date or mode cannot stand in a file tree",
            found=f"{entry.name!r}: date {entry.mtime}, mode {entry.mode:#o}",
            expected=f"a date of 0 to {LARGEST_OCTAL} seconds, a mode of 0 to {_LARGEST_MODE:#o}",
        )
    if entry.kind is EntryKind.LINK:
        _require_target(entry)


def _require_target(entry: TreeEntry) -> None:
    target = entry.target
    if not target or not target.isprintable() or len(target.encode()) > NAME_BYTES:
        raise ModelError(
            "a link of a file tree cannot lead there",
            found=f"{entry.name!r} to {target[:120]!r}",
            expected=f"a printable path of 1 to {NAME_BYTES} bytes in UTF-8",
        )


def _folders_above(name: str) -> Iterator[str]:
    while name := posixpath.dirname(name):
        yield name


def render_vmtar_tree(entries: Iterable[TreeEntry]) -> bytes:
    """Return a vmtar of a tree, data at pages; made in memory.

    Raises:
        ModelError: As ``require_tree``, a name of more than 100 bytes, or more data than a vmtar can hold.
    """
    whole = require_tree(entries)
    headers: list[bytes] = []
    parts: list[bytes] = []
    position = (len(whole) + 1) * BLOCK_BYTES
    for entry in whole:
        padding = bytes(-position % PAGE_BYTES) if entry.data else b""
        offset = position + len(padding) if entry.data else 0
        headers.append(_vmtar_header(entry, offset))
        parts += [padding, entry.data]
        position += len(padding) + len(entry.data)
    return b"".join([*headers, bytes(BLOCK_BYTES), *parts])


def _vmtar_header(entry: TreeEntry, offset: int) -> bytes:
    raw = _raw_name(entry)
    if len(raw) > NAME_BYTES:
        raise ModelError(
            "this name is too long for a vmtar",
            found=f"{entry.name!r}, {len(raw)} bytes",
            expected=f"at most {NAME_BYTES} bytes in UTF-8",
            hint="shorten the path, or make the payload a tgz, which takes longer ones",
        )
    if offset > _LARGEST_OFFSET or len(entry.data) > LARGEST_OCTAL:
        raise ModelError(
            "a vmtar cannot hold that much",
            found=f"{len(entry.data)} bytes at offset {offset}",
            expected=f"offsets of at most {_LARGEST_OFFSET}",
        )
    return render_header(
        raw,
        kind=_FLAGS[entry.kind],
        size_bytes=len(entry.data),
        mode=entry.mode,
        timestamp=entry.mtime,
        magic=VISOR_MAGIC,
        after_owner=_BEFORE_OFFSET + struct.pack("<I", offset),
        link=entry.target.encode(),
    )


def _raw_name(entry: TreeEntry) -> bytes:
    return entry.name.encode() + (b"/" if entry.kind is EntryKind.FOLDER else b"")


def render_tar_tree(entries: Iterable[TreeEntry]) -> bytes:
    """Return a plain POSIX tar of a tree; made in memory.

    Raises:
        ModelError: As ``require_tree``, or a name that does not fit into a header.
    """
    parts: list[bytes] = []
    for entry in require_tree(entries):
        parts += [_tar_header(entry), entry.data, bytes(-len(entry.data) % BLOCK_BYTES)]
    body = b"".join([*parts, bytes(2 * BLOCK_BYTES)])
    return body + bytes(-len(body) % _TAR_RECORD)


def _tar_header(entry: TreeEntry) -> bytes:
    split = split_name(_raw_name(entry))
    if split is None or len(entry.data) > LARGEST_OCTAL:
        raise ModelError(
            "this entry cannot stand in a tar archive",
            found=f"{entry.name!r}, {len(entry.data)} bytes",
            expected="a path of at most 255 bytes with a slash at the right place, and less than 8 GiB",
        )
    prefix, short = split
    return render_header(
        short,
        kind=_FLAGS[entry.kind],
        size_bytes=len(entry.data),
        mode=entry.mode,
        timestamp=entry.mtime,
        magic=USTAR_MAGIC,
        after_owner=_BEFORE_PREFIX + prefix,
        link=entry.target.encode(),
    )


# Reading


@final
@attrs.frozen(kw_only=True)
class StoredEntry:
    """An entry of an archive, and where its data is.

    Attributes:
        name: As with ``TreeEntry``.
        kind: File, folder or link.
        mode: Permission bits.
        mtime: Seconds since 1970 (UTC).
        target: Where a link leads.
        offset: Where the data of a file begins in the archive.
        size_bytes: Length of the data.
    """

    name: str
    kind: EntryKind
    mode: int
    mtime: int
    target: str
    offset: int
    size_bytes: int


def read_tree(source: BinaryIO, *, where: str, limits: ReadLimits) -> tuple[StoredEntry, ...]:
    """List the tree in an expanded payload, a vmtar or a tar; a leading ``./`` of names goes.

    Args:
        source: The archive from its beginning; read to its end.
        where: How to name it in errors.
        limits: As for ``read_vmtar``; ``payload_bytes`` bounds all files together too.

    Returns:
        The entries in their order, without the one of the tree's own root.

    Raises:
        MalformedDocumentError: As ``read_vmtar`` raises it.
        LimitExceededError: As ``read_vmtar`` raises it.
        UnsafeArchiveError: Something that is no file, folder or link, an unsafe name, two entries of one
            name, something below what is no folder, a hard link to nothing before it.
    """
    found: dict[str, StoredEntry] = {}
    for item in read_vmtar(source, where=where, limits=limits):
        entry = _stored(item, item.name.removeprefix("./"), found, where)
        if entry.kind is EntryKind.FOLDER and entry.name in _ROOT:
            continue
        _require_safe(entry, found, where)
        found[entry.name] = entry
    _require_folders(found, where)
    _require_little(found.values(), where, limits)
    return tuple(found.values())


def load_tree(data: bytes, *, where: str, limits: ReadLimits) -> tuple[TreeEntry, ...]:
    """Return the tree of an archive in memory, with its data; otherwise as ``read_tree``."""
    return tuple(
        TreeEntry(
            name=entry.name,
            kind=entry.kind,
            mode=entry.mode,
            mtime=entry.mtime,
            data=data[entry.offset : entry.offset + entry.size_bytes],
            target=entry.target,
        )
        for entry in read_tree(io.BytesIO(data), where=where, limits=limits)
    )


def _stored(item: VmtarEntry, name: str, found: Mapping[str, StoredEntry], where: str) -> StoredEntry:
    if item.is_hard_link:
        first = found.get(item.target.removeprefix("./"))
        if first is None or first.kind is not EntryKind.FILE:
            raise UnsafeArchiveError(
                "a hard link leads to no file before it", where=f"{where}!{item.name}", found=repr(item.target)
            )
        return attrs.evolve(first, name=name)
    return StoredEntry(
        name=name,
        kind=item.kind,
        mode=item.mode & _LARGEST_MODE,
        mtime=item.mtime,
        target=item.target,
        offset=item.offset,
        size_bytes=item.size_bytes if item.kind is EntryKind.FILE else 0,
    )


def _require_safe(entry: StoredEntry, found: Mapping[str, StoredEntry], where: str) -> None:
    place = f"{where}!{entry.name}"
    if problem := name_problem(entry.name):
        raise UnsafeArchiveError(
            f"the name of an entry {problem}", where=where, found=repr(entry.name), expected=SAFE_NAME
        )
    if entry.kind is EntryKind.OTHER:
        raise UnsafeArchiveError(
            "an entry is no file, folder or link",
            where=place,
            found="a device, a named pipe, or something unknown",
            expected="files, folders and links",
            hint="do not use this archive: nothing that is installed needs such an entry",
        )
    if entry.kind is EntryKind.LINK and (not entry.target or not entry.target.isprintable()):
        raise UnsafeArchiveError("a link leads nowhere", where=place, found=repr(entry.target), expected="a path")
    if entry.name in found:
        raise UnsafeArchiveError(
            "two entries have one name",
            where=place,
            found=repr(entry.name),
            expected="each name once",
            hint="do not use this archive: different readers would see different contents",
        )


def _require_folders(found: Mapping[str, StoredEntry], where: str) -> None:
    for name in found:
        for folder in _folders_above(name):
            above = found.get(folder)
            if above is not None and above.kind is not EntryKind.FOLDER:
                raise UnsafeArchiveError(
                    "an entry lies below what is no folder",
                    where=f"{where}!{name}",
                    found=f"a {above.kind.value} {folder!r}",
                    expected="folders alone with something below them",
                    hint="do not use this archive: it writes through a link",
                )


def _require_little(entries: Iterable[StoredEntry], where: str, limits: ReadLimits) -> None:
    """Refuse files that lie on one another in the archive, and so are far more than it."""
    total = sum(entry.size_bytes for entry in entries)
    if total > limits.payload_bytes:
        raise LimitExceededError(
            "the files of the archive are more than the limit",
            where=where,
            found=f"{total} bytes",
            expected=f"at most {limits.payload_bytes} bytes",
            hint="if the file is trusted, pass ReadLimits(payload_bytes=...) with a larger value",
        )


def sorted_tree(entries: Sequence[TreeEntry]) -> tuple[TreeEntry, ...]:
    """Return the entries part by part in order of their names, each folder before what is in it."""
    return tuple(sorted(entries, key=lambda entry: entry.name.split("/")))
