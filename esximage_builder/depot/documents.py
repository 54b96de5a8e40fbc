"""Reading and writing loose documents by path."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from esximage_builder.depot.tree import read_file
from esximage_builder.formats.lock_file import parse_lock
from esximage_builder.formats.software_spec import parse_software_spec, render_software_spec
from esximage_builder.limits import ReadLimits
from esximage_builder.whole_file import write_file

if TYPE_CHECKING:
    from esximage_builder.models.lock import Lock
    from esximage_builder.models.spec import SoftwareSpec

__all__ = ["read_lock", "read_software_spec", "write_software_spec"]


def read_lock(path: str | Path) -> Lock:
    """Read a lock file.

    Raises:
        SourceUnreadableError: The file is missing or cannot be read.
        MalformedDocumentError: No JSON object.
        InvalidFieldError: A key has the wrong type or is missing.
    """
    return parse_lock(read_file(Path(path), max_bytes=ReadLimits().document_bytes), where=str(path))


def read_software_spec(path: str | Path) -> SoftwareSpec:
    """Read a software spec from a JSON file, as vLCM exports it.

    Raises:
        SourceUnreadableError: The file is missing or cannot be read.
        MalformedDocumentError: No JSON object.
        InvalidFieldError: A key has the wrong type or is missing.
    """
    return parse_software_spec(read_file(Path(path), max_bytes=ReadLimits().document_bytes), where=str(path))


def write_software_spec(spec: SoftwareSpec, path: str | Path) -> None:
    """Write a software spec as vLCM imports it; the file appears whole or not at all.

    Raises:
        ExportError: The file cannot be written.
    """
    write_file(Path(path), render_software_spec(spec))
