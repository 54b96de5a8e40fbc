"""Base image, add-on, solutions and hardware support packages of a host against those of an image.

All follow one pattern: the same version is compliant, a later one in the image is not, and an earlier
one is incompatible. An add-on or package of another name, or one that only one side has, is not
compliant. What the inventory does not tell is unavailable.

An image that was opened from a profile does not say which add-on it has, so none is compared.

Source: docs/formats.md#compliance.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Self, TypeVar, final

import attrs

from esximage_builder.errors import VersionSyntaxError
from esximage_builder.models.compliance import ComplianceStatus, ItemCompliance, ItemReason, worst_status
from esximage_builder.models.host import BASE_COMPONENT, HostPart
from esximage_builder.models.spec import AddOnReference
from esximage_builder.versions import AddOnVersion, BaseImageVersion, ComponentVersion, VibVersion
from esximage_builder.vocabulary import ComponentSource

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from esximage_builder.models.host import Host
    from esximage_builder.models.image import Image
    from esximage_builder.models.solution import Solution
    from esximage_builder.models.spec import HardwareSupportReference

__all__ = ["ReleaseUnits", "compared"]

_V = TypeVar("_V", AddOnVersion, BaseImageVersion, ComponentVersion, VibVersion)
_Judged = tuple[ComplianceStatus, ItemReason | None]

_SAME: _Judged = (ComplianceStatus.COMPLIANT, None)
_BASE = ComponentSource.BASE_IMAGE.value
_ADD_ON = ComponentSource.ADD_ON.value
_SOLUTION = ComponentSource.SOLUTION.value
_PACKAGE = ComponentSource.HARDWARE_SUPPORT_PACKAGE.value


def compared(wanted: _V, has: _V) -> _Judged:
    """Return how a host's version stands to the image's, and why."""
    if wanted == has:
        return _SAME
    if wanted < has:
        return ComplianceStatus.INCOMPATIBLE, ItemReason.HOST_IS_LATER
    return ComplianceStatus.NON_COMPLIANT, ItemReason.IMAGE_IS_LATER


@final
@attrs.frozen(kw_only=True)
class _Package:
    """A hardware support package of the image: its manager, its name, its version."""

    manager: str
    name: str
    version: str


@final
@attrs.frozen(kw_only=True)
class ReleaseUnits:
    """What an image says of itself, ready to be compared with very many hosts."""

    base_image: BaseImageVersion | None
    add_on: AddOnReference | None
    is_add_on_stated: bool
    solutions: tuple[Solution, ...]
    packages: tuple[_Package, ...]

    @classmethod
    def of(cls, image: Image) -> Self:
        """Return those of an image."""
        references = () if image.spec is None else image.spec.hardware_support
        managers = {reference.package: reference.manager for reference in references}
        return cls(
            base_image=image.esxi_version,
            add_on=None if image.add_on is None else AddOnReference(image.add_on.name, image.add_on.version),
            is_add_on_stated=image.add_on is not None or image.base_image is not None,
            solutions=image.solutions,
            packages=tuple(
                _Package(manager=managers.get(unit.name, unit.name), name=unit.name, version=unit.version.text)
                for unit in image.hardware_support
            ),
        )

    def judge_base_image(self, host: Host) -> ItemCompliance | None:
        """Return how the host's base image stands; None if the image states none."""
        if self.base_image is None:
            return None
        if HostPart.BASE_IMAGE not in host.told or host.base_image is None:
            return _untold(name=BASE_COMPONENT, target=self.base_image.text, target_source=_BASE)
        status, reason = compared(self.base_image, host.base_image)
        return ItemCompliance(
            name=BASE_COMPONENT,
            status=status,
            current=host.base_image.text,
            target=self.base_image.text,
            current_source=_BASE,
            target_source=_BASE,
            reason=reason,
        )

    def judge_add_on(self, host: Host) -> ItemCompliance | None:
        """Return how the host's add-on stands; None if neither has one, or the image does not say."""
        if not self.is_add_on_stated:
            return None
        if HostPart.ADD_ON in host.told:
            return _judged_add_on(self.add_on, host.add_on)
        if self.add_on is None:
            return _untold(name="")
        return _untold(name=self.add_on.name, target=self.add_on.version.text, target_source=_ADD_ON)

    def judge_solutions(self, host: Host, components: Mapping[str, ComplianceStatus]) -> tuple[ItemCompliance, ...]:
        """Return how the host's solutions stand, sorted by name.

        Where the inventory tells no solutions, the components of each say how it stands.

        Args:
            host: What is judged.
            components: Status of each component that is not compliant.
        """
        if not self.solutions and not host.solutions:
            return ()
        if HostPart.SOLUTIONS in host.told:
            items = self._told_solutions(host)
        else:
            is_known = HostPart.COMPONENTS in host.told
            items = (
                _by_components(unit, components) if is_known else _untold_solution(unit) for unit in self.solutions
            )
        return tuple(sorted(items, key=lambda item: item.name))

    def _told_solutions(self, host: Host) -> Iterator[ItemCompliance]:
        installed = {unit.name: unit for unit in host.solutions}
        for unit in self.solutions:
            item = _only_in_image(unit.name, unit.version.text, _SOLUTION)
            has = installed.pop(unit.name, None)
            yield item if has is None else _with_version(item, has.version, _compared_texts(item.target, has.version))
        for has in installed.values():
            yield _only_on_host(has.name, has.version, _SOLUTION)

    def judge_packages(self, host: Host) -> tuple[ItemCompliance, ...]:
        """Return how the host's hardware support packages stand, by manager."""
        if not self.packages and not host.hardware_support:
            return ()
        if HostPart.HARDWARE_SUPPORT not in host.told:
            return tuple(map(_uncheckable, self.packages))
        installed = {unit.manager: unit for unit in host.hardware_support}
        items = [_judged_package(unit, installed.pop(unit.manager, None)) for unit in self.packages]
        others = (
            attrs.evolve(_only_on_host(unit.manager, unit.version, _PACKAGE), current_name=unit.package)
            for unit in installed.values()
        )
        return tuple(sorted((*items, *others), key=lambda item: item.name))


def _judged_add_on(wanted: AddOnReference | None, has: AddOnReference | None) -> ItemCompliance | None:
    """Compare the image's add-on with the host's, of which either may have none."""
    if wanted is None:
        return None if has is None else _only_on_host(has.name, has.version.text, _ADD_ON)
    item = _only_in_image(wanted.name, wanted.version.text, _ADD_ON)
    if has is None:
        return item
    if has.name != wanted.name:
        return _other_in_place(item, has.name, has.version.text)
    return _with_version(item, has.version.text, compared(wanted.version, has.version))


def _package_item(unit: _Package) -> ItemCompliance:
    return attrs.evolve(_only_in_image(unit.manager, unit.version, _PACKAGE), target_name=unit.name)


def _uncheckable(unit: _Package) -> ItemCompliance:
    return attrs.evolve(_package_item(unit), status=ComplianceStatus.UNAVAILABLE, reason=ItemReason.NOT_CHECKABLE)


def _judged_package(unit: _Package, has: HardwareSupportReference | None) -> ItemCompliance:
    item = _package_item(unit)
    if has is None:
        return item
    if has.package != unit.name:
        return _other_in_place(item, has.package, has.version)
    judged = _with_version(item, has.version, _compared_texts(unit.version, has.version))
    return attrs.evolve(judged, current_name=has.package)


def _untold(*, name: str, target: str = "", target_source: str = "") -> ItemCompliance:
    return ItemCompliance(
        name=name,
        status=ComplianceStatus.UNAVAILABLE,
        target=target,
        target_source=target_source,
        reason=ItemReason.NOT_TOLD,
    )


def _only_in_image(name: str, version: str, source: str) -> ItemCompliance:
    return ItemCompliance(
        name=name,
        status=ComplianceStatus.NON_COMPLIANT,
        target=version,
        target_source=source,
        reason=ItemReason.NOT_ON_HOST,
    )


def _only_on_host(name: str, version: str, source: str) -> ItemCompliance:
    return ItemCompliance(
        name=name,
        status=ComplianceStatus.NON_COMPLIANT,
        current=version,
        current_source=source,
        reason=ItemReason.NOT_IN_IMAGE,
    )


def _other_in_place(item: ItemCompliance, name: str, version: str) -> ItemCompliance:
    return attrs.evolve(
        item,
        current=version,
        current_name=name,
        current_source=item.target_source,
        reason=ItemReason.OTHER_NAME,
    )


def _with_version(item: ItemCompliance, current: str, judged: _Judged) -> ItemCompliance:
    """Return an item that the host has too."""
    status, reason = judged
    return attrs.evolve(item, current=current, current_source=item.target_source, status=status, reason=reason)


def _compared_texts(wanted: str, has: str) -> _Judged:
    """Compare versions of which the host's may be none, or not be told."""
    if not has:
        return ComplianceStatus.UNAVAILABLE, ItemReason.NOT_TOLD
    if wanted == has:
        return _SAME
    try:
        return compared(AddOnVersion(wanted), AddOnVersion(has))
    except VersionSyntaxError:
        return ComplianceStatus.NON_COMPLIANT, ItemReason.OTHER_VERSION


def _by_components(unit: Solution, components: Mapping[str, ComplianceStatus]) -> ItemCompliance:
    worst = worst_status(components[part.name] for part in unit.components if part.name in components)
    reason = None if worst is ComplianceStatus.COMPLIANT else ItemReason.PART_DIFFERS
    return attrs.evolve(_only_in_image(unit.name, unit.version.text, _SOLUTION), status=worst, reason=reason)


def _untold_solution(unit: Solution) -> ItemCompliance:
    return _untold(name=unit.name, target=unit.version.text, target_source=_SOLUTION)
