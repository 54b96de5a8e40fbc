"""gzip and ``.tgz``: streams in and out, with bytes that depend on no compression library.

What this library compresses itself is *stored* by default: deflate blocks of at most 65,535
bytes that are not compressed, which every reader of gzip takes. Level 0 of zlib would not do,
since it is cut differently by different versions. Real compression is an option.

Reading is bounded and checked: the CRC and length of each gzip member.

Source: RFC 1951, RFC 1952; see docs/formats.md for where ESXi uses them.
"""

from __future__ import annotations

import io
import struct
import zlib
from typing import TYPE_CHECKING, BinaryIO, Self, final

from esximage_builder.errors import (
    LimitExceededError,
    MalformedDocumentError,
)
from esximage_builder.streams.blocks import block_stream
from esximage_builder.streams.hashing import COPY_BLOCK_BYTES
from esximage_builder.streams.inflating import INFLATE_ERRORS, crc32_of, new_inflater

if TYPE_CHECKING:
    from collections.abc import Iterator


__all__ = [
    "DeflatedGzipWriter",
    "StoredGzipWriter",
    "gunzip_blocks",
    "gunzip_stream",
    "stored_gzip",
    "stored_gzip_bytes",
]

_GZIP_MAGIC = b"\x1f\x8b"
# Method deflate, no flags, no date, no extra flags, operating system unknown: RFC 1952, 2.3.
_GZIP_HEADER = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"
_STORED_BLOCK_BYTES = 65_535
_STORED_HEADER_BYTES = 5
_GZIP_TRAILER_BYTES = 8
_U32 = 0xFFFF_FFFF
_GZIP_WBITS = 31
_RAW_WBITS = -15
_SMALLEST_FEED = 512
_LARGEST_FEED = 64 * 1024


_DAMAGED_HINT = "the file is cut short or was changed: download it again"


# Writing gzip


class _GzipWriter:
    """What both writers share: header, CRC and length. Subclasses encode the data.

    No ``io`` base class, because those close themselves when they are collected, and would
    then write an end to a file that an error has left half-written.
    """

    def __init__(self, target: BinaryIO) -> None:
        self._target = target
        self._crc = 0
        self._length = 0
        self._is_closed = False
        target.write(_GZIP_HEADER)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            self.close()

    def write(self, data: bytes, /) -> int:
        """Take all of ``data`` and return its length in bytes."""
        if self._is_closed:
            raise ValueError("write to a closed gzip writer")
        self._crc = crc32_of(data, self._crc)
        self._length += len(data)
        self._encode(data)
        return len(data)

    def close(self) -> None:
        """Write the end of the gzip member, once; the target stays open."""
        if self._is_closed:
            return
        self._is_closed = True
        self._finish()
        self._target.write(struct.pack("<II", self._crc, self._length & _U32))

    def _encode(self, data: bytes) -> None:
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

    def _encode(self, data: bytes) -> None:
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

    def _encode(self, data: bytes) -> None:
        self._target.write(self._compressor.compress(data))

    def _finish(self) -> None:
        self._target.write(self._compressor.flush())


def stored_gzip(data: bytes) -> bytes:
    """Return ``data`` as one gzip member of stored blocks, without date and name."""
    target = io.BytesIO()
    with StoredGzipWriter(target) as writer:
        writer.write(data)
    return target.getvalue()


def stored_gzip_bytes(size_bytes: int) -> int:
    """Return the length of so many bytes as one gzip member of stored blocks."""
    blocks = max(1, -(-size_bytes // _STORED_BLOCK_BYTES))
    return len(_GZIP_HEADER) + size_bytes + blocks * _STORED_HEADER_BYTES + _GZIP_TRAILER_BYTES


# Reading gzip


@final
class _Feed:
    """Compressed input in slices that start small at each gzip member and then grow.

    zlib copies what follows a member out of the slice it was given; small first slices keep
    that cheap for a file of very many, very small members.
    """

    def __init__(self, source: BinaryIO) -> None:
        self._source = source
        self._buffer = b""
        self._at = 0
        self._slice_bytes = _SMALLEST_FEED

    def peek(self, count: int) -> bytes:
        """Return the next ``count`` bytes without taking them, fewer only at the end."""
        while len(self._buffer) - self._at < count and (block := self._source.read(COPY_BLOCK_BYTES)):
            self._buffer = self._buffer[self._at :] + block
            self._at = 0
        return self._buffer[self._at : self._at + count]

    def take(self) -> bytes:
        """Return the next slice, empty at the end of the source."""
        taken = self.peek(1) and self._buffer[self._at : self._at + self._slice_bytes]
        self._at += len(taken)
        self._slice_bytes = min(self._slice_bytes * 4, _LARGEST_FEED)
        return taken

    def put_back(self, count: int) -> None:
        """Put back the last ``count`` bytes of the last slice, and start small again."""
        self._at -= count
        self._slice_bytes = _SMALLEST_FEED


def gunzip_blocks(source: BinaryIO, *, where: str, max_bytes: int) -> Iterator[bytes]:
    """Inflate a gzip stream of one or more members, block by block.

    Args:
        source: Stands where the first member begins; read to its end, not closed.
        where: How to name the stream in errors.
        max_bytes: The most that all members together may expand to.

    Yields:
        Blocks of at most ``COPY_BLOCK_BYTES``, none of them empty. They are only to be
        trusted once the iterator has ended, since the CRC comes last.

    Raises:
        MalformedDocumentError: No gzip, cut short, a wrong CRC or length, or anything but
            zeros after the last member.
        LimitExceededError: It expands to more than ``max_bytes``.
    """
    feed = _Feed(source)
    _require_gzip(feed, where=where)
    produced = 0
    while feed.peek(2) == _GZIP_MAGIC:
        for block in _inflate_member(feed, where=where):
            produced += len(block)
            if produced > max_bytes:
                raise LimitExceededError(
                    "the gzip stream expands to more than the limit",
                    where=where,
                    found=f"more than {max_bytes} bytes",
                    expected=f"at most {max_bytes} bytes",
                    hint="if the file is trusted, pass ReadLimits with larger values",
                )
            yield block
    while rest := feed.take():
        if rest.strip(b"\0"):
            raise MalformedDocumentError(
                "something follows the end of the gzip stream",
                where=where,
                found=repr(rest.lstrip(b"\0")[:16]),
                expected="the end of the file, or zeros",
                hint=_DAMAGED_HINT,
            )


def _require_gzip(feed: _Feed, *, where: str) -> None:
    magic = feed.peek(2)
    if magic != _GZIP_MAGIC:
        raise MalformedDocumentError(
            "this is no gzip stream",
            where=where,
            found=repr(feed.peek(16)) if magic else "nothing",
            expected=repr(_GZIP_MAGIC),
            hint=_DAMAGED_HINT,
        )


def _inflate_member(feed: _Feed, *, where: str) -> Iterator[bytes]:
    inflater = new_inflater(_GZIP_WBITS)
    data = feed.take()
    while True:
        try:
            block = inflater.decompress(data, COPY_BLOCK_BYTES)
        except INFLATE_ERRORS as error:
            raise MalformedDocumentError(
                "the gzip stream is damaged", where=where, found=str(error), hint=_DAMAGED_HINT
            ) from error
        if block:
            yield block
        if inflater.eof:
            feed.put_back(len(inflater.unused_data))
            return
        data = inflater.unconsumed_tail
        if not data and len(block) < COPY_BLOCK_BYTES:
            data = feed.take()
            if not data:
                raise MalformedDocumentError("the gzip stream is cut short", where=where, hint=_DAMAGED_HINT)


def gunzip_stream(source: BinaryIO, *, where: str, max_bytes: int) -> BinaryIO:
    """Return ``gunzip_blocks`` as a readable stream, not seekable; its errors come while reading."""
    return block_stream(gunzip_blocks(source, where=where, max_bytes=max_bytes))
