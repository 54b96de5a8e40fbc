"""Opening files: at once, regular ones only, and below a folder without any link."""

from __future__ import annotations

import functools
import os
import socket
import threading
from pathlib import Path

import pytest

from esximage_builder.streams.plain_file import FileBelow, open_plain, open_readable

pytestmark = pytest.mark.skipif(os.name != "posix", reason="pipes, sockets and links need a POSIX file system here")


def content(handle: int) -> bytes:
    with os.fdopen(handle, "rb") as file:
        return file.read()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a file, one in a folder, and what is neither."""
    (tmp_path / "outside").write_bytes(b"secret")
    place = tmp_path / "depot"
    (place / "deep" / "er").mkdir(parents=True)
    (place / "file").write_bytes(b"data")
    (place / "deep" / "er" / "file").write_bytes(b"deep data")
    os.mkfifo(place / "pipe")
    (place / "link").symlink_to("file")
    (place / "out").symlink_to(tmp_path / "outside")
    (place / "linked").symlink_to("deep", target_is_directory=True)
    return place


def test_a_regular_file_is_opened_by_a_link_that_the_caller_gave(folder: Path) -> None:
    for name in ("file", "link", "linked/../../depot/file"):
        assert content(open_plain(folder / name)) == content(open_readable(folder / name)) == b"data"


@pytest.mark.parametrize("name", ["pipe", "", "deep"])
def test_what_is_no_file_is_told_apart_at_once(folder: Path, name: str) -> None:
    with pytest.raises(OSError, match=r"it is a device or a pipe|Is a directory"):
        open_plain(folder / name)
    with pytest.raises(OSError, match=r"it is a device or a pipe|Is a directory"):
        FileBelow(folder, name or "deep").open()


def test_a_socket_is_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # the path of a socket is short
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("s")
        with pytest.raises(OSError, match=r"."):
            open_plain(Path("s"))
        with pytest.raises(OSError, match=r"."):
            FileBelow(Path(), "s").open()


@pytest.mark.parametrize("name", ["link", "out", "linked/er/file", "missing", "deep/../file/x"])
def test_no_part_of_a_path_below_is_a_link(folder: Path, name: str) -> None:
    with pytest.raises(OSError, match=r"."):
        FileBelow(folder, name).open()


def test_a_file_below_is_opened_also_where_the_folder_is_reached_by_a_link(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "depots").symlink_to(folder, target_is_directory=True)
    assert content(FileBelow(tmp_path / "depots", "deep/er/file").open()) == b"deep data"


def test_a_pipe_that_the_caller_named_is_read_to_its_end(folder: Path) -> None:
    """As a shell gives one for ``<(command)``; and one that nobody writes is empty."""
    assert content(open_readable(folder / "pipe")) == b""
    reading, writing = os.pipe()

    def write() -> None:
        with os.fdopen(writing, "wb") as file:
            file.write(b"{}")

    writer = threading.Thread(target=write)
    writer.start()
    try:
        assert content(open_readable(Path(f"/dev/fd/{reading}"))) == b"{}"
    finally:
        writer.join()
        os.close(reading)


def test_no_descriptor_is_left_open(folder: Path) -> None:
    before = os.dup(0)
    os.close(before)
    for name in ("pipe", "deep", "link", "linked/er/file", "missing/x"):
        for opening in (functools.partial(open_plain, folder / name), FileBelow(folder, name).open):
            try:
                os.close(opening())
            except OSError:
                continue
    after = os.dup(0)
    os.close(after)
    assert after == before
