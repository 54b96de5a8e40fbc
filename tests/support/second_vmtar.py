"""A second reader of vmtars, written from docs/formats.md alone: it shares nothing with the package.

It takes what our writer promises and nothing else: visor headers only, their checksum by the tar rule,
numbers in octal, an offset for each file with data, at a page, and all of it in order.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

__all__ = ["Seen", "second_reading"]

_BLOCK, _PAGE = 512, 4096


@dataclass(frozen=True)
class Seen:
    """An entry: name, type flag, mode, date, owner, content and link target."""

    name: str
    kind: str
    mode: int
    mtime: int
    owner: tuple[int, int, str, str]
    content: bytes
    target: str


def second_reading(data: bytes) -> list[Seen]:
    """Return the entries, and fail on whatever a strict reader of another hand would fail on."""
    entries: list[Seen] = []
    position = 0
    ends: list[int] = []
    while any(block := data[position : position + _BLOCK]):
        seen, start = _entry(block, data)
        entries.append(seen)
        if seen.content:
            assert start % _PAGE == 0, f"{seen.name}: data at {start}"
            assert all(start >= end for end in ends), f"{seen.name}: data lies on that of another file"
            ends.append(start + len(seen.content))
        position += _BLOCK
    first = position + _BLOCK
    assert len(data) == max([first, *ends])
    return entries


def _entry(block: bytes, data: bytes) -> tuple[Seen, int]:
    assert block[257:263] == b"visor "
    assert int(block[148:154], 8) == sum(block[:148]) + 8 * 32 + sum(block[156:])
    assert block[345:496] == bytes(151), "names never used the prefix field"
    (start,) = struct.unpack_from("<I", block, 496)
    size = int(block[124:135], 8)
    assert (start > 0) == (size > 0)
    content = data[start : start + size] if size else b""
    assert len(content) == size
    owner = (int(block[108:115], 8), int(block[116:123], 8), _word(block[265:297]), _word(block[297:329]))
    seen = Seen(
        name=_word(block[:100]),
        kind=chr(block[156]),
        mode=int(block[100:107], 8),
        mtime=int(block[136:147], 8),
        owner=owner,
        content=content,
        target=_word(block[157:257]),
    )
    return seen, start


def _word(field: bytes) -> str:
    return field.split(b"\0", 1)[0].decode()
