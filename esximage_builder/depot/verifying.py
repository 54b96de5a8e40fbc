"""All VIBs of opened depots, read to their ends: what is wrong with each of them.

Every VIB is read as a stream, several at a time: hashing and unpacking leave Python's lock. What is found
is put in the order of the catalog, so it is the same however many threads there are; and each VIB has a
bound of its own of what it may unpack to, so none depends on how far another was.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor, as_completed
from typing import TYPE_CHECKING, final

import attrs

from esximage_builder.containers.cms import require_anchors
from esximage_builder.depot.store import open_source
from esximage_builder.depot.vib_check import check_vib, damaged_vib
from esximage_builder.documents.signatures import head_facts
from esximage_builder.errors import EsxImageError, ModelError
from esximage_builder.findings import Finding, Severity
from esximage_builder.models.fields import as_tuple
from esximage_builder.models.vib import Vib
from esximage_builder.models.vib_facts import VibFacts
from esximage_builder.progress import no_progress
from esximage_builder.rules.vib_facts import check_vib_facts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from esximage_builder.depot.store import MeasuredVibStore
    from esximage_builder.limits import ReadLimits
    from esximage_builder.progress import Progress

__all__ = ["VerifiedVib", "verify_vibs"]

_STAGE = "verify"
_MOST_WORKERS = 64


@final
@attrs.frozen(kw_only=True)
class VerifiedVib:
    """One VIB that was read to its end.

    Attributes:
        vib: As the catalog has it.
        facts: What its head says, its signatures too.
        findings: What is wrong with it, or was noticed.
    """

    vib: Vib
    facts: VibFacts
    findings: tuple[Finding, ...] = attrs.field(default=(), converter=as_tuple)

    @property
    def is_sound(self) -> bool:
        """True if nothing found is an error."""
        return not any(finding.severity is Severity.ERROR for finding in self.findings)


def verify_vibs(
    vibs: Sequence[Vib],
    store: MeasuredVibStore,
    *,
    limits: ReadLimits,
    deep: bool = True,
    anchors: bytes | None = None,
    workers: int = 2,
    progress: Progress = no_progress,
) -> tuple[VerifiedVib, ...]:
    """Read VIBs to their ends; see ``Depot.verify``.

    Args:
        vibs: Which.
        store: Gives their bytes; may be asked from several threads.
        limits: Upper bounds.
        deep: Unpack payloads too.
        anchors: Certificates to trust.
        workers: How many are read at a time.
        progress: Told after each VIB, from the calling thread.

    Raises:
        ModelError: No such number of workers, or anchors that are no certificates.
        MissingExtraError: ``anchors`` need the extra ``signatures``.
    """
    require_anchors(anchors)
    if not 1 <= workers <= _MOST_WORKERS:
        raise ModelError("so many cannot work", found=str(workers), expected=f"a number from 1 to {_MOST_WORKERS}")
    sizes = [(vib.file and vib.file.size_bytes) or 0 for vib in vibs]
    done, total = 0, sum(sizes)
    job = _Job(store=store, limits=limits, deep=deep, anchors=anchors)
    pool = ThreadPoolExecutor(workers)
    try:
        futures = {pool.submit(job.verify, vib): size for vib, size in zip(vibs, sizes, strict=True)}
        for future in as_completed(futures):
            future.result()
            done += futures[future]
            progress(_STAGE, done, total)
    finally:
        pool.shutdown(cancel_futures=True)
    return tuple(future.result() for future in futures)


@final
@attrs.frozen(kw_only=True)
class _Job:
    """How each VIB is looked at."""

    store: MeasuredVibStore
    limits: ReadLimits
    deep: bool
    anchors: bytes | None

    def verify(self, vib: Vib) -> VerifiedVib:
        """Read one VIB; damage is a finding."""
        try:
            facts = self._facts(vib)
        except EsxImageError as error:
            facts = VibFacts(vib_id=vib.id, problem=error.message, where=error.where)
        found = [*check_vib_facts([vib], [facts]), *self._bytes(vib, facts)]
        return VerifiedVib(vib=vib, facts=facts, findings=dict.fromkeys(found))

    def _facts(self, vib: Vib) -> VibFacts:
        facts = self.store.vib_facts(vib)
        if self.anchors is None:
            return facts
        return head_facts(vib.id, self.store.vib_head(vib), facts.descriptor, anchors=self.anchors)

    def _bytes(self, vib: Vib, facts: VibFacts) -> tuple[Finding, ...]:
        """Compare all bytes with the checksums of the VIB's own descriptor, and with its file's."""
        described = vib if facts.descriptor is None else facts.descriptor.with_file(vib.file)
        try:
            with open_source(self.store, vib) as source:
                return check_vib(described, source, where=vib.id, limits=self.limits, deep=self.deep)
        except EsxImageError as error:
            return (damaged_vib(error, vib.id),)
