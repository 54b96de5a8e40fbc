"""Hundreds of depots are open together, however few files the operating system allows a process."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from support.changed_depots import clean_environment
from support.document_builders import zip_bytes

if os.name != "posix":
    pytest.skip("the number of open files is bounded by setrlimit", allow_module_level=True)

from support.driver_packs import BASE, driver_packs

_TESTS = Path(__file__).parents[2]


def _drivers_exported(packs: list[Path], target: Path, *, open_files: int) -> int:
    """Return how many drivers a bundle holds that was composed of all packs under a limit of open files."""
    command = [sys.executable, str(_TESTS / "support" / "driver_packs.py"), str(open_files), str(BASE), str(target)]
    done = subprocess.run(
        [*command, *map(str, packs)], env=clean_environment(), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return int(done.stdout)


@pytest.fixture(scope="module")
def packs() -> dict[str, bytes]:
    return dict(driver_packs(3000))


def _written(packs: dict[str, bytes], folder: Path) -> list[Path]:
    folder.mkdir()
    for name, data in packs.items():
        (folder / name).write_bytes(data)
    return sorted(folder.iterdir())


def _in_one_zip(packs: dict[str, bytes], path: Path) -> Path:
    path.write_bytes(zip_bytes(packs, method=zipfile.ZIP_STORED))
    return path


@pytest.mark.parametrize("form", ["files", "folder", "zip"])
def test_hundreds_of_zips_are_open_where_few_files_may_be(tmp_path: Path, packs: dict[str, bytes], form: str) -> None:
    some = dict(itertools.islice(packs.items(), 300))
    files = _written(some, tmp_path / "packs")
    given = {"files": files, "folder": [tmp_path / "packs"], "zip": [_in_one_zip(some, tmp_path / "outer.zip")]}
    assert _drivers_exported(given[form], tmp_path / "out.zip", open_files=64) == 300


def test_thousands_of_zips_are_open_where_macos_allows_256_files(tmp_path: Path, packs: dict[str, bytes]) -> None:
    files = _written(packs, tmp_path / "packs")
    assert _drivers_exported(files, tmp_path / "out.zip", open_files=256) == 3000


def test_thousands_of_zips_in_one_are_open_where_macos_allows_256_files(
    tmp_path: Path, packs: dict[str, bytes]
) -> None:
    outer = _in_one_zip(packs, tmp_path / "outer.zip")
    assert _drivers_exported([outer], tmp_path / "out.zip", open_files=256) == 3000
