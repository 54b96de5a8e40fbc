"""Sections as one HTML page, or as a piece of one: no script, nothing loaded from elsewhere, every text escaped."""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING

from esximage_builder.views.blocks import Answer, Cause, Facts, Paragraph, Table

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from esximage_builder.views.blocks import Block, Section

__all__ = ["render_fragment", "render_html"]

_STYLE = """
:root { --text: #1d2430; --soft: #5c6675; --line: #d9dee6; --back: #f5f6f8; --card: #ffffff;
  --error: #b3261e; --warning: #8a5a00; --info: #1f5f99; --waived: #6b3fa0; }
@media (prefers-color-scheme: dark) {
  :root { --text: #e4e8ee; --soft: #9aa5b4; --line: #39424f; --back: #14181e; --card: #1d232b;
    --error: #ff8a80; --warning: #ffc36b; --info: #8cc4ff; --waived: #cda8ff; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--back); color: var(--text);
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Liberation Sans", sans-serif; }
main { max-width: 62rem; margin: 0 auto; padding: 2rem 1.25rem 4rem; }
h1 { font-size: 1.5rem; line-height: 1.3; margin: 0 0 1rem; overflow-wrap: anywhere; }
h2 { font-size: 1.1rem; margin: 2.25rem 0 .75rem; }
p { margin: .5rem 0; max-width: 48rem; }
nav { font-size: .875rem; margin-bottom: 1.5rem; }
nav a { color: var(--info); margin-right: 1rem; white-space: nowrap; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .3rem 1.5rem; margin: .75rem 0; padding: 1rem 1.25rem;
  background: var(--card); border: 1px solid var(--line); border-radius: .5rem; }
dt { color: var(--soft); }
dd { margin: 0; overflow-wrap: anywhere; }
.scroll { overflow-x: auto; margin: .75rem 0; background: var(--card); border: 1px solid var(--line);
  border-radius: .5rem; }
table { border-collapse: collapse; width: 100%; font-size: .875rem; }
th, td { text-align: left; vertical-align: top; padding: .45rem .9rem; border-bottom: 1px solid var(--line);
  overflow-wrap: anywhere; }
th { color: var(--soft); font-weight: 600; white-space: nowrap; }
td.short { white-space: nowrap; }
tr:last-child td { border-bottom: 0; }
summary { cursor: pointer; color: var(--info); margin: .5rem 0; }
.cause { margin: .75rem 0; padding: .75rem 1.25rem; background: var(--card); border: 1px solid var(--line);
  border-left: .3rem solid var(--tone); border-radius: .5rem; overflow-wrap: anywhere; }
.cause p { max-width: none; margin: .25rem 0; }
.cause ul { margin: .25rem 0; padding-left: 1.25rem; font-size: .875rem; }
.label { color: var(--tone); font-weight: 700; text-transform: uppercase; font-size: .8rem; letter-spacing: .04em; }
.soft { color: var(--soft); }
code { font-family: ui-monospace, "SF Mono", Consolas, "Liberation Mono", monospace; font-size: .85em; }
.error { --tone: var(--error); } .warning { --tone: var(--warning); }
.info { --tone: var(--info); } .waived { --tone: var(--waived); }
@media print { body { background: none; } nav { display: none; } .cause, dl, .scroll { break-inside: avoid; } }
@media (max-width: 36rem) { dl { grid-template-columns: 1fr; gap: 0; } dd { margin-bottom: .5rem; } }
"""
# Pages of others have colours of their own, light or dark: these stand out on both, and backs are left as they are.
_FRAGMENT_STYLE = """
.esximage { --error: #d9493f; --warning: #b5790b; --info: #3b84c4; --waived: #9264c8; --soft: #808893;
  --line: rgba(128, 136, 147, .35); font: 14px/1.45 system-ui, sans-serif; max-width: 75rem; }
.esximage .title { font-size: 1.15em; font-weight: 700; margin: .25em 0 .5em; overflow-wrap: anywhere; }
.esximage .head { font-weight: 700; margin: 1em 0 .3em; }
.esximage p { margin: .3em 0; }
.esximage dl { display: grid; grid-template-columns: max-content 1fr; gap: .15em 1.25em; margin: .4em 0; }
.esximage dt { color: var(--soft); font-weight: 400; }
.esximage dd { margin: 0; overflow-wrap: anywhere; }
.esximage .scroll { overflow-x: auto; max-height: 30em; overflow-y: auto; }
.esximage table { border-collapse: collapse; margin: .3em 0; font-size: .95em; }
.esximage th, .esximage td { text-align: left; vertical-align: top; padding: .25em .8em .25em 0;
  border-bottom: 1px solid var(--line); overflow-wrap: anywhere; }
.esximage th { color: var(--soft); font-weight: 600; white-space: nowrap; }
.esximage td.short { white-space: nowrap; }
.esximage summary { cursor: pointer; color: var(--info); }
.esximage .cause { margin: .5em 0; padding: .3em .8em; border-left: .25em solid var(--tone); overflow-wrap: anywhere; }
.esximage .label { color: var(--tone); font-weight: 700; text-transform: uppercase; font-size: .85em; }
.esximage .soft { color: var(--soft); }
.esximage .error { --tone: var(--error); } .esximage .warning { --tone: var(--warning); }
.esximage .info { --tone: var(--info); } .esximage .waived { --tone: var(--waived); }
"""
_TONES = {"ok": "info", "failed": "error", "not asked": "warning"}  # colours of verdicts
_SHORT = 20  # characters of a cell that stay on one line
_HEAD = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
<main>
<h1>{title}</h1>
"""
_TAIL = """</main>
</body>
</html>
"""


def render_html(sections: Iterable[Section], title: str) -> str:
    """Return the sections as one HTML page."""
    shown = tuple(sections)
    titles = [section.title for section in shown if section.title]
    links = " ".join(f'<a href="#{_anchor(name)}">{_text(name)}</a>' for name in titles)
    parts = [_HEAD.format(title=_text(title), style=_STYLE), f"<nav>{links}</nav>\n"]
    for section in shown:
        parts.append(_headline(section.title))
        parts += [f"{line}\n" for block in section.blocks for line in _block(block)]
        parts.append("</section>\n")
    return "".join(parts) + _TAIL


def render_fragment(sections: Iterable[Section], title: str) -> str:
    """Return the sections as a piece of a page of others, such as a notebook: its style touches nothing else."""
    parts = [f'<div class="esximage"><style>{_FRAGMENT_STYLE}</style><div class="title">{_text(title)}</div>']
    for section in sections:
        parts += [f'<div class="head">{_text(section.title)}</div>'] if section.title else []
        parts += [line for block in section.blocks for line in _block(block)]
    return "".join([*parts, "</div>\n"])


def _headline(title: str) -> str:
    if not title:
        return "<section>\n"
    return f'<section id="{_anchor(title)}">\n<h2>{_text(title)}</h2>\n'


def _text(text: str) -> str:
    return html.escape(text)


def _anchor(title: str) -> str:
    return re.sub(r"[^a-z]+", "-", title.lower())


def _block(block: Block) -> Iterable[str]:
    match block:
        case Paragraph():
            return (f"<p>{_text(block.text)}</p>",)
        case Facts():
            return (_facts(block),)
        case Table():
            return _table(block)
        case Cause():
            return _cause(block)
        case Answer():
            return _answer(block)


def _facts(facts: Facts) -> str:
    inside = "".join(f"<dt>{_text(label)}</dt><dd>{_text(text)}</dd>" for label, text in facts.pairs)
    return f"<dl>{inside}</dl>"


def _table(table: Table) -> Iterator[str]:
    if table.is_long:
        yield f"<details><summary>{len(table.rows)} rows: {_text(', '.join(table.columns))}</summary>"
    yield '<div class="scroll"><table>'
    yield f"<thead><tr>{''.join(f'<th>{_text(column)}</th>' for column in table.columns)}</tr></thead>"
    yield "<tbody>"
    yield from (f"<tr>{''.join(map(_cell, row))}</tr>" for row in table.rows)
    yield "</tbody></table></div>"
    if table.is_long:
        yield "</details>"


def _cell(text: str) -> str:
    mark = ' class="short"' if len(text) <= _SHORT else ""
    return f"<td{mark}>{_text(text)}</td>"


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
