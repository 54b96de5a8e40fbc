"""Which findings the package makes, by its source: codes, severities and facts of every call."""

from __future__ import annotations

import ast
import functools
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

__all__ = ["PACKAGE", "FindingCall", "asked_codes", "codes_in", "finding_calls", "sources"]

PACKAGE = Path(__file__).parents[2] / "esximage_builder"
_MAKER = "make_finding"


@dataclass(frozen=True, kw_only=True)
class FindingCall:
    """A call that makes a finding: where it is, its possible codes, its severities if given, its facts."""

    place: str
    codes: frozenset[str]
    severities: frozenset[str]
    facts: frozenset[str]


def sources() -> tuple[Path, ...]:
    """Every module of the package but the table itself."""
    return tuple(path for path in sorted(PACKAGE.rglob("*.py")) if path.name != "codes.py")


@functools.cache
def finding_calls(path: Path) -> tuple[FindingCall, ...]:
    """Return the calls of one module that make a finding."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return tuple(
        _finding_call(call, function, tree, f"{path.name}:{call.lineno}")
        for function in ast.walk(tree)
        if isinstance(function, ast.FunctionDef)
        for call in _calls_of(function, _MAKER)
    )


def codes_in(module: ModuleType) -> set[str]:
    """The finding codes that a module's source states: each of them has to be tested."""
    assert module.__file__ is not None
    return set().union(*(call.codes for call in finding_calls(Path(module.__file__))))


def asked_codes() -> dict[str, str]:
    """Return the codes that the package looks up or asks findings for, each with a place."""
    return {
        str(argument.value): f"{path.name}:{call.lineno}"
        for path in sources()
        for name in ("has_code", "code_of", "layer_of")
        for call in _calls_of(ast.parse(path.read_text(encoding="utf-8")), name)
        for argument in call.args
        if isinstance(argument, ast.Constant)
    }


def _calls_of(node: ast.AST, name: str) -> list[ast.Call]:
    calls = (child for child in ast.walk(node) if isinstance(child, ast.Call))
    return [call for call in calls if isinstance(call.func, ast.Name) and call.func.id == name]


def _finding_call(call: ast.Call, function: ast.FunctionDef, tree: ast.Module, place: str) -> FindingCall:
    keywords = {keyword.arg: keyword.value for keyword in call.keywords}
    severity, facts = keywords.get("severity"), keywords.get("facts")
    return FindingCall(
        place=place,
        codes=frozenset(_codes(call.args[0], function, tree, place)),
        severities=frozenset() if severity is None else _severities(severity, place),
        facts=frozenset() if facts is None else _fact_names(facts, function, place),
    )


def _either(node: ast.expr) -> tuple[ast.expr, ...]:
    return (node.body, node.orelse) if isinstance(node, ast.IfExp) else (node,)


def _severities(node: ast.expr, place: str) -> frozenset[str]:
    choices = [choice for choice in _either(node) if isinstance(choice, ast.Attribute)]
    assert len(choices) == len(_either(node)), f"{place}: a severity is written out"
    return frozenset(choice.attr.lower() for choice in choices)


def _codes(node: ast.expr, function: ast.FunctionDef, tree: ast.Module, place: str) -> set[str]:
    """Return what a code can be: written out, or a parameter that every caller in the module writes out."""
    if isinstance(node, ast.Constant):
        return {str(node.value)}
    assert isinstance(node, ast.Name), f"{place}: a code is written out"
    names = [argument.arg for argument in (*function.args.args, *function.args.kwonlyargs)]
    given = [_argument(call, names.index(node.id), node.id) for call in _calls_of(tree, function.name)]
    found: set[str] = set()
    for value in (choice for argument in given for choice in _either(argument)):
        if isinstance(value, ast.Name):  # handed on from one parameter to the next
            owner = next(f for f in ast.walk(tree) if isinstance(f, ast.FunctionDef) and value in set(ast.walk(f)))
            found |= _codes(value, owner, tree, place)
        else:
            assert isinstance(value, ast.Constant), f"{place}: a code is written out"
            found.add(str(value.value))
    return found


def _argument(call: ast.Call, index: int, name: str) -> ast.expr:
    keywords = {keyword.arg: keyword.value for keyword in call.keywords}
    return keywords[name] if name in keywords else call.args[index]


def _fact_names(node: ast.expr, function: ast.FunctionDef, place: str) -> frozenset[str]:
    """Return the keys of a dictionary that is written out, in the call or under a name of the same function."""
    if isinstance(node, ast.Name):
        return frozenset().union(*(_fact_names(value, function, place) for value in _assigned(function, node.id)))
    assert isinstance(node, ast.Dict), f"{place}: facts are written out"
    return frozenset(str(key.value) for key in node.keys if isinstance(key, ast.Constant))


def _assigned(function: ast.FunctionDef, name: str) -> list[ast.expr]:
    found = []
    for node in ast.walk(function):
        if isinstance(node, ast.Assign):
            for target in node.targets:
                if isinstance(target, ast.Name) and target.id == name:
                    found.append(node.value)
                elif isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple):
                    pairs = zip(target.elts, node.value.elts, strict=True)
                    found += [value for part, value in pairs if isinstance(part, ast.Name) and part.id == name]
    return found
