"""What every export gives back."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

import attrs

from esximage_builder.checksums import sha256_hex
from esximage_builder.models.fields import as_tuple
from esximage_builder.shown import Shown

if TYPE_CHECKING:
    from pathlib import Path

    from esximage_builder.findings import Finding

__all__ = ["ExportResult", "result_of_data"]


@final
@attrs.frozen(kw_only=True, repr=False)
class ExportResult(Shown):
    """What an export wrote.

    Attributes:
        path: The file.
        size_bytes: Its length.
        image_digest: Digest of the image inside.
        sha256: SHA-256 of the file, in lower-case hexadecimal digits; empty for a folder.
        waived: Errors of the image that the caller allowed.
        findings: What the export itself has to say, such as mapped file names.
    """

    path: Path
    size_bytes: int
    image_digest: str
    sha256: str = ""
    waived: tuple[Finding, ...] = attrs.field(default=(), converter=as_tuple)
    findings: tuple[Finding, ...] = attrs.field(default=(), converter=as_tuple)


def result_of_data(path: Path, data: bytes, *, image_digest: str) -> ExportResult:
    """Return the result of a document that was written whole."""
    return ExportResult(path=path, size_bytes=len(data), image_digest=image_digest, sha256=sha256_hex(data))
