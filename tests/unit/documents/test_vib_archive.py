"""The archive around a VIB's members."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from esximage_builder.documents.vib_archive import archive_mode_of
from esximage_builder.models.vib import SoftwarePlatform, Vib
from esximage_builder.versions import VibVersion

PLATFORM = SoftwarePlatform("8.0")


@pytest.mark.parametrize(
    ("platforms", "released_at", "mode"),
    [
        pytest.param([PLATFORM], datetime(2023, 1, 1, tzinfo=UTC), "0o0", id="with platform, 2023"),
        pytest.param([PLATFORM], datetime(2025, 6, 1, tzinfo=UTC), "0o0", id="with platform, later"),
        pytest.param([PLATFORM], datetime(2022, 12, 31, 23, 59, tzinfo=UTC), "0", id="with platform, before"),
        pytest.param([], datetime(2024, 1, 1, tzinfo=UTC), "0", id="without platform"),
        pytest.param([PLATFORM], None, "0", id="without date"),
    ],
)
def test_the_mode_is_spelled_as_in_vibs_of_the_time(
    platforms: list[SoftwarePlatform], released_at: datetime | None, mode: str
) -> None:
    vib = Vib(
        name="net", version=VibVersion("1.0-1"), vendor="ACM", software_platforms=platforms, released_at=released_at
    )

    assert archive_mode_of(vib) == mode
