"""The bill of materials of an image, before it takes the form of a standard."""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING, final
from urllib.parse import quote

import attrs

from esximage_builder.models.fields import as_tuple

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

__all__ = ["Sbom", "SbomItem", "SbomKind"]


class SbomKind(enum.StrEnum):
    """What an item is, in the field's words."""

    IMAGE = "image"
    BASE_IMAGE = "base-image"
    ADD_ON = "add-on"
    HARDWARE_SUPPORT = "hardware-support"
    SOLUTION = "solution"
    COMPONENT = "component"
    VIB = "vib"


@final
@attrs.frozen(kw_only=True)
class SbomItem:
    """One thing that an image is made of.

    Attributes:
        kind: What it is.
        id: Its own id: VIB id, ``name:version`` of components.
        name: Its name.
        version: As printed; empty if it has none.
        vendor: Who supplies it; empty if nobody says.
        summary: One line; may be empty.
        sha256: Digest of the file in hexadecimal digits; empty for what is no file.
        is_driver: True for a driver.
        is_reserved: True if it is carried, not installed.
        facts: Pairs of name and text, which no standard has a place for.
        contains: ``ref`` of what it brings, sorted.
    """

    kind: SbomKind
    id: str
    name: str
    version: str = ""
    vendor: str = ""
    summary: str = ""
    sha256: str = ""
    is_driver: bool = False
    is_reserved: bool = False
    facts: tuple[tuple[str, str], ...] = attrs.field(default=(), converter=as_tuple)
    contains: tuple[str, ...] = attrs.field(default=(), converter=as_tuple)

    @property
    def ref(self) -> str:
        """How other items of the document name it: ``vib:VMware_bootbank_...``."""
        return f"{self.kind.value}:{self.id}"

    @property
    def purl(self) -> str:
        """The package URL of a VIB, of type ``generic`` as there is none for VIBs; empty for the rest."""
        if self.kind is not SbomKind.VIB:
            return ""
        parts = [quote(part, safe="") for part in (self.vendor, self.name) if part]
        return f"pkg:generic/{'/'.join(parts)}@{quote(self.version, safe='')}"


@final
@attrs.frozen(kw_only=True)
class Sbom:
    """The bill of materials of an image.

    Attributes:
        serial: Names the document; the same for the same image.
        created_at: Aware; from the image, never from a clock.
        image: The image as a whole.
        items: What it is made of, sorted by ``ref``.
    """

    serial: UUID
    created_at: datetime
    image: SbomItem
    items: tuple[SbomItem, ...] = attrs.field(converter=as_tuple)
