"""A reader of discs that owes nothing to the library: everything a disc says, as facts by name.

Written from ECMA-119 and the El Torito specification with ``struct`` alone. It follows little-endian numbers, as
Linux and ISOLINUX do, and puts the big-endian ones beside them; what it cannot follow is a fact too. Documents are
read as their readers do: case, blanks and comments where these do not matter are none of its facts.
"""

from __future__ import annotations

import datetime as dt
import functools
import gzip
import hashlib
import io
import re
import struct
import tarfile
import zipfile
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["differences", "facts_of", "places_of"]

BLOCK = 2048
CLOCK = dt.timedelta(seconds=3)
TEXTS = ((8, 40), (40, 72), (190, 318), (318, 446), (446, 574), (574, 702), (702, 739), (739, 776), (776, 813))
DATES = (813, 830, 847, 864)
Facts = dict[str, object]


def facts_of(iso: bytes) -> Facts:
    """Everything that the disc says."""
    facts: Facts = {}
    try:
        for name, value in _facts(iso):
            facts[name] = value
    except (struct.error, IndexError, ValueError, RecursionError) as error:
        facts["unreadable"] = repr(error)
    return facts


def differences(before: Facts, after: Facts) -> set[str]:
    """Names of facts that differ; dates have to be apart by more than a clock's ticking."""
    return {name for name in {*before, *after} if not _is_same(before.get(name, "nothing"), after.get(name, "nothing"))}


def _is_same(one: object, other: object) -> bool:
    if isinstance(one, dt.datetime) and isinstance(other, dt.datetime):
        return abs(one - other) <= CLOCK
    return one == other


def _facts(iso: bytes) -> Iterator[tuple[str, object]]:
    yield "system area", iso[: 16 * BLOCK].rstrip(b"\0")
    primary = iso[16 * BLOCK : 17 * BLOCK]
    for sector in range(16, 24):
        descriptor = iso[sector * BLOCK : (sector + 1) * BLOCK]
        yield from _descriptor_facts(f"descriptor {sector}", descriptor)
        if descriptor[:1] == b"\xff":
            break
    (blocks,) = struct.unpack_from("<I", primary, 80)
    yield "behind the end", iso[blocks * BLOCK :]
    (table_bytes,) = struct.unpack_from("<I", primary, 132)
    for name, at, form in (("little", 140, "<I"), ("big", 148, ">I")):
        (place,) = struct.unpack_from(form, primary, at)
        yield f"path table {name}", iso[place * BLOCK : place * BLOCK + table_bytes]
    (catalog,) = struct.unpack_from("<I", iso, 17 * BLOCK + 71)
    yield from _catalog_facts(iso[catalog * BLOCK : (catalog + 1) * BLOCK])
    yield from _folder_facts(iso, primary[156:190], "")


def _catalog_facts(data: bytes) -> Iterator[tuple[str, object]]:
    """Head, entry, then headers with their entries; whatever they leave free, and what follows, by itself."""
    yield "boot catalog head", data[:32]
    yield "boot catalog entry 1", (data[32:36], data[38:44])
    spare, at = data[36:38] + data[44:64], 64
    while data[at] in (0x90, 0x91):
        yield f"boot catalog header at {at}", data[at : at + 4]
        spare += data[at + 4 : at + 32]
        count, is_last = int.from_bytes(data[at + 2 : at + 4], "little"), data[at] == 0x91
        for number in range(min(count, 50)):
            entry = data[at + 32 * (number + 1) : at + 32 * (number + 2)]
            yield f"boot catalog entry {number + 1} at {at}", (entry[:4], entry[6:12])
            spare += entry[4:6] + entry[12:]
        at += 32 * (min(count, 50) + 1)
        if is_last:
            break
    yield "spare bytes of the boot catalog", spare + data[at:]


def _descriptor_facts(name: str, data: bytes) -> Iterator[tuple[str, object]]:
    if data[:1] != b"\x01":
        start = 75 if data[:1] == b"\0" else 7
        yield f"{name} numbers", data[:39] + data[71:75] if start != 7 else data[:7]
        yield f"spare bytes of {name}", data[39:71] + data[75:] if start != 7 else data[7:]
        return
    rest = bytearray(data)
    for start, end in TEXTS:
        yield f"{name} text {start}", data[start:end].rstrip(b"\0 ")
        rest[start:end] = bytes(end - start)
    for start in DATES:
        yield f"{name} date {start}", _volume_date(data[start : start + 17])
        rest[start : start + 17] = bytes(17)
    yield f"{name} note", data[883:1395].strip(b"\0 ")
    rest[883:1395] = bytes(512)
    yield f"{name} date 174", _record_date(data[174:181])
    rest[174:181] = bytes(7)
    spare = ((7, 8), (72, 80), (88, 120), (882, 883), (1395, BLOCK))
    yield f"spare bytes of {name}", b"".join(bytes(rest[start:end]) for start, end in spare)
    for start, end in spare:
        rest[start:end] = bytes(end - start)
    yield f"{name} numbers", bytes(rest)


def _volume_date(data: bytes) -> object:
    if re.fullmatch(rb"[0-9]{14}00[\0-\x30]", data):
        try:
            return dt.datetime.strptime(data[:14].decode(), "%Y%m%d%H%M%S").replace(
                tzinfo=dt.timezone(dt.timedelta(minutes=15 * data[16]))
            )
        except ValueError:
            return data
    return data


def _record_date(data: bytes) -> object:
    try:
        year, *rest = data[:6]
        zone = dt.timezone(dt.timedelta(minutes=15 * struct.unpack("b", data[6:7])[0]))
        return dt.datetime(1900 + year, *rest, tzinfo=zone)  # type: ignore[arg-type,misc]
    except ValueError:
        return data


def _records(iso: bytes, record: bytes) -> Iterator[tuple[int, bytes]]:
    """Place and bytes of each record of a folder."""
    place, size = struct.unpack_from("<I4xI", record, 2)
    start = (place + record[1]) * BLOCK
    for block in range(start, start + size, BLOCK):
        at = block
        while at < min(block + BLOCK, len(iso)) and iso[at]:
            yield at, iso[at : at + iso[at]]
            at += iso[at]


def _folder_facts(iso: bytes, record: bytes, prefix: str, depth: int = 0) -> Iterator[tuple[str, object]]:
    if depth > 8:
        raise ValueError("a folder in itself")
    place, size = struct.unpack_from("<I4xI", record, 2)
    records = list(_records(iso, record))
    ends = {at + len(data) for at, data in records} or {place * BLOCK}
    yield f"rest of folder {prefix}", [iso[end : (end // BLOCK + 1) * BLOCK].strip(b"\0") for end in (max(ends),)]
    for _, data in records:
        raw = data[33 : 33 + data[32]]
        name = {b"\0": ".", b"\1": ".."}.get(raw, raw.decode("latin-1"))
        path = prefix + name
        yield f"place of {path}", (data[2:18], data[25] & 0xE2, data[26:28])
        yield f"record {path}", data[:18] + data[25:]
        yield f"date of {path}", _record_date(data[18:25])
        if data[25] & 2:
            if name not in (".", ".."):
                yield from _folder_facts(iso, data, f"{path}/", depth + 1)
            continue
        place, size = struct.unpack_from("<I4xI", data, 2)
        start = (place + data[1]) * BLOCK
        if name != "BOOT.CAT;1":
            yield from _file_facts(path.partition(";")[0], iso[start : start + size])


def _file_facts(path: str, data: bytes) -> Iterator[tuple[str, object]]:
    """What a file decides, and beside that its words."""
    content = _content(path, data)
    if path == "ISOLINUX.CFG":
        yield f"file {path}", _started(content)
        yield f"words of {path}", content
    elif path == "ISOLINUX.BIN":
        yield f"file {path}", data[:24] + data[64:]
        yield f"rest of the table of {path}", data[24:64]
    elif path == "UPGRADE/PROFILE.XML":
        yield f"file {path}", _vib_ids(data)
        yield f"words of {path}", content
    else:
        yield f"file {path}", content


def _started(lines: object) -> object:
    """What the menu's first label starts, or the label that is named; nothing where no menu is."""
    assert isinstance(lines, list)
    default = next((line[1:] for line in lines if line[0] == "default"), None)
    labels: dict[str, list[object]] = {}
    for line in lines:
        if line[0] == "label":
            labels[" ".join(line[1:])] = []
        elif labels and line[0] in ("kernel", "append", "localboot"):
            labels[list(labels)[-1]].append(line)
    if not default or not labels:
        return None
    name = next(iter(labels)) if default == ["menu.c32"] else " ".join(default)
    return default[0].endswith(".c32"), labels.get(name)


def _vib_ids(data: bytes) -> object:
    try:
        return sorted(element.text or "" for element in ET.fromstring(data).iter("vib-id"))  # noqa: S314 - as below
    except ET.ParseError:
        return "unreadable"


@functools.lru_cache(maxsize=256)
def _content(path: str, data: bytes) -> object:
    """What a file says to whoever reads it."""
    readers = {
        "BOOT.CFG": _boot_cfg,
        "ISOLINUX.CFG": _menu_lines,
        ".XML": lambda text: _element(ET.fromstring(text)),  # noqa: S314 - a document of ours with a byte changed
        ".ZIP": _zip_members,
        ".TGZ": _tar_members,
    }
    reader = next((reader for suffix, reader in readers.items() if path.endswith(suffix)), None)
    try:
        return hashlib.sha256(data).hexdigest() if reader is None else reader(data)
    except Exception as error:  # noqa: BLE001 - whatever Python's readers raise, it is not what it was
        return f"unreadable: {type(error).__name__}"


def _menu_lines(data: bytes) -> object:
    lines = [line.split() for line in data.decode("latin-1").lower().split("\n")]
    return [line for line in lines if line and not line[0].startswith("#")]


def _zip_members(data: bytes) -> object:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def _tar_members(data: bytes) -> object:
    with tarfile.open(fileobj=io.BytesIO(gzip.decompress(data))) as archive:
        return [(m.name, m.type, (archive.extractfile(m) or io.BytesIO()).read()) for m in archive]


def _boot_cfg(data: bytes) -> object:
    """Keys in lower case with runs of blanks as one; the loader's defaults for those that are not there."""
    found = {"timeout": "5", "prefix": "", "updated": "0", "build": ""}
    for line in data.decode("latin-1").split("\n"):
        key, sign, value = line.partition("=")
        if sign and not line.lstrip().startswith("#") and re.fullmatch(r"[a-z][a-z0-9_]*", key.strip().lower()):
            found[key.strip().lower()] = " ".join(value.split())
    return found


def _element(element: ET.Element) -> object:
    text = ((element.text or "").strip(), (element.tail or "").strip())
    return element.tag, sorted(element.attrib.items()), text, [_element(child) for child in element]


def places_of(iso: bytes) -> dict[str, list[int]]:
    """Byte offsets of what is worth changing, by what it belongs to."""
    primary = iso[16 * BLOCK : 17 * BLOCK]
    places = {"descriptors": list(range(16 * BLOCK, 19 * BLOCK))}
    (table_bytes,) = struct.unpack_from("<I", primary, 132)
    for at, form in ((140, "<I"), (148, ">I")):
        (place,) = struct.unpack_from(form, primary, at)
        places.setdefault("path tables", []).extend(range(place * BLOCK, place * BLOCK + table_bytes))
    (catalog,) = struct.unpack_from("<I", iso, 17 * BLOCK + 71)
    places["boot catalog"] = list(range(catalog * BLOCK, catalog * BLOCK + 192))
    waiting = [("", primary[156:190])]
    while waiting:
        prefix, folder = waiting.pop()
        for at, data in _records(iso, folder):
            places.setdefault("directories", []).extend(range(at, at + len(data)))
            raw = data[33 : 33 + data[32]]
            path = prefix + raw.decode("latin-1").partition(";")[0]
            place, size = struct.unpack_from("<I4xI", data, 2)
            if data[25] & 2:
                waiting += [(f"{path}/", data)] if raw not in (b"\0", b"\1") else []
            elif size and path != "BOOT.CAT":
                places[path] = list(range(place * BLOCK, place * BLOCK + size))
    return places
