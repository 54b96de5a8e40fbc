"""What opened depots hold: as JSON has it, as sections, as text."""

from __future__ import annotations

import collections
from typing import TYPE_CHECKING, Any

from esximage_builder.documents.signatures import head_facts
from esximage_builder.rules.vib_facts import check_signed
from esximage_builder.views.blocks import Cause, Paragraph, Section, Table, filled_sections
from esximage_builder.views.findings import finding_as_dict
from esximage_builder.views.signatures import signatures_as_list, worth_words
from esximage_builder.views.text import render_text
from esximage_builder.vocabulary import AcceptanceLevel

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from esximage_builder.depot.opening import Depot
    from esximage_builder.models.component import Bulletin
    from esximage_builder.models.vib import Vib
    from esximage_builder.models.vib_facts import VibFacts

__all__ = ["catalog_as_dict", "render_text_listing", "sections_of_listing"]

_FEW = 12
"""As many are listed where others are counted."""

# Headline, key of the listing, and the columns with the key of each.
_TABLES = (
    ("Base images", "base_images", {"Version": "version", "Shown as": "display_version"}),
    ("Add-ons", "add_ons", {"Name": "name", "Version": "version", "Vendor": "vendor"}),
    ("Image profiles", "profiles", {"Name": "name", "Vendor": "vendor", "Acceptance level": "acceptance_level"}),
    ("Components", "components", {"Name": "name", "Version": "version", "Vendor": "vendor"}),
    ("Bulletins", "bulletins", {"Id": "id", "Vendor": "vendor"}),
    ("Solutions", "solutions", {"Name": "name", "Version": "version"}),
    ("Hardware support packages", "hardware_support", {"Name": "name", "Version": "version", "Vendor": "vendor"}),
    ("VIBs", "vibs", {"VIB": "id", "Acceptance level": "acceptance_level", "Signature": "signatures"}),
    ("Signers", "signers", {"Signer": "signer", "Issuer": "issuer", "Valid until": "valid_until", "VIBs": "vibs"}),
)


def catalog_as_dict(depot: Depot, *, anchors: bytes | None = None) -> dict[str, Any]:
    """Return everything in the depots as JSON has it; looks into each ``.vib`` for its signature.

    Args:
        depot: The opened depots.
        anchors: Certificates to trust, in PEM; None asks of signatures only what they cover.

    Raises:
        DepotError: A VIB cannot be read.
        ModelError: ``anchors`` are no certificates.
        MissingExtraError: ``anchors`` need the extra ``signatures``, which is not installed.
    """
    catalog = depot.catalog
    heads = {vib: depot.read_vib_head(vib) for vib in catalog.vibs}
    facts = {vib: head_facts(vib.id, head, anchors=anchors) for vib, head in heads.items()}
    worth = dict.fromkeys(finding for vib in facts for finding in check_signed(vib, facts[vib], where=vib.id))
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
        "vibs": [_vib(vib, depot, facts[vib]) for vib in catalog.vibs],
        "findings": [finding_as_dict(finding) for finding in (*catalog.findings, *worth)],
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


def _vib(vib: Vib, depot: Depot, facts: VibFacts) -> dict[str, Any]:
    return {
        "id": vib.id,
        "name": vib.name,
        "version": vib.version.text,
        "vendor": vib.vendor,
        "type": vib.type,
        "acceptance_level": vib.acceptance_level.value,
        "signed": facts.is_signed,
        "signatures": signatures_as_list(facts),
        "payloads": [
            {"name": payload.name, "type": payload.type, "size": payload.size_bytes} for payload in vib.payloads
        ],
        "sources": list(depot.catalog.sources_of(vib)),
    }


def render_text_listing(listing: dict[str, Any], *, counted: Mapping[str, str] | None = None) -> str:
    """Return what ``catalog_as_dict`` gave as text, the empty sections left out; see ``sections_of_listing``."""
    return render_text(sections_of_listing(listing, counted=counted))


def sections_of_listing(listing: dict[str, Any], *, counted: Mapping[str, str] | None = None) -> tuple[Section, ...]:
    """Return what ``catalog_as_dict`` gave, a section each kind, the empty ones left out.

    Args:
        listing: All of it, or as much as shall be shown.
        counted: Kinds of which more than a screen holds are counted, with what is said in place of the list.
    """
    shown = listing | {"signers": _signers(listing["vibs"])}
    instead = {key: text for key, text in (counted or {}).items() if len(shown[key]) > _FEW}
    return filled_sections(
        (
            Section("Sources", map(Paragraph, listing["sources"])),
            *(_section(title, shown[key], columns, instead.get(key, "")) for title, key, columns in _TABLES),
            Section("Findings", map(_cause, listing["findings"])),
        )
    )


def _section(title: str, items: list[dict[str, Any]], columns: dict[str, str], instead: str) -> Section:
    if not items:
        return Section(title, ())
    if instead:
        return Section(f"{title} ({len(items)})", [Paragraph(instead)])
    rows = [[_cell(key, item[key]) for key in columns.values()] for item in items]
    return Section(f"{title} ({len(items)})", [Table(columns=columns, rows=map(tuple, rows))])


def _signers(vibs: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return each certificate that signed, with how many VIBs it signed."""
    found: collections.Counter[tuple[str, str, str]] = collections.Counter()
    for vib in vibs:
        for signature in vib["signatures"] or ():
            if signature["signer"]:
                until = (signature["valid_until"] or "")[: len("2024-12-31")]
                found[signature["signer"], signature["issuer"], until] += 1
    return [
        {"signer": signer, "issuer": issuer, "valid_until": until, "vibs": count}
        for (signer, issuer, until), count in sorted(found.items())
    ]


def _cell(key: str, value: Any) -> str:  # noqa: ANN401 - whatever the listing has
    if key == "acceptance_level":
        return "" if value is None else AcceptanceLevel(value).display
    if key == "signatures":
        return worth_words(value)
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
