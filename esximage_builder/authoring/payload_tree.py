"""Payloads of file trees with modes, dates and links, as ``vib create`` makes them.

A tree payload is stored in its gzip, so that the same tree gives the same bytes whatever zlib is at
hand (docs/decisions/0005-stored-compression.md); it is compressed on request.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from esximage_builder.authoring.vib import compressed_payload
from esximage_builder.containers.file_tree import render_tar_tree, render_vmtar_tree
from esximage_builder.containers.gzip import DeflatedGzipWriter, stored_gzip
from esximage_builder.containers.vmtar import EntryKind
from esximage_builder.errors import ModelError
from esximage_builder.vocabulary import PayloadType

if TYPE_CHECKING:
    from collections.abc import Iterable

    from esximage_builder.authoring.vib import AuthoredPayload
    from esximage_builder.containers.file_tree import TreeEntry

__all__ = ["TREE_TYPES", "boot_module", "packed", "tree_payload"]

_WRITERS = {PayloadType.VGZ: render_vmtar_tree, PayloadType.TGZ: render_tar_tree}
TREE_TYPES = frozenset(_WRITERS)
"""Payload types that can be made of a tree."""


def tree_payload(
    name: str,
    entries: Iterable[TreeEntry],
    *,
    type: str = PayloadType.VGZ,  # noqa: A002 - the descriptor's own word
    boot_order: int | None = None,
    vfat_name: str = "",
    deflate: bool = False,
    with_uncompressed_size: bool = False,
) -> AuthoredPayload:
    """Return a payload of files, folders and links.

    Args:
        name: At most 16 characters; real ones have at most 8.
        entries: In the order to write, each folder before what is in it.
        type: ``vgz`` or ``tgz``.
        boot_order: Place among the boot modules; None sorts last.
        vfat_name: Fixed local name, ``features.gz``; empty leaves it to the rule.
        deflate: Compress; the bytes then depend on the version of zlib.
        with_uncompressed_size: State the unpacked size, as VIBs since 8.0.3 do.

    Returns:
        The payload; its ``files`` are files and links, as a descriptor lists them.

    Raises:
        ModelError: Another type, nothing to install, or something that the formats cannot hold.
    """
    if type not in TREE_TYPES:
        raise ModelError(
            f"payload {name!r} cannot be a tree of this type",
            found=repr(type),
            expected=" or ".join(sorted(TREE_TYPES)),
        )
    tree = tuple(entries)
    files = [entry.name for entry in tree if entry.kind is not EntryKind.FOLDER]
    if not files:
        raise ModelError(f"payload {name!r} has nothing to install", expected="at least one file or link")
    kind = PayloadType(type)
    expanded = _WRITERS[kind](tree)
    return compressed_payload(
        kind,
        packed(expanded, deflate=deflate),
        expanded,
        name=name,
        files=files,
        boot_order=boot_order,
        vfat_name=vfat_name,
        with_uncompressed_size=with_uncompressed_size,
    )


def boot_module(
    name: str, content: bytes, *, boot_order: int | None, vfat_name: str, deflate: bool, with_uncompressed_size: bool
) -> AuthoredPayload:
    """Return a ``boot`` payload; as ``boot_payload``, compressed on request.

    Raises:
        ModelError: As ``boot_payload``.
    """
    return compressed_payload(
        PayloadType.BOOT,
        packed(content, deflate=deflate),
        content,
        name=name,
        files=(),
        boot_order=boot_order,
        vfat_name=vfat_name,
        with_uncompressed_size=with_uncompressed_size,
    )


def packed(data: bytes, *, deflate: bool) -> bytes:
    """Return the bytes as one gzip member, stored or compressed."""
    if not deflate:
        return stored_gzip(data)
    target = io.BytesIO()
    with DeflatedGzipWriter(target) as writer:
        writer.write(data)
    return target.getvalue()
