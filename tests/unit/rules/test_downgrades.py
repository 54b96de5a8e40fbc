"""What goes down: base image, add-on, components, and VIBs of components that do not."""

from __future__ import annotations

import pytest
from support.memory_catalogs import ADD_ON, BASE_VERSION, Stock, vib
from support.release_catalogs import version_of

from esximage_builder.models.image import Image
from esximage_builder.rules.compose import compose, image_from_profile
from esximage_builder.rules.downgrades import LoweredKind, is_lower_add_on, lower_components, lowered_items
from esximage_builder.versions import AddOnVersion, ComponentVersion

OLDER_ADD_ON = (ADD_ON[0], "703.20036589.A07")


def shown(before: Image, after: Image) -> list[tuple[str, str]]:
    return [(item.kind.value, str(item)) for item in lowered_items(before, after)]


@pytest.mark.parametrize(
    ("has", "wanted"), [("2.0-1", "1.0-1"), ("14.4.0.0-1vmw.803.0.0.1", "14.0.0.0-9vmw.803.0.0.9")]
)
def test_a_component_that_goes_down_is_named_and_its_vibs_are_not(has: str, wanted: str) -> None:
    stock = Stock()
    stock.base_image()
    for version in (has, wanted):
        stock.driver("lpfc", version)
    images = [compose(stock.catalog(), base_image=BASE_VERSION, components={"lpfc": text}) for text in (has, wanted)]

    assert shown(*images) == [("component", f"lpfc {has} to {wanted}")]
    assert shown(*reversed(images)) == []


@pytest.mark.parametrize(("before", "after"), [("7.0U3g", "7.0U3f"), ("8.0U2b", "8.0U2sb")])
def test_base_image_add_on_and_components_come_in_that_order(before: str, after: str) -> None:
    stock = Stock()
    for release in (before, after):
        stock.base_image(version=version_of(release))
    train = version_of(before)[:5].replace(".", "")
    higher, lower = (("ACME-AddOn", f"{train}.{number}") for number in ("A08", "A07"))
    stock.add_on(stock.driver("agent", "2-1"), release=higher)
    stock.add_on(stock.driver("agent", "1-1"), release=lower)
    has = compose(stock.catalog(), base_image=version_of(before), add_on=higher)
    wanted = compose(stock.catalog(), base_image=version_of(after), add_on=lower)

    items = lowered_items(has, wanted)
    assert [(item.kind, item.name) for item in items] == [
        (LoweredKind.BASE_IMAGE, "ESXi"),
        (LoweredKind.ADD_ON, "ACME-AddOn"),
        (LoweredKind.COMPONENT, "ESXi"),
        (LoweredKind.COMPONENT, "agent"),
    ]


@pytest.mark.parametrize(("has", "wanted"), [("5.0-1", "4.0-1"), ("1.1.0.0-2OEM.700.1.0.1", "1.1.0.0-1OEM.700.1.0.1")])
def test_a_lower_vib_in_a_higher_component_is_named(has: str, wanted: str) -> None:
    stock = Stock()
    stock.base_image()
    stock.component("Pack", "1.0-1", vib("ndrv", has))
    stock.component("Pack", "2.0-1", vib("ndrv", wanted))
    images = [compose(stock.catalog(), base_image=BASE_VERSION, components={"Pack": f"{n}.0-1"}) for n in (1, 2)]

    (item,) = lowered_items(*images)
    assert (item.kind, item.component, str(item)) == (LoweredKind.VIB, "Pack", f"ndrv {has} to {wanted}")
    assert not item.kind.is_refused_by_hosts


def test_profiles_go_by_vibs() -> None:
    stock = Stock(vibs=[vib("net", "2.0-1"), vib("net", "1.0-1")])
    ids = [one.id for one in stock.vibs]
    stock.profile("new", ids[:1])
    stock.profile("old", ids[1:])
    stock.profile("both", ids)
    new, old, both = (image_from_profile(stock.catalog(), name) for name in ("new", "old", "both"))

    assert shown(new, old) == [("vib", "net 2.0-1 to 1.0-1")]
    assert (shown(old, new), shown(both, new), shown(old, both)) == ([], [], [])


def test_what_is_gone_or_new_goes_nowhere() -> None:
    stock = Stock()
    stock.base_image()
    stock.driver("net", "2.0-1")
    images = [compose(stock.catalog(), base_image=BASE_VERSION, components=names) for names in ({"net": None}, {})]

    assert (shown(*images), shown(*reversed(images))) == ([], [])


@pytest.mark.parametrize(("name", "is_lower"), [(ADD_ON[0], True), ("Other-AddOn", False)])
def test_add_ons_of_one_name_compare(name: str, *, is_lower: bool) -> None:
    has, wanted = (ADD_ON[0], AddOnVersion(ADD_ON[1])), (name, AddOnVersion(OLDER_ADD_ON[1]))

    assert is_lower_add_on(has, wanted) is is_lower
    assert not is_lower_add_on(has, has)


@pytest.mark.parametrize("version", ["1.0-1", "2.0-1"])
def test_a_host_and_an_image_compare_as_two_images_do(version: str) -> None:
    stock = Stock()
    stock.base_image(stock.driver("net", "1.0-1"))
    image = compose(stock.catalog(), base_image=BASE_VERSION)
    found = [name for name, _, _ in lower_components([("net", ComponentVersion(version))], image)]

    assert found == (["net"] if version == "2.0-1" else [])
