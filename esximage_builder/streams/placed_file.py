"""A file that several things are written into, each at a place of its own and in any order."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, BinaryIO, final

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from _typeshed import ReadableBuffer

__all__ = ["Extent", "PlacedFile"]


@final
class PlacedFile:
    """A file that is written at places; from any thread, as long as nobody else moves its position.

    Args:
        file: Seekable; not closed.
        writing: Gives the context that each write is done in, which words what the operating system refuses.
    """

    def __init__(self, file: BinaryIO, writing: Callable[[], AbstractContextManager[None]]) -> None:
        self._file = file
        self._writing = writing
        self._lock = threading.Lock()
        self._position = -1

    def write_at(self, offset: int, data: ReadableBuffer) -> None:
        """Write all of ``data``, the first byte at ``offset``."""
        with self._lock, self._writing():
            if offset != self._position:
                self._position = -1  # unless all goes well
                self._file.seek(offset)
            self._position = -1
            written = self._file.write(data)
            self._position = offset + written

    def extent(self, offset: int) -> Extent:
        """Give the place that begins at ``offset``."""
        return Extent(self, offset)


@final
class Extent:
    """A place in a file, written in order from its beginning."""

    def __init__(self, file: PlacedFile, offset: int) -> None:
        self._file = file
        self._offset = offset

    def write(self, data: ReadableBuffer, /) -> int:
        """Take the next bytes and return how many they are."""
        count = memoryview(data).nbytes
        self._file.write_at(self._offset, data)
        self._offset += count
        return count
