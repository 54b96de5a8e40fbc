"""The generated archives of an installer disc, and the upgrade folder.

Which archives a disc has is its generation's row in ``rules.boot_layout``. What stands in
them beyond the image database is not publicly known and marked inferred in
docs/formats.md#disc-layout.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, final

import attrs

from esximage_builder.disc_files import (
    DPU_DEPOT,
    IMAGE_DATABASE,
    MISCELLANEOUS,
    PAYLOAD_ARCHIVE,
    RESERVED_VIBS,
    UPGRADE_FOLDER,
)
from esximage_builder.export.depot_writer import DepotContents, render_metadata, vib_relative_path, with_file_facts
from esximage_builder.export.published import image_profile, image_timestamp, product_entry, release_units
from esximage_builder.formats.depot_index import VendorEntry, render_index, render_vendor_index
from esximage_builder.formats.image_database import DATABASE_ROOT, image_database_members
from esximage_builder.formats.image_profile import render_image_profile
from esximage_builder.models.fields import as_tuple
from esximage_builder.vocabulary import TARDISK_TYPES, Platform

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from esximage_builder.formats.vib_archive import VibHead
    from esximage_builder.limits import ReadLimits
    from esximage_builder.models.image import Image
    from esximage_builder.models.vib import Vib
    from esximage_builder.models.vib_store import VibStore

__all__ = ["Archive", "ArchiveMember", "PayloadKey", "disc_archives", "upgrade_texts"]

PayloadKey = tuple[str, str]
"""A payload by VIB id and payload name."""


@final
@attrs.frozen(kw_only=True)
class ArchiveMember:
    """One file of a generated archive; exactly one of the last three says where its bytes are.

    Attributes:
        name: Its path in the archive.
        size_bytes: Its length.
        data: The bytes themselves.
        payload: A payload of an installed VIB.
        vib: A whole ``.vib`` file.
    """

    name: str
    size_bytes: int
    data: bytes | None = attrs.field(default=None, repr=False)
    payload: PayloadKey | None = None
    vib: Vib | None = None


@final
@attrs.frozen(kw_only=True)
class Archive:
    """A generated ``.tgz``; ``members`` are in the order to write."""

    path: str
    members: tuple[ArchiveMember, ...] = attrs.field(converter=as_tuple)


def disc_archives(
    image: Image,
    store: VibStore,
    heads: Mapping[str, VibHead],
    *,
    archive_names: tuple[str, ...],
    names: Mapping[PayloadKey, str],
    limits: ReadLimits,
) -> tuple[Archive, ...]:
    """Return the archives of a disc with what stands in them.

    Args:
        image: What is written.
        store: Asked for sizes and checksums of VIBs whose depot does not tell.
        heads: Descriptor and signature of each installed host VIB, by id.
        archive_names: Of the disc's generation, in their order.
        names: Local name of each payload.
        limits: Upper bounds for reading VIBs.
    """
    makers: dict[str, Callable[[], list[ArchiveMember]]] = {
        IMAGE_DATABASE: lambda: _image_database(image, heads, names),
        MISCELLANEOUS: _no_members,
        RESERVED_VIBS: lambda: _reserved_vibs(image, store, limits),
        DPU_DEPOT: lambda: _dpu_depot(image, store, limits),
        PAYLOAD_ARCHIVE: lambda: _boot_payloads(image, names),
    }
    return tuple(Archive(path=name, members=makers[name]()) for name in map(str.upper, archive_names))


def upgrade_texts(
    image: Image, store: VibStore, names: Mapping[PayloadKey, str], limits: ReadLimits
) -> list[tuple[str, bytes]]:
    """Return the generated files of the upgrade folder: the profile, and depot metadata with just that profile."""
    profile = image_profile(image, image.host_vibs, names=names)
    contents = DepotContents(
        vendor_name=image.vendor or "Unknown",
        vendor_code="VMW",
        products=[product_entry(image, Platform.HOST)],
        vibs=[with_file_facts(vib, store, limits) for vib in image.host_vibs],
        bulletins=[entry.component for entry in image.components],
        profiles=[profile],
        units=release_units(image),
        timestamp=image_timestamp(image),
    )
    return [
        (f"{UPGRADE_FOLDER}/PROFILE.XML", render_image_profile(profile)),
        (f"{UPGRADE_FOLDER}/METADATA.ZIP", render_metadata(contents)),
    ]


def _in_memory(name: str, data: bytes) -> ArchiveMember:
    return ArchiveMember(name=name, size_bytes=len(data), data=data)


def _image_database(image: Image, heads: Mapping[str, VibHead], names: Mapping[PayloadKey, str]) -> list[ArchiveMember]:
    members = image_database_members(
        image_profile(image, image.host_vibs, names=names),
        vibs=[(vib, heads[vib.id]) for vib in image.host_vibs],
        components=[entry.component for entry in image.components],
        reserved_components=image.reserved_components,
        units=release_units(image),
    )
    return [_in_memory(name, data) for name, data in members]


def _no_members() -> list[ArchiveMember]:
    """Return nothing: what stands in ``basemisc.tgz`` is not publicly known, stock discs always have the file."""
    return []


def _reserved_vibs(image: Image, store: VibStore, limits: ReadLimits) -> list[ArchiveMember]:
    vibs = [with_file_facts(entry.vib, store, limits) for entry in image.reserved_vibs]
    return [_whole_vib(f"{DATABASE_ROOT}/reservedVibs/{vib.id}.vib", vib) for vib in vibs]


def _whole_vib(name: str, vib: Vib) -> ArchiveMember:
    size = 0 if vib.file is None else vib.file.size_bytes or 0
    return ArchiveMember(name=name, size_bytes=size, vib=vib)


def _dpu_depot(image: Image, store: VibStore, limits: ReadLimits) -> list[ArchiveMember]:
    """Return an unpacked depot of the VIBs for data processing units."""
    vibs = [with_file_facts(entry.vib, store, limits) for entry in image.vibs if not entry.vib.is_for_host]
    if not vibs:
        return []
    contents = DepotContents(
        vendor_name=image.vendor or "Unknown",
        vendor_code="VMW",
        products=[product_entry(image, Platform.DPU)],
        vibs=vibs,
        timestamp=image_timestamp(image),
    )
    vendor = VendorEntry(name=contents.vendor_name, code=contents.vendor_code)
    return [
        _in_memory("index.xml", render_index((vendor,))),
        _in_memory("vendor-index.xml", render_vendor_index(contents.products)),
        _in_memory("metadata.zip", render_metadata(contents)),
        *(_whole_vib(vib_relative_path(vib), vib) for vib in vibs),
    ]


def _boot_payloads(image: Image, names: Mapping[PayloadKey, str]) -> list[ArchiveMember]:
    """Return the payloads that the installer writes to the disk itself: all that are no tardisks."""
    return [
        ArchiveMember(
            name=f"var/db/payloads/{payload.type}/{names[vib.id, payload.name]}",
            size_bytes=payload.size_bytes or 0,
            payload=(vib.id, payload.name),
        )
        for vib in image.host_vibs
        for payload in vib.payloads
        if payload.type not in TARDISK_TYPES
    ]
