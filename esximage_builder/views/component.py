"""A component that was made and written: in words and as JSON has it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from esximage_builder.views.blocks import Facts, Section
from esximage_builder.views.image import bytes_text
from esximage_builder.views.text import render_text

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from esximage_builder.models.component import Component
    from esximage_builder.models.vib import Vib

__all__ = ["made_component_as_dict", "render_made_component"]


def made_component_as_dict(component: Component, vibs: Sequence[Vib], path: Path) -> dict[str, object]:
    """Return it as JSON has it.

    Args:
        component: What was made.
        vibs: Its VIBs, at least one.
        path: The file that was written.
    """
    return {
        "component": {
            "name": component.name,
            "version": component.version.text,
            "vendor": component.vendor,
            "platforms": [
                {"product_line": platform.product_line, "version": platform.version}
                for platform in component.bulletin.platforms
            ],
            "vibs": list(component.vib_ids),
        },
        "acceptance_level": min(vib.acceptance_level for vib in vibs).value,
        "path": str(path),
        "size_bytes": path.stat().st_size,
    }


def render_made_component(component: Component, vibs: Sequence[Vib], path: Path) -> str:
    """Return it as text.

    Args:
        component: What was made.
        vibs: Its VIBs, at least one.
        path: The file that was written.
    """
    platforms = ", ".join(f"{item.product_line} {item.version}".strip() for item in component.bulletin.platforms)
    facts = [
        ("Vendor", component.vendor),
        ("For", platforms or "every release, since it names none"),
        ("Acceptance level", min(vib.acceptance_level for vib in vibs).display),
        *(("VIB", vib_id) for vib_id in component.vib_ids),
        ("File", str(path)),
        ("Size", bytes_text(path.stat().st_size)),
    ]
    return render_text((Section(component.id, [Facts(facts)]),))
