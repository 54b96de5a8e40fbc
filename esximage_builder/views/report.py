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
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from esximage_builder.depot.input_file import InputFile
    from esximage_builder.export.result import ExportResult
    from esximage_builder.findings import Finding
    from esximage_builder.models.catalog import Catalog
    from esximage_builder.models.image import Image
    from esximage_builder.rules.explain import Explanation
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
    inputs: Iterable[InputFile] = (),
    catalog: Catalog | None = None,
) -> dict[str, object]:
    """Return the whole report as JSON has it.

    Args:
        image: What was composed.
        report: Its validation.
        allow: Codes of errors that were waived.
        results: What was written.
        inputs: What it was made from.
        catalog: What is loaded, for security bulletins that the image lacks; None goes without.
    """
    waived, written = set(allow), tuple(results)
    return {
        "image": image_as_dict(image),
        "findings": [finding_as_dict(finding) | {"waived": is_waived(finding, waived)} for finding in report.findings],
        "security": standing_as_dict(security_of(image, catalog)),
        "inputs": [
            {"path": str(file.path), "size_bytes": file.size_bytes, "sha256": file.sha256 or None} for file in inputs
        ],
        "outputs": [
            {
                "path": str(result.path),
                "size_bytes": result.size_bytes,
                "sha256": result.sha256 or None,
                "image_digest": result.image_digest,
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
    inputs: Iterable[InputFile] = (),
    catalog: Catalog | None = None,
) -> str:
    """Return the report for people at a terminal: short, findings with cause and remedy.

    Args:
        image: What was composed.
        report: Its validation.
        allow: Codes of errors that were waived.
        results: What was written.
        inputs: What it was made from.
        catalog: What is loaded, for replacements to suggest and security bulletins that the image lacks;
            None goes without.
    """
    return render_text(
        short_sections_of_report(image, report, allow=allow, results=results, inputs=inputs, catalog=catalog)
    )


def render_markdown_report(
    image: Image,
    report: ValidationReport,
    *,
    allow: Iterable[str] = (),
    results: Iterable[ExportResult] = (),
    inputs: Iterable[InputFile] = (),
    catalog: Catalog | None = None,
) -> str:
    """Return the long report as Markdown.

    Args:
        image: What was composed.
        report: Its validation.
        allow: Codes of errors that were waived.
        results: What was written.
        inputs: What it was made from.
        catalog: What is loaded, for replacements to suggest and security bulletins that the image lacks;
            None goes without.
    """
    sections = sections_of_report(image, report, allow=allow, results=results, inputs=inputs, catalog=catalog)
    return render_markdown(sections, image.name)


def render_html_report(
    image: Image,
    report: ValidationReport,
    *,
    allow: Iterable[str] = (),
    results: Iterable[ExportResult] = (),
    inputs: Iterable[InputFile] = (),
    catalog: Catalog | None = None,
) -> str:
    """Return the long report as one HTML page that loads nothing.

    Args:
        image: What was composed.
        report: Its validation.
        allow: Codes of errors that were waived.
        results: What was written.
        inputs: What it was made from.
        catalog: What is loaded, for replacements to suggest and security bulletins that the image lacks;
            None goes without.
    """
    sections = sections_of_report(image, report, allow=allow, results=results, inputs=inputs, catalog=catalog)
    return render_html(sections, image.name)


def sections_of_report(
    image: Image,
    report: ValidationReport,
    *,
    allow: Iterable[str] = (),
    results: Iterable[ExportResult] = (),
    inputs: Iterable[InputFile] = (),
    catalog: Catalog | None = None,
) -> tuple[Section, ...]:
    """Return the sections of the long report, those with nothing to say left out.

    It is kept beside a change: the verdict and what is wrong come first, then which files went in and which
    came out, then what the image is.
    """
    codes, written = frozenset(allow), tuple(results)
    waived = _waived_findings(report, allow=codes, results=written)
    return filled_sections(
        (
            Section("Summary", [_verdict(report, waived), image_facts(image)]),
            Section("Findings", _wrong(image, report, codes, catalog, written)),
            Section("Waivers", _waivers(waived)),
            Section("Inputs", _inputs(inputs)),
            Section("Outputs", _outputs(written, _notes_of_output)),
            unit_section(image),
            *change_sections(image),
            acceptance_section(image),
            Section("Security", blocks_of_standing(security_of(image, catalog))),
            Section("Notes", map(cause_of_explanation, _explained(image, report, catalog, are_notes=True))),
            *content_sections(image),
        )
    )


def short_sections_of_report(
    image: Image,
    report: ValidationReport,
    *,
    allow: Iterable[str] = (),
    results: Iterable[ExportResult] = (),
    inputs: Iterable[InputFile] = (),
    catalog: Catalog | None = None,
) -> tuple[Section, ...]:
    """Return the sections that stand on a terminal: findings early, what was written at the end."""
    codes, written = frozenset(allow), tuple(results)
    waived = _waived_findings(report, allow=codes, results=written)
    return filled_sections(
        (
            Section(image.name, [image_facts(image), _verdict(report, waived)]),
            unit_section(image),
            Section("Findings", _findings(image, report, codes, catalog)),
            Section("Security", blocks_of_standing(security_of(image, catalog))),
            *change_sections(image),
            Section("Inputs", _inputs(inputs)),
            Section("Outputs", _outputs(written, lambda result: _output_findings(result, report), stated=image.digest)),
        )
    )


def _waived_findings(
    report: ValidationReport, *, allow: Iterable[str], results: Iterable[ExportResult]
) -> tuple[Finding, ...]:
    """Return every error that was waived, of the image and of the exports, each once."""
    codes = set(allow)
    own = [finding for finding in report.findings if is_waived(finding, codes)]
    found: dict[tuple[object, ...], Finding] = {}
    for finding in (*own, *(finding for result in results for finding in result.waived)):
        found.setdefault(_what(finding), finding)
    return tuple(found.values())


def _output_findings(result: ExportResult, report: ValidationReport) -> tuple[Finding, ...]:
    """Return what one export had to say itself, its own waived errors first."""
    told = {_what(finding) for finding in report.findings}
    own_waived = [finding for finding in result.waived if _what(finding) not in told]
    return (*own_waived, *result.findings)


def _what(finding: Finding) -> tuple[object, ...]:
    """Return what is found, without the remedy: an export may know less to suggest than the report."""
    return (finding.code, finding.message, finding.items)


def _verdict(report: ValidationReport, waived: Sequence[Finding]) -> Paragraph:
    counts = {severity: sum(f.severity is severity for f in report.findings) for severity in Severity}
    allowed = {_what(finding) for finding in waived}
    open_errors = sum(_what(finding) not in allowed for finding in report.errors)
    parts = [
        count_text(open_errors, "error"),
        *([f"{count_text(len(waived), 'error')} waived"] if waived else []),
        count_text(counts[Severity.WARNING], "warning"),
        count_text(counts[Severity.INFO], "note"),
    ]
    verdict = "The image has errors and is not to be written." if open_errors else "The image has no open errors."
    labels = {"error": open_errors, "waived": len(waived), "warning": counts[Severity.WARNING]}
    label = next((name for name, count in labels.items() if count), "ok")
    return Paragraph(f"{verdict} Found: {', '.join(parts)}.", label=label)


def _findings(
    image: Image, report: ValidationReport, codes: frozenset[str], catalog: Catalog | None
) -> Iterator[Block]:
    """Yield all that was found on the image."""
    if not report.findings:
        yield Paragraph("No findings.")
    for explained in explain_findings(report.findings, catalog=catalog, image=image):
        yield cause_of_explanation(explained, waived=codes)


def _wrong(
    image: Image,
    report: ValidationReport,
    codes: frozenset[str],
    catalog: Catalog | None,
    results: Sequence[ExportResult],
) -> Iterator[Block]:
    """Yield errors, then warnings: of the image, and of the exports those that are not the image's, each once."""
    of_image = [(entry, is_waived(entry, codes)) for entry in _explained(image, report, catalog, are_notes=False)]
    of_exports = dict.fromkeys(
        finding
        for result in results
        for finding in _output_findings(result, report)
        if finding.severity is not Severity.INFO
    )
    allowed = {finding.code for result in results for finding in result.waived}
    listed = [*of_image, *((entry, is_waived(entry, allowed)) for entry in explain_findings(of_exports))]
    if not listed:
        yield Paragraph("No errors and no warnings." if report.findings else "No findings.")
    for entry, is_allowed in sorted(listed, key=lambda pair: (pair[0].severity.rank, pair[1])):
        yield cause_of_explanation(entry, waived={entry.code} if is_allowed else ())


def _explained(
    image: Image, report: ValidationReport, catalog: Catalog | None, *, are_notes: bool
) -> Iterator[Explanation]:
    """Yield what was found on the image, the notes or all the others."""
    found = explain_findings(report.findings, catalog=catalog, image=image)
    return (entry for entry in found if (entry.severity is Severity.INFO) == are_notes)


def _inputs(files: Iterable[InputFile]) -> Iterator[Block]:
    rows = [(str(file.path), _size(file), file.sha256 or "not known") for file in files]
    if rows:
        yield Table(columns=("File", "Size", "SHA-256"), rows=rows)


def _size(file: InputFile) -> str:
    return "no file" if file.size_bytes is None else bytes_text(file.size_bytes)


def _waivers(waived: Sequence[Finding]) -> Iterator[Block]:
    if waived:
        yield Paragraph(_WAIVED, is_aside=True)
        yield Table(columns=("Code", "What was allowed"), rows=[(f.code, f.message) for f in waived])


def _mapped(finding: Finding) -> tuple[str, ...]:
    return (finding.fact("vib"), finding.fact("payload"), finding.fact("name_on_disc"))


def _outputs(
    results: Iterable[ExportResult], findings_of: Callable[[ExportResult], Sequence[Finding]], *, stated: str = ""
) -> Iterator[Block]:
    """Yield each file and what is to be said of it; an image digest that the page states already is left out."""
    return itertools.chain.from_iterable(_output(result, findings_of(result), stated) for result in results)


def _notes_of_output(result: ExportResult) -> tuple[Finding, ...]:
    return tuple(finding for finding in result.findings if finding.severity is Severity.INFO)


def _output(result: ExportResult, own: Sequence[Finding], stated: str) -> Iterator[Block]:
    yield Facts(
        [
            ("File", str(result.path)),
            ("Size", bytes_text(result.size_bytes)),
            *([("SHA-256", result.sha256)] if result.sha256 else []),
            *([("Image digest", result.image_digest)] if result.image_digest != stated else []),
        ]
    )
    mapped = [finding for finding in own if has_code(finding, "local-name-mapped")]
    if mapped:
        yield Paragraph("These files have another name on the disc than the local-name rule gives:")
        yield Table(columns=("VIB", "Payload", "Name on disc"), rows=map(_mapped, mapped))
    codes = frozenset(finding.code for finding in result.waived)
    for explained in explain_findings(finding for finding in own if finding not in mapped):
        yield cause_of_explanation(explained, waived=codes)
