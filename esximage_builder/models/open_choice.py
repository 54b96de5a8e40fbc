"""What became of the versions that a wish left open: what was passed over, and wishes that exclude each other."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

import attrs

from esximage_builder.models.fields import as_tuple
from esximage_builder.shown import Shown

if TYPE_CHECKING:
    from esximage_builder.findings import Finding
    from esximage_builder.vocabulary import ComponentSource

__all__ = ["Exclusion", "HigherVersion", "Wish"]


@final
@attrs.frozen(kw_only=True, repr=False)
class HigherVersion(Shown):
    """A loaded version that is higher than the one taken, and why it was not taken.

    Attributes:
        version: The version.
        findings: What the image would have had with it, sorted; where it is several, no lower version
            of another open name helps against all of them.
        beside: Versions of other open names, as ``name:version``, that it does not go with; empty if it
            goes with none.
    """

    version: str
    findings: tuple[Finding, ...] = attrs.field(default=(), converter=as_tuple)
    beside: tuple[str, ...] = attrs.field(default=(), converter=as_tuple)


@final
@attrs.frozen(kw_only=True, repr=False)
class Wish(Shown):
    """One thing that a spec asks for.

    Attributes:
        source: Who brings it; ``USER_REMOVED`` for a removal.
        name: Of the component, add-on, package or solution.
        version: Empty where it is left open, and for a removal.
    """

    source: ComponentSource
    name: str
    version: str = ""

    def __str__(self) -> str:
        return f"{self.name}:{self.version}" if self.version else self.name


@final
@attrs.frozen(kw_only=True, repr=False)
class Exclusion(Shown):
    """Wishes that exclude each other on the base image: with all of them no version left open fits.

    Attributes:
        wishes: In order of their sources, then by name; without any one of them the others fit, if
            ``is_smallest``.
        open_names: Names of the components, add-ons, packages and solutions among them whose version is open.
        findings: What stands against the versions, sorted.
        is_choice: False if it is one wish of which one version is loaded: there was nothing to choose, and the
            findings of the image say all.
        is_smallest: False if the search for fewer wishes took too many steps.
    """

    wishes: tuple[Wish, ...] = attrs.field(converter=as_tuple)
    open_names: tuple[str, ...] = attrs.field(converter=as_tuple)
    findings: tuple[Finding, ...] = attrs.field(default=(), converter=as_tuple)
    is_choice: bool = True
    is_smallest: bool = True
