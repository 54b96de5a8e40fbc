"""A host as its inventory tells it: what is installed now."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

import attrs

from esximage_builder.models.fields import as_tuple

if TYPE_CHECKING:
    from esximage_builder.models.spec import AddOnReference
    from esximage_builder.versions import BaseImageVersion, ComponentVersion

__all__ = ["Host", "HostComponent"]


@final
@attrs.frozen(kw_only=True)
class HostComponent:
    """A component on a host.

    Attributes:
        name: Component name.
        version: Installed version.
        is_manual: It was added by hand, not by an image; None if not known.
    """

    name: str
    version: ComponentVersion
    is_manual: bool | None = None


@final
@attrs.frozen(kw_only=True)
class Host:
    """What is installed on a host.

    Attributes:
        name: For people.
        base_image: Version of its base image.
        add_on: Its vendor add-on; None without one.
        components: Sorted by name.
        standalone_vibs: Ids of VIBs that are in no component.
    """

    name: str
    base_image: BaseImageVersion
    add_on: AddOnReference | None = None
    components: tuple[HostComponent, ...] = attrs.field(default=(), converter=as_tuple)
    standalone_vibs: tuple[str, ...] = attrs.field(default=(), converter=as_tuple)
