"""The boot information table: a BIOS loader is told where on the disc it stands.

Whoever writes a disc puts it over bytes 8 to 63 of the loader: four little-endian numbers, then 40
zeros. They are the sector of the primary descriptor, sector and length of the loader, and the
sum of its 32-bit words from byte 64 on.

Source: docs/formats.md#disc-layout.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from esximage_builder.containers.iso9660_reader import BLOCK_BYTES, DESCRIPTORS_AT

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = [
    "SMALLEST_LOADER_BYTES",
    "is_boot_info_table_right",
    "is_rest_usual",
    "possible_originals",
    "with_boot_info_table",
    "without_boot_info_table",
]

_START, _END = 8, 64
SMALLEST_LOADER_BYTES = _END

_NUMBERS = struct.Struct("<IIII")
_RESERVED = bytes(_END - _START - _NUMBERS.size)
# What a loader holds in place of the table before it is put on a disc: zeros, or what ISOLINUX has.
_DEAD_BEEF = b"\xef\xbe\xad\xde"
_FILLERS = (bytes(56), _DEAD_BEEF * 14, b"\x10\x00\x00\x00\x00\x00\x00\x00" + _DEAD_BEEF * 12)


def with_boot_info_table(content: bytes, *, offset: int) -> bytes:
    """Return a BIOS loader as it stands on disc.

    Args:
        content: The loader as shipped, at least 64 bytes.
        offset: Where it starts on disc, in bytes.
    """
    rest = content[_END:]
    rest += bytes(-len(rest) % 4)
    checksum = sum(struct.unpack(f"<{len(rest) // 4}I", rest)) & 0xFFFFFFFF
    numbers = _NUMBERS.pack(DESCRIPTORS_AT, offset // BLOCK_BYTES, len(content), checksum)
    return content[:_START] + numbers + _RESERVED + content[_END:]


def is_boot_info_table_right(content: bytes, *, offset: int) -> bool:
    """Tell whether a loader on disc has a table with the right numbers; the reserved bytes do not matter."""
    stated = slice(_START, _START + _NUMBERS.size)
    return len(content) >= _END and with_boot_info_table(content, offset=offset)[stated] == content[stated]


def is_rest_usual(content: bytes) -> bool:
    """Tell whether the reserved bytes of the table are zeros, or what a loader had there before."""
    at = _START + _NUMBERS.size
    rests = (_RESERVED, *(filler[_NUMBERS.size :] for filler in _FILLERS))
    return content[at:_END] in rests


def without_boot_info_table(content: bytes) -> bytes:
    """Return what no table covers, to compare two copies of one loader."""
    return content[:_START] + content[_END:]


def possible_originals(content: bytes) -> Iterator[bytes]:
    """Yield what a loader on disc may have been before it got its table, first the loader as it is."""
    for filler in (content[_START:_END], *_FILLERS):
        yield content[:_START] + filler + content[_END:]
