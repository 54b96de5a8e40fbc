"""Writing several outputs of one image together: every VIB is read once, and all appear or none."""

from __future__ import annotations

from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, final

import attrs

from esximage_builder.depot.store import inputs_of, measured
from esximage_builder.documents.lock_file import render_lock
from esximage_builder.errors import ModelError
from esximage_builder.export.bundle import bundle_output
from esximage_builder.export.disc_options import DiscOptions, address_of, checked_prefix, hosts_of
from esximage_builder.export.disc_writer import plan_of_store
from esximage_builder.export.gate import require_exportable
from esximage_builder.export.iso import IsoOutput
from esximage_builder.export.kickstart_file import kickstart_files, read_kickstart
from esximage_builder.export.lock import make_lock
from esximage_builder.export.pxe import PxeOutput
from esximage_builder.export.result import ExportResult
from esximage_builder.export.sbom import image_sbom, require_sbom_library
from esximage_builder.export.stick import StickOutput
from esximage_builder.export.true_vibs import VibCheck
from esximage_builder.export.writing import DocumentOutput, write_outputs
from esximage_builder.limits import ReadLimits
from esximage_builder.progress import no_progress
from esximage_builder.rules.boot_layout import without_tools
from esximage_builder.streams.file_kind import FileKind
from esximage_builder.streams.identity import require_apart
from esximage_builder.streams.target import prepare_folder, prepare_target

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterable, Mapping

    from esximage_builder.depot.store import MeasuredVibStore
    from esximage_builder.documents.kickstart_address import KickstartAddress
    from esximage_builder.export.result import ExportResult
    from esximage_builder.export.sbom import SbomFormat
    from esximage_builder.export.true_vibs import Check
    from esximage_builder.export.writing import Output
    from esximage_builder.findings import Finding
    from esximage_builder.models.image import Image
    from esximage_builder.models.sbom import Sbom
    from esximage_builder.models.vib_store import VibStore
    from esximage_builder.progress import Progress
    from esximage_builder.rules.validate import ValidationReport
    from esximage_builder.streams.target import Target

__all__ = ["OUTPUT_KINDS", "export_image"]

_WHOLE = frozenset({"bundle", "lock", "sbom"})
"""Outputs that always have the whole image, VMware Tools included."""


def export_image(
    image: Image,
    store: VibStore,
    *,
    pxe: str | Path | None = None,
    iso: str | Path | None = None,
    usb: str | Path | None = None,
    bundle: str | Path | None = None,
    lock: str | Path | None = None,
    sbom: str | Path | None = None,
    kickstart: str | Path | bytes | None = None,
    kickstart_address: KickstartAddress | str | None = None,
    kernel_options: str = "",
    with_tools: bool = True,
    with_installer: bool = True,
    with_stick: bool = True,
    overwrite: bool = False,
    pxe_prefix: str = "",
    pxe_hosts: Mapping[str, str] = MappingProxyType({}),
    vendor_code: str = "",
    with_reserved: bool = True,
    sbom_format: SbomFormat = "cyclonedx",
    allow: Iterable[str] = (),
    report: ValidationReport | None = None,
    check: Check = "stored",
    limits: ReadLimits | None = None,
    progress: Progress = no_progress,
    workers: int | None = None,
) -> list[ExportResult]:
    """Write outputs of an image together; each is the same bytes as if it was written alone.

    Every VIB is read once, and once more before where no metadata states its digest and the
    store has not measured it yet. If anything fails, none of the outputs appears and old files stay.

    Args:
        image: What to write.
        store: Gives the VIBs' bytes, usually the opened depot.
        pxe: Folder for a network boot tree, as ``export_pxe`` writes it.
        iso: File for an installer disc, as ``export_iso`` writes it.
        usb: File for a stick image, as ``export_usb`` writes it.
        bundle: File for an offline bundle, as ``export_bundle`` writes it.
        lock: File for a lock, as ``write_lock`` writes it.
        sbom: File for a bill of materials, as ``export_sbom`` writes it.
        kickstart: For disc, stick and network boot tree.
        kickstart_address: For all three too.
        kernel_options: For all three too.
        with_tools: For all three too; bundle, lock and bill always have VMware Tools.
        with_installer: For all three too.
        with_stick: For the disc.
        overwrite: Replace files that are there; never one that is read.
        pxe_prefix: For the network boot tree, as ``prefix`` of ``export_pxe``.
        pxe_hosts: For the network boot tree, as ``hosts`` of ``export_pxe``.
        vendor_code: For the bundle.
        with_reserved: For the bundle.
        sbom_format: For the bill of materials.
        allow: Codes of errors that do not matter.
        report: Validation of this image, or of ``without_tools(image)`` where nothing but disc, stick
            and network boot tree is written and these are left out; of the first, what is found on the
            second counts too. None validates what is written here.
        check: For bundle, disc, stick and network boot tree, as ``export_bundle`` takes it.
        limits: Upper bounds for reading VIBs and the kickstart file, and for reading back what was written.
        progress: Told how many bytes have come to their places, in all outputs together.
        workers: How many VIBs are read at a time, 1 to 64, which decides no byte that is written; None takes two
            where there are two cores.

    Returns:
        A result for each output, in the order of the parameters.

    Raises:
        IncompatibleImageError: The image, a VIB, the kickstart file or a kernel option has errors that are
            not allowed, or the image has no kernel and shall boot, which cannot be allowed.
        ModelError: No output is named, or two at one place; prefix, MAC address, kickstart address or
            vendor code cannot be one;
            the options contradict each other; the image cannot be locked; the report is of another image.
        MissingExtraError: The library for the form of the bill is not installed.
        SourceUnreadableError: The kickstart file cannot be read.
        ExportError: One of the outputs cannot be written, or reads back otherwise than planned.
        ChecksumMismatchError: Bytes are not what their metadata says.
        LimitExceededError: Something is larger than ``limits`` allow.
        DepotError: A VIB's bytes cannot be read.
    """
    named = {"pxe": pxe, "iso": iso, "usb": usb, "bundle": bundle, "lock": lock, "sbom": sbom}
    paths = {name: Path(target) for name, target in named.items() if target is not None}
    inputs = inputs_of(store, *kickstart_files(kickstart), limits=limits)
    targets = _prepared(paths, inputs, overwrite=overwrite)
    allowed = frozenset(allow)
    bounds = limits or ReadLimits()
    boots = image if with_tools else without_tools(image)
    waived: tuple[Finding, ...] = ()
    boots_waived: tuple[Finding, ...] = ()
    if targets.keys() & _WHOLE:
        waived = require_exportable(image, report=report, allow=allowed)
    if targets.keys() - _WHOLE:
        boots_waived = require_exportable(boots, report=report, allow=allowed, composed=image)
    known = measured(store, limits=bounds)
    planning = _Planning(
        image=image,
        store=known,
        targets=targets,
        limits=bounds,
        waived=waived,
        boots_waived=boots_waived,
        vib_check=VibCheck(store=known, check=check, allow=allowed, limits=bounds),
    )
    options: DiscOptions | None = None
    findings: tuple[Finding, ...] = ()
    if targets.keys() - _WHOLE:
        script, findings = read_kickstart(kickstart, allow=allowed, limits=bounds)
        options = DiscOptions(
            kickstart=script,
            kickstart_address=address_of(kickstart_address),
            kernel_options=kernel_options,
            with_installer=with_installer,
            with_stick=with_stick,
        )
    prefix = checked_prefix(pxe_prefix)
    hosts = hosts_of(pxe_hosts, prefix=prefix)
    network = None if options is None else attrs.evolve(options, network_prefix=prefix, hosts=hosts)
    stick = None if options is None else attrs.evolve(options, is_stick=True)
    render = require_sbom_library(sbom_format) if sbom is not None else None
    # What states digests comes first: a VIB that must be measured for them gives its head on the way.
    outputs = {
        "lock": planning.lock(),
        "sbom": planning.sbom(render),
        "bundle": planning.bundle(vendor_code=vendor_code, with_reserved=with_reserved),
        "iso": planning.boots("iso", IsoOutput, boots, options, findings),
        "usb": planning.boots("usb", StickOutput, boots, stick, findings),
        "pxe": planning.boots("pxe", PxeOutput, boots, network, findings),
    }
    ordered = [output for name in targets if (output := outputs[name]) is not None]
    return write_outputs(ordered, image.all_vibs, planning.store, limits=bounds, progress=progress, workers=workers)


OUTPUT_KINDS = {
    "iso": FileKind.ISO,
    "usb": FileKind.STICK,
    "bundle": FileKind.ZIP,
    "lock": FileKind.JSON,
    "sbom": FileKind.JSON,
}
"""What kind of file each output is; the network boot tree is a folder."""


def _prepared(
    paths: Mapping[str, Path], inputs: Mapping[Path, os.stat_result], *, overwrite: bool
) -> dict[str, Target]:
    """Return the places of all outputs; refuses a call that cannot end well before any work."""
    if not paths:
        raise ModelError("no output is named", expected="at least one of pxe, iso, usb, bundle, lock, sbom")
    places = {
        name: prepare_folder(path, inputs=inputs)
        if name == "pxe"
        else prepare_target(path, kind=OUTPUT_KINDS[name], inputs=inputs, overwrite=overwrite)
        for name, path in paths.items()
    }
    require_apart(paths)
    return places


@final
@attrs.frozen(kw_only=True)
class _Planning:
    """Plans each output that has a target; returns None for the others."""

    image: Image
    store: MeasuredVibStore
    targets: Mapping[str, Target]
    limits: ReadLimits
    waived: tuple[Finding, ...]
    boots_waived: tuple[Finding, ...]
    vib_check: VibCheck

    def lock(self) -> Output | None:
        target = self.targets.get("lock")
        if target is None:
            return None
        return DocumentOutput(self.image, target, render_lock(make_lock(self.image, self.store, limits=self.limits)))

    def sbom(self, render: Callable[[Sbom], bytes] | None) -> Output | None:
        target = self.targets.get("sbom")
        if target is None or render is None:
            return None
        return DocumentOutput(self.image, target, render(image_sbom(self.image, self.store, limits=self.limits)))

    def bundle(self, *, vendor_code: str, with_reserved: bool) -> Output | None:
        target = self.targets.get("bundle")
        if target is None:
            return None
        return bundle_output(
            self.image,
            self.store,
            target,
            vendor_code=vendor_code,
            with_reserved=with_reserved,
            waived=self.waived,
            vib_check=self.vib_check,
        )

    def boots(
        self,
        name: str,
        output: type[IsoOutput | StickOutput | PxeOutput],
        image: Image,
        options: DiscOptions | None,
        findings: tuple[Finding, ...],
    ) -> Output | None:
        """Plan what boots: disc, stick or network boot tree."""
        target = self.targets.get(name)
        if target is None or options is None:
            return None
        plan = plan_of_store(image, self.store, options, vib_check=self.vib_check)
        return output(image, plan, target, limits=self.limits, waived=self.boots_waived, findings=findings)
