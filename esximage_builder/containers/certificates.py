"""Certificates of those who sign VIBs: whether one was changed, and whether it leads to one that is trusted.

A certificate can be proven where its issuer's is at hand: it is its own issuer, or the issuer's is
enclosed. Most signers of partners are issued by an authority whose certificate no VIB encloses; then
only a certificate that the caller gives can prove it.

Trust is followed from certificate to certificate: by the issuer's name and signature, by whether it
may issue and how deep, and by whether the first may sign code. Dates and revocation are never judged.

``containers.cms`` and this module are the only ones that know ``cryptography`` and ``asn1crypto``.

Source: RFC 5280, sections 4.2.1.3, 4.2.1.9, 4.2.1.12 and 6.1; forms were seen in public VIBs.
"""

from __future__ import annotations

import contextlib
import functools
import threading
import warnings
from typing import TYPE_CHECKING

from esximage_builder.errors import MissingExtraError, ModelError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cryptography.x509 import Certificate, Extensions

__all__ = ["broken_certificate", "certificate_fault", "distrust", "load_anchors", "needs_extra"]

# What the two libraries let out of the language's own where DER is not what its form says.
_BROKEN_DER = (ValueError, TypeError, LookupError, AttributeError, ArithmeticError, RecursionError)
_MOST_ENCLOSED = 16
_LONGEST_CHAIN = 8
_LOCK = threading.Lock()  # filters of warnings are the whole process's
_WEAK_DIGESTS = frozenset({"md5", "sha1"})
_BASIC_CONSTRAINTS, _KEY_USAGE, _EXTENDED_KEY_USAGE = "2.5.29.19", "2.5.29.15", "2.5.29.37"
_UNDERSTOOD = frozenset({_BASIC_CONSTRAINTS, _KEY_USAGE, _EXTENDED_KEY_USAGE})
# For signing code, for signing mail (what CMS began with), for anything.
_SIGNING_USES = frozenset({"1.3.6.1.5.5.7.3.3", "1.3.6.1.5.5.7.3.4", "2.5.29.37.0"})


@contextlib.contextmanager
def needs_extra() -> Iterator[None]:
    """Turn the absence of an optional library into our error.

    Raises:
        MissingExtraError: It is not installed.
    """
    try:
        yield
    except ImportError as error:
        raise MissingExtraError(
            "signatures need libraries that are not installed",
            found=str(error),
            expected="cryptography and asn1crypto",
            hint="pip install esximage-builder[signatures]",
        ) from error


def load_anchors(pem: bytes) -> tuple[Certificate, ...]:
    """Return the certificates to trust.

    Args:
        pem: One or several, with anything between them.

    Raises:
        ModelError: There is none, or one cannot be read.
        MissingExtraError: One of the optional libraries is not installed.
    """
    with needs_extra():
        import asn1crypto  # noqa: F401, PLC0415 - an optional extra
        import cryptography  # noqa: F401, PLC0415
    return _load_pem(pem)


@contextlib.contextmanager
def _quietly() -> Iterator[None]:
    """Keep the library from warning of certificates that are old or odd: that would be of somebody else's file."""
    with _LOCK, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@functools.lru_cache(maxsize=4)
def _load_pem(pem: bytes) -> tuple[Certificate, ...]:
    with needs_extra():
        from cryptography import x509  # noqa: PLC0415 - an optional extra
    try:
        with _quietly():
            return tuple(x509.load_pem_x509_certificates(pem))
    except broken_certificate() as error:
        raise ModelError(
            "the certificates to trust cannot be read",
            found=str(error) or "no certificate",
            expected="one certificate or several, in PEM",
            hint="convert others with: openssl x509 -inform DER -in FILE -out FILE.pem",
        ) from error


def certificate_fault(enclosed: Sequence[bytes]) -> str:
    """Return what is wrong with certificates that can be proven; empty if nothing is, or nothing can be.

    Args:
        enclosed: All that a signature encloses, in DER.
    """
    try:
        known = [(certificate, *_names(der)) for certificate, der in zip(_load(enclosed), enclosed, strict=False)]
    except broken_certificate() as error:
        return f"a certificate in it cannot be read: {error}"
    for subject, _, issuer_name in known:
        issuers = [certificate for certificate, name, _ in known if name == issuer_name]
        if issuers and all(_is_signed_by(subject, issuer) is False for issuer in issuers):
            return "a certificate in it was changed after it was issued"
    return ""


def _names(der: bytes) -> tuple[bytes, bytes]:
    """Return subject and issuer as they stand there; the other library would warn of every unusual name."""
    with needs_extra():
        from asn1crypto import x509  # noqa: PLC0415 - an optional extra
    certificate = x509.Certificate.load(der)
    return certificate.subject.dump(), certificate.issuer.dump()


def _load(certificates: Sequence[bytes]) -> list[Certificate]:
    with needs_extra():
        from cryptography import x509  # noqa: PLC0415 - an optional extra
    with _quietly():
        return [x509.load_der_x509_certificate(der) for der in certificates[:_MOST_ENCLOSED]]


def broken_certificate() -> tuple[type[Exception], ...]:
    """Return what the library lets out where a certificate is not what its form says."""
    with needs_extra():
        from cryptography import exceptions, x509  # noqa: PLC0415 - an optional extra
    kinds = (x509.DuplicateExtension, x509.InvalidVersion, x509.UnsupportedGeneralNameType)
    return (*_BROKEN_DER, exceptions.UnsupportedAlgorithm, *kinds)


def _is_signed_by(subject: Certificate, issuer: Certificate) -> bool | None:
    """Tell whether a certificate's signature is of the issuer's key; None if that cannot be checked here."""
    with needs_extra():
        from cryptography import exceptions  # noqa: PLC0415 - an optional extra
    try:
        subject.verify_directly_issued_by(issuer)
    except (ValueError, exceptions.InvalidSignature):
        return False
    except (TypeError, exceptions.UnsupportedAlgorithm):
        return None
    return True


# Trust


def distrust(der: bytes, enclosed: Sequence[bytes], anchors: Sequence[Certificate]) -> str:
    """Return why a certificate leads to no anchor; empty if it does.

    Args:
        der: The signer's.
        enclosed: All that the signature encloses.
        anchors: Those that the caller trusts; the signer's own may be one of them.
    """
    try:
        signer, *others = _load([der, *enclosed])
        if signer in anchors:
            return ""
        reason = _why_no_signer(signer.extensions)
        if reason or _leads_to(signer, others, anchors):
            return reason
    except broken_certificate() as error:
        return f"a certificate in it cannot be read: {error}"
    return "its certificate leads to none of those that are trusted"


def _leads_to(signer: Certificate, enclosed: Sequence[Certificate], anchors: Sequence[Certificate]) -> bool:
    """Follow all ways up, the shortest first; each certificate is gone through once, whoever issued whom."""
    level, left = [signer], [item for item in dict.fromkeys(enclosed) if item != signer]
    for depth in range(_LONGEST_CHAIN):
        subjects = [item for item in level if not _has_unknown_demands(item.extensions)]
        if any(_has_issued(anchor, item, depth, is_anchor=True) for item in subjects for anchor in anchors):
            return True
        level = [up for up in left if any(_has_issued(up, item, depth, is_anchor=False) for item in subjects)]
        left = [item for item in left if item not in level]
    return False


def _has_issued(issuer: Certificate, subject: Certificate, depth: int, *, is_anchor: bool) -> bool:
    """Tell whether a certificate may issue others, so far below itself, and has issued this one."""
    digest = subject.signature_hash_algorithm
    is_weak = digest is not None and digest.name in _WEAK_DIGESTS
    return not is_weak and _may_issue(issuer, depth, is_anchor=is_anchor) and _is_signed_by(subject, issuer) is True


def _may_issue(issuer: Certificate, depth: int, *, is_anchor: bool) -> bool:
    """Tell whether its extensions let a certificate issue others; an anchor of the old kind has none."""
    with needs_extra():
        from cryptography import x509  # noqa: PLC0415 - an optional extra
    found = {item.oid.dotted_string: item.value for item in issuer.extensions}
    basic, usage = found.get(_BASIC_CONSTRAINTS), found.get(_KEY_USAGE)
    if not isinstance(basic, x509.BasicConstraints):
        return is_anchor and issuer.version is x509.Version.v1
    signs = not isinstance(usage, x509.KeyUsage) or usage.key_cert_sign
    return basic.ca and signs and (basic.path_length is None or depth <= basic.path_length)


def _has_unknown_demands(extensions: Extensions) -> bool:
    """Tell whether an extension must be understood that is not understood here."""
    return any(item.critical and item.oid.dotted_string not in _UNDERSTOOD for item in extensions)


def _why_no_signer(extensions: Extensions) -> str:
    """Return why a certificate must not sign a VIB; empty if it may."""
    with needs_extra():
        from cryptography import x509  # noqa: PLC0415 - an optional extra
    for item in extensions:
        value = item.value
        if isinstance(value, x509.KeyUsage) and not (value.digital_signature or value.content_commitment):
            return "its certificate is not for signatures"
        if isinstance(value, x509.ExtendedKeyUsage) and not _SIGNING_USES & {use.dotted_string for use in value}:
            return "its certificate is for other uses than signing code"
        if item.critical and item.oid.dotted_string not in _UNDERSTOOD:
            return f"its certificate demands what is not understood here: {item.oid.dotted_string}"
    return ""
