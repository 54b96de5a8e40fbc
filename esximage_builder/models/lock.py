"""The lock: an image pinned down to every file, so that it can be made again exactly."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

import attrs

from esximage_builder.models.fields import JsonPairs, as_tuple
from esximage_builder.shown import Shown

if TYPE_CHECKING:
    from esximage_builder.models.spec import SoftwareSpec
    from esximage_builder.versions import BaseImageVersion
    from esximage_builder.vocabulary import ComponentSource

__all__ = ["LOCK_VERSION", "STORED", "Lock", "LockedComponent", "LockedVib"]

LOCK_VERSION = 1
STORED = "stored"


@final
@attrs.frozen(kw_only=True, repr=False)
class LockedComponent(Shown):
    """One component of a locked image.

    Attributes:
        name: Component name.
        version: As printed; versions that only compare equal are another lock.
        source: Who brought it; None if the image was opened from a profile.
        is_reserved: True for a component that lost or was taken off.
        made_of: Ids of the VIBs that it was made of, where no depot had it; empty for a loaded one.
        bulletin: Id of the legacy bulletin that it was made of; empty if of loose VIBs.
        extra: JSON keys this library does not know.
    """

    name: str
    version: str
    source: ComponentSource | None = None
    is_reserved: bool = False
    made_of: tuple[str, ...] = attrs.field(default=(), converter=as_tuple)
    bulletin: str = ""
    extra: JsonPairs = attrs.field(default=(), converter=as_tuple, repr=False)

    @property
    def id(self) -> str:
        """``name:version``."""
        return f"{self.name}:{self.version}"


@final
@attrs.frozen(kw_only=True, repr=False)
class LockedVib(Shown):
    """One VIB of a locked image.

    Attributes:
        id: VIB id.
        sha256: Digest of the whole ``.vib`` file in hexadecimal digits.
        size_bytes: Length of the file.
        sources: File names, without folders, of the depots that held it; sorted. They help to
            find the VIB again and are never compared.
        is_reserved: True if it is carried, not installed.
        extra: JSON keys this library does not know.
    """

    id: str
    sha256: str
    size_bytes: int
    sources: tuple[str, ...] = attrs.field(default=(), converter=as_tuple)
    is_reserved: bool = False
    extra: JsonPairs = attrs.field(default=(), converter=as_tuple, repr=False)


@final
@attrs.frozen(kw_only=True, repr=False)
class Lock(Shown):
    """An image pinned down to every file.

    Attributes:
        name: Name of the image.
        digest: Digest of the image.
        spec: What was asked for, as it was asked; None if the image was opened from a profile.
        profile: Name of the image profile it was opened from; empty if it was composed.
        base_image: Its version, also where the spec has a release name; None without one.
        components: Sorted by name and version.
        vibs: Sorted by id.
        compression: How exports packed what they made themselves: ``stored``.
        lock_version: Of the form of the file.
        extra: Top-level JSON keys this library does not know.
    """

    name: str
    digest: str
    spec: SoftwareSpec | None = None
    profile: str = ""
    base_image: BaseImageVersion | None = None
    components: tuple[LockedComponent, ...] = attrs.field(default=(), converter=as_tuple)
    vibs: tuple[LockedVib, ...] = attrs.field(default=(), converter=as_tuple)
    compression: str = STORED
    lock_version: int = LOCK_VERSION
    extra: JsonPairs = attrs.field(default=(), converter=as_tuple, repr=False)
