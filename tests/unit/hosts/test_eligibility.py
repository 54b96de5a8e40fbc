"""Faster ways: each verdict with its reason, and no before not known before yes."""

from __future__ import annotations

from typing import Any

import pytest
from support.memory_catalogs import Stock, spec, vib
from support.small_hosts import host_of

from esximage_builder.hosts.eligibility import judge_quick_boot, judge_services, judge_suspend_to_memory
from esximage_builder.hosts.remediation import plan_remediation
from esximage_builder.models.host import Host, HostFacts
from esximage_builder.models.remediation import Eligibility, HostPlan, Ternary
from esximage_builder.rules.classify import ChangeKind
from esximage_builder.rules.compose import compose

YES = Eligibility(Ternary.YES, "the hardware supports Quick Boot")


def cluster(**facts: Any) -> list[Host]:
    return [Host(name="esx1", facts=HostFacts(**facts))]


@pytest.mark.parametrize(("told", "verdict"), [(True, Ternary.YES), (False, Ternary.NO), (None, Ternary.UNKNOWN)])
def test_quick_boot_goes_by_the_facts_alone(told: bool | None, verdict: Ternary) -> None:  # noqa: FBT001 - cases
    assert judge_quick_boot(HostFacts(supports_quick_boot=told)).verdict is verdict


@pytest.mark.parametrize(
    ("change", "verdict"),
    [
        (ChangeKind.PATCH, Ternary.YES),
        (ChangeKind.UPDATE, Ternary.NO),
        (ChangeKind.UPGRADE, Ternary.NO),
        (ChangeKind.ADD_ON_ONLY, Ternary.NO),
        (ChangeKind.COMPONENT_ONLY, Ternary.NO),
        (ChangeKind.NONE, Ternary.NO),
        (None, Ternary.UNKNOWN),
    ],
)
def test_suspend_to_memory_is_for_patches_only(change: ChangeKind | None, verdict: Ternary) -> None:
    answer = judge_suspend_to_memory(change, YES, judge_services(cluster(runs_vcenter=False, runs_nsx=False)))
    assert answer.verdict is verdict


def test_no_counts_before_not_known_and_all_reasons_of_a_kind_are_told() -> None:
    answer = judge_suspend_to_memory(
        ChangeKind.UPGRADE, judge_quick_boot(HostFacts()), judge_services(cluster(runs_nsx=True))
    )
    assert answer.verdict is Ternary.NO
    assert answer.reason == "it is an upgrade, and suspend to memory is for patches only; an NSX manager runs on esx1"


LISTED = "8.0.3-0.65.24659227"
TARGET = "8.0.3-0.70.24674464"


def live_plan(*, tool: str = "1.0-1", **facts: Any) -> HostPlan:
    """A host of the listed version, and an image with a tool that needs a restart if it changes."""
    stock = Stock()
    old = stock.component("tool", "1.0-1", vib("tool", "1.0-1"))
    stock.component("tool", "2.0-1", vib("tool", "2.0-1"))
    stock.base_image(version=LISTED)
    stock.base_image(version=TARGET, quick_patch_versions=[(LISTED, "")])
    assert old.version.text == "1.0-1"
    before = compose(stock.catalog(), spec({"tool": "1.0-1"}, base_image=LISTED))
    image = compose(stock.catalog(), spec({"tool": tool}, base_image=TARGET))
    return plan_remediation(image, [host_of(before, facts=HostFacts(**facts))], catalog=stock.catalog()).hosts[0]


def test_a_live_patch_of_8_goes_to_no_host_with_a_tpm() -> None:
    with_tpm, without = live_plan(has_tpm=True), live_plan(has_tpm=False)
    assert (with_tpm.live_patch.verdict, with_tpm.impact) == (Ternary.NO, "REBOOT_REQUIRED")
    assert with_tpm.impact_reason == with_tpm.live_patch.reason
    assert (without.live_patch.verdict, without.impact) == (Ternary.YES, "PARTIAL_MAINTENANCE_MODE_REQUIRED")
    assert "unless the host has a TPM" in live_plan().live_patch.reason


def test_a_component_that_needs_a_restart_spoils_a_live_patch() -> None:
    plan = live_plan(tool="2.0-1", has_tpm=False)
    assert (plan.live_patch.verdict, plan.impact) == (Ternary.NO, "REBOOT_REQUIRED")
    assert "tool" in plan.live_patch.reason
