"""What comes, goes and stays on a host on its way to an image: units, components, VIBs.

An item goes up or comes or goes; none ever goes down. A VIB that would, because a component of another
name brings an earlier one, stops the whole plan of its host.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, final

import attrs

from esximage_builder.hosts.host_findings import newer_vib
from esximage_builder.models.compliance import ComplianceStatus, ItemCompliance, ItemReason
from esximage_builder.models.fields import as_tuple
from esximage_builder.models.host import HostPart
from esximage_builder.models.remediation import PlanAction, PlannedItem

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from esximage_builder.findings import Finding
    from esximage_builder.hosts.host_vibs import HostVibs, Key, PresentVib
    from esximage_builder.models.compliance import HostCompliance
    from esximage_builder.models.host import Host
    from esximage_builder.models.image import InstalledVib
    from esximage_builder.models.vib import Vib

__all__ = ["VibChanges", "component_changes", "lowered_vibs", "solution_changes", "unit_change", "vib_changes"]


def unit_change(item: ItemCompliance | None) -> PlannedItem | None:
    """Return what becomes of a base image or add-on; None if it stays, is not known or goes down."""
    return None if item is None or item.status is not ComplianceStatus.NON_COMPLIANT else _planned(item)


def component_changes(compliance: HostCompliance) -> tuple[PlannedItem, ...]:
    """Return what becomes of each component of image and host, sorted by name; some are for neither."""
    items = (*compliance.components, *compliance.removed_components)
    planned = (_planned(item) for item in items if item.reason is not ItemReason.FOR_DPU)
    return tuple(sorted(planned, key=lambda item: item.name))


def solution_changes(host: Host, compliance: HostCompliance) -> tuple[PlannedItem, ...]:
    """Return the solutions that come or go, where the host tells which it has."""
    if HostPart.SOLUTIONS not in host.told:
        return ()
    changing = (item for item in compliance.solutions if item.status is ComplianceStatus.NON_COMPLIANT)
    return tuple(map(_planned, changing))


def _planned(item: ItemCompliance) -> PlannedItem:
    before = f"{item.current_name}:{item.current}" if item.current_name else item.current
    return PlannedItem(
        name=item.name, action=_action(item), before=before, after=item.target, source=item.target_source
    )


def _action(item: ItemCompliance) -> PlanAction:
    if item.status is ComplianceStatus.COMPLIANT:
        return PlanAction.KEEP
    return PlanAction.INSTALL if item.target else PlanAction.REMOVE


@final
@attrs.frozen(kw_only=True)
class VibChanges:
    """What becomes of the VIBs.

    Attributes:
        items: Sorted by name.
        coming: The VIBs to install.
        staged_bytes: Of their files; None if a size is not stated.
    """

    items: tuple[PlannedItem, ...] = attrs.field(default=(), converter=as_tuple)
    coming: tuple[Vib, ...] = attrs.field(default=(), converter=as_tuple)

    @property
    def staged_bytes(self) -> int | None:  # noqa: D102 - described at the class
        sizes = [_file_bytes(vib) for vib in self.coming]
        return None if None in sizes else sum(size for size in sizes if size is not None)


def _file_bytes(vib: Vib) -> int | None:
    """Return the size of the file, else of what is in it; None if neither is stated."""
    if vib.file is not None and vib.file.size_bytes is not None:
        return vib.file.size_bytes
    sizes = [payload.size_bytes for payload in vib.payloads]
    return None if None in sizes else sum(size for size in sizes if size is not None)


def vib_changes(wanted: Mapping[Key, InstalledVib], present: HostVibs, components: Iterable[PlannedItem]) -> VibChanges:
    """Return what becomes of the VIBs of image and host.

    Where not all VIBs of the host are known, all VIBs of the components that come are taken to come,
    and only those VIBs to go that are surely there.

    Args:
        wanted: Of the image.
        present: Of the host.
        components: What becomes of the components.
    """
    there = dict(present.entries)
    stays = {f"{item.name}:{item.after}" for item in components if item.action is PlanAction.KEEP}
    items, coming = [], []
    for key in sorted(wanted.keys() | there.keys()):
        entry, current = wanted.get(key), there.get(key)
        if entry is None or (current is not None and _is_same(entry.vib, current)):
            items.append(_unmatched(current) if entry is None else _kept(entry))
        elif current is None and not present.is_complete and entry.component in stays:
            items.append(_kept(entry))
        else:
            before = "" if current is None else current.version.text
            items.append(_vib_item(entry, PlanAction.INSTALL, before))
            coming.append(entry.vib)
    return VibChanges(items=items, coming=coming)


def _is_same(vib: Vib, current: PresentVib) -> bool:
    return vib.version.text == current.version.text and current.vendor in ("", vib.vendor)


def _unmatched(current: PresentVib | None) -> PlannedItem:
    assert current is not None  # noqa: S101 - one of the two is there
    return PlannedItem(name=current.name, action=PlanAction.REMOVE, before=current.version.text)


def _kept(entry: InstalledVib) -> PlannedItem:
    return _vib_item(entry, PlanAction.KEEP, entry.vib.version.text)


def _vib_item(entry: InstalledVib, action: PlanAction, before: str) -> PlannedItem:
    return PlannedItem(
        name=entry.vib.name, action=action, before=before, after=entry.vib.version.text, source=entry.component
    )


def lowered_vibs(
    host: str, wanted: Mapping[Key, InstalledVib], present: HostVibs
) -> Iterator[tuple[ItemCompliance, Finding]]:
    """Yield each VIB that would go down, and the error that says so."""
    for key, current in present.entries:
        entry = wanted.get(key)
        if entry is None or not entry.vib.version < current.version:
            continue
        has, target = current.version.text, entry.vib.version.text
        item = ItemCompliance(
            name=current.name,
            status=ComplianceStatus.INCOMPATIBLE,
            current=has,
            target=target,
            reason=ItemReason.HOST_IS_LATER,
        )
        yield item, newer_vib(host, current.name, has=has, wanted=target)
