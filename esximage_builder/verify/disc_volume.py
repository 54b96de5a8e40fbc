"""Does a disc say one thing, whoever reads it? Descriptors, directories, path tables and boot catalog.

Source: docs/verify.md#a-disc-that-says-two-things.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from esximage_builder.codes import make_finding
from esximage_builder.containers.boot_catalog import check_boot_catalog
from esximage_builder.containers.disc_account import check_account
from esximage_builder.disc_files import BIOS_BOOT, EFI_BOOT
from esximage_builder.errors import EsxImageError
from esximage_builder.findings import Severity
from esximage_builder.verify.disc_bytes import disc_unreadable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from esximage_builder.containers.disc_tree import DiscFault
    from esximage_builder.containers.iso9660_reader import IsoReader
    from esximage_builder.findings import Finding
    from esximage_builder.limits import ReadLimits

__all__ = ["check_catalog", "check_volume"]

_SHOWN = 20
_BUILD_ANEW = "get the disc again, or build it anew"


def check_volume(disc: IsoReader, limits: ReadLimits) -> list[Finding]:
    """Return what the disc says in two ways, and what it holds beside its volume."""
    try:
        return list(_findings(check_account(disc, limits=limits), _volume_finding))
    except EsxImageError as error:
        return [disc_unreadable("what the disc says of itself", error)]


def check_catalog(disc: IsoReader) -> list[Finding]:
    """Return what the boot catalog says that firmware would not take for a disc of ESXi."""
    try:
        faults = list(check_boot_catalog(disc, images={"bios": BIOS_BOOT, "efi": EFI_BOOT}))
    except EsxImageError as error:
        return [disc_unreadable("the boot catalog", error)]
    return list(_findings(faults, _catalog_finding))


def _findings(faults: Iterable[DiscFault], make: Callable[[list[DiscFault]], Finding]) -> Iterator[Finding]:
    """Yield one finding for all faults of a kind."""
    kinds: dict[tuple[str, Severity], list[DiscFault]] = {}
    for fault in faults:
        kinds.setdefault((fault.what, fault.severity), []).append(fault)
    for group in kinds.values():
        yield make(group)


def _words(group: list[DiscFault]) -> tuple[str, str]:
    first = group[0]
    more = f" and {len(group) - 1} more" if len(group) > 1 else ""
    return f"{first.what}: {first.item}{more}", first.found


def _items(group: list[DiscFault]) -> tuple[str, ...]:
    return tuple(fault.item for fault in group[:_SHOWN])


def _volume_finding(group: list[DiscFault]) -> Finding:
    message, found = _words(group)
    if group[0].is_beside:
        return make_finding("disc-holds-more", message, items=_items(group), cause=found)
    if group[0].severity is Severity.INFO:
        return make_finding("disc-unusual", message, items=_items(group), cause=found)
    if group[0].severity is Severity.WARNING:
        return make_finding(
            "disc-contradicts-itself",
            message,
            items=_items(group),
            cause=found,
            severity=Severity.WARNING,
            remedy=_BUILD_ANEW,
        )
    return make_finding(
        "disc-contradicts-itself",
        message,
        items=_items(group),
        cause=found,
        severity=Severity.ERROR,
        remedy=_BUILD_ANEW,
    )


def _catalog_finding(group: list[DiscFault]) -> Finding:
    message, found = _words(group)
    if group[0].severity is Severity.INFO:
        return make_finding("disc-unusual", message, items=_items(group), cause=found)
    if group[0].severity is Severity.WARNING:
        return make_finding(
            "boot-catalog-wrong",
            message,
            items=_items(group),
            cause=found,
            severity=Severity.WARNING,
            remedy=_BUILD_ANEW,
        )
    return make_finding(
        "boot-catalog-wrong", message, items=_items(group), cause=found, severity=Severity.ERROR, remedy=_BUILD_ANEW
    )
