"""What signatures are worth, as values: those of VIBs, and detached ones that a host keeps.

A host keeps the signature of a VIB as ``NAME.xml.sig``. It covers ``NAME.xml.orig``, and ``NAME.xml``
where there is no such file.

Source: docs/formats.md, "The signature of a VIB".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from esximage_builder.containers.cms import check_each_signature, require_anchors
from esximage_builder.errors import DepotError, LimitExceededError, MissingExtraError
from esximage_builder.limits import ReadLimits
from esximage_builder.models.vib_facts import SignatureStatus, Trust, VibFacts, VibSignature

if TYPE_CHECKING:
    from esximage_builder.containers.cms import SignatureFacts
    from esximage_builder.documents.vib_archive import VibHead
    from esximage_builder.models.vib import Vib

__all__ = ["head_facts", "verify_detached"]


def verify_detached(
    data: bytes,
    signature: bytes,
    *,
    anchors: bytes | None = None,
    where: str = "the signature",
    limits: ReadLimits | None = None,
) -> tuple[VibSignature, ...]:
    """Check a detached signature, as ``sig.pkcs7`` of a VIB and ``.xml.sig`` of a host are.

    Without ``anchors`` nothing is ever called trusted: anybody can make a signature that is intact.

    Args:
        data: The exact bytes that it should cover: ``descriptor.xml`` of a VIB; of a host the file
            ``.xml.orig``, or ``.xml`` where there is none.
        signature: The whole file, PEM; may hold several.
        anchors: Certificates to trust, in PEM; None does not ask for trust.
        where: How to name the signature in problems.
        limits: Upper bounds; None takes the defaults. A signature longer than a document is unreadable.

    Returns:
        One for each signature, in their order; a single one if it cannot be read; empty if there is none.

    Raises:
        ModelError: ``anchors`` are no certificates.
        MissingExtraError: The extra ``signatures`` is not installed.
    """
    require_anchors(anchors)
    if not signature.strip():
        return ()
    try:
        _require_within(signature, limits or ReadLimits(), where)
        checked = check_each_signature(signature, data, where=where, anchors=anchors)
    except DepotError as error:
        checked = (error,)
    return tuple(_unreadable(item, anchors) if isinstance(item, DepotError) else _as_value(item) for item in checked)


def _unreadable(error: DepotError, anchors: bytes | None) -> VibSignature:
    trust = Trust.NOT_ASKED if anchors is None else Trust.UNTRUSTED
    problem = f"{error.message}: {error.found}" if error.found else error.message
    return VibSignature(status=SignatureStatus.UNREADABLE, trust=trust, problem=problem)


def _require_within(signature: bytes, limits: ReadLimits, where: str) -> None:
    if len(signature) > limits.document_bytes:
        raise LimitExceededError(
            "the signature is larger than the limit",
            where=where,
            found=f"{len(signature)} bytes",
            expected=f"at most {limits.document_bytes} bytes",
        )


def head_facts(vib_id: str, head: VibHead, descriptor: Vib | None = None, *, anchors: bytes | None = None) -> VibFacts:
    """Return what the head of a VIB says, as a value.

    Args:
        vib_id: Id of the VIB.
        head: Its exact descriptor and signature.
        descriptor: What the descriptor says, for those who want it in the value.
        anchors: Certificates to trust, in PEM; None does not ask for trust.

    Raises:
        ModelError: ``anchors`` are no certificates.
        MissingExtraError: Trust is asked for and the extra ``signatures`` is not installed; without anchors
            the signatures are then None.
    """
    signatures: tuple[VibSignature, ...] | None
    try:
        signatures = verify_detached(head.descriptor, head.signature, anchors=anchors, where=vib_id)
    except MissingExtraError:
        if anchors is not None:
            raise
        signatures = None
    return VibFacts(vib_id=vib_id, descriptor=descriptor, is_signed=head.is_signed, signatures=signatures)


def _as_value(facts: SignatureFacts) -> VibSignature:
    return VibSignature(
        status=_STATUS[facts.covers_descriptor],
        trust=_TRUST[facts.is_trusted],
        signer=facts.signer,
        issuer=facts.issuer,
        digest_algorithm=facts.digest_algorithm,
        signed_at=facts.signed_at,
        valid_from=facts.valid_from,
        valid_until=facts.valid_until,
        problem=facts.problem or facts.distrust,
    )


_STATUS = {True: SignatureStatus.INTACT, False: SignatureStatus.BROKEN, None: SignatureStatus.UNREADABLE}
_TRUST = {True: Trust.TRUSTED, False: Trust.UNTRUSTED, None: Trust.NOT_ASKED}
