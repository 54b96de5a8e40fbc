"""Settling all versions that a wish leaves open, together and against everything else.

Rules (docs/concepts.md#composing):

* A choice fits if it adds no error and no platform mismatch to what the image has without any open name.
* Of all that fit the highest is taken, by the order of ``rules.open_names``. Before that, faults that
  the image has without open names are mended where a choice can: one after the other, in their order,
  each if that is possible beside those before it.
* Where nothing fits, the wishes that exclude each other are looked for (``rules.exclusion``). Their open
  names take the highest version, and the others what fits beside that.
* The steps are counted. Where there are too many, all take the highest, and the image says so.

The highest of all is tried first and judged once; where it fits, that is all.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, final

import attrs

from esximage_builder.errors import LimitExceededError
from esximage_builder.limits import SearchBudget
from esximage_builder.rules.exclusion import exclusion_of
from esximage_builder.rules.search import Found
from esximage_builder.rules.settling import Settling

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from esximage_builder.limits import SearchLimits
    from esximage_builder.models.open_choice import Exclusion
    from esximage_builder.rules.search import Incompatibility
    from esximage_builder.rules.settling import OpenWish

__all__ = ["Settled", "settle"]


@final
@attrs.frozen(kw_only=True)
class Settled:
    """What became of the open names.

    Attributes:
        ranks: What each takes.
        passed_over: For each the higher ranks, with why; those that nobody asked about are left out.
        exclusions: Wishes that exclude each other.
        is_searched: False if the search took too many steps.
        images_judged: How many images it put together and judged.
    """

    ranks: tuple[int, ...]
    passed_over: tuple[Mapping[int, Incompatibility], ...]
    exclusions: tuple[Exclusion, ...] = ()
    is_searched: bool = True
    images_judged: int = 0


def settle(wish: OpenWish, limits: SearchLimits) -> Settled:
    """Settle all versions that a wish leaves open.

    Raises:
        ComposeError: What the wish names with versions takes off a core component.
    """
    budget = SearchBudget(limits)
    settling = Settling(wish, budget)
    exclusions: list[Exclusion] = []
    found, is_searched = Found(settling.highest, ({},) * len(wish.names)), True
    try:
        if settling.faults(found.ranks):
            found = _highest_that_fits(settling, exclusions)
            found = settling.mended(found)
    except LimitExceededError:
        is_searched = False
    return Settled(
        ranks=found.ranks,
        passed_over=found.passed_over,
        exclusions=tuple(exclusions) if is_searched else (),
        is_searched=is_searched,
        images_judged=budget.images_judged,
    )


def _highest_that_fits(settling: Settling, exclusions: list[Exclusion]) -> Found:
    """Return the highest choice that fits, beside what gets stuck where wishes exclude each other."""
    budget = SearchBudget(settling.budget.limits)
    outcome = settling.search(settling.allowed)
    while not isinstance(outcome, Found):
        if len(settling.stuck) == len(settling.highest):
            return Found(settling.highest, ({},) * len(settling.highest))
        for number, reason in enumerate(_fresh(outcome.reasons, settling)):
            if number == 0 or not reason.involved <= settling.stuck:
                exclusion, places = exclusion_of(settling, reason, budget)
                exclusions.append(exclusion)
                settling.get_stuck(places)
        outcome = settling.search(settling.allowed)
    return outcome


def _fresh(reasons: Sequence[Incompatibility], settling: Settling) -> Sequence[Incompatibility]:
    """Return the reasons that have to do with names that are not stuck; the first, if none is known to."""
    fresh = [reason for reason in reasons if not reason.involved <= settling.stuck]
    return fresh or reasons[:1]
