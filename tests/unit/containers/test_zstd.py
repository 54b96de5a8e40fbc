"""Zstandard streams: unpacked in bounded pieces, every kind of damage one of our errors."""

from __future__ import annotations

import contextlib
import importlib
import random
import sys
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings, strategies as st

from esximage_builder.containers.zstd import unzstd_blocks
from esximage_builder.errors import LimitExceededError, MalformedDocumentError, MissingExtraError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_NAME = "compression.zstd" if sys.version_info >= (3, 14) else "backports.zstd"
try:
    zstd: Any = importlib.import_module(_NAME)
except ImportError:  # pragma: no cover - a run without the extra
    pytest.skip("the extra `zstd` is not installed", allow_module_level=True)

LIMIT = 1 << 30
NOISE = random.Random(1).randbytes(300_000)
WHOLE = zstd.compress(NOISE)


def unpack(blocks: Iterable[bytes], *, max_bytes: int = LIMIT) -> bytes:
    return b"".join(unzstd_blocks(blocks, where="payload", max_bytes=max_bytes))


def cut(data: bytes, size: int) -> Iterator[bytes]:
    return (data[at : at + size] for at in range(0, len(data), size))


@pytest.mark.parametrize("size", [1, 7, 512, 4096, 1 << 20])
@pytest.mark.parametrize(
    ("contents", "level"),
    [
        pytest.param((b"",), 3, id="nothing"),
        pytest.param((b"x",), 3, id="one byte"),
        pytest.param((NOISE,), 1, id="noise"),
        pytest.param((bytes(3_000_000),), 18, id="zeros, many pieces from few bytes"),
        pytest.param((b"one", b"", NOISE[:5000], b"last"), 3, id="several frames"),
    ],
)
def test_frames_are_unpacked_however_they_are_cut(contents: tuple[bytes, ...], level: int, size: int) -> None:
    packed = b"".join(zstd.compress(part, level) for part in contents)

    assert unpack(cut(packed, size)) == b"".join(contents)


def test_no_piece_is_larger_than_a_mebibyte() -> None:
    pieces = [
        len(piece) for piece in unzstd_blocks([zstd.compress(bytes(5_000_000))], where="payload", max_bytes=LIMIT)
    ]

    assert sum(pieces) == 5_000_000
    assert max(pieces) <= 1024 * 1024
    assert min(pieces) > 0


def test_nothing_is_read_ahead() -> None:
    """Memory does not grow with the stream: a block is asked for when the one before is used up."""
    packed = zstd.compress(NOISE * 10)
    asked = 0

    def blocks() -> Iterator[bytes]:
        nonlocal asked
        for block in cut(packed, 10_000):
            asked += 1
            yield block

    reading = unzstd_blocks(blocks(), where="payload", max_bytes=LIMIT)
    next(reading)
    assert asked < len(packed) / 10_000 / 2


@pytest.mark.parametrize(
    ("packed", "message"),
    [
        pytest.param(b"", "cut short", id="nothing"),
        pytest.param(b"\x28\xb5", "cut short", id="half a magic"),
        pytest.param(WHOLE[:-1], "cut short", id="last byte missing"),
        pytest.param(WHOLE[: len(WHOLE) // 2], "cut short", id="half a frame"),
        pytest.param(zstd.compress(b"x") + b"\x28\xb5\x2f", "cut short", id="second frame cut short"),
        pytest.param(b"no zstandard stream", "damaged", id="text"),
        pytest.param(zstd.compress(b"x") + b"trailing", "damaged", id="something behind the frame"),
        pytest.param(b"\x28\xb5\x2f\xfd\x00\xff" + bytes(40), "damaged", id="window of terabytes"),
    ],
)
@pytest.mark.parametrize("size", [1, 1000])
def test_what_is_no_whole_stream_is_refused(packed: bytes, message: str, size: int) -> None:
    with pytest.raises(MalformedDocumentError, match=message) as caught:
        unpack(cut(packed, size))

    assert caught.value.where == "payload"


def test_a_wrong_checksum_is_seen() -> None:
    options = {zstd.CompressionParameter.checksum_flag: 1}
    packed = zstd.compress(NOISE, options=options)
    assert unpack([packed]) == NOISE
    with pytest.raises(MalformedDocumentError, match="damaged"):
        unpack([packed[:-1] + bytes([packed[-1] ^ 1])])


def test_the_limit_counts_all_frames_together() -> None:
    packed = zstd.compress(bytes(600)) + zstd.compress(bytes(500))

    assert len(unpack([packed], max_bytes=1100)) == 1100
    with pytest.raises(LimitExceededError) as caught:
        unpack([packed], max_bytes=1099)
    assert "1099" in caught.value.expected


def test_a_bomb_is_stopped_at_the_limit() -> None:
    bomb = zstd.compress(bytes(100_000_000))
    pieces = unzstd_blocks([bomb], where="payload", max_bytes=3_000_000)
    produced = [len(next(pieces)) for _ in range(2)]
    with pytest.raises(LimitExceededError):
        next(pieces)

    assert sum(produced) <= 3_000_000


def test_very_many_small_frames_take_time_in_proportion() -> None:
    """What follows a frame is handed back by the reader; handing back everything each time would be quadratic."""
    packed = zstd.compress(b"") * 20_000

    assert unpack([packed]) == b""


def test_without_a_reader_the_extra_is_named_and_nothing_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_module(name: str) -> Any:
        raise ImportError(name)

    monkeypatch.setattr("esximage_builder.containers.zstd.importlib.import_module", no_module)
    blocks = iter([b"untouched"])
    with pytest.raises(MissingExtraError) as caught:
        unpack(blocks)

    assert "esximage-builder[zstd]" in caught.value.hint
    assert list(blocks) == [b"untouched"]


@given(data=st.binary(max_size=200), size=st.integers(1, 50))
def test_arbitrary_bytes_give_bytes_or_our_errors(data: bytes, size: int) -> None:
    with contextlib.suppress(MalformedDocumentError, LimitExceededError):
        assert len(unpack(cut(data, size), max_bytes=10_000)) <= 10_000


@settings(max_examples=200)
@given(edits=st.lists(st.tuples(st.integers(0, 1 << 20), st.integers(0, 255)), min_size=1, max_size=4))
def test_changed_bytes_give_bytes_or_our_errors(edits: list[tuple[int, int]]) -> None:
    packed = bytearray(zstd.compress(NOISE[:3000]) + zstd.compress(b"second"))
    for at, value in edits:
        packed[at % len(packed)] = value
    with contextlib.suppress(MalformedDocumentError, LimitExceededError):
        assert len(unpack(cut(bytes(packed), 700), max_bytes=1_000_000)) <= 1_000_000
