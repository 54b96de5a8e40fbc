"""The core set: what ESXi cannot boot or be updated without, and what is released with it.

Judged by VIBs, since a component of any name may bring them or a VIB that replaces them.

Rules (docs/decisions/0014-judged-where-installed.md):

* A component is core by its name or by one of its VIBs.
* Of a core component of the base image those VIBs are core that are so by name, and those that have
  the base image's release for their version. ``esx-ui``, which has versions of its own, is none.
* Every core VIB that the base image states is installed in that version, and no core component of it
  is overridden or removed. A base image that displaces a core VIB of its own is its maker's matter.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from esximage_builder.codes import make_finding
from esximage_builder.models.image import ReserveReason
from esximage_builder.rules.relations import replaces_vib
from esximage_builder.vocabulary import ComponentSource

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from esximage_builder.findings import Finding
    from esximage_builder.models.base_image import BaseImage
    from esximage_builder.models.catalog import Catalog
    from esximage_builder.models.component import Component
    from esximage_builder.models.image import Image, InstalledVib, ReservedVib
    from esximage_builder.models.vib import Vib

__all__ = ["CORE_VIBS", "check_core_set", "is_core_component"]

_CORE_NAMES = frozenset({"ESXi", "esx-update"})
CORE_VIBS = frozenset({"esx-base", "esx-update", "loadesx", "esxio-base", "esxio-update", "loadesxio"})
_NAME_IN_ID = re.compile(r".+?_(?:bootbank|locker|meta)_(.+)_[^_]+")
_DISPLACED = (ReserveReason.LOWER_VERSION, ReserveReason.SAME_VERSION, ReserveReason.REPLACED)
_CAUSE = "ESXi's own components are released together; one of another release breaks the set"
_REMEDY = "move the base image instead"


def is_core_component(component: Component, vibs_by_id: Mapping[str, Sequence[Vib]]) -> bool:
    """Tell whether ESXi cannot run or be updated without the component."""
    if component.name in _CORE_NAMES:
        return True
    return any(_is_core_by_id(vib_id, vibs_by_id) for vib_id in component.vib_ids)


def _is_core_by_id(vib_id: str, vibs_by_id: Mapping[str, Sequence[Vib]]) -> bool:
    """Tell whether a VIB has a core name; where it is not loaded, by the name in its id."""
    vibs = vibs_by_id.get(vib_id)
    if vibs:
        return any(vib.name in CORE_VIBS for vib in vibs)
    named = _NAME_IN_ID.fullmatch(vib_id)
    return named is not None and named[1] in CORE_VIBS


def check_core_set(image: Image, _: Catalog | None) -> Iterator[Finding]:
    """Yield an error for whatever of the base image's core set is overridden, removed or displaced."""
    core = _core_components(image)
    yield from _check_overridden(image, {component.id for component in core})
    if image.base_image is not None:
        yield from _check_removed(image, image.base_image)
        yield from _check_displaced(image, image.base_image, core)


def _core_components(image: Image) -> list[Component]:
    """Return the core components that the image has or had, whoever brought them."""
    vibs_by_id = {vib.id: (vib,) for vib in image.all_vibs}
    parts = (*(entry.component for entry in image.components), *image.reserved_components)
    return [part for part in parts if is_core_component(part, vibs_by_id)]


def _check_overridden(image: Image, core: set[str]) -> Iterator[Finding]:
    for entry in image.components:
        own = {lost.component for lost in entry.overridden if lost.source is ComponentSource.BASE_IMAGE}
        ids = {str(reference) for reference in own} - {entry.component.id}
        if ids and not core.isdisjoint({entry.component.id, *ids}):
            source = "unknown source" if entry.source is None else entry.source.display
            yield make_finding(
                "core-component-overridden",
                f"{entry.component.id} from the {source} takes the place of a core component",
                items=(entry.component.id, *(str(lost.component) for lost in entry.overridden)),
                facts={"component": entry.component.id, "source": "" if entry.source is None else entry.source.value},
                cause=_CAUSE,
                remedy=_REMEDY,
            )


def _check_removed(image: Image, base_image: BaseImage) -> Iterator[Finding]:
    """Composing refuses to remove a core component that is loaded; one that is not is found here."""
    effective = {entry.component.id for entry in image.components}
    core = {str(part) for part in base_image.components if part.name in _CORE_NAMES} - effective
    for entry in image.removed:
        for part in (str(lost.component) for lost in entry.removed if str(lost.component) in core):
            who = "the spec" if entry.source is ComponentSource.USER_REMOVED else f"the {entry.source.display}"
            yield make_finding(
                "core-component-overridden",
                f"{who} removes {part}, a core component of the base image",
                items=(entry.name, part),
                facts={"component": part, "source": entry.source.value},
                cause="ESXi does not boot or cannot be updated without it; that no loaded depot has it changes nothing",
                remedy="take the name out of the removed components, and open the depot that holds the component",
            )


def _check_displaced(image: Image, base_image: BaseImage, core: Sequence[Component]) -> Iterator[Finding]:
    own = {str(part) for part in base_image.components}.intersection(part.id for part in core)
    displaced = {entry.vib.id: entry for entry in image.reserved_vibs if entry.reason in _DISPLACED}
    if not displaced:
        return
    installed = {entry.vib.id: entry for entry in image.vibs}
    for component in (entry.component for entry in image.components if entry.component.id in own):
        for entry in (displaced[vib_id] for vib_id in component.vib_ids if vib_id in displaced):
            winner = installed.get(entry.winner)
            if _is_core_vib(entry.vib, base_image) and not _is_own_doing(entry, winner):
                yield _displaced(entry, component, winner)


def _is_core_vib(vib: Vib, base_image: BaseImage) -> bool:
    """Tell whether a VIB of a core component is core itself."""
    release = re.escape(base_image.version.product.base_version)
    return vib.name in CORE_VIBS or re.match(rf"{release}(?![0-9])", vib.version.text) is not None


def _is_own_doing(entry: ReservedVib, winner: InstalledVib | None) -> bool:
    """Tell whether a VIB of the base image itself beats the core VIB."""
    if winner is None or winner.source is not ComponentSource.BASE_IMAGE:
        return False
    return winner.vib.name == entry.vib.name or replaces_vib(winner.vib, entry.vib)


def _displaced(entry: ReservedVib, component: Component, winner: InstalledVib | None) -> Finding:
    source = "" if winner is None or winner.source is None else winner.source.value
    brought = [] if winner is None else [winner.component]
    return make_finding(
        "core-component-overridden",
        f"{entry.winner} takes the place of {entry.vib.id}, a core VIB of the base image",
        items=(entry.winner, entry.vib.id, component.id, *brought),
        facts={"component": "" if winner is None else winner.component, "source": source},
        cause=_CAUSE if entry.reason is not ReserveReason.REPLACED else f"it replaces it; {_CAUSE}",
        remedy=_REMEDY if not brought else f"leave {brought[0]} out, or move the base image instead",
    )
