"""Small readable streams over other streams; none of them holds more than a block."""

from __future__ import annotations

import io
import os
from typing import TYPE_CHECKING, BinaryIO, cast, final

from esximage_builder.errors import MalformedDocumentError
from esximage_builder.streams.hashing import COPY_BLOCK_BYTES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from esximage_builder.limits import ReadBudget

__all__ = ["BlockStream", "BoundedStream", "block_stream", "bounded_stream", "counted_stream", "ends_inside"]

_CHARGED_BYTES = 64 * 1024


@final
class BlockStream(io.RawIOBase):
    """A readable stream over an iterator of blocks, for those who want to say how much."""

    def __init__(self, blocks: Iterator[bytes]) -> None:
        super().__init__()
        self._blocks = blocks
        self._block = memoryview(b"")

    def readable(self) -> bool:
        """Return True."""
        return True

    def read(self, size: int = -1, /) -> bytes:
        """Return up to ``size`` bytes, everything for -1, ``b""`` at the end."""
        if size < 0:
            rest = bytes(self._block) + b"".join(self._blocks)
            self._block = memoryview(b"")
            return rest
        while size and not self._block:
            block = next(self._blocks, None)
            if block is None:
                return b""
            self._block = memoryview(block)
        data = bytes(self._block[:size])
        self._block = self._block[len(data) :]
        return data

    def readinto(self, buffer: bytearray | memoryview, /) -> int:  # type: ignore[override]
        """Fill ``buffer`` from at most one block; 0 at the end."""
        data = self.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)


@final
class BoundedStream(io.RawIOBase):
    """The next ``size_bytes`` of a shared stream; ends with an error if the source ends first."""

    def __init__(self, source: BinaryIO, size_bytes: int, *, where: str) -> None:
        super().__init__()
        self._source = source
        self._size_bytes = size_bytes
        self._where = where
        self.unread_bytes = size_bytes

    def readable(self) -> bool:
        """Return True."""
        return True

    def read(self, size: int = -1, /) -> bytes:
        """Return up to ``size`` bytes, all that is left for -1, ``b""`` at the end.

        Raises:
            MalformedDocumentError: The source ends before the bound.
            ValueError: The stream is closed: the archive has moved on.
        """
        if self.closed:
            raise ValueError("the archive has moved on: this member's stream is closed")
        if size < 0:
            return b"".join(iter(lambda: self.read_block(COPY_BLOCK_BYTES), b""))
        return self.read_block(size)

    def readinto(self, buffer: bytearray | memoryview, /) -> int:  # type: ignore[override]
        """Fill ``buffer`` as far as one read of the source does; 0 at the end."""
        data = self.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def read_block(self, size: int) -> bytes:
        """Read even when closed, for those who skip.

        Raises:
            MalformedDocumentError: The source ends before the bound.
        """
        wanted = min(size, self.unread_bytes)
        data = self._source.read(wanted) if wanted else b""
        if wanted and not data:
            raise ends_inside(self._where, size_bytes=self._size_bytes)
        self.unread_bytes -= len(data)
        return data

    def skip_rest(self) -> None:
        """Leave the source behind the last byte; seek where the source can, else read and drop.

        Raises:
            MalformedDocumentError: The source ends before the bound.
        """
        if self.unread_bytes > COPY_BLOCK_BYTES and self._source.seekable():
            # The last byte is still read: a seek beyond the end would not notice that it is missing.
            self._source.seek(self.unread_bytes - 1, os.SEEK_CUR)
            self.unread_bytes = 1
        while self.unread_bytes:
            self.read_block(COPY_BLOCK_BYTES)


def ends_inside(where: str, *, size_bytes: int) -> MalformedDocumentError:
    """Return the error for an archive that ends inside a member of that length."""
    return MalformedDocumentError(
        "the archive ends inside a member",
        where=where,
        expected=f"{size_bytes} bytes of data",
        hint="the file is cut short or was changed: download it again",
    )


def bounded_stream(source: BinaryIO, size_bytes: int, *, where: str) -> BinaryIO:
    """Return the next ``size_bytes`` of ``source`` as a stream; see ``BoundedStream``."""
    return cast("BinaryIO", BoundedStream(source, size_bytes, where=where))


def block_stream(blocks: Iterable[bytes]) -> BinaryIO:
    """Return the blocks as one stream; see ``BlockStream``."""
    return cast("BinaryIO", BlockStream(iter(blocks)))


def counted_stream(source: BinaryIO, budget: ReadBudget | None, *, where: str) -> BinaryIO:
    """Return the rest of ``source`` as a stream of which every byte is charged to the budget before it is given."""
    if budget is None:
        return source
    return block_stream(budget.counted(iter(lambda: source.read(_CHARGED_BYTES), b""), where=where))
