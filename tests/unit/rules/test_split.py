"""Splitting images: base image and add-on make the image again, or it is said why they do not."""

from __future__ import annotations

import attrs
import pytest
from hypothesis import given, settings
from support.memory_catalogs import Depot as GeneratedDepot, Stock, component_ids, depots, installed_ids, spec, vib
from support.release_catalogs import AGENT, BNXT, DELL, LPFC, base_image, dell, part, shop, version_of

from esximage_builder.errors import EsxImageError, ModelError, NotInDepotError
from esximage_builder.findings import Severity
from esximage_builder.models.image import Image
from esximage_builder.rules.compose import compose, image_from_profile
from esximage_builder.rules.release_fit import check_add_on
from esximage_builder.rules.split import split_image
from esximage_builder.versions import BaseImageVersion

A09 = "703.20328353-A09"


def bare(stock: Stock, image: Image, creator: str = "Dell Inc.") -> Image:
    """The image as a vendor's disc has it: a profile that names no units."""
    stock.profile(
        "custom",
        image.vibs_by_id,
        bulletin_ids=[entry.component.bulletin.id for entry in image.components],
        creator=creator,
    )
    return image_from_profile(attrs.evolve(stock, add_ons=[]).catalog(), "custom")


@settings(max_examples=100, deadline=None)
@given(depots())
def test_a_split_image_is_the_same_image(depot: GeneratedDepot) -> None:
    """Whoever brought what: the same components and VIBs, or an error and no parts."""
    image = compose(depot.catalog, depot.spec)
    try:
        parts = split_image(image, depot.catalog)
    except EsxImageError:
        return
    assert component_ids(parts.image) == component_ids(image)
    assert installed_ids(parts.image) == installed_ids(image)
    assert parts.base == compose(depot.catalog, base_image=depot.spec.base_image)
    assert parts.image.add_on == parts.add_on
    assert parts.add_on.components
    assert parts.is_made or parts.image.digest == image.digest


@pytest.mark.parametrize(
    ("release", "trains"), [("7.0U2a", ("7.0.2",)), ("8.0U2b", ("8.0.2",)), ("7.0U3g", ("7.0.3",))]
)
def test_packages_and_solutions_go_into_the_add_on(release: str, trains: tuple[str, ...]) -> None:
    stock = shop([release])
    driver, agent = part(stock, LPFC, "99-1", vib("lpfc", "99-1")), part(stock, "vsphere-ha", "1-1")
    wanted = spec(
        {},
        base_image=version_of(release),
        packages=[stock.package("firmware", driver, removed_components=[BNXT])],
        solutions=[stock.solution("ha", {"vsphere-ha": ()})],
    )
    image = compose(stock.catalog(), wanted)

    parts = split_image(image, stock.catalog())

    assert parts.add_on.components == (driver.reference, agent.reference)
    assert parts.add_on.removed_components == (BNXT,)
    assert parts.add_on.supported_base_images == trains
    assert installed_ids(parts.image) == installed_ids(image)


@pytest.mark.parametrize("release", ["7.0b", "7.0U2a", "7.0U3g", "8.0U2b"])
def test_a_made_add_on_is_welcome_on_its_base_image(release: str) -> None:
    """Its version begins with the train and the build, as vendors' versions do."""
    stock = shop([release])
    part(stock, "Acme-driver", "1-1")
    image = compose(stock.catalog(), base_image=version_of(release), components=["Acme-driver"])

    parts = split_image(image, stock.catalog())

    version = BaseImageVersion(version_of(release))
    assert parts.add_on.version.text.startswith(f"{version.major}{version.minor}{version.update}.{version.build}.")
    assert parts.base.base_image is not None
    found = check_add_on(parts.add_on, parts.base.base_image)
    assert [finding for finding in found if finding.severity is not Severity.INFO] == []


@pytest.mark.parametrize(
    ("creator", "maker", "name"),
    [
        pytest.param("Dell Inc.", "Broadcom", "Dell-Inc-AddOn", id="the profile's creator"),
        pytest.param("VMware, Inc.", "Lenovo", "Lenovo-AddOn", id="whoever made what was added"),
        pytest.param("", "Hewlett Packard Enterprise", "Hewlett-Packard-Enterprise-AddOn", id="no creator"),
        pytest.param("VMware, Inc.", "VMware", "Custom-AddOn", id="nobody but VMware"),
        pytest.param("富士通", "", "Custom-AddOn", id="a name without a letter that names may have"),
    ],
)
def test_a_made_add_on_is_called_after_its_vendor(creator: str, maker: str, name: str) -> None:
    stock = shop(["7.0U3g"])
    part(stock, "Acme-driver", "1-1", vendor=maker)
    image = bare(stock, compose(stock.catalog(), base_image="7.0U3g", components=["Acme-driver"]), creator)

    assert split_image(image, stock.catalog()).add_on.name == name


@pytest.mark.parametrize("more", [{}, {"Acme-driver": "1-1"}])
def test_the_images_own_add_on_stays_unless_there_is_more(more: dict[str, str]) -> None:
    stock = shop(["7.0U3g"])
    part(stock, "Acme-driver", "1-1")
    own = dell(stock, A09, supported_base_images=["7.0.3", "8.0"], removed_components=[LPFC])
    image = compose(stock.catalog(), spec(more, base_image=version_of("7.0U3g"), add_on=(DELL, A09)))

    parts = split_image(image, stock.catalog())

    assert parts.is_made == bool(more)
    assert (parts.add_on == own) == (not more)
    assert parts.add_on.name == DELL
    assert parts.add_on.vendor == own.vendor
    assert parts.add_on.supported_base_images == own.supported_base_images
    assert parts.add_on.removed_components == (LPFC,)
    assert {reference.name for reference in parts.add_on.components} == {AGENT, BNXT, *more}


def test_contents_decide_on_the_version() -> None:
    """Another driver or another removal is another add-on; the order of sources is not."""
    stock = shop(["7.0U3g"])
    for name in ("one", "two"):
        part(stock, name, "1-1")
    wishes = [({"one": "1-1"}, ()), ({"two": "1-1"}, ()), ({"one": "1-1"}, (BNXT,))]
    versions = [
        split_image(
            compose(stock.catalog(), spec(pins, base_image=version_of("7.0U3g"), removed=removed)), stock.catalog()
        ).add_on.version.text
        for pins, removed in wishes
    ]
    assert len(set(versions)) == len(wishes)
    assert versions[0].startswith("703.20328353.")


def without(stock: Stock, *, component: str = "", vib_name: str = "") -> Stock:
    return attrs.evolve(
        stock,
        components=[known for known in stock.components if known.id != component],
        vibs=[known for known in stock.vibs if known.name != vib_name],
    )


@pytest.mark.parametrize(
    "lost",
    [
        pytest.param({"component": f"{BNXT}:216.0.50.0-44vmw.703.0.0.1"}, id="a component of the base image"),
        pytest.param({"vib_name": "loadesx"}, id="a VIB of the base image"),
        pytest.param({"vib_name": "dcism"}, id="a VIB of the add-on"),
        pytest.param({"component": f"{AGENT}:4.1.0-8"}, id="a component of the add-on"),
    ],
)
def test_what_is_not_loaded_is_named(lost: dict[str, str]) -> None:
    stock = without(shop(["7.0U3g"], [A09]), **lost)
    image = compose(stock.catalog(), base_image="7.0U3g", add_on=(DELL, A09), components={LPFC: None})

    with pytest.raises(NotInDepotError) as caught:
        split_image(image, stock.catalog())

    assert next(iter(lost.values())) in str(caught.value.found)


def test_without_the_base_image_nothing_is_split() -> None:
    stock = shop(["7.0U3g", "7.0U3f"], [A09])
    image = bare(stock, compose(stock.catalog(), base_image="7.0U3g", add_on=(DELL, A09)))
    others = attrs.evolve(stock, base_images=[unit for unit in stock.base_images if "20036589" in unit.version.text])

    with pytest.raises(NotInDepotError, match="is not loaded") as caught:
        split_image(image, others.catalog())

    assert version_of("7.0U3g") in caught.value.found


def test_vibs_beside_all_components_are_refused() -> None:
    """They would be lost: neither a base image nor an add-on lists VIBs."""
    stock = shop(["7.0U3g"], [A09])
    image = compose(stock.catalog(), base_image="7.0U3g", add_on=(DELL, A09))
    loose = vib("homelab")
    stock.vibs.append(loose)
    stock.profile(
        "custom",
        [*image.vibs_by_id, loose.id],
        bulletin_ids=[entry.component.bulletin.id for entry in image.components],
    )

    with pytest.raises(ModelError, match="stand in no component") as caught:
        split_image(image_from_profile(stock.catalog(), "custom"), stock.catalog())

    assert caught.value.found == loose.id


@pytest.mark.parametrize("pins", [{}, {BNXT: "216.0.50.0-44vmw.703.0.0.1"}])
def test_a_base_image_alone_is_none_to_split(pins: dict[str, str]) -> None:
    """Also with a pin of what it has anyway."""
    stock = shop(["7.0U3g"])
    image = compose(stock.catalog(), spec(pins, base_image=version_of("7.0U3g")))

    with pytest.raises(ModelError, match="is its base image alone"):
        split_image(image, stock.catalog())


@pytest.mark.parametrize("removed", [[], [BNXT]])
def test_an_add_on_that_brings_nothing_is_none_to_split_off(removed: list[str]) -> None:
    stock = shop(["7.0U3g"])
    stock.add_on(release=("ACME", "703.1"), removed_components=removed)
    image = compose(stock.catalog(), base_image="7.0U3g", add_on=("ACME", "703.1"))

    with pytest.raises(ModelError) as caught:
        split_image(image, stock.catalog())

    assert ("takes Broadcom" in str(caught.value)) == bool(removed)


def test_a_9_x_base_image_gives_its_train() -> None:
    stock = Stock()
    version = "9.0.1-0.24957456"
    esxi = part(stock, "esxi-core", "1-1")
    stock.base_image(esxi, version=version)
    part(stock, "Acme-driver", "1-1")
    image = compose(stock.catalog(), base_image=version, components=["Acme-driver"])

    add_on = split_image(image, stock.catalog()).add_on

    assert add_on.supported_base_images == ("9.0",)
    assert add_on.version.text.startswith("900.24957456.")


def test_the_base_image_of_a_split_is_not_the_nearest_one() -> None:
    stock = shop(["7.0U3f"])
    base_image(stock, "7.0U3g", part(stock, "VMware-extra", "1-1"))
    part(stock, "Acme-driver", "1-1")
    image = compose(stock.catalog(), base_image="7.0U3g", components=["Acme-driver"])

    parts = split_image(image, stock.catalog())

    assert parts.base.base_image == image.base_image
    assert [str(reference) for reference in parts.add_on.components] == ["Acme-driver:1-1"]
