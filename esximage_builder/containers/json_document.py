"""JSON in and out: release units, software specs, locks.

Input may have a UTF-8 or UTF-16 byte order mark, as PowerShell writes one. Output is
UTF-8 without, keys in the order given, two-space indent.
"""

from __future__ import annotations

import codecs
import json
import math
from typing import TYPE_CHECKING, Any

from esximage_builder.errors import InvalidFieldError, LimitExceededError, MalformedDocumentError
from esximage_builder.limits import require_few_parts

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "JsonObject",
    "canonical_json",
    "json_pairs",
    "parse_json",
    "parse_json_object",
    "pointer",
    "render_json",
    "value_of",
]

JsonObject = dict[str, Any]

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_MAX_DEPTH = 100  # real documents have 6 levels; Python's own bound depends on who calls


def parse_json_object(data: bytes, *, where: str, max_bytes: int) -> JsonObject:
    """Parse a document whose top is an object.

    Raises:
        LimitExceededError: Longer than ``max_bytes``.
        MalformedDocumentError: No JSON, or its top is no object.
    """
    document = parse_json(data, where=where, max_bytes=max_bytes)
    if not isinstance(document, dict):
        raise MalformedDocumentError(
            "the document is no JSON object", where=where, found=type(document).__name__, expected="an object, { ... }"
        )
    return document


def parse_json(data: bytes, *, where: str, max_bytes: int, expected: str = "a JSON object in UTF-8") -> object:
    """Parse a document; its top may be any value.

    Raises:
        LimitExceededError: Longer than ``max_bytes``.
        MalformedDocumentError: No JSON.
    """
    if len(data) > max_bytes:
        raise LimitExceededError(
            "the document is larger than the limit",
            where=where,
            found=f"{len(data)} bytes",
            expected=f"at most {max_bytes} bytes",
        )
    require_few_parts(data, max_bytes=max_bytes, where=where)
    encoding = next((name for mark, name in _MARKS if data.startswith(mark)), "utf-8")
    try:
        document: object = json.loads(
            data.decode(encoding), object_pairs_hook=_refuse_duplicates, parse_constant=_refuse_constant
        )
        _require_writable(document)
    except (ValueError, RecursionError) as error:
        line = getattr(error, "lineno", None)
        raise MalformedDocumentError(
            f"this is no JSON: {error}",
            where=where if line is None else f"{where}:{line}",
            found=repr(data[:40]),
            expected=expected,
            hint="check the file in an editor; commas after the last item and comments are not allowed",
        ) from error
    return document


def _refuse_duplicates(pairs: list[tuple[str, Any]]) -> JsonObject:
    document: JsonObject = {}
    for name, value in pairs:
        if name in document:
            raise ValueError(f"the key {name!r} occurs twice in one object")
        document[name] = value
    return document


def _refuse_constant(name: str) -> float:
    raise ValueError(f"{name} is no JSON value")


def _require_writable(document: object) -> None:
    """Refuse what Python reads but no JSON document can hold, and what is nested too deeply.

    Raises:
        ValueError: A number without bounds, half of a surrogate pair, too many levels.
    """
    level: list[object] = [document]
    for _ in range(_MAX_DEPTH):
        below: list[object] = []
        for value in level:
            if isinstance(value, dict):
                below += [*value, *value.values()]
            elif isinstance(value, list):
                below += value
            elif isinstance(value, str):
                value.encode()
            elif isinstance(value, float) and not math.isfinite(value):
                raise ValueError("a number is too large")
        if not below:
            return
        level = below
    raise ValueError(f"values are nested more than {_MAX_DEPTH} levels deep")


def pointer(where: str, *keys: str | int) -> str:
    """Return the place of a value: ``image.json#/add_on/version`` (RFC 6901 after the ``#``)."""
    steps = [str(key).replace("~", "~0").replace("/", "~1") for key in keys]
    base = where if "#" in where else f"{where}#"
    return base + "".join(f"/{step}" for step in steps)


def value_of(value: object, kind: type | tuple[type, ...], *, where: str, expected: str) -> Any:  # noqa: ANN401 - as asked for
    """Return ``value`` if it is of that kind.

    Raises:
        InvalidFieldError: It is of another; booleans are no numbers.
    """
    if isinstance(value, kind) and not (isinstance(value, bool) and kind is not bool):
        return value
    raise InvalidFieldError(
        "a value has the wrong type", where=where, found=f"{type(value).__name__} {value!r}"[:120], expected=expected
    )


def canonical_json(value: object) -> str:
    """Return one spelling for equal values: sorted keys, no blanks."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def json_pairs(document: Mapping[str, object], known: frozenset[str]) -> tuple[tuple[str, str], ...]:
    """Return the entries whose key is not known, each value as canonical JSON."""
    return tuple((key, canonical_json(value)) for key, value in document.items() if key not in known)


def render_json(document: object) -> bytes:
    """Return the document in UTF-8 without byte order mark, with a final line end."""
    return (json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False) + "\n").encode()
