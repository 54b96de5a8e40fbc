"""What a verifier says: checks with a verdict and a mark how sure their rule is."""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING, final

import attrs

from esximage_builder.depot.sniff import FileKind, sniff
from esximage_builder.errors import NotADepotError
from esximage_builder.findings import Finding, Severity
from esximage_builder.models.fields import as_tuple

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

__all__ = ["Certainty", "Check", "Checklist", "Verification", "require_kind"]


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
        kind: What it was verified as: ``vlcm``, ``esxcli``, ``iso`` or ``vib``.
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


@final
class Checklist:
    """Collects the checks of a verifier while it runs."""

    def __init__(self, where: str) -> None:
        self._where = where
        self._checks: list[Check] = []

    def ask(self, name: str, question: str, certainty: Certainty, findings: Iterable[Finding] = ()) -> bool:
        """Add a check with what speaks against it, and say whether it is passed.

        Findings that name no place get the file's.
        """
        placed = [finding if finding.where else attrs.evolve(finding, where=self._where) for finding in findings]
        check = Check(name=name, question=question, certainty=certainty, findings=placed)
        self._checks.append(check)
        return check.is_passed

    def result(self, kind: str) -> Verification:
        """Return all checks so far."""
        return Verification(path=self._where, kind=kind, checks=self._checks)


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
