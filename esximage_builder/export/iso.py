"""Writing an image as a bootable installer disc.

The disc is laid out first; then every payload comes straight to its place while the VIBs pass
by, checked on the way; then the generated archives follow. The finished disc is read
back and compared with the plan before it takes the target's place.
"""

from __future__ import annotations

import contextlib
import io
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, final

import attrs

from esximage_builder.containers.boot_info_table import with_boot_info_table
from esximage_builder.containers.iso9660 import IsoFile, IsoLayout, lay_out_iso
from esximage_builder.containers.iso9660_reader import open_iso
from esximage_builder.containers.tar_gz import stored_tgz_bytes
from esximage_builder.depot.store import inputs_of, measured
from esximage_builder.disc_files import BOOT_CFG
from esximage_builder.documents.boot_cfg import parse_boot_cfg
from esximage_builder.errors import DepotError, ExportError
from esximage_builder.export.disc_options import DiscOptions, address_of
from esximage_builder.export.disc_plan import DiscPlan
from esximage_builder.export.disc_writer import DiscWriter, disc_result, payload_sizes, plan_of_store
from esximage_builder.export.gate import require_exportable
from esximage_builder.export.kickstart_file import kickstart_files, read_kickstart
from esximage_builder.export.result import ExportResult
from esximage_builder.export.true_vibs import VibCheck
from esximage_builder.export.writing import write_outputs
from esximage_builder.limits import ReadLimits
from esximage_builder.progress import no_progress
from esximage_builder.rules.boot_layout import without_tools
from esximage_builder.streams.file_kind import FileKind
from esximage_builder.streams.placed_file import PlacedFile
from esximage_builder.streams.room import writing
from esximage_builder.streams.target import prepare_target

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager

    from esximage_builder.documents.kickstart_address import KickstartAddress
    from esximage_builder.export.disc_archives import Archive, PayloadKey
    from esximage_builder.export.spool import Spool
    from esximage_builder.export.true_vibs import Check
    from esximage_builder.export.vib_pass import FileTaker, PayloadSink, PayloadTaker
    from esximage_builder.findings import Finding
    from esximage_builder.models.image import Image
    from esximage_builder.models.vib_store import VibStore
    from esximage_builder.progress import Progress
    from esximage_builder.rules.validate import ValidationReport
    from esximage_builder.streams.target import Target
    from esximage_builder.streams.whole_file import WholeTargets

__all__ = ["IsoOutput", "export_iso"]


def export_iso(
    image: Image,
    store: VibStore,
    target: str | Path,
    *,
    kickstart: str | Path | bytes | None = None,
    kickstart_address: KickstartAddress | str | None = None,
    kernel_options: str = "",
    with_tools: bool = True,
    with_installer: bool = True,
    with_stick: bool = True,
    overwrite: bool = False,
    allow: Iterable[str] = (),
    report: ValidationReport | None = None,
    check: Check = "stored",
    limits: ReadLimits | None = None,
    progress: Progress = no_progress,
    workers: int | None = None,
) -> ExportResult:
    """Write an image as a bootable installer disc.

    ISO9660 level 3, upper case, no Joliet, no Rock Ridge; one El Torito entry for each boot
    loader that the image carries. Written to a stick as it is, the disc boots with UEFI. Two exports
    of one image are the same bytes.

    Args:
        image: What to write.
        store: Gives the VIBs' bytes, usually the opened depot.
        target: The file; it appears whole or not at all.
        kickstart: Path of a kickstart file, or its content; put on the disc and into both
            ``boot.cfg``.
        kickstart_address: Where the installer looks for the kickstart file, such as ``usb:/KS.CFG`` or
            ``http://server/ks.cfg``; None for where ``kickstart`` is put.
        kernel_options: Appended to the stock kernel options, each named in the findings; none
            is ever added unasked.
        with_tools: Carry VMware Tools. Without, neither disc nor image database has the locker VIBs.
        with_installer: Carry the installer and the upgrade folder; without, the disc boots ESXi itself.
        with_stick: Say where the UEFI loader lies in a partition table too, for firmware that boots no
            stick without one.
        overwrite: Replace a file that is there; never one that is read.
        allow: Codes of errors that do not matter.
        report: Validation of this image, or of ``without_tools(image)`` where these are left out;
            of the first, what is found on the second counts too. None validates what is written here.
        check: ``unpacked`` unpacks all payloads before anything is written and checks those checksums too;
            ``stored`` checks the bytes as they are stored, while they are written.
        limits: Upper bounds for reading VIBs and the kickstart file, and for reading back what was written.
        progress: Told how many bytes are written.
        workers: How many VIBs are read at a time, 1 to 64, which decides no byte that is written; None takes two
            where there are two cores.

    Returns:
        What was written; ``findings`` name payloads that got another file name and added kernel options.

    Raises:
        IncompatibleImageError: The image, a VIB, the kickstart file or a kernel option has errors that are
            not allowed, or the image has no kernel, which cannot be allowed.
        ModelError: The options contradict each other, the kickstart address is none, the report is of another
            image, or the file's suffix is that of another kind of file.
        SourceUnreadableError: The kickstart file cannot be read.
        ExportError: The file is there already, is one that is read, cannot be written, or reads
            back otherwise than planned.
        ChecksumMismatchError: A VIB's descriptor or a payload's bytes are not what the metadata says.
        LimitExceededError: Something is larger than ``limits`` allow.
        DepotError: A VIB's bytes cannot be read.
    """
    inputs = inputs_of(store, *kickstart_files(kickstart))
    place = prepare_target(target, kind=FileKind.ISO, inputs=inputs, overwrite=overwrite)
    allowed = frozenset(allow)
    bounds = limits or ReadLimits()
    boots = image if with_tools else without_tools(image)
    waived = require_exportable(boots, report=report, allow=allowed, composed=image)
    known = measured(store, limits=bounds)
    vib_check = VibCheck(store=known, check=check, allow=allowed, limits=bounds)
    script, script_findings = read_kickstart(kickstart, allow=allowed, limits=bounds)
    options = DiscOptions(
        kickstart=script,
        kickstart_address=address_of(kickstart_address),
        kernel_options=kernel_options,
        with_installer=with_installer,
        with_stick=with_stick,
    )
    plan = plan_of_store(boots, known, options, vib_check=vib_check)
    output = IsoOutput(boots, plan, place, limits=bounds, waived=waived, findings=script_findings)
    (result,) = write_outputs([output], boots.all_vibs, known, limits=bounds, progress=progress, workers=workers)
    return result


@final
class IsoOutput:
    """An installer disc as one of several outputs.

    Args:
        image: What it boots.
        plan: Of that image.
        target: The file.
        limits: Upper bounds for payloads.
        waived: Errors of the image that the caller allowed.
        findings: What else is to be said of it.

    Raises:
        InvalidFieldError: A descriptor does not tell the size of a payload.
        LimitExceededError: A payload is too large.
    """

    stage = "disc"
    file_takers: Sequence[FileTaker] = ()

    def __init__(
        self,
        image: Image,
        plan: DiscPlan,
        target: Target,
        *,
        limits: ReadLimits,
        waived: Iterable[Finding],
        findings: Iterable[Finding],
    ) -> None:
        sizes = payload_sizes(image, limits)
        self.target = target.named
        self._place = target
        self.archives: Sequence[Archive] = plan.archives
        self.payload_takers: Sequence[PayloadTaker] = (self,)
        self._plan = plan
        self._limits = limits
        self._layout = _lay_out(plan, sizes, limits)
        self._writer = DiscWriter(plan, sizes)
        self.payloads: Collection[PayloadKey] = self._writer.payloads
        self.total_bytes = self._writer.total_bytes
        self._result = disc_result(
            image, target.named, self._layout.total_bytes, waived=waived, findings=(*plan.findings, *findings)
        )

    def _writing(self) -> AbstractContextManager[None]:
        return writing(self._place, self._layout.total_bytes)

    def open_payload(self, key: PayloadKey) -> AbstractContextManager[PayloadSink]:
        """Open the extent of a payload."""
        return self._writer.open_payload(key, self._disc)

    def begin(self, targets: WholeTargets) -> None:
        """Write all but payloads and archives."""
        self._targets = targets
        self._file = targets.file(self._place, size_bytes=self._layout.total_bytes)
        with self._writing():
            self._layout.write_skeleton(self._file)
        self._disc = _IsoTarget(PlacedFile(self._file, self._writing), self._layout, self._plan.bios_boot)

    def finish(self, spool: Spool, tell: Callable[[int], None]) -> None:
        """Write the archives, and read the disc back."""
        with self._writing():
            self._writer.write_archives(self._disc, spool, tell)
            self._file.flush()
            _check_written(self._file, self._plan, self._layout, where=str(self.target), limits=self._limits)

    def result(self) -> ExportResult:
        """Say what was written."""
        return attrs.evolve(self._result, written_as=self._targets.written_as(self._file))


def _lay_out(plan: DiscPlan, sizes: Mapping[PayloadKey, int], limits: ReadLimits) -> IsoLayout:
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
        timestamp=plan.timestamp,
        with_stick=plan.with_stick,
        limits=limits,
    )


@final
class _IsoTarget:
    """Gives the extents of a laid-out disc as files."""

    def __init__(self, disc: PlacedFile, layout: IsoLayout, bios_boot: str | None) -> None:
        self._disc = disc
        self._layout = layout
        self._bios_boot = bios_boot

    @contextlib.contextmanager
    def file(self, path: str) -> Iterator[PayloadSink]:
        """Give the place of a file; the BIOS loader gets its table when it is complete."""
        offset = self._layout.offsets[path]
        if path != self._bios_boot:
            yield self._disc.extent(offset)
            return
        loader = io.BytesIO()
        yield loader
        self._disc.write_at(offset, with_boot_info_table(loader.getvalue(), offset=offset))


def _check_written(file: BinaryIO, plan: DiscPlan, layout: IsoLayout, *, where: str, limits: ReadLimits) -> None:
    """Read the disc back and compare it with the plan.

    Raises:
        ExportError: It is not what was planned, or cannot be read at all.
    """
    try:
        problems = _differences(file, plan, layout, where=where, limits=limits)
    except DepotError as error:
        raise ExportError(
            f"the disc cannot be read back: {error.message}", where=where, found=error.found, hint=error.hint
        ) from error
    if problems:
        raise ExportError(
            f"the disc does not read back as it was planned: {problems[0]}",
            where=where,
            found="; ".join(problems),
            hint="this is a fault of the library: report it with the depots used",
        )


def _differences(file: BinaryIO, plan: DiscPlan, layout: IsoLayout, *, where: str, limits: ReadLimits) -> list[str]:
    """Return what is otherwise on the disc than in the plan."""
    with open_iso(file, where=where, limits=limits) as disc:
        problems = []
        if tuple(disc.files.values()) != layout.entries:
            problems.append("the files are not where they were put")
        if disc.boot_entries != layout.boot_entries:
            problems.append("the boot entries differ")
        for path, content in plan.texts:
            if disc.read(path, max_bytes=len(content)) != content:
                problems.append(f"{path} differs")
        bound = limits.document_bytes
        boot_cfg = parse_boot_cfg(disc.read(BOOT_CFG, max_bytes=bound), where=f"{where}!{BOOT_CFG}", max_bytes=bound)
        named = [boot_cfg.kernel, *(module.file_name for module in boot_cfg.modules)]
        problems += [
            f"boot.cfg names {name}, which is not there" for name in named if name.strip("/").upper() not in disc.files
        ]
    return problems
