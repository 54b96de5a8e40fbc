"""The hardware support package: drivers that a vendor's firmware manager wants in the image."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

import attrs

from esximage_builder.models.fields import JsonPairs, as_tuple
from esximage_builder.shown import Shown

if TYPE_CHECKING:
    from datetime import datetime

    from esximage_builder.models.component import ComponentReference
    from esximage_builder.versions import AddOnVersion

__all__ = ["HardwareSupport"]


@final
@attrs.frozen(kw_only=True, repr=False)
class HardwareSupport(Shown):
    """The image part of a hardware support package, read from a manifest.

    Attributes:
        name: Package name, as ``hardware_support.packages.*.pkg`` of a spec says it.
        version: Package version.
        vendor: Who publishes it.
        display_name: For people.
        released_at: Aware UTC time; None if not stated.
        components: Drivers it brings, sorted by name.
        removed_components: Names it takes off.
        supported_base_images: As with an add-on; empty if it declares none.
        extra: JSON keys this library does not know.
    """

    name: str
    version: AddOnVersion
    vendor: str = ""
    display_name: str = ""
    released_at: datetime | None = None
    components: tuple[ComponentReference, ...] = attrs.field(default=(), converter=as_tuple)
    removed_components: tuple[str, ...] = attrs.field(default=(), converter=as_tuple)
    supported_base_images: tuple[str, ...] = attrs.field(default=(), converter=as_tuple)
    extra: JsonPairs = attrs.field(default=(), converter=as_tuple, repr=False)

    @property
    def id(self) -> str:
        """The release id, ``name:version``."""
        return f"{self.name}:{self.version.text}"
