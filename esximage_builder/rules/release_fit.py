"""Whether a release unit or component goes with a base image: declared, train, platform.

Layers, each asked for itself (``rules.compatibility`` puts them together):

* **Declared**: an add-on may list the base images it supports: versions, prefixes of them,
  wildcards, ranges. Outside the list it is refused, inside it is welcome, whatever the train says.
* **Train**: without a list, add-on and base image must be of one release train, which is
  major.minor.update up to 8.x and major.minor from 9.0; any patch of it, older or newer. Where
  the add-on's train is written is told in ``rules.release_trains``.
* **Platform**: a component names the products it is published for; one of them must be
  among those of the base image's own components.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from esximage_builder.codes import make_finding
from esximage_builder.errors import VersionSyntaxError
from esximage_builder.rules.release_trains import (
    declared_trains,
    is_for_train,
    is_in_train,
    is_range,
    train_text,
    trains_of,
    vendor_train_text,
)
from esximage_builder.rules.releases import KNOWN_RELEASES, KnownRelease, known_release
from esximage_builder.versions import BaseImageVersion, ProductRange
from esximage_builder.vocabulary import Platform

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from esximage_builder.findings import Finding
    from esximage_builder.models.add_on import AddOn
    from esximage_builder.models.base_image import BaseImage
    from esximage_builder.models.component import Component
    from esximage_builder.models.hardware_support import HardwareSupport
    from esximage_builder.models.vib import SoftwarePlatform

__all__ = [
    "check_add_on",
    "check_hardware_support",
    "check_platform",
    "check_removals",
    "declared_trains",
    "fits_release",
    "is_declared",
    "is_for_train",
    "is_in_train",
    "is_made_for",
    "is_newer_than_published",
    "platforms_of",
    "published_with",
    "supports_base_image",
    "train_text",
    "vendor_train_text",
]

_BUILD = re.compile(r"(?<![0-9])[0-9]{7,9}(?![0-9])")
_FIRST_REMOVALS_RELEASE = "8.0.3"


def supports_base_image(declared: str, version: BaseImageVersion) -> bool:
    """Tell whether one declared text covers the base image.

    Exact versions, dotted prefixes (``7.0.3``, ``8.0``), wildcards (``7.0.*``) and ranges over
    product releases (``>=7.0.3,<8``) are understood; a range that is none covers nothing.
    """
    if is_range(declared):
        try:
            return version in ProductRange(declared.strip())
        except VersionSyntaxError:
            return False
    text = declared.strip().rstrip("*").rstrip(".-")
    if text in ("", version.text):
        return True
    wanted = tuple(int(number) for number in re.findall(r"[0-9]+", text))
    return bool(wanted) and version.fields[: len(wanted)] == wanted


def is_declared(unit: AddOn | HardwareSupport, version: BaseImageVersion) -> bool | None:
    """Tell whether the unit declares the base image; None if it declares nothing."""
    declared = unit.supported_base_images
    return any(supports_base_image(text, version) for text in declared) if declared else None


def is_made_for(add_on: AddOn, base_image: BaseImage) -> bool | None:
    """Tell whether an add-on is made for a base image: as it declares, else by its train; None if it does not say."""
    declared = is_declared(add_on, base_image.version)
    return is_in_train(add_on, base_image.version) if declared is None else declared


def check_add_on(add_on: AddOn, base_image: BaseImage, *, others: Iterable[AddOn] = ()) -> tuple[Finding, ...]:
    """Return what stands against the add-on on that base image.

    Args:
        add_on: The add-on.
        base_image: The base image.
        others: Loaded add-ons, for the remedy.
    """
    verdict = is_made_for(add_on, base_image)
    if verdict is None:
        return (_unknown_train(add_on, base_image),)
    if verdict:
        return tuple(_check_published(add_on, base_image))
    return (_unsupported(add_on, base_image, others),)


def check_hardware_support(package: HardwareSupport, base_image: BaseImage) -> tuple[Finding, ...]:
    """Return what stands against a hardware support package on that base image, as with an add-on.

    One that declares no base images goes with all: its version tells of firmware, not of ESXi.
    """
    if is_declared(package, base_image.version) is not False:
        return ()
    return (
        make_finding(
            "package-base-unsupported",
            f"the hardware support package {package.id} is not made for the base image {base_image.version}",
            items=(package.id, base_image.id),
            facts={"package": package.id, "base_image": base_image.id},
            cause=_why_unsupported(package, base_image.version),
            remedy=f"take a version of the package for {vendor_train_text(base_image.version.train)}, "
            "or a base image of its own release",
        ),
    )


def _why_unsupported(unit: AddOn | HardwareSupport, version: BaseImageVersion) -> str:
    shown = ", ".join(train_text(train) for train in declared_trains(unit)) or "other releases"
    declared = ", ".join(unit.supported_base_images)
    if is_in_train(unit, version):
        return f"the release train is right, but it declares only {declared}"
    how = f"declared: {declared}" if declared else f"by its {trains_of(unit).place}"
    return f"it is for ESXi {shown} ({how}), the base image is ESXi {version.product}"


def _unsupported(add_on: AddOn, base_image: BaseImage, others: Iterable[AddOn]) -> Finding:
    version = base_image.version
    return make_finding(
        "add-on-base-unsupported",
        f"the add-on {add_on.id} is not made for the base image {version}",
        items=(add_on.id, base_image.id),
        facts={"add_on": add_on.id, "base_image": base_image.id},
        cause=_why_unsupported(add_on, version),
        remedy=_remedy(add_on, version, others),
    )


def _unknown_train(add_on: AddOn, base_image: BaseImage) -> Finding:
    return make_finding(
        "add-on-base-unknown",
        f"the add-on {add_on.id} does not say which base images it is made for",
        items=(add_on.id, base_image.id),
        facts={"add_on": add_on.id, "base_image": base_image.id},
        cause=_why_unknown(add_on),
        remedy="check its release notes",
    )


def _why_unknown(add_on: AddOn) -> str:
    trains = ", ".join(train_text(train) for train in declared_trains(add_on))
    if trains:
        return f"it declares none, and its {trains_of(add_on).place} says {trains} without an update release"
    return "it declares none, and its version names no ESXi release"


def _remedy(add_on: AddOn, version: BaseImageVersion, others: Iterable[AddOn]) -> str:
    train = vendor_train_text(version.train)
    fitting = sorted(
        (other for other in others if other.name == add_on.name and _fits(other, version)),
        key=lambda other: other.version,
    )
    if fitting:
        return f"take a {train} version of the add-on; loaded: {', '.join(other.version.text for other in fitting)}"
    return f"take a version of the add-on for {train}, none is loaded; or a base image of its own release"


def _fits(add_on: AddOn, version: BaseImageVersion) -> bool:
    declared = is_declared(add_on, version)
    return bool(is_in_train(add_on, version)) if declared is None else declared


def fits_release(unit: AddOn | HardwareSupport, release: KnownRelease) -> bool | None:
    """Tell whether a unit goes with a published release whose full version may not be known.

    As ``check_add_on``, by product and build alone: no version is made up. None where that is
    not enough: a declaration of more than the product and less than the build, or a range.
    """
    if not unit.supported_base_images:
        return is_for_train(unit, release.train)
    answers = {_declares_release(text, release) for text in unit.supported_base_images}
    return True if True in answers else None if None in answers else False


def _declares_release(declared: str, release: KnownRelease) -> bool | None:
    if is_range(declared):
        return None
    wanted = tuple(int(number) for number in re.findall(r"[0-9]+", declared))
    own = release.numbers
    if not wanted:
        return not declared.strip(" *.-")
    if wanted[: len(own)] != own[: len(wanted)]:
        return False
    if len(wanted) <= len(own):
        return True
    return wanted[-1] == release.build if _BUILD.search(declared) else None


def published_with(add_on: AddOn, train: tuple[int, ...]) -> KnownRelease | None:
    """Return the published release of the train whose build the add-on's version or name has, to the digit."""
    named = {int(text) for text in _BUILD.findall(add_on.version.text) or _BUILD.findall(add_on.name)}
    return next((release for release in KNOWN_RELEASES if release.train == train and release.build in named), None)


def _check_published(add_on: AddOn, base_image: BaseImage) -> Iterator[Finding]:
    """Warn if the base image is newer than the one whose build the add-on's version names."""
    published = published_with(add_on, base_image.version.train)
    if published is None or not is_newer_than_published(base_image.version, published):
        return
    yield make_finding(
        "base-newer-than-add-on",
        f"{base_image.id} is newer than the base image that {add_on.id} was published with",
        items=(add_on.id, base_image.id),
        facts={"add_on": add_on.id, "base_image": base_image.id, "published": published.name},
        cause=f"the add-on names build {published.build}, {published.name}; "
        "inside a release train a newer patch is supported",
        remedy="see whether the vendor has a newer add-on",
    )


def is_newer_than_published(version: BaseImageVersion, published: KnownRelease) -> bool:
    """Tell whether a base image is newer than a published release.

    By the full version where it was published, else by product and by the place among its
    published releases; never by comparing builds. What neither tells counts as not newer.
    """
    if published.version:
        return version > BaseImageVersion(published.version)
    known = known_release(version)
    if known is not None:
        return known.is_newer_than(published)
    return version.fields[: len(published.numbers)] > published.numbers


def check_removals(removed_components: Iterable[str], version: BaseImageVersion) -> tuple[Finding, ...]:
    """Return a warning if a spec removes components from a base image older than 8.0 U3.

    vCenter knows the key since 8.0 U3; a newer base image has such a vCenter anyway.
    Source: docs/formats.md#software-spec.
    """
    names = tuple(sorted(removed_components))
    if not names or version not in ProductRange(f"<{_FIRST_REMOVALS_RELEASE}"):
        return ()
    return (
        make_finding(
            "removals-need-newer-vcenter",
            "the spec removes components, which needs vCenter 8.0 U3 or later",
            items=names,
            cause=f"older ones do not know the key removed_components, and the base image, ESXi {version.product}, "
            "can belong to an older one",
            remedy="import the spec into vCenter 8.0 U3 or later, or leave the removals to the add-on",
        ),
    )


def platforms_of(base_image: BaseImage, components: Iterable[Component]) -> tuple[SoftwarePlatform, ...]:
    """Return the platforms that the base image's own components declare, each once.

    Args:
        base_image: The base image.
        components: Loaded components; those of the base image are picked out.
    """
    own = {str(reference) for reference in base_image.components}
    found = {
        platform: None for component in components if component.id in own for platform in component.bulletin.platforms
    }
    return tuple(found)


def check_platform(
    component: Component, version: BaseImageVersion, base_platforms: Iterable[SoftwarePlatform]
) -> tuple[Finding, ...]:
    """Return a warning if the component is published for other products than the base image.

    Args:
        component: The component; one that names no platform goes with everything.
        version: The base image's.
        base_platforms: What the base image's own components declare; empty goes by the
            version alone, and one without a version says nothing about others.
    """
    wanted = component.bulletin.platforms
    if not wanted:
        return ()
    stated = {platform.version for platform in base_platforms if platform.version.strip(" .*")}
    versions = stated | {
        f"{version.major}.{version.minor}",
        version.product.base_version,
        version.text,
    }
    known_lines = tuple(Platform)
    if any(
        platform.product_line in known_lines and any(_covers(platform.version, offered) for offered in versions)
        for platform in wanted
    ):
        return ()
    made_for = ", ".join(sorted({f"{platform.product_line} {platform.version}".strip() for platform in wanted}))
    return (
        make_finding(
            "platform-mismatch",
            f"{component.id} is published for {made_for}, the image is ESXi {version}",
            items=(component.id,),
            facts={"component": component.id, "made_for": made_for},
            cause="its bulletin names no platform of this release",
            remedy="take the component's build for this release if there is one",
        ),
    )


def _covers(pattern: str, offered: str) -> bool:
    """Tell whether a platform version covers an offered one: equal, wildcard, or one a prefix of the other."""
    stated = pattern.strip().partition("-")[0].rstrip("*").rstrip(".").split(".")
    given = offered.strip().partition("-")[0].rstrip("*").rstrip(".").split(".")
    length = min(len(stated), len(given))
    return stated == [""] or stated[:length] == given[:length]
