"""The table of upgrade paths: what is direct, where to stop on the way, and that every row has a source."""

from __future__ import annotations

import pytest

from esximage_builder.rules.upgrade_paths import (
    CAUTIONS,
    DIRECT_PATHS,
    DirectPath,
    Evidence,
    PathCaution,
    cautions_between,
    stops_between,
)


def test_every_row_says_how_sure_it_is_and_where_it_stands() -> None:
    rows: tuple[DirectPath | PathCaution, ...] = (*DIRECT_PATHS, *CAUTIONS)

    assert all(row.source and row.evidence in tuple(Evidence) for row in rows)
    assert all(row.source.startswith("https://") for row in rows if row.evidence is Evidence.CONFIRMED)


def test_rows_stand_in_the_order_of_releases() -> None:
    assert list(DIRECT_PATHS) == sorted(DIRECT_PATHS, key=lambda row: row.release)
    assert list(CAUTIONS) == sorted(CAUTIONS, key=lambda row: row.release)
    assert all(row.oldest < row.release for row in DIRECT_PATHS)


@pytest.mark.parametrize(
    ("before", "after", "stops"),
    [
        pytest.param((6, 0, 0), (7, 0, 0), ["6.5 or 6.7"], id="6.0 to 7.0"),
        pytest.param((6, 0, 0), (7, 0, 3), ["6.5 or 6.7"], id="6.0 to an update of 7.0"),
        pytest.param((6, 5, 0), (7, 0, 3), [], id="6.5 to 7.0"),
        pytest.param((6, 5, 0), (8, 0, 3), ["6.7 or 7.0"], id="6.5 to 8.0"),
        pytest.param((6, 7, 0), (8, 0, 0), [], id="6.7 to 8.0"),
        pytest.param((7, 0, 3), (8, 0, 3), [], id="7.0 to 8.0"),
        pytest.param((7, 0, 3), (9, 0, 0), ["8.0"], id="7.0 to 9.0"),
        pytest.param((6, 7, 0), (9, 1, 0), ["8.0"], id="6.7 to 9.1"),
        pytest.param((6, 0, 0), (9, 0, 1), ["6.7 or 7.0", "8.0"], id="two stops"),
        pytest.param((5, 5, 0), (9, 0, 0), ["6.0 or 6.5", "6.7 or 7.0", "8.0"], id="three stops"),
        pytest.param((8, 0, 3), (9, 1, 1), [], id="8.0 to 9.1"),
        pytest.param((7, 0, 3), (11, 0, 0), ["8.0"], id="a release without a row"),
        pytest.param((9, 0, 0), (6, 0, 0), [], id="downwards"),
        pytest.param((4, 1, 0), (5, 5, 0), [], id="before the table"),
    ],
)
def test_older_hosts_stop_on_the_way(before: tuple[int, ...], after: tuple[int, ...], stops: list[str]) -> None:
    assert [stop.first for stop in stops_between(before, after)] == stops


@pytest.mark.parametrize(
    ("before", "after", "releases"),
    [
        pytest.param((6, 7, 0), (7, 0, 3), [(7, 0), (7, 0)], id="6.7 to 7.0"),
        pytest.param((6, 5, 0), (6, 7, 0), [(6, 7)], id="6.5 to 6.7"),
        pytest.param((7, 0, 3), (8, 0, 0), [(8, 0), (8, 0)], id="7.0 to 8.0"),
        pytest.param((6, 7, 0), (8, 0, 2), [(7, 0), (7, 0), (8, 0), (8, 0, 2)], id="6.7 to 8.0 U2"),
        pytest.param((8, 0, 1), (8, 0, 3), [(8, 0, 2)], id="inside 8.0"),
        pytest.param((8, 0, 3), (9, 1, 0), [(9, 0)], id="8.0 to 9.1"),
        pytest.param((7, 0, 2), (7, 0, 3), [], id="inside 7.0"),
        pytest.param((8, 0, 3), (7, 0, 3), [], id="downwards"),
    ],
)
def test_cautions_lie_between_the_releases(
    before: tuple[int, ...], after: tuple[int, ...], releases: list[tuple[int, ...]]
) -> None:
    assert [caution.release for caution in cautions_between(before, after)] == releases
