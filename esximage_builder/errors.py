"""Every error this library raises.

A class exists where the caller's next step differs, not per message. All of them
share one shape: a message, the place, what was found, what was expected and what to
try. ``str()`` prints these as labelled lines; ``as_dict()`` gives them as JSON does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Self

if TYPE_CHECKING:
    from collections.abc import Sequence

    from esximage_builder.findings import Finding

__all__ = [
    "ChecksumMismatchError",
    "ComposeError",
    "DepotError",
    "DepotErrors",
    "EsxImageError",
    "ExportError",
    "IncompatibleImageError",
    "InvalidFieldError",
    "LimitExceededError",
    "MalformedDocumentError",
    "MissingExtraError",
    "ModelError",
    "NotADepotError",
    "NotInDepotError",
    "SourceUnreadableError",
    "UnsafeArchiveError",
    "VersionSyntaxError",
    "WrongTypeError",
]


_MOST_FOUND = 2_000
"""Characters of what was found: whole files are no help."""


class EsxImageError(Exception):
    """Base of all errors of this library.

    Args:
        message: What is wrong, in one sentence without a final full stop.
        where: The place as a person finds it: ``depot.zip!metadata.zip!vibs/x.xml:12 <payloads>``.
        found: What stood there; no more than its beginning is kept.
        expected: What should have stood there.
        hint: What to try next.

    Attributes:
        code: Stable kebab-case name of the error class; never reused for another meaning.
    """

    code: ClassVar[str] = "error"

    def __init__(
        self,
        message: str,
        *,
        where: str = "",
        found: str = "",
        expected: str = "",
        hint: str = "",
    ) -> None:
        super().__init__(message)
        self.message = message
        self.where = where
        self.found = found if len(found) <= _MOST_FOUND else f"{found[:_MOST_FOUND]}…"
        self.expected = expected
        self.hint = hint

    def __str__(self) -> str:
        labelled = (
            ("expected", self.expected),
            ("found", self.found),
            ("where", self.where),
            ("try", self.hint),
        )
        return "\n".join([self.message, *(f"  {label}: {text}" for label, text in labelled if text)])

    def as_dict(self) -> dict[str, str]:
        """Return the error as the JSON object that the command line prints."""
        return {
            "code": self.code,
            "message": self.message,
            "where": self.where,
            "found": self.found,
            "expected": self.expected,
            "hint": self.hint,
        }


class DepotError(EsxImageError):
    """The input is at fault."""

    code = "depot-error"


class SourceUnreadableError(DepotError):
    """The operating system would not give the file: missing, no permission, read error."""

    code = "source-unreadable"


class NotADepotError(DepotError):
    """The file is something else than a depot; ``found`` names what it is."""

    code = "not-a-depot"


class UnsafeArchiveError(DepotError):
    """An archive tries to escape, to overlap, to hide a member or to be encrypted."""

    code = "unsafe-archive"


class LimitExceededError(DepotError):
    """Something is larger, deeper or more numerous than the ``ReadLimits`` in force allow."""

    code = "limit-exceeded"


class MalformedDocumentError(DepotError):
    """Not the format it should be: not ar, zip, XML, JSON; cut short; a DOCTYPE present."""

    code = "malformed-document"


class InvalidFieldError(DepotError):
    """A well-formed document in which a value is missing or wrong."""

    code = "invalid-field"


class ChecksumMismatchError(DepotError):
    """Bytes differ from the checksum or size that their metadata gives."""

    code = "checksum-mismatch"


class ModelError(EsxImageError, ValueError):
    """A model was asked to hold an impossible value."""

    code = "invalid-model"


class VersionSyntaxError(ModelError):
    """A text is no version of the kind it should be."""

    code = "version-syntax"


class WrongTypeError(ModelError, TypeError):
    """A function was called, or a value made, with something of another type than it takes."""

    code = "wrong-type"


class NotInDepotError(EsxImageError, LookupError):
    """Something was asked for that no loaded depot has; ``hint`` lists near matches."""

    code = "not-in-depot"


class MissingExtraError(EsxImageError, ImportError):
    """The work needs an optional library that is not installed."""

    code = "missing-extra"


class _FindingsError(EsxImageError):
    """An error that carries the findings that led to it."""

    def __init__(
        self,
        message: str,
        *,
        findings: Sequence[Finding] = (),
        where: str = "",
        found: str = "",
        expected: str = "",
        hint: str = "",
    ) -> None:
        super().__init__(message, where=where, found=found, expected=expected, hint=hint)
        self.findings = tuple(findings)


class ComposeError(_FindingsError):
    """The request contradicts itself; ``findings`` say how."""

    code = "compose-error"


class IncompatibleImageError(_FindingsError):
    """An export was refused, because the image has errors that were not waived."""

    code = "incompatible-image"


class ExportError(EsxImageError):
    """A file could not be written; nothing half-written was left behind."""

    code = "export-error"


class DepotErrors(EsxImageError, ExceptionGroup[EsxImageError]):  # noqa: N818 - several of them
    """Several errors from reading one depot; ``exceptions`` holds them in reading order.

    Raises:
        ModelError: When it is made of none.
    """

    code = "depot-errors"

    def __new__(cls, message: str, exceptions: Sequence[EsxImageError]) -> Self:  # noqa: D102 - arguments differ from Exception's
        if not exceptions:
            raise ModelError("a group of errors holds at least one", expected="the errors of one reading")
        return super().__new__(cls, message, exceptions)

    def __init__(self, message: str, exceptions: Sequence[EsxImageError]) -> None:
        # Not EsxImageError's: the message of an ExceptionGroup is set by __new__ and read-only.
        # The group rebuilds itself from these two arguments when unpickled.
        Exception.__init__(self, message, list(exceptions))
        self.where = "; ".join(error.where for error in exceptions if error.where)
        self.found = self.expected = self.hint = ""

    def __str__(self) -> str:
        lines = [f"{self.message} ({len(self.exceptions)} errors)"]
        for number, error in enumerate(self.exceptions, start=1):
            first, *rest = str(error).splitlines()
            lines += [f"  {number}. {first}", *(f"   {line}" for line in rest)]
        return "\n".join(lines)

    def derive(self, excs: Sequence[EsxImageError]) -> DepotErrors:  # type: ignore[override]
        """Return a group of the same kind, as ``split`` and ``subgroup`` need it."""
        return DepotErrors(self.message, excs)

    def as_dict(self) -> dict[str, str]:
        """Return the group as one JSON object; ``found`` joins the single messages."""
        found = "; ".join(error.message for error in self.exceptions if isinstance(error, EsxImageError))
        return super().as_dict() | {"found": found}
