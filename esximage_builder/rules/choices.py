"""What is kept of the choices among versions left open: what was taken, what was passed over, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from esximage_builder.models.component import Component
from esximage_builder.models.image import Rule, UnitChoice
from esximage_builder.models.open_choice import HigherVersion
from esximage_builder.rules.fit import in_order
from esximage_builder.vocabulary import ComponentSource

if TYPE_CHECKING:
    from collections.abc import Iterator

    from esximage_builder.models.image import EffectiveComponent, Image
    from esximage_builder.rules.open_names import Candidate, Key
    from esximage_builder.rules.open_versions import Settled
    from esximage_builder.rules.settling import OpenWish

__all__ = ["component_choices", "unit_choices"]


def component_choices(image: Image, wish: OpenWish, settled: Settled) -> list[EffectiveComponent]:
    """Return the components of an image, those of open names with what was passed over."""
    passed: dict[tuple[ComponentSource, str], tuple[HigherVersion, ...]] = {}
    for place, name in enumerate(wish.names):
        taken = name.candidates[settled.ranks[place]]
        if isinstance(taken, Component):
            passed[name.source, taken.id] = _passed_over(wish, settled, place)
    return [
        attrs.evolve(entry, passed_over=found) if found and entry.rule is Rule.HIGHEST_AVAILABLE else entry
        for entry in image.components
        for found in [() if entry.source is None else passed.get((entry.source, entry.component.id), ())]
    ]


def unit_choices(wish: OpenWish, settled: Settled) -> tuple[UnitChoice, ...]:
    """Return what became of add-on, packages and solutions without version, lowest source first."""
    places = {name.key: place for place, name in enumerate(wish.names)}
    return tuple(_unit_choice(wish, settled, key, places.get(key)) for key in _open_units(wish))


def _open_units(wish: OpenWish) -> Iterator[Key]:
    """Yield all that are asked for without version, those that are not loaded too."""
    yield from (name.key for name in wish.names if name.source is ComponentSource.ADD_ON)
    for package in sorted({item.package for item in wish.spec.hardware_support if not item.version}):
        yield (ComponentSource.HARDWARE_SUPPORT_PACKAGE, package, "")
    for solution in sorted({item.name for item in wish.spec.solutions if not item.version}):
        yield (ComponentSource.SOLUTION, solution, "")


def _unit_choice(wish: OpenWish, settled: Settled, key: Key, place: int | None) -> UnitChoice:
    source, unit, _ = key
    if place is None:
        return UnitChoice(source=source, name=unit)
    loaded = [_version(candidate) for candidate in wish.names[place].candidates]
    return UnitChoice(
        source=source,
        name=unit,
        version=loaded[settled.ranks[place]],
        loaded=loaded[::-1],
        passed_over=_passed_over(wish, settled, place),
    )


def _version(candidate: Candidate | None) -> str:
    return "" if candidate is None else candidate.version.text


def _passed_over(wish: OpenWish, settled: Settled, place: int) -> tuple[HigherVersion, ...]:
    reasons, taken = settled.passed_over[place], settled.ranks[place]
    return tuple(
        HigherVersion(
            version=_version(wish.names[place].candidates[rank]),
            findings=in_order(reason.causes),
            beside=[_taken_id(wish, settled, other) for other, _ in reason.terms if other != place],
        )
        for rank, reason in sorted(reasons.items())
        if rank < taken and reason.causes
    )


def _taken_id(wish: OpenWish, settled: Settled, place: int) -> str:
    taken = wish.names[place].candidates[settled.ranks[place]]
    return "" if taken is None else taken.id
