"""The public interface: tables of names, the same at run time and for type checkers, and cheap to import.

The package has one table, and so has each front: a folder that outsiders import from.
"""

from __future__ import annotations

import ast
import importlib
import json
import pickle
import subprocess
import sys
from typing import Any

import pytest
from support.changed_depots import ROOT, clean_environment

import esximage_builder as eib

PACKAGE = ROOT / "esximage_builder"
DOOR: Any = eib  # the stub hides what is no name of the interface
FRONTS: tuple[str, ...] = DOOR._FRONTS
DOORS: dict[str, Any] = {
    "esximage_builder": DOOR,
    **{name: importlib.import_module(name) for name in (f"esximage_builder.{front}" for front in FRONTS)},
}
TABLES: dict[str, dict[str, str]] = {
    door: {name: home for home, names in module._HOMES.items() for name in names} for door, module in DOORS.items()
}
NAMES: list[tuple[str, str, str]] = [
    (door, home, name) for door, table in TABLES.items() for name, home in table.items()
]
each_door = pytest.mark.parametrize("door", DOORS)
MODULES = sorted(
    ".".join(path.relative_to(ROOT).with_suffix("").parts)
    for path in PACKAGE.rglob("*.py")
    if path.name not in ("__init__.py", "__main__.py")
)


@pytest.mark.parametrize(("door", "home", "name"), NAMES, ids=[f"{door}.{name}" for door, _, name in NAMES])
def test_each_name_comes_from_its_home(door: str, home: str, name: str) -> None:
    module = importlib.import_module(f"esximage_builder.{home}")
    assert getattr(DOORS[door], name) is getattr(module, name)
    assert name in module.__all__


@each_door
def test_no_name_has_two_homes(door: str) -> None:
    names = [name for listed in DOORS[door]._HOMES.values() for name in listed]
    assert len(names) == len(set(names))
    assert list(DOORS[door].__all__) == sorted(names)


def test_a_name_is_the_same_thing_at_each_door() -> None:
    """What stands at the package and at a front comes from one home."""
    homes: dict[str, set[str]] = {}
    for _, home, name in NAMES:
        homes.setdefault(name, set()).add(home)
    assert {name: found for name, found in homes.items() if len(found) > 1} == {}


def test_making_things_is_at_its_front_only() -> None:
    """Those who read need none of it; verifying and hosts are at both."""
    root = TABLES["esximage_builder"].keys()
    assert root & TABLES["esximage_builder.authoring"].keys() == set()
    assert TABLES["esximage_builder.verify"].keys() <= root
    assert "judge_host" in root & TABLES["esximage_builder.hosts"].keys()


def stub_names(door: str) -> dict[str, str]:
    """Name to home module, as the stub says; every line but that of the version re-exports."""
    found = {}
    folder = ROOT.joinpath(*door.split("."))
    nodes = ast.parse((folder / "__init__.pyi").read_text(encoding="utf-8")).body
    if door == "esximage_builder":
        assert ast.unparse(nodes.pop()) == "__version__: str"
    for node in nodes:
        assert isinstance(node, ast.ImportFrom), ast.dump(node)
        for alias in node.names:
            assert alias.asname == alias.name, f"{alias.name} is not re-exported"
            assert alias.name not in found
            found[alias.name] = (node.module or "").removeprefix("esximage_builder").lstrip(".")
    return found


@each_door
def test_the_stub_says_the_same_as_the_table(door: str) -> None:
    """Type checkers see what there is, no more and no less."""
    fronts = dict.fromkeys(FRONTS, "") if door == "esximage_builder" else {}
    assert stub_names(door) == TABLES[door] | fronts


@each_door
def test_dir_lists_the_interface(door: str) -> None:
    listed = dir(DOORS[door])
    assert listed == sorted(set(listed))
    assert set(DOORS[door].__all__) <= set(listed)


def test_dir_of_the_package_lists_its_fronts_and_version_too() -> None:
    assert {*FRONTS, "__version__"} <= set(dir(eib))


@each_door
def test_a_star_import_gives_the_interface(door: str) -> None:
    namespace: dict[str, object] = {}
    exec(f"from {door} import *", namespace)  # noqa: S102 - what the test is about
    assert namespace.keys() - {"__builtins__"} == set(DOORS[door].__all__)


@each_door
@pytest.mark.parametrize("name", ["open_depo", "__path_", "lxml", "_private"])
def test_other_names_are_attribute_errors(door: str, name: str) -> None:
    with pytest.raises(AttributeError, match=f"module '{door}' has no attribute '{name}'"):
        getattr(DOORS[door], name)


@pytest.mark.parametrize("module_name", MODULES)
def test_every_module_says_what_is_public(module_name: str) -> None:
    """All names in ``__all__`` exist, are sorted or at least listed once, and are documented."""
    module = importlib.import_module(module_name)
    assert module.__doc__
    public = module.__all__
    assert len(public) == len(set(public))
    for name in public:
        found = getattr(module, name)
        assert not name.startswith("_")
        if callable(found) and getattr(found, "__module__", "") == module_name:
            assert found.__doc__, f"{module_name}.{name} has no docstring"


@pytest.mark.parametrize("module_name", MODULES)
def test_what_a_module_defines_in_public_it_lists(module_name: str) -> None:
    """A function or class without underscore is public: it stands in ``__all__``, or gets an underscore."""
    path = ROOT.joinpath(*module_name.split(".")).with_suffix(".py")
    tree = ast.parse(path.read_text(encoding="utf-8"))
    defined = {
        node.name
        for node in tree.body
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_")
    }
    module = importlib.import_module(module_name)
    assert defined <= set(module.__all__)


def imported_by(code: str) -> set[str]:
    """The modules that a fresh process has loaded after running ``code``."""
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\nimport json, sys\nprint(json.dumps(sorted(sys.modules)))"],
        env=clean_environment(),
        capture_output=True,
        check=True,
    )
    return set(json.loads(done.stdout.splitlines()[-1]))


HEAVY = {"lxml", "pycdlib", "cryptography", "asn1crypto", "packaging", "attr", "attrs", "zipfile", "tarfile"}


def test_importing_the_package_loads_nothing_of_others() -> None:
    loaded = imported_by("import esximage_builder\nassert dir(esximage_builder)")
    assert loaded & HEAVY == set()
    assert {name for name in loaded if name.startswith("esximage_builder.")} == {"esximage_builder.lazy_names"}


@pytest.mark.parametrize("front", FRONTS)
@pytest.mark.parametrize("form", ["import esximage_builder.{0} as front", "from esximage_builder import {0} as front"])
def test_importing_a_front_loads_nothing_but_the_front(front: str, form: str) -> None:
    loaded = imported_by(f"{form.format(front)}\nassert dir(front)")
    assert loaded & HEAVY == set()
    own = {name for name in loaded if name.startswith("esximage_builder.")}
    assert own == {"esximage_builder.lazy_names", f"esximage_builder.{front}"}


@pytest.mark.parametrize("name", ["esximage_builder", *(f"esximage_builder.{front}" for front in FRONTS)])
def test_completion_offers_public_names_only(name: str) -> None:
    package = importlib.import_module(name)
    offered = {found for found in dir(package) if not found.startswith("__")}
    assert offered == {*package.__all__, *(FRONTS if name == "esximage_builder" else ())} - {"__version__"}


@pytest.mark.parametrize("front", FRONTS)
def test_a_front_is_reached_through_the_package_too(front: str) -> None:
    imported_by(f"import esximage_builder as eib\nassert eib.{front}.__all__")


def test_composing_needs_no_bytes_and_no_xml() -> None:
    """The rules are plain values in, plain values out."""
    loaded = imported_by("import esximage_builder as eib\neib.compose, eib.validate, eib.Catalog")
    assert loaded & {"lxml", "pycdlib", "cryptography", "asn1crypto", "zipfile", "tarfile"} == set()


def test_opening_depots_needs_no_signature_library() -> None:
    """The extra is needed by those who sign or look into signatures."""
    loaded = imported_by("import esximage_builder as eib\neib.open_depot, eib.export_iso, eib.export_bundle")
    assert loaded & {"cryptography", "asn1crypto"} == set()


@pytest.mark.parametrize("name", [name for name in eib.__dict__["__all__"] if name.endswith(("Error", "Errors"))])
def test_every_error_is_one_of_ours_and_travels(name: str) -> None:
    kind = getattr(eib, name)
    assert issubclass(kind, eib.EsxImageError)
    assert kind.code
    error = kind("message", [eib.DepotError("inner")]) if name == "DepotErrors" else kind("message", where="place")
    again = pickle.loads(pickle.dumps(error))  # noqa: S301 - our own
    assert type(again) is kind
    assert again.as_dict() == error.as_dict()


def test_the_package_is_typed() -> None:
    """The marker of PEP 561 lies beside the modules."""
    assert (PACKAGE / "py.typed").is_file()
