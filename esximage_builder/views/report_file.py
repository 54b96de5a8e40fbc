"""Writing a report into a file; the file's suffix says in which form."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from esximage_builder.errors import ModelError
from esximage_builder.export.result import ExportResult, result_of_data
from esximage_builder.limits import ReadLimits
from esximage_builder.streams.identity import input_files
from esximage_builder.streams.target import prepare_target
from esximage_builder.streams.whole_file import write_file
from esximage_builder.views.compliance import (
    render_compliance,
    render_html_compliance,
    render_markdown_compliance,
)
from esximage_builder.views.compliance_json import cluster_compliance_as_dict
from esximage_builder.views.plan import render_html_plan, render_markdown_plan, render_plan
from esximage_builder.views.plan_json import plan_as_dict
from esximage_builder.views.report import (
    render_html_report,
    render_markdown_report,
    render_text_report,
    report_as_dict,
)
from esximage_builder.views.sarif import findings_as_sarif

if TYPE_CHECKING:
    from collections.abc import Iterable

    from esximage_builder.depot.input_file import InputFile
    from esximage_builder.hosts.drift import Drift
    from esximage_builder.models.catalog import Catalog
    from esximage_builder.models.compliance import ClusterCompliance
    from esximage_builder.models.image import Image
    from esximage_builder.models.remediation import RemediationPlan
    from esximage_builder.rules.validate import ValidationReport

__all__ = ["REPORT_SUFFIXES", "require_report_suffix", "write_compliance", "write_plan", "write_report"]

_PLAN_RENDERERS = {".txt": render_plan, ".md": render_markdown_plan, ".html": render_html_plan}
REPORT_SUFFIXES = (".txt", ".json", ".md", ".html")
_SARIF = ".sarif"
_RENDERERS = {".txt": render_text_report, ".md": render_markdown_report, ".html": render_html_report}
_COMPLIANCE_RENDERERS = {
    ".txt": render_compliance,
    ".md": render_markdown_compliance,
    ".html": render_html_compliance,
}


def require_report_suffix(target: str | Path, *, is_of_image: bool = False) -> str:
    """Return the suffix of a report's file name in lower case.

    Args:
        target: The file.
        is_of_image: Whether the report is about an image, whose findings can be written as SARIF too.

    Raises:
        ModelError: No form of report has it.
    """
    suffix = Path(target).suffix.lower()
    known = (*REPORT_SUFFIXES, _SARIF) if is_of_image else REPORT_SUFFIXES
    if suffix not in known:
        raise ModelError(
            "the name of a report must say its form",
            where=str(target),
            found=suffix or "no suffix",
            expected=" or ".join(known),
        )
    return suffix


def write_report(
    image: Image,
    report: ValidationReport,
    target: str | Path,
    *,
    allow: Iterable[str] = (),
    results: Iterable[ExportResult] = (),
    inputs: Iterable[InputFile] = (),
    catalog: Catalog | None = None,
    overwrite: bool = False,
) -> ExportResult:
    """Write a report: text, JSON, Markdown, HTML or SARIF, as the suffix says; SARIF holds the findings alone.

    Args:
        image: What was composed; with errors or without.
        report: Its validation.
        target: The file, ending in ``.txt``, ``.json``, ``.md``, ``.html`` or ``.sarif``; it appears whole or not
            at all.
        allow: Codes of errors that were waived.
        results: What was written.
        inputs: What it was made from, as ``measured_inputs`` returns it.
        catalog: What is loaded, for replacements to suggest in what people read; None goes without. The
            report is no file of its sources.
        overwrite: Replace a file that is there; never one that is read, nor one of the results.

    Raises:
        ModelError: Another suffix.
        ExportError: The file is there already, is one that is read, or cannot be written.
    """
    suffix = require_report_suffix(target, is_of_image=True)
    codes, written, read = tuple(allow), tuple(results), tuple(inputs)
    known = [result.path for result in written] + [file.path for file in read]
    known += map(Path, catalog.sources if catalog else ())
    place = prepare_target(target, inputs=input_files(known, most=ReadLimits().member_count), overwrite=overwrite)
    if suffix == ".json":
        document = report_as_dict(image, report, allow=codes, results=written, inputs=read, catalog=catalog)
        text = json.dumps(document, indent=2) + "\n"
    elif suffix == _SARIF:
        found = dict.fromkeys((*report.findings, *(finding for result in written for finding in result.findings)))
        about = str(read[0].path) if read else image.name
        text = json.dumps(findings_as_sarif(found, about=about, allow=codes), indent=2) + "\n"
    else:
        text = _RENDERERS[suffix](image, report, allow=codes, results=written, inputs=read, catalog=catalog)
    data = text.encode(errors="backslashreplace")  # paths may hold what UTF-8 does not
    write_file(place, data)
    return result_of_data(Path(target), data, image_digest=image.digest)


def write_compliance(
    cluster: ClusterCompliance,
    target: str | Path,
    *,
    drifts: Iterable[Drift] = (),
    inputs: Iterable[str | Path] = (),
    overwrite: bool = False,
) -> None:
    """Write how far hosts are from an image: text, JSON in vLCM's shape, Markdown or HTML, as the suffix says.

    Args:
        cluster: What was said of the hosts.
        target: The file, ending in ``.txt``, ``.json``, ``.md`` or ``.html``; it appears whole or not at all.
        drifts: How hosts came to differ, where a history of images is known.
        inputs: Files and folders that were read; the report is none of them.
        overwrite: Replace a file that is there; never one that is read.

    Raises:
        ModelError: Another suffix.
        ExportError: The file is there already, is one that is read, or cannot be written.
    """
    suffix = require_report_suffix(target)
    known = input_files(map(Path, inputs), most=ReadLimits().member_count)
    place = prepare_target(target, inputs=known, overwrite=overwrite)
    if suffix == ".json":
        text = json.dumps(cluster_compliance_as_dict(cluster, drifts=drifts), indent=2) + "\n"
    else:
        text = _COMPLIANCE_RENDERERS[suffix](cluster, drifts=drifts)
    write_file(place, text.encode(errors="backslashreplace"))


def write_plan(
    plan: RemediationPlan, target: str | Path, *, inputs: Iterable[str | Path] = (), overwrite: bool = False
) -> None:
    """Write what bringing hosts to an image takes: text, JSON, Markdown or HTML, as the suffix says.

    Args:
        plan: The plan.
        target: As for ``write_compliance``, and so are the others.
        inputs: Files and folders that were read.
        overwrite: Replace a file that is there.

    Raises:
        ModelError: Another suffix.
        ExportError: The file is there already, is one that is read, or cannot be written.
    """
    suffix = require_report_suffix(target)
    known = input_files(map(Path, inputs), most=ReadLimits().member_count)
    place = prepare_target(target, inputs=known, overwrite=overwrite)
    is_json = suffix == ".json"
    text = json.dumps(plan_as_dict(plan), indent=2) + "\n" if is_json else _PLAN_RENDERERS[suffix](plan)
    write_file(place, text.encode(errors="backslashreplace"))
