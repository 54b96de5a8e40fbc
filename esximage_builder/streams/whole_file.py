"""Files that appear whole or not at all.

A temporary file beside the target is written, flushed to the disk and put in the target's
place in one step. Whatever stops the writing, Ctrl-C included, leaves the old file or none.

The temporary file is born with the mode that any new file gets, so the operating system applies
the umask; asking for the umask would mean changing it, for all threads of the process.
"""

from __future__ import annotations

import contextlib
import os
import secrets
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, cast

from esximage_builder.errors import ExportError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["whole_file", "write_file"]

_NEW_FILE = os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)


@contextlib.contextmanager
def whole_file(target: Path) -> Iterator[BinaryIO]:
    """Give a file to write and read; it takes the target's place when the block ends well.

    Raises:
        ExportError: The operating system refuses: no folder, no permission, disc full.
    """
    partial: Path | None = None
    if "\0" in str(target):
        raise ExportError("a path cannot hold a NUL character", where=repr(str(target)), expected="a path")
    try:
        name = target.parent / f".{target.name}.{secrets.token_urlsafe(6)}.partial"
        handle = os.open(name, _NEW_FILE, 0o666)
        partial = name
        with os.fdopen(handle, "w+b") as file:
            yield cast("BinaryIO", file)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(target)
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
                partial.unlink()


def write_file(target: Path, data: bytes) -> None:
    """Write a small file, whole or not at all.

    Raises:
        ExportError: The operating system refuses.
    """
    with whole_file(target) as file:
        file.write(data)
