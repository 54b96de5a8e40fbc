"""Loose VIBs and legacy bulletins made components, so that images since 7.0 can hold them.

Images since 7.0 are made of components. A VIB that stands in none, and a bulletin without component
name, are made one here; their bytes stay as they are.

Rules (docs/howto-loose-vibs.md):

* A component has the name of its VIB, and the VIB's version where that is ``version-release`` with
  both parts beginning with a digit. Where it is not, ``component_version_of`` says how it is derived.
* A legacy bulletin keeps all that it says, its id and its platforms too. Its component has the name
  of its only VIB, else its id without the version at the end.
* Of several VIBs the highest version counts; they have no common name, so one must be given.
* The VIBs of ESXi itself are refused: they come with their base image, as a whole.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import attrs

from esximage_builder.codes import make_finding
from esximage_builder.errors import ModelError
from esximage_builder.models.component import Bulletin, Component
from esximage_builder.models.fields import as_tuple
from esximage_builder.rules.core_set import is_core_component
from esximage_builder.versions import ComponentVersion, short_version

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from esximage_builder.findings import Finding
    from esximage_builder.models.catalog import Catalog
    from esximage_builder.models.image import Image
    from esximage_builder.models.vib import SoftwarePlatform, Vib
    from esximage_builder.versions import VibVersion

__all__ = ["check_loose_vibs", "component_from_bulletin", "component_from_vibs", "component_version_of"]

_NAME = re.compile(r"[0-9A-Za-z][0-9A-Za-z._+-]*")
_ODD = re.compile(r"[^0-9A-Za-z.]+")
_LETTER_BEFORE_NUMBER = re.compile(r"\A[vV](?=[0-9])")


def component_version_of(version: VibVersion) -> ComponentVersion:
    """Return the version of a component made of a VIB of this version.

    ``1.0.0-1`` stays as it is. A missing release becomes ``0``: ``0.0.4`` gives ``0.0.4-0``. A ``v``
    before the first number goes: ``v1.3-0`` gives ``1.3-0``. A part that begins with a letter
    otherwise gets ``0.`` before it: ``8.045a-napi`` gives ``8.045a-0.napi``. Signs other than
    letters, digits and dots become dots: ``1.0_beta-1-2`` gives ``1.0.beta-1.2``.
    """
    return ComponentVersion(f"{_part(version.upstream)}-{_part(version.release or '0')}")


def _part(text: str) -> str:
    plain = _ODD.sub(".", _LETTER_BEFORE_NUMBER.sub("", text, count=1)).strip(".") or "0"
    return plain if plain[0].isdigit() else f"0.{plain}"


def component_from_vibs(
    vibs: Iterable[Vib],
    *,
    name: str | None = None,
    version: str | None = None,
    vendor: str | None = None,
    summary: str | None = None,
    platforms: Iterable[SoftwarePlatform] | None = None,
) -> Component:
    """Make a component of loose VIBs; the same VIBs in any order give the same component.

    Args:
        vibs: At least one; each VIB name once.
        name: None takes the VIB's.
        version: None takes what ``component_version_of`` makes of the highest VIB version.
        vendor: None takes the VIBs'.
        summary: One line; None takes the VIB's, or lists the VIBs.
        platforms: Products it is made for; None takes what the VIBs state, which may be nothing.

    Raises:
        ModelError: No VIB, one VIB name twice, several VIBs without a name for them or without
            one vendor, a VIB of ESXi itself, a name that no component can have.
        VersionSyntaxError: The text is no version.
    """
    members = _members(vibs)
    known = name if name is not None else _only([vib.name for vib in members], what="name")
    text = version if version is not None else component_version_of(max(vib.version for vib in members)).text
    words = summary if summary is not None else _summary(members)
    stated = platforms if platforms is not None else (item for vib in members for item in vib.software_platforms)
    return _component(
        known,
        text,
        members,
        Bulletin(
            id=f"{known}_{text}",
            vendor=vendor if vendor is not None else _only([vib.vendor for vib in members], what="vendor"),
            summary=words,
            description=members[0].description or words if len(members) == 1 else words,
            released_at=max((vib.released_at for vib in members if vib.released_at is not None), default=None),
            platforms=dict.fromkeys(stated),
            vib_ids=[vib.id for vib in members],
        ),
    )


def component_from_bulletin(
    bulletin: Bulletin,
    vibs: Iterable[Vib],
    *,
    name: str | None = None,
    version: str | None = None,
    vendor: str | None = None,
    platforms: Iterable[SoftwarePlatform] | None = None,
) -> Component:
    """Make a component of a legacy bulletin, which keeps all that it says.

    Args:
        bulletin: One without component name, as depots up to 6.7 have them.
        vibs: Its VIBs; others are left alone.
        name: None takes the name of its only VIB, else its id without the version at the end.
        version: None takes what ``component_version_of`` makes of the highest VIB version.
        vendor: None takes the bulletin's.
        platforms: None takes the bulletin's, which may be those of older releases only.

    Raises:
        ModelError: A VIB of the bulletin is not among ``vibs``; else as with ``component_from_vibs``.
        VersionSyntaxError: The text is no version.
    """
    by_id = {vib.id: vib for vib in as_tuple(vibs)}
    missing = [vib_id for vib_id in bulletin.vib_ids if vib_id not in by_id]
    if missing:
        raise ModelError(
            f"VIBs of the bulletin {bulletin.id} are missing",
            found=f"without {', '.join(missing[:5])}",
            expected="all VIBs that it lists",
            hint="open the depot that holds them",
        )
    members = _members(by_id[vib_id] for vib_id in bulletin.vib_ids)
    text = version if version is not None else component_version_of(max(vib.version for vib in members)).text
    kept = attrs.evolve(
        bulletin,
        vendor=bulletin.vendor if vendor is None else vendor,
        platforms=bulletin.platforms if platforms is None else dict.fromkeys(platforms),
    )
    return _component(name if name is not None else _name_of(bulletin, members), text, members, kept)


def _component(name: str, version: str, members: Sequence[Vib], bulletin: Bulletin) -> Component:
    _require_name(name)
    component = Component(
        name=name,
        version=ComponentVersion(version),
        display_name=name,
        display_version=short_version(version),
        bulletin=bulletin,
    )
    _require_no_core(component, members)
    return component


def _members(vibs: Iterable[Vib]) -> tuple[Vib, ...]:
    """Return the VIBs sorted by id; each name must stand there once."""
    members = sorted(as_tuple(vibs), key=lambda vib: vib.id)
    if not members:
        raise ModelError("a component needs a VIB", expected="at least one")
    names = [vib.name for vib in members]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ModelError(
            f"a component cannot have two VIBs named {twice[0]!r}",
            found=", ".join(vib.id for vib in members if vib.name == twice[0]),
            expected="one version of each VIB",
            hint="make a component of the one that is wanted",
        )
    return tuple(members)


def _only(texts: Sequence[str], *, what: str) -> str:
    """Return what all VIBs have in common."""
    distinct = sorted(set(texts))
    if len(distinct) == 1:
        return distinct[0]
    raise ModelError(
        f"a component of several VIBs needs a {what}",
        found=", ".join(distinct[:5]),
        expected=f"one {what}",
        hint=f"give the {what}, or make a component of each VIB",
    )


def _summary(members: Sequence[Vib]) -> str:
    own = members[0].summary if len(members) == 1 else ""
    return own or ", ".join(vib.name for vib in members)


def _name_of(bulletin: Bulletin, members: Sequence[Vib]) -> str:
    if len(members) == 1:
        return members[0].name
    endings = [f"{sign}{vib.version.text}" for vib in members for sign in "-_"]
    ending = max((ending for ending in endings if bulletin.id.endswith(ending)), key=len, default="")
    return bulletin.id.removesuffix(ending)


def _require_name(name: str) -> None:
    if not _NAME.fullmatch(name):
        raise ModelError(
            "a component cannot have this name",
            found=repr(name)[:120],
            expected="letters, digits, . _ + -",
            hint="give the component another name",
        )


def _require_no_core(component: Component, members: Sequence[Vib]) -> None:
    if is_core_component(component, {vib.id: (vib,) for vib in members}):
        raise ModelError(
            f"{component.name} belongs to ESXi itself",
            found=", ".join(component.vib_ids[:5]),
            expected="VIBs that are put on top of a base image",
            hint="take the base image that holds it: ESXi's own VIBs are released together",
        )


def check_loose_vibs(image: Image, catalog: Catalog | None) -> Iterator[Finding]:
    """Yield a note for each loaded VIB that nothing but the user could have brought, and did not.

    Args:
        image: What is validated.
        catalog: What is loaded; None says nothing.
    """
    if catalog is None:
        return
    used = {vib.id for vib in image.all_vibs}
    bulletins = {vib_id: bulletin.id for bulletin in catalog.bulletins for vib_id in bulletin.vib_ids}
    for vib_id in dict.fromkeys(vib.id for vib in catalog.loose_vibs if vib.id not in used):
        bulletin = bulletins.get(vib_id, "")
        yield make_finding(
            "loose-vib-not-used",
            f"{vib_id} is loaded and not in the image",
            items=(vib_id,),
            facts={"vib": vib_id, "bulletin": bulletin},
            cause="it comes with a bulletin that is no component" if bulletin else "it stands in no component",
            remedy="to have it in the image, add it with --vib on the command line, "
            f"or make a component of it with {'component_from_bulletin' if bulletin else 'component_from_vibs'}",
        )
