"""Errors that are gathered while reading goes on: without the frames they came from, and not without end.

A frame holds whatever was being read, so that thousands of errors would hold thousands of documents.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar, final

if TYPE_CHECKING:
    from collections.abc import Iterator

    from esximage_builder.errors import EsxImageError

__all__ = ["GatheredErrors", "without_frames"]

_Kept = TypeVar("_Kept", bound="EsxImageError")


@final
class GatheredErrors:
    """Errors in reading order.

    Args:
        most: How many are kept.

    Attributes:
        left_out: How many more there were.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._kept: list[EsxImageError] = []
        self.left_out = 0

    def add(self, error: EsxImageError) -> None:
        """Keep an error, or count it."""
        if len(self._kept) < self._most:
            self._kept.append(without_frames(error))
        else:
            self.left_out += 1

    def take(self, others: GatheredErrors) -> None:
        """Add those of another reading."""
        for error in others:
            self.add(error)
        self.left_out += others.left_out

    def __iter__(self) -> Iterator[EsxImageError]:
        return iter(self._kept)

    def __len__(self) -> int:
        """Return how many are kept."""
        return len(self._kept)


def without_frames(error: _Kept) -> _Kept:
    """Cut an error and its causes off the frames that they came through, and return it."""
    found: BaseException | None = error
    while found is not None:
        found.__traceback__ = None
        found.__context__ = found.__cause__
        found = found.__cause__
    return error
