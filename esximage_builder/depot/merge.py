"""From what single sources hold to one catalog: each thing once, in an order of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar, assert_never, final

import attrs

from esximage_builder.codes import has_code, make_finding
from esximage_builder.depot.equal_heads import one_of_equal_heads
from esximage_builder.findings import Severity
from esximage_builder.limits import ReadBudget, ReadLimits
from esximage_builder.models.add_on import AddOn
from esximage_builder.models.base_image import BaseImage
from esximage_builder.models.catalog import Catalog
from esximage_builder.models.component import Bulletin, Component
from esximage_builder.models.fields import full_text
from esximage_builder.models.hardware_support import HardwareSupport
from esximage_builder.models.solution import Solution
from esximage_builder.models.vib import VibFile

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from esximage_builder.depot.source import SourceContents, VibLocation
    from esximage_builder.documents.release_unit import ReleaseUnit
    from esximage_builder.findings import Finding
    from esximage_builder.models.vib import Vib

__all__ = ["merge_sources"]

_Noun = TypeVar("_Noun")
_Locations = dict[tuple[str, str], list["VibLocation"]]
_Held = tuple["Vib", list["VibLocation"], set[str]]
"""A VIB, the places of its bytes, and the names of the sources that hold it."""


def merge_sources(
    sources: Sequence[SourceContents], *, limits: ReadLimits | None = None, budget: ReadBudget | None = None
) -> tuple[Catalog, _Locations]:
    """Merge all sources; their order does not matter, but for the names in ``sources``.

    Args:
        sources: What each holds.
        limits: Upper bounds for the heads of VIBs that look different; None takes the defaults.
        budget: Charged with what is read of such heads.

    Returns:
        The catalog, and where the bytes of each VIB lie, by its id and fingerprint.
    """
    findings = [finding for source in sources for finding in source.findings]
    vibs, vib_sources, locations = _merge_vibs(sources, findings, budget or ReadBudget(limits or ReadLimits()))
    found_ids = {vib.id for vib in vibs}
    findings = [f for f in findings if not (has_code(f, "vib-file-missing") and f.fact("vib") in found_ids)]
    bulletins = [bulletin for source in sources for bulletin in source.bulletins]
    units = _Units()
    for unit in (unit for source in sources for unit in source.units):
        units.take(unit)
    components = _merge(
        [item for item in bulletins if isinstance(item, Component)],
        identity=lambda item: item.id,
        content=lambda item: sorted(item.vib_ids),
        findings=findings,
        code="component-content-differs",
        kind="component",
    )
    catalog = Catalog(
        sources=[source.name for source in sources],
        base_images=sorted(
            _merge(
                units.base_images,
                identity=lambda unit: f"ESXi:{unit.version.key}",
                content=lambda unit: unit.components,
                findings=findings,
                code="base-image-content-differs",
                kind="base-image",
            ),
            key=lambda unit: unit.version,
        ),
        add_ons=sorted(
            _merge(
                units.add_ons,
                identity=lambda unit: unit.id,
                content=lambda unit: (unit.components, unit.removed_components, unit.supported_base_images),
                findings=findings,
                code="add-on-content-differs",
                kind="add-on",
            ),
            key=lambda unit: (unit.name, unit.version),
        ),
        components=sorted(components, key=lambda item: (item.name, item.version)),
        bulletins=_merge(
            [item for item in bulletins if isinstance(item, Bulletin)],
            identity=lambda item: item.id,
            content=lambda item: sorted(item.vib_ids),
            findings=findings,
            code="bulletin-content-differs",
            kind="bulletin",
        ),
        profiles=_merge(
            [profile for source in sources for profile in source.profiles],
            identity=lambda profile: profile.name,
            content=lambda profile: sorted(profile.vib_ids),
            findings=findings,
            code="profile-content-differs",
            kind="profile",
        ),
        solutions=sorted(
            _merge(
                units.solutions,
                identity=lambda unit: unit.id,
                content=lambda unit: unit.components,
                findings=findings,
                code="solution-content-differs",
                kind="solution",
            ),
            key=lambda unit: (unit.name, unit.version),
        ),
        hardware_support=sorted(
            _merge(
                units.hardware_support,
                identity=lambda unit: unit.id,
                content=lambda unit: (unit.components, unit.removed_components),
                findings=findings,
                code="hardware-support-content-differs",
                kind="hardware-support",
            ),
            key=lambda unit: (unit.name, unit.version),
        ),
        vibs=vibs,
        vib_sources=vib_sources,
        findings=sorted(set(findings), key=lambda finding: finding.sort_key),
    )
    return catalog, locations


@final
@attrs.define
class _Units:
    """Release units by kind, which is that of the catalog's field."""

    base_images: list[BaseImage] = attrs.Factory(list)
    add_ons: list[AddOn] = attrs.Factory(list)
    solutions: list[Solution] = attrs.Factory(list)
    hardware_support: list[HardwareSupport] = attrs.Factory(list)

    def take(self, unit: ReleaseUnit) -> None:
        match unit:
            case BaseImage():
                self.base_images.append(unit)
            case AddOn():
                self.add_ons.append(unit)
            case Solution():
                self.solutions.append(unit)
            case HardwareSupport():
                self.hardware_support.append(unit)
            case _:
                assert_never(unit)


def _merge(
    items: Iterable[_Noun],
    *,
    identity: Callable[[_Noun], str],
    content: Callable[[_Noun], object],
    findings: list[Finding],
    code: str,
    kind: str,
) -> list[_Noun]:
    """Return each item once; those with one identity and two contents stay apart, with a finding.

    Of items that differ in words only, one is taken by a fixed order of all that it says.
    """
    groups: dict[str, list[_Noun]] = {}
    for item in items:
        groups.setdefault(identity(item), []).append(item)
    merged = []
    for name, group in sorted(groups.items()):
        distinct: dict[str, _Noun] = {}
        ordered = sorted(group, key=full_text) if len(group) > 1 else group
        for item in ordered:
            distinct.setdefault(repr(content(item)), item)
        merged += [distinct[key] for key in sorted(distinct)]
        if len(distinct) > 1:
            findings.append(_differs(code, kind, _shown_id(ordered[0], name), len(distinct)))
    return merged


def _shown_id(item: object, name: str) -> str:
    return item.id if isinstance(item, BaseImage) else name


def _differs(code: str, kind: str, name: str, count: int) -> Finding:
    return make_finding(
        code,
        f"{name} occurs with {count} different contents",
        severity=Severity.WARNING,
        items=(name,),
        facts={"kind": kind, "id": name, "differs": "content"},
        cause="two depots use one name and version for different things",
        remedy="open only the depot that you mean to use",
    )


def _merge_vibs(
    sources: Sequence[SourceContents], findings: list[Finding], budget: ReadBudget
) -> tuple[list[Vib], list[tuple[str, tuple[str, ...]]], _Locations]:
    groups: dict[str, list[tuple[Vib, VibLocation, str]]] = {}
    for source in sources:
        for vib, location in source.vibs:
            groups.setdefault(vib.id, []).append((vib, location, source.name))
    vibs: list[Vib] = []
    vib_sources: dict[str, set[str]] = {}
    locations: _Locations = {}
    for vib_id, group in sorted(groups.items()):
        distinct = _distinct_vibs(group)
        if len(distinct) > 1:
            distinct = one_of_equal_heads(distinct, budget.limits, budget)
        for vib, places, names in distinct:
            vibs.append(vib)
            locations[vib.id, vib.fingerprint] = places
            vib_sources.setdefault(vib.fingerprint, set()).update(names)
        if len(distinct) > 1:
            findings.append(_vib_differs(vib_id, [names for _, _, names in distinct]))
    return vibs, [(key, tuple(sorted(names))) for key, names in vib_sources.items()], locations


def _distinct_vibs(group: list[tuple[Vib, VibLocation, str]]) -> list[_Held]:
    """Return each content once; without a digest a VIB is the first that its descriptor describes."""
    if len(group) == 1:  # nearly all; comparing would cost a hash over all that they say
        return [(vib, [location], {source_name}) for vib, location, source_name in group]
    found: dict[Vib, dict[str, _Held]] = {}
    distinct: list[_Held] = []
    for vib, location, source_name in sorted(group, key=_certainty):
        by_digest = found.setdefault(vib, {})
        digest = "" if vib.file is None else vib.file.sha256
        same = by_digest.get(digest) if digest else next(iter(by_digest.values()), None)
        if same is None:
            same = by_digest[digest] = (vib, [], set())
            distinct.append(same)
        same[1].append(location)
        same[2].add(source_name)
    return distinct


def _certainty(entry: tuple[Vib, VibLocation, str]) -> tuple[bool, str, str, str, str]:
    """Sort copies with a known digest first, then in an order that no source order changes."""
    vib, location, _ = entry
    file = vib.file or VibFile()
    return (not file.sha256, file.sha256, full_text(vib.with_file(None)), location.path, full_text(file))


def _vib_differs(vib_id: str, sources: Sequence[set[str]]) -> Finding:
    held = "; ".join(", ".join(sorted(names)) for names in sources)
    return make_finding(
        "vib-content-differs",
        f"{vib_id} occurs with {len(sources)} different contents",
        severity=Severity.WARNING,
        items=(vib_id,),
        facts={"kind": "vib", "id": vib_id, "differs": "content"},
        cause=f"one id, different bytes, in: {held}",
        remedy="name the source to take it from, or open only one of them",
    )
