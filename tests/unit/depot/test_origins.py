"""Depots of files that the caller opened: what serves, what is said of them, and how little is fetched."""

from __future__ import annotations

import io
import socket
from typing import TYPE_CHECKING, Any, BinaryIO

import fsspec
import pytest
from support.changed_depots import ROOT
from support.ranged_files import RangedFiles, with_large_member

import esximage_builder as eib
from esximage_builder.depot.origins import files_of, origins_of

if TYPE_CHECKING:
    from pathlib import Path

DEPOTS = ROOT / "fixtures" / "depots"
BASE = DEPOTS / "VMware-ESXi-7.0U3g-20328353-depot.zip"
ADD_ON = DEPOTS / "ACME-ESXi-Addon-703.20328353.A08-depot.zip"
VIB = DEPOTS / "homelab-tweaks-1.0.0-1.vib"
MIB = 1 << 20


def test_an_open_file_gives_what_its_path_gives() -> None:
    with BASE.open("rb") as file, eib.open_depot(file) as depot, eib.open_depot(BASE) as by_path:
        assert depot.catalog == by_path.catalog
        assert depot.catalog.sources == (str(BASE),)


def test_images_of_open_files_are_written_byte_for_byte_as_those_of_paths(tmp_path: Path) -> None:
    opened: tuple[BinaryIO, ...] = (io.BytesIO(BASE.read_bytes()), io.BytesIO(ADD_ON.read_bytes()))
    for name, sources in (("files", opened), ("paths", (BASE, ADD_ON))):
        with eib.open_depot(*sources) as depot:
            image = eib.compose(depot.catalog, base_image="7.0U3g", add_on=("ACME-AddOn", "703.20328353.A08"))
            eib.export_image(image, depot, iso=tmp_path / f"{name}.iso", bundle=tmp_path / f"{name}.zip")

    assert (tmp_path / "files.iso").read_bytes() == (tmp_path / "paths.iso").read_bytes()
    assert (tmp_path / "files.zip").read_bytes() == (tmp_path / "paths.zip").read_bytes()


def test_each_kind_of_file_opens_as_an_open_file(tmp_path: Path) -> None:
    """A VIB, a disc and an image database too."""
    with eib.open_depot(BASE) as depot:
        image = eib.compose(depot.catalog, base_image="7.0U3g")
        eib.export_iso(image, depot, tmp_path / "disc.iso")
    with eib.open_disc(tmp_path / "disc.iso") as disc:
        (tmp_path / "imgdb.tgz").write_bytes(disc.read("IMGDB.TGZ"))
    for path in (VIB, tmp_path / "disc.iso", tmp_path / "imgdb.tgz"):
        with path.open("rb") as file, eib.open_depot(file) as depot, eib.open_depot(path) as by_path:
            assert depot.catalog.vibs == by_path.catalog.vibs
            assert depot.catalog.findings == by_path.catalog.findings


def test_a_vib_in_memory_is_read_whole() -> None:
    with eib.open_depot(io.BytesIO(VIB.read_bytes())) as depot:
        (vib,) = depot.catalog.vibs
        with depot.open_vib(vib) as stream:
            assert stream.read() == VIB.read_bytes()
        assert depot.where_is(vib) == "open file"


def test_the_callers_file_stays_open() -> None:
    with BASE.open("rb") as file:
        eib.open_depot(file).close()
        assert not file.closed


def test_a_file_given_twice_is_one_source_and_two_of_one_name_are_two() -> None:
    first, second = io.BytesIO(BASE.read_bytes()), io.BytesIO(ADD_ON.read_bytes())
    with eib.open_depot(first, [second, first]) as depot:
        assert depot.catalog.sources == ("open file", "open file (2)")


@pytest.mark.parametrize("source", [io.StringIO("x"), 3, None])
def test_what_is_no_binary_file_is_refused(source: Any) -> None:
    with pytest.raises((eib.ModelError, eib.WrongTypeError), match=r"a source is no open binary file|a wrong type"):
        eib.open_depot(source)


def test_what_cannot_seek_is_refused_before_it_is_read() -> None:
    reader, writer = socket.socketpair()
    with reader, writer, reader.makefile("rb") as stream, pytest.raises(eib.ModelError, match="can seek"):
        eib.open_depot(stream)


class _Broken(io.BytesIO):
    """A file whose server went away, told in the way of a library that we do not know."""

    def read(self, size: int | None = -1, /) -> bytes:
        raise RuntimeError(f"429 too many requests for {size} bytes")


def test_whatever_a_file_raises_is_told_as_ours() -> None:
    with pytest.raises(eib.SourceUnreadableError, match="429 too many requests"):
        eib.open_depot(_Broken(BASE.read_bytes()))


def test_a_closed_file_is_refused() -> None:
    stream = io.BytesIO(BASE.read_bytes())
    stream.close()
    with pytest.raises(eib.ModelError, match="no open binary file"):
        eib.open_depot(stream)


def test_a_file_that_breaks_later_says_why() -> None:
    stream = io.BytesIO(BASE.read_bytes())
    with eib.open_depot(stream) as depot:
        stream.close()
        with pytest.raises(eib.SourceUnreadableError, match="ValueError"):
            depot.read_vib_head(depot.catalog.vibs[0])


def test_something_else_is_named_as_what_it_is() -> None:
    with pytest.raises(eib.NotADepotError, match="HTML"):
        eib.open_depot(io.BytesIO(b"<!DOCTYPE html><html></html>"))


def test_no_output_replaces_a_file_that_is_open(tmp_path: Path) -> None:
    """An opened file is read as much as one that was named."""
    copy = tmp_path / "depot.zip"
    copy.write_bytes(BASE.read_bytes())
    with copy.open("rb") as file, eib.open_depot(file) as depot:
        image = eib.compose(depot.catalog, base_image="7.0U3g")
        with pytest.raises(eib.ExportError, match="a file that is read"):
            eib.export_bundle(image, depot, copy, overwrite=True)

    assert copy.read_bytes() == BASE.read_bytes()


def test_files_without_a_name_of_the_system_are_no_files_of_it() -> None:
    assert files_of(origins_of([io.BytesIO(b"x")]), most=1) == {}


# fsspec


def test_a_file_of_a_file_system_of_fsspec_opens_by_its_name() -> None:
    memory = fsspec.filesystem("memory")
    memory.pipe("/depots/base.zip", BASE.read_bytes())
    with memory.open("/depots/base.zip") as file, eib.open_depot(file) as depot, eib.open_depot(BASE) as by_path:
        assert depot.catalog.sources == ("/depots/base.zip",)
        assert depot.catalog.vibs == by_path.catalog.vibs


@pytest.mark.parametrize("options", [{"block_size": 1 << 18}, {"cache_type": "none"}, {}], ids=str)
def test_opening_a_bundle_of_500_mib_fetches_a_fiftieth_of_it_at_most(options: dict[str, Any], tmp_path: Path) -> None:
    """Whatever the file system keeps or fetches ahead; with blocks of a sensible size it is far less."""
    large, size_bytes = tmp_path / "large.zip", 500 * MIB
    with_large_member(BASE, large, name="vib20/large/ACME_bootbank_large_1.0-1.vib", size_bytes=size_bytes)
    files = RangedFiles()
    with files.open(str(large), **options) as file, eib.open_depot(file) as depot:
        assert [finding.code for finding in depot.catalog.findings] == ["vib-not-indexed"]
        assert len(depot.catalog.vibs) > 60

    assert files.fetched_bytes <= large.stat().st_size // 50
