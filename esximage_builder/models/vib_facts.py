"""What the bytes of a VIB say, as a value: rules see no bytes, and judge by this.

Of a signature there are two answers, and neither follows from the other: whether it covers the descriptor
(``SignatureStatus``), which anybody's signature can, and whether it comes from somebody whom the caller
trusts (``Trust``), which is asked with certificates of the caller's alone.
"""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING, Protocol, final, runtime_checkable

import attrs

from esximage_builder.models.fields import as_tuple
from esximage_builder.shown import Shown

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable

    from esximage_builder.models.vib import Vib

__all__ = ["KnowsVibFacts", "SignatureStatus", "Trust", "VibFacts", "VibSignature"]


class SignatureStatus(enum.StrEnum):
    """Whether a signature covers the bytes that it should; whose it is, is not said by it."""

    INTACT = "intact"
    """It covers exactly these bytes."""
    BROKEN = "broken"
    """It covers other bytes, or is not of the key in its certificate."""
    UNREADABLE = "unreadable"
    """It is no signature, or of a kind that cannot be checked."""


class Trust(enum.StrEnum):
    """Whether a signature leads to a certificate that the caller trusts."""

    NOT_ASKED = "not-asked"
    """No certificates were given to be trusted."""
    TRUSTED = "trusted"
    """It is intact, and its certificate is one of those given or was issued below one of them."""
    UNTRUSTED = "untrusted"
    """It is not intact, or its certificate leads to none of those given."""


@final
@attrs.frozen(kw_only=True, repr=False)
class VibSignature(Shown):
    """One signature, as it was found.

    Attributes:
        status: Whether it covers the bytes that it should.
        trust: Whether it leads to a certificate that the caller trusts; dates and revocation do not count.
        signer: Common name of its certificate; anybody can write any name there. Empty if unreadable.
        issuer: The same of the certificate's issuer.
        digest_algorithm: ``sha-256``, ``sha-384``, ``sha-512``, or the file's own word.
        signed_at: When, as the signer's own clock said, in UTC; None if not stated.
        valid_from: Begin of the certificate's validity, in UTC.
        valid_until: Its end, in UTC. A fact by itself: no signature is refused for it.
        problem: Why it is not intact, or not trusted where that was asked; else empty.
    """

    status: SignatureStatus
    trust: Trust = Trust.NOT_ASKED
    signer: str = ""
    issuer: str = ""
    digest_algorithm: str = ""
    signed_at: dt.datetime | None = None
    valid_from: dt.datetime | None = None
    valid_until: dt.datetime | None = None
    problem: str = ""

    @property
    def is_intact(self) -> bool:
        """True if it covers the bytes that it should; no word about whose it is."""
        return self.status is SignatureStatus.INTACT

    @property
    def is_trusted(self) -> bool:
        """True if it is intact and leads to a certificate that the caller gave; False also if none was given."""
        return self.trust is Trust.TRUSTED

    def is_expired(self, moment: dt.datetime) -> bool:
        """Tell whether the certificate has expired at a moment, which must be aware."""
        return self.valid_until is not None and self.valid_until < moment


@final
@attrs.frozen(kw_only=True, repr=False)
class VibFacts(Shown):
    """What was found in one VIB of an image.

    Attributes:
        vib_id: Id by which the image has it.
        descriptor: What the VIB says of itself; None if that could not be read.
        is_signed: Whether a signature is there; what it is worth is said by ``signatures``.
        signatures: What each signature is worth, in the order of the file; empty if there is none. None if
            nobody looked, as without the extra ``signatures``.
        problem: Why it could not be read; empty if it could.
        where: How to name the file in findings.
    """

    vib_id: str
    descriptor: Vib | None = None
    is_signed: bool = False
    signatures: tuple[VibSignature, ...] | None = attrs.field(
        default=None, converter=attrs.converters.optional(as_tuple)
    )
    problem: str = ""
    where: str = ""


@runtime_checkable
class KnowsVibFacts(Protocol):
    """What can tell the facts about VIBs, as an opened depot can."""

    def facts_of(self, vibs: Iterable[Vib], *, anchors: bytes | None = None) -> tuple[VibFacts, ...]:
        """Return the facts about those VIBs that it holds; whose signatures are, with certificates to trust alone."""
        ...
