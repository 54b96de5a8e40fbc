"""How hosts came to differ: as JSON has it, and as sections for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from esximage_builder.views.blocks import Section, Table
from esximage_builder.views.compliance_words import REASON_WORDS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from esximage_builder.hosts.drift import Drift
    from esximage_builder.models.compliance import ItemCompliance

__all__ = ["drift_as_dict", "section_of_drifts"]

_COLUMNS = ("Host", "Stands at", "Behind since", "Its own", "Would go")


def drift_as_dict(drift: Drift) -> dict[str, object]:
    """Return how one host came to differ as JSON has it."""
    return {
        "host": drift.host,
        "images": list(drift.images),
        "nearest": drift.nearest,
        "is_exact": drift.is_exact,
        "behind_since": drift.behind_since or None,
        "own": [_item(item) for item in drift.own],
        "own_vibs": list(drift.own_vibs),
        "removed": list(drift.removed),
    }


def _item(item: ItemCompliance) -> dict[str, object]:
    return {
        "name": item.name,
        "status": item.status.value,
        "current": item.current or None,
        "target": item.target or None,
        "reason": None if item.reason is None else item.reason.value,
    }


def section_of_drifts(drifts: Iterable[Drift]) -> Section:
    """Return a table of hosts: the image each stands at, since when it is behind, what is its own, what would go."""
    rows = [_row(drift) for drift in drifts]
    return Section("Drift", [Table(columns=_COLUMNS, rows=rows)] if rows else [])


def _row(drift: Drift) -> tuple[str, ...]:
    near = drift.nearest_image or "not known"
    stands_at = near if drift.is_exact or drift.nearest is None else f"nearest to {near}"
    return (drift.host, stands_at, drift.behind_since, "; ".join(_own(drift)), "; ".join(drift.removed))


def _own(drift: Drift) -> Iterator[str]:
    """Yield what happened on the host alone."""
    if drift.nearest is None:
        return
    for item in drift.own:
        why = "" if item.reason is None else f": {REASON_WORDS[item.reason]}"
        yield f"{item.name} {item.current}".strip() + why
    yield from drift.own_vibs
