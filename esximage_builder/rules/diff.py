"""What differs between two images: base image, add-on, components, VIBs, each with its cause.

The impact on a host is told by the flags of the VIBs that change (docs/formats.md#vib): one that
cannot be put in or taken out live needs a reboot. What a quick patch spares is not counted, nor
what runs on data processing units alone.
"""

from __future__ import annotations

import enum
import itertools
from typing import TYPE_CHECKING, final

import attrs

from esximage_builder.models.fields import as_tuple
from esximage_builder.models.image import ReserveReason
from esximage_builder.rules.classify import Change, classify_images
from esximage_builder.rules.lost_devices import NO_MAPS, dropped_ids, lost_devices
from esximage_builder.rules.security import SecurityChange, security_between
from esximage_builder.rules.upgrade_paths import cautions_between
from esximage_builder.shown import Shown, ShownAsPage
from esximage_builder.vocabulary import ComponentSource

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from esximage_builder.models.catalog import Catalog
    from esximage_builder.models.device import PciDevice
    from esximage_builder.models.image import EffectiveComponent, Image, InstalledVib, ReservedVib
    from esximage_builder.models.remediation import LostDevice
    from esximage_builder.rules.lost_devices import DroppedIds
    from esximage_builder.rules.upgrade_paths import PathCaution
    from esximage_builder.versions import AddOnVersion, BaseImageVersion

__all__ = ["ChangeDirection", "ImageDiff", "Impact", "ItemChange", "cautions_of", "diff"]


class ChangeDirection(enum.StrEnum):
    """Which way an item goes."""

    ADDED = "added"
    REMOVED = "removed"
    RAISED = "raised"
    LOWERED = "lowered"
    REPLACED = "replaced"
    """Same version, other content, or another name in its place."""


class Impact(enum.StrEnum):
    """What a host goes through to get from one image to the other; vLCM's own words, least first."""

    NO_IMPACT = "NO_IMPACT"
    PARTIAL_MAINTENANCE_MODE_REQUIRED = "PARTIAL_MAINTENANCE_MODE_REQUIRED"
    MAINTENANCE_MODE_REQUIRED = "MAINTENANCE_MODE_REQUIRED"
    UNKNOWN = "UNKNOWN"
    REBOOT_REQUIRED = "REBOOT_REQUIRED"

    @property
    def rank(self) -> int:
        """0 for no impact up to 4 for a reboot, which nothing unknown can exceed."""
        return tuple(Impact).index(self)


@final
@attrs.frozen(kw_only=True, repr=False)
class ItemChange(Shown):
    """One item that differs.

    Attributes:
        name: ``ESXi``, the add-on's, component's or VIB's name.
        before: Version before; empty if it was not there.
        after: Version after; empty if it is gone.
        direction: Which way.
        cause: Who did it or why, in a few words that may follow the direction and a colon.
    """

    name: str
    before: str
    after: str
    direction: ChangeDirection
    cause: str


@final
@attrs.frozen(kw_only=True, repr=False)
class ImageDiff(ShownAsPage):
    """What differs between two images; every level sorted by name.

    Attributes:
        change: The kind of change as a whole.
        base_image: None if equal.
        add_on: None if equal.
        components: Components that differ.
        vibs: Installed VIBs that differ.
        impact: What a host goes through, by the flags of these VIBs.
        cautions: What is publicly known to be in the way of hosts between the two releases.
        security: Which security bulletins the image after brings, and which it loses.
        lost_devices: Devices that lose their driver, or may; empty without a list of devices.
        dropped_ids: By driver the ids that no driver has any more.
    """

    change: Change
    base_image: ItemChange | None = None
    add_on: ItemChange | None = None
    components: tuple[ItemChange, ...] = attrs.field(default=(), converter=as_tuple)
    vibs: tuple[ItemChange, ...] = attrs.field(default=(), converter=as_tuple)
    impact: Impact = Impact.NO_IMPACT
    cautions: tuple[PathCaution, ...] = attrs.field(default=(), converter=as_tuple)
    security: SecurityChange = attrs.field(factory=SecurityChange)
    lost_devices: tuple[LostDevice, ...] = attrs.field(default=(), converter=as_tuple)
    dropped_ids: tuple[DroppedIds, ...] = attrs.field(default=(), converter=as_tuple)

    @property
    def is_empty(self) -> bool:
        """True if nothing differs on any level."""
        return not (self.base_image or self.add_on or self.components or self.vibs)


def diff(
    before: Image,
    after: Image,
    *,
    catalog: Catalog | None = None,
    devices: Iterable[PciDevice] = (),
    maps: Mapping[str, Sequence[str]] = NO_MAPS,
) -> ImageDiff:
    """Return what differs between two images.

    Args:
        before: The one.
        after: The other.
        catalog: What is loaded, for security bulletins that neither image is made of; None goes without.
        devices: Of a host, as ``read_devices`` gives them: those that lose their driver are named.
        maps: What the maps of drivers say, as ``read_driver_maps`` gives it; without it tags alone count.
    """
    pairs = list(_vib_pairs(before, after))
    return ImageDiff(
        change=classify_images(before, after),
        base_image=_base_change(before.esxi_version, after.esxi_version),
        add_on=_add_on_change(before, after),
        components=_component_changes(before, after),
        vibs=[_vib_change(old, new, after) for old, new in pairs],
        impact=_impact(pairs),
        cautions=cautions_of(before, after),
        security=security_between(before, after, catalog),
        lost_devices=lost_devices(before.host_vibs, after.host_vibs, devices, maps=maps),
        dropped_ids=dropped_ids(before.host_vibs, after.host_vibs, maps=maps),
    )


def cautions_of(before: Image, after: Image) -> tuple[PathCaution, ...]:
    """Return what is in the way of hosts from the release of one image to that of another."""
    has, wanted = before.esxi_version, after.esxi_version
    if has is None or wanted is None:
        return ()
    return cautions_between(has.fields[:3], wanted.fields[:3])


def _direction(is_higher: bool, is_lower: bool) -> ChangeDirection:  # noqa: FBT001 - two facts in, a word out
    if is_higher:
        return ChangeDirection.RAISED
    return ChangeDirection.LOWERED if is_lower else ChangeDirection.REPLACED


def _base_change(before: BaseImageVersion | None, after: BaseImageVersion | None) -> ItemChange | None:
    if before == after or (before is None and after is None):
        return None
    if before is None or after is None:
        direction = ChangeDirection.ADDED if before is None else ChangeDirection.REMOVED
    else:
        direction = _direction(before < after, after < before)
    return ItemChange(
        name="ESXi",
        before="" if before is None else before.text,
        after="" if after is None else after.text,
        direction=direction,
        cause="another base image",
    )


def _add_on_change(before: Image, after: Image) -> ItemChange | None:
    old, new = before.add_on, after.add_on
    if (old is None and new is None) or (old is not None and new is not None and old.id == new.id):
        return None
    if old is None or new is None:
        direction = ChangeDirection.ADDED if old is None else ChangeDirection.REMOVED
    else:
        versions: tuple[AddOnVersion, AddOnVersion] = (old.version, new.version)
        same_name = old.name == new.name
        direction = _direction(same_name and versions[0] < versions[1], same_name and versions[1] < versions[0])
    return ItemChange(
        name=new.name if new is not None else old.name if old is not None else "",
        before="" if old is None else old.version.text if new is None or old.name == new.name else old.id,
        after="" if new is None else new.version.text,
        direction=direction,
        cause="another add-on",
    )


def _component_changes(before: Image, after: Image) -> tuple[ItemChange, ...]:
    old = {entry.component.name: entry for entry in before.components}
    new = {entry.component.name: entry for entry in after.components}
    changes = (_component_change(name, old.get(name), new.get(name), after) for name in sorted(old.keys() | new.keys()))
    return tuple(change for change in changes if change is not None)


def _component_change(
    name: str, old: EffectiveComponent | None, new: EffectiveComponent | None, after: Image
) -> ItemChange | None:
    if old is not None and new is not None:
        if old.component.version.text == new.component.version.text:
            return None
        versions = old.component.version, new.component.version
        direction = _direction(versions[0] < versions[1], versions[1] < versions[0])
    else:
        direction = ChangeDirection.ADDED if old is None else ChangeDirection.REMOVED
    return ItemChange(
        name=name,
        before="" if old is None else old.component.version.text,
        after="" if new is None else new.component.version.text,
        direction=direction,
        cause=_component_cause(name, old, new, after),
    )


def _component_cause(name: str, old: EffectiveComponent | None, new: EffectiveComponent | None, after: Image) -> str:
    if new is None:
        return _removal_cause(name, old, after)
    if new.source is None:
        return "as the image profile lists it"
    if old is None or old.source in (None, new.source):
        return f"by the {_source(new.source)}"
    overridden = {lost.source for lost in new.overridden}
    if old.source in overridden:
        return f"by the {_source(new.source)}, over the {_source(old.source)}"
    return f"by the {_source(new.source)}, no longer overridden by the {_source(old.source)}"


def _removal_cause(name: str, old: EffectiveComponent | None, after: Image) -> str:
    removed_by = next((entry.source for entry in after.removed if entry.name == name), None)
    if removed_by is not None:
        return f"by the {_source(removed_by)}"
    if any(entry.component.name == name for entry in after.missing_components):
        return "listed, but in no loaded depot"
    former = None if old is None else old.source
    return "no longer in the image profile" if former is None else f"no longer in the {_source(former)}"


def _source(source: ComponentSource) -> str:
    return "user" if source is ComponentSource.USER_REMOVED else source.display


def _vib_pairs(before: Image, after: Image) -> Iterator[tuple[InstalledVib | None, InstalledVib | None]]:
    """Yield what differs by VIB name; images from profiles may hold several versions of one name."""
    old, new = _by_name(before.vibs), _by_name(after.vibs)
    for name in sorted(old.keys() | new.keys()):
        known = [entry.vib for entry in old.get(name, ())]
        wanted = [entry.vib for entry in new.get(name, ())]
        gone = [entry for entry in old.get(name, ()) if entry.vib not in wanted]
        come = [entry for entry in new.get(name, ()) if entry.vib not in known]
        yield from itertools.zip_longest(gone, come)


def _by_name(vibs: Iterable[InstalledVib]) -> dict[str, list[InstalledVib]]:
    groups: dict[str, list[InstalledVib]] = {}
    for entry in sorted(vibs, key=lambda entry: (entry.vib.version, entry.vib.id)):
        groups.setdefault(entry.vib.name, []).append(entry)
    return groups


def _vib_change(old: InstalledVib | None, new: InstalledVib | None, after: Image) -> ItemChange:
    if old is not None and new is not None:
        versions = old.vib.version, new.vib.version
        direction = _direction(versions[0] < versions[1], versions[1] < versions[0])
    else:
        direction = ChangeDirection.ADDED if old is None else ChangeDirection.REMOVED
    bringer = new or old
    return ItemChange(
        name="" if bringer is None else bringer.vib.name,
        before="" if old is None else old.vib.version.text,
        after="" if new is None else new.vib.version.text,
        direction=direction,
        cause=_vib_cause(old, new, after),
    )


def _vib_cause(old: InstalledVib | None, new: InstalledVib | None, after: Image) -> str:
    if new is None and old is not None:
        reserved = next((entry for entry in after.reserved_vibs if entry.vib.id == old.vib.id), None)
        if reserved is not None:
            return _reserve_cause(reserved)
    bringer = new or old
    component = "" if bringer is None else bringer.component.partition(":")[0]
    return f"with component {component}" if component else "as a stand-alone VIB"


def _reserve_cause(entry: ReservedVib) -> str:
    return {
        ReserveReason.COMPONENT_OVERRIDDEN: f"its component is overridden by {entry.winner}",
        ReserveReason.COMPONENT_REMOVED: "its component is removed",
        ReserveReason.LOWER_VERSION: f"{entry.winner} is higher",
        ReserveReason.SAME_VERSION: f"{entry.winner} of the same version is installed",
        ReserveReason.REPLACED: f"{entry.winner} replaces it",
    }[entry.reason]


def _impact(pairs: Iterable[tuple[InstalledVib | None, InstalledVib | None]]) -> Impact:
    """Return what the host goes through; VIBs for data processing units alone are none of its own."""
    impact = Impact.NO_IMPACT
    for old, new in ((_on_host(old), _on_host(new)) for old, new in pairs):
        can_go = old is None or old.vib.live_remove_allowed
        can_come = new is None or new.vib.live_install_allowed
        if not (can_go and can_come):
            return Impact.REBOOT_REQUIRED
        if _needs_maintenance(old, is_install=False) or _needs_maintenance(new, is_install=True):
            impact = Impact.MAINTENANCE_MODE_REQUIRED
    return impact


def _on_host(entry: InstalledVib | None) -> InstalledVib | None:
    return entry if entry is not None and entry.vib.is_for_host else None


def _needs_maintenance(entry: InstalledVib | None, *, is_install: bool) -> bool:
    if entry is None:
        return False
    mode = entry.vib.maintenance_mode
    refined = mode.on_install if is_install else mode.on_remove
    return mode.required if refined is None else refined
