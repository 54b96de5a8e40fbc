"""Hosts against generated images: exactly the image is compliant, the roll-up is the worst, nothing goes down."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
import hypothesis
from hypothesis import given, settings, strategies as st
from support.memory_catalogs import COMPONENT_NAMES, GHOST, VERSIONS, depots
from support.small_hosts import host_of, with_component, without_component

from esximage_builder.hosts.check import check_compliance
from esximage_builder.hosts.compliance import judge_host
from esximage_builder.hosts.drift import explain_drift
from esximage_builder.hosts.fleet import check_fleet
from esximage_builder.models.compliance import ComplianceStatus
from esximage_builder.models.host import HostPart
from esximage_builder.rules.compose import compose
from esximage_builder.rules.diff import Impact
from esximage_builder.versions import BaseImageVersion

if TYPE_CHECKING:
    from support.memory_catalogs import Depot

    from esximage_builder.models.host import Host

_FEW = settings(max_examples=100, suppress_health_check=[hypothesis.HealthCheck.too_slow], deadline=None)
_BASES = ("7.0.2-0.0.17867351", "7.0.3-0.120.23794019", "9.0.2-0.25148076")
_PARTS = st.sets(st.sampled_from(tuple(HostPart)), max_size=2)


@st.composite
def changed_hosts(draw: st.DrawFn, host: Host) -> Host:
    """A host with some components other than it had, maybe another base image, maybe little told."""
    for name in draw(st.lists(st.sampled_from((*COMPONENT_NAMES, GHOST)), max_size=3, unique=True)):
        version = draw(st.sampled_from((*VERSIONS, None)))
        host = without_component(host, name) if version is None else with_component(host, name, version)
    base = draw(st.sampled_from((*_BASES, None, None, None)))
    if base is not None:
        host = attrs.evolve(host, base_image=BaseImageVersion(base))
    alone = draw(st.sampled_from(((), (), ("ACM_bootbank_va_1.0-1",), ("ghost 1.0-1",))))
    return attrs.evolve(host, standalone_vibs=alone, told=host.told - draw(_PARTS))


@_FEW
@given(depots(), st.booleans())
def test_a_host_with_exactly_the_image_is_compliant(depot: Depot, with_vibs: bool) -> None:  # noqa: FBT001 - drawn
    image = compose(depot.catalog, depot.spec)
    host = host_of(image, with_vibs=with_vibs)
    (verdict,) = check_compliance(image, [host], catalog=depot.catalog).hosts
    assert (verdict.status, verdict.items, verdict.findings) == (ComplianceStatus.COMPLIANT, (), ())
    assert verdict.impact == Impact.NO_IMPACT
    assert explain_drift(host, [image]).is_exact


@_FEW
@given(depots(), st.data())
def test_a_cluster_is_as_its_worst_host_and_each_host_as_its_worst_item(depot: Depot, data: st.DataObject) -> None:
    image = compose(depot.catalog, depot.spec)
    hosts = [data.draw(changed_hosts(host_of(image, str(number)))) for number in range(3)]
    cluster = check_compliance(image, hosts, catalog=depot.catalog)
    assert cluster.status is max((host.status for host in cluster.hosts), key=lambda status: status.rank)
    assert cluster.impact == max((Impact(host.impact) for host in cluster.hosts), key=lambda impact: impact.rank)
    for host in cluster.hosts:
        worst = [item.status for item in host.items]
        worst += [ComplianceStatus.NON_COMPLIANT] * bool(host.standalone_vibs)
        worst += [ComplianceStatus.UNAVAILABLE] * bool(host.missing)
        assert host.status is max(worst, key=lambda status: status.rank, default=ComplianceStatus.COMPLIANT)
        assert (host.impact_reason == "") == (host.impact == Impact.NO_IMPACT)
    assert tuple(check_fleet(image, iter(hosts), catalog=depot.catalog)) == cluster.hosts


@_FEW
@given(depots(), st.data())
def test_a_host_is_incompatible_exactly_where_something_would_go_down(depot: Depot, data: st.DataObject) -> None:
    image = compose(depot.catalog, depot.spec)
    host = data.draw(changed_hosts(host_of(image)))
    host = attrs.evolve(host, told=host.told | {HostPart.BASE_IMAGE, HostPart.ADD_ON, HostPart.COMPONENTS})
    (verdict,) = check_compliance(image, [host]).hosts
    lower = judge_host(image, host).findings
    assert (verdict.status is ComplianceStatus.INCOMPATIBLE) == bool(lower)
    assert [finding for finding in verdict.findings if finding in lower] == list(lower)


@_FEW
@given(depots(), st.data())
def test_bringing_each_item_to_its_target_makes_a_host_compliant(depot: Depot, data: st.DataObject) -> None:
    """What the items say is all that differs."""
    image = compose(depot.catalog, depot.spec)
    host = data.draw(changed_hosts(host_of(image)))
    host = attrs.evolve(host, told=host_of(image).told)
    (verdict,) = check_compliance(image, [host], catalog=depot.catalog).hosts
    for item in verdict.components + verdict.removed_components:
        host = with_component(host, item.name, item.target) if item.target else without_component(host, item.name)
    base = None if verdict.base_image is None else BaseImageVersion(verdict.base_image.target)
    host = attrs.evolve(host, base_image=base, standalone_vibs=())
    (again,) = check_compliance(image, [host], catalog=depot.catalog).hosts
    assert again.status is ComplianceStatus.COMPLIANT
