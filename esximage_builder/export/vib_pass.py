"""The one pass over an image's VIBs: each is read once, and everybody takes of it what is wanted.

Whole files go to those who carry VIBs, payloads to those who lay them out. Every payload of a VIB that is
read is checked, whoever wants it. What happens to one VIB knows nothing of what happens to another, so that
several are read at a time.
"""

from __future__ import annotations

import contextlib
import functools
from typing import TYPE_CHECKING, Protocol, final

import attrs

from esximage_builder.depot.payload_pass import PayloadSink, PayloadTaker, open_payloads
from esximage_builder.depot.vib_push import push_vib
from esximage_builder.streams.side_by_side import Job, do_side_by_side

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence
    from contextlib import AbstractContextManager

    from esximage_builder.depot.store import MeasuredVibStore
    from esximage_builder.depot.vib_push import OpenVibSink, VibSink
    from esximage_builder.limits import ReadLimits
    from esximage_builder.models.vib import Vib
    from esximage_builder.models.vib_store import PackedVib
    from esximage_builder.streams.side_by_side import Pace

__all__ = ["FileTaker", "PayloadSink", "PayloadTaker", "pass_over_vibs"]


class FileTaker(Protocol):
    """Somebody who wants whole VIBs; asked from several threads."""

    @property
    def files(self) -> Collection[str]:
        """Ids of the VIBs that are wanted."""

    def open_file(self, vib_id: str, packed: PackedVib | None) -> AbstractContextManager[VibSink]:
        """Open the place of a VIB; told how it lies packed in its source, if it does.

        It is left when all bytes were given and found right; with the error, if there is one.
        """


def pass_over_vibs(
    vibs: Iterable[Vib],
    store: MeasuredVibStore,
    *,
    files: Sequence[FileTaker],
    payloads: Sequence[PayloadTaker],
    limits: ReadLimits,
    tell: Callable[[int], None],
    workers: int,
) -> None:
    """Read every wanted VIB once and give everybody what is wanted of it.

    Args:
        vibs: As the store knows them; the largest are read first.
        store: Gives their bytes.
        files: All who want whole VIBs.
        payloads: All who want payloads.
        limits: Upper bounds for reading VIBs.
        tell: Told how many bytes have come to their places, each time some have, from the calling thread.
        workers: How many VIBs are read at a time.

    Raises:
        ChecksumMismatchError: Bytes are not what their metadata says.
        DepotError: A VIB's bytes cannot be read.
        ExportError: Somebody cannot take them.
    """
    jobs = []
    for vib in vibs:
        whole = [taker for taker in files if vib.id in taker.files]
        parts = _wanting(vib, payloads)
        if whole or parts:
            jobs.append(_job_of(vib, store, whole, parts, limits))
    do_side_by_side(jobs, workers=workers, tell=tell)


def _wanting(vib: Vib, takers: Iterable[PayloadTaker]) -> list[PayloadTaker]:
    keys = {(vib.id, payload.name) for payload in vib.payloads}
    return [taker for taker in takers if any(key in taker.payloads for key in keys)]


def _job_of(
    vib: Vib, store: MeasuredVibStore, files: Sequence[FileTaker], payloads: Sequence[PayloadTaker], limits: ReadLimits
) -> Job[None]:
    def run(pace: Pace) -> None:
        whole: list[OpenVibSink] = [functools.partial(taker.open_file, vib.id) for taker in files]
        split = functools.partial(open_payloads, vib, payloads, limits, pace.tell)
        push_vib(vib, store, [lambda _: contextlib.nullcontext(_Watch(pace)), *whole, split], is_checked=bool(whole))
        if whole:
            pace.tell(len(whole) * (store.file_facts(vib).size_bytes or 0))

    return Job(size_bytes=sum(payload.size_bytes or 0 for payload in vib.payloads), run=run)


@final
@attrs.frozen
class _Watch:
    """Takes nothing, and ends what nobody wants any more."""

    _pace: Pace

    def write(self, raw: bytes, plain: bytes, /) -> None:  # noqa: ARG002 - it only looks up between them
        self._pace.go_on()
