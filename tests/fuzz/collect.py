"""Bring what runs found into the repository: ``python tests/fuzz/collect.py``.

Adds the lines of the state folder's log to ``log.jsonl``, keeps the inputs that reach something
of their own, writes the table of ``docs/fuzzing.md``, and says which findings there are. It may be
started while a run goes on, and again later.
"""

from __future__ import annotations

import argparse
import multiprocessing
import re
import sys
from pathlib import Path
from typing import Final

TESTS: Final = Path(__file__).parents[1]
sys.path[:0] = [str(TESTS.parent), str(TESTS)]

from fuzz.corpus import committed_inputs, kept_of, write_inputs  # noqa: E402 - the path comes first
from fuzz.log import LOG, read_turns, render_log, render_table  # noqa: E402
from fuzz.run import STATE  # noqa: E402
from fuzz.seeds import seeds_of  # noqa: E402
from fuzz.targets import TARGETS  # noqa: E402

PAGE: Final = TESTS.parent / "docs" / "fuzzing.md"
_TABLE: Final = re.compile(r"(?m)^\| Target \| Minutes .*\n(?:\|.*\n)+")
_MINUTES_A_TARGET: Final = 2
_MOST_INPUTS: Final = 500


def main() -> int:
    """Collect from the state folder that the command line names."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--state", type=Path, default=STATE, help="where the runs were")
    parser.add_argument("--log-only", action="store_true", help="leave the corpus as it is")
    options = parser.parse_args()
    turns = sorted(read_turns(options.state), key=lambda turn: (turn.date, turn.target))
    LOG.write_text(render_log(turns), encoding="ascii")
    page = PAGE.read_text(encoding="utf-8")
    PAGE.write_text(_TABLE.sub(lambda _: render_table(turns), page), encoding="utf-8")
    if not options.log_only:
        for name in TARGETS:
            _collect_inputs(name, options.state)
    for path in sorted((options.state / "findings").glob("*/*.txt")):
        print(f"finding: {path}: {path.read_text(encoding='utf-8').splitlines()[0]}")
    return 0


def _collect_inputs(name: str, state: Path) -> None:
    """Keep a target's inputs, in a process of its own that may not take forever."""
    worker = multiprocessing.Process(target=_keep, args=(name, state))
    worker.start()
    worker.join(_MINUTES_A_TARGET * 60)
    if worker.is_alive():
        worker.kill()
        print(f"{name}: took too long; its corpus is left as it was")
    elif worker.exitcode:
        print(f"{name}: an input ended the process; its corpus is left as it was")


def _keep(name: str, state: Path) -> None:
    files = sorted((state / "corpus" / name).glob("*"), key=lambda path: path.stat().st_size)[:_MOST_INPUTS]
    inputs = [*seeds_of(name), *committed_inputs(name), *(path.read_bytes() for path in files)]
    kept = kept_of(TARGETS[name], inputs)
    write_inputs(name, kept)
    print(f"{name}: {len(kept)} of {len(set(inputs))} inputs kept")


if __name__ == "__main__":
    sys.exit(main())
