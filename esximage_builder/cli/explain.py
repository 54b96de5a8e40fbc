"""``esximage explain``: say why an image is as it is, by findings or by name, and what a code stands for."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Self, final

import attrs

from esximage_builder.cli.image_options import ImageOptions, add_image_arguments, image_of
from esximage_builder.cli.output import EXIT_DONE, print_json, print_text
from esximage_builder.codes import CODES, code_of
from esximage_builder.depot.opening import open_depot
from esximage_builder.errors import ModelError
from esximage_builder.models.near_names import did_you_mean, near_names
from esximage_builder.rules.explain import (
    explain_acceptance,
    explain_findings,
    explain_name,
    rule_set_of,
)
from esximage_builder.rules.validate import validate
from esximage_builder.views.codes import code_as_dict, render_codes
from esximage_builder.views.findings import explanation_as_dict, render_explanations

if TYPE_CHECKING:
    from esximage_builder.codes import Code
    from esximage_builder.models.image import Image
    from esximage_builder.rules.explain import Explanation, RuleSet

__all__ = ["Options", "add_arguments", "run"]

_NAMES_FOLLOW = "check the path; what follows --depot are depots, up to the next option or --: --depot PATH -- NAME"


@final
@attrs.frozen(kw_only=True)
class Options:
    """The image, if one is meant, and what is asked for: names in it, or codes."""

    image: ImageOptions | None
    names: tuple[str, ...]
    as_json: bool

    @classmethod
    def from_namespace(cls, namespace: argparse.Namespace) -> Self:
        """Take them over from the parser; names alone are codes, of which no image is needed."""
        starts = (namespace.depot, namespace.spec, namespace.base, namespace.profile, namespace.locked)
        wishes = (namespace.add_on, namespace.component, namespace.remove)
        others = (namespace.name, namespace.prefer, namespace.minimum_acceptance)
        is_image = any((*starts, *wishes, *others)) or not namespace.names
        image = ImageOptions.from_namespace(namespace) if is_image else None
        return cls(image=image, names=tuple(namespace.names), as_json=namespace.json)


@final
@attrs.frozen(kw_only=True)
class _Answer:
    rules: RuleSet | None = None
    acceptance: Explanation | None = None
    explanations: tuple[Explanation, ...] = ()
    names: dict[str, tuple[str, ...]] = attrs.Factory(dict)
    near: dict[str, str] = attrs.Factory(dict)
    codes: tuple[Code, ...] = ()

    def as_dict(self) -> dict[str, object]:
        """Return it as JSON has it."""
        return {
            "rules": None if self.rules is None else self.rules.value,
            "acceptance": None if self.acceptance is None else explanation_as_dict(self.acceptance),
            "explanations": [explanation_as_dict(explanation) for explanation in self.explanations],
            "names": {name: list(known) for name, known in self.names.items()},
            "codes": [code_as_dict(code) for code in self.codes],
        }


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what the verb takes."""
    add_image_arguments(parser, is_required=False)
    parser.add_argument(
        "names",
        nargs="*",
        metavar="NAME",
        help="components or VIBs of an image, or codes of findings, to explain; none explains an image's findings",
    )


def run(options: Options) -> int:
    """Print why the image is as it is, or what codes stand for; ends with 0 whatever it says."""
    answer = _answer_about_codes(options) if options.image is None else _answer(options, options.image)
    if options.as_json:
        print_json(answer.as_dict())
    elif options.names:
        _print_names(answer)
    else:
        _print_causes(answer)
    return EXIT_DONE


def _answer_about_codes(options: Options) -> _Answer:
    return _Answer(codes=tuple(_code_alone(name) for name in options.names))


def _code_alone(name: str) -> Code:
    """Return the code of that name.

    Raises:
        ModelError: There is none; the name may be one in an image, which was not given.
    """
    if name not in CODES:
        near = did_you_mean(near_names(name, CODES))
        raise ModelError(
            f"{name} is no code of a finding",
            found=repr(name)[:80],
            expected="a code, or an image that the name is in",
            hint=near or "name the image that it is in with --depot and --base, --spec, --profile or --locked",
        )
    return code_of(name)


def _answer(options: Options, image_options: ImageOptions) -> _Answer:
    with open_depot(*image_options.sources(hint=_NAMES_FOLLOW)) as depot:
        image = image_of(image_options, depot)
        report = validate(
            image,
            depot.catalog,
            minimum_acceptance=image_options.minimum_acceptance,
            vib_facts=depot.facts_of(image.all_vibs),
        )
        explanations = explain_findings(report.findings, catalog=depot.catalog, image=image)
    names = {name: explain_name(image, name) for name in options.names}
    codes = [name for name, known in names.items() if not known and name in CODES]
    return _Answer(
        rules=rule_set_of(image),
        acceptance=explain_acceptance(image),
        explanations=explanations,
        names={name: known for name, known in names.items() if name not in codes},
        near={name: _near(image, name) for name, known in names.items() if not known},
        codes=tuple(map(code_of, codes)),
    )


def _near(image: Image, name: str) -> str:
    components = {entry.component.name for entry in image.components} | {entry.name for entry in image.removed}
    return did_you_mean(near_names(name, {*components, *(vib.name for vib in image.all_vibs), *CODES}))


def _print_names(answer: _Answer) -> None:
    for name, known in answer.names.items():
        nothing = f"The image knows nothing named {name}: {answer.near[name]}" if answer.near.get(name) else ""
        print_text("\n".join(known or [nothing or f"The image knows nothing named {name}."]) + "\n")
    if answer.codes:
        print_text(render_codes(answer.codes))


def _print_causes(answer: _Answer) -> None:
    level = [] if answer.acceptance is None else [answer.acceptance]
    if answer.rules is not None:
        print_text(f"rules: {answer.rules.description}\n")
    print_text(render_explanations([*answer.explanations, *level]))
