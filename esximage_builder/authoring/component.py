"""Making components: a bulletin with a component name and version, over given VIBs.

Source: docs/formats.md#bulletin.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from esximage_builder.documents.bulletin import parse_bulletin, render_bulletin
from esximage_builder.errors import DepotError, ModelError
from esximage_builder.models.component import Bulletin, Component
from esximage_builder.models.fields import as_tuple
from esximage_builder.versions import short_version

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from esximage_builder.models.vib import SoftwarePlatform, Vib
    from esximage_builder.versions import ComponentVersion

__all__ = ["author_component"]

_NAME = re.compile(r"[0-9A-Za-z][0-9A-Za-z._+-]*")


def author_component(
    name: str,
    version: ComponentVersion,
    *,
    vibs: Iterable[Vib],
    vendor: str,
    summary: str,
    released_at: datetime,
    description: str = "",
    display_name: str = "",
    display_version: str = "",
    bulletin_id: str = "",
    severity: str = "general",
    category: str = "enhancement",
    urgency: str = "important",
    release_type: str = "extension",
    kb_url: str = "",
    contact: str = "",
    platforms: Iterable[SoftwarePlatform] | None = None,
) -> Component:
    """Make a component.

    Args:
        name: What overrides go by.
        version: Need not be that of a VIB.
        vibs: What it is made of, at least one; each VIB name once.
        vendor: Who publishes it.
        summary: One line.
        released_at: Aware.
        description: Free text; empty takes the summary.
        display_name: For people; empty takes the name.
        display_version: For people; empty takes ``short_version``.
        bulletin_id: Empty makes ``name_version``, as nearly all real ones are.
        severity: ``general`` in all real files.
        category: ``security``, ``bugfix``, ``enhancement`` and the like.
        urgency: ``critical``, ``important``, ``moderate``, ``low``, ``general``.
        release_type: ``patch``, ``extension``, ``rollup`` and the like.
        kb_url: Address of the release notes.
        contact: Address for questions.
        platforms: Products it is made for; None takes those that its VIBs state.

    Raises:
        ModelError: A name or text that the document cannot hold, no VIB, one VIB name twice,
            a date without time zone.
    """
    members = as_tuple(vibs)
    _require_members(name, members)
    if not _NAME.fullmatch(name):
        raise ModelError(
            "a component cannot have this name", found=repr(name)[:120], expected="letters, digits, . _ + -"
        )
    if released_at.tzinfo is None:
        raise ModelError("the release date has no time zone", where=name, found=released_at.isoformat())
    stated = platforms if platforms is not None else (item for vib in members for item in vib.software_platforms)
    component = Component(
        name=name,
        version=version,
        display_name=display_name or name,
        display_version=display_version or short_version(version.text),
        bulletin=Bulletin(
            id=bulletin_id or f"{name}_{version.text}",
            vendor=vendor,
            summary=summary,
            severity=severity,
            category=category,
            urgency=urgency,
            release_type=release_type,
            description=description or summary,
            kb_url=kb_url,
            contact=contact,
            released_at=released_at,
            platforms=dict.fromkeys(stated),
            vib_ids=[vib.id for vib in members],
        ),
    )
    _require_same(component)
    return component


def _require_members(name: str, vibs: tuple[Vib, ...]) -> None:
    if not vibs:
        raise ModelError("the component has no VIB", where=name, expected="at least one")
    seen: dict[str, str] = {}
    for vib in vibs:
        if vib.name in seen:
            raise ModelError(
                f"the component lists two VIBs named {vib.name!r}",
                where=name,
                found=f"{seen[vib.name]}, {vib.id}",
                expected="one version of each VIB",
            )
        seen[vib.name] = vib.id


def _require_same(component: Component) -> None:
    """Refuse a component whose document reads back as something else."""
    data = render_bulletin(component)
    found = ""
    try:
        read = parse_bulletin(data, where=component.id, max_bytes=len(data))
    except DepotError as error:
        read, found = None, error.message
    if read != component:
        raise ModelError(
            "the component's document cannot hold all of its texts",
            where=component.id,
            found=found or repr(component)[:400],
            expected="texts that read back the same",
            hint="blanks at the ends of texts do not survive in XML, and names cannot be empty",
        )
