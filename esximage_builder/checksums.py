"""Checksums as values, and the hashers they are made with."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Protocol, final

import attrs

from esximage_builder.shown import Shown

if TYPE_CHECKING:
    from collections.abc import Iterable

    from _typeshed import ReadableBuffer

__all__ = ["Checksum", "Hasher", "hasher_for", "hashers_for", "sha256_hex"]

_HASHLIB_NAMES = {"sha-1": "sha1", "sha-256": "sha256", "sha-512": "sha512", "md5": "md5"}


class Hasher(Protocol):
    """The part of a hashlib object that copying needs."""

    def update(self, data: ReadableBuffer, /) -> None:
        """Take more bytes."""

    def hexdigest(self) -> str:
        """Return the digest so far, in lower-case hexadecimal digits."""


@final
@attrs.frozen(repr=False)
class Checksum(Shown):
    """One checksum as files give it.

    Attributes:
        algorithm: The files' own word: ``sha-256``, ``sha-1``, ``sha-256-gunzip1``.
        digest: Lower-case hexadecimal digits.
        verify_process: What is done to the bytes before hashing: ``gunzip`` (fully
            expanded), ``txt-mle``; empty for the bytes as stored.
    """

    algorithm: str
    digest: str
    verify_process: str = ""

    @property
    def is_stored(self) -> bool:
        """True if it covers the bytes as stored, with an algorithm that we know."""
        return not self.verify_process and self.algorithm in _HASHLIB_NAMES


def hasher_for(algorithm: str) -> Hasher | None:
    """Return a fresh hasher for the files' word, or None for one we do not know."""
    name = _HASHLIB_NAMES.get(algorithm)
    return None if name is None else hashlib.new(name, usedforsecurity=False)


def hashers_for(algorithms: Iterable[str]) -> dict[str, Hasher]:
    """Return one fresh hasher for each word that we know, however often it comes: a file may list thousands."""
    return {word: hasher for word in dict.fromkeys(algorithms) if (hasher := hasher_for(word)) is not None}


def sha256_hex(data: bytes) -> str:
    """Return the SHA-256 of ``data`` in lower-case hexadecimal digits."""
    return hashlib.sha256(data).hexdigest()
