"""The image profile: the flat VIB list of an image, as hosts and ISOs carry it."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

import attrs

from esximage_builder.models.fields import as_tuple
from esximage_builder.shown import Shown

if TYPE_CHECKING:
    from datetime import datetime

    from esximage_builder.vocabulary import AcceptanceLevel

__all__ = ["ImageProfile", "ProfileVib"]


@final
@attrs.frozen(kw_only=True, repr=False)
class ProfileVib(Shown):
    """One VIB of a profile [viblist/vib].

    Attributes:
        vib_id: Its id.
        local_names: Pairs of payload name and local file name, ``("vmx", "vmx.v00")``.
    """

    vib_id: str
    local_names: tuple[tuple[str, str], ...] = attrs.field(default=(), converter=as_tuple)


@final
@attrs.frozen(kw_only=True, repr=False)
class ImageProfile(Shown):
    """A named VIB list with an acceptance level [imageprofile].

    Attributes:
        name: ``ESXi-7.0U3g-20328353-standard``.
        creator: Who made it.
        profile_id: 32 hexadecimal digits.
        created_at: Aware UTC time; None if not stated.
        modified_at: Aware UTC time; None if not stated.
        serial_number: Counts changes.
        description: Free text.
        read_only: Tools must not change it.
        vibs: Its VIBs; files keep them in no order.
        acceptance_level: Lowest level it admits; None if not stated.
        bulletin_ids: Its components, since 7.0; empty before.
        extra: Unknown child elements as XML text, kept for writing.
    """

    name: str
    creator: str = ""
    profile_id: str = ""
    created_at: datetime | None = None
    modified_at: datetime | None = None
    serial_number: int = 0
    description: str = ""
    read_only: bool = False
    vibs: tuple[ProfileVib, ...] = attrs.field(default=(), converter=as_tuple)
    acceptance_level: AcceptanceLevel | None = None
    bulletin_ids: tuple[str, ...] = attrs.field(default=(), converter=as_tuple)
    extra: tuple[str, ...] = attrs.field(default=(), converter=as_tuple, repr=False)

    @property
    def vib_ids(self) -> tuple[str, ...]:
        """Ids of its VIBs."""
        return tuple(vib.vib_id for vib in self.vibs)
