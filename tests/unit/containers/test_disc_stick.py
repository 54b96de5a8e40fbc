"""What a disc is as a stick: told by its partition table, and by nothing that only looks like it."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from support.changed_depots import needs, run

from esximage_builder.containers.disc_stick import stick_of
from esximage_builder.containers.iso9660 import IsoFile, IsoLayout, lay_out_iso
from esximage_builder.containers.iso9660_reader import open_iso
from esximage_builder.containers.partition_table import EFI_SYSTEM, Partition, render_boot_record
from esximage_builder.limits import ReadLimits

if TYPE_CHECKING:
    from pathlib import Path

WHEN = datetime(2025, 1, 1, tzinfo=UTC)


def layout(*, with_stick: bool = True, efi: bool = True) -> IsoLayout:
    return lay_out_iso(
        [
            IsoFile(path="ISOLINUX.BIN", content=bytes(4096)),
            IsoFile(path="EFIBOOT.IMG", content=b"loader" * 1000),
            IsoFile(path="A.B", content=b"x"),
        ],
        volume_id="DISC",
        bios_boot="ISOLINUX.BIN",
        efi_boot="EFIBOOT.IMG" if efi else None,
        timestamp=WHEN,
        with_stick=with_stick,
    )


def disc_of(made: IsoLayout) -> bytes:
    target = io.BytesIO()
    made.write_skeleton(target)
    return target.getvalue()


DISC = disc_of(layout())
PLACE = layout().offsets["EFIBOOT.IMG"]


def told(disc: bytes) -> tuple[str, bool]:
    with open_iso(io.BytesIO(disc), where="disc", limits=ReadLimits()) as opened:
        stick = stick_of(opened)
    return str(stick), stick.is_ours


def with_table(*partitions: Partition, code: bytes = b"", behind: bytes = b"") -> bytes:
    record = render_boot_record(partitions, signature=7)
    head = code + record[len(code) :] + behind
    return head + DISC[len(head) :]


LOADER = Partition(kind=EFI_SYSTEM, first_sector=PLACE // 512, sectors=12)
OTHER = Partition(kind=0x83, first_sector=100, sectors=1)


@pytest.mark.parametrize(
    ("disc", "expected"),
    [
        pytest.param(DISC, ("UEFI yes, BIOS no", True), id="ours"),
        pytest.param(disc_of(layout(with_stick=False)), ("UEFI no, BIOS no", False), id="left out"),
        pytest.param(disc_of(layout(efi=False)), ("UEFI no, BIOS no", False), id="no loader for UEFI"),
        pytest.param(with_table(LOADER, code=b"\xeb"), ("UEFI yes, BIOS unknown", False), id="code of others"),
        pytest.param(with_table(OTHER, LOADER), ("UEFI yes, BIOS no", False), id="one more partition"),
        pytest.param(with_table(OTHER), ("UEFI no, BIOS no", False), id="another partition"),
        pytest.param(
            with_table(Partition(kind=EFI_SYSTEM, first_sector=PLACE // 512, sectors=11)),
            ("UEFI no, BIOS no", False),
            id="a partition that cuts the loader",
        ),
        pytest.param(with_table(OTHER, behind=b"EFI PART"), ("UEFI unknown, BIOS no", False), id="another table"),
        pytest.param(with_table(LOADER, behind=b"more"), ("UEFI yes, BIOS no", False), id="more in the system area"),
    ],
)
def test_a_disc_tells_what_it_is_as_a_stick(disc: bytes, expected: tuple[str, bool]) -> None:
    assert told(disc) == expected


def test_only_the_system_area_differs_without_the_entry() -> None:
    without = disc_of(layout(with_stick=False))
    assert without[512:] == DISC[512:]
    assert not any(without[:512])


def test_two_discs_have_two_numbers() -> None:
    other = disc_of(
        lay_out_iso(
            [IsoFile(path="EFIBOOT.IMG", content=b"other")],
            volume_id="OTHER",
            bios_boot=None,
            efi_boot="EFIBOOT.IMG",
            timestamp=WHEN,
            with_stick=True,
        )
    )
    assert other[440:444] != DISC[440:444]


@needs("sfdisk")
@needs("xorriso")
def test_other_tools_see_the_same_partition(tmp_path: Path) -> None:
    path = tmp_path / "disc.iso"
    path.write_bytes(DISC)
    assert "No errors detected" in run("sfdisk", "--verify", path)
    said = run("xorriso", "-indev", path, "-report_system_area", "plain")
    (entry,) = [line.split() for line in said.splitlines() if line.startswith("MBR partition      :")]
    assert entry[-4:] == ["0x00", "0xef", str(PLACE // 512), "12"]
