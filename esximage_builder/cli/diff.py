"""``esximage diff``: say what differs between two images, each from a bundle or a spec."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Self, final

import attrs

from esximage_builder.cli.output import EXIT_DONE, print_json, print_text
from esximage_builder.cli.paths import input_path, input_paths
from esximage_builder.depot.documents import read_software_spec
from esximage_builder.depot.opening import open_depot
from esximage_builder.depot.sniff import FileKind, sniff
from esximage_builder.errors import ModelError
from esximage_builder.rules.compose import compose
from esximage_builder.rules.decompose import recognise
from esximage_builder.rules.diff import diff
from esximage_builder.views.diff import diff_as_dict, render_diff

if TYPE_CHECKING:
    from collections.abc import Sequence

    from esximage_builder.models.image import Image

__all__ = ["Options", "add_arguments", "run"]


@final
@attrs.frozen(kw_only=True)
class Options:
    """The two images, and the depots that specs are composed from."""

    before: str
    after: str
    depots: tuple[str, ...]
    as_json: bool

    @classmethod
    def from_namespace(cls, namespace: argparse.Namespace) -> Self:
        """Take them over from the parser."""
        return cls(
            before=input_path(namespace.before),
            after=input_path(namespace.after),
            depots=tuple(namespace.depot),
            as_json=namespace.json,
        )


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what the verb takes."""
    for which in ("before", "after"):
        parser.add_argument(which, metavar=which.upper(), help="a bundle with one image, or a software spec in JSON")
    parser.add_argument(
        "--depot", nargs="+", action="extend", default=[], metavar="PATH", help="depots for the specs, up to --"
    )


def run(options: Options) -> int:
    """Print what differs."""
    difference = diff(_image_in(options.before, options.depots), _image_in(options.after, options.depots))
    if options.as_json:
        print_json(diff_as_dict(difference))
    else:
        print_text(render_diff(difference))
    return EXIT_DONE


def _image_in(path: str, depots: Sequence[str]) -> Image:
    """Return the image of a bundle, or of a spec over the given depots."""
    if sniff(path).kind is FileKind.JSON:
        if not depots:
            raise ModelError("a spec needs depots to be composed from", found=path, hint="name them with --depot")
        with open_depot(*input_paths(depots)) as depot:
            return compose(depot.catalog, read_software_spec(path))
    with open_depot(path) as depot:
        return recognise(depot.catalog)
