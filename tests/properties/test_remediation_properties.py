"""What holds of every plan: nothing goes down, it is empty where nothing is to do, and it reaches what it says."""

from __future__ import annotations

from typing import Any

import attrs
from hypothesis import HealthCheck, given, settings, strategies as st
from support.memory_catalogs import COMPONENT_NAMES, VERSIONS, VIB_NAMES, Depot, Stock, depots, spec, vib
from support.small_hosts import host_of, with_component, with_vibs, without_component

from esximage_builder.errors import EsxImageError
from esximage_builder.hosts.applied import apply_plan
from esximage_builder.hosts.check import check_compliance
from esximage_builder.hosts.extract import image_of_host
from esximage_builder.hosts.remediation import plan_remediation
from esximage_builder.hosts.restore import image_to_adopt
from esximage_builder.hosts.waves import RolloutConstraints, plan_waves
from esximage_builder.models.compliance import ComplianceStatus
from esximage_builder.models.device import PciDevice
from esximage_builder.models.host import Host, HostFacts, HostPart
from esximage_builder.models.image import Image
from esximage_builder.models.remediation import HostPlan, PlanAction
from esximage_builder.rules.compose import compose
from esximage_builder.rules.diff import Impact, diff
from esximage_builder.rules.lost_devices import lost_devices
from esximage_builder.versions import ComponentVersion, VibVersion

COMPLIANT = ComplianceStatus.COMPLIANT
_FEW = settings(max_examples=100, suppress_health_check=[HealthCheck.too_slow], deadline=None)


@st.composite
def changed(draw: st.DrawFn, host: Host) -> Host:
    """The host with some components and VIBs otherwise, and maybe little told."""
    for name in draw(st.lists(st.sampled_from(COMPONENT_NAMES), unique=True)):
        version = draw(st.sampled_from((*VERSIONS, "")))
        manual = draw(st.sampled_from((True, False, None)))
        host = with_component(host, name, version, is_manual=manual) if version else without_component(host, name)
    if draw(st.booleans()):
        there = {entry.name for entry in host.vibs}
        added = draw(
            st.lists(st.sampled_from([name for name in (*VIB_NAMES, "stray") if name not in there]), unique=True)
        )
        host = with_vibs(host, [(name, draw(st.sampled_from(VERSIONS))) for name in added])
    if draw(st.booleans()):
        untold = set(draw(st.lists(st.sampled_from(tuple(HostPart)), max_size=2)))
        host = attrs.evolve(host, told=host.told - untold)
    return host


def composed(depot: Depot) -> Image | None:
    try:
        return compose(depot.catalog, depot.spec)
    except EsxImageError:
        return None


def goes_down(plan: HostPlan) -> list[str]:
    units = [unit for unit in (plan.base_image, plan.add_on) if unit is not None]
    pairs: list[tuple[str, Any, Any]] = [
        (item.name, ComponentVersion(item.before), ComponentVersion(item.after))
        for item in plan.components
        if item.before and item.after
    ]
    pairs += [(i.name, VibVersion(i.before), VibVersion(i.after)) for i in plan.vibs if i.before and i.after]
    pairs += [(unit.name, unit.before, unit.after) for unit in units if unit.before == unit.after]
    return [name for name, before, after in pairs if after < before]


@_FEW
@given(st.data(), depots(), st.booleans())
def test_a_plan_never_goes_down_and_reaches_compliance_or_says_why_not(
    data: st.DataObject,
    depot: Depot,
    with_all: bool,  # noqa: FBT001 - drawn
) -> None:
    image = composed(depot)
    if image is None:
        return
    host = data.draw(changed(host_of(image, with_vibs=with_all)))
    plan = plan_remediation(image, [host], catalog=depot.catalog).hosts[0]
    assert goes_down(plan) == []
    after = check_compliance(image, [apply_plan(plan, host)], catalog=depot.catalog)
    assert (after.status is COMPLIANT) is plan.reaches_compliance
    if plan.status in (COMPLIANT, ComplianceStatus.INCOMPATIBLE):
        assert not plan.has_actions
    if plan.status is ComplianceStatus.INCOMPATIBLE:
        assert plan.obstacles
    if plan.has_actions and not plan.missing and not image.hardware_support:
        assert plan.reaches_compliance
    assert all(item.before == item.after for item in plan.components_to(PlanAction.KEEP))


@_FEW
@given(depots(), st.booleans())
def test_a_host_with_exactly_the_image_has_an_empty_plan(depot: Depot, with_all: bool) -> None:  # noqa: FBT001 - drawn
    image = composed(depot)
    if image is None:
        return
    plan = plan_remediation(image, [host_of(image, with_vibs=with_all)], catalog=depot.catalog)
    if plan.status is COMPLIANT:
        assert (plan.is_empty, plan.waves, plan.findings[1:]) == (True, (), ())
        assert plan.hosts[0].obstacles == ()
        names = {item.name for item in plan.hosts[0].components_to(PlanAction.KEEP)}
        assert names == {entry.component.name for entry in image.components}


@_FEW
@given(depots())
def test_what_is_extracted_from_a_host_has_its_components_and_leaves_it_nothing_to_do(depot: Depot) -> None:
    image = composed(depot)
    if image is None:
        return
    host = host_of(image)
    found = image_of_host(host, depot.catalog)
    if found.image is None:
        assert found.why_not
        return
    assert {part.component.id for part in found.image.components} == {part.component.id for part in image.components}
    assert found.spec is not None
    assert compose(depot.catalog, found.spec).digest == found.image.digest
    assert check_compliance(found.image, [host], catalog=depot.catalog).status is COMPLIANT


@_FEW
@given(st.data(), depots())
def test_an_adopted_image_lowers_nothing_on_any_host(data: st.DataObject, depot: Depot) -> None:
    image = composed(depot)
    if image is None:
        return
    first = data.draw(changed(host_of(image, "esx1")))
    hosts = [first, data.draw(changed(host_of(image, "esx2")))]
    adoption = image_to_adopt(hosts, depot.catalog)
    if adoption.image is None:
        assert adoption.reasons
        return
    cluster = check_compliance(adoption.image, hosts, catalog=depot.catalog)
    assert cluster.status is not ComplianceStatus.INCOMPATIBLE
    assert set(cluster.names(COMPLIANT)) == set(adoption.like)


FACTS = st.builds(
    HostFacts,
    has_vsan=st.sampled_from((True, False, None)),
    fault_domain=st.sampled_from(("", "", "a", "b")),
    is_vsan_witness=st.sampled_from((None, False, False, True)),
    runs_vcenter=st.sampled_from((None, True, False)),
)


@_FEW
@given(st.lists(FACTS, max_size=9), st.integers(1, 5), st.booleans(), st.sets(st.integers(0, 8)))
def test_waves_take_every_host_once_and_keep_to_their_constraints(
    facts: list[HostFacts],
    most: int,
    has_drs: bool,  # noqa: FBT001 - drawn
    excluded: set[int],
) -> None:
    hosts = [Host(name=f"esx{number}", facts=fact) for number, fact in enumerate(facts)]
    names = {host.name for host in hosts}
    left_out = tuple(name for number in sorted(excluded) if (name := f"esx{number}") in names)
    limits = RolloutConstraints(max_parallel=most, excluded=left_out, has_drs=has_drs)
    waves = plan_waves(hosts, dict.fromkeys(names, Impact.REBOOT_REQUIRED), limits)
    gone = [name for wave in waves for name in wave.hosts]
    assert sorted(gone) == sorted(names - set(left_out))
    by_name = {host.name: host.facts for host in hosts}
    serving = [host for host in hosts if not host.facts.is_vsan_witness]
    for wave in waves:
        members = [by_name[name] for name in wave.hosts]
        assert len(wave.hosts) <= most
        assert len(serving) <= 1 or len(wave.hosts) < len(serving) or members[0].is_vsan_witness
        assert len(wave.hosts) == 1 or not any(member.is_vsan_witness for member in members)
        domains = {
            (member.fault_domain or name) for name, member in zip(wave.hosts, members, strict=True) if member.has_vsan
        }
        assert len(domains) <= 1
        assert not (has_drs and wave.moves)


PATTERNS = ("80861533", "8086....", "80861533" + "15d90734", "8086153315d9", "." * 16 + "020000")
DEVICES = st.builds(
    PciDevice,
    address=st.just("0000:04:00.0"),
    vendor_id=st.just(0x8086),
    device_id=st.sampled_from((0x1533, 0x1528)),
    subvendor_id=st.sampled_from((None, 0x15D9)),
    subdevice_id=st.sampled_from((None, 0x0734)),
    class_code=st.sampled_from((None, 0x020000, 0x010700)),
    driver=st.sampled_from(("", "igb", "tg3")),
)
DRIVERS = st.lists(
    st.builds(
        lambda name, patterns: vib(name, tags=["driver", *(f"PCIID {text}" for text in patterns)]),
        st.sampled_from(("igb", "tg3", "ixgben")),
        st.lists(st.sampled_from(PATTERNS), max_size=2),
    ),
    max_size=3,
    unique_by=lambda entry: entry.name,
)


@_FEW
@given(DRIVERS, DRIVERS, st.lists(DEVICES, max_size=3), st.booleans())
def test_a_device_that_keeps_its_driver_is_never_reported_lost(
    kept: list[Any],
    others: list[Any],
    devices: list[PciDevice],
    is_running: bool,  # noqa: FBT001 - drawn
) -> None:
    names = {entry.name for entry in kept}
    after = [*kept, *(entry for entry in others if entry.name not in names)]
    lost = lost_devices(kept, after, devices, is_running=is_running)
    assert [entry for entry in lost if set(entry.drivers) & {driver.id for driver in kept}] == []
    assert lost_devices(kept, kept, devices) == ()


def test_a_diff_of_an_image_with_itself_loses_nothing() -> None:
    stock = Stock()
    stock.base_image(stock.driver("igb", tags=["driver", "PCIID 80861533"]))
    image = compose(stock.catalog(), spec())
    device = PciDevice(address="1", vendor_id=0x8086, device_id=0x1533)
    difference = diff(image, image, devices=[device])
    assert (difference.lost_devices, difference.dropped_ids) == ((), ())
