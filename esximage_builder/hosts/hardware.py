"""Does an image drive this hardware? The first question of whoever builds a custom image.

A driver that is there may be told by tags of VIBs, or by maps that were read out of their payloads.
What neither tells is said, never guessed: such a device is *unclear* where a driver without ids is
what drives it now, or where the list of devices leaves out a number that a driver asks for.

Findings: a network or storage adapter without driver, with what would drive it; and no driven
network adapter at all, where the installer stops with "No network adapters found".

Source: docs/formats.md#which-hardware-a-vib-drives.
"""

from __future__ import annotations

import enum
from types import MappingProxyType
from typing import TYPE_CHECKING, final

import attrs

from esximage_builder.codes import make_finding
from esximage_builder.findings import Severity
from esximage_builder.models.device import DeviceKind
from esximage_builder.models.fields import as_tuple
from esximage_builder.rules.device_drivers import DriverIndex, Match, drivers_without_ids
from esximage_builder.shown import Shown, ShownAsPage

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from esximage_builder.findings import Finding
    from esximage_builder.models.catalog import Catalog
    from esximage_builder.models.device import PciDevice
    from esximage_builder.models.image import Image
    from esximage_builder.rules.device_drivers import DeviceDriver

__all__ = ["DeviceStatus", "DeviceVerdict", "HardwareReport", "judge_hardware"]

_NO_MAPS: Mapping[str, Sequence[str]] = MappingProxyType({})
_ADAPTERS = (DeviceKind.NETWORK, DeviceKind.STORAGE)


class DeviceStatus(enum.StrEnum):
    """Whether an image drives a device."""

    DRIVEN = "driven"
    UNCLEAR = "unclear"
    NOT_DRIVEN = "not driven"


@final
@attrs.frozen(kw_only=True, repr=False)
class DeviceVerdict(Shown):
    """What drives a device.

    Attributes:
        device: The device.
        drivers: Sure ones first; empty if none is known.
    """

    device: PciDevice
    drivers: tuple[DeviceDriver, ...] = attrs.field(default=(), converter=as_tuple)

    @property
    def status(self) -> DeviceStatus:
        """Driven if one driver surely drives it, unclear if one may."""
        if not self.drivers:
            return DeviceStatus.NOT_DRIVEN
        return DeviceStatus.DRIVEN if self.drivers[0].match is Match.YES else DeviceStatus.UNCLEAR


@final
@attrs.frozen(kw_only=True, repr=False)
class HardwareReport(ShownAsPage):
    """An image judged against a list of devices.

    Attributes:
        image: Name of the image.
        verdicts: One for each device, in the order of the list.
        drivers_without_ids: Ids of installed drivers that do not say what they drive.
        findings: What is wrong, worst first.
    """

    image: str
    verdicts: tuple[DeviceVerdict, ...] = attrs.field(default=(), converter=as_tuple)
    drivers_without_ids: tuple[str, ...] = attrs.field(default=(), converter=as_tuple)
    findings: tuple[Finding, ...] = attrs.field(default=(), converter=as_tuple)

    @property
    def is_driven(self) -> bool:
        """No finding: each network and storage adapter has a driver, and there is a network adapter."""
        return not self.findings


def judge_hardware(
    image: Image,
    devices: Iterable[PciDevice],
    *,
    catalog: Catalog | None = None,
    maps: Mapping[str, Sequence[str]] = _NO_MAPS,
) -> HardwareReport:
    """Say for each device which driver of an image drives it, or none.

    Args:
        image: The image.
        devices: What is on the host's PCI bus, as ``read_devices`` gives it.
        catalog: What is loaded: where drivers for the others are looked for; None looks nowhere.
        maps: What the maps of drivers say, as ``read_driver_maps`` gives it; without it tags alone count.

    Returns:
        A verdict for each device, and findings for adapters that nothing drives.
    """
    listed = tuple(devices)
    index = DriverIndex.of_image(image, maps)
    verdicts = tuple(DeviceVerdict(device=device, drivers=index.drivers(device)) for device in listed)
    silent = tuple(vib.id for vib in drivers_without_ids(image.host_vibs, maps))
    shelf = _Shelf(catalog, image, maps)
    findings = [*_no_network(image, verdicts, silent), *_not_driven(image, verdicts, shelf, silent)]
    return HardwareReport(image=image.name, verdicts=verdicts, drivers_without_ids=silent, findings=findings)


def _no_network(image: Image, verdicts: Sequence[DeviceVerdict], silent: Sequence[str]) -> Iterator[Finding]:
    network = [verdict for verdict in verdicts if verdict.device.kind is DeviceKind.NETWORK]
    unclear = [verdict for verdict in network if verdict.status is DeviceStatus.UNCLEAR]
    if any(verdict.status is DeviceStatus.DRIVEN for verdict in network):
        return
    addresses = tuple(verdict.device.address for verdict in network)
    add = "add a component with a driver for one of them, or take a release that has one"
    if unclear:
        yield make_finding(
            "no-network-driver",
            f"whether {image.name} drives any network adapter of this host is not clear",
            severity=Severity.WARNING,
            items=addresses,
            facts={"image": image.name},
            cause="; ".join(_why_unclear(verdict) for verdict in unclear),
            remedy=add,
        )
        return
    no_drivers = 'none of its drivers names one of them: the installer stops with "No network adapters found"'
    no_adapters = "a host without one cannot be installed; a list that leaves classes out cannot tell"
    yield make_finding(
        "no-network-driver",
        f"{image.name} drives no network adapter of this host"
        if network
        else "the list of devices has no network adapter",
        severity=Severity.ERROR,
        items=addresses,
        facts={"image": image.name},
        cause=no_drivers + _silent_words(silent) if network else no_adapters,
        remedy=add if network else "take the whole list of the host: esxcli hardware pci list, or lspci -n",
    )


def _not_driven(
    image: Image, verdicts: Sequence[DeviceVerdict], shelf: _Shelf, silent: Sequence[str]
) -> Iterator[Finding]:
    for verdict in verdicts:
        device = verdict.device
        facts = {"image": image.name, "device": device.address, "ids": device.ids}
        if device.kind not in _ADAPTERS or verdict.status is DeviceStatus.DRIVEN:
            continue
        if verdict.status is DeviceStatus.UNCLEAR:
            yield make_finding(
                "device-unclear",
                f"{_words(device)} may have a driver in {image.name}",
                items=(device.address, *(driver.vib_id for driver in verdict.drivers)),
                facts=facts,
                cause=_why_unclear(verdict),
                remedy=shelf.remedy(device),
            )
        else:
            yield make_finding(
                "device-not-driven",
                f"{_words(device)} has no driver in {image.name}",
                items=(device.address,),
                facts=facts,
                cause="no driver of the image names it" + _silent_words(silent),
                remedy=shelf.remedy(device),
            )


def _words(device: PciDevice) -> str:
    known = f" ({name})" if (name := device.name or device.alias) else ""
    return f"the {device.kind} adapter {device.address}{known}, {device.ids},"


def _why_unclear(verdict: DeviceVerdict) -> str:
    driver = verdict.drivers[0]
    if not driver.pattern:
        return f"{driver.vib_id} is the driver that it has now, and does not say what it drives"
    return f"{driver.vib_id} drives {driver.pattern}, and the list of devices leaves out numbers that this asks for"


def _silent_words(silent: Sequence[str]) -> str:
    if not silent:
        return ""
    return f"; {len(silent)} of its drivers do not say what they drive: {', '.join(silent[:3])}" + (
        " and others" if len(silent) > 3 else ""  # noqa: PLR2004 - as many as a line holds
    )


@final
class _Shelf:
    """What is loaded beside the image, as drivers that it could have."""

    def __init__(self, catalog: Catalog | None, image: Image, maps: Mapping[str, Sequence[str]]) -> None:
        self._catalog = catalog
        self._image = image
        self._maps = maps
        self._index: DriverIndex | None = None

    def remedy(self, device: PciDevice) -> str:
        """Say which loaded component would drive a device, and which base image still did."""
        if self._catalog is None:
            return "add a component with a driver for it; with the depots open, the loaded ones are named here"
        if self._index is None:
            self._index = DriverIndex(self._catalog.vibs, self._maps)
        ids = {driver.vib_id for driver in self._index.drivers(device) if driver.match is Match.YES}
        words = [*self._components(ids), *self._base_images(ids)]
        if words:
            return "; or ".join(words)
        if loose := sorted(ids & {vib.id for vib in self._catalog.loose_vibs}):
            return f"add the VIB {loose[-1]}"
        return "nothing that is loaded names it: get a driver from the adapter's vendor, or use another adapter"

    def _components(self, vib_ids: set[str]) -> Iterator[str]:
        assert self._catalog is not None  # noqa: S101 - whoever calls has looked
        names = {part.name for unit in self._catalog.base_images for part in unit.components}
        offered = [
            component
            for component in self._catalog.components
            if not vib_ids.isdisjoint(component.vib_ids) and component.name not in names
        ]
        if offered:
            best = max(offered, key=lambda component: (component.version.key, component.name))
            others = sorted({component.name for component in offered} - {best.name})
            also = f" (or {', '.join(others)})" if others else ""
            yield f"add the component {best.id}{also}"

    def _base_images(self, vib_ids: set[str]) -> Iterator[str]:
        assert self._catalog is not None  # noqa: S101 - whoever calls has looked
        drives = {part.reference for part in self._catalog.components if not vib_ids.isdisjoint(part.vib_ids)}
        own = self._image.base_image
        having = [unit for unit in self._catalog.base_images if unit != own and not drives.isdisjoint(unit.components)]
        if having:
            yield f"take the base image {max(having, key=lambda unit: unit.version).version}, which has a driver for it"
