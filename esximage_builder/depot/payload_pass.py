"""Checking every payload of a VIB while its bytes pass by, and handing it to all who want it.

A payload is hashed once, however many take it, and also where nobody does: whoever gets a VIB
gets its payloads as its metadata says.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Protocol, Self, final

from esximage_builder.documents.vib_archive import PayloadSplitter
from esximage_builder.errors import ChecksumMismatchError
from esximage_builder.streams.hashing import Tally

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence
    from contextlib import AbstractContextManager
    from types import TracebackType

    from _typeshed import ReadableBuffer

    from esximage_builder.depot.vib_push import VibSink
    from esximage_builder.limits import ReadLimits
    from esximage_builder.models.vib import Payload, Vib
    from esximage_builder.models.vib_store import PackedVib

__all__ = ["PayloadKey", "PayloadSink", "PayloadTaker", "open_payloads"]

PayloadKey = tuple[str, str]
"""Id of the VIB and name of the payload."""


class PayloadSink(Protocol):
    """Takes the bytes of one payload."""

    def write(self, data: ReadableBuffer, /) -> object:
        """Take the next bytes; they are the caller's again afterwards."""


class PayloadTaker(Protocol):
    """Somebody who wants payloads."""

    @property
    def payloads(self) -> Collection[PayloadKey]:
        """Those that are wanted."""

    def open_payload(self, key: PayloadKey) -> AbstractContextManager[PayloadSink]:
        """Open the place of a payload; it is left as that of a file is."""


@contextlib.contextmanager
def open_payloads(
    vib: Vib,
    takers: Sequence[PayloadTaker],
    limits: ReadLimits,
    tell: Callable[[int], None],
    packed: PackedVib | None,  # noqa: ARG001 - plain bytes are split
) -> Iterator[VibSink]:
    """Give a sink for a whole VIB that checks its payloads and hands them on.

    Args:
        vib: By its metadata.
        takers: All who want some of its payloads; every payload is checked, whoever wants it.
        limits: Upper bounds.
        tell: Told how many bytes have come to their places.
        packed: How the VIB lies in its source; plain bytes are split.

    Raises:
        ChecksumMismatchError: A payload is not what the metadata says.
        DepotError: The VIB is no archive as a VIB is one, or lacks a payload.
    """
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
    """Checks each payload of one VIB, and hands it to those who want it.

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
        where = f"{self._vib.id}!{payload.name}"
        _require_size(payload, size_bytes, where=where)
        self._tally = Tally(payload.checksums, size_bytes=size_bytes, where=where)
        self._sinks = [self._stack.enter_context(taker.open_payload(key)) for taker in takers]

    def take(self, data: memoryview) -> None:
        self._tally.update(data)
        for sink in self._sinks:
            sink.write(data)

    def end_payload(self) -> None:
        self._tally.require_right()
        self._stack.pop_all().close()
        told = len(self._sinks) * self._tally.passed_bytes
        self._sinks = []
        if told:
            self._tell(told)


def _require_size(payload: Payload, found: int, *, where: str) -> None:
    """Refuse a payload that would not fit its place, before a byte of it is written."""
    if payload.size_bytes is not None and found != payload.size_bytes:
        raise ChecksumMismatchError(
            "the payload's size differs from what its descriptor says",
            where=where,
            found=f"{found} bytes",
            expected=f"{payload.size_bytes} bytes",
            hint="the VIB is damaged or was changed: get it again from its publisher",
        )
