"""Lists of PCI devices in every form that people have them in, and lspci as a second opinion."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from esximage_builder.documents.pci_list import parse_devices
from esximage_builder.errors import EsxImageError, InvalidFieldError, LimitExceededError, MalformedDocumentError
from esximage_builder.models.device import PciDevice

# address, vendor, device, class, interface, subvendor, subdevice
CARDS = [
    ("0000:02:00.1", 0x8086, 0x1528, 0x0200, 0x00, 0x15D9, 0x0734),
    ("0000:03:00.0", 0x1000, 0x0097, 0x0107, 0x00, 0x1000, 0x3090),
    ("0000:1f:00.2", 0x9999, 0xA102, 0x0106, 0x01, 0x103C, 0x00E1),
]


def numbers(device: PciDevice) -> tuple[int, int, int | None, int | None]:
    return device.vendor_id, device.device_id, device.subvendor_id, device.subdevice_id


WANTED = [(vendor, device, subvendor, subdevice) for _, vendor, device, _, _, subvendor, subdevice in CARDS]
LSPCI = shutil.which("lspci")


def hex_dump() -> str:
    """The cards' configuration space as ``lspci -x`` prints it, and as ``lspci -F`` reads it."""
    dumps = []
    for address, vendor, device, kind, interface, subvendor, subdevice in CARDS:
        space = bytearray(64)
        space[0:4] = vendor.to_bytes(2, "little") + device.to_bytes(2, "little")
        space[8:12] = bytes([1, interface]) + kind.to_bytes(2, "little")
        space[0x2C:0x30] = subvendor.to_bytes(2, "little") + subdevice.to_bytes(2, "little")
        rows = [f"{at:02x}: {space[at : at + 16].hex(' ')}" for at in range(0, 64, 16)]
        dumps.append("\n".join([f"{address} x: y", *rows, ""]))
    return "\n".join(dumps)


@pytest.mark.skipif(LSPCI is None, reason="lspci is not there (Debian: pciutils)")
@pytest.mark.parametrize("options", ["-n", "-nn", "-nnv", "-nnk", "-nv", "-vmmn", "-vmmnn", "-mmn", "-vmn", "-vnnmk"])
def test_every_form_of_lspci(tmp_path: Path, options: str) -> None:
    """What the tool itself prints of known devices is read back; names, and what a form leaves out, aside."""
    assert LSPCI is not None
    (tmp_path / "dump").write_text(hex_dump())
    printed = subprocess.run([LSPCI, "-F", tmp_path / "dump", options], capture_output=True, check=True).stdout
    found = parse_devices(printed)
    assert [device.class_code is not None and device.class_code >> 8 for device in found] == [card[3] for card in CARDS]
    if options in ("-n", "-nn"):
        assert [numbers(device)[:2] for device in found] == [wanted[:2] for wanted in WANTED]
        assert not any(device.has_interface for device in found)
    else:
        assert [numbers(device) for device in found] == WANTED
    assert [device.address for device in found] == [card[0].removeprefix("0000:") for card in CARDS]
    if "m" in options:
        assert [device.class_code for device in found] == [card[3] << 8 | card[4] for card in CARDS]


def esxcli_text() -> str:
    blocks = []
    for at, (address, vendor, device, kind, interface, subvendor, subdevice) in enumerate(CARDS):
        blocks.append(
            f"{address}\n   Address: {address}\n   Segment: 0x0000\n   VMkernel Name: vmnic{at}\n"
            f"   Vendor Name: Acme\n   Device Name: Card: {at}\n"
            f"   Vendor ID: {vendor:#06x}\n   Device ID: {device:#06x}\n"
            f"   SubVendor ID: {subvendor:#06x}\n   SubDevice ID: {subdevice:#06x}\n   Device Class: {kind:#06x}\n"
            f"   Device Class Name: Something\n   Programming Interface: {interface:#04x}\n   Module Name: acmenic\n"
        )
    return "\n".join(blocks)


def esxcli_json() -> list[dict[str, object]]:
    return [
        {
            "Address": address, "VMkernelName": f"vmnic{at}", "VendorName": "Acme", "DeviceName": f"Card: {at}",
            "VendorID": vendor, "DeviceID": device, "SubVendorID": subvendor, "SubDeviceID": subdevice,
            "DeviceClass": kind, "ProgrammingInterface": interface, "ModuleName": "acmenic",
        }
        for at, (address, vendor, device, kind, interface, subvendor, subdevice) in enumerate(CARDS)
    ]  # fmt: skip


def esxcli_csv() -> str:
    rows = esxcli_json()
    return "\n".join([",".join([*rows[0], ""]), *(",".join([*map(str, row.values()), ""]) for row in rows)])


def esxcli_xml() -> str:
    structures = "".join(
        "<structure typeName='PCI'>"
        + "".join(f"<field name='{key}'><string>{value}</string></field>" for key, value in row.items())
        + "</structure>"
        for row in esxcli_json()
    )
    return f"<output xmlns='urn:x'><root><list type='structure'>{structures}</list></root></output>"


@pytest.mark.parametrize(
    "text",
    [
        esxcli_text(),
        esxcli_text().replace("   ", ""),
        "[root@esx1:~] esxcli hardware pci list\n" + esxcli_text(),
        esxcli_text().replace("Vendor ID", "Vendor Id").replace(" ID:", " Id:"),
        json.dumps(esxcli_json()),
        esxcli_csv(),
        esxcli_xml(),
    ],
    ids=["text", "flat text", "with prompt", "other case", "json", "csv", "xml"],
)
def test_every_form_of_esxcli(text: str) -> None:
    found = parse_devices(text.encode())
    assert [numbers(device) for device in found] == WANTED
    assert [device.class_code for device in found] == [card[3] << 8 | card[4] for card in CARDS]
    assert [device.address for device in found] == [card[0] for card in CARDS]
    assert [device.alias for device in found] == ["vmnic0", "vmnic1", "vmnic2"]
    assert {device.driver for device in found} == {"acmenic"}
    assert found[0].name == "Acme Card: 0"


def test_the_list_of_the_api_has_signed_numbers() -> None:
    def signed(number: int) -> int:
        return number - (1 << 16) if number >> 15 else number

    devices = [
        {"id": address, "classId": kind, "vendorId": signed(vendor), "deviceId": signed(device),
         "subVendorId": signed(subvendor), "subDeviceId": signed(subdevice), "vendorName": "Acme"}
        for address, vendor, device, kind, _, subvendor, subdevice in CARDS
    ]  # fmt: skip
    found = parse_devices(json.dumps({"hardware": {"pciDevice": devices}, "other": [1, None]}).encode())
    assert [numbers(device) for device in found] == WANTED
    assert [device.has_interface for device in found] == [False, False, False]


def test_the_short_lists_of_a_host() -> None:
    text = (
        "0000:31:00.0 Class 0200: 8086:1521 [vmnic4]\n0000:98:00.0 Class 0104: 1000:005d [vmhba1]\n"
        "0001:00:00.0 Class 0600: 8086:0e00\n"
    )
    nic, disk, bridge = parse_devices(text.encode())
    assert (nic.address, nic.ids, nic.alias, nic.class_code) == ("0000:31:00.0", "8086:1521", "vmnic4", 0x020000)
    assert (disk.alias, bridge.alias) == ("vmhba1", "")
    longer = "000:014:00.0 8086:1528 15d9:0734 11/ 11/0x33 A V ixgbe        vmnic2\n"
    (found,) = parse_devices(longer.encode())
    assert (numbers(found), found.alias) == ((0x8086, 0x1528, 0x15D9, 0x0734), "vmnic2")
    assert found.class_code is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no list"),
        ("Dear host, what have you got?", "no list"),
        (
            "0000:04:00.0 Network controller Ethernet controller: Intel Corporation I210 [vmnic0]",
            "without their numbers",
        ),
        ("{}", "no list"),
        ("[1, 2]", "no list"),
    ],
)
def test_what_names_no_numbers_is_refused(text: str, message: str) -> None:
    with pytest.raises(MalformedDocumentError, match=message) as caught:
        parse_devices(text.encode(), where="x.txt")
    assert "lspci -n" in str(caught.value)


@pytest.mark.parametrize("number", ["0x10000", "-40000", "much"])
def test_a_number_that_is_none_of_pci_is_named_with_its_device(number: str) -> None:
    text = esxcli_text().replace("0x1528", number)
    with pytest.raises(InvalidFieldError, match=r"0000:02:00\.1"):
        parse_devices(text.encode())


def test_a_device_without_number_is_named() -> None:
    with pytest.raises(EsxImageError, match=r"0000:02:00\.1"):
        parse_devices(esxcli_text().replace("0x1528", "").encode())
    with pytest.raises(MalformedDocumentError, match="no numbers"):
        parse_devices(b"Slot:\t02:00.1\nVendor:\tIntel Corporation\nDevice:\tX540\n")


def test_the_limit_is_kept() -> None:
    with pytest.raises(LimitExceededError):
        parse_devices(esxcli_text().encode(), max_bytes=10)
