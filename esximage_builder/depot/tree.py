"""One view of depots that are zips and depots that are folders; discs have theirs in ``depot.disc``."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, BinaryIO, ClassVar, Protocol, Self, final

import attrs

from esximage_builder.containers.zip import ZipReader
from esximage_builder.containers.zip_records import ZipMember
from esximage_builder.errors import LimitExceededError, SourceUnreadableError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from esximage_builder.limits import ReadBudget, ReadLimits
    from esximage_builder.models.vib_store import PackedVib

__all__ = ["DepotTree", "FolderTree", "ZipTree", "join", "read_file"]


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

    def path_of(self, path: str) -> Path | None:
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
class FolderTree:
    """An unpacked depot. Links that lead out of the folder are not followed."""

    holds_bytes: ClassVar[bool] = True

    def __init__(self, folder: Path, sizes: Mapping[str, int], *, where: str) -> None:
        self.where = where
        self.sizes = sizes
        self._folder = folder

    @classmethod
    def of_folder(cls, folder: Path, *, limits: ReadLimits) -> Self:
        """Return the tree of a folder with all below it.

        Raises:
            SourceUnreadableError: The operating system refuses.
            LimitExceededError: More files than ``limits`` allow.
        """
        return cls(folder, _folder_sizes(folder, limits), where=str(folder))

    @classmethod
    def of_file(cls, path: Path) -> Self:
        """Return the tree of a single file, so that a loose ``.vib`` is located like any other.

        Raises:
            SourceUnreadableError: The operating system refuses.
        """
        try:
            size = path.stat().st_size
        except OSError as error:
            raise _unreadable(path, error) from error
        return cls(path.parent, {path.name: size}, where=str(path))

    def place(self, path: str) -> str:
        """Return the path of the file."""
        return str(self._folder / path)

    def read(self, path: str, *, budget: ReadBudget, max_bytes: int) -> bytes:
        """Return a whole file, of at most ``max_bytes``."""
        data = read_file(self._folder / path, max_bytes=max_bytes)
        budget.spend(len(data), where=self.place(path))
        return data

    def open(self, path: str) -> BinaryIO:
        """Open a file."""
        return _open_file(self._folder / path)

    def open_packed(self, path: str) -> None:
        """Return None: files of a folder are not packed."""

    def path_of(self, path: str) -> Path:
        """Return the path of the file."""
        return self._folder / path


def _folder_sizes(folder: Path, limits: ReadLimits) -> dict[str, int]:
    sizes: dict[str, int] = {}
    root = folder.resolve()
    try:
        for current, folders, names in os.walk(folder):
            folders.sort()
            for name in sorted(names):
                file = Path(current, name)
                if _leads_inside(file, root) and file.is_file():
                    sizes[file.relative_to(folder).as_posix()] = file.stat().st_size
            if len(sizes) > limits.member_count:
                raise LimitExceededError(
                    "the folder holds more files than the limit",
                    where=str(folder),
                    found=f"more than {limits.member_count} files",
                    hint="name the depot's own folder, or pass ReadLimits(member_count=...)",
                )
    except OSError as error:
        raise _unreadable(folder, error) from error
    return sizes


def _leads_inside(file: Path, root: Path) -> bool:
    """Tell whether the file, all links followed, lies below ``root``; links in a circle do not."""
    try:
        return file.resolve().is_relative_to(root)
    except RuntimeError:  # what Python 3.11 and 3.12 make of links in a circle
        return False


def _unreadable(path: Path, error: OSError) -> SourceUnreadableError:
    return SourceUnreadableError(
        f"the file cannot be read: {error.strerror or error}",
        where=str(path),
        hint="check the path and your permissions",
    )


def _open_file(path: Path) -> BinaryIO:
    """Open a file for reading.

    Raises:
        SourceUnreadableError: The operating system refuses.
    """
    try:
        return path.open("rb")
    except OSError as error:
        raise _unreadable(path, error) from error


def read_file(path: Path, *, max_bytes: int) -> bytes:
    """Return a whole file.

    Raises:
        SourceUnreadableError: The operating system refuses.
        LimitExceededError: Longer than ``max_bytes``.
    """
    with _open_file(path) as file:
        try:
            data = file.read(max_bytes + 1)
        except OSError as error:
            raise _unreadable(path, error) from error
    if len(data) > max_bytes:
        raise LimitExceededError(
            "the file is larger than the limit", where=str(path), expected=f"at most {max_bytes} bytes"
        )
    return data
