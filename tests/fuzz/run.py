"""Fuzz all targets for a while: ``python tests/fuzz/run.py --seconds 60``.

Needs atheris, which is for Linux and CPython 3.11 to 3.13. All that a run needs and finds is in a
state folder: the growing corpus, findings, and a log with one line for each target and turn,
written as soon as it has ended. ``collect.py`` brings it into the repository.

The targets that had the least of the processor so far come first, so a run may be stopped at any moment
and the next one goes on where it stopped.
"""

from __future__ import annotations

import argparse
import contextlib
import datetime as dt
import fcntl
import hashlib
import os
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

TESTS: Final = Path(__file__).parents[1]
sys.path[:0] = [str(TESTS.parent), str(TESTS)]

from fuzz.corpus import committed_inputs, words_of  # noqa: E402 - the path comes first
from fuzz.log import Turn, append_turn, read_turns  # noqa: E402
from fuzz.seeds import seeds_of  # noqa: E402
from fuzz.targets import TARGETS, Target  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Iterator

STATE: Final = TESTS / "fuzz" / ".state"
_MEMORY_MIB: Final = 2048
_HANG_SECONDS: Final = 120
"""By the wall clock, where ``fuzzer.SLOW_SECONDS`` is by the processor's: the machine may be busy."""
_PROGRESS: Final = re.compile(r"^#(\d+)\s.*?cov: (\d+) ft: (\d+)", re.MULTILINE)
_WORST: Final = re.compile(r"ERROR: libFuzzer: ([\w-]+)")


def main() -> int:
    """Read the command line and fuzz: one turn of each target, or turns until a time of day."""
    options = _parser().parse_args()
    wanted = list(options.targets or TARGETS)
    until = _moment(options.until) if options.until else None
    left = list(wanted)
    while left and (until is None or time.time() + options.seconds / 2 < until):
        with _least_fuzzed(left, options.state) as name:
            if name is None:
                return 0
            fuzz(TARGETS[name], options.state, seconds=options.seconds)
        if until is None:
            left.remove(name)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=int, default=60, help="length of one turn of a target")
    parser.add_argument("--until", default="", help="take turns until this time of day, such as 04:00")
    parser.add_argument("--state", type=Path, default=STATE, help="folder for corpus, findings and log")
    parser.add_argument("targets", nargs="*", metavar="target", help="only these; all if none is named")
    return parser


def _moment(text: str) -> float:
    """Return when the clock shows this next."""
    hour, _, minute = text.partition(":")
    now = dt.datetime.now().astimezone()
    moment = now.replace(hour=int(hour), minute=int(minute or 0), second=0)
    return (moment if moment > now else moment + dt.timedelta(days=1)).timestamp()


@contextlib.contextmanager
def _least_fuzzed(names: list[str], state: Path) -> Iterator[str | None]:
    """Give the target that had the least of the processor and that no other run has in hand; None if all are."""
    spent = dict.fromkeys(names, 0.0)
    for turn in read_turns(state):
        if turn.target in spent:
            spent[turn.target] += turn.cpu_seconds
    locks = state / "locks"
    locks.mkdir(parents=True, exist_ok=True)
    for name in sorted(names, key=lambda name: spent[name]):
        with (locks / name).open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                continue
            yield name
            return
    yield None


def fuzz(target: Target, state: Path, *, seconds: int) -> None:
    """Fuzz one target for some seconds, in as many processes as it takes, and write a line into the log."""
    folder = _prepared(target, state)
    findings = state / "findings" / target.name
    findings.mkdir(parents=True, exist_ok=True)
    began, before = time.time(), {path.name for path in findings.glob("*.input")}
    turn = Turn.begun(target.name)
    while (left := seconds - (time.time() - began)) >= 1:
        turn = turn.plus(*_one_process(target, state, folder, findings, seconds=int(left)))
    after = {path.name for path in findings.glob("*.input")}
    append_turn(turn.ended(seconds=time.time() - began, findings=len(after - before)), state)


def _prepared(target: Target, state: Path) -> Path:
    """Return the folder of a target's corpus, with all known inputs in it, and write its words beside it."""
    folder = state / "corpus" / target.name
    folder.mkdir(parents=True, exist_ok=True)
    inputs = [*seeds_of(target.name), *committed_inputs(target.name)]
    for data in inputs:
        (folder / hashlib.sha256(data).hexdigest()).write_bytes(data)
    folder.with_suffix(".dict").write_text(words_of(inputs), encoding="ascii")
    return folder


def _one_process(
    target: Target, state: Path, folder: Path, findings: Path, *, seconds: int
) -> tuple[float, int, int, int]:
    """Run one process to its end; return processor seconds, executions, edges and features."""
    output = state / f"{target.name}.output"
    command = [
        *(sys.executable, str(TESTS / "fuzz" / "fuzzer.py"), target.name, str(findings)),
        *(f"-max_total_time={seconds}", f"-max_len={target.most_bytes}", f"-rss_limit_mb={_MEMORY_MIB}"),
        *(f"-timeout={_HANG_SECONDS}", f"-dict={folder.with_suffix('.dict')}", f"-artifact_prefix={findings}/"),
        str(folder),
    ]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path[:2]), "PYTHONHASHSEED": "0"}
    with output.open("wb") as file:
        process = subprocess.Popen(command, stdout=file, stderr=file, env=environment)
        _, _, usage = os.wait4(process.pid, 0)
    said = output.read_text(encoding="utf-8", errors="replace")
    _name_what_ended_it(findings, said)
    executions, edges, features = (int(number) for number in (_PROGRESS.findall(said) or [(0, 0, 0)])[-1])
    if not executions:
        time.sleep(1)  # a process that cannot start shall not be started a thousand times
    return usage.ru_utime + usage.ru_stime, executions, edges, features


def _name_what_ended_it(findings: Path, said: str) -> None:
    """Make a finding of the input that ended the process, one for each way to end."""
    for pattern in ("crash-*", "oom-*", "timeout-*", "leak-*"):
        for path in findings.glob(pattern):
            if path.suffix:
                continue
            reason = _WORST.search(said)
            name = reason[1] if reason else path.name.partition("-")[0]
            path.replace(findings / f"{name}.input")
            (findings / f"{name}.txt").write_text(said[-4000:], encoding="utf-8", errors="backslashreplace")


if __name__ == "__main__":
    sys.exit(main())
