"""Looking at a disc: its files, what firmware boots, the bytes of a file.

For whoever wants to see what stands on a disc. The VIBs of an installer disc are read with
``open_depot``, and whether it would install is said by ``verify_iso``.

Source: docs/formats.md#disc-layout.
"""

from __future__ import annotations

from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, BinaryIO, Self, final

from esximage_builder.containers.iso9660_reader import open_iso
from esximage_builder.errors import SourceUnreadableError
from esximage_builder.limits import ReadLimits

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType

    from esximage_builder.containers.iso9660_reader import BootEntry, IsoReader

__all__ = ["Disc", "open_disc"]


@final
class Disc:
    """An open disc; a context manager. Files may be read from several threads.

    Attributes:
        path: The file, as the caller named it.
        volume_id: Its label, as it stands there.
        files: Length in bytes of each file by its path, in path order. Paths are in upper
            case, with folders before them: ``EFI/BOOT/BOOT.CFG``.
        boot_entries: What firmware boots, in catalog order; empty if it does not boot.
    """

    def __init__(self, path: str, reader: IsoReader, limits: ReadLimits) -> None:
        self.path = path
        self.volume_id: str = reader.volume_id
        self.files: Mapping[str, int] = MappingProxyType(
            {name: entry.size_bytes for name, entry in reader.files.items()}
        )
        self.boot_entries: tuple[BootEntry, ...] = reader.boot_entries
        self._reader = reader
        self._limits = limits
        self._is_closed = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file; what the attributes say stays."""
        self._is_closed = True
        self._reader.close()

    def read(self, path: str, *, max_bytes: int | None = None) -> bytes:
        """Return a whole file of the disc.

        Args:
            path: Its path; the case does not matter.
            max_bytes: Upper bound; None takes ``document_bytes`` of the disc's limits.

        Raises:
            NotInDepotError: There is none; ``hint`` names what is spelled alike.
            LimitExceededError: It is longer than the bound; ``open`` reads it piece by piece.
            SourceUnreadableError: The operating system would not give it, or the disc is closed.
        """
        bound = self._limits.document_bytes if max_bytes is None else max_bytes
        return self._open_reader().read(path, max_bytes=bound)

    def open(self, path: str) -> BinaryIO:
        """Open a file of the disc as a seekable stream, which the caller closes before the disc.

        Args:
            path: Its path; the case does not matter.

        Raises:
            NotInDepotError: There is none; ``hint`` names what is spelled alike.
            SourceUnreadableError: The disc is closed; while reading: the operating system would not give it.
        """
        return self._open_reader().open(path)

    def _open_reader(self) -> IsoReader:
        if self._is_closed:
            raise SourceUnreadableError(
                "the disc was closed before a file was read",
                where=self.path,
                hint="read inside the with block that opened the disc",
            )
        return self._reader


def open_disc(path: str | Path, *, limits: ReadLimits | None = None) -> Disc:
    """Open a disc, an installer's or any other; contents of files are not touched.

    Args:
        path: The ISO image.
        limits: Upper bounds; None takes the defaults.

    Returns:
        The disc, a context manager.

    Raises:
        SourceUnreadableError: It is missing or cannot be read.
        MalformedDocumentError: No ISO 9660 disc, damaged, or cut short.
        UnsafeArchiveError: Two files of one name, or a name that could escape.
        LimitExceededError: More than ``limits`` allow.
    """
    bounds = limits or ReadLimits()
    return Disc(str(path), open_iso(Path(path), where=str(path), limits=bounds), bounds)
