"""Writing an image as a bootable installer disc.

The disc is laid out first; then one pass over the VIBs copies every payload straight to its
place, checking it on the way; then the generated archives follow. The finished disc is read
back and compared with the plan before it takes the target's place.
"""

from __future__ import annotations

import io
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, cast, final

from esximage_builder.checksums import Checksum, hashing_copy
from esximage_builder.errors import ChecksumMismatchError, ExportError, IncompatibleImageError, InvalidFieldError
from esximage_builder.export.disc_plan import ArchiveMember, DiscPlan, PayloadKey, plan_disc
from esximage_builder.export.published import ExportResult, image_timestamp, require_exportable
from esximage_builder.findings import Severity
from esximage_builder.formats.boot_cfg import parse_boot_cfg
from esximage_builder.formats.gzip import TarGzWriter, stored_tgz_bytes
from esximage_builder.formats.iso9660 import IsoFile, IsoLayout, lay_out_iso, open_iso, with_boot_info_table
from esximage_builder.formats.kickstart import check_kickstart
from esximage_builder.formats.vib_archive import VibHead, iter_payloads, read_vib_head
from esximage_builder.limits import ReadLimits
from esximage_builder.progress import no_progress
from esximage_builder.whole_file import whole_file

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from esximage_builder.models.image import Image
    from esximage_builder.models.vib import Payload, Vib
    from esximage_builder.models.vib_store import VibStore
    from esximage_builder.progress import Progress
    from esximage_builder.rules.validate import ValidationReport

__all__ = ["export_iso"]


def export_iso(
    image: Image,
    store: VibStore,
    target: str | Path,
    *,
    kickstart: str | Path | bytes | None = None,
    kernel_options: str = "",
    allow: Iterable[str] = (),
    report: ValidationReport | None = None,
    limits: ReadLimits | None = None,
    progress: Progress = no_progress,
) -> ExportResult:
    """Write an image as a bootable installer disc.

    ISO9660 level 3, upper case, no Joliet, no Rock Ridge; one El Torito entry for each boot
    loader that the image carries. Two exports of one image are the same bytes.

    Args:
        image: What to write.
        store: Gives the VIBs' bytes, usually the opened depot.
        target: The file; it appears whole or not at all.
        kickstart: Path of a kickstart file, or its content; put on the disc and into both
            ``boot.cfg``.
        kernel_options: Appended to the installer's kernel options.
        allow: Codes of errors that do not matter.
        report: Validation of this image; None validates it here.
        limits: Upper bounds for reading VIBs.
        progress: Told how many bytes are written.

    Returns:
        What was written; ``findings`` name payloads that got another file name.

    Raises:
        IncompatibleImageError: The image or the kickstart file has errors that are not allowed.
        ExportError: The file cannot be written, or reads back otherwise than planned.
        ChecksumMismatchError: A payload's bytes are not what its metadata says.
        DepotError: A VIB's bytes cannot be read.
    """
    allowed = frozenset(allow)
    bounds = limits or ReadLimits()
    waived = require_exportable(image, report=report, allow=allowed)
    script = _read_kickstart(kickstart)
    kickstart_findings = () if script is None else check_kickstart(script, where=_kickstart_name(kickstart))
    errors = [f for f in kickstart_findings if f.severity is Severity.ERROR and f.code not in allowed]
    if errors:
        raise IncompatibleImageError(
            "the kickstart file has errors, nothing is written",
            findings=errors,
            where=_kickstart_name(kickstart),
            found=errors[0].message,
            hint=errors[0].remedy,
        )
    heads = {vib.id: _read_head(vib, store, bounds) for vib in image.host_vibs}
    plan = plan_disc(image, store, heads, kickstart=script, kernel_options=kernel_options)
    layout = _lay_out(image, plan)
    target = Path(target)
    with whole_file(target) as file:
        layout.write_skeleton(file)
        _DiscWriter(image, store, plan, layout, file=file, limits=bounds, progress=progress).write()
        file.flush()
        _check_written(file, plan, layout, where=str(target))
    waived += tuple(f for f in kickstart_findings if f.severity is Severity.ERROR)
    return ExportResult(
        path=target,
        size_bytes=layout.total_bytes,
        image_digest=image.digest,
        waived=waived,
        findings=(*plan.findings, *(f for f in kickstart_findings if f.severity is not Severity.ERROR)),
    )


def _kickstart_name(kickstart: str | Path | bytes | None) -> str:
    return "kickstart" if isinstance(kickstart, bytes) else str(kickstart)


def _read_kickstart(kickstart: str | Path | bytes | None) -> bytes | None:
    if kickstart is None or isinstance(kickstart, bytes):
        return kickstart
    try:
        return Path(kickstart).read_bytes()
    except OSError as error:
        raise ExportError(
            f"the kickstart file cannot be read: {error.strerror or error}", where=str(kickstart), hint="check the path"
        ) from error


def _read_head(vib: Vib, store: VibStore, limits: ReadLimits) -> VibHead:
    """Read descriptor and signature, and see that the descriptor is the one we planned with."""
    with store.open_vib(vib) as source:
        head = read_vib_head(source, where=vib.id, limits=limits)
    inside = head.parse(where=vib.id, limits=limits)
    if (inside.id, inside.payloads) != (vib.id, vib.payloads):
        raise ChecksumMismatchError(
            "the descriptor in the VIB is not the one of the depot's metadata",
            where=vib.id,
            found=inside.id if inside.id != vib.id else "other payloads or checksums",
            expected=vib.id,
            hint="the depot was put together wrongly: get it again from its publisher",
        )
    return head


def _size_of(payload: Payload, vib: Vib) -> int:
    if payload.size_bytes is None:
        raise InvalidFieldError(
            f"the descriptor does not tell the size of payload {payload.name}",
            where=vib.id,
            expected='size="..." at every payload',
            hint="the VIB was never built properly: get a built one",
        )
    return payload.size_bytes


def _lay_out(image: Image, plan: DiscPlan) -> IsoLayout:
    sizes = {(vib.id, payload.name): _size_of(payload, vib) for vib in image.host_vibs for payload in vib.payloads}
    files = [IsoFile(path=path, content=content) for path, content in plan.texts]
    for key, path in plan.payload_paths.items():
        is_boot_file = path in (plan.bios_boot, plan.efi_boot)
        files.append(IsoFile(path=path, content=bytes(sizes[key]) if is_boot_file else None, size_bytes=sizes[key]))
    for archive in plan.archives:
        size = stored_tgz_bytes((member.name, member.size_bytes) for member in archive.members)
        files.append(IsoFile(path=archive.path, size_bytes=size))
    return lay_out_iso(
        files,
        volume_id=plan.volume_id,
        bios_boot=plan.bios_boot,
        efi_boot=plan.efi_boot,
        timestamp=image_timestamp(image),
    )


@final
class _DiscWriter:
    """Fills a laid-out disc: payloads in one pass over the VIBs, then the archives."""

    def __init__(
        self,
        image: Image,
        store: VibStore,
        plan: DiscPlan,
        layout: IsoLayout,
        *,
        file: BinaryIO,
        limits: ReadLimits,
        progress: Progress,
    ) -> None:
        self._image = image
        self._store = store
        self._plan = plan
        self._layout = layout
        self._file = file
        self._limits = limits
        self._progress = progress
        self._done_bytes = 0
        self._spooled: dict[PayloadKey, tuple[int, int]] = {}

    def write(self) -> None:
        archived = {
            member.payload
            for archive in self._plan.archives
            for member in archive.members
            if member.payload is not None
        }
        with tempfile.TemporaryFile() as spool:
            for vib in self._image.host_vibs:
                self._write_payloads(vib, archived, cast("BinaryIO", spool))
            moment = image_timestamp(self._image)
            for archive in self._plan.archives:
                self._file.seek(self._layout.offsets[archive.path])
                self._write_archive(archive.members, cast("BinaryIO", spool), moment)
        self._tell(0)

    def _tell(self, count: int) -> None:
        self._done_bytes += count
        self._progress("iso", self._done_bytes, self._layout.total_bytes)

    def _write_payloads(self, vib: Vib, archived: set[PayloadKey], spool: BinaryIO) -> None:
        wanted = {payload.name for payload in vib.payloads if self._is_wanted(vib, payload, archived)}
        if not wanted:
            return
        with self._store.open_vib(vib) as source:
            for payload, stream, size in iter_payloads(source, vib, where=vib.id, limits=self._limits):
                key = (vib.id, payload.name)
                if payload.name in wanted:
                    self._write_payload(key, payload, stream, spool=spool if key in archived else None)
                    self._tell(size)

    def _is_wanted(self, vib: Vib, payload: Payload, archived: set[PayloadKey]) -> bool:
        return (vib.id, payload.name) in self._plan.payload_paths or (vib.id, payload.name) in archived

    def _write_payload(self, key: PayloadKey, payload: Payload, stream: BinaryIO, *, spool: BinaryIO | None) -> None:
        path = self._plan.payload_paths.get(key)
        where = f"{key[0]}!{payload.name}"
        if spool is None and path is not None:
            self._copy(stream, self._at(path), payload, where)
            return
        assert spool is not None  # noqa: S101 - a wanted payload has a place or goes into an archive
        start = spool.seek(0, io.SEEK_END)
        size = self._copy(stream, spool, payload, where)
        self._spooled[key] = (start, size)
        if path is None:
            return
        spool.seek(start)
        if path == self._plan.bios_boot:
            loader = with_boot_info_table(spool.read(size), offset=self._layout.offsets[path])
            self._at(path).write(loader)
        else:
            hashing_copy(_bounded(spool, size), self._at(path), where=where)

    def _at(self, path: str) -> BinaryIO:
        self._file.seek(self._layout.offsets[path])
        return self._file

    def _copy(self, stream: BinaryIO, target: BinaryIO, payload: Payload, where: str) -> int:
        bounded = _bounded(stream, payload.size_bytes or 0)
        size = hashing_copy(bounded, target, checksums=payload.checksums, size_bytes=payload.size_bytes, where=where)
        if stream.read(1):
            raise ChecksumMismatchError(
                "the payload is longer than its descriptor says", where=where, expected=f"{payload.size_bytes} bytes"
            )
        return size

    def _write_archive(self, members: tuple[ArchiveMember, ...], spool: BinaryIO, moment: datetime) -> None:
        with TarGzWriter(self._file, timestamp=int(moment.timestamp())) as archive:
            for member in members:
                self._write_member(archive, member, spool)
                self._tell(member.size_bytes)

    def _write_member(self, archive: TarGzWriter, member: ArchiveMember, spool: BinaryIO) -> None:
        if member.data is not None:
            archive.add_bytes(member.name, member.data)
        elif member.payload is not None:
            start, size = self._spooled[member.payload]
            spool.seek(start)
            archive.add_stream(member.name, _bounded(spool, size), size_bytes=size)
        elif member.vib is not None and member.vib.file is not None:
            checksum = Checksum("sha-256", member.vib.file.sha256)
            with self._store.open_vib(member.vib) as source:
                archive.add_stream(member.name, source, size_bytes=member.size_bytes, checksums=[checksum])


@final
class _Bounded(io.RawIOBase):
    """The next so many bytes of a stream."""

    def __init__(self, source: BinaryIO, size_bytes: int) -> None:
        self._source = source
        self._left = size_bytes

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1, /) -> bytes:
        block = self._source.read(self._left if size < 0 else min(size, self._left))
        self._left -= len(block)
        return block


def _bounded(source: BinaryIO, size_bytes: int) -> BinaryIO:
    return cast("BinaryIO", _Bounded(source, size_bytes))


def _check_written(file: BinaryIO, plan: DiscPlan, layout: IsoLayout, *, where: str) -> None:
    """Read the disc back and compare it with the plan.

    Raises:
        ExportError: It is not what was planned.
    """
    with open_iso(file, where=where, limits=ReadLimits()) as disc:
        problems = []
        if tuple(disc.files.values()) != layout.entries:
            problems.append("the files are not where they were put")
        if disc.boot_entries != layout.boot_entries:
            problems.append("the boot entries differ")
        for path, content in plan.texts:
            if disc.read(path, max_bytes=len(content)) != content:
                problems.append(f"{path} differs")
        boot_cfg = parse_boot_cfg(
            disc.read("BOOT.CFG", max_bytes=ReadLimits().document_bytes), where=f"{where}!BOOT.CFG"
        )
        named = [boot_cfg.kernel, *(module.file_name for module in boot_cfg.modules)]
        problems += [
            f"boot.cfg names {name}, which is not there" for name in named if name.strip("/").upper() not in disc.files
        ]
    if problems:
        raise ExportError(
            f"the disc does not read back as it was planned: {problems[0]}",
            where=where,
            found="; ".join(problems),
            hint="this is a fault of the library: report it with the depots used",
        )
