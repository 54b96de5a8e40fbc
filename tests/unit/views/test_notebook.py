"""What a notebook shows: the same sections as the reports, in a piece of a page that touches nothing else."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from support.changed_depots import DEPOTS
from support.pages import HOSTILE, Page

import esximage_builder as eib
from esximage_builder.shown import ShownAsPage
from esximage_builder.views.blocks import Paragraph, Section
from esximage_builder.views.html import render_fragment
from esximage_builder.views.notebook import page_of

if TYPE_CHECKING:
    from collections.abc import Iterator

BASE, ADD_ON = "VMware-ESXi-7.0U3g-20328353-depot.zip", "ACME-ESXi-Addon-703.20328353.A08-depot.zip"
PLAN = eib.RemediationPlan(image="i", status=eib.ComplianceStatus.COMPLIANT, impact="NO_IMPACT", hosts=[])


@pytest.fixture(scope="module")
def depot() -> Iterator[eib.Depot]:
    with eib.open_depot(DEPOTS / BASE, DEPOTS / ADD_ON) as opened:
        yield opened


@pytest.fixture(scope="module")
def image(depot: eib.Depot) -> eib.Image:
    return eib.compose(depot.catalog, base_image="7.0 U3g", add_on="ACME-AddOn")


def shown(value: Any) -> Page:
    return Page(value._repr_html_())


def test_an_image_shows_who_brought_and_who_won(image: eib.Image) -> None:
    page = shown(image)
    assert page.texts[0] == image.name
    won = [entry for entry in image.components if entry.overridden]
    assert won
    for entry in won:
        assert entry.overridden[0].component.version.text in page.text
    for entry in image.components:
        assert entry.component.name in page.text


@pytest.mark.parametrize("of", ["depot", "catalog"])
def test_a_depot_shows_what_is_loaded_and_reads_no_vib(depot: eib.Depot, of: str) -> None:
    value = depot if of == "depot" else depot.catalog
    page = shown(value)
    assert page.texts[0] == f"{of.title()} of 2 sources"
    assert "ACME-AddOn" in page.text
    assert all(vib.name in page.text for vib in depot.catalog.vibs)


def test_a_closed_depot_still_shows() -> None:
    with eib.open_depot(DEPOTS / BASE) as opened:
        pass
    assert "Depot of 1 source" in shown(opened).text


def test_a_report_says_its_verdict_first(image: eib.Image, depot: eib.Depot) -> None:
    report = eib.validate(image, depot.catalog)
    page = shown(report)
    assert page.texts[:2] == ["Validation", "The image is valid."]
    assert all(finding.code in page.text for finding in report.findings)
    wrong = report.with_findings([eib.Finding(code="x-y", severity=eib.Severity.ERROR, message="m")])
    assert shown(wrong).texts[1] == "The image is not valid."
    assert "1 finding" in shown(wrong).text


def test_what_comes_of_an_image_shows(image: eib.Image, depot: eib.Depot) -> None:
    bare = eib.compose(depot.catalog, base_image="7.0 U3g")
    assert bare.spec is not None
    assert "The images are equal." in shown(eib.diff(image, image)).text
    assert "ACME-AddOn" in shown(eib.diff(bare, image)).text
    assert shown(eib.recommend(depot.catalog, bare.spec)).texts[0] == "Recommendation"
    cluster = eib.ClusterCompliance(image="i", status=eib.ComplianceStatus.COMPLIANT)
    assert shown(cluster).texts[0] == "Compliance"
    assert shown(PLAN).texts[0] == "Remediation with i"
    assert shown(eib.HardwareReport(image="i")).texts[0] == "Hardware"
    assert "Verification of" in shown(eib.verify_bundle(DEPOTS / BASE)).texts[0]


def test_no_other_page_is_touched(image: eib.Image) -> None:
    """Every rule of the style begins with the class of the piece, and there is no script."""
    page = image._repr_html_()
    (style,) = re.findall(r"<style>(.*?)</style>", page, re.DOTALL)
    selectors = [part.strip() for rule in re.findall(r"([^{}]+)\{", style) for part in rule.split(",")]
    assert selectors
    assert all(selector.startswith(".esximage") for selector in selectors)
    assert "<script" not in page
    assert Page(page).count("html") == Page(page).count("body") == 0


def test_hostile_texts_stay_texts() -> None:
    page = Page(render_fragment([Section(HOSTILE, [Paragraph(HOSTILE)])], HOSTILE))
    assert page.count("script") == 0
    assert page.text.count("alert(") == 3


def test_every_class_that_says_it_has_a_page_has_one() -> None:
    """The table of pages names them all, and no other class is taken for one of them."""
    kinds = {kind for name in dir(eib) if isinstance(kind := getattr(eib, name), type)}
    with_page = {kind.__name__ for kind in kinds if issubclass(kind, ShownAsPage)}
    assert with_page == {
        "Catalog", "ClusterCompliance", "Depot", "HardwareReport", "Image", "ImageDiff", "Recommendation",
        "RemediationPlan", "ValidationReport", "Verification",
    }  # fmt: skip
    with pytest.raises(TypeError, match="int has no page"):
        page_of(1)
