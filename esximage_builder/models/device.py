"""A device on a host's PCI bus, by the numbers that drivers name it by.

Source: docs/formats.md#which-hardware-a-vib-drives.
"""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING, Any, final

import attrs

from esximage_builder.errors import ModelError
from esximage_builder.shown import Shown

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["DeviceKind", "PciDevice"]


class DeviceKind(enum.StrEnum):
    """What a device is for, where a host cannot do without."""

    NETWORK = "network"
    STORAGE = "storage"
    OTHER = "other"


_NETWORK = 0x02
_STORAGE = 0x01
_FIBRE_CHANNEL = 0x0C04

_BITS_16 = 0xFFFF
_BITS_24 = 0xFFFFFF


def _below(most: int) -> Callable[[object, attrs.Attribute[Any], Any], None]:
    def check(_: object, field: attrs.Attribute[Any], value: int | None) -> None:
        if value is not None and not 0 <= value <= most:
            raise ModelError("this is no number of PCI", found=f"{field.name}={value!r}", expected=f"0 to {most:#x}")

    return check


@final
@attrs.frozen(kw_only=True, repr=False)
class PciDevice(Shown):
    """A device.

    Attributes:
        address: On the bus, as it was read: ``0000:04:00.0``.
        vendor_id: 16 bits.
        device_id: 16 bits.
        subvendor_id: 16 bits; None if not told.
        subdevice_id: 16 bits; None if not told.
        class_code: 24 bits: class, subclass and programming interface; None if not told.
        has_interface: Whether the last 8 bits of ``class_code`` were told; where not, they are 0.
        name: For people; empty if not told.
        alias: What the host calls it: ``vmnic0``, ``vmhba2``; empty without one.
        driver: The module that drives it now; empty if none or not told.
    """

    address: str
    vendor_id: int = attrs.field(validator=_below(_BITS_16))
    device_id: int = attrs.field(validator=_below(_BITS_16))
    subvendor_id: int | None = attrs.field(default=None, validator=_below(_BITS_16))
    subdevice_id: int | None = attrs.field(default=None, validator=_below(_BITS_16))
    class_code: int | None = attrs.field(default=None, validator=_below(_BITS_24))
    has_interface: bool = True
    name: str = ""
    alias: str = ""
    driver: str = ""

    @property
    def kind(self) -> DeviceKind:
        """Network (class 02), storage (01, and fibre channel 0c04) or other."""
        if self.class_code is None:
            return DeviceKind.OTHER
        if self.class_code >> 16 == _NETWORK:
            return DeviceKind.NETWORK
        if self.class_code >> 16 == _STORAGE or self.class_code >> 8 == _FIBRE_CHANNEL:
            return DeviceKind.STORAGE
        return DeviceKind.OTHER

    @property
    def ids(self) -> str:
        """Vendor and device, and the subsystem where it is told: ``8086:1528 15d9:0734``."""
        own = f"{self.vendor_id:04x}:{self.device_id:04x}"
        if self.subvendor_id is None or self.subdevice_id is None:
            return own
        return f"{own} {self.subvendor_id:04x}:{self.subdevice_id:04x}"
