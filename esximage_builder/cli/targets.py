"""Refusing outputs that would eat something, before anything is opened.

Inputs are what the options name: depots, spec or lock file, kickstart file. Exports look again.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from esximage_builder.export.outputs import OUTPUT_KINDS
from esximage_builder.limits import ReadLimits
from esximage_builder.streams.file_kind import FileKind
from esximage_builder.streams.identity import input_files, require_apart
from esximage_builder.streams.target import prepare_folder, prepare_target

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["require_new_zip", "require_safe_outputs"]

_KINDS = {f"--{name}": kind for name, kind in OUTPUT_KINDS.items()}
_KINDS |= {"--base-out": FileKind.ZIP, "--add-on-out": FileKind.ZIP}
_FOLDER = "--pxe"


def require_safe_outputs(outputs: Mapping[str, str], inputs: Iterable[str], *, overwrite: bool) -> None:
    """Refuse outputs that are inputs, each other, no files, or there already.

    Args:
        outputs: The paths to write, by the option that names each.
        inputs: The paths to read.
        overwrite: Whether files that are there may be replaced.

    Raises:
        ModelError: Two outputs are one file or lie in each other, or a suffix is of another kind of file.
        ExportError: An output is an input, is no regular file, or is there already.
    """
    require_apart({option: Path(path) for option, path in outputs.items()})
    known = input_files(map(Path, inputs), most=ReadLimits().member_count)
    for option, path in outputs.items():
        if option == _FOLDER:
            prepare_folder(path, inputs=known)
        else:
            prepare_target(path, kind=_KINDS.get(option), inputs=known, overwrite=overwrite)


def require_new_zip(path: str, inputs: Iterable[str], *, overwrite: bool) -> None:
    """Refuse a bundle to write that is an input, no file, or there already.

    Raises:
        ModelError: The suffix is of another kind of file.
        ExportError: It is an input, is no regular file, or is there already.
    """
    known = input_files(map(Path, inputs), most=ReadLimits().member_count)
    prepare_target(path, kind=FileKind.ZIP, inputs=known, overwrite=overwrite)
