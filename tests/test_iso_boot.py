"""The ISO boots, with BIOS and with UEFI, and every module arrives byte for byte and in order."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

import boot_harness
import pytest
from images import base_vibs, write_base_depot

import esximage_builder as eib
from esximage_builder.formats.boot_cfg import BootCfg, parse_boot_cfg
from esximage_builder.formats.iso9660_reader import open_iso

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [
    pytest.mark.boot,
    pytest.mark.skipif(
        bool(boot_harness.missing_tools()), reason=f"boot tests need: {', '.join(boot_harness.missing_tools())}"
    ),
]

VERSION = "7.0.3-0.55.20328353"


def export(work: Path, name: str, *, kernel: bytes, bios_loader: bytes, efi_image: bytes) -> Path:
    depot_path, iso = work / f"{name}.zip", work / f"{name}.iso"
    vibs = base_vibs(VERSION, kernel=kernel, bios_loader=bios_loader, efi_image=efi_image)
    write_base_depot(depot_path, VERSION, vibs)
    with eib.open_depot(depot_path) as depot:
        image = eib.compose(depot.catalog, base_image=VERSION)
        eib.export_iso(image, depot, iso)
    return iso


def read_boot_cfg(iso: Path) -> tuple[BootCfg, bytes]:
    with open_iso(iso, where=str(iso), limits=eib.ReadLimits()) as disc:
        data = disc.read("BOOT.CFG", max_bytes=1 << 20)
        assert data == disc.read("EFI/BOOT/BOOT.CFG", max_bytes=1 << 20)
    return parse_boot_cfg(data, where="BOOT.CFG"), data


@pytest.fixture(scope="module")
def bootable_iso(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An ISO whose loaders carry the script that its own boot.cfg asks for."""
    work = tmp_path_factory.mktemp("boot")
    kernel = boot_harness.compile_kernel(work)
    draft = export(work, "draft", kernel=kernel, bios_loader=bytes(4096), efi_image=bytes(1 << 20))
    _, boot_cfg = read_boot_cfg(draft)
    script = boot_harness.grub_script(boot_cfg.decode())
    iso = export(
        work,
        "final",
        kernel=kernel,
        bios_loader=boot_harness.make_bios_loader(script, work),
        efi_image=boot_harness.make_efi_image(script, work),
    )
    assert read_boot_cfg(iso)[1] == boot_cfg
    return iso


@pytest.mark.parametrize("firmware", ["bios", "uefi"])
def test_every_module_of_boot_cfg_arrives(bootable_iso: Path, firmware: boot_harness.Firmware, tmp_path: Path) -> None:
    boot_cfg, _ = read_boot_cfg(bootable_iso)
    with open_iso(bootable_iso, where="iso", limits=eib.ReadLimits()) as disc:
        expected = []
        for module in boot_cfg.modules:
            data = disc.read(module.file_name.strip("/").upper(), max_bytes=1 << 30)
            expected.append((module.file_name, len(data), zlib.crc32(data)))

    result = boot_harness.boot_iso(bootable_iso, firmware=firmware, work=tmp_path)

    assert len(expected) > 12
    assert [tuple(module) for module in result.modules] == expected
    assert result.kernel_cmdline.startswith("/b.b00 cdromBoot runweasel")
