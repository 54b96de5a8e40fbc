"""What may be written to: decided before any work, by what is there and not by how it is called.

* An output is a new file, or replaces a regular file if the caller says so.
  Folders, devices, pipes and sockets are refused.
* It is none of the files that the run reads, under any name: the device and inode number decide.
* A symbolic link is followed: the file it names is written, and the link stays. One that leads
  nowhere makes the file it names, in a folder that is there. Links in a circle are refused.
* A folder as output is new or empty, and no link.

A file is looked at again just before the finished one takes its place.
What a killed run to the same target has left behind is cleared away first.
"""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING, final

import attrs

from esximage_builder.errors import ExportError
from esximage_builder.streams.file_kind import HEAD_BYTES, FileKind, kind_of
from esximage_builder.streams.identity import is_input, real_path
from esximage_builder.streams.partial import remove_left_over
from esximage_builder.streams.target_name import require_honest_suffix

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Target", "obstacle", "prepare_folder", "prepare_target", "require_free"]

_OBSTACLES = (
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISBLK, "a block device"),
    (stat.S_ISCHR, "a character device"),
    (stat.S_ISFIFO, "a named pipe (FIFO)"),
    (stat.S_ISSOCK, "a socket"),
)


@final
@attrs.frozen(kw_only=True)
class Target:
    """A place that may be written to.

    Attributes:
        named: As the caller named it; errors do too.
        path: The file itself, links followed.
        inputs: Files of the run that it must not be.
        overwrite: Whether a file that is there may be replaced.
        is_folder: Whether a folder is meant.
    """

    named: Path
    path: Path
    inputs: Mapping[Path, os.stat_result]
    overwrite: bool = False
    is_folder: bool = False


def prepare_target(
    target: str | Path,
    *,
    kind: FileKind | None = None,
    inputs: Mapping[Path, os.stat_result] | None = None,
    overwrite: bool = False,
) -> Target:
    """Return a file that may be written.

    Args:
        target: What the caller named.
        kind: What will be written, for the suffix; None says nothing of it.
        inputs: Files of the run that it must not be; see ``input_files``.
        overwrite: Whether a file that is there may be replaced.

    Raises:
        ModelError: The suffix is that of another kind of file.
        ExportError: It is an input, is no regular file, is there already and shall not be
            replaced, or cannot be: no such folder, links in a circle.
    """
    named = Path(target)
    _require_possible(named)
    prepared = Target(named=named, path=_followed(named), inputs=inputs or {}, overwrite=overwrite)
    _require_no_input(prepared)
    if kind is not None:
        require_honest_suffix(named, kind)
        require_honest_suffix(prepared.path, kind)
    remove_left_over(prepared.path)
    require_free(prepared)
    return prepared


def prepare_folder(target: str | Path, *, inputs: Mapping[Path, os.stat_result] | None = None) -> Target:
    """Return a folder that may be written: a new or an empty one.

    Args:
        target: What the caller named.
        inputs: Files and folders of the run that it must not be; see ``input_files``.

    Raises:
        ModelError: Its suffix is that of a file.
        ExportError: It is an input, something is there, or it cannot be: no such folder above.
    """
    named = Path(target)
    _require_possible(named)
    found = _found(named, named, follow=False)
    is_link = found is not None and stat.S_ISLNK(found.st_mode)
    path = real_path(named.parent if is_link else named) / (named.name if is_link else "")
    prepared = Target(named=named, path=path, inputs=inputs or {}, is_folder=True)
    _require_no_input(prepared)
    require_honest_suffix(named, FileKind.FOLDER)
    remove_left_over(path)
    require_free(prepared)
    return prepared


def require_free(target: Target) -> None:
    """Refuse what must not be replaced.

    Raises:
        ExportError: As ``prepare_target`` and ``prepare_folder``.
    """
    found = _found_at(target)
    if found is None:
        _require_folder_above(target)
        return
    _require_no_input(target)
    if target.is_folder:
        _require_empty(target, found)
        return
    if what := obstacle(found):
        raise ExportError(
            "the output is no regular file",
            where=str(target.named),
            found=what,
            expected=_EXPECTED,
            hint="name a file; nothing else is ever written to",
        )
    if not target.overwrite:
        raise ExportError(
            "the output is there already",
            where=str(target.named),
            found=_description(target, found),
            expected="a name that is not taken",
            hint="name another file, or replace this one with --force (overwrite=True)",
        )


_EXPECTED = "a new file, or one to replace"


def obstacle(found: os.stat_result) -> str:
    """Return what is in the way of a file, empty for a regular file, which can be replaced."""
    if stat.S_ISREG(found.st_mode):
        return ""
    return next((what for is_one, what in _OBSTACLES if is_one(found.st_mode)), "something that is no regular file")


def _require_possible(named: Path) -> None:
    if "\0" in str(named):
        raise ExportError("a path cannot hold a NUL character", where=repr(str(named)), expected="a path")
    try:
        os.fsencode(named)
    except UnicodeEncodeError as error:
        raise ExportError("a path cannot hold half a character", where=ascii(str(named)), expected="a path") from error


def _followed(named: Path) -> Path:
    """Return the file that a name leads to, all links followed; it need not be there."""
    path = real_path(named)
    by_name, by_path = (_found(place, named, follow=True) for place in (named, path))
    if (by_name is None) != (by_path is None) or (by_name and by_path and not os.path.samestat(by_name, by_path)):
        raise ExportError(
            "the link leads to a file that has no name",
            where=str(named),
            found="a removed file, or a pipe" if by_name else str(path),
            expected=_EXPECTED,
        )
    return path


def _found_at(target: Target) -> os.stat_result | None:
    return _found(target.path, target.named, follow=not target.is_folder)


def _found(path: Path, named: Path, *, follow: bool) -> os.stat_result | None:
    """Return what is at a path, None if nothing is.

    Raises:
        ExportError: The operating system would not say; links in a circle.
    """
    try:
        return path.stat(follow_symlinks=follow)
    except FileNotFoundError:
        return None
    except OSError as error:
        circle = error.errno == errno.ELOOP
        raise ExportError(
            f"the output cannot be written: {error.strerror or error}",
            where=str(named),
            found="links that lead in a circle" if circle else "",
            hint="check the path and your permissions",
        ) from error


def _require_folder_above(target: Target) -> None:
    above = target.path.parent
    found = _found(above, target.named, follow=True)
    if found is None or not stat.S_ISDIR(found.st_mode):
        raise ExportError(
            "the output cannot be written: its folder is not there",
            where=str(target.named),
            found=f"nothing at {above}" if found is None else f"no folder but a file: {above}",
            expected="a folder that is there",
            hint="make the folder first, or check the path",
        )


def _require_no_input(target: Target) -> None:
    """Refuse a file that the run reads, as it was when it was opened and as it is now."""
    found = _found_at(target)
    if found is None:
        return
    for path, opened in target.inputs.items():
        if is_input(target.path, found, source=path, opened=opened):
            raise ExportError(
                "the output is a file that is read",
                where=str(target.named),
                found=f"the same file as {path}",
                expected="another file than any that is opened",
                hint="name another file; inputs are never replaced, not even with --force",
            )


def _require_empty(target: Target, found: os.stat_result) -> None:
    what = _in_the_way(target.path, found)
    if what:
        raise ExportError(
            "the target is there already",
            where=str(target.named),
            found=what,
            expected="a new or empty folder",
            hint="name another folder, or remove this one first",
        )


def _in_the_way(path: Path, found: os.stat_result) -> str:
    """Return what keeps a folder from its place; empty for an empty folder."""
    if stat.S_ISLNK(found.st_mode):
        return "a link"
    if not stat.S_ISDIR(found.st_mode):
        return obstacle(found) or "a file"
    try:
        return "a folder with files" if any(path.iterdir()) else ""
    except OSError as error:
        return f"a folder that cannot be looked into: {error.strerror or error}"


def _description(target: Target, found: os.stat_result) -> str:
    """Say what a file is that is there: its kind, by its first bytes, and its size."""
    try:
        with target.path.open("rb") as file:
            kind = kind_of(file.read(HEAD_BYTES)).value
    except OSError:
        kind = "file that cannot be read"
    article = "an" if kind[0].lower() in "aeioxh" or kind.startswith("unknown") else "a"
    by_link = f", at {target.path}" if target.named.is_symlink() else ""
    return f"{article} {kind} of {found.st_size} bytes{by_link}"
