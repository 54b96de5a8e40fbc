"""What bringing hosts to an image would take, as data: nothing is carried out.

Rules (docs/hosts.md#remediation):

* A compliant host has an empty plan, and an incompatible one no actions but the reason.
* Nothing goes down, no VIB either. What the inventory does not tell is not touched.
* Each plan is carried out in memory and judged again: what keeps the host from being compliant
  afterwards stands in its ``obstacles``.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, final

import attrs

from esximage_builder.codes import has_code, make_finding
from esximage_builder.errors import ModelError
from esximage_builder.findings import Severity
from esximage_builder.hosts.applied import apply_plan
from esximage_builder.hosts.boot_banks import BootBankNeed, judge_rollback
from esximage_builder.hosts.changes import (
    component_changes,
    lowered_vibs,
    solution_changes,
    unit_change,
    vib_changes,
)
from esximage_builder.hosts.check import ComplianceTarget
from esximage_builder.hosts.eligibility import (
    is_listed_live,
    judge_live_patch,
    judge_quick_boot,
    judge_services,
    judge_suspend_to_memory,
)
from esximage_builder.hosts.hardware import judge_hardware
from esximage_builder.hosts.host_vibs import HostVibReader, WantedVibs
from esximage_builder.hosts.restore import image_to_adopt
from esximage_builder.hosts.waves import RolloutConstraints, plan_waves
from esximage_builder.models.compliance import ComplianceStatus, worst_status
from esximage_builder.models.device import DeviceKind
from esximage_builder.models.host import HostPart
from esximage_builder.models.remediation import (
    DeviceLoss,
    HostPlan,
    Obstacle,
    PlanAction,
    RemediationPlan,
    Rollback,
    Ternary,
)
from esximage_builder.rules.classify import ChangeKind, classify_versions
from esximage_builder.rules.diff import Impact
from esximage_builder.rules.lost_devices import NO_MAPS, lost_devices
from esximage_builder.rules.published_pair import check_pair

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from esximage_builder.findings import Finding
    from esximage_builder.hosts.host_vibs import HostVibs
    from esximage_builder.models.catalog import Catalog
    from esximage_builder.models.compliance import HostCompliance
    from esximage_builder.models.host import Host
    from esximage_builder.models.image import Image
    from esximage_builder.models.remediation import Adoption, LostDevice

__all__ = ["plan_remediation"]

_NEEDED = frozenset({HostPart.COMPONENTS, HostPart.VIBS})
_COMPLIANT, _INCOMPATIBLE = ComplianceStatus.COMPLIANT, ComplianceStatus.INCOMPATIBLE


def plan_remediation(
    image: Image,
    hosts: Iterable[Host],
    *,
    catalog: Catalog | None = None,
    constraints: RolloutConstraints | None = None,
    maps: Mapping[str, Sequence[str]] = NO_MAPS,
) -> RemediationPlan:
    """Plan what brings the hosts of a cluster to an image.

    Args:
        image: What all hosts shall have.
        hosts: All hosts of the cluster, as ``read_host`` reads them; what runs on one of them counts for all.
        catalog: What is loaded: it tells what components bring, and makes the image to adopt.
        constraints: What a rolling update has to keep to; None goes host by host, without DRS.
        maps: What the maps of drivers say, as ``read_driver_maps`` gives it; without it tags alone count.

    Returns:
        A plan for each host, and the waves in which they go.

    Raises:
        ModelError: Two hosts have one name, or a host is excluded that is not there.
    """
    cluster, limits = tuple(hosts), constraints or RolloutConstraints()
    _require_names(cluster, limits)
    planning = _Planning(image, cluster, catalog, maps)
    plans = tuple(planning.host_plan(host) for host in cluster)
    going = {plan.host: Impact(plan.impact) for plan in plans if plan.has_actions}
    return RemediationPlan(
        image=image.name,
        status=worst_status(plan.status for plan in plans),
        impact=max((Impact(plan.impact) for plan in plans), key=lambda impact: impact.rank, default=Impact.NO_IMPACT),
        hosts=plans,
        waves=plan_waves(cluster, going, limits),
        excluded=[plan.host for plan in plans if plan.has_actions and plan.host in limits.excluded],
        adoption=_adoption(plans, cluster, catalog),
        findings=[*check_pair(image), *_advice(plans)],
    )


def _require_names(cluster: Sequence[Host], constraints: RolloutConstraints) -> None:
    names = Counter(host.name for host in cluster)
    if twice := sorted(name for name, count in names.items() if count > 1):
        raise ModelError("two hosts have one name", found=", ".join(twice), hint="give read_host a name for each")
    if strange := [name for name in constraints.excluded if name not in names]:
        raise ModelError(
            "a host is excluded that is not there", found=", ".join(strange), expected=", ".join(names) or "no host"
        )


def _adoption(plans: Iterable[HostPlan], cluster: Sequence[Host], catalog: Catalog | None) -> Adoption | None:
    is_newer = any(plan.status is _INCOMPATIBLE for plan in plans)
    return image_to_adopt(cluster, catalog) if is_newer and catalog is not None else None


def _advice(plans: Iterable[HostPlan]) -> Iterator[Finding]:
    going = [plan.host for plan in plans if plan.has_actions]
    if going:
        yield make_finding(
            "back-up-configuration",
            "back up the configuration of the hosts before anything is applied",
            items=tuple(going),
            cause="the boot banks keep one step back, and not what is changed meanwhile",
            remedy="on each host: vim-cmd hostsvc/firmware/sync_config, then vim-cmd hostsvc/firmware/backup_config",
        )


@final
class _Planning:
    """An image and a cluster, prepared for planning one host after the other."""

    def __init__(
        self, image: Image, cluster: Sequence[Host], catalog: Catalog | None, maps: Mapping[str, Sequence[str]]
    ) -> None:
        self._image = image
        self._services = judge_services(cluster)
        self._boot_bank = BootBankNeed(image)
        self._wanted = WantedVibs(image)
        self._catalog = catalog
        self._maps = maps
        self._target = ComplianceTarget(image, catalog)
        self._reader = HostVibReader(catalog)

    def host_plan(self, host: Host) -> HostPlan:
        compliance, present = self._target.check(host), self._reader.vibs_of(host)
        plan = attrs.evolve(self._judged(host, compliance), knows_vibs=present.is_complete)
        if compliance.status is _COMPLIANT:
            return self._kept(_idle(plan), compliance, present)
        if obstacles := tuple(self._blocking(compliance)):
            return attrs.evolve(_idle(plan), obstacles=obstacles)
        if lowered := tuple(lowered_vibs(host.name, self._wanted.of(present), present)):
            obstacles = tuple(Obstacle(item=item) for item, _ in lowered)
            findings = (*(finding for _, finding in lowered), *plan.findings)
            return attrs.evolve(_idle(plan), obstacles=obstacles, findings=findings)
        return self._checked(self._filled(plan, host, compliance, present), host)

    def _judged(self, host: Host, compliance: HostCompliance) -> HostPlan:
        """Return what is known of a host whatever becomes of it."""
        change = self._change(host, compliance)
        quick_boot = judge_quick_boot(host.facts)
        live_patch = judge_live_patch(self._image, host, compliance)
        impact, reason = Impact(compliance.impact), compliance.impact_reason
        is_held_back = is_listed_live(self._image, host) and live_patch.verdict is Ternary.NO
        if is_held_back and impact is Impact.PARTIAL_MAINTENANCE_MODE_REQUIRED:
            impact, reason = Impact.REBOOT_REQUIRED, live_patch.reason
        return HostPlan(
            host=host.name,
            status=compliance.status,
            change="" if change is None else change.value,
            impact=impact.value,
            impact_reason=reason,
            quick_boot=quick_boot,
            suspend_to_memory=judge_suspend_to_memory(change, quick_boot, self._services),
            live_patch=live_patch,
            boot_bank=self._boot_bank.estimate(host.facts.boot_bank_bytes),
            rollback=judge_rollback(self._image, host, impact),
            missing=compliance.missing,
            findings=compliance.findings,
        )

    def _change(self, host: Host, compliance: HostCompliance) -> ChangeKind | None:
        if compliance.status is _COMPLIANT:
            return ChangeKind.NONE
        wanted = self._image.esxi_version
        if wanted is None or host.base_image is None:
            return None
        if host.base_image != wanted:
            return classify_versions(host.base_image, wanted)
        add_on = compliance.add_on
        if add_on is not None and add_on.status is not _COMPLIANT:
            return None if add_on.status is ComplianceStatus.UNAVAILABLE else ChangeKind.ADD_ON_ONLY
        return ChangeKind.COMPONENT_ONLY

    def _blocking(self, compliance: HostCompliance) -> Iterator[Obstacle]:
        """Yield why nothing may be done to a host that differs."""
        if compliance.status is _INCOMPATIBLE:
            yield from (Obstacle(item=item) for item in compliance.items if item.status is _INCOMPATIBLE)
        for part in _NEEDED.intersection(compliance.missing):
            words = part.value.replace("_", " ")
            yield Obstacle(reason=f"the inventory does not tell the {words}, so nothing can be said not to go down")
        for component in self._image.missing_components:
            yield Obstacle(reason=f"the image lacks the component {component.component}, which no loaded depot has")
        for vib in self._image.missing_vibs:
            yield Obstacle(reason=f"the image lacks the VIB {vib.vib_id}, which no loaded depot has")

    def _kept(self, plan: HostPlan, compliance: HostCompliance, present: HostVibs) -> HostPlan:
        """Return the plan of a compliant host, with what it keeps."""
        items = component_changes(compliance)
        vibs = vib_changes(self._wanted.of(present), present, items)
        return attrs.evolve(
            plan,
            components=[item for item in items if item.action is PlanAction.KEEP],
            vibs=[item for item in vibs.items if item.action is PlanAction.KEEP],
        )

    def _filled(self, plan: HostPlan, host: Host, compliance: HostCompliance, present: HostVibs) -> HostPlan:
        """Return the plan with what comes, goes and stays."""
        components = component_changes(compliance)
        vibs = vib_changes(self._wanted.of(present), present, components)
        lost = lost_devices(present.descriptors, self._image.host_vibs, host.devices, maps=self._maps, is_running=True)
        filled = attrs.evolve(
            plan,
            base_image=unit_change(compliance.base_image),
            add_on=unit_change(compliance.add_on),
            solutions=solution_changes(host, compliance),
            components=components,
            vibs=vibs.items,
            standalone_vibs=compliance.standalone_vibs,
            staged_bytes=vibs.staged_bytes,
            lost_devices=lost,
        )
        findings = [*self._of_devices(host, lost), *_of_boot_bank(plan), *plan.findings]
        return attrs.evolve(filled, findings=sorted(findings, key=_by_severity))

    def _of_devices(self, host: Host, lost: Iterable[LostDevice]) -> Iterator[Finding]:
        yield from (_lost_finding(host, entry) for entry in lost if entry.device.kind is not DeviceKind.OTHER)
        if HostPart.DEVICES in host.told:
            report = judge_hardware(self._image, host.devices, catalog=self._catalog, maps=self._maps)
            yield from (finding for finding in report.findings if has_code(finding, "no-network-driver"))

    def _checked(self, plan: HostPlan, host: Host) -> HostPlan:
        """Return the plan with what keeps the host from being compliant once it is carried out."""
        after = self._target.check(apply_plan(plan, host))
        checked = plan if plan.has_actions else _idle(plan)
        return checked if after.status is _COMPLIANT else attrs.evolve(checked, obstacles=tuple(_obstacles(after)))


def _of_boot_bank(plan: HostPlan) -> Iterator[Finding]:
    if plan.boot_bank.verdict is Ternary.NO:
        yield make_finding(
            "boot-bank-too-small",
            f"the image needs {plan.boot_bank.needed_bytes} bytes, a boot bank of {plan.host} has "
            f"{plan.boot_bank.available_bytes}",
            items=(plan.host,),
            facts={
                "host": plan.host,
                "needed_bytes": str(plan.boot_bank.needed_bytes),
                "available_bytes": str(plan.boot_bank.available_bytes),
            },
            cause=plan.boot_bank.reason,
            remedy="take components off the image that the host does not need, or install it anew on a disk with "
            "larger boot banks",
        )


_IDLE = Rollback(
    verdict=Ternary.UNKNOWN, reason="nothing is done; what the other boot bank holds is not told", levels=0
)


def _idle(plan: HostPlan) -> HostPlan:
    """Return the plan of a host that stays as it is."""
    return attrs.evolve(plan, impact=Impact.NO_IMPACT.value, impact_reason="", rollback=_IDLE)


def _obstacles(after: HostCompliance) -> Iterator[Obstacle]:
    yield from (Obstacle(item=item) for item in after.items)
    yield from (Obstacle(reason=f"the VIB {vib} stays, and no component brings it") for vib in after.standalone_vibs)
    for part in after.missing:
        yield Obstacle(reason=f"the inventory does not tell: {part.value.replace('_', ' ')}")


def _by_severity(finding: Finding) -> int:
    return tuple(Severity).index(finding.severity)


def _lost_finding(host: Host, entry: LostDevice) -> Finding:
    device = entry.device
    name = device.name or device.alias
    known = f" ({name})" if name else ""
    verb = "loses its driver" if entry.loss is DeviceLoss.LOST else "may lose its driver"
    return make_finding(
        "device-driver-lost",
        f"{host.name}: the device {device.address}{known}, {device.ids}, {verb}",
        items=(host.name, device.address, *entry.drivers),
        facts={"host": host.name, "device": device.address, "ids": device.ids},
        cause=f"driven by {', '.join(entry.drivers)}; {entry.reason}",
        remedy="add a component with a driver for it to the image, or keep the host on a release that has one",
    )
