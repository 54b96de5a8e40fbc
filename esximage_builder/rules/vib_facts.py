"""Whether a VIB is what its metadata says: one answer for validation, exports and verification.

An image is composed and judged by metadata; a host reads the descriptor in the VIB. So both must say
the same. What the metadata lacks contradicts nothing, and neither do texts, dates and unknown
elements that one of the two lacks.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import attrs

from esximage_builder.codes import make_finding
from esximage_builder.models.vib import Payload, Vib
from esximage_builder.vocabulary import AcceptanceLevel

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from esximage_builder.findings import Finding
    from esximage_builder.models.vib_facts import VibFacts

__all__ = ["check_descriptor", "check_signed", "check_vib_facts", "differing_fields", "true_level"]

_GET_AGAIN = "the file is damaged or was changed: get it again from its publisher"
_UNKNOWN = ("extra", "extra_requirements", "extra_relationships")
_OPTIONAL = ("summary", "description", "urls", "released_at", "schema_version", "files")
_PLATFORMS = ("software_platforms", "hardware_platforms")
_APART = frozenset({"file", "payloads", "acceptance_level", *_UNKNOWN, *_OPTIONAL, *_PLATFORMS})
_EXACT = tuple(field.name for field in attrs.fields(Vib) if field.init and field.name not in _APART)
_NOTHING = ("", None)


def differing_fields(vib: Vib, inside: Vib) -> tuple[str, ...]:
    """Return the fields that metadata and VIB both state, and state differently.

    Args:
        vib: By the metadata.
        inside: By its own descriptor.
    """
    names = [name for name in _EXACT if getattr(vib, name) != getattr(inside, name)]
    names += [name for name in _PLATFORMS if getattr(vib, name) and getattr(vib, name) != getattr(inside, name)]
    names += [name for name in _OPTIONAL if _contradict(getattr(vib, name), getattr(inside, name))]
    names += [name for name in _UNKNOWN if _unknown_differ(getattr(vib, name), getattr(inside, name))]
    if vib.acceptance_level < inside.acceptance_level:
        names.append("acceptance_level")
    if not _are_same_payloads(vib.payloads, inside.payloads):
        names.append("payloads")
    order = [field.name for field in attrs.fields(Vib)]
    return tuple(sorted(names, key=order.index))


def _contradict(stated: object, found: object) -> bool:
    """Whether the metadata states something else than the VIB, or what the VIB does not state at all."""
    return stated != found and stated not in (*_NOTHING, ())


def _unknown_differ(stated: Iterable[str], found: Iterable[str]) -> bool:
    """Compare elements of one name, whatever the order of their attributes."""
    theirs, ours = _by_name(stated), _by_name(found)
    return any(theirs[name] != ours[name] for name in theirs.keys() & ours.keys())


def _by_name(elements: Iterable[str]) -> dict[str, list[list[str]]]:
    found: dict[str, list[list[str]]] = {}
    for element in elements:
        words = re.findall(r"[^\s<>/]+", element)
        found.setdefault(words[0] if words else "", []).append(sorted(words))
    return {name: sorted(same) for name, same in found.items()}


def _are_same_payloads(stated: Sequence[Payload], found: Sequence[Payload]) -> bool:
    return len(stated) == len(found) and all(map(_is_same_payload, stated, found))


def _is_same_payload(stated: Payload, found: Payload) -> bool:
    decided = ("name", "type", "boot_order", "vfat_name")
    optional = ("size_bytes", "uncompressed_size_bytes", "compression_option")
    sums = {(item.algorithm, item.verify_process): item.digest for item in found.checksums}
    return (
        all(getattr(stated, name) == getattr(found, name) for name in decided)
        and not any(_contradict(getattr(stated, name), getattr(found, name)) for name in optional)
        and all(sums.get((item.algorithm, item.verify_process)) == item.digest for item in stated.checksums)
    )


def check_descriptor(vib: Vib, inside: Vib, *, where: str) -> Iterator[Finding]:
    """Compare metadata with the VIB's own descriptor.

    Args:
        vib: By the metadata.
        inside: By its own descriptor.
        where: How to name the VIB.
    """
    differing = differing_fields(vib, inside)
    if differing:
        elements = ", ".join(differing).replace("_", " ")
        yield make_finding(
            "descriptor-differs",
            f"the descriptor in the VIB says something else than the depot's metadata: {elements}",
            items=(where,),
            facts={"vib": vib.id, "elements": elements},
            cause="the metadata was edited, or belongs to another build",
            remedy=_GET_AGAIN,
            where=where,
        )
    if vib.acceptance_level > inside.acceptance_level:
        claimed, found = vib.acceptance_level, inside.acceptance_level
        yield make_finding(
            "acceptance-level-differs",
            f"the metadata claims that {vib.id} is {claimed.display}, the VIB says {found.display}",
            items=(where,),
            facts={"vib": vib.id, "level": claimed.value, "found": found.value},
            cause="the level in the metadata was raised; a host goes by the VIB",
            remedy="take a build that is signed at that level, or a depot that states the true one",
            where=where,
        )


def check_signed(vib: Vib, *, is_signed: bool, where: str) -> tuple[Finding, ...]:
    """See that a VIB from partner level up has a signature; whether it is right is not looked at."""
    if is_signed or vib.acceptance_level < AcceptanceLevel.PARTNER:
        return ()
    level = vib.acceptance_level.display
    return (
        make_finding(
            "signature-missing",
            f"{vib.id} claims to be {level} but is not signed",
            where=where,
            items=(where,),
            facts={"vib": vib.id},
            remedy=_GET_AGAIN,
        ),
    )


def check_vib_facts(vibs: Iterable[Vib], facts: Iterable[VibFacts]) -> Iterator[Finding]:
    """Hold what was found in VIBs against their metadata.

    Args:
        vibs: By the metadata; those without facts are passed over.
        facts: What was found, of these or more.
    """
    known = {item.vib_id: item for item in facts}
    for vib in vibs:
        item = known.get(vib.id)
        if item is not None:
            yield from _check_one(vib, item)


def _check_one(vib: Vib, facts: VibFacts) -> Iterator[Finding]:
    if facts.descriptor is None:
        yield make_finding(
            "vib-damaged", facts.problem, items=(vib.id,), remedy=_GET_AGAIN, where=facts.where or vib.id
        )
        return
    yield from check_descriptor(vib, facts.descriptor, where=vib.id)
    higher = max(vib, facts.descriptor, key=lambda described: described.acceptance_level)
    yield from check_signed(higher, is_signed=facts.is_signed, where=vib.id)


def true_level(vib: Vib, facts: VibFacts | None) -> AcceptanceLevel:
    """Return the acceptance level that a host goes by: that of the VIB, or the stated one if that is lower."""
    if facts is None or facts.descriptor is None:
        return vib.acceptance_level
    return min(vib.acceptance_level, facts.descriptor.acceptance_level)
