"""The description of a VIB to be made: a small TOML document of our own, and the VIB it describes.

Keys are the words of the descriptor, so that one who knows it knows them (docs/vibauthor.md). Rules:

- ``name``, ``version``, ``vendor`` and ``summary`` are required; all else has a default, that of a
  descriptor without the element;
- a key that is none is refused, with the near ones named, and so is a value of the wrong type: what
  was mistyped must not be left out in silence;
- relations are texts as people write them, ``esx-version >= 8.0.0``;
- a date without zone counts as UTC, as in descriptors.

Whether the VIB may be called so is for ``authoring`` to say.
"""

from __future__ import annotations

import datetime as dt
import re
from typing import TYPE_CHECKING, Any, final

import attrs

from esximage_builder.containers.toml import parse_toml, quoted, toml_list
from esximage_builder.documents.toml_table import TomlTable
from esximage_builder.errors import VersionSyntaxError
from esximage_builder.limits import DOCUMENT_BYTES
from esximage_builder.models.constraint import Constraint, Provide
from esximage_builder.models.fields import as_tuple
from esximage_builder.models.vib import HardwarePlatform, MaintenanceMode, SoftwarePlatform, Vib
from esximage_builder.shown import Shown
from esximage_builder.versions import VibVersion
from esximage_builder.vocabulary import AcceptanceLevel, PayloadType, Relation

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from esximage_builder.models.vib import Payload

__all__ = ["PayloadPlan", "VibDescription", "parse_vib_description", "render_vib_description"]

_RELATION = re.compile(r"\s*(?P<name>[^\s<>=]+)\s*(?:(?P<sign><<|<=|=|>=|>>)\s*(?P<version>[^\s<>=]+)\s*)?")
_LARGEST_MODE = 0o7777
_NOUN = "the description"


@final
@attrs.frozen(kw_only=True, repr=False)
class PayloadPlan(Shown):
    """One payload to be made.

    Attributes:
        name: Its name in the VIB.
        type: See ``PayloadType``.
        source: Folder or file that it is made of, below the source; empty for the source itself.
        boot_order: Place among the boot modules; None sorts last.
        vfat_name: Fixed local name; empty leaves it to the rule.
    """

    name: str
    type: str = PayloadType.VGZ.value
    source: str = ""
    boot_order: int | None = None
    vfat_name: str = ""


@final
@attrs.frozen(kw_only=True, repr=False)
class VibDescription(Shown):
    """What a description says.

    Attributes:
        vib: The VIB without payloads and file facts; ``released_at`` is None if no date is stated.
        payloads: In archive order; empty leaves them to the source.
        modes: Permission bits by path, in place of those of the source.
        is_plain: Give files the mode 0644, or 0755 if their owner may run them, and folders 0755; a
            sticky bit stays.
        is_deflated: Compress payloads, whose bytes then depend on the version of zlib.
        states_size: State the unpacked size of payloads, as VIBs since 8.0.3 do.
    """

    vib: Vib
    payloads: tuple[PayloadPlan, ...] = attrs.field(default=(), converter=as_tuple)
    modes: tuple[tuple[str, int], ...] = attrs.field(default=(), converter=as_tuple)
    is_plain: bool = False
    is_deflated: bool = False
    states_size: bool = False


def parse_vib_description(data: bytes, *, where: str = "vib.toml", max_bytes: int = DOCUMENT_BYTES) -> VibDescription:
    """Read a description.

    Args:
        data: The whole document.
        where: How to name it in errors.
        max_bytes: Upper bound for ``data``; that of ``ReadLimits`` if nothing else is said.

    Raises:
        MalformedDocumentError: No TOML.
        InvalidFieldError: A key is unknown or missing, or has an impossible value.
        LimitExceededError: Longer than ``max_bytes``.
    """
    table = TomlTable(parse_toml(data, where=where, max_bytes=max_bytes), where, known=_KEYS, noun=_NOUN)
    payloads = [_payload(item, f"{where} [[payloads]] {number}") for number, item in table.tables("payloads")]
    return VibDescription(
        vib=_vib(table),
        payloads=payloads,
        modes=sorted(_modes(table)),
        is_plain=table.flag("plain-modes"),
        is_deflated=table.flag("deflate"),
        states_size=table.flag("uncompressed-size"),
    )


_TEXTS = ("name", "version", "vendor", "summary", "description", "type", "acceptance-level")
_RELATIONS = ("depends", "conflicts", "replaces", "provides", "compatible-with")
_FLAGS = ("live-install-allowed", "live-remove-allowed", "cimom-restart", "stateless-ready", "overlay")
_KEYS = (
    *_TEXTS, "release-date", "urls", *_RELATIONS, "software-tags", "maintenance-mode", "hardware-platforms",
    "software-platforms", *_FLAGS, "payloads", "modes", "plain-modes", "deflate", "uncompressed-size",
)  # fmt: skip
_PAYLOAD_KEYS = ("name", "type", "source", "boot-order", "vfat-name")


def _vib(table: TomlTable) -> Vib:
    summary = table.text("summary")
    return Vib(
        type=table.text("type", "bootbank"),
        name=table.text("name"),
        version=_version(table, "version", table.text("version")),
        vendor=table.text("vendor"),
        summary=summary,
        description=table.text("description", summary),
        released_at=_release_date(table),
        urls=_urls(table),
        depends=_constraints(table, "depends"),
        conflicts=_constraints(table, "conflicts"),
        replaces=_constraints(table, "replaces"),
        provides=_provides(table),
        compatible_with=_constraints(table, "compatible-with"),
        tags=table.texts("software-tags"),
        maintenance_mode=_maintenance_mode(table),
        hardware_platforms=_hardware_platforms(table),
        software_platforms=_software_platforms(table),
        acceptance_level=_level(table),
        live_install_allowed=table.flag("live-install-allowed"),
        live_remove_allowed=table.flag("live-remove-allowed"),
        cimom_restart=table.flag("cimom-restart"),
        stateless_ready=table.flag("stateless-ready"),
        overlay=table.flag("overlay"),
    )


def _version(table: TomlTable, key: str, text: str) -> VibVersion:
    try:
        return VibVersion(text)
    except VersionSyntaxError as error:
        raise table.wrong(key, text, error.expected) from error


def _level(table: TomlTable) -> AcceptanceLevel:
    text = table.text("acceptance-level", AcceptanceLevel.COMMUNITY.value)
    try:
        return AcceptanceLevel.from_text(text)
    except ValueError as error:
        raise table.wrong("acceptance-level", text, ", ".join(level.value for level in AcceptanceLevel)) from error


def _release_date(table: TomlTable) -> dt.datetime | None:
    if "release-date" not in table:
        return None
    words = "a date such as 2024-01-31 or 2024-01-31T08:00:00Z"
    found = table.value("release-date", (dt.date, str), words)
    if isinstance(found, str):
        try:
            found = dt.datetime.fromisoformat(found.strip())
        except ValueError as error:
            raise table.wrong("release-date", found, words) from error
    if not isinstance(found, dt.datetime):
        found = dt.datetime(found.year, found.month, found.day)  # noqa: DTZ001 - it gets one below
    if found.tzinfo is None:
        return found.replace(tzinfo=dt.UTC)
    try:
        return found.astimezone(dt.UTC)
    except OverflowError as error:
        raise table.wrong("release-date", found.isoformat(), words) from error


def _urls(table: TomlTable) -> list[tuple[str, str]]:
    for key, url in table.pairs("urls"):
        if not isinstance(url, str):
            raise table.wrong(f"urls.{key}", url, "an address in double quotes")
    return table.pairs("urls")


def _relation(table: TomlTable, key: str, text: str) -> re.Match[str]:
    found = _RELATION.fullmatch(text)
    if found is None:
        raise table.wrong(key, text, 'a name, or name, sign and version, such as "esx-version >= 8.0.0"')
    return found


def _constraints(table: TomlTable, key: str) -> list[Constraint]:
    constraints = []
    for found in (_relation(table, key, text) for text in table.texts(key)):
        if found["sign"] is None:
            constraints.append(Constraint(found["name"]))
        else:
            version = _version(table, key, found["version"])
            constraints.append(Constraint(found["name"], Relation(found["sign"]), version))
    return constraints


def _provides(table: TomlTable) -> list[Provide]:
    provides = []
    for text in table.texts("provides"):
        found = _relation(table, "provides", text)
        if found["sign"] not in (None, "="):
            raise table.wrong("provides", text, 'a name, or a name and its version, such as "acme-api = 1.2"')
        version = None if found["version"] is None else _version(table, "provides", found["version"])
        provides.append(Provide(found["name"], version))
    return provides


def _maintenance_mode(table: TomlTable) -> MaintenanceMode:
    if "maintenance-mode" not in table:
        return MaintenanceMode()
    found = table.value("maintenance-mode", (bool, dict), "true, false, or { required = ..., on-install = ... }")
    if isinstance(found, bool):
        return MaintenanceMode(required=found)
    refined = TomlTable(
        found, f"{table.where} maintenance-mode", known=("required", "on-install", "on-remove"), noun=_NOUN
    )
    return MaintenanceMode(
        required=refined.flag("required"),
        on_install=refined.flag("on-install") if "on-install" in refined else None,
        on_remove=refined.flag("on-remove") if "on-remove" in refined else None,
    )


def _hardware_platforms(table: TomlTable) -> list[HardwarePlatform]:
    machines = []
    for number, item in table.tables("hardware-platforms"):
        machine = TomlTable(item, f"{table.where} hardware-platforms {number}", known=("vendor", "model"), noun=_NOUN)
        machines.append(HardwarePlatform(machine.text("vendor"), machine.text("model", "")))
    return machines


def _software_platforms(table: TomlTable) -> list[SoftwarePlatform]:
    """Return products; a text alone is a version of the host."""
    platforms = []
    for number, item in enumerate(table.items("software-platforms"), start=1):
        if isinstance(item, str):
            platforms.append(SoftwarePlatform(item.strip()))
            continue
        if not isinstance(item, dict):
            raise table.wrong("software-platforms", item, 'texts such as "8.0", or tables')
        place = f"{table.where} software-platforms {number}"
        product = TomlTable(item, place, known=("version", "product-line", "locale"), noun=_NOUN)
        line = product.text("product-line", SoftwarePlatform().product_line)
        platforms.append(SoftwarePlatform(product.text("version", ""), line, product.text("locale", "")))
    return platforms


def _payload(item: Mapping[str, Any], where: str) -> PayloadPlan:
    table = TomlTable(item, where, known=_PAYLOAD_KEYS, noun=_NOUN)
    name = table.text("name")
    return PayloadPlan(
        name=name,
        type=table.text("type", PayloadType.VGZ.value),
        source=table.text("source", name),
        boot_order=table.number("boot-order"),
        vfat_name=table.text("vfat-name", ""),
    )


def _modes(table: TomlTable) -> list[tuple[str, int]]:
    pairs = table.pairs("modes")
    for path, mode in pairs:
        if isinstance(mode, bool) or not isinstance(mode, int) or not 0 <= mode <= _LARGEST_MODE:
            raise table.wrong(f"modes.{path}", mode, "octal digits such as 0o1644")
    return [(path.strip("/"), mode) for path, mode in pairs]


# Writing


def render_vib_description(vib: Vib) -> bytes:
    """Return the description of a VIB that is there, for making it again from what it was taken apart into.

    Checksums and sizes are left out, since they are measured, and so are unknown elements. A payload in
    zstandard form becomes a ``vgz`` one, which every release takes; of two addresses of one key the last stays.
    """
    lines = [
        *(f"{key} = {quoted(text)}" for key, text in _texts_of(vib) if text),
        *([] if vib.released_at is None else [f"release-date = {vib.released_at.isoformat()}"]),
        *(f"{key} = {toml_list(items)}" for key, items in _lists_of(vib) if items),
        f"maintenance-mode = {_mode_text(vib.maintenance_mode)}",
        *(f"{key} = {_flag_text(is_set)}" for key, is_set in _flags_of(vib) if is_set),
        *_platform_lines(vib),
    ]
    if vib.urls:
        lines += ["", "[urls]", *(f"{quoted(key)} = {quoted(url)}" for key, url in dict(vib.urls).items())]
    for payload in vib.payloads:
        lines += ["", "[[payloads]]", *_payload_lines(payload)]
    return "".join(f"{line}\n" for line in lines).encode()


def _texts_of(vib: Vib) -> tuple[tuple[str, str], ...]:
    return (
        ("name", vib.name),
        ("version", vib.version.text),
        ("vendor", vib.vendor),
        ("type", vib.type),
        ("summary", vib.summary),
        ("description", vib.description),
        ("acceptance-level", vib.acceptance_level.value),
    )


def _lists_of(vib: Vib) -> tuple[tuple[str, list[str]], ...]:
    groups = (vib.depends, vib.conflicts, vib.replaces, vib.provides, vib.compatible_with)
    relations = ((key, list(map(str, group))) for key, group in zip(_RELATIONS, groups, strict=True))
    return (*relations, ("software-tags", list(vib.tags)))


def _flags_of(vib: Vib) -> tuple[tuple[str, bool], ...]:
    flags = (
        vib.live_install_allowed,
        vib.live_remove_allowed,
        vib.cimom_restart,
        vib.stateless_ready,
        vib.overlay,
    )
    return tuple(zip(_FLAGS, flags, strict=True))


def _flag_text(is_set: bool) -> str:  # noqa: FBT001 - one value in, its spelling out
    return "true" if is_set else "false"


def _mode_text(mode: MaintenanceMode) -> str:
    refined = {"on-install": mode.on_install, "on-remove": mode.on_remove}
    stated = {"required": mode.required} | {key: flag for key, flag in refined.items() if flag is not None}
    if len(stated) == 1:
        return _flag_text(mode.required)
    return f"{{ {', '.join(f'{key} = {_flag_text(flag)}' for key, flag in stated.items())} }}"


def _platform_lines(vib: Vib) -> Iterator[str]:
    if vib.hardware_platforms:
        machines = ({"vendor": item.vendor, "model": item.model} for item in vib.hardware_platforms)
        yield f"hardware-platforms = {_inline_tables(machines)}"
    if vib.software_platforms:
        products = (
            {"version": item.version, "product-line": item.product_line, "locale": item.locale}
            for item in vib.software_platforms
        )
        yield f"software-platforms = {_inline_tables(products)}"


def _inline_tables(tables: Iterable[Mapping[str, str]]) -> str:
    parts = (", ".join(f"{key} = {quoted(text)}" for key, text in table.items()) for table in tables)
    return f"[{', '.join(f'{{ {part} }}' for part in parts)}]"


def _payload_lines(payload: Payload) -> Iterator[str]:
    yield f"name = {quoted(payload.name)}"
    kind = PayloadType.VGZ.value if payload.type == PayloadType.VZSTD else payload.type
    yield f"type = {quoted(kind)}"
    if payload.boot_order is not None:
        yield f"boot-order = {payload.boot_order}"
    if payload.vfat_name:
        yield f"vfat-name = {quoted(payload.vfat_name)}"
