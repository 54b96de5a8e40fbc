"""Checking VIBs down to their payloads' bytes: stored, unpacked, and the descriptor around them.

Source: docs/formats.md#vib (checksum forms).
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, BinaryIO

from esximage_builder.checksums import COPY_BLOCK_BYTES, Checksum, Hasher, hasher_for
from esximage_builder.errors import DepotError, MissingExtraError
from esximage_builder.findings import Finding, Severity
from esximage_builder.formats.gzip import gunzip_blocks
from esximage_builder.formats.vib_archive import iter_payloads, read_vib_head
from esximage_builder.formats.zstd import unzstd_blocks
from esximage_builder.streams import block_stream
from esximage_builder.vocabulary import AcceptanceLevel, PayloadType

if TYPE_CHECKING:
    from collections.abc import Iterator

    from esximage_builder.limits import ReadLimits
    from esximage_builder.models.vib import Payload, Vib

__all__ = ["check_head", "check_payload", "check_vib"]

_GZIP_TYPES = frozenset({PayloadType.BOOT, PayloadType.VGZ, PayloadType.TGZ, PayloadType.VZSTD})


def check_vib(vib: Vib, source: BinaryIO, *, where: str, limits: ReadLimits, deep: bool = True) -> tuple[Finding, ...]:
    """Read a whole ``.vib`` once and compare it with everything its metadata says.

    Args:
        vib: As the metadata describes it.
        source: The file, at its beginning.
        where: How to name it in findings.
        limits: Upper bounds.
        deep: Unpack payloads too and check those checksums.

    Returns:
        What differs; nothing is raised for damaged bytes.
    """
    digest = hashlib.sha256()
    counted = [0]

    def blocks() -> Iterator[bytes]:
        while block := source.read(COPY_BLOCK_BYTES):
            digest.update(block)
            counted[0] += len(block)
            yield block

    stream = block_stream(blocks())
    findings: list[Finding] = []
    try:
        for payload, data, size in iter_payloads(stream, vib, where=where, limits=limits):
            findings += check_payload(payload, data, size_bytes=size, where=where, limits=limits, deep=deep)
        while stream.read(COPY_BLOCK_BYTES):
            pass
    except DepotError as error:
        return (*findings, _error("vib-damaged", error.message, where=error.where or where, cause=error.found))
    findings += _check_file(vib, digest.hexdigest(), counted[0], where)
    return tuple(findings)


def _check_file(vib: Vib, digest: str, size: int, where: str) -> Iterator[Finding]:
    file = vib.file
    if file is None:
        return
    if file.size_bytes is not None and file.size_bytes != size:
        yield _error("vib-size-differs", f"the VIB has {size} bytes, its metadata says {file.size_bytes}", where=where)
    if file.sha256 and file.sha256 != digest:
        cause = f"{digest} instead of {file.sha256}"
        yield _error(
            "vib-checksum-differs", "the VIB's sha-256 is not what its metadata says", where=where, cause=cause
        )


def check_head(vib: Vib, source: BinaryIO, *, where: str, limits: ReadLimits) -> tuple[Finding, ...]:
    """Compare the descriptor inside a ``.vib`` with the metadata, and see that a signature is there.

    Raises:
        DepotError: The file is no VIB.
    """
    head = read_vib_head(source, where=where, limits=limits)
    inside = head.parse(where=where, limits=limits)
    findings = []
    if inside != vib:
        findings.append(
            _error(
                "descriptor-differs",
                "the descriptor in the VIB says something else than the depot's metadata",
                where=where,
                cause="the metadata was edited, or belongs to another build",
            )
        )
    if vib.acceptance_level >= AcceptanceLevel.PARTNER and not head.is_signed:
        level = vib.acceptance_level.display
        findings.append(_error("signature-missing", f"the VIB claims to be {level} but is not signed", where=where))
    return tuple(findings)


def check_payload(
    payload: Payload, source: BinaryIO, *, size_bytes: int, where: str, limits: ReadLimits, deep: bool = True
) -> tuple[Finding, ...]:
    """Read one payload and compare it with all its checksums that we know how to compute.

    Args:
        payload: As the descriptor describes it.
        source: Its bytes as stored; read to the end.
        size_bytes: Their length.
        where: How to name the VIB in findings.
        limits: Upper bounds.
        deep: Unpack it too.
    """
    place = f"{where}!{payload.name}"
    findings = []
    if payload.size_bytes is not None and payload.size_bytes != size_bytes:
        message = f"the payload has {size_bytes} bytes, its descriptor says {payload.size_bytes}"
        findings.append(_error("payload-size-differs", message, where=place))
    stored = _hashers(payload, "")

    def blocks() -> Iterator[bytes]:
        while block := source.read(COPY_BLOCK_BYTES):
            for _, hasher in stored:
                hasher.update(block)
            yield block

    if deep and payload.type in _GZIP_TYPES:
        findings += _check_unpacked(payload, block_stream(blocks()), place, limits)
    for _ in blocks():
        pass
    findings += _differences(stored, place)
    return tuple(findings)


def _check_unpacked(payload: Payload, stored: BinaryIO, place: str, limits: ReadLimits) -> list[Finding]:
    once: list[tuple[Checksum, Hasher]] = [
        (checksum, hashlib.sha256()) for checksum in payload.checksums if checksum.algorithm == "sha-256-gunzip1"
    ]
    full = _hashers(payload, "gunzip")
    try:
        unpacked = gunzip_blocks(stored, where=place, max_bytes=limits.payload_bytes)
        if payload.type == PayloadType.VZSTD:
            unpacked = unzstd_blocks(_tapped(unpacked, once), where=place, max_bytes=limits.payload_bytes)
        for block in unpacked:
            for _, hasher in full:
                hasher.update(block)
    except MissingExtraError as error:
        return [_note("payload-not-unpacked", error.message, where=place, remedy=error.hint)]
    except DepotError as error:
        return [_error("payload-damaged", error.message, where=place, cause=error.found)]
    return [*_differences(full, place), *_differences(once, place)]


def _tapped(blocks: Iterator[bytes], hashers: list[tuple[Checksum, Hasher]]) -> Iterator[bytes]:
    for block in blocks:
        for _, hasher in hashers:
            hasher.update(block)
        yield block


def _hashers(payload: Payload, verify_process: str) -> list[tuple[Checksum, Hasher]]:
    return [
        (checksum, hasher)
        for checksum in payload.checksums
        if checksum.verify_process == verify_process and (hasher := hasher_for(checksum.algorithm)) is not None
    ]


def _differences(hashers: list[tuple[Checksum, Hasher]], place: str) -> Iterator[Finding]:
    for checksum, hasher in hashers:
        found = hasher.hexdigest()
        if found != checksum.digest:
            kind = f"{checksum.algorithm} {checksum.verify_process}".strip()
            yield _error(
                "payload-checksum-differs",
                f"the payload's {kind} checksum is not what its descriptor says",
                where=place,
                cause=f"{found} instead of {checksum.digest}",
            )


def _error(code: str, message: str, *, where: str, cause: str = "") -> Finding:
    return Finding(
        code=code,
        severity=Severity.ERROR,
        message=message,
        items=(where,),
        cause=cause,
        remedy="the file is damaged or was changed: get it again from its publisher",
        where=where,
    )


def _note(code: str, message: str, *, where: str, remedy: str) -> Finding:
    return Finding(code=code, severity=Severity.INFO, message=message, items=(where,), remedy=remedy, where=where)
