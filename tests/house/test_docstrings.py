"""What users import says what it raises: each public function, class and method whose code raises has ``Raises``.

What is raised is found in the source: ``raise`` itself, and calls of the package's own functions
that do, unless a ``try`` around them catches errors. Calls of methods are not followed.
"""

from __future__ import annotations

import ast
import functools
import importlib
import inspect
import re
from typing import TYPE_CHECKING

import pytest
from house.test_public_api import NAMES
from support.changed_depots import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

    Function = ast.FunctionDef | ast.AsyncFunctionDef

# What a caller cannot bring about, or what Python itself expects of such a method.
NOT_OURS = {"AssertionError", "AttributeError", "NotImplementedError", "StopIteration", "TypeError"}
# Its errors are for those who write the library: a code or fact that the table lacks.
NOT_FOLLOWED = {("esximage_builder.codes", name) for name in ("code_of", "layer_of", "make_finding")}
CONSTRUCTORS = ("__init__", "__new__", "__attrs_post_init__")


@functools.cache
def tree_of(module: str) -> ast.Module:
    return ast.parse(ROOT.joinpath(*module.split(".")).with_suffix(".py").read_text(encoding="utf-8"))


@functools.cache
def functions_of(module: str) -> dict[str, Function]:
    return {node.name: node for node in tree_of(module).body if isinstance(node, ast.FunctionDef)}


@functools.cache
def imported_into(module: str) -> dict[str, tuple[str, str]]:
    """Name to module and name, of what a module takes from the package."""
    return {
        alias.asname or alias.name: (node.module, alias.name)
        for node in ast.walk(tree_of(module))
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("esximage_builder.")
        for alias in node.names
    }


def reached(nodes: list[ast.stmt]) -> Iterator[ast.AST]:
    """Yield what runs when these statements do: not the bodies of functions inside, nor what a ``try`` guards."""
    waiting: list[ast.AST] = [*nodes]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.FunctionDef | ast.Lambda | ast.ClassDef):
            continue
        yield node
        if isinstance(node, ast.Try) and node.handlers:
            waiting += [*node.handlers, *node.orelse, *node.finalbody]
        else:
            waiting += ast.iter_child_nodes(node)


def raises(module: str, nodes: list[ast.stmt]) -> bool:
    for node in reached(nodes):
        if isinstance(node, ast.Raise) and _raised_name(node) not in NOT_OURS:
            return True
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            home, name = imported_into(module).get(node.func.id, (module, node.func.id))
            if function_raises(home, name):
                return True
    return False


def _raised_name(node: ast.Raise) -> str:
    raised = node.exc.func if isinstance(node.exc, ast.Call) else node.exc
    return raised.id if isinstance(raised, ast.Name) else ""


@functools.cache
def function_raises(module: str, name: str) -> bool:
    function = functions_of(module).get(name)
    if function is None or (module, name) in _UNDER_WAY | NOT_FOLLOWED:
        return False
    _UNDER_WAY.add((module, name))
    try:
        return raises(module, function.body)
    finally:
        _UNDER_WAY.discard((module, name))


_UNDER_WAY: set[tuple[str, str]] = set()


def public_code() -> Iterator[tuple[str, str, list[ast.stmt], str]]:
    """Yield name, module, code and docstring of each public function, class and method."""
    for home, name in sorted({(home, name) for _, home, name in NAMES}):
        found = getattr(importlib.import_module(f"esximage_builder.{home}"), name)
        module = f"esximage_builder.{home}"
        if inspect.isfunction(found):
            yield name, module, functions_of(module)[name].body, ast.get_docstring(functions_of(module)[name]) or ""
        for node in tree_of(module).body if inspect.isclass(found) else ():
            if isinstance(node, ast.ClassDef) and node.name == name:
                yield from _code_of_class(node, module)


def _code_of_class(node: ast.ClassDef, module: str) -> Iterator[tuple[str, str, list[ast.stmt], str]]:
    methods = {item.name: item for item in node.body if isinstance(item, ast.FunctionDef)}
    constructing = [item.body for name, item in methods.items() if name in CONSTRUCTORS or _is_validator(item)]
    of_class = ast.get_docstring(node) or ""
    yield node.name, module, [statement for body in constructing for statement in body], of_class
    for name, item in methods.items():
        if not name.startswith("_"):
            told = re.search(rf"(?m)^    {name}: .*", of_class)  # an attribute that is computed once
            yield f"{node.name}.{name}", module, item.body, ast.get_docstring(item) or (told[0] if told else "")


def _is_validator(item: Function) -> bool:
    return any("validator" in ast.unparse(decorator) for decorator in item.decorator_list)


CODE = [pytest.param(module, nodes, told, id=name) for name, module, nodes, told in public_code()]


@pytest.mark.parametrize(("module", "nodes", "told"), CODE)
def test_what_users_import_says_what_it_is_and_what_it_raises(module: str, nodes: list[ast.stmt], told: str) -> None:
    assert told
    if raises(module, nodes):
        assert "Raises:\n" in told


def test_the_search_finds_what_is_raised_far_away() -> None:
    """By its own code, by a private function, by one of another module, and not where it is caught."""
    assert function_raises("esximage_builder.depot.opening", "read_image_database")
    assert function_raises("esximage_builder.authoring.vib", "boot_payload")
    assert function_raises("esximage_builder.verify.vib_file", "verify_vib")
    assert not function_raises("esximage_builder.rules.diff", "diff")
