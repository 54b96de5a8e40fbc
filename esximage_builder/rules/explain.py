"""Findings and decisions as text a person understands, grouped by cause.

Facts are made elsewhere; here they are only worded. Sixty VIBs that lack one interface
are one cause, not sixty lines.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, final

import attrs

from esximage_builder.models.fields import as_tuple
from esximage_builder.models.image import ReserveReason, Rule
from esximage_builder.vocabulary import ComponentSource

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from esximage_builder.findings import Finding, Severity
    from esximage_builder.models.catalog import Catalog
    from esximage_builder.models.image import EffectiveComponent, Image, ReservedVib

__all__ = ["Explanation", "explain_findings", "explain_name", "render_explanations"]

_MOST_ITEMS = 6


@final
@attrs.frozen(kw_only=True)
class Explanation:
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


@final
@attrs.frozen
class _Interface:
    """A family of interface names and what it tells of who asks for them."""

    pattern: re.Pattern[str]
    cause: str


_INTERFACES = (
    _Interface(
        re.compile(r"com\.vmware\.driverAPI|vmklinux|libfc-|libata-|usb-core|vmkapi_[01]_"),
        "built for the vmklinux drivers of ESXi 6.x and older; no base image since 7.0 provides them",
    ),
    _Interface(
        re.compile(r"vmkapi_2_[0-5]_"),
        "built for the driver interface of ESXi 6.x; base images since 7.0 provide a newer one",
    ),
    _Interface(re.compile(r"vmkapi_"), "built for the driver interface of another ESXi release than the base image"),
    _Interface(re.compile(r"esx-version"), "made for other ESXi versions than the base image"),
)


def explain_findings(findings: Iterable[Finding], *, catalog: Catalog | None = None) -> tuple[Explanation, ...]:
    """Group findings by cause.

    Args:
        findings: From one validation or comparison.
        catalog: What is loaded, for replacements to suggest; None goes without.

    Returns:
        Errors first; within a severity in order of code and cause.
    """
    groups: dict[tuple[str, str, str], list[Finding]] = {}
    for finding in findings:
        groups.setdefault((finding.severity.value, finding.code, _cause(finding)), []).append(finding)
    explained = [_explanation(cause, group, catalog) for (_, _, cause), group in groups.items()]
    return tuple(sorted(explained, key=lambda entry: (entry.severity.rank, entry.code, entry.cause, entry.items)))


def _cause(finding: Finding) -> str:
    """Return the cause that groups a finding: the interface's for dependencies, its own otherwise."""
    if finding.code == "missing-dependency" and len(finding.items) > 1:
        wanted = finding.items[1]
        for interface in _INTERFACES:
            if interface.pattern.match(wanted):
                return interface.cause
    return finding.cause


def _explanation(cause: str, group: list[Finding], catalog: Catalog | None) -> Explanation:
    first = group[0]
    items = sorted({finding.items[0] for finding in group if finding.items})
    remedies = dict.fromkeys(finding.remedy for finding in group if finding.remedy)
    if first.code == "missing-dependency" and catalog is not None:
        remedies = dict.fromkeys([*_replacements(items, catalog), *remedies])
    headline = first.message if len(group) == 1 else f"{len(group)} findings: {_headline(first.code, items)}"
    return Explanation(
        code=first.code,
        severity=first.severity,
        headline=headline,
        cause=cause,
        remedies=tuple(remedies)[:_MOST_ITEMS],
        items=items,
    )


def _headline(code: str, items: list[str]) -> str:
    names = ", ".join(items[:3]) + (f" and {len(items) - 3} more" if len(items) > len(items[:3]) else "")
    return f"{code.replace('-', ' ')} of {names}" if names else code.replace("-", " ")


def _replacements(vib_ids: list[str], catalog: Catalog) -> Iterator[str]:
    """Yield loaded VIBs of the same name, or for the same devices, in other versions."""
    by_id = {vib.id: vib for vib in catalog.vibs}
    for vib_id in vib_ids:
        vib = by_id.get(vib_id)
        if vib is None:
            continue
        devices = {tag for tag in vib.tags if tag.startswith("PCIID")}
        others = sorted(
            other.id
            for other in catalog.vibs
            if other.id != vib_id and (other.name == vib.name or devices.intersection(other.tags))
        )
        if others:
            yield f"nearest replacement loaded for {vib.name}: {', '.join(others[:3])}"


def render_explanations(explanations: Iterable[Explanation]) -> str:
    """Return the explanations as text; a line says so where there is nothing to explain."""
    lines: list[str] = []
    for entry in explanations:
        lines.append(f"[{entry.severity.value}] {entry.headline}")
        if entry.cause:
            lines.append(f"    why: {entry.cause}")
        if len(entry.items) > 1:
            shown = entry.items[:_MOST_ITEMS]
            more = f" and {len(entry.items) - len(shown)} more" if len(entry.items) > len(shown) else ""
            lines.append(f"    what: {', '.join(shown)}{more}")
        lines += [f"    try: {remedy}" for remedy in entry.remedies]
    return "\n".join(lines or ["nothing to explain: no findings"]) + "\n"


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


def _vib_sentences(image: Image, name: str) -> Iterator[str]:
    for entry in image.vibs:
        if name in (entry.vib.name, entry.vib.id):
            source = f" of the {entry.source.display}" if entry.source is not None else ""
            by = f"with component {entry.component}{source}" if entry.component else "as a stand-alone VIB"
            yield f"VIB {entry.vib.id} is installed {by}."
    for reserved in image.reserved_vibs:
        if name in (reserved.vib.name, reserved.vib.id):
            yield _why_reserved(reserved)
    for missing in image.missing_vibs:
        if name == missing.vib_id:
            yield f"VIB {name} is wanted by {missing.component or 'the profile'}, but no loaded depot has it."


def _why_reserved(entry: ReservedVib) -> str:
    why = {
        ReserveReason.COMPONENT_OVERRIDDEN: f"its component {entry.component} is overridden by {entry.winner}",
        ReserveReason.COMPONENT_REMOVED: f"its component {entry.component} is removed",
        ReserveReason.LOWER_VERSION: f"a higher version is installed, {entry.winner}",
        ReserveReason.REPLACED: f"{entry.winner} replaces it",
    }[entry.reason]
    return f"VIB {entry.vib.id} is reserved (carried, not installed): {why}."
