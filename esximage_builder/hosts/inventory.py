"""Putting a host together from what several files tell of it, and filling in what an image says.

Two files that tell one thing differently are of different hosts, or of different times: that is an
error, since whatever came of it would be of neither. Of components, the whole list counts before the
few that were put there by hand.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

import attrs

from esximage_builder.errors import EsxImageError, ModelError
from esximage_builder.models.host import BASE_COMPONENT, Host, HostComponent, HostFacts, HostPart, HostVib
from esximage_builder.models.spec import AddOnReference
from esximage_builder.rules.compose import compose
from esximage_builder.versions import BaseImageVersion
from esximage_builder.vocabulary import ComponentSource

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from esximage_builder.models.add_on import AddOn
    from esximage_builder.models.base_image import BaseImage
    from esximage_builder.models.catalog import Catalog
    from esximage_builder.models.component import Component
    from esximage_builder.models.vib import Vib

__all__ = ["filled_from", "host_of_database", "put_together"]


def put_together(parts: Iterable[Host], *, name: str = "") -> Host:
    """Return the host that several inventories are of.

    Args:
        parts: What each file tells.
        name: Of the host; empty takes the one that the files have.

    Raises:
        ModelError: There is no part, or two of them contradict each other.
    """
    listed = tuple(parts)
    if not listed:
        raise ModelError("a host is put together from at least one inventory")
    merged = functools.reduce(_merged, listed)
    return attrs.evolve(merged, name=name) if name else merged


def _merged(first: Host, second: Host) -> Host:
    fields: dict[str, Any] = {part.value: _value(part, first, second) for part in HostPart}
    host = Host(
        name=str(_same("name", first.name, second.name) or ""),
        facts=_facts(first.facts, second.facts),
        told=first.told | second.told,
        **fields,
    )
    return attrs.evolve(host, components=_marked(host.components, first, second))


def _value(part: HostPart, first: Host, second: Host) -> object:
    """Return what is known of a part: what was told before what was only mentioned."""
    values = [(part in host.told, getattr(host, part.value)) for host in (first, second)]
    told = [value for is_told, value in values if is_told]
    if part is HostPart.VIBS and len(told) > 1:
        return _vibs(*told)
    if part is HostPart.COMPONENTS and len(told) > 1:
        return _same(part.value, *(tuple(_bare(entry) for entry in value) for value in told))
    if len(told) > 1:
        return _same(part.value, *told)
    return told[0] if told else values[0][1] or values[1][1]


def _bare(component: HostComponent) -> HostComponent:
    return attrs.evolve(component, is_manual=None, platforms=())


def _marked(components: Sequence[HostComponent], first: Host, second: Host) -> tuple[HostComponent, ...]:
    """Return the components with what either of two inventories says of each beside its version."""
    known: dict[str, HostComponent] = {}
    for entry in (*first.components, *second.components):
        kept = known.get(entry.name, entry)
        manual = kept.is_manual if entry.is_manual is None else entry.is_manual
        known[entry.name] = attrs.evolve(kept, is_manual=manual, platforms=kept.platforms or entry.platforms)
    return tuple(
        attrs.evolve(part, is_manual=known[part.name].is_manual, platforms=known[part.name].platforms)
        for part in components
    )


def _vibs(first: tuple[HostVib, ...], second: tuple[HostVib, ...]) -> tuple[HostVib, ...]:
    """Merge two lists of the same VIBs, of which one may say more of each."""
    others = {vib.name: vib for vib in second}
    _same(
        "vibs", sorted((vib.name, vib.version.text) for vib in first), sorted((v.name, v.version.text) for v in second)
    )
    return tuple(_richer(vib, others[vib.name]) for vib in first)


def _richer(vib: HostVib, other: HostVib) -> HostVib:
    fields = (field.name for field in attrs.fields(type(vib)))
    return attrs.evolve(vib, **{name: getattr(other, name) for name in fields if getattr(vib, name) in (None, "", ())})


def _facts(first: HostFacts, second: HostFacts) -> HostFacts:
    given: dict[str, Any] = {}
    for field in attrs.fields(HostFacts):
        values = [value for facts in (first, second) if (value := getattr(facts, field.name)) != field.default]
        values = [value for value in values if value not in (None, "", ())]
        if values:
            given[field.name] = _same(field.name, *values)
    return HostFacts(**given)


def _same(what: str, *values: object) -> object:
    """Return the value that all agree on, empty ones aside.

    Raises:
        ModelError: They do not.
    """
    given = [value for value in values if value]
    if any(value != given[0] for value in given[1:]):
        found = " and ".join(str(value)[:80] for value in given)
        raise ModelError(
            f"the inventories tell two things of one host: {what.replace('_', ' ')}",
            found=found,
            expected="files of one host, taken at one time",
            hint="take them again, or check which host each is of",
        )
    return given[0] if given else values[0] if values else None


def host_of_database(
    components: Sequence[Component], vibs: Sequence[Vib], *, base_images: Sequence[BaseImage], add_ons: Sequence[AddOn]
) -> Host:
    """Return the host whose image database holds these.

    VIBs that no component lists stand alone. Without a base image of its own among the documents, the
    component ``ESXi`` tells its version, and whether there is an add-on is not known.

    Args:
        components: The installed ones, without those that lost.
        vibs: The installed ones.
        base_images: As the database has them: one or none.
        add_ons: As the database has them: one or none.
    """
    listed = {vib_id for component in components for vib_id in component.vib_ids}
    told = {HostPart.COMPONENTS, HostPart.VIBS, HostPart.STANDALONE_VIBS}
    base = next((unit.version for unit in base_images), None)
    if base is not None:
        told |= {HostPart.BASE_IMAGE, HostPart.ADD_ON}
    elif (own := next((part for part in components if part.name == BASE_COMPONENT), None)) is not None:
        base = BaseImageVersion(own.version.text)
        told.add(HostPart.BASE_IMAGE)
    if add_ons:
        told.add(HostPart.ADD_ON)
    return Host(
        name="",
        base_image=base,
        add_on=next((AddOnReference(unit.name, unit.version) for unit in add_ons), None),
        components=sorted(
            (HostComponent(name=part.name, version=part.version) for part in components), key=lambda part: part.name
        ),
        standalone_vibs=sorted(vib.id for vib in vibs if vib.id not in listed),
        vibs=sorted(map(_installed, vibs), key=lambda vib: vib.name),
        told=told,
    )


def _installed(vib: Vib) -> HostVib:
    mode = vib.maintenance_mode
    return HostVib(
        name=vib.name,
        version=vib.version,
        vendor=vib.vendor,
        acceptance_level=vib.acceptance_level,
        is_live_removable=vib.live_remove_allowed,
        needs_maintenance_mode=mode.required if mode.on_remove is None else mode.on_remove,
    )


def filled_from(host: Host, catalog: Catalog) -> Host:
    """Return a host with the components that its base image and add-on bring, if only those are told.

    Args:
        host: Any host; one whose components are told is returned as it is.
        catalog: What is loaded.

    Returns:
        The host with all components, or unchanged where base image or add-on are not loaded.
    """
    if HostPart.COMPONENTS in host.told or not {HostPart.BASE_IMAGE, HostPart.ADD_ON} <= host.told:
        return host
    try:
        image = compose(
            catalog,
            base_image=str(host.base_image),
            add_on=None if host.add_on is None else str(host.add_on),
            components={part.name: part.version.text for part in host.components},
        )
    except EsxImageError:
        return host
    components = [
        HostComponent(
            name=entry.component.name,
            version=entry.component.version,
            is_manual=entry.source is ComponentSource.USER,
        )
        for entry in image.components
    ]
    return attrs.evolve(host, components=components, told=host.told | {HostPart.COMPONENTS})
