"""Findings carry facts beside their words: by name, as part of the value, and in JSON."""

from __future__ import annotations

import json
import pickle

from esximage_builder.findings import Finding, Severity
from esximage_builder.views.findings import finding_as_dict


def finding(**facts: str) -> Finding:
    return Finding(code="x-y", severity=Severity.INFO, message="m", facts=facts)


def test_facts_are_asked_for_by_name() -> None:
    made = finding(vib="a", requires="b")

    assert (made.fact("vib"), made.fact("requires"), made.fact("unheard_of")) == ("a", "b", "")


def test_facts_are_part_of_the_value() -> None:
    made, other = finding(vib="a"), finding(vib="b")

    assert made != other
    assert made != finding()
    assert len({made, other, finding(vib="a")}) == 2
    assert pickle.loads(pickle.dumps(made)) == made  # noqa: S301
    assert pickle.loads(pickle.dumps(made)).facts == (("vib", "a"),)  # noqa: S301


def test_the_order_in_which_facts_are_given_does_not_matter() -> None:
    made = finding(b="1", a="2")
    pairs = Finding(code="x-y", severity=Severity.INFO, message="m", facts=[("a", "2"), ("b", "1")])

    assert made == pairs
    assert hash(made) == hash(pairs)
    assert repr(made) == repr(pairs)


def test_findings_that_differ_in_facts_only_have_a_fixed_order() -> None:
    first, second = finding(vib="a"), finding(vib="b")

    assert sorted([second, first], key=lambda made: made.sort_key) == [first, second]


def test_facts_are_an_object_in_json() -> None:
    assert json.loads(json.dumps(finding_as_dict(finding(vib="a", other="b")))) == {
        "code": "x-y", "severity": "info", "message": "m", "items": [], "facts": {"other": "b", "vib": "a"},
        "cause": "", "remedy": "", "where": "",
    }  # fmt: skip
    assert finding_as_dict(finding())["facts"] == {}
