"""Lists of PCI devices: ``lspci`` of Linux and of ESXi, ``esxcli hardware pci list``, the API's list.

Which form it is, the text itself shows. Addresses are kept as they were written. Numbers of the
API are signed, so ``-32634`` is ``0x8086``. A list that names devices without their numbers is
refused, since drivers go by numbers alone.

Source: docs/formats.md#lists-of-devices.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from esximage_builder.containers.json_document import parse_json
from esximage_builder.documents.esxcli import EsxcliRecord, field_name, parse_esxcli
from esximage_builder.errors import InvalidFieldError, LimitExceededError, MalformedDocumentError
from esximage_builder.limits import DOCUMENT_BYTES
from esximage_builder.models.device import PciDevice

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["parse_devices"]


def parse_devices(data: bytes, *, where: str = "devices.txt", max_bytes: int = DOCUMENT_BYTES) -> tuple[PciDevice, ...]:
    """Read a list of PCI devices.

    Takes ``lspci -n``, ``-nn``, ``-nnk``, ``-vmmn``, ``-mmn``, ESXi's ``lspci -n`` and ``-p``,
    ``esxcli hardware pci list`` with any formatter, and JSON of the API that holds ``pciDevice`` objects.

    Args:
        data: The whole list.
        where: How to name it in errors.
        max_bytes: Upper bound for ``data``.

    Returns:
        The devices in the order of the list.

    Raises:
        LimitExceededError: Longer than ``max_bytes``.
        MalformedDocumentError: It is no such list, or none with numbers.
        InvalidFieldError: A number is none of PCI.
    """
    if len(data) > max_bytes:
        raise LimitExceededError(
            "the list is larger than the limit", where=where, found=f"{len(data)} bytes", expected=f"{max_bytes}"
        )
    encoding = "utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    text = data.decode(encoding, errors="replace").replace("\u00a0", " ")
    found = tuple(_devices(text, data, where, max_bytes))
    if not found:
        raise _no_list(text, where)
    return found


def _devices(text: str, data: bytes, where: str, max_bytes: int) -> Iterator[PciDevice]:
    if _is_json(text):
        document = parse_json(data, where=where, max_bytes=max_bytes, expected="a list of devices")
        yield from (_from_fields(fields, where) for fields in _device_objects(document))
    elif text.lstrip()[:1] == "<" or _ESXCLI_KEY.search(text) or _CSV.search(text):
        records = parse_esxcli(data, where=where, max_bytes=max_bytes).records
        yield from (_from_record(record, where) for record in records if record.text("vendorid"))
    elif _SLOT_KEY.search(text):
        yield from _from_blocks(text, where)
    else:
        yield from _from_lines(text)


_ESXCLI_KEY = re.compile(r"^\s*Vendor ID\s*:\s*\S", re.MULTILINE | re.IGNORECASE)
_CSV = re.compile(r'^(?:"?\w+"?,)*"?VendorID"?,', re.MULTILINE)
_SLOT_KEY = re.compile(
    r"^\s*(?:Slot|Device)\s*:\s*(?:[0-9a-f]+:)?[0-9a-f]{2}:[0-9a-f]{2}\.[0-9a-f]\s*$", re.MULTILINE | re.IGNORECASE
)


def _is_json(text: str) -> bool:
    """Whether a bracket begins JSON, not the prompt of a host."""
    return re.match(r'\s*(?:\{|\[\s*[\{"\[\]])', text) is not None


def _no_list(text: str, where: str) -> MalformedDocumentError:
    named = _NAMED_LINE.search(text) is not None
    return MalformedDocumentError(
        "the list names devices without their numbers" if named else "this is no list of PCI devices",
        where=where,
        found=repr(text.strip()[:60]),
        expected="vendor and device of each, such as 8086:1533",
        hint="take the output of: esxcli hardware pci list; or of: lspci -n",
    )


_NAMED_LINE = re.compile(r"^\s*(?:[0-9a-f]+:)?[0-9a-f]{2,3}:[0-9a-f]{2}\.[0-9a-f] +[A-Z]\w", re.MULTILINE)

# JSON of the API and of clients that hand it on


def _device_objects(document: object) -> Iterator[Mapping[str, Any]]:
    """Yield every object that has the numbers of a device, wherever it stands, in the order of the document."""
    waiting = [document]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            fields = {field_name(key): item for key, item in value.items()}
            if "vendorid" in fields and "deviceid" in fields:
                yield fields
            else:
                waiting.extend(reversed(list(value.values())))
        elif isinstance(value, list):
            waiting.extend(reversed(value))


def _from_fields(fields: Mapping[str, Any], where: str) -> PciDevice:
    texts = {
        name: tuple(str(item) for item in (value if isinstance(value, list) else [value]))
        for name, value in fields.items()
        if value is not None
    }
    return _from_record(EsxcliRecord("", texts), where)


def _from_record(record: EsxcliRecord, where: str) -> PciDevice:
    address = record.text("address", "id", "slot") or record.heading
    place = f"{where}#{address}"
    code, has_interface = _class_of(record, place)
    return PciDevice(
        address=address,
        vendor_id=_required(record, "vendorid", place),
        device_id=_required(record, "deviceid", place),
        subvendor_id=_number(record.text("subvendorid"), place),
        subdevice_id=_number(record.text("subdeviceid"), place),
        class_code=code,
        has_interface=has_interface,
        name=_name(record.text("vendorname"), record.text("devicename")),
        alias=record.text("vmkernelname"),
        driver=record.text("modulename"),
    )


def _class_of(record: EsxcliRecord, place: str) -> tuple[int | None, bool]:
    """Return the class as 24 bits, and whether the last 8 of them were told."""
    number = _number(record.text("deviceclass", "classid"), place)
    interface = _number(record.text("programminginterface"), place)
    if number is None:
        return None, True
    return number << 8 | (interface or 0) & 0xFF, interface is not None


def _required(record: EsxcliRecord, name: str, place: str) -> int:
    number = _number(record.text(name), place)
    if number is None:
        raise InvalidFieldError("a device has no number", where=place, found="nothing", expected=f"a {name}")
    return number


def _number(text: str, place: str) -> int | None:
    """Return a number of 16 bits, written as ``0x8086``, ``32902`` or, by the API, ``-32634``."""
    if not text or text.lower() in ("none", "n/a"):
        return None
    try:
        number = int(text, 0)
    except ValueError:
        try:
            number = int(text, 16)
        except ValueError:
            number = 1 << 16
    if not -(1 << 15) <= number < 1 << 16:
        raise InvalidFieldError("this is no number of PCI", where=place, found=repr(text)[:40], expected="16 bits")
    return number & 0xFFFF


def _name(vendor: str, device: str) -> str:
    return f"{vendor} {device}".strip()


# lspci

_ADDRESS = r"(?P<address>(?:[0-9a-f]+:)?[0-9a-f]{2,3}:[0-9a-f]{2}\.[0-9a-f]+)"
_PAIR = r"(?P<vendor>[0-9a-f]{4}):(?P<device>[0-9a-f]{4})"
_LINES = (
    # lspci -n, of Linux and of ESXi
    re.compile(rf"{_ADDRESS} (?:Class )?(?P<class>[0-9a-f]{{4}}): {_PAIR}(?P<rest>\b.*)", re.IGNORECASE),
    # lspci -nn
    re.compile(
        rf"{_ADDRESS} (?P<kind>.*?) \[(?P<class>[0-9a-f]{{4}})\]: (?P<name>.*?) ?\[{_PAIR}\](?P<rest>.*)", re.IGNORECASE
    ),
    # lspci -mmn
    re.compile(
        rf'{_ADDRESS} "(?P<class>[0-9a-f]{{4}})" "(?P<vendor>[0-9a-f]{{4}})" "(?P<device>[0-9a-f]{{4}})"'
        r'(?P<rest>(?: -\w+)*(?: "(?P<subvendor>[0-9a-f]{4})" "(?P<subdevice>[0-9a-f]{4})")?.*)',
        re.IGNORECASE,
    ),
    # ESXi's lspci -p
    re.compile(
        rf"{_ADDRESS}\s+{_PAIR}\s+(?P<subvendor>[0-9a-f]{{4}}):(?P<subdevice>[0-9a-f]{{4}})\b(?P<rest>.*)",
        re.IGNORECASE,
    ),
)
_ALIAS = re.compile(r"\bvm(?:nic|hba|gfx)\d+\b")
_INTERFACE = re.compile(r"(?:\(prog-if | -p)(?P<number>[0-9a-f]{2})\b")
_DRIVER = re.compile(r"\s+Kernel driver in use: (?P<name>\S+)")


def _from_lines(text: str) -> Iterator[PciDevice]:
    """Read a line for each device, and what is indented below it."""
    current: dict[str, Any] = {}
    for line in text.splitlines():
        found = next((found for pattern in _LINES if (found := pattern.fullmatch(line.strip()))), None)
        if found is not None:
            if current:
                yield PciDevice(**current)
            current = _line_fields(found)
        elif current:
            _add_detail(current, line)
    if current:
        yield PciDevice(**current)


def _line_fields(found: re.Match[str]) -> dict[str, Any]:
    parts = found.groupdict()
    rest = parts["rest"]
    interface = _INTERFACE.search(rest)
    code = parts.get("class")
    alias = _ALIAS.search(rest)
    return {
        "address": parts["address"],
        "vendor_id": int(parts["vendor"], 16),
        "device_id": int(parts["device"], 16),
        "subvendor_id": int(sub, 16) if (sub := parts.get("subvendor")) else None,
        "subdevice_id": int(sub, 16) if (sub := parts.get("subdevice")) else None,
        "class_code": None if code is None else int(code, 16) << 8 | int(interface["number"] if interface else "0", 16),
        "has_interface": interface is not None or code is None,
        "name": parts.get("name") or "",
        "alias": alias[0] if alias else "",
    }


def _add_detail(current: dict[str, Any], line: str) -> None:
    """Take subsystem and driver from a line below a device."""
    if "Subsystem:" in line and (found := re.search(_PAIR, line)):
        current |= {"subvendor_id": int(found["vendor"], 16), "subdevice_id": int(found["device"], 16)}
    elif found := _DRIVER.fullmatch(line.rstrip()):
        current["driver"] = found["name"]


_BLOCK_LINE = re.compile(r"\s*(?P<key>[A-Za-z]+)\s*:\s*(?P<value>.*?)\s*")
_BRACKETED = re.compile(r"(?P<name>.*?)\s*\[(?P<number>[0-9a-f]{4})\]", re.IGNORECASE)
_IS_ADDRESS = re.compile(_ADDRESS, re.IGNORECASE)


def _from_blocks(text: str, where: str) -> Iterator[PciDevice]:
    """Read blocks as ``lspci -vmmn`` prints them; without the second m the address is called ``Device`` too."""
    for block in re.split(r"\n\s*\n", text.replace("\r\n", "\n")):
        fields: dict[str, str] = {}
        for line in block.splitlines():
            found = _BLOCK_LINE.fullmatch(line)
            if found is not None:
                key = found["key"].lower()
                is_slot = key == "device" and _IS_ADDRESS.fullmatch(found["value"])
                fields.setdefault("slot" if is_slot else key, found["value"])
        if "slot" in fields:
            yield _from_block(fields, f"{where}#{fields['slot']}")


def _from_block(fields: Mapping[str, str], place: str) -> PciDevice:
    numbers = {key: _in_brackets(fields.get(key, "")) for key in ("vendor", "device", "svendor", "sdevice", "class")}
    vendor, device, code = numbers["vendor"], numbers["device"], numbers["class"]
    if vendor is None or device is None:
        raise MalformedDocumentError(
            "a device has no numbers", where=place, found=fields.get("device", ""), expected="output of lspci -vmmn",
            hint="add -n or -nn to the options of lspci",
        )  # fmt: skip
    interface = fields.get("progif")
    return PciDevice(
        address=fields["slot"],
        vendor_id=vendor,
        device_id=device,
        subvendor_id=numbers["svendor"],
        subdevice_id=numbers["sdevice"],
        class_code=None if code is None else code << 8 | int(interface or "0", 16),
        has_interface=interface is not None,
        name=_name(
            *(found["name"] if (found := _BRACKETED.fullmatch(fields[key])) else "" for key in ("vendor", "device"))
        ),
        driver=fields.get("driver", ""),
    )


def _in_brackets(text: str) -> int | None:
    """Return the number of ``8086`` or of ``Intel Corporation [8086]``; None if there is none."""
    found = _BRACKETED.fullmatch(text)
    digits = found["number"] if found else text
    return int(digits, 16) if re.fullmatch(r"[0-9a-fA-F]{4}", digits) else None
