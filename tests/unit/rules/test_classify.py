"""What kind of change leads from one release or image to another: told from version fields alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
import pytest
from hypothesis import given, strategies as st
from support.memory_catalogs import Stock, vib
from support.release_catalogs import DELL, LPFC, base_image, codes, part, shop, the, version_of, without_names

from esximage_builder.findings import Severity
from esximage_builder.rules.classify import (
    Change,
    ChangeKind,
    classify_images,
    classify_known,
    classify_releases,
    classify_versions,
)
from esximage_builder.rules.compose import compose, image_from_profile
from esximage_builder.rules.releases import KNOWN_RELEASES
from esximage_builder.versions import BaseImageVersion

if TYPE_CHECKING:
    from esximage_builder.models.image import Image

KNOWN = {release.name: release for release in KNOWN_RELEASES}


def releases(before: str, after: str) -> Change:
    """The change between two published releases."""
    stock = Stock()
    return classify_releases(base_image(stock, before), base_image(stock, after))


# Versions


@pytest.mark.parametrize(
    ("before", "after", "kind"),
    [
        pytest.param("7.0.3-0.50.20036589", "7.0.3-0.50.20036589", "none", id="the same"),
        pytest.param("9.0.2-0.25148076", "9.0.2.0.25148076", "none", id="the same in the other spelling"),
        pytest.param("7.0.3-0.40.19898904", "7.0.3-0.50.20036589", "patch", id="U3e to U3f"),
        pytest.param("7.0.2-0.0.17630552", "7.0.2-0.0.17867351", "patch", id="U2 to U2a: only the build differs"),
        pytest.param("8.0.2-0.30.23305546", "8.0.2-0.30.23465881", "patch", id="U2b to its hot patch"),
        pytest.param("8.0.2-0.25.23305545", "8.0.2-0.30.23305546", "patch", id="security-only to full"),
        pytest.param("7.0.0-1.25.16324942", "7.0.1-0.0.16850804", "update", id="7.0b to U1"),
        pytest.param("7.0.1-0.0.16850804", "7.0.2-0.0.17630552", "update", id="U1 to U2"),
        pytest.param("7.0.3-0.65.20842708", "8.0.0-1.0.20513097", "upgrade", id="7.0U3i to 8.0: lower build"),
        pytest.param("6.5.0-0.0.4564106", "6.7.0-0.0.8169922", "upgrade", id="6.5 to 6.7: minor before 9"),
        pytest.param("8.0.3-0.70.24674464", "9.0.2.0.25148076", "upgrade", id="8 to 9"),
        pytest.param("9.0.0.0.24755229", "9.0.0.0100.24813472", "patch", id="9.0.0.0 to its express patch"),
        pytest.param("9.0.0.0100.24813472", "9.0.2.0.25148076", "patch", id="9.0.0 to 9.0.2: one train"),
        pytest.param("9.0.2.0.25148076", "9.1.0.0.25370933", "update", id="9.0 to 9.1: another train"),
        pytest.param("9.1.1.0.25714478", "10.0.0.0.99999999", "upgrade", id="9 to 10"),
    ],
)
def test_the_kind_is_told_from_fields_either_way(before: str, after: str, kind: str) -> None:
    versions = BaseImageVersion(before), BaseImageVersion(after)

    assert classify_versions(*versions) == classify_versions(*reversed(versions)) == kind


FIELDS = st.tuples(*(st.integers(5, 10), st.integers(0, 2), st.integers(0, 3), st.integers(0, 3), st.integers(0, 99)))
VERSIONS = st.builds(
    lambda five, build: BaseImageVersion("{}.{}.{}-{}.{}.{}".format(*five, build)), FIELDS, st.integers(1, 9)
)


@given(VERSIONS, VERSIONS)
def test_patches_are_what_stays_in_a_train(one: BaseImageVersion, other: BaseImageVersion) -> None:
    kind = classify_versions(one, other)

    assert (kind in {"none", "patch"}) == (one.train == other.train)
    assert (kind == "none") == (one == other)
    assert kind == "upgrade" or one.major == other.major


# Releases


@pytest.mark.parametrize(
    ("before", "after", "kind", "is_downgrade", "is_sibling"),
    [
        pytest.param("7.0U3f", "7.0U3f", "none", False, False, id="the same"),
        pytest.param("7.0U3e", "7.0U3f", "patch", False, False, id="forwards"),
        pytest.param("7.0U3f", "7.0U3e", "patch", True, False, id="backwards"),
        pytest.param("8.0U2sb", "8.0U2b", "patch", False, True, id="security-only to full"),
        pytest.param("8.0U2b", "8.0U2sb", "patch", True, True, id="full to security-only goes down"),
        pytest.param("8.0U3se", "8.0U3e", "patch", False, True, id="U3se to U3e"),
        pytest.param("8.0U3b", "8.0U3se", "patch", False, False, id="to the security-only of another patch"),
        pytest.param("8.0", "7.0U3i", "upgrade", True, False, id="a major back"),
    ],
)
def test_direction_and_siblings(before: str, after: str, kind: str, *, is_downgrade: bool, is_sibling: bool) -> None:
    change = releases(before, after)

    assert (change.kind, change.is_downgrade, change.is_security_sibling) == (kind, is_downgrade, is_sibling)


def test_siblings_are_known_by_their_builds_where_metadata_has_no_names() -> None:
    stock = Stock()
    units = [without_names(base_image(stock, release)) for release in ("8.0U2b", "8.0U2sb")]

    assert classify_releases(*units).is_security_sibling


# Published releases, also those without a published full version


@pytest.mark.parametrize(
    ("before", "after", "kind", "is_downgrade", "is_sibling"),
    [
        pytest.param("7.0U3i", "7.0U3si", "patch", True, True, id="U3i to U3si"),
        pytest.param("7.0U3si", "7.0U3i", "patch", False, True, id="U3si to U3i"),
        pytest.param("7.0U3e", "7.0U3f", "patch", False, False, id="U3e to U3f"),
        pytest.param("7.0U2e", "7.0U3c", "update", False, False, id="U2e to U3c, against the builds"),
        pytest.param("7.0U1e", "7.0U2", "update", False, False, id="U1e to U2, against the dates"),
        pytest.param("7.0U3w", "8.0", "upgrade", False, False, id="7.0U3w to 8.0, against the builds"),
        pytest.param("9.0.0.0", "9.0.0.0100", "patch", False, False, id="an express patch"),
        pytest.param("9.0.1", "9.0.2", "patch", False, False, id="9.0.1 to 9.0.2"),
        pytest.param("9.0.2", "9.1.0", "update", False, False, id="9.0 to 9.1"),
        pytest.param("8.0U3k", "9.0.0.0", "upgrade", False, False, id="8 to 9"),
        pytest.param("7.0U3g", "7.0U3g", "none", False, False, id="the same"),
    ],
)
def test_published_releases(before: str, after: str, kind: str, *, is_downgrade: bool, is_sibling: bool) -> None:
    change = classify_known(KNOWN[before], KNOWN[after])

    assert (change.kind, change.is_downgrade, change.is_security_sibling) == (kind, is_downgrade, is_sibling)


def test_where_full_versions_are_published_both_ways_agree() -> None:
    published = [release for release in KNOWN_RELEASES if release.version]
    stock = Stock()
    units = [stock.base_image(version=release.version) for release in published]

    for before, one in zip(published, units, strict=True):
        for after, other in zip(published, units, strict=True):
            by_table, by_version = classify_known(before, after), classify_releases(one, other)
            assert attrs.evolve(by_table, findings=()) == attrs.evolve(by_version, findings=())
            assert codes(by_table.findings) == codes(by_version.findings)


# What to know before


def test_a_target_that_is_older_by_date_is_an_upgrade_back_in_time() -> None:
    finding = the(releases("7.0U3i", "8.0").findings, "upgrade-back-in-time")

    assert finding.severity is Severity.WARNING
    assert finding.items == ("ESXi:7.0.3-0.65.20842708", "ESXi:8.0.0-1.0.20513097")
    assert finding.cause.startswith("released 2022-10-11, before 2022-12-08: ")
    assert finding.remedy


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param("7.0U3g", "8.0", id="older by date"),
        pytest.param("8.0", "7.0U3i", id="downwards"),
        pytest.param("8.0U2sb", "8.0U2b", id="of one day"),
    ],
)
def test_no_other_change_goes_back_in_time(before: str, after: str) -> None:
    assert releases(before, after).findings == ()


def test_without_dates_nobody_can_tell() -> None:
    stock = Stock()
    unit = attrs.evolve(base_image(stock, "7.0U3i"), released_at=None)
    undated = attrs.evolve(base_image(stock, "8.0U2b HP1"), released_at=None)

    assert classify_releases(unit, undated).findings == ()


@pytest.mark.parametrize(
    ("before", "after", "is_direct"),
    [
        pytest.param("6.0.0-0.0.2494585", "8.0.0-1.0.20513097", False, id="6.0 to 8.0"),
        pytest.param("6.5.0-0.0.4564106", "8.0.0-1.0.20513097", False, id="6.5 to 8.0"),
        pytest.param("6.5.0-0.0.4564106", "9.0.2.0.25148076", False, id="6.5 to 9.0"),
        pytest.param("6.5.0-0.0.4564106", "7.0.3-0.55.20328353", True, id="6.5 to 7.0"),
        pytest.param("6.7.0-0.0.8169922", "8.0.0-1.0.20513097", True, id="6.7 to 8.0"),
        pytest.param("7.0.3-0.55.20328353", "8.0.0-1.0.20513097", True, id="7.0 to 8.0"),
        pytest.param("8.0.0-1.0.20513097", "6.5.0-0.0.4564106", True, id="downwards is another matter"),
    ],
)
def test_some_paths_are_not_direct(before: str, after: str, *, is_direct: bool) -> None:
    stock = Stock()
    change = classify_releases(stock.base_image(version=before), stock.base_image(version=after))

    assert ("no-direct-upgrade" not in codes(change.findings)) is is_direct


# Images


def image(stock: Stock, release: str, add_on: str = "", **components: str) -> Image:
    return compose(
        stock.catalog(),
        base_image=version_of(release),
        add_on=(DELL, add_on) if add_on else None,
        components={name.replace("_", "-"): version for name, version in components.items()},
    )


@pytest.fixture
def stock() -> Stock:
    made = shop(
        ["7.0b", "7.0U2a", "7.0U3f", "7.0U3g", "8.0"],
        ["700.16324942-A02", "702_17867351-A03", "703.20328353-A08", "703.20328353-A09", "800.20513097-A00"],
    )
    part(made, LPFC, "14.2.0.1-1OEM.700.1.0.15843807")
    return made


@pytest.mark.parametrize(
    ("before", "after", "kind", "is_downgrade"),
    [
        pytest.param(("7.0U3f", "703.20328353-A08"), ("7.0U3f", "703.20328353-A08"), "none", False, id="equal"),
        pytest.param(("7.0U3f", "703.20328353-A08"), ("7.0U3f", "703.20328353-A09"), "add-on-only", False, id="add-on"),
        pytest.param(("7.0U3f", "703.20328353-A09"), ("7.0U3f", "703.20328353-A08"), "add-on-only", True, id="down"),
        pytest.param(("7.0U3f", ""), ("7.0U3f", "703.20328353-A08"), "add-on-only", False, id="add-on put on"),
        pytest.param(("7.0U3f", "703.20328353-A08"), ("7.0U3f", ""), "add-on-only", True, id="its driver goes down"),
        pytest.param(("7.0U3f", "703.20328353-A08"), ("7.0U3g", "703.20328353-A09"), "patch", False, id="both"),
        pytest.param(("7.0U3g", "703.20328353-A08"), ("7.0U3f", "703.20328353-A09"), "patch", True, id="base down"),
        pytest.param(
            ("7.0U2a", "702_17867351-A03"), ("7.0U3f", "703.20328353-A08"), "update", False, id="custom image"
        ),
    ],
)
def test_base_image_before_add_on_before_components(
    stock: Stock, before: tuple[str, str], after: tuple[str, str], kind: str, *, is_downgrade: bool
) -> None:
    change = classify_images(image(stock, *before), image(stock, *after))

    assert (change.kind, change.is_downgrade) == (kind, is_downgrade)


def test_another_component_is_component_only(stock: Stock) -> None:
    plain = image(stock, "7.0U3f")
    changed = compose(
        stock.catalog(), base_image=version_of("7.0U3f"), components={LPFC: "14.2.0.1-1OEM.700.1.0.15843807"}
    )

    assert classify_images(plain, changed) == Change(kind=ChangeKind.COMPONENT_ONLY)


def test_an_add_on_left_behind_by_an_update_is_named(stock: Stock) -> None:
    change = classify_images(image(stock, "7.0U2a", "702_17867351-A03"), image(stock, "7.0U3f", "702_17867351-A03"))

    finding = the(change.findings, "add-on-not-moved")
    assert finding.severity is Severity.WARNING
    assert finding.items == ("DEL-ESXi:702_17867351-A03", "ESXi:7.0.3-0.50.20036589")
    assert finding.remedy == "take the version of DEL-ESXi for 7.0.3"


def test_an_add_on_dropped_by_an_upgrade_is_named(stock: Stock) -> None:
    change = classify_images(image(stock, "7.0U3f", "703.20328353-A08"), image(stock, "8.0"))

    assert the(change.findings, "add-on-dropped").items == ("DEL-ESXi:703.20328353-A08",)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param(("7.0U3f", "703.20328353-A08"), ("8.0", "800.20513097-A00"), id="moved together"),
        pytest.param(("7.0U3f", "703.20328353-A08"), ("7.0U3g", "703.20328353-A08"), id="a patch needs no other"),
        pytest.param(("7.0U3f", ""), ("8.0", ""), id="there was none"),
    ],
)
def test_otherwise_there_is_nothing_to_say_of_add_ons(
    stock: Stock, before: tuple[str, str], after: tuple[str, str]
) -> None:
    assert classify_images(image(stock, *before), image(stock, *after)).findings == ()


# Images opened from profiles


def profile_image(version: str, *more: str) -> Image:
    stock = Stock()
    stock.base_image(version=version)
    stock.vibs += [vib(name) for name in more]
    stock.profile("old", [vib.id for vib in stock.vibs])
    return image_from_profile(stock.catalog(), "old")


def test_a_profile_has_the_release_that_it_installs(stock: Stock) -> None:
    """Images of 6.x have no base image, and their changes are no smaller for that."""
    change = classify_images(profile_image("6.7.0-0.0.8169922"), image(stock, "8.0"))

    assert change == Change(kind=ChangeKind.UPGRADE)


def test_a_profile_of_6_5_does_not_go_to_8_directly(stock: Stock) -> None:
    change = classify_images(profile_image("6.5.0-0.0.4564106"), image(stock, "8.0"))

    assert the(change.findings, "no-direct-upgrade").severity is Severity.ERROR


def test_a_profile_does_not_say_what_add_on_it_has(stock: Stock) -> None:
    stock.profile("custom", image(stock, "7.0U3f", "703.20328353-A08").vibs_by_id)
    opened = image_from_profile(stock.catalog(), "custom")

    assert classify_images(opened, image(stock, "7.0U3f", "703.20328353-A08")).kind == "component-only"


def test_profiles_of_one_release_differ_by_vibs() -> None:
    one, other = profile_image("6.7.0-0.0.8169922"), profile_image("6.7.0-0.0.8169922", "extra")

    assert classify_images(one, other).kind == "component-only"
    assert classify_images(one, one).kind == "none"


def test_a_profile_that_does_not_boot_is_compared_by_its_vibs(stock: Stock) -> None:
    lonely = Stock(vibs=[vib("lonely")])
    lonely.profile("drivers", [lonely.vibs[0].id])

    change = classify_images(image_from_profile(lonely.catalog(), "drivers"), image(stock, "7.0U3f"))

    assert change.kind == "component-only"
