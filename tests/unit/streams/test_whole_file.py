"""Files appear whole or not at all, and the old one stays where writing stops."""

from __future__ import annotations

import os
import stat
import sys
from pathlib import Path

import pytest

from esximage_builder.errors import ExportError, ModelError
from esximage_builder.streams.target import prepare_target
from esximage_builder.streams.whole_file import whole_file, write_file


class OddError(Exception):
    """Some error that this library does not know."""


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "image.zip"


def write_half(target: Path, error: BaseException) -> None:
    with whole_file(prepare_target(target, overwrite=True)) as file:
        file.write(b"half")
        raise error


def test_a_file_appears_when_the_block_ends_well(target: Path) -> None:
    with whole_file(target) as file:
        file.write(b"new")
        file.seek(0)
        assert file.read() == b"new"
        assert not target.exists()
        assert len(list(target.parent.iterdir())) == 1, "the temporary file lies beside the target"
    assert target.read_bytes() == b"new"
    assert list(target.parent.iterdir()) == [target]


def test_an_old_file_is_replaced_in_one_step(target: Path) -> None:
    target.write_bytes(b"old")
    with whole_file(prepare_target(target, overwrite=True)) as file:
        file.write(b"new")
        assert target.read_bytes() == b"old"
    assert target.read_bytes() == b"new"


@pytest.mark.parametrize("error", [OddError(), KeyboardInterrupt(), SystemExit(1), ModelError("no"), GeneratorExit()])
@pytest.mark.parametrize("old", [b"old", None])
def test_whatever_stops_the_writing_leaves_nothing_behind(
    target: Path, error: BaseException, old: bytes | None
) -> None:
    if old is not None:
        target.write_bytes(old)
    with pytest.raises(type(error)) as caught:
        write_half(target, error)
    assert caught.value is error
    assert [path.read_bytes() for path in target.parent.iterdir()] == ([] if old is None else [old])


@pytest.mark.parametrize("old", [b"old", None])
def test_a_full_disc_leaves_nothing_behind(target: Path, old: bytes | None) -> None:
    if old is not None:
        target.write_bytes(old)
    full = OSError(28, "No space left on device")
    with pytest.raises(ExportError, match="No space left on device") as caught:
        write_half(target, full)
    assert caught.value.where == str(target)
    assert caught.value.__cause__ is full
    assert [path.read_bytes() for path in target.parent.iterdir()] == ([] if old is None else [old])


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_a_failure_of_the_last_steps_leaves_the_old_file(
    target: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    def fail(*_: object) -> None:
        raise OSError(5, "Input/output error")

    target.write_bytes(b"old")
    owner: object = os if step == "fsync" else Path
    monkeypatch.setattr(owner, step, fail)
    with pytest.raises(ExportError, match="Input/output error"):
        write_file(prepare_target(target, overwrite=True), b"new")
    monkeypatch.undo()
    assert [path.read_bytes() for path in target.parent.iterdir()] == [b"old"]


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("missing/image.zip", id="no-folder"),
        pytest.param("file/image.zip", id="folder-is-a-file"),
        pytest.param("folder", id="target-is-a-folder"),
        pytest.param("x" * 300, id="name-too-long"),
    ],
)
def test_a_target_that_cannot_be_is_an_export_error(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").write_bytes(b"")
    (tmp_path / "folder").mkdir()
    with pytest.raises(ExportError) as caught:
        write_file(tmp_path / name, b"new")
    assert caught.value.where == str(tmp_path / name)
    assert caught.value.hint
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "folder"]


@pytest.mark.skipif(os.name != "posix", reason="modes are a POSIX matter")
def test_a_file_gets_the_mode_that_new_files_get(target: Path) -> None:
    mask = os.umask(0o027)
    try:
        write_file(target, b"new")
    finally:
        os.umask(mask)
    assert stat.S_IMODE(target.stat().st_mode) == 0o640


def test_the_umask_of_the_process_is_never_touched(target: Path) -> None:
    """Whoever changes it, if only to read it, changes it for the files of all other threads."""
    calls: list[object] = []
    sys.setprofile(lambda _, event, function: calls.append(function) if event == "c_call" else None)
    try:
        write_file(target, b"new")
    finally:
        sys.setprofile(None)
    assert os.fsync in calls
    assert os.umask not in calls


@pytest.mark.skipif(os.name != "posix", reason="modes are a POSIX matter")
def test_the_temporary_file_gives_no_more_than_the_umask_allows(target: Path) -> None:
    mask = os.umask(0o077)
    try:
        with whole_file(target):
            (partial,) = target.parent.iterdir()
            assert stat.S_IMODE(partial.stat().st_mode) == 0o600
    finally:
        os.umask(mask)


@pytest.mark.parametrize("old", [b"old", None], ids=["replaced", "dangling"])
def test_a_link_is_followed_and_stays(tmp_path: Path, target: Path, old: bytes | None) -> None:
    """The partial file lies beside the file that the link names, so it takes its place in one step."""
    elsewhere = tmp_path / "elsewhere" / "file"
    elsewhere.parent.mkdir()
    if old is not None:
        elsewhere.write_bytes(old)
    target.symlink_to(Path("elsewhere", "file"))
    with whole_file(prepare_target(target, overwrite=True)) as file:
        file.write(b"new")
        assert len(list(elsewhere.parent.iterdir())) == (1 if old is None else 2)
    assert elsewhere.read_bytes() == b"new"
    assert target.readlink() == Path("elsewhere", "file")
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["elsewhere", "file", "image.zip"]


def test_a_file_that_came_meanwhile_is_kept(target: Path) -> None:
    """Somebody else writes the target while the block runs: nobody has said that it may be replaced."""

    def write_late() -> None:
        with whole_file(target) as file:
            file.write(b"new")
            target.write_bytes(b"theirs")

    with pytest.raises(ExportError, match="there already"):
        write_late()
    assert [path.read_bytes() for path in target.parent.iterdir()] == [b"theirs"]


def test_what_is_no_file_any_more_is_kept(target: Path) -> None:
    def write_late() -> None:
        with whole_file(prepare_target(target, overwrite=True)) as file:
            file.write(b"new")
            target.unlink()
            target.mkdir()

    target.write_bytes(b"old")
    with pytest.raises(ExportError, match="no regular file"):
        write_late()
    assert [path.is_dir() for path in target.parent.iterdir()] == [True]


def test_other_names_of_a_replaced_file_keep_the_old_one(tmp_path: Path, target: Path) -> None:
    target.write_bytes(b"old")
    (tmp_path / "hard").hardlink_to(target)
    write_file(prepare_target(target, overwrite=True), b"new")
    assert (tmp_path / "hard").read_bytes() == b"old"
    assert target.read_bytes() == b"new"


def test_the_longest_name_can_be_written(tmp_path: Path) -> None:
    """The partial file has a name of its own, which must not be longer than the system takes."""
    target = tmp_path / ("n" * 255)
    write_file(target, b"new")
    assert target.read_bytes() == b"new"


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such locks")
def test_what_a_killed_run_left_goes_also_where_the_next_one_is_refused(target: Path) -> None:
    left = target.with_name(".image.zip.0123456789abcdef.esximage-partial")
    left.write_bytes(b"half")
    target.write_bytes(b"old")
    with pytest.raises(ExportError, match="there already"):
        write_file(target, b"new")
    assert [path.read_bytes() for path in target.parent.iterdir()] == [b"old"]
