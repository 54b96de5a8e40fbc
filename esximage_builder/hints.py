"""Whether a value is of the kind that an annotation says, as far as that can be seen without using the value.

Rules:

* Of the value's own code nothing is run but what lists a collection or names a path, and whatever that raises
  says that it is none. No ``==``, no ``hash``, no ``repr``: a value of ill will cannot speak for itself.
* A lone text is no list of texts, and neither are bytes.
* What an annotation leaves open (``object``, ``Any``, a type variable) takes everything.
* An iterator is taken as it is; ``watched`` looks at its items when they come.
* Names of an annotation that only type checkers import are looked up the first time that they are needed.
"""

from __future__ import annotations

import ast
import collections.abc
import contextlib
import functools
import operator
import os
import re
import sys
import textwrap
import types
import typing
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, TypeVar, Union, get_args, get_origin

from esximage_builder.errors import WrongTypeError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

__all__ = [
    "Fits",
    "Hint",
    "Value",
    "accepted_by_converter",
    "fits_of",
    "hints_of",
    "is_whole",
    "item_hint",
    "kind_of",
    "name_of",
    "watched",
]

Hint: TypeAlias = Any
"""A type as annotations have it."""

Value: TypeAlias = Any
"""What a stranger passed."""

Fits: TypeAlias = "Callable[[Value], bool]"
"""Whether a value is of the kind that a hint says."""

_TEXTS = (str, bytes, bytearray, memoryview)
_NUMBERS: dict[object, tuple[type, ...]] = {float: (float, int), complex: (complex, float, int)}


def hints_of(module_name: str, annotations: Mapping[str, Any]) -> dict[str, Any]:
    """Return annotations as types; ``object`` for those whose names cannot be found.

    Args:
        module_name: Of the module whose names the annotations use.
        annotations: By the name of what they are about.
    """
    names = _names_for_checkers(sys.modules[module_name])
    return {name: _resolved(text, names) for name, text in annotations.items()}


def _resolved(annotation: Hint, names: dict[str, Any]) -> Hint:
    try:
        return eval(annotation, names) if isinstance(annotation, str) else annotation  # noqa: S307 - our own text
    except NameError:
        return object


def _names_for_checkers(module: types.ModuleType) -> dict[str, Any]:
    """The names of a module, and what it imports below ``if TYPE_CHECKING``, where its source is at hand."""
    loader: Any = getattr(module.__spec__, "loader", None)
    source = loader.get_source(module.__name__) if hasattr(loader, "get_source") else None
    names = dict(vars(module))
    for block in _blocks_for_checkers(source or ""):
        for statement in ast.parse(textwrap.dedent(block)).body:
            # What only type checkers have, such as _typeshed, leaves the annotations open that name it.
            with contextlib.suppress(ModuleNotFoundError):
                exec(compile(ast.Module([statement], []), module.__name__, "exec"), names)  # noqa: S102 - our own text
    return names


def _blocks_for_checkers(source: str) -> Iterator[str]:
    """The bodies of ``if TYPE_CHECKING`` at the left margin; the rest of the module is not parsed."""
    lines = source.splitlines()
    for start, line in enumerate(lines):
        if line == "if TYPE_CHECKING:":
            end = next((at for at in range(start + 1, len(lines)) if lines[at][:1].strip()), len(lines))
            yield "\n".join(lines[start + 1 : end])


def fits_of(hint: Hint) -> Fits:
    """Return the question whether a value is of the kind that a type says."""
    if hint is None or hint is type(None):
        return lambda value: value is None
    origin, arguments = _taken_apart(hint)
    if origin is Union or origin is types.UnionType:
        return _any_of(arguments)
    if origin is Literal:
        return _instance_of(*{type(each) for each in arguments})
    if origin is typing.Annotated:
        return fits_of(arguments[0])
    if origin is not None:
        return _generic(origin, arguments)
    return _plain(hint)


def _taken_apart(hint: Hint) -> tuple[Hint, tuple[Hint, ...]]:
    """What a generic type is made of, such as ``tuple`` and its items; None and nothing for a plain one."""
    return get_origin(hint), get_args(hint)


def _iterable_of(item: Hint) -> Hint:
    return collections.abc.Iterable[item]


def _plain(hint: Hint) -> Fits:
    if not isinstance(hint, type) or hint is object:
        return lambda _: True
    if hint in (typing.IO, typing.BinaryIO, typing.TextIO):
        return lambda value: _has(value, "read")
    if getattr(hint, "_is_protocol", False):
        return _like(hint)
    if hint is Path:
        return _is_path
    return _instance_of(*_NUMBERS.get(hint, (hint,)))


def _generic(origin: type, arguments: tuple[Any, ...]) -> Fits:
    of_kind = _plain(origin)
    if issubclass(origin, tuple) and arguments[-1:] != (...,):
        return _fixed(origin, [fits_of(each) for each in arguments])
    if issubclass(origin, collections.abc.Mapping):
        return _mapping(of_kind, *(fits_of(each) for each in arguments))
    if issubclass(origin, collections.abc.Iterable) and not issubclass(origin, collections.abc.Iterator):
        return _items(of_kind, fits_of(arguments[0]))
    return of_kind


def _instance_of(*kinds: type) -> Fits:
    # Not isinstance(): it asks the value for its __class__.
    return lambda value: issubclass(type(value), kinds)


def _any_of(choices: tuple[Any, ...]) -> Fits:
    """Where a mapping or a list is taken, a mapping is held to be one, not the list of its keys."""
    all_fits = [fits_of(each) for each in choices]
    of_mappings = [fits_of(each) for each in choices if _is_mapping(get_origin(each))] or all_fits
    return lambda value: any(fits(value) for fits in (of_mappings if _is_mapping(type(value)) else all_fits))


def _is_mapping(kind: Hint) -> bool:
    return isinstance(kind, type) and issubclass(kind, collections.abc.Mapping)


def _fixed(origin: type, items: list[Fits]) -> Fits:
    def fits(value: Value) -> bool:
        return (
            issubclass(type(value), origin)
            and len(value) == len(items)
            and all(each(item) for each, item in zip(items, value, strict=True))
        )

    return fits


def _mapping(of_kind: Fits, key_fits: Fits, value_fits: Fits) -> Fits:
    def fits(value: Value) -> bool:
        return of_kind(value) and _all_fit(value, lambda key: key_fits(key) and value_fits(value[key]))

    return fits


def _items(of_kind: Fits, item_fits: Fits) -> Fits:
    def fits(value: Value) -> bool:
        if issubclass(type(value), _TEXTS) or not of_kind(value):
            return False
        return not issubclass(type(value), collections.abc.Collection) or _all_fit(value, item_fits)

    return fits


def _all_fit(items: Value, item_fits: Fits) -> bool:
    try:
        return all(map(item_fits, items))
    except Exception:  # noqa: BLE001 - the code of a stranger may raise anything; what cannot be listed is no list
        return False


def _is_path(value: Value) -> bool:
    if not issubclass(type(value), os.PathLike):
        return False
    try:
        return isinstance(os.fspath(value), str)
    except Exception:  # noqa: BLE001 - the code of a stranger may raise anything
        return False


def _like(protocol: type) -> Fits:
    """What a protocol asks for by name; its signatures are not looked at."""
    names = {
        name
        for kind in protocol.__mro__
        if getattr(kind, "_is_protocol", False) and kind not in (typing.Protocol, typing.Generic)
        for name in (*vars(kind), *vars(kind).get("__annotations__", ()))
        if not name.startswith("_") or name == "__call__"
    }
    return lambda value: all(_has(value, name) for name in names)


def _has(value: Value, name: str) -> bool:
    try:
        return callable(value) if name == "__call__" else hasattr(value, name)
    except Exception:  # noqa: BLE001 - the code of a stranger may raise anything
        return False


def item_hint(hint: Hint) -> Hint:
    """What the items of an iterable are, for a type that is one or has one among others; None where none is."""
    origin, arguments = _taken_apart(hint)
    if origin is Union or origin is types.UnionType:
        return next((found for each in arguments if (found := item_hint(each)) is not None), None)
    is_open = origin in (collections.abc.Iterable, collections.abc.Iterator)
    return arguments[0] if is_open and arguments[0] is not object and not isinstance(arguments[0], TypeVar) else None


def is_whole(hint: Hint) -> Fits:
    """What is one thing for a type, though it may be an iterator too, as an open file is one of lines."""
    origin, arguments = _taken_apart(hint)
    if origin is not Union and origin is not types.UnionType:
        return lambda _: False
    wholes = [fits_of(each) for each in arguments if item_hint(each) is None]
    return lambda value: any(fits(value) for fits in wholes)


def accepted_by_converter(hint: Hint) -> Hint:
    """What a field takes whose converter makes a tuple or set of any iterable: its items must fit."""
    origin, arguments = _taken_apart(hint)
    if origin is Union or origin is types.UnionType:
        return functools.reduce(operator.or_, map(accepted_by_converter, arguments))
    return _iterable_of(arguments[0]) if origin in (tuple, frozenset) else hint


def watched(items: Iterator[Any], hint: Hint, refuse: Callable[[Any], WrongTypeError]) -> Iterator[Any]:
    """Hand on the items of an iterator as they come, up to the first that is of another kind.

    Raises:
        WrongTypeError: What ``refuse`` makes of that item.
    """
    fits = fits_of(hint)
    for item in items:
        if not fits(item):
            raise refuse(item)
        yield item


def kind_of(value: Value) -> str:
    """Name the kind of a value, and of a few of its items; the value itself says nothing."""
    kind = type(value).__name__
    if issubclass(type(value), (list, tuple, set, frozenset, dict)) and value:
        return f"{kind} of {', '.join(sorted({type(item).__name__ for item in value})[:4])}"
    return kind


def name_of(hint: Hint) -> str:
    """A type as its annotation has it, without the modules that names are from."""
    text = hint.__name__ if isinstance(hint, type) and not get_args(hint) else str(hint)
    return re.sub(r"\b(?:\w+\.)+(\w+)", r"\1", text)
