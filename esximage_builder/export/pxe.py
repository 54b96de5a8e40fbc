"""Writing an image as a network boot tree, for TFTP or HTTP and ready for iPXE.

The same files as on the disc, in lower case, without what only discs have. ``boot.cfg`` has
the prefix the caller gives and no leading slashes. Beside it stand the loaders: ``mboot.c32``
for BIOS, ``mboot.efi`` for UEFI, which is a copy of ``efi/boot/bootx64.efi``. ``boot.ipxe`` is
an iPXE script that starts the right one.

Source: docs/formats.md#network-boot.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, final

from esximage_builder.disc_files import BOOT_CFG, EFI_LOADER, NETWORK_EFI_LOADER
from esximage_builder.documents.boot_cfg import parse_boot_cfg
from esximage_builder.errors import DepotError, ExportError, ModelError
from esximage_builder.export.disc_plan import DiscOptions, DiscPlan, plan_disc
from esximage_builder.export.disc_writer import DiscWriter, payload_sizes, read_heads
from esximage_builder.export.gate import require_allowed, require_exportable
from esximage_builder.export.kickstart_file import read_kickstart
from esximage_builder.export.result import ExportResult
from esximage_builder.findings import Severity
from esximage_builder.limits import ReadLimits
from esximage_builder.progress import no_progress
from esximage_builder.rules.boot_layout import without_tools
from esximage_builder.streams.whole_folder import whole_folder

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from esximage_builder.models.image import Image
    from esximage_builder.models.vib_store import VibStore
    from esximage_builder.progress import Progress
    from esximage_builder.rules.validate import ValidationReport

__all__ = ["export_pxe"]


def export_pxe(
    image: Image,
    store: VibStore,
    target: str | Path,
    *,
    prefix: str = "",
    kickstart: str | Path | bytes | None = None,
    kernel_options: str = "",
    with_tools: bool = True,
    with_installer: bool = True,
    allow: Iterable[str] = (),
    report: ValidationReport | None = None,
    limits: ReadLimits | None = None,
    progress: Progress = no_progress,
) -> ExportResult:
    """Write an image as a network boot tree.

    Args:
        image: What to write.
        store: Gives the VIBs' bytes, usually the opened depot.
        target: A folder that does not exist yet or is empty; it appears whole or not at all.
        prefix: What the boot loader puts before every file name: a path on the TFTP server,
            or an address such as ``http://server/esxi``. Empty means beside ``boot.cfg``.
        kickstart: Path of a kickstart file, or its content; needs an address as prefix, since
            the installer reads it from there.
        kernel_options: Appended to the stock kernel options, for example
            ``ks=http://server/ks.cfg``; each is named in the findings.
        with_tools: Carry VMware Tools. Without, neither tree nor image database has the locker VIBs.
        with_installer: Carry the installer; without, hosts boot ESXi itself.
        allow: Codes of errors that do not matter.
        report: Validation of this image, or of ``without_tools(image)`` where these are left out;
            of the first, what is found on the second counts too. None validates what is written here.
        limits: Upper bounds for reading VIBs and the kickstart file, and for reading back what was written.
        progress: Told how many bytes are written.

    Returns:
        What was written; ``size_bytes`` is the sum of all files.

    Raises:
        IncompatibleImageError: The image, the kickstart file or a kernel option has errors that are
            not allowed, or the image has no kernel, which cannot be allowed.
        ModelError: The prefix cannot be one, the options contradict each other, or the report is of
            another image.
        SourceUnreadableError: The kickstart file cannot be read.
        ExportError: The folder is there already, or cannot be written.
        ChecksumMismatchError: A payload's bytes are not what its metadata says.
        LimitExceededError: Something is larger than ``limits`` allow.
        DepotError: A VIB's bytes cannot be read.
    """
    allowed = frozenset(allow)
    bounds = limits or ReadLimits()
    composed, image = image, image if with_tools else without_tools(image)
    waived = require_exportable(image, report=report, allow=allowed, composed=composed)
    script, script_findings = read_kickstart(kickstart, allow=allowed, limits=bounds)
    options = DiscOptions(
        kickstart=script,
        kernel_options=kernel_options,
        with_installer=with_installer,
        network_prefix=_checked_prefix(prefix),
    )
    plan = plan_disc(image, store, read_heads(image, store, bounds), options, limits=bounds)
    require_allowed(plan.findings, allow=allowed, what="the kernel options have errors")
    total = _total_bytes(image, plan, bounds)
    target = Path(target)
    with whole_folder(target) as folder:
        place = _FolderTarget(folder)
        for path, content in plan.texts:
            with place.file(path) as file:
                file.write(content)
        DiscWriter(image, store, plan, place, limits=bounds, progress=progress, total_bytes=total).write()
        _put_efi_loader_beside_boot_cfg(place)
        _check_written(place, where=str(target), limits=bounds)
        size = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
    findings = (*plan.findings, *script_findings)
    return ExportResult(
        path=target,
        size_bytes=size,
        image_digest=image.digest,
        waived=(*waived, *(finding for finding in findings if finding.severity is Severity.ERROR)),
        findings=[finding for finding in findings if finding.severity is not Severity.ERROR],
    )


def _checked_prefix(prefix: str) -> str:
    """Return the prefix without blanks around it and slashes at its end, which the loader puts itself."""
    text = prefix.strip()
    if any(letter.isspace() or not letter.isprintable() for letter in text):
        raise ModelError(
            "a prefix of boot.cfg cannot hold blanks or control characters",
            found=repr(prefix)[:80],
            expected="a path or an address such as http://server/esxi",
            hint="the boot loader drops them: rename the folder on the server",
        )
    return text.rstrip("/") or text[:1]


def _total_bytes(image: Image, plan: DiscPlan, limits: ReadLimits) -> int:
    """Return what the progress counts: every payload once, and the members of the archives."""
    payloads = plan.payload_paths.keys() | {key for archive in plan.archives for key in archive.payloads}
    sizes = payload_sizes(image, limits)
    in_archives = sum(member.size_bytes for archive in plan.archives for member in archive.members)
    return sum(sizes[key] for key in payloads) + in_archives


@final
class _FolderTarget:
    """Gives files in a folder, in lower case."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def path_of(self, path: str) -> Path:
        """Return where the file of that path stands."""
        return self._folder / path.lower()

    @contextlib.contextmanager
    def file(self, path: str) -> Iterator[BinaryIO]:
        """Give a new file."""
        target = self.path_of(path)
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.open("xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())


def _put_efi_loader_beside_boot_cfg(place: _FolderTarget) -> None:
    """Copy the UEFI loader to where it finds ``boot.cfg`` and what that names."""
    loader = place.path_of(EFI_LOADER)
    if loader.exists():
        with loader.open("rb") as source, place.file(NETWORK_EFI_LOADER) as target:
            shutil.copyfileobj(source, target)


def _check_written(place: _FolderTarget, *, where: str, limits: ReadLimits) -> None:
    """Read ``boot.cfg`` back and look for what it names.

    Raises:
        ExportError: A file is not there, or ``boot.cfg`` cannot be read.
    """
    data = place.path_of(BOOT_CFG).read_bytes()
    try:
        boot_cfg = parse_boot_cfg(data, where=f"{where}/boot.cfg", max_bytes=limits.document_bytes)
    except DepotError as error:
        raise ExportError(
            f"the network boot tree cannot be read back: {error.message}",
            where=where,
            found=error.found,
            hint=error.hint,
        ) from error
    named = [boot_cfg.kernel, *(module.file_name for module in boot_cfg.modules)]
    missing = [name for name in named if not place.path_of(name).is_file()]
    if missing:
        raise ExportError(
            f"the network boot tree does not read back as it was planned: boot.cfg names {missing[0]}",
            where=where,
            found=f"not there: {', '.join(missing)}",
            hint="this is a fault of the library: report it with the depots used",
        )
