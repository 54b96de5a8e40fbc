"""The generated archives of an installer disc, and the upgrade folder; nothing is read here.

Which archives a disc has is its generation's row in ``rules.boot_layout``. What stands in
them beyond the image database is not publicly known and marked inferred in
docs/formats.md#disc-layout.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, final

import attrs

from esximage_builder.depot.depot_zip import DepotContents, render_metadata, vib_relative_path
from esximage_builder.depot.payload_pass import PayloadKey
from esximage_builder.disc_files import (
    DPU_DEPOT,
    IMAGE_DATABASE,
    MISCELLANEOUS,
    PAYLOAD_ARCHIVE,
    RESERVED_VIBS,
    UPGRADE_METADATA,
    UPGRADE_PROFILE,
)
from esximage_builder.documents.depot_index import VendorEntry, render_index, render_vendor_index
from esximage_builder.documents.image_database import DATABASE_ROOT, image_database_members
from esximage_builder.documents.image_profile import render_image_profile
from esximage_builder.errors import ModelError
from esximage_builder.export.written_profile import product_entry, release_units
from esximage_builder.models.fields import as_tuple
from esximage_builder.vocabulary import TARDISK_TYPES, Platform

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from esximage_builder.documents.vib_archive import VibHead
    from esximage_builder.models.image import Image
    from esximage_builder.models.image_profile import ImageProfile
    from esximage_builder.models.vib import Vib

__all__ = [
    "Archive",
    "ArchiveMember",
    "GeneratedMember",
    "PayloadKey",
    "PayloadMember",
    "VibMember",
    "disc_archives",
    "upgrade_texts",
]


@final
@attrs.frozen(kw_only=True)
class GeneratedMember:
    """A file of a generated archive whose bytes are made here.

    Attributes:
        name: Its path in the archive.
        data: The bytes themselves.
    """

    name: str
    data: bytes = attrs.field(repr=False)

    @property
    def size_bytes(self) -> int:
        """Its length."""
        return len(self.data)


@final
@attrs.frozen(kw_only=True)
class PayloadMember:
    """A payload of an installed VIB in a generated archive.

    Attributes:
        name: Its path in the archive.
        size_bytes: Its length.
        payload: Which one.
    """

    name: str
    size_bytes: int
    payload: PayloadKey


@final
@attrs.frozen(kw_only=True)
class VibMember:
    """A whole ``.vib`` file in a generated archive.

    Attributes:
        name: Its path in the archive.
        vib: Which one; ``file`` has size and SHA-256.

    Raises:
        ModelError: Size or SHA-256 is not known, so that the file could be neither placed nor checked.
    """

    name: str
    vib: Vib
    size_bytes: int = attrs.field(init=False)
    sha256: str = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        file = self.vib.file
        if file is None or file.size_bytes is None or not file.sha256:
            raise ModelError(f"{self.vib.id} has no size and checksum", hint="measure it first")
        object.__setattr__(self, "size_bytes", file.size_bytes)
        object.__setattr__(self, "sha256", file.sha256)


ArchiveMember = GeneratedMember | PayloadMember | VibMember
"""One file of a generated archive, by where its bytes are."""


@final
@attrs.frozen(kw_only=True)
class Archive:
    """A generated ``.tgz``; ``members`` are in the order to write."""

    path: str
    members: tuple[ArchiveMember, ...] = attrs.field(converter=as_tuple)

    @property
    def payloads(self) -> frozenset[PayloadKey]:
        """The payloads that stand in it."""
        return frozenset(member.payload for member in self.members if isinstance(member, PayloadMember))


def disc_archives(
    image: Image,
    profile: ImageProfile,
    heads: Mapping[str, VibHead],
    *,
    timestamp: datetime,
    archive_names: tuple[str, ...],
    names: Mapping[PayloadKey, str],
) -> tuple[Archive, ...]:
    """Return the archives of a disc with what stands in them.

    Args:
        image: What is written; the VIBs that stand in an archive as a whole know their files.
        profile: Of its host VIBs.
        heads: Descriptor and signature of each installed host VIB, by id.
        timestamp: Date of everything on the disc.
        archive_names: Of the disc's generation, in their order.
        names: Local name of each payload.
    """
    makers: dict[str, Callable[[], list[ArchiveMember]]] = {
        IMAGE_DATABASE: lambda: _image_database(image, profile, heads),
        MISCELLANEOUS: _no_members,
        RESERVED_VIBS: lambda: _reserved_vibs(image),
        DPU_DEPOT: lambda: _dpu_depot(image, timestamp),
        PAYLOAD_ARCHIVE: lambda: _boot_payloads(image, names),
    }
    return tuple(Archive(path=name, members=makers[name]()) for name in map(str.upper, archive_names))


def upgrade_texts(image: Image, profile: ImageProfile, timestamp: datetime) -> list[tuple[str, bytes]]:
    """Return the generated files of the upgrade folder: the profile, and depot metadata with just that profile.

    The host VIBs know their files.
    """
    contents = DepotContents(
        vendor_name=image.vendor or "Unknown",
        vendor_code="VMW",
        products=[product_entry(image, Platform.HOST)],
        vibs=image.host_vibs,
        bulletins=[entry.component for entry in image.components],
        profiles=[profile],
        units=release_units(image),
        timestamp=timestamp,
    )
    return [
        (UPGRADE_PROFILE, render_image_profile(profile)),
        (UPGRADE_METADATA, render_metadata(contents)),
    ]


def _image_database(image: Image, profile: ImageProfile, heads: Mapping[str, VibHead]) -> list[ArchiveMember]:
    members = image_database_members(
        profile,
        vibs=[(vib, heads[vib.id]) for vib in image.host_vibs],
        components=[entry.component for entry in image.components],
        reserved_components=image.reserved_components,
        units=release_units(image),
    )
    return [GeneratedMember(name=name, data=data) for name, data in members]


def _no_members() -> list[ArchiveMember]:
    """Return nothing: what stands in ``basemisc.tgz`` is not publicly known, stock discs always have the file."""
    return []


def _reserved_vibs(image: Image) -> list[ArchiveMember]:
    vibs = [entry.vib for entry in image.reserved_vibs]
    return [VibMember(name=f"{DATABASE_ROOT}/reservedVibs/{vib.id}.vib", vib=vib) for vib in vibs]


def _dpu_depot(image: Image, timestamp: datetime) -> list[ArchiveMember]:
    """Return an unpacked depot of the VIBs for data processing units."""
    vibs = [entry.vib for entry in image.vibs if not entry.vib.is_for_host]
    if not vibs:
        return []
    contents = DepotContents(
        vendor_name=image.vendor or "Unknown",
        vendor_code="VMW",
        products=[product_entry(image, Platform.DPU)],
        vibs=vibs,
        timestamp=timestamp,
    )
    vendor = VendorEntry(name=contents.vendor_name, code=contents.vendor_code)
    return [
        GeneratedMember(name="index.xml", data=render_index((vendor,))),
        GeneratedMember(name="vendor-index.xml", data=render_vendor_index(contents.products)),
        GeneratedMember(name="metadata.zip", data=render_metadata(contents)),
        *(VibMember(name=vib_relative_path(vib), vib=vib) for vib in vibs),
    ]


def _boot_payloads(image: Image, names: Mapping[PayloadKey, str]) -> list[ArchiveMember]:
    """Return the payloads that the installer writes to the disk itself: all that are no tardisks."""
    return [
        PayloadMember(
            name=f"var/db/payloads/{payload.type}/{names[vib.id, payload.name]}",
            size_bytes=payload.size_bytes or 0,
            payload=(vib.id, payload.name),
        )
        for vib in image.host_vibs
        for payload in vib.payloads
        if payload.type not in TARDISK_TYPES
    ]
