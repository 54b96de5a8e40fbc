"""Whether a host takes an image: nothing on a host may go down.

"No downgrade" belongs to hosts alone: composing an image may lower a component on purpose.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from esximage_builder.codes import Layer, make_finding
from esximage_builder.rules.compatibility import Compatibility, LayerVerdict, verdict_of
from esximage_builder.rules.downgrades import is_lower_add_on, lower_components

if TYPE_CHECKING:
    from esximage_builder.findings import Finding
    from esximage_builder.models.host import Host, HostComponent
    from esximage_builder.models.image import EffectiveComponent, Image

__all__ = ["judge_host"]


def judge_host(image: Image, host: Host) -> Compatibility:
    """Judge an image against a host: nothing on a host may go down.

    Only what image and host have in common is compared: the base image, an add-on of the same
    name, components of the same name.
    """
    findings = [*_lower_base(image, host), *_lower_add_on(image, host), *_lower_components(image, host)]
    reason = findings[0].message if findings else "nothing on the host is newer than the image"
    verdict = LayerVerdict(layer=Layer.HOST, verdict=verdict_of(findings), reason=reason, findings=findings)
    return Compatibility(subject=image.name, target=host.name, layers=[verdict])


def _lower_base(image: Image, host: Host) -> list[Finding]:
    version = image.esxi_version
    if version is None or host.base_image is None or version >= host.base_image:
        return []
    return [
        make_finding(
            "host-newer-than-image",
            f"{host.name} runs ESXi {host.base_image}, the image would put {version} on it",
            items=(host.name, f"ESXi:{version}"),
            facts={"host": host.name, "has": host.base_image.text, "wanted": version.text},
            cause="a host's base image is never lowered",
            remedy=f"raise the image to {host.base_image} or later",
        )
    ]


def _lower_add_on(image: Image, host: Host) -> list[Finding]:
    if image.add_on is None or host.add_on is None:
        return []
    wanted, has = ((unit.name, unit.version) for unit in (image.add_on, host.add_on))
    if not is_lower_add_on(has, wanted):
        return []
    return [
        make_finding(
            "host-add-on-newer",
            f"{host.name} has {host.add_on}, the image would put {image.add_on.version} on it",
            items=(host.name, image.add_on.id),
            facts={
                "host": host.name,
                "add_on": image.add_on.name,
                "has": host.add_on.version.text,
                "wanted": image.add_on.version.text,
            },
            cause="an add-on on a host is never lowered",
            remedy=f"raise the image's add-on to {host.add_on.version} or later",
        )
    ]


def _lower_components(image: Image, host: Host) -> list[Finding]:
    by_name = {installed.name: installed for installed in host.components}
    installed = ((entry.name, entry.version) for entry in host.components)
    return [_lower_component(host, by_name[name], target) for name, _, target in lower_components(installed, image)]


_ORIGINS = {True: "was added by hand", False: "came with an image", None: "is on the host, who added it is not known"}


def _lower_component(host: Host, installed: HostComponent, target: EffectiveComponent) -> Finding:
    """Word what people know as "Downgrades of manually added Components are not supported"."""
    source = "image profile" if target.source is None else target.source.display
    version = target.component.version
    if installed.is_manual is False:
        rule = "whether a host takes a lower one is not publicly known, so it counts as refused"
    else:
        rule = "downgrades of manually added components are not supported"
    return make_finding(
        "host-component-newer",
        f"{host.name} has {installed.name} {installed.version}, the image would lower it to {version}",
        items=(host.name, target.component.id),
        facts={
            "host": host.name,
            "component": installed.name,
            "has": installed.version.text,
            "wanted": version.text,
        },
        cause=f"the {source} brings {version}; the component {_ORIGINS[installed.is_manual]}: {rule}",
        remedy=f"take a newer add-on that has {installed.version} or later, or add {installed.name} "
        f"{installed.version} to the image, or remove the component from the host first (not if the host boots or "
        "is reached over a network or storage adapter that needs it)",
    )
