"""Composing: from a base image, an add-on and the user's wishes to an image.

Rules (docs/concepts.md#composing):

* Sources from low to high: base image, add-on, hardware support package, solution, user.
  A higher source overrides a lower one **by component name**, whatever version and vendor.
* The add-on's removals act on the base image's components only, before its own are put.
* A version left open takes the highest loaded one that fits; how that of an add-on, package or
  solution is chosen is in ``rules.open_units``.
* The user's removals come last; core components are refused.
* VIBs that only overridden or removed components bring are reserved: carried, not installed.
  Where two effective components bring one VIB name, the highest version is installed. A VIB
  that another effective VIB replaces is reserved too.

Nothing is raised for what the image lacks; that is for validation. Raised is only what
makes no image: something asked for that is not loaded, or a request against itself.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import TYPE_CHECKING, final

import attrs

from esximage_builder.codes import make_finding
from esximage_builder.errors import ComposeError, ModelError, NotInDepotError
from esximage_builder.models.catalog import catalog_of
from esximage_builder.models.component import ComponentReference
from esximage_builder.models.image import (
    EffectiveComponent,
    Image,
    InstalledVib,
    MissingComponent,
    MissingVib,
    OverriddenComponent,
    RemovedComponent,
    ReserveReason,
    Rule,
    UnitChoice,
)
from esximage_builder.models.solution import SolutionComponent
from esximage_builder.rules.core_set import is_core_component
from esximage_builder.rules.open_units import units_of
from esximage_builder.rules.plain_spec import make_spec, with_add_on_version
from esximage_builder.rules.relations import OwnedProvides, ProvideIndex
from esximage_builder.rules.releases import resolve_base_image
from esximage_builder.rules.vib_selection import VibChoice, select_vibs
from esximage_builder.vocabulary import ComponentSource

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from esximage_builder.models.add_on import AddOn
    from esximage_builder.models.base_image import BaseImage
    from esximage_builder.models.catalog import Catalog, HasCatalog
    from esximage_builder.models.component import Component
    from esximage_builder.models.image_profile import ImageProfile
    from esximage_builder.models.spec import SoftwareSpec
    from esximage_builder.rules.plain_spec import AddOnWish

__all__ = ["compose", "image_from_profile", "is_core_component"]


def compose(
    catalog: Catalog | HasCatalog,
    spec: SoftwareSpec | None = None,
    *,
    base_image: str = "",
    add_on: AddOnWish | None = None,
    components: Mapping[str, str | None] | Iterable[str] = (),
    removed_components: Iterable[str] = (),
    name: str = "",
    prefer: Sequence[str] = (),
) -> Image:
    """Compose an image from a spec, or from plain arguments instead of one.

    Args:
        catalog: What is loaded: an opened depot, or its catalog.
        spec: What is wanted; None takes the arguments below.
        base_image: Version of the base image, or a release name such as ``7.0U3g``.
        add_on: Name and version, as a pair or as ``NAME:VERSION``; a name alone takes the highest
            loaded version that goes with the base image.
        components: Name to version, None for the highest that fits; or names alone.
        removed_components: Names.
        name: Of the image; empty makes one of base image and add-on.
        prefer: Source names, best first: where one VIB id has different contents, it is
            taken from the first of these that holds it.

    Returns:
        The image. The order of sources, components and removals does not matter.

    Raises:
        NotInDepotError: Something asked for is not loaded.
        ComposeError: The request contradicts itself or takes off a core component.
        ModelError: A spec and arguments were both given, or neither.
    """
    loaded = catalog_of(catalog)
    arguments = bool(base_image or add_on or components or removed_components)
    if arguments == (spec is not None):
        raise ModelError("compose takes a spec or arguments", expected="one of the two")
    choices: tuple[UnitChoice, ...] = ()
    if spec is None:
        add_on, choices = with_add_on_version(loaded, base_image, add_on)
        spec = make_spec(
            base_image=base_image, add_on=add_on, components=components, removed_components=removed_components
        )
    return _Composition(loaded, spec, tuple(prefer), choices).image(name)


@final
@attrs.define
class _Slot:
    """A component name while composing: who holds it now and whom it beat."""

    component: Component
    source: ComponentSource
    rule: Rule
    overridden: list[OverriddenComponent] = attrs.Factory(list)


class _Composition:
    """One composing under way."""

    def __init__(
        self, catalog: Catalog, spec: SoftwareSpec, prefer: tuple[str, ...], choices: tuple[UnitChoice, ...]
    ) -> None:
        self.catalog = catalog
        self.spec = spec
        self.base_image = resolve_base_image(catalog, spec.base_image)
        self.add_on = None if spec.add_on is None else catalog.add_on(spec.add_on.name, spec.add_on.version.text)
        self.units = units_of(catalog, spec)
        self.choices = (*choices, *self.units.choices)
        self.vibs = VibChoice(catalog, prefer)
        self.slots: dict[str, _Slot] = {}
        self.losers: list[tuple[Component, ComponentSource, ReserveReason, str]] = []
        self.removed: list[RemovedComponent] = []
        self.missing: dict[str, tuple[MissingComponent, list[OverriddenComponent]]] = {}

    def image(self, name: str) -> Image:
        self._put_units()
        self._put_user()
        self._remove(self.spec.removed_components, ComponentSource.USER_REMOVED)
        effective = [self.slots[key] for key in sorted(self.slots)]
        selection = select_vibs(
            [(slot.component, slot.source) for slot in effective], self.losers, choose=self.vibs.choose
        )
        effective_ids = {slot.component.id for slot in effective}
        losers = {component.id: component for component, _, _, _ in self.losers if component.id not in effective_ids}
        return Image(
            name=name
            or _image_name(
                self.base_image, self.add_on, is_custom=bool(self.spec.components or self.spec.removed_components)
            ),
            vendor=self.add_on.vendor if self.add_on is not None else self.base_image.vendor,
            spec=self.spec,
            base_image=self.base_image,
            add_on=self.add_on,
            hardware_support=self.units.hardware_support,
            solutions=self.units.solutions,
            components=[
                EffectiveComponent(
                    component=slot.component, source=slot.source, rule=slot.rule, overridden=slot.overridden
                )
                for slot in effective
            ],
            removed=sorted(self.removed, key=lambda entry: (entry.name, entry.source)),
            reserved_components=[losers[key] for key in sorted(losers)],
            vibs=selection.installed,
            reserved_vibs=selection.reserved,
            missing_components=[self.missing[key][0] for key in sorted(self.missing)],
            missing_vibs=selection.missing,
            unchosen_vibs=tuple(sorted(self.vibs.unchosen)),
            unit_choices=self.choices,
            uncomposed_alternatives=[alternative.id for alternative in self.spec.alternative_images],
        )

    def _put_units(self) -> None:
        self._put_references(self.base_image.components, ComponentSource.BASE_IMAGE)
        if self.add_on is not None:
            self._remove(self.add_on.removed_components, ComponentSource.ADD_ON)
            self._put_references(self.add_on.components, ComponentSource.ADD_ON)
        for package in self.units.hardware_support:
            self._remove(package.removed_components, ComponentSource.HARDWARE_SUPPORT_PACKAGE)
            self._put_references(package.components, ComponentSource.HARDWARE_SUPPORT_PACKAGE)
        for wanted in self.units.solution_components:
            candidates = self._candidates(wanted.name, _accepted(wanted))
            if candidates:
                self._put_highest(candidates, ComponentSource.SOLUTION)
            else:
                self._miss(wanted, ComponentSource.SOLUTION)

    def _put_references(self, references: Iterable[ComponentReference], source: ComponentSource) -> None:
        for reference in references:
            try:
                component = self.catalog.component(reference.name, reference.version.text)
            except NotInDepotError:
                self._miss(reference, source)
                continue
            self._put(component, source, Rule.LISTED)

    def _miss(self, wanted: ComponentReference | SolutionComponent, source: ComponentSource) -> None:
        lost = self._drop(wanted.name, ReserveReason.COMPONENT_OVERRIDDEN, winner=str(wanted))
        self.missing[wanted.name] = (MissingComponent(component=wanted, source=source), lost)

    def _put_user(self) -> None:
        for name, version in self.spec.components:
            if version is not None:
                self._put(self.catalog.component(name, version.text), ComponentSource.USER, Rule.LISTED)
        for name, version in self.spec.components:
            if version is None:
                candidates = self._candidates(name, set()) or [self.catalog.component(name, "")]
                self._put_highest(candidates, ComponentSource.USER)

    def _put(self, component: Component, source: ComponentSource, rule: Rule) -> None:
        overridden = self._drop(component.name, ReserveReason.COMPONENT_OVERRIDDEN, winner=component.id)
        if overridden and rule is Rule.LISTED:
            rule = Rule.OVERRIDES_BY_NAME
        self.slots[component.name] = _Slot(component, source, rule, overridden)

    def _drop(self, name: str, reason: ReserveReason, *, winner: str = "") -> list[OverriddenComponent]:
        """Take the holder of a name out of the image; return it with all whom it had beaten."""
        if name in self.missing:
            entry, lost = self.missing.pop(name)
            return [*lost, *(OverriddenComponent(part, entry.source) for part in _stated(entry.component))]
        slot = self.slots.pop(name, None)
        if slot is None:
            return []
        if slot.component.id != winner:
            self.losers.append((slot.component, slot.source, reason, winner))
        return [*slot.overridden, OverriddenComponent(slot.component.reference, slot.source)]

    def _put_highest(self, candidates: Sequence[Component], source: ComponentSource) -> None:
        """Put the highest loaded version that fits, else the highest; see ``_fits``."""
        ranked = sorted(candidates, key=lambda component: component.version, reverse=True)
        fitting = (component for component in ranked if self._fits(component))
        self._put(next(fitting, ranked[0]), source, Rule.HIGHEST_AVAILABLE)

    def _candidates(self, name: str, accepted: set[str]) -> list[Component]:
        return [
            component
            for component in self.catalog.components_by_name.get(name, ())
            if not accepted or component.version.text in accepted
        ]

    @functools.cached_property
    def _provided(self) -> OwnedProvides:
        """What all names bring in the end; those left open too, in every version they may take.

        The same for every open name, since only open names are still to be put.
        """
        rest = {key: [slot.component] for key, slot in self.slots.items()}
        for wanted in self.units.solution_components:
            rest[wanted.name] = self._candidates(wanted.name, _accepted(wanted))
        for key, version in self.spec.components:
            rest[key] = self._candidates(key, set() if version is None else {version.text})
        for key in self.spec.removed_components:
            rest.pop(key, None)
        owners: dict[str, set[str]] = {}
        for key, components in rest.items():
            for component in components:
                for vib_id in component.vib_ids:
                    owners.setdefault(vib_id, set()).add(key)
        return OwnedProvides((vib, owners[vib_id]) for vib_id in sorted(owners) for vib in self.vibs.peek(vib_id))

    def _fits(self, component: Component) -> bool:
        """Tell whether all its VIBs are loaded and what they depend on is there."""
        found = [self.vibs.peek(vib_id) for vib_id in component.vib_ids]
        own = ProvideIndex(vib for vibs in found for vib in vibs)
        return all(found) and all(
            own.is_met(constraint) or self._provided.is_met(constraint, without=component.name)
            for vibs in found
            for vib in vibs
            for constraint in vib.depends
        )

    def _remove(self, names: Iterable[str], source: ComponentSource) -> None:
        for name in sorted(names):
            slot = self.slots.get(name)
            if slot is not None and is_core_component(slot.component, self.catalog.vibs_by_id):
                raise _core_removed(name, source)
            dropped = self._drop(name, ReserveReason.COMPONENT_REMOVED)
            self.removed.append(RemovedComponent(name=name, source=source, removed=dropped))


def _accepted(wanted: SolutionComponent) -> set[str]:
    return {version.text for version in wanted.versions}


def _stated(wanted: ComponentReference | SolutionComponent) -> tuple[ComponentReference, ...]:
    """Return a missing component as one that lost; of a solution the highest version that it names, if any."""
    if isinstance(wanted, ComponentReference):
        return (wanted,)
    return tuple(ComponentReference(wanted.name, version) for version in sorted(wanted.versions)[-1:])


def _core_removed(name: str, source: ComponentSource) -> ComposeError:
    finding = make_finding(
        "core-component-removed",
        f"{name} cannot be removed",
        items=(name,),
        facts={"component": name},
        cause="ESXi does not boot or cannot be updated without it",
        remedy="take the name out of the removed components",
    )
    who = "the spec" if source is ComponentSource.USER_REMOVED else f"the {source.display}"
    return ComposeError(
        f"{who} removes the core component {name}",
        findings=[finding],
        found=repr(name),
        expected="a component that ESXi can do without",
        hint=finding.remedy,
    )


def _image_name(base_image: BaseImage, add_on: AddOn | None, *, is_custom: bool) -> str:
    """Return the field's kind of name: ``ESXi-7.0U3g-20328353-standard``, or with the add-on's name."""
    shown = base_image.display_version.replace(" - ", "-").replace(" ", "") or base_image.version.text
    tail = f"-{add_on.name}-{add_on.version}" if add_on is not None else ""
    kind = "-custom" if is_custom else ("" if tail else "-standard")
    return f"ESXi-{shown}{tail}{kind}"[:_MAX_NAME]


_MAX_NAME = 80


def image_from_profile(
    catalog: Catalog | HasCatalog, profile: str | ImageProfile, *, prefer: Sequence[str] = ()
) -> Image:
    """Open an image straight from an image profile; 6.x depots have nothing else.

    The profile's VIBs are taken as they are: two versions of one name, or a VIB beside the
    one that replaces it, are for validation to find. Its components are known where it
    lists them (7.0 and later), who brought them is not.

    Args:
        catalog: What is loaded: an opened depot, or its catalog.
        profile: Name of a loaded profile, or a profile.
        prefer: As with ``compose``.

    Raises:
        NotInDepotError: No profile of that name is loaded.
    """
    catalog = catalog_of(catalog)
    found = catalog.profile(profile) if isinstance(profile, str) else profile
    vibs = VibChoice(catalog, tuple(prefer))
    components = [
        components[0]
        for bulletin_id in found.bulletin_ids
        if (components := catalog.components_by_bulletin_id.get(bulletin_id))
    ]
    component_of = {vib_id: component.id for component in components for vib_id in component.vib_ids}
    installed, missing = [], []
    for vib_id in sorted(set(found.vib_ids)):
        vib = vibs.choose(vib_id)
        if vib is None:
            missing.append(MissingVib(vib_id=vib_id, component=component_of.get(vib_id, "")))
        else:
            installed.append(InstalledVib(vib=vib, component=component_of.get(vib_id, "")))
    return Image(
        name=found.name,
        vendor=found.creator,
        profile=found,
        components=[
            EffectiveComponent(component=component, source=None, rule=Rule.PROFILE)
            for component in sorted(components, key=lambda component: component.id)
        ],
        vibs=installed,
        missing_vibs=missing,
        unchosen_vibs=tuple(sorted(vibs.unchosen)),
    )
