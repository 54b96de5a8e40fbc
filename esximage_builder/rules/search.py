"""Searching the lexicographically highest choice that nothing excludes; of images it knows nothing.

Places stand in an order, and each has versions, the highest first: rank 0. Whoever searches brings
a judge, which says of a whole choice what is wrong with it, as incompatibilities: for some places a
set of ranks each, which never go together. The search goes place by place, highest version first,
passes over only what an incompatibility excludes, and judges what is whole. Where all versions of a
place are excluded, the reasons are resolved into an incompatibility of the places before it, and
the search jumps back to the last of those. So nothing is ever passed over that could have been
taken, and the first choice without a fault is the highest there is.

That incompatibilities are resolved into new ones, which then explain, is how PubGrub works; why
neither it nor resolvelib is used: docs/decisions/0013-open-versions.md.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, final

import attrs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from esximage_builder.findings import Finding
    from esximage_builder.limits import SearchBudget

__all__ = ["Found", "Incompatibility", "NothingFits", "search"]


@final
@attrs.frozen
class Incompatibility:
    """Versions of some places that never go together.

    Attributes:
        terms: Pairs of place and the ranks there, as bits; sorted by place.
        causes: What is wrong with all images that have them.
        involved: All places that had a part in it, those of which every version has it too.
    """

    terms: tuple[tuple[int, int], ...]
    causes: frozenset[Finding]
    involved: frozenset[int]


@final
@attrs.frozen
class Found:
    """The highest choice.

    Attributes:
        ranks: The rank at each place.
        passed_over: For each place the higher ranks, each with why.
    """

    ranks: tuple[int, ...]
    passed_over: tuple[Mapping[int, Incompatibility], ...]


@final
@attrs.frozen
class NothingFits:
    """No choice is without a fault; each reason would be enough."""

    reasons: tuple[Incompatibility, ...]


def search(
    sizes: Sequence[int],
    judge: Callable[[tuple[int, ...]], Iterable[Incompatibility]],
    budget: SearchBudget,
    *,
    known: Iterable[Incompatibility] = (),
) -> Found | NothingFits:
    """Return the lexicographically highest choice.

    Args:
        sizes: How many versions each place has; at least one.
        judge: Says what is wrong with a choice; each answer has to hold of that choice.
        budget: What counts the steps.
        known: Incompatibilities that are known before.

    Raises:
        LimitExceededError: The budget is spent.
    """
    return _Search(sizes, budget, known).run(judge)


class _Search:
    def __init__(self, sizes: Sequence[int], budget: SearchBudget, known: Iterable[Incompatibility]) -> None:
        self._sizes = sizes
        self._budget = budget
        self._ranks = [0] * len(sizes)
        self._excluded: list[dict[int, Incompatibility]] = [{} for _ in sizes]
        self._by_last: list[list[Incompatibility]] = [[] for _ in sizes]
        self._final: list[Incompatibility] = []
        for entry in known:
            self._learn(entry)

    def run(self, judge: Callable[[tuple[int, ...]], Iterable[Incompatibility]]) -> Found | NothingFits:
        place = 0
        while not self._final:
            place = self._fill(place)
            if self._final:
                break
            faults = list(judge(tuple(self._ranks)))
            if not faults:
                return Found(tuple(self._ranks), tuple(self._excluded))
            for fault in faults:
                self._learn(fault)
            if not self._final:
                place = self._back_to(min(faults, key=_last_place))
        return NothingFits(tuple(self._final))

    def _learn(self, entry: Incompatibility) -> None:
        (self._by_last[_last_place(entry)] if entry.terms else self._final).append(entry)

    def _fill(self, place: int) -> int:
        """Take a version for all places from this one on; jump back where none is left."""
        while place < len(self._sizes):
            if self._take_highest(place):
                place += 1
                continue
            resolved = self._resolved(place)
            self._learn(resolved)
            if not resolved.terms:
                break
            place = self._back_to(resolved)
        return place

    def _take_highest(self, place: int) -> bool:
        excluded = self._excluded[place]
        for rank in range(self._sizes[place]):
            if rank in excluded:
                continue
            self._budget.try_version()
            reason = self._what_excludes(place, rank)
            if reason is None:
                self._ranks[place] = rank
                return True
            excluded[rank] = reason
        return False

    def _what_excludes(self, place: int, rank: int) -> Incompatibility | None:
        for entry in self._by_last[place]:
            *before, (_, own) = entry.terms
            if own >> rank & 1 and all(bits >> self._ranks[other] & 1 for other, bits in before):
                return entry
        return None

    def _back_to(self, entry: Incompatibility) -> int:
        place = _last_place(entry)
        self._excluded[place][self._ranks[place]] = entry
        for later in self._excluded[place + 1 :]:
            later.clear()
        return place

    def _resolved(self, place: int) -> Incompatibility:
        """Return what excludes all versions of a place, as an incompatibility of the places before it."""
        reasons = self._excluded[place].values()
        terms: dict[int, int] = {}
        for reason in reasons:
            for other, bits in reason.terms[:-1]:
                terms[other] = terms.get(other, -1) & bits
        return Incompatibility(
            tuple(sorted(terms.items())),
            frozenset().union(*(reason.causes for reason in reasons)),
            frozenset({place}).union(*(reason.involved for reason in reasons)),
        )


def _last_place(entry: Incompatibility) -> int:
    return entry.terms[-1][0]
