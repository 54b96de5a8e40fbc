"""What depots are opened from: paths, and files that the caller opened.

A caller's file is binary and seekable, and so whatever reads at positions serves: a file of the
system, bytes in memory, an object of a store or of a web server that answers requests for ranges.
Nothing here knows a network; what is read is what opening needs, in as few pieces as it can.
The file stays the caller's: it is never closed here, and nobody else may move its position while
the depot is open. Whatever it raises becomes our error, since the depot cannot be read then.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, cast, final

import attrs

from esximage_builder.errors import ModelError
from esximage_builder.streams.identity import input_files
from esximage_builder.streams.shared_file import SharedFile

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["Origin", "files_of", "origins_of"]

_NAMES = ("full_name", "path", "name")
"""Where files say what they are called: the first two are how file systems of fsspec do."""


@final
@attrs.frozen(eq=False)
class Origin:
    """One source.

    Attributes:
        name: How to name it in messages and in the catalog.
        path: Where it stands; None for a file that the caller opened.
        shared: That file; None for a path.
        stream: The same, as the caller gave it.
    """

    name: str
    path: Path | None = None
    shared: SharedFile | None = None
    stream: BinaryIO | None = None


def origins_of(sources: Iterable[object]) -> tuple[Origin, ...]:
    """Return each source once, also those of lists among them.

    Raises:
        ModelError: One is neither a path nor a binary file that can seek.
        SourceUnreadableError: A file of the caller's does not say how long it is.
    """
    found: dict[str | int, Origin] = {}
    names: set[str] = set()
    for source in _flat(sources):
        key = source if isinstance(source, str) else id(source)
        if key not in found:
            found[key] = _origin(source, names)
            names.add(found[key].name)
    return tuple(found.values())


def _flat(sources: Iterable[object]) -> Iterator[str | BinaryIO]:
    for source in sources:
        if isinstance(source, str | Path):
            yield str(source)
        elif hasattr(source, "read"):
            yield _binary_file(source)
        elif isinstance(source, Iterable):
            yield from _flat(source)
        else:
            raise ModelError(
                "a source is no path", found=repr(source)[:80], expected="paths, open binary files, or lists of them"
            )


def _binary_file(source: object) -> BinaryIO:
    if not _can_serve(source):
        raise ModelError(
            "a source is no open binary file that can seek",
            found=repr(source)[:80],
            expected="a file that was opened for reading bytes, such as open(path, 'rb')",
            hint="copy what cannot seek, such as an answer of a server, into a temporary file first",
        )
    return cast("BinaryIO", source)


def _can_serve(source: object) -> bool:
    """Tell whether it is open, gives bytes and no text, and can seek."""
    can_seek = getattr(source, "seekable", None)
    if can_seek is None or hasattr(source, "encoding") or getattr(source, "closed", False):
        return False
    return bool(can_seek())


def _origin(source: str | BinaryIO, taken: set[str]) -> Origin:
    if isinstance(source, str):
        return Origin(source, path=Path(source))
    name = _free_name(_name_of(source), taken)
    return Origin(name, shared=SharedFile(source, where=name, noun="file"), stream=source)


def _name_of(stream: BinaryIO) -> str:
    said = (getattr(stream, attribute, None) for attribute in _NAMES)
    return next((str(name) for name in said if isinstance(name, str | Path) and str(name)), "open file")


def _free_name(name: str, taken: set[str]) -> str:
    """Return the name, with a number behind it where another source has it."""
    number = 1
    free = name
    while free in taken:
        number += 1
        free = f"{name} ({number})"
    return free


def files_of(origins: Iterable[Origin], *, most: int) -> dict[Path, os.stat_result]:
    """Return the files of the system that are read, so that no output replaces one; see ``input_files``."""
    paths: list[Path] = []
    opened: dict[Path, os.stat_result] = {}
    for origin in origins:
        if origin.path is not None:
            paths.append(origin.path)
        elif origin.stream is not None:
            opened.update(_file_behind(origin.stream))
    return input_files(paths, most=most) | opened


def _file_behind(stream: BinaryIO) -> Mapping[Path, os.stat_result]:
    """Return the file of the system that the caller opened, if it is one and still has a name."""
    name = getattr(stream, "name", None)
    with contextlib.suppress(OSError, ValueError, AttributeError, TypeError):
        return {Path(name): os.fstat(stream.fileno())} if isinstance(name, str) else {}
    return {}
