"""Hosts made of images in memory: exactly as the image, and then changed by a test."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs

from esximage_builder.models.host import Host, HostComponent, HostPart, HostSolution, HostVib
from esximage_builder.models.spec import AddOnReference
from esximage_builder.versions import ComponentVersion, VibVersion
from esximage_builder.vocabulary import ComponentSource

if TYPE_CHECKING:
    from collections.abc import Iterable

    from esximage_builder.models.image import Image
    from esximage_builder.models.vib import Vib

__all__ = ["host_of", "installed_vib", "with_component", "with_vibs", "without_component"]


def host_of(image: Image, name: str = "esx1", *, with_vibs: bool = False, **changes: Any) -> Host:
    """A host that has exactly what the image is made of, and says all of it but its VIBs.

    Args:
        image: What it has.
        name: Its name.
        with_vibs: Whether it says its VIBs too, with what their removal asks for.
        changes: Other fields.
    """
    add_on = image.add_on
    packages = () if image.spec is None else image.spec.hardware_support
    host = Host(
        name=name,
        base_image=image.esxi_version,
        add_on=None if add_on is None else AddOnReference(add_on.name, add_on.version),
        components=[
            HostComponent(
                name=entry.component.name,
                version=entry.component.version,
                is_manual=None if entry.source is None else entry.source is ComponentSource.USER,
            )
            for entry in image.components
        ],
        solutions=[HostSolution(name=unit.name, version=unit.version.text) for unit in image.solutions],
        hardware_support=packages,
        vibs=map(installed_vib, image.host_vibs) if with_vibs else (),
    )
    return attrs.evolve(host, told=changes.pop("told", host.told), **changes)


def installed_vib(vib: Vib) -> HostVib:
    """A VIB as ``esxcli software vib get`` tells of it."""
    return HostVib(
        name=vib.name,
        version=vib.version,
        vendor=vib.vendor,
        acceptance_level=vib.acceptance_level,
        is_live_removable=vib.live_remove_allowed,
        needs_maintenance_mode=vib.maintenance_mode.required,
    )


def with_component(host: Host, name: str, version: str, *, is_manual: bool | None = None) -> Host:
    """The host with that component, in place of one of its name."""
    added = HostComponent(name=name, version=ComponentVersion(version), is_manual=is_manual)
    others = [part for part in host.components if part.name != name]
    return attrs.evolve(host, components=sorted([*others, added], key=lambda part: part.name))


def without_component(host: Host, name: str) -> Host:
    """The host without that component."""
    return attrs.evolve(host, components=[part for part in host.components if part.name != name])


def with_vibs(host: Host, vibs: Iterable[tuple[str, str]], **fields: Any) -> Host:
    """The host with these VIBs more, and everything told of them that ``fields`` says."""
    added = [HostVib(name=name, version=VibVersion(version), **fields) for name, version in vibs]
    return attrs.evolve(host, vibs=[*host.vibs, *added], told=host.told | {HostPart.VIBS})
