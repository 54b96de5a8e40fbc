"""The version: one place says it, and every way to have the library finds it."""

from __future__ import annotations

import importlib.metadata
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.version import Version
from support.changed_depots import ROOT, clean_environment

import esximage_builder as eib
from esximage_builder.distribution import UNKNOWN_VERSION, installed_version

OURS = '[project]\nname = "esximage-builder"\nversion = "7.7.7"\n'


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A folder with a copy of the package that nobody installed."""
    package = tmp_path / "tree" / "esximage_builder"
    package.mkdir(parents=True)
    for name in ("__init__.py", "distribution.py", "lazy_names.py"):
        shutil.copy(ROOT / "esximage_builder" / name, package)
    return package.parent


def version_in(folder: Path) -> str:
    """What a process says that sees this folder and no installed packages."""
    done = subprocess.run(
        [sys.executable, "-S", "-c", "import esximage_builder; print(esximage_builder.__version__)"],
        cwd=folder,
        env=clean_environment(PYTHONPATH=str(folder)),
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


def test_the_installed_version_is_that_of_the_metadata() -> None:
    assert eib.__version__ == installed_version() == importlib.metadata.version("esximage-builder")


def test_a_source_tree_says_what_its_project_file_says(tree: Path) -> None:
    shutil.copy(ROOT / "pyproject.toml", tree)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]

    assert version_in(tree) == project["version"]


def test_metadata_goes_before_a_project_file(tree: Path) -> None:
    """What is installed was built from a project file; the one that lies about may be newer."""
    (tree / "pyproject.toml").write_text(OURS)
    metadata = tree / "esximage_builder-8.8.8.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: esximage-builder\nVersion: 8.8.8\n")

    assert version_in(tree) == "8.8.8"


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(None, id="no file"),
        pytest.param(OURS.replace("esximage-builder", "another"), id="a project that took the package in"),
        pytest.param("[tool.another]\n", id="no project in it"),
        pytest.param("project = 1", id="no table"),
        pytest.param('[project]\nname = "esximage-builder"\n', id="no version"),
        pytest.param("[project", id="no TOML"),
        pytest.param(b"\xff\xfe", id="no text"),
    ],
)
def test_a_copy_that_says_no_version_has_an_unknown_one(tree: Path, text: str | bytes | None) -> None:
    """Asking for the version never fails."""
    if text is not None:
        (tree / "pyproject.toml").write_bytes(text if isinstance(text, bytes) else text.encode())

    assert version_in(tree) == UNKNOWN_VERSION


def test_an_unknown_version_is_lower_than_every_release() -> None:
    assert Version(UNKNOWN_VERSION) < Version("0.0.1") <= Version(eib.__version__)
