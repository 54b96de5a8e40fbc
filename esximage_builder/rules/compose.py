"""Composing: from a base image, an add-on and the user's wishes to an image.

Rules (docs/concepts.md#composing):

* A version left open takes the highest loaded one that fits; all open names are settled together, in
  ``rules.open_versions``.
* How the image is put together from there on is in ``rules.assemble``.

Nothing is raised for what the image lacks; that is for validation. Raised is only what
makes no image: something asked for that is not loaded, or a request against itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from esximage_builder.errors import ModelError
from esximage_builder.limits import SearchLimits
from esximage_builder.models.add_on import AddOn
from esximage_builder.models.catalog import catalog_of
from esximage_builder.models.spec import AddOnReference
from esximage_builder.rules.choices import component_choices, unit_choices
from esximage_builder.rules.core_set import is_core_component
from esximage_builder.rules.open_names import open_names_of
from esximage_builder.rules.open_versions import settle
from esximage_builder.rules.plain_spec import make_spec, open_add_on
from esximage_builder.rules.profile_image import image_from_profile
from esximage_builder.rules.releases import resolve_base_image
from esximage_builder.rules.settling import OpenWish

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from esximage_builder.models.catalog import Catalog, HasCatalog
    from esximage_builder.models.image import Image
    from esximage_builder.models.spec import SoftwareSpec
    from esximage_builder.rules.plain_spec import AddOnWish, ComponentWishes
    from esximage_builder.versions import BaseImageVersion

__all__ = ["compose", "image_from_profile", "is_core_component"]


def compose(
    catalog: Catalog | HasCatalog,
    spec: SoftwareSpec | None = None,
    *,
    base_image: str | BaseImageVersion = "",
    add_on: AddOnWish | None = None,
    components: ComponentWishes = (),
    removed_components: Iterable[str] = (),
    name: str = "",
    prefer: Sequence[str] = (),
    search_limits: SearchLimits | None = None,
) -> Image:
    """Compose an image from a spec, or from plain arguments instead of one.

    Args:
        catalog: What is loaded: an opened depot, or its catalog.
        spec: What is wanted; None takes the arguments below.
        base_image: Version of the base image, or a release name such as ``7.0U3g``.
        add_on: Name and version, as a pair or as ``NAME:VERSION``; a name alone takes the highest
            loaded version that fits.
        components: Name to version, None for the highest that fits; or names alone.
        removed_components: Names.
        name: Of the image; empty makes one of base image and add-on.
        prefer: Source names, best first: where one VIB id has different contents, it is
            taken from the first of these that holds it.
        search_limits: Bounds for the search over versions left open; None takes the defaults.

    Returns:
        The image. The order of sources, components and removals does not matter.

    Raises:
        NotInDepotError: Something asked for is not loaded.
        ComposeError: The request contradicts itself or takes off a core component.
        ModelError: A spec and arguments were both given, or neither.
    """
    loaded = catalog_of(catalog)
    arguments = bool(base_image or add_on or components or removed_components)
    if arguments == (spec is not None):
        raise ModelError("compose takes a spec or arguments", expected="one of the two")
    open_unit = open_add_on(add_on)
    if spec is None:
        spec = make_spec(
            base_image=base_image,
            add_on=None if open_unit else add_on,
            components=components,
            removed_components=removed_components,
        )
    image = _settled(loaded, spec, open_unit, tuple(prefer), search_limits or SearchLimits())
    return attrs.evolve(image, name=name) if name else image


def _settled(
    catalog: Catalog, spec: SoftwareSpec, open_unit: str, prefer: tuple[str, ...], limits: SearchLimits
) -> Image:
    """Return the image with its open versions settled, and all that was decided about them."""
    resolve_base_image(catalog, spec.base_image)
    wish = OpenWish(catalog=catalog, spec=spec, names=open_names_of(catalog, spec, open_unit), prefer=prefer)
    settled = settle(wish, limits)
    image = wish.image(settled.ranks)
    if open_unit and isinstance(image.add_on, AddOn):
        spec = attrs.evolve(spec, add_on=AddOnReference(image.add_on.name, image.add_on.version))
    return attrs.evolve(
        image,
        spec=spec,
        components=component_choices(image, wish, settled),
        unit_choices=unit_choices(wish, settled),
        exclusions=settled.exclusions,
        is_searched=settled.is_searched,
    )
