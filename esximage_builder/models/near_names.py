"""Which known names a mistyped one may have meant, and how to say so.

Nothing is ever taken by nearness: names are matched letter by letter, and near ones are only told.
A name that differs in case alone is the nearest, then one that has all of what was typed in it, then
what looks alike.
"""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

__all__ = ["did_you_mean", "listed", "near_names"]

_MOST = 3
_MOST_LISTED = 8
_SHORTEST_PART = 3
_LIKENESS = 0.7


def near_names(typed: str, known: Iterable[str]) -> tuple[str, ...]:
    """Return the names that may have been meant, nearest first; empty if none is near."""
    names = sorted(set(known) - {typed})
    folded = _folded(typed)
    same = [name for name in names if _folded(name) == folded]
    parts = [name for name in names if folded in _folded(name)] if len(folded) >= _SHORTEST_PART else []
    by_folded = {_folded(name): name for name in reversed(names)}
    alike = [by_folded[word] for word in difflib.get_close_matches(folded, by_folded, n=_MOST, cutoff=_LIKENESS)]
    return tuple(dict.fromkeys([*same, *(alike + parts if not same else [])]))[:_MOST]


def _folded(name: str) -> str:
    """Return the name without what is easily mistyped: case, and which of the signs stands between words."""
    return name.casefold().replace("_", "-").replace(" ", "-")


def did_you_mean(near: Sequence[str], versions: Mapping[str, Sequence[str]] | None = None) -> str:
    """Return the question after near names, each with the versions that are loaded; empty without one."""
    said = [f"{name} ({listed((versions or {}).get(name, ()))})" if versions else name for name in near]
    return f"did you mean {' or '.join(said)}?" if said else ""


def listed(names: Sequence[str]) -> str:
    """Return the first few names, and a sign that there are more."""
    return ", ".join(names[:_MOST_LISTED]) + (" ..." if len(names) > _MOST_LISTED else "")
