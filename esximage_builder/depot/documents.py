"""Reading and writing loose documents by path."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from esximage_builder.depot.tree import read_file
from esximage_builder.documents.lock_file import parse_lock
from esximage_builder.documents.software_spec import parse_software_spec, render_software_spec
from esximage_builder.limits import ReadLimits
from esximage_builder.streams.whole_file import write_file

if TYPE_CHECKING:
    from esximage_builder.models.lock import Lock
    from esximage_builder.models.spec import SoftwareSpec

__all__ = ["read_lock", "read_software_spec", "write_software_spec"]


def read_lock(path: str | Path, *, limits: ReadLimits | None = None) -> Lock:
    """Read a lock file.

    Args:
        path: The file.
        limits: Upper bounds; None takes the defaults.

    Raises:
        SourceUnreadableError: The file is missing or cannot be read.
        LimitExceededError: It is longer than ``limits.document_bytes``.
        MalformedDocumentError: No JSON object.
        InvalidFieldError: A key has the wrong type or is missing.
    """
    bound = (limits or ReadLimits()).document_bytes
    return parse_lock(read_file(Path(path), max_bytes=bound), where=str(path), max_bytes=bound)


def read_software_spec(path: str | Path, *, limits: ReadLimits | None = None) -> SoftwareSpec:
    """Read a software spec from a JSON file, as vLCM exports it.

    Args:
        path: The file.
        limits: Upper bounds; None takes the defaults.

    Raises:
        SourceUnreadableError: The file is missing or cannot be read.
        LimitExceededError: It is longer than ``limits.document_bytes``.
        MalformedDocumentError: No JSON object, or a key in another spelling than vLCM's, such as ``addOn``.
        InvalidFieldError: A key has the wrong type or is missing.
    """
    bound = (limits or ReadLimits()).document_bytes
    return parse_software_spec(read_file(Path(path), max_bytes=bound), where=str(path), max_bytes=bound)


def write_software_spec(spec: SoftwareSpec, path: str | Path) -> None:
    """Write a software spec as vLCM imports it; the file appears whole or not at all.

    Raises:
        ExportError: The file cannot be written.
    """
    write_file(Path(path), render_software_spec(spec))
