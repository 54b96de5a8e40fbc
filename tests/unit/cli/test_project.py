"""The project file as the command line takes it: written once, found in the folder, overruled by what is typed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from support.changed_depots import DEPOTS

from esximage_builder.cli import app
from esximage_builder.cli.project import PROJECT_VERBS, with_project

if TYPE_CHECKING:
    from pathlib import Path

    from support.command_line import Runner

BASE, ADD_ON = "VMware-ESXi-7.0U3g-20328353-depot.zip", "ACME-ESXi-Addon-703.20328353.A08-depot.zip"
WHOLE = """
depots = ["depots/*.zip"]
lock = "image.lock"

[image]
base = "7.0U3g"
add-on = "ACME-AddOn"
vibs = ["tweaks.vib", "not-a-file"]

[outputs]
iso = "out.iso"
bundle = "/elsewhere/out.zip"

[boot]
kernel-options = ["a=1", "b"]
tools = false
stick = true
pxe-hosts = { "00:11:22:33:44:55" = "c=2" }

[checks]
allow = ["missing-dependency"]
payloads = "unpacked"
"""


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "depots").mkdir()
    for name in (BASE, ADD_ON):
        (tmp_path / "depots" / name).symlink_to(DEPOTS / name)
    monkeypatch.chdir(tmp_path)


def put(text: str, path: Path) -> None:
    path.write_text(text, encoding="utf-8")


def test_both_tables_of_verbs_are_one() -> None:
    assert PROJECT_VERBS.keys() == app._PROJECT_VERBS


def test_settings_become_options_before_what_was_typed(tmp_path: Path) -> None:
    put(WHOLE, tmp_path / "esximage.toml")
    put("", tmp_path / "tweaks.vib")
    assert with_project("build", ["build", "--force", "--iso", "mine.iso"]) == [
        "build",
        "--project=esximage.toml",
        "--depot=depots/*.zip",
        "--base=7.0U3g",
        "--add-on=ACME-AddOn",
        "--vib=tweaks.vib",
        "--vib=not-a-file",
        "--iso=out.iso",
        "--bundle=/elsewhere/out.zip",
        *("--kernel-option=a=1", "--kernel-option=b", "--without-tools", "--pxe-host", "00:11:22:33:44:55", "c=2"),
        "--allow=missing-dependency",
        "--check=unpacked",
        *("--force", "--iso", "mine.iso"),
    ]


@pytest.mark.parametrize(
    ("verb", "typed", "told"),
    [
        ("recommend", [], ["--depot=p/depots/*.zip", "--base=7.0U3g", "--add-on=ACME-AddOn"]),
        ("build", ["--base", "8.0"], ["--depot=p/depots/*.zip", "--iso=p/out.iso"]),
        ("lock", [], ["--out=p/image.lock", "--depot=p/depots/*.zip", "--base=7.0U3g", "--allow=missing-dependency"]),
        ("explain", ["esx-base"], ["--depot=p/depots/*.zip", "--base=7.0U3g"]),
    ],
)
def test_a_verb_takes_what_it_knows_from_wherever_the_file_is(
    tmp_path: Path, verb: str, typed: list[str], told: list[str]
) -> None:
    (tmp_path / "p").mkdir()
    put(WHOLE, tmp_path / "p" / "esximage.toml")
    for named in (["--project", "p/esximage.toml"], ["--project=p/esximage.toml"]):
        found = with_project(verb, [verb, *named, *typed])
        assert [word for word in found if word in told] == told
        assert ("--base=7.0U3g" in found) is ("--base" not in typed)
        assert ("--iso=p/out.iso" in found) is (verb == "build")


@pytest.mark.parametrize(
    "arguments",
    [
        ["build", "--depot", "x.zip", "--base", "7.0U3g"],
        ["build", "--depot=x.zip"],
        ["build", "--help"],
        ["explain", "vib-lowered"],
        ["inspect", "x.zip"],
    ],
)
def test_no_file_is_looked_for_where_none_is_meant(tmp_path: Path, arguments: list[str]) -> None:
    put("this is no TOML", tmp_path / "esximage.toml")
    assert with_project(arguments[0], arguments) == arguments


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        (["--locked"], ["--locked", "image.lock"]),
        (["--locked", "--force"], ["--locked", "image.lock", "--force"]),
        (["--locked", "other.lock"], ["--locked", "other.lock"]),
        (["--locked=other.lock"], ["--locked=other.lock"]),
    ],
)
def test_locked_alone_is_the_lock_of_the_project(tmp_path: Path, typed: list[str], told: list[str]) -> None:
    put(WHOLE, tmp_path / "esximage.toml")
    found = with_project("build", ["build", *typed])
    assert found[-len(told) :] == told
    assert not any(word.startswith("--base") for word in found)


def test_a_folder_is_set_up_built_locked_and_built_again(run: Runner, tmp_path: Path) -> None:
    made = run("init", "--depot", "depots/*.zip", "--add-on", "ACME-AddOn", "--iso", "a.iso", "--bundle", "a.zip")
    assert (made.code, made.err) == (0, "")
    assert "esximage.toml: ESXi-7.0U3g-20328353-ACME-AddOn" in made.out
    first = run("build", "--json")
    assert first.code == 0, first.err
    locked = run("lock")
    assert locked.code == 0, locked.err
    assert "esximage.lock" in locked.out
    again = run("build", "--locked", "--force", "--json")
    assert again.code == 0, again.err
    digests = [json.loads(outcome.out)["image"]["digest"] for outcome in (first, again)]
    assert digests[0] == digests[1]
    assert run("recommend").code == 0
    assert {path.name for path in tmp_path.iterdir()} == {"depots", "esximage.toml", "esximage.lock", "a.iso", "a.zip"}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["init", "--depot", f"depots/{BASE}"], "the output is there already"),
        (["build", "--report", "esximage.toml"], ".html"),
        (["build", "--lock", "esximage.toml", "--force"], "the output is a file that is read"),
        (["lock", "--out", "esximage.toml", "--force"], "the output is a file that is read"),
        (["build", "--project", "missing.toml"], "No such file"),
        (["lock", "--force", "--allow", "no-such-code"], "no-such-code"),
    ],
)
def test_nothing_is_eaten(run: Runner, tmp_path: Path, arguments: list[str], words: str) -> None:
    put(
        WHOLE.replace('"not-a-file"', "").replace("pxe-hosts", "# ").replace("/elsewhere/", ""),
        tmp_path / "esximage.toml",
    )
    before = (tmp_path / "esximage.toml").read_bytes()
    outcome = run(*arguments)
    assert outcome.code == 2
    assert words in outcome.err
    assert (tmp_path / "esximage.toml").read_bytes() == before


def test_an_image_with_errors_is_not_locked(run: Runner, tmp_path: Path) -> None:
    put(
        'depots = ["depots/*.zip"]\n'
        '[image]\nbase = "7.0U3g"\nminimum-acceptance = "certified"\nadd-on = "ACME-AddOn"\n',
        tmp_path / "esximage.toml",
    )
    outcome = run("lock")
    assert outcome.code == 1
    assert "nothing written: the image has errors" in outcome.err
    assert not (tmp_path / "esximage.lock").exists()
    assert json.loads(run("lock", "--json").out)["outputs"] == []


def test_without_a_project_the_error_says_how_to_get_one(run: Runner) -> None:
    outcome = run("build")
    assert outcome.code == 2
    assert "esximage init writes one" in outcome.err
    assert "init" in run("build", "--json").err


# What is not typed


def answering(monkeypatch: pytest.MonkeyPatch, *answers: str) -> None:
    waiting = list(answers)
    monkeypatch.setattr("esximage_builder.cli.init._is_asked", lambda: True)
    monkeypatch.setattr("builtins.input", lambda _: waiting.pop(0))


def test_what_is_open_is_asked_for_on_a_terminal(run: Runner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answering(monkeypatch, "nine", "0", "2")
    outcome = run("init", "--depot", "depots/*.zip", "--json")
    assert outcome.code == 0, outcome.err
    assert 'add-on = "ACME-AddOn:703.20328353.A08"' in (tmp_path / "esximage.toml").read_text(encoding="utf-8")
    assert 'iso = "custom.iso"' in (tmp_path / "esximage.toml").read_text(encoding="utf-8")


def test_no_add_on_is_an_answer(run: Runner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answering(monkeypatch, "1")
    assert run("init", "--depot", "depots/*.zip").code == 0
    assert "add-on" not in (tmp_path / "esximage.toml").read_text(encoding="utf-8")


def test_nobody_to_ask_is_an_error(run: Runner, tmp_path: Path) -> None:
    for name in ("VMware-ESXi-8.0U3-24022510-depot.zip",):
        (tmp_path / "depots" / name).symlink_to(DEPOTS / name)
    outcome = run("init", "--depot", "depots/*.zip")
    assert outcome.code == 2
    assert "which base image is meant was not said" in outcome.err
    assert "--base with one of them" in outcome.err


def test_components_and_removals_are_written(run: Runner, tmp_path: Path) -> None:
    options: list[Any] = ["--base", "7.0U3g", "--component", "Acme-Agent", "--remove", "HPE-hpv2-hpsa-plugin"]
    assert run("init", "--depot", "depots/*.zip", *options, "--usb", "a.img", "--out", "other.toml").code == 0
    text = (tmp_path / "other.toml").read_text(encoding="utf-8")
    assert 'components = ["Acme-Agent"]\nremove = ["HPE-hpv2-hpsa-plugin"]' in text
    assert 'usb = "a.img"' in text


@pytest.mark.parametrize("verb", ["check", "plan"])
def test_a_report_about_hosts_does_not_eat_the_project_file(run: Runner, tmp_path: Path, verb: str) -> None:
    project = tmp_path / "project.json"
    put('depots = ["depots/*.zip"]\n[image]\nbase = "7.0U3g"\n', project)
    outcome = run(verb, "--project", "project.json", "--host", "esx1.json", "--report", "project.json", "--force")
    assert outcome.code == 2
    assert "the output is a file that is read" in outcome.err
    assert project.read_text(encoding="utf-8").startswith("depots")


def test_a_lock_does_not_eat_the_certificates_in_the_home_folder(
    run: Runner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    put("certificates", tmp_path / "trusted.lock")
    options = ("--depot", f"depots/{BASE}", "--base", "7.0U3g", "--trust", "~/trusted.lock")
    outcome = run("lock", *options, "--out", tmp_path / "trusted.lock", "--force")
    assert outcome.code == 2
    assert "the output is a file that is read" in outcome.err
    assert (tmp_path / "trusted.lock").read_text(encoding="utf-8") == "certificates"
