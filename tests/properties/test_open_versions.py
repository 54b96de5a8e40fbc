"""A thousand dense worlds with versions left open, each against trying everything."""

from __future__ import annotations

import collections
import itertools
import random
from typing import TYPE_CHECKING, Any

import attrs
import pytest
from support.open_version_oracle import World, expect, make_world, places_of

from esximage_builder.limits import SearchBudget, SearchLimits
from esximage_builder.rules.compose import compose
from esximage_builder.rules.open_names import open_names_of
from esximage_builder.rules.open_versions import Settled, settle
from esximage_builder.rules.search import Found, Incompatibility, NothingFits, search
from esximage_builder.rules.settling import OpenWish
from esximage_builder.vocabulary import ComponentSource

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from esximage_builder.models.open_choice import Wish

_WORLDS = 1000
_IN_PARTS = 4
_DEEPEST = 24
"""The most images that any of these worlds has judged in its search, where the limit is 2,000."""


def _wish(world: World) -> OpenWish:
    return OpenWish(
        catalog=world.catalog, spec=world.spec, names=open_names_of(world.catalog, world.spec, world.add_on)
    )


def _taken(wish: OpenWish, settled: Settled) -> tuple[str, ...]:
    return tuple(name.candidates[rank].id for name, rank in zip(wish.names, settled.ranks, strict=True))


@pytest.mark.parametrize(
    ("part", "solvable", "unsolvable", "lowered"),
    [pytest.param(0, 0, 0, 0), pytest.param(1, 0, 0, 0), pytest.param(2, 0, 0, 0), pytest.param(3, 0, 0, 0)],
)
def test_what_fits_is_found_and_is_the_highest(part: int, solvable: int, unsolvable: int, lowered: int) -> None:
    """Whenever a choice fits it is found, it is the highest in the documented order, and the steps are few."""
    seen: collections.Counter[str] = collections.Counter()
    step = _WORLDS // _IN_PARTS
    for seed in range(part * step, (part + 1) * step):
        world = make_world(seed)
        wish = _wish(world)
        assert [(name.unit, name.component) for name in wish.names] == [place[1:] for place in places_of(world)]
        expected, settled = expect(world), settle(wish, SearchLimits(images_judged=_DEEPEST))
        assert settled.is_searched
        assert (expected is None) == bool(settled.exclusions)
        assert expected in (None, _taken(wish, settled))
        seen["unsolvable" if expected is None else "solvable"] += 1
        seen["lowered"] += expected is not None and any(settled.ranks)
    assert (seen["solvable"], seen["unsolvable"], seen["lowered"]) == (solvable, unsolvable, lowered)


def _only(world: World, wishes: Iterable[Wish]) -> World:
    """The world with nothing wanted but these wishes."""
    names = {(wish.source, wish.name) for wish in wishes}
    wanted = attrs.evolve(
        world.spec,
        hardware_support=[
            item
            for item in world.spec.hardware_support
            if (ComponentSource.HARDWARE_SUPPORT_PACKAGE, item.package) in names
        ],
        solutions=[item for item in world.spec.solutions if (ComponentSource.SOLUTION, item.name) in names],
        components=[item for item in world.spec.components if (ComponentSource.USER, item[0]) in names],
        removed_components=[
            name for name in world.spec.removed_components if (ComponentSource.USER_REMOVED, name) in names
        ],
    )
    return World(world.catalog, wanted, world.add_on * ((ComponentSource.ADD_ON, world.add_on) in names))


def test_wishes_that_exclude_each_other_do() -> None:
    """The first set that is found has no choice that fits, and hardly ever could it do with fewer."""
    found = could_be_fewer = 0
    for seed in range(200):
        world = make_world(seed)
        for exclusion in settle(_wish(world), SearchLimits()).exclusions[:1]:
            found += 1
            assert exclusion.is_smallest
            assert exclusion.open_names
            assert exclusion.findings
            assert expect(_only(world, exclusion.wishes)) is None
            fewer = [[*exclusion.wishes[:at], *exclusion.wishes[at + 1 :]] for at in range(len(exclusion.wishes))]
            could_be_fewer += any(expect(_only(world, wishes)) is None for wishes in fewer if _has_open(world, wishes))
    assert (found, could_be_fewer) == (0, 0)


def _has_open(world: World, wishes: Iterable[Wish]) -> bool:
    return bool(places_of(_only(world, wishes)))


@pytest.mark.parametrize("seed", range(12))
def test_no_order_of_what_is_loaded_or_wanted_matters(seed: int) -> None:
    world = make_world(seed)
    turned = {
        key: tuple(reversed(getattr(world.catalog, key)))
        for key in ("components", "vibs", "add_ons", "hardware_support", "solutions")
    }
    other = World(
        attrs.evolve(world.catalog, **turned),
        attrs.evolve(world.spec, components=tuple(reversed(world.spec.components))),
        world.add_on,
    )
    first, second = (settle(_wish(one), SearchLimits()) for one in (world, other))
    assert _taken(_wish(world), first) == _taken(_wish(other), second)
    assert (first.exclusions, first.passed_over) == (second.exclusions, second.passed_over)


@pytest.mark.parametrize("seed", [3, 8, 21])
def test_the_image_is_the_one_that_was_settled(seed: int) -> None:
    world = attrs.evolve(make_world(seed), add_on="")
    wish = _wish(world)
    settled = settle(wish, SearchLimits())
    assert compose(world.catalog, world.spec).digest == wish.image(settled.ranks).digest


# The search by itself


def _by_force(sizes: Sequence[int], rules: Sequence[Incompatibility]) -> tuple[int, ...] | None:
    fitting = (
        ranks
        for ranks in itertools.product(*map(range, sizes))
        if not any(all(bits >> ranks[place] & 1 for place, bits in rule.terms) for rule in rules)
    )
    return min(fitting, default=None)


def _rules(dice: Any, sizes: Sequence[int]) -> list[Incompatibility]:
    rules = []
    for _ in range(dice.randint(3, 40)):
        places = sorted(dice.sample(range(len(sizes)), dice.randint(1, min(3, len(sizes)))))
        terms = tuple((place, dice.randint(1, (1 << sizes[place]) - 1)) for place in places)
        rules.append(Incompatibility(terms, frozenset(), frozenset(places)))
    return rules


def test_the_search_is_right_about_any_rules() -> None:
    """Whatever a judge says: the first fault only, or all at once."""
    import random

    dice = random.Random(13)
    solvable = 0
    for number in range(1000):
        sizes = [dice.randint(1, 4) for _ in range(dice.randint(1, 6))]
        rules = _rules(dice, sizes)

        def judge(ranks: tuple[int, ...]) -> list[Incompatibility]:
            broken = [rule for rule in rules if all(bits >> ranks[place] & 1 for place, bits in rule.terms)]  # noqa: B023 - used at once
            return broken[: 1 if number % 2 else None]  # noqa: B023 - used at once

        found = search(sizes, judge, SearchBudget(SearchLimits()))
        expected = _by_force(sizes, rules)
        solvable += expected is not None
        if expected is None:
            assert isinstance(found, NothingFits)
        else:
            assert isinstance(found, Found)
            assert found.ranks == expected
    assert 300 < solvable < 700
