"""Checklists: every question has its line, and what could not be asked is neither passed nor failed."""

from __future__ import annotations

import pytest

from esximage_builder.findings import Finding, Severity
from esximage_builder.verify.checklist import Certainty, Checklist, Question
from esximage_builder.views.verification import render_verification, verification_as_dict

QUESTIONS = (Question("first", "is it there?"), Question("second", "is it whole?", Certainty.INFERRED))


def found(severity: Severity) -> Finding:
    return Finding(code="x", severity=severity, message="what was found")


@pytest.mark.parametrize(
    ("severity", "why_not", "state"),
    [
        (None, "", "ok"),
        (Severity.WARNING, "", "warning"),
        (Severity.ERROR, "", "FAILED"),
        (None, "nothing is there", "not asked"),
        (Severity.WARNING, "half of it is there", "not asked"),
        (Severity.ERROR, "half of it is there", "FAILED"),
    ],
)
def test_a_check_is_passed_failed_or_not_asked(severity: Severity | None, why_not: str, state: str) -> None:
    checks = Checklist("x.iso", QUESTIONS)
    checks.answer("first", [] if severity is None else [found(severity)], why_not=why_not)
    checks.answer("second")
    verification = checks.result("iso")
    (check, other) = verification.checks

    assert check.is_passed is (state in ("ok", "warning"))
    assert check.is_failed is (state == "FAILED")
    assert verification.is_passed is (state != "FAILED")
    assert verification.not_asked == ((check,) if state == "not asked" else ())
    assert other.is_passed
    text = render_verification(verification)
    assert f"  [{state}] is it there? (confirmed)\n" in text
    assert (f"      why: {why_not}\n" in text) is (state == "not asked")
    assert (", 1 of 2 questions not asked" in text.splitlines()[0]) is (state == "not asked")
    document = verification_as_dict(verification)
    assert isinstance(document["checks"], list)
    assert (document["checks"][0]["asked"], document["checks"][0]["why_not_asked"]) == (not why_not, why_not)


def test_answers_stand_in_the_order_of_the_questions() -> None:
    checks = Checklist("x.iso", QUESTIONS)
    checks.ask("more", "was it asked for?", Certainty.INFERRED)
    checks.answer("second")
    checks.leave_unasked("it is gone")
    verification = checks.result("iso")

    assert [check.name for check in verification.checks] == ["first", "second", "more"]
    assert [check.why_not_asked for check in verification.checks] == ["it is gone", "", ""]


def test_a_question_without_answer_is_a_fault_of_the_verifier() -> None:
    checks = Checklist("x.iso", QUESTIONS)
    checks.answer("first")

    with pytest.raises(AssertionError, match="second"):
        checks.result("iso")
