"""``esximage inspect``: say what depots hold."""

from __future__ import annotations

import argparse
from typing import Self, final

import attrs

from esximage_builder.cli.output import EXIT_DONE, print_json, print_text
from esximage_builder.cli.paths import input_paths
from esximage_builder.cli.trust import add_trust, anchors_of
from esximage_builder.depot.opening import open_depot
from esximage_builder.views.catalog import catalog_as_dict, render_text_listing

__all__ = ["Options", "add_arguments", "run"]


@final
@attrs.frozen(kw_only=True)
class Options:
    """What to look into."""

    paths: tuple[str, ...]
    as_json: bool
    trust: str = ""

    @classmethod
    def from_namespace(cls, namespace: argparse.Namespace) -> Self:
        """Take them over from the parser."""
        return cls(paths=tuple(namespace.paths), as_json=namespace.json, trust=namespace.trust)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what the verb takes."""
    parser.add_argument(
        "paths",
        nargs="+",
        metavar="PATH",
        help="a bundle, an unpacked one, an ESXi installer ISO, an image database, or a .vib file",
    )
    add_trust(parser)


def run(options: Options) -> int:
    """Print what the depots hold."""
    anchors = anchors_of(options.trust)
    with open_depot(*input_paths(options.paths)) as depot:
        listing = catalog_as_dict(depot, anchors=anchors)
    if options.as_json:
        print_json(listing)
    else:
        print_text(render_text_listing(listing))
    return EXIT_DONE
