"""Hashing bytes on their way: while they are read, pushed on, or copied. Nothing holds more than a block.

Every byte that is hashed while it goes somewhere is hashed here: a ``HashingReader`` where it is
pulled, a ``Tally`` where it is pushed, ``hashing_copy`` where it is both.
"""

from __future__ import annotations

import hashlib
import io
from typing import TYPE_CHECKING, BinaryIO, cast, final

from esximage_builder.checksums import hashers_for
from esximage_builder.errors import ChecksumMismatchError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from _typeshed import ReadableBuffer

    from esximage_builder.checksums import Checksum, Hasher

__all__ = ["COPY_BLOCK_BYTES", "HashingReader", "Tally", "hashing_copy", "sha256_of_file"]

COPY_BLOCK_BYTES = 256 * 1024


@final
class HashingReader(io.RawIOBase):
    """A stream that is counted and hashed while it is read; it does not close its source.

    Attributes:
        size_bytes: How many bytes were read so far.
        is_whole: True once the end was reached.
        has_failed: True once a read of the source raised; what it gives after that is not its bytes.

    Args:
        source: Read in order, from where it stands.
        hashers: Each takes every byte.
    """

    def __init__(self, source: BinaryIO, *hashers: Hasher) -> None:
        super().__init__()
        self._source = source
        self._hashers = hashers
        self.size_bytes = 0
        self.is_whole = False
        self.has_failed = False

    def readable(self) -> bool:
        """Return True."""
        return True

    def read(self, size: int = -1, /) -> bytes:
        """Return what one read of the source gives, at most ``size`` bytes."""
        try:
            block = self._source.read(size)
        except BaseException:
            self.has_failed = True
            raise
        for hasher in self._hashers:
            hasher.update(block)
        self.size_bytes += len(block)
        self.is_whole |= size < 0 or (size > 0 and not block)
        return block

    def blocks(self) -> Iterator[bytes]:
        """Yield the rest, block by block."""
        while block := self.read(COPY_BLOCK_BYTES):
            yield block

    def drain(self) -> None:
        """Read the rest and drop it."""
        for _ in self.blocks():
            pass

    def as_stream(self) -> BinaryIO:
        """Return itself, as those want it who take streams."""
        return cast("BinaryIO", self)


@final
class Tally:
    """Counts and hashes what passes, and says in the end whether it was the right thing.

    Attributes:
        passed_bytes: How many bytes passed so far.

    Args:
        checksums: Those over stored bytes are checked, the others are passed over.
        size_bytes: The length there must be, in bytes; None if it is not known.
        where: How to name the bytes in errors.
    """

    def __init__(self, checksums: Iterable[Checksum] = (), *, size_bytes: int | None = None, where: str) -> None:
        stored = [checksum for checksum in checksums if checksum.is_stored]
        self._hashers = hashers_for(checksum.algorithm for checksum in stored)
        self._pairs = [(checksum, self._hashers[checksum.algorithm]) for checksum in stored]
        self._size_bytes = size_bytes
        self._where = where
        self.passed_bytes = 0

    def update(self, data: ReadableBuffer) -> None:
        """Take the next bytes."""
        self.passed_bytes += memoryview(data).nbytes
        for hasher in self._hashers.values():
            hasher.update(data)

    def require_right(self) -> None:
        """Compare what passed with what it should have been.

        Raises:
            ChecksumMismatchError: Length or digest differ.
        """
        if self._size_bytes is not None and self.passed_bytes != self._size_bytes:
            raise ChecksumMismatchError(
                "the size differs from what the metadata says",
                where=self._where,
                found=f"{self.passed_bytes} bytes",
                expected=f"{self._size_bytes} bytes",
                hint="the file is cut short or was changed: download the depot again",
            )
        for checksum, hasher in self._pairs:
            if hasher.hexdigest() != checksum.digest:
                raise ChecksumMismatchError(
                    f"the {checksum.algorithm} checksum differs from what the metadata says",
                    where=self._where,
                    found=hasher.hexdigest(),
                    expected=checksum.digest,
                    hint="the file was damaged or changed: download the depot again",
                )


def hashing_copy(
    source: BinaryIO,
    target: BinaryIO | None,
    *,
    checksums: Iterable[Checksum] = (),
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
    tally = Tally(checksums, size_bytes=size_bytes, where=where)
    while block := source.read(COPY_BLOCK_BYTES):
        tally.update(block)
        if target is not None:
            target.write(block)
    tally.require_right()
    return tally.passed_bytes


def sha256_of_file(file: BinaryIO) -> str:
    """Return the SHA-256 of all that stands in a file that can seek, read once; the position is at its end then."""
    file.flush()  # what others wrote by the file's number shows only then
    file.seek(0)
    digest = hashlib.sha256()
    HashingReader(file, digest).drain()
    return digest.hexdigest()
