"""Plans of remediation as JSON has them; keys are added over time, never renamed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from esximage_builder.documents.software_spec import render_software_spec
from esximage_builder.models.remediation import PlanAction
from esximage_builder.views.findings import finding_as_dict
from esximage_builder.views.lost_devices import lost_device_as_dict

if TYPE_CHECKING:
    from esximage_builder.models.remediation import (
        Adoption,
        BootBankEstimate,
        Eligibility,
        HostPlan,
        Obstacle,
        PlannedItem,
        RemediationPlan,
        Rollback,
        Wave,
    )

__all__ = ["plan_as_dict"]


def plan_as_dict(plan: RemediationPlan) -> dict[str, object]:
    """Return a plan as JSON has it."""
    return {
        "image": plan.image,
        "status": plan.status.value,
        "impact": plan.impact,
        "is_empty": plan.is_empty,
        "hosts": {host.host: _host(host) for host in plan.hosts},
        "waves": [_wave(wave) for wave in plan.waves],
        "excluded": list(plan.excluded),
        "adoption": None if plan.adoption is None else _adoption(plan.adoption),
        "findings": [finding_as_dict(finding) for finding in plan.findings],
    }


def _host(plan: HostPlan) -> dict[str, object]:
    return {
        "status": plan.status.value,
        "change": plan.change or None,
        "has_actions": plan.has_actions,
        "reaches_compliance": plan.reaches_compliance,
        "base_image": None if plan.base_image is None else _item(plan.base_image),
        "add_on": None if plan.add_on is None else _item(plan.add_on),
        "solutions": [_item(item) for item in plan.solutions],
        "components": {action.value: [_item(i) for i in plan.components_to(action)] for action in PlanAction},
        "vibs": {action.value: [_item(i) for i in plan.vibs_to(action)] for action in PlanAction},
        "standalone_vibs": list(plan.standalone_vibs),
        "knows_vibs": plan.knows_vibs,
        "staged_bytes": plan.staged_bytes,
        "impact": plan.impact,
        "impact_reason": plan.impact_reason,
        "quick_boot": _eligibility(plan.quick_boot),
        "suspend_to_memory": _eligibility(plan.suspend_to_memory),
        "live_patch": _eligibility(plan.live_patch),
        "boot_bank": _boot_bank(plan.boot_bank),
        "rollback": _rollback(plan.rollback),
        "lost_devices": [lost_device_as_dict(entry) for entry in plan.lost_devices],
        "missing": [part.value for part in plan.missing],
        "obstacles": [_obstacle(obstacle) for obstacle in plan.obstacles],
        "findings": [finding_as_dict(finding) for finding in plan.findings],
    }


def _item(item: PlannedItem) -> dict[str, object]:
    return {
        "name": item.name,
        "action": item.action.value,
        "before": item.before,
        "after": item.after,
        "source": item.source,
    }


def _eligibility(answer: Eligibility) -> dict[str, object]:
    return {"verdict": answer.verdict.value, "reason": answer.reason}


def _boot_bank(estimate: BootBankEstimate) -> dict[str, object]:
    return {
        "verdict": estimate.verdict.value,
        "needed_bytes": estimate.needed_bytes,
        "available_bytes": estimate.available_bytes,
        "reason": estimate.reason,
    }


def _rollback(rollback: Rollback) -> dict[str, object]:
    return {
        "verdict": rollback.verdict.value,
        "version": rollback.version,
        "bank": rollback.bank,
        "levels": rollback.levels,
        "reason": rollback.reason,
    }


def _obstacle(obstacle: Obstacle) -> dict[str, object]:
    item = obstacle.item
    if item is None:
        return {"name": None, "current": None, "target": None, "reason": obstacle.reason}
    reason = "" if item.reason is None else item.reason.value
    return {"name": item.name, "current": item.current, "target": item.target, "reason": reason}


def _wave(wave: Wave) -> dict[str, object]:
    return {
        "hosts": list(wave.hosts),
        "fault_domain": wave.fault_domain,
        "reason": wave.reason,
        "moves": [{"host": move.host, "what": move.what} for move in wave.moves],
    }


def _adoption(adoption: Adoption) -> dict[str, object]:
    spec = adoption.spec
    return {
        "image": None if adoption.image is None else adoption.image.name,
        "spec": None if spec is None else json.loads(render_software_spec(spec)),
        "like": list(adoption.like),
        "others": list(adoption.others),
        "reasons": list(adoption.reasons),
    }
