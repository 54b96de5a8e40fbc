"""What is to say of the spec that an image was composed from.

Rules (docs/findings.md):

* A key that no release of vLCM is known to have is kept and told of.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from esximage_builder.codes import make_finding
from esximage_builder.models.spec_keys import known_keys, nearest_key, pointer_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from esximage_builder.findings import Finding
    from esximage_builder.models.image import Image

__all__ = ["check_spec"]


def check_spec(image: Image) -> Iterator[Finding]:
    """Yield what there is to say of the image's spec; nothing for an image without one."""
    yield from _check_keys(image)


def _check_keys(image: Image) -> Iterator[Finding]:
    for path in () if image.spec is None else image.spec.unknown_keys:
        place, near = pointer_of(path), nearest_key(path[-1], known_keys(path[:-1]) or ())
        yield make_finding(
            "spec-key-unknown",
            f"vLCM knows no key {path[-1]} at this place of a spec: {place}",
            items=(place,),
            facts={"key": path[-1], "place": place, "near": near},
            cause="it is none of the keys of vLCM's releases to 9.x; it is kept, and nothing follows from it",
            remedy=f"did you mean {near}?" if near else "take it out, unless another program needs it",
        )
