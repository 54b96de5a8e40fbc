"""Signatures of VIBs, in words and as JSON has them: never called trusted where nobody was asked."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping, Sequence

    from esximage_builder.models.vib_facts import VibFacts, VibSignature

__all__ = ["signature_words", "signatures_as_list", "worth_words"]


def signatures_as_list(facts: VibFacts) -> list[dict[str, object]] | None:
    """Return what each signature is worth; None if nobody looked."""
    return None if facts.signatures is None else list(map(_as_dict, facts.signatures))


def _as_dict(signature: VibSignature) -> dict[str, object]:
    return {
        "status": signature.status.value,
        "trust": signature.trust.value,
        "signer": signature.signer,
        "issuer": signature.issuer,
        "digest_algorithm": signature.digest_algorithm,
        "signed_at": _time(signature.signed_at),
        "valid_from": _time(signature.valid_from),
        "valid_until": _time(signature.valid_until),
        "problem": signature.problem,
    }


def _time(moment: dt.datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()


def signature_words(facts: VibFacts) -> str:
    """Return what the signatures are worth, in one line."""
    if not facts.is_signed:
        return "none"
    if facts.signatures is None:
        return "there, not looked at"
    return "; ".join(map(_words, facts.signatures))


def worth_words(signatures: Sequence[Mapping[str, object]] | None) -> str:
    """Return what all signatures of a VIB are worth together, in two or three words.

    Args:
        signatures: As ``signatures_as_list`` has them.
    """
    if not signatures:
        return "not looked at" if signatures is None else "unsigned"
    found = {signature["status"] for signature in signatures}
    for status in ("broken", "unreadable"):
        if status in found:
            return status
    trusts = {str(signature["trust"]) for signature in signatures}
    best = next(trust for trust in _TRUST_WORDS if trust in trusts)
    return f"intact, {_TRUST_WORDS[best]}"


def _words(signature: VibSignature) -> str:
    by = f" by {signature.signer}" if signature.signer else ""
    until = f", certificate until {signature.valid_until.date().isoformat()}" if signature.valid_until else ""
    return f"{signature.status.value}{by}{until}, {_TRUST_WORDS[signature.trust.value]}"


# The best first: one signature of several is enough.
_TRUST_WORDS = {"trusted": "trusted", "untrusted": "untrusted", "not-asked": "trust not asked"}
