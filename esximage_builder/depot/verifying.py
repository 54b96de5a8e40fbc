"""All VIBs of opened depots, read to their ends: what is wrong with each of them.

Every VIB is read as a stream, several at a time: hashing and unpacking leave Python's lock. What is found
is put in the order of the catalog, so it is the same however many threads there are; and each VIB has a
bound of its own of what it may unpack to, so none depends on how far another was.
"""

from __future__ import annotations

from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from typing import TYPE_CHECKING, BinaryIO, cast, final

import attrs

from esximage_builder.containers.cms import require_anchors
from esximage_builder.depot.store import open_source
from esximage_builder.depot.vib_check import check_vib, damaged_vib
from esximage_builder.documents.signatures import head_facts
from esximage_builder.errors import EsxImageError, MissingExtraError, ModelError
from esximage_builder.findings import Finding, Severity
from esximage_builder.models.fields import as_tuple
from esximage_builder.models.vib import Vib
from esximage_builder.models.vib_facts import VibFacts
from esximage_builder.progress import no_progress
from esximage_builder.rules.vib_facts import check_vib_facts
from esximage_builder.shown import Shown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from esximage_builder.depot.store import MeasuredVibStore
    from esximage_builder.limits import ReadLimits
    from esximage_builder.progress import Progress

__all__ = ["VerifiedVib", "verify_vibs"]

_STAGE = "verify"
_MOST_WORKERS = 64
_TELL_SECONDS = 0.25


@final
@attrs.frozen(kw_only=True, repr=False)
class VerifiedVib(Shown):
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
        progress: Told of bytes read, after each VIB and between, from the calling thread.

    Raises:
        ModelError: No such number of workers, or anchors that are no certificates.
        MissingExtraError: ``anchors`` need the extra ``signatures``.
    """
    require_anchors(anchors)
    if not 1 <= workers <= _MOST_WORKERS:
        raise ModelError("so many cannot work", found=str(workers), expected=f"a number from 1 to {_MOST_WORKERS}")
    jobs = [_Job(vib=vib, store=store, limits=limits, deep=deep, anchors=anchors) for vib in vibs]
    total = sum(job.size_bytes for job in jobs)
    pool = ThreadPoolExecutor(workers)
    try:
        futures = [pool.submit(job.verify) for job in jobs]
        pending = set(futures)
        while pending:
            done, pending = wait(pending, timeout=_TELL_SECONDS, return_when=FIRST_COMPLETED)
            for future in done:
                future.result()
            progress(_STAGE, sum(job.done_bytes for job in jobs), total)
    finally:
        pool.shutdown(cancel_futures=True)
    return tuple(future.result() for future in futures)


@final
@attrs.define(kw_only=True)
class _Job:
    """One VIB, how it is looked at, and how far that is."""

    vib: Vib
    store: MeasuredVibStore
    limits: ReadLimits
    deep: bool
    anchors: bytes | None
    _read_bytes: int = attrs.field(default=0, init=False)
    _is_done: bool = attrs.field(default=False, init=False)

    @property
    def size_bytes(self) -> int:
        """What the metadata states of the file; 0 where it states nothing."""
        return (self.vib.file and self.vib.file.size_bytes) or 0

    @property
    def done_bytes(self) -> int:
        """How much of the stated size is done; all of it in the end, however long the file was."""
        return self.size_bytes if self._is_done else min(self._read_bytes, self.size_bytes)

    def verify(self) -> VerifiedVib:
        """Read the VIB; damage is a finding."""
        try:
            facts = self._facts()
        except MissingExtraError:
            raise
        except EsxImageError as error:
            facts = VibFacts(vib_id=self.vib.id, problem=error.message, where=error.where)
        found = [*check_vib_facts([self.vib], [facts]), *self._bytes(facts)]
        self._is_done = True
        return VerifiedVib(vib=self.vib, facts=facts, findings=dict.fromkeys(found))

    def _facts(self) -> VibFacts:
        facts = self.store.vib_facts(self.vib)
        if self.anchors is None:
            return facts
        return head_facts(self.vib.id, self.store.vib_head(self.vib), facts.descriptor, anchors=self.anchors)

    def _bytes(self, facts: VibFacts) -> tuple[Finding, ...]:
        """Compare all bytes with the checksums of the VIB's own descriptor, and with its file's."""
        described = self.vib if facts.descriptor is None else facts.descriptor.with_file(self.vib.file)
        try:
            with open_source(self.store, self.vib) as source:
                counted = cast("BinaryIO", _Counted(source, self))
                return check_vib(described, counted, where=self.vib.id, limits=self.limits, deep=self.deep)
        except EsxImageError as error:
            return (damaged_vib(error, self.vib.id),)

    def count(self, read_bytes: int) -> None:
        """Take note of bytes that were read."""
        self._read_bytes += read_bytes


@final
class _Counted:
    """A stream that tells its job what was read of it."""

    def __init__(self, source: BinaryIO, job: _Job) -> None:
        self._source = source
        self._job = job

    def read(self, size: int = -1, /) -> bytes:
        data = self._source.read(size)
        self._job.count(len(data))
        return data
