"""What was asked for by name, and came to something else than was meant.

A version that is left open takes the highest loaded one that fits, and a removal matches a name
letter by letter; both may surprise, so both are told. Wishes that exclude each other are one finding,
however many versions were tried.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from esximage_builder.codes import make_finding
from esximage_builder.models.image import Rule
from esximage_builder.models.near_names import did_you_mean, near_names
from esximage_builder.vocabulary import ComponentSource

if TYPE_CHECKING:
    from collections.abc import Iterator

    from esximage_builder.findings import Finding
    from esximage_builder.models.catalog import Catalog
    from esximage_builder.models.image import EffectiveComponent, Image
    from esximage_builder.models.open_choice import Exclusion, HigherVersion, Wish

__all__ = ["check_left_open", "near_component", "why_passed_over"]


def check_left_open(image: Image, catalog: Catalog | None) -> Iterator[Finding]:
    """Name the loaded versions that another one was preferred to, and the wishes that leave none that fits."""
    exclusions = [exclusion for exclusion in image.exclusions if exclusion.is_choice]
    if exclusions:
        yield _no_version_fits(image, exclusions)
    if not image.is_searched:
        yield _unsettled(image)
    for entry in image.components:
        if entry.source is ComponentSource.USER and entry.rule is Rule.HIGHEST_AVAILABLE and catalog is not None:
            yield from _not_taken(entry, catalog)


def _not_taken(entry: EffectiveComponent, catalog: Catalog) -> Iterator[Finding]:
    name, taken = entry.component.name, entry.component.version
    told = {taken.text, *(lost.component.version.text for lost in entry.overridden)}
    passed = {higher.version: higher for higher in entry.passed_over}
    for version in (other.version for other in catalog.components_by_name.get(name, ())):
        if version.text in told:
            continue
        higher = passed.get(version.text)
        why = f"{taken} is higher" if higher is None else f"{taken} fits, as this one does not"
        yield make_finding(
            "loaded-version-not-taken",
            f"loaded {name} {version} was not taken",
            items=(f"{name}:{version}", entry.component.id),
            facts={"component": name, "taken": taken.text},
            cause=f"no version was asked for, and {why}" + ("" if higher is None else f": {why_passed_over(higher)}"),
            remedy=f"ask for {name}:{version} if that is the one",
        )


def why_passed_over(passed: HigherVersion) -> str:
    """Return in a clause why a version was passed over: the first thing wrong with it, and what it lies with."""
    first, *more = passed.findings
    many = f" (and {len(more)} more)" if more else ""
    beside = f", beside {', '.join(passed.beside)}" if passed.beside else ""
    return f"{first.message}{many}{beside}"


def _no_version_fits(image: Image, exclusions: list[Exclusion]) -> Finding:
    names = sorted({name for exclusion in exclusions for name in exclusion.open_names})
    wishes = list(dict.fromkeys(wish for exclusion in exclusions for wish in exclusion.wishes))
    return make_finding(
        "no-version-fits",
        f"no loaded version of {', '.join(names)} fits",
        items=tuple(dict.fromkeys(str(wish) for wish in wishes)),
        facts={"names": ", ".join(names), "wishes": ", ".join(map(str, wishes))},
        cause="; ".join(_why_excluded(exclusion, image) for exclusion in exclusions),
        remedy="take back one of these wishes, name another version in it, or open a depot with more versions",
    )


def _why_excluded(exclusion: Exclusion, image: Image) -> str:
    wishes = ", ".join(_wish_text(wish) for wish in exclusion.wishes)
    base = "" if image.base_image is None else f" the base image {image.base_image.version}"
    how = f"{wishes} exclude each other" if len(exclusion.wishes) > 1 else f"{wishes} does not go with{base}"
    reasons = [finding.message for finding in exclusion.findings]
    more = f" (and {len(reasons) - _SHOWN_REASONS} more)" if len(reasons) > _SHOWN_REASONS else ""
    return f"{how}: {', '.join(reasons[:_SHOWN_REASONS])}{more}"


def _wish_text(wish: Wish) -> str:
    if wish.source is ComponentSource.USER_REMOVED:
        return f"the removal of {wish.name}"
    return f"{wish.name} {wish.version}" if wish.version else f"{wish.name} in any version"


_SHOWN_REASONS = 3


def _unsettled(image: Image) -> Finding:
    return make_finding(
        "open-versions-unsettled",
        "the versions left open were not settled: the search took too many steps",
        items=(image.name,),
        cause="many names have no version, and many of their versions do not go together",
        remedy="name some of the versions, or give compose larger SearchLimits",
    )


def near_component(image: Image, typed: str) -> str:
    """Return the question after components of the image with a near name, each with its version; empty without one."""
    versions = {entry.component.name: (entry.component.version.text,) for entry in image.components}
    return did_you_mean(near_names(typed, versions), versions)
