"""Stories of components, add-ons, packages and solutions that are asked for without version.

Each way in which the highest loaded version may not fit, with two sets of values at least; the joint
case; and what is said where nothing fits. Names and contents are invented.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import attrs
import pytest
from support.memory_catalogs import ADD_ON, BASE_VERSION, Stock, component_ids, payload, platforms, spec, vib
from support.release_catalogs import codes, the

from esximage_builder.findings import Severity
from esximage_builder.limits import SearchLimits
from esximage_builder.models.spec import AlternativeImage
from esximage_builder.rules.compose import compose
from esximage_builder.rules.compose_all import compose_all
from esximage_builder.rules.explain import explain_name
from esximage_builder.rules.validate import validate
from esximage_builder.versions import AddOnVersion
from esximage_builder.views.image import image_as_dict
from esximage_builder.views.report import render_text_report

if TYPE_CHECKING:
    from esximage_builder.models.image import EffectiveComponent, Image

U3_8 = "8.0.3-0.70.24674464"


def _entry(image: Image, name: str) -> EffectiveComponent:
    return next(entry for entry in image.components if entry.component.name == name)


def _passed(image: Image, name: str) -> list[tuple[str, list[str]]]:
    """What was passed over for a component, with the codes that say why."""
    entry = _entry(image, name)
    return [(passed.version, sorted({found.code for found in passed.findings})) for passed in entry.passed_over]


def _clean(image: Image, stock: Stock) -> bool:
    report = validate(image, stock.catalog())
    return report.is_valid and "platform-mismatch" not in codes(report.findings)


# The four ways


@pytest.mark.parametrize(
    ("base", "own", "other", "name"),
    [
        (BASE_VERSION, "embeddedEsx 7.0", "embeddedEsx 8.0", "Northwind-nic"),
        (U3_8, "embeddedEsx 8.*", "embeddedEsx 7.0.3", "qlf"),
        (BASE_VERSION, "embeddedEsx 7.*", "embeddedEsx 9.0", "Contoso-raid"),
    ],
)
def test_a_build_for_another_release_is_passed_over(base: str, own: str, other: str, name: str) -> None:
    """It names no driver interface at all: nothing but its platform tells."""
    stock = Stock()
    stock.base_image(version=base)
    stock.component(name, "1.4-1", vib("drv", "1.4-1"), platforms=platforms(own))
    stock.component(name, "2.0-1", vib("drv", "2.0-1"), platforms=platforms(other))
    image = compose(stock.catalog(), spec({name: None}, base_image=base))

    assert f"{name}:1.4-1" in component_ids(image)
    assert _passed(image, name) == [("2.0-1", ["platform-mismatch"])]
    assert _clean(image, stock)


@pytest.mark.parametrize(
    ("constraint", "base_driver", "name"),
    [("inbox-nic << 3.0", "inbox-nic", "Fabrikam-net"), ("lsi-msgpt", "lsi-msgpt", "Tailspin-sas")],
)
@pytest.mark.parametrize("who", ["the component", "the base image"])
def test_what_conflicts_with_the_base_is_passed_over(constraint: str, base_driver: str, name: str, who: str) -> None:
    stock = Stock()
    against: dict[str, Any] = {"conflicts": (constraint,)} if who == "the component" else {}
    of_base: dict[str, Any] = {} if against else {"conflicts": ("new-api",)}
    stock.base_image(stock.driver(base_driver, "2.2-1", **of_base))
    stock.driver(name, "5.0-1")
    stock.driver(name, "6.0-1", provides=("new-api",), **against)
    image = compose(stock.catalog(), spec({name: None}))

    assert f"{name}:5.0-1" in component_ids(image)
    assert _passed(image, name) == [("6.0-1", ["conflict"])]
    assert _clean(image, stock)


@pytest.mark.parametrize(("good", "bad"), [(["1.0-1"], ["2.0-1"]), (["7.5-1", "7.6-1"], ["8.0-1", "8.1-1"])])
def test_payloads_without_the_checksum_that_8_0_demands_are_passed_over(good: list[str], bad: list[str]) -> None:
    stock = Stock()
    for base in (U3_8, BASE_VERSION):
        stock.base_image(version=base)
    for version in good:
        stock.driver("Wingtip-hba", version)
    for version in bad:
        stock.driver("Wingtip-hba", version, payloads=[payload("wt", checksums=[])])
    image = compose(stock.catalog(), spec({"Wingtip-hba": None}, base_image=U3_8))
    on_seven = compose(stock.catalog(), spec({"Wingtip-hba": None}))

    assert f"Wingtip-hba:{good[-1]}" in component_ids(image)
    assert _passed(image, "Wingtip-hba") == [(version, ["missing-gunzip-checksum"]) for version in reversed(bad)]
    assert _clean(image, stock)
    assert f"Wingtip-hba:{bad[-1]}" in component_ids(on_seven)


@pytest.mark.parametrize("why", ["lower version", "replaced"])
@pytest.mark.parametrize(("api", "name"), [("acme-mgmt", "Acme-agent"), ("litware-api", "Litware-cim")])
def test_a_need_that_only_a_reserved_vib_meets_is_not_met(why: str, api: str, name: str) -> None:
    """The VIB that could meet it is brought, and then another one is installed in its place."""
    stock = Stock()
    old = vib("provider", "1.0-1", provides=(api,))
    new = vib("provider", "2.0-1") if why == "lower version" else vib("successor", "1.0-1", replaces=("provider",))
    stock.base_image(stock.component("Old-provider", "1.0-1", old), stock.component("New-provider", "1.0-1", new))
    stock.driver(name, "1.0-1")
    stock.driver(name, "2.0-1", depends=(api,))
    image = compose(stock.catalog(), spec({name: None}))

    assert f"{name}:1.0-1" in component_ids(image)
    assert _passed(image, name) == [("2.0-1", ["missing-dependency"])]
    assert _clean(image, stock)


# Together


def two_of_one_vendor(driver: str, tool: str, versions: tuple[str, str]) -> Stock:
    """A driver in two versions, and a tool that needs the lower one to the digit."""
    stock = Stock()
    stock.base_image()
    for version in versions:
        stock.driver(driver, version)
    stock.driver(tool, versions[0], depends=(f"{driver} = {versions[0]}",))
    return stock


@pytest.mark.parametrize(
    ("driver", "tool", "versions"),
    [("Mlx-nic", "Mlx-tool", ("4.19-1", "4.21-1")), ("zz-fc", "aa-fc-cli", ("12.8.340.9-1", "12.8.528.14-1"))],
)
def test_two_names_left_open_take_versions_that_go_together(driver: str, tool: str, versions: tuple[str, str]) -> None:
    stock = two_of_one_vendor(driver, tool, versions)
    image = compose(stock.catalog(), spec({driver: None, tool: None}))

    assert {f"{driver}:{versions[0]}", f"{tool}:{versions[0]}"} < set(component_ids(image))
    assert _passed(image, driver) == [(versions[1], ["missing-dependency"])]
    assert _clean(image, stock)
    finding = the(validate(image, stock.catalog()).findings, "loaded-version-not-taken")
    assert finding.items[0] == f"{driver}:{versions[1]}"
    assert f"requires {driver} = {versions[0]}" in finding.cause


@pytest.mark.parametrize(("first", "second"), [("alpha", "beta"), ("Beta-x", "Zeta-x")])
def test_the_name_that_comes_first_counts_for_more(first: str, second: str) -> None:
    """Either could give way: the later name does."""
    stock = Stock()
    stock.base_image()
    for version in ("1.0-1", "2.0-1"):
        stock.driver(first, version, conflicts=(f"{second} >= {version}",) if version == "2.0-1" else ())
        stock.driver(second, version)
    image = compose(stock.catalog(), spec({second: None, first: None}))

    assert {f"{first}:2.0-1", f"{second}:1.0-1"} < set(component_ids(image))
    assert [passed.beside for passed in _entry(image, second).passed_over] == [(f"{first}:2.0-1",)]


@pytest.mark.parametrize("length", [3, 8])
def test_a_chain_of_needs_is_followed_to_its_end(length: int) -> None:
    """Each needs its neighbour in its own version, and the last has no version above the fourth."""
    stock = Stock()
    stock.base_image()
    names = [f"link-{number:02}" for number in range(length)]
    for name, after in zip(names, [*names[1:], ""], strict=True):
        for version in range(1, 10 if after else 5):
            stock.driver(name, f"{version}.0-1", depends=(f"{after} = {version}.0-1",) if after else ())
    image = compose(stock.catalog(), spec(dict.fromkeys(names)))

    assert {f"{name}:4.0-1" for name in names} < set(component_ids(image))
    assert _clean(image, stock)


@pytest.mark.parametrize(("needs", "taken"), [("net-acme = 1.0-1", "1.0-1"), ("net-acme <= 2.0", "2.0-1")])
def test_what_is_named_counts_when_the_rest_is_chosen(needs: str, taken: str) -> None:
    """The version that is named needs a lower one of a name left open: an error without it, mended with it."""
    stock = Stock()
    stock.base_image()
    stock.driver("pinned", "1.0-1", depends=(needs,))
    for version in ("1.0-1", "2.0-1", "3.0-1"):
        stock.driver("net-acme", version)
    image = compose(stock.catalog(), spec({"pinned": "1.0-1", "net-acme": None}))

    assert f"net-acme:{taken}" in component_ids(image)
    assert _clean(image, stock)


@pytest.mark.parametrize("lacks", ["nothing-has-it", "gone >= 4"])
def test_an_error_that_is_there_anyhow_does_not_lower_the_rest(lacks: str) -> None:
    stock = Stock()
    stock.base_image()
    stock.driver("pinned", "1.0-1", depends=(lacks,))
    stock.driver("net-acme", "1.0-1")
    stock.driver("net-acme", "2.0-1")
    stock.driver("net-acme", "3.0-1", depends=("nobody",))
    image = compose(stock.catalog(), spec({"pinned": "1.0-1", "net-acme": None}))

    assert "net-acme:2.0-1" in component_ids(image)
    assert codes(validate(image).errors) == ["missing-dependency"]


# Add-ons, packages, solutions


@pytest.mark.parametrize(
    ("versions", "needs"), [(("703.1-A01", "703.1-A02"), "nowhere"), (("703-1", "703-2"), "x >= 9")]
)
def test_an_add_on_by_name_takes_the_version_that_fits(versions: tuple[str, str], needs: str) -> None:
    """The train alone does not decide: the higher one lacks something."""
    stock = Stock()
    stock.base_image()
    stock.add_on(stock.driver("drv", "1.0-1"), release=(ADD_ON[0], versions[0]))
    stock.add_on(stock.driver("drv", "2.0-1", depends=(needs,)), release=(ADD_ON[0], versions[1]))
    image = compose(stock.catalog(), base_image=BASE_VERSION, add_on=ADD_ON[0])

    assert image.add_on is not None
    assert image.add_on.version.text == versions[0]
    (choice,) = image.unit_choices
    assert [passed.version for passed in choice.passed_over] == [versions[1]]
    assert f"requires {needs}" in the(validate(image).findings, "unit-version-taken").cause


@pytest.mark.parametrize("core", ["ESXi", "esx-update"])
def test_an_add_on_that_takes_off_the_core_is_passed_over(core: str) -> None:
    stock = Stock()
    stock.base_image(stock.driver("esx-update", BASE_VERSION))
    stock.add_on(release=(ADD_ON[0], "703.1-A01"))
    stock.add_on(release=(ADD_ON[0], "703.1-A02"), removed_components=[core])
    image = compose(stock.catalog(), base_image=BASE_VERSION, add_on=ADD_ON[0])

    assert image.add_on is not None
    assert image.add_on.version.text == "703.1-A01"


@pytest.mark.parametrize("kind", ["package", "solution"])
@pytest.mark.parametrize(("low", "high"), [("1.0", "2.0"), ("9", "10")])
def test_packages_and_solutions_take_the_version_that_fits(kind: str, low: str, high: str) -> None:
    stock = Stock()
    stock.base_image()
    good, bad = stock.driver("agent", "1.0-1"), stock.driver("agent", "2.0-1", depends=("nobody",))
    if kind == "package":
        wanted = spec(packages=[attrs.evolve(stock.package("unit", bad), version="")])
        units: Any = stock.hardware_support
        other = attrs.evolve(units[0], components=[good.reference])
    else:
        wanted = spec(solutions=[attrs.evolve(stock.solution("unit", {"agent": ["2.0-1"]}), version="")])
        units = stock.solutions
        other = attrs.evolve(units[0], components=[attrs.evolve(units[0].components[0], versions=[good.version])])
    units[:] = [attrs.evolve(units[0], version=AddOnVersion(high)), attrs.evolve(other, version=AddOnVersion(low))]
    image = compose(stock.catalog(), wanted)

    assert [(choice.version, choice.loaded) for choice in image.unit_choices] == [(low, (low, high))]
    assert "agent:1.0-1" in component_ids(image)
    assert _clean(image, stock)


# Where nothing fits


@pytest.mark.parametrize(("driver", "tool"), [("Mlx-nic", "Mlx-tool"), ("qla", "aaa-cli")])
def test_one_finding_names_the_wishes_that_exclude_each_other(driver: str, tool: str) -> None:
    """Whoever else is asked for is not named, and takes the highest that fits."""
    stock = two_of_one_vendor(driver, tool, ("4.19-1", "4.21-1"))
    for version in ("1.0-1", "2.0-1", "3.0-1"):
        stock.driver("bystander", version, depends=("nobody",) if version == "3.0-1" else ())
    stock.driver("pinned", "1.0-1")
    image = compose(stock.catalog(), spec({driver: "4.21-1", tool: None, "bystander": None, "pinned": "1.0-1"}))
    findings = validate(image, stock.catalog()).findings

    finding = the(findings, "no-version-fits")
    assert finding.severity is Severity.ERROR
    assert set(finding.items) == {tool, f"{driver}:4.21-1"}
    assert finding.fact("names") == tool
    assert f"requires {driver} = 4.19-1" in finding.cause
    assert "bystander:2.0-1" in component_ids(image)
    assert codes(findings).count("no-version-fits") == 1


@pytest.mark.parametrize("names", [["one"], ["one", "two", "three"]])
def test_names_of_which_no_version_goes_with_the_base_are_one_finding(names: list[str]) -> None:
    stock = Stock()
    stock.base_image()
    for name in names:
        stock.driver(name, "1.0-1", depends=("vmkapi_2_13_0_0",))
        stock.driver(name, "2.0-1", depends=("vmkapi_3_0_0_0",))
    image = compose(stock.catalog(), spec(dict.fromkeys(names)))
    finding = the(validate(image, stock.catalog()).findings, "no-version-fits")

    assert sorted(finding.items) == sorted(names)
    assert {f"{name}:2.0-1" for name in names} < set(component_ids(image))
    assert f"the base image {BASE_VERSION}" in finding.cause
    assert any("No loaded version" in line for line in explain_name(image, names[0]))


@pytest.mark.parametrize("removed", ["tool", "library"])
def test_a_removal_is_a_wish_too(removed: str) -> None:
    stock = Stock()
    stock.base_image(stock.driver(removed, "1.0-1"))
    stock.driver("net-acme", "1.0-1", depends=(removed,))
    image = compose(stock.catalog(), spec({"net-acme": None}, removed=[removed]))
    finding = the(validate(image, stock.catalog()).findings, "no-version-fits")

    assert set(finding.items) == {"net-acme", removed}
    assert f"the removal of {removed}" in finding.cause


# Steps


@pytest.mark.parametrize("limits", [SearchLimits(images_judged=1), SearchLimits(versions_tried=2)])
def test_a_search_that_takes_too_long_stops_and_says_so(limits: SearchLimits) -> None:
    stock = two_of_one_vendor("Mlx-nic", "Mlx-tool", ("4.19-1", "4.21-1"))
    wanted = spec({"Mlx-nic": None, "Mlx-tool": None})
    image = compose(stock.catalog(), wanted, search_limits=limits)

    assert not image.is_searched
    assert "Mlx-nic:4.21-1" in component_ids(image)
    assert the(validate(image).findings, "open-versions-unsettled").severity is Severity.ERROR
    assert compose(stock.catalog(), wanted).is_searched


# What is shown


@pytest.mark.parametrize(("driver", "tool"), [("Mlx-nic", "Mlx-tool"), ("Emu-fc", "Emu-cli")])
def test_what_was_passed_over_is_shown(driver: str, tool: str) -> None:
    stock = two_of_one_vendor(driver, tool, ("4.19-1", "4.21-1"))
    image = compose(stock.catalog(), spec({driver: None, tool: None}))
    shown: Any = json.loads(json.dumps(image_as_dict(image)))

    assert [(entry["name"], entry["version"], entry["codes"]) for entry in shown["passed_over"]] == [
        (driver, "4.21-1", ["missing-dependency"])
    ]
    assert any("4.21-1 is loaded and higher" in line for line in explain_name(image, driver))
    text = render_text_report(image, validate(image, stock.catalog()))
    assert "Versions passed over" in text


@pytest.mark.parametrize("steps", [1, 2])
def test_the_bound_holds_for_alternative_images_too(steps: int) -> None:
    stock = two_of_one_vendor("Mlx-nic", "Mlx-tool", ("4.19-1", "4.21-1"))
    alternative = AlternativeImage(id="other", spec=spec({"Mlx-nic": None, "Mlx-tool": None}))
    wanted = attrs.evolve(spec(), alternative_images=[alternative])
    limits = SearchLimits(images_judged=steps)

    main, other = compose_all(stock.catalog(), wanted, search_limits=limits)
    assert (main.image.is_searched, other.image.is_searched) == (True, False)
    assert compose_all(stock.catalog(), wanted)[1].image.is_searched
