"""How much of a long search is done: a share of it in every run, all of it by ``make test-long``."""

from __future__ import annotations

import os

__all__ = ["SHARE", "share"]

SHARE = 1 if os.environ.get("ESXIMAGE_LONG") else 5
"""One of how many examples is tried."""


def share(count: int) -> int:
    """Return how many of so many examples are tried in this run."""
    return -(-count // SHARE)
