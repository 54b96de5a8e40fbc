"""Writing an image as an offline bundle, the kind that vLCM imports.

The bundle is a complete depot: every VIB verbatim, reserved ones too, so that a host's
image can be taken apart again from what it was installed with.
"""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, final

from esximage_builder.codes import make_finding
from esximage_builder.depot.depot_zip import DepotContents, DepotZipWriter, packed_facts
from esximage_builder.depot.store import inputs_of, measured, measured_image
from esximage_builder.depot.vendor_code import vendor_code_of
from esximage_builder.documents.depot_index import MetadataEntry
from esximage_builder.export.gate import require_exportable
from esximage_builder.export.result import ExportResult
from esximage_builder.export.timestamp import image_timestamp
from esximage_builder.export.true_vibs import VibCheck, with_waived
from esximage_builder.export.writing import write_outputs
from esximage_builder.export.written_profile import image_profile, product_entry, release_units
from esximage_builder.findings import Finding
from esximage_builder.limits import ReadLimits
from esximage_builder.progress import no_progress
from esximage_builder.streams.file_kind import FileKind
from esximage_builder.streams.room import writing
from esximage_builder.streams.target import prepare_target
from esximage_builder.vocabulary import Platform

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager

    from esximage_builder.depot.depot_zip import PackedFacts
    from esximage_builder.depot.store import MeasuredVibStore
    from esximage_builder.depot.vib_push import VibSink
    from esximage_builder.export.disc_archives import Archive
    from esximage_builder.export.spool import Spool
    from esximage_builder.export.true_vibs import Check
    from esximage_builder.export.vib_pass import FileTaker, PayloadTaker
    from esximage_builder.models.image import Image
    from esximage_builder.models.vib_store import PackedVib, VibStore
    from esximage_builder.progress import Progress
    from esximage_builder.rules.validate import ValidationReport
    from esximage_builder.streams.target import Target
    from esximage_builder.streams.whole_file import WholeTargets

__all__ = ["BundleOutput", "bundle_contents", "bundle_output", "export_bundle"]


def export_bundle(
    image: Image,
    store: VibStore,
    target: str | Path,
    *,
    allow: Iterable[str] = (),
    report: ValidationReport | None = None,
    check: Check = "stored",
    vendor_code: str = "",
    with_reserved: bool = True,
    overwrite: bool = False,
    limits: ReadLimits | None = None,
    progress: Progress = no_progress,
    workers: int | None = None,
) -> ExportResult:
    """Write an image as an offline bundle.

    Two exports of one image are the same bytes. Every VIB is checked against its SHA-256
    while it is copied; one that lies compressed in its source is carried over as it is.

    Args:
        image: What to write.
        store: Gives the VIBs' bytes, usually the opened depot.
        target: The zip file; it appears whole or not at all.
        allow: Codes of errors that do not matter.
        report: Validation of this image; None validates it here.
        check: ``unpacked`` unpacks all payloads before anything is written and checks those checksums too;
            ``stored`` checks the bytes as they are stored, while they are written.
        vendor_code: Three letters or digits for the index; empty takes the vendor's first ones.
        with_reserved: Carry the reserved VIBs and components too. Without them the bundle is
            smaller and partial: a host's image cannot be taken apart with it alone.
        overwrite: Replace a file that is there; never one that is read.
        limits: Upper bounds for reading VIBs; None takes the defaults.
        progress: Told how far the copying is.
        workers: How many VIBs are read at a time, 1 to 64, which decides no byte that is written; None takes two
            where there are two cores.

    Raises:
        IncompatibleImageError: The image or a VIB has errors that are not allowed.
        ExportError: The file is there already, is one that is read, or cannot be written.
        ChecksumMismatchError: The bytes of a VIB or its descriptor are not what the metadata says.
        LimitExceededError: Something is larger than ``limits`` allow.
        DepotError: A VIB's bytes cannot be read.
        ModelError: The vendor code is no three letters or digits, the report is of another image, or
            the file's suffix is that of another kind of file.
    """
    place = prepare_target(target, kind=FileKind.ZIP, inputs=inputs_of(store), overwrite=overwrite)
    allowed = frozenset(allow)
    waived = require_exportable(image, report=report, allow=allowed)
    bounds = limits or ReadLimits()
    known = measured(store, limits=bounds)
    vib_check = VibCheck(store=known, check=check, allow=allowed, limits=bounds)
    output = bundle_output(
        image,
        known,
        place,
        vendor_code=vendor_code,
        with_reserved=with_reserved,
        waived=waived,
        vib_check=vib_check,
    )
    (result,) = write_outputs([output], image.all_vibs, known, limits=bounds, progress=progress, workers=workers)
    return result


def bundle_output(
    image: Image,
    store: MeasuredVibStore,
    target: Target,
    *,
    vendor_code: str,
    with_reserved: bool,
    waived: Iterable[Finding],
    vib_check: VibCheck,
) -> BundleOutput:
    """Ask the store for what a bundle says of its files, look at the VIBs, and plan it.

    Raises:
        IncompatibleImageError: A VIB has errors that are not allowed.
        ChecksumMismatchError: A VIB's descriptor is not what the metadata says.
        ModelError: The vendor code is no three letters or digits.
        NotInDepotError: The store lacks a VIB.
        LimitExceededError: Something is larger than ``limits`` allow.
        DepotError: A VIB's bytes cannot be read.
    """
    ids = None if with_reserved else {entry.vib.id for entry in image.vibs}
    contents = bundle_contents(measured_image(image, store, ids), vendor_code=vendor_code, with_reserved=with_reserved)
    vibs = image.all_vibs if ids is None else [vib for vib in image.all_vibs if vib.id in ids]
    found = vib_check.require_true(vibs)
    errors, others = with_waived(waived, (*_left_out(image, with_reserved), *found))
    packed = packed_facts(contents.vibs, store)
    return BundleOutput(image, contents, target, packed=packed, waived=errors, findings=others)


@final
class BundleOutput:
    """An offline bundle as one of several outputs.

    Args:
        image: What it holds.
        contents: All of it; VIBs know their files.
        target: The file.
        packed: How VIBs lie packed in their sources, by id.
        waived: Errors of the image that the caller allowed.
        findings: What else is to be said of it.
    """

    stage = "bundle"
    archives: Sequence[Archive] = ()
    payload_takers: Sequence[PayloadTaker] = ()

    def __init__(
        self,
        image: Image,
        contents: DepotContents,
        target: Target,
        *,
        packed: Mapping[str, PackedFacts],
        waived: Iterable[Finding],
        findings: Iterable[Finding],
    ) -> None:
        self.target = target.named
        self._place = target
        self.file_takers: Sequence[FileTaker] = (self,)
        self.files: Collection[str] = frozenset(vib.id for vib in contents.vibs)
        self.total_bytes = sum(vib.file.size_bytes or 0 for vib in contents.vibs if vib.file is not None)
        self._contents = contents
        self._packed = packed
        self._size_bytes = 0
        self._image = image
        self._waived = tuple(waived)
        self._findings = tuple(findings)

    @contextlib.contextmanager
    def open_file(self, vib_id: str, packed: PackedVib | None) -> Iterator[VibSink]:
        """Open the place of a VIB in the zip."""
        with contextlib.ExitStack() as stack:
            with self._writing():
                sink = stack.enter_context(self._writer.open_vib(vib_id, packed))
            yield _Written(sink, self._writing)
            with self._writing():
                stack.pop_all().close()

    def _writing(self) -> AbstractContextManager[None]:
        return writing(self._place, self.total_bytes)

    def begin(self, targets: WholeTargets) -> None:
        """Write the index and the metadata."""
        self._targets = targets
        self._file = targets.file(self._place, size_bytes=self.total_bytes)
        with self._writing():
            self._writer = DepotZipWriter(self._file, self._contents, packed=self._packed, where=str(self.target))

    def finish(self, spool: Spool, tell: Callable[[int], None]) -> None:  # noqa: ARG002 - all is told of
        """Write the end of the zip."""
        with self._writing():
            self._writer.close()
            self._size_bytes = self._file.tell()

    def result(self) -> ExportResult:
        """Say what was written."""
        return ExportResult(
            path=self.target,
            size_bytes=self._size_bytes,
            image_digest=self._image.digest,
            written_as=self._targets.written_as(self._file),
            waived=self._waived,
            findings=self._findings,
        )


@final
class _Written:
    """A sink whose refusals are worded with what the whole bundle needs."""

    def __init__(self, sink: VibSink, writing: Callable[[], AbstractContextManager[None]]) -> None:
        self._sink = sink
        self._writing = writing

    def write(self, raw: bytes, plain: bytes, /) -> None:
        with self._writing():
            self._sink.write(raw, plain)


def bundle_contents(image: Image, *, vendor_code: str = "", with_reserved: bool = True) -> DepotContents:
    """Return what the bundle of an image holds; its VIBs know their files.

    Raises:
        ModelError: The vendor code is no three letters or digits.
    """
    components = {entry.component.id: entry.component for entry in image.components}
    if with_reserved:
        components |= {component.id: component for component in image.reserved_components}
    vibs = image.all_vibs if with_reserved else [entry.vib for entry in image.vibs]
    timestamp = image_timestamp(image)
    return DepotContents(
        vendor_name=image.vendor or "Unknown",
        vendor_code=vendor_code or vendor_code_of(image.vendor),
        products=_products(image),
        vibs=vibs,
        bulletins=[components[key] for key in sorted(components)],
        profiles=[image_profile(image, [entry.vib for entry in image.vibs], timestamp=timestamp)],
        units=release_units(image),
        timestamp=timestamp,
    )


def _left_out(image: Image, with_reserved: bool) -> tuple[Finding, ...]:  # noqa: FBT001 - the caller's own choice
    """Say what follows when reserved VIBs are left out."""
    if with_reserved or not (image.reserved_vibs or image.reserved_components):
        return ()
    return (
        make_finding(
            "reserved-vibs-left-out",
            f"{len(image.reserved_vibs)} reserved VIBs are not in the bundle",
            items=tuple(entry.vib.id for entry in image.reserved_vibs),
            cause="the base image or add-on lists their components, so the bundle is partial",
            remedy="keep the depots of base image and add-on, or export with reserved VIBs",
        ),
    )


def _products(image: Image) -> tuple[MetadataEntry, ...]:
    """Return one index entry for each product line that the image has VIBs for."""
    lines = [Platform.HOST]
    if any(not entry.vib.is_for_host for entry in image.vibs):
        lines.append(Platform.DPU)
    return tuple(product_entry(image, line) for line in lines)
