"""Hosts and their devices: what is told, and what a device is for."""

from __future__ import annotations

import pytest

from esximage_builder.errors import ModelError
from esximage_builder.models.device import DeviceKind, PciDevice
from esximage_builder.models.host import Host, HostPart, HostVib
from esximage_builder.versions import BaseImageVersion, VibVersion

BASE = BaseImageVersion("7.0.3-0.55.20328353")
VIB = HostVib(name="net-acme", version=VibVersion("1.0-1"))


def test_a_host_that_was_written_down_is_known_as_far_as_it_is_written() -> None:
    host = Host(name="a", base_image=BASE, vibs=[VIB])
    assert host.told == set(HostPart) - {HostPart.SOLUTIONS, HostPart.HARDWARE_SUPPORT, HostPart.DEVICES}
    assert host.untold == (HostPart.SOLUTIONS, HostPart.HARDWARE_SUPPORT, HostPart.DEVICES)


def test_what_was_said_to_be_told_is_told_and_no_more() -> None:
    """A part that is empty and told is empty; one that is not told may hold anything."""
    host = Host(name="a", vibs=[VIB], told=[HostPart.VIBS, HostPart.DEVICES])
    assert host.told == {HostPart.VIBS, HostPart.DEVICES}
    assert host.base_image is None


def device(class_code: int | None, *, subvendor_id: int | None = None) -> PciDevice:
    return PciDevice(
        address="0000:04:00.0",
        vendor_id=0x8086,
        device_id=0x1533,
        subvendor_id=subvendor_id,
        subdevice_id=0,
        class_code=class_code,
    )


@pytest.mark.parametrize(
    ("class_code", "kind"),
    [
        (0x020000, DeviceKind.NETWORK),
        (0x028000, DeviceKind.NETWORK),
        (0x010601, DeviceKind.STORAGE),
        (0x0C0400, DeviceKind.STORAGE),
        (0x0C0330, DeviceKind.OTHER),
        (None, DeviceKind.OTHER),
    ],
)
def test_a_class_says_whether_a_host_can_do_without(class_code: int | None, kind: DeviceKind) -> None:
    assert device(class_code).kind is kind


def test_ids_are_written_as_pci_tools_write_them() -> None:
    assert device(None).ids == "8086:1533"
    assert device(None, subvendor_id=0x15D9).ids == "8086:1533 15d9:0000"


@pytest.mark.parametrize("number", [-1, 0x10000])
def test_numbers_that_pci_has_no_place_for_are_refused(number: int) -> None:
    with pytest.raises(ModelError, match="subvendor_id"):
        device(None, subvendor_id=number)
