"""The stick image: what stands on it, what boot.cfg says, and that other programs read it.

That it boots is tried in ``tests/boot``.
"""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING, Any, final

import attrs
import pytest
from support.bootable_images import KICKSTART
from support.changed_depots import ar_members, edit_zip, needs, render_vib, run
from support.small_images import base_vibs, small_vib, write_base_depot

import esximage_builder as eib
from esximage_builder.authoring.vib import boot_payload, raw_payload
from esximage_builder.containers.fat32_reader import open_stick
from esximage_builder.containers.iso9660_reader import open_iso
from esximage_builder.documents.boot_cfg import BootCfg, parse_boot_cfg

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from esximage_builder.authoring.vib import AuthoredVib

VERSION = "7.0.3-0.55.20328353"
VIBS = base_vibs(VERSION, kernel=b"kernel", bios_loader=bytes(4096), efi_image=bytes(4096))


@final
@attrs.frozen(kw_only=True)
class Workshop:
    """A small image and a folder for what is made of it."""

    folder: Path
    depot: eib.Depot
    image: eib.Image

    @property
    def target(self) -> Path:
        return self.folder / "out" / "stick.img"

    @property
    def left(self) -> list[str]:
        return sorted(path.name for path in self.target.parent.iterdir())

    def export(self, **options: Any) -> eib.ExportResult:
        return eib.export_usb(self.image, self.depot, self.target, **options)

    @property
    def files(self) -> dict[str, bytes]:
        with open_stick(self.target, where="stick", limits=eib.ReadLimits()) as stick:
            return {name: stick.read(name, max_bytes=1 << 30) for name in stick.files}

    @property
    def boot_cfg(self) -> BootCfg:
        return parse_boot_cfg(self.files["BOOT.CFG"])


def make_workshop(folder: Path, vibs: list[AuthoredVib]) -> Workshop:
    path = folder / "base.zip"
    write_base_depot(path, VERSION, vibs)
    (folder / "out").mkdir()
    depot = eib.open_depot(path)
    return Workshop(folder=folder, depot=depot, image=eib.compose(depot.catalog, base_image=VERSION))


@pytest.fixture
def workshop(tmp_path: Path) -> Iterator[Workshop]:
    made = make_workshop(tmp_path, VIBS)
    with made.depot:
        yield made


def test_the_stick_has_the_files_of_the_disc_but_what_only_discs_have(workshop: Workshop) -> None:
    workshop.export()
    eib.export_iso(workshop.image, workshop.depot, workshop.folder / "out.iso")
    with open_iso(workshop.folder / "out.iso", where="disc", limits=eib.ReadLimits()) as disc:
        on_disc = {name: disc.read(name, max_bytes=1 << 30) for name in disc.files}
    stick = workshop.files
    assert on_disc.keys() - stick.keys() == {"ISOLINUX.CFG", "BOOT.CAT", "ISOLINUX.BIN", "EFIBOOT.IMG"}
    assert stick.keys() - on_disc.keys() == {"SYSLINUX.CFG"}
    assert {name for name in stick.keys() & on_disc.keys() if stick[name] != on_disc[name]} == {
        "BOOT.CFG", "EFI/BOOT/BOOT.CFG",
    }  # fmt: skip


def test_boot_cfg_fits_a_stick(workshop: Workshop) -> None:
    workshop.export(kickstart=KICKSTART)
    assert workshop.files["BOOT.CFG"] == workshop.files["EFI/BOOT/BOOT.CFG"]
    assert workshop.boot_cfg.kernelopt == "runweasel ks=usb:/KS_CUST.CFG"
    assert workshop.files["KS_CUST.CFG"] == KICKSTART
    names = [workshop.boot_cfg.kernel, *(module.file_name for module in workshop.boot_cfg.modules)]
    assert {name.removeprefix("/").upper() for name in names} <= workshop.files.keys()
    assert all(name.startswith("/") for name in names)


def test_the_boot_menu_tells_mboot_the_partition(workshop: Workshop) -> None:
    """For those who put SYSLINUX on it; the stock menu beside names no disc."""
    workshop.export()
    assert b"APPEND -c boot.cfg -p 1\n" in workshop.files["SYSLINUX.CFG"]


def test_a_kickstart_address_is_taken_as_it_is(workshop: Workshop) -> None:
    workshop.export(kickstart_address=eib.KickstartAddress.from_text("https://server/ks.cfg"))
    assert workshop.boot_cfg.kernelopt == "runweasel ks=https://server/ks.cfg"


def test_a_kickstart_file_of_a_cd_drive_is_not_found_on_a_stick(workshop: Workshop) -> None:
    with pytest.raises(eib.IncompatibleImageError) as caught:
        workshop.export(kernel_options="ks=cdrom:/KS_CUST.CFG")
    assert [finding.code for finding in caught.value.findings] == ["kickstart-not-on-disc"]
    assert workshop.left == []


def test_the_result_says_which_firmware_boots_it(workshop: Workshop) -> None:
    told = [finding.message for finding in workshop.export().findings if finding.code == "boots-as-stick"]
    assert told == ["stick: UEFI yes, BIOS no"]


def test_two_exports_are_the_same_bytes(workshop: Workshop) -> None:
    first = workshop.export(kickstart=KICKSTART)
    data = workshop.target.read_bytes()
    workshop.export(kickstart=KICKSTART, overwrite=True)
    assert workshop.target.read_bytes() == data
    assert first.size_bytes == len(data)


def test_without_tools_and_installer_they_are_left_off(workshop: Workshop) -> None:
    workshop.export(with_tools=False, with_installer=False)
    assert workshop.boot_cfg.kernelopt == ""
    assert not [name for name in workshop.files if name.startswith(("TOOLS", "UPGRADE"))]


def test_together_with_the_disc_it_is_the_same_stick(workshop: Workshop) -> None:
    workshop.export()
    alone = workshop.target.read_bytes()
    folder = workshop.folder
    eib.export_image(workshop.image, workshop.depot, usb=folder / "a.img", iso=folder / "a.iso", pxe=folder / "tree")
    assert (folder / "a.img").read_bytes() == alone


@pytest.mark.parametrize("name", ["x.iso", "x.zip"])
def test_a_name_that_says_otherwise_is_refused(workshop: Workshop, name: str) -> None:
    with pytest.raises(eib.ModelError, match="suffix"):
        eib.export_usb(workshop.image, workshop.depot, workshop.target.parent / name)


def test_a_full_disk_leaves_nothing(workshop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    def fsync(_handle: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", fsync)
        with pytest.raises(eib.ExportError, match="No space left on device"):
            workshop.export()
    assert workshop.left == []


def test_a_payload_with_other_bytes_is_refused(workshop: Workshop) -> None:
    def damage(name: str, data: bytes) -> bytes:
        if not name.endswith(".vib") or "esx-base" not in name:
            return data
        members = ar_members(data)
        members["k"] = bytes([members["k"][0] ^ 1]) + members["k"][1:]
        return render_vib(members)

    damaged = edit_zip(workshop.folder / "base.zip", workshop.folder / "damaged.zip", damage)
    with eib.open_depot(damaged) as depot, pytest.raises(eib.ChecksumMismatchError):
        eib.export_usb(workshop.image, depot, workshop.target)
    assert workshop.left == []


def test_a_stick_without_uefi_loader_says_so(tmp_path: Path) -> None:
    payloads = (boot_payload("b", b"k", boot_order=10), raw_payload("mboot.c32", b"m", type="boot_com32_bios"))
    made = make_workshop(tmp_path, [small_vib("esx-base", VERSION, payloads)])
    with made.depot:
        result = made.export()
    assert [f.message for f in result.findings if f.code == "boots-as-stick"] == ["stick: UEFI no, BIOS no"]


@needs("fsck.fat", "mcopy", "mdir", "sfdisk")
def test_other_tools_find_no_fault_and_every_byte(workshop: Workshop, tmp_path: Path) -> None:
    workshop.export(kickstart=KICKSTART)
    assert "No errors detected" in run("sfdisk", "--verify", workshop.target)
    volume, copied = tmp_path / "volume.fat", tmp_path / "copied"
    volume.write_bytes(workshop.target.read_bytes()[1 << 20 :])
    run("fsck.fat", "-n", volume)
    listed = run("mdir", "-/", "-b", "-i", f"{workshop.target}@@1M", "::")
    assert {line.removeprefix("::/") for line in listed.splitlines() if not line.endswith("/")} == workshop.files.keys()
    copied.mkdir()
    run("mcopy", "-s", "-n", "-i", f"{workshop.target}@@1M", "::", copied)
    found = {path.relative_to(copied).as_posix(): path.read_bytes() for path in copied.rglob("*") if path.is_file()}
    assert {name.upper(): data for name, data in found.items()} == workshop.files
