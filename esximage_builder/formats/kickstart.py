"""The kickstart file of an unattended installation: put on the disc as it is, once it is sane.

Source: docs/formats.md#kickstart.
"""

from __future__ import annotations

from esximage_builder.findings import Finding, Severity

__all__ = ["KICKSTART_DISC_NAME", "check_kickstart", "kickstart_option"]

KICKSTART_DISC_NAME = "KS_CUST.CFG"

_INSTALL_COMMANDS = frozenset({"install", "upgrade", "installorupgrade"})


def kickstart_option(disc_name: str = KICKSTART_DISC_NAME) -> str:
    """Return the kernel option that points to the file; its case must be that of the disc."""
    return f"ks=cdrom:/{disc_name}"


def check_kickstart(data: bytes, *, where: str) -> tuple[Finding, ...]:
    """Return what is wrong with a kickstart file; never raises on its content.

    Args:
        data: The whole file.
        where: How to name it in findings.
    """
    findings = []
    if b"\r\n" in data:
        findings.append(
            Finding(
                code="kickstart-line-ends",
                severity=Severity.WARNING,
                message="the kickstart file has Windows line ends",
                cause="a carriage return becomes part of the last word of each line, shell scripts break",
                remedy="save it with Unix line ends",
                where=where,
            )
        )
    text = data.decode("utf-8", errors="replace")
    commands = {words[0].lower() for line in text.splitlines() if (words := line.split()) and words[0][0] != "#"}
    if not commands & _INSTALL_COMMANDS:
        findings.append(
            Finding(
                code="kickstart-no-install",
                severity=Severity.ERROR,
                message="the kickstart file has no install, upgrade or installorupgrade line",
                cause="the installer stops with an error when none of them is there",
                remedy="add for example: install --firstdisk --overwritevmfs",
                where=where,
            )
        )
    return tuple(findings)
