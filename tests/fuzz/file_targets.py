"""Calls of the functions that open or verify a whole file."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

from fuzz.target import (
    BIG,
    FILES_READ,
    Shape,
    Target,
    drain,
    refusal,
)
from support.document_builders import VibBuilder

import esximage_builder as eib
from esximage_builder.authoring.extract import extract_vib
from esximage_builder.containers.gzip import stored_gzip
from esximage_builder.depot.opening import read_image_database

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["FILE_TARGETS"]

_MEMORY: Final = Path("/dev/shm")  # noqa: S108 - a folder of random name is made in it
_DISC: Final = 1 << 21


def _extract(data: bytes) -> None:
    """Take a VIB with this tar as its payload, and right checksums, apart: nothing leads out of the target."""
    vib = VibBuilder(payload=stored_gzip(data), payload_attributes={"type": "tgz"}, acceptance_level="community")
    with _in_a_file(vib.vib(), "v.vib", beside="out") as path:
        target = path.parent / "out"
        for as_stage in (False, True):
            refusals = refusal(extract_vib, path, target, as_stage=as_stage)
            for found in target.rglob("*"):
                assert found.resolve().is_relative_to(target), "a link leads out"
            if target.exists():
                shutil.rmtree(target)
    if refusals:
        raise refusals[0]


@contextlib.contextmanager
def _in_a_file(data: bytes, name: str, *, beside: str = "") -> Iterator[Path]:
    with tempfile.TemporaryDirectory(dir=_MEMORY if _MEMORY.is_dir() else None) as folder:
        path = Path(folder, name)
        path.write_bytes(data)
        try:
            yield path
        finally:
            assert {*os.listdir(folder)} <= {name, beside}, "something was left behind"  # noqa: PTH208 - names only


def _open_depot(data: bytes) -> None:
    with _in_a_file(data, "depot.zip") as path:
        errors = refusal(_open_and_look, path, strict=False) + refusal(_open_and_look, path, strict=True)
    if errors:
        raise errors[0]


def _open_and_look(path: Path, *, strict: bool) -> None:
    with eib.open_depot(path, strict=strict) as depot:
        for vib in list(depot.catalog.vibs)[:FILES_READ]:
            refusal(_read_vib, depot, vib)


def _read_vib(depot: eib.Depot, vib: eib.Vib) -> None:
    with depot.open_vib(vib) as stream:
        drain(stream)


def _image_database(data: bytes) -> None:
    with _in_a_file(data, "imgdb.tgz") as path:
        read_image_database(path, strict=False).close()


def _verified(verify: Callable[[Path], eib.Verification], name: str) -> Callable[[bytes], None]:
    def call(data: bytes) -> None:
        with _in_a_file(data, name) as path:
            verify(path)

    return call


FILE_TARGETS: Final = (
    Target("open_depot", _open_depot, ("depot.opening.open_depot",), Shape.ZIP, BIG),
    Target("extract_vib", _extract, ("authoring.extract.extract_vib",), Shape.TAR, 1 << 15),
    Target("read_image_database", _image_database, ("depot.opening.read_image_database",), Shape.GZIP, BIG),
    Target("verify_bundle", _verified(eib.verify_bundle, "b.zip"), ("verify.bundle.verify_bundle",), Shape.ZIP, BIG),
    Target("verify_iso", _verified(eib.verify_iso, "d.iso"), ("verify.disc.verify_iso",), Shape.ISO, _DISC),
    Target("verify_vib", _verified(eib.verify_vib, "v.vib"), ("verify.vib_file.verify_vib",), Shape.AR, 1 << 16),
)
