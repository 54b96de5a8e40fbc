"""Upper bounds for reading files of unknown origin, and for searching among versions left open.

The defaults are what real depots pass at least ten times over, and keep what a small file of ill will can cost
to about 256 MiB and ten seconds. ``ReadLimits`` is a value the caller may change; ``ReadBudget`` counts what one
reading has spent, across archives nested in one another. ``SearchLimits`` and
``SearchBudget`` are the same for a search; it counts steps and never looks at a clock.
"""

from __future__ import annotations

from typing import final

import attrs

from esximage_builder.errors import LimitExceededError

__all__ = ["DOCUMENT_BYTES", "ReadBudget", "ReadLimits", "SearchBudget", "SearchLimits", "UnpackBudget"]

_MIB = 1024 * 1024
_GIB = 1024 * _MIB

DOCUMENT_BYTES = 8 * _MIB
"""Default bound of one document."""


@final
@attrs.frozen(kw_only=True)
class ReadLimits:
    """Bounds for one reading; each field carries its unit in its name.

    Attributes:
        document_bytes: One XML, JSON or text document.
        metadata_bytes: All metadata of one reading, unpacked.
        member_count: Members of one archive.
        unpacked_ratio: What all payloads of one verification may unpack to, in multiples of the size of
            the file that they lie in; 256 MiB are free.
        gathered_errors: Errors of one reading that are kept; the others are counted.
        nested_bytes: All zips inside zips of one reading, unpacked: they are copied to a
            temporary file to be looked into, and so much may be written to it.
        vib_bytes: One ``.vib`` file.
        payload_bytes: One payload, unpacked.
        archive_depth: Archives inside archives; the outermost counts as one, a ``metadata.zip`` too.
    """

    document_bytes: int = DOCUMENT_BYTES
    metadata_bytes: int = 256 * _MIB
    member_count: int = 40_000
    gathered_errors: int = 100
    nested_bytes: int = 4 * _GIB
    vib_bytes: int = 4 * _GIB
    payload_bytes: int = 8 * _GIB
    archive_depth: int = 4
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


@final
@attrs.define
class ReadBudget:
    """What one reading has unpacked so far; nested archives share the object."""

    limits: ReadLimits
    metadata_bytes: int = 0
    nested_bytes: int = 0

    def spend(self, count: int, *, where: str) -> None:
        """Account for ``count`` unpacked bytes of metadata.

        Raises:
            LimitExceededError: The sum passes ``limits.metadata_bytes``.
        """
        self.metadata_bytes += count
        if self.metadata_bytes > self.limits.metadata_bytes:
            raise LimitExceededError(
                "the metadata unpacks to more than the limit",
                where=where,
                found=f"more than {self.limits.metadata_bytes} bytes",
                expected=f"at most {self.limits.metadata_bytes} bytes",
                hint="if the file is trusted, pass ReadLimits(metadata_bytes=...) with a larger value",
            )

    def spend_nested(self, count: int, *, where: str) -> None:
        """Account for a zip of ``count`` unpacked bytes inside another; a refused one is not counted.

        Raises:
            LimitExceededError: The sum would pass ``limits.nested_bytes``.
        """
        if self.nested_bytes + count > self.limits.nested_bytes:
            raise LimitExceededError(
                "the zips inside other zips unpack to more than the limit",
                where=where,
                found=f"{count} bytes after {self.nested_bytes}",
                expected=f"at most {self.limits.nested_bytes} bytes",
                hint="if the file is trusted, pass ReadLimits(nested_bytes=...) with a larger value, or unpack it",
            )
        self.nested_bytes += count


@final
@attrs.frozen(kw_only=True)
class SearchLimits:
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


_FREE_BYTES = 256 * _MIB


@final
class UnpackBudget:
    """What all payloads of one file may still unpack to.

    Args:
        limits: Say how many times the file's size.
        size_bytes: Of the outermost file that holds them.
    """

    def __init__(self, limits: ReadLimits, size_bytes: int) -> None:
        self._payload_bytes = limits.payload_bytes
        self._left = max(_FREE_BYTES, limits.unpacked_ratio * size_bytes)

    @property
    def bound(self) -> int:
        """The most that the next payload may unpack to, in bytes."""
        return min(self._payload_bytes, self._left)

    def spend(self, count: int) -> None:
        """Account for unpacked bytes."""
        self._left = max(0, self._left - count)
