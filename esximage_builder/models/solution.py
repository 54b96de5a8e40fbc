"""The solution: a VMware product that is part of the image, such as HA or NSX."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

import attrs

from esximage_builder.models.fields import JsonPairs, as_tuple
from esximage_builder.shown import Shown

if TYPE_CHECKING:
    from esximage_builder.versions import AddOnVersion, ComponentVersion

__all__ = ["Solution", "SolutionComponent"]


@final
@attrs.frozen(repr=False)
class SolutionComponent(Shown):
    """A component that a solution wants.

    Attributes:
        name: Component name.
        versions: Versions it accepts; empty means the highest loaded one.
    """

    name: str
    versions: tuple[ComponentVersion, ...] = attrs.field(default=(), converter=as_tuple)

    def __str__(self) -> str:
        return f"{self.name}:{' or '.join(version.text for version in self.versions) or 'any version'}"


@final
@attrs.frozen(kw_only=True, repr=False)
class Solution(Shown):
    """A release unit of a VMware product.

    Attributes:
        name: ``com.vmware.vsphere-ha``.
        version: Free-form.
        display_name: For people.
        display_version: For people.
        vendor: Who publishes it.
        components: What it wants, sorted by name.
        extra: JSON keys this library does not know.
    """

    name: str
    version: AddOnVersion
    display_name: str = ""
    display_version: str = ""
    vendor: str = ""
    components: tuple[SolutionComponent, ...] = attrs.field(default=(), converter=as_tuple)
    extra: JsonPairs = attrs.field(default=(), converter=as_tuple, repr=False)

    @property
    def id(self) -> str:
        """The release id, ``name:version``."""
        return f"{self.name}:{self.version.text}"
