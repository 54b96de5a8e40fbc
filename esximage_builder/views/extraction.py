"""The image that a host has: as sections, as text, as JSON has it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from esximage_builder.documents.software_spec import render_software_spec
from esximage_builder.views.blocks import Facts, Paragraph, Section, Table, filled_sections
from esximage_builder.views.text import render_text

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from esximage_builder.hosts.extract import HostImage
    from esximage_builder.rules.decompose import Decomposition
    from esximage_builder.views.blocks import Block

__all__ = ["extraction_as_dict", "render_extraction", "sections_of_extraction"]


def extraction_as_dict(found: HostImage, *, written: Path | None = None) -> dict[str, object]:
    """Return an extraction as JSON has it.

    Args:
        found: The answer.
        written: Where its spec was written; None if it was not.
    """
    return {
        "host": found.host,
        "image": None if found.image is None else found.image.name,
        "digest": None if found.image is None else found.image.digest,
        "spec": None if found.spec is None else json.loads(render_software_spec(found.spec)),
        "units": None if found.decomposition is None else [list(row) for row in _units(found.decomposition)],
        "missing": list(found.missing),
        "untold": [part.value for part in found.untold],
        "left_out": list(found.left_out),
        "differing": list(found.differing),
        "reasons": list(found.reasons),
        "path": None if written is None else str(written),
    }


def render_extraction(found: HostImage, *, written: Path | None = None) -> str:
    """Return an extraction for people; arguments as for ``extraction_as_dict``."""
    return render_text(sections_of_extraction(found, written=written))


def sections_of_extraction(found: HostImage, *, written: Path | None = None) -> tuple[Section, ...]:
    """Return the image and what it is made of, or why there is none; then what it lacks of the host."""
    return filled_sections(
        (
            Section(f"Image of {found.host}", _summary(found, written)),
            Section("Made of", _parts(found.decomposition)),
            Section("Not in the image", map(Paragraph, found.left_out)),
            Section("Other VIBs than on the host", map(Paragraph, found.differing)),
        )
    )


def _summary(found: HostImage, written: Path | None) -> Iterator[Block]:
    if found.image is None:
        yield Paragraph("It cannot be made:")
        yield from (Paragraph(f"- {reason}") for reason in found.why_not)
        return
    facts = [("Name", found.image.name), ("Digest", found.image.digest)]
    yield Facts([*facts, *([("Spec", str(written))] if written is not None else [])])
    if found.spec is None:
        yield Paragraph("The host is older than 7.0: the image lists VIBs, and no spec composes it.")


def _parts(parts: Decomposition | None) -> Iterator[Block]:
    if parts is None:
        return
    rows = list(_units(parts))
    if rows:
        yield Table(columns=("What", "Name", "Version"), rows=rows)
    if parts.tied:
        names = ", ".join(unit.id for unit in parts.tied)
        yield Paragraph(f"Of these, one explains as much as the other, and none was taken: {names}")


def _units(parts: Decomposition) -> Iterator[tuple[str, str, str]]:
    if parts.base_image is not None:
        yield ("base image", "ESXi", parts.base_image.version.text)
    if parts.base_profile is not None:
        yield ("image profile", parts.base_profile.name, "")
    if parts.add_on is not None:
        yield ("add-on", parts.add_on.name, parts.add_on.version.text)
    yield from (("hardware support package", unit.name, unit.version.text) for unit in parts.hardware_support)
    yield from (("solution", unit.name, unit.version.text) for unit in parts.solutions)
    yield from (("component", part.name, part.version.text) for part in parts.components)
    yield from (("removed component", name, "") for name in parts.removed_components)
    yield from (("VIB", vib_id, "") for vib_id in parts.unassigned_vibs)
