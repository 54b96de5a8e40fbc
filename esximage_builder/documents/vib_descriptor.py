"""The VIB descriptor: ``descriptor.xml`` of a ``.vib`` and its copies in depot metadata.

Read in any order of elements, written in VMware's own. A depot copy has three more
elements (``relative-path``, ``packed-size``, ``checksum``); a host copy has ``installdate``.
Signatures cover the exact bytes in the ``.vib``, so nothing here is ever fit for checking one.

Source: docs/formats.md#vib-descriptor.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from esximage_builder.checksums import Checksum
from esximage_builder.containers.dates import render_time
from esximage_builder.containers.xml import (
    XmlElement,
    add_element,
    add_raw,
    attribute,
    boolean,
    child_elements,
    children_by_tag,
    integer,
    invalid_field,
    new_element,
    parse_xml,
    render_xml,
    require_text,
    text_of,
    time_of,
    unknown_children,
)
from esximage_builder.documents.software_platform import add_software_platforms, parse_software_platforms
from esximage_builder.documents.stated_elements import unstated_elements
from esximage_builder.errors import VersionSyntaxError
from esximage_builder.limits import DOCUMENT_BYTES
from esximage_builder.models.constraint import Constraint, Provide
from esximage_builder.models.vib import (
    HardwarePlatform,
    MaintenanceMode,
    Payload,
    Vib,
    VibFile,
)
from esximage_builder.versions import VibVersion
from esximage_builder.vocabulary import AcceptanceLevel, Relation, VibType

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = [
    "add_relationships",
    "descriptor_file_name",
    "parse_relationships",
    "parse_vib_descriptor",
    "parse_vib_metadata",
    "render_vib_descriptor",
]

_KNOWN = frozenset(
    {
        "type", "name", "version", "vendor", "summary", "description", "release-date", "urls",
        "relationships", "software-tags", "relative-path", "packed-size", "checksum", "installdate",
        "system-requires", "file-list", "acceptance-level", "live-install-allowed",
        "live-remove-allowed", "cimom-restart", "stateless-ready", "overlay", "payloads",
    }
)  # fmt: skip

_KNOWN_PAYLOAD = frozenset(
    {"name", "type", "size", "uncompressed-size", "boot-order", "vfat-name", "compression-option"}
)

_KNOWN_REQUIREMENTS = frozenset({"maintenance-mode", "maintenanceMode", "hwplatform", "softwarePlatform"})
_RELATIONS = {relation.value: relation for relation in Relation}
_LEVELS = {level.value: level for level in AcceptanceLevel}
_RELATIONSHIPS = ("depends", "conflicts", "replaces", "provides", "compatibleWith")


def descriptor_file_name(vib: Vib) -> str:
    """Return a unique name for a copy of the descriptor: ``i40en-123456789.xml``.

    Real tools put a hash there that differs from run to run; readers derive nothing from it.
    Ours is made of the id, so that it is always the same.
    """
    number = int.from_bytes(hashlib.sha256(vib.id.encode()).digest()[:7], "big")
    return f"{vib.name}-{number}.xml"


def parse_vib_descriptor(data: bytes, *, where: str = "descriptor.xml", max_bytes: int = DOCUMENT_BYTES) -> Vib:
    """Read a descriptor, from a ``.vib``, a depot or a host.

    Args:
        data: The whole document.
        where: How to name it in errors.
        max_bytes: Upper bound for ``data``; that of ``ReadLimits`` if nothing else is said.

    Returns:
        The VIB; ``file`` is set if the copy holds facts about the ``.vib`` file.

    Raises:
        MalformedDocumentError: No ``<vib>`` document.
        InvalidFieldError: An element is missing or has an impossible value.
        LimitExceededError: Longer than ``max_bytes``.
    """
    root = parse_xml(data, where=where, root="vib", max_bytes=max_bytes)
    return _vib_of(root, children_by_tag(root, where=where, known=_KNOWN), where)


def parse_vib_metadata(data: bytes, *, where: str, max_bytes: int = DOCUMENT_BYTES) -> tuple[Vib, frozenset[str]]:
    """Read a depot's copy of a descriptor, and say which elements it lacks altogether.

    Raises:
        DepotError: As ``parse_vib_descriptor`` raises it.
    """
    root = parse_xml(data, where=where, root="vib", max_bytes=max_bytes)
    children = children_by_tag(root, where=where, known=_KNOWN)
    vib = _vib_of(root, children, where)
    return vib, unstated_elements(children, vib)


def _vib_of(root: XmlElement, children: dict[str, XmlElement], where: str) -> Vib:
    relations = parse_relationships(children.get("relationships"), where=where)
    requires = children.get("system-requires")
    files = children.get("file-list")
    return Vib(
        type=text_of(children.get("type")) or VibType.BOOTBANK.value,
        name=require_text(children, "name", of=root, where=where),
        version=_version(children, root, where),
        vendor=require_text(children, "vendor", of=root, where=where),
        summary=text_of(children.get("summary")),
        description=text_of(children.get("description")),
        released_at=time_of(children.get("release-date"), where=where),
        urls=[(url.get("key") or "", text_of(url)) for url in _items(children, "urls")],
        depends=relations["depends"],
        conflicts=relations["conflicts"],
        replaces=relations["replaces"],
        provides=_provides(children.get("relationships"), where),
        compatible_with=relations["compatibleWith"],
        tags=[text_of(tag) for tag in _items(children, "software-tags")],
        maintenance_mode=_maintenance_mode(requires, where),
        hardware_platforms=_hardware_platforms(requires, where),
        software_platforms=parse_software_platforms(requires),
        files=None if files is None else tuple(text_of(file).lstrip("/") for file in files),
        acceptance_level=_acceptance_level(children.get("acceptance-level"), where),
        live_install_allowed=boolean(children.get("live-install-allowed"), where=where),
        live_remove_allowed=boolean(children.get("live-remove-allowed"), where=where),
        cimom_restart=boolean(children.get("cimom-restart"), where=where),
        stateless_ready=boolean(children.get("stateless-ready"), where=where),
        overlay=boolean(children.get("overlay"), where=where),
        payloads=_payloads(children, where),
        schema_version=root.get("version") or "",
        extra=() if children.keys() <= _KNOWN else unknown_children(root, _KNOWN),
        extra_requirements=() if requires is None else unknown_children(requires, _KNOWN_REQUIREMENTS),
        extra_relationships=_unknown_groups(children.get("relationships")),
        file=_file(children, where),
    )


def _items(children: dict[str, XmlElement], tag: str) -> Iterable[XmlElement]:
    parent = children.get(tag)
    return () if parent is None else child_elements(parent)


def _version(children: dict[str, XmlElement], root: XmlElement, where: str) -> VibVersion:
    text = require_text(children, "version", of=root, where=where)
    try:
        return VibVersion(text)
    except VersionSyntaxError as error:
        return invalid_field(
            children["version"], error.message, where=where, found=error.found, expected=error.expected
        )


def parse_relationships(element: XmlElement | None, *, where: str) -> dict[str, tuple[Constraint, ...]]:
    """Return the constraints under ``depends``, ``conflicts``, ``replaces``, ``compatibleWith``.

    Raises:
        InvalidFieldError: A constraint without name, or with half a comparison.
    """
    found: dict[str, tuple[Constraint, ...]] = dict.fromkeys(_RELATIONSHIPS, ())
    if element is None:
        return found
    for group in child_elements(element):
        if group.tag in found and group.tag != "provides":
            found[group.tag] += tuple(_constraint(item, where) for item in child_elements(group))
    return found


def _unknown_groups(relationships: XmlElement | None) -> tuple[str, ...]:
    return () if relationships is None else unknown_children(relationships, frozenset(_RELATIONSHIPS))


def _constraint(element: XmlElement, where: str) -> Constraint:
    name = attribute(element, "name", where=where)
    sign, version = element.get("relation"), element.get("version")
    if not sign and not version:
        return Constraint(name)
    relation = _RELATIONS.get(sign or "")
    if relation is None or not version:
        invalid_field(
            element,
            "the constraint is half a comparison",
            where=where,
            found=f"relation {sign!r}, version {version!r}",
            expected="one of << <= = >= >> and a version, or neither",
        )
    return Constraint(name, relation, _constraint_version(element, version, where))


def _constraint_version(element: XmlElement, text: str, where: str) -> VibVersion:
    try:
        return VibVersion(text.strip())
    except VersionSyntaxError as error:
        return invalid_field(element, error.message, where=where, found=error.found, expected=error.expected)


def _provides(element: XmlElement | None, where: str) -> tuple[Provide, ...]:
    provides = None if element is None else element.find("provides")
    if provides is None:
        return ()
    return tuple(
        Provide(
            attribute(item, "name", where=where),
            _constraint_version(item, version, where) if (version := item.get("version")) else None,
        )
        for item in child_elements(provides)
    )


def _maintenance_mode(requires: XmlElement | None, where: str) -> MaintenanceMode:
    if requires is None:
        return MaintenanceMode()
    element = requires.find("maintenance-mode")
    if element is None:
        element = requires.find("maintenanceMode")  # V-Front's and others' spelling
    if element is None:
        return MaintenanceMode()
    return MaintenanceMode(
        required=boolean(element, where=where),
        on_install=_optional_flag(element, "on-install", where),
        on_remove=_optional_flag(element, "on-remove", where),
    )


def _optional_flag(element: XmlElement, name: str, where: str) -> bool | None:
    value = element.get(name)
    if value is None:
        return None
    if value not in ("true", "false"):
        invalid_field(element, f"{name} is no truth value", where=where, found=repr(value), expected="true or false")
    return value == "true"


def _hardware_platforms(requires: XmlElement | None, where: str) -> tuple[HardwarePlatform, ...]:
    if requires is None:
        return ()
    return tuple(
        HardwarePlatform(attribute(item, "vendor", where=where), item.get("model") or "")
        for item in requires.iterfind("hwplatform")
    )


def _acceptance_level(element: XmlElement | None, where: str) -> AcceptanceLevel:
    text = text_of(element)
    if element is None or not text:
        return AcceptanceLevel.COMMUNITY
    level = _LEVELS.get(text.lower())
    if level is None:
        invalid_field(
            element, "this is no acceptance level", where=where, found=repr(text), expected=", ".join(_LEVELS)
        )
    return level


def _payloads(children: dict[str, XmlElement], where: str) -> Iterator[Payload]:
    """Yield the payloads; two of one name are refused, as the archive can hold one member of it only."""
    names: set[str] = set()
    for element in _items(children, "payloads"):
        payload = _payload(element, where)
        if payload.name in names:
            invalid_field(
                element,
                "two payloads have one name",
                where=where,
                found=repr(payload.name),
                expected="each payload name once",
            )
        names.add(payload.name)
        yield payload


def _payload(element: XmlElement, where: str) -> Payload:
    return Payload(
        name=attribute(element, "name", where=where),
        type=attribute(element, "type", where=where),
        size_bytes=integer(element, element.get("size"), where=where, of="size"),
        uncompressed_size_bytes=integer(element, element.get("uncompressed-size"), where=where, of="uncompressed-size"),
        boot_order=integer(element, element.get("boot-order"), where=where, of="boot-order"),
        vfat_name=element.get("vfat-name") or "",
        compression_option=element.get("compression-option") or "",
        checksums=[
            Checksum(
                attribute(item, "checksum-type", where=where),
                text_of(item).lower(),
                item.get("verify-process") or "",
            )
            for item in element
            if item.tag == "checksum"
        ],
        extra=[(str(key), str(value)) for key, value in element.items() if key not in _KNOWN_PAYLOAD],
        extra_elements=unknown_children(element, frozenset({"checksum"})),
    )


def _file(children: dict[str, XmlElement], where: str) -> VibFile | None:
    size, path, checksum = (children.get(tag) for tag in ("packed-size", "relative-path", "checksum"))
    if size is None and path is None and checksum is None:
        return None
    is_sha256 = checksum is not None and (checksum.get("checksum-type") or "sha-256") == "sha-256"
    return VibFile(
        size_bytes=None if size is None else integer(size, text_of(size), where=where, of="packed-size"),
        sha256=text_of(checksum).lower() if is_sha256 else "",
        relative_path=text_of(path),
    )


def render_vib_descriptor(vib: Vib, *, with_file: bool = False) -> bytes:
    """Write a descriptor as VMware's tools do: one line, elements in their order.

    Args:
        vib: What to write.
        with_file: Add what depot metadata says of the ``.vib`` file; needs ``vib.file``.

    Raises:
        ModelError: A text holds characters that XML cannot carry.
    """
    root = new_element("vib", attributes={"version": vib.schema_version} if vib.schema_version else None)
    for tag, text in (
        ("type", vib.type),
        ("name", vib.name),
        ("version", vib.version.text),
        ("vendor", vib.vendor),
        ("summary", vib.summary),
        ("description", vib.description),
    ):
        add_element(root, tag, text)
    if vib.released_at is not None:
        add_element(root, "release-date", render_time(vib.released_at))
    urls = add_element(root, "urls")
    for key, url in vib.urls:
        add_element(urls, "url", url, {"key": key})
    add_relationships(root, vib)
    _add_list(root, "software-tags", "tag", vib.tags)
    if with_file and vib.file is not None:
        _add_file(root, vib.file)
    _add_system_requires(root, vib)
    if vib.files is not None:
        _add_list(root, "file-list", "file", vib.files)
    add_element(root, "acceptance-level", vib.acceptance_level.value)
    for tag, flag in (
        ("live-install-allowed", vib.live_install_allowed),
        ("live-remove-allowed", vib.live_remove_allowed),
        ("cimom-restart", vib.cimom_restart),
        ("stateless-ready", vib.stateless_ready),
        ("overlay", vib.overlay),
    ):
        add_element(root, tag, _flag(flag))
    payloads = add_element(root, "payloads")
    for payload in vib.payloads:
        _add_payload(payloads, payload)
    _add_raws(root, vib.extra)
    return render_xml(root)


def _add_list(parent: XmlElement, tag: str, item_tag: str, texts: Iterable[str]) -> None:
    group = add_element(parent, tag)
    for text in texts:
        add_element(group, item_tag, text)


def _flag(value: bool) -> str:  # noqa: FBT001 - one value in, its spelling out
    return "true" if value else "false"


def add_relationships(parent: XmlElement, vib: Vib) -> None:
    """Append ``<relationships>``; all five groups are always there, as in VMware's files."""
    relationships = add_element(parent, "relationships")
    groups: tuple[tuple[Constraint | Provide, ...], ...] = (
        vib.depends,
        vib.conflicts,
        vib.replaces,
        vib.provides,
        vib.compatible_with,
    )
    for tag, items in zip(_RELATIONSHIPS, groups, strict=True):
        group = add_element(relationships, tag)
        for item in items:
            add_element(
                group,
                "provide" if isinstance(item, Provide) else "constraint",
                attributes=_comparison_attributes(item),
            )
    _add_raws(relationships, vib.extra_relationships)


def _add_raws(parent: XmlElement, raws: Iterable[str]) -> None:
    for raw in raws:
        add_raw(parent, raw)


def _comparison_attributes(item: Constraint | Provide) -> dict[str, str]:
    attributes = {"name": item.name}
    if isinstance(item, Constraint) and item.relation is not None:
        attributes["relation"] = item.relation.value
    if item.version is not None:
        attributes["version"] = item.version.text
    return attributes


def _add_file(root: XmlElement, file: VibFile) -> None:
    add_element(root, "relative-path", file.relative_path)
    if file.size_bytes is not None:
        add_element(root, "packed-size", str(file.size_bytes))
    if file.sha256:
        add_element(root, "checksum", file.sha256, {"checksum-type": "sha-256"})


def _add_system_requires(root: XmlElement, vib: Vib) -> None:
    requires = add_element(root, "system-requires")
    mode = vib.maintenance_mode
    flags = {"on-install": mode.on_install, "on-remove": mode.on_remove}
    add_element(
        requires,
        "maintenance-mode",
        _flag(mode.required),
        {name: _flag(flag) for name, flag in flags.items() if flag is not None},
    )
    for machine in vib.hardware_platforms:
        model = {"model": machine.model} if machine.model else {}
        add_element(requires, "hwplatform", attributes={"vendor": machine.vendor} | model)
    add_software_platforms(requires, vib.software_platforms)
    _add_raws(requires, vib.extra_requirements)


def _add_payload(parent: XmlElement, payload: Payload) -> None:
    attributes = {"name": payload.name, "type": payload.type}
    for name, number in (
        ("size", payload.size_bytes),
        ("uncompressed-size", payload.uncompressed_size_bytes),
        ("boot-order", payload.boot_order),
    ):
        if number is not None:
            attributes[name] = str(number)
    texts = {"vfat-name": payload.vfat_name, "compression-option": payload.compression_option}
    attributes |= {name: text for name, text in texts.items() if text}
    element = add_element(parent, "payload", attributes=attributes | dict(payload.extra))
    for checksum in payload.checksums:
        process = {"verify-process": checksum.verify_process} if checksum.verify_process else {}
        add_element(element, "checksum", checksum.digest, {"checksum-type": checksum.algorithm} | process)
    _add_raws(element, payload.extra_elements)
