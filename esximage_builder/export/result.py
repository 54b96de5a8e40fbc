"""What every export gives back."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, final

import attrs

from esximage_builder.checksums import sha256_hex
from esximage_builder.models.fields import as_tuple
from esximage_builder.shown import Shown
from esximage_builder.streams.file_state import size_and_sha256

if TYPE_CHECKING:
    from pathlib import Path

    from esximage_builder.findings import Finding
    from esximage_builder.streams.file_state import FileState

__all__ = ["ExportResult", "result_of_data"]


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

    Args:
        sha256: The digest, where it is known already.
        written_as: Which file was written, and in which state it was left; None for a folder.
    """

    path: Path
    size_bytes: int
    image_digest: str
    waived: tuple[Finding, ...] = attrs.field(default=(), converter=as_tuple)
    findings: tuple[Finding, ...] = attrs.field(default=(), converter=as_tuple)
    _known_sha256: str = attrs.field(default="", alias="sha256", eq=False, repr=False)
    _written_as: FileState | None = attrs.field(default=None, alias="written_as", eq=False, repr=False)

    @functools.cached_property
    def sha256(self) -> str:
        """SHA-256 of the file, in lower-case hexadecimal digits; empty for a folder.

        The file is read for it when it is first asked for, and must be as it was written then.

        Raises:
            SourceUnreadableError: The file is gone, is another one, or was changed.
        """
        if self._known_sha256 or self._written_as is None:
            return self._known_sha256
        return size_and_sha256(self.path, self._written_as, since="since it was written")[1]


def result_of_data(path: Path, data: bytes, *, image_digest: str) -> ExportResult:
    """Return the result of a document that was written whole."""
    return ExportResult(path=path, size_bytes=len(data), image_digest=image_digest, sha256=sha256_hex(data))
