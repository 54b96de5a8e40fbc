"""Reading sticks: damage is named, and what mtools wrote is read too."""

from __future__ import annotations

import datetime as dt
import io
import struct
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings, strategies as st
from support.changed_depots import needs, run

from esximage_builder.containers.fat32 import FatFile, lay_out_stick
from esximage_builder.containers.fat32_reader import StickReader, open_stick
from esximage_builder.containers.partition_table import FAT32, Partition, render_boot_record
from esximage_builder.errors import EsxImageError, LimitExceededError, MalformedDocumentError, NotInDepotError
from esximage_builder.limits import ReadLimits

if TYPE_CHECKING:
    from pathlib import Path

WHEN = dt.datetime(2025, 3, 4, tzinfo=dt.UTC)
START = 1 << 20
CONTENTS = {"A.V00": b"a" * 1500, "EFI/BOOT/BOOT.CFG": b"kernel=/b.b00\n", "EMPTY": b""}


def made() -> bytes:
    target = io.BytesIO()
    files = [FatFile(path=path, content=content) for path, content in CONTENTS.items()]
    lay_out_stick(files, label="ESXI", timestamp=WHEN).write_skeleton(target)
    return target.getvalue()


STICK = made()
RESERVED, FAT_SECTORS = struct.unpack_from("<H20xI", STICK, START + 14)
TABLE = START + RESERVED * 512
ROOT = TABLE + 2 * FAT_SECTORS * 512
FIRST_FILE = struct.unpack_from("<H", STICK, STICK.index(b"A       V00") + 26)[0]


def opened(data: bytes, **limits: int) -> StickReader:
    return open_stick(io.BytesIO(data), where="stick.img", limits=ReadLimits(**limits))


def changed(at: int, change: bytes) -> bytes:
    return STICK[:at] + change + STICK[at + len(change) :]


def link(cluster: int, following: int) -> bytes:
    return changed(TABLE + 4 * cluster, struct.pack("<I", following))


def test_what_is_whole_is_read() -> None:
    with opened(STICK) as stick:
        assert {path: stick.read(path, max_bytes=2000) for path in stick.files} == CONTENTS
        assert stick.read("efi/boot/boot.cfg", max_bytes=100) == CONTENTS["EFI/BOOT/BOOT.CFG"]


def test_files_that_are_not_there_or_too_long_are_refused() -> None:
    with opened(STICK) as stick:
        with pytest.raises(NotInDepotError):
            stick.read("B.V00", max_bytes=10)
        with pytest.raises(LimitExceededError):
            stick.read("A.V00", max_bytes=1499)


@pytest.mark.parametrize(
    ("stick", "match"),
    [
        pytest.param(bytes(len(STICK)), "no partition of FAT32", id="nothing"),
        pytest.param(changed(450, b"\xef"), "no partition of FAT32", id="another kind"),
        pytest.param(changed(START + 82, b"FAT16"), "not FAT32", id="FAT16"),
        pytest.param(changed(START + 11, b"\0\x10"), "not FAT32", id="large sectors"),
        pytest.param(changed(START + 13, b"\0"), "not FAT32", id="clusters of nothing"),
        pytest.param(changed(START + 36, b"\xff\xff\xff\x7f"), "not FAT32", id="a table behind the end"),
        pytest.param(changed(START + 44, b"\xff\xff\xff\x0f"), "no end, or lies outside", id="a root outside"),
        pytest.param(link(FIRST_FILE, FIRST_FILE), "lies in pieces", id="a chain that leads in circles"),
        pytest.param(link(FIRST_FILE + 1, FIRST_FILE + 9), "lies in pieces", id="a file in pieces"),
        pytest.param(link(FIRST_FILE + 1, 0x0FFF_FFFF), "not as long", id="a chain too short"),
        pytest.param(changed(STICK.index(b"EMPTY   ") + 28, b"\1"), "not as long", id="bytes of nowhere"),
        pytest.param(STICK[:START], "cut short", id="cut short"),
    ],
)
def test_damage_is_named(stick: bytes, match: str) -> None:
    with pytest.raises(MalformedDocumentError, match=match) as caught:
        opened(stick)
    assert caught.value.where == "stick.img"


def test_folders_that_lead_in_circles_are_refused() -> None:
    at = STICK.index(b"EFI        \x10")
    with pytest.raises(MalformedDocumentError, match="in circles"):
        opened(changed(at + 26, struct.pack("<H", 2)))


def test_folders_have_a_limit() -> None:
    with pytest.raises(LimitExceededError):
        opened(STICK, metadata_bytes=1000)


@settings(deadline=None, max_examples=60)
@given(data=st.data())
def test_changed_bytes_raise_our_errors_only(data: st.DataObject) -> None:
    at = data.draw(st.sampled_from([446, START, TABLE, ROOT])) + data.draw(st.integers(0, 511))
    try:
        with opened(changed(at, data.draw(st.binary(min_size=1, max_size=8)))) as stick:
            for path in stick.files:
                stick.read(path, max_bytes=1 << 20)
    except EsxImageError:
        pass


@needs("mcopy")
def test_what_mtools_wrote_is_read(tmp_path: Path) -> None:
    """Long names are passed over; each file has a short one beside."""
    path, long = tmp_path / "stick.img", tmp_path / "a longer name.text"
    long.write_bytes(b"long")
    partition = Partition(kind=FAT32, first_sector=2048, sectors=80_000)
    path.write_bytes(render_boot_record([partition], signature=1).ljust((2048 + 80_000) * 512, b"\0"))
    run("mformat", "-i", f"{path}@@1M", "-F", "-T", "80000", "-h", "255", "-s", "63", "-c", "1", "::")
    run("mcopy", "-i", f"{path}@@1M", long, "::")
    with open_stick(path, where="stick.img", limits=ReadLimits()) as stick:
        assert list(stick.files) == ["ALONGE~1.TEX"]
        assert stick.read("ALONGE~1.TEX", max_bytes=10) == b"long"
