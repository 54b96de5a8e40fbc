"""Zstandard streams, as ESXi 9 payloads (``vzstd``) have inside their gzip wrapper.

The standard library has a reader from Python 3.14 on; before that the optional extra
``zstd`` brings one.

Source: docs/formats.md#vib.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from esximage_builder.errors import LimitExceededError, MalformedDocumentError, MissingExtraError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["unzstd_blocks"]

_PIECE_BYTES = 1024 * 1024


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

    Raises:
        MissingExtraError: No reader is installed.
        MalformedDocumentError: No zstandard stream, damaged or cut short.
        LimitExceededError: It unpacks to more than ``max_bytes``.
    """
    zstd = _zstd()
    reader = zstd.ZstdDecompressor()
    produced = 0
    is_inside = False
    try:
        for block in blocks:
            data = block
            while data or (is_inside and not reader.needs_input):
                piece = reader.decompress(data, _PIECE_BYTES)
                data = b""
                is_inside = True
                produced += len(piece)
                if produced > max_bytes:
                    raise LimitExceededError(
                        "the payload unpacks to more than the limit", where=where, expected=f"at most {max_bytes} bytes"
                    )
                if piece:
                    yield piece
                if reader.eof:
                    data, reader, is_inside = reader.unused_data, zstd.ZstdDecompressor(), False
                elif not piece and reader.needs_input:
                    break
    except zstd.ZstdError as error:
        raise MalformedDocumentError(f"this is no zstandard stream: {error}", where=where) from error
    if is_inside or not produced:
        raise MalformedDocumentError("the zstandard stream is cut short", where=where)
