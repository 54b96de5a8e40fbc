"""Hundreds of depots are open together, however few files the operating system allows a process."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from edited import clean_environment

if os.name != "posix":
    pytest.skip("the number of open files is bounded by setrlimit", allow_module_level=True)

from driver_packs import BASE, driver_packs

_TESTS = Path(__file__).parent


def _drivers_exported(packs: list[Path], target: Path, *, open_files: int) -> int:
    """Return how many drivers a bundle holds that was composed of all packs under a limit of open files."""
    command = [sys.executable, str(_TESTS / "driver_packs.py"), str(open_files), str(BASE), str(target)]
    done = subprocess.run(
        [*command, *map(str, packs)], env=clean_environment(), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return int(done.stdout)


def _written_packs(folder: Path, count: int) -> list[Path]:
    folder.mkdir()
    for name, data in driver_packs(count):
        (folder / name).write_bytes(data)
    return sorted(folder.iterdir())


@pytest.mark.parametrize("form", ["files", "folder"])
def test_hundreds_of_zips_are_open_where_few_files_may_be(tmp_path: Path, form: str) -> None:
    packs = _written_packs(tmp_path / "packs", 300)
    given = packs if form == "files" else [tmp_path / "packs"]
    assert _drivers_exported(given, tmp_path / "out.zip", open_files=64) == 300


def test_thousands_of_zips_are_open_where_macos_allows_256_files(tmp_path: Path) -> None:
    packs = _written_packs(tmp_path / "packs", 3000)
    assert _drivers_exported(packs, tmp_path / "out.zip", open_files=256) == 3000
