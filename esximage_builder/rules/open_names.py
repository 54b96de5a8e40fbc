"""What a wish leaves open: each name once, in the order in which its versions count, highest version first.

Rules (docs/concepts.md#composing):

* Left open are an add-on without version, hardware support packages and solutions without version, the
  components of solutions, which accept several, and the user's components without version.
* Sources from low to high, then by name: add-on, packages, solutions, each with its components by name
  after it, and last the user's components. Of two whole choices the one counts as higher that has the
  higher version at the first name where they differ.
* Candidates are the loaded versions; of a solution's component those that a solution which is a candidate
  accepts.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, TypeVar, final

import attrs

from esximage_builder.models.add_on import AddOn
from esximage_builder.models.component import Component
from esximage_builder.models.hardware_support import HardwareSupport
from esximage_builder.models.solution import Solution
from esximage_builder.vocabulary import ComponentSource

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from esximage_builder.models.catalog import Catalog
    from esximage_builder.models.solution import SolutionComponent
    from esximage_builder.models.spec import SoftwareSpec, SolutionReference

__all__ = ["Candidate", "Key", "OpenName", "Taken", "accepts", "loaded_units", "open_names_of", "wanted_parts"]

Candidate = AddOn | HardwareSupport | Solution | Component
Key = tuple[ComponentSource, str, str]
"""Source, name of the release unit, name of the component; one of the names may be empty."""
Taken = Mapping[Key, Candidate]
"""What is taken for open names; those it does not have are left out of the image."""

_Unit = TypeVar("_Unit", AddOn, HardwareSupport, Solution)


@final
@attrs.frozen(eq=False)
class OpenName:
    """A name whose version is open.

    Attributes:
        source: Who brings it.
        unit: Name of the add-on, package or solution; empty for the user's components.
        component: Name of the component; empty for an add-on, package or solution itself.
        candidates: Loaded versions, highest first; at least one. None stands for leaving it out, where
            that is allowed.
    """

    source: ComponentSource
    unit: str
    component: str
    candidates: tuple[Candidate | None, ...]

    @property
    def key(self) -> Key:
        """What it goes by in ``Taken``."""
        return (self.source, self.unit, self.component)

    @property
    def name(self) -> str:
        """Its own name."""
        return self.component or self.unit


def open_names_of(catalog: Catalog, spec: SoftwareSpec, add_on: str = "") -> tuple[OpenName, ...]:
    """Return what a spec leaves open, in the order in which it counts; what is not loaded at all is left out.

    Args:
        catalog: What is loaded.
        spec: What is wanted.
        add_on: Name of an add-on without version, beside the spec; empty for none.

    Raises:
        NotInDepotError: No add-on, or no component of the user's, of a name is loaded in any version.
    """
    found = (*_add_on(catalog, add_on), *_packages(catalog, spec), *_solutions(catalog, spec), *_users(catalog, spec))
    return tuple({name.key: name for name in found if name.candidates}.values())


def _add_on(catalog: Catalog, name: str) -> Iterator[OpenName]:
    if name:
        named = loaded_units(catalog.add_ons, name)
        if not named:
            catalog.add_on(name, "any version")
        yield OpenName(ComponentSource.ADD_ON, name, "", named)


def _packages(catalog: Catalog, spec: SoftwareSpec) -> Iterator[OpenName]:
    for package in sorted({item.package for item in spec.hardware_support if not item.version}):
        named = loaded_units(catalog.hardware_support, package)
        yield OpenName(ComponentSource.HARDWARE_SUPPORT_PACKAGE, package, "", named)


def _solutions(catalog: Catalog, spec: SoftwareSpec) -> Iterator[OpenName]:
    for wanted in sorted(spec.solutions, key=lambda item: item.name):
        if wanted.version:
            solutions: tuple[Solution, ...] = (catalog.solution(wanted.name, wanted.version),)
        else:
            solutions = loaded_units(catalog.solutions, wanted.name)
            yield OpenName(ComponentSource.SOLUTION, wanted.name, "", solutions)
        yield from _parts(catalog, wanted, solutions)


def _parts(catalog: Catalog, wanted: SolutionReference, solutions: Iterable[Solution]) -> Iterator[OpenName]:
    by_name: dict[str, list[SolutionComponent]] = {}
    for part in (part for solution in solutions for part in wanted_parts(solution, wanted)):
        by_name.setdefault(part.name, []).append(part)
    for name, parts in sorted(by_name.items()):
        loaded = _highest_first(catalog.components_by_name.get(name, ()))
        accepted = tuple(found for found in loaded if any(accepts(part, found) for part in parts))
        yield OpenName(ComponentSource.SOLUTION, wanted.name, name, accepted)


def _users(catalog: Catalog, spec: SoftwareSpec) -> Iterator[OpenName]:
    for name in sorted(name for name, version in spec.components if version is None):
        found = catalog.components_by_name.get(name) or (catalog.component(name, ""),)
        yield OpenName(ComponentSource.USER, "", name, _highest_first(found))


def wanted_parts(solution: Solution, reference: SolutionReference) -> list[SolutionComponent]:
    """Return what the spec names of the solution's components, by name; all if it names none."""
    parts = (part for part in solution.components if not reference.components or part.name in reference.components)
    return sorted(parts, key=lambda part: part.name)


def accepts(part: SolutionComponent, component: Component) -> bool:
    """Tell whether a solution takes this version of its component."""
    return not part.versions or component.version.text in {version.text for version in part.versions}


def loaded_units(units: Iterable[_Unit], name: str) -> tuple[_Unit, ...]:
    """Return the loaded versions of a release unit, highest first."""
    named = {unit.id: unit for unit in units if unit.name == name}
    return tuple(sorted(named.values(), key=lambda unit: (unit.version, unit.version.text), reverse=True))


def _highest_first(components: Iterable[Component]) -> tuple[Component, ...]:
    """Return them highest first; of two contents of one id the one that the catalog has first."""
    by_id: dict[str, Component] = {}
    for component in components:
        by_id.setdefault(component.id, component)
    return tuple(sorted(by_id.values(), key=lambda found: (found.version, found.version.text), reverse=True))
