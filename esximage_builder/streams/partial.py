"""Partial files: what is being written stands beside its target under a name of its own.

The name is ``.NAME.<16 hexadecimal digits>.esximage-partial``. Whoever writes one holds a lock on
it (``flock``), which the operating system lets go of however the process ends. So a partial file
that nobody holds is left over from a run that was killed, and the next run to the same target
removes it; one that is held belongs to a run beside this one and is left alone.

Where several files take their places together, the old one keeps a second name until the last is
in its place: that of its partial file, with ``.esximage-old`` at the end. Whoever holds the
partial file, which may be at the target's place by then, holds the old one too. Left over, it is
removed where the target is there, and else, on a file system without second names, put back.

Where a file system has no locks, nothing can be told, and nothing is removed. Windows refuses to
remove a file that is open, so there no lock is needed for partial files; partial folders and old
files stay there.
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

__all__ = ["old_file", "partial_file", "partial_folder", "remove_left_over"]

_SUFFIX = ".esximage-partial"
_OLD_SUFFIX = ".esximage-old"
_RANDOM_BYTES = 8
# With what stands around it, it is no longer than the 143 bytes that encrypted home folders take; others take 255.
_MOST_NAME_BYTES = 100
_KEPT_BYTES = 60
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


def old_file(partial: Path) -> Path:
    """Return the second name of the old file while a partial file takes its place."""
    return partial.with_suffix(_OLD_SUFFIX)


def remove_left_over(target: Path) -> None:
    """Remove partial files and folders of this target that no run holds any more.

    An old file of a run that was killed goes too, or back to its place if that is empty.
    """
    with contextlib.suppress(OSError):
        for path in _left(target, _OLD_SUFFIX):
            _settle_old(path, target)
        for path in _left(target, _SUFFIX):
            _remove_if_left_over(path)


def _left(target: Path, suffix: str) -> list[Path]:
    wanted = re.compile(rf"\.{re.escape(_stem(target))}\.[0-9a-f]{{{2 * _RANDOM_BYTES}}}{re.escape(suffix)}")
    return [path for path in target.parent.iterdir() if wanted.fullmatch(path.name)]


def _settle_old(old: Path, target: Path) -> None:
    """Remove or put back the old file of a killed run.

    The partial file is asked first: if it takes its place between the two questions, the second finds it there.
    """
    is_file = stat.S_ISREG(old.lstat().st_mode)
    if not is_file or _is_held(old.with_suffix(_SUFFIX)) or _is_held(target):
        return
    with contextlib.suppress(OSError):
        if os.path.lexists(target):
            old.unlink()
        else:
            old.rename(target)


def _is_held(path: Path) -> bool:
    """Whether a run holds this file; one that is not there is held by none, one that tells nothing by somebody."""
    if _LOCK is None:
        return True
    try:
        handle = os.open(path, os.O_RDONLY | _AS_IT_IS)
    except FileNotFoundError:
        return False
    except OSError:
        return True
    try:
        _LOCK(handle)
    except OSError:
        return True
    finally:
        os.close(handle)
    return False


def _partial_path(target: Path) -> Path:
    return target.parent / f".{_stem(target)}.{secrets.token_hex(_RANDOM_BYTES)}{_SUFFIX}"


def _stem(target: Path) -> str:
    """Return the target's name; of a long one its beginning and a digest of all of it."""
    name = os.fsencode(target.name)
    if len(name) <= _MOST_NAME_BYTES:
        return target.name
    beginning = name[:_KEPT_BYTES].decode(errors="ignore")
    return f"{beginning}~{hashlib.sha256(name).hexdigest()[:16]}"


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
