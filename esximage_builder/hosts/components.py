"""The components of a host against those of an image, by name.

The same version is compliant, a later one in the image is not, and an earlier one is incompatible.
What only one side has is not compliant: it would be installed or removed. Names that the spec takes off
and that are on the host are told apart. A component that holds nothing for the host itself is not asked
of a host without data processing units.

Hosts of one image are mostly alike, so what is said of a component is made once for all of them: very
many hosts share the items that are equal.

Source: docs/formats.md#compliance.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, final

import attrs

from esximage_builder.hosts.release_units import compared
from esximage_builder.models.compliance import ComplianceStatus, ItemCompliance, ItemReason
from esximage_builder.models.fields import as_tuple
from esximage_builder.models.host import HostPart
from esximage_builder.vocabulary import ComponentSource

if TYPE_CHECKING:
    from collections.abc import Iterable

    from esximage_builder.models.host import Host, HostComponent
    from esximage_builder.models.image import EffectiveComponent, Image
    from esximage_builder.versions import ComponentVersion

__all__ = ["ComponentTable", "ComponentVerdicts", "has_processing_units"]

_MOST_REMEMBERED = 20_000
_HOST = "host"


def has_processing_units(host: Host) -> bool:
    """Tell whether anything of a host is installed elsewhere than on the host itself."""
    listed = itertools.chain((part.platforms for part in host.components), (vib.platforms for vib in host.vibs))
    return any(platform != _HOST for platforms in listed for platform in platforms)


@final
@attrs.frozen
class ComponentVerdicts:
    """What is said of a host's components.

    Attributes:
        items: All of both sides, sorted by name.
        differing: Those that are not compliant.
        removed: Names that the spec takes off and that are on the host.
    """

    items: tuple[ItemCompliance, ...] = attrs.field(default=(), converter=as_tuple)
    differing: tuple[ItemCompliance, ...] = attrs.field(default=(), converter=as_tuple)
    removed: tuple[ItemCompliance, ...] = attrs.field(default=(), converter=as_tuple)

    @property
    def statuses(self) -> set[ComplianceStatus]:
        """Every status but compliant."""
        return {item.status for items in (self.differing, self.removed) for item in items}


@final
@attrs.frozen
class _Wanted:
    version: ComponentVersion
    source: ComponentSource | None


@final
class ComponentTable:
    """The components of an image, ready to be compared with very many hosts."""

    def __init__(self, image: Image) -> None:
        entries = sorted(image.components, key=lambda entry: entry.component.name)
        self.wanted = {entry.component.name: _Wanted(entry.component.version, entry.source) for entry in entries}
        self._texts = {name: wanted.version.text for name, wanted in self.wanted.items()}
        self._compliant = {entry.component.name: _compliant(entry) for entry in entries}
        self._for_processing_units = _for_processing_units(image)
        taken_off = {entry.name for entry in image.removed if entry.source is ComponentSource.USER_REMOVED}
        self._taken_off = frozenset(taken_off - self.wanted.keys())
        self._all_compliant = ComponentVerdicts(self._compliant.values())
        self._remembered: dict[tuple[str, str, bool | None], ItemCompliance] = {}

    def judge(self, host: Host) -> ComponentVerdicts:
        """Return what is said of a host's components; nothing if they are not told."""
        if HostPart.COMPONENTS not in host.told:
            return ComponentVerdicts()
        installed = host.components
        there = {part.name: part.version.text for part in installed}
        if there == self._texts and len(there) == len(installed):
            return self._all_compliant
        changed = self._changed(installed)
        missing = [name for name in self._texts if name not in there]
        if missing:
            changed |= self._absent(missing, is_asked=has_processing_units(host))
        removed = [changed.pop(name) for name in sorted(self._taken_off & changed.keys())]
        return self._verdicts(changed, removed)

    def _changed(self, installed: Iterable[HostComponent]) -> dict[str, ItemCompliance]:
        """Return an item for each installed component whose version is written differently; the worst of each name."""
        texts = self._texts
        changed: dict[str, ItemCompliance] = {}
        for part in installed:
            if texts.get(part.name) != part.version.text:
                item, known = self._item_of(part), changed.get(part.name)
                if known is None or known.status.rank < item.status.rank:
                    changed[part.name] = item
        return changed

    def _absent(self, names: Iterable[str], *, is_asked: bool) -> dict[str, ItemCompliance]:
        excused = frozenset() if is_asked else self._for_processing_units
        return {name: _absent(self._compliant[name], is_excused=name in excused) for name in names}

    def _verdicts(self, changed: dict[str, ItemCompliance], removed: Iterable[ItemCompliance]) -> ComponentVerdicts:
        items = self._compliant | changed
        listed = items.values() if len(items) == len(self._compliant) else (items[name] for name in sorted(items))
        differing = [item for item in changed.values() if item.status is not ComplianceStatus.COMPLIANT]
        return ComponentVerdicts(listed, sorted(differing, key=lambda item: item.name), removed)

    def _item_of(self, part: HostComponent) -> ItemCompliance:
        key = (part.name, part.version.text, part.is_manual)
        item = self._remembered.get(key)
        if item is None:
            if len(self._remembered) >= _MOST_REMEMBERED:
                self._remembered.clear()
            item = self._remembered[key] = self._made_item(part)
        return item

    def _made_item(self, part: HostComponent) -> ItemCompliance:
        wanted = self.wanted.get(part.name)
        source = ComponentSource.USER.value if part.is_manual else ""
        if wanted is None:
            reason = ItemReason.TAKEN_OFF if part.name in self._taken_off else ItemReason.NOT_IN_IMAGE
            return ItemCompliance(
                name=part.name,
                status=ComplianceStatus.NON_COMPLIANT,
                current=part.version.text,
                current_source=source,
                reason=reason,
            )
        status, reason_or_none = compared(wanted.version, part.version)
        return attrs.evolve(
            self._compliant[part.name],
            status=status,
            current=part.version.text,
            current_source=source,
            reason=reason_or_none,
        )


def _compliant(entry: EffectiveComponent) -> ItemCompliance:
    source = "" if entry.source is None else entry.source.value
    version = entry.component.version.text
    return ItemCompliance(
        name=entry.component.name,
        status=ComplianceStatus.COMPLIANT,
        current=version,
        target=version,
        current_source=source,
        target_source=source,
    )


def _absent(item: ItemCompliance, *, is_excused: bool) -> ItemCompliance:
    status = ComplianceStatus.COMPLIANT if is_excused else ComplianceStatus.NON_COMPLIANT
    reason = ItemReason.FOR_DPU if is_excused else ItemReason.NOT_ON_HOST
    return attrs.evolve(item, status=status, current="", current_source="", reason=reason)


def _for_processing_units(image: Image) -> frozenset[str]:
    """Return the components that bring VIBs, and none for the host itself."""
    is_for_host = {vib.id: vib.is_for_host for vib in image.all_vibs}
    found = set()
    for entry in image.components:
        brought = [is_for_host.get(vib_id, True) for vib_id in entry.component.vib_ids]
        if brought and not any(brought):
            found.add(entry.component.name)
    return frozenset(found)
