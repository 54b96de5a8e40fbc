"""The image that a host has: put together from its inventory and what is loaded, and taken apart.

Rules (docs/hosts.md#extract):

* What the host tells of itself comes first: its base image, add-on, packages and solutions are taken,
  and no other. Units that it does not tell are those that explain its components (``rules.decompose``).
* The image has exactly the host's components: what the units would bring otherwise is pinned or taken
  off in its spec.
* What is not loaded is named, each part; then there is no image, since none would be the host's.
* VIBs that no component brings are in no image, and named.
* A host before 7.0 has VIBs and no components; its image lists VIBs and has no spec.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, final

import attrs

from esximage_builder.errors import EsxImageError, NotInDepotError, VersionSyntaxError
from esximage_builder.hosts.host_vibs import HostVibReader, component_of
from esximage_builder.hosts.inventory import filled_from
from esximage_builder.models.catalog import catalog_of
from esximage_builder.models.fields import as_tuple
from esximage_builder.models.host import BASE_COMPONENT, HostPart
from esximage_builder.models.image import EffectiveComponent, Image, InstalledVib, Rule
from esximage_builder.models.spec import SoftwareSpec, SolutionReference
from esximage_builder.rules.compose import compose
from esximage_builder.rules.decompose import Decomposition, decompose
from esximage_builder.shown import Shown
from esximage_builder.versions import BaseImageVersion

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from esximage_builder.models.base_image import BaseImage
    from esximage_builder.models.catalog import Catalog, HasCatalog
    from esximage_builder.models.component import Component
    from esximage_builder.models.host import Host
    from esximage_builder.versions import ComponentVersion

__all__ = ["HostImage", "image_of_host"]

_COMPONENTS_FROM = 7


@final
@attrs.frozen(kw_only=True, repr=False)
class HostImage(Shown):
    """What came of extracting a host's image.

    Attributes:
        host: Name of the host.
        image: None if it cannot be made of what is told and loaded.
        spec: What composes it; None without an image, and for one before 7.0.
        decomposition: What it is made of; None without an image.
        missing: What the host has and no loaded depot, such as ``component Acme-net:1.0-1``.
        untold: Parts of the inventory that it took.
        left_out: VIBs of the host that the image does not have, since no component brings them.
        differing: VIBs of the host's components that the image has in another version, or not.
        reasons: Why there is no image, beside what is missing or not told.
    """

    host: str
    image: Image | None = None
    spec: SoftwareSpec | None = None
    decomposition: Decomposition | None = None
    missing: tuple[str, ...] = attrs.field(default=(), converter=as_tuple)
    untold: tuple[HostPart, ...] = attrs.field(default=(), converter=as_tuple)
    left_out: tuple[str, ...] = attrs.field(default=(), converter=as_tuple)
    differing: tuple[str, ...] = attrs.field(default=(), converter=as_tuple)
    reasons: tuple[str, ...] = attrs.field(default=(), converter=as_tuple)

    @property
    def why_not(self) -> tuple[str, ...]:
        """Why there is no image, in words; empty if there is one."""
        if self.image is not None:
            return ()
        told = [f"the inventory does not tell: {part.value.replace('_', ' ')}" for part in self.untold]
        return (*told, *(f"not loaded: {part}" for part in self.missing), *self.reasons)


def image_of_host(host: Host, catalog: Catalog | HasCatalog, *, name: str = "") -> HostImage:
    """Extract the image that a host has.

    Args:
        host: The host, as ``read_host`` reads it.
        catalog: What is loaded: an opened depot, or its catalog.
        name: Of the image; empty makes one of base image and add-on, or of the host where it has neither.

    Returns:
        The image with its spec and what it is made of, or what it takes to make it.

    Raises:
        ModelError: The catalog is none.
    """
    loaded = catalog_of(catalog)
    full = filled_from(host, loaded)
    version = _esxi_version(full)
    if _has_components(full):
        return _Extraction(full, loaded, version, name).result()
    if HostPart.VIBS in full.told and version is not None and version.major < _COMPONENTS_FROM:
        return _of_vibs(full, loaded, name)
    untold = [HostPart.COMPONENTS] + ([HostPart.BASE_IMAGE] if version is None else [])
    return HostImage(host=host.name, untold=untold, missing=_units_not_loaded(full, loaded, version))


def _has_components(host: Host) -> bool:
    return HostPart.COMPONENTS in host.told and bool(host.components)


def _esxi_version(host: Host) -> BaseImageVersion | None:
    """Return the version of a host's base image, which its component and its VIB of that name have too."""
    if host.base_image is not None:
        return host.base_image
    named = [part.version.text for part in host.components if part.name == BASE_COMPONENT]
    named += [vib.version.text for vib in host.vibs if vib.name == "esx-base"]
    try:
        return BaseImageVersion(named[0]) if named else None
    except VersionSyntaxError:
        return None


def _units_not_loaded(host: Host, catalog: Catalog, version: BaseImageVersion | None) -> list[str]:
    """Return the units that a host tells of and no loaded depot has."""
    missing = []
    if version is not None and _base_image(catalog, version) is None:
        missing.append(f"base image {version}")
    if host.add_on is not None and str(host.add_on) not in {unit.id for unit in catalog.add_ons}:
        missing.append(f"add-on {host.add_on}")
    packages = {(unit.name, unit.version.text) for unit in catalog.hardware_support}
    missing += [
        f"hardware support package {entry.package}:{entry.version}"
        for entry in host.hardware_support
        if (entry.package, entry.version) not in packages
    ]
    solutions = {(unit.name, unit.version.text) for unit in catalog.solutions}
    missing += [
        f"solution {entry.name}:{entry.version}"
        for entry in host.solutions
        if entry.version and (entry.name, entry.version) not in solutions
    ]
    return missing


def _base_image(catalog: Catalog, version: BaseImageVersion) -> BaseImage | None:
    try:
        return catalog.base_image(version.text)
    except NotInDepotError:
        return None


@final
class _Extraction:
    """The extracting of one host that has components."""

    def __init__(self, host: Host, catalog: Catalog, version: BaseImageVersion | None, name: str) -> None:
        self._host = host
        self._catalog = catalog
        self._version = version
        self._name = name
        self._components = {part.name: component_of(part, catalog) for part in host.components}

    def result(self) -> HostImage:
        untold = [] if self._version else [HostPart.BASE_IMAGE]
        missing = [*_units_not_loaded(self._host, self._catalog, self._version), *self._not_loaded()]
        found = HostImage(host=self._host.name, untold=untold, missing=missing, left_out=self._left_out())
        if untold or missing or self._version is None:
            return found
        base = self._catalog.base_image(self._version.text)
        taken_apart = decompose(self._plain_image(base), self._candidates())
        try:
            image = self._composed(self._spec(base, taken_apart))
        except EsxImageError as error:
            return attrs.evolve(found, reasons=(str(error),))
        wrong = self._wrong_names(image)
        if wrong:
            return attrs.evolve(found, reasons=(f"composing it brings others of: {', '.join(wrong)}",))
        parts = decompose(image, self._catalog)
        return attrs.evolve(
            found,
            image=image,
            spec=image.spec,
            decomposition=attrs.evolve(parts, tied=taken_apart.tied),
            differing=self._differing(image),
        )

    def _not_loaded(self) -> Iterator[str]:
        known = self._catalog.vibs_by_id
        for part in self._host.components:
            component = self._components[part.name]
            if component is None:
                yield f"component {part.name}:{part.version}"
                continue
            yield from (f"VIB {vib_id} of {component.id}" for vib_id in component.vib_ids if vib_id not in known)

    @property
    def _installed(self) -> dict[str, Component]:
        return {name: component for name, component in self._components.items() if component is not None}

    def _plain_image(self, base: BaseImage) -> Image:
        """Return the host's components as an image that does not say who brought them."""
        components = [
            EffectiveComponent(component=component, source=None, rule=Rule.PROFILE)
            for _, component in sorted(self._installed.items())
        ]
        return Image(name=self._name, base_image=base, components=components)

    def _candidates(self) -> Catalog:
        """Return the catalog without the units that the host says it does not have."""
        host, catalog = self._host, self._catalog
        if HostPart.ADD_ON in host.told:
            catalog = attrs.evolve(catalog, add_ons=[unit for unit in catalog.add_ons if unit.id == str(host.add_on)])
        if HostPart.HARDWARE_SUPPORT in host.told:
            packages = {(entry.package, entry.version) for entry in host.hardware_support}
            kept = [unit for unit in catalog.hardware_support if (unit.name, unit.version.text) in packages]
            catalog = attrs.evolve(catalog, hardware_support=kept)
        if HostPart.SOLUTIONS in host.told:
            told = {entry.name: entry.version for entry in host.solutions}
            units = [unit for unit in catalog.solutions if told.get(unit.name) in ("", unit.version.text)]
            catalog = attrs.evolve(catalog, solutions=units)
        return catalog

    def _spec(self, base: BaseImage, parts: Decomposition) -> SoftwareSpec:
        """Return the spec of the units alone, those that the host tells before those that were found."""
        host, found = self._host, parts.spec or SoftwareSpec(base_image=base.version.text)
        return SoftwareSpec(
            base_image=base.version.text,
            add_on=host.add_on if HostPart.ADD_ON in host.told else found.add_on,
            hardware_support=host.hardware_support or found.hardware_support,
            solutions=self._told_solutions() if HostPart.SOLUTIONS in host.told else found.solutions,
        )

    def _told_solutions(self) -> list[SolutionReference]:
        """Return the host's solutions, each with those of its components that the host has."""
        units = {(unit.name, unit.version.text): unit for unit in self._catalog.solutions}
        references = []
        for told in self._host.solutions:
            unit = units.get((told.name, told.version))
            parts = () if unit is None else (part.name for part in unit.components if part.name in self._components)
            components = told.components or tuple(parts)
            references.append(SolutionReference(name=told.name, version=told.version, components=components))
        return references

    def _composed(self, spec: SoftwareSpec) -> Image:
        """Compose the units, and pin or take off what they bring otherwise."""
        image = compose(self._catalog, spec, name=self._name)
        wanted = {name: component.version for name, component in self._installed.items()}
        brought = {entry.component.name: entry.component.version for entry in image.components}
        pins = {name: version for name, version in wanted.items() if _text(brought, name) != version.text}
        extra = brought.keys() - wanted.keys()
        if not pins and not extra:
            return image
        pinned = attrs.evolve(spec, components=tuple(pins.items()), removed_components=tuple(extra))
        return compose(self._catalog, pinned, name=self._name)

    def _wrong_names(self, image: Image) -> list[str]:
        brought = {entry.component.name: entry.component.id for entry in image.components}
        wanted = {name: component.id for name, component in self._installed.items()}
        return sorted(name for name in brought.keys() | wanted.keys() if brought.get(name) != wanted.get(name))

    def _left_out(self) -> list[str]:
        """Return the VIBs that stand alone, as the host tells them, else as the loaded components leave them."""
        if HostPart.STANDALONE_VIBS in self._host.told:
            return list(self._host.standalone_vibs)
        if HostPart.VIBS not in self._host.told or None in self._components.values():
            return []
        ids = {vib_id for component in self._installed.values() for vib_id in component.vib_ids}
        brought = {(vib.name, vib.version.text) for vib in self._catalog.vibs if vib.id in ids}
        return [f"{vib.name} {vib.version}" for vib in self._host.vibs if (vib.name, vib.version.text) not in brought]

    def _differing(self, image: Image) -> list[str]:
        if HostPart.VIBS not in self._host.told:
            return []
        there = {vib.name: vib.version.text for vib in self._host.vibs}
        return [f"{vib.name} {vib.version}" for vib in image.host_vibs if there.get(vib.name) != vib.version.text]


def _text(versions: Mapping[str, ComponentVersion], name: str) -> str:
    return versions[name].text if name in versions else ""


def _of_vibs(host: Host, catalog: Catalog, name: str) -> HostImage:
    """Return the image of a host before 7.0, which lists VIBs."""
    present = HostVibReader(catalog).vibs_of(host)
    missing = [f"VIB {entry.name} {entry.version}" for _, entry in present.entries if entry.vib is None]
    if missing:
        return HostImage(host=host.name, missing=missing)
    vibs = sorted(present.descriptors, key=lambda vib: vib.id)
    image = Image(name=name or host.name, vibs=[InstalledVib(vib=vib) for vib in vibs])
    return HostImage(host=host.name, image=image, decomposition=decompose(image, catalog))
