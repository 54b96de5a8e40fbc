"""What a disc says more than once, compared: descriptors, directories, path tables, boot catalog.

An ISO 9660 disc states each number twice (little-endian, then big-endian), each folder in a directory
and in up to four path tables, and its length in the volume descriptor and by its end. Loaders and systems read
different ones of these, so a disc on which they differ boots or installs otherwise than somebody sees.

* What contradicts itself is an error. What ECMA-119 allows and no writer of installer discs needs is told.
* Writers have habits that are no fault: names in the free texts, a boot sector in the system area, a
  partition behind the end. None of these makes an error, and a partition entry over the UEFI loader that
  stands alone there is not even told.

Source: ECMA-119, "El Torito" Bootable CD-ROM Format Specification 1.0, docs/formats.md#disc-layout.
"""

from __future__ import annotations

import re
import struct
from typing import TYPE_CHECKING, Final

from esximage_builder.containers.disc_dates import check_dates
from esximage_builder.containers.disc_stick import stick_of
from esximage_builder.containers.disc_tree import DiscFault, Tree, check_tree, read_tree
from esximage_builder.containers.iso9660_reader import BLOCK_BYTES, DESCRIPTORS_AT
from esximage_builder.errors import MalformedDocumentError
from esximage_builder.findings import Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from esximage_builder.containers.iso9660_reader import IsoReader
    from esximage_builder.limits import ReadLimits

__all__ = ["check_account"]

_BOOT, _PRIMARY, _SUPPLEMENTARY, _END = 0, 1, 2, 255
_ROOT_AT, _ROOT_BYTES = 156, 34
_BOOT_RECORD_SECTOR: Final = 17
_EL_TORITO = b"EL TORITO SPECIFICATION"

# Place and width of each number that a volume descriptor states twice, ECMA-119 8.4.
_TWICE = {
    "the size of the volume": (80, 4),
    "the count of discs": (120, 2),
    "the number of the disc": (124, 2),
    "the size of a block": (128, 2),
    "the size of the path tables": (132, 4),
}
_TEXTS = {
    "system": (8, 40),
    "volume": (40, 72),
    "volume set": (190, 318),
    "publisher": (318, 446),
    "preparer": (446, 574),
    "application": (574, 702),
    "copyright file": (702, 739),
    "abstract file": (739, 776),
    "bibliographic file": (776, 813),
}
_SPARE = {
    _BOOT: ((39, 71), (75, BLOCK_BYTES)),
    _PRIMARY: ((7, 8), (72, 80), (88, 120), (882, 883), (1395, BLOCK_BYTES)),
    _SUPPLEMENTARY: ((72, 80), (882, 883), (1395, BLOCK_BYTES)),
    _END: ((7, BLOCK_BYTES),),
}
_NO_TEXT = re.compile(rb"[^ -~]")
_APPLICATION_USE = slice(883, 1395)
_STRUCTURE_VERSION_AT = 881


def check_account(disc: IsoReader, *, limits: ReadLimits) -> Iterator[DiscFault]:
    """Compare all that the disc says twice, and say what lies beside it.

    Args:
        disc: The opened disc.
        limits: ``member_count`` and ``metadata_bytes`` bound each of its trees.

    Raises:
        LimitExceededError: A tree holds more.
        SourceUnreadableError: The operating system would not give it.
    """
    descriptors = list(disc.descriptors())
    yield from _check_boot_records(descriptors)
    trees: list[Tree] = []
    for position, descriptor in descriptors:
        yield from _check_descriptor(descriptor, position)
        if descriptor[0] in (_PRIMARY, _SUPPLEMENTARY):
            yield from _check_numbers(descriptor)
            yield from _checked_tree(disc, descriptor, position, trees, limits)
    yield from _check_extents(disc, trees)
    yield from check_dates(descriptors[0][1], [record for tree in trees[:1] for record in tree.records])
    yield from _check_beside(disc)


def _checked_tree(
    disc: IsoReader, descriptor: bytes, position: int, trees: list[Tree], limits: ReadLimits
) -> Iterator[DiscFault]:
    name = "the directories" if descriptor[0] == _PRIMARY else "the directories with long names"
    root = descriptor[_ROOT_AT : _ROOT_AT + _ROOT_BYTES]
    try:
        tree = read_tree(disc, root, position + _ROOT_AT, limits=limits)
        found = list(check_tree(disc, tree, descriptor))
    except MalformedDocumentError as error:
        yield DiscFault(what=f"{name} cannot be read: {error.message}", item=name, found=error.found)
        return
    trees.append(tree)
    yield from found


def _check_boot_records(descriptors: list[tuple[int, bytes]]) -> Iterator[DiscFault]:
    """Firmware looks for the boot record in one sector only."""
    found = [at // BLOCK_BYTES for at, data in descriptors if data[0] == _BOOT and data[7:30] == _EL_TORITO]
    if found and found != [_BOOT_RECORD_SECTOR]:
        yield DiscFault(
            what="the boot record is not where firmware looks, or not alone",
            item="boot record",
            found=f"in sector {', '.join(map(str, found))} instead of {_BOOT_RECORD_SECTOR}",
        )
    if descriptors[0][1][0] != _PRIMARY:
        yield DiscFault(
            what="the first volume descriptor is not the primary one",
            item="volume descriptor",
            found=f"type {descriptors[0][1][0]} in sector {DESCRIPTORS_AT}",
        )


def _check_descriptor(descriptor: bytes, position: int) -> Iterator[DiscFault]:
    """Look at what every descriptor has, and at bytes that must be zero."""
    kind, item = descriptor[0], f"volume descriptor in sector {position // BLOCK_BYTES}"
    if descriptor[6] not in ((1, 2) if kind == _SUPPLEMENTARY else (1,)):
        yield DiscFault(what="a volume descriptor has an unknown version", item=item, found=str(descriptor[6]))
    if kind not in _SPARE:
        yield _told("a volume descriptor is of an unusual kind", item, found=f"type {kind}")
    if any(any(descriptor[start:end]) for start, end in _SPARE.get(kind, ())):
        yield _told("unused bytes of a volume descriptor are not zero", item)
    if kind == _BOOT and descriptor[7:39].rstrip(b"\x00 ") != _EL_TORITO:
        yield DiscFault(what="a boot record is not one of El Torito", item=item, found=repr(descriptor[7:39]))
    if kind == _PRIMARY:
        yield from _check_texts(descriptor, item)


def _check_texts(descriptor: bytes, item: str) -> Iterator[DiscFault]:
    """Tell of texts that no writer leaves so: they are free, printed from the left and filled with blanks."""
    for name, (start, end) in _TEXTS.items():
        text = descriptor[start:end].rstrip(b"\x00 ")
        if text.startswith(b" ") or len(text) == 1 or _NO_TEXT.search(text):
            yield _told("a text of the volume descriptor is no name", f"{item}: {name}", found=repr(text)[:80])
    if descriptor[_APPLICATION_USE].strip(b"\x00 "):
        yield _told("the volume descriptor has a note of the program that wrote the disc", item)
    if descriptor[_STRUCTURE_VERSION_AT] != 1:
        version = str(descriptor[_STRUCTURE_VERSION_AT])
        yield DiscFault(what="the directories have an unknown version", item=item, found=version)


def _check_numbers(descriptor: bytes) -> Iterator[DiscFault]:
    for name, (at, width) in _TWICE.items():
        little = int.from_bytes(descriptor[at : at + width], "little")
        big = int.from_bytes(descriptor[at + width : at + 2 * width], "big")
        if little != big:
            yield DiscFault(
                what="the two forms of a number differ", item=name, found=f"{little} little-endian, {big} big-endian"
            )
    set_size, sequence = struct.unpack_from("<H2xH", descriptor, 120)
    if (set_size, sequence) != (1, 1):
        yield _told("the disc says that it is one of several", "volume descriptor", found=f"{sequence} of {set_size}")


def _check_extents(disc: IsoReader, trees: list[Tree]) -> Iterator[DiscFault]:
    """Compare the stated length with the source, with the files, and the files of all trees with each other."""
    if disc.volume_bytes > disc.size_bytes:
        yield DiscFault(
            what="the disc is shorter than its volume",
            item="the size of the volume",
            found=f"{disc.size_bytes} bytes instead of {disc.volume_bytes}",
        )
    beyond = [
        entry.path
        for entry in disc.files.values()
        if entry.size_bytes and entry.offset + entry.size_bytes > disc.volume_bytes
    ]
    for path in beyond:
        yield DiscFault(
            what="a file lies behind the end of the volume",
            item=path,
            found=f"the volume has {disc.volume_bytes} bytes",
        )
    for tree in trees[1:]:
        if extents := sorted(tree.extents - trees[0].extents):
            yield DiscFault(
                what="long names lead to other bytes than short ones",
                item=f"sector {extents[0][0]}",
                severity=Severity.WARNING,
                found=f"{len(extents)} extents that no short name has",
            )


def _check_beside(disc: IsoReader) -> Iterator[DiscFault]:
    """Tell of bytes that are no part of the volume: firmware and partitioning tools may read them."""
    area = disc.read_at(0, DESCRIPTORS_AT * BLOCK_BYTES)
    if any(area) and not stick_of(disc).is_ours:
        boots = "with a boot sector" if area[510:512] == b"\x55\xaa" else "with no boot sector"
        yield _beside("bytes stand in the system area, before the volume", "system area", boots)
    if 0 < disc.volume_bytes < disc.size_bytes:
        count = disc.size_bytes - disc.volume_bytes
        yield _beside("bytes stand behind the end of the volume", "behind the end", f"{count} bytes")


def _beside(what: str, item: str, found: str) -> DiscFault:
    return DiscFault(what=what, item=item, found=found, severity=Severity.INFO, is_beside=True)


def _told(what: str, item: str, *, found: str = "") -> DiscFault:
    return DiscFault(what=what, item=item, found=found, severity=Severity.INFO)
