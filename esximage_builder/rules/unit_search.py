"""Which loaded release units explain the components of an image that does not say who brought them.

Rules (docs/concepts.md#taking-apart):

* The units that leave the least unexplained are taken; of as good ones those that leave fewer
  removals to the user, then those that are all units of depots that hold nothing else, then the fewest.
* A unit that validation would refuse on that base image is no candidate.
* Of a solution those components are wanted that the image has in a version which it accepts.
* Units that explain as much in each other's place are a tie: none of them is taken, all are named.

The search climbs: with each add-on, and with none, packages and solutions are put in and taken out one
by one as long as that is better, from none of them and from all of them. So its steps grow with the
candidates, not with their combinations.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, final

import attrs

from esximage_builder.findings import Severity
from esximage_builder.models.fields import as_tuple
from esximage_builder.models.hardware_support import HardwareSupport
from esximage_builder.models.solution import Solution
from esximage_builder.rules.release_fit import check_add_on, check_hardware_support

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from esximage_builder.findings import Finding
    from esximage_builder.models.add_on import AddOn
    from esximage_builder.models.base_image import BaseImage
    from esximage_builder.models.catalog import Catalog
    from esximage_builder.models.component import ComponentReference

__all__ = ["FoundUnits", "find_units"]


@final
@attrs.frozen(kw_only=True)
class FoundUnits:
    """What explains an image beside its base image.

    Attributes:
        add_on: None if none does.
        hardware_support: Sorted by name.
        solutions: Sorted by name; each with those of its components alone that the image has.
        loose: Components that nothing explains, sorted by name.
        removed: Names that the units bring and the image lacks, sorted.
        tied: Units of which one explains as much as the other, so that none is taken.
    """

    add_on: AddOn | None = None
    hardware_support: tuple[HardwareSupport, ...] = attrs.field(default=(), converter=as_tuple)
    solutions: tuple[Solution, ...] = attrs.field(default=(), converter=as_tuple)
    loose: tuple[ComponentReference, ...] = attrs.field(default=(), converter=as_tuple)
    removed: tuple[str, ...] = attrs.field(default=(), converter=as_tuple)
    tied: tuple[AddOn | HardwareSupport | Solution, ...] = attrs.field(default=(), converter=as_tuple)


def find_units(base_image: BaseImage, installed: Mapping[str, ComponentReference], catalog: Catalog) -> FoundUnits:
    """Return the loaded units that explain the components best.

    Args:
        base_image: That of the image.
        installed: The image's components by name.
        catalog: Where to look for units.
    """
    return _Search(base_image, installed, catalog).result()


_Extra = HardwareSupport | Solution
_Rank = tuple[int, int, bool, int, int]


@final
@attrs.frozen
class _Chosen:
    """A combination of units; no name is in it in two versions."""

    add_on: AddOn | None
    extras: frozenset[_Extra] = frozenset()

    def without(self, unit: _Extra) -> _Chosen:
        """Return the combination without that unit, in whatever version."""
        kept = frozenset(known for known in self.extras if _place(known) != _place(unit))
        return attrs.evolve(self, extras=kept)

    def with_unit(self, unit: _Extra) -> _Chosen:
        """Return the combination with that unit, in place of its other versions."""
        return attrs.evolve(self, extras=self.without(unit).extras | {unit})

    @property
    def in_order(self) -> list[_Extra]:
        """Packages and solutions as they are composed: the later ones win."""
        return sorted(self.extras, key=_place)


def _place(unit: _Extra) -> tuple[bool, str]:
    return (isinstance(unit, Solution), unit.name)


class _Search:
    """One search under way."""

    def __init__(self, base_image: BaseImage, installed: Mapping[str, ComponentReference], catalog: Catalog) -> None:
        self._base = {reference.name: frozenset({reference.version.text}) for reference in base_image.components}
        self._installed = {name: reference.version.text for name, reference in installed.items()}
        self._references = installed
        self._catalog = catalog
        self._add_ons = [
            unit for unit in catalog.add_ons if _fits(check_add_on(unit, base_image)) and self._has_to_do(unit)
        ]
        packages = [
            unit
            for unit in catalog.hardware_support
            if _fits(check_hardware_support(unit, base_image)) and self._has_to_do(unit)
        ]
        solutions = [wanted for unit in catalog.solutions if (wanted := self._wanted(unit)).components]
        self._extras: list[_Extra] = [*packages, *solutions]

    def result(self) -> FoundUnits:
        """Climb until no two units explain as much in each other's place."""
        tied: list[AddOn | _Extra] = []
        chosen = self._best()
        while equals := self._equals(chosen):
            tied += equals
            names = {_place(unit) for unit in equals if isinstance(unit, _Extra)}
            self._extras = [unit for unit in self._extras if _place(unit) not in names]
            self._add_ons = self._add_ons if names else []
            chosen = self._best()
        expected = self._expected(chosen)
        return FoundUnits(
            add_on=chosen.add_on,
            hardware_support=[unit for unit in chosen.in_order if isinstance(unit, HardwareSupport)],
            solutions=[unit for unit in chosen.in_order if isinstance(unit, Solution)],
            loose=[self._references[name] for name in sorted(self._unexplained(expected))],
            removed=sorted(expected.keys() - self._installed.keys()),
            tied=sorted(tied, key=lambda unit: (unit.name, unit.version)),
        )

    def _has_to_do(self, unit: AddOn | HardwareSupport) -> bool:
        """Tell whether the image has a component of the unit, in any version, or lacks one that it takes off."""
        lacks = self._base.keys() - self._installed.keys()
        brings = any(reference.name in self._installed for reference in unit.components)
        return brings or not lacks.isdisjoint(unit.removed_components)

    def _wanted(self, solution: Solution) -> Solution:
        """Return the solution with those of its components alone that the image has."""
        parts = [
            part
            for part in solution.components
            if part.name in self._installed and self._installed[part.name] in self._accepted(solution, part.name)
        ]
        return attrs.evolve(solution, components=parts)

    def _accepted(self, solution: Solution, name: str) -> frozenset[str]:
        """Return the versions that a solution takes of one of its components, of those that are loaded."""
        loaded = {component.version.text for component in self._catalog.components_by_name.get(name, ())}
        stated = {version.text for part in solution.components if part.name == name for version in part.versions}
        return frozenset(loaded & stated if stated else loaded)

    def _best(self) -> _Chosen:
        return min(
            (self._climbed(start) for add_on in (None, *self._add_ons) for start in self._starts(add_on)),
            key=self._rank,
        )

    def _starts(self, add_on: AddOn | None) -> Iterator[_Chosen]:
        nothing = _Chosen(add_on)
        yield nothing
        if self._extras:
            yield functools.reduce(_Chosen.with_unit, self._extras, nothing)

    def _climbed(self, chosen: _Chosen) -> _Chosen:
        """Change one package or solution at a time as long as that is better."""
        best = min(self._neighbours(chosen), key=self._rank, default=chosen)
        while self._rank(best) < self._rank(chosen):
            chosen = best
            best = min(self._neighbours(chosen), key=self._rank, default=chosen)
        return chosen

    def _neighbours(self, chosen: _Chosen) -> Iterator[_Chosen]:
        for unit in self._extras:
            yield chosen.without(unit) if unit in chosen.extras else chosen.with_unit(unit)

    def _rank(self, chosen: _Chosen) -> _Rank:
        """Return how bad a combination is; see the rules above."""
        expected = self._expected(chosen)
        removed = len(expected.keys() - self._installed.keys())
        return (
            removed + len(self._unexplained(expected)),
            removed,
            not self._places_all(chosen),
            len(chosen.extras) + (chosen.add_on is not None),
            len(chosen.extras),
        )

    def _expected(self, chosen: _Chosen) -> dict[str, frozenset[str]]:
        """Return the components that base image and units make together, each with the versions that fit."""
        expected = dict(self._base)
        if chosen.add_on is not None:
            _put(expected, chosen.add_on)
        for unit in chosen.in_order:
            if isinstance(unit, HardwareSupport):
                _put(expected, unit)
            else:
                expected |= {part.name: self._accepted(unit, part.name) for part in unit.components}
        return expected

    def _unexplained(self, expected: Mapping[str, frozenset[str]]) -> list[str]:
        return [name for name, version in self._installed.items() if version not in expected.get(name, ())]

    def _places_all(self, chosen: _Chosen) -> bool:
        """Tell whether the units are all that are loaded, and with them every loaded component has its place.

        That is so where the depots hold one image and nothing else, as a bundle does.
        """
        if self._loaded_units != len(chosen.extras) + (chosen.add_on is not None):
            return False
        lists = [chosen.add_on, *(unit for unit in chosen.extras if isinstance(unit, HardwareSupport))]
        listed = {str(reference) for unit in lists if unit is not None for reference in unit.components}
        return listed >= self._beside

    @functools.cached_property
    def _loaded_units(self) -> int:
        """How many add-ons, packages and solutions are loaded that list anything."""
        catalog = self._catalog
        changing: list[AddOn | HardwareSupport] = [*catalog.add_ons, *catalog.hardware_support]
        listing = sum(bool(unit.components or unit.removed_components) for unit in changing)
        return listing + sum(bool(unit.components) for unit in catalog.solutions)

    @functools.cached_property
    def _beside(self) -> frozenset[str]:
        """Ids of loaded components that are neither installed nor the base image's."""
        known = {f"{name}:{version}" for name, version in self._installed.items()}
        known |= {f"{name}:{version}" for name, versions in self._base.items() for version in versions}
        return frozenset(component.id for component in self._catalog.components if component.id not in known)

    def _equals(self, chosen: _Chosen) -> list[AddOn | _Extra]:
        """Return units of which one does as well as the other in its place; empty if there are none."""
        rank = self._rank(chosen)
        if chosen.add_on is not None:
            same = [unit for unit in self._add_ons if self._rank_with(unit) == rank]
            if len(same) > 1:
                return list(same)
        for unit in chosen.in_order:
            rest = chosen.without(unit)
            alike = [
                other
                for other in self._extras
                if other not in rest.extras and type(other) is type(unit) and self._rank(rest.with_unit(other)) == rank
            ]
            if len(alike) > 1:
                return list(alike)
        return []

    def _rank_with(self, add_on: AddOn) -> _Rank:
        return min(self._rank(self._climbed(start)) for start in self._starts(add_on))


def _fits(findings: Iterable[Finding]) -> bool:
    return all(finding.severity is not Severity.ERROR for finding in findings)


def _put(expected: dict[str, frozenset[str]], unit: AddOn | HardwareSupport) -> None:
    for name in unit.removed_components:
        expected.pop(name, None)
    expected |= {reference.name: frozenset({reference.version.text}) for reference in unit.components}
