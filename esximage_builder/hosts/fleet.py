"""Checking any number of hosts against an image, with any executor of ``concurrent.futures``.

Hosts are taken as they come and answers are given in the same order, a chunk at a time: so many chunks
are on their way that the workers are busy and no more, so memory stays flat however many hosts there
are. What is said does not depend on the executor.

An image is prepared once, pickled once, and known to workers by the digest of its pickle: a chunk is
sent with the digest alone, and a worker that does not have the image yet says so and gets it with the
same chunk again. Threads of this process have it from the start.
"""

from __future__ import annotations

import hashlib
import itertools
import pickle
from collections import OrderedDict, deque
from typing import TYPE_CHECKING, TypeVar, final, overload

import attrs

from esximage_builder.errors import ModelError, WrongTypeError
from esximage_builder.hosts.check import ComplianceTarget
from esximage_builder.models.host import Host

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from concurrent.futures import Executor, Future

    from esximage_builder.models.catalog import Catalog
    from esximage_builder.models.compliance import HostCompliance
    from esximage_builder.models.image import Image

__all__ = ["check_fleet"]

_Source = TypeVar("_Source")

_HOSTS_PER_CHUNK = 200
_CHUNKS_ON_THE_WAY = 16
_MOST_TARGETS = 8

# What this process has prepared or was sent, by digest; the last few.
_targets: OrderedDict[str, ComplianceTarget] = OrderedDict()


@overload
def check_fleet(
    image: Image,
    hosts: Iterable[Host],
    *,
    executor: Executor | None = None,
    catalog: Catalog | None = None,
    chunk_size: int = _HOSTS_PER_CHUNK,
    most_chunks: int = _CHUNKS_ON_THE_WAY,
) -> Iterator[HostCompliance]: ...


@overload
def check_fleet(
    image: Image,
    hosts: Iterable[_Source],
    *,
    read: Callable[[_Source], Host],
    executor: Executor | None = None,
    catalog: Catalog | None = None,
    chunk_size: int = _HOSTS_PER_CHUNK,
    most_chunks: int = _CHUNKS_ON_THE_WAY,
) -> Iterator[HostCompliance]: ...


def check_fleet(
    image: Image,
    hosts: Iterable[object],
    *,
    read: Callable[..., Host] | None = None,
    executor: Executor | None = None,
    catalog: Catalog | None = None,
    chunk_size: int = _HOSTS_PER_CHUNK,
    most_chunks: int = _CHUNKS_ON_THE_WAY,
) -> Iterator[HostCompliance]:
    """Say how far each of very many hosts is from an image.

    Args:
        image: What all hosts shall have.
        hosts: Hosts, or whatever ``read`` makes them of; taken as they are needed.
        read: Makes a host of one of ``hosts`` where it is checked, such as ``read_host`` of a path; None takes
            hosts. Reading costs more than checking, so this is what to spread over processes.
        executor: Threads, processes, a Dask client's ``get_executor()``; None checks in this thread. It stays open.
        catalog: As for ``check_compliance``.
        chunk_size: So many hosts go to a worker at a time.
        most_chunks: So many chunks are on their way at most; at least twice the number of workers is good.

    Yields:
        The verdict of each host, in the order of ``hosts``, as soon as it and all before it are there.

    Raises:
        ModelError: A chunk would hold no host, or none could be on its way.
    """
    if chunk_size < 1 or most_chunks < 1:
        raise ModelError(
            "a fleet is checked in chunks of at least one host",
            found=f"chunk_size={chunk_size}, most_chunks={most_chunks}",
            expected="1 or more of each",
        )
    target = ComplianceTarget(image, catalog)
    if executor is None:
        return (target.check(_host(source, read)) for source in hosts)
    fleet = _Fleet(target=target, executor=executor, read=read)
    return fleet.verdicts(_chunks(hosts, chunk_size), most_chunks)


def _host(source: object, read: Callable[..., Host] | None) -> Host:
    """Return a source itself, which is a host where nothing reads it, or what is read from it.

    Raises:
        WrongTypeError: That is no host.
    """
    host = source if read is None else read(source)
    if not isinstance(host, Host):
        given = "what is checked" if read is None else "what read returns"
        raise WrongTypeError(f"{given} is no host", found=type(host).__name__, expected="Host")
    return host


@final
@attrs.frozen
class _Chunk:
    """Hosts, or what they are read from.

    What is sent and what comes back are values and no tuples: some executors send the parts of a tuple
    one by one, and whatever the parts share once for each.
    """

    sources: tuple[object, ...]


@final
@attrs.frozen
class _Answer:
    """What was said of the hosts of a chunk."""

    verdicts: tuple[HostCompliance, ...]


_Waiting = tuple[_Chunk, "Future[_Answer | None]"]


def _chunks(sources: Iterable[object], size: int) -> Iterator[_Chunk]:
    remaining = iter(sources)
    while chunk := tuple(itertools.islice(remaining, size)):
        yield _Chunk(chunk)


@final
class _Fleet:
    """A run over one executor: chunks on their way, and the image for workers that do not have it."""

    def __init__(self, *, target: ComplianceTarget, executor: Executor, read: Callable[..., Host] | None) -> None:
        self._data = pickle.dumps(target, protocol=pickle.HIGHEST_PROTOCOL)
        self._digest = hashlib.sha256(self._data).hexdigest()
        self._executor = executor
        self._read = read
        _remember(self._digest, target)

    def verdicts(self, chunks: Iterator[_Chunk], most: int) -> Iterator[HostCompliance]:
        """Yield what is said of the hosts of each chunk; when nobody asks any more, what waits is given up."""
        under_way: deque[_Waiting] = deque(map(self._sent, itertools.islice(chunks, most)))
        try:
            while under_way:
                answer = self._answer(*under_way[0])
                under_way.popleft()
                under_way.extend(map(self._sent, itertools.islice(chunks, 1)))
                yield from answer.verdicts
        finally:
            for _, future in under_way:
                future.cancel()

    def _sent(self, chunk: _Chunk) -> _Waiting:
        return (chunk, self._executor.submit(_check_chunk, self._digest, None, chunk, self._read))

    def _answer(self, chunk: _Chunk, future: Future[_Answer | None]) -> _Answer:
        answer = future.result()
        if answer is None:
            answer = self._executor.submit(_check_chunk, self._digest, self._data, chunk, self._read).result()
        assert answer is not None  # noqa: S101 - a worker that was sent the image has it
        return answer


def _check_chunk(digest: str, data: bytes | None, chunk: _Chunk, read: Callable[..., Host] | None) -> _Answer | None:
    """Return the verdicts on some hosts, in whatever process this runs; None if it does not have the image."""
    target = _targets.get(digest)
    if target is None:
        if data is None:
            return None
        target = pickle.loads(data)  # noqa: S301 - pickled by the same run
        _remember(digest, target)
    return _Answer(tuple(target.check(_host(source, read)) for source in chunk.sources))


def _remember(digest: str, target: ComplianceTarget) -> None:
    _targets[digest] = target
    while len(_targets) > _MOST_TARGETS:
        _targets.popitem(last=False)
