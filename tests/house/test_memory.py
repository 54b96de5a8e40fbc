"""Memory must not grow with the bytes that go through: exports of synthetic depots, each in a process of its own.

A process that only opens the depot is the measure. The small test always runs; its limit is
less than the largest VIB, so that holding one whole VIB fails it. The large one goes beyond
4 GiB, where zip needs its 64-bit records, and runs only on request:

    ESXIMAGE_LARGE=1 python -m pytest -m large -rP

The depots are made by ``benchmarks/make_depot.py``, and children are started by the small
process ``benchmarks/measure.py``, because a child's peak begins with that of its parent.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

_BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
_MEBIBYTE = 1024 * 1024

pytestmark = pytest.mark.skipif(not hasattr(os, "wait4"), reason="peak memory of a child needs os.wait4 (Unix)")


def _depot_for_a_while(target: Path, *, megabytes: int) -> Iterator[Path]:
    """Yield a depot of about that size, then remove it; nothing in it shrinks, so level 0 is as good as any."""
    command = [sys.executable, str(_BENCHMARKS / "make_depot.py"), str(target), "--megabytes", str(megabytes)]
    subprocess.run([*command, "--level", "0"], check=True, stdout=subprocess.DEVNULL)
    yield target
    target.unlink()


def _peak_mib(*arguments: str, folder: Path) -> float:
    """Return the peak memory of one job of ``benchmarks/ours.py`` in MiB."""
    result = folder / "result.json"
    launcher = [sys.executable, "-S", "-E", str(_BENCHMARKS / "measure.py"), str(result)]
    subprocess.run([*launcher, sys.executable, str(_BENCHMARKS / "ours.py"), *arguments], check=True)
    return float(json.loads(result.read_text())["peak_bytes"]) / _MEBIBYTE


def _growth_mib(job: str, depot: Path, folder: Path) -> tuple[float, float]:
    """Return the peak of an export in MiB, and how far it is above that of opening alone."""
    opened = _peak_mib("open", str(depot), folder=folder)
    out = folder / "out"
    exported = _peak_mib(job, str(depot), str(out), folder=folder)
    assert out.stat().st_size > 0.95 * depot.stat().st_size
    if job == "export-bundle":
        _peak_mib("check", str(out), folder=folder)  # it opens again
    out.unlink()
    return exported, exported - opened


@pytest.fixture(scope="module")
def small_depot(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    yield from _depot_for_a_while(tmp_path_factory.mktemp("memory") / "small.zip", megabytes=90)


@pytest.mark.parametrize("job", ["export-bundle", "export-iso"])
def test_an_export_holds_no_whole_vib(job: str, small_depot: Path, tmp_path: Path) -> None:
    """An export of 90 MB takes less memory than its largest VIB has bytes (28 MB)."""
    exported, above_open = _growth_mib(job, small_depot, tmp_path)
    assert above_open <= 20, f"{job} peaked at {exported:.0f} MiB"


@pytest.fixture(scope="module")
def large_depot(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    yield from _depot_for_a_while(tmp_path_factory.mktemp("memory") / "large.zip", megabytes=4500)


@pytest.mark.large
@pytest.mark.skipif(
    not os.environ.get("ESXIMAGE_LARGE"),
    reason="writes 9 GB and takes minutes: set ESXIMAGE_LARGE=1 to run it",
)
@pytest.mark.parametrize("job", ["export-bundle", "export-iso"])
def test_memory_stays_flat_beyond_4_gib(job: str, large_depot: Path, tmp_path: Path) -> None:
    """An export of 4.5 GB peaks at most 64 MiB above a process that only opened the catalog."""
    exported, above_open = _growth_mib(job, large_depot, tmp_path)
    sys.stdout.write(f"{job}: peak {exported:.1f} MiB, {above_open:.1f} MiB above opening\n")
    assert above_open <= 64
