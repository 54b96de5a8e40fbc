"""The records that a zip archive is made of, shared by reader and writer.

Source: APPNOTE.TXT, the published zip specification.
"""

from __future__ import annotations

import struct
from typing import NamedTuple, final

import attrs

from esximage_builder.errors import ChecksumMismatchError

__all__ = [
    "CENTRAL_MAGIC",
    "DIRECTORY_RECORD",
    "DOWNLOAD_AGAIN",
    "END64_MAGIC",
    "END64_RECORD",
    "END_MAGIC",
    "END_RECORD",
    "FLAG_UTF8",
    "LOCAL_HEADER",
    "LOCAL_MAGIC",
    "LOCATOR64_MAGIC",
    "LOCATOR64_RECORD",
    "MAX16",
    "MAX32",
    "METHOD_DEFLATED",
    "METHOD_STORED",
    "ZIP64_EXTRA",
    "EndRecord",
    "ZipMember",
    "require_crc",
    "wrong_size",
]

METHOD_STORED = 0
METHOD_DEFLATED = 8
LOCAL_HEADER = struct.Struct("<4s5H3L2H")
DIRECTORY_RECORD = struct.Struct("<4s6H3L5H2L")
END_RECORD = struct.Struct("<4s4H2LH")
END64_RECORD = struct.Struct("<4sQ2H2L4Q")
LOCATOR64_RECORD = struct.Struct("<4sLQL")
LOCAL_MAGIC, CENTRAL_MAGIC, END_MAGIC = b"PK\x03\x04", b"PK\x01\x02", b"PK\x05\x06"
END64_MAGIC, LOCATOR64_MAGIC = b"PK\x06\x06", b"PK\x06\x07"
MAX16, MAX32 = 0xFFFF, 0xFFFF_FFFF
ZIP64_EXTRA = 0x0001
FLAG_UTF8 = 0x0800
DOWNLOAD_AGAIN = "the file was damaged or changed: download it again"


@final
@attrs.frozen(kw_only=True)
class ZipMember:
    """One regular file of an archive, as its directory describes it.

    Attributes:
        name: Path inside the archive, with ``/`` between the parts.
        size_bytes: Unpacked size in bytes.
        compressed_bytes: Size in bytes as stored in the archive.
        crc32: CRC-32 of the unpacked bytes.
        method: ``METHOD_STORED`` (0) or ``METHOD_DEFLATED`` (8).
        header_offset: Where the member's own header starts, in bytes from the archive's start.
    """

    name: str
    size_bytes: int
    compressed_bytes: int
    crc32: int
    method: int
    header_offset: int


class EndRecord(NamedTuple):
    """What the end record, or its zip64 form, says of the directory."""

    member_count: int
    size_bytes: int
    offset: int


def wrong_size(where: str, *, found: str, expected: str) -> ChecksumMismatchError:
    """Return the error for a member of another length than announced."""
    message = "a member's size differs from what the archive says"
    return ChecksumMismatchError(message, where=where, found=found, expected=expected, hint=DOWNLOAD_AGAIN)


def require_crc(found: int, expected: int, *, where: str) -> None:
    """Compare two CRC-32 values.

    Raises:
        ChecksumMismatchError: They differ.
    """
    if found != expected:
        raise ChecksumMismatchError(
            "a member's CRC-32 differs from what the archive says",
            where=where,
            found=f"{found:08x}",
            expected=f"{expected:08x}",
            hint=DOWNLOAD_AGAIN,
        )
