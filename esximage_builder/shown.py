"""How values show: on one line wherever they are printed, as tables in a notebook.

A line names the class and the fields that say something. What a value holds many of is counted, and
what it holds is named by its id: an image is no place for the descriptors of a hundred VIBs.
"""

from __future__ import annotations

import datetime as dt
import enum
import importlib
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import attrs

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Cell", "Shown", "ShownAsPage", "one_line"]

Cell = str | int | float | bool | None
"""What stands in a cell of a row."""

_LINE = 200
"""Characters of a line, at most."""
_TEXT = 60
"""Characters of one text in it."""
_FEW = 3
"""Items of a collection that are shown and not counted."""
_NAMES = ("id", "code", "name")
"""What names a value that stands inside another."""


class Shown:
    """A value that prints on one line.

    A class whose first fields do not tell it says in ``_line`` which attributes do.
    """

    __slots__ = ()

    _line: ClassVar[tuple[str, ...]] = ()

    def __repr__(self) -> str:
        return one_line(self)


class ShownAsPage(Shown):
    """A value that a notebook shows as its report does: the same sections, without a script."""

    __slots__ = ()

    def _repr_html_(self) -> str:
        # By name, as the package's own doors do: pages stand on a higher floor and are loaded when one is wanted.
        page: str = importlib.import_module("esximage_builder.views.notebook").page_of(self)
        return page

    def rows(self) -> list[dict[str, Cell]]:
        """Return the value as plain rows for a table, one dict each, all with the same keys in the same order.

        ``pandas.DataFrame(value.rows())``, ``polars.DataFrame(value.rows())`` and ``great_tables`` take them as
        they are. The rows are what is listed in a report: of a catalog everything loaded, of an image its
        components, of a validation its findings, of a difference its changes, of compliance and plan what was
        compared or changes on each host, of hardware the devices, of a verification the questions.
        """
        rows: list[dict[str, Cell]] = importlib.import_module("esximage_builder.views.rows").rows_of(self)
        return rows


def one_line(value: object) -> str:
    """Return an attrs value as ``Class(field=…)``, at most 200 characters, without fields that are empty or default."""
    name = type(value).__name__
    line = ""
    for part in _parts(value):
        longer = f"{line}, {part}" if line else part
        if len(name) + len(longer) + len("(, …)") > _LINE:
            return f"{name}({line}, …)" if line else f"{name}(…)"
        line = longer
    return f"{name}({line})"


def _parts(value: object) -> Iterator[str]:
    for name, default in _told(value):
        found = getattr(value, name)
        is_empty = found is None or (isinstance(found, Collection) and not found)
        is_default = type(found) is type(default) and found == default
        if not is_empty and not is_default:
            yield f"{name}={_shown(found)}"


def _told(value: object) -> Iterator[tuple[str, object]]:
    """Yield the name of each attribute to tell of, and its default."""
    wanted: tuple[str, ...] = getattr(value, "_line", ())
    if wanted:
        yield from ((name, attrs.NOTHING) for name in wanted)
        return
    for field in _fields(value):
        yield field.name, field.default


def _shown(item: object) -> str:
    match item:
        case enum.Enum():
            text = f"{type(item).__name__}.{item.name}"
        case str():
            text = repr(item) if len(item) <= _TEXT else f"{item[: _TEXT - 1]!r}…"
        case bytes():
            text = f"<{len(item)} bytes>"
        case dt.datetime():
            text = item.isoformat()
        case Mapping() | Sequence() | frozenset():
            text = _collection(item)
        case Shown():
            text = _inner(item)
        case _:
            whole = " ".join(repr(item).split())
            text = whole if len(whole) <= _TEXT else f"<{type(item).__name__}>"
    return text


def _inner(value: Shown) -> str:
    """Return a value inside another one: whole if it is short, else its id, else its class."""
    whole = one_line(value) if all(map(_is_plain, _values(value))) else ""
    if whole and len(whole) <= _TEXT:
        return whole
    names = (getattr(value, name, "") for name in _NAMES)
    own = next((f" {name}" for name in names if isinstance(name, str) and name), "")
    return f"<{type(value).__name__}{own}>"


def _values(value: object) -> Iterator[object]:
    return (getattr(value, field.name) for field in _fields(value))


def _fields(value: object) -> Iterator[attrs.Attribute[Any]]:
    kind: Any = type(value)
    return (field for field in attrs.fields(kind) if field.repr and not field.name.startswith("_"))


def _is_plain(item: object) -> bool:
    """Tell whether it needs no look at what it holds itself."""
    return not isinstance(item, Shown) and not (isinstance(item, Collection) and not isinstance(item, str) and item)


def _collection(items: Collection[object]) -> str:
    texts = [_shown(item) for item in _in_order(items)] if len(items) <= _FEW else []
    if texts and all(not isinstance(item, Collection) or isinstance(item, str) for item in items):
        line = f"[{', '.join(texts)}]"
        if len(line) <= _TEXT:
            return line
    return f"<{len(items)}>"


def _in_order(items: Collection[object]) -> Collection[object]:
    return sorted(items, key=str) if isinstance(items, frozenset | set) else items
