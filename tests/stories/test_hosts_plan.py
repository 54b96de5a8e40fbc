"""Hosts on their way to an image: what would change, which way they can go, and what is adopted from them."""

from __future__ import annotations

from typing import Any

import attrs
import pytest
from support.memory_catalogs import Stock, vib
from support.release_catalogs import AGENT, BNXT, DELL, base_image, dell, shop, version_of
from support.small_hosts import host_of, with_component

from esximage_builder.hosts.check import check_compliance
from esximage_builder.hosts.remediation import plan_remediation
from esximage_builder.models.compliance import ComplianceStatus
from esximage_builder.models.host import Host, HostFacts
from esximage_builder.models.image import Image
from esximage_builder.models.remediation import HostPlan, Ternary
from esximage_builder.models.spec import AddOnReference
from esximage_builder.rules.compose import compose
from esximage_builder.versions import AddOnVersion

CALM: dict[str, Any] = {"supports_quick_boot": True, "runs_vcenter": False, "runs_nsx": False}
"""Facts of a host that can go every faster way."""

A08, A09 = "703.20328353-A08", "703.20328353-A09"


def composed(stock: Stock, release: str, add_on: str = "") -> Image:
    return compose(stock.catalog(), base_image=version_of(release), add_on=(DELL, add_on) if add_on else None)


def host_with(image: Image, name: str = "esx1", **facts: Any) -> Host:
    """A host that has the image, with these facts; components came with an image."""
    return host_of(image, name, facts=HostFacts(**facts))


def plan_of(image: Image, *hosts: Host, stock: Stock | None = None) -> HostPlan:
    catalog = None if stock is None else stock.catalog()
    return plan_remediation(image, hosts, catalog=catalog).hosts[0]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (("7.0U3f", A08), ("7.0U3g", A09)),
        (("8.0U3", "803.24280767-A02"), ("8.0U3e", "803.24280767-A02")),
        (("7.0U3g", A08), ("7.0U3i", "703.23794027-A24")),
    ],
    ids=["f to g", "8.0U3 to e", "g to i"],
)
def test_s9_hosts_newer_than_a_restored_image_lend_theirs(old: tuple[str, str], new: tuple[str, str]) -> None:
    """S9: every host is incompatible with its reason; the adopted image leaves nothing to do on any."""
    stock = shop([old[0], new[0]], sorted({old[1], new[1]}))
    catalog = stock.catalog()
    image, newer = composed(stock, *old), composed(stock, *new)
    hosts = [host_with(newer, name) for name in ("esx1", "esx2", "esx3")]

    plan = plan_remediation(image, hosts, catalog=catalog)
    assert plan.status is ComplianceStatus.INCOMPATIBLE
    assert plan.is_empty
    for host in plan.hosts:
        assert host.obstacles[0].item is not None
        assert host.obstacles[0].item.name == "ESXi"
        assert "host-newer-than-image" in {finding.code for finding in host.findings}
    adoption = plan.adoption
    assert adoption is not None
    assert adoption.image is not None
    assert adoption.spec is not None
    assert adoption.like == ("esx1", "esx2", "esx3")
    assert adoption.image.digest == newer.digest == compose(catalog, adoption.spec).digest
    assert check_compliance(adoption.image, hosts, catalog=catalog).status is ComplianceStatus.COMPLIANT
    after = plan_remediation(adoption.image, hosts, catalog=catalog)
    assert (after.is_empty, after.is_done, after.waves, after.adoption) == (True, True, (), None)


def test_s9_a_component_of_the_add_on_is_named_too() -> None:
    """S9: host newer for base image, add-on and each component of the add-on."""
    stock = shop(["7.0U3f", "7.0U3g"], [A08, A09])
    image, newer = composed(stock, "7.0U3f", A08), composed(stock, "7.0U3g", A09)
    plan = plan_of(image, host_with(newer), stock=stock)
    assert [obstacle.item.name for obstacle in plan.obstacles if obstacle.item] == [
        "ESXi",
        DELL,
        BNXT,
        "ESXi",
        "esx-update",
    ]


def test_s9_what_no_loaded_depot_can_make_is_said() -> None:
    """S9: with the old depots alone nothing can be adopted, and what is missing has a name."""
    stock, all_of_it = shop(["7.0U3f"], [A08]), shop(["7.0U3f", "7.0U3g"], [A08, A09])
    image = composed(stock, "7.0U3f", A08)
    plan = plan_remediation(image, [host_with(composed(all_of_it, "7.0U3g", A09))], catalog=stock.catalog())
    assert plan.adoption is not None
    assert plan.adoption.image is None
    assert f"esx1: not loaded: base image {version_of('7.0U3g')}" in plan.adoption.reasons
    assert f"esx1: not loaded: add-on {DELL}:{A09}" in plan.adoption.reasons


@pytest.mark.parametrize(
    ("before", "after", "verdict", "word"),
    [
        ("7.0U3f", "7.0U3g", Ternary.YES, "patch"),
        ("8.0U2sb", "8.0U2b", Ternary.YES, "patch"),
        ("7.0U1", "7.0U3", Ternary.NO, "update"),
        ("8.0", "8.0U3", Ternary.NO, "update"),
        ("7.0U3", "8.0U3", Ternary.NO, "upgrade"),
    ],
)
def test_s18_suspend_to_memory_is_for_patches(before: str, after: str, verdict: Ternary, word: str) -> None:
    """S18: a patch is eligible, an update and an upgrade are not, even with Quick Boot."""
    stock = shop([before, after])
    plan = plan_of(composed(stock, after), host_with(composed(stock, before), **CALM))
    assert plan.change == word
    assert plan.quick_boot.verdict is Ternary.YES
    assert plan.suspend_to_memory.verdict is verdict
    assert word in plan.suspend_to_memory.reason


@pytest.mark.parametrize(("fact", "word"), [("runs_vcenter", "vCenter"), ("runs_nsx", "NSX")])
def test_s18_what_runs_on_any_host_of_the_cluster_counts(fact: str, word: str) -> None:
    """S18: vCenter or NSX on a host of the cluster makes none of them eligible."""
    stock = shop(["7.0U3f", "7.0U3g"])
    before = composed(stock, "7.0U3f")
    cluster = [host_with(before, "esx1", **CALM), host_with(before, "esx2", **CALM | {fact: True})]
    for plan in plan_remediation(composed(stock, "7.0U3g"), cluster).hosts:
        assert plan.suspend_to_memory.verdict is Ternary.NO
        assert plan.suspend_to_memory.reason.endswith("runs on esx2")
        assert word in plan.suspend_to_memory.reason


def test_s18_what_is_not_told_is_never_yes() -> None:
    """S18: unknown hardware is UNKNOWN, for Quick Boot and for what needs it."""
    stock = shop(["7.0U3f", "7.0U3g"])
    image, before = composed(stock, "7.0U3g"), composed(stock, "7.0U3f")
    unknown = plan_of(image, host_with(before))
    assert (unknown.quick_boot.verdict, unknown.suspend_to_memory.verdict) == (Ternary.UNKNOWN, Ternary.UNKNOWN)
    untold = plan_of(image, host_with(before, supports_quick_boot=True, runs_nsx=False))
    assert untold.suspend_to_memory.verdict is Ternary.UNKNOWN
    assert "vCenter" in untold.suspend_to_memory.reason
    never = plan_of(image, host_with(before, **CALM | {"supports_quick_boot": False}))
    assert (never.quick_boot.verdict, never.suspend_to_memory.verdict) == (Ternary.NO, Ternary.NO)


LIVE = ("9.0.0.0.24755229", "9.0.0.0100.24813472")


@pytest.mark.parametrize(("listed", "target"), [(LIVE[0], LIVE[1]), ("8.0.3-0.65.24659227", "8.0.3-0.70.24674464")])
def test_s19_a_live_patch_is_one_that_the_base_image_lists(listed: str, target: str) -> None:
    """S19: PARTIAL_MAINTENANCE_MODE_REQUIRED from the listed version, REBOOT_REQUIRED from another."""
    stock = Stock()
    stock.base_image(version=listed)
    other = stock.base_image(version="8.0.3-0.0.24022510" if target.startswith("8") else "9.0.0.0.24000000")
    stock.base_image(version=target, quick_patch_versions=[(listed, listed)])
    catalog = stock.catalog()
    image = compose(catalog, base_image=target)
    live = plan_of(image, host_with(compose(catalog, base_image=listed)), stock=stock)
    assert (live.impact, live.live_patch.verdict) == ("PARTIAL_MAINTENANCE_MODE_REQUIRED", Ternary.YES)
    cold = plan_of(image, host_with(compose(catalog, base_image=other.version.text)), stock=stock)
    assert (cold.impact, cold.live_patch.verdict) == ("REBOOT_REQUIRED", Ternary.NO)
    assert "esx-base" in cold.impact_reason


@pytest.mark.parametrize(("before", "after"), [("7.0U3f", "7.0U3g"), ("8.0U3", "8.0U3e")])
def test_s20_the_other_boot_bank_keeps_one_step_back(before: str, after: str) -> None:
    """S20: after the update the previous bank has what ran before, one level only, and the next update loses it."""
    stock = shop([before, after])
    rollback = plan_of(composed(stock, after), host_with(composed(stock, before)), stock=stock).rollback
    assert (rollback.verdict, rollback.version, rollback.levels) == (Ternary.YES, version_of(before), 1)
    assert rollback.bank == "altbootbank"
    assert "one level, and the next update overwrites it" in rollback.reason


@pytest.mark.parametrize(
    ("build", "is_pair"), [("20328353", True), ("20328352", False), ("20036589", False), ("20328354", False)]
)
def test_builds_are_never_matched_by_nearness(build: str, *, is_pair: bool) -> None:
    """S21-like: an add-on that names 20328352 is no pair with 20328353."""
    stock = Stock()
    base_image(stock, "7.0U3g")
    stock.add_on(stock.driver("dcism"), release=(DELL, f"703.{build}-A08"), vendor="Dell")
    image = composed(stock, "7.0U3g", f"703.{build}-A08")
    found = [finding for finding in plan_remediation(image, []).findings if finding.code == "pair-not-published"]
    assert bool(found) is not is_pair
    if not is_pair:
        assert build in found[0].cause
        assert "20328353" in found[0].cause


def test_an_image_without_add_on_says_so_and_one_of_another_vendor_s_scheme_is_not_guessed() -> None:
    stock = shop(["7.0U3g"])
    stock.add_on(stock.driver("hpe"), release=("HPE-Custom", "703.0.0.10.9.1-5"))
    alone = plan_remediation(composed(stock, "7.0U3g"), [])
    assert [finding.code for finding in alone.findings] == ["image-base-only"]
    image = compose(stock.catalog(), base_image=version_of("7.0U3g"), add_on=("HPE-Custom", "703.0.0.10.9.1-5"))
    (finding,) = plan_remediation(image, []).findings
    assert (finding.code, finding.cause) == (
        "pair-not-published", "neither its version nor what it declares names one base image",
    )  # fmt: skip


def test_a_plan_says_what_comes_goes_and_stays_with_the_reason_for_the_restart() -> None:
    """Per host: components and VIBs to install, remove, keep, bytes to stage, impact with its VIB."""
    stock = shop(["7.0U3f", "7.0U3g"], [A08, A09])
    dell(stock, "703.23794027-A24")
    before, after = composed(stock, "7.0U3f", A08), composed(stock, "7.0U3g", A09)
    host = with_component(host_with(before), "old-tool", "1.0-1")
    stock.component("old-tool", "1.0-1", vib("old-tool"))
    plan = plan_of(after, host, stock=stock)
    moves = {item.name: (item.action.value, item.before, item.after) for item in plan.components}
    assert moves["ESXi"] == ("install", version_of("7.0U3f"), version_of("7.0U3g"))
    assert moves[AGENT][0] == "keep"
    assert moves["old-tool"] == ("remove", "1.0-1", "")
    assert plan.add_on is not None
    assert (plan.add_on.before, plan.add_on.after) == (A08, A09)
    vibs = {item.name: item.action.value for item in plan.vibs}
    assert (vibs["esx-base"], vibs["dcism"], vibs["old-tool"]) == ("install", "keep", "remove")
    assert plan.impact == "REBOOT_REQUIRED"
    assert "VIB" in plan.impact_reason
    assert plan.staged_bytes is None  # these VIBs state no sizes
    assert plan.reaches_compliance
    assert attrs.evolve(host, add_on=AddOnReference(DELL, AddOnVersion(A09))) != host
