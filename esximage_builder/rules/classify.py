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

from esximage_builder.findings import Finding, Severity
from esximage_builder.models.fields import as_tuple
from esximage_builder.rules.releases import release_date, release_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from esximage_builder.models.add_on import AddOn
    from esximage_builder.models.base_image import BaseImage
    from esximage_builder.models.image import Image
    from esximage_builder.versions import BaseImageVersion

__all__ = ["Change", "ChangeKind", "classify_images", "classify_releases", "classify_versions"]

_FIRST_MINOR_TRAIN_MAJOR = 9
# Releases that no host goes to directly: (from, to). Inferred from the published upgrade matrix.
_NO_DIRECT_PATH = (((6, 0), (8, 0)), ((6, 5), (8, 0)))


class ChangeKind(enum.StrEnum):
    """The kind of a change, whichever way it goes."""

    NONE = "none"
    COMPONENT_ONLY = "component-only"
    ADD_ON_ONLY = "add-on-only"
    PATCH = "patch"
    UPDATE = "update"
    UPGRADE = "upgrade"


@final
@attrs.frozen(kw_only=True)
class Change:
    """What leads from one release or image to another.

    Attributes:
        kind: How far it goes.
        is_downgrade: The base image, or with an equal one the add-on, gets lower.
        is_security_sibling: One base image is the security-only form of the other.
        findings: What to know before doing it.
    """

    kind: ChangeKind
    is_downgrade: bool = False
    is_security_sibling: bool = False
    findings: tuple[Finding, ...] = attrs.field(default=(), converter=as_tuple)


def classify_versions(before: BaseImageVersion, after: BaseImageVersion) -> ChangeKind:
    """Return the kind of change between two base image versions, in either direction."""
    if before == after:
        return ChangeKind.NONE
    lower, higher = sorted((before, after))
    if lower.major != higher.major:
        return ChangeKind.UPGRADE
    if lower.major < _FIRST_MINOR_TRAIN_MAJOR and lower.minor != higher.minor:
        return ChangeKind.UPGRADE
    return ChangeKind.UPDATE if lower.train != higher.train else ChangeKind.PATCH


def classify_releases(before: BaseImage, after: BaseImage) -> Change:
    """Return the change between two base images."""
    names = release_name(before), release_name(after)
    is_sibling = (
        None not in names and names[0] is not None and names[1] is not None and names[0].is_sibling_of(names[1])
    )
    return Change(
        kind=classify_versions(before.version, after.version),
        is_downgrade=after.version < before.version,
        is_security_sibling=is_sibling,
        findings=tuple(_release_findings(before, after)),
    )


def _release_findings(before: BaseImage, after: BaseImage) -> Iterator[Finding]:
    dates = release_date(before), release_date(after)
    rises = before.version < after.version
    if rises and dates[0] is not None and dates[1] is not None and dates[0] > dates[1]:
        yield Finding(
            code="upgrade-back-in-time",
            severity=Severity.WARNING,
            message=f"{after.id} is older than {before.id}, although its version is higher",
            items=(before.id, after.id),
            cause=f"released {dates[1]:%Y-%m-%d}, before {dates[0]:%Y-%m-%d}: fixes of the older train may be missing",
            remedy="move to a later patch of the new train",
        )
    if (before.version.fields[:2], after.version.fields[:2]) in _NO_DIRECT_PATH:
        yield Finding(
            code="no-direct-upgrade",
            severity=Severity.ERROR,
            message=f"no host goes from {before.version.product} to {after.version.product} directly",
            items=(before.id, after.id),
            cause="the installer of the new release refuses hosts that old (inferred from public upgrade matrices)",
            remedy="upgrade to 6.7 or 7.0 first",
        )


def classify_images(before: Image, after: Image) -> Change:
    """Return the change between two images; both need a base image.

    Without one on either side only components tell: component only, or none.
    """
    if before.base_image is None or after.base_image is None:
        return Change(kind=_component_kind(before, after))
    release = classify_releases(before.base_image, after.base_image)
    if release.kind is not ChangeKind.NONE:
        findings = (*release.findings, *_add_on_findings(before, after, release.kind))
        return attrs.evolve(release, findings=findings)
    if _add_on_id(before.add_on) != _add_on_id(after.add_on):
        return Change(kind=ChangeKind.ADD_ON_ONLY, is_downgrade=_is_lower(before.add_on, after.add_on))
    return Change(kind=_component_kind(before, after))


def _add_on_id(add_on: AddOn | None) -> str:
    return "" if add_on is None else add_on.id


def _is_lower(before: AddOn | None, after: AddOn | None) -> bool:
    return before is not None and after is not None and before.name == after.name and after.version < before.version


def _component_kind(before: Image, after: Image) -> ChangeKind:
    ids = [{entry.component.id for entry in image.components} for image in (before, after)]
    vibs = [set(image.vibs_by_id) for image in (before, after)]
    return ChangeKind.NONE if ids[0] == ids[1] and vibs[0] == vibs[1] else ChangeKind.COMPONENT_ONLY


def _add_on_findings(before: Image, after: Image, kind: ChangeKind) -> Iterator[Finding]:
    """Say that base image and add-on move together when the train changes."""
    if kind not in (ChangeKind.UPDATE, ChangeKind.UPGRADE) or before.add_on is None:
        return
    if after.add_on is None:
        yield Finding(
            code="add-on-dropped",
            severity=Severity.WARNING,
            message=f"the add-on {before.add_on.id} is not in the new image",
            items=(before.add_on.id,),
            cause="an update moves base image and add-on together; without one the vendor's drivers and agents go",
            remedy=f"take the version of {before.add_on.name} for the new release",
        )
    elif after.add_on.id == before.add_on.id and after.base_image is not None:
        yield Finding(
            code="add-on-not-moved",
            severity=Severity.WARNING,
            message=f"the add-on stays at {before.add_on.id} while the base image changes its train",
            items=(before.add_on.id, after.base_image.id),
            cause="an add-on is made for one release train",
            remedy=f"take the version of {before.add_on.name} for {after.base_image.version.product}",
        )
