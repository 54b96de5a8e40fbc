"""Zip archives with exactly the lies asked for, byte by byte; no writer would make them."""

from __future__ import annotations

import struct
import zlib

import attrs

DATA = b"<vib/>" * 100


@attrs.frozen(kw_only=True)
class Part:
    """One member; what is None follows from ``data``, and ``own_`` fields are those of its header."""

    name: bytes = b"a.vib"
    data: bytes = DATA
    deflate: bool = True
    method: int | None = None
    flags: int = 0
    crc32: int | None = None
    size_bytes: int | None = None
    compressed_bytes: int | None = None
    attributes: int = 0
    extra: bytes = b""
    disk: int = 0
    magic: bytes = b"PK\x01\x02"
    offset: int | None = None
    own_name: bytes | None = None
    own_method: int | None = None
    own_flags: int | None = None
    own_crc32: int | None = None
    own_size_bytes: int | None = None
    own_extra: bytes = b""
    own_magic: bytes = b"PK\x03\x04"
    own_compressed_bytes: int | None = None
    behind: bytes = b""

    @property
    def packed(self) -> bytes:
        return zlib.compress(self.data, wbits=-15) if self.deflate else self.data


def pick(value: int | None, default: int) -> int:
    return default if value is None else value


def build(*parts: Part, count: int | None = None, tail: bytes = b"", **end: int) -> bytes:
    """Write an archive with exactly the lies asked for."""
    body = directory = b""
    for part in parts:
        packed = part.packed
        method = pick(part.method, 8 if part.deflate else 0)
        crc32 = pick(part.crc32, zlib.crc32(part.data))
        size_bytes = pick(part.size_bytes, len(part.data))
        compressed_bytes = pick(part.compressed_bytes, len(packed))
        own_name = part.name if part.own_name is None else part.own_name
        offset = pick(part.offset, len(body))
        body += struct.pack(
            "<4s5H3L2H", part.own_magic, 20, pick(part.own_flags, part.flags), pick(part.own_method, method), 0, 33,
            pick(part.own_crc32, crc32), pick(part.own_compressed_bytes, compressed_bytes),
            pick(part.own_size_bytes, size_bytes),
            len(own_name), len(part.own_extra),
        ) + own_name + part.own_extra + packed + part.behind  # fmt: skip
        directory += struct.pack(
            "<4s6H3L5H2L", part.magic, 0x314, 20, part.flags, method, 0, 33, crc32, compressed_bytes, size_bytes,
            len(part.name), len(part.extra), 0, part.disk, 0, part.attributes, offset,
        ) + part.name + part.extra  # fmt: skip
    count = pick(count, len(parts))
    end_record = struct.pack(
        "<4s4H2LH", b"PK\x05\x06", end.get("disk", 0), 0, end.get("count_here", count), count,
        end.get("directory_bytes", len(directory)), end.get("directory_offset", len(body)), 0,
    )  # fmt: skip
    return body + directory + end_record + tail
