"""``esximage check``: exit codes, forms, and what is refused."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import attrs
import pytest
from support.small_hosts import host_of, with_component

from esximage_builder.depot.documents import write_software_spec
from esximage_builder.depot.host_files import write_host
from esximage_builder.depot.opening import open_depot
from esximage_builder.models.host import HostPart
from esximage_builder.rules.compose import compose

if TYPE_CHECKING:
    from pathlib import Path

    from support.command_line import Runner

    from esximage_builder.models.host import Host
    from esximage_builder.models.image import Image

VERSION = "7.0.3-0.55.20328353"
ADD_ON = "ACME-AddOn:703.20328353.A09"


@pytest.fixture
def files(depots: Path) -> tuple[Path, Path]:
    """A base image's depot and an add-on's."""
    return (
        depots / "VMware-ESXi-7.0U3g-20328353-depot.zip",
        depots / "ACME-ESXi-Addon-703.20328353.A09-depot.zip",
    )


@pytest.fixture
def image(files: tuple[Path, Path]) -> Image:
    with open_depot(*files) as depot:
        return compose(depot.catalog, base_image=VERSION, add_on=ADD_ON)


@pytest.fixture
def arguments(files: tuple[Path, Path], image: Image, tmp_path: Path) -> tuple[object, ...]:
    """The image by a spec."""
    path = tmp_path / "spec.json"
    write_software_spec(image, path)
    return ("check", "--depot", *files, "--spec", path)


def written(host: Host, folder: Path) -> Path:
    path = folder / f"{host.name}.json"
    write_host(host, path)
    return path


@pytest.fixture
def same(image: Image, tmp_path: Path) -> Path:
    return written(host_of(image, "esx1"), tmp_path)


@pytest.fixture
def newer(image: Image, tmp_path: Path) -> Path:
    host = host_of(image, "esx2")
    return written(with_component(host, host.components[0].name, "9999.0-1", is_manual=True), tmp_path)


def test_compliant_hosts_end_with_0(run: Runner, arguments: tuple[object, ...], same: Path) -> None:
    said = run(*arguments, "--host", same)
    assert (said.code, said.err) == (0, "")
    assert "esx1  compliant" in said.out


def test_one_host_that_is_not_ends_with_1(run: Runner, arguments: tuple[object, ...], same: Path, newer: Path) -> None:
    said = run(*arguments, "--host", same, "--host", newer)
    assert said.code == 1
    assert "[error] host-component-newer" in said.out
    assert "1 compliant, 1 incompatible" in said.out


def test_json_is_in_the_shape_of_the_api(run: Runner, arguments: tuple[object, ...], same: Path, newer: Path) -> None:
    said = run(*arguments, "--host", same, "--host", newer, "--json")
    assert said.code == 1
    assert (said.json["compliant_hosts"], said.json["incompatible_hosts"]) == (["esx1"], ["esx2"])


def test_a_host_may_be_several_files_or_a_folder(
    run: Runner, arguments: tuple[object, ...], image: Image, tmp_path: Path
) -> None:
    host = host_of(image, "esx3")
    folder = tmp_path / "esx3"
    folder.mkdir()
    written(attrs.evolve(host, told={HostPart.BASE_IMAGE, HostPart.ADD_ON}), folder)
    parts = attrs.evolve(host, name="", told={HostPart.COMPONENTS, HostPart.STANDALONE_VIBS})
    write_host(parts, folder / "parts.json")
    assert run(*arguments, "--host", folder / "esx3.json").code == 1
    assert run(*arguments, "--host", folder / "esx3.json", folder / "parts.json").code == 0
    assert run(*arguments, "--host", folder).code == 0


def test_a_partial_inventory_is_unavailable_and_ends_with_1(
    run: Runner, arguments: tuple[object, ...], tmp_path: Path
) -> None:
    path = tmp_path / "esx4.txt"
    path.write_text("   Product: VMware ESXi\n   Version: 7.0.3\n   Build: Releasebuild-20328353\n   Update: 3\n")
    said = run(*arguments, "--host", path)
    assert said.code == 1
    assert "unavailable" in said.out
    assert "esxcli software component list" in said.out


@pytest.mark.parametrize("suffix", [".txt", ".md", ".html", ".json"])
def test_the_report_is_written_in_the_form_of_its_suffix(
    run: Runner, arguments: tuple[object, ...], newer: Path, out: Path, suffix: str
) -> None:
    report = out / f"report{suffix}"
    assert run(*arguments, "--host", newer, "--report", report).code == 1
    text = report.read_text(encoding="utf-8")
    assert "esx2" in text
    if suffix == ".json":
        assert json.loads(text)["status"] == "INCOMPATIBLE"
    assert run(*arguments, "--host", newer, "--report", report).code == 2
    assert run(*arguments, "--host", newer, "--report", report, "--force").code == 1


def test_a_report_eats_nothing_that_is_read(run: Runner, arguments: tuple[object, ...], same: Path) -> None:
    before = same.read_bytes()
    said = run(*arguments, "--host", same, "--report", same, "--force")
    assert said.code == 2
    assert said.out == ""
    assert same.read_bytes() == before


def test_a_report_of_no_known_form_is_refused_before_any_work(
    run: Runner, arguments: tuple[object, ...], same: Path, out: Path
) -> None:
    said = run(*arguments, "--host", same, "--report", out / "report.pdf")
    assert (said.code, said.out) == (2, "")


def test_an_image_with_errors_is_refused_with_its_findings(
    run: Runner, depots: Path, same: Path, files: tuple[Path, Path]
) -> None:
    """Being as such an image is would mean nothing: no host is compared, and the code is that of bad input."""
    old = depots / "ACME-ESXi-Addon-702.17867351.A03-depot.zip"
    arguments = ("check", "--depot", files[0], old, "--base", VERSION, "--add-on", "ACME-AddOn", "--host", same)
    said = run(*arguments)
    assert (said.code, said.out) == (2, "")
    assert "no host is compared with it" in said.err
    assert "is not made for the base image" in said.err
    assert run(*arguments, "--json").error["code"] == "compose-error"


@pytest.mark.parametrize("text", ["hello\n", ""])
def test_a_file_that_tells_nothing_of_a_host_ends_with_2(
    run: Runner, arguments: tuple[object, ...], tmp_path: Path, text: str
) -> None:
    path = tmp_path / "nothing.txt"
    path.write_text(text)
    assert run(*arguments, "--host", path).code == 2


def test_without_host_there_is_nothing_to_check(run: Runner, arguments: tuple[object, ...]) -> None:
    assert run(*arguments).code == 2


def test_a_history_of_specs_says_since_which_image_a_host_is_behind(
    run: Runner, files: tuple[Path, Path], depots: Path, image: Image, tmp_path: Path
) -> None:
    older_depot = depots / "VMware-ESXi-7.0U3f-20036589-depot.zip"
    with open_depot(older_depot) as depot:
        older = compose(depot.catalog, base_image="7.0.3-0.50.20036589")
    specs = [tmp_path / "now.json", tmp_path / "before.json"]
    for value, path in zip((image, older), specs, strict=True):
        write_software_spec(value, path)
    hosts = [written(host_of(older, "esx5"), tmp_path), written(host_of(image, "esx6"), tmp_path)]
    arguments = ("check", "--depot", *files, older_depot, "--spec", specs[0], "--history", specs[1])
    both = [word for host in hosts for word in ("--host", host)]
    said = run(*arguments, *both, "--json")
    assert said.code == 1
    behind, same = said.json["drift"]
    assert (behind["host"], behind["nearest"], behind["is_exact"]) == ("esx5", 1, True)
    assert behind["behind_since"] == behind["images"][0] == image.name
    assert (same["nearest"], same["behind_since"]) == (0, None)
    assert "Drift" in run(*arguments, *both).out
    assert run(*arguments, *both, "--report", tmp_path / "r.html").code == 1
    assert "Behind since" in (tmp_path / "r.html").read_text(encoding="utf-8")
    assert run(*arguments, *both, "--report", specs[1], "--force").code == 2
