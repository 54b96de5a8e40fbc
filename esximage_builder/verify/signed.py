"""Are VIBs signed, and what are their signatures worth? One answer for bundles, discs and single VIBs."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, final

import attrs

from esximage_builder.codes import has_code
from esximage_builder.documents.signatures import head_facts
from esximage_builder.rules.vib_facts import check_expiry, check_signed

if TYPE_CHECKING:
    from esximage_builder.documents.vib_archive import VibHead
    from esximage_builder.findings import Finding
    from esximage_builder.models.vib import Vib
    from esximage_builder.models.vib_facts import VibFacts
    from esximage_builder.verify.checklist import Checklist

__all__ = ["SignedVibs", "signer_words"]

_NOT_INSTALLED = "what checks signatures is not installed: pip install esximage-builder[signatures]"


def signer_words(anchors: bytes | None) -> str:
    """Return what is asked of the signer, for the text of a question.

    Args:
        anchors: Certificates to trust; None asks for no trust.
    """
    return "whose it is is not asked" if anchors is None else "and does it lead to a certificate that is trusted"


@final
@attrs.define
class SignedVibs:
    """Collects what is known of signatures while VIBs are looked at.

    Attributes:
        anchors: Certificates to trust, in PEM; None asks for no trust.
    """

    anchors: bytes | None
    _facts: list[VibFacts] = attrs.field(factory=list, init=False)
    _findings: list[Finding] = attrs.field(factory=list, init=False)

    def add(self, vib: Vib, head: VibHead, *, where: str) -> None:
        """Take what the head of a VIB says.

        Args:
            vib: At the level that it claims.
            head: Its descriptor and signature.
            where: How to name it.

        Raises:
            ModelError: The anchors are no certificates.
            MissingExtraError: Trust is asked for and the extra ``signatures`` is not installed.
        """
        facts = head_facts(vib.id, head, anchors=self.anchors)
        self._facts.append(facts)
        self._findings += check_signed(vib, facts, where=where)

    def answer(self, checks: Checklist, name: str, others: list[Finding] | None = None, *, why_not: str = "") -> None:
        """Answer the question; without the extra it was not asked, which is said once.

        Args:
            checks: Takes the answer.
            name: Of the question.
            others: Findings that belong to it besides.
            why_not: Why it could not be asked for another reason.
        """
        found = [finding for finding in self._findings if not has_code(finding, "signatures-not-checked")]
        is_missing = len(found) < len(self._findings)
        found += [*check_expiry(self._facts, dt.datetime.now(dt.UTC)), *(others or ())]
        checks.answer(name, found, why_not=why_not or (_NOT_INSTALLED if is_missing else ""))
