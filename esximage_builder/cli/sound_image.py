"""An image that hosts are compared with has no errors: otherwise being as it is would mean nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from esximage_builder.errors import ComposeError
from esximage_builder.rules.validate import validate

if TYPE_CHECKING:
    from esximage_builder.models.catalog import Catalog
    from esximage_builder.models.image import Image
    from esximage_builder.vocabulary import AcceptanceLevel

__all__ = ["require_sound"]


def require_sound(image: Image, catalog: Catalog, *, minimum_acceptance: AcceptanceLevel | None) -> None:
    """Refuse an image with errors: no host could be brought to it.

    Raises:
        ComposeError: With the errors that validation found.
    """
    errors = validate(image, catalog, minimum_acceptance=minimum_acceptance).errors
    if errors:
        raise ComposeError(
            f"the image {image.name} has errors, so no host is compared with it",
            findings=errors,
            found=errors[0].message,
            expected="an image without errors",
            hint=errors[0].remedy or "esximage explain says more of each",
        )
