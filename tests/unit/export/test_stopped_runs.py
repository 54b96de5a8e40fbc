"""Runs that are killed, told to end or out of room: the old file stays, and the next run clears away."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from support import stopped_runs
from support.changed_depots import clean_environment
from support.small_images import base_vibs, write_base_depot
from support.stopped_runs import OUTPUTS, VERSION

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="forks and signals are POSIX's")

Attempts = list[dict[str, Any]]
PARTIAL = re.compile(r"\.(?P<name>.+)\.[0-9a-f]{16}\.esximage-partial")


@pytest.fixture(scope="module")
def depot(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("depot") / "base.zip"
    vibs = base_vibs(VERSION, kernel=b"kernel", bios_loader=bytes(4096), efi_image=bytes(4096))
    write_base_depot(path, VERSION, vibs)
    return path


@pytest.fixture(scope="module", params=OUTPUTS)
def attempts(request: pytest.FixtureRequest, depot: Path, tmp_path_factory: pytest.TempPathFactory) -> Attempts:
    """What came of stopping one output at some steps, in each way."""
    program = Path(stopped_runs.__file__)
    paths = f"{clean_environment()['PYTHONPATH']}:{program.parents[1]}"
    done = subprocess.run(
        [sys.executable, str(program), str(depot), str(tmp_path_factory.mktemp("out")), request.param],
        env=clean_environment(PYTHONPATH=paths, PYTHONDONTWRITEBYTECODE="1"),  # whose writing would count too
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert isinstance(found, list)
    return [attempt | {"output": request.param} for attempt in found]


def in_way(attempts: Attempts, way: str) -> Attempts:
    return [attempt for attempt in attempts if attempt["way"] == way]


def before(attempt: dict[str, Any]) -> str:
    return "none" if attempt["output"] == "--pxe" else "old"


def test_a_killed_run_leaves_the_old_file(attempts: Attempts) -> None:
    """And nothing but partial files of this target, by their name."""
    killed = in_way(attempts, "KILL")
    assert len(killed) >= 4
    for attempt in killed:
        assert attempt["status"] == -9
        assert attempt["target"] == before(attempt), attempt
        names = {found["name"] for name in attempt["others"] if (found := PARTIAL.fullmatch(name))}
        assert len(attempt["others"]) <= 1, attempt
        assert names == ({OUTPUTS[attempt["output"]]} if attempt["others"] else set()), attempt
    assert any(attempt["others"] for attempt in killed), "kill -9 leaves no time to clear away"


def test_the_next_run_clears_away_what_a_killed_one_left(attempts: Attempts) -> None:
    for attempt in in_way(attempts, "KILL"):
        assert attempt["again"] == {"status": 0, "target": "new", "others": []}, attempt


def test_a_run_that_is_told_to_end_leaves_nothing(attempts: Attempts) -> None:
    """SIGTERM ends as Ctrl-C does, with an exit code of its own; the signal is the command line's business."""
    told = in_way(attempts, "TERM")
    assert bool(told) == attempts[0]["output"].startswith("--")
    for attempt in told:
        assert (attempt["status"], attempt["target"], attempt["others"]) == (143, before(attempt), []), attempt
        assert attempt["said"] == "terminated; nothing half-written was left behind\n"


def test_a_full_disk_leaves_nothing_and_says_how_much_is_needed(attempts: Attempts) -> None:
    full = in_way(attempts, "FULL")
    assert len(full) >= 2
    for attempt in full:
        assert (attempt["status"], attempt["target"], attempt["others"]) == (2, before(attempt), []), attempt
        assert re.search("cannot be (written|kept in a temporary file): No space left on device", attempt["said"])
        assert re.search(r"expected: room for at least [1-9]\d* bytes", attempt["said"]), attempt["said"]
        assert re.search(r"found: \d+ bytes free in /", attempt["said"]), attempt["said"]
