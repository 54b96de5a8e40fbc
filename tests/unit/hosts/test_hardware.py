"""Does this image drive my hardware: verdicts, findings, and what would drive the rest."""

from __future__ import annotations

import pytest
from support import memory_catalogs as catalogs
from support.memory_catalogs import Stock

from esximage_builder.findings import Severity
from esximage_builder.hosts.hardware import DeviceStatus, judge_hardware
from esximage_builder.models.device import PciDevice
from esximage_builder.models.image import Image
from esximage_builder.rules.compose import compose


def device(ids: str, *, kind: int, address: str = "0000:04:00.0", driver: str = "", name: str = "") -> PciDevice:
    vendor, number = (int(part, 16) for part in ids.split(":"))
    return PciDevice(address=address, vendor_id=vendor, device_id=number, class_code=kind, driver=driver, name=name)


NETWORK, DISK, USB = 0x020000, 0x010700, 0x0C0330


@pytest.fixture(params=[("8086:1533", "1000:0097"), ("15b3:1015", "9005:028f")], ids=["Intel and LSI", "others"])
def ids(request: pytest.FixtureRequest) -> tuple[str, str]:
    """Ids of a network adapter and of a disk controller."""
    found: tuple[str, str] = request.param
    return found


def tag(ids: str) -> str:
    return f"PCIID {ids.replace(':', '')}"


def stock_with(*drivers: tuple[str, str]) -> Stock:
    """A base image with drivers, each a name and a tag."""
    stock = Stock()
    stock.base_image(*(stock.driver(name, tags=["driver", text] if text else ["driver"]) for name, text in drivers))
    return stock


def image_of(stock: Stock, **wishes: object) -> Image:
    return compose(stock.catalog(), catalogs.spec(**wishes))  # type: ignore[arg-type]


def test_a_device_that_a_driver_names_is_driven_by_vib_component_and_tag(ids: tuple[str, str]) -> None:
    image = image_of(stock_with(("net", tag(ids[0])), ("disk", tag(ids[1]))))
    report = judge_hardware(image, [device(ids[0], kind=NETWORK), device(ids[1], kind=DISK)])
    assert report.is_driven
    net, disk = report.verdicts
    assert (net.status, disk.status) == (DeviceStatus.DRIVEN, DeviceStatus.DRIVEN)
    (driver,) = net.drivers
    assert (driver.vib_id, driver.component) == ("ACM_bootbank_net_1.0-1", "net:1.0-1")
    assert driver.pattern == ids[0].replace(":", "")


def test_no_driven_network_adapter_is_an_error_since_the_installer_stops_there(ids: tuple[str, str]) -> None:
    image = image_of(stock_with(("disk", tag(ids[1]))))
    report = judge_hardware(image, [device(ids[0], kind=NETWORK, name="Port"), device(ids[1], kind=DISK)])
    error, warning = report.findings
    assert (error.code, error.severity) == ("no-network-driver", Severity.ERROR)
    assert "No network adapters found" in error.cause
    assert (warning.code, warning.severity) == ("device-not-driven", Severity.WARNING)
    assert ids[0] in warning.message
    assert "Port" in warning.message


def test_the_remedy_names_the_loaded_component_and_the_base_image_that_still_had_it(ids: tuple[str, str]) -> None:
    stock = stock_with(("disk", tag(ids[1])))
    stock.driver("Acme-net", "2.0-1", tags=["driver", tag(ids[0])])
    stock.driver("Acme-net", "1.0-1", tags=["driver", tag(ids[0])])
    old = stock.driver("old-net", "0.9-1", tags=["driver", tag(ids[0])])
    stock.base_image(old, version="7.0.2-0.0.17867351")
    devices = [device(ids[0], kind=NETWORK)]
    image = image_of(stock)
    finding = judge_hardware(image, devices, catalog=stock.catalog()).findings[-1]
    assert finding.remedy == (
        "add the component Acme-net:2.0-1; or take the base image 7.0.2-0.0.17867351, which has a driver for it"
    )
    added = image_of(stock, components={"Acme-net": None})
    assert judge_hardware(added, devices, catalog=stock.catalog()).is_driven


def test_a_loose_vib_is_a_remedy_too_and_none_is_said_where_none_is_loaded(ids: tuple[str, str]) -> None:
    stock = stock_with(("disk", tag(ids[1])))
    devices = [device(ids[0], kind=NETWORK)]
    none = judge_hardware(image_of(stock), devices, catalog=stock.catalog()).findings[-1]
    assert "nothing that is loaded names it" in none.remedy
    stock.vibs.append(catalogs.vib("community-net", tags=["driver", tag(ids[0])]))
    loose = judge_hardware(image_of(stock), devices, catalog=stock.catalog()).findings[-1]
    assert loose.remedy == "add the VIB ACM_bootbank_community-net_1.0-1"
    assert "open" in judge_hardware(image_of(stock), devices).findings[-1].remedy


def test_what_a_silent_driver_drives_is_unclear_and_never_guessed(ids: tuple[str, str]) -> None:
    image = image_of(stock_with(("net-x", ""), ("disk", tag(ids[1]))))
    report = judge_hardware(image, [device(ids[0], kind=NETWORK, driver="net_x"), device(ids[1], kind=DISK)])
    assert report.drivers_without_ids == ("ACM_bootbank_net-x_1.0-1",)
    assert report.verdicts[0].status is DeviceStatus.UNCLEAR
    assert [(finding.code, finding.severity) for finding in report.findings] == [
        ("no-network-driver", Severity.WARNING),
        ("device-unclear", Severity.WARNING),
    ]
    assert not report.is_driven


def test_numbers_that_the_list_leaves_out_make_it_unclear(ids: tuple[str, str]) -> None:
    image = image_of(stock_with(("net", tag(ids[0]) + "15d90734")))
    report = judge_hardware(image, [device(ids[0], kind=NETWORK)])
    assert report.verdicts[0].status is DeviceStatus.UNCLEAR
    assert "leaves out numbers" in report.findings[0].cause


def test_devices_that_are_no_adapters_need_no_driver(ids: tuple[str, str]) -> None:
    image = image_of(stock_with(("net", tag(ids[0])), ("usb", "PCIID ................0c0330")))
    report = judge_hardware(
        image, [device(ids[0], kind=NETWORK), device("1234:5678", kind=USB), device("1234:1111", kind=0x030000)]
    )
    assert [verdict.status for verdict in report.verdicts] == ["driven", "driven", "not driven"]
    assert report.is_driven


def test_drivers_of_data_processing_units_drive_nothing_of_the_host(ids: tuple[str, str]) -> None:
    stock = Stock()
    unit_only = catalogs.platforms("esxio 8.0")
    stock.base_image(stock.driver("net", tags=["driver", tag(ids[0])], software_platforms=unit_only))
    report = judge_hardware(image_of(stock), [device(ids[0], kind=NETWORK)])
    assert report.verdicts[0].drivers == ()


def test_a_list_without_network_adapter_is_told() -> None:
    report = judge_hardware(image_of(stock_with(("net", "PCIID 80861533"))), [])
    (finding,) = report.findings
    assert (finding.code, finding.severity) == ("no-network-driver", Severity.ERROR)
    assert "esxcli hardware pci list" in finding.remedy
