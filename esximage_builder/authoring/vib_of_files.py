"""Making a VIB of files and a description, as ``esximage vib create`` does.

Rules (docs/vibauthor.md):

- the files are a folder or a tar; without ``[[payloads]]`` all of it is one ``vgz`` payload, named by
  the VIB's name, else each payload takes what lies at its ``source``, and nothing may be left over;
- the release date is the one stated, else ``SOURCE_DATE_EPOCH``; the date of the files is
  ``SOURCE_DATE_EPOCH``, else the release date; no clock is read;
- the file list is made here, of every file and link;
- neither description nor output lies inside the folder that is packed.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

import attrs

from esximage_builder.authoring.payload_tree import TREE_TYPES, boot_module, tree_payload
from esximage_builder.authoring.source_tree import (
    plain_modes,
    read_source_file,
    read_source_tree,
    with_dates,
    with_modes,
)
from esximage_builder.authoring.vib import author_vib, raw_payload
from esximage_builder.containers.vmtar import EntryKind
from esximage_builder.documents.vib_description import PayloadPlan, parse_vib_description
from esximage_builder.errors import ModelError
from esximage_builder.limits import ReadLimits
from esximage_builder.source_date import latest_timestamp, stated_timestamp
from esximage_builder.streams.file_kind import FileKind
from esximage_builder.streams.identity import input_files
from esximage_builder.streams.target import prepare_target
from esximage_builder.streams.whole_file import write_file
from esximage_builder.vocabulary import PayloadType

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from esximage_builder.authoring.vib import AuthoredPayload, AuthoredVib, VibSigner
    from esximage_builder.containers.file_tree import TreeEntry
    from esximage_builder.documents.vib_description import VibDescription
    from esximage_builder.models.vib import Vib

__all__ = ["make_vib", "read_vib_description", "write_vib"]

_NO_PAYLOAD_SIGN = re.compile(r"[^0-9a-z_-]")
_USUAL_NAME_LENGTH = 8


def read_vib_description(path: str | Path, *, limits: ReadLimits | None = None) -> VibDescription:
    """Read a description.

    Raises:
        SourceUnreadableError: It is missing or cannot be read.
        DepotError: It is no description; see ``parse_vib_description``.
    """
    bounds = limits or ReadLimits()
    data = read_source_file(Path(path), max_bytes=bounds.document_bytes, follow=True)
    return parse_vib_description(data, where=str(path), max_bytes=bounds.document_bytes)


def make_vib(
    source: str | Path,
    description: VibDescription,
    *,
    keep_times: bool = False,
    signer: VibSigner | None = None,
    unsigned: bool = False,
    limits: ReadLimits | None = None,
) -> AuthoredVib:
    """Make a VIB in memory.

    Args:
        source: A folder, or a tar with or without gzip.
        description: What the VIB is.
        keep_times: Keep the dates of the files; the same files with other dates then give other bytes.
        signer: As for ``author_vib``.
        unsigned: As for ``author_vib``.
        limits: Upper bounds for reading the source; None takes the defaults.

    Raises:
        ModelError: Something that a VIB cannot be or hold, or no date.
        DepotError: The source cannot be read, is too large, or is a damaged tar.
        MissingExtraError: Signing needs the optional extra ``signatures``.
    """
    vib = _dated(description.vib)
    tree = read_source_tree(source, limits=limits or ReadLimits())
    if not keep_times:
        tree = with_dates(tree, int(latest_timestamp([vib.released_at]).timestamp()))
    if description.is_plain:
        tree = plain_modes(tree)
    tree = with_modes(tree, description.modes)
    plans = description.payloads or (PayloadPlan(name=_usual_name(vib.name)),)
    _require_all_taken(tree, plans, where=str(source))
    payloads = [_payload(plan, tree, description, where=str(source)) for plan in plans]
    return author_vib(vib, payloads, signer=signer, unsigned=unsigned)


def write_vib(
    source: str | Path,
    description: str | Path,
    target: str | Path,
    *,
    keep_times: bool = False,
    signer: VibSigner | None = None,
    unsigned: bool = False,
    overwrite: bool = False,
    limits: ReadLimits | None = None,
) -> AuthoredVib:
    """Make a VIB of a source and a description file, and write it.

    Args:
        source: As for ``make_vib``.
        description: A TOML file.
        target: The ``.vib`` file; it appears whole or not at all.
        keep_times: As for ``make_vib``.
        signer: As for ``make_vib``.
        unsigned: As for ``make_vib``.
        overwrite: Replace a file that is there; never one that is read.
        limits: As for ``make_vib``.

    Raises:
        ExportError: The target is there already, is one that is read, or cannot be written.
        ModelError: As ``make_vib``; description or target lies inside the source.
        DepotError: As ``make_vib`` and ``read_vib_description``.
        MissingExtraError: As ``make_vib``.
    """
    bounds = limits or ReadLimits()
    known = input_files([Path(source), Path(description)], most=bounds.member_count)
    place = prepare_target(target, kind=FileKind.VIB, inputs=known, overwrite=overwrite)
    _require_outside(source, {"description": description, "output": target})
    authored = make_vib(
        source,
        read_vib_description(description, limits=bounds),
        keep_times=keep_times,
        signer=signer,
        unsigned=unsigned,
        limits=bounds,
    )
    write_file(place, authored.data)
    return authored


def _require_outside(source: str | Path, files: dict[str, str | Path]) -> None:
    for what, path in files.items():
        if _lies_inside(Path(path), Path(source)):
            raise ModelError(
                f"the {what} lies inside the folder that is packed",
                where=str(path),
                expected=f"a place outside of {source}",
                hint="it would become part of the VIB: keep the files to install in a folder of their own",
            )


def _lies_inside(path: Path, folder: Path) -> bool:
    """Tell whether a path leads below a folder; what can be no path does not, and whoever reads it says so."""
    try:
        real = Path(os.path.realpath(folder))
        return real.is_dir() and Path(os.path.realpath(path)).is_relative_to(real)
    except (OSError, ValueError):
        return False


def _dated(vib: Vib) -> Vib:
    released_at: datetime | None = vib.released_at or stated_timestamp()
    if released_at is None:
        raise ModelError(
            "the description states no release date",
            where=vib.id,
            expected="release-date, such as release-date = 2024-01-31",
            hint="or set SOURCE_DATE_EPOCH: no clock is read, so that the same input gives the same bytes",
        )
    return attrs.evolve(vib, released_at=released_at)


def _usual_name(name: str) -> str:
    """Return a payload's name as the boot bank has them: at most eight small letters, digits and signs."""
    return _NO_PAYLOAD_SIGN.sub("", name.lower())[:_USUAL_NAME_LENGTH] or "payload"


def _payload(
    plan: PayloadPlan, tree: Sequence[TreeEntry], description: VibDescription, *, where: str
) -> AuthoredPayload:
    place = f"{where}/{plan.source}" if plan.source else where
    if plan.type in TREE_TYPES:
        return tree_payload(
            plan.name,
            _below(plan.source, tree),
            type=plan.type,
            boot_order=plan.boot_order,
            vfat_name=plan.vfat_name,
            deflate=description.is_deflated,
            with_uncompressed_size=description.states_size,
        )
    content = _file_at(plan, tree, place)
    if plan.type == PayloadType.BOOT:
        return boot_module(
            plan.name,
            content,
            boot_order=plan.boot_order,
            vfat_name=plan.vfat_name,
            deflate=description.is_deflated,
            with_uncompressed_size=description.states_size,
        )
    if plan.boot_order is not None or plan.vfat_name:
        raise ModelError(
            f"payload {plan.name!r} is no boot module, and has neither boot order nor local name",
            found=f"type {plan.type}",
            expected="vgz, tgz or boot",
        )
    return raw_payload(plan.name, content, type=plan.type)


def _below(source: str, tree: Sequence[TreeEntry]) -> list[TreeEntry]:
    if not source:
        return list(tree)
    prefix = f"{source.rstrip('/')}/"
    return [
        attrs.evolve(entry, name=entry.name.removeprefix(prefix)) for entry in tree if entry.name.startswith(prefix)
    ]


def _file_at(plan: PayloadPlan, tree: Sequence[TreeEntry], place: str) -> bytes:
    for entry in tree:
        if entry.name == plan.source and entry.kind is EntryKind.FILE:
            return entry.data
    raise ModelError(
        f"payload {plan.name!r} has nothing to be made of",
        where=place,
        expected=f"a file, since the payload is of type {plan.type}",
        hint='name it with source = "..."',
    )


def _require_all_taken(tree: Sequence[TreeEntry], plans: Sequence[PayloadPlan], *, where: str) -> None:
    """Refuse files that no payload takes: leaving them out in silence would be found on the host only."""
    if any(not plan.source for plan in plans):
        return
    sources = [plan.source.rstrip("/") for plan in plans]
    for entry in tree:
        if entry.kind is not EntryKind.FOLDER and not any(
            entry.name == source or entry.name.startswith(f"{source}/") for source in sources
        ):
            raise ModelError(
                "the source holds what no payload takes",
                where=where,
                found=repr(entry.name),
                expected=f"all below {', '.join(sources)}",
                hint="add a [[payloads]] table, or take it out of the source",
            )
