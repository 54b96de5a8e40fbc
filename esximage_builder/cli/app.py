"""The command line ``esximage``: a thin layer over the library.

Exit codes: 0 done, 1 the image has errors and nothing was written, 2 bad input or usage.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from esximage_builder.depot.documents import read_lock, read_software_spec
from esximage_builder.depot.opening import open_depot
from esximage_builder.depot.sniff import FileKind, sniff
from esximage_builder.errors import ComposeError, EsxImageError, IncompatibleImageError, ModelError
from esximage_builder.export.bundle import export_bundle
from esximage_builder.export.iso import export_iso
from esximage_builder.export.lock import compose_locked, write_lock
from esximage_builder.export.pxe import export_pxe
from esximage_builder.export.result import ExportResult
from esximage_builder.export.sbom import SBOM_FORMATS, export_sbom, require_sbom_library
from esximage_builder.rules.boot_layout import without_tools
from esximage_builder.rules.compose import compose, image_from_profile, make_spec
from esximage_builder.rules.decompose import recognise
from esximage_builder.rules.diff import diff
from esximage_builder.rules.explain import (
    explain_acceptance,
    explain_findings,
    explain_name,
    render_explanations,
    rule_set_of,
)
from esximage_builder.rules.recommend import recommend
from esximage_builder.rules.validate import validate
from esximage_builder.verify.bundle import verify_bundle
from esximage_builder.verify.disc import verify_iso
from esximage_builder.views.catalog import catalog_as_dict, render_text_listing
from esximage_builder.views.change import (
    diff_as_dict,
    explanation_as_dict,
    recommendation_as_dict,
    render_diff,
    render_recommendation,
)
from esximage_builder.views.report_file import require_report_suffix, write_report
from esximage_builder.views.text import render_text_report, report_as_dict
from esximage_builder.vocabulary import AcceptanceLevel

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from esximage_builder.depot.opening import Depot
    from esximage_builder.models.image import Image
    from esximage_builder.models.spec import SoftwareSpec
    from esximage_builder.rules.validate import ValidationReport

__all__ = ["main"]

EXIT_DONE, EXIT_IMAGE_HAS_ERRORS, EXIT_BAD_INPUT = 0, 1, 2
_INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code.

    Args:
        arguments: Without the program's name; None takes those of the process.
    """
    options = _parser().parse_args(arguments)
    try:
        return _COMMANDS[options.command](options)
    except EsxImageError as error:
        _print_error(error, as_json=options.json)
        return EXIT_IMAGE_HAS_ERRORS if isinstance(error, IncompatibleImageError) else EXIT_BAD_INPUT
    except KeyboardInterrupt:
        print("interrupted; nothing half-written was left behind", file=sys.stderr)
        return _INTERRUPTED
    except BrokenPipeError:
        # Whoever read our output has seen enough, as `head` does. Nothing may be flushed to it any more.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_DONE


def _print_error(error: EsxImageError, *, as_json: bool) -> None:
    findings = error.findings if isinstance(error, ComposeError) else ()
    findings = findings if len(findings) > 1 else ()  # a single one is what the error itself says
    if as_json:
        listed = {"findings": [finding.as_dict() for finding in findings]} if findings else {}
        print(json.dumps({"error": error.as_dict()} | listed), file=sys.stderr)
        return
    print(f"esximage: {error}", file=sys.stderr)
    for finding in findings:
        print(f"  [{finding.severity.value}] {finding.code}: {finding.message}", file=sys.stderr)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="esximage", description="Read, compose, check and write VMware ESXi images.", allow_abbrev=False
    )
    commands = parser.add_subparsers(dest="command", required=True)
    inspect = commands.add_parser("inspect", help="say what depots hold", allow_abbrev=False)
    inspect.add_argument(
        "paths", nargs="+", metavar="PATH", help="a bundle, an unpacked one, an ESXi installer ISO, or a .vib file"
    )
    build = commands.add_parser("build", help="compose, check and write an image", allow_abbrev=False)
    _add_image_arguments(build)
    build.add_argument("--iso", metavar="OUT", help="write a bootable ISO")
    build.add_argument("--bundle", metavar="OUT", help="write an offline bundle")
    build.add_argument("--pxe", metavar="OUT", help="write a network boot tree into a new folder")
    build.add_argument(
        "--pxe-prefix", metavar="PREFIX", help="path or address of that folder on the server, for its boot.cfg"
    )
    build.add_argument("--lock", metavar="OUT", help="write a lock file, from which --locked builds the same image")
    build.add_argument("--sbom", metavar="OUT", help="write a bill of materials in JSON")
    build.add_argument("--sbom-format", choices=SBOM_FORMATS, default=SBOM_FORMATS[0], help="its form")
    build.add_argument("--report", metavar="OUT", help="write a report: .txt, .json, .md or .html")
    build.add_argument("--kickstart", metavar="FILE", help="kickstart file for the ISO and the network boot tree")
    build.add_argument(
        "--kernel-option", action="append", default=[], metavar="OPT", help="add to the stock kernel options"
    )
    build.add_argument("--without-tools", action="store_true", help="leave VMware Tools off ISO and network boot tree")
    build.add_argument("--without-installer", action="store_true", help="leave the installer off, to boot ESXi itself")
    build.add_argument("--allow", action="append", default=[], metavar="CODE", help="waive errors of this code")
    explain = commands.add_parser("explain", help="say why an image is as it is", allow_abbrev=False)
    _add_image_arguments(explain)
    explain.add_argument(
        "names", nargs="*", metavar="NAME", help="components or VIBs to explain; none explains findings"
    )
    recommend_ = commands.add_parser("recommend", help="say what to move to next", allow_abbrev=False)
    _add_image_arguments(recommend_, with_profile=False)
    diff_ = commands.add_parser("diff", help="say what differs between two images", allow_abbrev=False)
    for which in ("before", "after"):
        diff_.add_argument(which, metavar=which.upper(), help="a bundle with one image, or a software spec in JSON")
    diff_.add_argument("--depot", nargs="+", action="extend", default=[], metavar="PATH", help="depots for the specs")
    verify = commands.add_parser("verify", help="say whether a bundle or ISO would be taken", allow_abbrev=False)
    verify.add_argument("path", metavar="PATH", help="a bundle or an installer ISO")
    verify.add_argument("--kind", choices=("vlcm", "esxcli"), default="vlcm", help="who shall take the bundle")
    for command in (inspect, build, explain, recommend_, diff_, verify):
        command.add_argument("--json", action="store_true", help="print one JSON object")
    return parser


def _add_image_arguments(command: argparse.ArgumentParser, *, with_profile: bool = True) -> None:
    """Add what says which image is meant."""
    command.add_argument("--depot", nargs="+", action="extend", required=True, metavar="PATH", help="depots to open")
    start = command.add_mutually_exclusive_group(required=True)
    start.add_argument("--spec", metavar="FILE", help="a software spec in vLCM's JSON form")
    start.add_argument("--base", metavar="VERSION", help="version or release name of the base image")
    if with_profile:
        start.add_argument("--profile", metavar="NAME", help="an image profile, as 6.x depots have")
        start.add_argument("--locked", metavar="FILE", help="a lock file: exactly its image, or an error")
    else:
        command.set_defaults(profile=None, locked=None)
    command.add_argument("--add-on", metavar="NAME:VERSION", help="vendor add-on")
    command.add_argument("--component", action="append", default=[], metavar="NAME[:VERSION]", help="component to add")
    command.add_argument("--remove", action="append", default=[], metavar="NAME", help="component to remove")
    command.add_argument("--name", default="", help="name of the image")
    command.add_argument(
        "--prefer", action="append", default=[], metavar="PATH", help="depot to take a VIB from that several have"
    )
    command.add_argument(
        "--minimum-acceptance",
        type=_acceptance_level,
        metavar="LEVEL",
        help="certified, accepted, partner or community: VIBs below it are errors",
    )


def _acceptance_level(text: str) -> AcceptanceLevel:
    try:
        return AcceptanceLevel.from_text(text)
    except ValueError:
        levels = ", ".join(level.value for level in AcceptanceLevel)
        raise argparse.ArgumentTypeError(f"{text!r} is none of {levels}") from None


def _inspect(options: argparse.Namespace) -> int:
    with open_depot(*options.paths) as depot:
        listing = catalog_as_dict(depot)
    if options.json:
        _print_json(listing)
    else:
        _print_text(render_text_listing(listing))
    return EXIT_DONE


def _build(options: argparse.Namespace) -> int:
    _require_outputs(options)
    with open_depot(*options.depot) as depot:
        composed = _image(options, depot)
        images = _written_images(options, composed)
        reports = [validate(image, depot.catalog, minimum_acceptance=options.minimum_acceptance) for image in images]
        image, report = images[0], reports[0].with_findings(f for other in reports[1:] for f in other.findings)
        results: list[ExportResult] = []
        is_writable = not report.errors_except(options.allow)
        if is_writable:
            results = _write(options, composed, depot, reports)
        if options.report is not None:  # of an image with errors too: it says which
            results.append(
                write_report(image, report, options.report, allow=options.allow, results=results, catalog=depot.catalog)
            )
    if options.json:
        _print_json(report_as_dict(image, report, allow=options.allow, results=results))
    else:
        _print_text(render_text_report(image, report, allow=options.allow, results=results))
        if not is_writable:
            but = "" if options.report is None else " but the report"
            print(f"nothing written{but}: the image has errors", file=sys.stderr)
    return EXIT_DONE if is_writable else EXIT_IMAGE_HAS_ERRORS


def _written_images(options: argparse.Namespace, composed: Image) -> list[Image]:
    """Return what is to be validated: the images that the outputs hold, the composed one first.

    ISO and network boot tree alone can be without VMware Tools; where nothing is written, the
    composed image is looked at.
    """
    boots = options.iso is not None or options.pxe is not None
    is_whole = any(getattr(options, name) is not None for name in ("bundle", "lock", "sbom"))
    is_cut = options.without_tools and boots
    return [*([composed] if is_whole or not is_cut else []), *([without_tools(composed)] if is_cut else [])]


def _image(options: argparse.Namespace, depot: Depot) -> Image:
    if options.profile is not None:
        _require_no_wishes(options)
        return image_from_profile(depot.catalog, options.profile, prefer=options.prefer)
    if options.locked is not None:
        _require_no_wishes(options)
        return compose_locked(depot, read_lock(options.locked))
    return compose(depot.catalog, _spec(options), name=options.name, prefer=options.prefer)


def _spec(options: argparse.Namespace) -> SoftwareSpec:
    if options.spec is not None:
        _require_no_wishes(options)
        return read_software_spec(options.spec)
    return make_spec(
        base_image=options.base,
        add_on=None if options.add_on is None else _add_on(options.add_on),
        components=dict(_name_and_version(text) for text in options.component),
        removed_components=options.remove,
    )


def _require_no_wishes(options: argparse.Namespace) -> None:
    if options.add_on or options.component or options.remove:
        raise ModelError(
            "--add-on, --component and --remove go with --base only",
            found=next(f"--{name}" for name in ("spec", "profile", "locked") if getattr(options, name) is not None),
            hint="write them into the spec, or use --base",
        )
    if options.locked is not None and (options.name or options.prefer):
        raise ModelError("--name and --prefer do not go with --locked", hint="the lock names the image and its files")


def _name_and_version(text: str) -> tuple[str, str | None]:
    name, _, version = text.partition(":")
    return name, version or None


def _add_on(text: str) -> tuple[str, str]:
    name, version = _name_and_version(text)
    if version is None:
        raise ModelError("the add-on has no version", found=repr(text), expected="NAME:VERSION")
    return name, version


def _require_outputs(options: argparse.Namespace) -> None:
    """Refuse what cannot end well before anything is opened: one file for two outputs, a report of no form."""
    outputs: dict[Path, str] = {}
    for option in ("iso", "bundle", "pxe", "lock", "sbom", "report"):
        path = getattr(options, option)
        if path is None:
            continue
        other = outputs.setdefault(Path(path).resolve(), option)
        if other != option:
            raise ModelError(f"--{other} and --{option} name one file", found=path, expected="two different files")
    if options.pxe_prefix is not None and options.pxe is None:
        raise ModelError("--pxe-prefix goes with --pxe only", found=options.pxe_prefix, hint="name the folder to write")
    if options.report is not None:
        require_report_suffix(options.report)
    if options.sbom is not None:
        require_sbom_library(options.sbom_format)


def _write(
    options: argparse.Namespace, image: Image, depot: Depot, reports: Sequence[ValidationReport]
) -> list[ExportResult]:
    """Write the outputs; ``reports`` are of the written images, the composed one's first if it is among them."""
    results = _write_bootable(options, image, depot, reports[-1])
    if options.bundle is not None:
        results.append(
            export_bundle(image, depot, options.bundle, allow=options.allow, report=reports[0], progress=_show_progress)
        )
    if options.lock is not None:
        lock, path = write_lock(image, depot, options.lock), Path(options.lock)
        results.append(ExportResult(path=path, size_bytes=path.stat().st_size, image_digest=lock.digest))
    if options.sbom is not None:
        results.append(export_sbom(image, depot, options.sbom, format=options.sbom_format))
    return results


def _write_bootable(
    options: argparse.Namespace, image: Image, depot: Depot, report: ValidationReport
) -> list[ExportResult]:
    """Write what boots, before all else, since kickstart file, prefix or kernel options may yet be refused."""
    kernel_options = " ".join(options.kernel_option)
    with_tools, with_installer = not options.without_tools, not options.without_installer
    results = []
    if options.pxe is not None:
        results.append(
            export_pxe(
                image,
                depot,
                options.pxe,
                prefix=options.pxe_prefix or "",
                kickstart=options.kickstart,
                kernel_options=kernel_options,
                with_tools=with_tools,
                with_installer=with_installer,
                allow=options.allow,
                report=report,
                progress=_show_progress,
            )
        )
    if options.iso is not None:
        results.append(
            export_iso(
                image,
                depot,
                options.iso,
                kickstart=options.kickstart,
                kernel_options=kernel_options,
                with_tools=with_tools,
                with_installer=with_installer,
                allow=options.allow,
                report=report,
                progress=_show_progress,
            )
        )
    return results


def _show_progress(stage: str, done_bytes: int, total_bytes: int) -> None:
    if total_bytes and sys.stderr.isatty():
        end = "\n" if done_bytes >= total_bytes else ""
        print(f"\r{stage} {100 * done_bytes // total_bytes:3d} %", end=end, file=sys.stderr, flush=True)


def _explain(options: argparse.Namespace) -> int:
    with open_depot(*options.depot) as depot:
        image = _image(options, depot)
        report = validate(image, depot.catalog, minimum_acceptance=options.minimum_acceptance)
        explanations = explain_findings(report.findings, catalog=depot.catalog, image=image)
    level = explain_acceptance(image)
    rules = rule_set_of(image)
    sentences = {name: explain_name(image, name) for name in options.names}
    if options.json:
        _print_json(
            {
                "rules": rules.value,
                "acceptance": None if level is None else explanation_as_dict(level),
                "explanations": [explanation_as_dict(explanation) for explanation in explanations],
                "names": {name: list(known) for name, known in sentences.items()},
            }
        )
    elif options.names:
        for name, known in sentences.items():
            _print_text("\n".join(known or [f"The image knows nothing named {name}."]) + "\n")
    else:
        _print_text(f"rules: {rules.description}\n")
        _print_text(render_explanations([*explanations, *([] if level is None else [level])]))
    return EXIT_DONE


def _recommend(options: argparse.Namespace) -> int:
    with open_depot(*options.depot) as depot:
        recommendation = recommend(depot.catalog, _spec(options))
    if options.json:
        _print_json(recommendation_as_dict(recommendation))
    else:
        _print_text(render_recommendation(recommendation))
    return EXIT_DONE


def _diff(options: argparse.Namespace) -> int:
    difference = diff(*(_image_of(path, options.depot) for path in (options.before, options.after)))
    if options.json:
        _print_json(diff_as_dict(difference))
    else:
        _print_text(render_diff(difference))
    return EXIT_DONE


def _image_of(path: str, depots: Sequence[str]) -> Image:
    """Return the image of a bundle, or of a spec over the given depots."""
    if sniff(path).kind is FileKind.JSON:
        if not depots:
            raise ModelError("a spec needs depots to be composed from", found=path, hint="name them with --depot")
        with open_depot(*depots) as depot:
            return compose(depot.catalog, read_software_spec(path))
    with open_depot(path) as depot:
        return recognise(depot.catalog)


def _verify(options: argparse.Namespace) -> int:
    if sniff(options.path).kind is FileKind.ISO:
        verification = verify_iso(options.path)
    else:
        verification = verify_bundle(options.path, kind=options.kind)
    if options.json:
        _print_json(verification.as_dict())
    else:
        _print_text(verification.render_text())
    return EXIT_DONE if verification.is_passed else EXIT_IMAGE_HAS_ERRORS


def _print_text(text: str) -> None:
    """Print what the terminal can show; names from files may hold more than its encoding has."""
    encoding = sys.stdout.encoding or "utf-8"
    print(text.encode(encoding, errors="backslashreplace").decode(encoding), end="")


def _print_json(document: object) -> None:
    print(json.dumps(document, indent=2))


_COMMANDS: dict[str, Callable[[argparse.Namespace], int]] = {
    "inspect": _inspect,
    "build": _build,
    "explain": _explain,
    "recommend": _recommend,
    "diff": _diff,
    "verify": _verify,
}
