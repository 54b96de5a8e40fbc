"""Files that many read at once: exact bytes from any thread, few open files, and never those of another file."""

from __future__ import annotations

import io
import os
import random
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from esximage_builder.errors import MalformedDocumentError, SourceUnreadableError
from esximage_builder.streams import shared_file
from esximage_builder.streams.shared_file import MOST_OPEN_FILES, SharedFile

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

DATA = bytes(range(256)) * 40
OPEN_FILES = Path("/proc/self/fd")


def shared(source: Any, **options: Any) -> SharedFile:
    return SharedFile(source, where="a.zip", noun="zip archive", **options)


def filled(path: Path, data: bytes = DATA) -> Path:
    path.write_bytes(data)
    return path


def use_up_the_open_files(folder: Path) -> None:
    """Read so many other files that none from before stays open."""
    for number in range(MOST_OPEN_FILES):
        shared(filled(folder / f"other-{number}", b"x")).read_at(0, 1)


@pytest.fixture(autouse=True)
def _nothing_stays_open() -> Iterator[None]:
    yield
    shared_file._OPEN_FILES._close_idle(down_to=0)


@pytest.fixture(params=["path", "stream", "descriptor"])
def file(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[SharedFile]:
    path = filled(tmp_path / "a.zip")
    if request.param == "path":
        yield shared(path)
    elif request.param == "stream":
        yield shared(io.BytesIO(DATA))
    else:
        with path.open("rb") as opened:
            yield shared(opened.fileno())


@pytest.fixture(params=[True, False], ids=["pread", "seek and read"])
def _has_pread(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if not request.param:
        monkeypatch.delattr(os, "pread", raising=False)


@pytest.mark.usefixtures("_has_pread")
def test_any_bytes_are_read_in_any_order(file: SharedFile) -> None:
    assert file.size_bytes == len(DATA)
    for offset, count in ((500, 20), (0, len(DATA)), (len(DATA) - 1, 1), (3, 0), (len(DATA), 0)):
        assert file.read_at(offset, count) == DATA[offset : offset + count]


def test_more_than_there_is_counts_as_cut_short(file: SharedFile) -> None:
    with pytest.raises(MalformedDocumentError, match="the zip archive is cut short") as caught:
        file.read_at(len(DATA) - 1, 2)
    assert (caught.value.where, caught.value.found) == ("a.zip", f"{len(DATA)} bytes")


def test_a_file_that_shrinks_under_the_reader_counts_as_cut_short(tmp_path: Path) -> None:
    file = shared(filled(tmp_path / "a.zip"))
    os.truncate(tmp_path / "a.zip", 100)
    with pytest.raises(MalformedDocumentError, match="ended while it was read"):
        file.read_at(90, 20)


def test_a_stated_length_is_not_asked_for() -> None:
    assert shared(io.BytesIO(DATA), size_bytes=1 << 40).size_bytes == 1 << 40


def test_a_stream_that_gives_little_at_a_time_is_read_on() -> None:
    class Sparing(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            return super().read(min(size or 0, 7))

    assert shared(Sparing(DATA)).read_at(1, 100) == DATA[1:101]


@pytest.mark.parametrize("name", ["missing.zip", "."])
def test_what_is_no_file_is_our_error(tmp_path: Path, name: str) -> None:
    with pytest.raises(SourceUnreadableError, match="the zip archive cannot be read") as caught:
        shared(tmp_path / name)
    assert caught.value.where == "a.zip"
    assert caught.value.found


@pytest.mark.skipif(not OPEN_FILES.is_dir(), reason="open files are counted where Linux lists them")
def test_few_of_many_files_are_open_at_a_time(tmp_path: Path) -> None:
    before = len(list(OPEN_FILES.iterdir()))
    files = [shared(filled(tmp_path / f"{number}", b"%04d" % number)) for number in range(3 * MOST_OPEN_FILES)]
    for number, file in enumerate(files):
        assert file.read_at(0, 4) == b"%04d" % number
        assert len(list(OPEN_FILES.iterdir())) <= before + MOST_OPEN_FILES
    for file in files:
        file.close()
    assert len(list(OPEN_FILES.iterdir())) == before


def _replaced(path: Path) -> None:
    filled(path.with_name("new"), DATA).replace(path)


def _longer(path: Path) -> None:
    with path.open("ab") as file:
        file.write(b"x")


def _touched(path: Path) -> None:
    os.utime(path, ns=(0, path.stat().st_mtime_ns + 1))


@pytest.mark.parametrize("change", [_replaced, _longer, _touched])
def test_another_file_in_the_same_place_is_refused(tmp_path: Path, change: Callable[[Path], None]) -> None:
    """A directory read from one file must not be used on the bytes of another."""
    path = filled(tmp_path / "a.zip")
    file = shared(path)
    use_up_the_open_files(tmp_path)
    assert file.read_at(0, 3) == DATA[:3], "it is opened again as long as it is the same"
    use_up_the_open_files(tmp_path)
    change(path)
    for _ in range(2):
        with pytest.raises(SourceUnreadableError, match="the zip archive was changed while it was open") as caught:
            file.read_at(0, 3)
        assert caught.value.where == "a.zip"
        assert caught.value.hint


def test_a_file_that_is_gone_is_our_error(tmp_path: Path) -> None:
    file = shared(filled(tmp_path / "a.zip"))
    use_up_the_open_files(tmp_path)
    (tmp_path / "a.zip").unlink()
    with pytest.raises(SourceUnreadableError, match="cannot be read"):
        file.read_at(0, 3)


def test_a_closed_file_is_not_opened_again(tmp_path: Path) -> None:
    file = shared(filled(tmp_path / "a.zip"))
    file.close()
    file.close()
    with pytest.raises(ValueError, match="closed"):
        file.read_at(0, 1)


def test_what_the_caller_opened_stays_open(tmp_path: Path) -> None:
    stream = io.BytesIO(DATA)
    with filled(tmp_path / "a.zip").open("rb") as opened:
        shared(stream).close()
        shared(opened.fileno()).close()
        assert (stream.seek(0), opened.seek(0)) == (0, 0)
        assert (stream.seek(0), opened.seek(0)) == (0, 0)
        assert stream.read(1) == opened.read(1) == DATA[:1]


def test_a_file_closed_while_it_is_read_ends_with_its_last_reader(tmp_path: Path) -> None:
    """Its descriptor must not go to another file while someone reads from it."""
    file = shared(filled(tmp_path / "a.zip"))
    pool, source = shared_file._OPEN_FILES, file._bytes
    assert isinstance(source, shared_file._PathBytes)
    with pool.lend(source) as handle:
        file.close()
        use_up_the_open_files(tmp_path)
        assert os.lseek(handle, 0, os.SEEK_SET) == 0
        assert os.lseek(handle, 0, os.SEEK_SET) == 0
        assert os.read(handle, 3) == DATA[:3]
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(handle)


@pytest.mark.usefixtures("_has_pread")
def test_threads_read_the_bytes_that_they_ask_for(tmp_path: Path) -> None:
    """More threads than open files, over more files than that, some of which are closed meanwhile."""
    count = 2 * MOST_OPEN_FILES
    files = [shared(filled(tmp_path / f"{number}", bytes([number]) * 1000)) for number in range(count)]
    closing = [shared(tmp_path / f"{number}") for number in range(count)]
    start = threading.Barrier(MOST_OPEN_FILES + 8)

    def work(seed: int) -> None:
        chance = random.Random(seed)
        start.wait()
        closing[seed].close()
        for _ in range(200):
            number = chance.randrange(count)
            assert files[number].read_at(chance.randrange(900), 100) == bytes([number]) * 100

    with ThreadPoolExecutor(MOST_OPEN_FILES + 8) as pool:
        assert list(pool.map(work, range(MOST_OPEN_FILES + 8))) == [None] * (MOST_OPEN_FILES + 8)
    assert len(shared_file._OPEN_FILES._handles) <= MOST_OPEN_FILES


def test_a_process_that_may_open_nothing_more_gives_up_idle_files(tmp_path: Path) -> None:
    """The limit is the process's, and others may have used most of it."""
    resource = pytest.importorskip("resource")
    files = [shared(filled(tmp_path / f"{number}", b"%04d" % number)) for number in range(8)]
    usual = resource.getrlimit(resource.RLIMIT_NOFILE)
    lowest = os.open(tmp_path / "0", os.O_RDONLY)
    os.close(lowest)
    resource.setrlimit(resource.RLIMIT_NOFILE, (lowest, usual[1]))
    try:
        late = shared(tmp_path / "0")
        read = [file.read_at(0, 4) for file in (late, *files)]
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, usual)
    assert read == [b"0000", *(b"%04d" % number for number in range(8))]
