"""Hosts from what administrators take: answers of commands in every form, databases, inventories, put together."""

from __future__ import annotations

import json
from pathlib import Path

import attrs
import pytest
from support.changed_depots import DEPOTS

import esximage_builder as eib
from esximage_builder.errors import (
    EsxImageError,
    InvalidFieldError,
    MalformedDocumentError,
    ModelError,
    NotADepotError,
)
from esximage_builder.models.host import HostPart

BASE = "7.0.3-0.55.20328353"
COMPONENTS = [
    ("ESXi", BASE, "VMware"),
    ("Acme-net", "1.2.3-4OEM.700.1.0.15843807", "Acme Storage Inc"),
]
VIBS = [("esx-base", BASE, "VMware", "VMwareCertified"), ("acme-net", "1.2.3-4OEM.700", "ACM", "PartnerSupported")]


def table(*rows: tuple[str, ...]) -> str:
    widths = [max(len(row[at]) for row in rows) for at in range(len(rows[0]))]
    lines = [rows[0], tuple("-" * width for width in widths), *rows[1:]]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) for line in lines)


def component_table() -> str:
    head = (
        "Name",
        "Display Name",
        "Version",
        "Display Version",
        "Vendor",
        "Creation Date",
        "Acceptance Level",
        "Platforms",
    )
    return table(
        head,
        *(
            (
                name,
                f"{name} of {vendor}",
                version,
                version.partition("-")[0],
                vendor,
                "09-01-2022",
                "VMwareCertified",
                "host",
            )
            for name, version, vendor in COMPONENTS
        ),
    )


def vib_table() -> str:
    head = ("Name", "Version", "Vendor", "Acceptance Level", "Install Date")
    return table(head, *((*vib, "2022-09-01") for vib in VIBS))


def vib_blocks() -> str:
    return "\n".join(
        f"{vendor}_bootbank_{name}_{version}\n   Name: {name}\n   Version: {version}\n   Type: bootbank\n"
        f"   Vendor: {vendor}\n   Acceptance Level: {level}\n   Maintenance Mode Required: True\n"
        "   Live Remove Allowed: False\n   Depends: esx-version >= 5.0.0\n   Payloads: x\n"
        for name, version, vendor, level in VIBS
    )


SYSTEM = "   Product: VMware ESXi\n   Version: 7.0.3\n   Build: Releasebuild-20328353\n   Update: 3\n   Patch: 55\n"
BASE_IMAGE = (
    f"ESXi:{BASE}\n"
    "   Name: ESXi\n"
    "   Display Name: ESXi\n"
    f"   Version: {BASE}\n"
    "   Display Version: 7.0 U3g - 20328353\n"
    "   Vendor: VMware\n"
    "   Release Date: 09-01-2022\n"
    "   Components: ESXi (7.0)\n"
)
ADD_ON = (
    "ACME-AddOn:703.20328353.A08\n"
    "   Name: ACME-AddOn\n"
    "   Version: 703.20328353.A08\n"
    "   Display Version: A08\n"
    "   Vendor: Acme\n"
    "   Components: Acme-net\n"
)
PLATFORM = (
    "Platform Information\n"
    "   UUID: 0x4c 0x4c 0x45 0x44 0x0 0x4a 0x36 0x10 0x80 0x4d 0xb4 0xc0 0x4f 0x39 0x4e 0x32\n"
    "   Product Name: Acme R1\n"
    "   Vendor Name: Acme Inc.\n"
    "   Serial Number: X\n"
)


def host_of(folder: Path, **files: str) -> eib.Host:
    folder.mkdir(exist_ok=True)
    for name, text in files.items():
        (folder / f"{name}.txt").write_text(text)
    return eib.read_host(folder)


def test_a_host_is_put_together_from_all_its_answers(tmp_path: Path) -> None:
    host = host_of(
        tmp_path / "esx7",
        components=component_table(), vibs=vib_table(), more=vib_blocks(), system=SYSTEM, base=BASE_IMAGE,
        add_on=ADD_ON, platform=PLATFORM, devices="0000:04:00.0 Class 0200: 8086:1533 [vmnic0]\n",
        name="   Domain Name: example.com\n   Fully Qualified Domain Name: esx7.example.com\n   Host Name: esx7\n",
    )  # fmt: skip
    assert host.name == "esx7.example.com"
    assert host.base_image == eib.BaseImageVersion(BASE)
    assert str(host.add_on) == "ACME-AddOn:703.20328353.A08"
    assert [(part.name, part.version.text) for part in host.components] == sorted(
        (name, version) for name, version, _ in COMPONENTS
    )
    assert [(vib.name, vib.is_live_removable, vib.needs_maintenance_mode) for vib in host.vibs] == [
        ("acme-net", False, True),
        ("esx-base", False, True),
    ]
    assert (host.facts.vendor, host.facts.model) == ("Acme Inc.", "Acme R1")
    assert host.facts.uuid == "4c4c4544-004a-3610-804d-b4c04f394e32"
    assert [device.alias for device in host.devices] == ["vmnic0"]
    assert host.untold == (HostPart.STANDALONE_VIBS, HostPart.SOLUTIONS, HostPart.HARDWARE_SUPPORT)


@pytest.mark.parametrize("form", ["text", "grep", "json", "csv", "xml"])
def test_a_list_of_components_tells_the_same_in_every_form(tmp_path: Path, form: str) -> None:
    rows = [
        {"AcceptanceLevel": "VMwareCertified", "CreationDate": "09-01-2022", "DisplayName": "x", "DisplayVersion": "1",
         "Name": name, "Vendor": vendor, "Version": version}
        for name, version, vendor in COMPONENTS
    ]  # fmt: skip
    fields = ["".join(f"<field name='{k}'><string>{v}</string></field>" for k, v in row.items()) for row in rows]
    texts = {
        "text": component_table(),
        "grep": "\n".join(component_table().splitlines()[2:]),
        "json": json.dumps(rows),
        "csv": "\n".join([",".join([*rows[0], ""]), *(",".join([*row.values(), ""]) for row in rows)]),
        "xml": "<output><root><list type='structure'>"
        + "".join(f"<structure typeName='C'>{field}</structure>" for field in fields)
        + "</list></root></output>",
    }
    host = host_of(tmp_path / "esx1", components=texts[form])
    assert {part.name: part.version.text for part in host.components} == {name: text for name, text, _ in COMPONENTS}
    assert host.told == {HostPart.COMPONENTS, HostPart.BASE_IMAGE}
    assert host.base_image == eib.BaseImageVersion(BASE)
    assert host.name == "esx1"


@pytest.mark.parametrize(
    ("text", "version"),
    [
        (SYSTEM, BASE),
        (SYSTEM.replace("7.0.3", "8.0.3").replace("20328353", "24022510").replace("55", "0"), "8.0.3-0.0.24022510"),
        (SYSTEM.replace("7.0.3", "6.7.0"), None),
    ],
)
def test_the_version_of_the_system_is_that_of_its_base_image(tmp_path: Path, text: str, version: str | None) -> None:
    """Hosts before 7.0 have none."""
    host = host_of(tmp_path / "x", system="[root@esx3:~] esxcli system version get\n" + text)
    assert host.base_image == (version and eib.BaseImageVersion(version))
    assert (HostPart.BASE_IMAGE in host.told) == (version is not None)
    assert host.name == "esx3"


def test_the_form_of_a_clients_dump(tmp_path: Path) -> None:
    packages = [{"name": "net", "version": "1.0-1", "type": "bootbank", "vendor": "ACM", "acceptanceLevel": "partner",
                 "maintenanceModeRequired": True, "payload": ["net"]}]  # fmt: skip
    (tmp_path / "packages.json").write_text(json.dumps(packages))
    (vib,) = eib.read_host(tmp_path / "packages.json").vibs
    assert (vib.name, vib.acceptance_level, vib.needs_maintenance_mode) == ("net", eib.AcceptanceLevel.PARTNER, True)


def test_the_api_tells_what_a_host_was_given_beyond_its_base_image_and_add_on(tmp_path: Path) -> None:
    """The components that those two bring are filled in from the depots, where they are loaded."""
    info = {
        "base_image": {"version": BASE, "display_name": "ESXi"},
        "add_on": {"name": "ACME-AddOn", "version": "703.20328353.A08"},
        "components": {"Intel-i40en": {"version": "2.8.4.0-1OEM.700.1.0.15843807"}, "gone": {"version": ""}},
        "solutions": {"com.acme": {"version": "1", "components": [{"component": "x"}]}},
        "hardware_support": {"packages": {"com.acme.hsm": {"pkg": "p", "version": "2"}}},
    }
    (tmp_path / "info.json").write_text(json.dumps(info))
    host = eib.read_host(tmp_path / "info.json")
    assert HostPart.COMPONENTS not in host.told
    assert [(part.name, part.is_manual) for part in host.components] == [("Intel-i40en", True)]
    assert (host.solutions[0].components, host.hardware_support[0].package) == (("x",), "p")
    depots = [
        DEPOTS / "VMware-ESXi-7.0U3g-20328353-depot.zip",
        DEPOTS / "ACME-ESXi-Addon-703.20328353.A08-depot.zip",
        DEPOTS / "Intel-i40en_2.8.4.0-1OEM.700.1.0.15843807.zip",
    ]
    with eib.open_depot(*depots) as depot:
        full = eib.filled_from(host, depot.catalog)
        image = eib.compose(
            depot,
            base_image=BASE,
            add_on="ACME-AddOn:703.20328353.A08",
            components={"Intel-i40en": "2.8.4.0-1OEM.700.1.0.15843807"},
        )
    assert [part.name for part in full.components] == [entry.component.name for entry in image.components]
    assert [part.name for part in full.components if part.is_manual] == ["Intel-i40en"]
    with eib.open_depot(depots[1]) as other:
        assert eib.filled_from(host, other.catalog) == host


def test_installed_components_of_the_api_are_all(tmp_path: Path) -> None:
    document = {name: {"version": text, "display_name": "x", "platforms": ["host"]} for name, text, _ in COMPONENTS}
    for number, form in enumerate((document, {"components": document})):
        (tmp_path / f"{number}.json").write_text(json.dumps(form))
        host = eib.read_host(tmp_path / f"{number}.json")
        assert host.told == {HostPart.COMPONENTS}
        assert [part.platforms for part in host.components] == [("host",), ("host",)]


def test_an_image_database_tells_components_vibs_and_what_stands_alone(tmp_path: Path) -> None:
    depot_path = DEPOTS / "VMware-ESXi-7.0U3g-20328353-depot.zip"
    with eib.open_depot(depot_path) as depot:
        image = eib.compose(depot, base_image=BASE)
        eib.export_iso(image, depot, tmp_path / "image.iso")
    with eib.open_disc(tmp_path / "image.iso") as disc:
        (tmp_path / "imgdb.tgz").write_bytes(disc.read("IMGDB.TGZ"))
    host = eib.read_host(tmp_path / "imgdb.tgz", name="esx9")
    assert host.name == "esx9"
    assert host.base_image == image.base_image.version if image.base_image else None
    assert [part.name for part in host.components] == [entry.component.name for entry in image.components]
    assert {vib.name for vib in host.vibs} == {vib.name for vib in image.host_vibs}
    assert host.standalone_vibs == ()
    assert HostPart.ADD_ON in host.told


def test_an_inventory_that_was_written_reads_back(tmp_path: Path) -> None:
    host = host_of(
        tmp_path / "esx7", components=component_table(), vibs=vib_blocks(), add_on=ADD_ON, platform=PLATFORM,
        devices="0000:04:00.0 Class 0200: 8086:1533 [vmnic0]\n",
    )  # fmt: skip
    more = attrs.evolve(
        host,
        solutions=[eib.HostSolution(name="s", version="1", components=["a"])],
        hardware_support=[eib.HardwareSupportReference(manager="m", package="p", version="1")],
        standalone_vibs=["ACM_bootbank_x_1.0-1"],
        facts=attrs.evolve(host.facts, supports_quick_boot=False, boot_bank_bytes=5, oem_strings=["a"]),
        told=list(HostPart),
    )
    for number, each in enumerate((host, more, eib.Host(name="bare", told=[]))):
        eib.write_host(each, tmp_path / f"{number}.json")
        assert eib.read_host(tmp_path / f"{number}.json") == each


def test_facts_are_a_file_of_their_own(tmp_path: Path) -> None:
    (tmp_path / "facts.json").write_text('{"name": "esx5", "model": "R1", "supports_quick_boot": true}')
    host = eib.read_host(tmp_path / "facts.json")
    assert (host.name, host.facts.model, host.facts.supports_quick_boot, host.told) == ("esx5", "R1", True, frozenset())


def test_files_of_two_hosts_are_not_put_together(tmp_path: Path) -> None:
    other = SYSTEM.replace("20328353", "20036589")
    with pytest.raises(ModelError, match="base image"):
        host_of(tmp_path / "a", system=SYSTEM, other=other)
    with pytest.raises(ModelError, match="components"):
        host_of(tmp_path / "b", one=component_table(), two=component_table().replace("1.2.3-4OEM", "1.2.4-4OEM"))
    with pytest.raises(ModelError, match="vibs"):
        host_of(tmp_path / "c", one=vib_table(), two=vib_blocks().replace("1.2.3-4OEM", "1.2.4-4OEM"))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("hello", "no output of esxcli"),
        ("Installation Result\n   Message: done\n   Reboot Required: false\n", "nothing of what is installed"),
        ('{"esximage_host": 2}', "form of inventory"),
        ('{"esximage_host": 1, "base_imag": null}', "did you mean base_image"),
        ('{"esximage_host": 1, "facts": {"vendr": ""}}', "did you mean vendor"),
        ('{"esximage_host": 1, "components": {"a": "no version"}}', "#/components/a"),
        ('{"esximage_host": 1, "devices": [{"vendor_id": "zz"}]}', "no number of PCI"),
        ('{"esximage_host": 1, "devices": [{"vendor_id": "8086"}]}', "device_id"),
        ('{"esximage_host": 1, "vibs": {"a": {"version": "1-1", "acceptance_level": "high"}}}', "acceptance level"),
        (vib_table().replace("VMwareCertified ", "VMwareCertifiee "), "acceptance level"),
    ],
)
def test_what_tells_nothing_is_refused_with_its_place(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "esx.txt"
    path.write_text(text)
    with pytest.raises(EsxImageError, match=message) as caught:
        eib.read_host(path)
    assert isinstance(caught.value, MalformedDocumentError | InvalidFieldError)
    assert "esx.txt" in str(caught.value)


def test_an_empty_folder_and_no_file_at_all_are_refused(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(EsxImageError, match="nothing of a host"):
        eib.read_host(tmp_path / "empty")
    with pytest.raises(ModelError, match="at least one"):
        eib.read_host()


def test_every_real_answer_is_read_or_refused_by_name(realdata: Path) -> None:
    read = 0
    for path in sorted(realdata.glob("esxcli/*/*.txt")) + sorted(realdata.glob("esxcli/*/*.xml")):
        try:
            eib.read_host(path)
        except EsxImageError as error:
            assert path.name in str(error)  # noqa: PT017 - what it says is the point
        else:
            read += 1
    assert read >= 1


@pytest.mark.parametrize("name", ["VMware-ESXi-7.0U3g-20328353-depot.zip", "homelab-tweaks-1.0.0-1.vib"])
def test_what_no_host_tells_is_named(name: str) -> None:
    with pytest.raises(NotADepotError, match="nothing that a host tells of itself") as caught:
        eib.read_host(DEPOTS / name)
    assert caught.value.found in {"zip archive", "VIB"}
