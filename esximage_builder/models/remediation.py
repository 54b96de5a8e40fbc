"""What bringing hosts to an image takes: a plan as data, which nobody has carried out yet."""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING, final

import attrs

from esximage_builder.models.compliance import ComplianceStatus
from esximage_builder.models.fields import as_tuple
from esximage_builder.shown import Shown, ShownAsPage

if TYPE_CHECKING:
    from esximage_builder.findings import Finding
    from esximage_builder.models.compliance import ItemCompliance
    from esximage_builder.models.device import PciDevice
    from esximage_builder.models.host import HostPart
    from esximage_builder.models.image import Image
    from esximage_builder.models.spec import SoftwareSpec

__all__ = [
    "Adoption",
    "BootBankEstimate",
    "DeviceLoss",
    "Eligibility",
    "HostPlan",
    "LostDevice",
    "ManualMove",
    "Obstacle",
    "PlanAction",
    "PlannedItem",
    "RemediationPlan",
    "Rollback",
    "Ternary",
    "Wave",
]


class Ternary(enum.StrEnum):
    """An answer that may not be known; what is not known is never yes."""

    YES = "YES"
    NO = "NO"
    UNKNOWN = "UNKNOWN"


@final
@attrs.frozen(repr=False)
class Eligibility(Shown):
    """Whether a host can go a faster way, and why."""

    verdict: Ternary
    reason: str


class PlanAction(enum.StrEnum):
    """What happens to an item."""

    INSTALL = "install"
    """It comes, or a later version of it does."""
    REMOVE = "remove"
    KEEP = "keep"


@final
@attrs.frozen(kw_only=True, repr=False)
class PlannedItem(Shown):
    """A unit, component or VIB on its way.

    Attributes:
        name: ``ESXi``, or the add-on's, solution's, component's or VIB's name.
        action: What happens to it.
        before: Version on the host; empty if it is not there.
        after: Version in the image; empty if it goes.
        source: Who brings it, as vLCM names sources; of a VIB the component. Empty if not known.
    """

    name: str
    action: PlanAction
    before: str = ""
    after: str = ""
    source: str = ""


class DeviceLoss(enum.StrEnum):
    """What becomes of a device that has a driver now."""

    LOST = "lost"
    UNCLEAR = "unclear"
    """A driver may be there, and what is known of it does not tell."""


@final
@attrs.frozen(kw_only=True, repr=False)
class LostDevice(Shown):
    """A device that loses its driver, or may.

    Attributes:
        device: The device.
        loss: Lost, or not clear.
        drivers: Ids of the VIBs that drive it before; where none is known, the module that the host names.
        reason: What is known.
    """

    device: PciDevice
    loss: DeviceLoss
    drivers: tuple[str, ...] = attrs.field(default=(), converter=as_tuple)
    reason: str = ""


@final
@attrs.frozen(kw_only=True, repr=False)
class BootBankEstimate(Shown):
    """Whether the image's modules find room in a boot bank.

    Attributes:
        verdict: Whether they do.
        needed_bytes: Of all modules, as stored; at least that many where a size is not stated.
        available_bytes: Size of one boot bank; None if not told.
        reason: How it is known.
    """

    verdict: Ternary
    needed_bytes: int
    available_bytes: int | None
    reason: str


@final
@attrs.frozen(kw_only=True, repr=False)
class Rollback(Shown):
    """The way back once the plan is carried out.

    Attributes:
        verdict: Whether there is one.
        version: Base image that the other boot bank then has; empty if none or not known.
        bank: Where it is.
        levels: How many steps back there are: one at most.
        reason: What it goes by, and what ends it.
    """

    verdict: Ternary
    reason: str
    version: str = ""
    bank: str = "altbootbank"
    levels: int = 1


@final
@attrs.frozen(kw_only=True, repr=False)
class Obstacle(Shown):
    """What keeps a host from being compliant; an item of its compliance, or something else.

    Attributes:
        item: None if it is something else.
        reason: What is in the way; empty for an item, which has its own.
    """

    item: ItemCompliance | None = None
    reason: str = ""


@final
@attrs.frozen(kw_only=True, repr=False)
class HostPlan(Shown):
    """What becomes of one host.

    Attributes:
        host: Its name.
        status: How far it is from the image now.
        change: The kind of change, such as ``patch``; empty if not known, ``none`` if nothing differs.
        base_image: None if it stays, or is not known.
        add_on: None if it stays, or is not known.
        solutions: Those that come or go.
        components: All of image and host, sorted by name.
        vibs: All of image and host, sorted by name; those that are known where not all are.
        standalone_vibs: VIBs that no component brings, which go.
        knows_vibs: Whether the host's VIBs are known, by its inventory or by loaded components.
        staged_bytes: What is to be brought to the host; None if a size is not stated. An upper bound
            where not all VIBs of the host are known.
        impact: What the host goes through, vLCM's word.
        impact_reason: Which VIB or component makes it so.
        quick_boot: Whether it can restart without its firmware.
        suspend_to_memory: Whether its virtual machines can wait in memory.
        live_patch: Whether it can be patched while it runs.
        boot_bank: Whether the image finds room.
        rollback: The way back.
        lost_devices: Devices that lose their driver, or may.
        missing: Parts of the inventory that it took to say more.
        obstacles: Why the host is not compliant once this is carried out; empty if it is.
        findings: What to know, worst first.
    """

    host: str
    status: ComplianceStatus
    change: str
    base_image: PlannedItem | None = None
    add_on: PlannedItem | None = None
    solutions: tuple[PlannedItem, ...] = attrs.field(default=(), converter=as_tuple)
    components: tuple[PlannedItem, ...] = attrs.field(default=(), converter=as_tuple)
    vibs: tuple[PlannedItem, ...] = attrs.field(default=(), converter=as_tuple)
    standalone_vibs: tuple[str, ...] = attrs.field(default=(), converter=as_tuple)
    knows_vibs: bool = False
    staged_bytes: int | None = 0
    impact: str = "NO_IMPACT"
    impact_reason: str = ""
    quick_boot: Eligibility
    suspend_to_memory: Eligibility
    live_patch: Eligibility
    boot_bank: BootBankEstimate
    rollback: Rollback
    lost_devices: tuple[LostDevice, ...] = attrs.field(default=(), converter=as_tuple)
    missing: tuple[HostPart, ...] = attrs.field(default=(), converter=as_tuple)
    obstacles: tuple[Obstacle, ...] = attrs.field(default=(), converter=as_tuple)
    findings: tuple[Finding, ...] = attrs.field(default=(), converter=as_tuple)

    @property
    def has_actions(self) -> bool:
        """True if anything comes or goes."""
        units = [unit for unit in (self.base_image, self.add_on) if unit is not None]
        items = (*units, *self.solutions, *self.components, *self.vibs)
        return bool(self.standalone_vibs) or any(item.action is not PlanAction.KEEP for item in items)

    @property
    def reaches_compliance(self) -> bool:
        """True if the host is compliant once this is carried out."""
        return not self.obstacles

    def components_to(self, action: PlanAction) -> tuple[PlannedItem, ...]:
        """Return the components to which that happens."""
        return tuple(item for item in self.components if item.action is action)

    def vibs_to(self, action: PlanAction) -> tuple[PlannedItem, ...]:
        """Return the VIBs to which that happens."""
        return tuple(item for item in self.vibs if item.action is action)


@final
@attrs.frozen(repr=False)
class ManualMove(Shown):
    """What somebody must see to before a host is taken out of service."""

    host: str
    what: str


@final
@attrs.frozen(kw_only=True, repr=False)
class Wave(Shown):
    """Hosts that go at the same time.

    Attributes:
        hosts: Their names.
        fault_domain: Of vSAN, that all its vSAN hosts are in; empty without.
        reason: What put them together.
        moves: What must be moved by hand before.
    """

    hosts: tuple[str, ...] = attrs.field(converter=as_tuple)
    fault_domain: str = ""
    reason: str = ""
    moves: tuple[ManualMove, ...] = attrs.field(default=(), converter=as_tuple)


@final
@attrs.frozen(kw_only=True, repr=False)
class Adoption(Shown):
    """The image to adopt from hosts that are newer than theirs.

    Attributes:
        image: None if none can be made.
        spec: What composes it; None if none can be made.
        like: Names of hosts that have it already.
        others: Names of hosts that it would still change, or of which too little is known.
        reasons: Why no image can be made, or why hosts are among the others.
    """

    image: Image | None = None
    spec: SoftwareSpec | None = None
    like: tuple[str, ...] = attrs.field(default=(), converter=as_tuple)
    others: tuple[str, ...] = attrs.field(default=(), converter=as_tuple)
    reasons: tuple[str, ...] = attrs.field(default=(), converter=as_tuple)


@final
@attrs.frozen(kw_only=True, repr=False)
class RemediationPlan(ShownAsPage):
    """What becomes of the hosts of a cluster.

    Attributes:
        image: Name of the image.
        status: That of the worst host.
        impact: The largest of its hosts'.
        hosts: In the order in which they were given.
        waves: In which order hosts go; empty if there is nothing to do.
        excluded: Names of hosts that would go and were excluded.
        adoption: The image to adopt where hosts are newer than theirs; None if none is, or nothing is loaded.
        findings: What to know of the whole.
    """

    image: str
    status: ComplianceStatus
    impact: str
    hosts: tuple[HostPlan, ...] = attrs.field(converter=as_tuple)
    waves: tuple[Wave, ...] = attrs.field(default=(), converter=as_tuple)
    excluded: tuple[str, ...] = attrs.field(default=(), converter=as_tuple)
    adoption: Adoption | None = None
    findings: tuple[Finding, ...] = attrs.field(default=(), converter=as_tuple)

    @property
    def is_empty(self) -> bool:
        """True if no host has anything to do."""
        return not any(host.has_actions for host in self.hosts)

    @property
    def is_done(self) -> bool:
        """True if all hosts are compliant already."""
        return self.status is ComplianceStatus.COMPLIANT
