"""Compliance: each rule on its own, the roll-up, the impact, and what is said where little is known."""

from __future__ import annotations

import pickle
from typing import TYPE_CHECKING, Any

import attrs
import pytest
from support.memory_catalogs import BASE_VERSION, Stock, component, esx_base, platforms, spec, vib
from support.small_hosts import host_of, with_component, with_vibs, without_component

from esximage_builder.findings import Severity
from esximage_builder.hosts.check import ComplianceTarget, check_compliance, roll_up
from esximage_builder.hosts.compliance import judge_host
from esximage_builder.models.compliance import ComplianceStatus, HostCompliance, ItemCompliance, ItemReason
from esximage_builder.models.host import Host, HostComponent, HostPart, HostSolution
from esximage_builder.models.spec import AddOnReference, HardwareSupportReference
from esximage_builder.models.vib import MaintenanceMode
from esximage_builder.rules.compose import compose, image_from_profile
from esximage_builder.rules.diff import Impact
from esximage_builder.versions import AddOnVersion, BaseImageVersion, ComponentVersion
from esximage_builder.vocabulary import AcceptanceLevel

if TYPE_CHECKING:
    from collections.abc import Mapping

    from esximage_builder.models.catalog import Catalog
    from esximage_builder.models.image import Image

COMPLIANT, UNAVAILABLE, NON_COMPLIANT, INCOMPATIBLE = ComplianceStatus
DELL, LENOVO = ("DEL-ESXi", "703.20328353.A08"), ("LVO", "LVO.803.12.1")
NET, AGENT = "Acme-net", "Acme-agent"
LIVE: dict[str, Any] = {"live_install_allowed": True, "live_remove_allowed": True}


def shop(version: str = BASE_VERSION, *, add_on: tuple[str, str] = DELL, **base: Any) -> Stock:
    """A base image with a driver, and an add-on with an agent."""
    stock = Stock()
    stock.base_image(stock.driver(NET, "2.0-1"), version=version, **base)
    stock.add_on(stock.driver(AGENT, "4.1.0-8"), release=add_on)
    return stock


def custom(stock: Stock, components: Mapping[str, str | None] | None = None, **fields: Any) -> Image:
    """The stock's base image and add-on together."""
    base, add_on = stock.base_images[0], stock.add_ons[0]
    fields.setdefault("add_on", (add_on.name, add_on.version.text))
    return compose(stock.catalog(), spec(components, base_image=base.version.text, **fields))


def checked(image: Image, host: Host, catalog: Catalog | None = None) -> HostCompliance:
    """The verdict on one host."""
    return ComplianceTarget(image, catalog).check(host)


def item(verdict: HostCompliance, name: str) -> ItemCompliance:
    """The component of that name."""
    (found,) = (part for part in verdict.components if part.name == name)
    return found


def codes(verdict: HostCompliance) -> list[str]:
    return [finding.code for finding in verdict.findings]


# The host as a whole


@pytest.mark.parametrize("version", ["7.0.3-0.50.20036589", "9.0.2.0.25148076"])
@pytest.mark.parametrize("with_vibs", [False, True])
def test_a_host_with_exactly_the_image_is_compliant(version: str, *, with_vibs: bool) -> None:
    image = custom(shop(version))
    verdict = checked(image, host_of(image, with_vibs=with_vibs))
    assert (verdict.status, verdict.impact, verdict.impact_reason) == (COMPLIANT, "NO_IMPACT", "")
    assert (verdict.items, verdict.findings, verdict.missing) == ((), (), ())
    assert [part.name for part in verdict.components] == [AGENT, NET, "ESXi"]
    assert item(verdict, AGENT).current_source == "ADD_ON"


@pytest.mark.parametrize(
    ("statuses", "worst"),
    [
        ([], COMPLIANT),
        ([COMPLIANT, UNAVAILABLE], UNAVAILABLE),
        ([UNAVAILABLE, NON_COMPLIANT, COMPLIANT], NON_COMPLIANT),
        ([NON_COMPLIANT, INCOMPATIBLE, UNAVAILABLE], INCOMPATIBLE),
    ],
)
def test_a_cluster_is_as_its_worst_host(statuses: list[ComplianceStatus], worst: ComplianceStatus) -> None:
    cluster = roll_up("image", (HostCompliance(host=status.value, status=status) for status in statuses))
    assert cluster.status is worst
    assert [host for status in ComplianceStatus for host in cluster.names(status)] == sorted(
        statuses, key=list(ComplianceStatus).index
    )


@pytest.mark.parametrize(
    ("impacts", "largest"),
    [
        (["NO_IMPACT", "PARTIAL_MAINTENANCE_MODE_REQUIRED"], "PARTIAL_MAINTENANCE_MODE_REQUIRED"),
        (["MAINTENANCE_MODE_REQUIRED", "UNKNOWN"], "UNKNOWN"),
        (["UNKNOWN", "REBOOT_REQUIRED", "NO_IMPACT"], "REBOOT_REQUIRED"),
    ],
)
def test_a_cluster_has_the_largest_impact_of_its_hosts(impacts: list[str], largest: str) -> None:
    hosts = (HostCompliance(host=impact, status=NON_COMPLIANT, impact=impact) for impact in impacts)
    assert roll_up("image", hosts).impact == largest


def test_hosts_stand_in_the_order_in_which_they_were_given() -> None:
    image = custom(shop())
    cluster = check_compliance(image, (host_of(image, name) for name in ("b", "a", "c")))
    assert [host.host for host in cluster.hosts] == ["b", "a", "c"]
    assert (cluster.image, cluster.status) == (image.name, COMPLIANT)


def test_a_prepared_image_says_the_same_in_another_process() -> None:
    """What was prepared is a value: pickled, it judges alike, and it carries no descriptors along."""
    stock = shop()
    image = custom(stock)
    target = ComplianceTarget(image, stock.catalog())
    host = with_component(host_of(image), NET, "1.0-1")
    again = pickle.loads(pickle.dumps(target))  # noqa: S301 - our own bytes
    assert again.check(host) == target.check(host)
    assert b"usr/lib" not in pickle.dumps(target)


# Base image


@pytest.mark.parametrize(
    ("wanted", "has", "status", "reason"),
    [
        ("7.0.3-0.50.20036589", "7.0.3-0.40.19898904", NON_COMPLIANT, ItemReason.IMAGE_IS_LATER),
        ("7.0.3-0.50.20036589", "7.0.3-0.55.20328353", INCOMPATIBLE, ItemReason.HOST_IS_LATER),
        ("7.0.3-0.20.19193900", "7.0.2-0.30.19290878", NON_COMPLIANT, ItemReason.IMAGE_IS_LATER),
        ("8.0.3-0.70.24674464", "7.0.3-0.55.20328353", NON_COMPLIANT, ItemReason.IMAGE_IS_LATER),
        ("9.0.2.0.25148076", "9.0.2-0.25148076", COMPLIANT, None),
        ("8.0.3-0.70.24674464", "9.0.0.0.24755229", INCOMPATIBLE, ItemReason.HOST_IS_LATER),
        ("7.0.3-0.55.20328352", "7.0.3-0.55.20328353", INCOMPATIBLE, ItemReason.HOST_IS_LATER),
    ],
)
def test_a_base_image_is_judged_by_its_version_and_never_by_its_build(
    wanted: str, has: str, status: ComplianceStatus, reason: ItemReason | None
) -> None:
    image = custom(shop(wanted))
    host = host_of(image, base_image=BaseImageVersion(has))
    verdict = checked(image, host)
    base = verdict.base_image
    assert base is not None
    assert (base.status, base.current, base.target, base.reason) == (status, has, wanted, reason)
    assert verdict.status is status
    if status is INCOMPATIBLE:
        (finding,) = verdict.findings
        assert (finding.code, finding.fact("has")) == ("host-newer-than-image", has)
        assert has in finding.remedy


# Add-on


@pytest.mark.parametrize(
    ("wanted", "has", "status", "reason"),
    [
        (DELL, ("DEL-ESXi", "703_20328353-A08"), COMPLIANT, None),
        (DELL, ("DEL-ESXi", "703.20328353.A07"), NON_COMPLIANT, ItemReason.IMAGE_IS_LATER),
        (DELL, ("DEL-ESXi", "703.20328353.A09"), INCOMPATIBLE, ItemReason.HOST_IS_LATER),
        (DELL, LENOVO, NON_COMPLIANT, ItemReason.OTHER_NAME),
        (DELL, None, NON_COMPLIANT, ItemReason.NOT_ON_HOST),
        (None, DELL, NON_COMPLIANT, ItemReason.NOT_IN_IMAGE),
        (LENOVO, ("LVO", "8.0.3-LVO.803.12.1"), COMPLIANT, None),
        (LENOVO, ("LVO", "LVO.803.11.9"), NON_COMPLIANT, ItemReason.IMAGE_IS_LATER),
        (LENOVO, ("LVO", "LVO.803.13.0"), INCOMPATIBLE, ItemReason.HOST_IS_LATER),
        (LENOVO, DELL, NON_COMPLIANT, ItemReason.OTHER_NAME),
    ],
)
def test_an_add_on_is_judged_by_name_and_version(
    wanted: tuple[str, str] | None,
    has: tuple[str, str] | None,
    status: ComplianceStatus,
    reason: ItemReason | None,
) -> None:
    image = custom(shop(add_on=wanted or DELL), add_on=wanted)
    reference = None if has is None else AddOnReference(has[0], AddOnVersion(has[1]))
    verdict = checked(image, host_of(image, add_on=reference))
    add_on = verdict.add_on
    assert add_on is not None
    assert (add_on.status, add_on.reason) == (status, reason)
    assert add_on.current == ("" if has is None else has[1])
    assert add_on.target == ("" if wanted is None else wanted[1])
    assert add_on.current_name == (has[0] if reason is ItemReason.OTHER_NAME and has is not None else "")
    assert verdict.status is status
    assert codes(verdict) == (["host-add-on-newer"] if status is INCOMPATIBLE else [])


def test_without_add_on_on_either_side_nothing_is_said_of_one() -> None:
    image = custom(shop(), add_on=None)
    verdict = checked(image, host_of(image))
    assert (verdict.status, verdict.add_on) == (COMPLIANT, None)


# Components


@pytest.mark.parametrize(
    ("name", "has", "status", "reason"),
    [
        (NET, "1.9-1", NON_COMPLIANT, ItemReason.IMAGE_IS_LATER),
        (NET, "2.0-2", INCOMPATIBLE, ItemReason.HOST_IS_LATER),
        (NET, "2.0-01", COMPLIANT, None),
        (AGENT, "4.0.9-9", NON_COMPLIANT, ItemReason.IMAGE_IS_LATER),
        (AGENT, "4.10.0-1", INCOMPATIBLE, ItemReason.HOST_IS_LATER),
        (AGENT, "4.01.0-8", COMPLIANT, None),
    ],
)
def test_a_component_is_judged_by_its_version(
    name: str, has: str, status: ComplianceStatus, reason: ItemReason | None
) -> None:
    image = custom(shop())
    verdict = checked(image, with_component(host_of(image), name, has))
    found = item(verdict, name)
    assert (found.status, found.current, found.reason, verdict.status) == (status, has, reason, status)
    assert len(verdict.components) == 3
    assert codes(verdict) == (["host-component-newer"] if status is INCOMPATIBLE else [])


@pytest.mark.parametrize("name", [NET, AGENT])
def test_what_the_host_lacks_would_be_installed(name: str) -> None:
    image = custom(shop())
    verdict = checked(image, without_component(host_of(image), name))
    found = item(verdict, name)
    assert (found.status, found.current, found.reason) == (NON_COMPLIANT, "", ItemReason.NOT_ON_HOST)
    assert found.target
    assert verdict.items == (found,)
    assert verdict.status is NON_COMPLIANT


@pytest.mark.parametrize(("name", "is_manual"), [("Acme-extra", True), ("Zeta-tool", False), ("Zeta-tool", None)])
def test_what_only_the_host_has_would_be_removed(name: str, *, is_manual: bool | None) -> None:
    image = custom(shop())
    verdict = checked(image, with_component(host_of(image), name, "1.0-1", is_manual=is_manual))
    found = item(verdict, name)
    assert (found.status, found.target, found.reason) == (NON_COMPLIANT, "", ItemReason.NOT_IN_IMAGE)
    assert found.current_source == ("USER" if is_manual else "")
    assert [part.name for part in verdict.components] == sorted([AGENT, NET, "ESXi", name])


@pytest.mark.parametrize(
    ("is_manual", "words"),
    [
        (True, "was added by hand: downgrades of manually added components are not supported"),
        (False, "came with an image: whether a host takes a lower one is not publicly known"),
        (None, "who added it is not known: downgrades of manually added components are not supported"),
    ],
)
@pytest.mark.parametrize(("name", "version"), [(NET, "3.0-1"), (AGENT, "5.0.0-1")])
def test_the_finding_on_a_later_component_says_who_added_it(
    name: str, version: str, words: str, *, is_manual: bool | None
) -> None:
    image = custom(shop())
    host = with_component(host_of(image), name, version, is_manual=is_manual)
    (finding,) = checked(image, host).findings
    assert words in finding.cause
    assert finding.severity is Severity.ERROR
    assert (finding,) == judge_host(image, host).findings


@pytest.mark.parametrize("later", ["2.0-2", "12.0-1"])
def test_the_same_component_in_the_spec_makes_the_host_compliant_again(later: str) -> None:
    stock = shop()
    stock.driver(NET, later)
    host = with_component(host_of(custom(stock)), NET, later, is_manual=True)
    assert checked(custom(stock), host).status is INCOMPATIBLE
    assert checked(custom(stock, {NET: later}), host).status is COMPLIANT


@pytest.mark.parametrize("versions", [("2.0-1", "1.0-1"), ("1.0-1", "2.0-1"), ("1.0-1", "3.0-1"), ("3.0-1", "1.0-1")])
def test_of_a_component_on_host_and_processing_unit_the_worse_counts(versions: tuple[str, str]) -> None:
    image = custom(shop())
    twice = [
        HostComponent(name=NET, version=ComponentVersion(version), platforms=[platform])
        for version, platform in zip(versions, ("host", "vmdpu0"), strict=True)
    ]
    host = without_component(host_of(image), NET)
    verdict = checked(image, attrs.evolve(host, components=[*host.components, *twice]))
    assert item(verdict, NET).status is (INCOMPATIBLE if "3.0-1" in versions else NON_COMPLIANT)


@pytest.mark.parametrize("name", ["Acme-dpu", "Zeta-dpu"])
def test_what_is_for_processing_units_alone_is_asked_of_hosts_that_have_one(name: str) -> None:
    stock = shop()
    stock.driver(name, "1.0-1", software_platforms=platforms("esxio 8.*"))
    image = custom(stock, {name: "1.0-1"})
    without = without_component(host_of(image), name)
    verdict = checked(image, without)
    assert (verdict.status, item(verdict, name).reason) == (COMPLIANT, ItemReason.FOR_DPU)
    parts = [attrs.evolve(part, platforms=["host", "vmdpu0"]) for part in without.components]
    verdict = checked(image, attrs.evolve(without, components=parts))
    assert (verdict.status, item(verdict, name).reason) == (NON_COMPLIANT, ItemReason.NOT_ON_HOST)


# Removed components


@pytest.mark.parametrize(("name", "has"), [(NET, "2.0-1"), (NET, "9.0-1"), (AGENT, "4.1.0-8"), (AGENT, "1.0-1")])
def test_what_the_spec_takes_off_is_told_apart(name: str, has: str) -> None:
    """Its version does not matter: it goes."""
    image = custom(shop(), removed=[name])
    gone = host_of(image)
    assert checked(image, gone).status is COMPLIANT
    verdict = checked(image, with_component(gone, name, has))
    (found,) = verdict.removed_components
    assert (found.name, found.current, found.status) == (name, has, NON_COMPLIANT)
    assert found.reason is ItemReason.TAKEN_OFF
    assert name not in {part.name for part in verdict.components}
    assert verdict.status is NON_COMPLIANT


# Solutions


@pytest.mark.parametrize(
    ("has", "status", "reason"),
    [
        ("1.0", COMPLIANT, None),
        ("0.9", NON_COMPLIANT, ItemReason.IMAGE_IS_LATER),
        ("1.1", INCOMPATIBLE, ItemReason.HOST_IS_LATER),
        ("", UNAVAILABLE, ItemReason.NOT_TOLD),
        ("?", NON_COMPLIANT, ItemReason.OTHER_VERSION),
        (None, NON_COMPLIANT, ItemReason.NOT_ON_HOST),
    ],
)
@pytest.mark.parametrize("name", ["com.vmware.vsphere-ha", "com.acme.nsx"])
def test_a_solution_is_judged_by_its_version(
    name: str, has: str | None, status: ComplianceStatus, reason: ItemReason | None
) -> None:
    image = solution_image(name)
    installed = [] if has is None else [HostSolution(name=name, version=has)]
    host = host_of(image, solutions=installed)
    verdict = checked(image, host)
    (found,) = verdict.solutions
    assert (found.name, found.status, found.reason) == (name, status, reason)
    assert verdict.status is status
    assert codes(verdict) == (["host-solution-newer"] if status is INCOMPATIBLE else [])


def solution_image(name: str) -> Image:
    stock = shop()
    stock.driver("agent-of-solution", "1.0-1")
    return custom(stock, solutions=[stock.solution(name, {"agent-of-solution": ["1.0-1"]})])


@pytest.mark.parametrize("name", ["com.vmware.vsphere-ha", "com.acme.nsx"])
def test_a_solution_that_only_the_host_has_would_be_removed(name: str) -> None:
    image = custom(shop())
    host = host_of(image, solutions=[HostSolution(name=name, version="1.0")])
    verdict = checked(image, attrs.evolve(host, told=host.told | {HostPart.SOLUTIONS}))
    assert [(found.name, found.reason) for found in verdict.solutions] == [(name, ItemReason.NOT_IN_IMAGE)]
    assert verdict.status is NON_COMPLIANT


@pytest.mark.parametrize(
    ("has", "status"), [("1.0-1", COMPLIANT), ("0.9-1", NON_COMPLIANT), ("1.1-1", INCOMPATIBLE), (None, NON_COMPLIANT)]
)
def test_where_solutions_are_not_told_their_components_say_how_they_stand(
    has: str | None, status: ComplianceStatus
) -> None:
    image = solution_image("com.acme.nsx")
    host = host_of(image, solutions=[])
    host = attrs.evolve(host, told=host.told - {HostPart.SOLUTIONS})
    part = "agent-of-solution"
    host = without_component(host, part) if has is None else with_component(host, part, has)
    verdict = checked(image, host)
    (found,) = verdict.solutions
    assert (found.status, verdict.status) == (status, status)
    assert found.reason is (None if status is COMPLIANT else ItemReason.PART_DIFFERS)


# Hardware support


def package_image() -> Image:
    stock = shop()
    return custom(stock, packages=[stock.package("acme-firmware", stock.driver("Acme-fw", "1.0-1"))])


def test_firmware_is_reported_as_not_checkable() -> None:
    """Its drivers are components like all others; of the rest only the manager knows."""
    image = package_image()
    host = host_of(image, hardware_support=[])
    host = attrs.evolve(host, told=host.told - {HostPart.HARDWARE_SUPPORT})
    verdict = checked(image, host)
    (found,) = verdict.hardware_support
    assert (found.name, found.target_name) == ("manager-acme-firmware", "acme-firmware")
    assert (found.status, found.reason) == (UNAVAILABLE, ItemReason.NOT_CHECKABLE)
    assert (verdict.status, verdict.missing) == (UNAVAILABLE, (HostPart.HARDWARE_SUPPORT,))
    assert "hardware support manager" in verdict.findings[0].remedy
    assert item(verdict, "Acme-fw").status is COMPLIANT


@pytest.mark.parametrize(
    ("package", "version", "status", "reason"),
    [
        ("acme-firmware", "1.0", COMPLIANT, None),
        ("acme-firmware", "0.5", NON_COMPLIANT, ItemReason.IMAGE_IS_LATER),
        ("acme-firmware", "1.5", INCOMPATIBLE, ItemReason.HOST_IS_LATER),
        ("acme-other", "1.0", NON_COMPLIANT, ItemReason.OTHER_NAME),
        ("", "", NON_COMPLIANT, ItemReason.NOT_ON_HOST),
    ],
)
def test_firmware_that_was_told_is_judged(
    package: str, version: str, status: ComplianceStatus, reason: ItemReason | None
) -> None:
    image = package_image()
    reference = HardwareSupportReference(manager="manager-acme-firmware", package=package, version=version)
    host = host_of(image, hardware_support=[reference] if package else [])
    verdict = checked(image, host)
    (found,) = verdict.hardware_support
    assert (found.status, found.reason, found.current_name) == (status, reason, package)
    assert verdict.status is status


def test_firmware_of_a_manager_that_the_image_does_not_name_is_told() -> None:
    image = custom(shop())
    host = host_of(image, hardware_support=[HardwareSupportReference(manager="m", package="p", version="1")])
    verdict = checked(image, attrs.evolve(host, told=host.told | {HostPart.HARDWARE_SUPPORT}))
    assert [(found.name, found.reason) for found in verdict.hardware_support] == [("m", ItemReason.NOT_IN_IMAGE)]


# VIBs that stand alone


@pytest.mark.parametrize(
    "text", ["virten_bootbank_ghettoVCB_1.0.0-0.0.0", "ghettoVCB 1.0.0-0.0.0", "ACM_bootbank_my_tool_2.0-1"]
)
def test_a_vib_that_no_component_brings_would_be_removed(text: str) -> None:
    image = custom(shop())
    verdict = checked(image, host_of(image, standalone_vibs=[text]))
    assert (verdict.status, verdict.standalone_vibs) == (NON_COMPLIANT, (text,))
    (finding,) = verdict.findings
    assert (finding.code, finding.severity) == ("standalone-vib-removed", Severity.WARNING)
    assert "it would be removed" in finding.message


@pytest.mark.parametrize("level", [AcceptanceLevel.COMMUNITY, AcceptanceLevel.PARTNER])
def test_its_level_is_told_where_it_is_known(level: AcceptanceLevel) -> None:
    image = custom(shop())
    text = "virten_bootbank_ghettoVCB_1.0.0-0.0.0"
    host = with_vibs(
        host_of(image, with_vibs=True, standalone_vibs=[text]),
        [("ghettoVCB", "1.0.0-0.0.0")],
        acceptance_level=level,
        is_live_removable=True,
        needs_maintenance_mode=False,
    )
    verdict = checked(image, host)
    assert f"of level {level.display}" in verdict.findings[0].message
    assert verdict.impact == "NO_IMPACT"


@pytest.mark.parametrize(("vib_name", "component_name"), [(NET, NET), (AGENT, AGENT)])
def test_a_vib_that_the_image_has_too_would_stay(vib_name: str, component_name: str) -> None:
    """It was installed by itself, and now the image brings it in a component: nothing would go."""
    image = custom(shop())
    wanted = next(entry.vib for entry in image.vibs if entry.vib.name == vib_name)
    host = without_component(host_of(image), component_name)
    for text in (wanted.id, f"{wanted.name} {wanted.version}"):
        verdict = checked(image, attrs.evolve(host, standalone_vibs=[text]))
        assert verdict.standalone_vibs == ()
        assert verdict.status is NON_COMPLIANT


@pytest.mark.parametrize("version", ["2.5-1", "3.0-1"])
def test_a_vib_of_its_own_that_is_later_than_the_images_is_told_as_lowered(version: str) -> None:
    image = custom(shop())
    verdict = checked(image, host_of(image, standalone_vibs=[f"ACM_bootbank_{NET}_{version}"]))
    (finding,) = verdict.findings
    assert "the image has the earlier 2.0-1 in its place" in finding.message


def test_vibs_of_the_time_before_components_are_told_in_one_finding() -> None:
    """A host of 6.7 has nothing but such VIBs, and the image has later ones of most names."""
    image = custom(shop())
    texts = [f"ACM_bootbank_{NET}_1.0-1", f"ACM_bootbank_{AGENT}_1.0-1", "ACM_bootbank_lost_1.0-1"]
    verdict = checked(image, host_of(image, components=[], standalone_vibs=texts))
    assert [finding.items[1:] for finding in verdict.findings] == [(texts[2],), tuple(texts[:2])]
    assert verdict.status is NON_COMPLIANT


def with_untold_standalone(host: Host) -> Host:
    return attrs.evolve(host, told=host.told - {HostPart.STANDALONE_VIBS})


@pytest.mark.parametrize("extra", [[], [("tool", "1.0-1")], [("a", "1.0-1"), ("b", "2.0-1")]])
def test_vibs_and_components_say_together_which_stand_alone(extra: list[tuple[str, str]]) -> None:
    image = custom(shop())
    host = with_untold_standalone(with_vibs(host_of(image, with_vibs=True), extra))
    verdict = checked(image, host)
    assert verdict.standalone_vibs == tuple(" ".join(pair) for pair in extra)
    assert verdict.status is (NON_COMPLIANT if extra else COMPLIANT)


@pytest.mark.parametrize("is_loaded", [True, False])
@pytest.mark.parametrize("version", ["1.0-1", "1.5-1"])
def test_a_vib_of_a_component_that_is_not_known_is_not_called_alone(version: str, *, is_loaded: bool) -> None:
    """An older driver on the host: with its depot open its VIB is the component's, else nothing is claimed."""
    stock = shop()
    image = custom(stock)
    host = with_component(host_of(image, with_vibs=True), NET, version)
    others = [part for part in host.vibs if part.name != NET]
    host = with_untold_standalone(with_vibs(attrs.evolve(host, vibs=others), [(NET, version)]))
    stock.driver(NET, version)
    verdict = checked(image, host, stock.catalog() if is_loaded else None)
    assert verdict.standalone_vibs == ()
    assert verdict.missing == (() if is_loaded else (HostPart.STANDALONE_VIBS,))
    assert verdict.status is NON_COMPLIANT


# Parts that were not told


@pytest.mark.parametrize(
    ("part", "command"),
    [
        (HostPart.BASE_IMAGE, "baseimage get"),
        (HostPart.ADD_ON, "addon get"),
        (HostPart.COMPONENTS, "component list"),
        (HostPart.STANDALONE_VIBS, "vib get"),
    ],
)
def test_what_is_not_told_is_named_and_not_guessed(part: HostPart, command: str) -> None:
    image = custom(shop())
    host = host_of(image)
    verdict = checked(image, attrs.evolve(host, told=host.told - {part}))
    assert (verdict.status, verdict.missing) == (UNAVAILABLE, (part,))
    (finding,) = verdict.findings
    assert (finding.code, finding.severity) == ("host-part-unknown", Severity.WARNING)
    assert command in finding.remedy
    assert (verdict.impact, part.value.replace("_", " ") in verdict.impact_reason) == ("UNKNOWN", True)


@pytest.mark.parametrize("wanted", [DELL, None])
def test_whether_there_is_an_add_on_must_be_told_even_where_the_image_has_none(wanted: tuple[str, str] | None) -> None:
    image = custom(shop(), add_on=wanted)
    host = host_of(image)
    verdict = checked(image, attrs.evolve(host, add_on=None, told=host.told - {HostPart.ADD_ON}))
    assert verdict.add_on is not None
    assert (verdict.add_on.status, verdict.add_on.name) == (UNAVAILABLE, wanted[0] if wanted else "")


def test_a_host_of_which_nothing_is_known_is_unavailable() -> None:
    verdict = checked(custom(shop()), Host(name="esx9", told=[]))
    assert verdict.status is UNAVAILABLE
    assert verdict.components == ()
    assert verdict.missing == (
        HostPart.BASE_IMAGE,
        HostPart.ADD_ON,
        HostPart.COMPONENTS,
        HostPart.STANDALONE_VIBS,
    )
    assert verdict.findings[0].remedy.count(";") >= 3


@pytest.mark.parametrize("has", ["7.0.3-0.40.19898904", "7.0.3-0.55.20328353"])
def test_what_is_known_counts_before_what_is_not(has: str) -> None:
    image = custom(shop())
    host = Host(name="esx9", base_image=BaseImageVersion(has), told=[HostPart.BASE_IMAGE])
    verdict = checked(image, host)
    assert verdict.status is (NON_COMPLIANT if has < BASE_VERSION else INCOMPATIBLE)
    assert verdict.impact == "REBOOT_REQUIRED"


# Impact


def flagged_image(**fields: Any) -> tuple[Stock, Image]:
    """An image whose driver has these flags, of which an older one with the same flags is loaded."""
    stock = Stock()
    stock.base_image(stock.driver(NET, "2.0-1", **fields))
    stock.driver(NET, "1.0-1", **fields)
    return stock, compose(stock.catalog(), spec())


@pytest.mark.parametrize(
    ("fields", "impact"),
    [
        ({}, Impact.REBOOT_REQUIRED),
        ({"live_install_allowed": True}, Impact.REBOOT_REQUIRED),
        ({"live_remove_allowed": True}, Impact.REBOOT_REQUIRED),
        (LIVE, Impact.NO_IMPACT),
        (LIVE | {"maintenance_mode": MaintenanceMode(required=True)}, Impact.MAINTENANCE_MODE_REQUIRED),
        (LIVE | {"maintenance_mode": MaintenanceMode(required=True, on_install=False)}, "MAINTENANCE_MODE_REQUIRED"),
        (
            LIVE | {"maintenance_mode": MaintenanceMode(required=True, on_install=False, on_remove=False)},
            Impact.NO_IMPACT,
        ),
        (LIVE | {"maintenance_mode": MaintenanceMode(on_remove=True)}, Impact.MAINTENANCE_MODE_REQUIRED),
    ],
)
@pytest.mark.parametrize("is_told", [True, False])
def test_the_flags_of_vibs_that_come_and_go_say_what_a_host_goes_through(
    fields: Mapping[str, Any], impact: str, *, is_told: bool
) -> None:
    """Both ways of knowing say the same: the host's own list of VIBs, or its components and the depots."""
    stock, image = flagged_image(**fields)
    host = with_component(host_of(image, with_vibs=is_told), NET, "1.0-1")
    if is_told:
        others = [part for part in host.vibs if part.name != NET]
        host = with_vibs(attrs.evolve(host, vibs=others), [(NET, "1.0-1")])
    verdict = checked(image, host, stock.catalog())
    assert (verdict.status, verdict.impact) == (NON_COMPLIANT, impact)
    assert (NET in verdict.impact_reason) == (impact != "NO_IMPACT")


@pytest.mark.parametrize(
    ("is_removable", "needs_mode", "impact"),
    [
        (True, False, Impact.NO_IMPACT),
        (True, True, Impact.MAINTENANCE_MODE_REQUIRED),
        (False, None, Impact.REBOOT_REQUIRED),
        (None, None, Impact.UNKNOWN),
        (True, None, Impact.UNKNOWN),
    ],
)
def test_what_a_removal_asks_for_is_what_the_host_says_and_else_not_known(
    is_removable: bool | None,  # noqa: FBT001 - a table
    needs_mode: bool | None,  # noqa: FBT001 - a table
    impact: Impact,
) -> None:
    image = custom(shop())
    host = with_vibs(
        host_of(image, with_vibs=True, standalone_vibs=["ACM_bootbank_tool_1.0-1"]),
        [("tool", "1.0-1")],
        is_live_removable=is_removable,
        needs_maintenance_mode=needs_mode,
    )
    assert checked(image, host).impact == impact


@pytest.mark.parametrize(("is_loaded", "impact"), [(True, Impact.NO_IMPACT), (False, Impact.UNKNOWN)])
@pytest.mark.parametrize("name", ["Acme-extra", "Zeta-tool"])
def test_a_component_that_goes_is_known_where_its_depot_is_open(name: str, impact: Impact, *, is_loaded: bool) -> None:
    stock = shop()
    image = custom(stock)
    stock.driver(name, "1.0-1", **LIVE)
    verdict = checked(image, with_component(host_of(image), name, "1.0-1"), stock.catalog() if is_loaded else None)
    assert verdict.impact == impact


@pytest.mark.parametrize("name", ["tool", "agent"])
def test_a_lone_vib_that_goes_is_judged_by_its_id_where_vibs_are_not_told(name: str) -> None:
    stock = shop()
    image = custom(stock)
    stock.vibs.append(vib(name, "1.0-1", **LIVE))
    host = host_of(image, standalone_vibs=[f"ACM_bootbank_{name}_1.0-1"])
    assert checked(image, host, stock.catalog()).impact == "NO_IMPACT"
    assert checked(image, host).impact == "UNKNOWN"


@pytest.mark.parametrize(
    ("has", "impact"),
    [
        ("9.0.0.0.24755229", "PARTIAL_MAINTENANCE_MODE_REQUIRED"),
        ("9.0.0-0.24755229", "PARTIAL_MAINTENANCE_MODE_REQUIRED"),
        ("9.0.0.0.24755230", "REBOOT_REQUIRED"),
        ("8.0.3-0.70.24674464", "REBOOT_REQUIRED"),
    ],
)
@pytest.mark.parametrize("is_told", [True, False])
def test_a_live_patch_is_one_only_from_the_versions_that_the_base_image_lists(
    has: str, impact: str, *, is_told: bool
) -> None:
    wanted = "9.0.0.0100.24813472"
    stock = shop(wanted, quick_patch_versions=[("9.0.0.0.24755229", "9.0 GA")])
    image = custom(stock)
    host = attrs.evolve(host_of(image, with_vibs=is_told), base_image=BaseImageVersion(has))
    host = with_component(host, "ESXi", has)
    if is_told:
        others = [part for part in host.vibs if part.name != "esx-base"]
        host = with_vibs(attrs.evolve(host, vibs=others), [("esx-base", has)])
    else:
        stock.component("ESXi", has, esx_base(has))
    verdict = checked(image, host, stock.catalog())
    assert (verdict.status, verdict.impact) == (NON_COMPLIANT, impact)


def test_a_live_patch_does_not_spare_what_else_changes() -> None:
    wanted, has = "9.0.0.0100.24813472", "9.0.0.0.24755229"
    image = custom(shop(wanted, quick_patch_versions=[(has, "9.0 GA"), ("broken", "")]))
    host = with_component(host_of(image, base_image=BaseImageVersion(has)), "ESXi", has)
    verdict = checked(image, without_component(host, AGENT))
    assert (verdict.impact, AGENT in verdict.impact_reason) == ("REBOOT_REQUIRED", True)


@pytest.mark.parametrize("platform", ["esxio 8.*", "esxio 9.*"])
def test_vibs_of_processing_units_count_where_there_is_one(platform: str) -> None:
    stock = shop()
    stock.component(
        "Acme-both",
        "1.0-1",
        vib("both", **LIVE),
        vib("both-dpu", software_platforms=platforms(platform)),
    )
    image = custom(stock, {"Acme-both": "1.0-1"})
    host = without_component(host_of(image, with_vibs=True), "Acme-both")
    host = attrs.evolve(host, vibs=[part for part in host.vibs if part.name != "both"])
    assert checked(image, host).impact == "NO_IMPACT"
    parts = [attrs.evolve(part, platforms=["host", "vmdpu0"]) for part in host.components]
    assert checked(image, attrs.evolve(host, components=parts)).impact == "REBOOT_REQUIRED"


# Images without components


def profile_image() -> tuple[Stock, Image]:
    """An image as 6.x profiles have it: VIBs alone."""
    stock = Stock()
    stock.vibs = [esx_base("6.7.0-3.73.14320388"), vib("net", "2.0-1"), vib("tool", "1.0-1")]
    stock.profile("ESXi-6.7", [entry.id for entry in stock.vibs])
    return stock, image_from_profile(stock.catalog(), "ESXi-6.7")


def test_an_image_without_components_is_compared_vib_by_vib() -> None:
    _, image = profile_image()
    host = host_of(image, with_vibs=True)
    assert checked(image, host).status is COMPLIANT
    verdict = checked(image, attrs.evolve(host, vibs=host.vibs[1:]))
    assert verdict.status is NON_COMPLIANT
    assert [(found.name, found.reason) for found in verdict.items] == [(host.vibs[0].name, ItemReason.NOT_ON_HOST)]


@pytest.mark.parametrize(
    ("name", "version", "status", "reason"),
    [
        ("net", "1.0-1", NON_COMPLIANT, ItemReason.IMAGE_IS_LATER),
        ("net", "3.0-1", INCOMPATIBLE, ItemReason.HOST_IS_LATER),
        ("tool", "1.0-01", COMPLIANT, None),
        ("extra", "1.0-1", NON_COMPLIANT, ItemReason.NOT_IN_IMAGE),
    ],
)
def test_vibs_follow_the_same_pattern(
    name: str, version: str, status: ComplianceStatus, reason: ItemReason | None
) -> None:
    _, image = profile_image()
    host = host_of(image, with_vibs=True)
    host = attrs.evolve(host, vibs=[part for part in host.vibs if part.name != name])
    verdict = checked(image, with_vibs(host, [(name, version)]))
    (found,) = (part for part in verdict.vibs if part.name == name)
    assert (found.status, found.reason, verdict.status) == (status, reason, status)
    assert codes(verdict) == (["host-vib-newer"] if status is INCOMPATIBLE else [])
    assert verdict.standalone_vibs == ()


def test_an_image_without_components_needs_the_vibs_of_a_host() -> None:
    _, image = profile_image()
    verdict = checked(image, host_of(image, told=[HostPart.BASE_IMAGE]))
    assert (verdict.status, verdict.missing) == (UNAVAILABLE, (HostPart.VIBS,))
    assert {found.status for found in verdict.vibs} == {UNAVAILABLE}


def test_a_profile_does_not_say_which_add_on_it_has_so_none_is_compared() -> None:
    stock = Stock()
    stock.component("ESXi", BASE_VERSION, esx_base())
    stock.profile("custom", [entry.id for entry in stock.vibs], bulletin_ids=[f"ESXi_{BASE_VERSION}"])
    image = image_from_profile(stock.catalog(), "custom")
    host = host_of(image, add_on=AddOnReference(DELL[0], AddOnVersion(DELL[1])))
    verdict = checked(image, host)
    assert (verdict.add_on, verdict.status) == (None, COMPLIANT)


def test_vibs_that_an_image_of_components_has_besides_are_asked_for() -> None:
    stock = Stock()
    stock.component("ESXi", BASE_VERSION, esx_base())
    stock.vibs.append(vib("loose", "1.0-1"))
    stock.profile("custom", [entry.id for entry in stock.vibs], bulletin_ids=[f"ESXi_{BASE_VERSION}"])
    image = image_from_profile(stock.catalog(), "custom")
    host = host_of(image, with_vibs=True)
    assert checked(image, host).status is COMPLIANT
    verdict = checked(image, attrs.evolve(host, vibs=[part for part in host.vibs if part.name != "loose"]))
    assert [(found.name, found.reason) for found in verdict.vibs] == [("loose", ItemReason.NOT_ON_HOST)]
    untold = checked(image, attrs.evolve(host, told=host.told - {HostPart.VIBS}))
    assert untold.missing == (HostPart.VIBS,)


def test_two_contents_of_one_component_both_count() -> None:
    """Two depots disagree on what it brings: a VIB of either is no lone one."""
    stock = shop()
    image = custom(stock)
    stock.vibs += [vib("left"), vib("right")]
    stock.components += [
        component("Acme-two", "1.0-1", ["ACM_bootbank_left_1.0-1"]),
        component("Acme-two", "1.0-1", ["ACM_bootbank_right_1.0-1"]),
    ]
    host = with_component(host_of(image, with_vibs=True), "Acme-two", "1.0-1")
    host = with_untold_standalone(with_vibs(host, [("left", "1.0-1"), ("right", "1.0-1")]))
    verdict = checked(image, host, stock.catalog())
    assert (verdict.standalone_vibs, verdict.missing) == ((), ())


def test_of_two_vibs_of_one_version_the_stricter_flags_count() -> None:
    stock = shop()
    image = custom(stock)
    stock.driver("Acme-extra", "1.0-1", **LIVE)
    stock.vibs.append(vib("Acme-extra", "1.0-1", summary="another"))
    verdict = checked(image, with_component(host_of(image), "Acme-extra", "1.0-1"), stock.catalog())
    assert verdict.impact == "REBOOT_REQUIRED"


def test_an_image_that_does_not_say_its_version_is_judged_by_the_rest() -> None:
    stock = Stock(vibs=[vib("net", "2.0-1")])
    stock.profile("tools", [stock.vibs[0].id])
    image = image_from_profile(stock.catalog(), "tools")
    verdict = checked(image, host_of(image, with_vibs=True))
    assert (verdict.status, verdict.base_image, verdict.missing) == (COMPLIANT, None, ())


def test_very_many_versions_of_a_component_are_not_all_remembered() -> None:
    """Memory stays flat even where every host has a version of its own."""
    image = custom(shop())
    target = ComplianceTarget(image)
    host = without_component(host_of(image), NET)
    for number in range(20_001):
        part = HostComponent(name=NET, version=ComponentVersion(f"1.{number}-1"))
        verdict = target.check(attrs.evolve(host, components=[*host.components, part]))
    assert verdict.status is NON_COMPLIANT
    assert len(target._components._remembered) == 1
