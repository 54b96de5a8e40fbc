"""What every export gives back."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

import attrs

from esximage_builder.models.fields import as_tuple
from esximage_builder.shown import Shown

if TYPE_CHECKING:
    from pathlib import Path

    from esximage_builder.findings import Finding

__all__ = ["ExportResult"]


@final
@attrs.frozen(kw_only=True, repr=False)
class ExportResult(Shown):
    """What an export wrote.

    Attributes:
        path: The file.
        size_bytes: Its length.
        image_digest: Digest of the image inside.
        waived: Errors of the image that the caller allowed.
        findings: What the export itself has to say, such as mapped file names.
    """

    path: Path
    size_bytes: int
    image_digest: str
    waived: tuple[Finding, ...] = attrs.field(default=(), converter=as_tuple)
    findings: tuple[Finding, ...] = attrs.field(default=(), converter=as_tuple)
