"""The vendor add-on: what an OEM puts on a base image, and takes off it."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

import attrs

from esximage_builder.models.fields import JsonPairs, as_tuple
from esximage_builder.shown import Shown

if TYPE_CHECKING:
    from datetime import datetime

    from esximage_builder.models.component import ComponentReference
    from esximage_builder.versions import AddOnVersion
    from esximage_builder.vocabulary import AcceptanceLevel

__all__ = ["AddOn"]


@final
@attrs.frozen(kw_only=True, repr=False)
class AddOn(Shown):
    """A release unit of a hardware vendor; it cannot boot alone.

    Attributes:
        name: ``ACME-AddOn``.
        version: Free-form, ``703.20328353.A08``.
        display_name: For people.
        display_version: For people.
        vendor: ``Acme``.
        summary: One line.
        description: Free text.
        category: ``security``, ``bugfix``, ``enhancement``; empty if not stated.
        kb_url: Address of the release notes.
        released_at: Aware UTC time; None if not stated.
        acceptance_level: As stated; None if not.
        supported_base_images: Versions or version prefixes of base images it declares;
            empty if it declares none.
        components: What it brings, sorted by name.
        removed_components: Names of base image components it takes off.
        extra: JSON keys this library does not know.
    """

    name: str
    version: AddOnVersion
    display_name: str = ""
    display_version: str = ""
    vendor: str = ""
    summary: str = ""
    description: str = ""
    category: str = ""
    kb_url: str = ""
    released_at: datetime | None = None
    acceptance_level: AcceptanceLevel | None = None
    supported_base_images: tuple[str, ...] = attrs.field(default=(), converter=as_tuple)
    components: tuple[ComponentReference, ...] = attrs.field(default=(), converter=as_tuple)
    removed_components: tuple[str, ...] = attrs.field(default=(), converter=as_tuple)
    extra: JsonPairs = attrs.field(default=(), converter=as_tuple, repr=False)

    @property
    def id(self) -> str:
        """The release id, ``ACME-AddOn:703.20328353.A08``."""
        return f"{self.name}:{self.version.text}"
