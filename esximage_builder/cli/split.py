"""``esximage split``: take a vendor's custom image apart into two depots, base image and add-on."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Self, final

import attrs

from esximage_builder.cli.output import EXIT_DONE, print_json, print_text, show_progress
from esximage_builder.cli.paths import input_path, input_paths
from esximage_builder.cli.targets import require_safe_outputs
from esximage_builder.depot.opening import open_depot
from esximage_builder.export.split import export_split
from esximage_builder.rules.decompose import recognise
from esximage_builder.rules.split import split_image
from esximage_builder.views.split import render_split, split_as_dict

if TYPE_CHECKING:
    from esximage_builder.depot.opening import Depot
    from esximage_builder.models.image import Image

__all__ = ["Options", "add_arguments", "run"]


@final
@attrs.frozen(kw_only=True)
class Options:
    """The image to split, where its parts go, and what the add-on shall be called."""

    custom: str
    depots: tuple[str, ...]
    profile: str
    base_out: str
    add_on_out: str
    name: str
    version: str
    vendor: str
    allow: tuple[str, ...]
    force: bool
    as_json: bool

    @classmethod
    def from_namespace(cls, namespace: argparse.Namespace) -> Self:
        """Take them over from the parser."""
        return cls(
            custom=input_path(namespace.custom),
            depots=input_paths(namespace.depot),
            profile=namespace.profile,
            base_out=namespace.base_out,
            add_on_out=namespace.add_on_out,
            name=namespace.add_on_name,
            version=namespace.add_on_version,
            vendor=namespace.add_on_vendor,
            allow=tuple(namespace.allow),
            force=namespace.force,
            as_json=namespace.json,
        )


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what the verb takes."""
    parser.add_argument("custom", metavar="CUSTOM", help="a vendor's custom image: an offline bundle or an ISO")
    parser.add_argument("--base-out", required=True, metavar="OUT", help="depot of the base image to write")
    parser.add_argument("--add-on-out", required=True, metavar="OUT", help="depot of the add-on to write")
    parser.add_argument(
        "--depot",
        nargs="+",
        action="extend",
        default=[],
        metavar="PATH",
        help="depots with the base image, where the custom image lacks some of it; up to the next option or --",
    )
    parser.add_argument("--profile", default="", metavar="NAME", help="which image, where CUSTOM holds several")
    parser.add_argument("--add-on-name", default="", metavar="NAME", help="name of the add-on")
    parser.add_argument("--add-on-version", default="", metavar="VERSION", help="version of the add-on")
    parser.add_argument("--add-on-vendor", default="", metavar="VENDOR", help="vendor of the add-on")
    parser.add_argument("--allow", action="append", default=[], metavar="CODE", help="waive errors of this code")
    parser.add_argument("--force", action="store_true", help="replace files that are there, but none that is read")


def run(options: Options) -> int:
    """Write both depots and say what is in them."""
    outputs = {"--base-out": options.base_out, "--add-on-out": options.add_on_out}
    require_safe_outputs(outputs, (options.custom, *options.depots), overwrite=options.force)
    profile = _profile_of(options)
    with open_depot(options.custom, *options.depots) as depot:
        custom = recognise(depot.catalog, profile)
        _split(options, custom, depot)
    return EXIT_DONE


def _profile_of(options: Options) -> str:
    """Return the name of the image that is meant; depots beside it bring images of their own."""
    with open_depot(options.custom) as depot:
        return recognise(depot.catalog, options.profile).name


def _split(options: Options, custom: Image, depot: Depot) -> None:
    split = split_image(custom, depot.catalog, name=options.name, version=options.version, vendor=options.vendor)
    results = export_split(
        split,
        depot,
        options.base_out,
        options.add_on_out,
        allow=options.allow,
        overwrite=options.force,
        progress=show_progress,
    )
    if options.as_json:
        print_json(split_as_dict(custom, split, results))
    else:
        print_text(render_split(custom, split, results))
