"""Reading the maps of drivers out of the payloads of VIBs: on request only, since it unpacks them.

A payload is unpacked into a temporary file, since its table of contents comes before the data.
VIBs that call themselves neither driver nor module and name no devices are passed over.

Source: docs/formats.md#which-hardware-a-vib-drives.
"""

from __future__ import annotations

import shutil
import tempfile
from typing import TYPE_CHECKING, BinaryIO

from esximage_builder.containers.gzip import gunzip_blocks
from esximage_builder.containers.vmtar import EntryKind, read_vmtar
from esximage_builder.containers.zstd import unzstd_blocks
from esximage_builder.depot.spool import using_temporary_file
from esximage_builder.depot.store import open_source
from esximage_builder.documents.driver_map import is_driver_map, parse_driver_map
from esximage_builder.documents.vib_archive import iter_payloads
from esximage_builder.errors import LimitExceededError
from esximage_builder.limits import ReadLimits
from esximage_builder.streams.blocks import block_stream
from esximage_builder.vocabulary import TARDISK_TYPES, PayloadType

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from esximage_builder.models.vib import Payload, Vib
    from esximage_builder.models.vib_store import VibStore

__all__ = ["read_driver_maps"]

_DRIVER_TAGS = frozenset({"driver", "module"})


def read_driver_maps(
    vibs: Iterable[Vib], store: VibStore, *, limits: ReadLimits | None = None
) -> dict[str, tuple[str, ...]]:
    """Return what the maps of drivers say that they drive, for ``judge_hardware``.

    Args:
        vibs: Where to look; those that are no drivers are passed over.
        store: Where their bytes are: an opened depot.
        limits: Upper bounds; None takes the defaults.

    Returns:
        PCI patterns by VIB id, as the maps write them; VIBs without a map are not in it.

    Raises:
        NotInDepotError: The store lacks a VIB.
        MissingExtraError: A payload of ESXi 9, and no zstandard reader is installed.
        DepotError: A payload is damaged or too large.
    """
    bounds = limits or ReadLimits()
    maps = {}
    for vib in vibs:
        if _may_be_driver(vib):
            patterns = tuple(_patterns(vib, store, bounds))
            if patterns:
                maps[vib.id] = patterns
    return maps


def _may_be_driver(vib: Vib) -> bool:
    tags = set(vib.tags)
    return not tags or not tags.isdisjoint(_DRIVER_TAGS) or any(tag.startswith("PCIID") for tag in tags)


def _patterns(vib: Vib, store: VibStore, limits: ReadLimits) -> Iterator[str]:
    with open_source(store, vib) as source:
        for payload, stored, _ in iter_payloads(source, vib, where=vib.id, limits=limits):
            if payload.type in TARDISK_TYPES:
                yield from _patterns_of_payload(payload, stored, f"{vib.id}!{payload.name}", limits)


def _patterns_of_payload(payload: Payload, stored: BinaryIO, where: str, limits: ReadLimits) -> Iterator[str]:
    blocks = gunzip_blocks(stored, where=where, max_bytes=limits.payload_bytes)
    if payload.type == PayloadType.VZSTD:
        blocks = unzstd_blocks(blocks, where=where, max_bytes=limits.payload_bytes)
    with using_temporary_file(where), tempfile.TemporaryFile() as unpacked:
        shutil.copyfileobj(block_stream(blocks), unpacked, 1 << 18)
        unpacked.seek(0)
        for entry in read_vmtar(unpacked, where=where, limits=limits):
            if entry.kind is EntryKind.FILE and is_driver_map(entry.name):
                if entry.size_bytes > limits.document_bytes:
                    raise LimitExceededError(
                        "a driver's map is larger than the limit",
                        where=f"{where}!{entry.name}",
                        found=f"{entry.size_bytes} bytes",
                        expected=f"at most {limits.document_bytes} bytes",
                    )
                unpacked.seek(entry.offset)
                yield from parse_driver_map(unpacked.read(entry.size_bytes))
