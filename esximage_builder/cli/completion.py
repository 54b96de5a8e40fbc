"""Completion in shells, with the extra ``cli``: verbs, options, and what the named depots hold.

The shell asks by running the program with a variable of ``argcomplete``; docs/command-line.md says how to set a
shell up. Names come from the depots that were typed so far, or from those of the project file; what cannot be
opened completes nothing.
"""

from __future__ import annotations

import contextlib
import os
import shlex
from typing import TYPE_CHECKING

from esximage_builder.cli.paths import input_paths
from esximage_builder.codes import CODES
from esximage_builder.depot.opening import open_depot
from esximage_builder.errors import EsxImageError, MissingExtraError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from esximage_builder.models.catalog import Catalog

__all__ = ["complete", "typed_depots"]


def complete(parser: argparse.ArgumentParser, actions: Iterable[argparse.Action], depots: Sequence[str]) -> None:
    """Answer the shell and end the process.

    Args:
        parser: It knows all verbs and their arguments.
        actions: All of its actions.
        depots: Those of the project file, where one is meant.

    Raises:
        MissingExtraError: The extra ``cli`` is not installed.
    """
    try:
        import argcomplete  # noqa: PLC0415 - only where a shell asks
    except ImportError as error:
        raise MissingExtraError(
            "completion needs argcomplete, which is not installed", hint="pip install esximage-builder[cli]"
        ) from error
    for action in actions:
        names = _NAMES.get(action.dest)
        if names is not None:
            action.completer = _completer(names, depots)  # type: ignore[attr-defined]
        elif action.dest in _CODES:
            action.completer = lambda **_: sorted(CODES)  # type: ignore[attr-defined]
    argcomplete.autocomplete(parser, always_complete_options="long")


def _completer(names: Callable[[Catalog], Iterator[str]], depots: Sequence[str]) -> Callable[..., list[str]]:
    def found(**_: object) -> list[str]:
        typed = typed_depots(os.environ.get("COMP_LINE", "")) or depots
        with contextlib.suppress(EsxImageError, OSError), open_depot(*input_paths(typed)) as depot:
            return sorted(dict.fromkeys(names(depot.catalog)))
        return []

    return found


def typed_depots(line: str) -> list[str]:
    """Return what stands behind ``--depot`` in a command that is not finished; a parser would not take it yet."""
    try:
        words = shlex.split(line)
    except ValueError:  # a quotation mark that is still open
        words = line.split()
    found: list[str] = []
    is_depot = False
    for word in words:
        if word.startswith("-"):
            name, _, value = word.partition("=")
            is_depot = name == "--depot" and not value
            found += [value] if name == "--depot" and value else []
        elif is_depot:
            found.append(word)
    return found


def _base_images(catalog: Catalog) -> Iterator[str]:
    for unit in catalog.base_images:
        yield unit.version.text


def _add_ons(catalog: Catalog) -> Iterator[str]:
    for unit in catalog.add_ons:
        yield unit.name
        yield f"{unit.name}:{unit.version.text}"


def _components(catalog: Catalog) -> Iterator[str]:
    for component in catalog.components:
        yield component.name
        yield f"{component.name}:{component.version.text}"


def _component_names(catalog: Catalog) -> Iterator[str]:
    return (component.name for component in catalog.components)


def _profiles(catalog: Catalog) -> Iterator[str]:
    return (profile.name for profile in catalog.profiles)


def _vib_names(catalog: Catalog) -> Iterator[str]:
    return (vib.name for vib in catalog.vibs)


_NAMES: dict[str, Callable[[Catalog], Iterator[str]]] = {
    "base": _base_images,
    "add_on": _add_ons,
    "component": _components,
    "remove": _component_names,
    "profile": _profiles,
    "remove_vib": _vib_names,
}
"""Where an option's values come from, by the name that the parser keeps it under."""
_CODES = frozenset({"allow"})
