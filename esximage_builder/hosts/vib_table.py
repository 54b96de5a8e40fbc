"""The VIBs of an image and of what is loaded beside it, ready for judging very many hosts.

Hosts name VIBs by name and version, and their vendor differs from place to place, so that is what they
are found by here. Of a VIB only a few flags are kept: what its coming and going ask of a host. Where
two VIBs of one name and version differ, the stricter flags count.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Self, final

import attrs

from esximage_builder.vocabulary import ComponentSource

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from esximage_builder.models.catalog import Catalog
    from esximage_builder.models.component import Component
    from esximage_builder.models.host import Host
    from esximage_builder.models.image import Image, InstalledVib
    from esximage_builder.models.vib import Vib

__all__ = ["VibFlags", "VibKey", "VibTable", "key_of_text"]

VibKey = tuple[str, str]
"""Name and version text."""


class VibFlags(NamedTuple):
    """What coming and going of a VIB ask of a host."""

    comes_live: bool
    goes_live: bool
    comes_in_maintenance: bool
    goes_in_maintenance: bool

    def stricter(self, other: VibFlags) -> VibFlags:
        """Return what both ask together."""
        return VibFlags(
            comes_live=self.comes_live and other.comes_live,
            goes_live=self.goes_live and other.goes_live,
            comes_in_maintenance=self.comes_in_maintenance or other.comes_in_maintenance,
            goes_in_maintenance=self.goes_in_maintenance or other.goes_in_maintenance,
        )


@final
@attrs.frozen(kw_only=True)
class VibTable:
    """What is known of VIBs.

    Attributes:
        on_host: What the image installs on the host itself, and whether its base image brings it.
        on_all: The same with what it installs on data processing units.
        ids: Ids of all that it installs.
        alone: Name to version of what it installs beside components.
        by_component: Component of the image to what it installs for it.
        brought: Name and version of each known component to all that it brings.
        flags: Of every known VIB.
    """

    on_host: Mapping[VibKey, bool]
    on_all: Mapping[VibKey, bool]
    ids: frozenset[str]
    alone: Mapping[str, str]
    by_component: Mapping[str, tuple[VibKey, ...]]
    brought: Mapping[tuple[str, str], tuple[VibKey, ...]]
    flags: Mapping[VibKey, VibFlags]

    @classmethod
    def of(cls, image: Image, catalog: Catalog | None) -> Self:
        """Return the table of an image, with what is known of other VIBs from what is loaded."""
        loaded = () if catalog is None else catalog.vibs
        components = [*(entry.component for entry in image.components), *image.reserved_components]
        components += () if catalog is None else catalog.components
        return cls(
            on_host={_key(entry.vib): _is_base(entry) for entry in image.vibs if entry.vib.is_for_host},
            on_all={_key(entry.vib): _is_base(entry) for entry in image.vibs},
            ids=frozenset(entry.vib.id for entry in image.vibs),
            alone={entry.vib.name: entry.vib.version.text for entry in image.vibs if not entry.component},
            by_component=_by_component(image),
            brought=_brought(components),
            flags=_flags((*image.all_vibs, *loaded)),
        )


def _key(vib: Vib) -> VibKey:
    return (vib.name, vib.version.text)


def key_of_text(text: str, host: Host | None = None) -> VibKey:
    """Return name and version of a VIB from its id, or from both with a blank between.

    Args:
        text: ``VMW_bootbank_i40en_1.11.4.6-1vmw.803.0.0.1`` or ``i40en 1.11.4.6-1vmw.803.0.0.1``.
        host: It may have the VIB, and then tells for sure where its name ends.
    """
    name, blank, version = text.partition(" ")
    if blank:
        return (name, version)
    for vib in () if host is None else host.vibs:
        if text.endswith(f"_{vib.name}_{vib.version.text}"):
            return (vib.name, vib.version.text)
    *_, rest = text.split("_", 2)
    name, _, version = rest.rpartition("_")
    return (name, version)


def _is_base(entry: InstalledVib) -> bool:
    return entry.source is ComponentSource.BASE_IMAGE


def _by_component(image: Image) -> dict[str, tuple[VibKey, ...]]:
    installed = image.vibs_by_id
    return {
        entry.component.name: tuple(
            _key(installed[vib_id]) for vib_id in entry.component.vib_ids if vib_id in installed
        )
        for entry in image.components
    }


def _brought(components: Iterable[Component]) -> dict[tuple[str, str], tuple[VibKey, ...]]:
    """Return what components bring; where two of one name and version differ, both count."""
    brought: dict[tuple[str, str], dict[VibKey, None]] = {}
    for component in components:
        keys = dict.fromkeys(map(key_of_text, component.vib_ids))
        brought.setdefault((component.name, component.version.text), {}).update(keys)
    return {name: tuple(keys) for name, keys in brought.items()}


def _flags(vibs: Iterable[Vib]) -> dict[VibKey, VibFlags]:
    flags: dict[VibKey, VibFlags] = {}
    for vib in vibs:
        own = _flags_of(vib)
        known = flags.setdefault(_key(vib), own)
        flags[_key(vib)] = known if known is own else known.stricter(own)
    return flags


def _flags_of(vib: Vib) -> VibFlags:
    mode = vib.maintenance_mode
    return VibFlags(
        comes_live=vib.live_install_allowed,
        goes_live=vib.live_remove_allowed,
        comes_in_maintenance=mode.required if mode.on_install is None else mode.on_install,
        goes_in_maintenance=mode.required if mode.on_remove is None else mode.on_remove,
    )
