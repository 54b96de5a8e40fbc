"""What esxcli prints, in every form and as people paste it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from esximage_builder.documents.esxcli import field_name, parse_esxcli
from esximage_builder.errors import EsxImageError, LimitExceededError, MalformedDocumentError

ROWS = [
    ("net-acme", "1.2.3-4OEM.700.1.0.15843807", "Acme Storage Inc", "PartnerSupported", "2021-03-04", "host"),
    ("esx-base", "7.0.3-0.55.20328353", "VMware", "VMwareCertified", "2022-09-01", "host, vmdpu0"),
]
CAPTIONS = ("Name", "Version", "Vendor", "Acceptance Level", "Install Date", "Platforms")


def fields_of(text: str) -> list[dict[str, str]]:
    return [{name: record.text(name) for name in record.fields} for record in parse_esxcli(text.encode()).records]


WANTED = [dict(zip(map(field_name, CAPTIONS), row, strict=True)) for row in ROWS]


def table(*, gap: str = "  ", pad: str = " ") -> str:
    widths = [max(len(row[at]) for row in (CAPTIONS, *ROWS)) for at in range(len(CAPTIONS))]
    lines = [CAPTIONS, tuple("-" * width for width in widths), *ROWS]
    return "\n".join(
        gap.join(cell.ljust(width, pad) for cell, width in zip(line, widths, strict=True)).rstrip(pad) for line in lines
    )


def squeezed() -> str:
    return "\n".join(" ".join(line.split()) for line in table().splitlines())


@pytest.mark.parametrize(
    "text",
    [
        table(),
        table() + "\n\n",
        table(gap="\u00a0\u00a0", pad="\u00a0"),
        table().replace("\n", "\r\n"),
        "[root@esx1:~] esxcli software vib list\n" + table(),
        "~ # esxcli software vib list\n" + table(),
        squeezed(),
        "\n".join("  ".join(line) for line in (CAPTIONS, tuple("-" * len(name) for name in CAPTIONS), *ROWS)),
    ],
    ids=["padded", "blank lines", "no-break spaces", "CRLF", "prompt", "old prompt", "squeezed", "dashes too short"],
)
def test_a_table_is_read_as_it_arrives(text: str) -> None:
    assert fields_of(text) == WANTED


def test_a_squeezed_component_list_is_parted_by_what_only_one_column_holds() -> None:
    text = (
        "Name Display Name Version Display Version Vendor Creation Date Acceptance Level Platforms\n"
        "---- ------------ ------- --------------- ------ ------------- ---------------- ---------\n"
        "Acme-net Acme 10-Gigabit network driver for ESX-8.0 5.1.4-1OEM.800.1.0.20613240 5.1.4 Acme Inc 03-27-2023 "
        "VMwareAccepted host\n"
    )
    (found,) = fields_of(text)
    assert found["displayname"] == "Acme 10-Gigabit network driver for ESX-8.0"
    assert (found["version"], found["displayversion"]) == ("5.1.4-1OEM.800.1.0.20613240", "5.1.4")
    assert (found["vendor"], found["platforms"]) == ("Acme Inc", "host")


BLOCKS = (
    "0000:04:00.0\n   Address: 0000:04:00.0\n   VMkernel Name: vmnic0\n   SubVendor ID: 0x15d9\n   Physical Slot:\n"
    "0000:05:00.0\n   Address: 0000:05:00.0\n   VMkernel Name: \n   SubVendor ID: 0x103c\n"
)


@pytest.mark.parametrize(
    "text", [BLOCKS, BLOCKS.replace("   ", ""), "\n\n".join(BLOCKS.splitlines())], ids=["as printed", "flat", "blank"]
)
def test_blocks_of_keys_need_no_indentation(text: str) -> None:
    first, second = parse_esxcli(text.encode()).records
    assert (first.heading, first.text("vmkernelname"), first.text("subvendorid")) == (
        "0000:04:00.0",
        "vmnic0",
        "0x15d9",
    )
    assert (second.heading, second.text("vmkernelname"), second.text("subvendorid")) == ("0000:05:00.0", "", "0x103c")


def test_a_key_that_comes_back_begins_the_next_block() -> None:
    text = "\n".join(line for line in BLOCKS.splitlines() if ": " in line)
    assert [record.text("address") for record in parse_esxcli(text.encode()).records] == [
        "0000:04:00.0",
        "0000:05:00.0",
    ]


def test_the_json_formatter() -> None:
    data = [{"Name": "net", "Depends": ["a", "b >= 1"], "Bus": 0, "LiveInstallAllowed": True, "Status": None}]
    (found,) = parse_esxcli(json.dumps(data).encode("utf-16")).records
    assert found.listed("depends") == ("a", "b >= 1")
    assert (found.text("bus"), found.flag("liveinstallallowed"), found.text("status")) == ("0", True, "")
    (one,) = parse_esxcli(json.dumps(data[0]).encode()).records
    assert one.fields == found.fields


def test_the_csv_formatter_ends_its_lines_with_a_comma() -> None:
    text = 'AcceptanceLevel,Name,Vendor,\nVMwareCertified,net,"Acme, Inc",\nPartnerSupported,disk,Other,\n'
    assert fields_of(text) == [
        {"acceptancelevel": "VMwareCertified", "name": "net", "vendor": "Acme, Inc"},
        {"acceptancelevel": "PartnerSupported", "name": "disk", "vendor": "Other"},
    ]


XML = """<?xml version="1.0" encoding="utf-8"?>
<output xmlns="http://www.vmware.com/Products/ESX/5.0/esxcli/"><root><list type="structure">
<structure typeName="VIB"><field name="Name"><string>net</string></field>
<field name="Depends"><list type="string"><string>a</string><string>b >= 1</string></list></field></structure>
<structure typeName="VIB"><field name="Name"><string>disk</string></field></structure>
</list></root></output>"""


def test_the_xml_formatter() -> None:
    net, disk = parse_esxcli(XML.encode()).records
    assert (net.text("name"), net.listed("depends")) == ("net", ("a", "b >= 1"))
    assert disk.text("name") == "disk"


def test_the_form_of_the_api(realdata: Path) -> None:
    folder = realdata / "esxcli" / "vmware__govmomi"
    vms = parse_esxcli((folder / "network_vm_list.xml").read_bytes()).records
    assert [record.text("name") for record in vms] == ["foo", "bar"]
    assert vms[0].listed("networks") == ("VM Network", "dougm")
    (name,) = parse_esxcli((folder / "system_hostname_get.xml").read_bytes()).records
    assert name.text("hostname") == "esxbox"


def test_rows_whose_header_is_lost_are_kept() -> None:
    rows = "\n".join(table().splitlines()[2:])
    output = parse_esxcli(f"[root@esx1:~] esxcli software vib list | grep acme\n{rows}\n".encode())
    assert output.command == "esxcli software vib list | grep acme"
    assert output.records == ()
    assert [row.split()[0] for row in output.rows] == ["net-acme", "esx-base"]


@pytest.mark.parametrize("prefix", ["", "[root@esx1:~] esxcli software vib get -n x\n"])
def test_an_error_of_the_host_is_no_answer(prefix: str) -> None:
    text = f"{prefix} [NoMatchError]\n No VIB matching VIB search specification 'x'.\n id = x\n"
    with pytest.raises(MalformedDocumentError, match="No VIB matching") as caught:
        parse_esxcli(text.encode(), where="x.txt")
    assert caught.value.found == "NoMatchError"


@pytest.mark.parametrize(
    "data", [b"", b" \n", b"[1]", b"<html/>", b"<output", b"[root@a:~] esxcli software vib list\n"]
)
def test_what_esxcli_did_not_print_is_refused_by_name(data: bytes) -> None:
    with pytest.raises(EsxImageError) as caught:
        parse_esxcli(data, where="x.txt")
    assert "x.txt" in str(caught.value)


def test_the_limit_is_kept() -> None:
    with pytest.raises(LimitExceededError):
        parse_esxcli(table().encode(), max_bytes=10)


@pytest.mark.parametrize(
    "row", ["Acc\repted,ACM-1", f"x,{'9' * 200_000}"], ids=["a line end inside", "a field without end"]
)
def test_a_damaged_csv_is_malformed(row: str) -> None:
    with pytest.raises(MalformedDocumentError, match="the CSV is damaged") as caught:
        parse_esxcli(f"AcceptanceLevel,ID\n{row}\n".encode(), where="x.csv")
    assert caught.value.where == "x.csv"
