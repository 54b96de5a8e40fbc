"""The compatibility matrix: right in every cell by a table typed by hand, and on the page as it is."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

from esximage_builder.models.add_on import AddOn
from esximage_builder.models.base_image import BaseImage
from esximage_builder.rules.release_fit import check_add_on, fits_release, is_for_train, published_with
from esximage_builder.rules.releases import KNOWN_RELEASES
from esximage_builder.versions import AddOnVersion, BaseImageVersion

SCRIPT = Path(__file__).parents[2] / "docs" / "make_compatibility_matrix.py"


def load_script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("make_compatibility_matrix", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


SCRIPT_MODULE = load_script()
KNOWN = {release.name: release for release in KNOWN_RELEASES}

# Typed by hand from public build lists: releases by family, in order of publication.
FAMILIES = {
    "6.7.0": ["6.7.0"],
    "7.0.0": ["7.0", "7.0sb", "7.0b"],
    "7.0.1": ["7.0U1", "7.0U1a", "7.0U1b", "7.0U1sc", "7.0U1c", "7.0U1d", "7.0U1e"],
    "7.0.2": ["7.0U2", "7.0U2a", "7.0U2sc", "7.0U2c", "7.0U2d", "7.0U2e"],
    "7.0.3": [
        "7.0U3", "7.0U3a", "7.0U3c", "7.0U3sd", "7.0U3d", "7.0U3e", "7.0U3sf", "7.0U3f", "7.0U3g", "7.0U3si",
        "7.0U3i", "7.0U3j", "7.0U3k", "7.0U3sl", "7.0U3l", "7.0U3m", "7.0U3n", "7.0U3so", "7.0U3o", "7.0U3p",
        "7.0U3sq", "7.0U3q", "7.0U3s", "7.0U3w",
    ],
    "8.0.0": ["8.0", "8.0b"],
    "8.0.1": ["8.0U1", "8.0U1a", "8.0U1c"],
    "8.0.2": ["8.0U2", "8.0U2sb", "8.0U2b", "8.0U2b-HP1", "8.0U2c", "8.0U2d"],
    "8.0.3": [
        "8.0U3", "8.0U3b", "8.0U3c", "8.0U3d", "8.0U3se", "8.0U3e", "8.0U3f", "8.0U3g", "8.0U3h", "8.0U3i", "8.0U3k",
    ],
    "9.0": ["9.0.0.0", "9.0.0.0100", "9.0.1", "9.0.2"],
    "9.1": ["9.1.0", "9.1.0.0100", "9.1.0.0200", "9.1.1"],
}  # fmt: skip

# Typed by hand: each add-on goes with one family and no other, and which of its releases are newer
# than the release whose build the add-on names.
GOES_WITH = {
    "HPE-Custom-AddOn:700.0.0.10.5.0-108": ("7.0.0", []),
    "HPE-Custom-AddOn:701.0.0.10.6.3-9": ("7.0.1", []),
    "HPE-Custom-AddOn:703.0.0.10.9.0-11": ("7.0.3", []),
    "HPE-Custom-AddOn:703.0.0.11.5.0-6": ("7.0.3", []),
    "HPE-Custom-AddOn:802.0.0.10.7.0-22": ("8.0.2", []),
    "HPE-Custom-AddOn:803.0.0.11.7.0-23": ("8.0.3", []),
    "HPE-Custom-AddOn:803.0.0.11.8.0-6": ("8.0.3", []),
    "HPE-Custom-Syn-AddOn:900.0.0.12.3.5-5": ("9.0", []),
    "DEL-ESXi:702_17867351-A03": ("7.0.2", ["7.0U2sc", "7.0U2c", "7.0U2d", "7.0U2e"]),
    "DEL-ESXi:702_17867351-A05": ("7.0.2", ["7.0U2sc", "7.0U2c", "7.0U2d", "7.0U2e"]),
    "DEL-ESXi:703_23794027-A24": ("7.0.3", ["7.0U3s", "7.0U3w"]),
    "DEL-ESXi:800.20513097-A00": ("8.0.0", ["8.0b"]),
    "DEL-ESXi:803.24022510-A00": (
        "8.0.3",
        [
            "8.0U3b", "8.0U3c", "8.0U3d", "8.0U3se", "8.0U3e", "8.0U3f", "8.0U3g", "8.0U3h", "8.0U3i", "8.0U3k",
        ],
    ),
    "DEL-ESXi:803.24280767-A02": (
        "8.0.3",
        ["8.0U3c", "8.0U3d", "8.0U3se", "8.0U3e", "8.0U3f", "8.0U3g", "8.0U3h", "8.0U3i", "8.0U3k"],
    ),
    "LVO:LVO.803.12.1": ("8.0.3", []),
    "LVO:701.10.3": ("7.0.1", []),
    "DEL-ESXi-702_17867351:A05": ("7.0.2", ["7.0U2sc", "7.0U2c", "7.0U2d", "7.0U2e"]),
    "Cisco-UCS-Addon-ESXi-70U3d-19482537:4.2.2-a": (
        "7.0.3",
        [
            "7.0U3e", "7.0U3sf", "7.0U3f", "7.0U3g", "7.0U3si", "7.0U3i", "7.0U3j", "7.0U3k", "7.0U3sl", "7.0U3l",
            "7.0U3m", "7.0U3n", "7.0U3so", "7.0U3o", "7.0U3p", "7.0U3sq", "7.0U3q", "7.0U3s", "7.0U3w",
        ],
    ),
    "ACME-AddOn:7.0.3-610.2": ("7.0.3", []),
    "ACME-AddOn:703.20328353.A08": (
        "7.0.3",
        [
            "7.0U3si", "7.0U3i", "7.0U3j", "7.0U3k", "7.0U3sl", "7.0U3l", "7.0U3m", "7.0U3n", "7.0U3so", "7.0U3o",
            "7.0U3p", "7.0U3sq", "7.0U3q", "7.0U3s", "7.0U3w",
        ],
    ),
}  # fmt: skip

# Declares one base image alone, so its family does not help.
DECLARED_ALONE = {"ACME-AddOn:703.20328353.A99": "7.0U3g"}


def expected(release: str, family: str, add_on: str) -> str:
    if add_on in DECLARED_ALONE:
        return "yes" if DECLARED_ALONE[add_on] == release else "no"
    own_family, newer = GOES_WITH[add_on]
    if family != own_family:
        return "no"
    return "yes, newer" if release in newer else "yes"


@pytest.fixture(scope="module")
def cells() -> dict[str, dict[str, str]]:
    made: dict[str, dict[str, str]] = SCRIPT_MODULE.matrix()
    return made


def test_the_table_by_hand_has_every_release_and_every_add_on() -> None:
    assert [name for family in FAMILIES.values() for name in family] == [release.name for release in KNOWN_RELEASES]
    assert [add_on.id for add_on in SCRIPT_MODULE.ADD_ONS] == [*GOES_WITH, *DECLARED_ALONE]


@pytest.mark.parametrize("family", FAMILIES)
def test_every_cell_is_right(cells: dict[str, dict[str, str]], family: str) -> None:
    wanted = {
        release: {add_on.id: expected(release, family, add_on.id) for add_on in SCRIPT_MODULE.ADD_ONS}
        for release in FAMILIES[family]
    }

    assert {release: cells[release] for release in FAMILIES[family]} == wanted


def test_the_page_is_what_the_script_makes() -> None:
    page = SCRIPT_MODULE.PAGE.read_text(encoding="utf-8")

    assert page == SCRIPT_MODULE.render_page(), "run docs/make_compatibility_matrix.py"


def test_the_script_writes_and_checks_its_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "compatibility-matrix.md"
    monkeypatch.setattr(SCRIPT_MODULE, "PAGE", page)
    monkeypatch.setattr("sys.argv", ["make_compatibility_matrix.py"])
    assert SCRIPT_MODULE.main() == 0
    assert page.read_bytes().decode() == SCRIPT_MODULE.render_page()

    monkeypatch.setattr("sys.argv", ["make_compatibility_matrix.py", "--check"])
    assert SCRIPT_MODULE.main() == 0
    page.write_text("changed\n", encoding="utf-8")
    assert SCRIPT_MODULE.main() == 1
    assert capsys.readouterr().out == (
        "compatibility-matrix.md is as it would be written\ncompatibility-matrix.md is out of date\n"
    )


# Judging releases of which only product and build are known


def add_on(version: str, *declared: str) -> AddOn:
    return AddOn(name="ACME", version=AddOnVersion(version), supported_base_images=declared)


@pytest.mark.parametrize(
    ("unit", "release", "fits"),
    [
        pytest.param(add_on("703.1"), "7.0U3e", True, id="train"),
        pytest.param(add_on("703.1"), "7.0U2e", False, id="another train"),
        pytest.param(add_on("900.1"), "9.0.1", True, id="train of 9.x"),
        pytest.param(add_on("910.1"), "9.0.1", False, id="another train of 9.x"),
        pytest.param(add_on("A00"), "7.0U3e", None, id="no train"),
        pytest.param(add_on("702.1", "7.0.3"), "7.0U3e", True, id="declared release"),
        pytest.param(add_on("703.1", "7.0.2"), "7.0U3e", False, id="another declared release"),
        pytest.param(add_on("703.1", "7.0"), "7.0U3e", True, id="declared minor release"),
        pytest.param(add_on("703.1", "*"), "7.0U3e", True, id="declared everything"),
        pytest.param(add_on("703.1", "7.0.3-0.40.19898904"), "7.0U3e", True, id="declared build"),
        pytest.param(add_on("703.1", "7.0.3-0.50.20036589"), "7.0U3e", False, id="another declared build"),
        pytest.param(add_on("703.1", "7.0.2-0.40.19898904"), "7.0U3e", False, id="build of another product"),
        pytest.param(add_on("703.1", "7.0.3-0.40"), "7.0U3e", None, id="more than the product, less than the build"),
        pytest.param(add_on("703.1", ">=7.0.3"), "7.0U3e", None, id="a range"),
        pytest.param(add_on("703.1", ">=7.0.3", "7.0.3"), "7.0U3e", True, id="a range or the release"),
        pytest.param(add_on("703.1", ">=7.0.3", "7.0.2"), "7.0U3e", None, id="a range or another release"),
    ],
)
def test_no_version_is_made_up(unit: AddOn, release: str, *, fits: bool | None) -> None:
    assert not KNOWN[release].version
    assert fits_release(unit, KNOWN[release]) is fits


def test_where_the_version_is_published_both_ways_agree() -> None:
    for release in KNOWN_RELEASES:
        if release.version:
            base_image = BaseImage(version=BaseImageVersion(release.version))
            for unit in SCRIPT_MODULE.ADD_ONS:
                refused = {finding.code for finding in check_add_on(unit, base_image)} & {"add-on-base-unsupported"}
                assert fits_release(unit, release) is not bool(refused)


@pytest.mark.parametrize(
    ("version", "train", "release"),
    [
        pytest.param("703.20328353.A08", (7, 0, 3), "7.0U3g", id="named"),
        pytest.param("703_23794027-A24", (7, 0, 3), "7.0U3q", id="between other marks"),
        pytest.param("703.20328352.A08", (7, 0, 3), None, id="one off: builds are never matched by nearness"),
        pytest.param("703.20328353.A08", (7, 0, 2), None, id="of another train"),
        pytest.param("703.0.0.11.3.0-5", (7, 0, 3), None, id="no build"),
        pytest.param("703.120328353", (7, 0, 3), None, id="part of a number"),
    ],
)
def test_the_release_that_an_add_on_names(version: str, train: tuple[int, ...], release: str | None) -> None:
    assert published_with(add_on(version), train) == (None if release is None else KNOWN[release])


def test_trains_are_asked_without_a_version() -> None:
    assert is_for_train(add_on("703.1"), (7, 0, 3)) is True
    assert is_for_train(add_on("703.1"), (7, 0, 2)) is False
    assert is_for_train(add_on("A00"), (7, 0, 3)) is None
