"""What a verifier says: checks with a verdict and a mark how sure their rule is.

A question that could not be asked is neither passed nor failed: it says why not. A verifier names all
its questions at the start and answers each by name, so that none is left without a line.
"""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING, final

import attrs

from esximage_builder.depot.sniff import FileKind, sniff
from esximage_builder.errors import NotADepotError
from esximage_builder.findings import Finding, Severity
from esximage_builder.models.fields import as_tuple
from esximage_builder.shown import Shown, ShownAsPage

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

__all__ = ["Certainty", "Check", "Checklist", "Question", "Verification", "require_kind"]


class Certainty(enum.StrEnum):
    """How sure it is that the rule behind a check holds for VMware's own tools."""

    CONFIRMED = "confirmed"
    """Public documentation, or measured on many public files."""
    INFERRED = "inferred"
    """By analogy; no public artefact was seen."""


@final
@attrs.frozen
class Question:
    """What a check asks.

    Attributes:
        name: Stable kebab-case name.
        text: In words.
        certainty: How sure it is that the rule behind it holds.
    """

    name: str
    text: str
    certainty: Certainty = Certainty.CONFIRMED


@final
@attrs.frozen(kw_only=True, repr=False)
class Check(Shown):
    """One question and its answer: passed, failed, or not asked.

    Attributes:
        name: Stable kebab-case name of the question.
        question: What was asked, in words.
        certainty: How sure the rule is.
        findings: What speaks against it, or was noticed; empty if all is well.
        why_not_asked: Why it could not be asked, or not of all that it is about; empty if it was.
    """

    name: str
    question: str
    certainty: Certainty
    findings: tuple[Finding, ...] = attrs.field(default=(), converter=as_tuple)
    why_not_asked: str = ""

    @property
    def is_asked(self) -> bool:
        """False if the question could not be asked, or not of all that it is about."""
        return not self.why_not_asked

    @property
    def is_failed(self) -> bool:
        """True with an error, whatever could not be asked besides."""
        return any(finding.severity is Severity.ERROR for finding in self.findings)

    @property
    def is_passed(self) -> bool:
        """True if it was asked and is without errors; warnings may be there."""
        return self.is_asked and not self.is_failed


@final
@attrs.frozen(kw_only=True, repr=False)
class Verification(ShownAsPage):
    """All answers about one file.

    Attributes:
        path: The file.
        kind: What it was verified as: ``vlcm``, ``esxcli``, ``iso`` or ``vib``.
        checks: In the order they were asked.
    """

    path: str
    kind: str
    checks: tuple[Check, ...] = attrs.field(converter=as_tuple)

    @property
    def is_passed(self) -> bool:
        """True if no check is failed; what could not be asked fails no file by itself."""
        return not any(check.is_failed for check in self.checks)

    @property
    def not_asked(self) -> tuple[Check, ...]:
        """The checks that could not be asked and did not fail: what the verdict says nothing about."""
        return tuple(check for check in self.checks if not check.is_asked and not check.is_failed)

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Of all checks, in their order."""
        return tuple(finding for check in self.checks for finding in check.findings)


@final
class Checklist:
    """Collects the checks of a verifier while it runs.

    Args:
        where: The file.
        questions: All that will be asked, in the order of the answers.
    """

    def __init__(self, where: str, questions: Iterable[Question] = ()) -> None:
        self._where = where
        self._open = {question.name: question for question in questions}
        self._order = list(self._open)
        self._checks: list[Check] = []

    def answer(self, name: str, findings: Iterable[Finding] = (), *, why_not: str = "", said: str = "") -> None:
        """Answer one of the questions.

        Args:
            name: Of the question.
            findings: What speaks against it; those that name no place get the file's.
            why_not: Why it could not be asked, or not of all that it is about; empty if it was.
            said: The answer, where it is more than yes or no.
        """
        question = self._open.pop(name)
        text = f"{question.text} {said}" if said else question.text
        self.ask(name, text, question.certainty, findings, why_not=why_not)

    def leave_unasked(self, why_not: str) -> None:
        """Answer every question that is still open with why it could not be asked."""
        for name in list(self._open):
            self.answer(name, why_not=why_not)

    def ask(
        self, name: str, question: str, certainty: Certainty, findings: Iterable[Finding] = (), *, why_not: str = ""
    ) -> bool:
        """Add a check that was not named at the start, and say whether it is passed; see ``answer``."""
        placed = [
            finding if finding.where else attrs.evolve(finding, where=self._where) for finding in _listed(findings)
        ]
        check = Check(name=name, question=question, certainty=certainty, findings=placed, why_not_asked=why_not)
        self._checks.append(check)
        return check.is_passed

    def result(self, kind: str) -> Verification:
        """Return all checks in the order of their questions, then those that were not named at the start.

        Raises:
            AssertionError: A question has no answer.
        """
        assert not self._open, f"not answered: {', '.join(self._open)}"  # noqa: S101 - a fault of the verifier
        ranks = {name: rank for rank, name in enumerate(self._order)}
        checks = sorted(self._checks, key=lambda check: ranks.get(check.name, len(ranks)))
        return Verification(path=self._where, kind=kind, checks=checks)


_MOST_FINDINGS = 1000  # of one check; nobody reads so many, and a small file can give reason for a million


def _listed(findings: Iterable[Finding]) -> Iterator[Finding]:
    """Yield the first thousand, and for those after them one with their count, of each kind."""
    rest: dict[tuple[str, Severity], tuple[Finding, int]] = {}
    for number, finding in enumerate(findings):
        if number < _MOST_FINDINGS:
            yield finding
        else:
            kind = (finding.code, finding.severity)
            first, count = rest.get(kind, (finding, 0))
            rest[kind] = (first, count + 1)
    for first, count in rest.values():
        message = f"{count} more findings of this kind are not listed"
        yield attrs.evolve(first, message=message, items=(), cause="", where="")


_HINTS = {
    FileKind.ZIP: "verify an offline bundle with verify_bundle",
    FileKind.ISO: "verify a disc with verify_iso",
    FileKind.VIB: "verify a single VIB with verify_vib",
}


def require_kind(path: str | Path, kind: FileKind) -> None:
    """Refuse a file that is something else than the verifier is for.

    Args:
        path: The file.
        kind: What it must be, by its first bytes.

    Raises:
        NotADepotError: It is something else; the error says what, and what to verify it with.
        SourceUnreadableError: It is missing or cannot be read.
    """
    sniffed = sniff(path)
    if sniffed.kind is kind:
        return
    raise NotADepotError(
        f"this is no {kind.value} and cannot be verified as one",
        where=str(path),
        found=sniffed.kind.value,
        expected=kind.value,
        hint=_HINTS.get(sniffed.kind, sniffed.advice),
    )
