"""Reading a VIB once and giving it to all who want it, packed as it lies in its source and plain.

Its digest is checked on the way, before anybody who takes the whole file is told that it is complete.
"""

from __future__ import annotations

import contextlib
import hashlib
from typing import TYPE_CHECKING, Protocol

from esximage_builder.depot.store import open_source, reading, require_digest, require_size, with_file_facts
from esximage_builder.streams.hashing import HashingReader

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from contextlib import AbstractContextManager

    from esximage_builder.depot.store import MeasuredVibStore
    from esximage_builder.models.vib import Vib
    from esximage_builder.models.vib_store import PackedVib

__all__ = ["OpenVibSink", "VibSink", "push_vib"]


class VibSink(Protocol):
    """Takes a whole ``.vib`` file."""

    def write(self, raw: bytes, plain: bytes, /) -> None:
        """Take the next bytes: as they lie in the source, and what these expand to; both may be one object."""


class OpenVibSink(Protocol):
    """Opens a sink for one VIB."""

    def __call__(self, packed: PackedVib | None, /) -> AbstractContextManager[VibSink]:
        """Open it; told how the VIB lies packed in its source, or None where it does not."""


def push_vib(
    vib: Vib,
    store: MeasuredVibStore,
    sinks: Sequence[OpenVibSink],
    *,
    is_checked: bool = True,
) -> None:
    """Read a VIB once and give it to all sinks.

    Args:
        vib: As the store knows it.
        store: Gives its bytes.
        sinks: Opened before the first byte and left after the last; with the error, if there is one.
        is_checked: Compare size and SHA-256 with what is known of the file. A sink that takes
            parts of it, each with a checksum of its own, does not need that.

    Raises:
        ChecksumMismatchError: The bytes are not what is known of them.
        DepotError: The bytes cannot be read.
    """
    known = with_file_facts(vib, store) if is_checked else None
    digest = hashlib.sha256()
    passed = 0
    with _open_blocks(store, vib) as (packed, blocks), contextlib.ExitStack() as stack:
        opened = [stack.enter_context(open_sink(packed)) for open_sink in sinks]
        for raw, plain in blocks:
            for sink in opened:
                sink.write(raw, plain)
            if known is not None:
                digest.update(plain)
                passed += len(plain)
                require_size(known, passed, is_whole=False)
        if known is not None:
            require_digest(known, digest.hexdigest())
            require_size(known, passed)


@contextlib.contextmanager
def _open_blocks(store: MeasuredVibStore, vib: Vib) -> Iterator[tuple[PackedVib | None, Iterable[tuple[bytes, bytes]]]]:
    """Give pairs of raw and plain bytes: as they lie packed in the source, else the plain ones twice."""
    with reading(vib.id):
        packed = store.open_packed_vib(vib)
    if packed is None:
        with open_source(store, vib) as source:
            yield None, ((block, block) for block in HashingReader(source).blocks())
        return
    with packed as member:
        yield member, _read(member, where=vib.id)


def _read(member: PackedVib, *, where: str) -> Iterator[tuple[bytes, bytes]]:
    with reading(where):
        yield from member.copy_blocks()
