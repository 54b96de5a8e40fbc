"""What differs between two images: as sections, as text, as JSON has it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from esximage_builder.views.blocks import Facts, Paragraph, Section, Table, filled_sections
from esximage_builder.views.change import (
    caution_as_dict,
    cautions_table,
    change_as_dict,
    change_text,
    lowered_text,
)
from esximage_builder.views.findings import cause_of_finding
from esximage_builder.views.lost_devices import (
    dropped_ids_as_dict,
    lost_device_as_dict,
    table_of_dropped_ids,
    table_of_lost_devices,
)
from esximage_builder.views.security import blocks_of_security_change, security_change_as_dict
from esximage_builder.views.text import render_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from esximage_builder.rules.diff import ImageDiff, ItemChange
    from esximage_builder.views.blocks import Block

__all__ = ["diff_as_dict", "render_diff", "sections_of_diff"]


def diff_as_dict(difference: ImageDiff) -> dict[str, object]:
    """Return a difference as JSON has it; equal levels are null or empty."""
    return {
        "change": change_as_dict(difference.change),
        "impact": difference.impact.value,
        "security": security_change_as_dict(difference.security),
        "cautions": [caution_as_dict(caution) for caution in difference.cautions],
        "base_image": _item(difference.base_image),
        "add_on": _item(difference.add_on),
        "components": [_item(change) for change in difference.components],
        "vibs": [_item(change) for change in difference.vibs],
        "lost_devices": [lost_device_as_dict(entry) for entry in difference.lost_devices],
        "dropped_ids": dropped_ids_as_dict(difference.dropped_ids),
    }


def _item(change: ItemChange | None) -> dict[str, str] | None:
    if change is None:
        return None
    return {
        "name": change.name,
        "before": change.before,
        "after": change.after,
        "direction": change.direction.value,
        "cause": change.cause,
    }


def render_diff(difference: ImageDiff) -> str:
    """Return a difference for people, one line an item."""
    return render_text(sections_of_diff(difference))


def sections_of_diff(difference: ImageDiff) -> tuple[Section, ...]:
    """Return the kind of the change, what to know of it, and what differs level by level."""
    return filled_sections(
        (
            Section("", _summary(difference)),
            Section("Findings", map(cause_of_finding, difference.change.findings)),
            Section("On the way", cautions_table(difference.cautions)),
            Section("Security", blocks_of_security_change(difference.security)),
            Section("Base image", _table([difference.base_image])),
            Section("Add-on", _table([difference.add_on])),
            Section("Components", _table(difference.components)),
            Section("VIBs", _table(difference.vibs)),
            Section("Devices that lose their driver", table_of_lost_devices(difference.lost_devices)),
            Section("Dropped ids", table_of_dropped_ids(difference.dropped_ids)),
        )
    )


def _summary(difference: ImageDiff) -> Iterator[Block]:
    lowered = lowered_text(difference.change)
    facts = [("Change", change_text(difference.change)), ("Impact on a host", difference.impact.value)]
    yield Facts([*facts, *([("Goes down", lowered)] if lowered else [])])
    if difference.is_empty:
        yield Paragraph("The images are equal.")


def _table(changes: Iterable[ItemChange | None]) -> Iterator[Block]:
    rows = [_row(change) for change in changes if change is not None]
    if rows:
        yield Table(columns=("Name", "Before", "After", "What", "Why"), rows=rows)


def _row(change: ItemChange) -> tuple[str, ...]:
    before, after = (version or "(none)" for version in (change.before, change.after))
    return (change.name, before, after, change.direction.value, change.cause)
