"""In which order hosts go, so that a cluster keeps serving.

Rules (docs/hosts.md#waves):

* No wave has more hosts than allowed, and none has all hosts of a cluster of several.
* vSAN hosts that go together are of one fault domain; one without fault domain is its own. Where a
  host of the cluster has vSAN, one that does not say whether it has counts as one that has.
* All of a fault domain goes before the next one.
* A vSAN witness goes by itself, after all others.
* Excluded hosts are in no wave, and count among those that keep serving.
* Without DRS nobody moves virtual machines away: the plan says what is to be moved by hand.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, final

import attrs

from esximage_builder.errors import ModelError
from esximage_builder.models.fields import as_tuple
from esximage_builder.models.remediation import ManualMove, Wave
from esximage_builder.rules.diff import Impact
from esximage_builder.shown import Shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from esximage_builder.models.host import Host

__all__ = ["RolloutConstraints", "plan_waves"]


@final
@attrs.frozen(kw_only=True, repr=False)
class RolloutConstraints(Shown):
    """What a rolling update has to keep to.

    Attributes:
        max_parallel: How many hosts may go at the same time.
        excluded: Names of hosts that stay as they are.
        has_drs: Whether DRS, fully automated, moves virtual machines away.

    Raises:
        ModelError: Fewer than one host may go at a time.
    """

    max_parallel: int = 1
    excluded: tuple[str, ...] = attrs.field(default=(), converter=as_tuple)
    has_drs: bool = False

    def __attrs_post_init__(self) -> None:
        if self.max_parallel < 1:
            raise ModelError("no host could go", found=f"max_parallel={self.max_parallel}", expected="1 or more")


def plan_waves(
    cluster: Iterable[Host], impacts: Mapping[str, Impact], constraints: RolloutConstraints
) -> tuple[Wave, ...]:
    """Put the hosts that have something to do into waves.

    Args:
        cluster: All its hosts, in the order in which they shall go where nothing else decides.
        impacts: What each host that has something to do goes through, by name.
        constraints: What to keep to.
    """
    hosts = tuple(cluster)
    excluded = frozenset(constraints.excluded)
    going = [host for host in hosts if host.name in impacts and host.name not in excluded]
    witnesses = [host for host in going if host.facts.is_vsan_witness]
    others = [host for host in going if not host.facts.is_vsan_witness]
    serving = sum(not host.facts.is_vsan_witness for host in hosts)
    most = max(1, min(constraints.max_parallel, serving - 1))
    waves = [*_packed(others, most, has_vsan=_has_vsan(hosts)), *map(_of_witness, witnesses)]
    if constraints.has_drs:
        return tuple(waves)
    by_name = {host.name: host for host in hosts}
    return tuple(
        attrs.evolve(wave, moves=_moves([by_name[name] for name in wave.hosts], impacts, is_alone=serving == 1))
        for wave in waves
    )


def _has_vsan(hosts: Iterable[Host]) -> bool:
    return any(host.facts.has_vsan or host.facts.fault_domain or host.facts.is_vsan_witness for host in hosts)


def _of_witness(host: Host) -> Wave:
    return Wave(hosts=(host.name,), reason="a vSAN witness goes by itself, after the hosts that have data")


def _packed(hosts: Sequence[Host], most: int, *, has_vsan: bool) -> Iterator[Wave]:
    """Yield the waves of one fault domain after the other, each filled up with hosts without vSAN."""
    free = [host for host in hosts if _is_free(host, has_vsan=has_vsan)]
    domains: dict[tuple[str, str], list[Host]] = {}
    for host in hosts:
        if not _is_free(host, has_vsan=has_vsan):
            domain = host.facts.fault_domain
            domains.setdefault((domain, "" if domain else host.name), []).append(host)
    for (domain, _), members in domains.items():
        for group in _batched(members, most):
            room = most - len(group)
            filling, free = free[:room], free[room:]
            yield Wave(
                hosts=[host.name for host in (*group, *filling)], fault_domain=domain, reason=_why(domain, group)
            )
    for group in _batched(free, most):
        yield Wave(hosts=[host.name for host in group])


def _is_free(host: Host, *, has_vsan: bool) -> bool:
    return host.facts.has_vsan is False or not has_vsan


def _batched(hosts: Sequence[Host], most: int) -> Iterator[tuple[Host, ...]]:
    return (tuple(hosts[start : start + most]) for start in range(0, len(hosts), most))


def _why(domain: str, group: Sequence[Host]) -> str:
    if domain:
        return f"of vSAN's fault domain {domain} alone"
    told = "has vSAN and is a fault domain of its own"
    return f"{group[0].name} {told if group[0].facts.has_vsan else 'may have vSAN, which is not told'}"


_STAYS_IN_SERVICE = (Impact.NO_IMPACT, Impact.PARTIAL_MAINTENANCE_MODE_REQUIRED)


def _moves(hosts: Iterable[Host], impacts: Mapping[str, Impact], *, is_alone: bool) -> Iterator[ManualMove]:
    for host in hosts:
        if host.facts.is_vsan_witness or impacts[host.name] in _STAYS_IN_SERVICE:
            continue
        if is_alone:
            yield ManualMove(host.name, "shut down its virtual machines: there is no other host to move them to")
            continue
        yield ManualMove(host.name, "move its running virtual machines to other hosts")
        if host.facts.runs_vcenter:
            yield ManualMove(host.name, "move the vCenter of the cluster, and carry on from another session")
        if host.facts.runs_nsx:
            yield ManualMove(host.name, "move the NSX manager")
