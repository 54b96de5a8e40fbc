"""The software spec: what the user wants, as vLCM exports and imports it."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

import attrs

from esximage_builder.models.fields import JsonPairs, as_tuple

if TYPE_CHECKING:
    from collections.abc import Iterable

    from esximage_builder.versions import AddOnVersion, ComponentVersion

__all__ = ["AddOnReference", "HardwareSupportReference", "SoftwareSpec", "SolutionReference"]


@final
@attrs.frozen
class AddOnReference:
    """An add-on by name and version; both are required."""

    name: str
    version: AddOnVersion

    def __str__(self) -> str:
        return f"{self.name}:{self.version}"


@final
@attrs.frozen(kw_only=True)
class HardwareSupportReference:
    """A hardware support package [hardware_support.packages.*].

    Attributes:
        manager: The hardware support manager, the key of the map.
        package: Package name [pkg].
        version: Package version; empty means unset.
        extra: JSON keys this library does not know.
    """

    manager: str
    package: str
    version: str = ""
    extra: JsonPairs = attrs.field(default=(), converter=as_tuple, repr=False)


@final
@attrs.frozen(kw_only=True)
class SolutionReference:
    """A solution with the components it wants [solutions.*].

    Attributes:
        name: The key of the map.
        version: Empty means unset.
        components: Component names.
        extra: JSON keys this library does not know.
    """

    name: str
    version: str = ""
    components: tuple[str, ...] = attrs.field(default=(), converter=as_tuple)
    extra: JsonPairs = attrs.field(default=(), converter=as_tuple, repr=False)


def _by_first(
    pairs: Iterable[tuple[str, ComponentVersion | None]],
) -> tuple[tuple[str, ComponentVersion | None], ...]:
    return tuple(sorted(as_tuple(pairs), key=lambda pair: pair[0]))


def _sorted_names(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(set(as_tuple(names))))


@final
@attrs.frozen(kw_only=True)
class SoftwareSpec:
    """A desired image. A missing key and ``null`` mean the same.

    Attributes:
        base_image: Version text, or an alias such as ``7.0U3g`` that the catalog resolves.
        add_on: None for none.
        components: Pairs of name and version, sorted by name; a version of None means
            the highest loaded one that fits.
        removed_components: Names, sorted.
        hardware_support: Sorted by manager.
        solutions: Sorted by name.
        alternative_images: Pairs of id and canonical JSON text (9.0 and later).
        extra: Top-level JSON keys this library does not know.
        nested_extra: Keys it does not know inside known objects: the object's JSON pointer, the
            key, the value as canonical JSON text.
    """

    base_image: str
    add_on: AddOnReference | None = None
    components: tuple[tuple[str, ComponentVersion | None], ...] = attrs.field(default=(), converter=_by_first)
    removed_components: tuple[str, ...] = attrs.field(default=(), converter=_sorted_names)
    hardware_support: tuple[HardwareSupportReference, ...] = attrs.field(default=(), converter=as_tuple)
    solutions: tuple[SolutionReference, ...] = attrs.field(default=(), converter=as_tuple)
    alternative_images: JsonPairs = attrs.field(default=(), converter=as_tuple)
    extra: JsonPairs = attrs.field(default=(), converter=as_tuple, repr=False)
    nested_extra: tuple[tuple[str, str, str], ...] = attrs.field(default=(), converter=as_tuple, repr=False)
