"""What is known against one pair and holds of others: strictly, so that nothing that fits is ruled out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from support.memory_catalogs import Stock, spec, vib
from support.release_catalogs import version_of

from esximage_builder.models.spec import SoftwareSpec
from esximage_builder.rules.compose import compose
from esximage_builder.rules.refusals import Refusals
from esximage_builder.rules.validate import validate

if TYPE_CHECKING:
    from esximage_builder.models.catalog import Catalog
    from esximage_builder.models.component import Component

FIRST, SECOND = version_of("7.0U3f"), version_of("7.0U3g")
ONE, TWO = ("ACME-AddOn", "703.A01"), ("ACME-AddOn", "703.A02")
NEEDY: dict[str, Any] = {"depends": ["api"]}


def learned(catalog: Catalog, wanted: SoftwareSpec) -> Refusals:
    """What is known after the first base image with the first add-on was judged."""
    refusals = Refusals(catalog, wanted, compose(catalog, spec(base_image=FIRST)))
    image = compose(
        catalog, spec(dict(_texts(wanted)), base_image=FIRST, add_on=ONE, removed=wanted.removed_components)
    )
    assert image.base_image is not None
    errors = validate(image, catalog).errors
    assert errors
    refusals.learn(image.base_image, image.add_on, image, errors)
    return refusals


def _texts(wanted: SoftwareSpec) -> list[tuple[str, str | None]]:
    return [(name, None if version is None else version.text) for name, version in wanted.components]


def shop_of(*own: Component, stock: Stock, first: list[Component], second: list[Component], **fields: Any) -> Catalog:
    for release in (FIRST, SECOND):
        stock.base_image(*own, version=release)
    stock.add_on(*first, release=ONE)
    stock.add_on(*second, release=TWO, **fields)
    return stock.catalog()


@pytest.mark.parametrize(
    ("own", "other", "removed", "is_ruled_out"),
    [
        pytest.param(NEEDY, {}, [], True, id="it still lacks"),
        pytest.param(NEEDY, {"provides": ["api"]}, [], False, id="the other add-on provides it"),
        pytest.param(NEEDY, {}, ["base-driver"], False, id="the other add-on takes it off"),
        pytest.param(NEEDY, {"replaces": ["base-driver"]}, [], False, id="the other add-on replaces it"),
        pytest.param({"conflicts": ["esx-base"]}, {}, [], True, id="a conflict"),
    ],
)
def test_an_error_of_the_base_image_holds_with_each_add_on_that_leaves_it(
    own: dict[str, Any], other: dict[str, Any], removed: list[str], *, is_ruled_out: bool
) -> None:
    stock = Stock()
    faulty = stock.driver("base-driver", "1.0-1", **own)
    first, second = stock.driver("one", "1.0-1"), stock.driver("two", "1.0-1", **other)
    catalog = shop_of(faulty, stock=stock, first=[first], second=[second], removed_components=removed)
    refusals = learned(catalog, spec(base_image=FIRST))

    for base_image in catalog.base_images:
        assert bool(refusals.reasons(base_image, catalog.add_on(*TWO))) is is_ruled_out


@pytest.mark.parametrize("fault", [NEEDY, {"conflicts": ["esx-base"]}])
def test_an_error_of_the_add_on_is_its_own(fault: dict[str, Any]) -> None:
    stock = Stock()
    catalog = shop_of(stock=stock, first=[stock.driver("one", "1.0-1", **fault)], second=[stock.driver("two", "1.0-1")])
    refusals = learned(catalog, spec(base_image=FIRST))
    other = catalog.base_image(SECOND)

    assert len(refusals.reasons(other, catalog.add_on(*ONE))) == 1
    assert refusals.reasons(other, catalog.add_on(*TWO)) == []
    assert refusals.reasons(other, None) == []


@pytest.mark.parametrize("versions", [["1.0-1"], ["1.0-1", "2.0-1", "3.0-1"]], ids=["one", "several"])
def test_a_name_left_open_is_ruled_out_where_no_version_can_be_met(versions: list[str]) -> None:
    stock = Stock()
    for version in versions:
        stock.driver("own", version, **NEEDY)
    second = stock.driver("two", "1.0-1", provides=["api"])
    catalog = shop_of(stock=stock, first=[stock.driver("one", "1.0-1")], second=[second])
    refusals = learned(catalog, spec({"own": None}, base_image=FIRST))

    assert "own" in refusals.reasons(catalog.base_image(SECOND), catalog.add_on(*ONE))[0]
    assert refusals.reasons(catalog.base_image(SECOND), catalog.add_on(*TWO)) == []


@pytest.mark.parametrize("missing", ["component", "vib"])
def test_what_an_add_on_lists_and_nobody_has_rules_it_out(missing: str) -> None:
    stock = Stock()
    absent = vib("absent", "1.0-1")
    part = stock.component("absent", "1.0-1", absent)
    if missing == "component":
        stock.components.remove(part)
    stock.vibs.remove(absent)
    catalog = shop_of(stock=stock, first=[part], second=[stock.driver("two", "1.0-1")])
    refusals = learned(catalog, spec(base_image=FIRST))

    (reason,) = refusals.reasons(catalog.base_image(SECOND), catalog.add_on(*ONE))
    assert reason.startswith(f"no loaded depot has the {'component' if missing == 'component' else 'VIB'} ")
    assert refusals.reasons(catalog.base_image(SECOND), catalog.add_on(*TWO)) == []


def test_what_goes_down_is_told_before_anything_is_composed() -> None:
    stock = Stock()
    high, low = stock.driver("net", "2.0-1"), stock.driver("net", "1.0-1")
    stock.base_image(high, version=FIRST)
    stock.base_image(low, version=SECOND)
    catalog = stock.catalog()
    refusals = Refusals(catalog, spec(base_image=FIRST), compose(catalog, spec(base_image=FIRST)))

    assert refusals.reasons(catalog.base_image(SECOND), None) == [
        "net would go down from 2.0-1 to 1.0-1, which hosts refuse"
    ]
    pinned = Refusals(catalog, spec({"net": "2.0-1"}, base_image=FIRST), compose(catalog, spec(base_image=FIRST)))
    assert pinned.reasons(catalog.base_image(SECOND), None) == []
