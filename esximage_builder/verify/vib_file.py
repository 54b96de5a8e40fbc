"""Is a single ``.vib`` file whole, and what its own descriptor says of it?

Nothing outside of the file is needed: the descriptor has size and checksums of every payload.
Whose the signature over the descriptor is, is asked with certificates that the caller trusts alone.

Source: docs/formats.md#vib.
"""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, final

import attrs

from esximage_builder.codes import has_code, make_finding
from esximage_builder.containers.ar import ArStream
from esximage_builder.containers.cms import require_anchors
from esximage_builder.depot.sniff import FileKind
from esximage_builder.depot.vib_check import GET_AGAIN, check_vib, damaged_vib
from esximage_builder.documents.vib_archive import read_vib_head
from esximage_builder.errors import EsxImageError
from esximage_builder.limits import ReadBudget, ReadLimits
from esximage_builder.streams.blocks import block_stream
from esximage_builder.streams.hashing import COPY_BLOCK_BYTES
from esximage_builder.streams.shared_file import SharedFile
from esximage_builder.verify.checklist import Checklist, Question, require_kind
from esximage_builder.verify.signed import SignedVibs, signer_words

if TYPE_CHECKING:
    from esximage_builder.findings import Finding
    from esximage_builder.verify.checklist import Verification

__all__ = ["verify_vib"]


def verify_vib(
    path: str | Path, *, deep: bool = True, limits: ReadLimits | None = None, anchors: bytes | None = None
) -> Verification:
    """Verify a single ``.vib`` file by its own descriptor.

    Args:
        path: The file.
        deep: Unpack payloads and check those checksums too; False checks stored bytes only.
        limits: Upper bounds; None takes the defaults.
        anchors: Certificates to trust, in PEM; None asks of signatures only what they cover.

    Returns:
        Checks with findings; damage is a finding, not an exception.

    Raises:
        NotADepotError: The file is no VIB at all.
        SourceUnreadableError: It is missing or cannot be read.
        ModelError: ``anchors`` are no certificates.
        MissingExtraError: ``anchors`` need the extra ``signatures``, which is not installed.
    """
    require_anchors(anchors)
    bounds = limits or ReadLimits()
    require_kind(path, FileKind.VIB)
    checks = Checklist(str(path), _questions(deep=deep, anchors=anchors))
    with contextlib.closing(SharedFile(Path(path), where=str(path), noun="VIB")) as file:
        _VibFile(file, bounds, ReadBudget(bounds, file.size_bytes), anchors).check(checks, deep=deep)
    return checks.result("vib")


@final
@attrs.frozen
class _VibFile:
    """The file, and what bounds its reading."""

    file: SharedFile
    limits: ReadLimits
    budget: ReadBudget
    anchors: bytes | None

    def check(self, checks: Checklist, *, deep: bool) -> None:
        """Ask everything that there is something to look at for."""
        try:
            head = read_vib_head(self._open(), where=self.file.where, limits=self.limits)
        except EsxImageError as error:
            checks.answer("archive", [damaged_vib(error, error.where)])
            checks.leave_unasked("the archive cannot be read")
            return
        try:
            vib = head.parse(where=self.file.where, limits=self.limits)
        except EsxImageError as error:
            checks.answer("archive", self._walk())
            checks.answer("descriptor", [_unreadable(error)])
            checks.leave_unasked("the descriptor, which says what there must be, cannot be read")
            return
        found = check_vib(vib, self._open(), where=self.file.where, limits=self.limits, deep=deep, budget=self.budget)
        checks.answer("archive", [finding for finding in found if has_code(finding, "vib-damaged")])
        checks.answer("descriptor")
        signed = SignedVibs(self.anchors)
        signed.add(vib, head, where=self.file.where)
        signed.answer(checks, "signature")
        checks.answer("bytes", [finding for finding in found if not has_code(finding, "vib-damaged")])

    def _open(self) -> BinaryIO:
        size = self.file.size_bytes
        steps = range(0, size, COPY_BLOCK_BYTES)
        return block_stream(self.file.read_at(at, min(COPY_BLOCK_BYTES, size - at)) for at in steps)

    def _walk(self) -> list[Finding]:
        """Go through all members of an archive whose descriptor nobody can read."""
        try:
            for _, stream in ArStream(self._open(), where=self.file.where, limits=self.limits):
                while stream.read(COPY_BLOCK_BYTES):
                    pass
        except EsxImageError as error:
            return [damaged_vib(error, error.where)]
        return []


def _questions(*, deep: bool, anchors: bytes | None) -> tuple[Question, ...]:
    signer = signer_words(anchors)
    depth = "stored and unpacked" if deep else "stored"
    return (
        Question("archive", "is it a sound ar archive of descriptor, signature and payloads?"),
        Question("descriptor", "can the descriptor be read?"),
        Question(
            "signature", f"is it signed, if it is from partner level up, and does each signature cover it ({signer})?"
        ),
        Question("bytes", f"are all payloads what the descriptor says ({depth})?"),
    )


def _unreadable(error: EsxImageError) -> Finding:
    return make_finding(
        "unreadable-document",
        error.message,
        items=(error.where,),
        cause=f"found {error.found}, expected {error.expected}" if error.expected else error.found,
        remedy=error.hint or GET_AGAIN,
        where=error.where,
    )
