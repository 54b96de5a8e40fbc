"""Files that appear whole or not at all.

A temporary file beside the target is written, flushed to the disk and put in the target's
place in one step. Whatever stops the writing, Ctrl-C included, leaves the old file or none.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, cast

from esximage_builder.errors import ExportError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["whole_file", "write_file"]


@contextlib.contextmanager
def whole_file(target: Path) -> Iterator[BinaryIO]:
    """Give a file to write and read; it takes the target's place when the block ends well.

    Raises:
        ExportError: The operating system refuses: no folder, no permission, disc full.
    """
    partial: str | None = None
    if "\0" in str(target):
        raise ExportError("a path cannot hold a NUL character", where=repr(str(target)), expected="a path")
    try:
        handle, partial = tempfile.mkstemp(prefix=f".{target.name}.", suffix=".partial", dir=target.parent)
        with os.fdopen(handle, "w+b") as file:
            yield cast("BinaryIO", file)
            file.flush()
            os.fsync(file.fileno())
        Path(partial).chmod(_usual_mode())
        Path(partial).replace(target)
        partial = None
    except OSError as error:
        raise ExportError(
            f"the file cannot be written: {error.strerror or error}",
            where=str(target),
            hint="check the folder, your permissions and the space left on the disc",
        ) from error
    finally:
        if partial is not None:
            with contextlib.suppress(OSError):
                Path(partial).unlink()


def _usual_mode() -> int:
    """Return the mode that a new file would get here; temporary files are born private."""
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask


def write_file(target: Path, data: bytes) -> None:
    """Write a small file, whole or not at all.

    Raises:
        ExportError: The operating system refuses.
    """
    with whole_file(target) as file:
        file.write(data)
