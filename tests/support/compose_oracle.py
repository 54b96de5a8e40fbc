"""Composing said once more: slow, obvious, and without a line of ``rules.compose``.

Only the nouns and the comparison of versions are shared. Each function below is one sentence
of docs/concepts.md#composing.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, final

import attrs

from esximage_builder.versions import VibVersion

if TYPE_CHECKING:
    from collections.abc import Mapping

    from esximage_builder.models.catalog import Catalog
    from esximage_builder.models.component import Component
    from esximage_builder.models.constraint import Constraint
    from esximage_builder.models.spec import SoftwareSpec
    from esximage_builder.models.vib import Vib

SOURCES = ("BASE_IMAGE", "ADD_ON", "HARDWARE_SUPPORT_PACKAGE", "SOLUTION", "USER")
"""Low to high."""


@final
@attrs.frozen
class Event:
    """What a source does to a component name: it brings a version, or takes the name off (None)."""

    source: str
    component_id: str | None


@final
@attrs.frozen(kw_only=True)
class Expected:
    """What the image has to be.

    Attributes:
        components: Id to its source and what it overrode, as pairs of id and source.
        reserved_components: Ids.
        missing_components: Ids.
        installed: VIB id to component id and source.
        reserved: VIB id to reason, component id and source.
        missing_vibs: Pairs of VIB id and component id.
        removed: Triples of name, source and what was taken off.
    """

    components: dict[str, tuple[str, tuple[tuple[str, str], ...]]]
    reserved_components: set[str]
    missing_components: set[str]
    installed: dict[str, tuple[str, str]]
    reserved: dict[str, tuple[str, str, str]]
    missing_vibs: set[tuple[str, str]]
    removed: set[tuple[str, str, tuple[tuple[str, str], ...]]]


def expect(catalog: Catalog, spec: SoftwareSpec, taken: Mapping[tuple[str, str], str]) -> Expected:
    """What composing has to give, where open names took these ids: by source and name.

    Which versions are to be taken is for ``support.open_version_oracle``.
    """
    events = _all_events(catalog, spec, taken)
    loaded = {component.id: component for component in catalog.components}
    components, missing, removed = {}, set(), set()
    for name, story in events.items():
        since = _since_last_removal(story)
        if since:
            overridden = tuple((event.component_id or "", event.source) for event in since[:-1])
            if since[-1].component_id in loaded:
                components[since[-1].component_id] = (since[-1].source, overridden)
            else:
                missing.add(since[-1].component_id or "")
        for place, event in enumerate(story):
            if event.component_id is None:
                gone = tuple((lost.component_id or "", lost.source) for lost in _since_last_removal(story[:place]))
                removed.add((name, event.source, gone))
    losers = _losers(events, loaded)
    installed, reserved = _select_vibs(catalog, loaded, components, losers)
    return Expected(
        components=components,
        reserved_components={component_id for component_id, _, _ in losers} - set(components),
        missing_components=missing,
        installed=installed,
        reserved=reserved,
        missing_vibs={
            (vib_id, component_id)
            for component_id in components
            for vib_id in loaded[component_id].vib_ids
            if not _has_vib(catalog, vib_id)
        },
        removed=removed,
    )


def _has_vib(catalog: Catalog, vib_id: str) -> bool:
    return any(vib.id == vib_id for vib in catalog.vibs)


def _since_last_removal(story: list[Event]) -> list[Event]:
    """The source that comes last holds a name; what came before the last removal does not count."""
    kept: list[Event] = []
    for event in story:
        kept = [] if event.component_id is None else [*kept, event]
    return kept


def _fixed_events(catalog: Catalog, spec: SoftwareSpec) -> dict[str, list[Event]]:
    """What base image, add-on and hardware support packages do, removals of each before its own components."""
    events: dict[str, list[Event]] = {}
    base = next(unit for unit in catalog.base_images if unit.version.text == spec.base_image)
    units: list[tuple[str, tuple[str, ...], list[str]]] = [
        ("BASE_IMAGE", (), [str(reference) for reference in base.components])
    ]
    wanted = spec.add_on
    if wanted is not None:
        add_on = next(unit for unit in catalog.add_ons if unit.id == f"{wanted.name}:{wanted.version}")
        units.append(("ADD_ON", add_on.removed_components, [str(item) for item in add_on.components]))
    for package_name in sorted(item.package for item in spec.hardware_support):
        package = next(unit for unit in catalog.hardware_support if unit.name == package_name)
        units.append(
            ("HARDWARE_SUPPORT_PACKAGE", package.removed_components, [str(item) for item in package.components])
        )
    for source, removals, component_ids in units:
        for name in removals:
            events.setdefault(name, []).append(Event(source, None))
        for component_id in component_ids:
            events.setdefault(component_id.split(":")[0], []).append(Event(source, component_id))
    return events


def _all_events(catalog: Catalog, spec: SoftwareSpec, taken: Mapping[tuple[str, str], str]) -> dict[str, list[Event]]:
    events = _fixed_events(catalog, spec)
    additions: list[tuple[str, Event]] = []
    for solution_name in sorted(item.name for item in spec.solutions):
        solution = next(unit for unit in catalog.solutions if unit.name == solution_name)
        names = [wanted.name for wanted in solution.components]
        additions += [(name, Event("SOLUTION", taken[solution_name, name])) for name in names]
    for name, version in spec.components:
        chosen = taken["", name] if version is None else f"{name}:{version}"
        additions.append((name, Event("USER", chosen)))
    additions += [(name, Event("USER_REMOVED", None)) for name in spec.removed_components]
    for name, event in additions:
        events.setdefault(name, []).append(event)
    return events


def _meets(offered: VibVersion | None, wanted: Constraint) -> bool:
    """No version asked for is met by any; without a release part only the version part counts."""
    if wanted.version is None or wanted.relation is None:
        return True
    if offered is None:
        return False
    if "-" not in wanted.version.text:
        offered = VibVersion(offered.text.split("-")[0])
    signs = set()
    if offered < wanted.version:
        signs = {"<<", "<="}
    elif offered == wanted.version:
        signs = {"<=", "=", ">="}
    else:
        signs = {">=", ">>"}
    return wanted.relation.value in signs


def _losers(events: dict[str, list[Event]], loaded: dict[str, Component]) -> list[tuple[str, str, str]]:
    """Components that lost their name, with source and reason: another took it, or it was taken off."""
    losers = []
    for story in events.values():
        for event, after in itertools.pairwise(story):
            if event.component_id in loaded and after.component_id != event.component_id:
                reason = "component-removed" if after.component_id is None else "component-overridden"
                losers.append((event.component_id, event.source, reason))
    return losers


def _select_vibs(
    catalog: Catalog,
    loaded: dict[str, Component],
    components: dict[str, tuple[str, tuple[tuple[str, str], ...]]],
    losers: list[tuple[str, str, str]],
) -> tuple[dict[str, tuple[str, str]], dict[str, tuple[str, str, str]]]:
    """Of each VIB name the highest that an effective component brings, but none that another replaces."""
    rank = {source: place for place, source in enumerate(SOURCES)}
    vibs = {vib.id: vib for vib in catalog.vibs}
    stated: dict[str, tuple[str, str]] = {}
    for component_id in sorted(components, key=lambda key: (-rank[components[key][0]], key)):
        for vib_id in loaded[component_id].vib_ids:
            if vib_id in vibs:
                stated.setdefault(vib_id, (component_id, components[component_id][0]))

    reserved: dict[str, tuple[str, str, str]] = {}
    for vib_id, origin in stated.items():
        twins = [other for other in stated if vibs[other].name == vibs[vib_id].name]
        if vib_id != max(twins, key=lambda key: (vibs[key].version, rank[stated[key][1]], key)):
            reserved[vib_id] = ("lower-version", *origin)
    highest = [vib_id for vib_id in stated if vib_id not in reserved]
    for vib_id in _replaced([vibs[vib_id] for vib_id in highest]):
        reserved[vib_id] = ("replaced", *stated[vib_id])
    installed = {vib_id: origin for vib_id, origin in stated.items() if vib_id not in reserved}

    for component_id, source, reason in sorted(losers, key=lambda loser: (-rank[loser[1]], loser[0])):
        for vib_id in loaded[component_id].vib_ids:
            if vib_id in vibs and vib_id not in stated:
                reserved.setdefault(vib_id, (reason, component_id, source))
    return installed, reserved


def _replaced(vibs: list[Vib]) -> set[str]:
    """Ids of VIBs that another replaces; those that replace each other, straight or around, all stay."""
    beats = {
        (winner.id, loser.id)
        for winner in vibs
        for loser in vibs
        if winner.id != loser.id
        and any(wanted.name == loser.name and _meets(loser.version, wanted) for wanted in winner.replaces)
    }
    reaches = set(beats)
    for _ in vibs:
        reaches |= {(first, last) for first, middle in reaches for start, last in beats if middle == start}
    return {loser for winner, loser in beats if (loser, winner) not in reaches}
