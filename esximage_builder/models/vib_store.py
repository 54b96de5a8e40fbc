"""Where exporters get the bytes of VIBs from: two small protocols."""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO, Protocol, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

    from esximage_builder.models.vib import Vib

__all__ = ["PackedVib", "PackedVibStore", "VibStore"]


class VibStore(Protocol):
    """Gives the bytes of a ``.vib`` file; the same VIB always gives the same bytes."""

    def open_vib(self, vib: Vib) -> BinaryIO:
        """Open the whole ``.vib`` file for reading; the caller closes it.

        Raises:
            NotInDepotError: The store has no such VIB.
        """


class PackedVib(Protocol):
    """A ``.vib`` as it lies in its source zip, compressed or not."""

    @property
    def method(self) -> int:
        """Zip method, 0 stored or 8 deflated."""

    @property
    def crc32(self) -> int:
        """Checksum of the plain bytes."""

    @property
    def size_bytes(self) -> int:
        """Length of the plain bytes."""

    @property
    def compressed_bytes(self) -> int:
        """Length in the zip."""

    def copy_blocks(self) -> Iterator[tuple[bytes, bytes]]:
        """Yield pairs of packed bytes and the plain bytes they expand to."""


@runtime_checkable
class PackedVibStore(Protocol):
    """A store that can hand over a VIB as packed in its source, so that nothing is packed anew."""

    def open_packed_vib(self, vib: Vib) -> AbstractContextManager[PackedVib] | None:
        """Return the packed form, or None if this VIB has none."""
