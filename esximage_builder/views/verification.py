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
    return (Section(f"{verification.path}: {verdict} as {verification.kind}", answers),)


def _answer(check: Check, path: str) -> Answer:
    return Answer(
        verdict="FAILED" if not check.is_passed else "warning" if check.findings else "ok",
        question=check.question,
        note=check.certainty.value,
        causes=[_cause(finding, path) for finding in check.findings],
    )


def _cause(finding: Finding, path: str) -> Cause:
    """Return the finding; the file itself is no place worth naming."""
    cause = cause_of_finding(finding)
    return attrs.evolve(cause, where="") if finding.where == path else cause
