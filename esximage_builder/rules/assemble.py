"""Putting an image together, once it is settled which version every open name takes.

Rules (docs/concepts.md#composing):

* Sources from low to high: base image, add-on, hardware support package, solution, user.
  A higher source overrides a lower one **by component name**, whatever version and vendor.
* The add-on's removals act on the base image's components only, before its own are put.
* The user's removals come last; core components are refused.
* VIBs that only overridden or removed components bring are reserved: carried, not installed.
  Where two effective components bring one VIB name, the highest version is installed. A VIB
  that another effective VIB replaces is reserved too.
* An open name for which nothing is taken is left out, as if it had not been asked for.

Nothing is raised for what the image lacks; that is for validation.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, final

import attrs

from esximage_builder.codes import make_finding
from esximage_builder.errors import ComposeError, NotInDepotError
from esximage_builder.models.add_on import AddOn
from esximage_builder.models.component import Component, ComponentReference
from esximage_builder.models.hardware_support import HardwareSupport
from esximage_builder.models.image import (
    EffectiveComponent,
    Image,
    MissingComponent,
    OverriddenComponent,
    RemovedComponent,
    ReserveReason,
    Rule,
)
from esximage_builder.models.solution import Solution
from esximage_builder.rules.core_set import is_core_component
from esximage_builder.rules.open_names import accepts, wanted_parts
from esximage_builder.rules.releases import resolve_base_image
from esximage_builder.rules.vib_selection import VibChoice, select_vibs
from esximage_builder.vocabulary import ComponentSource

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from esximage_builder.models.base_image import BaseImage
    from esximage_builder.models.catalog import Catalog
    from esximage_builder.models.solution import SolutionComponent
    from esximage_builder.models.spec import SoftwareSpec, SolutionReference
    from esximage_builder.rules.open_names import Taken

__all__ = ["add_on_of", "assemble", "packages_of", "solutions_of"]


def assemble(catalog: Catalog, spec: SoftwareSpec, taken: Taken, prefer: Sequence[str] = ()) -> Image:
    """Put an image together.

    Args:
        catalog: What is loaded.
        spec: What is wanted.
        taken: What open names take.
        prefer: Source names, best first, for ids with different contents.

    Raises:
        NotInDepotError: Something that the spec names with its version is not loaded.
        ComposeError: A core component is taken off.
    """
    return _Assembly(catalog, spec, taken, tuple(prefer)).image()


@final
@attrs.define
class _Slot:
    """A component name while composing: who holds it now and whom it beat."""

    component: Component
    source: ComponentSource
    rule: Rule
    overridden: list[OverriddenComponent] = attrs.Factory(list)


class _Assembly:
    """One image being put together."""

    def __init__(self, catalog: Catalog, spec: SoftwareSpec, taken: Taken, prefer: tuple[str, ...]) -> None:
        self.catalog = catalog
        self.spec = spec
        self.taken = taken
        self.base_image = resolve_base_image(catalog, spec.base_image)
        self.add_on = add_on_of(catalog, spec, taken)
        self.packages = list(packages_of(catalog, spec, taken))
        self.solutions = list(solutions_of(catalog, spec, taken))
        self.vibs = VibChoice(catalog, prefer)
        self.slots: dict[str, _Slot] = {}
        self.losers: list[tuple[Component, ComponentSource, ReserveReason, str]] = []
        self.removed: list[RemovedComponent] = []
        self.missing: dict[str, tuple[MissingComponent, list[OverriddenComponent]]] = {}

    def image(self) -> Image:
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
            name=_image_name(
                self.base_image, self.add_on, is_custom=bool(self.spec.components or self.spec.removed_components)
            ),
            vendor=self.add_on.vendor if self.add_on is not None else self.base_image.vendor,
            spec=self.spec,
            base_image=self.base_image,
            add_on=self.add_on,
            hardware_support=self.packages,
            solutions=[solution for solution, _ in self.solutions],
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
            uncomposed_alternatives=[alternative.id for alternative in self.spec.alternative_images],
        )

    def _put_units(self) -> None:
        self._put_references(self.base_image.components, ComponentSource.BASE_IMAGE)
        if self.add_on is not None:
            self._remove(self.add_on.removed_components, ComponentSource.ADD_ON)
            self._put_references(self.add_on.components, ComponentSource.ADD_ON)
        for package in self.packages:
            self._remove(package.removed_components, ComponentSource.HARDWARE_SUPPORT_PACKAGE)
            self._put_references(package.components, ComponentSource.HARDWARE_SUPPORT_PACKAGE)
        for solution, reference in self.solutions:
            for part in wanted_parts(solution, reference):
                self._put_part(solution, part)

    def _put_part(self, solution: Solution, part: SolutionComponent) -> None:
        loaded = self.catalog.components_by_name.get(part.name, ())
        if not any(accepts(part, component) for component in loaded):
            self._miss(part, ComponentSource.SOLUTION)
            return
        found = self.taken.get((ComponentSource.SOLUTION, solution.name, part.name))
        if isinstance(found, Component) and accepts(part, found):
            self._put(found, ComponentSource.SOLUTION, Rule.HIGHEST_AVAILABLE)

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
            else:
                found = self.taken.get((ComponentSource.USER, "", name))
                if isinstance(found, Component):
                    self._put(found, ComponentSource.USER, Rule.HIGHEST_AVAILABLE)

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

    def _remove(self, names: Iterable[str], source: ComponentSource) -> None:
        for name in sorted(names):
            slot = self.slots.get(name)
            if slot is not None and is_core_component(slot.component, self.catalog.vibs_by_id):
                raise _core_removed(name, source)
            dropped = self._drop(name, ReserveReason.COMPONENT_REMOVED)
            self.removed.append(RemovedComponent(name=name, source=source, removed=dropped))


def add_on_of(catalog: Catalog, spec: SoftwareSpec, taken: Taken) -> AddOn | None:
    """Return the add-on of a wish: the one named, else the one taken."""
    if spec.add_on is not None:
        return catalog.add_on(spec.add_on.name, spec.add_on.version.text)
    return next((found for found in taken.values() if isinstance(found, AddOn)), None)


def packages_of(catalog: Catalog, spec: SoftwareSpec, taken: Taken) -> Iterator[HardwareSupport]:
    """Yield the hardware support packages of a wish by name, as they are named or taken."""
    for wanted in sorted(spec.hardware_support, key=lambda reference: reference.package):
        if wanted.version:
            yield catalog.hardware_support_package(wanted.package, wanted.version)
        else:
            found = taken.get((ComponentSource.HARDWARE_SUPPORT_PACKAGE, wanted.package, ""))
            yield from (found,) if isinstance(found, HardwareSupport) else ()


def solutions_of(catalog: Catalog, spec: SoftwareSpec, taken: Taken) -> Iterator[tuple[Solution, SolutionReference]]:
    """Yield the solutions of a wish by name, as they are named or taken, each with what the spec says of it."""
    for wanted in sorted(spec.solutions, key=lambda reference: reference.name):
        if wanted.version:
            yield catalog.solution(wanted.name, wanted.version), wanted
        else:
            found = taken.get((ComponentSource.SOLUTION, wanted.name, ""))
            yield from ((found, wanted),) if isinstance(found, Solution) else ()


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
