"""Measure the rules alone, on catalogs made in memory: no files, no bytes.

The first works are done at one and at ten times its size; the last column is what tenfold input costs,
10 where the work is linear. Medians over the rounds, as a Markdown table.

    python benchmarks/rules.py               # 5 rounds, some seconds
    python benchmarks/rules.py --rounds 15
"""

from __future__ import annotations

import argparse
import platform
import statistics
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

import attrs

from esximage_builder.checksums import Checksum
from esximage_builder.models.add_on import AddOn
from esximage_builder.models.base_image import BaseImage
from esximage_builder.models.catalog import Catalog
from esximage_builder.models.component import Bulletin, Component
from esximage_builder.models.constraint import Constraint, Provide
from esximage_builder.models.spec import AddOnReference, SoftwareSpec
from esximage_builder.models.vib import Payload, Vib
from esximage_builder.rules.compatibility import judge_add_on
from esximage_builder.rules.compose import compose
from esximage_builder.rules.recommend import recommend
from esximage_builder.rules.validate import validate
from esximage_builder.versions import AddOnVersion, BaseImageVersion, ComponentVersion, VibVersion
from esximage_builder.vocabulary import AcceptanceLevel, Relation

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

_VERSION = "7.0.3-0.55.20328353"
_VIBS = 200
_FILES_PER_VIB = 30
_COMPONENTS = 10_000
_VERSIONS_OF_A_NAME = 10
_OPEN_NAMES = 20
_TENFOLD = 10
_BASES, _BASE_COMPONENTS, _ADD_ONS, _ADD_ON_COMPONENTS = 50, 200, 50, 20
_MANY_OPEN_NAMES = 30
_MANIFOLD = 10
_IN_THE_WAY = 3


class Work(NamedTuple):
    """One thing to measure: what it does, its input in words, and a function that does it once."""

    name: str
    size: str
    run: Callable[[], object]


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure the rules in memory.")
    parser.add_argument("--rounds", type=int, default=5, help="runs of each work (default: 5)")
    rounds = parser.parse_args().rounds
    pairs = [
        tuple(make_composing(_VIBS * scale) for scale in (1, _TENFOLD)),
        tuple(make_open_versions(_COMPONENTS * scale) for scale in (1, _TENFOLD)),
        tuple(make_open_names(_MANY_OPEN_NAMES * scale, 0) for scale in (1, _MANIFOLD)),
        tuple(make_open_names(_MANY_OPEN_NAMES * scale, _IN_THE_WAY) for scale in (1, _MANIFOLD)),
    ]
    works = list(make_moving(_BASES, _BASE_COMPONENTS, _ADD_ONS))
    python = f"{platform.python_implementation()} {platform.python_version()}"
    print(f"{datetime.now(UTC):%Y-%m-%d}, {python}, {platform.system()} {platform.machine()}, {rounds} rounds\n")
    print("| work | input | median ms | tenfold input | median ms | ratio |")
    print("|---|---|---|---|---|---|")
    for small, large in pairs:
        first, tenfold = (median_ms(work, rounds) for work in (small, large))
        inputs = f"{small.size} | {first:.1f} | {large.size} | {tenfold:.1f}"
        print(f"| {small.name} | {inputs} | {tenfold / first:.1f} |")
    print("\n| work | input | median ms |")
    print("|---|---|---|")
    for work in works:
        print(f"| {work.name} | {work.size} | {median_ms(work, rounds):.1f} |")


def median_ms(work: Work, rounds: int) -> float:
    """Return the median time of a work after one run that is not counted, in milliseconds."""
    work.run()
    seconds = []
    for _ in range(rounds):
        start = time.perf_counter()
        work.run()
        seconds.append(time.perf_counter() - start)
    return statistics.median(seconds) * 1000


def make_composing(count: int) -> Work:
    """Composing and validating an image of so many VIBs, each a component of its own."""
    vibs = [make_base_vib(), *(make_driver(f"driver-{number}", "1.0-1vmw.703.0.20.1") for number in range(count - 1))]
    catalog = make_catalog(vibs, [make_component(vib) for vib in vibs])
    spec = SoftwareSpec(base_image=_VERSION)

    def run() -> object:
        return validate(compose(catalog, spec), catalog)

    return Work("compose and validate", f"{count} VIBs", run)


def make_open_versions(count: int) -> Work:
    """Composing twenty components of open version from a catalog of so many components."""
    base = make_base_vib()
    names = [f"driver-{number}" for number in range(count // _VERSIONS_OF_A_NAME)]
    drivers = [
        make_driver(name, f"{number}.0-1OEM.700.1.0.15843807")
        for name in names
        for number in range(1, _VERSIONS_OF_A_NAME + 1)
    ]
    catalog = make_catalog([base, *drivers], [make_component(base)], more=map(make_component, drivers))
    spec = SoftwareSpec(base_image=_VERSION, components=[(name, None) for name in names[:_OPEN_NAMES]])

    def run() -> object:
        return compose(catalog, spec)

    return Work(f"compose {_OPEN_NAMES} open versions", f"{count} components", run)


def make_open_names(count: int, in_the_way: int) -> Work:
    """Composing so many components of open version, of which of each the highest so many versions do not fit.

    A third of these was built for another release, a third needs the version of another name that it has
    itself, and that one's highest lack something. Ten thousand components are loaded.
    """
    base = make_base_vib()
    names = [f"driver-{number:04}" for number in range(_COMPONENTS // _VERSIONS_OF_A_NAME)]
    drivers = [
        make_hard_driver(names, place, version, is_hard=place < count and version > _VERSIONS_OF_A_NAME - in_the_way)
        for place in range(len(names))
        for version in range(1, _VERSIONS_OF_A_NAME + 1)
    ]
    catalog = make_catalog([base, *drivers], [make_component(base)], more=map(make_component, drivers))
    spec = SoftwareSpec(base_image=_VERSION, components=[(name, None) for name in names[:count]])

    def run() -> object:
        return compose(catalog, spec)

    hard = f", of each the highest {in_the_way} do not fit" if in_the_way else ""
    return Work(f"compose open names{hard}", f"{_COMPONENTS:,} components with {count} open names", run)


def make_hard_driver(names: list[str], place: int, version: int, *, is_hard: bool) -> Vib:
    """A driver; if it shall not fit, every third needs another base, every third the one after it as high."""
    text = f"{version}.0-1OEM.700.1.0.15843807"
    made = make_driver(names[place], text)
    needs = {
        0: Constraint("vmkapi_2_13_0_0"),
        1: Constraint(names[place + 1], Relation.EQUAL, VibVersion(text)) if place + 1 < len(names) else None,
        2: Constraint("nobody-has-it"),
    }
    need = needs[place % len(needs)]
    return attrs.evolve(made, depends=(*made.depends, need)) if is_hard and need is not None else made


def make_moving(bases: int, components: int, add_ons: int) -> Iterator[Work]:
    """What is asked of a whole shop: base images of so many components each, and so many add-ons of one name."""
    fitting, unfit = (make_shop(bases, components, add_ons, breaks=breaks) for breaks in (False, True))
    first = AddOnReference("VND-AddOn", AddOnVersion("703.1-A000"))
    spec = SoftwareSpec(base_image=fitting.base_images[0].version.text, add_on=first)
    image = compose(fitting, spec)
    size = f"{bases} bases of {components} components, {add_ons} add-ons"
    last, add_on = fitting.base_images[-1], fitting.add_ons[-1]
    yield Work("compose one image of", size, lambda: compose(fitting, spec))
    yield Work("validate one image of", size, lambda: validate(image, fitting))
    yield Work("judge one add-on of", size, lambda: judge_add_on(add_on, last, fitting))
    yield Work("recommend, the highest fits", size, lambda: recommend(fitting, spec))
    broken = attrs.evolve(spec, components=[("broken", None)])
    yield Work("recommend, a component of the user fits nowhere", size, lambda: recommend(fitting, broken))
    yield Work("recommend, no add-on fits", size, lambda: recommend(unfit, spec))


def make_shop(bases: int, components: int, add_ons: int, *, breaks: bool) -> Catalog:
    """A catalog of patches of one release with add-ons, which may all need what nothing provides."""
    vibs, parts, base_images, made_add_ons = (
        [make_broken("broken", "1-1")],
        [make_component(make_broken("broken", "1-1"))],
        [],
        [],
    )
    for patch in range(bases):
        version = f"7.0.3-0.{patch}.{20328353 + patch}"
        own = [make_base_vib(version)]
        own += [make_driver(f"driver-{number}", f"1.{patch}-1vmw.703.0.0.1") for number in range(components - 1)]
        vibs += own
        made = [make_component(vib) for vib in own]
        parts += made
        base_images.append(BaseImage(version=BaseImageVersion(version), components=[part.reference for part in made]))
    for number in range(add_ons):
        make = make_broken if breaks else make_driver
        own = [make(f"vendor-{part}", f"{number + 1}.0-1OEM.700.1.0.15843807") for part in range(_ADD_ON_COMPONENTS)]
        vibs += own
        made = [make_component(vib) for vib in own]
        parts += made
        references = [part.reference for part in made]
        made_add_ons.append(AddOn(name="VND-AddOn", version=AddOnVersion(f"703.1-A{number:03}"), components=references))
    return Catalog(
        base_images=base_images,
        add_ons=made_add_ons,
        components=sorted(parts, key=lambda component: (component.name, component.version)),
        vibs=sorted(vibs, key=lambda vib: vib.id),
    )


def make_broken(name: str, version: str) -> Vib:
    """A driver that needs what nothing provides."""
    driver = make_driver(name, version)
    return attrs.evolve(driver, depends=[*driver.depends, Constraint("vmkapi_9_9_9_9")])


def make_base_vib(version: str = _VERSION) -> Vib:
    kinds = (("b", "boot"), ("isolinux.bin", "boot_iso_bios"), ("efiboot.img", "eltorito_image_efi"))
    return Vib(
        name="esx-base",
        version=VibVersion(version),
        vendor="VMware",
        provides=[Provide("vmkapi_2_9_0_0"), Provide("esx-version", VibVersion(version))],
        payloads=[Payload(name=name, type=kind) for name, kind in kinds],
        acceptance_level=AcceptanceLevel.CERTIFIED,
    )


def make_driver(name: str, version: str) -> Vib:
    """A driver in the shape of a real one: two dependencies, some files, a payload with its checksums."""
    checksums = [Checksum("sha-256", "0" * 64), Checksum("sha-256", "1" * 64, verify_process="gunzip")]
    return Vib(
        name=name,
        version=VibVersion(version),
        vendor="VMW",
        depends=[
            Constraint("vmkapi_2_9_0_0"),
            Constraint("esx-version", Relation.GREATER_EQUAL, VibVersion("7.0.0")),
        ],
        files=[f"usr/lib/{name}/{number}" for number in range(_FILES_PER_VIB)],
        payloads=[Payload(name=name[:8], type="vgz", checksums=checksums)],
        acceptance_level=AcceptanceLevel.CERTIFIED,
    )


def make_component(vib: Vib) -> Component:
    version = vib.version.text
    bulletin = Bulletin(id=f"{vib.name}_{version}", vib_ids=[vib.id])
    return Component(name=vib.name, version=ComponentVersion(version), bulletin=bulletin)


def make_catalog(vibs: Iterable[Vib], components: list[Component], *, more: Iterable[Component] = ()) -> Catalog:
    """A catalog with one base image of the components; ``more`` are loaded beside it."""
    base_image = BaseImage(
        version=BaseImageVersion(_VERSION), components=[component.reference for component in components]
    )
    return Catalog(
        base_images=[base_image],
        components=sorted([*components, *more], key=lambda component: (component.name, component.version)),
        vibs=sorted(vibs, key=lambda vib: vib.id),
    )


if __name__ == "__main__":
    main()
