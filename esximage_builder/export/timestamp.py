"""The one date of everything an export writes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from esximage_builder.source_date import latest_timestamp

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from esximage_builder.models.image import Image

__all__ = ["image_timestamp"]


def image_timestamp(image: Image, environment: Mapping[str, str] | None = None) -> datetime:
    """Return the one date of everything an export writes; the clock is never asked.

    That is ``SOURCE_DATE_EPOCH`` if the environment has it and it is not empty, else when the
    add-on, base image or base VIB was released, whichever is latest, else 1980-01-01.

    Raises:
        ModelError: ``SOURCE_DATE_EPOCH`` is no number of seconds, or a date that a zip cannot hold.
    """
    units = (image.base_image, image.add_on, image.base_vib)
    return latest_timestamp((unit.released_at for unit in units if unit is not None), environment)
