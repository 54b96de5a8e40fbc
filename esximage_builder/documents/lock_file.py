"""The lock file, both ways and lossless: JSON of our own.

Keys are those of ``Lock``, with ``reserved`` for ``is_reserved``; unknown ones are kept. Only
components that were made of loose VIBs have ``made_of`` and ``bulletin``.
See docs/reproducible.md#the-lock-file.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from esximage_builder.containers.json_document import (
    JsonObject,
    json_pairs,
    parse_json_object,
    pointer,
    render_json,
    value_of,
)
from esximage_builder.documents.software_spec import parse_software_spec, render_software_spec
from esximage_builder.errors import InvalidFieldError, VersionSyntaxError
from esximage_builder.models.lock import LOCK_VERSION, STORED, Lock, LockedComponent, LockedVib
from esximage_builder.versions import BaseImageVersion
from esximage_builder.vocabulary import ComponentSource

if TYPE_CHECKING:
    from esximage_builder.models.spec import SoftwareSpec

__all__ = ["parse_lock", "render_lock"]

_KNOWN = frozenset(
    {"lock_version", "name", "digest", "compression", "spec", "profile", "base_image", "components", "vibs"}
)
_KNOWN_OF_COMPONENT = frozenset({"name", "version", "source", "reserved", "made_of", "bulletin"})
_KNOWN_OF_VIB = frozenset({"id", "sha256", "size_bytes", "sources", "reserved"})
_SHA256 = re.compile(r"[0-9a-f]{64}")
_MAX_BYTES = 64 * 1024 * 1024


def parse_lock(data: bytes, *, where: str, max_bytes: int = _MAX_BYTES) -> Lock:
    """Read a lock.

    Raises:
        MalformedDocumentError: No JSON object.
        InvalidFieldError: A key is missing or wrong; ``where`` ends in a JSON pointer.
        LimitExceededError: Longer than ``max_bytes``.
    """
    document = parse_json_object(data, where=where, max_bytes=max_bytes)
    _require_version(document, where)
    spec = document.get("spec")
    place = pointer(where, "spec")
    if spec is not None:
        value_of(spec, dict, where=place, expected="a software spec or null")
    profile = _text(document, "profile", where, default="")
    if (spec is None) == (not profile):
        raise InvalidFieldError(
            "a lock has a spec or the name of a profile", where=place, expected="exactly one of spec and profile"
        )
    return Lock(
        name=_text(document, "name", where),
        digest=_sha256(document, "digest", where),
        spec=None if spec is None else _spec(spec, place),
        profile=profile,
        base_image=_base_image(document, where),
        components=[_component(item, place) for item, place in _items(document, "components", where)],
        vibs=_vibs(document, where),
        compression=_text(document, "compression", where, default=STORED),
        extra=json_pairs(document, _KNOWN),
    )


def _require_version(document: JsonObject, where: str) -> None:
    version = document.get("lock_version")
    if version != LOCK_VERSION or isinstance(version, bool):
        raise InvalidFieldError(
            "this is no lock file, or one of another version",
            where=pointer(where, "lock_version"),
            found="no such key" if "lock_version" not in document else f"{version!r}"[:40],
            expected=str(LOCK_VERSION),
            hint="make a lock with esximage build --lock; a later release of the library may read this one",
        )


def _text(document: JsonObject, key: str, where: str, *, default: str | None = None) -> str:
    value = document.get(key)
    if value is None and default is not None:
        return default
    place = pointer(where, key)
    text: str = value_of(value, str, where=place, expected="a text")
    if not text and default is None:
        raise InvalidFieldError(f"{key} is empty", where=place, found='""', expected="a text that is not empty")
    return text


def _sha256(document: JsonObject, key: str, where: str) -> str:
    text = _text(document, key, where)
    if _SHA256.fullmatch(text) is None:
        raise InvalidFieldError(
            f"{key} is no SHA-256 digest",
            where=pointer(where, key),
            found=repr(text[:80]),
            expected="64 lower-case hexadecimal digits",
        )
    return text


def _spec(spec: JsonObject, where: str) -> SoftwareSpec:
    data = json.dumps(spec, ensure_ascii=False).encode()
    return parse_software_spec(data, where=where, max_bytes=len(data))


def _base_image(document: JsonObject, where: str) -> BaseImageVersion | None:
    text = _text(document, "base_image", where, default="")
    try:
        return BaseImageVersion(text) if text else None
    except VersionSyntaxError as error:
        raise InvalidFieldError(
            error.message, where=pointer(where, "base_image"), found=error.found, expected=error.expected
        ) from error


def _items(document: JsonObject, key: str, where: str) -> list[tuple[JsonObject, str]]:
    """Return the objects of a list, each with its place."""
    listed = value_of(document.get(key), list, where=pointer(where, key), expected="a list")
    places = [pointer(where, key, index) for index in range(len(listed))]
    return [
        (value_of(item, dict, where=place, expected="an object"), place)
        for item, place in zip(listed, places, strict=True)
    ]


def _flag(item: JsonObject, key: str, where: str) -> bool:
    value = item.get(key)
    flag: bool = value_of(False if value is None else value, bool, where=pointer(where, key), expected="true or false")
    return flag


def _component(item: JsonObject, where: str) -> LockedComponent:
    return LockedComponent(
        name=_text(item, "name", where),
        version=_text(item, "version", where),
        source=_source(item, where),
        is_reserved=_flag(item, "reserved", where),
        made_of=_texts(item, "made_of", where, expected="a VIB id"),
        bulletin=_text(item, "bulletin", where, default=""),
        extra=json_pairs(item, _KNOWN_OF_COMPONENT),
    )


def _source(item: JsonObject, where: str) -> ComponentSource | None:
    text = _text(item, "source", where, default="")
    if not text:
        return None
    try:
        return ComponentSource(text)
    except ValueError:
        raise InvalidFieldError(
            "nobody of this name brings components",
            where=pointer(where, "source"),
            found=repr(text[:80]),
            expected=", ".join(ComponentSource),
        ) from None


def _vibs(document: JsonObject, where: str) -> list[LockedVib]:
    vibs: dict[str, LockedVib] = {}
    for item, place in _items(document, "vibs", where):
        vib = _vib(item, place)
        if vib.id in vibs:
            raise InvalidFieldError("a VIB stands in the lock twice", where=pointer(place, "id"), found=vib.id)
        vibs[vib.id] = vib
    return list(vibs.values())


def _vib(item: JsonObject, where: str) -> LockedVib:
    size = value_of(item.get("size_bytes"), int, where=pointer(where, "size_bytes"), expected="a number of bytes")
    if size < 0:
        raise InvalidFieldError(
            "a size is negative", where=pointer(where, "size_bytes"), found=str(size)[:40], expected="a number of bytes"
        )
    return LockedVib(
        id=_text(item, "id", where),
        sha256=_sha256(item, "sha256", where),
        size_bytes=size,
        sources=_texts(item, "sources", where, expected="a file name"),
        is_reserved=_flag(item, "reserved", where),
        extra=json_pairs(item, _KNOWN_OF_VIB),
    )


def _texts(item: JsonObject, key: str, where: str, *, expected: str) -> tuple[str, ...]:
    """Return a list of texts, empty where the key is missing."""
    given = item.get(key)
    listed = value_of([] if given is None else given, list, where=pointer(where, key), expected=f"a list: {expected}")
    return tuple(
        value_of(text, str, where=pointer(where, key, index), expected=expected) for index, text in enumerate(listed)
    )


def render_lock(lock: Lock) -> bytes:
    """Write a lock: UTF-8, two-space indent, the same bytes for equal locks."""
    document: JsonObject = {
        "lock_version": lock.lock_version,
        "name": lock.name,
        "digest": lock.digest,
        "compression": lock.compression,
        "spec": None if lock.spec is None else json.loads(render_software_spec(lock.spec)),
        "profile": lock.profile or None,
        "base_image": None if lock.base_image is None else lock.base_image.text,
        "components": [_render_component(component) for component in lock.components],
        "vibs": [_render_vib(vib) for vib in lock.vibs],
    }
    return render_json(document | _unknown(lock.extra))


def _render_component(component: LockedComponent) -> JsonObject:
    document: JsonObject = {
        "name": component.name,
        "version": component.version,
        "source": None if component.source is None else component.source.value,
        "reserved": component.is_reserved,
    }
    if component.made_of:
        document |= {"made_of": list(component.made_of), "bulletin": component.bulletin or None}
    return document | _unknown(component.extra)


def _render_vib(vib: LockedVib) -> JsonObject:
    return {
        "id": vib.id,
        "sha256": vib.sha256,
        "size_bytes": vib.size_bytes,
        "sources": list(vib.sources),
        "reserved": vib.is_reserved,
    } | _unknown(vib.extra)


def _unknown(extra: tuple[tuple[str, str], ...]) -> dict[str, Any]:
    return {key: json.loads(text) for key, text in extra}
