"""``esximage extract``: make the image that a host has, and write the spec that composes it."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Self, final

import attrs

from esximage_builder.cli.output import EXIT_DONE, EXIT_IMAGE_HAS_ERRORS, print_json, print_text
from esximage_builder.cli.paths import input_path, input_paths
from esximage_builder.cli.targets import require_safe_outputs
from esximage_builder.depot.documents import write_software_spec
from esximage_builder.depot.host_files import read_host
from esximage_builder.depot.opening import open_depot
from esximage_builder.hosts.extract import image_of_host
from esximage_builder.views.extraction import extraction_as_dict, render_extraction

__all__ = ["Options", "add_arguments", "run"]


@final
@attrs.frozen(kw_only=True)
class Options:
    """The depots, the files of the host, and where its spec goes."""

    depots: tuple[str, ...]
    host: tuple[str, ...]
    spec: str | None
    name: str
    force: bool
    as_json: bool

    @classmethod
    def from_namespace(cls, namespace: argparse.Namespace) -> Self:
        """Take them over from the parser."""
        return cls(
            depots=input_paths(namespace.depot),
            host=tuple(map(input_path, namespace.host)),
            spec=namespace.spec,
            name=namespace.name,
            force=namespace.force,
            as_json=namespace.json,
        )


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what the verb takes."""
    parser.add_argument(
        "--depot",
        nargs="+",
        action="extend",
        default=[],
        required=True,
        metavar="PATH",
        help="depots with all that the host has, up to the next option or --",
    )
    parser.add_argument(
        "--host",
        nargs="+",
        action="extend",
        default=[],
        required=True,
        metavar="FILE",
        help="all files, or the folder, of one host, as for check",
    )
    parser.add_argument("--spec", metavar="OUT", help="write the spec that composes the image, in vLCM's JSON form")
    parser.add_argument("--name", default="", help="name of the image")
    parser.add_argument("--force", action="store_true", help="replace a spec that is there")


def run(options: Options) -> int:
    """Print what the host's image is made of; one that cannot be made, or has no spec to write, ends with 1."""
    if options.spec is not None:
        inputs = (*options.depots, *options.host)
        require_safe_outputs({"--spec": options.spec}, inputs, overwrite=options.force)
    host = read_host(*options.host)
    with open_depot(*options.depots) as depot:
        found = image_of_host(host, depot.catalog, name=options.name)
    written = None
    if options.spec is not None and found.spec is not None:
        write_software_spec(found.spec, options.spec, overwrite=options.force)
        written = Path(options.spec)
    if options.as_json:
        print_json(extraction_as_dict(found, written=written))
    else:
        print_text(render_extraction(found, written=written))
    is_done = found.image is not None and (options.spec is None or written is not None)
    return EXIT_DONE if is_done else EXIT_IMAGE_HAS_ERRORS
