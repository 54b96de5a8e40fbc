"""Findings and explanations: one wording in every form, waivers are marked, long lists are cut for the terminal."""

from __future__ import annotations

import json

import pytest

import esximage_builder as eib
from esximage_builder.findings import Finding, Severity
from esximage_builder.rules.explain import Explanation
from esximage_builder.views.blocks import Cause
from esximage_builder.views.findings import (
    cause_of_explanation,
    cause_of_finding,
    explanation_as_dict,
    is_waived,
    sections_of_explanations,
)
from esximage_builder.views.markdown import render_markdown

FINDING = Finding(
    code="missing-dependency",
    severity=Severity.ERROR,
    message="x needs y",
    items=("x", "y"),
    cause="the cause",
    remedy="the remedy",
    where="depot.zip: a.vib",
)
LONG = Explanation(
    code="a",
    severity=Severity.ERROR,
    headline="9 findings",
    cause="the cause",
    remedies=[f"remedy {number}" for number in range(8)],
    items=[f"item {number}" for number in range(9)],
)
SHORT = Explanation(code="a", severity=Severity.INFO, headline="one", cause="", remedies=(), items=("item",))


def test_a_finding_as_json_has_every_field() -> None:
    assert json.loads(json.dumps(eib.finding_as_dict(FINDING))) == {
        "code": "missing-dependency",
        "severity": "error",
        "message": "x needs y",
        "items": ["x", "y"],
        "facts": {},
        "cause": "the cause",
        "remedy": "the remedy",
        "where": "depot.zip: a.vib",
    }


def test_an_explanation_as_json_has_every_field() -> None:
    assert json.loads(json.dumps(explanation_as_dict(SHORT))) == {
        "code": "a",
        "severity": "info",
        "headline": "one",
        "cause": "",
        "remedies": [],
        "items": ["item"],
    }


def test_explanations_as_text_name_the_code_and_are_cut() -> None:
    """The code is what ``--allow`` takes."""
    assert eib.render_explanations([LONG]).splitlines() == [
        "[error] a: 9 findings",
        "    why: the cause",
        "    what: item 0, item 1, item 2, item 3, item 4, item 5 and 3 more",
        *(f"    try: remedy {number}" for number in range(6)),
        "    and 2 more to try",
    ]


def test_short_explanations_are_short() -> None:
    assert eib.render_explanations([SHORT]) == "[info] a: one\n"


def test_nothing_to_explain_says_so() -> None:
    assert eib.render_explanations([]) == "nothing to explain: no findings\n"


def test_explanations_as_markdown_leave_nothing_out() -> None:
    markdown = render_markdown(sections_of_explanations([LONG]), "Findings")

    assert markdown.splitlines()[:3] == ["# Findings", "", "* **ERROR** `a`: 9 findings"]
    assert "item 8" in markdown
    assert "remedy 7" in markdown


@pytest.mark.parametrize(
    ("severity", "codes", "label"),
    [
        pytest.param(Severity.ERROR, ("a",), "waived", id="error of the code"),
        pytest.param(Severity.ERROR, ("b",), "error", id="error of another code"),
        pytest.param(Severity.WARNING, ("a",), "warning", id="warning"),
    ],
)
def test_only_errors_are_waived(severity: Severity, codes: tuple[str, ...], label: str) -> None:
    finding = Finding(code="a", severity=severity, message="m")
    explanation = Explanation(code="a", severity=severity, headline="m", cause="", remedies=(), items=())

    assert is_waived(finding, codes) is (label == "waived")
    assert cause_of_explanation(explanation, waived=codes).label == label


def test_a_single_item_is_named_where_it_is_asked_for() -> None:
    assert cause_of_explanation(SHORT).items == ()
    assert cause_of_explanation(SHORT, with_single_item=True).items == ("item",)


def test_a_finding_on_a_page_has_place_cause_and_remedy() -> None:
    assert cause_of_finding(FINDING) == Cause(
        label="error",
        code="missing-dependency",
        headline="x needs y",
        where="depot.zip: a.vib",
        why="the cause",
        remedies=("the remedy",),
    )
