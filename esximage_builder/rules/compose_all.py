"""Composing a spec with all its alternative images: the main one, and one for each of them.

An alternative image is whole: of the main one it takes nothing. Which hosts get it is not decided
here, since that is about hosts; its selection criteria come with the image, as the spec has them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, final

import attrs

from esximage_builder.errors import EsxImageError
from esximage_builder.models.catalog import catalog_of
from esximage_builder.models.spec_keys import pointer_of
from esximage_builder.rules.compose import compose
from esximage_builder.shown import Shown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from esximage_builder.limits import SearchLimits
    from esximage_builder.models.catalog import Catalog, HasCatalog
    from esximage_builder.models.image import Image
    from esximage_builder.models.spec import AlternativeImage, SoftwareSpec

__all__ = ["ComposedImage", "compose_all"]


@final
@attrs.frozen(kw_only=True, repr=False)
class ComposedImage(Shown):
    """One image of a spec, with the hosts it is for.

    Attributes:
        image: The image.
        id: The alternative's id; empty for the main image.
        display_name: As the spec has it; empty for the main image.
        selection_criteria: Which hosts get it, as JSON text; empty for the main image, which all others get.
    """

    image: Image
    id: str = ""
    display_name: str = ""
    selection_criteria: str = ""


def compose_all(
    catalog: Catalog | HasCatalog,
    spec: SoftwareSpec,
    *,
    name: str = "",
    prefer: Sequence[str] = (),
    search_limits: SearchLimits | None = None,
) -> tuple[ComposedImage, ...]:
    """Compose the main image of a spec and all its alternative images.

    Args:
        catalog: What is loaded: an opened depot, or its catalog.
        spec: What is wanted.
        name: Of the main image; empty makes one of base image and add-on.
        prefer: As with ``compose``.
        search_limits: As with ``compose``, for each image.

    Returns:
        The main image, then the alternatives by their ids.

    Raises:
        NotInDepotError: Something asked for is not loaded; ``where`` names the alternative image.
        ComposeError: The request contradicts itself or takes off a core component.
    """
    loaded = catalog_of(catalog)
    main = compose(loaded, spec, name=name, prefer=prefer, search_limits=search_limits)
    return (
        ComposedImage(image=attrs.evolve(main, uncomposed_alternatives=())),
        *(_composed(loaded, alternative, prefer, search_limits) for alternative in spec.alternative_images),
    )


def _composed(
    catalog: Catalog, alternative: AlternativeImage, prefer: Sequence[str], limits: SearchLimits | None
) -> ComposedImage:
    try:
        image = compose(catalog, alternative.spec, prefer=prefer, search_limits=limits)
    except EsxImageError as error:
        error.where = error.where or f"#{pointer_of(('alternative_images', alternative.id))}"
        raise
    return ComposedImage(
        image=image,
        id=alternative.id,
        display_name=alternative.display_name,
        selection_criteria=alternative.selection_criteria,
    )
