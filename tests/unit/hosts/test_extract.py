"""The image that a host has: what it is made of, what it takes, and what is in no image."""

from __future__ import annotations

import attrs
import pytest
from support.memory_catalogs import BASE_VERSION, Stock, component_ids, spec, vib
from support.release_catalogs import AGENT, DELL, shop, version_of
from support.small_hosts import host_of, with_component, with_vibs, without_component

from esximage_builder.errors import ModelError
from esximage_builder.hosts.check import check_compliance
from esximage_builder.hosts.extract import image_of_host
from esximage_builder.models.compliance import ComplianceStatus
from esximage_builder.models.host import Host, HostComponent, HostPart, HostSolution
from esximage_builder.models.spec import AddOnReference
from esximage_builder.rules.compose import compose
from esximage_builder.versions import AddOnVersion, BaseImageVersion, ComponentVersion

A08 = "703.20328353-A08"


@pytest.mark.parametrize(
    ("release", "add_on"), [("7.0U3g", A08), ("8.0U3b", "803.24280767-A02"), ("7.0U3i", "703.23794027-A24")]
)
def test_a_host_of_base_image_and_add_on_gives_just_these(release: str, add_on: str) -> None:
    catalog = shop([release, "7.0U3f"], [add_on, "703.20328353-A09"]).catalog()
    image = compose(catalog, base_image=version_of(release), add_on=(DELL, add_on))
    found = image_of_host(host_of(image), catalog)
    assert found.spec is not None
    assert (found.spec.base_image, str(found.spec.add_on)) == (version_of(release), f"{DELL}:{add_on}")
    assert (found.spec.components, found.spec.removed_components, found.why_not) == ((), (), ())
    assert found.image is not None
    assert found.image.digest == image.digest
    assert found.decomposition is not None
    assert found.decomposition.add_on == image.add_on


@pytest.mark.parametrize("extra", ["0.9-1", "2.0-1"])
def test_what_differs_from_its_units_is_pinned_or_taken_off(extra: str) -> None:
    stock = shop(["7.0U3g"], [A08])
    stock.driver("Acme-net", extra)
    catalog = stock.catalog()
    host = host_of(compose(catalog, base_image=version_of("7.0U3g"), add_on=(DELL, A08)))
    host = without_component(with_component(host, "Acme-net", extra), AGENT)
    found = image_of_host(host, catalog)
    assert found.spec is not None
    assert found.spec.components == (("Acme-net", ComponentVersion(extra)),)
    assert found.spec.removed_components == (AGENT,)
    assert found.image is not None
    assert check_compliance(found.image, [host]).status is ComplianceStatus.COMPLIANT


def test_the_add_on_that_a_host_tells_is_taken_before_one_that_explains_as_much() -> None:
    """Two add-ons of one content; the host says which it has."""
    stock = Stock()
    stock.base_image()
    part = stock.driver("agent")
    for version in ("703.1-A01", "703.1-A02"):
        stock.add_on(part, release=("ACME-AddOn", version))
    catalog = stock.catalog()
    for version in ("703.1-A01", "703.1-A02"):
        image = compose(catalog, spec(add_on=("ACME-AddOn", version)))
        found = image_of_host(host_of(image), catalog)
        assert str(found.spec and found.spec.add_on) == f"ACME-AddOn:{version}"
        untold = attrs.evolve(host_of(image), add_on=None, told=host_of(image).told - {HostPart.ADD_ON})
        guess = image_of_host(untold, catalog)
        assert guess.spec is not None
        assert guess.spec.add_on is None
        assert guess.decomposition is not None
        assert len(guess.decomposition.tied) == 2


def test_packages_and_solutions_that_a_host_tells_are_in_the_spec() -> None:
    stock = Stock()
    stock.base_image()
    package = stock.package("firmware", stock.driver("fw-agent"))
    stock.driver("ha", "1.0-1")
    solution = stock.solution("com.acme.ha", {"ha": ("1.0-1",)})
    image = compose(stock.catalog(), spec(packages=[package], solutions=[solution]))
    found = image_of_host(host_of(image), stock.catalog())
    assert found.spec is not None
    assert found.spec.hardware_support == (package,)
    assert [entry.name for entry in found.spec.solutions] == ["com.acme.ha"]
    assert found.spec.components == ()


def test_each_part_that_is_not_loaded_is_named() -> None:
    stock = shop(["7.0U3g"], [A08])
    image = compose(stock.catalog(), base_image=version_of("7.0U3g"), add_on=(DELL, A08))
    host = attrs.evolve(
        with_component(host_of(image), "Acme-net", "1.0-1"),
        solutions=[HostSolution(name="com.acme.ha", version="2.0")],
    )
    host = attrs.evolve(host, told=host.told | {HostPart.SOLUTIONS})
    found = image_of_host(host, shop([], []).catalog())
    assert (found.image, found.spec) == (None, None)
    assert found.missing[:3] == (
        f"base image {version_of('7.0U3g')}", f"add-on {DELL}:{A08}", "solution com.acme.ha:2.0",
    )  # fmt: skip
    assert "component Acme-net:1.0-1" in found.missing
    assert found.why_not[0] == f"not loaded: base image {version_of('7.0U3g')}"


def test_a_vib_of_a_loaded_component_that_is_not_loaded_is_named() -> None:
    stock = Stock()
    stock.base_image(stock.driver("net"))
    image = compose(stock.catalog(), spec())
    stock.vibs = [entry for entry in stock.vibs if entry.name != "net"]
    assert image_of_host(host_of(image), stock.catalog()).missing == ("VIB ACM_bootbank_net_1.0-1 of net:1.0-1",)


@pytest.mark.parametrize("told", [True, False], ids=["told", "by the vibs"])
def test_vibs_that_no_component_brings_are_in_no_image_and_named(told: bool) -> None:  # noqa: FBT001 - cases
    stock = Stock()
    stock.base_image()
    image = compose(stock.catalog(), spec())
    host = with_vibs(host_of(image, with_vibs=True), [("stray", "1.0-1")])
    if told:
        host = attrs.evolve(host, standalone_vibs=["ACM_bootbank_stray_1.0-1"])
    else:
        host = attrs.evolve(host, told=host.told - {HostPart.STANDALONE_VIBS})
    found = image_of_host(host, stock.catalog())
    assert found.left_out == (("ACM_bootbank_stray_1.0-1",) if told else ("stray 1.0-1",))
    assert found.image is not None


def test_a_vib_that_is_otherwise_than_its_component_brings_is_named() -> None:
    stock = Stock()
    stock.base_image(stock.driver("net", "1.0-1"))
    image = compose(stock.catalog(), spec())
    host = host_of(image, with_vibs=True)
    others = [entry for entry in host.vibs if entry.name != "net"]
    host = with_vibs(attrs.evolve(host, vibs=others), [("net", "2.0-1")])
    assert image_of_host(host, stock.catalog()).differing == ("net 1.0-1",)


@pytest.mark.parametrize("major", ["6.7.0-0.0.8169922", "6.5.0-0.0.4564106"])
def test_a_host_before_7_has_an_image_of_vibs_and_no_spec(major: str) -> None:
    stock = Stock()
    base, net = vib("esx-base", major, vendor="VMware"), vib("net")
    stock.vibs += [base, net]
    host = with_vibs(Host(name="old", told=[HostPart.VIBS]), [("esx-base", major), ("net", "1.0-1")])
    found = image_of_host(host, stock.catalog())
    assert found.image is not None
    assert [entry.vib for entry in found.image.vibs] == [net, base]
    assert (found.spec, found.image.name) == (None, "old")
    lacking = with_vibs(host, [("gone", "1.0-1")])
    assert image_of_host(lacking, stock.catalog()).missing == ("VIB gone 1.0-1",)


def test_a_host_that_tells_vibs_alone_has_to_tell_its_components_from_7_on() -> None:
    host = with_vibs(Host(name="esx1", told=[HostPart.VIBS]), [("esx-base", BASE_VERSION)])
    found = image_of_host(host, Stock().catalog())
    assert found.untold == (HostPart.COMPONENTS,)
    assert found.missing == (f"base image {BASE_VERSION}",)


def test_base_image_and_add_on_alone_are_filled_in() -> None:
    """An answer of the API that lists what is beyond base image and add-on."""
    catalog = shop(["7.0U3g"], [A08]).catalog()
    host = Host(
        name="esx1",
        base_image=BaseImageVersion(version_of("7.0U3g")),
        add_on=AddOnReference(DELL, AddOnVersion(A08)),
        told=[HostPart.BASE_IMAGE, HostPart.ADD_ON],
    )
    found = image_of_host(host, catalog, name="seed")
    assert found.image is not None
    assert found.image.name == "seed"
    assert f"{AGENT}:4.1.0-8" in component_ids(found.image)


def test_the_component_of_the_base_image_tells_its_version() -> None:
    stock = Stock()
    stock.base_image()
    host = Host(
        name="esx1",
        components=[HostComponent(name="ESXi", version=ComponentVersion(BASE_VERSION))],
        told=[HostPart.COMPONENTS],
    )
    assert image_of_host(host, stock.catalog()).spec == spec()
    strange = attrs.evolve(host, components=[HostComponent(name="odd", version=ComponentVersion("1.0-1"))])
    assert image_of_host(strange, stock.catalog()).untold == (HostPart.BASE_IMAGE,)


def test_a_host_without_a_core_component_is_no_image() -> None:
    catalog = shop(["7.0U3g"]).catalog()
    host = without_component(host_of(compose(catalog, base_image=version_of("7.0U3g"))), "esx-update")
    found = image_of_host(host, catalog)
    assert found.image is None
    assert "esx-update" in found.why_not[0]


def test_what_is_no_catalog_is_refused() -> None:
    with pytest.raises(ModelError):
        image_of_host(Host(name="esx1"), "depot.zip")  # type: ignore[arg-type]
