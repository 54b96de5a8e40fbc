"""The fenced blocks of the pages, and how each of them is run or read.

What stands behind the fence says what is done with a block:

| Info | What is done |
|---|---|
| `python` | it is executed, in one namespace a page |
| `console` | the lines that begin with `$` are run, and what stands below each is what they print |
| `text output` | it is what the block before printed |
| `json output` | every value in it stands in the document that the block before printed |
| `LANGUAGE file=NAME` | it is written to that file, for the blocks that follow |
| `json`, `toml` | it is parsed |
| `LANGUAGE shown` | nothing: it is counted, and there are few |

Three dots in an output stand for anything.
"""

from __future__ import annotations

import doctest
import functools
import io
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from support.changed_depots import ROOT

from esximage_builder.cli import app as cli

__all__ = ["Block", "PageRun", "is_part_of", "lend_fixtures", "parts_of"]

_FENCE = re.compile(r"(?P<indent> *)(?P<mark>`{3,}|~{3,})(?P<info>.*)")
_FILE = re.compile(r"\w+ file=(?P<name>[\w./-]+)")
_PROGRAMS: Final = frozenset({"cat", "cp", "echo", "grep", "head", "ls", "mkdir", "sha256sum", "esximage", "rm"})
"""What a page may show besides esximage: programs that every reader has."""


@dataclass(frozen=True, kw_only=True)
class Block:
    """A fenced block: what stands after the fence, the number of the first line inside, the text."""

    info: str
    line: int
    text: str

    @property
    def file_name(self) -> str | None:
        """Return the file that it is written to, if it is a file."""
        found = _FILE.fullmatch(self.info)
        return found["name"] if found else None

    @property
    def is_only_shown(self) -> bool:
        return self.info.endswith(" shown")


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
                text = "".join(f"{text.removeprefix(fence['indent'])}\n" for text in inside)
                blocks.append(Block(info=fence["info"].strip(), line=number - len(inside), text=text))
                fence, inside = None, []
            else:
                inside.append(line)
    assert fence is None, f"{page.name}: a fence is never closed"
    return tuple(prose), tuple(blocks)


def lend_fixtures(folder: Path) -> None:
    """Make ``fixtures`` reachable from ``folder``: a link, a copy where the system has none."""
    target = ROOT / "fixtures"
    try:
        (folder / "fixtures").symlink_to(target, target_is_directory=True)
    except OSError:
        for name in ("depots", "specs"):
            shutil.copytree(target / name, folder / "fixtures" / name)


def is_part_of(shown: object, real: object) -> bool:
    """Say whether what is shown is the real document, or a part of it: some keys, some items; dots fit any text."""
    if isinstance(shown, dict):
        return isinstance(real, dict) and all(key in real and is_part_of(shown[key], real[key]) for key in shown)
    if isinstance(shown, list):
        return isinstance(real, list) and all(any(is_part_of(item, other) for other in real) for item in shown)
    if isinstance(shown, str) and isinstance(real, str):
        return _fits(shown, real)
    return type(shown) is type(real) and shown == real


def _fits(expected: str, found: str) -> bool:
    return doctest.OutputChecker().check_output(expected, found, doctest.ELLIPSIS)


def _commands_of(block: Block) -> list[tuple[str, str]]:
    """Return each command of a console block with the output shown for it; empty if none is."""
    commands: list[list[str]] = []
    text = block.text.replace("\\\n", "")
    for line in text.splitlines(keepends=True):
        if line.startswith("$ "):
            commands.append([line[2:].rstrip("\n"), ""])
        else:
            commands[-1][1] += line
    return [(command, output) for command, output in commands]


class PageRun:
    """Runs the blocks of one page in order, in the folder where the process is."""

    def __init__(self, page: Path, name: str) -> None:
        self.page = page
        self.name = name
        self.printed = ""
        self._exit_code = 0
        self._namespace: dict[str, object] = {"__name__": "page"}

    def run(self, block: Block) -> None:
        """Do with a block what its info says."""
        where = f"{self.name}:{block.line}"
        if block.info == "python":
            self._execute(block)
        elif block.info == "console":
            for command, output in _commands_of(block):
                self.printed = self.run_command(command)
                if output:
                    self._require(output, self.printed, where=where)
        elif block.info == "text output":
            self._require(block.text, self.printed, where=where)
        else:
            self._read(block, where=where)

    def _execute(self, block: Block) -> None:
        padded = "\n" * (block.line - 1) + block.text  # a failure names the page's own line
        with redirect_stdout(io.StringIO()) as said:
            exec(compile(padded, str(self.page), "exec", dont_inherit=True), self._namespace)  # noqa: S102 - our own
        self.printed = said.getvalue()

    def _read(self, block: Block, *, where: str) -> None:
        if block.file_name:
            Path(block.file_name).parent.mkdir(parents=True, exist_ok=True)
            Path(block.file_name).write_text(block.text, encoding="utf-8")
        elif block.info == "json output":
            real = json.loads(self.printed)
            assert is_part_of(json.loads(block.text), real), f"{where}: not what was printed:\n{self.printed}"
        elif block.info == "json":
            json.loads(block.text)
        elif block.info == "toml":
            tomllib.loads(block.text)
        else:
            assert block.is_only_shown, (
                f"{where}: a block of '{block.info}' is neither run nor read: let it run, write it to a file with "
                f"'{block.info} file=NAME', or mark it '{block.info} shown' and count it"
            )

    def run_command(self, command: str) -> str:
        """Return all that a command prints."""
        if command == "echo $?":
            return f"{self._exit_code}\n"
        programs = {part.split()[0] for part in re.split(r"\||&&", command)}
        assert programs <= _PROGRAMS, f"{self.name}: pages show no other program than {sorted(_PROGRAMS)}: {command}"
        is_plain = programs == {"esximage"} and not re.search(r"[|&><]", re.sub(r"'[^']*'", "", command))
        return self._in_process(shlex.split(command)[1:]) if is_plain else self._in_a_shell(command)

    def _in_process(self, arguments: list[str]) -> str:
        said, told = io.StringIO(), io.StringIO()
        with redirect_stdout(said), redirect_stderr(told):
            try:
                self._exit_code = cli.main(arguments)
            except SystemExit as stop:
                self._exit_code = stop.code if isinstance(stop.code, int) else 1
        return said.getvalue() + told.getvalue()

    def _in_a_shell(self, command: str) -> str:
        run_it = f'esximage() {{ "{sys.executable}" -m esximage_builder "$@"; }}\n{command}'
        places = {"PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])}
        done = subprocess.run(
            ["bash", "-c", run_it], capture_output=True, text=True, check=False, env={**os.environ, **places}
        )
        self._exit_code = done.returncode
        return done.stdout + done.stderr

    def _require(self, expected: str, found: str, *, where: str) -> None:
        assert _fits(expected, found), f"{where}: the page shows\n{expected}\nbut it is\n{found}"
