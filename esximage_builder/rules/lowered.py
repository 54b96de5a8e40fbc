"""What is lower in an image than what it took the place of: components, and the VIBs in them.

A component overrides by name, whatever the versions, and its version need not be that of its VIBs. So
a component may be lower than another one's, and a higher one may bring a lower VIB; both are told.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from esximage_builder.codes import make_finding
from esximage_builder.models.image import ReserveReason
from esximage_builder.rules.platforms import share_a_system
from esximage_builder.vocabulary import ComponentSource

if TYPE_CHECKING:
    from collections.abc import Iterator

    from esximage_builder.findings import Finding
    from esximage_builder.models.catalog import Catalog
    from esximage_builder.models.image import Image, InstalledVib, ReservedVib

__all__ = ["check_lowered", "check_pinned"]

_LOST = (ReserveReason.COMPONENT_OVERRIDDEN, ReserveReason.COMPONENT_REMOVED)
_WHY_RESERVED = {
    ReserveReason.LOWER_VERSION: "two components bring the VIB name, the highest version is installed",
    ReserveReason.SAME_VERSION: "two components bring the VIB name in one version, that of the higher source "
    "is installed",
    ReserveReason.REPLACED: "the installed VIB replaces it",
}


def check_lowered(image: Image, _: Catalog | None) -> Iterator[Finding]:
    """Yield a warning for each component that is lower than one that it overrides, and for each VIB so."""
    told: set[tuple[str, str]] = set()
    for entry in image.components:
        for lost in entry.overridden:
            if entry.component.version < lost.component.version:
                told.add((entry.component.id, str(lost.component)))
                source = "unknown source" if entry.source is None else entry.source.display
                yield make_finding(
                    "component-lowered",
                    f"{entry.component.id} from the {source} is lower than {lost.component} "
                    f"from the {lost.source.display}",
                    items=(entry.component.id, str(lost.component)),
                    facts={
                        "component": entry.component.id,
                        "source": "" if entry.source is None else entry.source.value,
                        "lowered": str(lost.component),
                    },
                    cause="a higher source overrides by name, whatever the version",
                    remedy="take a newer version, unless the lower one is wanted",
                )
    yield from _check_contents(image, told)


def _check_contents(image: Image, told: set[tuple[str, str]]) -> Iterator[Finding]:
    """Yield what is lower although no component is: ``told`` has the components that are."""
    lost = [entry for entry in image.reserved_vibs if entry.reason in _LOST]
    names = {entry.vib.name for entry in lost}
    installed: dict[str, list[InstalledVib]] = {}
    for holder in (entry for entry in image.vibs if entry.vib.name in names):
        installed.setdefault(holder.vib.name, []).append(holder)
    for entry in lost:
        for holder in installed.get(entry.vib.name, ()):
            is_lower = holder.vib.version < entry.vib.version and share_a_system(holder.vib, entry.vib)
            if is_lower and (holder.component, entry.component) not in told:
                yield _lower_vib(holder, entry)


def _lower_vib(holder: InstalledVib, entry: ReservedVib) -> Finding:
    what = "overridden" if entry.reason is ReserveReason.COMPONENT_OVERRIDDEN else "removed"
    return make_finding(
        "vib-lowered",
        f"{holder.vib.id} is lower than {entry.vib.id}, whose place it took",
        items=(holder.vib.id, entry.vib.id),
        facts={"vib": holder.vib.id, "lowered": entry.vib.id},
        cause=f"{holder.component} brings it, and {entry.component} is {what}: "
        "a component's version tells nothing of the VIBs in it",
        remedy="take a component with a newer VIB, unless the lower one is wanted",
    )


def check_pinned(image: Image, _: Catalog | None) -> Iterator[Finding]:
    """Yield a warning for each VIB of a component that the user chose, where another VIB is installed."""
    for entry in image.reserved_vibs:
        cause = _WHY_RESERVED.get(entry.reason)
        if entry.source is ComponentSource.USER and cause is not None:
            yield make_finding(
                "pinned-vib-reserved",
                f"{entry.vib.id} of {entry.component} is not installed, {entry.winner} is",
                items=(entry.vib.id, entry.winner),
                facts={"vib": entry.vib.id, "winner": entry.winner, "reason": entry.reason.value},
                cause=cause,
                remedy="remove the other component if the chosen version must be installed",
            )
