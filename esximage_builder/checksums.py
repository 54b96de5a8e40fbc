"""Checksums as values, and copying that checks while it copies."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, BinaryIO, Protocol, final

import attrs

from esximage_builder.errors import ChecksumMismatchError

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["COPY_BLOCK_BYTES", "Checksum", "Hasher", "hasher_for", "hashing_copy", "sha256_hex"]

COPY_BLOCK_BYTES = 256 * 1024

_HASHLIB_NAMES = {"sha-1": "sha1", "sha-256": "sha256", "sha-512": "sha512", "md5": "md5"}


class Hasher(Protocol):
    """The part of a hashlib object that copying needs."""

    def update(self, data: bytes, /) -> None:
        """Take more bytes."""

    def hexdigest(self) -> str:
        """Return the digest so far, in lower-case hexadecimal digits."""


@final
@attrs.frozen
class Checksum:
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


def sha256_hex(data: bytes) -> str:
    """Return the SHA-256 of ``data`` in lower-case hexadecimal digits."""
    return hashlib.sha256(data).hexdigest()


def hashing_copy(
    source: BinaryIO,
    target: BinaryIO | None,
    *,
    checksums: Sequence[Checksum] = (),
    size_bytes: int | None = None,
    where: str,
) -> int:
    """Copy ``source`` to its end and check it on the way; never holds more than one block.

    Args:
        source: Read to its end; not closed.
        target: Written to; None only checks.
        checksums: Those over stored bytes are checked, the others are passed over.
        size_bytes: The length there must be, in bytes; None if it is not known.
        where: How to name the bytes in errors.

    Returns:
        The number of bytes copied.

    Raises:
        ChecksumMismatchError: Length or digest differ. The target then holds bytes that
            must not be used.
    """
    pairs = [(c, h) for c in checksums if c.is_stored and (h := hasher_for(c.algorithm)) is not None]
    copied = 0
    while block := source.read(COPY_BLOCK_BYTES):
        copied += len(block)
        for _, hasher in pairs:
            hasher.update(block)
        if target is not None:
            target.write(block)
    if size_bytes is not None and copied != size_bytes:
        raise ChecksumMismatchError(
            "the size differs from what the metadata says",
            where=where,
            found=f"{copied} bytes",
            expected=f"{size_bytes} bytes",
            hint="the file is cut short or was changed: download the depot again",
        )
    for checksum, hasher in pairs:
        if hasher.hexdigest() != checksum.digest:
            raise ChecksumMismatchError(
                f"the {checksum.algorithm} checksum differs from what the metadata says",
                where=where,
                found=hasher.hexdigest(),
                expected=checksum.digest,
                hint="the file was damaged or changed: download the depot again",
            )
    return copied
