"""Security bulletins: what an image has and lacks, what a change brings and loses."""

from __future__ import annotations

from typing import Any

import pytest
from support.memory_catalogs import BASE_VERSION, Stock, platforms, vib

from esximage_builder.models.component import Bulletin, Component
from esximage_builder.models.image import Image
from esximage_builder.rules.compose import compose, image_from_profile
from esximage_builder.rules.security import SecurityBulletin, security_between, security_of

SECURITY: dict[str, Any] = {"category": "security", "severity": "critical", "urgency": "important"}


def net(stock: Stock, version: str, **bulletin: Any) -> Component:
    return stock.component("net", version, vib("net", version), **bulletin)


def with_net(stock: Stock, version: str) -> Image:
    return compose(stock.catalog(), base_image=BASE_VERSION, components={"net": version})


def versions(bulletins: tuple[SecurityBulletin, ...]) -> list[tuple[str, str]]:
    return [(one.component, one.version) for one in bulletins]


@pytest.mark.parametrize("spelled", ["security", "Security", " SECURITY "])
def test_the_category_decides_however_it_is_spelled(spelled: str) -> None:
    assert Bulletin(id="b", category=spelled).is_security
    assert not Bulletin(id="b", category="bugfix", severity="critical", urgency="critical").is_security


@pytest.mark.parametrize(
    ("kb_url", "description", "urls"),
    [
        pytest.param("", "nothing", (), id="none"),
        pytest.param("https://kb.example/1", "", ("https://kb.example/1",), id="one"),
        pytest.param("https://kb.example/1 https://kb.example/2", "", ("https://kb.example/1", "https://kb.example/2"),
                     id="two"),
        pytest.param("https://kb.example/1", "see https://kb.example/3. Or (https://kb.example/1)",
                     ("https://kb.example/1", "https://kb.example/3"), id="in the description"),
    ],
)  # fmt: skip
def test_addresses_to_read_on(kb_url: str, description: str, urls: tuple[str, ...]) -> None:
    assert Bulletin(id="b", kb_url=kb_url, description=description).kb_urls == urls


@pytest.mark.parametrize(
    ("before", "after", "brought", "lost"),
    [
        pytest.param("1.0-1", "2.0-1", ["2.0-1"], [], id="its own"),
        pytest.param("1.0-1", "3.0-1", ["2.0-1"], [], id="one between"),
        pytest.param("2.0-1", "3.0-1", [], [], id="had it"),
        pytest.param("1.0-1", "4.0-1", ["2.0-1", "4.0-1"], [], id="two"),
        pytest.param("4.0-1", "1.0-1", [], ["2.0-1", "4.0-1"], id="backwards"),
        pytest.param("2.0-1", "2.0-1", [], [], id="equal"),
    ],
)
def test_versions_hold_what_lower_ones_fixed(before: str, after: str, brought: list[str], lost: list[str]) -> None:
    stock = Stock()
    stock.base_image()
    for number in range(1, 5):
        net(stock, f"{number}.0-1", **(SECURITY if number in (2, 4) else {"category": "bugfix"}))
    change = security_between(with_net(stock, before), with_net(stock, after), stock.catalog())

    assert versions(change.brought) == [("net", version) for version in brought]
    assert versions(change.lost) == [("net", version) for version in lost]


def test_without_a_catalog_only_what_the_images_are_made_of_counts() -> None:
    stock = Stock()
    stock.base_image()
    for number in (1, 2, 3):
        net(stock, f"{number}.0-1", **(SECURITY if number > 1 else {}))

    assert versions(security_between(with_net(stock, "1.0-1"), with_net(stock, "3.0-1")).brought) == [("net", "3.0-1")]
    assert versions(security_of(with_net(stock, "2.0-1")).has) == [("net", "2.0-1")]
    assert security_of(with_net(stock, "2.0-1")).lacks == ()


@pytest.mark.parametrize(
    ("made_for", "is_lacked"), [("embeddedEsx 7.0", True), ("embeddedEsx 7.*", True), ("embeddedEsx 8.0", False)]
)
def test_an_image_lacks_what_is_loaded_for_its_release(made_for: str, *, is_lacked: bool) -> None:
    stock = Stock()
    stock.base_image()
    net(stock, "1.0-1")
    net(stock, "2.0-1", platforms=platforms(made_for), kb_url="https://kb.example/2", **SECURITY)
    standing = security_of(with_net(stock, "1.0-1"), stock.catalog())

    assert standing.has == ()
    expected = SecurityBulletin(
        id="net_2.0-1", component="net", version="2.0-1", kb_urls=["https://kb.example/2"], **SECURITY
    )
    assert standing.lacks == ((expected,) if is_lacked else ())


def test_bulletins_without_component_name_count_by_their_vibs() -> None:
    old, new, other = vib("net", "1.0-1"), vib("net", "2.0-1"), vib("far", "9.0-1")
    stock = Stock(vibs=[old, new, other])
    stock.profile("old", [old.id])
    stock.profile("new", [new.id])
    catalog = stock.catalog()
    bulletins = [
        Bulletin(id="B1-SG", vib_ids=[new.id, other.id], **SECURITY),
        Bulletin(id="B2-BG", vib_ids=[new.id], category="bugfix"),
        Bulletin(id="B3-SG", vib_ids=[other.id], **SECURITY),
    ]
    catalog = type(catalog)(vibs=catalog.vibs, profiles=catalog.profiles, bulletins=bulletins)
    before, after = (image_from_profile(catalog, name) for name in ("old", "new"))

    assert [one.id for one in security_between(before, after, catalog).brought] == ["B1-SG"]
    assert [one.id for one in security_between(after, before, catalog).lost] == ["B1-SG"]
    assert [one.id for one in security_of(before, catalog).lacks] == ["B1-SG"]
    assert [one.id for one in security_of(after, catalog).has] == ["B1-SG"]
