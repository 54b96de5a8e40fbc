"""``esximage explain``: say why an image is as it is, by findings or by name."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Self, final

import attrs

from esximage_builder.cli.image_options import ImageOptions, add_image_arguments, image_of
from esximage_builder.cli.output import EXIT_DONE, print_json, print_text
from esximage_builder.depot.opening import open_depot
from esximage_builder.rules.explain import (
    explain_acceptance,
    explain_findings,
    explain_name,
    rule_set_of,
)
from esximage_builder.rules.validate import validate
from esximage_builder.views.findings import explanation_as_dict, render_explanations

if TYPE_CHECKING:
    from esximage_builder.models.image import Image
    from esximage_builder.rules.explain import Explanation, RuleSet

__all__ = ["Options", "add_arguments", "run"]


@final
@attrs.frozen(kw_only=True)
class Options:
    """The image, and the names in it that are asked for."""

    image: ImageOptions
    names: tuple[str, ...]
    as_json: bool

    @classmethod
    def from_namespace(cls, namespace: argparse.Namespace) -> Self:
        """Take them over from the parser."""
        return cls(image=ImageOptions.from_namespace(namespace), names=tuple(namespace.names), as_json=namespace.json)


@final
@attrs.frozen(kw_only=True)
class _Answer:
    rules: RuleSet
    acceptance: Explanation | None
    explanations: tuple[Explanation, ...]
    names: dict[str, tuple[str, ...]]

    def as_dict(self) -> dict[str, object]:
        """Return it as JSON has it."""
        return {
            "rules": self.rules.value,
            "acceptance": None if self.acceptance is None else explanation_as_dict(self.acceptance),
            "explanations": [explanation_as_dict(explanation) for explanation in self.explanations],
            "names": {name: list(known) for name, known in self.names.items()},
        }


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what the verb takes."""
    add_image_arguments(parser)
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help="components or VIBs to explain; none explains findings"
    )


def run(options: Options) -> int:
    """Print why the image is as it is; ends with 0 whatever it says."""
    answer = _answer(options)
    if options.as_json:
        print_json(answer.as_dict())
    elif options.names:
        _print_names(answer)
    else:
        _print_causes(answer)
    return EXIT_DONE


def _answer(options: Options) -> _Answer:
    with open_depot(*options.image.depots) as depot:
        image = image_of(options.image, depot)
        report = validate(image, depot.catalog, minimum_acceptance=options.image.minimum_acceptance)
        explanations = explain_findings(report.findings, catalog=depot.catalog, image=image)
    return _Answer(
        rules=rule_set_of(image),
        acceptance=explain_acceptance(image),
        explanations=explanations,
        names=_sentences(image, options.names),
    )


def _sentences(image: Image, names: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
    return {name: explain_name(image, name) for name in names}


def _print_names(answer: _Answer) -> None:
    for name, known in answer.names.items():
        print_text("\n".join(known or [f"The image knows nothing named {name}."]) + "\n")


def _print_causes(answer: _Answer) -> None:
    level = [] if answer.acceptance is None else [answer.acceptance]
    print_text(f"rules: {answer.rules.description}\n")
    print_text(render_explanations([*answer.explanations, *level]))
