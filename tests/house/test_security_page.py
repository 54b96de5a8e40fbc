"""The page of threats: each names a test that is there, and each test of hostile input is named."""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "security.md"
# They show that what the others bend is sound before it is bent.
_OF_SOUND_INPUT = re.compile(r"test_(a_sound|the_documents_are_sound)")


def rows() -> list[list[str]]:
    lines = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("| ")]
    return [cells for line in lines if (cells := [cell.strip() for cell in line.strip("|").split("|")])[0] != "Threat"]


def named() -> list[str]:
    return [cells[2].strip("`") for cells in rows()]


def functions_of(path: Path) -> set[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    functions = (node.name for node in tree.body if isinstance(node, ast.FunctionDef))
    place = path.relative_to(ROOT).as_posix()
    return {f"{place}::{name}" for name in functions if name.startswith("test_")}


def test_every_threat_has_a_defence_and_one_test_that_is_there() -> None:
    assert len(rows()) > 50
    for cells in rows():
        assert len(cells) == 3, cells
        assert all(cells), cells
        place = ROOT / cells[2].strip("`").partition("::")[0]
        assert place.is_file(), cells
        assert cells[2].strip("`") in functions_of(place), cells


def test_no_test_stands_for_two_threats() -> None:
    assert len(set(named())) == len(named())


def test_every_test_of_hostile_input_is_named() -> None:
    hostile = {name for path in (ROOT / "tests" / "hostile").glob("test_*.py") for name in functions_of(path)}

    assert {name for name in hostile if not _OF_SOUND_INPUT.search(name)} <= set(named())
