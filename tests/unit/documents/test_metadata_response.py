"""``vmware.xml``: bulletins with whole VIB records inside."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from datetime import UTC, datetime

import attrs
import pytest
from hypothesis import HealthCheck, given, settings, strategies as st
from support import schema_strategies as strategies
from support.document_builders import BulletinBuilder, DepotBuilder, VibBuilder, indented

from esximage_builder.documents.bulletin import parse_bulletin
from esximage_builder.documents.metadata_response import parse_metadata_response, render_metadata_response
from esximage_builder.documents.vib_descriptor import parse_vib_descriptor
from esximage_builder.errors import InvalidFieldError, MalformedDocumentError
from esximage_builder.models.component import Bulletin, Component
from esximage_builder.models.vib import SoftwarePlatform, Vib

MOMENT = datetime(2024, 1, 31, 0, 0, 0, 1, tzinfo=UTC)
PLAIN = BulletinBuilder.of(VibBuilder())
LEGACY = PLAIN.with_(id="ACME-2024", component=None)


def parsed(data: bytes) -> tuple[Bulletin | Component, ...]:
    return parse_metadata_response(data, where="vmware.xml", max_bytes=1_000_000)


def tree(data: bytes) -> ET.Element:
    return ET.fromstring(data)  # noqa: S314 - our own bytes


def vib_of(builder: VibBuilder) -> Vib:
    return parse_vib_descriptor(builder.metadata(), where="x", max_bytes=100_000)


def test_bulletins_are_read_as_their_own_documents_are() -> None:
    depot = DepotBuilder(response_bulletins=(PLAIN, LEGACY))
    assert parsed(depot.response()) == tuple(
        parse_bulletin(indented(bulletin.text()).encode(), where="x", max_bytes=100_000) for bulletin in (PLAIN, LEGACY)
    )


def test_known_bulletins_are_passed_over_and_not_even_judged() -> None:
    data = b"<metadataResponse><bulletin><id> a </id></bulletin><bulletin/></metadataResponse>"
    assert parse_metadata_response(data, where="x", max_bytes=1000, known_ids={"a", ""}) == ()
    with pytest.raises(InvalidFieldError):
        parse_metadata_response(data, where="x", max_bytes=1000, known_ids={"a"})


def test_there_may_be_no_bulletin_at_all() -> None:
    assert parsed(DepotBuilder().response()) == ()
    assert parsed(b"<metadataResponse/>") == ()


def test_what_is_no_bulletin_is_passed_over() -> None:
    assert parsed(b"<metadataResponse><version>3.0</version><acme><bulletin/></acme></metadataResponse>") == ()


def test_a_wrong_bulletin_is_named_with_its_place() -> None:
    with pytest.raises(InvalidFieldError, match="<id> is missing") as caught:
        parsed(b"<metadataResponse>\n<bulletin/></metadataResponse>")
    assert caught.value.where == "vmware.xml:2 <metadataResponse>/bulletin"
    with pytest.raises(MalformedDocumentError):
        parsed(b"<bulletin/>")


def test_a_vib_record_is_written_in_full() -> None:
    vib = vib_of(VibBuilder())
    component = parse_bulletin(PLAIN.document(), where="x", max_bytes=100_000)
    root = tree(render_metadata_response([component], vibs={vib.id: vib}, timestamp=MOMENT))
    assert root.findtext("timestamp") == "2024-01-31T00:00:00.000001"
    record = root.find("bulletin/vibList/vib")
    assert record is not None
    assert [child.tag for child in record] == [
        "vibVersion", "vibID", "name", "version", "vendor", "vibType", "summary", "systemReqs", "relationships",
        "postInstall", "softwareTags", "vibFile",
    ]  # fmt: skip
    assert vib.file is not None
    texts = {
        "vibVersion": "1.4.5",
        "vibID": vib.id,
        "vibType": "bootbank",
        "systemReqs/maintenanceMode": "true",
        "vibFile/sourceUrl": "",
        "vibFile/relativePath": vib.file.relative_path,
        "vibFile/packedSize": str(vib.file.size_bytes),
    }
    assert {path: record.findtext(path) for path in texts} == texts
    assert record.findtext("vibFile/checksum/checksumType") == "sha-256"
    assert record.findtext("vibFile/checksum/checksum") == vib.file.sha256
    assert record.findtext("postInstall/rebootRequired") == "true"


def test_what_a_vib_leaves_open_is_written_as_real_files_have_it() -> None:
    vib = attrs.evolve(vib_of(VibBuilder()), tags=(), live_install_allowed=True)
    bulletin = Bulletin(id="x", vib_ids=[vib.id, "not-loaded"])
    root = tree(render_metadata_response([bulletin], vibs={vib.id: vib}, timestamp=MOMENT))
    record = root.find("bulletin/vibList/vib")
    assert record is not None
    platform = record.find("systemReqs/swPlatform")
    assert platform is not None
    assert platform.attrib == {"locale": "", "productLineID": SoftwarePlatform().product_line, "version": ""}
    assert record.find("softwareTags") is None
    assert record.findtext("postInstall/rebootRequired") == "false"
    assert root.findtext("bulletin/vibList/vibID") == "not-loaded"


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.one_of(strategies.bulletins(), strategies.components()), max_size=3), strategies.vibs())
def test_what_is_written_is_read_back(bulletins: list[Bulletin | Component], vib: Vib) -> None:
    with_vib = [*bulletins, Bulletin(id="x", vib_ids=[vib.id])]
    written = render_metadata_response(with_vib, vibs={vib.id: vib}, timestamp=MOMENT)
    again = parsed(written)
    assert [item.vib_ids for item in again] == [item.vib_ids for item in with_vib]
    plain = [attrs.evolve(item, extra=()) if isinstance(item, Bulletin) else item.reference for item in with_vib]
    assert [attrs.evolve(item, extra=()) if isinstance(item, Bulletin) else item.reference for item in again] == plain
    assert written.isascii()
