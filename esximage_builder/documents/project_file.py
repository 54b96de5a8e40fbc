"""The project file ``esximage.toml``: depots, image, outputs and what goes onto what boots, written down once.

Keys are the words of the command line, so that one who knows it knows them (docs/project-file.md). A key that is
none is refused, with the near ones named, and so is a value of the wrong type: what was mistyped must not be left
out in silence. Nothing is opened here, and paths are as they were written.
"""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING, Any, final

import attrs

from esximage_builder.containers.toml import parse_toml, quoted, toml_list
from esximage_builder.documents.toml_table import TomlTable
from esximage_builder.limits import DOCUMENT_BYTES
from esximage_builder.models.fields import as_tuple
from esximage_builder.shown import Shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = [
    "KEYS",
    "LOCK_NAME",
    "PROJECT_NAME",
    "Key",
    "Project",
    "Setting",
    "parse_project",
    "project_schema",
    "render_project",
]

PROJECT_NAME = "esximage.toml"
LOCK_NAME = "esximage.lock"

_NOUN = "the project file"


@final
class _Kind(enum.Enum):
    """What a value is."""

    TEXT = "text"
    PATH = "path"
    TEXTS = "texts"
    PATHS = "paths"
    NAMES_OR_PATHS = "names or paths"
    LEFT_OUT = "true, or false for leaving it out"
    TEXT_BY_TEXT = "table of texts"


@final
@attrs.frozen(repr=False)
class Key(Shown):
    """One key that a project file may have.

    Attributes:
        table: The table that it stands in; empty for the top of the file.
        name: The key.
        kind: What its value is.
        option: That of the command line which it stands for; empty if it stands for none.
        says: What it is for.
    """

    table: str
    name: str
    kind: _Kind
    option: str
    says: str

    @property
    def is_path(self) -> bool:
        """True if values are paths, relative to the file."""
        return self.kind in (_Kind.PATH, _Kind.PATHS)

    @property
    def may_be_path(self) -> bool:
        """True if a value is a path where such a file is, else a name."""
        return self.kind is _Kind.NAMES_OR_PATHS


KEYS: tuple[Key, ...] = (
    Key("", "depots", _Kind.PATHS, "--depot", "bundles, discs, folders and .vib files to open; may be patterns"),
    Key("", "lock", _Kind.PATH, "", f"lock file that `esximage lock` writes; {LOCK_NAME} if not given"),
    Key("image", "base", _Kind.TEXT, "--base", "version or release name of the base image"),
    Key("image", "spec", _Kind.PATH, "--spec", "software spec in vLCM's JSON form, in place of a base image"),
    Key("image", "profile", _Kind.TEXT, "--profile", "image profile, as 6.x depots have, in place of a base image"),
    Key("image", "add-on", _Kind.TEXT, "--add-on", "vendor add-on, NAME or NAME:VERSION"),
    Key("image", "components", _Kind.TEXTS, "--component", "components to add, each NAME or NAME:VERSION"),
    Key("image", "remove", _Kind.TEXTS, "--remove", "names of components to remove"),
    Key("image", "vibs", _Kind.NAMES_OR_PATHS, "--vib", ".vib files or loaded VIBs without component to add"),
    Key("image", "name", _Kind.TEXT, "--name", "name of the image"),
    Key("image", "prefer", _Kind.PATHS, "--prefer", "depots to take a VIB from that several have"),
    Key("image", "minimum-acceptance", _Kind.TEXT, "--minimum-acceptance", "level below which VIBs are errors"),
    Key("image", "remove-vibs", _Kind.TEXTS, "--remove-vib", "VIBs to take off the profile"),
    Key("image", "profile-vendor", _Kind.TEXT, "--profile-vendor", "vendor of the changed profile"),
    Key("image", "profile-description", _Kind.TEXT, "--profile-description", "description of the changed profile"),
    Key("image", "acceptance", _Kind.TEXT, "--acceptance", "level that the changed profile states"),
    Key("outputs", "iso", _Kind.PATH, "--iso", "bootable ISO"),
    Key("outputs", "usb", _Kind.PATH, "--usb", "bootable image for USB sticks"),
    Key("outputs", "bundle", _Kind.PATH, "--bundle", "offline bundle"),
    Key("outputs", "pxe", _Kind.PATH, "--pxe", "network boot tree, a new folder"),
    Key("outputs", "sbom", _Kind.PATH, "--sbom", "bill of materials"),
    Key("outputs", "sbom-format", _Kind.TEXT, "--sbom-format", "its form, cyclonedx or spdx"),
    Key("outputs", "checksums", _Kind.PATH, "--checksums", "SHA-256 of each file, for sha256sum --check"),
    Key("outputs", "report", _Kind.PATH, "--report", "report: .txt, .json, .md or .html"),
    Key("boot", "kickstart", _Kind.PATH, "--kickstart", "kickstart file for what boots"),
    Key("boot", "kickstart-address", _Kind.TEXT, "--kickstart-address", "where the installer looks for it"),
    Key("boot", "kernel-options", _Kind.TEXTS, "--kernel-option", "kernel options to add"),
    Key("boot", "tools", _Kind.LEFT_OUT, "--without-tools", "whether VMware Tools go onto what boots"),
    Key("boot", "installer", _Kind.LEFT_OUT, "--without-installer", "whether what boots is the installer"),
    Key("boot", "stick", _Kind.LEFT_OUT, "--without-stick", "whether the ISO boots from a stick too"),
    Key("boot", "pxe-prefix", _Kind.TEXT, "--pxe-prefix", "path or address of the network boot tree on its server"),
    Key("boot", "pxe-hosts", _Kind.TEXT_BY_TEXT, "--pxe-host", "kernel options of single hosts, by MAC address"),
    Key("checks", "allow", _Kind.TEXTS, "--allow", "codes of errors to waive"),
    Key("checks", "payloads", _Kind.TEXT, "--check", "stored, or unpacked too"),
    Key("checks", "trust", _Kind.PATH, "--trust", "certificates that signatures of VIBs must lead to"),
)  # fmt: skip
"""All keys, in the order in which they are written."""

_TABLES = tuple(dict.fromkeys(key.table for key in KEYS if key.table))
_TOP = (*(key.name for key in KEYS if not key.table), *_TABLES)


@final
@attrs.frozen(repr=False)
class Setting(Shown):
    """A key with its value.

    Attributes:
        key: Which.
        value: A text, a truth value, a tuple of texts, or a tuple of pairs of them.
    """

    key: Key
    value: str | bool | tuple[str, ...] | tuple[tuple[str, str], ...]


@final
@attrs.frozen(repr=False)
class Project(Shown):
    """What a project file says, in the order of ``KEYS``."""

    settings: tuple[Setting, ...] = attrs.field(default=(), converter=as_tuple)

    def value(self, name: str) -> Any:  # noqa: ANN401 - of the kind of the key
        """Return the value of a key of the top of the file, None if it is not given."""
        return next((entry.value for entry in self.settings if (entry.key.table, entry.key.name) == ("", name)), None)


def parse_project(data: bytes, *, where: str = PROJECT_NAME, max_bytes: int = DOCUMENT_BYTES) -> Project:
    """Read a project file.

    Args:
        data: The whole document.
        where: How to name it in errors.
        max_bytes: Upper bound for ``data``; that of ``ReadLimits`` if nothing else is said.

    Raises:
        MalformedDocumentError: No TOML.
        InvalidFieldError: A key is unknown, or has an impossible value.
        LimitExceededError: Longer than ``max_bytes``.
    """
    top = TomlTable(parse_toml(data, where=where, max_bytes=max_bytes), where, known=_TOP, noun=_NOUN)
    tables = {"": top}
    for name in _TABLES:
        known = tuple(key.name for key in KEYS if key.table == name)
        tables[name] = TomlTable(dict(top.pairs(name)), f"{where} [{name}]", known=known, noun=_NOUN)
    return Project(Setting(key, _value_of(tables[key.table], key)) for key in KEYS if key.name in tables[key.table])


def _value_of(table: TomlTable, key: Key) -> str | bool | tuple[str, ...] | tuple[tuple[str, str], ...]:
    match key.kind:
        case _Kind.TEXT | _Kind.PATH:
            text = table.text(key.name)
            if not text:
                raise table.wrong(key.name, text, "a text that says something")
            return text
        case _Kind.LEFT_OUT:
            return table.flag(key.name, default=True)
        case _Kind.TEXT_BY_TEXT:
            return tuple(_text_pairs(table, key))
        case _:
            return tuple(table.texts(key.name))


def _text_pairs(table: TomlTable, key: Key) -> Iterator[tuple[str, str]]:
    for name, text in table.pairs(key.name):
        if not isinstance(text, str):
            raise table.wrong(f"{key.name}.{name}", text, "a text in double quotes")
        yield name, text


def render_project(project: Project) -> str:
    """Write a project file, keys in the order of ``KEYS``."""
    lines: list[str] = []
    table = ""
    for entry in project.settings:
        if entry.key.table != table:
            table = entry.key.table
            lines += ["", f"[{table}]"]
        lines.append(f"{entry.key.name} = {_toml_of(entry)}")
    return "\n".join([*lines, ""])


def _toml_of(entry: Setting) -> str:
    value = entry.value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return quoted(value)
    if entry.key.kind is _Kind.TEXT_BY_TEXT:
        pairs = (f"{quoted(item[0])} = {quoted(item[1])}" for item in value)
        return f"{{ {', '.join(pairs)} }}"
    return toml_list(text for text in value if isinstance(text, str))


_TEXTS_SCHEMA: dict[str, object] = {"type": "array", "items": {"type": "string"}}
_SCHEMAS: dict[_Kind, dict[str, object]] = {
    _Kind.TEXT: {"type": "string", "minLength": 1},
    _Kind.PATH: {"type": "string", "minLength": 1},
    _Kind.TEXTS: _TEXTS_SCHEMA,
    _Kind.PATHS: _TEXTS_SCHEMA,
    _Kind.NAMES_OR_PATHS: _TEXTS_SCHEMA,
    _Kind.LEFT_OUT: {"type": "boolean", "default": True},
    _Kind.TEXT_BY_TEXT: {"type": "object", "additionalProperties": {"type": "string"}},
}


def project_schema() -> dict[str, object]:
    """Return the JSON schema of project files, for editors."""

    def properties(keys: Iterable[Key]) -> dict[str, object]:
        return {key.name: {"description": key.says} | _SCHEMAS[key.kind] for key in keys}

    tables = {
        name: {
            "type": "object",
            "additionalProperties": False,
            "properties": properties(key for key in KEYS if key.table == name),
        }
        for name in _TABLES
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": PROJECT_NAME,
        "type": "object",
        "additionalProperties": False,
        "properties": properties(key for key in KEYS if not key.table) | tables,
    }
