"""The image: what a composed or opened image consists of, and who decided what."""

from __future__ import annotations

import enum
import functools
import hashlib
from types import MappingProxyType
from typing import TYPE_CHECKING, ClassVar, final

import attrs

from esximage_builder.errors import VersionSyntaxError
from esximage_builder.models.fields import as_tuple
from esximage_builder.shown import Shown, ShownAsPage
from esximage_builder.versions import BaseImageVersion
from esximage_builder.vocabulary import AcceptanceLevel

if TYPE_CHECKING:
    from collections.abc import Mapping

    from esximage_builder.models.add_on import AddOn
    from esximage_builder.models.base_image import BaseImage
    from esximage_builder.models.component import Component, ComponentReference
    from esximage_builder.models.hardware_support import HardwareSupport
    from esximage_builder.models.image_profile import ImageProfile
    from esximage_builder.models.open_choice import Exclusion, HigherVersion
    from esximage_builder.models.profile_change import ProfileChange
    from esximage_builder.models.solution import Solution, SolutionComponent
    from esximage_builder.models.spec import SoftwareSpec
    from esximage_builder.models.vib import Vib
    from esximage_builder.vocabulary import ComponentSource

__all__ = [
    "EffectiveComponent",
    "Image",
    "InstalledVib",
    "MissingComponent",
    "MissingVib",
    "OverriddenComponent",
    "RemovedComponent",
    "ReserveReason",
    "ReservedVib",
    "Rule",
    "UnitChoice",
]


class Rule(enum.StrEnum):
    """Why a component is in the image."""

    LISTED = "listed"
    """Its source lists it, and nobody else brings the name."""
    OVERRIDES_BY_NAME = "overrides-by-name"
    """A higher source lists the name; version and vendor do not matter."""
    HIGHEST_AVAILABLE = "highest-available"
    """The spec leaves the version open: the highest loaded one that fits."""
    PROFILE = "profile"
    """The image was opened from a profile, which does not say who brought it."""


class ReserveReason(enum.StrEnum):
    """Why a VIB is carried but not installed."""

    COMPONENT_OVERRIDDEN = "component-overridden"
    COMPONENT_REMOVED = "component-removed"
    LOWER_VERSION = "lower-version"
    SAME_VERSION = "same-version"
    REPLACED = "replaced"


@final
@attrs.frozen(repr=False)
class OverriddenComponent(Shown):
    """A component that lost.

    Attributes:
        component: Name and version.
        source: Who brought it.
    """

    component: ComponentReference
    source: ComponentSource


@final
@attrs.frozen(kw_only=True, repr=False)
class EffectiveComponent(Shown):
    """A component of the image.

    Attributes:
        component: The component itself.
        source: Who brought it; None if the image was opened from a profile.
        rule: Why it is in.
        overridden: What it won over, lowest source first.
        passed_over: If its version was left open, the higher loaded ones that do not fit, highest first;
            what else was loaded makes no other image, so this does not count for equality.
    """

    component: Component
    source: ComponentSource | None
    rule: Rule
    overridden: tuple[OverriddenComponent, ...] = attrs.field(default=(), converter=as_tuple)
    passed_over: tuple[HigherVersion, ...] = attrs.field(default=(), converter=as_tuple, eq=False)


@final
@attrs.frozen(kw_only=True, repr=False)
class RemovedComponent(Shown):
    """A name that a source took off.

    Attributes:
        name: Component name.
        source: ``ADD_ON`` or ``USER_REMOVED``.
        removed: What was taken off; empty if nothing of that name was there.
    """

    name: str
    source: ComponentSource
    removed: tuple[OverriddenComponent, ...] = attrs.field(default=(), converter=as_tuple)


@final
@attrs.frozen(kw_only=True, repr=False)
class InstalledVib(Shown):
    """A VIB that the image installs.

    Attributes:
        vib: The VIB itself.
        component: Id of the component that states it; empty for stand-alone VIBs of a profile.
        source: Who brought that component; None if not known.
    """

    vib: Vib
    component: str = ""
    source: ComponentSource | None = None


@final
@attrs.frozen(kw_only=True, repr=False)
class ReservedVib(Shown):
    """A VIB that the image carries without installing it.

    Attributes:
        vib: The VIB itself.
        reason: Why it lost.
        component: Id of the component that brings it.
        source: Who brought that component; None if not known.
        winner: Id of the VIB or component that it lost to; empty if it was just removed.
    """

    vib: Vib
    reason: ReserveReason
    component: str = ""
    source: ComponentSource | None = None
    winner: str = ""


@final
@attrs.frozen(kw_only=True, repr=False)
class MissingComponent(Shown):
    """A component that a release unit lists and no loaded depot has.

    Attributes:
        component: Name and version; of a solution the name with all versions that it accepts.
        source: Who lists it.
    """

    component: ComponentReference | SolutionComponent
    source: ComponentSource


@final
@attrs.frozen(kw_only=True, repr=False)
class MissingVib(Shown):
    """A VIB that a component or profile lists and no loaded depot has."""

    vib_id: str
    component: str = ""


@final
@attrs.frozen(kw_only=True, repr=False)
class UnitChoice(Shown):
    """What became of an add-on, hardware support package or solution whose version was left open.

    Attributes:
        source: Which of the three.
        name: Its name.
        version: The version that is taken; empty if none is.
        loaded: The loaded versions, lowest first.
        passed_over: Those that are higher than the one taken and do not fit, highest first; not counted
            for equality.
    """

    source: ComponentSource
    name: str
    version: str = ""
    loaded: tuple[str, ...] = attrs.field(default=(), converter=as_tuple)
    passed_over: tuple[HigherVersion, ...] = attrs.field(default=(), converter=as_tuple, eq=False)


@final
@attrs.frozen(kw_only=True, repr=False)
class Image(ShownAsPage):
    """A custom image as a value.

    Attributes:
        name: Name of its image profile.
        vendor: Who made it, as the profile says.
        spec: What was asked for; None if opened from a profile.
        base_image: None if opened from a profile without one.
        add_on: None for none.
        hardware_support: Hardware support packages, sorted by name.
        solutions: Sorted by name.
        profile: The profile it was opened from; None if composed.
        components: Effective components, sorted by name.
        removed: What was taken off, sorted by name.
        reserved_components: Components that lost or were taken off, sorted by id.
        vibs: Installed VIBs, sorted by id.
        reserved_vibs: Sorted by id.
        missing_components: Listed, but in no loaded depot.
        missing_vibs: Listed, but in no loaded depot.
        unit_choices: What became of release units whose version was left open.
        exclusions: Wishes that exclude each other, so that versions left open had none that fits and took
            the highest; not counted for equality.
        is_searched: False if the search over versions left open took more steps than its limits allow; not
            counted for equality.
        uncomposed_alternatives: Ids of the spec's alternative images, if it was composed without them.
        unchosen_vibs: Ids with different contents of which none was chosen; the image holds
            the one with the lowest fingerprint, and validation calls it an error.
        profile_change: How it differs from ``profile``; None if it is not changed.
        vibs_by_id: Installed VIBs by id.
        digest: SHA-256 over what the image consists of, in hexadecimal digits: base image,
            add-on, components, installed and reserved VIBs with their descriptors. Name,
            sources and order of input do not count.
    """

    _line: ClassVar = ("name", "components", "vibs", "reserved_vibs", "missing_vibs", "acceptance_level")

    name: str
    vendor: str = ""
    spec: SoftwareSpec | None = None
    base_image: BaseImage | None = None
    add_on: AddOn | None = None
    hardware_support: tuple[HardwareSupport, ...] = attrs.field(default=(), converter=as_tuple)
    solutions: tuple[Solution, ...] = attrs.field(default=(), converter=as_tuple)
    profile: ImageProfile | None = None
    components: tuple[EffectiveComponent, ...] = attrs.field(default=(), converter=as_tuple)
    removed: tuple[RemovedComponent, ...] = attrs.field(default=(), converter=as_tuple)
    reserved_components: tuple[Component, ...] = attrs.field(default=(), converter=as_tuple)
    vibs: tuple[InstalledVib, ...] = attrs.field(default=(), converter=as_tuple)
    reserved_vibs: tuple[ReservedVib, ...] = attrs.field(default=(), converter=as_tuple)
    missing_components: tuple[MissingComponent, ...] = attrs.field(default=(), converter=as_tuple)
    missing_vibs: tuple[MissingVib, ...] = attrs.field(default=(), converter=as_tuple)
    unchosen_vibs: tuple[str, ...] = attrs.field(default=(), converter=as_tuple)
    unit_choices: tuple[UnitChoice, ...] = attrs.field(default=(), converter=as_tuple)
    exclusions: tuple[Exclusion, ...] = attrs.field(default=(), converter=as_tuple, eq=False)
    is_searched: bool = attrs.field(default=True, eq=False)
    uncomposed_alternatives: tuple[str, ...] = attrs.field(default=(), converter=as_tuple)
    profile_change: ProfileChange | None = None

    @functools.cached_property
    def vibs_by_id(self) -> Mapping[str, Vib]:  # noqa: D102 - described at the class
        return MappingProxyType({installed.vib.id: installed.vib for installed in self.vibs})

    @functools.cached_property
    def digest(self) -> str:  # noqa: D102 - described at the class
        lines = [f"base {self.base_image.version.key}" if self.base_image else "no base"]
        lines += [f"add-on {unit.id}" for unit in (self.add_on,) if unit is not None]
        lines += [f"component {effective.component.id}" for effective in self.components]
        lines += [f"reserved component {component.id}" for component in self.reserved_components]
        lines += [f"vib {installed.vib.content_line}" for installed in self.vibs]
        lines += [f"reserved vib {reserved.vib.content_line}" for reserved in self.reserved_vibs]
        return hashlib.sha256("\n".join(lines).encode()).hexdigest()

    @property
    def all_vibs(self) -> tuple[Vib, ...]:
        """Installed and reserved VIBs, sorted by id: what a complete bundle carries."""
        vibs = [entry.vib for entry in self.vibs] + [entry.vib for entry in self.reserved_vibs]
        return tuple(sorted(vibs, key=lambda vib: vib.id))

    @property
    def host_vibs(self) -> tuple[Vib, ...]:
        """Installed VIBs made for the host itself, not for data processing units only."""
        return tuple(entry.vib for entry in self.vibs if entry.vib.is_for_host)

    @property
    def acceptance_level(self) -> AcceptanceLevel:
        """The lowest level of its VIBs; certified for an image without VIBs."""
        return min((entry.vib.acceptance_level for entry in self.vibs), default=AcceptanceLevel.CERTIFIED)

    @property
    def base_vib(self) -> Vib | None:
        """The host VIB that boots: ``esx-base``, else the first with a boot payload; None without."""
        bootable = [vib for vib in self.host_vibs if vib.has_boot_payload]
        named = [vib for vib in bootable if vib.name == "esx-base"]
        return next(iter(named or bootable), None)

    @property
    def esxi_version(self) -> BaseImageVersion | None:
        """The ESXi version it installs: the base image's, else its base VIB's; None if neither tells."""
        if self.base_image is not None:
            return self.base_image.version
        if self.base_vib is None:
            return None
        try:
            return BaseImageVersion(self.base_vib.version.text)
        except VersionSyntaxError:
            return None
