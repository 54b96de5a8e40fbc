"""The documentation: everything shown runs, every link leads somewhere, nothing public is left out."""

from __future__ import annotations

import argparse
import doctest
import functools
import itertools
import json
import re
import shlex
import shutil
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from house.test_floor_plan import FLOORS
from house.test_public_api import TABLES

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

_FENCE = re.compile(r"(?P<indent> *)(?P<mark>`{3,}|~{3,})(?P<info>.*)")
_LINK = re.compile(r"(?<!!)\[[^\]]*\]\((?P<target>[^)\s]+)\)")
_CODE_REFERENCE = re.compile(r"docs/[\w./-]+\.md(?:#(?P<anchor>[\w-]+)|, \"(?P<heading>[^\"\n]+)\")?")
_CODE_WORD = re.compile(r"`([^`\n]+)`")


@dataclass(frozen=True, kw_only=True)
class Block:
    """A fenced block: what stands after the fence, the number of the first line inside, the text."""

    info: str
    line: int
    text: str


@functools.cache
def parts_of(page: Path) -> tuple[tuple[str, ...], tuple[Block, ...]]:
    """Return the lines outside of fences, those inside left empty, and the fenced blocks."""
    prose: list[str] = []
    blocks: list[Block] = []
    fence: re.Match[str] | None = None
    inside: list[str] = []
    for number, line in enumerate(page.read_text(encoding="utf-8").splitlines(), start=1):
        found = _FENCE.fullmatch(line)
        if fence is None:
            fence = found
            prose.append("" if found else line)
        else:
            prose.append("")
            if found and found["mark"] == fence["mark"] and not found["info"].strip():
                text = "".join(f"{text}\n" for text in inside)
                blocks.append(Block(info=fence["info"].strip(), line=number - len(inside), text=text))
                fence, inside = None, []
            else:
                inside.append(line)
    assert fence is None, f"{page.name}: a fence is never closed"
    return tuple(prose), tuple(blocks)


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


def lend_fixtures(folder: Path) -> None:
    """Make ``fixtures`` reachable from ``folder``: a link, a copy where the system has none."""
    target = ROOT / "fixtures"
    try:
        (folder / "fixtures").symlink_to(target, target_is_directory=True)
    except OSError:
        for name in ("depots", "specs"):
            shutil.copytree(target / name, folder / "fixtures" / name)


class Shell:
    """Runs the ``$`` lines of console blocks, as far as the pages need it."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self.capsys = capsys
        self.exit_code = 0

    def run(self, command: str) -> str:
        program, *arguments = shlex.split(command)
        if [program, *arguments] == ["echo", "$?"]:
            return f"{self.exit_code}\n"
        assert program == "esximage", f"pages show no other program than esximage: {command}"
        try:
            self.exit_code = cli.main(arguments)
        except SystemExit as stop:
            self.exit_code = stop.code if isinstance(stop.code, int) else 1
        said = self.capsys.readouterr()
        return said.out + said.err


def commands_of(block: Block) -> list[tuple[str, str]]:
    """Return each command of a console block with the output shown for it; empty if none is."""
    commands: list[list[str]] = []
    text = block.text.replace("\\\n", "")
    for line in text.splitlines(keepends=True):
        if line.startswith("$ "):
            commands.append([line[2:], ""])
        else:
            commands[-1][1] += line
    return [(command, output) for command, output in commands]


def require_output(expected: str, found: str, *, where: str) -> None:
    matches = doctest.OutputChecker().check_output(expected, found, doctest.ELLIPSIS)
    assert matches, f"{where}: the page shows\n{expected}\nbut it is\n{found}"


@pytest.mark.parametrize("page", PAGES, ids=page_name)
def test_everything_shown_runs(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The ``python`` and ``console`` blocks of a page run in order and print what ``text output`` blocks show."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SOURCE_DATE_EPOCH", raising=False)
    lend_fixtures(tmp_path)
    namespace: dict[str, object] = {"__name__": "page"}
    shell = Shell(capsys)
    printed = ""
    for block in parts_of(page)[1]:
        where = f"{page_name(page)}:{block.line}"
        if block.info == "python":
            padded = "\n" * (block.line - 1) + block.text  # a failure names the page's own line
            exec(compile(padded, str(page), "exec", dont_inherit=True), namespace)  # noqa: S102 - our own pages
            printed = capsys.readouterr().out
        elif block.info == "console":
            for command, output in commands_of(block):
                found = shell.run(command)
                if output:
                    require_output(output, found, where=where)
        elif block.info == "text output":
            require_output(block.text, printed, where=where)


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
def test_every_json_key_is_documented(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    lend_fixtures(tmp_path)
    document = json.loads(Shell(capsys).run(f"esximage {command} --json"))
    page = DOCS / "command-line.md"
    shown = {key for block in parts_of(page)[1] for key in re.findall(r'"([\w-]+)":', block.text)}

    assert keys_in(document) - shown - {"ESXi"} == set()


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
