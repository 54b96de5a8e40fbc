"""What goes down: between two images, and between a host and the image for it.

The rule stands here once (docs/concepts.md#changes): base image, add-on of one name and component of
one name are compared by their own versions, whatever they hold, and a host takes none of them lower.
A VIB that is lower in a component that is not is told; hosts judge by components.
"""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING, final

import attrs

from esximage_builder.shown import Shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from esximage_builder.models.image import EffectiveComponent, Image, InstalledVib
    from esximage_builder.versions import AddOnVersion, ComponentVersion

__all__ = ["LoweredItem", "LoweredKind", "is_lower_add_on", "lower_components", "lowered_items"]


class LoweredKind(enum.StrEnum):
    """What it is that goes down."""

    BASE_IMAGE = "base-image"
    ADD_ON = "add-on"
    COMPONENT = "component"
    VIB = "vib"

    @property
    def is_refused_by_hosts(self) -> bool:
        """True for all but VIBs, which come with their component."""
        return self is not LoweredKind.VIB


@final
@attrs.frozen(kw_only=True, repr=False)
class LoweredItem(Shown):
    """One thing that goes down.

    Attributes:
        kind: What it is.
        name: ``ESXi``, or the add-on's, component's or VIB's name.
        before: Version before.
        after: Version after, the lower one.
        component: Of a VIB the component that brings it; else empty.
    """

    kind: LoweredKind
    name: str
    before: str
    after: str
    component: str = ""

    def __str__(self) -> str:
        return f"{self.name} {self.before} to {self.after}"


def is_lower_add_on(has: tuple[str, AddOnVersion], wanted: tuple[str, AddOnVersion]) -> bool:
    """Tell whether the wanted add-on is a lower version of the one that is there; other names do not compare."""
    return has[0] == wanted[0] and wanted[1] < has[1]


def lower_components(
    installed: Iterable[tuple[str, ComponentVersion]], image: Image
) -> Iterator[tuple[str, ComponentVersion, EffectiveComponent]]:
    """Yield name and version of each installed component that an image has lower, with what the image has."""
    wanted = {entry.component.name: entry for entry in image.components}
    for name, version in installed:
        target = wanted.get(name)
        if target is not None and target.component.version < version:
            yield name, version, target


def lowered_items(before: Image, after: Image) -> tuple[LoweredItem, ...]:
    """Return what goes down from one image to another: base image, add-on, components, then VIBs of others."""
    components = list(_lowered_components(before, after))
    told = {item.name for item in components}
    vibs = (item for item in _lowered_vibs(before, after) if item.component not in told)
    return (*_lowered_base(before, after), *_lowered_add_on(before, after), *components, *vibs)


def _lowered_base(before: Image, after: Image) -> Iterator[LoweredItem]:
    has, wanted = before.esxi_version, after.esxi_version
    if has is not None and wanted is not None and wanted < has:
        yield LoweredItem(kind=LoweredKind.BASE_IMAGE, name="ESXi", before=has.text, after=wanted.text)


def _lowered_add_on(before: Image, after: Image) -> Iterator[LoweredItem]:
    has, wanted = before.add_on, after.add_on
    if has is None or wanted is None:
        return
    if is_lower_add_on((has.name, has.version), (wanted.name, wanted.version)):
        yield LoweredItem(kind=LoweredKind.ADD_ON, name=wanted.name, before=has.version.text, after=wanted.version.text)


def _lowered_components(before: Image, after: Image) -> Iterator[LoweredItem]:
    installed = ((entry.component.name, entry.component.version) for entry in before.components)
    for name, version, target in lower_components(installed, after):
        yield LoweredItem(
            kind=LoweredKind.COMPONENT, name=name, before=version.text, after=target.component.version.text
        )


def _lowered_vibs(before: Image, after: Image) -> Iterator[LoweredItem]:
    """Yield VIB names whose highest version is lower; images from profiles may hold several of one name."""
    has = _highest_by_name(before.vibs)
    for name, entry in sorted(_highest_by_name(after.vibs).items()):
        former = has.get(name)
        if former is not None and entry.vib.version < former.vib.version:
            yield LoweredItem(
                kind=LoweredKind.VIB,
                name=name,
                before=former.vib.version.text,
                after=entry.vib.version.text,
                component=entry.component.partition(":")[0],
            )


def _highest_by_name(vibs: Iterable[InstalledVib]) -> dict[str, InstalledVib]:
    highest: dict[str, InstalledVib] = {}
    for entry in vibs:
        known = highest.get(entry.vib.name)
        if known is None or known.vib.version < entry.vib.version:
            highest[entry.vib.name] = entry
    return highest
