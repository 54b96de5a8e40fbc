"""Whole folders: there complete, or not there; nothing of others is touched."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import pytest

import esximage_builder as eib
from esximage_builder.streams.room import writing
from esximage_builder.streams.target import prepare_folder
from esximage_builder.streams.whole_file import whole_targets

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@contextlib.contextmanager
def whole_folder(target: Path) -> Iterator[Path]:
    """One folder alone."""
    place = prepare_folder(target)
    with whole_targets() as targets, writing(place, 0):
        yield targets.folder(place)


def write_two_files(target: Path) -> None:
    with whole_folder(target) as folder:
        (folder / "a").write_bytes(b"1")
        (folder / "below").mkdir()
        (folder / "below" / "b").write_bytes(b"2")


def write_one_file_and(target: Path, then: Callable[[], object]) -> None:
    with whole_folder(target) as folder:
        (folder / "a").write_bytes(b"1")
        then()


def names_in(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


@pytest.mark.parametrize("is_there", [False, True], ids=["new", "empty"])
def test_a_folder_appears_with_all_its_files(tmp_path: Path, is_there: bool) -> None:  # noqa: FBT001
    target = tmp_path / "tree"
    if is_there:
        target.mkdir()
    write_two_files(target)

    assert (target / "a").read_bytes() + (target / "below" / "b").read_bytes() == b"12"
    assert names_in(tmp_path) == {"tree"}


def test_nothing_is_seen_before_the_block_ends(tmp_path: Path) -> None:
    with whole_folder(tmp_path / "tree") as folder:
        (folder / "a").write_bytes(b"1")
        assert not (tmp_path / "tree").exists()
        assert folder.parent.parent == tmp_path
    assert names_in(tmp_path / "tree") == {"a"}


@pytest.mark.parametrize("error", [ValueError("of the block's own"), KeyboardInterrupt()], ids=repr)
def test_an_error_in_the_block_leaves_nothing_and_comes_out_as_it_is(tmp_path: Path, error: BaseException) -> None:
    def fail() -> None:
        raise error

    with pytest.raises(type(error)) as caught:
        write_one_file_and(tmp_path / "tree", fail)
    assert caught.value is error
    assert names_in(tmp_path) == set()


def a_file(target: Path) -> None:
    target.write_bytes(b"mine")


def a_full_folder(target: Path) -> None:
    target.mkdir()
    (target / "mine").write_bytes(b"mine")


def a_link(target: Path) -> None:
    (target.parent / "elsewhere").mkdir()
    target.symlink_to("elsewhere")


def a_link_to_nothing(target: Path) -> None:
    target.symlink_to("nowhere")


@pytest.mark.parametrize(
    ("make", "found"),
    [
        (a_file, "a file"),
        (a_full_folder, "a folder with files"),
        (a_link, "a link"),
        (a_link_to_nothing, "a link"),
    ],
)
def test_what_is_there_already_is_refused_and_stays(tmp_path: Path, make: Callable[[Path], None], found: str) -> None:
    target = tmp_path / "tree"
    make(target)
    before = sorted(path.relative_to(tmp_path) for path in tmp_path.rglob("*"))
    with pytest.raises(eib.ExportError, match="there already") as caught, whole_folder(target):
        pytest.fail("the block must not run")
    assert caught.value.found == found
    assert sorted(path.relative_to(tmp_path) for path in tmp_path.rglob("*")) == before


def test_files_that_came_meanwhile_are_kept(tmp_path: Path) -> None:
    """Somebody fills the empty target while the block runs: our error, and their file stays."""
    target = tmp_path / "tree"
    target.mkdir()
    with pytest.raises(eib.ExportError, match="cannot be written"):
        write_one_file_and(target, lambda: (target / "theirs").write_bytes(b"x"))
    assert names_in(target) == {"theirs"}
    assert names_in(tmp_path) == {"tree"}


@pytest.mark.parametrize("name", ["no/such/folder", "a\0b", "x" * 300])
def test_an_impossible_target_is_our_error(tmp_path: Path, name: str) -> None:
    with pytest.raises(eib.ExportError), whole_folder(tmp_path / name):
        pytest.fail("the block must not run")


def test_the_folder_has_the_usual_mode(tmp_path: Path) -> None:
    """Not the private one that temporary folders are born with."""
    (tmp_path / "usual").mkdir()
    write_two_files(tmp_path / "tree")

    assert (tmp_path / "tree").stat().st_mode == (tmp_path / "usual").stat().st_mode
