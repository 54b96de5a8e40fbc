"""The XML door: bounded, without document types, and places that a person finds."""

from __future__ import annotations

import contextlib
import xml.etree.ElementTree as ET
from typing import TYPE_CHECKING

import pytest
from hypothesis import example, given, settings, strategies as st
from support import schema_strategies as strategies
from support.document_builders import element, wrapped

from esximage_builder.containers import xml
from esximage_builder.errors import (
    EsxImageError,
    InvalidFieldError,
    LimitExceededError,
    MalformedDocumentError,
    ModelError,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from esximage_builder.containers.xml import XmlElement

ENTITY_BOMB = b"""<?xml version="1.0"?>
<!DOCTYPE vib [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;">]>
<vib><name>&c;</name></vib>"""
DOCTYPES = [
    pytest.param(b"<!DOCTYPE vib><vib/>", id="bare"),
    pytest.param(b'<!DOCTYPE vib SYSTEM "http://192.0.2.1/x.dtd"><vib/>', id="external"),
    pytest.param(b'<!DOCTYPE vib PUBLIC "-//X//Y" "x.dtd"><vib/>', id="public"),
    pytest.param(b'<!DOCTYPE vib [<!ENTITY e SYSTEM "file:///etc/passwd">]><vib><name>&e;</name></vib>', id="file"),
    pytest.param(b'<!DOCTYPE vib [<!ATTLIST vib version CDATA "5.0">]><vib/>', id="defaults"),
    pytest.param(ENTITY_BOMB, id="bomb"),
]
NOT_XML = [
    pytest.param(b"", id="empty"),
    pytest.param(b"   \n", id="blank"),
    pytest.param(b"<vib>", id="cut-short"),
    pytest.param(b"<vib></vob>", id="crossed"),
    pytest.param(b"<vib/><vib/>", id="two-roots"),
    pytest.param(b"<vib>&nbsp;</vib>", id="undefined-entity"),
    pytest.param(b"<vib>\x00</vib>", id="nul"),
    pytest.param(b"<vib>\xff</vib>", id="no-utf-8"),
    pytest.param(b'<?xml version="1.0" encoding="no-such"?><vib/>', id="unknown-encoding"),
    pytest.param(b"<vib a='1' a='2'/>", id="attribute-twice"),
    pytest.param(b"PK\x03\x04", id="zip"),
    pytest.param(b"{}", id="json"),
    pytest.param(b"<vib>" * 400 + b"</vib>" * 400, id="too-deep"),
    pytest.param(b"<vib:x/>", id="undeclared-prefix"),
]


def parsed(data: bytes, *, root: str = "vib", max_bytes: int = 10_000) -> XmlElement:
    return xml.parse_xml(data, where="x.xml", root=root, max_bytes=max_bytes)


@pytest.mark.parametrize("data", DOCTYPES)
def test_a_document_type_is_refused(data: bytes) -> None:
    with pytest.raises(MalformedDocumentError) as caught:
        parsed(data)
    assert caught.value.where == "x.xml"


@pytest.mark.parametrize("data", NOT_XML)
def test_what_is_no_xml_is_malformed(data: bytes) -> None:
    with pytest.raises(MalformedDocumentError) as caught:
        parsed(data)
    assert caught.value.where == "x.xml"
    assert caught.value.expected


def test_another_root_is_malformed() -> None:
    with pytest.raises(MalformedDocumentError) as caught:
        parsed(b"<vob/>")
    assert (caught.value.found, caught.value.expected) == ("<vob>", "<vib>")
    with pytest.raises(MalformedDocumentError):
        parsed(b'<vib xmlns="urn:x"/>')


def children(data: bytes, *, tag: str = "part", max_bytes: int = 10_000) -> list[str]:
    found = xml.iterate_children(data, where="x.xml", root="vib", tag=tag, max_bytes=max_bytes)
    return [xml.raw_text(child) for child in found]


def test_children_are_handed_out_one_by_one_and_emptied() -> None:
    data = b"<vib><part><a/></part><other><part>deeper</part></other><!-- c --><part>b</part></vib>"
    assert children(data) == ["<part><a/></part>", "<part>b</part>"]
    kept = list(xml.iterate_children(data, where="x.xml", root="vib", tag="part", max_bytes=10_000))
    assert [len(element) for element in kept] == [0, 0]
    assert xml.place(kept[1], "x.xml") == "x.xml:1 <vib>/part[2]"
    assert children(b"<vib/>") == children(b"<vib><other/></vib>") == []


@pytest.mark.parametrize("data", [*DOCTYPES, *NOT_XML])
@pytest.mark.parametrize("tag", ["part", "name"])
def test_a_document_that_is_none_has_no_children(data: bytes, tag: str) -> None:
    with pytest.raises(MalformedDocumentError) as caught:
        children(data, tag=tag)
    assert caught.value.where == "x.xml"


def test_damage_behind_a_child_is_told_after_it() -> None:
    found = xml.iterate_children(b"<vib><part/></vob>", where="x.xml", root="vib", tag="part", max_bytes=10_000)
    assert next(found).tag == "part"
    with pytest.raises(MalformedDocumentError):
        next(found)


@pytest.mark.parametrize("data", [b"<vab/>", b"<vab><part/></vab>"])
def test_children_of_another_root_are_none(data: bytes) -> None:
    with pytest.raises(MalformedDocumentError, match="the document is no <vib>"):
        children(data)
    with pytest.raises(LimitExceededError):
        children(data, max_bytes=3)


def test_a_document_is_bounded() -> None:
    assert parsed(b"<vib/>", max_bytes=6).tag == "vib"
    with pytest.raises(LimitExceededError) as caught:
        parsed(b"<vib/>", max_bytes=5)
    assert (caught.value.found, caught.value.expected) == ("6 bytes", "at most 5 bytes")


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"<vib><!-- a --><name>x</name><!-- b --></vib><!-- c -->", id="comments"),
        pytest.param(b"<!-- made by hand -->\n<vib><name>x</name></vib>", id="comment-first"),
        pytest.param(b"<?style x?><vib><name>x<?pi y?></name></vib>", id="instructions"),
        pytest.param(b"<vib>\r\n  <name>\r\n  x\r\n </name>\r\n</vib>\r\n", id="windows-line-ends"),
        pytest.param(b"<vib><name><![CDATA[x]]></name></vib>", id="cdata"),
        pytest.param(b"<vib><name><!-- a -->x<!-- b --></name></vib>", id="comments-in-text"),
        pytest.param('<?xml version="1.0" encoding="utf-16"?><vib><name>x</name></vib>'.encode("utf-16"), id="utf-16"),
        pytest.param(b"\xef\xbb\xbf<vib><name>x</name></vib>", id="byte-order-mark"),
        pytest.param(b'<?xml version="1.0" encoding="iso-8859-1"?><vib><name>x</name></vib>', id="declaration"),
    ],
)
def test_what_surrounds_text_does_not_matter(data: bytes) -> None:
    children = xml.children_by_tag(parsed(data), where="x.xml")
    assert list(children) == ["name"]
    assert xml.text_of(children["name"]) == "x"


def test_a_comment_inside_a_text_does_not_cut_it() -> None:
    assert xml.text_of(parsed(b"<vib>one<!-- comment -->two</vib>")) == "onetwo"


def test_a_place_is_found_by_a_person() -> None:
    root = parsed(b"<vib>\n<payloads>\n<payload/>\n<payload/></payloads></vib>")
    assert xml.place(root[0][1], "d.zip!x.xml") == "d.zip!x.xml:4 <vib>/payloads/payload[2]"
    assert xml.place(root, "x.xml") == "x.xml:1 <vib>"


def test_a_name_that_occurs_twice_is_wrong_unless_no_one_knows_it() -> None:
    root = parsed(b"<vib>\n<name/>\n<acme/><name/><acme/></vib>")
    for known in (None, frozenset({"name"})):
        with pytest.raises(InvalidFieldError, match="<name> occurs twice") as caught:
            xml.children_by_tag(root, where="x.xml", known=known)
        assert caught.value.where == "x.xml:3 <vib>/name[2]"
    assert list(xml.children_by_tag(root, where="x.xml", known=frozenset({"vib"}))) == ["name", "acme"]


@pytest.mark.parametrize(
    ("get", "message"),
    [
        pytest.param(lambda root: xml.require_child({}, "name", of=root, where="x"), "<name> is missing", id="child"),
        pytest.param(lambda root: xml.require_text({"a": root[0]}, "a", of=root, where="x"), "<a> is empty", id="text"),
        pytest.param(lambda root: xml.attribute(root, "none", where="x"), "attribute none is missing", id="attribute"),
        pytest.param(lambda root: xml.attribute(root, "empty", where="x"), "attribute empty is missing", id="empty"),
        pytest.param(lambda root: xml.boolean(root[1], where="x"), "no truth value", id="boolean"),
        pytest.param(lambda root: xml.integer(root, "12x", where="x", of="size"), "size is no number", id="integer"),
        pytest.param(lambda root: xml.integer(root, "-1", where="x", of="size"), "size is no number", id="negative"),
        pytest.param(
            lambda root: xml.integer(root, "9" * 19, where="x", of="size"), "size is no number", id="too-long"
        ),
        pytest.param(lambda root: xml.integer(root, "\u0661", where="x", of="size"), "size is no number", id="arabic"),
    ],
)
def test_a_getter_names_the_place_of_what_is_wrong(get: Callable[[XmlElement], object], message: str) -> None:
    root = parsed(b'<vib empty=""><a> </a><b>maybe</b></vib>')
    with pytest.raises(InvalidFieldError, match=message) as caught:
        get(root)
    assert caught.value.where.startswith("x:1 <vib>")


@pytest.mark.parametrize(
    ("text", "value"),
    [(b"true", True), (b" TRUE ", True), (b"1", True), (b"false", False), (b"0", False), (b"", False)],
)
def test_truth_values_are_read_in_every_spelling(text: bytes, value: bool) -> None:  # noqa: FBT001
    assert xml.boolean(parsed(b"<vib>" + text + b"</vib>"), where="x") is value


def test_what_is_not_there_has_a_default() -> None:
    assert xml.boolean(None, where="x", default=True)
    assert xml.text_of(None, "none") == "none"
    assert xml.integer(parsed(b"<vib/>"), " ", where="x", of="size") is None
    assert xml.integer(parsed(b"<vib/>"), None, where="x", of="size") is None
    assert xml.integer(parsed(b"<vib/>"), " 007 ", where="x", of="size") == 7


@pytest.mark.parametrize("text", ["\x00", "\x1b[0m", "\ud800", "\ufffe"])
def test_what_xml_cannot_carry_is_a_model_error(text: str) -> None:
    with pytest.raises(ModelError, match="<name> cannot be written"):
        xml.new_element("name", text)
    with pytest.raises(ModelError, match="<name> cannot be written"):
        xml.add_element(xml.new_element("vib"), "name", attributes={"a": text})


@pytest.mark.parametrize("raw", ["<bad", "", "text", "<a/><b/>", "<a>&x;</a>", "<a>\x00</a>"])
def test_what_is_no_element_cannot_be_kept(raw: str) -> None:
    with pytest.raises(ModelError, match="no XML element"):
        xml.add_raw(xml.new_element("vib"), raw)


@given(strategies.xml_text())
@example("a\r\n<&>\"']]>")
@example("größe\u2028\U0001f600")
def test_a_text_is_written_as_it_is_read(text: str) -> None:
    data = xml.render_xml(xml.new_element("vib", text, {"a": text}))
    assert data.isascii()
    root = parsed(data)
    assert xml.text_of(root) == text
    assert (root.get("a") or "") == text
    other = ET.fromstring(data)  # noqa: S314 - our own bytes
    assert (other.text or "", other.get("a")) == (text, text)


def test_documents_have_two_layouts() -> None:
    root = xml.new_element("vib")
    xml.add_element(root, "name", "x")
    assert xml.render_xml(root) == b"<vib><name>x</name></vib>"
    assert xml.render_xml(root, pretty=True) == b"<vib>\n  <name>x</name>\n</vib>\n"


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param('<acme level="1"><in>x</in> tail</acme>', id="mixed"),
        pytest.param('<größe höhe="1">ü</größe>', id="names-beyond-ascii"),
        pytest.param('<a:b xmlns:a="urn:acme" a:c="1"/>', id="namespace"),
        pytest.param('<b xmlns="urn:acme"><c/></b>', id="default-namespace"),
    ],
)
def test_an_unknown_element_is_kept_as_it_was(raw: str) -> None:
    first = parsed(wrapped("vib", [element("name", "x"), raw]).encode())
    kept = xml.unknown_children(first, frozenset({"name"}))
    root = xml.new_element("vib")
    for text in kept:
        xml.add_raw(root, text)
    assert xml.unknown_children(parsed(xml.render_xml(root)), frozenset({"name"})) == kept == (raw,)


@settings(max_examples=200)
@given(st.binary(max_size=200) | st.text("<>/vib&;![]\"' a=x", max_size=60).map(str.encode))
def test_arbitrary_bytes_raise_only_our_errors(data: bytes) -> None:
    with contextlib.suppress(EsxImageError):
        assert parsed(data).tag == "vib"


@settings(max_examples=200)
@given(
    strategies.mangled(
        b'<?xml version="1.0" encoding="utf-8"?>\n<!-- c --><vib version="5.0"><name a="&lt;">x</name><p/></vib>'
    )
)
def test_mangled_documents_raise_only_our_errors(data: bytes) -> None:
    with contextlib.suppress(EsxImageError):
        assert parsed(data).tag == "vib"


@pytest.mark.parametrize("coding", ["IBM037", "cp500", "UTF-7", "no-such-coding"])
def test_a_coding_in_which_tags_do_not_look_like_tags_is_refused(coding: str) -> None:
    """How many elements a document has is counted by the letters that begin them."""
    data = f'<?xml version="1.0" encoding="{coding}"?><a/>'.encode()
    with pytest.raises(MalformedDocumentError, match="coding that no ESXi metadata is in"):
        xml.parse_xml(data, where="a.xml", root="a", max_bytes=1000)


@pytest.mark.parametrize("coding", ["UTF-8", "us-ascii", "ISO-8859-1", "windows-1252", "Shift_JIS", "GB18030"])
def test_other_codings_are_read(coding: str) -> None:
    """With and without byte order mark, where there is one."""
    data = f'<?xml version="1.0" encoding="{coding}"?><a/>'.encode()
    assert xml.parse_xml(data, where="a.xml", root="a", max_bytes=1000).tag == "a"


@pytest.mark.parametrize("coding", ["utf-8-sig", "utf-16"])
def test_byte_order_marks_are_read(coding: str) -> None:
    declared = coding.removesuffix("-sig")
    data = f'<?xml version="1.0" encoding="{declared}"?><a/>'.encode(coding)
    assert xml.parse_xml(data, where="a.xml", root="a", max_bytes=1000).tag == "a"
