"""Changing an image profile of the time before components: VIBs added, replaced, removed.

Rules (docs/howto-loose-vibs.md#change-a-6x-profile):

* An added VIB takes the place of the one of its name, whatever the versions; of several added ones of a
  name the highest stays.
* What an added VIB states that it replaces goes too. VIBs that replace each other all stay, as does an
  added VIB that another one replaces: validation says so.
* What is removed must be there, and is not added at the same time.
* Nothing is a core component: whatever an image lacks afterwards is for validation to find.
* The changed profile has a name of its own. Its level follows its lowest VIB, or is stated and admits
  every VIB.

VIBs of profiles since 7.0 are neither added nor removed. A host keeps its components, and a VIB added or
taken off beside them leaves components that are not whole; such images are composed. Name, vendor,
description and level of such a profile may be others.
"""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

import attrs

from esximage_builder.codes import make_finding
from esximage_builder.errors import ComposeError, NotInDepotError
from esximage_builder.models.fields import as_tuple
from esximage_builder.models.image import InstalledVib
from esximage_builder.models.profile_change import ProfileChange, ReplacedVib, ReplaceReason
from esximage_builder.models.vib import Vib
from esximage_builder.rules.explain import RuleSet, rule_set_of
from esximage_builder.rules.profile_image import image_from_profile
from esximage_builder.rules.vib_selection import VibChoice, last_winner, winners_by_loser

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from esximage_builder.findings import Finding
    from esximage_builder.models.catalog import Catalog
    from esximage_builder.models.image import Image
    from esximage_builder.models.image_profile import ImageProfile
    from esximage_builder.vocabulary import AcceptanceLevel

__all__ = ["change_profile", "check_lowered_vibs"]

_FIRST_WITH_COMPONENTS = 7
_SUFFIX = "-custom"
_MOST_SHOWN = 5


def change_profile(
    catalog: Catalog,
    profile: str | ImageProfile,
    *,
    add: Iterable[str | Vib] = (),
    remove: Iterable[str] = (),
    name: str | None = None,
    vendor: str | None = None,
    description: str | None = None,
    acceptance_level: AcceptanceLevel | None = None,
    prefer: Sequence[str] = (),
) -> Image:
    """Open an image profile of the time before components, with VIBs added and removed.

    Args:
        catalog: What is loaded.
        profile: Name of a loaded profile, or a profile.
        add: VIBs, or names of loaded ones: ``NAME`` for the highest version, ``NAME:VERSION``, or an id.
        remove: VIBs of the profile, named in the same way; ``NAME`` stands for every version of it.
        name: Of the changed profile; None puts ``-custom`` behind the old one.
        vendor: Its creator; None keeps the old one.
        description: None says what it was changed from.
        acceptance_level: What it states; None follows its lowest VIB.
        prefer: As with ``compose``.

    Returns:
        The image; ``profile_change`` has every decision. The order of ``add`` and ``remove`` does not matter.

    Raises:
        NotInDepotError: No such profile, or no such VIB to add.
        ComposeError: The profile is one of components; a removal names nothing of it, or what is
            added; a VIB is below the stated level; another loaded profile has the name.
    """
    opened = image_from_profile(catalog, profile, prefer=prefer)
    to_add, to_remove = as_tuple(add), as_tuple(remove)
    if to_add or to_remove:
        _require_no_components(opened)
    choice = VibChoice(catalog, tuple(prefer))
    wanted = {vib.id: vib for vib in (_chosen(catalog, choice, item) for item in to_add)}
    removed = {vib_id for text in to_remove for vib_id in _removed_ids(opened, text, wanted.values())}
    own = [entry.vib for entry in opened.vibs if entry.vib.id not in removed]
    vibs, replaced = _merged(own, list(wanted.values()))
    ids = {vib.id for vib in vibs}
    entries = {entry.vib.id: entry for entry in opened.vibs}
    change = ProfileChange(
        profile=opened.name,
        added=sorted(ids.intersection(wanted).difference(opened.vibs_by_id)),
        already_there=sorted(wanted.keys() & opened.vibs_by_id.keys()),
        replaced=replaced,
        removed=sorted(removed),
        description=f"Changed from {opened.name}." if description is None else description,
        acceptance_level=acceptance_level,
    )
    changed = attrs.evolve(
        opened,
        name=opened.name + _SUFFIX if name is None else name,
        vendor=opened.vendor if vendor is None else vendor,
        vibs=[entries.get(vib.id) or InstalledVib(vib=vib) for vib in vibs],
        missing_vibs=[entry for entry in opened.missing_vibs if entry.vib_id not in removed],
        unchosen_vibs=sorted(ids.intersection({*opened.unchosen_vibs, *choice.unchosen})),
        profile_change=change,
    )
    _require_level(changed, acceptance_level)
    _require_own_name(changed, catalog)
    return changed


def _require_no_components(image: Image) -> None:
    version = image.esxi_version
    is_new = version is not None and version.major >= _FIRST_WITH_COMPONENTS
    if is_new or rule_set_of(image) is RuleSet.COMPONENTS:
        raise ComposeError(
            f"the image profile {image.name} is one of components, and is not changed by VIBs",
            found="an image of ESXi 7.0 or later" if version is None else f"ESXi {version.product}",
            expected="an image profile up to ESXi 6.7",
            hint="compose an image from its base image; a loose VIB becomes a component with component_from_vibs, "
            "on the command line with --base and --vib",
        )


def _chosen(catalog: Catalog, choice: VibChoice, item: str | Vib) -> Vib:
    if isinstance(item, Vib):
        return item
    found = choice.choose(_wanted_id(catalog, item))
    if found is not None:
        return found
    names = sorted({vib.name for vib in catalog.vibs})
    near = difflib.get_close_matches(item.partition(":")[0], names, n=_MOST_SHOWN) or names[:_MOST_SHOWN]
    raise NotInDepotError(
        f"no loaded depot has the VIB {item}",
        found=repr(item),
        expected="the name, name and version, or id of a loaded VIB",
        hint=f"loaded: {', '.join(near)}" if near else "open the depot that holds it",
    )


def _wanted_id(catalog: Catalog, text: str) -> str:
    fitting = [vib for vib in catalog.vibs if _is_named(vib, text)]
    return max(fitting, key=lambda vib: (vib.version, vib.id)).id if fitting else text


def _is_named(vib: Vib, text: str) -> bool:
    name, _, version = text.partition(":")
    return vib.id == text or (vib.name == name and version in ("", vib.version.text))


def _removed_ids(image: Image, text: str, wanted: Iterable[Vib]) -> set[str]:
    """Return the ids that a removal stands for, of VIBs that are not loaded too."""
    if any(_is_named(vib, text) for vib in wanted):
        raise ComposeError(
            f"{text} shall be added and removed",
            found=text,
            expected="one of the two",
            hint="an added VIB takes the place of the one of its name by itself",
        )
    found = {entry.vib.id for entry in image.vibs if _is_named(entry.vib, text)}
    found |= {entry.vib_id for entry in image.missing_vibs if entry.vib_id == text}
    if not found:
        raise _not_there(image, text)
    return found


def _not_there(image: Image, text: str) -> ComposeError:
    names = sorted({entry.vib.name for entry in image.vibs})
    near = difflib.get_close_matches(text.partition(":")[0], names, n=_MOST_SHOWN) or names[:_MOST_SHOWN]
    return ComposeError(
        f"the image profile {image.name} has no VIB {text}",
        found=repr(text),
        expected="the name, name and version, or id of a VIB of the profile",
        hint=f"it has {', '.join(near)}{' ...' if len(near) < len(names) else ''}",
    )


def _merged(own: Sequence[Vib], wanted: Sequence[Vib]) -> tuple[list[Vib], list[ReplacedVib]]:
    """Return the VIBs of the changed image and what went, each sorted by id."""
    winners: dict[str, Vib] = {}
    for vib in sorted(wanted, key=lambda vib: (vib.version, vib.id)):
        winners[vib.name] = vib
    by_id = {vib.id: vib for vib in (*wanted, *own)}
    same_name = {vib.id: winners[vib.name].id for vib in by_id.values() if vib.name in winners}
    same_name = {loser: winner for loser, winner in same_name.items() if loser != winner}
    left = [vib for vib_id, vib in by_id.items() if vib_id not in same_name]
    added = {vib.id for vib in winners.values()}
    beaten = {loser: [winner for winner in found if winner in added] for loser, found in winners_by_loser(left).items()}
    beaten = {loser: found for loser, found in beaten.items() if found}
    replaced = [
        *(_replaced(by_id[loser], winner, beaten, ReplaceReason.SAME_NAME) for loser, winner in same_name.items()),
        *(_replaced(by_id[loser], loser, beaten, ReplaceReason.REPLACES) for loser in beaten),
    ]
    kept = [vib for vib in left if vib.id not in beaten]
    return sorted(kept, key=lambda vib: vib.id), sorted(replaced, key=lambda entry: entry.vib.id)


def _replaced(vib: Vib, winner: str, beaten: dict[str, list[str]], reason: ReplaceReason) -> ReplacedVib:
    return ReplacedVib(vib=vib, winner=last_winner(winner, beaten), reason=reason)


def _require_level(image: Image, level: AcceptanceLevel | None) -> None:
    below = [] if level is None else [e.vib for e in image.vibs if e.vib.acceptance_level < level]
    if level is None or not below:
        return
    raise ComposeError(
        f"an image profile of level {level.display} admits no VIB below it",
        findings=[
            make_finding(
                "acceptance-too-low",
                f"{vib.id} is {vib.acceptance_level.display}, below {level.display}",
                items=(vib.id,),
                facts={"vib": vib.id, "level": vib.acceptance_level.value, "minimum": level.value},
                cause="the profile states a level, and admits what has it or a higher one",
                remedy=f"state {image.acceptance_level.value}, or leave the VIB out",
            )
            for vib in below
        ],
        found=", ".join(f"{vib.id} ({vib.acceptance_level.display})" for vib in below[:_MOST_SHOWN]),
        expected=f"{level.display} or higher",
        hint=f"state {image.acceptance_level.value}, or leave the VIBs out",
    )


def _require_own_name(image: Image, catalog: Catalog) -> None:
    listed = {*image.vibs_by_id, *(entry.vib_id for entry in image.missing_vibs)}
    if any(known.name == image.name and set(known.vib_ids) != listed for known in catalog.profiles):
        raise ComposeError(
            "the changed profile has the name of another one",
            found=repr(image.name),
            expected="a name that no loaded profile with other VIBs has",
            hint="give it a name of its own: hosts and depots tell profiles apart by it",
        )


def check_lowered_vibs(image: Image, _: Catalog | None) -> Iterator[Finding]:
    """Yield a warning for each added VIB that is lower than the one whose place it took.

    Args:
        image: What is validated.
        _: What is loaded; does not matter.
    """
    for entry in () if image.profile_change is None else image.profile_change.replaced:
        winner = image.vibs_by_id.get(entry.winner)
        if winner is not None and winner.name == entry.vib.name and winner.version < entry.vib.version:
            yield make_finding(
                "vib-lowered",
                f"{winner.id} is lower than {entry.vib.id}, whose place it took",
                items=(winner.id, entry.vib.id),
                facts={"vib": winner.id, "lowered": entry.vib.id},
                cause="an added VIB takes the place of the one of its name, whatever the version",
                remedy="add a newer version, unless the lower one is wanted",
            )
