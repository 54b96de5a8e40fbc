"""Counting the lines of a module that a piece of work runs: growth that no clock and no other process sways."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType, ModuleType


def lines_run_in(module: ModuleType, work: Callable[[], object]) -> int:
    """Do the work and return how many lines of the module were run for it, each time anew."""
    count = 0

    def in_frame(_: FrameType, event: str, __: object) -> Any:
        nonlocal count
        count += event == "line"
        return in_frame

    def on_call(frame: FrameType, _: str, __: object) -> Any:
        return in_frame if frame.f_code.co_filename == module.__file__ else None

    before = sys.gettrace()
    sys.settrace(on_call)
    try:
        work()
    finally:
        sys.settrace(before)
    return count
