"""A bundle that was put together, with or without an add-on: in words and as JSON has it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from esximage_builder.views.blocks import Facts, Section, Table
from esximage_builder.views.image import bytes_text
from esximage_builder.views.text import render_text

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from esximage_builder.models.add_on import AddOn
    from esximage_builder.models.component import Component

__all__ = ["made_bundle_as_dict", "render_made_bundle"]


def made_bundle_as_dict(components: Sequence[Component], path: Path, add_on: AddOn | None = None) -> dict[str, object]:
    """Return it as JSON has it.

    Args:
        components: What it holds.
        path: The file that was written.
        add_on: What was made over them, if anything.
    """
    made: dict[str, object] = {} if add_on is None else {"add_on": _add_on_as_dict(add_on)}
    return made | {
        "components": [
            {"name": item.name, "version": item.version.text, "vendor": item.vendor, "vibs": list(item.vib_ids)}
            for item in components
        ],
        "path": str(path),
        "size_bytes": path.stat().st_size,
    }


def _add_on_as_dict(add_on: AddOn) -> dict[str, object]:
    return {
        "name": add_on.name,
        "version": add_on.version.text,
        "vendor": add_on.vendor,
        "acceptance_level": None if add_on.acceptance_level is None else add_on.acceptance_level.value,
        "supported_base_images": list(add_on.supported_base_images),
        "removed_components": list(add_on.removed_components),
    }


def render_made_bundle(components: Sequence[Component], path: Path, add_on: AddOn | None = None) -> str:
    """Return it as text; arguments as for ``made_bundle_as_dict``."""
    rows = [(item.name, item.version.text, item.vendor, str(len(item.vib_ids))) for item in components]
    facts = [("File", str(path)), ("Size", bytes_text(path.stat().st_size))]
    if add_on is not None:
        facts = [
            ("Vendor", add_on.vendor),
            ("For", ", ".join(add_on.supported_base_images)),
            *([("Takes off", ", ".join(add_on.removed_components))] if add_on.removed_components else []),
            *facts,
        ]
    return render_text(
        (
            Section(path.name if add_on is None else add_on.id, [Facts(facts)]),
            Section(f"Components ({len(rows)})", [Table(columns=("Name", "Version", "Vendor", "VIBs"), rows=rows)]),
        )
    )
