"""Converters that the models share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from esximage_builder.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["JsonPairs", "as_tuple"]

# JSON keys that this library does not know, each with its value as canonical JSON text.
JsonPairs = tuple[tuple[str, str], ...]


def as_tuple(items: Iterable[Any]) -> tuple[Any, ...]:
    """Return the items as a tuple; a lone string or bytes object is refused, as it is no list.

    Raises:
        ModelError: ``items`` is text, bytes or not iterable.
    """
    if isinstance(items, str | bytes):
        raise ModelError("a list was expected, not one text", found=repr(items)[:80])
    try:
        return tuple(items)
    except TypeError as error:
        raise ModelError("a list was expected", found=repr(items)[:80]) from error
