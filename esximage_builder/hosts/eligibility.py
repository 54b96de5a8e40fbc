"""Which faster ways a host can go: Quick Boot, suspend to memory, live patch.

Rules (docs/hosts.md#faster-ways says which are confirmed):

* Quick Boot goes by the hardware alone, and what was not told is not known, never yes.
* Suspend to memory is for patches of the base image only: no update, no upgrade, no change of
  add-on or components by itself. It needs Quick Boot, and no vCenter and no NSX manager may run on
  any host of the cluster.
* A live patch is one that the base image itself lists for the version that the host has; before 9.0
  not on hosts with a TPM. It is none any more where something else of the image needs a restart.

Of several answers no counts before not known, and that before yes; all their reasons are told.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from esximage_builder.models.near_names import listed
from esximage_builder.models.remediation import Eligibility, Ternary
from esximage_builder.rules.classify import ChangeKind
from esximage_builder.rules.diff import Impact

if TYPE_CHECKING:
    from collections.abc import Iterable

    from esximage_builder.models.compliance import HostCompliance
    from esximage_builder.models.host import Host, HostFacts
    from esximage_builder.models.image import Image

__all__ = ["is_listed_live", "judge_live_patch", "judge_quick_boot", "judge_services", "judge_suspend_to_memory"]

_TPM_TAKEN_FROM = 9
"""Major release from which hosts with a TPM are patched live. Source: public announcements of 8.0 U3 and 9.0."""

_LIVE_IMPACTS = (Impact.NO_IMPACT, Impact.PARTIAL_MAINTENANCE_MODE_REQUIRED)


def judge_quick_boot(facts: HostFacts) -> Eligibility:
    """Say whether a host can restart without its firmware."""
    if facts.supports_quick_boot is None:
        return Eligibility(Ternary.UNKNOWN, "the host's facts do not say whether its hardware supports Quick Boot")
    if facts.supports_quick_boot:
        return Eligibility(Ternary.YES, "the hardware supports Quick Boot")
    return Eligibility(Ternary.NO, "the hardware does not support Quick Boot")


def judge_services(cluster: Iterable[Host]) -> tuple[Eligibility, ...]:
    """Say whether what runs on the hosts of a cluster lets their virtual machines wait in memory."""
    hosts = tuple(cluster)
    return (
        _by_service("vCenter", {host.name: host.facts.runs_vcenter for host in hosts}),
        _by_service("an NSX manager", {host.name: host.facts.runs_nsx for host in hosts}),
    )


def judge_suspend_to_memory(
    change: ChangeKind | None, quick_boot: Eligibility, services: Iterable[Eligibility]
) -> Eligibility:
    """Say whether virtual machines can wait in memory while their host restarts.

    Args:
        change: What the host goes through; None if not known.
        quick_boot: Its own verdict.
        services: What ``judge_services`` says of all hosts of the cluster, this one among them.
    """
    answers = (_by_change(change), _by_quick_boot(quick_boot), *services)
    return _together(answers, yes="it is a patch, Quick Boot is supported, and no host runs vCenter or NSX")


def _by_change(change: ChangeKind | None) -> Eligibility:
    if change is None:
        return Eligibility(Ternary.UNKNOWN, "the kind of the change is not known: the host's base image is not told")
    if change is ChangeKind.PATCH:
        return Eligibility(Ternary.YES, "it is a patch")
    if change is ChangeKind.NONE:
        return Eligibility(Ternary.NO, "nothing changes")
    word = change.value.replace("-only", "").replace("-", " ")
    if change in (ChangeKind.UPDATE, ChangeKind.UPGRADE):
        return Eligibility(Ternary.NO, f"it is an {word}, and suspend to memory is for patches only")
    return Eligibility(Ternary.NO, f"only {word} changes, and suspend to memory is for patches of the base image only")


def _by_quick_boot(quick_boot: Eligibility) -> Eligibility:
    return Eligibility(quick_boot.verdict, f"it needs Quick Boot: {quick_boot.reason}")


def _by_service(what: str, runs: dict[str, bool | None]) -> Eligibility:
    there = [name for name, runs_it in runs.items() if runs_it]
    if there:
        return Eligibility(Ternary.NO, f"{what} runs on {listed(there)}")
    if untold := [name for name, runs_it in runs.items() if runs_it is None]:
        return Eligibility(Ternary.UNKNOWN, f"whether {what} runs on {listed(untold)} is not told")
    return Eligibility(Ternary.YES, f"{what} runs on no host of the cluster")


def _together(answers: Iterable[Eligibility], *, yes: str) -> Eligibility:
    """Return the worst of the answers with all reasons of its kind."""
    given = tuple(answers)
    for verdict in (Ternary.NO, Ternary.UNKNOWN):
        if reasons := [answer.reason for answer in given if answer.verdict is verdict]:
            return Eligibility(verdict, "; ".join(reasons))
    return Eligibility(Ternary.YES, yes)


def is_listed_live(image: Image, host: Host) -> bool:
    """Tell whether the image's base image lists the host's among those that it patches live."""
    unit = image.base_image
    if unit is None or host.base_image is None or host.base_image == unit.version:
        return False
    return any(_is_spelling_of(version, host) for version, _ in unit.quick_patch_versions)


def _is_spelling_of(text: str, host: Host) -> bool:
    """Tell whether a text is the host's version, in either spelling of 9.x."""
    return host.base_image is not None and text.replace("-", ".") == host.base_image.text.replace("-", ".")


def judge_live_patch(image: Image, host: Host, compliance: HostCompliance) -> Eligibility:
    """Say whether a host can be patched while it runs.

    Args:
        image: What it shall have.
        host: The host.
        compliance: How far it is from the image.
    """
    unit, current = image.base_image, host.base_image
    if unit is None:
        return Eligibility(Ternary.UNKNOWN, "the image is not composed of a base image, which would say so")
    if current is None:
        return Eligibility(Ternary.UNKNOWN, "the host's base image is not told")
    if current == unit.version:
        return Eligibility(Ternary.NO, "the base image does not change")
    if not is_listed_live(image, host):
        return Eligibility(Ternary.NO, f"{unit.id} does not list {current} among the versions that it patches live")
    return _judge_listed(f"{unit.id} lists {current}", unit.version.major, host, compliance)


def _judge_listed(stated: str, major: int, host: Host, compliance: HostCompliance) -> Eligibility:
    """Say whether what the base image lists holds for this host."""
    takes_tpm = major >= _TPM_TAKEN_FROM
    if host.facts.has_tpm and not takes_tpm:
        return Eligibility(Ternary.NO, f"{stated}, but before 9.0 no host with a TPM is patched live")
    if Impact(compliance.impact) not in _LIVE_IMPACTS:
        return Eligibility(Ternary.NO, f"{stated}, but {compliance.impact_reason} needs more")
    unless = "" if takes_tpm or host.facts.has_tpm is False else ", unless the host has a TPM, which is not told"
    return Eligibility(Ternary.YES, f"{stated} among the versions that it patches live{unless}")
