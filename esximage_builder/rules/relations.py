"""Depends, conflicts, replaces, provides: how VIBs relate to each other.

Rules (docs/formats.md#relationships):

* A VIB provides its own ``name = version`` besides what it states.
* A VIB replaces every older VIB of its own name besides what it states.
* A versionless constraint is met by any provide of that name; one with a version only by a
  provide that has a version.
* Where the constraint's version has no release part, only version parts are compared.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, final

from esximage_builder.vocabulary import Relation

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from esximage_builder.models.constraint import Constraint
    from esximage_builder.models.vib import Vib
    from esximage_builder.versions import VibVersion

__all__ = ["OwnedProvides", "ProvideIndex", "is_met_by", "provides_of", "replaces_vib"]


def is_met_by(constraint: Constraint, version: VibVersion | None) -> bool:
    """Tell whether a provide of the constraint's name and this version meets the constraint."""
    if constraint.relation is None or constraint.version is None:
        return True
    if version is None:
        return False
    wanted = constraint.version
    if wanted.release is None:
        return _compares(constraint.relation, version.upstream_key, wanted.upstream_key)
    return _compares(constraint.relation, version.key, wanted.key)


def _compares(relation: Relation, left: tuple[object, ...], right: tuple[object, ...]) -> bool:
    if relation is Relation.EQUAL:
        return left == right
    if relation is Relation.LESS:
        return left < right
    if relation is Relation.LESS_EQUAL:
        return left <= right
    if relation is Relation.GREATER_EQUAL:
        return left >= right
    return left > right


def provides_of(vib: Vib) -> Iterator[tuple[str, VibVersion | None]]:
    """Yield name and version of everything the VIB provides, itself first."""
    yield vib.name, vib.version
    for provide in vib.provides:
        yield provide.name, provide.version


def replaces_vib(winner: Vib, loser: Vib) -> bool:
    """Tell whether ``winner`` states that it replaces ``loser``; older ones of its name not counted."""
    return any(constraint.name == loser.name and is_met_by(constraint, loser.version) for constraint in winner.replaces)


@final
class ProvideIndex:
    """Finds who provides what among some VIBs."""

    def __init__(self, vibs: Iterable[Vib]) -> None:
        self._by_name: dict[str, list[tuple[VibVersion | None, Vib]]] = {}
        for vib in vibs:
            for name, version in provides_of(vib):
                self._by_name.setdefault(name, []).append((version, vib))

    def providers(self, constraint: Constraint) -> tuple[Vib, ...]:
        """Return the VIBs that meet the constraint, each once, in the order they were given."""
        found: dict[str, Vib] = {}
        for version, vib in self._by_name.get(constraint.name, ()):
            if vib.id not in found and is_met_by(constraint, version):
                found[vib.id] = vib
        return tuple(found.values())

    def is_met(self, constraint: Constraint) -> bool:
        """Tell whether any of the VIBs meets the constraint."""
        return any(is_met_by(constraint, version) for version, _ in self._by_name.get(constraint.name, ()))

    def versions_of(self, name: str) -> tuple[str, ...]:
        """Return what is provided under that name, as text; for messages."""
        provided = self._by_name.get(name, ())
        return tuple(sorted({"(no version)" if version is None else version.text for version, _ in provided}))

    def names_like(self, prefix: str) -> tuple[str, ...]:
        """Return the provided names that begin with ``prefix``, sorted."""
        return tuple(sorted(name for name in self._by_name if name.startswith(prefix)))


@final
class OwnedProvides:
    """Finds whether anybody but one owner provides something; owners are component names."""

    def __init__(self, vibs: Iterable[tuple[Vib, set[str]]]) -> None:
        self._by_name: dict[str, list[tuple[VibVersion | None, set[str]]]] = {}
        for vib, owners in vibs:
            for name, version in provides_of(vib):
                self._by_name.setdefault(name, []).append((version, owners))

    def is_met(self, constraint: Constraint, *, without: str) -> bool:
        """Tell whether a VIB that somebody else than ``without`` owns meets the constraint."""
        return any(
            not owners <= {without} and is_met_by(constraint, version)
            for version, owners in self._by_name.get(constraint.name, ())
        )
