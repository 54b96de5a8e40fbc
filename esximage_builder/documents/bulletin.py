"""Bulletins and components: ``bulletins/*.xml`` and the ``<bulletin>`` elements of ``vmware.xml``.

A bulletin with both component specs is a component (since 7.0). In ``vmware.xml`` the list
of VIBs holds whole records; only their ids are taken, the rest stands in ``vibs/*.xml``.

Source: docs/formats.md#bulletin.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from esximage_builder.containers.dates import render_time
from esximage_builder.containers.xml import (
    XmlElement,
    add_element,
    add_raw,
    attribute,
    child_elements,
    children_by_tag,
    invalid_field,
    new_element,
    parse_xml,
    render_xml,
    require_text,
    text_of,
    time_of,
    unknown_children,
)
from esximage_builder.documents.software_platform import add_software_platforms, parse_software_platforms
from esximage_builder.errors import VersionSyntaxError
from esximage_builder.limits import DOCUMENT_BYTES
from esximage_builder.models.component import Bulletin, Component
from esximage_builder.versions import ComponentVersion

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["bulletin_element", "parse_bulletin", "parse_bulletin_element", "render_bulletin"]

_TEXTS = ("vendor", "summary", "severity", "category", "urgency")
_KNOWN = frozenset(
    {
        "id", *_TEXTS, "releaseType", "description", "kbUrl", "contact", "componentNameSpec",
        "componentVersionSpec", "releaseDate", "platforms", "vibList",
    }
)  # fmt: skip


def parse_bulletin(
    data: bytes, *, where: str = "bulletin.xml", max_bytes: int = DOCUMENT_BYTES
) -> Bulletin | Component:
    """Read one ``bulletins/*.xml`` document, from a depot or a host.

    Args:
        data: The whole document.
        where: How to name it in errors.
        max_bytes: Upper bound for ``data``; that of ``ReadLimits`` if nothing else is said.

    Returns:
        A component if the document has both component specs, else a legacy bulletin.

    Raises:
        MalformedDocumentError: No ``<bulletin>`` document.
        InvalidFieldError: An element is missing or has an impossible value.
        LimitExceededError: Longer than ``max_bytes``.
    """
    return parse_bulletin_element(parse_xml(data, where=where, root="bulletin", max_bytes=max_bytes), where=where)


def parse_bulletin_element(element: XmlElement, *, where: str) -> Bulletin | Component:
    """Read one ``<bulletin>`` element; as ``parse_bulletin``."""
    children = children_by_tag(element, where=where, known=_KNOWN)
    released = children.get("releaseDate")
    texts = {tag: text_of(children.get(tag)) for tag in _TEXTS}
    bulletin = Bulletin(
        id=require_text(children, "id", of=element, where=where),
        **texts,
        release_type=text_of(children.get("releaseType")),
        description=text_of(children.get("description")),
        kb_url=text_of(children.get("kbUrl")),
        contact=text_of(children.get("contact")),
        released_at=time_of(released, where=where),
        platforms=parse_software_platforms(children.get("platforms")),
        vib_ids=_vib_ids(children.get("vibList"), where),
        extra=unknown_children(element, _KNOWN),
    )
    name, version = children.get("componentNameSpec"), children.get("componentVersionSpec")
    if name is None and version is None:
        return bulletin
    if name is None or version is None:
        invalid_field(
            element,
            "the component has a name or a version, not both",
            where=where,
            expected="componentNameSpec and componentVersionSpec together, or neither",
        )
    try:
        component_version = ComponentVersion(attribute(version, "version", where=where).strip())
    except VersionSyntaxError as error:
        invalid_field(version, error.message, where=where, found=error.found, expected=error.expected)
    return Component(
        name=attribute(name, "name", where=where),
        version=component_version,
        display_name=name.get("uiString") or "",
        display_version=version.get("uiString") or "",
        bulletin=bulletin,
    )


def _vib_ids(element: XmlElement | None, where: str) -> tuple[str, ...]:
    """Return the ids of a list of ``<vibID>`` or of ``<vib>`` records, each once."""
    ids: dict[str, None] = {}
    for item in () if element is None else child_elements(element):
        id_element = item if item.tag == "vibID" else item.find("vibID")
        text = text_of(id_element)
        if not text:
            invalid_field(item, "a VIB of the list has no id", where=where, expected="a vibID")
        ids[text] = None
    return tuple(ids)


def render_bulletin(bulletin: Bulletin | Component) -> bytes:
    """Write one ``bulletins/*.xml`` document, on one line."""
    return render_xml(bulletin_element(bulletin))


def bulletin_element(
    bulletin: Bulletin | Component, *, add_vib: Callable[[XmlElement, str], None] | None = None
) -> XmlElement:
    """Return the ``<bulletin>`` element, children in the order of real files.

    Args:
        bulletin: What to write.
        add_vib: Called with the list element and each VIB id, to write a whole record
            (``vmware.xml``); None writes ``<vibID>``.
    """
    component = bulletin if isinstance(bulletin, Component) else None
    body = bulletin.bulletin if isinstance(bulletin, Component) else bulletin
    element = new_element("bulletin")
    for tag, text in (
        ("id", body.id),
        ("vendor", body.vendor),
        ("summary", body.summary),
        ("severity", body.severity),
        ("category", body.category),
        ("urgency", body.urgency),
        ("releaseType", body.release_type),
        ("description", body.description),
        ("kbUrl", body.kb_url),
        ("contact", body.contact),
    ):
        add_element(element, tag, text)
    if component is not None:
        name = {"name": component.name, "uiString": component.display_name}
        version = {"version": component.version.text, "uiString": component.display_version}
        add_element(element, "componentNameSpec", attributes=name)
        add_element(element, "componentVersionSpec", attributes=version)
    if body.released_at is not None:
        add_element(element, "releaseDate", render_time(body.released_at))
    add_software_platforms(add_element(element, "platforms"), body.platforms)
    vibs = add_element(element, "vibList")
    for vib_id in body.vib_ids:
        if add_vib is None:
            add_element(vibs, "vibID", vib_id)
        else:
            add_vib(vibs, vib_id)
    for raw in body.extra:
        add_raw(element, raw)
    return element
