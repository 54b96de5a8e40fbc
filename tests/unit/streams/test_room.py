"""Room: what is clearly too large is refused early, and nothing else is."""

from __future__ import annotations

import errno
import os
import shutil
from typing import TYPE_CHECKING, NamedTuple

import pytest

from esximage_builder.errors import ExportError
from esximage_builder.streams.room import require_room, writing
from esximage_builder.streams.target import Target, prepare_folder, prepare_target

if TYPE_CHECKING:
    from pathlib import Path


class Usage(NamedTuple):
    total: int
    used: int
    free: int


@pytest.fixture
def target(tmp_path: Path) -> Target:
    return prepare_target(tmp_path / "image.iso")


def is_refused(target: Target, size_bytes: int) -> bool:
    try:
        require_room(target, size_bytes)
    except ExportError:
        return True
    return False


def test_what_clearly_cannot_fit_is_refused(target: Target, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(10_000, 9_000, 800))
    with pytest.raises(ExportError, match="not enough room") as caught:
        require_room(target, 2_000)
    assert caught.value.expected == "room for at least 2000 bytes"
    assert caught.value.found == f"800 bytes free in {target.path.parent}"
    assert caught.value.where == str(target.named)


@pytest.mark.parametrize(
    ("usage", "size_bytes"),
    [
        pytest.param(Usage(10_000, 9_000, 1_000), 1_000, id="just enough"),
        pytest.param(Usage(10_000, 9_000, 1_000), 1_100, id="within a tenth: it may be packed"),
        pytest.param(Usage(10_000, 9_000, 0), 1_000, id="the rest is kept for root"),
        pytest.param(Usage(10_000, 10_000, 0), 1_000, id="nothing free: the writing shows it"),
        pytest.param(Usage(0, 0, 0), 1_000, id="a file system that tells nothing"),
        pytest.param(Usage(10_000, 12_000, 0), 1_000, id="more used than there is"),
        pytest.param(Usage(10_000, 9_000, 1_000), 0, id="nothing known of the size"),
    ],
)
def test_in_doubt_nothing_is_refused(
    target: Target, usage: Usage, size_bytes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    assert not is_refused(target, size_bytes)


def test_a_system_that_does_not_answer_refuses_nothing(target: Target, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: object) -> None:
        raise OSError(errno.ENOSYS, "Function not implemented")

    monkeypatch.setattr(shutil, "disk_usage", refuse)
    assert not is_refused(target, 1 << 60)
    with pytest.raises(ExportError) as caught:
        fail(target, OSError(errno.ENOSPC, "No space left on device"), 5)
    assert (caught.value.found, caught.value.expected) == ("", "room for at least 5 bytes")


def fail(target: Target, error: Exception, size_bytes: int) -> None:
    with writing(target, size_bytes):
        raise error


@pytest.mark.parametrize(
    ("number", "advice"),
    [(errno.ENOSPC, "make room there"), (errno.EDQUOT, "quota"), (errno.EFBIG, "takes no file of that length")],
)
def test_where_room_is_the_matter_the_error_says_how_much(target: Target, number: int, advice: str) -> None:
    with pytest.raises(ExportError, match="the file cannot be written: ") as caught:
        fail(target, OSError(number, os.strerror(number)), 1234)
    assert caught.value.expected == "room for at least 1234 bytes"
    assert caught.value.found.endswith(f" bytes free in {target.path.parent}")
    assert advice in caught.value.hint


def test_a_writer_inside_need_not_know_the_size(target: Target) -> None:
    inner = ExportError("the archive cannot be written")
    inner.__cause__ = OSError(errno.ENOSPC, "No space left on device")
    with pytest.raises(ExportError, match="the file cannot be written: No space left") as caught:
        fail(target, inner, 1234)
    assert caught.value.expected == "room for at least 1234 bytes"


@pytest.mark.parametrize("cause", [None, PermissionError(errno.EACCES, "Permission denied")])
def test_other_errors_of_a_writer_come_out_as_they_are(target: Target, cause: OSError | None) -> None:
    inner = ExportError("the archive is closed")
    inner.__cause__ = cause
    with pytest.raises(ExportError) as caught:
        fail(target, inner, 1234)
    assert caught.value is inner


def test_other_refusals_say_nothing_of_room(tmp_path: Path) -> None:
    with pytest.raises(ExportError, match="the folder cannot be written: Permission denied") as caught:
        fail(prepare_folder(tmp_path / "tree"), PermissionError(errno.EACCES, "Permission denied"), 1234)
    assert (caught.value.found, caught.value.expected) == ("", "")
    assert "the folder above" in caught.value.hint
