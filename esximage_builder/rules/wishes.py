"""What was asked for by name, and came to something else than was meant.

A version that is left open takes the highest loaded one that fits, and a removal matches a name
letter by letter; both may surprise, so both are told.
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

__all__ = ["check_left_open", "near_component"]


def check_left_open(image: Image, catalog: Catalog | None) -> Iterator[Finding]:
    """Name the loaded versions that another one was preferred to, since none was asked for by its number."""
    for entry in image.components:
        if entry.source is ComponentSource.USER and entry.rule is Rule.HIGHEST_AVAILABLE and catalog is not None:
            yield from _not_taken(entry, catalog)


def _not_taken(entry: EffectiveComponent, catalog: Catalog) -> Iterator[Finding]:
    name, taken = entry.component.name, entry.component.version
    told = {taken.text, *(lost.component.version.text for lost in entry.overridden)}
    for version in (other.version for other in catalog.components_by_name.get(name, ())):
        if version.text in told:
            continue
        why = "is higher" if version < taken else "fits, as the higher one does not"
        yield make_finding(
            "loaded-version-not-taken",
            f"loaded {name} {version} was not taken",
            items=(f"{name}:{version}", entry.component.id),
            facts={"component": name, "taken": taken.text},
            cause=f"no version was asked for, and {taken} {why}",
            remedy=f"ask for {name}:{version} if that is the one",
        )


def near_component(image: Image, typed: str) -> str:
    """Return the question after components of the image with a near name, each with its version; empty without one."""
    versions = {entry.component.name: (entry.component.version.text,) for entry in image.components}
    return did_you_mean(near_names(typed, versions), versions)
