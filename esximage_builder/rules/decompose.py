"""Taking an image apart: base image, add-on, packages, solutions, loose components; never guessed.

A composed image is taken apart by its spec, with versions for what was left open. One that only lists
its components, as a profile does, is explained by the loaded release units: the base image is the one
of its own ESXi version, the others are those that explain the most (``rules.unit_search``). What
none explains is loose. An image that lists VIBs only (6.x) has no components: its base is told by the
VIB set of a loaded stock profile or base image, the rest stays unassigned.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, final

import attrs

from esximage_builder.errors import EsxImageError, NotInDepotError
from esximage_builder.models.fields import as_tuple
from esximage_builder.models.image import Rule
from esximage_builder.models.spec import AddOnReference, HardwareSupportReference, SoftwareSpec, SolutionReference
from esximage_builder.rules.closed_spec import with_versions
from esximage_builder.rules.compose import compose
from esximage_builder.rules.profile_image import image_from_profile
from esximage_builder.rules.unit_search import find_units
from esximage_builder.shown import Shown
from esximage_builder.vocabulary import ComponentSource

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from esximage_builder.models.add_on import AddOn
    from esximage_builder.models.base_image import BaseImage
    from esximage_builder.models.catalog import Catalog
    from esximage_builder.models.component import ComponentReference
    from esximage_builder.models.hardware_support import HardwareSupport
    from esximage_builder.models.image import Image
    from esximage_builder.models.image_profile import ImageProfile
    from esximage_builder.models.solution import Solution
    from esximage_builder.rules.unit_search import FoundUnits

__all__ = ["Decomposition", "decompose", "recognise"]


@final
@attrs.frozen(kw_only=True, repr=False)
class Decomposition(Shown):
    """What an image is made of.

    Attributes:
        base_image: None if no loaded base image is of the image's ESXi version.
        base_profile: For images without components: the loaded profile with the most VIBs that
            are all in the image; None if none is loaded or several fit. The image's own profile
            counts only if it is a stock one by creator and name.
        add_on: None if no loaded add-on explains anything.
        hardware_support: Hardware support packages, sorted by name.
        solutions: Sorted by name.
        components: Loose components: those of the user, whoever else brings the same ones.
        removed_components: Names that the user took off.
        unassigned_vibs: Ids of VIBs that nothing above explains; sorted.
        tied: Release units of which one explains as much as the other; none of them is taken.
        spec: The software spec that composes the image again; None without a base image.
    """

    base_image: BaseImage | None = None
    base_profile: ImageProfile | None = None
    add_on: AddOn | None = None
    hardware_support: tuple[HardwareSupport, ...] = attrs.field(default=(), converter=as_tuple)
    solutions: tuple[Solution, ...] = attrs.field(default=(), converter=as_tuple)
    components: tuple[ComponentReference, ...] = attrs.field(default=(), converter=as_tuple)
    removed_components: tuple[str, ...] = attrs.field(default=(), converter=as_tuple)
    unassigned_vibs: tuple[str, ...] = attrs.field(default=(), converter=as_tuple)
    tied: tuple[AddOn | HardwareSupport | Solution, ...] = attrs.field(default=(), converter=as_tuple)
    spec: SoftwareSpec | None = None


def decompose(image: Image, catalog: Catalog) -> Decomposition:
    """Take an image apart.

    Args:
        image: Composed, or opened from a profile.
        catalog: The release units to explain it with.
    """
    if image.spec is not None and image.base_image is not None:
        return _by_spec(image, image.spec, catalog)
    base_image = _base_image(image, catalog)
    if not image.components or base_image is None:
        return _by_vibs(image, catalog, base_image)
    return _by_components(image, catalog, base_image)


def _base_image(image: Image, catalog: Catalog) -> BaseImage | None:
    if image.base_image is not None:
        return image.base_image
    version = image.esxi_version
    return next((unit for unit in catalog.base_images if unit.version == version), None)


def _by_spec(image: Image, wanted: SoftwareSpec, catalog: Catalog) -> Decomposition:
    """Give back what a composed image was put together from."""
    return Decomposition(
        base_image=image.base_image,
        add_on=image.add_on,
        hardware_support=image.hardware_support,
        solutions=image.solutions,
        components=[entry.component.reference for entry in image.components if entry.source is ComponentSource.USER],
        removed_components=wanted.removed_components,
        unassigned_vibs=_outside_components(image),
        spec=_spec_with_versions(image, wanted, catalog),
    )


def _spec_with_versions(image: Image, wanted: SoftwareSpec, catalog: Catalog) -> SoftwareSpec:
    """Return the spec with the versions that the image took; as it was, where they would lead elsewhere.

    They would where a solution's open component was chosen beside others of the user that were open too.
    """
    stated = with_versions(wanted, image)
    is_open = Rule.HIGHEST_AVAILABLE in {entry.rule for entry in image.components}
    if is_open and _digest(catalog, stated) != image.digest == _digest(catalog, wanted):
        return attrs.evolve(wanted, base_image=stated.base_image)
    return stated


def _digest(catalog: Catalog, spec: SoftwareSpec) -> str:
    """Return the digest of what a spec composes to; empty if the catalog does not compose it."""
    try:
        return compose(catalog, spec).digest
    except EsxImageError:
        return ""


def _outside_components(image: Image) -> list[str]:
    in_components = {vib_id for entry in image.components for vib_id in entry.component.vib_ids}
    return sorted(image.vibs_by_id.keys() - in_components)


def _by_components(image: Image, catalog: Catalog, base_image: BaseImage) -> Decomposition:
    """Explain an image's components by the loaded units."""
    installed = {entry.component.name: entry.component.reference for entry in image.components}
    found = find_units(base_image, installed, catalog)
    spec = _corrected(_spec_of(base_image, found), installed, catalog)
    return Decomposition(
        base_image=base_image,
        add_on=found.add_on,
        hardware_support=found.hardware_support,
        solutions=[unit for unit in catalog.solutions if unit.id in {wanted.id for wanted in found.solutions}],
        components=[installed[name] for name, _ in spec.components],
        removed_components=spec.removed_components,
        unassigned_vibs=_outside_components(image),
        tied=found.tied,
        spec=spec,
    )


def _spec_of(base_image: BaseImage, found: FoundUnits) -> SoftwareSpec:
    """Return the spec of what was found; a package's manager is not known, so it gets the package's name."""
    return SoftwareSpec(
        base_image=base_image.version.text,
        add_on=None if found.add_on is None else AddOnReference(found.add_on.name, found.add_on.version),
        components=[(reference.name, reference.version) for reference in found.loose],
        removed_components=found.removed,
        hardware_support=[
            HardwareSupportReference(manager=unit.name, package=unit.name, version=unit.version.text)
            for unit in found.hardware_support
        ],
        solutions=[
            SolutionReference(
                name=unit.name, version=unit.version.text, components=[part.name for part in unit.components]
            )
            for unit in found.solutions
        ],
    )


def _corrected(spec: SoftwareSpec, installed: Mapping[str, ComponentReference], catalog: Catalog) -> SoftwareSpec:
    """Pin what would be composed otherwise: of a solution the highest version is taken, whichever the image has."""
    try:
        composed = {entry.component.name: entry.component.version for entry in compose(catalog, spec).components}
    except EsxImageError:
        return spec
    pinned = {
        name: reference.version
        for name, reference in installed.items()
        if name not in composed or composed[name].text != reference.version.text
    }
    return attrs.evolve(
        spec,
        components=tuple((dict(spec.components) | pinned).items()),
        removed_components=(*spec.removed_components, *(composed.keys() - installed.keys())),
    )


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
