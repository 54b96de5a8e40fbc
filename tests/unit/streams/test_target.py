"""What may be written to: decided by what is there, before any work."""

from __future__ import annotations

import os
import socket
import stat
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from esximage_builder.errors import ExportError, ModelError
from esximage_builder.streams.file_kind import FileKind
from esximage_builder.streams.identity import input_files
from esximage_builder.streams.target import obstacle, prepare_folder, prepare_target
from esximage_builder.streams.whole_file import whole_file, whole_targets

if TYPE_CHECKING:
    from collections.abc import Callable

posix_only = pytest.mark.skipif(sys.platform == "win32", reason="these files are POSIX's")


def found_with(mode: int) -> os.stat_result:
    """What the system would say of such a file; no such file is made."""
    return os.stat_result((mode, 1, 1, 1, 0, 0, 0, 0, 0, 0))


@pytest.mark.parametrize(
    ("mode", "what"),
    [
        (stat.S_IFREG | 0o644, ""),
        (stat.S_IFDIR | 0o755, "a folder"),
        (stat.S_IFBLK | 0o660, "a block device"),
        (stat.S_IFCHR | 0o666, "a character device"),
        (stat.S_IFIFO | 0o644, "a named pipe (FIFO)"),
        (stat.S_IFSOCK | 0o755, "a socket"),
        (0o644, "something that is no regular file"),
    ],
)
def test_only_a_regular_file_can_be_replaced(mode: int, what: str) -> None:
    assert obstacle(found_with(mode)) == what


def everything_in(folder: Path) -> dict[str, tuple[int, int]]:
    """Each entry with inode number and time of change."""
    return {str(path): (path.lstat().st_ino, path.lstat().st_mtime_ns) for path in sorted(folder.rglob("*"))}


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A file that is read."""
    path = tmp_path / "source.zip"
    path.write_bytes(b"PK\x03\x04 and more")
    return path


def the_same_path(source: Path) -> Path:
    return source


def another_spelling(source: Path) -> Path:
    (source.parent / "sub").mkdir()
    return source.parent / "sub" / ".." / source.name


def relative(source: Path) -> Path:
    return Path(os.path.relpath(source))


def a_symlink(source: Path) -> Path:
    path = source.parent / "link.zip"
    path.symlink_to(source.name)
    return path


def a_symlink_to_a_symlink(source: Path) -> Path:
    path = source.parent / "second.zip"
    path.symlink_to(a_symlink(source))
    return path


def a_folder_that_is_a_link(source: Path) -> Path:
    (source.parent / "sub").symlink_to(".")
    return source.parent / "sub" / source.name


def a_hard_link(source: Path) -> Path:
    path = source.parent / "hard.zip"
    path.hardlink_to(source)
    return path


def its_name_after_a_move(source: Path) -> Path:
    return source.rename(source.parent / "moved.zip")


@pytest.mark.parametrize(
    "spelling",
    [
        the_same_path,
        another_spelling,
        relative,
        a_symlink,
        a_symlink_to_a_symlink,
        a_folder_that_is_a_link,
        a_hard_link,
        its_name_after_a_move,
    ],
)
@pytest.mark.parametrize("overwrite", [False, True])
def test_an_input_is_never_replaced(source: Path, spelling: Callable[[Path], Path], *, overwrite: bool) -> None:
    inputs = input_files([source], most=10)
    target = spelling(source)
    before = everything_in(source.parent)
    with pytest.raises(ExportError, match="the output is a file that is read") as caught:
        prepare_target(target, inputs=inputs, overwrite=overwrite)
    assert caught.value.where == str(target)
    assert caught.value.found == f"the same file as {source}"
    assert everything_in(source.parent) == before


def test_a_file_inside_an_opened_folder_is_an_input(tmp_path: Path) -> None:
    inside = tmp_path / "depot" / "vib20" / "x.vib"
    inside.parent.mkdir(parents=True)
    inside.write_bytes(b"x")
    (tmp_path / "hard").hardlink_to(inside)
    inputs = input_files([tmp_path / "depot"], most=10)
    for target in (inside, tmp_path / "hard"):
        with pytest.raises(ExportError, match="a file that is read"):
            prepare_target(target, inputs=inputs, overwrite=True)
    assert prepare_target(inside.with_name("new"), inputs=inputs).path.name == "new"


def test_an_opened_folder_is_no_place_for_a_tree(tmp_path: Path) -> None:
    (tmp_path / "depot").mkdir()
    inputs = input_files([tmp_path / "depot"], most=10)
    with pytest.raises(ExportError, match="a file that is read"):
        prepare_folder(tmp_path / "depot", inputs=inputs)


def fifo(path: Path) -> None:
    os.mkfifo(path)


def unix_socket(path: Path) -> None:
    here = Path.cwd()
    os.chdir(path.parent)  # the path of a socket may be short only
    try:
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(path.name)
    finally:
        os.chdir(here)


def folder(path: Path) -> None:
    path.mkdir()


@posix_only
@pytest.mark.parametrize("by_link", [False, True])
@pytest.mark.parametrize(
    ("make", "what"), [(fifo, "a named pipe (FIFO)"), (unix_socket, "a socket"), (folder, "a folder")]
)
def test_what_is_no_regular_file_is_refused(
    tmp_path: Path, make: Callable[[Path], None], what: str, *, by_link: bool
) -> None:
    """Without opening it: a pipe that nobody reads would hang."""
    make(tmp_path / "odd")
    (tmp_path / "link").symlink_to("odd")
    before = everything_in(tmp_path)
    with pytest.raises(ExportError, match="no regular file") as caught:
        prepare_target(tmp_path / ("link" if by_link else "odd"), overwrite=True)
    assert caught.value.found == what
    assert everything_in(tmp_path) == before


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="only Linux names open files so")
def test_a_link_to_a_file_without_name_is_refused(tmp_path: Path) -> None:
    """The links that Linux has for open files lead to removed ones too."""
    with (tmp_path / "file").open("wb") as file:
        (tmp_path / "file").unlink()
        with pytest.raises(ExportError, match="has no name"):
            prepare_target(Path("/proc/self/fd") / str(file.fileno()), overwrite=True)
    assert list(tmp_path.iterdir()) == []


def test_links_in_a_circle_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    with pytest.raises(ExportError) as caught:
        prepare_target(tmp_path / "a", overwrite=True)
    assert caught.value.found == "links that lead in a circle"


def test_a_link_that_leads_nowhere_makes_the_file_it_names(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("new")
    (tmp_path / "lost").symlink_to("missing/new")
    assert prepare_target(tmp_path / "link").path == Path(os.path.realpath(tmp_path)) / "new"
    with pytest.raises(ExportError, match="its folder is not there"):
        prepare_target(tmp_path / "lost")


def test_a_file_that_is_there_is_replaced_only_on_demand(source: Path) -> None:
    with pytest.raises(ExportError, match="the output is there already") as caught:
        prepare_target(source)
    assert caught.value.found == "a zip archive of 13 bytes"
    assert "--force (overwrite=True)" in caught.value.hint
    link = source.with_name("link")
    link.symlink_to(source)
    with pytest.raises(ExportError) as caught:
        prepare_target(link)
    assert caught.value.found == f"a zip archive of 13 bytes, at {os.path.realpath(source)}"
    assert prepare_target(source, overwrite=True).path == Path(os.path.realpath(source))
    assert prepare_target(link, overwrite=True).path == Path(os.path.realpath(source))


@pytest.mark.parametrize("target", ["x.zip", "link.iso"])
def test_neither_the_name_nor_the_file_behind_it_may_lie(tmp_path: Path, target: str) -> None:
    (tmp_path / "link.iso").symlink_to("other.zip")
    with pytest.raises(ModelError, match="another kind of file"):
        prepare_target(tmp_path / target, kind=FileKind.ISO)


@pytest.mark.parametrize(
    "name", ["missing/x", "source.zip/x", "a\0b", "x" * 300, ""], ids=["folder", "file", "NUL", "long", "empty"]
)
def test_what_cannot_be_is_our_error(source: Path, name: str) -> None:
    with pytest.raises(ExportError):
        prepare_target(source.parent / name)
    if name:
        with pytest.raises(ExportError):
            prepare_folder(source.parent / name)


def test_a_folder_that_leads_elsewhere_is_refused(tmp_path: Path) -> None:
    (tmp_path / "tree").mkdir()
    (tmp_path / "link").symlink_to("tree")
    with pytest.raises(ExportError, match="there already") as caught:
        prepare_folder(tmp_path / "link")
    assert caught.value.found == "a link"
    with pytest.raises(ModelError, match="another kind"):
        prepare_folder(tmp_path / "tree.iso")
    assert prepare_folder(tmp_path / "tree" / ".." / "new").path == Path(os.path.realpath(tmp_path)) / "new"


@pytest.mark.skipif(os.name != "posix", reason="a working directory cannot be removed here")
def test_a_target_in_a_working_directory_that_was_removed_is_our_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    with pytest.raises(ExportError, match="cannot be written"), whole_file(prepare_target("a.iso")):
        pass
    with pytest.raises(ExportError, match="cannot be written"), whole_targets() as targets:
        targets.folder(prepare_folder("tree"))
