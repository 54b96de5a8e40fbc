"""Hashing on the way: everything is counted and hashed once, wrong bytes are refused, no more than a block is held."""

from __future__ import annotations

import hashlib
import io
import os
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, strategies as st

from esximage_builder.checksums import Checksum, sha256_hex
from esximage_builder.errors import ChecksumMismatchError
from esximage_builder.streams.hashing import COPY_BLOCK_BYTES, HashingReader, Tally, hashing_copy, sha256_of_file

if TYPE_CHECKING:
    from pathlib import Path

DATA = b"payload" * 1000
WRONG = "0" * 64


# Files


@pytest.mark.skipif(not hasattr(os, "pwrite"), reason="the system cannot write at a position")
def test_a_whole_file_is_hashed_wherever_it_stands_and_whoever_wrote_it(tmp_path: Path) -> None:
    with (tmp_path / "x").open("w+b") as file:
        file.write(DATA)
        assert sha256_of_file(file) == sha256_of_file(file) == sha256_hex(DATA)
        file.seek(0)
        file.read(10)
        os.pwrite(file.fileno(), b"PAYLOAD", 0)
        assert sha256_of_file(file) == sha256_hex(b"PAYLOAD" + DATA[7:])


# Reading


@given(st.binary(max_size=500), st.lists(st.integers(1, 60), max_size=20))
def test_a_reader_hashes_what_it_gives_whatever_is_asked_for(data: bytes, sizes: list[int]) -> None:
    digests = hashlib.sha256(), hashlib.sha1()  # noqa: S324 - files have it
    reader = HashingReader(io.BytesIO(data), *digests)
    given_out = b"".join(reader.read(size) for size in sizes)

    assert data.startswith(given_out)
    assert reader.size_bytes == len(given_out)
    assert digests[0].hexdigest() == hashlib.sha256(given_out).hexdigest()
    reader.drain()
    assert (reader.size_bytes, reader.is_whole, reader.has_failed) == (len(data), True, False)
    assert [digest.hexdigest() for digest in digests] == [sha256_hex(data), hashlib.sha1(data).hexdigest()]  # noqa: S324


def test_a_reader_reads_all_at_once_too() -> None:
    digest = hashlib.sha256()
    reader = HashingReader(io.BytesIO(DATA), digest)
    assert (reader.read(), reader.is_whole, digest.hexdigest()) == (DATA, True, sha256_hex(DATA))


def test_asking_for_nothing_is_no_end() -> None:
    reader = HashingReader(io.BytesIO(DATA))
    assert (reader.read(0), reader.is_whole) == (b"", False)


def test_a_reader_gives_blocks_and_leaves_its_source_open() -> None:
    source = CountingStream(bytes(COPY_BLOCK_BYTES + 1))
    with HashingReader(source) as reader:
        assert [len(block) for block in reader.blocks()] == [COPY_BLOCK_BYTES, 1]
    assert not source.closed


def test_a_reader_remembers_that_its_source_failed() -> None:
    class Failing(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            if self.tell():
                raise OSError("gone")
            return super().read(size)

    reader = HashingReader(Failing(b"ab"))
    assert reader.read(1) == b"a"
    assert not reader.has_failed
    with pytest.raises(OSError, match="gone"):
        reader.read(1)
    assert (reader.has_failed, reader.is_whole, reader.size_bytes) == (True, False, 1)


# Pushing


@given(st.lists(st.binary(max_size=50), max_size=10))
def test_a_tally_is_that_of_all_blocks_together(blocks: list[bytes]) -> None:
    data = b"".join(blocks)
    right = Tally([Checksum("sha-256", sha256_hex(data))], size_bytes=len(data), where="x")
    wrong = Tally([Checksum("sha-256", WRONG)], where="x")
    for block in blocks:
        right.update(memoryview(block))
        wrong.update(block)

    right.require_right()
    assert right.passed_bytes == len(data)
    with pytest.raises(ChecksumMismatchError, match="sha-256"):
        wrong.require_right()


def test_a_tally_passes_over_what_is_not_over_stored_bytes() -> None:
    tally = Tally([Checksum("sha-256", WRONG, "gunzip"), Checksum("sha-3000", WRONG)], where="x")
    tally.update(DATA)
    tally.require_right()
    assert tally.passed_bytes == len(DATA)


# Copying


@given(st.binary(max_size=200))
def test_what_is_copied_is_what_was_there(data: bytes) -> None:
    target = io.BytesIO()
    checksums = [Checksum("sha-256", sha256_hex(data)), Checksum("sha-1", hashlib.sha1(data).hexdigest())]  # noqa: S324
    copied = hashing_copy(io.BytesIO(data), target, checksums=checksums, size_bytes=len(data), where="x")
    assert (target.getvalue(), copied) == (data, len(data))


@pytest.mark.parametrize(
    ("checksums", "size_bytes", "found", "expected"),
    [
        pytest.param([Checksum("sha-256", WRONG)], None, sha256_hex(DATA), WRONG, id="digest"),
        pytest.param(
            [Checksum("sha-256", sha256_hex(DATA)), Checksum("md5", WRONG)],
            None,
            hashlib.md5(DATA, usedforsecurity=False).hexdigest(),
            WRONG,
            id="second-digest",
        ),
        pytest.param([], len(DATA) + 1, f"{len(DATA)} bytes", f"{len(DATA) + 1} bytes", id="too-short"),
        pytest.param([], 0, f"{len(DATA)} bytes", "0 bytes", id="too-long"),
    ],
)
def test_wrong_bytes_are_refused(checksums: list[Checksum], size_bytes: int | None, found: str, expected: str) -> None:
    with pytest.raises(ChecksumMismatchError) as caught:
        hashing_copy(io.BytesIO(DATA), io.BytesIO(), checksums=checksums, size_bytes=size_bytes, where="d.zip!x.vib")
    assert (caught.value.found, caught.value.expected, caught.value.where) == (found, expected, "d.zip!x.vib")


class CountingStream(io.BytesIO):
    """Says how much was asked for at once."""

    largest_read = 0

    def read(self, size: int | None = -1, /) -> bytes:
        data = super().read(size)
        self.largest_read = max(self.largest_read, len(data))
        return data


def test_no_more_than_a_block_is_held() -> None:
    source = CountingStream(bytes(COPY_BLOCK_BYTES * 3 + 1))
    assert hashing_copy(source, None, where="x") == COPY_BLOCK_BYTES * 3 + 1
    assert source.largest_read == COPY_BLOCK_BYTES
