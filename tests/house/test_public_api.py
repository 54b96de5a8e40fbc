"""The public interface: one table of names, the same at run time and for type checkers, and cheap to import."""

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
NAMES: list[tuple[str, str]] = [(home, name) for home, names in DOOR._HOMES.items() for name in names]
MODULES = sorted(
    ".".join(path.relative_to(ROOT).with_suffix("").parts)
    for path in PACKAGE.rglob("*.py")
    if path.name not in ("__init__.py", "__main__.py")
)


@pytest.mark.parametrize(("home", "name"), NAMES, ids=[name for _, name in NAMES])
def test_each_name_comes_from_its_home(home: str, name: str) -> None:
    module = importlib.import_module(f"esximage_builder.{home}")
    assert getattr(eib, name) is getattr(module, name)
    assert name in module.__all__


def test_no_name_has_two_homes() -> None:
    names = [name for _, name in NAMES]
    assert len(names) == len(set(names))
    assert list(DOOR.__all__) == sorted(names)


def stub_names() -> dict[str, str]:
    """Name to home module, as the stub says; every line but that of the version re-exports."""
    found = {}
    *nodes, version = ast.parse((PACKAGE / "__init__.pyi").read_text(encoding="utf-8")).body
    assert ast.unparse(version) == "__version__: str"
    for node in nodes:
        assert isinstance(node, ast.ImportFrom), ast.dump(node)
        for alias in node.names:
            assert alias.asname == alias.name, f"{alias.name} is not re-exported"
            assert alias.name not in found
            found[alias.name] = (node.module or "").removeprefix("esximage_builder.")
    return found


def test_the_stub_says_the_same_as_the_table() -> None:
    """Type checkers see what there is, no more and no less."""
    assert stub_names() == {name: home for home, name in NAMES}


def test_dir_lists_the_interface() -> None:
    listed = dir(eib)
    assert listed == sorted(set(listed))
    assert {*DOOR.__all__, "__version__"} <= set(listed)


def test_a_star_import_gives_the_interface() -> None:
    namespace: dict[str, object] = {}
    exec("from esximage_builder import *", namespace)  # noqa: S102 - what the test is about
    assert namespace.keys() - {"__builtins__"} == set(DOOR.__all__)


@pytest.mark.parametrize("name", ["open_depo", "__path_", "lxml", "_private"])
def test_other_names_are_attribute_errors(name: str) -> None:
    with pytest.raises(AttributeError, match=f"has no attribute '{name}'"):
        getattr(eib, name)


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
    assert {name for name in loaded if name.startswith("esximage_builder.")} == set()


def test_composing_needs_no_bytes_and_no_xml() -> None:
    """The rules are plain values in, plain values out."""
    loaded = imported_by("import esximage_builder as eib\neib.compose, eib.validate, eib.Catalog")
    assert loaded & {"lxml", "pycdlib", "cryptography", "asn1crypto", "zipfile", "tarfile"} == set()


def test_opening_depots_needs_no_signature_library() -> None:
    """The extra is needed by those who sign or look into signatures."""
    loaded = imported_by("import esximage_builder as eib\neib.open_depot, eib.export_iso, eib.export_bundle")
    assert loaded & {"cryptography", "asn1crypto"} == set()


@pytest.mark.parametrize("name", [name for _, name in NAMES if name.endswith("Error") or name == "DepotErrors"])
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
