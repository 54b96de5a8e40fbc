"""Which VIBs a host has: as its inventory lists them, else as its loaded components bring them.

VIBs of data processing units are apart from the host's own: an image's are compared only where the
host says that it has such.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, final

import attrs

from esximage_builder.hosts.components import has_processing_units
from esximage_builder.models.fields import as_tuple
from esximage_builder.models.host import HostPart
from esximage_builder.rules.vib_selection import VibChoice, select_vibs
from esximage_builder.versions import VibVersion
from esximage_builder.vocabulary import ComponentSource

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from esximage_builder.models.catalog import Catalog
    from esximage_builder.models.component import Component
    from esximage_builder.models.host import Host, HostComponent, HostVib
    from esximage_builder.models.image import Image, InstalledVib
    from esximage_builder.models.vib import Vib

__all__ = ["HostVibReader", "HostVibs", "Key", "PresentVib", "WantedVibs", "component_of"]

Key = tuple[bool, str]
"""Whether it is for data processing units alone, and the name."""

_HOST = "host"


@final
@attrs.frozen(kw_only=True)
class PresentVib:
    """A VIB on a host.

    Attributes:
        name: VIB name.
        version: Installed version.
        vendor: Empty if not told.
        vib: Its descriptor; None if it is not loaded.
    """

    name: str
    version: VibVersion
    vendor: str = ""
    vib: Vib | None = None


@final
@attrs.frozen(kw_only=True)
class HostVibs:
    """The VIBs of a host.

    Attributes:
        entries: Each with its key, sorted.
        is_complete: Whether these are all.
        has_dpus: Whether data processing units are among what the host tells.
    """

    entries: tuple[tuple[Key, PresentVib], ...] = attrs.field(default=(), converter=as_tuple)
    is_complete: bool
    has_dpus: bool = False

    @property
    def descriptors(self) -> tuple[Vib, ...]:
        """Those of the host itself that are loaded."""
        return tuple(entry.vib for (is_dpu, _), entry in self.entries if entry.vib is not None and not is_dpu)


@final
class HostVibReader:
    """Finds the VIBs of hosts, any number of them, among what is loaded.

    Args:
        catalog: What is loaded; None knows no descriptors and no components.
    """

    def __init__(self, catalog: Catalog | None) -> None:
        self._catalog = catalog
        self._last: tuple[object, HostVibs] | None = None
        self._loaded: dict[tuple[str, str], list[Vib]] = {}
        for vib in () if catalog is None else catalog.vibs:
            self._loaded.setdefault((vib.name, vib.version.text), []).append(vib)

    def vibs_of(self, host: Host) -> HostVibs:
        """Return the VIBs of a host, with their descriptors where they are loaded."""
        if HostPart.VIBS in host.told:
            return self._listed(host)
        if self._catalog is None or HostPart.COMPONENTS not in host.told:
            return HostVibs(is_complete=False)
        brings = (host.components, host.standalone_vibs, HostPart.STANDALONE_VIBS in host.told)
        if self._last is None or self._last[0] != brings:  # hosts of a cluster are mostly alike
            self._last = (brings, _brought(host, self._catalog))
        return self._last[1]

    def _listed(self, host: Host) -> HostVibs:
        entries = {_key(vib): self._present(vib) for vib in host.vibs}
        return HostVibs(
            entries=sorted(entries.items(), key=_by_key), is_complete=True, has_dpus=has_processing_units(host)
        )

    def _present(self, vib: HostVib) -> PresentVib:
        known = self._loaded.get((vib.name, vib.version.text), ())
        return PresentVib(name=vib.name, version=vib.version, vendor=vib.vendor, vib=_of_vendor(known, vib.vendor))


def _by_key(pair: tuple[Key, object]) -> Key:
    return pair[0]


def _key(vib: HostVib) -> Key:
    return bool(vib.platforms) and _HOST not in vib.platforms, vib.name


def _of_vendor(vibs: Iterable[Vib], vendor: str) -> Vib | None:
    listed = tuple(vibs)
    return next((vib for vib in listed if vib.vendor == vendor), next(iter(listed), None))


def _brought(host: Host, catalog: Catalog) -> HostVibs:
    """Return what a host's components bring, as far as they are loaded."""
    found = [component_of(part, catalog) for part in host.components]
    loaded = [component for component in found if component is not None]
    selection = select_vibs(
        [(component, ComponentSource.USER) for component in loaded], [], choose=VibChoice(catalog, ()).choose
    )
    alone = [vib for vib_id in host.standalone_vibs for vib in catalog.vibs_by_id.get(vib_id, ())[:1]]
    is_complete = (
        HostPart.STANDALONE_VIBS in host.told
        and len(loaded) == len(host.components)
        and not selection.missing
        and len(alone) == len(host.standalone_vibs)
    )
    has_dpus = has_processing_units(host)
    brought = [entry.vib for entry in selection.installed if entry.vib.is_for_host or has_dpus]
    entries = {(not vib.is_for_host, vib.name): _present(vib) for vib in (*brought, *alone)}
    return HostVibs(entries=sorted(entries.items(), key=_by_key), is_complete=is_complete, has_dpus=has_dpus)


def _present(vib: Vib) -> PresentVib:
    return PresentVib(name=vib.name, version=vib.version, vendor=vib.vendor, vib=vib)


def component_of(part: HostComponent, catalog: Catalog) -> Component | None:
    """Return the loaded component that a host has; of equal versions the one that is spelled alike."""
    named = catalog.components_by_name.get(part.name, ())
    equal = [component for component in named if component.version == part.version]
    return next((entry for entry in equal if entry.version.text == part.version.text), next(iter(equal), None))


@final
class WantedVibs:
    """The VIBs that hosts shall have, by key.

    Args:
        image: What they shall have.
    """

    def __init__(self, image: Image) -> None:
        self._for_host = dict(_wanted(image, has_dpus=False))
        self._for_both = dict(_wanted(image, has_dpus=True))

    def of(self, vibs: HostVibs) -> Mapping[Key, InstalledVib]:
        """Return those of a host that has these now."""
        return self._for_both if vibs.has_dpus else self._for_host


def _wanted(image: Image, *, has_dpus: bool) -> Iterator[tuple[Key, InstalledVib]]:
    for entry in image.vibs:
        if entry.vib.is_for_host or has_dpus:
            yield (not entry.vib.is_for_host, entry.vib.name), entry
