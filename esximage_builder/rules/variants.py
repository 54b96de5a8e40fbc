"""Variants of an image that public releases know: without VMware Tools."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from esximage_builder.vocabulary import VibType

if TYPE_CHECKING:
    from esximage_builder.models.image import Image

__all__ = ["without_tools"]


def without_tools(image: Image) -> Image:
    """Return the image without its locker VIBs and the components that bring nothing else.

    That is what the ``-no-tools`` profile of a release is to its ``-standard`` one. The name
    stays, since names of images are the user's.
    """
    left_out = {entry.vib.id for entry in image.vibs if entry.vib.type == VibType.LOCKER}
    return attrs.evolve(
        image,
        vibs=[entry for entry in image.vibs if entry.vib.id not in left_out],
        components=[
            entry
            for entry in image.components
            if not entry.component.vib_ids or not left_out.issuperset(entry.component.vib_ids)
        ],
    )
