"""Two images compared: what differs, and what is to be said of each of them; as text and as JSON has it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from esximage_builder.rules.explain import explain_findings
from esximage_builder.views.blocks import Section, filled_sections
from esximage_builder.views.diff import diff_as_dict, sections_of_diff
from esximage_builder.views.findings import cause_of_explanation, finding_as_dict
from esximage_builder.views.markdown import render_markdown
from esximage_builder.views.text import render_text

if TYPE_CHECKING:
    from collections.abc import Iterable

    from esximage_builder.findings import Finding
    from esximage_builder.rules.diff import ImageDiff

__all__ = ["comparison_as_dict", "render_comparison", "render_markdown_comparison"]


def comparison_as_dict(
    difference: ImageDiff, *, before: Iterable[Finding], after: Iterable[Finding]
) -> dict[str, object]:
    """Return it as JSON has it.

    Args:
        difference: Of the two images.
        before: What validation found on the first.
        after: And on the second.
    """
    found = {"before": before, "after": after}
    listed = {which: [finding_as_dict(finding) for finding in findings] for which, findings in found.items()}
    return diff_as_dict(difference) | {"findings": listed}


def render_comparison(difference: ImageDiff, *, before: Iterable[Finding], after: Iterable[Finding]) -> str:
    """Return it as text; the findings stand at the end, of each image apart.

    Args:
        difference: Of the two images.
        before: What validation found on the first.
        after: And on the second.
    """
    return render_text(_sections(difference, before, after))


def render_markdown_comparison(
    difference: ImageDiff, *, before: Iterable[Finding], after: Iterable[Finding], title: str
) -> str:
    """Return it as a Markdown page, such as a comment on a change wants; see ``render_comparison``.

    Args:
        difference: Of the two images.
        before: What validation found on the first.
        after: And on the second.
        title: The heading.
    """
    return render_markdown(_sections(difference, before, after), title)


def _sections(difference: ImageDiff, before: Iterable[Finding], after: Iterable[Finding]) -> tuple[Section, ...]:
    found = filled_sections((_section("before", before), _section("after", after)))
    return (*sections_of_diff(difference), *found)


def _section(which: str, findings: Iterable[Finding]) -> Section:
    return Section(f"Findings on the image {which}", map(cause_of_explanation, explain_findings(tuple(findings))))
