"""Which devices lose their driver from one set of VIBs to another, and which ids drivers no longer have.

A device is lost if a driver surely drives it before, or a driver of the name that the host says drives
it, and no driver may drive it after. Where a driver may, because it says nothing of what it drives or
asks for numbers that the list leaves out, it is *unclear*. What is known just as well before and
after is never reported.

Source: docs/formats.md#which-hardware-a-vib-drives.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, final

import attrs

from esximage_builder.models.device import DeviceKind
from esximage_builder.models.fields import as_tuple
from esximage_builder.models.remediation import DeviceLoss, LostDevice
from esximage_builder.rules.device_drivers import DriverIndex, Match, drivers_without_ids, pci_patterns
from esximage_builder.shown import Shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from esximage_builder.models.device import PciDevice
    from esximage_builder.models.vib import Vib
    from esximage_builder.rules.device_drivers import DeviceDriver, PciPattern

__all__ = ["NO_MAPS", "DroppedIds", "dropped_ids", "lost_devices"]

NO_MAPS: Mapping[str, Sequence[str]] = MappingProxyType({})
"""What stands for maps of drivers that nobody read."""

_ANY = "."


@final
@attrs.frozen(repr=False)
class DroppedIds(Shown):
    """Patterns that a driver had and that none has any more.

    Attributes:
        driver: Name of the VIB.
        ids: As it wrote them.
    """

    driver: str
    ids: tuple[str, ...] = attrs.field(converter=as_tuple)


def lost_devices(
    before: Iterable[Vib],
    after: Iterable[Vib],
    devices: Iterable[PciDevice],
    *,
    maps: Mapping[str, Sequence[str]] = NO_MAPS,
    is_running: bool = False,
) -> tuple[LostDevice, ...]:
    """Return the devices that lose their driver, or may; adapters first, as the list has them.

    Args:
        before: The VIBs that are there.
        after: The VIBs that are to come, those that stay among them.
        devices: What is on the host's PCI bus.
        maps: What the maps of drivers say; without it tags alone count.
        is_running: Whether the list was taken with ``before`` installed, so that the drivers
            that it names are at work.
    """
    loss = _Loss(tuple(before), tuple(after), maps, is_running=is_running)
    found = [lost for device in devices if (lost := loss.of(device)) is not None]
    return tuple(sorted(found, key=lambda lost: lost.device.kind is DeviceKind.OTHER))


@final
class _Loss:
    """Both sets of VIBs, looked up by device."""

    def __init__(
        self, before: Sequence[Vib], after: Sequence[Vib], maps: Mapping[str, Sequence[str]], *, is_running: bool
    ) -> None:
        self._before = DriverIndex(before, maps)
        self._after = DriverIndex(after, maps)
        self._names = {vib.id: vib.name for vib in before}
        self._silent = {vib.name for vib in drivers_without_ids(after, maps)}
        self._is_running = is_running

    def of(self, device: PciDevice) -> LostDevice | None:
        had, has = self._before.drivers(device), self._after.drivers(device)
        if has and has[0].match is Match.YES:
            return None
        sure = [driver for driver in had if _is_at_work(driver)]
        if not sure:
            return None if has else self._hardly_known(device, had)
        if has:
            reason = f"{has[0].vib_id} may drive it, and what is known of it does not tell"
            return self._lost(device, sure, DeviceLoss.UNCLEAR, reason) if sure[0].match is Match.YES else None
        silent = sorted(self._silent & {self._names[driver.vib_id] for driver in sure})
        if silent:
            return self._lost(device, sure, DeviceLoss.UNCLEAR, f"{silent[0]} no longer says what it drives")
        return self._lost(device, sure, DeviceLoss.LOST, "no driver of the image names it")

    def _hardly_known(self, device: PciDevice, had: Sequence[DeviceDriver]) -> LostDevice | None:
        """Return what may be lost without having been surely there; of adapters only."""
        if device.kind is DeviceKind.OTHER:
            return None
        if had:
            return self._lost(device, had, DeviceLoss.UNCLEAR, "whether it is driven now is not known")
        if not (self._is_running and device.driver):
            return None
        reason = f"the host drives it with the module {device.driver}, and nothing loaded says where that is from"
        return LostDevice(device=device, loss=DeviceLoss.UNCLEAR, drivers=(device.driver,), reason=reason)

    @staticmethod
    def _lost(device: PciDevice, drivers: Sequence[DeviceDriver], loss: DeviceLoss, reason: str) -> LostDevice:
        ids = [driver.vib_id for driver in drivers]
        return LostDevice(device=device, loss=loss, drivers=ids, reason=reason)


def _is_at_work(driver: DeviceDriver) -> bool:
    """Tell whether a driver surely drives its device, or is the one that the host names."""
    return driver.match is Match.YES or not driver.pattern


def dropped_ids(
    before: Iterable[Vib], after: Iterable[Vib], *, maps: Mapping[str, Sequence[str]] = NO_MAPS
) -> tuple[DroppedIds, ...]:
    """Return by driver, sorted by name, the ids that no driver has any more.

    A driver that is still there and no longer says what it drives counts as unchanged.
    """
    coming = tuple(after)
    kept: dict[str, list[PciPattern]] = {}
    for vib in coming:
        for pattern in pci_patterns(vib, maps):
            kept.setdefault(pattern.card, []).append(pattern)
    silent = {vib.name for vib in drivers_without_ids(coming, maps)}
    dropped: dict[str, dict[str, None]] = {}
    for vib in before:
        for pattern in pci_patterns(vib, maps) if vib.name not in silent else ():
            others = (*kept.get(pattern.card, ()), *kept.get("", ()))
            if not any(_covers(other, pattern) for other in others):
                dropped.setdefault(vib.name, {})[pattern.text] = None
    return tuple(DroppedIds(name, tuple(dropped[name])) for name in sorted(dropped))


def _covers(other: PciPattern, pattern: PciPattern) -> bool:
    """Tell whether all devices of a pattern are among those of the other."""
    return all(wide in (_ANY, narrow) for wide, narrow in zip(other.places, pattern.places, strict=True))
