"""The long report as Markdown (GitHub's)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from esximage_builder.views.image import Cause, Facts, Paragraph, Table, report_sections

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from esximage_builder.export.result import ExportResult
    from esximage_builder.models.catalog import Catalog
    from esximage_builder.models.image import Image
    from esximage_builder.rules.validate import ValidationReport
    from esximage_builder.views.image import Block

__all__ = ["render_markdown_report"]

# Underscores inside words mark nothing, so ids stay readable.
_SPECIAL = re.compile(r"[\\`*\[\]<>|&~#]|(?<![^\W_])_|_(?![^\W_])")


def render_markdown_report(
    image: Image,
    report: ValidationReport,
    *,
    allow: Iterable[str] = (),
    results: Iterable[ExportResult] = (),
    catalog: Catalog | None = None,
) -> str:
    """Return the report as Markdown.

    Args:
        image: What was composed.
        report: Its validation.
        allow: Codes of errors that were waived.
        results: What was written.
        catalog: What is loaded, for replacements to suggest; None goes without.
    """
    lines = [f"# {_text(image.name)}", ""]
    for section in report_sections(image, report, allow=allow, results=results, catalog=catalog):
        lines += [f"## {section.title}", ""]
        for block in section.blocks:
            lines += [*_block(block), ""]
    return "\n".join(lines).rstrip("\n") + "\n"


def _text(text: str) -> str:
    """Return the text on one line, with everything that Markdown would take for itself marked."""
    return _SPECIAL.sub(r"\\\g<0>", " ".join(text.split()))


def _block(block: Block) -> Iterator[str]:
    if isinstance(block, Paragraph):
        yield _text(block.text)
    elif isinstance(block, Facts):
        yield from (f"* **{_text(label)}**: {_text(text)}" for label, text in block.pairs)
    elif isinstance(block, Table):
        yield _row(block.columns)
        yield _row("---" for _ in block.columns)
        yield from (_row(map(_text, row)) for row in block.rows)
    else:
        yield from _cause(block)


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _cause(cause: Cause) -> Iterator[str]:
    yield f"* **{cause.label.upper()}** `{cause.code}`: {_text(cause.headline)}"
    if cause.why:
        yield f"  * Why: {_text(cause.why)}"
    if cause.items:
        yield f"  * What: {', '.join(map(_text, cause.items))}"
    yield from (f"  * Try: {_text(remedy)}" for remedy in cause.remedies)
