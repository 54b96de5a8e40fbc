"""The two index documents of a depot: ``index.xml`` and ``vendor-index.xml``.

Source: docs/formats.md#bundle-layout.
"""

from __future__ import annotations

from typing import final

import attrs

from esximage_builder.containers.xml import (
    add_element,
    child_elements,
    children_by_tag,
    new_element,
    parse_xml,
    render_xml,
    require_text,
    text_of,
)
from esximage_builder.shown import Shown

__all__ = [
    "MetadataEntry",
    "VendorEntry",
    "parse_index",
    "parse_vendor_index",
    "render_index",
    "render_vendor_index",
]

_CONTENT_TYPE = "http://www.vmware.com/depotmanagement/esx"


@final
@attrs.frozen(kw_only=True)
class VendorEntry:
    """One ``<vendor>`` of ``index.xml``.

    Attributes:
        name: ``Acme``.
        code: Three letters or digits by the field's rule; files hold anything.
        index_file: Path of the vendor index.
        relative_path: Folder that the vendor index stands in; empty in real bundles.
        content_name: ``VMware ESX``.
        content_type: Address that names the kind of content.
    """

    name: str
    code: str
    index_file: str = "vendor-index.xml"
    relative_path: str = ""
    content_name: str = "VMware ESX"
    content_type: str = _CONTENT_TYPE


@final
@attrs.frozen(kw_only=True, repr=False)
class MetadataEntry(Shown):
    """One ``<metadata>`` of ``vendor-index.xml``: one product and version of a metadata zip.

    Attributes:
        product_id: ``embeddedEsx``; from 8.0 also ``esxio``.
        version: ``7.0``, ``7.*``, ``8.0.3-24449057``.
        url: Path of the metadata zip beside the index.
        channel: ``default``.
    """

    product_id: str = "embeddedEsx"
    version: str
    url: str = "metadata.zip"
    channel: str = "default"


def parse_index(data: bytes, *, where: str, max_bytes: int) -> tuple[VendorEntry, ...]:
    """Read ``index.xml``.

    Raises:
        MalformedDocumentError: No ``<vendorList>`` document.
        InvalidFieldError: A vendor without index file.
    """
    root = parse_xml(data, where=where, root="vendorList", max_bytes=max_bytes)
    vendors = []
    for item in child_elements(root):
        children = children_by_tag(item, where=where)
        content = children.get("content")
        vendors.append(
            VendorEntry(
                name=text_of(children.get("name")),
                code=text_of(children.get("code")),
                index_file=require_text(children, "indexfile", of=item, where=where),
                relative_path=text_of(children.get("relativePath")),
                content_name="" if content is None else text_of(content.find("name")),
                content_type="" if content is None else text_of(content.find("type")),
            )
        )
    return tuple(vendors)


def render_index(vendors: tuple[VendorEntry, ...]) -> bytes:
    """Write ``index.xml``, indented as real ones are."""
    root = new_element("vendorList")
    for vendor in vendors:
        item = add_element(root, "vendor")
        add_element(item, "name", vendor.name)
        add_element(item, "code", vendor.code)
        add_element(item, "indexfile", vendor.index_file)
        add_element(item, "patchUrl")
        add_element(item, "relativePath", vendor.relative_path)
        content = add_element(item, "content")
        add_element(content, "name", vendor.content_name)
        add_element(content, "type", vendor.content_type)
    return render_xml(root, pretty=True)


def parse_vendor_index(data: bytes, *, where: str, max_bytes: int) -> tuple[MetadataEntry, ...]:
    """Read ``vendor-index.xml``; several entries may name one metadata zip.

    Raises:
        MalformedDocumentError: No ``<metaList>`` document.
        InvalidFieldError: An entry without address.
    """
    root = parse_xml(data, where=where, root="metaList", max_bytes=max_bytes)
    entries = []
    for item in child_elements(root):
        children = children_by_tag(item, where=where)
        entries.append(
            MetadataEntry(
                product_id=text_of(children.get("productId")),
                version=text_of(children.get("version")),
                url=require_text(children, "url", of=item, where=where),
                channel=text_of(children.get("channelName")),
            )
        )
    return tuple(entries)


def render_vendor_index(entries: tuple[MetadataEntry, ...]) -> bytes:
    """Write ``vendor-index.xml``, indented as real ones are."""
    root = new_element("metaList")
    for entry in entries:
        item = add_element(root, "metadata")
        add_element(item, "productId", entry.product_id)
        add_element(item, "version", entry.version)
        add_element(item, "locale")
        add_element(item, "url", entry.url)
        add_element(item, "channelName", entry.channel)
    return render_xml(root, pretty=True)
