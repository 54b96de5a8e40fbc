"""Files and folders of one writing appear together or not at all, and old files stay where that fails."""

from __future__ import annotations

import contextlib
import functools
import os
import signal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from esximage_builder.errors import ExportError
from esximage_builder.streams.target import prepare_folder, prepare_target
from esximage_builder.streams.whole_file import whole_targets

if TYPE_CHECKING:
    from collections.abc import Callable

NAMES = ("a", "tree", "b", "c")
OLD = {"a": b"old a", "c": b"old c"}


def put_old(folder: Path) -> None:
    for name, data in OLD.items():
        (folder / name).write_bytes(data)


def left_in(folder: Path) -> dict[str, bytes | None]:
    """Every path with its bytes; None for folders."""
    return {str(path.relative_to(folder)): path.read_bytes() if path.is_file() else None for path in folder.rglob("*")}


def write_all(folder: Path, error: BaseException | None = None) -> None:
    with whole_targets() as targets:
        for name in NAMES:
            if name == "tree":
                (targets.folder(folder / name) / "inside").write_bytes(b"new tree")
            else:
                targets.file(prepare_target(folder / name, overwrite=True)).write(f"new {name}".encode())
        assert left_in(folder).items() >= OLD.items()
        if error is not None:
            raise error


WRITTEN = {"a": b"new a", "b": b"new b", "c": b"new c", "tree": None, "tree/inside": b"new tree"}


@pytest.mark.parametrize("is_there", [True, False])
def test_all_appear_when_the_block_ends_well(tmp_path: Path, *, is_there: bool) -> None:
    put_old(tmp_path)
    if is_there:
        (tmp_path / "tree").mkdir()
    write_all(tmp_path)
    assert left_in(tmp_path) == WRITTEN


@pytest.mark.parametrize("error", [KeyboardInterrupt(), RuntimeError("odd"), ExportError("no")])
def test_none_appears_when_it_does_not(tmp_path: Path, error: BaseException) -> None:
    put_old(tmp_path)
    with pytest.raises(type(error)):
        write_all(tmp_path, error)
    assert left_in(tmp_path) == OLD


class Refusal:
    """Lets a function be called some times, then refuses once."""

    def __init__(self, function: Any, error: BaseException, *, fails_at: int) -> None:
        self._function = function
        self._error = error
        self._fails_at = fails_at
        self.count = 0

    def __get__(self, owner: Any, _: type | None = None) -> Any:
        return lambda *arguments, **options: self(owner, *arguments, **options)

    def __call__(self, *arguments: Any, **options: Any) -> Any:
        self.count += 1
        if self.count == self._fails_at + 1:
            raise self._error
        return self._function(*arguments, **options)


@pytest.mark.parametrize("has_links", [True, False], ids=["file system with second names", "without"])
@pytest.mark.parametrize(
    ("error", "expected"),
    [
        pytest.param(OSError(13, "Permission denied"), ExportError, id="refusal"),
        pytest.param(KeyboardInterrupt(), KeyboardInterrupt, id="Ctrl-C"),
    ],
)
@pytest.mark.parametrize("is_there", [True, False], ids=["empty folder", "no folder"])
def test_a_place_that_cannot_be_taken_undoes_the_ones_before(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    error: BaseException,
    expected: type[BaseException],
    *,
    has_links: bool,
    is_there: bool,
) -> None:
    """Whichever step towards a place it is that fails."""
    before: dict[str, bytes | None] = dict(OLD) | ({"tree": None} if is_there else {})

    def refuse_link(*_: Any, **__: Any) -> None:
        raise OSError(1, "Operation not permitted")

    def attempt(number: int, fails_at: int) -> int:
        folder = tmp_path / f"{number}"
        folder.mkdir()
        put_old(folder)
        if is_there:
            (folder / "tree").mkdir()
        with monkeypatch.context() as patch:
            refusal = Refusal(Path.replace, error, fails_at=fails_at)
            patch.setattr(Path, "replace", refusal)
            if not has_links:
                patch.setattr(os, "link", refuse_link)
            if fails_at < 1 << 20:
                with pytest.raises(expected):
                    write_all(folder)
                assert left_in(folder) == before
            else:
                write_all(folder)
                assert left_in(folder) == WRITTEN
            return refusal.count

    steps = attempt(99, 1 << 20)
    assert steps == (4 if has_links else 5), "the last one need not be kept"
    for step in range(steps):
        attempt(step, step)


def new_file_only(refuse: Any, *arguments: Any, **named: Any) -> Any:
    """Refuse no opening but that of a new file: cleaning up opens folders."""
    if len(arguments) > 1 and not arguments[1] & os.O_EXCL:
        return refuse._function(*arguments, **named)
    return refuse(*arguments)


@pytest.mark.parametrize("step", ["fsync", "open"])
def test_a_file_that_cannot_be_made_safe_lets_none_appear(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    for fails_at in range(3):
        folder = tmp_path / f"{fails_at}"
        folder.mkdir()
        put_old(folder)
        with monkeypatch.context() as patch:
            refusal = Refusal(getattr(os, step), OSError(5, "Input/output error"), fails_at=fails_at)
            patch.setattr(os, step, functools.partial(new_file_only, refusal))
            with pytest.raises(ExportError, match="Input/output error") as caught:
                write_all(folder)
        assert caught.value.where == str(folder / ("a", "b", "c")[fails_at])
        assert left_in(folder) == OLD


def test_a_folder_at_a_files_place_is_never_moved_away(tmp_path: Path) -> None:
    put_old(tmp_path)
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "mine").write_bytes(b"mine")
    with pytest.raises(ExportError) as caught:
        write_all(tmp_path)
    assert caught.value.where == str(tmp_path / "b")
    assert left_in(tmp_path) == OLD | {"b": None, "b/mine": b"mine"}


def write_both(file: Path, folder: Path, *, meanwhile: Callable[[], None] = lambda: None) -> None:
    with whole_targets() as targets:
        targets.file(file).write(b"new")
        targets.folder(folder)
        meanwhile()


def test_a_link_at_a_files_place_is_put_back_as_a_link(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").write_bytes(b"keep")
    (tmp_path / "a").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "tree").mkdir()
    with pytest.raises(ExportError):
        write_both(tmp_path / "a", tmp_path / "tree", meanwhile=(tmp_path / "tree" / "mine").touch)
    assert (tmp_path / "a").is_symlink()
    assert (tmp_path / "a").read_bytes() == b"keep"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "elsewhere", "tree"]


def test_a_target_that_cannot_be_leaves_nothing_of_the_others(tmp_path: Path) -> None:
    put_old(tmp_path)
    with pytest.raises(ExportError):
        write_both(tmp_path / "a", tmp_path / "missing" / "b")
    with pytest.raises(ExportError):
        write_both(tmp_path / "missing" / "a", tmp_path / "b")
    with pytest.raises(ExportError, match="the target is there already"):
        write_both(tmp_path / "b", tmp_path / "a")
    assert left_in(tmp_path) == OLD


@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks and signals are POSIX's")
@pytest.mark.parametrize("with_links", [True, False], ids=["second names", "no second names"])
@pytest.mark.parametrize("strike_at", range(5))
def test_after_a_kill_between_two_places_the_next_run_leaves_no_trace(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, strike_at: int, *, with_links: bool
) -> None:
    """Whatever stands at each place is whole: the old file, the new one, or the old one put back by the next run."""
    put_old(tmp_path)
    steps = ("link", "rename", "replace") if with_links else ("rename", "replace")
    child = os.fork()
    if not child:
        if not with_links:
            monkeypatch.setattr(os, "link", functools.partial(refuse, OSError("no links here")))
        kill_at_step(monkeypatch, steps, strike_at)
        write_all(tmp_path)
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
    for name in (*OLD, "b"):
        with contextlib.suppress(ExportError):  # it is there, and shall not be replaced
            prepare_target(tmp_path / name)
        if (tmp_path / name).exists():
            assert (tmp_path / name).read_bytes() in {OLD.get(name), WRITTEN[name]}
        assert name == "b" or (tmp_path / name).exists(), "an old file is lost"
    with contextlib.suppress(ExportError):
        prepare_folder(tmp_path / "tree")
    left = {name for name in left_in(tmp_path) if name.startswith(".")}
    assert left == set()


def refuse(error: OSError, *_: Any, **__: Any) -> None:
    raise error


def kill_at_step(monkeypatch: pytest.MonkeyPatch, steps: tuple[str, ...], strike_at: int) -> None:
    """Kill this process just before the n-th call that gives a file its place or a second name."""
    count = iter(range(100))

    def struck(call: Callable[..., None], *args: Any, **names: Any) -> None:
        if next(count) == strike_at:
            os.kill(os.getpid(), signal.SIGKILL)
        call(*args, **names)

    for name in steps:
        monkeypatch.setattr(os, name, functools.partial(struck, getattr(os, name)))
