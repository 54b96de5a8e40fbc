"""Verbs are modules of one shape: options are typed below the parser, and none loads another."""

from __future__ import annotations

import argparse
import ast
import importlib
import inspect
import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any, get_type_hints

import attrs
import pytest
from support.changed_depots import ROOT, clean_environment

from esximage_builder.cli import app

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from support.command_line import Runner

CLI = ROOT / "esximage_builder" / "cli"
VERBS = tuple(app.VERBS)

# The fewest arguments that each verb takes.
FEWEST = {
    "inspect": ["x.zip"],
    "build": ["--depot", "x.zip", "--base", "7.0U3g"],
    "init": ["--depot", "x.zip"],
    "lock": ["--depot", "x.zip", "--base", "7.0U3g", "--out", "x.lock"],
    "explain": ["--depot", "x.zip", "--base", "7.0U3g"],
    "recommend": ["--depot", "x.zip", "--base", "7.0U3g"],
    "diff": ["a.json", "b.json"],
    "split": ["x.zip", "--base-out", "b.zip", "--add-on-out", "a.zip"],
    "component": ["create", "x.vib", "--out", "x.zip"],
    "check": ["--depot", "x.zip", "--base", "7.0U3g", "--host", "esx1.json"],
    "hardware": ["--depot", "x.zip", "--base", "7.0U3g", "--devices", "lspci.txt"],
    "plan": ["--depot", "x.zip", "--base", "7.0U3g", "--host", "esx1.json"],
    "extract": ["--depot", "x.zip", "--host", "esx1.json"],
    "verify": ["x.zip"],
    "vib": ["create", "files", "--description", "x.toml", "--out", "x.vib"],
    "add-on": ["create", "x.zip", "--out", "y.zip", "--name", "A", "--version", "1", "--supports", "8.0"],
    "bundle": ["create", "x.vib", "--out", "x.zip"],
}


def module_name(verb: str) -> str:
    return verb.replace("-", "_")


def module_of(verb: str) -> Any:
    return importlib.import_module(f"esximage_builder.cli.{module_name(verb)}")


def namespace_of(verb: str) -> argparse.Namespace:
    return app._parser().parse_args([verb, *FEWEST[verb]])


@pytest.mark.parametrize("verb", VERBS)
def test_a_verb_runs_with_its_own_options(verb: str) -> None:
    module = module_of(verb)

    assert module.__all__ == ["Options", "add_arguments", "run"]
    assert {**get_type_hints(module.run)} == {"options": module.Options, "return": int}
    assert list(inspect.signature(module.add_arguments).parameters) == ["parser"]


@pytest.mark.parametrize("verb", VERBS)
def test_options_cannot_change_and_hold_no_lists(verb: str) -> None:
    """What the parser collects in lists is fixed before the verb sees it."""
    options = module_of(verb).Options.from_namespace(namespace_of(verb))

    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        options.as_json = True
    hash(options)


class Read(argparse.Namespace):
    """A namespace that remembers what was read of it."""

    def __init__(self, namespace: argparse.Namespace) -> None:
        super().__init__()
        self.__dict__["_values"], self.__dict__["_read"] = vars(namespace), set[str]()

    def __getattr__(self, name: str) -> object:
        self.__dict__["_read"].add(name)
        return self.__dict__["_values"][name]


@pytest.mark.parametrize("verb", VERBS)
def test_every_argument_reaches_the_options(verb: str) -> None:
    """An argument that is parsed and never read would be a promise that nobody keeps."""
    parsed = namespace_of(verb)
    recording = Read(parsed)
    module_of(verb).Options.from_namespace(recording)

    assert recording.__dict__["_read"] == vars(parsed).keys() - {"command", "quiet"}


def mentions_of_namespace(node: ast.AST) -> Iterator[int]:
    """Lines that speak of the parser's untyped answer, outside of ``from_namespace``."""
    if isinstance(node, ast.FunctionDef) and node.name == "from_namespace":
        return
    words = (getattr(node, field, None) for field in ("id", "attr", "name", "arg"))
    if any(isinstance(word, str) and "namespace" in word.lower() for word in words):
        yield node.lineno  # type: ignore[attr-defined]
    for child in ast.iter_child_nodes(node):
        yield from mentions_of_namespace(child)


def lines_that_mention_namespace(name: str) -> list[int]:
    return list(mentions_of_namespace(ast.parse((CLI / name).read_text(encoding="utf-8"))))


@pytest.mark.parametrize("name", sorted(path.name for path in CLI.glob("*.py") if path.name != "app.py"))
def test_below_the_parser_options_are_typed(name: str) -> None:
    assert lines_that_mention_namespace(name) == []


def test_the_search_for_namespaces_finds_them() -> None:
    assert lines_that_mention_namespace("app.py")


def test_every_module_is_a_verb_or_known_by_name() -> None:
    """A verb that is not in the table cannot be asked for."""
    assert {path.stem for path in CLI.glob("*.py")} == {
        *map(module_name, VERBS),
        *(
            "__init__",
            "app",
            "completion",
            "ending",
            "image_options",
            "output",
            "paths",
            "project",
            "sound_image",
            "start",
            "targets",
        ),
        *("targets", "trust", "wanted_vibs"),
    }


# What is loaded


def loaded_by(*arguments: str) -> set[str]:
    """The modules that a fresh process has loaded once the command line has answered."""
    code = (
        "import json, sys\n"
        "from esximage_builder.cli.app import main\n"
        "try:\n"
        "    main(sys.argv[1:])\n"
        "except SystemExit as stop:\n"
        "    assert not stop.code\n"
        "print(json.dumps(sorted(sys.modules)), file=sys.stderr)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], env=clean_environment(), capture_output=True, check=True
    )
    return set(json.loads(done.stderr))


def own(loaded: set[str]) -> set[str]:
    package = "esximage_builder."
    return {name.removeprefix(package) for name in loaded if name.startswith(package)}


CLI_FRONT = {"cli", "cli.app", "cli.ending", "cli.output"}
FRONT = {*CLI_FRONT, "errors", "lazy_names"}
LIBRARIES = {"attr", "attrs", "lxml", "packaging", "pycdlib", "cryptography", "asn1crypto"}


@pytest.mark.parametrize(
    ("option", "more"),
    [pytest.param("--help", set[str](), id="help"), pytest.param("--version", {"distribution"}, id="version")],
)
def test_help_and_version_load_nothing_of_the_library(option: str, more: set[str]) -> None:
    loaded = loaded_by(option)

    assert own(loaded) == FRONT | more
    assert loaded & LIBRARIES == set()


def test_help_does_not_look_for_the_version() -> None:
    """The metadata of installed packages takes longer to find than the help to print."""
    assert "importlib.metadata" not in loaded_by("--help")


# What a verb loads of the command line, and of which floors it loads nothing.
IMAGE_OPTIONS = {"cli.image_options", "cli.project", "cli.wanted_vibs"}
LOADS = {
    "inspect": ({"cli.paths", "cli.trust"}, {"verify", "authoring"}),
    "init": ({"cli.paths"}, {"export", "verify", "authoring"}),
    "lock": (IMAGE_OPTIONS | {"cli.paths", "cli.targets", "cli.trust"}, {"verify", "authoring"}),
    "build": (IMAGE_OPTIONS | {"cli.paths", "cli.targets", "cli.trust"}, {"verify", "authoring"}),
    "explain": (IMAGE_OPTIONS | {"cli.paths"}, {"verify", "authoring"}),
    "recommend": (IMAGE_OPTIONS | {"cli.paths"}, {"verify", "authoring"}),
    "check": (IMAGE_OPTIONS | {"cli.paths", "cli.sound_image", "cli.targets"}, {"verify", "authoring"}),
    "plan": (IMAGE_OPTIONS | {"cli.paths", "cli.sound_image", "cli.targets"}, {"verify", "authoring"}),
    "extract": ({"cli.paths", "cli.targets"}, {"verify", "authoring"}),
    "hardware": (IMAGE_OPTIONS | {"cli.paths"}, {"verify", "authoring", "export"}),
    "diff": ({"cli.paths", "cli.wanted_vibs"}, {"export", "verify", "authoring"}),
    "split": ({"cli.paths", "cli.targets"}, {"verify", "authoring"}),
    "verify": ({"cli.paths", "cli.trust"}, {"export", "authoring"}),
    "component": ({"cli.paths"}, {"verify", "authoring"}),
    "vib": ({"cli.paths", "cli.trust"}, {"export"}),
    "add-on": ({"cli.paths", "cli.targets"}, {"verify"}),
    "bundle": ({"cli.paths", "cli.targets"}, {"verify"}),
}


@pytest.mark.parametrize("verb", VERBS)
def test_a_verb_loads_no_other_verb(verb: str) -> None:
    shared, unneeded_floors = LOADS[verb]
    loaded = own(loaded_by(verb, "--help"))

    assert {name for name in loaded if name.split(".")[0] == "cli"} == CLI_FRONT | shared | {f"cli.{module_name(verb)}"}
    assert {name for name in loaded if name.split(".")[0] in unneeded_floors} == set()


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param(["--frobnicate", "inspect", "x.zip"], id="an unknown option before the verb"),
        pytest.param(["frobnicate", "inspect", "x.zip"], id="an unknown verb before the verb"),
        pytest.param(["inspect", "--frobnicate", "build"], id="two verbs"),
    ],
)
def test_words_that_are_verbs_elsewhere_do_not_confuse(run: Runner, arguments: list[str]) -> None:
    outcome = run(*arguments)

    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.err.startswith("usage: esximage")
    assert "frobnicate" in outcome.err


def test_a_verb_can_be_the_name_of_a_file(run: Runner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    outcome = run("inspect", "build")

    assert outcome.code == 2
    assert "build" in outcome.err
    assert "No such file" in outcome.err
