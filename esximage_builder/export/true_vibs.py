"""Whether the VIBs to be written are what their metadata says, before anything is written.

Heads are always looked at: what was composed and judged by metadata is what a host will read in the
VIB. Payloads are checked as they are stored while they are written; on request they are unpacked before.
``verify_bundle`` and ``verify_iso`` ask the same questions of what is written.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, final, get_args

import attrs

from esximage_builder.depot.store import open_source
from esximage_builder.errors import ChecksumMismatchError, ModelError
from esximage_builder.export.gate import require_allowed
from esximage_builder.findings import Severity
from esximage_builder.limits import ReadBudget
from esximage_builder.rules.vib_facts import check_vib_facts, differing_fields

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from esximage_builder.depot.store import MeasuredVibStore
    from esximage_builder.findings import Finding
    from esximage_builder.limits import ReadLimits
    from esximage_builder.models.image import Image
    from esximage_builder.models.vib import Vib

__all__ = ["CHECKS", "Check", "VibCheck", "check_unpacked", "disc_vibs", "require_same_descriptor", "with_waived"]

Check = Literal["stored", "unpacked"]
CHECKS = get_args(Check)
_NOT_TRUE = "VIBs are not what their metadata says"


@final
@attrs.frozen(kw_only=True)
class VibCheck:
    """Looks at VIBs before they are written, for all outputs of a run: each is looked at once.

    Attributes:
        store: Gives their bytes.
        check: Whether payloads are unpacked, too, which reads every VIB to its end.
        allow: Codes of errors that do not matter.
        limits: Upper bounds for reading VIBs.
    """

    store: MeasuredVibStore
    check: Check = attrs.field()
    allow: frozenset[str]
    limits: ReadLimits
    _found: dict[str, tuple[Finding, ...]] = attrs.field(factory=dict, init=False)

    @check.validator
    def _require_check(self, _: object, check: str) -> None:
        if check not in CHECKS:
            raise ModelError("payloads cannot be checked so", found=repr(check)[:80], expected=" or ".join(CHECKS))

    def require_true(self, vibs: Iterable[Vib]) -> tuple[Finding, ...]:
        """Return what was found and does not keep the VIBs from being written; errors among it were allowed.

        Args:
            vibs: Those to be written, by their metadata.

        Raises:
            ChecksumMismatchError: The descriptor in a VIB is not that of the metadata.
            IncompatibleImageError: The metadata claims too high a level, a signature is missing and that is not
                allowed, or a payload does not unpack to what its checksums say.
            NotInDepotError: The store lacks a VIB.
            DepotError: A VIB cannot be read.
        """
        findings = tuple(dict.fromkeys(finding for vib in vibs for finding in self._findings_of(vib)))
        require_allowed(findings, allow=self.allow, what=_NOT_TRUE)
        return findings

    def _findings_of(self, vib: Vib) -> tuple[Finding, ...]:
        found = self._found.get(vib.id)
        if found is None:
            unpacked = check_unpacked([vib], self.store, limits=self.limits) if self.check == "unpacked" else ()
            found = self._found[vib.id] = (*_head_findings(vib, self.store), *unpacked)
        return found


def _head_findings(vib: Vib, store: MeasuredVibStore) -> Iterator[Finding]:
    facts = store.vib_facts(vib)
    if facts.descriptor is not None:
        require_same_descriptor(vib, facts.descriptor)
    yield from check_vib_facts([vib], [facts])


def require_same_descriptor(vib: Vib, inside: Vib) -> None:
    """Refuse a VIB whose own descriptor contradicts its metadata.

    Raises:
        ChecksumMismatchError: It does.
    """
    differing = differing_fields(vib, inside)
    if differing:
        is_other = inside.id != vib.id
        raise ChecksumMismatchError(
            "the descriptor in the VIB is not the one of the depot's metadata",
            where=vib.id,
            found=inside.id if is_other else f"another {', '.join(differing).replace('_', ' ')}",
            expected=vib.id if is_other else "what the metadata says",
            hint="the depot was put together wrongly: get it again from its publisher",
        )


def check_unpacked(vibs: Iterable[Vib], store: MeasuredVibStore, *, limits: ReadLimits) -> tuple[Finding, ...]:
    """Read VIBs to their ends and unpack their payloads; compare with every checksum that the VIBs themselves state.

    Raises:
        NotInDepotError: The store lacks a VIB.
        DepotError: A VIB's head cannot be read.
    """
    return tuple(finding for vib in vibs for finding in _unpacked_findings(vib, store, limits))


def _unpacked_findings(vib: Vib, store: MeasuredVibStore, limits: ReadLimits) -> tuple[Finding, ...]:
    from esximage_builder.depot.vib_check import check_vib  # noqa: PLC0415 - for those who ask for it

    described = store.vib_facts(vib).descriptor or vib
    with open_source(store, vib) as source:
        size_bytes = store.file_facts(vib).size_bytes or 0
        budget = ReadBudget(limits, size_bytes)
        return check_vib(described.with_file(vib.file), source, where=vib.id, limits=limits, budget=budget)


def with_waived(
    waived: Iterable[Finding], findings: Iterable[Finding]
) -> tuple[tuple[Finding, ...], tuple[Finding, ...]]:
    """Return waived errors and other findings, each once, with what was found in VIBs put where it belongs."""
    said = tuple(findings)
    errors = tuple(dict.fromkeys((*waived, *(finding for finding in said if finding.severity is Severity.ERROR))))
    return errors, tuple(finding for finding in said if finding.severity is not Severity.ERROR)


def disc_vibs(image: Image, others: Collection[str]) -> tuple[Vib, ...]:
    """Return the VIBs of an image that stand on its disc, taken apart or as a whole."""
    host = {vib.id for vib in image.host_vibs}
    return tuple(vib for vib in image.all_vibs if vib.id in host or vib.id in others)
