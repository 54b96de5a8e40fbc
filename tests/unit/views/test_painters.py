"""The painters: every block in every form, nothing lost, and no text can break the form it stands in."""

from __future__ import annotations

import base64
import hashlib
import re
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, strategies as st
from support import schema_strategies as strategies
from support.pages import HOSTILE, Page, unmarked

from esximage_builder.views.blocks import Answer, Cause, Facts, Paragraph, Section, Table, filled_sections
from esximage_builder.views.html import render_fragment, render_html
from esximage_builder.views.html_script import PAGE_SCRIPT
from esximage_builder.views.markdown import render_markdown
from esximage_builder.views.text import render_text

if TYPE_CHECKING:
    from collections.abc import Callable

    from esximage_builder.views.blocks import Block

CAUSE = Cause(
    label="error", code="conflict", headline="two VIBs", where="a.zip", why="both", items=("x", "y"), remedies=("drop",)
)
TABLE = Table(columns=("Name", "Version"), rows=[("a-long-name", "1"), ("b", "1.2.3")])
FACTS = Facts([("ESXi", "7.0.3"), ("Boot bank", "12 bytes")])
ANSWER = Answer(verdict="FAILED", question="is it whole?", note="confirmed", causes=[CAUSE])
BLOCKS = [Paragraph("A sentence."), FACTS, TABLE, CAUSE, ANSWER]


def text_of(*blocks: Block, title: str = "") -> list[str]:
    return render_text([Section(title, blocks)]).splitlines()


# Text


def test_columns_are_aligned_and_no_line_ends_in_blanks() -> None:
    assert text_of(TABLE) == ["Name         Version", "a-long-name  1", "b            1.2.3"]
    assert text_of(FACTS) == ["ESXi       7.0.3", "Boot bank  12 bytes"]
    assert text_of(Facts([("Name", "")])) == ["Name"]


def test_a_cause_in_text_has_its_details_below() -> None:
    assert text_of(CAUSE) == [
        "[error] conflict: two VIBs",
        "    where: a.zip",
        "    why: both",
        "    what: x, y",
        "    try: drop",
    ]


def test_an_answer_in_text_has_its_causes_below() -> None:
    lines = text_of(ANSWER, title="file: FAILED")

    assert lines[:4] == [
        "file: FAILED",
        "  [FAILED] is it whole? (confirmed)",
        "      [error] conflict: two VIBs",
        "          where: a.zip",
    ]


def test_a_headline_indents_what_stands_under_it() -> None:
    assert text_of(Paragraph("A sentence."), title="Title") == ["Title", "  A sentence."]
    assert text_of(Paragraph("A sentence.")) == ["A sentence."]


def test_empty_lines_stand_around_tables_and_before_facts() -> None:
    """What belongs together stays together: the notes on a file right below it."""
    assert text_of(FACTS, CAUSE, FACTS, TABLE, Paragraph("End.")) == [
        *text_of(FACTS), *text_of(CAUSE), "", *text_of(FACTS), "", *text_of(TABLE), "", "End.",
    ]  # fmt: skip


def test_sections_in_text_stand_apart() -> None:
    sections = [Section("One", [Paragraph("a")]), Section("Two", [Paragraph("b")])]
    assert render_text(sections) == "One\n  a\n\nTwo\n  b\n"


def test_asides_are_for_the_long_forms() -> None:
    aside = Paragraph("What the word means.", is_aside=True)

    assert text_of(aside, Paragraph("It is so."), title="Title") == ["Title", "  It is so."]
    assert render_text([Section("Title", [aside])]) == "\n", "a headline alone says nothing"
    assert aside.text in render_markdown([Section("Title", [aside])], "Page")
    assert aside.text in Page(render_html([Section("Title", [aside])], "Page")).text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        pytest.param("a\x1b[2Jb", "a\\x1b[2Jb", id="clears the screen"),
        pytest.param("a\rb", "a b", id="carriage return"),
        pytest.param("a\nb", "a b", id="line feed"),
        pytest.param("a\x9b2Jb", "a\\x9b2Jb", id="C1"),
        pytest.param("a\u202eb", "a\\u202eb", id="right to left"),
        pytest.param("a\udce9b", "a\\udce9b", id="half surrogate"),
        pytest.param("\u00fcn\u00ef \u6f22", "\u00fcn\u00ef \u6f22", id="letters of the world"),
    ],
)
def test_no_text_moves_the_cursor(text: str, shown: str) -> None:
    assert text_of(Paragraph(text)) == [shown]
    assert text_of(Table(columns=("Name",), rows=[(text,)])) == ["Name", shown]


# Markdown


def test_every_block_as_markdown() -> None:
    assert render_markdown([Section("Title", BLOCKS)], "Page").splitlines() == [
        "# Page", "", "## Title", "",
        "A sentence.", "",
        "* **ESXi**: 7.0.3", "* **Boot bank**: 12 bytes", "",
        "| Name | Version |", "| --- | --- |", "| a-long-name | 1 |", "| b | 1.2.3 |", "",
        "* **ERROR** `conflict`: two VIBs", "  * Where: a.zip", "  * Why: both", "  * What: x, y", "  * Try: drop", "",
        "* **FAILED** is it whole? (confirmed)", "  * **ERROR** `conflict`: two VIBs", "    * Where: a.zip",
        "    * Why: both", "    * What: x, y", "    * Try: drop",
    ]  # fmt: skip


def test_a_section_without_headline_has_none() -> None:
    sections = [Section("", [Paragraph("a")])]
    page = Page(render_html(sections, "Page"))

    assert render_markdown(sections, "Page") == "# Page\n\na\n"
    assert (page.count("section"), page.count("h2"), page.count("a")) == (1, 0, 0)


# HTML


def test_every_block_as_html() -> None:
    page = Page(render_html([Section("Title", BLOCKS)], "Page"))

    assert page.count("h1") == page.count("section", id="title") == page.count("dl") == page.count("table") == 1
    assert page.count("div", **{"class": "cause error"}) == 3, "the cause, the answer, and the cause in it"
    for words in ("A sentence.", "Boot bank 12 bytes", "a-long-name 1", "Where: a.zip", "is it whole? (confirmed)"):
        assert words in page.text


def test_every_section_has_a_place_of_its_own_to_go_to() -> None:
    """Hosts differ by a digit, or by what is no letter of ours."""
    titles = ("esx1", "esx2", "esx 2", "ESX-2", "", "\u6f22", "\u5b57", "-2")
    page = Page(render_html([Section(title, [Paragraph("a")]) for title in titles], "Page"))
    ids = [found["id"] for tag, found in page.tags if tag == "section" and "id" in found]

    assert [found["href"] for tag, found in page.tags if tag == "a"] == [f"#{name}" for name in ids]
    assert len(ids) == len(set(ids)) == len(titles) - 1


def test_a_verdict_says_in_words_what_its_colour_says() -> None:
    blocks: list[Block] = [Paragraph("It is not whole.", label="error"), Facts([("Status", "compliant")], label="ok")]
    page = Page(render_html([Section("", blocks)], "Page"))

    assert page.count("p", **{"class": "verdict error"}) == page.count("dl", **{"class": "verdict ok"}) == 1
    assert "error It is not whole." in page.text
    assert "**ERROR**: It is not whole." in render_markdown([Section("", blocks)], "Page")
    assert text_of(*blocks) == ["It is not whole.", "", "Status  compliant"]


def test_a_digest_stands_in_letters_of_one_width_and_nothing_else_does() -> None:
    facts = Facts([("SHA-256", "0af" * 20), ("Name", "0af" * 20 + "<")])
    page = Page(render_html([Section("", [facts, Table(columns=("A",), rows=[("b" * 64,), ("b",)])])], "Page"))
    assert page.count("code") == 2


@pytest.mark.parametrize(("rows", "runs"), [(11, False), (12, True)])
def test_only_a_page_with_a_long_table_has_the_script_and_its_policy_lets_it_run(*, rows: int, runs: bool) -> None:
    """The policy names style and script by their hashes: what a text might smuggle in does not run."""
    table = Table(columns=("Name",), rows=[(HOSTILE,)] * rows)
    text = render_html([Section("Title", [table])], HOSTILE)
    page = Page(text)
    (policy,) = [str(found["content"]) for tag, found in page.tags if tag == "meta" and "http-equiv" in found]
    rules = dict(rule.split(" ", 1) for rule in policy.split("; "))

    assert page.count("script") == page.count("div", **{"class": "scroll long"}) == runs
    for tag in ("style", *(["script"] if runs else [])):
        (inside,) = re.findall(f"<{tag}>(.*?)</{tag}>", text, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(inside.encode()).digest()).decode()
        assert rules.pop(f"{tag}-src") == f"'sha256-{digest}'"
    assert rules == {"default-src": "'none'", "base-uri": "'none'", "form-action": "'none'"}


def test_the_script_makes_no_markup_of_texts_and_asks_for_nothing() -> None:
    assert not re.search(r"innerHTML|outerHTML|insertAdjacent|document\.write|eval|Function|fetch|http|</", PAGE_SCRIPT)
    assert PAGE_SCRIPT.isascii()


def test_a_piece_has_no_script_however_long_its_tables_are() -> None:
    long = Table(columns=("Name",), rows=[("a",)] * 500, is_long=True)
    assert "<script" not in render_fragment([Section("Title", [long])], "Piece")


@pytest.mark.parametrize(
    ("verdict", "tone"), [("ok", "info"), ("warning", "warning"), ("FAILED", "error"), ("not asked", "warning")]
)
def test_a_verdict_has_the_colour_of_its_weight(verdict: str, tone: str) -> None:
    answer = Answer(verdict=verdict, question="q", note="n")
    assert Page(render_html([Section("", [answer])], "Page")).count("div", **{"class": f"cause {tone}"}) == 1


@pytest.mark.parametrize(
    "render",
    [
        render_text,
        lambda sections: render_markdown(sections, "P"),
        lambda sections: Page(render_html(sections, "P")).text,
    ],
)
def test_why_a_question_could_not_be_asked_is_told(render: Callable[[list[Section]], str]) -> None:
    answer = Answer(verdict="not asked", question="is it whole?", note="n", why="it is not there")
    shown = " ".join(render([Section("", [answer])]).split())

    assert "why: it is not there" in shown.lower()


# All of them


def all_blocks(text: str) -> list[Block]:
    cause = Cause(label="error", code="x", headline=text, where=text, why=text, items=(text,), remedies=(text,))
    return [
        Paragraph(text),
        Paragraph(text, label=text),
        Facts([(text, text)]),
        Facts([(text, text)], label=text),
        Table(columns=(text, "b"), rows=[(text, text)]),
        Table(columns=(text, "b"), rows=[(text, text)], is_long=True),
        cause,
        Answer(verdict="ok", question=text, note=text, causes=[cause]),
    ]


@given(strategies.xml_text() | st.text("<>&\"'|\\`*_[]#~ \n\x1b", max_size=12) | st.just(HOSTILE))
def test_every_text_comes_through_in_every_form(text: str) -> None:
    """As a headline, too; rows stay rows and elements stay closed."""
    sections = [Section(text or "x", all_blocks(text))]
    one_line = " ".join(text.split())
    page = Page(render_html(sections, text))
    markdown = render_markdown(sections, text)
    lines = render_text(sections).splitlines()

    assert one_line in page.text
    assert one_line in unmarked(markdown)
    assert {len(re.findall(r"(?<!\\)(?:\\\\)*\|", line)) for line in markdown.splitlines() if line.startswith("|")} == {
        3
    }
    assert page.count("script") == 0
    if one_line:
        assert len(lines) == len(render_text([Section("x", all_blocks("y"))]).splitlines())
    assert all(line.isprintable() for line in lines)


def test_sections_without_blocks_are_not_filled() -> None:
    filled = Section("b", [Paragraph("x")])
    assert filled_sections([Section("a", ()), filled]) == (filled,)
