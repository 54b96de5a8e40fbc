"""The one small protocol by which long work says how far it is."""

from __future__ import annotations

from typing import Protocol

__all__ = ["Progress", "no_progress"]


class Progress(Protocol):
    """Called now and then by long work, always from the calling thread."""

    def __call__(self, stage: str, done_bytes: int, total_bytes: int) -> None:
        """Take note that ``stage`` has done so many bytes of so many; both are 0 when unknown."""


def no_progress(stage: str, done_bytes: int, total_bytes: int) -> None:
    """Say nothing: the default."""
