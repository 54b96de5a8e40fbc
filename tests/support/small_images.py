"""Small images made in code, for tests that need bytes of their own rather than the fixtures."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from esximage_builder.authoring.component import author_component
from esximage_builder.authoring.depot import write_authored_depot
from esximage_builder.authoring.release_unit import author_base_image
from esximage_builder.authoring.vib import (
    AuthoredPayload,
    AuthoredVib,
    author_vib,
    boot_payload,
    raw_payload,
    tgz_payload,
    vgz_payload,
)
from esximage_builder.documents.depot_index import MetadataEntry
from esximage_builder.models.vib import SoftwarePlatform, Vib
from esximage_builder.versions import BaseImageVersion, ComponentVersion, VibVersion
from esximage_builder.vocabulary import AcceptanceLevel, Platform, VibType

if TYPE_CHECKING:
    from pathlib import Path

RELEASED = datetime(2022, 9, 1, tzinfo=UTC)


def small_vib(
    name: str,
    version: str,
    payloads: tuple[AuthoredPayload, ...],
    *,
    vendor: str = "ACM",
    vib_type: str = VibType.BOOTBANK.value,
    overlay: bool = False,
    software_platforms: tuple[SoftwarePlatform, ...] = (),
) -> AuthoredVib:
    vib = Vib(
        type=vib_type,
        name=name,
        version=VibVersion(version),
        vendor=vendor,
        summary=name,
        released_at=RELEASED,
        acceptance_level=AcceptanceLevel.COMMUNITY,
        overlay=overlay,
        software_platforms=software_platforms,
    )
    return author_vib(vib, payloads, unsigned=True)


DPU_VIB = small_vib(
    "for-dpus",
    "1.0-1",
    (vgz_payload("fordpus", {"usr/lib/fordpus": b"for data processing units"}),),
    software_platforms=(SoftwarePlatform("8.0", Platform.DPU.value),),
)
"""A VIB that a disc before 8.0 has no place for."""


def base_vibs(
    version: str,
    *,
    kernel: bytes,
    bios_loader: bytes | None,
    efi_image: bytes | None,
    module_bytes: int = 600,
    efi_loader: bytes | None = None,
) -> list[AuthoredVib]:
    """A base that boots: kernel and modules in esx-base, some drivers, one overlay, one locker VIB."""

    def noise(name: str, count: int = module_bytes) -> bytes:
        seed = sum(name.encode())
        return bytes((seed + index * index) & 0xFF for index in range(count))

    loaders = [
        raw_payload(name, data, type=kind)
        for name, data, kind in (
            ("isolinux.bin", bios_loader, "boot_iso_bios"),
            ("efiboot.img", efi_image, "eltorito_image_efi"),
        )
        if data is not None
    ]
    esx_base = small_vib(
        "esx-base",
        version,
        (
            boot_payload("b", kernel, boot_order=10),
            boot_payload("jumpstrt", noise("jumpstrt"), boot_order=47, vfat_name="jumpstrt.gz"),
            boot_payload("k", noise("k", 70_000), boot_order=50),
            *(vgz_payload(name, {f"bin/{name}": noise(name)}, boot_order=100) for name in ("s", "sb", "vim", "vmx")),
            vgz_payload("btldr", {"usr/lib/btldr": noise("btldr")}),
            raw_payload("mboot.c32", noise("mboot"), type="boot_com32_bios"),
            raw_payload("BOOTx64.EFI", efi_loader or noise("bootx64"), type="boot_loader_efi"),
            raw_payload("safeboot.efi", noise("safeboot"), type="boot_loader_efi"),
            raw_payload("osl.txt", b"An invented licence.\n", type="text"),
            raw_payload("precheck.py", b"print('invented')\n", type="upgrade"),
            *loaders,
        ),
        vendor="VMware",
    )
    drivers = [
        small_vib(
            name,
            f"1.0-1vmw.{version.partition('-')[0].replace('.', '')}.0.1",
            (vgz_payload(payload, {f"drv/{name}": noise(name)}),),
        )
        for name, payload in (
            ("lsi-msgpt2", "lsi-msgp"),
            ("lsi-msgpt3", "lsi-msgp"),
            ("odd-driver", "odd.name"),
            ("long-driver", "longdriver.x"),
        )
    ]
    overlay = small_vib(
        "esx-xserver", version, (vgz_payload("xorg", {"bin/X": noise("X")}),), vendor="VMware", overlay=True
    )
    tools = small_vib(
        "tools-light",
        "12.0.0-1",
        (tgz_payload("tools", {"tools/readme": noise("tools")}),),
        vendor="VMware",
        vib_type=VibType.LOCKER.value,
    )
    return [esx_base, *drivers, overlay, tools]


def write_base_depot(target: Path, version: str, vibs: list[AuthoredVib], *, overwrite: bool = False) -> None:
    """A depot with one base image; every VIB is a component of its own, esx-base's is ESXi."""
    components = [
        author_component(
            "ESXi" if authored.vib.name == "esx-base" else f"Acme-{authored.vib.name}",
            ComponentVersion(authored.vib.version.text),
            vibs=[authored.vib],
            vendor="Acme",
            summary=authored.vib.name,
            released_at=RELEASED,
        )
        for authored in vibs
    ]
    unit = author_base_image(
        BaseImageVersion(version),
        components,
        display_version=f"invented - {version.rpartition('.')[2]}",
        released_at=RELEASED,
        acceptance_level=AcceptanceLevel.COMMUNITY,
    )
    write_authored_depot(
        target,
        vibs,
        vendor_name="Acme",
        vendor_code="ACM",
        products=[MetadataEntry(version="7.0")],
        timestamp=RELEASED,
        bulletins=components,
        units=[unit],
        overwrite=overwrite,
    )
