"""XML and JSON that want more than to be read: our error, and nothing is fetched, shown or left anywhere."""

from __future__ import annotations

import gzip
import socket
import tracemalloc

import attrs
import pytest
from support.document_builders import DepotBuilder, VibBuilder, element
from support.small_images import DPU_VIB
from support.untouched import SECRET, Room

import esximage_builder as eib
from esximage_builder.authoring.vib import author_vib, raw_payload

VIB = VibBuilder()
DEPOT = DepotBuilder().with_vibs(VIB)
PLACE = "vibs/net-acme--1.xml"
TEXT = VIB.metadata().decode()


def depot_with(document: str | bytes, *, place: str = PLACE) -> bytes:
    """A depot that is sound but for the document of its VIB."""
    return DEPOT.with_metadata_file(place, document if isinstance(document, bytes) else document.encode()).zip()


def summarised(text: str) -> str:
    """The VIB's document with this as its summary, put in as it is."""
    assert "Acme NIC driver" in TEXT
    return TEXT.replace("Acme NIC driver", text)


def test_an_entity_is_refused_since_it_would_lose_text(room: Room) -> None:
    """Left alone, the text would end before the entity."""
    document = '<!DOCTYPE vib [<!ENTITY e "x">]>' + summarised("before&e;behind")
    room.refuses_depot(depot_with(document), eib.MalformedDocumentError, "has a DOCTYPE")


def test_an_entity_in_an_attribute_is_refused(room: Room) -> None:
    """There it would be expanded, whatever the parser was told."""
    document = '<!DOCTYPE vib [<!ENTITY e "KB1">]>' + TEXT.replace('key="KB1"', 'key="&e;"')
    assert "&e;" in document
    room.refuses_depot(depot_with(document), eib.MalformedDocumentError, "has a DOCTYPE")


@pytest.mark.parametrize("kind", ["entity", "parameter"])
def test_a_local_file_does_not_get_into_a_document(room: Room, kind: str) -> None:
    url = room.secret.as_uri()
    subset = {"entity": f'<!ENTITY e SYSTEM "{url}">', "parameter": f'<!ENTITY % p SYSTEM "{url}"> %p;'}[kind]
    document = f"<!DOCTYPE vib [{subset}]>" + summarised("&e;" if kind == "entity" else "x")
    room.refuses_depot(depot_with(document), eib.MalformedDocumentError, "has a DOCTYPE")


def test_an_inclusion_is_not_followed(room: Room) -> None:
    """XInclude is an element like others: unknown, and kept as it stands."""
    inclusion = f'<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="{room.secret.as_uri()}" parse="text"/>'
    path = room.put("depot.zip", depot_with(TEXT.replace("</vib>", f"{inclusion}</vib>")))
    with room.untouched(), eib.open_depot(path, strict=False) as depot:
        assert SECRET not in repr(depot.catalog)
        assert SECRET not in repr(depot.catalog.vibs)


@pytest.mark.parametrize(
    "document_type", ['vib SYSTEM "{url}"', 'vib PUBLIC "-//X//Y" "{url}"', 'v [<!ENTITY % p SYSTEM "{url}"> %p;]']
)
def test_nothing_is_fetched_over_the_network(room: Room, document_type: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.05)
        url = f"http://127.0.0.1:{server.getsockname()[1]}/x.dtd"
        document = f"<!DOCTYPE {document_type.format(url=url)}>{TEXT}"
        room.refuses_depot(depot_with(document), eib.MalformedDocumentError, "has a DOCTYPE")
        with pytest.raises(TimeoutError):
            server.accept()


def test_an_entity_bomb_costs_no_memory(room: Room) -> None:
    levels = "".join(f'<!ENTITY e{level} "{f"&e{level - 1};" * 10}">' for level in range(1, 12))
    document = f'<!DOCTYPE vib [<!ENTITY e0 "{"x" * 1000}">{levels}]>' + summarised("&e11;")
    tracemalloc.start()
    room.refuses_depot(depot_with(document), eib.MalformedDocumentError, "amplification|entity|DOCTYPE")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 8 << 20


def test_a_document_type_adds_no_attributes(room: Room) -> None:
    document = '<!DOCTYPE vib [<!ATTLIST payload boot-order CDATA "1">]>' + TEXT
    room.refuses_depot(depot_with(document), eib.MalformedDocumentError, "has a DOCTYPE")


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-be", "utf-32"])
def test_no_encoding_hides_a_document_type(room: Room, encoding: str) -> None:
    document = f'<?xml version="1.0" encoding="{encoding}"?><!DOCTYPE vib [<!ENTITY e "x">]>' + summarised("&e;")
    room.refuses_depot(depot_with(document.encode(encoding)), eib.MalformedDocumentError, "has a DOCTYPE")


def test_an_unknown_encoding_is_refused(room: Room) -> None:
    document = f'<?xml version="1.0" encoding="no-such"?>{TEXT}'
    room.refuses_depot(depot_with(document), eib.MalformedDocumentError, "(?i)encoding")


def test_elements_are_not_nested_without_end(room: Room) -> None:
    document = TEXT.replace("</vib>", "<a>" * 5000 + "</a>" * 5000 + "</vib>")
    room.refuses_depot(depot_with(document), eib.MalformedDocumentError, "(?i)depth")


def test_a_text_of_many_megabytes_is_refused(room: Room) -> None:
    document = summarised("x" * (11 << 20))
    limits = eib.ReadLimits(document_bytes=12 << 20)
    room.refuses_depot(depot_with(document), eib.EsxImageError, "(?i)text node|huge", limits=limits)
    room.refuses_depot(depot_with(document), eib.LimitExceededError, "larger than the limit")


def test_a_document_is_measured_before_it_is_parsed(room: Room) -> None:
    document = TEXT.replace("</vib>", "<a/>" * 5000 + "</vib>")
    room.refuses_depot(
        depot_with(document),
        eib.LimitExceededError,
        "larger than the limit",
        limits=eib.ReadLimits(document_bytes=9000),
    )


def test_a_comment_does_not_cut_a_text(room: Room) -> None:
    """A name that a comment or instruction cuts would be another name to us than to ESXi."""
    document = TEXT.replace("<name>net-acme</name>", "<name>net-<!-- x --><?y z?>acme</name>")
    assert document != TEXT
    path = room.put("depot.zip", depot_with(document))
    with room.untouched(), eib.open_depot(path) as depot:
        assert [vib.name for vib in depot.catalog.vibs] == ["net-acme"]


def test_a_packed_document_is_not_unpacked_in_secret(room: Room) -> None:
    """Gzip is a way around the measure of a document."""
    room.refuses_depot(depot_with(gzip.compress(TEXT.encode())), eib.MalformedDocumentError, "no well-formed XML")


@pytest.mark.parametrize("form", ["empty", "missing"])
@pytest.mark.parametrize("tag", ["name", "version", "vendor"])
def test_an_empty_element_is_no_more_than_a_missing_one(room: Room, tag: str, form: str) -> None:
    vib = VIB.without(tag) if form == "missing" else VIB.with_element(tag, element(tag))
    room.refuses_depot(depot_with(vib.metadata()), eib.DepotError, f"{tag}")


def test_a_place_is_right_beyond_the_sixteen_bits_of_line_numbers(room: Room) -> None:
    document = TEXT.replace("<payloads>", "\n" * 70_000 + "<payloads>").replace('size="', 'size="x')
    error = room.refuses_depot(depot_with(document), eib.InvalidFieldError, "size")
    assert ":70001 " in error.where


@pytest.mark.parametrize("text", ["\0", "\x1b[2J", "\ufffe", "\uffff", "\ud800"])
def test_a_character_that_xml_cannot_carry_is_refused_before_it_is_written(room: Room, text: str) -> None:
    """What we would write of it nobody could read."""

    vib = attrs.evolve(DPU_VIB.vib, description=f"a{text}b", payloads=(), files=(), file=None)
    room.refuses(
        lambda: author_vib(vib, (raw_payload("a", b"x", type="text"),), unsigned=True),
        eib.ModelError,
        "cannot be written",
    )


UNIT = '{"releaseID":"ACME:1.0","components":{"Acme-net-acme":"1.0"}'


@pytest.mark.parametrize(
    "document",
    [
        pytest.param(UNIT + ',"x":' + "[" * 100_000 + "]" * 100_000 + "}", id="nested-without-end"),
        pytest.param(UNIT + ',"releaseID":"ACME:2.0"}', id="a-key-twice"),
        pytest.param(UNIT + ',"x":NaN}', id="no-number"),
        pytest.param(UNIT + ',"x":' + "9" * 5000 + "}", id="a-number-of-thousands-of-digits"),
        pytest.param(UNIT + ',"x":1e999}', id="a-number-beyond-all"),
        pytest.param(UNIT + ',"x":"\\ud800"}', id="half-a-character"),
        pytest.param(UNIT + "}trailing", id="something-behind"),
        pytest.param("[" * 100_000, id="never-closed"),
    ],
)
def test_json_that_readers_understand_differently_is_refused(room: Room, document: str) -> None:
    room.refuses_depot(depot_with(document, place="addons/a.json"), eib.MalformedDocumentError, "this is no JSON")


def test_the_documents_are_sound_without_the_lie(room: Room) -> None:
    """Each refusal above is about the one thing that its test put in."""
    path = room.put("depot.zip", depot_with(TEXT))
    with room.untouched(), eib.open_depot(path) as depot:
        assert [vib.id for vib in depot.catalog.vibs] == [VIB.id]
        assert not depot.catalog.findings
