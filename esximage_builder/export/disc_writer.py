"""Filling a planned disc with bytes: its payloads while the VIBs pass by, then its generated archives.

Where the files go, into an ISO or a folder, is the target's business.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO, Protocol, assert_never, cast, final

import attrs

from esximage_builder.containers.tar_gz import TarGzWriter
from esximage_builder.depot.store import measured_image
from esximage_builder.errors import InvalidFieldError, LimitExceededError
from esximage_builder.export.disc_archives import GeneratedMember, PayloadMember, VibMember
from esximage_builder.export.disc_plan import files_to_know, plan_disc
from esximage_builder.export.gate import require_allowed
from esximage_builder.export.result import ExportResult
from esximage_builder.export.timestamp import image_timestamp
from esximage_builder.export.true_vibs import disc_vibs, require_same_descriptor, with_waived
from esximage_builder.vocabulary import PayloadType

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping
    from contextlib import AbstractContextManager
    from pathlib import Path

    from esximage_builder.depot.store import MeasuredVibStore
    from esximage_builder.documents.vib_archive import VibHead
    from esximage_builder.export.disc_archives import ArchiveMember, PayloadKey
    from esximage_builder.export.disc_options import DiscOptions
    from esximage_builder.export.disc_plan import DiscPlan
    from esximage_builder.export.spool import Spool
    from esximage_builder.export.true_vibs import VibCheck
    from esximage_builder.export.vib_pass import PayloadSink
    from esximage_builder.findings import Finding
    from esximage_builder.limits import ReadLimits
    from esximage_builder.models.image import Image
    from esximage_builder.models.vib import Payload, Vib

__all__ = ["DiscTarget", "DiscWriter", "disc_result", "payload_sizes", "plan_of_store", "read_heads"]


class DiscTarget(Protocol):
    """Where the files of a disc are written to."""

    def file(self, path: str) -> AbstractContextManager[PayloadSink]:
        """Give the file of that path to write to, from its beginning, exactly once."""


def plan_of_store(
    image: Image,
    store: MeasuredVibStore,
    options: DiscOptions,
    *,
    vib_check: VibCheck,
) -> DiscPlan:
    """Ask the store for what a plan needs to know, look at the VIBs, and plan.

    Raises:
        IncompatibleImageError: The kernel options or the VIBs have errors that are not allowed, or the image has
            no kernel.
        ModelError: The options contradict each other.
        ChecksumMismatchError: A descriptor is not the one the image was composed with.
        DepotError: A VIB cannot be read.
    """
    known = files_to_know(image, options)
    files = measured_image(image, store, known)
    found = vib_check.require_true(disc_vibs(image, known))
    plan = plan_disc(files, read_heads(image, store, vib_check.limits), options, timestamp=image_timestamp(image))
    require_allowed(plan.findings, allow=vib_check.allow, what="the kernel options have errors")
    return attrs.evolve(plan, findings=(*plan.findings, *found))


def disc_result(
    image: Image, target: Path, size_bytes: int, *, waived: Iterable[Finding], findings: Iterable[Finding]
) -> ExportResult:
    """Return the result of an export that boots; errors among the findings were allowed."""
    errors, others = with_waived(waived, findings)
    return ExportResult(path=target, size_bytes=size_bytes, image_digest=image.digest, waived=errors, findings=others)


def read_heads(image: Image, store: MeasuredVibStore, limits: ReadLimits) -> dict[str, VibHead]:
    """Read descriptor and signature of every installed host VIB, by id.

    Raises:
        ChecksumMismatchError: A descriptor is not the one the image was composed with.
        DepotError: A VIB cannot be read.
    """
    return {vib.id: _read_head(vib, store, limits) for vib in image.host_vibs}


def _read_head(vib: Vib, store: MeasuredVibStore, limits: ReadLimits) -> VibHead:
    head = store.vib_head(vib)
    require_same_descriptor(vib, head.parse(where=vib.id, limits=limits))
    return head


def payload_sizes(image: Image, limits: ReadLimits) -> Mapping[PayloadKey, int]:
    """Return the stored size in bytes of every payload of the host VIBs.

    Raises:
        InvalidFieldError: A descriptor does not tell one.
        LimitExceededError: A payload is larger than ``limits.payload_bytes``, or a boot loader
            image, which is held in memory, larger than ``limits.loader_bytes``.
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
    bound = limits.loader_bytes if is_held else limits.payload_bytes
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
    """Writes payloads and archives of a plan to a target.

    Attributes:
        payloads: Those that have a file of their own.
        total_bytes: What is written: payloads, and members of archives.

    Args:
        plan: Where things go.
        sizes: Of all payloads, in bytes.
    """

    def __init__(self, plan: DiscPlan, sizes: Mapping[PayloadKey, int]) -> None:
        self._plan = plan
        self._timestamp = int(plan.timestamp.timestamp())
        self.payloads: Collection[PayloadKey] = plan.payload_paths.keys()
        in_archives = sum(member.size_bytes for archive in plan.archives for member in archive.members)
        self.total_bytes = sum(sizes[key] for key in self.payloads) + in_archives

    def open_payload(self, key: PayloadKey, target: DiscTarget) -> AbstractContextManager[PayloadSink]:
        """Open the file of a payload."""
        return target.file(self._plan.payload_paths[key])

    def write_archives(self, target: DiscTarget, spool: Spool, tell: Callable[[int], None]) -> None:
        """Write the generated archives, when all that stands in them has passed by.

        Raises:
            OSError: The target would not take it.
        """
        for archive in self._plan.archives:
            with (
                target.file(archive.path) as file,
                TarGzWriter(cast("BinaryIO", file), timestamp=self._timestamp) as writer,
            ):
                for member in archive.members:
                    _write_member(writer, member, spool)
                    tell(member.size_bytes)


def _write_member(archive: TarGzWriter, member: ArchiveMember, spool: Spool) -> None:
    match member:
        case GeneratedMember():
            archive.add_bytes(member.name, member.data)
        case PayloadMember():
            _write_spooled(archive, member, spool, member.payload)
        case VibMember():
            _write_spooled(archive, member, spool, member.vib.id)
        case _:
            assert_never(member)


def _write_spooled(
    archive: TarGzWriter, member: PayloadMember | VibMember, spool: Spool, key: str | PayloadKey
) -> None:
    archive.add_stream(member.name, spool.read(key, where=member.name), size_bytes=member.size_bytes)
