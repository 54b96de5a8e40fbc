"""Reading an installer disc as a depot: its image database, its payloads, its reserved VIBs.

A disc does not hold ``.vib`` files but what they are made of: the exact descriptor and
signature in the image database, the payloads as files or in ``imgpayld.tgz``. A VIB is put
together of these again when it is asked for; every payload is checked against the
descriptor that the signature covers. The archive around them is ours, in the form that archives of
its time have: a disc does not tell the SHA-256 of the ``.vib`` it was made from.

Opening a disc reads the image database, and reads ``resvibs.tgz`` and ``esxiodpt.tgz``
through once, since the VIBs in them can be found in no other way. Payloads stay where they are;
an archive is unpacked to a temporary file when something in it is first asked for.

Source: docs/formats.md#disc-layout, docs/formats.md#image-database.
"""

from __future__ import annotations

import functools
import hashlib
import io
import tempfile
import threading
from contextlib import ExitStack
from typing import TYPE_CHECKING, BinaryIO, ClassVar, cast, final

import attrs

from esximage_builder.codes import make_finding
from esximage_builder.containers.ar import render_ar_header
from esximage_builder.containers.boot_info_table import possible_originals
from esximage_builder.containers.tar_gz import TarGzReader
from esximage_builder.depot.gathered import without_frames
from esximage_builder.depot.image_database import archived_vib_bytes, head_blocks, read_archive
from esximage_builder.depot.spool import using_temporary_file
from esximage_builder.disc_files import DPU_DEPOT, IMAGE_DATABASE, PAYLOAD_ARCHIVE, RESERVED_VIBS
from esximage_builder.documents.vib_archive import archive_mode_of
from esximage_builder.errors import (
    ChecksumMismatchError,
    EsxImageError,
    LimitExceededError,
    NotInDepotError,
)
from esximage_builder.rules.boot_layout import generation_of
from esximage_builder.streams.blocks import block_stream
from esximage_builder.streams.hashing import COPY_BLOCK_BYTES, HashingReader
from esximage_builder.streams.shared_file import SharedFile
from esximage_builder.vocabulary import MODULE_TYPES, PayloadType

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping

    from esximage_builder.containers.iso9660_reader import IsoReader
    from esximage_builder.depot.image_database import DatabaseFiles
    from esximage_builder.documents.vib_archive import VibHead
    from esximage_builder.findings import Finding
    from esximage_builder.limits import ReadBudget, ReadLimits
    from esximage_builder.models.image_profile import ImageProfile
    from esximage_builder.models.vib import Payload, Vib
    from esximage_builder.versions import BaseImageVersion

__all__ = [
    "DiscTree",
    "PayloadPlace",
    "is_installer_disc",
    "local_names_by_vib",
    "not_carried",
    "read_database",
]

_VIB_ARCHIVES = (RESERVED_VIBS, DPU_DEPOT)
_CARRIED_LATER = {RESERVED_VIBS: "reserved VIBs", DPU_DEPOT: "VIBs for data processing units"}


def is_installer_disc(disc: IsoReader) -> bool:
    """Tell whether the disc has an image database."""
    return IMAGE_DATABASE in disc.files


def read_database(disc: IsoReader, *, limits: ReadLimits, budget: ReadBudget) -> DatabaseFiles:
    """Return the files of the disc's image database.

    Raises:
        DepotError: The archive is damaged or too large.
    """
    where = f"{disc.where}!{IMAGE_DATABASE}"
    with disc.open(IMAGE_DATABASE) as source:
        return read_archive(source, where=where, limits=limits, budget=budget)


def local_names_by_vib(profiles: Iterable[ImageProfile]) -> dict[str, dict[str, frozenset[str]]]:
    """Return the local names of each payload by VIB id and payload name: each that a profile gives it."""
    names: dict[str, dict[str, set[str]]] = {}
    for profile in profiles:
        for entry in profile.vibs:
            own = names.setdefault(entry.vib_id, {})
            for payload_name, local_name in entry.local_names:
                own.setdefault(payload_name, set()).add(local_name)
    return {vib_id: {name: frozenset(local) for name, local in own.items()} for vib_id, own in names.items()}


def not_carried(disc: IsoReader, version: BaseImageVersion, vib_ids: Collection[str]) -> Iterator[Finding]:
    """Say which VIBs a disc lists and cannot carry, for want of an archive that discs of later releases have.

    Args:
        disc: The opened disc.
        version: Of its base image.
        vib_ids: What its components list and it does not hold.
    """
    archives = {*disc.files, *(name.upper() for name in generation_of(version).archives)}
    lacking = " or ".join(words for archive, words in _CARRIED_LATER.items() if archive not in archives)
    if vib_ids and lacking:
        yield make_finding(
            "disc-carries-less",
            f"the disc lists {len(vib_ids)} VIBs that it cannot carry",
            items=tuple(sorted(vib_ids)),
            cause=f"discs of ESXi {version.product} have no archive for {lacking}",
            remedy="open the offline bundle of the release beside the disc",
            where=disc.where,
        )


@final
@attrs.frozen
class PayloadPlace:
    """A file on the disc, or in its payload archive, that has a payload's name.

    Attributes:
        where: How to name it: ``disc.iso!B.B00``.
        size_bytes: Its length.
        open: Opens it. The BIOS loader comes as it was before it got its boot information
            table, as far as that can be told.
    """

    where: str
    size_bytes: int
    open: Callable[[], BinaryIO]


@final
@attrs.frozen
class _Part:
    """What a VIB is put together of, but for its payloads."""

    vib: Vib
    head: VibHead
    local_names: Mapping[str, frozenset[str]]

    def names_of(self, payload: Payload) -> frozenset[str]:
        """Return the names that a file with this payload can have, in upper case."""
        local = self.local_names.get(payload.name, frozenset({payload.name}))
        names = local if payload.type in MODULE_TYPES else local | {payload.name}
        return frozenset(name.upper() for name in names)


@final
@attrs.frozen
class _Unpacked:
    """An archive of the disc in a temporary file; may be read from many threads.

    Attributes:
        file: The unpacked bytes of all members.
        members: Where each begins, and its length, in the order of the archive.
        by_name: Paths of the members of one file name, in upper case and without folders.
    """

    file: SharedFile
    members: Mapping[str, tuple[int, int]]
    by_name: Mapping[str, tuple[str, ...]]

    def named(self, names: Iterable[str]) -> list[str]:
        """Return the members with one of the names, in the order of the archive."""
        found = (path for name in names for path in self.by_name.get(name, ()))
        return sorted(found, key=lambda path: (*self.members[path], path))

    def open(self, name: str) -> BinaryIO:
        """Open a member."""
        start, size = self.members[name]
        steps = range(start, start + size, COPY_BLOCK_BYTES)
        return block_stream(self.file.read_at(at, min(COPY_BLOCK_BYTES, start + size - at)) for at in steps)


@final
class DiscTree:
    """The VIBs of a disc as a tree of ``.vib`` files, each put together when it is opened.

    Args:
        disc: The opened disc.
        stack: Takes what must stay open.
        limits: Upper bounds.
        budget: Charged with what archives of the disc unpack to; None takes one of its own.
    """

    holds_bytes: ClassVar[bool] = True

    def __init__(
        self, disc: IsoReader, *, stack: ExitStack, limits: ReadLimits, budget: ReadBudget | None = None
    ) -> None:
        self.where = disc.where
        self._sizes: dict[str, int] = {}
        self.sizes: Mapping[str, int] = self._sizes
        self._disc = disc
        # One of its own: what enters the caller's later, when that has given its contexts away, is never closed.
        self._stack = stack.enter_context(ExitStack())
        self._limits = limits
        self._twins: dict[str, int] = {}
        self._budget = budget
        self._parts: dict[str, _Part] = {}
        self._archived: dict[str, tuple[str, str]] = {}
        self._unpacked: dict[str, _Unpacked | EsxImageError] = {}
        self._unpacking = threading.Lock()

    def place(self, path: str) -> str:
        """Return ``disc.iso!vmx.vib``."""
        return f"{self.where}!{path}"

    def add(self, vib: Vib, head: VibHead, local_names: Mapping[str, frozenset[str]]) -> str:
        """Take a VIB of the image database in and return its path.

        Args:
            vib: By its own descriptor.
            head: Its exact descriptor and signature.
            local_names: Of its payloads, by payload name; a payload without one keeps its own.
        """
        path = f"{vib.id}.vib"
        if path in self._parts:  # one id, two descriptors: both stay, and a finding says so
            self._twins[vib.id] = self._twins.get(vib.id, 0) + 1
            path = f"{path}~{self._twins[vib.id]}"
        self._parts[path] = _Part(vib, head, local_names)
        self._sizes[path] = archived_vib_bytes(vib, head)
        return path

    @property
    def vib_archives(self) -> tuple[str, ...]:
        """Archives of the disc that hold whole ``.vib`` files: reserved ones and those for DPUs."""
        return tuple(name for name in _VIB_ARCHIVES if name in self._disc.files)

    def walk(self, archive: str) -> Iterator[tuple[str, BinaryIO]]:
        """Read an archive through once and yield the path of each ``.vib`` file with its bytes.

        A stream is valid until the next step.

        Raises:
            DepotError: The archive is damaged; may also come while a stream is read.
        """
        with self._disc.open(archive) as source:
            for member, stream in TarGzReader(
                source, where=self.place(archive), limits=self._limits, budget=self._budget
            ):
                if member.name.lower().endswith(".vib"):
                    path = f"{archive}!{member.name}"
                    self._sizes[path] = member.size_bytes
                    self._archived[path] = (archive, member.name)
                    yield path, stream

    def read(self, path: str, *, budget: ReadBudget, max_bytes: int) -> bytes:
        """Return a whole VIB; for small ones."""
        if self._sizes[path] > max_bytes:
            raise LimitExceededError(
                "the VIB is larger than the limit", where=self.place(path), expected=f"at most {max_bytes} bytes"
            )
        budget.spend(self._sizes[path], where=self.place(path))
        with self.open(path) as stream:
            return stream.read()

    def open(self, path: str) -> BinaryIO:
        """Open a VIB; it is put together while it is read, and each of its payloads checked.

        Raises:
            DepotError: An archive of the disc is damaged; may also come while reading.
            NotInDepotError: While reading: the disc lacks a payload.
        """
        if path in self._archived:
            archive, name = self._archived[path]
            return self._unpack(archive).open(name)
        return block_stream(self._assembled_blocks(path))

    def open_packed(self, path: str) -> None:
        """Return None: nothing on a disc is packed."""

    def path_of(self, path: str) -> None:
        """Return None: a disc holds what VIBs are made of."""

    def is_put_together(self, path: str) -> bool:
        """Tell whether the VIB is made of the disc's files, or lies whole in one of its archives."""
        return path in self._parts

    def places(self, path: str, payload: Payload) -> Iterator[PayloadPlace]:
        """Yield each file that has the payload's name, unchecked: those of the disc, then of its payload archive.

        Args:
            path: Of a VIB that is put together.
            payload: One of its payloads.

        Raises:
            DepotError: The payload archive is damaged.
        """
        names = self._parts[path].names_of(payload)
        for file in sorted((file for name in names for file in self._files_by_name.get(name, ())), key=_depth):
            size = self._disc.files[file].size_bytes
            opener = functools.partial(self._disc.open, file)
            if payload.type == PayloadType.BOOT_ISO_BIOS and size <= self._limits.loader_bytes:
                opener = functools.partial(self._open_loader, file, payload)
            yield PayloadPlace(self.place(file), size, opener)
        if PAYLOAD_ARCHIVE in self._disc.files:
            yield from self._archived_places(names)

    def _archived_places(self, names: frozenset[str]) -> Iterator[PayloadPlace]:
        unpacked = self._unpack(PAYLOAD_ARCHIVE)
        for member in unpacked.named(names):
            _, size = unpacked.members[member]
            where = f"{self.place(PAYLOAD_ARCHIVE)}!{member}"
            yield PayloadPlace(where, size, functools.partial(unpacked.open, member))

    @functools.cached_property
    def _files_by_name(self) -> dict[str, tuple[str, ...]]:
        return _by_file_name(self._disc.files)

    def _open_loader(self, path: str, payload: Payload) -> BinaryIO:
        """Open the BIOS loader as it was before it got its table; as it is, where that cannot be told."""
        content = self._disc.read(path, max_bytes=self._limits.loader_bytes)
        expected = payload.checksum("sha-256")
        for restored in possible_originals(content):
            if hashlib.sha256(restored).hexdigest() == expected:
                return io.BytesIO(restored)
        return io.BytesIO(content)

    def _assembled_blocks(self, path: str) -> Iterator[bytes]:
        part = self._parts[path]
        mode = archive_mode_of(part.vib)
        yield from head_blocks(part.vib, part.head)
        for payload in part.vib.payloads:
            size = payload.size_bytes or 0
            yield render_ar_header(payload.name, size, mode=mode)
            yield from self._payload_blocks(path, payload)
            yield b"\n" * (size % 2)

    def _payload_blocks(self, path: str, payload: Payload) -> Iterator[bytes]:
        """Yield the bytes of a payload, and refuse its end if they are not what the descriptor says."""
        place = self._best_place(path, payload)
        digest = hashlib.sha256()
        with place.open() as source:
            yield from HashingReader(source, digest).blocks()
        expected = payload.checksum("sha-256")
        if expected is not None and digest.hexdigest() != expected:
            raise _not_the_payload(place, found=digest.hexdigest(), expected=expected)

    def _best_place(self, path: str, payload: Payload) -> PayloadPlace:
        """Return the place to take a payload from: by its name and size, in doubt by its checksum.

        Raises:
            NotInDepotError: No file has its name.
            ChecksumMismatchError: None of these has its size.
        """
        expected = payload.checksum("sha-256")
        # No two modules have one local name; where profiles give several, the bytes tell which is meant.
        is_sure = payload.type in MODULE_TYPES and len(self._parts[path].names_of(payload)) == 1
        others: list[PayloadPlace] = []
        fitting: list[PayloadPlace] = []
        for place in self.places(path, payload):
            (fitting if place.size_bytes == payload.size_bytes else others).append(place)
            if fitting and (is_sure or expected is None):
                break
            if place in fitting and _sha256_of(place) == expected:
                return place
        if fitting:
            return fitting[0]
        if others:
            raise _not_the_payload(
                others[0], found=f"{others[0].size_bytes} bytes", expected=f"{payload.size_bytes} bytes"
            )
        raise NotInDepotError(
            f"the disc does not hold payload {payload.name} of {self._parts[path].vib.id}",
            where=self.where,
            expected=f"a file of {payload.size_bytes} bytes",
            hint="open the offline bundle of the release beside the disc",
        )

    def _unpack(self, archive: str) -> _Unpacked:
        """Unpack an archive to a temporary file, once; one that is damaged stays so."""
        with self._unpacking:
            if archive not in self._unpacked:
                try:
                    self._unpacked[archive] = self._unpack_anew(archive)
                except EsxImageError as error:
                    self._unpacked[archive] = without_frames(error)
            unpacked = self._unpacked[archive]
        if isinstance(unpacked, EsxImageError):
            raise without_frames(unpacked)
        return unpacked

    def _unpack_anew(self, archive: str) -> _Unpacked:
        where = self.place(archive)
        with using_temporary_file(where), ExitStack() as attempt:
            file = attempt.enter_context(tempfile.TemporaryFile())
            unpacked = self._unpacked_into(cast("BinaryIO", file), archive, where)
            self._stack.push(attempt.pop_all())
        return unpacked

    def _unpacked_into(self, file: BinaryIO, archive: str, where: str) -> _Unpacked:
        members: dict[str, tuple[int, int]] = {}
        at = 0
        with self._disc.open(archive) as source:
            for member, stream in TarGzReader(source, where=where, limits=self._limits, budget=self._budget):
                if not member.is_folder:
                    members[member.name] = (at, member.size_bytes)
                    at += member.size_bytes
                    while block := stream.read(COPY_BLOCK_BYTES):
                        file.write(block)
        file.flush()
        shared = SharedFile(file.fileno(), where=where, noun="archive", size_bytes=at)
        return _Unpacked(shared, members, _by_file_name(members))


def _by_file_name(paths: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Return the paths of each file name, which is in upper case and without folders."""
    found: dict[str, list[str]] = {}
    for path in paths:
        found.setdefault(path.rpartition("/")[2].upper(), []).append(path)
    return {name: tuple(same) for name, same in found.items()}


def _depth(path: str) -> tuple[int, str]:
    return (path.count("/"), path)


def _sha256_of(place: PayloadPlace) -> str:
    digest = hashlib.sha256()
    with place.open() as source:
        HashingReader(source, digest).drain()
    return digest.hexdigest()


def _not_the_payload(place: PayloadPlace, *, found: str, expected: str) -> ChecksumMismatchError:
    return ChecksumMismatchError(
        "the payload on the disc is not the one of its descriptor",
        where=place.where,
        found=found,
        expected=expected,
        hint="the disc is damaged or was changed: get it again",
    )
