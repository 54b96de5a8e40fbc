"""What a verifier says of a file: as sections, as text, as JSON has it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from esximage_builder.views.blocks import Answer, Section
from esximage_builder.views.findings import cause_of_finding, finding_as_dict
from esximage_builder.views.text import render_text

if TYPE_CHECKING:
    from esximage_builder.findings import Finding
    from esximage_builder.verify.checklist import Check, Verification
    from esximage_builder.views.blocks import Cause

__all__ = ["render_verification", "sections_of_verification", "verification_as_dict"]


def verification_as_dict(verification: Verification) -> dict[str, object]:
    """Return a verification as JSON has it."""
    return {
        "path": verification.path,
        "kind": verification.kind,
        "passed": verification.is_passed,
        "checks": [
            {
                "name": check.name,
                "question": check.question,
                "certainty": check.certainty.value,
                "passed": check.is_passed,
                "asked": check.is_asked,
                "why_not_asked": check.why_not_asked,
                "findings": [finding_as_dict(finding) for finding in check.findings],
            }
            for check in verification.checks
        ],
    }


def render_verification(verification: Verification) -> str:
    """Return a verification for people, one line a check and its findings below."""
    return render_text(sections_of_verification(verification))


def sections_of_verification(verification: Verification) -> tuple[Section, ...]:
    """Return the verdict on the file, and under it what was asked."""
    verdict = "passed" if verification.is_passed else "FAILED"
    answers = [_answer(check, verification.path) for check in verification.checks]
    return (Section(f"{verification.path}: {verdict} as {verification.kind}{_unasked(verification)}", answers),)


def _unasked(verification: Verification) -> str:
    """Say beside the verdict how many questions it says nothing about."""
    count, of = len(verification.not_asked), len(verification.checks)
    return f", {count} of {of} questions not asked" if count else ""


def _answer(check: Check, path: str) -> Answer:
    return Answer(
        verdict=_verdict(check),
        question=check.question,
        note=check.certainty.value,
        why="" if check.is_failed else check.why_not_asked,
        causes=[_cause(finding, path) for finding in check.findings],
    )


def _verdict(check: Check) -> str:
    if check.is_failed:
        return "FAILED"
    if not check.is_asked:
        return "not asked"
    return "warning" if check.findings else "ok"


def _cause(finding: Finding, path: str) -> Cause:
    """Return the finding; the file itself is no place worth naming."""
    cause = cause_of_finding(finding)
    return attrs.evolve(cause, where="") if finding.where == path else cause
