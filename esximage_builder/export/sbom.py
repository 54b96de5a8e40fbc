"""Bills of materials of an image, in CycloneDX or SPDX.

Both need the optional extra ``sbom``. No clock is read and no number is drawn: the same image
gives the same bytes.
"""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Literal, get_args

from esximage_builder.depot.store import inputs_of, measured, measured_image
from esximage_builder.errors import ModelError
from esximage_builder.export.result import ExportResult, result_of_data
from esximage_builder.export.timestamp import image_timestamp
from esximage_builder.limits import ReadLimits
from esximage_builder.models.sbom import Sbom, SbomItem, SbomKind
from esximage_builder.streams.file_kind import FileKind
from esximage_builder.streams.target import prepare_target
from esximage_builder.streams.whole_file import write_file

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from esximage_builder.models.component import Component, ComponentReference
    from esximage_builder.models.image import Image, ReservedVib
    from esximage_builder.models.vib import Vib
    from esximage_builder.models.vib_store import VibStore

__all__ = ["SBOM_FORMATS", "SbomFormat", "export_sbom", "image_sbom", "render_sbom", "require_sbom_library"]

SbomFormat = Literal["cyclonedx", "spdx"]
SBOM_FORMATS: tuple[SbomFormat, ...] = get_args(SbomFormat)


def export_sbom(
    image: Image,
    store: VibStore,
    target: str | Path,
    *,
    format: SbomFormat = "cyclonedx",  # noqa: A002 - the word that callers look for
    overwrite: bool = False,
    limits: ReadLimits | None = None,
) -> ExportResult:
    """Write the bill of materials of an image.

    Args:
        image: What to describe; one with errors is described too.
        store: Gives the bytes of VIBs whose metadata states no digest.
        target: The JSON file; it appears whole or not at all.
        format: ``cyclonedx`` (version 1.6) or ``spdx`` (version 2.3).
        overwrite: Replace a file that is there; never one that is read.
        limits: Upper bounds for reading VIBs; None takes the defaults.

    Raises:
        MissingExtraError: The library for the format is not installed.
        ModelError: There is no such format, or the file's suffix is that of another kind of file.
        ExportError: The file is there already, is one that is read, or cannot be written.
        NotInDepotError: The store lacks a VIB.
        LimitExceededError: Something is larger than ``limits`` allow.
        DepotError: A VIB's bytes cannot be read.
    """
    place = prepare_target(target, kind=FileKind.JSON, inputs=inputs_of(store), overwrite=overwrite)
    data = render_sbom(image_sbom(image, store, limits=limits), format=format)
    write_file(place, data)
    return result_of_data(Path(target), data, image_digest=image.digest)


def render_sbom(sbom: Sbom, *, format: SbomFormat = "cyclonedx") -> bytes:  # noqa: A002 - as export_sbom
    """Return a bill of materials in one of the standards' JSON forms.

    Raises:
        MissingExtraError: The library for the format is not installed.
        ModelError: There is no such format.
    """
    return require_sbom_library(format)(sbom)


def require_sbom_library(format: SbomFormat) -> Callable[[Sbom], bytes]:  # noqa: A002 - as export_sbom
    """Return the function that renders the format; loads its library.

    Raises:
        MissingExtraError: The library for the format is not installed.
        ModelError: There is no such format.
    """
    if format == "cyclonedx":
        from esximage_builder.documents.cyclonedx import render_cyclonedx  # noqa: PLC0415 - needs an extra

        return render_cyclonedx
    if format == "spdx":
        from esximage_builder.documents.spdx import render_spdx  # noqa: PLC0415 - needs an extra

        return render_spdx
    raise ModelError("there is no such form of SBOM", found=repr(format), expected=" or ".join(SBOM_FORMATS))


def image_sbom(image: Image, store: VibStore, *, limits: ReadLimits | None = None) -> Sbom:
    """Return what an image is made of: base image, add-on, components and VIBs, reserved ones too.

    Raises:
        NotInDepotError: The store lacks a VIB.
        LimitExceededError: Something is larger than ``limits`` allow.
        DepotError: A VIB's bytes cannot be read.
    """
    vibs = {item.id: item for item in _vibs(measured_image(image, measured(store, limits=limits or ReadLimits())))}
    components = {item.id: item for item in _components(image, vibs)}
    units = list(_units(image, components))
    stated = {ref for item in (*units, *components.values()) for ref in item.contains}
    everything = [*units, *components.values(), *vibs.values()]
    version = image.esxi_version
    root = SbomItem(
        kind=SbomKind.IMAGE,
        id=image.name,
        name=image.name,
        version="" if version is None else version.text,
        vendor=image.vendor,
        facts=[("acceptance-level", image.acceptance_level.value), ("image-digest", image.digest)],
        # What no unit brings hangs on the image itself: the user's components, VIBs that stand alone.
        contains=sorted(item.ref for item in everything if item.ref not in stated),
    )
    return Sbom(
        serial=_serial(image, vibs.values()),
        created_at=image_timestamp(image),
        image=root,
        items=sorted(everything, key=lambda item: item.ref),
    )


def _serial(image: Image, vibs: Iterable[SbomItem]) -> uuid.UUID:
    """Return a number that image and files decide: two files of one descriptor are two bills."""
    lines = [f"esximage {image.name}", image.digest, *sorted(item.sha256 for item in vibs)]
    return uuid.uuid5(uuid.NAMESPACE_OID, "\n".join(lines))


def _vibs(image: Image) -> Iterator[SbomItem]:
    for entry in image.vibs:
        yield _vib(entry.vib, None)
    for reserved in image.reserved_vibs:
        yield _vib(reserved.vib, reserved)


def _vib(vib: Vib, reserved: ReservedVib | None) -> SbomItem:
    file = vib.file
    facts = [
        ("acceptance-level", vib.acceptance_level.value),
        ("vib-type", vib.type),
        ("size-bytes", str(file.size_bytes if file is not None else "")),
        ("standing", "installed" if reserved is None else "reserved: carried, not installed"),
    ]
    if reserved is not None:
        facts += [("reserved-because", f"{reserved.reason.value} {reserved.winner}".strip())]
    return SbomItem(
        kind=SbomKind.VIB,
        id=vib.id,
        name=vib.name,
        version=vib.version.text,
        vendor=vib.vendor,
        summary=vib.summary,
        sha256="" if file is None else file.sha256,
        is_driver="driver" in vib.tags,
        is_reserved=reserved is not None,
        facts=facts,
    )


def _components(image: Image, vibs: Mapping[str, SbomItem]) -> Iterator[SbomItem]:
    for entry in image.components:
        facts = [] if entry.source is None else [("source", entry.source.value)]
        yield _component(entry.component, vibs, [*facts, ("rule", entry.rule.value)], is_reserved=False)
    for component in image.reserved_components:
        yield _component(component, vibs, [("standing", "reserved: carried, not installed")], is_reserved=True)


def _component(
    component: Component, vibs: Mapping[str, SbomItem], facts: list[tuple[str, str]], *, is_reserved: bool
) -> SbomItem:
    shown = [("display-name", component.display_name)] if component.display_name else []
    return SbomItem(
        kind=SbomKind.COMPONENT,
        id=component.id,
        name=component.name,
        version=component.version.text,
        vendor=component.vendor,
        summary=component.bulletin.summary,
        is_reserved=is_reserved,
        facts=[*shown, *facts],
        contains=sorted({vibs[vib_id].ref for vib_id in component.vib_ids if vib_id in vibs}),
    )


def _units(image: Image, components: Mapping[str, SbomItem]) -> Iterator[SbomItem]:
    """Describe base image, add-on, hardware support packages and solutions, each with what it lists."""

    def listed(references: Iterable[ComponentReference]) -> list[str]:
        ids = {str(reference) for reference in references}
        return sorted(components[key].ref for key in ids if key in components)

    base_image, add_on = image.base_image, image.add_on
    if base_image is not None:
        yield SbomItem(
            kind=SbomKind.BASE_IMAGE,
            id=base_image.id,
            name=base_image.display_name or "ESXi",
            version=base_image.version.text,
            vendor=base_image.vendor,
            summary=base_image.summary,
            facts=[("display-version", base_image.display_version)] if base_image.display_version else [],
            contains=listed(base_image.components),
        )
    if add_on is not None:
        yield SbomItem(
            kind=SbomKind.ADD_ON,
            id=add_on.id,
            name=add_on.name,
            version=add_on.version.text,
            vendor=add_on.vendor,
            summary=add_on.summary,
            contains=listed(add_on.components),
        )
    for package in image.hardware_support:
        yield SbomItem(
            kind=SbomKind.HARDWARE_SUPPORT,
            id=package.id,
            name=package.name,
            version=package.version.text,
            vendor=package.vendor,
            contains=listed(package.components),
        )
    for solution in image.solutions:
        brought = [entry for entry in image.components if entry.source is not None and entry.source.value == "SOLUTION"]
        wanted = {item.name for item in solution.components}
        yield SbomItem(
            kind=SbomKind.SOLUTION,
            id=solution.id,
            name=solution.name,
            version=solution.version.text,
            contains=listed(entry.component.reference for entry in brought if entry.component.name in wanted),
        )
