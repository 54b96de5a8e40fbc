"""Stories of specs that other people wrote: mistyped, unfinished, made for several hosts, or handed on.

Versions of releases are real ones, contents are invented; files are the fixture depots and specs.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import attrs
import pytest
from support.command_line import Runner
from support.memory_catalogs import BASE_VERSION, Stock
from support.release_catalogs import codes, shop, the

from esximage_builder.depot.documents import read_software_spec
from esximage_builder.documents.software_spec import parse_software_spec, render_software_spec
from esximage_builder.errors import MalformedDocumentError, ModelError
from esximage_builder.findings import Severity
from esximage_builder.models.image import Image
from esximage_builder.models.spec import AlternativeImage, SoftwareSpec
from esximage_builder.rules.compose import compose, make_spec
from esximage_builder.rules.recommend import recommend
from esximage_builder.rules.validate import validate

FIXTURES = Path(__file__).parents[2] / "fixtures"
U3F, U3G = (FIXTURES / f"depots/VMware-ESXi-7.0U3{name}-depot.zip" for name in ("f-20036589", "g-20328353"))
A08, A09 = (FIXTURES / f"depots/ACME-ESXi-Addon-703.20328353.{name}-depot.zip" for name in ("A08", "A09"))
G = "7.0.3-0.55.20328353"
BASE: dict[str, Any] = {"base_image": {"version": G}}
SOLUTION: dict[str, Any] = {"version": "1.0", "components": [{"component": "fdm"}]}
CRITERIA: dict[str, Any] = {"selection_type": "HOST_HARDWARE_SPEC", "host_hardware_spec": {"vendor": "Acme"}}


def parsed(document: dict[str, Any]) -> SoftwareSpec:
    return parse_software_spec(json.dumps(BASE | document).encode(), where="image.json")


def written(path: Path) -> dict[str, Any]:
    found = json.loads(path.read_bytes())
    assert isinstance(found, dict)
    return found


def small_stock() -> Stock:
    """A base image, and two versions of a driver that it has not."""
    stock = Stock()
    stock.base_image()
    stock.driver("net-acme", "1.0-1")
    stock.driver("net-acme", "2.0-1")
    return stock


# A mistyped key


@pytest.mark.parametrize(
    ("document", "where", "meant"),
    [
        ({"addOn": {"name": "a", "version": "1"}}, "#/addOn", "add_on"),
        ({"addon": None}, "#/addon", "add_on"),
        ({"Add-On": None}, "#/Add-On", "add_on"),
        ({"baseImage": {"version": G}}, "#/baseImage", "base_image"),
        ({"baseimage": {}}, "#/baseimage", "base_image"),
        ({"hardwareSupport": None}, "#/hardwareSupport", "hardware_support"),
        ({"removedComponents": ["x"]}, "#/removedComponents", "removed_components"),
        ({"alternative-images": {}}, "#/alternative-images", "alternative_images"),
        ({"base_image": {"Version": G}}, "#/base_image/Version", "version"),
        ({"base_image": {"version": G, "Details": {}}}, "#/base_image/Details", "details"),
        ({"add_on": {"Name": "a", "version": "1"}}, "#/add_on/Name", "name"),
        ({"components": {"a/b": {"VERSION": "1"}}}, "#/components/a~1b/VERSION", "version"),
        ({"hardware_support": {"Packages": {}}}, "#/hardware_support/Packages", "packages"),
        ({"hardware_support": {"packages": {"m": {"Pkg": "p"}}}}, "#/hardware_support/packages/m/Pkg", "pkg"),
        ({"hardware_support": {"m": {"pkg": "p", "Version": "1"}}}, "#/hardware_support/m/Version", "version"),
        ({"solutions": {"s": {"Components": []}}}, "#/solutions/s/Components", "components"),
        (
            {"solutions": {"s": {"components": [{"Component": "c"}]}}},
            "#/solutions/s/components/0/Component",
            "component",
        ),
        ({"alternative_images": {"i": {"addOn": None}}}, "#/alternative_images/i/addOn", "add_on"),
        (
            {"alternative_images": {"i": {**BASE, "selection_criteria": {"hostUuids": []}}}},
            "#/alternative_images/i/selection_criteria/hostUuids",
            "host_uuids",
        ),
        (
            {"alternative_images": {"i": {**BASE, "selection_criteria": {"host_hardware_spec": {"OEM_strings": []}}}}},
            "#/alternative_images/i/selection_criteria/host_hardware_spec/OEM_strings",
            "oem_strings",
        ),
    ],
)
def test_a_known_key_in_another_spelling_is_refused(document: dict[str, Any], where: str, meant: str) -> None:
    with pytest.raises(MalformedDocumentError) as caught:
        parsed(document)

    assert caught.value.where == f"image.json{where}"
    assert caught.value.hint == f"did you mean {meant}?"


@pytest.mark.parametrize(
    "document",
    [
        {"components": {"AddOn": "1.0-1", "Version": None}},
        {"hardware_support": {"packages": {"PKG": {"pkg": "p", "version": ""}}}},
        {"solutions": {"Solutions": {"version": "1", "components": []}}},
        {"base_image": {"version": G, "details": {"displayName": "ESXi", "Version": "x"}}},
        {"acme": {"addOn": 1}},
    ],
)
def test_names_and_what_nobody_knows_may_be_spelled_in_any_way(document: dict[str, Any]) -> None:
    assert parsed(document).base_image == G


@pytest.mark.parametrize("key", ["addOn", "removedComponents"])
def test_nothing_is_written_of_a_mistyped_spec(tmp_path: Path, capsys: pytest.CaptureFixture[str], key: str) -> None:
    path, iso = tmp_path / "image.json", tmp_path / "out.iso"
    path.write_text(json.dumps({**BASE, key: None}), encoding="utf-8")
    outcome = Runner(capsys)("build", "--depot", U3G, "--spec", path, "--iso", iso, "--json")

    assert outcome.code == 2
    assert outcome.error["code"] == "malformed-document"
    assert outcome.error["where"].endswith(f"image.json#/{key}")
    assert outcome.error["hint"].startswith("did you mean ")
    assert not iso.exists()


# A key that nobody knows


@pytest.mark.parametrize(
    ("document", "place", "near"),
    [
        ({"ad_on": None}, "/ad_on", "add_on"),
        ({"component": {}}, "/component", "components"),
        ({"of_the_future": 1}, "/of_the_future", ""),
        ({"base_image": {"version": G, "versions": []}}, "/base_image/versions", "version"),
        ({"components": {"net-acme": {"version": "1.0-1", "reason": "hcl"}}}, "/components/net-acme/reason", ""),
        ({"hardware_support": {"packages": {}, "policy": 1}}, "/hardware_support/policy", ""),
        (
            {"alternative_images": {"i": {**BASE, "alternative_images": {}}}},
            "/alternative_images/i/alternative_images",
            "",
        ),
        (
            {"alternative_images": {"i": {**BASE, "selection_criteria": {"host_uuid": "x"}}}},
            "/alternative_images/i/selection_criteria/host_uuid",
            "host_uuids",
        ),
        (
            {"alternative_images": {"i": {**BASE, "selection_criteria": {"host_hardware_spec": {"model": 1}}}}},
            "/alternative_images/i/selection_criteria/host_hardware_spec/model",
            "models",
        ),
    ],
)
def test_an_unknown_key_is_kept_and_is_a_warning(document: dict[str, Any], place: str, near: str) -> None:
    wanted = parsed(document)
    image = compose(small_stock().catalog(), attrs.evolve(wanted, base_image=BASE_VERSION))
    finding = the(validate(image).findings, "spec-key-unknown")

    assert (finding.severity, finding.items) == (Severity.WARNING, (place,))
    assert (finding.fact("place"), finding.fact("near")) == (place, near)
    assert finding.remedy == (f"did you mean {near}?" if near else "take it out, unless another program needs it")
    assert parse_software_spec(render_software_spec(wanted), where="x") == wanted
    assert place.rpartition("/")[2] in render_software_spec(wanted).decode()


@pytest.mark.parametrize(
    "document",
    [
        {"display_name": "mine", "base_image": {"version": G, "details": {"display_version": "7.0 U3g"}}},
        {"components": {"net-acme": {"version": "1.0-1", "details": {"vendor": "Acme"}}}},
        {"removed_components": ["x"], "alternative_images": None, "hardware_support": None, "solutions": None},
        {"alternative_images": {"i": {**BASE, "display_name": "I", "selection_criteria": CRITERIA}}},
    ],
)
def test_keys_of_the_info_form_and_of_later_releases_are_known(document: dict[str, Any]) -> None:
    wanted = attrs.evolve(parsed(document), base_image=BASE_VERSION)
    image = compose(small_stock().catalog(), wanted)

    assert wanted.unknown_keys == ()
    assert "spec-key-unknown" not in codes(validate(image).findings)


@pytest.mark.parametrize(("key", "near"), [("ad_on", "add_on"), ("remove_components", "removed_components")])
def test_the_command_line_says_so_too(tmp_path: Path, capsys: pytest.CaptureFixture[str], key: str, near: str) -> None:
    path = tmp_path / "image.json"
    path.write_text(json.dumps({**BASE, key: None}), encoding="utf-8")
    outcome = Runner(capsys)("build", "--depot", U3G, "--spec", path)

    assert outcome.code == 0
    assert "spec-key-unknown" in outcome.out
    assert f"did you mean {near}?" in outcome.out


@pytest.mark.parametrize("path", sorted((FIXTURES / "specs").iterdir()), ids=lambda path: path.stem)
def test_no_known_spec_has_an_unknown_key(path: Path) -> None:
    wanted = read_software_spec(path)

    assert wanted.unknown_keys == ()
    assert parse_software_spec(render_software_spec(wanted), where="x") == wanted


# Lossless, also in solutions and alternative images


@pytest.mark.parametrize(
    "document",
    [
        {"solutions": {"ha": {"version": "1", "components": [{"component": "fdm", "reason": "x"}]}}},
        {"solutions": {"a/b": {"version": "", "components": [{"component": "a"}, {"component": "b", "n": [None]}]}}},
        {"alternative_images": {"i": {**BASE, "solutions": {"ha": SOLUTION | {"acme": 1}}, "later": None}}},
        {"alternative_images": {"i": {**BASE, "display_name": "I", "selection_criteria": CRITERIA | {"x": {}}}}},
    ],
)
def test_what_stands_anywhere_comes_back(document: dict[str, Any]) -> None:
    again = json.loads(render_software_spec(parsed(document)))

    assert {key: again[key] for key in document} == document


@pytest.mark.parametrize("gone", ["components", "add_on", "solutions"])
def test_a_key_beside_something_goes_with_it(gone: str) -> None:
    """A spec without the component has no unknown key of it either, and no component that nobody asked for."""
    wanted = parsed(
        {
            "components": {"net-acme": {"version": "1.0-1", "reason": "hcl"}},
            "add_on": {"name": "a", "version": "1", "reason": "hcl"},
            "solutions": {"ha": {"version": "1", "components": [{"component": "fdm", "reason": "hcl"}]}},
        }
    )
    empty: Any = None if gone == "add_on" else ()
    again = json.loads(render_software_spec(attrs.evolve(wanted, **{gone: empty})))

    assert again[gone] is None
    assert render_software_spec(wanted).count(b"reason") == 3


# Alternative images


@pytest.mark.parametrize("text", ["[]", "nonsense"])
def test_selection_criteria_are_an_object(text: str) -> None:
    with pytest.raises(ModelError):
        AlternativeImage(id="i", spec=make_spec(base_image=G), selection_criteria=text)


@pytest.mark.parametrize("document", [{"ad_on": None}, {"components": {"net-acme": {"version": "1.0-1", "x": 1}}}])
def test_a_suggestion_warns_of_the_specs_keys_too(document: dict[str, Any]) -> None:
    stock = shop(["7.0U3f", "7.0U3g"])
    stock.driver("net-acme", "1.0-1")
    wanted = attrs.evolve(parsed(document), base_image="7.0U3f")
    suggestion = recommend(stock.catalog(), wanted).latest

    assert suggestion is not None
    assert codes(suggestion.warnings) == ["spec-key-unknown"]


def test_an_image_by_hand_has_no_spec_to_judge() -> None:
    assert "spec-key-unknown" not in codes(validate(Image(name="i")).findings)
