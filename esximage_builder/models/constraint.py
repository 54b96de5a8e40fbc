"""What a VIB asks of others, and what it offers."""

from __future__ import annotations

from typing import final

import attrs

from esximage_builder.errors import ModelError
from esximage_builder.shown import Shown
from esximage_builder.versions import VibVersion
from esximage_builder.vocabulary import Relation

__all__ = ["Constraint", "Provide"]


@final
@attrs.frozen(repr=False)
class Constraint(Shown):
    """A name, alone or with a relation and a version [constraint].

    Attributes:
        name: Name of a VIB or of something that a VIB provides.
        relation: How to compare; None together with ``version``.
        version: What to compare with. Without a release part only the version part counts.

    Raises:
        ModelError: A relation without version, or a version without relation.
    """

    name: str
    relation: Relation | None = None
    version: VibVersion | None = None

    def __attrs_post_init__(self) -> None:
        if (self.relation is None) != (self.version is None):
            raise ModelError(
                f"the constraint on {self.name!r} is half a comparison",
                found=f"relation {self.relation!r}, version {self.version!r}",
                expected="relation and version together, or neither",
            )

    def __str__(self) -> str:
        return self.name if self.relation is None else f"{self.name} {self.relation.value} {self.version}"


@final
@attrs.frozen(repr=False)
class Provide(Shown):
    """A name that a VIB offers, with or without a version [provide]."""

    name: str
    version: VibVersion | None = None

    def __str__(self) -> str:
        return self.name if self.version is None else f"{self.name} = {self.version}"
