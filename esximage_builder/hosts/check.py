"""Compliance: how far hosts are from an image, item by item, in vLCM's words.

A host is as its worst item, and a cluster as its worst host: incompatible before not compliant before
unavailable before compliant. What each kind of item goes by stands in ``release_units``, ``components``
and ``standalone``; docs/hosts.md#compliance says which rules are confirmed.

The image is prepared once, in a ``ComplianceTarget``, so that very many hosts can be checked. It keeps
of the image what judging takes and no more, and can be sent to other processes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, final

import attrs

from esximage_builder.hosts.components import ComponentTable
from esximage_builder.hosts.host_findings import (
    newer_add_on,
    newer_base,
    newer_component,
    newer_unit,
    newer_vib,
    unknown_parts,
)
from esximage_builder.hosts.impact import ImpactTable
from esximage_builder.hosts.release_units import ReleaseUnits
from esximage_builder.hosts.standalone import find_standalone_vibs, judge_vibs, standalone_findings
from esximage_builder.hosts.vib_table import VibTable
from esximage_builder.models.compliance import (
    ClusterCompliance,
    ComplianceStatus,
    HostCompliance,
    ItemReason,
    worst_status,
)
from esximage_builder.models.host import HostPart
from esximage_builder.rules.diff import Impact

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from esximage_builder.findings import Finding
    from esximage_builder.hosts.components import ComponentVerdicts
    from esximage_builder.models.catalog import Catalog
    from esximage_builder.models.compliance import ItemCompliance
    from esximage_builder.models.host import Host
    from esximage_builder.models.image import Image

__all__ = ["ComplianceTarget", "check_compliance", "roll_up"]


def check_compliance(image: Image, hosts: Iterable[Host], *, catalog: Catalog | None = None) -> ClusterCompliance:
    """Say how far each host of a cluster is from an image.

    Args:
        image: What all hosts shall have; one that validation finds no errors on.
        hosts: As ``read_host`` reads them; parts that were not told make a host unavailable.
        catalog: What is loaded: it tells which VIBs components bring that the image does not have.

    Returns:
        The verdict of each host and the cluster's, which is the worst of them.
    """
    target = ComplianceTarget(image, catalog)
    return roll_up(image.name, map(target.check, hosts))


def roll_up(image: str, verdicts: Iterable[HostCompliance]) -> ClusterCompliance:
    """Return the cluster of some hosts that were checked against one image.

    Args:
        image: Its name.
        verdicts: What was said of the hosts.
    """
    hosts = tuple(verdicts)
    impacts = (Impact(verdict.impact) for verdict in hosts)
    return ClusterCompliance(
        image=image,
        status=worst_status(verdict.status for verdict in hosts),
        impact=max(impacts, key=lambda impact: impact.rank, default=Impact.NO_IMPACT).value,
        hosts=hosts,
    )


@final
class ComplianceTarget:
    """An image prepared for checking any number of hosts; ``check`` changes nothing that can be seen.

    Args:
        image: What all hosts shall have.
        catalog: As for ``check_compliance``.
    """

    def __init__(self, image: Image, catalog: Catalog | None = None) -> None:
        self.image_name = image.name
        self._units = ReleaseUnits.of(image)
        self._components = ComponentTable(image)
        self._vibs = VibTable.of(image, catalog)
        self._impact = ImpactTable.of(image, self._vibs)
        self._has_components = bool(image.components) or image.base_image is not None
        self._takes_vibs = bool(self._vibs.alone) or not self._has_components

    def check(self, host: Host) -> HostCompliance:
        """Say how far one host is from the image."""
        components = self._components.judge(host)
        statuses = {item.name: item.status for item in components.differing}
        standalone = find_standalone_vibs(self._vibs, host) if self._has_components else ()
        verdict = HostCompliance(
            host=host.name,
            status=ComplianceStatus.COMPLIANT,
            base_image=self._units.judge_base_image(host),
            add_on=self._units.judge_add_on(host),
            components=components.items,
            removed_components=components.removed,
            solutions=self._units.judge_solutions(host, statuses),
            hardware_support=self._units.judge_packages(host),
            vibs=judge_vibs(self._vibs, host, is_all=not self._has_components),
            standalone_vibs=standalone or (),
            missing=self._missing(host, is_standalone_known=standalone is not None),
        )
        status = _status(verdict, components)
        return verdict if status is ComplianceStatus.COMPLIANT else self._told(host, verdict, components, status)

    def _missing(self, host: Host, *, is_standalone_known: bool) -> tuple[HostPart, ...]:
        """Return the parts of the inventory that it would take to say more."""
        base_image = HostPart.BASE_IMAGE in host.told and host.base_image is not None
        needed = (
            (HostPart.BASE_IMAGE, self._units.base_image is not None and not base_image),
            (HostPart.ADD_ON, self._units.is_add_on_stated and HostPart.ADD_ON not in host.told),
            (HostPart.COMPONENTS, self._has_components and HostPart.COMPONENTS not in host.told),
            (HostPart.STANDALONE_VIBS, not is_standalone_known),
            (HostPart.VIBS, self._takes_vibs and HostPart.VIBS not in host.told),
            (HostPart.HARDWARE_SUPPORT, bool(self._units.packages) and HostPart.HARDWARE_SUPPORT not in host.told),
        )
        return tuple(part for part, is_missing in needed if is_missing)

    def _told(
        self, host: Host, verdict: HostCompliance, components: ComponentVerdicts, status: ComplianceStatus
    ) -> HostCompliance:
        """Return the verdict on a host that is not compliant, with what it means and what it would go through."""
        impact, reason = self._impact.judge(
            host,
            base_image=verdict.base_image,
            components=(*components.differing, *components.removed),
            standalone=verdict.standalone_vibs,
            missing=verdict.missing,
        )
        findings = self._findings(host, verdict, components)
        return attrs.evolve(verdict, status=status, impact=impact.value, impact_reason=reason, findings=tuple(findings))

    def _findings(self, host: Host, verdict: HostCompliance, components: ComponentVerdicts) -> Iterator[Finding]:
        """Yield what would go down, then what would go, then what is not known."""
        base_image, add_on = verdict.base_image, verdict.add_on
        wanted = self._units.base_image
        if _is_lower(base_image) and host.base_image is not None and wanted is not None:
            yield newer_base(host.name, has=host.base_image, wanted=wanted)
        if add_on is not None and _is_lower(add_on):
            yield newer_add_on(host.name, add_on.name, has=add_on.current, wanted=add_on.target)
        yield from self._lower_components(host, components)
        for item in filter(_is_lower, (*verdict.solutions, *verdict.hardware_support)):
            yield newer_unit(host.name, item.name, has=item.current, wanted=item.target)
        for item in filter(_is_lower, verdict.vibs):
            yield newer_vib(host.name, item.name, has=item.current, wanted=item.target)
        yield from standalone_findings(self._vibs, host, verdict.standalone_vibs)
        if verdict.missing:
            yield unknown_parts(host.name, verdict.missing)

    def _lower_components(self, host: Host, components: ComponentVerdicts) -> Iterator[Finding]:
        lower = {item.name: item.current for item in components.differing if _is_lower(item)}
        for part in host.components if lower else ():
            if lower.get(part.name) == part.version.text:
                wanted = self._components.wanted[part.name]
                yield newer_component(host.name, part, wanted=wanted.version, source=wanted.source)


def _is_lower(item: ItemCompliance | None) -> bool:
    return item is not None and item.reason is ItemReason.HOST_IS_LATER


def _status(verdict: HostCompliance, components: ComponentVerdicts) -> ComplianceStatus:
    """Return the worst of all that was said of a host."""
    found = components.statuses
    units = (verdict.base_image, verdict.add_on, *verdict.solutions, *verdict.hardware_support, *verdict.vibs)
    found.update(item.status for item in units if item is not None)
    if verdict.standalone_vibs:
        found.add(ComplianceStatus.NON_COMPLIANT)
    if verdict.missing:
        found.add(ComplianceStatus.UNAVAILABLE)
    return worst_status(found)
