"""A host as a plan leaves it, in memory: whoever doubts a plan carries it out here and judges again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from esximage_builder.errors import ModelError
from esximage_builder.models.host import HostComponent, HostPart, HostSolution, HostVib
from esximage_builder.models.remediation import PlanAction
from esximage_builder.models.spec import AddOnReference
from esximage_builder.versions import AddOnVersion, BaseImageVersion, ComponentVersion, VibVersion

if TYPE_CHECKING:
    from collections.abc import Iterable

    from esximage_builder.models.host import Host
    from esximage_builder.models.remediation import HostPlan, PlannedItem

__all__ = ["apply_plan"]


def apply_plan(plan: HostPlan, host: Host) -> Host:
    """Return the host once its plan is carried out.

    Args:
        plan: Of this host.
        host: As it was when the plan was made.

    Returns:
        The host; what its inventory does not tell is not told afterwards either.

    Raises:
        ModelError: The plan is of another host.
    """
    if plan.host != host.name:
        raise ModelError("the plan is of another host", found=plan.host, expected=host.name)
    if not plan.has_actions:
        return host
    return attrs.evolve(
        host,
        base_image=_base_image(plan, host),
        add_on=_add_on(plan, host),
        components=_components(plan.components, host),
        standalone_vibs=[vib for vib in host.standalone_vibs if vib not in plan.standalone_vibs],
        vibs=_vibs(plan.vibs, host) if HostPart.VIBS in host.told else host.vibs,
        solutions=_solutions(plan.solutions, host),
    )


def _base_image(plan: HostPlan, host: Host) -> BaseImageVersion | None:
    return host.base_image if plan.base_image is None else BaseImageVersion(plan.base_image.after)


def _add_on(plan: HostPlan, host: Host) -> AddOnReference | None:
    if plan.add_on is None:
        return host.add_on
    if not plan.add_on.after:
        return None
    return AddOnReference(plan.add_on.name, AddOnVersion(plan.add_on.after))


def _components(items: Iterable[PlannedItem], host: Host) -> list[HostComponent]:
    there = {part.name: part for part in host.components}
    return [
        there[item.name]
        if item.action is PlanAction.KEEP
        else HostComponent(name=item.name, version=ComponentVersion(item.after), is_manual=False)
        for item in items
        if item.after
    ]


def _vibs(items: Iterable[PlannedItem], host: Host) -> list[HostVib]:
    there = {(vib.name, vib.version.text): vib for vib in host.vibs}
    return [
        there.get((item.name, item.after)) or HostVib(name=item.name, version=VibVersion(item.after))
        for item in items
        if item.after
    ]


def _solutions(items: Iterable[PlannedItem], host: Host) -> list[HostSolution]:
    known = {unit.name: unit for unit in host.solutions}
    for item in items:
        known.pop(item.name, None)
        if item.after:
            known[item.name] = HostSolution(name=item.name, version=item.after)
    return [known[name] for name in sorted(known)]
