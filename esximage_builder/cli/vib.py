"""``esximage vib``: make a VIB of files, say what one holds, take it apart, and say whether it is whole."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Self, final

import attrs

from esximage_builder.authoring.extract import extract_vib
from esximage_builder.authoring.level_paths import check_paths
from esximage_builder.authoring.source_tree import read_source_file
from esximage_builder.authoring.vib import VibSigner
from esximage_builder.authoring.vib_of_files import read_vib_description, write_vib
from esximage_builder.cli.output import EXIT_DONE, EXIT_IMAGE_HAS_ERRORS, print_json, print_text
from esximage_builder.cli.paths import input_path
from esximage_builder.cli.trust import add_trust, anchors_of
from esximage_builder.depot.opening import open_depot
from esximage_builder.documents.signatures import head_facts
from esximage_builder.errors import ModelError
from esximage_builder.limits import ReadLimits
from esximage_builder.source_date import latest_timestamp
from esximage_builder.streams.file_kind import FileKind
from esximage_builder.verify.checklist import require_kind
from esximage_builder.verify.vib_file import verify_vib
from esximage_builder.views.verification import render_verification, verification_as_dict
from esximage_builder.views.vib import (
    extracted_vib_as_dict,
    made_vib_as_dict,
    render_extracted_vib,
    render_made_vib,
    render_vib,
    vib_as_dict,
)

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Options", "add_arguments", "run"]

_LIMITS = ReadLimits()
_TEXTS = ("description", "out", "key", "certificate", "trust")
_FLAGS = ("force", "keep_times", "unsigned", "stage", "trusted")


@final
@attrs.frozen(kw_only=True)
class Options:
    """What to do with which files; those that the action does not take are as if not given."""

    action: str
    path: str
    description: str
    out: str
    force: bool
    keep_times: bool
    key: str
    trust: str
    certificate: str
    unsigned: bool
    stage: bool
    trusted: bool
    as_json: bool

    @classmethod
    def from_namespace(cls, namespace: argparse.Namespace) -> Self:
        """Take them over from the parser."""
        return cls(
            action=namespace.action,
            path=input_path(namespace.path),
            description=input_path(namespace.description),
            out=namespace.out,
            force=namespace.force,
            keep_times=namespace.keep_times,
            key=input_path(namespace.key),
            trust=namespace.trust,
            certificate=input_path(namespace.certificate),
            unsigned=namespace.unsigned,
            stage=namespace.stage,
            trusted=namespace.trusted,
            as_json=namespace.json,
        )


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what the verb takes; what one action does not take is as if not given."""
    parser.set_defaults(**dict.fromkeys(_TEXTS, ""), **dict.fromkeys(_FLAGS, False))
    actions = parser.add_subparsers(dest="action", required=True)
    create = actions.add_parser("create", help="make a VIB of files and a description", allow_abbrev=False)
    info = actions.add_parser("info", help="say what a VIB is and holds", allow_abbrev=False)
    extract = actions.add_parser("extract", help="write the files of a VIB into a folder", allow_abbrev=False)
    verify = actions.add_parser("verify", help="say whether a VIB is whole", allow_abbrev=False)
    _add_create(create)
    _add_extract(extract)
    add_trust(verify)
    for action in (info, extract, verify):
        action.add_argument("path", metavar="VIB", help="a .vib file")
    for action in (create, info, extract, verify):
        action.add_argument("--json", action="store_true", default=argparse.SUPPRESS, help="print one JSON object")


def _add_create(create: argparse.ArgumentParser) -> None:
    create.add_argument("path", metavar="SOURCE", help="the files to install: a folder, or a tar with or without gzip")
    create.add_argument("--description", required=True, metavar="FILE", help="what the VIB is, in TOML")
    create.add_argument("--out", required=True, metavar="OUT", help="the .vib file to write")
    create.add_argument("--force", action="store_true", help="replace a file that is there, but none that is read")
    create.add_argument("--keep-times", action="store_true", help="keep the dates of the files")
    create.add_argument("--key", default="", metavar="FILE", help="private RSA key to sign with, PEM")
    create.add_argument("--certificate", default="", metavar="FILE", help="the certificate of that key, PEM")
    create.add_argument("--unsigned", action="store_true", help="leave a VIB from partner level up unsigned")


def _add_extract(extract: argparse.ArgumentParser) -> None:
    extract.add_argument("--out", required=True, metavar="OUT", help="a new or empty folder")
    extract.add_argument("--force", action="store_true", help="write into a folder with files, and replace some")
    extract.add_argument("--stage", action="store_true", help="write what the VIB can be made of again")
    extract.add_argument("--trusted", action="store_true", help="take links that lead out, and set-user-id bits")


def run(options: Options) -> int:
    """Do it and say what came of it."""
    return _ACTIONS[options.action](options)


def _create(options: Options) -> int:
    made = write_vib(
        options.path,
        options.description,
        options.out,
        keep_times=options.keep_times,
        signer=_signer(options),
        unsigned=options.unsigned,
        overwrite=options.force,
    )
    findings, path, is_signed = check_paths(made.vib), Path(options.out), bool(options.key)
    if options.as_json:
        print_json(made_vib_as_dict(made.vib, findings, path, is_signed=is_signed))
    else:
        print_text(render_made_vib(made.vib, findings, path, is_signed=is_signed))
    return EXIT_DONE


def _signer(options: Options) -> VibSigner | None:
    if bool(options.key) != bool(options.certificate):
        raise ModelError("--key and --certificate go together", expected="both or neither")
    if not options.key:
        return None
    released_at = read_vib_description(options.description).vib.released_at
    return VibSigner(
        key_pem=read_source_file(Path(options.key), max_bytes=_LIMITS.document_bytes, follow=True),
        certificate_pem=read_source_file(Path(options.certificate), max_bytes=_LIMITS.document_bytes, follow=True),
        signed_at=latest_timestamp([released_at]),
    )


def _info(options: Options) -> int:
    require_kind(options.path, FileKind.VIB)
    with open_depot(options.path) as depot:
        (vib,) = depot.catalog.vibs
        facts = head_facts(vib.id, depot.read_vib_head(vib))
    if options.as_json:
        print_json(vib_as_dict(vib, is_signed=facts.is_signed, facts=facts))
    else:
        print_text(render_vib(vib, facts=facts))
    return EXIT_DONE


def _extract(options: Options) -> int:
    extracted = extract_vib(
        options.path, options.out, as_stage=options.stage, is_trusted=options.trusted, overwrite=options.force
    )
    target = Path(options.out)
    if options.as_json:
        print_json(extracted_vib_as_dict(extracted, target))
    else:
        print_text(render_extracted_vib(extracted, target))
    return EXIT_DONE


def _verify(options: Options) -> int:
    verification = verify_vib(options.path, anchors=anchors_of(options.trust))
    if options.as_json:
        print_json(verification_as_dict(verification))
    else:
        print_text(render_verification(verification))
    return EXIT_DONE if verification.is_passed else EXIT_IMAGE_HAS_ERRORS


_ACTIONS: dict[str, Callable[[Options], int]] = {
    "create": _create,
    "info": _info,
    "extract": _extract,
    "verify": _verify,
}
