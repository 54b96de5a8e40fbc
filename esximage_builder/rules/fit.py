"""What stands against an image while versions are being chosen: its errors, and builds for another product.

A choice fits if it adds nothing of that to what the image has without it. A platform mismatch is only a
warning where a version is named; where it is left open, a version made for the product is looked for.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from esximage_builder.codes import has_code
from esximage_builder.findings import Severity
from esximage_builder.models.catalog import Catalog
from esximage_builder.rules.validate import findings_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from esximage_builder.findings import Finding
    from esximage_builder.models.image import Image

__all__ = ["Fault", "faults_in", "faults_of", "in_order", "without_stock"]

Fault = tuple[str, tuple[str, ...]]
"""What can be the same in two images: a code and what it is about."""


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


def faults_in(finding: Finding) -> tuple[Fault, ...]:
    """Return what a finding says, one by one: who else shares in it may differ from image to image."""
    if has_code(finding, "file-conflict"):
        return tuple((finding.code, pair) for pair in itertools.combinations(finding.items, 2))
    if has_code(finding, "vib-missing"):
        vib_id, *components = finding.items
        return tuple((finding.code, (vib_id, component)) for component in components)
    return ((finding.code, finding.items),)


def _is_fault(finding: Finding) -> bool:
    return finding.severity is Severity.ERROR or has_code(finding, "platform-mismatch")
