"""What is measured of this library: one job for each process, and some jobs inside one process.

python benchmarks/ours.py export-iso depot.zip out.iso
python benchmarks/ours.py inside depot.zip --rounds 20
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from pathlib import Path
from typing import TYPE_CHECKING

import esximage_builder as eib

if TYPE_CHECKING:
    from collections.abc import Callable

    from esximage_builder import Depot, Image, ValidationReport

JOBS = (
    "open",
    "check",
    "export-bundle",
    "export-iso",
    "export-usb",
    "verify-stored",
    "verify-unpacked",
    "verify-unpacked-alone",
    "inside",
)


# Depots of ten thousand VIBs are larger than any that is published.
_LIMITS = eib.ReadLimits(document_bytes=1 << 30, metadata_bytes=1 << 32, member_count=1_000_000)


def _compose(depot: Depot) -> tuple[Image, ValidationReport]:
    image = eib.compose(depot.catalog, base_image=depot.catalog.base_images[-1].version.text)
    return image, eib.validate(image, depot.catalog)


def run(job: str, depot_path: Path, out: Path | None) -> None:
    """Do one job from the opening of the depot on; of a folder, all its zips are opened together."""
    if job.startswith("verify"):
        workers = 1 if job.endswith("alone") else None
        findings = eib.verify_bundle(depot_path, deep=job != "verify-stored", workers=workers).findings
        print(len(findings))
        if findings:
            raise SystemExit(f"{depot_path} does not verify: {findings[0].message}")
        return
    paths = sorted(depot_path.glob("*.zip")) if depot_path.is_dir() else [depot_path]
    with eib.open_depot(*paths, limits=_LIMITS) as depot:
        if job == "open":
            print(len(depot.catalog.vibs))
            return
        image, report = _compose(depot)
        if job == "check":
            print(len(image.vibs), len(report.findings))
        elif out is None:
            raise SystemExit(f"{job} needs a path to write to")
        elif job == "export-bundle":
            print(eib.export_bundle(image, depot, out, overwrite=True, report=report).size_bytes)
        elif job == "export-usb":
            print(eib.export_usb(image, depot, out, overwrite=True, report=report).size_bytes)
        else:
            print(eib.export_iso(image, depot, out, overwrite=True, report=report).size_bytes)


def _open_once(depot_path: Path) -> None:
    eib.open_depot(depot_path, limits=_LIMITS).close()


def compare_inside(depot_path: Path, *, rounds: int) -> dict[str, float]:
    """Time opening, composing and validating against bare kernels, in turn in one warm process.

    Returns:
        Medians in seconds by name.
    """
    from benchmarks.kernels import read_documents, read_names  # noqa: PLC0415 - other jobs shall not pay for it

    with eib.open_depot(depot_path, limits=_LIMITS) as depot:
        works: dict[str, Callable[[], object]] = {
            "kernel, names": lambda: read_names(depot_path),
            "kernel, descriptors": lambda: read_documents(depot_path),
            "open": lambda: _open_once(depot_path),
            "compose + validate": lambda: _compose(depot),
        }
        times: dict[str, list[float]] = {name: [] for name in works}
        for _ in range(rounds):
            for name, work in works.items():
                started_at = time.perf_counter()
                work()
                times[name].append(time.perf_counter() - started_at)
        vib_count = len(depot.catalog.vibs)
    return {"vibs": vib_count} | {name: statistics.median(measured) for name, measured in times.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description="The jobs of this library that are measured.")
    parser.add_argument("job", choices=JOBS)
    parser.add_argument("depot", type=Path)
    parser.add_argument("out", type=Path, nargs="?")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    if options.job == "inside":
        print(json.dumps(compare_inside(options.depot, rounds=options.rounds)))
    else:
        run(options.job, options.depot, options.out)


if __name__ == "__main__":
    main()
