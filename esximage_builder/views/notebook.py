"""Values as a notebook shows them: the sections of their reports, in tables that fit a light page and a dark one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from esximage_builder.depot.opening import Depot
from esximage_builder.findings import Severity
from esximage_builder.hosts.hardware import HardwareReport
from esximage_builder.models.catalog import Catalog
from esximage_builder.models.compliance import ClusterCompliance
from esximage_builder.models.image import Image
from esximage_builder.models.remediation import RemediationPlan
from esximage_builder.rules.diff import ImageDiff
from esximage_builder.rules.recommend import Recommendation
from esximage_builder.rules.validate import ValidationReport
from esximage_builder.verify.checklist import Verification
from esximage_builder.views.blocks import Facts, Paragraph, Section, Table, filled_sections
from esximage_builder.views.compliance import sections_of_compliance
from esximage_builder.views.diff import sections_of_diff
from esximage_builder.views.findings import cause_of_finding
from esximage_builder.views.hardware import sections_of_hardware
from esximage_builder.views.html import render_fragment
from esximage_builder.views.image import count_text, sections_of_image
from esximage_builder.views.plan import sections_of_plan
from esximage_builder.views.recommendation import sections_of_recommendation
from esximage_builder.views.verification import sections_of_verification

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import Any

    from esximage_builder.findings import Finding
    from esximage_builder.views.blocks import Block

__all__ = ["page_of"]


def page_of(value: object) -> str:
    """Return one of the values that have pages as a piece of HTML, with its own style and nothing else.

    Raises:
        TypeError: The value has no page.
    """
    for kind, title, sections in _PAGES:
        if isinstance(value, kind):
            return render_fragment(sections(value), title(value))
    raise TypeError(f"{type(value).__name__} has no page")


def _sections_of_catalog(catalog: Catalog) -> tuple[Section, ...]:
    """Return what is loaded, without a look into any VIB: a cell that ends with a depot shall not read it all."""
    return filled_sections(
        (
            Section("Sources", map(Paragraph, catalog.sources)),
            Section(
                "Base images",
                _table(("Version", "Shown as"), ((u.version.text, u.display_version) for u in catalog.base_images)),
            ),
            Section(
                "Add-ons",
                _table(("Name", "Version", "Vendor"), ((u.name, u.version.text, u.vendor) for u in catalog.add_ons)),
            ),
            Section(
                "Components",
                _table(
                    ("Name", "Version", "Vendor"),
                    ((c.name, c.version.text, c.bulletin.vendor) for c in catalog.components),
                    is_long=True,
                ),
            ),
            Section(
                "VIBs",
                _table(
                    ("Name", "Version", "Vendor", "Acceptance level"),
                    ((v.name, v.version.text, v.vendor, v.acceptance_level.display) for v in catalog.vibs),
                    is_long=True,
                ),
            ),
            Section("Findings", map(cause_of_finding, catalog.findings)),
        )
    )


def _table(columns: tuple[str, ...], rows: Iterable[tuple[str, ...]], *, is_long: bool = False) -> Iterator[Block]:
    found = tuple(rows)
    if found:
        yield Table(columns=columns, rows=found, is_long=is_long)


def _sections_of_report(report: ValidationReport) -> tuple[Section, ...]:
    counts = [
        (severity.value, count_text(len(found), "finding"))
        for severity in Severity
        if (found := [finding for finding in report.findings if finding.severity is severity])
    ]
    verdict = Paragraph("The image is valid." if report.is_valid else "The image is not valid.")
    blocks: list[Block] = [verdict, *([Facts(counts)] if counts else [])]
    return (Section("", blocks), *_findings(report.findings))


def _findings(findings: Iterable[Finding]) -> tuple[Section, ...]:
    return filled_sections((Section("Findings", map(cause_of_finding, findings)),))


_PAGES: tuple[tuple[type, Callable[[Any], str], Callable[[Any], tuple[Section, ...]]], ...] = (
    (Depot, lambda depot: f"Depot of {count_text(len(depot.catalog.sources), 'source')}",
     lambda depot: _sections_of_catalog(depot.catalog)),
    (Catalog, lambda catalog: f"Catalog of {count_text(len(catalog.sources), 'source')}", _sections_of_catalog),
    (Image, lambda image: image.name, sections_of_image),
    (ValidationReport, lambda _: "Validation", _sections_of_report),
    (ImageDiff, lambda _: "Difference", sections_of_diff),
    (Recommendation, lambda _: "Recommendation", sections_of_recommendation),
    (ClusterCompliance, lambda _: "Compliance", sections_of_compliance),
    (RemediationPlan, lambda plan: f"Remediation with {plan.image}", sections_of_plan),
    (HardwareReport, lambda _: "Hardware", sections_of_hardware),
    (Verification, lambda found: f"Verification of {found.path}", sections_of_verification),
)  # fmt: skip
