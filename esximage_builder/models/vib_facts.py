"""What the bytes of a VIB say, as a value: rules see no bytes, and judge by this."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, final, runtime_checkable

import attrs

if TYPE_CHECKING:
    from collections.abc import Iterable

    from esximage_builder.models.vib import Vib

__all__ = ["KnowsVibFacts", "VibFacts"]


@final
@attrs.frozen(kw_only=True)
class VibFacts:
    """What was found in one VIB of an image.

    Attributes:
        vib_id: Id by which the image has it.
        descriptor: What the VIB says of itself; None if that could not be read.
        is_signed: Whether a signature is there; whether it is right is another question.
        problem: Why it could not be read; empty if it could.
        where: How to name the file in findings.
    """

    vib_id: str
    descriptor: Vib | None = None
    is_signed: bool = False
    problem: str = ""
    where: str = ""


@runtime_checkable
class KnowsVibFacts(Protocol):
    """What can tell the facts about VIBs, as an opened depot can."""

    def facts_of(self, vibs: Iterable[Vib]) -> tuple[VibFacts, ...]:
        """Return the facts about those VIBs that it holds."""
        ...
