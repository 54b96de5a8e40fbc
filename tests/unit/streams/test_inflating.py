"""Whichever library inflates: the same bytes, the same refusals."""

from __future__ import annotations

import gzip
import zlib
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, strategies as st

from esximage_builder.streams import inflating

if TYPE_CHECKING:
    from collections.abc import Callable

zlib_ng = pytest.importorskip("zlib_ng.zlib_ng")
PLAIN = bytes(range(256)) * 40 + b"a" * 5000
GZIP, BARE, TWICE = gzip.compress(PLAIN, mtime=0), zlib.compress(PLAIN)[2:-4], gzip.compress(PLAIN, mtime=0) * 2


def outcome(make: Callable[[int], inflating.Inflater], data: bytes, wbits: int, most: int) -> tuple[object, ...]:
    """Inflate in small steps; return what came out, how it ended and what is left."""
    inflater, plain = make(wbits), b""
    try:
        while data:
            plain += inflater.decompress(data[:700], most)
            data = inflater.unconsumed_tail + data[700:]
            if inflater.eof:
                break
    except inflating.INFLATE_ERRORS:
        return (plain, "refused")
    return (plain, inflater.eof, inflater.unused_data + data)


@given(
    data=st.sampled_from([GZIP, BARE, TWICE]),
    wbits=st.sampled_from([31, -15]),
    most=st.sampled_from([1, 100, 70_000]),
    flips=st.lists(st.tuples(st.integers(0, 500), st.integers(1, 255)), max_size=2),
    cut=st.integers(0, 40),
)
def test_both_take_and_refuse_the_same(
    data: bytes, wbits: int, most: int, flips: list[tuple[int, int]], cut: int
) -> None:
    changed = bytearray(data)
    for at, bits in flips:
        changed[at % len(changed)] ^= bits
    changed = changed[: len(changed) - cut]
    plainly: Any = zlib.decompressobj
    expected = outcome(plainly, bytes(changed), wbits, most)
    assert outcome(inflating.new_inflater, bytes(changed), wbits, most) == expected


@given(data=st.binary(), before=st.integers(0, 2**32 - 1))
def test_both_count_the_same(data: bytes, before: int) -> None:
    assert inflating.crc32_of(data, before) == inflating.crc32_of(memoryview(data), before) == zlib.crc32(data, before)


def test_the_extra_is_what_inflates() -> None:
    assert type(inflating.new_inflater(31)) is type(zlib_ng.decompressobj(31))
