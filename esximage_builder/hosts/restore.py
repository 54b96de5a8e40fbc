"""The image to adopt where hosts are newer than theirs, as after a vCenter was restored from a backup.

Rules (docs/hosts.md#restore):

* Hosts are never lowered, so the image is raised: to that of the hosts themselves, extracted from them.
* Where hosts differ, the image of some of them is taken that lowers nothing on any, and leaves the
  fewest to be changed. Where each of them lowers something, one is made that has the latest of all.
* What cannot be made of what is loaded is said, with what is missing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias, final

import attrs

from esximage_builder.errors import EsxImageError
from esximage_builder.hosts.check import ComplianceTarget
from esximage_builder.hosts.extract import HostImage, image_of_host
from esximage_builder.models.catalog import catalog_of
from esximage_builder.models.compliance import ComplianceStatus
from esximage_builder.models.host import HostPart
from esximage_builder.models.remediation import Adoption
from esximage_builder.models.spec import SoftwareSpec
from esximage_builder.rules.compose import compose

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from esximage_builder.models.catalog import Catalog, HasCatalog
    from esximage_builder.models.compliance import HostCompliance
    from esximage_builder.models.host import Host
    from esximage_builder.models.image import Image
    from esximage_builder.models.spec import AddOnReference
    from esximage_builder.versions import ComponentVersion

    Kinds: TypeAlias = tuple[tuple[Host, ...], ...]

__all__ = ["image_to_adopt"]


def image_to_adopt(hosts: Iterable[Host], catalog: Catalog | HasCatalog) -> Adoption:
    """Compute the image to adopt from hosts that are newer than theirs.

    Args:
        hosts: All hosts of the cluster, as ``read_host`` reads them.
        catalog: What is loaded: an opened depot, or its catalog.

    Returns:
        The image with its spec, and which hosts are compliant with it; or why none can be made.

    Raises:
        ModelError: The catalog is none.
    """
    loaded = catalog_of(catalog)
    cluster = tuple(hosts)
    if not cluster:
        return Adoption(reasons=["there is no host to take an image from"])
    kinds = _kinds(cluster)
    extracted = [image_of_host(kind[0], loaded) for kind in kinds]
    best = _best(extracted, kinds, loaded)
    if best is None or best.lowers:
        best = _made(extracted, kinds, loaded) or best
    if best is None or best.lowers:
        return Adoption(
            others=[host.name for host in cluster], reasons=[*_why_none(extracted), *_why_lowered(best, cluster)]
        )
    return best.adoption(cluster)


def _kinds(cluster: Sequence[Host]) -> tuple[tuple[Host, ...], ...]:
    """Return the hosts that have the same software together."""
    kinds: dict[object, list[Host]] = {}
    for host in cluster:
        kinds.setdefault((host.told, *(getattr(host, part.value) for part in _SOFTWARE)), []).append(host)
    return tuple(map(tuple, kinds.values()))


_SOFTWARE = tuple(part for part in HostPart if part is not HostPart.DEVICES)


def _best(extracted: Iterable[HostImage], kinds: Kinds, catalog: Catalog) -> _Candidate | None:
    """Return the image that changes the fewest hosts and lowers nothing, else one that lowers the fewest components.

    Judging each image on all hosts takes the square of their number, so those that surely lower a
    component are told by the latest version of each.
    """
    whole = [found.image for found in extracted if found.image is not None and found.spec is not None]
    latest = _latest(host for kind in kinds for host in kind[:1])
    lowered = [_lowered(image, latest) for image in whole]
    fewest = min(lowered, default=0)
    chosen = [image for image, count in zip(whole, lowered, strict=True) if count == fewest]
    candidates = (_Candidate(image, kinds, catalog) for image in (chosen[:1] if fewest else chosen))
    return min(candidates, key=_Candidate.rank, default=None)


def _latest(hosts: Iterable[Host]) -> dict[str, ComponentVersion]:
    latest: dict[str, ComponentVersion] = {}
    for part in (part for host in hosts for part in host.components):
        known = latest.get(part.name)
        if known is None or known < part.version:
            latest[part.name] = part.version
    return latest


def _lowered(image: Image, latest: Mapping[str, ComponentVersion]) -> int:
    """Return how many components of an image are older than those of some host."""
    parts = (entry.component for entry in image.components)
    return sum(part.name in latest and part.version < latest[part.name] for part in parts)


@final
class _Candidate:
    """An image, judged on one host of each kind."""

    def __init__(self, image: Image, kinds: Kinds, catalog: Catalog) -> None:
        self.image = image
        self._kinds = kinds
        self._target = ComplianceTarget(image, catalog)
        self._statuses = tuple(self._target.check(kind[0]).status for kind in kinds)

    @property
    def lowers(self) -> bool:
        """Whether something on a host would go down."""
        return ComplianceStatus.INCOMPATIBLE in self._statuses

    def rank(self) -> tuple[int, int]:
        """How many hosts it lowers something on, and how many it changes or cannot judge."""
        judged = tuple(zip(self._kinds, self._statuses, strict=True))
        lowered = sum(len(kind) for kind, status in judged if status is ComplianceStatus.INCOMPATIBLE)
        return lowered, sum(len(kind) for kind, status in judged if status is not ComplianceStatus.COMPLIANT)

    def verdicts(self, cluster: Iterable[Host]) -> tuple[HostCompliance, ...]:
        """Judge it on every host."""
        return tuple(map(self._target.check, cluster))

    def adoption(self, cluster: Iterable[Host]) -> Adoption:
        """Return it as the answer."""
        verdicts = self.verdicts(cluster)
        others = [verdict for verdict in verdicts if verdict.status is not ComplianceStatus.COMPLIANT]
        return Adoption(
            image=self.image,
            spec=self.image.spec,
            like=[verdict.host for verdict in verdicts if verdict.status is ComplianceStatus.COMPLIANT],
            others=[verdict.host for verdict in others],
            reasons=[reason for verdict in others for reason in _reasons(verdict)],
        )


def _reasons(verdict: HostCompliance) -> Iterator[str]:
    items = verdict.items
    if items:
        more = f", and {len(items) - 1} more" if len(items) > 1 else ""
        target = items[0].target or "nothing"
        yield f"{verdict.host}: {items[0].name} {items[0].current or '(none)'} would become {target}{more}"
    alone, missing = verdict.standalone_vibs, verdict.missing
    yield from (f"{verdict.host}: the VIB {vib} is in no image, since no component brings it" for vib in alone)
    yield from (f"{verdict.host}: the inventory does not tell: {part.value.replace('_', ' ')}" for part in missing)


def _made(extracted: Iterable[HostImage], kinds: Kinds, catalog: Catalog) -> _Candidate | None:
    """Return an image of the latest of all hosts; None if it cannot be made."""
    specs = [found.spec for found in extracted if found.spec is not None]
    images = [found.image for found in extracted if found.spec is not None and found.image is not None]
    bases = [image.base_image for image in images if image.base_image is not None]
    add_ons = _latest_add_on([spec.add_on for spec in specs])
    if not bases or add_ons is None:
        return None
    base = max(bases, key=lambda unit: unit.version)
    spec = SoftwareSpec(base_image=base.version.text, add_on=next(iter(add_ons), None))
    try:
        image = compose(catalog, spec)
        brought = {entry.component.name: entry.component.version for entry in image.components}
        pins = _later_ones((kind[0] for kind in kinds), brought)
        image = compose(catalog, attrs.evolve(spec, components=tuple(pins.items()))) if pins else image
    except EsxImageError:
        return None
    return _Candidate(image, kinds, catalog)


def _latest_add_on(references: Iterable[AddOnReference | None]) -> tuple[AddOnReference, ...] | None:
    """Return the latest add-on, empty without any; None if hosts have those of several names."""
    known = [reference for reference in references if reference is not None]
    if len({reference.name for reference in known}) > 1:
        return None
    return tuple(sorted(known, key=lambda reference: reference.version)[-1:])


def _later_ones(hosts: Iterable[Host], brought: Mapping[str, ComponentVersion]) -> dict[str, ComponentVersion]:
    """Return the components of hosts that are later than those that are brought."""
    latest = _latest(hosts)
    return {name: version for name, version in latest.items() if name in brought and brought[name] < version}


def _why_none(extracted: Iterable[HostImage]) -> Iterator[str]:
    for found in extracted:
        yield from (f"{found.host}: {reason}" for reason in found.why_not)
        if found.image is not None and found.spec is None:
            yield f"{found.host}: it is older than 7.0 and has no components, so no spec composes its image"


def _why_lowered(best: _Candidate | None, cluster: Iterable[Host]) -> Iterator[str]:
    for verdict in () if best is None else best.verdicts(cluster):
        if verdict.status is ComplianceStatus.INCOMPATIBLE:
            yield from _reasons(verdict)
