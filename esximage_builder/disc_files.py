"""Names of the files on installer discs, as they stand there: in upper case, folders before them.

A network boot tree has the same names in lower case, and ``boot.cfg`` names the archives so.

Source: docs/formats.md#disc-layout, docs/formats.md#network-boot.
"""

from __future__ import annotations

__all__ = [
    "BIOS_BOOT",
    "BIOS_LOADER",
    "BOOT_CATALOG",
    "BOOT_CFG",
    "DPU_DEPOT",
    "EFI_BOOT",
    "EFI_BOOT_CFG",
    "EFI_FOLDER",
    "EFI_LOADER",
    "IMAGE_DATABASE",
    "IPXE_SCRIPT",
    "ISOLINUX_CFG",
    "KICKSTART_FILE",
    "MISCELLANEOUS",
    "NETWORK_EFI_LOADER",
    "PAYLOAD_ARCHIVE",
    "PXELINUX",
    "PXELINUX_FOLDER",
    "RESERVED_VIBS",
    "SYSLINUX_CFG",
    "UPGRADE_FOLDER",
    "UPGRADE_METADATA",
    "UPGRADE_PROFILE",
]

EFI_FOLDER = "EFI/BOOT"
UPGRADE_FOLDER = "UPGRADE"
UPGRADE_PROFILE = f"{UPGRADE_FOLDER}/PROFILE.XML"
UPGRADE_METADATA = f"{UPGRADE_FOLDER}/METADATA.ZIP"

BOOT_CATALOG = "BOOT.CAT"
BIOS_BOOT = "ISOLINUX.BIN"
EFI_BOOT = "EFIBOOT.IMG"
ISOLINUX_CFG = "ISOLINUX.CFG"
SYSLINUX_CFG = "SYSLINUX.CFG"
"""What a stick has in place of ``ISOLINUX.CFG``, for those who put a BIOS loader on it."""
BIOS_LOADER = "MBOOT.C32"
EFI_LOADER = f"{EFI_FOLDER}/BOOTX64.EFI"
NETWORK_EFI_LOADER = "MBOOT.EFI"
"""What a network boot tree calls its copy of the UEFI loader, which stands beside ``boot.cfg``."""
IPXE_SCRIPT = "BOOT.IPXE"
PXELINUX = "PXELINUX.0"
"""What loads ``mboot.c32`` from the network; whoever needs it puts it beside, no VIB carries it."""
PXELINUX_FOLDER = "PXELINUX.CFG"

BOOT_CFG = "BOOT.CFG"
EFI_BOOT_CFG = f"{EFI_FOLDER}/BOOT.CFG"
KICKSTART_FILE = "KS_CUST.CFG"

IMAGE_DATABASE = "IMGDB.TGZ"
MISCELLANEOUS = "BASEMISC.TGZ"
RESERVED_VIBS = "RESVIBS.TGZ"
DPU_DEPOT = "ESXIODPT.TGZ"
PAYLOAD_ARCHIVE = "IMGPAYLD.TGZ"
