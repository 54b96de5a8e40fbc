"""Placed files: what is written at several places, in any order and from any thread, is there."""

from __future__ import annotations

import contextlib
import io
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, strategies as st

from esximage_builder.errors import ExportError
from esximage_builder.streams.placed_file import PlacedFile
from esximage_builder.streams.room import writing
from esximage_builder.streams.target import prepare_target

if TYPE_CHECKING:
    from pathlib import Path


@given(st.lists(st.lists(st.binary(max_size=9), max_size=5), max_size=5), st.randoms(use_true_random=False))
def test_places_are_written_in_any_order(contents: list[list[bytes]], random: object) -> None:
    file = io.BytesIO()
    placed = PlacedFile(file, contextlib.nullcontext)
    starts = [sum(len(b"".join(content)) for content in contents[:number]) for number in range(len(contents))]
    extents = [placed.extent(start) for start in starts]
    turns = [number for number, content in enumerate(contents) for _ in content]
    random.shuffle(turns)  # type: ignore[attr-defined]
    left = [iter(content) for content in contents]
    for number in turns:
        block = next(left[number])
        assert extents[number].write(memoryview(block)) == len(block)
    assert file.getvalue() == b"".join(block for content in contents for block in content)


def test_threads_do_not_mix_their_bytes(tmp_path: Path) -> None:
    with (tmp_path / "x").open("w+b") as file:
        placed = PlacedFile(file, contextlib.nullcontext)

        def fill(number: int) -> None:
            extent = placed.extent(number * 7000)
            for _ in range(1000):
                extent.write(bytes([number]) * 7)

        with ThreadPoolExecutor(8) as pool:
            list(pool.map(fill, range(8)))
        file.seek(0)
        assert file.read() == b"".join(bytes([number]) * 7000 for number in range(8))


class Full(io.BytesIO):
    """Takes nothing at one moment, having moved all the same."""

    is_full = False

    def write(self, data: object, /) -> int:
        if self.is_full:
            super().write(b"?")
            raise OSError(28, "No space left on device")
        return super().write(data)  # type: ignore[arg-type]


def test_a_refused_write_is_the_targets_fault_and_moves_nothing(tmp_path: Path) -> None:
    file = Full()
    extent = PlacedFile(file, lambda: writing(prepare_target(tmp_path / "x"), 0)).extent(0)
    extent.write(b"ab")
    file.is_full = True
    with pytest.raises(ExportError, match="No space left") as caught:
        extent.write(b"cd")
    assert caught.value.where == str(tmp_path / "x")
    file.is_full = False
    extent.write(b"cd")
    assert file.getvalue() == b"abcd"
