"""Saying what a file is, by its first bytes: a depot, a disc, a VIB, or something that only looks like one."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import final

import attrs

from esximage_builder.containers.tar_head import first_member_names
from esximage_builder.documents.image_database import database_folder
from esximage_builder.errors import NotADepotError, SourceUnreadableError
from esximage_builder.shown import Shown
from esximage_builder.streams.file_kind import HEAD_BYTES, FileKind, kind_of
from esximage_builder.streams.plain_file import open_plain

__all__ = ["FileKind", "Sniffed", "not_a_depot", "sniff", "sniff_bytes"]

_INDEXES = ("index.xml", "vendor-index.xml", "metadata.zip")
_DEPOTS = "an offline bundle (zip), an unpacked one, an ESXi installer ISO, an image database, or a .vib file"
_ADVICE = {
    FileKind.FOLDER: "a depot if it holds index.xml, or .vib and .zip files",
    FileKind.ZIP: "a depot if it holds index.xml, a .vib or depot zips",
    FileKind.VIB: "can be opened as it is",
    FileKind.ISO: "an ESXi installer disc can be opened; of another one take the offline bundle (zip) of the release",
    FileKind.STICK: "it is there to be written to a stick: open the depots or the ISO that it was made of",
    FileKind.IMAGE_DATABASE: "can be opened to look and compare; it has no bytes of VIBs",
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
    FileKind.UNKNOWN: f"open {_DEPOTS}",
}


_ADDRESS = re.compile(r"(?:https?|ftp|s3|gs|file):/", re.IGNORECASE)
_NO_NETWORK = "this is an address, and nothing here uses a network: download the file, or give open_depot an open one"


@final
@attrs.frozen(kw_only=True, repr=False)
class Sniffed(Shown):
    """What a file is and what it is good for.

    Attributes:
        kind: What it is.
        advice: What to do with it, or what to get instead.
    """

    kind: FileKind
    advice: str


def sniff(path: str | Path) -> Sniffed:
    """Say what a file is, by its first bytes and never by its name; what a folder is, by those in it.

    Raises:
        SourceUnreadableError: It is missing or cannot be read.
    """
    path = Path(path)
    try:
        if path.is_dir():
            kind = _kind_of_folder(path)
        else:
            with os.fdopen(open_plain(path), "rb") as file:
                kind = _kind_of_file(file.read(HEAD_BYTES))
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        raise SourceUnreadableError(
            f"the file cannot be read: {getattr(error, 'strerror', None) or error}",
            where=str(path),
            hint=_NO_NETWORK if _ADDRESS.match(str(path)) else "check the path and your permissions",
        ) from error
    return Sniffed(kind=kind, advice=_ADVICE[kind])


def sniff_bytes(head: bytes) -> Sniffed:
    """Say what a file is that begins so, as ``sniff`` does; ``HEAD_BYTES`` are enough."""
    kind = _kind_of_file(head)
    return Sniffed(kind=kind, advice=_ADVICE[kind])


def _kind_of_folder(path: Path) -> FileKind:
    """Tell an image database from a depot, whose unpacked metadata has folders of the same names."""
    is_depot = any((path / name).exists() for name in _INDEXES)
    has_database = not is_depot and database_folder(lambda folder: (path / folder).is_dir()) is not None
    return FileKind.IMAGE_DATABASE if has_database else FileKind.FOLDER


def _kind_of_file(head: bytes) -> FileKind:
    """Tell more than the first bytes alone: whether a gzip file is an image database."""
    kind = kind_of(head)
    if kind is not FileKind.GZIP:
        return kind
    names = first_member_names(head)
    folders = {name[:at] for name in names for at, letter in enumerate(name) if letter == "/"}
    has_database = database_folder(folders.__contains__, is_partial=True) is not None
    return FileKind.IMAGE_DATABASE if has_database else FileKind.GZIP


def not_a_depot(sniffed: Sniffed, where: str, *, found: str = "") -> NotADepotError:
    """Return the error for a file that cannot be opened as a depot."""
    article = "an" if sniffed.kind.value[0].lower() in "aeiouhx" and sniffed.kind is not FileKind.UNKNOWN else "a"
    if sniffed.kind in (FileKind.UNKNOWN, FileKind.EMPTY):
        article = "an"
    return NotADepotError(
        f"this is no depot but {article} {sniffed.kind.value}",
        where=where,
        found=found or sniffed.kind.value,
        expected=_DEPOTS,
        hint=sniffed.advice,
    )
