"""Names of the first members of a ``.tgz``, from its first bytes alone: enough to say what it is.

Nothing is trusted and nothing refused: what cannot be told ends the list. Who reads the archive
takes ``containers.tar_gz``, which checks every byte.

Source: POSIX ``ustar``.
"""

from __future__ import annotations

from esximage_builder.containers.ustar import BLOCK_BYTES
from esximage_builder.streams.inflating import INFLATE_ERRORS, new_inflater

__all__ = ["first_member_names"]

_MOST_BYTES = 1024 * 1024
_GZIP_WINDOW = 31  # zlib's way to say: with a gzip header
_NAME, _SIZE, _MAGIC, _PREFIX = slice(0, 100), slice(124, 136), slice(257, 262), slice(345, 500)


def first_member_names(head: bytes) -> list[str]:
    """Return the names of the members whose headers stand in the first bytes of a ``.tgz``.

    Args:
        head: The first bytes of the file, of any length.

    Returns:
        Names without leading ``./``; none if this is no tar inside gzip.
    """
    unpacked = _unpacked(head)
    names: list[str] = []
    at = 0
    while len(header := unpacked[at : at + BLOCK_BYTES]) == BLOCK_BYTES and header[_MAGIC] == b"ustar":
        digits = header[_SIZE].strip(b" \0")
        if not digits.isdigit() or digits.strip(b"01234567"):
            break
        prefix = _text(header[_PREFIX]) if header[_MAGIC.stop : _MAGIC.stop + 1] == b"\0" else ""
        names.append("/".join(part for part in (prefix, _text(header[_NAME])) if part).removeprefix("./"))
        size = int(digits, 8)
        at += BLOCK_BYTES + size + -size % BLOCK_BYTES
    return names


def _unpacked(head: bytes) -> bytes:
    try:
        return new_inflater(_GZIP_WINDOW).decompress(head, _MOST_BYTES)
    except INFLATE_ERRORS:
        return b""


def _text(field: bytes) -> str:
    return field.partition(b"\0")[0].decode("utf-8", "replace")
