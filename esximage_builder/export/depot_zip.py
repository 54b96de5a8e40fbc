"""Writing a complete depot zip: index, vendor index, metadata zip, VIBs verbatim.

Shared by the bundle export, authoring, and the depots inside discs. What we make ourselves is stored, not
compressed, so that no zlib version shows in the bytes; a VIB that lies compressed in its
source zip is carried over as it is.

Source: docs/formats.md#bundle-layout.
"""

from __future__ import annotations

import hashlib
import io
from datetime import UTC, datetime
from typing import TYPE_CHECKING, BinaryIO, final

import attrs

from esximage_builder.containers.zip_records import ZipMember
from esximage_builder.containers.zip_writer import ZipWriter, render_zip
from esximage_builder.depot.store import open_source
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
from esximage_builder.errors import ChecksumMismatchError, LimitExceededError, ModelError
from esximage_builder.models.component import Component
from esximage_builder.models.fields import as_tuple
from esximage_builder.models.vib import Vib, VibFile
from esximage_builder.models.vib_store import PackedVibStore
from esximage_builder.progress import no_progress
from esximage_builder.streams.hashing import COPY_BLOCK_BYTES
from esximage_builder.streams.whole_file import whole_file

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from esximage_builder.documents.release_unit import ReleaseUnit
    from esximage_builder.limits import ReadLimits
    from esximage_builder.models.component import Bulletin
    from esximage_builder.models.image_profile import ImageProfile
    from esximage_builder.models.vib_store import PackedVib, VibStore
    from esximage_builder.progress import Progress

__all__ = ["DepotContents", "render_metadata", "vib_relative_path", "with_file_facts", "write_depot"]


@final
@attrs.frozen(kw_only=True)
class DepotContents:
    """What a depot zip shall hold.

    Attributes:
        vendor_name: For the index.
        vendor_code: Exactly three letters or digits, as vLCM wants it.
        products: What the metadata is for.
        vibs: Each needs ``file`` with size and SHA-256; ``with_file_facts`` finds them.
        bulletins: Components and legacy bulletins.
        profiles: Image profiles.
        units: Release units.
        timestamp: When the depot was made, aware; no clock is read.
    """

    vendor_name: str
    vendor_code: str
    products: tuple[MetadataEntry, ...] = attrs.field(converter=as_tuple)
    vibs: tuple[Vib, ...] = attrs.field(default=(), converter=as_tuple)
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


def vib_relative_path(vib: Vib) -> str:
    """Return where a depot keeps the VIB: ``vib20/foo/ACME_bootbank_foo_1.0-1.vib``."""
    return f"vib20/{vib.name}/{vib.id}.vib"


def with_file_facts(vib: Vib, store: VibStore, limits: ReadLimits) -> Vib:
    """Return the VIB with size, SHA-256 and our relative path; reads it if they are not known.

    Raises:
        LimitExceededError: It is larger than ``limits.vib_bytes``.
        NotInDepotError: The store has no such VIB.
        ChecksumMismatchError: What is known already, size or SHA-256, is not what was read.
        DepotError: The bytes cannot be read.
    """
    file = vib.file or VibFile()
    _require_within(vib, file.size_bytes or 0, limits)
    if file.sha256 and file.size_bytes is not None:
        return vib.with_file(attrs.evolve(file, relative_path=vib_relative_path(vib)))
    digest = hashlib.sha256()
    size = 0
    with open_source(store, vib) as source:
        while block := source.read(COPY_BLOCK_BYTES):
            digest.update(block)
            size += len(block)
            _require_within(vib, size, limits)
    if file.sha256:
        _require_digest(vib, digest.hexdigest())
    if file.size_bytes not in (None, size):
        raise ChecksumMismatchError(
            "the VIB's size differs from what the metadata says",
            where=vib.id,
            found=f"{size} bytes",
            expected=f"{file.size_bytes} bytes",
            hint="the file is cut short or was changed: download the depot again",
        )
    return vib.with_file(VibFile(size_bytes=size, sha256=digest.hexdigest(), relative_path=vib_relative_path(vib)))


def _require_within(vib: Vib, size_bytes: int, limits: ReadLimits) -> None:
    if size_bytes > limits.vib_bytes:
        raise LimitExceededError(
            "the VIB is larger than the limit",
            where=vib.id,
            found=f"at least {size_bytes} bytes",
            expected=f"at most {limits.vib_bytes} bytes",
            hint="if the file is trusted, pass ReadLimits(vib_bytes=...) with a larger value",
        )


def write_depot(
    contents: DepotContents,
    store: VibStore,
    target: Path,
    *,
    progress: Progress = no_progress,
) -> None:
    """Write the zip; every VIB is checked against its SHA-256 while it is copied.

    Args:
        contents: What to write. VIBs go by their id; the store is asked for the bytes.
        store: Gives the bytes; one that can hand over packed VIBs saves packing them anew.
        target: The file; it appears whole or not at all.
        progress: Told how many bytes of VIBs are copied.

    Raises:
        ExportError: The file cannot be written.
        ChecksumMismatchError: A VIB's bytes are not what its metadata says.
        DepotError: A VIB's bytes cannot be read.
    """
    total = sum(vib.file.size_bytes or 0 for vib in contents.vibs if vib.file is not None)
    done = 0
    with whole_file(target) as file, ZipWriter(file, timestamp=contents.timestamp, where=str(target)) as archive:
        vendor = VendorEntry(name=contents.vendor_name, code=contents.vendor_code)
        archive.add_bytes("index.xml", render_index((vendor,)))
        archive.add_bytes("vendor-index.xml", render_vendor_index(contents.products))
        archive.add_bytes("metadata.zip", render_metadata(contents))
        for vib in contents.vibs:
            progress("bundle", done, total)
            done += _copy_vib(vib, store, archive)
        progress("bundle", done, total)


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


def _copy_vib(vib: Vib, store: VibStore, archive: ZipWriter) -> int:
    """Copy one VIB, packed as it lies in its source if the store can do that."""
    if vib.file is None or vib.file.size_bytes is None or not vib.file.sha256:
        raise ModelError(f"{vib.id} has no size and checksum", hint="use with_file_facts first")
    path = vib_relative_path(vib)
    if isinstance(store, PackedVibStore):
        packed = store.open_packed_vib(vib)
        if packed is not None:
            with packed as member:
                _copy_packed(vib, member, archive, path)
            return vib.file.size_bytes
    with open_source(store, vib) as source:
        archive.add_stream(path, _CheckedReader(source, vib), size_bytes=vib.file.size_bytes)  # type: ignore[arg-type]
    return vib.file.size_bytes


def _copy_packed(vib: Vib, packed: PackedVib, archive: ZipWriter, path: str) -> None:
    digest = hashlib.sha256()

    def blocks() -> Iterator[bytes]:
        for raw, plain in packed.copy_blocks():
            digest.update(plain)
            yield raw
        _require_digest(vib, digest.hexdigest())

    member = ZipMember(
        name=path,
        size_bytes=packed.size_bytes,
        compressed_bytes=packed.compressed_bytes,
        crc32=packed.crc32,
        method=packed.method,
        header_offset=0,
    )
    archive.add_copied(path, member, blocks())


@final
class _CheckedReader(io.RawIOBase):
    """Hashes a ``.vib`` while it is read, and refuses its end if the digest is wrong."""

    def __init__(self, source: BinaryIO, vib: Vib) -> None:
        self._source = source
        self._vib = vib
        self._digest = hashlib.sha256()

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1, /) -> bytes:
        block = self._source.read(size)
        if block:
            self._digest.update(block)
        elif size:
            _require_digest(self._vib, self._digest.hexdigest())
        return block


def _require_digest(vib: Vib, found: str) -> None:
    expected = vib.file.sha256 if vib.file is not None else ""
    if found != expected:
        raise ChecksumMismatchError(
            "the VIB's sha-256 checksum differs from what the metadata says",
            where=vib.id,
            found=found,
            expected=expected,
            hint="the file was damaged or changed: download the depot again",
        )
