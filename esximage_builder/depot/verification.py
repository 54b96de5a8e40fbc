"""What a verifier says: checks with a verdict and a mark how sure their rule is."""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING, final

import attrs

from esximage_builder.findings import Finding, Severity
from esximage_builder.models.fields import as_tuple

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Certainty", "Check", "Checklist", "Verification"]


class Certainty(enum.StrEnum):
    """How sure it is that the rule behind a check holds for VMware's own tools."""

    CONFIRMED = "confirmed"
    """Public documentation, or measured on many public files."""
    INFERRED = "inferred"
    """By analogy; no public artefact was seen."""


@final
@attrs.frozen(kw_only=True)
class Check:
    """One question and its answer.

    Attributes:
        name: Stable kebab-case name of the question.
        question: What was asked, in words.
        certainty: How sure the rule is.
        findings: What speaks against it; empty if all is well.
    """

    name: str
    question: str
    certainty: Certainty
    findings: tuple[Finding, ...] = attrs.field(default=(), converter=as_tuple)

    @property
    def is_passed(self) -> bool:
        """True without errors; warnings may be there."""
        return not any(finding.severity is Severity.ERROR for finding in self.findings)


@final
@attrs.frozen(kw_only=True)
class Verification:
    """All answers about one file.

    Attributes:
        path: The file.
        kind: What it was verified as: ``vlcm``, ``esxcli`` or ``iso``.
        checks: In the order they were asked.
    """

    path: str
    kind: str
    checks: tuple[Check, ...] = attrs.field(converter=as_tuple)

    @property
    def is_passed(self) -> bool:
        """True if every check is."""
        return all(check.is_passed for check in self.checks)

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Of all checks, in their order."""
        return tuple(finding for check in self.checks for finding in check.findings)

    def as_dict(self) -> dict[str, object]:
        """Return the verification as JSON has it."""
        return {
            "path": self.path,
            "kind": self.kind,
            "passed": self.is_passed,
            "checks": [
                {
                    "name": check.name,
                    "question": check.question,
                    "certainty": check.certainty.value,
                    "passed": check.is_passed,
                    "findings": [finding.as_dict() for finding in check.findings],
                }
                for check in self.checks
            ],
        }

    def render_text(self) -> str:
        """Return the verification for people, one line a check and its findings below."""
        return "\n".join(self._lines()) + "\n"

    def _lines(self) -> Iterator[str]:
        yield f"{self.path}: {'passed' if self.is_passed else 'FAILED'} as {self.kind}"
        for check in self.checks:
            yield f"  [{'ok' if check.is_passed else 'FAILED'}] {check.question} ({check.certainty.value})"
            for finding in check.findings:
                yield f"      {finding.severity.value}: {finding.message}"
                if finding.remedy:
                    yield f"        try: {finding.remedy}"


@final
class Checklist:
    """Collects the checks of a verifier while it runs."""

    def __init__(self, where: str) -> None:
        self._where = where
        self._checks: list[Check] = []

    def ask(self, name: str, question: str, certainty: Certainty, findings: list[Finding] | None = None) -> bool:
        """Add a check with what speaks against it, and say whether it is passed."""
        check = Check(name=name, question=question, certainty=certainty, findings=findings or ())
        self._checks.append(check)
        return check.is_passed

    def problem(
        self, code: str, message: str, *, items: tuple[str, ...] = (), remedy: str = "", is_error: bool = True
    ) -> Finding:
        """Return a finding about the file."""
        severity = Severity.ERROR if is_error else Severity.WARNING
        return Finding(code=code, severity=severity, message=message, items=items, remedy=remedy, where=self._where)

    def result(self, kind: str) -> Verification:
        """Return all checks so far."""
        return Verification(path=self._where, kind=kind, checks=self._checks)
