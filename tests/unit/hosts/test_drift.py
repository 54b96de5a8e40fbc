"""Drift: since which image a host is behind, what happened on it alone, and who would be removed."""

from __future__ import annotations

import attrs
import pytest
from support.memory_catalogs import Stock, spec
from support.release_catalogs import RELEASES
from support.small_hosts import host_of, with_component, with_vibs, without_component

from esximage_builder.errors import ModelError
from esximage_builder.hosts.drift import explain_drift
from esximage_builder.models.compliance import ComplianceStatus, ItemReason
from esximage_builder.models.host import Host, HostPart
from esximage_builder.models.image import Image
from esximage_builder.rules.compose import compose

NEWEST_FIRST = ("7.0U3g", "7.0U3f", "7.0U3e")


@pytest.fixture(scope="module")
def history() -> list[Image]:
    """Three releases, each with a driver of its own version; the newest without a tool of the others."""
    images = []
    for number, release in enumerate(NEWEST_FIRST):
        stock = Stock()
        parts = [stock.driver("Acme-net", f"{9 - number}.0-1"), stock.driver("Acme-agent", "1.0-1")]
        parts += [stock.driver("Acme-old", "1.0-1")] if number else []
        stock.base_image(*parts, version=RELEASES[release][0], display_version=RELEASES[release][1])
        images.append(compose(stock.catalog(), spec(base_image=RELEASES[release][0])))
    return images


@pytest.mark.parametrize(("number", "since"), [(0, ""), (1, NEWEST_FIRST[0]), (2, NEWEST_FIRST[1])])
def test_a_host_that_equals_an_image_is_behind_since_the_next(history: list[Image], number: int, since: str) -> None:
    drift = explain_drift(host_of(history[number]), history)
    assert (drift.nearest, drift.is_exact, drift.nearest_image) == (number, True, history[number].name)
    assert since in drift.behind_since
    assert bool(drift.behind_since) == bool(since)
    assert (drift.own, drift.own_vibs) == ((), ())
    assert drift.removed == (("Acme-old 1.0-1",) if number else ())
    assert drift.compliance.status is (ComplianceStatus.NON_COMPLIANT if number else ComplianceStatus.COMPLIANT)


@pytest.mark.parametrize("number", [0, 1, 2])
def test_what_happened_on_the_host_alone_is_told_apart(history: list[Image], number: int) -> None:
    host = with_component(host_of(history[number]), "Acme-agent", "2.0-1", is_manual=True)
    host = attrs.evolve(host, standalone_vibs=["virten_bootbank_ghettoVCB_1.0.0-0.0.0"])
    drift = explain_drift(host, history)
    assert (drift.nearest, drift.is_exact) == (number, False)
    assert [(item.name, item.reason) for item in drift.own] == [("Acme-agent", ItemReason.HOST_IS_LATER)]
    assert drift.own_vibs == ("virten_bootbank_ghettoVCB_1.0.0-0.0.0",)
    assert "virten_bootbank_ghettoVCB_1.0.0-0.0.0" in drift.removed


def test_a_lone_vib_that_the_image_replaces_is_not_called_removed(history: list[Image]) -> None:
    host = attrs.evolve(
        without_component(host_of(history[0]), "Acme-net"), standalone_vibs=["ACM_bootbank_Acme-net_1.0-1"]
    )
    drift = explain_drift(host, history)
    assert drift.removed == ()
    assert drift.own_vibs == ("ACM_bootbank_Acme-net_1.0-1",)


def test_of_two_images_that_are_equally_near_the_newer_counts(history: list[Image]) -> None:
    twice = [attrs.evolve(history[1], name="again"), history[1]]
    assert explain_drift(host_of(history[1]), twice).nearest_image == "again"


@pytest.mark.parametrize("number", [1, 2])
def test_what_is_not_told_counts_for_nothing(history: list[Image], number: int) -> None:
    host = Host(name="esx1", base_image=history[number].esxi_version, told=[HostPart.BASE_IMAGE])
    drift = explain_drift(host, history)
    assert (drift.nearest, drift.is_exact, drift.own) == (number, False, ())


def test_of_a_host_of_which_nothing_is_known_nothing_is_said(history: list[Image]) -> None:
    drift = explain_drift(Host(name="esx1", told=[]), history)
    assert (drift.nearest, drift.nearest_image, drift.behind_since, drift.is_exact) == (None, "", "", False)


def test_a_newer_host_is_behind_nothing(history: list[Image]) -> None:
    drift = explain_drift(host_of(history[0]), history[1:])
    assert (drift.nearest, drift.behind_since) == (0, "")
    assert drift.compliance.status is ComplianceStatus.INCOMPATIBLE


def test_vibs_name_what_goes_too(history: list[Image]) -> None:
    host = with_vibs(host_of(history[0], with_vibs=True), [("tool", "1.0-1")])
    host = attrs.evolve(host, told=host.told - {HostPart.STANDALONE_VIBS})
    assert explain_drift(host, history).removed == ("tool 1.0-1",)


def test_without_history_there_is_no_drift(history: list[Image]) -> None:
    with pytest.raises(ModelError, match="at least one image"):
        explain_drift(host_of(history[0]), [])
