"""Taking a kickstart file in: read, checked, refused if the installer would refuse it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from esximage_builder.errors import ExportError, IncompatibleImageError
from esximage_builder.findings import Severity
from esximage_builder.formats.kickstart import check_kickstart

if TYPE_CHECKING:
    from collections.abc import Iterable

    from esximage_builder.findings import Finding

__all__ = ["read_kickstart"]


def read_kickstart(
    kickstart: str | Path | bytes | None, *, allow: Iterable[str]
) -> tuple[bytes | None, tuple[Finding, ...]]:
    """Return the content of a kickstart file and what a check found.

    Args:
        kickstart: A path, or the content itself; None for none.
        allow: Codes of errors that do not matter.

    Raises:
        ExportError: The file cannot be read.
        IncompatibleImageError: It has errors that are not allowed.
    """
    if kickstart is None:
        return None, ()
    where = "kickstart" if isinstance(kickstart, bytes) else str(kickstart)
    script = kickstart if isinstance(kickstart, bytes) else _read(Path(kickstart))
    findings = check_kickstart(script, where=where)
    allowed = set(allow)
    errors = [finding for finding in findings if finding.severity is Severity.ERROR and finding.code not in allowed]
    if errors:
        raise IncompatibleImageError(
            "the kickstart file has errors, nothing is written",
            findings=errors,
            where=where,
            found=errors[0].message,
            hint=errors[0].remedy,
        )
    return script, findings


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ExportError(
            f"the kickstart file cannot be read: {error.strerror or error}", where=str(path), hint="check the path"
        ) from error
