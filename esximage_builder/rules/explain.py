"""Findings and decisions as text a person understands, grouped by cause.

Facts are made elsewhere; here they are only worded. Sixty VIBs that lack one interface
are one cause, not sixty lines.
"""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING, final

import attrs

from esximage_builder.codes import code_of
from esximage_builder.findings import Severity
from esximage_builder.models.fields import as_tuple
from esximage_builder.models.image import ReserveReason, Rule
from esximage_builder.models.profile_change import ReplaceReason
from esximage_builder.rules.driver_interfaces import (
    ESX_VERSION,
    VMKAPI,
    VMKLINUX,
    interface_numbers,
    interface_of,
)
from esximage_builder.rules.platforms import share_a_system
from esximage_builder.rules.relations import ProvideIndex
from esximage_builder.rules.wishes import why_passed_over
from esximage_builder.shown import Shown
from esximage_builder.vocabulary import AcceptanceLevel, ComponentSource

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from esximage_builder.findings import Finding
    from esximage_builder.models.catalog import Catalog
    from esximage_builder.models.image import EffectiveComponent, Image, InstalledVib, ReservedVib
    from esximage_builder.models.vib import Vib

__all__ = [
    "Explanation",
    "RuleSet",
    "explain_acceptance",
    "explain_findings",
    "explain_name",
    "rule_set_of",
]

_MOST_NAMES = 3


class RuleSet(enum.StrEnum):
    """Which rules an image is judged by: those of its generation, never those of another."""

    PROFILE = "profile"
    """A list of VIBs, as up to ESXi 6.7: base image, add-on and components are not asked for."""
    COMPONENTS = "components"
    """Base image, add-on and components, as since ESXi 7.0."""

    @property
    def description(self) -> str:
        """What the rules go by, in one line."""
        return {
            "profile": "a list of VIBs, as up to ESXi 6.7; base image, add-on and components are not asked for",
            "components": "base image, add-on and components, as since ESXi 7.0",
        }[self.value]


def rule_set_of(image: Image) -> RuleSet:
    """Return the rules that an image is judged by."""
    return RuleSet.COMPONENTS if image.base_image is not None or image.components else RuleSet.PROFILE


@final
@attrs.frozen(kw_only=True, repr=False)
class Explanation(Shown):
    """One cause and all that it explains.

    Attributes:
        code: Of the findings explained.
        severity: Of the findings explained.
        headline: What is the matter, in one line.
        cause: Why, in the user's words.
        remedies: What to do, each once.
        items: What is concerned, sorted; VIB ids, components, files.
    """

    code: str
    severity: Severity
    headline: str
    cause: str
    remedies: tuple[str, ...] = attrs.field(converter=as_tuple)
    items: tuple[str, ...] = attrs.field(converter=as_tuple)


_FIRST_WITHOUT_VMKLINUX = 7
# First release that offers a driver interface. Source: docs/formats.md#relationships.
_VMKAPI_RELEASES = {
    (2, 6): "7.0",
    (2, 9): "7.0.3",
    (2, 10): "8.0",
    (2, 11): "8.0.1",
    (2, 12): "8.0.2",
    (2, 13): "8.0.3",
    (3, 0): "9.0",
}
_OLDEST_NATIVE, _NEWEST_NATIVE = min(_VMKAPI_RELEASES), max(_VMKAPI_RELEASES)


@final
@attrs.frozen(order=True)
class _Mismatch:
    """A driver interface that a VIB was built for and the image lacks; the lower the rank, the more it tells."""

    rank: int
    cause: str


def explain_findings(
    findings: Iterable[Finding], *, catalog: Catalog | None = None, image: Image | None = None
) -> tuple[Explanation, ...]:
    """Group findings by cause.

    Args:
        findings: From one validation or comparison.
        catalog: What is loaded, for replacements to suggest; None goes without.
        image: What was validated, to say what it provides and which replacements fit it; None
            goes without.

    Returns:
        Errors first; within a severity in order of code and cause.
    """
    findings = tuple(findings)
    mismatches = _mismatches(findings, image)
    groups: dict[tuple[Severity, str, str, bool], list[Finding]] = {}
    for finding in findings:
        mismatch = mismatches.get(finding.fact("vib")) if _mismatch(finding, image) is not None else None
        cause = finding.cause if mismatch is None else mismatch.cause
        groups.setdefault((finding.severity, finding.code, cause, mismatch is not None), []).append(finding)
    explained = [
        _explanation(cause, group, _mismatch_remedies(group, catalog, image) if is_mismatch else None)
        for (_, _, cause, is_mismatch), group in groups.items()
    ]
    return tuple(sorted(explained, key=lambda entry: (entry.severity.rank, entry.code, entry.cause, entry.items)))


def _mismatches(findings: Iterable[Finding], image: Image | None) -> dict[str, _Mismatch]:
    """Return for each VIB that was built for another release the one cause that tells most."""
    found: dict[str, _Mismatch] = {}
    for finding in findings:
        mismatch = _mismatch(finding, image)
        if mismatch is not None:
            vib_id = finding.fact("vib")
            found[vib_id] = min(mismatch, found.get(vib_id, mismatch))
    return found


def _mismatch(finding: Finding, image: Image | None) -> _Mismatch | None:
    """Return the driver interface that a missing dependency tells of; None if it tells of none."""
    interface = finding.fact("interface")
    numbers = interface_numbers(finding.fact("interface_version"))
    version = None if image is None else image.esxi_version
    is_old_image = version is not None and version.major < _FIRST_WITHOUT_VMKLINUX
    if interface == VMKLINUX and not is_old_image:
        return _Mismatch(0, "built for the vmklinux drivers of ESXi 6.x and older; no base image since 7.0 has them")
    if interface == VMKAPI and numbers is not None:
        return _vmkapi_mismatch(numbers, image)
    if interface == ESX_VERSION:
        own = "" if version is None else f"; the image is ESXi {version.product}"
        return _Mismatch(2, f"made for other ESXi versions: it asks for {finding.fact('requires')}{own}")
    return None


def _vmkapi_mismatch(wanted: tuple[int, int], image: Image | None) -> _Mismatch:
    if wanted < _OLDEST_NATIVE:
        built_for = "6.x and older"
    elif wanted > _NEWEST_NATIVE:
        built_for = f"after {_VMKAPI_RELEASES[_NEWEST_NATIVE]}"
    else:
        first = max(known for known in _VMKAPI_RELEASES if known <= wanted)
        built_for = _VMKAPI_RELEASES[first] + ("" if first == wanted else " or an update of it")
    return _Mismatch(
        1,
        f"built for the driver interface of ESXi {built_for}, vmkapi {wanted[0]}.{wanted[1]}{_provided_text(image)}",
    )


def _provided_text(image: Image | None) -> str:
    """Say which driver interfaces the image has; empty if none, or if no image is at hand."""
    names = [] if image is None else [p.name for entry in image.vibs for p in entry.vib.provides]
    versions = (interface_numbers(interface_of(name)[1]) for name in names)
    numbers = sorted(known for known in versions if known is not None)
    if not numbers:
        return ""
    low, high = (f"{major}.{minor}" for major, minor in (numbers[0], numbers[-1]))
    return f"; the image provides vmkapi {low}" + (f" to {high}" if high != low else "")


def _explanation(cause: str, group: list[Finding], remedies: list[str] | None) -> Explanation:
    first = group[0]
    items = sorted({finding.items[0] for finding in group if finding.items})
    if remedies is None:
        remedies = list(dict.fromkeys(finding.remedy for finding in group if finding.remedy))
    return Explanation(
        code=first.code,
        severity=first.severity,
        headline=first.message if len(group) == 1 else _headline(group, items),
        cause=cause,
        remedies=remedies,
        items=items,
    )


def _headline(group: list[Finding], items: list[str]) -> str:
    if all(finding.fact("requires") for finding in group):
        who = "1 VIB asks" if len(items) == 1 else f"{len(items)} VIBs ask"
        return f"{who} for what the image does not have: {_some(items)}"
    named = f" of {_some(items)}" if items else ""
    return f"{len(group)} findings: {group[0].code.replace('-', ' ')}{named}"


def _some(names: list[str]) -> str:
    more = f" and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else ""
    return ", ".join(names[:_MOST_NAMES]) + more


def _mismatch_remedies(group: list[Finding], catalog: Catalog | None, image: Image | None) -> list[str]:
    """Return what may take the place of VIBs built for another release: no base image of that release does."""
    ids = sorted({finding.fact("vib") for finding in group})
    known = {} if catalog is None else {vib.id: vib for vib in catalog.vibs}
    remedies, left = [], []
    for vib_id in ids:
        replacements = [] if vib_id not in known else _replacements(known[vib_id], known, set(ids), image)
        if replacements:
            remedies.append(f"nearest replacement loaded for {known[vib_id].name}: {_some(replacements)}")
        else:
            left.append(vib_id)
    if left:
        whom = "" if not remedies and catalog is None else f"nothing loaded replaces {_some(left)}: "
        remedies.append(f"{whom}take builds made for this base image, or leave them out")
    return remedies


def _replacements(vib: Vib, known: dict[str, Vib], unfit: set[str], image: Image | None) -> list[str]:
    """Return ids of loaded VIBs of the same name or for the same devices that fit the image, nearest first."""
    devices = _devices(vib)
    beside = [] if image is None else [e.vib for e in image.vibs if e.vib.name != vib.name]
    index = None if image is None else ProvideIndex(other for other in beside if share_a_system(other, vib))
    others = [
        other
        for other in known.values()
        if other.id not in unfit
        and share_a_system(other, vib)
        and (other.name == vib.name or not devices.isdisjoint(_devices(other)))
        and (index is None or _fits(other, index))
    ]
    others.sort(key=lambda other: other.version, reverse=True)
    others.sort(key=lambda other: other.name != vib.name)
    return [other.id for other in others]


def _devices(vib: Vib) -> frozenset[str]:
    return frozenset(tag for tag in vib.tags if tag.startswith("PCIID"))


def _fits(vib: Vib, index: ProvideIndex) -> bool:
    own = ProvideIndex([vib])
    return all(index.is_met(constraint) or own.is_met(constraint) for constraint in vib.depends)


def explain_acceptance(image: Image) -> Explanation | None:
    """Say which VIBs pull the image's acceptance level down and what follows; None if all are certified."""
    level = image.acceptance_level
    if level is AcceptanceLevel.CERTIFIED:
        return None
    lowest = sorted(entry.vib.id for entry in image.vibs if entry.vib.acceptance_level is level)
    is_community = level is AcceptanceLevel.COMMUNITY
    cause = f"an image is as low as its lowest VIB, and only hosts whose own level is {level.display} or lower take it"
    if is_community:
        cause += "; that has to be set on the host first, and a host with UEFI Secure Boot refuses community VIBs"
    return Explanation(
        code=code_of("acceptance-level").name,
        severity=Severity.WARNING if is_community else Severity.INFO,
        headline=f"the image is {level.display}: {_some(lowest)} {'pulls' if len(lowest) == 1 else 'pull'} it down",
        cause=cause,
        remedies=["leave them out, or get builds that a partner has signed"] if is_community else [],
        items=lowest,
    )


def explain_name(image: Image, name: str) -> tuple[str, ...]:
    """Say where a component or VIB of an image comes from, or why it is not there.

    Args:
        image: The image.
        name: Component name, VIB name or VIB id.

    Returns:
        Sentences, one decision each; empty if the image does not know the name.
    """
    return (*_component_sentences(image, name), *_vib_sentences(image, name))


def _component_sentences(image: Image, name: str) -> Iterator[str]:
    for entry in image.components:
        if entry.component.name == name:
            yield _why_component(entry)
            yield from _why_not_higher(entry, image)
    for removed in image.removed:
        if removed.name == name and removed.removed:
            who = "the user" if removed.source is ComponentSource.USER_REMOVED else f"the {removed.source.display}"
            lost = ", ".join(f"{entry.component.version} of the {entry.source.display}" for entry in removed.removed)
            yield f"Component {name} is not in the image: {who} removes it (it was {lost})."
    for missing in image.missing_components:
        if missing.component.name == name:
            who = missing.source.display
            yield f"Component {missing.component} is wanted by the {who}, but no loaded depot has it."


def _why_component(entry: EffectiveComponent) -> str:
    component = f"Component {entry.component.name} {entry.component.version}"
    if entry.source is None:
        return f"{component} is listed by the image profile, which does not say who brought it."
    how = {
        Rule.HIGHEST_AVAILABLE: "as the highest loaded version that fits, since the version was left open",
        Rule.OVERRIDES_BY_NAME: "and overrides by name, whatever the version",
    }.get(entry.rule, "")
    text = f"{component} comes from the {entry.source.display}" + (f", {how}" if how else "")
    lost = ", ".join(f"{loser.component.version} of the {loser.source.display}" for loser in entry.overridden)
    return f"{text}: it takes the place of {lost}." if lost else f"{text}."


def _why_not_higher(entry: EffectiveComponent, image: Image) -> Iterator[str]:
    """Say why higher versions were passed over, or that none fits."""
    name = entry.component.name
    for passed in entry.passed_over:
        yield f"Component {name} {passed.version} is loaded and higher, but does not fit: {why_passed_over(passed)}."
    if any(exclusion.is_choice and name in exclusion.open_names for exclusion in image.exclusions):
        yield f"No loaded version of component {name} fits, so that the highest is taken."


def _vib_sentences(image: Image, name: str) -> Iterator[str]:
    for entry in image.vibs:
        if name in (entry.vib.name, entry.vib.id):
            source = f" of the {entry.source.display}" if entry.source is not None else ""
            by = f"with component {entry.component}{source}" if entry.component else "as a stand-alone VIB"
            yield f"VIB {entry.vib.id} is installed {by}.{_level_sentence(entry, image)}"
    for reserved in image.reserved_vibs:
        if name in (reserved.vib.name, reserved.vib.id):
            yield _why_reserved(reserved)
    yield from _profile_change_sentences(image, name)
    for missing in image.missing_vibs:
        if name == missing.vib_id:
            yield f"VIB {name} is wanted by {missing.component or 'the profile'}, but no loaded depot has it."


def _profile_change_sentences(image: Image, name: str) -> Iterator[str]:
    change = image.profile_change
    if change is None:
        return
    for entry in change.replaced:
        if name in (entry.vib.name, entry.vib.id):
            why = "has its name" if entry.reason is ReplaceReason.SAME_NAME else "states that it replaces it"
            yield f"VIB {entry.vib.id} is not in the image: {entry.winner} took its place, which {why}."
    for vib_id in change.removed:
        if name == vib_id or vib_id.rpartition("_")[0].endswith(f"_{name}"):
            yield f"VIB {vib_id} is not in the image: the user took it off the profile {change.profile}."
    for vib_id in change.added:
        if name == vib_id or image.vibs_by_id[vib_id].name == name:
            yield f"VIB {vib_id} was added by the user to the profile {change.profile}."


def _level_sentence(entry: InstalledVib, image: Image) -> str:
    level = entry.vib.acceptance_level
    if level is AcceptanceLevel.CERTIFIED or level is not image.acceptance_level:
        return ""
    return f" It is {level.display} and pulls the image down to that level."


def _why_reserved(entry: ReservedVib) -> str:
    why = {
        ReserveReason.COMPONENT_OVERRIDDEN: f"its component {entry.component} is overridden by {entry.winner}",
        ReserveReason.COMPONENT_REMOVED: f"its component {entry.component} is removed",
        ReserveReason.LOWER_VERSION: f"a higher version is installed, {entry.winner}",
        ReserveReason.SAME_VERSION: f"another VIB of its name and version is installed, {entry.winner}",
        ReserveReason.REPLACED: f"{entry.winner} replaces it",
    }[entry.reason]
    return f"VIB {entry.vib.id} is reserved (carried, not installed): {why}."
