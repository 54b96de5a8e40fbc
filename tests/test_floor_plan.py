"""The house has floors: a module imports only from lower ones, and each library has one door."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "esximage_builder"

# A module's floor is that of the longest prefix listed here. Decimals order the rooms of a
# floor; rooms with the same number do not know each other.
FLOORS = {
    "findings": 0.0,
    "errors": 0.1,
    "whole_file": 0.2,
    "whole_folder": 0.2,
    "limits": 0.2,
    "progress": 0.2,
    "vocabulary": 1.0,
    "checksums": 1.0,
    "disc_files": 1.0,
    "streams": 1.1,
    "shared_file": 1.1,
    "versions": 1.0,
    "models.fields": 2.0,
    "models.constraint": 2.1,
    "models.vib": 2.2,
    "models.component": 2.3,
    "models.image_profile": 2.3,
    "models.base_image": 2.4,
    "models.add_on": 2.4,
    "models.solution": 2.4,
    "models.hardware_support": 2.4,
    "models.catalog": 2.5,
    "models.spec": 2.5,
    "models.vib_store": 2.5,
    "models.image": 2.6,
    "models.lock": 2.6,
    "models.sbom": 2.6,
    "models.host": 2.6,
    "formats.member_name": 3.05,
    "formats.ustar": 3.05,
    "formats.xml": 3.11,
    "formats.json_document": 3.1,
    "formats.gzip": 3.1,
    "formats.zstd": 3.1,
    "formats.zip_records": 3.1,
    "formats.ar": 3.1,
    "formats.vmtar": 3.1,
    "formats.iso9660_reader": 3.1,
    "formats.boot_info_table": 3.11,
    "formats.iso9660": 3.12,
    "formats.zip": 3.12,
    "formats.zip_writer": 3.12,
    "formats.tar_gz": 3.12,
    "formats.cms": 3.1,
    "formats.dates": 3.1,
    "formats.software_platform": 3.15,
    "formats.vib_descriptor": 3.2,
    "formats.bulletin": 3.2,
    "formats.image_profile": 3.2,
    "formats.release_unit": 3.2,
    "formats.depot_index": 3.2,
    "formats.boot_cfg": 3.2,
    "formats.kickstart": 3.2,
    "formats.software_spec": 3.2,
    "formats.cyclonedx": 3.2,
    "formats.spdx": 3.2,
    "formats.vib_archive": 3.3,
    "formats.metadata_response": 3.3,
    "formats.lock_file": 3.3,
    "formats.image_database": 3.35,
    "rules.relations": 4.0,
    "rules.releases": 4.0,
    "rules.vib_selection": 4.05,
    "rules.classify": 4.1,
    "rules.compose": 4.1,
    "rules.compatibility": 4.1,
    "rules.boot_layout": 4.2,
    "rules.locked": 4.2,
    "rules.validate": 4.2,
    "rules.diff": 4.2,
    "rules.decompose": 4.2,
    "rules.layers": 4.3,
    "rules.recommend": 4.3,
    "rules.explain": 4.4,
    "depot": 5.0,
    "export": 6.1,
    "authoring": 6.2,
    "cli": 7.0,
    "__main__": 7.1,
    "": 7.2,
}

OWNERS = {
    "lxml": {"formats.xml"},
    "packaging": {"versions"},
    "pycdlib": {"formats.iso9660"},
    "cryptography": {"formats.cms"},
    "asn1crypto": {"formats.cms"},
    "cyclonedx": {"formats.cyclonedx"},
    "packageurl": {"formats.cyclonedx"},
    "spdx_tools": {"formats.spdx"},
    "zipfile": set[str](),
    "tarfile": {"formats.tar_gz"},
}

# The door resolves names lazily; within a package of rooms, siblings may know each other.
HALLWAYS = ("depot", "export", "authoring")


def module_name(path: Path) -> str:
    name = ".".join(path.relative_to(PACKAGE).with_suffix("").parts)
    return name.removesuffix("__init__").rstrip(".")


MODULES = {module_name(path): path for path in sorted(PACKAGE.rglob("*.py"))}


# Folders of rooms; their __init__ says what they are and imports nothing.
PACKAGES = {module for module, path in MODULES.items() if path.name == "__init__.py"}


def floor_of(module: str) -> float:
    parts = module.split(".")
    for length in range(len(parts), -1, -1):
        prefix = ".".join(parts[:length])
        if prefix in FLOORS and (prefix or not module):
            return FLOORS[prefix]
    pytest.fail(f"{module or '__init__'} stands on no floor: add it to FLOORS")


def imported_names(path: Path) -> list[tuple[int, str]]:
    names: list[tuple[int, str]] = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names += [(node.lineno, alias.name) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: import by full name"
            module = node.module or ""
            for alias in node.names:
                submodule = f"{module}.{alias.name}".removeprefix("esximage_builder.")
                names.append((node.lineno, f"esximage_builder.{submodule}" if submodule in MODULES else module))
    return names


@pytest.mark.parametrize("module", sorted(MODULES))
def test_a_module_imports_only_from_lower_floors(module: str) -> None:
    own_imports = [
        (line, name.removeprefix("esximage_builder").lstrip("."))
        for line, name in imported_names(MODULES[module])
        if name.startswith("esximage_builder")
    ]
    is_signpost = module in PACKAGES and not own_imports
    own_floor = 0.0 if is_signpost else floor_of(module)
    for line, target in own_imports:
        same_hallway = any(module.startswith(hall) and target.startswith(hall) for hall in HALLWAYS)
        assert same_hallway or floor_of(target) < own_floor, (
            f"{module}:{line} (floor {own_floor}) imports {target} (floor {floor_of(target)})"
        )


@pytest.mark.parametrize("library", sorted(OWNERS))
def test_a_library_has_one_door(library: str) -> None:
    importers = {
        module
        for module, path in MODULES.items()
        if any(name.split(".")[0] == library for _, name in imported_names(path))
    }

    assert importers <= OWNERS[library]


def test_every_floor_is_lived_on() -> None:
    """A line in the table without a module would be a promise nobody keeps."""
    for prefix in FLOORS:
        assert prefix in MODULES, f"{prefix} stands in FLOORS but not in the package"
