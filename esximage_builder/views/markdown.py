"""Sections as Markdown (GitHub's)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from esximage_builder.views.blocks import Answer, Cause, Facts, Paragraph, Table

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from esximage_builder.views.blocks import Block, Section

__all__ = ["render_markdown"]

# Underscores inside words mark nothing, so ids stay readable.
_SPECIAL = re.compile(r"[\\`*\[\]<>|&~#]|(?<![^\W_])_|_(?![^\W_])")


def render_markdown(sections: Iterable[Section], title: str) -> str:
    """Return the sections as one Markdown page."""
    lines = [f"# {_text(title)}", ""]
    for section in sections:
        if section.title:
            lines += [f"## {_text(section.title)}", ""]
        for block in section.blocks:
            lines += [*_block(block), ""]
    return "\n".join(lines).rstrip("\n") + "\n"


def _text(text: str) -> str:
    """Return the text on one line, with everything that Markdown would take for itself marked."""
    return _SPECIAL.sub(r"\\\g<0>", " ".join(text.split()))


def _block(block: Block) -> Iterable[str]:
    match block:
        case Paragraph():
            return (f"{_verdict(block.label)}{_text(block.text)}",)
        case Facts():
            return (f"* **{_text(label)}**: {_text(text)}" for label, text in block.pairs)
        case Table():
            return _table(block)
        case Cause():
            return _cause(block)
        case Answer():
            return _answer(block)


def _verdict(label: str) -> str:
    return f"**{_text(label.upper())}**: " if label else ""


def _table(table: Table) -> Iterator[str]:
    yield _row(map(_text, table.columns))
    yield _row("---" for _ in table.columns)
    yield from (_row(map(_text, row)) for row in table.rows)


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _cause(cause: Cause) -> Iterator[str]:
    yield f"* **{_text(cause.label.upper())}** `{cause.code}`: {_text(cause.headline)}"
    if cause.where:
        yield f"  * Where: {_text(cause.where)}"
    if cause.why:
        yield f"  * Why: {_text(cause.why)}"
    if cause.items:
        yield f"  * What: {', '.join(map(_text, cause.items))}"
    yield from (f"  * Try: {_text(remedy)}" for remedy in cause.remedies)


def _answer(answer: Answer) -> Iterator[str]:
    yield f"* **{_text(answer.verdict.upper())}** {_text(answer.question)} ({_text(answer.note)})"
    if answer.why:
        yield f"  * Why: {_text(answer.why)}"
    yield from (f"  {line}" for cause in answer.causes for line in _cause(cause))
