"""VIBs read side by side: one budget, findings in order, progress that adds up."""

from __future__ import annotations

import io
import threading
from typing import TYPE_CHECKING, BinaryIO

import pytest

from esximage_builder.errors import LimitExceededError
from esximage_builder.limits import ReadBudget, ReadLimits
from esximage_builder.progress import no_progress
from esximage_builder.verify.vib_pass import VibCheck, check_side_by_side

if TYPE_CHECKING:
    from collections.abc import Callable

LIMITS = ReadLimits(unpacked_ratio=1)


def checks(sizes: list[int]) -> list[VibCheck[tuple[int, bool]]]:
    """One check for each size: it says its size, and whether the budget lasted."""

    def check_of(size: int) -> VibCheck[tuple[int, bool]]:
        def check(budget: ReadBudget, watched: Callable[[BinaryIO], BinaryIO]) -> tuple[int, bool]:
            stream = watched(io.BytesIO(bytes(size)))
            try:
                while block := stream.read(7):
                    budget.spend_unpacked(len(block), where="x")
            except LimitExceededError:
                return size, False
            return size, True

        return VibCheck(size_bytes=size, check=check)

    return [check_of(size) for size in sizes]


@pytest.mark.parametrize("workers", [1, 2, 9])
@pytest.mark.parametrize("free", [0, 40, 100, 10_000])
def test_what_is_found_and_spent_does_not_depend_on_how_many_read(
    workers: int, free: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("esximage_builder.limits._FREE_UNPACKED", free)
    alone, together = ReadBudget(LIMITS, 20), ReadBudget(LIMITS, 20)
    sizes = [10, 60, 30, 0, 20]
    expected = check_side_by_side(checks(sizes), alone, workers=1, progress=no_progress)
    assert check_side_by_side(checks(sizes), together, workers=workers, progress=no_progress) == expected
    assert together == alone
    assert [size for size, _ in expected] == sizes
    assert all(is_whole for _, is_whole in expected) is (free + 20 >= sum(sizes)) is not alone.was_short


@pytest.mark.parametrize("workers", [1, 2])
def test_progress_adds_up_and_comes_from_the_calling_thread(workers: int) -> None:
    told: list[tuple[str, int, int, int]] = []

    def progress(stage: str, done_bytes: int, total_bytes: int) -> None:
        told.append((stage, done_bytes, total_bytes, threading.get_ident()))

    check_side_by_side(checks([100, 50]), ReadBudget(LIMITS), workers=workers, progress=progress)
    assert [done for _, done, _, _ in told] == sorted(done for _, done, _, _ in told)
    assert told[-1][:3] == ("verify", 150, 150)
    assert {ident for *_, ident in told} == {threading.get_ident()}


@pytest.mark.parametrize("workers", [1, 2])
def test_what_ends_the_caller_ends_the_work(workers: int) -> None:
    def progress(stage: str, done_bytes: int, total_bytes: int) -> None:  # noqa: ARG001
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        check_side_by_side(checks([10_000_000, 10_000_000]), ReadBudget(LIMITS), workers=workers, progress=progress)


def test_a_vib_that_is_longer_than_stated_is_told_as_stated() -> None:
    told: list[int] = []
    longer = [VibCheck(size_bytes=10, check=checks([100])[0].check)]
    check_side_by_side(longer, ReadBudget(LIMITS), workers=1, progress=lambda _, done, total: told.append(done - total))
    assert told[-1] == 0
    assert max(told) == 0
