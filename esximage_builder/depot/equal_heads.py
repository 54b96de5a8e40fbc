"""Telling VIBs that are one from VIBs that only have one id: by the exact bytes of descriptor and signature.

The archive around both is no content: tools of different times spell its headers differently, and
so does a VIB that was put together again from a disc. Payloads are covered by the checksums in the
descriptor; where one has none, equal heads say nothing about it, and the VIBs stay apart. So do two that
their depots describe differently: which description is right is not to be guessed.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from esximage_builder.documents.vib_archive import read_vib_head
from esximage_builder.errors import EsxImageError
from esximage_builder.streams.blocks import counted_stream

if TYPE_CHECKING:
    from collections.abc import Sequence

    from esximage_builder.depot.source import VibLocation
    from esximage_builder.documents.vib_archive import VibHead
    from esximage_builder.limits import ReadBudget, ReadLimits
    from esximage_builder.models.vib import Vib

    Held = tuple[Vib, list[VibLocation], set[str]]

__all__ = ["one_of_equal_heads"]


def one_of_equal_heads(held: Sequence[Held], limits: ReadLimits, budget: ReadBudget | None = None) -> list[Held]:
    """Return one of those whose descriptor and signature are equal byte for byte, and all others.

    The bytes of the one come from its own first place; the sources of all are its sources.

    Args:
        held: VIBs of one id that look different, in an order that no source order changes.
        limits: Upper bounds for heads.
        budget: Charged with what is read; once it is spent, VIBs stay apart.
    """
    groups: dict[object, Held] = {}
    alike = Counter(vib for vib, _, _ in held)
    for position, (vib, places, names) in enumerate(held):
        head = _covered_head(places, limits, budget) if alike[vib] > 1 else None
        first = groups.setdefault((vib, head) if head is not None else position, (vib, places, set()))
        first[2].update(names)
    return list(groups.values())


def _covered_head(places: Sequence[VibLocation], limits: ReadLimits, budget: ReadBudget | None) -> VibHead | None:
    """Return the head of a VIB, or None if it cannot be read or leaves a payload without checksum."""
    place = next((place for place in places if place.tree.holds_bytes), places[0])
    try:
        with place.tree.open(place.path) as source:
            counted = counted_stream(source, budget, where=place.where)
            head = read_vib_head(counted, where=place.where, limits=limits)
        inside = head.parse(where=place.where, limits=limits)
    except (EsxImageError, OSError):
        return None
    return head if all(payload.checksums for payload in inside.payloads) else None
