"""Comparisons and advice as text for people and as data for tools."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from esximage_builder.documents.software_spec import render_software_spec

if TYPE_CHECKING:
    from collections.abc import Iterator

    from esximage_builder.rules.classify import Change
    from esximage_builder.rules.diff import ImageDiff, ItemChange
    from esximage_builder.rules.explain import Explanation
    from esximage_builder.rules.recommend import Recommendation, Suggestion

__all__ = [
    "change_as_dict",
    "diff_as_dict",
    "explanation_as_dict",
    "recommendation_as_dict",
    "render_diff",
    "render_recommendation",
]


def change_as_dict(change: Change) -> dict[str, object]:
    """Return a change as JSON has it."""
    return {
        "kind": change.kind.value,
        "is_downgrade": change.is_downgrade,
        "is_security_sibling": change.is_security_sibling,
        "findings": [finding.as_dict() for finding in change.findings],
    }


def diff_as_dict(difference: ImageDiff) -> dict[str, object]:
    """Return a difference as JSON has it; equal levels are null or empty."""
    return {
        "change": change_as_dict(difference.change),
        "impact": difference.impact.value,
        "base_image": _item(difference.base_image),
        "add_on": _item(difference.add_on),
        "components": [_item(change) for change in difference.components],
        "vibs": [_item(change) for change in difference.vibs],
    }


def _item(change: ItemChange | None) -> dict[str, str] | None:
    if change is None:
        return None
    return {
        "name": change.name,
        "before": change.before,
        "after": change.after,
        "direction": change.direction.value,
        "cause": change.cause,
    }


def render_diff(difference: ImageDiff) -> str:
    """Return a difference for people, one line an item."""
    return "\n".join(_diff_lines(difference)) + "\n"


def _diff_lines(difference: ImageDiff) -> Iterator[str]:
    yield f"change: {_shown(difference.change)}"
    yield f"impact on a host: {difference.impact.value}"
    if difference.is_empty:
        yield "the images are equal"
    for title, changes in (
        ("base image", [difference.base_image]),
        ("add-on", [difference.add_on]),
        ("components", list(difference.components)),
        ("VIBs", list(difference.vibs)),
    ):
        known = [change for change in changes if change is not None]
        if known:
            yield f"\n{title}:"
            yield from (f"  {_line(change)}" for change in known)
    for finding in difference.change.findings:
        yield f"\n[{finding.severity.value}] {finding.code}: {finding.message}\n    why: {finding.cause}"


def _shown(change: Change) -> str:
    notes = [
        word
        for word, holds in (("downwards", change.is_downgrade), ("security-only sibling", change.is_security_sibling))
        if holds
    ]
    return change.kind.value + (f" ({', '.join(notes)})" if notes else "")


def _line(change: ItemChange) -> str:
    versions = " -> ".join(version or "(none)" for version in (change.before, change.after))
    return f"{change.name}: {versions}  {change.direction.value}: {change.cause}"


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


def recommendation_as_dict(recommendation: Recommendation) -> dict[str, object]:
    """Return a recommendation as JSON has it; each suggestion holds a whole spec."""
    return {
        "current_series": _suggestion(recommendation.current_series),
        "latest": _suggestion(recommendation.latest),
        "passed_over": [
            {"base_image": entry.base_image, "add_on": entry.add_on or None, "reasons": list(entry.reasons)}
            for entry in recommendation.passed_over
        ],
    }


def _suggestion(suggestion: Suggestion | None) -> dict[str, object] | None:
    if suggestion is None:
        return None
    return {
        "spec": json.loads(render_software_spec(suggestion.spec)),
        "change": change_as_dict(suggestion.change),
        "lowered_components": list(suggestion.lowered_components),
        "warnings": [finding.as_dict() for finding in suggestion.warnings],
    }


def render_recommendation(recommendation: Recommendation) -> str:
    """Return a recommendation for people."""
    return "\n".join(_recommendation_lines(recommendation)) + "\n"


def _recommendation_lines(recommendation: Recommendation) -> Iterator[str]:
    for title, suggestion in (
        ("latest of the current series", recommendation.current_series),
        ("latest of all", recommendation.latest),
    ):
        if suggestion is None:
            yield f"{title}: nothing newer fits"
        else:
            add_on = f" with {suggestion.spec.add_on}" if suggestion.spec.add_on is not None else ""
            yield f"{title}: ESXi {suggestion.spec.base_image}{add_on} ({_shown(suggestion.change)})"
            if suggestion.lowered_components:
                names = ", ".join(suggestion.lowered_components)
                yield f"    lower than now, which hosts refuse that were given them by hand: {names}"
            yield from (f"    [{finding.severity.value}] {finding.message}" for finding in suggestion.warnings)
    if recommendation.passed_over:
        yield "\npassed over:"
    for entry in recommendation.passed_over:
        add_on = f" with {entry.add_on}" if entry.add_on else ""
        yield f"  ESXi {entry.base_image}{add_on}: {'; '.join(entry.reasons)}"
