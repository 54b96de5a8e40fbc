"""The report on an image: what it is, what was found, what was written.

Markdown and HTML hold all of it. Text is for the terminal and short: it leaves out what few will read,
and ends with what was written.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from esximage_builder.codes import has_code
from esximage_builder.findings import Severity
from esximage_builder.rules.explain import explain_findings
from esximage_builder.rules.security import security_of
from esximage_builder.views.blocks import Facts, Paragraph, Section, Table, filled_sections
from esximage_builder.views.findings import cause_of_explanation, finding_as_dict, is_waived
from esximage_builder.views.html import render_html
from esximage_builder.views.image import (
    acceptance_section,
    bytes_text,
    change_sections,
    content_sections,
    count_text,
    image_as_dict,
    image_facts,
    unit_section,
)
from esximage_builder.views.markdown import render_markdown
from esximage_builder.views.security import blocks_of_standing, standing_as_dict
from esximage_builder.views.text import render_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from esximage_builder.export.result import ExportResult
    from esximage_builder.findings import Finding
    from esximage_builder.models.catalog import Catalog
    from esximage_builder.models.image import Image
    from esximage_builder.rules.validate import ValidationReport
    from esximage_builder.views.blocks import Block

__all__ = [
    "render_html_report",
    "render_markdown_report",
    "render_text_report",
    "report_as_dict",
    "sections_of_report",
    "short_sections_of_report",
]

_WAIVED = "These errors were found and allowed by code, so they keep nothing from being written."


def report_as_dict(
    image: Image,
    report: ValidationReport,
    *,
    allow: Iterable[str] = (),
    results: Iterable[ExportResult] = (),
    catalog: Catalog | None = None,
) -> dict[str, object]:
    """Return the whole report as JSON has it.

    Args:
        image: What was composed.
        report: Its validation.
        allow: Codes of errors that were waived.
        results: What was written.
        catalog: What is loaded, for security bulletins that the image lacks; None goes without.
    """
    waived, written = set(allow), tuple(results)
    return {
        "image": image_as_dict(image),
        "findings": [finding_as_dict(finding) | {"waived": is_waived(finding, waived)} for finding in report.findings],
        "security": standing_as_dict(security_of(image, catalog)),
        "outputs": [
            {
                "path": str(result.path),
                "size_bytes": result.size_bytes,
                "findings": [
                    finding_as_dict(finding) | {"waived": finding in result.waived}
                    for finding in _output_findings(result, report)
                ],
            }
            for result in written
        ],
    }


def render_text_report(
    image: Image,
    report: ValidationReport,
    *,
    allow: Iterable[str] = (),
    results: Iterable[ExportResult] = (),
    catalog: Catalog | None = None,
) -> str:
    """Return the report for people at a terminal: short, findings with cause and remedy.

    Args:
        image: What was composed.
        report: Its validation.
        allow: Codes of errors that were waived.
        results: What was written.
        catalog: What is loaded, for replacements to suggest and security bulletins that the image lacks;
            None goes without.
    """
    return render_text(short_sections_of_report(image, report, allow=allow, results=results, catalog=catalog))


def render_markdown_report(
    image: Image,
    report: ValidationReport,
    *,
    allow: Iterable[str] = (),
    results: Iterable[ExportResult] = (),
    catalog: Catalog | None = None,
) -> str:
    """Return the long report as Markdown.

    Args:
        image: What was composed.
        report: Its validation.
        allow: Codes of errors that were waived.
        results: What was written.
        catalog: What is loaded, for replacements to suggest and security bulletins that the image lacks;
            None goes without.
    """
    sections = sections_of_report(image, report, allow=allow, results=results, catalog=catalog)
    return render_markdown(sections, image.name)


def render_html_report(
    image: Image,
    report: ValidationReport,
    *,
    allow: Iterable[str] = (),
    results: Iterable[ExportResult] = (),
    catalog: Catalog | None = None,
) -> str:
    """Return the long report as one HTML page that loads nothing and runs nothing.

    Args:
        image: What was composed.
        report: Its validation.
        allow: Codes of errors that were waived.
        results: What was written.
        catalog: What is loaded, for replacements to suggest and security bulletins that the image lacks;
            None goes without.
    """
    sections = sections_of_report(image, report, allow=allow, results=results, catalog=catalog)
    return render_html(sections, image.name)


def sections_of_report(
    image: Image,
    report: ValidationReport,
    *,
    allow: Iterable[str] = (),
    results: Iterable[ExportResult] = (),
    catalog: Catalog | None = None,
) -> tuple[Section, ...]:
    """Return the sections of the long report, those with nothing to say left out."""
    codes, written = frozenset(allow), tuple(results)
    waived = _waived_findings(report, allow=codes, results=written)
    return filled_sections(
        (
            Section("Summary", _summary(image, report, waived)),
            unit_section(image),
            *change_sections(image),
            acceptance_section(image),
            Section("Findings", _findings(image, report, codes, catalog)),
            Section("Security", blocks_of_standing(security_of(image, catalog))),
            Section("Waivers", _waivers(waived)),
            Section("Outputs", _outputs(written, report)),
            *content_sections(image),
        )
    )


def short_sections_of_report(
    image: Image,
    report: ValidationReport,
    *,
    allow: Iterable[str] = (),
    results: Iterable[ExportResult] = (),
    catalog: Catalog | None = None,
) -> tuple[Section, ...]:
    """Return the sections that stand on a terminal: findings early, what was written at the end."""
    codes, written = frozenset(allow), tuple(results)
    waived = _waived_findings(report, allow=codes, results=written)
    return filled_sections(
        (
            Section(image.name, _summary(image, report, waived)),
            unit_section(image),
            Section("Findings", _findings(image, report, codes, catalog)),
            Section("Security", blocks_of_standing(security_of(image, catalog))),
            *change_sections(image),
            Section("Outputs", _outputs(written, report)),
        )
    )


def _waived_findings(
    report: ValidationReport, *, allow: Iterable[str], results: Iterable[ExportResult]
) -> tuple[Finding, ...]:
    """Return every error that was waived, of the image and of the exports, each once."""
    codes = set(allow)
    own = [finding for finding in report.findings if is_waived(finding, codes)]
    return tuple(dict.fromkeys((*own, *(finding for result in results for finding in result.waived))))


def _output_findings(result: ExportResult, report: ValidationReport) -> tuple[Finding, ...]:
    """Return what one export had to say itself, its own waived errors first."""
    own_waived = [finding for finding in result.waived if finding not in report.findings]
    return (*own_waived, *result.findings)


def _summary(image: Image, report: ValidationReport, waived: Sequence[Finding]) -> Iterator[Block]:
    yield image_facts(image)
    counts = {severity: sum(f.severity is severity for f in report.findings) for severity in Severity}
    open_errors = counts[Severity.ERROR] - sum(finding in waived for finding in report.errors)
    parts = [
        count_text(open_errors, "error"),
        *([f"{count_text(len(waived), 'error')} waived"] if waived else []),
        count_text(counts[Severity.WARNING], "warning"),
        count_text(counts[Severity.INFO], "note"),
    ]
    verdict = "The image has errors and is not to be written." if open_errors else "The image has no open errors."
    yield Paragraph(f"{verdict} Found: {', '.join(parts)}.")


def _findings(
    image: Image, report: ValidationReport, codes: frozenset[str], catalog: Catalog | None
) -> Iterator[Block]:
    if not report.findings:
        yield Paragraph("No findings.")
    for explained in explain_findings(report.findings, catalog=catalog, image=image):
        yield cause_of_explanation(explained, waived=codes)


def _waivers(waived: Sequence[Finding]) -> Iterator[Block]:
    if waived:
        yield Paragraph(_WAIVED, is_aside=True)
        yield Table(columns=("Code", "What was allowed"), rows=[(f.code, f.message) for f in waived])


def _mapped(finding: Finding) -> tuple[str, ...]:
    return (finding.fact("vib"), finding.fact("payload"), finding.fact("name_on_disc"))


def _outputs(results: Iterable[ExportResult], report: ValidationReport) -> Iterator[Block]:
    return itertools.chain.from_iterable(_output(result, report) for result in results)


def _output(result: ExportResult, report: ValidationReport) -> Iterator[Block]:
    yield Facts([("File", str(result.path)), ("Size", bytes_text(result.size_bytes))])
    own = _output_findings(result, report)
    mapped = [finding for finding in own if has_code(finding, "local-name-mapped")]
    if mapped:
        yield Paragraph("These files have another name on the disc than the local-name rule gives:")
        yield Table(columns=("VIB", "Payload", "Name on disc"), rows=map(_mapped, mapped))
    codes = frozenset(finding.code for finding in result.waived)
    for explained in explain_findings(finding for finding in own if finding not in mapped):
        yield cause_of_explanation(explained, waived=codes)
