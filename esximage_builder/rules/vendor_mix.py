"""Vendors that do not go together: machines of two in one image, builds of one beside another's add-on.

Rules (docs/findings.md):

* A VIB may name the machines that it is made for. Where no vendor's machine suits all such VIBs of the
  host, none can install the image whole.
* What a server vendor builds is made for its own add-on: firmware, agents and drivers are a set. A
  component of one vendor beside the add-on of another is a warning, whoever brings it; what the base
  image brings is VMware's, even where a vendor gives it its name.

A server vendor is told by the names and codes below, or by having an add-on among what is loaded. Of a
component its publisher decides; where none is stated, its VIBs' vendors, then its name.

Source: names and vendor codes of public add-ons and bundles, see docs/formats.md#add-ons.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from esximage_builder.codes import make_finding
from esximage_builder.vocabulary import ComponentSource

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from esximage_builder.findings import Finding
    from esximage_builder.models.add_on import AddOn
    from esximage_builder.models.catalog import Catalog
    from esximage_builder.models.component import Component
    from esximage_builder.models.image import Image
    from esximage_builder.models.vib import Vib

__all__ = ["check_vendor_mix", "server_vendor"]

_WORDS = re.compile(r"[0-9a-z]+")
# First words of what a server vendor, its add-ons, components and VIBs are called.
_SERVER_VENDORS = {
    "Cisco": "cisco csco",
    "Dell": "dell dellemc del",
    "Fujitsu": "fujitsu fjt fsc",
    "H3C": "h3c",
    "Hitachi": "hitachi",
    "HPE": "hpe hp hewlett hewlettpackard",
    "Huawei": "huawei",
    "IBM": "ibm",
    "Inspur": "inspur",
    "Lenovo": "lenovo lvo lnv",
    "NEC": "nec",
    "Supermicro": "supermicro smci",
    "xFusion": "xfusion",
}
_BY_WORD = {word: vendor for vendor, words in _SERVER_VENDORS.items() for word in words.split()}
_NO_SERVER_VENDORS = frozenset({"vmware", "vmw", "broadcom"})


def server_vendor(text: str) -> str:
    """Return the server vendor that a name or code begins with; empty if it is none that is known."""
    return _BY_WORD.get(_first_word(text), "")


def _first_word(text: str) -> str:
    found = _WORDS.match(text.strip().lower())
    return "" if found is None else found[0]


def check_vendor_mix(image: Image, catalog: Catalog | None) -> Iterator[Finding]:
    """Yield warnings about vendors in the image that do not go together."""
    yield from _check_machines(image)
    if image.add_on is not None:
        others = () if catalog is None else catalog.add_ons
        yield from _check_builds(image, image.add_on, others)


# Machines


def _check_machines(image: Image) -> Iterator[Finding]:
    wanted = {vib.id: vendors for vib in image.host_vibs if (vendors := _machine_vendors(vib))}
    if not wanted or set.intersection(*(set(vendors) for vendors in wanted.values())):
        return
    names = sorted({name for vendors in wanted.values() for name in vendors.values()})
    yield make_finding(
        "hardware-vendors-mixed",
        f"the image has VIBs for machines of {' and of '.join(names)}: no machine is of all",
        items=tuple(wanted),
        facts={"vendors": ", ".join(names)},
        cause="; ".join(f"{vib_id} is for {', '.join(sorted(wanted[vib_id].values()))}" for vib_id in wanted),
        remedy="make an image for each vendor's machines, with its own add-on",
    )


def _machine_vendors(vib: Vib) -> dict[str, str]:
    """Return the vendors whose machines a VIB is for, as they are compared and as they are written."""
    written = (platform.vendor.strip() for platform in vib.hardware_platforms)
    return {server_vendor(vendor) or vendor.lower(): vendor for vendor in written if vendor}


# Builds


def _check_builds(image: Image, add_on: AddOn, loaded: Iterable[AddOn]) -> Iterator[Finding]:
    own = _vendor_of_add_on(add_on)
    if not own:
        return
    known = {word: word for unit in (*loaded, add_on) if (word := _stated_vendor(unit))} | _BY_WORD
    vibs = {vib.id: vib for vib in image.all_vibs}
    for entry in image.components:
        if entry.source in (ComponentSource.BASE_IMAGE, ComponentSource.ADD_ON, None):
            continue
        vendor = _vendor_of_component(entry.component, vibs, known)
        if vendor and vendor != own:
            yield _mixed(entry.component, vendor, add_on, own)


def _stated_vendor(add_on: AddOn) -> str:
    """Return the first word of the vendor that an add-on states; empty for those that build no servers."""
    word = _first_word(add_on.vendor)
    return "" if word in _NO_SERVER_VENDORS else word


def _vendor_of_add_on(add_on: AddOn) -> str:
    """Return whose an add-on is: as it states, else as its name or version says; empty if nothing tells."""
    word = _stated_vendor(add_on)
    if word:
        return _BY_WORD.get(word, word)
    words = (*_WORDS.findall(add_on.name.lower()), _first_word(add_on.version.text))
    return next((_BY_WORD[word] for word in words if word in _BY_WORD), "")


def _vendor_of_component(component: Component, vibs: Mapping[str, Vib], known: Mapping[str, str]) -> str:
    if component.vendor.strip():
        return known.get(_first_word(component.vendor), "")
    words = {_first_word(vibs[vib_id].vendor) for vib_id in component.vib_ids if vib_id in vibs}
    told = sorted(known[word] for word in words if word in known)
    if told or not words.isdisjoint(_NO_SERVER_VENDORS):
        return told[0] if told else ""
    return known.get(_first_word(component.name), "")


def _mixed(component: Component, vendor: str, add_on: AddOn, own: str) -> Finding:
    return make_finding(
        "vendors-mixed",
        f"{component.id} is a build of {_shown(vendor)} beside the add-on {add_on.id} of {_shown(own)}",
        items=(component.id, add_on.id),
        facts={"component": component.id, "vendor": vendor, "add_on": add_on.id},
        cause="a server vendor builds and tests its components with its own add-on and firmware",
        remedy=f"take the component from {_shown(own)}, or from whoever makes the device",
    )


def _shown(vendor: str) -> str:
    return vendor if vendor in _SERVER_VENDORS else vendor.capitalize()
