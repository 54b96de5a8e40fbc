"""Which file a name stands for: device and inode number, never the name.

So another spelling, a symbolic link, a hard link, or a file system that takes capitals and small
letters for one, all give the same answer. A file that is not there yet goes by its folder and its
name; there, names that differ in case or in how accents are composed count as one, since some
file systems take them for one.
Where the system numbers no files (inode 0), the path goes, links followed.
"""

from __future__ import annotations

import itertools
import os
import stat
import unicodedata
from pathlib import Path
from typing import TYPE_CHECKING

from esximage_builder.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

__all__ = ["FileId", "file_id", "input_files", "is_input", "real_path", "require_apart"]

FileId = tuple[int, int] | str
"""Device and inode number; the path where the system has no inode numbers."""


def file_id(path: Path, found: os.stat_result) -> FileId:
    """Return which file it is that was found at a path."""
    if found.st_ino:
        return found.st_dev, found.st_ino
    return os.path.normcase(real_path(path))


def real_path(path: Path) -> Path:
    """Return a path with all links followed; as it is where the working directory was removed."""
    try:
        return Path(os.path.realpath(path))
    except OSError:  # whoever opens it says so
        return path


def input_files(sources: Iterable[Path], *, most: int) -> dict[Path, os.stat_result]:
    """Return the files of a run that are only read: each source, and all that is in one that is a folder.

    What is not there is left out; whoever reads it will say so. With each goes what the system says of it now.

    Args:
        sources: Files and folders.
        most: So many of one source are looked at; who reads more of one refuses it.
    """
    found: dict[Path, os.stat_result] = {}
    for source in sources:
        for path in itertools.islice(_with_contents(source), most):
            if (status := _status(path)) is not None:
                found[path] = status
    return found


def _with_contents(source: Path) -> Iterator[Path]:
    yield source
    status = _status(source)
    if status is not None and stat.S_ISDIR(status.st_mode):
        for folder, folders, names in os.walk(source):
            yield from (Path(folder, name) for name in (*folders, *names))


def _status(path: Path) -> os.stat_result | None:
    """Return what the system says of a path; None if it is gone, leads nowhere, or can be no path."""
    try:
        return path.stat()
    except (OSError, ValueError):
        return None


def is_input(path: Path, found: os.stat_result, *, source: Path, opened: os.stat_result) -> bool:
    """Tell whether what was found at a path is a file that is read.

    It is the one that stands now where the source stood, or the one that stood there when it was
    opened. The system gives the number of a removed file to a new one, so where the source has
    gone from its place, length and time of change count too.

    Args:
        path: Where something was found.
        found: What the system said of it.
        source: Where the file stood that is read.
        opened: What the system said of that when it was opened.
    """
    identity = file_id(path, found)
    now = _status(source)
    stands_there = now is not None and identity == file_id(source, now)
    is_untouched = (found.st_size, found.st_mtime_ns) == (opened.st_size, opened.st_mtime_ns)
    return stands_there or (is_untouched and identity == file_id(source, opened))


_Place = tuple[object, ...]


def require_apart(outputs: Mapping[str, Path]) -> None:
    """Refuse two outputs that are one file, or of which one lies inside the other.

    Args:
        outputs: Paths by what the user calls them.

    Raises:
        ModelError: Two are not apart.
    """
    places = {name: _places(real_path(path)) for name, path in outputs.items()}
    for (one, above_one), (other, above_other) in itertools.combinations(places.items(), 2):
        if above_one[0] == above_other[0]:
            raise ModelError(f"{one} and {other} name one file", found=str(outputs[other]), expected="two files")
        if above_one[0] in above_other or above_other[0] in above_one:
            inner, outer = (other, one) if above_one[0] in above_other else (one, other)
            raise ModelError(
                f"{inner} lies inside {outer}",
                found=str(outputs[inner]),
                expected=f"a place outside of {outputs[outer]}",
            )


def _places(path: Path) -> tuple[_Place, ...]:
    """Return the place of a path and of all folders above it."""
    return tuple(_place(one) for one in (path, *path.parents))


def _place(path: Path) -> _Place:
    status = _status(path)
    if status is not None:
        return ("there", file_id(path, status))
    name = unicodedata.normalize("NFC", path.name).casefold()
    return (name, *_place(path.parent)) if path.parent != path else (name,)
