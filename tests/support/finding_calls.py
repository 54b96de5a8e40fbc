"""Every ``Finding(...)`` in the package, read off its source: which codes there are, and of what severity."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from pathlib import Path

PACKAGE = Path(__file__).parents[2] / "esximage_builder"


@dataclass(frozen=True, kw_only=True)
class FindingCall:
    """A ``Finding(...)`` in the code: its possible codes and its severity."""

    codes: frozenset[str]
    severity: str


def finding_calls(*rooms: str) -> list[FindingCall]:
    """Return the calls in these modules, given by their paths in the package; without any, in all."""
    sources = [PACKAGE / room for room in rooms] or sorted(PACKAGE.rglob("*.py"))
    return [call for source in sources for call in _calls_of(source)]


def _calls_of(source: Path) -> list[FindingCall]:
    tree = ast.parse(source.read_text(encoding="utf-8"))
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    calls = []
    for function in functions:
        for node in ast.walk(function):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Finding":
                keywords = {keyword.arg: keyword.value for keyword in node.keywords}
                severity = keywords["severity"]
                calls.append(
                    FindingCall(
                        codes=frozenset(_codes(keywords["code"], function, tree)),
                        severity=severity.attr.lower() if isinstance(severity, ast.Attribute) else "",
                    )
                )
    return calls


def _codes(node: ast.expr, function: ast.FunctionDef, tree: ast.Module) -> set[str]:
    """Return what an expression for a code can be: a constant, ``f"{kind}-..."`` or a parameter."""
    if isinstance(node, ast.Constant):
        return {str(node.value)}
    if isinstance(node, ast.JoinedStr):
        first, rest = node.values
        assert isinstance(first, ast.FormattedValue)
        assert isinstance(first.value, ast.Name)
        assert isinstance(rest, ast.Constant)
        return {kind + str(rest.value) for kind in _keyword_constants(tree, first.value.id)}
    assert isinstance(node, ast.Name), f"{function.name}: teach this test how its code is made"
    calls = [call for call in ast.walk(tree) if isinstance(call, ast.Call)]
    own = [call for call in calls if isinstance(call.func, ast.Name) and call.func.id == function.name]
    index = [argument.arg for argument in function.args.args].index(node.id)
    return {str(call.args[index].value) for call in own if isinstance(call.args[index], ast.Constant)}  # type: ignore[attr-defined]


def _keyword_constants(tree: ast.Module, name: str) -> set[str]:
    keywords = [node for node in ast.walk(tree) if isinstance(node, ast.keyword) and node.arg == name]
    return {str(keyword.value.value) for keyword in keywords if isinstance(keyword.value, ast.Constant)}
