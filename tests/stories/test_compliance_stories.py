"""Stories of people who keep hosts as their image says: each test carries its story's number.

Version strings of releases and add-ons are real ones, contents are invented; stories about files use
the fixture depots.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs
import pytest
from support.memory_catalogs import Stock, vib
from support.release_catalogs import AGENT, BNXT, DELL, LPFC, MARVELL, dell, part, shop, the, version_of
from support.small_hosts import host_of, with_component, with_vibs

from esximage_builder.depot.opening import open_depot
from esximage_builder.hosts.check import check_compliance
from esximage_builder.hosts.drift import explain_drift
from esximage_builder.models.compliance import ComplianceStatus, HostCompliance, ItemReason
from esximage_builder.models.host import Host, HostPart
from esximage_builder.rules.compose import compose
from esximage_builder.rules.validate import validate
from esximage_builder.versions import BaseImageVersion
from esximage_builder.views.compliance_json import cluster_compliance_as_dict
from esximage_builder.vocabulary import AcceptanceLevel

if TYPE_CHECKING:
    from pathlib import Path

    from esximage_builder.models.image import Image

COMPLIANT, UNAVAILABLE, NON_COMPLIANT, INCOMPATIBLE = ComplianceStatus
A08, A09 = "703.20328353-A08", "703.20328353-A09"


def custom(stock: Stock, release: str, add_on: str = "", **fields: Any) -> Image:
    """A custom image of a published release and one of Dell's add-ons."""
    return compose(stock.catalog(), base_image=version_of(release), add_on=(DELL, add_on) if add_on else None, **fields)


def reasons(verdict: HostCompliance) -> dict[str, ItemReason | None]:
    return {item.name: item.reason for item in verdict.items}


# Story S8, the way up


def test_s08_the_reverse_build_trap_needs_an_update_and_is_not_incompatible() -> None:
    """Host 7.0 U2e, build 19290878, image 7.0 U3c, build 19193900: the image is the newer one."""
    image = custom(shop(["7.0U3c"]), "7.0U3c")
    older = "7.0.2-0.30.19290878"
    host = attrs.evolve(host_of(image), base_image=BaseImageVersion(older))
    host = with_component(with_component(host, "ESXi", older), "esx-update", older)
    (verdict,) = check_compliance(image, [host]).hosts
    assert (verdict.status, verdict.impact) == (NON_COMPLIANT, "REBOOT_REQUIRED")
    assert reasons(verdict) == dict.fromkeys(("ESXi", "esx-update"), ItemReason.IMAGE_IS_LATER)
    assert verdict.findings == ()


@pytest.mark.parametrize(
    ("has", "wanted", "status"),
    [
        ("8.0U3se", "8.0U3e", NON_COMPLIANT),
        ("8.0U3e", "8.0U3se", INCOMPATIBLE),
        ("8.0U2b", "8.0U2sb", INCOMPATIBLE),
        ("9.0.0.0100", "9.0.2", NON_COMPLIANT),
        ("9.0.2", "8.0U3e", INCOMPATIBLE),
        ("7.0U3g", "8.0", NON_COMPLIANT),
    ],
)
def test_s08_hosts_of_one_release_against_another(has: str, wanted: str, status: ComplianceStatus) -> None:
    stock = shop([has, wanted])
    cluster = check_compliance(custom(stock, wanted), [host_of(custom(stock, has))], catalog=stock.catalog())
    assert cluster.status is status
    assert cluster.hosts[0].base_image is not None
    assert cluster.hosts[0].base_image.status is status


# Story S9, a vCenter restored from its backup


def test_s09_hosts_are_newer_than_the_image_of_a_restored_vcenter() -> None:
    """The cluster's image is U3f with A08, its hosts are at U3g with A09: each says so of base image and add-on."""
    stock = shop(["7.0U3f", "7.0U3g"], [A08, A09])
    image, ahead = custom(stock, "7.0U3f", A08), custom(stock, "7.0U3g", A09)
    hosts = [host_of(ahead, f"esx{number}") for number in range(4)]
    cluster = check_compliance(image, hosts, catalog=stock.catalog())

    assert (cluster.status, cluster.names(INCOMPATIBLE)) == (INCOMPATIBLE, ("esx0", "esx1", "esx2", "esx3"))
    for verdict in cluster.hosts:
        assert the(verdict.findings, "host-newer-than-image").fact("has") == version_of("7.0U3g")
        assert A09 in the(verdict.findings, "host-add-on-newer").remedy
        lower = [finding for finding in verdict.findings if finding.code == "host-component-newer"]
        assert BNXT in {finding.fact("component") for finding in lower}
        assert reasons(verdict)[BNXT] is ItemReason.HOST_IS_LATER

    adopted = check_compliance(ahead, hosts, catalog=stock.catalog())
    assert (adopted.status, adopted.impact) == (COMPLIANT, "NO_IMPACT")


# Story S10, drift


def drifted(image: Image, behind: Image) -> list[Host]:
    """Four hosts: two as the image, one an image behind, one with a tool of its own."""
    text = "virten_bootbank_ghettoVCB_1.0.0-0.0.0"
    tinkered = with_vibs(
        host_of(image, "esx4", with_vibs=True, standalone_vibs=[text]),
        [("ghettoVCB", "1.0.0-0.0.0")],
        vendor="virten",
        acceptance_level=AcceptanceLevel.COMMUNITY,
        is_live_removable=True,
        needs_maintenance_mode=False,
    )
    return [host_of(image, "esx1"), host_of(image, "esx2"), host_of(behind, "esx3"), tinkered]


def test_s10_four_hosts_one_behind_and_one_with_a_tool_of_its_own() -> None:
    stock = shop(["7.0U3e", "7.0U3f"])
    image, behind = custom(stock, "7.0U3f"), custom(stock, "7.0U3e")
    cluster = check_compliance(image, drifted(image, behind), catalog=stock.catalog())

    assert [host.status for host in cluster.hosts] == [COMPLIANT, COMPLIANT, NON_COMPLIANT, NON_COMPLIANT]
    assert (cluster.status, cluster.impact) == (NON_COMPLIANT, "REBOOT_REQUIRED")
    _, _, old, tinkered = cluster.hosts
    assert reasons(old)["ESXi"] is ItemReason.IMAGE_IS_LATER
    assert (old.impact, "esx-base" in old.impact_reason) == ("REBOOT_REQUIRED", True)
    (finding,) = tinkered.findings
    assert (finding.code, tinkered.items, tinkered.impact) == ("standalone-vib-removed", (), "NO_IMPACT")
    assert "of level CommunitySupported" in finding.message


def test_s10_a_host_without_inventory_is_unavailable_and_the_cluster_says_what_is_missing() -> None:
    stock = shop(["7.0U3f"])
    image = custom(stock, "7.0U3f")
    cluster = check_compliance(image, [host_of(image, "esx1"), Host(name="esx2", told=[])])
    assert cluster.status is UNAVAILABLE
    found = cluster_compliance_as_dict(cluster)
    assert (found["compliant_hosts"], found["unavailable_hosts"]) == (["esx1"], ["esx2"])
    assert isinstance(found["hosts"], dict)
    assert list(found["hosts"]) == ["esx1"]


def test_s10_drift_is_told_by_the_history_of_images() -> None:
    stock = shop(["7.0U3e", "7.0U3f", "7.0U3g"], [A08])
    history = [custom(stock, "7.0U3g", A08), custom(stock, "7.0U3f", A08), custom(stock, "7.0U3e")]
    _, same, behind, tinkered = (
        explain_drift(host, history, catalog=stock.catalog()) for host in drifted(history[1], history[2])
    )
    assert (same.nearest_image, same.is_exact, same.behind_since) == (history[1].name, True, history[0].name)
    assert (behind.nearest_image, behind.behind_since) == (history[2].name, history[1].name)
    assert (tinkered.nearest_image, tinkered.is_exact) == (history[1].name, False)
    assert tinkered.removed == tinkered.own_vibs == ("virten_bootbank_ghettoVCB_1.0.0-0.0.0",)


# Story S11, a host's driver is newer


@pytest.mark.parametrize(
    ("newer", "brought"),
    [
        ("5.0.402.0-1OEM.700.1.0.15843807", "5.0.305.0-1OEM.700.1.0.15843807"),
        ("5.0.305.0-2OEM.700.1.0.15843807", "5.0.305.0-1OEM.700.1.0.15843807"),
    ],
)
@pytest.mark.parametrize("is_manual", [True, False, None])
def test_s11_a_driver_that_is_newer_on_the_host(newer: str, brought: str, *, is_manual: bool | None) -> None:
    stock = shop(["7.0U3g"])
    dell(stock, A08, part(stock, MARVELL, brought, vib("qedentv", brought)))
    part(stock, MARVELL, newer, vib("qedentv", newer))
    image = custom(stock, "7.0U3g", A08)
    host = with_component(host_of(image), MARVELL, newer, is_manual=is_manual)
    (verdict,) = check_compliance(image, [host], catalog=stock.catalog()).hosts

    assert (verdict.status, reasons(verdict)) == (INCOMPATIBLE, {MARVELL: ItemReason.HOST_IS_LATER})
    (finding,) = verdict.findings
    by_hand = "downgrades of manually added components are not supported"
    assert (by_hand in finding.cause) == (is_manual is not False)
    assert f"add {MARVELL} {newer} to the image" in finding.remedy

    helped = custom(stock, "7.0U3g", A08, components={MARVELL: newer})
    assert validate(helped, stock.catalog()).is_valid
    (again,) = check_compliance(helped, [host], catalog=stock.catalog()).hosts
    assert again.status is COMPLIANT


def test_s11_the_host_then_stands_by_its_other_items() -> None:
    newer = "230.0.162.0-1OEM.800.1.0.20513097"
    stock = shop(["7.0U3f", "7.0U3g"], [A08])
    part(stock, BNXT, newer, vib("bnxtnet", newer))
    host = with_component(host_of(custom(stock, "7.0U3f", A08)), BNXT, newer, is_manual=True)
    image = custom(stock, "7.0U3g", A08, components={BNXT: newer})
    (verdict,) = check_compliance(image, [host], catalog=stock.catalog()).hosts
    assert verdict.status is NON_COMPLIANT
    assert BNXT not in reasons(verdict)
    assert set(reasons(verdict)) == {"ESXi", "esx-update"}
    assert AGENT not in reasons(verdict)
    assert LPFC not in reasons(verdict)


# Files of the fixtures: the same as a customer has


def test_a_fixture_image_is_what_its_own_hosts_have(depots: Path) -> None:
    paths = [path for path in sorted(depots.iterdir()) if "7.0U3g" in path.name or "A09" in path.name]
    with open_depot(*paths) as depot:
        image = compose(depot.catalog, base_image="7.0U3g", add_on="ACME-AddOn:703.20328353.A09")
        host = host_of(image, with_vibs=True)
        host = attrs.evolve(host, told=host.told - {HostPart.STANDALONE_VIBS})
        assert check_compliance(image, [host], catalog=depot.catalog).status is COMPLIANT
        assert check_compliance(image, [host]).status is COMPLIANT
