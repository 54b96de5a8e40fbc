"""Files that several read at once, each at positions of their own, from any thread.

A file given by its path need not stay open: it is opened when it is read, and of all such files
of the process at most ``MOST_OPEN_FILES`` are open at a time, besides those being read just then.
The one that was not read for longest is closed for the next. So hundreds of depots can be open
together, however few files the operating system allows.
A file that is opened again must be the one it was: same device, number, length and time of change.

Files given as streams or descriptors are the caller's: they are never closed here.
"""

from __future__ import annotations

import contextlib
import errno
import io
import os
import threading
from collections import OrderedDict
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Protocol, final

from esximage_builder.errors import MalformedDocumentError, SourceUnreadableError
from esximage_builder.streams.plain_file import FileBelow, open_plain

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["MOST_OPEN_FILES", "SharedFile"]

MOST_OPEN_FILES = 32
"""Of the 256 that macOS allows a process, which has others to open."""

_NO_MORE_FILES = (errno.EMFILE, errno.ENFILE)


class _ChangedError(OSError):
    """Another file stands where the file stood."""


class _Bytes(Protocol):
    """Where the bytes come from."""

    def size_bytes(self) -> int:
        """Return how many there are."""

    def read_some(self, offset: int, count: int) -> bytes:
        """Return up to ``count`` bytes from ``offset`` on; none only at the end."""

    def close(self) -> None:
        """Let go of what was opened here."""


def _read_some(handle: int, offset: int, count: int, *, seeking: threading.Lock) -> bytes:
    """Read from an open file; only where the system cannot read at a position, one reads at a time."""
    if hasattr(os, "pread"):
        return os.pread(handle, count, offset)
    with seeking:
        os.lseek(handle, offset, os.SEEK_SET)
        return os.read(handle, count)


@contextlib.contextmanager
def _as_os_errors() -> Iterator[None]:
    """Take for an error of reading whatever a stream of the caller's raises: each kind has exceptions of its own."""
    try:
        yield
    except OSError:
        raise
    except Exception as error:
        raise OSError(f"{type(error).__name__}: {error}") from error


@final
class _StreamBytes:
    """A stream of the caller's, whose position nobody else moves."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._seeking = threading.Lock()

    def size_bytes(self) -> int:
        with self._seeking, _as_os_errors():
            return self._stream.seek(0, io.SEEK_END)

    def read_some(self, offset: int, count: int) -> bytes:
        with self._seeking, _as_os_errors():
            self._stream.seek(offset)
            return self._stream.read(count)

    def close(self) -> None:
        pass


@final
class _DescriptorBytes:
    """An open file of the caller's."""

    def __init__(self, handle: int) -> None:
        self._handle = handle
        self._seeking = threading.Lock()

    def size_bytes(self) -> int:
        return os.fstat(self._handle).st_size

    def read_some(self, offset: int, count: int) -> bytes:
        return _read_some(self._handle, offset, count, seeking=self._seeking)

    def close(self) -> None:
        pass


@final
class _PartBytes:
    """A part of something that others close."""

    def __init__(self, whole: _Bytes, start: int) -> None:
        self._whole = whole
        self._start = start

    def size_bytes(self) -> int:
        return self._whole.size_bytes() - self._start

    def read_some(self, offset: int, count: int) -> bytes:
        return self._whole.read_some(self._start + offset, count)

    def close(self) -> None:
        pass


@final
class _PathBytes:
    """A file by its path, opened on demand.

    Attributes:
        place: Where it stands.
        readers: How many read it just now; kept by ``_OpenFiles``.
        is_closed: It shall not be opened again; kept by ``_OpenFiles``.
    """

    def __init__(self, place: Path | FileBelow) -> None:
        self.place = place
        self.readers = 0
        self.is_closed = False
        self._identity: tuple[int, ...] | None = None
        self._seeking = threading.Lock()

    def open(self) -> int:
        """Open the file and return its descriptor.

        Raises:
            _ChangedError: It is another one than last time.
            OSError: The operating system refuses.
        """
        handle = self.place.open() if isinstance(self.place, FileBelow) else open_plain(self.place)
        with contextlib.ExitStack() as attempt:
            attempt.callback(os.close, handle)
            found = os.fstat(handle)
            identity = (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns)
            if self._identity not in (None, identity):
                raise _ChangedError
            self._identity = identity
            attempt.pop_all()
        return handle

    def size_bytes(self) -> int:
        with _OPEN_FILES.lend(self) as handle:
            return os.lseek(handle, 0, os.SEEK_END)

    def read_some(self, offset: int, count: int) -> bytes:
        with _OPEN_FILES.lend(self) as handle:
            return _read_some(handle, offset, count, seeking=self._seeking)

    def close(self) -> None:
        _OPEN_FILES.close(self)


@final
class _OpenFiles:
    """The files that are open just now, the one unread for longest first."""

    def __init__(self) -> None:
        self._handles: OrderedDict[_PathBytes, int] = OrderedDict()
        self._lock = threading.Lock()

    @contextlib.contextmanager
    def lend(self, file: _PathBytes) -> Iterator[int]:
        """Give the descriptor of a file, which stays open at least as long.

        Raises:
            OSError: The operating system refuses, or the file is another one than it was.
            ValueError: The file was closed for good.
        """
        with self._lock:
            handle = self._taken(file)
            file.readers += 1
        try:
            yield handle
        finally:
            with self._lock:
                file.readers -= 1
                if file.is_closed and not file.readers:
                    self._drop(file)
                self._close_idle(down_to=MOST_OPEN_FILES)

    def close(self, file: _PathBytes) -> None:
        """Close a file for good, at once or when its last reader is done."""
        with self._lock:
            file.is_closed = True
            if not file.readers:
                self._drop(file)

    def _taken(self, file: _PathBytes) -> int:
        """Return the descriptor of a file, opened if it is not; the caller holds the lock."""
        if file.is_closed:
            raise ValueError("I/O operation on closed file")
        if file not in self._handles:
            self._close_idle(down_to=MOST_OPEN_FILES - 1)
            self._handles[file] = self._opened(file)
        self._handles.move_to_end(file)
        return self._handles[file]

    def _opened(self, file: _PathBytes) -> int:
        """Open a file; where the process has no more to give, at the cost of all that nobody reads."""
        try:
            return file.open()
        except OSError as error:
            if error.errno not in _NO_MORE_FILES:
                raise
        self._close_idle(down_to=0)
        return file.open()

    def _close_idle(self, *, down_to: int) -> None:
        """Close files that nobody reads until so many are left, or only ones that are read."""
        surplus = len(self._handles) - down_to
        if surplus > 0:
            idle = [file for file in self._handles if not file.readers]
            for file in idle[:surplus]:
                self._drop(file)

    def _drop(self, file: _PathBytes) -> None:
        handle = self._handles.pop(file, None)
        if handle is not None:
            os.close(handle)


_OPEN_FILES = _OpenFiles()


def _bytes_of(source: Path | FileBelow | BinaryIO | int | _PartBytes) -> _Bytes:
    if isinstance(source, _PartBytes):
        return source
    if isinstance(source, (Path, FileBelow)):
        return _PathBytes(source)
    return _DescriptorBytes(source) if isinstance(source, int) else _StreamBytes(source)


@final
class SharedFile:
    """A file, or a part of one, to read anywhere in, from any thread.

    Args:
        source: A path, or a file in a folder that others filled; a seekable stream whose position
            nobody else moves; or the descriptor of an open file.
        where: How to name the file in errors.
        noun: What it is, in errors: ``zip archive``.
        size_bytes: Its length where that is known and not to be asked for.

    Attributes:
        where: As given.
        noun: As given.
        size_bytes: Its length.

    Raises:
        SourceUnreadableError: The operating system would not give the file.
    """

    def __init__(
        self,
        source: Path | FileBelow | BinaryIO | int | _PartBytes,
        *,
        where: str,
        noun: str,
        size_bytes: int | None = None,
    ) -> None:
        self.where = where
        self.noun = noun
        self._bytes = _bytes_of(source)
        try:
            self.size_bytes = self._bytes.size_bytes() if size_bytes is None else size_bytes
        except (OSError, ValueError) as error:  # ValueError: what can be no path
            self.close()
            raise self._unreadable(error) from error

    def read_at(self, offset: int, count: int) -> bytes:
        """Return exactly ``count`` bytes from ``offset`` on.

        Raises:
            MalformedDocumentError: The file ends before.
            SourceUnreadableError: The operating system would not give them, or the file was
                changed since it was first opened.
            ValueError: The file was closed.
        """
        if offset + count > self.size_bytes:
            raise self._cut_short(found=f"{self.size_bytes} bytes", expected=f"at least {offset + count} bytes")
        pieces: list[bytes] = []
        missing = count
        try:
            while missing and (piece := self._bytes.read_some(offset + count - missing, missing)):
                pieces.append(piece)
                missing -= len(piece)
        except OSError as error:
            raise self._unreadable(error) from error
        if missing:
            raise self._cut_short(": it ended while it was read", found=f"{missing} bytes are missing")
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def part(self, offset: int, size_bytes: int, *, where: str, noun: str) -> SharedFile:
        """Return a part of the file as a file; it lies within what the file has by then, which may have grown."""
        return SharedFile(_PartBytes(self._bytes, offset), where=where, noun=noun, size_bytes=size_bytes)

    def close(self) -> None:
        """Close the file if it was given by path; reading it is no longer possible then."""
        self._bytes.close()

    def _cut_short(self, how: str = "", *, found: str, expected: str = "") -> MalformedDocumentError:
        return MalformedDocumentError(
            f"the {self.noun} is cut short{how}",
            where=self.where,
            found=found,
            expected=expected,
            hint="the file is cut short or was changed: download it again",
        )

    def _unreadable(self, error: Exception) -> SourceUnreadableError:
        if isinstance(error, _ChangedError):
            return SourceUnreadableError(
                f"the {self.noun} was changed while it was open",
                where=self.where,
                found="another file, or another length or time of change",
                hint="open it again, and leave it alone while it is in use",
            )
        return SourceUnreadableError(
            f"the {self.noun} cannot be read",
            where=self.where,
            found=getattr(error, "strerror", None) or str(error),
            hint="check the path and your permissions",
        )
