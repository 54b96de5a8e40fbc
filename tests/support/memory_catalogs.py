"""Catalogs in memory for tests of the rules: builders with defaults, and generated depots.

The rules see no bytes, so nothing here makes any. ``Stock`` collects what a depot would hold;
``depots`` and its kin are hypothesis strategies for whole depots with a spec to compose.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any, final

import attrs
from hypothesis import strategies as st

from esximage_builder.checksums import Checksum
from esximage_builder.models.add_on import AddOn
from esximage_builder.models.base_image import BaseImage
from esximage_builder.models.catalog import Catalog
from esximage_builder.models.component import Bulletin, Component, ComponentReference
from esximage_builder.models.constraint import Constraint, Provide
from esximage_builder.models.hardware_support import HardwareSupport
from esximage_builder.models.image_profile import ImageProfile, ProfileVib
from esximage_builder.models.solution import Solution, SolutionComponent
from esximage_builder.models.spec import AddOnReference, HardwareSupportReference, SoftwareSpec, SolutionReference
from esximage_builder.models.vib import Payload, SoftwarePlatform, Vib
from esximage_builder.rules.core_set import CORE_VIBS
from esximage_builder.versions import AddOnVersion, BaseImageVersion, ComponentVersion, VibVersion
from esximage_builder.vocabulary import AcceptanceLevel, Relation

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from esximage_builder.findings import Finding
    from esximage_builder.models.image import Image

BASE_VERSION = "7.0.3-0.50.20036589"
"""Base image of every stock that names no other: 7.0 U3f."""

ADD_ON = ("ACME-AddOn", "703.20036589.A08")


def constraint(text: str) -> Constraint:
    """``acme-api >= 1.2`` or a name alone."""
    name, *rest = text.split()
    return Constraint(name, Relation(rest[0]), VibVersion(rest[1])) if rest else Constraint(name)


def provide(text: str) -> Provide:
    """``acme-api = 1.2`` or a name alone."""
    name, *rest = text.split()
    return Provide(name, VibVersion(rest[1]) if rest else None)


def payload(name: str, kind: str = "vgz", **fields: Any) -> Payload:
    """A payload with the checksums that its type has in real files."""
    checksums = [Checksum("sha-256", "0" * 64)]
    if kind in ("boot", "vgz", "tgz", "vzstd"):
        checksums.insert(0, Checksum("sha-256", "1" * 64, verify_process="gunzip"))
    return Payload(name=name, type=kind, **{"checksums": checksums} | fields)


_RELATIONS = ("depends", "conflicts", "replaces", "provides", "compatible_with")


def vib(name: str, version: str = "1.0-1", **fields: Any) -> Vib:
    """A certified VIB with one payload; relations are given as texts."""
    for key in _RELATIONS:
        read = provide if key == "provides" else constraint
        if key in fields:
            fields[key] = [read(text) for text in fields[key]]
    defaults: dict[str, Any] = {
        "vendor": "VMware" if name in CORE_VIBS else "ACM",
        "payloads": [payload(name[:8])],
        "files": (f"usr/lib/{name}",),
        "acceptance_level": AcceptanceLevel.CERTIFIED,
    }
    return Vib(name=name, version=VibVersion(version), **defaults | fields)


def esx_base(version: str = BASE_VERSION, **fields: Any) -> Vib:
    """The VIB that boots, with the loaders of BIOS and UEFI."""
    payloads = [
        payload("b", "boot", boot_order=10),
        payload("isolinux.bin", "boot_iso_bios"),
        payload("efiboot.img", "eltorito_image_efi"),
    ]
    provides = (f"esx-version = {version}", "vmkapi_2_9_0_0")
    defaults: dict[str, Any] = {"vendor": "VMware", "payloads": payloads, "provides": provides}
    return vib("esx-base", version, **defaults | fields)


def component(name: str, version: str, vib_ids: Iterable[str] = (), **bulletin: Any) -> Component:
    """A component; keyword arguments are its bulletin's."""
    defaults: dict[str, Any] = {"id": f"{name}_{version}", "vib_ids": tuple(vib_ids)}
    return Component(name=name, version=ComponentVersion(version), bulletin=Bulletin(**defaults | bulletin))


def references(components: Iterable[Component | tuple[str, str]]) -> tuple[ComponentReference, ...]:
    """What a release unit lists; a pair names a component that need not be there."""
    return tuple(
        ComponentReference(item[0], ComponentVersion(item[1])) if isinstance(item, tuple) else item.reference
        for item in components
    )


def platforms(*texts: str) -> tuple[SoftwarePlatform, ...]:
    """``embeddedEsx 8.0`` for each."""
    pairs = (text.partition(" ") for text in texts)
    return tuple(SoftwarePlatform(version=version, product_line=line) for line, _, version in pairs)


@final
@attrs.define
class Stock:
    """What some depots hold; its methods add to it and return what they added."""

    base_images: list[BaseImage] = attrs.Factory(list)
    add_ons: list[AddOn] = attrs.Factory(list)
    hardware_support: list[HardwareSupport] = attrs.Factory(list)
    solutions: list[Solution] = attrs.Factory(list)
    components: list[Component] = attrs.Factory(list)
    profiles: list[ImageProfile] = attrs.Factory(list)
    vibs: list[Vib] = attrs.Factory(list)
    findings: list[Finding] = attrs.Factory(list)
    vib_sources: list[tuple[str, tuple[str, ...]]] = attrs.Factory(list)

    def component(self, name: str, version: str, *vibs: Vib, **bulletin: Any) -> Component:
        """A component of these VIBs, which come into the stock too."""
        there = {(vib.id, vib.fingerprint) for vib in self.vibs}
        self.vibs += [vib for vib in vibs if (vib.id, vib.fingerprint) not in there]
        added = component(name, version, [vib.id for vib in vibs], **bulletin)
        self.components.append(added)
        return added

    def driver(self, name: str, version: str = "1.0-1", **fields: Any) -> Component:
        """A component of one VIB, both of this name and version; keyword arguments are the VIB's."""
        return self.component(name, version, vib(name, version, **fields))

    def base_image(
        self, *components: Component | tuple[str, str], version: str = BASE_VERSION, **fields: Any
    ) -> BaseImage:
        """A base image of these components and ``ESXi``, which is made unless one is among them."""
        stated = references(components)
        if not any(reference.name == "ESXi" for reference in stated):
            stated = (self.component("ESXi", version, esx_base(version)).reference, *stated)
        added = BaseImage(version=BaseImageVersion(version), components=stated, **fields)
        self.base_images.append(added)
        return added

    def add_on(
        self, *components: Component | tuple[str, str], release: tuple[str, str] = ADD_ON, **fields: Any
    ) -> AddOn:
        """An add-on of these components."""
        name, version = release
        added = AddOn(name=name, version=AddOnVersion(version), components=references(components), **fields)
        self.add_ons.append(added)
        return added

    def package(self, name: str, *components: Component | tuple[str, str], **fields: Any) -> HardwareSupportReference:
        """A hardware support package; returns what a spec says of it."""
        version = AddOnVersion("1.0")
        self.hardware_support.append(
            HardwareSupport(name=name, version=version, components=references(components), **fields)
        )
        return HardwareSupportReference(manager=f"manager-{name}", package=name, version="1.0")

    def solution(self, name: str, wanted: Mapping[str, Sequence[str]]) -> SolutionReference:
        """A solution that wants components, each in some versions or in any; returns what a spec says of it."""
        parts = [
            SolutionComponent(part, tuple(ComponentVersion(text) for text in versions))
            for part, versions in wanted.items()
        ]
        self.solutions.append(Solution(name=name, version=AddOnVersion("1.0"), components=parts))
        return SolutionReference(name=name, version="1.0", components=tuple(wanted))

    def profile(self, name: str, vib_ids: Iterable[str], **fields: Any) -> ImageProfile:
        """An image profile of VIBs that need not be there."""
        added = ImageProfile(name=name, vibs=[ProfileVib(vib_id=vib_id) for vib_id in vib_ids], **fields)
        self.profiles.append(added)
        return added

    def catalog(self) -> Catalog:
        """Everything in the order that catalogs keep."""
        return Catalog(
            base_images=sorted(self.base_images, key=lambda unit: unit.version),
            add_ons=sorted(self.add_ons, key=_name_and_version),
            hardware_support=sorted(self.hardware_support, key=_name_and_version),
            solutions=sorted(self.solutions, key=_name_and_version),
            components=sorted(self.components, key=_name_and_version),
            profiles=sorted(self.profiles, key=lambda profile: profile.name),
            vibs=sorted(self.vibs, key=lambda vib: (vib.id, vib.fingerprint)),
            vib_sources=self.vib_sources,
            findings=self.findings,
        )


def _name_and_version(unit: Any) -> tuple[str, object]:
    return (unit.name, unit.version)


def spec(
    components: Mapping[str, str | None] | None = None,
    *,
    base_image: str = BASE_VERSION,
    add_on: tuple[str, str] | None = None,
    removed: Iterable[str] = (),
    packages: Iterable[HardwareSupportReference] = (),
    solutions: Iterable[SolutionReference] = (),
) -> SoftwareSpec:
    """A spec from plain texts."""
    return SoftwareSpec(
        base_image=base_image,
        add_on=None if add_on is None else AddOnReference(add_on[0], AddOnVersion(add_on[1])),
        components=[
            (name, None if text is None else ComponentVersion(text)) for name, text in (components or {}).items()
        ],
        removed_components=removed,
        hardware_support=packages,
        solutions=solutions,
    )


def component_ids(image: Image) -> tuple[str, ...]:
    """Ids of the effective components."""
    return tuple(entry.component.id for entry in image.components)


def installed_ids(image: Image) -> tuple[str, ...]:
    """Ids of the installed VIBs."""
    return tuple(entry.vib.id for entry in image.vibs)


def reserved_reasons(image: Image) -> dict[str, str]:
    """Ids of the reserved VIBs and why they are reserved."""
    return {entry.vib.id: entry.reason.value for entry in image.reserved_vibs}


def cut_down(image: Image, finding: Finding) -> Image:
    """The image with nothing but what the finding names: a finding has to hold of that alone.

    Base image, add-on and profile stay, since they say what the image is and not what is in it; so
    does the base VIB where there is no base image. A component that is named keeps its VIBs. No
    code is left out, though of two this says little: ``no-bootable-base`` is true of whatever is
    smaller, and ``boot-loader-missing`` names the base VIB for the image to be one at all.
    """
    named = set(finding.items)
    parts = (*(entry.component for entry in image.components), *image.reserved_components)
    kept = named.union(*(part.vib_ids for part in parts if part.id in named))
    if image.base_image is None and image.base_vib is not None:
        kept.add(image.base_vib.id)
    return attrs.evolve(
        image,
        components=[entry for entry in image.components if entry.component.id in named],
        reserved_components=[part for part in image.reserved_components if part.id in named],
        removed=[gone for gone in image.removed if gone.name in named],
        vibs=[entry for entry in image.vibs if entry.vib.id in kept],
        reserved_vibs=[entry for entry in image.reserved_vibs if entry.vib.id in kept],
        missing_components=[entry for entry in image.missing_components if str(entry.component) in named],
        missing_vibs=[entry for entry in image.missing_vibs if entry.vib_id in named],
        unchosen_vibs=[vib_id for vib_id in image.unchosen_vibs if vib_id in named],
    )


# Generated depots. Few names and few versions, so that everything meets everything.

COMPONENT_NAMES = ("alpha", "beta", "delta", "gamma")
VERSIONS = ("1.0-1", "2.0-1", "3.0-1")
VIB_NAMES = ("va", "vb", "vc", "vd", "ve")
ISLAND = "island"
"""A component of every generated base image that nothing else has anything to do with."""
GHOST = "ghost"
"""A name that no generated depot has a component of."""

_PLAIN: dict[str, Any] = {}
_RELATED: tuple[dict[str, Any], ...] = (
    {"provides": ("api = 2.0",)},
    {"provides": ("api = 1.0-5", "tool")},
    {"provides": ("tool",)},
    *({"depends": (text,)} for text in ("api", "api >= 2.0", "api = 1.0", "tool", "tool = 1.0", "nothing")),
    *({"depends": (f"{name} {relation} 2.0-1",)} for name in VIB_NAMES for relation in (">=", "<<", "=")),
    *({"conflicts": (f"{name} {relation} 2.0",)} for name in VIB_NAMES for relation in (">=", "<=")),
    {"conflicts": ("api << 2.0", "tool")},
    *({"replaces": (text,)} for text in (*VIB_NAMES, "va << 3.0", "vb = 1.0-1", "vc >> 1.0-1")),
    {"replaces": ("vd", "ve"), "depends": ("va",)},
)
_LOOKS: tuple[dict[str, Any], ...] = (
    _PLAIN,
    {"files": ("usr/lib/shared",)},
    {"files": ("usr/lib/shared", "etc/other"), "overlay": True},
    {"files": ("etc/other",), "acceptance_level": AcceptanceLevel.COMMUNITY},
    {"files": None, "payloads": (Payload(name="bare", type="vgz"),)},
    {"acceptance_level": AcceptanceLevel.PARTNER},
)
_PLATFORMS = ((), platforms("embeddedEsx 7.*"), platforms("embeddedEsx 6.7"), platforms("esxio 7.0", "embeddedEsx 8.0"))
_BASE_VERSIONS = (BASE_VERSION, "8.0.3-0.70.24674464")
_ADD_ON_VERSIONS = (ADD_ON[1], "803.1-A00", "A00")
_HARDWARE_PACKAGES = ("firmware", "firmware-late")


@final
@attrs.frozen
class Depot:
    """A generated catalog with a spec that it can serve."""

    catalog: Catalog
    spec: SoftwareSpec


def _picks(options: Sequence[Any], *, absent: int = 1) -> st.SearchStrategy[tuple[Any, ...]]:
    """For each component name one of the options or, ``absent`` times as often, None."""
    one = st.sampled_from((*(None,) * absent, *options))
    return st.tuples(*(one for _ in COMPONENT_NAMES))


_VERSION_PICKS = _picks(VERSIONS)
_FEW_VERSION_PICKS = _picks(VERSIONS, absent=4)
_SOLUTION_PICKS = _picks(((), VERSIONS[:2], VERSIONS[1:], VERSIONS[2:]), absent=9)
_USER_PICKS = _picks((*VERSIONS, "", "", ""), absent=3)
_REMOVALS = st.lists(st.sampled_from((*COMPONENT_NAMES, GHOST)), max_size=2, unique=True)
_CONTENTS = st.tuples(
    st.integers(0, len(VERSIONS)), st.sampled_from((None, None, *itertools.product(VIB_NAMES, VERSIONS)))
)
_FEATURES = st.tuples(st.sampled_from((_PLAIN,) * (len(_RELATED) // 2) + _RELATED), st.sampled_from((_PLAIN, *_LOOKS)))
_MOSTLY_THERE = st.sampled_from((True,) * 9 + (False,))


def _pairs(picks: Iterable[str | None]) -> tuple[tuple[str, str], ...]:
    return tuple(pair for pair in zip(COMPONENT_NAMES, picks, strict=True) if pair[1] is not None)  # type: ignore[misc]


@st.composite
def _parts(draw: st.DrawFn, stock: Stock) -> None:
    """Put components of every name and version into the stock, and most of their VIBs.

    A component has a VIB of its own letter and version, or none, and maybe any other.
    """
    wanted: dict[tuple[str, str], None] = {}
    for (number, name), (rank, version) in itertools.product(enumerate(COMPONENT_NAMES), enumerate(VERSIONS)):
        own, other = draw(_CONTENTS)
        contents = [(VIB_NAMES[number], VERSIONS[rank])] if own else []
        contents += [other] if other is not None else []
        wanted |= dict.fromkeys(contents)
        added = component(
            name,
            version,
            dict.fromkeys(vib(*pair).id for pair in contents),
            platforms=_PLATFORMS[0] if own else draw(st.sampled_from(_PLATFORMS)),
        )
        if draw(_MOSTLY_THERE):
            stock.components.append(added)
    for pair in wanted:
        relations, look = draw(_FEATURES)
        if draw(_MOSTLY_THERE):
            stock.vibs.append(vib(*pair, **relations | look))


@st.composite
def depots(draw: st.DrawFn) -> Depot:
    """A catalog of a base image, maybe an add-on, a package, a solution; and a spec on top of it."""
    stock = Stock()
    draw(_parts(stock))
    version = draw(st.sampled_from(_BASE_VERSIONS))
    island = stock.driver(ISLAND)
    stock.base_image(*_pairs(draw(_VERSION_PICKS)), island, version=version)
    release = (ADD_ON[0], draw(st.sampled_from(_ADD_ON_VERSIONS)))
    stock.add_on(*_pairs(draw(_FEW_VERSION_PICKS)), release=release, removed_components=draw(_REMOVALS))
    loaded = {name: [part.version.text for part in stock.components if part.name == name] for name in COMPONENT_NAMES}
    packages = [
        stock.package(name, *_pairs(draw(_FEW_VERSION_PICKS)), removed_components=draw(_REMOVALS))
        for name in draw(st.sampled_from(((), (), _HARDWARE_PACKAGES[:1], _HARDWARE_PACKAGES)))
    ]
    solutions = [
        stock.solution(
            name,
            {
                part: accepted
                for part, accepted in zip(COMPONENT_NAMES, draw(_SOLUTION_PICKS), strict=True)
                if accepted is not None and set(accepted or VERSIONS).intersection(loaded[part])
            },
        )
        for name in draw(st.sampled_from(((), ("ha",), ("ha", "nsx"))))
    ]
    chosen = {
        part: text or None
        for part, text in zip(COMPONENT_NAMES, draw(_USER_PICKS), strict=True)
        if text is not None and (text in loaded[part] or (text == "" and loaded[part]))
    }
    wanted = spec(
        chosen,
        base_image=version,
        add_on=draw(st.sampled_from((release, release, release, None))),
        removed=draw(_REMOVALS),
        packages=packages,
        solutions=solutions,
    )
    return Depot(stock.catalog(), wanted)
