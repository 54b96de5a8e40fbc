"""Driver packs for tests: many small depots, and a process of its own that works with all of them.

    python tests/driver_packs.py 256 base.zip out.zip pack/*.zip

opens everything while the process may have 256 files open, composes an image with every driver,
validates it, exports it as a bundle, and prints how many components the bundle holds.
"""

from __future__ import annotations

import resource
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if __name__ == "__main__":  # as a script, the path is not set up by pytest
    sys.path[:0] = [str(Path(__file__).parents[1])]

from support.document_builders import DepotBuilder, VibBuilder

import esximage_builder as eib

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["BASE", "driver_packs"]

BASE = Path(__file__).parents[2] / "fixtures" / "depots" / "VMware-ESXi-7.0U3g-20328353-depot.zip"
_BASE_IMAGE = "7.0.3-0.55.20328353"
_PREFIX = "Acme-pack-"


def driver_packs(count: int) -> Iterator[tuple[str, bytes]]:
    """Yield name and bytes of so many zips, each with a driver of its own."""
    for number in range(count):
        vib = VibBuilder(
            name=f"pack-{number:04}",
            payload_name=f"p{number:04}",
            payload=f"payload of driver {number}".encode(),
            acceptance_level="community",
            signature=b"",  # signing thousands would take minutes
        )
        yield f"{number:04}.zip", DepotBuilder().with_vibs(vib).zip()


def _main(open_files: str, base: str, target: str, *packs: str) -> None:
    resource.setrlimit(resource.RLIMIT_NOFILE, (int(open_files), int(open_files)))
    with eib.open_depot(base, *packs) as depot:
        names = [item.name for item in depot.catalog.components if item.name.startswith(_PREFIX)]
        image = eib.compose(depot.catalog, base_image=_BASE_IMAGE, components=names)
        report = eib.validate(image, depot.catalog)
        eib.export_bundle(image, depot, target, report=report)
    with eib.open_depot(target) as written:
        print(sum(item.name.startswith(_PREFIX) for item in written.catalog.components))  # noqa: T201 - the answer


if __name__ == "__main__":
    _main(*sys.argv[1:])
