"""Making new VIBs: payloads from files, checksums, descriptor, signature, archive.

For agents, tweaks and test depots of one's own; an existing ``.vib`` is never taken apart and
put together again, since its signature covers its bytes. Rules:

- the same input gives the same bytes: no clock is read, and what is compressed here is
  stored (``containers.gzip``), so that no zlib version shows;
- everything a descriptor says of payloads is measured, nothing is believed;
- a VIB of acceptance level *partner* and above must be signed, or be left unsigned explicitly;
- what was written is read back, and must say what was asked for.

Payloads are made in memory: this module is for small VIBs.

Source: docs/formats.md#vib.
"""

from __future__ import annotations

import hashlib
import io
import re
from typing import TYPE_CHECKING, final

import attrs

from esximage_builder.checksums import Checksum, sha256_hex
from esximage_builder.containers.ar import render_ar, render_ar_header
from esximage_builder.containers.cms import sign_detached
from esximage_builder.containers.gzip import gunzip_blocks, stored_gzip
from esximage_builder.containers.tar_gz import render_tgz
from esximage_builder.containers.vmtar import render_vmtar
from esximage_builder.depot.depot_zip import vib_relative_path
from esximage_builder.documents.vib_archive import DESCRIPTOR_NAME, SIGNATURE_NAME, archive_mode_of
from esximage_builder.documents.vib_descriptor import parse_vib_descriptor, render_vib_descriptor
from esximage_builder.errors import DepotError, ModelError
from esximage_builder.models.fields import as_tuple
from esximage_builder.models.vib import Payload, Vib, VibFile
from esximage_builder.shown import Shown
from esximage_builder.vocabulary import MODULE_TYPES, AcceptanceLevel, PayloadType, VibType

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

__all__ = [
    "AuthoredPayload",
    "AuthoredVib",
    "VibSigner",
    "author_vib",
    "boot_payload",
    "compressed_payload",
    "raw_payload",
    "tgz_payload",
    "vgz_payload",
]

_VIB_TYPES = (VibType.BOOTBANK.value, VibType.LOCKER.value)
_NAME = re.compile(r"[0-9A-Za-z][0-9A-Za-z._-]{0,34}")
_VENDOR = re.compile(r"[0-9A-Za-z][0-9A-Za-z.-]{0,34}")
_VERSION = re.compile(r"[0-9][0-9A-Za-z.]*-[0-9][0-9A-Za-z.]*")
_VFAT_NAME = re.compile(r"[0-9a-z_-]{1,8}\.[0-9a-z]{1,3}")
_PAYLOAD_TYPE = re.compile(r"[0-9a-z_]+")
_LONGEST_SUMMARY = 80
_LONGEST_URL_KEY = 20


@final
@attrs.frozen(kw_only=True, repr=False)
class AuthoredPayload(Shown):
    """A payload for a new VIB; made by the functions below.

    Attributes:
        payload: What the descriptor will say of it: sizes and checksums are measured.
        data: Its bytes as they stand in the archive.
        files: Paths that it installs, without leading slash; empty for raw and boot payloads.
    """

    payload: Payload
    data: bytes = attrs.field(repr=False)
    files: tuple[str, ...] = attrs.field(default=(), converter=as_tuple)


@final
@attrs.frozen(kw_only=True, repr=False)
class VibSigner(Shown):
    """What to sign with.

    ESXi accepts only signatures of VMware's own keys, unless signature checks are off: a key
    of one's own serves test depots.

    Attributes:
        key_pem: RSA private key, PEM, without password.
        certificate_pem: The certificate of that key, PEM.
        signed_at: Signing time to state, aware; no clock is read.
    """

    key_pem: bytes = attrs.field(repr=False)
    certificate_pem: bytes = attrs.field(repr=False)
    signed_at: datetime


@final
@attrs.frozen(kw_only=True, repr=False)
class AuthoredVib(Shown):
    """A new VIB.

    Attributes:
        vib: What its descriptor says, with size, SHA-256 and relative path of the file.
        data: The ``.vib`` file.
    """

    vib: Vib
    data: bytes = attrs.field(repr=False)


def vgz_payload(
    name: str,
    files: Mapping[str, bytes],
    *,
    boot_order: int | None = None,
    vfat_name: str = "",
    with_uncompressed_size: bool = False,
) -> AuthoredPayload:
    """Return a ``vgz`` payload: a gzip of a vmtar, mounted by the host as it is.

    Args:
        name: At most 16 characters; real ones have at most 8.
        files: Relative paths and their contents, in the order to write.
        boot_order: Place among the boot modules; None sorts last.
        vfat_name: Fixed local name, ``features.gz``; empty leaves it to the rule.
        with_uncompressed_size: State the size of the vmtar, as VIBs since 8.0.3 do.

    Raises:
        ModelError: A name or number that the formats cannot hold.
    """
    return compressed_payload(
        PayloadType.VGZ,
        stored_gzip(expanded := render_vmtar(files)),
        expanded,
        name=name,
        files=files,
        boot_order=boot_order,
        vfat_name=vfat_name,
        with_uncompressed_size=with_uncompressed_size,
    )


def tgz_payload(
    name: str,
    files: Mapping[str, bytes],
    *,
    boot_order: int | None = None,
    vfat_name: str = "",
    with_uncompressed_size: bool = False,
) -> AuthoredPayload:
    """Return a ``tgz`` payload: a gzip of a plain tar; arguments as for ``vgz_payload``.

    Raises:
        ModelError: A name or number that the formats cannot hold.
    """
    data = render_tgz(files.items())
    return compressed_payload(
        PayloadType.TGZ,
        data,
        b"".join(gunzip_blocks(io.BytesIO(data), where=name, max_bytes=len(data))),
        name=name,
        files=files,
        boot_order=boot_order,
        vfat_name=vfat_name,
        with_uncompressed_size=with_uncompressed_size,
    )


def boot_payload(
    name: str,
    content: bytes,
    *,
    boot_order: int | None = None,
    vfat_name: str = "",
    with_uncompressed_size: bool = False,
) -> AuthoredPayload:
    """Return a ``boot`` payload, a module for the boot loader: a gzip of ``content``.

    The kernel's fourth checksum (``txt-mle``) is not made, since its rule is not public.
    Other arguments as for ``vgz_payload``.

    Raises:
        ModelError: A name or number that the formats cannot hold.
    """
    return compressed_payload(
        PayloadType.BOOT,
        stored_gzip(content),
        content,
        name=name,
        files={},
        boot_order=boot_order,
        vfat_name=vfat_name,
        with_uncompressed_size=with_uncompressed_size,
    )


def raw_payload(name: str, data: bytes, *, type: str) -> AuthoredPayload:  # noqa: A002 - the descriptor's own word
    """Return a payload that is stored as it is: boot loaders, texts, upgrade scripts.

    Args:
        name: At most 16 characters.
        data: Its bytes.
        type: ``boot_loader_efi``, ``text``, ``upgrade`` and the like.

    Raises:
        ModelError: The name does not fit, or the type is one that is compressed.
    """
    if type in MODULE_TYPES or not _PAYLOAD_TYPE.fullmatch(type):
        raise ModelError(
            f"payload {name!r} cannot be a raw one of this type",
            found=repr(type),
            expected="a type that is stored as it is, such as text or upgrade",
            hint="boot, vgz and tgz payloads have functions of their own",
        )
    payload = Payload(
        name=_payload_name(name),
        type=str(type),
        size_bytes=len(data),
        checksums=[Checksum("sha-256", sha256_hex(data))],
    )
    return AuthoredPayload(payload=payload, data=data)


def compressed_payload(
    kind: PayloadType,
    data: bytes,
    expanded: bytes,
    *,
    name: str,
    files: Iterable[str],
    boot_order: int | None,
    vfat_name: str,
    with_uncompressed_size: bool,
) -> AuthoredPayload:
    """Return a payload of bytes that are packed already, with its three checksums.

    Args:
        kind: What is in the gzip.
        data: The gzip.
        expanded: What it unpacks to.
        name: As for ``vgz_payload``, and so all that follows.
        files: The paths that it installs.
        boot_order: See there.
        vfat_name: See there.
        with_uncompressed_size: See there.

    Raises:
        ModelError: A name or number that the formats cannot hold.
    """
    if boot_order is not None and boot_order < 0:
        raise ModelError(f"the boot order of payload {name!r} is negative", found=str(boot_order))
    if vfat_name and not _VFAT_NAME.fullmatch(vfat_name):
        raise ModelError(
            f"the fixed local name of payload {name!r} is no 8.3 name",
            found=repr(vfat_name),
            expected="lower case, such as features.gz",
        )
    payload = Payload(
        name=_payload_name(name),
        type=kind.value,
        size_bytes=len(data),
        uncompressed_size_bytes=len(expanded) if with_uncompressed_size else None,
        boot_order=boot_order,
        vfat_name=vfat_name,
        checksums=[
            Checksum("sha-256", sha256_hex(expanded), "gunzip"),
            Checksum("sha-256", sha256_hex(data)),
            Checksum("sha-1", hashlib.sha1(expanded, usedforsecurity=False).hexdigest(), "gunzip"),
        ],
    )
    return AuthoredPayload(payload=payload, data=data, files=tuple(files))


def _payload_name(name: str) -> str:
    """Return the name if it can stand in the archive beside descriptor and signature."""
    render_ar_header(name, 0)
    if name in (DESCRIPTOR_NAME, SIGNATURE_NAME):
        raise ModelError("a payload cannot have the name of the VIB's own parts", found=repr(name))
    return name


def author_vib(
    vib: Vib,
    payloads: Iterable[AuthoredPayload],
    *,
    signer: VibSigner | None = None,
    unsigned: bool = False,
) -> AuthoredVib:
    """Make a ``.vib`` file.

    Args:
        vib: What the descriptor shall say, without payloads and file facts. ``files`` is
            derived from the payloads; None leaves the list out, and then no payload may
            hold files. ``released_at`` is required.
        payloads: In archive order; at least one.
        signer: What to sign with; None leaves the VIB unsigned.
        unsigned: Say that a VIB of level partner or above shall stay unsigned. Hosts and
            other tools refuse such a VIB.

    Returns:
        The VIB and its bytes; the same input gives the same bytes.

    Raises:
        ModelError: A name, version or text that a VIB cannot have, two payloads or files of
            one name, a missing signature, or both ``signer`` and ``unsigned``.
        MissingExtraError: Signing needs the optional extra ``signatures``.
    """
    parts = as_tuple(payloads)
    _require_identity(vib)
    _require_texts(vib)
    _require_signature_choice(vib, signer, unsigned=unsigned)
    whole = attrs.evolve(vib, files=_file_list(vib, parts), payloads=_descriptions(vib, parts))
    descriptor = render_vib_descriptor(whole)
    _require_same(whole, descriptor)
    signature = b""
    if signer is not None:
        signature = sign_detached(
            descriptor,
            key_pem=signer.key_pem,
            certificate_pem=signer.certificate_pem,
            signed_at=signer.signed_at,
        )
    data = render_ar(
        [
            (DESCRIPTOR_NAME, descriptor),
            (SIGNATURE_NAME, signature),
            *((part.payload.name, part.data) for part in parts),
        ],
        mode=archive_mode_of(whole),
    )
    file = VibFile(size_bytes=len(data), sha256=sha256_hex(data), relative_path=vib_relative_path(whole))
    return AuthoredVib(vib=whole.with_file(file), data=data)


def _require_identity(vib: Vib) -> None:
    checks = (
        ("name", vib.name, bool(_NAME.fullmatch(vib.name)), "1 to 35 letters, digits, dots, hyphens or underscores"),
        ("vendor", vib.vendor, bool(_VENDOR.fullmatch(vib.vendor)), "1 to 35 letters, digits, dots or hyphens"),
        (
            "version",
            vib.version.text,
            bool(_VERSION.fullmatch(vib.version.text)),
            "version and release with one hyphen between, both starting with a digit, such as 1.0.0-1",
        ),
        ("type", vib.type, vib.type in _VIB_TYPES, " or ".join(_VIB_TYPES)),
    )
    for what, text, is_right, expected in checks:
        if not is_right:
            raise ModelError(f"a VIB cannot have this {what}", where=vib.id, found=repr(text)[:120], expected=expected)
    if vib.released_at is None or vib.released_at.tzinfo is None:
        raise ModelError(
            "the VIB has no release date with time zone",
            where=vib.id,
            found=repr(vib.released_at),
            expected="an aware datetime",
            hint="pass released_at: no clock is read, so that the same input gives the same bytes",
        )
    if vib.extra:
        raise ModelError("unknown elements belong to VIBs that were read", where=vib.id, found=vib.extra[0][:120])
    if vib.payloads or vib.file is not None or vib.files:
        raise ModelError(
            "payloads, file list and file facts are made here, not passed in",
            where=vib.id,
            hint="give only what describes the VIB; pass the payloads as the second argument",
        )


def _require_texts(vib: Vib) -> None:
    if not vib.summary or len(vib.summary) > _LONGEST_SUMMARY or not vib.summary.isprintable():
        raise ModelError(
            "the summary of a VIB is one line",
            where=vib.id,
            found=repr(vib.summary)[:120],
            expected=f"1 to {_LONGEST_SUMMARY} characters",
        )
    for key, _ in vib.urls:
        if len(key) > _LONGEST_URL_KEY:
            raise ModelError(
                "the key of an address is too long",
                where=vib.id,
                found=repr(key)[:120],
                expected=f"at most {_LONGEST_URL_KEY} characters",
            )


def _require_signature_choice(vib: Vib, signer: VibSigner | None, *, unsigned: bool) -> None:
    if signer is not None and unsigned:
        raise ModelError("the VIB shall be signed and unsigned at once", where=vib.id, expected="one of both")
    if signer is None and not unsigned and vib.acceptance_level >= AcceptanceLevel.PARTNER:
        raise ModelError(
            "a VIB of this acceptance level must be signed",
            where=vib.id,
            found=f"acceptance level {vib.acceptance_level.value}, nothing to sign with",
            expected="a signer, or acceptance level community",
            hint="pass signer=VibSigner(...), or unsigned=True for a VIB that will not be installed",
        )


def _descriptions(vib: Vib, parts: tuple[AuthoredPayload, ...]) -> tuple[Payload, ...]:
    if not parts:
        raise ModelError("the VIB has no payload", where=vib.id, expected="at least one")
    _require_distinct([part.payload.name for part in parts], what="payloads", where=vib.id)
    for payload, data in ((part.payload, part.data) for part in parts):
        if payload.size_bytes != len(data) or payload.checksum("sha-256") != sha256_hex(data):
            raise ModelError(
                f"the description of payload {payload.name!r} is not that of its bytes",
                where=vib.id,
                found=f"{len(data)} bytes, sha-256 {sha256_hex(data)}",
                expected=f"{payload.size_bytes} bytes, sha-256 {payload.checksum('sha-256')}",
                hint="make payloads with vgz_payload, tgz_payload, boot_payload and raw_payload",
            )
    return tuple(part.payload for part in parts)


def _file_list(vib: Vib, parts: tuple[AuthoredPayload, ...]) -> tuple[str, ...] | None:
    files = tuple(file for part in parts for file in part.files)
    if vib.files is None and not files:
        return None
    if vib.files is None:
        raise ModelError(
            "a VIB without file list cannot have payloads with files",
            where=vib.id,
            found=f"files=None, {len(files)} files in payloads",
            hint="leave files out: it is derived from the payloads",
        )
    _require_distinct(files, what="files", where=vib.id)
    return files


def _require_distinct(names: Iterable[str], *, what: str, where: str) -> None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise ModelError(
                f"two {what} of the VIB have one name", where=where, found=repr(name), expected="each once"
            )
        seen.add(name)


def _require_same(vib: Vib, descriptor: bytes) -> None:
    """Refuse a VIB whose descriptor reads back as something else, such as one with blanks round a tag."""
    try:
        read = parse_vib_descriptor(descriptor, where=vib.id, max_bytes=len(descriptor))
    except DepotError as error:
        raise ModelError(
            "a descriptor cannot hold what this VIB says",
            where=error.where,
            found=f"{error.message}: {error.found}" if error.found else error.message,
            expected=error.expected,
        ) from error
    changed = [
        field.name for field in attrs.fields(Vib) if field.eq and getattr(vib, field.name) != getattr(read, field.name)
    ]
    if changed:
        first = changed[0]
        raise ModelError(
            f"a descriptor cannot hold this {first.replace('_', ' ')}",
            where=vib.id,
            found=repr(getattr(vib, first))[:200],
            expected=f"something that reads back the same, such as {getattr(read, first)!r}"[:240],
            hint="blanks at the ends of texts and empty items do not survive in XML",
        )
