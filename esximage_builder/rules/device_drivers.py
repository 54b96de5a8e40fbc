"""Which drivers of an image drive a device: what tags of VIBs and maps of drivers say.

A pattern names up to 22 hexadecimal places: vendor, device, subsystem's vendor and device, class.
A dot stands for any digit, what a pattern leaves out matches anything, and so do, in the old form
``10ec:8168 0000:0000``, the zeros of a subsystem. Where a list of devices leaves a number out that
a pattern asks for, the answer is *maybe*, never yes.

A map is what a host itself reads, so where the map of a VIB was read, its tags do not count. A
driver that has neither cannot be judged, and whoever asks is told that there are such.

Source: docs/formats.md#which-hardware-a-vib-drives.
"""

from __future__ import annotations

import enum
import re
from typing import TYPE_CHECKING, final

import attrs

from esximage_builder.shown import Shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from esximage_builder.models.device import PciDevice
    from esximage_builder.models.image import Image
    from esximage_builder.models.vib import Vib

__all__ = ["DeviceDriver", "DriverIndex", "Match", "PciPattern", "drivers_without_ids", "pci_patterns"]

_PLACES = 22
_SUBSYSTEM = slice(8, 16)
_ANY = "."
_TAG = re.compile(r"PCIID\s+(?P<text>\S.*)")
_PATTERN = re.compile(r"(?:[0-9a-f.]{8}|[0-9a-f.]{12}|[0-9a-f.]{16}|[0-9a-f.]{22})")
_OLD_PATTERN = re.compile(
    r"(?P<vendor>[0-9a-f]{4}):(?P<device>[0-9a-f]{4})(?: (?P<subsystem>[0-9a-f]{4}:[0-9a-f]{4}))?"
)


class Match(enum.StrEnum):
    """Whether a driver drives a device."""

    YES = "yes"
    MAYBE = "maybe"
    NO = "no"


@final
@attrs.frozen(repr=False)
class PciPattern(Shown):
    """Devices by their numbers.

    Attributes:
        text: As it was written.
        places: 22 places: small hexadecimal digits, and dots for any digit.
    """

    text: str
    places: str

    @classmethod
    def of(cls, text: str) -> PciPattern | None:
        """Return the pattern that a tag or a map writes; None if it is none that is known."""
        plain = text.strip().lower()
        old = _OLD_PATTERN.fullmatch(plain)
        if old is not None:
            subsystem = (old["subsystem"] or "").replace(":", "")
            subsystem = "" if not subsystem.strip("0") else subsystem
            return cls(text, f"{old['vendor']}{old['device']}{subsystem}".ljust(_PLACES, _ANY))
        if _PATTERN.fullmatch(plain) is None:
            return None
        return cls(text, plain.ljust(_PLACES, _ANY))

    @property
    def card(self) -> str:
        """Vendor and device; empty if the pattern leaves any of their places open."""
        return "" if _ANY in self.places[:8] else self.places[:8]

    def match(self, device: PciDevice) -> Match:
        """Tell whether the device is one of these."""
        answer = Match.YES
        for wanted, found in zip(self.places, _places_of(device), strict=True):
            if wanted in (_ANY, found):
                continue
            if found != "?":
                return Match.NO
            answer = Match.MAYBE
        return answer


def _places_of(device: PciDevice) -> str:
    """Return a device as 22 places, with question marks for what its list leaves out."""
    parts = [f"{device.vendor_id:04x}{device.device_id:04x}"]
    parts += ["????" if number is None else f"{number:04x}" for number in (device.subvendor_id, device.subdevice_id)]
    code = "??????" if device.class_code is None else f"{device.class_code:06x}"
    return "".join(parts) + (code if device.has_interface else code[:4] + "??")


def pci_patterns(vib: Vib, maps: Mapping[str, Sequence[str]]) -> tuple[PciPattern, ...]:
    """Return what a VIB says that it drives: its map where that was read and names any, else its tags."""
    texts = maps.get(vib.id) or [found["text"] for tag in vib.tags if (found := _TAG.fullmatch(tag))]
    return tuple(pattern for text in texts if (pattern := PciPattern.of(text)) is not None)


def drivers_without_ids(vibs: Iterable[Vib], maps: Mapping[str, Sequence[str]]) -> tuple[Vib, ...]:
    """Return the VIBs that call themselves drivers and do not say what they drive."""
    return tuple(vib for vib in vibs if "driver" in vib.tags and not pci_patterns(vib, maps))


@final
@attrs.frozen(kw_only=True, repr=False)
class DeviceDriver(Shown):
    """A driver for a device.

    Attributes:
        vib_id: The VIB that holds it.
        component: Who brings the VIB, ``NAME:VERSION``; empty in images without components.
        pattern: By which tag or line of a map it was found; empty for a driver that names no devices.
        match: Yes, or maybe where a number is not known.
    """

    vib_id: str
    component: str = ""
    pattern: str = ""
    match: Match = Match.YES


@final
class DriverIndex:
    """The drivers among some VIBs, looked up by device; made once, asked for each device."""

    def __init__(
        self, vibs: Iterable[Vib], maps: Mapping[str, Sequence[str]], owners: Mapping[str, str] | None = None
    ) -> None:
        self._owners = owners or {}
        self._by_card: dict[str, list[tuple[PciPattern, Vib]]] = {}
        self._by_name: dict[str, list[Vib]] = {}
        listed = tuple(vibs)
        for vib in listed:
            for pattern in pci_patterns(vib, maps):
                self._by_card.setdefault(pattern.card, []).append((pattern, vib))
        for vib in drivers_without_ids(listed, maps):
            self._by_name.setdefault(_plain(vib.name), []).append(vib)

    @classmethod
    def of_image(cls, image: Image, maps: Mapping[str, Sequence[str]]) -> DriverIndex:
        """Index what an image installs on the host itself."""
        owners = {
            vib_id: effective.component.id for effective in image.components for vib_id in effective.component.vib_ids
        }
        return cls(image.host_vibs, maps, owners)

    def drivers(self, device: PciDevice) -> tuple[DeviceDriver, ...]:
        """Return what drives a device: sure ones first, then by VIB; of each VIB its narrowest pattern.

        A driver that names no devices counts as *maybe* where the host says that it drives the device now.
        """
        found: dict[str, tuple[int, DeviceDriver]] = {}
        for pattern, vib in self._candidates(device):
            match = pattern.match(device)
            if match is Match.NO:
                continue
            rank = pattern.places.count(_ANY) + (_PLACES if match is Match.MAYBE else 0)
            if vib.id not in found or rank < found[vib.id][0]:
                found[vib.id] = (rank, self._driver(vib, pattern.text, match))
        for vib in self._by_name.get(_plain(device.driver), ()) if device.driver else ():
            found.setdefault(vib.id, (2 * _PLACES, self._driver(vib, "", Match.MAYBE)))
        drivers = (driver for _, driver in found.values())
        return tuple(sorted(drivers, key=lambda driver: (driver.match is Match.MAYBE, driver.vib_id)))

    def _candidates(self, device: PciDevice) -> Iterator[tuple[PciPattern, Vib]]:
        yield from self._by_card.get(f"{device.vendor_id:04x}{device.device_id:04x}", ())
        yield from self._by_card.get("", ())

    def _driver(self, vib: Vib, pattern: str, match: Match) -> DeviceDriver:
        return DeviceDriver(vib_id=vib.id, component=self._owners.get(vib.id, ""), pattern=pattern, match=match)


def _plain(name: str) -> str:
    """Return a name by which module and VIB meet: modules have underscores where VIBs have dashes."""
    return name.lower().replace("_", "-")
