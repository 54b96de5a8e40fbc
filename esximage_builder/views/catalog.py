"""What opened depots hold, as data for tools and as text for people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from esximage_builder.depot.opening import Depot
    from esximage_builder.models.vib import Vib

__all__ = ["catalog_as_dict", "render_text_listing"]


def catalog_as_dict(depot: Depot) -> dict[str, Any]:
    """Return everything in the depots as JSON has it; looks into each ``.vib`` for its signature.

    Raises:
        DepotError: A VIB cannot be read.
    """
    catalog = depot.catalog
    return {
        "sources": list(catalog.sources),
        "base_images": [
            {
                "version": unit.version.text,
                "display_version": unit.display_version,
                "released_at": _time(unit.released_at),
                "components": [str(reference) for reference in unit.components],
            }
            for unit in catalog.base_images
        ],
        "add_ons": [
            {
                "name": unit.name,
                "version": unit.version.text,
                "vendor": unit.vendor,
                "released_at": _time(unit.released_at),
                "supported_base_images": list(unit.supported_base_images),
                "components": [str(reference) for reference in unit.components],
                "removed_components": list(unit.removed_components),
            }
            for unit in catalog.add_ons
        ],
        "components": [
            {
                "name": component.name,
                "version": component.version.text,
                "display_name": component.display_name,
                "display_version": component.display_version,
                "vendor": component.vendor,
                "vibs": list(component.vib_ids),
            }
            for component in catalog.components
        ],
        "bulletins": [
            {"id": bulletin.id, "vendor": bulletin.vendor, "vibs": list(bulletin.vib_ids)}
            for bulletin in catalog.bulletins
        ],
        "profiles": [
            {
                "name": profile.name,
                "vendor": profile.creator,
                "acceptance_level": None if profile.acceptance_level is None else profile.acceptance_level.value,
                "vibs": sorted(profile.vib_ids),
            }
            for profile in catalog.profiles
        ],
        "solutions": [{"name": unit.name, "version": unit.version.text} for unit in catalog.solutions],
        "hardware_support": [
            {"name": unit.name, "version": unit.version.text, "vendor": unit.vendor}
            for unit in catalog.hardware_support
        ],
        "vibs": [_vib(vib, depot) for vib in catalog.vibs],
        "findings": [finding.as_dict() for finding in catalog.findings],
    }


def _time(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()


def _vib(vib: Vib, depot: Depot) -> dict[str, Any]:
    return {
        "id": vib.id,
        "name": vib.name,
        "version": vib.version.text,
        "vendor": vib.vendor,
        "type": vib.type,
        "acceptance_level": vib.acceptance_level.value,
        "signed": depot.read_vib_head(vib).is_signed,
        "payloads": [
            {"name": payload.name, "type": payload.type, "size": payload.size_bytes} for payload in vib.payloads
        ],
        "sources": list(depot.catalog.sources_of(vib)),
    }


def render_text_listing(listing: dict[str, Any]) -> str:
    """Return what ``catalog_as_dict`` gave as text, the empty sections left out."""
    return "\n".join(_lines(listing)) + "\n"


def _lines(listing: dict[str, Any]) -> Iterator[str]:
    yield "sources"
    yield from (f"  {source}" for source in listing["sources"])
    for title, key, line in (
        ("base images", "base_images", "{version}  {display_version}"),
        ("add-ons", "add_ons", "{name} {version}  {vendor}"),
        ("image profiles", "profiles", "{name}"),
        ("components", "components", "{name} {version}  {vendor}"),
        ("bulletins", "bulletins", "{id}"),
        ("solutions", "solutions", "{name} {version}"),
        ("hardware support packages", "hardware_support", "{name} {version}"),
    ):
        if listing[key]:
            yield f"{title} ({len(listing[key])})"
            yield from (f"  {line.format_map(item)}".rstrip() for item in listing[key])
    if listing["vibs"]:
        yield f"VIBs ({len(listing['vibs'])})"
        for vib in listing["vibs"]:
            yield f"  {vib['id']}  {vib['acceptance_level']}, {'signed' if vib['signed'] else 'unsigned'}"
    for finding in listing["findings"]:
        yield f"[{finding['severity']}] {finding['code']}: {finding['message']}"
