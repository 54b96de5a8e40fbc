"""Exports that are stopped: whatever happens, no half-written file, and the old one stays."""

from __future__ import annotations

import contextlib
import errno
import io
import os
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Protocol, cast, final

import attrs
import pytest
from support.changed_depots import ar_members, clean_environment, edit_zip, left_in
from support.small_images import base_vibs, write_base_depot

import esximage_builder as eib

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

VERSION = "7.0.3-0.55.20328353"
OLD = b"what was there before"


class Export(Protocol):
    def __call__(
        self,
        image: eib.Image,
        store: eib.VibStore,
        target: str | Path,
        *,
        overwrite: bool = ...,
        progress: eib.Progress = ...,
    ) -> eib.ExportResult: ...


EXPORTS = [pytest.param(eib.export_bundle, id="bundle"), pytest.param(eib.export_iso, id="ISO")]
each_export = pytest.mark.parametrize("export", EXPORTS)
SOURCES = ["zip", "deflated zip", "folder"]


def write_source(folder: Path, kind: str) -> Path:
    """A small depot: as a zip, as a deflated one, or unpacked."""
    path = folder / "base.zip"
    vibs = base_vibs(VERSION, kernel=b"kernel", bios_loader=bytes(4096), efi_image=bytes(4096))
    write_base_depot(path, VERSION, vibs)
    if kind == "folder":
        with zipfile.ZipFile(path) as archive:
            archive.extractall(folder / "base")
        return folder / "base"
    return path if kind == "zip" else edit_zip(path, folder / "deflated.zip", lambda _, data: data, deflate=True)


@final
@attrs.frozen(kw_only=True)
class Setting:
    """An image, the depot it is made of, and a target in a folder of its own."""

    source: Path
    depot: eib.Depot
    image: eib.Image
    target: Path

    @property
    def left(self) -> dict[str, bytes]:
        return left_in(self.target.parent)

    def fails(self, export: Export, error: type[BaseException], **arguments: Any) -> BaseException:
        """Export into an old file and into none; both times the error must come and nothing change."""
        store = arguments.pop("store", self.depot)
        for before in ({"image": OLD}, {}):
            for name, data in before.items():
                (self.target.parent / name).write_bytes(data)
            with pytest.raises(error) as caught:
                export(self.image, store, self.target, overwrite=True, **arguments)
            assert self.left == before
            self.target.unlink(missing_ok=True)
        return caught.value


@pytest.fixture
def setting(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Setting]:
    """A zip, unless the test asks for another kind of source."""
    source = write_source(tmp_path, getattr(request, "param", "zip"))
    target = tmp_path / "out" / "image"
    target.parent.mkdir()
    with eib.open_depot(source) as depot:
        image = eib.compose(depot.catalog, base_image=VERSION)
        yield Setting(source=source, depot=depot, image=image, target=target)


# The target fails


@final
class FailingFile:
    """A file whose operations of one kind fail from a certain one on; it counts them first."""

    def __init__(self, file: BinaryIO, *, operation: str, fails_at: int, error: OSError) -> None:
        self._file = file
        self._operation = operation
        self._fails_at = fails_at
        self._error = error
        self.count = 0

    def __enter__(self) -> FailingFile:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._file, name)
        if name != self._operation:
            return found

        def failing(*arguments: Any) -> Any:
            self.count += 1
            if self.count > self._fails_at:
                raise self._error
            return found(*arguments)

        return failing


@contextlib.contextmanager
def failing_target(
    monkeypatch: pytest.MonkeyPatch, operation: str, *, fails_at: int = 1 << 60
) -> Iterator[list[FailingFile]]:
    """Give out targets that fail; the list holds those given out."""
    files: list[FailingFile] = []
    real = os.fdopen

    def fdopen(handle: int, mode: str) -> FailingFile:
        error = OSError(errno.ENOSPC, "No space left on device")
        file = FailingFile(cast("BinaryIO", real(handle, mode)), operation=operation, fails_at=fails_at, error=error)
        files.append(file)
        return file

    with monkeypatch.context() as patch:
        patch.setattr(os, "fdopen", fdopen)
        yield files


@each_export
@pytest.mark.parametrize("operation", ["write", "seek", "flush", "truncate", "read"])
def test_a_full_disk_at_any_step_leaves_nothing(
    setting: Setting, export: Export, operation: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each operation on the target, from the first to the last, is the one that fails."""
    with failing_target(monkeypatch, operation) as files:
        export(setting.image, setting.depot, setting.target)
    setting.target.unlink()
    total = files[0].count
    steps = range(total) if total < 16 else sorted({*range(3), *range(3, total, total // 10), total - 2, total - 1})
    for step in steps:
        with failing_target(monkeypatch, operation, fails_at=step):
            error = setting.fails(export, eib.ExportError)
        assert "No space left on device" in str(error), step
        assert str(setting.target) in str(error)
        if operation in ("write", "flush", "truncate"):
            assert re.search(r"expected: room for at least [1-9]\d{4,} bytes", str(error))


@each_export
@pytest.mark.parametrize("function", ["fsync", "replace"])
def test_a_refusal_of_the_operating_system_at_the_end_leaves_nothing(
    setting: Setting, export: Export, function: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    owners: dict[str, object] = {"fsync": os, "replace": Path}
    with monkeypatch.context() as patch:
        patch.setattr(owners[function], function, refuse)
        error = setting.fails(export, eib.ExportError)
    assert "Permission denied" in str(error)


@each_export
def test_a_target_that_may_not_be_made_leaves_nothing(
    setting: Setting, export: Export, monkeypatch: pytest.MonkeyPatch
) -> None:
    usual = os.open

    def refuse(path: str | Path, *arguments: Any, **options: Any) -> int:
        if str(path).endswith(".esximage-partial"):
            raise PermissionError(errno.EACCES, "Permission denied")
        return usual(path, *arguments, **options)

    with monkeypatch.context() as patch:
        patch.setattr(os, "open", refuse)
        error = setting.fails(export, eib.ExportError)
    assert "Permission denied" in str(error)


def test_a_full_temporary_folder_leaves_nothing(setting: Setting, monkeypatch: pytest.MonkeyPatch) -> None:
    """The disc's archives go by way of a temporary file."""

    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(tempfile, "TemporaryFile", refuse)
        setting.fails(eib.export_iso, eib.ExportError)


_LIMITED = """
import resource, sys
import esximage_builder as eib
with eib.open_depot(sys.argv[2]) as depot:
    image = eib.compose(depot.catalog, base_image="7.0.3-0.55.20328353")
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[3]), resource.RLIM_INFINITY))
    try:
        getattr(eib, sys.argv[1])(image, depot, sys.argv[4], overwrite=True)
    except eib.ExportError as error:
        print(error)
"""


@each_export
@pytest.mark.parametrize("limit", [0, 1000, 40_000])
@pytest.mark.skipif(sys.platform == "win32", reason="limits on file size are POSIX's")
def test_a_real_limit_of_the_operating_system_leaves_nothing(setting: Setting, export: Export, limit: int) -> None:
    """No mock: the kernel cuts the write short."""
    setting.target.write_bytes(OLD)
    name = cast("Any", export).__name__
    done = subprocess.run(
        [sys.executable, "-c", _LIMITED, name, str(setting.source), str(limit), str(setting.target)],
        env=clean_environment(PYTHONDONTWRITEBYTECODE="1"),  # a module cut short would stay behind
        capture_output=True,
        text=True,
        check=True,
    )
    assert "File too large" in done.stdout
    assert setting.left == {"image": OLD}


@each_export
@pytest.mark.parametrize(
    "name",
    [
        pytest.param("missing/image", id="no such folder"),
        pytest.param("", id="a folder"),
        pytest.param("a\0b", id="NUL"),
        pytest.param("x" * 300, id="too long"),
        pytest.param("file/image", id="a file as folder"),
    ],
)
def test_an_impossible_target_is_our_error(setting: Setting, export: Export, name: str) -> None:
    (setting.target.parent / "file").write_bytes(OLD)
    with pytest.raises(eib.ExportError):
        export(setting.image, setting.depot, setting.target.parent / name)
    assert setting.left == {"file": OLD}


# The user interrupts


@each_export
@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit, RuntimeError])
def test_an_interrupt_at_any_progress_passes_through(
    setting: Setting, export: Export, error: type[BaseException]
) -> None:
    """Ctrl-C is no fault of anybody: it comes out as it is."""
    calls: list[tuple[str, int, int]] = []
    export(setting.image, setting.depot, setting.target, progress=lambda *call: calls.append(call))
    setting.target.unlink()
    assert len(calls) > 5
    for stop in {0, 1, len(calls) - 2, len(calls) - 1, *range(2, len(calls), len(calls) // 6)}:
        left = stop

        def progress(stage: str, done_bytes: int, total_bytes: int) -> None:  # noqa: ARG001 - the protocol's names
            nonlocal left
            left -= 1
            if left < 0:
                raise error

        with pytest.raises(error):
            export(setting.image, setting.depot, setting.target, progress=progress)
        assert setting.left == {}
    setting.target.write_bytes(OLD)
    with pytest.raises(error):
        export(setting.image, setting.depot, setting.target, progress=progress, overwrite=True)
    assert setting.left == {"image": OLD}


@each_export
def test_progress_rises_to_the_total(setting: Setting, export: Export) -> None:
    calls: list[tuple[str, int, int]] = []
    export(setting.image, setting.depot, setting.target, progress=lambda *call: calls.append(call))
    done = [call[1] for call in calls]

    assert len({(stage, total) for stage, _, total in calls}) == 1
    assert done == sorted(done)
    assert calls[-1][1] == calls[-1][2] > 0


# The source fails


@final
class FailingStore:
    """A store whose streams raise at the n-th read of all."""

    def __init__(self, depot: eib.Depot, *, fails_at: int, error: BaseException) -> None:
        self._depot = depot
        self._fails_at = fails_at
        self._error = error
        self.count = 0

    def tell(self) -> None:
        self.count += 1
        if self.count > self._fails_at:
            raise self._error

    def open_vib(self, vib: eib.Vib) -> BinaryIO:
        return cast("BinaryIO", _FailingStream(self, self._depot.open_vib(vib)))


@final
class _FailingStream(io.RawIOBase):
    """Gives a few hundred bytes at a time, so that reads are many; not seekable."""

    def __init__(self, store: FailingStore, source: BinaryIO) -> None:
        super().__init__()
        self._store = store
        self._source = source

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1, /) -> bytes:
        self._store.tell()
        return self._source.read(700 if size < 0 else min(size, 700))

    def close(self) -> None:
        self._source.close()
        super().close()


@each_export
@pytest.mark.parametrize(
    ("raised", "expected"),
    [
        pytest.param(OSError(errno.EIO, "Input/output error"), eib.SourceUnreadableError, id="I/O error"),
        pytest.param(eib.MalformedDocumentError("cut short"), eib.MalformedDocumentError, id="our own error"),
        pytest.param(KeyboardInterrupt(), KeyboardInterrupt, id="Ctrl-C"),
    ],
)
def test_a_source_that_fails_at_any_read_leaves_nothing(
    setting: Setting, export: Export, raised: BaseException, expected: type[BaseException]
) -> None:
    """It is the source's error, never one of the target."""
    counting = FailingStore(setting.depot, fails_at=1 << 60, error=raised)
    export(setting.image, counting, setting.target)
    reference = setting.target.read_bytes()
    setting.target.unlink()
    assert counting.count > 60
    for step in range(0, counting.count, counting.count // 12):
        store = FailingStore(setting.depot, fails_at=step, error=raised)
        with pytest.raises(expected) as caught:
            export(setting.image, store, setting.target)
        assert setting.left == {}
        if expected is eib.SourceUnreadableError:
            assert "Input/output error" in str(caught.value)
            assert re.search(r"where: (VMware|ACM)_(bootbank|locker)_", str(caught.value))
    setting.fails(export, expected, store=FailingStore(setting.depot, fails_at=counting.count // 2, error=raised))
    export(setting.image, setting.depot, setting.target)
    assert len(reference) == setting.target.stat().st_size, "short reads give the same file"


@each_export
def test_a_store_that_cannot_open_is_our_error(setting: Setting, export: Export) -> None:
    class Gone:
        def open_vib(self, vib: eib.Vib) -> BinaryIO:
            return Path("/nonexistent", vib.id).open("rb")

    error = setting.fails(export, eib.SourceUnreadableError, store=Gone())
    assert "No such file" in str(error)


@each_export
def test_a_store_with_other_bytes_is_found_out(setting: Setting, export: Export) -> None:
    """A store of the caller's own is believed no more than a depot."""

    class Forger:
        def __init__(self, change: Callable[[bytes], bytes]) -> None:
            self._change = change

        def open_vib(self, vib: eib.Vib) -> BinaryIO:
            with setting.depot.open_vib(vib) as source:
                data = source.read()
            return io.BytesIO(self._change(data) if vib.name == "esx-base" else data)

    base = setting.image.base_vib
    assert base is not None
    with setting.depot.open_vib(base) as source:
        vim = ar_members(source.read())["vim"]
    changes: dict[str, Callable[[bytes], bytes]] = {
        "other payload": lambda data: data.replace(vim, vim[::-1]),
        "cut short": lambda data: data[:-5000],
        "longer": lambda data: data + b"\n",
        "empty": lambda _: b"",
        "no archive": lambda _: b"hello",
    }
    for change in changes.values():
        setting.fails(export, eib.DepotError, store=Forger(change))


# The source changes between opening and exporting


def files_of(source: Path) -> list[Path]:
    return [path for path in source.rglob("*.vib") if path.is_file()] if source.is_dir() else [source]


def outcome(setting: Setting, export: Export, reference: bytes) -> type[BaseException] | None:
    """Export; it gives the right file or an error of ours, and never a wrong or half file."""
    setting.target.write_bytes(OLD)
    try:
        export(setting.image, setting.depot, setting.target, overwrite=True)
    except eib.EsxImageError as error:
        assert setting.left == {"image": OLD}
        return type(error)
    assert setting.left == {"image": reference}
    return None


@each_export
@pytest.mark.parametrize("setting", SOURCES, indirect=True)
def test_a_source_cut_short_behind_our_back(setting: Setting, export: Export) -> None:
    export(setting.image, setting.depot, setting.target)
    reference = setting.target.read_bytes()
    found = set()
    for path in files_of(setting.source):
        data = path.read_bytes()
        cuts = range(0, len(data), max(1, len(data) // (24 if setting.source.is_file() else 3)))
        for cut in cuts:
            os.truncate(path, cut)
            found.add(outcome(setting, export, reference))
            path.write_bytes(data)
    assert found - {None}, "some cut must hurt"
    assert eib.ExportError not in found, "it is the source's fault"


@each_export
@pytest.mark.parametrize("setting", SOURCES, indirect=True)
def test_a_source_changed_behind_our_back(setting: Setting, export: Export) -> None:
    """One byte in many places, each behind the back of a depot that had read nothing but metadata.

    What no export reads may go unnoticed.
    """
    export(setting.image, setting.depot, setting.target)
    reference = setting.target.read_bytes()
    found = []
    for path in files_of(setting.source):
        size = path.stat().st_size
        for at in range(70, size, max(1, size // (40 if setting.source.is_file() else 5))):
            with eib.open_depot(setting.source) as depot:
                with path.open("r+b") as file:
                    file.seek(at)
                    before = file.read(1)
                    file.seek(at)
                    file.write(bytes([before[0] ^ 0x41]))
                found.append(outcome(attrs.evolve(setting, depot=depot), export, reference))
            with path.open("r+b") as file:
                file.seek(at)
                file.write(before)
    assert eib.ChecksumMismatchError in found
    assert eib.ExportError not in found, "it is the source's fault"


@each_export
@pytest.mark.parametrize("setting", ["folder"], indirect=True)
def test_a_source_removed_behind_our_back(setting: Setting, export: Export) -> None:
    shutil.rmtree(setting.source)
    error = setting.fails(export, eib.SourceUnreadableError)
    assert "No such file" in str(error)


@each_export
@pytest.mark.parametrize("setting", ["folder"], indirect=True)
def test_a_file_that_became_a_folder(setting: Setting, export: Export) -> None:
    for path in files_of(setting.source):
        path.unlink()
        path.mkdir()
    setting.fails(export, eib.SourceUnreadableError)


@each_export
def test_an_export_over_its_own_source_is_refused(setting: Setting, export: Export) -> None:
    before = setting.source.read_bytes()
    with pytest.raises(eib.ExportError, match="the output is a file that is read"):
        export(setting.image, setting.depot, setting.source.rename(setting.target), overwrite=True)
    assert setting.left == {"image": before}


@each_export
def test_the_store_must_have_the_vibs(setting: Setting, export: Export, tmp_path: Path) -> None:
    """The image of one depot cannot be written from another; the error says whose bytes are missing."""
    other = tmp_path / "other.zip"
    vibs = base_vibs("7.0.3-0.50.20036589", kernel=b"other", bios_loader=None, efi_image=None)
    write_base_depot(other, "7.0.3-0.50.20036589", vibs)
    with eib.open_depot(other) as depot:
        error = setting.fails(export, eib.NotInDepotError, store=depot)
    assert "no opened depot holds the bytes of" in str(error)


def test_the_new_file_has_the_usual_mode(setting: Setting) -> None:
    """Temporary files are private; what is written for others to read is not."""
    mask = os.umask(0o027)
    try:
        eib.export_bundle(setting.image, setting.depot, setting.target)
    finally:
        os.umask(mask)
    assert setting.target.stat().st_mode & 0o777 == 0o640
