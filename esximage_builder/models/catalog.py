"""The catalog: everything that the opened depots hold, without bytes."""

from __future__ import annotations

import functools
from types import MappingProxyType
from typing import TYPE_CHECKING, ClassVar, Protocol, TypeVar, final

import attrs

from esximage_builder.errors import ModelError, NotInDepotError, VersionSyntaxError
from esximage_builder.models.fields import as_tuple
from esximage_builder.models.near_names import did_you_mean, listed, near_names
from esximage_builder.shown import ShownAsPage
from esximage_builder.versions import BaseImageVersion

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping

    from esximage_builder.findings import Finding
    from esximage_builder.models.add_on import AddOn
    from esximage_builder.models.base_image import BaseImage
    from esximage_builder.models.component import Bulletin, Component
    from esximage_builder.models.hardware_support import HardwareSupport
    from esximage_builder.models.image_profile import ImageProfile
    from esximage_builder.models.solution import Solution
    from esximage_builder.models.vib import Vib

__all__ = ["Catalog", "HasCatalog", "catalog_of"]

_Noun = TypeVar("_Noun")

_MOST_NEAR = 5
_MAKE_COMPONENT = "make a component of it with component_from_vibs and add it with Catalog.with_component"


def _grouped(items: Iterable[_Noun], key: Callable[[_Noun], str]) -> Mapping[str, tuple[_Noun, ...]]:
    groups: dict[str, list[_Noun]] = {}
    for item in items:
        groups.setdefault(key(item), []).append(item)
    return MappingProxyType({name: tuple(group) for name, group in groups.items()})


def _near(typed: str, identities: Iterable[str], *, kind: str) -> str:
    """Word the hint: the versions of that name, else near names with theirs, else what there is."""
    versions: dict[str, list[str]] = {}
    for identity in dict.fromkeys(identities):
        name, _, version = identity.partition(":")
        versions.setdefault(name, []).append(version)
    if not versions:
        return f"no loaded depot holds any {kind}: open the depot that does"
    if typed in versions:
        return f"loaded: {listed([f'{typed}:{version}' for version in versions[typed]])}"
    return did_you_mean(near_names(typed, versions), versions) or f"loaded: {listed(sorted(versions))}"


@final
@attrs.frozen(kw_only=True, repr=False)
class Catalog(ShownAsPage):
    """All nouns of the opened depots, each once, in an order that no source order changes.

    A VIB id (or component id) with two different contents stands here twice, and a finding
    says so.

    Attributes:
        sources: Names of the opened sources, as given.
        base_images: Sorted by version.
        add_ons: Sorted by name, then version.
        components: Sorted by name, then version.
        bulletins: Legacy bulletins, which have no component name; sorted by id.
        profiles: Sorted by name.
        solutions: Sorted by name, then version.
        hardware_support: Sorted by name, then version.
        vibs: Sorted by id.
        vib_sources: Pairs of VIB fingerprint and the names of the sources that hold it.
        findings: What reading noticed.
        vibs_by_id: Id to VIBs; more than one where contents differ.
        providers_by_name: Name to the VIBs that provide it, each VIB's own name too; sorted by id.
        components_by_name: Name to components, lowest version first.
        components_by_bulletin_id: Bulletin id to components.
        loose_vibs: VIBs that stand in no component and in no profile, so that no image since 7.0
            holds them unasked; sorted by id.
    """

    _line: ClassVar = ("sources", "base_images", "add_ons", "components", "profiles", "vibs", "findings")

    sources: tuple[str, ...] = attrs.field(default=(), converter=as_tuple)
    base_images: tuple[BaseImage, ...] = attrs.field(default=(), converter=as_tuple)
    add_ons: tuple[AddOn, ...] = attrs.field(default=(), converter=as_tuple)
    components: tuple[Component, ...] = attrs.field(default=(), converter=as_tuple)
    bulletins: tuple[Bulletin, ...] = attrs.field(default=(), converter=as_tuple)
    profiles: tuple[ImageProfile, ...] = attrs.field(default=(), converter=as_tuple)
    solutions: tuple[Solution, ...] = attrs.field(default=(), converter=as_tuple)
    hardware_support: tuple[HardwareSupport, ...] = attrs.field(default=(), converter=as_tuple)
    vibs: tuple[Vib, ...] = attrs.field(default=(), converter=as_tuple)
    vib_sources: tuple[tuple[str, tuple[str, ...]], ...] = attrs.field(default=(), converter=as_tuple)
    findings: tuple[Finding, ...] = attrs.field(default=(), converter=as_tuple)

    @functools.cached_property
    def vibs_by_id(self) -> Mapping[str, tuple[Vib, ...]]:  # noqa: D102 - described at the class
        return _grouped(self.vibs, lambda vib: vib.id)

    @functools.cached_property
    def providers_by_name(self) -> Mapping[str, tuple[Vib, ...]]:  # noqa: D102 - described at the class
        groups: dict[str, list[Vib]] = {}
        for vib in self.vibs:
            for name in {vib.name, *(provide.name for provide in vib.provides)}:
                groups.setdefault(name, []).append(vib)
        return MappingProxyType({name: tuple(group) for name, group in groups.items()})

    @functools.cached_property
    def components_by_name(self) -> Mapping[str, tuple[Component, ...]]:  # noqa: D102 - described at the class
        return _grouped(self.components, lambda component: component.name)

    @functools.cached_property
    def components_by_bulletin_id(self) -> Mapping[str, tuple[Component, ...]]:  # noqa: D102 - described at the class
        return _grouped(self.components, lambda component: component.bulletin.id)

    @functools.cached_property
    def loose_vibs(self) -> tuple[Vib, ...]:  # noqa: D102 - described at the class
        in_components = {vib_id for component in self.components for vib_id in component.vib_ids}
        listed = in_components.union(*(profile.vib_ids for profile in self.profiles))
        return tuple(vib for vib in self.vibs if vib.id not in listed)

    @functools.cached_property
    def _sources_by_fingerprint(self) -> Mapping[str, tuple[str, ...]]:
        return MappingProxyType(dict(self.vib_sources))

    def sources_of(self, vib: Vib) -> tuple[str, ...]:
        """Return the names of the sources that hold this VIB; empty if none does."""
        # The digest of a loose VIB is not known until it is measured: its descriptor finds it too.
        known = self._sources_by_fingerprint
        return known.get(vib.fingerprint) or known.get(vib.with_file(None).fingerprint, ())

    def with_file_facts(self, vib_ids: Collection[str]) -> Catalog:  # noqa: ARG002 - as an opened depot has it
        """Return itself: facts about files are what metadata states; an opened depot can measure the others."""
        return self

    def base_image(self, version: str) -> BaseImage:
        """Return the base image of that version; both 9.x spellings find it.

        Raises:
            NotInDepotError: None is loaded; the hint lists those that are.
        """
        try:
            wanted = BaseImageVersion(version)
        except VersionSyntaxError:
            wanted = None
        for base_image in self.base_images:
            if base_image.version == wanted:
                return base_image
        raise self.lacks_base_image(version)

    def lacks_base_image(self, typed: str) -> NotInDepotError:
        """Return the error for a base image that is not loaded: it says what is loaded instead."""
        profiles = [profile.name for profile in self.profiles]
        if typed in profiles:
            hint = f"{typed} is an image profile: use image_from_profile, or --profile {typed}"
        elif self.base_images:
            hint = f"loaded: {listed([base_image.version.text for base_image in self.base_images])}"
        elif profiles:
            hint = f"the depots have image profiles: use image_from_profile, or --profile NAME with {listed(profiles)}"
        elif self.add_ons:
            add_ons = listed([unit.id for unit in self.add_ons])
            hint = f"loaded without one: {add_ons}; open the depot that does hold a base image beside it"
        else:
            hint = "no loaded depot holds any base image: open the depot that does"
        return NotInDepotError(
            f"no loaded depot has the base image {typed}" if self.base_images else "no base image is loaded",
            found=repr(typed),
            expected="the version of a loaded base image",
            hint=self._only_loose() or hint,
        )

    def _only_loose(self) -> str:
        """Say so where nothing but loose VIBs is loaded, which make no image by themselves."""
        if not self.vibs or len(self.loose_vibs) < len(self.vibs):
            return ""
        names = sorted({vib.name for vib in self.loose_vibs})
        shown = ", ".join(names[:_MOST_NEAR]) + (" ..." if len(names) > _MOST_NEAR else "")
        return f"loaded are only VIBs without component ({shown}): open a base image's depot, and add them with --vib"

    def add_on(self, name: str, version: str) -> AddOn:
        """Return the add-on of that name and version text.

        Raises:
            NotInDepotError: None is loaded; the hint lists near matches.
        """
        return self._named(self.add_ons, name, version, kind="add-on", identity=lambda unit: unit.id)

    def solution(self, name: str, version: str) -> Solution:
        """Return the solution of that name and version text.

        Raises:
            NotInDepotError: None is loaded.
        """
        return self._named(self.solutions, name, version, kind="solution", identity=lambda unit: unit.id)

    def hardware_support_package(self, name: str, version: str) -> HardwareSupport:
        """Return the hardware support package of that name and version text.

        Raises:
            NotInDepotError: None is loaded.
        """
        return self._named(
            self.hardware_support, name, version, kind="hardware support package", identity=lambda unit: unit.id
        )

    def component(self, name: str, version: str) -> Component:
        """Return the component of that name and version text.

        Raises:
            NotInDepotError: None is loaded; the hint lists the versions or names that are, or says
                that a loaded VIB of this name stands in no component.
        """
        named = self.components_by_name.get(name, ())
        if not named:
            self._require_not_loose(name)
        return self._named(
            named or self.components, name, version, kind="component", identity=lambda component: component.id
        )

    def profile(self, name: str) -> ImageProfile:
        """Return the image profile of that name.

        Raises:
            NotInDepotError: None is loaded; the hint lists near matches.
        """
        for profile in self.profiles:
            if profile.name == name:
                return profile
        raise NotInDepotError(
            f"no loaded depot has the image profile {name!r}",
            found=repr(name),
            hint=self._near_profiles(name),
        )

    def _near_profiles(self, typed: str) -> str:
        names = [profile.name for profile in self.profiles]
        if not names:
            return "no loaded depot holds any image profile: open the depot that does"
        return did_you_mean(near_names(typed, names)) or f"loaded: {listed(names)}"

    def _require_not_loose(self, name: str) -> None:
        """Refuse the name of a VIB, where a component's is asked for."""
        loose = [vib for vib in self.loose_vibs if vib.name == name]
        if loose:
            raise NotInDepotError(
                f"{name} is a VIB without component",
                found=", ".join(vib.id for vib in loose[:_MOST_NEAR]),
                expected="the name of a component",
                hint=f"add --vib PATH on the command line; in Python {_MAKE_COMPONENT}",
            )

    def with_component(self, component: Component) -> Catalog:
        """Return the catalog with one component more, so that ``compose`` takes it by name.

        Args:
            component: Such as ``component_from_vibs`` makes it; one that is there already changes nothing.

        Raises:
            ModelError: The catalog has a component of this name and version with other VIBs.
        """
        same = [known for known in self.components_by_name.get(component.name, ()) if known.id == component.id]
        if any(sorted(known.vib_ids) == sorted(component.vib_ids) for known in same):
            return self
        if same:
            raise ModelError(
                f"the depots hold another component {component.id}",
                found=", ".join(same[0].vib_ids[:_MOST_NEAR]),
                expected=", ".join(component.vib_ids[:_MOST_NEAR]),
                hint="give the new component another name or version",
            )
        components = sorted((*self.components, component), key=lambda item: (item.name, item.version))
        return attrs.evolve(self, components=components)

    @staticmethod
    def _named(
        units: Iterable[_Noun], name: str, version: str, *, kind: str, identity: Callable[[_Noun], str]
    ) -> _Noun:
        wanted = f"{name}:{version}" if version else name
        identities = []
        for unit in units:
            if identity(unit) == wanted:
                return unit
            identities.append(identity(unit))
        raise NotInDepotError(
            f"no loaded depot has the {kind} {wanted}",
            found=repr(wanted),
            expected=f"name and version of a loaded {kind}",
            hint=_near(name, identities, kind=kind),
        )


class HasCatalog(Protocol):
    """What has a catalog, as an opened depot has."""

    @property
    def catalog(self) -> Catalog:
        """What is loaded."""
        ...


def catalog_of(loaded: Catalog | HasCatalog) -> Catalog:
    """Return the catalog itself, or that of an opened depot.

    Raises:
        ModelError: It is neither.
    """
    found = loaded if isinstance(loaded, Catalog) else getattr(loaded, "catalog", None)
    if isinstance(found, Catalog):
        return found
    raise ModelError(
        "this is neither a depot nor a catalog",
        found=repr(loaded)[:80],
        expected="an opened depot, or its catalog",
        hint="open_depot(path) opens files",
    )
