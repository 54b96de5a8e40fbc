"""Filling a planned disc with bytes: one pass over the VIBs, then the generated archives.

Where the files go, into an ISO or a folder, is the target's business.
"""

from __future__ import annotations

import io
import tempfile
from typing import TYPE_CHECKING, BinaryIO, Protocol, assert_never, cast, final

from esximage_builder.checksums import Checksum
from esximage_builder.containers.tar_gz import TarGzWriter
from esximage_builder.depot.store import open_source
from esximage_builder.documents.vib_archive import VibHead, iter_payloads, read_vib_head
from esximage_builder.errors import ChecksumMismatchError, InvalidFieldError, LimitExceededError
from esximage_builder.export.disc_archives import GeneratedMember, PayloadMember, VibMember
from esximage_builder.export.timestamp import image_timestamp
from esximage_builder.streams.blocks import bounded_stream
from esximage_builder.streams.hashing import hashing_copy
from esximage_builder.vocabulary import PayloadType

if TYPE_CHECKING:
    from collections.abc import Mapping
    from contextlib import AbstractContextManager

    from esximage_builder.export.disc_archives import ArchiveMember, PayloadKey
    from esximage_builder.export.disc_plan import DiscPlan
    from esximage_builder.limits import ReadLimits
    from esximage_builder.models.image import Image
    from esximage_builder.models.vib import Payload, Vib
    from esximage_builder.models.vib_store import VibStore
    from esximage_builder.progress import Progress

__all__ = ["DiscTarget", "DiscWriter", "payload_sizes", "read_heads"]


class DiscTarget(Protocol):
    """Where the files of a disc are written to."""

    def file(self, path: str) -> AbstractContextManager[BinaryIO]:
        """Give the file of that path to write to, from its beginning, exactly once."""


def read_heads(image: Image, store: VibStore, limits: ReadLimits) -> dict[str, VibHead]:
    """Read descriptor and signature of every installed host VIB, by id.

    Raises:
        ChecksumMismatchError: A descriptor is not the one the image was composed with.
        DepotError: A VIB cannot be read.
    """
    return {vib.id: _read_head(vib, store, limits) for vib in image.host_vibs}


# What an image is composed and judged by; texts and dates may be worded anew.
_DECIDING = (
    "id", "payloads", "acceptance_level", "depends", "conflicts", "replaces", "provides", "overlay",
    "software_platforms", "hardware_platforms",
)  # fmt: skip


def _read_head(vib: Vib, store: VibStore, limits: ReadLimits) -> VibHead:
    with open_source(store, vib) as source:
        head = read_vib_head(source, where=vib.id, limits=limits)
    inside = head.parse(where=vib.id, limits=limits)
    changed = [name for name in _DECIDING if getattr(inside, name) != getattr(vib, name)]
    if changed:
        raise ChecksumMismatchError(
            "the descriptor in the VIB is not the one of the depot's metadata",
            where=vib.id,
            found=inside.id if "id" in changed else f"another {', '.join(changed).replace('_', ' ')}",
            expected=vib.id if "id" in changed else "what the metadata says",
            hint="the depot was put together wrongly: get it again from its publisher",
        )
    return head


def payload_sizes(image: Image, limits: ReadLimits) -> Mapping[PayloadKey, int]:
    """Return the stored size in bytes of every payload of the host VIBs.

    Raises:
        InvalidFieldError: A descriptor does not tell one.
        LimitExceededError: A payload is larger than ``limits.payload_bytes``, or a boot loader
            image, which is held in memory, larger than ``limits.document_bytes``.
    """
    return {
        (vib.id, payload.name): _size_of(payload, vib, limits) for vib in image.host_vibs for payload in vib.payloads
    }


def _size_of(payload: Payload, vib: Vib, limits: ReadLimits) -> int:
    if payload.size_bytes is None:
        raise InvalidFieldError(
            f"the descriptor does not tell the size of payload {payload.name}",
            where=vib.id,
            expected='size="..." at every payload',
            hint="the VIB was never built properly: get a built one",
        )
    is_held = payload.type in (PayloadType.BOOT_ISO_BIOS, PayloadType.ELTORITO_IMAGE_EFI)
    bound = limits.document_bytes if is_held else limits.payload_bytes
    if payload.size_bytes > bound:
        raise LimitExceededError(
            f"payload {payload.name} is larger than the limit",
            where=vib.id,
            found=f"{payload.size_bytes} bytes",
            expected=f"at most {bound} bytes",
        )
    return payload.size_bytes


@final
class DiscWriter:
    """Writes payloads and archives of a plan to a target, checking every byte on the way.

    Args:
        image: What is written.
        store: Gives the VIBs' bytes.
        plan: Where things go.
        target: Takes the files.
        limits: Upper bounds for reading VIBs.
        progress: Told how many bytes are written.
        total_bytes: For the progress.
    """

    def __init__(
        self,
        image: Image,
        store: VibStore,
        plan: DiscPlan,
        target: DiscTarget,
        *,
        limits: ReadLimits,
        progress: Progress,
        total_bytes: int,
    ) -> None:
        self._image = image
        self._store = store
        self._plan = plan
        self._target = target
        self._limits = limits
        self._progress = progress
        self._total_bytes = total_bytes
        self._done_bytes = 0
        self._archived = frozenset(key for archive in plan.archives for key in archive.payloads)
        self._spooled: dict[PayloadKey, tuple[int, int]] = {}

    def write(self) -> None:
        """Write everything but the plan's texts.

        Raises:
            ChecksumMismatchError: Bytes are not what their metadata says.
            DepotError: A VIB's bytes cannot be read.
            OSError: The target would not take it.
        """
        moment = int(image_timestamp(self._image).timestamp())
        with tempfile.TemporaryFile() as file:
            spool = cast("BinaryIO", file)
            for vib in self._image.host_vibs:
                self._write_payloads(vib, spool)
            for archive in self._plan.archives:
                with self._target.file(archive.path) as target, TarGzWriter(target, timestamp=moment) as writer:
                    for member in archive.members:
                        self._write_member(writer, member, spool)
                        self._tell(member.size_bytes)
        self._progress("disc", self._total_bytes, self._total_bytes)

    def _tell(self, count: int) -> None:
        self._done_bytes += count
        self._progress("disc", min(self._done_bytes, self._total_bytes), self._total_bytes)

    def _write_payloads(self, vib: Vib, spool: BinaryIO) -> None:
        keys = {(vib.id, payload.name) for payload in vib.payloads}
        wanted = keys & (self._plan.payload_paths.keys() | self._archived)
        if not wanted:
            return
        with open_source(self._store, vib) as source:
            for payload, stream, size in iter_payloads(source, vib, where=vib.id, limits=self._limits):
                key = (vib.id, payload.name)
                if key in wanted:
                    _require_size(payload, size, where=f"{vib.id}!{payload.name}")
                    self._write_payload(key, payload, stream, spool=spool)
                    self._tell(size)

    def _write_payload(self, key: PayloadKey, payload: Payload, stream: BinaryIO, *, spool: BinaryIO) -> None:
        """Write a payload to its own file, and keep a copy of what an archive wants too."""
        path = self._plan.payload_paths.get(key)
        where = f"{key[0]}!{payload.name}"
        if key not in self._archived:
            assert path is not None  # noqa: S101 - a wanted payload has a place or goes into an archive
            with self._target.file(path) as target:
                _copy_payload(stream, target, payload, where)
            return
        start = spool.seek(0, io.SEEK_END)
        size = _copy_payload(stream, spool, payload, where)
        self._spooled[key] = (start, size)
        if path is not None:
            spool.seek(start)
            with self._target.file(path) as target:
                hashing_copy(bounded_stream(spool, size, where=where), target, where=where)

    def _write_member(self, archive: TarGzWriter, member: ArchiveMember, spool: BinaryIO) -> None:
        match member:
            case GeneratedMember():
                archive.add_bytes(member.name, member.data)
            case PayloadMember():
                start, size = self._spooled[member.payload]
                spool.seek(start)
                archive.add_stream(member.name, bounded_stream(spool, size, where=member.name), size_bytes=size)
            case VibMember():
                checksum = Checksum("sha-256", member.sha256)
                with open_source(self._store, member.vib) as source:
                    archive.add_stream(member.name, source, size_bytes=member.size_bytes, checksums=[checksum])
            case _:
                assert_never(member)


def _require_size(payload: Payload, found: int, *, where: str) -> None:
    """Refuse a payload that would not fit its place, before a byte of it is written."""
    if found != payload.size_bytes:
        raise ChecksumMismatchError(
            "the payload's size differs from what its descriptor says",
            where=where,
            found=f"{found} bytes",
            expected=f"{payload.size_bytes} bytes",
            hint="the VIB is damaged or was changed: get it again from its publisher",
        )


def _copy_payload(stream: BinaryIO, target: BinaryIO, payload: Payload, where: str) -> int:
    """Copy a payload whose archive member was seen to have the descriptor's size."""
    return hashing_copy(stream, target, checksums=payload.checksums, size_bytes=payload.size_bytes, where=where)
