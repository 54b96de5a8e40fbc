"""Who may bring what starts a host: boot loaders, boot menus, upgrade programs, and names of ESXi itself.

What a disc starts before ESXi checks any signature, and what it runs when it upgrades a host, comes
from the base image and from nobody else. Nor may another vendor's VIB have a core VIB's name. Of an
image without base image, the maker of the VIB that boots counts as the base image's.

Source: docs/formats.md#payloads for the types; that vendors ship none of these is inferred from
published add-ons, which have none. Where no VIB boots, nothing can be told.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from esximage_builder.codes import make_finding
from esximage_builder.rules.core_set import CORE_VIBS
from esximage_builder.vocabulary import ComponentSource

if TYPE_CHECKING:
    from collections.abc import Iterator

    from esximage_builder.findings import Finding
    from esximage_builder.models.catalog import Catalog
    from esximage_builder.models.image import Image, InstalledVib
    from esximage_builder.models.vib import Vib

__all__ = ["check_loaders"]

_STARTING = ("boot_loader", "boot_com32", "boot_iso", "boot_pxe", "boot_dd", "boot_gpxe", "eltorito", "upgrade")


def check_loaders(image: Image, _: Catalog | None) -> Iterator[Finding]:
    """Yield an error for each VIB from elsewhere that brings what starts a host, or has a core VIB's name."""
    base = image.base_vib
    vendor = "" if base is None else base.vendor
    for entry in image.vibs:
        if _is_of_base(entry, image, vendor):
            continue
        brought = [payload.name for payload in entry.vib.payloads if payload.type.startswith(_STARTING)]
        if brought:
            yield _loader(entry, brought)
    yield from (_name(entry, owner) for entry, owner in _claimed(image))


def _is_of_base(entry: InstalledVib, image: Image, vendor: str) -> bool:
    if entry.source is not None or image.base_image is not None:
        return entry.source is ComponentSource.BASE_IMAGE
    return vendor in ("", entry.vib.vendor)


def _loader(entry: InstalledVib, brought: list[str]) -> Finding:
    source = "the image profile" if entry.source is None else f"the {entry.source.display}"
    return make_finding(
        "loader-from-elsewhere",
        f"{entry.vib.id} from {source} brings {', '.join(brought)}, which a host starts or runs before it checks it",
        items=(entry.vib.id, *brought),
        facts={"vib": entry.vib.id, "component": entry.component},
        cause="boot loaders, boot menus and upgrade programs come with the base image alone",
        remedy="leave the VIB out, unless you know its maker and why it brings them",
    )


def _claimed(image: Image) -> Iterator[tuple[InstalledVib, Vib]]:
    """Yield installed VIBs with a core VIB's name that another maker's core is not, each with one of the core."""
    own = [
        entry.vib for entry in image.vibs if entry.source is ComponentSource.BASE_IMAGE and entry.vib.name in CORE_VIBS
    ]
    if not own and image.base_vib is not None:
        own = [image.base_vib]
    vendors = {vib.vendor for vib in own}
    for entry in image.vibs:
        if own and entry.vib.name in CORE_VIBS and entry.vib.vendor not in vendors:
            yield entry, own[0]


def _name(entry: InstalledVib, owner: Vib) -> Finding:
    return make_finding(
        "reserved-vib-name",
        f"{entry.vib.id} of {entry.vib.vendor} has the name of a core VIB, which comes from {owner.vendor}",
        items=(entry.vib.id, owner.id),
        facts={"vib": entry.vib.id, "component": entry.component},
        cause="names of ESXi's core are its maker's; another vendor's VIB of that name takes the place of the core",
        remedy="leave the VIB out",
    )
