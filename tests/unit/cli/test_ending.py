"""A run that is told to end: SIGTERM unwinds, handlers come back, an early Ctrl-C prints no traceback."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading

import pytest
from support.changed_depots import clean_environment

from esximage_builder.cli.ending import TerminatedError, orderly_termination

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX's")


def terminate_within() -> None:
    with orderly_termination():
        os.kill(os.getpid(), signal.SIGTERM)


def test_the_signal_unwinds_and_the_handler_comes_back() -> None:
    before = signal.getsignal(signal.SIGTERM)
    assert before is signal.SIG_DFL
    with pytest.raises(TerminatedError):
        terminate_within()
    assert signal.getsignal(signal.SIGTERM) is before


def test_a_second_signal_does_not_disturb_the_clearing_away() -> None:
    done = []

    def terminate_twice() -> None:
        with orderly_termination():
            try:
                os.kill(os.getpid(), signal.SIGTERM)
            finally:
                os.kill(os.getpid(), signal.SIGTERM)
                done.append("cleared away")

    with pytest.raises(TerminatedError):
        terminate_twice()
    assert done == ["cleared away"]
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


@pytest.mark.parametrize("wish", [signal.SIG_IGN, lambda *_: None], ids=["ignored", "handled"])
def test_who_has_taken_the_signal_keeps_it(wish: signal.Handlers) -> None:
    before = signal.signal(signal.SIGTERM, wish)
    try:
        terminate_within()
        assert signal.getsignal(signal.SIGTERM) is wish
    finally:
        signal.signal(signal.SIGTERM, before)


def test_another_thread_changes_nothing() -> None:
    found: list[object] = []

    def look() -> None:
        with orderly_termination():
            found.append(signal.getsignal(signal.SIGTERM))

    thread = threading.Thread(target=look)
    thread.start()
    thread.join()
    assert found == [signal.SIG_DFL]


_INTERRUPTED_IMPORT = """
import importlib.abc, os, signal, sys
wanted = sys.argv[1]
class Interrupt(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name == wanted:
            os.kill(os.getpid(), signal.SIGINT)
from esximage_builder.cli.start import main
sys.meta_path.insert(0, Interrupt())
sys.argv[1:] = ["inspect", "missing.zip"]
sys.exit(main())
"""


@pytest.mark.parametrize(
    "module",
    [
        "esximage_builder.cli.app",
        "argparse",
        "esximage_builder.cli.output",
        "esximage_builder.cli.inspect",
        "esximage_builder.depot.opening",
        "lxml",
    ],
)
def test_ctrl_c_while_the_program_is_loaded_prints_no_traceback(module: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _INTERRUPTED_IMPORT, module],
        env=clean_environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 130
    assert done.stderr in ("", "interrupted; nothing half-written was left behind\n")
    assert done.stdout == ""
