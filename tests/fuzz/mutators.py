"""Changes that reach what lies inside: archives are unpacked, changed in one place and packed soundly again.

A flipped bit in a zip dies at its CRC, one in a VIB's descriptor at the next length. So the
structure is taken apart, a part is changed (which may have structure itself), and lengths and
checksums are put right where that is cheap. Now and then the bytes are changed as they are,
for the faults of the structure itself.

Whoever calls gives ``change``: some bytes and the most there may be of them become other bytes.
"""

from __future__ import annotations

import base64
import binascii
import io
import random
import re
import struct
import warnings
import zipfile
import zlib
from typing import TYPE_CHECKING, Final

from fuzz.targets import Shape

if TYPE_CHECKING:
    from collections.abc import Callable

    Change = Callable[[bytes, int], bytes]

__all__ = ["SHAPED", "mutated"]

_BLOCK: Final = 512
_SECTOR: Final = 2048
_DEEPEST: Final = 3
_GZIP: Final = b"\x1f\x8b"
_AR: Final = b"!<arch>\n"
_AR_HEADER: Final = 60
_ZIP: Final = b"PK\x03\x04"
_ISO_MAGIC: Final = slice(16 * _SECTOR + 1, 16 * _SECTOR + 6)
_MOST_UNPACKED: Final = 1 << 20
_NAMES: Final = ("../x", "/x", "a\\b", "c:x", "x\0y", "INDEX.XML", "x/../y", "CON", "é", "metadata.zip")


def mutated(
    data: bytes, most_bytes: int, *, shape: Shape, chance: random.Random, change: Change, depth: int = 0
) -> bytes:
    """Return other bytes of the same shape, or, one time in six, of none."""
    mutate = SHAPED.get(shape)
    if mutate is None or depth > _DEEPEST or chance.random() < 1 / 6:
        return change(data, most_bytes)
    inner = _Inner(most_bytes, chance, change, depth)
    found = mutate(data, inner)
    return found if found is not None and len(found) <= most_bytes else change(data, most_bytes)


class _Inner:
    """Changes a part by what it looks like."""

    def __init__(self, most_bytes: int, chance: random.Random, change: Change, depth: int) -> None:
        self.most_bytes = most_bytes
        self.chance = chance
        self.change = change
        self.depth = depth

    def __call__(self, part: bytes) -> bytes:
        room = min(self.most_bytes, len(part) + 256)
        shape = shape_of(part)
        return mutated(part, room, shape=shape, chance=self.chance, change=self.change, depth=self.depth + 1)


def shape_of(part: bytes) -> Shape:
    """Tell what some bytes look like."""
    for magic, shape in ((_GZIP, Shape.GZIP), (_AR, Shape.AR), (_ZIP, Shape.ZIP), (b"-----BEGIN", Shape.PEM)):
        if part.startswith(magic):
            return shape
    if part[257:262] in {b"ustar", b"visor"}:
        return Shape.TAR
    return Shape.ISO if part[_ISO_MAGIC] == b"CD001" else Shape.BINARY


def _gzip(data: bytes, inner: _Inner) -> bytes | None:
    try:
        plain = zlib.decompressobj(31).decompress(data, _MOST_UNPACKED)
    except zlib.error:
        return None
    packer = zlib.compressobj(inner.chance.choice((0, 1, 6)), wbits=31)
    return packer.compress(inner(plain)) + packer.flush()


def _tar(data: bytes, inner: _Inner) -> bytes | None:
    """Change one header or one place, then put the checksums of all headers right, mostly."""
    blocks = max(1, len(data) // _BLOCK)
    at = _BLOCK * inner.chance.randrange(blocks)
    part = inner.change(data[at : at + _BLOCK], _BLOCK).ljust(_BLOCK, b"\0")[:_BLOCK]
    changed = bytearray(data[:at] + part + data[at + _BLOCK :])
    if inner.chance.random() < 0.9:
        for head in range(0, len(changed) - _BLOCK + 1, _BLOCK):
            if bytes(changed[head + 257 : head + 262]) in {b"ustar", b"visor"}:
                changed[head + 148 : head + 156] = b" " * 8
                changed[head + 148 : head + 156] = b"%06o\0 " % sum(changed[head : head + _BLOCK])
    return bytes(changed)


def _ar(data: bytes, inner: _Inner) -> bytes | None:
    """Change one member and put its length right, double one, drop one, or change places."""
    members = _ar_members(data)
    if not members:
        return None
    at = inner.chance.randrange(len(members))
    name, content = members[at]
    match inner.chance.randrange(8):
        case 0:
            members.insert(inner.chance.randrange(len(members) + 1), members[at])
        case 1:
            del members[at]
        case 2:
            members[at] = (inner.change(name, 16).ljust(16)[:16], content)
        case _:
            members[at] = (name, inner(content))
    return _AR + b"".join(_ar_member(*member) for member in members)


def _ar_members(data: bytes) -> list[tuple[bytes, bytes]]:
    members = []
    at = len(_AR)
    while data.startswith(_AR) and len(header := data[at : at + _AR_HEADER]) == _AR_HEADER:
        digits = header[48:58].strip()
        if not re.fullmatch(rb"\d{1,9}", digits):
            break
        start, size = at + _AR_HEADER, int(digits)
        members.append((header[:16], data[start : start + size]))
        at = start + size + size % 2
    return members


def _ar_member(name: bytes, content: bytes) -> bytes:
    return b"%s%-12d%-6d%-6d%-8d%-10d`\n%s%s" % (name, 0, 0, 0, 0, len(content), content, b"\n" * (len(content) % 2))


def _zip(data: bytes, inner: _Inner) -> bytes | None:
    """Change one member and pack soundly, rename it, double it, or drop it."""
    members = _zip_members(data)
    if not members:
        return None
    at = inner.chance.randrange(len(members))
    name, content = members[at]
    match inner.chance.randrange(12):
        case 0:
            members[at] = (inner.chance.choice(_NAMES), content)
        case 1:
            del members[at]
        case 2:
            members.append((name.swapcase(), inner(content)))
        case 3:
            members[at] = (inner.change(name.encode(), 64).decode("utf-8", "replace"), content)
        case _:
            members[at] = (name, inner(content))
    return _pack(members, zipfile.ZIP_DEFLATED if inner.chance.random() < 0.3 else zipfile.ZIP_STORED)


def _zip_members(data: bytes) -> list[tuple[str, bytes]]:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            infos = [info for info in archive.infolist() if info.file_size <= _MOST_UNPACKED][:200]
            return [(info.filename, archive.read(info)) for info in infos]
    except Exception:  # noqa: BLE001 - zipfile raises a dozen kinds over what it cannot read
        return []


def _pack(members: list[tuple[str, bytes]], method: int) -> bytes | None:
    target = io.BytesIO()
    try:
        with (
            warnings.catch_warnings(action="ignore"),
            zipfile.ZipFile(target, "w") as archive,
        ):  # it warns of doubled names
            for name, content in members:
                archive.writestr(zipfile.ZipInfo(name), content, compress_type=method)
    except (ValueError, UnicodeError, struct.error):
        return None
    return target.getvalue()


def _iso(data: bytes, inner: _Inner) -> bytes | None:
    """Change one sector in its place: mostly descriptors, path tables and folders, which stand in front."""
    sectors = len(data) // _SECTOR
    if sectors <= 16:
        return None
    last = min(sectors, 60) if inner.chance.random() < 0.8 else sectors
    at = _SECTOR * inner.chance.randrange(16, last)
    head = 256 if inner.chance.random() < 0.5 else _SECTOR
    part = inner.change(data[at : at + head], head).ljust(head, b"\0")[:head]
    return data[:at] + part + data[at + head :]


def _pem(data: bytes, inner: _Inner) -> bytes | None:
    """Change the DER of one block and encode it again."""
    blocks = list(re.finditer(rb"-----BEGIN [^-\n]*-----\n([A-Za-z0-9+/=\s]*)-----END [^-\n]*-----", data))
    if not blocks:
        return None
    block = inner.chance.choice(blocks)
    try:
        der = base64.b64decode(block[1])
    except binascii.Error:
        return None
    text = base64.encodebytes(inner.change(der, len(der) + 64))
    return data[: block.start(1)] + text + data[block.end(1) :]


SHAPED: Final = {
    Shape.GZIP: _gzip,
    Shape.TAR: _tar,
    Shape.AR: _ar,
    Shape.ZIP: _zip,
    Shape.ISO: _iso,
    Shape.PEM: _pem,
}
"""Shapes that have a way of their own; the rest is changed as it is."""
