"""``esximage lock``: pin down what an image is made of, so that it can be built again exactly."""

from __future__ import annotations

import argparse
from typing import Self, final

import attrs

from esximage_builder.cli.image_options import ImageOptions, add_image_arguments, image_of
from esximage_builder.cli.output import EXIT_DONE, EXIT_IMAGE_HAS_ERRORS, print_json, print_note, print_text
from esximage_builder.cli.paths import input_path
from esximage_builder.cli.targets import require_safe_outputs
from esximage_builder.cli.trust import add_trust, anchors_of
from esximage_builder.depot.opening import open_depot
from esximage_builder.export.outputs import export_image
from esximage_builder.rules.lock import require_lockable
from esximage_builder.rules.validate import validate
from esximage_builder.views.report import render_text_report, report_as_dict
from esximage_builder.waivers import require_waivable

__all__ = ["Options", "add_arguments", "run"]


@final
@attrs.frozen(kw_only=True)
class Options:
    """The image, and where its lock goes."""

    image: ImageOptions
    out: str
    force: bool
    allow: tuple[str, ...]
    as_json: bool
    trust: str = ""

    @classmethod
    def from_namespace(cls, namespace: argparse.Namespace) -> Self:
        """Take them over from the parser."""
        return cls(
            image=ImageOptions.from_namespace(namespace),
            out=namespace.out,
            force=namespace.force,
            allow=tuple(namespace.allow),
            as_json=namespace.json,
            trust=namespace.trust,
        )

    @property
    def inputs(self) -> tuple[str, ...]:
        """The paths to read, outputs excepted."""
        trusted = (input_path(self.trust),) if self.trust else ()
        return (*self.image.inputs, *trusted)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what the verb takes."""
    add_image_arguments(parser)
    parser.add_argument("--out", required=True, metavar="OUT", help="the lock file to write; the project file names it")
    parser.add_argument("--force", action="store_true", help="replace a lock file that is there")
    parser.add_argument("--allow", action="append", default=[], metavar="CODE", help="waive errors of this code")
    add_trust(parser)


def run(options: Options) -> int:
    """Write the lock and print the report; an image with errors is not locked."""
    require_waivable(options.allow)
    require_safe_outputs({"--lock": options.out}, options.inputs, overwrite=options.force)
    with open_depot(*options.image.sources()) as depot:
        image = image_of(options.image, depot)
        require_lockable(image)
        facts = depot.facts_of(image.all_vibs, anchors=anchors_of(options.trust))
        minimum = options.image.minimum_acceptance
        report = validate(image, depot.catalog, minimum_acceptance=minimum, vib_facts=facts)
        is_sound = not report.errors_except(options.allow)
        results = []
        if is_sound:
            results = export_image(
                image, depot, lock=options.out, report=report, allow=options.allow, overwrite=options.force
            )
    if options.as_json:
        print_json(report_as_dict(image, report, allow=options.allow, results=results, catalog=depot.catalog))
    else:
        print_text(render_text_report(image, report, allow=options.allow, results=results, catalog=depot.catalog))
        if not is_sound:
            print_note("nothing written: the image has errors")
    return EXIT_DONE if is_sound else EXIT_IMAGE_HAS_ERRORS
