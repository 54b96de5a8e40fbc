"""Is a single ``.vib`` file whole, and what its own descriptor says of it?

Nothing outside of the file is needed: the descriptor has size and checksums of every payload.
Whether the signature over the descriptor is right, and whose it is, is not looked at.

Source: docs/formats.md#vib.
"""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, final

import attrs

from esximage_builder.codes import has_code, make_finding
from esximage_builder.containers.ar import ArStream
from esximage_builder.depot.sniff import FileKind
from esximage_builder.documents.vib_archive import read_vib_head
from esximage_builder.errors import EsxImageError
from esximage_builder.limits import ReadLimits
from esximage_builder.streams.blocks import block_stream
from esximage_builder.streams.hashing import COPY_BLOCK_BYTES
from esximage_builder.streams.shared_file import SharedFile
from esximage_builder.verify.checklist import Certainty, Checklist, require_kind
from esximage_builder.verify.vib import GET_AGAIN, check_signed, check_vib, damaged_vib

if TYPE_CHECKING:
    from collections.abc import Iterable

    from esximage_builder.findings import Finding
    from esximage_builder.verify.checklist import Verification

__all__ = ["verify_vib"]


def verify_vib(path: str | Path, *, deep: bool = True, limits: ReadLimits | None = None) -> Verification:
    """Verify a single ``.vib`` file by its own descriptor.

    Args:
        path: The file.
        deep: Unpack payloads and check those checksums too; False checks stored bytes only.
        limits: Upper bounds; None takes the defaults.

    Returns:
        Checks with findings; damage is a finding, not an exception.

    Raises:
        NotADepotError: The file is no VIB at all.
        SourceUnreadableError: It is missing or cannot be read.
    """
    bounds = limits or ReadLimits()
    require_kind(path, FileKind.VIB)
    checks = Checklist(str(path))
    with contextlib.closing(SharedFile(Path(path), where=str(path), noun="VIB")) as file:
        _VibFile(file, bounds).check(checks, deep=deep)
    return checks.result("vib")


@final
@attrs.frozen
class _VibFile:
    """The file, and what bounds its reading."""

    file: SharedFile
    limits: ReadLimits

    def check(self, checks: Checklist, *, deep: bool) -> None:
        """Ask everything that there is something to look at for."""
        try:
            head = read_vib_head(self._open(), where=self.file.where, limits=self.limits)
        except EsxImageError as error:
            _ask_archive(checks, [damaged_vib(error, error.where)])
            return
        try:
            vib = head.parse(where=self.file.where, limits=self.limits)
        except EsxImageError as error:
            _ask_archive(checks, self._walk())
            _ask_descriptor(checks, [_unreadable(error)])
            return
        found = check_vib(vib, self._open(), where=self.file.where, limits=self.limits, deep=deep)
        _ask_archive(checks, [finding for finding in found if has_code(finding, "vib-damaged")])
        _ask_descriptor(checks, [])
        signed = check_signed(vib, is_signed=head.is_signed, where=self.file.where)
        checks.ask("signature", "is it signed, if it is from partner level up?", Certainty.CONFIRMED, signed)
        depth = "stored and unpacked" if deep else "stored"
        question = f"are all payloads what the descriptor says ({depth})?"
        others = [finding for finding in found if not has_code(finding, "vib-damaged")]
        checks.ask("bytes", question, Certainty.CONFIRMED, others)

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


def _ask_archive(checks: Checklist, findings: Iterable[Finding]) -> None:
    question = "is it a sound ar archive of descriptor, signature and payloads?"
    checks.ask("archive", question, Certainty.CONFIRMED, findings)


def _ask_descriptor(checks: Checklist, findings: Iterable[Finding]) -> None:
    checks.ask("descriptor", "can the descriptor be read?", Certainty.CONFIRMED, findings)


def _unreadable(error: EsxImageError) -> Finding:
    return make_finding(
        "unreadable-document",
        error.message,
        items=(error.where,),
        cause=f"found {error.found}, expected {error.expected}" if error.expected else error.found,
        remedy=error.hint or GET_AGAIN,
        where=error.where,
    )
