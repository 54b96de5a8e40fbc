"""The documentation: everything shown runs, every link leads somewhere, nothing public is left out."""

from __future__ import annotations

import argparse
import itertools
import json
import re
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from house.test_floor_plan import FLOORS
from house.test_public_api import TABLES
from support.shown_blocks import PageRun, lend_fixtures, parts_of

from esximage_builder import errors
from esximage_builder.cli import app as cli
from esximage_builder.models.image import ReserveReason, Rule
from esximage_builder.vocabulary import ComponentSource

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = (*(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")), *sorted(DOCS.rglob("*.md")))
SOURCES = tuple(
    path
    for folder in ("esximage_builder", "tests", "fixtures", "benchmarks")
    for path in sorted((ROOT / folder).rglob("*.py"))
    if path != Path(__file__)
)

_LINK = re.compile(r"(?<!!)\[[^\]]*\]\((?P<target>[^)\s]+)\)")
_CODE_REFERENCE = re.compile(r"docs/[\w./-]+\.md(?:#(?P<anchor>[\w-]+)|, \"(?P<heading>[^\"\n]+)\")?")
_CODE_WORD = re.compile(r"`([^`\n]+)`")


def prose_of(page: Path) -> str:
    return "\n".join(parts_of(page)[0])


def slug(heading: str) -> str:
    """Return the anchor that GitHub makes of a heading."""
    text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading)
    return re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-")


def headings_of(page: Path) -> list[str]:
    return [line.lstrip("#").strip() for line in parts_of(page)[0] if re.match(r"#{1,6} ", line)]


def anchors_of(page: Path) -> set[str]:
    return {slug(heading) for heading in headings_of(page)} | set(re.findall(r'<a id="([\w-]+)"', prose_of(page)))


def page_name(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def words_in_code(page: Path) -> set[str]:
    return set(_CODE_WORD.findall(prose_of(page)))


SHOWN_AND_NOT_RUN = {
    "README.md": 2,
    "CONTRIBUTING.md": 1,
    "docs/command-line.md": 4,
    "docs/concepts.md": 1,
    "docs/dependencies.md": 5,
    "docs/first-ten-minutes.md": 1,
    "docs/formats.md": 2,
    "docs/fuzzing.md": 1,
    "docs/hosts.md": 6,
    "docs/howto-ci.md": 2,
    "docs/howto-remote.md": 1,
    "docs/reproducible.md": 1,
}
"""Blocks that no test runs: installing, this project's own make, listings of what files hold."""


@pytest.mark.parametrize("page", PAGES, ids=page_name)
def test_everything_shown_runs(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The blocks of a page run in order and print what is shown; see support/shown_blocks.py for each kind."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SOURCE_DATE_EPOCH", raising=False)
    lend_fixtures(tmp_path)
    run = PageRun(page, page_name(page))
    for block in parts_of(page)[1]:
        run.run(block)


def test_few_blocks_are_shown_and_not_run() -> None:
    counts = {page_name(page): sum(block.is_only_shown for block in parts_of(page)[1]) for page in PAGES}

    assert {page: count for page, count in counts.items() if count} == SHOWN_AND_NOT_RUN


@pytest.mark.parametrize("page", PAGES, ids=page_name)
def test_a_file_that_a_page_shows_is_used_on_it(page: Path) -> None:
    """A file that nothing reads afterwards is as good as not run."""
    blocks = parts_of(page)[1]
    unused = [
        block.file_name
        for number, block in enumerate(blocks)
        if block.file_name and not any(Path(block.file_name).name in later.text for later in blocks[number + 1 :])
    ]

    assert unused == []


@pytest.mark.parametrize("page", PAGES, ids=page_name)
def test_every_link_leads_somewhere(page: Path) -> None:
    for target in _LINK.findall(_CODE_WORD.sub("", prose_of(page))):
        path, _, anchor = target.partition("#")
        if re.match(r"[a-z]+:", path):
            continue
        linked = (page.parent / path).resolve() if path else page
        assert linked.exists(), f"{page_name(page)} links to {target}, which is not there"
        if anchor:
            assert anchor in anchors_of(linked), f"{page_name(page)} links to {target}, which has no such anchor"


@pytest.mark.parametrize("page", PAGES, ids=page_name)
def test_pages_keep_the_house_rules(page: Path) -> None:
    """No word that ages, no path of somebody's machine, no mark of private notes."""
    prose = prose_of(page)
    assert not re.findall(r"(?i)\bcurrently\b|\bat the moment\b|/work/|/home/\w|\[[CI]:\w|\[I(?:-low)?\]", prose)


def test_pages_named_in_the_code_exist() -> None:
    """``docs/formats.md#vib`` in a docstring is a promise to the reader."""
    for source in SOURCES:
        for reference in _CODE_REFERENCE.finditer(" ".join(source.read_text(encoding="utf-8").split())):
            page = ROOT / reference[0].partition("#")[0].partition(",")[0]
            assert page.exists(), f"{page_name(source)} names {reference[0]}"
            if reference["anchor"]:
                assert reference["anchor"] in anchors_of(page), f"{page_name(source)} names {reference[0]}"
            if reference["heading"]:
                assert slug(reference["heading"]) in anchors_of(page), f"{page_name(source)} names {reference[0]}"


# The public interface


def named_on_the_reference() -> list[tuple[str, str]]:
    """Return module and name of each row; a section says which module it is for, or is for the package."""
    rows = []
    for section in re.split(r"(?m)^## ", prose_of(DOCS / "reference.md"))[1:]:
        module = re.search(r"names are imported from `([\w.]+)`", section)
        names = re.findall(r"(?m)^\| `(\w+)", section)
        rows += [(module[1] if module else "esximage_builder", name) for name in names]
    return rows


def test_the_reference_has_every_public_name_and_no_other() -> None:
    """A name that a front shares with the package stands with the package's."""
    at_the_root = {("esximage_builder", name) for name in TABLES["esximage_builder"]}
    at_fronts = {
        (module, name) for module, table in TABLES.items() for name in table if name not in TABLES["esximage_builder"]
    }
    rows = named_on_the_reference()
    assert set(rows) == at_the_root | at_fronts | {("esximage_builder", "__version__")}
    assert len(rows) == len(set(rows)), "a name stands there twice"


def test_the_reference_names_every_front() -> None:
    assert TABLES.keys() - {"esximage_builder"} <= words_in_code(DOCS / "reference.md")


def error_classes() -> dict[str, str]:
    return {name: getattr(errors, name).code for name in errors.__all__}


def test_every_error_is_documented_with_its_code() -> None:
    documented = dict(re.findall(r"(?m)^### `(\w+)`\n\nCode `([\w-]+)`", prose_of(DOCS / "errors.md")))

    assert documented == error_classes()


# The command line


def parsers_below(parser: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    """The parser itself and those of its verbs, at every depth."""
    yield parser
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for below in action.choices.values():
                yield from parsers_below(below)


def options_of_the_command_line() -> set[str]:
    help_texts = [parser.format_help() for parser in parsers_below(cli._parser())]
    return set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", " ".join(help_texts))) - {"--help"}


def test_every_option_is_documented_and_no_other() -> None:
    page = DOCS / "command-line.md"
    documented = set(re.findall(r"(?m)^\| `(--[a-z-]+)", prose_of(page)))

    assert documented == options_of_the_command_line()


def keys_in(value: object) -> set[str]:
    """Return the keys of a document; those of facts stand with their codes on the page of findings."""
    if isinstance(value, dict):
        return set(value) | set().union(*(keys_in(item) for key, item in value.items() if key != "facts"))
    return set().union(*map(keys_in, value)) if isinstance(value, list) else set()


_BASE = "fixtures/depots/VMware-ESXi-7.0U3g-20328353-depot.zip"
_OLDER_BASE = "fixtures/depots/VMware-ESXi-7.0U3f-20036589-depot.zip"
_BASE_67 = "fixtures/depots/VMware-ESXi-6.7.0-8169922-depot.zip"
_ADD_ON = "fixtures/depots/ACME-ESXi-Addon-703.20328353.A08-depot.zip"
_ADD_ON_A09 = "fixtures/depots/ACME-ESXi-Addon-703.20328353.A09-depot.zip"
_DRIVER = "fixtures/depots/Acme-flux_1.0.0-1OEM.900.1.0.24000000.zip"


@pytest.mark.parametrize(
    "command",
    [
        pytest.param(f"inspect {_BASE} {_BASE_67} {_ADD_ON}", id="inspect"),
        pytest.param(
            f"build --depot {_BASE} {_ADD_ON} --base 7.0U3g --add-on ACME-AddOn:703.20328353.A08 --remove x --bundle x",
            id="build",
        ),
        pytest.param(f"build --depot {_BASE} --base 7.0U9", id="error"),
        pytest.param(f"explain --depot {_BASE} {_DRIVER} --base 7.0U3g --component Acme-flux ESXi", id="explain"),
        pytest.param(f"recommend --depot {_OLDER_BASE} {_BASE} {_ADD_ON} --base 7.0U3f", id="recommend"),
        pytest.param(
            f"diff fixtures/specs/image_u3g.json fixtures/specs/image_u3g_a08.json --depot {_BASE} {_ADD_ON}", id="diff"
        ),
    ],
)
def test_every_json_key_is_documented(command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    lend_fixtures(tmp_path)
    document = json.loads(PageRun(DOCS, "this test").run_command(f"esximage {command} --json"))
    page = DOCS / "command-line.md"
    shown = {key for block in parts_of(page)[1] for key in re.findall(r'"([\w-]+)":', block.text)}

    assert keys_in(document) - shown - {"ESXi"} == set()


def numbers_in(value: object, path: str = "") -> Iterator[tuple[str, int]]:
    """Yield the numbers of a document with the keys that lead to them."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield from numbers_in(item, f"{path}/{key}")
    elif isinstance(value, list):
        for item in value:
            yield from numbers_in(item, path)
    elif isinstance(value, int) and not isinstance(value, bool):
        yield path, value


@pytest.mark.parametrize(
    ("heading", "commands"),
    [
        (
            "`build --json`",
            [
                f"build --depot {_BASE} {_ADD_ON} --base 7.0U3g --add-on ACME-AddOn --iso x.iso --json",
            ],
        ),
        (
            "`split --json`",
            [
                f"build --depot {_BASE} {_ADD_ON_A09} --base 7.0U3g --add-on ACME-AddOn --bundle vendor.zip",
                "split vendor.zip --base-out base.zip --add-on-out add-on.zip --json",
            ],
        ),
        (
            "`component create --json`",
            [
                "component create fixtures/depots/homelab-tweaks-1.0.0-1.vib --out component.zip --json",
            ],
        ),
    ],
)
def test_numbers_shown_are_those_that_are_printed(
    heading: str, commands: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A number on the page that the screen does not show makes the reader doubt both."""
    monkeypatch.chdir(tmp_path)
    lend_fixtures(tmp_path)
    prose, blocks = parts_of(DOCS / "command-line.md")
    at = prose.index(f"### {heading}")
    shown = json.loads(next(block.text for block in blocks if block.line > at))
    printed = [PageRun(DOCS, "this test").run_command(f"esximage {command}") for command in commands]

    assert set(numbers_in(shown)) - set(numbers_in(json.loads(printed[-1]))) == set()


# The other pages


def test_every_dependency_is_documented_with_its_lowest_version() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    wanted = {*project["dependencies"], *extras["signatures"], *extras["sbom"]}
    documented = set(re.findall(r"(?m)^\| `([a-z0-9-]+>=[\d.]+)`", prose_of(DOCS / "dependencies.md")))

    assert documented == wanted


def test_every_floor_is_on_the_plan() -> None:
    missing = {folder for folder in FLOORS if folder} - words_in_code(DOCS / "architecture.md")

    assert missing == set()


@pytest.mark.parametrize("words", [ComponentSource, Rule, ReserveReason], ids=lambda words: words.__name__)
def test_the_words_of_composing_are_explained(words: type[ComponentSource | Rule | ReserveReason]) -> None:
    assert {word.value for word in words} <= words_in_code(DOCS / "concepts.md")


@pytest.mark.parametrize("page", PAGES, ids=page_name)
def test_source_files_named_on_a_page_exist(page: Path) -> None:
    named = {word for word in words_in_code(page) if re.fullmatch(r"[\w/]+\.py", word)}
    own_words = {
        "PRECHECK.PY",
        "PREP.PY",
        "precheck.py",
        "prep.py",
        "tests/test_x.py",
        "documents/x.py",
        "containers/x.py",
    }
    folders = (ROOT, ROOT / "esximage_builder")

    assert [name for name in named - own_words if not any((folder / name).exists() for folder in folders)] == []


@pytest.mark.parametrize(
    "source",
    [path for path in SOURCES if path.is_relative_to(ROOT / "esximage_builder")],
    ids=lambda path: path.relative_to(ROOT).as_posix(),
)
def test_a_comment_stands_with_what_it_explains(source: Path) -> None:
    """Code that moves away leaves its comment behind: a sentence before a blank line; headings have no full stop."""
    lines = source.read_text(encoding="utf-8").splitlines()

    assert [
        line for line, below in itertools.pairwise(lines) if re.match(r"\s*#.*\.$", line) and not below.strip()
    ] == []


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_modules_named_in_a_docstring_exist(source: Path) -> None:
    rooms = "|".join(sorted({name.partition(".")[0] for name in FLOORS if "." in name} | {"depot", "export"}))
    text = source.read_text(encoding="utf-8")
    named = {found[1] for found in re.finditer(rf"``((?:{rooms})\.[a-z0-9_]+)``", text)}
    folder = ROOT / "esximage_builder"

    assert [name for name in named if not folder.joinpath(*name.split(".")).with_suffix(".py").exists()] == []


def test_no_two_decisions_have_one_number() -> None:
    numbers = [int(path.name[:4]) for path in sorted((DOCS / "decisions").glob("[0-9]*.md"))]

    assert len(numbers) == len(set(numbers))


@pytest.mark.parametrize("page", sorted((DOCS / "decisions").glob("[0-9]*.md")), ids=page_name)
def test_a_decision_gives_its_context_choices_outcome_and_price(page: Path) -> None:
    assert headings_of(page)[1:] == ["Context", "Choices", "Outcome", "Price"]
