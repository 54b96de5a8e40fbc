"""The one date of an export: taken from the environment or the image, refused where it is none."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from support import memory_catalogs as catalogs
from support.small_images import base_vibs, write_base_depot

import esximage_builder as eib
from esximage_builder.export.timestamp import image_timestamp

if TYPE_CHECKING:
    from pathlib import Path

RELEASED = datetime(2024, 1, 31, tzinfo=UTC)
VERSION = "7.0.3-0.55.20328353"


def image_of(released_at: datetime | None) -> eib.Image:
    base = eib.BaseImage(version=eib.BaseImageVersion(VERSION), released_at=released_at)
    return eib.Image(name="x", base_image=base, vibs=[eib.InstalledVib(vib=catalogs.vib("net"))])


def dated(epoch: str, released_at: datetime | None = RELEASED) -> datetime:
    return image_timestamp(image_of(released_at), {"SOURCE_DATE_EPOCH": epoch})


@pytest.mark.parametrize(
    ("epoch", "moment"),
    [
        pytest.param("1600000000", datetime(2020, 9, 13, 12, 26, 40, tzinfo=UTC), id="a date"),
        pytest.param("0001600000000", datetime(2020, 9, 13, 12, 26, 40, tzinfo=UTC), id="zeros before it"),
        pytest.param("315532800", datetime(1980, 1, 1, tzinfo=UTC), id="first that a zip holds"),
        pytest.param("4354732800", datetime(2107, 12, 31, tzinfo=UTC), id="last day that a zip holds"),
        pytest.param("", RELEASED, id="empty is not set"),
    ],
)
def test_the_variable_is_the_date(epoch: str, moment: datetime) -> None:
    assert dated(epoch) == moment


@pytest.mark.parametrize(
    "epoch",
    [
        pytest.param("yesterday", id="word"),
        pytest.param("-1", id="negative"),
        pytest.param("+1600000000", id="sign"),
        pytest.param("1600000000.5", id="fraction"),
        pytest.param("1_600_000_000", id="underscores"),
        pytest.param("0x5f5e1000", id="hexadecimal"),
        pytest.param(" ", id="blank"),
        pytest.param(" 1600000000", id="blank before"),
        pytest.param("1600000000\n", id="line end"),
        pytest.param("１６００００００００", id="other digits"),  # noqa: RUF001 - that is what it is about
        pytest.param("²", id="superscript"),
        pytest.param("2020-09-13", id="day"),
        pytest.param("0", id="1970"),
        pytest.param("315532799", id="second before 1980"),
        pytest.param("4354819200", id="2108"),
        pytest.param("1600000000000", id="milliseconds"),
        pytest.param("9" * 10_000, id="more digits than Python reads"),
    ],
)
def test_what_is_no_date_is_refused_with_the_name_of_the_variable(epoch: str) -> None:
    with pytest.raises(eib.ModelError, match="SOURCE_DATE_EPOCH") as caught:
        dated(epoch)
    assert caught.value.where == "SOURCE_DATE_EPOCH"
    assert caught.value.found == repr(epoch[:80])
    assert "315532800" in caught.value.expected
    assert "unset it" in caught.value.hint


@pytest.mark.parametrize(
    ("released_at", "moment"),
    [
        pytest.param(RELEASED, RELEASED, id="as it is"),
        pytest.param(None, datetime(1980, 1, 1, tzinfo=UTC), id="unknown"),
        pytest.param(datetime(1970, 1, 1, tzinfo=UTC), datetime(1980, 1, 1, tzinfo=UTC), id="too early"),
        pytest.param(datetime(2200, 1, 1, tzinfo=UTC), datetime(2107, 12, 31, tzinfo=UTC), id="too late"),
    ],
)
def test_without_the_variable_the_release_is_the_date(released_at: datetime | None, moment: datetime) -> None:
    """Nobody can correct a release date, so one that no zip holds is moved."""
    assert image_timestamp(image_of(released_at), {}) == moment


def test_nothing_is_written_with_a_wrong_date(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "base.zip"
    write_base_depot(path, VERSION, base_vibs(VERSION, kernel=b"k", bios_loader=bytes(4096), efi_image=bytes(4096)))
    (tmp_path / "out").mkdir()
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "yesterday")
    with eib.open_depot(path) as depot:
        image = eib.compose(depot.catalog, base_image=VERSION)
        for export in (eib.export_iso, eib.export_pxe, eib.export_bundle, eib.export_sbom):
            with pytest.raises(eib.ModelError, match="SOURCE_DATE_EPOCH"):
                export(image, depot, tmp_path / "out" / "target")
    assert list((tmp_path / "out").iterdir()) == []
