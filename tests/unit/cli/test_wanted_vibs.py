"""``--vib``: files and names, with a base image, a spec and a lock; what is said where it is missing."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from support.changed_depots import DEPOTS, SPECS, left_in
from support.memory_catalogs import Stock, vib

import esximage_builder as eib
from esximage_builder.cli.wanted_vibs import wanted_components
from esximage_builder.models.catalog import Catalog
from esximage_builder.models.component import Bulletin

if TYPE_CHECKING:
    from pathlib import Path

    from support.command_line import Runner

U3G = DEPOTS / "VMware-ESXi-7.0U3g-20328353-depot.zip"
U3F = DEPOTS / "VMware-ESXi-7.0U3f-20036589-depot.zip"
ESXI_67 = DEPOTS / "VMware-ESXi-6.7.0-8169922-depot.zip"
I40EN = DEPOTS / "Intel-i40en_2.8.4.0-1OEM.700.1.0.15843807.zip"
LOOSE = DEPOTS / "homelab-tweaks-1.0.0-1.vib"
VIB_ID = "HomeLab_bootbank_homelab-tweaks_1.0.0-1"
ON_U3G = ("--depot", U3G, "--base", "7.0U3g")


@pytest.mark.parametrize(
    "wanted",
    [
        pytest.param((*ON_U3G, "--vib", LOOSE), id="a file"),
        pytest.param((*ON_U3G, "--vib", LOOSE, "--vib", LOOSE), id="a file twice"),
        pytest.param((*ON_U3G, "--depot", LOOSE, "--vib", LOOSE), id="a file that is a depot too"),
        pytest.param((*ON_U3G, "--depot", LOOSE, "--vib", "homelab-tweaks"), id="a name"),
        pytest.param((*ON_U3G, "--depot", LOOSE, "--vib", "homelab-tweaks:1.0.0-1"), id="name and version"),
        pytest.param((*ON_U3G, "--vib", LOOSE, "--component", "homelab-tweaks"), id="its component asked for too"),
    ],
)
def test_a_loose_vib_comes_as_a_component_of_the_user(run: Runner, wanted: tuple[object, ...]) -> None:
    report = run("build", *wanted, "--json").json
    (added,) = [unit for unit in report["image"]["components"] if unit["source"] == "USER"]

    assert (added["name"], added["version"]) == ("homelab-tweaks", "1.0.0-1")
    assert VIB_ID in report["image"]["vibs"]
    assert report["image"]["acceptance_level"] == "community"
    assert report["findings"] == []


def test_a_driver_s_bundle_comes_with_its_own_component(run: Runner) -> None:
    report = run("build", *ON_U3G, "--vib", I40EN, "--json").json

    assert [(unit["name"], unit["version"]) for unit in report["image"]["components"] if unit["source"] == "USER"] == [
        ("Intel-i40en", "2.8.4.0-1OEM.700.1.0.15843807")
    ]


def test_explain_and_recommend_know_it(run: Runner) -> None:
    said = run("explain", *ON_U3G, "--vib", LOOSE, "homelab-tweaks").out
    advice = run("recommend", "--depot", U3F, U3G, "--base", "7.0U3f", "--vib", LOOSE, "--json").json

    assert "Component homelab-tweaks 1.0.0-1 comes from the user" in said
    assert advice["latest"]["spec"]["components"] == {"homelab-tweaks": "1.0.0-1"}


def test_a_spec_can_name_it(run: Runner, out: Path) -> None:
    spec = json.loads((SPECS / "image_u3g.json").read_text())
    path = out / "spec.json"
    path.write_text(json.dumps(spec | {"components": {"homelab-tweaks": "1.0.0-1"}}))

    report = run("build", "--depot", U3G, "--spec", path, "--vib", LOOSE, "--json").json
    refused = run("build", "--depot", U3G, "--spec", SPECS / "image_u3g.json", "--vib", LOOSE, "--json")

    assert VIB_ID in report["image"]["vibs"]
    assert refused.error["message"] == "the spec does not name homelab-tweaks, which --vib brings"


def test_its_lock_makes_the_same_image_again(run: Runner, out: Path) -> None:
    assert run("build", *ON_U3G, "--vib", LOOSE, "--lock", out / "l.json", "--bundle", out / "a.zip").code == 0
    again = run("build", "--depot", U3G, LOOSE, "--locked", out / "l.json", "--bundle", out / "b.zip")
    without = run("build", "--depot", U3G, "--locked", out / "l.json")

    assert again.code == 0
    assert (out / "a.zip").read_bytes() == (out / "b.zip").read_bytes()
    assert without.code == 2
    assert f"the VIB {VIB_ID} is not loaded" in without.err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        pytest.param((*ON_U3G, "--vib", "homelab-tweeks"), "no loaded VIB without component", id="no such name"),
        pytest.param((*ON_U3G, "--depot", LOOSE, "--vib", "homelab-tweaks:2-1"), "no loaded VIB", id="no such version"),
        pytest.param((*ON_U3G, "--vib", "x" * 5000), "no loaded VIB without component", id="too long for a file"),
        pytest.param((*ON_U3G, "--vib", "gone.vib"), "No such file", id="no such file"),
        pytest.param((*ON_U3G, "--vib", ESXI_67), "ESXi itself", id="ESXi of old"),
        pytest.param((*ON_U3G, "--vib", U3F), "ESXi itself", id="a base image"),
        pytest.param(
            (*ON_U3G, "--vib", LOOSE, "--component", "homelab-tweaks:2-1"), "in two versions", id="two versions"
        ),
        pytest.param(("--depot", U3G, "--locked", "x.json", "--vib", LOOSE), "does not go with --locked", id="a lock"),
        pytest.param(
            ("--depot", U3G, LOOSE, "--base", "7.0U3g", "--component", "homelab-tweaks"),
            "homelab-tweaks is a VIB without component",
            id="asked for as a component",
        ),
    ],
)
def test_what_is_meant_otherwise_is_an_error(
    run: Runner, out: Path, arguments: tuple[object, ...], message: str
) -> None:
    outcome = run("build", *arguments, "--bundle", out / "x.zip", "--json")

    assert outcome.code == 2
    assert message in outcome.error["message"]
    assert left_in(out) == {}


def test_with_loose_vibs_alone_the_error_says_what_is_missing(run: Runner) -> None:
    outcome = run("build", "--depot", LOOSE, "--base", "7.0U3g", "--json")

    assert "homelab-tweaks" in outcome.error["hint"]
    assert "--vib" in outcome.error["hint"]


def test_what_is_loaded_and_not_used_is_said(run: Runner) -> None:
    report = run("build", *ON_U3G, "--depot", LOOSE, "--json").json

    assert [(item["code"], item["severity"], item["items"]) for item in report["findings"]] == [
        ("loose-vib-not-used", "info", [VIB_ID])
    ]


# Over values


def catalog_of_two() -> Catalog:
    stock = Stock(vibs=[vib("tool", "1.0-1"), vib("tool", "2.0-1"), vib("kit-a"), vib("kit-b")])
    bulletin = Bulletin(id="kit-1.0-1", vib_ids=["ACM_bootbank_kit-a_1.0-1", "ACM_bootbank_kit-b_1.0-1"])
    catalog = stock.catalog()
    sources = [(held.fingerprint, ("all.zip",)) for held in catalog.vibs]
    return eib.Catalog(vibs=catalog.vibs, bulletins=[bulletin], vib_sources=sources)


def test_a_name_without_version_takes_the_highest() -> None:
    assert [made.id for made in wanted_components(catalog_of_two(), ["tool"])] == ["tool:2.0-1"]
    assert [made.id for made in wanted_components(catalog_of_two(), ["tool:1.0-1"])] == ["tool:1.0-1"]


def test_a_legacy_bulletin_is_named_by_its_id() -> None:
    (made,) = wanted_components(catalog_of_two(), ["kit-1.0-1"])
    assert (made.id, made.bulletin.id) == ("kit:1.0-1", "kit-1.0-1")


def test_two_versions_of_one_component_are_refused() -> None:
    for texts in (["tool:1.0-1", "tool:2.0-1"], ["all.zip"]):
        with pytest.raises(eib.ModelError, match="brings tool in two versions"):
            wanted_components(catalog_of_two(), texts)


def test_a_file_without_vibs_is_refused() -> None:
    with pytest.raises(eib.ModelError, match="holds no VIB"):
        wanted_components(catalog_of_two(), ["other.zip"])


def test_the_order_of_wishes_does_not_matter() -> None:
    one = wanted_components(catalog_of_two(), ["tool", "kit-1.0-1"])
    assert one == wanted_components(catalog_of_two(), ["kit-1.0-1", "tool"])
