"""What the VIBs of an image are to each other: needs, conflicts, versions of one name, files.

Each is judged on the host and on its data processing units for itself, see ``rules.platforms``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from esximage_builder.codes import make_finding
from esximage_builder.rules.driver_interfaces import interface_of
from esximage_builder.rules.platforms import SYSTEMS, base_vib_of_dpus, systems_of, vibs_by_system
from esximage_builder.rules.relations import ProvideIndex, replaces_vib
from esximage_builder.vocabulary import Platform

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from esximage_builder.findings import Finding
    from esximage_builder.models.catalog import Catalog
    from esximage_builder.models.constraint import Constraint
    from esximage_builder.models.image import Image
    from esximage_builder.models.vib import Vib

__all__ = ["check_conflicts", "check_dependencies", "check_duplicates", "check_files"]

_SHOWN_PATHS = 3
_SHOWN_PROVIDERS = 5
_DPUS = "data processing units"
_OWNERS = {Platform.HOST: "a host", Platform.DPU: "a data processing unit"}


def _vibs_of(image: Image) -> list[Vib]:
    return [entry.vib for entry in image.vibs]


# Needs


def check_dependencies(image: Image, catalog: Catalog | None) -> Iterator[Finding]:
    """Yield an error for each need of a VIB that is not met on a system that the VIB is for."""
    offers = _Offers(_vibs_of(image), catalog)
    for vib in offers.vibs:
        for constraint in vib.depends:
            system = offers.where_unmet(vib, constraint)
            if system is not None:
                yield _missing_dependency(vib, constraint, system, offers)


class _Offers:
    """What VIBs provide: those of the image on each system, and those that are loaded."""

    def __init__(self, vibs: Sequence[Vib], catalog: Catalog | None) -> None:
        self.vibs = vibs
        self.dpu_base = base_vib_of_dpus(vibs)
        self.on = {system: ProvideIndex(members) for system, members in vibs_by_system(vibs).items()}
        self._catalog = catalog

    def loaded(self, constraint: Constraint) -> Iterable[Vib]:
        """Return the loaded VIBs that meet a need; the catalog keeps what it needs for that, once for all images."""
        named = () if self._catalog is None else self._catalog.providers_by_name.get(constraint.name, ())
        return ProvideIndex(named).providers(constraint)

    def where_unmet(self, vib: Vib, constraint: Constraint) -> Platform | None:
        """Return the first system on which the need is not met; None if there is none."""
        systems = systems_of(vib)
        for system in SYSTEMS:
            counts = system in systems and (system is Platform.HOST or self.dpu_base is not None or len(systems) == 1)
            if counts and not self.on[system].is_met(constraint):
                return system
        return None


def _missing_dependency(vib: Vib, constraint: Constraint, system: Platform, offers: _Offers) -> Finding:
    interface, number = interface_of(constraint.name)
    where = f" on {_DPUS}" if system is Platform.DPU else ""
    return make_finding(
        "missing-dependency",
        f"{vib.id} requires {constraint}, which the image does not have{where}",
        items=(vib.id, str(constraint)),
        facts={"vib": vib.id, "requires": str(constraint), "interface": interface, "interface_version": number},
        cause=_why_unmet(constraint, system, offers),
        remedy=_remedy(vib, constraint, system, offers),
    )


def _why_unmet(constraint: Constraint, system: Platform, offers: _Offers) -> str:
    provided = offers.on[system].versions_of(constraint.name)
    if provided:
        return f"the image provides {constraint.name} in another version: {', '.join(provided)}"
    if any(offers.on[other].is_met(constraint) for other in SYSTEMS if other is not system):
        others = "the host" if system is Platform.DPU else _DPUS
        return f"only VIBs for {others} provide {constraint.name}"
    if constraint.name.startswith("vmkapi_") and (others := ", ".join(offers.on[system].names_like("vmkapi_"))):
        return f"the driver was built for other ESXi releases; this base image provides {others}"
    return f"nothing in the image provides {constraint.name}"


def _remedy(vib: Vib, constraint: Constraint, system: Platform, offers: _Offers) -> str:
    # Another release's base VIB is no way out: it comes with its own base image.
    offered = (found for found in offers.loaded(constraint) if not found.has_boot_payload)
    providers = sorted(found.id for found in offered if system in systems_of(found))
    if providers:
        return f"loaded and able to provide it: {', '.join(providers[:_SHOWN_PROVIDERS])}"
    return f"take a version of {vib.name} made for this base image, or leave it out"


# Conflicts


def check_conflicts(image: Image, _: Catalog | None) -> Iterator[Finding]:
    """Yield an error for each conflict that a VIB declares with another; one where both declare it."""
    stated: dict[tuple[str, str], set[str]] = {}
    for members in vibs_by_system(_vibs_of(image)).values():
        index = ProvideIndex(members)
        for vib in members:
            for constraint in vib.conflicts:
                for other in index.providers(constraint):
                    if other.id != vib.id:
                        stated.setdefault((vib.id, other.id), set()).add(str(constraint))
    for (vib_id, other_id), declared in stated.items():
        back = stated.get((other_id, vib_id))
        if back is None:
            for text in sorted(declared):
                yield _conflict(vib_id, other_id, text, f"it declares a conflict with {text}")
        elif vib_id < other_id:
            ours, theirs = _listed(declared), _listed(back)
            cause = f"both declare it: {vib_id} a conflict with {ours}, {other_id} one with {theirs}"
            yield _conflict(vib_id, other_id, f"{ours}, {theirs}", cause)


def _conflict(vib_id: str, other_id: str, declared: str, cause: str) -> Finding:
    return make_finding(
        "conflict",
        f"{vib_id} cannot be installed together with {other_id}",
        items=(vib_id, other_id),
        facts={"vib": vib_id, "other": other_id, "declared": declared},
        cause=cause,
        remedy="leave one of the two out",
    )


def _listed(texts: Iterable[str]) -> str:
    return " and ".join(sorted(texts))


# One version of a name


def check_duplicates(image: Image, _: Catalog | None) -> Iterator[Finding]:
    """Yield an error for VIBs of one name, and for those beside a VIB that replaces them, on one system."""
    by_system = {system: _by_name(members) for system, members in vibs_by_system(_vibs_of(image)).items()}
    told: set[tuple[str, ...]] = set()
    for system, by_name in by_system.items():
        for name in sorted(by_name):
            ids = tuple(sorted(vib.id for vib in by_name[name]))
            if len(ids) > 1 and ids not in told:
                told.add(ids)
                yield _duplicate(name, ids, system)
    yield from _check_replaced(by_system)


def _by_name(vibs: Iterable[Vib]) -> dict[str, list[Vib]]:
    found: dict[str, list[Vib]] = {}
    for vib in vibs:
        found.setdefault(vib.name, []).append(vib)
    return found


def _duplicate(name: str, ids: tuple[str, ...], system: Platform) -> Finding:
    return make_finding(
        "duplicate-vib-name",
        f"the image has {len(ids)} VIBs named {name}",
        items=ids,
        facts={"name": name},
        cause=f"{_OWNERS[system]} keeps one version of a VIB name",
        remedy="leave the older one out",
    )


def _check_replaced(by_system: dict[Platform, dict[str, list[Vib]]]) -> Iterator[Finding]:
    told: set[tuple[str, str]] = set()
    for system, by_name in by_system.items():
        for winner in (vib for members in by_name.values() for vib in members if vib.replaces):
            for loser in (vib for constraint in winner.replaces for vib in by_name.get(constraint.name, ())):
                pair = (winner.id, loser.id)
                if winner.id != loser.id and pair not in told and replaces_vib(winner, loser):
                    told.add(pair)
                    yield _replaced(winner, loser, system)


def _replaced(winner: Vib, loser: Vib, system: Platform) -> Finding:
    return make_finding(
        "replaced-vib-present",
        f"{loser.id} is still there beside {winner.id}, which replaces it",
        items=(winner.id, loser.id),
        facts={"vib": winner.id, "replaced": loser.id},
        cause=f"{_OWNERS[system]} would remove the replaced VIB",
        remedy=f"leave {loser.id} out",
    )


# Files


def check_files(image: Image, _: Catalog | None) -> Iterator[Finding]:
    """Yield an error for VIBs that install one path on one system, without one of two being an overlay."""
    clashes: dict[tuple[str, ...], dict[str, None]] = {}
    for members in vibs_by_system(_vibs_of(image)).values():
        for path, vibs in _shared_files(members).items():
            ids = tuple(sorted({vib.id for vib in vibs}))
            if len(ids) > 1 and not _is_one_overlay(vibs):
                clashes.setdefault(ids, {})[path] = None
    for ids, paths in clashes.items():
        shown = ", ".join(sorted(paths)[:_SHOWN_PATHS]) + (" ..." if len(paths) > _SHOWN_PATHS else "")
        yield make_finding(
            "file-conflict",
            f"{len(paths)} files belong to more than one VIB: {shown}",
            items=ids,
            cause="only a VIB marked as overlay may cover the files of another, and only one of each path",
            remedy="leave one of the VIBs out",
        )


def _shared_files(vibs: Iterable[Vib]) -> dict[str, list[Vib]]:
    """Return the paths that more than one VIB installs, with those VIBs."""
    first: dict[str, Vib] = {}
    shared: dict[str, list[Vib]] = {}
    for vib in vibs:
        for path in vib.files or ():
            owner = first.setdefault(path, vib)
            if owner is not vib:
                others = shared.setdefault(path, [owner])
                if others[-1] is not vib:
                    others.append(vib)
    return shared


def _is_one_overlay(vibs: Sequence[Vib]) -> bool:
    """Tell whether one overlay VIB covers the file of one other: the only way to share a path."""
    return sorted(vib.overlay for vib in vibs) == [False, True]
