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
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, BinaryIO, cast, final

from esximage_builder.depot.store import inputs_of, measured
from esximage_builder.disc_files import BOOT_CFG, EFI_LOADER, NETWORK_EFI_LOADER
from esximage_builder.documents.boot_cfg import parse_boot_cfg
from esximage_builder.errors import DepotError, ExportError
from esximage_builder.export.disc_options import DiscOptions, address_of, checked_prefix, hosts_of
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
from esximage_builder.streams.hashing import hashing_copy
from esximage_builder.streams.placed_file import Extent, PlacedFile
from esximage_builder.streams.room import writing
from esximage_builder.streams.target import prepare_folder

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

__all__ = ["PxeOutput", "export_pxe"]


def export_pxe(
    image: Image,
    store: VibStore,
    target: str | Path,
    *,
    prefix: str = "",
    kickstart: str | Path | bytes | None = None,
    kickstart_address: KickstartAddress | str | None = None,
    hosts: Mapping[str, str] = MappingProxyType({}),
    kernel_options: str = "",
    with_tools: bool = True,
    with_installer: bool = True,
    allow: Iterable[str] = (),
    report: ValidationReport | None = None,
    check: Check = "stored",
    limits: ReadLimits | None = None,
    progress: Progress = no_progress,
    workers: int | None = None,
) -> ExportResult:
    """Write an image as a network boot tree.

    Args:
        image: What to write.
        store: Gives the VIBs' bytes, usually the opened depot.
        target: A folder that does not exist yet or is empty; it appears whole or not at all.
        prefix: What the boot loader puts before every file name: a path on the TFTP server,
            or an address such as ``http://server/esxi``. Empty means beside ``boot.cfg``.
        kickstart: Path of a kickstart file, or its content; the installer looks for it below the prefix,
            which must be an address then, or at ``kickstart_address``.
        kickstart_address: Where the installer looks for the kickstart file, such as
            ``http://server/ks.cfg``; it does so by HTTP, FTP or NFS, wherever the modules come from.
        hosts: Kernel options of single hosts, by the MAC address of the network card they boot from: each gets
            a ``boot.cfg`` of its own. A ``ks=`` among them takes the place of the common one. Needs a prefix.
        kernel_options: Appended to the stock kernel options, for example
            ``ks=http://server/ks.cfg``; each is named in the findings.
        with_tools: Carry VMware Tools. Without, neither tree nor image database has the locker VIBs.
        with_installer: Carry the installer; without, hosts boot ESXi itself.
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
        What was written; ``size_bytes`` is the sum of all files.

    Raises:
        IncompatibleImageError: The image, a VIB, the kickstart file or a kernel option has errors that are
            not allowed, or the image has no kernel, which cannot be allowed.
        ModelError: The prefix, the kickstart address or a MAC address cannot be one, the options contradict
            each other, the report is of another image, or the folder's suffix is that of a file.
        SourceUnreadableError: The kickstart file cannot be read.
        ExportError: The folder is there already, or cannot be written.
        ChecksumMismatchError: A VIB's descriptor or a payload's bytes are not what the metadata says.
        LimitExceededError: Something is larger than ``limits`` allow.
        DepotError: A VIB's bytes cannot be read.
    """
    place = prepare_folder(target, inputs=inputs_of(store, *kickstart_files(kickstart)))
    allowed = frozenset(allow)
    bounds = limits or ReadLimits()
    boots = image if with_tools else without_tools(image)
    waived = require_exportable(boots, report=report, allow=allowed, composed=image)
    known = measured(store, limits=bounds)
    vib_check = VibCheck(store=known, check=check, allow=allowed, limits=bounds)
    script, script_findings = read_kickstart(kickstart, allow=allowed, limits=bounds)
    place_prefix = checked_prefix(prefix)
    options = DiscOptions(
        kickstart=script,
        kickstart_address=address_of(kickstart_address),
        kernel_options=kernel_options,
        with_installer=with_installer,
        network_prefix=place_prefix,
        hosts=hosts_of(hosts, prefix=place_prefix),
    )
    plan = plan_of_store(boots, known, options, vib_check=vib_check)
    output = PxeOutput(boots, plan, place, limits=bounds, waived=waived, findings=script_findings)
    (result,) = write_outputs([output], boots.all_vibs, known, limits=bounds, progress=progress, workers=workers)
    return result


@final
class PxeOutput:
    """A network boot tree as one of several outputs.

    Args:
        image: What it boots.
        plan: Of that image.
        target: The folder.
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
        self.target = target.named
        self._place = target
        self.archives: Sequence[Archive] = plan.archives
        self.payload_takers: Sequence[PayloadTaker] = (self,)
        self._plan = plan
        self._limits = limits
        self._writer = DiscWriter(plan, payload_sizes(image, limits))
        self.payloads: Collection[PayloadKey] = self._writer.payloads
        self.total_bytes = self._writer.total_bytes
        self._size_bytes = 0
        self._image = image
        self._waived = tuple(waived)
        self._findings = (*plan.findings, *findings)

    def _writing(self) -> AbstractContextManager[None]:
        return writing(self._place, self.total_bytes)

    def open_payload(self, key: PayloadKey) -> AbstractContextManager[PayloadSink]:
        """Open the file of a payload."""
        return self._writer.open_payload(key, self._tree)

    def begin(self, targets: WholeTargets) -> None:
        """Write all but payloads and archives."""
        self._folder = targets.folder(self._place, size_bytes=self.total_bytes)
        self._tree = _FolderTarget(self._folder, self._writing)
        for path, content in self._plan.texts:
            with self._tree.file(path) as file:
                file.write(content)

    def finish(self, spool: Spool, tell: Callable[[int], None]) -> None:
        """Write the archives, and see that what ``boot.cfg`` names is there."""
        with self._writing():
            self._writer.write_archives(self._tree, spool, tell)
            _put_efi_loader_beside_boot_cfg(self._tree)
            _check_written(self._tree, where=str(self.target), limits=self._limits)
            self._size_bytes = sum(file.stat().st_size for file in self._folder.rglob("*") if file.is_file())

    def result(self) -> ExportResult:
        """Say what was written."""
        return disc_result(self._image, self.target, self._size_bytes, waived=self._waived, findings=self._findings)


@final
class _FolderTarget:
    """Gives files in a folder, in lower case."""

    def __init__(self, folder: Path, writing: Callable[[], AbstractContextManager[None]]) -> None:
        self._folder = folder
        self._writing = writing

    def path_of(self, path: str) -> Path:
        """Return where the file of that path stands."""
        return self._folder / path.lower()

    @contextlib.contextmanager
    def file(self, path: str) -> Iterator[Extent]:
        """Give a new file."""
        target = self.path_of(path)
        with self._writing():
            target.parent.mkdir(parents=True, exist_ok=True)
            with target.open("xb") as file:
                yield PlacedFile(file, self._writing).extent(0)
                file.flush()
                os.fsync(file.fileno())


def _put_efi_loader_beside_boot_cfg(place: _FolderTarget) -> None:
    """Copy the UEFI loader to where it finds ``boot.cfg`` and what that names."""
    loader = place.path_of(EFI_LOADER)
    if loader.exists():
        with loader.open("rb") as source, place.file(NETWORK_EFI_LOADER) as target:
            hashing_copy(source, cast("BinaryIO", target), where=str(loader))


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
