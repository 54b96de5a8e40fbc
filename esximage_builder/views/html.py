"""Sections as one HTML page, or as a piece of one: nothing loaded from elsewhere, every text escaped.

A page with long tables has one script, to search and sort them; its own policy lets that one run, by its hash,
and no other. A piece has none.
"""

from __future__ import annotations

import base64
import hashlib
import html
import itertools
import re
from typing import TYPE_CHECKING

from esximage_builder.views.blocks import Answer, Cause, Facts, Paragraph, Table
from esximage_builder.views.html_script import PAGE_SCRIPT
from esximage_builder.views.html_style import FRAGMENT_STYLE, PAGE_STYLE

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from esximage_builder.views.blocks import Block, Section

__all__ = ["render_fragment", "render_html"]

_TONES = {"ok": "info", "failed": "error", "not asked": "warning"}  # colours of verdicts
_SHORT = 26  # characters of a cell that stay on one line
_MANY = 12  # rows that are worth a search
_DIGEST = re.compile(r"[0-9a-f]{40,}")
_HEAD = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
<main>
<h1>{title}</h1>
"""
_SCRIPT = f"<script>{PAGE_SCRIPT}</script>\n"
_TAIL = """</body>
</html>
"""


def render_html(sections: Iterable[Section], title: str) -> str:
    """Return the sections as one HTML page."""
    shown = tuple(sections)
    anchors = _anchors(section.title for section in shown)
    runs = any(_has_many_rows(block) for section in shown for block in section.blocks)
    links = " ".join(
        f'<a href="#{anchor}">{_text(section.title)}</a>'
        for section, anchor in zip(shown, anchors, strict=True)
        if anchor
    )
    parts = [_HEAD.format(title=_text(title), style=PAGE_STYLE, policy=_policy(with_script=runs))]
    parts.append(f"<nav>{links}</nav>\n")
    for section, anchor in zip(shown, anchors, strict=True):
        parts.append(_headline(section.title, anchor))
        parts += [f"{line}\n" for block in section.blocks for line in _block(block)]
        parts.append("</section>\n")
    return "".join([*parts, "</main>\n", *([_SCRIPT] if runs else []), _TAIL])


def _policy(*, with_script: bool) -> str:
    """Return what the page may do: have its own style, run its own script, and nothing else."""
    script = [f"script-src {_source(PAGE_SCRIPT)}"] if with_script else []
    rules = ("default-src 'none'", f"style-src {_source(PAGE_STYLE)}", *script, "base-uri 'none'", "form-action 'none'")
    return "; ".join(rules)


def _source(text: str) -> str:
    """Return how a policy names one piece of style or script: by its hash."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def render_fragment(sections: Iterable[Section], title: str) -> str:
    """Return the sections as a piece of a page of others, such as a notebook: its style touches nothing else."""
    parts = [f'<div class="esximage"><style>{FRAGMENT_STYLE}</style><div class="title">{_text(title)}</div>']
    for section in sections:
        parts += [f'<div class="head">{_text(section.title)}</div>'] if section.title else []
        parts += [line for block in section.blocks for line in _block(block)]
    return "".join([*parts, "</div>\n"])


def _headline(title: str, anchor: str) -> str:
    if not anchor:
        return "<section>\n"
    return f'<section id="{anchor}">\n<h2>{_text(title)}</h2>\n'


def _text(text: str) -> str:
    return html.escape(text)


def _anchors(titles: Iterable[str]) -> list[str]:
    """Return an id for each section, none of them twice; an empty one where there is no headline."""
    anchors: list[str] = []
    for title in titles:
        name = re.sub(r"[^a-z0-9]+", "-", title.lower()) if title else ""
        numbers = itertools.count(2)
        anchor = name
        while name and anchor in anchors:
            anchor = f"{name}-{next(numbers)}"
        anchors.append(anchor)
    return anchors


def _block(block: Block) -> Iterable[str]:
    match block:
        case Paragraph():
            return (_paragraph(block),)
        case Facts():
            return (_facts(block),)
        case Table():
            return _table(block)
        case Cause():
            return _cause(block)
        case Answer():
            return _answer(block)


def _paragraph(paragraph: Paragraph) -> str:
    text = _text(paragraph.text)
    if not paragraph.label:
        return f"<p>{text}</p>"
    label = _text(paragraph.label)
    return f'<p class="verdict {label}"><span class="label">{label}</span> {text}</p>'


def _facts(facts: Facts) -> str:
    inside = "".join(f"<dt>{_text(label)}</dt><dd>{_marked(text)}</dd>" for label, text in facts.pairs)
    mark = f' class="verdict {_text(facts.label)}"' if facts.label else ""
    return f"<dl{mark}>{inside}</dl>"


def _has_many_rows(block: Block) -> bool:
    return isinstance(block, Table) and len(block.rows) >= _MANY


def _table(table: Table) -> Iterator[str]:
    if table.is_long:
        yield f"<details><summary>{len(table.rows)} rows: {_text(', '.join(table.columns))}</summary>"
    yield f'<div class="scroll{" long" if _has_many_rows(table) else ""}"><table>'
    yield f"<thead><tr>{''.join(f'<th>{_text(column)}</th>' for column in table.columns)}</tr></thead>"
    yield "<tbody>"
    yield from (f"<tr>{''.join(map(_cell, row))}</tr>" for row in table.rows)
    yield "</tbody></table></div>"
    if table.is_long:
        yield "</details>"


def _cell(text: str) -> str:
    mark = ' class="short"' if len(text) <= _SHORT else ""
    return f"<td{mark}>{_marked(text)}</td>"


def _marked(text: str) -> str:
    """Return a text, a digest in letters that are told apart."""
    return f"<code>{text}</code>" if _DIGEST.fullmatch(text) else _text(text)


def _cause(cause: Cause) -> Iterator[str]:
    yield f'<div class="cause {_text(cause.label)}">'
    yield f'<p><span class="label">{_text(cause.label)}</span> <code class="soft">{_text(cause.code)}</code></p>'
    yield f"<p>{_text(cause.headline)}</p>"
    if cause.where:
        yield f'<p><span class="soft">Where:</span> {_text(cause.where)}</p>'
    if cause.why:
        yield f'<p><span class="soft">Why:</span> {_text(cause.why)}</p>'
    if cause.items:
        yield f"<ul>{''.join(f'<li>{_text(item)}</li>' for item in cause.items)}</ul>"
    yield from (f'<p><span class="soft">Try:</span> {_text(remedy)}</p>' for remedy in cause.remedies)
    yield "</div>"


def _answer(answer: Answer) -> Iterator[str]:
    tone = _TONES.get(answer.verdict.lower(), answer.verdict.lower())
    yield f'<div class="cause {_text(tone)}">'
    yield f'<p><span class="label">{_text(answer.verdict)}</span> {_text(answer.question)}'
    yield f'<span class="soft">({_text(answer.note)})</span></p>'
    if answer.why:
        yield f"<p>Why: {_text(answer.why)}</p>"
    for cause in answer.causes:
        yield from _cause(cause)
    yield "</div>"
