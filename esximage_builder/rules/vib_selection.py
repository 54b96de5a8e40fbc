"""Which VIBs an image installs, and which it only carries.

Rules (docs/concepts.md#composing):

* What only overridden or removed components bring is reserved.
* Where two effective components bring one VIB name, the highest version is installed; of equal
  ones that of the higher source. A VIB for data processing units pushes none of the host's out,
  and the other way round: see ``rules.platforms``.
* A VIB that another effective VIB replaces is reserved; VIBs that replace each other, directly
  or around, all stay, and validation says so.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, final

import attrs

from esximage_builder.models.image import InstalledVib, MissingVib, ReservedVib, ReserveReason
from esximage_builder.rules.platforms import SYSTEMS, share_a_system, systems_of
from esximage_builder.rules.relations import replaces_vib
from esximage_builder.vocabulary import ComponentSource

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from esximage_builder.models.catalog import Catalog
    from esximage_builder.models.component import Component
    from esximage_builder.models.vib import Vib
    from esximage_builder.vocabulary import Platform

__all__ = ["PRECEDENCE", "VibChoice", "VibSelection", "last_winner", "select_vibs", "winners_by_loser"]

PRECEDENCE = {source: rank for rank, source in enumerate(ComponentSource)}
"""Sources from low to high."""


@final
class VibChoice:
    """Finds the VIB of an id, also where the id has several contents."""

    def __init__(self, catalog: Catalog, prefer: tuple[str, ...]) -> None:
        self._catalog = catalog
        self._prefer = prefer
        self.unchosen: set[str] = set()

    def peek(self, vib_id: str) -> tuple[Vib, ...]:
        """Return all contents of the id, without choosing."""
        return self._catalog.vibs_by_id.get(vib_id, ())

    def choose(self, vib_id: str) -> Vib | None:
        """Return the VIB of the id, from the preferred source; None if none is loaded."""
        vibs = self.peek(vib_id)
        if len(vibs) <= 1:
            return vibs[0] if vibs else None
        for source in self._prefer:
            held = [vib for vib in vibs if source in self._catalog.sources_of(vib)]
            if len(held) == 1:
                return held[0]
        self.unchosen.add(vib_id)
        return min(vibs, key=lambda vib: vib.fingerprint)


@final
@attrs.define
class VibSelection:
    """Which VIBs are installed, which are reserved, which are missing; each sorted by id."""

    installed: list[InstalledVib] = attrs.Factory(list)
    reserved: list[ReservedVib] = attrs.Factory(list)
    missing: list[MissingVib] = attrs.Factory(list)


def select_vibs(
    effective: Sequence[tuple[Component, ComponentSource]],
    losers: Sequence[tuple[Component, ComponentSource, ReserveReason, str]],
    *,
    choose: Callable[[str], Vib | None],
) -> VibSelection:
    """Select the VIBs of an image from its effective components and those that lost.

    Args:
        effective: Components with their source.
        losers: Components that lost: with source, reason and id of the winner.
        choose: Function from VIB id to VIB, or None where it is not loaded.
    """
    selection = VibSelection()
    stated: dict[str, InstalledVib] = {}
    by_rank = sorted(effective, key=lambda pair: (-PRECEDENCE[pair[1]], pair[0].id))
    for component, source in by_rank:
        for vib_id in component.vib_ids:
            vib = choose(vib_id)
            if vib is None:
                selection.missing.append(MissingVib(vib_id=vib_id, component=component.id))
            elif vib_id not in stated:
                stated[vib_id] = InstalledVib(vib=vib, component=component.id, source=source)
    installed = _highest_of_each_name(stated.values(), selection.reserved)
    selection.installed = _without_replaced(installed, selection.reserved)
    reserved_ids = {entry.vib.id for entry in selection.reserved}
    for component, source, reason, winner in sorted(losers, key=lambda loser: (-PRECEDENCE[loser[1]], loser[0].id)):
        for vib_id in component.vib_ids:
            vib = choose(vib_id)
            if vib is not None and vib_id not in stated and vib_id not in reserved_ids:
                reserved_ids.add(vib_id)
                selection.reserved.append(
                    ReservedVib(vib=vib, reason=reason, component=component.id, source=source, winner=winner)
                )
    selection.installed.sort(key=lambda entry: entry.vib.id)
    selection.reserved.sort(key=lambda entry: entry.vib.id)
    selection.missing.sort(key=lambda entry: (entry.vib_id, entry.component))
    return selection


def _highest_of_each_name(entries: Iterable[InstalledVib], reserved: list[ReservedVib]) -> list[InstalledVib]:
    """Keep the highest version of each VIB name on each system; of equal ones that of the higher source."""
    by_name = sorted(entries, key=lambda entry: entry.vib.name)
    kept = []
    for _, group in itertools.groupby(by_name, key=lambda entry: entry.vib.name):
        first, *others = group
        kept += _highest([first, *others], reserved) if others else [first]
    return kept


def _highest(entries: Sequence[InstalledVib], reserved: list[ReservedVib]) -> list[InstalledVib]:
    """Keep of VIBs of one name the highest on each system."""
    winners: dict[Platform, InstalledVib] = {}
    kept = []
    for entry in sorted(entries, key=_vib_rank, reverse=True):
        systems = systems_of(entry.vib)
        if systems <= winners.keys():
            winner = next(winners[system] for system in SYSTEMS if system in systems)
            reserved.append(_reserve(entry, _why_lower(entry, winner), winner.vib.id))
        else:
            kept.append(entry)
            winners = dict.fromkeys(systems, entry) | winners
    return kept


def _why_lower(entry: InstalledVib, winner: InstalledVib) -> ReserveReason:
    is_equal = entry.vib.version == winner.vib.version
    return ReserveReason.SAME_VERSION if is_equal else ReserveReason.LOWER_VERSION


def _vib_rank(entry: InstalledVib) -> tuple[object, int, str]:
    return (entry.vib.version, -1 if entry.source is None else PRECEDENCE[entry.source], entry.vib.id)


def _without_replaced(entries: list[InstalledVib], reserved: list[ReservedVib]) -> list[InstalledVib]:
    """Reserve what another VIB replaces; VIBs that replace each other, directly or around, all stay."""
    winners_of = winners_by_loser([entry.vib for entry in entries])
    kept = []
    for entry in entries:
        if winners_of.get(entry.vib.id):
            reserved.append(_reserve(entry, ReserveReason.REPLACED, last_winner(entry.vib.id, winners_of)))
        else:
            kept.append(entry)
    return kept


def winners_by_loser(vibs: Sequence[Vib]) -> dict[str, list[str]]:
    """Return for each id of a replaced VIB those that replace it and are not replaced by it, sorted.

    They replace it on every system that it is for: one that is still wanted on another stays.
    """
    beaten_by = _beaten_by(vibs)
    by_id = {vib.id: vib for vib in vibs} if beaten_by else {}
    found = {
        vib_id: [winner for winner in sorted(winners) if not _leads_to(winner, vib_id, beaten_by)]
        for vib_id, winners in beaten_by.items()
    }
    return {
        vib_id: winners
        for vib_id, winners in found.items()
        if systems_of(by_id[vib_id]) <= frozenset().union(*(systems_of(by_id[winner]) for winner in winners))
    }


def _beaten_by(vibs: Sequence[Vib]) -> dict[str, list[str]]:
    """Return for each id of a replaced VIB the ids of those that replace it."""
    by_name: dict[str, list[Vib]] = {}
    for vib in vibs:
        by_name.setdefault(vib.name, []).append(vib)
    beaten_by: dict[str, list[str]] = {}
    for winner in vibs:
        for loser in (loser for constraint in winner.replaces for loser in by_name.get(constraint.name, ())):
            winners = beaten_by.setdefault(loser.id, [])
            is_other = loser.id != winner.id and winner.id not in winners
            if is_other and share_a_system(winner, loser) and replaces_vib(winner, loser):
                winners.append(winner.id)
    return beaten_by


def last_winner(vib_id: str, winners_of: Mapping[str, Sequence[str]]) -> str:
    """Return who is installed in place of a replaced VIB: of a chain of replacements the last."""
    while winners_of.get(vib_id):
        vib_id = winners_of[vib_id][0]
    return vib_id


def _leads_to(start: str, goal: str, beaten_by: Mapping[str, Sequence[str]]) -> bool:
    """Tell whether ``start`` is beaten by ``goal``, directly or over others."""
    seen: set[str] = set()
    waiting = [start]
    while waiting:
        current = waiting.pop()
        if current == goal:
            return True
        if current not in seen:
            seen.add(current)
            waiting += beaten_by.get(current, ())
    return False


def _reserve(entry: InstalledVib, reason: ReserveReason, winner: str) -> ReservedVib:
    return ReservedVib(vib=entry.vib, reason=reason, component=entry.component, source=entry.source, winner=winner)
