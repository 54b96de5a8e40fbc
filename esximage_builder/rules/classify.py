"""What kind of change leads from one release or image to another.

Always told from the versions' fields, never from the word a document uses or from builds,
names or dates alone: 7.0U2e has a higher build than 7.0U3c and came out after it.

=====================  ==================================================================
upgrade                the major number rises (before 9.0 also the minor one)
update                 the release train changes: update release up to 8.x, minor from 9.0
patch                  inside one train
add-on only            same base image, another add-on
component only         same base image and add-on, other components
=====================  ==================================================================
"""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING, final

import attrs

from esximage_builder.codes import make_finding
from esximage_builder.models.fields import as_tuple
from esximage_builder.rules.downgrades import LoweredItem, LoweredKind, lowered_items
from esximage_builder.rules.release_fit import is_made_for
from esximage_builder.rules.releases import (
    is_minor_train,
    publication_date,
    release_date,
    release_name,
    release_name_of,
    train_of,
)
from esximage_builder.rules.upgrade_paths import stops_between
from esximage_builder.shown import Shown

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from esximage_builder.findings import Finding
    from esximage_builder.models.add_on import AddOn
    from esximage_builder.models.base_image import BaseImage
    from esximage_builder.models.image import Image
    from esximage_builder.rules.releases import KnownRelease
    from esximage_builder.versions import BaseImageVersion, ReleaseName

__all__ = ["Change", "ChangeKind", "classify_images", "classify_known", "classify_releases", "classify_versions"]


class ChangeKind(enum.StrEnum):
    """The kind of a change, whichever way it goes."""

    NONE = "none"
    COMPONENT_ONLY = "component-only"
    ADD_ON_ONLY = "add-on-only"
    PATCH = "patch"
    UPDATE = "update"
    UPGRADE = "upgrade"


@final
@attrs.frozen(kw_only=True, repr=False)
class Change(Shown):
    """What leads from one release or image to another.

    Attributes:
        kind: How far it goes.
        is_downgrade: Something goes down, whatever else rises.
        lowered: What goes down: base image, add-on, components, and VIBs of other components. Between two
            releases, of which no contents are known, the base image alone.
        is_security_sibling: One base image is the security-only form of the other.
        findings: What to know before doing it.
    """

    kind: ChangeKind
    is_downgrade: bool = False
    lowered: tuple[LoweredItem, ...] = attrs.field(default=(), converter=as_tuple)
    is_security_sibling: bool = False
    findings: tuple[Finding, ...] = attrs.field(default=(), converter=as_tuple)


@final
@attrs.frozen
class _Release:
    """What classifying goes by.

    Attributes:
        id: For findings.
        shown: Its version, else its name.
        numbers: The product release, ``(7, 0, 3)``.
        name: None if not known.
        released_at: None if not known.
    """

    id: str
    shown: str
    numbers: tuple[int, ...]
    name: ReleaseName | None
    released_at: datetime | None = None


def classify_versions(before: BaseImageVersion, after: BaseImageVersion) -> ChangeKind:
    """Return the kind of change between two base image versions, in either direction."""
    return ChangeKind.NONE if before == after else _kind(before.fields[:3], after.fields[:3])


def _kind(one: tuple[int, ...], other: tuple[int, ...]) -> ChangeKind:
    """Return the kind of change between two releases that are not the same, by their product releases."""
    if one[0] != other[0] or (one[1] != other[1] and not is_minor_train(one[0])):
        return ChangeKind.UPGRADE
    return ChangeKind.PATCH if train_of(one) == train_of(other) else ChangeKind.UPDATE


def classify_releases(before: BaseImage, after: BaseImage) -> Change:
    """Return the change between two base images."""
    sides = [
        _Release(unit.id, unit.version.text, unit.version.fields[:3], release_name(unit), release_date(unit))
        for unit in (before, after)
    ]
    return _change(*sides, kind=classify_versions(before.version, after.version), rises=before.version < after.version)


def classify_known(before: KnownRelease, after: KnownRelease) -> Change:
    """Return the change between two published releases, also where their full versions never were.

    Inside a product the order of publication counts, not the build.
    """
    sides = [
        _Release(
            release.name, release.version or release.name, release.numbers, release.release_name, release.released_at
        )
        for release in (before, after)
    ]
    kind = ChangeKind.NONE if before == after else _kind(before.numbers, after.numbers)
    return _change(*sides, kind=kind, rises=after.is_newer_than(before))


def _change(before: _Release, after: _Release, *, kind: ChangeKind, rises: bool) -> Change:
    goes_down = kind is not ChangeKind.NONE and not rises
    is_sibling = before.name is not None and after.name is not None and before.name.is_sibling_of(after.name)
    return Change(
        kind=kind,
        is_downgrade=goes_down,
        lowered=[LoweredItem(kind=LoweredKind.BASE_IMAGE, name="ESXi", before=before.shown, after=after.shown)]
        if goes_down
        else [],
        is_security_sibling=is_sibling,
        findings=tuple(_release_findings(before, after, rises=rises)),
    )


def _release_findings(before: _Release, after: _Release, *, rises: bool) -> Iterator[Finding]:
    dates = before.released_at, after.released_at
    if rises and dates[0] is not None and dates[1] is not None and dates[0] > dates[1]:
        yield make_finding(
            "upgrade-back-in-time",
            f"{after.id} is older than {before.id}, although its version is higher",
            items=(before.id, after.id),
            facts={"before": before.id, "after": after.id},
            cause=f"released {dates[1]:%Y-%m-%d}, before {dates[0]:%Y-%m-%d}: fixes of the older train may be missing",
            remedy="move to a later patch of the new train",
        )
    yield from _path_findings(before, after)


def _path_findings(before: _Release, after: _Release) -> Iterator[Finding]:
    stops = stops_between(before.numbers, after.numbers)
    if stops:
        shown = [".".join(map(str, side.numbers)) for side in (before, after)]
        last = stops[-1]
        taken, release = (".".join(map(str, numbers)) for numbers in (last.oldest, last.release))
        yield make_finding(
            "no-direct-upgrade",
            f"no host goes from {shown[0]} to {shown[1]} directly",
            items=(before.id, after.id),
            facts={
                "before": before.id,
                "after": after.id,
                "evidence": last.evidence.value,
                "source": last.source,
            },
            cause=f"{release} and later take hosts of {taken} and later only ({last.evidence}: {last.source})",
            remedy=f"upgrade to {', then to '.join(stop.first for stop in stops)} first",
        )


def classify_images(before: Image, after: Image) -> Change:
    """Return the change between two images.

    The base image counts first; for an image opened from a profile the version that it
    installs. With equal ones the add-ons count where both images know theirs, then components.
    """
    change = _base_change(before, after)
    if change is None or change.kind is ChangeKind.NONE:
        change = Change(kind=_kind_without_base(before, after))
    lowered = lowered_items(before, after)
    findings = (*change.findings, *_add_on_findings(before, after, change.kind))
    return attrs.evolve(change, is_downgrade=bool(lowered), lowered=lowered, findings=findings)


def _kind_without_base(before: Image, after: Image) -> ChangeKind:
    """Return the kind of a change that leaves the base image."""
    knows_add_ons = before.base_image is not None and after.base_image is not None
    if knows_add_ons and _add_on_id(before.add_on) != _add_on_id(after.add_on):
        return ChangeKind.ADD_ON_ONLY
    return _component_kind(before, after)


def _base_change(before: Image, after: Image) -> Change | None:
    if before.base_image is not None and after.base_image is not None:
        return classify_releases(before.base_image, after.base_image)
    versions = before.esxi_version, after.esxi_version
    if versions[0] is None or versions[1] is None:
        return None
    sides = [
        _Release(
            f"ESXi:{version}", version.text, version.fields[:3], release_name_of(version), publication_date(version)
        )
        for version in versions
        if version is not None
    ]
    return _change(*sides, kind=classify_versions(versions[0], versions[1]), rises=versions[0] < versions[1])


def _add_on_id(add_on: AddOn | None) -> str:
    return "" if add_on is None else add_on.id


def _component_kind(before: Image, after: Image) -> ChangeKind:
    ids = [{entry.component.id for entry in image.components} for image in (before, after)]
    vibs = [set(image.vibs_by_id) for image in (before, after)]
    return ChangeKind.NONE if ids[0] == ids[1] and vibs[0] == vibs[1] else ChangeKind.COMPONENT_ONLY


def _add_on_findings(before: Image, after: Image, kind: ChangeKind) -> Iterator[Finding]:
    """Say that base image and add-on move together when the train changes."""
    if kind not in (ChangeKind.UPDATE, ChangeKind.UPGRADE) or before.add_on is None:
        return
    if after.add_on is None:
        yield make_finding(
            "add-on-dropped",
            f"the add-on {before.add_on.id} is not in the new image",
            items=(before.add_on.id,),
            facts={"add_on": before.add_on.id},
            cause="an update moves base image and add-on together; without one the vendor's drivers and agents go",
            remedy=f"take the version of {before.add_on.name} for the new release",
        )
    elif (
        after.add_on.id == before.add_on.id
        and after.base_image is not None
        and not is_made_for(after.add_on, after.base_image)
    ):
        yield make_finding(
            "add-on-not-moved",
            f"the add-on stays at {before.add_on.id} while the base image changes its train",
            items=(before.add_on.id, after.base_image.id),
            facts={"add_on": before.add_on.id, "base_image": after.base_image.id},
            cause="an add-on is made for one release train",
            remedy=f"take the version of {before.add_on.name} for {after.base_image.version.product}",
        )
