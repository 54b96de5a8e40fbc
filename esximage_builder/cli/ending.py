"""How a run ends that is told to: SIGTERM unwinds it as Ctrl-C does, so that nothing half-written stays.

Only where nobody else has taken the signal: a handler of the program around us stays, and so does
the wish to ignore it. Only the main thread can do so; in others the signal is as it was.
"""

from __future__ import annotations

import contextlib
import signal
import threading
from typing import TYPE_CHECKING, NoReturn, final

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

__all__ = ["TerminatedError", "orderly_termination"]


@final
class TerminatedError(KeyboardInterrupt):
    """The process was asked to end."""


@contextlib.contextmanager
def orderly_termination() -> Iterator[None]:
    """Let SIGTERM raise ``TerminatedError`` while the block runs; a second one changes nothing."""
    is_main = threading.current_thread() is threading.main_thread()
    if not is_main or signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL:
        yield
        return
    signal.signal(signal.SIGTERM, _unwind)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _unwind(number: int, frame: FrameType | None) -> NoReturn:  # noqa: ARG001 - what the system hands over
    signal.signal(number, signal.SIG_IGN)  # clearing away must not be interrupted
    raise TerminatedError
