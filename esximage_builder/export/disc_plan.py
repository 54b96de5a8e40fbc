"""Planning an installer disc or network boot tree: which file stands where, and its bytes' source.

Everything that can be known without the payloads' bytes is decided here, so that writing
is one pass over the VIBs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, final

import attrs

from esximage_builder.codes import make_finding
from esximage_builder.disc_files import (
    BIOS_BOOT,
    BOOT_CATALOG,
    BOOT_CFG,
    DPU_DEPOT,
    EFI_BOOT,
    EFI_FOLDER,
    EFI_LOADER,
    ISOLINUX_CFG,
    KICKSTART_FILE,
    NETWORK_EFI_LOADER,
    PXELINUX,
    PXELINUX_FOLDER,
    RESERVED_VIBS,
    SYSLINUX_CFG,
    UPGRADE_FOLDER,
)
from esximage_builder.errors import IncompatibleImageError, ModelError
from esximage_builder.export.boot_findings import check_boot
from esximage_builder.export.boot_texts import boot_texts
from esximage_builder.export.disc_archives import Archive, PayloadKey, disc_archives, upgrade_texts
from esximage_builder.export.written_profile import image_profile
from esximage_builder.models.fields import as_tuple
from esximage_builder.rules.boot_layout import (
    BootModule,
    boot_modules,
    disc_names,
    generation_of,
    local_names,
    volume_label,
)
from esximage_builder.vocabulary import INSTALLER_PAYLOADS, PayloadType

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from esximage_builder.documents.vib_archive import VibHead
    from esximage_builder.export.disc_options import DiscOptions
    from esximage_builder.findings import Finding
    from esximage_builder.models.image import Image
    from esximage_builder.models.vib import Payload

__all__ = ["DiscPlan", "files_to_know", "plan_disc"]

# What other files at the root of a disc may not be called, folders included.
_FIXED_NAMES = tuple(
    name.partition("/")[0].lower()
    for name in (
        BOOT_CFG, BOOT_CATALOG, ISOLINUX_CFG, BIOS_BOOT, EFI_BOOT, KICKSTART_FILE, EFI_FOLDER, UPGRADE_FOLDER,
    )
)  # fmt: skip
_EFI_ON_DISC = frozenset({"bootx64.efi", "bootia32.efi", "crypto64.efi"})
_UPGRADE_ON_DISC = frozenset({"esximage.zip", "metadata.xml", "precheck.py", "prep.py"})


@final
@attrs.frozen(kw_only=True)
class DiscPlan:
    """An installer disc, ready to be written.

    Attributes:
        volume_id: The disc's label.
        timestamp: Date of everything on it.
        texts: Pairs of path and content of what is generated.
        payload_paths: Where each payload stands that has a file of its own.
        archives: The generated archives, in the order of ``modules=``.
        bios_boot: Path of the BIOS loader; None if the image has none.
        efi_boot: Path of the UEFI loader image; None if the image has none.
        with_stick: Have a partition entry over the UEFI loader image.
        findings: What is worth a line in the report.
    """

    volume_id: str
    timestamp: datetime
    texts: tuple[tuple[str, bytes], ...] = attrs.field(converter=as_tuple)
    payload_paths: Mapping[PayloadKey, str]
    archives: tuple[Archive, ...] = attrs.field(converter=as_tuple)
    bios_boot: str | None
    efi_boot: str | None
    with_stick: bool = False
    findings: tuple[Finding, ...] = attrs.field(default=(), converter=as_tuple)


def files_to_know(image: Image, options: DiscOptions) -> frozenset[str]:
    """Return the ids of the VIBs whose size and SHA-256 a plan needs.

    These are the ones that stand on the disc as a whole, and the ones that the upgrade folder states.
    """
    archives = generation_of(image.esxi_version).archives
    stated = image.host_vibs if _has_upgrade_folder(options) else ()
    reserved = [entry.vib for entry in image.reserved_vibs if RESERVED_VIBS.lower() in archives]
    units = [entry.vib for entry in image.vibs if not entry.vib.is_for_host and DPU_DEPOT.lower() in archives]
    return frozenset(vib.id for vib in (*stated, *reserved, *units))


def _has_upgrade_folder(options: DiscOptions) -> bool:
    return options.with_installer and not options.is_network


def plan_disc(image: Image, heads: Mapping[str, VibHead], options: DiscOptions, *, timestamp: datetime) -> DiscPlan:
    """Plan the disc of an image; a function of values.

    Args:
        image: What to write; the VIBs that ``files_to_know`` names know their files.
        heads: Descriptor and signature of each installed host VIB, by id.
        options: What the caller chose.
        timestamp: Date of everything on it.

    Raises:
        IncompatibleImageError: The image has no kernel, and what is written here must boot.
        ModelError: The options contradict each other, or the file of a VIB is not known.
    """
    modules = _modules(image, options)
    generation = generation_of(image.esxi_version)
    taken = [*_FIXED_NAMES, *generation.archives]
    taken += [name.lower() for name in (NETWORK_EFI_LOADER, PXELINUX, PXELINUX_FOLDER) if options.is_network]
    taken += [SYSLINUX_CFG.lower()] if options.is_stick else []
    placed = _loader_paths(image, options, taken=tuple(taken))
    taken += [path.lower() for path in placed.values() if "/" not in path]
    names = disc_names([module.local_name for module in modules], taken=taken)
    module_paths = {
        (module.vib.id, module.payload.name): name.upper() for module, name in zip(modules, names, strict=True)
    }
    profile_names = local_names(image.host_vibs) | {key: path.lower() for key, path in module_paths.items()}
    profile = image_profile(image, image.host_vibs, timestamp=timestamp, names=profile_names)
    texts = boot_texts(image, names, options, loaders=frozenset(placed.values()))
    if _has_upgrade_folder(options):
        texts += upgrade_texts(image, profile, timestamp)
    archives = disc_archives(
        image, profile, heads, timestamp=timestamp, archive_names=generation.archives, names=profile_names
    )
    on_disc = [path for path, _ in texts] + [*placed.values(), *module_paths.values(), *(a.path for a in archives)]
    return DiscPlan(
        volume_id=volume_label(image.name),
        timestamp=timestamp,
        texts=texts,
        payload_paths=placed | module_paths,
        archives=archives,
        bios_boot=BIOS_BOOT if BIOS_BOOT in placed.values() else None,
        efi_boot=EFI_BOOT if EFI_BOOT in placed.values() else None,
        with_stick=options.with_stick,
        findings=[
            *_mapped_names(modules, names),
            *_left_out(image, generation.archives),
            *check_boot(options, on_disc, has_efi=(EFI_LOADER if options.is_stick else EFI_BOOT) in placed.values()),
        ],
    )


def _modules(image: Image, options: DiscOptions) -> list[BootModule]:
    """Return what the boot loader loads, in order; the first is a kernel, whatever errors were waived."""
    if options.kickstart_place is not None and not options.with_installer:
        raise ModelError(
            "a kickstart file is nothing without the installer that reads it",
            found="kickstart file, without installer",
            hint="leave one of the two out",
        )
    modules = [
        module
        for module in boot_modules(image)
        if options.with_installer or module.payload.name not in INSTALLER_PAYLOADS
    ]
    if not modules or modules[0].payload.type != PayloadType.BOOT:
        finding = make_finding(
            "no-bootable-base",
            "no VIB of the image carries a kernel",
            items=(image.name,),
            facts={"image": image.name},
            cause="none of its host VIBs has a payload of type boot that could come first",
            remedy="start from a base image, or write an offline bundle, which need not boot",
        )
        raise IncompatibleImageError(
            f"the image {image.name} has no kernel and would not boot, nothing is written",
            findings=[finding],
            found=modules[0].local_name if modules else "no module at all",
            expected="a payload of type boot as the first module",
            hint=finding.remedy,
        )
    return modules


def _loader_paths(image: Image, options: DiscOptions, *, taken: tuple[str, ...]) -> dict[PayloadKey, str]:
    """Return the path of every boot loader, text and upgrade payload that keeps its real name.

    The base VIB's come first: no other VIB brings a loader in its place.
    """
    paths: dict[PayloadKey, str] = {}
    used: set[str] = set()
    base = image.base_vib
    for vib in sorted(image.host_vibs, key=lambda vib: vib != base):
        for payload in vib.payloads:
            path = _real_path(payload, taken=taken)
            if path and path not in used and _is_wanted(path, options):
                used.add(path)
                paths[vib.id, payload.name] = path
    return paths


def _is_wanted(path: str, options: DiscOptions) -> bool:
    """Tell whether this kind of tree has the file: only discs have El Torito loaders and an upgrade folder."""
    is_upgrade = path.startswith(f"{UPGRADE_FOLDER}/")
    if path in (BIOS_BOOT, EFI_BOOT):
        return options.is_disc
    if options.is_network:
        return not is_upgrade
    return options.with_installer or not is_upgrade


def _real_path(payload: Payload, *, taken: tuple[str, ...]) -> str:
    name = payload.name.lower()
    if payload.type == PayloadType.BOOT_ISO_BIOS:
        return BIOS_BOOT
    if payload.type == PayloadType.ELTORITO_IMAGE_EFI:
        return EFI_BOOT
    if payload.type == PayloadType.BOOT_LOADER_EFI and name in _EFI_ON_DISC:
        return f"{EFI_FOLDER}/{name.upper()}"
    if payload.type == PayloadType.UPGRADE and name in _UPGRADE_ON_DISC:
        return f"{UPGRADE_FOLDER}/{name.upper()}"
    is_com32 = payload.type == PayloadType.BOOT_COM32_BIOS and name.endswith(".c32")
    if is_com32 or payload.type == PayloadType.TEXT:
        return disc_names([name], taken=taken)[0].upper()
    return ""


def _left_out(image: Image, archives: tuple[str, ...]) -> list[Finding]:
    """Name the VIBs for data processing units that a disc of this generation has no archive for."""
    ids = tuple(entry.vib.id for entry in image.vibs if not entry.vib.is_for_host)
    if not ids or DPU_DEPOT.lower() in archives:
        return []
    return [
        make_finding(
            "dpu-vibs-left-out",
            f"{len(ids)} VIBs for data processing units are not on the disc",
            items=ids,
            cause="discs before 8.0 have no place for them",
            remedy="take the offline bundle where they are needed",
        )
    ]


def _mapped_names(modules: list[BootModule], names: tuple[str, ...]) -> list[Finding]:
    return [
        make_finding(
            "local-name-mapped",
            f"{module.local_name} of {module.vib.id} stands on the disc as {name.upper()}",
            items=(module.vib.id, module.payload.name, name),
            facts={"vib": module.vib.id, "payload": module.payload.name, "name_on_disc": name},
            cause="its local name is no legal 8.3 file name, or another payload has it",
        )
        for module, name in zip(modules, names, strict=True)
        if module.local_name != name
    ]
