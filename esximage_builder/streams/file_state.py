"""Which file it was, and how it stood: so that a file that is read later is the one that was meant."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from esximage_builder.errors import SourceUnreadableError
from esximage_builder.streams.hashing import sha256_of_file
from esximage_builder.streams.plain_file import open_plain

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["FileState", "size_and_sha256", "state_of"]

FileState = tuple[int, int, int, int]
"""Device and inode number, length, time of change."""


def state_of(found: os.stat_result) -> FileState:
    """Return which file the system says it is, and how it stands."""
    return (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns)


def size_and_sha256(path: Path, expected: FileState | None, *, since: str, with_sha256: bool = True) -> tuple[int, str]:
    """Return length and SHA-256 of a file, read once.

    Args:
        path: The file.
        expected: How it must stand; None takes it as it is.
        since: When it stood so, for the error: ``it was written``.
        with_sha256: Read it to its end for its digest, which is empty without.

    Raises:
        SourceUnreadableError: It cannot be read, is another file, or was changed.
    """
    try:
        with os.fdopen(open_plain(path), "rb") as file:
            before = state_of(os.fstat(file.fileno()))
            digest = sha256_of_file(file) if with_sha256 else ""
            after = state_of(os.fstat(file.fileno()))
    except (OSError, ValueError) as error:
        raise SourceUnreadableError(
            f"the file cannot be read: {getattr(error, 'strerror', None) or error}", where=str(path)
        ) from error
    if len({expected or before, before, after}) > 1:
        raise SourceUnreadableError(
            f"the file was changed {since}",
            where=str(path),
            found="another file, or another length or time of change",
            hint="leave it alone while it is in use",
        )
    return before[2], digest
