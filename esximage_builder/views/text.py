"""Reports: an image, its findings and what was written, as text for people and as data for tools."""

from __future__ import annotations

from typing import TYPE_CHECKING

from esximage_builder.views.image import (
    RESERVE_REASONS,
    boot_bank_bytes,
    drivers,
    is_waived,
    output_findings,
    remover_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from esximage_builder.export.result import ExportResult
    from esximage_builder.findings import Finding
    from esximage_builder.models.image import EffectiveComponent, Image
    from esximage_builder.rules.validate import ValidationReport

__all__ = ["image_as_dict", "render_text_report", "report_as_dict"]


def image_as_dict(image: Image) -> dict[str, object]:
    """Return what an image consists of, as JSON has it."""
    base_image, add_on = image.base_image, image.add_on
    return {
        "name": image.name,
        "digest": image.digest,
        "acceptance_level": image.acceptance_level.value,
        "base_image": None if base_image is None else {"version": base_image.version.text},
        "add_on": None if add_on is None else {"name": add_on.name, "version": add_on.version.text},
        "components": [
            {
                "name": entry.component.name,
                "version": entry.component.version.text,
                "source": None if entry.source is None else entry.source.value,
                "rule": entry.rule.value,
                "overridden": [
                    {"version": lost.component.version.text, "source": lost.source.value} for lost in entry.overridden
                ],
            }
            for entry in image.components
        ],
        "removed_components": [{"name": entry.name, "source": entry.source.value} for entry in image.removed],
        "vibs": [entry.vib.id for entry in image.vibs],
        "reserved_vibs": [
            {"id": entry.vib.id, "reason": entry.reason.value, "winner": entry.winner} for entry in image.reserved_vibs
        ],
        "boot_bank_bytes": boot_bank_bytes(image),
        "drivers": [
            {"name": name, "version": version, "vendor": vendor, "pci_ids": list(pci_ids)}
            for name, version, vendor, pci_ids in drivers(image)
        ],
    }


def report_as_dict(
    image: Image, report: ValidationReport, *, allow: Iterable[str] = (), results: Iterable[ExportResult] = ()
) -> dict[str, object]:
    """Return the whole report as JSON has it.

    Args:
        image: What was composed.
        report: Its validation.
        allow: Codes of errors that were waived.
        results: What was written.
    """
    waived, written = set(allow), tuple(results)
    return {
        "image": image_as_dict(image),
        "findings": [finding.as_dict() | {"waived": is_waived(finding, waived)} for finding in report.findings],
        "outputs": [
            {
                "path": str(result.path),
                "size_bytes": result.size_bytes,
                "findings": [
                    finding.as_dict() | {"waived": finding in result.waived}
                    for finding in output_findings(result, report)
                ],
            }
            for result in written
        ],
    }


def render_text_report(
    image: Image, report: ValidationReport, *, allow: Iterable[str] = (), results: Iterable[ExportResult] = ()
) -> str:
    """Return the report for people; as ``report_as_dict``."""
    return "\n".join(_lines(image, report, set(allow), tuple(results))) + "\n"


def _lines(
    image: Image, report: ValidationReport, waived: set[str], results: tuple[ExportResult, ...]
) -> Iterator[str]:
    yield from _head(image)
    changes = [change for change in map(_change, image.components) if change]
    removed = [f"{entry.name} (by {remover_of(entry.source)})" for entry in image.removed]
    reserved = [f"{e.vib.id}: {RESERVE_REASONS[e.reason]} {e.winner}".rstrip() for e in image.reserved_vibs]
    yield from _section("components that are not the base image's", changes)
    yield from _section("removed components", removed)
    yield from _section("reserved VIBs, carried but not installed", reserved)
    yield "\nfindings:" if report.findings else "\nno findings"
    for finding in report.findings:
        yield from _finding_lines(finding, is_allowed=is_waived(finding, waived))
    for result in results:
        yield f"\nwritten    {result.path} ({result.size_bytes} bytes)"
        for finding in output_findings(result, report):
            yield from _finding_lines(finding, is_allowed=finding in result.waived)


def _head(image: Image) -> Iterator[str]:
    yield f"image      {image.name}"
    if image.base_image is not None:
        shown = image.base_image.display_version
        yield f"base image {image.base_image.version}" + (f" ({shown})" if shown else "")
    if image.add_on is not None:
        yield f"add-on     {image.add_on.name} {image.add_on.version}"
    yield f"acceptance {image.acceptance_level.display}"
    yield f"contents   {len(image.components)} components, {len(image.vibs)} VIBs, {len(image.reserved_vibs)} reserved"
    yield f"boot bank  {boot_bank_bytes(image)} bytes"
    yield f"digest     {image.digest}"


def _section(title: str, lines: list[str]) -> Iterator[str]:
    if lines:
        yield f"\n{title}:"
        yield from (f"  {line}" for line in lines)


def _change(entry: EffectiveComponent) -> str:
    if entry.source is None or entry.source.value == "BASE_IMAGE":
        return ""
    lost = ", ".join(f"{lost.component.version} from the {lost.source.display}" for lost in entry.overridden)
    return f"{entry.component.id} (from the {entry.source.display})" + (f" instead of {lost}" if lost else "")


def _finding_lines(finding: Finding, *, is_allowed: bool) -> Iterator[str]:
    severity = f"{finding.severity.value}, waived" if is_allowed else finding.severity.value
    yield f"  [{severity}] {finding.code}: {finding.message}"
    if finding.cause:
        yield f"      why: {finding.cause}"
    if finding.remedy:
        yield f"      try: {finding.remedy}"
