"""Builds the documentation site: the pages of this folder, those at the root, and the API from docstrings.

python docs/build_site.py              # build/site/html, every warning an error
python docs/build_site.py --to FOLDER  # somewhere else

The pages are written to be read as files; this script lays them out for Sphinx beside each other.
What stands in the navigation, and in which order, is what index.md lists under "Where to go on".
"""

# ruff: noqa: INP001, S603 - a script beside its pages, which starts Sphinx

from __future__ import annotations

import argparse
import importlib
import inspect
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["DOCS", "lay_out", "navigation"]

DOCS = Path(__file__).parent
ROOT = DOCS.parent

FROM_THE_ROOT = {
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
    "fixtures/README.md": "fixtures.md",
}
"""Pages that stand elsewhere in the source tree, and their names on the site."""

_LINK = re.compile(r"\]\((?P<path>[^)#\s:]+)(?P<rest>#[^)\s]*)?\)")
_ITEM = re.compile(r"\* \[[^\]]*\]\((?P<page>[\w./-]+)\.md\)")


def navigation(index: str) -> dict[str, list[str]]:
    """Return the pages of each heading below "Where to go on", in order."""
    sections: dict[str, list[str]] = {}
    for line in index.partition("\n## Where to go on\n")[2].splitlines():
        if line.startswith("### "):
            sections[line.removeprefix("### ")] = []
        elif found := _ITEM.match(line):
            sections[next(reversed(sections))].append(found["page"])
    return sections


def _on_the_site(text: str, *, page: Path) -> str:
    """Return a page whose links lead to where the linked pages stand on the site."""

    def moved(link: re.Match[str]) -> str:
        target = (page.parent / link["path"]).resolve()
        name = target.relative_to(ROOT).as_posix() if target.is_relative_to(ROOT) else ""
        new = FROM_THE_ROOT.get(name) or (target.relative_to(DOCS).as_posix() if target.is_relative_to(DOCS) else None)
        if new is None:
            return "]"  # a source file: its name stays as text
        depth = "" if page.parent == DOCS or not page.is_relative_to(DOCS) else "../"
        return f"]({depth}{new}{link['rest'] or ''})"

    return _LINK.sub(moved, text).replace("\n```text output\n", "\n{.output}\n```text\n")


def _toctree(pages: list[str], *, caption: str = "") -> str:
    lines = ["```{toctree}", ":hidden:", *([f":caption: {caption}"] if caption else []), "", *pages, "```"]
    return "\n".join(lines) + "\n"


def _decisions() -> str:
    """Return a page that lists the decisions by their headings."""
    pages = sorted((DOCS / "decisions").glob("[0-9]*.md"))
    titles = {page.stem: page.read_text(encoding="utf-8").partition("\n")[0].removeprefix("# ") for page in pages}
    items = [f"* [{title}](decisions/{name}.md)" for name, title in titles.items()]
    head = "# Decisions\n\nWhy things are as they are: context, choices, outcome and price of each.\n\n"
    return head + "\n".join(items) + "\n\n" + _toctree([f"decisions/{name}" for name in titles])


def themes(reference: str) -> Iterator[tuple[str, str, list[str]]]:
    """Yield the title, the module and the names of each section of the reference that has a table of names."""
    for section in re.split(r"(?m)^## ", reference)[1:]:
        names = re.findall(r"(?m)^\| `([A-Za-z]\w*)", section)
        module = re.search(r"names are imported from `([\w.]+)`", section)
        if names:
            yield section.partition("\n")[0], module[1] if module else "esximage_builder", names


def _directive(value: object) -> tuple[str, bool]:
    """Return what Sphinx calls such a value, and whether it has members to tell of."""
    if inspect.isclass(value):
        return ("autoexception" if issubclass(value, Exception) else "autoclass"), True
    return ("autofunction" if inspect.isroutine(value) else "autodata"), False


def _api_page(title: str, module: str, names: list[str]) -> str:
    lines = [f"# {title}", "", f"The names of [this section](../reference.md#{_slug(title)}) in full.", ""]
    lines += ["```{eval-rst}", f".. currentmodule:: {module}", ""]
    for name in names:
        directive, has_members = _directive(getattr(importlib.import_module(module), name))
        lines += [f".. {directive}:: {name}", *(["   :members:"] if has_members else []), ""]
    return "\n".join([*lines, "```", ""])


def _slug(heading: str) -> str:
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def _pages() -> Iterator[tuple[str, str]]:
    """Yield name and text of each page of the site, the first page aside."""
    for page in sorted(DOCS.rglob("*.md")):
        if page != DOCS / "index.md":
            yield page.relative_to(DOCS).as_posix(), _on_the_site(page.read_text(encoding="utf-8"), page=page)
    for source, name in FROM_THE_ROOT.items():
        yield name, _on_the_site((ROOT / source).read_text(encoding="utf-8"), page=ROOT / source)
    yield "decisions.md", _decisions()
    listed = []
    for title, module, names in themes((DOCS / "reference.md").read_text(encoding="utf-8")):
        listed.append(f"api/{_slug(title)}")
        yield f"{listed[-1]}.md", _api_page(title, module, names)
    items = [f"* [](/{page})" for page in listed]
    yield "api.md", "\n".join([_API_HEAD, *items, "", _toctree(listed)])


_API_HEAD = """\
# API, from the docstrings

The [reference](reference.md) has every name on one page; these pages have all that is said of each.
"""


_LAST = {"For those who work on it": ["decisions", "changelog", "contributing", "fixtures"], "Reference": ["api"]}
"""Pages that are made or moved here, added to the sections of the navigation."""


def _first_page() -> str:
    page = DOCS / "index.md"
    text = page.read_text(encoding="utf-8")
    trees = [
        _toctree([*pages, *_LAST.get(caption, ())], caption=caption) for caption, pages in navigation(text).items()
    ]
    return "\n".join([_on_the_site(text, page=page), *trees])


_FILES = ("notebooks", "pictures", "schemas")
"""Folders of files that pages show or link to."""


def lay_out(folder: Path) -> None:
    """Write everything that Sphinx reads into a new folder."""
    shutil.rmtree(folder, ignore_errors=True)
    for name, text in (*_pages(), ("index.md", _first_page())):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    for name in _FILES:
        if (DOCS / name).is_dir():
            shutil.copytree(DOCS / name, folder / name)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--to", type=Path, default=ROOT / "build" / "site", metavar="FOLDER")
    folder: Path = parser.parse_args().to
    lay_out(folder / "source")
    sphinx = (sys.executable, "-m", "sphinx", "--fail-on-warning", "--keep-going", "--quiet", "--fresh-env")
    places = (folder / "source", folder / "html")
    return subprocess.run([*sphinx, "--conf-dir", DOCS / "site", *places], check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
