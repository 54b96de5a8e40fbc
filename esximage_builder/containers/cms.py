"""Signatures of VIBs: what ``sig.pkcs7`` says, whether it covers a descriptor, making one.

A signature is PEM text, ``-----BEGIN PKCS7-----``, with a detached CMS SignedData over the
exact bytes of ``descriptor.xml``: one signer, its certificate inside, signed attributes
contentType, signingTime and messageDigest. VIBs of acceptance level *accepted* and *partner*
may carry two of them, one after the other, by certificates of two issuers. An empty file
means unsigned. See docs/formats.md, "The signature of a VIB".

A signature that *covers* a descriptor only proves that whoever holds the key of the enclosed
certificate signed those bytes. Whether that certificate leads to one that the caller trusts is
asked apart, with ``anchors``: by the issuers' signatures, from certificate to certificate. Never
judged: whether a certificate has expired or been revoked, and whether its holder may sign at that level.

Only this module and ``containers.certificates`` know ``cryptography`` and ``asn1crypto``. Both come
with the optional extra ``signatures`` and are imported when a function is called.

Source: RFC 5652; sizes and forms were measured on public VIBs.
"""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
from typing import TYPE_CHECKING, Any, final

import attrs

from esximage_builder.containers.certificates import (
    broken_certificate,
    certificate_fault,
    distrust,
    load_anchors,
    needs_extra,
)
from esximage_builder.errors import DepotError, LimitExceededError, MalformedDocumentError, ModelError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
    from cryptography.x509 import Certificate

__all__ = [
    "SignatureFacts",
    "check_each_signature",
    "check_signature",
    "check_signatures",
    "describe_signature",
    "describe_signatures",
    "require_anchors",
    "sign_detached",
]

_BEGIN = b"-----BEGIN PKCS7-----"
_END = b"-----END PKCS7-----"
_LINE_CHARACTERS = 64
_LARGEST_BYTES = 1024 * 1024
_LARGEST_COUNT = 16
_FIRST_UTC_TIME_YEAR, _LAST_UTC_TIME_YEAR = 1950, 2049
_DIGESTS = {"sha256": "sha-256", "sha384": "sha-384", "sha512": "sha-512"}

# What asn1crypto lets out when DER is not what its schema says; it parses as fields are asked for.
_BROKEN_DER = (ValueError, TypeError, LookupError, AttributeError, ArithmeticError, RecursionError)


@final
@attrs.frozen(kw_only=True)
class SignatureFacts:
    """What one signature says of itself, and whether it covers given bytes.

    Attributes:
        signer: Common name of the certificate's subject, the whole subject if it has none.
        issuer: The same of the certificate's issuer.
        signed_at: When, as the signer's own clock said, in UTC; None if not stated.
        digest_algorithm: ``sha-256``; the file's own word for others than SHA-2.
        valid_from: Begin of the certificate's validity, in UTC. A fact, not judged.
        valid_until: End of the certificate's validity, in UTC. A fact, not judged.
        covers_descriptor: True or False after a check; None if none was made, or if the
            signature uses something that cannot be checked here.
        problem: Why ``covers_descriptor`` is not True after a check; else empty.
        is_trusted: Whether it covers the bytes and its certificate leads to one of the anchors; None without any.
        distrust: Why ``is_trusted`` is False; else empty.
    """

    signer: str
    issuer: str
    signed_at: dt.datetime | None
    digest_algorithm: str
    valid_until: dt.datetime | None
    valid_from: dt.datetime | None = None
    covers_descriptor: bool | None = None
    problem: str = ""
    is_trusted: bool | None = None
    distrust: str = ""


def describe_signatures(pem: bytes, *, where: str) -> tuple[SignatureFacts, ...]:
    """Return what each signature of a ``sig.pkcs7`` says, in the order of the file.

    Args:
        pem: The whole member; not empty, since an empty one means that there is no signature.
        where: How to name it in errors.

    Returns:
        At least one; ``covers_descriptor`` is None.

    Raises:
        MalformedDocumentError: No PEM, no PKCS#7 SignedData with one signer and its certificate.
        LimitExceededError: Far larger than any signature.
        MissingExtraError: The optional libraries are not installed.
    """
    return tuple(signature.facts for signature in _parse_signatures(pem, where=where))


def describe_signature(pem: bytes, *, where: str) -> SignatureFacts:
    """Return what the first signature of a ``sig.pkcs7`` says; see ``describe_signatures``.

    Raises:
        MalformedDocumentError: As ``describe_signatures`` raises it.
        LimitExceededError: As ``describe_signatures`` raises it.
        MissingExtraError: As ``describe_signatures`` raises it.
    """
    return describe_signatures(pem, where=where)[0]


def check_signatures(
    pem: bytes, content: bytes, *, where: str, anchors: bytes | None = None
) -> tuple[SignatureFacts, ...]:
    """Check each signature of a ``sig.pkcs7`` against the bytes it should cover.

    A signature covers ``content`` if its messageDigest attribute is the digest of exactly
    these bytes and the RSA signature over its signed attributes verifies with the enclosed
    certificate. **Without anchors trust is not judged**: anybody can make a signature that passes.

    Args:
        pem: The whole member, not empty.
        content: ``descriptor.xml`` as it is in the VIB, byte for byte; the copies in a
            depot's metadata differ and never verify.
        where: How to name the signature in errors.
        anchors: Certificates that are trusted, in PEM; None asks for no trust.

    Returns:
        One for each signature, in the order of the file, with ``covers_descriptor`` and
        ``problem`` filled in, and with anchors ``is_trusted`` and ``distrust``.

    Raises:
        ModelError: The anchors are no certificates.
        MalformedDocumentError: As ``describe_signatures`` raises it.
        LimitExceededError: As ``describe_signatures`` raises it.
        MissingExtraError: As ``describe_signatures`` raises it.
    """
    trusted = None if anchors is None else load_anchors(anchors)
    return tuple(_check(signature, content, trusted) for signature in _parse_signatures(pem, where=where))


def check_each_signature(
    pem: bytes, content: bytes, *, where: str, anchors: bytes | None = None
) -> tuple[SignatureFacts | DepotError, ...]:
    """Check each signature as ``check_signatures`` does; one that cannot be read hides none of the others.

    Returns:
        One for each signature, in the order of the file: what it says, or why it cannot be read.

    Raises:
        ModelError: As ``check_signatures`` raises it.
        MalformedDocumentError: The file is no PEM text.
        LimitExceededError: As ``describe_signatures`` raises it.
        MissingExtraError: As ``describe_signatures`` raises it.
    """
    trusted = None if anchors is None else load_anchors(anchors)
    found: list[SignatureFacts | DepotError] = []
    for number, block in enumerate(_pem_blocks(pem, where=where), start=1):
        try:
            found.append(_check(_parse_numbered(block, number, where=where), content, trusted))
        except DepotError as error:
            found.append(error)
    return tuple(found)


def require_anchors(anchors: bytes | None) -> None:
    """Refuse anchors that are no certificates; None, which asks for no trust, is none to refuse.

    Raises:
        ModelError: They are not.
        MissingExtraError: The optional libraries are not installed.
    """
    if anchors is not None:
        load_anchors(anchors)


def check_signature(pem: bytes, content: bytes, *, where: str) -> SignatureFacts:
    """Check a ``sig.pkcs7`` as a whole; see ``check_signatures`` for what that means and does not.

    Returns:
        The first signature that does not cover ``content``, else the first of all: so
        ``covers_descriptor`` is True only if every signature covers it.

    Raises:
        MalformedDocumentError: As ``describe_signatures`` raises it.
        LimitExceededError: As ``describe_signatures`` raises it.
        MissingExtraError: As ``describe_signatures`` raises it.
    """
    checked = check_signatures(pem, content, where=where)
    return min(checked, key=lambda facts: (facts.covers_descriptor is True, facts.covers_descriptor is None))


# Reading


@final
@attrs.frozen(kw_only=True)
class _Signature:
    """One SignedData, reduced to bytes and words, so that no lazy parsing is left."""

    facts: SignatureFacts
    content_type: str
    message_digest: bytes | None
    hash_name: str
    signature_algorithm: str
    signature: bytes
    signed_attributes: bytes | None
    public_key: bytes
    certificate: bytes
    enclosed: tuple[bytes, ...]


def _parse_signatures(pem: bytes, *, where: str) -> list[_Signature]:
    return [
        _parse_numbered(block, number, where=where)
        for number, block in enumerate(_pem_blocks(pem, where=where), start=1)
    ]


def _parse_numbered(block: bytes, number: int, *, where: str) -> _Signature:
    try:
        return _parse_signed_data(_der_of(block))
    except _BROKEN_DER as error:
        raise MalformedDocumentError(
            f"signature {number} is no PKCS#7 SignedData as VIBs carry it",
            where=where,
            found=str(error),
            expected="one signer, with its certificate enclosed",
            hint="the file was damaged or changed: download the VIB again",
        ) from error


def _pem_blocks(pem: bytes, *, where: str) -> list[bytes]:
    """Return what stands in each PEM block; between and around them only line ends may stand."""
    if len(pem) > _LARGEST_BYTES:
        raise LimitExceededError(
            "the signature is larger than any signature",
            where=where,
            found=f"{len(pem)} bytes",
            expected=f"at most {_LARGEST_BYTES} bytes",
            hint="check that the file is sig.pkcs7 of a VIB",
        )
    blocks: list[bytes] = []
    rest = pem.replace(b"\r\n", b"\n").strip(b"\n")
    while rest.startswith(_BEGIN) and _END in rest and len(blocks) < _LARGEST_COUNT:
        body, _, rest = rest.removeprefix(_BEGIN).partition(_END)
        rest = rest.strip(b"\n")
        blocks.append(body)
    if rest or not blocks:
        raise _no_pem(rest, where=where)
    return blocks


def _der_of(block: bytes) -> bytes:
    """Return what base64 lines stand for; the same bytes have one spelling, so that no change goes unseen."""
    lines = block.strip(b"\n").split(b"\n")
    text = b"".join(lines)
    if len({len(line) for line in lines[:-1]}) > 1:
        raise ValueError("base64 in lines of different lengths")
    der = base64.b64decode(text, validate=True)
    if base64.b64encode(der) != text:
        raise ValueError("base64 that nobody writes")
    return der


def _no_pem(found: bytes, *, where: str) -> MalformedDocumentError:
    return MalformedDocumentError(
        "the signature is no PEM text",
        where=where,
        found=repr(found[:40]) if found else "nothing",
        expected=f"{_BEGIN.decode()}, base64, {_END.decode()}",
        hint="an empty sig.pkcs7 means that the VIB is not signed; DER must be converted to PEM",
    )


def _parse_signed_data(der: bytes) -> _Signature:
    """Take a ContentInfo apart; lets any of ``_BROKEN_DER`` out."""
    with needs_extra():
        from asn1crypto import cms  # noqa: PLC0415 - an optional extra
    info = cms.ContentInfo.load(der, strict=True)
    if info["content_type"].native != "signed_data":
        raise ValueError(f"content type {info['content_type'].native!r}")
    signed_data = info["content"]
    if len(signed_data["signer_infos"]) != 1:
        raise ValueError(f"{len(signed_data['signer_infos'])} signers")
    signer = signed_data["signer_infos"][0]
    certificate = _signer_certificate(signed_data, signer)
    _require_form(signed_data, signer)
    signed = signer["signed_attrs"]
    # An absent optional field is a Void, whose native value is None.
    has_attributes = signed.native is not None
    values = _attribute_values(signed) if has_attributes else {}
    digest = values.get("message_digest")
    return _Signature(
        facts=_stated_facts(signer, certificate, values.get("signing_time")),
        content_type=str(values.get("content_type", "none stated")) if has_attributes else "data",
        message_digest=digest if isinstance(digest, bytes) else None,
        hash_name=str(signer["digest_algorithm"]["algorithm"].native),
        signature_algorithm=signer["signature_algorithm"].signature_algo,
        signature=signer["signature"].native,
        signed_attributes=_as_set(signed) if has_attributes else None,
        public_key=certificate.public_key.dump(),
        certificate=certificate.dump(),
        enclosed=tuple(item.chosen.dump() for item in signed_data["certificates"] if item.name == "certificate"),
    )


def _stated_facts(signer: Any, certificate: Any, signed_at: object) -> SignatureFacts:  # noqa: ANN401 - asn1crypto has no types
    validity = certificate["tbs_certificate"]["validity"]
    hash_name = str(signer["digest_algorithm"]["algorithm"].native)
    return SignatureFacts(
        signer=_short_name(certificate.subject),
        issuer=_short_name(certificate.issuer),
        signed_at=_utc(signed_at),
        digest_algorithm=_DIGESTS.get(hash_name, hash_name),
        valid_from=_utc(validity["not_before"].native),
        valid_until=_utc(validity["not_after"].native),
    )


def _require_form(signed_data: Any, signer: Any) -> None:  # noqa: ANN401 - asn1crypto has no types
    """Refuse what no signature covers and that is not as it must be: versions, algorithms, what is enclosed."""
    version = "v1" if signer["sid"].name == "issuer_and_serial_number" else "v3"
    algorithms = [signer["digest_algorithm"], signer["signature_algorithm"], *signed_data["digest_algorithms"]]
    kinds = {choice.name for choice in signed_data["certificates"]}
    content = signed_data["encap_content_info"]
    stated = {item["algorithm"].native for item in signed_data["digest_algorithms"]}
    if (signed_data["version"].native, signer["version"].native) != (version, version):
        raise ValueError("versions that do not go with its parts")
    if stated != {signer["digest_algorithm"]["algorithm"].native}:
        raise ValueError("digest algorithms that are not the signer's")
    if signer["signature_algorithm"].signature_algo == "rsassa_pkcs1v15" and any(map(_has_parameters, algorithms)):
        raise ValueError("parameters of algorithms that have none")
    if content["content_type"].native != "data" or content["content"].native is not None:
        raise ValueError("content of its own")
    if kinds != {"certificate"} or signed_data["crls"].native is not None:
        raise ValueError("more than certificates enclosed")


def _has_parameters(algorithm: Any) -> bool:  # noqa: ANN401 - asn1crypto has no types
    return algorithm["parameters"].dump() not in (b"", b"\x05\x00")


def _signer_certificate(signed_data: Any, signer: Any) -> Any:  # noqa: ANN401 - asn1crypto has no types
    choice = signer["sid"]
    if signed_data["certificates"].native is None:
        raise ValueError("no certificate")
    for candidate in signed_data["certificates"]:
        if candidate.name != "certificate":
            continue
        certificate = candidate.chosen
        if choice.name == "subject_key_identifier":
            if certificate.key_identifier == choice.chosen.native:
                return certificate
        elif (certificate.issuer.dump(), certificate.serial_number) == (
            choice.chosen["issuer"].dump(),
            choice.chosen["serial_number"].native,
        ):
            return certificate
    raise ValueError("the certificate of the signer is not enclosed")


def _attribute_values(signed: Any) -> dict[str, object]:  # noqa: ANN401 - asn1crypto has no types
    """Return the signed attributes by name, each with its one value."""
    values: dict[str, object] = {}
    for attribute in signed:
        name = attribute["type"].native
        if name in values or len(attribute["values"]) != 1:
            raise ValueError(f"signed attribute {name!r} has not exactly one value")
        values[name] = attribute["values"][0].native
    return values


def _as_set(signed: Any) -> bytes:  # noqa: ANN401 - asn1crypto has no types
    """Return the signed attributes as they were signed: tagged as a SET, in the order of the file."""
    length = len(signed.contents)
    if length < 0x80:  # noqa: PLR2004 - DER: short form of a length
        return bytes([0x31, length]) + bytes(signed.contents)
    digits = length.to_bytes((length.bit_length() + 7) // 8, "big")
    return bytes([0x31, 0x80 | len(digits)]) + digits + bytes(signed.contents)


def _short_name(name: Any) -> str:  # noqa: ANN401 - asn1crypto has no types
    common_name = name.native.get("common_name")
    if isinstance(common_name, list):
        common_name = common_name[-1]
    return str(common_name or name.human_friendly)


def _utc(value: object) -> dt.datetime | None:
    """Return an aware date in UTC; asn1crypto has a class of its own for the year 0, which counts as none."""
    if not isinstance(value, dt.datetime) or value.tzinfo is None:
        return None
    return value.astimezone(dt.UTC)


# Checking


def _check(signature: _Signature, content: bytes, anchors: tuple[Certificate, ...] | None) -> SignatureFacts:
    verdict, problem = _verdict(signature, content)
    facts = attrs.evolve(signature.facts, covers_descriptor=verdict, problem=problem)
    if anchors is None:
        return facts
    reason = distrust(signature.certificate, signature.enclosed, anchors) if verdict is True else problem
    if verdict is True and reason:
        reason = f"{reason}; it was issued by {facts.issuer!r}"
    return attrs.evolve(facts, is_trusted=not reason, distrust=reason)


def _verdict(signature: _Signature, content: bytes) -> tuple[bool | None, str]:
    """Return whether the signature covers ``content``, and if not why."""
    if signature.hash_name not in _DIGESTS:
        return None, f"digests of kind {signature.hash_name} are not checked here"
    if signature.signature_algorithm != "rsassa_pkcs1v15":
        return None, f"signatures of kind {signature.signature_algorithm} are not checked here"
    if signature.signed_attributes is None:
        signed = content
    else:
        if signature.content_type != "data":
            return False, f"it covers content of type {signature.content_type}, not data"
        if signature.message_digest != hashlib.new(signature.hash_name, content).digest():
            return False, "its message digest is that of other bytes: the descriptor was changed after signing"
        signed = signature.signed_attributes
    verdict, problem = _verify_rsa(signature, signed)
    fault = certificate_fault(signature.enclosed) if verdict else ""
    return (False, fault) if fault else (verdict, problem)


def _verify_rsa(signature: _Signature, signed: bytes) -> tuple[bool | None, str]:
    with needs_extra():
        from cryptography import exceptions  # noqa: PLC0415 - an optional extra
        from cryptography.hazmat.primitives import hashes, serialization  # noqa: PLC0415
        from cryptography.hazmat.primitives.asymmetric import padding, rsa  # noqa: PLC0415
    algorithms = {"sha256": hashes.SHA256(), "sha384": hashes.SHA384(), "sha512": hashes.SHA512()}
    try:
        key = serialization.load_der_public_key(signature.public_key)
    except (ValueError, TypeError, exceptions.UnsupportedAlgorithm) as error:
        return None, f"the public key of the certificate cannot be used: {error}"
    if not isinstance(key, rsa.RSAPublicKey):
        return None, "the public key of the certificate is no RSA key"
    try:
        key.verify(signature.signature, signed, padding.PKCS1v15(), algorithms[signature.hash_name])
    except exceptions.InvalidSignature:
        return False, "the signature does not fit the key of the enclosed certificate"
    return True, ""


# Signing


def sign_detached(content: bytes, *, key_pem: bytes, certificate_pem: bytes, signed_at: dt.datetime) -> bytes:
    """Return a detached signature over ``content`` in the form that VIBs carry.

    SHA-256, RSA with PKCS#1 v1.5 padding, signed attributes contentType, signingTime and
    messageDigest, the certificate enclosed. The same input gives the same bytes.

    Args:
        content: What to sign: the bytes of ``descriptor.xml`` that will be in the VIB.
        key_pem: RSA private key in PEM, not encrypted.
        certificate_pem: The certificate of that key, in PEM; of several the first is taken.
        signed_at: Signing time to state, aware; parts of a second are dropped.

    Returns:
        PEM text with lines of 64 characters and a final line feed.

    Raises:
        ModelError: A key or certificate that cannot be read, that is not RSA or do not belong
            together; a date without time zone or before 1950.
        MissingExtraError: The optional libraries are not installed.
    """
    moment = _signing_moment(signed_at)
    key, certificate_der = _load_pair(key_pem, certificate_pem)
    try:
        der = _render_signed_data(content, key=key, certificate_der=certificate_der, moment=moment)
    except _BROKEN_DER as error:
        raise ModelError(
            "this key and certificate cannot sign a VIB",
            found=str(error),
            expected="an RSA key of at least 2048 bits and its certificate",
        ) from error
    return _as_pem(der)


def _render_signed_data(content: bytes, *, key: RSAPrivateKey, certificate_der: bytes, moment: dt.datetime) -> bytes:
    with needs_extra():
        from asn1crypto import cms, core, x509  # noqa: PLC0415 - an optional extra
        from cryptography.hazmat.primitives import hashes  # noqa: PLC0415
        from cryptography.hazmat.primitives.asymmetric import padding  # noqa: PLC0415
    certificate = x509.Certificate.load(certificate_der)
    time_form = "utc_time" if moment.year <= _LAST_UTC_TIME_YEAR else "generalized_time"
    attributes = cms.CMSAttributes(
        [
            cms.CMSAttribute({"type": "content_type", "values": ["data"]}),
            cms.CMSAttribute({"type": "signing_time", "values": [cms.Time({time_form: moment})]}),
            cms.CMSAttribute({"type": "message_digest", "values": [hashlib.sha256(content).digest()]}),
        ]
    )
    # The same attributes go into the document under another tag; both times sorted as DER wants it.
    signature = key.sign(attributes.dump(), padding.PKCS1v15(), hashes.SHA256())
    sha256 = {"algorithm": "sha256", "parameters": core.Null()}
    by_issuer = {"issuer": certificate.issuer, "serial_number": certificate.serial_number}
    signer = {
        "version": "v1",
        "sid": cms.SignerIdentifier({"issuer_and_serial_number": by_issuer}),
        "digest_algorithm": sha256,
        "signed_attrs": attributes,
        "signature_algorithm": {"algorithm": "rsassa_pkcs1v15", "parameters": core.Null()},
        "signature": signature,
    }
    signed_data = {
        "version": "v1",
        "digest_algorithms": [sha256],
        "encap_content_info": {"content_type": "data"},
        "certificates": [certificate],
        "signer_infos": [signer],
    }
    info = cms.ContentInfo({"content_type": "signed_data", "content": cms.SignedData(signed_data)})
    return bytes(info.dump())


def _signing_moment(signed_at: dt.datetime) -> dt.datetime:
    try:
        moment = signed_at.astimezone(dt.UTC).replace(microsecond=0)
    except OverflowError:
        moment = None
    if signed_at.tzinfo is None or moment is None or moment.year < _FIRST_UTC_TIME_YEAR:
        raise ModelError(
            "this signing time cannot be stated",
            found=signed_at.isoformat(),
            expected=f"a date with time zone, from {_FIRST_UTC_TIME_YEAR} on",
            hint="pass an aware date, such as datetime(2024, 1, 31, tzinfo=UTC)",
        )
    return moment


def _load_pair(key_pem: bytes, certificate_pem: bytes) -> tuple[RSAPrivateKey, bytes]:
    """Return the key and the DER of its certificate, after a check that they belong together."""
    with needs_extra():
        from cryptography import x509  # noqa: PLC0415 - an optional extra
        from cryptography.hazmat.primitives import serialization  # noqa: PLC0415
        from cryptography.hazmat.primitives.asymmetric import rsa  # noqa: PLC0415
    try:
        key = serialization.load_pem_private_key(key_pem, password=None)
        certificate = x509.load_pem_x509_certificate(certificate_pem)
        certified = certificate.public_key()
    except broken_certificate() as error:
        raise ModelError(
            "the key or certificate to sign with cannot be read",
            found=str(error),
            expected="an RSA private key without password and its certificate, both in PEM",
        ) from error
    if not isinstance(key, rsa.RSAPrivateKey) or not isinstance(certified, rsa.RSAPublicKey):
        raise ModelError("VIBs are signed with RSA", found=f"{type(key).__name__}", expected="an RSA key")
    if key.public_key().public_numbers() != certified.public_numbers():
        raise ModelError(
            "the certificate is not that of the key",
            found="another public key in the certificate",
            expected="the certificate that was made for this private key",
        )
    return key, certificate.public_bytes(serialization.Encoding.DER)


def _as_pem(der: bytes) -> bytes:
    text = base64.b64encode(der)
    lines = [text[at : at + _LINE_CHARACTERS] for at in range(0, len(text), _LINE_CHARACTERS)]
    return b"\n".join([_BEGIN, *lines, _END, b""])
