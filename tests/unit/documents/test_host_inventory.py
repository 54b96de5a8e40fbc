"""Inventories of hosts: what is known of a host is still known when it was written and read."""

from __future__ import annotations

import json

import pytest

from esximage_builder.documents.host_inventory import parse_host, render_host
from esximage_builder.errors import InvalidFieldError
from esximage_builder.models.host import HostComponent, HostPart
from esximage_builder.versions import ComponentVersion

BASE_IMAGE = {"version": "7.0.3-0.55.20328353"}
ADDED = {"base_image": BASE_IMAGE, "components": {"Acme-net": "1.0-1"}}


def test_components_that_were_added_are_not_lost_where_the_rest_was_not_told() -> None:
    """The vSphere API tells only those: they are known, but there may be others."""
    host = parse_host(json.dumps(ADDED).encode())
    assert host.components == (HostComponent(name="Acme-net", version=ComponentVersion("1.0-1"), is_manual=True),)
    assert HostPart.COMPONENTS not in host.told

    written = render_host(host)
    assert parse_host(written) == host
    assert "components" not in json.loads(written)
    assert json.loads(written)["partial"] == {"components": {"Acme-net": {"version": "1.0-1", "is_manual": True}}}


def test_a_part_that_was_told_has_nothing_below_partial() -> None:
    host = parse_host(json.dumps({"esximage_host": 1, "components": {"Acme-net": {"version": "1.0-1"}}}).encode())
    assert HostPart.COMPONENTS in host.told
    assert "partial" not in json.loads(render_host(host))
    assert parse_host(render_host(host)) == host


def test_two_vibs_of_one_name_are_both_kept() -> None:
    """A host has none such; but what it told is kept as it told it."""
    answer = b"AcceptanceLevel,ID,Name,Vendor,Version,\nPartnerSupported,x,a,ACM,1-1,\nPartnerSupported,x,a,ACM,2-1,\n"
    host = parse_host(answer)
    assert [vib.version.text for vib in host.vibs] == ["1-1", "2-1"]
    assert parse_host(render_host(host)) == host


@pytest.mark.parametrize(
    ("document", "place"),
    [
        ({"components": {}, "partial": {"components": {}}}, "x.json#/partial/components"),
        ({"partial": {"facts": {}}}, "x.json#/partial/facts"),
        ({"partial": []}, "x.json#/partial"),
        ({"partial": {"base_image": 5}}, "x.json#/partial/base_image"),
    ],
    ids=["told and not told", "no part", "no object", "no version"],
)
def test_what_cannot_be_partly_known_is_refused(document: dict[str, object], place: str) -> None:
    with pytest.raises(InvalidFieldError) as caught:
        parse_host(json.dumps({"esximage_host": 1, **document}).encode(), where="x.json")
    assert caught.value.where == place
