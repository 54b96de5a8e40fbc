"""Patterns of devices, and the drivers of VIBs that are found by them."""

from __future__ import annotations

import pytest
from support import memory_catalogs as catalogs

from esximage_builder.models.device import PciDevice
from esximage_builder.rules.device_drivers import DriverIndex, Match, PciPattern, drivers_without_ids

NIC = PciDevice(
    address="0000:02:00.1",
    vendor_id=0x8086,
    device_id=0x1528,
    subvendor_id=0x15D9,
    subdevice_id=0x0734,
    class_code=0x020000,
)
BARE = PciDevice(address="0000:02:00.1", vendor_id=0x8086, device_id=0x1528)
USB = PciDevice(address="0000:00:14.0", vendor_id=0x8086, device_id=0xA12F, class_code=0x0C0330)
USB_WITHOUT_INTERFACE = PciDevice(
    address="0000:00:14.0", vendor_id=0x8086, device_id=0xA12F, class_code=0x0C0300, has_interface=False
)


@pytest.mark.parametrize(
    ("text", "device", "match"),
    [
        ("80861528", NIC, Match.YES),
        ("80861528", BARE, Match.YES),
        ("80861529", NIC, Match.NO),
        ("8086152815d9", NIC, Match.YES),
        ("80861528103c", NIC, Match.NO),
        ("8086152815D90734", NIC, Match.YES),
        ("8086152815d90735", NIC, Match.NO),
        ("8086152815d90734", BARE, Match.MAYBE),
        ("80861528........", BARE, Match.YES),
        ("................0c0330", USB, Match.YES),
        ("................0c0330", NIC, Match.NO),
        ("................0c0330", BARE, Match.MAYBE),
        ("................0c0330", USB_WITHOUT_INTERFACE, Match.MAYBE),
        ("................0c0220", USB_WITHOUT_INTERFACE, Match.NO),
        ("................02....", NIC, Match.YES),
        ("8086152.........020000", NIC, Match.YES),
        ("8086:1528 0000:0000", NIC, Match.YES),
        ("8086:1528", NIC, Match.YES),
        ("8086:1528 15d9:0734", NIC, Match.YES),
        ("8086:1528 103c:0000", NIC, Match.NO),
    ],
)
def test_a_pattern_asks_for_what_it_names_and_no_more(text: str, device: PciDevice, match: Match) -> None:
    pattern = PciPattern.of(text)
    assert pattern is not None
    assert pattern.match(device) is match


@pytest.mark.parametrize("text", ["", "8086", "8086152", "80861528zz", "8086-1528", "8086152815d907340"])
def test_what_is_no_pattern_is_none(text: str) -> None:
    assert PciPattern.of(text) is None


def test_of_each_driver_the_narrowest_pattern_counts() -> None:
    driver = catalogs.vib("ixgben", tags=["driver", "PCIID 80861528", "PCIID 8086152815d90734", "PCIID what"])
    (found,) = DriverIndex([driver], {}).drivers(NIC)
    assert (found.vib_id, found.pattern, found.match) == (driver.id, "8086152815d90734", Match.YES)
    (wider,) = DriverIndex([driver], {}).drivers(BARE)
    assert (wider.pattern, wider.match) == ("80861528", Match.YES)


def test_a_map_counts_in_place_of_the_tags() -> None:
    """The host reads the map."""
    driver = catalogs.vib("r8168", tags=["driver", "PCIID 80861528"])
    assert DriverIndex([driver], {}).drivers(NIC)
    assert DriverIndex([driver], {driver.id: ("10ec:8168 0000:0000",)}).drivers(NIC) == ()


def test_a_driver_without_ids_may_drive_what_it_drives_now() -> None:
    """Modules have underscores where VIBs have dashes; of other devices such a driver says nothing."""
    silent = catalogs.vib("nmlx5-core", tags=["driver", "module"])
    index = DriverIndex([silent, catalogs.vib("esx-tools", tags=["module"])], {})
    now = PciDevice(address="a", vendor_id=0x15B3, device_id=0x1015, driver="nmlx5_core")
    (found,) = index.drivers(now)
    assert (found.vib_id, found.pattern, found.match) == (silent.id, "", Match.MAYBE)
    assert index.drivers(NIC) == ()
    assert drivers_without_ids([silent], {}) == (silent,)
    assert drivers_without_ids([silent], {silent.id: ("15b31015",)}) == ()


def test_sure_drivers_come_first() -> None:
    sure = catalogs.vib("zz", tags=["driver", "PCIID 80861528"])
    perhaps = catalogs.vib("aa", tags=["driver", "PCIID 8086152815d90734"])
    found = DriverIndex([perhaps, sure], {}).drivers(BARE)
    assert [driver.vib_id for driver in found] == [sure.id, perhaps.id]
