"""Drift explained: what differs on a host, since which image it is behind, and who would be removed.

The images of a cluster's history are tried newest first, and the host is told by the one that it equals,
else by the nearest: the one from which the fewest items differ, of equal ones the newest. What differs
from the nearest image is the host's own; what that image and the newest differ in is what the host missed.
Items that the inventory does not tell count for nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, final

import attrs

from esximage_builder.errors import ModelError
from esximage_builder.hosts.check import ComplianceTarget
from esximage_builder.hosts.vib_table import key_of_text
from esximage_builder.models.compliance import ComplianceStatus, ItemReason
from esximage_builder.models.fields import as_tuple
from esximage_builder.shown import Shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from esximage_builder.models.catalog import Catalog
    from esximage_builder.models.compliance import HostCompliance, ItemCompliance
    from esximage_builder.models.host import Host
    from esximage_builder.models.image import Image

__all__ = ["Drift", "explain_drift"]


def _require_one_of_them(drift: Drift, _: object, nearest: int | None) -> None:
    if nearest is not None and not 0 <= nearest < len(drift.images):
        raise ModelError(
            "the nearest image is none of the images", found=str(nearest), expected=f"below {len(drift.images)}"
        )


@final
@attrs.frozen(kw_only=True, repr=False)
class Drift(Shown):
    """How a host came to differ.

    Attributes:
        host: Its name.
        images: Names of the images of the history, newest first.
        nearest: Which of them the host equals or is nearest to, counted from 0; None if nothing is known of it.
        is_exact: It equals that one.
        compliance: The host against the newest.
        own: Items that differ from the nearest image: what happened on the host alone.
        own_vibs: VIBs that no component brings, and that the nearest image does not have.
        removed: What would go on the way to the newest: names with versions.
    """

    host: str
    images: tuple[str, ...] = attrs.field(converter=as_tuple)
    nearest: int | None = attrs.field(validator=_require_one_of_them)
    is_exact: bool
    compliance: HostCompliance
    own: tuple[ItemCompliance, ...] = attrs.field(default=(), converter=as_tuple)
    own_vibs: tuple[str, ...] = attrs.field(default=(), converter=as_tuple)
    removed: tuple[str, ...] = attrs.field(default=(), converter=as_tuple)

    @property
    def nearest_image(self) -> str:
        """Name of the image that the host equals or is nearest to; empty if nothing is known of it."""
        return "" if self.nearest is None else self.images[self.nearest]

    @property
    def behind_since(self) -> str:
        """Name of the first image that the host missed; empty if it is at the newest, or nothing is known of it."""
        return self.images[self.nearest - 1] if self.nearest else ""


def explain_drift(host: Host, history: Sequence[Image], *, catalog: Catalog | None = None) -> Drift:
    """Say what differs on a host, and since which image it is behind.

    Args:
        host: As ``read_host`` reads it.
        history: The images that were the cluster's, newest first.
        catalog: As for ``check_compliance``.

    Raises:
        ModelError: The history is empty.
    """
    if not history:
        raise ModelError("drift is told against at least one image", expected="the cluster's images, newest first")
    verdicts = [ComplianceTarget(image, catalog).check(host) for image in history]
    newest = verdicts[0]
    nearest = min(range(len(verdicts)), key=lambda number: _distance(verdicts[number])) if _is_known(newest) else None
    own = newest if nearest is None else verdicts[nearest]
    return Drift(
        host=host.name,
        images=(image.name for image in history),
        nearest=nearest,
        is_exact=own.status is ComplianceStatus.COMPLIANT,
        compliance=newest,
        own=_differing(own),
        own_vibs=own.standalone_vibs,
        removed=_removed(newest, host, history[0]),
    )


def _differing(verdict: HostCompliance) -> tuple[ItemCompliance, ...]:
    return tuple(item for item in verdict.items if item.status is not ComplianceStatus.UNAVAILABLE)


def _distance(verdict: HostCompliance) -> int:
    return len(_differing(verdict)) + len(verdict.standalone_vibs)


def _is_known(verdict: HostCompliance) -> bool:
    """Tell whether anything of the host could be compared."""
    listed: Iterable[ItemCompliance | None] = (verdict.base_image, verdict.add_on, *verdict.components, *verdict.vibs)
    return any(item is not None and item.status is not ComplianceStatus.UNAVAILABLE for item in listed)


_GOES = (ItemReason.NOT_IN_IMAGE, ItemReason.TAKEN_OFF)


def _removed(verdict: HostCompliance, host: Host, image: Image) -> Iterator[str]:
    """Yield what goes: items that the image does not have, and VIBs that nothing of it replaces."""
    yield from (f"{item.name} {item.current}" for item in verdict.items if item.reason in _GOES)
    names = {vib.name for vib in image.host_vibs}
    yield from (text for text in verdict.standalone_vibs if key_of_text(text, host)[0] not in names)
