"""Stories S15 (export zip) and S16 (export ISO), each told once from end to end."""

from __future__ import annotations

import hashlib
import zipfile
from typing import TYPE_CHECKING

import pytest

import esximage_builder as eib
from esximage_builder.containers.iso9660_reader import open_iso
from esximage_builder.documents.boot_cfg import parse_boot_cfg
from esximage_builder.documents.depot_index import parse_index

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

BASE = "VMware-ESXi-7.0U3g-20328353-depot.zip"
ADD_ON = "ACME-ESXi-Addon-703.20328353.A09-depot.zip"
BOUND = 1 << 24


@pytest.fixture
def opened(depots: Path) -> Iterator[tuple[eib.Depot, eib.Image]]:
    with eib.open_depot(depots / BASE, depots / ADD_ON) as depot:
        image = eib.compose(depot.catalog, base_image="7.0U3g", add_on=("ACME-AddOn", "703.20328353.A09"))
        yield depot, image


def test_s15_a_bundle_is_what_vlcm_wants(opened: tuple[eib.Depot, eib.Image], tmp_path: Path) -> None:
    depot, image = opened
    first, second = tmp_path / "first.zip", tmp_path / "second.zip"
    eib.export_bundle(image, depot, first)
    eib.export_bundle(image, depot, second)

    assert first.read_bytes() == second.read_bytes()
    assert eib.verify_bundle(first, kind="vlcm").is_passed
    with zipfile.ZipFile(first) as archive:
        (vendor,) = parse_index(archive.read("index.xml"), where="index.xml", max_bytes=BOUND)
    assert (len(vendor.code), vendor.code.isalnum()) == (3, True)
    with eib.open_depot(first) as again:
        assert all(vib.file is not None and len(vib.file.sha256) == 64 for vib in again.catalog.vibs)
        assert image.spec is not None
        assert eib.compose(again.catalog, image.spec).digest == image.digest


def test_s15_the_verifier_names_the_missing_vendor_block(opened: tuple[eib.Depot, eib.Image], tmp_path: Path) -> None:
    """A bundle of the esxcli kind has no vendor block that vLCM would take."""
    depot, image = opened
    good, bad = tmp_path / "good.zip", tmp_path / "bad.zip"
    eib.export_bundle(image, depot, good)
    with zipfile.ZipFile(good) as source, zipfile.ZipFile(bad, "w") as target:
        for member in source.infolist():
            is_index = member.filename == "index.xml"
            target.writestr(member, b"<vendorList/>" if is_index else source.read(member))

    verification = eib.verify_bundle(bad, kind="vlcm")

    assert not verification.is_passed
    assert "vendor-missing" in {finding.code for finding in verification.findings}


def test_s16_a_disc_boots_installs_unattended_and_is_the_same_twice(
    opened: tuple[eib.Depot, eib.Image], tmp_path: Path
) -> None:
    depot, image = opened
    script = b"vmaccepteula\ninstall --firstdisk --overwritevmfs\nreboot\n"
    first, second = tmp_path / "first.iso", tmp_path / "second.iso"
    eib.export_iso(image, depot, first, kickstart=script)
    eib.export_iso(image, depot, second, kickstart=script)

    assert first.read_bytes() == second.read_bytes()
    assert eib.verify_iso(first).is_passed
    with open_iso(first, where="disc", limits=eib.ReadLimits()) as disc:
        assert [entry.platform for entry in disc.boot_entries] == ["bios", "efi"]
        texts = {path: disc.read(path, max_bytes=BOUND) for path in ("BOOT.CFG", "EFI/BOOT/BOOT.CFG")}
        assert len(set(texts.values())) == 1
        boot_cfg = parse_boot_cfg(texts["BOOT.CFG"], where="BOOT.CFG")
        assert boot_cfg.kernelopt == "cdromBoot runweasel ks=cdrom:/KS_CUST.CFG"
        assert disc.read("KS_CUST.CFG", max_bytes=BOUND) == script
        loaded = [boot_cfg.kernel, *(module.file_name for module in boot_cfg.modules)]
        modules = eib.boot_modules(image)
        assert loaded[: len(modules)] == [f"/{module.local_name}" for module in modules]
        for module in modules:
            data = disc.read(module.local_name.upper(), max_bytes=BOUND)
            assert hashlib.sha256(data).hexdigest() == module.payload.checksum("sha-256")


def test_s16_a_damaged_payload_writes_nothing(depots: Path, tmp_path: Path) -> None:
    """One flipped bit in a stored VIB: refused, and no file appears."""
    data = bytearray((depots / BASE).read_bytes())
    with zipfile.ZipFile(depots / BASE) as archive:
        name = next(member for member in archive.namelist() if "/ntg3/" in member)
        vib = archive.read(name)
    data[data.index(vib) + len(vib) - 40] ^= 1
    broken = tmp_path / "broken.zip"
    broken.write_bytes(data)

    with eib.open_depot(broken) as depot, pytest.raises(eib.ChecksumMismatchError):
        eib.export_iso(eib.compose(depot.catalog, base_image="7.0U3g"), depot, tmp_path / "out.iso")

    assert sorted(path.name for path in tmp_path.iterdir()) == ["broken.zip"]
