"""``esximage build``: compose, check and write an image.

What cannot end well is refused before anything is opened. An image with errors that are not
waived is not written; its report is, and says which.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Self, final

import attrs

from esximage_builder.cli.image_options import ImageOptions, add_image_arguments, image_of
from esximage_builder.cli.output import (
    EXIT_DONE,
    EXIT_IMAGE_HAS_ERRORS,
    print_json,
    print_note,
    print_text,
    show_progress,
)
from esximage_builder.cli.paths import input_path
from esximage_builder.cli.targets import require_safe_outputs
from esximage_builder.cli.trust import add_trust, anchors_of
from esximage_builder.depot.input_file import measured_inputs
from esximage_builder.depot.opening import open_depot
from esximage_builder.errors import ModelError
from esximage_builder.export.outputs import export_image
from esximage_builder.export.sbom import SBOM_FORMATS, require_sbom_library
from esximage_builder.export.true_vibs import CHECKS, check_unpacked
from esximage_builder.rules.boot_layout import without_tools
from esximage_builder.rules.lock import require_lockable
from esximage_builder.rules.validate import validate
from esximage_builder.views.checksum_file import write_checksums
from esximage_builder.views.report import render_text_report, report_as_dict
from esximage_builder.views.report_file import require_report_suffix, write_report
from esximage_builder.waivers import require_waivable

if TYPE_CHECKING:
    from esximage_builder.depot.input_file import InputFile
    from esximage_builder.depot.opening import Depot
    from esximage_builder.export.result import ExportResult
    from esximage_builder.export.sbom import SbomFormat
    from esximage_builder.export.true_vibs import Check
    from esximage_builder.models.image import Image
    from esximage_builder.rules.validate import ValidationReport

__all__ = ["Options", "add_arguments", "run"]


@final
@attrs.frozen(kw_only=True)
class Options:
    """The image, what to write of it, and what goes onto what boots."""

    image: ImageOptions
    iso: str | None
    usb: str | None
    bundle: str | None
    pxe: str | None
    pxe_prefix: str | None
    pxe_hosts: tuple[tuple[str, str], ...]
    lock: str | None
    sbom: str | None
    sbom_format: SbomFormat
    report: str | None
    checksums: str | None
    force: bool
    kickstart: str | None
    kickstart_address: str | None
    kernel_options: tuple[str, ...]
    with_tools: bool
    with_installer: bool
    with_stick: bool
    allow: tuple[str, ...]
    check: Check
    as_json: bool
    trust: str = ""

    @classmethod
    def from_namespace(cls, namespace: argparse.Namespace) -> Self:
        """Take them over from the parser."""
        return cls(
            image=ImageOptions.from_namespace(namespace),
            iso=namespace.iso,
            usb=namespace.usb,
            bundle=namespace.bundle,
            pxe=namespace.pxe,
            pxe_prefix=namespace.pxe_prefix,
            pxe_hosts=tuple((mac, options) for mac, options in namespace.pxe_host),
            lock=namespace.lock,
            sbom=namespace.sbom,
            sbom_format=namespace.sbom_format,
            report=namespace.report,
            checksums=namespace.checksums,
            force=namespace.force,
            kickstart=None if namespace.kickstart is None else input_path(namespace.kickstart),
            kickstart_address=namespace.kickstart_address,
            kernel_options=tuple(namespace.kernel_option),
            with_tools=not namespace.without_tools,
            with_installer=not namespace.without_installer,
            with_stick=not namespace.without_stick,
            allow=tuple(namespace.allow),
            check=namespace.check,
            as_json=namespace.json,
            trust=namespace.trust,
        )

    @property
    def kernel_command_line(self) -> str:
        """The kernel options to add, as one line."""
        return " ".join(self.kernel_options)

    @property
    def writes_anything(self) -> bool:
        """True if an output other than the report is asked for."""
        return bool(self.outputs.keys() - {"--report", "--checksums"})

    @property
    def inputs(self) -> tuple[str, ...]:
        """The paths to read, outputs excepted."""
        kickstarts = () if self.kickstart is None else (self.kickstart,)
        trusted = (input_path(self.trust),) if self.trust else ()
        return (*self.image.inputs, *kickstarts, *trusted)

    @property
    def outputs(self) -> dict[str, str]:
        """The paths to write, by the option that names each."""
        named = {
            "--iso": self.iso,
            "--usb": self.usb,
            "--bundle": self.bundle,
            "--pxe": self.pxe,
            "--lock": self.lock,
            "--sbom": self.sbom,
            "--report": self.report,
            "--checksums": self.checksums,
        }
        return {option: path for option, path in named.items() if path is not None}


@final
@attrs.frozen(kw_only=True)
class _Checked:
    """A composed image with its depots still open, and what was found out about it.

    Attributes:
        options: What was asked for.
        depot: The opened depots.
        composed: The whole image.
        images: What the outputs hold, the composed image first if it is among them.
        reports: What was found on each of them.
        inputs: The files that were read, as the report names them.
    """

    options: Options
    depot: Depot
    composed: Image
    images: tuple[Image, ...]
    reports: tuple[ValidationReport, ...]
    inputs: tuple[InputFile, ...]

    @property
    def image(self) -> Image:
        """The image to report on."""
        return self.images[0]

    @property
    def report(self) -> ValidationReport:
        """All that was found."""
        others = self.reports[1:]
        return self.reports[0].with_findings(finding for other in others for finding in other.findings)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what the verb takes."""
    add_image_arguments(parser)
    _add_outputs(parser.add_argument_group("outputs"))
    _add_what_boots(parser.add_argument_group("what boots"))
    checks = parser.add_argument_group("checks")
    checks.add_argument("--allow", action="append", default=[], metavar="CODE", help="waive errors of this code")
    checks.add_argument(
        "--check",
        choices=CHECKS,
        default=CHECKS[0],
        help="how payloads are checked: as they are stored, or unpacked too before anything is written",
    )
    add_trust(checks)


def _add_what_boots(parser: argparse._ActionsContainer) -> None:
    parser.add_argument("--kickstart", metavar="FILE", help="kickstart file for ISO, stick and network boot tree")
    parser.add_argument(
        "--kickstart-address",
        metavar="WHERE",
        help="where the installer looks for it: cdrom:/..., usb:/..., file://..., http(s)://..., ftp://..., nfs://...",
    )
    parser.add_argument(
        "--kernel-option", action="append", default=[], metavar="OPT", help="add to the stock kernel options"
    )
    parser.add_argument("--without-tools", action="store_true", help="leave VMware Tools off what boots")
    parser.add_argument("--without-installer", action="store_true", help="leave the installer off, to boot ESXi itself")
    parser.add_argument(
        "--without-stick", action="store_true", help="leave the partition entry off the ISO that boots it from a stick"
    )


def _add_outputs(parser: argparse._ActionsContainer) -> None:
    parser.add_argument("--iso", metavar="OUT", help="write a bootable ISO")
    parser.add_argument("--usb", metavar="OUT", help="write a bootable image for USB sticks")
    parser.add_argument("--bundle", metavar="OUT", help="write an offline bundle")
    parser.add_argument("--pxe", metavar="OUT", help="write a network boot tree into a new folder")
    parser.add_argument(
        "--pxe-prefix", metavar="PREFIX", help="path or address of that folder on the server, for its boot.cfg"
    )
    parser.add_argument(
        "--pxe-host",
        nargs=2,
        action="append",
        default=[],
        metavar=("MAC", "OPTIONS"),
        help="kernel options of one host, by its MAC address",
    )
    parser.add_argument("--lock", metavar="OUT", help="write a lock file, from which --locked builds the same image")
    parser.add_argument("--sbom", metavar="OUT", help="write a bill of materials in JSON")
    parser.add_argument("--sbom-format", choices=SBOM_FORMATS, default=SBOM_FORMATS[0], help="its form")
    parser.add_argument("--report", metavar="OUT", help="write a report: .txt, .json, .md, .html or .sarif")
    parser.add_argument("--checksums", metavar="OUT", help="write the SHA-256 of each file, for sha256sum --check")
    parser.add_argument("--force", action="store_true", help="replace files that are there, but none that is read")


def run(options: Options) -> int:
    """Write what was asked for and print the report."""
    _require_outputs(options)
    with open_depot(*options.image.sources()) as depot:
        checked = _check(options, depot)
        is_writable = not checked.report.errors_except(options.allow)
        results = _write(checked) if is_writable else []
        if options.report is not None:  # of an image with errors too: it says which
            results.append(_write_report(checked, options.report, results))
    if options.checksums is not None and is_writable:
        write_checksums(results, options.checksums, inputs=options.inputs, overwrite=options.force)
    _print_report(checked, results)
    if not is_writable and not options.as_json:
        but = "" if options.report is None else " but the report"
        print_note(f"nothing written{but}: the image has errors")
    return EXIT_DONE if is_writable else EXIT_IMAGE_HAS_ERRORS


def _check(options: Options, depot: Depot) -> _Checked:
    composed = image_of(options.image, depot)
    if options.lock is not None:
        require_lockable(composed)  # before anything else is written
    images = _written_images(options, composed)
    minimum = options.image.minimum_acceptance
    anchors = anchors_of(options.trust)
    unpacked = check_unpacked(composed.all_vibs, depot, limits=depot.limits) if options.check == "unpacked" else ()
    reports = tuple(
        validate(
            image,
            depot.catalog,
            minimum_acceptance=minimum,
            vib_facts=depot.facts_of(image.all_vibs, anchors=anchors),
        ).with_findings(unpacked)
        for image in images
    )
    inputs = _read_inputs(options, depot)
    return _Checked(options=options, depot=depot, composed=composed, images=images, reports=reports, inputs=inputs)


def _read_inputs(options: Options, depot: Depot) -> tuple[InputFile, ...]:
    """Return which files were read, where somebody will keep it.

    Digests mean to read every depot to its end: they are for a report, and for data about what is written.
    This comes before the writing, which refuses a file that changes afterwards.
    """
    is_kept = options.report is not None
    if not is_kept and not options.as_json:
        return ()
    return measured_inputs(*options.inputs, depot=depot, with_sha256=is_kept or options.writes_anything)


def _written_images(options: Options, composed: Image) -> tuple[Image, ...]:
    """Return what is to be validated: the images that the outputs hold, the composed one first.

    What boots can be without VMware Tools; where nothing is written, the
    composed image is looked at.
    """
    boots = any(path is not None for path in (options.iso, options.usb, options.pxe))
    is_whole = any(path is not None for path in (options.bundle, options.lock, options.sbom))
    is_cut = boots and not options.with_tools
    return (*([composed] if is_whole or not is_cut else []), *([without_tools(composed)] if is_cut else []))


def _require_outputs(options: Options) -> None:
    """Refuse what cannot end well before anything is opened: an output that eats a file, a waiver of no code."""
    require_waivable(options.allow)
    if options.pxe_prefix is not None and options.pxe is None:
        raise ModelError("--pxe-prefix goes with --pxe only", found=options.pxe_prefix, hint="name the folder to write")
    if options.pxe_hosts and options.pxe is None:
        raise ModelError(
            "--pxe-host goes with --pxe only", found=options.pxe_hosts[0][0], hint="name the folder to write"
        )
    if len(dict(options.pxe_hosts)) < len(options.pxe_hosts):
        raise ModelError("a MAC address is there twice", found=", ".join(mac for mac, _ in options.pxe_hosts))
    if options.report is not None:
        require_report_suffix(options.report, is_of_image=True)
    if options.sbom is not None:
        require_sbom_library(options.sbom_format)
    require_safe_outputs(options.outputs, options.inputs, overwrite=options.force)


def _write(checked: _Checked) -> list[ExportResult]:
    """Write everything that was asked for but the report: all of it or nothing."""
    options = checked.options
    if not options.writes_anything:
        return []
    return export_image(
        checked.composed,
        checked.depot,
        pxe=options.pxe,
        iso=options.iso,
        usb=options.usb,
        bundle=options.bundle,
        lock=options.lock,
        sbom=options.sbom,
        sbom_format=options.sbom_format,
        pxe_prefix=options.pxe_prefix or "",
        pxe_hosts=dict(options.pxe_hosts),
        kickstart=options.kickstart,
        kickstart_address=options.kickstart_address,
        kernel_options=options.kernel_command_line,
        with_tools=options.with_tools,
        with_installer=options.with_installer,
        with_stick=options.with_stick,
        overwrite=options.force,
        allow=options.allow,
        report=checked.reports[0],
        progress=show_progress,
    )


def _write_report(checked: _Checked, target: str, results: list[ExportResult]) -> ExportResult:
    return write_report(
        checked.image,
        checked.report,
        target,
        allow=checked.options.allow,
        results=results,
        inputs=checked.inputs,
        catalog=checked.depot.catalog,
        overwrite=checked.options.force,
    )


def _print_report(checked: _Checked, results: list[ExportResult]) -> None:
    image, report, inputs = checked.image, checked.report, checked.inputs
    allow, catalog = checked.options.allow, checked.depot.catalog
    if checked.options.as_json:
        print_json(report_as_dict(image, report, allow=allow, results=results, inputs=inputs, catalog=catalog))
    else:
        print_text(render_text_report(image, report, allow=allow, results=results, inputs=inputs, catalog=catalog))
