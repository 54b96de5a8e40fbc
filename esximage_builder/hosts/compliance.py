"""Whether a host takes an image: nothing on a host may go down.

"No downgrade" belongs to hosts alone: composing an image may lower a component on purpose.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from esximage_builder.codes import Layer
from esximage_builder.hosts.host_findings import newer_add_on, newer_base, newer_component
from esximage_builder.rules.compatibility import Compatibility, LayerVerdict, verdict_of
from esximage_builder.rules.downgrades import is_lower_add_on, lower_components

if TYPE_CHECKING:
    from esximage_builder.findings import Finding
    from esximage_builder.models.host import Host
    from esximage_builder.models.image import Image

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
    return [newer_base(host.name, has=host.base_image, wanted=version)]


def _lower_add_on(image: Image, host: Host) -> list[Finding]:
    wanted, has = image.add_on, host.add_on
    if wanted is None or has is None or not is_lower_add_on((has.name, has.version), (wanted.name, wanted.version)):
        return []
    return [newer_add_on(host.name, has.name, has=has.version.text, wanted=wanted.version.text)]


def _lower_components(image: Image, host: Host) -> list[Finding]:
    by_name = {installed.name: installed for installed in host.components}
    installed = ((entry.name, entry.version) for entry in host.components)
    return [
        newer_component(host.name, by_name[name], wanted=target.component.version, source=target.source)
        for name, _, target in lower_components(installed, image)
    ]
