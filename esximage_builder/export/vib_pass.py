"""The one pass over an image's VIBs: each is read once, and everybody takes of it what is wanted.

Whole files go to those who carry VIBs, payloads to those who lay them out. Every payload of a VIB that is
read is checked, whoever wants it. What happens to one VIB knows nothing of what happens to another.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Protocol

from esximage_builder.depot.payload_pass import PayloadSink, PayloadTaker, open_payloads
from esximage_builder.depot.vib_push import push_vib

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence
    from contextlib import AbstractContextManager

    from esximage_builder.depot.store import MeasuredVibStore
    from esximage_builder.depot.vib_push import OpenVibSink, VibSink
    from esximage_builder.limits import ReadLimits
    from esximage_builder.models.vib import Vib
    from esximage_builder.models.vib_store import PackedVib

__all__ = ["FileTaker", "PayloadSink", "PayloadTaker", "pass_over_vibs"]


class FileTaker(Protocol):
    """Somebody who wants whole VIBs."""

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
        if whole or parts:
            split = functools.partial(open_payloads, vib, parts, limits, tell)
            push_vib(vib, store, [*whole, split], is_checked=bool(whole))
        if whole:
            tell(len(whole) * (store.file_facts(vib).size_bytes or 0))
