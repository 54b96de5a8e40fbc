"""Checksums: the files' own words name algorithms, and what is not over stored bytes is known as such."""

from __future__ import annotations

import hashlib

import pytest

from esximage_builder.checksums import Checksum, hasher_for

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
def test_what_is_not_over_stored_bytes_is_not_stored(checksum: Checksum) -> None:
    assert not checksum.is_stored


def test_an_unknown_algorithm_has_no_hasher() -> None:
    assert hasher_for("sha-3000") is None
    assert hasher_for("sha256") is None
