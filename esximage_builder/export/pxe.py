"""Writing an image as a network boot tree, for TFTP or HTTP and ready for iPXE.

The same files as on the disc, in lower case, without what only discs have. ``boot.cfg`` has
the prefix the caller gives and no leading slashes; it stands in both places, for BIOS
(``mboot.c32 -c boot.cfg``) and for UEFI (``efi/boot/bootx64.efi``, which looks beside itself).
``boot.ipx`` is an iPXE script that does the right one.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, final

from esximage_builder.errors import ExportError
from esximage_builder.export.disc_plan import DiscOptions, plan_disc
from esximage_builder.export.disc_writer import DiscWriter, payload_sizes, read_heads
from esximage_builder.export.published import ExportResult, require_exportable
from esximage_builder.limits import ReadLimits
from esximage_builder.progress import no_progress

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
    kernel_options: str = "",
    with_tools: bool = True,
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
        kernel_options: Appended, for example ``ks=http://server/ks.cfg``.
        with_tools: Carry VMware Tools (the locker VIBs).
        allow: Codes of errors that do not matter.
        report: Validation of this image; None validates it here.
        limits: Upper bounds for reading VIBs.
        progress: Told how many bytes are written.

    Raises:
        IncompatibleImageError: The image has errors that are not allowed.
        ExportError: The folder is there already, or cannot be written.
        ChecksumMismatchError: A payload's bytes are not what its metadata says.
        DepotError: A VIB's bytes cannot be read.
    """
    bounds = limits or ReadLimits()
    waived = require_exportable(image, report=report, allow=allow)
    options = DiscOptions(kernel_options=kernel_options, with_tools=with_tools, network_prefix=prefix)
    plan = plan_disc(image, store, read_heads(image, store, bounds), options)
    sizes = payload_sizes(image, bounds)
    total = sum(sizes[key] for key in plan.payload_paths)
    target = Path(target)
    with _whole_folder(target) as folder:
        place = _FolderTarget(folder)
        for path, content in plan.texts:
            with place.file(path) as file:
                file.write(content)
        DiscWriter(image, store, plan, place, limits=bounds, progress=progress, total_bytes=total).write()
    size = sum(file.stat().st_size for file in target.rglob("*") if file.is_file())
    return ExportResult(path=target, size_bytes=size, image_digest=image.digest, waived=waived, findings=plan.findings)


@final
class _FolderTarget:
    """Gives files in a folder, in lower case."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @contextlib.contextmanager
    def file(self, path: str) -> Iterator[BinaryIO]:
        """Give a new file."""
        target = self._folder / path.lower()
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.open("xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())


@contextlib.contextmanager
def _whole_folder(target: Path) -> Iterator[Path]:
    """Give a folder beside the target, which takes its place when the block ends well."""
    try:
        if target.exists() and (not target.is_dir() or any(target.iterdir())):
            raise ExportError(
                "the target is there already",
                where=str(target),
                found="a folder with files" if target.is_dir() else "a file",
                expected="a new or empty folder",
                hint="name another folder, or remove this one first",
            )
        partial = Path(tempfile.mkdtemp(prefix=f".{target.name}.", suffix=".partial", dir=target.parent))
    except OSError as error:
        raise _unwritable(target, error) from error
    try:
        yield partial
        partial.chmod(0o755)
        if target.exists():
            target.rmdir()
        partial.replace(target)
    except OSError as error:
        raise _unwritable(target, error) from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _unwritable(target: Path, error: OSError) -> ExportError:
    return ExportError(
        f"the folder cannot be written: {error.strerror or error}",
        where=str(target),
        hint="check the folder above, your permissions and the space left on the disc",
    )
