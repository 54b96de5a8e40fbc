"""Words for people and tools have one room: values are made below, told of in ``views``, painted from blocks alone."""

from __future__ import annotations

import ast

import pytest
from house.test_floor_plan import MODULES, folder_of, own_imports

# What errors say of themselves belongs to them: they are raised where no view is at hand.
SPEAKS_FOR_ITSELF = {"errors"}
# A depot zip is made of bytes for other programs, as the documents inside it are.
MAKES_BYTES = {"depot.depot_zip"}
WITHOUT_WORDS = sorted(
    module
    for module in MODULES
    if module not in SPEAKS_FOR_ITSELF | MAKES_BYTES
    and folder_of(module) in ("", "models", "rules", "hosts", "depot", "verify")
)
PAINTERS = ("views.text", "views.markdown", "views.html")
# Texts that a painter paints with; they know nothing of ours themselves.
PAINTS = {"views.html_script", "views.html_style"}


@pytest.mark.parametrize("module", WITHOUT_WORDS, ids=lambda module: module or "the door")
def test_below_the_views_nothing_is_rendered(module: str) -> None:
    tree = ast.parse(MODULES[module].read_text(encoding="utf-8"))
    defined = [node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]

    assert [name for name in defined if name.startswith("render_") or name.endswith("as_dict")] == []


@pytest.mark.parametrize("module", PAINTERS)
def test_a_painter_knows_blocks_and_nothing_else_of_ours(module: str) -> None:
    assert {target for _, target in own_imports(module)} - PAINTS == {"views.blocks"}


@pytest.mark.parametrize("module", sorted(PAINTS))
def test_what_a_painter_paints_with_knows_nothing_of_ours(module: str) -> None:
    assert own_imports(module) == []
