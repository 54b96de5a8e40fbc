"""The project file in the current folder: what it says stands before what was typed.

It is looked for where no depot is named, or taken from ``--project``. Its settings become options of the verb, so
that there is one meaning of each; what was typed comes after them and counts. Where the image was typed (``--base``,
``--spec``, ``--profile``, ``--locked``), the file's own is left out.
"""

from __future__ import annotations

import contextlib
import itertools
from pathlib import Path
from typing import TYPE_CHECKING

from esximage_builder.depot.tree import read_file
from esximage_builder.documents.project_file import LOCK_NAME, PROJECT_NAME, parse_project
from esximage_builder.errors import EsxImageError
from esximage_builder.limits import DOCUMENT_BYTES

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from esximage_builder.documents.project_file import Project, Setting

__all__ = ["PROJECT_VERBS", "project_depots", "with_project"]

_IMAGE = frozenset({"", "image"})
PROJECT_VERBS = {
    "build": frozenset({"", "image", "outputs", "boot", "checks"}),
    "lock": frozenset({"", "image", "checks"}),
    "explain": _IMAGE,
    "recommend": _IMAGE,
    "check": _IMAGE,
    "plan": _IMAGE,
    "hardware": _IMAGE,
}
"""The verbs that take a project file, and the tables that each of them takes of it."""
_ONLY_IF_NAMED = frozenset({"explain"})  # alone, its names are codes
_STARTS = ("--spec", "--base", "--profile", "--locked")
_LOCKED = "--locked"
# Options of the tables that single verbs do not know.
_UNKNOWN = {
    "lock": frozenset({"--check"}),
    "recommend": frozenset({"--profile", "--remove-vib", "--profile-vendor", "--profile-description", "--acceptance"}),
}


def with_project(verb: str, arguments: Sequence[str]) -> list[str]:
    """Return the arguments of a verb with those of its project file before them.

    Args:
        verb: One of ``PROJECT_VERBS``; others come back as they are.
        arguments: All that was typed, the verb among it.

    Raises:
        SourceUnreadableError: The file that ``--project`` names cannot be read.
        DepotError: It is no project file.
    """
    typed = list(arguments)
    words = list(itertools.takewhile(lambda word: word != "--", typed))
    if verb not in PROJECT_VERBS or {"-h", "--help"} & {*words}:
        return typed
    place = _project_of(verb, words)
    if place is None:
        return typed
    project = parse_project(read_file(place, max_bytes=DOCUMENT_BYTES), where=str(place))
    at = typed.index(verb)
    rest = _with_lock(typed[at + 1 :], project, place)
    told = [f"--project={place}", *_options(project, verb, place.parent, is_started=_has(rest, _STARTS))]
    return [*typed[: at + 1], *told, *rest]


def project_depots() -> tuple[str, ...]:
    """Return the depots of the project file in the current folder; none where there is none that can be read."""
    with contextlib.suppress(EsxImageError):
        place = Path(PROJECT_NAME)
        if place.is_file():
            found: tuple[str, ...] = parse_project(read_file(place, max_bytes=DOCUMENT_BYTES)).value("depots") or ()
            return found
    return ()


def _project_of(verb: str, words: Sequence[str]) -> Path | None:
    """Return the project file that is meant; None if none is."""
    for place, word in enumerate(words):
        name, sign, value = word.partition("=")
        if name == "--project":
            return Path(value) if sign else Path(*words[place + 1 : place + 2])
    found = Path(PROJECT_NAME)
    return found if verb not in _ONLY_IF_NAMED and not _has(words, ("--depot",)) and found.is_file() else None


def _has(words: Sequence[str], options: Sequence[str]) -> bool:
    return any(word.partition("=")[0] in options for word in itertools.takewhile(lambda word: word != "--", words))


def _with_lock(words: list[str], project: Project, place: Path) -> list[str]:
    """Put the project's lock file behind a ``--locked`` that stands alone."""
    if _LOCKED not in words:
        return words
    after = words.index(_LOCKED) + 1
    if after < len(words) and not words[after].startswith("-"):
        return words
    return [*words[:after], str(place.parent / (project.value("lock") or LOCK_NAME)), *words[after:]]


def _options(project: Project, verb: str, folder: Path, *, is_started: bool) -> Iterator[str]:
    tables = PROJECT_VERBS[verb] - ({"image"} if is_started else frozenset())
    if verb == "lock":
        yield f"--out={folder / (project.value('lock') or LOCK_NAME)}"
    for entry in project.settings:
        if entry.key.table in tables and entry.key.option and entry.key.option not in _UNKNOWN.get(verb, ()):
            yield from _typed(entry, folder)


def _typed(entry: Setting, folder: Path) -> Iterator[str]:
    option, value = entry.key.option, entry.value
    if isinstance(value, bool):
        if not value:
            yield option
        return
    for item in (value,) if isinstance(value, str) else value:
        if isinstance(item, str):
            yield f"{option}={_placed(item, entry, folder)}"
        else:
            yield from (option, *item)


def _placed(text: str, entry: Setting, folder: Path) -> str:
    """Return a path seen from where we are; ``~`` and all that is no path stay as they are."""
    is_path = entry.key.is_path or (entry.key.may_be_path and (folder / text).is_file())
    return str(folder / text) if is_path and not text.startswith("~") else text
