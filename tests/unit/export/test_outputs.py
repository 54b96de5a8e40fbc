"""Outputs written together: the bytes of each written alone, each VIB read once, all of them or none."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import io
import os
import pickle
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, cast, final

import attrs
import pytest
from support.changed_depots import DEPOTS
from support.counting import Count, PlainStore, counted, files_of
from support.small_images import base_vibs, write_base_depot
from support.written_images import GENERATIONS

import esximage_builder as eib

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

VERSION = "7.0.3-0.55.20328353"
NAMES = {"pxe": "tree", "iso": "x.iso", "bundle": "x.zip", "lock": "x.lock.json", "sbom": "x.cdx.json"}


def places(folder: Path, *outputs: str) -> dict[str, Any]:
    """Where the outputs of these names go; all of them without names."""
    return {name: folder / file for name, file in NAMES.items() if name in outputs or not outputs}


def left_in(folder: Path) -> dict[str, bytes | None]:
    """Every path below a folder with its bytes, hidden ones too; None for folders."""
    return {str(path.relative_to(folder)): path.read_bytes() if path.is_file() else None for path in folder.rglob("*")}


def write_alone(image: eib.Image, store: eib.VibStore, folder: Path) -> list[eib.ExportResult]:
    """Write every output by its own function."""
    paths = places(folder)
    results = [
        eib.export_pxe(image, store, paths["pxe"]),
        eib.export_iso(image, store, paths["iso"]),
        eib.export_bundle(image, store, paths["bundle"]),
    ]
    lock = eib.write_lock(image, store, paths["lock"])
    data = paths["lock"].read_bytes()
    results.append(
        eib.ExportResult(
            path=paths["lock"], size_bytes=len(data), image_digest=lock.digest, sha256=hashlib.sha256(data).hexdigest()
        )
    )
    return [*results, eib.export_sbom(image, store, paths["sbom"])]


def named(results: list[eib.ExportResult]) -> list[eib.ExportResult]:
    """The results without the folders they lie in."""
    return [attrs.evolve(result, path=Path(result.path.name)) for result in results]


@final
@attrs.frozen(kw_only=True)
class Setting:
    """An image, the depot it is made of, and a folder for outputs."""

    depot: eib.Depot
    image: eib.Image
    folder: Path


@contextlib.contextmanager
def small(folder: Path, *, module_bytes: int = 600) -> Iterator[Setting]:
    path = folder / "base.zip"
    vibs = base_vibs(
        VERSION, kernel=b"kernel", bios_loader=bytes(4096), efi_image=bytes(4096), module_bytes=module_bytes
    )
    write_base_depot(path, VERSION, vibs)
    (folder / "out").mkdir()
    with eib.open_depot(path) as depot:
        yield Setting(depot=depot, image=eib.compose(depot.catalog, base_image=VERSION), folder=folder / "out")


@pytest.fixture
def setting(tmp_path: Path) -> Iterator[Setting]:
    with small(tmp_path) as made:
        yield made


# The same bytes


@pytest.mark.parametrize("name", sorted(GENERATIONS))
def test_each_output_is_the_one_that_is_written_alone(name: str, tmp_path: Path) -> None:
    generation = GENERATIONS[name]
    for folder in ("alone", "together"):
        (tmp_path / folder).mkdir()
    with eib.open_depot(*generation.paths) as depot:
        image = generation.image(depot.catalog)
        alone = write_alone(image, depot, tmp_path / "alone")
        together = eib.export_image(image, depot, **places(tmp_path / "together"))

    assert left_in(tmp_path / "together") == left_in(tmp_path / "alone")
    assert named(together) == named(alone)
    assert [result.path for result in together] == list(places(tmp_path / "together").values())


def test_a_store_of_ones_own_gives_the_same_bytes(setting: Setting) -> None:
    """Whether its VIBs state their digests or not; it is asked for the VIBs that it knows."""
    (setting.folder / "depot").mkdir()
    (setting.folder / "plain").mkdir()
    bare = attrs.evolve(
        setting.image, vibs=[attrs.evolve(entry, vib=entry.vib.with_file(None)) for entry in setting.image.vibs]
    )
    eib.export_image(setting.image, setting.depot, **places(setting.folder / "depot", "iso", "bundle", "pxe"))
    store = PlainStore(files_of(setting.image, setting.depot))
    eib.export_image(bare, store, **places(setting.folder / "plain", "iso", "bundle", "pxe"))
    assert left_in(setting.folder / "plain") == left_in(setting.folder / "depot")


def test_options_go_to_the_outputs_they_are_for(setting: Setting) -> None:
    results = eib.export_image(
        setting.image,
        setting.depot,
        **places(setting.folder, "pxe", "iso", "bundle", "sbom"),
        kernel_options="debugLogToSerial=1",
        with_tools=False,
        with_installer=False,
        pxe_prefix="http://server/esxi/",
        vendor_code="ABC",
        sbom_format="spdx",
    )
    paths = places(setting.folder)
    assert b"prefix=http://server/esxi\n" in (paths["pxe"] / "boot.cfg").read_bytes()
    assert not list(paths["pxe"].glob("*tools*"))
    assert b"ABC" in paths["bundle"].read_bytes()
    assert b"SPDX-2.3" in paths["sbom"].read_bytes()
    for result, own in zip(results[:2], ("network-loaders", "boots-as-stick"), strict=True):
        codes = [finding.code for finding in result.findings]
        assert codes == ["local-name-mapped", own, "kernel-options-added"]
    with eib.open_depot(paths["iso"]) as disc, eib.open_depot(paths["bundle"]) as bundle:
        tools = {vib.id for vib in setting.image.all_vibs if vib.type == "locker"}
        assert {vib.id for vib in bundle.catalog.vibs} - {vib.id for vib in disc.catalog.vibs} == tools


# Each VIB once


def total_bytes(image: eib.Image, depot: eib.Depot) -> int:
    return sum(map(len, files_of(image, depot).values()))


def read(count: Count, job: Callable[[], object]) -> int:
    """How many bytes of VIBs a job had read."""
    before = count.plain_bytes
    job()
    return count.plain_bytes - before


@pytest.mark.parametrize("name", sorted(GENERATIONS))
def test_all_outputs_together_read_each_vib_once_and_its_head(name: str, tmp_path: Path) -> None:
    """The fixtures' VIBs are small, so that heads are half of them; reserved and DPU VIBs are among them."""
    generation = GENERATIONS[name]
    with eib.open_depot(*generation.paths) as depot, counted(depot) as (opened, count):
        image = generation.image(depot.catalog)
        total = total_bytes(image, depot)
        found = read(count, lambda: eib.export_image(image, opened, **places(tmp_path)))
    assert found <= 2.0 * total


def test_from_a_disc_each_vib_is_measured_and_read_once(tmp_path: Path) -> None:
    with eib.open_depot(DEPOTS / "VMware-ESXi-7.0U3g-20328353-depot.zip") as depot:
        eib.export_iso(eib.compose(depot.catalog, base_image=VERSION), depot, tmp_path / "source.iso")
    with eib.open_depot(tmp_path / "source.iso") as depot, counted(depot) as (opened, count):
        image = eib.image_from_profile(depot.catalog, depot.catalog.profiles[0].name)
        total = total_bytes(image, depot)
        allow = tuple({finding.code for finding in eib.validate(image).errors})
        (tmp_path / "out").mkdir()
        found = read(count, lambda: eib.export_image(image, opened, **places(tmp_path / "out"), allow=allow))
    assert found <= 2.5 * total


def write_each(image: eib.Image, store: eib.VibStore, folder: Path) -> dict[str, Callable[[], object]]:
    paths = places(folder)
    return {
        "pxe": lambda: eib.export_pxe(image, store, paths["pxe"]),
        "iso": lambda: eib.export_iso(image, store, paths["iso"]),
        "bundle": lambda: eib.export_bundle(image, store, paths["bundle"]),
        "lock": lambda: eib.write_lock(image, store, paths["lock"]),
        "sbom": lambda: eib.export_sbom(image, store, paths["sbom"]),
    }


@pytest.mark.parametrize("kind", ["zip", "disc"])
@pytest.mark.parametrize("order", [("iso", "bundle", "pxe", "lock", "sbom"), ("sbom", "lock", "pxe", "bundle", "iso")])
def test_one_after_the_other_none_reads_more_than_once(tmp_path: Path, kind: str, order: tuple[str, ...]) -> None:
    """Of VIBs with heads as small as real ones; where no digest is stated one call measures, and no other."""
    with small(tmp_path, module_bytes=50_000) as made:
        source = tmp_path / "base.zip"
        if kind == "disc":
            source = tmp_path / "source.iso"
            eib.export_iso(made.image, made.depot, source)
    with eib.open_depot(source) as depot, counted(depot) as (opened, count):
        image = eib.recognise(depot.catalog) if kind == "disc" else eib.compose(depot.catalog, base_image=VERSION)
        total = total_bytes(image, depot)
        jobs = write_each(image, opened, tmp_path / "out")
        found = {name: read(count, jobs[name]) / total for name in order}

    measuring = sum(times > 1.1 for times in found.values()) + sum(found[name] > 0.5 for name in ("lock", "sbom"))
    assert measuring == (kind == "disc")
    assert all(times <= 1.1 + (kind == "disc") for times in found.values()), found
    assert sum(found.values()) <= 3.3 + (kind == "disc"), found


def test_what_stands_in_no_output_is_not_read(setting: Setting) -> None:
    """Without its VIBs a lock is written, if their digests are known."""
    with counted(setting.depot) as (opened, count):
        eib.export_image(setting.image, opened, **places(setting.folder, "lock", "sbom"))
    assert count == Count()
    assert left_in(setting.folder).keys() == {NAMES["lock"], NAMES["sbom"]}


# All or none


@final
@attrs.define
class Disk:
    """Fails at the n-th write to any file of the outputs, and at all that come after it."""

    fails_at: int = 1 << 60
    count: int = 0

    def file(self, file: BinaryIO) -> _FailingFile:
        return _FailingFile(file, self)

    def write(self) -> None:
        self.count += 1
        if self.count > self.fails_at:
            raise OSError(errno.ENOSPC, "No space left on device")


@final
class _FailingFile:
    def __init__(self, file: BinaryIO, disk: Disk) -> None:
        self._file = file
        self._disk = disk

    def __enter__(self) -> _FailingFile:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)

    def write(self, data: bytes) -> int:
        self._disk.write()
        return self._file.write(data)


@contextlib.contextmanager
def failing_disk(monkeypatch: pytest.MonkeyPatch, fails_at: int = 1 << 60) -> Iterator[Disk]:
    disk = Disk(fails_at=fails_at)
    fdopen, path_open = os.fdopen, Path.open

    def open_path(path: Path, mode: str = "r", *arguments: Any, **options: Any) -> Any:
        file = cast("Any", path_open(path, mode, *arguments, **options))
        return disk.file(file) if mode == "xb" else file

    def pwrite(*arguments: Any) -> int:
        disk.write()
        return usual(*arguments)

    usual = os.pwrite
    with monkeypatch.context() as patch:
        patch.setattr(os, "pwrite", pwrite)
        patch.setattr(os, "fdopen", lambda *arguments: disk.file(cast("Any", fdopen(*arguments))))
        patch.setattr(Path, "open", open_path)
        yield disk


OLD: dict[str, bytes | None] = {name: f"old {name}".encode() for name in NAMES.values() if name != "tree"}


def put_old(folder: Path) -> None:
    for name, data in OLD.items():
        (folder / name).write_bytes(data or b"")


def test_a_full_disk_at_any_write_lets_nothing_appear(setting: Setting, monkeypatch: pytest.MonkeyPatch) -> None:
    with failing_disk(monkeypatch) as disk:
        eib.export_image(setting.image, setting.depot, **places(setting.folder), overwrite=True)
    total = disk.count
    written = left_in(setting.folder)
    assert total > 100
    shutil.rmtree(setting.folder / "tree")
    blamed = set()
    for step in range(total):
        with eib.open_depot(setting.depot.catalog.sources[0]) as depot, failing_disk(monkeypatch, step):
            put_old(setting.folder)
            with pytest.raises(eib.ExportError, match="No space left on device") as caught:
                eib.export_image(setting.image, depot, **places(setting.folder), overwrite=True)
        assert left_in(setting.folder) == OLD, step
        blamed.add(caught.value.where.partition("!")[0])
    assert blamed == {str(path) for path in places(setting.folder).values()}
    eib.export_image(setting.image, setting.depot, **places(setting.folder), overwrite=True)
    assert left_in(setting.folder) == written


@pytest.mark.parametrize("function", ["fsync", "replace", "open"])
def test_a_refusal_at_any_last_step_lets_nothing_appear(
    setting: Setting, monkeypatch: pytest.MonkeyPatch, function: str
) -> None:
    owner: Any = Path if function == "replace" else os
    usual = getattr(owner, function)
    count = fails_at = 0

    def refuse(*arguments: Any, **named: Any) -> Any:
        nonlocal count
        if function == "open" and not arguments[1] & os.O_EXCL:  # cleaning up opens folders too
            return usual(*arguments, **named)
        count += 1
        if count == fails_at + 1:
            raise PermissionError(errno.EACCES, "Permission denied")
        return usual(*arguments, **named)

    put_old(setting.folder)
    with monkeypatch.context() as patch:
        patch.setattr(owner, function, refuse)
        for fails_at in range(100):
            count = 0
            try:
                eib.export_image(setting.image, setting.depot, **places(setting.folder), overwrite=True)
            except eib.ExportError as error:
                assert "Permission denied" in str(error)  # noqa: PT017 - until there is no step left to refuse
                assert left_in(setting.folder) == OLD, fails_at
            else:
                break
    assert fails_at >= 4
    assert left_in(setting.folder).keys() > OLD.keys()


@final
class FailingStore:
    """A store whose streams raise at the n-th read of all, and give few bytes at a time."""

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
    def __init__(self, store: FailingStore, source: BinaryIO) -> None:
        super().__init__()
        self._store = store
        self._source = source

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1, /) -> bytes:
        self._store.tell()
        return self._source.read(700 if size < 0 else min(size, 700))


@pytest.mark.parametrize(
    ("raised", "expected"),
    [
        pytest.param(OSError(errno.EIO, "Input/output error"), eib.SourceUnreadableError, id="I/O error"),
        pytest.param(eib.MalformedDocumentError("cut short"), eib.MalformedDocumentError, id="our own error"),
        pytest.param(KeyboardInterrupt(), KeyboardInterrupt, id="Ctrl-C"),
    ],
)
def test_a_source_that_fails_at_any_read_lets_nothing_appear(
    setting: Setting, raised: BaseException, expected: type[BaseException]
) -> None:
    counting = FailingStore(setting.depot, fails_at=1 << 60, error=raised)
    (setting.folder / "whole").mkdir()
    eib.export_image(setting.image, counting, **places(setting.folder / "whole"), overwrite=True)
    (setting.folder / "other").mkdir()
    put_old(setting.folder / "other")
    for step in range(0, counting.count, counting.count // 25):
        store = FailingStore(setting.depot, fails_at=step, error=raised)
        with pytest.raises(expected):
            eib.export_image(setting.image, store, **places(setting.folder / "other"), overwrite=True)
        assert left_in(setting.folder / "other") == OLD


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda data: data[:-3000] + b"\1" + data[-2999:], id="other bytes"),
        pytest.param(lambda data: data[:-5000], id="cut short"),
        pytest.param(lambda data: data + b"\n", id="longer"),
        pytest.param(lambda _: b"", id="empty"),
    ],
)
@pytest.mark.parametrize("names", [("bundle",), ("iso",), ("pxe",), tuple(NAMES)], ids=" ".join)
def test_a_file_that_changes_after_it_was_measured_is_found_out(
    setting: Setting, change: Callable[[bytes], bytes], names: tuple[str, ...]
) -> None:
    """What is copied is checked, whatever was measured before."""
    base = setting.image.base_vib
    assert base is not None
    files = files_of(setting.image, setting.depot)
    bare = attrs.evolve(
        setting.image, vibs=[attrs.evolve(entry, vib=entry.vib.with_file(None)) for entry in setting.image.vibs]
    )
    store = eib.measured(PlainStore(files))
    for vib in bare.all_vibs:
        store.file_facts(vib)
    files[base.id] = change(files[base.id])
    with pytest.raises(eib.DepotError) as caught:
        eib.export_image(bare, store, **places(setting.folder, *names), overwrite=True)
    assert base.id in caught.value.where
    assert left_in(setting.folder) == {}


def test_an_interrupt_at_any_progress_lets_nothing_appear(setting: Setting) -> None:
    calls: list[tuple[str, int, int]] = []
    (setting.folder / "whole").mkdir()
    eib.export_image(
        setting.image, setting.depot, **places(setting.folder / "whole"), progress=lambda *call: calls.append(call)
    )
    (setting.folder / "other").mkdir()
    put_old(setting.folder / "other")
    for stop in range(0, len(calls), len(calls) // 12):
        left = stop

        def progress(stage: str, done_bytes: int, total_bytes: int) -> None:  # noqa: ARG001 - the protocol's names
            nonlocal left
            left -= 1
            if left < 0:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            eib.export_image(
                setting.image, setting.depot, **places(setting.folder / "other"), overwrite=True, progress=progress
            )
        assert left_in(setting.folder / "other") == OLD


def test_progress_counts_all_outputs_together(setting: Setting) -> None:
    calls: list[tuple[str, int, int]] = []
    eib.export_image(
        setting.image,
        setting.depot,
        **places(setting.folder),
        overwrite=True,
        progress=lambda *call: calls.append(call),
    )
    done = [call[1] for call in calls]
    assert {(stage, total) for stage, _, total in calls} == {("image", done[-1])}
    assert (done, done[0]) == (sorted(done), 0)


def test_each_result_states_the_digest_of_its_file_and_none_of_a_folder(setting: Setting) -> None:
    stick = setting.folder / "x.img"
    results = eib.export_image(setting.image, setting.depot, usb=stick, **places(setting.folder), overwrite=True)

    assert {result.path.name for result in results} == {*NAMES.values(), "x.img"}
    for result in results:
        is_folder = result.path.is_dir()
        assert result.sha256 == ("" if is_folder else hashlib.sha256(result.path.read_bytes()).hexdigest())


# Refusals


@pytest.mark.parametrize(
    ("options", "error", "says"),
    [
        pytest.param({}, eib.ModelError, "no output is named", id="nothing to write"),
        pytest.param({"iso": "x", "lock": "./x"}, eib.ModelError, "iso and lock name one file", id="one file twice"),
        pytest.param({"bundle": "x", "vendor_code": "?"}, eib.ModelError, "vendor code", id="vendor code"),
        pytest.param({"iso": "x", "pxe": "y", "pxe_prefix": "a b"}, eib.ModelError, "prefix", id="prefix"),
        pytest.param(
            {"bundle": "x", "sbom": "y", "sbom_format": "swid"}, eib.ModelError, "SBOM", id="form of the bill"
        ),
        pytest.param(
            {"bundle": "x", "iso": "y", "kickstart": b"\n"}, eib.IncompatibleImageError, "kickstart", id="script"
        ),
        pytest.param({"lock": "x", "iso": "y\0"}, eib.ExportError, "NUL", id="impossible path"),
        pytest.param(
            {"lock": "x", "iso": "missing/y"}, eib.ExportError, "its folder is not there", id="no such folder"
        ),
    ],
)
def test_what_cannot_be_written_as_asked_is_refused_before_anything_is(
    setting: Setting,
    monkeypatch: pytest.MonkeyPatch,
    options: dict[str, Any],
    error: type[eib.EsxImageError],
    says: str,
) -> None:
    monkeypatch.chdir(setting.folder)
    with pytest.raises(error, match=says):
        eib.export_image(setting.image, setting.depot, **options)
    assert left_in(setting.folder) == {}


def test_an_image_with_errors_is_refused_and_waived_ones_are_named(setting: Setting) -> None:
    image = attrs.evolve(setting.image, missing_vibs=[eib.MissingVib(vib_id="ACM_bootbank_gone_1.0-1")])
    with pytest.raises(eib.IncompatibleImageError):
        eib.export_image(image, setting.depot, **places(setting.folder), overwrite=True)
    results = eib.export_image(image, setting.depot, **places(setting.folder), overwrite=True, allow=["vib-missing"])
    assert [[finding.code for finding in result.waived] for result in results] == [["vib-missing"]] * 3 + [[], []]


def test_an_image_that_cannot_be_locked_is_not_written_at_all(setting: Setting) -> None:
    loose = attrs.evolve(setting.image, spec=None)
    with pytest.raises(eib.ModelError, match="cannot be locked"):
        eib.export_image(loose, setting.depot, **places(setting.folder), overwrite=True)
    assert left_in(setting.folder) == {}


def test_the_digest_of_an_output_is_read_when_it_is_asked_for(tmp_path: Path) -> None:
    """Of the file that was written and no other: a changed one has no digest of ours."""
    with eib.open_depot(DEPOTS / "VMware-ESXi-7.0U3g-20328353-depot.zip") as depot:
        image = eib.compose(depot.catalog, base_image="7.0U3g")
        kept, changed, replaced, gone = (
            eib.export_bundle(image, depot, tmp_path / f"{name}.zip")
            for name in ("kept", "changed", "replaced", "gone")
        )
    digest = hashlib.sha256((tmp_path / "kept.zip").read_bytes()).hexdigest()
    assert kept.sha256 == digest
    assert pickle.loads(pickle.dumps(kept)).sha256 == digest  # noqa: S301 - our own
    with (tmp_path / "changed.zip").open("ab") as file:
        file.write(b"x")
    (tmp_path / "other").write_bytes((tmp_path / "kept.zip").read_bytes())
    (tmp_path / "other").replace(tmp_path / "replaced.zip")
    (tmp_path / "gone.zip").unlink()
    for result in (changed, replaced):
        with pytest.raises(eib.SourceUnreadableError, match="was changed since it was written"):
            _ = result.sha256
    with pytest.raises(eib.SourceUnreadableError, match="No such file"):
        _ = gone.sha256
    assert kept.sha256 == digest
