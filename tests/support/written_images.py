"""One disc and one bundle of each generation, held in memory; and discs made anew from their files.

``remade`` writes with pycdlib, so that a changed disc owes nothing to the library's own layout.
"""

from __future__ import annotations

import contextlib
import functools
import gzip
import io
import os
import tarfile
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, final
from unittest import mock

import attrs
import pycdlib
from support.changed_depots import DEPOTS, SPECS

import esximage_builder as eib
from esximage_builder.containers.iso9660_reader import open_iso

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from esximage_builder.containers.iso9660_reader import IsoReader

DATABASE = "var/db/esximg/"


@final
@attrs.frozen(kw_only=True)
class Generation:
    """Which depots and which spec or profile make the image of a generation."""

    name: str
    depots: tuple[str, ...]
    spec: str = ""
    profile: str = ""

    @property
    def kind(self) -> str:
        """What its bundle can be verified as."""
        return "esxcli" if self.profile else "vlcm"

    def image(self, catalog: eib.Catalog) -> eib.Image:
        if self.profile:
            return eib.image_from_profile(catalog, self.profile)
        return eib.compose(catalog, eib.read_software_spec(SPECS / self.spec))

    @property
    def paths(self) -> tuple[Path, ...]:
        return tuple(DEPOTS / name for name in self.depots)


GENERATIONS = {
    generation.name: generation
    for generation in (
        Generation(name="6.7", depots=("VMware-ESXi-6.7.0-8169922-depot.zip",), profile="ESXi-6.7.0-8169922-standard"),
        Generation(
            name="7.0U2a",
            depots=("VMware-ESXi-7.0U2a-17867351-depot.zip", "ACME-ESXi-Addon-702.17867351.A03-depot.zip"),
            spec="image_u2a_a03.json",
        ),
        Generation(
            name="7.0U3g",
            depots=("VMware-ESXi-7.0U3g-20328353-depot.zip", "ACME-ESXi-Addon-703.20328353.A08-depot.zip"),
            spec="image_u3g_a08.json",
        ),
        Generation(
            name="8.0U3",
            depots=("VMware-ESXi-8.0U3-24022510-depot.zip", "ACME-ESXi-Addon-803.24022510.A02-depot.zip"),
            spec="image_8u3_a02.json",
        ),
    )
}


@final
@attrs.frozen(kw_only=True)
class Written:
    """What the exports of a generation's image gave."""

    generation: Generation
    image: eib.Image
    iso: bytes = attrs.field(repr=False)
    bundle: bytes = attrs.field(repr=False)

    def iso_in(self, folder: Path) -> Path:
        return put(folder / "custom.iso", self.iso)

    def bundle_in(self, folder: Path) -> Path:
        return put(folder / "custom.zip", self.bundle)


@contextlib.contextmanager
def _workplace(generation: Generation) -> Iterator[tuple[Path, eib.Depot, eib.Image]]:
    """Give a folder, and an image with its depot, with no date from outside."""
    with (
        mock.patch.dict(os.environ),
        tempfile.TemporaryDirectory() as folder,
        eib.open_depot(*generation.paths) as depot,
    ):
        os.environ.pop("SOURCE_DATE_EPOCH", None)
        yield Path(folder), depot, generation.image(depot.catalog)


def written_stick(name: str) -> bytes:
    """Export the image of a generation as a stick, which is larger than is worth keeping."""
    with _workplace(GENERATIONS[name]) as (folder, depot, image):
        eib.export_usb(image, depot, folder / "custom.img")
        return (folder / "custom.img").read_bytes()


@functools.cache
def written(name: str) -> Written:
    """Export the image of a generation, once in a test run."""
    generation = GENERATIONS[name]
    with _workplace(generation) as (folder, depot, image):
        iso, bundle = folder / "custom.iso", folder / "custom.zip"
        eib.export_iso(image, depot, iso)
        eib.export_bundle(image, depot, bundle)
        return Written(generation=generation, image=image, iso=iso.read_bytes(), bundle=bundle.read_bytes())


def put(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


def disc_of(iso: bytes) -> IsoReader:
    return open_iso(io.BytesIO(iso), where="disc.iso", limits=eib.ReadLimits())


@functools.cache
def files_of(iso: bytes) -> Mapping[str, bytes]:
    """Every file of a disc by its path; the boot catalog is none."""
    with disc_of(iso) as disc:
        return {path: disc.read(path, max_bytes=1 << 30) for path in disc.files if path != "BOOT.CAT"}


def patched(iso: bytes, path: str, at: int, data: bytes) -> bytes:
    """Overwrite bytes of a file where it stands; ``at`` may count from its end."""
    with disc_of(iso) as disc:
        entry = disc.entry(path)
    start = entry.offset + (at if at >= 0 else entry.size_bytes + at)
    assert iso[start : start + len(data)] != data
    return iso[:start] + data + iso[start + len(data) :]


def remade(files: Mapping[str, bytes], *, bios: bool = True, efi: bool = True, info_table: bool = True) -> bytes:
    """Write a disc of these files with pycdlib."""
    disc = pycdlib.PyCdlib()
    disc.new(interchange_level=3)
    for folder in sorted(
        {"/".join(path.split("/")[:depth]) for path in files for depth in range(1, path.count("/") + 1)}
    ):
        disc.add_directory(f"/{folder}")
    for path, data in files.items():
        disc.add_fp(io.BytesIO(data), len(data), iso_name(path))
    if bios:
        disc.add_eltorito("/ISOLINUX.BIN;1", "/BOOT.CAT;1", boot_load_size=4, boot_info_table=info_table)
    if efi:
        disc.add_eltorito("/EFIBOOT.IMG;1", "/BOOT.CAT;1", efi=True)
    target = io.BytesIO()
    disc.write_fp(target)
    disc.close()
    return target.getvalue()


def iso_name(path: str) -> str:
    return f"/{path};1" if "." in path.rpartition("/")[2] else f"/{path}.;1"


def tgz_members(data: bytes) -> dict[str, bytes]:
    """The regular files of a ``.tgz``, by Python's own module."""
    with tarfile.open(fileobj=io.BytesIO(data), mode="r:gz") as archive:
        files = ((member.name, archive.extractfile(member)) for member in archive if member.isfile())
        return {path: file.read() for path, file in files if file is not None}


def tgz_of(members: Mapping[str, bytes]) -> bytes:
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w", format=tarfile.GNU_FORMAT) as archive:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return gzip.compress(target.getvalue(), 1, mtime=0)
