"""Jobs side by side: the same results, the same error and the same account, however many work."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings, strategies as st

from esximage_builder.errors import ModelError
from esximage_builder.streams import side_by_side
from esximage_builder.streams.side_by_side import Job, do_side_by_side, number_of_workers

if TYPE_CHECKING:
    from esximage_builder.streams.side_by_side import Pace

each_number = pytest.mark.parametrize("workers", [1, 2, 5])


class OddError(Exception):
    """Of a job."""


def job(number: int, size: int, *, fails: bool = False, begun: list[int] | None = None) -> Job[int]:
    def run(pace: Pace) -> int:
        if begun is not None:
            begun.append(number)
        for _ in range(3):
            pace.go_on()
            time.sleep(0)
        if fails:
            raise OddError(number)
        pace.tell(size)
        return number

    return Job(size_bytes=size, run=run)


@each_number
def test_results_stand_in_the_order_of_the_jobs(workers: int) -> None:
    told: list[int] = []
    jobs = [job(number, number * 7 % 10) for number in range(40)]
    assert do_side_by_side(jobs, workers=workers, tell=told.append) == list(range(40))
    assert sorted(told) == sorted(item.size_bytes for item in jobs)


@each_number
def test_no_job_is_no_work(workers: int) -> None:
    assert do_side_by_side([], workers=workers, tell=print) == []


def test_the_largest_is_begun_first() -> None:
    begun: list[int] = []
    do_side_by_side([job(n, size, begun=begun) for n, size in enumerate([1, 5, 3])], workers=1, tell=lambda _: None)
    assert begun == [1, 2, 0]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 5), st.booleans()), max_size=12))
def test_the_error_told_does_not_depend_on_how_many_work(plan: list[tuple[int, bool]]) -> None:
    jobs = [job(number, size, fails=fails) for number, (size, fails) in enumerate(plan)]
    said = []
    for workers in (1, 2, 4):
        try:
            said.append(do_side_by_side(jobs, workers=workers, tell=lambda _: None))
        except OddError as error:
            said.append(list(error.args))
    assert said[0] == said[1] == said[2]


def test_what_comes_before_a_failure_is_done_to_its_end_and_what_comes_behind_is_left() -> None:
    """The second fails at once, the first does later: the first is told, and of the rest none goes on."""
    may_fail, ended = threading.Event(), []

    def first(_: Pace) -> None:
        assert may_fail.wait(10)
        raise OddError("first")

    def second(_: Pace) -> None:
        may_fail.set()
        raise OddError("second")

    def rest(pace: Pace) -> None:
        pace.go_on()
        ended.append("rest")

    jobs = [Job(size_bytes=size, run=run) for size, run in ((9, first), (8, second), *[(1, rest)] * 20)]
    with pytest.raises(OddError, match="first"):
        do_side_by_side(jobs, workers=2, tell=lambda _: None)
    assert not ended


@each_number
def test_progress_comes_from_the_calling_thread_and_may_end_everything(workers: int) -> None:
    before = threading.active_count()

    def endless(pace: Pace) -> None:
        while True:
            pace.go_on()
            pace.tell(1)

    def tell(_: int) -> None:
        assert threading.current_thread() is threading.main_thread()
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        do_side_by_side([Job(size_bytes=1, run=endless)] * 3, workers=workers, tell=tell)
    assert threading.active_count() == before


@pytest.mark.parametrize("given", [0, 1])
def test_where_the_system_gives_no_more_threads_the_work_is_done_all_the_same(
    given: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    start, left = threading.Thread.start, [given]

    def refuse(thread: threading.Thread) -> None:
        if not left[0]:
            raise RuntimeError("can't start new thread")
        left[0] -= 1
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", refuse)
    told: list[int] = []
    assert do_side_by_side([job(n, 1) for n in range(9)], workers=3, tell=told.append) == list(range(9))
    assert sum(told) == 9


def test_one_works_where_there_is_one_core(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(side_by_side, "_cores", lambda: 1)
    assert number_of_workers(None) == 1
    monkeypatch.setattr(side_by_side, "_cores", lambda: 8)
    assert number_of_workers(None) == 2
    assert number_of_workers(7) == 7


@pytest.mark.parametrize("workers", [0, -1, 65])
def test_a_senseless_number_is_refused(workers: int) -> None:
    with pytest.raises(ModelError, match="so many cannot work"):
        number_of_workers(workers)


@pytest.mark.parametrize("workers", [True, 1.5, "2"])
def test_what_is_no_number_is_refused(workers: object) -> None:
    with pytest.raises(TypeError, match="workers must be a whole number"):
        number_of_workers(workers)  # type: ignore[arg-type]
