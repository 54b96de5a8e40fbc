"""What stands against one pair of base image and add-on, and against others before they are composed.

A finding is about some things: components, VIBs, a constraint. Where another pair is sure to have the same
things in the same state, it has the same finding. *Sure* is meant strictly: whatever might take a thing out
of the image, or meet the constraint, leaves the question to composing and validating. So nothing is ruled
out here that would have fitted, and time grows with the candidates, not with candidates times images.

What the rest of a spec may bring (packages, solutions, the user's components) counts with every version
that may be taken.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, final

import attrs

from esximage_builder.codes import has_code
from esximage_builder.rules.relations import is_met_by, provides_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from esximage_builder.findings import Finding
    from esximage_builder.models.add_on import AddOn
    from esximage_builder.models.base_image import BaseImage
    from esximage_builder.models.catalog import Catalog
    from esximage_builder.models.component import Component, ComponentReference
    from esximage_builder.models.constraint import Constraint
    from esximage_builder.models.image import Image
    from esximage_builder.models.spec import SoftwareSpec
    from esximage_builder.models.vib import Vib
    from esximage_builder.versions import VibVersion

__all__ = ["Refusals"]

_MOST_REASONS = 5

# True of any image that has what the finding names, whatever its base image.
_OF_ANY_BASE = (
    "add-on-content-differs",
    "base-image-content-differs",
    "component-content-differs",
    "component-missing",
    "file-conflict",
    "vib-content-differs",
    "vib-missing",
    "vib-size-differs",
)
# True of one base image, as long as the add-on leaves alone what the finding names.
_OF_ITS_BASE = (
    "core-component-overridden",
    "core-component-removed",
    "package-base-unsupported",
    "unit-version-open",
)


@final
@attrs.define
class _Contents:
    """What a base image, an add-on or the rest of a spec brings.

    Attributes:
        ids: Component name to id, where only one version can come of it.
        names: Names of all components that it may put or take off.
        decided: Those of them that no lower source has a say in, sure as they are.
        choices: Component name to the ids of all versions that may be taken, where there are several.
        owners: VIB id to the ids of the components that state it.
        vibs: VIB id to the loaded VIBs of that id.
        bringers: VIB name to pairs of VIB id and component id.
        replacers: VIB name to the ids of the components with a VIB that replaces it.
        provided: What its VIBs provide, name to versions and VIBs.
        lowered: Ids of components that are lower than those of the current image, and the reason against them.
        anchors: All of ``ids``, to find refusals by.
    """

    ids: dict[str, str] = attrs.Factory(dict)
    names: set[str] = attrs.Factory(set)
    decided: set[str] = attrs.Factory(set)
    choices: dict[str, tuple[str, ...]] = attrs.Factory(dict)
    owners: dict[str, list[str]] = attrs.Factory(dict)
    vibs: dict[str, tuple[Vib, ...]] = attrs.Factory(dict)
    bringers: dict[str, list[tuple[str, str]]] = attrs.Factory(dict)
    replacers: dict[str, list[str]] = attrs.Factory(dict)
    provided: dict[str, list[tuple[VibVersion | None, Vib]]] = attrs.Factory(dict)
    lowered: dict[str, str] = attrs.Factory(dict)
    anchors: frozenset[str] = frozenset()

    def add(self, name: str, components: Iterable[Component], vibs_by_id: Mapping[str, tuple[Vib, ...]]) -> None:
        self.names.add(name)
        for component in components:
            for vib_id in component.vib_ids:
                self.owners.setdefault(vib_id, []).append(component.id)
                self.vibs[vib_id] = vibs_by_id.get(vib_id, ())
                for vib in self.vibs[vib_id]:
                    self._add_vib(vib, component.id)

    def _add_vib(self, vib: Vib, component_id: str) -> None:
        self.bringers.setdefault(vib.name, []).append((vib.id, component_id))
        for constraint in vib.replaces:
            self.replacers.setdefault(constraint.name, []).append(component_id)
        for name, version in provides_of(vib):
            self.provided.setdefault(name, []).append((version, vib))


@final
@attrs.frozen
class _Pair:
    """A base image, an add-on (empty contents without one) and the rest of the spec."""

    base_id: str
    add_on_id: str
    major: int
    base: _Contents
    add_on: _Contents
    rest: _Contents

    @property
    def parts(self) -> tuple[_Contents, _Contents, _Contents]:
        return (self.base, self.add_on, self.rest)

    def has_component(self, component_id: str) -> bool:
        """Tell whether the component is sure to be in the image, loaded or not."""
        name = component_id.partition(":")[0]
        holder = next((part for part in (self.rest, self.add_on) if name in part.names), self.base)
        return holder.ids.get(name) == component_id

    def has_vib(self, vib_id: str) -> bool:
        """Tell whether the VIB is sure to be installed, or to be stated and not loaded."""
        owners = itertools.chain.from_iterable(part.owners.get(vib_id, ()) for part in self.parts)
        return any(map(self.has_component, owners)) and self.is_unrivalled(vib_id)

    def is_unrivalled(self, vib_id: str, component_name: str = "") -> bool:
        """Tell whether no other VIB can take the place of this one; those of one component's versions left aside."""
        names = {vib.name for part in self.parts for vib in part.vibs.get(vib_id, ())}
        return not any(
            self._may_have(part, other) and other.partition(":")[0] != component_name
            for part in self.parts
            for name in names
            for other in (
                *(owner for rival, owner in part.bringers.get(name, ()) if rival != vib_id),
                *part.replacers.get(name, ()),
            )
        )

    def _may_have(self, part: _Contents, component_id: str) -> bool:
        """Tell whether a component of one part may come into the image, as far as the others let it."""
        name = component_id.partition(":")[0]
        if part is self.rest:
            return True
        return name not in self.rest.decided and (part is self.add_on or name not in self.add_on.names)

    def meeting(self, constraint: Constraint) -> Iterator[Vib]:
        """Yield the VIBs that meet the constraint if they come into the image."""
        provided = itertools.chain.from_iterable(part.provided.get(constraint.name, ()) for part in self.parts)
        return (vib for version, vib in provided if is_met_by(constraint, version))

    def may_meet(self, constraint: Constraint) -> bool:
        """Tell whether anything that may come into the image meets the constraint."""
        return next(self.meeting(constraint), None) is not None

    def has(self, item: str) -> bool:
        """Tell whether what a finding names is sure to be there."""
        return item in (self.base_id, self.add_on_id) or self.has_component(item) or self.has_vib(item)

    def is_left_alone(self, item: str) -> bool:
        """Tell whether the add-on has nothing to do with what a finding names, be it there or taken off by the user."""
        if self.has(item):
            return True
        name = item.partition(":")[0]
        is_known = self.base.ids.get(name) == item or item in self.rest.names
        return is_known and name not in self.add_on.names


@final
@attrs.frozen
class _Refusal:
    """A finding, and where it holds.

    Attributes:
        reason: What is said.
        items: What has to be there.
        lacks: What must not be met; None if nothing.
        base_id: The only base image that it is known of; empty for any.
        since: The lowest major release that it is known of; 0 for any.
    """

    reason: str
    items: tuple[str, ...]
    lacks: Constraint | None = None
    base_id: str = ""
    since: int = 0

    def said_of(self, pair: _Pair) -> str:
        """Return the reason against a pair; empty where it is not sure to hold."""
        if self.base_id:
            holds = pair.base_id == self.base_id and all(map(pair.is_left_alone, self.items))
        else:
            holds = pair.major >= self.since and all(map(pair.has, self.items))
        return self.reason if holds and not (self.lacks is not None and pair.may_meet(self.lacks)) else ""


@final
@attrs.frozen
class _Conflict:
    """A conflict that a VIB declares, with whatever is there.

    Attributes:
        vib: The VIB.
        declared: What it says.
    """

    vib: Vib
    declared: Constraint

    @property
    def items(self) -> tuple[str, ...]:
        return (self.vib.id,)

    @property
    def base_id(self) -> str:
        return ""

    def said_of(self, pair: _Pair) -> str:
        if not pair.has_vib(self.vib.id):
            return ""
        for other in pair.meeting(self.declared):
            is_beside = other.id != self.vib.id and other.is_for_host == self.vib.is_for_host
            if is_beside and pair.has_vib(other.id):
                return f"{self.vib.id} cannot be installed together with {other.id}"
        return ""


@final
class Refusals:
    """What is known against pairs of base image and add-on with one spec."""

    def __init__(self, catalog: Catalog, spec: SoftwareSpec, current: Image) -> None:
        self._catalog = catalog
        self._current = {entry.component.name: entry.component for entry in current.components}
        self._loaded: dict[str, list[Component]] = {}
        for component in catalog.components:
            self._loaded.setdefault(component.id, []).append(component)
        self._contents: dict[str, _Contents] = {"": _Contents()}
        self._rest = self._rest_of(spec)
        self._by_anchor: dict[str, list[_Refusal | _Conflict]] = {}

    def reasons(self, base_image: BaseImage, add_on: AddOn | None) -> list[str]:
        """Return what is sure to stand against a pair; empty where only composing and validating can tell."""
        pair = self._pair(base_image, add_on)
        lowered = (
            reason
            for part in (pair.base, pair.add_on)
            for component_id, reason in part.lowered.items()
            if pair.has_component(component_id)
        )
        known = (said for refusal in self._near(pair) if (said := refusal.said_of(pair)))
        found = itertools.chain(lowered, known, self._unfit_choices(pair))
        return list(dict.fromkeys(itertools.islice(found, _MOST_REASONS)))

    def _unfit_choices(self, pair: _Pair) -> Iterator[str]:
        """Yield the names left open of which no loaded version can be met: whichever is taken, it is an error."""
        for name, versions in self._rest.choices.items():
            lacking = [self._unmet(pair, version) for version in versions]
            if all(lacking):
                yield f"no loaded version of {name} fits: {lacking[-1]}"

    def _unmet(self, pair: _Pair, component_id: str) -> str:
        """Return what keeps a version of an open name from being met, whatever else is taken; empty if nothing does."""
        name = component_id.partition(":")[0]
        vib_ids = (vib_id for component in self._loaded[component_id] for vib_id in component.vib_ids)
        for vib_id in vib_ids:
            for vib in self._rest.vibs[vib_id] if pair.is_unrivalled(vib_id, name) else ():
                for constraint in vib.depends:
                    if not pair.may_meet(constraint):
                        return f"{vib_id} requires {constraint}, which the image does not have"
        return ""

    def learn(
        self, base_image: BaseImage, add_on: AddOn | None, image: Image | None, errors: Iterable[Finding]
    ) -> None:
        """Keep the errors of a pair for others.

        Args:
            base_image: Of the pair.
            add_on: Of the pair; None for none.
            image: What was composed; None if composing was refused.
            errors: What stands against it.
        """
        pair = self._pair(base_image, add_on)
        for finding in errors:
            refusal = _refusal_of(finding, pair, image)
            if refusal is not None and refusal.said_of(pair):
                self._by_anchor.setdefault(_anchor_of(refusal, pair), []).append(refusal)

    def _near(self, pair: _Pair) -> Iterator[_Refusal | _Conflict]:
        """Yield the refusals that some part of the pair has to do with."""
        units = [anchor for anchor in ("", pair.base_id, pair.add_on_id) if anchor in self._by_anchor]
        parts = (sorted(self._by_anchor.keys() & part.anchors) for part in (pair.add_on, pair.base))
        return itertools.chain.from_iterable(self._by_anchor[anchor] for anchor in itertools.chain(units, *parts))

    def _pair(self, base_image: BaseImage, add_on: AddOn | None) -> _Pair:
        base = self._contents_of(base_image.id, base_image.components)
        if add_on is None:
            return _Pair(base_image.id, "", base_image.version.major, base, self._contents[""], self._rest)
        own = self._contents_of(add_on.id, add_on.components, add_on.removed_components)
        return _Pair(base_image.id, add_on.id, base_image.version.major, base, own, self._rest)

    def _contents_of(
        self, unit_id: str, references: Iterable[ComponentReference], removed: Iterable[str] = ()
    ) -> _Contents:
        if unit_id not in self._contents:
            contents = _Contents(names=set(removed))
            for reference in references:
                contents.ids[reference.name] = str(reference)
                contents.add(reference.name, self._loaded.get(str(reference), ()), self._catalog.vibs_by_id)
            contents.anchors = frozenset(contents.ids.values())
            contents.lowered = dict(self._lowered(contents.ids))
            self._contents[unit_id] = contents
        return self._contents[unit_id]

    def _lowered(self, ids: Mapping[str, str]) -> Iterator[tuple[str, str]]:
        """Yield the components that hosts with the current image would refuse, each with the reason."""
        for name, component_id in ids.items():
            current = self._current.get(name)
            for component in self._loaded.get(component_id, ()) if current is not None else ():
                if current is not None and component.version < current.version:
                    reason = f"{name} would go down from {current.version} to {component.version}, which hosts refuse"
                    yield component_id, reason

    def _rest_of(self, spec: SoftwareSpec) -> _Contents:
        """Return what the spec brings besides base image and add-on; only the user's components can be sure."""
        contents = _Contents(names=set(spec.removed_components), decided=set(spec.removed_components))
        self._add_packages(contents, {reference.package for reference in spec.hardware_support})
        self._add_solutions(contents, {reference.name for reference in spec.solutions})
        for name, version in spec.components:
            contents.decided.add(name)
            loaded = self._catalog.components_by_name.get(name, ())
            same = [part for part in loaded if version is None or part.version.text == version.text]
            contents.add(name, same, self._catalog.vibs_by_id)
            ids = tuple(dict.fromkeys(part.id for part in same))
            if name not in spec.removed_components and len(ids) == 1:
                contents.ids[name] = ids[0]
            elif name not in spec.removed_components and ids:
                contents.choices[name] = ids
        return contents

    def _add_packages(self, contents: _Contents, names: set[str]) -> None:
        contents.names.update(names)
        for package in (unit for unit in self._catalog.hardware_support if unit.name in names):
            contents.names.update((package.id, *package.removed_components))
            for reference in package.components:
                contents.add(reference.name, self._loaded.get(str(reference), ()), self._catalog.vibs_by_id)

    def _add_solutions(self, contents: _Contents, names: set[str]) -> None:
        contents.names.update(names)
        for solution in (unit for unit in self._catalog.solutions if unit.name in names):
            contents.names.add(solution.id)
            for wanted in solution.components:
                loaded = self._catalog.components_by_name.get(wanted.name, ())
                contents.add(wanted.name, loaded, self._catalog.vibs_by_id)


def _refusal_of(finding: Finding, pair: _Pair, image: Image | None) -> _Refusal | _Conflict | None:
    """Return what a finding says of other pairs; None where that cannot be told."""
    vib = None if image is None else image.vibs_by_id.get(finding.fact("vib"))
    if vib is not None and has_code(finding, "missing-dependency"):
        lacks = _named(vib.depends, finding.fact("requires"))
        return None if lacks is None else _Refusal(finding.message, (vib.id,), lacks)
    if vib is not None and has_code(finding, "conflict"):
        declared = _named(vib.conflicts, finding.fact("declared"))
        return None if declared is None else _Conflict(vib, declared)
    if vib is not None and has_code(finding, "missing-gunzip-checksum"):
        return _Refusal(finding.message, (vib.id,), since=pair.major)
    if any(has_code(finding, code) for code in _OF_ANY_BASE):
        return _Refusal(finding.message, finding.items)
    if any(has_code(finding, code) for code in _OF_ITS_BASE):
        return _Refusal(finding.message, finding.items, base_id=pair.base_id)
    return None


def _named(constraints: Iterable[Constraint], text: str) -> Constraint | None:
    return next((constraint for constraint in constraints if str(constraint) == text), None)


def _anchor_of(refusal: _Refusal | _Conflict, pair: _Pair) -> str:
    """Return by what to find the refusal again: a component of the add-on, else of the base image, else by nothing."""
    if refusal.base_id or pair.base_id in refusal.items:
        return pair.base_id
    if pair.add_on_id in refusal.items:
        return pair.add_on_id
    owners = [
        component_id
        for item in refusal.items
        for component_id in (item, *(owner for part in pair.parts for owner in part.owners.get(item, ())))
    ]
    for part in (pair.add_on, pair.base):
        for component_id in owners:
            if component_id in part.anchors and pair.has_component(component_id):
                return component_id
    return ""
