"""Locks: pinning an image down to every file, and composing exactly that image again."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from esximage_builder.codes import make_finding
from esximage_builder.depot.opening import Depot
from esximage_builder.documents.lock_file import render_lock
from esximage_builder.errors import ComposeError, ModelError, NotInDepotError
from esximage_builder.export.depot_zip import with_file_facts
from esximage_builder.limits import ReadLimits
from esximage_builder.models.lock import Lock, LockedComponent, LockedVib
from esximage_builder.rules.lock import check_loaded, check_same, image_of_lock
from esximage_builder.streams.whole_file import write_file
from esximage_builder.vocabulary import ComponentSource

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from esximage_builder.findings import Finding
    from esximage_builder.models.image import Image
    from esximage_builder.models.vib import Vib
    from esximage_builder.models.vib_store import VibStore

__all__ = ["compose_locked", "make_lock", "write_lock"]

_MOST_SHOWN = 3


def make_lock(image: Image, store: VibStore, *, limits: ReadLimits | None = None) -> Lock:
    """Pin an image down: every component, and every VIB with the digest of its file.

    Args:
        image: Composed from a spec, or opened from a profile.
        store: Gives the bytes of VIBs whose metadata states no digest; an opened depot also
            tells which files the VIBs lie in.
        limits: Upper bounds for reading VIBs; None takes the defaults.

    Raises:
        ModelError: The image has neither spec nor profile, so nobody could make it again.
        NotInDepotError: The store lacks a VIB.
        LimitExceededError: Something is larger than ``limits`` allow.
        DepotError: A VIB's bytes cannot be read, or are not what is known of them.
    """
    if image.spec is None and image.profile is None:
        raise ModelError(
            "an image without spec and profile cannot be locked",
            found=image.name,
            expected="an image that was composed, or opened from a profile",
        )
    bounds = limits or ReadLimits()
    reserved = {entry.vib.id for entry in image.reserved_vibs}
    return Lock(
        name=image.name,
        digest=image.digest,
        spec=image.spec,
        profile=image.profile.name if image.spec is None and image.profile is not None else "",
        base_image=None if image.base_image is None else image.base_image.version,
        components=sorted(_components(image), key=lambda component: (component.name, component.version)),
        vibs=[_vib(vib, store, bounds, is_reserved=vib.id in reserved) for vib in image.all_vibs],
    )


def _components(image: Image) -> Iterator[LockedComponent]:
    for entry in image.components:
        component = entry.component
        yield LockedComponent(name=component.name, version=component.version.text, source=entry.source)
    lost = _losers(image)
    for component in image.reserved_components:
        yield LockedComponent(
            name=component.name, version=component.version.text, source=lost.get(component.id), is_reserved=True
        )


def _losers(image: Image) -> dict[str, ComponentSource]:
    """Return who brought each component that lost, by its id: of several the highest."""
    lost = [loser for entry in image.components for loser in entry.overridden]
    lost += [loser for entry in image.removed for loser in entry.removed]
    lost.sort(key=lambda loser: list(ComponentSource).index(loser.source))
    return {str(loser.component): loser.source for loser in lost}


def _vib(vib: Vib, store: VibStore, limits: ReadLimits, *, is_reserved: bool) -> LockedVib:
    known = with_file_facts(vib, store, limits).file
    assert known is not None  # noqa: S101 - that is what the function is for
    return LockedVib(
        id=vib.id,
        sha256=known.sha256,
        size_bytes=known.size_bytes or 0,
        sources=_file_names(vib, store),
        is_reserved=is_reserved,
    )


def _file_names(vib: Vib, store: VibStore) -> tuple[str, ...]:
    """Return the names, without folders, of the sources that hold the VIB."""
    sources = store.catalog.sources_of(vib) if isinstance(store, Depot) else ()
    names = {Path(source).name or source for source in sources}
    # A name in another encoding than the system's cannot stand in a file as it is.
    return tuple(sorted(name.encode(errors="backslashreplace").decode() for name in names))


def write_lock(image: Image, store: VibStore, path: str | Path, *, limits: ReadLimits | None = None) -> Lock:
    """Pin an image down in a file; see ``make_lock``. The file appears whole or not at all.

    Raises:
        ExportError: The file cannot be written.
        ModelError: The image has neither spec nor profile.
        NotInDepotError: The store lacks a VIB.
        LimitExceededError: Something is larger than ``limits`` allow.
        DepotError: A VIB's bytes cannot be read, or are not what is known of them.
    """
    lock = make_lock(image, store, limits=limits)
    write_file(Path(path), render_lock(lock))
    return lock


def compose_locked(depot: Depot, lock: Lock) -> Image:
    """Compose exactly the image of a lock.

    The lock's spec is composed, or its profile opened, with nothing but what the lock names:
    other depots may be open beside, a version left open comes out as it was, and a VIB id
    with several contents gets the locked one. VIBs whose metadata states no digest are
    read, with the limits the depots were opened with.

    Args:
        depot: The opened depots.
        lock: What is wanted.

    Raises:
        ComposeError: The image would differ; ``findings`` name every difference, all of the
            code ``lock-differs``.
        DepotError: A VIB's bytes cannot be read, or are not what is known of them.
    """
    digest_of = _digests(depot)
    differences = check_loaded(depot.catalog, lock, sha256_of=digest_of)
    if differences:
        raise _refusal(lock, differences)
    try:
        image = image_of_lock(depot.catalog, lock, sha256_of=digest_of)
    except NotInDepotError as error:
        raise _refusal(lock, (_not_loaded(error),)) from error
    differences = check_same(lock, make_lock(image, depot, limits=depot.limits))
    if differences:
        raise _refusal(lock, differences)
    return image


def _digests(depot: Depot) -> Callable[[Vib], str]:
    """Return a function from VIB to digest that reads each file at most once."""
    known: dict[str, str] = {}

    def sha256_of(vib: Vib) -> str:
        if vib.fingerprint not in known:
            file = with_file_facts(vib, depot, depot.limits).file
            known[vib.fingerprint] = "" if file is None else file.sha256
        return known[vib.fingerprint]

    return sha256_of


def _not_loaded(error: NotInDepotError) -> Finding:
    """Word what composing misses: a hardware support package or a solution, which no lock pins."""
    return make_finding("lock-differs", error.message, cause=error.hint, remedy="open its depot")


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
