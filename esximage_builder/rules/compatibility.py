"""Whether a release unit goes with a base image: declared, and by release train.

Two layers, each with a verdict of its own (docs/decisions): what the unit declares, and
the release train, which is major.minor.update up to 8.x and major.minor from 9.0. Where
nothing is declared, the train is read off the first three digits of the unit's version,
``703.0.0.11.3.0-5``, as every hardware vendor spells it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from esximage_builder.findings import Finding, Severity
from esximage_builder.versions import ProductVersion

if TYPE_CHECKING:
    from collections.abc import Iterable

    from esximage_builder.models.add_on import AddOn
    from esximage_builder.models.base_image import BaseImage
    from esximage_builder.models.hardware_support import HardwareSupport
    from esximage_builder.versions import BaseImageVersion

__all__ = ["check_add_on", "declared_trains", "supports_base_image"]

_VENDOR_TRAIN = re.compile(r"(?:^|[^0-9])([6-9])([0-9])([0-9])(?=[^0-9])")
_FIRST_MINOR_TRAIN_MAJOR = 9


def declared_trains(unit: AddOn | HardwareSupport) -> tuple[tuple[int, ...], ...]:
    """Return the trains that a unit is for: as it declares, else as its version spells it; sorted."""
    if unit.supported_base_images:
        return tuple(sorted({_train_of(text) for text in unit.supported_base_images if _train_of(text)}))
    match = _VENDOR_TRAIN.search(f"{unit.version.text}.")
    if match is None:
        return ()
    numbers = tuple(int(digit) for digit in match.groups())
    return (numbers if numbers[0] < _FIRST_MINOR_TRAIN_MAJOR else numbers[:2],)


def _train_of(text: str) -> tuple[int, ...]:
    numbers = tuple(int(number) for number in re.findall(r"[0-9]+", text.partition("-")[0])[:3])
    return numbers if not numbers or numbers[0] < _FIRST_MINOR_TRAIN_MAJOR else numbers[:2]


def supports_base_image(declared: str, version: BaseImageVersion) -> bool:
    """Tell whether one declared text covers the base image.

    Exact versions, dotted prefixes (``7.0.3``, ``8.0``) and wildcards (``7.0.*``) are understood.
    """
    text = declared.strip().rstrip("*").rstrip(".-")
    if text in ("", version.text):
        return True
    wanted = tuple(int(number) for number in re.findall(r"[0-9]+", text))
    return version.fields[: len(wanted)] == wanted


def check_add_on(add_on: AddOn, base_image: BaseImage, *, others: Iterable[AddOn] = ()) -> tuple[Finding, ...]:
    """Return an error if the add-on does not go with the base image.

    Args:
        add_on: The add-on.
        base_image: The base image.
        others: Loaded add-ons, for the remedy.
    """
    version = base_image.version
    trains = declared_trains(add_on)
    declared = add_on.supported_base_images
    if declared and any(supports_base_image(text, version) for text in declared):
        return ()
    if version.train in trains:
        return ()
    if not trains:
        return (_unknown_train(add_on, base_image),)
    shown = ", ".join(sorted(ProductVersion(".".join(map(str, train))).base_version for train in trains))
    return (
        Finding(
            code="add-on-base-unsupported",
            severity=Severity.ERROR,
            message=f"the add-on {add_on.id} is not made for the base image {version}",
            items=(add_on.id, base_image.id),
            cause=f"it is for ESXi {shown}, the base image is ESXi {version.product}"
            + (f" (declared: {', '.join(declared)})" if declared else " (read off the add-on's version)"),
            remedy=_remedy(add_on, version, others),
        ),
    )


def _unknown_train(add_on: AddOn, base_image: BaseImage) -> Finding:
    return Finding(
        code="add-on-base-unknown",
        severity=Severity.WARNING,
        message=f"the add-on {add_on.id} does not say which base images it is made for",
        items=(add_on.id, base_image.id),
        cause="it declares none, and its version names no ESXi release",
        remedy="check its release notes",
    )


def _remedy(add_on: AddOn, version: BaseImageVersion, others: Iterable[AddOn]) -> str:
    train = "".join(str(number) for number in version.train)
    fitting = [
        other
        for other in others
        if other.name == add_on.name
        and (
            any(supports_base_image(text, version) for text in other.supported_base_images)
            or version.train in declared_trains(other)
        )
    ]
    if fitting:
        loaded = ", ".join(other.version.text for other in sorted(fitting, key=lambda other: other.version))
        return f"take a {train} version of the add-on; loaded: {loaded}"
    return f"take a version of the add-on for {train}, none is loaded; or a base image of its own release"
