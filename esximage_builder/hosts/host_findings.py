"""What is said of a host: which of its items an image would lower, remove, or cannot be compared with.

Only a host's own name and a few versions are needed, so that whoever judges very many hosts words
nothing before there is something to say.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from esximage_builder.codes import make_finding
from esximage_builder.models.host import HostPart

if TYPE_CHECKING:
    from collections.abc import Sequence

    from esximage_builder.findings import Finding
    from esximage_builder.models.host import HostComponent
    from esximage_builder.versions import BaseImageVersion, ComponentVersion
    from esximage_builder.vocabulary import AcceptanceLevel, ComponentSource

__all__ = [
    "newer_add_on",
    "newer_base",
    "newer_component",
    "newer_unit",
    "newer_vib",
    "raised_vibs",
    "standalone_vib",
    "unknown_parts",
]


def newer_base(host: str, *, has: BaseImageVersion, wanted: BaseImageVersion) -> Finding:
    """Say that the host runs a later base image."""
    return make_finding(
        "host-newer-than-image",
        f"{host} runs ESXi {has}, the image would put {wanted} on it",
        items=(host, f"ESXi:{wanted}"),
        facts={"host": host, "has": has.text, "wanted": wanted.text},
        cause="a host's base image is never lowered",
        remedy=f"raise the image to {has} or later",
    )


def newer_add_on(host: str, name: str, *, has: str, wanted: str) -> Finding:
    """Say that the host has a later version of the add-on."""
    return make_finding(
        "host-add-on-newer",
        f"{host} has {name}:{has}, the image would put {wanted} on it",
        items=(host, f"{name}:{wanted}"),
        facts={"host": host, "add_on": name, "has": has, "wanted": wanted},
        cause="an add-on on a host is never lowered",
        remedy=f"raise the image's add-on to {has} or later",
    )


_ORIGINS = {True: "was added by hand", False: "came with an image", None: "is on the host, who added it is not known"}


def newer_component(
    host: str, installed: HostComponent, *, wanted: ComponentVersion, source: ComponentSource | None
) -> Finding:
    """Word what people know as "Downgrades of manually added Components are not supported"."""
    bringer = "image profile" if source is None else source.display
    if installed.is_manual is False:
        rule = "whether a host takes a lower one is not publicly known, so it counts as refused"
    else:
        rule = "downgrades of manually added components are not supported"
    return make_finding(
        "host-component-newer",
        f"{host} has {installed.name} {installed.version}, the image would lower it to {wanted}",
        items=(host, f"{installed.name}:{wanted}"),
        facts={"host": host, "component": installed.name, "has": installed.version.text, "wanted": wanted.text},
        cause=f"the {bringer} brings {wanted}; the component {_ORIGINS[installed.is_manual]}: {rule}",
        remedy=f"take a newer add-on that has {installed.version} or later, or add {installed.name} "
        f"{installed.version} to the image, or remove the component from the host first (not if the host boots or "
        "is reached over a network or storage adapter that needs it)",
    )


def newer_unit(host: str, name: str, *, has: str, wanted: str) -> Finding:
    """Say that the host has a later version of a solution or hardware support package."""
    return make_finding(
        "host-solution-newer",
        f"{host} has {name} {has}, the image would put {wanted} on it",
        items=(host, f"{name}:{wanted}"),
        facts={"host": host, "solution": name, "has": has, "wanted": wanted},
        cause="nothing on a host is lowered",
        remedy=f"raise {name} in the spec to {has} or later",
    )


def newer_vib(host: str, name: str, *, has: str, wanted: str) -> Finding:
    """Say that the host has a later version of a VIB, which no component of the same name brought."""
    return make_finding(
        "host-vib-newer",
        f"{host} has the VIB {name} {has}, the image would lower it to {wanted}",
        items=(host, f"{name} {wanted}"),
        facts={"host": host, "vib": name, "has": has, "wanted": wanted},
        cause="the image has an earlier one; whether a host takes it depends on the command, so it counts as refused",
        remedy=f"take an image with {name} {has} or later, or remove the VIB from the host first (not if the host "
        "boots or is reached over an adapter that needs it)",
    )


def standalone_vib(host: str, text: str, *, level: AcceptanceLevel | None, lowered_to: str) -> Finding:
    """Say that a VIB which no component brings would be removed or lowered.

    Args:
        host: Its name.
        text: The VIB's id, or name and version.
        level: Its acceptance level; None if not known.
        lowered_to: Version of the VIB of this name in the image; empty if there is none.
    """
    known = "" if level is None else f", of level {level.display},"
    goes = f"the image has the earlier {lowered_to} in its place" if lowered_to else "it would be removed"
    return make_finding(
        "standalone-vib-removed",
        f"{host} has the VIB {text}{known} which no component brings; {goes}",
        items=(host, text),
        facts={"host": host, "vib": text},
        cause="an image consists of components; a VIB that was installed by itself is none of it",
        remedy="make a component of it and add that to the image, or let it go",
    )


def raised_vibs(host: str, texts: Sequence[str]) -> Finding:
    """Say that the image has later VIBs in place of some that no component brings."""
    return make_finding(
        "standalone-vib-removed",
        f"{host} has {len(texts)} VIBs which no component brings; the image has later ones in their place",
        items=(host, *texts),
        facts={"host": host},
        cause="they were installed by themselves, or before there were components",
        remedy="nothing: bringing the host to the image replaces them",
    )


_REMEDIES = {
    HostPart.BASE_IMAGE: "take the output of: esxcli software baseimage get",
    HostPart.ADD_ON: "take the output of: esxcli software addon get; or write into the inventory that there is none",
    HostPart.COMPONENTS: "take the output of: esxcli software component list",
    HostPart.STANDALONE_VIBS: "take the output of: esxcli software vib get, and open the depots of all components; or "
    "copy the folder /var/db/esximg",
    HostPart.VIBS: "take the output of: esxcli software vib get",
    HostPart.HARDWARE_SUPPORT: "ask its hardware support manager, and write into the inventory what is installed",
}


def unknown_parts(host: str, missing: Sequence[HostPart]) -> Finding:
    """Say what the inventory leaves out that it takes to judge the host."""
    words = ", ".join(part.value.replace("_", " ") for part in missing)
    return make_finding(
        "host-part-unknown",
        f"the inventory of {host} does not tell: {words}",
        items=(host, *(part.value for part in missing)),
        facts={"host": host},
        cause="what is not told is not guessed",
        remedy="; ".join(_REMEDIES[part] for part in missing),
    )
