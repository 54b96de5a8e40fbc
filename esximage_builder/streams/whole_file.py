"""Files and folders that appear whole or not at all, alone or together.

Something temporary beside the target is written, flushed to the disk and put in the target's
place in one step. Whatever stops the writing, Ctrl-C included, leaves the old file or none.

The temporary file is born with the mode that any new file gets, so the operating system applies
the umask; asking for the umask would mean changing it, for all threads of the process.

Where several belong together, all are written before the first takes its place. The old file is
kept until the last one is in its place, so that a refusal of the operating system half-way is undone.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Protocol, cast, final

from esximage_builder.errors import ExportError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["WholeTargets", "whole_file", "whole_targets", "write_file", "writing_file", "writing_folder"]

_NEW_FILE = os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)


@contextlib.contextmanager
def whole_file(target: Path) -> Iterator[BinaryIO]:
    """Give a file to write and read; it takes the target's place when the block ends well.

    Raises:
        ExportError: The operating system refuses: no folder, no permission, disc full.
    """
    with whole_targets() as targets, writing_file(target):
        yield targets.file(target)


def write_file(target: Path, data: bytes) -> None:
    """Write a small file, whole or not at all.

    Raises:
        ExportError: The operating system refuses.
    """
    with whole_file(target) as file:
        file.write(data)


@contextlib.contextmanager
def whole_targets() -> Iterator[WholeTargets]:
    """Give a way to write files and folders; all take their targets' places when the block ends well.

    Raises:
        ExportError: The operating system refuses one of them; none has appeared then.
    """
    targets = WholeTargets()
    try:
        yield targets
        targets.appear()
    finally:
        targets.discard()


@contextlib.contextmanager
def writing_file(target: Path) -> Iterator[None]:
    """Word what the operating system refuses while a file is written.

    Raises:
        ExportError: It refuses something.
    """
    try:
        yield
    except OSError as error:
        raise ExportError(
            f"the file cannot be written: {error.strerror or error}",
            where=str(target),
            hint="check the folder, your permissions and the space left on the disc",
        ) from error


@contextlib.contextmanager
def writing_folder(target: Path) -> Iterator[None]:
    """Word what the operating system refuses while a folder is written.

    Raises:
        ExportError: It refuses something.
    """
    try:
        yield
    except OSError as error:
        raise ExportError(
            f"the folder cannot be written: {error.strerror or error}",
            where=str(target),
            hint="check the folder above, your permissions and the space left on the disc",
        ) from error


class _Part(Protocol):
    """One target of several."""

    has_appeared: bool

    def finish(self) -> None:
        """Make all bytes safe; nothing has appeared yet."""

    def appear(self, *, can_be_undone: bool) -> None:
        """Take the target's place in one step."""

    def undo(self) -> None:
        """Give the place back to what was there."""

    def discard(self) -> None:
        """Remove everything that is not at the target's place; never raises."""


@final
class WholeTargets:
    """Files and folders under way; see ``whole_targets``."""

    def __init__(self) -> None:
        self._parts: list[_Part] = []

    def file(self, target: Path) -> BinaryIO:
        """Give a file to write and read, and to leave open.

        Raises:
            ExportError: The operating system refuses: no folder, no permission.
        """
        part = _WholeFile(target)
        self._parts.append(part)
        return part.file

    def folder(self, target: Path) -> Path:
        """Give a folder to write into.

        Raises:
            ExportError: The target is there already and not an empty folder, or the operating system refuses.
        """
        part = _WholeFolder(target)
        self._parts.append(part)
        return part.folder

    def appear(self) -> None:
        """Put everything in its place.

        Raises:
            ExportError: The operating system refuses; nothing has appeared then.
        """
        for part in self._parts:
            part.finish()
        try:
            for number, part in enumerate(self._parts, start=1):
                part.appear(can_be_undone=number < len(self._parts))
        except BaseException:
            if not self._parts[-1].has_appeared:
                for part in reversed(self._parts):
                    with contextlib.suppress(OSError):
                        part.undo()
            raise

    def discard(self) -> None:
        """Remove what is left of the writing."""
        for part in self._parts:
            part.discard()


@final
class _WholeFile:
    """A file that is written beside its target."""

    def __init__(self, target: Path) -> None:
        self._target = target
        self._old: Path | None = None
        self.has_appeared = False
        _require_path(target)
        with writing_file(target):
            self._partial = target.parent / f".{target.name}.{secrets.token_urlsafe(6)}.partial"
            handle = os.open(self._partial, _NEW_FILE, 0o666)
            with contextlib.ExitStack() as cleanup:
                cleanup.callback(self._partial.unlink)
                self.file = cast("BinaryIO", os.fdopen(handle, "w+b"))
                cleanup.pop_all()

    def finish(self) -> None:
        with writing_file(self._target):
            self.file.flush()
            os.fsync(self.file.fileno())
            self.file.close()

    def appear(self, *, can_be_undone: bool) -> None:
        with writing_file(self._target):
            if can_be_undone and os.path.lexists(self._target) and not _is_folder(self._target):
                self._old = self._partial.with_suffix(".old")
                _set_aside(self._target, self._old)
            self._partial.replace(self._target)
            self.has_appeared = True

    def undo(self) -> None:
        if self._old is not None:
            self._old.replace(self._target)
        elif self.has_appeared:
            self._target.unlink()

    def discard(self) -> None:
        with contextlib.suppress(OSError):
            self.file.close()
        for left in (self._partial, self._old):
            if left is not None:
                with contextlib.suppress(OSError):
                    left.unlink()


@final
class _WholeFolder:
    """A folder that is written beside its target, inside a temporary one, which is born private."""

    def __init__(self, target: Path) -> None:
        self._target = target
        self._was_there = False
        self.has_appeared = False
        _require_path(target)
        with writing_folder(target):
            _require_free(target)
            self._partial = Path(tempfile.mkdtemp(prefix=f".{target.name}.", suffix=".partial", dir=target.parent))
            self.folder = self._partial / "tree"
            with contextlib.ExitStack() as cleanup:
                cleanup.callback(self._partial.rmdir)
                self.folder.mkdir()
                cleanup.pop_all()

    def finish(self) -> None:
        """Do nothing: whoever writes the files makes each of them safe."""

    def appear(self, *, can_be_undone: bool) -> None:  # noqa: ARG002 - nothing that was there is lost
        with writing_folder(self._target):
            if self._target.exists():
                self._target.rmdir()  # empty, as was seen; not every system replaces a folder
                self._was_there = True
            self.folder.replace(self._target)
            self.has_appeared = True

    def undo(self) -> None:
        if self.has_appeared:
            self._target.replace(self.folder)
        if self._was_there:
            self._target.mkdir()

    def discard(self) -> None:
        shutil.rmtree(self._partial, ignore_errors=True)


def _require_path(target: Path) -> None:
    if "\0" in str(target):
        raise ExportError("a path cannot hold a NUL character", where=repr(str(target)), expected="a path")


def _require_free(target: Path) -> None:
    if target.is_symlink() or (target.exists() and (not target.is_dir() or any(target.iterdir()))):
        raise ExportError(
            "the target is there already",
            where=str(target),
            found="a link" if target.is_symlink() else "a folder with files" if target.is_dir() else "a file",
            expected="a new or empty folder",
            hint="name another folder, or remove this one first",
        )


def _is_folder(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink()


def _set_aside(target: Path, old: Path) -> None:
    """Give a file a second name; where the file system has no second names, another one."""
    try:
        os.link(target, old, follow_symlinks=False)
    except (OSError, NotImplementedError):
        target.replace(old)
