"""What differs between two images: base image, add-on, components, VIBs, each with its cause."""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING, final

import attrs

from esximage_builder.models.fields import as_tuple
from esximage_builder.rules.classify import Change, classify_images
from esximage_builder.vocabulary import ComponentSource

if TYPE_CHECKING:
    from esximage_builder.models.image import EffectiveComponent, Image, InstalledVib
    from esximage_builder.versions import AddOnVersion, BaseImageVersion

__all__ = ["ChangeDirection", "ImageDiff", "ItemChange", "diff"]


class ChangeDirection(enum.StrEnum):
    """Which way an item goes."""

    ADDED = "added"
    REMOVED = "removed"
    RAISED = "raised"
    LOWERED = "lowered"
    REPLACED = "replaced"
    """Same version, other content, or another name in its place."""


@final
@attrs.frozen(kw_only=True)
class ItemChange:
    """One item that differs.

    Attributes:
        name: ``ESXi``, the add-on's, component's or VIB's name.
        before: Version before; empty if it was not there.
        after: Version after; empty if it is gone.
        direction: Which way.
        cause: Who did it, in a few words.
    """

    name: str
    before: str
    after: str
    direction: ChangeDirection
    cause: str


@final
@attrs.frozen(kw_only=True)
class ImageDiff:
    """What differs between two images; every level sorted by name.

    Attributes:
        change: The kind of change as a whole.
        base_image: None if equal.
        add_on: None if equal.
        components: Components that differ.
        vibs: Installed VIBs that differ.
    """

    change: Change
    base_image: ItemChange | None = None
    add_on: ItemChange | None = None
    components: tuple[ItemChange, ...] = attrs.field(default=(), converter=as_tuple)
    vibs: tuple[ItemChange, ...] = attrs.field(default=(), converter=as_tuple)

    @property
    def is_empty(self) -> bool:
        """True if nothing differs on any level."""
        return not (self.base_image or self.add_on or self.components or self.vibs)


def diff(before: Image, after: Image) -> ImageDiff:
    """Return what differs between two images."""
    return ImageDiff(
        change=classify_images(before, after),
        base_image=_base_change(before.esxi_version, after.esxi_version),
        add_on=_add_on_change(before, after),
        components=_component_changes(before, after),
        vibs=_vib_changes(before, after),
    )


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
    if new is not None:
        return "the profile" if new.source is None else f"the {_source(new.source)}"
    removed_by = next((entry.source for entry in after.removed if entry.name == name), None)
    if removed_by is not None:
        return f"removed by the {_source(removed_by)}"
    former = None if old is None else old.source
    return "no longer in the profile" if former is None else f"no longer in the {_source(former)}"


def _source(source: ComponentSource) -> str:
    return "user" if source is ComponentSource.USER_REMOVED else source.display


def _vib_changes(before: Image, after: Image) -> tuple[ItemChange, ...]:
    old = {entry.vib.name: entry for entry in before.vibs}
    new = {entry.vib.name: entry for entry in after.vibs}
    changes = (_vib_change(name, old.get(name), new.get(name)) for name in sorted(old.keys() | new.keys()))
    return tuple(change for change in changes if change is not None)


def _vib_change(name: str, old: InstalledVib | None, new: InstalledVib | None) -> ItemChange | None:
    if old is not None and new is not None:
        if old.vib.id == new.vib.id and old.vib == new.vib:
            return None
        versions = old.vib.version, new.vib.version
        direction = _direction(versions[0] < versions[1], versions[1] < versions[0])
    else:
        direction = ChangeDirection.ADDED if old is None else ChangeDirection.REMOVED
    bringer = new or old
    component = "" if bringer is None else bringer.component.partition(":")[0]
    cause = f"component {component}" if component else "stand-alone VIB"
    return ItemChange(
        name=name,
        before="" if old is None else old.vib.version.text,
        after="" if new is None else new.vib.version.text,
        direction=direction,
        cause=cause,
    )
