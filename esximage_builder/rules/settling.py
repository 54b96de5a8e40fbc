"""The search for one wish: images are judged once each, and what is learned about their faults is kept."""

from __future__ import annotations

import functools
import itertools
from typing import TYPE_CHECKING, final

import attrs

from esximage_builder.errors import ComposeError
from esximage_builder.models.component import Component
from esximage_builder.models.solution import Solution
from esximage_builder.rules.assemble import assemble
from esximage_builder.rules.blame import Blame
from esximage_builder.rules.fit import faults_in, faults_of, without_stock
from esximage_builder.rules.open_names import accepts, wanted_parts
from esximage_builder.rules.search import Found, Incompatibility, search
from esximage_builder.rules.slots import slots_of
from esximage_builder.vocabulary import ComponentSource

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from esximage_builder.findings import Finding
    from esximage_builder.limits import SearchBudget
    from esximage_builder.models.catalog import Catalog
    from esximage_builder.models.image import Image
    from esximage_builder.models.solution import SolutionComponent
    from esximage_builder.models.spec import SoftwareSpec
    from esximage_builder.rules.fit import Fault
    from esximage_builder.rules.open_names import OpenName, Taken
    from esximage_builder.rules.search import NothingFits

__all__ = ["OpenWish", "Settling"]


@final
@attrs.frozen(kw_only=True)
class OpenWish:
    """A wish with what it leaves open.

    Attributes:
        catalog: What is loaded.
        spec: What is wanted.
        names: What it leaves open, in order.
        prefer: Source names, best first, for ids with different contents.
    """

    catalog: Catalog
    spec: SoftwareSpec
    names: tuple[OpenName, ...]
    prefer: tuple[str, ...] = ()

    def taken(self, ranks: Sequence[int]) -> Taken:
        """Return the versions of those ranks."""
        return self.taken_at(dict(enumerate(ranks)))

    def taken_at(self, ranks: Mapping[int, int]) -> Taken:
        """Return the versions of some places' ranks; what is left out is not among them."""
        found = ((self.names[place].key, self.names[place].candidates[rank]) for place, rank in ranks.items())
        return {key: candidate for key, candidate in found if candidate is not None}

    def image(self, ranks: Sequence[int]) -> Image:
        """Return the image with the versions of those ranks."""
        return assemble(self.catalog, self.spec, self.taken(ranks), self.prefer)

    def image_of(self, ranks: Mapping[int, int]) -> Image:
        """Return the image with the versions of some places' ranks, and nothing at the others."""
        return assemble(self.catalog, self.spec, self.taken_at(ranks), self.prefer)


class Settling:
    """The search for one wish: judges images once each, and keeps what it learned about their faults.

    Args:
        wish: The wish.
        budget: What counts the steps.
    """

    def __init__(self, wish: OpenWish, budget: SearchBudget) -> None:
        self.wish = wish
        self.budget = budget
        self.stuck: frozenset[int] = frozenset()
        self._noticed = without_stock(wish.catalog)
        self._faults: dict[tuple[int, ...], tuple[Finding, ...]] = {}
        self._learned: list[tuple[Finding, Incompatibility]] = []
        self._blame: Blame | None = None
        self._allowed: set[Fault] | None = None

    @property
    def allowed(self) -> set[Fault]:
        """The faults of the image without open names, but for those that are stuck."""
        if self._allowed is None:
            self.budget.judge_image()
            image = self.wish.image_of({place: self.highest[place] for place in sorted(self.stuck)})
            self._allowed = _set_of(faults_of(image, self._noticed))
        return self._allowed

    def get_stuck(self, places: Iterable[int]) -> None:
        """Let these places take their highest version, whatever comes of it."""
        self.stuck = self.stuck | frozenset(places)
        self._allowed = None

    @functools.cached_property
    def highest(self) -> tuple[int, ...]:
        """The ranks with which everything takes its highest version that there is beside those before it."""
        ranks = [0] * len(self.wish.names)
        for entry in self.structure:
            (_, its), (part, refused) = entry.terms
            if its & 1:
                ranks[part] = next(rank for rank in itertools.count() if not refused >> rank & 1)
        return tuple(ranks)

    def faults(self, ranks: tuple[int, ...]) -> tuple[Finding, ...]:
        """Return what stands against the image of those ranks."""
        if ranks not in self._faults:
            self.budget.judge_image()
            try:
                self._faults[ranks] = faults_of(self.wish.image(ranks), self._noticed)
            except ComposeError as error:
                self._faults[ranks] = error.findings
        return self._faults[ranks]

    def search(self, allowed: set[Fault]) -> Found | NothingFits:
        """Return the highest choice that has no other faults than these."""

        def judge(ranks: tuple[int, ...]) -> list[Incompatibility]:
            wrong = [finding for finding in self.faults(ranks) if not allowed.issuperset(faults_in(finding))]
            return self._learn(wrong, ranks) if wrong else []

        fixed = [self._fixed(place) for place in sorted(self.stuck)]
        known = [entry for finding, entry in self._learned if not allowed.issuperset(faults_in(finding))]
        sizes = [len(name.candidates) for name in self.wish.names]
        return search(sizes, judge, self.budget, known=[*self.structure, *fixed, *known])

    def _fixed(self, place: int) -> Incompatibility:
        """Return what excludes all versions of a place but its highest."""
        every = (1 << len(self.wish.names[place].candidates)) - 1
        return Incompatibility(((place, every & ~(1 << self.highest[place])),), frozenset(), frozenset({place}))

    def mended(self, found: Found) -> Found:
        """Return the choice that mends, fault by fault, what the image has without open names."""
        allowed = set(self.allowed)
        for fault in sorted(self.allowed):
            allowed.discard(fault)
            if fault in _set_of(self.faults(found.ranks)):
                better = self.search(allowed)
                if isinstance(better, Found):
                    found = better
                else:
                    allowed.add(fault)
        return found

    def _learn(self, wrong: list[Finding], ranks: tuple[int, ...]) -> list[Incompatibility]:
        try:
            image = self.wish.image(ranks)
        except ComposeError:
            image = self.wish.image_of({})
        if self._blame is None:
            slots = slots_of(self.wish.catalog, self.wish.spec, self.wish.names)
            self._blame = Blame(self.wish.catalog, self.wish.names, slots, self.wish.prefer)
        learned = []
        for finding in wrong:
            entry = self._blame.incompatibility(finding, image, ranks)
            self._learned.append((finding, entry))
            learned.append(entry)
        return learned

    @functools.cached_property
    def structure(self) -> tuple[Incompatibility, ...]:
        """What goes without saying: a solution comes with none but the versions that it accepts."""
        return tuple(self._refusals())

    def _refusals(self) -> Iterator[Incompatibility]:
        places = {name.key: place for place, name in enumerate(self.wish.names)}
        references = {reference.name: reference for reference in self.wish.spec.solutions}
        for place, name in enumerate(self.wish.names):
            for rank, unit in enumerate(name.candidates):
                if isinstance(unit, Solution):
                    for part in wanted_parts(unit, references[unit.name]):
                        other = places.get((ComponentSource.SOLUTION, unit.name, part.name))
                        if other is not None:
                            yield from _refused(place, rank, other, part, self.wish.names[other])


def _set_of(findings: Iterable[Finding]) -> set[Fault]:
    return {fault for finding in findings for fault in faults_in(finding)}


def _refused(place: int, rank: int, other: int, part: SolutionComponent, name: OpenName) -> Iterator[Incompatibility]:
    ranks = [(at, found) for at, found in enumerate(name.candidates) if isinstance(found, Component)]
    refused = sum(1 << at for at, component in ranks if not accepts(part, component))
    if 0 < refused.bit_count() < len(ranks):
        yield Incompatibility(((place, 1 << rank), (other, refused)), frozenset(), frozenset({place, other}))
