"""``esximage verify``: say whether a bundle, packed or unpacked, or an installer ISO would be taken."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Self, final

import attrs

from esximage_builder.cli.output import EXIT_DONE, EXIT_IMAGE_HAS_ERRORS, print_json, print_text, show_progress
from esximage_builder.cli.paths import input_path
from esximage_builder.cli.trust import add_trust, anchors_of
from esximage_builder.depot.sniff import FileKind, sniff
from esximage_builder.verify.bundle import verify_bundle
from esximage_builder.verify.disc import verify_iso
from esximage_builder.verify.vib_file import verify_vib
from esximage_builder.views.verification import render_verification, verification_as_dict

if TYPE_CHECKING:
    from esximage_builder.verify.checklist import Verification

__all__ = ["Options", "add_arguments", "run"]


@final
@attrs.frozen(kw_only=True)
class Options:
    """The file to look at, and who shall take it."""

    path: str
    kind: str
    as_json: bool
    trust: str = ""

    @classmethod
    def from_namespace(cls, namespace: argparse.Namespace) -> Self:
        """Take them over from the parser."""
        return cls(path=input_path(namespace.path), kind=namespace.kind, as_json=namespace.json, trust=namespace.trust)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what the verb takes."""
    parser.add_argument("path", metavar="PATH", help="a bundle, an unpacked one, an installer ISO or a .vib file")
    parser.add_argument("--kind", choices=("vlcm", "esxcli"), default="vlcm", help="who shall take the bundle")
    add_trust(parser)


def run(options: Options) -> int:
    """Print the checklist; a file that is not passed ends with 1."""
    verification = _verification_of(options)
    if options.as_json:
        print_json(verification_as_dict(verification))
    else:
        print_text(render_verification(verification))
    return EXIT_DONE if verification.is_passed else EXIT_IMAGE_HAS_ERRORS


def _verification_of(options: Options) -> Verification:
    kind, anchors = sniff(options.path).kind, anchors_of(options.trust)
    if kind in (FileKind.ISO, FileKind.VIB):
        verify = verify_iso if kind is FileKind.ISO else verify_vib
        return verify(options.path, anchors=anchors)
    return verify_bundle(options.path, kind=options.kind, anchors=anchors, progress=show_progress)
