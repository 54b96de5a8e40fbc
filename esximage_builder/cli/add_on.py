"""``esximage add-on``: make a vendor add-on of components and loose VIBs, and write it as a depot of its own.

It has verbs of its own, so far one: ``create``.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Self, final

import attrs

from esximage_builder.authoring.bundle import add_on_of, write_bundle
from esximage_builder.cli.output import EXIT_DONE, print_json, print_text
from esximage_builder.cli.paths import input_paths
from esximage_builder.cli.targets import require_new_zip
from esximage_builder.depot.opening import open_depot
from esximage_builder.versions import AddOnVersion
from esximage_builder.views.bundle import made_bundle_as_dict, render_made_bundle

__all__ = ["Options", "add_arguments", "run"]


@final
@attrs.frozen(kw_only=True)
class Options:
    """What to make of which files, and where to write it."""

    action: str
    files: tuple[str, ...]
    out: str
    force: bool
    name: str
    version: str
    vendor: str
    vendor_code: str
    summary: str
    supports: tuple[str, ...]
    remove: tuple[str, ...]
    as_json: bool

    @classmethod
    def from_namespace(cls, namespace: argparse.Namespace) -> Self:
        """Take them over from the parser."""
        return cls(
            action=namespace.action,
            files=input_paths(namespace.files),
            out=namespace.out,
            force=namespace.force,
            name=namespace.name,
            version=namespace.version,
            vendor=namespace.vendor,
            vendor_code=namespace.vendor_code,
            summary=namespace.summary,
            supports=tuple(namespace.supports),
            remove=tuple(namespace.remove),
            as_json=namespace.json,
        )


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what the verb takes."""
    actions = parser.add_subparsers(dest="action", required=True)
    create = actions.add_parser("create", help="make an add-on of components and write it", allow_abbrev=False)
    create.add_argument("files", nargs="+", metavar="FILE", help="bundles of components, and .vib files")
    create.add_argument("--out", required=True, metavar="OUT", help="the offline bundle to write")
    create.add_argument("--force", action="store_true", help="replace a file that is there, but none that is read")
    create.add_argument("--name", required=True, metavar="NAME", help="name of the add-on")
    create.add_argument("--version", required=True, metavar="VERSION", help="its version")
    create.add_argument("--vendor", default="", metavar="VENDOR", help="its vendor; that of its components otherwise")
    create.add_argument("--vendor-code", default="", metavar="CODE", help="three letters or digits for the index")
    create.add_argument("--summary", default="", metavar="TEXT", help="what it is, in one line")
    create.add_argument(
        "--supports", action="append", required=True, metavar="VERSION", help="base image it is for, such as 8.0.3"
    )
    create.add_argument(
        "--remove", action="append", default=[], metavar="NAME", help="component of the base image that it takes off"
    )
    create.add_argument("--json", action="store_true", default=argparse.SUPPRESS, help="print one JSON object")


def run(options: Options) -> int:
    """Write the add-on and say what it is."""
    require_new_zip(options.out, options.files, overwrite=options.force)
    with open_depot(*options.files) as depot:
        add_on = add_on_of(
            depot,
            options.name,
            AddOnVersion(options.version),
            supported_base_images=options.supports,
            vendor=options.vendor,
            removed_components=options.remove,
            summary=options.summary,
        )
        components = write_bundle(
            depot, options.out, add_on=add_on, vendor_code=options.vendor_code, overwrite=options.force
        )
    path = Path(options.out)
    if options.as_json:
        print_json(made_bundle_as_dict(components, path, add_on))
    else:
        print_text(render_made_bundle(components, path, add_on))
    return EXIT_DONE
