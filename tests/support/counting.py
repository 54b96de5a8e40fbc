"""Depots and stores that count every byte of VIBs that they give out."""

from __future__ import annotations

import contextlib
import io
from typing import TYPE_CHECKING, BinaryIO, ClassVar, cast, final

import attrs

import esximage_builder as eib
from esximage_builder.depot.source import VibLocation

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from esximage_builder.depot.tree import DepotTree
    from esximage_builder.limits import ReadBudget
    from esximage_builder.streams.plain_file import FileBelow


@final
@attrs.define
class Count:
    """What was given out."""

    opened: int = 0
    plain_bytes: int = 0


@final
class _CountingStream(io.RawIOBase):
    def __init__(self, source: BinaryIO, count: Count) -> None:
        super().__init__()
        self._source = source
        self._count = count

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1, /) -> bytes:
        data = self._source.read(size)
        self._count.plain_bytes += len(data)
        return data

    def close(self) -> None:
        self._source.close()
        super().close()


@final
class _CountingPacked:
    def __init__(self, packed: eib.PackedVib, count: Count) -> None:
        self._count = count
        self._packed = packed
        self.method, self.crc32 = packed.method, packed.crc32
        self.size_bytes, self.compressed_bytes = packed.size_bytes, packed.compressed_bytes

    def copy_blocks(self) -> Iterator[tuple[bytes, bytes]]:
        for raw, plain in self._packed.copy_blocks():
            self._count.plain_bytes += len(plain)
            yield raw, plain


@final
class _CountingTree:
    """A tree that counts what of it is opened."""

    holds_bytes: ClassVar[bool] = True

    def __init__(self, tree: DepotTree, count: Count) -> None:
        self._tree = tree
        self._count = count
        self.where = tree.where
        self.sizes: Mapping[str, int] = tree.sizes

    def place(self, path: str) -> str:
        return self._tree.place(path)

    def read(self, path: str, *, budget: ReadBudget, max_bytes: int) -> bytes:
        return self._tree.read(path, budget=budget, max_bytes=max_bytes)

    def path_of(self, path: str) -> FileBelow | None:
        return self._tree.path_of(path)

    def open(self, path: str) -> BinaryIO:
        self._count.opened += 1
        return cast("BinaryIO", _CountingStream(self._tree.open(path), self._count))

    def open_packed(self, path: str) -> contextlib.AbstractContextManager[eib.PackedVib] | None:
        packed = self._tree.open_packed(path)
        if packed is None:
            return None
        self._count.opened += 1
        return self._counted(packed)

    @contextlib.contextmanager
    def _counted(self, packed: contextlib.AbstractContextManager[eib.PackedVib]) -> Iterator[eib.PackedVib]:
        with packed as member:
            yield _CountingPacked(member, self._count)


@contextlib.contextmanager
def counted(depot: eib.Depot) -> Iterator[tuple[eib.Depot, Count]]:
    """A depot over the same files, which knows nothing measured yet, and the count of what it gives out."""
    count = Count()
    trees: dict[int, _CountingTree] = {}

    def location(place: VibLocation) -> VibLocation:
        return VibLocation(trees.setdefault(id(place.tree), _CountingTree(place.tree, count)), place.path)

    locations = {key: [location(place) for place in places] for key, places in depot._locations.items()}
    with eib.Depot(depot.catalog, locations, contextlib.ExitStack(), depot.limits) as opened:
        yield opened, count


@final
class PlainStore:
    """A store of one's own: it opens VIBs, and knows nothing else."""

    def __init__(self, files: Mapping[str, bytes]) -> None:
        self._files = files
        self.count = Count()

    def open_vib(self, vib: eib.Vib) -> BinaryIO:
        if vib.id not in self._files:
            raise eib.NotInDepotError(f"no {vib.id} here")
        self.count.opened += 1
        return cast("BinaryIO", _CountingStream(io.BytesIO(self._files[vib.id]), self.count))


def files_of(image: eib.Image, depot: eib.Depot) -> dict[str, bytes]:
    """The whole file of each VIB of an image, by id."""
    files = {}
    for vib in image.all_vibs:
        with depot.open_vib(vib) as source:
            files[vib.id] = source.read()
    return files
