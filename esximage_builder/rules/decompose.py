"""Taking an image apart: base image + add-on + loose components, never guessed.

An image that lists its components is explained by the loaded release units: the base image
is the one of its own ESXi version, the add-on the one that explains the most. What
neither explains is loose. An image that lists VIBs only (6.x) has no components: its base
is told by the VIB set of a loaded stock profile or base image, the rest stays unassigned.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, final

import attrs

from esximage_builder.errors import EsxImageError, NotInDepotError
from esximage_builder.models.fields import as_tuple
from esximage_builder.models.spec import AddOnReference, SoftwareSpec
from esximage_builder.rules.compose import compose, image_from_profile

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from esximage_builder.models.add_on import AddOn
    from esximage_builder.models.base_image import BaseImage
    from esximage_builder.models.catalog import Catalog
    from esximage_builder.models.component import ComponentReference
    from esximage_builder.models.image import Image
    from esximage_builder.models.image_profile import ImageProfile
    from esximage_builder.versions import ComponentVersion

__all__ = ["Decomposition", "decompose", "recognise"]


@final
@attrs.frozen(kw_only=True)
class Decomposition:
    """What an image is made of.

    Attributes:
        base_image: None if no loaded base image is of the image's ESXi version.
        base_profile: For images without components: the loaded profile with the most VIBs that
            are all in the image; None if none is loaded or several fit. The image's own profile
            counts only if it is a stock one by creator and name.
        add_on: None if no loaded add-on explains anything.
        components: Loose components: neither the base image's nor the add-on's.
        removed_components: Names of the base image or add-on that the image does not have.
        unassigned_vibs: Ids of VIBs that nothing above explains; sorted.
        spec: The software spec that composes the image again; None without a base image.
    """

    base_image: BaseImage | None = None
    base_profile: ImageProfile | None = None
    add_on: AddOn | None = None
    components: tuple[ComponentReference, ...] = attrs.field(default=(), converter=as_tuple)
    removed_components: tuple[str, ...] = attrs.field(default=(), converter=as_tuple)
    unassigned_vibs: tuple[str, ...] = attrs.field(default=(), converter=as_tuple)
    spec: SoftwareSpec | None = None


def decompose(image: Image, catalog: Catalog) -> Decomposition:
    """Take an image apart.

    Args:
        image: Composed, or opened from a profile.
        catalog: The release units to explain it with.
    """
    base_image = _base_image(image, catalog)
    if not image.components or base_image is None:
        return _by_vibs(image, catalog, base_image)
    installed = {entry.component.name: entry.component.reference for entry in image.components}
    base = {reference.name: reference.version for reference in base_image.components}
    add_on = _best_add_on(image, base, installed, catalog.add_ons)
    expected = _expected(base, add_on)
    loose = [
        reference
        for name, reference in sorted(installed.items())
        if name not in expected or expected[name].text != reference.version.text
    ]
    removed = sorted(expected.keys() - installed.keys())
    in_components = {vib_id for entry in image.components for vib_id in entry.component.vib_ids}
    return Decomposition(
        base_image=base_image,
        add_on=add_on,
        components=loose,
        removed_components=removed,
        unassigned_vibs=sorted(image.vibs_by_id.keys() - in_components),
        spec=SoftwareSpec(
            base_image=base_image.version.text,
            add_on=None if add_on is None else AddOnReference(add_on.name, add_on.version),
            components=tuple((reference.name, reference.version) for reference in loose),
            removed_components=tuple(removed),
        ),
    )


def _base_image(image: Image, catalog: Catalog) -> BaseImage | None:
    if image.base_image is not None:
        return image.base_image
    version = image.esxi_version
    return next((unit for unit in catalog.base_images if unit.version == version), None)


def _expected(base: dict[str, ComponentVersion], add_on: AddOn | None) -> dict[str, ComponentVersion]:
    """Return the components that base image and add-on make together."""
    if add_on is None:
        return dict(base)
    kept = {name: version for name, version in base.items() if name not in add_on.removed_components}
    return kept | {reference.name: reference.version for reference in add_on.components}


def _best_add_on(
    image: Image,
    base: dict[str, ComponentVersion],
    installed: dict[str, ComponentReference],
    add_ons: Iterable[AddOn],
) -> AddOn | None:
    """Return the add-on that leaves the least unexplained; none if it is no better than no add-on."""
    if image.add_on is not None:
        return image.add_on

    def unexplained(add_on: AddOn | None) -> int:
        expected = _expected(base, add_on)
        wrong = sum(
            name not in installed or installed[name].version.text != version.text for name, version in expected.items()
        )
        return wrong + sum(name not in expected for name in installed)

    ranked = sorted(((unexplained(add_on), add_on) for add_on in add_ons), key=lambda pair: pair[0])
    if not ranked or ranked[0][0] >= unexplained(None):
        return None
    is_tie = len(ranked) > 1 and ranked[0][0] == ranked[1][0]
    return None if is_tie else ranked[0][1]


def _by_vibs(image: Image, catalog: Catalog, base_image: BaseImage | None) -> Decomposition:
    """Explain an image by VIB sets alone: of its base image's components, else of one stock profile."""
    ids = set(image.vibs_by_id)
    if base_image is not None:
        listed = {str(reference) for reference in base_image.components}
        explained = {
            vib_id for component in catalog.components if component.id in listed for vib_id in component.vib_ids
        }
        return Decomposition(base_image=base_image, unassigned_vibs=sorted(ids - explained))
    base_vib = image.base_vib
    stock = [
        profile
        for profile in catalog.profiles
        if (image.profile is None or profile.name != image.profile.name or _is_stock(profile))
        and base_vib is not None
        and base_vib.id in profile.vib_ids
        and ids.issuperset(profile.vib_ids)
    ]
    largest = max((len(profile.vibs) for profile in stock), default=0)
    fitting = [profile for profile in stock if len(profile.vibs) == largest]
    if len(fitting) != 1:
        return Decomposition(unassigned_vibs=sorted(ids))
    return Decomposition(base_profile=fitting[0], unassigned_vibs=sorted(ids - set(fitting[0].vib_ids)))


_STOCK_NAME = re.compile(r"ESXi-.+-(?:standard|no-tools)")


def _is_stock(profile: ImageProfile) -> bool:
    return profile.creator.startswith("VMware") and _STOCK_NAME.fullmatch(profile.name) is not None


def recognise(catalog: Catalog, profile: str = "", *, prefer: Sequence[str] = ()) -> Image:
    """Return the one image that a bundle holds, with its sources where they can be told.

    The profile is opened and taken apart; where base image, add-on and loose components
    explain it completely, the image is composed of them, so that every component knows its
    source. Otherwise it stays what the profile says.

    Args:
        catalog: What the bundle holds.
        profile: Name of the profile; empty takes the only one, or of a standard and a no-tools
            profile the standard one.
        prefer: As with ``compose``.

    Raises:
        NotInDepotError: No such profile, or several and none was named.
    """
    image = image_from_profile(catalog, profile or _only_profile(catalog), prefer=prefer)
    spec = decompose(image, catalog).spec
    if spec is None:
        return image
    try:
        composed = compose(catalog, spec, name=image.name, prefer=prefer)
    except EsxImageError:
        return image
    # A disc's profile lists host VIBs only; those for data processing units come with the components.
    is_same = {vib.id for vib in composed.host_vibs} == {vib.id for vib in image.host_vibs}
    return attrs.evolve(composed, profile=image.profile) if is_same else image


def _only_profile(catalog: Catalog) -> str:
    names = [profile.name for profile in catalog.profiles]
    candidates = [name for name in names if not name.endswith("-no-tools")] or names
    if len(candidates) == 1:
        return candidates[0]
    raise NotInDepotError(
        "the depots do not hold exactly one image",
        found=", ".join(candidates) or "no image profile",
        expected="one image profile",
        hint="name the profile" if candidates else "compose an image from a base image instead",
    )
