"""Make a synthetic depot of any size: a true base image whose contents are invented.

It opens, composes, validates without errors and exports; it cannot boot. Its proportions
are those of a stock depot: a large esx-base and VMware Tools, some large system VIBs, many
small drivers, file lists of thousands of paths. Payloads are gzip files that expand to
about twice their size and that the zip's own deflate cannot shrink any further.

One seed gives the same bytes (for one version of zlib). Payloads are chosen from a pool of
precompressed pieces, so that gigabytes are made quickly, and nothing is held whole.

    python benchmarks/make_depot.py depot.zip --megabytes 500 --vibs 180
"""

from __future__ import annotations

import argparse
import hashlib
import io
import random
import struct
import tempfile
import zipfile
import zlib
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, NamedTuple, cast, final

import attrs

from benchmarks.depot_plan import VERSION, PlannedPayload, PlannedVib, plan_vibs
from esximage_builder.authoring.component import author_component
from esximage_builder.authoring.release_unit import author_base_image
from esximage_builder.checksums import Checksum
from esximage_builder.containers.ar import AR_MAGIC, render_ar_header
from esximage_builder.containers.zip_records import METHOD_DEFLATED, ZipMember
from esximage_builder.containers.zip_writer import ZipWriter, render_zip
from esximage_builder.depot.depot_zip import DepotContents, render_metadata, vib_relative_path
from esximage_builder.documents.depot_index import MetadataEntry, VendorEntry, render_index, render_vendor_index
from esximage_builder.documents.vib_archive import DESCRIPTOR_NAME, SIGNATURE_NAME
from esximage_builder.documents.vib_descriptor import render_vib_descriptor
from esximage_builder.models.image_profile import ImageProfile, ProfileVib
from esximage_builder.models.vib import MaintenanceMode, Payload, SoftwarePlatform, Vib, VibFile
from esximage_builder.rules.boot_layout import local_names
from esximage_builder.streams.hashing import COPY_BLOCK_BYTES
from esximage_builder.streams.target import prepare_target
from esximage_builder.streams.whole_file import whole_file
from esximage_builder.versions import BaseImageVersion, ComponentVersion, VibVersion
from esximage_builder.vocabulary import AcceptanceLevel

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from esximage_builder.models.component import Component

_RELEASED_AT = datetime(2022, 9, 1, tzinfo=UTC)
_SOURCE = "invented for benchmarks"

_PIECE_BYTES = 256 * 1024
_PIECES = 32
_GZIP_HEADER = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"
_LAST_DEFLATE_BLOCK = b"\x03\x00"


# Contents: pieces of gzip files


class _Piece(NamedTuple):
    """Plain bytes and the byte-aligned deflate blocks that expand to them."""

    plain: bytes
    packed: bytes


def _piece(plain: bytes) -> _Piece:
    packer = zlib.compressobj(6, zlib.DEFLATED, -zlib.MAX_WBITS)
    return _Piece(plain, packer.compress(plain) + packer.flush(zlib.Z_FULL_FLUSH))


def make_pool(seed: int) -> list[_Piece]:
    """Return pieces that look like machine code to a compressor: they shrink to about half."""
    chance = random.Random(f"pool {seed}")
    words = [chance.randbytes(chance.randrange(3, 12)) for _ in range(2048)]
    pool = []
    for _ in range(_PIECES):
        plain = bytearray()
        while len(plain) < _PIECE_BYTES:
            plain += b"".join(chance.choices(words, k=32))
            plain += chance.randbytes(64)
        pool.append(_piece(bytes(plain[:_PIECE_BYTES])))
    return pool


@final
@attrs.frozen
class MadePayload:
    """A payload with its description; ``blocks`` may be gone through more than once."""

    payload: Payload
    blocks: list[bytes]


def _make_raw(planned: PlannedPayload, chance: random.Random) -> MadePayload:
    data = chance.randbytes(planned.size_bytes)
    checksum = Checksum("sha-256", hashlib.sha256(data).hexdigest())
    return MadePayload(
        Payload(name=planned.name, type=planned.type, size_bytes=len(data), checksums=[checksum]), [data]
    )


def _pieces_for(planned: PlannedPayload, pool: list[_Piece], chance: random.Random, *, vib_name: str) -> list[_Piece]:
    """Choose pieces of about the length wanted; the first one is like no other payload's."""
    head = _piece(f"{_SOURCE}: {planned.name} of {vib_name}\n".encode())
    typical = len(pool[0].packed)
    count, rest = divmod(max(0, planned.size_bytes - len(head.packed)), typical)
    tail = _piece(chance.choice(pool).plain[: _PIECE_BYTES * rest // typical])
    return [head, *chance.choices(pool, k=count), tail]


def _make_gzip(planned: PlannedPayload, pool: list[_Piece], chance: random.Random, *, vib_name: str) -> MadePayload:
    pieces = _pieces_for(planned, pool, chance, vib_name=vib_name)
    expanded, expanded_sha1 = hashlib.sha256(), hashlib.sha1(usedforsecurity=False)
    crc32, length = 0, 0
    for piece in pieces:
        expanded.update(piece.plain)
        expanded_sha1.update(piece.plain)
        crc32 = zlib.crc32(piece.plain, crc32)
        length += len(piece.plain)
    end = _LAST_DEFLATE_BLOCK + struct.pack("<II", crc32, length & 0xFFFF_FFFF)
    blocks = [_GZIP_HEADER, *(piece.packed for piece in pieces), end]
    stored = hashlib.sha256()
    for block in blocks:
        stored.update(block)
    payload = Payload(
        name=planned.name,
        type=planned.type,
        size_bytes=sum(map(len, blocks)),
        boot_order=planned.boot_order,
        vfat_name=planned.vfat_name,
        checksums=[
            Checksum("sha-256", expanded.hexdigest(), "gunzip"),
            Checksum("sha-256", stored.hexdigest()),
            Checksum("sha-1", expanded_sha1.hexdigest(), "gunzip"),
        ],
    )
    return MadePayload(payload, blocks)


# Writing


def _describe(planned: PlannedVib, payloads: Iterable[Payload]) -> Vib:
    return Vib(
        type=planned.type,
        name=planned.name,
        version=VibVersion(planned.version),
        vendor="VMW",
        summary=f"{planned.name} ({_SOURCE})",
        description=f"{planned.name}: {_SOURCE}; it does nothing.",
        released_at=_RELEASED_AT,
        depends=planned.depends,
        provides=planned.provides,
        tags=planned.tags,
        maintenance_mode=MaintenanceMode(required=True),
        files=planned.files,
        acceptance_level=AcceptanceLevel.COMMUNITY,
        stateless_ready=True,
        overlay=planned.is_overlay,
        payloads=payloads,
    )


def _vib_blocks(descriptor: bytes, payloads: Iterable[MadePayload]) -> Iterator[bytes]:
    """Yield an unsigned ``.vib`` file piece by piece."""
    yield AR_MAGIC
    heads: list[tuple[str, int, list[bytes]]] = [
        (DESCRIPTOR_NAME, len(descriptor), [descriptor]),
        (SIGNATURE_NAME, 0, []),
    ]
    described = ((made.payload.name, made.payload.size_bytes or 0, made.blocks) for made in payloads)
    for name, size, blocks in (*heads, *described):
        yield render_ar_header(name, size)
        yield from blocks
        if size % 2:
            yield b"\n"


def _add_vib(archive: ZipWriter, vib: Vib, payloads: list[MadePayload], *, folder: Path, level: int) -> Vib:
    """Deflate a VIB beside the target, then put it into the zip with sizes and CRC-32 known."""
    digest = hashlib.sha256()
    packer = zlib.compressobj(level, zlib.DEFLATED, -zlib.MAX_WBITS)
    size, crc32 = 0, 0
    with tempfile.TemporaryFile(dir=folder) as spool:
        for block in _vib_blocks(render_vib_descriptor(vib), payloads):
            digest.update(block)
            crc32 = zlib.crc32(block, crc32)
            size += len(block)
            spool.write(packer.compress(block))
        spool.write(packer.flush())
        path = vib_relative_path(vib)
        member = ZipMember(
            name=path,
            size_bytes=size,
            compressed_bytes=spool.tell(),
            crc32=crc32,
            method=METHOD_DEFLATED,
            header_offset=0,
        )
        spool.seek(0)
        archive.add_copied(path, member, _file_blocks(cast("BinaryIO", spool)))
    return vib.with_file(VibFile(size_bytes=size, sha256=digest.hexdigest(), relative_path=path))


def _file_blocks(file: BinaryIO) -> Iterator[bytes]:
    while block := file.read(COPY_BLOCK_BYTES):
        yield block


def _make_components(vibs: Iterable[tuple[PlannedVib, Vib]]) -> list[Component]:
    members: dict[str, list[Vib]] = {}
    for planned, vib in vibs:
        members.setdefault(planned.component, []).append(vib)
    return [
        author_component(
            name,
            ComponentVersion(VERSION if name in ("ESXi", "esx-update") else group[0].version.text),
            vibs=group,
            vendor="VMware",
            summary=f"{name} ({_SOURCE})",
            released_at=_RELEASED_AT,
            platforms=[SoftwarePlatform("7.0")],
        )
        for name, group in sorted(members.items())
    ]


def _make_profile(vibs: list[Vib], components: list[Component]) -> ImageProfile:
    names = local_names(vibs)
    return ImageProfile(
        name="ESXi-7.0U3g-20328353-standard",
        creator="VMware, Inc.",
        profile_id=hashlib.sha256(VERSION.encode()).hexdigest()[:32],
        created_at=_RELEASED_AT,
        modified_at=_RELEASED_AT,
        description=_SOURCE,
        read_only=True,
        vibs=[
            ProfileVib(
                vib_id=vib.id,
                local_names=[(payload.name, names[vib.id, payload.name]) for payload in vib.payloads],
            )
            for vib in vibs
        ],
        acceptance_level=AcceptanceLevel.COMMUNITY,
        bulletin_ids=[component.bulletin.id for component in components],
    )


def _deflated_metadata(contents: DepotContents) -> bytes:
    """Return the metadata zip with compressed members, as publishers make it."""
    with zipfile.ZipFile(io.BytesIO(render_metadata(contents))) as plain:
        return render_zip(((name, plain.read(name)) for name in plain.namelist()), deflate=True)


def _add_metadata(archive: ZipWriter, made: list[tuple[PlannedVib, Vib]]) -> None:
    components = _make_components(made)
    vibs = sorted((vib for _, vib in made), key=lambda vib: vib.id)
    base_image = author_base_image(
        BaseImageVersion(VERSION),
        components,
        display_version="7.0 U3g - 20328353",
        released_at=_RELEASED_AT,
        acceptance_level=AcceptanceLevel.COMMUNITY,
        summary=_SOURCE,
    )
    contents = DepotContents(
        vendor_name="VMware, Inc.",
        vendor_code="VMW",
        products=[MetadataEntry(product_id="embeddedEsx", version="7.0")],
        vibs=vibs,
        bulletins=components,
        profiles=[_make_profile(vibs, components)],
        units=[base_image],
        timestamp=_RELEASED_AT,
    )
    archive.add_bytes("index.xml", render_index((VendorEntry(name=contents.vendor_name, code=contents.vendor_code),)))
    archive.add_bytes("vendor-index.xml", render_vendor_index(contents.products))
    archive.add_bytes("metadata.zip", _deflated_metadata(contents))


def make_depot(
    target: Path, *, megabytes: int = 500, vibs: int = 180, seed: int = 1, level: int = 6, first: int = 0
) -> None:
    """Write the depot.

    Args:
        target: The zip file; it appears whole or not at all.
        megabytes: About how large, in millions of bytes.
        vibs: How many.
        seed: The same gives the same bytes.
        level: Deflate level of the VIBs in the zip: 6 as publishers have it; 0 is far
            quicker and comes to the same, stored blocks, since nothing shrinks.
        first: Number of the first driver: depots with other numbers share only their system VIBs.
    """
    pool = make_pool(seed)
    made = []
    place = prepare_target(target, overwrite=True)
    with whole_file(place) as file, ZipWriter(file, timestamp=_RELEASED_AT, where=str(target)) as archive:
        for planned in plan_vibs(vibs, total_bytes=megabytes * 1_000_000, seed=seed, first=first):
            chance = random.Random(f"{seed} {planned.name}")
            payloads = [
                _make_gzip(payload, pool, chance, vib_name=planned.name)
                if payload.type in ("boot", "vgz", "tgz")
                else _make_raw(payload, chance)
                for payload in planned.payloads
            ]
            vib = _describe(planned, [made_payload.payload for made_payload in payloads])
            made.append((planned, _add_vib(archive, vib, payloads, folder=target.parent, level=level)))
        _add_metadata(archive, made)


def main() -> None:
    parser = argparse.ArgumentParser(description="Make a synthetic depot: a base image with invented contents.")
    parser.add_argument("target", type=Path)
    parser.add_argument("--megabytes", type=int, default=500)
    parser.add_argument("--vibs", type=int, default=180)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--first", type=int, default=0, help="number of the first driver")
    parser.add_argument("--level", type=int, default=6, help="deflate level of the VIBs in the zip")
    options = parser.parse_args()
    make_depot(
        options.target,
        megabytes=options.megabytes,
        vibs=options.vibs,
        seed=options.seed,
        level=options.level,
        first=options.first,
    )
    print(f"{options.target}: {options.target.stat().st_size:,} bytes, {options.vibs} VIBs")


if __name__ == "__main__":
    main()
