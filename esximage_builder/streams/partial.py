"""Partial files: what is being written stands beside its target under a name of its own.

The name is ``.NAME.<16 hexadecimal digits>.esximage-partial``. Whoever writes one holds a lock on
it (``flock``), which the operating system lets go of however the process ends. So a partial file
that nobody holds is left over from a run that was killed, and the next run to the same target
removes it; one that is held belongs to a run beside this one and is left alone.

Where a file system has no locks, nothing can be told, and nothing is removed. Windows refuses to
remove a file that is open, so there no lock is needed for files; partial folders stay there.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib
import os
import re
import secrets
import shutil
import stat
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

__all__ = ["partial_file", "partial_folder", "remove_left_over"]

_SUFFIX = ".esximage-partial"
_RANDOM_BYTES = 8
_MOST_NAME_BYTES = 160  # of the 255 that a name may have, with room for what stands around it
_BINARY = getattr(os, "O_BINARY", 0)
_NEW_FILE = os.O_RDWR | os.O_CREAT | os.O_EXCL | _BINARY
_AS_IT_IS = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | _BINARY
_FOLDER = os.O_RDONLY | getattr(os, "O_DIRECTORY", 0)


def _lock_of_the_system() -> Callable[[int], None] | None:
    """Return what takes the lock on an open file or raises ``BlockingIOError``; None where there is none."""
    try:
        fcntl = importlib.import_module("fcntl")
    except ImportError:
        return None
    return lambda handle: fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)


_LOCK = _lock_of_the_system()


@contextlib.contextmanager
def partial_file(target: Path) -> Iterator[tuple[Path, int]]:
    """Give a new file beside a target, and its descriptor, which the caller closes.

    It is removed in the end, unless it was moved. It is born with the mode that any new file
    gets, so the operating system applies the umask; asking for the umask would mean changing it,
    for all threads of the process.

    Raises:
        OSError: The operating system refuses.
    """
    with contextlib.ExitStack() as stack:
        held = False
        while not held:
            path = _partial_path(target)
            stack.callback(_remove_file, path)  # before it is there: a signal may come between
            handle = os.open(path, _NEW_FILE, 0o666)
            held = _hold(handle)
            if not held:  # a run that clears away came between
                os.close(handle)
        if _LOCK is not None:
            stack.callback(os.close, os.dup(handle))  # the lock stays until the file is in its place
        yield path, handle


@contextlib.contextmanager
def partial_folder(target: Path) -> Iterator[Path]:
    """Give a new private folder beside a target; it is removed in the end with all that is in it.

    Raises:
        OSError: The operating system refuses.
    """
    with contextlib.ExitStack() as stack:
        held = False
        while not held:
            path = _partial_path(target)
            stack.callback(shutil.rmtree, path, ignore_errors=True)
            path.mkdir(mode=0o700)
            held = _hold_folder(path, stack)
        yield path


def remove_left_over(target: Path) -> None:
    """Remove partial files and folders of this target that no run holds any more."""
    wanted = re.compile(rf"\.{re.escape(_stem(target))}\.[0-9a-f]{{{2 * _RANDOM_BYTES}}}{re.escape(_SUFFIX)}")
    with contextlib.suppress(OSError):
        for path in [path for path in target.parent.iterdir() if wanted.fullmatch(path.name)]:
            _remove_if_left_over(path)


def _partial_path(target: Path) -> Path:
    return target.parent / f".{_stem(target)}.{secrets.token_hex(_RANDOM_BYTES)}{_SUFFIX}"


def _stem(target: Path) -> str:
    """Return the target's name; of a long one its beginning and a digest of all of it."""
    name = os.fsencode(target.name)
    if len(name) <= _MOST_NAME_BYTES:
        return target.name
    return f"{target.name[:40]}~{hashlib.sha256(name).hexdigest()[:16]}"


def _remove_file(path: Path) -> None:
    with contextlib.suppress(OSError):
        path.unlink()


def _hold(handle: int) -> bool:
    """Take the lock on what was just made; False if it was taken, or the file removed, meanwhile."""
    if _LOCK is None:
        return True
    try:
        _LOCK(handle)
    except BlockingIOError:
        return False
    except OSError:  # a file system without locks: whoever clears away gets none either
        return True
    return os.fstat(handle).st_nlink > 0


def _hold_folder(path: Path, stack: contextlib.ExitStack) -> bool:
    if _LOCK is None:
        return True
    handle = os.open(path, _FOLDER)
    stack.callback(os.close, handle)
    return _hold(handle) and path.exists()


def _remove_if_left_over(path: Path) -> None:
    mode = path.lstat().st_mode
    if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
        return
    with contextlib.suppress(OSError):
        if _LOCK is None:
            path.unlink()  # refused while it is open, and for folders
            return
        access = os.O_RDONLY if stat.S_ISDIR(mode) else os.O_RDWR
        handle = os.open(path, access | _AS_IT_IS)
        try:
            _LOCK(handle)
            if os.path.samestat(os.fstat(handle), path.lstat()):
                _remove(path, mode)
        finally:
            os.close(handle)


def _remove(path: Path, mode: int) -> None:
    if stat.S_ISDIR(mode):
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink()
