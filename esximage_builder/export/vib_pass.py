"""The one pass over an image's VIBs: each is read once, and everybody takes of it what is wanted.

Whole files go to those who carry VIBs, payloads to those who lay them out. A payload is hashed
once, however many take it. What happens to one VIB knows nothing of what happens to another.
"""

from __future__ import annotations

import contextlib
import functools
from typing import TYPE_CHECKING, Protocol, Self, final

from esximage_builder.depot.vib_push import push_vib
from esximage_builder.documents.vib_archive import PayloadSplitter
from esximage_builder.errors import ChecksumMismatchError
from esximage_builder.streams.hashing import Tally

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
    from contextlib import AbstractContextManager
    from types import TracebackType

    from _typeshed import ReadableBuffer

    from esximage_builder.depot.store import MeasuredVibStore
    from esximage_builder.depot.vib_push import OpenVibSink, VibSink
    from esximage_builder.export.disc_archives import PayloadKey
    from esximage_builder.limits import ReadLimits
    from esximage_builder.models.vib import Payload, Vib
    from esximage_builder.models.vib_store import PackedVib

__all__ = ["FileTaker", "PayloadSink", "PayloadTaker", "pass_over_vibs"]


class PayloadSink(Protocol):
    """Takes the bytes of one payload."""

    def write(self, data: ReadableBuffer, /) -> object:
        """Take the next bytes; they are the caller's again afterwards."""


class FileTaker(Protocol):
    """Somebody who wants whole VIBs."""

    @property
    def files(self) -> Collection[str]:
        """Ids of the VIBs that are wanted."""

    def open_file(self, vib_id: str, packed: PackedVib | None) -> AbstractContextManager[VibSink]:
        """Open the place of a VIB; told how it lies packed in its source, if it does.

        It is left when all bytes were given and found right; with the error, if there is one.
        """


class PayloadTaker(Protocol):
    """Somebody who wants payloads."""

    @property
    def payloads(self) -> Collection[PayloadKey]:
        """Those that are wanted."""

    def open_payload(self, key: PayloadKey) -> AbstractContextManager[PayloadSink]:
        """Open the place of a payload; it is left as that of a file is."""


def pass_over_vibs(
    vibs: Iterable[Vib],
    store: MeasuredVibStore,
    *,
    files: Sequence[FileTaker],
    payloads: Sequence[PayloadTaker],
    limits: ReadLimits,
    tell: Callable[[int], None],
) -> None:
    """Read every wanted VIB once and give everybody what is wanted of it.

    Args:
        vibs: As the store knows them, in the order to read.
        store: Gives their bytes.
        files: All who want whole VIBs.
        payloads: All who want payloads.
        limits: Upper bounds for reading VIBs.
        tell: Told how many bytes have come to their places, each time some have.

    Raises:
        ChecksumMismatchError: Bytes are not what their metadata says.
        DepotError: A VIB's bytes cannot be read.
        ExportError: Somebody cannot take them.
    """
    for vib in vibs:
        whole: list[OpenVibSink] = [
            functools.partial(taker.open_file, vib.id) for taker in files if vib.id in taker.files
        ]
        keys = {(vib.id, payload.name) for payload in vib.payloads}
        parts = [taker for taker in payloads if any(key in taker.payloads for key in keys)]
        split: list[OpenVibSink] = [functools.partial(_split, vib, parts, limits, tell)] if parts else []
        if whole or split:
            push_vib(vib, store, [*whole, *split], is_checked=bool(whole))
        if whole:
            tell(len(whole) * (store.file_facts(vib).size_bytes or 0))


@contextlib.contextmanager
def _split(
    vib: Vib,
    takers: Sequence[PayloadTaker],
    limits: ReadLimits,
    tell: Callable[[int], None],
    packed: PackedVib | None,  # noqa: ARG001 - plain bytes are split
) -> Iterator[VibSink]:
    """Give a sink for a whole VIB that hands on its payloads."""
    with _Payloads(vib, takers, tell) as receiver:
        splitter = PayloadSplitter(receiver, vib, where=vib.id, limits=limits)
        yield _PlainSink(splitter)
        splitter.close()


@final
class _PlainSink:
    """Pushes the plain bytes of a VIB into the splitter."""

    def __init__(self, splitter: PayloadSplitter) -> None:
        self._splitter = splitter

    def write(self, raw: bytes, plain: bytes, /) -> None:  # noqa: ARG002 - the others need it
        self._splitter.write(plain)


@final
class _Payloads:
    """Hands each payload of one VIB to those who want it, checking it on the way.

    As a context manager it leaves the sinks of a payload that something went wrong with.
    """

    def __init__(self, vib: Vib, takers: Sequence[PayloadTaker], tell: Callable[[int], None]) -> None:
        self._vib = vib
        self._takers = takers
        self._tell = tell
        self._sinks: list[PayloadSink] = []
        self._tally = Tally(where=vib.id)
        self._stack = contextlib.ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.__exit__(kind, error, trace)

    def begin_payload(self, payload: Payload, size_bytes: int) -> None:
        key = (self._vib.id, payload.name)
        takers = [taker for taker in self._takers if key in taker.payloads]
        if not takers:
            return
        where = f"{self._vib.id}!{payload.name}"
        _require_size(payload, size_bytes, where=where)
        self._tally = Tally(payload.checksums, size_bytes=size_bytes, where=where)
        self._sinks = [self._stack.enter_context(taker.open_payload(key)) for taker in takers]

    def take(self, data: memoryview) -> None:
        if self._sinks:
            self._tally.update(data)
            for sink in self._sinks:
                sink.write(data)

    def end_payload(self) -> None:
        if not self._sinks:
            return
        self._tally.require_right()
        self._stack.pop_all().close()
        told = len(self._sinks) * self._tally.passed_bytes
        self._sinks = []
        self._tell(told)


def _require_size(payload: Payload, found: int, *, where: str) -> None:
    """Refuse a payload that would not fit its place, before a byte of it is written."""
    if found != payload.size_bytes:
        raise ChecksumMismatchError(
            "the payload's size differs from what its descriptor says",
            where=where,
            found=f"{found} bytes",
            expected=f"{payload.size_bytes} bytes",
            hint="the VIB is damaged or was changed: get it again from its publisher",
        )
