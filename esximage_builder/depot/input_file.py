"""The files an image was made from, as a report names them: so that somebody else can say they have the same."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import TYPE_CHECKING, final

import attrs

from esximage_builder.shown import Shown
from esximage_builder.streams.file_state import size_and_sha256, state_of

if TYPE_CHECKING:
    import os

    from esximage_builder.depot.opening import Depot

__all__ = ["InputFile", "measured_inputs"]


@final
@attrs.frozen(kw_only=True, repr=False)
class InputFile(Shown):
    """A file that was read, and which one it was.

    Attributes:
        path: As it was given.
        size_bytes: Its length; None for a folder and for what is no file, such as a pipe.
        sha256: SHA-256 of the file, in lower-case hexadecimal digits; empty if it is none, or was not asked for.
    """

    path: Path
    size_bytes: int | None = None
    sha256: str = ""


def measured_inputs(*paths: str | Path, depot: Depot | None = None, with_sha256: bool = True) -> tuple[InputFile, ...]:
    """Return which files these are, for a report: depots, spec, lock, kickstart file.

    Args:
        paths: Files and folders; one that is named twice stands in the result once.
        depot: What was opened of them: a file of it must be the one that was opened. None takes every
            file as it is now.
        with_sha256: Read each file to its end for its digest; without, only the length is told.

    Raises:
        SourceUnreadableError: A file cannot be read, or is another one than that which was opened.
    """
    opened = {} if depot is None else depot.source_files
    return tuple(
        _input_file(path, opened.get(path), with_sha256=with_sha256) for path in dict.fromkeys(map(Path, paths))
    )


def _input_file(path: Path, opened: os.stat_result | None, *, with_sha256: bool) -> InputFile:
    try:
        is_file = stat.S_ISREG(path.stat().st_mode)
    except (OSError, ValueError):
        is_file = True  # whoever reads it says what is in the way
    if not is_file:
        return InputFile(path=path)
    expected = None if opened is None else state_of(opened)
    size, digest = size_and_sha256(path, expected, since="while it was open", with_sha256=with_sha256)
    return InputFile(path=path, size_bytes=size, sha256=digest)
