"""Checksums: copying checks what it can check and never holds more than a block."""

from __future__ import annotations

import hashlib
import io

import pytest
from hypothesis import given, strategies as st

from esximage_builder.checksums import COPY_BLOCK_BYTES, Checksum, hasher_for, hashing_copy, sha256_hex
from esximage_builder.errors import ChecksumMismatchError

DATA = b"payload" * 1000
WRONG = "0" * 64


@pytest.mark.parametrize(
    ("word", "name"),
    [("sha-1", "sha1"), ("sha-256", "sha256"), ("sha-512", "sha512"), ("md5", "md5")],
)
def test_the_files_own_words_name_algorithms(word: str, name: str) -> None:
    hasher = hasher_for(word)
    assert hasher is not None
    hasher.update(DATA)
    assert hasher.hexdigest() == hashlib.new(name, DATA, usedforsecurity=False).hexdigest()
    assert Checksum(word, "").is_stored


@pytest.mark.parametrize(
    "checksum",
    [
        pytest.param(Checksum("sha-256", WRONG, "gunzip"), id="over-expanded-bytes"),
        pytest.param(Checksum("sha-256", WRONG, "txt-mle"), id="measured-launch"),
        pytest.param(Checksum("sha-256-gunzip1", WRONG), id="after-one-gunzip"),
        pytest.param(Checksum("sha-3000", WRONG), id="unknown"),
    ],
)
def test_what_is_not_over_stored_bytes_is_passed_over(checksum: Checksum) -> None:
    assert not checksum.is_stored
    assert hashing_copy(io.BytesIO(DATA), None, checksums=[checksum], where="x") == len(DATA)


def test_an_unknown_algorithm_has_no_hasher() -> None:
    assert hasher_for("sha-3000") is None
    assert hasher_for("sha256") is None


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
