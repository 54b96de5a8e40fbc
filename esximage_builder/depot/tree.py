"""One view of depots that are zips and depots that are folders; discs have theirs in ``depot.disc``."""

from __future__ import annotations

import contextlib
import os
import stat
from pathlib import Path, PurePosixPath
from types import MappingProxyType
from typing import TYPE_CHECKING, BinaryIO, ClassVar, Protocol, Self, final

import attrs

from esximage_builder.containers.zip import ZipReader
from esximage_builder.containers.zip_records import ZipMember
from esximage_builder.errors import LimitExceededError, SourceUnreadableError
from esximage_builder.streams.blocks import block_stream
from esximage_builder.streams.hashing import COPY_BLOCK_BYTES
from esximage_builder.streams.plain_file import FileBelow, open_readable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from esximage_builder.limits import ReadBudget, ReadLimits
    from esximage_builder.models.vib_store import PackedVib
    from esximage_builder.streams.shared_file import SharedFile

__all__ = ["DepotTree", "FileTree", "FolderTree", "ZipTree", "join", "read_file"]


class DepotTree(Protocol):
    """The files of a depot by their path inside it, with forward slashes.

    Attributes:
        holds_bytes: False if files are only described: all of a VIB but its payloads.
        where: How to name the depot in errors.
        sizes: Path to length in bytes.
    """

    holds_bytes: ClassVar[bool]
    where: str
    sizes: Mapping[str, int]

    def place(self, path: str) -> str:
        """Return how to name a file in errors."""

    def read(self, path: str, *, budget: ReadBudget, max_bytes: int) -> bytes:
        """Return a whole file."""

    def open(self, path: str) -> BinaryIO:
        """Open a file for reading from its beginning; the caller closes it."""

    def open_packed(self, path: str) -> contextlib.AbstractContextManager[PackedVib] | None:
        """Return the file as packed, or None where it is not."""

    def path_of(self, path: str) -> FileBelow | None:
        """Return where the file stands by itself, or None where it is inside another."""


def join(folder: str, path: str) -> str:
    """Return ``path`` as seen from ``folder``, without ``.`` parts; ``..`` stays and finds nothing."""
    parts = [part for part in PurePosixPath(folder, path.lstrip("/")).parts if part != "."]
    return "/".join(parts)


@final
@attrs.frozen
class _PackedMember:
    """A member as it lies in its zip."""

    reader: ZipReader
    member: ZipMember

    @property
    def method(self) -> int:
        return self.member.method

    @property
    def crc32(self) -> int:
        return self.member.crc32

    @property
    def size_bytes(self) -> int:
        return self.member.size_bytes

    @property
    def compressed_bytes(self) -> int:
        return self.member.compressed_bytes

    def copy_blocks(self) -> Iterator[tuple[bytes, bytes]]:
        return self.reader.copy_blocks(self.member.name)


@final
class ZipTree:
    """A depot in a zip archive."""

    holds_bytes: ClassVar[bool] = True

    def __init__(self, reader: ZipReader) -> None:
        self.where = reader.where
        self.sizes: Mapping[str, int] = {name: member.size_bytes for name, member in reader.members.items()}
        self._reader = reader

    def place(self, path: str) -> str:
        """Return ``depot.zip!vib20/x.vib``."""
        return f"{self.where}!{path}"

    def read(self, path: str, *, budget: ReadBudget, max_bytes: int) -> bytes:
        """Return a whole file; see ``ZipReader.read``."""
        return self._reader.read(path, max_bytes=max_bytes, budget=budget)

    def open(self, path: str) -> BinaryIO:
        """Open a file, inflating while it is read."""
        return self._reader.open(path)

    def open_packed(self, path: str) -> contextlib.AbstractContextManager[PackedVib]:
        """Return the member as it lies in the zip."""
        return contextlib.nullcontext(_PackedMember(self._reader, self._reader.members[path]))

    def path_of(self, path: str) -> None:
        """Return None: members of a zip do not stand by themselves."""


@final
class FileTree:
    """A single file that the caller opened, so that a loose ``.vib`` is located like any other."""

    holds_bytes: ClassVar[bool] = True

    def __init__(self, file: SharedFile) -> None:
        self.where = file.where
        self.name = PurePosixPath(file.where).name or "file"
        self.sizes: Mapping[str, int] = {self.name: file.size_bytes}
        self._file = file

    def place(self, path: str) -> str:  # noqa: ARG002 - there is one file
        """Return the name of the file."""
        return self.where

    def read(self, path: str, *, budget: ReadBudget, max_bytes: int) -> bytes:  # noqa: ARG002 - there is one file
        """Return the whole file, of at most ``max_bytes``."""
        if self._file.size_bytes > max_bytes:
            raise _too_large(self.where, max_bytes)
        budget.spend(self._file.size_bytes, where=self.where)
        return self._file.read_at(0, self._file.size_bytes)

    def open(self, path: str) -> BinaryIO:  # noqa: ARG002 - there is one file
        """Return a view of the file from its beginning; closing it leaves the caller's file open."""
        return block_stream(self._blocks())

    def _blocks(self) -> Iterator[bytes]:
        for at in range(0, self._file.size_bytes, COPY_BLOCK_BYTES):
            yield self._file.read_at(at, min(COPY_BLOCK_BYTES, self._file.size_bytes - at))

    def open_packed(self, path: str) -> None:
        """Return None: the file is not packed."""

    def path_of(self, path: str) -> None:
        """Return None: it is the caller's, and may have no path."""


@final
class FolderTree:
    """An unpacked depot. No link is followed that leads out of the folder, and nothing but regular files is read.

    A link that leads to a file inside stands for that file, as it was when the folder was listed;
    it is opened by its own path, on which no part is a link.

    Attributes:
        outward_links: Links that lead out or nowhere, which were not followed.
    """

    holds_bytes: ClassVar[bool] = True

    def __init__(
        self,
        folder: Path,
        sizes: Mapping[str, int],
        *,
        where: str,
        real_places: Mapping[str, FileBelow] = MappingProxyType({}),
        outward_links: Sequence[str] = (),
    ) -> None:
        self.where = where
        self.sizes = sizes
        self.outward_links = outward_links
        self._real_places = real_places
        self._folder = folder

    @classmethod
    def of_folder(cls, folder: Path, *, limits: ReadLimits) -> Self:
        """Return the tree of a folder with all below it.

        Raises:
            SourceUnreadableError: The operating system refuses.
            LimitExceededError: More files than ``limits`` allow.
        """
        found = _listed(folder, limits)
        return cls(folder, found.sizes, where=str(folder), real_places=found.linked, outward_links=found.outward_links)

    @classmethod
    def of_file(cls, path: Path) -> Self:
        """Return the tree of a single file, so that a loose ``.vib`` is located like any other.

        Raises:
            SourceUnreadableError: The operating system refuses.
        """
        try:
            real = path.resolve(strict=True)
            size = real.stat().st_size
        except (OSError, RuntimeError) as error:  # RuntimeError: Python 3.11 and 3.12, of links in a circle
            raise _unreadable(path, error) from error
        return cls(
            path.parent,
            {path.name: size},
            where=str(path),
            real_places={path.name: FileBelow(real.parent, real.name)},
        )

    def place(self, path: str) -> str:
        """Return the path of the file."""
        return str(self._folder / path)

    def read(self, path: str, *, budget: ReadBudget, max_bytes: int) -> bytes:
        """Return a whole file, of at most ``max_bytes``."""
        with self.open(path) as file:
            data = _read(file, Path(self.place(path)), max_bytes=max_bytes)
        budget.spend(len(data), where=self.place(path))
        return data

    def open(self, path: str) -> BinaryIO:
        """Open a file."""
        return _opened(self.path_of(path).open, Path(self.place(path)))

    def open_packed(self, path: str) -> None:
        """Return None: files of a folder are not packed."""

    def path_of(self, path: str) -> FileBelow:
        """Return the place of the file."""
        return self._real_places.get(path) or FileBelow(self._folder, path)


@final
@attrs.define
class _Listing:
    """The files of a folder.

    Attributes:
        sizes: Path to length in bytes.
        linked: Of paths that are links, the place inside that they lead to.
        outward_links: See ``FolderTree``.
    """

    sizes: dict[str, int] = attrs.Factory(dict)
    linked: dict[str, FileBelow] = attrs.Factory(dict)
    outward_links: list[str] = attrs.Factory(list)

    def take(self, file: Path, name: str, root: Path) -> None:
        """Take note of what stands at a path; pipes, sockets and devices are passed over."""
        found = file.lstat()
        if stat.S_ISLNK(found.st_mode):
            inside = _place_inside(file, root)
            if inside is None:
                self.outward_links.append(name)
                return
            self.linked[name] = FileBelow(root, inside)
            found = file.stat()
        if stat.S_ISREG(found.st_mode):
            self.sizes[name] = found.st_size

    def take_folder(self, folder: Path, name: str, root: Path) -> None:
        """Take note of a folder that is a link; what is in one that lies inside is listed where it lies."""
        if folder.is_symlink() and _place_inside(folder, root) is None:
            self.outward_links.append(name)


def _listed(folder: Path, limits: ReadLimits) -> _Listing:
    listing = _Listing()
    try:
        root = folder.resolve()
        for current, folders, names in os.walk(folder):
            folders.sort()
            for name in folders:
                listing.take_folder(Path(current, name), _relative(folder, current, name), root)
            for name in sorted(names):
                listing.take(Path(current, name), _relative(folder, current, name), root)
            if len(listing.sizes) + len(listing.outward_links) > limits.member_count:
                raise LimitExceededError(
                    "the folder holds more files than the limit",
                    where=str(folder),
                    found=f"more than {limits.member_count} files",
                    hint="name the depot's own folder, or pass ReadLimits(member_count=...)",
                )
    except OSError as error:
        raise _unreadable(folder, error) from error
    return listing


def _relative(folder: Path, current: str, name: str) -> str:
    return Path(current, name).relative_to(folder).as_posix()


def _place_inside(file: Path, root: Path) -> str | None:
    """Return where a link leads, from ``root``, all links followed; None for outside, nowhere or in a circle."""
    try:
        real = file.resolve(strict=True)
    except (OSError, RuntimeError):  # RuntimeError: what Python 3.11 and 3.12 make of links in a circle
        return None
    return real.relative_to(root).as_posix() if real.is_relative_to(root) else None


def _unreadable(path: Path, error: Exception) -> SourceUnreadableError:
    return SourceUnreadableError(
        f"the file cannot be read: {getattr(error, 'strerror', None) or error}",
        where=str(path),
        hint="check the path and your permissions",
    )


def _too_large(where: str, max_bytes: int) -> LimitExceededError:
    return LimitExceededError("the file is larger than the limit", where=where, expected=f"at most {max_bytes} bytes")


def _opened(open_it: Callable[[], int], path: Path) -> BinaryIO:
    """Return the stream of a descriptor.

    Raises:
        SourceUnreadableError: The operating system refuses.
    """
    try:
        return os.fdopen(open_it(), "rb")
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        raise _unreadable(path, error) from error


def read_file(path: Path, *, max_bytes: int) -> bytes:
    """Return a whole file that the caller named.

    Raises:
        SourceUnreadableError: The operating system refuses.
        LimitExceededError: Longer than ``max_bytes``.
    """
    with _opened(lambda: open_readable(path), path) as file:
        return _read(file, path, max_bytes=max_bytes)


def _read(file: BinaryIO, path: Path, *, max_bytes: int) -> bytes:
    try:
        data = file.read(max_bytes + 1)
    except OSError as error:
        raise _unreadable(path, error) from error
    if len(data) > max_bytes:
        raise _too_large(str(path), max_bytes)
    return data
