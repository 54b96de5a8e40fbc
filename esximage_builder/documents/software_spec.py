"""The software spec in vLCM's JSON form, both ways and lossless.

Both the spec form and the info form of the API (each part with ``details``) are read; the
spec form is written, absent sections as explicit ``null``, as vLCM's own exports have it. In
alternative images absent sections stay away.

A key in another spelling than vLCM's (``addOn``) is refused: whoever wrote it meant something,
and it would be lost. Keys that are no spelling of a known one are kept where they stood.

Source: docs/formats.md#software-spec (public vSphere API bindings).
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from esximage_builder.containers.json_document import (
    JsonObject,
    canonical_json,
    json_pairs,
    parse_json_object,
    pointer,
    render_json,
    value_of,
)
from esximage_builder.errors import InvalidFieldError, MalformedDocumentError, VersionSyntaxError
from esximage_builder.models.spec import (
    AddOnReference,
    AlternativeImage,
    HardwareSupportReference,
    SoftwareSpec,
    SolutionReference,
)
from esximage_builder.models.spec_keys import known_keys, path_of, pointer_of, same_key
from esximage_builder.versions import AddOnVersion, ComponentVersion

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["parse_software_spec", "render_software_spec"]

_SECTIONS = frozenset(
    {"base_image", "add_on", "components", "hardware_support", "solutions", "removed_components", "alternative_images"}
)
_OF_ALTERNATIVES = _SECTIONS - {"alternative_images"} | {"display_name", "selection_criteria"}
_MAX_BYTES = 16 * 1024 * 1024


def parse_software_spec(data: bytes, *, where: str, max_bytes: int = _MAX_BYTES) -> SoftwareSpec:
    """Read a spec; a missing key and ``null`` mean the same, a byte order mark is skipped.

    Raises:
        MalformedDocumentError: No JSON object, or a key in another spelling than vLCM's; ``where``
            then ends in its JSON pointer.
        InvalidFieldError: A key has the wrong type or is missing; ``where`` ends in a JSON pointer.
        LimitExceededError: Longer than ``max_bytes``.
    """
    document = parse_json_object(data, where=where, max_bytes=max_bytes)
    _require_spelling(document, (), where)
    alternatives = _object(document, "alternative_images", where) or {}
    return _spec(
        document,
        where,
        modelled=_SECTIONS,
        alternative_images=[
            _alternative(name, image, pointer(where, "alternative_images", name))
            for name, image in sorted(alternatives.items())
        ],
    )


def _require_spelling(value: object, path: tuple[str, ...], where: str) -> None:
    """Refuse known keys in another spelling, at all places whose keys are known."""
    if isinstance(value, list):
        value = {str(index): item for index, item in enumerate(value)}
    if not isinstance(value, dict):
        return
    known = known_keys(path) or ()
    for key, inside in value.items():
        meant = "" if key in known else same_key(key, known)
        if meant:
            raise MalformedDocumentError(
                f"{key} is not how vLCM spells this key",
                where=pointer(where, *path, key),
                found=repr(key),
                expected=repr(meant),
                hint=f"did you mean {meant}?",
            )
        _require_spelling(inside, (*path, key), where)


def _spec(
    document: JsonObject,
    where: str,
    *,
    modelled: frozenset[str],
    alternative_images: Iterable[AlternativeImage] = (),
) -> SoftwareSpec:
    """Return an image as the main one and the alternative ones state it."""
    return SoftwareSpec(
        base_image=_base_image(document, where),
        add_on=_add_on(document, where),
        components=_components(document, where),
        removed_components=_removed(document, where),
        hardware_support=_hardware_support(document, where),
        solutions=_solutions(document, where),
        alternative_images=alternative_images,
        extra=json_pairs(document, modelled),
        nested_extra=tuple(_nested_extra(document)),
    )


def _base_image(document: JsonObject, where: str) -> str:
    base = _object(document, "base_image", where)
    if base is None:
        raise InvalidFieldError(
            "the spec names no base image",
            where=pointer(where, "base_image"),
            found="null" if "base_image" in document else "no such key",
            expected='{"version": "8.0.3-0.70.24674464"}',
            hint="every image starts from a base image; add the key",
        )
    return _text(base, "version", pointer(where, "base_image"))


def _alternative(name: str, value: object, where: str) -> AlternativeImage:
    image: JsonObject = value_of(value, dict, where=where, expected="an image with base_image and selection_criteria")
    criteria = _object(image, "selection_criteria", where)
    return AlternativeImage(
        id=name,
        spec=_spec(image, where, modelled=_OF_ALTERNATIVES),
        display_name=_text(image, "display_name", where, default=""),
        selection_criteria="" if criteria is None else canonical_json(criteria),
    )


def _nested_extra(document: JsonObject) -> Iterator[tuple[str, str, str]]:
    """Yield what stands in known objects beside the known keys; ``details`` of the info form are dropped."""
    for path, value in _known_objects(document):
        if isinstance(value, dict):
            for key, text in json_pairs(value, known_keys(path) or frozenset()):
                yield pointer_of(path), key, text


def _known_objects(document: JsonObject) -> Iterator[tuple[tuple[str, ...], object]]:
    """Yield the objects whose keys beside the known ones have no other place in the model."""
    yield ("base_image",), document.get("base_image")
    yield ("add_on",), document.get("add_on")
    support = document.get("hardware_support")
    if isinstance(support, dict) and isinstance(support.get("packages"), dict):
        yield ("hardware_support",), support
    for name, value in sorted((document.get("components") or {}).items()):
        yield ("components", name), value
    for name, solution in sorted((document.get("solutions") or {}).items()):
        for index, item in enumerate(solution.get("components") or ()):
            yield ("solutions", name, "components", str(index)), item


def _object(document: JsonObject, key: str, where: str) -> JsonObject | None:
    value = document.get(key)
    if value is None:
        return None
    checked: JsonObject = value_of(value, dict, where=pointer(where, key), expected="an object or null")
    return checked


def _text(document: JsonObject, key: str, where: str, *, default: str | None = None) -> str:
    value = document.get(key)
    if value is None and default is not None:
        return default
    text: str = value_of(value, str, where=pointer(where, key), expected="a text")
    text = text.strip()
    if not text and default is None:
        raise InvalidFieldError(
            f"{key} is empty", where=pointer(where, key), found='""', expected="a text that is not empty"
        )
    return text


def _version_of(value: Any, where: str) -> str | None:  # noqa: ANN401 - JSON
    """Return the text of a version that stands alone or inside an info object."""
    if isinstance(value, dict):
        value, where = value.get("version"), pointer(where, "version")
    if value is None or value == "":
        return None
    text: str = value_of(value, str, where=where, expected="a version or null")
    return text.strip() or None


def _add_on(document: JsonObject, where: str) -> AddOnReference | None:
    add_on = _object(document, "add_on", where)
    if add_on is None:
        return None
    place = pointer(where, "add_on")
    name = _text(add_on, "name", place)
    version = _text(add_on, "version", place)
    try:
        return AddOnReference(name, AddOnVersion(version))
    except VersionSyntaxError as error:
        raise _bad_version(error, pointer(place, "version")) from error


def _bad_version(error: VersionSyntaxError, where: str) -> InvalidFieldError:
    return InvalidFieldError(error.message, where=where, found=error.found, expected=error.expected)


def _components(document: JsonObject, where: str) -> tuple[tuple[str, ComponentVersion | None], ...]:
    components = []
    for name, value in (_object(document, "components", where) or {}).items():
        place = pointer(where, "components", name)
        text = _version_of(value, place)
        try:
            components.append((name, None if text is None else ComponentVersion(text)))
        except VersionSyntaxError as error:
            raise _bad_version(error, place) from error
    return tuple(components)


def _removed(document: JsonObject, where: str) -> tuple[str, ...]:
    value = document.get("removed_components")
    place = pointer(where, "removed_components")
    names = value_of([] if value is None else value, list, where=place, expected="a list of component names or null")
    return tuple(
        value_of(name, str, where=pointer(place, index), expected="a component name")
        for index, name in enumerate(names)
    )


def _hardware_support(document: JsonObject, where: str) -> tuple[HardwareSupportReference, ...]:
    support = _object(document, "hardware_support", where) or {}
    place = pointer(where, "hardware_support")
    if isinstance(support.get("packages"), dict):
        support, place = support["packages"], pointer(place, "packages")
    references = []
    for manager, value in sorted(support.items()):
        if value is None:
            continue
        package = value_of(value, dict, where=pointer(place, manager), expected="an object with pkg and version")
        references.append(
            HardwareSupportReference(
                manager=manager,
                package=_text(package, "pkg", pointer(place, manager)),
                version=_text(package, "version", pointer(place, manager), default=""),
                extra=json_pairs(package, frozenset({"pkg", "version", "details"})),
            )
        )
    return tuple(references)


def _solutions(document: JsonObject, where: str) -> tuple[SolutionReference, ...]:
    place = pointer(where, "solutions")
    references = []
    for name, value in sorted((_object(document, "solutions", where) or {}).items()):
        inside = pointer(place, name)
        solution = value_of(value, dict, where=inside, expected="an object with version and components")
        listed = solution.get("components")
        items = value_of([] if listed is None else listed, list, where=pointer(inside, "components"), expected="a list")
        references.append(
            SolutionReference(
                name=name,
                version=_text(solution, "version", inside, default=""),
                components=tuple(
                    _solution_component(item, pointer(inside, "components", index)) for index, item in enumerate(items)
                ),
                extra=json_pairs(solution, frozenset({"version", "components", "details"})),
            )
        )
    return tuple(references)


def _solution_component(item: object, where: str) -> str:
    if isinstance(item, dict):
        return _text(item, "component", where)
    text: str = value_of(item, str, where=where, expected='a name or {"component": name}')
    return text


def render_software_spec(spec: SoftwareSpec) -> bytes:
    """Write a spec, as vLCM imports it: UTF-8 without byte order mark, absent sections ``null``."""
    document = _sections(spec)
    if spec.alternative_images:
        document["alternative_images"] = {image.id: _render_alternative(image) for image in spec.alternative_images}
    return render_json(document | _extras(spec))


def _extras(spec: SoftwareSpec) -> JsonObject:
    return {key: json.loads(text) for key, text in spec.extra}


def _sections(spec: SoftwareSpec) -> JsonObject:
    """Return what a main and an alternative image both have; ``removed_components`` only where something is."""
    document: JsonObject = {
        "base_image": {"version": spec.base_image},
        "add_on": None if spec.add_on is None else {"name": spec.add_on.name, "version": spec.add_on.version.text},
        "components": {name: None if version is None else version.text for name, version in spec.components} or None,
        "hardware_support": _render_hardware_support(spec),
        "solutions": {solution.name: _render_solution(solution) for solution in spec.solutions} or None,
    }
    if spec.removed_components:
        document["removed_components"] = list(spec.removed_components)
    for place, key, text in spec.nested_extra:
        _put_nested(document, path_of(place), key, json.loads(text))
    return document


def _render_alternative(image: AlternativeImage) -> JsonObject:
    document = {key: value for key, value in _sections(image.spec).items() if value is not None}
    if image.display_name:
        document["display_name"] = image.display_name
    if image.selection_criteria:
        document["selection_criteria"] = json.loads(image.selection_criteria)
    return document | _extras(image.spec)


def _put_nested(document: JsonObject, path: tuple[str, ...], key: str, value: object) -> None:
    """Put a key back where it stood, if that place is still there; a component's version becomes an object for it."""
    if path == ("hardware_support",) and document["hardware_support"] is None:
        document["hardware_support"] = {"packages": {}}
    holder: Any = None
    target: Any = document
    for step in path:
        holder, target = target, _step_into(target, step)
    if path[0] == "components" and isinstance(holder, dict) and path[-1] in holder and not isinstance(target, dict):
        target = holder[path[-1]] = {"version": target}
    if isinstance(target, dict):
        target.setdefault(key, value)


def _step_into(target: Any, step: str) -> Any:  # noqa: ANN401 - JSON
    if isinstance(target, list):
        return target[int(step)] if step.isdecimal() and int(step) < len(target) else None
    return target.get(step) if isinstance(target, dict) else None


def _render_hardware_support(spec: SoftwareSpec) -> JsonObject | None:
    packages = {
        reference.manager: {"pkg": reference.package, "version": reference.version}
        | {key: json.loads(text) for key, text in reference.extra}
        for reference in spec.hardware_support
    }
    return {"packages": packages} if packages else None


def _render_solution(solution: SolutionReference) -> JsonObject:
    document: JsonObject = {
        "version": solution.version,
        "components": [{"component": name} for name in solution.components],
    }
    return document | {key: json.loads(text) for key, text in solution.extra}
