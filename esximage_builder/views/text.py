"""Sections as plain text for terminals: short, aligned, nothing wrapped.

Tables and facts stand in columns; ids stay whole, so the last column may be long. Asides are left out,
and of many items or remedies of one cause the first few are shown. A text from outside never moves the
cursor: what does not print is written as an escape.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from esximage_builder.views.blocks import Answer, Cause, Facts, Paragraph, Table

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from esximage_builder.views.blocks import Block, Section

__all__ = ["render_text"]

_MOST = 6  # items and remedies of one cause
_INDENT = "  "
_DEEP_INDENT = "    "
_GAP = "  "  # between columns


def render_text(sections: Iterable[Section]) -> str:
    """Return the sections as text; what stands under a headline is indented."""
    painted = ("\n".join(lines) for section in sections if (lines := _section(section)))
    return "\n\n".join(painted) + "\n"


def _section(section: Section) -> list[str]:
    lines = _blocks(section.blocks)
    if not section.title or not lines:
        return lines
    return [_text(section.title), *_indented(lines, _INDENT)]


def _indented(lines: Iterable[str], indent: str) -> Iterator[str]:
    return (f"{indent}{line}" if line else "" for line in lines)


def _blocks(blocks: Sequence[Block]) -> list[str]:
    """Return the lines of the blocks, an empty line around a table and before facts."""
    lines: list[str] = []
    before: Block | None = None
    for block in blocks:
        painted = list(_block(block))
        if lines and painted and (isinstance(block, Facts | Table) or isinstance(before, Table)):
            lines.append("")
        if painted:
            lines += painted
            before = block
    return lines


def _text(text: str) -> str:
    """Return the text on one line, what does not print escaped."""
    line = " ".join(text.split())
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in line)


def _block(block: Block) -> Iterable[str]:
    match block:
        case Paragraph():
            return () if block.is_aside else (_text(block.text),)
        case Facts():
            return _columns(block.pairs)
        case Table():
            return _columns((block.columns, *block.rows))
        case Cause():
            return _cause(block)
        case Answer():
            return _answer(block)


def _columns(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    cells = [[_text(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    for row in cells:
        padded = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        yield _GAP.join(padded).rstrip()


def _cause(cause: Cause) -> Iterator[str]:
    yield f"[{_text(cause.label)}] {_text(cause.code)}: {_text(cause.headline)}"
    yield from _indented(_details(cause), _DEEP_INDENT)


def _details(cause: Cause) -> Iterator[str]:
    if cause.where:
        yield f"where: {_text(cause.where)}"
    if cause.why:
        yield f"why: {_text(cause.why)}"
    if cause.items:
        yield f"what: {', '.join(map(_text, cause.items[:_MOST]))}{_more(cause.items, ' and {} more')}"
    yield from (f"try: {_text(remedy)}" for remedy in cause.remedies[:_MOST])
    if more := _more(cause.remedies, "and {} more to try"):
        yield more


def _more(items: Sequence[str], words: str) -> str:
    return words.format(len(items) - _MOST) if len(items) > _MOST else ""


def _answer(answer: Answer) -> Iterator[str]:
    yield f"[{_text(answer.verdict)}] {_text(answer.question)} ({_text(answer.note)})"
    if answer.why:
        yield f"{_DEEP_INDENT}why: {_text(answer.why)}"
    yield from _indented((line for cause in answer.causes for line in _cause(cause)), _DEEP_INDENT)
