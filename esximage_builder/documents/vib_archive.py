"""The ``.vib`` file: an ar archive of descriptor, signature and payloads.

Only the first two members are ever inflated to describe a VIB; payloads are passed on as
streams. Writers never rebuild a ``.vib``: its signature covers its exact bytes.

Source: docs/formats.md#vib.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO, Protocol, final

import attrs

from esximage_builder.containers.ar import ArSplitter, ArStream
from esximage_builder.documents.vib_descriptor import parse_vib_descriptor
from esximage_builder.errors import LimitExceededError, MalformedDocumentError
from esximage_builder.shown import Shown
from esximage_builder.streams.hashing import COPY_BLOCK_BYTES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from _typeshed import ReadableBuffer

    from esximage_builder.containers.ar import ArMember
    from esximage_builder.limits import ReadBudget, ReadLimits
    from esximage_builder.models.vib import Payload, Vib

__all__ = [
    "DESCRIPTOR_NAME",
    "SIGNATURE_NAME",
    "PayloadReceiver",
    "PayloadSplitter",
    "VibHead",
    "archive_mode_of",
    "iter_payloads",
    "read_vib_head",
]

DESCRIPTOR_NAME = "descriptor.xml"
SIGNATURE_NAME = "sig.pkcs7"


@final
@attrs.frozen(kw_only=True, repr=False)
class VibHead(Shown):
    """The first two members of a ``.vib``, byte for byte.

    Attributes:
        descriptor: Bytes of ``descriptor.xml``: what the signature covers.
        signature: Bytes of ``sig.pkcs7``: PEM text, empty for an unsigned VIB.
    """

    descriptor: bytes = attrs.field(repr=False)
    signature: bytes = attrs.field(repr=False)

    @property
    def is_signed(self) -> bool:
        """True if a signature is there; whether it is right is another question."""
        return bool(self.signature.strip())

    def parse(self, *, where: str, limits: ReadLimits) -> Vib:
        """Return the VIB that the descriptor describes.

        Raises:
            DepotError: The descriptor is malformed; see ``parse_vib_descriptor``.
        """
        return parse_vib_descriptor(
            self.descriptor, where=f"{where}!{DESCRIPTOR_NAME}", max_bytes=limits.document_bytes
        )


_OCTAL_MODE_FROM_YEAR = 2023


def archive_mode_of(vib: Vib) -> str:
    """Return how the headers of a ``.vib`` file spell the mode of a member: as VMware's tools of its time do.

    Args:
        vib: By its own descriptor.
    """
    is_late = vib.released_at is not None and vib.released_at.year >= _OCTAL_MODE_FROM_YEAR
    return "0o0" if is_late and vib.software_platforms else "0"


def read_vib_head(source: BinaryIO, *, where: str, limits: ReadLimits) -> VibHead:
    """Read descriptor and signature; nothing after them is touched.

    Args:
        source: The file, at its beginning; need not be seekable.
        where: How to name it in errors.
        limits: Upper bounds.

    Raises:
        MalformedDocumentError: No ar archive, cut short, or other members first.
        LimitExceededError: A member is larger than ``limits.document_bytes``.
    """
    members = iter(ArStream(source, where=where, limits=limits))
    return VibHead(
        descriptor=_read_member(members, DESCRIPTOR_NAME, where, limits),
        signature=_read_member(members, SIGNATURE_NAME, where, limits),
    )


def _read_member(members: Iterator[tuple[object, BinaryIO]], name: str, where: str, limits: ReadLimits) -> bytes:
    member, stream = next(members, (None, None))
    found = getattr(member, "name", None)
    if stream is None or found != name:
        raise MalformedDocumentError(
            f"the VIB has no {name} where it belongs",
            where=where,
            found="end of file" if found is None else repr(found),
            expected=f"{DESCRIPTOR_NAME}, {SIGNATURE_NAME}, then the payloads",
            hint="this is an ar archive, but no VIB",
        )
    data = bytearray()
    while block := stream.read(COPY_BLOCK_BYTES):  # a read may give less than there is
        data += block
        if len(data) > limits.document_bytes:
            raise LimitExceededError(
                f"{name} is larger than the limit",
                where=f"{where}!{name}",
                expected=f"at most {limits.document_bytes} bytes",
            )
    return bytes(data)


def iter_payloads(
    source: BinaryIO, vib: Vib, *, where: str, limits: ReadLimits, budget: ReadBudget | None = None
) -> Iterator[tuple[Payload, BinaryIO, int]]:
    """Yield each payload with its stream and its length in bytes, in archive order.

    A stream is valid until the next step. Bytes are not checked here. The members are charged to the budget.

    Raises:
        MalformedDocumentError: A payload of the descriptor is not in the archive, two have one
            name, or the archive is cut short.
    """
    wanted = _by_name(vib, where=where)
    for member, stream in ArStream(source, where=where, limits=limits):
        if budget is not None:
            budget.spend_members(1, where=where)
        payload = wanted.pop(member.name, None)
        if payload is not None:
            yield payload, stream, member.size_bytes
    _require_none(wanted, vib, where=where)


def _by_name(vib: Vib, *, where: str) -> dict[str, Payload]:
    wanted: dict[str, Payload] = {}
    for payload in vib.payloads:
        if wanted.setdefault(payload.name, payload) is not payload:
            raise MalformedDocumentError(
                "two payloads of the VIB have one name",
                where=where,
                found=repr(payload.name),
                expected="each payload name once",
                hint="the archive holds one member of each name: name the payloads apart",
            )
    return wanted


def _require_none(missing: Mapping[str, Payload], vib: Vib, *, where: str) -> None:
    """Refuse a VIB that ended without payloads that its descriptor names."""
    if missing:
        raise MalformedDocumentError(
            "the VIB lacks payloads that its descriptor names",
            where=where,
            found=f"no member {', '.join(sorted(missing))}",
            expected=f"one member for each of {', '.join(payload.name for payload in vib.payloads)}",
            hint="the VIB is damaged or was edited: get it again from its publisher",
        )


class PayloadReceiver(Protocol):
    """Takes the payloads of a VIB that is pushed, in archive order."""

    def begin_payload(self, payload: Payload, size_bytes: int) -> None:
        """Take note that the bytes of a payload follow, so many of them."""

    def take(self, data: memoryview) -> None:
        """Take the next bytes of the payload, at least one; they are the caller's again afterwards."""

    def end_payload(self) -> None:
        """Take note that all of the payload was given."""


@final
class PayloadSplitter:
    """The counterpart of ``iter_payloads`` for a VIB that is pushed, in blocks of any size.

    Args:
        receiver: Is told of each payload. Bytes are not checked here.
        vib: What its descriptor says.
        where: How to name it in errors.
        limits: Upper bounds.
    """

    def __init__(self, receiver: PayloadReceiver, vib: Vib, *, where: str, limits: ReadLimits) -> None:
        self._receiver = receiver
        self._vib = vib
        self._where = where
        self._missing = _by_name(vib, where=where)
        self._is_payload = False
        self._archive = ArSplitter(self, where=where, limits=limits)

    def write(self, data: ReadableBuffer, /) -> None:
        """Take the next bytes of the ``.vib`` file.

        Raises:
            DepotError: It is no archive as a VIB is one; nothing may be written afterwards.
        """
        self._archive.write(data)

    def close(self) -> None:
        """Say that this was the whole file.

        Raises:
            MalformedDocumentError: It is cut short, or a payload of the descriptor was not in it.
        """
        self._archive.close()
        _require_none(self._missing, self._vib, where=self._where)

    def begin_member(self, member: ArMember) -> None:
        """Tell the receiver of a payload, and pass over other members."""
        payload = self._missing.pop(member.name, None)
        self._is_payload = payload is not None
        if payload is not None:
            self._receiver.begin_payload(payload, member.size_bytes)

    def take(self, data: memoryview) -> None:
        """Hand on the bytes of a payload."""
        if self._is_payload:
            self._receiver.take(data)

    def end_member(self) -> None:
        """Tell the receiver of the end of a payload."""
        if self._is_payload:
            self._receiver.end_payload()
