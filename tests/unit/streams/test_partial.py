"""Partial files: those of killed runs go, those of running ones stay."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

import pytest

from esximage_builder.streams.partial import old_file, partial_file, partial_folder, remove_left_over

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such locks")

LEFT = ".image.iso.0123456789abcdef.esximage-partial"


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "image.iso"


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_partial_file_tells_whose_it_is(target: Path) -> None:
    with partial_file(target) as (path, handle):
        assert re.fullmatch(r"\.image\.iso\.[0-9a-f]{16}\.esximage-partial", path.name)
        assert os.path.samestat(path.stat(), os.fstat(handle))
        os.close(handle)
    assert names_in(target.parent) == []


def test_what_no_run_holds_is_removed(target: Path) -> None:
    (target.parent / LEFT).write_bytes(b"half")
    (target.parent / LEFT.replace("0", "f") / "tree").mkdir(parents=True)
    remove_left_over(target)
    assert names_in(target.parent) == []


def test_what_a_run_holds_stays(target: Path) -> None:
    """Even one of this process: the lock belongs to the open file."""
    with partial_file(target) as (path, handle), partial_folder(target) as folder:
        remove_left_over(target)
        assert path.exists()
        assert folder.exists()
        os.close(handle)
        remove_left_over(target)
        assert path.exists(), "it is held until it has taken its place"
    assert names_in(target.parent) == []


@pytest.mark.parametrize(
    "name",
    [
        ".other.iso.0123456789abcdef.esximage-partial",
        ".image.iso.0123456789abcdef.partial",
        ".image.iso.0123456789abcde.esximage-partial",
        ".image.iso.0123456789ABCDEF.esximage-partial",
        ".imageXiso.0123456789abcdef.esximage-partial",
        "image.iso.0123456789abcdef.esximage-partial",
        ".image.iso.0123456789abcdef.esximage-partial.txt",
    ],
)
def test_other_names_stay(target: Path, name: str) -> None:
    (target.parent / name).write_bytes(b"mine")
    remove_left_over(target)
    assert names_in(target.parent) == [name]


def test_a_link_or_pipe_of_that_name_is_left_alone(target: Path) -> None:
    (target.parent / "mine").write_bytes(b"mine")
    (target.parent / LEFT).symlink_to("mine")
    os.mkfifo(target.parent / LEFT.replace("0", "f"))
    before = names_in(target.parent)
    remove_left_over(target)
    assert names_in(target.parent) == before
    assert (target.parent / "mine").read_bytes() == b"mine"


@pytest.mark.parametrize("name", ["n" * 143, "n" * 100, "\u00fc" * 71, "\U0001f4be" * 35, "image.iso"])
def test_a_partial_file_has_a_name_that_the_shortest_file_system_takes(tmp_path: Path, name: str) -> None:
    """Encrypted home folders take 143 bytes; and what is partial must not be the reason that a name cannot be."""
    with partial_file(tmp_path / name) as (path, handle):
        os.close(handle)
        assert len(os.fsencode(path.name)) <= 143
        assert len(os.fsencode(old_file(path).name)) <= 143
    with partial_folder(tmp_path / name) as path:
        assert len(os.fsencode(path.name)) <= 143


@pytest.mark.parametrize("name", ["n" * 255, "\u00fc" * 127], ids=["ASCII", "UTF-8"])
def test_the_longest_names_have_partial_files_too(tmp_path: Path, name: str) -> None:
    target, twin = tmp_path / name, tmp_path / (name[:-1] + "m")
    with partial_file(target) as (path, handle):
        os.close(handle)
        left = path.rename(tmp_path / re.sub(r"[0-9a-f]{16}(?=\.esx)", "0123456789abcdef", path.name))
    remove_left_over(twin)
    assert left.exists(), "that of a name that only begins alike"
    remove_left_over(target)
    assert names_in(tmp_path) == []


def test_a_folder_that_is_not_there_has_nothing_left_over(tmp_path: Path) -> None:
    remove_left_over(tmp_path / "missing" / "image.iso")
    assert names_in(tmp_path) == []


OLD = LEFT.replace("partial", "old")


def test_an_old_file_that_was_left_over_goes_where_its_successor_is_there(target: Path) -> None:
    (target.parent / OLD).write_bytes(b"old")
    target.write_bytes(b"new")
    remove_left_over(target)
    assert names_in(target.parent) == ["image.iso"]
    assert target.read_bytes() == b"new"


def test_an_old_file_that_was_left_over_is_put_back_where_nothing_is(target: Path) -> None:
    """A file system without second names: it was moved, and is the only copy."""
    (target.parent / OLD).write_bytes(b"old")
    (target.parent / LEFT).write_bytes(b"new, but it never came to its place")
    remove_left_over(target)
    assert names_in(target.parent) == ["image.iso"]
    assert target.read_bytes() == b"old"


@pytest.mark.parametrize("in_place", [False, True], ids=["before its successor has its place", "and after"])
def test_an_old_file_whose_successor_a_run_holds_stays(target: Path, *, in_place: bool) -> None:
    target.write_bytes(b"old")
    with partial_file(target) as (path, handle):
        os.close(handle)
        old = old_file(path)
        target.rename(old)
        if in_place:
            path.rename(target)
        remove_left_over(target)
        assert old.read_bytes() == b"old"
        assert target.exists() == in_place


def test_an_old_file_that_is_no_file_is_left_alone(target: Path) -> None:
    (target.parent / "mine").write_bytes(b"mine")
    (target.parent / OLD).symlink_to("mine")
    target.write_bytes(b"new")
    remove_left_over(target)
    assert (target.parent / OLD).is_symlink()
