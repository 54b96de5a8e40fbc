"""What to move to next: as sections, as text, as JSON has it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import attrs

from esximage_builder.documents.software_spec import render_software_spec
from esximage_builder.views.blocks import Paragraph, Section, Table, filled_sections
from esximage_builder.views.change import caution_as_dict, cautions_table, change_as_dict, change_text
from esximage_builder.views.findings import cause_of_finding, finding_as_dict
from esximage_builder.views.security import blocks_of_security_change, security_change_as_dict
from esximage_builder.views.text import render_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from esximage_builder.rules.recommend import PassedOver, Recommendation, Suggestion
    from esximage_builder.views.blocks import Block

__all__ = ["recommendation_as_dict", "render_recommendation", "sections_of_recommendation"]


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
        "warnings": [finding_as_dict(finding) for finding in suggestion.warnings],
        "waived": [finding_as_dict(finding) for finding in suggestion.waived],
        "security": security_change_as_dict(suggestion.security),
        "cautions": [caution_as_dict(caution) for caution in suggestion.cautions],
    }


def render_recommendation(recommendation: Recommendation) -> str:
    """Return a recommendation for people."""
    return render_text(sections_of_recommendation(recommendation))


def sections_of_recommendation(recommendation: Recommendation) -> tuple[Section, ...]:
    """Return both suggestions with what to know of them, and what was passed over."""
    return filled_sections(
        (
            Section("Latest of the current series", _suggested(recommendation.current_series)),
            Section("Latest of all", _suggested(recommendation.latest)),
            Section("Passed over", _passed_over(recommendation.passed_over)),
        )
    )


def _suggested(suggestion: Suggestion | None) -> Iterator[Block]:
    if suggestion is None:
        yield Paragraph("Nothing newer fits.")
        return
    add_on = "" if suggestion.spec.add_on is None else f" with {suggestion.spec.add_on}"
    yield Paragraph(f"ESXi {suggestion.spec.base_image}{add_on}: {change_text(suggestion.change)}")
    if suggestion.lowered_components:
        names = ", ".join(suggestion.lowered_components)
        yield Paragraph(f"With a VIB lower than now, though not lower themselves: {names}")
    for finding in suggestion.waived:
        yield attrs.evolve(cause_of_finding(finding), label="waived")
    yield from map(cause_of_finding, suggestion.warnings)
    yield from blocks_of_security_change(suggestion.security)
    yield from cautions_table(suggestion.cautions)


def _passed_over(entries: tuple[PassedOver, ...]) -> Iterator[Block]:
    if entries:
        rows = [(entry.base_image, entry.add_on or "(none)", "; ".join(entry.reasons)) for entry in entries]
        yield Table(columns=("Base image", "Add-on", "Why"), rows=rows)
