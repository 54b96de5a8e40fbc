"""The door to inflating and to CRC-32: zlib, or zlib-ng with the extra ``fast``.

zlib-ng is a fork of zlib and takes and refuses the same streams, in half the time. Nothing is compressed with it:
what it writes differs from what zlib writes, and no byte of an output may depend on what is installed.
"""

from __future__ import annotations

import contextlib
import zlib
from typing import Any, Protocol, cast

_engine: Any = zlib
with contextlib.suppress(ImportError):
    from zlib_ng import zlib_ng as _engine

__all__ = ["INFLATE_ERRORS", "Inflater", "crc32_of", "new_inflater"]


class Inflater(Protocol):
    """What ``zlib.decompressobj`` returns, as far as it is used."""

    eof: bool
    unconsumed_tail: bytes
    unused_data: bytes

    def decompress(self, data: bytes, max_length: int = 0, /) -> bytes:
        """Return the next plain bytes, at most so many; 0 is no bound."""


INFLATE_ERRORS: tuple[type[Exception], ...] = (zlib.error, _engine.error)
"""What an inflater raises for a damaged stream."""


def new_inflater(wbits: int) -> Inflater:
    """Return an inflater for streams of that form, as zlib numbers them: 31 is gzip, -15 bare deflate."""
    return cast("Inflater", _engine.decompressobj(wbits))


def crc32_of(data: bytes | bytearray | memoryview, before: int = 0) -> int:
    """Return the CRC-32 of all bytes so far, of which ``before`` is that of the earlier ones."""
    return int(_engine.crc32(data, before))
