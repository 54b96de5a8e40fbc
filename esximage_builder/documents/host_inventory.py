"""Inventories of hosts in JSON: this library's own form, and what the vSphere API gives.

The own form is the API's ``SoftwareInfo`` with more keys, marked by ``esximage_host``. A key that is
not there was not told; ``null`` and empty lists mean that the host has none. What is known of a part
that was not told as a whole stands below ``partial``.

``SoftwareInfo`` of a host tells only components beyond base image and add-on, so it leaves open what
else is installed. ``installed-components`` tells all of them.

Source: docs/formats.md#esxcli-output; docs/hosts.md#inventory-file for the own form.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs

from esximage_builder.containers.json_document import JsonObject, parse_json, pointer, render_json, value_of
from esximage_builder.documents.esxcli import parse_esxcli
from esximage_builder.documents.host_answers import host_of_answer
from esximage_builder.documents.pci_list import parse_devices
from esximage_builder.errors import InvalidFieldError, VersionSyntaxError
from esximage_builder.limits import DOCUMENT_BYTES
from esximage_builder.models.device import PciDevice
from esximage_builder.models.host import Host, HostComponent, HostFacts, HostPart, HostSolution, HostVib
from esximage_builder.models.near_names import near_names
from esximage_builder.models.spec import AddOnReference, HardwareSupportReference
from esximage_builder.versions import AddOnVersion, BaseImageVersion, ComponentVersion, VibVersion
from esximage_builder.vocabulary import AcceptanceLevel

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

__all__ = ["parse_host", "render_host"]

_MARK = "esximage_host"
_PARTIAL = "partial"
_FORM = 1
_FACTS = tuple(field.name for field in attrs.fields(HostFacts))


def parse_host(data: bytes, *, where: str = "host.json", max_bytes: int = DOCUMENT_BYTES) -> Host:
    """Read one file of a host: an inventory in JSON, or what a command printed.

    Args:
        data: The whole file.
        where: How to name it in errors.
        max_bytes: Upper bound for ``data``.

    Returns:
        What it tells; the name is empty where it has none.

    Raises:
        LimitExceededError: Longer than ``max_bytes``.
        MalformedDocumentError: It tells nothing of a host, or is damaged.
        InvalidFieldError: A value is wrong.
    """
    document = _json_object(data, where, max_bytes)
    if document is not None:
        read = next((read for is_it, read in _FORMS if is_it(document)), None)
        if read is not None:
            return read(document, where)
    if _has_devices(data):
        return Host(name="", devices=parse_devices(data, where=where, max_bytes=max_bytes), told=[HostPart.DEVICES])
    return host_of_answer(parse_esxcli(data, where=where, max_bytes=max_bytes), where=where)


def _json_object(data: bytes, where: str, max_bytes: int) -> JsonObject | None:
    """Return the object that a file of JSON is; None for every other file."""
    if data.lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n\0")[:1] != b"{":
        return None
    document = parse_json(data, where=where, max_bytes=max_bytes, expected="an inventory of a host in JSON")
    return document if isinstance(document, dict) else None


def _has_devices(data: bytes) -> bool:
    """Whether a file lists PCI devices: no other list names vendor and device by numbers."""
    text = data.replace(b"\0", b"").lower()
    plain = text.replace(b" ", b"").replace(b"_", b"")
    return b"vendorid" in plain or b"class 0" in text or b"svendor:" in text


# Which form


def _is_own(document: JsonObject) -> bool:
    return _MARK in document


def _is_facts(document: JsonObject) -> bool:
    return bool(document) and document.keys() <= {"name", *_FACTS} and not _is_installed(document)


def _is_software_info(document: JsonObject) -> bool:
    return isinstance(document.get("base_image"), dict)


def _is_installed(document: JsonObject) -> bool:
    entries = document.get("components", document)
    return (
        isinstance(entries, dict)
        and bool(entries)
        and all(isinstance(entry, dict) and "version" in entry for entry in entries.values())
    )


# The own form


def _own(document: JsonObject, where: str) -> Host:
    form = document[_MARK]
    if form != _FORM:
        raise InvalidFieldError(
            "this form of inventory is not known",
            where=pointer(where, _MARK),
            found=repr(form)[:40],
            expected=str(_FORM),
            hint="a later release of this library may know it",
        )
    _require_known(document, {_MARK, _PARTIAL, "name", "facts", *HostPart}, where)
    partial = _object(document.get(_PARTIAL), pointer(where, _PARTIAL))
    _require_known(partial, {part.value for part in HostPart} - document.keys(), pointer(where, _PARTIAL))
    told = [part for part in HostPart if part.value in document]
    fields = _fields(partial, pointer(where, _PARTIAL)) | _fields(document, where)
    return Host(
        name=value_of(document.get("name", ""), str, where=pointer(where, "name"), expected="a text"),
        facts=_facts(document.get("facts", {}), pointer(where, "facts")),
        told=told,
        **fields,
    )


def _fields(document: JsonObject, where: str) -> dict[str, Any]:
    parts = [part for part in HostPart if part.value in document]
    return {part.value: _PARTS[part](document[part.value], pointer(where, part.value)) for part in parts}


def _require_known(document: JsonObject, known: set[str], where: str) -> None:
    for key in document:
        if key not in known:
            near = near_names(key, known)
            raise InvalidFieldError(
                "an inventory has no such key",
                where=pointer(where, key),
                found=repr(key),
                expected=", ".join(sorted(known)),
                hint=f"did you mean {near[0]}?" if near else "",
            )


def _facts(value: object, where: str) -> HostFacts:
    document = _object(value, where)
    _require_known(document, set(_FACTS), where)
    given = {}
    for field in attrs.fields(HostFacts):
        entry = document.get(field.name)
        if entry is None:
            continue
        kind = {"oem_strings": list, "boot_bank_bytes": int}.get(field.name, str if field.default == "" else bool)
        given[field.name] = value_of(entry, kind, where=pointer(where, field.name), expected=f"a {kind.__name__}")
    return HostFacts(**given)


def _object(value: object, where: str) -> JsonObject:
    found: JsonObject = value_of({} if value is None else value, dict, where=where, expected="an object")
    return found


def _text(document: JsonObject, key: str, where: str, default: str | None = None) -> str:
    entry = document.get(key, default)
    found: str = value_of(entry, str, where=pointer(where, key), expected="a text")
    return found


def _texts(value: object, where: str) -> tuple[str, ...]:
    listed = value_of([] if value is None else value, list, where=where, expected="a list of texts")
    return tuple(value_of(item, str, where=where, expected="a text") for item in listed)


def _versioned(value: object, where: str) -> JsonObject:
    """Return an entry that may be a version alone."""
    return {"version": value} if isinstance(value, str) else _object(value, where)


def _parsed(kind: Callable[[str], Any], text: str, where: str) -> Any:  # noqa: ANN401 - the version's class
    try:
        return kind(text)
    except VersionSyntaxError as error:
        raise InvalidFieldError(
            str(error.args[0]).splitlines()[0], where=where, found=repr(text)[:60], expected=error.expected
        ) from error


def _base_image(value: object, where: str) -> BaseImageVersion | None:
    if value is None:
        return None
    text = _text(_versioned(value, where), "version", where)
    found: BaseImageVersion = _parsed(BaseImageVersion, text, where)
    return found


def _add_on(value: object, where: str) -> AddOnReference | None:
    if not value:
        return None
    document = _object(value, where)
    return AddOnReference(
        _text(document, "name", where), _parsed(AddOnVersion, _text(document, "version", where), where)
    )


def _components(value: object, where: str) -> tuple[HostComponent, ...]:
    return tuple(
        HostComponent(
            name=name,
            version=_parsed(ComponentVersion, _text(entry, "version", place), place),
            is_manual=_flag(entry, "is_manual", place),
            platforms=_texts(entry.get("platforms"), place),
        )
        for name, entry, place in _entries(value, where)
        if entry.get("version")
    )


def _entries(value: object, where: str) -> Iterator[tuple[str, JsonObject, str]]:
    for name, entry in sorted(_object(value, where).items()):
        for one in entry if isinstance(entry, list) else [entry]:
            yield name, _versioned(one, pointer(where, name)), pointer(where, name)


def _flag(document: JsonObject, key: str, where: str) -> bool | None:
    entry = document.get(key)
    if entry is None:
        return None
    found: bool = value_of(entry, bool, where=pointer(where, key), expected="true, false or null")
    return found


def _vibs(value: object, where: str) -> tuple[HostVib, ...]:
    return tuple(
        HostVib(
            name=name,
            version=_parsed(VibVersion, _text(entry, "version", place), place),
            vendor=_text(entry, "vendor", place, ""),
            acceptance_level=_level(entry.get("acceptance_level"), place),
            platforms=_texts(entry.get("platforms"), place),
            is_live_removable=_flag(entry, "is_live_removable", place),
            needs_maintenance_mode=_flag(entry, "needs_maintenance_mode", place),
        )
        for name, entry, place in _entries(value, where)
    )


def _level(value: object, where: str) -> AcceptanceLevel | None:
    if value is None:
        return None
    try:
        return AcceptanceLevel.from_text(value_of(value, str, where=where, expected="a text"))
    except ValueError:
        levels = ", ".join(level.value for level in AcceptanceLevel)
        raise InvalidFieldError(
            "this is no acceptance level", where=where, found=repr(value)[:60], expected=levels
        ) from None


def _solutions(value: object, where: str) -> tuple[HostSolution, ...]:
    return tuple(
        HostSolution(
            name=name,
            version=_text(entry, "version", place, ""),
            components=tuple(_names(entry.get("components"), place)),
        )
        for name, entry, place in _entries(value, where)
    )


def _names(value: object, where: str) -> Iterator[str]:
    """Yield the names of a solution's components: texts, or objects as the API has them."""
    if isinstance(value, dict):
        yield from sorted(value)
        return
    for item in value_of([] if value is None else value, list, where=where, expected="a list"):
        if isinstance(item, dict):
            item = item.get("component")  # noqa: PLW2901 - the name is what counts
        yield value_of(item, str, where=where, expected="the name of a component")


def _hardware_support(value: object, where: str) -> tuple[HardwareSupportReference, ...]:
    document = _object(value, where)
    packages = document.get("packages", document)
    return tuple(
        HardwareSupportReference(
            manager=name, package=_text(entry, "pkg", place), version=_text(entry, "version", place, "")
        )
        for name, entry, place in _entries(packages, where)
    )


def _devices(value: object, where: str) -> tuple[PciDevice, ...]:
    listed = value_of([] if value is None else value, list, where=where, expected="a list of devices")
    return tuple(_device(_object(item, where), pointer(where, number)) for number, item in enumerate(listed))


def _device(entry: JsonObject, where: str) -> PciDevice:
    numbers: dict[str, Any] = {}
    for key, field in _NUMBERS.items():
        text = entry.get(key)
        if text is not None:
            numbers[field] = _hexadecimal(
                value_of(text, str, where=pointer(where, key), expected="hexadecimal digits"), where
            )
    for needed in ("vendor_id", "device_id"):
        if needed not in numbers:
            raise InvalidFieldError(
                "a device has no number", where=pointer(where, needed), expected="four hexadecimal digits"
            )
    texts: dict[str, Any] = {key: _text(entry, key, where, "") for key in ("address", "name", "alias", "driver")}
    return PciDevice(**numbers, **texts, has_interface=entry.get("has_interface", True) is not False)


_NUMBERS = {
    "vendor_id": "vendor_id",
    "device_id": "device_id",
    "subvendor_id": "subvendor_id",
    "subdevice_id": "subdevice_id",
    "class": "class_code",
}


def _hexadecimal(text: str, where: str) -> int:
    try:
        return int(text, 16)
    except ValueError:
        raise InvalidFieldError(
            "this is no number of PCI", where=where, found=repr(text)[:40], expected="hexadecimal digits"
        ) from None


_PARTS: dict[HostPart, Callable[[object, str], Any]] = {
    HostPart.BASE_IMAGE: _base_image,
    HostPart.ADD_ON: _add_on,
    HostPart.COMPONENTS: _components,
    HostPart.STANDALONE_VIBS: _texts,
    HostPart.VIBS: _vibs,
    HostPart.SOLUTIONS: _solutions,
    HostPart.HARDWARE_SUPPORT: _hardware_support,
    HostPart.DEVICES: _devices,
}

# The API's forms


def _software_info(document: JsonObject, where: str) -> Host:
    """Read ``SoftwareInfo``: components beyond base image and add-on were put there by hand."""
    components = _components(document.get("components"), pointer(where, "components"))
    return Host(
        name="",
        base_image=_base_image(document["base_image"], pointer(where, "base_image")),
        add_on=_add_on(document.get("add_on"), pointer(where, "add_on")),
        components=[attrs.evolve(component, is_manual=True) for component in components],
        solutions=_solutions(document.get("solutions"), pointer(where, "solutions")),
        hardware_support=_hardware_support(document.get("hardware_support"), pointer(where, "hardware_support")),
        told=[HostPart.BASE_IMAGE, HostPart.ADD_ON, HostPart.SOLUTIONS, HostPart.HARDWARE_SUPPORT],
    )


def _installed(document: JsonObject, where: str) -> Host:
    """Read ``installed-components``: all of them, by name."""
    components = _components(document.get("components", document), where)
    return Host(name="", components=components, told=[HostPart.COMPONENTS])


def _facts_alone(document: JsonObject, where: str) -> Host:
    name = _text(document, "name", where, "")
    facts = {key: value for key, value in document.items() if key != "name"}
    return Host(name=name, facts=_facts(facts, where), told=[])


_FORMS: tuple[tuple[Callable[[JsonObject], bool], Callable[[JsonObject, str], Host]], ...] = (
    (_is_own, _own),
    (_is_software_info, _software_info),
    (_is_facts, _facts_alone),
    (_is_installed, _installed),
)


# Writing


def render_host(host: Host) -> bytes:
    """Return a host in the own form; parts of which nothing is known are left out."""
    document: JsonObject = {_MARK: _FORM, "name": host.name}
    rendered = {part: _RENDERED[part](host) for part in HostPart if part in host.told or getattr(host, part.value)}
    document |= {part.value: value for part, value in rendered.items() if part in host.told}
    partial = {part.value: value for part, value in rendered.items() if part not in host.told}
    if partial:
        document[_PARTIAL] = partial
    facts = {name: value for name in _FACTS if (value := getattr(host.facts, name)) not in (None, "", ())}
    if facts:
        document["facts"] = {name: list(value) if isinstance(value, tuple) else value for name, value in facts.items()}
    return render_json(document)


def _filled(document: JsonObject) -> JsonObject:
    return {key: value for key, value in document.items() if value not in (None, "", [], ())}


def _by_name(entries: Iterable[tuple[str, JsonObject]]) -> JsonObject:
    """Return the entries by name; a list where a host told several of one name."""
    by_name: dict[str, list[JsonObject]] = {}
    for name, entry in entries:
        by_name.setdefault(name, []).append(entry)
    return {name: found[0] if len(found) == 1 else found for name, found in by_name.items()}


_RENDERED: dict[HostPart, Callable[[Host], object]] = {
    HostPart.BASE_IMAGE: lambda host: host.base_image and host.base_image.text,
    HostPart.ADD_ON: lambda host: host.add_on and {"name": host.add_on.name, "version": host.add_on.version.text},
    HostPart.COMPONENTS: lambda host: _by_name(
        (
            part.name,
            _filled({"version": part.version.text, "is_manual": part.is_manual, "platforms": list(part.platforms)}),
        )
        for part in host.components
    ),
    HostPart.STANDALONE_VIBS: lambda host: list(host.standalone_vibs),
    HostPart.VIBS: lambda host: _by_name((vib.name, _rendered_vib(vib)) for vib in host.vibs),
    HostPart.SOLUTIONS: lambda host: {
        part.name: {"version": part.version, "components": list(part.components)} for part in host.solutions
    },
    HostPart.HARDWARE_SUPPORT: lambda host: {
        "packages": {part.manager: {"pkg": part.package, "version": part.version} for part in host.hardware_support}
    },
    HostPart.DEVICES: lambda host: [_rendered_device(device) for device in host.devices],
}


def _rendered_vib(vib: HostVib) -> JsonObject:
    return _filled(
        {
            "version": vib.version.text,
            "vendor": vib.vendor,
            "acceptance_level": vib.acceptance_level and vib.acceptance_level.value,
            "platforms": list(vib.platforms),
            "is_live_removable": vib.is_live_removable,
            "needs_maintenance_mode": vib.needs_maintenance_mode,
        }
    )


def _rendered_device(device: PciDevice) -> JsonObject:
    numbers = {key: getattr(device, field) for key, field in _NUMBERS.items()}
    written = {
        key: f"{number:06x}" if key == "class" else f"{number:04x}"
        for key, number in numbers.items()
        if number is not None
    }
    texts = {"address": device.address, "name": device.name, "alias": device.alias, "driver": device.driver}
    return _filled(texts) | written | ({} if device.has_interface else {"has_interface": False})
