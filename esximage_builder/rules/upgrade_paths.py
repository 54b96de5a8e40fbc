"""From which releases hosts go to a new one directly, and what is in their way: one table, with sources.

A release that comes out later adds a row; until it has one, the row of the latest release before it holds.
Each row says how sure it is: *confirmed* by a public page that says so, or *inferred* from pages that say
only part of it. Rows hold facts; the words are ours.
"""

from __future__ import annotations

import enum
from typing import final

import attrs

from esximage_builder.models.fields import as_tuple
from esximage_builder.shown import Shown

__all__ = ["CAUTIONS", "DIRECT_PATHS", "DirectPath", "Evidence", "PathCaution", "cautions_between", "stops_between"]

_HOST_PROFILES = (
    "https://docs.vmware.com/en/VMware-vSphere/7.0/com.vmware.vsphere.hostprofiles.doc/"
    "GUID-EABA9E1C-CE6A-4D95-B813-DDBEA72E050B.html"
)
_LIFECYCLE_7 = (
    "https://docs.vmware.com/en/VMware-vSphere/7.0/com.vmware.vsphere-lifecycle-manager.doc/"
    "GUID-F80E06EB-1CCB-4F5F-A949-5AD74FF8518F.html"
)
_LIFECYCLE_8 = (
    "https://docs.vmware.com/it/VMware-vSphere/8.0/vsphere-lifecycle-manager/"
    "GUID-2706457E-4B75-41F0-BBF0-F5700C1796D7.html"
)
_UPGRADE_6 = "https://docs.vmware.com/en/vSphere/6.0/com.vmware.vsphere.upgrade.doc/GUID-C8D42584-C272-4CA3-95C8-CE081B0489F5.html"
_MATRIX = "https://interopmatrix.broadcom.com/Upgrade"


class Evidence(enum.StrEnum):
    """How sure a row is."""

    CONFIRMED = "confirmed"
    INFERRED = "inferred"


@final
@attrs.frozen(kw_only=True)
class DirectPath:
    """Which hosts a release takes directly.

    Attributes:
        release: Major and minor number of the release, ``(8, 0)``; holds for later ones without a row too.
        oldest: The oldest release whose hosts it takes.
        first: Where older hosts go first, in words.
        evidence: How sure that is.
        source: Where it stands.
    """

    release: tuple[int, int]
    oldest: tuple[int, int]
    first: str
    evidence: Evidence
    source: str


DIRECT_PATHS = (
    DirectPath(release=(6, 0), oldest=(5, 0), first="5.5", evidence=Evidence.CONFIRMED, source=_UPGRADE_6),
    DirectPath(release=(6, 7), oldest=(6, 0), first="6.0 or 6.5", evidence=Evidence.CONFIRMED, source=_HOST_PROFILES),
    DirectPath(release=(7, 0), oldest=(6, 5), first="6.5 or 6.7", evidence=Evidence.CONFIRMED, source=_HOST_PROFILES),
    # The page names hosts of 6.7 and 7.0 and no older ones.
    DirectPath(release=(8, 0), oldest=(6, 7), first="6.7 or 7.0", evidence=Evidence.INFERRED, source=_LIFECYCLE_8),
    # No page that can be cited says it in words; the matrix answers release by release.
    DirectPath(release=(9, 0), oldest=(8, 0), first="8.0", evidence=Evidence.INFERRED, source=_MATRIX),
)
"""By release, lowest first."""


@final
@attrs.frozen(kw_only=True, repr=False)
class PathCaution(Shown):
    """What to know before a host goes from below a release to it or beyond.

    Attributes:
        release: The product release that brings the change: ``(7, 0)``, ``(8, 0, 2)``.
        text: What changes, as a clause.
        evidence: How sure that is.
        source: Where it stands.
        oldest: Hosts below it are not concerned; empty if all are.
    """

    release: tuple[int, ...] = attrs.field(converter=as_tuple)
    text: str
    evidence: Evidence
    source: str
    oldest: tuple[int, ...] = attrs.field(default=(), converter=as_tuple)


CAUTIONS = (
    PathCaution(
        release=(6, 7),
        text="hosts of 6.0 before build 9239799 and of 6.5 before build 8294253 hold expired VIB certificates and "
        "refuse releases of 2020-04-28 and later: patch them first",
        evidence=Evidence.CONFIRMED,
        source="https://kb.vmware.com/s/article/76555, as told by https://elasticsky.de/en/tag/upgrade",
    ),
    PathCaution(
        release=(7, 0),
        text="drivers built on vmklinux and those that need vmkapi 2.2 or older do not go along: the upgrade fails "
        "unless the image brings newer ones",
        evidence=Evidence.CONFIRMED,
        source="https://kb.vmware.com/s/article/78389",
    ),
    PathCaution(
        release=(7, 0),
        text="the boot device needs 4 GB at least",
        evidence=Evidence.CONFIRMED,
        source=_LIFECYCLE_7,
    ),
    PathCaution(
        release=(8, 0),
        text="a VIB without sha-256 checksum of its unpacked payloads stops the upgrade, also one that is only on "
        "the host",
        evidence=Evidence.CONFIRMED,
        source="https://knowledge.broadcom.com/external/article/318056",
    ),
    PathCaution(
        release=(8, 0),
        text="in a cluster with vSphere HA the agent that vCenter puts on takes away the way back to 7.0: turn HA "
        "off or save the configuration first",
        evidence=Evidence.CONFIRMED,
        source="https://knowledge.broadcom.com/external/article/386377",
        oldest=(7, 0),
    ),
    PathCaution(
        release=(8, 0, 2),
        text="processors without the XSAVE instruction do not boot it",
        evidence=Evidence.CONFIRMED,
        source="https://williamlam.com/2023/10/"
        "heads-up-esxi-8-0-update-2-requires-xsave-cpu-instruction-even-with-allowlegacycputrue.html",
    ),
    PathCaution(
        release=(9, 0),
        text="drivers and add-ons built for 7.0 are published for no 9.x: take the vendor's builds for 9.0",
        evidence=Evidence.INFERRED,
        source="product versions in the metadata of public add-ons and drivers",
    ),
)
"""By release, lowest first."""


def stops_between(before: tuple[int, ...], after: tuple[int, ...]) -> tuple[DirectPath, ...]:
    """Return what keeps hosts from going directly: the row of each release that is one step too far, first stop first.

    Args:
        before: Product release of the hosts, ``(6, 5, 0)``.
        after: That of the new image; a lower one is nothing for this table.
    """
    start, goal = before[:2], after[:2]
    found: list[DirectPath] = []
    while start < goal and (row := _row_for(goal)) is not None and start < row.oldest:
        found.append(row)
        goal = row.oldest
    return tuple(reversed(found))


def _row_for(release: tuple[int, ...]) -> DirectPath | None:
    """Return the row that holds for a release: its own, else that of the latest one before."""
    return next((row for row in reversed(DIRECT_PATHS) if row.release <= release), None)


def cautions_between(before: tuple[int, ...], after: tuple[int, ...]) -> tuple[PathCaution, ...]:
    """Return what to know before hosts go from one product release to a higher one."""
    return tuple(row for row in CAUTIONS if row.oldest <= before < row.release <= after)
