"""Bulletins and components: both forms are read, and what is written is read back."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

import attrs
import pytest
from hypothesis import HealthCheck, given, settings, strategies as st
from support import schema_strategies as strategies
from support.document_builders import BulletinBuilder, element, indented, wrapped

from esximage_builder.documents.bulletin import parse_bulletin, render_bulletin
from esximage_builder.errors import InvalidFieldError, LimitExceededError, MalformedDocumentError
from esximage_builder.models.component import Bulletin, Component
from esximage_builder.models.vib import SoftwarePlatform
from esximage_builder.versions import ComponentVersion

PLAIN = BulletinBuilder(vib_ids=("ACM_bootbank_net-acme_1.0-1",))
LEGACY = PLAIN.with_(component=None)
MOMENT = datetime(2024, 1, 31, tzinfo=UTC)
UNKNOWN = ('<acme-x level="1"><in>x</in></acme-x>', "<acme-y/>", "<acme-y/>")


def parsed(data: bytes) -> Bulletin | Component:
    return parse_bulletin(data, where="x.xml", max_bytes=1_000_000)


def component(builder: BulletinBuilder) -> Component:
    found = parsed(builder.document())
    assert isinstance(found, Component)
    return found


BULLETIN = Bulletin(
    id="Acme-net_1.0.0-1",
    vendor="Acme",
    summary="Acme NIC driver",
    severity="general",
    category="bugfix",
    urgency="critical",
    release_type="extension",
    description="Driver for all Acme NICs",
    kb_url="https://acme.example/kb/1",
    contact="support@acme.example",
    released_at=MOMENT,
    platforms=[SoftwarePlatform("7.*", "embeddedEsx")],
    vib_ids=["ACM_bootbank_net-acme_1.0-1"],
)


def test_a_bulletin_with_both_specs_is_a_component() -> None:
    assert parsed(PLAIN.document()) == Component(
        name="Acme-net",
        version=ComponentVersion("1.0.0-1OEM.703.0.0.18644231"),
        display_name="Acme NIC driver",
        display_version="1.0.0",
        bulletin=BULLETIN,
    )


def test_a_bulletin_without_is_a_legacy_one() -> None:
    assert parsed(LEGACY.document()) == BULLETIN


def test_a_component_is_named_by_its_spec_and_not_by_its_id() -> None:
    found = component(
        PLAIN.with_(id="VMW-ESX-7.0.0-lpfc-12.6.147.6", component=("Broadcom-ELX-lpfc", "12.6.147.6-1OEM"))
    )
    assert found.id == "Broadcom-ELX-lpfc:12.6.147.6-1OEM"
    assert found.bulletin.id == "VMW-ESX-7.0.0-lpfc-12.6.147.6"


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(indented(PLAIN.text()).encode(), id="pretty-printed"),
        pytest.param(PLAIN.document().replace(b"<vendor>", b"<!-- c --><vendor>"), id="comment"),
        pytest.param(PLAIN.text(vib_records=True).encode(), id="whole-records"),
        pytest.param(
            PLAIN.with_element(
                "componentNameSpec", element("componentNameSpec", uiString="Acme NIC driver", name="Acme-net")
            ).document(),
            id="attribute-order",
        ),
        pytest.param(
            PLAIN.with_element("releaseDate", element("releaseDate", "2024-01-31T00:00:00.000000")).document(),
            id="date-without-zone",
        ),
        pytest.param(
            PLAIN.with_element(
                "vibList", wrapped("vibList", [element("vibID", "ACM_bootbank_net-acme_1.0-1")] * 2)
            ).document(),
            id="vib-listed-twice",
        ),
    ],
)
def test_how_a_component_is_spelt_does_not_matter(data: bytes) -> None:
    assert parsed(data) == parsed(PLAIN.document())


@pytest.mark.parametrize(
    ("missing", "changes"),
    [
        pytest.param("kbUrl", {"kb_url": ""}, id="kbUrl"),
        pytest.param("contact", {"contact": ""}, id="contact"),
        pytest.param("severity", {"severity": ""}, id="severity"),
        pytest.param("releaseDate", {"released_at": None}, id="releaseDate"),
        pytest.param("platforms", {"platforms": ()}, id="platforms"),
        pytest.param("vibList", {"vib_ids": ()}, id="vibList"),
    ],
)
def test_what_real_files_leave_out_may_be_missing(missing: str, changes: dict[str, Any]) -> None:
    assert parsed(LEGACY.without(missing).document()) == attrs.evolve(BULLETIN, **changes)


def test_several_platforms_are_read() -> None:
    platforms = wrapped(
        "platforms",
        [
            element("softwarePlatform", version="9.0", locale="", productLineID="embeddedEsx"),
            element("softwarePlatform", productLineID="esxio", version=""),
            element("unknownPlatform"),
        ],
    )
    found = component(PLAIN.with_element("platforms", platforms))
    assert found.bulletin.platforms == (SoftwarePlatform("9.0", "embeddedEsx"), SoftwarePlatform("", "esxio"))


def test_unknown_elements_survive() -> None:
    found = component(PLAIN.with_element("acme", "".join(UNKNOWN)))
    assert found.bulletin.extra == UNKNOWN
    assert parsed(render_bulletin(found)) == found


@pytest.mark.parametrize(
    ("builder", "message", "place"),
    [
        pytest.param(PLAIN.without("id"), "<id> is missing", "<bulletin>", id="no-id"),
        pytest.param(PLAIN.with_(id=""), "<id> is empty", "<bulletin>/id", id="empty-id"),
        pytest.param(
            PLAIN.without("componentNameSpec"), "name or a version, not both", "<bulletin>", id="version-alone"
        ),
        pytest.param(
            PLAIN.without("componentVersionSpec"), "name or a version, not both", "<bulletin>", id="name-alone"
        ),
        pytest.param(PLAIN.with_(component=("", "1.0")), "name is missing", "/componentNameSpec", id="empty-name"),
        pytest.param(PLAIN.with_(component=("a", "")), "version is missing", "/componentVersionSpec", id="no-version"),
        pytest.param(
            PLAIN.with_(component=("a", "1 0")), "no component version", "/componentVersionSpec", id="version"
        ),
        pytest.param(PLAIN.with_(vib_ids=("",)), "has no id", "/vibList/vibID", id="empty-vib-id"),
        pytest.param(
            PLAIN.with_element("vibList", "<vibList><vib/></vibList>"), "has no id", "/vibList/vib", id="record"
        ),
        pytest.param(
            PLAIN.with_element("releaseDate", "<releaseDate>x</releaseDate>"), "no date", "/releaseDate", id="date"
        ),
        pytest.param(PLAIN.with_element("x", "<vendor/>"), "<vendor> occurs twice", "/vendor[2]", id="twice"),
    ],
)
def test_a_wrong_value_is_named_with_its_place(builder: BulletinBuilder, message: str, place: str) -> None:
    with pytest.raises(InvalidFieldError, match=re.escape(message)) as caught:
        parsed(builder.document())
    assert caught.value.where.startswith("x.xml:1 <bulletin>")
    assert caught.value.where.endswith(place)


def test_another_document_is_no_bulletin() -> None:
    with pytest.raises(MalformedDocumentError, match="is no <bulletin>"):
        parsed(b"<vib/>")
    with pytest.raises(LimitExceededError):
        parse_bulletin(PLAIN.document(), where="x", max_bytes=10)


def test_a_document_is_one_line_as_real_ones_are() -> None:
    written = render_bulletin(parsed(indented(PLAIN.text()).encode()))
    assert b"\n" not in written
    assert written.startswith(b"<bulletin><id>")


@settings(max_examples=100, suppress_health_check=[HealthCheck.too_slow])
@given(st.one_of(strategies.bulletins(), strategies.components()))
def test_what_is_written_is_read_back(bulletin: Bulletin | Component) -> None:
    written = render_bulletin(bulletin)
    assert parsed(written) == bulletin
    assert render_bulletin(parsed(written)) == written
    assert written.isascii()
