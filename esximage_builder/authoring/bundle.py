"""Bundles of what one has: components, add-ons and loose VIBs of several files put into one.

Rules (docs/vibauthor.md#components-add-ons-and-bundles):

- every VIB is copied as it is;
- a legacy bulletin, and a VIB that nothing else brings, becomes a component;
- base images, image profiles and solutions are refused: an image with them is made by ``compose``;
- whatever a unit names must be in the files, since a depot that is not whole is made by accident
  more often than on purpose.
"""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import TYPE_CHECKING

from esximage_builder.authoring.release_unit import author_add_on
from esximage_builder.depot.component_contents import component_contents
from esximage_builder.depot.depot_zip import write_depot
from esximage_builder.depot.store import inputs_of, measured
from esximage_builder.errors import IncompatibleImageError, ModelError
from esximage_builder.findings import Severity
from esximage_builder.limits import ReadLimits
from esximage_builder.models.catalog import catalog_of
from esximage_builder.rules.loose_vibs import component_from_bulletin, component_from_vibs
from esximage_builder.rules.vib_facts import check_vib_facts
from esximage_builder.source_date import latest_timestamp
from esximage_builder.streams.file_kind import FileKind
from esximage_builder.streams.target import prepare_target

if TYPE_CHECKING:
    from collections.abc import Iterable

    from esximage_builder.depot.opening import Depot
    from esximage_builder.depot.store import MeasuredVibStore
    from esximage_builder.models.add_on import AddOn
    from esximage_builder.models.catalog import Catalog
    from esximage_builder.models.component import Component
    from esximage_builder.models.hardware_support import HardwareSupport
    from esximage_builder.models.vib import Vib
    from esximage_builder.versions import AddOnVersion

__all__ = ["add_on_of", "components_of", "write_bundle"]


def components_of(loaded: Depot | Catalog) -> tuple[Component, ...]:
    """Return the components of what is loaded, those made of legacy bulletins and loose VIBs included.

    Raises:
        ModelError: There is nothing, there is a base image or an image profile, or something that no
            component can be made of.
    """
    catalog = catalog_of(loaded)
    _require_no_image(catalog)
    made = [component_from_bulletin(bulletin, catalog.vibs) for bulletin in catalog.bulletins]
    in_bulletins = {vib_id for component in made for vib_id in component.vib_ids}
    loose = [component_from_vibs([vib]) for vib in catalog.loose_vibs if vib.id not in in_bulletins]
    components = sorted((*catalog.components, *made, *loose), key=lambda component: component.id)
    if not components:
        raise ModelError("the files hold no VIB", expected="VIBs, components or add-ons")
    for first, second in itertools.pairwise(components):
        if first.id == second.id:
            raise ModelError("two components have one name and version", found=first.id, expected="each once")
    return tuple(components)


def _require_no_image(catalog: Catalog) -> None:
    images = [f"base image {unit.version.text}" for unit in catalog.base_images]
    images += [f"image profile {profile.name}" for profile in catalog.profiles]
    images += [f"solution {unit.id}" for unit in catalog.solutions]
    if images:
        raise ModelError(
            "the files hold whole images",
            found=", ".join(images[:5]),
            expected="components, add-ons and loose VIBs",
            hint="compose an image of them: esximage build --bundle",
        )


def add_on_of(
    loaded: Depot | Catalog,
    name: str,
    version: AddOnVersion,
    *,
    supported_base_images: Iterable[str],
    vendor: str = "",
    removed_components: Iterable[str] = (),
    summary: str = "",
) -> AddOn:
    """Make a vendor add-on of everything that is loaded.

    Args:
        loaded: An opened depot, or its catalog.
        name: ``ACME-AddOn``.
        version: Free-form.
        supported_base_images: Versions or version prefixes, such as ``8.0.3``; at least one.
        vendor: Empty takes that of the components.
        removed_components: Names of base image components that it takes off.
        summary: One line.

    Returns:
        The add-on, of the lowest acceptance level of its VIBs and the latest date of its components.

    Raises:
        ModelError: As ``components_of`` and ``author_add_on``; no base image, or several vendors.
    """
    catalog = catalog_of(loaded)
    components = components_of(catalog)
    supported = tuple(supported_base_images)
    if not supported or not all(supported):
        raise ModelError("the add-on supports no base image", where=name, expected="a version such as 8.0.3")
    vib_ids = {vib_id for component in components for vib_id in component.vib_ids}
    return author_add_on(
        name,
        version,
        components=components,
        vendor=vendor or _only_vendor(components),
        released_at=latest_timestamp(component.bulletin.released_at for component in components),
        acceptance_level=min(vib.acceptance_level for vib in catalog.vibs if vib.id in vib_ids),
        supported_base_images=supported,
        removed_components=removed_components,
        summary=summary,
    )


def _only_vendor(components: Iterable[Component]) -> str:
    vendors = sorted({component.vendor for component in components})
    if len(vendors) > 1:
        raise ModelError(
            "the components have several vendors",
            found=", ".join(vendors[:5]),
            expected="one",
            hint="give a vendor: --vendor on the command line",
        )
    return vendors[0]


def write_bundle(
    depot: Depot,
    target: str | Path,
    *,
    add_on: AddOn | None = None,
    vendor: str = "",
    vendor_code: str = "",
    overwrite: bool = False,
    limits: ReadLimits | None = None,
) -> tuple[Component, ...]:
    """Write everything that is opened into one offline bundle; the same input gives the same bytes.

    Args:
        depot: What is opened.
        target: The zip file; it appears whole or not at all.
        add_on: One more unit, over these components.
        vendor: For the index; empty takes that of the add-on or of the components.
        vendor_code: Three letters or digits; empty takes the vendor's first ones.
        overwrite: Replace a file that is there; never one that is read.
        limits: Upper bounds for reading VIBs; None takes the defaults.

    Returns:
        The components that it holds.

    Raises:
        ModelError: As ``components_of``; a unit names a component that is not there.
        ExportError: The file is there already, is one that is read, or cannot be written.
        IncompatibleImageError: A VIB's own descriptor or signature is not what its metadata says.
        DepotError: A VIB's bytes cannot be read, or are not what its metadata says.
    """
    place = prepare_target(target, kind=FileKind.ZIP, inputs=inputs_of(depot), overwrite=overwrite)
    components = components_of(depot)
    units = _units(depot.catalog, add_on)
    _require_whole(units, components)
    known = measured(depot, limits=limits or ReadLimits())
    name = vendor or (add_on.vendor if add_on is not None else "") or components[0].vendor
    contents = component_contents(
        components, depot.catalog.vibs, known, vendor=name, vendor_code=vendor_code, units=units
    )
    _require_true(contents.vibs, known)
    write_depot(contents, known, place)
    return components


def _require_true(vibs: Iterable[Vib], store: MeasuredVibStore) -> None:
    """Refuse VIBs that are not what their metadata says: their own descriptors are what a host reads."""
    listed = tuple(vibs)
    found = check_vib_facts(listed, [store.vib_facts(vib) for vib in listed])
    errors = [finding for finding in found if finding.severity is Severity.ERROR]
    if errors:
        raise IncompatibleImageError(
            "VIBs are not what their metadata says, nothing is written",
            findings=errors,
            found=errors[0].message,
            hint=errors[0].remedy,
        )


def _units(catalog: Catalog, add_on: AddOn | None) -> list[AddOn | HardwareSupport]:
    made = [] if add_on is None else [add_on]
    if add_on is not None and any(unit.id == add_on.id for unit in catalog.add_ons):
        raise ModelError("the files hold this add-on already", found=add_on.id, expected="another name or version")
    return [*catalog.add_ons, *catalog.hardware_support, *made]


def _require_whole(units: Iterable[AddOn | HardwareSupport], components: Iterable[Component]) -> None:
    there = {str(component.reference) for component in components}
    for unit in units:
        missing = [str(item) for item in unit.components if str(item) not in there]
        if missing:
            raise ModelError(
                "the files do not hold every component that a unit names",
                where=unit.id,
                found=f"without {', '.join(missing[:5])}",
                expected="all of them",
                hint="add the file that holds them",
            )
