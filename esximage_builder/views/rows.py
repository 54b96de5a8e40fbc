"""Values as plain rows, for tables of pandas, polars, great-tables and the like, none of which is needed.

A row is a dict of texts, numbers, truth values and None, and all rows of one value have the same keys in the same
order. Lists inside a cell are joined with a comma and a blank.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from esximage_builder.depot.opening import Depot
from esximage_builder.hosts.hardware import HardwareReport
from esximage_builder.models.catalog import Catalog
from esximage_builder.models.compliance import ClusterCompliance
from esximage_builder.models.image import Image
from esximage_builder.models.remediation import RemediationPlan
from esximage_builder.rules.diff import ImageDiff
from esximage_builder.rules.recommend import Recommendation
from esximage_builder.rules.validate import ValidationReport
from esximage_builder.verify.checklist import Verification

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from esximage_builder.models.component import Component
    from esximage_builder.models.remediation import HostPlan
    from esximage_builder.rules.recommend import Suggestion
    from esximage_builder.shown import Cell

__all__ = ["rows_of"]

Row = dict[str, "Cell"]


def rows_of(value: object) -> list[Row]:
    """Return the rows of one of the values that have pages.

    Raises:
        TypeError: The value has no rows.
    """
    for kind, rows in _ROWS:
        if isinstance(value, kind):
            return list(rows(value))
    raise TypeError(f"{type(value).__name__} has no rows")


def _joined(items: Iterable[object]) -> str:
    return ", ".join(map(str, items))


def _rows_of_catalog(catalog: Catalog) -> Iterator[Row]:
    """Yield everything loaded that has a name: what it is, which version, whose."""
    for base in catalog.base_images:
        yield _loaded("base image", "ESXi", base.version.text, "", base.display_version)
    for add_on in catalog.add_ons:
        yield _loaded("add-on", add_on.name, add_on.version.text, add_on.vendor, add_on.display_version)
    for profile in catalog.profiles:
        yield _loaded("image profile", profile.name, "", profile.creator, "")
    for component in catalog.components:
        yield _loaded_component(component)
    for bulletin in catalog.bulletins:
        yield _loaded("bulletin", bulletin.id, "", bulletin.vendor, bulletin.summary)
    for solution in catalog.solutions:
        yield _loaded("solution", solution.name, solution.version.text, "", "")
    for package in catalog.hardware_support:
        yield _loaded("hardware support", package.name, package.version.text, package.vendor, "")
    for vib in catalog.vibs:
        yield _loaded("VIB", vib.name, vib.version.text, vib.vendor, vib.summary)


def _loaded_component(component: Component) -> Row:
    bulletin = component.bulletin
    return _loaded("component", component.name, component.version.text, bulletin.vendor, component.display_name)


def _loaded(kind: str, name: str, version: str, vendor: str, shown_as: str) -> Row:
    return {"kind": kind, "name": name, "version": version, "vendor": vendor, "shown_as": shown_as}


def _rows_of_image(image: Image) -> Iterator[Row]:
    """Yield each component: where it is from and by which rule, and what it overrides."""
    for entry in image.components:
        yield {
            "component": entry.component.name,
            "version": entry.component.version.text,
            "source": "" if entry.source is None else entry.source.value,
            "rule": entry.rule.value,
            "overrides": _joined(item.component.version.text for item in entry.overridden),
            "vibs": _joined(entry.component.vib_ids),
        }


def _rows_of_findings(report: ValidationReport) -> Iterator[Row]:
    for finding in report.findings:
        yield {
            "severity": finding.severity.value,
            "code": finding.code,
            "message": finding.message,
            "items": _joined(finding.items),
            "cause": finding.cause,
            "remedy": finding.remedy,
            "where": finding.where,
        }


def _rows_of_diff(diff: ImageDiff) -> Iterator[Row]:
    single = (("base image", diff.base_image), ("add-on", diff.add_on))
    changes = [(kind, item) for kind, item in single if item is not None]
    changes += [("component", item) for item in diff.components]
    changes += [("VIB", item) for item in diff.vibs]
    for kind, item in changes:
        yield {
            "kind": kind,
            "name": item.name,
            "before": item.before,
            "after": item.after,
            "direction": item.direction.value,
            "cause": item.cause,
        }


def _rows_of_recommendation(found: Recommendation) -> Iterator[Row]:
    for kind, suggestion in (("current series", found.current_series), ("latest", found.latest)):
        if suggestion is not None:
            yield _suggested(kind, suggestion)
    for other in found.passed_over:
        yield {
            "verdict": "passed over",
            "base_image": other.base_image,
            "add_on": other.add_on,
            "change": "",
            "reasons": _joined(other.reasons),
        }


def _suggested(kind: str, suggestion: Suggestion) -> Row:
    spec = suggestion.spec
    return {
        "verdict": kind,
        "base_image": str(spec.base_image or ""),
        "add_on": "" if spec.add_on is None else str(spec.add_on),
        "change": suggestion.change.kind.value,
        "reasons": _joined(finding.message for finding in (*suggestion.warnings, *suggestion.waived)),
    }


def _rows_of_compliance(cluster: ClusterCompliance) -> Iterator[Row]:
    """Yield each thing that was compared on each host; a host of which nothing was known has no row."""
    for host in cluster.hosts:
        for item in host.items:
            yield {
                "host": host.host,
                "host_status": host.status.value,
                "item": item.name,
                "status": item.status.value,
                "current": item.current,
                "target": item.target,
                "reason": "" if item.reason is None else item.reason.value,
            }


def _rows_of_plan(plan: RemediationPlan) -> Iterator[Row]:
    """Yield each thing that changes or stays on each host, components before VIBs."""
    for host in plan.hosts:
        for kind, item in _planned(host):
            yield {
                "host": host.host,
                "kind": kind,
                "name": item.name,
                "action": item.action.value,
                "before": item.before,
                "after": item.after,
                "source": item.source,
                "impact": host.impact,
            }


def _planned(host: HostPlan) -> Iterator[tuple[str, Any]]:
    for kind, single in (("base image", host.base_image), ("add-on", host.add_on)):
        if single is not None:
            yield kind, single
    for kind, items in (("solution", host.solutions), ("component", host.components), ("VIB", host.vibs)):
        for item in items:
            yield kind, item


def _rows_of_hardware(report: HardwareReport) -> Iterator[Row]:
    for verdict in report.verdicts:
        yield {
            "address": verdict.device.address,
            "alias": verdict.device.alias,
            "ids": verdict.device.ids,
            "name": verdict.device.name,
            "kind": verdict.device.kind.value,
            "status": verdict.status.value,
            "drivers": _joined(driver.vib_id for driver in verdict.drivers),
        }


def _rows_of_verification(found: Verification) -> Iterator[Row]:
    for check in found.checks:
        yield {
            "check": check.name,
            "question": check.question,
            "is_passed": check.is_passed,
            "is_asked": check.is_asked,
            "certainty": check.certainty.value,
            "findings": _joined(finding.message for finding in check.findings),
            "why_not_asked": check.why_not_asked,
        }


_ROWS: tuple[tuple[type, Callable[[Any], Iterator[Row]]], ...] = (
    (Depot, lambda depot: _rows_of_catalog(depot.catalog)),
    (Catalog, _rows_of_catalog),
    (Image, _rows_of_image),
    (ValidationReport, _rows_of_findings),
    (ImageDiff, _rows_of_diff),
    (Recommendation, _rows_of_recommendation),
    (ClusterCompliance, _rows_of_compliance),
    (RemediationPlan, _rows_of_plan),
    (HardwareReport, _rows_of_hardware),
    (Verification, _rows_of_verification),
)
