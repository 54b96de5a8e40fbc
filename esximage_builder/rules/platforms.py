"""Where VIBs are installed: on the host, on its data processing units (DPUs), or on both.

An image serves two systems at once, and a VIB says which it is for. What VIBs are to each other is
asked on each system for itself: they meet, conflict, replace and displace each other only where both
are installed.

Rules (docs/decisions/0014-judged-where-installed.md):

* A VIB without platform is for the host, and so is one of a product line that is not known.
* A VIB for both systems needs on a DPU what it needs on the host; that is asked only of images that
  bring a kernel for DPUs.
* A VIB is displaced only where it is beaten on every system that it is for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from esximage_builder.vocabulary import Platform

if TYPE_CHECKING:
    from collections.abc import Iterable

    from esximage_builder.models.vib import Vib

__all__ = ["SYSTEMS", "base_vib_of_dpus", "share_a_system", "systems_of", "vibs_by_system"]

SYSTEMS = (Platform.HOST, Platform.DPU)
"""The systems that an image serves."""

_HOST = frozenset({Platform.HOST})
_DPU = frozenset({Platform.DPU})
_BOTH = _HOST | _DPU
_DPU_LINE = Platform.DPU.value
_DPU_BASE = "esxio-base"


def systems_of(vib: Vib) -> frozenset[Platform]:
    """Return the systems that a VIB is installed on."""
    lines = {platform.product_line for platform in vib.software_platforms} if vib.software_platforms else ()
    if _DPU_LINE not in lines:
        return _HOST
    return _DPU if len(lines) == 1 else _BOTH


def share_a_system(one: Vib, other: Vib) -> bool:
    """Tell whether both VIBs are installed on one system."""
    return not systems_of(one).isdisjoint(systems_of(other))


def vibs_by_system(vibs: Iterable[Vib]) -> dict[Platform, list[Vib]]:
    """Return the VIBs of each system, in the order they were given."""
    found: dict[Platform, list[Vib]] = {system: [] for system in SYSTEMS}
    for vib in vibs:
        for system in systems_of(vib):
            found[system].append(vib)
    return found


def base_vib_of_dpus(vibs: Iterable[Vib]) -> Vib | None:
    """Return the VIB among them that a DPU boots, which no host does; None without."""
    bootable = [vib for vib in vibs if systems_of(vib) == _DPU and (vib.has_boot_payload or vib.name == _DPU_BASE)]
    return min(bootable, key=lambda vib: (vib.name != _DPU_BASE, vib.id), default=None)
