"""What ``--vib`` means: a file with VIBs, or the name of one that a depot brings beside its components.

A file is opened together with the depots. For an image of components, each VIB comes as a component:
the one that is loaded for just these VIBs, else one made of its legacy bulletin, else one of its own.
For an image profile of the time before components the VIBs themselves count.
"""

from __future__ import annotations

import difflib
import os
from typing import TYPE_CHECKING

from esximage_builder.errors import ModelError, NotInDepotError
from esximage_builder.rules.core_set import is_core_component
from esximage_builder.rules.loose_vibs import component_from_bulletin, component_from_vibs

if TYPE_CHECKING:
    from collections.abc import Iterable

    from esximage_builder.models.catalog import Catalog
    from esximage_builder.models.component import Component
    from esximage_builder.models.vib import Vib

__all__ = ["is_file", "wanted_components", "wanted_vibs"]

_SUFFIXES = (".vib", ".zip")


def is_file(text: str) -> bool:
    """Tell whether what stands after ``--vib`` is a path: by its suffix, a separator, or because it is there."""
    return text.lower().endswith(_SUFFIXES) or os.sep in text or os.path.exists(text)  # noqa: PTH110 - a name of any length is none


def wanted_components(catalog: Catalog, texts: Iterable[str]) -> tuple[Component, ...]:
    """Return the components that ``--vib`` brings, sorted by name.

    Args:
        catalog: Of the depots and the files together.
        texts: What stands after each ``--vib``.

    Raises:
        NotInDepotError: A name is none of a loose VIB or a legacy bulletin.
        ModelError: A file holds no VIB, or ESXi itself; two components have one name.
    """
    found = [component for text in texts for component in _components_of(catalog, text)]
    by_name: dict[str, Component] = {}
    for component in sorted(found, key=lambda item: item.id):
        other = by_name.setdefault(component.name, component)
        if other.id != component.id:
            raise ModelError(
                f"--vib brings {component.name} in two versions",
                found=f"{other.version}, {component.version}",
                expected="one version of each component",
            )
    return tuple(by_name.values())


def wanted_vibs(catalog: Catalog, texts: Iterable[str]) -> tuple[Vib | str, ...]:
    """Return the VIBs that ``--vib`` brings to an image profile; a name that is no bulletin's stays as it is.

    Args:
        catalog: Of the depots and the files together.
        texts: What stands after each ``--vib``.

    Raises:
        ModelError: A file holds no VIB.
    """
    bulletins = {bulletin.id for bulletin in catalog.bulletins}
    found: list[Vib | str] = []
    for text in texts:
        if is_file(text):
            found += _vibs_in_file(catalog, text)
        else:
            found += _named_vibs(catalog, text) if text in bulletins else [text]
    return tuple(found)


def _components_of(catalog: Catalog, text: str) -> tuple[Component, ...]:
    return _components_of_vibs(catalog, _vibs_in_file(catalog, text) if is_file(text) else _named_vibs(catalog, text))


def _vibs_in_file(catalog: Catalog, path: str) -> tuple[Vib, ...]:
    """Return the VIBs of one opened file, sorted by id."""
    held = tuple(vib for vib in catalog.vibs if path in catalog.sources_of(vib))
    if not held:
        raise ModelError("the file holds no VIB", where=path, expected="a .vib file, or a zip with VIBs")
    return held


def _components_of_vibs(catalog: Catalog, vibs: Iterable[Vib]) -> tuple[Component, ...]:
    """Return components that bring just these VIBs, loaded ones or new ones."""
    held = {vib.id: vib for vib in vibs}
    found: dict[str, Component] = {}
    for vib in held.values():
        component = _component_of(catalog, vib, held)
        _require_no_core(component, catalog)
        found[component.id] = component
    return tuple(found.values())


def _component_of(catalog: Catalog, vib: Vib, held: dict[str, Vib]) -> Component:
    for component in catalog.components:
        if vib.id in component.vib_ids and held.keys() >= set(component.vib_ids):
            return component
    for bulletin in catalog.bulletins:
        if vib.id in bulletin.vib_ids and held.keys() >= set(bulletin.vib_ids):
            return component_from_bulletin(bulletin, held.values())
    return component_from_vibs([vib])


def _require_no_core(component: Component, catalog: Catalog) -> None:
    if is_core_component(component, catalog.vibs_by_id):
        raise ModelError(
            "ESXi itself is no loose VIB",
            found=component.id,
            expected="VIBs that are put on top of a base image",
            hint="give the depot with --depot and name its base image with --base",
        )


def _named_vibs(catalog: Catalog, text: str) -> tuple[Vib, ...]:
    """Return the highest loose VIB of a name, or the VIBs of a legacy bulletin."""
    bulletins = {bulletin.id: bulletin for bulletin in catalog.bulletins}
    if text in bulletins:
        return tuple(vib for vib_id in bulletins[text].vib_ids for vib in catalog.vibs_by_id.get(vib_id, ()))
    name, _, version = text.partition(":")
    fitting = [vib for vib in catalog.loose_vibs if vib.name == name and version in ("", vib.version.text)]
    if not fitting:
        raise _unknown(catalog, text)
    return (max(fitting, key=lambda vib: (vib.version, vib.id)),)


def _unknown(catalog: Catalog, text: str) -> NotInDepotError:
    names = sorted({f"{vib.name}:{vib.version}" for vib in catalog.loose_vibs} | {b.id for b in catalog.bulletins})
    near = difflib.get_close_matches(text, names, n=5) or names[:5]
    return NotInDepotError(
        f"no loaded VIB without component is called {text}",
        found=repr(text),
        expected="a .vib file, or the name of a loaded VIB that stands in no component",
        hint=f"loaded: {', '.join(near)}" if near else "give the path of a .vib file",
    )
