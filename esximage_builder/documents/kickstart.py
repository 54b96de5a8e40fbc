"""The kickstart file of an unattended installation: put beside the image as it is, once it is sane.

Source: docs/formats.md#kickstart.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from esximage_builder.codes import make_finding
from esximage_builder.findings import Severity

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from esximage_builder.findings import Finding

__all__ = ["check_kickstart", "check_kickstart_options"]

_INSTALL_COMMANDS = frozenset({"install", "upgrade", "installorupgrade"})
_INCLUDE_COMMANDS = frozenset({"include", "%include"})
_SCRIPT_SECTIONS = frozenset({"%pre", "%post", "%firstboot"})
_KICKSTART_OPTION = re.compile(r"ks=(?P<place>.*)", re.DOTALL)
_DISC_PLACE = "cdrom:"


def check_kickstart(data: bytes, *, where: str) -> tuple[Finding, ...]:
    """Return what is wrong with a kickstart file; never raises on its content.

    Only commands count: what stands in a comment or in a script section does not.

    Args:
        data: The whole file.
        where: How to name it in findings.
    """
    findings = []
    if b"\r" in data:
        findings.append(
            make_finding(
                "kickstart-line-ends",
                "the kickstart file has Windows line ends",
                cause="a carriage return becomes part of the last word of each line, shell scripts break",
                remedy="save it with Unix line ends",
                where=where,
            )
        )
    commands = set(_commands(data.decode("utf-8", errors="replace")))
    if not commands & _INSTALL_COMMANDS:
        findings.append(_no_install(where, may_be_included=bool(commands & _INCLUDE_COMMANDS)))
    return tuple(findings)


def _commands(text: str) -> Iterator[str]:
    """Give the first word of every line that is a command; scripts run to the next section or to ``%end``."""
    in_script = False
    for line in text.splitlines():
        words = line.split()
        if not words or words[0].startswith("#"):
            continue
        word = words[0].lower()
        if word.startswith("%"):
            in_script = word in _SCRIPT_SECTIONS or (in_script and word != "%end")
        if not in_script:
            yield word


def _no_install(where: str, *, may_be_included: bool) -> Finding:
    message = "the kickstart file has no install, upgrade or installorupgrade line"
    remedy = "add for example: install --firstdisk --overwritevmfs"
    if may_be_included:
        return make_finding(
            "kickstart-no-install",
            message,
            severity=Severity.WARNING,
            cause="the file that it includes may have one, which cannot be seen from here",
            remedy=f"if it does not, {remedy}",
            where=where,
        )
    return make_finding(
        "kickstart-no-install",
        message,
        severity=Severity.ERROR,
        cause="the installer stops with an error when none of them is there",
        remedy=remedy,
        where=where,
    )


def check_kickstart_options(
    options: str, *, has_kickstart: bool, disc_names: Iterable[str] | None, why_no_disc: str = ""
) -> tuple[Finding, ...]:
    """Return what is wrong with the ``ks=`` among the caller's kernel options.

    Files elsewhere, ``ks=http://...`` or ``ks=usb``, cannot be looked for and are left alone.

    Args:
        options: The kernel options, separated by blanks.
        has_kickstart: Whether a kickstart file goes with the image, which has an option of its own.
        disc_names: Path of every file on the disc, in its case; None where there is no disc.
        why_no_disc: Why there is none.
    """
    places = [found["place"] for word in options.split() if (found := _KICKSTART_OPTION.fullmatch(word))]
    findings = []
    if len(places) + has_kickstart > 1:
        findings.append(
            make_finding(
                "kickstart-named-twice",
                "the kernel options name more than one kickstart file",
                items=tuple(f"ks={place}" for place in places),
                cause="the kickstart file that was given has its own ks= option"
                if has_kickstart
                else "ks= stands there more than once",
                remedy="name one: either the file, or a ks= option",
            )
        )
    names = None if disc_names is None else tuple(disc_names)
    on_disc = [place.removeprefix(_DISC_PLACE) for place in places if place.startswith(_DISC_PLACE)]
    missing = why_no_disc or "nothing puts a file of this name on the disc"
    return (*findings, *(finding for path in on_disc for finding in _check_disc_path(path, names, missing)))


def _check_disc_path(path: str, names: tuple[str, ...] | None, why_missing: str) -> Iterator[Finding]:
    option = f"ks={_DISC_PLACE}{path}"
    name = path.lstrip("/")
    meant = next((other for other in names or () if other.lower() == name.lower()), "")
    if names is not None and name in names:
        return
    if meant:
        yield make_finding(
            "kickstart-path-case",
            f"{option} does not have the case of the file on the disc",
            severity=Severity.ERROR,
            items=(option, meant),
            cause="names on the disc are in upper case, and the installer looks for the exact name",
            remedy=f"write ks={_DISC_PLACE}/{meant}",
        )
        return
    yield make_finding(
        "kickstart-not-on-disc",
        f"{option} names a file that is not on the disc",
        items=(option,),
        cause=why_missing,
        remedy="give the kickstart file itself, or put it on a server and write ks=http://server/ks.cfg",
    )
