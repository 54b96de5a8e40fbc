"""Where parts of VIBs wait that stand in generated archives: a temporary file with a place for each.

Parts come in the order of the VIBs, and archives have an order of their own. A part that several
archives want waits once.
"""

from __future__ import annotations

import contextlib
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Self, cast, final

from esximage_builder.errors import ExportError
from esximage_builder.export.disc_archives import PayloadMember, VibMember
from esximage_builder.streams.blocks import bounded_stream
from esximage_builder.streams.placed_file import Extent, PlacedFile
from esximage_builder.streams.room import free_in

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from types import TracebackType

    from esximage_builder.depot.vib_push import VibSink
    from esximage_builder.export.disc_archives import Archive, PayloadKey
    from esximage_builder.models.vib_store import PackedVib

__all__ = ["Spool"]


@final
class Spool:
    """A temporary file for what stands in archives; a context manager, which makes and removes it.

    Attributes:
        files: Ids of the VIBs that it takes as a whole.
        payloads: The payloads that it takes.
        total_bytes: Length of all of them.

    Args:
        archives: Say what is wanted.
        where: How to name what is written in errors.
    """

    def __init__(self, archives: Iterable[Archive], *, where: str) -> None:
        members = [member for archive in archives for member in archive.members]
        self._where = where
        self._places: dict[str | PayloadKey, tuple[int, int]] = {}
        self.total_bytes = 0
        for member in members:
            if isinstance(member, PayloadMember):
                self._reserve(member.payload, member.size_bytes)
            elif isinstance(member, VibMember):
                self._reserve(member.vib.id, member.size_bytes)
        self.files = frozenset(key for key in self._places if isinstance(key, str))
        self.payloads = frozenset(key for key in self._places if not isinstance(key, str))
        self._stack = contextlib.ExitStack()

    def _reserve(self, key: str | PayloadKey, size_bytes: int) -> None:
        if key not in self._places:
            self._places[key] = (self.total_bytes, size_bytes)
            self.total_bytes += size_bytes

    def __enter__(self) -> Self:
        if self._places:
            with self._writing():
                self._file = cast("BinaryIO", self._stack.enter_context(tempfile.TemporaryFile()))
            self._placed = PlacedFile(self._file, self._writing)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._writing():
            self._stack.close()

    @contextlib.contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise ExportError(
                f"what stands in archives cannot be kept in a temporary file: {error.strerror or error}",
                where=self._where,
                found=free_in(Path(tempfile.gettempdir())),
                expected=f"room for at least {self.total_bytes} bytes",
                hint="make room in the folder for temporary files, or set TMPDIR to another one",
            ) from error

    @contextlib.contextmanager
    def open_file(self, vib_id: str, packed: PackedVib | None) -> Iterator[VibSink]:  # noqa: ARG002 - plain bytes are kept
        """Give the place of a whole VIB."""
        yield _PlainSink(self._placed.extent(self._places[vib_id][0]))

    @contextlib.contextmanager
    def open_payload(self, key: PayloadKey) -> Iterator[Extent]:
        """Give the place of a payload."""
        yield self._placed.extent(self._places[key][0])

    def read(self, key: str | PayloadKey, *, where: str) -> BinaryIO:
        """Open a VIB or payload that was put here; one at a time."""
        start, size = self._places[key]
        self._file.seek(start)
        return bounded_stream(self._file, size, where=where)


@final
class _PlainSink:
    """Takes the plain bytes of a VIB."""

    def __init__(self, place: Extent) -> None:
        self._place = place

    def write(self, raw: bytes, plain: bytes, /) -> None:  # noqa: ARG002 - the others need it
        self._place.write(plain)
