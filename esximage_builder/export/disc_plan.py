"""Planning an installer disc: which file stands where, and where its bytes come from.

Everything that can be known without the payloads' bytes is decided here, so that writing
is one pass over the VIBs. Which archives a disc has is the generation's row in
``rules.boot_layout``; what stands in them beyond the image database is not publicly known
and marked inferred in docs/formats.md#disc-layout.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, final

import attrs

from esximage_builder.export.depot_writer import DepotContents, render_metadata, vib_relative_path, with_file_facts
from esximage_builder.export.published import image_profile, image_timestamp, release_units
from esximage_builder.findings import Finding, Severity
from esximage_builder.formats.boot_cfg import BootCfg, BootModuleLine, render_boot_cfg
from esximage_builder.formats.depot_index import MetadataEntry, VendorEntry, render_index, render_vendor_index
from esximage_builder.formats.image_database import DATABASE_ROOT, image_database_members
from esximage_builder.formats.image_profile import render_image_profile
from esximage_builder.formats.kickstart import KICKSTART_DISC_NAME, kickstart_option
from esximage_builder.models.fields import as_tuple
from esximage_builder.rules.boot_layout import BootModule, boot_modules, disc_names, generation_of, local_names
from esximage_builder.vocabulary import PayloadType, Platform

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from esximage_builder.formats.vib_archive import VibHead
    from esximage_builder.models.image import Image
    from esximage_builder.models.vib import Payload, Vib
    from esximage_builder.models.vib_store import VibStore

__all__ = ["Archive", "ArchiveMember", "DiscPlan", "PayloadKey", "plan_disc"]

PayloadKey = tuple[str, str]
"""A payload by VIB id and payload name."""

_BIOS_BOOT = "ISOLINUX.BIN"
_EFI_BOOT = "EFIBOOT.IMG"
_FIXED_NAMES = (
    "boot.cfg", "boot.cat", "isolinux.cfg", "isolinux.bin", "efiboot.img", KICKSTART_DISC_NAME.lower(),
    "efi", "upgrade",
)  # fmt: skip
_EFI_ON_DISC = frozenset({"bootx64.efi", "bootia32.efi", "crypto64.efi"})
_UPGRADE_ON_DISC = frozenset({"esximage.zip", "metadata.xml", "precheck.py", "prep.py"})
_MODULE_LIKE = frozenset({PayloadType.VGZ, PayloadType.TGZ, PayloadType.VZSTD})
_ILLEGAL_VOLUME_LETTER = re.compile(r"[^A-Z0-9_.-]")
_VOLUME_ID_LENGTH = 32


@final
@attrs.frozen(kw_only=True)
class ArchiveMember:
    """One file of a generated archive; exactly one of the last three says where its bytes are.

    Attributes:
        name: Its path in the archive.
        size_bytes: Its length.
        data: The bytes themselves.
        payload: A payload of an installed VIB.
        vib: A whole ``.vib`` file.
    """

    name: str
    size_bytes: int
    data: bytes | None = attrs.field(default=None, repr=False)
    payload: PayloadKey | None = None
    vib: Vib | None = None


@final
@attrs.frozen(kw_only=True)
class Archive:
    """A generated ``.tgz``; ``members`` are in the order to write."""

    path: str
    members: tuple[ArchiveMember, ...] = attrs.field(converter=as_tuple)


@final
@attrs.frozen(kw_only=True)
class DiscPlan:
    """An installer disc, ready to be written.

    Attributes:
        volume_id: The disc's label.
        texts: Pairs of path and content of what is generated.
        payload_paths: Where each payload stands that has a file of its own.
        archives: The generated archives, in the order of ``modules=``.
        bios_boot: Path of the BIOS loader; None if the image has none.
        efi_boot: Path of the UEFI loader image; None if the image has none.
        findings: What is worth a line in the report.
    """

    volume_id: str
    texts: tuple[tuple[str, bytes], ...] = attrs.field(converter=as_tuple)
    payload_paths: Mapping[PayloadKey, str]
    archives: tuple[Archive, ...] = attrs.field(converter=as_tuple)
    bios_boot: str | None
    efi_boot: str | None
    findings: tuple[Finding, ...] = attrs.field(default=(), converter=as_tuple)


def plan_disc(
    image: Image,
    store: VibStore,
    heads: Mapping[str, VibHead],
    *,
    kickstart: bytes | None = None,
    kernel_options: str = "",
) -> DiscPlan:
    """Plan the disc of an image.

    Args:
        image: What to write.
        store: Asked for sizes and checksums of VIBs whose depot does not tell.
        heads: Descriptor and signature of each installed host VIB, by id.
        kickstart: A kickstart file for the disc; None for none.
        kernel_options: Appended to the stock disc's options.
    """
    modules = boot_modules(image)
    generation = generation_of(image.esxi_version)
    placed = _loader_paths(image, taken=(*_FIXED_NAMES, *generation.archives))
    at_root = [path.lower() for path in placed.values() if "/" not in path]
    names = disc_names([module.local_name for module in modules], taken=(*_FIXED_NAMES, *generation.archives, *at_root))
    module_paths = {
        (module.vib.id, module.payload.name): name.upper() for module, name in zip(modules, names, strict=True)
    }
    profile_names = local_names(image.host_vibs) | {key: path.lower() for key, path in module_paths.items()}
    boot_cfg = _boot_cfg(image, names, kickstart=kickstart, kernel_options=kernel_options)
    texts = [("BOOT.CFG", boot_cfg), ("EFI/BOOT/BOOT.CFG", boot_cfg), ("ISOLINUX.CFG", _isolinux_cfg(image))]
    if kickstart is not None:
        texts.append((KICKSTART_DISC_NAME, kickstart))
    texts += _upgrade_texts(image, store, profile_names)
    makers: dict[str, Callable[[], list[ArchiveMember]]] = {
        "imgdb.tgz": lambda: _image_database(image, heads, profile_names),
        "basemisc.tgz": _no_members,
        "resvibs.tgz": lambda: _reserved_vibs(image, store),
        "esxiodpt.tgz": lambda: _dpu_depot(image, store),
        "imgpayld.tgz": lambda: _boot_payloads(image, profile_names),
    }
    return DiscPlan(
        volume_id=_volume_id(image.name),
        texts=texts,
        payload_paths=placed | module_paths,
        archives=[Archive(path=name.upper(), members=makers[name]()) for name in generation.archives],
        bios_boot=_BIOS_BOOT if _BIOS_BOOT in placed.values() else None,
        efi_boot=_EFI_BOOT if _EFI_BOOT in placed.values() else None,
        findings=_mapped_names(modules, names),
    )


def _volume_id(name: str) -> str:
    return _ILLEGAL_VOLUME_LETTER.sub("_", name.upper())[:_VOLUME_ID_LENGTH] or "ESXI"


def _loader_paths(image: Image, *, taken: tuple[str, ...]) -> dict[PayloadKey, str]:
    """Return the path of every boot loader, text and upgrade payload that keeps its real name.

    The base VIB's come first: no other VIB brings a loader in its place.
    """
    paths: dict[PayloadKey, str] = {}
    used: set[str] = set()
    base = image.base_vib
    for vib in sorted(image.host_vibs, key=lambda vib: vib != base):
        for payload in vib.payloads:
            path = _real_path(payload, taken=taken)
            if path and path not in used:
                used.add(path)
                paths[vib.id, payload.name] = path
    return paths


def _real_path(payload: Payload, *, taken: tuple[str, ...]) -> str:
    name = payload.name.lower()
    if payload.type == PayloadType.BOOT_ISO_BIOS:
        return _BIOS_BOOT
    if payload.type == PayloadType.ELTORITO_IMAGE_EFI:
        return _EFI_BOOT
    if payload.type == PayloadType.BOOT_LOADER_EFI and name in _EFI_ON_DISC:
        return f"EFI/BOOT/{name.upper()}"
    if payload.type == PayloadType.UPGRADE and name in _UPGRADE_ON_DISC:
        return f"UPGRADE/{name.upper()}"
    is_com32 = payload.type == PayloadType.BOOT_COM32_BIOS and name.endswith(".c32")
    if is_com32 or payload.type == PayloadType.TEXT:
        return disc_names([name], taken=taken)[0].upper()
    return ""


def _boot_cfg(image: Image, names: tuple[str, ...], *, kickstart: bytes | None, kernel_options: str) -> bytes:
    generation = generation_of(image.esxi_version)
    version = image.esxi_version
    options = [generation.kernelopt, kickstart_option() if kickstart is not None else "", kernel_options.strip()]
    kernel, *modules = names or ("",)
    return render_boot_cfg(
        BootCfg(
            kernel=f"/{kernel}",
            kernelopt=" ".join(option for option in options if option),
            modules=[BootModuleLine(f"/{name}") for name in (*modules, *generation.archives)],
            build=version.text if version is not None and generation.has_build else "",
        )
    )


def _isolinux_cfg(image: Image) -> bytes:
    lines = (
        "DEFAULT menu.c32",
        f"MENU TITLE {image.name} boot menu",
        "NOHALT 1",
        "PROMPT 0",
        "TIMEOUT 80",
        "LABEL install",
        "  KERNEL mboot.c32",
        "  APPEND -c boot.cfg",
        f"  MENU LABEL {image.name} ^installer",
        "LABEL hddboot",
        "  LOCALBOOT 0x80",
        "  MENU LABEL ^Boot from local disk",
    )
    return ("\n".join(lines) + "\n").encode()


def _upgrade_texts(image: Image, store: VibStore, names: Mapping[PayloadKey, str]) -> list[tuple[str, bytes]]:
    profile = image_profile(image, image.host_vibs, names=names)
    contents = DepotContents(
        vendor_name=image.vendor or "Unknown",
        vendor_code="VMW",
        products=_products(image, Platform.HOST),
        vibs=[with_file_facts(vib, store) for vib in image.host_vibs],
        bulletins=[entry.component for entry in image.components],
        profiles=[profile],
        units=release_units(image),
        timestamp=image_timestamp(image),
    )
    return [
        ("UPGRADE/PROFILE.XML", render_image_profile(profile)),
        ("UPGRADE/METADATA.ZIP", render_metadata(contents)),
    ]


def _products(image: Image, platform: Platform) -> tuple[MetadataEntry, ...]:
    version = image.esxi_version
    shown = "*" if version is None else f"{version.major}.{version.minor}"
    return (MetadataEntry(product_id=platform.value, version=shown),)


def _in_memory(name: str, data: bytes) -> ArchiveMember:
    return ArchiveMember(name=name, size_bytes=len(data), data=data)


def _image_database(image: Image, heads: Mapping[str, VibHead], names: Mapping[PayloadKey, str]) -> list[ArchiveMember]:
    members = image_database_members(
        image_profile(image, image.host_vibs, names=names),
        vibs=[(vib, heads[vib.id]) for vib in image.host_vibs],
        components=[entry.component for entry in image.components],
        reserved_components=image.reserved_components,
        units=release_units(image),
    )
    return [_in_memory(name, data) for name, data in members]


def _no_members() -> list[ArchiveMember]:
    """Return nothing: what stands in ``basemisc.tgz`` is not publicly known, stock discs always have the file."""
    return []


def _reserved_vibs(image: Image, store: VibStore) -> list[ArchiveMember]:
    vibs = [with_file_facts(entry.vib, store) for entry in image.reserved_vibs]
    return [_whole_vib(f"{DATABASE_ROOT}/reservedVibs/{vib.id}.vib", vib) for vib in vibs]


def _whole_vib(name: str, vib: Vib) -> ArchiveMember:
    size = 0 if vib.file is None else vib.file.size_bytes or 0
    return ArchiveMember(name=name, size_bytes=size, vib=vib)


def _dpu_depot(image: Image, store: VibStore) -> list[ArchiveMember]:
    """Return an unpacked depot of the VIBs for data processing units."""
    vibs = [with_file_facts(entry.vib, store) for entry in image.vibs if not entry.vib.is_for_host]
    if not vibs:
        return []
    contents = DepotContents(
        vendor_name=image.vendor or "Unknown",
        vendor_code="VMW",
        products=_products(image, Platform.DPU),
        vibs=vibs,
        timestamp=image_timestamp(image),
    )
    vendor = VendorEntry(name=contents.vendor_name, code=contents.vendor_code)
    return [
        _in_memory("index.xml", render_index((vendor,))),
        _in_memory("vendor-index.xml", render_vendor_index(contents.products)),
        _in_memory("metadata.zip", render_metadata(contents)),
        *(_whole_vib(vib_relative_path(vib), vib) for vib in vibs),
    ]


def _boot_payloads(image: Image, names: Mapping[PayloadKey, str]) -> list[ArchiveMember]:
    """Return the payloads that the installer writes to the disk itself: all that are no tardisks."""
    return [
        ArchiveMember(
            name=f"var/db/payloads/{payload.type}/{names[vib.id, payload.name]}",
            size_bytes=payload.size_bytes or 0,
            payload=(vib.id, payload.name),
        )
        for vib in image.host_vibs
        for payload in vib.payloads
        if payload.type not in _MODULE_LIKE
    ]


def _mapped_names(modules: tuple[BootModule, ...], names: tuple[str, ...]) -> list[Finding]:
    return [
        Finding(
            code="local-name-mapped",
            severity=Severity.INFO,
            message=f"{module.local_name} of {module.vib.id} stands on the disc as {name.upper()}",
            items=(module.vib.id, module.payload.name, name),
            cause="its local name is no legal 8.3 file name, or another payload has it",
        )
        for module, name in zip(modules, names, strict=True)
        if module.local_name != name
    ]
