"""Files go by device and inode number, under whatever name."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from esximage_builder.errors import ModelError
from esximage_builder.streams.identity import file_id, input_files, is_input, require_apart


def numbered(inode: int, *, device: int = 1) -> os.stat_result:
    return os.stat_result((0o100644, inode, device, 1, 0, 0, 10, 0, 0, 0))


def test_the_numbers_decide_where_there_are_some() -> None:
    assert file_id(Path("a"), numbered(7)) == file_id(Path("b"), numbered(7))
    assert file_id(Path("a"), numbered(7)) != file_id(Path("a"), numbered(8))
    assert file_id(Path("a"), numbered(7)) != file_id(Path("a"), numbered(7, device=2))


def test_without_numbers_the_path_decides(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("file")
    assert file_id(tmp_path / "link", numbered(0)) == file_id(tmp_path / "file", numbered(0))
    assert file_id(tmp_path / "other", numbered(0)) != file_id(tmp_path / "file", numbered(0))


def test_a_folder_is_known_with_all_that_is_in_it(tmp_path: Path) -> None:
    (tmp_path / "in" / "below").mkdir(parents=True)
    (tmp_path / "in" / "below" / "file").touch()
    (tmp_path / "in" / "nowhere").symlink_to("missing")
    found = input_files([tmp_path / "in", tmp_path / "not there", Path("a\0b")], most=100)
    assert sorted(path.relative_to(tmp_path).as_posix() for path in found) == ["in", "in/below", "in/below/file"]
    assert len(input_files([tmp_path / "in"], most=2)) == 2


def test_an_input_is_known_after_it_was_moved(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.write_bytes(b"x")
    opened = source.stat()
    moved = source.rename(tmp_path / "moved")
    assert is_input(moved, moved.stat(), source=source, opened=opened)


def test_what_took_the_place_of_an_input_is_one_too(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.write_bytes(b"x")
    opened = source.stat()
    source.rename(tmp_path / "moved")
    source.write_bytes(b"another")
    assert is_input(source, source.stat(), source=source, opened=opened)


def test_a_new_file_with_the_number_of_a_removed_one_is_no_input(tmp_path: Path) -> None:
    """Systems give numbers out again; length and time of change tell the files apart."""
    source = tmp_path / "source"
    opened = os.stat_result((0o100644, 7, 1, 1, 0, 0, 11, 0, 0, 0))
    assert not is_input(tmp_path / "new", numbered(7), source=source, opened=opened)
    assert is_input(tmp_path / "new", numbered(7), source=source, opened=numbered(7))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("x", "x"),
        ("x", "./x"),
        ("x", "sub/../x"),
        ("x", "link/x"),
        ("x", "X"),
        ("\u00e9", "e\u0301"),
        ("dangling", "nowhere"),
        ("file", "hard"),
    ],
)
def test_one_file_under_two_names_is_refused(tmp_path: Path, one: str, other: str) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "link").symlink_to(".")
    (tmp_path / "dangling").symlink_to("nowhere")
    (tmp_path / "file").touch()
    (tmp_path / "hard").hardlink_to(tmp_path / "file")
    with pytest.raises(ModelError, match="--a and --b name one file"):
        require_apart({"--a": tmp_path / one, "--b": tmp_path / other})


@pytest.mark.parametrize("is_there", [True, False])
@pytest.mark.parametrize(("inner", "outer"), [("tree/x", "tree"), ("tree/a/b/x", "tree"), ("link/tree/x", "tree")])
def test_one_output_inside_another_is_refused(tmp_path: Path, inner: str, outer: str, *, is_there: bool) -> None:
    (tmp_path / "link").symlink_to(".")
    if is_there:
        (tmp_path / "tree").mkdir()
    paths = {"--in": tmp_path / inner, "--out": tmp_path / outer}
    for order in (paths, dict(reversed(paths.items()))):
        with pytest.raises(ModelError, match="--in lies inside --out"):
            require_apart(order)


def is_refused(outputs: dict[str, Path]) -> bool:
    try:
        require_apart(outputs)
    except ModelError:
        return True
    return False


def test_neighbours_are_apart(tmp_path: Path) -> None:
    names = ["tree", "tree.iso", "tree2", "sub/tree", "missing/x", "missing/y"]
    outputs = {name: tmp_path / name for name in names}
    assert not is_refused(outputs)
    assert is_refused(outputs | {"--more": tmp_path / "tree"})
