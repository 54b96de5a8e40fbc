"""Maps of drivers, read out of payloads that authored and real VIBs have."""

from __future__ import annotations

import io
from pathlib import Path
from typing import BinaryIO

import pytest
from support.small_images import small_vib

import esximage_builder as eib
from esximage_builder.authoring.vib import AuthoredVib, vgz_payload
from esximage_builder.depot.driver_maps import read_driver_maps
from esximage_builder.documents.driver_map import is_driver_map, parse_driver_map
from esximage_builder.errors import LimitExceededError
from esximage_builder.limits import ReadLimits

NATIVE = (
    b"regtype=native,bus=pci,id=15b3101515b30016......,driver=nmlx5_core\n"
    b"# regtype=native,bus=pci,id=15b31017\n"
    b"regtype=native,bus=acpi,id=BCMGPIO,driver=thgpio\n"
    b"\xff\xfe nonsense\n"
)
LEGACY = b"regtype=linux,bus=pci,id=10ec:8168 0000:0000,driver=r8168,class=network\n"


class Shelf:
    """Authored VIBs as a store."""

    def __init__(self, *vibs: AuthoredVib) -> None:
        self._data = {vib.vib.id: vib.data for vib in vibs}

    def open_vib(self, vib: eib.Vib) -> BinaryIO:
        return io.BytesIO(self._data[vib.id])


def driver(path: str, content: bytes) -> AuthoredVib:
    return small_vib("net", "1.0-1", (vgz_payload("net", {"usr/lib/net": b"code", path: content}),))


@pytest.mark.parametrize(
    ("path", "content", "patterns"),
    [
        ("etc/vmware/default.map.d/nmlx5_core.map", NATIVE, ("15b3101515b30016......",)),
        ("etc/vmware/driver.map.d/r8168.map", LEGACY, ("10ec:8168 0000:0000",)),
    ],
)
def test_both_forms_are_read_out_of_the_payload(path: str, content: bytes, patterns: tuple[str, ...]) -> None:
    authored = driver(path, content)
    assert read_driver_maps([authored.vib], Shelf(authored)) == {authored.vib.id: patterns}


def test_a_vib_without_map_is_not_in_the_answer() -> None:
    authored = driver("etc/vmware/other.d/x.map", NATIVE)
    assert read_driver_maps([authored.vib], Shelf(authored)) == {}


def test_a_map_beyond_the_limit_is_refused() -> None:
    authored = driver("etc/vmware/default.map.d/net.map", NATIVE)
    with pytest.raises(LimitExceededError, match=r"net\.map"):
        read_driver_maps([authored.vib], Shelf(authored), limits=ReadLimits(document_bytes=60))


@pytest.mark.parametrize(
    ("path", "is_map"),
    [
        ("./etc/vmware/default.map.d/x.map", True),
        ("/etc/vmware/driver.map.d/x.map", True),
        ("etc/vmware/default.map.d/sub/x.map", False),
        ("etc/vmware/default.map.d/x.map.old", False),
    ],
)
def test_a_map_is_known_by_its_place(path: str, *, is_map: bool) -> None:
    assert is_driver_map(path) is is_map


def test_lines_that_say_something_else_are_passed_over() -> None:
    assert parse_driver_map(b"\n,,,=\nbus=pci\nbus=PCI,id= 80861528 \n") == ("80861528",)


def test_a_real_driver_of_another_bus_has_no_pci_pattern(realdata: Path) -> None:
    for path in sorted(realdata.glob("vibs/thebel1__thgpio/*.vib")):
        with eib.open_depot(path) as depot:
            assert read_driver_maps(depot.catalog.vibs, depot) == {}
