"""What bringing hosts to an image would take, for people: the cluster and its waves, then host by host."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from esximage_builder.models.compliance import ComplianceStatus
from esximage_builder.models.remediation import PlanAction
from esximage_builder.rules.explain import explain_findings
from esximage_builder.views.blocks import Facts, Paragraph, Section, Table, filled_sections
from esximage_builder.views.compliance_words import IMPACT_WORDS, REASON_WORDS, STATUS_LABELS, STATUS_WORDS
from esximage_builder.views.findings import cause_of_explanation
from esximage_builder.views.html import render_html
from esximage_builder.views.image import bytes_text
from esximage_builder.views.lost_devices import table_of_lost_devices
from esximage_builder.views.markdown import render_markdown
from esximage_builder.views.text import render_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from esximage_builder.models.remediation import (
        BootBankEstimate,
        HostPlan,
        Obstacle,
        PlannedItem,
        RemediationPlan,
        Wave,
    )
    from esximage_builder.views.blocks import Block

__all__ = ["render_html_plan", "render_markdown_plan", "render_plan", "sections_of_plan"]

_HOSTS = ("Host", "Status", "Comes", "Goes", "Stays", "To stage", "Impact", "Because of")
_ITEMS = ("What", "Name", "Action", "Before", "After", "From")


def render_plan(plan: RemediationPlan) -> str:
    """Return a plan as text."""
    return render_text(sections_of_plan(plan))


def render_markdown_plan(plan: RemediationPlan) -> str:
    """Return a plan as Markdown."""
    return render_markdown(sections_of_plan(plan), _title(plan))


def render_html_plan(plan: RemediationPlan) -> str:
    """Return a plan as one HTML page that loads nothing."""
    return render_html(sections_of_plan(plan), _title(plan))


def _title(plan: RemediationPlan) -> str:
    return f"Plan to {plan.image}"


def sections_of_plan(plan: RemediationPlan) -> tuple[Section, ...]:
    """Return the cluster, what to know, its hosts, the image to adopt, the waves, and what becomes of each host."""
    return filled_sections(
        (
            Section(_title(plan), _summary(plan)),
            Section("Findings", _findings(plan)),
            Section("Hosts", _hosts(plan)),
            Section("Image to adopt", _adoption(plan)),
            Section("Waves", _waves(plan)),
            *(Section(host.host, _host(host)) for host in plan.hosts if host.status is not ComplianceStatus.COMPLIANT),
        )
    )


def _summary(plan: RemediationPlan) -> Iterator[Block]:
    counts = Counter(host.status for host in plan.hosts)
    words = [f"{counts[status]} {STATUS_WORDS[status]}" for status in ComplianceStatus if counts[status]]
    facts = [
        ("Status", STATUS_WORDS[plan.status]),
        ("Impact", IMPACT_WORDS[plan.impact]),
        ("Hosts", f"{len(plan.hosts)}: {', '.join(words)}" if words else "none"),
    ]
    excluded = [("Excluded", ", ".join(plan.excluded))] if plan.excluded else []
    yield Facts([*facts, *excluded], label=STATUS_LABELS[plan.status])
    if plan.is_empty:
        yield Paragraph("There is nothing to do on any host." if plan.is_done else "Nothing is done on any host.")


def _hosts(plan: RemediationPlan) -> Iterator[Block]:
    if plan.hosts:
        yield Table(columns=_HOSTS, rows=map(_host_row, plan.hosts))


def _host_row(plan: HostPlan) -> tuple[str, ...]:
    counts = [
        str(len(plan.components_to(action))) for action in (PlanAction.INSTALL, PlanAction.REMOVE, PlanAction.KEEP)
    ]
    staged = _staged(plan) if plan.has_actions else ""
    return (plan.host, STATUS_WORDS[plan.status], *counts, staged, IMPACT_WORDS[plan.impact], plan.impact_reason)


def _staged(plan: HostPlan) -> str:
    if plan.staged_bytes is None:
        return "not known"
    return bytes_text(plan.staged_bytes) if plan.knows_vibs else f"at most {bytes_text(plan.staged_bytes)}"


def _findings(plan: RemediationPlan) -> Iterator[Block]:
    listed = (*plan.findings, *(finding for host in plan.hosts for finding in host.findings))
    yield from map(cause_of_explanation, explain_findings(listed))


def _adoption(plan: RemediationPlan) -> Iterator[Block]:
    adoption = plan.adoption
    if adoption is None:
        return
    if adoption.image is None:
        yield Paragraph("Hosts are newer than the image, and no loaded depot can make theirs.")
    else:
        version = adoption.image.esxi_version
        facts = [("Image", adoption.image.name), ("ESXi", "" if version is None else version.text)]
        facts += [("Add-on", adoption.image.add_on.id)] if adoption.image.add_on is not None else []
        facts += [("Hosts that have it", ", ".join(adoption.like) or "none")]
        yield Facts([*facts, *([("Others", ", ".join(adoption.others))] if adoption.others else [])])
    yield from map(Paragraph, adoption.reasons)


def _waves(plan: RemediationPlan) -> Iterator[Block]:
    if plan.waves:
        rows = [(str(number), *_wave_row(wave)) for number, wave in enumerate(plan.waves, 1)]
        yield Table(columns=("Wave", "Hosts", "Why", "By hand before"), rows=rows)


def _wave_row(wave: Wave) -> tuple[str, ...]:
    moves = "; ".join(f"{move.host}: {move.what}" for move in wave.moves)
    return (", ".join(wave.hosts), wave.reason, moves)


def _host(plan: HostPlan) -> Iterator[Block]:
    yield Facts([("Change", plan.change or "not known"), ("Boot bank", _boot_bank(plan.boot_bank))])
    yield Table(columns=("What", "Answer", "Why"), rows=_answers(plan))
    rows = [row for kind, items in _kinds(plan) for row in _rows(kind, items)]
    if rows:
        yield Table(columns=_ITEMS, rows=rows)
    if plan.standalone_vibs:
        yield Paragraph(f"VIBs that no component brings, which go: {', '.join(plan.standalone_vibs)}")
    yield from table_of_lost_devices(plan.lost_devices)
    if plan.obstacles:
        yield Paragraph(_REMAINS if plan.has_actions else _NOTHING)
        yield from (Paragraph(f"- {_obstacle(obstacle)}") for obstacle in plan.obstacles)


_REMAINS = "Then it is still not compliant:"
_NOTHING = "Nothing is done, since:"


def _boot_bank(estimate: BootBankEstimate) -> str:
    of = "" if estimate.available_bytes is None else f" of {bytes_text(estimate.available_bytes)}"
    return f"{bytes_text(estimate.needed_bytes)}{of}: {estimate.verdict.value}, {estimate.reason}"


def _answers(plan: HostPlan) -> Iterator[tuple[str, ...]]:
    yield ("Quick Boot", plan.quick_boot.verdict.value, plan.quick_boot.reason)
    yield ("Suspend to memory", plan.suspend_to_memory.verdict.value, plan.suspend_to_memory.reason)
    yield ("Live patch", plan.live_patch.verdict.value, plan.live_patch.reason)
    yield ("Rollback", plan.rollback.verdict.value, plan.rollback.reason)


def _kinds(plan: HostPlan) -> Iterator[tuple[str, tuple[PlannedItem | None, ...]]]:
    yield "base image", (plan.base_image,)
    yield "add-on", (plan.add_on,)
    yield "solution", plan.solutions
    yield "component", plan.components
    yield "VIB", plan.vibs


def _rows(kind: str, items: tuple[PlannedItem | None, ...]) -> Iterator[tuple[str, ...]]:
    """Yield what comes and goes; what stays is counted above."""
    for item in items:
        if item is not None and item.action is not PlanAction.KEEP:
            yield (kind, item.name, item.action.value, item.before or "none", item.after or "none", item.source)


def _obstacle(obstacle: Obstacle) -> str:
    item = obstacle.item
    if item is None:
        return obstacle.reason
    why = "" if item.reason is None else f": {REASON_WORDS[item.reason]}"
    return (
        f"{item.name or 'the add-on'}, {item.current or 'none'} on the host, {item.target or 'none'} in the image{why}"
    )
