"""The smallest set of wishes that exclude each other, where nothing that was left open fits.

Wishes are taken back, in halves first and one by one in the end, as long as the others still exclude each
other. A component, add-on, package or solution that is taken back may be there in any loaded version, or
not at all; so whatever the others need of it they can have, and it is named only if it is in their way. A
removal is named if without it the others would fit.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, final

import attrs

from esximage_builder.errors import LimitExceededError
from esximage_builder.models.open_choice import Exclusion, Wish
from esximage_builder.rules.fit import in_order
from esximage_builder.rules.open_names import open_names_of
from esximage_builder.rules.search import NothingFits
from esximage_builder.rules.settling import Settling
from esximage_builder.rules.vib_selection import PRECEDENCE
from esximage_builder.vocabulary import ComponentSource

if TYPE_CHECKING:
    from collections.abc import Iterator

    from esximage_builder.limits import SearchBudget
    from esximage_builder.models.spec import SoftwareSpec
    from esximage_builder.rules.open_names import OpenName
    from esximage_builder.rules.search import Incompatibility
    from esximage_builder.rules.settling import OpenWish

__all__ = ["exclusion_of"]


_Owner = tuple[ComponentSource, str]


@final
@attrs.frozen
class _Part:
    """A wish, with the places of the open names that come with it."""

    wish: Wish
    places: frozenset[int] = frozenset()

    @property
    def owner(self) -> _Owner:
        """What its open names go by."""
        return (self.wish.source, self.wish.name)


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
    found = frozenset().union(*(places for _, places in free))
    exclusion = Exclusion(
        wishes=[part.wish for part in fewest.kept],
        open_names=[part.wish.name for part, places in free if places],
        findings=in_order(reason.causes),
        is_choice=len(fewest.kept) > 1 or any(len(settling.wish.names[place].candidates) > 1 for place in found),
        is_smallest=is_smallest,
    )
    every = frozenset(range(len(settling.wish.names)))
    return exclusion, found or (reason.involved or every) - settling.stuck or every


class _Fewest:
    """Takes wishes back as long as those that are kept exclude each other."""

    def __init__(self, settling: Settling, budget: SearchBudget) -> None:
        self._settling = settling
        self._budget = budget
        self._every = _parts_of(settling)
        self._removals = settling.wish.spec.removed_components
        self._loose = _loose_names(settling.wish)
        self.kept = self._every

    def find(self, involved: frozenset[int]) -> bool:
        """Find the fewest, and tell whether the steps were enough for that."""
        try:
            likely = tuple(part for part in self.kept if part.places & involved)
            if self._is_excluding(likely):
                self.kept = likely
            size = len(self.kept)
            while size > 1:
                size = (size + 1) // 2
                self._take_back(size)
            self._take_back(1)
            self.kept += tuple(self._removals_in_the_way())
        except LimitExceededError:
            return False
        return True

    def _take_back(self, size: int) -> None:
        """Take back so many at once, wherever that can be."""
        start = 0
        while start < len(self.kept):
            fewer = self.kept[:start] + self.kept[start + size :]
            if self._is_excluding(fewer):
                self.kept = fewer
            else:
                start += size

    def _removals_in_the_way(self) -> Iterator[_Part]:
        for name in self._settling.wish.spec.removed_components:
            self._removals = tuple(other for other in self._settling.wish.spec.removed_components if other != name)
            if not self._is_excluding(self.kept):
                yield _Part(Wish(source=ComponentSource.USER_REMOVED, name=name))

    def _is_excluding(self, parts: tuple[_Part, ...]) -> bool:
        """Tell whether nothing fits these wishes, whatever the others come to."""
        if not any(part.places for part in parts):
            return False
        whole, kept = self._settling.wish, {part.owner for part in parts}
        names = [self._kept_name(place) for place, name in enumerate(whole.names) if _owner(name) in kept]
        names += [name for part in self._every if part.owner not in kept for name in self._loose.get(part.owner, ())]
        names.sort(key=lambda name: (PRECEDENCE[name.source], name.unit, name.component))
        spec = attrs.evolve(_kept_spec(whole.spec, kept), removed_components=self._removals)
        smaller = Settling(attrs.evolve(whole, spec=spec, names=tuple(names)), self._budget)
        return isinstance(smaller.search(self._settling.allowed), NothingFits)

    def _kept_name(self, place: int) -> OpenName:
        """Return an open name as it is wanted: one that is stuck has its highest version only."""
        name = self._settling.wish.names[place]
        if place not in self._settling.stuck:
            return name
        return attrs.evolve(name, candidates=(name.candidates[self._settling.highest[place]],))


def _owner(name: OpenName) -> _Owner:
    return (name.source, name.unit or name.component)


def _loose_names(wish: OpenWish) -> dict[_Owner, list[OpenName]]:
    """Return the open names that wishes come to once they are taken back: first nothing, then any version."""
    spec = attrs.evolve(
        wish.spec,
        add_on=None,
        hardware_support=[attrs.evolve(item, version="") for item in wish.spec.hardware_support],
        solutions=[attrs.evolve(item, version="") for item in wish.spec.solutions],
        components=[(name, None) for name, _ in wish.spec.components],
    )
    left_open = next((name.unit for name in wish.names if name.source is ComponentSource.ADD_ON), "")
    add_on = left_open if wish.spec.add_on is None else wish.spec.add_on.name
    loose: dict[_Owner, list[OpenName]] = {}
    for name in open_names_of(wish.catalog, spec, add_on):
        loose.setdefault(_owner(name), []).append(attrs.evolve(name, candidates=(None, *name.candidates)))
    return loose


def _parts_of(settling: Settling) -> tuple[_Part, ...]:
    """Return the wishes of a spec, lowest source first, then by name; without the base image, and removals."""
    return tuple(sorted(_parts(settling), key=lambda part: (PRECEDENCE[part.wish.source], part.wish.name)))


def _parts(settling: Settling) -> Iterator[_Part]:
    spec = settling.wish.spec
    places: dict[_Owner, set[int]] = {}
    for place, left_open in enumerate(settling.wish.names):
        places.setdefault(_owner(left_open), set()).add(place)
    versions = {owner: "" for owner in places if owner[0] is ComponentSource.ADD_ON}
    if spec.add_on is not None:
        versions[ComponentSource.ADD_ON, spec.add_on.name] = spec.add_on.version.text
    versions |= {
        (ComponentSource.HARDWARE_SUPPORT_PACKAGE, item.package): item.version for item in spec.hardware_support
    }
    versions |= {(ComponentSource.SOLUTION, item.name): item.version for item in spec.solutions}
    versions |= {(ComponentSource.USER, name): version.text if version else "" for name, version in spec.components}
    for (source, name), version in versions.items():
        own = frozenset(places.get((source, name), ()))
        stuck = [_version_at(settling, place) for place in sorted(own & settling.stuck)]
        yield _Part(Wish(source=source, name=name, version=version or "".join(stuck[:1])), own)


def _version_at(settling: Settling, place: int) -> str:
    taken = settling.wish.names[place].candidates[settling.highest[place]]
    return "" if taken is None else taken.version.text


def _kept_spec(spec: SoftwareSpec, kept: set[_Owner]) -> SoftwareSpec:
    """Return the spec with these wishes as they are, and the others open."""
    is_package, is_solution = ComponentSource.HARDWARE_SUPPORT_PACKAGE, ComponentSource.SOLUTION
    add_on = spec.add_on
    return attrs.evolve(
        spec,
        add_on=add_on if add_on is not None and (ComponentSource.ADD_ON, add_on.name) in kept else None,
        hardware_support=[
            item if (is_package, item.package) in kept else attrs.evolve(item, version="")
            for item in spec.hardware_support
        ],
        solutions=[
            item if (is_solution, item.name) in kept else attrs.evolve(item, version="") for item in spec.solutions
        ],
        components=[
            (name, version if (ComponentSource.USER, name) in kept else None) for name, version in spec.components
        ],
    )
