"""The two index documents: real forms are read, and what is written is read back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given, strategies as st
from support import schema_strategies as strategies
from support.document_builders import DepotBuilder, element, wrapped

from esximage_builder.documents.depot_index import (
    MetadataEntry,
    VendorEntry,
    parse_index,
    parse_vendor_index,
    render_index,
    render_vendor_index,
)
from esximage_builder.errors import InvalidFieldError, MalformedDocumentError

if TYPE_CHECKING:
    from collections.abc import Callable

PLAIN = DepotBuilder()


def index(data: bytes) -> tuple[VendorEntry, ...]:
    return parse_index(data, where="index.xml", max_bytes=100_000)


def vendor_index(data: bytes) -> tuple[MetadataEntry, ...]:
    return parse_vendor_index(data, where="vendor-index.xml", max_bytes=100_000)


def test_an_index_is_read() -> None:
    assert index(PLAIN.index()) == (VendorEntry(name="Acme", code="ACM"),)


def test_an_index_may_name_several_vendors_and_hold_comments() -> None:
    vendors = [
        wrapped("vendor", [element("name", "A_b"), element("code", "Unknown"), element("indexfile", "a.xml")]),
        "<!-- made with VIB2ZIP -->",
        wrapped("vendor", [element("indexfile", "b.xml"), element("relativePath", "b/"), element("patchUrl")]),
    ]
    assert index(wrapped("vendorList", vendors).encode()) == (
        VendorEntry(name="A_b", code="Unknown", index_file="a.xml", content_name="", content_type=""),
        VendorEntry(name="", code="", index_file="b.xml", relative_path="b/", content_name="", content_type=""),
    )
    assert index(b"<vendorList/>") == ()


def test_a_vendor_index_may_list_one_zip_for_several_products() -> None:
    depot = PLAIN.with_(products=(("embeddedEsx", "7.*"), ("embeddedEsx", "8.0"), ("esxio", "8.0")))
    assert vendor_index(depot.vendor_index()) == (
        MetadataEntry(version="7.*"),
        MetadataEntry(version="8.0"),
        MetadataEntry(product_id="esxio", version="8.0"),
    )


@pytest.mark.parametrize(
    ("parse", "data", "message", "place"),
    [
        pytest.param(index, b"<vendorList><vendor/></vendorList>", "<indexfile> is missing", "/vendor", id="no-file"),
        pytest.param(
            index,
            b"<vendorList><vendor><indexfile> </indexfile></vendor></vendorList>",
            "is empty",
            "/vendor/indexfile",
            id="blank-file",
        ),
        pytest.param(vendor_index, b"<metaList><metadata/></metaList>", "<url> is missing", "/metadata", id="no-url"),
        pytest.param(
            vendor_index,
            b"<metaList><metadata><url/><url/></metadata></metaList>",
            "<url> occurs twice",
            "/metadata/url[2]",
            id="two-urls",
        ),
    ],
)
def test_a_wrong_value_is_named_with_its_place(
    parse: Callable[[bytes], object], data: bytes, message: str, place: str
) -> None:
    with pytest.raises(InvalidFieldError, match=message) as caught:
        parse(data)
    assert caught.value.where.endswith(place)


@pytest.mark.parametrize("parse", [index, vendor_index])
def test_another_document_is_no_index(parse: Callable[[bytes], object]) -> None:
    with pytest.raises(MalformedDocumentError):
        parse(b"<vib/>")
    with pytest.raises(MalformedDocumentError):
        parse(b"")


def test_indices_are_written_as_real_ones_are() -> None:
    written = render_index((VendorEntry(name="Acme", code="ACM"),))
    assert written == (
        b"<vendorList>\n  <vendor>\n    <name>Acme</name>\n    <code>ACM</code>\n"
        b"    <indexfile>vendor-index.xml</indexfile>\n    <patchUrl/>\n    <relativePath/>\n    <content>\n"
        b"      <name>VMware ESX</name>\n      <type>http://www.vmware.com/depotmanagement/esx</type>\n"
        b"    </content>\n  </vendor>\n</vendorList>\n"
    )
    assert render_vendor_index((MetadataEntry(version="8.0"),)) == (
        b"<metaList>\n  <metadata>\n    <productId>embeddedEsx</productId>\n    <version>8.0</version>\n"
        b"    <locale/>\n    <url>metadata.zip</url>\n    <channelName>default</channelName>\n"
        b"  </metadata>\n</metaList>\n"
    )


@given(st.lists(strategies.vendor_entries(), max_size=3).map(tuple))
def test_a_written_index_is_read_back(vendors: tuple[VendorEntry, ...]) -> None:
    written = render_index(vendors)
    assert index(written) == vendors
    assert render_index(index(written)) == written


@given(st.lists(strategies.metadata_entries(), max_size=3).map(tuple))
def test_a_written_vendor_index_is_read_back(entries: tuple[MetadataEntry, ...]) -> None:
    written = render_vendor_index(entries)
    assert vendor_index(written) == entries
    assert render_vendor_index(vendor_index(written)) == written
