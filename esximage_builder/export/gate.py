"""What may be written: an image without errors, or with errors that the caller waived by code.

What is validated is what is written, and a report tells of the image whose digest it has.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from esximage_builder.errors import IncompatibleImageError, ModelError
from esximage_builder.findings import Finding, Severity
from esximage_builder.models.fields import as_tuple
from esximage_builder.rules.validate import validate

if TYPE_CHECKING:
    from collections.abc import Iterable

    from esximage_builder.models.image import Image
    from esximage_builder.rules.validate import ValidationReport

__all__ = ["require_allowed", "require_exportable"]


def require_exportable(
    image: Image, *, report: ValidationReport | None, allow: Iterable[str], composed: Image | None = None
) -> tuple[Finding, ...]:
    """Return the waived errors of an image that may be written.

    A report tells of the image whose digest it has, and of no other. One of the composed image, when
    that is written without some of its VIBs, counts in full, and what validation says of the
    image that is written counts beside it.

    Args:
        image: What shall be written.
        report: Of this very image or of ``composed``; None validates the image here, without a catalog.
        allow: Codes of errors that do not matter.
        composed: What the caller composed, where something of it is left out.

    Raises:
        IncompatibleImageError: Errors are left.
        ModelError: The report is of another image, or ``allow`` has what is no code, or one
            that cannot be waived.
    """
    allowed = as_tuple(allow)
    report = _report_of(image, report, composed)
    errors = report.errors_except(allowed)
    if errors:
        codes = ", ".join(sorted({finding.code for finding in errors}))
        raise IncompatibleImageError(
            f"the image {image.name} has {len(errors)} errors, nothing is written",
            findings=errors,
            found=codes,
            expected="an image without errors",
            hint=f"mend the image, or allow these codes one by one: {codes}",
        )
    return tuple(finding for finding in report.errors if finding.code in allowed)


def _report_of(image: Image, report: ValidationReport | None, composed: Image | None) -> ValidationReport:
    """Return a report that holds everything known against an image."""
    if report is None:
        return validate(image)
    if report.image_digest == image.digest:
        return report
    if composed is not None and report.image_digest == composed.digest:
        return report.with_findings(validate(image).findings)
    raise ModelError(
        "the report is not of the image that shall be written",
        found=f"a report of the image {report.image_digest}",
        expected=image.digest,
        hint="validate the image that is exported, or leave the report out",
    )


def require_allowed(findings: Iterable[Finding], *, allow: Iterable[str], what: str, where: str = "") -> None:
    """Refuse errors that the caller did not allow.

    Args:
        findings: Of any severity.
        allow: Codes of errors that do not matter.
        what: What is the matter, as a clause.
        where: Place for the error.

    Raises:
        IncompatibleImageError: There is an error whose code is not allowed.
    """
    allowed = set(allow)
    errors = [finding for finding in findings if finding.severity is Severity.ERROR and finding.code not in allowed]
    if errors:
        raise IncompatibleImageError(
            f"{what}, nothing is written",
            findings=errors,
            where=where,
            found=errors[0].message,
            hint=errors[0].remedy,
        )
