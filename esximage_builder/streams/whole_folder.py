"""Writing a folder that appears whole or not at all.

It is filled under a temporary name beside the target and takes the target's name at the end. A
target that holds anything is refused before a byte is written.
"""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from esximage_builder.errors import ExportError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["whole_folder"]


@contextlib.contextmanager
def whole_folder(target: Path) -> Iterator[Path]:
    """Give a folder that takes the target's place when the block ends well.

    Args:
        target: A folder that does not exist yet or is empty.

    Raises:
        ExportError: Something else is there, or the folder cannot be written.
    """
    if "\0" in str(target):
        raise ExportError("a path cannot hold a NUL character", where=repr(str(target)), expected="a path")
    try:
        _require_free(target)
        # A folder inside the temporary one, which is born private.
        partial = Path(tempfile.mkdtemp(prefix=f".{target.name}.", suffix=".partial", dir=target.parent))
    except OSError as error:
        raise _unwritable(target, error) from error
    try:
        folder = partial / "tree"
        folder.mkdir()
        yield folder
        if target.exists():
            target.rmdir()  # empty, as was seen; not every system replaces a folder
        folder.replace(target)
    except OSError as error:
        raise _unwritable(target, error) from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _require_free(target: Path) -> None:
    if target.is_symlink() or (target.exists() and (not target.is_dir() or any(target.iterdir()))):
        raise ExportError(
            "the target is there already",
            where=str(target),
            found="a link" if target.is_symlink() else "a folder with files" if target.is_dir() else "a file",
            expected="a new or empty folder",
            hint="name another folder, or remove this one first",
        )


def _unwritable(target: Path, error: OSError) -> ExportError:
    return ExportError(
        f"the folder cannot be written: {error.strerror or error}",
        where=str(target),
        hint="check the folder above, your permissions and the space left on the disc",
    )
