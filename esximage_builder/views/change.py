"""The kind of a change, in words and as JSON has it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from esximage_builder.views.blocks import Table
from esximage_builder.views.findings import finding_as_dict

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from esximage_builder.rules.classify import Change
    from esximage_builder.rules.upgrade_paths import PathCaution

__all__ = ["caution_as_dict", "cautions_table", "change_as_dict", "change_text", "lowered_text"]

_MOST_LOWERED = 3


def change_as_dict(change: Change) -> dict[str, object]:
    """Return a change as JSON has it."""
    return {
        "kind": change.kind.value,
        "is_downgrade": change.is_downgrade,
        "lowered": [
            {"kind": item.kind.value, "name": item.name, "before": item.before, "after": item.after}
            for item in change.lowered
        ],
        "is_security_sibling": change.is_security_sibling,
        "findings": [finding_as_dict(finding) for finding in change.findings],
    }


def change_text(change: Change) -> str:
    """Return ``patch``, or ``patch (downwards)``."""
    notes = [
        word
        for word, holds in (("downwards", change.is_downgrade), ("security-only sibling", change.is_security_sibling))
        if holds
    ]
    return change.kind.value + (f" ({', '.join(notes)})" if notes else "")


def lowered_text(change: Change) -> str:
    """Return what goes down, ``ESXi 7.0.3-0.55 to 7.0.3-0.50, ...``; empty if nothing does."""
    more = len(change.lowered) - _MOST_LOWERED
    return ", ".join(map(str, change.lowered[:_MOST_LOWERED])) + (f" and {more} more" if more > 0 else "")


def caution_as_dict(caution: PathCaution) -> dict[str, object]:
    """Return a caution on the way to another release as JSON has it."""
    return {
        "release": ".".join(map(str, caution.release)),
        "text": caution.text,
        "evidence": caution.evidence.value,
        "source": caution.source,
    }


def cautions_table(cautions: Iterable[PathCaution]) -> Iterator[Table]:
    """Yield a table of cautions, each with its source; nothing without any."""
    rows = [
        (".".join(map(str, caution.release)), caution.text, f"{caution.evidence}: {caution.source}")
        for caution in cautions
    ]
    if rows:
        yield Table(columns=("Since", "What to know", "How sure"), rows=rows)
