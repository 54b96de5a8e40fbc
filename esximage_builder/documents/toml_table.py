"""Tables of TOML documents that people write: every key is known or refused, every value of its kind."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, final

from esximage_builder.errors import InvalidFieldError
from esximage_builder.models.near_names import did_you_mean, near_names

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["TomlTable"]


@final
class TomlTable:
    """A table, asked key by key; what it has besides is refused at once.

    Args:
        values: What the document says.
        where: How to name the table in errors.
        known: All keys that it may have.
        noun: How to call the document in errors: ``the description``.

    Raises:
        InvalidFieldError: It has another key.
    """

    def __init__(self, values: Mapping[str, Any], where: str, *, known: tuple[str, ...], noun: str) -> None:
        self._values = values
        self._noun = noun
        self.where = where
        for key in values:
            if key not in known:
                near = did_you_mean(near_names(key, known))
                raise InvalidFieldError(
                    f"{noun} has an unknown key",
                    where=where,
                    found=repr(key)[:120],
                    expected=", ".join(known),
                    hint=near or "leave it out: nothing would come of it",
                )

    def __contains__(self, key: str) -> bool:
        return key in self._values

    def value(self, key: str, kind: type | tuple[type, ...], words: str) -> Any:  # noqa: ANN401 - what TOML holds
        """Return a value of a type; a flag is no number, whatever Python says."""
        found = self._values[key]
        if not isinstance(found, kind) or (isinstance(found, bool) and kind is int):
            raise self.wrong(key, found, words)
        return found

    def wrong(self, key: str, found: object, words: str) -> InvalidFieldError:
        """Return the error for a value that cannot be meant."""
        return InvalidFieldError(
            f"{key} has an impossible value", where=self.where, found=repr(found)[:120], expected=words
        )

    def text(self, key: str, default: str | None = None) -> str:
        """Return a text, without blanks at its ends; without default it is required."""
        if key not in self._values:
            if default is None:
                raise InvalidFieldError(f"{self._noun} has no {key}", where=self.where, expected=f'{key} = "..."')
            return default
        text: str = self.value(key, str, "a text in double quotes")
        return text.strip()

    def flag(self, key: str, *, default: bool = False) -> bool:
        """Return a truth value."""
        return bool(self.value(key, bool, "true or false")) if key in self._values else default

    def number(self, key: str) -> int | None:
        """Return a whole number, None without one."""
        return None if key not in self._values else int(self.value(key, int, "a whole number"))

    def items(self, key: str) -> list[Any]:
        """Return a list, empty without one."""
        return list(self.value(key, list, "a list in square brackets")) if key in self._values else []

    def texts(self, key: str) -> list[str]:
        """Return a list of texts, empty without one."""
        items = self.items(key)
        for item in items:
            if not isinstance(item, str):
                raise self.wrong(key, item, "a list of texts")
        return items

    def pairs(self, key: str) -> list[tuple[str, Any]]:
        """Return the keys and values of a table inside this one, empty without one."""
        return list(self.value(key, dict, f"a table [{key}]").items()) if key in self._values else []

    def tables(self, key: str) -> list[tuple[int, Mapping[str, Any]]]:
        """Return a list of tables with their numbers from 1, empty without one."""
        items = self.items(key)
        for item in items:
            if not isinstance(item, dict):
                raise self.wrong(key, item, f"tables [[{key}]]")
        return list(enumerate(items, start=1))
