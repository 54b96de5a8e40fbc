"""What each component name can hold, whatever is taken for the open names.

A slot is a component name. Sources act on it from low to high, and each either puts a component, empties
it or leaves it alone; what is fixed acts always alike, an open name differently by its version. What a
higher source does in every case hides what lower ones do. Nothing is decided here: the search asks these
slots which versions could have to do with a fault, and images are put together in ``rules.assemble``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, final

import attrs

from esximage_builder.models.add_on import AddOn
from esximage_builder.models.hardware_support import HardwareSupport
from esximage_builder.models.solution import Solution
from esximage_builder.rules.assemble import packages_of, solutions_of
from esximage_builder.rules.open_names import accepts, wanted_parts
from esximage_builder.rules.releases import resolve_base_image
from esximage_builder.vocabulary import ComponentSource

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from esximage_builder.models.catalog import Catalog
    from esximage_builder.models.component import ComponentReference
    from esximage_builder.models.solution import SolutionComponent
    from esximage_builder.models.spec import SoftwareSpec, SolutionReference
    from esximage_builder.rules.open_names import Candidate, Key, OpenName

__all__ = ["EMPTY", "Slot", "Touch", "slots_of"]

EMPTY = ""
"""What a slot holds that nobody fills; where something is wanted that is not loaded, it holds ``!`` and its name."""


@final
@attrs.frozen
class Touch:
    """What an open name does to a slot.

    Attributes:
        place: Of the open name in its order.
        effects: By rank the id of the component put, or ``EMPTY``; None leaves the slot alone.
        follows: True if it acts only where the touch before it does: a solution says whether its
            component is wanted at all.
    """

    place: int
    effects: tuple[str | None, ...]
    follows: bool = False

    def alike(self, rank: int) -> int:
        """Return as bits the ranks that do the same as this one."""
        return sum(1 << other for other, effect in enumerate(self.effects) if effect == self.effects[rank])


@final
@attrs.define
class Slot:
    """A component name.

    Attributes:
        name: The name.
        fixed: What it holds as long as no open name acts on it.
        touches: What open names do to it, lowest source first.
    """

    name: str
    fixed: str = EMPTY
    touches: list[Touch] = attrs.Factory(list)
    _bits: dict[str, int] = attrs.field(factory=dict, init=False)

    @property
    def outcomes(self) -> set[str]:
        """All that it can hold."""
        return {self.fixed, *(effect for touch in self.touches for effect in touch.effects if effect is not None)}

    @property
    def is_open(self) -> bool:
        """True if what it holds depends on open names."""
        return bool(self.touches)

    @property
    def has_one_touch(self) -> bool:
        """True if one open name alone decides, so that each of its ranks has one outcome."""
        return len(self.touches) == 1

    def bits(self, outcome: str) -> int:
        """Return the ranks of the only open name that lead to an outcome."""
        if not self._bits:
            for rank, effect in enumerate(self.touches[0].effects):
                held = self.fixed if effect is None else effect
                self._bits[held] = self._bits.get(held, 0) | 1 << rank
        return self._bits.get(outcome, 0)

    def outcome(self, ranks: Sequence[int]) -> str:
        """Return what it holds with those ranks."""
        held, acted = self.fixed, True
        for touch in self.touches:
            effect = None if touch.follows and not acted else touch.effects[ranks[touch.place]]
            acted = effect is not None
            held = held if effect is None else effect
        return held

    def fix(self, held: str) -> None:
        """Let a fixed source act."""
        self.fixed = held
        self.touches.clear()

    def touch(self, touch: Touch) -> None:
        """Let an open name act."""
        if not touch.follows and None not in touch.effects:
            self.fix(EMPTY)
        self.touches.append(touch)


def slots_of(catalog: Catalog, spec: SoftwareSpec, names: Sequence[OpenName]) -> dict[str, Slot]:
    """Return the slots by name.

    Args:
        catalog: What is loaded.
        spec: What is wanted.
        names: What it leaves open.
    """
    return _Slots(catalog, spec, names).slots


class _Slots:
    def __init__(self, catalog: Catalog, spec: SoftwareSpec, names: Sequence[OpenName]) -> None:
        self._catalog = catalog
        self._spec = spec
        self._names = names
        self._places: dict[Key, int] = {name.key: place for place, name in enumerate(names)}
        self.slots: dict[str, Slot] = {}
        self._fix_references(resolve_base_image(catalog, spec.base_image).components)
        self._act_of_add_on()
        self._act_of_packages()
        self._act_of_solutions()
        self._act_of_user()

    def _slot(self, name: str) -> Slot:
        return self.slots.setdefault(name, Slot(name))

    def _held(self, reference: ComponentReference) -> str:
        loaded = self._catalog.components_by_name.get(reference.name, ())
        return str(reference) if any(found.id == str(reference) for found in loaded) else f"!{reference}"

    def _fix_references(self, references: Iterable[ComponentReference]) -> None:
        for reference in references:
            self._slot(reference.name).fix(self._held(reference))

    def _fix_unit(self, unit: AddOn | HardwareSupport) -> None:
        for name in unit.removed_components:
            self._slot(name).fix(EMPTY)
        self._fix_references(unit.components)

    def _effects(self, unit: Candidate | None) -> dict[str, str]:
        if not isinstance(unit, AddOn | HardwareSupport):
            return {}
        effects = dict.fromkeys(unit.removed_components, EMPTY)
        return effects | {reference.name: self._held(reference) for reference in unit.components}

    def _touch_unit(self, name: OpenName) -> None:
        """Let every version of an open add-on or package act on each slot that any of them names."""
        by_rank = [self._effects(unit) for unit in name.candidates]
        for touched in sorted(set().union(*by_rank)):
            effects = tuple(effects.get(touched) for effects in by_rank)
            self._slot(touched).touch(Touch(self._places[name.key], effects))

    def _act_of_add_on(self) -> None:
        wanted = self._spec.add_on
        if wanted is not None:
            self._fix_unit(self._catalog.add_on(wanted.name, wanted.version.text))
        for name in self._names:
            if name.source is ComponentSource.ADD_ON:
                self._touch_unit(name)

    def _act_of_packages(self) -> None:
        is_package = ComponentSource.HARDWARE_SUPPORT_PACKAGE
        packages: list[HardwareSupport | OpenName] = [*packages_of(self._catalog, self._spec, {})]
        packages += [name for name in self._names if name.source is is_package]
        for found in sorted(packages, key=lambda package: package.name):
            if isinstance(found, HardwareSupport):
                self._fix_unit(found)
            else:
                self._touch_unit(found)

    def _act_of_solutions(self) -> None:
        fixed = {solution.name: solution for solution, _ in solutions_of(self._catalog, self._spec, {})}
        for reference in sorted(self._spec.solutions, key=lambda item: item.name):
            key = (ComponentSource.SOLUTION, reference.name, "")
            if reference.name in fixed:
                for part in wanted_parts(fixed[reference.name], reference):
                    self._act_of_part(reference.name, part)
            elif key in self._places:
                self._touch_solution(self._names[self._places[key]], reference)

    def _act_of_part(self, solution: str, part: SolutionComponent) -> None:
        touch = self._part_touch(solution, part.name, follows=False)
        if touch is None:
            self._slot(part.name).fix(f"!{part}")
        else:
            self._slot(part.name).touch(touch)

    def _part_touch(self, solution: str, component: str, *, follows: bool) -> Touch | None:
        place = self._places.get((ComponentSource.SOLUTION, solution, component))
        if place is None:
            return None
        return Touch(place, _ids(self._names[place]), follows=follows)

    def _touch_solution(self, name: OpenName, reference: SolutionReference) -> None:
        """Let an open solution act: its version says what it wants, its components' versions what it gets."""
        for component in sorted({part.name for part, _ in self._parts(name, reference)}):
            effects: list[str | None] = [None] * len(name.candidates)
            for part, rank in self._parts(name, reference):
                if part.name == component:
                    effects[rank] = EMPTY if self._is_loaded(part) else f"!{part}"
            slot = self._slot(component)
            slot.touch(Touch(self._places[name.key], tuple(effects)))
            touch = self._part_touch(name.unit, component, follows=True)
            if touch is not None:
                slot.touch(touch)

    @staticmethod
    def _parts(name: OpenName, reference: SolutionReference) -> Iterator[tuple[SolutionComponent, int]]:
        for rank, solution in enumerate(name.candidates):
            if isinstance(solution, Solution):
                yield from ((part, rank) for part in wanted_parts(solution, reference))

    def _is_loaded(self, part: SolutionComponent) -> bool:
        return any(accepts(part, found) for found in self._catalog.components_by_name.get(part.name, ()))

    def _act_of_user(self) -> None:
        for name, version in self._spec.components:
            place = self._places.get((ComponentSource.USER, "", name))
            if version is not None:
                self._slot(name).fix(f"{name}:{version}")
            elif place is not None:
                self._slot(name).touch(Touch(place, _ids(self._names[place])))
        for name in self._spec.removed_components:
            self._slot(name).fix(EMPTY)


def _ids(name: OpenName) -> tuple[str | None, ...]:
    return tuple(None if found is None else found.id for found in name.candidates)
