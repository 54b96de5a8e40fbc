"""Checking VIBs down to their payloads' bytes: stored, unpacked, and the descriptor around them.

Source: docs/formats.md#payloads (checksum forms).
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, BinaryIO, cast, final

from esximage_builder.checksums import Checksum, Hasher, hasher_for, hashers_for
from esximage_builder.codes import has_code, make_finding
from esximage_builder.containers.gzip import gunzip_blocks
from esximage_builder.containers.zstd import unzstd_blocks
from esximage_builder.documents.vib_archive import iter_payloads, read_vib_head
from esximage_builder.errors import DepotError, EsxImageError, LimitExceededError, MissingExtraError
from esximage_builder.findings import Severity
from esximage_builder.limits import ReadBudget
from esximage_builder.rules.vib_facts import check_descriptor
from esximage_builder.streams.blocks import block_stream, counted_stream
from esximage_builder.streams.hashing import COPY_BLOCK_BYTES, HashingReader
from esximage_builder.vocabulary import TARDISK_TYPES, PayloadType

if TYPE_CHECKING:
    from collections.abc import Iterator

    from esximage_builder.findings import Finding
    from esximage_builder.limits import ReadLimits
    from esximage_builder.models.vib import Payload, Vib

__all__ = ["GET_AGAIN", "check_head", "check_payload", "check_vib", "damaged_vib"]

GET_AGAIN = "the file is damaged or was changed: get it again from its publisher"
_GUNZIP = "gunzip"
_GUNZIP_ONCE = "sha-256-gunzip1"
_NOT_PUBLIC = "txt-mle"  # the kernel's, whose rule is not public
_GZIP_MAGIC = b"\x1f\x8b"

_Hashers = list[tuple[Checksum, Hasher]]


def check_vib(
    vib: Vib, source: BinaryIO, *, where: str, limits: ReadLimits, deep: bool = True, budget: ReadBudget | None = None
) -> tuple[Finding, ...]:
    """Read a whole ``.vib`` once and compare it with everything its metadata says.

    Args:
        vib: As the metadata describes it.
        source: The file, at its beginning.
        where: How to name it in findings.
        limits: Upper bounds.
        deep: Unpack payloads too and check those checksums.
        budget: Charged with all that is read and unpacked; None goes by the size that the metadata states.

    Returns:
        What differs; nothing is raised for damaged bytes.
    """
    digest = hashlib.sha256()
    shared = budget or ReadBudget(limits, (vib.file and vib.file.size_bytes) or 0)
    reader = HashingReader(counted_stream(source, shared, where=where), digest)
    findings: list[Finding] = []
    try:
        members = iter_payloads(reader.as_stream(), vib, where=where, limits=limits, budget=shared)
        for payload, data, size in members:
            findings += check_payload(
                payload, data, size_bytes=size, where=where, limits=limits, deep=deep, budget=shared
            )
    except EsxImageError as error:
        findings.append(damaged_vib(error, error.where or where))
    try:
        if not reader.has_failed:
            reader.drain()
    except EsxImageError as error:
        findings.append(damaged_vib(error, error.where or where))
    if reader.is_whole:
        findings += _check_file(vib, digest.hexdigest(), reader.size_bytes, where)
    return tuple(findings)


def damaged_vib(error: EsxImageError, place: str) -> Finding:
    """Return the finding about a ``.vib`` file that cannot be read to its end, or is not read to it."""
    if isinstance(error, LimitExceededError):
        return make_finding(
            "payload-too-large", error.message, items=(place,), cause=error.found, remedy=error.hint, where=place
        )
    return make_finding("vib-damaged", error.message, items=(place,), cause=error.found, remedy=GET_AGAIN, where=place)


def _check_file(vib: Vib, digest: str, size: int, where: str) -> Iterator[Finding]:
    file = vib.file
    if file is None:
        return
    if file.size_bytes is not None and file.size_bytes != size:
        yield make_finding(
            "vib-size-differs",
            f"the VIB has {size} bytes, its metadata says {file.size_bytes}",
            severity=Severity.ERROR,
            items=(where,),
            facts={"kind": "vib", "id": vib.id, "differs": "size"},
            remedy=GET_AGAIN,
            where=where,
        )
    if file.sha256 and file.sha256 != digest:
        cause = f"{digest} instead of {file.sha256}"
        yield make_finding(
            "vib-checksum-differs",
            "the VIB's sha-256 is not what its metadata says",
            where=where,
            cause=cause,
            items=(where,),
            remedy=GET_AGAIN,
        )


def check_head(
    vib: Vib, source: BinaryIO, *, where: str, limits: ReadLimits, budget: ReadBudget | None = None
) -> tuple[Finding, ...]:
    """Compare a VIB's own descriptor with the metadata, as validation does.

    Raises:
        EsxImageError: The file is no VIB or is damaged.
    """
    head = read_vib_head(counted_stream(source, budget, where=where), where=where, limits=limits)
    if budget is not None:
        budget.spend_document(head.descriptor, where=where)
    inside = head.parse(where=where, limits=limits)
    return tuple(check_descriptor(vib, inside, where=where))


def check_payload(
    payload: Payload,
    source: BinaryIO,
    *,
    size_bytes: int,
    where: str,
    limits: ReadLimits,
    deep: bool = True,
    budget: ReadBudget | None = None,
) -> tuple[Finding, ...]:
    """Read one payload and compare it with all its checksums that we know how to compute.

    Args:
        payload: As the descriptor describes it.
        source: Its bytes as stored; read to the end.
        size_bytes: Their length.
        where: How to name the VIB in findings.
        limits: Upper bounds.
        deep: Unpack it too.
        budget: Charged with what it unpacks to; who gives the source charges what is read. None goes by its size.

    Raises:
        EsxImageError: The source cannot be read or is damaged itself.
    """
    place = f"{where}!{payload.name}"
    findings = []
    if payload.size_bytes is not None and payload.size_bytes != size_bytes:
        message = f"the payload has {size_bytes} bytes, its descriptor says {payload.size_bytes}"
        findings.append(make_finding("payload-size-differs", message, where=place, items=(place,), remedy=GET_AGAIN))
    stored = _hashers(payload, "")
    unknown = _unknown_checksums(payload)
    if unknown:
        findings.append(_not_compared(place, unknown))
    if not stored and not any(not checksum.verify_process for checksum in unknown):
        findings.append(_unchecked(place))
    head = source.read(COPY_BLOCK_BYTES)
    reader = _hashed(cast("BinaryIO", _Peeked(head, source)), stored)
    if deep and (_is_packed(payload) or _is_packed_module(payload, head)):
        findings += _check_unpacked(payload, reader.as_stream(), place, budget or ReadBudget(limits, size_bytes))
    reader.drain()
    findings += _differences(stored, place)
    return tuple(findings)


@final
class _Peeked:
    """A stream of which the beginning was read already."""

    def __init__(self, head: bytes, source: BinaryIO) -> None:
        self._head = head
        self._source = source

    def read(self, size: int = -1, /) -> bytes:
        if not self._head:
            return self._source.read(size)
        size = len(self._head) if size < 0 else size
        block, self._head = self._head[:size], self._head[size:]
        return block


def _is_packed(payload: Payload) -> bool:
    """Tell whether to unpack it: by its type, and where a checksum is one over unpacked bytes."""
    return payload.type in TARDISK_TYPES or any(
        checksum.verify_process == _GUNZIP or checksum.algorithm == _GUNZIP_ONCE for checksum in payload.checksums
    )


def _is_packed_module(payload: Payload, head: bytes) -> bool:
    """Tell whether it is a module of the boot loader that is compressed, whatever checksums it has."""
    return payload.type == PayloadType.BOOT and head.startswith(_GZIP_MAGIC)


def _unknown_checksums(payload: Payload) -> list[Checksum]:
    """Return those that we do not know how to compute, but for the one of which nobody outside does."""
    return [
        checksum
        for checksum in payload.checksums
        if checksum.verify_process not in ("", _GUNZIP, _NOT_PUBLIC)
        or (hasher_for(checksum.algorithm) is None and checksum.algorithm != _GUNZIP_ONCE)
    ]


def _check_unpacked(payload: Payload, stored: BinaryIO, place: str, budget: ReadBudget) -> list[Finding]:
    gunzip_hasher = hashlib.sha256()
    once: _Hashers = [(checksum, gunzip_hasher) for checksum in payload.checksums if checksum.algorithm == _GUNZIP_ONCE]
    full = _hashers(payload, _GUNZIP)
    blocks = gunzip_blocks(stored, where=place, max_bytes=budget.limits.payload_bytes)
    gunzipped = _hashed(block_stream(budget.counted(blocks, where=place)), once)
    findings: list[Finding] = []
    try:
        if payload.type == PayloadType.VZSTD:
            findings += _check_unzstd(payload, gunzipped, full, place, budget)
        else:
            unpacked = _hashed(gunzipped.as_stream(), full)
            unpacked.drain()
            findings += _check_unpacked_size(payload, unpacked.size_bytes, place)
    except LimitExceededError as error:
        return [
            make_finding(
                "payload-too-large", error.message, where=place, cause=error.expected, items=(place,), remedy=error.hint
            )
        ]
    except DepotError as error:
        return [
            make_finding(
                "payload-damaged", error.message, where=place, cause=error.found, items=(place,), remedy=GET_AGAIN
            )
        ]
    is_unpacked = not any(has_code(finding, "payload-not-unpacked") for finding in findings)
    return [*findings, *(_differences(full, place) if is_unpacked else ()), *_differences(once, place)]


def _check_unzstd(
    payload: Payload, gunzipped: HashingReader, full: _Hashers, place: str, budget: ReadBudget
) -> list[Finding]:
    """Hash and count what a zstandard stream unpacks to; say so where no reader is installed."""
    try:
        blocks = unzstd_blocks(gunzipped.blocks(), where=place, max_bytes=budget.limits.payload_bytes)
        unpacked = _hashed(block_stream(budget.counted(blocks, where=place)), full)
        unpacked.drain()
    except MissingExtraError as error:
        gunzipped.drain()  # what is known of the outer wrapper is still checked
        return [_not_unpacked(error, place)]
    return list(_check_unpacked_size(payload, unpacked.size_bytes, place))


def _check_unpacked_size(payload: Payload, size: int, place: str) -> Iterator[Finding]:
    stated = payload.uncompressed_size_bytes
    if stated is not None and stated != size:
        message = f"the payload unpacks to {size} bytes, its descriptor says {stated}"
        yield make_finding("payload-size-differs", message, where=place, items=(place,), remedy=GET_AGAIN)


def _hashed(source: BinaryIO, hashers: _Hashers) -> HashingReader:
    """Return the source with each hasher once, however many checksums share it."""
    return HashingReader(source, *dict.fromkeys(hasher for _, hasher in hashers))


def _hashers(payload: Payload, verify_process: str) -> _Hashers:
    covering = [checksum for checksum in payload.checksums if checksum.verify_process == verify_process]
    hashers = hashers_for(checksum.algorithm for checksum in covering)
    return [(checksum, hashers[checksum.algorithm]) for checksum in covering if checksum.algorithm in hashers]


def _differences(hashers: _Hashers, place: str) -> Iterator[Finding]:
    for checksum, hasher in hashers:
        found = hasher.hexdigest()
        if found != checksum.digest:
            kind = f"{checksum.algorithm} {checksum.verify_process}".strip()
            yield make_finding(
                "payload-checksum-differs",
                f"the payload's {kind} checksum is not what its descriptor says",
                where=place,
                cause=f"{found} instead of {checksum.digest}",
                items=(place,),
                remedy=GET_AGAIN,
            )


def _not_unpacked(error: MissingExtraError, place: str) -> Finding:
    return make_finding(
        "payload-not-unpacked",
        "the payload was not unpacked, its checksums over unpacked bytes are unchecked",
        items=(place,),
        cause=error.message,
        remedy=error.hint,
        where=place,
    )


def _not_compared(place: str, unknown: list[Checksum]) -> Finding:
    kinds = ", ".join(f"{checksum.algorithm} {checksum.verify_process}".strip() for checksum in unknown)
    return make_finding(
        "payload-checksum-unknown",
        f"the payload's checksums of unknown kind were not compared: {kinds}",
        items=(place,),
        where=place,
    )


def _unchecked(place: str) -> Finding:
    return make_finding(
        "payload-without-checksum",
        "no checksum covers the payload's bytes as they are stored",
        items=(place,),
        cause="the VIB was built with a tool that writes none",
        remedy="have it built anew, if it is yours",
        where=place,
    )
