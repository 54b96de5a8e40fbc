"""Making base images and vendor add-ons over given components.

The documents they end up in are not publicly known (docs/formats.md#release-units): these
functions check the model, ``documents.release_unit`` writes what readers tolerate.
"""

from __future__ import annotations

import itertools
import re
from typing import TYPE_CHECKING

from esximage_builder.errors import ModelError
from esximage_builder.models.add_on import AddOn
from esximage_builder.models.base_image import BaseImage
from esximage_builder.models.fields import as_tuple

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from esximage_builder.models.component import Component, ComponentReference
    from esximage_builder.versions import AddOnVersion, BaseImageVersion
    from esximage_builder.vocabulary import AcceptanceLevel

__all__ = ["author_add_on", "author_base_image"]

_NAME = re.compile(r"[0-9A-Za-z][0-9A-Za-z._+-]*")


def author_base_image(
    version: BaseImageVersion,
    components: Iterable[Component],
    *,
    display_version: str,
    released_at: datetime,
    acceptance_level: AcceptanceLevel,
    display_name: str = "ESXi",
    vendor: str = "VMware",
    summary: str = "",
    description: str = "",
    category: str = "enhancement",
    kb_url: str = "",
    quick_patch_versions: Iterable[tuple[str, str]] = (),
) -> BaseImage:
    """Make a base image.

    Args:
        version: That of its ``esx-base`` VIB; ``write_authored_depot`` checks it.
        components: What it is made of, each name once.
        display_version: For people, ``7.0 U3g - 20328353``.
        released_at: Aware.
        acceptance_level: The lowest of its VIBs.
        display_name: For people.
        vendor: Who publishes it.
        summary: One line.
        description: Free text.
        category: ``security``, ``bugfix``, ``enhancement``.
        kb_url: Address of the release notes.
        quick_patch_versions: Pairs of base image version and display version that can be
            patched from without a full reboot.

    Raises:
        ModelError: No component, one component name twice, a date without time zone.
    """
    _require_aware(released_at, where=f"ESXi:{version.text}")
    return BaseImage(
        version=version,
        display_name=display_name,
        display_version=display_version,
        vendor=vendor,
        summary=summary,
        description=description,
        category=category,
        kb_url=kb_url,
        released_at=released_at,
        acceptance_level=acceptance_level,
        components=_references(components, where=f"ESXi:{version.text}"),
        quick_patch_versions=quick_patch_versions,
    )


def author_add_on(
    name: str,
    version: AddOnVersion,
    *,
    components: Iterable[Component],
    vendor: str,
    released_at: datetime,
    acceptance_level: AcceptanceLevel,
    supported_base_images: Iterable[str],
    removed_components: Iterable[str] = (),
    display_name: str = "",
    display_version: str = "",
    summary: str = "",
    description: str = "",
    category: str = "enhancement",
    kb_url: str = "",
) -> AddOn:
    """Make a vendor add-on.

    Args:
        name: ``ACME-AddOn``.
        version: Free-form, ``703.20328353.A08``.
        components: What it brings, each name once.
        vendor: Who publishes it.
        released_at: Aware.
        acceptance_level: The lowest of its VIBs.
        supported_base_images: Versions or version prefixes, ``7.0.3``.
        removed_components: Names of base image components it takes off.
        display_name: For people; empty takes the name.
        display_version: For people; empty takes the version.
        summary: One line.
        description: Free text.
        category: ``security``, ``bugfix``, ``enhancement``.
        kb_url: Address of the release notes.

    Raises:
        ModelError: A name that it cannot have, no component, one component name twice, a component both
            brought and removed, a date without time zone.
    """
    identity = f"{name}:{version.text}"
    if not _NAME.fullmatch(name):
        raise ModelError("an add-on cannot have this name", found=repr(name)[:120], expected="letters, digits, . _ + -")
    _require_aware(released_at, where=identity)
    references = _references(components, where=identity)
    removed = as_tuple(removed_components)
    both = sorted({reference.name for reference in references} & set(removed))
    if both:
        raise ModelError(
            "the add-on brings and removes one component",
            where=identity,
            found=", ".join(both),
            expected="each name in one of both lists",
        )
    return AddOn(
        name=name,
        version=version,
        display_name=display_name or name,
        display_version=display_version or version.text,
        vendor=vendor,
        summary=summary,
        description=description,
        category=category,
        kb_url=kb_url,
        released_at=released_at,
        acceptance_level=acceptance_level,
        supported_base_images=sorted(set(as_tuple(supported_base_images))),
        components=references,
        removed_components=sorted(set(removed)),
    )


def _require_aware(released_at: datetime, *, where: str) -> None:
    if released_at.tzinfo is None:
        raise ModelError("the release date has no time zone", where=where, found=released_at.isoformat())


def _references(components: Iterable[Component], *, where: str) -> tuple[ComponentReference, ...]:
    """Return the components by name and version, sorted by name."""
    references = sorted((component.reference for component in components), key=lambda item: item.name)
    if not references:
        raise ModelError("the release unit has no component", where=where, expected="at least one")
    for first, second in itertools.pairwise(references):
        if first.name == second.name:
            raise ModelError(
                "the release unit lists one component twice",
                where=where,
                found=f"{first}, {second}",
                expected="each component name once",
            )
    return tuple(references)
