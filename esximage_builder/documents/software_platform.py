"""``<softwarePlatform>`` (``<swPlatform>`` in ``vmware.xml``), which VIBs and bulletins have in common.

Source: docs/formats.md#vib-descriptor and docs/formats.md#bulletin.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from esximage_builder.containers.xml import XmlElement, add_element
from esximage_builder.models.vib import SoftwarePlatform

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["add_software_platforms", "parse_software_platforms"]


def parse_software_platforms(parent: XmlElement | None) -> tuple[SoftwarePlatform, ...]:
    """Return the platforms under ``parent``; empty if there is no parent."""
    if parent is None:
        return ()
    return tuple(
        SoftwarePlatform(
            version=item.get("version") or "",
            product_line=item.get("productLineID") or "",
            locale=item.get("locale") or "",
        )
        for item in parent.iterfind("softwarePlatform")
    )


def add_software_platforms(
    parent: XmlElement, platforms: Iterable[SoftwarePlatform], *, tag: str = "softwarePlatform"
) -> None:
    """Append one element for each platform, attributes in VMware's order."""
    for platform in platforms:
        attributes = {"locale": platform.locale, "productLineID": platform.product_line, "version": platform.version}
        add_element(parent, tag, attributes=attributes)
