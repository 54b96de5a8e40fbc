"""Reading VIBs from any store: what the operating system refuses becomes our error.

Stores are the caller's, and so are their streams. Without this, a read error of the source
would look like one of the target, or leave the library as it is.
"""

from __future__ import annotations

import contextlib
import io
import os
from typing import TYPE_CHECKING, BinaryIO, cast, final

from esximage_builder.errors import SourceUnreadableError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from esximage_builder.models.vib import Vib
    from esximage_builder.models.vib_store import VibStore

__all__ = ["open_source"]


@contextlib.contextmanager
def open_source(store: VibStore, vib: Vib) -> Iterator[BinaryIO]:
    """Give the ``.vib`` file for reading, and close it in the end.

    Raises:
        SourceUnreadableError: The operating system refuses, here or while reading.
        NotInDepotError: The store has no such VIB.
        DepotError: The bytes are damaged; may also come while reading.
    """
    with _reading(vib.id):
        source = store.open_vib(vib)
    with source:
        yield cast("BinaryIO", _SourceStream(source, vib.id))


@contextlib.contextmanager
def _reading(where: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise SourceUnreadableError(
            f"the VIB cannot be read: {error.strerror or error}",
            where=where,
            hint="check that the depot is still there, and whole",
        ) from error


@final
class _SourceStream(io.RawIOBase):
    """A stream of a store, which it does not close."""

    def __init__(self, source: BinaryIO, where: str) -> None:
        super().__init__()
        self._source = source
        self._where = where

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1, /) -> bytes:
        with _reading(self._where):
            return self._source.read(size)

    def seekable(self) -> bool:
        return self._source.seekable()

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        with _reading(self._where):
            return self._source.seek(offset, whence)
