"""The keys that a software spec can have, place by place, and other spellings of them.

Places are paths of keys from the top: ``("add_on",)``, ``("components", "Intel-i40en")``. Known are
the keys of the spec form, of the info form (``details``) and of all releases to 9.x; inside
``details`` nothing is looked at, and names of components, managers, solutions and alternative
images are free.

Source: docs/formats.md#software-spec (public vSphere API bindings).
"""

from __future__ import annotations

import difflib
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["known_keys", "nearest_key", "path_of", "pointer_of", "same_key"]

_PARTS = frozenset({"base_image", "add_on", "components", "hardware_support", "solutions", "removed_components"})
_ALTERNATIVE = _PARTS | {"display_name", "selection_criteria"}
_ANY = "*"

# The first row that fits counts; a row without keys is a map whose keys are names.
_PLACES: tuple[tuple[tuple[str, ...], frozenset[str] | None], ...] = (
    ((), _PARTS | {"alternative_images", "display_name"}),
    (("base_image",), frozenset({"version", "details"})),
    (("add_on",), frozenset({"name", "version", "details"})),
    (("components", _ANY), frozenset({"version", "details"})),
    (("hardware_support",), frozenset({"packages"})),
    (("hardware_support", "packages"), None),
    (("hardware_support", "packages", _ANY), frozenset({"pkg", "version", "details"})),
    (("hardware_support", _ANY), frozenset({"pkg", "version", "details"})),
    (("solutions", _ANY), frozenset({"version", "components", "details"})),
    (("solutions", _ANY, "components", _ANY), frozenset({"component", "details"})),
    (("alternative_images", _ANY), _ALTERNATIVE),
    (("selection_criteria",), frozenset({"selection_type", "host_uuids", "host_hardware_spec"})),
    (("selection_criteria", "host_hardware_spec"), frozenset({"vendor", "models", "families", "oem_strings"})),
)
_INSIDE_ALTERNATIVE = 2


def known_keys(path: tuple[str, ...]) -> frozenset[str] | None:
    """Return the keys that the object at a place can have; None for a map of names and for all else."""
    if path[:1] == ("alternative_images",) and len(path) > _INSIDE_ALTERNATIVE:
        return known_keys(path[_INSIDE_ALTERNATIVE:])
    return next((keys for pattern, keys in _PLACES if _fits(path, pattern)), None)


def _fits(path: tuple[str, ...], pattern: tuple[str, ...]) -> bool:
    return len(path) == len(pattern) and all(wanted in (_ANY, step) for step, wanted in zip(path, pattern, strict=True))


def same_key(key: str, known: Iterable[str]) -> str:
    """Return the known key that this one is another spelling of, by case, dashes or camel case; else nothing."""
    return next((name for name in sorted(known) if key != name and _letters(key) == _letters(name)), "")


def _letters(key: str) -> str:
    return re.sub(r"[\W_]", "", key).lower()


def nearest_key(key: str, known: Iterable[str]) -> str:
    """Return the known key that was probably meant; empty if none is near."""
    by_letters = {_letters(name): name for name in sorted(known)}
    near = difflib.get_close_matches(_letters(key), by_letters, n=1, cutoff=0.75)
    return by_letters[near[0]] if near else ""


def pointer_of(path: Iterable[str]) -> str:
    """Return a place as a JSON pointer (RFC 6901), ``/components/Acme~1foo``."""
    return "".join(f"/{step.replace('~', '~0').replace('/', '~1')}" for step in path)


def path_of(pointer: str) -> tuple[str, ...]:
    """Return the place of a JSON pointer."""
    return tuple(step.replace("~1", "/").replace("~0", "~") for step in pointer.split("/")[1:])
