"""The caller's limits hold for everything that is read, and raise what the defaults would refuse."""

from __future__ import annotations

import importlib
import inspect
import io
import json
from typing import TYPE_CHECKING, Any, BinaryIO

import attrs
import pytest
from house.test_public_api import NAMES
from support import memory_catalogs as catalogs
from support.small_images import base_vibs, write_base_depot

import esximage_builder as eib
from esximage_builder.documents.lock_file import render_lock
from esximage_builder.models.vib import VibFile

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

VERSION = "7.0.3-0.55.20328353"
MIB = 1024 * 1024
READERS = sorted(
    {
        (home, name)
        for _, home, name in NAMES
        if name.startswith(("read_", "open_", "verify_", "export_", "make_lock", "write_lock"))
    }
)


@pytest.mark.parametrize(("home", "name"), READERS)
def test_whatever_reads_takes_limits(home: str, name: str) -> None:
    """Also the exports: they read VIBs."""
    found = getattr(importlib.import_module(f"esximage_builder.{home}"), name)
    limits = inspect.signature(found).parameters["limits"]
    assert (limits.kind, limits.default) == (inspect.Parameter.KEYWORD_ONLY, None)


# Documents

SPEC = json.dumps({"base_image": {"version": VERSION}}).encode()
LOCK = render_lock(eib.Lock(name="x", digest="0" * 64, spec=eib.SoftwareSpec(base_image=VERSION)))


@pytest.mark.parametrize(
    ("read", "document"),
    [pytest.param(eib.read_software_spec, SPEC, id="spec"), pytest.param(eib.read_lock, LOCK, id="lock")],
)
def test_a_document_is_as_long_as_the_caller_allows(tmp_path: Path, read: Any, document: bytes) -> None:
    path = tmp_path / "document.json"
    path.write_bytes(document)
    exactly = eib.ReadLimits(document_bytes=len(document))
    assert read(path, limits=exactly) == read(path)
    with pytest.raises(eib.LimitExceededError) as caught:
        read(path, limits=attrs.evolve(exactly, document_bytes=len(document) - 1))
    assert caught.value.where == str(path)


@pytest.mark.parametrize("blanks", [17 * MIB, 65 * MIB])
def test_no_bound_of_its_own_stands_beside_the_limits(tmp_path: Path, blanks: int) -> None:
    path = tmp_path / "document.json"
    path.write_bytes(SPEC + b" " * blanks)
    limits = eib.ReadLimits(document_bytes=66 * MIB)
    assert eib.read_software_spec(path, limits=limits).base_image == VERSION


PARSERS = sorted({(home, name) for _, home, name in NAMES if name.startswith("parse_")})


def test_the_documents_of_hosts_and_depots_are_parsed_in_public() -> None:
    assert {name for _, name in PARSERS} >= {
        "parse_boot_cfg",
        "parse_bulletin",
        "parse_image_profile",
        "parse_vib_descriptor",
    }


@pytest.mark.parametrize(("home", "name"), PARSERS)
def test_a_document_is_parsed_by_its_bytes_alone(home: str, name: str) -> None:
    """Errors name it as its kind is called, and it is bounded as the limits bound it that nobody chose."""
    parse = getattr(importlib.import_module(f"esximage_builder.{home}"), name)
    parameters = inspect.signature(parse).parameters
    assert parameters["max_bytes"].default == eib.ReadLimits().document_bytes
    for rejected, kind, options in (
        (b"timeout=soon", eib.MalformedDocumentError, {}),  # a boot loader passes over what it does not know
        (b"x" * 11, eib.LimitExceededError, {"max_bytes": 10}),
    ):
        with pytest.raises(kind) as caught:
            parse(rejected, **options)
        assert caught.value.where.partition(":")[0] == parameters["where"].default
        with pytest.raises(kind) as caught:
            parse(rejected, where="host-1!x", **options)
        assert caught.value.where.startswith("host-1!x")


# Exports


@pytest.fixture(scope="module")
def depot(tmp_path_factory: pytest.TempPathFactory) -> Iterator[eib.Depot]:
    path = tmp_path_factory.mktemp("depot") / "base.zip"
    vibs = base_vibs(VERSION, kernel=b"kernel", bios_loader=bytes(4096), efi_image=bytes(4096))
    write_base_depot(path, VERSION, vibs)
    with eib.open_depot(path) as opened:
        yield opened


@pytest.fixture(scope="module")
def image(depot: eib.Depot) -> eib.Image:
    return eib.compose(depot.catalog, base_image=VERSION)


def write(medium: str, image: eib.Image, depot: eib.Depot, folder: Path, **options: Any) -> Path:
    if medium == "disc":
        return eib.export_iso(image, depot, folder / "out.iso", **options).path
    return eib.export_pxe(image, depot, folder / "tree", prefix="http://server/esxi", **options).path


@pytest.mark.parametrize("medium", ["disc", "tree"])
@pytest.mark.parametrize("form", ["path", "content"])
def test_a_kickstart_file_is_as_long_as_the_caller_allows(
    tmp_path: Path, depot: eib.Depot, image: eib.Image, medium: str, form: str
) -> None:
    script = b"install --firstdisk\n".ljust(2 * MIB, b"#")
    path = tmp_path / "ks.cfg"
    path.write_bytes(script)
    kickstart = path if form == "path" else script
    with pytest.raises(eib.LimitExceededError) as caught:
        write(medium, image, depot, tmp_path, kickstart=kickstart, limits=eib.ReadLimits(document_bytes=2 * MIB - 1))
    assert caught.value.where == (str(path) if form == "path" else "kickstart")
    write(medium, image, depot, tmp_path, kickstart=kickstart, limits=eib.ReadLimits(document_bytes=2 * MIB))


def test_a_disc_has_as_many_files_as_the_caller_allows(tmp_path: Path, depot: eib.Depot, image: eib.Image) -> None:
    """The disc is read back before it takes its place, and with the limits of the caller."""
    with pytest.raises(eib.LimitExceededError, match="more files than the limit"):
        write("disc", image, depot, tmp_path, limits=eib.ReadLimits(member_count=30))
    assert list(tmp_path.iterdir()) == []
    assert write("disc", image, depot, tmp_path, limits=eib.ReadLimits(member_count=200)).exists()


@pytest.mark.parametrize("medium", ["disc", "tree"])
def test_boot_cfg_is_read_back_as_long_as_the_caller_allows(
    tmp_path: Path, depot: eib.Depot, image: eib.Image, medium: str
) -> None:
    options = " ".join(f"option{number}=x" for number in range(100_000))
    assert len(options) > MIB
    with pytest.raises(eib.ExportError, match="cannot be read back"):
        write(medium, image, depot, tmp_path, kernel_options=options, limits=eib.ReadLimits(document_bytes=MIB))
    assert list(tmp_path.iterdir()) == []
    path = write(medium, image, depot, tmp_path, kernel_options=options)
    if medium == "disc":
        assert "boot-cfg-damaged" not in {finding.code for finding in eib.verify_iso(path).findings}


# VIBs whose digest nobody states


class Endless:
    """Gives as many bytes as are asked for, and counts them."""

    def __init__(self) -> None:
        self.given = 0

    def open_vib(self, vib: eib.Vib) -> BinaryIO:  # noqa: ARG002 - one for all
        store = self

        class Source(io.RawIOBase):
            def read(self, size: int = -1, /) -> bytes:
                store.given += size
                return bytes(size)

        return Source()  # type: ignore[return-value]


NET = catalogs.vib("net")
MEASURES = {
    "lock": eib.make_lock,
    "lock file": lambda image, store, limits: eib.write_lock(image, store, "never written", limits=limits),
    "bundle": lambda image, store, limits: eib.export_bundle(
        image, store, "never written", report=eib.ValidationReport(image_digest=image.digest), limits=limits
    ),
    "bill": lambda image, store, limits: eib.export_sbom(image, store, "never written", limits=limits),
}


@pytest.mark.parametrize("measure", MEASURES.values(), ids=list(MEASURES))
def test_measuring_a_vib_ends_at_the_limit(measure: Any) -> None:
    store = Endless()
    image = eib.Image(name="x", spec=catalogs.spec(), vibs=[eib.InstalledVib(vib=NET)])
    with pytest.raises(eib.LimitExceededError) as caught:
        measure(image, store, limits=eib.ReadLimits(vib_bytes=3 * MIB))
    assert caught.value.where == NET.id
    assert store.given < 6 * MIB


def test_a_vib_is_refused_by_its_stated_size_too() -> None:
    store = Endless()
    known = NET.with_file(VibFile(size_bytes=100, sha256="0" * 64))
    image = eib.Image(name="x", spec=catalogs.spec(), vibs=[eib.InstalledVib(vib=known)])
    assert eib.make_lock(image, store, limits=eib.ReadLimits(vib_bytes=100)).vibs[0].size_bytes == 100
    with pytest.raises(eib.LimitExceededError):
        eib.make_lock(image, store, limits=eib.ReadLimits(vib_bytes=99))
    assert store.given == 0


def test_a_locked_image_is_composed_with_the_limits_of_its_depot(tmp_path: Path) -> None:
    vibs = base_vibs(VERSION, kernel=b"kernel", bios_loader=bytes(4096), efi_image=bytes(4096))
    path = tmp_path / "base.zip"
    write_base_depot(path, VERSION, vibs)
    with eib.open_depot(path) as opened:
        lock = eib.make_lock(eib.compose(opened.catalog, base_image=VERSION), opened)
    small = eib.ReadLimits(vib_bytes=4000)
    with eib.open_depot(path, limits=small) as opened, pytest.raises(eib.LimitExceededError):
        eib.compose_locked(opened, lock)
