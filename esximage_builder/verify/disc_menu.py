"""Does the boot menu of a disc start what the disc installs?

``isolinux.cfg`` is covered by no checksum, and decides what a machine with BIOS starts. What is started if
nobody presses a key must be the loader of ESXi with the ``boot.cfg`` that is checked; other entries that
start other things are told of.

Source: docs/formats.md#boot-menu.
"""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

from esximage_builder.codes import make_finding
from esximage_builder.disc_files import BIOS_LOADER, BOOT_CFG, ISOLINUX_CFG
from esximage_builder.documents.isolinux_cfg import MENU_PROGRAM, render_isolinux_cfg
from esximage_builder.findings import Severity

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from esximage_builder.documents.isolinux_cfg import BootMenu, BootMenuEntry
    from esximage_builder.findings import Finding

__all__ = ["check_menu", "check_menu_words", "menu_lines"]

_LOCAL_BOOT = "LOCALBOOT"
_PROGRAMS = frozenset({"KERNEL", "COM32"})
_NEARLY = 0.9
_LONGEST_MENU = 4096


def check_menu(menu: BootMenu) -> Iterator[Finding]:
    """Look at what the boot menu starts.

    Args:
        menu: As it was read.
    """
    started = menu.started
    if started is None:
        yield _starts("the boot menu starts nothing", "no label", severity=Severity.ERROR)
    for entry in dict.fromkeys((*((started,) if started else ()), *menu.entries)):
        is_started = started is not None and entry.label == started.label
        problem = _otherwise(entry, is_started=is_started)
        if problem:
            is_grave = is_started and entry.command != _LOCAL_BOOT
            severity = Severity.ERROR if is_grave or _is_missing_all(menu) else Severity.WARNING
            yield _starts(f"label {entry.label} of the boot menu {problem}", entry.label, severity=severity)
        elif entry.command != _LOCAL_BOOT and (words := _added(entry)):
            yield make_finding(
                "boot-menu-differs",
                f"label {entry.label} of the boot menu hands {words} to the loader",
                items=(ISOLINUX_CFG, entry.label),
            )
    for name in menu.followed:
        yield _starts(f"the boot menu goes on in {name}, which is not looked at", name, severity=Severity.WARNING)
    for line in menu.unknown:
        message = f"the boot menu has a line that the loader does not know: {line[:80]!r}"
        yield _starts(message, line[:80], severity=Severity.WARNING)


def _is_missing_all(menu: BootMenu) -> bool:
    """Tell whether no entry starts the loader of ESXi."""
    return all(_otherwise(entry, is_started=True) for entry in menu.entries)


def _otherwise(entry: BootMenuEntry, *, is_started: bool) -> str:
    """Say what else an entry starts than ESXi; empty if it does not."""
    if entry.command == _LOCAL_BOOT:
        return "starts the disk of the machine" if is_started else ""
    program = entry.target.lstrip("/").upper()
    if entry.command not in _PROGRAMS or program != BIOS_LOADER:
        return f"starts {entry.target or 'nothing'} instead of {BIOS_LOADER}"
    configs = _configs(entry)
    if configs != {BOOT_CFG}:
        return f"reads {', '.join(sorted(configs)) or 'what it finds'} instead of {BOOT_CFG}"
    return ""


def _configs(entry: BootMenuEntry) -> set[str]:
    """Return the files that the loader is told to read, however the option is written."""
    words = entry.append.split()
    named = {words[at + 1] if at + 1 < len(words) else "nothing" for at, word in enumerate(words) if word == "-c"}
    named |= {word[2:] for word in words if word.startswith("-c") and word != "-c"}
    return {name.lstrip("/").upper() for name in named}


def _added(entry: BootMenuEntry) -> str:
    """Return what the loader gets besides the name of ``boot.cfg``."""
    words = entry.append.split()
    pairs = zip(["", *words], words, strict=False)
    return " ".join(word for before, word in pairs if before != "-c" and not word.startswith("-c"))


def _starts(message: str, item: str, *, severity: Severity) -> Finding:
    if severity is Severity.ERROR:
        return make_finding("boot-menu-starts-otherwise", message, items=(ISOLINUX_CFG, item), severity=Severity.ERROR)
    return make_finding("boot-menu-starts-otherwise", message, items=(ISOLINUX_CFG, item), severity=Severity.WARNING)


def check_menu_words(theirs: Sequence[str], menu: BootMenu, image_name: str) -> Iterator[Finding]:
    """Tell of a menu that is nearly the one that the library writes: somebody changed a few letters.

    Args:
        theirs: The lines of ``isolinux.cfg``, as ``menu_lines`` gives them.
        menu: What it says.
        image_name: Of the image that the disc installs.
    """
    has_menu = menu.menu_program.lower() == MENU_PROGRAM
    for stock in (render_isolinux_cfg(image_name, has_menu=has_menu), *_other_form(image_name, has_menu=has_menu)):
        ours = menu_lines(stock)
        if ours == list(theirs):
            return
        if abs(len(ours) - len(theirs)) <= 1 and _is_near(ours, theirs):
            other = next((line for line in theirs if line not in ours), "a line is missing")
            yield make_finding(
                "boot-menu-differs",
                f"the boot menu is not the one that belongs to the image: {other[:80]!r}",
                items=(ISOLINUX_CFG, other[:80]),
            )
            return


def _other_form(image_name: str, *, has_menu: bool) -> tuple[bytes, ...]:
    return (render_isolinux_cfg(image_name, has_menu=not has_menu),)


def menu_lines(data: bytes) -> list[str]:
    """Return the lines of a boot menu that say something, in small letters and with single blanks."""
    text = data.decode("latin-1").lower()
    return [" ".join(line.split()) for line in text.split("\n") if line.split()]


def _is_near(ours: Sequence[str], theirs: Sequence[str]) -> bool:
    """Tell whether few letters differ; comparing takes time as the square of the length, and menus are short."""
    one, other = "\n".join(ours), "\n".join(theirs)
    shorter, longer = sorted((len(one), len(other)))
    if longer > _LONGEST_MENU or 2 * shorter <= _NEARLY * (shorter + longer):
        return False
    return difflib.SequenceMatcher(None, one, other, autojunk=False).ratio() > _NEARLY
