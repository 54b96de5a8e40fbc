"""The ``.vib`` file: an ar archive of descriptor, signature and payloads.

Only the first two members are ever inflated to describe a VIB; payloads are passed on as
streams. Writers never rebuild a ``.vib``: its signature covers its exact bytes.

Source: docs/formats.md#vib.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO, final

import attrs

from esximage_builder.containers.ar import ArStream
from esximage_builder.documents.vib_descriptor import parse_vib_descriptor
from esximage_builder.errors import LimitExceededError, MalformedDocumentError
from esximage_builder.streams.hashing import COPY_BLOCK_BYTES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from esximage_builder.limits import ReadLimits
    from esximage_builder.models.vib import Payload, Vib

__all__ = ["DESCRIPTOR_NAME", "SIGNATURE_NAME", "VibHead", "iter_payloads", "read_vib_head"]

DESCRIPTOR_NAME = "descriptor.xml"
SIGNATURE_NAME = "sig.pkcs7"


@final
@attrs.frozen(kw_only=True)
class VibHead:
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
    source: BinaryIO, vib: Vib, *, where: str, limits: ReadLimits
) -> Iterator[tuple[Payload, BinaryIO, int]]:
    """Yield each payload with its stream and its length in bytes, in archive order.

    A stream is valid until the next step. Bytes are not checked here.

    Raises:
        MalformedDocumentError: A payload of the descriptor is not in the archive, two have one
            name, or the archive is cut short.
    """
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
    for member, stream in ArStream(source, where=where, limits=limits):
        named = wanted.pop(member.name, None)
        if named is not None:
            yield named, stream, member.size_bytes
    if wanted:
        raise MalformedDocumentError(
            "the VIB lacks payloads that its descriptor names",
            where=where,
            found=f"no member {', '.join(sorted(wanted))}",
            expected=f"one member for each of {', '.join(payload.name for payload in vib.payloads)}",
            hint="the VIB is damaged or was edited: get it again from its publisher",
        )
