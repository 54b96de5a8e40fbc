"""What callers pass, held to what the signatures say: the one door for wrong types.

Every public function, and ``__init__`` and the methods of every public class, refuse a wrong type with a
``WrongTypeError`` that names the argument, before any of their own code runs. The doors of the package
(``lazy_names``) guard the names of each module when the first of them is asked for. Calls from inside the house
are let through: type checkers have seen them, and reading a depot makes thousands of values. Whether a text
or number makes sense is for the function to say.
"""

from __future__ import annotations

import collections.abc
import enum
import functools
import importlib
import sys
import threading
import types
from typing import TYPE_CHECKING, Any, NamedTuple, final
from weakref import WeakKeyDictionary

from esximage_builder.errors import ModelError, WrongTypeError
from esximage_builder.hints import (
    accepted_by_converter,
    fits_of,
    hints_of,
    is_whole,
    item_hint,
    kind_of,
    name_of,
    watched,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from esximage_builder.hints import Fits, Hint, Value

__all__ = ["guard_loaded", "unguarded"]

_LOCK = threading.RLock()
_DONE: WeakKeyDictionary[types.ModuleType, set[str]] = WeakKeyDictionary()
"""The names of each module that are guarded."""
_MARK = "__guarded__"
_HOUSE = f"{__name__.partition('.')[0]}."
_MAKING = ("__init__", "__new__")
_SPECIAL = (*_MAKING, "__call__", "__contains__", "__getitem__")
_CATALOG_IN_WORDS = ("Catalog | HasCatalog", "an opened depot, or its catalog")
_TAKES_MORE = 0x04  # of co_flags: there is a parameter such as *args


def guard_loaded(root: str, homes: Mapping[str, Iterable[str]]) -> None:
    """Guard all public names of the modules that are loaded; those that are guarded stay as they are.

    Args:
        root: The package, which the homes are below.
        homes: Names by the module that they come from.
    """
    with _LOCK:
        for home, names in homes.items():
            module = sys.modules.get(f"{root}.{home}")
            if module is None:
                continue
            done = _DONE.setdefault(module, set())
            for name in set(names) - done:
                _guard(module, name, root)
                done.add(name)


def _guard(module: types.ModuleType, name: str, root: str) -> None:
    found = vars(module).get(name)
    if isinstance(found, types.FunctionType) and not hasattr(found, _MARK):
        setattr(module, name, _guarded(found, found.__qualname__, found.__annotations__))
        # Who has bound the function itself before may still pickle it.
        found.__module__, found.__qualname__ = __name__, f"unguarded.{module.__name__.replace('.', '/')}/{name}"
    elif isinstance(found, type) and found.__module__.startswith(f"{root}."):
        if issubclass(found, enum.Enum):
            _guard_enum(found)
        for kind in found.__mro__:
            if kind.__module__.startswith(f"{root}.") and not issubclass(kind, enum.Enum):
                _guard_class(kind)


@final
class _Unguarded:
    """Where a function is found that was bound before it was guarded, in this process and in others."""

    def __getattr__(self, place: str) -> Callable[..., Value]:
        home, _, name = place.rpartition("/")
        if not home:
            raise AttributeError(place)
        found: Any = getattr(importlib.import_module(home.replace("/", ".")), name)
        function: Callable[..., Value] = getattr(found, "__wrapped__", found)
        return function


unguarded = _Unguarded()


def _guard_class(kind: type) -> None:
    if getattr(kind, "_is_protocol", False):
        return
    for name, member in list(vars(kind).items()):
        owner = kind.__qualname__ if name in _MAKING else f"{kind.__qualname__}.{name}"
        if name.startswith("_") and name not in _SPECIAL:
            continue
        function = getattr(member, "__func__", member)
        if isinstance(function, types.FunctionType) and not hasattr(function, _MARK):
            annotations = _field_annotations(kind) if name == "__init__" else {}
            guarded = _guarded(function, owner, function.__annotations__ | annotations)
            setattr(kind, name, guarded if function is member else type(member)(guarded))


def _field_annotations(kind: type) -> dict[str, _Converted]:
    """The fields of an attrs class whose converter takes any iterable, by the name of their argument."""
    init: Any = vars(kind)["__init__"]
    return {
        field.alias: _Converted(field.type)
        for field in getattr(kind, "__attrs_attrs__", ())
        if field.converter is not None and "Iterable[Any]" in str(init.__annotations__.get(field.alias))
    }


def _guard_enum(kind: type[enum.Enum]) -> None:
    """Looking up a member by its value is a call too; the error stays a ``ValueError``."""
    look_up = kind.__new__
    if hasattr(look_up, _MARK):
        return

    def member(cls: type[enum.Enum], value: Value) -> enum.Enum:
        if not issubclass(type(value), (str, int, kind)):
            raise WrongTypeError(
                f"no {kind.__name__} is named by such a value", found=kind_of(value), expected="the value of a member"
            )
        try:
            found: enum.Enum = look_up(cls, value)
        except ValueError as error:
            values = ", ".join(str(each.value) for each in kind)
            raise ModelError(f"no {kind.__name__} has this value", found=repr(value)[:80], expected=values) from error
        return found

    setattr(member, _MARK, True)
    kind.__new__ = member  # type: ignore[method-assign,assignment]


def _guarded(function: types.FunctionType, owner: str, annotations: Mapping[str, Any]) -> Callable[..., Any]:
    guard = _Guard(function, owner, annotations)

    @functools.wraps(function)
    def call(*args: Value, **kwargs: Value) -> Value:
        if sys._getframe(1).f_globals.get("__name__", "").startswith(_HOUSE):  # noqa: SLF001 - who calls is asked
            return function(*args, **kwargs)
        given = [guard.taken(guard.at(place), value) for place, value in enumerate(args)]
        named = {name: guard.taken(guard.by_name.get(name), value) for name, value in kwargs.items()}
        return function(*given, **named)

    setattr(call, _MARK, True)
    return call


@final
class _Guard:
    """Knows what one function takes; it looks up the types when it is first called."""

    def __init__(self, function: types.FunctionType, owner: str, annotations: Mapping[str, Any]) -> None:
        self._code = function.__code__
        self._module = function.__module__
        self._owner = owner
        self._annotations = annotations

    @functools.cached_property
    def by_name(self) -> dict[str, _Parameter]:
        """What is known of each parameter, as far as its type says anything."""
        texts = {name: text for name, text in self._annotations.items() if name != "return"}
        fields = {name: text.kind for name, text in texts.items() if isinstance(text, _Converted)}
        hints = hints_of(self._module, texts | fields)
        hints |= {name: accepted_by_converter(hints[name]) for name in fields}
        return {
            name: _Parameter(name, fits_of(hint), item_hint(hint), is_whole(hint), hint) for name, hint in hints.items()
        }

    def at(self, place: int) -> _Parameter | None:
        """The parameter that takes the positional argument at a place; one of ``*args`` takes all that follow."""
        count = self._code.co_argcount
        if place < count:
            return self.by_name.get(self._code.co_varnames[place])
        takes_more = self._code.co_flags & _TAKES_MORE
        return self.by_name.get(self._code.co_varnames[count + self._code.co_kwonlyargcount]) if takes_more else None

    def taken(self, parameter: _Parameter | None, value: Value) -> Value:
        """Return the value as it is handed on.

        Raises:
            WrongTypeError: It is of another kind than the parameter takes.
        """
        if parameter is None:
            return value
        if not parameter.fits(value):
            raise self._refusal(parameter, value)
        if parameter.items is None or not issubclass(type(value), collections.abc.Iterator):
            return value
        if parameter.is_whole(value):
            return value
        return watched(value, parameter.items, lambda item: self._refusal(parameter, item))

    def _refusal(self, parameter: _Parameter, value: Value) -> WrongTypeError:
        return WrongTypeError(
            f"{self._owner}() was given a wrong type for {parameter.name!r}",
            found=kind_of(value),
            expected=name_of(parameter.hint).replace(*_CATALOG_IN_WORDS),
        )


class _Parameter(NamedTuple):
    """One argument that a function takes."""

    name: str
    fits: Fits
    items: Hint
    is_whole: Fits
    hint: Hint


class _Converted(NamedTuple):
    """The type of a field whose converter takes any iterable."""

    kind: Hint
