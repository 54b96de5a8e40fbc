"""The boot catalog record by record: would every firmware start the same from it?

``containers.iso9660_reader`` tells what the entries lead to; here stands what may not differ: load segments,
counts of sectors, headers that announce other entries than follow. Some firmware goes through the whole
sector and passes over headers, so nothing that looks like an entry may stand behind the last one.

Source: "El Torito" Bootable CD-ROM Format Specification 1.0; the UEFI reference code for CD partitions;
docs/formats.md#disc-layout.
"""

from __future__ import annotations

import functools
import struct
from typing import TYPE_CHECKING, Literal, final

import attrs

from esximage_builder.containers.disc_tree import DiscFault
from esximage_builder.containers.iso9660_reader import BLOCK_BYTES, EFI_PLATFORM
from esximage_builder.findings import Severity

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from esximage_builder.containers.iso9660_reader import IsoReader

__all__ = ["check_boot_catalog"]

_RECORD_BYTES = 32
_BOOTABLE, _EXTENSION, _HEADER, _LAST_HEADER = 0x88, 0x44, 0x90, 0x91
_LOAD_SEGMENTS = (0, 0x7C0)  # 0 means the traditional one, which is the other
_BOOT_SECTOR_BYTES = 512
_BIOS_SECTORS = 4
_WHOLE_DISC = (0, 1)
_MOST_SECTORS = 0xFFFF
_ENTRY = struct.Struct("<BBHBBHIB")


@final
@attrs.frozen(kw_only=True)
class _Entry:
    """An entry with the platform that its header names; ``number`` counts from 1."""

    number: int
    platform: int
    data: bytes

    @property
    def item(self) -> str:
        """How to name it."""
        names = {0: "BIOS", EFI_PLATFORM: "UEFI"}
        return f"entry {self.number} of the boot catalog, for {names.get(self.platform, 'another platform')}"

    @property
    def offset(self) -> int:
        """Where its boot image begins."""
        return int(_ENTRY.unpack_from(self.data)[6]) * BLOCK_BYTES


def check_boot_catalog(disc: IsoReader, *, images: Mapping[Literal["bios", "efi"], str]) -> Iterator[DiscFault]:
    """Look at every byte of the boot catalog.

    Args:
        disc: The opened disc; one without boot catalog has nothing to look at.
        images: The file that each platform starts, by its path.

    Raises:
        SourceUnreadableError: The operating system would not give it.
    """
    if not disc.catalog_at:
        return
    catalog = disc.read_at(disc.catalog_at, BLOCK_BYTES)
    if any(catalog[2:4]):
        yield _told("reserved bytes of the boot catalog are not zero", "head of the boot catalog")
    entries: list[_Entry] = []
    yield from _take_apart(catalog, entries)
    paths = {0: images.get("bios"), EFI_PLATFORM: images.get("efi")}
    for entry in entries:
        yield from _check_entry(entry)
        if entry.platform in paths and entry.data[0] == _BOOTABLE:
            yield from _check_image(disc, entry, paths[entry.platform])
    platforms = [entry.platform for entry in entries if entry.data[0] == _BOOTABLE]
    for entry in entries[1:]:
        if entry.data[0] == _BOOTABLE and platforms.count(entry.platform) > 1:
            what = "a platform has more than one boot entry"
            yield DiscFault(what=what, item=entry.item, severity=Severity.WARNING)


def _take_apart(catalog: bytes, entries: list[_Entry]) -> Iterator[DiscFault]:
    """Collect the entries; say where headers and entries do not fit each other."""
    platform, missing, is_last = catalog[1], 1, False
    at = _RECORD_BYTES
    while at < len(catalog):
        record = catalog[at : at + _RECORD_BYTES]
        if record[0] == _EXTENSION:
            yield _told("the boot catalog has an extension record", f"record {at // _RECORD_BYTES}")
        elif missing:
            entries.append(_Entry(number=len(entries) + 1, platform=platform, data=record))
            missing -= 1
        elif not is_last and record[0] in (_HEADER, _LAST_HEADER):
            platform, missing = record[1], int.from_bytes(record[2:4], "little")
            is_last = record[0] == _LAST_HEADER
            yield from _check_header(record)
        else:
            break
        at += _RECORD_BYTES
    if len(entries) > 1 and not is_last:
        what = "the boot catalog announces another section, and none follows"
        yield DiscFault(what=what, item="section header of the boot catalog")
    yield from _check_rest(catalog[at:])


def _check_header(record: bytes) -> Iterator[DiscFault]:
    item = "section header of the boot catalog"
    if not int.from_bytes(record[2:4], "little"):
        yield DiscFault(what="a section of the boot catalog is empty", item=item)
    if any(record[4:]):
        yield _told("a section of the boot catalog has a name", item, found=repr(record[4:].rstrip(b"\x00")))


def _check_rest(rest: bytes) -> Iterator[DiscFault]:
    kinds = {rest[at] for at in range(0, len(rest), _RECORD_BYTES)}
    item = "end of the boot catalog"
    if kinds & {_BOOTABLE, _HEADER, _LAST_HEADER}:
        yield DiscFault(what="an entry stands behind the last section, where some firmware finds it", item=item)
    elif any(rest):
        yield _told("bytes stand behind the last entry of the boot catalog", item)


def _check_entry(entry: _Entry) -> Iterator[DiscFault]:
    indicator, media, segment, system, unused, _, sector, criteria = _ENTRY.unpack_from(entry.data)
    if not any(entry.data):
        yield DiscFault(what="the boot catalog counts an entry that is not there", item=entry.item)
        return
    fault = functools.partial(DiscFault, item=entry.item)
    if segment not in _LOAD_SEGMENTS:
        yield fault(what="a boot image is loaded to another place", found=f"segment {segment:#06x}")
    if media & 0xF0:
        yield fault(what="a boot entry has another kind of medium", found=f"{media:#04x}")
    if not sector:
        yield fault(what="a boot entry leads nowhere", found="sector 0")
    if system and not media & 0x0F:
        yield _told("a boot entry has a partition type", entry.item, found=f"{system:#04x}")
    if unused or criteria or any(entry.data[_ENTRY.size - 1 :]):
        yield _told("unused bytes of a boot entry are not zero", entry.item)
    if indicator not in (0, _BOOTABLE):
        yield fault(what="a boot entry is neither on nor off", found=f"{indicator:#04x}")


def _check_image(disc: IsoReader, entry: _Entry, path: str | None) -> Iterator[DiscFault]:
    """Compare what is loaded with the file that should be."""
    file = None if path is None else disc.files.get(path)
    if file is None:
        return
    is_elsewhere = entry.offset != file.offset
    if is_elsewhere and not _is_copy(disc, entry.offset, file.path):
        yield DiscFault(
            what=f"a boot entry starts something else than {file.path}",
            item=entry.item,
            found=f"sector {entry.offset // BLOCK_BYTES} instead of {file.offset // BLOCK_BYTES}",
        )
    sectors = _ENTRY.unpack_from(entry.data)[5]
    exact, padded = -(-file.size_bytes // _BOOT_SECTOR_BYTES), -(-file.size_bytes // BLOCK_BYTES) * 4
    whole = {min(count, _MOST_SECTORS) for count in (exact, padded)}
    allowed = whole | ({_BIOS_SECTORS} if entry.platform == 0 else {*_WHOLE_DISC})
    if sectors not in allowed:
        yield DiscFault(
            what="a boot entry loads another count of sectors",
            item=entry.item,
            found=f"{sectors} instead of {' or '.join(map(str, sorted(allowed)))}",
        )


def _is_copy(disc: IsoReader, offset: int, path: str) -> bool:
    """Tell whether the same bytes stand there: some writers put the image into a partition of its own."""
    entry = disc.files[path]
    if offset + entry.size_bytes > disc.size_bytes:
        return False
    with disc.open(path) as source:
        steps = range(offset, offset + entry.size_bytes, BLOCK_BYTES)
        return all(
            disc.read_at(at, min(BLOCK_BYTES, offset + entry.size_bytes - at)) == source.read(BLOCK_BYTES)
            for at in steps
        )


def _told(what: str, item: str, *, found: str = "") -> DiscFault:
    return DiscFault(what=what, item=item, found=found, severity=Severity.INFO)
