"""Running the command line in the process of the test, and what it left behind."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, final

import attrs

from esximage_builder.cli.app import main

if TYPE_CHECKING:
    import pytest


@final
@attrs.frozen
class Outcome:
    """What a run left behind."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        found = json.loads(self.out)
        assert isinstance(found, dict)
        return found

    @property
    def error(self) -> dict[str, str]:
        """The JSON error on the error stream, which is all that stands there."""
        found = json.loads(self.err)
        assert next(iter(found)) == "error"
        error = found["error"]
        assert isinstance(error, dict)
        contract = ["code", "message", "where", "found", "expected", "hint"]
        assert list(error)[: len(contract)] == contract
        assert all(isinstance(error[key], str) for key in contract)
        return error


@final
@attrs.frozen
class Runner:
    """Runs the command line in this process."""

    capsys: pytest.CaptureFixture[str]

    def __call__(self, *arguments: object) -> Outcome:
        try:
            code = main([str(argument) for argument in arguments])
        except SystemExit as stop:  # how argparse leaves
            code = stop.code if isinstance(stop.code, int) else -1
        said = self.capsys.readouterr()
        return Outcome(code, said.out, said.err)


def run(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> tuple[int, str, str]:
    """Exit code, output and errors of a command."""
    code = main([str(argument) for argument in arguments])
    said = capsys.readouterr()
    return code, said.out, said.err


def found(depots: Path, *parts: str) -> list[Path]:
    return sorted(path for path in depots.iterdir() if any(part in path.name for part in parts))


def answer(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> Any:
    code, out, err = run(capsys, *arguments, "--json")
    assert (code, err) == (0, "")
    return json.loads(out)


def spec_file(folder: Path, name: str, base: str, add_on: str = "") -> Path:
    path = folder / name
    document: dict[str, Any] = {"base_image": {"version": base}}
    if add_on:
        document["add_on"] = dict(zip(("name", "version"), add_on.split(":"), strict=True))
    path.write_text(json.dumps(document), encoding="utf-8")
    return path
