"""Stories of moving on: what goes across, what is in the way, what goes down, what to move to."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.memory_catalogs import Stock, esx_base, vib
from support.release_catalogs import DELL, base_image, codes, dell, part, shop, the, version_of

from esximage_builder.rules.classify import classify_images, classify_known, classify_releases
from esximage_builder.rules.compose import compose, image_from_profile
from esximage_builder.rules.diff import diff
from esximage_builder.rules.downgrades import LoweredKind
from esximage_builder.rules.releases import KNOWN_RELEASES
from esximage_builder.views.diff import render_diff

if TYPE_CHECKING:
    from esximage_builder.models.image import Image

A08 = "703.20328353-A08"


def old_image(version: str) -> Image:
    stock = Stock(vibs=[esx_base(version)])
    stock.profile("old", [stock.vibs[0].id])
    return image_from_profile(stock.catalog(), "old")


# What goes across


@pytest.mark.parametrize(
    ("before", "after", "declared"),
    [
        pytest.param("7.0U3g", "8.0U3", ["7.0.3", "8.0.3"], id="two releases"),
        pytest.param("7.0U2a", "7.0U3f", [">=7.0.2,<8"], id="a range"),
        pytest.param("8.0U3", "9.0.2", ["8.*", "9.*"], id="wildcards"),
    ],
)
def test_an_add_on_that_declares_both_releases_stays(before: str, after: str, declared: list[str]) -> None:
    stock = shop([before, after])
    dell(stock, A08, supported_base_images=declared)
    images = [compose(stock.catalog(), base_image=version_of(one), add_on=(DELL, A08)) for one in (before, after)]

    assert "add-on-not-moved" not in codes(classify_images(*images).findings)


# What is in the way


@pytest.mark.parametrize(
    ("before", "after", "first"),
    [
        ("6.0.0-0.0.2494585", "7.0U3g", "6.5 or 6.7"),
        ("6.0.0-3.57.5050593", "7.0U1", "6.5 or 6.7"),
        ("6.5.0-0.0.4564106", "8.0U3", "6.7 or 7.0"),
        ("7.0.3-0.55.20328353", "9.0.2", "8.0"),
        ("7.0.1-0.0.16850804", "9.1.1", "8.0"),
        ("6.7.0-0.0.8169922", "9.0.0.0100", "8.0"),
    ],
)
def test_a_path_that_is_not_direct_names_its_source(before: str, after: str, first: str) -> None:
    change = classify_images(old_image(before), compose(shop([after]).catalog(), base_image=version_of(after)))

    finding = the(change.findings, "no-direct-upgrade")
    assert finding.remedy == f"upgrade to {first} first"
    assert finding.fact("evidence") in ("confirmed", "inferred")
    assert finding.fact("source").startswith("https://")
    assert f"({finding.fact('evidence')}: {finding.fact('source')})" in finding.cause


@pytest.mark.parametrize(("before", "after"), [("6.7.0-0.0.8169922", "8.0U3"), ("6.5.0-0.0.4564106", "7.0U3g")])
def test_a_direct_path_is_no_finding_and_has_its_cautions_with_sources(before: str, after: str) -> None:
    difference = diff(old_image(before), compose(shop([after]).catalog(), base_image=version_of(after)))

    assert codes(difference.change.findings) == []
    assert any("vmklinux" in caution.text for caution in difference.cautions)
    shown = render_diff(difference)
    assert all(f"{caution.evidence}: {caution.source}" in shown for caution in difference.cautions)


def test_published_releases_have_paths_too() -> None:
    known = {release.name: release for release in KNOWN_RELEASES}

    assert codes(classify_known(known["7.0U3g"], known["9.0.1"]).findings) == ["no-direct-upgrade"]
    assert codes(classify_known(known["8.0U3g"], known["9.0.1"]).findings) == []


# What goes down


@pytest.mark.parametrize(
    ("base", "release", "name", "higher", "lower"),
    [
        ("7.0U3f", "7.0U3g", "Broadcom-lpfc", "14.4.0.0-1OEM.700.1.0.15843807", "14.2.0.0-1OEM.700.1.0.15843807"),
        ("8.0U3", "8.0U3b", "Intel-i40en", "2.9.0.0-1OEM.800.1.0.20143090", "1.14.1.0-1vmw.803.0.0.1"),
    ],
)
def test_a_patch_that_lowers_one_component_is_a_downgrade(
    base: str, release: str, name: str, higher: str, lower: str
) -> None:
    stock = shop([base, release])
    for version in (higher, lower):
        part(stock, name, version, vib(name.lower(), version))
    before = compose(stock.catalog(), base_image=version_of(base), components={name: higher})
    after = compose(stock.catalog(), base_image=version_of(release), components={name: lower})
    change = classify_images(before, after)

    assert (change.kind, change.is_downgrade) == ("patch", True)
    assert [(item.kind, item.name, item.before, item.after) for item in change.lowered] == [
        (LoweredKind.COMPONENT, name, higher, lower)
    ]
    assert f"Goes down         {name} {higher} to {lower}\n" in render_diff(diff(before, after))


@pytest.mark.parametrize(("before", "after"), [("7.0U3g", "7.0U3f"), ("8.0U3e", "7.0U3i")])
def test_of_two_releases_the_base_image_goes_down(before: str, after: str) -> None:
    stock = Stock()
    change = classify_releases(base_image(stock, before), base_image(stock, after))

    assert change.is_downgrade
    assert [str(item) for item in change.lowered] == [f"ESXi {version_of(before)} to {version_of(after)}"]
