"""``esximage init``: write a project file, by what was typed and by what the depots hold.

What is not typed is asked for on a terminal, and taken elsewhere if there is one choice only. The image is composed
before anything is written, so that the first ``esximage build`` has what it needs.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Self, final

import attrs

from esximage_builder.cli.output import EXIT_DONE, print_json, print_text
from esximage_builder.cli.paths import input_paths
from esximage_builder.depot.opening import open_depot
from esximage_builder.documents.project_file import KEYS, PROJECT_NAME, Project, Setting, render_project
from esximage_builder.errors import ModelError
from esximage_builder.limits import ReadLimits
from esximage_builder.models.image import Image
from esximage_builder.rules.compose import compose
from esximage_builder.streams.identity import input_files
from esximage_builder.streams.target import prepare_target
from esximage_builder.streams.whole_file import write_file

if TYPE_CHECKING:
    from collections.abc import Sequence

    from esximage_builder.models.catalog import Catalog

__all__ = ["Options", "add_arguments", "run"]

_NO_ADD_ON = "no add-on"
_ISO = "custom.iso"


@final
@attrs.frozen(kw_only=True)
class Options:
    """What goes into the project file."""

    depots: tuple[str, ...]
    base: str
    add_on: str
    components: tuple[str, ...]
    removals: tuple[str, ...]
    outputs: tuple[tuple[str, str], ...]
    out: str
    force: bool
    as_json: bool

    @classmethod
    def from_namespace(cls, namespace: argparse.Namespace) -> Self:
        """Take them over from the parser."""
        outputs = {"iso": namespace.iso, "usb": namespace.usb, "bundle": namespace.bundle}
        return cls(
            depots=tuple(namespace.depot),
            base=namespace.base,
            add_on=namespace.add_on,
            components=tuple(namespace.component),
            removals=tuple(namespace.remove),
            outputs=tuple((name, path) for name, path in outputs.items() if path),
            out=namespace.out,
            force=namespace.force,
            as_json=namespace.json,
        )


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what the verb takes."""
    parser.add_argument(
        "--depot", nargs="+", action="extend", required=True, metavar="PATH", help="depots to open; may be patterns"
    )
    parser.add_argument("--base", default="", metavar="VERSION", help="version or release name of the base image")
    parser.add_argument("--add-on", default="", metavar="NAME[:VERSION]", help="vendor add-on")
    parser.add_argument("--component", action="append", default=[], metavar="NAME[:VERSION]", help="component to add")
    parser.add_argument("--remove", action="append", default=[], metavar="NAME", help="component to remove")
    parser.add_argument("--iso", default="", metavar="OUT", help=f"bootable ISO; {_ISO} if no output is named")
    parser.add_argument("--usb", default="", metavar="OUT", help="bootable image for USB sticks")
    parser.add_argument("--bundle", default="", metavar="OUT", help="offline bundle")
    parser.add_argument("--out", default=PROJECT_NAME, metavar="OUT", help=f"the file to write, {PROJECT_NAME}")
    parser.add_argument("--force", action="store_true", help="replace a project file that is there")


def run(options: Options) -> int:
    """Write the project file and say what is in it."""
    sources = input_paths(options.depots)
    known = input_files(map(Path, sources), most=ReadLimits().member_count)
    place = prepare_target(options.out, kind=None, inputs=known, overwrite=options.force)
    with open_depot(*sources) as depot:
        settled = _settled(options, depot.catalog)
        image = _image_of(settled, depot.catalog)
    text = render_project(_project_of(settled))
    write_file(place, text.encode())
    if options.as_json:
        print_json({"path": options.out, "image": image.name, "digest": image.digest, "text": text})
    else:
        print_text(f"{options.out}: {image.name}\n\n{text}\nNow `esximage build` in that folder does it all.\n")
    return EXIT_DONE


def _settled(options: Options, catalog: Catalog) -> Options:
    """Return the options with all that was left open."""
    base = options.base or _chosen("base image", [unit.version.text for unit in catalog.base_images], "--base")
    add_on = options.add_on
    names = [f"{unit.name}:{unit.version.text}" for unit in catalog.add_ons]
    if not add_on and names and _is_asked():
        add_on = _chosen("add-on", [_NO_ADD_ON, *names], "--add-on").removeprefix(_NO_ADD_ON)
    return attrs.evolve(options, base=base, add_on=add_on, outputs=options.outputs or (("iso", _ISO),))


def _chosen(what: str, choices: Sequence[str], option: str) -> str:
    """Return the only choice, or the one that is typed.

    Raises:
        ModelError: There is none, or nobody to ask.
    """
    if len(choices) == 1:
        return choices[0]
    if not choices or not _is_asked():
        found = ", ".join(choices) or "none"
        raise ModelError(f"which {what} is meant was not said", found=found, expected=f"{option} with one of them")
    for number, choice in enumerate(choices, start=1):
        print_text(f"{number:3d}  {choice}\n")
    while True:
        typed = input(f"{what} [1-{len(choices)}]: ").strip()
        if typed.isascii() and typed.isdecimal() and 1 <= int(typed) <= len(choices):
            return choices[int(typed) - 1]


def _is_asked() -> bool:
    return sys.stdin is not None and sys.stdin.isatty()


def _image_of(options: Options, catalog: Catalog) -> Image:
    return compose(
        catalog,
        base_image=options.base,
        add_on=options.add_on or None,
        components=options.components,
        removed_components=options.removals,
    )


def _project_of(options: Options) -> Project:
    values: dict[tuple[str, str], str | tuple[str, ...]] = {
        ("", "depots"): options.depots,
        ("image", "base"): options.base,
        ("image", "add-on"): options.add_on,
        ("image", "components"): options.components,
        ("image", "remove"): options.removals,
        **{("outputs", name): path for name, path in options.outputs},
    }
    given = ((key, values.get((key.table, key.name))) for key in KEYS)
    return Project(Setting(key, value) for key, value in given if value)
