"""The partition table of sticks: a master boot record that boots nothing by itself.

UEFI looks for a partition that it can read as FAT and runs no code of the record. A BIOS does, so the record
has the one instruction that tells it to go on with the next device, and stops where that comes back.
Places are sectors of 512 bytes. The old form by cylinders says "too far away", which every partition beyond
8 GB has and firmware passes over.

Source: UEFI Specification 2.10, 5.2.1 (legacy master boot record), docs/formats.md#sticks.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, final

import attrs

from esximage_builder.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["EFI_SYSTEM", "FAT32", "SECTOR_BYTES", "BootRecord", "Partition", "parse_boot_record", "render_boot_record"]

SECTOR_BYTES = 512
EFI_SYSTEM, FAT32 = 0xEF, 0x0C

_CODE = b"\xcd\x18\xf4\xeb\xfd"  # int 18h, "nothing to boot here"; then halt for ever
_CODE_BYTES = 440
_SIGNATURE_AT, _TABLE_AT, _MARK_AT = 440, 446, 510
_MARK = b"\x55\xaa"
_ENTRY = struct.Struct("<B3sB3sII")
_ENTRIES = 4
_ACTIVE = 0x80
_BY_CYLINDERS = b"\xfe\xff\xff"
_MOST_SECTORS = 2**32 - 1


@final
@attrs.frozen(kw_only=True)
class Partition:
    """One entry of the table.

    Attributes:
        kind: ``EFI_SYSTEM``, ``FAT32`` or another byte.
        first_sector: Where it begins.
        sectors: How long it is.
        is_active: Marked as the one to boot from, which only a BIOS looks at.
    """

    kind: int
    first_sector: int
    sectors: int
    is_active: bool = False

    @property
    def offset(self) -> int:
        """Where it begins, in bytes."""
        return self.first_sector * SECTOR_BYTES

    @property
    def size_bytes(self) -> int:
        """How long it is, in bytes."""
        return self.sectors * SECTOR_BYTES


@final
@attrs.frozen(kw_only=True)
class BootRecord:
    """What the first sector says.

    Attributes:
        partitions: Those that are not empty, in the order of the table.
        signature: Number by which systems tell disks apart.
        has_code: Whether a BIOS would run anything of it but our own few bytes.
    """

    partitions: tuple[Partition, ...]
    signature: int
    has_code: bool = False


def render_boot_record(partitions: Sequence[Partition], *, signature: int) -> bytes:
    """Write the first sector of a stick.

    Args:
        partitions: At most four.
        signature: Number of 32 bits by which systems tell disks apart.

    Raises:
        ModelError: A partition does not fit into the table.
    """
    for partition in partitions:
        if not 0 < partition.first_sector + partition.sectors <= _MOST_SECTORS or len(partitions) > _ENTRIES:
            raise ModelError(
                "the partition cannot stand in a partition table",
                found=f"{partition.sectors} sectors from sector {partition.first_sector}",
                expected=f"at most {_ENTRIES} partitions of at most {_MOST_SECTORS} sectors",
            )
    table = b"".join(
        _ENTRY.pack(
            _ACTIVE if partition.is_active else 0,
            _BY_CYLINDERS,
            partition.kind,
            _BY_CYLINDERS,
            partition.first_sector,
            partition.sectors,
        )
        for partition in partitions
    )
    head = _CODE.ljust(_CODE_BYTES, b"\x00") + struct.pack("<I2x", signature)
    return head + table.ljust(_MARK_AT - _TABLE_AT, b"\x00") + _MARK


def parse_boot_record(sector: bytes) -> BootRecord | None:
    """Read the first sector of a stick or disk; None if it is no master boot record.

    Args:
        sector: Its 512 bytes, or more.
    """
    if sector[_MARK_AT:SECTOR_BYTES] != _MARK:
        return None
    partitions = []
    for number in range(_ENTRIES):
        flag, _, kind, _, first, count = _ENTRY.unpack_from(sector, _TABLE_AT + number * _ENTRY.size)
        if flag not in (0, _ACTIVE):
            return None
        if kind:
            partitions.append(Partition(kind=kind, first_sector=first, sectors=count, is_active=flag == _ACTIVE))
    code = sector[:_CODE_BYTES].rstrip(b"\x00")
    (signature,) = struct.unpack_from("<I", sector, _SIGNATURE_AT)
    return BootRecord(partitions=tuple(partitions), signature=signature, has_code=code not in (b"", _CODE))
