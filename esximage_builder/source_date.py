"""The one date of everything that one run writes: ``SOURCE_DATE_EPOCH``, else the latest of what it is made of.

The clock is never asked.
"""

from __future__ import annotations

import os
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from esximage_builder.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["latest_timestamp", "stated_timestamp"]

_EARLIEST = datetime(1980, 1, 1, tzinfo=UTC)
_LATEST = datetime(2107, 12, 31, tzinfo=UTC)


def latest_timestamp(moments: Iterable[datetime | None], environment: Mapping[str, str] | None = None) -> datetime:
    """Return ``SOURCE_DATE_EPOCH`` if the environment has it, else the latest of some dates, else 1980-01-01.

    Raises:
        ModelError: ``SOURCE_DATE_EPOCH`` is no number of seconds, or a date that a zip cannot hold.
    """
    stated = stated_timestamp(environment)
    if stated is not None:
        return stated
    latest = max((moment for moment in moments if moment is not None), default=_EARLIEST)
    return min(max(latest, _EARLIEST), _LATEST).replace(microsecond=0)


def stated_timestamp(environment: Mapping[str, str] | None = None) -> datetime | None:
    """Return the date that ``SOURCE_DATE_EPOCH`` states; None if it is not set, or empty.

    Raises:
        ModelError: As with ``latest_timestamp``.
    """
    epoch = (os.environ if environment is None else environment).get(_EPOCH, "")
    return _moment_of(epoch) if epoch else None


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
