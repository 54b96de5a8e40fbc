"""The software spec: what the user wants, as vLCM exports and imports it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, final

import attrs

from esximage_builder.errors import ModelError
from esximage_builder.models.fields import JsonPairs, as_tuple
from esximage_builder.models.spec_keys import known_keys, path_of
from esximage_builder.shown import Shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from esximage_builder.versions import AddOnVersion, ComponentVersion

__all__ = ["AddOnReference", "AlternativeImage", "HardwareSupportReference", "SoftwareSpec", "SolutionReference"]


@final
@attrs.frozen(repr=False)
class AddOnReference(Shown):
    """An add-on by name and version; both are required."""

    name: str
    version: AddOnVersion

    def __str__(self) -> str:
        return f"{self.name}:{self.version}"


@final
@attrs.frozen(kw_only=True, repr=False)
class HardwareSupportReference(Shown):
    """A hardware support package [hardware_support.packages.*].

    Attributes:
        manager: The hardware support manager, the key of the map.
        package: Package name [pkg].
        version: Package version; empty leaves it open.
        extra: JSON keys this library does not know.
    """

    manager: str
    package: str
    version: str = ""
    extra: JsonPairs = attrs.field(default=(), converter=as_tuple, repr=False)


@final
@attrs.frozen(kw_only=True, repr=False)
class SolutionReference(Shown):
    """A solution with the components it wants [solutions.*].

    Attributes:
        name: The key of the map.
        version: Empty leaves it open.
        components: Names of those of its components that are wanted; empty takes all.
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
@attrs.frozen(kw_only=True, repr=False)
class SoftwareSpec(Shown):
    """A desired image. A missing key and ``null`` mean the same.

    Attributes:
        base_image: Version text, or an alias such as ``7.0U3g`` that the catalog resolves.
        add_on: None for none.
        components: Pairs of name and version, sorted by name; a version of None means
            the highest loaded one that fits.
        removed_components: Names, sorted.
        hardware_support: Sorted by manager.
        solutions: Sorted by name.
        alternative_images: Images for some of the hosts, by their ids (9.0 and later).
        extra: Top-level JSON keys beside those above, each with its value.
        nested_extra: Such keys inside known objects: the object's JSON pointer, the key, the
            value as canonical JSON text.
    """

    base_image: str
    add_on: AddOnReference | None = None
    components: tuple[tuple[str, ComponentVersion | None], ...] = attrs.field(default=(), converter=_by_first)
    removed_components: tuple[str, ...] = attrs.field(default=(), converter=_sorted_names)
    hardware_support: tuple[HardwareSupportReference, ...] = attrs.field(default=(), converter=as_tuple)
    solutions: tuple[SolutionReference, ...] = attrs.field(default=(), converter=as_tuple)
    alternative_images: tuple[AlternativeImage, ...] = attrs.field(default=(), converter=as_tuple)
    extra: JsonPairs = attrs.field(default=(), converter=as_tuple, repr=False)
    nested_extra: tuple[tuple[str, str, str], ...] = attrs.field(default=(), converter=as_tuple, repr=False)

    @property
    def unknown_keys(self) -> tuple[tuple[str, ...], ...]:
        """Places of all JSON keys that no release of vLCM is known to have, each a path of keys from the top."""
        return tuple(path for path in self._extra_keys() if path[-1] not in (known_keys(path[:-1]) or ()))

    def _extra_keys(self) -> Iterator[tuple[str, ...]]:
        yield from ((key,) for key, _ in self.extra)
        yield from ((*path_of(place), key) for place, key, _ in self.nested_extra)
        for package in self.hardware_support:
            yield from (("hardware_support", "packages", package.manager, key) for key, _ in package.extra)
        for solution in self.solutions:
            yield from (("solutions", solution.name, key) for key, _ in solution.extra)
        for alternative in self.alternative_images:
            yield from (("alternative_images", alternative.id, *path) for path in alternative._extra_keys())  # noqa: SLF001 - same module


def _json_object(text: str) -> dict[str, object]:
    try:
        found = json.loads(text)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise ModelError("selection criteria are a JSON object, as text", found=repr(text)[:80], expected="{...}")
    return found


def _require_json_object(_: object, __: object, text: str) -> None:
    _json_object(text or "{}")


@final
@attrs.frozen(kw_only=True, repr=False)
class AlternativeImage(Shown):
    """An image that some hosts of a cluster get in place of the main one [alternative_images.*].

    Attributes:
        id: The key of the map.
        spec: The whole image; of the hosts' main image it takes nothing.
        display_name: For people.
        selection_criteria: Which hosts get it, as canonical JSON text: ``selection_type`` with ``host_uuids``
            or ``host_hardware_spec``; empty if not stated.
    """

    id: str
    spec: SoftwareSpec
    display_name: str = ""
    selection_criteria: str = attrs.field(default="", validator=_require_json_object)

    def _extra_keys(self) -> Iterator[tuple[str, ...]]:
        yield from self.spec._extra_keys()  # noqa: SLF001 - same module
        criteria = _json_object(self.selection_criteria or "{}")
        yield from (("selection_criteria", key) for key in criteria)
        hardware = criteria.get("host_hardware_spec")
        if isinstance(hardware, dict):
            yield from (("selection_criteria", "host_hardware_spec", key) for key in hardware)
