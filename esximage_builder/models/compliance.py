"""How far hosts are from an image, in vLCM's words.

Source: docs/formats.md#compliance.
"""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING, final

import attrs

from esximage_builder.models.fields import as_tuple
from esximage_builder.shown import Shown, ShownAsPage

if TYPE_CHECKING:
    from collections.abc import Iterable

    from esximage_builder.findings import Finding
    from esximage_builder.models.host import HostPart

__all__ = ["ClusterCompliance", "ComplianceStatus", "HostCompliance", "ItemCompliance", "ItemReason", "worst_status"]


class ComplianceStatus(enum.StrEnum):
    """vLCM's own words, best first."""

    COMPLIANT = "COMPLIANT"
    UNAVAILABLE = "UNAVAILABLE"
    """Something that it takes to say is not known."""
    NON_COMPLIANT = "NON_COMPLIANT"
    """The host differs, and can be brought to the image."""
    INCOMPATIBLE = "INCOMPATIBLE"
    """The host cannot be brought to the image: something would go down."""

    @property
    def rank(self) -> int:
        """0 for compliant up to 3 for incompatible."""
        return _RANKS[self]


_RANKS = {status: rank for rank, status in enumerate(ComplianceStatus)}


def worst_status(statuses: Iterable[ComplianceStatus]) -> ComplianceStatus:
    """Return the worst of some statuses; compliant if there is none."""
    return max(statuses, key=_RANKS.__getitem__, default=ComplianceStatus.COMPLIANT)


class ItemReason(enum.StrEnum):
    """Why an item stands as it does."""

    IMAGE_IS_LATER = "image-is-later"
    HOST_IS_LATER = "host-is-later"
    OTHER_VERSION = "other-version"
    """Versions that cannot be ordered differ."""
    OTHER_NAME = "other-name"
    """The host has another add-on or package in its place."""
    NOT_ON_HOST = "not-on-host"
    NOT_IN_IMAGE = "not-in-image"
    """It would be removed."""
    TAKEN_OFF = "taken-off"
    """The spec removes it, and the host has it."""
    PART_DIFFERS = "part-differs"
    """A component of the solution is not as in the image."""
    NOT_TOLD = "not-told"
    NOT_CHECKABLE = "not-checkable"
    """Only a hardware support manager knows."""
    FOR_DPU = "for-dpu"
    """It is for data processing units, of which the host has none."""


@final
@attrs.frozen(kw_only=True, repr=False)
class ItemCompliance(Shown):
    """One thing on a host against the same in the image.

    Attributes:
        name: ``ESXi``, the add-on's, component's, solution's or VIB's name, or the hardware support manager's.
        status: How it stands.
        current: Version on the host; empty if it is not there.
        target: Version in the image; empty if it is not there.
        current_name: Its name on the host, where that is another one; empty otherwise.
        target_name: Its name in the image, where that is another one; empty otherwise.
        current_source: Who brought it to the host, as vLCM names sources; empty if not known.
        target_source: Who brings it into the image; empty if nobody does.
        reason: Why it stands as it does; None where there is nothing to say.
    """

    name: str
    status: ComplianceStatus
    current: str = ""
    target: str = ""
    current_name: str = ""
    target_name: str = ""
    current_source: str = ""
    target_source: str = ""
    reason: ItemReason | None = None


@final
@attrs.frozen(kw_only=True, repr=False)
class HostCompliance(Shown):
    """A host against an image.

    Attributes:
        host: Its name.
        status: The worst of its items.
        impact: What it goes through on the way to the image, vLCM's word.
        impact_reason: Which VIB or component makes it so; empty without impact.
        base_image: None if the image states none.
        add_on: None if neither has one.
        components: All of the image and of the host, sorted by name.
        removed_components: Names that the spec takes off and that are on the host.
        solutions: Of the image and of the host.
        hardware_support: Packages of the image, by manager; what is installed of them is mostly not known.
        vibs: What the image installs beside components, and where it has no components, all VIBs of both.
        standalone_vibs: Ids, or ``name version`` where ids are not known, of VIBs that no component brings
            and that the image does not have.
        missing: Parts of the inventory that it took to say more.
        findings: What to know, worst first.
    """

    host: str
    status: ComplianceStatus
    impact: str = "NO_IMPACT"
    impact_reason: str = ""
    base_image: ItemCompliance | None = None
    add_on: ItemCompliance | None = None
    components: tuple[ItemCompliance, ...] = attrs.field(default=(), converter=as_tuple)
    removed_components: tuple[ItemCompliance, ...] = attrs.field(default=(), converter=as_tuple)
    solutions: tuple[ItemCompliance, ...] = attrs.field(default=(), converter=as_tuple)
    hardware_support: tuple[ItemCompliance, ...] = attrs.field(default=(), converter=as_tuple)
    vibs: tuple[ItemCompliance, ...] = attrs.field(default=(), converter=as_tuple)
    standalone_vibs: tuple[str, ...] = attrs.field(default=(), converter=as_tuple)
    missing: tuple[HostPart, ...] = attrs.field(default=(), converter=as_tuple)
    findings: tuple[Finding, ...] = attrs.field(default=(), converter=as_tuple)

    @property
    def items(self) -> tuple[ItemCompliance, ...]:
        """All items that are not compliant."""
        units = (unit for unit in (self.base_image, self.add_on) if unit is not None)
        lists = (self.components, self.removed_components, self.solutions, self.hardware_support, self.vibs)
        listed = (*units, *(item for items in lists for item in items))
        return tuple(item for item in listed if item.status is not ComplianceStatus.COMPLIANT)


@final
@attrs.frozen(kw_only=True, repr=False)
class ClusterCompliance(ShownAsPage):
    """Hosts against an image, and the worst of them.

    Attributes:
        image: Name of the image.
        status: That of the worst host; compliant without hosts.
        impact: The largest of its hosts'.
        hosts: In the order in which they were given.
    """

    image: str
    status: ComplianceStatus
    impact: str = "NO_IMPACT"
    hosts: tuple[HostCompliance, ...] = attrs.field(default=(), converter=as_tuple)

    def names(self, status: ComplianceStatus) -> tuple[str, ...]:
        """Return the names of the hosts of a status, in their order."""
        return tuple(host.host for host in self.hosts if host.status is status)
