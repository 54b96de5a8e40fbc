"""Security bulletins: as tables, and as JSON has them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from esximage_builder.views.blocks import Paragraph, Table

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from esximage_builder.rules.security import SecurityBulletin, SecurityChange, SecurityStanding
    from esximage_builder.views.blocks import Block

__all__ = ["blocks_of_security_change", "blocks_of_standing", "security_change_as_dict", "standing_as_dict"]


def security_change_as_dict(change: SecurityChange) -> dict[str, object]:
    """Return what a change of images means for security as JSON has it."""
    return {"brought": _as_dicts(change.brought), "lost": _as_dicts(change.lost)}


def standing_as_dict(standing: SecurityStanding) -> dict[str, object]:
    """Return how an image stands as JSON has it."""
    return {"has": _as_dicts(standing.has), "lacks": _as_dicts(standing.lacks)}


def _as_dicts(bulletins: Iterable[SecurityBulletin]) -> list[dict[str, object]]:
    return [
        {
            "id": bulletin.id,
            "component": bulletin.component or None,
            "version": bulletin.version,
            "category": bulletin.category,
            "severity": bulletin.severity,
            "urgency": bulletin.urgency,
            "summary": bulletin.summary,
            "kb_urls": list(bulletin.kb_urls),
        }
        for bulletin in bulletins
    ]


def blocks_of_security_change(change: SecurityChange) -> Iterator[Block]:
    """Yield what the newer image brings and what it loses; nothing where neither is."""
    yield from _listed("The image after brings these security bulletins, which the one before lacks:", change.brought)
    yield from _listed("The image after lacks these security bulletins, which the one before has:", change.lost)


def blocks_of_standing(standing: SecurityStanding) -> Iterator[Block]:
    """Yield which security bulletins an image has and lacks; nothing where neither is."""
    yield from _listed("The image has these security bulletins:", standing.has)
    yield from _listed("Loaded for this release, and not in the image:", standing.lacks)


def _listed(said: str, bulletins: Iterable[SecurityBulletin]) -> Iterator[Block]:
    rows = [
        (one.component or "(none)", one.version, one.id, one.severity, one.urgency, " ".join(one.kb_urls))
        for one in bulletins
    ]
    if rows:
        yield Paragraph(said)
        yield Table(columns=("Component", "Version", "Bulletin", "Severity", "Urgency", "Read on"), rows=rows)
