"""``esximage bundle``: put components, add-ons and loose VIBs of several files into one offline bundle.

It has verbs of its own, so far one: ``create``.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Self, final

import attrs

from esximage_builder.authoring.bundle import write_bundle
from esximage_builder.cli.output import EXIT_DONE, print_json, print_text
from esximage_builder.cli.paths import input_paths
from esximage_builder.cli.targets import require_new_zip
from esximage_builder.depot.opening import open_depot
from esximage_builder.views.bundle import made_bundle_as_dict, render_made_bundle

__all__ = ["Options", "add_arguments", "run"]


@final
@attrs.frozen(kw_only=True)
class Options:
    """What to put together, and where to write it."""

    action: str
    files: tuple[str, ...]
    out: str
    force: bool
    vendor: str
    vendor_code: str
    as_json: bool

    @classmethod
    def from_namespace(cls, namespace: argparse.Namespace) -> Self:
        """Take them over from the parser."""
        return cls(
            action=namespace.action,
            files=input_paths(namespace.files),
            out=namespace.out,
            force=namespace.force,
            vendor=namespace.vendor,
            vendor_code=namespace.vendor_code,
            as_json=namespace.json,
        )


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what the verb takes."""
    actions = parser.add_subparsers(dest="action", required=True)
    create = actions.add_parser("create", help="put files into one bundle", allow_abbrev=False)
    create.add_argument("files", nargs="+", metavar="FILE", help=".vib files, and bundles of components and add-ons")
    create.add_argument("--out", required=True, metavar="OUT", help="the offline bundle to write")
    create.add_argument("--force", action="store_true", help="replace a file that is there, but none that is read")
    create.add_argument("--vendor", default="", metavar="VENDOR", help="vendor for the index; the first one otherwise")
    create.add_argument("--vendor-code", default="", metavar="CODE", help="three letters or digits for the index")
    create.add_argument("--json", action="store_true", default=argparse.SUPPRESS, help="print one JSON object")


def run(options: Options) -> int:
    """Write the bundle and say what it holds."""
    require_new_zip(options.out, options.files, overwrite=options.force)
    with open_depot(*options.files) as depot:
        components = write_bundle(
            depot, options.out, vendor=options.vendor, vendor_code=options.vendor_code, overwrite=options.force
        )
    path = Path(options.out)
    if options.as_json:
        print_json(made_bundle_as_dict(components, path))
    else:
        print_text(render_made_bundle(components, path))
    return EXIT_DONE
