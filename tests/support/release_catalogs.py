"""Catalogs with the version strings of real releases and add-ons, for stories about change.

Base images have the versions, names and dates of published releases; their components are few and
their contents invented. The add-ons are Dell's in their version strings alone.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import attrs
from support.memory_catalogs import Stock, esx_base, platforms, vib

from esximage_builder.models.component import ComponentReference
from esximage_builder.versions import ComponentVersion
from esximage_builder.vocabulary import AcceptanceLevel

if TYPE_CHECKING:
    from collections.abc import Iterable

    from esximage_builder.findings import Finding
    from esximage_builder.models.add_on import AddOn
    from esximage_builder.models.base_image import BaseImage
    from esximage_builder.models.component import Component
    from esximage_builder.models.vib import Vib

RELEASES = {
    "7.0b": ("7.0.0-1.25.16324942", "7.0b - 16324942", "2020-06-02"),
    "7.0U1": ("7.0.1-0.0.16850804", "7.0 U1 - 16850804", "2020-09-04"),
    "7.0U2": ("7.0.2-0.0.17630552", "7.0 U2 - 17630552", "2021-03-09"),
    "7.0U2a": ("7.0.2-0.0.17867351", "7.0 U2a - 17867351", "2021-04-29"),
    "7.0U3": ("7.0.3-0.0.18644231", "7.0 U3 - 18644231", "2021-10-05"),
    "7.0U3c": ("7.0.3-0.20.19193900", "7.0 U3c - 19193900", "2022-01-18"),
    "7.0U3e": ("7.0.3-0.40.19898904", "7.0 U3e - 19898904", "2022-06-14"),
    "7.0U3f": ("7.0.3-0.50.20036589", "7.0 U3f - 20036589", "2022-07-12"),
    "7.0U3g": ("7.0.3-0.55.20328353", "7.0 U3g - 20328353", "2022-09-01"),
    "7.0U3i": ("7.0.3-0.65.20842708", "7.0 U3i - 20842708", "2022-12-08"),
    "7.0U3sq": ("7.0.3-0.120.23794019", "7.0 U3sq - 23794019", "2024-05-21"),
    "8.0": ("8.0.0-1.0.20513097", "8.0 GA - 20513097", "2022-10-11"),
    "8.0U2sb": ("8.0.2-0.25.23305545", "8.0 U2sb - 23305545", "2024-02-29"),
    "8.0U2b": ("8.0.2-0.30.23305546", "8.0 U2b - 23305546", "2024-02-29"),
    "8.0U2b HP1": ("8.0.2-0.30.23465881", "8.0 U2b - 23465881", ""),
    "8.0U3": ("8.0.3-0.0.24022510", "8.0 U3 - 24022510", "2024-06-25"),
    "8.0U3b": ("8.0.3-0.35.24280767", "8.0 U3b - 24280767", "2024-09-17"),
    "8.0U3se": ("8.0.3-0.65.24659227", "8.0 U3se - 24659227", "2025-04-10"),
    "8.0U3e": ("8.0.3-0.70.24674464", "8.0 U3e - 24674464", "2025-04-10"),
    "9.0.0.0100": ("9.0.0.0100.24813472", "9.0.0.0100.24813472", "2025-07-15"),
    "9.0.2": ("9.0.2-0.25148076", "9.0.2.0.25148076", ""),
    "9.1.0": ("9.1.0.0.25370933", "9.1.0.0.25370933", ""),
    "9.1.1": ("9.1.1.0.25714478", "9.1.1.0.25714478", ""),
}
"""Version, display version and date of releases, by name."""

DELL = "DEL-ESXi"
BNXT = "Broadcom-bnxt-Net-RoCE"
LPFC = "Broadcom-lpfc"
AGENT = "DEL-dcism"
MARVELL = "MRVL-E4-CNA-Driver-Bundle"

# What the add-ons bring: version of the bnxt driver, version of the agent.
DELL_ADD_ONS = {
    "700.16324942-A02": ("216.0.44.0-1OEM.700.1.0.15843807", "3.5.0-2"),
    "700.16324942-A03": ("216.0.44.0-1OEM.700.1.0.15843807", "3.5.1-3"),
    "702_17867351-A03": ("219.0.17.0-1OEM.700.1.0.15843807", "3.6.0-5"),
    "703.20328353-A08": ("222.0.118.0-1OEM.700.1.0.15843807", "4.1.0-8"),
    "703.20328353-A09": ("222.0.155.0-1OEM.700.1.0.15843807", "4.1.0-8"),
    "703.23794027-A24": ("228.0.133.0-1OEM.700.1.0.15843807", "4.3.0-1"),
    "800.20513097-A00": ("225.0.21.0-1OEM.800.1.0.20513097", "5.0.0-1"),
    "803.24280767-A02": ("230.0.162.0-1OEM.800.1.0.20513097", "5.3.0-2"),
}


def version_of(release: str) -> str:
    """``7.0.3-0.50.20036589`` of ``7.0U3f``."""
    return RELEASES[release][0]


def part(stock: Stock, name: str, version: str, *vibs: Vib, **bulletin: Any) -> Component:
    """A component of the stock, made if it is not there yet; without VIBs given it gets one of its own."""
    for known in stock.components:
        if known.id == f"{name}:{version}":
            return known
    return stock.component(name, version, *(vibs or (vib(name.lower()[:30], version),)), **bulletin)


def base_image(stock: Stock, release: str, *extra: Component, **fields: Any) -> BaseImage:
    """A published release as a base image: ESXi, esx-update, two drivers and what is extra."""
    version, display, date = RELEASES[release]
    major, minor, update = version[0], version[2], version[4]
    suffix = f"{major}{minor}{update}.0.0.1"
    own = platforms(f"embeddedEsx {major}.{minor}")
    components = (
        part(stock, "ESXi", version, esx_base(version), platforms=own),
        part(stock, "esx-update", version, vib("esx-update", version), vib("loadesx", version), platforms=own),
        part(stock, BNXT, f"216.0.50.0-44vmw.{suffix}", vib("bnxtnet", f"216.0.50.0-44vmw.{suffix}"), platforms=own),
        part(stock, LPFC, f"14.0.169.26-5vmw.{suffix}", vib("lpfc", f"14.0.169.26-5vmw.{suffix}"), platforms=own),
        *extra,
    )
    stated: dict[str, Any] = {"display_version": display, "vendor": "VMware"}
    if date:
        stated["released_at"] = datetime.fromisoformat(date).replace(tzinfo=UTC)
    return stock.base_image(*components, version=version, **stated | fields)


def dell(stock: Stock, version: str, *extra: Component, **fields: Any) -> AddOn:
    """One of Dell's add-ons; it declares nothing unless told to."""
    driver, agent = DELL_ADD_ONS[version]
    partner = {"acceptance_level": AcceptanceLevel.PARTNER, "vendor": "DEL"}
    components = (
        part(stock, BNXT, driver, vib("bnxtnet", driver, vendor="BCM", acceptance_level=AcceptanceLevel.ACCEPTED)),
        part(stock, AGENT, agent, vib("dcism", agent, **partner)),
        *extra,
    )
    return stock.add_on(*components, release=(DELL, version), vendor="Dell", **fields)


def shop(releases: Iterable[str], add_ons: Iterable[str] = (), **fields: Any) -> Stock:
    """A stock of these base images and Dell add-ons; keyword arguments are the add-ons'."""
    stock = Stock()
    for release in releases:
        base_image(stock, release)
    for version in add_ons:
        dell(stock, version, **fields)
    return stock


def codes(findings: Iterable[Finding]) -> list[str]:
    """Their codes, in order."""
    return [finding.code for finding in findings]


def the(findings: Iterable[Finding], code: str) -> Finding:
    """The only finding of that code."""
    (found,) = (finding for finding in findings if finding.code == code)
    return found


def without_names(base: BaseImage) -> BaseImage:
    """The base image as metadata without display version and date would give it."""
    return attrs.evolve(base, display_version="", released_at=None)


def reference(text: str) -> ComponentReference:
    """``name:version``."""
    name, _, version = text.partition(":")
    return ComponentReference(name, ComponentVersion(version))
