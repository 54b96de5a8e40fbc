"""Facts about VIBs' files: measured once, read no further than needed, and never believed against the bytes."""

from __future__ import annotations

import hashlib
import io
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, BinaryIO

import attrs
import pytest
from support.changed_depots import DEPOTS
from support.counting import Count, PlainStore, counted, files_of
from support.small_images import base_vibs, write_base_depot

import esximage_builder as eib
from esximage_builder.depot.store import measured, measured_image, with_file_facts

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

VERSION = "7.0.3-0.55.20328353"
U3G = DEPOTS / "VMware-ESXi-7.0U3g-20328353-depot.zip"


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("base") / "base.zip"
    vibs = base_vibs(VERSION, kernel=b"kernel", bios_loader=bytes(4096), efi_image=bytes(4096))
    write_base_depot(path, VERSION, vibs)
    return path


@pytest.fixture(scope="module")
def disc(base: Path) -> Path:
    """The same image on a disc, which states no digest of a VIB."""
    with eib.open_depot(base) as depot:
        eib.export_iso(eib.compose(depot.catalog, base_image=VERSION), depot, base.with_suffix(".iso"))
    return base.with_suffix(".iso")


@pytest.fixture
def counted_disc(disc: Path) -> Iterator[tuple[eib.Depot, Count]]:
    with eib.open_depot(disc) as depot, counted(depot) as pair:
        yield pair


def test_what_metadata_states_is_not_measured(base: Path) -> None:
    with eib.open_depot(base) as depot, counted(depot) as (opened, count):
        for vib in opened.catalog.vibs:
            assert opened.file_facts(vib) == vib.file
    assert count == Count()


def test_what_it_does_not_state_is_measured_once_and_gives_the_head_on_the_way(
    counted_disc: tuple[eib.Depot, Count],
) -> None:
    depot, count = counted_disc
    files = {vib.id: depot._location(vib).tree.sizes[f"{vib.id}.vib"] for vib in depot.catalog.vibs}
    for _ in range(2):
        for vib in depot.catalog.vibs:
            facts = depot.file_facts(vib)
            assert facts.size_bytes == files[vib.id]
            assert depot.vib_head(vib).parse(where="x", limits=eib.ReadLimits()) == vib
            assert depot.read_vib_head(vib) is depot.vib_head(vib)
    assert count == Count(opened=len(files), plain_bytes=sum(files.values()))
    for vib in depot.catalog.vibs:
        with depot.open_vib(vib) as source:
            assert hashlib.sha256(source.read()).hexdigest() == depot.file_facts(vib).sha256


def test_a_head_alone_is_read_once_and_no_further(base: Path) -> None:
    with eib.open_depot(base) as depot, counted(depot) as (opened, count):
        heads = [opened.vib_head(vib) for vib in opened.catalog.vibs for _ in range(3)]
    most = sum(len(head.descriptor) + len(head.signature) + 8 + 2 * 61 for head in heads[::3])
    assert count.opened == len(heads) // 3
    assert count.plain_bytes <= most


def test_a_vib_whose_file_was_measured_is_the_same_file(counted_disc: tuple[eib.Depot, Count]) -> None:
    """Its fingerprint is another one then; neither place nor sources nor head are lost."""
    depot, count = counted_disc
    vib = depot.catalog.vibs[0]
    known = with_file_facts(vib, depot)
    head = depot.vib_head(vib)
    read = count.plain_bytes

    assert known.fingerprint != vib.fingerprint
    assert (depot.where_is(known), depot.sources_of(known)) == (depot.where_is(vib), depot.catalog.sources)
    assert depot.vib_head(known) is head
    assert count.plain_bytes == read


def test_many_threads_measure_a_file_once(counted_disc: tuple[eib.Depot, Count]) -> None:
    depot, count = counted_disc
    base_vib = max(depot.catalog.vibs, key=lambda vib: len(vib.payloads))
    with ThreadPoolExecutor(8) as pool:
        facts = list(pool.map(depot.file_facts, [base_vib] * 64))
    assert len(set(facts)) == 1
    assert count == Count(opened=1, plain_bytes=facts[0].size_bytes or 0)


def test_a_store_of_ones_own_is_measured_once_too(base: Path) -> None:
    with eib.open_depot(base) as depot:
        image = eib.compose(depot.catalog, base_image=VERSION)
        files = files_of(image, depot)
    bare = attrs.evolve(image, vibs=[attrs.evolve(e, vib=e.vib.with_file(None)) for e in image.vibs])
    plain = PlainStore(files)
    store = measured(plain)
    for _ in range(2):
        known = measured_image(bare, store)
        assert [(vib.file.size_bytes, vib.file.sha256) for vib in known.all_vibs if vib.file] == [
            (len(files[vib.id]), hashlib.sha256(files[vib.id]).hexdigest()) for vib in image.all_vibs
        ]
        assert [store.vib_head(vib).is_signed for vib in bare.all_vibs] == [False] * len(files)
    assert plain.count == Count(opened=len(files), plain_bytes=sum(map(len, files.values())))
    assert store.sources_of(bare.all_vibs[0]) == ()
    assert store.open_packed_vib(bare.all_vibs[0]) is None


def test_a_store_that_knows_its_files_is_taken_as_it_is(base: Path) -> None:
    with eib.open_depot(base) as depot:
        assert measured(depot) is depot
    store = measured(PlainStore({}))
    assert measured(store) is store


def test_the_files_of_some_vibs_can_be_left_alone(counted_disc: tuple[eib.Depot, Count]) -> None:
    depot, count = counted_disc
    image = eib.recognise(depot.catalog)
    chosen = image.all_vibs[0].id
    known = measured_image(image, depot, {chosen})
    assert [vib.id for vib in known.all_vibs if vib.file and vib.file.sha256] == [chosen]
    assert (known, known.digest, count.opened) == (image, image.digest, 1)


@pytest.mark.parametrize(
    "file",
    [
        pytest.param(eib.VibFile(size_bytes=1), id="size"),
        pytest.param(eib.VibFile(sha256="0" * 64), id="digest"),
    ],
)
def test_what_is_stated_must_be_what_is_measured_each_time(
    counted_disc: tuple[eib.Depot, Count], file: eib.VibFile
) -> None:
    depot, _ = counted_disc
    vib = depot.catalog.vibs[0]
    right = depot.file_facts(vib)
    for _ in range(2):
        with pytest.raises(eib.ChecksumMismatchError, match="differs from what the metadata says") as caught:
            measured(PlainStore({vib.id: b"other bytes"})).file_facts(vib.with_file(file))
        assert caught.value.where == vib.id
    assert depot.file_facts(vib) == right


def test_a_file_that_is_no_archive_has_facts_but_no_head() -> None:
    vib = eib.Vib(name="net", version=eib.VibVersion("1.0-1"), vendor="ACM")
    store = measured(PlainStore({vib.id: b"bytes"}))
    assert store.file_facts(vib) == eib.VibFile(size_bytes=5, sha256=hashlib.sha256(b"bytes").hexdigest())
    with pytest.raises(eib.MalformedDocumentError) as caught:
        store.vib_head(vib)
    assert caught.value.where == vib.id


class Flaky:
    """Fails in the middle of the head at first, then gives the file."""

    def __init__(self, data: bytes, error: BaseException) -> None:
        self._data = data
        self._error: BaseException | None = error

    def open_vib(self, vib: eib.Vib) -> BinaryIO:  # noqa: ARG002 - one for all
        error, self._error = self._error, None
        return io.BytesIO(self._data) if error is None else _FailingAt(self._data, error)


class _FailingAt(io.BytesIO):
    def __init__(self, data: bytes, error: BaseException) -> None:
        super().__init__(data)
        self._error: BaseException | None = error

    def read(self, size: int | None = -1, /) -> bytes:
        if self.tell() > 20 and self._error is not None:
            error, self._error = self._error, None  # the next read would go on as if nothing had been
            raise error
        return super().read(1 if size is None or size > 1 else size)


@pytest.mark.parametrize(
    ("raised", "expected"),
    [
        pytest.param(OSError("gone"), eib.SourceUnreadableError, id="operating system"),
        pytest.param(eib.MalformedDocumentError("damaged"), eib.MalformedDocumentError, id="damaged source"),
    ],
)
def test_a_file_that_could_not_be_read_is_not_half_measured(
    base: Path, raised: BaseException, expected: type[eib.EsxImageError]
) -> None:
    """Neither believed to be shorter than it is, nor remembered as unreadable."""
    with eib.open_depot(base) as depot:
        vib = depot.catalog.vibs[0]
        with depot.open_vib(vib) as source:
            data = source.read()
    store = measured(Flaky(data, raised))
    with pytest.raises(expected):
        store.file_facts(vib.with_file(None))
    assert store.file_facts(vib.with_file(None)).sha256 == hashlib.sha256(data).hexdigest()


def test_locks_and_bills_read_nothing_that_is_known(tmp_path: Path) -> None:
    with eib.open_depot(U3G) as depot, counted(depot) as (opened, count):
        image = eib.compose(depot.catalog, base_image=VERSION)
        eib.write_lock(image, opened, tmp_path / "x.lock.json")
        eib.export_sbom(image, opened, tmp_path / "x.cdx.json")
        assert eib.compose_locked(opened, eib.read_lock(tmp_path / "x.lock.json")) == image
    assert count == Count()


def test_locks_and_bills_measure_a_disc_once_for_all(counted_disc: tuple[eib.Depot, Count], tmp_path: Path) -> None:
    depot, count = counted_disc
    image = eib.recognise(depot.catalog)
    lock = eib.write_lock(image, depot, tmp_path / "x.lock.json")
    eib.export_sbom(image, depot, tmp_path / "x.cdx.json")
    assert eib.compose_locked(depot, lock).digest == image.digest
    assert count == Count(opened=len(lock.vibs), plain_bytes=sum(vib.size_bytes for vib in lock.vibs))
