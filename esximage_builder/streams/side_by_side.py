"""Doing independent jobs side by side: what one thread would do, in less time.

Reading, hashing, unpacking and writing large blocks leave Python's lock, so two threads keep two cores busy.
What comes of it does not depend on how many work: results stand in the order of the jobs, and of several that
fail the first in the order of work is the one that is told, since all before it are done to their ends.
"""

from __future__ import annotations

import os
import threading
from collections import deque
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar, final

import attrs

from esximage_builder.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["MOST_WORKERS", "Job", "Pace", "do_side_by_side", "number_of_workers"]

MOST_WORKERS = 64
_ENOUGH_WORKERS = 2
"""As many as pays off: one disk gives the bytes, and one takes them."""
_TELL_SECONDS = 0.25

_Result_co = TypeVar("_Result_co", covariant=True)
_Result = TypeVar("_Result")


class Pace(Protocol):
    """What a job is given for its way."""

    def tell(self, count: int) -> None:
        """Say that so many more bytes are done."""

    def go_on(self) -> None:
        """End the job here, if another one has failed that counts for more; asked between two blocks."""


@final
@attrs.frozen(kw_only=True)
class Job(Generic[_Result_co]):
    """Something to do that needs none of the others.

    Attributes:
        size_bytes: How much there is to do; the largest jobs are begun first.
        run: Does it; may be called from any thread.
    """

    size_bytes: int
    run: Callable[[Pace], _Result_co]


def number_of_workers(wanted: int | None) -> int:
    """Return how many work: as wanted, else two where there are two cores for this process.

    Raises:
        ModelError: So many cannot.
    """
    if wanted is None:
        return min(_ENOUGH_WORKERS, _cores())
    if isinstance(wanted, bool) or not isinstance(wanted, int):
        raise TypeError(f"workers must be a whole number or None, not {type(wanted).__name__}")
    if not 1 <= wanted <= MOST_WORKERS:
        raise ModelError("so many cannot work", found=str(wanted), expected=f"a number from 1 to {MOST_WORKERS}")
    return wanted


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def do_side_by_side(jobs: Sequence[Job[_Result]], *, workers: int, tell: Callable[[int], None]) -> list[_Result]:
    """Do all jobs, the largest first.

    Args:
        jobs: Any number.
        workers: How many threads do them; with one, the calling thread does.
        tell: Told of bytes done, always from the calling thread. What it raises ends everything.

    Returns:
        What the jobs return, in their order.

    Raises:
        BaseException: What a job raised; of several, the one that was begun first.
    """
    order = sorted(range(len(jobs)), key=lambda number: -jobs[number].size_bytes)
    results: dict[int, _Result] = {}
    if workers == 1 or len(jobs) < 2:  # noqa: PLR2004 - with one there is nothing to divide
        alone = _Alone(tell)
        for number in order:
            results[number] = jobs[number].run(alone)
    else:
        _Shift(jobs, order, results).work(min(workers, len(jobs)), tell)
    return [results[number] for number in range(len(jobs))]


@final
@attrs.frozen
class _Alone:
    """The pace of one who works in the calling thread."""

    tell: Callable[[int], None]

    def go_on(self) -> None:
        """Do nothing: nobody else can have failed."""


class _StopError(BaseException):
    """Ends a job whose result nobody wants any more; no handler of errors is to hold it up."""


@final
class _Shift(Generic[_Result]):
    """The work of several threads on one list of jobs."""

    def __init__(self, jobs: Sequence[Job[_Result]], order: Sequence[int], results: dict[int, _Result]) -> None:
        self._jobs = jobs
        self._order = order
        self._results = results
        self._changed = threading.Condition()
        self._next = 0
        self._end = len(order)
        """No job is begun from this place on, and those behind it are ended where they are: it has failed."""
        self._busy = 0
        self._told: deque[int] = deque()
        self._error: BaseException | None = None

    def work(self, workers: int, tell: Callable[[int], None]) -> None:
        """Do all jobs, and say how far they are."""
        begun: list[threading.Thread] = []
        try:
            for number in range(workers):
                self._begin(begun, number)
            while self._is_under_way(tell):
                pass
        finally:
            self._stop()
            for thread in begun:
                if thread.ident is not None:
                    thread.join()
        if self._error is not None:
            raise self._error

    def _begin(self, begun: list[threading.Thread], number: int) -> None:
        """Start a thread; where the system gives no more, those that are there do the work, or this one."""
        thread = threading.Thread(target=self._work, name=f"esximage-{number}")
        with self._changed:
            self._busy += 1
        begun.append(thread)
        try:
            thread.start()
        except RuntimeError:
            begun.remove(thread)
            if not begun:
                self._work()
                return
            with self._changed:
                self._busy -= 1

    def _is_under_way(self, tell: Callable[[int], None]) -> bool:
        """Wait for news and pass them on; tell whether more may come."""
        with self._changed:
            if self._busy and not self._told:
                self._changed.wait(_TELL_SECONDS)
            busy = self._busy
            told = [self._told.popleft() for _ in range(len(self._told))]
        for count in told:
            tell(count)
        return bool(busy or told)

    def _stop(self) -> None:
        """End every job that is under way; none is when all went well."""
        with self._changed:
            self._end = -1

    def _work(self) -> None:
        try:
            while (place := self._take()) is not None:
                self._do(place)
        finally:
            with self._changed:
                self._busy -= 1
                self._changed.notify()

    def _take(self) -> int | None:
        with self._changed:
            if self._next >= self._end:
                return None
            self._next += 1
            return self._next - 1

    def _do(self, place: int) -> None:
        number = self._order[place]
        try:
            self._results[number] = self._jobs[number].run(_AtPlace(self.tell, self.is_over_for, place))
        except _StopError:
            return
        except BaseException as error:  # noqa: BLE001 - raised again in the calling thread
            with self._changed:
                if place < self._end:
                    self._end, self._error = place, error

    def tell(self, count: int) -> None:
        """Take note of bytes that are done."""
        with self._changed:
            self._told.append(count)
            self._changed.notify()

    def is_over_for(self, place: int) -> bool:
        """Tell whether the job at that place is done for nothing."""
        return place > self._end


@final
@attrs.frozen
class _AtPlace:
    """The pace of one job of several."""

    tell: Callable[[int], None]
    _is_over_for: Callable[[int], bool]
    _place: int

    def go_on(self) -> None:
        if self._is_over_for(self._place):
            raise _StopError
