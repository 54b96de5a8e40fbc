"""Compliance in vLCM's own JSON shape: names of fields and values of enumerations are the API's.

A host that is unavailable has no entry among the hosts; what is missing of it stands in the cluster's
notifications. There is no clock here: ``scan_time`` and the times of notifications are there only if
the caller gives a time.

Source: docs/formats.md#compliance.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from datetime import UTC
from typing import TYPE_CHECKING, final

import attrs

from esximage_builder.errors import ModelError
from esximage_builder.findings import Severity
from esximage_builder.models.compliance import ComplianceStatus
from esximage_builder.views.compliance_words import IMPACT_WORDS, REASON_WORDS
from esximage_builder.views.drift import drift_as_dict

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from esximage_builder.findings import Finding
    from esximage_builder.hosts.drift import Drift
    from esximage_builder.models.compliance import ClusterCompliance, HostCompliance, ItemCompliance

__all__ = ["cluster_compliance_as_dict", "host_compliance_as_dict"]

_JsonObject = dict[str, object]
_Side = Callable[[str, str], _JsonObject]  # what stands on one side of an item, from its name and version
_Time = Mapping[str, str]
_LEVELS = {Severity.INFO: "info", Severity.WARNING: "warnings", Severity.ERROR: "errors"}
_SEVERITIES = {
    ComplianceStatus.COMPLIANT: Severity.INFO,
    ComplianceStatus.NON_COMPLIANT: Severity.INFO,
    ComplianceStatus.UNAVAILABLE: Severity.WARNING,
    ComplianceStatus.INCOMPATIBLE: Severity.ERROR,
}
_HOST_LISTS = {
    "compliant_hosts": ComplianceStatus.COMPLIANT,
    "non_compliant_hosts": ComplianceStatus.NON_COMPLIANT,
    "incompatible_hosts": ComplianceStatus.INCOMPATIBLE,
    "unavailable_hosts": ComplianceStatus.UNAVAILABLE,
}


def cluster_compliance_as_dict(
    cluster: ClusterCompliance, *, scan_time: datetime | None = None, drifts: Iterable[Drift] = ()
) -> _JsonObject:
    """Return a cluster as vLCM's ``ClusterCompliance`` has it.

    Args:
        cluster: What was said of its hosts. One whose name another host before it has gets a number behind it.
        scan_time: When they were looked at, with a zone; None leaves every time out.
        drifts: How hosts came to differ: the key ``drift``, which vLCM does not know; left out without any.

    Raises:
        ModelError: The time has no zone.
    """
    time = _time_fields(scan_time)
    drifted = [drift_as_dict(drift) for drift in drifts]
    named = list(zip(_ids(host.host for host in cluster.hosts), cluster.hosts, strict=True))
    judged = [(name, host) for name, host in named if host.status is not ComplianceStatus.UNAVAILABLE]
    untold = (f for host in cluster.hosts if host.status is ComplianceStatus.UNAVAILABLE for f in host.findings)
    return {
        "impact": cluster.impact,
        "status": cluster.status.value,
        "notifications": _notifications(map(_of_finding, untold), time),
        **({"scan_time": time["time"]} if time else {}),
        **{key: [name for name, host in named if host.status is status] for key, status in _HOST_LISTS.items()},
        "hosts": {name: _host(host, time) for name, host in judged},
        "host_info": {name: {"name": host.host} for name, host in named},
        **({"drift": drifted} if drifted else {}),
    }


def host_compliance_as_dict(host: HostCompliance, *, scan_time: datetime | None = None) -> _JsonObject:
    """Return a host as vLCM's ``HostCompliance`` has it.

    Args:
        host: What was said of it.
        scan_time: When it was looked at, with a zone; None leaves every time out.

    Raises:
        ModelError: The time has no zone.
    """
    return _host(host, _time_fields(scan_time))


def _time_fields(scan_time: datetime | None) -> _Time:
    """Return the field that a notification has of it, as the API writes times; empty without a time."""
    if scan_time is None:
        return {}
    if scan_time.tzinfo is None:
        raise ModelError("a scan time has no zone", found=str(scan_time), expected="an aware datetime, such as in UTC")
    return {"time": scan_time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")}


def _ids(names: Iterable[str]) -> Iterator[str]:
    """Yield each name once: hosts that were never named are all called alike."""
    taken: set[str] = set()
    for name in names:
        candidates = (f"{name} ({number})" if number > 1 else name for number in itertools.count(1))
        free = next(candidate for candidate in candidates if candidate not in taken)
        taken.add(free)
        yield free


def _host(host: HostCompliance, time: _Time) -> _JsonObject:
    document: _JsonObject = {
        "impact": host.impact,
        "status": host.status.value,
        "notifications": _notifications(_of_host(host), time),
        **({"scan_time": time["time"]} if time else {}),
        "base_image": None if host.base_image is None else _item(host.base_image, _plain, time),
        "add_on": None if host.add_on is None else _item(host.add_on, _named, time),
        "components": {item.name: _component(item, time) for item in host.components},
        "removed_components": {item.name: _component(item, time) for item in host.removed_components},
        "solutions": {item.name: _item(item, _plain, time) for item in host.solutions},
        "hardware_support": {item.name: _item(item, _packaged, time) for item in host.hardware_support},
    }
    if host.vibs:  # an image without components, which vLCM does not know
        document["vibs"] = {item.name: _item(item, _plain, time) for item in host.vibs}
    return document


# Items


def _item(item: ItemCompliance, side: _Side, time: _Time) -> _JsonObject:
    return {
        "status": item.status.value,
        "current": side(item.current_name or item.name, item.current) if item.current else None,
        "target": side(item.target_name or item.name, item.target) if item.target else None,
        "notifications": _notifications(_of_item(item), time),
    }


def _component(item: ItemCompliance, time: _Time) -> _JsonObject:
    sources = {"current_source": item.current_source or None, "target_source": item.target_source or None}
    return _item(item, _plain, time) | sources


def _plain(name: str, version: str) -> _JsonObject:  # noqa: ARG001 - the key above says the name
    return {"version": version}


def _named(name: str, version: str) -> _JsonObject:
    return {"name": name, "version": version}


def _packaged(name: str, version: str) -> _JsonObject:
    return {"pkg": name, "version": version}


# Notifications


@final
@attrs.frozen
class _Note:
    """One notification: its level, its id, what it says of which things, and what to do."""

    severity: Severity
    id: str
    message: str
    args: tuple[str, ...] = ()
    resolution: str = ""


def _of_host(host: HostCompliance) -> Iterator[_Note]:
    yield from map(_of_finding, host.findings)
    if host.impact_reason:
        yield _Note(Severity.INFO, "impact-reason", f"{IMPACT_WORDS[host.impact]}: {host.impact_reason}")


def _of_finding(finding: Finding) -> _Note:
    return _Note(finding.severity, finding.code, finding.message, finding.items, finding.remedy)


def _of_item(item: ItemCompliance) -> Iterator[_Note]:
    if item.reason is not None:
        yield _Note(_SEVERITIES[item.status], item.reason.value, REASON_WORDS[item.reason], (item.name,))


def _notifications(notes: Iterable[_Note], time: _Time) -> _JsonObject:
    """Return the notifications of each level that has any."""
    levels: dict[str, list[_JsonObject]] = {}
    for note in notes:
        levels.setdefault(_LEVELS[note.severity], []).append(_notification(note, time))
    return {level: levels[level] for level in _LEVELS.values() if level in levels}


def _notification(note: _Note, time: _Time) -> _JsonObject:
    message = {"id": note.id, "default_message": note.message, "args": list(note.args)}
    resolution = {"id": f"{note.id}.resolution", "default_message": note.resolution, "args": []}
    return {"id": note.id, **time, "message": message, **({"resolution": resolution} if note.resolution else {})}
