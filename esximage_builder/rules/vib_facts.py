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
from esximage_builder.findings import Finding, Severity
from esximage_builder.models.vib import Payload, Vib
from esximage_builder.models.vib_facts import SignatureStatus, Trust
from esximage_builder.vocabulary import AcceptanceLevel

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable, Iterator, Sequence

    from esximage_builder.models.vib_facts import VibFacts, VibSignature

__all__ = ["check_descriptor", "check_expiry", "check_signed", "check_vib_facts", "differing_fields", "true_level"]

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


def check_signed(vib: Vib, facts: VibFacts, *, where: str) -> Iterator[Finding]:
    """See that a VIB from partner level up has a signature, and what every signature is worth.

    Args:
        vib: At the level that it claims.
        facts: What was found; whose a signature is was asked for or not, and counts if it was.
        where: How to name the VIB.
    """
    if not facts.is_signed:
        yield from _unsigned(vib, where)
    elif facts.signatures is None:
        yield make_finding(
            "signatures-not-checked",
            "signatures were not looked at: what checks them is not installed",
            remedy="pip install esximage-builder[signatures]",
        )
    else:
        for signature in facts.signatures:
            if not signature.is_intact:
                yield _bad_signature(vib, signature, where)
        yield from _untrusted(vib, facts.signatures, where)


def _unsigned(vib: Vib, where: str) -> Iterator[Finding]:
    if vib.acceptance_level >= AcceptanceLevel.PARTNER:
        level = vib.acceptance_level
        yield make_finding(
            "signature-missing",
            f"{vib.id} claims to be {level.display} but is not signed",
            where=where,
            items=(where,),
            facts={"vib": vib.id, "level": level.value},
            remedy=_GET_AGAIN,
        )


def _bad_signature(vib: Vib, signature: VibSignature, where: str) -> Finding:
    is_broken = signature.status is SignatureStatus.BROKEN
    words = "its signature covers something else" if is_broken else "its signature cannot be read or checked"
    by = f" (by {signature.signer!r})" if signature.signer else ""
    return _about_signature(
        "signature-broken" if is_broken else "signature-unreadable",
        f"{vib.id} claims to be {vib.acceptance_level.display}, and {words}{by}",
        vib,
        where,
        signature.problem,
    )


def _untrusted(vib: Vib, signatures: tuple[VibSignature, ...], where: str) -> Iterator[Finding]:
    """Name intact signatures that lead to nobody who is trusted; others were told of already."""
    untrusted = [item for item in signatures if item.is_intact and item.trust is Trust.UNTRUSTED]
    if not untrusted:
        return
    signers = ", ".join(repr(signature.signer) for signature in untrusted)
    claim = f"{vib.id} claims to be {vib.acceptance_level.display}, and is signed by"
    cause = untrusted[0].problem
    if not any(signature.is_trusted for signature in signatures):
        yield _about_signature("signature-untrusted", f"{claim} nobody trusted: {signers}", vib, where, cause)
        return
    yield make_finding(
        "signature-untrusted",
        f"{claim} somebody trusted, and by others who are not: {signers}",
        severity=Severity.INFO,
        items=(where,),
        facts={"vib": vib.id, "level": vib.acceptance_level.value},
        cause=cause,
        where=where,
    )


def _about_signature(code: str, message: str, vib: Vib, where: str, cause: str) -> Finding:
    """Return an error from partner level up, where hosts go by signatures, and a warning below."""
    level = vib.acceptance_level
    return make_finding(
        code,
        message,
        severity=Severity.ERROR if level >= AcceptanceLevel.PARTNER else Severity.WARNING,
        items=(where,),
        facts={"vib": vib.id, "level": level.value},
        cause=cause,
        remedy=_GET_AGAIN,
        where=where,
    )


def check_expiry(facts: Iterable[VibFacts], moment: dt.datetime) -> Iterator[Finding]:
    """Name certificates that have expired, each once with its date; no signature is refused for it.

    Args:
        facts: What was found.
        moment: When, aware.
    """
    expired: dict[tuple[str, dt.datetime], list[str]] = {}
    for item in facts:
        for signature in item.signatures or ():
            if signature.valid_until is not None and signature.is_expired(moment):
                expired.setdefault((signature.signer, signature.valid_until), []).append(item.vib_id)
    for (signer, until), vib_ids in sorted(expired.items()):
        yield make_finding(
            "certificate-expired",
            f"the certificate of {signer!r} expired on {until.date().isoformat()}; VIBs signed with it: {len(vib_ids)}",
            items=tuple(dict.fromkeys(vib_ids)),
        )


def check_vib_facts(
    vibs: Iterable[Vib], facts: Iterable[VibFacts], *, signatures: Iterable[VibFacts] | None = None
) -> Iterator[Finding]:
    """Hold what was found in VIBs against their metadata.

    Args:
        vibs: By the metadata; those without facts are passed over.
        facts: What was found, of these or more.
        signatures: Facts whose signatures count in place of those; None has none such.
    """
    known = {item.vib_id: item for item in facts}
    worth = {item.vib_id: item for item in signatures or ()}
    for vib in vibs:
        item = known.get(vib.id)
        if item is not None:
            yield from _check_one(vib, item)
        signed = worth.get(vib.id, item)
        if signed is not None and not signed.problem and not (item is not None and item.problem):
            yield from _check_worth(vib, signed, item)


def _check_one(vib: Vib, facts: VibFacts) -> Iterator[Finding]:
    if facts.descriptor is None:
        yield make_finding(
            "vib-damaged", facts.problem, items=(vib.id,), remedy=_GET_AGAIN, where=facts.where or vib.id
        )
        return
    yield from check_descriptor(vib, facts.descriptor, where=vib.id)


def _check_worth(vib: Vib, signed: VibFacts, facts: VibFacts | None) -> Iterator[Finding]:
    """Judge signatures at the highest level that anybody claims."""
    described = [item.descriptor for item in (signed, facts) if item is not None and item.descriptor is not None]
    highest = max([vib, *described], key=lambda item: item.acceptance_level)
    yield from check_signed(highest, signed, where=vib.id)


def true_level(vib: Vib, facts: VibFacts | None) -> AcceptanceLevel:
    """Return the acceptance level that a host goes by: that of the VIB, or the stated one if that is lower."""
    if facts is None or facts.descriptor is None:
        return vib.acceptance_level
    return min(vib.acceptance_level, facts.descriptor.acceptance_level)
