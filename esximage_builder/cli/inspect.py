"""``esximage inspect``: say what depots hold.

Lists that are longer than a screen are counted, and options list them; names narrow down what is listed.
"""

from __future__ import annotations

import argparse
import fnmatch
from typing import Any, Self, final

import attrs

from esximage_builder.cli.output import EXIT_DONE, print_json, print_text
from esximage_builder.cli.paths import input_paths
from esximage_builder.cli.trust import add_trust, anchors_of
from esximage_builder.depot.opening import open_depot
from esximage_builder.views.catalog import catalog_as_dict, render_text_listing

__all__ = ["Options", "add_arguments", "run"]

# Each kind of thing by its key in the listing, with the option that lists it.
_KINDS = {
    "base_images": "--base-images",
    "add_ons": "--add-ons",
    "profiles": "--profiles",
    "components": "--components",
    "bulletins": "--bulletins",
    "solutions": "--solutions",
    "hardware_support": "--hardware-support",
    "vibs": "--vibs",
}
_LONG = ("components", "bulletins", "vibs")


@final
@attrs.frozen(kw_only=True)
class Options:
    """What to look into, and what to say of it."""

    paths: tuple[str, ...]
    as_json: bool
    trust: str = ""
    kinds: tuple[str, ...] = ()
    names: tuple[str, ...] = ()

    @classmethod
    def from_namespace(cls, namespace: argparse.Namespace) -> Self:
        """Take them over from the parser."""
        return cls(
            paths=tuple(namespace.paths),
            as_json=namespace.json,
            trust=namespace.trust,
            kinds=tuple(namespace.kinds),
            names=tuple(namespace.name),
        )


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what the verb takes."""
    parser.add_argument(
        "paths",
        nargs="+",
        metavar="PATH",
        help="a bundle, an unpacked one, an ESXi installer ISO, an image database, or a .vib file",
    )
    for key, option in _KINDS.items():
        words = key.replace("_", " ").replace("vibs", "VIBs").replace("add ons", "add-ons")
        parser.add_argument(option, dest="kinds", action="append_const", const=key, help=f"list all {words}")
    parser.add_argument(
        "--name",
        action="append",
        default=[],
        metavar="PATTERN",
        help="list what is named so, in any case, with * for any letters: 'intel*'",
    )
    parser.set_defaults(kinds=[])
    add_trust(parser)


def run(options: Options) -> int:
    """Print what the depots hold."""
    anchors = anchors_of(options.trust)
    with open_depot(*input_paths(options.paths)) as depot:
        listing = _wanted(catalog_as_dict(depot, anchors=anchors), options)
    if options.as_json:
        print_json(listing)
    else:
        counted = {} if options.kinds or options.names else {key: f"{_KINDS[key]} lists them" for key in _LONG}
        print_text(render_text_listing(listing, counted=counted))
    return EXIT_DONE


def _wanted(listing: dict[str, Any], options: Options) -> dict[str, Any]:
    """Return the listing with only what is asked for: all of it if nothing is."""
    kinds = options.kinds or tuple(_KINDS)
    return listing | {
        key: [item for item in listing[key] if key in kinds and _is_named(item, options)] for key in _KINDS
    }


def _is_named(item: dict[str, Any], options: Options) -> bool:
    """Tell whether the item has one of the names, or its id or version is one; all have if none is asked for."""
    own = [str(item[key]).lower() for key in ("name", "id", "version") if key in item]
    return not options.names or any(
        fnmatch.fnmatchcase(name, pattern.lower()) for name in own for pattern in options.names
    )
