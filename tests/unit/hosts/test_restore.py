"""The image to adopt where hosts differ from each other, or cannot be made out."""

from __future__ import annotations

import attrs
import pytest
from support.counted_lines import lines_run_in
from support.memory_catalogs import Stock, spec
from support.release_catalogs import AGENT, DELL, shop, version_of
from support.small_hosts import host_of, with_component, with_vibs

from esximage_builder.hosts import check
from esximage_builder.hosts.check import check_compliance
from esximage_builder.hosts.restore import image_to_adopt
from esximage_builder.models.compliance import ComplianceStatus
from esximage_builder.models.host import Host, HostPart
from esximage_builder.models.image import Image
from esximage_builder.rules.compose import compose
from esximage_builder.versions import ComponentVersion

A08, A09 = "703.20328353-A08", "703.20328353-A09"


def image_of(stock: Stock, release: str, add_on: str) -> Image:
    return compose(stock.catalog(), base_image=version_of(release), add_on=(DELL, add_on))


@pytest.mark.parametrize("newest", [0, 1, 2])
def test_of_hosts_that_differ_the_image_is_that_of_the_newest(newest: int) -> None:
    stock = shop(["7.0U3f", "7.0U3g"], [A08, A09])
    old, new = image_of(stock, "7.0U3f", A08), image_of(stock, "7.0U3g", A09)
    hosts = [host_of(new if number == newest else old, f"esx{number}") for number in range(3)]
    adoption = image_to_adopt(hosts, stock.catalog())
    assert adoption.image is not None
    assert adoption.image.digest == new.digest
    assert adoption.like == (f"esx{newest}",)
    assert len(adoption.others) == len(adoption.reasons) == 2


def test_where_each_host_has_something_later_the_image_has_the_latest_of_all() -> None:
    stock = shop(["7.0U3f", "7.0U3g"], [A08, A09])
    stock.driver(AGENT, "9.0-1")
    first = host_of(image_of(stock, "7.0U3g", A08), "esx1")
    second = with_component(host_of(image_of(stock, "7.0U3f", A09), "esx2"), AGENT, "9.0-1")
    adoption = image_to_adopt([first, second], stock.catalog())
    assert adoption.spec is not None
    assert (adoption.spec.base_image, str(adoption.spec.add_on)) == (version_of("7.0U3g"), f"{DELL}:{A09}")
    assert adoption.spec.components == ((AGENT, ComponentVersion("9.0-1")),)
    assert adoption.image is not None
    cluster = check_compliance(adoption.image, [first, second])
    assert {host.status for host in cluster.hosts} == {ComplianceStatus.NON_COMPLIANT}


def test_the_work_grows_with_the_hosts_and_not_with_their_square() -> None:
    stock = shop(["7.0U3f"], [A08])
    newest = host_of(image_of(stock, "7.0U3f", A08), "esx0")
    agent = next(part for part in newest.components if part.name == AGENT)
    versions = [f"0.{number}-1" for number in range(40)]
    for version in versions:
        stock.driver(AGENT, version)
    older = [attrs.evolve(with_component(newest, AGENT, version), name=f"esx-{version}") for version in versions]
    catalog = stock.catalog()

    def lines_for(count: int) -> int:
        return lines_run_in(check, lambda: image_to_adopt([*older[:count], newest], catalog))

    assert image_to_adopt([*older, newest], catalog).spec == image_to_adopt([newest], catalog).spec
    assert str(agent.version) not in versions
    assert lines_for(40) < 5 * lines_for(10)


def test_hosts_of_two_vendors_have_no_image_in_common() -> None:
    stock = shop(["7.0U3f", "7.0U3g"], [A08])
    stock.add_on(stock.driver("hp-agent"), release=("HPE-Custom", "703.0.0.10.9.1-5"))
    first = host_of(image_of(stock, "7.0U3f", A08), "esx1")
    later = with_component(first, "DEL-other", "1.0-1")
    other = compose(stock.catalog(), base_image=version_of("7.0U3g"), add_on=("HPE-Custom", "703.0.0.10.9.1-5"))
    stock.driver("Broadcom-lpfc", "99.0-1")
    hosts = [with_component(later, "Broadcom-lpfc", "99.0-1"), host_of(other, "esx2")]
    stock.driver("DEL-other", "1.0-1")
    adoption = image_to_adopt(hosts, stock.catalog())
    assert adoption.image is None
    assert adoption.others == ("esx1", "esx2")
    assert any("would become" in reason for reason in adoption.reasons)


def test_a_vib_that_stands_alone_keeps_its_host_from_being_compliant_and_says_so() -> None:
    stock = Stock()
    stock.base_image()
    host = attrs.evolve(host_of(compose(stock.catalog(), spec())), standalone_vibs=["ACM_bootbank_stray_1.0-1"])
    adoption = image_to_adopt([host], stock.catalog())
    assert adoption.image is not None
    assert (adoption.like, adoption.others) == ((), ("esx1",))
    assert "ACM_bootbank_stray_1.0-1" in adoption.reasons[0]


def test_a_host_that_tells_too_little_is_among_the_others() -> None:
    stock = Stock()
    stock.base_image()
    host = host_of(compose(stock.catalog(), spec()))
    adoption = image_to_adopt([host, attrs.evolve(host, name="esx2", told=[])], stock.catalog())
    assert (adoption.like, adoption.others) == (("esx1",), ("esx2",))
    assert any("does not tell" in reason for reason in adoption.reasons)


@pytest.mark.parametrize("version", ["6.7.0-0.0.8169922", "6.5.0-0.0.4564106"])
def test_hosts_before_7_have_no_spec_to_adopt(version: str) -> None:
    stock = Stock()
    stock.driver("esx-base", version)
    host = with_vibs(Host(name="old", told=[HostPart.VIBS]), [("esx-base", version)])
    adoption = image_to_adopt([host], stock.catalog())
    assert adoption.spec is None
    assert "older than 7.0" in adoption.reasons[0]


def test_without_hosts_there_is_nothing_to_adopt() -> None:
    assert image_to_adopt([], Stock().catalog()).reasons == ("there is no host to take an image from",)
