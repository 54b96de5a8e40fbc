"""Writes compatibility-matrix.md: published add-ons against published ESXi releases, judged by the library.

    python docs/make_compatibility_matrix.py           # writes the page beside this script
    python docs/make_compatibility_matrix.py --check   # says whether the page is what would be written

Releases with a published full version are base images of a catalog, and each pair is composed and
validated. Of the others only product and build are known: they are judged by these, and no version is
made up for them.
"""

# ruff: noqa: INP001, E501 - a script beside its page, which has one sentence a line

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from esximage_builder.models.add_on import AddOn
from esximage_builder.models.base_image import BaseImage
from esximage_builder.models.catalog import Catalog
from esximage_builder.rules.compose import compose
from esximage_builder.rules.release_fit import fits_release, published_with, train_text
from esximage_builder.rules.releases import KNOWN_RELEASES
from esximage_builder.rules.validate import validate
from esximage_builder.versions import AddOnVersion, BaseImageVersion

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from esximage_builder.rules.releases import KnownRelease

__all__ = ["ADD_ONS", "PAGE", "cell", "matrix", "render_page"]

PAGE = Path(__file__).with_name("compatibility-matrix.md")

YES, NEWER, NO, UNKNOWN = "yes", "yes, newer", "no", "unknown"


def _add_on(name: str, version: str, *declared: str) -> AddOn:
    return AddOn(name=name, version=AddOnVersion(version), supported_base_images=declared)


ADD_ONS = (
    _add_on("HPE-Custom-AddOn", "700.0.0.10.5.0-108"),
    _add_on("HPE-Custom-AddOn", "701.0.0.10.6.3-9"),
    _add_on("HPE-Custom-AddOn", "703.0.0.10.9.0-11"),
    _add_on("HPE-Custom-AddOn", "703.0.0.11.5.0-6"),
    _add_on("HPE-Custom-AddOn", "802.0.0.10.7.0-22"),
    _add_on("HPE-Custom-AddOn", "803.0.0.11.7.0-23"),
    _add_on("HPE-Custom-AddOn", "803.0.0.11.8.0-6"),
    _add_on("HPE-Custom-Syn-AddOn", "900.0.0.12.3.5-5"),
    _add_on("DEL-ESXi", "702_17867351-A03"),
    _add_on("DEL-ESXi", "702_17867351-A05"),
    _add_on("DEL-ESXi", "703_23794027-A24"),
    _add_on("DEL-ESXi", "800.20513097-A00"),
    _add_on("DEL-ESXi", "803.24022510-A00"),
    _add_on("DEL-ESXi", "803.24280767-A02"),
    _add_on("LVO", "LVO.803.12.1"),
    _add_on("LVO", "701.10.3"),
    _add_on("DEL-ESXi-702_17867351", "A05"),
    _add_on("Cisco-UCS-Addon-ESXi-70U3d-19482537", "4.2.2-a"),
    _add_on("ACME-AddOn", "7.0.3-610.2"),
    # What public add-ons declare is not publicly known, so these are invented ones.
    _add_on("ACME-AddOn", "703.20328353.A08", "7.0.3"),
    _add_on("ACME-AddOn", "703.20328353.A99", "7.0.3-0.55.20328353"),
)


def matrix() -> dict[str, dict[str, str]]:
    """Return for each release name and each add-on id what the library says of the pair."""
    catalog = Catalog(
        base_images=[BaseImage(version=BaseImageVersion(known.version)) for known in KNOWN_RELEASES if known.version],
        add_ons=ADD_ONS,
    )
    return {
        release.name: {add_on.id: cell(release, add_on, catalog) for add_on in ADD_ONS} for release in KNOWN_RELEASES
    }


def cell(release: KnownRelease, add_on: AddOn, catalog: Catalog) -> str:
    """Return what the library says of one pair."""
    if not release.version:
        return _cell_without_version(release, add_on)
    image = compose(catalog, base_image=release.version, add_on=(add_on.name, add_on.version.text))
    codes = {finding.code for finding in validate(image, catalog).findings}
    if "add-on-base-unsupported" in codes:
        return NO
    if "add-on-base-unknown" in codes:
        return UNKNOWN
    return NEWER if "base-newer-than-add-on" in codes else YES


def _cell_without_version(release: KnownRelease, add_on: AddOn) -> str:
    answer = fits_release(add_on, release)
    if not answer:
        return UNKNOWN if answer is None else NO
    published = published_with(add_on, release.train)
    return NEWER if published is not None and release.is_newer_than(published) else YES


_HEAD = f"""\
# Compatibility matrix

Published add-ons against published ESXi releases, as the library judges them.
This page is written by `docs/make_compatibility_matrix.py`; a test compares it with what the script would write, and the answers with a table typed by hand.

| Answer | Meaning |
|---|---|
| {YES} | the add-on goes with the release |
| {NEWER} | it goes, with the warning [`base-newer-than-add-on`](findings.md): the release is newer than the one that the add-on names |
| {NO} | it does not: [`add-on-base-unsupported`](findings.md) |

The rules: what an add-on declares decides; where it declares nothing, both must be of one [release train](concepts.md#compatibility), which is the update release up to 8.x and the minor release from 9.0.
The add-on's train is read off its version, else off its name.

What the add-ons of hardware vendors declare is not publicly known, so here they are judged by train.
The add-ons of *ACME* are invented, to show declarations.

Releases marked ° have no published full version: they are judged by product and build alone, and *newer* by the order of publication.
"""


def render_page() -> str:
    """Return the page."""
    lines = [*_HEAD.splitlines(), "", "## Add-ons", "", "| Number | Add-on | Declares |", "|---|---|---|"]
    for number, add_on in enumerate(ADD_ONS, start=1):
        declared = ", ".join(f"`{text}`" for text in add_on.supported_base_images) or "nothing"
        lines.append(f"| {number} | {add_on.name} {add_on.version} | {declared} |")
    lines += ["", "## Releases", "", *_table(matrix())]
    return "\n".join(lines) + "\n"


def _table(cells: dict[str, dict[str, str]]) -> Iterator[str]:
    yield _row(["Release", "Train", *(str(number) for number in range(1, len(ADD_ONS) + 1))])
    yield "|---" * (len(ADD_ONS) + 2) + "|"
    for release in KNOWN_RELEASES:
        name = release.name if release.version else f"{release.name}°"
        yield _row([name, train_text(release.train), *cells[release.name].values()])


def _row(texts: Iterable[str]) -> str:
    return f"| {' | '.join(texts)} |"


def main() -> int:
    """Write the page, or compare it; 0 if it is as it should be."""
    parser = argparse.ArgumentParser(description="Write or check the compatibility matrix.")
    parser.add_argument("--check", action="store_true", help="compare instead of writing")
    page = render_page()
    if parser.parse_args().check:
        is_same = PAGE.read_text(encoding="utf-8") == page
        sys.stdout.write(f"{PAGE.name} is {'as it would be written' if is_same else 'out of date'}\n")
        return 0 if is_same else 1
    PAGE.write_text(page, encoding="utf-8", newline="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
