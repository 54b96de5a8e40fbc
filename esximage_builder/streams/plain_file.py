"""Opening files for reading so that nobody waits, and nothing else is read than was meant.

Rules:

* Opening never waits: a pipe without writer, or a device, is told apart after it is open, by what is open.
* A path that the caller gave may be a link; inside a folder that others filled no link is followed, on no level.
* Where the system cannot open below an open folder, the path is opened whole.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from pathlib import Path
from typing import final

import attrs

__all__ = ["FileBelow", "open_plain", "open_readable"]

_READ_ONLY = os.O_RDONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0)
_NO_LINK = getattr(os, "O_NOFOLLOW", 0)
_FOLDER = _READ_ONLY | getattr(os, "O_DIRECTORY", 0)
_OPENS_BELOW = os.open in os.supports_dir_fd


def open_plain(path: Path) -> int:
    """Open a regular file, links followed, and return its descriptor.

    Raises:
        OSError: The operating system refuses, or it is a folder, a pipe, a socket or a device.
        ValueError: It can be no path.
    """
    return _require_plain(os.open(path, _READ_ONLY))


def open_readable(path: Path) -> int:
    """Open a file or stream that the caller named, such as ``/dev/stdin``; a pipe that nobody writes is empty.

    Raises:
        OSError: The operating system refuses, or it is a folder.
        ValueError: It can be no path.
    """
    handle = os.open(path, _READ_ONLY)
    with contextlib.ExitStack() as attempt:
        attempt.callback(os.close, handle)
        if stat.S_ISDIR(os.fstat(handle).st_mode):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        if hasattr(os, "O_NONBLOCK"):
            os.set_blocking(handle, True)
        attempt.pop_all()
    return handle


@final
@attrs.frozen
class FileBelow:
    """A file in a folder that others filled.

    Attributes:
        folder: Links in its own path are the caller's, and are followed.
        path: The path from there, with forward slashes; no part of it may be a link.
    """

    folder: Path
    path: str

    def open(self) -> int:
        """Open the regular file that stands there and return its descriptor.

        Raises:
            OSError: The operating system refuses, a part of the path is a link, or it is no regular file.
            ValueError: It can be no path.
        """
        if not _OPENS_BELOW:
            return _require_plain(os.open(self.folder / self.path, _READ_ONLY | _NO_LINK))
        *folders, name = self.path.split("/")
        place = os.open(self.folder, _FOLDER)
        try:
            for part in folders:
                inner = os.open(part, _FOLDER | _NO_LINK, dir_fd=place)
                os.close(place)
                place = inner
            return _require_plain(os.open(name, _READ_ONLY | _NO_LINK, dir_fd=place))
        finally:
            os.close(place)


def _require_plain(handle: int) -> int:
    """Hand a descriptor on if it is that of a regular file; else it is closed."""
    mode = os.fstat(handle).st_mode
    if stat.S_ISREG(mode):
        return handle
    os.close(handle)
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    raise OSError(errno.EINVAL, "it is a device or a pipe")
