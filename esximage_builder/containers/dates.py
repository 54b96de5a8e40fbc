"""Times as ESXi's files spell them.

Seen: with and without fraction, with ``+00:00``, ``+08:00``, ``Z`` or no zone at all, which
means UTC: hosts and depots rewrite such times by appending ``+00:00``.
"""

from __future__ import annotations

from datetime import UTC, datetime

from esximage_builder.errors import InvalidFieldError

__all__ = ["parse_time", "render_time"]


def parse_time(text: str, *, where: str) -> datetime | None:
    """Return the aware UTC time; None for an empty text.

    Raises:
        InvalidFieldError: No time of a known form.
    """
    text = text.strip()
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise InvalidFieldError(
            "this is no date and time",
            where=where,
            found=repr(text)[:80],
            expected="a time such as 2024-01-31T00:00:00.000001+00:00",
        ) from error


def render_time(moment: datetime) -> str:
    """Return the form of depot metadata: microseconds and ``+00:00``."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")
