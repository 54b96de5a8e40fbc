"""``esximage diff``: say what differs between two images, each from a bundle or a spec, and what is found on each.

``--vib`` brings VIBs without component, made components that the specs can name; one that neither
spec names is refused, since it would change nothing.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Self, final

import attrs

from esximage_builder.cli.output import EXIT_DONE, print_json, print_text
from esximage_builder.cli.paths import input_path, input_paths
from esximage_builder.cli.wanted_vibs import is_file, wanted_components
from esximage_builder.depot.documents import read_software_spec
from esximage_builder.depot.host_files import read_devices
from esximage_builder.depot.opening import open_depot
from esximage_builder.depot.sniff import FileKind, sniff
from esximage_builder.errors import ModelError
from esximage_builder.models.catalog import Catalog
from esximage_builder.rules.compose import compose
from esximage_builder.rules.decompose import recognise
from esximage_builder.rules.diff import diff
from esximage_builder.rules.validate import validate
from esximage_builder.views.comparison import comparison_as_dict, render_comparison, render_markdown_comparison

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from esximage_builder.findings import Finding
    from esximage_builder.models.component import Component
    from esximage_builder.models.image import Image
    from esximage_builder.models.spec import SoftwareSpec

__all__ = ["Options", "add_arguments", "run"]


@final
@attrs.frozen(kw_only=True)
class Options:
    """The two images, and the depots and loose VIBs that specs are composed from."""

    before: str
    after: str
    depots: tuple[str, ...]
    vibs: tuple[str, ...]
    devices: str | None
    as_json: bool
    as_markdown: bool = False

    @classmethod
    def from_namespace(cls, namespace: argparse.Namespace) -> Self:
        """Take them over from the parser."""
        return cls(
            before=input_path(namespace.before),
            after=input_path(namespace.after),
            depots=tuple(namespace.depot),
            vibs=tuple(str(Path(text)) if is_file(text) else text for text in namespace.vib),
            devices=None if namespace.devices is None else input_path(namespace.devices),
            as_json=namespace.json,
            as_markdown=namespace.markdown,
        )


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what the verb takes."""
    for which in ("before", "after"):
        parser.add_argument(which, metavar=which.upper(), help="a bundle with one image, or a software spec in JSON")
    parser.add_argument(
        "--depot", nargs="+", action="extend", default=[], metavar="PATH", help="depots for the specs, up to --"
    )
    parser.add_argument(
        "--vib",
        action="append",
        default=[],
        metavar="PATH|NAME[:VERSION]",
        help="a .vib file or a loaded VIB without component, made a component that the specs can name",
    )
    parser.add_argument(
        "--devices", metavar="FILE", help="a host's devices, as for hardware: those that lose their driver are named"
    )
    parser.add_argument("--markdown", action="store_true", help="print Markdown, for a comment on a change")


def run(options: Options) -> int:
    """Print what differs; ends with 0 whatever was found on the images."""
    specs = {path: read_software_spec(path) for path in (options.before, options.after) if _is_spec(path)}
    before, after = (_judged(options, path, specs) for path in (options.before, options.after))
    devices = () if options.devices is None else read_devices(options.devices)
    catalog = _together(before.catalog, after.catalog)
    difference = diff(before.image, after.image, catalog=catalog, devices=devices)
    if options.as_json:
        print_json(comparison_as_dict(difference, before=before.findings, after=after.findings))
    elif options.as_markdown:
        title = f"{before.image.name} → {after.image.name}"
        found = {"before": before.findings, "after": after.findings}
        print_text(render_markdown_comparison(difference, title=title, **found))
    else:
        print_text(render_comparison(difference, before=before.findings, after=after.findings))
    return EXIT_DONE


@final
@attrs.frozen
class _Judged:
    """An image, what was loaded for it, and what validation found on it."""

    image: Image
    catalog: Catalog
    findings: tuple[Finding, ...]


def _is_spec(path: str) -> bool:
    return sniff(path).kind is FileKind.JSON


def _judged(options: Options, path: str, specs: Mapping[str, SoftwareSpec]) -> _Judged:
    """Return the image of a bundle, or of a spec over the given depots."""
    if path in specs:
        return _of_spec(options, path, specs)
    _require_specs(options, specs)
    with open_depot(path) as depot:
        image = recognise(depot.catalog)
        return _Judged(image, depot.catalog, validate(image, depot.catalog).findings)


def _of_spec(options: Options, path: str, specs: Mapping[str, SoftwareSpec]) -> _Judged:
    if not options.depots:
        raise ModelError("a spec needs depots to be composed from", found=path, hint="name them with --depot")
    files = (text for text in options.vibs if is_file(text))
    with open_depot(*dict.fromkeys((*input_paths(options.depots), *files))) as depot:
        catalog = depot.catalog
        made = wanted_components(catalog, options.vibs)
        _require_named(made, specs.values())
        for component in made:
            catalog = catalog.with_component(component)
        image = compose(catalog, specs[path], prefer=[text for text in options.vibs if is_file(text)])
        return _Judged(image, catalog, validate(image, catalog).findings)


def _require_specs(options: Options, specs: Mapping[str, SoftwareSpec]) -> None:
    if options.vibs and not specs:
        raise ModelError(
            "--vib goes with specs, and both images are from bundles",
            found=", ".join(options.vibs),
            hint="build an image with it first: esximage build --vib",
        )


def _require_named(made: Iterable[Component], specs: Iterable[SoftwareSpec]) -> None:
    named = {name for spec in specs for name, _ in spec.components}
    for component in made:
        if component.name not in named:
            raise ModelError(
                f"neither spec names {component.name}, which --vib brings",
                found="--vib",
                expected=f'"{component.name}": "{component.version}" under the components of a spec',
                hint="write it into the spec that shall have it",
            )


def _together(one: Catalog, other: Catalog) -> Catalog:
    """Return what two catalogs know of components, bulletins and VIBs, each once."""
    return Catalog(
        components=sorted({*one.components, *other.components}, key=lambda part: (part.name, part.version, part.id)),
        bulletins=sorted({*one.bulletins, *other.bulletins}, key=lambda bulletin: bulletin.id),
        vibs=sorted({*one.vibs, *other.vibs}, key=lambda vib: (vib.id, vib.fingerprint)),
    )
