"""What is to say of the spec that an image was composed from, and of what was left open in it.

Rules (docs/findings.md):

* A key that no release of vLCM is known to have is kept and told of.
* What became of a release unit whose version was left open is never silent.
* Alternative images are composed with ``compose_all`` or told of.
* What a spec wants of a solution has to be one of the solution's components.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from esximage_builder.codes import make_finding
from esximage_builder.models.spec_keys import known_keys, nearest_key, pointer_of
from esximage_builder.rules.wishes import why_passed_over

if TYPE_CHECKING:
    from collections.abc import Iterator

    from esximage_builder.findings import Finding
    from esximage_builder.models.image import Image, UnitChoice

__all__ = ["check_spec"]


def check_spec(image: Image) -> Iterator[Finding]:
    """Yield what there is to say of the image's spec; nothing for an image without one."""
    yield from _check_keys(image)
    yield from _check_alternatives(image)
    for choice in image.unit_choices:
        yield _taken(choice) if choice.version else _left_open(choice)
    yield from _check_solution_components(image)


def _check_keys(image: Image) -> Iterator[Finding]:
    for path in () if image.spec is None else image.spec.unknown_keys:
        place, near = pointer_of(path), nearest_key(path[-1], known_keys(path[:-1]) or ())
        yield make_finding(
            "spec-key-unknown",
            f"vLCM knows no key {path[-1]} at this place of a spec: {place}",
            items=(place,),
            facts={"key": path[-1], "place": place, "near": near},
            cause="it is none of the keys of vLCM's releases to 9.x; it is kept, and nothing follows from it",
            remedy=f"did you mean {near}?" if near else "take it out, unless another program needs it",
        )


def _check_alternatives(image: Image) -> Iterator[Finding]:
    if image.uncomposed_alternatives:
        names = ", ".join(image.uncomposed_alternatives)
        yield make_finding(
            "alternative-images-not-composed",
            f"the spec has alternative images, which are not in this one: {names}",
            items=image.uncomposed_alternatives,
            cause="this is the spec's main image; some hosts of the cluster get one of the others",
            remedy="compose_all composes each of them",
        )


def _taken(choice: UnitChoice) -> Finding:
    higher = [f"{passed.version} does not fit: {why_passed_over(passed)}" for passed in choice.passed_over]
    several = "; ".join([f"loaded are {', '.join(choice.loaded)}; taken is the highest that fits", *higher])
    return make_finding(
        "unit-version-taken",
        f"the {choice.source.display} {choice.name} was asked for without version: {choice.version} is taken",
        items=(f"{choice.name}:{choice.version}",),
        facts={"source": choice.source.value, "name": choice.name, "version": choice.version},
        cause="no other version is loaded" if len(choice.loaded) == 1 else several,
        remedy="name the version, so that other depots do not change the image",
    )


def _left_open(choice: UnitChoice) -> Finding:
    return make_finding(
        "unit-version-open",
        f"the {choice.source.display} {choice.name} was asked for without version, and none is loaded",
        items=(choice.name,),
        facts={"source": choice.source.value, "name": choice.name},
        cause="no loaded depot has a version of it",
        remedy="open the depot that holds it beside the others",
    )


def _check_solution_components(image: Image) -> Iterator[Finding]:
    solutions = {solution.name: solution for solution in image.solutions}
    for reference in () if image.spec is None else image.spec.solutions:
        solution = solutions.get(reference.name)
        if solution is None:
            continue
        listed = {part.name for part in solution.components}
        for name in sorted(set(reference.components) - listed):
            yield make_finding(
                "solution-component-unlisted",
                f"the spec wants {name} of the solution {solution.id}, which has no such component",
                items=(name, solution.id),
                facts={"component": name, "solution": solution.id},
                cause=f"the solution's components are {', '.join(sorted(listed)) or 'none'}",
                remedy="check the spelling of the name, or take it out of the solution's components",
            )
