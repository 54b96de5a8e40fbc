"""Taking a kickstart file in: read, checked, refused if the installer would refuse it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from esximage_builder.depot.tree import read_file
from esximage_builder.documents.kickstart import check_kickstart
from esximage_builder.errors import LimitExceededError
from esximage_builder.export.gate import require_allowed

if TYPE_CHECKING:
    from collections.abc import Iterable

    from esximage_builder.findings import Finding
    from esximage_builder.limits import ReadLimits

__all__ = ["kickstart_files", "read_kickstart"]


def kickstart_files(kickstart: str | Path | bytes | None) -> tuple[Path, ...]:
    """Return the file that a kickstart is read from, if it is one."""
    return (Path(kickstart),) if isinstance(kickstart, str | Path) else ()


def read_kickstart(
    kickstart: str | Path | bytes | None, *, allow: Iterable[str], limits: ReadLimits
) -> tuple[bytes | None, tuple[Finding, ...]]:
    """Return the content of a kickstart file and what a check found.

    Args:
        kickstart: A path, or the content itself; None for none.
        allow: Codes of errors that do not matter.
        limits: ``document_bytes`` bounds the file, and the content too.

    Raises:
        SourceUnreadableError: The file is missing or cannot be read.
        LimitExceededError: It is larger than a document may be.
        IncompatibleImageError: It has errors that are not allowed.
    """
    if kickstart is None:
        return None, ()
    where = "kickstart" if isinstance(kickstart, bytes) else str(kickstart)
    bound = limits.document_bytes
    script = kickstart if isinstance(kickstart, bytes) else read_file(Path(kickstart), max_bytes=bound)
    if len(script) > bound:
        raise LimitExceededError(
            "the kickstart file is larger than the limit",
            where=where,
            found=f"{len(script)} bytes",
            expected=f"at most {bound} bytes",
        )
    findings = check_kickstart(script, where=where)
    require_allowed(findings, allow=allow, what="the kickstart file has errors", where=where)
    return script, findings
