"""What one reading may spend: fixed bounds, and those that grow with what was brought."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator

import pytest

from esximage_builder.errors import LimitExceededError
from esximage_builder.limits import ReadBudget, ReadLimits, require_few_parts
from esximage_builder.streams.blocks import counted_stream

MIB = 1024 * 1024
Spend = Callable[[ReadBudget, int], None]
SPENDING = {
    "unpacked": (lambda budget, count: budget.spend_unpacked(count, where="a.zip"), 256 * MIB, 100),
    "metadata": (lambda budget, count: budget.spend(count, where="a.zip"), 16 * MIB, 100 / 6),
    "parts": (lambda budget, count: budget.spend_document(b"<" * count, where="a.zip"), 200_000, 0.5),
    "members": (lambda budget, count: budget.spend_members(count, where="a.zip"), 40_000, 0.025),
}
each_bound = pytest.mark.parametrize(("spend", "free", "rate"), SPENDING.values(), ids=SPENDING)


@each_bound
def test_a_source_of_some_length_allows_so_much_and_no_more(spend: Spend, free: int, rate: float) -> None:
    """What is free, and so much for each of its bytes."""
    allowed = int(free + rate * 1_000_000)
    budget = ReadBudget(ReadLimits(), source_bytes=1_000_000)
    spend(budget, allowed)
    with pytest.raises(LimitExceededError, match="than a file of its length explains") as caught:
        spend(budget, 1_000)
    assert "unpacked_ratio" in caught.value.hint
    assert caught.value.where == "a.zip"


@each_bound
def test_sources_add_up_and_the_caller_may_be_more_generous(spend: Spend, free: int, rate: float) -> None:
    """Two sources of a megabyte allow as much as one of two, and twice the ratio the same again."""
    budget = ReadBudget(ReadLimits(unpacked_ratio=200))
    budget.bring(1_000_000)
    budget.bring(1_000_000)
    spend(budget, int(free + rate * 4_000_000))
    with pytest.raises(LimitExceededError):
        spend(budget, 1_000)


@each_bound
def test_a_budget_of_no_source_is_held_to_nothing_but_the_fixed_bounds(spend: Spend, free: int, rate: float) -> None:
    """Some readings know no length."""
    spend(ReadBudget(ReadLimits()), int(free + rate * 1_000_000) * 2)


def test_nothing_is_made_where_all_is_spent() -> None:
    """Not even the first block: making it is what costs."""
    budget = ReadBudget(ReadLimits(unpacked_ratio=0), source_bytes=1)
    with pytest.raises(LimitExceededError):
        budget.spend_unpacked(257 * MIB, where="a")

    made: list[bytes] = []

    def blocks() -> Iterator[bytes]:
        made.append(b"x")
        yield made[-1]

    with pytest.raises(LimitExceededError):
        next(budget.counted(blocks(), where="a"))
    assert made == []


def test_a_counted_stream_gives_what_its_source_has_and_charges_for_it() -> None:
    budget = ReadBudget(ReadLimits(), source_bytes=0)
    data = bytes(200_000)
    assert counted_stream(io.BytesIO(data), budget, where="a").read() == data
    assert budget.unpacked_bytes == len(data)
    source = io.BytesIO(data)
    assert counted_stream(source, None, where="a") is source


def test_a_document_of_too_many_parts_is_refused_before_it_is_parsed() -> None:
    """One part for 16 bytes of the longest document; a short document may be all parts."""
    require_few_parts(b"<" * 20_000, max_bytes=100, where="a.xml")
    require_few_parts(b"<" * 524_288, max_bytes=8 * MIB, where="a.xml")
    require_few_parts(b"a" * 8 * MIB, max_bytes=8 * MIB, where="a.xml")
    with pytest.raises(LimitExceededError, match="more elements, attributes or values"):
        require_few_parts(b"<" * 524_289, max_bytes=8 * MIB, where="a.xml")
