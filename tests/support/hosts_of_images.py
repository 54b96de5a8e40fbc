"""Hosts for tests: what a host has that got an image, and inventories that tell more or less of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs

from esximage_builder.models.host import Host, HostComponent, HostFacts, HostPart, HostVib
from esximage_builder.models.spec import AddOnReference
from esximage_builder.versions import ComponentVersion

if TYPE_CHECKING:
    from esximage_builder.models.image import Image

CALM: dict[str, Any] = {"supports_quick_boot": True, "runs_vcenter": False, "runs_nsx": False}
"""Facts of a host that can go every faster way."""


def host_with(image: Image, name: str = "esx1", *, with_vibs: bool = False, **facts: Any) -> Host:
    """A host that has just this image; keyword arguments are its facts."""
    add_on = image.add_on
    parts: dict[str, Any] = {}
    if with_vibs:
        parts["vibs"] = [
            HostVib(
                name=vib.name,
                version=vib.version,
                vendor=vib.vendor,
                acceptance_level=vib.acceptance_level,
                is_live_removable=vib.live_remove_allowed,
                needs_maintenance_mode=vib.maintenance_mode.required,
            )
            for vib in image.host_vibs
        ]
    return Host(
        name=name,
        base_image=image.esxi_version,
        add_on=None if add_on is None else AddOnReference(add_on.name, add_on.version),
        components=[
            HostComponent(name=entry.component.name, version=entry.component.version, is_manual=False)
            for entry in image.components
        ],
        facts=HostFacts(**facts),
        **parts,
    )


def with_component(host: Host, name: str, version: str, *, is_manual: bool | None = None) -> Host:
    """The host with this version of a component, in place of any other."""
    others = [known for known in host.components if known.name != name]
    own = HostComponent(name=name, version=ComponentVersion(version), is_manual=is_manual)
    return attrs.evolve(host, components=sorted([*others, own], key=lambda part: part.name))


def without(host: Host, *parts: HostPart) -> Host:
    """The host as an inventory has it that does not tell these parts."""
    empty: dict[str, Any] = {
        part.value: None if part in (HostPart.BASE_IMAGE, HostPart.ADD_ON) else () for part in parts
    }
    return attrs.evolve(host, told=host.told - set(parts), **empty)
