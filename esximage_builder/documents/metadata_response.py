"""``vmware.xml`` of a metadata zip: bulletins with whole VIB records inside.

Read for bulletins that no ``bulletins/*.xml`` repeats; everything about VIBs stands in
``vibs/*.xml``. Written in full, as esxcli and Update Manager read it.

Source: docs/formats.md#metadata-response.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from esximage_builder.containers.xml import (
    XmlElement,
    add_element,
    iterate_children,
    new_element,
    render_xml,
    text_of,
)
from esximage_builder.documents.bulletin import bulletin_element, parse_bulletin_element
from esximage_builder.documents.software_platform import add_software_platforms
from esximage_builder.documents.vib_descriptor import add_relationships
from esximage_builder.models.vib import SoftwarePlatform

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping
    from datetime import datetime

    from esximage_builder.models.component import Bulletin, Component
    from esximage_builder.models.vib import Vib

__all__ = ["parse_metadata_response", "render_metadata_response"]

_VIB_RECORD_VERSION = "1.4.5"


def parse_metadata_response(
    data: bytes, *, where: str, max_bytes: int, known_ids: Collection[str] = ()
) -> tuple[Bulletin | Component, ...]:
    """Read the bulletins; there may be none.

    Args:
        data: The whole document; it is never in memory as a tree.
        where: How to name it in errors.
        max_bytes: Upper bound for ``data``.
        known_ids: Ids of bulletins that have documents of their own, which count; they are passed over.

    Raises:
        MalformedDocumentError: No ``<metadataResponse>`` document.
        InvalidFieldError: A bulletin with a missing or impossible value.
        LimitExceededError: Longer than ``max_bytes``.
    """
    bulletins = iterate_children(data, where=where, root="metadataResponse", tag="bulletin", max_bytes=max_bytes)
    return tuple(
        parse_bulletin_element(element, where=where)
        for element in bulletins
        if text_of(element.find("id")) not in known_ids
    )


def render_metadata_response(
    bulletins: Iterable[Bulletin | Component], *, vibs: Mapping[str, Vib], timestamp: datetime
) -> bytes:
    """Write the document.

    Args:
        bulletins: What to write, in this order.
        vibs: Id to VIB, with ``file`` set; ids that are missing here are written as bare ids.
        timestamp: When the depot was made, aware.
    """
    root = new_element("metadataResponse")
    add_element(root, "version", "3.0")
    add_element(root, "timestamp", timestamp.replace(tzinfo=None).isoformat(timespec="microseconds"))

    def add_vib(parent: XmlElement, vib_id: str) -> None:
        vib = vibs.get(vib_id)
        if vib is None:
            add_element(parent, "vibID", vib_id)
        else:
            _add_vib_record(parent, vib)

    for bulletin in bulletins:
        root.append(bulletin_element(bulletin, add_vib=add_vib))
    return render_xml(root, pretty=True)


def _add_vib_record(parent: XmlElement, vib: Vib) -> None:
    record = add_element(parent, "vib")
    for tag, text in (
        ("vibVersion", _VIB_RECORD_VERSION),
        ("vibID", vib.id),
        ("name", vib.name),
        ("version", vib.version.text),
        ("vendor", vib.vendor),
        ("vibType", vib.type),
        ("summary", vib.summary),
    ):
        add_element(record, tag, text)
    requires = add_element(record, "systemReqs")
    add_element(requires, "maintenanceMode", "true" if vib.maintenance_mode.required else "false")
    add_software_platforms(requires, vib.software_platforms or (SoftwarePlatform(),), tag="swPlatform")
    add_relationships(record, vib)
    after = add_element(record, "postInstall")
    add_element(after, "rebootRequired", "false" if vib.live_install_allowed else "true")
    add_element(after, "hostdRestart", "false")
    if vib.tags:
        tags = add_element(record, "softwareTags")
        for tag in vib.tags:
            add_element(tags, "tag", tag)
    _add_vib_file(record, vib)


def _add_vib_file(record: XmlElement, vib: Vib) -> None:
    file = add_element(record, "vibFile")
    add_element(file, "sourceUrl")
    if vib.file is None:
        return
    add_element(file, "relativePath", vib.file.relative_path)
    if vib.file.size_bytes is not None:
        add_element(file, "packedSize", str(vib.file.size_bytes))
    if vib.file.sha256:
        checksum = add_element(file, "checksum")
        add_element(checksum, "checksumType", "sha-256")
        add_element(checksum, "checksum", vib.file.sha256)
