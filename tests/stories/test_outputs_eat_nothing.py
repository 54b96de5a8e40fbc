"""Story S27: outputs never eat anything, on the command line as in Python."""

from __future__ import annotations

import os
import shutil
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from support.command_line import Runner

import esximage_builder as eib

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

BASE = "VMware-ESXi-7.0U3g-20328353-depot.zip"
RELEASE = "7.0U3g"
OUTPUTS = {
    "--iso": "custom.iso",
    "--bundle": "custom.zip",
    "--lock": "image.lock",
    "--sbom": "image.sbom",
    "--report": "report.html",
}


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Runner:
    return Runner(capsys)


@pytest.fixture
def place(depots: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a depot, a spec and a kickstart file of the test's own; it is the current one."""
    shutil.copy(depots / BASE, tmp_path / "base.zip")
    (tmp_path / "spec.json").write_text('{"base_image": {"version": "7.0.3-0.55.20328353"}}', encoding="utf-8")
    (tmp_path / "ks.txt").write_bytes(b"vmaccepteula\ninstall --firstdisk --overwritevmfs\nrootpw x\nreboot\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def everything_in(folder: Path) -> dict[str, tuple[int, int, int]]:
    """Each entry with its inode number, size and time of change; nobody has touched it if these are equal."""
    return {
        str(path): (status.st_ino, status.st_size, status.st_mtime_ns)
        for path in sorted(folder.rglob("*"))
        for status in [path.lstat()]
    }


def no_depot_is_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        pytest.fail("a depot was opened")

    monkeypatch.setattr("esximage_builder.cli.build.open_depot", refuse)


def another_spelling(folder: Path, name: str) -> str:
    (folder / "sub").mkdir()
    return f"sub/../{name}"


def absolute(folder: Path, name: str) -> str:
    return str(folder / name)


def symlink(folder: Path, name: str) -> str:
    (folder / "link").symlink_to(name)
    return "link"


def hard_link(folder: Path, name: str) -> str:
    (folder / "hard").hardlink_to(folder / name)
    return "hard"


def the_same(_: Path, name: str) -> str:
    return name


SPELLINGS = [the_same, another_spelling, absolute, symlink, hard_link]


@pytest.mark.parametrize("spelling", SPELLINGS)
@pytest.mark.parametrize(
    "asked",
    [("--iso", "--force"), ("--bundle", "--force"), ("--lock", "--force"), ("--sbom", "--force"), ("--iso",)],
)
def test_s27_an_output_that_is_an_opened_depot_is_refused_before_any_work(
    run: Runner,
    place: Path,
    monkeypatch: pytest.MonkeyPatch,
    asked: tuple[str, ...],
    spelling: Callable[[Path, str], str],
) -> None:
    (place / "base.zip").rename(place / "base")  # a name that says nothing of the kind
    target = spelling(place, "base")
    no_depot_is_opened(monkeypatch)
    before = everything_in(place)
    outcome = run("build", "--depot", "base", "--base", RELEASE, *asked[1:], asked[0], target, "--json")

    assert outcome.code == 2
    assert outcome.error["code"] == "export-error"
    assert outcome.error["message"] == "the output is a file that is read"
    assert (outcome.error["where"], outcome.error["found"]) == (target, "the same file as base")
    assert everything_in(place) == before


@pytest.mark.parametrize(
    ("read", "name"),
    [
        (("--base", RELEASE, "--kickstart", "ks.txt"), "ks.txt"),
        (("--spec", "spec.json"), "spec.json"),
        (("--locked", "spec.json"), "spec.json"),
    ],
)
@pytest.mark.parametrize("spelling", [another_spelling, symlink, hard_link])
def test_s27_spec_lock_and_kickstart_file_are_inputs_too(
    run: Runner, place: Path, read: tuple[str, ...], name: str, spelling: Callable[[Path, str], str]
) -> None:
    target = spelling(place, name)
    before = everything_in(place)
    outcome = run("build", "--depot", "base.zip", *read, "--lock", target, "--force", "--json")

    assert outcome.code == 2
    assert outcome.error["found"] == f"the same file as {name}"
    assert everything_in(place) == before


@pytest.mark.parametrize("spelling", [the_same, symlink, hard_link])
def test_s27_what_lies_in_an_opened_folder_is_an_input(
    run: Runner, place: Path, spelling: Callable[[Path, str], str]
) -> None:
    with zipfile.ZipFile(place / "base.zip") as archive:
        archive.extractall(place / "folder")
    name = next(path for path in (place / "folder").rglob("*.vib")).relative_to(place).as_posix()
    target = spelling(place, name)
    before = everything_in(place)
    outcome = run("build", "--depot", "folder", "--base", RELEASE, "--lock", target, "--force", "--json")

    assert outcome.code == 2
    assert outcome.error["message"] == "the output is a file that is read"
    assert everything_in(place) == before


def test_s27_a_new_file_in_an_opened_folder_disturbs_nobody(run: Runner, place: Path) -> None:
    with zipfile.ZipFile(place / "base.zip") as archive:
        archive.extractall(place / "folder")
    arguments = ("build", "--depot", "folder", "--base", RELEASE)
    assert run(*arguments, "--bundle", "folder/custom.zip", "--lock", "folder/image.lock").code == 0
    assert run(*arguments, "--bundle", "folder/custom.zip", "--force").code == 2, "now it is in the folder"


def test_s27_a_depot_around_other_depots_is_an_input(run: Runner, place: Path) -> None:
    with zipfile.ZipFile(place / "outer", "w") as archive:
        archive.write(place / "base.zip", "base.zip")
    (place / "hard").hardlink_to(place / "outer")
    outcome = run("build", "--depot", "outer", "--base", RELEASE, "--bundle", "hard", "--force", "--json")
    assert (outcome.code, outcome.error["found"]) == (2, "the same file as outer")


@pytest.mark.parametrize("option", OUTPUTS)
def test_s27_a_file_that_is_there_is_replaced_only_with_force(
    run: Runner, place: Path, monkeypatch: pytest.MonkeyPatch, option: str
) -> None:
    target = place / OUTPUTS[option]
    target.write_bytes(b"<html>mine</html>")
    before = everything_in(place)
    arguments = ("build", "--depot", "base.zip", "--base", RELEASE, option, target.name)
    with monkeypatch.context() as patch:
        no_depot_is_opened(patch)
        outcome = run(*arguments)
    assert outcome.code == 2
    assert outcome.err == (
        "esximage: the output is there already\n"
        "  expected: a name that is not taken\n"
        "  found: an HTML page of 17 bytes\n"
        f"  where: {target.name}\n"
        "  try: name another file, or replace this one with --force (overwrite=True)\n"
    )
    assert everything_in(place) == before

    assert run(*arguments, "--force").code == 0
    assert target.read_bytes() != b"<html>mine</html>"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--iso", "out", "--bundle", "./out"), "--iso and --bundle name one file"),
        (("--iso", "out", "--bundle", "OUT"), "--iso and --bundle name one file"),
        (("--pxe", "tree", "--iso", "tree/x.iso"), "--iso lies inside --pxe"),
        (("--pxe", "tree/below", "--lock", "tree"), "--pxe lies inside --lock"),
        (("--pxe", "tree", "--bundle", "link/tree/x.zip"), "--bundle lies inside --pxe"),
        (("--pxe", "tree", "--report", "tree.html", "--sbom", "tree"), "--pxe and --sbom name one file"),
    ],
)
def test_s27_outputs_never_eat_each_other(
    run: Runner, place: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], message: str
) -> None:
    (place / "link").symlink_to(".")
    no_depot_is_opened(monkeypatch)
    before = everything_in(place)
    outcome = run("build", "--depot", "base.zip", "--base", RELEASE, *arguments, "--force", "--json")
    assert (outcome.code, outcome.error["message"]) == (2, message)
    assert everything_in(place) == before


@pytest.mark.parametrize(
    ("option", "name"),
    [("--iso", "x.zip"), ("--bundle", "x.iso"), ("--lock", "x.iso"), ("--sbom", "x.zip"), ("--pxe", "x.iso")],
)
def test_s27_a_suffix_that_lies_is_refused(
    run: Runner, place: Path, monkeypatch: pytest.MonkeyPatch, option: str, name: str
) -> None:
    no_depot_is_opened(monkeypatch)
    outcome = run("build", "--depot", "base.zip", "--base", RELEASE, option, name, "--json")
    assert (outcome.code, outcome.error["code"], outcome.error["where"]) == (2, "invalid-model", name)
    assert not (place / name).exists()


def test_s27_a_link_is_written_through(run: Runner, place: Path) -> None:
    """The link stays, whether the file it names was there or not."""
    (place / "elsewhere").mkdir()
    (place / "latest.iso").symlink_to("elsewhere/7.0U3g.iso")
    arguments = ("build", "--depot", "base.zip", "--base", RELEASE, "--iso", "latest.iso")
    assert run(*arguments).code == 0
    first = (place / "elsewhere" / "7.0U3g.iso").read_bytes()
    assert run(*arguments).code == 2
    assert run(*arguments, "--force").code == 0
    assert (place / "latest.iso").readlink() == Path("elsewhere/7.0U3g.iso")
    assert (place / "elsewhere" / "7.0U3g.iso").read_bytes() == first
    assert [path.name for path in (place / "elsewhere").iterdir()] == ["7.0U3g.iso"]


# The same in Python


def write_report(image: eib.Image, depot: eib.Depot, target: Path, **more: Any) -> object:
    report = eib.validate(image, depot.catalog)
    return eib.write_report(image, report, target, catalog=depot.catalog, **more)


def write_spec(image: eib.Image, _: eib.Depot, target: Path, **more: Any) -> None:
    eib.write_software_spec(image, target, **more)


WRITERS: dict[str, tuple[Callable[..., object], str]] = {
    "export_iso": (eib.export_iso, "x.iso"),
    "export_bundle": (eib.export_bundle, "x.zip"),
    "export_sbom": (eib.export_sbom, "x.json"),
    "write_lock": (eib.write_lock, "x.json"),
    "write_report": (write_report, "x.html"),
    "write_software_spec": (write_spec, "x.json"),
}
each_writer = pytest.mark.parametrize("name", WRITERS)


@pytest.fixture
def opened(place: Path) -> Iterator[tuple[eib.Image, eib.Depot]]:
    with eib.open_depot(place / "base.zip") as depot:
        yield eib.compose(depot.catalog, base_image=RELEASE), depot


@each_writer
def test_s27_every_function_that_writes_asks_before_it_replaces(
    opened: tuple[eib.Image, eib.Depot], place: Path, name: str
) -> None:
    write, file_name = WRITERS[name]
    target = place / file_name
    target.write_bytes(b"mine")
    before = everything_in(place)
    with pytest.raises(eib.ExportError, match="there already"):
        write(*opened, target)
    assert everything_in(place) == before
    write(*opened, target, overwrite=True)
    assert target.read_bytes() != b"mine"


@pytest.mark.parametrize("name", [name for name in WRITERS if name != "write_software_spec"])
@pytest.mark.parametrize("spelling", [symlink, hard_link])
def test_s27_every_function_that_knows_a_depot_spares_its_files(
    opened: tuple[eib.Image, eib.Depot], place: Path, name: str, spelling: Callable[[Path, str], str]
) -> None:
    write, file_name = WRITERS[name]
    link = place / spelling(place, "base.zip")
    target = link.rename(place / file_name)
    before = everything_in(place)
    with pytest.raises(eib.ExportError, match="a file that is read"):
        write(*opened, target, overwrite=True)
    assert everything_in(place) == before


def test_s27_a_tree_and_a_disc_spare_the_kickstart_file(opened: tuple[eib.Image, eib.Depot], place: Path) -> None:
    image, depot = opened
    (place / "hard").hardlink_to(place / "ks.txt")
    before = everything_in(place)
    with pytest.raises(eib.ExportError, match="a file that is read"):
        eib.export_iso(image, depot, place / "hard", kickstart=place / "ks.txt", overwrite=True)
    with pytest.raises(eib.ExportError, match="there already"):
        eib.export_pxe(image, depot, place, prefix="http://x", kickstart=place / "ks.txt")
    assert everything_in(place) == before


def test_s27_a_report_spares_what_it_reports(opened: tuple[eib.Image, eib.Depot], place: Path) -> None:
    image, depot = opened
    result = eib.export_iso(image, depot, place / "x.iso")
    (place / "x.html").hardlink_to(place / "x.iso")
    report = eib.validate(image, depot.catalog)
    with pytest.raises(eib.ExportError, match="a file that is read"):
        eib.write_report(image, report, place / "x.html", results=[result], overwrite=True)
    assert (place / "x.iso").stat().st_size == result.size_bytes


def test_s27_a_depot_knows_the_files_it_was_opened_from(place: Path) -> None:
    """By what stands at each path, also what lies in folders; and after it was closed."""
    with zipfile.ZipFile(place / "base.zip") as archive:
        archive.extractall(place / "folder")
    with eib.open_depot(place / "folder", place / "base.zip") as depot:
        image = eib.compose(depot.catalog, base_image=RELEASE)
    paths = {place / "base.zip", place / "folder", *(place / "folder").rglob("*")}
    assert set(depot.source_files) == paths
    assert all(os.path.samestat(status, path.stat()) for path, status in depot.source_files.items())
    (place / "hard").hardlink_to(place / "base.zip")
    with pytest.raises(eib.ExportError, match="a file that is read"):
        eib.write_lock(image, depot, place / "hard", overwrite=True)
