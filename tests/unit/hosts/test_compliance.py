"""Judging an image against a host: nothing goes down, and what would is named with its remedy."""

from __future__ import annotations

import attrs
import pytest
from support.memory_catalogs import Stock, vib
from support.release_catalogs import AGENT, BNXT, DELL, MARVELL, part, shop, the, version_of

from esximage_builder.codes import Layer
from esximage_builder.findings import Severity
from esximage_builder.hosts.compliance import judge_host
from esximage_builder.models.host import Host, HostComponent
from esximage_builder.models.image import Image
from esximage_builder.models.spec import AddOnReference
from esximage_builder.rules.compatibility import LayerVerdict, Verdict
from esximage_builder.rules.compose import compose, image_from_profile
from esximage_builder.versions import AddOnVersion, BaseImageVersion, ComponentVersion

A08 = "703.20328353-A08"


@pytest.fixture
def image() -> Image:
    stock = shop(["7.0U3f"], [A08])
    return compose(stock.catalog(), base_image=version_of("7.0U3f"), add_on=(DELL, A08))


def host_of(image: Image) -> Host:
    """A host that runs just this image."""
    assert image.base_image is not None
    assert image.add_on is not None
    return Host(
        name="esx1",
        base_image=image.base_image.version,
        add_on=AddOnReference(image.add_on.name, image.add_on.version),
        components=[
            HostComponent(name=entry.component.name, version=entry.component.version) for entry in image.components
        ],
    )


def with_component(host: Host, name: str, version: str, *, is_manual: bool | None = None) -> Host:
    others = [known for known in host.components if known.name != name]
    own = HostComponent(name=name, version=ComponentVersion(version), is_manual=is_manual)
    return attrs.evolve(host, components=[*others, own])


def test_a_host_takes_its_own_image(image: Image) -> None:
    answer = judge_host(image, host_of(image))

    assert (answer.subject, answer.target) == (image.name, "esx1")
    assert answer.layers == (
        LayerVerdict(layer=Layer.HOST, verdict=Verdict.FITS, reason="nothing on the host is newer than the image"),
    )


def test_a_host_takes_what_is_higher(image: Image) -> None:
    host = attrs.evolve(
        with_component(host_of(image), BNXT, "1.0-1"),
        base_image=BaseImageVersion(version_of("7.0U3e")),
        add_on=AddOnReference(DELL, AddOnVersion("703.20328353-A07")),
    )

    assert judge_host(image, host).verdict is Verdict.FITS


def test_a_higher_build_on_the_host_is_no_newer_release(image: Image) -> None:
    """7.0 U2e, build 19290878, goes to 7.0 U3c, build 19193900: that is an update, not a downgrade."""
    newest_build = BaseImageVersion("7.0.2-0.30.19290878")
    host = attrs.evolve(host_of(image), base_image=newest_build, components=())
    older = compose(shop(["7.0U3c"]).catalog(), base_image=version_of("7.0U3c"))

    assert newest_build.build > BaseImageVersion(version_of("7.0U3c")).build
    assert judge_host(older, host).verdict is Verdict.FITS


def test_a_host_that_is_newer_than_the_image_is_named_with_the_remedy(image: Image) -> None:
    host = attrs.evolve(host_of(image), base_image=BaseImageVersion(version_of("7.0U3g")))
    finding = the(judge_host(image, host).findings, "host-newer-than-image")

    assert finding.severity is Severity.ERROR
    assert finding.message == ("esx1 runs ESXi 7.0.3-0.55.20328353, the image would put 7.0.3-0.50.20036589 on it")
    assert finding.items == ("esx1", "ESXi:7.0.3-0.50.20036589")
    assert finding.remedy == "raise the image to 7.0.3-0.55.20328353 or later"


def test_a_newer_add_on_on_the_host_is_named(image: Image) -> None:
    host = attrs.evolve(host_of(image), add_on=AddOnReference(DELL, AddOnVersion("703.20328353-A09")))
    answer = judge_host(image, host)

    finding = the(answer.findings, "host-add-on-newer")
    assert finding.remedy == "raise the image's add-on to 703.20328353-A09 or later"
    assert answer.layers[0].reason == finding.message


@pytest.mark.parametrize("add_on", [None, AddOnReference("LVO", AddOnVersion("LVO.999.1"))], ids=["none", "other"])
def test_add_ons_of_other_names_are_not_compared(image: Image, add_on: AddOnReference | None) -> None:
    assert judge_host(image, attrs.evolve(host_of(image), add_on=add_on)).verdict is Verdict.FITS


@pytest.mark.parametrize(
    ("is_manual", "cause"),
    [
        pytest.param(
            True,
            "the add-on brings 222.0.118.0-1OEM.700.1.0.15843807; the component was added by hand: "
            "downgrades of manually added components are not supported",
            id="by hand",
        ),
        pytest.param(
            None,
            "the add-on brings 222.0.118.0-1OEM.700.1.0.15843807; the component is on the host, who added it is not "
            "known: downgrades of manually added components are not supported",
            id="not known",
        ),
        pytest.param(
            False,
            "the add-on brings 222.0.118.0-1OEM.700.1.0.15843807; the component came with an image: whether a host "
            "takes a lower one is not publicly known, so it counts as refused",
            id="with an image",
        ),
    ],
)
def test_a_newer_driver_on_the_host_is_worded_as_people_search_for_it(
    image: Image, cause: str, *, is_manual: bool | None
) -> None:
    newer = "222.0.155.0-1OEM.700.1.0.15843807"
    host = with_component(host_of(image), BNXT, newer, is_manual=is_manual)
    finding = the(judge_host(image, host).findings, "host-component-newer")

    assert finding.message == (
        f"esx1 has {BNXT} {newer}, the image would lower it to 222.0.118.0-1OEM.700.1.0.15843807"
    )
    assert finding.cause == cause
    assert finding.remedy == (
        f"take a newer add-on that has {newer} or later, or add {BNXT} {newer} to the image, or remove the component "
        "from the host first (not if the host boots or is reached over a network or storage adapter that needs it)"
    )


def test_each_lower_component_is_named(image: Image) -> None:
    host = with_component(with_component(host_of(image), BNXT, "999-1"), AGENT, "999-1")

    items = [finding.items[1] for finding in judge_host(image, host).findings]
    assert sorted(items) == [f"{BNXT}:222.0.118.0-1OEM.700.1.0.15843807", f"{AGENT}:4.1.0-8"]


def test_what_the_image_does_not_have_is_not_lowered(image: Image) -> None:
    host = with_component(host_of(image), MARVELL, "5.0.402.0-1OEM.700.1.0.15843807", is_manual=True)

    assert judge_host(image, host).verdict is Verdict.FITS


def test_an_image_from_a_profile_has_no_source_to_name() -> None:
    stock = Stock()
    part(stock, BNXT, "1.0-1", vib("bnxtnet"), id="bulletin")
    stock.profile("opened", ["ACM_bootbank_bnxtnet_1.0-1"], bulletin_ids=["bulletin"])
    opened = image_from_profile(stock.catalog(), "opened")
    host = Host(
        name="esx1",
        base_image=BaseImageVersion(version_of("7.0U3f")),
        components=[HostComponent(name=BNXT, version=ComponentVersion("2.0-1"))],
    )

    assert "the image profile brings 1.0-1" in the(judge_host(opened, host).findings, "host-component-newer").cause


def test_every_finding_tells_host_and_both_versions_as_facts(image: Image) -> None:
    """Whoever raises the image reads versions from facts, not from a sentence."""
    host = attrs.evolve(
        with_component(host_of(image), BNXT, "999-1"),
        base_image=BaseImageVersion(version_of("7.0U3g")),
        add_on=AddOnReference(DELL, AddOnVersion("703.20328353-A09")),
    )

    assert [dict(finding.facts) for finding in judge_host(image, host).findings] == [
        {"host": "esx1", "has": version_of("7.0U3g"), "wanted": version_of("7.0U3f")},
        {"host": "esx1", "add_on": DELL, "has": "703.20328353-A09", "wanted": A08},
        {"host": "esx1", "component": BNXT, "has": "999-1", "wanted": "222.0.118.0-1OEM.700.1.0.15843807"},
    ]
