"""The image profile that is written, and what stands with it in metadata: index entries, release units."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from esximage_builder.documents.depot_index import MetadataEntry
from esximage_builder.models.image_profile import ImageProfile, ProfileVib
from esximage_builder.rules.boot_layout import local_names

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from esximage_builder.documents.release_unit import ReleaseUnit
    from esximage_builder.models.image import Image
    from esximage_builder.models.vib import Vib
    from esximage_builder.vocabulary import Platform

__all__ = ["image_profile", "product_entry", "release_units"]


def image_profile(
    image: Image,
    vibs: Iterable[Vib],
    *,
    timestamp: datetime,
    names: Mapping[tuple[str, str], str] | None = None,
) -> ImageProfile:
    """Return the profile of an image over the given VIBs, with their local payload names.

    Args:
        image: Gives name, creator, level and components.
        vibs: What the profile shall list.
        timestamp: When it was made, as it says.
        names: Local names by VIB id and payload name; None takes the local-name rule.
    """
    if names is None:
        names = local_names(image.host_vibs)
    change = image.profile_change
    stated = None if change is None else change.acceptance_level
    listed = tuple(vibs)
    return ImageProfile(
        name=image.name,
        creator=image.vendor,
        profile_id=hashlib.sha256(f"{image.name}\n{image.digest}".encode()).hexdigest()[:32],
        created_at=timestamp,
        modified_at=timestamp,
        description="" if change is None else change.description,
        read_only=True,
        vibs=[
            ProfileVib(
                vib_id=vib.id,
                local_names=[
                    (payload.name, names[vib.id, payload.name])
                    for payload in vib.payloads
                    if (vib.id, payload.name) in names
                ],
            )
            for vib in listed
        ],
        acceptance_level=image.acceptance_level if stated is None else stated,
        bulletin_ids=[entry.component.bulletin.id for entry in image.components],
    )


def product_entry(image: Image, platform: Platform) -> MetadataEntry:
    """Return the index entry of metadata for one product line of an image; ``*`` stands for an unknown version."""
    version = image.esxi_version
    shown = "*" if version is None else f"{version.major}.{version.minor}"
    return MetadataEntry(product_id=platform.value, version=shown)


def release_units(image: Image) -> tuple[ReleaseUnit, ...]:
    """Return base image, add-on, hardware support packages and solutions of an image."""
    units = (image.base_image, image.add_on, *image.hardware_support, *image.solutions)
    return tuple(unit for unit in units if unit is not None)
