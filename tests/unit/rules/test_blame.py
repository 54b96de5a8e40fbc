"""What has to do with a fault: as many versions as is certain, and of the unknown only the one image."""

from __future__ import annotations

import pytest
from support.memory_catalogs import Stock, platforms, spec, vib

from esximage_builder.findings import Finding, Severity
from esximage_builder.limits import SearchBudget, SearchLimits
from esximage_builder.rules.blame import Blame
from esximage_builder.rules.fit import faults_of, without_stock
from esximage_builder.rules.open_names import open_names_of
from esximage_builder.rules.search import Incompatibility
from esximage_builder.rules.settling import OpenWish, Settling
from esximage_builder.rules.slots import slots_of


def _wish(stock: Stock) -> OpenWish:
    wanted = spec({"driver": None, "tool": None, "other": None})
    catalog = stock.catalog()
    return OpenWish(catalog=catalog, spec=wanted, names=open_names_of(catalog, wanted))


def _stock() -> Stock:
    """Places are driver, other, tool; each has three versions."""
    stock = Stock()
    stock.base_image()
    for version in ("1.0-1", "2.0-1", "3.0-1"):
        stock.driver("driver", version)
        stock.driver("other", version)
    return stock


def _blamed(wish: OpenWish, *, code: str) -> list[Incompatibility]:
    """What is blamed for the faults of a code in the image with the highest of all."""
    ranks = (0,) * len(wish.names)
    image = wish.image(ranks)
    blame = Blame(wish.catalog, wish.names, slots_of(wish.catalog, wish.spec, wish.names), ())
    faults = faults_of(image, without_stock(wish.catalog))
    return [blame.incompatibility(fault, image, ranks) for fault in faults if fault.code == code]


def test_a_need_is_blamed_on_all_versions_that_do_not_meet_it() -> None:
    stock = _stock()
    for version in ("1.0-1", "2.0-1", "3.0-1"):
        stock.driver("tool", version, depends=("driver = 1.0-1",) if version == "3.0-1" else ())

    # Of the driver the two highest, of the tool the highest, and the others whatever they are.
    assert [entry.terms for entry in _blamed(_wish(stock), code="missing-dependency")] == [((0, 0b011), (2, 0b001))]


def test_a_conflict_is_blamed_on_those_two() -> None:
    stock = _stock()
    for version in ("1.0-1", "2.0-1", "3.0-1"):
        stock.driver("tool", version, conflicts=("other >= 3.0",) if version == "3.0-1" else ())

    assert [entry.terms for entry in _blamed(_wish(stock), code="conflict")] == [((1, 0b001), (2, 0b001))]


def test_a_platform_is_blamed_on_the_component_alone() -> None:
    stock = _stock()
    for version in ("1.0-1", "2.0-1", "3.0-1"):
        made_for = platforms("embeddedEsx 8.0") if version == "3.0-1" else ()
        stock.component("tool", version, vib("tool", version), platforms=made_for)

    assert [entry.terms for entry in _blamed(_wish(stock), code="platform-mismatch")] == [((2, 0b001),)]


def test_who_replaces_or_pushes_out_has_to_do_with_it() -> None:
    """Another version of a third name would take the VIB away that lacks something."""
    stock = _stock()
    stock.driver("tool", "3.0-1", depends=("nobody",))
    stock.component("other", "0.5-1", vib("tool", "9.0-1"))

    # Of other all but the lowest, which brings a higher VIB of the tool's name.
    assert [entry.terms for entry in _blamed(_wish(stock), code="missing-dependency")] == [((1, 0b0111),)]


@pytest.mark.parametrize("items", [(), ("something",), ("no/such:thing",)])
def test_of_an_unknown_finding_only_this_image_is_excluded(items: tuple[str, ...]) -> None:
    stock = _stock()
    stock.driver("tool", "1.0-1")
    stock.driver("tool", "2.0-1")
    wish = _wish(stock)
    ranks = (2, 1, 0)
    blame = Blame(wish.catalog, wish.names, slots_of(wish.catalog, wish.spec, wish.names), ())
    finding = Finding(code="users-own", severity=Severity.ERROR, message="m", items=items)

    assert blame.incompatibility(finding, wish.image(ranks), ranks).terms == ((0, 0b100), (1, 0b010), (2, 0b01))


def test_an_image_is_judged_once() -> None:
    stock = _stock()
    stock.driver("tool", "1.0-1")
    budget = SearchBudget(SearchLimits())
    settling = Settling(_wish(stock), budget)

    assert settling.faults((0, 0, 0)) == settling.faults((0, 0, 0)) == ()
    assert budget.images_judged == 1
