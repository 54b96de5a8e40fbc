"""``esximage component``: make a component of loose VIBs, and write it as a depot of its own.

It has verbs of its own, so far one: ``create``. What it writes opens beside a base image's depot, and
imports where components do.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Self, final

import attrs

from esximage_builder.cli.output import EXIT_DONE, print_json, print_text
from esximage_builder.cli.paths import input_paths
from esximage_builder.depot.opening import open_depot
from esximage_builder.errors import ModelError
from esximage_builder.export.component_zip import export_components
from esximage_builder.models.vib import SoftwarePlatform
from esximage_builder.rules.loose_vibs import component_from_bulletin, component_from_vibs
from esximage_builder.views.component import made_component_as_dict, render_made_component

if TYPE_CHECKING:
    from esximage_builder.models.catalog import Catalog
    from esximage_builder.models.component import Component

__all__ = ["Options", "add_arguments", "run"]

_CREATE = "create"


@final
@attrs.frozen(kw_only=True)
class Options:
    """What to make of which files, and where to write it."""

    action: str
    files: tuple[str, ...]
    out: str
    force: bool
    name: str | None
    version: str | None
    vendor: str | None
    platforms: tuple[str, ...]
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
            platforms=tuple(namespace.platform),
            as_json=namespace.json,
        )


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what the verb takes."""
    actions = parser.add_subparsers(dest="action", required=True)
    create = actions.add_parser(_CREATE, help="make a component of VIBs and write it", allow_abbrev=False)
    create.add_argument("files", nargs="+", metavar="VIB", help=".vib files, or bundles of the time before components")
    create.add_argument("--out", required=True, metavar="OUT", help="the offline bundle to write")
    create.add_argument("--force", action="store_true", help="replace a file that is there, but none that is read")
    create.add_argument("--name", metavar="NAME", help="name of the component; that of its VIB otherwise")
    create.add_argument("--version", metavar="VERSION", help="its version; made of the VIB's otherwise")
    create.add_argument("--vendor", metavar="VENDOR", help="its vendor; the VIB's otherwise")
    create.add_argument(
        "--platform",
        action="append",
        default=[],
        metavar="VERSION",
        help="release it is for, such as 8.0 or 7.*; what the VIB says otherwise",
    )
    create.add_argument("--json", action="store_true", default=argparse.SUPPRESS, help="print one JSON object")


def run(options: Options) -> int:
    """Write the component and say what it is."""
    _require_new_file(options)
    with open_depot(*options.files) as depot:
        component = _component(options, depot.catalog)
        path = export_components([component], depot.catalog.vibs, depot, options.out, overwrite=options.force)
        vibs = [vib for vib_id in component.vib_ids for vib in depot.catalog.vibs_by_id[vib_id]]
    if options.as_json:
        print_json(made_component_as_dict(component, vibs, path))
    else:
        print_text(render_made_component(component, vibs, path))
    return EXIT_DONE


def _require_new_file(options: Options) -> None:
    """Refuse to write over what is read, by whatever spelling."""
    target = Path(options.out)
    for file in options.files:
        if target.exists() and Path(file).exists() and target.samefile(file):
            raise ModelError("--out names a file that is read", found=options.out, expected="another file")


def _component(options: Options, catalog: Catalog) -> Component:
    """Return the one component of all that the files hold."""
    platforms = [SoftwarePlatform(version=version) for version in options.platforms] or None
    bulletins = catalog.bulletins
    if catalog.components:
        raise _has_components(catalog)
    if len(bulletins) == 1 and set(bulletins[0].vib_ids) == set(catalog.vibs_by_id):
        return component_from_bulletin(
            bulletins[0],
            catalog.vibs,
            name=options.name,
            version=options.version,
            vendor=options.vendor,
            platforms=platforms,
        )
    return component_from_vibs(
        catalog.vibs, name=options.name, version=options.version, vendor=options.vendor, platforms=platforms
    )


def _has_components(catalog: Catalog) -> ModelError:
    return ModelError(
        "the files hold components already",
        found=", ".join(component.id for component in catalog.components[:5]),
        expected="loose VIBs, or bundles of the time before components",
        hint="open them with --depot, and name the component with --component",
    )
