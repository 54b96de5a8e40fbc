"""Devices that lose their driver, devices that may, and ids that no driver has any more."""

from __future__ import annotations

import pytest
from support.memory_catalogs import vib

from esximage_builder.models.device import PciDevice
from esximage_builder.models.remediation import DeviceLoss
from esximage_builder.models.vib import Vib
from esximage_builder.rules.lost_devices import DroppedIds, dropped_ids, lost_devices


def driver(name: str, *ids: str, version: str = "1.0-1") -> Vib:
    return vib(name, version, tags=["driver", *(f"PCIID {text}" for text in ids)])


def nic(ids: str = "8086:1533", *, driver: str = "", code: int | None = 0x020000) -> PciDevice:
    vendor, number = (int(part, 16) for part in ids.split(":"))
    return PciDevice(address="0000:04:00.0", vendor_id=vendor, device_id=number, class_code=code, driver=driver)


@pytest.mark.parametrize(("ids", "tag"), [("8086:1533", "80861533"), ("14e4:16d7", "14e416d7")])
def test_a_driven_device_that_nothing_drives_after_is_lost(ids: str, tag: str) -> None:
    (lost,) = lost_devices([driver("old", tag)], [driver("new", "15b31015")], [nic(ids)])
    assert (lost.loss, lost.drivers) == (DeviceLoss.LOST, ("ACM_bootbank_old_1.0-1",))
    assert lost_devices([driver("old", tag)], [driver("new", tag)], [nic(ids)]) == ()


def test_a_device_that_was_not_driven_before_is_not_lost() -> None:
    assert lost_devices([driver("old", "15b31015")], [], [nic()]) == ()


def test_a_driver_that_no_longer_says_what_it_drives_is_unclear() -> None:
    (lost,) = lost_devices([driver("igb", "80861533")], [driver("igb", version="2.0-1")], [nic()])
    assert (lost.loss, lost.reason) == (DeviceLoss.UNCLEAR, "igb no longer says what it drives")


def test_a_driver_that_asks_for_more_than_the_list_has_is_unclear() -> None:
    (lost,) = lost_devices([driver("igb", "80861533")], [driver("igbn", "8086153315d90734")], [nic()])
    assert lost.loss is DeviceLoss.UNCLEAR
    assert "may drive it" in lost.reason


def test_what_is_known_just_as_well_before_and_after_is_not_reported() -> None:
    silent = driver("igb"), driver("igb", version="2.0-1")
    assert lost_devices([silent[0]], [silent[1]], [nic(driver="igb")], is_running=True) == ()
    narrow = "8086153315d90734"
    assert lost_devices([driver("a", narrow)], [driver("b", narrow)], [nic()]) == ()


def test_a_driver_that_the_host_names_and_that_goes_is_lost_though_it_names_no_device() -> None:
    (lost,) = lost_devices([driver("igb")], [], [nic(driver="igb")], is_running=True)
    assert (lost.loss, lost.drivers) == (DeviceLoss.LOST, ("ACM_bootbank_igb_1.0-1",))


def test_a_module_that_nothing_loaded_tells_of_is_unclear_for_adapters_of_a_running_host() -> None:
    found = lost_devices([], [], [nic(driver="oddnet"), nic(driver="odd", code=0x0C0330)], is_running=True)
    assert [(lost.loss, lost.drivers) for lost in found] == [(DeviceLoss.UNCLEAR, ("oddnet",))]
    assert lost_devices([], [], [nic(driver="oddnet")]) == ()


def test_a_device_that_only_may_have_been_driven_is_unclear() -> None:
    (lost,) = lost_devices([driver("igb", "8086153315d90734")], [], [nic()])
    assert lost.loss is DeviceLoss.UNCLEAR


def test_maps_count_in_place_of_tags() -> None:
    old, new = driver("old", "80861533"), driver("new", "15b31015")
    maps = {new.id: ["80861533"]}
    assert lost_devices([old], [new], [nic()], maps=maps) == ()
    assert dropped_ids([old], [new], maps=maps) == ()


def test_dropped_ids_are_listed_by_driver_unless_another_covers_them() -> None:
    before = [driver("ixgbe", "80861528", "80861529"), driver("tg3", "14e41657"), driver("usb", "." * 16 + "0c0330")]
    after = [driver("ixgben", "80861528"), driver("bcm", "14e4....")]
    assert dropped_ids(before, after) == (
        DroppedIds("ixgbe", ("80861529",)),
        DroppedIds("usb", ("." * 16 + "0c0330",)),
    )


def test_ids_of_a_driver_that_is_still_there_and_silent_are_not_dropped() -> None:
    assert dropped_ids([driver("igb", "80861533")], [driver("igb", version="2.0-1")]) == ()
