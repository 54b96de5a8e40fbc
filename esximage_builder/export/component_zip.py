"""Writing components alone as an offline bundle, as vendors publish drivers.

Meant for components made of loose VIBs: the zip opens like any other depot, beside that of a base
image. VIBs are copied verbatim, and the same components give the same bytes.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from esximage_builder.depot.component_contents import component_contents
from esximage_builder.depot.depot_zip import write_depot
from esximage_builder.depot.store import inputs_of, measured
from esximage_builder.errors import ModelError
from esximage_builder.export.true_vibs import VibCheck
from esximage_builder.limits import ReadLimits
from esximage_builder.models.fields import as_tuple
from esximage_builder.streams.file_kind import FileKind
from esximage_builder.streams.target import prepare_target

if TYPE_CHECKING:
    from collections.abc import Iterable

    from esximage_builder.export.true_vibs import Check
    from esximage_builder.models.component import Component
    from esximage_builder.models.vib import Vib
    from esximage_builder.models.vib_store import VibStore

__all__ = ["export_components"]


def export_components(
    components: Iterable[Component],
    vibs: Iterable[Vib],
    store: VibStore,
    target: str | Path,
    *,
    check: Check = "stored",
    vendor_code: str = "",
    overwrite: bool = False,
    limits: ReadLimits | None = None,
) -> Path:
    """Write components as an offline bundle.

    Args:
        components: At least one; the index names the vendor of the first by id.
        vibs: Where to find their VIBs; others are left out.
        store: Gives the VIBs' bytes, usually the opened depot.
        target: The zip file; it appears whole or not at all.
        check: ``unpacked`` unpacks all payloads before anything is written and checks those checksums too;
            ``stored`` checks the bytes as they are stored, while they are written.
        vendor_code: Three letters or digits for the index; empty takes the vendor's first ones.
        overwrite: Replace a file that is there; never one that is read.
        limits: Upper bounds for reading VIBs; None takes the defaults.

    Raises:
        ModelError: No component, a VIB is not among ``vibs`` or there with two contents, or the
            vendor code is no three letters or digits, or the file's suffix is that of another kind of file.
        IncompatibleImageError: The metadata claims a higher level for a VIB than the VIB itself, a signature is
            missing, or a payload does not unpack to what its checksums say.
        ExportError: The file is there already, is one that is read, or cannot be written.
        ChecksumMismatchError: The bytes of a VIB or its descriptor are not what the metadata says.
        LimitExceededError: Something is larger than ``limits`` allow.
        DepotError: A VIB's bytes cannot be read.
    """
    listed = sorted(as_tuple(components), key=lambda component: component.id)
    if not listed:
        raise ModelError("no component was given", expected="at least one")
    place = prepare_target(target, kind=FileKind.ZIP, inputs=inputs_of(store), overwrite=overwrite)
    bounds = limits or ReadLimits()
    known = measured(store, limits=bounds)
    contents = component_contents(listed, as_tuple(vibs), known, vendor=listed[0].vendor, vendor_code=vendor_code)
    VibCheck(store=known, check=check, allow=frozenset(), limits=bounds).require_true(contents.vibs)
    write_depot(contents, known, place, limits=bounds)
    return Path(target)
