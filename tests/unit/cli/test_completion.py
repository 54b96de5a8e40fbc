"""Completion: what a shell is answered, by verb, option and the depots named."""

from __future__ import annotations

import builtins
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from support.changed_depots import DEPOTS, clean_environment

from esximage_builder.cli import app
from esximage_builder.cli.completion import complete, typed_depots
from esximage_builder.errors import MissingExtraError

if TYPE_CHECKING:
    from pathlib import Path

pytest.importorskip("argcomplete")

BASE = "VMware-ESXi-7.0U3g-20328353-depot.zip"
ADD_ON = "ACME-ESXi-Addon-703.20328353.A08-depot.zip"


def answered(line: str, folder: Path) -> list[str]:
    """Ask as a shell does."""
    answer = folder / "answer"
    asking = clean_environment(
        _ARGCOMPLETE="1",
        _ARGCOMPLETE_IFS="\n",
        _ARGCOMPLETE_STDOUT_FILENAME=str(answer),
        COMP_LINE=line,
        COMP_POINT=str(len(line)),
        COMP_TYPE="9",
    )
    done = subprocess.run(
        [sys.executable, "-m", "esximage_builder"], env=asking, cwd=folder, capture_output=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, b"")
    return [word.strip() for word in answer.read_text(encoding="utf-8").splitlines()]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("shell")
    for name in (BASE, ADD_ON):
        (made / name).symlink_to(DEPOTS / name)
    return made


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("esximage ver", ["verify"]),
        ("esximage build --kern", ["--kernel-option"]),
        (f"esximage build --depot {BASE} --base ", ["7.0.3-0.55.20328353"]),
        (f"esximage build --depot={ADD_ON} --add-on ", ["ACME-AddOn", "ACME-AddOn:703.20328353.A08"]),
        (f"esximage build --depot {BASE} {ADD_ON} --remove HPE-", ["HPE-hpv2-hpsa-plugin"]),
        (f"esximage build --depot {BASE} --profile ESXi-7.0U3g-20328353-n", ["ESXi-7.0U3g-20328353-no-tools"]),
        ("esximage build --allow missing-dep", ["missing-dependency"]),
        ("esximage build --depot missing.zip --base ", []),
        ("esximage build --base ", []),
    ],
)
def test_a_shell_is_told_what_may_stand_next(folder: Path, line: str, words: list[str]) -> None:
    assert answered(line, folder) == words


def test_the_depots_of_the_project_file_serve_where_none_is_typed(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "esximage.toml").write_text(f'depots = ["{folder / BASE}"]\n', encoding="utf-8")
    assert answered("esximage build --base ", tmp_path) == ["7.0.3-0.55.20328353"]
    (tmp_path / "esximage.toml").write_text("no TOML", encoding="utf-8")
    assert answered("esximage build --base ", tmp_path) == []


@pytest.mark.parametrize(
    ("line", "depots"),
    [
        ("esximage build --depot a b --base c", ["a", "b"]),
        ("esximage build --depot=a --depot b", ["a", "b"]),
        ("esximage build --depot 'a b' --base", ["a b"]),
        ("esximage build --depot 'a b", ["'a", "b"]),
        ("esximage build --base a", []),
        ("", []),
    ],
)
def test_depots_are_read_off_a_line_that_is_not_finished(line: str, depots: list[str]) -> None:
    assert typed_depots(line) == depots


def test_without_the_extra_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    own = builtins.__import__

    def without(name: str, *rest: Any, **named: Any) -> Any:
        if name == "argcomplete":
            raise ImportError(name)
        return own(name, *rest, **named)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(MissingExtraError) as caught:
        complete(app._parser(), (), ())
    assert "esximage-builder[cli]" in caught.value.hint
