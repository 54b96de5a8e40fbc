"""Writing an image as a bootable installer disc.

The disc is laid out first; then one pass over the VIBs copies every payload straight to its
place, checking it on the way; then the generated archives follow. The finished disc is read
back and compared with the plan before it takes the target's place.
"""

from __future__ import annotations

import contextlib
import io
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, final

from esximage_builder.containers.boot_info_table import with_boot_info_table
from esximage_builder.containers.iso9660 import IsoFile, IsoLayout, lay_out_iso
from esximage_builder.containers.iso9660_reader import open_iso
from esximage_builder.containers.tar_gz import stored_tgz_bytes
from esximage_builder.disc_files import BOOT_CFG
from esximage_builder.documents.boot_cfg import parse_boot_cfg
from esximage_builder.errors import DepotError, ExportError
from esximage_builder.export.disc_plan import DiscOptions, DiscPlan, plan_disc
from esximage_builder.export.disc_writer import DiscWriter, payload_sizes, read_heads
from esximage_builder.export.gate import require_allowed, require_exportable
from esximage_builder.export.kickstart_file import read_kickstart
from esximage_builder.export.result import ExportResult
from esximage_builder.export.timestamp import image_timestamp
from esximage_builder.findings import Severity
from esximage_builder.limits import ReadLimits
from esximage_builder.progress import no_progress
from esximage_builder.rules.boot_layout import without_tools
from esximage_builder.streams.whole_file import whole_file

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from esximage_builder.models.image import Image
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
    with_tools: bool = True,
    with_installer: bool = True,
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
        kernel_options: Appended to the stock kernel options, each named in the findings; none
            is ever added unasked.
        with_tools: Carry VMware Tools. Without, neither disc nor image database has the locker VIBs.
        with_installer: Carry the installer and the upgrade folder; without, the disc boots ESXi itself.
        allow: Codes of errors that do not matter.
        report: Validation of this image, or of ``without_tools(image)`` where these are left out;
            of the first, what is found on the second counts too. None validates what is written here.
        limits: Upper bounds for reading VIBs and the kickstart file, and for reading back what was written.
        progress: Told how many bytes are written.

    Returns:
        What was written; ``findings`` name payloads that got another file name and added kernel options.

    Raises:
        IncompatibleImageError: The image, the kickstart file or a kernel option has errors that are
            not allowed, or the image has no kernel, which cannot be allowed.
        ModelError: The options contradict each other, or the report is of another image.
        SourceUnreadableError: The kickstart file cannot be read.
        ExportError: The file cannot be written, or reads back otherwise than planned.
        ChecksumMismatchError: A payload's bytes are not what its metadata says.
        LimitExceededError: Something is larger than ``limits`` allow.
        DepotError: A VIB's bytes cannot be read.
    """
    allowed = frozenset(allow)
    bounds = limits or ReadLimits()
    composed, image = image, image if with_tools else without_tools(image)
    waived = require_exportable(image, report=report, allow=allowed, composed=composed)
    script, script_findings = read_kickstart(kickstart, allow=allowed, limits=bounds)
    heads = read_heads(image, store, bounds)
    options = DiscOptions(kickstart=script, kernel_options=kernel_options, with_installer=with_installer)
    plan = plan_disc(image, store, heads, options, limits=bounds)
    require_allowed(plan.findings, allow=allowed, what="the kernel options have errors")
    findings = (*plan.findings, *script_findings)
    layout = _lay_out(image, plan, bounds)
    target = Path(target)
    with whole_file(target) as file:
        layout.write_skeleton(file)
        DiscWriter(
            image,
            store,
            plan,
            _IsoTarget(file, layout, plan.bios_boot),
            limits=bounds,
            progress=progress,
            total_bytes=layout.total_bytes,
        ).write()
        file.flush()
        _check_written(file, plan, layout, where=str(target), limits=bounds)
    return ExportResult(
        path=target,
        size_bytes=layout.total_bytes,
        image_digest=image.digest,
        waived=(*waived, *(finding for finding in findings if finding.severity is Severity.ERROR)),
        findings=[finding for finding in findings if finding.severity is not Severity.ERROR],
    )


def _lay_out(image: Image, plan: DiscPlan, limits: ReadLimits) -> IsoLayout:
    sizes = payload_sizes(image, limits)
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
        limits=limits,
    )


@final
class _IsoTarget:
    """Gives the extents of a laid-out disc as files."""

    def __init__(self, file: BinaryIO, layout: IsoLayout, bios_boot: str | None) -> None:
        self._file = file
        self._layout = layout
        self._bios_boot = bios_boot

    @contextlib.contextmanager
    def file(self, path: str) -> Iterator[BinaryIO]:
        """Give the disc itself, at the file's place; the BIOS loader gets its table when it is complete."""
        offset = self._layout.offsets[path]
        if path != self._bios_boot:
            self._file.seek(offset)
            yield self._file
            return
        loader = io.BytesIO()
        yield loader
        self._file.seek(offset)
        self._file.write(with_boot_info_table(loader.getvalue(), offset=offset))


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
