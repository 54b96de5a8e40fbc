"""Which files of a disc belong to nothing that was checked: no VIB brings them, and no document names them.

A file that a loader or an upgrade would run is worth a warning, every other one a word: people put kickstart
files and notes on discs.

Source: docs/formats.md#disc-layout.
"""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from esximage_builder.codes import make_finding
from esximage_builder.disc_files import (
    BIOS_BOOT,
    BOOT_CATALOG,
    BOOT_CFG,
    DPU_DEPOT,
    EFI_BOOT,
    EFI_BOOT_CFG,
    EFI_FOLDER,
    IMAGE_DATABASE,
    ISOLINUX_CFG,
    MISCELLANEOUS,
    PAYLOAD_ARCHIVE,
    RESERVED_VIBS,
    UPGRADE_FOLDER,
    UPGRADE_METADATA,
    UPGRADE_PROFILE,
)
from esximage_builder.findings import Severity
from esximage_builder.rules.boot_layout import disc_names
from esximage_builder.vocabulary import PayloadType

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from esximage_builder.containers.iso9660_reader import IsoReader
    from esximage_builder.depot.source import SourceContents
    from esximage_builder.findings import Finding

__all__ = ["check_strangers"]

_GENERATED = frozenset(
    {
        BOOT_CATALOG, BOOT_CFG, EFI_BOOT_CFG, ISOLINUX_CFG, IMAGE_DATABASE, MISCELLANEOUS, RESERVED_VIBS, DPU_DEPOT,
        PAYLOAD_ARCHIVE, UPGRADE_PROFILE, UPGRADE_METADATA,
    }
)  # fmt: skip
_RUN_FROM = (EFI_FOLDER, UPGRADE_FOLDER)
_RUN_SUFFIXES = (".C32", ".EFI", ".PY", ".IMG", ".BIN", ".SYS", ".COM")
_SHOWN = 20


def check_strangers(disc: IsoReader, contents: SourceContents, *, named: Collection[str]) -> Iterator[Finding]:
    """Tell of files that nothing accounts for.

    Args:
        disc: The opened disc.
        contents: What it holds.
        named: Paths that boot menu and ``boot.cfg`` name, in upper case.
    """
    known = _payload_names(contents)
    strangers = [
        path for path in disc.files if path not in _GENERATED | set(named) and PurePosixPath(path).name not in known
    ]
    run = tuple(path for path in strangers if _is_run(path))
    others = tuple(path for path in strangers if path not in run)
    if run:
        yield make_finding(
            "file-of-no-vib",
            f"no VIB of the image brings {', '.join(run[:_SHOWN])}, which hosts may run",
            items=run[:_SHOWN],
            severity=Severity.WARNING,
        )
    if others:
        yield make_finding(
            "file-of-no-vib",
            f"no VIB of the image brings {', '.join(others[:_SHOWN])}",
            items=others[:_SHOWN],
            severity=Severity.INFO,
        )


def _payload_names(contents: SourceContents) -> set[str]:
    """Return every name that a file with a payload may have, in upper case and without folders."""
    listed = [pair for profile in contents.profiles for vib in profile.vibs for pair in vib.local_names]
    own = {payload.name.lower() for vib, _ in contents.vibs for payload in vib.payloads}
    own |= {name.lower() for name, _ in listed}
    types = {payload.type for vib, _ in contents.vibs for payload in vib.payloads}
    fixed = {
        name
        for name, kind in ((BIOS_BOOT, PayloadType.BOOT_ISO_BIOS), (EFI_BOOT, PayloadType.ELTORITO_IMAGE_EFI))
        if kind in types
    }
    local = {name for _, name in listed}
    mapped = {disc_names([name])[0] for name in own}
    return {name.upper() for name in (*own, *local, *mapped, *fixed)}


def _is_run(path: str) -> bool:
    return path.startswith(tuple(f"{folder}/" for folder in _RUN_FROM)) or path.endswith(_RUN_SUFFIXES)
