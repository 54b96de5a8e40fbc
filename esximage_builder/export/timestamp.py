"""The one date of everything an export writes."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from esximage_builder.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from esximage_builder.models.image import Image

__all__ = ["image_timestamp", "latest_timestamp"]

_EARLIEST = datetime(1980, 1, 1, tzinfo=UTC)
_LATEST = datetime(2107, 12, 31, tzinfo=UTC)


def image_timestamp(image: Image, environment: Mapping[str, str] | None = None) -> datetime:
    """Return the one date of everything an export writes; the clock is never asked.

    That is ``SOURCE_DATE_EPOCH`` if the environment has it and it is not empty, else when the
    add-on, base image or base VIB was released, whichever is latest, else 1980-01-01.

    Raises:
        ModelError: ``SOURCE_DATE_EPOCH`` is no number of seconds, or a date that a zip cannot hold.
    """
    units = (image.base_image, image.add_on, image.base_vib)
    return latest_timestamp((unit.released_at for unit in units if unit is not None), environment)


def latest_timestamp(moments: Iterable[datetime | None], environment: Mapping[str, str] | None = None) -> datetime:
    """Return the latest of some dates as the one of an export; else as ``image_timestamp``.

    Raises:
        ModelError: As with ``image_timestamp``.
    """
    epoch = (os.environ if environment is None else environment).get(_EPOCH, "")
    if epoch:
        return _moment_of(epoch)
    latest = max((moment for moment in moments if moment is not None), default=_EARLIEST)
    return min(max(latest, _EARLIEST), _LATEST).replace(microsecond=0)


_EPOCH = "SOURCE_DATE_EPOCH"
_EPOCH_DIGITS = 20


def _moment_of(epoch: str) -> datetime:
    """Return the date of ``SOURCE_DATE_EPOCH``; a wrong one is refused, as its owner counts on it.

    Raises:
        ModelError: It is no plain number, or before 1980 or after 2107, where zips end.
    """
    earliest, latest = int(_EARLIEST.timestamp()), int(_LATEST.timestamp())
    is_number = epoch.isascii() and epoch.isdecimal() and len(epoch) <= _EPOCH_DIGITS
    if not is_number or not earliest <= int(epoch) <= latest:
        raise ModelError(
            f"the environment variable {_EPOCH} is no date that an export can hold",
            where=_EPOCH,
            found=repr(epoch[:80]),
            expected=f"whole seconds since 1970 in digits alone, from {earliest} (1980) to {latest} (2107)",
            hint="correct it, or unset it to take the release date of the image",
        )
    return datetime.fromtimestamp(int(epoch), tz=UTC)
