"""The base image: VMware's set of components that boots."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

import attrs

from esximage_builder.models.fields import JsonPairs, as_tuple
from esximage_builder.shown import Shown

if TYPE_CHECKING:
    from datetime import datetime

    from esximage_builder.models.component import ComponentReference
    from esximage_builder.versions import BaseImageVersion
    from esximage_builder.vocabulary import AcceptanceLevel

__all__ = ["BaseImage"]


@final
@attrs.frozen(kw_only=True, repr=False)
class BaseImage(Shown):
    """A release unit that every image starts from.

    Attributes:
        version: ``7.0.3-0.55.20328353``.
        display_name: ``ESXi``.
        display_version: ``7.0 U3g - 20328353``.
        vendor: ``VMware``.
        summary: One line.
        description: Free text.
        category: ``security``, ``bugfix``, ``enhancement``; empty if not stated.
        kb_url: Address of the release notes.
        released_at: Aware UTC time; None if not stated.
        acceptance_level: As stated; None if not.
        components: What it is made of, sorted by name.
        quick_patch_versions: Pairs of base image version and display version that can be
            patched from without a full reboot (8.0.3 and later).
        extra: JSON keys this library does not know.
    """

    version: BaseImageVersion
    display_name: str = "ESXi"
    display_version: str = ""
    vendor: str = ""
    summary: str = ""
    description: str = ""
    category: str = ""
    kb_url: str = ""
    released_at: datetime | None = None
    acceptance_level: AcceptanceLevel | None = None
    components: tuple[ComponentReference, ...] = attrs.field(default=(), converter=as_tuple)
    quick_patch_versions: tuple[tuple[str, str], ...] = attrs.field(default=(), converter=as_tuple)
    extra: JsonPairs = attrs.field(default=(), converter=as_tuple, repr=False)

    @property
    def id(self) -> str:
        """The release id, ``ESXi:7.0.3-0.55.20328353``."""
        return f"ESXi:{self.version.text}"
