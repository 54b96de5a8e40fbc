"""The documentation site: every page is on it, and its links stay inside it."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from types import ModuleType

import pytest
from house.test_public_api import TABLES

DOCS = Path(__file__).parents[2] / "docs"


def load_script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("build_site", DOCS / "build_site.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Return what Sphinx would read: texts by name."""
    folder = tmp_path_factory.mktemp("site") / "source"
    load_script().lay_out(folder)
    return {page.relative_to(folder).as_posix(): page.read_text(encoding="utf-8") for page in folder.rglob("*.md")}


def named_in_trees(site: dict[str, str]) -> list[str]:
    trees = [tree for text in site.values() for tree in re.findall(r"(?s)```\{toctree\}\n(.*?)```", text)]
    return [f"{line}.md" for tree in trees for line in tree.splitlines() if line and not line.startswith(":")]


def test_every_page_stands_in_the_navigation_once(site: dict[str, str]) -> None:
    """A page that nobody finds is not written; index.md is the list."""
    assert sorted(named_in_trees(site)) == sorted(set(site) - {"index.md"})


def test_no_link_leaves_the_site_but_to_other_sites(site: dict[str, str]) -> None:
    wrong = []
    for name, text in site.items():
        prose = re.sub(r"`[^`\n]*`", "", re.sub(r"(?s)^(`{3,}).*?^\1$", "", text, flags=re.MULTILINE))
        for target in re.findall(r"\]\(([^)#\s:]+)(?:#[^)\s]*)?\)", prose):
            place = (Path("/") / name).parent / target
            path = place.resolve().relative_to("/").as_posix()
            if f"{path.removesuffix('.md')}.md" not in site and not (DOCS / path).exists():
                wrong.append(f"{name}: {target}")

    assert wrong == []


def test_every_public_name_has_its_docstring_on_a_page(site: dict[str, str]) -> None:
    shown = {
        (module, name)
        for text in site.values()
        for module, body in re.findall(r"(?s)currentmodule:: ([\w.]+)\n(.*?)```", text)
        for name in re.findall(r"\.\. auto\w+:: (\w+)", body)
    }
    at_the_root = TABLES["esximage_builder"].keys()
    wanted = {
        (module, name)
        for module, names in TABLES.items()
        for name in names
        if module == "esximage_builder" or name not in at_the_root
    }

    assert wanted - shown == set()


def test_a_page_stays_plain_markdown() -> None:
    """What only the site understands would be noise for those who read the file."""
    marked = [
        page.name for page in DOCS.rglob("*.md") if re.search(r"(?m)^(`{3,}|:{3,})\{", page.read_text(encoding="utf-8"))
    ]

    assert marked == []
