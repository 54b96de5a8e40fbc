"""The 512-byte header that tar and vmtar have in common, written the same way for both.

Numbers are octal digits and a NUL, the owner is root, and the checksum counts its own field as
blanks. What follows the owner is each format's own: a name prefix in tar, the place of the
data in a vmtar.

Source: POSIX ``ustar``; docs/formats.md#payloads for vmtar.
"""

from __future__ import annotations

import struct

__all__ = [
    "BLOCK_BYTES",
    "LARGEST_OCTAL",
    "NAME_BYTES",
    "USTAR_MAGIC",
    "VISOR_MAGIC",
    "checksum_of",
    "render_header",
    "split_name",
]

BLOCK_BYTES = 512
NAME_BYTES = 100
LARGEST_OCTAL = 8**11 - 1
USTAR_MAGIC = b"ustar\x0000"
VISOR_MAGIC = b"visor  \x00"

_PREFIX_BYTES = 155
_CHECKSUM = slice(148, 156)
_BEFORE = struct.Struct("<100s8s8s8s12s12s")
_AFTER = struct.Struct("<1s100s8s32s32s183s")


def render_header(
    name: bytes,
    *,
    kind: bytes,
    size_bytes: int,
    mode: int,
    timestamp: int,
    magic: bytes = USTAR_MAGIC,
    after_owner: bytes = b"",
    link: bytes = b"",
) -> bytes:
    """Return the header of one entry, owned by root.

    Args:
        name: At most 100 bytes; more are cut off.
        kind: Type flag, one byte.
        size_bytes: Length of the data, at most ``LARGEST_OCTAL``.
        mode: Permission bits.
        timestamp: Seconds since 1970 (UTC), at most ``LARGEST_OCTAL``.
        magic: Which tar it is.
        after_owner: What stands behind user and group, from byte 329 on; zeros fill it up.
        link: What a link leads to, at most 100 bytes; more are cut off.
    """
    before = _BEFORE.pack(name, b"%07o" % mode, b"%07o" % 0, b"%07o" % 0, b"%011o" % size_bytes, b"%011o" % timestamp)
    after = _AFTER.pack(kind, link, magic, b"root", b"root", after_owner)
    return before + b"%06o\0 " % checksum_of(before + bytes(_CHECKSUM.stop - _CHECKSUM.start) + after) + after


def checksum_of(header: bytes) -> int:
    """Return the checksum of a header, whatever stands in its checksum field."""
    blanks = ord(" ") * (_CHECKSUM.stop - _CHECKSUM.start)
    return sum(header) - sum(header[_CHECKSUM]) + blanks


def split_name(raw: bytes) -> tuple[bytes, bytes] | None:
    """Split a name into ustar's prefix and name, at a slash; None if it does not fit."""
    if len(raw) <= NAME_BYTES:
        return b"", raw
    at = raw.find(b"/", max(0, len(raw) - NAME_BYTES - 1), len(raw) - 1)
    return (raw[:at], raw[at + 1 :]) if 0 < at <= _PREFIX_BYTES else None
