"""The one date of everything an export writes."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from esximage_builder.models.image import Image

__all__ = ["image_timestamp"]

_EARLIEST = datetime(1980, 1, 1, tzinfo=UTC)
_LATEST = datetime(2107, 12, 31, tzinfo=UTC)


def image_timestamp(image: Image, environment: Mapping[str, str] | None = None) -> datetime:
    """Return the one date of everything an export writes; the clock is never asked.

    That is ``SOURCE_DATE_EPOCH`` if the environment has it, else when the add-on, base image
    or base VIB was released, whichever is latest, else 1980-01-01.
    """
    epoch = (os.environ if environment is None else environment).get("SOURCE_DATE_EPOCH", "")
    if epoch.isascii() and epoch.isdecimal() and len(epoch) < _EPOCH_DIGITS:
        moments = [datetime.fromtimestamp(int(epoch), tz=UTC)]
    else:
        units = (image.base_image, image.add_on, image.base_vib)
        moments = [unit.released_at for unit in units if unit is not None and unit.released_at is not None]
    latest = max(moments, default=_EARLIEST)
    return min(max(latest, _EARLIEST), _LATEST).replace(microsecond=0)


_EPOCH_DIGITS = 12
