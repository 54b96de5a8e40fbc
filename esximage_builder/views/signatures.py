"""Signatures of VIBs, in words and as JSON has them: never called trusted where nobody was asked."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import datetime as dt

    from esximage_builder.models.vib_facts import VibFacts, VibSignature

__all__ = ["signature_words", "signatures_as_list"]


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


def _words(signature: VibSignature) -> str:
    by = f" by {signature.signer}" if signature.signer else ""
    until = f", certificate until {signature.valid_until.date().isoformat()}" if signature.valid_until else ""
    return f"{signature.status.value}{by}{until}, {_TRUST_WORDS[signature.trust.value]}"


_TRUST_WORDS = {"not-asked": "trust not asked", "trusted": "trusted", "untrusted": "not trusted"}
