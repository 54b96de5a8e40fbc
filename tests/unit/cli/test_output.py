"""The line that says how far long work is."""

from __future__ import annotations

import io
from types import SimpleNamespace

import pytest

from esximage_builder.cli import output

MIB = 1024 * 1024


class Terminal(io.StringIO):
    """A stream that says it is one."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [1000.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    return now


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    stream = Terminal()
    monkeypatch.setattr(output, "sys", SimpleNamespace(stderr=stream))
    monkeypatch.setenv("COLUMNS", "80")
    return stream


def lines(stream: io.StringIO) -> list[str]:
    return [line.removesuffix("\x1b[K") for line in stream.getvalue().replace("\n", "").split("\r")[1:]]


def test_rate_and_time_left_are_told_now_and_then(terminal: Terminal, clock: list[float]) -> None:
    show = output._ProgressLine()
    for seconds, done in ((0, 0), (0.05, 1), (1, 50), (1.05, 51), (2, 100), (4, 200)):
        clock[0] = 1000 + seconds
        show("iso", done * MIB, 200 * MIB)
    assert lines(terminal) == [
        "iso   0 %  0 MiB",
        "iso  25 %  50 MiB  50 MiB/s  3 s left",
        "iso  50 %  100 MiB  50 MiB/s  2 s left",
        "iso 100 %  200 MiB  50 MiB/s  4 s",
    ]
    assert terminal.getvalue().endswith("\n")


def test_the_next_stage_begins_anew(terminal: Terminal, clock: list[float]) -> None:
    show = output._ProgressLine()
    show("iso", 10 * MIB, 10 * MIB)
    clock[0] += 10
    show("verify", 1 * MIB, 10 * MIB)
    assert lines(terminal)[-1] == "verify  10 %  1 MiB"


def test_a_narrow_terminal_gets_one_line(
    terminal: Terminal, clock: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "12")
    show = output._ProgressLine()
    clock[0] += 1
    show("a-long-stage", 5 * MIB, 10 * MIB)
    assert lines(terminal) == ["a-long-stag"]


def test_what_is_no_terminal_gets_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.StringIO()
    monkeypatch.setattr(output, "sys", SimpleNamespace(stderr=stream))
    output._ProgressLine()("iso", 1, 2)
    monkeypatch.setattr(output, "sys", SimpleNamespace(stderr=None))
    output._ProgressLine()("iso", 1, 2)
    assert stream.getvalue() == ""


def test_unknown_sizes_show_nothing(terminal: Terminal) -> None:
    output._ProgressLine()("iso", 0, 0)
    assert terminal.getvalue() == ""
