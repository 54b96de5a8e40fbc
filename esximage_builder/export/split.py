"""Writing base image and add-on of a custom image as two depots, VIBs verbatim.

The base image's depot is the bundle that the base image alone would make. The add-on's has no image
profile, since it cannot boot. Each VIB is read once for both; both depots appear or none.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import attrs

from esximage_builder.depot.depot_zip import packed_facts
from esximage_builder.depot.store import inputs_of, measured, measured_image
from esximage_builder.depot.vendor_code import vendor_code_of
from esximage_builder.export.bundle import BundleOutput, bundle_contents
from esximage_builder.export.gate import require_exportable
from esximage_builder.export.true_vibs import VibCheck
from esximage_builder.export.writing import write_outputs
from esximage_builder.limits import ReadLimits
from esximage_builder.progress import no_progress
from esximage_builder.streams.file_kind import FileKind
from esximage_builder.streams.identity import require_apart
from esximage_builder.streams.target import prepare_target

if TYPE_CHECKING:
    from collections.abc import Iterable

    from esximage_builder.depot.depot_zip import DepotContents
    from esximage_builder.export.result import ExportResult
    from esximage_builder.models.image import Image
    from esximage_builder.models.vib import Vib
    from esximage_builder.models.vib_store import VibStore
    from esximage_builder.progress import Progress
    from esximage_builder.rules.split import ImageSplit

__all__ = ["export_split"]


def export_split(
    split: ImageSplit,
    store: VibStore,
    base_target: str | Path,
    add_on_target: str | Path,
    *,
    vendor_code: str = "",
    allow: Iterable[str] = (),
    overwrite: bool = False,
    limits: ReadLimits | None = None,
    progress: Progress = no_progress,
    workers: int | None = None,
) -> list[ExportResult]:
    """Write the two parts of a custom image as depots.

    Args:
        split: What ``split_image`` returned.
        store: Gives the VIBs' bytes, usually the opened depot.
        base_target: Zip file for the base image.
        add_on_target: Zip file for the add-on.
        vendor_code: Three letters or digits for the add-on's index; empty takes the vendor's first ones.
        allow: Codes of errors of the image that do not matter.
        overwrite: Replace files that are there; never one that is read.
        limits: Upper bounds for reading VIBs; None takes the defaults.
        progress: Told how far the copying is.
        workers: How many VIBs are read at a time, 1 to 64, which decides no byte that is written; None takes two
            where there are two cores.

    Returns:
        What was written, the base image's depot first.

    Raises:
        IncompatibleImageError: Base image and add-on together have errors that are not allowed.
        ExportError: A file is there already, is one that is read, or cannot be written.
        ChecksumMismatchError: A VIB's bytes are not what its metadata says.
        LimitExceededError: Something is larger than ``limits`` allow.
        DepotError: A VIB's bytes cannot be read.
        ModelError: Both are one file, a suffix is that of another kind of file, or the vendor code is
            no three letters or digits.
    """
    inputs = inputs_of(store, limits=limits)
    named = {"base image": Path(base_target), "add-on": Path(add_on_target)}
    places = [prepare_target(path, kind=FileKind.ZIP, inputs=inputs, overwrite=overwrite) for path in named.values()]
    require_apart(named)
    allow = frozenset(allow)
    waived = require_exportable(split.image, report=None, allow=allow)
    bounds = limits or ReadLimits()
    known = measured(store, limits=bounds)
    base, image = (measured_image(part, known) for part in (split.base, split.image))
    parts = ((base, bundle_contents(base)), (image, _add_on_contents(split, image, vendor_code)))
    outputs = [
        BundleOutput(part, contents, place, packed=packed_facts(contents.vibs, known), waived=waived, findings=())
        for (part, contents), place in zip(parts, places, strict=True)
    ]
    vibs = _each_once(base, image)
    VibCheck(store=known, check="stored", allow=frozenset(allow), limits=bounds).require_true(vibs)
    return write_outputs(outputs, vibs, known, limits=bounds, progress=progress, workers=workers)


def _add_on_contents(split: ImageSplit, image: Image, vendor_code: str) -> DepotContents:
    """Return what the add-on's depot holds: the add-on, its components, their VIBs."""
    components = split.add_on_components
    vib_ids = {vib_id for component in components for vib_id in component.vib_ids}
    whole = bundle_contents(image, vendor_code=vendor_code or vendor_code_of(split.add_on.vendor))
    return attrs.evolve(
        whole,
        vendor_name=split.add_on.vendor or "Unknown",
        vibs=[vib for vib in whole.vibs if vib.id in vib_ids],
        bulletins=components,
        profiles=(),
        units=[split.add_on],
    )


def _each_once(*images: Image) -> list[Vib]:
    vibs = {vib.id: vib for image in images for vib in image.all_vibs}
    return [vibs[vib_id] for vib_id in sorted(vibs)]
