"""Writes every output to a file system of a few kilobytes that is full; run as a program, in a namespace of its own.

    unshare --user --map-root-user --mount python full_disk.py WORK MOUNT

WORK is a folder on a disk with room, MOUNT one that the small file system is mounted at. No device is
touched: it is memory, and it is gone with the process. The answer is a JSON object: by output, the fields of
the error with which it ended, and what is left beside the filling.
"""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from support.changed_depots import DEPOTS
from support.garbage import VERSION, World

import esximage_builder as eib
from esximage_builder import authoring

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["OUTPUTS", "outputs_of"]

_KIB = 1024
_SIZE_KIB = 64
OUTPUTS = (
    "export_iso", "export_bundle", "export_pxe", "export_sbom", "export_components", "export_split", "export_image",
    "write_lock", "write_software_spec", "write_report", "write_compliance", "write_host", "write_vib",
    "write_bundle", "write_authored_depot", "extract_vib",
)  # fmt: skip


def outputs_of(work: Path) -> dict[str, Callable[[Path], Any]]:
    """Every function that writes, by its name; each takes the target."""
    world = World(work)
    image, depot = world.image, world.depot
    loose = eib.open_depot(work / "loose.vib")
    custom = custom_depot(work)
    split = eib.split_image(eib.recognise(custom.catalog), custom)
    report = eib.validate(image, depot)
    cluster = eib.check_compliance(image, [eib.Host(name="h", base_image=image.esxi_version)])
    component = depot.catalog.components[0]
    vibs = [vib for vib in depot.catalog.vibs if vib.id in component.bulletin.vib_ids]
    authored = [authoring.AuthoredVib(vib=vib, data=depot.open_vib(vib).read()) for vib in vibs]
    return {
        "export_iso": lambda to: eib.export_iso(image, depot, to),
        "export_bundle": lambda to: eib.export_bundle(image, depot, to),
        "export_pxe": lambda to: eib.export_pxe(image, depot, to),
        "export_sbom": lambda to: eib.export_sbom(image, depot, to),
        "export_components": lambda to: eib.export_components([component], vibs, depot, to),
        "export_split": lambda to: eib.export_split(split, custom, to, to.with_name("b")),
        "export_image": lambda to: eib.export_image(image, depot, iso=to, lock=to.with_name("lock")),
        "write_lock": lambda to: eib.write_lock(image, depot, to),
        "write_software_spec": lambda to: eib.write_software_spec(image, to),
        "write_report": lambda to: eib.write_report(
            image, report, to.with_name(to.name.removesuffix("nnnnn") + ".html")
        ),
        "write_compliance": lambda to: eib.write_compliance(
            cluster, to.with_name(to.name.removesuffix("nnnnn") + ".html")
        ),
        "write_host": lambda to: eib.write_host(eib.Host(name="h"), to),
        "write_vib": lambda to: authoring.write_vib(work / "tree", work / "vib.toml", to),
        "write_bundle": lambda to: authoring.write_bundle(loose, to, vendor="ACME", vendor_code="ACM"),
        "write_authored_depot": lambda to: authoring.write_authored_depot(
            to,
            authored,
            vendor_name="Acme",
            vendor_code="ACM",
            products=[authoring.MetadataEntry(version="7.0")],
            timestamp=datetime(2022, 9, 1, tzinfo=UTC),
            bulletins=[component],
        ),
        "extract_vib": lambda to: authoring.extract_vib(work / "loose.vib", to),
    }


def custom_depot(work: Path) -> eib.Depot:
    """A vendor's custom image, which can be split."""
    add_on = DEPOTS / "ACME-ESXi-Addon-703.20328353.A09-depot.zip"
    with eib.open_depot(DEPOTS / "VMware-ESXi-7.0U3g-20328353-depot.zip", add_on) as depot:
        (unit,) = depot.catalog.add_ons
        image = eib.compose(depot, base_image=VERSION, add_on=(unit.name, unit.version), name="custom")
        eib.export_bundle(image, depot, work / "custom.zip", allow=[f.code for f in eib.validate(image, depot).errors])
    return eib.open_depot(work / "custom.zip")


def fill(folder: Path) -> None:
    """Use up all that is free."""
    with (folder / "filling").open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(_KIB))
        except OSError:
            return


def attempt(write: Callable[[Path], Any], target: Path) -> dict[str, Any]:
    """Write once, and say how it ended."""
    try:
        write(target)
    except eib.EsxImageError as error:
        ended = error.as_dict()
    except Exception as error:  # noqa: BLE001 - what is looked for
        ended = {"code": type(error).__name__, "message": str(error)}
    else:
        ended = {"code": "written"}
    return {**ended, "left": sorted({path.name for path in target.parent.iterdir()} - {"filling"})}


def main(work: Path, mount: Path) -> None:
    """Mount, fill, and let every output fail."""
    command = ["mount", "-t", "tmpfs", "-o", f"size={_SIZE_KIB}k", "esximage-test", str(mount)]
    subprocess.run(command, check=True, capture_output=True)
    fill(mount)
    ended = {name: attempt(write, mount / "out") for name, write in outputs_of(work).items()}
    sys.stdout.write(json.dumps(ended))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
