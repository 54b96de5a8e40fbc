"""Locks as files; what a lock is, and what is composed from it, is in ``rules.lock``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from esximage_builder.depot.store import inputs_of, measured, measured_image
from esximage_builder.documents.lock_file import render_lock
from esximage_builder.limits import ReadLimits
from esximage_builder.models.catalog import Catalog
from esximage_builder.rules.lock import lock_of, require_lockable
from esximage_builder.streams.file_kind import FileKind
from esximage_builder.streams.target import prepare_target
from esximage_builder.streams.whole_file import write_file

if TYPE_CHECKING:
    from esximage_builder.models.image import Image
    from esximage_builder.models.lock import Lock
    from esximage_builder.models.vib_store import VibStore

__all__ = ["make_lock", "write_lock"]


def make_lock(image: Image, store: VibStore, *, limits: ReadLimits | None = None) -> Lock:
    """Pin an image down: every component, and every VIB with the digest of its file.

    Args:
        image: Composed from a spec, or opened from a profile.
        store: Gives the bytes of VIBs whose metadata states no digest; an opened depot also
            tells which files the VIBs lie in.
        limits: Upper bounds for reading VIBs; None takes the defaults.

    Raises:
        ModelError: The image has neither spec nor profile, is a changed profile, or has a component that was
            made of loose VIBs in a way that the lock cannot tell, so nobody could make it again.
        NotInDepotError: The store lacks a VIB.
        LimitExceededError: Something is larger than ``limits`` allow.
        DepotError: A VIB's bytes cannot be read, or are not what is known of them.
    """
    require_lockable(image)
    known = measured(store, limits=limits or ReadLimits())
    loaded = getattr(store, "catalog", None)
    return lock_of(
        measured_image(image, known),
        sources_of=known.sources_of,
        loaded=loaded if isinstance(loaded, Catalog) else None,
    )


def write_lock(
    image: Image, store: VibStore, path: str | Path, *, overwrite: bool = False, limits: ReadLimits | None = None
) -> Lock:
    """Pin an image down in a file; see ``make_lock``. The file appears whole or not at all.

    Args:
        image: Composed from a spec, or opened from a profile.
        store: Gives the bytes of VIBs whose metadata states no digest.
        path: The file.
        overwrite: Replace a file that is there; never one that is read.
        limits: Upper bounds for reading VIBs; None takes the defaults.

    Raises:
        ExportError: The file is there already, is one that is read, or cannot be written.
        ModelError: The image has neither spec nor profile, or the file's suffix is that of another
            kind of file.
        NotInDepotError: The store lacks a VIB.
        LimitExceededError: Something is larger than ``limits`` allow.
        DepotError: A VIB's bytes cannot be read, or are not what is known of them.
    """
    place = prepare_target(path, kind=FileKind.JSON, inputs=inputs_of(store), overwrite=overwrite)
    lock = make_lock(image, store, limits=limits)
    write_file(place, render_lock(lock))
    return lock
