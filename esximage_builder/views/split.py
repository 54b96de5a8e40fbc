"""A custom image that was split and written: in words and as JSON has it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from esximage_builder.views.blocks import Facts, Section
from esximage_builder.views.image import bytes_text
from esximage_builder.views.text import render_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from esximage_builder.export.result import ExportResult
    from esximage_builder.models.image import Image
    from esximage_builder.rules.split import ImageSplit

__all__ = ["render_split", "split_as_dict"]


def split_as_dict(custom: Image, split: ImageSplit, results: Sequence[ExportResult]) -> dict[str, object]:
    """Return it as JSON has it.

    Args:
        custom: The image that was split.
        split: Its parts.
        results: What was written, the base image's depot first.
    """
    base, add_on = results
    return {
        "image": {"name": custom.name, "digest": custom.digest},
        "base_image": {
            "version": split.base.base_image.version.text if split.base.base_image else "",
            "image_digest": base.image_digest,
            "path": str(base.path),
            "size_bytes": base.size_bytes,
        },
        "add_on": {
            "name": split.add_on.name,
            "version": split.add_on.version.text,
            "vendor": split.add_on.vendor,
            "is_made": split.is_made,
            "components": [str(reference) for reference in split.add_on.components],
            "removed_components": list(split.add_on.removed_components),
            "supported_base_images": list(split.add_on.supported_base_images),
            "path": str(add_on.path),
            "size_bytes": add_on.size_bytes,
        },
        "digest": split.image.digest,
        "waived": sorted({finding.code for finding in add_on.waived}),
    }


def render_split(custom: Image, split: ImageSplit, results: Sequence[ExportResult]) -> str:
    """Return it as text.

    Args:
        custom: The image that was split.
        split: Its parts.
        results: What was written, the base image's depot first.
    """
    base, add_on = results
    unit = split.base.base_image
    return render_text(
        (
            Section(custom.name, [Facts([("Digest", custom.digest)])]),
            Section("Base image", [Facts([("Version", unit.version.text if unit else ""), *_file(base)])]),
            Section("Add-on", [Facts([*_add_on_facts(split), *_file(add_on)])]),
            Section("Together", [Facts([("Digest", split.image.digest), ("Which is", _sameness(custom, split))])]),
        )
    )


def _add_on_facts(split: ImageSplit) -> list[tuple[str, str]]:
    add_on = split.add_on
    return [
        ("Name", add_on.name),
        ("Version", add_on.version.text),
        ("Vendor", add_on.vendor),
        ("Made of", "all that the image has beside its base image" if split.is_made else "the image's own add-on"),
        ("For", ", ".join(add_on.supported_base_images) or "what its version says, since it declares nothing"),
        *(("Component", str(reference)) for reference in add_on.components),
        *(("Takes off", name) for name in add_on.removed_components),
    ]


def _file(result: ExportResult) -> list[tuple[str, str]]:
    return [("File", str(result.path)), ("Size", bytes_text(result.size_bytes))]


def _sameness(custom: Image, split: ImageSplit) -> str:
    if split.image.digest == custom.digest:
        return "the digest of the image itself"
    return "the same components and VIBs; the digest counts the add-on too"
