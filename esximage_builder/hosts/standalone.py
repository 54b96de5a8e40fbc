"""VIBs of a host that no component brings, and images that have such VIBs themselves.

A VIB that was installed by itself is part of no image of components: the image would remove it, or put
its own VIB of that name in its place. Whether a VIB is brought by a component is what the host says,
else what the image and the loaded depots say of the host's components; if they do not know one of
these, nothing is claimed.

An image without components, as profiles up to 6.7 are, is compared VIB by VIB instead.

Source: docs/formats.md#compliance.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from esximage_builder.hosts.host_findings import raised_vibs, standalone_vib
from esximage_builder.hosts.release_units import compared
from esximage_builder.hosts.vib_table import key_of_text
from esximage_builder.models.compliance import ComplianceStatus, ItemCompliance, ItemReason
from esximage_builder.models.host import HostPart
from esximage_builder.versions import VibVersion

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from esximage_builder.findings import Finding
    from esximage_builder.hosts.vib_table import VibKey, VibTable
    from esximage_builder.models.host import Host

__all__ = ["find_standalone_vibs", "judge_vibs", "standalone_findings"]

_UNAVAILABLE = ComplianceStatus.UNAVAILABLE


def find_standalone_vibs(table: VibTable, host: Host) -> tuple[str, ...] | None:
    """Return the VIBs that no component brings and that the image does not have; None if that is not known."""
    if HostPart.STANDALONE_VIBS in host.told:
        return tuple(text for text in host.standalone_vibs if not _is_in_image(table, text, host))
    if not {HostPart.VIBS, HostPart.COMPONENTS} <= host.told:
        return None
    others = [key for vib in host.vibs if (key := (vib.name, vib.version.text)) not in table.on_all]
    brought = _brought_by(table, host) if others else set()
    if brought is None:
        return None
    return tuple(f"{name} {version}" for name, version in others if (name, version) not in brought)


def _is_in_image(table: VibTable, text: str, host: Host) -> bool:
    return text in table.ids or key_of_text(text, host) in table.on_all


def _brought_by(table: VibTable, host: Host) -> set[VibKey] | None:
    """Return what a host's components bring; None if one of them is not known."""
    brought: set[VibKey] = set()
    for part in host.components:
        keys = table.brought.get((part.name, part.version.text))
        if keys is None:
            return None
        brought.update(keys)
    return brought


def judge_vibs(table: VibTable, host: Host, *, is_all: bool) -> tuple[ItemCompliance, ...]:
    """Return how the host stands to the VIBs that the image installs beside components, sorted by name.

    Args:
        table: The image's.
        host: What is judged.
        is_all: Whether the image has no components, so that no other VIB may be on the host.
    """
    if not table.alone and not is_all:
        return ()
    if HostPart.VIBS not in host.told:
        wanted = sorted(table.alone.items())
        return tuple(_item(name, target=text, judged=(_UNAVAILABLE, ItemReason.NOT_TOLD)) for name, text in wanted)
    installed = {vib.name: vib.version.text for vib in host.vibs}
    names = table.alone.keys() | (installed.keys() if is_all else set())
    return tuple(_judged_vib(name, installed.get(name, ""), table.alone.get(name, "")) for name in sorted(names))


def _judged_vib(name: str, current: str, target: str) -> ItemCompliance:
    if not current:
        judged = (ComplianceStatus.NON_COMPLIANT, ItemReason.NOT_ON_HOST)
    elif not target:
        judged = (ComplianceStatus.NON_COMPLIANT, ItemReason.NOT_IN_IMAGE)
    elif current == target:
        return _item(name, current=current, target=target, judged=(ComplianceStatus.COMPLIANT, None))
    else:
        return _item(name, current=current, target=target, judged=compared(VibVersion(target), VibVersion(current)))
    return _item(name, current=current, target=target, judged=judged)


def _item(
    name: str, *, judged: tuple[ComplianceStatus, ItemReason | None], current: str = "", target: str = ""
) -> ItemCompliance:
    status, reason = judged
    return ItemCompliance(name=name, status=status, current=current, target=target, reason=reason)


def standalone_findings(table: VibTable, host: Host, texts: Iterable[str]) -> Iterator[Finding]:
    """Yield a finding for each VIB that would go or go down, and one for all that the image has later."""
    versions = {name: version for name, version in table.on_host if name}
    levels = {(vib.name, vib.version.text): vib.acceptance_level for vib in host.vibs}
    raised = []
    for text in texts:
        key = key_of_text(text, host)
        wanted = versions.get(key[0], "")
        if wanted and VibVersion(wanted) > VibVersion(key[1]):
            raised.append(text)
        else:
            yield standalone_vib(host.name, text, level=levels.get(key), lowered_to=wanted)
    if raised:
        yield raised_vibs(host.name, raised)
