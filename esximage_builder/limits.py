"""Upper bounds for reading files of unknown origin, and for searching among versions left open.

The defaults are what real depots pass at least ten times over, and keep what a small file of ill will can cost
to about 256 MiB and ten seconds. ``ReadLimits`` is a value the caller may change; ``ReadBudget`` counts what one
reading has spent, across archives nested in one another. ``SearchLimits`` and
``SearchBudget`` are the same for a search; it counts steps and never looks at a clock.

A bound alone lets a file of some kilobytes cost as much as the largest depot there is. So a small
file is also held to its own length: what is unpacked of it, how much metadata it has, and into how
many parts that falls may be many times what real depots have for each of their bytes, and no more.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, final

import attrs

from esximage_builder.errors import LimitExceededError
from esximage_builder.shown import Shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["DOCUMENT_BYTES", "ReadBudget", "ReadLimits", "SearchBudget", "SearchLimits", "require_few_parts"]

_MIB = 1024 * 1024
_GIB = 1024 * _MIB

DOCUMENT_BYTES = 8 * _MIB
"""Default bound of one document."""

_PARTS = b"<=,:[{"
_COUNTED_BYTES = 1 * _MIB
# A document as long as it may be has one part for so many bytes at most; real ones have one for 15 of their own.
_BYTES_OF_PART = 16
_FEW_PARTS = 20_000

# What a reading has for nothing, before the length of its sources counts.
_FREE_UNPACKED = 256 * _MIB
_FREE_METADATA = 16 * _MIB
_FREE_PARTS = 200_000
_FREE_MEMBERS = 40_000
# Of ``unpacked_ratio``: bytes of metadata, and parts of documents and members of archives for each byte of a source.
_METADATA_SHARE = 6
_PARTS_SHARE = 200
_MEMBERS_SHARE = 4000


@final
@attrs.frozen(kw_only=True, repr=False)
class ReadLimits(Shown):
    """Bounds for one reading; each field carries its unit in its name.

    Attributes:
        document_bytes: One XML, JSON or text document.
        metadata_bytes: All metadata of one reading, unpacked.
        member_count: Members of one archive.
        gathered_errors: Errors of one reading that are kept; the others are counted.
        nested_bytes: All zips inside zips of one reading, unpacked: they are copied to a
            temporary file to be looked into, and so much may be written to it.
        vib_bytes: One ``.vib`` file.
        payload_bytes: One payload, unpacked.
        archive_depth: Archives inside archives; the outermost counts as one, a ``metadata.zip`` too.
        loader_bytes: One boot loader image, which is held in memory.
        unpacked_ratio: How many bytes a file may unpack to for each of its own, all that is in it together;
            the first 256 MiB are free. What is held in memory has less in the same proportion.
    """

    document_bytes: int = DOCUMENT_BYTES
    metadata_bytes: int = 256 * _MIB
    member_count: int = 40_000
    gathered_errors: int = 100
    nested_bytes: int = 4 * _GIB
    vib_bytes: int = 4 * _GIB
    payload_bytes: int = 8 * _GIB
    archive_depth: int = 4
    loader_bytes: int = 64 * _MIB
    unpacked_ratio: int = 100

    def require_depth(self, depth: int, *, where: str) -> None:
        """Refuse an archive that lies in more archives than allowed.

        Args:
            depth: How many archives it is in, itself included.
            where: How to name it.

        Raises:
            LimitExceededError: More than ``archive_depth``.
        """
        if depth > self.archive_depth:
            raise LimitExceededError(
                "archives are nested deeper than the limit",
                where=where,
                found=f"depth {depth}",
                expected=f"at most {self.archive_depth}",
                hint="unpack the outer archive, or pass ReadLimits(archive_depth=...) with a larger value",
            )


def require_few_parts(data: bytes, *, max_bytes: int, where: str) -> None:
    """Refuse a document that would fall into more parts than one of its kind has, before it is parsed.

    A part takes a hundred times its bytes in memory.

    Raises:
        LimitExceededError: More than one part for 16 bytes of the longest document allowed.
    """
    most = max(max_bytes // _BYTES_OF_PART, _FEW_PARTS)
    if len(data) > most and (count := _parts_in(data)) > most:
        raise LimitExceededError(
            "the document has more elements, attributes or values than the limit",
            where=where,
            found=f"about {count}",
            expected=f"at most {most}",
            hint="if the file is trusted, pass ReadLimits(document_bytes=...) with a larger value",
        )


def _parts_in(data: bytes) -> int:
    """Return how many elements, attributes and values a document can have at most."""
    blocks = (data[at : at + _COUNTED_BYTES] for at in range(0, len(data), _COUNTED_BYTES))
    return sum(len(block) - len(block.translate(None, _PARTS)) for block in blocks)


@final
@attrs.define
class ReadBudget:
    """What one reading has unpacked so far; nested archives share the object, and threads may.

    Attributes:
        limits: The bounds.
        source_bytes: Length of all sources together; None if nobody told, and then it bounds nothing.
        metadata_bytes: Metadata so far.
        nested_bytes: Zips inside zips so far.
        unpacked_bytes: Contents so far.
        parts: Elements, attributes and values of documents so far.
        members: Members of archives so far.
        was_short: True once something was refused.
    """

    limits: ReadLimits
    source_bytes: int | None = None
    metadata_bytes: int = 0
    nested_bytes: int = 0
    unpacked_bytes: int = 0
    parts: int = 0
    members: int = 0
    was_short: bool = False
    _lock: threading.Lock = attrs.field(factory=threading.Lock, init=False, repr=False, eq=False)

    def copy(self) -> ReadBudget:
        """Return one that has spent as much, and goes its own way."""
        return attrs.evolve(self)

    def take(self, other: ReadBudget) -> None:
        """Have spent what the other one has, which was a copy."""
        for field in attrs.fields(ReadBudget):
            if field.init:
                setattr(self, field.name, getattr(other, field.name))

    def bring(self, count: int) -> None:
        """Take note of a source of so many bytes."""
        self.source_bytes = (self.source_bytes or 0) + count

    def spend(self, count: int, *, where: str) -> None:
        """Account for ``count`` unpacked bytes of metadata.

        Raises:
            LimitExceededError: The sum passes ``limits.metadata_bytes``, or what the sources' length allows.
        """
        with self._lock:
            self.metadata_bytes += count
        if self.metadata_bytes > self.limits.metadata_bytes:
            self.was_short = True
            raise LimitExceededError(
                "the metadata unpacks to more than the limit",
                where=where,
                found=f"more than {self.limits.metadata_bytes} bytes",
                expected=f"at most {self.limits.metadata_bytes} bytes",
                hint="if the file is trusted, pass ReadLimits(metadata_bytes=...) with a larger value",
            )
        most = self._allowed(_FREE_METADATA, _METADATA_SHARE)
        self._require("the metadata unpacks to more bytes", self.metadata_bytes, most, where=where)

    def spend_document(self, data: bytes, *, where: str) -> None:
        """Account for the parts of a document that is to be parsed; its bytes are counted by who unpacks it.

        Raises:
            LimitExceededError: All documents together have more than the sources' length allows.
        """
        count = _parts_in(data)
        with self._lock:
            self.parts += count
        most = self._allowed(_FREE_PARTS, _PARTS_SHARE)
        self._require("the metadata has more elements, attributes and values", self.parts, most, where=where)

    def spend_members(self, count: int, *, where: str) -> None:
        """Account for ``count`` members of archives.

        Raises:
            LimitExceededError: All archives together have more than the sources' length allows.
        """
        with self._lock:
            self.members += count
        most = self._allowed(max(_FREE_MEMBERS, self.limits.member_count), _MEMBERS_SHARE)
        self._require("the archives have more members", self.members, most, where=where)

    def spend_unpacked(self, count: int, *, where: str) -> None:
        """Account for ``count`` bytes of contents that were read or unpacked.

        Raises:
            LimitExceededError: The sum passes what the sources' length allows.
        """
        with self._lock:
            self.unpacked_bytes += count
        most = self._allowed(_FREE_UNPACKED, 1)
        self._require("the contents unpack to more bytes", self.unpacked_bytes, most, where=where)

    def counted(self, blocks: Iterable[bytes], *, where: str) -> Iterator[bytes]:
        """Yield the blocks, and account for each as ``spend_unpacked`` does; where all is spent, none is made."""
        self.spend_unpacked(0, where=where)
        for block in blocks:
            self.spend_unpacked(len(block), where=where)
            yield block

    def _allowed(self, free: int, share: int) -> int | None:
        if self.source_bytes is None:
            return None
        return free + self.source_bytes * self.limits.unpacked_ratio // share

    def _require(self, message: str, found: int, most: int | None, *, where: str) -> None:
        if most is not None and found > most:
            self.was_short = True
            raise LimitExceededError(
                f"{message} than a file of its length explains",
                where=where,
                found=f"{found} from {self.source_bytes} bytes",
                expected=f"at most {most}",
                hint="if the file is trusted, pass ReadLimits(unpacked_ratio=...) with a larger value",
            )

    def spend_nested(self, count: int, *, where: str) -> None:
        """Account for a zip of ``count`` unpacked bytes inside another; a refused one is not counted.

        Raises:
            LimitExceededError: The sum would pass ``limits.nested_bytes``.
        """
        if self.nested_bytes + count > self.limits.nested_bytes:
            self.was_short = True
            raise LimitExceededError(
                "the zips inside other zips unpack to more than the limit",
                where=where,
                found=f"{count} bytes after {self.nested_bytes}",
                expected=f"at most {self.limits.nested_bytes} bytes",
                hint="if the file is trusted, pass ReadLimits(nested_bytes=...) with a larger value, or unpack it",
            )
        self.nested_bytes += count


@final
@attrs.frozen(kw_only=True, repr=False)
class SearchLimits(Shown):
    """Bounds for the search over versions left open.

    Attributes:
        images_judged: Whole images that are put together and judged.
        versions_tried: Versions that are tried for a name, each time anew.
    """

    images_judged: int = 2_000
    versions_tried: int = 2_000_000


@final
@attrs.define
class SearchBudget:
    """What one search has spent so far."""

    limits: SearchLimits
    images_judged: int = 0
    versions_tried: int = 0

    def judge_image(self) -> None:
        """Account for one image more.

        Raises:
            LimitExceededError: The count passes ``limits.images_judged``.
        """
        self.images_judged += 1
        if self.images_judged > self.limits.images_judged:
            raise _search_too_long(f"{self.limits.images_judged} images judged", "images_judged")

    def try_version(self) -> None:
        """Account for one version more.

        Raises:
            LimitExceededError: The count passes ``limits.versions_tried``.
        """
        self.versions_tried += 1
        if self.versions_tried > self.limits.versions_tried:
            raise _search_too_long(f"{self.limits.versions_tried} versions tried", "versions_tried")


def _search_too_long(expected: str, name: str) -> LimitExceededError:
    return LimitExceededError(
        "the search over versions left open takes more steps than the limit",
        found="more",
        expected=f"at most {expected}",
        hint=f"name some of the versions, or pass SearchLimits({name}=...) with a larger value",
    )
