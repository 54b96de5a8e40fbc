"""Reading and writing loose documents by path."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from esximage_builder.depot.tree import read_file
from esximage_builder.documents.lock_file import parse_lock
from esximage_builder.documents.software_spec import parse_software_spec, render_software_spec
from esximage_builder.limits import ReadLimits
from esximage_builder.models.catalog import catalog_of
from esximage_builder.rules.closed_spec import closed_spec
from esximage_builder.streams.file_kind import FileKind
from esximage_builder.streams.target import prepare_target
from esximage_builder.streams.whole_file import write_file

if TYPE_CHECKING:
    from esximage_builder.models.catalog import Catalog, HasCatalog
    from esximage_builder.models.image import Image
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


def write_software_spec(
    spec: SoftwareSpec | Image,
    path: str | Path,
    *,
    catalog: Catalog | HasCatalog | None = None,
    keep_open: bool = False,
    overwrite: bool = False,
) -> None:
    """Write a software spec as vLCM imports it; the file appears whole or not at all.

    vLCM knows no release names, and makes of an open version what its own depots give. So what is
    written has versions only: those of the image.

    Args:
        spec: An image that was composed from a spec, or a spec; one that leaves versions open, or has
            a release name, needs ``catalog``, and so do such alternative images.
        path: The file.
        catalog: What is loaded, an opened depot or its catalog: a spec that needs it is composed.
        keep_open: Leave open versions to vLCM, as ``null`` and as empty texts; release names are
            resolved all the same.
        overwrite: Replace a file that is there.

    Raises:
        ModelError: A version stays open, the image was not composed from a spec, or the file's
            suffix is that of another kind of file.
        NotInDepotError: Something that the spec names is not loaded.
        ComposeError: The spec contradicts itself.
        ExportError: The file is there already or cannot be written.
    """
    loaded = None if catalog is None else catalog_of(catalog)
    data = render_software_spec(closed_spec(spec, loaded, keep_open=keep_open))
    write_file(prepare_target(path, kind=FileKind.JSON, overwrite=overwrite), data)
