"""A host as its inventory tells it: what is installed now, what it is, and what was not told.

An inventory is put together from whatever an administrator can get, so parts of it may be missing.
``Host.told`` says which parts are known; an empty part that was told is empty, one that was not
told may hold anything, and whoever judges the host says so instead of guessing.
"""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING, final

import attrs

from esximage_builder.models.fields import as_tuple
from esximage_builder.shown import Shown

if TYPE_CHECKING:
    from collections.abc import Iterable

    from esximage_builder.models.device import PciDevice
    from esximage_builder.models.spec import AddOnReference, HardwareSupportReference
    from esximage_builder.versions import BaseImageVersion, ComponentVersion, VibVersion
    from esximage_builder.vocabulary import AcceptanceLevel

__all__ = ["BASE_COMPONENT", "Host", "HostComponent", "HostFacts", "HostPart", "HostSolution", "HostVib"]


BASE_COMPONENT = "ESXi"
"""The component of a base image that has its version."""


class HostPart(enum.StrEnum):
    """The parts of an inventory; each is told or not."""

    BASE_IMAGE = "base_image"
    ADD_ON = "add_on"
    COMPONENTS = "components"
    STANDALONE_VIBS = "standalone_vibs"
    VIBS = "vibs"
    SOLUTIONS = "solutions"
    HARDWARE_SUPPORT = "hardware_support"
    DEVICES = "devices"


@final
@attrs.frozen(kw_only=True, repr=False)
class HostComponent(Shown):
    """A component on a host.

    Attributes:
        name: Component name.
        version: Installed version.
        is_manual: It was added by hand, not by an image; None if not known.
        platforms: Where it is installed, as hosts name it: ``host``, ``vmdpu0``; empty if not told.
    """

    name: str
    version: ComponentVersion
    is_manual: bool | None = None
    platforms: tuple[str, ...] = attrs.field(default=(), converter=as_tuple)


@final
@attrs.frozen(kw_only=True, repr=False)
class HostVib(Shown):
    """A VIB on a host.

    Attributes:
        name: VIB name.
        version: Installed version.
        vendor: As the host names it; empty if not told.
        acceptance_level: None if not told.
        platforms: Where it is installed, as hosts name it: ``host``, ``vmdpu0``; empty if not told.
        is_live_removable: Whether it can be removed without restart; None if not told.
        needs_maintenance_mode: Whether its removal asks for maintenance mode; None if not told.
    """

    name: str
    version: VibVersion
    vendor: str = ""
    acceptance_level: AcceptanceLevel | None = None
    platforms: tuple[str, ...] = attrs.field(default=(), converter=as_tuple)
    is_live_removable: bool | None = None
    needs_maintenance_mode: bool | None = None


@final
@attrs.frozen(kw_only=True, repr=False)
class HostSolution(Shown):
    """A solution on a host: its id and version, empty if not told, and the names of its components."""

    name: str
    version: str = ""
    components: tuple[str, ...] = attrs.field(default=(), converter=as_tuple)


@final
@attrs.frozen(kw_only=True, repr=False)
class HostFacts(Shown):
    """What a host is and does beside its software; None and empty mean that it was not told.

    Attributes:
        vendor: Of the server.
        model: Of the server.
        uuid: Of the server's hardware.
        family: Of the server.
        oem_strings: Of the server's firmware.
        supports_quick_boot: Whether the hardware is on the list for Quick Boot.
        has_tpm: A TPM is there.
        has_vsan: It brings disks to a vSAN cluster.
        fault_domain: Of vSAN.
        is_vsan_witness: It only witnesses.
        runs_vcenter: The vCenter of its cluster runs on it.
        runs_nsx: A manager of NSX runs on it.
        boot_bank_bytes: Size of one boot bank.
    """

    vendor: str = ""
    model: str = ""
    uuid: str = ""
    family: str = ""
    oem_strings: tuple[str, ...] = attrs.field(default=(), converter=as_tuple)
    supports_quick_boot: bool | None = None
    has_tpm: bool | None = None
    has_vsan: bool | None = None
    fault_domain: str = ""
    is_vsan_witness: bool | None = None
    runs_vcenter: bool | None = None
    runs_nsx: bool | None = None
    boot_bank_bytes: int | None = None


def _parts(parts: Iterable[HostPart]) -> frozenset[HostPart]:
    return frozenset(map(HostPart, parts))


def _given(host: Host) -> frozenset[HostPart]:
    """Return the parts of a host that was written down by hand: what an image is made of, and what else it has."""
    always = {HostPart.ADD_ON, HostPart.COMPONENTS, HostPart.STANDALONE_VIBS}
    if host.base_image is not None:
        always.add(HostPart.BASE_IMAGE)
    return frozenset(always | {part for part in _LISTS if getattr(host, part.value)})


_LISTS = (HostPart.VIBS, HostPart.SOLUTIONS, HostPart.HARDWARE_SUPPORT, HostPart.DEVICES)


@final
@attrs.frozen(kw_only=True, repr=False)
class Host(Shown):
    """What is installed on a host, and what is known of it.

    Attributes:
        name: For people.
        base_image: Version of its base image; None if not told.
        add_on: Its vendor add-on; None without one.
        components: Sorted by name.
        standalone_vibs: Ids of VIBs that are in no component.
        vibs: All VIBs.
        solutions: What solutions brought.
        hardware_support: Packages of hardware support managers.
        devices: What is on its PCI bus.
        facts: What it is and does beside its software.
        told: Which parts are known; if nothing is said, base image (where there is one), add-on,
            components and stand-alone VIBs are, and every other part that is not empty.
    """

    name: str
    base_image: BaseImageVersion | None = None
    add_on: AddOnReference | None = None
    components: tuple[HostComponent, ...] = attrs.field(default=(), converter=as_tuple)
    standalone_vibs: tuple[str, ...] = attrs.field(default=(), converter=as_tuple)
    vibs: tuple[HostVib, ...] = attrs.field(default=(), converter=as_tuple)
    solutions: tuple[HostSolution, ...] = attrs.field(default=(), converter=as_tuple)
    hardware_support: tuple[HardwareSupportReference, ...] = attrs.field(default=(), converter=as_tuple)
    devices: tuple[PciDevice, ...] = attrs.field(default=(), converter=as_tuple)
    facts: HostFacts = HostFacts()
    told: frozenset[HostPart] = attrs.field(default=attrs.Factory(_given, takes_self=True), converter=_parts)

    @property
    def untold(self) -> tuple[HostPart, ...]:
        """The parts that are not known, in the order of ``HostPart``."""
        return tuple(part for part in HostPart if part not in self.told)
