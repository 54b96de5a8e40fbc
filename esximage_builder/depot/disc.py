"""Reading an installer disc as a depot: its image database, its payloads, its reserved VIBs.

A disc does not hold ``.vib`` files but what they are made of: the exact descriptor and
signature in the image database, the payloads as files or in ``imgpayld.tgz``. A VIB is put
together of these again when it is asked for; every payload is checked against the
descriptor that the signature covers. The archive around them is ours: a disc does not tell
the SHA-256 of the ``.vib`` it was made from.
"""

from __future__ import annotations

import hashlib
import io
import tempfile
from contextlib import ExitStack
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, BinaryIO, cast, final

import attrs

from esximage_builder.checksums import COPY_BLOCK_BYTES
from esximage_builder.errors import ChecksumMismatchError, LimitExceededError, NotInDepotError
from esximage_builder.formats.ar import AR_MAGIC, render_ar_header
from esximage_builder.formats.image_database import DATABASE_ROOT
from esximage_builder.formats.tar_gz import TarGzReader, read_tgz
from esximage_builder.formats.vib_archive import DESCRIPTOR_NAME, SIGNATURE_NAME, VibHead, read_vib_head
from esximage_builder.streams import block_stream, bounded_stream
from esximage_builder.vocabulary import PayloadType

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from esximage_builder.formats.iso9660_reader import IsoReader
    from esximage_builder.limits import ReadBudget, ReadLimits
    from esximage_builder.models.image_profile import ImageProfile
    from esximage_builder.models.vib import Payload, Vib

__all__ = ["DiscTree", "is_installer_disc", "read_database"]

_DATABASE = "IMGDB.TGZ"
_PAYLOADS = "IMGPAYLD.TGZ"
_VIB_ARCHIVES = ("RESVIBS.TGZ", "ESXIODPT.TGZ")


def is_installer_disc(disc: IsoReader) -> bool:
    """Tell whether the disc has an image database."""
    return _DATABASE in disc.files


def read_database(disc: IsoReader, *, limits: ReadLimits, budget: ReadBudget) -> dict[str, bytes]:
    """Return the files of the image database by path below ``var/db/esximg``.

    Raises:
        DepotError: The archive is damaged or too large.
    """
    where = f"{disc.where}!{_DATABASE}"
    prefix = f"{DATABASE_ROOT}/"
    with disc.open(_DATABASE) as source:
        files = read_tgz(source, where=where, limits=limits, budget=budget)
        return {name.removeprefix(prefix): data for name, data in files if name.startswith(prefix)}


@final
@attrs.frozen
class _Part:
    """Where a VIB's parts are."""

    vib: Vib
    head: VibHead
    local_names: Mapping[str, str]


@final
class DiscTree:
    """The VIBs of a disc as a tree of ``.vib`` files, each put together when it is opened.

    Args:
        disc: The opened disc.
        stack: Takes what must stay open.
        limits: Upper bounds.
    """

    def __init__(self, disc: IsoReader, *, stack: ExitStack, limits: ReadLimits) -> None:
        self.where = disc.where
        self._sizes: dict[str, int] = {}
        self.sizes: Mapping[str, int] = self._sizes
        self._disc = disc
        # One of its own: what enters the caller's later, when that has given its contexts away, is never closed.
        self._stack = stack.enter_context(ExitStack())
        self._limits = limits
        self._parts: dict[str, _Part] = {}
        self._archived: dict[str, tuple[str, str]] = {}
        self._spooled: dict[str, tuple[BinaryIO, int, int]] | None = None

    def place(self, path: str) -> str:
        """Return ``disc.iso!vmx.vib``."""
        return f"{self.where}!{path}"

    def add(self, vib: Vib, head: VibHead, profiles: list[ImageProfile]) -> str:
        """Take a VIB of the image database in and return its path."""
        names = {
            payload_name: local_name
            for profile in profiles
            for entry in profile.vibs
            if entry.vib_id == vib.id
            for payload_name, local_name in entry.local_names
        }
        path = f"{vib.id}.vib"
        self._parts[path] = _Part(vib, head, names)
        self._sizes[path] = _ar_bytes(vib, head)
        return path

    def archived_vibs(self) -> Iterator[tuple[str, VibHead]]:
        """Yield path and head of the whole ``.vib`` files: reserved ones and those for DPUs.

        Raises:
            DepotError: An archive is damaged.
        """
        for archive in _VIB_ARCHIVES:
            if archive not in self._disc.files:
                continue
            with self._disc.open(archive) as source:
                for member, stream in TarGzReader(source, where=f"{self.where}!{archive}", limits=self._limits):
                    if member.name.endswith(".vib"):
                        path = f"{archive}!{member.name}"
                        self._sizes[path] = member.size_bytes
                        self._archived[path] = (archive, member.name)
                        yield path, read_vib_head(stream, where=self.place(path), limits=self._limits)

    def read(self, path: str, *, budget: ReadBudget, max_bytes: int) -> bytes:
        """Return a whole VIB; for small ones."""
        with self.open(path) as stream:
            data = b"".join(iter(lambda: stream.read(COPY_BLOCK_BYTES), b""))
        if len(data) > max_bytes:
            raise LimitExceededError(
                "the VIB is larger than the limit", where=self.place(path), expected=f"at most {max_bytes} bytes"
            )
        budget.spend(len(data), where=self.place(path))
        return data

    def open(self, path: str) -> BinaryIO:
        """Open a VIB; it is put together while it is read."""
        if path in self._archived:
            return block_stream(self._archived_blocks(*self._archived[path]))
        return block_stream(self._assembled_blocks(self._parts[path]))

    def open_packed(self, path: str) -> None:
        """Return None: nothing on a disc is packed."""

    def _archived_blocks(self, archive: str, name: str) -> Iterator[bytes]:
        with self._disc.open(archive) as source:
            for member, stream in TarGzReader(source, where=f"{self.where}!{archive}", limits=self._limits):
                if member.name == name:
                    yield from iter(lambda stream=stream: stream.read(COPY_BLOCK_BYTES), b"")  # type: ignore[misc]
                    return

    def _assembled_blocks(self, part: _Part) -> Iterator[bytes]:
        yield AR_MAGIC
        for name, data in ((DESCRIPTOR_NAME, part.head.descriptor), (SIGNATURE_NAME, part.head.signature)):
            yield render_ar_header(name, len(data)) + data + b"\n" * (len(data) % 2)
        for payload in part.vib.payloads:
            size = payload.size_bytes or 0
            yield render_ar_header(payload.name, size)
            yield from self._payload_blocks(part, payload)
            yield b"\n" * (size % 2)

    def _payload_blocks(self, part: _Part, payload: Payload) -> Iterator[bytes]:
        """Yield the bytes of a payload, and refuse its end if they are not what the descriptor says."""
        digest = hashlib.sha256()
        with self._open_payload(part, payload) as source:
            while block := source.read(COPY_BLOCK_BYTES):
                digest.update(block)
                yield block
        expected = payload.checksum("sha-256")
        if expected is not None and digest.hexdigest() != expected:
            raise ChecksumMismatchError(
                "the payload on the disc is not the one of its descriptor",
                where=f"{self.where}!{part.vib.id}!{payload.name}",
                found=digest.hexdigest(),
                expected=expected,
                hint="the disc is damaged or was changed: get it again",
            )

    def _open_payload(self, part: _Part, payload: Payload) -> BinaryIO:
        """Open a payload by its local name, its real name, or as a member of the payload archive."""
        path = None if payload.type == PayloadType.BOOT_ISO_BIOS else self._disc_path(part, payload)
        if path is not None:
            return self._disc.open(path)
        for name, (spool, start, size) in self._spool().items():
            if size == payload.size_bytes and PurePosixPath(name).name in _names(part, payload):
                spool.seek(start)
                return bounded_stream(spool, size, where=f"{self.where}!{_PAYLOADS}!{name}")
        raise NotInDepotError(
            f"the disc does not hold payload {payload.name} of {part.vib.id}",
            where=self.where,
            expected=f"a file of {payload.size_bytes} bytes",
            hint="open the offline bundle of the release beside the disc",
        )

    def _disc_path(self, part: _Part, payload: Payload) -> str | None:
        wanted = {name.upper() for name in _names(part, payload)}
        fitting = [
            path
            for path, entry in self._disc.files.items()
            if entry.size_bytes == payload.size_bytes and PurePosixPath(path).name in wanted
        ]
        return min(fitting, key=lambda path: (path.count("/"), path), default=None)

    def _spool(self) -> dict[str, tuple[BinaryIO, int, int]]:
        """Unpack the payload archive to a temporary file, once, when it is first needed."""
        if self._spooled is None:
            self._spooled = {}
            if _PAYLOADS in self._disc.files:
                file = self._stack.enter_context(tempfile.TemporaryFile())  # noqa: SIM115
                spool = cast("BinaryIO", file)
                with self._disc.open(_PAYLOADS) as source:
                    for member, stream in TarGzReader(source, where=f"{self.where}!{_PAYLOADS}", limits=self._limits):
                        start = spool.seek(0, io.SEEK_END)
                        while block := stream.read(COPY_BLOCK_BYTES):
                            spool.write(block)
                        self._spooled[member.name] = (spool, start, member.size_bytes)
        return self._spooled


def _names(part: _Part, payload: Payload) -> frozenset[str]:
    return frozenset({payload.name, payload.name.lower(), part.local_names.get(payload.name, payload.name)})


def _ar_bytes(vib: Vib, head: VibHead) -> int:
    """Return the length of the VIB when it is put together."""
    sizes = [len(head.descriptor), len(head.signature), *(payload.size_bytes or 0 for payload in vib.payloads)]
    header = len(render_ar_header("x", 0))
    return len(AR_MAGIC) + sum(header + size + size % 2 for size in sizes)
