"""The boot information table of BIOS loaders: written, checked, taken off."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given, strategies as st

from esximage_builder.containers.boot_info_table import (
    SMALLEST_LOADER_BYTES,
    is_boot_info_table_right,
    possible_originals,
    with_boot_info_table,
    without_boot_info_table,
)

LOADER = bytes(range(64)) + b"\1\0\0\0\2"
OFFSET = 30 * 2048


def test_the_table_says_where_the_loader_is() -> None:
    written = with_boot_info_table(LOADER, offset=OFFSET)
    assert struct.unpack_from("<IIII40s", written, 8) == (16, 30, len(LOADER), 3, bytes(40))
    assert (written[:8], written[64:]) == (LOADER[:8], LOADER[64:])


@given(st.binary(min_size=SMALLEST_LOADER_BYTES, max_size=200), st.integers(0, 2**20).map(lambda block: block * 2048))
def test_what_is_written_is_right_and_comes_off(loader: bytes, offset: int) -> None:
    written = with_boot_info_table(loader, offset=offset)
    assert is_boot_info_table_right(written, offset=offset)
    assert not is_boot_info_table_right(written, offset=offset + 2048)
    assert without_boot_info_table(written) == without_boot_info_table(loader)
    assert len(written) == len(loader)


@pytest.mark.parametrize(
    ("change", "is_right"),
    [
        pytest.param({}, True, id="as written"),
        pytest.param({8: 1}, False, id="descriptor"),
        pytest.param({12: 1}, False, id="sector"),
        pytest.param({16: 1}, False, id="length"),
        pytest.param({20: 1}, False, id="checksum"),
        pytest.param({64: 9}, False, id="what the checksum covers"),
        pytest.param({24: 1, 63: 1}, True, id="reserved"),
    ],
)
def test_the_four_numbers_count(change: dict[int, int], is_right: bool) -> None:  # noqa: FBT001 - a table
    written = bytearray(with_boot_info_table(LOADER, offset=OFFSET))
    for at, value in change.items():
        written[at] = value
    assert is_boot_info_table_right(bytes(written), offset=OFFSET) is is_right


@pytest.mark.parametrize("length", [0, 8, 24, 63])
def test_what_is_too_short_for_a_table_has_none(length: int) -> None:
    assert not is_boot_info_table_right(LOADER[:length], offset=OFFSET)


@pytest.mark.parametrize(
    "place",
    [
        pytest.param(bytes(56), id="zeros"),
        pytest.param(b"\xef\xbe\xad\xde" * 14, id="ISOLINUX"),
        pytest.param(b"\x10" + bytes(7) + b"\xef\xbe\xad\xde" * 12, id="ISOLINUX with its own descriptor"),
    ],
)
def test_a_loader_is_found_as_it_was_shipped(place: bytes) -> None:
    shipped = LOADER[:8] + place + LOADER[64:]
    written = with_boot_info_table(shipped, offset=OFFSET)
    first, *others = possible_originals(written)
    assert first == written
    assert shipped in others
