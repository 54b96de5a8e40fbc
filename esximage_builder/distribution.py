"""Which release of this library runs.

``pyproject.toml`` is the one place that says it. An installed package has it in its metadata; a
source tree that nobody installed has the file itself, beside the package.
"""

from __future__ import annotations

import importlib.metadata
import tomllib
from pathlib import Path
from typing import Final

__all__ = ["UNKNOWN_VERSION", "installed_version"]

UNKNOWN_VERSION: Final = "0+unknown"
"""Where neither is there; lower than every release."""


def installed_version() -> str:
    """Return the version of this library, such as ``0.1.0``."""
    try:
        return importlib.metadata.version("esximage-builder")
    except importlib.metadata.PackageNotFoundError:
        return _version_in(Path(__file__).parents[1] / "pyproject.toml")


def _version_in(project_file: Path) -> str:
    """Return what a source tree says, unless the file is missing or that of a project that took us in."""
    try:
        document = tomllib.loads(project_file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return UNKNOWN_VERSION
    match document:
        case {"project": {"name": "esximage-builder", "version": str(version)}}:
            return version
    return UNKNOWN_VERSION
