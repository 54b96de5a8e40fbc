"""A file that several things are written into, each at a place of its own and in any order."""

from __future__ import annotations

import contextlib
import io
import os
import sys
import threading
from typing import TYPE_CHECKING, BinaryIO, final

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from _typeshed import ReadableBuffer

__all__ = ["Extent", "PlacedFile"]

_WRITE_BACK_BYTES = 1 << 20
_CAN_BEGIN = sys.platform == "linux"


@final
class PlacedFile:
    """A file that is written at places, from any thread.

    Where the system can write at a position, bytes go there at once, past the buffer of the file and beside
    each other. What was written to the file before is put there first; nobody else may move its position
    where the system cannot.

    Args:
        file: Seekable; not closed.
        writing: Gives the context that each write is done in, which words what the operating system refuses.
    """

    def __init__(self, file: BinaryIO, writing: Callable[[], AbstractContextManager[None]]) -> None:
        self._file = file
        self._writing = writing
        self._lock = threading.Lock()
        self._position = -1
        with writing():
            file.flush()
        self._handle = _handle_of(file)

    def write_at(self, offset: int, data: ReadableBuffer) -> None:
        """Write all of ``data``, the first byte at ``offset``."""
        if self._handle is None:
            self._seek_and_write(offset, data)
            return
        view = memoryview(data).cast("B")
        with self._writing():
            while view:
                written = os.pwrite(self._handle, view, offset)
                view, offset = view[written:], offset + written

    def _seek_and_write(self, offset: int, data: ReadableBuffer) -> None:
        with self._lock, self._writing():
            if offset != self._position:
                self._position = -1  # unless all goes well
                self._file.seek(offset)
            self._position = -1
            written = self._file.write(data)
            self._position = offset + written

    def write_back(self, offset: int, count: int) -> None:
        """Have the system begin to put these bytes on the disk, so that the wait at the end is short.

        Linux does so when it is told that the bytes in memory will not be needed; those not yet on
        the disk it keeps. Elsewhere nothing is done.
        """
        if _CAN_BEGIN and self._handle is not None:
            with contextlib.suppress(OSError):  # a pipe or an odd file system; it was no more than a wish
                os.posix_fadvise(self._handle, offset, count, os.POSIX_FADV_DONTNEED)

    def extent(self, offset: int) -> Extent:
        """Give the place that begins at ``offset``."""
        return Extent(self, offset)


def _handle_of(file: BinaryIO) -> int | None:
    """Return the descriptor of a file of the operating system that can be written at positions."""
    if not hasattr(os, "pwrite"):
        return None
    try:
        return file.fileno()
    except io.UnsupportedOperation:
        return None


@final
class Extent:
    """A place in a file, written in order from its beginning."""

    def __init__(self, file: PlacedFile, offset: int) -> None:
        self._file = file
        self._offset = offset
        self._begun = offset

    def write(self, data: ReadableBuffer, /) -> int:
        """Take the next bytes and return how many they are."""
        count = memoryview(data).nbytes
        self._file.write_at(self._offset, data)
        self._offset += count
        if self._offset - self._begun >= _WRITE_BACK_BYTES:
            self._file.write_back(self._begun, self._offset - self._begun)
            self._begun = self._offset
        return count
