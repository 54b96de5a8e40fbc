"""The image database, ``var/db/esximg`` inside ``imgdb.tgz``: what the installer knows of the image.

Each VIB stands there three times: the normalised descriptor, the exact bytes it was signed
with (``.orig``) and the signature (``.sig``), since Secure Boot checks go by the last two.

Source: docs/formats.md#image-database (folder names beyond profiles, vibs, bulletins and
reservedComponents are inferred).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from esximage_builder.documents.bulletin import render_bulletin
from esximage_builder.documents.image_profile import render_image_profile
from esximage_builder.documents.release_unit import render_release_unit, unit_folder_kind, unit_kind
from esximage_builder.documents.vib_descriptor import descriptor_file_name, render_vib_descriptor

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from esximage_builder.documents.release_unit import ReleaseUnit
    from esximage_builder.documents.vib_archive import VibHead
    from esximage_builder.models.component import Component
    from esximage_builder.models.image_profile import ImageProfile
    from esximage_builder.models.vib import Vib

__all__ = ["DATABASE_ROOT", "database_folder", "database_kind", "image_database_members", "safe_file_name"]

DATABASE_ROOT = "var/db/esximg"
_PACKED_AS = (DATABASE_ROOT, "db/esximg", "esximg", "")
"""Where people who copy it from a host have it, seen from what they name."""
_PARTS = ("vibs", "profiles", "bulletins")
_SAME_KIND = {"reservedcomponents": "bulletins"}


def database_folder(has_folder: Callable[[str], bool], *, is_partial: bool = False) -> str | None:
    """Return the folder that is the image database, with a slash at its end; empty if it is the outermost.

    Args:
        has_folder: Tells whether there is a folder of this path.
        is_partial: Only some folders are known: one part tells as much as two.

    Returns:
        None if there is no database: neither a folder of its name with a part of it, nor two parts.
    """
    for root in _PACKED_AS:
        folder = f"{root}/" if root else ""
        if sum(has_folder(f"{folder}{part}") for part in _PARTS) >= (1 if root or is_partial else 2):
            return folder
    return None


def database_kind(name: str) -> str:
    """Return the folder that says what a document of an image database is, in lower case; empty for others.

    Args:
        name: Its path in the database; that of a descriptor without ``.orig`` and ``.sig``.
    """
    folder, _, base = name.partition("/")
    kind = _SAME_KIND.get(folder.lower(), folder.lower())
    if kind == "profiles":  # these have no suffix
        return kind
    if kind in ("vibs", "bulletins"):
        return kind if base.endswith(".xml") else ""
    return kind if unit_folder_kind(kind) is not None and base.lower().endswith(".json") else ""


def safe_file_name(text: str) -> str:
    """Return the text as a file name: what archives and Windows refuse becomes ``_``."""
    return "".join(letter if letter.isalnum() or letter in "-._+ ()" else "_" for letter in text)


def image_database_members(
    profile: ImageProfile,
    *,
    vibs: Iterable[tuple[Vib, VibHead]],
    components: Iterable[Component] = (),
    reserved_components: Iterable[Component] = (),
    units: Iterable[ReleaseUnit] = (),
) -> Iterator[tuple[str, bytes]]:
    """Yield name and content of every file of the database, in a fixed order.

    Args:
        profile: The image's own.
        vibs: Installed host VIBs with their exact descriptor and signature.
        components: Effective components.
        reserved_components: Those that lost.
        units: Base image, add-on and the like.
    """
    yield f"{DATABASE_ROOT}/profiles/{safe_file_name(profile.name)}", render_image_profile(profile)
    for vib, head in vibs:
        name = f"{DATABASE_ROOT}/vibs/{descriptor_file_name(vib)}"
        yield name, render_vib_descriptor(vib)
        yield f"{name}.orig", head.descriptor
        if head.is_signed:
            yield f"{name}.sig", head.signature
    for folder, listed in (("bulletins", components), ("reservedComponents", reserved_components)):
        for component in listed:
            file_name = safe_file_name(component.bulletin.id)
            yield f"{DATABASE_ROOT}/{folder}/{file_name}.xml", render_bulletin(component)
    for unit in units:
        name = f"{DATABASE_ROOT}/{unit_kind(unit).value}/{safe_file_name(unit.id)}.json"
        yield name, render_release_unit(unit)
