"""Saying what a file is, by its first bytes: a depot, a disc, a VIB, or something that only looks like one."""

from __future__ import annotations

from pathlib import Path
from typing import final

import attrs

from esximage_builder.errors import NotADepotError, SourceUnreadableError
from esximage_builder.streams.file_kind import HEAD_BYTES, FileKind, kind_of

__all__ = ["FileKind", "Sniffed", "not_a_depot", "sniff"]

_ADVICE = {
    FileKind.FOLDER: "a depot if it holds index.xml, or .vib and .zip files",
    FileKind.ZIP: "a depot if it holds index.xml, a .vib or depot zips",
    FileKind.VIB: "can be opened as it is",
    FileKind.ISO: "an ESXi installer disc can be opened; of another one take the offline bundle (zip) of the release",
    FileKind.LFS_POINTER: "the repository keeps the real file elsewhere: fetch it with `git lfs pull`",
    FileKind.MANGLED_VIB: "line ends were converted on the way: get it again in binary mode",
    FileKind.HTML: "the download link answered with a page, it has expired or wants a login: download it again",
    FileKind.EMPTY: "the file has no bytes: download it again",
    FileKind.GZIP: "depots are zip archives: look for a .zip among the vendor's downloads",
    FileKind.SEVEN_ZIP: "unpack it and open the zip or the VIBs inside",
    FileKind.RAR: "unpack it and open the zip or the VIBs inside",
    FileKind.WINDOWS_PROGRAM: "a self-extracting package: unpack it and open the zip inside",
    FileKind.JSON: "a software spec is read with read_software_spec, or given to --spec",
    FileKind.XML: "a loose metadata file is no depot: open the zip it came from",
    FileKind.CUT_SHORT_ZIP: "the download is damaged: get it again",
    FileKind.UNKNOWN: "open an offline bundle (zip), an unpacked one, an ESXi installer ISO, or a .vib file",
}


@final
@attrs.frozen(kw_only=True)
class Sniffed:
    """What a file is and what it is good for.

    Attributes:
        kind: What it is.
        advice: What to do with it, or what to get instead.
    """

    kind: FileKind
    advice: str


def sniff(path: str | Path) -> Sniffed:
    """Say what a file is, by its first bytes and never by its name.

    Raises:
        SourceUnreadableError: It is missing or cannot be read.
    """
    path = Path(path)
    try:
        if path.is_dir():
            kind = FileKind.FOLDER
        elif path.exists() and not path.is_file():
            raise ValueError("it is a device or a pipe")  # noqa: TRY301 - worded below with the others
        else:
            with path.open("rb") as file:
                kind = kind_of(file.read(HEAD_BYTES))
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path, or no plain file
        raise SourceUnreadableError(
            f"the file cannot be read: {getattr(error, 'strerror', None) or error}",
            where=str(path),
            hint="check the path and your permissions",
        ) from error
    return Sniffed(kind=kind, advice=_ADVICE[kind])


def not_a_depot(sniffed: Sniffed, where: str, *, found: str = "") -> NotADepotError:
    """Return the error for a file that cannot be opened as a depot."""
    article = "an" if sniffed.kind.value[0].lower() in "aeiouhx" and sniffed.kind is not FileKind.UNKNOWN else "a"
    if sniffed.kind in (FileKind.UNKNOWN, FileKind.EMPTY):
        article = "an"
    return NotADepotError(
        f"this is no depot but {article} {sniffed.kind.value}",
        where=where,
        found=found or sniffed.kind.value,
        expected="an offline bundle (zip), an unpacked one, an ESXi installer ISO, or a .vib file",
        hint=sniffed.advice,
    )
