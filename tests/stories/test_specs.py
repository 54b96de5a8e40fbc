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
from support.memory_catalogs import ADD_ON, BASE_VERSION, Stock, component_ids, spec
from support.release_catalogs import DELL, LPFC, codes, shop, the, version_of

from esximage_builder.authoring.depot import AuthoredVibStore
from esximage_builder.depot.documents import read_software_spec, write_software_spec
from esximage_builder.depot.opening import open_depot
from esximage_builder.documents.software_spec import parse_software_spec, render_software_spec
from esximage_builder.errors import ComposeError, MalformedDocumentError, ModelError, NotInDepotError
from esximage_builder.export.lock import make_lock
from esximage_builder.findings import Severity
from esximage_builder.models.image import Image, UnitChoice
from esximage_builder.models.spec import AlternativeImage, SoftwareSpec
from esximage_builder.models.vib import VibFile
from esximage_builder.rules.compose import compose, image_from_profile
from esximage_builder.rules.compose_all import compose_all
from esximage_builder.rules.lock import image_of_lock
from esximage_builder.rules.plain_spec import make_spec
from esximage_builder.rules.recommend import recommend
from esximage_builder.rules.validate import validate
from esximage_builder.versions import AddOnVersion
from esximage_builder.vocabulary import ComponentSource

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


# Handing a spec on


def test_what_is_written_of_an_image_has_versions(tmp_path: Path) -> None:
    path = tmp_path / "image.json"
    with open_depot(U3F, U3G, A08) as depot:
        for release in ("7.0U3f", "7.0U3g"):
            image = compose(depot, base_image=release, add_on="ACME-AddOn", components={"Intel-i40en": None})
            write_software_spec(image, path, overwrite=True)

            assert "7.0U3" not in path.read_text(encoding="utf-8")
            assert image.base_image is not None
            assert written(path)["base_image"] == {"version": image.base_image.version.text}
            (driver,) = (entry for entry in image.components if entry.component.name == "Intel-i40en")
            assert written(path)["components"] == {"Intel-i40en": driver.component.version.text}
            assert written(path)["add_on"] == {"name": "ACME-AddOn", "version": "703.20328353.A08"}
            assert compose(depot, read_software_spec(path)).digest == image.digest


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (make_spec(base_image="7.0U3g"), "/base_image/version: '7.0U3g'"),
        (make_spec(base_image="8.0 Update 3"), "/base_image/version: '8.0 Update 3'"),
        (make_spec(base_image=BASE_VERSION, components=["net-acme"]), "/components/net-acme: null"),
        (
            SoftwareSpec(
                base_image=BASE_VERSION,
                alternative_images=[AlternativeImage(id="i/1", spec=make_spec(base_image="7.0U3f"))],
            ),
            "/alternative_images/i~11/base_image/version: '7.0U3f'",
        ),
    ],
)
def test_a_spec_that_nobody_else_could_resolve_is_not_written(tmp_path: Path, wanted: SoftwareSpec, found: str) -> None:
    with pytest.raises(ModelError) as caught:
        write_software_spec(wanted, tmp_path / "image.json")

    assert caught.value.found == found
    assert "catalog" in caught.value.hint
    assert "keep_open=True" in caught.value.hint
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("release", ["7.0U3f", "7.0U3g"])
def test_a_catalog_resolves_a_spec_and_its_alternatives(tmp_path: Path, release: str) -> None:
    path, stock = tmp_path / "image.json", shop(["7.0U3f", "7.0U3g"])
    other = AlternativeImage(id="i", spec=make_spec(base_image=release, components=[LPFC]))
    wanted = attrs.evolve(make_spec(base_image="7.0U3g", components=[LPFC]), alternative_images=[other])
    write_software_spec(wanted, path, catalog=stock.catalog())

    highest = max(part.version for part in stock.components if part.name == LPFC).text
    assert written(path)["base_image"] == {"version": version_of("7.0U3g")}
    assert written(path)["components"] == {LPFC: highest}
    assert written(path)["alternative_images"] == {
        "i": {"base_image": {"version": version_of(release)}, "components": {LPFC: highest}}
    }


@pytest.mark.parametrize("release", ["7.0U3f", "7.0U3g"])
def test_versions_stay_open_on_request_but_never_a_release_name(tmp_path: Path, release: str) -> None:
    path, catalog = tmp_path / "image.json", shop(["7.0U3f", "7.0U3g"]).catalog()
    wanted = make_spec(base_image=release, components=[LPFC])
    for given, loaded in ((wanted, catalog), (compose(catalog, wanted), None)):
        write_software_spec(given, path, catalog=loaded, keep_open=True, overwrite=True)
        assert written(path)["base_image"] == {"version": version_of(release)}
        assert written(path)["components"] == {LPFC: None}
    with pytest.raises(ModelError):
        write_software_spec(wanted, path, keep_open=True)


@pytest.mark.parametrize("version", ["9.0.2-0.25148076", "9.0.2.0.25148076"])
def test_a_version_keeps_its_spelling(tmp_path: Path, version: str) -> None:
    path = tmp_path / "image.json"
    write_software_spec(compose(shop(["9.0.2"]).catalog(), base_image=version), path)

    assert written(path)["base_image"] == {"version": version}


@pytest.mark.parametrize("name", ["net-acme", "other"])
def test_a_component_that_is_asked_for_and_removed_has_a_version_too(tmp_path: Path, name: str) -> None:
    stock, path = small_stock(), tmp_path / "image.json"
    stock.driver("other", "2.0-1")
    image = compose(stock.catalog(), base_image=BASE_VERSION, components=[name], removed_components=[name])
    write_software_spec(image, path)

    assert written(path)["components"] == {name: "2.0-1"}


@pytest.mark.parametrize("name", ["one", "two"])
def test_an_image_without_spec_is_not_written_as_one(tmp_path: Path, name: str) -> None:
    stock = small_stock()
    stock.profile(name, [])

    with pytest.raises(ModelError, match="not composed from a spec"):
        write_software_spec(image_from_profile(stock.catalog(), name), tmp_path / "image.json")


# Packages and solutions without version


def unit_stock(kind: str, versions: list[str]) -> tuple[Stock, SoftwareSpec]:
    """A stock with those versions of a package or solution, and a spec that names none of them."""
    stock = small_stock()
    package, solution = stock.package("unit"), stock.solution("unit", {"net-acme": ["1.0-1"]})
    stock.hardware_support = [
        attrs.evolve(stock.hardware_support[0], version=AddOnVersion(text)) for text in versions
    ] * (kind == "package")
    stock.solutions = [attrs.evolve(stock.solutions[0], version=AddOnVersion(text)) for text in versions] * (
        kind == "solution"
    )
    wanted = spec(
        packages=[attrs.evolve(package, version="")] * (kind == "package"),
        solutions=[attrs.evolve(solution, version="")] * (kind == "solution"),
    )
    return stock, wanted


def _units(image: Image) -> list[str]:
    return [package.id for package in image.hardware_support] + [solution.id for solution in image.solutions]


each_kind = pytest.mark.parametrize(
    ("kind", "source"),
    [("package", ComponentSource.HARDWARE_SUPPORT_PACKAGE), ("solution", ComponentSource.SOLUTION)],
)


@each_kind
@pytest.mark.parametrize("version", ["1.0", "2024.1"])
def test_an_open_version_is_the_only_loaded_one(kind: str, source: ComponentSource, version: str) -> None:
    stock, wanted = unit_stock(kind, [version])
    image = compose(stock.catalog(), wanted)

    assert _units(image) == [f"unit:{version}"]
    assert image.unit_choices == (UnitChoice(source=source, name="unit", version=version, loaded=[version]),)
    finding = the(validate(image).findings, "unit-version-taken")
    assert (finding.severity, finding.items) == (Severity.INFO, (f"unit:{version}",))


@each_kind
@pytest.mark.parametrize("versions", [["1.0", "2.0"], ["9", "10", "11"]])
def test_of_several_open_versions_the_highest_is_taken(kind: str, source: ComponentSource, versions: list[str]) -> None:
    stock, wanted = unit_stock(kind, versions)
    image = compose(stock.catalog(), wanted)

    assert _units(image) == [f"unit:{versions[-1]}"]
    assert image.unit_choices == (UnitChoice(source=source, name="unit", version=versions[-1], loaded=versions),)
    finding = the(validate(image).findings, "unit-version-taken")
    assert all(version in finding.cause for version in versions)


@each_kind
def test_an_open_version_of_which_none_is_loaded_is_an_error(kind: str, source: ComponentSource) -> None:
    stock, wanted = unit_stock(kind, [])
    image = compose(stock.catalog(), wanted)

    assert (image.hardware_support, image.solutions) == ((), ())
    assert image.unit_choices == (UnitChoice(source=source, name="unit"),)
    assert the(validate(image).errors, "unit-version-open").items == ("unit",)


@each_kind
@pytest.mark.parametrize("version", ["1.0", "2024.1"])
def test_the_version_that_was_taken_is_written_and_locked(
    tmp_path: Path, kind: str, source: ComponentSource, version: str
) -> None:
    """A lock and a spec that is handed on mean the same image where a second version is loaded."""
    stock, wanted = unit_stock(kind, [version])
    stock.vibs = [vib.with_file(VibFile(sha256="0" * 64, size_bytes=1)) for vib in stock.vibs]
    image, path = compose(stock.catalog(), wanted), tmp_path / "image.json"
    write_software_spec(image, path)
    lock = make_lock(image, AuthoredVibStore([]))  # every digest is known
    units: Any = stock.hardware_support if kind == "package" else stock.solutions
    units.append(attrs.evolve(units[0], version=AddOnVersion("3000")))

    assert image.unit_choices[0].source is source
    for again in (
        compose(stock.catalog(), read_software_spec(path)),
        image_of_lock(stock.catalog(), lock),
    ):
        assert _units(again) == [f"unit:{version}"]
        assert again.digest == image.digest


@each_kind
def test_a_version_that_stays_open_is_not_written(tmp_path: Path, kind: str, source: ComponentSource) -> None:
    stock, wanted = unit_stock(kind, [])
    image, path = compose(stock.catalog(), wanted), tmp_path / "image.json"
    with pytest.raises(ModelError, match="leaves versions open"):
        write_software_spec(image, path)
    write_software_spec(image, path, keep_open=True)

    assert image.unit_choices[0].source is source
    assert read_software_spec(path) == wanted


# Packages that declare base images


@pytest.mark.parametrize(
    ("release", "declared", "cause"),
    [
        ("7.0U3g", ["8.0"], "it is for ESXi 8.0 (declared: 8.0), the base image is ESXi 7.0.3"),
        (
            "8.0U3",
            ["7.0.3", "7.0.2"],
            "it is for ESXi 7.0.2, 7.0.3 (declared: 7.0.3, 7.0.2), the base image is ESXi 8.0.3",
        ),
        ("7.0U3g", [version_of("7.0U3f")], f"the release train is right, but it declares only {version_of('7.0U3f')}"),
    ],
)
def test_a_package_for_other_base_images_is_refused(release: str, declared: list[str], cause: str) -> None:
    stock = shop([release])
    package = stock.package("firmware", supported_base_images=declared)
    image = compose(stock.catalog(), spec(base_image=version_of(release), packages=[package]))
    finding = the(validate(image).errors, "package-base-unsupported")

    assert finding.cause == cause
    assert finding.fact("package") == "firmware:1.0"


@pytest.mark.parametrize(
    ("release", "declared"),
    [("7.0U3g", ["7.0.3"]), ("8.0U3", ["7.0.3", "8.0.*"]), ("8.0U3", []), ("9.0.2", [">=9.0,<9.1"])],
)
def test_a_package_for_the_base_image_or_for_none_is_welcome(release: str, declared: list[str]) -> None:
    stock = shop([release])
    package = stock.package("firmware", supported_base_images=declared)
    image = compose(stock.catalog(), spec(base_image=version_of(release), packages=[package]))

    assert validate(image).findings == ()


# Components of solutions


def solution_stock() -> tuple[Stock, Any]:
    stock = small_stock()
    reference = stock.solution("nsx", {"agent": ["1.0-1"], "net-acme": [], "vsip": ["2.0-1"]})
    for name, version in (("agent", "1.0-1"), ("vsip", "2.0-1")):
        stock.driver(name, version)
    return stock, reference


@pytest.mark.parametrize(
    ("named", "expected"),
    [
        ((), ["agent:1.0-1", "net-acme:2.0-1", "vsip:2.0-1"]),
        (("vsip",), ["vsip:2.0-1"]),
        (("net-acme", "agent"), ["agent:1.0-1", "net-acme:2.0-1"]),
    ],
)
def test_of_a_solution_the_spec_takes_what_it_names(named: tuple[str, ...], expected: list[str]) -> None:
    stock, reference = solution_stock()
    image = compose(stock.catalog(), spec(solutions=[attrs.evolve(reference, components=named)]))

    assert component_ids(image) == (f"ESXi:{BASE_VERSION}", *expected)
    assert validate(image).findings == ()


@pytest.mark.parametrize("name", ["vsipp", "fdm"])
def test_what_a_solution_does_not_have_is_an_error(name: str) -> None:
    stock, reference = solution_stock()
    image = compose(stock.catalog(), spec(solutions=[attrs.evolve(reference, components=("agent", name))]))
    finding = the(validate(image).errors, "solution-component-unlisted")

    assert finding.items == (name, "nsx:1.0")
    assert finding.cause == "the solution's components are agent, net-acme, vsip"


@pytest.mark.parametrize(
    ("accepted", "shown"),
    [([], "fdm:any version"), (["1.0-1"], "fdm:1.0-1"), (["1.0-1", "2.0-1"], "fdm:1.0-1 or 2.0-1")],
)
def test_a_component_of_a_solution_that_is_not_loaded_is_missing(accepted: list[str], shown: str) -> None:
    stock = small_stock()
    reference = stock.solution("ha", {"fdm": accepted})
    image = compose(stock.catalog(), spec(solutions=[reference]))
    finding = the(validate(image).errors, "component-missing")

    assert finding.items == (shown,)
    assert finding.cause == "the solution lists it"


@pytest.mark.parametrize(("accepted", "overridden"), [([], []), (["1.0-1", "2.0-1"], ["fdm:2.0-1"])])
def test_the_user_may_bring_what_a_solution_misses(accepted: list[str], overridden: list[str]) -> None:
    stock = small_stock()
    reference = stock.solution("ha", {"fdm": accepted})
    if accepted:
        stock.driver("fdm", "3.0-1")
        image = compose(stock.catalog(), spec({"fdm": "3.0-1"}, solutions=[reference]))
        entry = next(entry for entry in image.components if entry.component.name == "fdm")
        assert [str(lost.component) for lost in entry.overridden] == overridden
    else:
        image = compose(stock.catalog(), spec(solutions=[reference], removed=["fdm"]))
        assert [entry.removed for entry in image.removed] == [()]

    assert image.missing_components == ()


# Alternative images


def with_alternatives(*releases: str) -> SoftwareSpec:
    """A spec of 7.0 U3g with one alternative image for each release, named after it."""
    return attrs.evolve(
        make_spec(base_image="7.0U3g"),
        alternative_images=[
            AlternativeImage(
                id=release,
                spec=make_spec(base_image=release),
                display_name=f"for {release}",
                selection_criteria=json.dumps(CRITERIA),
            )
            for release in releases
        ],
    )


@pytest.mark.parametrize("releases", [("7.0U3f",), ("8.0U3", "9.0.2")])
def test_each_alternative_image_is_composed(releases: tuple[str, ...]) -> None:
    catalog, wanted = shop(["7.0U3g", *releases]).catalog(), with_alternatives(*releases)
    main, *others = compose_all(catalog, wanted, name="mine")

    assert (main.id, main.display_name, main.selection_criteria, main.image.name) == ("", "", "", "mine")
    assert main.image.digest == compose(catalog, wanted).digest
    assert validate(main.image).findings == ()
    assert [(other.id, other.display_name) for other in others] == [(name, f"for {name}") for name in releases]
    for other in others:
        assert json.loads(other.selection_criteria) == CRITERIA
        assert other.image.digest == compose(catalog, base_image=other.id).digest


@pytest.mark.parametrize("releases", [("7.0U3f",), ("8.0U3", "9.0.2")])
def test_the_main_image_alone_names_those_it_leaves_out(releases: tuple[str, ...]) -> None:
    image = compose(shop(["7.0U3g"]).catalog(), with_alternatives(*releases))
    finding = the(validate(image).findings, "alternative-images-not-composed")

    assert (finding.severity, finding.items) == (Severity.WARNING, releases)
    assert all(release in finding.message for release in releases)


@pytest.mark.parametrize("release", ["7.0U3f", "8.0U3"])
def test_what_an_alternative_image_lacks_says_which_it_is(release: str) -> None:
    with pytest.raises(NotInDepotError) as caught:
        compose_all(shop(["7.0U3g"]).catalog(), with_alternatives(release))

    assert caught.value.where == f"#/alternative_images/{release}"


@pytest.mark.parametrize("text", ["[]", "nonsense"])
def test_selection_criteria_are_an_object(text: str) -> None:
    with pytest.raises(ModelError):
        AlternativeImage(id="i", spec=make_spec(base_image=G), selection_criteria=text)


# Plain arguments


@pytest.mark.parametrize(("text", "pair"), [(":".join(ADD_ON), ADD_ON), (f" {ADD_ON[0]} : A09 ", (ADD_ON[0], "A09"))])
def test_an_add_on_as_one_text(text: str, pair: tuple[str, str]) -> None:
    stock = small_stock()
    for release in (ADD_ON, (ADD_ON[0], "A09")):
        stock.add_on(release=release)
    image = compose(stock.catalog(), base_image=BASE_VERSION, add_on=text)

    assert image == compose(stock.catalog(), base_image=BASE_VERSION, add_on=pair)
    assert image.spec == make_spec(base_image=BASE_VERSION, add_on=text)
    assert image.unit_choices == ()


A08_NAME, A09_NAME, U3_8_A02 = "703.20328353-A08", "703.20328353-A09", "803.24280767-A02"


@pytest.mark.parametrize(
    ("release", "loaded", "taken"),
    [
        ("7.0U3g", [A08_NAME], A08_NAME),
        ("7.0U3g", [A09_NAME, A08_NAME, U3_8_A02], A09_NAME),
        ("8.0U3b", [A09_NAME, A08_NAME, U3_8_A02], U3_8_A02),
        ("8.0U3b", [A09_NAME, A08_NAME], A09_NAME),
    ],
)
def test_an_add_on_by_its_name_alone(release: str, loaded: list[str], taken: str) -> None:
    """The highest that goes with the base image, else the highest, and validation says the rest."""
    stock = shop([release], loaded)
    image = compose(stock.catalog(), base_image=release, add_on=DELL)
    findings = validate(image, stock.catalog()).findings

    assert image.add_on is not None
    assert image.add_on.version.text == taken
    assert str(image.spec.add_on if image.spec else None) == f"{DELL}:{taken}"
    assert [(choice.version, choice.loaded) for choice in image.unit_choices] == [(taken, tuple(sorted(loaded)))]
    assert the(findings, "unit-version-taken").severity is Severity.INFO
    assert ("add-on-base-unsupported" in codes(findings)) == (taken[0] != release[0])


@pytest.mark.parametrize(("add_on", "error"), [("ACME", NotInDepotError), (":1", ModelError), (7, ModelError)])
def test_an_add_on_that_is_none(add_on: Any, error: type[Exception]) -> None:
    with pytest.raises(error):
        compose(shop(["7.0U3g"], [A08_NAME]).catalog(), base_image="7.0U3g", add_on=add_on)


@pytest.mark.parametrize("add_on", ["ACME", "ACME:"])
def test_a_spec_without_catalog_needs_the_add_ons_version(add_on: str) -> None:
    with pytest.raises(ModelError, match="the add-on has no version"):
        make_spec(base_image=BASE_VERSION, add_on=add_on)


@pytest.mark.parametrize(("base", "add_on"), [(U3F, A08), (U3G, A09)])
def test_depots_are_taken_where_catalogs_are_and_lists_where_paths_are(base: Path, add_on: Path) -> None:
    with open_depot([base, str(add_on)]) as depot, open_depot(base, [add_on]) as same:
        release = depot.catalog.base_images[0].version.text
        image = compose(depot, base_image=release, add_on="ACME-AddOn")

        assert depot.catalog == same.catalog
        assert image == compose(same.catalog, base_image=release, add_on="ACME-AddOn")
        assert validate(image, depot) == validate(image, depot.catalog)
        name = depot.catalog.profiles[0].name
        assert image_from_profile(depot, name) == image_from_profile(depot.catalog, name)
        assert [one.image for one in compose_all(depot, make_spec(base_image=release))] == [
            compose(depot, base_image=release)
        ]


@pytest.mark.parametrize("sources", [([],), ([], []), (7,), ([U3G, None],), (b"x.zip",)])
def test_what_is_no_path_is_no_source(sources: tuple[Any, ...]) -> None:
    with pytest.raises(ModelError):
        open_depot(*sources)


@pytest.mark.parametrize("loaded", ["depot.zip", None])
def test_what_is_no_catalog_says_what_to_give(loaded: Any) -> None:
    with pytest.raises(ModelError) as caught:
        compose(loaded, base_image=G)

    assert caught.value.expected == "an opened depot, or its catalog"


@pytest.mark.parametrize(("base", "add_on"), [(U3F, A08), (U3G, A09)])
def test_the_command_line_takes_an_add_on_by_name(capsys: pytest.CaptureFixture[str], base: Path, add_on: Path) -> None:
    options = ("--depot", base, add_on, "--base", base.name[12:18], "--add-on", "ACME-AddOn")
    built, moved = Runner(capsys)("build", *options), Runner(capsys)("recommend", *options)

    assert built.code == moved.code == 0
    assert f"unit-version-taken: the add-on ACME-AddOn was asked for without version: {add_on.name[16:32]}" in built.out


@pytest.mark.parametrize("document", [{"ad_on": None}, {"components": {"net-acme": {"version": "1.0-1", "x": 1}}}])
def test_a_suggestion_warns_of_the_specs_keys_too(document: dict[str, Any]) -> None:
    stock = shop(["7.0U3f", "7.0U3g"])
    stock.driver("net-acme", "1.0-1")
    wanted = attrs.evolve(parsed(document), base_image="7.0U3f")
    suggestion = recommend(stock.catalog(), wanted).latest

    assert suggestion is not None
    assert codes(suggestion.warnings) == ["spec-key-unknown"]


@pytest.mark.parametrize("removed", ["ESXi", "esx-update"])
def test_a_spec_that_contradicts_itself_is_not_written(tmp_path: Path, removed: str) -> None:
    wanted = make_spec(base_image="7.0U3g", removed_components=[removed])

    with pytest.raises(ComposeError):
        write_software_spec(wanted, tmp_path / "image.json", catalog=shop(["7.0U3g"]).catalog())


def test_an_image_by_hand_has_no_spec_to_judge() -> None:
    assert "spec-key-unknown" not in codes(validate(Image(name="i")).findings)
