"""Measure checking very many hosts against an image: hosts a second, memory, and whether executors agree.

Hosts are made as they are needed and thrown away, so that memory says what checking keeps. Of ten, seven
are as the image, two have an older driver and one has a newer one. Each kind of run goes over a tenth of
the hosts and over all of them: the last column is what tenfold input costs, 10 where the work is linear.

    python benchmarks/hosts.py                   # 10,000 and 100,000 hosts x 150 components, a minute
    python benchmarks/hosts.py --hosts 10000     # 1,000 and 10,000
    python benchmarks/hosts.py --dask            # with a Dask cluster of this machine, too
"""

from __future__ import annotations

import argparse
import contextlib
import functools
import hashlib
import importlib
import multiprocessing
import os
import platform
import resource
import time
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

from benchmarks.rules import make_base_vib, make_catalog, make_component, make_driver
from esximage_builder.hosts.check import ComplianceTarget
from esximage_builder.hosts.fleet import check_fleet
from esximage_builder.hosts.remediation import plan_remediation
from esximage_builder.models.host import Host, HostComponent
from esximage_builder.models.spec import SoftwareSpec
from esximage_builder.rules.compose import compose
from esximage_builder.versions import BaseImageVersion, ComponentVersion

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from esximage_builder.models.catalog import Catalog
    from esximage_builder.models.compliance import HostCompliance
    from esximage_builder.models.image import Image

_BASE = "7.0.3-0.55.20328353"
_COMPONENTS = 150
_MOST_HOSTS = 100_000
_TENTH = 10
_VERSIONS = ("2.0-1",) * 7 + ("1.0-1",) * 2 + ("3.0-1",)
_IN_MEMORY = 10_000


class Run(NamedTuple):
    """One way to check, and a function that gives the verdicts on hosts of these numbers."""

    name: str
    verdicts: Callable[[range], Iterable[HostCompliance]]


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure checking hosts.")
    parser.add_argument("--hosts", type=int, default=_MOST_HOSTS, help=f"hosts of a full run (default: {_MOST_HOSTS})")
    parser.add_argument("--dask", action="store_true", help="with a Dask cluster of this machine, too")
    options = parser.parse_args()
    image = make_image()
    print_head(options.hosts)
    print_checking_alone(image)
    digests = set()
    with contextlib.ExitStack() as stack:
        for run in make_runs(image, stack, with_dask=options.dask):
            digests.add(measure(run, options.hosts))
    print(f"\nall the same bytes: {'yes' if len(digests) == 1 else 'NO'}\n")
    print_planning(options.hosts // _MOST_HOSTS or 1)


def print_head(hosts: int) -> None:
    python = f"{platform.python_implementation()} {platform.python_version()}"
    print(f"{datetime.now(UTC):%Y-%m-%d}, {os.cpu_count()} cores, {python}, {platform.system()} {platform.machine()}\n")
    print(f"| run | {hosts // _TENTH} hosts, s | {hosts} hosts, s | hosts/s | ratio | peak RSS MiB after each |")
    print("|---|---|---|---|---|---|")


def print_checking_alone(image: Image) -> None:
    """Print what checking costs without making the hosts: they are all made before."""
    target = ComplianceTarget(image)
    hosts = [make_host(number) for number in range(_IN_MEMORY)]
    start = time.process_time()
    for host in hosts:
        target.check(host)
    seconds = time.process_time() - start
    speed = _IN_MEMORY / seconds
    print(f"| checking alone, {_IN_MEMORY} hosts in memory | {seconds:.2f} | | {speed:,.0f} | | {peak_mib()} |")


def print_planning(scale: int) -> None:
    """Print what planning costs, for clusters of a hundred and a thousand hosts (times the scale)."""
    image, catalog = make_image_and_catalog()
    print("| planning, hosts of a cluster | s | hosts/s | with something to do | peak RSS MiB |")
    print("|---|---|---|---|---|")
    for count in (100 * scale, 1_000 * scale):
        cluster = [make_host(number) for number in range(count)]
        start = time.process_time()
        plan = plan_remediation(image, cluster, catalog=catalog)
        seconds = time.process_time() - start
        going = sum(host.has_actions for host in plan.hosts)
        print(f"| {count} | {seconds:.2f} | {count / seconds:,.0f} | {going} | {peak_mib()} |")


def make_runs(image: Image, stack: contextlib.ExitStack, *, with_dask: bool) -> Iterator[Run]:
    """Yield each way to check; executors stay open until the end.

    Workers know the function that makes hosts by its module: that of this script is sent as code each time.
    """
    read = importlib.import_module("benchmarks.hosts").make_host

    def over(executor: Executor | None) -> Callable[[range], Iterable[HostCompliance]]:
        return lambda numbers: check_fleet(image, numbers, read=read, executor=executor)

    yield Run("one thread, hosts made and checked", over(None))
    yield Run("2 threads", over(stack.enter_context(ThreadPoolExecutor(2))))
    context = multiprocessing.get_context("spawn")
    yield Run("2 processes", over(stack.enter_context(ProcessPoolExecutor(2, mp_context=context))))
    if with_dask:
        from distributed import Client, LocalCluster  # noqa: PLC0415 - only where it is asked for

        cluster = stack.enter_context(LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None))
        yield Run("Dask, 2 processes", over(stack.enter_context(Client(cluster)).get_executor()))


def measure(run: Run, hosts: int) -> str:
    """Print the times of a run over a tenth and over all hosts, and return the digest of all that was said."""
    seconds, peaks, digest = [], [], ""
    for count in (hosts // _TENTH, hosts):
        start = time.perf_counter()
        digest = digest_of(run.verdicts(range(count)))
        seconds.append(time.perf_counter() - start)
        peaks.append(peak_mib())
    tenth, full = seconds
    times = f"{tenth:.2f} | {full:.2f} | {hosts / full:,.0f} | {full / tenth:.1f}"
    print(f"| {run.name} | {times} | {peaks[0]}, {peaks[1]} |")
    return digest


def digest_of(verdicts: Iterable[HostCompliance]) -> str:
    """Return a digest over all that was said of hosts: status, impact, what differs, findings."""
    digest = hashlib.sha256()
    for verdict in verdicts:
        said = (verdict.host, verdict.status.value, verdict.impact, verdict.impact_reason, verdict.items)
        digest.update(f"{said} {[finding.message for finding in verdict.findings]}\n".encode())
    return digest.hexdigest()


def peak_mib() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def make_image() -> Image:
    return make_image_and_catalog()[0]


def make_image_and_catalog() -> tuple[Image, Catalog]:
    """The image, and a catalog that knows the older drivers too, so that plans can say what goes."""
    vibs = [make_base_vib(), *(make_driver(name, "2.0-1") for name in driver_names())]
    older = [make_driver(name, "1.0-1") for name in driver_names()]
    known = make_catalog([*vibs, *older], list(map(make_component, vibs)), more=map(make_component, older))
    return compose(known, SoftwareSpec(base_image=_BASE)), known


@functools.cache
def driver_names() -> tuple[str, ...]:
    return tuple(f"driver-{number:03}" for number in range(_COMPONENTS - 1))


def make_host(number: int) -> Host:
    """A host with every component of the image, one driver maybe older or newer."""
    names = driver_names()
    changed, other = names[number % len(names)], _VERSIONS[number % len(_VERSIONS)]
    drivers = [installed(name, other if name == changed else "2.0-1") for name in names]
    base = BaseImageVersion(_BASE)
    return Host(name=f"esx{number}", base_image=base, components=[*drivers, installed("esx-base", _BASE)])


@functools.cache
def installed(name: str, version: str) -> HostComponent:
    """A component; hosts share those that are equal, since making them is not what is measured."""
    return HostComponent(name=name, version=ComponentVersion(version))


if __name__ == "__main__":
    main()
