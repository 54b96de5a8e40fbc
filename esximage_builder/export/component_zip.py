"""Writing components alone as an offline bundle, as vendors publish drivers.

Meant for components made of loose VIBs: the zip opens like any other depot, beside that of a base
image. VIBs are copied verbatim, and the same components give the same bytes.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from esximage_builder.depot.depot_zip import DepotContents, write_depot
from esximage_builder.depot.store import inputs_of, measured, with_file_facts
from esximage_builder.documents.depot_index import MetadataEntry
from esximage_builder.errors import ModelError
from esximage_builder.export.bundle import vendor_code_of
from esximage_builder.export.timestamp import latest_timestamp
from esximage_builder.export.true_vibs import VibCheck
from esximage_builder.limits import ReadLimits
from esximage_builder.models.fields import as_tuple
from esximage_builder.models.vib import SoftwarePlatform
from esximage_builder.streams.file_kind import FileKind
from esximage_builder.streams.target import prepare_target

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from esximage_builder.export.true_vibs import Check
    from esximage_builder.models.component import Component
    from esximage_builder.models.vib import Vib
    from esximage_builder.models.vib_store import VibStore

__all__ = ["export_components"]

_ANY_RELEASE = "*"


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
    vib_check = VibCheck(store=known, check=check, allow=frozenset(), limits=bounds)
    vendor = listed[0].vendor or "Unknown"
    members = _members(listed, as_tuple(vibs))
    measured_members = [with_file_facts(vib, known) for vib in members]
    contents = DepotContents(
        vendor_name=vendor,
        vendor_code=vendor_code or vendor_code_of(vendor),
        products=_products(listed),
        vibs=measured_members,
        bulletins=listed,
        timestamp=latest_timestamp(component.bulletin.released_at for component in listed),
    )
    vib_check.require_true(members)
    write_depot(contents, known, place, limits=bounds)
    return Path(target)


def _members(components: Sequence[Component], vibs: Sequence[Vib]) -> list[Vib]:
    return [
        _member(vib_id, [vib for vib in vibs if vib.id == vib_id])
        for vib_id in sorted({vib_id for component in components for vib_id in component.vib_ids})
    ]


def _member(vib_id: str, found: Sequence[Vib]) -> Vib:
    if len({vib.fingerprint for vib in found}) != 1:
        raise ModelError(
            "a component's VIB is not there just once",
            where=vib_id,
            found=f"{len(found)} VIBs of this id",
            expected="one",
            hint="pass the one that is meant" if found else "open the depot that holds it",
        )
    return found[0]


def _products(components: Sequence[Component]) -> list[MetadataEntry]:
    """Return an index entry for each platform; a component that names none goes with every release."""
    stated = {
        platform
        for component in components
        for platform in component.bulletin.platforms or (SoftwarePlatform(version=_ANY_RELEASE),)
    }
    pairs = sorted({(platform.product_line, platform.version or _ANY_RELEASE) for platform in stated})
    return [MetadataEntry(product_id=line, version=version) for line, version in pairs]
