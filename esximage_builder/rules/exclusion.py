"""The smallest set of wishes that exclude each other, where nothing that was left open fits.

Wishes are left out, in halves first and one by one in the end, as long as the others still exclude each
other on the same grounds. A wish without which another fault would come up stays: it has to do with the
matter. So none of those that remain can be left out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, final

import attrs

from esximage_builder.errors import ComposeError, LimitExceededError
from esximage_builder.models.open_choice import Exclusion, Wish
from esximage_builder.rules.fit import faults_in, in_order
from esximage_builder.rules.search import NothingFits
from esximage_builder.rules.settling import Settling
from esximage_builder.rules.vib_selection import PRECEDENCE
from esximage_builder.vocabulary import ComponentSource

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from esximage_builder.limits import SearchBudget
    from esximage_builder.models.spec import SoftwareSpec
    from esximage_builder.rules.search import Incompatibility

__all__ = ["exclusion_of"]


@final
@attrs.frozen
class _Part:
    """A wish, with the places of the open names that come with it."""

    wish: Wish
    places: frozenset[int] = frozenset()


def exclusion_of(settling: Settling, reason: Incompatibility, budget: SearchBudget) -> tuple[Exclusion, frozenset[int]]:
    """Return the smallest set of wishes that exclude each other, and the places of the open names in it.

    Args:
        settling: The search that came to nothing.
        reason: Why.
        budget: What counts the steps of leaving wishes out.
    """
    fewest = _Fewest(settling, budget)
    is_smallest = fewest.find(reason.involved)
    free = [(part, part.places - settling.stuck) for part in fewest.kept]
    exclusion = Exclusion(
        wishes=[part.wish for part in fewest.kept],
        open_names=[part.wish.name for part, places in free if places],
        findings=in_order(reason.causes),
        is_smallest=is_smallest,
    )
    found = frozenset().union(*(places for _, places in free))
    every = frozenset(range(len(settling.wish.names)))
    return exclusion, found or (reason.involved or every) - settling.stuck or every


class _Fewest:
    """Leaves wishes out as long as those that are kept exclude each other."""

    def __init__(self, settling: Settling, budget: SearchBudget) -> None:
        self._settling = settling
        self._budget = budget
        self._grounds = settling.seen
        self.kept = _parts_of(settling)

    def find(self, involved: frozenset[int]) -> bool:
        """Find the fewest, and tell whether the steps were enough for that."""
        try:
            likely = tuple(part for part in self.kept if part.places & involved)
            if self._is_excluding(likely):
                self.kept = likely
            size = len(self.kept)
            while size > 1:
                size = (size + 1) // 2
                self._leave_out(size)
            while self._leave_out(1):
                pass
        except LimitExceededError:
            return False
        return True

    def _leave_out(self, size: int) -> bool:
        """Leave out as many at once as can be; tell whether any was."""
        before, start = self.kept, 0
        while start < len(self.kept):
            fewer = self.kept[:start] + self.kept[start + size :]
            if self._is_excluding(fewer):
                self.kept = fewer
            else:
                start += size
        return self.kept != before

    def _is_excluding(self, parts: tuple[_Part, ...]) -> bool:
        """Tell whether nothing fits these wishes, on no other grounds than nothing fits them all."""
        places = sorted(frozenset().union(*(part.places for part in parts)))
        if not places or self._settling.stuck.issuperset(places):
            return False
        whole = self._settling.wish
        names = tuple(whole.names[place] for place in places)
        wish = attrs.evolve(whole, spec=_only(whole.spec, parts), names=names)
        smaller = Settling(wish, self._budget)
        smaller.get_stuck(at for at, place in enumerate(places) if place in self._settling.stuck)
        try:
            outcome = smaller.search(smaller.allowed)
        except ComposeError:
            return False
        return isinstance(outcome, NothingFits) and any(self._is_known(reason) for reason in outcome.reasons)

    def _is_known(self, reason: Incompatibility) -> bool:
        return self._grounds.issuperset(fault for finding in reason.causes for fault in faults_in(finding))


def _parts_of(settling: Settling) -> tuple[_Part, ...]:
    """Return the wishes of a spec, lowest source first, then by name; not the base image, without which is nothing."""
    return tuple(
        sorted(_parts(settling), key=lambda part: (PRECEDENCE[part.wish.source], part.wish.name, part.wish.version))
    )


def _parts(settling: Settling) -> Iterator[_Part]:
    spec = settling.wish.spec
    places: dict[tuple[ComponentSource, str], set[int]] = {}
    for place, left_open in enumerate(settling.wish.names):
        places.setdefault((left_open.source, left_open.unit or left_open.component), set()).add(place)

    def part(source: ComponentSource, name: str, version: str) -> _Part:
        own = frozenset(places.get((source, name), ()))
        highest = [settling.wish.names[place].candidates[0].version.text for place in own & settling.stuck]
        return _Part(Wish(source=source, name=name, version=version or "".join(highest[:1])), own)

    if spec.add_on is not None:
        yield part(ComponentSource.ADD_ON, spec.add_on.name, spec.add_on.version.text)
    for source, name in places:
        if source is ComponentSource.ADD_ON:
            yield part(source, name, "")
    for package, version in {item.package: item.version for item in spec.hardware_support}.items():
        yield part(ComponentSource.HARDWARE_SUPPORT_PACKAGE, package, version)
    for solution in spec.solutions:
        yield part(ComponentSource.SOLUTION, solution.name, solution.version)
    for name, wanted in spec.components:
        yield part(ComponentSource.USER, name, "" if wanted is None else wanted.text)
    for name in spec.removed_components:
        yield _Part(Wish(source=ComponentSource.USER_REMOVED, name=name))


def _only(spec: SoftwareSpec, parts: Iterable[_Part]) -> SoftwareSpec:
    """Return the spec with these wishes and no others."""
    kept = {(part.wish.source, part.wish.name) for part in parts}
    add_on = spec.add_on
    return attrs.evolve(
        spec,
        add_on=add_on if add_on is not None and (ComponentSource.ADD_ON, add_on.name) in kept else None,
        hardware_support=[
            item for item in spec.hardware_support if (ComponentSource.HARDWARE_SUPPORT_PACKAGE, item.package) in kept
        ],
        solutions=[item for item in spec.solutions if (ComponentSource.SOLUTION, item.name) in kept],
        components=[item for item in spec.components if (ComponentSource.USER, item[0]) in kept],
        removed_components=[name for name in spec.removed_components if (ComponentSource.USER_REMOVED, name) in kept],
        alternative_images=(),
    )
