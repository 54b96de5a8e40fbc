"""The files that a VIB is made of: a folder, or a tar with or without gzip, as one tree.

Rules, so that the same files give the same bytes on every machine:

- entries come in order of their names, whatever order the file system has;
- owner, group and the umask of the process do not count;
- the date of every entry is one and the same, unless the caller asks for those of the files;
- modes are those of the files; ``plain_modes`` takes away what a umask may have left in them.

Links are never followed, and what is no file, folder or link is refused without being opened.
A further name of a file (hard link) becomes a file of its own.
"""

from __future__ import annotations

import contextlib
import io
import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING

import attrs

from esximage_builder.containers.file_tree import TreeEntry, load_tree, require_tree, sorted_tree
from esximage_builder.containers.gzip import gunzip_blocks
from esximage_builder.containers.vmtar import EntryKind
from esximage_builder.errors import LimitExceededError, ModelError, SourceUnreadableError
from esximage_builder.models.near_names import did_you_mean, near_names
from esximage_builder.streams.target import obstacle

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from esximage_builder.limits import ReadLimits

__all__ = ["plain_modes", "read_source_file", "read_source_tree", "with_dates", "with_modes"]

_OPEN_AS_IT_IS = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
_GZIP_MAGIC = b"\x1f\x8b"
_OWNER_MAY_RUN = 0o100


def read_source_tree(source: str | Path, *, limits: ReadLimits) -> tuple[TreeEntry, ...]:
    """Read a folder or a tar, in memory.

    Args:
        source: The folder itself is not in the tree, but all that is in it.
        limits: ``member_count`` bounds the entries, ``payload_bytes`` their data together.

    Returns:
        The entries in order of their names, with their own modes and dates.

    Raises:
        SourceUnreadableError: The operating system refuses.
        ModelError: Something that a payload cannot hold, or nothing at all.
        DepotError: The tar is damaged, too large, or holds something unsafe.
    """
    path = Path(source)
    with _reading(path):
        is_folder = path.is_dir()
    tree = _folder_tree(path, limits) if is_folder else _tar_tree(path, limits)
    if not tree:
        raise ModelError("there is nothing to pack", where=str(path), expected="files")
    return require_tree(_with_link_modes(sorted_tree(tree)))


def _with_link_modes(entries: Iterable[TreeEntry]) -> Iterator[TreeEntry]:
    """Give links the one mode that they have wherever modes of links mean nothing."""
    for entry in entries:
        yield attrs.evolve(entry, mode=0o777) if entry.kind is EntryKind.LINK else entry


@contextlib.contextmanager
def _reading(path: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        raise SourceUnreadableError(
            f"the source cannot be read: {getattr(error, 'strerror', None) or error}",
            where=str(path),
            hint="check the path and your permissions",
        ) from error


def _folder_tree(root: Path, limits: ReadLimits) -> list[TreeEntry]:
    entries: list[TreeEntry] = []
    left_bytes = limits.payload_bytes
    open_folders = [""]
    while open_folders:
        folder = open_folders.pop()
        with _reading(root / folder):
            names = sorted(path.name for path in (root / folder).iterdir())
        for name in names:
            entry = _entry(root, f"{folder}/{name}" if folder else name, left_bytes)
            left_bytes -= len(entry.data)
            entries.append(entry)
            if entry.kind is EntryKind.FOLDER:
                open_folders.append(entry.name)
        if len(entries) > limits.member_count:
            raise LimitExceededError(
                "the folder holds more than the limit",
                where=str(root),
                expected=f"at most {limits.member_count} entries",
                hint="pass ReadLimits(member_count=...) with a larger value",
            )
    return entries


def _entry(root: Path, name: str, left_bytes: int) -> TreeEntry:
    path = root / name
    with _reading(path):
        found = path.lstat()
        target = os.readlink(path) if stat.S_ISLNK(found.st_mode) else ""  # noqa: PTH115 - a Path would tidy it up
    mtime = int(found.st_mtime // 1)
    if target:
        return TreeEntry(name=name, kind=EntryKind.LINK, mode=0o777, mtime=mtime, target=target)
    mode = stat.S_IMODE(found.st_mode)
    if stat.S_ISDIR(found.st_mode):
        return TreeEntry(name=name, kind=EntryKind.FOLDER, mode=mode, mtime=mtime)
    if what := obstacle(found):
        raise ModelError(
            "the source holds what no payload can",
            where=str(path),
            found=what,
            expected="files, folders and symbolic links",
            hint="take it out of the source",
        )
    return TreeEntry(name=name, mode=mode, mtime=mtime, data=read_source_file(path, max_bytes=left_bytes))


def read_source_file(path: Path, *, max_bytes: int, follow: bool = False) -> bytes:
    """Read a regular file whole, without ever waiting for what is none.

    Args:
        path: The file.
        max_bytes: Upper bound.
        follow: Whether it may be named by a link.

    Raises:
        SourceUnreadableError: The operating system refuses, or it is no regular file.
        LimitExceededError: Longer than ``max_bytes``.
    """
    flags = _OPEN_AS_IT_IS & ~getattr(os, "O_NOFOLLOW", 0) if follow else _OPEN_AS_IT_IS
    with _reading(path), os.fdopen(os.open(path, flags), "rb") as file:
        if what := obstacle(os.fstat(file.fileno())):
            raise SourceUnreadableError("this is no regular file", where=str(path), found=what)
        data = file.read(max_bytes + 1)
    if len(data) > max_bytes:
        raise LimitExceededError(
            "the file is larger than the limit", where=str(path), expected=f"at most {max_bytes} bytes"
        )
    return data


def _tar_tree(path: Path, limits: ReadLimits) -> tuple[TreeEntry, ...]:
    data = read_source_file(path, max_bytes=limits.vib_bytes, follow=True)
    if data.startswith(_GZIP_MAGIC):
        blocks = gunzip_blocks(io.BytesIO(data), where=str(path), max_bytes=limits.payload_bytes)
        data = b"".join(blocks)
    return load_tree(data, where=str(path), limits=limits)


def with_dates(entries: Iterable[TreeEntry], timestamp: int) -> tuple[TreeEntry, ...]:
    """Return the entries, all of one date in seconds since 1970 (UTC)."""
    return tuple(attrs.evolve(entry, mtime=timestamp) for entry in entries)


def plain_modes(entries: Iterable[TreeEntry]) -> tuple[TreeEntry, ...]:
    """Return the entries with modes that no umask shows in: 0755 or 0644 and the sticky bit."""
    return tuple(attrs.evolve(entry, mode=_plain(entry)) for entry in entries)


def _plain(entry: TreeEntry) -> int:
    if entry.kind is EntryKind.LINK:
        return entry.mode
    may_run = entry.kind is EntryKind.FOLDER or entry.mode & _OWNER_MAY_RUN
    return (0o755 if may_run else 0o644) | (entry.mode & stat.S_ISVTX)


def with_modes(entries: Sequence[TreeEntry], modes: Iterable[tuple[str, int]]) -> tuple[TreeEntry, ...]:
    """Return the entries, some with other modes.

    Raises:
        ModelError: A path is none of the tree's, or that of a link, which has no mode.
    """
    wanted = dict(modes)
    known = [entry.name for entry in entries if entry.kind is not EntryKind.LINK]
    for path in wanted:
        if path not in known:
            raise ModelError(
                "a mode is given for what is not there",
                found=repr(path),
                expected="the path of a file or folder of the source",
                hint=did_you_mean(near_names(path, known)),
            )
    return tuple(attrs.evolve(entry, mode=wanted.get(entry.name, entry.mode)) for entry in entries)
