"""Which elements a copy of a descriptor states, and taking those that it lacks from the VIB itself.

Depot tools have dropped elements from the depot's copy of descriptors that have them. What is
dropped looks like what was never said, so a copy that lacks one is completed from the VIB. The
only element whose absence says nothing by itself is ``hwplatform``: hardly any VIB has one.

Source: docs/formats.md#vib-descriptor.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from esximage_builder.containers.xml import XmlElement
    from esximage_builder.models.vib import Payload, Vib

__all__ = ["may_state", "unstated_elements", "with_elements_of"]

_TOP = {
    "type": "type",
    "summary": "summary",
    "description": "description",
    "release-date": "released_at",
    "urls": "urls",
    "software-tags": "tags",
    "file-list": "files",
    "acceptance-level": "acceptance_level",
    "live-install-allowed": "live_install_allowed",
    "live-remove-allowed": "live_remove_allowed",
    "cimom-restart": "cimom_restart",
    "stateless-ready": "stateless_ready",
    "overlay": "overlay",
    "payloads": "payloads",
}
_RELATIONS = {
    "depends": "depends",
    "conflicts": "conflicts",
    "replaces": "replaces",
    "provides": "provides",
    "compatibleWith": "compatible_with",
}
_REQUIREMENTS = {"softwarePlatform": "software_platforms"}
_HARDWARE = {"hwplatform": "hardware_platforms"}
_MAINTENANCE = "maintenance-mode"
_SPELLINGS = (_MAINTENANCE, "maintenanceMode")
_CHECKSUM = "checksum"
_FIELDS = _TOP | _RELATIONS | _REQUIREMENTS | _HARDWARE | {_MAINTENANCE: "maintenance_mode"}


def unstated_elements(children: Mapping[str, XmlElement], vib: Vib) -> frozenset[str]:
    """Return the names of elements that a descriptor lacks altogether; an empty element is stated.

    ``hwplatform`` is among them only beside others. ``checksum`` is, if a payload has none over its stored bytes.

    Args:
        children: The descriptor's elements by name.
        vib: The VIB that was made of them.
    """
    required = _tags_under(children.get("system-requires"))
    lacking = (_TOP.keys() - children.keys()) | (_RELATIONS.keys() - _tags_under(children.get("relationships")))
    lacking |= _REQUIREMENTS.keys() - required
    if required.isdisjoint(_SPELLINGS):
        lacking.add(_MAINTENANCE)
    if not all(map(_has_stored_checksum, vib.payloads)):
        lacking.add(_CHECKSUM)
    if lacking:
        lacking |= _HARDWARE.keys() - required
    return frozenset(lacking)


def _tags_under(parent: XmlElement | None) -> set[str]:
    return set() if parent is None else {str(child.tag) for child in parent}


def _has_stored_checksum(payload: Payload) -> bool:
    return any(not checksum.verify_process for checksum in payload.checksums)


def may_state(descriptor: bytes, elements: Collection[str]) -> bool:
    """Tell whether a descriptor can state one of the elements, without parsing it; it may turn out not to."""
    names = _SPELLINGS if _MAINTENANCE in elements else ()
    return any(f"<{name}".encode() in descriptor for name in (*elements, *names))


def with_elements_of(vib: Vib, inside: Vib, elements: Collection[str]) -> tuple[Vib, tuple[str, ...]]:
    """Return the VIB with elements that its metadata lacks, and the names of those that were taken.

    Args:
        vib: By the metadata.
        inside: The same VIB by its own descriptor.
        elements: Those that the metadata lacks.
    """
    taken = {
        element: getattr(inside, field)
        for element, field in _FIELDS.items()
        if element in elements and getattr(inside, field) != getattr(vib, field)
    }
    completed = attrs.evolve(vib, **{_FIELDS[element]: value for element, value in taken.items()})
    if _CHECKSUM not in elements or "payloads" in taken:
        return completed, tuple(taken)
    known = {payload.name: payload for payload in inside.payloads}
    payloads = tuple(_with_checksums(payload, known.get(payload.name)) for payload in completed.payloads)
    if payloads == completed.payloads:
        return completed, tuple(taken)
    return attrs.evolve(completed, payloads=payloads), (*taken, _CHECKSUM)


def _with_checksums(payload: Payload, inside: Payload | None) -> Payload:
    """Return the payload with the kinds of checksum that it lacks."""
    if inside is None:
        return payload
    kinds = {(checksum.algorithm, checksum.verify_process) for checksum in payload.checksums}
    more = [item for item in inside.checksums if (item.algorithm, item.verify_process) not in kinds]
    return attrs.evolve(payload, checksums=(*payload.checksums, *more))
