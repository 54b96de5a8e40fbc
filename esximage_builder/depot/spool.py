"""Room for archives that lie in other archives: one temporary file for all of one opening.

A zip inside a zip cannot be read where it is, since only its end tells what it holds.
So it is copied, unpacked, behind those copied before it; one that turns out to be of no use gives its room back.
All copies are charged to one budget, those of no use too: a small file must not keep a disc busy for hours.
"""

from __future__ import annotations

import contextlib
import tempfile
from typing import TYPE_CHECKING, BinaryIO, cast, final

from esximage_builder.errors import SourceUnreadableError
from esximage_builder.streams.shared_file import SharedFile

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from esximage_builder.limits import ReadBudget

__all__ = ["Spool", "using_temporary_file"]


@contextlib.contextmanager
def using_temporary_file(where: str) -> Iterator[None]:
    """Turn what the operating system refuses, such as room, into our error.

    Raises:
        SourceUnreadableError: It refuses.
    """
    try:
        yield
    except OSError as error:
        raise SourceUnreadableError(
            "the archive cannot be unpacked to a temporary file",
            where=where,
            found=error.strerror or str(error),
            hint=f"make room in {tempfile.gettempdir()}, or set TMPDIR to another folder",
        ) from error


@final
class Spool:
    """The temporary file of one opening, made when it is first needed; written by one thread, read by any.

    Args:
        stack: Closes it.
        budget: Charged with every copy.

    Attributes:
        size_bytes: What it holds.
    """

    def __init__(self, stack: contextlib.ExitStack, budget: ReadBudget) -> None:
        # One of its own: what enters the caller's later, when that has given its contexts away, is never closed.
        self._stack = stack.enter_context(contextlib.ExitStack())
        self._budget = budget
        self._file: BinaryIO | None = None
        self.size_bytes = 0

    def copy_of(self, blocks: Iterable[bytes], *, size_bytes: int, where: str) -> SharedFile:
        """Return a copy of an archive, which stays until the opening ends or the file is cut back.

        Args:
            blocks: The archive.
            size_bytes: Its length; no more may come.
            where: How to name it in errors.

        Raises:
            LimitExceededError: All copies together pass ``nested_bytes``.
            SourceUnreadableError: There is no room for it.
            DepotError: As the blocks.
        """
        self._budget.spend_nested(size_bytes, where=where)
        with using_temporary_file(where):
            file = self._opened()
            start = file.seek(self.size_bytes)
            for block in blocks:
                view = memoryview(block)
                while view:
                    view = view[file.write(view) :]
            self.size_bytes = file.tell()
        return self._whole.part(start, self.size_bytes - start, where=where, noun="zip archive")

    def _opened(self) -> BinaryIO:
        if self._file is None:
            self._file = cast("BinaryIO", self._stack.enter_context(tempfile.TemporaryFile(buffering=0)))  # noqa: SIM115
            self._whole = SharedFile(self._file.fileno(), where=tempfile.gettempdir(), noun="temporary file")
        return self._file

    def cut_back(self, size_bytes: int) -> None:
        """Give the room back of what was copied since the file had so many bytes."""
        if self._file is not None:
            self._file.truncate(size_bytes)
        self.size_bytes = size_bytes
