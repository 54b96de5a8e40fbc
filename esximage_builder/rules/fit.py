"""What stands against an image while versions are being chosen: its errors, and builds for another product.

A choice fits if it adds nothing of that to what the image has without it. A platform mismatch is only a
warning where a version is named; where it is left open, a version made for the product is looked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from esximage_builder.codes import has_code
from esximage_builder.findings import Severity
from esximage_builder.models.catalog import Catalog
from esximage_builder.rules.validate import findings_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from esximage_builder.findings import Finding
    from esximage_builder.models.image import Image

__all__ = ["Fault", "fault_of", "faults_of", "in_order", "without_stock"]

Fault = tuple[str, tuple[str, ...]]
"""What makes two findings of two images one fault: code and items."""


def without_stock(catalog: Catalog) -> Catalog:
    """Return a catalog with what reading noticed and nothing else: remedies need not be looked for."""
    return Catalog(findings=catalog.findings)


def faults_of(image: Image, noticed: Catalog) -> tuple[Finding, ...]:
    """Return what stands against an image, sorted.

    Args:
        image: The image.
        noticed: As ``without_stock`` returns it.
    """
    return in_order(finding for finding in findings_of(image, noticed) if _is_fault(finding))


def in_order(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Return findings in the order of a report."""
    return tuple(sorted(findings, key=lambda finding: finding.sort_key))


def fault_of(finding: Finding) -> Fault:
    """Return what makes two findings one fault."""
    return (finding.code, finding.items)


def _is_fault(finding: Finding) -> bool:
    return finding.severity is Severity.ERROR or has_code(finding, "platform-mismatch")
