"""Reading VIBs to their ends, several at a time, within one budget: what is found does not depend on how many.

They share one bound of what they may unpack to. Where it is reached, which of them are cut short would depend on
who was first; so they are read once more then, one by one in their order.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO, Generic, Protocol, TypeVar, cast, final

import attrs

from esximage_builder.streams.side_by_side import Job, do_side_by_side

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from esximage_builder.limits import ReadBudget
    from esximage_builder.progress import Progress
    from esximage_builder.streams.side_by_side import Pace

__all__ = ["Check", "VibCheck", "check_side_by_side"]

_STAGE = "verify"

_Found = TypeVar("_Found")
_Found_co = TypeVar("_Found_co", covariant=True)


class Check(Protocol[_Found_co]):
    """Reads one VIB to its end; may be called from any thread, and twice."""

    def __call__(self, budget: ReadBudget, watched: Callable[[BinaryIO], BinaryIO], /) -> _Found_co:
        """Say what was found.

        Args:
            budget: Charged with all that is read and unpacked.
            watched: Puts a watch on a stream, which says how far the work is and ends what nobody wants any more.
        """


@final
@attrs.frozen(kw_only=True)
class VibCheck(Generic[_Found]):
    """One VIB to read.

    Attributes:
        size_bytes: What its metadata states of the file; 0 where it states nothing.
        check: Reads it.
    """

    size_bytes: int
    check: Check[_Found]


def check_side_by_side(
    checks: Sequence[VibCheck[_Found]], budget: ReadBudget, *, workers: int, progress: Progress
) -> list[_Found]:
    """Read VIBs.

    Args:
        checks: One for each.
        budget: Charged with what all of them cost, once.
        workers: How many are read at a time.
        progress: Told how many bytes of them are read, from the calling thread.

    Returns:
        What was found, in the order of ``checks``.
    """
    total = sum(each.size_bytes for each in checks)
    done = 0

    def tell(count: int) -> None:
        nonlocal done
        done = min(done + count, total)
        progress(_STAGE, done, total)

    trial = budget.copy()
    found = do_side_by_side([_job_of(each, trial) for each in checks], workers=workers, tell=tell)
    if workers > 1 and trial.was_short:
        return do_side_by_side([_job_of(each, budget) for each in checks], workers=1, tell=lambda _: tell(0))
    budget.take(trial)
    return found


def _job_of(each: VibCheck[_Found], budget: ReadBudget) -> Job[_Found]:
    def run(pace: Pace) -> _Found:
        watch = _Watch(pace, each.size_bytes)
        found = each.check(budget, watch.over)
        watch.close()
        return found

    return Job(size_bytes=each.size_bytes, run=run)


@final
class _Watch:
    """Tells what is read of a VIB, all streams together no more than its size, and in the end no less."""

    def __init__(self, pace: Pace, size_bytes: int) -> None:
        self._pace = pace
        self._left = size_bytes

    def over(self, source: BinaryIO) -> BinaryIO:
        return cast("BinaryIO", _WatchedStream(source, self))

    def take(self, count: int) -> None:
        self._pace.go_on()
        told = min(count, self._left)
        self._left -= told
        if told:
            self._pace.tell(told)

    def close(self) -> None:
        self.take(self._left)


@final
class _WatchedStream:
    """A stream that tells its watch what is read of it."""

    def __init__(self, source: BinaryIO, watch: _Watch) -> None:
        self._source = source
        self._watch = watch

    def read(self, size: int = -1, /) -> bytes:
        data = self._source.read(size)
        self._watch.take(len(data))
        return data
