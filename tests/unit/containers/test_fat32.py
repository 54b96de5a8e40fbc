"""Sticks laid out: every file is where another program finds it, and the same files are the same bytes."""

from __future__ import annotations

import datetime as dt
import hashlib
import io
import json
import random
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st
from support.changed_depots import needs, run

from esximage_builder.containers.fat32 import FatFile, StickLayout, lay_out_stick
from esximage_builder.containers.fat32_reader import open_stick
from esximage_builder.errors import ModelError
from esximage_builder.limits import ReadLimits

if TYPE_CHECKING:
    from pathlib import Path

WHEN = dt.datetime(2025, 3, 4, 5, 6, 8, tzinfo=dt.UTC)
NOISE = random.Random(32).randbytes
CONTENTS = {
    "BOOT.CFG": b"kernel=/b.b00\n",
    "EMPTY.GZ": b"",
    "EFI/BOOT/BOOTX64.EFI": NOISE(5000),
    "EFI/BOOT/BOOT.CFG": NOISE(512),
    "ONE.V00": b"\n",
    "FULL.V00": NOISE(4096),
    "OVER.V00": NOISE(4097),
    "NOSUFFIX": NOISE(70_000),
    **{f"M{number}.V00": NOISE(number) for number in range(200)},
}


def laid_out(contents: dict[str, bytes], *, label: str = "ESXI", when: dt.datetime = WHEN) -> StickLayout:
    files = [FatFile(path=path, content=content) for path, content in contents.items()]
    return lay_out_stick(files, label=label, timestamp=when)


def written(layout: StickLayout, path: Path) -> Path:
    with path.open("wb") as file:
        layout.write_skeleton(file)
    assert path.stat().st_size == layout.total_bytes
    return path


@pytest.fixture(scope="module")
def stick(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(laid_out(CONTENTS), tmp_path_factory.mktemp("stick") / "stick.img")


@pytest.fixture(scope="module")
def volume(stick: Path) -> Path:
    """The file system alone, since ``fsck.fat`` takes no offset."""
    path = stick.with_suffix(".fat")
    path.write_bytes(stick.read_bytes()[1 << 20 :])
    return path


def test_our_reader_finds_every_byte(stick: Path) -> None:
    with open_stick(stick, where="stick", limits=ReadLimits()) as opened:
        assert {path: opened.read(path, max_bytes=1 << 20) for path in opened.files} == CONTENTS


@needs("fsck.fat")
def test_fsck_finds_no_fault(volume: Path) -> None:
    said = run("fsck.fat", "-n", "-v", volume)
    assert "2 FATs, 32 bit entries" in said
    opening, last = said.split("Checking free cluster summary.\n")
    assert opening.endswith("Checking for unused clusters.\n"), "a fault would be told between"
    assert f": {len(CONTENTS) + 3} files, " in last, "with both folders and the root"


@needs("mcopy")
def test_mtools_copies_every_byte(stick: Path, tmp_path: Path) -> None:
    run("mcopy", "-s", "-n", "-i", f"{stick}@@1M", "::", tmp_path)
    found = {path.relative_to(tmp_path).as_posix(): path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    assert {name.upper(): data for name, data in found.items()} == CONTENTS


@needs("mdir")
def test_mdir_shows_label_and_date(stick: Path) -> None:
    said = run("mdir", "-i", f"{stick}@@1M", "::")
    assert "Volume in drive : is ESXI" in said
    assert said.count("2025-03-04   5:06") == sum("/" not in path for path in CONTENTS) + 1


@needs("sfdisk")
def test_sfdisk_finds_one_active_partition_of_fat32(stick: Path) -> None:
    table = json.loads(run("sfdisk", "--json", stick))["partitiontable"]
    (entry,) = table["partitions"]
    assert (entry["start"], entry["type"], entry["bootable"]) == (2048, "c", True)
    assert (entry["start"] + entry["size"]) * 512 == stick.stat().st_size
    assert "No errors detected" in run("sfdisk", "--verify", stick)


def test_the_order_of_files_and_the_time_zone_change_no_byte() -> None:
    first, second = io.BytesIO(), io.BytesIO()
    laid_out(CONTENTS).write_skeleton(first)
    elsewhere = WHEN.astimezone(dt.timezone(dt.timedelta(hours=9)))
    laid_out(dict(reversed(CONTENTS.items())), when=elsewhere).write_skeleton(second)
    assert hashlib.sha256(first.getvalue()).digest() == hashlib.sha256(second.getvalue()).digest()


def test_places_of_files_without_content_are_left_to_the_caller(tmp_path: Path) -> None:
    files = [FatFile(path="BIG.V00", size_bytes=10_000), FatFile(path="B.CFG", content=b"text")]
    layout = lay_out_stick(files, label="ESXI", timestamp=WHEN)
    path = written(layout, tmp_path / "stick.img")
    data = NOISE(10_000)
    with path.open("r+b") as file:
        file.seek(layout.offsets["BIG.V00"])
        file.write(data)
    with open_stick(path, where="stick", limits=ReadLimits()) as opened:
        assert opened.read("BIG.V00", max_bytes=10_000) == data
        assert opened.read("B.CFG", max_bytes=10) == b"text"


def test_a_large_stick_has_clusters_of_4_kib_and_a_small_one_is_still_fat32() -> None:
    large = lay_out_stick([FatFile(path="A", size_bytes=400 << 20)], label="X", timestamp=WHEN)
    small = laid_out({"A": b"x"})
    assert 400 << 20 < large.total_bytes < 403 << 20
    assert 33 << 20 < small.total_bytes < 36 << 20
    assert large.offsets["A"] % 4096 == 0


NAMES = st.from_regex(r"[A-Z0-9_]{1,8}(\.[A-Z0-9_]{1,3})?", fullmatch=True)


@settings(deadline=None, max_examples=30, suppress_health_check=[HealthCheck.too_slow])
@given(contents=st.dictionaries(st.lists(NAMES, min_size=1, max_size=3).map("/".join), st.binary(max_size=2000)))
def test_what_is_laid_out_is_read(contents: dict[str, bytes]) -> None:
    folders = {path[:at] for path in contents for at, letter in enumerate(path) if letter == "/"}
    contents = {path: data for path, data in contents.items() if path not in folders}
    target = io.BytesIO()
    laid_out(contents).write_skeleton(target)
    with open_stick(target, where="stick", limits=ReadLimits()) as opened:
        assert {path: opened.read(path, max_bytes=2000) for path in opened.files} == contents


@pytest.mark.parametrize("path", ["", "a", "A/", "/A", "A.B.C", "ABCDEFGHI", "A.ABCD", "A B", "Ä", "..", "."])
def test_names_that_are_no_short_ones_are_refused(path: str) -> None:
    with pytest.raises(ModelError, match="name cannot stand on a stick"):
        laid_out({path: b""})


@pytest.mark.parametrize(
    ("files", "match"),
    [
        pytest.param([FatFile(path="A", content=b""), FatFile(path="A", content=b"")], "same name", id="twice"),
        pytest.param([FatFile(path="A", content=b""), FatFile(path="A/B", content=b"")], "both", id="file and folder"),
        pytest.param([FatFile(path="A", size_bytes=2**32)], "size of a file", id="too large"),
        pytest.param([FatFile(path="A", size_bytes=-1)], "size of a file", id="less than nothing"),
        pytest.param([FatFile(path="A", content=b"x", size_bytes=2)], "size of a file", id="another size"),
    ],
)
def test_files_that_cannot_stand_there_are_refused(files: list[FatFile], match: str) -> None:
    with pytest.raises(ModelError, match=match):
        lay_out_stick(files, label="X", timestamp=WHEN)


def test_a_file_without_content_needs_a_size() -> None:
    with pytest.raises(ModelError, match="needs a size"):
        FatFile(path="A")


@pytest.mark.parametrize(
    ("label", "when", "match"),
    [
        pytest.param("", WHEN, "label", id="no label"),
        pytest.param("ESXI 8.0 U3 X", WHEN, "label", id="long label"),
        pytest.param("esxi", WHEN, "label", id="lower case"),
        pytest.param("X", WHEN.replace(year=1979), "date cannot", id="before 1980"),
        pytest.param("X", WHEN.replace(year=2108), "date cannot", id="after 2107"),
        pytest.param("X", WHEN.replace(tzinfo=None), "time zone", id="no time zone"),
    ],
)
def test_labels_and_dates_that_fat_does_not_know_are_refused(label: str, when: dt.datetime, match: str) -> None:
    with pytest.raises(ModelError, match=match):
        laid_out({"A": b""}, label=label, when=when)


def test_more_files_than_a_folder_can_hold_are_refused() -> None:
    with pytest.raises(ModelError, match="more files than one of FAT32"):
        laid_out({f"F{number}": b"" for number in range(65_536)})
