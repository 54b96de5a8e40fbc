"""``esximage build``: sticks, network boot trees, and where kickstart files are looked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.changed_depots import DEPOTS, left_in

import esximage_builder as eib
from esximage_builder.containers.fat32_reader import open_stick
from esximage_builder.containers.iso9660_reader import open_iso
from esximage_builder.documents.boot_cfg import BootCfg, parse_boot_cfg

if TYPE_CHECKING:
    from pathlib import Path

    from support.command_line import Outcome, Runner

U3G = DEPOTS / "VMware-ESXi-7.0U3g-20328353-depot.zip"
MAC = "00:50:56:01:02:03"


@pytest.fixture
def kickstart(tmp_path: Path) -> Path:
    path = tmp_path / "ks.cfg"
    path.write_bytes(b"install --firstdisk\nreboot\n")
    return path


def build(run: Runner, *arguments: object) -> Outcome:
    return run("build", "--depot", U3G, "--base", "7.0U3g", *arguments)


def boot_cfg_of_stick(path: Path) -> BootCfg:
    with open_stick(path, where="stick", limits=eib.ReadLimits()) as stick:
        return parse_boot_cfg(stick.read("BOOT.CFG", max_bytes=1 << 20))


def test_a_stick_has_its_kickstart_file(run: Runner, out: Path, kickstart: Path) -> None:
    outcome = build(run, "--usb", out / "x.img", "--kickstart", kickstart, "--kernel-option", "a=b")
    assert (outcome.code, outcome.err) == (0, "")
    assert set(left_in(out)) == {"x.img"}
    assert boot_cfg_of_stick(out / "x.img").kernelopt == "runweasel ks=usb:/KS_CUST.CFG a=b"
    assert "[info] boots-as-stick: stick: UEFI yes, BIOS no" in outcome.out
    assert "[info] kickstart-needs: ks=usb:/KS_CUST.CFG needs the file on a USB stick" in outcome.out


def test_disc_stick_and_tree_look_where_they_are_told(run: Runner, out: Path, kickstart: Path) -> None:
    address = "http://server/ks.cfg"
    outcome = build(
        run, "--usb", out / "x.img", "--iso", out / "x.iso", "--pxe", out / "tree", "--kickstart", kickstart,
        "--kickstart-address", address, "--pxe-prefix", "/esxi", "--pxe-host", MAC, "ks=nfs://server/one/ks.cfg",
    )  # fmt: skip
    assert (outcome.code, outcome.err) == (0, "")
    with open_iso(out / "x.iso", where="disc", limits=eib.ReadLimits()) as disc:
        on_disc = parse_boot_cfg(disc.read("BOOT.CFG", max_bytes=1 << 20))
    own = parse_boot_cfg((out / "tree" / "01-00-50-56-01-02-03" / "boot.cfg").read_bytes())
    common = parse_boot_cfg((out / "tree" / "boot.cfg").read_bytes())
    assert on_disc.kernelopt == f"cdromBoot runweasel ks={address}"
    assert boot_cfg_of_stick(out / "x.img").kernelopt == common.kernelopt == f"runweasel ks={address}"
    assert own.kernelopt == "runweasel ks=nfs://server/one/ks.cfg"
    assert "[info] network-loaders: prefix /esxi: TFTP yes, iPXE unknown, HTTP Boot no" in outcome.out


def test_without_stick_the_disc_has_no_partition(run: Runner, out: Path) -> None:
    outcome = build(run, "--iso", out / "x.iso", "--without-stick")
    assert (outcome.code, outcome.err) == (0, "")
    assert "[info] boots-as-stick: stick: UEFI no, BIOS no" in outcome.out
    assert (out / "x.iso").read_bytes()[:512] == bytes(512)
    told = run("verify", out / "x.iso")
    assert told.code == 0
    assert "from a stick, written as it is? UEFI no, BIOS no (confirmed)" in told.out


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        pytest.param(["--pxe-host", MAC, ""], "--pxe-host goes with --pxe only", id="host without tree"),
        pytest.param(
            ["--pxe", "tree", "--pxe-prefix", "/x", "--pxe-host", MAC, "a", "--pxe-host", MAC, "b"],
            "a MAC address is there twice",
            id="host twice",
        ),
        pytest.param(["--pxe", "tree", "--pxe-host", MAC, "a"], "need a prefix", id="host without prefix"),
        pytest.param(["--usb", "x.img", "--kickstart-address", "tftp://s/ks"], "no kickstart file by TFTP", id="tftp"),
        pytest.param(["--usb", "x.iso"], "another kind of file", id="suffix"),
        pytest.param(["--usb", "x.img", "--iso", "x.img"], "--iso and --usb name one file", id="one place"),
    ],
)
def test_what_cannot_be_meant_is_refused(
    run: Runner, out: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], says: str
) -> None:
    monkeypatch.chdir(out)
    outcome = build(run, *arguments)
    assert outcome.code == 2
    assert says in outcome.err
    assert not left_in(out)


def test_a_stick_is_no_depot_and_says_what_it_is(run: Runner, out: Path) -> None:
    assert build(run, "--usb", out / "x.img").code == 0
    outcome = run("verify", out / "x.img")
    assert outcome.code == 2
    assert "found: stick image" in outcome.err
    assert "the ISO that it was made of" in outcome.err
