"""Compliance: how far hosts are from an image, item by item, in vLCM's words.

Rules (docs/hosts.md#compliance says which are confirmed):

* Base image and add-on: the same version is compliant, a later one in the image is not, and an earlier
  one is incompatible. An add-on of another name, or one that only one side has, is not compliant.
* Components: the same by name; one that only one side has is not compliant, since it would be
  installed or removed. Names that the spec takes off and that are on the host are told apart.
* VIBs that no component brings would be removed: not compliant, with a warning.
* Whatever the inventory does not tell is unavailable, and named.
* A host is as its worst item, and a cluster as its worst host.

The image is prepared once, in a ``ComplianceTarget``, so that very many hosts can be checked.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, final

import attrs

from esximage_builder.codes import make_finding
from esximage_builder.hosts.compliance import judge_host
from esximage_builder.models.compliance import (
    ClusterCompliance,
    ComplianceStatus,
    HostCompliance,
    ItemCompliance,
    worst_status,
)
from esximage_builder.models.host import BASE_COMPONENT, HostPart
from esximage_builder.rules.diff import Impact
from esximage_builder.vocabulary import ComponentSource

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from esximage_builder.findings import Finding
    from esximage_builder.models.add_on import AddOn
    from esximage_builder.models.catalog import Catalog
    from esximage_builder.models.host import Host, HostComponent, HostVib
    from esximage_builder.models.image import EffectiveComponent, Image
    from esximage_builder.models.spec import AddOnReference
    from esximage_builder.models.vib import Vib
    from esximage_builder.vocabulary import AcceptanceLevel

__all__ = ["ComplianceTarget", "check_compliance"]

_COMPLIANT, _NON_COMPLIANT, _INCOMPATIBLE, _UNAVAILABLE = (
    ComplianceStatus.COMPLIANT,
    ComplianceStatus.NON_COMPLIANT,
    ComplianceStatus.INCOMPATIBLE,
    ComplianceStatus.UNAVAILABLE,
)


def check_compliance(image: Image, hosts: Iterable[Host], *, catalog: Catalog | None = None) -> ClusterCompliance:
    """Say how far each host of a cluster is from an image.

    Args:
        image: What all hosts shall have.
        hosts: As ``read_host`` reads them; parts that were not told make a host unavailable.
        catalog: What is loaded: it tells which VIBs components bring that the image does not have.

    Returns:
        The verdict of each host and the cluster's, which is the worst of them.
    """
    target = ComplianceTarget(image, catalog)
    verdicts = tuple(target.check(host) for host in hosts)
    return ClusterCompliance(
        image=image.name,
        status=worst_status(verdict.status for verdict in verdicts),
        impact=max(
            (Impact(verdict.impact) for verdict in verdicts), key=lambda impact: impact.rank, default=Impact.NO_IMPACT
        ),
        hosts=verdicts,
    )


@final
class ComplianceTarget:
    """An image prepared for checking any number of hosts; ``check`` changes nothing that can be seen.

    Args:
        image: What all hosts shall have.
        catalog: As for ``check_compliance``.
    """

    def __init__(self, image: Image, catalog: Catalog | None = None) -> None:
        self.image = image
        self._catalog = catalog
        self._wanted = {entry.component.name: entry for entry in image.components}
        self._compliant = {
            name: self._item(name, entry, entry.component.version.text) for name, entry in self._wanted.items()
        }
        self._texts = {name: entry.component.version.text for name, entry in self._wanted.items()}
        self._removed = {entry.name for entry in image.removed if entry.source is ComponentSource.USER_REMOVED}
        self._differing: dict[tuple[str, str, bool | None], ItemCompliance] = {}
        self._vibs = {(vib.name, vib.version.text): vib for vib in image.host_vibs}
        self._by_component: dict[str, list[Vib]] = {}
        for vib in image.host_vibs:
            for name in self._bringers.get(vib.id, ()):
                self._by_component.setdefault(name, []).append(vib)

    @functools.cached_property
    def _bringers(self) -> Mapping[str, Sequence[str]]:
        bringers: dict[str, list[str]] = {}
        for entry in self.image.components:
            for vib_id in entry.component.vib_ids:
                bringers.setdefault(vib_id, []).append(entry.component.name)
        return bringers

    def check(self, host: Host) -> HostCompliance:
        """Say how far one host is from the image."""
        base_image, add_on = self._base_image(host), self._add_on(host)
        components = self._components(host)
        removed = self._still_there(host)
        solutions, packages = self._solutions(host, components), self._packages(host)
        alone = self._standalone(host)
        missing = self._missing(host, alone)
        lists = (components, removed, solutions, packages)
        units = [unit for unit in (base_image, add_on) if unit is not None]
        status = worst_status(
            {
                *(item.status for item in units),
                *(item.status for items in lists for item in items),
                *((_NON_COMPLIANT,) if alone else ()),
                *((_UNAVAILABLE,) if missing else ()),
            }
        )
        impact, reason = (
            (Impact.NO_IMPACT, "") if status is _COMPLIANT else self._impact(host, base_image, components, alone)
        )
        return HostCompliance(
            host=host.name,
            status=status,
            impact=impact.value,
            impact_reason=reason,
            base_image=base_image,
            add_on=add_on,
            components=components,
            removed_components=removed,
            solutions=solutions,
            hardware_support=packages,
            standalone_vibs=alone or (),
            missing=missing,
            findings=() if status is _COMPLIANT else tuple(self._findings(host, status, alone, missing)),
        )

    # Units

    def _base_image(self, host: Host) -> ItemCompliance | None:
        wanted = self.image.esxi_version
        if wanted is None:
            return None
        target = {"name": BASE_COMPONENT, "target": wanted.text, "target_source": ComponentSource.BASE_IMAGE.value}
        if HostPart.BASE_IMAGE not in host.told or host.base_image is None:
            return ItemCompliance(**target, status=_UNAVAILABLE, reason="the inventory does not tell it")
        current = {"current": host.base_image.text, "current_source": ComponentSource.BASE_IMAGE.value}
        if wanted == host.base_image:
            return ItemCompliance(**target, **current, status=_COMPLIANT)
        if wanted < host.base_image:
            return ItemCompliance(**target, **current, status=_INCOMPATIBLE, reason="the host has a later one")
        return ItemCompliance(**target, **current, status=_NON_COMPLIANT, reason="the image has a later one")

    def _add_on(self, host: Host) -> ItemCompliance | None:
        wanted, has = self.image.add_on, host.add_on
        source = ComponentSource.ADD_ON.value
        if HostPart.ADD_ON not in host.told:
            if wanted is None:
                return ItemCompliance(
                    name="", status=_UNAVAILABLE, reason="the inventory does not tell whether it has one"
                )
            return ItemCompliance(
                name=wanted.name, target=wanted.version.text, target_source=source, status=_UNAVAILABLE,
                reason="the inventory does not tell it",
            )  # fmt: skip
        return None if wanted is None and has is None else _compared_add_ons(wanted, has)

    # Components

    def _components(self, host: Host) -> tuple[ItemCompliance, ...]:
        """Return an item for each component of image and host; made once for all hosts that have the same."""
        if HostPart.COMPONENTS not in host.told:
            return ()
        texts, compliant = self._texts, self._compliant
        installed = host.components
        items = [
            compliant[part.name] if texts.get(part.name) == part.version.text else self._differing_item(part)
            for part in installed
            if part.name not in self._removed
        ]
        if len(items) < len(texts) or len(installed) != len(texts):
            there = {part.name for part in installed}
            items += [self._absent(name) for name in texts if name not in there]
            items.sort(key=lambda item: item.name)
        return tuple(items)

    def _item(self, name: str, entry: EffectiveComponent, current: str) -> ItemCompliance:
        source = "" if entry.source is None else entry.source.value
        return ItemCompliance(
            name=name,
            status=_COMPLIANT,
            current=current,
            target=entry.component.version.text,
            current_source=source,
            target_source=source,
        )

    def _differing_item(self, part: HostComponent) -> ItemCompliance:
        key = (part.name, part.version.text, part.is_manual)
        found = self._differing.get(key)
        if found is None:
            found = self._differing[key] = self._compared(part)
        return found

    def _compared(self, part: HostComponent) -> ItemCompliance:
        entry = self._wanted.get(part.name)
        source = ComponentSource.USER.value if part.is_manual else ""
        if entry is None:
            return ItemCompliance(
                name=part.name,
                status=_NON_COMPLIANT,
                current=part.version.text,
                current_source=source,
                reason="the image does not have it; it would be removed",
            )
        item = attrs.evolve(self._item(part.name, entry, part.version.text), current_source=source)
        if part.version == entry.component.version:
            return item
        if part.version > entry.component.version:
            by_hand = {True: "it was added by hand", False: "it came with an image", None: "who added it is not known"}
            return attrs.evolve(
                item, status=_INCOMPATIBLE, reason=f"the host has a later one; {by_hand[part.is_manual]}"
            )
        return attrs.evolve(item, status=_NON_COMPLIANT, reason="the image has a later one")

    def _absent(self, name: str) -> ItemCompliance:
        item = self._compliant[name]
        return attrs.evolve(
            item, status=_NON_COMPLIANT, current="", current_source="", reason="the host does not have it"
        )

    def _still_there(self, host: Host) -> tuple[ItemCompliance, ...]:
        return tuple(
            ItemCompliance(
                name=part.name,
                status=_NON_COMPLIANT,
                current=part.version.text,
                reason="the spec takes it off, and the host has it",
            )
            for part in host.components
            if part.name in self._removed
        )

    # Solutions and packages

    def _solutions(self, host: Host, components: Sequence[ItemCompliance]) -> tuple[ItemCompliance, ...]:
        if not self.image.solutions and not host.solutions:
            return ()
        source = ComponentSource.SOLUTION.value
        installed = {part.name: part.version for part in host.solutions}
        statuses = {item.name: item.status for item in components}
        items = []
        for unit in self.image.solutions:
            text = unit.version.text
            item = ItemCompliance(name=unit.name, status=_UNAVAILABLE, target=text, target_source=source)
            if HostPart.SOLUTIONS in host.told:
                current = installed.pop(unit.name, "")
                items.append(self._unit_item(item, current, has_it=bool(current)))
            elif HostPart.COMPONENTS in host.told:
                worst = worst_status(statuses[part.name] for part in unit.components if part.name in statuses)
                reason = "" if worst is _COMPLIANT else "one of its components is not as in the image"
                items.append(attrs.evolve(item, status=worst, reason=reason))
            else:
                items.append(attrs.evolve(item, reason="the inventory does not tell it"))
        if HostPart.SOLUTIONS in host.told:
            items += [
                ItemCompliance(
                    name=name, status=_NON_COMPLIANT, current=version, current_source=source,
                    reason="the image does not have it; it would be removed",
                )
                for name, version in installed.items()
            ]  # fmt: skip
        return tuple(sorted(items, key=lambda item: item.name))

    def _packages(self, host: Host) -> tuple[ItemCompliance, ...]:
        source = ComponentSource.HARDWARE_SUPPORT_PACKAGE.value
        installed = {part.package: part.version for part in host.hardware_support}
        items = []
        for unit in self.image.hardware_support:
            item = ItemCompliance(name=unit.name, status=_UNAVAILABLE, target=unit.version.text, target_source=source)
            if HostPart.HARDWARE_SUPPORT in host.told:
                items.append(self._unit_item(item, installed.get(unit.name, ""), has_it=unit.name in installed))
            else:
                items.append(
                    attrs.evolve(item, reason="not checkable: only its hardware support manager knows the firmware")
                )
        return tuple(items)

    @staticmethod
    def _unit_item(item: ItemCompliance, current: str, *, has_it: bool) -> ItemCompliance:
        if not has_it:
            return attrs.evolve(item, status=_NON_COMPLIANT, reason="the host does not have it")
        if current == item.target:
            return attrs.evolve(item, status=_COMPLIANT, current=current, current_source=item.target_source)
        return attrs.evolve(
            item, status=_NON_COMPLIANT, current=current, current_source=item.target_source, reason="another version"
        )

    # VIBs that stand alone, and what is not known

    def _standalone(self, host: Host) -> tuple[str, ...] | None:
        """Return the VIBs that no component brings; None if the inventory does not tell."""
        if HostPart.STANDALONE_VIBS in host.told:
            return host.standalone_vibs
        if not {HostPart.VIBS, HostPart.COMPONENTS} <= host.told:
            return None
        others = [vib for vib in host.vibs if (vib.name, vib.version.text) not in self._vibs]
        if not others:
            return ()
        brought = self._brought_by(host)
        if brought is None:
            return None
        return tuple(f"{vib.name} {vib.version}" for vib in others if (vib.name, vib.version.text) not in brought)

    def _brought_by(self, host: Host) -> set[tuple[str, str]] | None:
        """Return name and version of all VIBs that a host's components bring; None if one of them is not loaded."""
        if self._catalog is None:
            return None
        known = self._catalog.vibs_by_id
        brought = set()
        for part in host.components:
            loaded = [
                entry
                for entry in self._catalog.components_by_name.get(part.name, ())
                if entry.version.text == part.version.text
            ]
            if not loaded or any(vib_id not in known for vib_id in loaded[0].vib_ids):
                return None
            brought |= {(vib.name, vib.version.text) for vib_id in loaded[0].vib_ids for vib in known[vib_id]}
        return brought

    def _missing(self, host: Host, alone: tuple[str, ...] | None) -> tuple[HostPart, ...]:
        needed = [HostPart.BASE_IMAGE] if self.image.esxi_version is not None else []
        needed += [HostPart.ADD_ON, HostPart.COMPONENTS]
        missing = [part for part in needed if part not in host.told]
        if alone is None:
            missing.append(HostPart.STANDALONE_VIBS)
        return tuple(missing)

    # Impact

    def _impact(
        self,
        host: Host,
        base_image: ItemCompliance | None,
        components: Sequence[ItemCompliance],
        alone: Sequence[str] | None,
    ) -> tuple[Impact, str]:
        """Return what the host goes through and why, by the flags of the VIBs that come and go."""
        impacts = [(Impact.NO_IMPACT, "")]
        is_live = self._is_quick_patch(host)
        if base_image is not None and base_image.status is _NON_COMPLIANT and not components:
            impacts.append(
                (Impact.PARTIAL_MAINTENANCE_MODE_REQUIRED, f"a live patch to {base_image.target}")
                if is_live
                else (Impact.REBOOT_REQUIRED, f"ESXi {base_image.target}")
            )
        installed = {vib.name: vib for vib in host.vibs}
        for item in components:
            if item.status is _COMPLIANT:
                continue
            if is_live and item.target_source == ComponentSource.BASE_IMAGE.value and item.current:
                impacts.append((Impact.PARTIAL_MAINTENANCE_MODE_REQUIRED, f"a live patch of {item.name}"))
                continue
            impacts.append(self._impact_of(item, installed))
        if alone:
            flags = [installed.get(text.partition(" ")[0]) for text in alone]
            impacts.append(_impact_of_removal(flags, f"the VIB {alone[0]}, which no component brings"))
        if HostPart.COMPONENTS not in host.told and base_image is None:
            impacts.append((Impact.UNKNOWN, "the inventory does not tell the components"))
        return max(impacts, key=lambda entry: entry[0].rank)

    def _is_quick_patch(self, host: Host) -> bool:
        """Whether the image's base image patches that of the host live; only what it lists itself counts."""
        unit = self.image.base_image
        if unit is None or host.base_image is None or host.base_image == unit.version:
            return False
        return any(host.base_image.text == version for version, _ in unit.quick_patch_versions)

    def _impact_of(self, item: ItemCompliance, installed: Mapping[str, HostVib]) -> tuple[Impact, str]:
        """Return the impact of one component: of the VIBs that it brings anew, and of those that go."""
        worst = (Impact.NO_IMPACT, "")
        for vib in self._by_component.get(item.name, ()) if item.target else ():
            there = installed.get(vib.name)
            if there is not None and there.version.text == vib.version.text:
                continue
            worst = max(worst, _impact_of_install(vib, there), key=lambda entry: entry[0].rank)
        if not item.target:
            worst = max(worst, self._removal(item, installed), key=lambda entry: entry[0].rank)
        return worst

    def _removal(self, item: ItemCompliance, installed: Mapping[str, HostVib]) -> tuple[Impact, str]:
        loaded = () if self._catalog is None else self._catalog.components_by_name.get(item.name, ())
        for entry in loaded:
            if entry.version.text == item.current and self._catalog is not None:
                vibs = [vib for vib_id in entry.vib_ids for vib in self._catalog.vibs_by_id.get(vib_id, ())]
                if any(vib.is_for_host and not vib.live_remove_allowed for vib in vibs):
                    return Impact.REBOOT_REQUIRED, f"{item.name} {item.current}, which goes"
                flags = [installed.get(vib.name) for vib in vibs]
                return _impact_of_removal(flags, f"{item.name} {item.current}, which goes")
        return Impact.UNKNOWN, f"{item.name} {item.current} goes, and what its removal asks for is not known"

    # Findings

    def _findings(
        self, host: Host, status: ComplianceStatus, alone: Sequence[str] | None, missing: Sequence[HostPart]
    ) -> Iterator[Finding]:
        if status is _INCOMPATIBLE:
            yield from judge_host(self.image, host).findings
        levels = {f"{vib.name} {vib.version}": vib.acceptance_level for vib in host.vibs}
        for text in alone or ():
            level = levels.get(text) or _level_of_id(text, host.vibs)
            known = "" if level is None else f", of level {level.display},"
            yield make_finding(
                "standalone-vib-removed",
                f"{host.name} has the VIB {text}{known} which no component brings; it would be removed",
                items=(host.name, text),
                facts={"host": host.name, "vib": text},
                cause="an image consists of components; a VIB that was installed by itself is none of it",
                remedy="make a component of it and add that to the image, or let it go",
            )
        if missing:
            words = ", ".join(part.value.replace("_", " ") for part in missing)
            yield make_finding(
                "host-part-unknown",
                f"the inventory of {host.name} does not tell: {words}",
                items=(host.name, *(part.value for part in missing)),
                facts={"host": host.name},
                cause="what is not told is not guessed",
                remedy=_REMEDIES[missing[0]],
            )


def _compared_add_ons(wanted: AddOn | None, has: AddOnReference | None) -> ItemCompliance:
    """Compare the image's add-on with the host's, of which one may be missing."""
    source = ComponentSource.ADD_ON.value
    status, reason = _NON_COMPLIANT, "the image has a later one"
    if wanted is None:
        reason = "the image has none; it would be removed"
    elif has is None:
        reason = "the host has none"
    elif has.name != wanted.name:
        reason = "the host has another add-on"
    elif has.version == wanted.version:
        status, reason = _COMPLIANT, ""
    elif wanted.version < has.version:
        status, reason = _INCOMPATIBLE, "the host has a later one"
    name = wanted.name if wanted is not None else has.name if has is not None else ""
    return ItemCompliance(
        name=name,
        status=status,
        current="" if has is None else has.version.text if has.name == name else str(has),
        target="" if wanted is None else wanted.version.text,
        current_source="" if has is None else source,
        target_source="" if wanted is None else source,
        reason=reason,
    )


_REMEDIES = {
    HostPart.BASE_IMAGE: "take the output of: esxcli software baseimage get",
    HostPart.ADD_ON: "take the output of: esxcli software addon get; or write into the inventory that there is none",
    HostPart.COMPONENTS: "take the output of: esxcli software component list",
    HostPart.STANDALONE_VIBS: "take the output of: esxcli software vib get, and open the depots of all components; or "
    "copy the folder /var/db/esximg",
}


def _level_of_id(vib_id: str, vibs: Iterable[HostVib]) -> AcceptanceLevel | None:
    return next((vib.acceptance_level for vib in vibs if vib_id.endswith(f"_{vib.name}_{vib.version}")), None)


def _impact_of_install(vib: Vib, there: HostVib | None) -> tuple[Impact, str]:
    mode = vib.maintenance_mode
    if not vib.live_install_allowed:
        return Impact.REBOOT_REQUIRED, f"the VIB {vib.name} {vib.version}, which cannot be installed live"
    if there is not None and there.is_live_removable is False:
        return Impact.REBOOT_REQUIRED, f"the VIB {there.name} {there.version}, which cannot be removed live"
    if mode.required if mode.on_install is None else mode.on_install:
        return Impact.MAINTENANCE_MODE_REQUIRED, f"the VIB {vib.name} {vib.version}"
    return Impact.NO_IMPACT, ""


def _impact_of_removal(vibs: Sequence[HostVib | None], what: str) -> tuple[Impact, str]:
    if any(vib is not None and vib.is_live_removable is False for vib in vibs):
        return Impact.REBOOT_REQUIRED, what
    if any(vib is None or vib.is_live_removable is None for vib in vibs):
        return Impact.UNKNOWN, f"{what}: what its removal asks for is not known"
    if any(vib is not None and vib.needs_maintenance_mode for vib in vibs):
        return Impact.MAINTENANCE_MODE_REQUIRED, what
    return Impact.NO_IMPACT, ""
