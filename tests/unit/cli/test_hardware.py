"""``esximage hardware``: exit code, text and JSON."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.command_line import answer, run
from support.small_images import RELEASED, base_vibs, write_base_depot

from esximage_builder.authoring.vib import author_vib, vgz_payload
from esximage_builder.models.vib import Vib
from esximage_builder.versions import VibVersion
from esximage_builder.vocabulary import AcceptanceLevel

VERSION = "7.0.3-0.55.20328353"
NIC = "0000:02:00.0 Class 0200: 8086:1528 [vmnic0]\n"


@pytest.fixture
def depot(tmp_path: Path) -> Path:
    """A base image whose driver names one adapter by tag and another by map."""
    vib = Vib(
        name="ixgben",
        version=VibVersion("1.0-1"),
        vendor="ACM",
        summary="net",
        released_at=RELEASED,
        acceptance_level=AcceptanceLevel.COMMUNITY,
        tags=["driver", "PCIID 80861528"],
    )
    files = {"etc/vmware/default.map.d/ixgben.map": b"bus=pci,id=80861529,driver=ixgben\n"}
    driver = author_vib(vib, [vgz_payload("ixgben", files)], unsigned=True)
    path = tmp_path / "base.zip"
    vibs = base_vibs(VERSION, kernel=b"kernel", bios_loader=bytes(4096), efi_image=bytes(4096))
    write_base_depot(path, VERSION, [*vibs, driver])
    return path


def devices(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "lspci.txt"
    path.write_text(text)
    return path


def test_a_driven_host_ends_with_0(depot: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ("--depot", depot, "--base", VERSION, "--devices", devices(tmp_path, NIC))
    code, out, _ = run(capsys, "hardware", *arguments)
    assert code == 0
    assert "drives 1 of 1 network and storage adapters" in out
    assert "ACM_bootbank_ixgben_1.0-1" in out
    found = answer(capsys, "hardware", *arguments, "--json")
    assert found["is_driven"] is True
    assert found["devices"][0]["drivers"][0]["pattern"] == "80861528"


def test_what_the_map_says_counts_on_request(depot: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Tag and map differ here; the host goes by the map."""
    arguments = ("--depot", depot, "--base", VERSION, "--devices", devices(tmp_path, NIC))
    code, out, _ = run(capsys, "hardware", *arguments, "--maps")
    assert code == 1
    assert "no-network-driver" in out


def test_a_host_without_driven_adapter_ends_with_1(
    depot: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = devices(tmp_path, "02:00.0 0200: 14e4:16d7\n03:00.0 0107: 1000:0097\n00:14.0 0c03: 8086:a12f\n")
    code, out, _ = run(capsys, "hardware", "--depot", depot, "--base", VERSION, "--devices", other)
    assert code == 1
    assert out.count("device-not-driven") == 2


def test_a_list_that_is_none_ends_with_2(depot: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    wrong = devices(tmp_path, "hello\n")
    code, _, err = run(capsys, "hardware", "--depot", depot, "--base", VERSION, "--devices", wrong)
    assert code == 2
    assert "no list of PCI devices" in err
