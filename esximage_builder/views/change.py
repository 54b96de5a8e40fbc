"""The kind of a change, in words and as JSON has it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from esximage_builder.views.findings import finding_as_dict

if TYPE_CHECKING:
    from esximage_builder.rules.classify import Change

__all__ = ["change_as_dict", "change_text"]


def change_as_dict(change: Change) -> dict[str, object]:
    """Return a change as JSON has it."""
    return {
        "kind": change.kind.value,
        "is_downgrade": change.is_downgrade,
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
