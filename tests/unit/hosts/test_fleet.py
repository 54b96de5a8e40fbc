"""Fleets: the same answers by whatever executor, in order, with few hosts on their way."""

from __future__ import annotations

import json
import multiprocessing
import pickle
from collections.abc import Generator
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import dask
import pytest
from distributed import Client, LocalCluster
from support.memory_catalogs import Stock, spec
from support.small_hosts import host_of, with_component

from esximage_builder.depot.host_files import read_host, write_host
from esximage_builder.errors import ModelError, SourceUnreadableError
from esximage_builder.hosts import fleet
from esximage_builder.hosts.check import check_compliance
from esximage_builder.hosts.fleet import check_fleet
from esximage_builder.models.compliance import ComplianceStatus, HostCompliance
from esximage_builder.rules.compose import compose
from esximage_builder.views.compliance_json import host_compliance_as_dict

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from esximage_builder.models.catalog import Catalog
    from esximage_builder.models.host import Host
    from esximage_builder.models.image import Image

_VERSIONS = ("2.0-1", "1.0-1", "3.0-1", "2.0-1", "2.0-2")


@pytest.fixture(scope="module")
def shop() -> tuple[Image, Catalog]:
    stock = Stock()
    stock.base_image(stock.driver("Acme-net", "2.0-1"), stock.driver("Acme-tool", "1.0-1"))
    catalog = stock.catalog()
    return compose(catalog, spec()), catalog


def fleet_of(image: Image, count: int) -> Iterator[Host]:
    """Hosts of which two in five are as the image, and the others older or newer."""
    for number in range(count):
        yield with_component(host_of(image, f"esx{number}"), "Acme-net", _VERSIONS[number % len(_VERSIONS)])


def told(verdicts: Iterable[HostCompliance]) -> bytes:
    """All that was said, as bytes."""
    return "\n".join(json.dumps(host_compliance_as_dict(verdict)) for verdict in verdicts).encode()


@pytest.fixture(scope="module", params=["threads", "processes", "dask"])
def executor(request: pytest.FixtureRequest) -> Iterator[Executor]:
    """Threads, processes that know nothing of this one, and a Dask cluster of one process."""
    if request.param == "threads":
        with ThreadPoolExecutor(2) as threads:
            yield threads
    elif request.param == "processes":
        with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn")) as processes:
            yield processes
    else:
        patience = {"distributed.comm.timeouts.connect": "180s", "distributed.comm.timeouts.tcp": "180s"}
        with (
            dask.config.set(patience),  # the machine may be busy with other tests
            LocalCluster(n_workers=1, threads_per_worker=2, processes=True, dashboard_address=None) as cluster,
            Client(cluster) as client,
        ):
            yield client.get_executor()


@pytest.mark.parametrize("count", [0, 1, 7, 100])
def test_what_is_said_does_not_depend_on_the_executor(
    shop: tuple[Image, Catalog], executor: Executor, count: int
) -> None:
    image, catalog = shop
    alone = told(check_compliance(image, fleet_of(image, count), catalog=catalog).hosts)
    assert told(check_fleet(image, fleet_of(image, count), catalog=catalog)) == alone
    spread = check_fleet(image, fleet_of(image, count), executor=executor, catalog=catalog, chunk_size=3, most_chunks=4)
    assert told(spread) == alone


def test_hosts_are_read_where_they_are_checked(shop: tuple[Image, Catalog], executor: Executor, tmp_path: Path) -> None:
    image, _ = shop
    paths = [tmp_path / f"{host.name}.json" for host in fleet_of(image, 8)]
    for host, path in zip(fleet_of(image, 8), paths, strict=True):
        write_host(host, path)
    spread = check_fleet(image, paths, read=read_host, executor=executor, chunk_size=2)
    assert told(spread) == told(check_fleet(image, paths, read=read_host))


class Counting(Executor):
    """Does the work when its answer is asked for, and knows what was sent; a new worker for every image."""

    def __init__(self, *, keeps_target: bool = True) -> None:
        self.sent: list[tuple[Any, ...]] = []
        self.answers: list[Any] = []
        self.cancelled = 0
        self.keeps_target = keeps_target

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        self.sent.append(args)
        future = _Late(self, lambda: fn(*args, **kwargs))
        if not self.keeps_target:
            fleet._targets.clear()
            self.keeps_target = True
        return future


class _Late(Future[Any]):
    def __init__(self, owner: Counting, work: Callable[[], Any]) -> None:
        super().__init__()
        self.owner, self.work = owner, work

    def result(self, timeout: float | None = None) -> Any:  # noqa: ARG002 - it never takes long
        self.owner.answers.append(self.work())
        return self.owner.answers[-1]

    def cancel(self) -> bool:
        self.owner.cancelled += 1
        return True


@pytest.mark.parametrize(("chunk_size", "most_chunks"), [(1, 1), (3, 2), (10, 4)])
def test_no_more_hosts_are_on_their_way_than_was_said(
    shop: tuple[Image, Catalog], chunk_size: int, most_chunks: int
) -> None:
    image, _ = shop
    taken = 0

    def endless() -> Iterator[Host]:
        nonlocal taken
        while True:
            taken += 1
            yield host_of(image, str(taken))

    verdicts = check_fleet(image, endless(), executor=Counting(), chunk_size=chunk_size, most_chunks=most_chunks)
    for done in range(1, 50):
        assert next(verdicts).host == str(done)
        assert taken - done <= chunk_size * (most_chunks + 1)


def test_hosts_are_taken_as_they_are_needed_without_executor_too(shop: tuple[Image, Catalog]) -> None:
    image, _ = shop
    hosts = fleet_of(image, 10)
    verdicts = check_fleet(image, hosts)
    assert next(verdicts).host == "esx0"
    assert next(hosts).name == "esx1"


@pytest.mark.parametrize("count", [3, 40])
def test_a_worker_is_sent_the_image_once(shop: tuple[Image, Catalog], count: int) -> None:
    """It is asked with the digest alone; the one chunk that it cannot do without the image is sent again."""
    image, _ = shop
    executor = Counting(keeps_target=False)
    verdicts = list(check_fleet(image, fleet_of(image, count), executor=executor, chunk_size=1))
    assert [verdict.host for verdict in verdicts] == [f"esx{number}" for number in range(count)]
    assert sum(data is not None for _, data, *_ in executor.sent) == 1
    assert len(executor.sent) == count + 1


@pytest.mark.parametrize("count", [5, 200])
def test_what_hosts_share_is_sent_once(shop: tuple[Image, Catalog], count: int) -> None:
    """Executors that take tuples apart, as Dask does, would send it once for each host."""
    image, _ = shop
    executor = Counting()
    list(check_fleet(image, fleet_of(image, count), executor=executor))
    assert not any(isinstance(part, list | tuple) for sent in executor.sent for part in sent)
    (answer,) = executor.answers
    assert not isinstance(answer, list | tuple)
    alone = len(pickle.dumps(next(check_fleet(image, fleet_of(image, 1)))))
    assert len(pickle.dumps(answer)) < 400 * count + 3 * alone


def test_a_process_keeps_the_last_images_only(shop: tuple[Image, Catalog]) -> None:
    for number in range(20):
        stock = Stock()
        stock.base_image(stock.driver("Acme-net", f"{number}.0-1"))
        image = compose(stock.catalog(), spec())
        (verdict,) = check_fleet(image, [host_of(image)], executor=Counting())
        assert verdict.status is ComplianceStatus.COMPLIANT
    assert len(fleet._targets) <= 8
    assert shop[0].name


def test_who_asks_no_more_gives_up_what_waits(shop: tuple[Image, Catalog]) -> None:
    image, _ = shop
    executor = Counting()
    verdicts = check_fleet(image, fleet_of(image, 100), executor=executor, chunk_size=1, most_chunks=5)
    next(verdicts)
    assert isinstance(verdicts, Generator)
    verdicts.close()
    assert executor.cancelled == 5


@pytest.mark.parametrize(("chunk_size", "most_chunks"), [(0, 4), (4, 0), (-1, -1)])
def test_chunks_of_nothing_are_refused(shop: tuple[Image, Catalog], chunk_size: int, most_chunks: int) -> None:
    with pytest.raises(ModelError, match="at least one host"):
        check_fleet(shop[0], [], chunk_size=chunk_size, most_chunks=most_chunks)


def test_an_error_of_a_host_comes_through(shop: tuple[Image, Catalog], executor: Executor) -> None:
    with pytest.raises(SourceUnreadableError, match="No such file"):
        list(check_fleet(shop[0], ["/nowhere/esx1.json"], read=read_host, executor=executor))
