"""Which image is meant: the options that ``build``, ``explain`` and ``recommend`` share.

Depots are opened together, and exactly one of spec, base image, profile and lock says where the
image starts. Wishes (add-on, components, removals) go with a base image only.
"""

from __future__ import annotations

import argparse
import enum
from typing import TYPE_CHECKING, Self, final

import attrs

from esximage_builder.cli.paths import input_path, input_paths
from esximage_builder.depot.documents import read_lock, read_software_spec
from esximage_builder.errors import ModelError
from esximage_builder.rules.compose import compose, image_from_profile
from esximage_builder.rules.lock import compose_locked
from esximage_builder.vocabulary import AcceptanceLevel

if TYPE_CHECKING:
    from esximage_builder.depot.opening import Depot
    from esximage_builder.models.image import Image
    from esximage_builder.models.spec import SoftwareSpec

__all__ = ["ImageOptions", "Start", "add_image_arguments", "image_of", "spec_of"]


class Start(enum.Enum):
    """The option that says where the image starts."""

    SPEC = "--spec"
    BASE = "--base"
    PROFILE = "--profile"
    LOCKED = "--locked"


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
    name: str
    prefer: tuple[str, ...]
    minimum_acceptance: AcceptanceLevel | None

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
            name=namespace.name,
            prefer=tuple(namespace.prefer),
            minimum_acceptance=namespace.minimum_acceptance,
        )

    def depot_paths(self, *, hint: str = "") -> tuple[str, ...]:
        """Return the depots to open, patterns expanded; see ``input_paths``."""
        return input_paths(self.depots, hint=hint)


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
    parser.add_argument(
        "--depot",
        nargs="+",
        action="extend",
        default=[],
        required=is_required,
        metavar="PATH",
        help="depots to open, up to the next option or --",
    )
    start = parser.add_mutually_exclusive_group(required=is_required)
    start.add_argument("--spec", metavar="FILE", help="a software spec in vLCM's JSON form")
    start.add_argument("--base", metavar="VERSION", help="version or release name of the base image")
    if with_profile:
        start.add_argument("--profile", metavar="NAME", help="an image profile, as 6.x depots have")
        start.add_argument("--locked", metavar="FILE", help="a lock file: exactly its image, or an error")
    else:
        parser.set_defaults(profile=None, locked=None)
    _add_wishes(parser)
    parser.add_argument("--name", default="", help="name of the image")
    parser.add_argument(
        "--prefer", action="append", default=[], metavar="PATH", help="depot to take a VIB from that several have"
    )
    parser.add_argument(
        "--minimum-acceptance",
        type=_acceptance_level,
        metavar="LEVEL",
        help="certified, accepted, partner or community: VIBs below it are errors",
    )


def _add_wishes(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--add-on", metavar="NAME[:VERSION]", help="vendor add-on")
    parser.add_argument("--component", action="append", default=[], metavar="NAME[:VERSION]", help="component to add")
    parser.add_argument("--remove", action="append", default=[], metavar="NAME", help="component to remove")


def _acceptance_level(text: str) -> AcceptanceLevel:
    try:
        return AcceptanceLevel.from_text(text)
    except ValueError:
        levels = ", ".join(level.value for level in AcceptanceLevel)
        raise argparse.ArgumentTypeError(f"{text!r} is none of {levels}") from None


def image_of(options: ImageOptions, depot: Depot) -> Image:
    """Return the image that is meant, from the opened depots."""
    if options.start is Start.PROFILE:
        _require_no_wishes(options)
        return image_from_profile(depot.catalog, options.started_from, prefer=input_paths(options.prefer))
    if options.start is Start.LOCKED:
        _require_no_wishes(options)
        return compose_locked(depot, read_lock(options.started_from))
    if options.start is Start.SPEC:
        return compose(depot, spec_of(options, depot), name=options.name, prefer=input_paths(options.prefer))
    return compose(
        depot,
        base_image=options.started_from,
        add_on=options.add_on,
        components=dict(_name_and_version(text) for text in options.components),
        removed_components=options.removals,
        name=options.name,
        prefer=input_paths(options.prefer),
    )


def spec_of(options: ImageOptions, depot: Depot) -> SoftwareSpec:
    """Return the spec that is meant: the one of the file, or one made of base image and wishes."""
    if options.start is Start.SPEC:
        _require_no_wishes(options)
        return read_software_spec(options.started_from)
    spec = image_of(options, depot).spec
    if spec is None:
        raise ModelError("a spec starts from --spec or --base", found=options.start.value)
    return spec


def _require_no_wishes(options: ImageOptions) -> None:
    if options.add_on or options.components or options.removals:
        raise ModelError(
            "--add-on, --component and --remove go with --base only",
            found=options.start.value,
            hint="write them into the spec, or use --base",
        )
    if options.start is Start.LOCKED and (options.name or options.prefer):
        raise ModelError("--name and --prefer do not go with --locked", hint="the lock names the image and its files")


def _name_and_version(text: str) -> tuple[str, str | None]:
    name, _, version = text.partition(":")
    return name, version or None
