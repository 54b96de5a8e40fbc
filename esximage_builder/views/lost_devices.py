"""Devices that lose their driver: as a table, as JSON has them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from esximage_builder.views.blocks import Table
from esximage_builder.views.hardware import device_as_dict

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from esximage_builder.models.remediation import LostDevice
    from esximage_builder.rules.lost_devices import DroppedIds
    from esximage_builder.views.blocks import Block

__all__ = ["dropped_ids_as_dict", "lost_device_as_dict", "table_of_dropped_ids", "table_of_lost_devices"]

_COLUMNS = ("Device", "Name", "Ids", "Kind", "Driver", "Becomes", "Why")


def lost_device_as_dict(entry: LostDevice) -> dict[str, object]:
    """Return a device that loses its driver as JSON has it."""
    return device_as_dict(entry.device) | {
        "loss": entry.loss.value,
        "drivers": list(entry.drivers),
        "reason": entry.reason,
    }


def dropped_ids_as_dict(dropped: Iterable[DroppedIds]) -> dict[str, list[str]]:
    """Return dropped ids as JSON has them, by driver."""
    return {entry.driver: list(entry.ids) for entry in dropped}


def table_of_lost_devices(entries: Iterable[LostDevice]) -> Iterator[Block]:
    """Yield a table of the devices, if there are any."""
    rows = [_row(entry) for entry in entries]
    if rows:
        yield Table(columns=_COLUMNS, rows=rows)


def _row(entry: LostDevice) -> tuple[str, ...]:
    device = entry.device
    name = device.name or device.alias
    drivers = ", ".join(entry.drivers)
    return (device.address, name, device.ids, device.kind.value, drivers, entry.loss.value, entry.reason)


def table_of_dropped_ids(dropped: Iterable[DroppedIds]) -> Iterator[Block]:
    """Yield a table of dropped ids, if there are any."""
    rows = [(entry.driver, str(len(entry.ids)), ", ".join(entry.ids)) for entry in dropped]
    if rows:
        yield Table(columns=("Driver", "Ids", "Which no driver has any more"), rows=rows, is_long=True)
