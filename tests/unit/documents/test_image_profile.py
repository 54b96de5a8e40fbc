"""Image profiles: those of depots, hosts and discs are read, and written back."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, given, settings
from support import schema_strategies as strategies
from support.document_builders import element, indented, profile_document, wrapped

from esximage_builder.documents.image_profile import parse_image_profile, render_image_profile
from esximage_builder.errors import InvalidFieldError, MalformedDocumentError
from esximage_builder.models.image_profile import ImageProfile, ProfileVib
from esximage_builder.vocabulary import AcceptanceLevel

PLAIN = profile_document(vib_ids=["ACM_bootbank_net-acme_1.0-1"])


def parsed(data: bytes) -> ImageProfile:
    return parse_image_profile(data, where="x.xml", max_bytes=1_000_000)


def changed(old: bytes, new: bytes) -> bytes:
    assert PLAIN.count(old) == 1
    return PLAIN.replace(old, new)


def test_a_profile_is_read_whole() -> None:
    assert parsed(PLAIN) == ImageProfile(
        name="ACME-ESXi-703",
        creator="Acme",
        profile_id="0123456789abcdef0123456789abcdef",
        created_at=datetime(2024, 1, 31, 0, 0, 0, 1, tzinfo=UTC),
        modified_at=datetime(2024, 2, 1, 0, 0, 0, 1, tzinfo=UTC),
        serial_number=1,
        read_only=True,
        vibs=[ProfileVib(vib_id="ACM_bootbank_net-acme_1.0-1", local_names=[("a", "a.v00")])],
        acceptance_level=AcceptanceLevel.PARTNER,
    )


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(indented(PLAIN.decode()).encode(), id="pretty-printed"),
        pytest.param(changed(b"<name>", b"<!-- c --><name>"), id="comment"),
        pytest.param(changed(b"partner", b"PartnerSupported"), id="level-of-esxcli"),
        pytest.param(changed(b"<readonly>true", b"<readonly>True"), id="flag-case"),
    ],
)
def test_how_a_profile_is_spelt_does_not_matter(data: bytes) -> None:
    assert parsed(data) == parsed(PLAIN)


def test_a_profile_of_7_0_lists_its_components() -> None:
    inside = wrapped("bulletinlist", [element("bulletin-id", "ESXi_7.0.3-0.55.20328353"), element("bulletin-id", "b")])
    assert parsed(profile_document(inside=inside)).bulletin_ids == ("ESXi_7.0.3-0.55.20328353", "b")


def test_a_bare_profile_has_defaults() -> None:
    assert parsed(b"<imageprofile><name>x</name></imageprofile>") == ImageProfile(name="x")


def test_unknown_elements_survive() -> None:
    unknown = ("<baseimageID>ESXi:7.0.3-0.55.20328353</baseimageID>", "<addonID/>", "<addonID/>")
    profile = parsed(profile_document(inside="".join(unknown)))
    assert profile.extra == unknown
    assert parsed(render_image_profile(profile)) == profile


@pytest.mark.parametrize(
    ("data", "message", "place"),
    [
        pytest.param(b"<imageprofile/>", "<name> is missing", "<imageprofile>", id="no-name"),
        pytest.param(changed(b"<serialno>1", b"<serialno>x"), "serialno is no number", "/serialno", id="serial"),
        pytest.param(changed(b"<readonly>true", b"<readonly>x"), "no truth value", "/readonly", id="flag"),
        pytest.param(changed(b">partner<", b">gold<"), "no acceptance level", "/acceptancelevel", id="level"),
        pytest.param(changed(b"2024-02-01T", b"soon"), "no date", "/modifiedtime", id="date"),
        pytest.param(changed(b"ACM_bootbank_net-acme_1.0-1", b""), "has no id", "/viblist/vib", id="vib-id"),
        pytest.param(changed(b' payload-name="a"', b""), "payload-name is missing", "/payloads/payload", id="payload"),
        pytest.param(changed(b"<readonly>", b"<name>x</name><readonly>"), "occurs twice", "/name[2]", id="twice"),
    ],
)
def test_a_wrong_value_is_named_with_its_place(data: bytes, message: str, place: str) -> None:
    with pytest.raises(InvalidFieldError, match=re.escape(message)) as caught:
        parsed(data)
    assert caught.value.where.startswith("x.xml:1 <imageprofile>")
    assert caught.value.where.endswith(place)


def test_another_document_is_no_profile() -> None:
    with pytest.raises(MalformedDocumentError, match="is no <imageprofile>"):
        parsed(b"<vib/>")


@settings(max_examples=100, suppress_health_check=[HealthCheck.too_slow])
@given(strategies.profiles())
def test_what_is_written_is_read_back(profile: ImageProfile) -> None:
    written = render_image_profile(profile)
    assert parsed(written) == profile
    assert render_image_profile(parsed(written)) == written
    assert written.isascii()
