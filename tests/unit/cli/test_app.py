"""The command line as a whole: exit codes, what goes to which stream, how the process ends."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from support.changed_depots import DEPOTS, ROOT, SPECS, clean_environment, edit_zip, left_in

import esximage_builder as eib
from esximage_builder.cli import app
from esximage_builder.cli.output import print_note, print_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.command_line import Runner

U3G = DEPOTS / "VMware-ESXi-7.0U3g-20328353-depot.zip"
A08 = DEPOTS / "ACME-ESXi-Addon-703.20328353.A08-depot.zip"
I40EN_NEW = DEPOTS / "Intel-i40en_2.8.4.0-1OEM.700.1.0.15843807.zip"
VERSION = "7.0.3-0.55.20328353"
ADD_ON = "ACME-AddOn:703.20328353.A08"


# Errors


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        pytest.param(["inspect", "/nonexistent.zip"], "source-unreadable", "No such file", id="no such depot"),
        pytest.param(["inspect", SPECS / "image_u3g.json"], "not-a-depot", "JSON document", id="a spec as depot"),
        pytest.param(
            ["build", "--depot", U3G, "--base", "7.0.3-0.99.1"], "not-in-depot", "has the base image", id="no such base"
        ),
        pytest.param(
            ["build", "--depot", U3G, "--base", VERSION, "--add-on", ADD_ON], "not-in-depot", "add-on", id="no add-on"
        ),
        pytest.param(
            ["build", "--depot", U3G, A08, "--base", VERSION, "--add-on", ":703.20328353.A08"],
            "invalid-model",
            "add-on has no name",
            id="add-on without name",
        ),
        pytest.param(
            ["build", "--depot", U3G, "--base", VERSION, "--component", "Intel-i41en"],
            "not-in-depot",
            "component",
            id="no such component",
        ),
        pytest.param(
            ["build", "--depot", U3G, "--base", VERSION, "--component", "Intel-i40en:not a version"],
            "version-syntax",
            "no component version",
            id="no version",
        ),
        pytest.param(["build", "--depot", U3G, "--profile", "x"], "not-in-depot", "image profile", id="no profile"),
        pytest.param(
            ["build", "--depot", U3G, "--base", VERSION, "--remove", "ESXi"],
            "compose-error",
            "removes the core component ESXi",
            id="core component removed",
        ),
        pytest.param(
            ["build", "--depot", U3G, "--spec", "/nonexistent.json"], "source-unreadable", "No such file", id="no spec"
        ),
        pytest.param(["build", "--depot", U3G, "--spec", U3G], "malformed-document", "", id="a depot as spec"),
        pytest.param(
            ["build", "--depot", U3G, "--spec", SPECS / "image_u3g.json", "--remove", "x"],
            "invalid-model",
            "go with --base only",
            id="wishes beside a spec",
        ),
        pytest.param(
            ["build", "--depot", U3G, "--profile", "ESXi-7.0U3g-20328353-standard", "--component", "x"],
            "invalid-model",
            "go with --base only",
            id="wishes beside a profile",
        ),
        pytest.param(
            ["build", "--depot", U3G, "--base", VERSION, "--bundle", "/nonexistent/out.zip"],
            "export-error",
            "cannot be written",
            id="no such folder",
        ),
        pytest.param(
            ["build", "--depot", U3G, "--base", VERSION, "--iso", "unwritten.iso", "--kickstart", "/nonexistent"],
            "source-unreadable",
            "the file cannot be read",
            id="no kickstart file",
        ),
    ],
)
def test_bad_input_exits_with_2_and_says_why(run: Runner, arguments: list[object], code: str, message: str) -> None:
    """As JSON for tools, as text for people; nothing on the output stream either way."""
    as_json, as_text = run(*arguments, "--json"), run(*arguments)

    assert (as_json.code, as_json.out) == (2, "")
    assert as_json.error["code"] == code
    assert message in as_json.error["message"]
    assert (as_text.code, as_text.out) == (2, "")
    assert as_text.err.startswith(f"esximage: {as_json.error['message']}\n")
    if as_json.error["hint"]:
        assert f"  try: {as_json.error['hint']}" in as_text.err


def test_several_errors_come_together(run: Runner, tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_bytes(b"PK\x03\x04 cut short")
    (tmp_path / "b.zip").write_bytes(b"")
    error = run("inspect", tmp_path / "a.zip", tmp_path / "b.zip", "--json").error
    assert error["code"] == "depot-errors"
    assert str(tmp_path / "a.zip") in error["where"]
    assert str(tmp_path / "b.zip") in error["where"]
    assert "empty file" in error["found"]


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param([], id="nothing"),
        pytest.param(["frobnicate"], id="no such command"),
        pytest.param(["inspect"], id="no path"),
        pytest.param(["inspect", "--jsn", "x"], id="misspelt"),
        pytest.param(["build", "--base", VERSION], id="no depot"),
        pytest.param(["build", "--depot", U3G], id="nothing to build"),
        pytest.param(["build", "--depot", U3G, "--base", VERSION, "--spec", "x"], id="two starts"),
        pytest.param(["build", "--depot", U3G, "--bas", VERSION], id="abbreviated"),
        pytest.param(["build", "--depot", U3G, "--base", VERSION, "--minimum-acceptance", "high"], id="no level"),
    ],
)
def test_wrong_usage_exits_with_2(run: Runner, arguments: list[object]) -> None:
    outcome = run(*arguments)
    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.err.startswith("usage: esximage")


@pytest.mark.parametrize("command", [[], ["inspect"], ["build"]], ids=["", "inspect", "build"])
def test_help_exits_with_0(run: Runner, command: list[str]) -> None:
    outcome = run(*command, "--help")
    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out.startswith("usage: esximage")


def test_the_version_exits_with_0(run: Runner) -> None:
    outcome = run("--version")
    assert (outcome.code, outcome.out, outcome.err) == (0, f"esximage {eib.__version__}\n", "")


@pytest.mark.parametrize("arguments", [["inspect", "--version"], ["--vers"]], ids=["of a verb", "abbreviated"])
def test_the_version_is_asked_for_in_one_way(run: Runner, arguments: list[str]) -> None:
    outcome = run(*arguments)
    assert (outcome.code, outcome.out) == (2, "")


# The process


@pytest.mark.parametrize(
    "form",
    [
        pytest.param(["-m", "esximage_builder"], id="package"),
        pytest.param(["-c", "import sys; from esximage_builder.cli.app import main; sys.exit(main())"], id="program"),
    ],
)
def test_python_runs_the_package(form: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, *form, "inspect", str(I40EN_NEW), "--json"],
        env=clean_environment(),
        capture_output=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, b"")
    assert json.loads(done.stdout)["components"][0]["name"] == "Intel-i40en"


@pytest.mark.parametrize(("arguments", "code"), [(["inspect", "/nonexistent"], 2), (["inspect"], 2), (["--help"], 0)])
def test_the_process_ends_with_the_exit_code(arguments: list[str], code: int) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "esximage_builder", *arguments],
        env=clean_environment(),
        capture_output=True,
        check=False,
    )
    assert done.returncode == code
    assert b"Traceback" not in done.stderr


@pytest.mark.parametrize("as_json", [[], ["--json"]], ids=["text", "JSON"])
@pytest.mark.parametrize("encoding", ["ascii", "utf-8", "cp1252"])
def test_any_name_prints_on_any_terminal(tmp_path: Path, encoding: str, as_json: list[str]) -> None:
    """Names come from files and are anything; terminals of the C locale and of Windows are not UTF-8."""
    path = tmp_path / "Übung 試験.zip"
    path.write_bytes(I40EN_NEW.read_bytes())
    done = subprocess.run(
        [sys.executable, "-m", "esximage_builder", "inspect", str(path), *as_json],
        env=clean_environment(PYTHONIOENCODING=encoding),
        capture_output=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, b"")
    shown = done.stdout.decode(encoding)
    if as_json:
        assert json.loads(shown)["sources"] == [str(path)]
    else:
        assert shown.startswith("Sources\n")


def test_an_interrupt_exits_with_130(run: Runner, out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("esximage_builder.cli.build.show_progress", interrupt)
    outcome = run("build", "--depot", U3G, "--base", VERSION, "--bundle", out / "custom.zip")
    assert outcome.code == 130
    assert outcome.err == "interrupted; nothing half-written was left behind\n"
    assert left_in(out) == {}


def test_the_installed_program_is_this_one() -> None:
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert 'esximage = "esximage_builder.cli.start:main"' in text


def test_progress_is_shown_on_terminals_only(run: Runner, out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    quiet = run("build", "--depot", U3G, "--base", VERSION, "--bundle", out / "custom.zip")
    assert quiet.err == ""
    monkeypatch.setattr(type(sys.stderr), "isatty", lambda _: True)
    shown = run("build", "--depot", U3G, "--base", VERSION, "--bundle", out / "custom.zip", "--force")
    last = shown.err.splitlines()[-1].rpartition("\r")[2]
    assert re.fullmatch(r"bundle 100 %  \d+ MiB(  \d+ MiB/s  \d+ s)?\x1b\[K", last)
    assert shown.out == quiet.out


def test_a_reader_that_has_seen_enough_is_no_error() -> None:
    """`esximage inspect ... | head` ends without a traceback."""
    depot = Path(__file__).parents[3] / "fixtures" / "depots" / "VMware-ESXi-8.0U3-24022510-depot.zip"
    command = f"{sys.executable} -m esximage_builder inspect {depot} --json | head -c 10"

    outcome = subprocess.run(["bash", "-o", "pipefail", "-c", command], capture_output=True, check=False)

    assert (outcome.returncode, outcome.stderr) == (0, b"")


@pytest.fixture
def unread() -> Iterator[int]:
    """A pipe that nobody reads any more."""
    reader, writer = os.pipe()
    os.close(reader)
    yield writer
    os.close(writer)


@pytest.fixture
def damaged(tmp_path: Path) -> Path:
    return edit_zip(I40EN_NEW, tmp_path / "cut.zip", lambda name, data: data[:-9] if name.endswith(".vib") else data)


def exit_code(*arguments: object, unbuffered: str = "", **streams: int | None) -> int:
    command = [sys.executable, "-m", "esximage_builder", *map(str, arguments)]
    environment = clean_environment(PYTHONUNBUFFERED=unbuffered)
    return subprocess.run(command, env=environment, check=False, **streams).returncode  # type: ignore[call-overload, no-any-return]


@pytest.mark.parametrize("unbuffered", ["", "1"], ids=["buffered", "unbuffered"])
def test_the_exit_code_does_not_depend_on_who_reads(unread: int, damaged: Path, unbuffered: str) -> None:
    """A short answer is written when the process ends, a long one before; neither changes what is true."""

    def ends(*arguments: object) -> int:
        return exit_code(*arguments, unbuffered=unbuffered, stdout=unread)

    assert ends("inspect", I40EN_NEW) == 0
    assert ends("verify", damaged) == 1
    assert ends("verify", damaged, "--json") == 1
    assert ends("--help") == 0
    assert ends("--version") == 0


@pytest.mark.parametrize("unbuffered", ["", "1"], ids=["buffered", "unbuffered"])
def test_an_error_that_nobody_reads_is_still_one(unread: int, unbuffered: str) -> None:
    assert exit_code("inspect", "/nonexistent", unbuffered=unbuffered, stderr=unread) == 2
    assert exit_code("inspect", unbuffered=unbuffered, stderr=unread) == 2


@pytest.mark.parametrize(
    ("closed", "shown"),
    [
        pytest.param(">&-", "", id="output"),
        pytest.param("2>&-", "Sources\n", id="errors"),
        pytest.param(">&- 2>&-", "", id="both"),
    ],
)
def test_a_stream_may_be_closed_from_the_start(closed: str, shown: str) -> None:
    """Services are started so."""
    command = f"{sys.executable} -m esximage_builder inspect {I40EN_NEW} {closed}"
    done = subprocess.run(["sh", "-c", command], env=clean_environment(), capture_output=True, text=True, check=False)

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(shown)


def test_an_error_never_lands_on_the_output_stream() -> None:
    command = f"{sys.executable} -m esximage_builder inspect /nonexistent 2>&-"
    done = subprocess.run(["sh", "-c", command], env=clean_environment(), capture_output=True, check=False)

    assert (done.returncode, done.stdout) == (2, b"")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\x1b[2Jb", "a\\x1b[2Jb"),
        ("a\rb", "a\\rb"),
        ("a\u202eb", "a\\u202eb"),
        ("a\u2066b\u2028", "a\\u2066b\\u2028"),
        ("a\x9bb\x7f\x00", "a\\x9bb\\x7f\\x00"),
        ("two\nlines\tand ü", "two\nlines\tand ü"),
    ],
)
def test_nothing_that_steers_a_terminal_is_printed(capsys: pytest.CaptureFixture[str], text: str, shown: str) -> None:
    """Names come from files of anybody."""
    print_text(text)
    print_note(text)
    assert capsys.readouterr() == (shown, shown + "\n")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["build", "--depot", "x", "--base", "7", "--isso", "x.iso"], "did you mean --iso?"),
        (["build", "--depot", "x", "--base", "7", "--isso=x.iso"], "did you mean --iso?"),
        (["biuld"], "did you mean build?"),
        (["inspect", "x", "--component"], "did you mean --components?"),
    ],
)
@pytest.mark.parametrize("as_json", [False, True])
def test_a_mistyped_option_or_verb_is_asked_for(
    run: Runner, arguments: list[str], words: str, *, as_json: bool
) -> None:
    outcome = run(*arguments, *(["--json"] if as_json else []))
    assert outcome.code == 2
    assert words in outcome.err


def test_nothing_near_asks_nothing(run: Runner) -> None:
    assert "did you mean" not in run("inspect", "x", "--zzzzzz").err
    assert "did you mean" not in run("zzzzzz").err


def test_the_examples_of_the_help_can_be_parsed() -> None:
    """What the help shows is what the parser takes."""
    text = app._EPILOG.replace("\\\n", " ")
    commands = [line.split()[1:] for line in text.splitlines() if line.startswith("  esximage ")]
    assert [command[0] for command in commands] == ["inspect", "build", "check"]
    for command in commands:
        assert app._parser().parse_args(command).command == command[0]
    page = (ROOT / "docs" / "command-line.md").read_text(encoding="utf-8")
    codes = re.findall(r"(?m)^\| (\d+) \| ", page[page.index("## Exit codes") :])
    told = text[text.index("exit codes:") :]
    assert codes == re.findall(r"\b\d+\b", told)
