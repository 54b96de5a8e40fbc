"""Choosing open versions said once more: by trying everything, on worlds of its own making.

Nothing of ``esximage_builder.rules`` is used, and of the rest nothing but the nouns and the comparison of
versions. A world is dense: few names and versions, so that everything meets everything. Each function
below is one sentence of docs/concepts.md#composing.
"""

from __future__ import annotations

import itertools
import random
from typing import TYPE_CHECKING, Any, final

import attrs
from support.memory_catalogs import Stock, payload, platforms, spec, vib

from esximage_builder.models.spec import HardwareSupportReference, SolutionReference
from esximage_builder.versions import AddOnVersion, VibVersion

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from esximage_builder.models.catalog import Catalog
    from esximage_builder.models.component import Component
    from esximage_builder.models.constraint import Constraint
    from esximage_builder.models.spec import SoftwareSpec
    from esximage_builder.models.vib import Vib

BASES = ("7.0.3-0.50.20036589", "8.0.3-0.70.24674464")
_NAMES = ("alpha", "beta", "delta", "gamma", "omega")
_VIB_NAMES = ("va", "vb", "vd", "vg", "vo", "vx")
_VERSIONS = ("1.0-1", "2.0-1", "3.0-1", "4.0-1")
_ADD_ON = "ACME-AddOn"

Fault = tuple[str, tuple[str, ...]]
Place = tuple[int, str, str]
"""Rank of the source, name of the unit, name of the component: the documented order."""


@final
@attrs.frozen
class World:
    """What is loaded and what is wanted; ``add_on`` is asked for by its name alone, if at all."""

    catalog: Catalog
    spec: SoftwareSpec
    add_on: str


def make_world(seed: int) -> World:
    """A world from a number: always the same from the same."""
    return _Making(random.Random(seed)).world()


class _Making:
    def __init__(self, dice: random.Random) -> None:
        self.dice = dice
        self.stock = Stock()
        self.base = dice.choice(BASES)
        self.vibs: dict[tuple[str, str], Vib] = {}

    def few(self, options: Sequence[Any], most: int, least: int = 0) -> list[Any]:
        return self.dice.sample(list(options), self.dice.randint(least, min(most, len(options))))

    def world(self) -> World:
        for name in _NAMES:
            for version in self.few(_VERSIONS, 4, 1):
                self.component(name, version)
        loaded = [part.reference for part in self.stock.components]
        listed = self.few(_NAMES, 2)
        self.stock.base_image(*self.one_each(loaded, listed), version=self.base)
        for version in self.few(("703.1-A01", "703.1-A02", "803.1-A03", "803.1-A04"), 3):
            units = self.one_each(loaded, self.few(_NAMES, 2))
            self.stock.add_on(*units, release=(_ADD_ON, version), removed_components=self.few(_NAMES, 1))
        packages = [self.package(name, loaded) for name in self.few(("firmware-a", "firmware-b"), 1)]
        solutions = [self.solution(name, loaded) for name in self.few(("ha", "nsx"), 1)]
        wanted = {name: self.version_of(name) for name in self.few(_NAMES, 5, 2)}
        return World(
            self.stock.catalog(),
            spec(
                wanted,
                base_image=self.base,
                removed=self.few(_NAMES, 1) if self.dice.random() < 0.1 else (),
                packages=packages,
                solutions=solutions,
            ),
            _ADD_ON if self.stock.add_ons and self.dice.random() < 0.5 else "",
        )

    def version_of(self, name: str) -> str | None:
        loaded = [part.version.text for part in self.stock.components if part.name == name]
        return self.dice.choice(loaded) if self.dice.random() < 0.2 else None

    def one_each(self, loaded: Sequence[Any], names: Iterable[str]) -> list[tuple[str, str]]:
        found = {reference.name: (reference.name, reference.version.text) for reference in loaded}
        return [found[name] for name in sorted(names) if name in found]

    def component(self, name: str, version: str) -> None:
        own = self.vib(_VIB_NAMES[_NAMES.index(name)], version)
        more = [self.vib(self.dice.choice(_VIB_NAMES), self.dice.choice(_VERSIONS))] * (self.dice.random() < 0.15)
        made_for = platforms("embeddedEsx 8.0") if self.dice.random() < 0.08 else ()
        made = self.stock.component(
            name, version, *{item.id: item for item in (own, *more)}.values(), platforms=made_for
        )
        if self.dice.random() < 0.04:
            gone = set(made.vib_ids)
            self.stock.vibs = [item for item in self.stock.vibs if item.id not in gone]

    def vib(self, name: str, version: str) -> Vib:
        key = (name, version)
        if key not in self.vibs:
            self.vibs[key] = vib(name, version, **self.relations())
        return self.vibs[key]

    def relations(self) -> dict[str, Any]:
        other = self.dice.choice(_VIB_NAMES)
        version = self.dice.choice(("1.0-1", "2.0-1", "3.0-1", "2.0"))
        sign = self.dice.choice((">=", "<=", "=", "<<", ">>"))
        kinds: list[dict[str, Any]] = [
            {"depends": (f"{other} {sign} {version}",)},
            {"depends": (other,)},
            {"depends": ("tool",)},
            {"conflicts": (f"{other} {sign} {version}",)},
            {"provides": ("tool",)},
            {"provides": (f"{other} = {version}",)},
            {"replaces": (f"{other} {sign} {version}",)},
            {"files": ("usr/lib/shared",)},
            {"payloads": (payload("old", checksums=[]),)},
        ]
        weights = (9, 3, 2, 5, 3, 2, 2, 1, 1)
        found: dict[str, Any] = {}
        for kind in self.dice.choices([*kinds, {}], (*weights, 14), k=2):
            found |= kind
        return found

    def package(self, name: str, loaded: Sequence[Any]) -> HardwareSupportReference:
        made = [
            self.stock.package(
                name, *self.one_each(loaded, self.few(_NAMES, 2)), removed_components=self.few(_NAMES, 1)
            )
            for _ in range(self.dice.randint(1, 2))
        ]
        units = self.stock.hardware_support[-len(made) :]
        numbered = [attrs.evolve(unit, version=AddOnVersion(f"{at + 1}.0")) for at, unit in enumerate(units)]
        self.stock.hardware_support[-len(made) :] = numbered
        return attrs.evolve(made[0], version="")

    def solution(self, name: str, loaded: Sequence[Any]) -> SolutionReference:
        count = self.dice.randint(1, 2)
        for _ in range(count):
            wanted = {part: self.few(_VERSIONS, 2) for part in self.few(sorted({item.name for item in loaded}), 2, 1)}
            self.stock.solution(name, wanted)
        units = self.stock.solutions[-count:]
        numbered = [attrs.evolve(unit, version=AddOnVersion(f"{at + 1}.0")) for at, unit in enumerate(units)]
        self.stock.solutions[-count:] = numbered
        return SolutionReference(name=name)


# What can be chosen


def places_of(world: World) -> dict[Place, list[Any]]:
    """All open names in their order, each with what is loaded, highest first."""
    places: dict[Place, list[Any]] = {}
    if world.add_on:
        places[1, world.add_on, ""] = _named(world.catalog.add_ons, world.add_on)
    for package in world.spec.hardware_support:
        if not package.version:
            places[2, package.package, ""] = _named(world.catalog.hardware_support, package.package)
    for wanted in world.spec.solutions:
        units = _named(world.catalog.solutions, wanted.name)
        places[3, wanted.name, ""] = units
        for part in (part for unit in units for part in unit.components):
            found = [item for item in _named(world.catalog.components, part.name) if _may_be(item, part)]
            known = places.setdefault((3, wanted.name, part.name), [])
            known += [item for item in found if item not in known]
            known.sort(key=lambda item: item.version, reverse=True)
    for name, version in world.spec.components:
        if version is None:
            places[4, "", name] = _named(world.catalog.components, name)
    return {place: places[place] for place in sorted(places) if places[place]}


def _named(units: Iterable[Any], name: str) -> list[Any]:
    return sorted((unit for unit in units if unit.name == name), key=lambda unit: unit.version, reverse=True)


def _may_be(component: Component, part: Any) -> bool:
    return not part.versions or component.version in part.versions


def expect(world: World) -> tuple[str, ...] | None:
    """What has to be taken, as ids in the order of the places; None if nothing fits.

    Of those that add no fault, those that mend the most important fault that is there anyhow, then the
    next one, and so on; of these the highest.
    """
    places = places_of(world)
    known = faults(world, {})
    fitting: list[tuple[tuple[int, ...], set[Fault]]] = []
    for ranks in itertools.product(*(range(len(units)) for units in places.values())):
        taken = {place: units[rank] for (place, units), rank in zip(places.items(), ranks, strict=True)}
        if _is_accepted(world, taken):
            found = faults(world, taken)
            if found <= known:
                fitting.append((ranks, found))
    for fault in sorted(known):
        without = [pair for pair in fitting if fault not in pair[1]]
        fitting = without or fitting
    if not fitting:
        return None
    best = min(ranks for ranks, _ in fitting)
    return tuple(units[rank].id for units, rank in zip(places.values(), best, strict=True))


def can_fit(world: World, kept: set[tuple[int, str]]) -> bool:
    """Tell whether anything fits these wishes, by rank and name, where all others may come to anything or nothing."""
    known = faults(world, {})
    components = [(name, version if (4, name) in kept else None) for name, version in world.spec.components]
    loose = attrs.evolve(world, spec=attrs.evolve(world.spec, components=components))
    places = {
        place: units if (place[0], place[1] or place[2]) in kept else [None, *units]
        for place, units in places_of(loose).items()
    }
    for units in itertools.product(*places.values()):
        taken = {place: unit for place, unit in zip(places, units, strict=True) if unit is not None}
        if _is_accepted(loose, taken) and faults(loose, taken) <= known:
            return True
    return False


def _is_accepted(world: World, taken: Mapping[Place, Any]) -> bool:
    """A solution comes with no version that it does not accept, unless none that it accepts is loaded."""
    for place, unit in taken.items():
        if place[0] == 3 and not place[2]:
            for part in unit.components:
                found = taken.get((3, unit.name, part.name))
                loaded = [item for item in world.catalog.components if item.name == part.name and _may_be(item, part)]
                if loaded and found is not None and not _may_be(found, part):
                    return False
    return True


# What is wrong with a choice


def faults(world: World, taken: Mapping[Place, Any]) -> set[Fault]:
    """All errors of the image, and builds for another product."""
    if _takes_off_the_core(world, taken):
        return {("core-component-removed", ("ESXi",))}
    held, found = _held(world, taken)
    loaded = {item.id: item for item in world.catalog.components}
    components = [(loaded[component_id], rank) for component_id, rank in held.values()]
    installed = _installed(world, components)
    found |= set(_faults_of_components(world, [component for component, _ in components]))
    found |= set(_faults_of_vibs(world, installed))
    unit = next((unit for place, unit in taken.items() if place[0] == 1), None)
    if unit is not None and unit.version.text[0] != world.spec.base_image[0]:
        found.add(("add-on-base-unsupported", (unit.id, f"ESXi:{world.spec.base_image}")))
    return found


def _takes_off_the_core(world: World, taken: Mapping[Place, Any]) -> bool:
    removed = {name for unit in taken.values() for name in getattr(unit, "removed_components", ())}
    return "ESXi" in removed or "ESXi" in world.spec.removed_components


def _held(world: World, taken: Mapping[Place, Any]) -> tuple[dict[str, tuple[str, int]], set[Fault]]:
    """Who holds each name: what the highest source brings, unless it takes the name off."""
    held: dict[str, tuple[str, int]] = {}
    for name, component_id, rank in _events(world, taken):
        held[name] = (component_id, rank)
    ids = {item.id for item in world.catalog.components}
    wanted = {name: pair for name, pair in held.items() if pair[0]}
    missing: set[Fault] = {("component-missing", (text,)) for text, _ in wanted.values() if text not in ids}
    return {name: pair for name, pair in wanted.items() if pair[0] in ids}, missing


def _events(world: World, taken: Mapping[Place, Any]) -> Iterator[tuple[str, str, int]]:
    """What the sources do, low to high: a name gets an id, or is taken off."""
    base = next(unit for unit in world.catalog.base_images if unit.version.text == world.spec.base_image)
    yield from ((reference.name, str(reference), 0) for reference in base.components)
    for (rank, _, component), unit in sorted(taken.items(), key=lambda pair: pair[0]):
        if rank in (1, 2):
            yield from ((name, "", rank) for name in unit.removed_components)
            yield from ((reference.name, str(reference), rank) for reference in unit.components)
        elif rank == 3 and not component:
            parts = ((part.name, _part_id(world, taken, unit.name, part)) for part in unit.components)
            yield from ((name, part_id, 3) for name, part_id in parts if part_id is not None)
    for name, version in world.spec.components:
        if version is not None:
            yield name, f"{name}:{version}", 4
        elif (4, "", name) in taken:
            yield name, taken[4, "", name].id, 4
    yield from ((name, "", 5) for name in world.spec.removed_components)


def _part_id(world: World, taken: Mapping[Place, Any], solution: str, part: Any) -> str | None:
    """The id of a solution's component, of one that is not loaded too; None if it is left out."""
    chosen = taken.get((3, solution, part.name))
    if any(item.name == part.name and _may_be(item, part) for item in world.catalog.components):
        return None if chosen is None else str(chosen.id)
    return str(part)


def _installed(world: World, components: Iterable[tuple[Component, int]]) -> list[Vib]:
    """Of each VIB name the highest, but none that another replaces, unless that leads back to it."""
    loaded = {item.id: item for item in world.catalog.vibs}
    stated: dict[str, int] = {}
    for component, rank in components:
        for vib_id in component.vib_ids:
            if vib_id in loaded:
                stated[vib_id] = max(rank, stated.get(vib_id, 0))
    best: dict[str, Vib] = {}
    for vib_id in sorted(stated, key=lambda key: (loaded[key].version, stated[key], key)):
        best[loaded[vib_id].name] = loaded[vib_id]
    beaten = {
        loser.id: {winner.id for winner in best.values() if winner.id != loser.id and _replaces(winner, loser)}
        for loser in best.values()
    }

    def leads_to(start: str, goal: str, seen: frozenset[str]) -> bool:
        return start == goal or any(leads_to(step, goal, seen | {start}) for step in beaten[start] - seen)

    return [
        item
        for item in best.values()
        if not any(not leads_to(winner, item.id, frozenset()) for winner in beaten[item.id])
    ]


def _replaces(winner: Vib, loser: Vib) -> bool:
    return any(wanted.name == loser.name and _meets(loser.version, wanted) for wanted in winner.replaces)


def _meets(offered: VibVersion | None, wanted: Constraint) -> bool:
    if wanted.version is None or wanted.relation is None:
        return True
    if offered is None:
        return False
    if "-" not in wanted.version.text:
        offered = VibVersion(offered.text.split("-", maxsplit=1)[0])
    below, same = offered < wanted.version, offered == wanted.version
    return {"<<": below, "<=": below or same, "=": same, ">=": not below, ">>": not below and not same}[
        wanted.relation.value
    ]


def _provides(item: Vib, wanted: Constraint) -> bool:
    offers = [(item.name, item.version), *((provide.name, provide.version) for provide in item.provides)]
    return any(name == wanted.name and _meets(version, wanted) for name, version in offers)


def _faults_of_components(world: World, components: Sequence[Component]) -> Iterator[Fault]:
    loaded = {item.id for item in world.catalog.vibs}
    base = next(unit for unit in world.catalog.base_images if unit.version.text == world.spec.base_image)
    own = {str(reference) for reference in base.components}
    offered = {release for item in world.catalog.components if item.id in own for release in _releases(item)}
    for component in components:
        for vib_id in component.vib_ids:
            if vib_id not in loaded:
                yield "vib-missing", (vib_id, component.id)
        wanted = _releases(component)
        if wanted and not wanted & offered and not any(map(world.spec.base_image.startswith, wanted)):
            yield "platform-mismatch", (component.id,)


def _releases(component: Component) -> set[str]:
    return {platform.version for platform in component.bulletin.platforms}


def _faults_of_vibs(world: World, vibs: Sequence[Vib]) -> Iterator[Fault]:
    for item in vibs:
        for wanted in item.depends:
            if not any(_provides(other, wanted) for other in vibs):
                yield "missing-dependency", (item.id, str(wanted))
        for other in vibs:
            if other.id != item.id and any(_provides(other, wanted) for wanted in item.conflicts):
                yield "conflict", (item.id, other.id)
            if other.id != item.id and _replaces(item, other):
                yield "replaced-vib-present", (item.id, other.id)
        if world.spec.base_image.startswith("8") and any(
            not part.checksums for part in item.payloads if part.type == "vgz"
        ):
            yield "missing-gunzip-checksum", (item.id, *(part.name for part in item.payloads if not part.checksums))
    sharing = sorted(item.id for item in vibs if "usr/lib/shared" in (item.files or ()))
    yield from (("file-conflict", pair) for pair in itertools.combinations(sharing, 2))
