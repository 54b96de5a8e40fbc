"""Waves: who goes with whom, and what is to be moved by hand."""

from __future__ import annotations

from typing import Any

import pytest

from esximage_builder.errors import ModelError
from esximage_builder.hosts.waves import RolloutConstraints, plan_waves
from esximage_builder.models.host import Host, HostFacts
from esximage_builder.models.remediation import Wave
from esximage_builder.rules.diff import Impact


def cluster(**facts: dict[str, Any]) -> list[Host]:
    return [Host(name=name, facts=HostFacts(**fact)) for name, fact in facts.items()]


def waves_of(hosts: list[Host], impact: Impact = Impact.REBOOT_REQUIRED, **limits: Any) -> tuple[Wave, ...]:
    return plan_waves(hosts, {host.name: impact for host in hosts}, RolloutConstraints(**limits))


def names(waves: tuple[Wave, ...]) -> list[tuple[str, ...]]:
    return [wave.hosts for wave in waves]


@pytest.mark.parametrize(
    ("most", "expected"),
    [
        (1, [("a",), ("b",), ("c",), ("d",), ("e",)]),
        (2, [("a", "b"), ("c", "d"), ("e",)]),
        (9, [("a", "b", "c", "d"), ("e",)]),
    ],
)
def test_no_wave_has_more_than_allowed_and_none_the_whole_cluster(most: int, expected: list[tuple[str, ...]]) -> None:
    assert names(waves_of(cluster(a={}, b={}, c={}, d={}, e={}), max_parallel=most)) == expected


def test_hosts_that_stay_keep_serving() -> None:
    hosts = cluster(a={}, b={}, c={})
    impacts = dict.fromkeys("ab", Impact.REBOOT_REQUIRED)
    assert names(plan_waves(hosts, impacts, RolloutConstraints(max_parallel=5))) == [("a", "b")]


def test_vsan_hosts_go_by_fault_domain_and_others_fill_up() -> None:
    one, two = {"has_vsan": True, "fault_domain": "rack1"}, {"has_vsan": True, "fault_domain": "rack2"}
    hosts = cluster(a=one, b=two, c=one, d={"has_vsan": False}, e=two)
    waves = waves_of(hosts, max_parallel=3)
    assert names(waves) == [("a", "c", "d"), ("b", "e")]
    assert [wave.fault_domain for wave in waves] == ["rack1", "rack2"]


def test_a_vsan_host_without_fault_domain_is_its_own() -> None:
    alike = {"has_vsan": True}
    assert names(waves_of(cluster(a=alike, b=alike, c=alike), max_parallel=3)) == [("a",), ("b",), ("c",)]


def test_in_a_vsan_cluster_a_host_that_does_not_say_counts_as_one_that_has_it() -> None:
    waves = waves_of(cluster(a={"has_vsan": True}, b={}, c={"has_vsan": False}), max_parallel=2)
    assert names(waves) == [("a", "c"), ("b",)]
    assert "not told" in waves[1].reason


@pytest.mark.parametrize("place", [0, 2])
def test_a_witness_goes_by_itself_after_all_others(place: int) -> None:
    hosts = cluster(a={"has_vsan": True, "fault_domain": "x"}, b={"has_vsan": True, "fault_domain": "x"}, c={})
    hosts.insert(place, Host(name="w", facts=HostFacts(is_vsan_witness=True)))
    waves = waves_of(hosts, max_parallel=4)
    assert waves[-1].hosts == ("w",)
    assert waves[-1].moves == ()


def test_without_drs_the_waves_say_what_is_moved_by_hand() -> None:
    hosts = cluster(a={"runs_vcenter": True}, b={"runs_nsx": True})
    assert [[move.what.split(" ")[0:4] for move in wave.moves] for wave in waves_of(hosts)] == [
        [["move", "its", "running", "virtual"], ["move", "the", "vCenter", "of"]],
        [["move", "its", "running", "virtual"], ["move", "the", "NSX", "manager"]],
    ]
    assert [wave.moves for wave in waves_of(hosts, has_drs=True)] == [(), ()]


@pytest.mark.parametrize("impact", [Impact.NO_IMPACT, Impact.PARTIAL_MAINTENANCE_MODE_REQUIRED])
def test_a_host_that_stays_in_service_needs_nothing_moved(impact: Impact) -> None:
    assert waves_of(cluster(a={}, b={}), impact)[0].moves == ()


def test_a_single_host_has_nowhere_to_move_to() -> None:
    (wave,) = waves_of(cluster(a={"runs_vcenter": True}))
    (move,) = wave.moves
    assert "no other host" in move.what


@pytest.mark.parametrize("most", [0, -1])
def test_at_least_one_host_may_go(most: int) -> None:
    with pytest.raises(ModelError, match="no host could go"):
        RolloutConstraints(max_parallel=most)
