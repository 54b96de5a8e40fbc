"""Plans of remediation: bytes, what is blocked and why, devices, boot banks, what is asked of the whole cluster."""

from __future__ import annotations

import attrs
import pytest
from support.memory_catalogs import Stock, component, payload, spec, vib
from support.small_hosts import host_of, with_component, with_vibs

from esximage_builder.errors import ModelError
from esximage_builder.findings import Severity
from esximage_builder.hosts.applied import apply_plan
from esximage_builder.hosts.remediation import plan_remediation
from esximage_builder.hosts.waves import RolloutConstraints
from esximage_builder.models.compliance import ComplianceStatus
from esximage_builder.models.device import PciDevice
from esximage_builder.models.host import Host, HostFacts, HostPart
from esximage_builder.models.image import Image, InstalledVib
from esximage_builder.models.remediation import HostPlan, PlanAction, Ternary
from esximage_builder.models.vib import VibFile
from esximage_builder.rules.compose import compose

NEW, OLD = "7.0.3-0.55.20328353", "7.0.3-0.50.20036589"


def plan_of(image: Image, host: Host, stock: Stock | None = None) -> HostPlan:
    return plan_remediation(image, [host], catalog=None if stock is None else stock.catalog()).hosts[0]


def image_of(stock: Stock, **wishes: object) -> Image:
    return compose(stock.catalog(), spec(**wishes))  # type: ignore[arg-type]


# Bytes and VIBs


@pytest.mark.parametrize(("packed", "stored", "expected"), [(700, 500, 700), (None, 500, 500), (None, None, None)])
def test_bytes_to_stage_are_those_of_the_files_that_come(
    packed: int | None, stored: int | None, expected: int | None
) -> None:
    """The size of the file, else of what is in it; one that is not stated is not guessed."""
    stock = Stock()
    stock.base_image(stock.driver("net", "1.0-1"))
    fields = {"payloads": [payload("net", size_bytes=stored)], "file": VibFile(size_bytes=packed)}
    stock.component("net", "2.0-1", vib("net", "2.0-1", **fields))
    image = image_of(stock, components={"net": "2.0-1"})
    plan = plan_of(image, host_of(image_of(stock)), stock)
    assert plan.knows_vibs
    assert [item.name for item in plan.vibs_to(PlanAction.INSTALL)] == ["net"]
    assert plan.staged_bytes == expected


@pytest.mark.parametrize("with_all", [True, False], ids=["vibs told", "vibs by components"])
def test_a_vib_that_an_updated_component_keeps_is_not_staged_again(with_all: bool) -> None:  # noqa: FBT001 - cases
    stock = Stock()
    kept, moved = vib("kept"), vib("moved", "1.0-1")
    stock.base_image(stock.component("pair", "1.0-1", kept, moved))
    stock.component("pair", "2.0-1", kept, vib("moved", "2.0-1"))
    image = image_of(stock, components={"pair": "2.0-1"})
    plan = plan_of(image, host_of(image_of(stock), with_vibs=with_all), stock)
    assert [item.name for item in plan.components_to(PlanAction.INSTALL)] == ["pair"]
    assert [(item.name, item.before, item.after) for item in plan.vibs_to(PlanAction.INSTALL)] == [
        ("moved", "1.0-1", "2.0-1")
    ]
    assert "kept" in {item.name for item in plan.vibs_to(PlanAction.KEEP)}


def test_without_the_old_depots_the_bytes_are_an_upper_bound() -> None:
    stock = Stock()
    stock.base_image(stock.driver("net", "2.0-1"))
    host = with_component(host_of(image_of(stock)), "net", "1.0-1")
    plan = plan_of(image_of(stock), host, stock)
    assert not plan.knows_vibs
    assert [item.name for item in plan.vibs_to(PlanAction.INSTALL)] == ["net"]
    assert "esx-base" in {item.name for item in plan.vibs_to(PlanAction.KEEP)}


# What is not done, and why


@pytest.mark.parametrize("told", [True, False], ids=["vibs told", "vibs by components"])
def test_a_vib_that_would_go_down_stops_the_plan(told: bool) -> None:  # noqa: FBT001 - cases
    """The host's tool brought a later driver than the image's component of another name."""
    stock = Stock()
    stock.base_image(stock.component("inbox-net", "1.0-1", vib("net", "1.0-1")))
    stock.component("acme-net", "5.0-1", vib("net", "2.0-1"))
    has = image_of(stock, components={"acme-net": "5.0-1"})
    plan = plan_of(image_of(stock), host_of(has, with_vibs=told), stock)
    assert plan.status is ComplianceStatus.NON_COMPLIANT
    assert not plan.has_actions
    (obstacle,) = plan.obstacles
    assert obstacle.item is not None
    assert (obstacle.item.name, obstacle.item.current, obstacle.item.target) == ("net", "2.0-1", "1.0-1")
    assert plan.findings[0].code == "host-vib-newer"
    assert plan.impact == "NO_IMPACT"


@pytest.mark.parametrize(("version", "expected"), [("0.9-1", True), ("3.0-1", False)])
def test_a_standalone_vib_is_replaced_by_a_later_one_of_the_image_and_never_by_an_earlier(
    version: str, *, expected: bool
) -> None:
    stock = Stock()
    stock.base_image(stock.driver("net", "1.0-1"))
    image = image_of(stock)
    host = host_of(image, with_vibs=True)
    others = [entry for entry in host.vibs if entry.name != "net"]
    host = with_vibs(
        attrs.evolve(host, vibs=others, standalone_vibs=[f"ACM_bootbank_net_{version}"]), [("net", version)]
    )
    plan = plan_of(image, host, stock)
    assert plan.has_actions is expected
    assert plan.reaches_compliance is expected


@pytest.mark.parametrize("part", [HostPart.COMPONENTS, HostPart.ADD_ON, HostPart.BASE_IMAGE])
def test_what_is_not_told_is_not_touched_and_stands_among_the_obstacles(part: HostPart) -> None:
    stock = Stock()
    stock.base_image(stock.driver("net", "2.0-1"))
    image = image_of(stock)
    host = with_component(host_of(image), "net", "1.0-1")
    host = attrs.evolve(host, told=host.told - {part})
    plan = plan_of(image, host, stock)
    assert part in plan.missing
    assert any(part.value.replace("_", " ") in obstacle.reason for obstacle in plan.obstacles)
    assert plan.has_actions is (part is not HostPart.COMPONENTS)
    assert part not in apply_plan(plan, host).told


def test_an_image_that_lacks_components_or_vibs_is_planned_for_no_host() -> None:
    stock = Stock()
    stock.components.append(component("hollow", "1.0-1", ["ACM_bootbank_hollow_1.0-1"]))
    stock.base_image(("gone", "1.0-1"), ("hollow", "1.0-1"))
    image = image_of(stock)
    plan = plan_of(image, with_component(host_of(image), "extra", "1.0-1"), stock)
    assert not plan.has_actions
    reasons = " ".join(obstacle.reason for obstacle in plan.obstacles)
    assert "the component gone:1.0-1" in reasons
    assert "the VIB ACM_bootbank_hollow_1.0-1" in reasons


def test_firmware_stays_an_obstacle_since_no_plan_brings_it() -> None:
    stock = Stock()
    reference = stock.package("firmware", stock.driver("agent"))
    stock.base_image()
    image = image_of(stock, packages=[reference])
    host = attrs.evolve(host_of(image_of(stock)), told=host_of(image_of(stock)).told | {HostPart.HARDWARE_SUPPORT})
    plan = plan_of(image, host, stock)
    assert plan.has_actions
    assert [obstacle.item.name for obstacle in plan.obstacles if obstacle.item] == ["manager-firmware"]


def test_a_solution_comes_with_its_components() -> None:
    stock = Stock()
    stock.driver("ha", "1.0-1")
    reference = stock.solution("com.acme.ha", {"ha": ("1.0-1",)})
    stock.base_image()
    image, before = image_of(stock, solutions=[reference]), host_of(image_of(stock))
    host = attrs.evolve(before, told=before.told | {HostPart.SOLUTIONS})
    plan = plan_of(image, host, stock)
    assert [(item.name, item.after) for item in plan.solutions] == [("com.acme.ha", "1.0")]
    assert plan.reaches_compliance


def test_an_image_of_vibs_is_planned_vib_by_vib() -> None:
    """A profile of 6.x has no components: its hosts are brought to it by VIBs."""
    stock = Stock()
    base, new = stock.driver("esx-base", "6.7.0-0.0.8169922"), vib("net", "2.0-1")
    stock.vibs.append(new)
    image = Image(name="6.7", vibs=image_from(stock, [*base.vib_ids, new.id]))
    host = with_vibs(Host(name="esx1", told=[HostPart.VIBS]), [("esx-base", "6.7.0-0.0.8169922"), ("net", "1.0-1")])
    plan = plan_of(image, host, stock)
    assert [(item.name, item.before, item.after) for item in plan.vibs_to(PlanAction.INSTALL)] == [
        ("net", "1.0-1", "2.0-1")
    ]
    assert plan.reaches_compliance


def image_from(stock: Stock, ids: list[str]) -> tuple[InstalledVib, ...]:
    from esximage_builder.models.image import InstalledVib

    return tuple(InstalledVib(vib=entry) for entry in stock.vibs if entry.id in ids)


# Boot banks and rollback


@pytest.mark.parametrize(
    ("size", "available", "verdict"),
    [
        (100, 150, Ternary.YES),
        (100, 100, Ternary.YES),
        (100, 99, Ternary.NO),
        (100, None, Ternary.UNKNOWN),
        (None, 150, Ternary.UNKNOWN),
    ],
)
def test_the_boot_bank_estimate_compares_modules_with_the_bank(
    size: int | None, available: int | None, verdict: Ternary
) -> None:
    stock = Stock()
    net = stock.component("net", "2.0-1", vib("net", "2.0-1", payloads=[payload("net", size_bytes=size)]))
    core = vib("esx-base", OLD, vendor="VMware", payloads=[payload("b", "boot", size_bytes=0, boot_order=10)])
    stock.base_image(stock.component("ESXi", OLD, core), net)
    image = image_of(stock)
    host = with_component(host_of(image, facts=HostFacts(boot_bank_bytes=available)), "net", "1.0-1")
    plan = plan_of(image, host, stock)
    assert (plan.boot_bank.verdict, plan.boot_bank.needed_bytes) == (verdict, size or 0)
    codes = [finding.code for finding in plan.findings]
    assert ("boot-bank-too-small" in codes) is (verdict is Ternary.NO)


@pytest.mark.parametrize(
    ("before", "after", "verdict"),
    [
        ("6.7.0-0.0.8169922", NEW, Ternary.NO),
        ("6.5.0-0.0.4564106", "8.0.3-0.0.24022510", Ternary.NO),
        (OLD, "8.0.3-0.0.24022510", Ternary.YES),
        (OLD, NEW, Ternary.YES),
    ],
)
def test_an_upgrade_that_lays_the_disk_out_anew_leaves_no_way_back(before: str, after: str, verdict: Ternary) -> None:
    stock = Stock()
    stock.base_image(version=before)
    stock.base_image(version=after)
    plan = plan_of(image_of(stock, base_image=after), host_of(image_of(stock, base_image=before)), stock)
    assert plan.rollback.verdict is verdict
    assert plan.rollback.version == (before if verdict is Ternary.YES else "")


def test_a_change_without_restart_leaves_a_way_back_that_nobody_knows() -> None:
    stock = Stock()
    live = {"live_install_allowed": True, "live_remove_allowed": True}
    stock.base_image(stock.component("tool", "1.0-1", vib("tool", "1.0-1", **live)))
    stock.component("tool", "2.0-1", vib("tool", "2.0-1", **live))
    plan = plan_of(image_of(stock, components={"tool": "2.0-1"}), host_of(image_of(stock)), stock)
    assert (plan.impact, plan.rollback.verdict, plan.rollback.levels) == ("NO_IMPACT", Ternary.UNKNOWN, 0)
    assert plan.has_actions


# Devices

NETWORK, OTHER = 0x020000, 0x0C0330


def device(number: int, *, code: int = NETWORK, driver: str = "") -> PciDevice:
    return PciDevice(address=f"0000:{number:02x}", vendor_id=0x8086, device_id=number, class_code=code, driver=driver)


@pytest.mark.parametrize(("old", "new"), [(OLD, NEW), (OLD, "8.0.3-0.0.24022510")])
def test_adapters_that_lose_their_driver_are_named_and_an_installer_that_would_stop(old: str, new: str) -> None:
    stock = Stock()
    stock.base_image(stock.driver("legacy", tags=["driver", "PCIID 80861533"]), version=old)
    stock.base_image(version=new)
    host = host_of(image_of(stock, base_image=old), devices=[device(0x1533)], told=set(HostPart))
    host = attrs.evolve(host, told=host.told - {HostPart.VIBS})
    plan = plan_of(image_of(stock, base_image=new), host, stock)
    assert [(lost.loss.value, lost.drivers) for lost in plan.lost_devices] == [("lost", ("ACM_bootbank_legacy_1.0-1",))]
    found = {finding.code: finding for finding in plan.findings}
    assert found["no-network-driver"].severity is Severity.ERROR
    assert "loses its driver" in found["device-driver-lost"].message
    assert plan.findings[0].severity is Severity.ERROR


def test_a_device_that_is_no_adapter_is_listed_and_no_finding() -> None:
    stock = Stock()
    stock.base_image(
        stock.driver("usb", tags=["driver", "PCIID 8086a12f"]), stock.driver("net", tags=["PCIID 80861533"])
    )
    stock.base_image(stock.driver("net", "2.0-1", tags=["PCIID 80861533"]), version=NEW)
    host = host_of(image_of(stock), devices=[device(0xA12F, code=OTHER), device(0x1533)], told=set(HostPart))
    plan = plan_of(image_of(stock, base_image=NEW), attrs.evolve(host, told=host.told - {HostPart.VIBS}), stock)
    assert [lost.device.device_id for lost in plan.lost_devices] == [0xA12F]
    assert "device-driver-lost" not in {finding.code for finding in plan.findings}


# The cluster


def test_every_host_is_planned_and_the_impact_is_the_largest() -> None:
    stock = Stock()
    stock.base_image(stock.driver("net", "2.0-1"))
    image = image_of(stock)
    behind = with_component(host_of(image, "esx2"), "net", "1.0-1")
    plan = plan_remediation(image, [host_of(image, "esx1"), behind], catalog=stock.catalog())
    assert [(host.host, host.has_actions) for host in plan.hosts] == [("esx1", False), ("esx2", True)]
    assert (plan.status, plan.impact) == (ComplianceStatus.NON_COMPLIANT, "REBOOT_REQUIRED")
    assert [wave.hosts for wave in plan.waves] == [("esx2",)]
    (advice,) = [finding for finding in plan.findings if finding.code == "back-up-configuration"]
    assert advice.items == ("esx2",)


def test_excluded_hosts_are_told_and_hosts_need_names_of_their_own() -> None:
    stock = Stock()
    stock.base_image(stock.driver("net", "2.0-1"))
    image = image_of(stock)
    behind = with_component(host_of(image), "net", "1.0-1")
    plan = plan_remediation(image, [behind], constraints=RolloutConstraints(excluded=["esx1"]))
    assert (plan.excluded, plan.waves) == (("esx1",), ())
    with pytest.raises(ModelError, match="two hosts have one name"):
        plan_remediation(image, [behind, behind])
    with pytest.raises(ModelError, match="excluded that is not there"):
        plan_remediation(image, [behind], constraints=RolloutConstraints(excluded=["esx9"]))
    with pytest.raises(ModelError, match="another host"):
        apply_plan(plan.hosts[0], host_of(image, "esx2"))
