"""Which versions of which open names have to do with a fault of an image.

A fault is a finding. The answer is an incompatibility: for some open names a set of versions, such that
every image with one of each has this fault or one that is no better. It need not be the largest such set,
but it has to hold; where nothing is known of a finding, it is this one image.

* A fault lasts as long as the VIBs it names are installed: findings name all that makes them true. A
  dependency that is missing lasts besides as long as nobody is there who could meet it.
* A VIB stays installed as long as a component brings it, nobody brings a higher one of its name, and
  nobody replaces it. Where VIBs replace each other, it lasts only as long as the very same VIBs of
  all these names are brought.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, final

import attrs

from esximage_builder.codes import has_code
from esximage_builder.models.image import ReserveReason
from esximage_builder.rules.relations import is_met_by, provides_of
from esximage_builder.rules.search import Incompatibility
from esximage_builder.rules.vib_selection import VibChoice

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from esximage_builder.findings import Finding
    from esximage_builder.models.catalog import Catalog
    from esximage_builder.models.constraint import Constraint
    from esximage_builder.models.image import Image
    from esximage_builder.models.vib import Vib
    from esximage_builder.rules.open_names import OpenName
    from esximage_builder.rules.slots import Slot
    from esximage_builder.versions import VibVersion

__all__ = ["Blame"]

_STATED = (ReserveReason.LOWER_VERSION, ReserveReason.REPLACED)


@final
@attrs.frozen
class _Bringer:
    """A component that a slot can hold, and a VIB of it."""

    slot: Slot
    component: str
    vib: Vib


class Blame:
    """Finds what has to do with a fault, for one wish.

    Args:
        catalog: What is loaded.
        names: What the wish leaves open.
        slots: What each component name can hold.
        prefer: Source names, best first, for ids with different contents.
    """

    def __init__(
        self, catalog: Catalog, names: Sequence[OpenName], slots: dict[str, Slot], prefer: tuple[str, ...]
    ) -> None:
        self.names = names
        self.slots = slots
        self._vibs = VibChoice(catalog, prefer)
        self._vib_ids = {component.id: component.vib_ids for component in reversed(catalog.components)}

    def incompatibility(self, fault: Finding, image: Image, ranks: tuple[int, ...]) -> Incompatibility:
        """Return the versions that the fault comes with.

        Args:
            fault: A finding of the image, or of the error that kept it from being put together.
            image: The image; where there is none, the one without any open name.
            ranks: What is taken for the open names.
        """
        terms = _Terms(self, image, ranks)
        terms.add_fault(fault)
        return terms.incompatibility(fault)

    def bringers_of(self, slot: Slot) -> Iterator[_Bringer]:
        """Yield the components that a slot can hold with each of their loaded VIBs."""
        for component in sorted(slot.outcomes):
            for vib_id in dict.fromkeys(self._vib_ids.get(component, ())):
                vib = self._vibs.choose(vib_id)
                if vib is not None:
                    yield _Bringer(slot, component, vib)

    @functools.cached_property
    def bringers(self) -> tuple[_Bringer, ...]:
        """All that any image can have."""
        return tuple(bringer for slot in self.slots.values() for bringer in self.bringers_of(slot))

    @functools.cached_property
    def by_vib_name(self) -> dict[str, list[_Bringer]]:
        """Bringers by the names of their VIBs."""
        found: dict[str, list[_Bringer]] = {}
        for bringer in self.bringers:
            found.setdefault(bringer.vib.name, []).append(bringer)
        return found

    @functools.cached_property
    def by_provided(self) -> dict[str, list[tuple[_Bringer, VibVersion | None]]]:
        """Bringers by what their VIBs provide, each with the version."""
        found: dict[str, list[tuple[_Bringer, VibVersion | None]]] = {}
        for bringer in self.bringers:
            for name, version in provides_of(bringer.vib):
                found.setdefault(name, []).append((bringer, version))
        return found

    @functools.cached_property
    def replaced_by(self) -> dict[str, set[str]]:
        """Names of VIBs, with the names of those that state that they replace them."""
        found: dict[str, set[str]] = {}
        for bringer in self.bringers:
            for constraint in bringer.vib.replaces:
                found.setdefault(constraint.name, set()).add(bringer.vib.name)
        return found

    def rivals_of(self, name: str) -> set[str]:
        """Return the names of all VIBs that decide together whether one of this name is installed."""
        rivals, waiting = {name}, [name]
        while waiting:
            more = self.replaced_by.get(waiting.pop(), set()) - rivals
            rivals |= more
            waiting += sorted(more)
        return rivals

    def vib_names_of(self, component: str, names: set[str]) -> frozenset[str]:
        """Return the ids of a component's loaded VIBs of some names."""
        vibs = (self._vibs.choose(vib_id) for vib_id in self._vib_ids.get(component, ()))
        return frozenset(vib.id for vib in vibs if vib is not None and vib.name in names)


class _Terms:
    """The terms of one incompatibility as they come together."""

    def __init__(self, blame: Blame, image: Image, ranks: tuple[int, ...]) -> None:
        self._blame = blame
        self._image = image
        self._ranks = ranks
        self._bits: dict[int, int] = {}

    def incompatibility(self, fault: Finding) -> Incompatibility:
        every = ((1 << len(name.candidates)) - 1 for name in self._blame.names)
        whole = dict(enumerate(every))
        terms = ((place, bits & whole[place]) for place, bits in sorted(self._bits.items()))
        narrowed = tuple((place, bits) for place, bits in terms if bits != whole[place])
        return Incompatibility(narrowed, frozenset({fault}), frozenset(self._bits))

    def add_fault(self, fault: Finding) -> None:
        if has_code(fault, "core-component-removed"):
            self._add_removers(fault.items)
        elif has_code(fault, "missing-dependency") and self._add_missing(fault):
            return
        elif not sum(self._add_item(item) for item in fault.items):
            for place in range(len(self._ranks)):
                self._only_this(place)

    def _narrow(self, place: int, bits: int) -> None:
        self._bits[place] = self._bits.get(place, -1) & bits

    def _only_this(self, place: int) -> None:
        self._narrow(place, 1 << self._ranks[place])

    def _add_removers(self, names: tuple[str, ...]) -> None:
        """Keep what acts on a core component as it is, whoever does, in every slot named."""
        for place, name in enumerate(self._blame.names):
            unit = name.candidates[self._ranks[place]]
            if not set(names).isdisjoint(getattr(unit, "removed_components", ())):
                self._only_this(place)
        for slot in (self._blame.slots[name] for name in names if name in self._blame.slots):
            self._keep(slot)

    def _keep(self, slot: Slot) -> None:
        """Let a slot hold what it holds."""
        for touch in slot.touches:
            self._narrow(touch.place, touch.alike(self._ranks[touch.place]))

    def _let_hold(self, slot: Slot, components: set[str]) -> None:
        """Let a slot hold one of these, or what it holds."""
        if slot.has_one_touch:
            allowed = components | {slot.outcome(self._ranks)}
            self._narrow(slot.touches[0].place, sum(slot.bits(component) for component in allowed))
        else:
            self._keep(slot)

    def _keep_out(self, slot: Slot, components: set[str]) -> None:
        """Let a slot hold anything but these, if it holds none of them; else what it holds besides."""
        if slot.has_one_touch:
            barred = components - {slot.outcome(self._ranks)}
            self._narrow(slot.touches[0].place, ~sum(slot.bits(component) for component in barred))
        else:
            self._keep(slot)

    def _add_item(self, item: str) -> bool:
        """Let last what an item of a finding names; tell whether it names anything."""
        vib = self._image.vibs_by_id.get(item)
        if vib is not None:
            self._stay_installed(vib)
            return True
        reserved = next((entry.vib for entry in self._image.reserved_vibs if entry.vib.id == item), None)
        if reserved is not None:
            self._keep_rivals(self._blame.rivals_of(reserved.name))
            return True
        return self._add_unit(item) or self._add_component(item) or self._add_missing_vib(item)

    def _add_unit(self, item: str) -> bool:
        """Name the version of an open add-on, package or solution, or of one that is not open."""
        image = self._image
        for place, name in enumerate(self._blame.names):
            unit = name.candidates[self._ranks[place]]
            if not name.component and unit is not None and unit.id == item:
                self._only_this(place)
                return True
        units = (image.base_image, image.add_on, *image.hardware_support, *image.solutions)
        return item in {unit.id for unit in units if unit is not None}

    def _add_component(self, item: str) -> bool:
        """Let the slot of a component hold what it holds; of one that is not loaded too."""
        slot = self._blame.slots.get(item.partition(":")[0])
        if slot is None or ":" not in item:
            return False
        self._keep(slot)
        return True

    def _add_missing_vib(self, item: str) -> bool:
        listed = [entry.component for entry in self._image.missing_vibs if entry.vib_id == item]
        return any(self._add_component(component) for component in listed[:1])

    def _stay_installed(self, vib: Vib) -> None:
        rivals = self._blame.rivals_of(vib.name)
        if rivals != {vib.name}:
            self._keep_rivals(rivals)
            return
        twins = self._blame.by_vib_name.get(vib.name, [])
        self._stay_brought(vib.id, twins)
        higher = [twin for twin in twins if twin.vib.id != vib.id and not twin.vib.version < vib.version]
        self._keep_all_out(higher)

    def _stay_brought(self, vib_id: str, twins: list[_Bringer]) -> None:
        """Let one slot go on to bring a VIB: the one that has the least to do with open names."""
        own = [twin for twin in twins if twin.vib.id == vib_id]
        holding = [twin.slot for twin in own if twin.slot.outcome(self._ranks) == twin.component]
        if holding:
            slot = min(holding, key=lambda found: len(found.touches))
            self._let_hold(slot, {twin.component for twin in own if twin.slot is slot})

    def _keep_all_out(self, bringers: list[_Bringer]) -> None:
        by_slot: dict[str, set[str]] = {}
        for bringer in bringers:
            by_slot.setdefault(bringer.slot.name, set()).add(bringer.component)
        for name, components in by_slot.items():
            self._keep_out(self._blame.slots[name], components)

    def _keep_rivals(self, rivals: set[str]) -> None:
        """Let every slot bring the very same VIBs of these names as it does."""
        for name in sorted({twin.slot.name for rival in rivals for twin in self._blame.by_vib_name.get(rival, ())}):
            slot = self._blame.slots[name]
            own = self._blame.vib_names_of(slot.outcome(self._ranks), rivals)
            self._let_hold(slot, {held for held in slot.outcomes if self._blame.vib_names_of(held, rivals) == own})

    def _add_missing(self, fault: Finding) -> bool:
        vib = self._image.vibs_by_id.get(fault.fact("vib"))
        wanted = [] if vib is None else [need for need in vib.depends if str(need) == fault.fact("requires")]
        if vib is None or not wanted:
            return False
        self._stay_installed(vib)
        self._stay_without(wanted[0])
        return True

    def _stay_without(self, need: Constraint) -> None:
        """Let nobody come who could meet a need, and let those who could, but lost, go on to lose."""
        able = [
            bringer
            for bringer, version in self._blame.by_provided.get(need.name, ())
            if is_met_by(need, version) and bringer.vib.id not in self._image.vibs_by_id
        ]
        self._keep_all_out(able)
        ids = {bringer.vib.id for bringer in able}
        for entry in self._image.reserved_vibs:
            if entry.vib.id in ids and entry.reason in _STATED:
                self._stay_reserved(entry.vib, entry.winner)

    def _stay_reserved(self, vib: Vib, winner: str) -> None:
        rivals = self._blame.rivals_of(vib.name)
        twins = self._blame.by_vib_name.get(vib.name, [])
        higher = [twin for twin in twins if twin.vib.id == winner and vib.version < twin.vib.version]
        if rivals == {vib.name} and higher:
            self._stay_brought(winner, higher)
        else:
            self._keep_rivals(rivals)
