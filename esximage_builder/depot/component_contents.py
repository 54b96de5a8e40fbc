"""What a depot of components holds: their VIBs, an index entry for each product, and one date.

The bundles of components alone stand on it, and those that authoring writes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from esximage_builder.depot.depot_zip import DepotContents
from esximage_builder.depot.store import with_file_facts
from esximage_builder.depot.vendor_code import vendor_code_of
from esximage_builder.documents.depot_index import MetadataEntry
from esximage_builder.errors import ModelError
from esximage_builder.models.vib import SoftwarePlatform
from esximage_builder.source_date import latest_timestamp

if TYPE_CHECKING:
    from collections.abc import Sequence

    from esximage_builder.depot.store import MeasuredVibStore
    from esximage_builder.models.add_on import AddOn
    from esximage_builder.models.component import Component
    from esximage_builder.models.hardware_support import HardwareSupport
    from esximage_builder.models.vib import Vib

__all__ = ["component_contents"]

_ANY_RELEASE = "*"


def component_contents(
    components: Sequence[Component],
    vibs: Sequence[Vib],
    store: MeasuredVibStore,
    *,
    vendor: str,
    vendor_code: str = "",
    units: Sequence[AddOn | HardwareSupport] = (),
) -> DepotContents:
    """Return what a depot of these components holds.

    Args:
        components: At least one.
        vibs: Where to find their VIBs; others are left out.
        store: Measures them.
        vendor: For the index.
        vendor_code: Three letters or digits; empty takes the vendor's first ones.
        units: Release units over these components.

    Raises:
        ModelError: A VIB is not among ``vibs``, or there with two contents; a wrong vendor code.
        DepotError: A VIB cannot be measured.
    """
    moments = [*(item.bulletin.released_at for item in components), *(unit.released_at for unit in units)]
    return DepotContents(
        vendor_name=vendor or "Unknown",
        vendor_code=vendor_code or vendor_code_of(vendor or "Unknown"),
        products=_products(components),
        vibs=[with_file_facts(vib, store) for vib in _members(components, vibs)],
        bulletins=components,
        units=units,
        timestamp=latest_timestamp(moments),
    )


def _members(components: Sequence[Component], vibs: Sequence[Vib]) -> list[Vib]:
    return [
        _member(vib_id, [vib for vib in vibs if vib.id == vib_id])
        for vib_id in sorted({vib_id for component in components for vib_id in component.vib_ids})
    ]


def _member(vib_id: str, found: Sequence[Vib]) -> Vib:
    if len({vib.fingerprint for vib in found}) != 1:
        raise ModelError(
            "a component's VIB is not there just once",
            where=vib_id,
            found=f"{len(found)} VIBs of this id",
            expected="one",
            hint="pass the one that is meant" if found else "open the depot that holds it",
        )
    return found[0]


def _products(components: Sequence[Component]) -> list[MetadataEntry]:
    """Return an index entry for each platform; a component that names none goes with every release."""
    stated = {
        platform
        for component in components
        for platform in component.bulletin.platforms or (SoftwarePlatform(version=_ANY_RELEASE),)
    }
    pairs = sorted({(platform.product_line, platform.version or _ANY_RELEASE) for platform in stated})
    return [MetadataEntry(product_id=line, version=version) for line, version in pairs]
