"""What was changed on an image profile: added, replaced, removed, and what the new one says of itself."""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING, final

import attrs

from esximage_builder.models.fields import as_tuple
from esximage_builder.shown import Shown

if TYPE_CHECKING:
    from esximage_builder.models.vib import Vib
    from esximage_builder.vocabulary import AcceptanceLevel

__all__ = ["ProfileChange", "ReplaceReason", "ReplacedVib"]


class ReplaceReason(enum.StrEnum):
    """Why an added VIB takes the place of another."""

    SAME_NAME = "same-name"
    """Both have one name; of several that are added the highest version stays."""
    REPLACES = "replaces"
    """The added VIB states that it replaces the other."""


@final
@attrs.frozen(kw_only=True, repr=False)
class ReplacedVib(Shown):
    """A VIB that went because of an added one.

    Attributes:
        vib: What went.
        winner: Id of the VIB that is in the image in its place.
        reason: Why.
    """

    vib: Vib
    winner: str
    reason: ReplaceReason


@final
@attrs.frozen(kw_only=True, repr=False)
class ProfileChange(Shown):
    """Every decision that led from a loaded profile to a changed one.

    Attributes:
        profile: Name of the profile that was changed.
        added: Ids of VIBs that it did not have, sorted.
        already_there: Ids of VIBs that were to be added and were there, sorted.
        replaced: What went because of added VIBs, sorted by id.
        removed: Ids of VIBs that were taken off, sorted.
        description: Of the changed profile.
        acceptance_level: The level it states; None follows its lowest VIB.
    """

    profile: str
    added: tuple[str, ...] = attrs.field(default=(), converter=as_tuple)
    already_there: tuple[str, ...] = attrs.field(default=(), converter=as_tuple)
    replaced: tuple[ReplacedVib, ...] = attrs.field(default=(), converter=as_tuple)
    removed: tuple[str, ...] = attrs.field(default=(), converter=as_tuple)
    description: str = ""
    acceptance_level: AcceptanceLevel | None = None
