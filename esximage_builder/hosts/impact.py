"""What a host goes through on the way to an image, and which VIB makes it so.

By the flags of the VIBs that come and go: one that cannot come or go live asks for a reboot, one that
asks for maintenance mode for that. Another base image asks for a reboot whatever else is known, unless
it says itself that it patches the host's live. What a VIB on the host asks for when it goes is told by
the host, else by what is loaded; where neither knows, the impact is not known either.

Source: docs/formats.md#compliance.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Self, final

import attrs

from esximage_builder.errors import VersionSyntaxError
from esximage_builder.hosts.components import has_processing_units
from esximage_builder.hosts.vib_table import key_of_text
from esximage_builder.models.compliance import ComplianceStatus
from esximage_builder.models.host import HostPart
from esximage_builder.rules.diff import Impact
from esximage_builder.versions import BaseImageVersion
from esximage_builder.vocabulary import ComponentSource

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from esximage_builder.hosts.vib_table import VibFlags, VibKey, VibTable
    from esximage_builder.models.compliance import ItemCompliance
    from esximage_builder.models.host import Host, HostVib
    from esximage_builder.models.image import Image

__all__ = ["NO_COST", "Cost", "ImpactTable", "largest"]

Cost = tuple[Impact, str]
"""An impact, and what makes it so; the words are empty where there is none."""

NO_COST: Cost = (Impact.NO_IMPACT, "")

_RANKS = {impact: impact.rank for impact in Impact}
_BASE = ComponentSource.BASE_IMAGE.value
_HOST = "host"


def largest(costs: Iterable[Cost]) -> Cost:
    """Return the largest of some impacts, of equal ones the first."""
    return max(costs, key=lambda cost: _RANKS[cost[0]], default=NO_COST)


@final
@attrs.frozen
class ImpactTable:
    """What an image's coming asks of hosts.

    Attributes:
        vibs: The VIBs.
        live_sources: Base images that the image's own patches live.
    """

    vibs: VibTable
    live_sources: frozenset[BaseImageVersion]

    @classmethod
    def of(cls, image: Image, vibs: VibTable) -> Self:
        """Return that of an image."""
        stated = () if image.base_image is None else image.base_image.quick_patch_versions
        return cls(vibs, frozenset(_versions(text for text, _ in stated)))

    def judge(
        self,
        host: Host,
        *,
        base_image: ItemCompliance | None,
        components: Sequence[ItemCompliance],
        standalone: Sequence[str],
        missing: Sequence[HostPart],
    ) -> Cost:
        """Return what a host goes through.

        Args:
            host: What is judged.
            base_image: How its base image stands.
            components: Those that are not compliant.
            standalone: Its VIBs that no component brings.
            missing: Parts of the inventory that it took to say more.
        """
        is_other = base_image is not None and base_image.status.rank > ComplianceStatus.UNAVAILABLE.rank
        is_live = is_other and host.base_image in self.live_sources
        if HostPart.VIBS in host.told:
            costs = [*self._by_vibs(host, is_live=is_live)]
        else:
            costs = [*self._by_components(host, components, standalone, is_live=is_live)]
        if is_other and base_image is not None:
            costs.append(_cost_of_base(base_image.target, is_live=is_live))
        if missing:
            words = ", ".join(part.value.replace("_", " ") for part in missing)
            costs.append((Impact.UNKNOWN, f"the inventory does not tell: {words}"))
        return largest(costs)

    # Where the host tells its VIBs

    def _by_vibs(self, host: Host, *, is_live: bool) -> Iterator[Cost]:
        """Yield the cost of each VIB that comes or goes; what the components say is in them."""
        with_units = has_processing_units(host)
        wanted = self.vibs.on_all if with_units else self.vibs.on_host
        there = {
            (vib.name, vib.version.text): vib
            for vib in host.vibs
            if with_units or not vib.platforms or _HOST in vib.platforms
        }
        names = {name for name, _ in there}
        come = [key for key in wanted if key not in there]
        patched = {name for name, version in come if is_live and wanted[name, version] and name in names}
        yield from (self._cost_of_coming(key) for key in come if key[0] not in patched)
        yield from (
            self._cost_of_going(key, vib) for key, vib in there.items() if key not in wanted and key[0] not in patched
        )
        yield from (_cost_of_patch(name) for name in sorted(patched))

    # Where it tells components only

    def _by_components(
        self, host: Host, components: Sequence[ItemCompliance], standalone: Sequence[str], *, is_live: bool
    ) -> Iterator[Cost]:
        for item in components:
            if is_live and item.target_source == _BASE and item.current:
                yield _cost_of_patch(item.name)
            else:
                yield from self._costs_of_component(item)
        yield from (self._cost_of_going(key_of_text(text, host), None) for text in standalone)

    def _costs_of_component(self, item: ItemCompliance) -> Iterator[Cost]:
        """Yield the cost of each VIB that a component brings anew, and of those that it leaves behind."""
        before = self.vibs.brought.get((item.name, item.current)) if item.current else ()
        after = self.vibs.by_component.get(item.name, ()) if item.target else ()
        known = () if before is None else before
        on_host = self.vibs.on_host
        yield from (self._cost_of_coming(key) for key in after if key in on_host and key not in known)
        yield from (self._cost_of_going(key, None) for key in known if key not in on_host)
        if before is None:
            yield (Impact.UNKNOWN, f"{item.name} {item.current} goes, and what its removal asks for is not known")

    # One VIB

    def _cost_of_coming(self, key: VibKey) -> Cost:
        name, version = key
        flags = self.vibs.flags[key]
        if not flags.comes_live:
            return (Impact.REBOOT_REQUIRED, f"the VIB {name} {version}, which cannot be installed live")
        if flags.comes_in_maintenance:
            return (Impact.MAINTENANCE_MODE_REQUIRED, f"the VIB {name} {version}")
        return NO_COST

    def _cost_of_going(self, key: VibKey, vib: HostVib | None) -> Cost:
        words = f"the VIB {key[0]} {key[1]}"
        goes_live, in_maintenance = _going(vib, self.vibs.flags.get(key))
        if goes_live is False:
            return (Impact.REBOOT_REQUIRED, f"{words}, which cannot be removed live")
        if goes_live is None or in_maintenance is None:
            return (Impact.UNKNOWN, f"{words} goes, and what its removal asks for is not known")
        return (Impact.MAINTENANCE_MODE_REQUIRED, f"{words}, which goes") if in_maintenance else NO_COST


def _going(vib: HostVib | None, flags: VibFlags | None) -> tuple[bool | None, bool | None]:
    """Return whether a VIB goes live and whether in maintenance mode: as the host says, else as is loaded."""
    live = None if vib is None else vib.is_live_removable
    in_maintenance = None if vib is None else vib.needs_maintenance_mode
    if flags is None:
        return live, in_maintenance
    return (
        flags.goes_live if live is None else live,
        flags.goes_in_maintenance if in_maintenance is None else in_maintenance,
    )


def _cost_of_base(target: str, *, is_live: bool) -> Cost:
    if is_live:
        return (Impact.PARTIAL_MAINTENANCE_MODE_REQUIRED, f"a live patch to {target}")
    return (Impact.REBOOT_REQUIRED, f"another base image, ESXi {target}")


def _cost_of_patch(name: str) -> Cost:
    return (Impact.PARTIAL_MAINTENANCE_MODE_REQUIRED, f"a live patch of {name}")


def _versions(texts: Iterable[str]) -> Iterator[BaseImageVersion]:
    for text in texts:
        try:
            yield BaseImageVersion(text)
        except VersionSyntaxError:
            continue
