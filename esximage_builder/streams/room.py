"""Whether there is room for what will be written, and what to say when there was none.

Refused early is only what is clearly too large: more than a tenth above all that is free, the
part that is kept for the system administrator included. Where the file system says that nothing
at all is free, or tells no size, the writing itself shows it: some report so without meaning it,
and a disk that is really full says so at the first block. Quotas show while writing too.
"""

from __future__ import annotations

import contextlib
import errno
import shutil
import tempfile
from typing import TYPE_CHECKING, TypeGuard

from esximage_builder.errors import ExportError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from esximage_builder.streams.target import Target

__all__ = ["free_in", "require_room", "writing"]

_NO_ROOM = (errno.ENOSPC, errno.EDQUOT)
_TOO_LARGE = errno.EFBIG


def require_room(target: Target, size_bytes: int) -> None:
    """Refuse what clearly cannot fit.

    Args:
        target: Where it shall stand.
        size_bytes: At least so much will be written; 0 if nothing is known.

    Raises:
        ExportError: There is not enough room.
    """
    try:
        usage = shutil.disk_usage(target.path.parent)
    except OSError:
        return
    free = usage.total - usage.used
    if usage.total > 0 and 0 < free < size_bytes - size_bytes // 10:
        raise ExportError(
            f"the {_noun(target)} cannot be written: there is not enough room",
            where=str(target.named),
            found=free_in(target.path.parent),
            expected=f"room for at least {size_bytes} bytes",
            hint="make room, or write to another disk",
        )


@contextlib.contextmanager
def writing(target: Target, size_bytes: int) -> Iterator[None]:
    """Turn what the operating system refuses while writing into our error.

    Args:
        target: What is written.
        size_bytes: How much; 0 if that is not known.

    Raises:
        ExportError: It refuses; where room is the matter, the error says how much is needed and free.
    """
    try:
        yield
    except OSError as error:
        raise _unwritable(target, error, size_bytes) from error
    except ExportError as error:  # of a writer inside, which does not know how much is needed
        if not _is_about_room(error.__cause__):
            raise
        raise _unwritable(target, error.__cause__, size_bytes) from error.__cause__


def _is_about_room(error: BaseException | None) -> TypeGuard[OSError]:
    return isinstance(error, OSError) and error.errno in (*_NO_ROOM, _TOO_LARGE)


def _unwritable(target: Target, error: OSError, size_bytes: int) -> ExportError:
    is_about_room = _is_about_room(error)
    return ExportError(
        f"the {_noun(target)} cannot be written: {error.strerror or error}",
        where=str(target.named),
        found=free_in(target.path.parent) if is_about_room else "",
        expected=f"room for at least {size_bytes} bytes" if is_about_room and size_bytes else "",
        hint=_hint(target, error.errno),
    )


def _noun(target: Target) -> str:
    return "folder" if target.is_folder else "file"


def free_in(folder: Path) -> str:
    """Say how much is free, after what was half-written is gone."""
    try:
        return f"{shutil.disk_usage(folder).free} bytes free in {folder}"
    except OSError:
        return ""


def _hint(target: Target, number: int | None) -> str:
    if number == _TOO_LARGE:
        return "the file system, or a limit of your session, takes no file of that length: write elsewhere"
    if number == errno.EDQUOT:
        return "your quota on this file system is used up: make room, or write elsewhere"
    if number == errno.ENOSPC:
        return f"make room there, and in {tempfile.gettempdir()}, where archives are packed, or write elsewhere"
    above = "folder above" if target.is_folder else "folder"
    return f"check the {above}, your permissions and the space left on the disk"
