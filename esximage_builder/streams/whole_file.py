"""Files and folders that appear whole or not at all, alone or together.

Something partial beside the target is written, flushed to the disk and put in the target's place
in one step. Whatever stops the writing, Ctrl-C included, leaves the old file or none. ``target``
says what may be written to, ``partial`` what a partial file is called and who may remove it.

Where several belong together, all are written before the first takes its place. The old file is
kept until the last one is in its place, so that a refusal of the operating system half-way is undone.
"""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING, BinaryIO, Protocol, cast, final

from esximage_builder.streams.file_state import state_of
from esximage_builder.streams.partial import old_file, partial_file, partial_folder
from esximage_builder.streams.room import require_room, writing
from esximage_builder.streams.target import Target, prepare_folder, prepare_target, require_free

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from esximage_builder.streams.file_state import FileState

__all__ = ["WholeTargets", "whole_file", "whole_targets", "write_file"]


@contextlib.contextmanager
def whole_file(target: Target | Path, *, size_bytes: int = 0) -> Iterator[BinaryIO]:
    """Give a file to write and read; it takes the target's place when the block ends well.

    Args:
        target: As ``prepare_target`` returned it; a path alone must not be taken yet.
        size_bytes: How much will be written, if that is known.

    Raises:
        ExportError: It must not be written, or the operating system refuses: no folder, no
            permission, disk full.
    """
    place = target if isinstance(target, Target) else prepare_target(target)
    with whole_targets() as targets, writing(place, size_bytes):
        yield targets.file(place, size_bytes=size_bytes)


def write_file(target: Target | Path, data: bytes) -> None:
    """Write a small file, whole or not at all.

    Raises:
        ExportError: As ``whole_file``.
    """
    with whole_file(target, size_bytes=len(data)) as file:
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

    def file(self, target: Target | Path, *, size_bytes: int = 0) -> BinaryIO:
        """Give a file to write and read, and to leave open.

        Args:
            target: As ``prepare_target`` returned it; a path alone must not be taken yet.
            size_bytes: How much will be written, if that is known.

        Raises:
            ExportError: It must not be written, or the operating system refuses.
        """
        part = _WholeFile(target if isinstance(target, Target) else prepare_target(target), size_bytes)
        self._parts.append(part)
        return part.file

    def written_as(self, file: BinaryIO) -> FileState | None:
        """Return which file has appeared and in which state, of one that ``file`` gave; None for another one."""
        found = (part.written_as for part in self._parts if isinstance(part, _WholeFile) and part.file is file)
        return next(found, None)

    def folder(self, target: Target | Path, *, size_bytes: int = 0) -> Path:
        """Give a folder to write into.

        Args:
            target: As ``prepare_folder`` returned it, or a folder that does not exist yet or is empty.
            size_bytes: How much will be written into it, if that is known.

        Raises:
            ExportError: Something else is there, or the operating system refuses.
        """
        part = _WholeFolder(target if isinstance(target, Target) else prepare_folder(target), size_bytes)
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

    def __init__(self, target: Target, size_bytes: int) -> None:
        self._target = target
        self._size_bytes = size_bytes
        self._old: Path | None = None
        self._stack = contextlib.ExitStack()
        self.has_appeared = False
        self.written_as: FileState | None = None
        require_room(target, size_bytes)
        with self._writing(), contextlib.ExitStack() as attempt:
            self._partial, handle = attempt.enter_context(partial_file(target.path))
            self.file = cast("BinaryIO", os.fdopen(handle, "w+b"))
            self._stack = attempt.pop_all()

    def _writing(self) -> contextlib.AbstractContextManager[None]:
        return writing(self._target, self._size_bytes)

    def finish(self) -> None:
        with self._writing():
            self.file.flush()
            os.fsync(self.file.fileno())
            self.written_as = state_of(os.fstat(self.file.fileno()))
            self.file.close()

    def appear(self, *, can_be_undone: bool) -> None:
        place = self._target.path
        with self._writing():
            require_free(self._target)
            if can_be_undone and place.exists():
                self._old = old_file(self._partial)
                _set_aside(place, self._old)
            self._partial.replace(place)
            self.has_appeared = True

    def undo(self) -> None:
        if self._old is not None:
            self._old.replace(self._target.path)
        elif self.has_appeared:
            self._target.path.unlink()

    def discard(self) -> None:
        with contextlib.suppress(OSError):
            self.file.close()
        if self._old is not None:
            with contextlib.suppress(OSError):
                self._old.unlink()
        with contextlib.suppress(OSError):
            self._stack.close()


@final
class _WholeFolder:
    """A folder that is written beside its target, inside a partial one, which is born private."""

    def __init__(self, target: Target, size_bytes: int) -> None:
        self._target = target
        self._size_bytes = size_bytes
        self._was_there = False
        self._stack = contextlib.ExitStack()
        self.has_appeared = False
        require_room(target, size_bytes)
        with self._writing(), contextlib.ExitStack() as attempt:
            partial = attempt.enter_context(partial_folder(target.path))
            self.folder = partial / "tree"
            self.folder.mkdir()
            self._stack = attempt.pop_all()

    def _writing(self) -> contextlib.AbstractContextManager[None]:
        return writing(self._target, self._size_bytes)

    def finish(self) -> None:
        """Do nothing: whoever writes the files makes each of them safe."""

    def appear(self, *, can_be_undone: bool) -> None:  # noqa: ARG002 - nothing that was there is lost
        place = self._target.path
        with self._writing():
            if place.exists():
                place.rmdir()  # empty, as was seen; not every system replaces a folder
                self._was_there = True
            self.folder.replace(place)
            self.has_appeared = True

    def undo(self) -> None:
        if self.has_appeared:
            self._target.path.replace(self.folder)
        if self._was_there:
            self._target.path.mkdir()

    def discard(self) -> None:
        with contextlib.suppress(OSError):
            self.folder.parent.rmdir()  # empty once the folder has gone to its place
        with contextlib.suppress(OSError):
            self._stack.close()


def _set_aside(target: Path, old: Path) -> None:
    """Give a file a second name; where the file system has no second names, another one."""
    try:
        os.link(target, old, follow_symlinks=False)
    except (OSError, NotImplementedError):
        target.replace(old)
