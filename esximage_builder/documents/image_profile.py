"""Image profiles: ``profiles/*.xml`` of depots, ``profile.xml`` of ISOs, host databases.

Source: docs/formats.md#image-profile.
"""

from __future__ import annotations

from esximage_builder.containers.dates import render_time
from esximage_builder.containers.xml import (
    XmlElement,
    add_element,
    add_raw,
    attribute,
    boolean,
    child_elements,
    children_by_tag,
    integer,
    invalid_field,
    new_element,
    parse_xml,
    render_xml,
    require_text,
    text_of,
    time_of,
    unknown_children,
)
from esximage_builder.limits import DOCUMENT_BYTES
from esximage_builder.models.image_profile import ImageProfile, ProfileVib
from esximage_builder.vocabulary import AcceptanceLevel

__all__ = ["parse_image_profile", "render_image_profile"]

_KNOWN = frozenset(
    {
        "name", "creator", "profileID", "creationtime", "modifiedtime", "serialno", "description",
        "readonly", "viblist", "acceptancelevel", "bulletinlist",
    }
)  # fmt: skip


def parse_image_profile(data: bytes, *, where: str = "profile.xml", max_bytes: int = DOCUMENT_BYTES) -> ImageProfile:
    """Read one ``profiles/*`` document, from a depot or a host.

    Args:
        data: The whole document.
        where: How to name it in errors.
        max_bytes: Upper bound for ``data``; that of ``ReadLimits`` if nothing else is said.

    Raises:
        MalformedDocumentError: No ``<imageprofile>`` document.
        InvalidFieldError: An element is missing or has an impossible value.
        LimitExceededError: Longer than ``max_bytes``.
    """
    root = parse_xml(data, where=where, root="imageprofile", max_bytes=max_bytes)
    children = children_by_tag(root, where=where, known=_KNOWN)
    serial = children.get("serialno")
    return ImageProfile(
        name=require_text(children, "name", of=root, where=where),
        creator=text_of(children.get("creator")),
        profile_id=text_of(children.get("profileID")),
        created_at=time_of(children.get("creationtime"), where=where),
        modified_at=time_of(children.get("modifiedtime"), where=where),
        serial_number=(serial is not None and integer(serial, text_of(serial), where=where, of="serialno")) or 0,
        description=text_of(children.get("description")),
        read_only=boolean(children.get("readonly"), where=where),
        vibs=_vibs(children.get("viblist"), where),
        acceptance_level=_acceptance_level(children.get("acceptancelevel"), where),
        bulletin_ids=_bulletin_ids(children.get("bulletinlist")),
        extra=unknown_children(root, _KNOWN),
    )


def _vibs(element: XmlElement | None, where: str) -> tuple[ProfileVib, ...]:
    vibs = []
    for item in () if element is None else child_elements(element):
        vib_id = text_of(item.find("vib-id"))
        if not vib_id:
            invalid_field(item, "a VIB of the profile has no id", where=where, expected="<vib-id>")
        names = tuple(
            (attribute(payload, "payload-name", where=where), text_of(payload))
            for payload in item.iterfind("payloads/payload")
        )
        vibs.append(ProfileVib(vib_id=vib_id, local_names=names))
    return tuple(vibs)


def _acceptance_level(element: XmlElement | None, where: str) -> AcceptanceLevel | None:
    text = text_of(element)
    if element is None or not text:
        return None
    try:
        return AcceptanceLevel.from_text(text)
    except ValueError:
        invalid_field(element, "this is no acceptance level", where=where, found=repr(text), expected="certified, ...")


def _bulletin_ids(element: XmlElement | None) -> tuple[str, ...]:
    return () if element is None else tuple(text_of(item) for item in child_elements(element))


def render_image_profile(profile: ImageProfile) -> bytes:
    """Write one profile on one line, children in the order of real files."""
    root = new_element("imageprofile")
    add_element(root, "name", profile.name)
    add_element(root, "creator", profile.creator)
    add_element(root, "profileID", profile.profile_id)
    for tag, moment in (("creationtime", profile.created_at), ("modifiedtime", profile.modified_at)):
        if moment is not None:
            add_element(root, tag, render_time(moment))
    add_element(root, "serialno", str(profile.serial_number))
    if profile.description:
        add_element(root, "description", profile.description)
    add_element(root, "readonly", "true" if profile.read_only else "false")
    vibs = add_element(root, "viblist")
    for vib in profile.vibs:
        item = add_element(vibs, "vib")
        add_element(item, "vib-id", vib.vib_id)
        payloads = add_element(item, "payloads")
        for payload_name, local_name in vib.local_names:
            add_element(payloads, "payload", local_name, {"payload-name": payload_name})
    if profile.acceptance_level is not None:
        add_element(root, "acceptancelevel", profile.acceptance_level.value)
    if profile.bulletin_ids:
        bulletins = add_element(root, "bulletinlist")
        for bulletin_id in profile.bulletin_ids:
            add_element(bulletins, "bulletin-id", bulletin_id)
    for raw in profile.extra:
        add_raw(root, raw)
    return render_xml(root)
