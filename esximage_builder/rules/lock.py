"""Locks: pinning an image down to every file, and composing exactly that image again.

All that is needed is in the catalog, as far as its VIBs state size and SHA-256 of their files. An
opened depot measures what its catalog leaves open, so ``compose_locked`` takes either.

Everything that differs is one finding ``lock-differs``. None is waived: an image that differs
is another image, to be composed from its spec and locked anew.
"""

from __future__ import annotations

from pathlib import PurePath
from typing import TYPE_CHECKING, Protocol

import attrs

from esximage_builder.codes import make_finding
from esximage_builder.errors import ComposeError, ModelError, NotInDepotError
from esximage_builder.models.image import Rule
from esximage_builder.models.lock import Lock, LockedComponent, LockedVib
from esximage_builder.rules.closed_spec import with_unit_versions
from esximage_builder.rules.compose import compose
from esximage_builder.rules.loose_vibs import component_from_bulletin, component_from_vibs
from esximage_builder.rules.profile_image import image_from_profile
from esximage_builder.versions import ComponentVersion
from esximage_builder.vocabulary import ComponentSource

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Sequence

    from esximage_builder.findings import Finding
    from esximage_builder.models.catalog import Catalog
    from esximage_builder.models.component import Component
    from esximage_builder.models.image import Image
    from esximage_builder.models.solution import Solution, SolutionComponent
    from esximage_builder.models.spec import SoftwareSpec
    from esximage_builder.models.vib import Vib

__all__ = [
    "FilesCatalog",
    "check_loaded",
    "check_same",
    "compose_locked",
    "image_of_lock",
    "lock_of",
    "made_again",
    "require_lockable",
    "with_made_components",
]

_SHOWN_DIGITS = 16
_MOST_SHOWN = 3
_OPEN_THE_DEPOT = "open the depot that the lock was made from"


class FilesCatalog(Protocol):
    """What gives a catalog that knows its VIBs' files: an opened depot, or a catalog as it is."""

    def with_file_facts(self, vib_ids: Collection[str]) -> Catalog:
        """Return the catalog with size and SHA-256 of the files of these VIBs, as far as they can be known."""


# Making a lock


def require_lockable(image: Image) -> None:
    """Refuse an image that nobody could make again.

    Raises:
        ModelError: It has neither spec nor profile, or is a changed profile.
    """
    if image.spec is None and image.profile is None:
        raise ModelError(
            "an image without spec and profile cannot be locked",
            found=image.name,
            expected="an image that was composed, or opened from a profile",
        )
    if image.profile_change is not None:
        raise ModelError(
            "an image of a changed profile cannot be locked",
            found=f"{image.name}, changed from {image.profile_change.profile}",
            expected="an image that was composed, or opened from a profile as it is",
            hint="write it as a bundle, and lock the profile of that bundle: a lock does not tell how one was changed",
        )


def lock_of(image: Image, *, sources_of: Callable[[Vib], Iterable[str]], loaded: Catalog | None = None) -> Lock:
    """Pin an image down: every component, and every VIB with the digest of its file.

    Args:
        image: Composed from a spec, or opened from a profile; its VIBs know their files.
        sources_of: Function from VIB to the names of the sources that hold it.
        loaded: What is loaded, to say what a component that no depot holds was made of.

    Raises:
        ModelError: The image has neither spec nor profile, is a changed profile, or has a component that was
            made of loose VIBs in a way that the lock cannot tell.
    """
    require_lockable(image)
    reserved = {entry.vib.id for entry in image.reserved_vibs}
    return Lock(
        name=image.name,
        digest=image.digest,
        spec=None if image.spec is None else with_unit_versions(image.spec, image),
        profile=image.profile.name if image.spec is None and image.profile is not None else "",
        base_image=None if image.base_image is None else image.base_image.version,
        components=sorted(_components(image, loaded), key=lambda component: (component.name, component.version)),
        vibs=[_vib(vib, sources_of(vib), is_reserved=vib.id in reserved) for vib in image.all_vibs],
    )


def _components(image: Image, loaded: Catalog | None) -> Iterator[LockedComponent]:
    for entry in image.components:
        component = entry.component
        locked = LockedComponent(name=component.name, version=component.version.text, source=entry.source)
        yield _with_origin(locked, component, image, loaded)
    lost = _losers(image)
    for component in image.reserved_components:
        locked = LockedComponent(
            name=component.name, version=component.version.text, source=lost.get(component.id), is_reserved=True
        )
        yield _with_origin(locked, component, image, loaded)


def _with_origin(
    locked: LockedComponent, component: Component, image: Image, loaded: Catalog | None
) -> LockedComponent:
    """Say what a component was made of that no opened depot holds."""
    if loaded is None or _is_loaded(component, loaded):
        return locked
    legacy = {bulletin.id for bulletin in loaded.bulletins}
    made = attrs.evolve(
        locked,
        made_of=component.vib_ids,
        bulletin=component.bulletin.id if component.bulletin.id in legacy else "",
    )
    vibs = [vib for vib in image.all_vibs if vib.id in component.vib_ids]
    if made_again(made, vibs, loaded) != component:
        raise ModelError(
            f"a lock cannot tell how the component {component.id} was made",
            found="a component that no opened depot holds, with a vendor, platforms or words of its own",
            expected="one that component_from_vibs or component_from_bulletin makes of its VIBs",
            hint="write it with export_components, open that file, and lock an image composed from it",
        )
    return made


def _is_loaded(component: Component, catalog: Catalog) -> bool:
    named = catalog.components_by_name.get(component.name, ())
    return any((known.id, set(known.vib_ids)) == (component.id, set(component.vib_ids)) for known in named)


def _losers(image: Image) -> dict[str, ComponentSource]:
    """Return who brought each component that lost, by its id: of several the highest."""
    lost = [loser for entry in image.components for loser in entry.overridden]
    lost += [loser for entry in image.removed for loser in entry.removed]
    lost.sort(key=lambda loser: list(ComponentSource).index(loser.source))
    return {str(loser.component): loser.source for loser in lost}


def _vib(vib: Vib, sources: Iterable[str], *, is_reserved: bool) -> LockedVib:
    return LockedVib(
        id=vib.id,
        sha256=_sha256_of(vib),
        size_bytes=0 if vib.file is None else vib.file.size_bytes or 0,
        sources=_file_names(sources),
        is_reserved=is_reserved,
    )


def _sha256_of(vib: Vib) -> str:
    return "" if vib.file is None else vib.file.sha256


def _file_names(sources: Iterable[str]) -> tuple[str, ...]:
    """Return the names of the sources without folders."""
    names = {PurePath(source).name or source for source in sources}
    # A name in another encoding than the system's cannot stand in a file as it is.
    return tuple(sorted(name.encode(errors="backslashreplace").decode() for name in names))


# Composing from one


def compose_locked(depot: FilesCatalog, lock: Lock) -> Image:
    """Compose exactly the image of a lock.

    The lock's spec is composed, or its profile opened, with nothing but what the lock names:
    other depots may be open beside, a version left open comes out as it was, and a VIB id
    with several contents gets the locked one.

    Args:
        depot: The opened depots, which read VIBs whose metadata states no digest; or a catalog
            alone, which needs to state them all.
        lock: What is wanted.

    Raises:
        ComposeError: The image would differ; ``findings`` name every difference, all of the
            code ``lock-differs``.
        DepotError: A VIB's bytes cannot be read, or are not what is known of them.
    """
    loaded = depot.with_file_facts({vib.id for vib in lock.vibs})
    catalog = with_made_components(loaded, lock)
    differences = check_loaded(catalog, lock)
    if differences:
        raise _refusal(lock, differences)
    try:
        image = image_of_lock(catalog, lock)
    except NotInDepotError as error:
        raise _refusal(lock, (_not_loaded(error),)) from error
    differences = check_same(lock, lock_of(image, sources_of=catalog.sources_of, loaded=loaded))
    if differences:
        raise _refusal(lock, differences)
    return image


def _not_loaded(error: NotInDepotError) -> Finding:
    """Word what composing misses: a hardware support package or a solution, which no lock pins."""
    return _differs(error.message, cause=error.hint, remedy="open its depot")


def _refusal(lock: Lock, differences: Sequence[Finding]) -> ComposeError:
    shown = "; ".join(finding.message for finding in differences[:_MOST_SHOWN])
    more = f"; and {len(differences) - _MOST_SHOWN} more" if len(differences) > _MOST_SHOWN else ""
    sources = sorted({source for vib in lock.vibs for source in vib.sources})
    return ComposeError(
        "the depots do not give the image of the lock",
        findings=differences,
        found=shown + more,
        expected=f"exactly the image {lock.name}",
        hint=f"the lock was made from {', '.join(sources)}" if sources else "open the depots it was made from",
    )


def _differs(message: str, *items: str, cause: str = "", remedy: str = _OPEN_THE_DEPOT) -> Finding:
    return make_finding("lock-differs", message, items=items, cause=cause, remedy=remedy)


def with_made_components(catalog: Catalog, lock: Lock) -> Catalog:
    """Return the catalog with the components made again that were made of loose VIBs when the lock was written.

    One that a depot holds by now is left as it is; one whose VIBs are not loaded stays out, which
    ``check_loaded`` then tells.

    Args:
        catalog: What is loaded; its VIBs know their files.
        lock: What is wanted.
    """
    digests = {vib.id: vib.sha256 for vib in lock.vibs}
    for locked in lock.components:
        versions = [known.version.text for known in catalog.components_by_name.get(locked.name, ())]
        if locked.made_of and locked.version not in versions:
            vibs = [
                vib
                for vib_id in locked.made_of
                for vib in catalog.vibs_by_id.get(vib_id, ())
                if _sha256_of(vib) == digests.get(vib_id)
            ]
            component = made_again(locked, vibs, catalog)
            catalog = catalog if component is None else catalog.with_component(component)
    return catalog


def made_again(locked: LockedComponent, vibs: Sequence[Vib], catalog: Catalog) -> Component | None:
    """Return a component made of these VIBs as the lock says; None if they or its bulletin are not loaded."""
    if {vib.id for vib in vibs} != set(locked.made_of):
        return None
    if not locked.bulletin:
        return component_from_vibs(vibs, name=locked.name, version=locked.version)
    wanted = [
        known
        for known in catalog.bulletins
        if known.id == locked.bulletin and set(known.vib_ids) == {v.id for v in vibs}
    ]
    return component_from_bulletin(wanted[0], vibs, name=locked.name, version=locked.version) if wanted else None


def check_loaded(catalog: Catalog, lock: Lock) -> tuple[Finding, ...]:
    """Return what the lock needs and the depots do not have.

    Args:
        catalog: What is loaded.
        lock: What is wanted.

    Returns:
        Base image, profile and add-on first, then components, then VIBs.
    """
    return (
        *_missing_units(catalog, lock),
        *_missing_components(catalog, lock),
        *_missing_vibs(catalog, lock),
    )


def _missing_units(catalog: Catalog, lock: Lock) -> Iterator[Finding]:
    versions = [unit.version for unit in catalog.base_images]
    if lock.base_image is not None and lock.base_image not in versions:
        cause = _loaded(version.text for version in versions)
        yield _differs(f"the base image {lock.base_image} is not loaded", f"ESXi:{lock.base_image}", cause=cause)
    names = [profile.name for profile in catalog.profiles]
    if lock.profile and lock.profile not in names:
        yield _differs(f"the image profile {lock.profile} is not loaded", lock.profile, cause=_loaded(names))
    add_on = None if lock.spec is None else lock.spec.add_on
    if add_on is not None and str(add_on) not in (unit.id for unit in catalog.add_ons):
        cause = _loaded(unit.version.text for unit in catalog.add_ons if unit.name == add_on.name)
        yield _differs(f"the add-on {add_on} is not loaded", str(add_on), cause=cause)


def _loaded(texts: Iterable[str]) -> str:
    """Say what is loaded instead, lowest first as the catalog has it."""
    found = list(dict.fromkeys(texts))
    return f"loaded instead: {', '.join(found)}" if found else "the depots hold nothing of that name"


def _missing_components(catalog: Catalog, lock: Lock) -> Iterator[Finding]:
    for component in lock.components:
        versions = [item.version.text for item in catalog.components_by_name.get(component.name, ())]
        if component.version not in versions:
            yield _differs(f"the component {component.id} is not loaded", component.id, cause=_loaded(versions))


def _missing_vibs(catalog: Catalog, lock: Lock) -> Iterator[Finding]:
    for locked in lock.vibs:
        found = sorted(_sha256_of(vib) for vib in catalog.vibs_by_id.get(locked.id, ()))
        if not found:
            held = f"the lock found it in {', '.join(locked.sources)}" if locked.sources else ""
            yield _differs(f"the VIB {locked.id} is not loaded", locked.id, cause=held)
        elif locked.sha256 in found:
            continue
        elif not all(found):
            yield _unknown_sha256(locked)
        else:
            yield _other_sha256(locked, found)


def _unknown_sha256(locked: LockedVib) -> Finding:
    return _differs(
        f"the sha-256 checksum of the VIB {locked.id} is not known",
        locked.id,
        cause="its metadata does not state one",
        remedy="compose from the opened depot, which can read the file, not from its catalog",
    )


def _other_sha256(locked: LockedVib, found: Iterable[str]) -> Finding:
    return _differs(
        f"the VIB {locked.id} has another sha-256 checksum",
        locked.id,
        cause=f"loaded {', '.join(map(_short, found))}, locked {_short(locked.sha256)}: "
        "built again without a new version, or changed",
    )


def _short(digest: str) -> str:
    return f"{digest[:_SHOWN_DIGITS]}..."


def image_of_lock(catalog: Catalog, lock: Lock) -> Image:
    """Compose the lock's spec, or open its profile, with what the lock names.

    Release names, versions that the spec leaves open and VIB ids with several contents so come
    out as they were, whatever else is loaded. The result is still to be compared with the lock:
    where two solutions want one component and got different versions of it, a lock does not tell
    which got which, and the image may come out otherwise.

    Args:
        catalog: What is loaded.
        lock: What is wanted.

    Raises:
        NotInDepotError: Something that the spec names is not loaded.
        ComposeError: The spec contradicts itself.
    """
    digests = {vib.id: vib.sha256 for vib in lock.vibs}
    narrowed = attrs.evolve(
        catalog,
        base_images=[unit for unit in catalog.base_images if unit.version == lock.base_image],
        solutions=[_pinned_solution(solution, lock) for solution in catalog.solutions],
        vibs=[vib for vib in catalog.vibs if vib.id not in digests or _sha256_of(vib) == digests[vib.id]],
    )
    if lock.spec is None:
        return image_from_profile(narrowed, lock.profile)
    image = compose(narrowed, _pinned_spec(lock.spec, lock), name=lock.name)
    open_names = {name for name, version in lock.spec.components if version is None}
    return attrs.evolve(
        image,
        spec=lock.spec,
        solutions=[catalog.solution(solution.name, solution.version.text) for solution in image.solutions],
        components=[
            attrs.evolve(entry, rule=Rule.HIGHEST_AVAILABLE)
            if entry.source is ComponentSource.USER and entry.component.name in open_names
            else entry
            for entry in image.components
        ],
    )


def _locked_versions(lock: Lock, name: str, source: ComponentSource) -> list[str]:
    return [item.version for item in lock.components if item.name == name and item.source is source]


def _pinned_spec(spec: SoftwareSpec, lock: Lock) -> SoftwareSpec:
    """Return the spec with the locked versions where it leaves them open."""

    def pinned(name: str, version: ComponentVersion | None) -> ComponentVersion | None:
        found = _locked_versions(lock, name, ComponentSource.USER)
        return version if version is not None or not found else ComponentVersion(found[0])

    return attrs.evolve(spec, components=[(name, pinned(name, version)) for name, version in spec.components])


def _pinned_solution(solution: Solution, lock: Lock) -> Solution:
    """Return the solution accepting only the versions that it brought, or that the user chose as well."""
    return attrs.evolve(
        solution,
        components=[
            attrs.evolve(wanted, versions=_pinned_versions(wanted, lock) or wanted.versions)
            for wanted in solution.components
        ],
    )


def _pinned_versions(wanted: SolutionComponent, lock: Lock) -> list[ComponentVersion]:
    accepted = {version.text for version in wanted.versions}
    for source in (ComponentSource.SOLUTION, ComponentSource.USER):
        found = _locked_versions(lock, wanted.name, source)
        versions = [ComponentVersion(text) for text in found if not accepted or text in accepted]
        if versions:
            return versions
    return []


def check_same(lock: Lock, found: Lock) -> tuple[Finding, ...]:
    """Return what differs between a lock and the lock of an image that was composed from it.

    Args:
        lock: What was wanted.
        found: What came out.

    Returns:
        Components first, then VIBs; base image and digest only where all of these are the same.
    """
    findings = [*_other_components(lock, found), *_other_vibs(lock, found)]
    if not findings and found.base_image != lock.base_image:
        findings.append(_differs(f"the base image is {found.base_image}, in the lock {lock.base_image}"))
    if not findings and found.digest != lock.digest:
        findings.append(
            _differs(
                "the image digest differs, though components and files are the same",
                found.digest,
                lock.digest,
                cause="the depots' metadata tells other things of the VIBs than it did, "
                "or another release of this library made the lock",
                remedy="open the depots that the lock was made from, or lock the image anew",
            )
        )
    return tuple(findings)


def _other_components(lock: Lock, found: Lock) -> Iterator[Finding]:
    wanted = {component.id: component for component in lock.components}
    have = {component.id: component for component in found.components}
    for key in sorted(wanted.keys() | have.keys()):
        if key not in have:
            yield _differs(f"the component {key} is not in the image, but in the lock", key)
        elif key not in wanted:
            yield _differs(f"the component {key} is in the image, but not in the lock", key)
        elif _standing(wanted[key]) != _standing(have[key]):
            yield _differs(
                f"the component {key} is {_standing(have[key])}, in the lock it is {_standing(wanted[key])}", key
            )


def _standing(component: LockedComponent) -> str:
    standing = "reserved" if component.is_reserved else "effective"
    return standing if component.source is None else f"{standing} from the {component.source.display}"


def _other_vibs(lock: Lock, found: Lock) -> Iterator[Finding]:
    wanted = {vib.id: vib for vib in lock.vibs}
    have = {vib.id: vib for vib in found.vibs}
    for key in sorted(wanted.keys() | have.keys()):
        if key not in have:
            yield _differs(f"the VIB {key} is not in the image, but in the lock", key)
        elif key not in wanted:
            yield _differs(f"the VIB {key} is in the image, but not in the lock", key)
        else:
            if wanted[key].sha256 != have[key].sha256:
                yield _other_sha256(wanted[key], [have[key].sha256])
            if wanted[key].is_reserved != have[key].is_reserved:
                now, then = (("reserved" if vib.is_reserved else "installed") for vib in (have[key], wanted[key]))
                yield _differs(f"the VIB {key} is {now}, in the lock it is {then}", key)
