"""Zstandard streams, as ESXi 9 payloads (``vzstd``) have inside their gzip wrapper.

The standard library has a reader from Python 3.14 on; before that the optional extra
``zstd`` brings one.

Source: docs/formats.md#payloads, RFC 8878.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from esximage_builder.errors import LimitExceededError, MalformedDocumentError, MissingExtraError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["unzstd_blocks"]

_PIECE_BYTES = 1024 * 1024
# What follows a frame is copied out of the slice it came in: small ones keep very many small frames cheap.
_SMALLEST_FEED = 512
_LARGEST_FEED = 64 * 1024
_DAMAGED_HINT = "the file is cut short or was changed: download it again"


def _zstd() -> Any:  # noqa: ANN401 - whichever module there is
    """Return the standard library's module, else its backport; both have one interface."""
    for name in ("compression.zstd", "backports.zstd"):
        try:
            return importlib.import_module(name)
        except ImportError:
            continue
    raise MissingExtraError(
        "no zstandard reader is installed",
        expected="Python 3.14 or the extra",
        hint="pip install esximage-builder[zstd]",
    )


def unzstd_blocks(blocks: Iterable[bytes], *, where: str, max_bytes: int) -> Iterator[bytes]:
    """Yield the unpacked bytes of one or more zstandard frames, at most 1 MiB at once.

    Args:
        blocks: The stream; not touched if no reader is installed.
        where: How to name it in errors.
        max_bytes: The most that all frames together may unpack to.

    Raises:
        MissingExtraError: No reader is installed.
        MalformedDocumentError: No zstandard stream, damaged or cut short; it needs more than
            128 MiB of memory to be unpacked.
        LimitExceededError: It unpacks to more than ``max_bytes``.
    """
    zstd = _zstd()
    reader = zstd.ZstdDecompressor()
    produced = feed_bytes = 0
    is_whole = False
    try:
        for block in blocks:
            at = 0
            while at < len(block) or not (is_whole or reader.needs_input):
                if is_whole:
                    reader, is_whole, feed_bytes = zstd.ZstdDecompressor(), False, 0
                feed_bytes = min(max(feed_bytes * 4, _SMALLEST_FEED), _LARGEST_FEED)
                data = block[at : at + feed_bytes] if reader.needs_input else b""
                piece = reader.decompress(data, _PIECE_BYTES)
                produced += len(piece)
                if produced > max_bytes:
                    raise _too_large(where, max_bytes)
                if piece:
                    yield piece
                at += len(data)
                if reader.eof:
                    is_whole, at = True, at - len(reader.unused_data)
                elif not (piece or data):
                    break
    except zstd.ZstdError as error:
        raise MalformedDocumentError(
            "the zstandard stream is damaged", where=where, found=str(error), hint=_DAMAGED_HINT
        ) from error
    if not is_whole:
        raise MalformedDocumentError("the zstandard stream is cut short", where=where, hint=_DAMAGED_HINT)


def _too_large(where: str, max_bytes: int) -> LimitExceededError:
    return LimitExceededError(
        "the zstandard stream expands to more than the limit",
        where=where,
        found=f"more than {max_bytes} bytes",
        expected=f"at most {max_bytes} bytes",
        hint="if the file is trusted, pass ReadLimits with larger values",
    )
