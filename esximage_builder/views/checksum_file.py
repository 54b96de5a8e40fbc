"""The SHA-256 of what was written, in the form that ``sha256sum --check`` takes."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from esximage_builder.limits import ReadLimits
from esximage_builder.streams.identity import input_files
from esximage_builder.streams.target import prepare_target
from esximage_builder.streams.whole_file import write_file

if TYPE_CHECKING:
    from collections.abc import Iterable

    from esximage_builder.export.result import ExportResult

__all__ = ["render_checksums", "write_checksums"]


def render_checksums(results: Iterable[ExportResult], *, folder: Path) -> str:
    """Return a line for each file, named as it is seen from a folder; folders that were written have none.

    Args:
        results: What was written.
        folder: Where the lines will be checked.

    Raises:
        SourceUnreadableError: A file is gone, or was changed since it was written.
    """
    return "".join(_line(result.sha256, _seen_from(result.path, folder)) for result in results if result.sha256)


def _seen_from(path: Path, folder: Path) -> str:
    try:
        return Path(os.path.relpath(path, folder)).as_posix()
    except ValueError:  # on another drive
        return path.as_posix()


def _line(digest: str, name: str) -> str:
    """Return one line; a name with a line end or a backslash is written as sha256sum writes it."""
    escaped = name.replace("\\", "\\\\").replace("\n", "\\n").replace("\r", "\\r")
    return f"{'' if escaped == name else chr(92)}{digest}  {escaped}\n"


def write_checksums(
    results: Iterable[ExportResult], target: str | Path, *, inputs: Iterable[str | Path] = (), overwrite: bool = False
) -> None:
    """Write the lines into a file, which appears whole or not at all.

    Args:
        results: What was written.
        target: The file.
        inputs: Files and folders that were read; the file is none of them, nor one of the results.
        overwrite: Replace a file that is there.

    Raises:
        ExportError: The file is there already, is one that is read or was written, or cannot be written.
        SourceUnreadableError: A file is gone, or was changed since it was written.
    """
    written = tuple(results)
    known = input_files([*map(Path, inputs), *(result.path for result in written)], most=ReadLimits().member_count)
    place = prepare_target(target, inputs=known, overwrite=overwrite)
    text = render_checksums(written, folder=Path(target).parent)
    write_file(place, text.encode(errors="surrogateescape"))
