"""What opened depots hold: as JSON has it, as sections, as text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from esximage_builder.documents.signatures import head_facts
from esximage_builder.views.blocks import Cause, Paragraph, Section, Table, filled_sections
from esximage_builder.views.findings import finding_as_dict
from esximage_builder.views.signatures import signatures_as_list
from esximage_builder.views.text import render_text
from esximage_builder.vocabulary import AcceptanceLevel

if TYPE_CHECKING:
    from datetime import datetime

    from esximage_builder.depot.opening import Depot
    from esximage_builder.models.component import Bulletin
    from esximage_builder.models.vib import Vib

__all__ = ["catalog_as_dict", "render_text_listing", "sections_of_listing"]

# Headline, key of the listing, and the columns with the key of each.
_TABLES = (
    ("Base images", "base_images", {"Version": "version", "Shown as": "display_version"}),
    ("Add-ons", "add_ons", {"Name": "name", "Version": "version", "Vendor": "vendor"}),
    ("Image profiles", "profiles", {"Name": "name", "Vendor": "vendor", "Acceptance level": "acceptance_level"}),
    ("Components", "components", {"Name": "name", "Version": "version", "Vendor": "vendor"}),
    ("Bulletins", "bulletins", {"Id": "id", "Vendor": "vendor"}),
    ("Solutions", "solutions", {"Name": "name", "Version": "version"}),
    ("Hardware support packages", "hardware_support", {"Name": "name", "Version": "version", "Vendor": "vendor"}),
    ("VIBs", "vibs", {"VIB": "id", "Acceptance level": "acceptance_level", "Signature": "signed"}),
)


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
                **_advice(component.bulletin),
            }
            for component in catalog.components
        ],
        "bulletins": [
            {"id": bulletin.id, "vendor": bulletin.vendor, "vibs": list(bulletin.vib_ids), **_advice(bulletin)}
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
        "findings": [finding_as_dict(finding) for finding in catalog.findings],
    }


def _advice(bulletin: Bulletin) -> dict[str, Any]:
    return {
        "category": bulletin.category,
        "severity": bulletin.severity,
        "urgency": bulletin.urgency,
        "kb_urls": list(bulletin.kb_urls),
    }


def _time(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()


def _vib(vib: Vib, depot: Depot) -> dict[str, Any]:
    head = depot.read_vib_head(vib)
    return {
        "id": vib.id,
        "name": vib.name,
        "version": vib.version.text,
        "vendor": vib.vendor,
        "type": vib.type,
        "acceptance_level": vib.acceptance_level.value,
        "signed": head.is_signed,
        "signatures": signatures_as_list(head_facts(vib.id, head)),
        "payloads": [
            {"name": payload.name, "type": payload.type, "size": payload.size_bytes} for payload in vib.payloads
        ],
        "sources": list(depot.catalog.sources_of(vib)),
    }


def render_text_listing(listing: dict[str, Any]) -> str:
    """Return what ``catalog_as_dict`` gave as text, the empty sections left out."""
    return render_text(sections_of_listing(listing))


def sections_of_listing(listing: dict[str, Any]) -> tuple[Section, ...]:
    """Return what ``catalog_as_dict`` gave, a section each kind, the empty ones left out."""
    return filled_sections(
        (
            Section("Sources", map(Paragraph, listing["sources"])),
            *(_section(title, listing[key], columns) for title, key, columns in _TABLES),
            Section("Findings", map(_cause, listing["findings"])),
        )
    )


def _section(title: str, items: list[dict[str, Any]], columns: dict[str, str]) -> Section:
    if not items:
        return Section(title, ())
    rows = [[_cell(key, item[key]) for key in columns.values()] for item in items]
    return Section(f"{title} ({len(items)})", [Table(columns=columns, rows=map(tuple, rows))])


def _cell(key: str, value: object) -> str:
    if key == "acceptance_level":
        return "" if value is None else AcceptanceLevel(value).display
    if key == "signed":
        return "signed" if value else "unsigned"
    return str(value)


def _cause(finding: dict[str, Any]) -> Cause:
    return Cause(
        label=finding["severity"],
        code=finding["code"],
        headline=finding["message"],
        where=finding["where"],
        why=finding["cause"],
        remedies=(finding["remedy"],) if finding["remedy"] else (),
    )
