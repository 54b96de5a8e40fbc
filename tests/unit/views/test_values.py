"""Every value in every form: the keys of its JSON, and what text, Markdown and HTML say.

Keys may be added, never renamed or dropped (docs/command-line.md).
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, final

import attrs
import pytest
from support.changed_depots import DEPOTS
from support.pages import Page, unmarked

import esximage_builder as eib
from esximage_builder.findings import Finding, Severity
from esximage_builder.rules.classify import Change, ChangeKind
from esximage_builder.views.catalog import catalog_as_dict, sections_of_listing
from esximage_builder.views.diff import diff_as_dict, sections_of_diff
from esximage_builder.views.findings import explanation_as_dict, sections_of_explanations
from esximage_builder.views.html import render_html
from esximage_builder.views.image import sections_of_image
from esximage_builder.views.markdown import render_markdown
from esximage_builder.views.recommendation import recommendation_as_dict, sections_of_recommendation
from esximage_builder.views.report import sections_of_report, short_sections_of_report
from esximage_builder.views.text import render_text
from esximage_builder.views.verification import sections_of_verification

if TYPE_CHECKING:
    from collections.abc import Callable

    from esximage_builder.views.blocks import Section

U3G = DEPOTS / "VMware-ESXi-7.0U3g-20328353-depot.zip"
A08 = DEPOTS / "ACME-ESXi-Addon-703.20328353.A08-depot.zip"
ESXI_67 = DEPOTS / "VMware-ESXi-6.7.0-8169922-depot.zip"
FLUX = DEPOTS / "Acme-flux_1.0.0-1OEM.900.1.0.24000000.zip"

FINDING = {"code", "severity", "message", "items", "facts", "cause", "remedy", "where"}
EXPLANATION = {"code", "severity", "headline", "cause", "remedies", "items"}
CHANGE = {"kind", "is_downgrade", "lowered", "is_security_sibling", "findings"}
ADVICE = {"category", "severity", "urgency", "kb_urls"}
ITEM = {"name", "before", "after", "direction", "cause"}

# Where in a document, and the keys of every object there; ``*`` stands for each entry of a list.
CONTRACT: dict[str, dict[str, set[str]]] = {
    "catalog": {
        "": {
            "sources", "base_images", "add_ons", "components", "bulletins", "profiles", "solutions",
            "hardware_support", "vibs", "findings",
        },
        "base_images.*": {"version", "display_version", "released_at", "components"},
        "add_ons.*": {
            "name", "version", "vendor", "released_at", "supported_base_images", "components", "removed_components",
        },
        "components.*": {"name", "version", "display_name", "display_version", "vendor", "vibs"} | ADVICE,
        "bulletins.*": {"id", "vendor", "vibs"} | ADVICE,
        "profiles.*": {"name", "vendor", "acceptance_level", "vibs"},
        "vibs.*": {
            "id", "name", "version", "vendor", "type", "acceptance_level", "signed", "signatures", "payloads",
            "sources",
        },
        "vibs.*.signatures.*": {
            "status", "trust", "signer", "issuer", "digest_algorithm", "signed_at", "valid_from", "valid_until",
            "problem",
        },
        "vibs.*.payloads.*": {"name", "type", "size"},
    },
    "report": {
        "": {"image", "findings", "security", "inputs", "outputs"},
        "image": {
            "name", "digest", "acceptance_level", "base_image", "add_on", "components", "passed_over",
            "removed_components", "vibs", "reserved_vibs", "profile_change", "boot_bank_bytes", "drivers",
        },
        "image.base_image": {"version"},
        "image.add_on": {"name", "version"},
        "image.components.*": {"name", "version", "source", "rule", "overridden"},
        "image.components.*.overridden.*": {"version", "source"},
        "image.passed_over.*": {"source", "name", "taken", "version", "codes", "beside"},
        "image.removed_components.*": {"name", "source"},
        "image.reserved_vibs.*": {"id", "reason", "winner"},
        "image.drivers.*": {"name", "version", "vendor", "pci_ids"},
        "findings.*": FINDING | {"waived"},
        "inputs.*": {"path", "size_bytes", "sha256"},
        "outputs.*": {"path", "size_bytes", "sha256", "image_digest", "findings"},
        "outputs.*.findings.*": FINDING | {"waived"},
    },
    "diff": {
        "": {
            "change", "impact", "cautions", "security", "base_image", "add_on", "components", "vibs",
            "lost_devices", "dropped_ids",
        },
        "change": CHANGE,
        "add_on": ITEM,
        "components.*": ITEM,
        "vibs.*": ITEM,
    },
    "recommendation": {
        "": {"current_series", "latest", "passed_over"},
        "latest": {"spec", "change", "lowered_components", "warnings", "waived", "cautions", "security"},
        "latest.change": CHANGE,
        "latest.change.findings.*": FINDING,
        "latest.warnings.*": FINDING,
        "passed_over.*": {"base_image", "add_on", "reasons"},
    },
    "verification": {
        "": {"path", "kind", "passed", "checks"},
        "checks.*": {"name", "question", "certainty", "passed", "asked", "why_not_asked", "findings"},
        "checks.*.findings.*": FINDING,
    },
    "explanation": {"": EXPLANATION},
}  # fmt: skip


@final
@attrs.frozen(kw_only=True)
class Values:
    """One of each value that is told of, with something in every list."""

    listing: dict[str, Any]
    image: eib.Image
    report: eib.ValidationReport
    result: eib.ExportResult
    difference: eib.ImageDiff
    recommendation: eib.Recommendation
    verification: eib.Verification
    explanations: tuple[eib.Explanation, ...]

    def document(self, name: str) -> Any:
        documents: dict[str, Callable[[], object]] = {
            "catalog": lambda: self.listing,
            "report": lambda: eib.report_as_dict(self.image, self.report, results=[self.result], inputs=[READ]),
            "diff": lambda: diff_as_dict(self.difference),
            "recommendation": lambda: recommendation_as_dict(self.recommendation),
            "verification": lambda: eib.verification_as_dict(self.verification),
            "explanation": lambda: explanation_as_dict(self.explanations[0]),
        }
        return json.loads(json.dumps(documents[name]()))

    def sections(self, name: str) -> tuple[Section, ...]:
        sections: dict[str, Callable[[], tuple[Section, ...]]] = {
            "catalog": lambda: sections_of_listing(self.listing),
            "image": lambda: sections_of_image(self.image),
            "report": lambda: sections_of_report(self.image, self.report, results=[self.result]),
            "short report": lambda: short_sections_of_report(self.image, self.report, results=[self.result]),
            "diff": lambda: sections_of_diff(self.difference),
            "recommendation": lambda: sections_of_recommendation(self.recommendation),
            "verification": lambda: sections_of_verification(self.verification),
            "explanations": lambda: sections_of_explanations(self.explanations),
        }
        return sections[name]()


READ = eib.InputFile(path=Path("base.zip"), size_bytes=1, sha256="0" * 64)
FOUND = Finding(code="told", severity=Severity.WARNING, message="what is <b>the</b> matter", where="x!y", cause="c")


@pytest.fixture(scope="module")
def values() -> Values:
    with eib.open_depot(U3G, A08, ESXI_67, FLUX) as depot:
        catalog = depot.catalog
        listing = catalog_as_dict(depot) | {"findings": [eib.finding_as_dict(FOUND)]}
    stock = eib.compose(catalog, base_image="7.0U3g")
    image = eib.compose(
        catalog, base_image="7.0U3g", add_on=("ACME-AddOn", "703.20328353.A08"), components={"Acme-flux": None}
    )
    report = eib.validate(image, catalog)
    higher = eib.HigherVersion(version="9.0-1", findings=[FOUND], beside=["c:1"])
    image = attrs.evolve(image, components=[attrs.evolve(part, passed_over=[higher]) for part in image.components])
    change = Change(kind=ChangeKind.PATCH, findings=[FOUND])
    spec = eib.make_spec(base_image="7.0.3-0.55.20328353", add_on=("ACME-AddOn", "703.20328353.A08"))
    suggestion = eib.Suggestion(spec=spec, change=change, lowered_components=["lpfc"], warnings=[FOUND])
    passed = eib.PassedOver(base_image="7.0.3-0.50.20036589", add_on="", reasons=["one", "two"])
    checks = [
        eib.Check(name="whole", question="is it whole?", certainty=eib.Certainty.CONFIRMED),
        eib.Check(name="told", question="is it told?", certainty=eib.Certainty.INFERRED, findings=[FOUND]),
    ]
    return Values(
        listing=listing,
        image=image,
        report=report,
        result=eib.ExportResult(path=Path("x.iso"), size_bytes=1, image_digest=image.digest, findings=[FOUND]),
        difference=attrs.evolve(eib.diff(stock, image), change=change),
        recommendation=eib.Recommendation(latest=suggestion, passed_over=[passed]),
        verification=eib.Verification(path="x.iso", kind="iso", checks=checks),
        explanations=eib.explain_findings(report.findings, catalog=catalog, image=image),
    )


# JSON


def objects_at(document: Any, place: str) -> list[dict[str, Any]]:
    """Return every object at a place; ``*`` goes into each entry of a list."""
    found = [document]
    for step in filter(None, place.split(".")):
        found = [inner for one in found for inner in (one if step == "*" else [one[step]])]
    return found


@pytest.mark.parametrize(
    ("name", "place", "keys"),
    [
        pytest.param(name, place, keys, id=f"{name}: {place or 'top'}")
        for name, places in CONTRACT.items()
        for place, keys in places.items()
    ],
)
def test_every_object_has_exactly_the_keys_of_the_contract(
    values: Values, name: str, place: str, keys: set[str]
) -> None:
    found = objects_at(values.document(name), place)

    assert found, "the test sees at least one"
    for one in found:
        assert set(one) == keys


# Pages

TOLD = [
    pytest.param("catalog", ["Acme-Agent", "ACM_bootbank_acme-flux_1.0.0-1OEM.900.1.0.24000000"], id="catalog"),
    pytest.param("image", ["ACME-AddOn", "HPE-hpv2-hpsa-plugin", "PartnerSupported"], id="image"),
    pytest.param("report", ["missing-dependency", "x.iso", "Drivers"], id="report"),
    pytest.param("short report", ["missing-dependency", "x.iso"], id="short report"),
    pytest.param(
        "diff", ["REBOOT_REQUIRED", "222.0.118.0-1OEM.700.1.0.15843807", "with component Acme-flux"], id="diff"
    ),
    pytest.param(
        "recommendation", ["Nothing newer fits.", "ACME-AddOn:703.20328353.A08: patch", "one; two"], id="recommendation"
    ),
    pytest.param("verification", ["x.iso: passed as iso", "is it told? (inferred)"], id="verification"),
    pytest.param("explanations", ["missing-dependency", "vmkapi 9.9"], id="explanations"),
]


@pytest.mark.parametrize(("name", "words"), TOLD)
def test_every_form_of_every_value_says_it(values: Values, name: str, words: list[str]) -> None:
    """One set of sections, three painters."""
    sections = values.sections(name)
    if name not in ("image", "explanations"):
        words = [*words, "told", "what is <b>the</b> matter"]
    forms = [
        " ".join(render_text(sections).split()),
        unmarked(render_markdown(sections, "A page")),
        Page(render_html(sections, "A page")).text,
    ]

    assert [word for word in words for form in forms if word not in form] == []


@pytest.mark.parametrize("name", [param.id for param in TOLD])
def test_every_page_loads_nothing_and_lets_nothing_in(values: Values, name: str) -> None:
    text = render_html(values.sections(name), "A <b>page</b>")
    page = Page(text)

    assert page.count("b") == 0
    assert page.count("script") == (page.count("div", **{"class": "scroll long"}) > 0)
    assert page.count("meta", **{"http-equiv": "Content-Security-Policy"}) == 1
    assert {tag for tag, _ in page.tags}.isdisjoint({"link", "img", "iframe", "object", "form"})
    assert not [key for _, found in page.tags for key in found if key in ("src", "style") or key.startswith("on")]


def test_tables_in_text_are_aligned(values: Values) -> None:
    """The second column begins at one place in every row."""
    lines = render_text(values.sections("diff")).splitlines()
    start = lines.index("Components") + 1
    head, *rows = lines[start : lines.index("", start)]
    column = head.index("Before")

    assert len(rows) > 1
    assert {row[column - 2 : column] for row in rows} == {"  "}
    assert all(row[column] != " " for row in rows)


def test_the_short_report_puts_findings_before_changes_and_outputs_last(values: Values) -> None:
    titles = [section.title for section in values.sections("short report")]

    assert titles == [
        values.image.name,
        "Base image and add-on",
        "Findings",
        "Changes to the base image",
        "Versions passed over",
        "Removed components",
        "Reserved VIBs",
        "Outputs",
    ]
    assert "Reserved VIBs are carried in bundles" not in render_text(values.sections("short report"))


def test_the_place_of_a_finding_is_left_out_where_it_is_the_file_itself() -> None:
    here, inside = FOUND, attrs.evolve(FOUND, where="x.iso!VMX.V00")
    checks = [eib.Check(name="n", question="q", certainty=eib.Certainty.CONFIRMED, findings=[here, inside])]
    text = eib.render_verification(eib.Verification(path="x!y", kind="iso", checks=checks))

    assert [line.strip() for line in text.splitlines() if "where: " in line] == ["where: x.iso!VMX.V00"]
