"""Dates on a disc: which are none, and which stand out where all others are one.

Dates decide nothing that boots, so nothing here is more than told. A program that writes a disc of
one image gives it one date throughout, and then a date that differs was not put there by it.

Source: ECMA-119 8.4.26.1 (volume descriptor), 9.1.5 (directory records).
"""

from __future__ import annotations

import datetime as dt
import re
from collections import Counter
from typing import TYPE_CHECKING

from esximage_builder.containers.disc_tree import DiscFault
from esximage_builder.findings import Severity

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from esximage_builder.containers.disc_tree import Record

__all__ = ["check_dates"]

_VOLUME_DATES = {"creation": 813, "modification": 830, "expiration": 847, "effect": 864}
_VOLUME_DATE_BYTES = 17
_QUARTER_HOURS = range(-48, 53)
_ONE_DATE_SHARE = 0.9
_CLOCK = dt.timedelta(seconds=3)  # a program that asks the clock again gets another second


def check_dates(descriptor: bytes, records: Sequence[Record]) -> Iterator[DiscFault]:
    """Tell of dates that are none, or stand out.

    Args:
        descriptor: The primary volume descriptor.
        records: All directory records.
    """
    for record in records:
        if any(record.date) and _date_of_record(record.date) is None:
            yield _told("a file has a date that is none", record.shown, record.date.hex(" "))
    volume = {name: descriptor[at : at + _VOLUME_DATE_BYTES] for name, at in _VOLUME_DATES.items()}
    for name, data in volume.items():
        if not _is_unset(data) and _date_of_volume(data) is None:
            yield _told("the volume has a date that is none", f"volume descriptor: {name}", repr(data))
    if records:
        yield from _check_one_date(volume, records)


def _check_one_date(volume: dict[str, bytes], records: Sequence[Record]) -> Iterator[DiscFault]:
    """Where nearly all files have one date, and the volume too, tell of each other date."""
    common, _ = Counter(record.date for record in records).most_common(1)[0]
    date = _date_of_record(common)
    near = sum(record.date[:5] == common[:5] for record in records)  # to the minute
    if date is None or near < len(records) * _ONE_DATE_SHARE:
        return
    stated = {name: _date_of_volume(data) for name, data in volume.items() if not _is_unset(data)}
    if not any(said is not None and abs(said - date) <= _CLOCK for said in stated.values()):
        return
    for record in records:
        own = _date_of_record(record.date)
        if own is None or abs(own - date) > _CLOCK:
            yield _told("a file has another date than all others", record.shown, record.date.hex(" "))
    for name, said in stated.items():
        if said is None or abs(said - date) > _CLOCK:
            yield _told("the volume has another date than its files", f"volume descriptor: {name}", repr(volume[name]))


def _is_unset(data: bytes) -> bool:
    return not data.strip(b"\x000")


def _date_of_record(data: bytes) -> dt.datetime | None:
    year, month, day, hour, minute, second = data[:6]
    return _date((1900 + year, month, day, hour, minute, second), data[6])


def _date_of_volume(data: bytes) -> dt.datetime | None:
    """Return the date to the second; hundredths are zero in all that writers of discs write."""
    if not re.fullmatch(rb"[0-9]{14}00", data[:16]):
        return None
    text = data.decode("latin-1")
    parts = (int(text[0:4]), *(int(text[at : at + 2]) for at in range(4, 14, 2)))
    return _date(parts, data[16])


def _date(parts: tuple[int, ...], zone: int) -> dt.datetime | None:
    quarters = zone - 256 if zone > 127 else zone  # noqa: PLR2004 - a signed byte
    if quarters not in _QUARTER_HOURS:
        return None
    year, month, day, hour, minute, second = parts
    try:
        tzinfo = dt.timezone(dt.timedelta(minutes=15 * quarters))
        return dt.datetime(year, month, day, hour, minute, second, tzinfo=tzinfo)
    except ValueError:
        return None


def _told(what: str, item: str, found: str) -> DiscFault:
    return DiscFault(what=what, item=item, found=found, severity=Severity.INFO)
