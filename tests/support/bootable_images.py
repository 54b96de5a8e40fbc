"""Images that boot in QEMU, made of small depots: as a disc and as a network boot tree.

What must arrive is read back from what was written.
"""

from __future__ import annotations

import gzip
import zlib
from types import MappingProxyType
from typing import TYPE_CHECKING

from support import boot_harness
from support.boot_cfg_reader import named_files
from support.small_images import base_vibs, write_base_depot

import esximage_builder as eib
from esximage_builder.containers.fat32_reader import open_stick
from esximage_builder.containers.iso9660_reader import open_iso

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

KICKSTART = b"vmaccepteula\ninstall --firstdisk --overwritevmfs\nrootpw --iscrypted x\nreboot\n"
_MOST_BYTES = 1 << 30


def bootable_iso(
    work: Path, version: str, *, kickstart: bytes | None = None, kickstart_address: str | None = None
) -> Path:
    """An ISO whose loaders carry the script that its own boot.cfg asks for."""
    kernel = boot_harness.compile_kernel(work)

    def write(name: str, bios_loader: bytes, efi_image: bytes) -> Path:
        iso = work / f"{name}.iso"
        depot = _depot(work / f"{name}.zip", version, kernel=kernel, bios_loader=bios_loader, efi_image=efi_image)
        _compose(
            depot,
            version,
            lambda image, store: eib.export_iso(
                image, store, iso, kickstart=kickstart, kickstart_address=kickstart_address
            ),
        )
        return iso

    boot_cfg = read_from(write("draft", bytes(4096), bytes(1 << 20)), "BOOT.CFG")
    script = boot_harness.grub_script(boot_cfg.decode())
    iso = write("final", boot_harness.make_bios_loader(script, work), boot_harness.make_efi_image(script, work))
    assert read_from(iso, "BOOT.CFG") == read_from(iso, "EFI/BOOT/BOOT.CFG") == boot_cfg
    return iso


def bootable_stick(work: Path, version: str, *, kickstart: bytes | None = None) -> Path:
    """A stick image whose UEFI loader carries the script that its own boot.cfg asks for."""
    kernel = boot_harness.compile_kernel(work)

    def write(name: str, efi_loader: bytes) -> Path:
        stick = work / f"{name}.img"
        depot = _depot(
            work / f"{name}.zip", version, kernel=kernel, bios_loader=bytes(4096), efi_image=bytes(4096),
            efi_loader=efi_loader,
        )  # fmt: skip
        _compose(depot, version, lambda image, store: eib.export_usb(image, store, stick, kickstart=kickstart))
        return stick

    script = boot_harness.grub_script(read_from_stick(write("draft", bytes(4096)), "BOOT.CFG").decode())
    return write("final", boot_harness.make_efi_loader(script, work))


def network_tree(
    work: Path,
    version: str,
    *,
    prefix: str = "",
    kickstart: bytes | None = None,
    kickstart_address: str | None = None,
    hosts: Mapping[str, str] = MappingProxyType({}),
) -> Path:
    """A network boot tree with the test kernel; the harness puts its loaders in."""
    kernel = boot_harness.compile_kernel(work)
    depot = _depot(work / "depot.zip", version, kernel=kernel, bios_loader=bytes(4096), efi_image=bytes(4096))
    tree = work / "tree"

    def write(image: eib.Image, store: eib.Depot) -> eib.ExportResult:
        return eib.export_pxe(
            image, store, tree, prefix=prefix, kickstart=kickstart, kickstart_address=kickstart_address, hosts=hosts
        )

    _compose(depot, version, write)
    return tree


def _depot(
    path: Path, version: str, *, kernel: bytes, bios_loader: bytes, efi_image: bytes, efi_loader: bytes | None = None
) -> Path:
    vibs = base_vibs(version, kernel=kernel, bios_loader=bios_loader, efi_image=efi_image, efi_loader=efi_loader)
    write_base_depot(path, version, vibs)
    return path


def _compose(depot_path: Path, version: str, write: Callable[[eib.Image, eib.Depot], eib.ExportResult]) -> None:
    with eib.open_depot(depot_path) as depot:
        write(eib.compose(depot.catalog, base_image=version), depot)


def read_from(iso: Path, name: str) -> bytes:
    with open_iso(iso, where=str(iso), limits=eib.ReadLimits()) as disc:
        return disc.read(name, max_bytes=_MOST_BYTES)


def read_from_stick(stick: Path, name: str) -> bytes:
    with open_stick(stick, where=str(stick), limits=eib.ReadLimits()) as opened:
        return opened.read(name, max_bytes=_MOST_BYTES)


def arrivals_from_stick(stick: Path) -> list[boot_harness.BootModule]:
    """What boot.cfg names, as it lies on the stick."""
    names = named_files(read_from_stick(stick, "BOOT.CFG").decode())
    return [_arrival(name, read_from_stick(stick, name.strip("/").upper())) for name in names]


def arrivals_from_disc(iso: Path) -> list[boot_harness.BootModule]:
    """What boot.cfg names, as it lies on the disc."""
    names = named_files(read_from(iso, "BOOT.CFG").decode())
    return [_arrival(name, read_from(iso, name.strip("/").upper())) for name in names]


def arrivals_from_tree(tree: Path) -> list[boot_harness.BootModule]:
    """What boot.cfg names, as it lies beside it."""
    names = named_files((tree / "boot.cfg").read_text())
    return [_arrival(name, (tree / name).read_bytes()) for name in names]


def unpacked_arrivals(medium: Path) -> list[boot_harness.BootModule]:
    """What arrives of a tree or stick where Syslinux hands it over, which unpacks what is in gzip form."""

    def read(name: str) -> bytes:
        if medium.is_dir():
            return (medium / name).read_bytes()
        return read_from_stick(medium, name.strip("/").upper())

    contents = ((name, read(name)) for name in named_files(read("boot.cfg").decode()))
    return [_arrival(name, gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data) for name, data in contents]


def _arrival(name: str, data: bytes) -> boot_harness.BootModule:
    return name, len(data), zlib.crc32(data)
