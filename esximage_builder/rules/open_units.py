"""Which add-on, hardware support package or solution is meant where its version is left open.

Rules (docs/concepts.md#composing):

* Of a package or solution the only loaded version is taken. Where several are, or none, none is:
  the choice says which, and validation calls it an error.
* Of an add-on the highest loaded version that goes with the base image is taken, else the
  highest; what stands against it is for validation.

All choosing is done here, and each choice is kept as a value.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeVar, final

import attrs

from esximage_builder.findings import Severity
from esximage_builder.models.image import UnitChoice
from esximage_builder.rules.release_fit import check_add_on
from esximage_builder.vocabulary import ComponentSource

if TYPE_CHECKING:
    from collections.abc import Iterable

    from esximage_builder.models.add_on import AddOn
    from esximage_builder.models.base_image import BaseImage
    from esximage_builder.models.catalog import Catalog
    from esximage_builder.models.hardware_support import HardwareSupport
    from esximage_builder.models.solution import Solution, SolutionComponent
    from esximage_builder.models.spec import SoftwareSpec, SolutionReference
    from esximage_builder.versions import AddOnVersion

__all__ = ["SpecUnits", "choose_add_on", "units_of"]


class _ReleaseUnit(Protocol):
    @property
    def name(self) -> str: ...

    @property
    def version(self) -> AddOnVersion: ...


_Unit = TypeVar("_Unit", bound=_ReleaseUnit)


@final
@attrs.define
class SpecUnits:
    """The packages and solutions of a spec, sorted by name.

    Attributes:
        hardware_support: Packages.
        solutions: Solutions.
        solution_components: What of the solutions is wanted, in their order.
        choices: What became of open versions.
    """

    hardware_support: list[HardwareSupport] = attrs.Factory(list)
    solutions: list[Solution] = attrs.Factory(list)
    solution_components: list[SolutionComponent] = attrs.Factory(list)
    choices: list[UnitChoice] = attrs.Factory(list)


def units_of(catalog: Catalog, spec: SoftwareSpec) -> SpecUnits:
    """Return the packages and solutions of a spec, open versions chosen.

    Raises:
        NotInDepotError: One is named with a version that is not loaded.
    """
    units = SpecUnits()
    for wanted in sorted(spec.hardware_support, key=lambda reference: reference.package):
        if wanted.version:
            units.hardware_support.append(catalog.hardware_support_package(wanted.package, wanted.version))
        else:
            source = ComponentSource.HARDWARE_SUPPORT_PACKAGE
            units.hardware_support += _only_loaded(catalog.hardware_support, wanted.package, source, units.choices)
    for named in sorted(spec.solutions, key=lambda reference: reference.name):
        found = [catalog.solution(named.name, named.version)] if named.version else None
        if found is None:
            found = _only_loaded(catalog.solutions, named.name, ComponentSource.SOLUTION, units.choices)
        units.solutions += found
        units.solution_components += [part for solution in found for part in _wanted_parts(solution, named)]
    return units


def _wanted_parts(solution: Solution, reference: SolutionReference) -> list[SolutionComponent]:
    """Return what the spec names of the solution's components; all if it names none."""
    return [part for part in solution.components if not reference.components or part.name in reference.components]


def _only_loaded(units: Iterable[_Unit], name: str, source: ComponentSource, choices: list[UnitChoice]) -> list[_Unit]:
    """Return the loaded unit of that name if there is just one, and note the choice."""
    named = _named(units, name)
    taken = named if len(named) == 1 else []
    choices.append(_choice(source, name, named, taken[0] if taken else None))
    return taken


def choose_add_on(catalog: Catalog, base_image: BaseImage, name: str) -> tuple[AddOn, UnitChoice]:
    """Return the loaded add-on of that name that goes best with a base image, and the choice as a value.

    Raises:
        NotInDepotError: None of that name is loaded.
    """
    named = _named(catalog.add_ons, name)
    if not named:
        catalog.add_on(name, "any version")
    fitting = [unit for unit in named if _goes_with(unit, base_image)]
    taken = (fitting or named)[-1]
    return taken, _choice(ComponentSource.ADD_ON, name, named, taken)


def _goes_with(add_on: AddOn, base_image: BaseImage) -> bool:
    return all(finding.severity is not Severity.ERROR for finding in check_add_on(add_on, base_image))


def _named(units: Iterable[_Unit], name: str) -> list[_Unit]:
    """Return the units of that name, lowest version first."""
    return sorted((unit for unit in units if unit.name == name), key=lambda unit: unit.version)


def _choice(source: ComponentSource, name: str, named: Iterable[_Unit], taken: _Unit | None) -> UnitChoice:
    return UnitChoice(
        source=source,
        name=name,
        version="" if taken is None else taken.version.text,
        loaded=[unit.version.text for unit in named],
    )
