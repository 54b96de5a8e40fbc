"""Whether base image and add-on of an image are a pair that the vendor published.

A vendor tests its add-on with one base image. Which one is told by the build in the add-on's version
or name, to the digit: builds are never matched by nearness. An add-on may also declare one whole
version. What neither tells is not known, and said.

Source: docs/formats.md#versions.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from esximage_builder.codes import make_finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from esximage_builder.findings import Finding
    from esximage_builder.models.add_on import AddOn
    from esximage_builder.models.base_image import BaseImage
    from esximage_builder.models.image import Image

__all__ = ["check_pair"]

_BUILD = re.compile(r"(?<![0-9])[0-9]{7,9}(?![0-9])")


def check_pair(image: Image) -> Iterator[Finding]:
    """Yield a note if an image has no vendor add-on, or one that was not published with its base image."""
    if image.base_image is None:
        return
    if image.add_on is None:
        yield make_finding(
            "image-base-only",
            f"{image.name} has no vendor add-on",
            items=(image.base_image.id,),
            facts={"base_image": image.base_image.id},
            cause="drivers and agents of the server's vendor are then not in it, unless components bring them",
            remedy="add the add-on of the vendor for this release, if the hosts are of one that has one",
        )
        return
    why = _why_not(image.add_on, image.base_image)
    if why:
        yield make_finding(
            "pair-not-published",
            f"{image.add_on.id} is not known to be published with {image.base_image.id}",
            items=(image.add_on.id, image.base_image.id),
            facts={"add_on": image.add_on.id, "base_image": image.base_image.id},
            cause=why,
            remedy="see the add-on's release notes for the base image that its vendor tested",
        )


def _why_not(add_on: AddOn, base_image: BaseImage) -> str:
    """Return why the two are no published pair; empty if they are one."""
    build = str(base_image.version.build)
    named = _BUILD.findall(add_on.version.text) or _BUILD.findall(add_on.name)
    if base_image.version.text in add_on.supported_base_images or build in named:
        return ""
    if named:
        return f"the add-on names build {named[0]}, the base image is build {build}; builds that are near do not count"
    exact = [text for text in add_on.supported_base_images if _BUILD.search(text)]
    if exact:
        return f"the add-on declares {', '.join(exact)}, the base image is {base_image.version}"
    return "neither its version nor what it declares names one base image"
