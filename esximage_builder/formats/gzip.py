"""gzip and ``.tgz``: streams in and out, with bytes that depend on no compression library.

What this library compresses itself is *stored* by default: deflate blocks of at most 65,535
bytes that are not compressed, which every reader of gzip takes. Level 0 of zlib would not do,
since it is cut differently by different versions. Real compression is an option.

Reading is bounded and checked: the CRC and length of each gzip member, names that stay below
the target, regular files and folders only. This is the only module that knows ``tarfile``,
and it uses it for one thing, to take a header apart.

Source: RFC 1951, RFC 1952, POSIX ``ustar``; see docs/formats.md for where ESXi uses them.
"""

from __future__ import annotations

import io
import struct
import tarfile
import zlib
from typing import TYPE_CHECKING, BinaryIO, Self, cast, final

import attrs

from esximage_builder.checksums import COPY_BLOCK_BYTES
from esximage_builder.errors import (
    LimitExceededError,
    MalformedDocumentError,
    ModelError,
    UnsafeArchiveError,
)
from esximage_builder.limits import ReadBudget

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from esximage_builder.limits import ReadLimits

__all__ = [
    "DeflatedGzipWriter",
    "StoredGzipWriter",
    "TarGzReader",
    "TarGzWriter",
    "TarMember",
    "gunzip_blocks",
    "gunzip_stream",
    "read_tgz",
    "render_tgz",
    "stored_gzip",
]

_GZIP_MAGIC = b"\x1f\x8b"
# Method deflate, no flags, no date, no extra flags, operating system unknown: RFC 1952, 2.3.
_GZIP_HEADER = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"
_STORED_BLOCK_BYTES = 65_535
_U32 = 0xFFFF_FFFF
_GZIP_WBITS = 31
_RAW_WBITS = -15
_SMALLEST_FEED = 512
_LARGEST_FEED = 64 * 1024

_TAR_BLOCK = 512
_TAR_RECORD = 10_240
_NAME_BYTES = 100
_PREFIX_BYTES = 155
_LARGEST_OCTAL_SIZE = 8**11 - 1
_LONG_NAME_BYTES = 64 * 1024

_DAMAGED_HINT = "the file is cut short or was changed: download it again"


# Writing gzip


class _GzipWriter(io.RawIOBase):
    """What both writers share: header, CRC and length. Subclasses encode the data."""

    def __init__(self, target: BinaryIO) -> None:
        super().__init__()
        self._target = target
        self._crc = 0
        self._length = 0
        target.write(_GZIP_HEADER)

    def writable(self) -> bool:
        return True

    def write(self, data: bytes | bytearray | memoryview, /) -> int:  # type: ignore[override]
        """Take all of ``data`` and return its length in bytes."""
        if self.closed:
            raise ValueError("write to a closed gzip writer")
        self._crc = zlib.crc32(data, self._crc)
        self._length += len(data)
        self._encode(data)
        return len(data)

    def close(self) -> None:
        """Write the end of the gzip member; the target stays open."""
        if not self.closed:
            self._finish()
            self._target.write(struct.pack("<II", self._crc, self._length & _U32))
        super().close()

    def _encode(self, data: bytes | bytearray | memoryview) -> None:
        raise NotImplementedError

    def _finish(self) -> None:
        raise NotImplementedError


@final
class StoredGzipWriter(_GzipWriter):
    """Writes one gzip member of stored blocks; the same data gives the same bytes however it is cut.

    Args:
        target: Written to in order, never closed. One block at most is held back.
    """

    def __init__(self, target: BinaryIO) -> None:
        super().__init__(target)
        self._pending = bytearray()

    def _encode(self, data: bytes | bytearray | memoryview) -> None:
        self._pending += data
        while len(self._pending) > _STORED_BLOCK_BYTES:
            self._write_block(bytes(self._pending[:_STORED_BLOCK_BYTES]), is_last=False)
            del self._pending[:_STORED_BLOCK_BYTES]

    def _finish(self) -> None:
        self._write_block(bytes(self._pending), is_last=True)
        self._pending.clear()

    def _write_block(self, block: bytes, *, is_last: bool) -> None:
        self._target.write(struct.pack("<BHH", is_last, len(block), len(block) ^ 0xFFFF))
        self._target.write(block)


@final
class DeflatedGzipWriter(_GzipWriter):
    """Writes one compressed gzip member; its bytes are the same for one version of zlib only.

    Args:
        target: Written to in order, never closed.
    """

    def __init__(self, target: BinaryIO) -> None:
        super().__init__(target)
        self._compressor = zlib.compressobj(9, zlib.DEFLATED, _RAW_WBITS)

    def _encode(self, data: bytes | bytearray | memoryview) -> None:
        self._target.write(self._compressor.compress(data))

    def _finish(self) -> None:
        self._target.write(self._compressor.flush())


def stored_gzip(data: bytes) -> bytes:
    """Return ``data`` as one gzip member of stored blocks, without date and name."""
    target = io.BytesIO()
    with StoredGzipWriter(target) as writer:
        writer.write(data)
    return target.getvalue()


# Reading gzip


@final
class _Feed:
    """Compressed input in slices that grow inside a member and start small at its beginning.

    zlib copies what follows a member out of the slice it was given; small first slices keep
    that cheap for a file of very many, very small members.
    """

    def __init__(self, source: BinaryIO) -> None:
        self._source = source
        self._block = memoryview(b"")
        self._slice_bytes = _SMALLEST_FEED

    def take(self) -> memoryview:
        """Return the next slice, empty at the end of the source."""
        if not self._block:
            self._block = memoryview(self._source.read(COPY_BLOCK_BYTES))
        taken = self._block[: self._slice_bytes]
        self._block = self._block[len(taken) :]
        self._slice_bytes = min(self._slice_bytes * 4, _LARGEST_FEED)
        return taken

    def put_back(self, rest: bytes) -> None:
        """Put back what a member left over, and start small again."""
        self._block = memoryview(rest + bytes(self._block)) if rest else self._block
        self._slice_bytes = _SMALLEST_FEED
