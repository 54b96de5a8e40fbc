"""Which image is meant: the options that ``build``, ``explain`` and ``recommend`` share.

Depots are opened together, and exactly one of spec, base image, profile and lock says where the
image starts. Wishes (add-on, components, removals) go with a base image only. ``--vib`` brings VIBs
that stand in no component: with a base image as components of the user, with a spec as components
that the spec can name, with a profile as they are. A profile that is changed has a name of its own.
"""

from __future__ import annotations

import argparse
import enum
from pathlib import Path
from typing import TYPE_CHECKING, Self, final

import attrs

from esximage_builder.cli.paths import input_path, input_paths
from esximage_builder.cli.wanted_vibs import is_file, wanted_components, wanted_vibs
from esximage_builder.depot.documents import read_lock, read_software_spec
from esximage_builder.errors import ModelError
from esximage_builder.rules.change_profile import change_profile
from esximage_builder.rules.compose import compose
from esximage_builder.rules.lock import compose_locked
from esximage_builder.rules.profile_image import image_from_profile
from esximage_builder.vocabulary import AcceptanceLevel

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from esximage_builder.depot.opening import Depot
    from esximage_builder.models.catalog import Catalog
    from esximage_builder.models.component import Component
    from esximage_builder.models.image import Image
    from esximage_builder.models.spec import SoftwareSpec

__all__ = ["ImageOptions", "ProfileWishes", "Start", "add_image_arguments", "catalog_of", "image_of", "spec_of"]


class Start(enum.Enum):
    """The option that says where the image starts."""

    SPEC = "--spec"
    BASE = "--base"
    PROFILE = "--profile"
    LOCKED = "--locked"


@final
@attrs.frozen(kw_only=True)
class ProfileWishes:
    """What shall be otherwise in an image profile, besides VIBs to add and the name."""

    removals: tuple[str, ...]
    """VIBs to take off."""
    vendor: str | None
    description: str | None
    acceptance_level: AcceptanceLevel | None

    @classmethod
    def from_namespace(cls, namespace: argparse.Namespace) -> Self:
        """Take them over from what `add_image_arguments` made the parser read."""
        return cls(
            removals=tuple(namespace.remove_vib),
            vendor=namespace.profile_vendor,
            description=namespace.profile_description,
            acceptance_level=namespace.acceptance,
        )

    def __bool__(self) -> bool:
        """Tell whether there is any."""
        return bool(self.removals) or (self.vendor, self.description, self.acceptance_level) != (None, None, None)


@final
@attrs.frozen(kw_only=True)
class ImageOptions:
    """The image that is meant, in the words of the command line."""

    depots: tuple[str, ...]
    start: Start
    started_from: str
    """What stands after that option: a file, or a name."""
    add_on: str | None
    components: tuple[str, ...]
    removals: tuple[str, ...]
    vibs: tuple[str, ...]
    """Files with VIBs, and names of loaded ones."""
    name: str
    prefer: tuple[str, ...]
    minimum_acceptance: AcceptanceLevel | None
    profile_wishes: ProfileWishes
    project: str = ""
    """The project file that said some of it."""

    @classmethod
    def from_namespace(cls, namespace: argparse.Namespace) -> Self:
        """Take them over from what `add_image_arguments` made the parser read."""
        starts = {
            Start.SPEC: namespace.spec,
            Start.BASE: namespace.base,
            Start.PROFILE: namespace.profile,
            Start.LOCKED: namespace.locked,
        }
        start = next((start for start, value in starts.items() if value is not None), None)
        if not namespace.depot:  # the parser asks for both where they are always needed
            raise ModelError("the following arguments are required: --depot")
        if start is None:
            raise ModelError(f"one of the arguments {' '.join(start.value for start in Start)} is required")
        return cls(
            depots=tuple(namespace.depot),
            start=start,
            started_from=input_path(starts[start]) if start in (Start.SPEC, Start.LOCKED) else starts[start],
            add_on=namespace.add_on,
            components=_each_once(namespace.component),
            removals=tuple(namespace.remove),
            vibs=tuple(namespace.vib),
            name=namespace.name,
            prefer=tuple(namespace.prefer),
            minimum_acceptance=namespace.minimum_acceptance,
            profile_wishes=ProfileWishes.from_namespace(namespace),
            project=namespace.project,
        )

    @property
    def vib_files(self) -> tuple[str, ...]:
        """The files among ``vibs``, spelled as the catalog has its sources."""
        return tuple(str(Path(text)) for text in self.vibs if is_file(text))

    def sources(self, *, hint: str = "") -> tuple[str, ...]:
        """Return all that is opened together: the depots, patterns expanded, then the files with VIBs."""
        return tuple(dict.fromkeys((*input_paths(self.depots, hint=hint), *self.vib_files)))

    @property
    def inputs(self) -> tuple[str, ...]:
        """The paths to read for the image: sources, the file that it starts from, the project file."""
        starts = (self.started_from,) if self.start in (Start.SPEC, Start.LOCKED) else ()
        projects = (self.project,) if self.project else ()
        return (*self.sources(), *starts, *projects)

    @property
    def preferred(self) -> tuple[str, ...]:
        """Where to take a VIB from that several sources have: who names a file means its bytes."""
        return (*input_paths(self.prefer), *self.vib_files)


def _each_once(components: list[str]) -> tuple[str, ...]:
    """Refuse one name with two versions, of which one would be passed over."""
    versions: dict[str, str] = {}
    for text in components:
        name, _, version = text.partition(":")
        if versions.setdefault(name, version) != version:
            both = " and ".join(f"--component {name}:{known}".rstrip(":") for known in (versions[name], version))
            raise ModelError("one component is asked for in two versions", found=both, expected="each name once")
    return tuple(components)


def add_image_arguments(
    parser: argparse.ArgumentParser, *, with_profile: bool = True, is_required: bool = True
) -> None:
    """Add what says which image is meant.

    Args:
        parser: That of the verb.
        with_profile: Whether the image may come from a profile or a lock, which are no specs.
        is_required: Whether the verb can do nothing without an image.
    """
    image = parser.add_argument_group("image")
    image.add_argument(
        "--depot",
        nargs="+",
        action="extend",
        default=[],
        required=is_required,
        metavar="PATH",
        help="depots to open, up to the next option or --",
    )
    start = image.add_mutually_exclusive_group(required=is_required)
    start.add_argument("--spec", metavar="FILE", help="a software spec in vLCM's JSON form")
    start.add_argument("--base", metavar="VERSION", help="version or release name of the base image")
    if with_profile:
        start.add_argument("--profile", metavar="NAME", help="an image profile, as 6.x depots have")
        start.add_argument("--locked", metavar="FILE", help="a lock file: exactly its image, or an error")
        _add_profile_wishes(parser.add_argument_group("image profiles up to 6.7"))
    else:
        parser.set_defaults(profile=None, locked=None)
        parser.set_defaults(remove_vib=(), profile_vendor=None, profile_description=None, acceptance=None)
    _add_wishes(image)
    image.add_argument(
        "--project", default="", metavar="FILE", help="project file; esximage.toml here if no depot is named"
    )
    image.add_argument("--name", default="", help="name of the image")
    image.add_argument(
        "--prefer", action="append", default=[], metavar="PATH", help="depot to take a VIB from that several have"
    )
    image.add_argument(
        "--minimum-acceptance",
        type=_acceptance_level,
        metavar="LEVEL",
        help="certified, accepted, partner or community: VIBs below it are errors",
    )


def _add_wishes(parser: argparse._ActionsContainer) -> None:
    parser.add_argument("--add-on", metavar="NAME[:VERSION]", help="vendor add-on")
    parser.add_argument("--component", action="append", default=[], metavar="NAME[:VERSION]", help="component to add")
    parser.add_argument("--remove", action="append", default=[], metavar="NAME", help="component to remove")
    parser.add_argument(
        "--vib",
        action="append",
        default=[],
        metavar="PATH|NAME[:VERSION]",
        help="a .vib file or a loaded VIB without component, made a component and added; to a profile as it is",
    )


def _add_profile_wishes(parser: argparse._ActionsContainer) -> None:
    parser.add_argument(
        "--remove-vib", action="append", default=[], metavar="NAME[:VERSION]", help="VIB to take off the profile"
    )
    parser.add_argument("--profile-vendor", metavar="VENDOR", help="vendor of the changed profile")
    parser.add_argument("--profile-description", metavar="TEXT", help="description of the changed profile")
    parser.add_argument(
        "--acceptance",
        type=_acceptance_level,
        metavar="LEVEL",
        help="level that the changed profile states; that of its lowest VIB otherwise",
    )


def _acceptance_level(text: str) -> AcceptanceLevel:
    try:
        return AcceptanceLevel.from_text(text)
    except ValueError:
        levels = ", ".join(level.value for level in AcceptanceLevel)
        raise argparse.ArgumentTypeError(f"{text!r} is none of {levels}") from None


def catalog_of(options: ImageOptions, depot: Depot) -> Catalog:
    """Return what the depots hold, with the components that ``--vib`` makes."""
    catalog = depot.catalog
    if options.start in (Start.BASE, Start.SPEC):
        for component in _made_components(options, catalog):
            catalog = catalog.with_component(component)
    return catalog


def _made_components(options: ImageOptions, catalog: Catalog) -> tuple[Component, ...]:
    return wanted_components(catalog, _normalised(options.vibs))


def image_of(options: ImageOptions, depot: Depot) -> Image:
    """Return the image that is meant, from the opened depots."""
    if options.start is Start.PROFILE:
        return _image_of_profile(options, depot.catalog)
    _require_no_profile_wishes(options)
    if options.start is Start.LOCKED:
        _require_no_wishes(options)
        return compose_locked(depot, read_lock(options.started_from))
    catalog = catalog_of(options, depot)
    if options.start is Start.SPEC:
        return compose(catalog, spec_of(options, depot), name=options.name, prefer=options.preferred)
    return compose(
        catalog,
        base_image=options.started_from,
        add_on=options.add_on,
        components=_wanted(options, depot.catalog),
        removed_components=options.removals,
        name=options.name,
        prefer=options.preferred,
    )


def _image_of_profile(options: ImageOptions, catalog: Catalog) -> Image:
    """Return the profile as it is, or changed where anything of it shall be otherwise."""
    _require_no_wishes(options)
    wishes = options.profile_wishes
    if not (wishes or options.vibs or options.name):
        return image_from_profile(catalog, options.started_from, prefer=options.preferred)
    return change_profile(
        catalog,
        options.started_from,
        add=wanted_vibs(catalog, _normalised(options.vibs)),
        remove=wishes.removals,
        name=options.name or None,
        vendor=wishes.vendor,
        description=wishes.description,
        acceptance_level=wishes.acceptance_level,
        prefer=options.preferred,
    )


def _normalised(texts: Iterable[str]) -> list[str]:
    """Return the texts with files spelled as the catalog has its sources."""
    return [str(Path(text)) if is_file(text) else text for text in texts]


def _wanted(options: ImageOptions, catalog: Catalog) -> dict[str, str | None]:
    """Return the components that are asked for by name, and those that ``--vib`` makes."""
    made = _made_components(options, catalog)
    wanted = dict(_name_and_version(text) for text in options.components)
    _require_one_version(made, wanted)
    return wanted | {component.name: component.version.text for component in made}


def spec_of(options: ImageOptions, depot: Depot) -> SoftwareSpec:
    """Return the spec that is meant: the one of the file, or one made of base image and wishes."""
    if options.start is Start.SPEC:
        _require_no_wishes(options)
        spec = read_software_spec(options.started_from)
        _require_named(_made_components(options, depot.catalog), dict(spec.components))
        return spec
    composed = image_of(options, depot).spec
    if composed is None:
        raise ModelError("a spec starts from --spec or --base", found=options.start.value)
    return composed


def _require_named(made: tuple[Component, ...], wanted: Mapping[str, object]) -> None:
    for component in made:
        if component.name not in wanted:
            raise ModelError(
                f"the spec does not name {component.name}, which --vib brings",
                found="--spec",
                expected=f'"{component.name}": "{component.version}" under its components',
                hint="write it into the spec, or use --base",
            )


def _require_one_version(made: tuple[Component, ...], wanted: Mapping[str, str | None]) -> None:
    for component in made:
        if wanted.get(component.name) not in (None, component.version.text):
            raise ModelError(
                f"--component and --vib bring {component.name} in two versions",
                found=f"{wanted[component.name]}, {component.version}",
                expected="one version of each component",
            )


def _require_no_profile_wishes(options: ImageOptions) -> None:
    if options.profile_wishes:
        raise ModelError(
            "--remove-vib, --profile-vendor, --profile-description and --acceptance go with --profile only",
            found=options.start.value,
            hint="use --profile; of an image of components, --remove takes components off",
        )


def _require_no_wishes(options: ImageOptions) -> None:
    if options.add_on or options.components or options.removals:
        raise ModelError(
            "--add-on, --component and --remove go with --base only",
            found=options.start.value,
            hint="write them into the spec, or use --base",
        )
    if options.start is Start.LOCKED and options.vibs:
        raise ModelError("--vib does not go with --locked", hint="open the file with --depot: the lock says what it is")
    if options.start is Start.LOCKED and (options.name or options.prefer):
        raise ModelError("--name and --prefer do not go with --locked", hint="the lock names the image and its files")


def _name_and_version(text: str) -> tuple[str, str | None]:
    name, _, version = text.partition(":")
    return name, version or None
