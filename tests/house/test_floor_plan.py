"""The house has floors: a folder knows only lower ones, nothing goes in circles, each library has one door.

The plan is the order of folders. Inside a folder any module may know any other, as long as the
imports do not lead back; a new file needs no line here.
"""

from __future__ import annotations

import ast
import graphlib
from collections import defaultdict
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "esximage_builder"

# From the ground up. The ground is what stands beside the folders.
GROUND = ""
FLOORS = (
    GROUND,
    "models",
    "streams",
    "containers",
    "documents",
    "rules",
    "hosts",
    "depot",
    "verify",
    "export",
    "authoring",
    "views",
    "cli",
)
# The door stands above all: names only, resolved when they are used.
DOOR = ("", "__main__")

# Folders that outsiders import from, and what stands in their ``__init__.py`` beside the docstring.
FRONTS = ("authoring", "hosts", "verify")
FRONT_STATEMENTS = (
    "from __future__ import annotations",
    "from esximage_builder.lazy_names import lazy_names",
    "_HOMES",
    "__all__, __getattr__, __dir__ = lazy_names(__name__, _HOMES)",
)

# Folders that do not know each other although one stands above the other: the hard edges.
APART = {
    "authoring": {"export"},
    "streams": {"models"},
    "containers": {"models"},
    "rules": {"streams", "containers", "documents"},
    "hosts": {"streams", "containers", "documents"},
}

OWNERS = {
    "lxml": {"containers.xml"},
    "packaging": {"versions"},
    "pycdlib": {"containers.iso9660"},
    "cryptography": {"containers.cms", "containers.certificates"},
    "asn1crypto": {"containers.cms", "containers.certificates"},
    "cyclonedx": {"documents.cyclonedx"},
    "packageurl": {"documents.cyclonedx"},
    "spdx_tools": {"documents.spdx"},
    "zipfile": set[str](),
    "tarfile": {"containers.tar_gz"},
}


def module_name(path: Path) -> str:
    name = ".".join(path.relative_to(PACKAGE).with_suffix("").parts)
    return name.removesuffix("__init__").rstrip(".")


MODULES = {module_name(path): path for path in sorted(PACKAGE.rglob("*.py"))}
FOLDERS = {path.parent.name for path in PACKAGE.glob("*/__init__.py")}


def folder_of(module: str) -> str:
    folder, dot, _ = module.partition(".")
    return folder if dot or folder in FOLDERS else GROUND


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


def own_imports(module: str) -> list[tuple[int, str]]:
    """Lines and names of what a module imports of the package; imports for type checking count too."""
    return [
        (line, name.removeprefix("esximage_builder").lstrip("."))
        for line, name in imported_names(MODULES[module])
        if name.split(".")[0] == "esximage_builder"
    ]


@pytest.mark.parametrize("module", sorted(set(MODULES) - set(DOOR)))
def test_a_module_knows_only_its_own_folder_and_lower_ones(module: str) -> None:
    folder = folder_of(module)
    lower = set(FLOORS[: FLOORS.index(folder) + 1]) - APART.get(folder, set())

    for line, target in own_imports(module):
        assert target, f"{module}:{line} imports the door"
        assert folder_of(target) in lower, f"{module}:{line} imports {target}"


@pytest.mark.parametrize("folder", FLOORS, ids=lambda folder: folder or "ground")
def test_imports_inside_a_folder_do_not_go_in_circles(folder: str) -> None:
    graph: dict[str, set[str]] = defaultdict(set)
    for module in set(MODULES) - set(DOOR):
        if folder_of(module) == folder:
            graph[module] = {target for _, target in own_imports(module) if folder_of(target) == folder}

    graphlib.TopologicalSorter(graph).prepare()


@pytest.mark.parametrize("library", sorted(OWNERS))
def test_a_library_has_one_door(library: str) -> None:
    importers = {
        module
        for module, path in MODULES.items()
        if any(name.split(".")[0] == library for _, name in imported_names(path))
    }

    assert importers <= OWNERS[library]


def test_the_plan_names_every_folder_and_no_other() -> None:
    """A floor without rooms would be a promise nobody keeps."""
    assert set(FLOORS) - {GROUND} == FOLDERS


@pytest.mark.parametrize("folder", sorted(FOLDERS))
def test_the_front_of_a_folder_only_says_what_it_is(folder: str) -> None:
    """Outsiders import from some folders: those say besides which names they have, in a table, and nothing else."""
    tree = ast.parse(MODULES[folder].read_text(encoding="utf-8"))

    assert ast.get_docstring(tree)
    expected = 1 if folder not in FRONTS else 1 + len(FRONT_STATEMENTS)
    assert len(tree.body) == expected
    if folder in FRONTS:
        assert tuple(ast.unparse(node).partition(" = {")[0] for node in tree.body[1:]) == FRONT_STATEMENTS


@pytest.mark.parametrize("folder", FRONTS)
def test_a_front_names_only_what_its_folder_may_know(folder: str) -> None:
    """The homes in its table are texts, which the other tests do not see as imports."""
    lower = set(FLOORS[: FLOORS.index(folder) + 1]) - APART.get(folder, set())
    table = next(
        ast.literal_eval(node.value)
        for node in ast.parse(MODULES[folder].read_text(encoding="utf-8")).body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "_HOMES"
    )

    assert {folder_of(home) for home in table} <= lower
