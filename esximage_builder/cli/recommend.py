"""``esximage recommend``: say what to move to next."""

from __future__ import annotations

import argparse
from typing import Self, final

import attrs

from esximage_builder.cli.image_options import ImageOptions, add_image_arguments, catalog_of, spec_of
from esximage_builder.cli.output import EXIT_DONE, print_json, print_text
from esximage_builder.depot.opening import open_depot
from esximage_builder.rules.recommend import recommend
from esximage_builder.views.recommendation import recommendation_as_dict, render_recommendation

__all__ = ["Options", "add_arguments", "run"]


@final
@attrs.frozen(kw_only=True)
class Options:
    """The image to move on from."""

    image: ImageOptions
    allow: tuple[str, ...]
    as_json: bool

    @classmethod
    def from_namespace(cls, namespace: argparse.Namespace) -> Self:
        """Take them over from the parser."""
        image = ImageOptions.from_namespace(namespace)
        return cls(image=image, allow=tuple(namespace.allow), as_json=namespace.json)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what the verb takes."""
    add_image_arguments(parser, with_profile=False)
    parser.add_argument(
        "--allow", action="append", default=[], metavar="CODE", help="take images with errors of this code, too"
    )


def run(options: Options) -> int:
    """Print the suggestions, and why other candidates were passed over."""
    with open_depot(*options.image.sources()) as depot:
        catalog, spec = catalog_of(options.image, depot), spec_of(options.image, depot)
        recommendation = recommend(catalog, spec, allow=options.allow)
    if options.as_json:
        print_json(recommendation_as_dict(recommendation))
    else:
        print_text(render_recommendation(recommendation))
    return EXIT_DONE
