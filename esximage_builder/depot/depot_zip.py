"""Writing a complete depot zip: index, vendor index, metadata zip, VIBs verbatim.

The bundle export and authoring stand on it. What we make ourselves is stored, not
compressed, so that no zlib version shows in the bytes; a VIB that lies compressed in its
source zip is carried over as it is.

Source: docs/formats.md#bundle-layout.
"""

from __future__ import annotations

import contextlib
import functools
from datetime import UTC, datetime
from typing import TYPE_CHECKING, BinaryIO, Self, final

import attrs

from esximage_builder.containers.zip_records import METHOD_STORED, ZipMember
from esximage_builder.containers.zip_writer import ZipMemberWriter, ZipWriter, render_zip
from esximage_builder.depot.payload_pass import open_payloads
from esximage_builder.depot.store import measured, reading
from esximage_builder.depot.vib_push import push_vib
from esximage_builder.documents.bulletin import render_bulletin
from esximage_builder.documents.depot_index import (
    MetadataEntry,
    VendorEntry,
    render_index,
    render_vendor_index,
)
from esximage_builder.documents.image_database import safe_file_name
from esximage_builder.documents.image_profile import render_image_profile
from esximage_builder.documents.metadata_response import render_metadata_response
from esximage_builder.documents.release_unit import render_release_unit, unit_kind
from esximage_builder.documents.vib_descriptor import descriptor_file_name, render_vib_descriptor
from esximage_builder.errors import ChecksumMismatchError, ModelError
from esximage_builder.limits import ReadLimits
from esximage_builder.models.component import Component
from esximage_builder.models.fields import as_tuple
from esximage_builder.models.vib import Vib
from esximage_builder.streams.whole_file import whole_file

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from esximage_builder.depot.store import MeasuredVibStore
    from esximage_builder.depot.vib_push import VibSink
    from esximage_builder.documents.release_unit import ReleaseUnit
    from esximage_builder.models.component import Bulletin
    from esximage_builder.models.image_profile import ImageProfile
    from esximage_builder.models.vib_store import PackedVib, VibStore
    from esximage_builder.streams.target import Target

__all__ = [
    "DepotContents",
    "DepotZipWriter",
    "PackedFacts",
    "packed_facts",
    "render_metadata",
    "vib_relative_path",
    "write_depot",
]


def vib_relative_path(vib: Vib) -> str:
    """Return where a depot keeps the VIB: ``vib20/foo/ACME_bootbank_foo_1.0-1.vib``."""
    return f"vib20/{vib.name}/{vib.id}.vib"


def _placed(vibs: Iterable[Vib]) -> tuple[Vib, ...]:
    """Say of each VIB whose file is known where it stands."""
    return tuple(
        vib if vib.file is None else vib.with_file(attrs.evolve(vib.file, relative_path=vib_relative_path(vib)))
        for vib in vibs
    )


@final
@attrs.frozen(kw_only=True)
class DepotContents:
    """What a depot zip shall hold.

    Attributes:
        vendor_name: For the index.
        vendor_code: Exactly three letters or digits, as vLCM wants it.
        products: What the metadata is for.
        vibs: Each needs ``file`` with size and SHA-256; they get their place in the depot here.
        bulletins: Components and legacy bulletins.
        profiles: Image profiles.
        units: Release units.
        timestamp: When the depot was made, aware; no clock is read.
    """

    vendor_name: str
    vendor_code: str
    products: tuple[MetadataEntry, ...] = attrs.field(converter=as_tuple)
    vibs: tuple[Vib, ...] = attrs.field(default=(), converter=_placed)
    bulletins: tuple[Bulletin | Component, ...] = attrs.field(default=(), converter=as_tuple)
    profiles: tuple[ImageProfile, ...] = attrs.field(default=(), converter=as_tuple)
    units: tuple[ReleaseUnit, ...] = attrs.field(default=(), converter=as_tuple)
    timestamp: datetime = datetime(1980, 1, 1, tzinfo=UTC)

    def __attrs_post_init__(self) -> None:
        code = self.vendor_code
        if not (len(code) == _VENDOR_CODE_LENGTH and code.isascii() and code.isalnum()):
            raise ModelError(
                "the vendor code must be three letters or digits",
                found=repr(code),
                expected="such as VMW or ACM",
                hint="vLCM refuses bundles with other vendor codes",
            )


_VENDOR_CODE_LENGTH = 3


@final
class DepotZipWriter:
    """Writes a depot: what is generated first, then the VIBs, each at its place, in any order and from any thread.

    Args:
        file: Seekable; not closed.
        contents: What to write.
        packed: By VIB id, those that are packed as in their source.
        where: How to name the zip in errors.

    Raises:
        ModelError: Size and SHA-256 of a VIB are not known.
        ExportError: The file cannot be written.
    """

    def __init__(
        self, file: BinaryIO, contents: DepotContents, *, packed: Mapping[str, PackedFacts], where: str
    ) -> None:
        self._archive = ZipWriter(file, timestamp=contents.timestamp, where=where)
        self._paths = {vib.id: vib_relative_path(vib) for vib in contents.vibs}
        self._packed = packed
        self._where = where
        vendor = VendorEntry(name=contents.vendor_name, code=contents.vendor_code)
        self._archive.add_bytes("index.xml", render_index((vendor,)))
        self._archive.add_bytes("vendor-index.xml", render_vendor_index(contents.products))
        self._archive.add_bytes("metadata.zip", render_metadata(contents))
        stored = {self._paths[vib.id] for vib in contents.vibs if vib.id not in packed}
        self._archive.reserve([_member_of(vib, packed.get(vib.id)) for vib in contents.vibs], uncounted=stored)

    @contextlib.contextmanager
    def open_vib(self, vib_id: str, packed: PackedVib | None) -> Iterator[VibSink]:
        """Give the place of a VIB, which is packed as in its source if that was known.

        Raises:
            ChecksumMismatchError: The place gets more or fewer bytes than it has, or a VIB that is packed otherwise.
            ExportError: The file cannot be written.
        """
        found = None if packed is None else PackedFacts.of(packed)
        if found != self._packed.get(vib_id):
            raise ChecksumMismatchError(
                "the VIB does not lie in its source as it did before",
                where=vib_id,
                found="not packed" if found is None else str(found),
                expected=str(self._packed.get(vib_id, "not packed")),
                hint="leave the depot alone while it is in use, and try again",
            )
        with self._archive.open_reserved(self._paths[vib_id]) as member:
            yield _RawSink(member)

    def close(self) -> None:
        """Write the end of the zip."""
        self._archive.close()


@final
@attrs.frozen(kw_only=True)
class PackedFacts:
    """How a VIB lies packed in its source; see ``PackedVib``."""

    method: int
    crc32: int
    size_bytes: int
    compressed_bytes: int

    @classmethod
    def of(cls, packed: PackedVib) -> Self:
        """Take them from an open one."""
        return cls(
            method=packed.method,
            crc32=packed.crc32,
            size_bytes=packed.size_bytes,
            compressed_bytes=packed.compressed_bytes,
        )


def packed_facts(vibs: Iterable[Vib], store: MeasuredVibStore) -> dict[str, PackedFacts]:
    """Return how VIBs lie packed in their source, by id; those that do not are not in it.

    Raises:
        NotInDepotError: The store lacks a VIB.
        SourceUnreadableError: The operating system refuses.
    """
    found = {}
    for vib in vibs:
        with reading(vib.id):
            packed = store.open_packed_vib(vib)
            if packed is not None:
                with packed as member:
                    found[vib.id] = PackedFacts.of(member)
    return found


def _member_of(vib: Vib, packed: PackedFacts | None) -> ZipMember:
    if vib.file is None or vib.file.size_bytes is None or not vib.file.sha256:
        raise ModelError(f"{vib.id} has no size and checksum", hint="measure it first")
    size = vib.file.size_bytes
    facts = packed or PackedFacts(method=METHOD_STORED, crc32=0, size_bytes=size, compressed_bytes=size)
    return ZipMember(name=vib_relative_path(vib), header_offset=0, **attrs.asdict(facts))


@final
class _RawSink:
    """Takes a VIB as it lies in its source."""

    def __init__(self, member: ZipMemberWriter) -> None:
        self._member = member

    def write(self, raw: bytes, plain: bytes, /) -> None:  # noqa: ARG002 - the others need it
        self._member.write(raw)


def write_depot(contents: DepotContents, store: VibStore, target: Target, *, limits: ReadLimits | None = None) -> None:
    """Write the zip; every VIB is checked against its SHA-256, and its payloads against theirs, while it is copied.

    Args:
        contents: What to write. VIBs go by their id; the store is asked for the bytes.
        store: Gives the bytes; one that can hand over packed VIBs saves packing them anew.
        target: The file, as ``prepare_target`` returned it; it appears whole or not at all.
        limits: Upper bounds for reading VIBs; None takes the defaults.

    Raises:
        ExportError: The file cannot be written.
        ChecksumMismatchError: A VIB's bytes are not what its metadata says.
        DepotError: A VIB's bytes cannot be read.
    """
    bounds = limits or ReadLimits()
    known = measured(store, limits=bounds)
    needed = sum((vib.file and vib.file.size_bytes) or 0 for vib in contents.vibs)
    with whole_file(target, size_bytes=needed) as file:
        packed = packed_facts(contents.vibs, known)
        writer = DepotZipWriter(file, contents, packed=packed, where=str(target.named))
        for vib in contents.vibs:
            payloads = functools.partial(open_payloads, vib, (), bounds, _tell_nobody)
            push_vib(vib, known, [functools.partial(writer.open_vib, vib.id), payloads])
        writer.close()


def _tell_nobody(_: int) -> None:
    """Do nothing: whoever copies depots asks for no progress."""


def render_metadata(contents: DepotContents) -> bytes:
    """Return the metadata zip alone."""
    return render_zip(_metadata_members(contents, render_vendor_index(contents.products)))


def _metadata_members(contents: DepotContents, vendor_index: bytes) -> Iterator[tuple[str, bytes]]:
    vibs = {vib.id: vib for vib in contents.vibs}
    yield "vendor-index.xml", vendor_index
    yield (
        "vmware.xml",
        render_metadata_response(contents.bulletins, vibs=vibs, timestamp=contents.timestamp),
    )
    for vib in contents.vibs:
        yield f"vibs/{descriptor_file_name(vib)}", render_vib_descriptor(vib, with_file=True)
    for bulletin in contents.bulletins:
        bulletin_id = bulletin.bulletin.id if isinstance(bulletin, Component) else bulletin.id
        yield f"bulletins/{safe_file_name(bulletin_id)}.xml", render_bulletin(bulletin)
    for profile in contents.profiles:
        yield f"profiles/{safe_file_name(profile.name)}.xml", render_image_profile(profile)
    for unit in contents.units:
        yield f"{unit_kind(unit).value}/{safe_file_name(unit.id)}.json", render_release_unit(unit)
