"""Writing a depot of authored VIBs, with the components and release units over them.

A depot made here is complete: whatever a document in it names is there. Depots that refer to
things elsewhere exist, but making one by accident is the commoner case.
"""

from __future__ import annotations

import io
import itertools
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, final

from esximage_builder.depot.depot_zip import DepotContents, write_depot
from esximage_builder.errors import ModelError, NotInDepotError
from esximage_builder.models.base_image import BaseImage
from esximage_builder.models.component import Component
from esximage_builder.models.solution import Solution
from esximage_builder.streams.file_kind import FileKind
from esximage_builder.streams.target import prepare_target

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from esximage_builder.authoring.vib import AuthoredVib
    from esximage_builder.documents.depot_index import MetadataEntry
    from esximage_builder.documents.release_unit import ReleaseUnit
    from esximage_builder.models.component import Bulletin
    from esximage_builder.models.image_profile import ImageProfile
    from esximage_builder.models.vib import Vib

__all__ = ["AuthoredVibStore", "write_authored_depot"]


@final
class AuthoredVibStore:
    """Gives the bytes of authored VIBs; a ``VibStore`` in memory.

    Args:
        vibs: What it holds; equal ones may come twice.
    """

    def __init__(self, vibs: Iterable[AuthoredVib]) -> None:
        self._data = {authored.vib.fingerprint: authored.data for authored in vibs}

    def open_vib(self, vib: Vib) -> BinaryIO:
        """Open the whole ``.vib`` file.

        Raises:
            NotInDepotError: It is none of the VIBs this store was made of.
        """
        data = self._data.get(vib.fingerprint)
        if data is None:
            raise NotInDepotError(f"{vib.id} is none of the authored VIBs", found=vib.fingerprint)
        return io.BytesIO(data)


def write_authored_depot(
    target: str | Path,
    vibs: Iterable[AuthoredVib],
    *,
    vendor_name: str,
    vendor_code: str,
    products: Iterable[MetadataEntry],
    timestamp: datetime,
    bulletins: Iterable[Bulletin | Component] = (),
    units: Iterable[ReleaseUnit] = (),
    profiles: Iterable[ImageProfile] = (),
    overwrite: bool = False,
) -> None:
    """Write a depot zip; the same input gives the same bytes.

    Args:
        target: The file; it appears whole or not at all.
        vibs: What it holds; each id once.
        vendor_name: For the index.
        vendor_code: Three letters or digits.
        products: What the metadata is for.
        timestamp: When the depot was made, aware.
        bulletins: Components and legacy bulletins over these VIBs.
        units: Base images, add-ons and the like over these components.
        profiles: Image profiles over these VIBs.
        overwrite: Replace a file that is there.

    Raises:
        ModelError: Something is named that the depot does not hold, is there twice, or a
            base image has another version than its ``esx-base`` VIB; or the file's suffix is that of
            another kind of file.
        ExportError: The file is there already or cannot be written.
    """
    place = prepare_target(target, kind=FileKind.ZIP, overwrite=overwrite)
    authored = tuple(vibs)
    contents = DepotContents(
        vendor_name=vendor_name,
        vendor_code=vendor_code,
        products=products,
        vibs=sorted((item.vib for item in authored), key=lambda vib: vib.id),
        bulletins=bulletins,
        profiles=profiles,
        units=units,
        timestamp=timestamp,
    )
    _require_complete(contents)
    write_depot(contents, AuthoredVibStore(authored), place)


def _require_complete(contents: DepotContents) -> None:
    vib_ids = [vib.id for vib in contents.vibs]
    for first, second in itertools.pairwise(vib_ids):
        if first == second:
            raise ModelError("the depot shall hold one VIB id twice", found=first, expected="each id once")
    for bulletin in contents.bulletins:
        name = bulletin.id
        _require_held(bulletin.vib_ids, vib_ids, what="VIB", where=name)
    for profile in contents.profiles:
        _require_held(profile.vib_ids, vib_ids, what="VIB", where=profile.name)
    components = {item.id: item for item in contents.bulletins if isinstance(item, Component)}
    for unit in contents.units:
        if isinstance(unit, Solution):
            continue
        _require_held((f"{item}" for item in unit.components), components, what="component", where=unit.id)
        if isinstance(unit, BaseImage):
            held = {vib_id for item in unit.components for vib_id in components[str(item)].vib_ids}
            _require_base_version(unit, [vib for vib in contents.vibs if vib.id in held])


def _require_held(wanted: Iterable[str], held: Iterable[str], *, what: str, where: str) -> None:
    there = set(held)
    missing = sorted(item for item in wanted if item not in there)
    if missing:
        raise ModelError(
            f"the depot would not hold every {what} that it names",
            where=where,
            found=f"without {', '.join(missing[:5])}",
            expected="all of them",
            hint=f"pass the {what} too, or leave it out of {where}",
        )


def _require_base_version(unit: BaseImage, vibs: Iterable[Vib]) -> None:
    """A base image has the version of its ``esx-base`` VIB; see docs/formats.md#versions."""
    versions = [vib.version.text for vib in vibs if vib.name == "esx-base"]
    if versions != [unit.version.text]:
        raise ModelError(
            "the base image has not the version of its esx-base VIB",
            where=unit.id,
            found=", ".join(versions) or "no esx-base",
            expected=f"esx-base {unit.version.text}",
        )
