"""The image to adopt where hosts are newer than theirs, as after a vCenter was restored from a backup.

Rules (docs/hosts.md#restore):

* Hosts are never lowered, so the image is raised: to that of the hosts themselves, extracted from them.
* Where hosts differ, the image of some of them is taken that lowers nothing on any, and leaves the
  fewest to be changed. Where each of them lowers something, one is made that has the latest of all.
* What cannot be made of what is loaded is said, with what is missing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, final

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
    from collections.abc import Iterable, Iterator, Sequence

    from esximage_builder.models.catalog import Catalog, HasCatalog
    from esximage_builder.models.compliance import HostCompliance
    from esximage_builder.models.host import Host
    from esximage_builder.models.image import Image
    from esximage_builder.models.spec import AddOnReference
    from esximage_builder.versions import ComponentVersion

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
    extracted = [image_of_host(host, loaded) for host in _different(cluster)]
    candidates = [_Candidate(found.image, cluster, loaded) for found in extracted if _is_whole(found)]
    best = min(candidates, key=_Candidate.rank, default=None)
    if best is None or best.lowers:
        best = _made(extracted, cluster, loaded) or best
    if best is None or best.lowers:
        return Adoption(others=[host.name for host in cluster], reasons=[*_why_none(extracted), *_why_lowered(best)])
    return best.adoption()


def _different(hosts: Sequence[Host]) -> list[Host]:
    """Return of hosts that have the same software the first ones."""
    first: dict[object, Host] = {}
    for host in hosts:
        first.setdefault((host.told, *(getattr(host, part.value) for part in _SOFTWARE)), host)
    return list(first.values())


_SOFTWARE = tuple(part for part in HostPart if part is not HostPart.DEVICES)


def _is_whole(found: HostImage) -> bool:
    return found.image is not None and found.spec is not None


@final
class _Candidate:
    """An image, judged on all hosts."""

    def __init__(self, image: Image | None, cluster: Sequence[Host], catalog: Catalog) -> None:
        assert image is not None  # noqa: S101 - whoever calls has looked
        self.image = image
        target = ComplianceTarget(image, catalog)
        self.verdicts = tuple(target.check(host) for host in cluster)

    @property
    def lowers(self) -> bool:
        """Whether something on a host would go down."""
        return any(verdict.status is ComplianceStatus.INCOMPATIBLE for verdict in self.verdicts)

    def rank(self) -> tuple[int, int]:
        """How many hosts it lowers something on, and how many it changes or cannot judge."""
        statuses = [verdict.status for verdict in self.verdicts]
        return (
            statuses.count(ComplianceStatus.INCOMPATIBLE),
            len(statuses) - statuses.count(ComplianceStatus.COMPLIANT),
        )

    def adoption(self) -> Adoption:
        """Return it as the answer."""
        others = [verdict for verdict in self.verdicts if verdict.status is not ComplianceStatus.COMPLIANT]
        return Adoption(
            image=self.image,
            spec=self.image.spec,
            like=[verdict.host for verdict in self.verdicts if verdict.status is ComplianceStatus.COMPLIANT],
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


def _made(extracted: Iterable[HostImage], cluster: Sequence[Host], catalog: Catalog) -> _Candidate | None:
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
        pins = _later_ones(cluster, brought)
        image = compose(catalog, attrs.evolve(spec, components=tuple(pins.items()))) if pins else image
    except EsxImageError:
        return None
    return _Candidate(image, cluster, catalog)


def _latest_add_on(references: Iterable[AddOnReference | None]) -> tuple[AddOnReference, ...] | None:
    """Return the latest add-on, empty without any; None if hosts have those of several names."""
    known = [reference for reference in references if reference is not None]
    if len({reference.name for reference in known}) > 1:
        return None
    return tuple(sorted(known, key=lambda reference: reference.version)[-1:])


def _later_ones(cluster: Iterable[Host], brought: dict[str, ComponentVersion]) -> dict[str, ComponentVersion]:
    """Return the components of hosts that are later than those that are brought."""
    pins: dict[str, ComponentVersion] = {}
    for part in (part for host in cluster for part in host.components):
        known = pins.get(part.name) or brought.get(part.name)
        if known is not None and known < part.version:
            pins[part.name] = part.version
    return pins


def _why_none(extracted: Iterable[HostImage]) -> Iterator[str]:
    for found in extracted:
        yield from (f"{found.host}: {reason}" for reason in found.why_not)
        if found.image is not None and found.spec is None:
            yield f"{found.host}: it is older than 7.0 and has no components, so no spec composes its image"


def _why_lowered(best: _Candidate | None) -> Iterator[str]:
    if best is None:
        return
    for verdict in best.verdicts:
        if verdict.status is ComplianceStatus.INCOMPATIBLE:
            yield from _reasons(verdict)
