"""How far hosts are from an image, for people: the cluster first, then each host that is not as it shall be."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from esximage_builder.models.compliance import ComplianceStatus
from esximage_builder.rules.explain import explain_findings
from esximage_builder.views.blocks import Facts, Paragraph, Section, Table, filled_sections
from esximage_builder.views.compliance_words import IMPACT_WORDS, REASON_WORDS, STATUS_LABELS, STATUS_WORDS
from esximage_builder.views.drift import section_of_drifts
from esximage_builder.views.findings import cause_of_explanation
from esximage_builder.views.html import render_html
from esximage_builder.views.markdown import render_markdown
from esximage_builder.views.text import render_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from esximage_builder.hosts.drift import Drift
    from esximage_builder.models.compliance import ClusterCompliance, HostCompliance, ItemCompliance
    from esximage_builder.views.blocks import Block

__all__ = [
    "render_compliance",
    "render_html_compliance",
    "render_markdown_compliance",
    "sections_of_compliance",
]

_HOSTS = ("Host", "Status", "Impact", "Because of")
_ITEMS = ("What", "Name", "On the host", "In the image", "Status", "Why")


def render_compliance(cluster: ClusterCompliance, *, drifts: Iterable[Drift] = ()) -> str:
    """Return the answer for a cluster as text.

    Args:
        cluster: What was said of its hosts.
        drifts: How hosts came to differ, where a history of images is known.
    """
    return render_text(sections_of_compliance(cluster, drifts=drifts))


def render_markdown_compliance(cluster: ClusterCompliance, *, drifts: Iterable[Drift] = ()) -> str:
    """Return the answer for a cluster as Markdown; arguments as for ``render_compliance``."""
    return render_markdown(sections_of_compliance(cluster, drifts=drifts), _title(cluster))


def render_html_compliance(cluster: ClusterCompliance, *, drifts: Iterable[Drift] = ()) -> str:
    """Return the answer for a cluster as one HTML page that loads nothing.

    Arguments are those of ``render_compliance``.
    """
    return render_html(sections_of_compliance(cluster, drifts=drifts), _title(cluster))


def _title(cluster: ClusterCompliance) -> str:
    return f"Compliance with {cluster.image}"


def sections_of_compliance(cluster: ClusterCompliance, *, drifts: Iterable[Drift] = ()) -> tuple[Section, ...]:
    """Return the cluster, what to know of its hosts, the hosts, how they drifted, and what differs on each."""
    return filled_sections(
        (
            Section(_title(cluster), _summary(cluster)),
            Section("Findings", _findings(cluster)),
            Section("Hosts", _hosts(cluster)),
            section_of_drifts(drifts),
            *(Section(host.host, _host(host)) for host in cluster.hosts),
        )
    )


def _summary(cluster: ClusterCompliance) -> Iterator[Block]:
    counts = Counter(host.status for host in cluster.hosts)
    words = [f"{counts[status]} {STATUS_WORDS[status]}" for status in ComplianceStatus if counts[status]]
    yield Facts(
        [
            ("Status", STATUS_WORDS[cluster.status]),
            ("Impact", IMPACT_WORDS[cluster.impact]),
            ("Hosts", f"{len(cluster.hosts)}: {', '.join(words)}" if words else "none"),
        ],
        label=STATUS_LABELS[cluster.status],
    )


def _hosts(cluster: ClusterCompliance) -> Iterator[Block]:
    if cluster.hosts:
        yield Table(columns=_HOSTS, rows=map(_host_row, cluster.hosts))


def _host_row(host: HostCompliance) -> tuple[str, ...]:
    return (host.host, STATUS_WORDS[host.status], IMPACT_WORDS[host.impact], host.impact_reason)


def _findings(cluster: ClusterCompliance) -> Iterator[Block]:
    for explained in explain_findings(finding for host in cluster.hosts for finding in host.findings):
        yield cause_of_explanation(explained)


def _host(host: HostCompliance) -> Iterator[Block]:
    """Yield what differs on a host, and its VIBs that no component brings."""
    rows = [row for kind, items in _kinds(host) for row in _rows(kind, items)]
    if rows:
        yield Table(columns=_ITEMS, rows=rows)
    if host.standalone_vibs:
        yield Paragraph(f"VIBs that no component brings: {', '.join(host.standalone_vibs)}")


def _kinds(host: HostCompliance) -> Iterator[tuple[str, tuple[ItemCompliance | None, ...]]]:
    yield "base image", (host.base_image,)
    yield "add-on", (host.add_on,)
    yield "component", (*host.components, *host.removed_components)
    yield "solution", host.solutions
    yield "hardware support", host.hardware_support
    yield "VIB", host.vibs


def _rows(kind: str, items: tuple[ItemCompliance | None, ...]) -> Iterator[tuple[str, ...]]:
    for item in items:
        if item is not None and item.status is not ComplianceStatus.COMPLIANT:
            why = "" if item.reason is None else REASON_WORDS[item.reason]
            yield (kind, item.name, *_sides(item), STATUS_WORDS[item.status], why)


def _sides(item: ItemCompliance) -> tuple[str, str]:
    """Return both versions, with names where they differ from the item's."""
    return (_side(item.current_name, item.current), _side(item.target_name, item.target))


def _side(name: str, version: str) -> str:
    if not version:
        return "none"
    return f"{name} {version}" if name else version
