"""Reading an image database by itself: an ``imgdb.tgz``, or the folder ``var/db/esximg`` of a host.

It says everything about an image but does not hold it: of each VIB the exact descriptor and the
signature are there, and none of the payloads. So an image can be looked at, composed, judged and
compared; whoever asks for the bytes of a VIB is told where to get them.

A disc's database is the same archive; ``depot.disc`` knows where the payloads are.

Source: docs/formats.md#image-database.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO, ClassVar, final

import attrs

from esximage_builder.containers.ar import AR_MAGIC, render_ar_header
from esximage_builder.containers.tar_gz import read_tgz
from esximage_builder.depot.tree import FolderTree
from esximage_builder.documents.image_database import database_folder, database_kind
from esximage_builder.documents.vib_archive import DESCRIPTOR_NAME, SIGNATURE_NAME, archive_mode_of
from esximage_builder.errors import NotADepotError, NotInDepotError
from esximage_builder.streams.blocks import block_stream

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from esximage_builder.documents.vib_archive import VibHead
    from esximage_builder.limits import ReadBudget, ReadLimits
    from esximage_builder.models.vib import Vib

__all__ = [
    "DatabaseFiles",
    "DatabaseTree",
    "archived_vib_bytes",
    "head_blocks",
    "read_archive",
    "read_database_files",
    "required",
]


@final
@attrs.frozen
class DatabaseFiles:
    """The files of a database by their path in it, and how to name them in errors.

    Attributes:
        where: What stands before a path: ``imgdb.tgz!``.
        data: Contents by path: ``vibs/net.xml``.
    """

    where: str
    data: Mapping[str, bytes] = attrs.field(repr=False)


def read_database_files(source: Path, *, limits: ReadLimits, budget: ReadBudget) -> DatabaseFiles:
    """Read an image database from an archive, or from a folder that is one or contains one.

    Raises:
        NotADepotError: There is none.
        DepotError: The archive is damaged, too large, or the operating system refuses.
    """
    if source.is_dir():
        found = _read_folder(source, limits=limits, budget=budget)
    else:
        tree = FolderTree.of_file(source)
        budget.bring(tree.sizes[source.name])
        with tree.open(source.name) as stream:
            found = read_archive(stream, where=str(source), limits=limits, budget=budget)
    return required(found, where=str(source))


def required(found: DatabaseFiles, *, where: str) -> DatabaseFiles:
    """Return the files of an image database.

    Raises:
        NotADepotError: There are none.
    """
    if not found.data:
        raise NotADepotError(
            "there is no image database",
            where=where,
            found="no var/db/esximg",
            expected="an imgdb.tgz, or a folder var/db/esximg, with vibs and profiles in it",
            hint="take imgdb.tgz from the boot bank, or copy the whole folder",
        )
    return found


def read_archive(source: BinaryIO, *, where: str, limits: ReadLimits, budget: ReadBudget) -> DatabaseFiles:
    """Read the database in an ``imgdb.tgz``; without one there are no files.

    Raises:
        DepotError: The archive is damaged or too large.
    """
    files = dict(read_tgz(source, where=where, limits=limits, budget=budget))
    folders = {name[:at] for name in files for at, letter in enumerate(name) if letter == "/"}
    folder = database_folder(folders.__contains__)
    if folder is None:
        return DatabaseFiles(f"{where}!", {})
    data = {name.removeprefix(folder): content for name, content in files.items() if name.startswith(folder)}
    return DatabaseFiles(f"{where}!", data)


def _read_folder(source: Path, *, limits: ReadLimits, budget: ReadBudget) -> DatabaseFiles:
    """Read what the database is made of; other files in its folders are left alone."""
    folder = database_folder(lambda path: (source / path).is_dir())
    if folder is None:
        return DatabaseFiles(f"{source}/", {})
    root = source / folder
    tree = FolderTree.of_folder(root, limits=limits)
    budget.bring(sum(tree.sizes.values()))
    wanted = [name for name in tree.sizes if database_kind(name.removesuffix(".orig").removesuffix(".sig"))]
    data = {name: tree.read(name, budget=budget, max_bytes=limits.document_bytes) for name in wanted}
    return DatabaseFiles(f"{root}/", data)


def head_blocks(vib: Vib, head: VibHead) -> Iterator[bytes]:
    """Yield the beginning of a ``.vib`` file: all before its payloads, in the form of its time."""
    mode = archive_mode_of(vib)
    yield AR_MAGIC
    for name, data in ((DESCRIPTOR_NAME, head.descriptor), (SIGNATURE_NAME, head.signature)):
        yield render_ar_header(name, len(data), mode=mode) + data + b"\n" * (len(data) % 2)


def archived_vib_bytes(vib: Vib, head: VibHead) -> int:
    """Return the length of the ``.vib`` file of this descriptor and signature."""
    sizes = [len(head.descriptor), len(head.signature), *(payload.size_bytes or 0 for payload in vib.payloads)]
    header = len(render_ar_header("x", 0))
    return len(AR_MAGIC) + sum(header + size + size % 2 for size in sizes)


@final
class DatabaseTree:
    """The VIBs of an image database as a tree of ``.vib`` files that end where the payloads would begin."""

    holds_bytes: ClassVar[bool] = False

    def __init__(self, where: str) -> None:
        self.where = where
        self._sizes: dict[str, int] = {}
        self.sizes: Mapping[str, int] = self._sizes
        self._twins: dict[str, int] = {}
        self._heads: dict[str, tuple[Vib, VibHead]] = {}

    def add(self, vib: Vib, head: VibHead) -> str:
        """Take a VIB in and return its path."""
        path = f"{vib.id}.vib"
        if path in self._heads:  # one id, two descriptors: both stay, and a finding says so
            self._twins[vib.id] = self._twins.get(vib.id, 0) + 1
            path = f"{path}~{self._twins[vib.id]}"
        self._heads[path] = (vib, head)
        self._sizes[path] = archived_vib_bytes(vib, head)
        return path

    def place(self, path: str) -> str:
        """Return ``imgdb.tgz!vmx.vib``."""
        return f"{self.where}!{path}"

    def open(self, path: str) -> BinaryIO:
        """Open a VIB; descriptor and signature can be read.

        Raises:
            NotInDepotError: While reading: what follows is not there.
        """
        return block_stream(self._blocks(path))

    def read(self, path: str, *, budget: ReadBudget, max_bytes: int) -> bytes:
        """Raise: no VIB is here as a whole.

        Raises:
            NotInDepotError: Always.
        """
        del budget, max_bytes
        raise self._not_here(path)

    def open_packed(self, path: str) -> None:
        """Return None: nothing here is packed."""

    def path_of(self, path: str) -> None:
        """Return None: no VIB stands by itself."""

    def _blocks(self, path: str) -> Iterator[bytes]:
        yield from head_blocks(*self._heads[path])
        raise self._not_here(path)

    def _not_here(self, path: str) -> NotInDepotError:
        return NotInDepotError(
            "an image database has no bytes of VIBs, only their descriptors and signatures",
            where=self.place(path),
            found="no payloads",
            expected="a depot or disc that holds the VIB",
            hint="open the offline bundle or the installer ISO of the release beside it",
        )
