"""Paths as people type them: ``~`` for the home folder, and patterns that the shell left as they are.

A shell does neither inside quotes, behind ``=``, and on Windows patterns not at all. A path that exists
is never a pattern, whatever signs it has.
"""

from __future__ import annotations

import glob
from pathlib import Path
from typing import TYPE_CHECKING

from esximage_builder.errors import SourceUnreadableError

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["input_path", "input_paths"]

_WILD = frozenset("*?[")


def input_path(typed: str) -> str:
    """Return a path with the home folder in place of ``~``; that of nobody known stays as it is."""
    if not typed.startswith("~"):
        return typed
    try:
        return str(Path(typed).expanduser())
    except RuntimeError:
        return typed


def input_paths(typed: Iterable[str], *, hint: str = "") -> tuple[str, ...]:
    """Return all files that paths and patterns mean, those of each pattern in order of their names.

    Args:
        typed: What was typed.
        hint: What to try where a path is missing; empty leaves that to whoever opens it.

    Raises:
        SourceUnreadableError: A pattern fits no file, or a path is missing and there is a hint.
    """
    return tuple(path for word in typed for path in _meant(input_path(word), hint))


def _meant(path: str, hint: str) -> list[str]:
    if Path(path).exists():
        return [path]
    if _WILD.isdisjoint(path):
        if hint:
            raise SourceUnreadableError("the file cannot be read: No such file or directory", where=path, hint=hint)
        return [path]
    found = sorted(glob.iglob(path, recursive=True))  # noqa: PTH207 - a pattern may be absolute
    if not found:
        raise SourceUnreadableError(
            "no file fits the pattern", where=path, hint="check the folder, and the pattern with `ls`"
        )
    return found
