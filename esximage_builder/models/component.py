"""Bulletins and components: named groups of VIBs."""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING, final

import attrs

from esximage_builder.models.fields import as_tuple
from esximage_builder.shown import Shown

if TYPE_CHECKING:
    from datetime import datetime

    from esximage_builder.models.vib import SoftwarePlatform
    from esximage_builder.versions import ComponentVersion

__all__ = ["Bulletin", "Component", "ComponentReference"]

_ADDRESS = re.compile(r"https?://[^\s<>\"',;]+")


@final
@attrs.frozen(kw_only=True, repr=False)
class Bulletin(Shown):
    """A named group of VIBs, the unit of baselines and of 6.x depots [bulletin].

    Attributes:
        id: ``ESXi670-201912001``; for a component usually ``name_version``, which is no rule.
        vendor: Who publishes it.
        summary: One line.
        severity: ``general``, ``important``, ``critical``.
        category: ``security``, ``bugfix``, ``enhancement``, ``recall``.
        urgency: As severity, the publisher's own word.
        release_type: ``patch``, ``extension``, ``rollup``, ``update``, ``notification``.
        description: Free text.
        kb_url: Address of the release notes; may be empty.
        contact: Address for questions; may be empty.
        released_at: Aware UTC time; None if not stated.
        platforms: Products it is made for; version may hold a wildcard, ``7.*``.
        vib_ids: Its VIBs, in file order.
        extra: Unknown child elements as XML text, kept for writing.
    """

    id: str
    vendor: str = ""
    summary: str = ""
    severity: str = "general"
    category: str = "enhancement"
    urgency: str = "important"
    release_type: str = "extension"
    description: str = ""
    kb_url: str = ""
    contact: str = ""
    released_at: datetime | None = None
    platforms: tuple[SoftwarePlatform, ...] = attrs.field(default=(), converter=as_tuple)
    vib_ids: tuple[str, ...] = attrs.field(default=(), converter=as_tuple)
    extra: tuple[str, ...] = attrs.field(default=(), converter=as_tuple, repr=False)

    @property
    def is_security(self) -> bool:
        """True if its category is security, however it is spelled."""
        return self.category.strip().lower() == "security"

    @property
    def kb_urls(self) -> tuple[str, ...]:
        """Addresses to read on: all of ``kb_url``, then those that stand in the description; each once."""
        own = re.split(r"[\s,;]+", self.kb_url.strip())
        linked = (match.rstrip(".)") for match in _ADDRESS.findall(self.description))
        return tuple(dict.fromkeys(address for address in (*own, *linked) if address))


@final
@attrs.frozen(repr=False)
class ComponentReference(Shown):
    """A component by name and version, as base images and add-ons list it."""

    name: str
    version: ComponentVersion

    def __str__(self) -> str:
        return f"{self.name}:{self.version}"


@final
@attrs.frozen(kw_only=True, repr=False)
class Component(Shown):
    """A bulletin with a component name and version: what images are made of since 7.0.

    Attributes:
        name: What overrides go by [componentNameSpec/@name].
        version: Need not be that of its VIBs [componentVersionSpec/@version].
        display_name: For people [componentNameSpec/@uiString].
        display_version: For people [componentVersionSpec/@uiString].
        bulletin: Everything else the document says.
        id: ``name:version``, as PowerCLI prints it.
    """

    name: str
    version: ComponentVersion
    display_name: str = ""
    display_version: str = ""
    bulletin: Bulletin

    @functools.cached_property
    def id(self) -> str:  # noqa: D102 - described at the class
        return f"{self.name}:{self.version.text}"

    @property
    def vib_ids(self) -> tuple[str, ...]:
        """Ids of its VIBs, in file order."""
        return self.bulletin.vib_ids

    @property
    def vendor(self) -> str:
        """Who publishes it."""
        return self.bulletin.vendor

    @property
    def reference(self) -> ComponentReference:
        """Its name and version alone."""
        return ComponentReference(self.name, self.version)
