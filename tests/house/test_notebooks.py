"""The notebooks are what their cells give, from the first to the last."""

from __future__ import annotations

import importlib.util
import json
from typing import Any

import pytest
from support.changed_depots import ROOT

FOLDER = ROOT / "docs" / "notebooks"


def script() -> Any:
    spec = importlib.util.spec_from_file_location("make_notebooks", ROOT / "docs" / "make_notebooks.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


NAMES = tuple(script().NOTEBOOKS)


def test_every_notebook_is_made_by_the_script() -> None:
    assert sorted(path.name for path in FOLDER.iterdir() if path.suffix == ".ipynb") == sorted(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_a_notebook_shows_what_its_cells_give(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(FOLDER)
    made = script()
    assert made.notebook(made.NOTEBOOKS[name]) == (FOLDER / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("name", NAMES)
def test_a_notebook_is_one_that_jupyter_opens(name: str) -> None:
    """What nbformat 4.5 asks for; no output holds a script."""
    document = json.loads((FOLDER / name).read_text(encoding="utf-8"))
    assert (document["nbformat"], document["nbformat_minor"]) == (4, 5)
    cells = document["cells"]
    assert len({cell["id"] for cell in cells}) == len(cells)
    assert cells[0]["cell_type"] == "markdown"
    assert cells[0]["source"][0].startswith("# ")
    for cell in cells:
        assert cell.keys() == {"cell_type", "id", "metadata", "source"} | (
            {"outputs", "execution_count"} if cell["cell_type"] == "code" else set()
        )
    outputs = [output for cell in cells for output in cell.get("outputs", ())]
    pages = ["".join(output["data"].get("text/html", ())) for output in outputs if "data" in output]
    assert sum(map(bool, pages)) >= 2
    assert not any("<script" in page for page in pages)
