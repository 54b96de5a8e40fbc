"""Which release train an add-on or package is for, from every place where it is written.

The first place that tells is believed: what it declares, else its version, else its name. Vendors
write a release as

* three digits, ``703.0.0.11.3.0-5``, ``LVO.803.12.1``, ``DEL-ESXi-702``;
* three numbers, ``7.0.3-610.2``, ``8.0.3-LVO.803.12.1``, ``LVO_8.0.3``, ``7.0.3d``;
* an update, ``70U3d-19482537``, ``7.0U3``, ``7.0 Update 3``;
* a minor release, ``ESXi-8.0``: up to 8.x that is no train, and only tells which releases it is not for.

Only releases that ESXi has count, so that ``610`` is none. Digits in the middle of a name may be a
machine's model: they count behind the word ESXi, else if a release of these digits is published.

Source: docs/formats.md#add-ons.
"""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING, NamedTuple

from esximage_builder.rules.releases import KNOWN_RELEASES, is_minor_train, train_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from esximage_builder.models.add_on import AddOn
    from esximage_builder.models.hardware_support import HardwareSupport
    from esximage_builder.versions import BaseImageVersion

__all__ = [
    "TrainsOf",
    "declared_trains",
    "is_for_train",
    "is_in_train",
    "is_range",
    "train_text",
    "trains_of",
    "vendor_train_text",
]

_Train = tuple[int, ...]

_START = r"(?:[A-Za-z]+[ ._-]+)*"
_APART = r"(?<![0-9A-Za-z])(?<![0-9]\.)"
_DIGITS = r"([6-9])([0-9])([0-9])(?![0-9])"
_NUMBERS = r"([6-9])\.([0-9])\.([0-9])(?![0-9])"
_UPDATE = r"([6-9])\.?([0-9]?)[ ._-]*U(?:pdate)?[ ._-]*([0-9])(?![0-9])"
_PRODUCT = r"(?:ESXi|vSphere)[ ._-]*"
# In this order: at the start of a version, behind the product's name, anywhere in a name.
_IN_VERSION = tuple(re.compile(_START + form, re.IGNORECASE) for form in (_NUMBERS, _UPDATE, _DIGITS))
_BEHIND_PRODUCT = tuple(re.compile(_PRODUCT + form, re.IGNORECASE) for form in (_NUMBERS, _UPDATE, _DIGITS))
_IN_NAME = tuple(re.compile(_APART + form, re.IGNORECASE) for form in (_NUMBERS, _UPDATE))
_LOOSE_DIGITS = re.compile(_APART + _DIGITS + r"(?![A-Za-z])")
_MINOR = re.compile(_PRODUCT + r"([6-9])\.([0-9])(?![0-9])", re.IGNORECASE)

# Releases of ESXi by major and minor number; from 9.0 on any may come, and before 7.0 updates are no trains.
_MINORS = {6: (0, 5, 7), 7: (0,), 8: (0,)}
_FIRST_UPDATE_TRAIN_MAJOR = 7
_PUBLISHED = frozenset(release.train for release in KNOWN_RELEASES)
_FIRST_WITH_ADD_ONS = 7
_RANGE_SIGNS = ("<", ">", "=", "!", "~")
_VENDOR_DIGITS = 3
_REMEMBERED = 1024


class TrainsOf(NamedTuple):
    """The trains that a unit is for, sorted, and where that is written: ``declared``, ``version``, ``name``."""

    trains: tuple[_Train, ...] = ()
    place: str = ""


def trains_of(unit: AddOn | HardwareSupport) -> TrainsOf:
    """Return the trains that a unit is for, from the first place that tells; empty if none does.

    Ranges such as ``>=7.0.2,<8`` name no train. A name may give a minor release only, ``(8, 0)``.
    """
    declared = {train for text in unit.supported_base_images if not is_range(text) and (train := _train_of_text(text))}
    if declared:
        return TrainsOf(tuple(sorted(declared)), "declared")
    return _written(unit.version.text, unit.name)


def declared_trains(unit: AddOn | HardwareSupport) -> tuple[_Train, ...]:
    """Return the trains that a unit is for, as ``trains_of`` does, without the place."""
    return trains_of(unit).trains


def is_range(text: str) -> bool:
    """Tell whether a declared text is a range of releases."""
    return text.strip().startswith(_RANGE_SIGNS)


def _train_of_text(text: str) -> _Train:
    return train_of(tuple(int(number) for number in re.findall(r"[0-9]+", text.partition("-")[0])))


@functools.lru_cache(maxsize=_REMEMBERED)
def _written(version: str, name: str) -> TrainsOf:
    for place, found in (("version", _in_version(version)), ("name", _in_name(name))):
        train = next(found, None)
        if train is not None:
            return TrainsOf((train,), place)
    return TrainsOf()


def _in_version(text: str) -> Iterator[_Train]:
    """Yield what a version says: at its start, maybe behind the vendor's letters, else behind the product's name."""
    yield from _trains(match for form in _IN_VERSION if (match := form.match(text)))
    yield from _trains(match for form in _BEHIND_PRODUCT for match in form.finditer(text))


def _in_name(name: str) -> Iterator[_Train]:
    yield from _trains(match for form in _BEHIND_PRODUCT for match in form.finditer(name))
    yield from _trains(match for form in _IN_NAME for match in form.finditer(name))
    for train in _trains(_LOOSE_DIGITS.finditer(name)):
        if train in _PUBLISHED and train[0] >= _FIRST_WITH_ADD_ONS:
            yield train
    yield from _trains(_MINOR.finditer(name))


def _trains(matches: Iterator[re.Match[str]]) -> Iterator[_Train]:
    """Yield the trains that the matches name, of releases that ESXi has."""
    for match in matches:
        numbers = tuple(int(digit or 0) for digit in match.groups())
        if is_minor_train(numbers[0]) or numbers[1] in _MINORS[numbers[0]]:
            is_update = numbers[0] >= _FIRST_UPDATE_TRAIN_MAJOR
            yield train_of(numbers) if is_update else (*numbers[:2], 0)


def is_in_train(unit: AddOn | HardwareSupport, version: BaseImageVersion) -> bool | None:
    """Tell whether the unit is of the base image's train; None if that cannot be told."""
    return is_for_train(unit, version.train)


def is_for_train(unit: AddOn | HardwareSupport, train: _Train) -> bool | None:
    """Tell whether the unit is of a train, where no full version is known; None if that cannot be told.

    Args:
        unit: The unit.
        train: As ``BaseImageVersion.train`` or ``KnownRelease.train`` give it.
    """
    trains, place = trains_of(unit)
    fitting = [own for own in trains if train[: len(own)] == own]
    if fitting and place != "declared" and all(len(own) < len(train) for own in fitting):
        return None
    return bool(fitting) if trains else None


def train_text(train: _Train) -> str:
    """Return ``7.0.3`` for ``(7, 0, 3)``."""
    return ".".join(str(number) for number in train)


def vendor_train_text(train: _Train) -> str:
    """Return a train as vendors begin their versions with it: ``703`` for ``(7, 0, 3)``, ``900`` for ``(9, 0)``."""
    return "".join(str(number) for number in train).ljust(_VENDOR_DIGITS, "0")
