"""Which firmware boots a disc image that was written to a stick as it is?

UEFI boots a stick by a partition that it can read as FAT: one of type EF over the loader image of the disc.
Some firmware looks for the boot catalog of discs on sticks too, which is a favour nobody can count on.
A BIOS runs the code of the first sector, which nobody can judge from outside.

Source: UEFI Specification 2.10, 5.2.1 and 13.3, docs/formats.md#sticks.
"""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING, final

import attrs

from esximage_builder.containers.iso9660_reader import BLOCK_BYTES, DESCRIPTORS_AT
from esximage_builder.containers.partition_table import (
    EFI_SYSTEM,
    SECTOR_BYTES,
    parse_boot_record,
    render_boot_record,
)
from esximage_builder.disc_files import EFI_BOOT

if TYPE_CHECKING:
    from esximage_builder.containers.iso9660_reader import IsoReader
    from esximage_builder.containers.partition_table import BootRecord

__all__ = ["Boots", "DiscStick", "stick_of"]

_GPT_MARK = b"EFI PART"


class Boots(enum.StrEnum):
    """Whether something boots."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


@final
@attrs.frozen(kw_only=True)
class DiscStick:
    """What a disc is as a stick.

    Attributes:
        uefi: Whether UEFI boots it by its partition table.
        bios: Whether a BIOS does; unknown where there is code.
        is_ours: The system area holds the entry over the UEFI loader, as ``lay_out_iso`` writes it, and nothing else.
    """

    uefi: Boots
    bios: Boots
    is_ours: bool

    def __str__(self) -> str:
        return f"UEFI {self.uefi.value}, BIOS {self.bios.value}"


def stick_of(disc: IsoReader) -> DiscStick:
    """Look at the system area of a disc.

    Raises:
        SourceUnreadableError: The operating system would not give it.
    """
    area = disc.read_at(0, DESCRIPTORS_AT * BLOCK_BYTES)
    record = parse_boot_record(area)
    if record is None:
        return DiscStick(uefi=Boots.NO, bios=Boots.NO, is_ours=False)
    leads = _leads_to_loader(disc, record)
    has_gpt = area[SECTOR_BYTES:].startswith(_GPT_MARK)
    plain = render_boot_record(record.partitions, signature=record.signature) if leads else b""
    return DiscStick(
        uefi=Boots.YES if leads else (Boots.UNKNOWN if has_gpt else Boots.NO),
        bios=Boots.UNKNOWN if record.has_code else Boots.NO,
        is_ours=leads and len(record.partitions) == 1 and area == plain.ljust(len(area), b"\x00"),
    )


def _leads_to_loader(disc: IsoReader, record: BootRecord) -> bool:
    """Tell whether a partition begins where the UEFI loader image does, and holds all of it."""
    paths = {entry.path for entry in disc.boot_entries if entry.platform == "efi" and entry.path} | {EFI_BOOT}
    images = [disc.files[path] for path in paths if path in disc.files]
    return any(
        partition.kind == EFI_SYSTEM
        and any(partition.offset == image.offset and partition.size_bytes >= image.size_bytes for image in images)
        for partition in record.partitions
    )
