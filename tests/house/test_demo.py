"""The demo does the main job from a checkout, and says what it did."""

from __future__ import annotations

import re
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from support.changed_depots import ROOT, clean_environment

import esximage_builder as eib
from esximage_builder.containers.iso9660_reader import open_iso

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The folder in which the demo ran, and what it said."""
    folder = tmp_path_factory.mktemp("demo")
    done = subprocess.run(
        [sys.executable, str(ROOT / "fixtures" / "demo.py")],
        cwd=folder,
        env=clean_environment(),
        capture_output=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, b"")
    return folder, done.stdout.decode()


def test_the_demo_writes_a_disc_and_a_bundle_and_nothing_else(demo: tuple[Path, str]) -> None:
    folder, _ = demo
    assert [path.name for path in folder.iterdir()] == ["demo-output"]
    assert sorted(path.name for path in (folder / "demo-output").iterdir()) == ["custom.iso", "custom.zip"]


def test_the_demo_says_what_the_image_is(demo: tuple[Path, str]) -> None:
    _, said = demo
    lines = said.splitlines()
    assert lines[0] == "ESXi-7.0U3g-20328353-ACME-AddOn-703.20328353.A08"
    cells = [re.split(" {2,}", line.strip()) for line in lines]
    assert ["base image", "ESXi", "7.0.3-0.55.20328353", "7.0 U3g - 20328353"] in cells
    assert ["add-on", "ACME-AddOn", "703.20328353.A08", "703.20328353.A08"] in cells
    assert ["Acceptance level", "PartnerSupported"] in cells
    old, new = "216.0.50.0-44vmw.703.0.50.20036589 (base image)", "222.0.118.0-1OEM.700.1.0.15843807"
    assert ["Broadcom-bnxt-Net-RoCE", new, "add-on", old] in cells
    assert ["HPE-hpv2-hpsa-plugin", "the add-on", "1.0.0-3vmw.703.0.20.19193900 (base image)"] in cells
    assert "  No findings." in lines


def test_the_demo_reads_both_files_back(demo: tuple[Path, str]) -> None:
    """What it says is true of the files it left."""
    folder, said = demo
    bundle, iso = folder / "demo-output" / "custom.zip", folder / "demo-output" / "custom.iso"
    with eib.open_depot(bundle) as depot:
        count = len(depot.catalog.vibs)
    with open_iso(iso, where="disc", limits=eib.ReadLimits()) as disc:
        files, volume_id = len(disc.files), disc.volume_id

    assert f"bundle read back: {count} VIBs, image digest equal: True" in said
    assert f"ISO read back: volume {volume_id}, {files} files, boots with bios, efi," in said
    assert re.search(r"kernel /b\.b00, \d+ modules, build 7\.0\.3-0\.55\.20328353", said)
    for path in (bundle, iso):
        assert f"  File     demo-output/{path.name}\n  Size     {path.stat().st_size:,} bytes (" in said


def test_the_demo_needs_nothing_but_what_is_public() -> None:
    """It shows others how to; a name that only it can reach would be no help."""
    text = (ROOT / "fixtures" / "demo.py").read_text(encoding="utf-8")
    assert re.findall(r"esximage_builder[\w.]*", text) == ["esximage_builder"]


def test_the_demo_says_that_its_disc_installs_nothing(demo: tuple[Path, str]) -> None:
    """Fixtures hold no byte of VMware's: nobody shall think that this disc boots."""
    assert "has no real boot loader and installs nothing" in demo[1]
