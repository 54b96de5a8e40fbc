"""Release units in JSON: base images, add-ons, hardware support manifests, solutions.

No public sample of these files is known; what is certain is the model behind them. So
folder names and keys are read tolerantly, by one table of synonyms with case, ``_`` and
``-`` ignored, and every key we do not know is kept and written back.

Source: docs/formats.md#release-units (inferred; the model is that of the public vSphere API).
"""

from __future__ import annotations

import enum
import json
import re
from typing import TYPE_CHECKING, Any

from esximage_builder.containers.dates import parse_time, render_time
from esximage_builder.containers.json_document import (
    JsonObject,
    canonical_json,
    parse_json_object,
    pointer,
    render_json,
    value_of,
)
from esximage_builder.errors import InvalidFieldError, VersionSyntaxError
from esximage_builder.models.add_on import AddOn
from esximage_builder.models.base_image import BaseImage
from esximage_builder.models.component import ComponentReference
from esximage_builder.models.hardware_support import HardwareSupport
from esximage_builder.models.solution import Solution, SolutionComponent
from esximage_builder.versions import AddOnVersion, BaseImageVersion, ComponentVersion
from esximage_builder.vocabulary import AcceptanceLevel

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

__all__ = ["ReleaseUnit", "UnitKind", "parse_release_unit", "render_release_unit", "unit_folder_kind", "unit_kind"]

ReleaseUnit = BaseImage | AddOn | Solution | HardwareSupport


class UnitKind(enum.StrEnum):
    """The four kinds; the value is the folder that we write."""

    BASE_IMAGE = "baseimages"
    ADD_ON = "addons"
    HARDWARE_SUPPORT = "manifests"
    SOLUTION = "solutions"


# Folder and releaseType spellings, folded. The first is what we write.
_KIND_NAMES: dict[UnitKind, tuple[str, ...]] = {
    UnitKind.BASE_IMAGE: ("baseimages", "baseimage"),
    UnitKind.ADD_ON: ("addons", "addon"),
    UnitKind.HARDWARE_SUPPORT: ("manifests", "manifest", "hardwaresupport", "hardwaresupportpackage", "hsp"),
    UnitKind.SOLUTION: ("solutions", "solution"),
}

# Key spellings, folded. The first is what we write, spelt in _WRITTEN.
_KEYS: dict[str, tuple[str, ...]] = {
    "schema": ("schemaversion",),
    "kind": ("releasetype",),
    "release_id": ("releaseid", "id"),
    "vendor": ("vendor",),
    "summary": ("summary",),
    "description": ("description",),
    "category": ("category",),
    "kb_url": ("kburl", "kb"),
    "released_at": ("releasedate",),
    "acceptance_level": ("acceptancelevel",),
    "name": ("name",),
    "version": ("version",),
    "display_name": ("displayname", "uiname"),
    "display_version": ("displayversion", "uiversion"),
    "name_spec": ("namespec", "releasenamespec", "addonnamespec", "solutionnamespec"),
    "version_spec": (
        "versionspec",
        "releaseversionspec",
        "addonversionspec",
        "solutionversionspec",
        "baseimageversionspec",
    ),
    "supported_base_images": (
        "supportedbaseimageversions",
        "supportedbaseimages",
        "baseimageversions",
        "compatiblebaseimageversions",
        "compatiblebaseimages",
        "supportedversions",
    ),
    "components": ("components", "componentlist"),
    "removed_components": ("removedcomponents", "removecomponents", "componentstoremove"),
    "quick_patch_versions": ("quickpatchcompatibleversions", "livepatchcompatibleversions"),
    "hardware_support_info": ("hardwaresupportinfo",),
}
_WRITTEN = {
    "schema": "schemaVersion", "kind": "releaseType", "release_id": "releaseID", "vendor": "vendor",
    "summary": "summary", "description": "description", "category": "category", "kb_url": "kbURL",
    "released_at": "releaseDate", "acceptance_level": "acceptanceLevel", "name_spec": "nameSpec",
    "version_spec": "versionSpec", "supported_base_images": "supportedBaseImageVersions",
    "components": "components", "removed_components": "removedComponents",
    "quick_patch_versions": "quickPatchCompatibleVersions", "hardware_support_info": "hardwareSupportInfo",
}  # fmt: skip
_MEANING = {spelling: meaning for meaning, spellings in _KEYS.items() for spelling in spellings}
_SCHEMA = "1.0"

# Read where the spec of name or version does not say it, and written into that.
_BESIDE_A_SPEC = frozenset({"name", "version", "display_name", "display_version"})

# Known keys that a kind has no field for; they are kept with the unknown ones.
_NOT_HELD: dict[UnitKind, frozenset[str]] = {
    UnitKind.BASE_IMAGE: frozenset({"supported_base_images", "removed_components", "hardware_support_info"}),
    UnitKind.ADD_ON: frozenset({"quick_patch_versions", "hardware_support_info"}),
    UnitKind.SOLUTION: frozenset(
        {
            "summary", "description", "category", "kb_url", "released_at", "acceptance_level",
            "supported_base_images", "removed_components", "quick_patch_versions", "hardware_support_info",
        }
    ),
    UnitKind.HARDWARE_SUPPORT: frozenset(
        {
            "summary", "description", "category", "kb_url", "acceptance_level", "display_version",
            "quick_patch_versions", "hardware_support_info",
        }
    ),
}  # fmt: skip


def _fold(key: str) -> str:
    return re.sub(r"[_\-\s]", "", key).lower()


def unit_folder_kind(folder: str) -> UnitKind | None:
    """Return the kind of unit that a folder of ``metadata.zip`` holds, by any spelling; else None."""
    folded = _fold(folder)
    return next((kind for kind, names in _KIND_NAMES.items() if folded in names), None)


def unit_kind(unit: ReleaseUnit) -> UnitKind:
    """Return the kind of a release unit."""
    return _UNIT_KINDS[type(unit)]


_UNIT_KINDS: dict[type, UnitKind] = {
    BaseImage: UnitKind.BASE_IMAGE,
    AddOn: UnitKind.ADD_ON,
    Solution: UnitKind.SOLUTION,
    HardwareSupport: UnitKind.HARDWARE_SUPPORT,
}


def parse_release_unit(data: bytes, *, where: str, kind: UnitKind | None, max_bytes: int) -> ReleaseUnit:
    """Read one release unit.

    Args:
        data: The whole document.
        where: How to name it in errors.
        kind: What its folder says; None goes by the document's own release type.
        max_bytes: Upper bound for ``data``.

    Raises:
        MalformedDocumentError: No JSON object.
        InvalidFieldError: A value is missing, has the wrong type, or no kind can be told.
        LimitExceededError: Longer than ``max_bytes``.
    """
    unit = _Unit(parse_json_object(data, where=where, max_bytes=max_bytes), where)
    stated = unit_folder_kind(unit.text("kind"))
    kind = stated or kind
    if kind is None:
        raise InvalidFieldError(
            "the document does not say what kind of release unit it is",
            where=where,
            found=repr(unit.text("kind")),
            expected="a releaseType of baseimage, addon, manifest or solution",
        )
    try:
        return _BUILDERS[kind](unit)
    except VersionSyntaxError as error:
        raise InvalidFieldError(
            error.message, where=pointer(where, "versionSpec"), found=error.found, expected=error.expected
        ) from error


def _says_nothing(value: object) -> bool:
    if isinstance(value, list):
        return all(_says_nothing(item) for item in value)
    return value is None or value == {} or (isinstance(value, str) and not value.strip())


def _counts(value: object, *, before: tuple[str, Any] | None) -> bool:
    """Tell whether a value is the one of its key: the first that says something, else the first that is there."""
    return value is not None if before is None else _says_nothing(before[1]) and not _says_nothing(value)


class _Unit:
    """A document with its keys folded to meanings."""

    def __init__(self, document: JsonObject, where: str) -> None:
        self.where = where
        self.known: dict[str, tuple[str, Any]] = {}
        self._document = document
        for key, value in document.items():
            meaning = _MEANING.get(_fold(key))
            if meaning is not None and _counts(value, before=self.known.get(meaning)):
                self.known[meaning] = (key, value)

    def kept(self, kind: UnitKind) -> tuple[tuple[str, str], ...]:
        """Return what the model has no place for, in the document's order, since of two spellings the first counts."""
        return tuple(
            (key, canonical_json(value)) for key, value in self._document.items() if self._is_kept(key, value, kind)
        )

    def _is_kept(self, key: str, value: object, kind: UnitKind) -> bool:
        meaning = _MEANING.get(_fold(key))
        if meaning is None:
            return True
        is_held = meaning not in _NOT_HELD[kind]
        if self.known.get(meaning, ("", None))[0] == key:
            return not is_held
        is_written_by_us = is_held and (key == _WRITTEN.get(meaning) or meaning in _BESIDE_A_SPEC)
        return not is_written_by_us and not _says_nothing(value)

    def _entry(self, meaning: str) -> tuple[Any, str]:
        key, value = self.known.get(meaning, (meaning, None))
        return value, pointer(self.where, key)

    def text(self, meaning: str) -> str:
        value, where = self._entry(meaning)
        return "" if value is None else str(value_of(value, (str, int), where=where, expected="a text")).strip()

    def _spec(self, meaning: str, key: str) -> str:
        value, where = self._entry(meaning)
        if isinstance(value, str):
            return value.strip() if key != "uiString" else ""
        spec = value_of({} if value is None else value, dict, where=where, expected="an object")
        text = spec.get(key)
        return "" if text is None else str(value_of(text, str, where=pointer(where, key), expected="a text")).strip()

    def _part_of_id(self, part: int) -> str:
        return self.text("release_id").rpartition(":")[part].strip()

    @property
    def name(self) -> str:
        return self._spec("name_spec", "name") or self.text("name") or self._part_of_id(0)

    @property
    def version(self) -> str:
        version = self._spec("version_spec", "version") or self.text("version")
        version = version or self._part_of_id(2)
        if not version:
            raise InvalidFieldError(
                "the release unit has no version", where=pointer(self.where, "versionSpec"), expected="a version"
            )
        return version

    @property
    def display_name(self) -> str:
        return self._spec("name_spec", "uiString") or self.text("display_name")

    @property
    def display_version(self) -> str:
        return self._spec("version_spec", "uiString") or self.text("display_version")

    def require_name(self) -> str:
        if not self.name:
            raise InvalidFieldError(
                "the release unit has no name", where=pointer(self.where, "nameSpec"), expected='{"name": "..."}'
            )
        return self.name

    @property
    def released_at(self) -> datetime | None:
        return parse_time(self.text("released_at"), where=self._entry("released_at")[1])

    @property
    def acceptance_level(self) -> AcceptanceLevel | None:
        text = self.text("acceptance_level")
        try:
            return AcceptanceLevel.from_text(text) if text else None
        except ValueError as error:
            where = self._entry("acceptance_level")[1]
            raise InvalidFieldError("this is no acceptance level", where=where, found=repr(text)) from error

    def components(self) -> tuple[ComponentReference, ...]:
        value, where = self._entry("components")
        items = _component_items(value, where)
        open_names = [name for name, versions in items if not versions]
        if open_names:
            raise InvalidFieldError(
                "a component has no version",
                where=pointer(where, open_names[0]),
                found=", ".join(open_names),
                expected="a version for every component",
            )
        references = [
            ComponentReference(name, ComponentVersion(version)) for name, versions in items for version in versions
        ]
        return tuple(sorted(references, key=lambda reference: (reference.name, reference.version.text)))

    def solution_components(self) -> tuple[SolutionComponent, ...]:
        value, where = self._entry("components")
        return tuple(
            SolutionComponent(name, tuple(ComponentVersion(version) for version in versions))
            for name, versions in sorted(_component_items(value, where))
        )

    def names(self, meaning: str) -> tuple[str, ...]:
        value, where = self._entry(meaning)
        items = list(value) if isinstance(value, dict) else ([] if value is None else value)
        if isinstance(items, str):
            items = [items]
        value_of(items, list, where=where, expected="a list")
        names = (_name_of(item, pointer(where, index)) for index, item in enumerate(items))
        return tuple(sorted({name for name in names if name}))


def _name_of(item: object, where: str) -> str:
    if isinstance(item, dict):
        item = item.get("name") or item.get("version")
    return str(value_of(item, str, where=where, expected="a text")).strip()


def _component_items(value: object, where: str) -> list[tuple[str, list[str]]]:
    """Return name and versions, from a map or from a list of objects or of ``name:version``."""
    if value is None:
        return []
    if isinstance(value, dict):
        return [(_named(name, where), _versions(entry, pointer(where, name))) for name, entry in value.items()]
    items = []
    for index, item in enumerate(value_of(value, list, where=where, expected="a map of name to version, or a list")):
        place = pointer(where, index)
        if isinstance(item, dict):
            name = _named(item.get("name") or item.get("component"), place)
            items.append((name, _versions(item.get("version", item.get("versions")), place)))
        else:
            name, _, version = value_of(item, str, where=place, expected="name:version").partition(":")
            items.append((_named(name, place), [version] if version else []))
    return items


def _named(name: object, where: str) -> str:
    found: str = value_of(name, str, where=where, expected="a component name")
    if not found.strip():
        raise InvalidFieldError(
            "a component has no name", where=where, found=repr(found), expected="a name for every component"
        )
    return found


def _versions(value: object, where: str) -> list[str]:
    if isinstance(value, dict):
        value = value.get("version", value.get("versions"))
    if value is None or value == "":
        return []
    if isinstance(value, str):
        return [value.strip()]
    listed = value_of(value, list, where=where, expected="a version, a list of versions or null")
    return [str(value_of(item, str, where=where, expected="a version")) for item in listed]


def _base_image(unit: _Unit) -> BaseImage:
    value, where = unit._entry("quick_patch_versions")  # noqa: SLF001 - same module
    quick = value_of({} if value is None else value, dict, where=where, expected="a map of version to display version")
    return BaseImage(
        version=BaseImageVersion(unit.version),
        display_name=unit.display_name or "ESXi",
        display_version=unit.display_version,
        vendor=unit.text("vendor"),
        summary=unit.text("summary"),
        description=unit.text("description"),
        category=unit.text("category"),
        kb_url=unit.text("kb_url"),
        released_at=unit.released_at,
        acceptance_level=unit.acceptance_level,
        components=unit.components(),
        quick_patch_versions=tuple(sorted((str(version), str(shown)) for version, shown in quick.items())),
        extra=unit.kept(UnitKind.BASE_IMAGE),
    )


def _add_on(unit: _Unit) -> AddOn:
    return AddOn(
        name=unit.require_name(),
        version=AddOnVersion(unit.version),
        display_name=unit.display_name,
        display_version=unit.display_version,
        vendor=unit.text("vendor"),
        summary=unit.text("summary"),
        description=unit.text("description"),
        category=unit.text("category"),
        kb_url=unit.text("kb_url"),
        released_at=unit.released_at,
        acceptance_level=unit.acceptance_level,
        supported_base_images=unit.names("supported_base_images"),
        components=unit.components(),
        removed_components=unit.names("removed_components"),
        extra=unit.kept(UnitKind.ADD_ON),
    )


def _solution(unit: _Unit) -> Solution:
    return Solution(
        name=unit.require_name(),
        version=AddOnVersion(unit.version),
        display_name=unit.display_name,
        display_version=unit.display_version,
        vendor=unit.text("vendor"),
        components=unit.solution_components(),
        extra=unit.kept(UnitKind.SOLUTION),
    )


def _hardware_support(unit: _Unit) -> HardwareSupport:
    info, where = unit._entry("hardware_support_info")  # noqa: SLF001 - same module
    stated = value_of({} if info is None else info, dict, where=where, expected="an object").get("package")
    package = value_of({} if stated is None else stated, dict, where=pointer(where, "package"), expected="an object")
    version = package.get("version")
    return HardwareSupport(
        name=str(package.get("name") or "") or unit.require_name(),
        version=AddOnVersion(str(version) if version else unit.version),
        vendor=unit.text("vendor"),
        display_name=unit.display_name,
        released_at=unit.released_at,
        components=unit.components(),
        removed_components=unit.names("removed_components"),
        supported_base_images=unit.names("supported_base_images"),
        extra=unit.kept(UnitKind.HARDWARE_SUPPORT),
    )


_BUILDERS: dict[UnitKind, Callable[[_Unit], ReleaseUnit]] = {
    UnitKind.BASE_IMAGE: _base_image,
    UnitKind.ADD_ON: _add_on,
    UnitKind.SOLUTION: _solution,
    UnitKind.HARDWARE_SUPPORT: _hardware_support,
}

_RELEASE_TYPES = {BaseImage: "baseimage", AddOn: "addon", Solution: "solution", HardwareSupport: "manifest"}


def render_release_unit(unit: ReleaseUnit) -> bytes:
    """Write a release unit with our own choice of keys; unknown keys follow as they were read."""
    name = "ESXi" if isinstance(unit, BaseImage) else unit.name
    fields: dict[str, object] = {
        "schema": _SCHEMA,
        "kind": _RELEASE_TYPES[type(unit)],
        "release_id": unit.id,
        "vendor": unit.vendor,
        "name_spec": {"name": name, "uiString": unit.display_name},
    }
    display_version = "" if isinstance(unit, HardwareSupport) else unit.display_version
    fields["version_spec"] = {"version": unit.version.text, "uiString": display_version}
    if isinstance(unit, BaseImage | AddOn):
        fields |= {
            "summary": unit.summary,
            "description": unit.description,
            "category": unit.category,
            "kb_url": unit.kb_url,
        }
        if unit.acceptance_level is not None:
            fields["acceptance_level"] = unit.acceptance_level.value
    if not isinstance(unit, Solution) and unit.released_at is not None:
        fields["released_at"] = render_time(unit.released_at)
    if isinstance(unit, BaseImage) and unit.quick_patch_versions:
        fields["quick_patch_versions"] = dict(unit.quick_patch_versions)
    if isinstance(unit, AddOn | HardwareSupport):
        fields["supported_base_images"] = list(unit.supported_base_images)
        fields["removed_components"] = list(unit.removed_components)
    fields["components"] = _render_components(unit)
    document = {_WRITTEN[key]: value for key, value in fields.items()}
    extra = {key: json.loads(text) for key, text in unit.extra if key not in document}
    return render_json(document | extra)


def _render_components(unit: ReleaseUnit) -> object:
    if isinstance(unit, Solution):
        return [
            {"name": wanted.name, "versions": [version.text for version in wanted.versions]}
            for wanted in unit.components
        ]
    versions: dict[str, list[str]] = {}
    for reference in unit.components:
        versions.setdefault(reference.name, []).append(reference.version.text)
    return {name: texts[0] if len(texts) == 1 else texts for name, texts in versions.items()}
