"""Composing and validating whole generated depots: equal to the oracle, in any order, once for all."""

from __future__ import annotations

import collections
import random
from typing import TYPE_CHECKING, Any

import attrs
import hypothesis
from hypothesis import given, settings, strategies as st
from support import compose_oracle as oracle_compose
from support.compose_oracle import Expected
from support.effort import share
from support.memory_catalogs import COMPONENT_NAMES, GHOST, ISLAND, Depot, cut_down, depots

from esximage_builder.limits import SearchLimits
from esximage_builder.models.image import ReserveReason, Rule
from esximage_builder.rules.compose import compose
from esximage_builder.rules.open_names import open_names_of
from esximage_builder.rules.open_versions import settle
from esximage_builder.rules.settling import OpenWish
from esximage_builder.rules.validate import validate
from esximage_builder.versions import ComponentVersion
from esximage_builder.vocabulary import AcceptanceLevel, ComponentSource

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from esximage_builder.findings import Finding
    from esximage_builder.models.image import Image, OverriddenComponent

_MINIMUM = AcceptanceLevel.CERTIFIED
_FEW = settings(max_examples=100, suppress_health_check=[hypothesis.HealthCheck.too_slow])


def _composed(depot: Depot) -> Image:
    return compose(depot.catalog, depot.spec)


def _pairs(lost: Iterable[OverriddenComponent]) -> tuple[tuple[str, str], ...]:
    return tuple((str(entry.component), entry.source.value) for entry in lost)


def _expected(depot: Depot) -> Expected:
    """What the oracle says, with the versions that are to be taken."""
    names = open_names_of(depot.catalog, depot.spec)
    wish = OpenWish(catalog=depot.catalog, spec=depot.spec, names=names)
    found = wish.taken(settle(wish, SearchLimits()).ranks)
    taken = {(unit, component): candidate.id for (_, unit, component), candidate in found.items()}
    return oracle_compose.expect(depot.catalog, depot.spec, taken)


def _said(image: Image) -> Expected:
    """What the image says, in the oracle's words."""
    return Expected(
        components={entry.component.id: (str(entry.source), _pairs(entry.overridden)) for entry in image.components},
        reserved_components={part.id for part in image.reserved_components},
        missing_components={str(entry.component) for entry in image.missing_components},
        installed={entry.vib.id: (entry.component, str(entry.source)) for entry in image.vibs},
        reserved={
            entry.vib.id: (entry.reason.value, entry.component, str(entry.source)) for entry in image.reserved_vibs
        },
        missing_vibs={(entry.vib_id, entry.component) for entry in image.missing_vibs},
        removed={(gone.name, gone.source.value, _pairs(gone.removed)) for gone in image.removed},
    )


def _highlights(depot: Depot, image: Image) -> Iterator[str]:
    """What makes an example worth having, each of it once."""
    versions = {part.id: part.version for part in depot.catalog.components}
    for entry in image.components:
        lower = [lost for lost in entry.overridden if entry.component.version < lost.component.version]
        yield from ["override-down"] * bool(lower)
        if entry.rule is Rule.HIGHEST_AVAILABLE:
            yield "null version" if entry.source is ComponentSource.USER else "solution version"
            highest = max(part.version for part in depot.catalog.components_by_name[entry.component.name])
            yield from ["null version below the highest"] * (versions[entry.component.id] < highest)
    taken_off = {
        gone.name for gone in image.removed if gone.removed and gone.source is not ComponentSource.USER_REMOVED
    }
    yield from ["removal put back"] * any(entry.component.name in taken_off for entry in image.components)
    for reason in {entry.reason for entry in image.reserved_vibs}:
        yield {
            ReserveReason.LOWER_VERSION: "twin VIB name",
            ReserveReason.REPLACED: "replaces",
        }.get(reason, reason.value)
    yield from {finding.code for finding in validate(image, depot.catalog).findings}


_WANTED = (
    "override-down",
    "removal put back",
    "null version",
    "null version below the highest",
    "solution version",
    "twin VIB name",
    "conflict",
    "replaces",
    "component-overridden",
    "component-removed",
    "missing-dependency",
    "file-conflict",
    "component-missing",
    "vib-missing",
)


def test_the_oracle_agrees_on_everything_that_matters() -> None:
    """Equal to the oracle on examples that provably have every rule at work, a hundred times and more in all."""
    seen: collections.Counter[str] = collections.Counter()

    @settings(
        max_examples=share(1400),
        derandomize=True,
        database=None,
        phases=[hypothesis.Phase.generate],
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    @given(depots())
    def compare(depot: Depot) -> None:
        image = _composed(depot)
        assert _said(image) == _expected(depot)
        seen.update(set(_highlights(depot, image)))

    compare()
    assert {name: seen[name] for name in _WANTED if seen[name] < share(100)} == {}


@_FEW
@given(depots())
def test_composing_equals_the_oracle(depot: Depot) -> None:
    """Again with fresh examples on every run, and shrunk when one fails."""
    assert _said(_composed(depot)) == _expected(depot)


def _shuffled(depot: Depot, seed: int) -> Depot:
    """The same depot and spec with every list in another order."""
    dice = random.Random(seed)

    def mixed(items: Iterable[Any]) -> tuple[Any, ...]:
        listed = list(items)
        return tuple(dice.sample(listed, len(listed)))

    def with_mixed(unit: Any) -> Any:
        keys = {"components", "removed_components"} & {field.name for field in attrs.fields(type(unit))}
        return attrs.evolve(unit, **{key: mixed(getattr(unit, key)) for key in keys})

    units = ("base_images", "add_ons", "hardware_support", "solutions")
    catalog = attrs.evolve(
        depot.catalog,
        components=mixed(depot.catalog.components),
        vibs=mixed(depot.catalog.vibs),
        **{key: mixed(with_mixed(unit) for unit in getattr(depot.catalog, key)) for key in units},
    )
    wanted = attrs.evolve(
        depot.spec,
        components=mixed(depot.spec.components),
        removed_components=mixed(depot.spec.removed_components),
        hardware_support=mixed(depot.spec.hardware_support),
        solutions=mixed(depot.spec.solutions),
    )
    return Depot(catalog, wanted)


def _decided(image: Image) -> Any:
    """The image without what was asked for and the units as they stand in the catalog."""
    return attrs.evolve(image, spec=None, base_image=None, add_on=None, hardware_support=(), solutions=())


@_FEW
@given(depots(), st.integers())
def test_no_order_matters(depot: Depot, seed: int) -> None:
    image, other = _composed(depot), _composed(_shuffled(depot, seed))
    assert _decided(image) == _decided(other)
    assert image.digest == other.digest
    report = validate(image, depot.catalog)
    assert report.findings == validate(other, _shuffled(depot, seed).catalog).findings


def _pinned(depot: Depot, image: Image) -> Depot:
    """The same wish with every version that was left open set to the one that was taken."""
    chosen = {entry.component.name: entry.component.version for entry in image.components if _is_users(entry.source)}
    taken_off = (lost for gone in image.removed for lost in gone.removed)
    chosen |= {lost.component.name: lost.component.version for lost in taken_off if _is_users(lost.source)}
    wanted: list[tuple[str, ComponentVersion | None]] = [
        (name, chosen[name] if version is None else version) for name, version in depot.spec.components
    ]
    return attrs.evolve(depot, spec=attrs.evolve(depot.spec, components=wanted))


def _is_users(source: ComponentSource | None) -> bool:
    return source is ComponentSource.USER


def _with_choices_of(image: Image, other: Image) -> Image:
    """The image with the other's rules and choices, where they alone tell an open version from the same one pinned."""
    chosen = {entry.component.id: (entry.rule, entry.passed_over) for entry in other.components}
    pairs = [(entry, *chosen[entry.component.id]) for entry in image.components]
    components = [attrs.evolve(entry, rule=rule, passed_over=passed) for entry, rule, passed in pairs]
    return attrs.evolve(image, components=components, exclusions=other.exclusions)


@_FEW
@given(depots())
def test_composing_twice_is_composing_once(depot: Depot) -> None:
    """Again gives the same; and so does the wish with what was chosen written into it.

    The latter without solutions: their versions are chosen beside all that the user left open, so
    that they may be others once the user leaves nothing open.
    """
    assert _composed(depot) == _composed(depot)
    depot = attrs.evolve(depot, spec=attrs.evolve(depot.spec, solutions=()))
    image = _composed(depot)
    pinned = _pinned(depot, image)
    again = _composed(pinned)
    assert again.digest == image.digest
    assert _decided(_with_choices_of(again, image)) == _decided(image)
    assert _composed(_pinned(pinned, again)) == again


@_FEW
@given(depots())
def test_every_vib_has_one_stated_source(depot: Depot) -> None:
    """All VIBs of effective and lost components that are loaded are installed or reserved, once."""
    image = _composed(depot)
    effective = {entry.component.id: entry for entry in image.components}
    lost = {part.id for part in image.reserved_components}
    assert lost.isdisjoint(effective)
    installed = [entry.vib.id for entry in image.vibs]
    reserved = [entry.vib.id for entry in image.reserved_vibs]
    assert len({*installed, *reserved}) == len(installed) + len(reserved)
    parts = (*(entry.component for entry in image.components), *image.reserved_components)
    listed = {vib_id for part in parts for vib_id in part.vib_ids}
    assert {*installed, *reserved} == listed.intersection(depot.catalog.vibs_by_id)
    for entry in image.vibs:
        assert entry.source is effective[entry.component].source
        assert entry.vib.id in effective[entry.component].component.vib_ids
    for kept in image.reserved_vibs:
        is_effective = kept.reason in (ReserveReason.LOWER_VERSION, ReserveReason.REPLACED)
        assert kept.component in (effective if is_effective else lost)
    for missing in image.missing_vibs:
        assert missing.vib_id not in depot.catalog.vibs_by_id
        assert missing.component in effective


@_FEW
@given(depots())
def test_the_image_holds_what_it_promises(depot: Depot) -> None:
    """One component of a name, one VIB of a name, all sorted; the core always there."""
    image = _composed(depot)
    names = [entry.component.name for entry in image.components]
    assert names == sorted(set(names))
    assert "ESXi" in names
    vib_names = [entry.vib.name for entry in image.vibs]
    assert len(vib_names) == len(set(vib_names))
    for entries in (image.vibs, image.reserved_vibs):
        ids = [entry.vib.id for entry in entries]
        assert ids == sorted(ids)
    removed = set(depot.spec.removed_components)
    assert removed.isdisjoint(names)
    assert {entry.component.name for entry in image.missing_components}.isdisjoint([*names, *removed])


def _findings(image: Image, depot: Depot) -> list[Finding]:
    """Without the note on the spec's removals as such, which say nothing of the image."""
    found = validate(image, depot.catalog).findings
    return [finding for finding in found if finding.code != "removals-need-newer-vcenter"]


def _without(depot: Depot, name: str) -> Depot:
    names = [*depot.spec.removed_components, name]
    return attrs.evolve(depot, spec=attrs.evolve(depot.spec, removed_components=names))


@_FEW
@given(depots())
def test_removing_an_unrelated_component_changes_nothing_else(depot: Depot) -> None:
    before, after = _composed(depot), _composed(_without(depot, ISLAND))

    def others(entries: Iterable[Any], name_of: Callable[[Any], str]) -> list[Any]:
        return [entry for entry in entries if ISLAND not in name_of(entry)]

    assert list(after.components) == others(before.components, lambda entry: entry.component.name)
    assert list(after.vibs) == others(before.vibs, lambda entry: entry.vib.name)
    assert others(after.reserved_vibs, lambda entry: entry.vib.name) == list(before.reserved_vibs)
    assert others(after.reserved_components, lambda part: part.name) == list(before.reserved_components)
    assert others(after.removed, lambda gone: gone.name) == list(before.removed)
    assert (after.missing_components, after.missing_vibs) == (before.missing_components, before.missing_vibs)
    assert _findings(after, depot) == _findings(before, depot)


@_FEW
@given(depots())
def test_removing_what_is_not_there_says_so_and_no_more(depot: Depot) -> None:
    before, after = _composed(depot), _composed(_without(depot, GHOST))
    assert after.digest == before.digest
    known, found = (set(_findings(image, depot)) for image in (before, after))
    assert {(finding.code, finding.items) for finding in found - known} <= {("removed-component-absent", (GHOST,))}
    assert known <= found


@_FEW
@given(depots())
def test_findings_hold_when_the_image_is_cut_down_to_what_they_name(depot: Depot) -> None:
    """A finding names all that makes it true."""
    image = _composed(depot)
    for finding in validate(image, depot.catalog, minimum_acceptance=_MINIMUM).findings:
        small = validate(cut_down(image, finding), depot.catalog, minimum_acceptance=_MINIMUM)
        assert (finding.code, finding.severity, finding.items) in {
            (left.code, left.severity, left.items) for left in small.findings
        }


@_FEW
@given(depots())
def test_findings_are_sorted_and_stated_once(depot: Depot) -> None:
    findings = validate(_composed(depot), depot.catalog, minimum_acceptance=_MINIMUM).findings
    assert list(findings) == sorted(findings, key=lambda finding: (finding.sort_key, finding.cause))
    assert len(set(findings)) == len(findings)
    assert all(finding.message and finding.items and finding.remedy for finding in findings)


@_FEW
@given(depots(), st.sampled_from(COMPONENT_NAMES))
def test_the_users_pin_wins(depot: Depot, name: str) -> None:
    """Whoever brings what, a version that the user names is in, unless removed."""
    for part in depot.catalog.components_by_name.get(name, ()):
        wanted = dict(depot.spec.components) | {name: part.version}
        pinned = attrs.evolve(depot.spec, components=tuple(wanted.items()), removed_components=())
        image = compose(depot.catalog, pinned)
        entry = next(entry for entry in image.components if entry.component.name == name)
        assert (entry.component, entry.source) == (part, ComponentSource.USER)
