"""Reading VIBs from any store, and what is known of their files: each measured once, each head read once.

Stores are the caller's, and so are their streams: what the operating system refuses becomes our
error here. Otherwise a read error of the source would look like one of the target, or leave the
library as it is.

A store need not know more than how to open a VIB. ``measured`` makes one of it that also tells
size, digest and head; an opened depot is such a store already. A store
that knows the files it reads says so, and no export replaces them.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
import threading
from typing import TYPE_CHECKING, BinaryIO, Protocol, cast, final, runtime_checkable

import attrs

from esximage_builder.documents.signatures import head_facts
from esximage_builder.documents.vib_archive import VibHead, read_vib_head
from esximage_builder.errors import (
    ChecksumMismatchError,
    DepotError,
    EsxImageError,
    LimitExceededError,
    MissingExtraError,
    NotInDepotError,
    SourceUnreadableError,
)
from esximage_builder.limits import ReadLimits
from esximage_builder.models.vib import VibFile
from esximage_builder.models.vib_facts import VibFacts
from esximage_builder.models.vib_store import PackedVibStore, VibStore
from esximage_builder.streams.hashing import HashingReader
from esximage_builder.streams.identity import input_files

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Mapping
    from pathlib import Path

    from esximage_builder.models.image import Image
    from esximage_builder.models.vib import Vib
    from esximage_builder.models.vib_store import PackedVib

__all__ = [
    "MeasuredFiles",
    "MeasuredVibStore",
    "facts_of_vibs",
    "inputs_of",
    "measured",
    "measured_image",
    "open_source",
    "reading",
    "require_digest",
    "require_size",
    "with_file_facts",
]


@runtime_checkable
class MeasuredVibStore(VibStore, PackedVibStore, Protocol):
    """A store that also knows facts about its files, and asks the bytes for each of them once."""

    def file_facts(self, vib: Vib) -> VibFile:
        """Return size and SHA-256 of the VIB's file, both certain.

        Raises:
            NotInDepotError: The store has no such VIB.
            ChecksumMismatchError: What the metadata states, size or SHA-256, is not what was measured.
            DepotError: The bytes cannot be read.
        """

    def vib_head(self, vib: Vib) -> VibHead:
        """Return descriptor and signature of the VIB.

        Raises:
            NotInDepotError: The store has no such VIB.
            DepotError: The file is no VIB, or cannot be read.
        """

    def vib_facts(self, vib: Vib) -> VibFacts:
        """Return what the head of the VIB says, as a value.

        Raises:
            NotInDepotError: The store has no such VIB.
            DepotError: The file is no VIB, or cannot be read.
        """

    def sources_of(self, vib: Vib) -> tuple[str, ...]:
        """Return the names of the sources that hold the VIB; empty if they are not known."""


@runtime_checkable
class _KnowsItsFiles(Protocol):
    @property
    def source_files(self) -> Mapping[Path, os.stat_result]: ...


def inputs_of(store: VibStore, *others: Path, limits: ReadLimits | None = None) -> dict[Path, os.stat_result]:
    """Return the files that an export reads, which its target must not be.

    Args:
        store: Tells its files, as an opened depot does, or has none to tell.
        others: Files that are read besides, such as a kickstart file.
        limits: Bound how many files of one folder are looked at.
    """
    known = dict(store.source_files) if isinstance(store, _KnowsItsFiles) else {}
    return known | input_files(others, most=(limits or ReadLimits()).member_count)


@contextlib.contextmanager
def open_source(store: VibStore, vib: Vib) -> Iterator[BinaryIO]:
    """Give the ``.vib`` file for reading, and close it in the end.

    Raises:
        SourceUnreadableError: The operating system refuses, here or while reading.
        NotInDepotError: The store has no such VIB.
        DepotError: The bytes are damaged; may also come while reading.
    """
    with reading(vib.id):
        source = store.open_vib(vib)
    with source:
        yield cast("BinaryIO", _SourceStream(source, vib.id))


@contextlib.contextmanager
def reading(where: str) -> Iterator[None]:
    """Turn what the operating system refuses into an error of the source.

    Raises:
        SourceUnreadableError: The operating system refuses.
    """
    try:
        yield
    except OSError as error:
        raise SourceUnreadableError(
            f"the VIB cannot be read: {error.strerror or error}",
            where=where,
            hint="check that the depot is still there, and whole",
        ) from error


@final
class _SourceStream(io.RawIOBase):
    """A stream of a store, which it does not close."""

    def __init__(self, source: BinaryIO, where: str) -> None:
        super().__init__()
        self._source = source
        self._where = where

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1, /) -> bytes:
        with reading(self._where):
            return self._source.read(size)

    def seekable(self) -> bool:
        return self._source.seekable()

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        with reading(self._where):
            return self._source.seek(offset, whence)


# Facts


@final
@attrs.define
class _Known:
    """What was measured of one file."""

    lock: threading.Lock = attrs.field(factory=threading.Lock, init=False)
    file: VibFile | None = attrs.field(default=None, init=False)
    head: VibHead | None = attrs.field(default=None, init=False)
    facts: VibFacts | None = attrs.field(default=None, init=False)


@final
class MeasuredFiles:
    """Facts about the files of a store, kept; may be asked from many threads.

    A file that must be read to its end gives its head on the way.

    Args:
        store: Gives the bytes.
        key_of: What tells two files of the store apart; raises what the store would raise.
        limits: Upper bounds for descriptors and signatures.
    """

    def __init__(self, store: VibStore, *, key_of: Callable[[Vib], Hashable], limits: ReadLimits) -> None:
        self._store = store
        self._key_of = key_of
        self._limits = limits
        self._known: dict[Hashable, _Known] = {}
        self._lock = threading.Lock()

    def file_facts(self, vib: Vib) -> VibFile:
        """Return size and SHA-256; see ``MeasuredVibStore``. What metadata states in full is believed."""
        stated = vib.file or VibFile()
        self._require_within(vib, stated.size_bytes or 0)
        if stated.sha256 and stated.size_bytes is not None:
            return stated
        known = self._known_of(vib)
        with known.lock:
            file = known.file = known.file or self._measure(vib, known)
        if stated.sha256:
            require_digest(vib, file.sha256)
        require_size(vib, file.size_bytes or 0)
        return attrs.evolve(file, relative_path=stated.relative_path)

    def vib_head(self, vib: Vib, *, where: str = "") -> VibHead:
        """Return descriptor and signature; see ``MeasuredVibStore``.

        Args:
            vib: Whose.
            where: How to name the file in errors; empty takes the VIB's id.
        """
        known = self._known_of(vib)
        with known.lock:
            if known.head is None:
                with open_source(self._store, vib) as source:
                    known.head = read_vib_head(source, where=where or vib.id, limits=self._limits)
            return known.head

    def vib_facts(self, vib: Vib) -> VibFacts:
        """Return what the head says; see ``MeasuredVibStore``. It is parsed once."""
        head = self.vib_head(vib)
        known = self._known_of(vib)
        with known.lock:
            if known.facts is None:
                inside = head.parse(where=vib.id, limits=self._limits)
                known.facts = head_facts(vib.id, head, inside)
            return known.facts

    def _known_of(self, vib: Vib) -> _Known:
        key = self._key_of(vib)
        with self._lock:
            return self._known.setdefault(key, _Known())

    def _measure(self, vib: Vib, known: _Known) -> VibFile:
        digest = hashlib.sha256()
        with open_source(self._store, vib) as source:
            reader = HashingReader(source, digest)
            if known.head is None:
                known.head = self._head_if_any(reader, vib)
            for _ in reader.blocks():
                self._require_within(vib, reader.size_bytes)
        return VibFile(size_bytes=reader.size_bytes, sha256=digest.hexdigest())

    def _require_within(self, vib: Vib, size_bytes: int) -> None:
        if size_bytes > self._limits.vib_bytes:
            raise LimitExceededError(
                "the VIB is larger than the limit",
                where=vib.id,
                found=f"at least {size_bytes} bytes",
                expected=f"at most {self._limits.vib_bytes} bytes",
                hint="if the file is trusted, pass ReadLimits(vib_bytes=...) with a larger value",
            )

    def _head_if_any(self, reader: HashingReader, vib: Vib) -> VibHead | None:
        """Return the head, or None of a file that has none: whoever wants it will be told why."""
        try:
            return read_vib_head(reader.as_stream(), where=vib.id, limits=self._limits)
        except DepotError:
            if reader.has_failed:
                raise
            return None


@final
class _Measured:
    """Any store, with facts."""

    def __init__(self, store: VibStore, limits: ReadLimits) -> None:
        self._store = store
        self._facts = MeasuredFiles(store, key_of=lambda vib: (vib.id, vib.fingerprint), limits=limits)

    def open_vib(self, vib: Vib) -> BinaryIO:
        return self._store.open_vib(vib)

    def open_packed_vib(self, vib: Vib) -> contextlib.AbstractContextManager[PackedVib] | None:
        return self._store.open_packed_vib(vib) if isinstance(self._store, PackedVibStore) else None

    def file_facts(self, vib: Vib) -> VibFile:
        return self._facts.file_facts(vib)

    def vib_head(self, vib: Vib) -> VibHead:
        return self._facts.vib_head(vib)

    def vib_facts(self, vib: Vib) -> VibFacts:
        return self._facts.vib_facts(vib)

    def sources_of(self, vib: Vib) -> tuple[str, ...]:  # noqa: ARG002 - such a store names none
        return ()


def measured(store: VibStore, *, limits: ReadLimits | None = None) -> MeasuredVibStore:
    """Return a store that knows facts about its files: the store itself if it does, else one around it.

    Facts are kept as long as what is returned, so whoever writes several outputs from a store of
    their own calls this once.

    Args:
        store: Anything that opens VIBs.
        limits: Upper bounds for reading heads; None takes the defaults of ``ReadLimits``.
    """
    return store if isinstance(store, MeasuredVibStore) else _Measured(store, limits or ReadLimits())


def facts_of_vibs(
    vibs: Iterable[Vib], store: MeasuredVibStore, *, anchors: bytes | None = None
) -> tuple[VibFacts, ...]:
    """Return the facts about those VIBs that a store holds; what cannot be read is a fact too, and says why."""
    found = []
    for vib in vibs:
        try:
            facts = store.vib_facts(vib)
            if anchors is not None:
                facts = head_facts(vib.id, store.vib_head(vib), facts.descriptor, anchors=anchors)
            found.append(facts)
        except NotInDepotError:
            continue  # whoever wants its bytes is told
        except MissingExtraError:
            raise  # of whoever asks for trust; nothing is wrong with the VIB
        except EsxImageError as error:
            found.append(VibFacts(vib_id=vib.id, problem=error.message, where=error.where))
    return tuple(found)


def with_file_facts(vib: Vib, store: MeasuredVibStore) -> Vib:
    """Return the VIB with size and SHA-256 of its file.

    Raises:
        DepotError: As ``MeasuredVibStore.file_facts`` raises it.
    """
    return vib.with_file(store.file_facts(vib))


def measured_image(image: Image, store: MeasuredVibStore, vib_ids: Collection[str] | None = None) -> Image:
    """Return the image with size and SHA-256 of its VIBs' files.

    Args:
        image: Any.
        store: Has its VIBs.
        vib_ids: Of these alone; None means of all.

    Raises:
        DepotError: As ``MeasuredVibStore.file_facts`` raises it.
    """

    def known(vib: Vib) -> Vib:
        return with_file_facts(vib, store) if vib_ids is None or vib.id in vib_ids else vib

    return attrs.evolve(
        image,
        vibs=[attrs.evolve(entry, vib=known(entry.vib)) for entry in image.vibs],
        reserved_vibs=[attrs.evolve(entry, vib=known(entry.vib)) for entry in image.reserved_vibs],
    )


def require_digest(vib: Vib, found: str) -> None:
    """Compare the SHA-256 of a VIB's file with what its metadata says.

    Raises:
        ChecksumMismatchError: They differ.
    """
    expected = vib.file.sha256 if vib.file is not None else ""
    if found != expected:
        raise ChecksumMismatchError(
            "the VIB's sha-256 checksum differs from what the metadata says",
            where=vib.id,
            found=found,
            expected=expected,
            hint="the file was damaged or changed: download the depot again",
        )


def require_size(vib: Vib, found: int, *, is_whole: bool = True) -> None:
    """Compare the size in bytes of a VIB's file with what its metadata says, if it says anything.

    Args:
        vib: Whose file.
        found: What was read.
        is_whole: False while more may come: only what is too much is refused.

    Raises:
        ChecksumMismatchError: They differ.
    """
    expected = vib.file.size_bytes if vib.file is not None else None
    if expected is None or found == expected or (found < expected and not is_whole):
        return
    raise ChecksumMismatchError(
        "the VIB's size differs from what the metadata says",
        where=vib.id,
        found=f"{found} bytes" if is_whole else f"more than {expected} bytes",
        expected=f"{expected} bytes",
        hint="the file is cut short or was changed: download the depot again",
    )
