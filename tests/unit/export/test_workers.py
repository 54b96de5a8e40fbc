"""However many VIBs are read at a time: the same bytes, the same refusal, nothing left behind."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Self, cast

import pytest
from support.changed_depots import ROOT

import esximage_builder as eib

if TYPE_CHECKING:
    from collections.abc import Iterator

BASE = ROOT / "fixtures" / "depots" / "VMware-ESXi-8.0U3-24022510-depot.zip"
EXPORTS: dict[str, Any] = {
    "iso": eib.export_iso,
    "bundle": eib.export_bundle,
    "usb": eib.export_usb,
    "pxe": eib.export_pxe,
}
SUFFIXES = {"iso": ".iso", "bundle": ".zip", "usb": ".img", "pxe": ""}

each_export = pytest.mark.parametrize("name", EXPORTS)


@pytest.fixture(scope="module")
def opened() -> Iterator[tuple[eib.Depot, eib.Image]]:
    with eib.open_depot(BASE) as depot:
        yield depot, eib.compose(depot.catalog, base_image="8.0U3")


def digests(place: Path) -> dict[str, str]:
    files = [place] if place.is_file() else sorted(path for path in place.rglob("*") if path.is_file())
    return {str(path.relative_to(place)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


@each_export
def test_the_bytes_do_not_depend_on_how_many_read(
    opened: tuple[eib.Depot, eib.Image], tmp_path: Path, name: str
) -> None:
    depot, image = opened
    found = []
    for workers in (1, 2, 7):
        target = tmp_path / f"{workers}{SUFFIXES[name]}"
        EXPORTS[name](image, depot, target, workers=workers)
        found.append(digests(target))
    assert found[0]
    assert found[0] == found[1] == found[2]


class Damaged:
    """A store in which some VIBs have another byte in a payload, wherever they are read."""

    def __init__(self, depot: eib.Depot, vib_ids: set[str]) -> None:
        self._depot = depot
        self._vib_ids = vib_ids

    def open_vib(self, vib: eib.Vib) -> BinaryIO:
        stream = self._depot.open_vib(vib)
        return cast("BinaryIO", OtherEnd(stream, vib)) if vib.id in self._vib_ids else stream


class OtherEnd:
    """A stream whose last bytes are others."""

    def __init__(self, stream: BinaryIO, vib: eib.Vib) -> None:
        self._stream = stream
        self._left = (vib.file.size_bytes or 0 if vib.file else 0) - 40

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stream.close()

    def close(self) -> None:
        self._stream.close()

    def seekable(self) -> bool:
        return False

    def read(self, size: int = -1) -> bytes:
        data = self._stream.read(size)
        whole, self._left = min(len(data), max(self._left, 0)), self._left - len(data)
        return data[:whole] + bytes(byte ^ 1 for byte in data[whole:])


@each_export
def test_the_refusal_does_not_depend_on_how_many_read(
    opened: tuple[eib.Depot, eib.Image], tmp_path: Path, name: str
) -> None:
    """Of several damaged VIBs the largest is told of, and no output is there."""
    depot, image = opened
    big = sorted(image.host_vibs, key=lambda vib: -sum(payload.size_bytes or 0 for payload in vib.payloads))
    store = Damaged(depot, {vib.id for vib in big[1:9]})
    said = set()
    for workers in (1, 2, 7):
        target = tmp_path / f"{workers}{SUFFIXES[name]}"
        with pytest.raises(eib.DepotError) as caught:
            EXPORTS[name](image, store, target, workers=workers)
        said.add((type(caught.value), str(caught.value)))
        assert list(tmp_path.iterdir()) == []
    assert len(said) == 1


@pytest.mark.parametrize("workers", [0, 65])
def test_a_senseless_number_is_refused_before_anything_is_there(
    opened: tuple[eib.Depot, eib.Image], tmp_path: Path, workers: int
) -> None:
    depot, image = opened
    with pytest.raises(eib.ModelError, match="so many cannot work"):
        eib.export_iso(image, depot, tmp_path / "x.iso", workers=workers)
    assert list(tmp_path.iterdir()) == []
