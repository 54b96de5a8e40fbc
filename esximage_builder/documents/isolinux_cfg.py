"""``isolinux.cfg``, which tells the BIOS loader of a disc what to start: the boot menu.

Read as the loader reads it: one command a line, keywords in any case, ``#`` begins a comment line. A command
behind ``LABEL`` belongs to that label; ``APPEND`` before all labels holds for those without one. What the
loader starts by itself is the label that ``DEFAULT`` names, and nothing without one; with a menu program it is
the label marked ``MENU DEFAULT``, else the first one.

Source: docs/formats.md#boot-menu.
"""

from __future__ import annotations

from typing import final

import attrs

from esximage_builder.disc_files import BIOS_LOADER, BOOT_CFG, ISOLINUX_CFG
from esximage_builder.errors import LimitExceededError
from esximage_builder.limits import DOCUMENT_BYTES
from esximage_builder.models.fields import as_tuple

__all__ = [
    "MENU_PROGRAM",
    "BootMenu",
    "BootMenuEntry",
    "parse_isolinux_cfg",
    "render_isolinux_cfg",
    "render_pxelinux_cfg",
]

_FILE_NAME = ISOLINUX_CFG.lower()
MENU_PROGRAM = "menu.c32"
"""What shows the menu, by the name of its payload."""
_MENU_PROGRAMS = frozenset({MENU_PROGRAM, "vesamenu.c32"})
_STARTING = frozenset(
    {"KERNEL", "LINUX", "BOOT", "BSS", "PXE", "FDIMAGE", "COMBOOT", "COM32", "CONFIG", "LOCALBOOT", "INITRD"}
)
_SETTINGS = frozenset(
    {
        "DEFAULT", "UI", "ONTIMEOUT", "ONERROR", "TIMEOUT", "TOTALTIMEOUT", "PROMPT", "NOHALT", "ALLOWOPTIONS",
        "NOESCAPE", "IMPLICIT", "SERIAL", "CONSOLE", "FONT", "KBDMAP", "DISPLAY", "SAY", "IPAPPEND", "SYSAPPEND",
        "NOCOMPLETE", "MENU", "TEXT", "ENDTEXT", "LABEL", "APPEND", "PATH", *(f"F{number}" for number in range(13)),
    }
)  # fmt: skip
_FOLLOWED = frozenset({"INCLUDE", "CONFIG"})


@final
@attrs.frozen(kw_only=True)
class BootMenuEntry:
    """One label.

    Attributes:
        label: Its name.
        command: What starts it, upper case: ``KERNEL``, ``LOCALBOOT``; empty without such a line.
        target: What is started: a file name, or a drive.
        append: What is handed to it, as one text.
        is_default: Marked ``MENU DEFAULT``.
        title: What the menu shows; empty for the label's name.
    """

    label: str
    command: str = ""
    target: str = ""
    append: str = ""
    is_default: bool = False
    title: str = ""


@final
@attrs.frozen(kw_only=True)
class BootMenu:
    """What ``isolinux.cfg`` says.

    Attributes:
        default: What ``UI`` names, else ``DEFAULT``: a label, a file with what is handed to it, or a menu program.
        menu_program: The menu program that it is, ``menu.c32``; empty if it is something else.
        entries: In the order of the file.
        settings: Other commands before and between the labels, keyword in upper case, with their text.
        unknown: Lines with a keyword that the loader does not know.
        followed: Other files that are read as part of it.
    """

    default: str = ""
    menu_program: str = ""
    entries: tuple[BootMenuEntry, ...] = attrs.field(default=(), converter=as_tuple)
    settings: tuple[tuple[str, str], ...] = attrs.field(default=(), converter=as_tuple)
    unknown: tuple[str, ...] = attrs.field(default=(), converter=as_tuple)
    followed: tuple[str, ...] = attrs.field(default=(), converter=as_tuple)

    @property
    def started(self) -> BootMenuEntry | None:
        """What is started if nobody presses a key; None where no label is."""
        wanted = next((text for key, text in reversed(self.settings) if key == "ONTIMEOUT"), "")
        if not wanted and not self.menu_program:
            wanted = self.default
        by_name = {entry.label.lower(): entry for entry in reversed(self.entries)}
        if wanted:
            label, _, more = wanted.partition(" ")
            named = by_name.get(label.lower())
            typed = BootMenuEntry(label=label, command="KERNEL", target=label, append=more.strip())
            return typed if named is None else attrs.evolve(named, append=f"{named.append} {more}".strip())
        if not self.menu_program:
            return None
        marked = [entry for entry in self.entries if entry.is_default]
        return next(iter([*marked[-1:], *self.entries]), None)


def parse_isolinux_cfg(data: bytes, *, where: str = _FILE_NAME, max_bytes: int = DOCUMENT_BYTES) -> BootMenu:
    """Read a boot menu.

    Args:
        data: The whole file.
        where: How to name it in errors.
        max_bytes: Upper bound for ``data``; that of ``ReadLimits`` if nothing else is said.

    Raises:
        LimitExceededError: Longer than ``max_bytes``.
    """
    if len(data) > max_bytes:
        raise LimitExceededError(
            "the boot menu is larger than the limit", where=where, found=f"{len(data)} bytes", expected=str(max_bytes)
        )
    reading = _Reading()
    for raw in data.decode("utf-8", errors="replace").split("\n"):
        line = " ".join(raw.split())
        if line and not line.startswith("#"):
            keyword, _, text = line.partition(" ")
            reading.take(keyword.upper(), text, line)
    return reading.result()


@final
@attrs.define
class _Reading:
    """What was read so far; commands change the last entry."""

    entries: list[BootMenuEntry] = attrs.field(factory=list)
    settings: list[tuple[str, str]] = attrs.field(factory=list)
    unknown: list[str] = attrs.field(factory=list)
    followed: list[str] = attrs.field(factory=list)
    append: str = ""

    def take(self, keyword: str, text: str, line: str) -> None:
        """Take one command in."""
        if keyword == "LABEL":
            self.entries.append(BootMenuEntry(label=text))
            return
        if keyword in _FOLLOWED or (keyword == "MENU" and text.upper().startswith("INCLUDE ")):
            self.followed.append(text)
        if keyword not in _SETTINGS | _STARTING | _FOLLOWED:
            self.unknown.append(line)
        elif not self._take_of_entry(keyword, text):
            if keyword == "APPEND":
                self.append = text
            self.settings.append((keyword, text))

    def _take_of_entry(self, keyword: str, text: str) -> bool:
        """Take a command in that belongs to the last label; say whether it does."""
        if not self.entries:
            return False
        changes: dict[str, str | bool] = {}
        if keyword in _STARTING:
            changes = {"command": keyword, "target": text}
        elif keyword == "APPEND":
            changes = {"append": text}
        elif keyword == "MENU" and text.upper().startswith("LABEL "):
            changes = {"title": text[len("LABEL ") :]}
        elif keyword == "MENU" and text.upper() == "DEFAULT":
            changes = {"is_default": True}
        if changes:
            self.entries[-1] = attrs.evolve(self.entries[-1], **changes)  # type: ignore[arg-type]
        return bool(changes)

    def result(self) -> BootMenu:
        """Return the whole menu."""
        last = dict(self.settings)
        default = last.get("UI") or last.get("DEFAULT", "")
        program = default.partition(" ")[0].lstrip("/")
        entries = [entry if entry.append else attrs.evolve(entry, append=self.append) for entry in self.entries]
        return BootMenu(
            default=default,
            menu_program=program if program.lower() in _MENU_PROGRAMS else "",
            entries=entries,
            settings=self.settings,
            unknown=self.unknown,
            followed=self.followed,
        )


def render_isolinux_cfg(name: str, *, has_menu: bool, partition: int | None = None) -> bytes:
    """Write the boot menu of a disc, or of a stick.

    Args:
        name: Of the image.
        has_menu: Whether the disc has the menu program.
        partition: Of a stick, where the loader looks for its files; None for a disc.
    """
    where = "" if partition is None else f" -p {partition}"
    shown = " ".join(name.split())  # a line break would begin another command
    lines = (
        f"DEFAULT {MENU_PROGRAM if has_menu else 'install'}",
        f"MENU TITLE {shown} Boot Menu",
        "NOHALT 1",
        "PROMPT 0",
        "TIMEOUT 80",
        "LABEL install",
        f"  KERNEL {BIOS_LOADER.lower()}",
        f"  APPEND -c {BOOT_CFG.lower()}{where}",
        f"  MENU LABEL {shown} ^Installer",
        "LABEL hddboot",
        "  LOCALBOOT 0x80",
        "  MENU LABEL ^Boot from local disk",
    )
    return ("\n".join(lines) + "\n").encode()


def render_pxelinux_cfg(boot_cfg: str) -> bytes:
    """Write what PXELINUX reads, which takes the same commands: no menu, the installer alone.

    Args:
        boot_cfg: Path of ``boot.cfg``, seen from the folder of PXELINUX.
    """
    lines = (
        "DEFAULT install",
        "NOHALT 1",
        "LABEL install",
        f"  KERNEL {BIOS_LOADER.lower()}",
        f"  APPEND -c {boot_cfg}",
        "  IPAPPEND 2",
    )
    return ("\n".join(lines) + "\n").encode()
