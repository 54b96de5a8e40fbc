"""A thousand dense worlds with versions left open, each against trying everything."""

from __future__ import annotations

import collections
import itertools
import random
from typing import TYPE_CHECKING, Any

import attrs
import pytest
from support.effort import share
from support.open_version_oracle import World, can_fit, expect, make_world, places_of

from esximage_builder.limits import SearchBudget, SearchLimits
from esximage_builder.rules.compose import compose
from esximage_builder.rules.open_names import open_names_of
from esximage_builder.rules.open_versions import Settled, settle
from esximage_builder.rules.search import Found, Incompatibility, NothingFits, search
from esximage_builder.rules.settling import OpenWish
from esximage_builder.vocabulary import ComponentSource

if TYPE_CHECKING:
    from collections.abc import Sequence


def _wish(world: World) -> OpenWish:
    return OpenWish(
        catalog=world.catalog, spec=world.spec, names=open_names_of(world.catalog, world.spec, world.add_on)
    )


def _taken(wish: OpenWish, settled: Settled) -> tuple[str, ...]:
    return tuple(candidate.id for candidate in wish.taken(settled.ranks).values())


@pytest.mark.parametrize(
    ("worlds", "solvable", "lowered", "deepest"),
    [  # every run takes the first, `make test-long` all
        pytest.param(range(250), 141, 95, 17, id="1st quarter"),
        pytest.param(range(250, 500), 146, 110, 14, id="2nd quarter"),
        pytest.param(range(500, 750), 122, 82, 17, id="3rd quarter"),
        pytest.param(range(750, 1000), 135, 94, 16, id="4th quarter"),
    ][: share(4)],
)
def test_what_fits_is_found_and_is_the_highest(worlds: range, solvable: int, lowered: int, deepest: int) -> None:
    """Whenever a choice fits it is found, it is the highest in the documented order, and the steps are few.

    Counted are the worlds where something fits, those of them where it is not the highest of each name, and
    the most images that were judged for one world.
    """
    seen: collections.Counter[str] = collections.Counter()
    most = 0
    for seed in worlds:
        world = make_world(seed)
        wish = _wish(world)
        assert [(name.unit, name.component) for name in wish.names] == [place[1:] for place in places_of(world)]
        expected, settled = expect(world), settle(wish, SearchLimits())
        assert settled.is_searched
        assert (expected is None) == bool(settled.exclusions)
        assert expected in (None, _taken(wish, settled))
        seen["unsolvable" if expected is None else "solvable"] += 1
        seen["lowered"] += expected is not None and any(settled.ranks)
        most = max(most, settled.images_judged)
    assert seen == {"solvable": solvable, "unsolvable": len(worlds) - solvable, "lowered": lowered}
    assert most == deepest


_RANKS = {source: rank for rank, source in enumerate(ComponentSource)}


def test_wishes_that_exclude_each_other_do() -> None:
    """Nothing fits those that are named, whatever the others come to; without any one of them something does."""
    found = sizes = 0
    for seed in range(60):
        world = make_world(seed)
        if world.spec.removed_components:
            continue
        for exclusion in settle(_wish(world), SearchLimits()).exclusions[:1]:
            kept = {(_RANKS[wish.source], wish.name) for wish in exclusion.wishes}
            assert exclusion.is_smallest
            assert exclusion.open_names
            assert exclusion.findings
            assert not can_fit(world, kept)
            assert all(can_fit(world, kept - {one}) for one in kept)
            found += 1
            sizes += len(kept)
    assert (found, sizes) == (26, 32)


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
    for _ in range(dice.randint(1, 14)):
        places = sorted(dice.sample(range(len(sizes)), dice.randint(1, min(3, len(sizes)))))
        terms = tuple((place, dice.randint(1, (1 << sizes[place]) - 1)) for place in places)
        rules.append(Incompatibility(terms, frozenset(), frozenset(places)))
    return rules


def test_the_search_is_right_about_any_rules() -> None:
    """Whatever a judge says: the first fault only, or all at once."""

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
    assert 150 < solvable < 850
