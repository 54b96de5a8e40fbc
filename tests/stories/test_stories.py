"""Stories of the people who maintain images, from depot to answer; each test carries its story's number.

Version strings of releases and add-ons are real ones, contents are invented. Stories about files
use the fixture depots, whose vendor Acme stands for a real one.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from support.memory_catalogs import Stock, esx_base, platforms, vib
from support.release_catalogs import BNXT, DELL, LPFC, base_image, codes, dell, part, shop, the, version_of

from esximage_builder.codes import Layer
from esximage_builder.depot.documents import read_software_spec
from esximage_builder.depot.opening import Depot, open_depot
from esximage_builder.documents.software_spec import render_software_spec
from esximage_builder.errors import ComposeError, NotInDepotError
from esximage_builder.export.bundle import export_bundle
from esximage_builder.findings import Severity
from esximage_builder.hosts.compliance import judge_host
from esximage_builder.models.host import Host, HostComponent
from esximage_builder.models.image import Image
from esximage_builder.models.spec import AddOnReference, SoftwareSpec
from esximage_builder.rules.classify import classify_images, classify_known, classify_releases
from esximage_builder.rules.compatibility import Verdict, judge_add_on, judge_component
from esximage_builder.rules.compose import compose, image_from_profile
from esximage_builder.rules.decompose import decompose, recognise
from esximage_builder.rules.diff import Impact, diff
from esximage_builder.rules.explain import explain_findings, explain_name
from esximage_builder.rules.recommend import recommend
from esximage_builder.rules.release_fit import check_removals
from esximage_builder.rules.releases import KNOWN_RELEASES, resolve_base_image
from esximage_builder.rules.validate import validate
from esximage_builder.versions import AddOnVersion, BaseImageVersion, ComponentVersion
from esximage_builder.vocabulary import AcceptanceLevel, ComponentSource

KNOWN = {release.name: release for release in KNOWN_RELEASES}
A02, A03 = "700.16324942-A02", "700.16324942-A03"
A08, A09, A24 = "703.20328353-A08", "703.20328353-A09", "703.23794027-A24"
U2_A03, U3_8_A02 = "702_17867351-A03", "803.24280767-A02"
ACME = "ACME-AddOn"


def custom(stock: Stock, release: str, add_on: str = "", **fields: Any) -> Image:
    """A custom image of a published release and one of Dell's add-ons."""
    return compose(stock.catalog(), base_image=version_of(release), add_on=(DELL, add_on) if add_on else None, **fields)


def open_fixtures(depots: Path, *parts: str) -> Depot:
    """The fixture depots whose names hold one of these parts."""
    return open_depot(*sorted(path for path in depots.iterdir() if any(part in path.name for part in parts)))


# Story S1, a custom image


def test_s01_custom_image() -> None:
    """7.0 U3f and Dell's A08: base image and add-on together, the add-on's higher driver wins and says so."""
    stock = shop(["7.0U3f"], [A08], supported_base_images=["7.0.3"])
    catalog = stock.catalog()
    image = custom(stock, "7.0U3f", A08)
    base, add_on = catalog.base_images[0], catalog.add_ons[0]

    names = {entry.component.name for entry in image.components}
    assert names == {reference.name for reference in (*base.components, *add_on.components)}
    (driver,) = (entry for entry in image.components if entry.component.name == BNXT)
    assert driver.component.version.text == "222.0.118.0-1OEM.700.1.0.15843807"
    assert driver.source is ComponentSource.ADD_ON
    assert [(str(lost.component), lost.source) for lost in driver.overridden] == [
        (f"{BNXT}:216.0.50.0-44vmw.703.0.0.1", ComponentSource.BASE_IMAGE)
    ]
    assert image.name == "ESXi-7.0U3f-20036589-DEL-ESXi-703.20328353-A08"
    assert image.acceptance_level is AcceptanceLevel.PARTNER
    assert validate(image, catalog).is_valid


def test_s01_the_reserved_driver_is_named_in_plain_words() -> None:
    sentences = explain_name(custom(shop(["7.0U3f"], [A08]), "7.0U3f", A08), "bnxtnet")

    assert len(sentences) == 2
    assert sentences[1].startswith("VIB ACM_bootbank_bnxtnet_216.0.50.0-44vmw.703.0.0.1 is reserved (carried, not ")


def test_s01_with_depots(depots: Path) -> None:
    with open_fixtures(depots, "7.0U3f", "A08") as depot:
        image = compose(depot.catalog, base_image="7.0U3f", add_on=(ACME, "703.20328353.A08"))
        report = validate(image, depot.catalog)

    assert report.is_valid
    assert image.name == "ESXi-7.0U3f-20036589-ACME-AddOn-703.20328353.A08"
    assert image.acceptance_level is AcceptanceLevel.PARTNER


# Story S2, the same train, another patch


@pytest.mark.parametrize("release", ["7.0U3e", "7.0U3g"])
def test_s02_same_train_another_patch(release: str) -> None:
    """A08 goes on an older and on a newer patch of 7.0 U3; only the base image's part of the diff moves."""
    stock = shop(["7.0U3e", "7.0U3f", "7.0U3g"], [A08])
    first, second = custom(stock, "7.0U3f", A08), custom(stock, release, A08)
    difference = diff(first, second)

    assert validate(second, stock.catalog()).findings == ()
    assert difference.add_on is None
    assert difference.base_image is not None
    assert {change.name for change in difference.components} == {"ESXi", "esx-update"}
    assert {change.cause for change in difference.components} == {"by the base image"}
    assert difference.change.kind == "patch"


@pytest.mark.parametrize("release", ["7.0U3e", "7.0U3f", "7.0U3g"])
def test_s02_with_depots(depots: Path, release: str) -> None:
    with open_fixtures(depots, release, "A08") as depot:
        image = compose(depot.catalog, base_image=release, add_on=(ACME, "703.20328353.A08"))
        assert validate(image, depot.catalog).is_valid


# Story S3, the update boundary


def test_s03_an_add_on_of_the_update_before_is_rejected() -> None:
    stock = shop(["7.0U2a", "7.0U3f"], [U2_A03, A08, A09])
    report = validate(custom(stock, "7.0U3f", U2_A03), stock.catalog())

    finding = the(report.errors, "add-on-base-unsupported")
    assert finding.items == ("DEL-ESXi:702_17867351-A03", "ESXi:7.0.3-0.50.20036589")
    assert finding.cause == "it is for ESXi 7.0.2 (by its version), the base image is ESXi 7.0.3"
    assert finding.remedy == f"take a 703 version of the add-on; loaded: {A08}, {A09}"


def test_s03_without_a_fitting_add_on_the_remedy_says_that_too() -> None:
    stock = shop(["7.0U3f"], [U2_A03])
    finding = the(validate(custom(stock, "7.0U3f", U2_A03), stock.catalog()).errors, "add-on-base-unsupported")

    assert finding.remedy.startswith("take a version of the add-on for 703, none is loaded")


def test_s03_moving_the_add_on_alone_is_rejected_too() -> None:
    stock = shop(["7.0U2a", "7.0U3f"], [U2_A03, A08])
    report = validate(custom(stock, "7.0U2a", A08), stock.catalog())

    assert the(report.errors, "add-on-base-unsupported").remedy == (
        f"take a 702 version of the add-on; loaded: {U2_A03}"
    )


def test_s03_moving_both_is_an_update() -> None:
    """Always in units of the custom image."""
    stock = shop(["7.0U2a", "7.0U3f"], [U2_A03, A08])
    before, after = custom(stock, "7.0U2a", U2_A03), custom(stock, "7.0U3f", A08)

    assert validate(after, stock.catalog()).is_valid
    change = classify_images(before, after)
    assert (change.kind, change.is_downgrade, change.findings) == ("update", False, ())


def test_s03_with_depots(depots: Path) -> None:
    with open_fixtures(depots, "7.0U2a", "7.0U3g", "A03", "A08", "A09") as depot:
        wrong = compose(depot.catalog, base_image="7.0U3g", add_on=(ACME, "702.17867351.A03"))
        finding = the(validate(wrong, depot.catalog).errors, "add-on-base-unsupported")

        assert "7.0.2 (declared: 7.0.2)" in finding.cause
        assert finding.remedy.endswith("loaded: 703.20328353.A08, 703.20328353.A09")


# Story S4, the boundary of 9.x


@pytest.mark.parametrize(
    ("release", "is_accepted"),
    [
        pytest.param("9.0.2", True, id="9.0.2: the same minor release"),
        pytest.param("9.1.1", False, id="9.1.1: another minor release"),
    ],
)
def test_s04_add_ons_of_9_go_with_their_minor_release(release: str, *, is_accepted: bool) -> None:
    stock = shop([release])
    add_on = stock.add_on(release=("HPE-Custom-Syn-AddOn", "900.0.0.12.3.5-5"))
    catalog = stock.catalog()
    answer = judge_add_on(add_on, catalog.base_images[0], catalog)

    train = answer.layer(Layer.TRAIN)
    assert train is not None
    assert (train.verdict is Verdict.FITS) is is_accepted
    assert (answer.verdict is Verdict.FITS) is is_accepted


@pytest.mark.parametrize(
    ("declared", "verdict"),
    [
        pytest.param(("embeddedEsx 9.0", "embeddedEsx 9.1"), Verdict.FITS, id="the base image declares both"),
        pytest.param(("embeddedEsx 9.1",), Verdict.WARNING, id="the base image declares 9.1 alone"),
    ],
)
def test_s04_one_driver_of_9_0_goes_by_platforms(declared: tuple[str, ...], verdict: Verdict) -> None:
    stock = Stock()
    version = version_of("9.1.1")
    own = platforms(*declared)
    stock.base_image(stock.component("ESXi", version, esx_base(version), platforms=own), version=version)
    driver = part(stock, "Intel-i40en", "2.9.1.0-1OEM.900.1.0.24755229", platforms=platforms("embeddedEsx 9.0"))
    catalog = stock.catalog()

    assert judge_component(driver, catalog.base_images[0], catalog).verdict is verdict


# Story S5, the add-on alone


@pytest.mark.parametrize(
    ("release", "before", "after"),
    [
        pytest.param("7.0U3g", A08, A09, id="A08 to A09"),
        pytest.param("7.0b", A02, A03, id="A02 to A03, both on 16324942"),
    ],
)
def test_s05_add_on_only(release: str, before: str, after: str) -> None:
    stock = shop([release], [before, after])
    difference = diff(custom(stock, release, before), custom(stock, release, after))

    assert difference.change.kind == "add-on-only"
    assert not difference.change.is_downgrade
    assert difference.base_image is None
    assert difference.add_on is not None
    assert (difference.add_on.before, difference.add_on.after) == (before, after)
    assert [(change.direction.value, change.cause) for change in difference.components] == [("raised", "by the add-on")]
    assert difference.impact is Impact.REBOOT_REQUIRED


def test_s05_live_vibs_need_no_reboot() -> None:
    stock = shop(["7.0U3g"])
    for label in ("A01", "A02"):
        live = vib("agent", f"{label[2]}.0-1", live_install_allowed=True, live_remove_allowed=True)
        stock.add_on(part(stock, "Acme-Agent", f"{label[2]}.0-1", live), release=(ACME, f"703.1-{label}"))
    images = [
        compose(stock.catalog(), base_image="7.0U3g", add_on=(ACME, f"703.1-{label}")) for label in ("A01", "A02")
    ]

    assert diff(*images).impact is Impact.NO_IMPACT


def test_s05_two_hpe_add_ons_on_one_build() -> None:
    """A dot for a hyphen in the version does not hide which one is newer."""
    assert AddOnVersion("703.0.0.11.3.5.9") < AddOnVersion("703.0.0.11.4.0.5")


# Story S6, the base image alone, the vendor is late


def test_s06_base_only_with_a_late_vendor() -> None:
    """In train, so it is fine; but nobody has published the pair."""
    stock = shop(["7.0U3g", "7.0U3i"], [A09])
    report = validate(custom(stock, "7.0U3i", A09), stock.catalog())

    assert report.is_valid
    finding = the(report.findings, "base-newer-than-add-on")
    assert finding.severity is Severity.WARNING
    assert finding.items == ("DEL-ESXi:703.20328353-A09", "ESXi:7.0.3-0.65.20842708")
    assert "build 20328353, 7.0U3g" in finding.cause
    assert diff(custom(stock, "7.0U3g", A09), custom(stock, "7.0U3i", A09)).add_on is None


@pytest.mark.parametrize("release", ["7.0U3e", "7.0U3f", "7.0U3g"])
def test_s06_the_published_base_and_older_ones_are_not_newer(release: str) -> None:
    stock = shop([release], [A09])

    assert validate(custom(stock, release, A09), stock.catalog()).findings == ()


def test_s06_builds_are_never_matched_by_nearness() -> None:
    """Dell's page says 20328352 for A08, one off: it names no release, so nothing is newer than it."""
    stock = shop(["7.0U3i"])
    stock.add_on(release=(DELL, "703.20328352-A08"))

    assert validate(custom(stock, "7.0U3i", "703.20328352-A08"), stock.catalog()).findings == ()


# Story S7, classification


@pytest.mark.parametrize(
    ("before", "after", "kind"),
    [
        pytest.param("7.0U3e", "7.0U3f", "patch", id="U3e to U3f"),
        pytest.param("7.0U1", "7.0U2", "update", id="U1 to U2"),
        pytest.param("7.0U3", "8.0", "upgrade", id="7.0U3 to 8.0"),
        pytest.param("7.0U2", "7.0U2a", "patch", id="U2 to U2a, though 0.0 stays"),
        pytest.param("8.0U2b", "8.0U2b HP1", "patch", id="U2b to its hot patch"),
        pytest.param("9.0.2", "9.1.0", "update", id="9.0 to 9.1: the train changes"),
    ],
)
def test_s07_classification(before: str, after: str, kind: str) -> None:
    stock = Stock()
    units = base_image(stock, before), base_image(stock, after)

    assert classify_releases(*units).kind == classify_releases(*reversed(units)).kind == kind
    assert not classify_releases(*units).is_downgrade


def test_s07_security_only_sibling() -> None:
    """U3i to U3si: one patch, its security-only form, and lower: a downgrade on a host."""
    change = classify_known(KNOWN["7.0U3i"], KNOWN["7.0U3si"])

    assert (change.kind, change.is_security_sibling, change.is_downgrade) == ("patch", True, True)


def test_s07_security_only_sibling_of_loaded_base_images() -> None:
    stock = Stock()
    full, security = base_image(stock, "8.0U2b"), base_image(stock, "8.0U2sb")
    host = Host(name="esx1", base_image=full.version)

    change = classify_releases(full, security)
    assert (change.kind, change.is_security_sibling, change.is_downgrade) == ("patch", True, True)
    assert codes(judge_host(custom(stock, "8.0U2sb"), host).findings) == ["host-newer-than-image"]


def test_s07_express_patch_and_next_major() -> None:
    assert classify_known(KNOWN["9.0.0.0"], KNOWN["9.0.0.0100"]).kind == "patch"
    stock = Stock()
    ten = stock.base_image(version="10.0.0.0.99999999")
    assert classify_releases(base_image(stock, "9.1.1"), ten).kind == "upgrade"


# Story S8, the upgrade path, as far as images tell


def test_s08_an_upgrade_needs_the_add_on_of_the_new_train() -> None:
    stock = shop(["7.0U3g", "8.0"], [A08, "800.20513097-A00"])
    before, kept = custom(stock, "7.0U3g", A08), custom(stock, "8.0", A08)

    change = classify_images(before, kept)
    assert change.kind == "upgrade"
    assert the(change.findings, "add-on-not-moved").remedy == "take the version of DEL-ESXi for 8.0.0"
    finding = the(validate(kept, stock.catalog()).errors, "add-on-base-unsupported")
    assert finding.remedy == "take a 800 version of the add-on; loaded: 800.20513097-A00"
    moved = custom(stock, "8.0", "800.20513097-A00")
    assert classify_images(before, moved).findings == ()
    assert validate(moved, stock.catalog()).is_valid


def test_s08_a_target_older_by_date_is_back_in_time() -> None:
    """7.0 U3i came out in December 2022, 8.0 in October, in spite of its version."""
    stock = shop(["7.0U3i", "8.0"])
    change = classify_images(custom(stock, "7.0U3i"), custom(stock, "8.0"))

    finding = the(change.findings, "upgrade-back-in-time")
    assert "2022-10-11" in finding.cause
    assert "2022-12-08" in finding.cause
    assert not change.is_downgrade


@pytest.mark.parametrize(
    ("version", "is_direct"),
    [pytest.param("6.7.0-0.0.8169922", True, id="6.7"), pytest.param("6.5.0-0.0.4564106", False, id="6.5")],
)
def test_s08_the_path_from_6_x(version: str, *, is_direct: bool) -> None:
    old = Stock(vibs=[esx_base(version)])
    old.profile("old", [old.vibs[0].id])
    change = classify_images(image_from_profile(old.catalog(), "old"), custom(shop(["8.0"]), "8.0"))

    assert change.kind == "upgrade"
    assert codes(change.findings) == ([] if is_direct else ["no-direct-upgrade"])


def test_s08_the_reverse_build_trap() -> None:
    """Host 7.0 U2e, build 19290878, image 7.0 U3c, build 19193900: the image is the newer one."""
    installed = BaseImageVersion("7.0.2-0.30.19290878")
    host = Host(name="esx1", base_image=installed)
    image = custom(shop(["7.0U3c"]), "7.0U3c")

    assert image.esxi_version is not None
    assert installed.build > image.esxi_version.build
    assert judge_host(image, host).verdict is Verdict.FITS
    change = classify_known(KNOWN["7.0U2e"], KNOWN["7.0U3c"])
    assert (change.kind, change.is_downgrade) == ("update", False)


# Story S12, taking a bundle apart


@pytest.fixture(scope="module")
def bundle_of_a09(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A bundle of 7.0 U3g with A09, and the digest of its image."""
    folder = Path(__file__).parents[2] / "fixtures" / "depots"
    target = tmp_path_factory.mktemp("s12") / "DEL-ESXi-703_20328353-A09.zip"
    with open_fixtures(folder, "7.0U3g", "A09") as depot:
        image = compose(depot.catalog, base_image="7.0U3g", add_on=(ACME, "703.20328353.A09"))
        export_bundle(image, depot, target)
    return target, image.digest


def test_s12_a_bundle_is_base_image_and_add_on(bundle_of_a09: tuple[Path, str]) -> None:
    path, digest = bundle_of_a09
    with open_depot(path) as depot:
        catalog = depot.catalog
        parts = decompose(image_from_profile(catalog, catalog.profiles[0]), catalog)

        assert parts.base_image is not None
        assert parts.base_image.version.text == "7.0.3-0.55.20328353"
        assert parts.add_on is not None
        assert parts.add_on.id == "ACME-AddOn:703.20328353.A09"
        assert (parts.components, parts.removed_components, parts.unassigned_vibs) == ((), (), ())
        assert parts.spec is not None
        assert compose(catalog, parts.spec).digest == digest
        assert recognise(catalog).digest == digest


def test_s12_both_enter_the_depot_as_separate_units(bundle_of_a09: tuple[Path, str], depots: Path) -> None:
    """Its base image takes another add-on, and its add-on another base image."""
    path, _ = bundle_of_a09
    others = [found for found in depots.iterdir() if "A08" in found.name or "7.0U3f" in found.name]
    with open_depot(path, *others) as depot:
        for release, add_on in (("7.0U3g", "703.20328353.A08"), ("7.0U3f", "703.20328353.A09")):
            image = compose(depot.catalog, base_image=release, add_on=(ACME, add_on))
            assert validate(image, depot.catalog).is_valid


def test_s12_loose_components_come_back_as_such(depots: Path, tmp_path: Path) -> None:
    with open_fixtures(depots, "7.0U3g", "A09", "i40en_2.8.4.0") as depot:
        image = compose(
            depot.catalog,
            base_image="7.0U3g",
            add_on=(ACME, "703.20328353.A09"),
            components=["Intel-i40en"],
            removed_components=["VMware-oem-dell-plugin"],
        )
        export_bundle(image, depot, tmp_path / "custom.zip")
    with open_depot(tmp_path / "custom.zip") as depot:
        again = recognise(depot.catalog)
        parts = decompose(again, depot.catalog)

    assert again.digest == image.digest
    assert [str(loose) for loose in parts.components] == ["Intel-i40en:2.8.4.0-1OEM.700.1.0.15843807"]
    assert parts.removed_components == ("VMware-oem-dell-plugin",)


def test_s12_a_6_7_profile_is_not_guessed(depots: Path) -> None:
    """Known by the VIB set of the stock profile; a VIB more is unassigned, not somebody's add-on."""
    with open_fixtures(depots, "6.7.0", "homelab") as depot:
        catalog = depot.catalog
        stock = Stock(vibs=list(catalog.vibs), profiles=list(catalog.profiles))
    stock.profile("DEL-ESXi-670", [known.id for known in stock.vibs], creator="Dell Inc.")
    parts = decompose(image_from_profile(stock.catalog(), "DEL-ESXi-670"), stock.catalog())

    assert parts.base_profile is not None
    assert parts.base_profile.name == "ESXi-6.7.0-8169922-standard"
    assert parts.unassigned_vibs == ("HomeLab_bootbank_homelab-tweaks_1.0.0-1",)
    assert (parts.base_image, parts.add_on, parts.components, parts.spec) == (None, None, (), None)


# Story S13, removals


def test_s13_a_removed_component_stays_reserved() -> None:
    image = custom(shop(["8.0U3"]), "8.0U3", removed_components=[LPFC])

    assert LPFC not in {entry.component.name for entry in image.components}
    assert "lpfc" not in {entry.vib.name for entry in image.vibs}
    assert "lpfc" in {entry.vib.name for entry in image.reserved_vibs}
    assert "the user removes it" in explain_name(image, LPFC)[0]


def test_s13_an_add_on_removes_too() -> None:
    stock = Stock()
    base_image(stock, "7.0U3f", part(stock, "VMware-lsuv2-hpv2-hpsa-plugin", "1.0.0-3"))
    dell(stock, A08, removed_components=["VMware-lsuv2-hpv2-hpsa-plugin"])
    image = custom(stock, "7.0U3f", A08)

    assert [(entry.name, entry.source) for entry in image.removed] == [
        ("VMware-lsuv2-hpv2-hpsa-plugin", ComponentSource.ADD_ON)
    ]
    assert validate(image, stock.catalog()).findings == ()


def test_s13_what_another_vib_needs_is_missed_by_name() -> None:
    stock = Stock()
    base_image(stock, "8.0U3", part(stock, "Acme-tool", "1.0-1", vib("acme-tool", depends=["lpfc"])))
    report = validate(custom(stock, "8.0U3", removed_components=[LPFC]), stock.catalog())

    finding = the(report.errors, "missing-dependency")
    assert finding.items == ("ACM_bootbank_acme-tool_1.0-1", "lpfc")
    assert "ACM_bootbank_lpfc_14.0.169.26-5vmw.803.0.0.1" in finding.remedy


@pytest.mark.parametrize("name", ["ESXi", "esx-update"])
def test_s13_core_components_stay(name: str) -> None:
    with pytest.raises(ComposeError, match="core component") as caught:
        custom(shop(["8.0U3"]), "8.0U3", removed_components=[name])

    assert codes(caught.value.findings) == ["core-component-removed"]


@pytest.mark.parametrize(
    ("release", "warned"),
    [
        pytest.param("7.0U3f", True, id="7.0 U3"),
        pytest.param("8.0U2b", True, id="8.0 U2"),
        pytest.param("8.0U3", False, id="8.0 U3"),
        pytest.param("9.0.2", False, id="9.0"),
    ],
)
def test_s13_removals_need_a_vcenter_that_knows_them(release: str, *, warned: bool) -> None:
    findings = check_removals([LPFC], BaseImageVersion(version_of(release)))

    assert codes(findings) == (["removals-need-newer-vcenter"] if warned else [])
    if warned:
        assert findings[0].severity is Severity.WARNING
        assert "vCenter 8.0 U3 or later" in findings[0].message
        assert findings[0].items == (LPFC,)
    assert check_removals([], BaseImageVersion(version_of(release))) == ()
    report = validate(custom(shop([release]), release, removed_components=[LPFC]))
    assert codes(report.findings) == codes(findings)


# Story S14, what to move to


def test_s14_recommendation() -> None:
    """From U3f with A08: U3i with A24 in its series, 8.0 U3b with its own A02 of all, and why nothing else."""
    stock = shop(["7.0U3f", "7.0U3g", "7.0U3i", "8.0U3", "8.0U3b"], [A08, A09, A24, U3_8_A02], supported_base_images=())
    catalog = stock.catalog()
    wanted = SoftwareSpec(base_image="7.0U3f", add_on=AddOnReference(DELL, AddOnVersion(A08)))
    answer = recommend(catalog, wanted)

    assert answer.current_series is not None
    assert answer.current_series.spec == SoftwareSpec(
        base_image=version_of("7.0U3i"), add_on=AddOnReference(DELL, AddOnVersion(A24))
    )
    assert answer.current_series.change.kind == "patch"
    assert answer.latest is not None
    assert answer.latest.spec == SoftwareSpec(
        base_image=version_of("8.0U3b"), add_on=AddOnReference(DELL, AddOnVersion(U3_8_A02))
    )
    assert answer.latest.change.kind == "upgrade"
    for suggestion in (answer.current_series, answer.latest):
        assert validate(compose(catalog, suggestion.spec), catalog).is_valid
    passed_over = [(entry.base_image, entry.add_on.partition(":")[2]) for entry in answer.passed_over]
    assert passed_over == [
        (version_of("8.0U3"), U3_8_A02),
        *((version_of(release), add_on) for release in ("7.0U3i", "7.0U3g") for add_on in (A24, A09, A08)
          if (release, add_on) != ("7.0U3i", A24)),
        (version_of("7.0U3f"), A24),
        (version_of("7.0U3f"), A09),
    ]  # fmt: skip
    assert all(entry.reasons for entry in answer.passed_over)


def test_s14_without_an_add_on_for_8_0_nothing_of_8_0_is_recommended() -> None:
    stock = shop(["7.0U3f", "8.0U3"], [A08])
    answer = recommend(
        stock.catalog(), SoftwareSpec(base_image="7.0U3f", add_on=AddOnReference(DELL, AddOnVersion(A08)))
    )

    assert (answer.current_series, answer.latest) == (None, None)
    ((passed),) = answer.passed_over
    assert passed.base_image == version_of("8.0U3")
    assert passed.reasons == ("no loaded version of the add-on DEL-ESXi is for 803",)


def test_s14_nothing_newer_is_no_error() -> None:
    answer = recommend(shop(["7.0U3f"]).catalog(), SoftwareSpec(base_image="7.0U3f"))

    assert (answer.current_series, answer.latest, answer.passed_over) == (None, None, ())


def test_s14_with_depots(depots: Path) -> None:
    with open_depot(*sorted(depots.iterdir())) as depot:
        wanted = SoftwareSpec(base_image="7.0U3f", add_on=AddOnReference(ACME, AddOnVersion("703.20328353.A08")))
        answer = recommend(depot.catalog, wanted)

    assert answer.current_series is not None
    assert answer.current_series.spec.base_image == "7.0.3-0.55.20328353"
    assert answer.latest is not None
    assert answer.latest == answer.current_series
    (passed,) = (entry for entry in answer.passed_over if entry.add_on == "ACME-AddOn:803.24022510.A02")
    (reason,) = passed.reasons
    assert reason.startswith("MRVL-E4-CNA-Driver-Bundle would go down from ")


# Story S17, the spec as JSON

SEVEN_KEYS: dict[str, Any] = {
    "base_image": {"version": "7.0U3f"},
    "add_on": {"name": DELL, "version": A08},
    "components": {"Intel-i40en": "1.12.3.0-1OEM.700.1.0.15843807", LPFC: None},
    "solutions": {"com.vmware.vsphere-ha": {"version": "8.0.1", "components": [{"component": "vsphere-fdm"}]}},
    "hardware_support": {"packages": {"HSM": {"pkg": "firmware", "version": ""}}},
    "removed_components": ["VMware-lsuv2"],
    "alternative_images": {"other": {"base_image": {"version": "9.0.2-0.25148076"}, "display_name": "Other"}},
}


def read(folder: Path, data: bytes) -> SoftwareSpec:
    path = folder / "image.json"
    path.write_bytes(data)
    return read_software_spec(path)


def test_s17_the_seven_keys_come_back(tmp_path: Path) -> None:
    wanted = read(tmp_path, json.dumps(SEVEN_KEYS).encode())
    rendered = render_software_spec(wanted)

    assert json.loads(rendered) == SEVEN_KEYS
    assert read(tmp_path, rendered) == wanted


def test_s17_nulls_and_missing_keys_are_one(tmp_path: Path) -> None:
    nulls = {key: None for key in SEVEN_KEYS if key != "base_image"} | {"base_image": {"version": "7.0U3f"}}

    assert read(tmp_path, json.dumps(nulls).encode()) == read(tmp_path, b'{"base_image": {"version": "7.0U3f"}}')


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_s17_a_byte_order_mark_is_no_error(tmp_path: Path, encoding: str) -> None:
    text = json.dumps(SEVEN_KEYS)

    assert read(tmp_path, text.encode(encoding)) == read(tmp_path, text.encode())


def test_s17_unknown_keys_are_kept(tmp_path: Path) -> None:
    text = json.dumps(SEVEN_KEYS | {"of_the_future": {"a": [1, None]}})

    assert json.loads(render_software_spec(read(tmp_path, text.encode())))["of_the_future"] == {"a": [1, None]}


def test_s17_a_release_name_is_resolved_from_the_depot(tmp_path: Path) -> None:
    wanted = read(tmp_path, b'{"base_image": {"version": "7.0U3f"}, "add_on": null}')
    image = compose(shop(["7.0U3e", "7.0U3f", "7.0U3g"]).catalog(), wanted)

    assert image.esxi_version == BaseImageVersion("7.0.3-0.50.20036589")
    assert image.spec is not None
    assert image.spec.base_image == "7.0U3f"


def test_s17_an_ambiguous_name_lists_both(tmp_path: Path) -> None:
    """Two builds of 8.0 U3b came out on one day; sorting by date or name would pick either."""
    stock = shop(["8.0U3b"])
    stock.base_image(version="8.0.3-0.35.24262298", display_version="8.0 U3b - 24262298")
    wanted = read(tmp_path, b'{"base_image": {"version": "8.0 Update 3b"}}')

    with pytest.raises(NotInDepotError) as caught:
        compose(stock.catalog(), wanted)

    assert "24262298" in caught.value.found
    assert "24280767" in caught.value.found
    assert compose(stock.catalog(), base_image="8.0 U3b - 24280767").base_image is not None


def test_s17_a_security_only_twin_with_a_name_of_its_own_is_not_ambiguous() -> None:
    catalog = shop(["8.0U3se", "8.0U3e"]).catalog()

    assert resolve_base_image(catalog, "8.0U3e").version.text == "8.0.3-0.70.24674464"
    assert resolve_base_image(catalog, "8.0U3se").version.text == "8.0.3-0.65.24659227"


# Image against host, the parts of S9 and S11 that need no cluster


def test_s09_a_host_newer_than_the_image_is_refused_with_the_remedy() -> None:
    """A vCenter restored from a backup: the image is U3f with A08, the hosts are at U3g with A09."""
    stock = shop(["7.0U3f", "7.0U3g"], [A08, A09])
    now = custom(stock, "7.0U3g", A09)
    host = Host(
        name="esx1",
        base_image=BaseImageVersion(version_of("7.0U3g")),
        add_on=AddOnReference(DELL, AddOnVersion(A09)),
        components=[HostComponent(name=e.component.name, version=e.component.version) for e in now.components],
    )
    answer = judge_host(custom(stock, "7.0U3f", A08), host)

    assert answer.verdict is Verdict.FAILS
    assert {"host-newer-than-image", "host-add-on-newer"} <= set(codes(answer.findings))
    assert the(answer.findings, "host-newer-than-image").remedy == "raise the image to 7.0.3-0.55.20328353 or later"
    assert judge_host(now, host).verdict is Verdict.FITS


def test_s11_a_driver_newer_on_the_host_is_explained(depots: Path) -> None:
    name, newer = "MRVL-E4-CNA-Driver-Bundle", "5.0.402.0-1OEM.700.1.0.15843807"
    host = Host(
        name="esx1",
        base_image=BaseImageVersion("7.0.3-0.55.20328353"),
        components=[HostComponent(name=name, version=ComponentVersion(newer), is_manual=True)],
    )
    with open_fixtures(depots, "7.0U3g", "A08", "5.0.402.0") as depot:
        plain = compose(depot.catalog, base_image="7.0U3g", add_on=(ACME, "703.20328353.A08"))
        helped = compose(
            depot.catalog, base_image="7.0U3g", add_on=(ACME, "703.20328353.A08"), components={name: newer}
        )

    (entry,) = explain_findings(judge_host(plain, host).findings)
    assert "downgrades of manually added components are not supported" in entry.cause
    assert f"add {name} {newer} to the image" in entry.remedies[0]
    assert judge_host(helped, host).verdict is Verdict.FITS
