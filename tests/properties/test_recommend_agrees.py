"""What is ruled out before composing is just what composing and validating would have refused."""

from __future__ import annotations

import itertools
import random
from typing import TYPE_CHECKING, Any

import attrs
import pytest
from support.memory_catalogs import Stock, platforms, spec, vib
from support.release_catalogs import version_of

from esximage_builder.errors import ComposeError
from esximage_builder.models.spec import AddOnReference
from esximage_builder.rules.classify import classify_images
from esximage_builder.rules.compose import compose
from esximage_builder.rules.recommend import Recommendation, recommend
from esximage_builder.rules.validate import validate
from esximage_builder.versions import AddOnVersion

if TYPE_CHECKING:
    from esximage_builder.models.catalog import Catalog
    from esximage_builder.models.spec import SoftwareSpec

RELEASES = ("7.0U3c", "7.0U3e", "7.0U3f", "7.0U3g", "7.0U3i")
NAMES = ("alpha", "beta", "gamma", "delta")
VERSIONS = ("1.0-1", "2.0-1", "3.0-1")
WORLDS = 400


def random_vib(draw: random.Random, name: str, version: str) -> Any:
    fields: dict[str, Any] = {}
    others = (*NAMES, "api", "tool")
    if draw.random() < 0.35:
        fields["depends"] = [draw.choice([f"{draw.choice(others)} {draw.choice(('>=', '='))} 2.0-1", "api", "tool"])]
    if draw.random() < 0.12:
        fields["conflicts"] = [f"{draw.choice(NAMES)} >= {draw.choice(VERSIONS)}"]
    if draw.random() < 0.1:
        fields["replaces"] = [draw.choice(NAMES)]
    if draw.random() < 0.3:
        fields["provides"] = [draw.choice(("api = 2.0-1", "tool = 1.0-1", "tool = 3.0-1"))]
    if draw.random() < 0.15:
        fields["files"] = ("usr/lib/shared",)
    if draw.random() < 0.1:
        fields["software_platforms"] = platforms("esxio 7.0")
    return vib(name, version, **fields)


def random_world(seed: int) -> tuple[Catalog, SoftwareSpec]:
    draw = random.Random(seed)
    stock = Stock()
    parts = {}
    for name, version in itertools.product(NAMES, VERSIONS):
        brought = draw.choice((name, name, name, draw.choice(NAMES)))
        made = random_vib(draw, brought, version)
        known = [one for one in stock.vibs if one.id == made.id]
        parts[name, version] = stock.component(name, version, *(known[:1] or [made]))
    if draw.random() < 0.2:
        stock.vibs.remove(draw.choice(stock.vibs))
    for release in RELEASES:
        chosen = [parts[name, draw.choice(VERSIONS)] for name in NAMES if draw.random() < 0.6]
        stock.base_image(*chosen, version=version_of(release))
    for number in range(4):
        chosen = [parts[name, draw.choice(VERSIONS)] for name in NAMES if draw.random() < 0.4]
        removed = [name for name in NAMES if draw.random() < 0.15]
        stock.add_on(*chosen, release=("ACME-AddOn", f"703.A0{number}"), removed_components=removed)
    wanted = {name: draw.choice((None, *VERSIONS)) for name in NAMES if draw.random() < 0.25}
    removed = [name for name in NAMES if draw.random() < 0.1]
    add_on = draw.choice((("ACME-AddOn", "703.A00"), ("ACME-AddOn", "703.A01"), None))
    return stock.catalog(), spec(wanted, base_image=version_of(RELEASES[0]), add_on=add_on, removed=removed)


def fits(catalog: Catalog, wanted: SoftwareSpec, base_image: str, add_on: str) -> bool:
    """Compose, validate and compare one candidate, without any foreknowledge."""
    name, _, version = add_on.partition(":")
    reference = AddOnReference(name, AddOnVersion(version)) if add_on else None
    candidate = attrs.evolve(wanted, base_image=base_image, add_on=reference)
    try:
        image = compose(catalog, candidate)
    except ComposeError:
        return False
    change = classify_images(compose(catalog, wanted), image)
    is_lower = any(item.kind.is_refused_by_hosts for item in change.lowered)
    return validate(image, catalog).is_valid and not change.findings and not is_lower


def wrongly_passed_over(catalog: Catalog, wanted: SoftwareSpec, answer: Recommendation) -> list[tuple[str, str]]:
    return [
        (entry.base_image, entry.add_on)
        for entry in answer.passed_over
        if entry.reasons != ("a newer candidate is suggested",)
        and fits(catalog, wanted, entry.base_image, entry.add_on)
    ]


@pytest.mark.parametrize("start", range(0, WORLDS, 100))
def test_no_candidate_that_fits_is_passed_over(start: int) -> None:
    suggested = 0
    for seed in range(start, start + 100):
        catalog, wanted = random_world(seed)
        answer = recommend(catalog, wanted)
        suggested += answer.latest is not None
        assert wrongly_passed_over(catalog, wanted, answer) == [], seed
        if answer.latest is not None:
            add_on = answer.latest.spec.add_on
            assert fits(catalog, wanted, answer.latest.spec.base_image, "" if add_on is None else str(add_on)), seed

    assert 5 < suggested < 95
