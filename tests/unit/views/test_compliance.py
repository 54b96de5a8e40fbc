"""Compliance in every form: vLCM's names and words exactly in JSON, and the same said to people."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import attrs
import pytest
from support.memory_catalogs import Stock, spec
from support.small_hosts import host_of, with_component, without_component

from esximage_builder.errors import ModelError
from esximage_builder.hosts.check import check_compliance
from esximage_builder.hosts.drift import explain_drift
from esximage_builder.models.compliance import ClusterCompliance, ComplianceStatus, ItemReason
from esximage_builder.models.host import Host, HostPart, HostSolution
from esximage_builder.models.spec import AddOnReference
from esximage_builder.rules.compose import compose, image_from_profile
from esximage_builder.rules.diff import Impact
from esximage_builder.versions import AddOnVersion, BaseImageVersion
from esximage_builder.views.compliance import (
    render_compliance,
    render_html_compliance,
    render_markdown_compliance,
)
from esximage_builder.views.compliance_json import cluster_compliance_as_dict, host_compliance_as_dict
from esximage_builder.views.compliance_words import IMPACT_WORDS, REASON_WORDS, STATUS_WORDS

if TYPE_CHECKING:
    from esximage_builder.models.image import Image

CLUSTER_KEYS = {
    "impact", "status", "notifications", "compliant_hosts", "non_compliant_hosts", "incompatible_hosts",
    "unavailable_hosts", "hosts", "host_info",
}  # fmt: skip
HOST_KEYS = {
    "impact", "status", "notifications", "base_image", "add_on", "components", "removed_components", "solutions",
    "hardware_support",
}  # fmt: skip
ITEM_KEYS = {"status", "current", "target", "notifications"}


def full_image() -> Image:
    """An image with something of every kind."""
    stock = Stock()
    stock.base_image(stock.driver("Acme-net", "2.0-1"), stock.driver("Acme-gone", "1.0-1"))
    stock.add_on(stock.driver("Acme-agent", "4.1.0-8"), release=("DEL-ESXi", "703.20036589.A08"))
    package = stock.package("acme-firmware", stock.driver("Acme-fw", "1.0-1"))
    stock.driver("Acme-ha", "1.0-1")
    solution = stock.solution("com.vmware.vsphere-ha", {"Acme-ha": ["1.0-1"]})
    wanted = spec(
        add_on=("DEL-ESXi", "703.20036589.A08"), removed=["Acme-gone"], packages=[package], solutions=[solution]
    )
    return compose(stock.catalog(), wanted)


@pytest.fixture(scope="module")
def cluster() -> ClusterCompliance:
    """A host of each status."""
    image = full_image()
    same = host_of(image, "same")
    behind = without_component(with_component(same, "Acme-gone", "1.0-1"), "Acme-fw")
    behind = attrs.evolve(
        behind,
        name="behind",
        base_image=BaseImageVersion("7.0.3-0.40.19898904"),
        add_on=AddOnReference("LVO", AddOnVersion("LVO.703.1")),
        solutions=[HostSolution(name="com.vmware.vsphere-ha", version="0.9")],
        standalone_vibs=["virten_bootbank_ghettoVCB_1.0.0-0.0.0"],
    )
    ahead = attrs.evolve(with_component(same, "Acme-net", "3.0-1", is_manual=True), name="ahead")
    return check_compliance(image, [same, behind, ahead, Host(name="silent", told=[])])


def document(cluster: ClusterCompliance, **fields: Any) -> dict[str, Any]:
    """What a reader of the JSON gets."""
    found: dict[str, Any] = json.loads(json.dumps(cluster_compliance_as_dict(cluster, **fields)))
    return found


def test_a_cluster_has_the_fields_of_the_api_and_no_other(cluster: ClusterCompliance) -> None:
    found = document(cluster)
    assert found.keys() == CLUSTER_KEYS
    assert (found["status"], found["impact"]) == ("INCOMPATIBLE", "REBOOT_REQUIRED")
    assert found["host_info"] == {name: {"name": name} for name in ("same", "behind", "ahead", "silent")}


def test_each_host_stands_in_the_list_of_its_status(cluster: ClusterCompliance) -> None:
    found = document(cluster)
    lists = ("compliant_hosts", "non_compliant_hosts", "incompatible_hosts", "unavailable_hosts")
    assert [found[key] for key in lists] == [["same"], ["behind"], ["ahead"], ["silent"]]


def test_an_unavailable_host_has_no_entry_and_what_is_missing_stands_at_the_cluster(
    cluster: ClusterCompliance,
) -> None:
    found = document(cluster)
    assert list(found["hosts"]) == ["same", "behind", "ahead"]
    (warning,) = found["notifications"]["warnings"]
    assert warning["id"] == warning["message"]["id"] == "host-part-unknown"
    assert "the inventory of silent does not tell: base image" in warning["message"]["default_message"]
    assert warning["message"]["args"][0] == "silent"
    assert "esxcli software baseimage get" in warning["resolution"]["default_message"]


def test_a_host_has_the_fields_of_the_api_and_no_other(cluster: ClusterCompliance) -> None:
    for host in document(cluster)["hosts"].values():
        assert host.keys() == HOST_KEYS
        items = [host["base_image"], host["add_on"]]
        items += [*host["solutions"].values(), *host["hardware_support"].values()]
        assert all(item.keys() == ITEM_KEYS for item in items)
        parts = [*host["components"].values(), *host["removed_components"].values()]
        assert all(part.keys() == ITEM_KEYS | {"current_source", "target_source"} for part in parts)


def test_both_sides_of_every_item_are_told(cluster: ClusterCompliance) -> None:
    host = document(cluster)["hosts"]["behind"]
    sides = ("current", "target")
    assert [host["base_image"][side] for side in sides] == [
        {"version": "7.0.3-0.40.19898904"}, {"version": "7.0.3-0.50.20036589"},
    ]  # fmt: skip
    assert [host["add_on"][side] for side in sides] == [
        {"name": "LVO", "version": "LVO.703.1"}, {"name": "DEL-ESXi", "version": "703.20036589.A08"},
    ]  # fmt: skip
    assert host["hardware_support"]["manager-acme-firmware"]["target"] == {"pkg": "acme-firmware", "version": "1.0"}
    assert host["solutions"]["com.vmware.vsphere-ha"]["current"] == {"version": "0.9"}
    lacking = host["components"]["Acme-fw"]
    assert (lacking["current"], lacking["current_source"]) == (None, None)
    assert (lacking["target"], lacking["target_source"]) == ({"version": "1.0-1"}, "HARDWARE_SUPPORT_PACKAGE")
    gone = host["removed_components"]["Acme-gone"]
    assert (gone["current"], gone["target"], gone["target_source"]) == ({"version": "1.0-1"}, None, None)


def test_notifications_say_what_is_wrong_at_the_level_of_their_severity(cluster: ClusterCompliance) -> None:
    hosts = document(cluster)["hosts"]
    assert hosts["same"]["notifications"] == {}
    assert hosts["same"]["components"]["Acme-net"]["notifications"] == {}
    assert [note["id"] for note in hosts["behind"]["notifications"]["warnings"]] == ["standalone-vib-removed"]
    (error,) = hosts["ahead"]["notifications"]["errors"]
    assert "Acme-net 3.0-1" in error["message"]["default_message"]
    (reason,) = hosts["ahead"]["notifications"]["info"]
    assert reason["message"]["default_message"].startswith("reboot: the VIB Acme-net")
    part = hosts["ahead"]["components"]["Acme-net"]
    assert (part["status"], part["current_source"]) == ("INCOMPATIBLE", "USER")
    assert [note["id"] for note in part["notifications"]["errors"]] == ["host-is-later"]
    assert [note["id"] for note in hosts["behind"]["base_image"]["notifications"]["info"]] == ["image-is-later"]


def test_what_neither_has_is_null() -> None:
    stock = Stock()
    stock.base_image()
    image = compose(stock.catalog(), spec())
    found = document(check_compliance(image, [host_of(image)]))["hosts"]["esx1"]
    assert (found["add_on"], found["solutions"], found["hardware_support"]) == (None, {}, {})


def test_vibs_of_an_image_without_components_stand_beside_what_the_api_knows() -> None:
    stock = Stock()
    stock.base_image()
    stock.profile("old", [entry.id for entry in stock.vibs])
    image = image_from_profile(stock.catalog(), "old")
    cluster = check_compliance(image, [host_of(image, with_vibs=True)])
    found = document(cluster)["hosts"]["esx1"]
    assert found.keys() == HOST_KEYS | {"vibs"}
    assert found["vibs"]["esx-base"].keys() == ITEM_KEYS


@pytest.mark.parametrize(
    ("scan_time", "text"),
    [
        (datetime(2026, 11, 25, 1, 2, 3, tzinfo=UTC), "2026-11-25T01:02:03.000Z"),
        (datetime(2026, 1, 1, 0, 30, tzinfo=timezone(timedelta(hours=2))), "2025-12-31T22:30:00.000Z"),
    ],
)
def test_times_are_there_only_if_the_caller_gives_one(
    cluster: ClusterCompliance, scan_time: datetime, text: str
) -> None:
    assert "time" not in json.dumps(document(cluster))
    found = document(cluster, scan_time=scan_time)
    assert found["scan_time"] == found["hosts"]["same"]["scan_time"] == text
    assert found["notifications"]["warnings"][0]["time"] == text
    assert host_compliance_as_dict(cluster.hosts[0], scan_time=scan_time)["scan_time"] == text


def test_a_time_without_zone_is_refused(cluster: ClusterCompliance) -> None:
    with pytest.raises(ModelError, match="no zone"):
        document(cluster, scan_time=datetime(2026, 1, 1))  # noqa: DTZ001 - this is what is refused


def test_hosts_of_one_name_are_told_apart() -> None:
    """Hosts that were never named are all called localhost; none may be lost."""
    image = full_image()
    names = ("localhost", "localhost", "localhost (2)", "esx1", "localhost")
    found = document(check_compliance(image, [host_of(image, name) for name in names]))
    expected = ["localhost", "localhost (2)", "localhost (2) (2)", "esx1", "localhost (3)"]
    assert found["compliant_hosts"] == list(found["hosts"]) == list(found["host_info"]) == expected
    assert found["host_info"]["localhost (3)"] == {"name": "localhost"}


def test_people_read_the_same_in_every_form(cluster: ClusterCompliance) -> None:
    text, markdown, page = (
        render(cluster) for render in (render_compliance, render_markdown_compliance, render_html_compliance)
    )
    for said in (text, markdown, page):
        for word in ("incompatible", "not compliant", "unavailable", "silent", "ghettoVCB", "703.20036589.A08"):
            assert word in said
    assert "Hosts   4: 1 compliant, 1 unavailable, 1 not compliant, 1 incompatible" in text
    assert "LVO LVO.703.1" in text
    assert text.count("Acme-gone") >= 1
    assert "\nsame\n" not in text
    assert "<h1>Compliance with" in page


def test_a_cluster_without_hosts_says_so() -> None:
    said = render_compliance(ClusterCompliance(image="image", status=ComplianceStatus.COMPLIANT))
    assert "Hosts   none" in said


def test_every_status_impact_and_reason_has_words() -> None:
    assert STATUS_WORDS.keys() == set(ComplianceStatus)
    assert REASON_WORDS.keys() == set(ItemReason)
    assert IMPACT_WORDS.keys() == {impact.value for impact in Impact}


def test_what_was_not_told_is_said_of_each_item() -> None:
    image = full_image()
    host = host_of(image)
    told = host.told - {HostPart.HARDWARE_SUPPORT, HostPart.ADD_ON}
    said = render_compliance(check_compliance(image, [attrs.evolve(host, told=told)]))
    assert "not checkable: only its hardware support manager knows the firmware" in said
    assert "the inventory does not tell it" in said


@pytest.mark.parametrize("version", ["1.0-1", "9.0-1"])
def test_drift_is_told_where_there_is_a_history(version: str) -> None:
    image = full_image()
    drifted = attrs.evolve(
        with_component(host_of(image), "Acme-net", version), standalone_vibs=["virten_bootbank_ghettoVCB_1.0.0-0.0.0"]
    )
    hosts = [drifted, Host(name="silent", told=[])]
    drifts = [explain_drift(host, [image]) for host in hosts]
    cluster = check_compliance(image, hosts)
    said = render_compliance(cluster, drifts=drifts)
    assert f"nearest to {image.name}" in said
    assert f"Acme-net {version}: the " in said
    assert "not known" in said
    near, unknown = document(cluster, drifts=drifts)["drift"]
    assert [part["name"] for part in near["own"]] == ["Acme-net"]
    assert near["own"][0].keys() == {"name", "status", "current", "target", "reason"}
    assert near["removed"] == near["own_vibs"] == ["virten_bootbank_ghettoVCB_1.0.0-0.0.0"]
    assert (unknown["nearest"], unknown["behind_since"]) == (None, None)
    assert "drift" not in document(cluster)
