"""Images that look right and are not: the core set, two systems in one image, trains, and small things.

Version strings of releases and of vendors' add-ons are real ones, contents are invented.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import pytest
from support.memory_catalogs import (
    BASE_VERSION,
    Stock,
    component,
    esx_base,
    installed_ids,
    platforms,
    reserved_reasons,
    vib,
)
from support.release_catalogs import codes, the

from esximage_builder.errors import ComposeError, NotInDepotError
from esximage_builder.models.vib import HardwarePlatform
from esximage_builder.rules.compose import compose
from esximage_builder.rules.explain import explain_findings
from esximage_builder.rules.releases import resolve_base_image
from esximage_builder.rules.validate import validate
from esximage_builder.versions import AddOnVersion

if TYPE_CHECKING:
    from esximage_builder.findings import Finding
    from esximage_builder.models.image import Image

U3G, U3E_8, V9 = "7.0.3-0.55.20328353", "8.0.3-0.70.24674464", "9.0.2-0.25148076"
HOST, DPU = platforms("embeddedEsx 8.0"), platforms("esxio 8.0")
BOTH = (*HOST, *DPU)
CORE = "core-component-overridden"


def findings(image: Image, stock: Stock) -> tuple[Finding, ...]:
    return validate(image, stock.catalog()).findings


def built(stock: Stock, *names: str, version: str) -> Image:
    """The base image with these components, each in its highest version."""
    return compose(stock.catalog(), base_image=version, components=names)


# The core set


def core_stock(version: str, *extra: Any) -> Stock:
    """A base image whose core set is ESXi and esx-update, with VIBs that are released with it and one that is not."""
    stock = Stock()
    stock.component("ESXi", version, esx_base(version), vib("vsan", version), vib("esx-ui", "1.43.8-19798623"), *extra)
    stock.component("esx-update", version, vib("esx-update", version), vib("loadesx", version))
    stock.base_image(*stock.components, version=version)
    return stock


@pytest.mark.parametrize(
    ("version", "later"), [(BASE_VERSION, U3G), (U3E_8, "8.0.3-0.102.25595708"), (V9, "9.0.2-0100.25200000")]
)
@pytest.mark.parametrize("name", ["esx-base", "esx-update", "loadesx", "vsan"])
def test_a_core_vib_of_another_patch_is_refused_whatever_component_brings_it(
    version: str, later: str, name: str
) -> None:
    stock = core_stock(version)
    brought = esx_base(later) if name == "esx-base" else vib(name, later)
    stock.component("Acme-hotfix", "1.0-1", brought)
    image = built(stock, "Acme-hotfix", version=version)

    found = the(findings(image, stock), CORE)
    assert {brought.id, "Acme-hotfix:1.0-1"} <= set(found.items)
    assert (found.fact("component"), found.fact("source")) == ("Acme-hotfix:1.0-1", "USER")
    report = validate(image, stock.catalog())
    assert not report.is_valid
    assert CORE not in codes(report.errors_except([CORE]))


@pytest.mark.parametrize(("version", "name"), [(BASE_VERSION, "esx-update"), (U3E_8, "loadesx"), (V9, "vsan")])
def test_a_vib_that_replaces_a_core_vib_is_refused(version: str, name: str) -> None:
    stock = core_stock(version)
    stock.driver("acme-tool", "4.2-1", replaces=(name,))
    image = built(stock, "acme-tool", version=version)

    found = the(findings(image, stock), CORE)
    assert "ACM_bootbank_acme-tool_4.2-1" in found.items
    assert name in found.message


def test_it_is_refused_too_if_the_add_on_brings_it() -> None:
    for version, add_on in ((BASE_VERSION, "703.1-1"), (U3E_8, "803.1-1")):
        stock = core_stock(version)
        stock.add_on(stock.driver("oem-kernel", "9-1", replaces=("esx-base",)), release=("OEM", add_on))
        image = compose(stock.catalog(), base_image=version, add_on=("OEM", add_on))
        assert the(findings(image, stock), CORE).fact("source") == "ADD_ON"


@pytest.mark.parametrize("name", ["ESXi", "esx-update"])
@pytest.mark.parametrize("by_add_on", [False, True])
def test_a_listed_core_component_is_not_removed_although_no_depot_has_it(name: str, *, by_add_on: bool) -> None:
    stock = Stock()
    stock.component("Base", U3G, esx_base(U3G))
    stock.base_image(stock.components[0], (name, U3G), ("ESXi", U3G), version=U3G)
    stock.add_on(release=("ACME", "703.1-1"), removed_components=[name] if by_add_on else [])
    image = compose(
        stock.catalog(),
        base_image=U3G,
        add_on=("ACME", "703.1-1"),
        removed_components=() if by_add_on else [name],
    )
    found = the(findings(image, stock), CORE)
    assert (found.fact("component"), found.items) == (f"{name}:{U3G}", (name, f"{name}:{U3G}"))


def test_a_component_is_core_by_the_ids_of_vibs_that_are_not_loaded() -> None:
    for vib_id in (f"VMware_bootbank_esx-base_{U3G}", f"VMware_bootbank_loadesx_{U3G}"):
        stock = Stock()
        stock.component("ESXi", U3G, esx_base(U3G))
        stock.components.append(component("Loader", "1.0-1", [vib_id]))
        stock.base_image(*stock.components, version=U3G)
        with pytest.raises(ComposeError, match="Loader"):
            compose(stock.catalog(), base_image=U3G, removed_components=["Loader"])


@pytest.mark.parametrize(
    "brought",
    [
        pytest.param(vib("esx-ui", "2.18.0-25191442"), id="a VIB of the set with versions of its own"),
        pytest.param(esx_base("7.0.3-0.35.19482537"), id="a lower one, which is not installed"),
        pytest.param(vib("net-acme", replaces=("esx-base << 7.0.0",)), id="it replaces older ones only"),
        pytest.param(vib("vsan-tools", U3G), id="a name of its own"),
    ],
)
def test_what_leaves_the_core_set_alone_is_admitted(brought: Any) -> None:
    stock = core_stock(U3G)
    stock.component("Acme", "1.0-1", brought)
    assert CORE not in codes(findings(built(stock, "Acme", version=U3G), stock))


def test_what_a_base_image_displaces_of_its_own_is_its_makers_matter() -> None:
    for own in (vib("esx-update", "8.0.3-0.71.24700000"), vib("hot-patch", replaces=("esx-update",))):
        stock = core_stock(U3E_8)
        stock.base_images.clear()
        stock.component("Patch", "1.0-1", own)
        stock.base_image(*stock.components, version=U3E_8)
        assert CORE not in codes(findings(built(stock, version=U3E_8), stock))


# Two systems in one image


def dpu_stock(*parts: Any, version: str = U3E_8) -> Stock:
    """A base image with a kernel for hosts and one for data processing units, and components of one VIB each."""
    stock = Stock()
    kernel = vib("esxio-base", version, software_platforms=DPU, provides=("dpu-api = 1.0", "vmkapi_2_13_0_0"))
    stock.component("ESXi", version, esx_base(version), kernel)
    stock.base_image(*stock.components, version=version)
    for part in parts:
        stock.component(f"{part.name}-{len(stock.components)}", "1.0-1", part)
    return stock


def of_all(*parts: Any) -> tuple[Image, Stock]:
    stock = dpu_stock(*parts)
    return built(stock, *(part.name for part in stock.components[1:]), version=U3E_8), stock


@pytest.mark.parametrize(
    ("needs", "meets", "is_met"),
    [
        (HOST, DPU, False), (DPU, HOST, False), (HOST, HOST, True), (DPU, DPU, True), (HOST, BOTH, True),
        (DPU, BOTH, True), (BOTH, HOST, False), (BOTH, DPU, False), (BOTH, BOTH, True), ((), DPU, False),
    ],
)  # fmt: skip
@pytest.mark.parametrize("need", ["acme-api", "acme-api = 2.0"])
def test_a_need_is_met_where_it_arises(needs: Any, meets: Any, need: str, *, is_met: bool) -> None:
    image, stock = of_all(
        vib("one", depends=(need,), software_platforms=needs),
        vib("two", provides=("acme-api = 2.0",), software_platforms=meets),
    )
    assert ("missing-dependency" in codes(findings(image, stock))) is not is_met


def test_a_vib_for_both_systems_is_asked_on_dpus_only_if_the_image_has_a_kernel_for_them() -> None:
    for need in ("vmkapi_2_9_0_0", "esx-version >= 7.0"):
        driver = vib("tool", depends=(need,), software_platforms=BOTH)
        image, stock = of_all(driver)
        found = the(findings(image, stock), "missing-dependency")
        assert "data processing units" in found.message
        stock = Stock()
        stock.base_image(version=U3E_8)
        stock.component("tool", "1.0-1", driver)
        assert validate(built(stock, "tool", version=U3E_8), stock.catalog()).is_valid


@pytest.mark.parametrize(
    ("one", "other", "meet"),
    [(HOST, DPU, False), (DPU, HOST, False), (DPU, DPU, True), (BOTH, DPU, True), (HOST, BOTH, True)],
)
@pytest.mark.parametrize(
    "relation", [{"conflicts": ("two",)}, {"conflicts": ("two >= 1.0",)}, {"files": ("usr/lib/two",)}]
)
def test_conflicts_and_files_are_of_one_system(one: Any, other: Any, relation: Any, *, meet: bool) -> None:
    image, stock = of_all(vib("one", software_platforms=one, **relation), vib("two", software_platforms=other))
    code = "conflict" if "conflicts" in relation else "file-conflict"
    assert (code in codes(findings(image, stock))) is meet


@pytest.mark.parametrize(("host", "dpu"), [("1.0-1", "2.0-1"), ("2.0-1", "1.0-1"), ("1.0-1", "1.0-1")])
def test_versions_of_one_name_live_side_by_side_on_two_systems(host: str, dpu: str) -> None:
    image, stock = of_all(
        vib("net", host, software_platforms=HOST), vib("net", dpu, vendor="DPU", software_platforms=DPU)
    )
    assert {f"ACM_bootbank_net_{host}", f"DPU_bootbank_net_{dpu}"} <= set(installed_ids(image))
    assert findings(image, stock) == ()


def test_a_vib_is_displaced_only_where_it_is_beaten_on_every_system() -> None:
    both, host, dpu = (
        vib("net", f"{number}.0-1", vendor=vendor, software_platforms=systems)
        for number, vendor, systems in ((2, "ONE", BOTH), (3, "TWO", HOST), (4, "TRE", DPU))
    )
    assert reserved_reasons(of_all(both, host, dpu)[0]) == {both.id: "lower-version"}
    image, stock = of_all(both, dpu)
    assert {both.id, dpu.id} <= set(installed_ids(image))
    assert the(findings(image, stock), "duplicate-vib-name").items == tuple(sorted((both.id, dpu.id)))
    lower = vib("net", "1.0-1", software_platforms=DPU)
    assert reserved_reasons(of_all(both, lower)[0]) == {lower.id: "lower-version"}


def test_a_vib_is_replaced_only_where_something_replaces_it_on_every_system() -> None:
    def new(name: str, systems: Any) -> Any:
        return vib(name, replaces=("old",), software_platforms=systems)

    for systems, winners, is_gone in (
        (HOST, [DPU], False), (DPU, [HOST], False), (BOTH, [DPU], False), (BOTH, [HOST, DPU], True),
        (BOTH, [BOTH], True), (HOST, [BOTH], True), (DPU, [DPU], True),
    ):  # fmt: skip
        old = vib("old", software_platforms=systems)
        image, stock = of_all(old, *(new(f"new{place}", winner) for place, winner in enumerate(winners)))
        assert (old.id in reserved_reasons(image)) is is_gone
        is_partly = systems == BOTH and not is_gone
        assert ("replaced-vib-present" in codes(findings(image, stock))) is is_partly


@pytest.mark.parametrize(("systems", "is_named"), [(HOST, True), (BOTH, True), (DPU, False)])
@pytest.mark.parametrize("other", ["2.0-1", "0.5-1"])
def test_what_may_take_the_place_of_a_driver_is_for_the_same_system(
    systems: Any, other: str, *, is_named: bool
) -> None:
    image, stock = of_all(vib("net", depends=("vmkapi_2_2_0_0",), tags=("PCIID 8086:1",)))
    stock.vibs.append(vib("other", other, tags=("PCIID 8086:1",), software_platforms=systems))
    groups = explain_findings(findings(image, stock), catalog=stock.catalog(), image=image)
    told = [text for group in groups for text in group.remedies]
    assert any(f"ACM_bootbank_other_{other}" in text for text in told) is is_named


# Small things


@pytest.mark.parametrize(("one", "two", "below"), [("1.0-1", "2.0-1", "3.0-1"), ("700.0.0-1", "703.1-1", "9.2-1")])
def test_a_lower_vib_under_a_higher_component_is_told(one: str, two: str, below: str) -> None:
    stock = Stock()
    stock.base_image(stock.component("Net", one, vib("net", below), vib("tool", "1.0-1")))
    stock.component("Net", two, vib("net", "2.1-1", vendor="OEM"), vib("tool", "1.1-1"))
    image = built(stock, "Net", version=BASE_VERSION)
    found = the(findings(image, stock), "vib-lowered")
    assert found.items == ("OEM_bootbank_net_2.1-1", f"ACM_bootbank_net_{below}")
    assert codes(findings(image, stock)) == ["vib-lowered"]


def test_a_lower_vib_after_a_removal_is_told() -> None:
    for name in ("VMware-lpfc", "Emulex-lpfc"):
        stock = Stock()
        stock.base_image(stock.component(name, "14.2-1", vib("lpfc", "14.2-1")))
        own = stock.component("OEM-lpfc", "15.0-1", vib("lpfc", "12.6-1", vendor="EMU"))
        stock.add_on(own, removed_components=[name], release=("ACME", "703.1-1"))
        image = compose(stock.catalog(), base_image=BASE_VERSION, add_on=("ACME", "703.1-1"))
        assert codes(findings(image, stock)) == ["vib-lowered"]


def test_of_two_vendors_vibs_of_one_version_none_is_called_lower() -> None:
    for vendors, version in ((("VMW", "EMU"), "14.0-1"), (("INT", "DEL"), "2.8.4.0-1OEM.700.1.0.15843807")):
        stock = Stock()
        stock.base_image(stock.component("Inbox", "1.0-1", vib("lpfc", version, vendor=vendors[0])))
        for place, vendor in enumerate(vendors):
            stock.component(f"Own{place}", "1.0-1", vib("lpfc", version, vendor=vendor))
        image = built(stock, "Own1", version=BASE_VERSION)
        assert reserved_reasons(image) == {f"{vendors[0]}_bootbank_lpfc_{version}": "same-version"}
        both = built(stock, "Own0", "Own1", version=BASE_VERSION)
        told = the(findings(both, stock), "pinned-vib-reserved")
        assert "highest" not in told.cause
        assert told.fact("reason") == "same-version"


@pytest.mark.parametrize("empty", ["", "*", " ", ".*"])
@pytest.mark.parametrize(("version", "other"), [(BASE_VERSION, "8.0"), (U3E_8, "7.0.*"), (V9, "6.7")])
def test_a_base_component_of_any_platform_does_not_switch_the_check_off(version: str, other: str, empty: str) -> None:
    stock = Stock()
    tools = stock.component("Tools", "1.0-1", vib("tools"), platforms=platforms(f"embeddedEsx {empty}"))
    stock.base_image(tools, version=version)
    stock.component("Driver", "1.0-1", vib("driver"), platforms=platforms(f"embeddedEsx {other}"))
    assert codes(findings(built(stock, "Driver", version=version), stock)) == ["platform-mismatch"]


@pytest.mark.parametrize(("mine", "yours"), [("two", "one"), ("two << 2.0", "one >= 1.0"), ("api", "one")])
def test_mutual_conflicts_are_one_finding(mine: str, yours: str) -> None:
    stock = Stock()
    stock.base_image(stock.driver("one", conflicts=(mine,)), stock.driver("two", conflicts=(yours,), provides=("api",)))
    found = the(findings(built(stock, version=BASE_VERSION), stock), "conflict")
    assert found.items == ("ACM_bootbank_one_1.0-1", "ACM_bootbank_two_1.0-1")
    assert mine in found.cause
    assert yours in found.cause


# Vendors


def machines(*vendors: str) -> list[HardwarePlatform]:
    return [HardwarePlatform(vendor, "any") for vendor in vendors]


@pytest.mark.parametrize(
    ("wanted", "is_mixed"),
    [
        ([["Dell Inc."], ["HPE"]], True),
        ([["LENOVO"], ["Cisco Systems Inc"], []], True),
        ([["Acme"], ["Globex"]], True),
        ([["Dell", "HPE"], ["HPE", "Lenovo"], ["Lenovo", "Dell"]], True),
        ([["Dell Inc."], ["Dell EMC"]], False),
        ([["HP"], ["Hewlett Packard Enterprise"], ["HPE"]], False),
        ([["Dell", "HPE"], ["HPE"]], False),
        ([["acme "], ["ACME"]], False),
        ([["Acme"], [], [""]], False),
        ([], False),
    ],
)
def test_machines_of_two_vendors_in_one_image_are_a_warning(wanted: list[list[str]], *, is_mixed: bool) -> None:
    stock = Stock()
    stock.base_image(
        *(stock.driver(f"tool{place}", hardware_platforms=machines(*names)) for place, names in enumerate(wanted))
    )
    report = validate(built(stock, version=BASE_VERSION), stock.catalog())
    assert codes(report.findings) == ["hardware-vendors-mixed"] * is_mixed
    assert report.is_valid


def test_machines_of_a_vib_for_dpus_are_no_hosts() -> None:
    for one, other in (("Dell", "HPE"), ("Acme", "Globex")):
        image, stock = of_all(
            vib("one", hardware_platforms=machines(one)),
            vib("two", hardware_platforms=machines(other), software_platforms=DPU),
        )
        assert findings(image, stock) == ()


@pytest.mark.parametrize(
    ("add_on", "vendor", "component", "publisher", "code", "is_mixed"),
    [
        ("DEL-ESXi", "Dell", "HPE-ilo", "Hewlett Packard Enterprise", "HPE", True),
        ("HPE-Custom-AddOn", "HPE", "dcism", "Dell Inc.", "DEL", True),
        ("LVO", "", "ilo-driver", "", "HPE", True),
        ("Custom-HPE-AddOn", "", "LVO-xclarity", "", "ACM", True),
        ("ACME-AddOn", "Acme", "dcism", "Dell", "DEL", True),
        ("DEL-ESXi", "Dell", "globex-agent", "Globex", "GLB", True),
        ("DEL-ESXi", "Dell EMC", "dcism", "Dell Inc.", "DEL", False),
        ("HPE-Custom-Syn-AddOn", "Hewlett Packard Enterprise", "amsd", "HPE", "HPE", False),
        ("DEL-ESXi", "Dell", "Broadcom-lpfc", "Broadcom", "EMU", False),
        ("DEL-ESXi", "Dell", "HPE-nhpsa", "VMware", "VMW", False),
        ("DEL-ESXi", "Dell", "HPE-nhpsa", "", "VMW", False),
        ("LVO", "Lenovo", "Intel-i40en", "Intel", "INT", False),
        ("Custom", "", "HPE-ilo", "HPE", "HPE", False),
    ],
)
def test_a_build_of_one_vendor_beside_the_add_on_of_another_is_a_warning(
    add_on: str, vendor: str, component: str, publisher: str, code: str, *, is_mixed: bool
) -> None:
    stock = Stock()
    stock.base_image()
    release = (add_on, "703.1-1")
    stock.add_on(stock.driver("agent"), release=release, vendor=vendor)
    stock.add_on(release=("Globex-AddOn", "703.1-1"), vendor="Globex")
    stock.component(component, "2.0-1", vib("part", vendor=code), vendor=publisher)
    image = compose(stock.catalog(), base_image=BASE_VERSION, add_on=release, components=[component])
    assert codes(findings(image, stock)) == ["vendors-mixed"] * is_mixed
    if is_mixed:
        assert the(findings(image, stock), "vendors-mixed").items == (f"{component}:2.0-1", f"{add_on}:703.1-1")


def test_what_the_base_image_and_the_add_on_bring_is_no_mix() -> None:
    for own, other in (("Dell", "HPE"), ("Lenovo", "Cisco")):
        stock = Stock()
        stock.base_image(stock.driver(f"{other}-plugin", vendor=other))
        stock.add_on(stock.driver(f"{other}-tool", vendor=other), release=("OEM", "703.1-1"), vendor=own)
        image = compose(stock.catalog(), base_image=BASE_VERSION, add_on=("OEM", "703.1-1"))
        assert findings(image, stock) == ()


# Trains


@pytest.mark.parametrize(
    ("name", "version", "wrong", "right"),
    [
        ("DEL-ESXi-702", "A05", "7.0.3-0.55.20328353", "7.0.2-0.0.17867351"),
        ("DEL-ESXi_803", "A02", "8.0.2-0.30.23305546", U3E_8),
        ("Cisco-UCS-Addon-ESXi-70U2-17630552", "4.2.2-a", U3G, "7.0.2-0.0.17630552"),
        ("LVO_8.0.3", "12.1", "8.0.0-1.0.20513097", "8.0.3-0.0.24022510"),
        ("FJT-Addon", "7.0.3-610.2", "6.7.0-0.0.8169922", U3G),
        ("NEC-Addon-910", "1.0-1", V9, "9.1.0.0.25370933"),
    ],
)
def test_an_add_on_is_refused_by_whatever_place_tells_its_train(
    name: str, version: str, wrong: str, right: str
) -> None:
    stock = Stock()
    stock.base_image(version=wrong)
    stock.base_image(version=right)
    stock.add_on(release=(name, version))
    images = [compose(stock.catalog(), base_image=base, add_on=(name, version)) for base in (wrong, right)]
    assert [codes(findings(image, stock)) for image in images] == [["add-on-base-unsupported"], []]


def test_the_build_in_an_add_ons_name_tells_what_it_was_published_with() -> None:
    for name, base in (("DEL-ESXi-702_17867351", "7.0.2-0.1.18538813"), ("ACME-ESXi-703_20036589", U3G)):
        stock = Stock()
        stock.base_image(version=base)
        stock.add_on(release=(name, "A05"))
        image = compose(stock.catalog(), base_image=base, add_on=(name, "A05"))
        assert codes(findings(image, stock)) == ["base-newer-than-add-on"]


@pytest.mark.parametrize(
    "ordered",
    [
        ["703_20328353-A08", "703.20328353.A09", "703_20328353.A10", "703_23794027-A24", "703.24784741.A25"],
        ["703.0.0.11.3.0-5", "703.0.0.11.3.5.9", "703.0.0.11.4.0.5", "703.0.0.11.4.0-6"],
        ["701.10.3", "LVO.803.12.1", "803.12.2", "8.0.3-LVO.803.12.10"],
    ],
    ids=["Dell", "HPE", "Lenovo"],
)
def test_a_vendors_spellings_order_with_each_other(ordered: list[str]) -> None:
    versions = [AddOnVersion(text) for text in ordered]
    assert all(lower < higher for lower, higher in itertools.pairwise(versions))
    for name in ("DEL-ESXi", "OEM"):
        stock = Stock()
        base = "8.0.3-0.0.24022510" if "803" in ordered[-1] else U3G
        stock.base_image(version=base)
        for text in ordered:
            stock.add_on(release=(name, text))
        image = compose(stock.catalog(), base_image=base, add_on=name)
        assert image.add_on is not None
        assert image.add_on.version.text == ordered[-1]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("703_20328353-A09", "703.20328353.A09"),
        ("803.24280767-A02", "DEL-ESXi-803_24280767-A02"),
        ("703.0.0.11.4.0-5", "703.0.0.11.4.0.5"),
        ("LVO.803.12.1", "8.0.3-LVO.803.12.1"),
    ],
)
def test_two_spellings_of_one_version_are_equal(one: str, other: str) -> None:
    assert AddOnVersion(one) == AddOnVersion(other)
    assert hash(AddOnVersion(one)) == hash(AddOnVersion(other))


@pytest.mark.parametrize("text", ["7.0U3ss", "7.0U3sgs", "8.0U3ses", "7.0 Update 3sis", "8.0sbs"])
def test_a_name_with_too_many_marks_finds_no_release(text: str) -> None:
    stock = Stock()
    for version, name in ((U3G, "7.0 U3sg"), ("7.0.3-0.130.24585291", "7.0 U3s"), (U3E_8, "8.0 U3se")):
        stock.base_image(version=version, display_version=f"{name} - {version.rpartition('.')[2]}")
    stock.base_image(version="7.0.3-0.65.20842708", display_version="7.0 U3si - 20842708")
    with pytest.raises(NotInDepotError):
        resolve_base_image(stock.catalog(), text)
