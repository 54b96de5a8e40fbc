"""Image databases by themselves: everything about an image but its bytes, from an archive or a folder."""

from __future__ import annotations

import contextlib
import gzip
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st
from support.small_images import base_vibs, write_base_depot
from support.written_images import DATABASE, GENERATIONS, files_of, put, tgz_members, tgz_of, written

import esximage_builder as eib
from esximage_builder.cli.app import main

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

RELEASE = "7.0U3g"
VERSION = "7.0.3-0.55.20328353"


def database_of(name: str) -> dict[str, bytes]:
    """The files of the image database on the disc of a generation, by path in the archive."""
    return tgz_members(files_of(written(name).iso)["IMGDB.TGZ"])


def unpacked(folder: Path, files: Mapping[str, bytes]) -> Path:
    for path, data in files.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
    return folder


def without_root(files: Mapping[str, bytes], prefix: str = DATABASE) -> dict[str, bytes]:
    return {path.removeprefix(prefix): data for path, data in files.items()}


# As a disc has it, as people pack it, as it lies on a host
FORMS: dict[str, Callable[[Path, dict[str, bytes]], Path]] = {
    "imgdb.tgz": lambda folder, files: put(folder / "imgdb.tgz", tgz_of(files)),
    "tar -C / ./var/db/esximg": lambda folder, files: put(
        folder / "x.bin", tgz_of({f"./{path}": data for path, data in files.items()})
    ),
    "tar -C /var/db esximg": lambda folder, files: put(folder / "x.tgz", tgz_of(without_root(files, "var/db/"))),
    "tar of what is in it": lambda folder, files: put(folder / "x.tgz", tgz_of(without_root(files))),
    "var/db/esximg": lambda folder, files: unpacked(folder / "dump", files) / "var" / "db" / "esximg",
    "a folder that contains it": lambda folder, files: unpacked(folder / "dump", files),
    "a copy of the folder": lambda folder, files: unpacked(folder / "copy", without_root(files)),
}
each_form = pytest.mark.parametrize("form", FORMS)


@each_form
@pytest.mark.parametrize("name", GENERATIONS)
def test_a_database_says_what_its_disc_says(tmp_path: Path, name: str, form: str) -> None:
    path = FORMS[form](tmp_path, database_of(name))
    with eib.open_depot(written(name).iso_in(tmp_path)) as disc, eib.read_image_database(path) as depot:
        catalog = depot.catalog
        described = set(catalog.profiles[0].vib_ids)
        for vib in catalog.vibs:
            assert depot.read_vib_head(vib) == disc.read_vib_head(vib)

    assert eib.sniff(path).kind is eib.FileKind.IMAGE_DATABASE
    assert catalog.profiles == disc.catalog.profiles
    assert catalog.components == disc.catalog.components
    assert catalog.base_images == disc.catalog.base_images
    assert catalog.add_ons == disc.catalog.add_ons
    assert catalog.vibs == tuple(vib for vib in disc.catalog.vibs if vib.id in described)
    assert [vib.file for vib in catalog.vibs] == [vib.file for vib in disc.catalog.vibs if vib.id in described]
    assert catalog.findings == ()


@pytest.mark.parametrize("name", GENERATIONS)
def test_the_image_in_a_database_is_that_of_its_disc(tmp_path: Path, name: str) -> None:
    """What a host runs, beside what a disc would install; VIBs for DPUs are described nowhere in a database."""
    path = FORMS["imgdb.tgz"](tmp_path, database_of(name))
    with eib.open_depot(path) as depot:
        image = eib.recognise(depot.catalog)
    expected = written(name).image

    assert image.name == expected.name
    assert image.host_vibs == expected.host_vibs
    assert image.base_image == expected.base_image
    assert eib.diff(expected, image).components == ()
    for_dpus = {entry.vib.id for entry in expected.vibs} - {vib.id for vib in expected.host_vibs}
    assert {entry.vib_id for entry in image.missing_vibs} == for_dpus
    assert bool(for_dpus) is (name == "8.0U3")


def test_components_are_composed_over_a_database(tmp_path: Path) -> None:
    path = FORMS["a folder that contains it"](tmp_path, whole_database(tmp_path))
    with eib.open_depot(path) as depot:
        image = eib.compose(depot.catalog, base_image=VERSION)
        report = eib.validate(image, depot.catalog)
    assert image.esxi_version == eib.BaseImageVersion(VERSION)
    assert report.errors == ()


def whole_database(folder: Path) -> dict[str, bytes]:
    """The database of an image that needs no reserved VIB, so that nothing of it is missing."""
    return tgz_members(files_of(small_disc(folder))["IMGDB.TGZ"])


def small_disc(folder: Path) -> bytes:
    vibs = base_vibs(VERSION, kernel=b"kernel", bios_loader=bytes(4096), efi_image=bytes(4096))
    write_base_depot(folder / "base.zip", VERSION, vibs)
    with eib.open_depot(folder / "base.zip") as depot:
        image = eib.compose(depot.catalog, base_image=VERSION)
        eib.export_iso(image, depot, folder / "base.iso")
    return (folder / "base.iso").read_bytes()


EXPORTS: dict[str, Callable[..., Any]] = {
    "disc": lambda image, depot, folder: eib.export_iso(image, depot, folder / "out"),
    "tree": lambda image, depot, folder: eib.export_pxe(image, depot, folder / "out", prefix="http://server/esxi"),
    "bundle": lambda image, depot, folder: eib.export_bundle(image, depot, folder / "out"),
    "bill": lambda image, depot, folder: eib.export_sbom(image, depot, folder / "out"),
    "lock": lambda image, depot, folder: eib.write_lock(image, depot, folder / "out"),
    "bytes": lambda image, depot, _: depot.open_vib(image.host_vibs[0]).read(),
}


@pytest.mark.parametrize("export", EXPORTS.values(), ids=list(EXPORTS))
def test_whatever_needs_bytes_is_told_that_a_database_has_none(tmp_path: Path, export: Callable[..., Any]) -> None:
    path = FORMS["imgdb.tgz"](tmp_path, whole_database(tmp_path))
    target = tmp_path / "target"
    target.mkdir()
    with eib.open_depot(path) as depot:
        image = eib.compose(depot.catalog, base_image=VERSION)
        with pytest.raises(eib.NotInDepotError, match="an image database has no bytes of VIBs") as caught:
            export(image, depot, target)
    assert caught.value.where.startswith(f"{path}!")
    assert "offline bundle" in caught.value.hint
    assert list(target.iterdir()) == []


@pytest.mark.parametrize("order", [1, -1])
def test_beside_a_depot_the_bytes_come_from_there(tmp_path: Path, order: int) -> None:
    path = FORMS["imgdb.tgz"](tmp_path, whole_database(tmp_path))
    disc = tmp_path / "base.iso"
    expected = disc.read_bytes()
    for beside in (tmp_path / "base.zip", disc):
        with eib.open_depot(*(path, beside)[::order]) as depot:
            image = eib.compose(depot.catalog, base_image=VERSION)
            eib.export_iso(image, depot, tmp_path / "again.iso")
            assert {source for vib in depot.catalog.vibs for source in depot.catalog.sources_of(vib)} == {
                str(path),
                str(beside),
            }
        assert (tmp_path / "again.iso").read_bytes() == expected
        (tmp_path / "again.iso").unlink()


# What a host has that our discs have not


def test_a_descriptor_without_original_is_the_original(tmp_path: Path) -> None:
    """A host keeps ``.orig`` only where writing anew changed bytes."""
    files = whole_database(tmp_path)
    plain = {path.removesuffix(".orig"): data for path, data in files.items()}
    with eib.read_image_database(put(tmp_path / "a.tgz", tgz_of(plain))) as depot:
        for vib in depot.catalog.vibs:
            (original,) = (
                data
                for path, data in files.items()
                if path.endswith(".orig") and data == depot.read_vib_head(vib).descriptor
            )
            assert eib.parse_vib_descriptor(original) == vib


def test_files_of_no_known_kind_are_passed_over(tmp_path: Path) -> None:
    files = whole_database(tmp_path) | {
        f"{DATABASE}lockfile": b"\x00",
        f"{DATABASE}vibs/notes.txt": b"x",
        f"{DATABASE}manifests/m.bin": b"x",
        "etc/passwd": b"root",
    }
    for form in ("imgdb.tgz", "a folder that contains it"):
        with eib.read_image_database(FORMS[form](tmp_path, files)) as depot:
            assert len(depot.catalog.profiles) == 1


# What is none


def test_what_is_no_database_is_named(tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    (empty / "var" / "db" / "esximg").mkdir(parents=True)
    others = {
        written(RELEASE).iso_in(tmp_path): "ISO image",
        put(tmp_path / "a.zip", b"PK\x03\x04"): "zip archive",
        put(tmp_path / "a.tgz", tgz_of({"etc/passwd": b"root"})): "gzip file",
        put(tmp_path / "b.tgz", gzip.compress(b"text")): "gzip file",
        empty: "folder",
    }
    for path, kind in others.items():
        with pytest.raises(eib.NotADepotError) as caught:
            eib.read_image_database(path)
        assert (caught.value.where, caught.value.found) == (str(path), kind)
    with pytest.raises(eib.SourceUnreadableError):
        eib.read_image_database(tmp_path / "nowhere")


def test_one_part_alone_is_no_database(tmp_path: Path) -> None:
    """An archive that begins like one is looked through before it is refused."""
    path = put(tmp_path / "x.tgz", tgz_of({"profiles/readme": b"x"}))
    with pytest.raises(eib.NotADepotError, match="there is no image database"):
        eib.open_depot(path)


def test_an_unpacked_bundle_and_its_unpacked_metadata_are_no_database(tmp_path: Path) -> None:
    for name in ("index.xml", "vendor-index.xml", "metadata.zip"):
        folder = tmp_path / name.partition(".")[0]
        unpacked(
            folder, {name: b"<x/>", "vibs/a.xml": b"<vib/>", "profiles/a.xml": b"<x/>", "bulletins/a.xml": b"<x/>"}
        )
        assert eib.sniff(folder).kind is eib.FileKind.FOLDER


@pytest.mark.skipif(not hasattr(Path, "symlink_to"), reason="the system has no links")
def test_links_that_lead_out_of_the_folder_are_not_followed(tmp_path: Path) -> None:
    files = whole_database(tmp_path)
    folder = FORMS["var/db/esximg"](tmp_path, files)
    count = len(eib.read_image_database(folder).catalog.vibs)
    victim = next(path for path in (folder / "vibs").iterdir() if path.suffix == ".xml")
    outside = put(tmp_path / "outside.xml", victim.read_bytes())
    victim.unlink()
    Path(f"{victim}.orig").unlink()
    victim.symlink_to(outside)
    assert len(eib.read_image_database(folder).catalog.vibs) == count - 1


# Damage and limits


@pytest.mark.parametrize("form", ["imgdb.tgz", "var/db/esximg"])
def test_one_bad_document_does_not_hide_the_next(tmp_path: Path, form: str) -> None:
    files = whole_database(tmp_path)
    bulletin, other = [path for path in files if path.startswith(f"{DATABASE}bulletins/")][:2]
    descriptor = next(path for path in files if path.endswith(".orig"))
    path = FORMS[form](tmp_path, files | dict.fromkeys((bulletin, other, descriptor), b"<broken"))
    with pytest.raises(eib.DepotErrors) as caught:
        eib.read_image_database(path)
    assert len(caught.value.exceptions) == 3
    places = [str(error.where) for error in caught.value.exceptions if isinstance(error, eib.EsxImageError)]
    assert all(place.startswith(str(path)) for place in places)
    with eib.read_image_database(path, strict=False) as depot:
        assert [finding.code for finding in depot.catalog.findings] == ["unreadable-document"] * 3
        assert len(depot.catalog.components) == 5


@pytest.mark.parametrize("form", ["imgdb.tgz", "var/db/esximg"])
@pytest.mark.parametrize(
    "limits",
    [
        pytest.param(eib.ReadLimits(document_bytes=100), id="one document"),
        pytest.param(eib.ReadLimits(metadata_bytes=1000), id="all of them"),
        pytest.param(eib.ReadLimits(member_count=3), id="how many"),
    ],
)
def test_a_database_is_bounded(tmp_path: Path, form: str, limits: eib.ReadLimits) -> None:
    path = FORMS[form](tmp_path, whole_database(tmp_path))
    with pytest.raises(eib.LimitExceededError):
        eib.read_image_database(path, limits=limits)


SMALL = tgz_of(
    {
        f"{DATABASE}profiles/p": b"<imageprofile><name>p</name><viblist/></imageprofile>",
        f"{DATABASE}vibs/a.xml": b"<vib><name>a</name><version>1.0-1</version><vendor>A</vendor></vib>",
    }
)


@settings(max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    edits=st.lists(st.tuples(st.integers(0, len(SMALL) - 1), st.integers(0, 255)), max_size=4), keep=st.integers(2, 400)
)
def test_a_damaged_archive_gives_our_errors(tmp_path: Path, edits: list[tuple[int, int]], keep: int) -> None:
    data = bytearray(SMALL)
    for at, value in edits:
        data[at] = value
    with contextlib.suppress(eib.EsxImageError):
        eib.open_depot(put(tmp_path / "x.tgz", bytes(data[:keep]))).close()


# On the command line


def test_the_commands_take_a_database(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = str(FORMS["imgdb.tgz"](tmp_path, whole_database(tmp_path)))
    assert main(["inspect", path]) == 0
    assert VERSION in capsys.readouterr().out
    assert main(["diff", path, str(tmp_path / "base.iso"), "--json"]) == 0
    assert '"kind": "none"' in capsys.readouterr().out
    target = tmp_path / "out.iso"
    assert main(["build", "--depot", path, "--base", VERSION, "--iso", str(target)]) == 2
    assert "an image database has no bytes of VIBs" in capsys.readouterr().err
    assert not target.exists()
