"""What a check has to say: one frozen value per finding.

Items are plain strings, so that this module knows nothing of models and every
error may carry findings.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping
from typing import final

import attrs

from esximage_builder.shown import Shown

__all__ = ["Finding", "Severity"]


class Severity(enum.StrEnum):
    """How much a finding weighs. Exports refuse an image with an ``ERROR`` that is not waived."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"

    @property
    def rank(self) -> int:
        """0 for errors, 1 for warnings, 2 for information: the order of a report."""
        return tuple(Severity).index(self)


def _as_pairs(facts: Mapping[str, str] | Iterable[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    return tuple(sorted(dict(facts).items()))


@final
@attrs.frozen(kw_only=True, repr=False)
class Finding(Shown):
    """One thing that a check found.

    Attributes:
        code: Stable kebab-case slug, for example ``missing-dependency``.
        severity: Weight before any waiver.
        message: What is the matter, in one line.
        items: The things it names: VIB ids, ``name:version`` of components, file paths.
        facts: What it is about, by name: whoever decides by a finding reads these, never its words.
            Given as a mapping or as pairs, kept as pairs in order of their names.
        cause: Why it is so, in the user's words; empty where the message says it all.
        remedy: What to do; empty where nothing is known to help.
        where: Source and place, for findings about files; else empty.
    """

    code: str
    severity: Severity
    message: str
    items: tuple[str, ...] = ()
    facts: tuple[tuple[str, str], ...] = attrs.field(default=(), converter=_as_pairs)
    cause: str = ""
    remedy: str = ""
    where: str = ""

    @property
    def sort_key(self) -> tuple[int, str, tuple[str, ...], str, str, str, str, tuple[tuple[str, str], ...]]:
        """Errors first, then by code and items, then by every word and fact: the same order on every machine."""
        words = (self.message, self.where, self.cause, self.remedy)
        return (self.severity.rank, self.code, self.items, *words, self.facts)

    def fact(self, name: str) -> str:
        """Return one of its facts by name; empty if it has none of that name."""
        return next((text for known, text in self.facts if known == name), "")
