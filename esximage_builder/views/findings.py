"""Findings and explanations: as JSON has them, and as causes on a page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from esximage_builder.findings import Severity
from esximage_builder.views.blocks import Cause, Paragraph, Section
from esximage_builder.views.text import render_text

if TYPE_CHECKING:
    from collections.abc import Container, Iterable

    from esximage_builder.findings import Finding
    from esximage_builder.rules.explain import Explanation

__all__ = [
    "cause_of_explanation",
    "cause_of_finding",
    "explanation_as_dict",
    "finding_as_dict",
    "is_waived",
    "render_explanations",
    "sections_of_explanations",
]

_WAIVED = "waived"


def finding_as_dict(finding: Finding) -> dict[str, object]:
    """Return a finding as JSON has it."""
    return {
        "code": finding.code,
        "severity": finding.severity.value,
        "message": finding.message,
        "items": list(finding.items),
        "facts": dict(finding.facts),
        "cause": finding.cause,
        "remedy": finding.remedy,
        "where": finding.where,
    }


def explanation_as_dict(explanation: Explanation) -> dict[str, object]:
    """Return an explanation as JSON has it."""
    return {
        "code": explanation.code,
        "severity": explanation.severity.value,
        "headline": explanation.headline,
        "cause": explanation.cause,
        "remedies": list(explanation.remedies),
        "items": list(explanation.items),
    }


def is_waived(finding: Finding | Explanation, waived: Container[str]) -> bool:
    """Tell whether it is an error that one of the codes allows."""
    return finding.severity is Severity.ERROR and finding.code in waived


def cause_of_finding(finding: Finding) -> Cause:
    """Return a single finding as it stands on a page."""
    return Cause(
        label=finding.severity.value,
        code=finding.code,
        headline=finding.message,
        where=finding.where,
        why=finding.cause,
        remedies=(finding.remedy,) if finding.remedy else (),
    )


def cause_of_explanation(
    explanation: Explanation, *, waived: Container[str] = (), with_single_item: bool = False
) -> Cause:
    """Return an explanation as it stands on a page.

    Args:
        explanation: Of one or more findings.
        waived: Codes of errors that were allowed.
        with_single_item: Name the item where it is a single one, too.
    """
    is_listed = with_single_item or len(explanation.items) > 1
    return Cause(
        label=_WAIVED if is_waived(explanation, waived) else explanation.severity.value,
        code=explanation.code,
        headline=explanation.headline,
        why=explanation.cause,
        items=explanation.items if is_listed else (),
        remedies=explanation.remedies,
    )


def sections_of_explanations(explanations: Iterable[Explanation]) -> tuple[Section, ...]:
    """Return the explanations one below the other; a line says so where there is nothing to explain."""
    causes = [cause_of_explanation(explanation) for explanation in explanations]
    return (Section("", causes or [Paragraph("nothing to explain: no findings")]),)


def render_explanations(explanations: Iterable[Explanation]) -> str:
    """Return the explanations as text; a line says so where there is nothing to explain."""
    return render_text(sections_of_explanations(explanations))
