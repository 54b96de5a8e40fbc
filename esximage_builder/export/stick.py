"""Writing an image as a bootable stick: one partition of FAT32, which every UEFI firmware reads by itself.

The files of a disc without what only discs have. ``boot.cfg`` names them the same way, without the option for
CD drives, and a kickstart file is looked for on the stick. As with a disc the stick is laid out first, payloads
come straight to their places while the VIBs pass by, and what was written is read back.

Source: docs/formats.md#sticks.
"""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, final

import attrs

from esximage_builder.containers.fat32 import FatFile, StickLayout, lay_out_stick
from esximage_builder.containers.fat32_reader import open_stick
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

__all__ = ["StickOutput", "export_usb"]

_LABEL = "ESXI"


def export_usb(
    image: Image,
    store: VibStore,
    target: str | Path,
    *,
    kickstart: str | Path | bytes | None = None,
    kickstart_address: KickstartAddress | str | None = None,
    kernel_options: str = "",
    with_tools: bool = True,
    with_installer: bool = True,
    overwrite: bool = False,
    allow: Iterable[str] = (),
    report: ValidationReport | None = None,
    check: Check = "stored",
    limits: ReadLimits | None = None,
    progress: Progress = no_progress,
    workers: int | None = None,
) -> ExportResult:
    """Write an image as a stick image, to be written to a USB stick as it is.

    One active partition of FAT32, which UEFI boots. Two exports of one image are the same bytes.

    Args:
        image: What to write.
        store: Gives the VIBs' bytes, usually the opened depot.
        target: The file; it appears whole or not at all.
        kickstart: Path of a kickstart file, or its content; put on the stick and into both ``boot.cfg``.
        kickstart_address: Where the installer looks for the kickstart file, such as ``usb:/KS.CFG`` or
            ``http://server/ks.cfg``; None for where ``kickstart`` is put.
        kernel_options: Appended to the stock kernel options, each named in the findings; none
            is ever added unasked.
        with_tools: Carry VMware Tools. Without, neither stick nor image database has the locker VIBs.
        with_installer: Carry the installer and the upgrade folder; without, the stick boots ESXi itself.
        overwrite: Replace a file that is there; never one that is read.
        allow: Codes of errors that do not matter.
        report: Validation, as for ``export_iso``.
        check: As for ``export_iso``.
        limits: Upper bounds for reading VIBs and the kickstart file, and for reading back what was written.
        progress: Told how many bytes are written.
        workers: How many VIBs are read at a time, 1 to 64, which decides no byte that is written; None takes two
            where there are two cores.

    Returns:
        What was written; ``findings`` say which firmware boots it.

    Raises:
        IncompatibleImageError: The image, a VIB, the kickstart file or a kernel option has errors that are
            not allowed, or the image has no kernel, which cannot be allowed.
        ModelError: The options contradict each other, the kickstart address is none, the report is of another
            image, the file's suffix is that of another kind of file, or a payload is larger than FAT32 allows.
        SourceUnreadableError: The kickstart file cannot be read.
        ExportError: The file is there already, is one that is read, cannot be written, or reads
            back otherwise than planned.
        ChecksumMismatchError: A VIB's descriptor or a payload's bytes are not what the metadata says.
        LimitExceededError: Something is larger than ``limits`` allow.
        DepotError: A VIB's bytes cannot be read.
    """
    inputs = inputs_of(store, *kickstart_files(kickstart))
    place = prepare_target(target, kind=FileKind.STICK, inputs=inputs, overwrite=overwrite)
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
        is_stick=True,
    )
    plan = plan_of_store(boots, known, options, vib_check=vib_check)
    output = StickOutput(boots, plan, place, limits=bounds, waived=waived, findings=script_findings)
    (result,) = write_outputs([output], boots.all_vibs, known, limits=bounds, progress=progress, workers=workers)
    return result


@final
class StickOutput:
    """A stick image as one of several outputs.

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
        ModelError: A payload is too large for a file of FAT32.
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
        self._layout = _lay_out(plan, sizes)
        self._writer = DiscWriter(plan, sizes)
        self.payloads: Collection[PayloadKey] = self._writer.payloads
        self.total_bytes = self._writer.total_bytes
        self._result = disc_result(
            image, target.named, self._layout.total_bytes, waived=waived, findings=(*plan.findings, *findings)
        )

    def _writing(self) -> AbstractContextManager[None]:
        return writing(self._place, self._layout.total_bytes)

    def open_payload(self, key: PayloadKey) -> AbstractContextManager[PayloadSink]:
        """Open the place of a payload."""
        return self._writer.open_payload(key, self._stick)

    def begin(self, targets: WholeTargets) -> None:
        """Write all but payloads and archives."""
        self._targets = targets
        self._file = targets.file(self._place, size_bytes=self._layout.total_bytes)
        with self._writing():
            self._layout.write_skeleton(self._file)
        self._stick = _StickTarget(PlacedFile(self._file, self._writing), self._layout)

    def finish(self, spool: Spool, tell: Callable[[int], None]) -> None:
        """Write the archives, and read the stick back."""
        with self._writing():
            self._writer.write_archives(self._stick, spool, tell)
            self._file.flush()
            _check_written(self._file, self._plan, self._layout, where=str(self.target), limits=self._limits)

    def result(self) -> ExportResult:
        """Say what was written."""
        return attrs.evolve(self._result, written_as=self._targets.written_as(self._file))


def _lay_out(plan: DiscPlan, sizes: Mapping[PayloadKey, int]) -> StickLayout:
    files = [FatFile(path=path, content=content) for path, content in plan.texts]
    files += [FatFile(path=path, size_bytes=sizes[key]) for key, path in plan.payload_paths.items()]
    for archive in plan.archives:
        size = stored_tgz_bytes((member.name, member.size_bytes) for member in archive.members)
        files.append(FatFile(path=archive.path, size_bytes=size))
    return lay_out_stick(files, label=_LABEL, timestamp=plan.timestamp)


@final
class _StickTarget:
    """Gives the places of a laid-out stick as files."""

    def __init__(self, stick: PlacedFile, layout: StickLayout) -> None:
        self._stick = stick
        self._layout = layout

    @contextlib.contextmanager
    def file(self, path: str) -> Iterator[PayloadSink]:
        """Give the place of a file."""
        yield self._stick.extent(self._layout.offsets[path])


def _check_written(file: BinaryIO, plan: DiscPlan, layout: StickLayout, *, where: str, limits: ReadLimits) -> None:
    """Read the stick back and compare it with the plan.

    Raises:
        ExportError: It is not what was planned, or cannot be read at all.
    """
    try:
        problems = _differences(file, plan, layout, where=where, limits=limits)
    except DepotError as error:
        raise ExportError(
            f"the stick cannot be read back: {error.message}", where=where, found=error.found, hint=error.hint
        ) from error
    if problems:
        raise ExportError(
            f"the stick does not read back as it was planned: {problems[0]}",
            where=where,
            found="; ".join(problems),
            hint="this is a fault of the library: report it with the depots used",
        )


def _differences(file: BinaryIO, plan: DiscPlan, layout: StickLayout, *, where: str, limits: ReadLimits) -> list[str]:
    """Return what is otherwise on the stick than in the plan."""
    with open_stick(file, where=where, limits=limits) as stick:
        problems = []
        placed = {entry.path: entry for entry in layout.entries}
        if {path: entry for path, entry in stick.files.items() if entry.size_bytes} != {
            path: entry for path, entry in placed.items() if entry.size_bytes
        } or stick.files.keys() != placed.keys():
            problems.append("the files are not where they were put")
        for path, content in plan.texts:
            if stick.read(path, max_bytes=len(content)) != content:
                problems.append(f"{path} differs")
        bound = limits.document_bytes
        boot_cfg = parse_boot_cfg(stick.read(BOOT_CFG, max_bytes=bound), where=f"{where}!{BOOT_CFG}", max_bytes=bound)
        named = [boot_cfg.kernel, *(module.file_name for module in boot_cfg.modules)]
        problems += [
            f"boot.cfg names {name}, which is not there" for name in named if name.strip("/").upper() not in stick.files
        ]
    return problems
