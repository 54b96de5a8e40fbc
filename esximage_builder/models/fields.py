"""What the models share: converters, and one text for all that a value holds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs

from esximage_builder.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["JsonPairs", "as_tuple", "full_text"]

# JSON keys that this library does not know, each with its value as canonical JSON text.
JsonPairs = tuple[tuple[str, str], ...]


def as_tuple(items: Iterable[Any]) -> tuple[Any, ...]:
    """Return the items as a tuple; a lone string or bytes object is refused, as it is no list.

    Raises:
        ModelError: ``items`` is text, bytes or not iterable.
    """
    if type(items) is tuple:
        return items
    if isinstance(items, str | bytes):
        raise ModelError("a list was expected, not one text", found=repr(items)[:80])
    try:
        iterator = iter(items)
    except TypeError as error:
        raise ModelError("a list was expected", found=type(items).__name__) from error
    return tuple(iterator)


def full_text(value: object) -> str:
    """Return a text of all that a model holds, also of the fields that its ``repr`` leaves out.

    Two values of one class with one text are equal, so it puts values into an order, and
    names them, where ``repr`` would take two different ones for the same.
    """
    kind = type(value)
    if attrs.has(kind):
        return f"{kind.__name__}({','.join(full_text(getattr(value, field.name)) for field in attrs.fields(kind))})"
    if isinstance(value, tuple):
        return f"({','.join(map(full_text, value))})"
    return repr(value)
