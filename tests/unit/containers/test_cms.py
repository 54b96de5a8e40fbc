"""Signatures: ours are what openssl accepts, real ones are understood, trust is not judged."""

from __future__ import annotations

import base64
import contextlib
import io
import os
import shutil
import subprocess
import sys
import warnings
import zipfile
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest
from hypothesis import given, settings, strategies as st

from esximage_builder.containers import cms as cms_format
from esximage_builder.containers.ar import ArStream
from esximage_builder.containers.cms import (
    check_each_signature,
    check_signature,
    check_signatures,
    describe_signature,
    describe_signatures,
    sign_detached,
)
from esximage_builder.errors import (
    EsxImageError,
    LimitExceededError,
    MalformedDocumentError,
    MissingExtraError,
    ModelError,
)
from esximage_builder.limits import ReadLimits

if TYPE_CHECKING:
    from collections.abc import Callable

cryptography = pytest.importorskip("cryptography", reason="the extra `signatures` is not installed")
asn1_x509 = pytest.importorskip("asn1crypto.x509", reason="the extra `signatures` is not installed")
asn1_cms = pytest.importorskip("asn1crypto.cms", reason="the extra `signatures` is not installed")

from cryptography import x509  # noqa: E402 - only where the extra is installed
from cryptography.hazmat.primitives import hashes, serialization  # noqa: E402
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa  # noqa: E402
from cryptography.x509.oid import NameOID  # noqa: E402

WHERE = "x.vib!sig.pkcs7"
CONTENT = b'<vib version="5.0"><name>net-acme</name></vib>'
MOMENT = datetime(2024, 2, 29, 12, 30, 59, tzinfo=UTC)
VALID_UNTIL = datetime(2034, 1, 1, tzinfo=UTC)


class Pair(NamedTuple):
    key_pem: bytes
    certificate_pem: bytes


def make_pair(
    subject: str | None = "ACME VIB Signing",
    *,
    key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | None = None,
    serial: int = 7,
    organization: str | None = "ACME",
) -> Pair:
    key = key or rsa.generate_private_key(public_exponent=65537, key_size=2048)
    names = [] if organization is None else [x509.NameAttribute(NameOID.ORGANIZATION_NAME, organization)]
    if subject is not None:
        names.append(x509.NameAttribute(NameOID.COMMON_NAME, subject))
    certificate = (
        x509.CertificateBuilder()
        .subject_name(x509.Name(names))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "ACME Root")]))
        .public_key(key.public_key())
        .serial_number(serial)
        .not_valid_before(datetime(2014, 1, 1, tzinfo=UTC))
        .not_valid_after(VALID_UNTIL)
        .sign(key, hashes.SHA256())
    )
    return Pair(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()),
        certificate.public_bytes(serialization.Encoding.PEM),
    )


PAIR = make_pair()
OTHER = make_pair("Somebody Else", serial=8)
KEY = serialization.load_pem_private_key(PAIR.key_pem, password=None)
EC_PAIR = make_pair(key=ec.generate_private_key(ec.SECP256R1()))


def sign(content: bytes = CONTENT, *, pair: Pair = PAIR, signed_at: datetime = MOMENT) -> bytes:
    return sign_detached(content, key_pem=pair.key_pem, certificate_pem=pair.certificate_pem, signed_at=signed_at)


SIGNATURE = sign()


def self_signed() -> tuple[bytes, Pair]:
    pair = make_pair("ACME Root", organization=None)
    return sign(pair=pair), pair


SELF_SIGNED = self_signed()


def as_der(pem: bytes) -> bytes:
    return base64.b64decode(b"".join(pem.split(b"-----")[2].split()))


def as_pem(der: bytes) -> bytes:
    return b"-----BEGIN PKCS7-----\n" + base64.encodebytes(der) + b"-----END PKCS7-----\n"


def parsed(pem: bytes = SIGNATURE):  # type: ignore[no-untyped-def]  # noqa: ANN201 - asn1crypto has no types
    return asn1_cms.ContentInfo.load(as_der(pem))


def openssl_accepts(signature: bytes, content: bytes, folder: Path) -> bool:
    if shutil.which("openssl") is None:
        pytest.skip("no openssl on the PATH")
    (folder / "sig.pkcs7").write_bytes(signature)
    (folder / "descriptor.xml").write_bytes(content)
    command = "openssl smime -verify -binary -inform PEM -in sig.pkcs7 -content descriptor.xml -noverify -out out"
    result = subprocess.run(command.split(), cwd=folder, capture_output=True, check=False)
    return result.returncode == 0 and (folder / "out").read_bytes() == content


def real_signed_vibs() -> dict[str, tuple[bytes, bytes]]:
    """Return signature and descriptor of each signed VIB in the public bundles."""
    root = os.environ.get("ESXIMAGE_REALDATA")
    if not root:
        pytest.skip("ESXIMAGE_REALDATA is not set: no real VIBs at hand")
    found = {}
    for path in sorted(Path(root, "bundles", "digitalrebar__provision-plugins").glob("*.zip")):
        with zipfile.ZipFile(path) as bundle:
            for name in bundle.namelist():
                if name.endswith(".vib"):
                    with bundle.open(name) as vib:
                        stream = ArStream(io.BytesIO(vib.read()), where=name, limits=ReadLimits())
                        members = {member.name: data.read() for member, data in stream}
                    found[name] = (members["sig.pkcs7"], members["descriptor.xml"])
    return found


# Signing


def test_a_signature_is_the_same_every_time_in_the_form_of_real_ones() -> None:
    lines = SIGNATURE.decode().split("\n")

    assert sign() == SIGNATURE
    assert lines[0] == "-----BEGIN PKCS7-----"
    assert lines[-2:] == ["-----END PKCS7-----", ""]
    assert {len(line) for line in lines[1:-3]} == {64}


def test_openssl_accepts_our_signature_and_refuses_it_for_other_bytes(tmp_path: Path) -> None:
    assert openssl_accepts(SIGNATURE, CONTENT, tmp_path)
    assert not openssl_accepts(SIGNATURE, CONTENT + b"\n", tmp_path)


def test_our_signature_says_who_when_and_what() -> None:
    facts = describe_signature(SIGNATURE, where=WHERE)

    assert facts.signer == "ACME VIB Signing"
    assert facts.issuer == "ACME Root"
    assert facts.signed_at == MOMENT
    assert facts.digest_algorithm == "sha-256"
    assert facts.valid_until == VALID_UNTIL
    assert facts.covers_descriptor is None
    assert facts.problem == ""


@pytest.mark.parametrize(
    ("moment", "stated"),
    [
        pytest.param(MOMENT.replace(microsecond=999_999), MOMENT, id="microseconds-are-dropped"),
        pytest.param(MOMENT.astimezone(timezone(timedelta(hours=5))), MOMENT, id="other-zone"),
        pytest.param(datetime(2049, 12, 31, tzinfo=UTC), datetime(2049, 12, 31, tzinfo=UTC), id="last-utc-time"),
        pytest.param(datetime(2050, 1, 1, tzinfo=UTC), datetime(2050, 1, 1, tzinfo=UTC), id="generalized-time"),
        pytest.param(datetime(1950, 1, 1, tzinfo=UTC), datetime(1950, 1, 1, tzinfo=UTC), id="first"),
    ],
)
def test_the_signing_time_is_the_one_given(moment: datetime, stated: datetime, tmp_path: Path) -> None:
    signature = sign(signed_at=moment)

    assert describe_signature(signature, where=WHERE).signed_at == stated
    assert openssl_accepts(signature, CONTENT, tmp_path)


@pytest.mark.parametrize(
    "moment",
    [
        pytest.param(datetime(2024, 1, 1), id="no-zone"),  # noqa: DTZ001 - that is the point
        pytest.param(datetime(1949, 12, 31, tzinfo=UTC), id="before-1950"),
        pytest.param(datetime(9999, 12, 31, 23, tzinfo=timezone(timedelta(hours=-5))), id="beyond-9999"),
    ],
)
def test_impossible_signing_times_are_refused(moment: datetime) -> None:
    with pytest.raises(ModelError, match="signing time"):
        sign(signed_at=moment)


def encrypted_key() -> bytes:
    return KEY.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.BestAvailableEncryption(b"pw")
    )


def other_version() -> bytes:
    """A certificate that says it is of X.509 version 10, found by fuzzing."""
    body = b"".join(PAIR.certificate_pem.splitlines()[1:-1])
    der = base64.b64decode(body).replace(b"\xa0\x03\x02\x01\x02", b"\xa0\x03\x02\x01\x09", 1)
    return b"-----BEGIN CERTIFICATE-----\n" + base64.encodebytes(der) + b"-----END CERTIFICATE-----\n"


@pytest.mark.parametrize(
    ("pair", "message"),
    [
        pytest.param(Pair(b"rubbish", PAIR.certificate_pem), "cannot be read", id="no-key"),
        pytest.param(Pair(PAIR.key_pem, other_version()), "cannot be read", id="a-version-that-no-certificate-has"),
        pytest.param(Pair(PAIR.key_pem, b"rubbish"), "cannot be read", id="no-certificate"),
        pytest.param(Pair(encrypted_key(), PAIR.certificate_pem), "cannot be read", id="encrypted-key"),
        pytest.param(Pair(PAIR.key_pem, OTHER.certificate_pem), "not that of the key", id="other-certificate"),
        pytest.param(EC_PAIR, "signed with RSA", id="elliptic-curve"),
    ],
)
def test_keys_that_cannot_sign_are_refused(pair: Pair, message: str) -> None:
    with pytest.raises(ModelError, match=message):
        sign(pair=pair)


# Checking


@given(st.binary(max_size=200))
@settings(max_examples=15, deadline=None)
def test_whatever_is_signed_is_covered_and_nothing_else(content: bytes) -> None:
    signature = sign(content)

    assert check_signature(signature, content, where=WHERE).covers_descriptor is True
    facts = check_signature(signature, content + b"\n", where=WHERE)
    assert facts.covers_descriptor is False
    assert "changed after signing" in facts.problem


def test_a_certificate_of_another_key_does_not_verify() -> None:
    info = parsed()
    other = asn1_cms.ContentInfo.load(as_der(sign(pair=make_pair(serial=7))))
    info["content"]["certificates"] = other["content"]["certificates"]

    facts = check_signature(as_pem(info.dump(force=True)), CONTENT, where=WHERE)

    assert facts.covers_descriptor is False
    assert "does not fit the key" in facts.problem


def test_changed_attributes_do_not_verify() -> None:
    der = as_der(SIGNATURE)

    facts = check_signature(as_pem(der.replace(b"240229123059Z", b"200229123059Z")), CONTENT, where=WHERE)

    assert (facts.covers_descriptor, facts.signed_at) == (False, MOMENT.replace(year=2020))
    assert "does not fit the key" in facts.problem


def test_other_content_types_are_not_a_descriptors() -> None:
    der = as_der(SIGNATURE)
    data, digested = bytes.fromhex("2a864886f70d010701"), bytes.fromhex("2a864886f70d010705")
    at = der.rindex(data)

    facts = check_signature(as_pem(der[:at] + digested + der[at + 9 :]), CONTENT, where=WHERE)

    assert facts.covers_descriptor is False
    assert "digested_data" in facts.problem


def test_a_signature_without_attributes_is_over_the_content_itself() -> None:
    info = parsed()
    signer = info["content"]["signer_infos"][0]
    del signer["signed_attrs"]
    assert isinstance(KEY, rsa.RSAPrivateKey)
    signer["signature"] = KEY.sign(CONTENT, padding.PKCS1v15(), hashes.SHA256())
    pem = as_pem(info.dump(force=True))

    facts = check_signature(pem, CONTENT, where=WHERE)

    assert (facts.covers_descriptor, facts.signed_at) == (True, None)
    assert check_signature(pem, CONTENT + b" ", where=WHERE).covers_descriptor is False


def test_what_cannot_be_checked_is_neither_true_nor_false() -> None:
    der = as_der(SIGNATURE)
    sha256, sha224 = bytes.fromhex("0609608648016503040201"), bytes.fromhex("0609608648016503040204")
    unknown_digest = check_signature(as_pem(der.replace(sha256, sha224)), CONTENT, where=WHERE)
    info = parsed()
    info["content"]["signer_infos"][0]["signature_algorithm"] = {"algorithm": "sha256_ecdsa"}
    other_algorithm = check_signature(as_pem(info.dump(force=True)), CONTENT, where=WHERE)
    info = parsed()
    certificate = asn1_x509.Certificate.load(
        x509.load_pem_x509_certificate(EC_PAIR.certificate_pem).public_bytes(serialization.Encoding.DER)
    )
    info["content"]["certificates"] = [asn1_cms.CertificateChoices({"certificate": certificate})]
    other_key = check_signature(as_pem(info.dump(force=True)), CONTENT, where=WHERE)

    assert [facts.covers_descriptor for facts in (unknown_digest, other_algorithm, other_key)] == [None] * 3
    assert "sha224 are not checked" in unknown_digest.problem
    assert unknown_digest.digest_algorithm == "sha224"
    assert "ecdsa are not checked" in other_algorithm.problem
    assert "no RSA key" in other_key.problem


def test_several_signatures_are_told_apart_and_the_worst_one_counts() -> None:
    good_then_bad = SIGNATURE + sign(b"something else", pair=OTHER)

    assert [facts.signer for facts in describe_signatures(good_then_bad, where=WHERE)] == [
        "ACME VIB Signing",
        "Somebody Else",
    ]
    assert [facts.covers_descriptor for facts in check_signatures(good_then_bad, CONTENT, where=WHERE)] == [True, False]
    assert check_signature(good_then_bad, CONTENT, where=WHERE).signer == "Somebody Else"
    assert check_signature(SIGNATURE + sign(pair=OTHER), CONTENT, where=WHERE).signer == "ACME VIB Signing"


@pytest.mark.parametrize("options", [[], ["-certfile", "other.pem"], ["-noattr"]], ids=["plain", "chain", "bare"])
def test_signatures_by_openssl_are_understood(options: list[str], tmp_path: Path) -> None:
    """openssl adds attributes of its own, which make the signed part longer than ours."""
    if shutil.which("openssl") is None:
        pytest.skip("no openssl on the PATH")
    for name, data in (("key.pem", PAIR.key_pem), ("cert.pem", PAIR.certificate_pem), ("content", CONTENT)):
        (tmp_path / name).write_bytes(data)
    (tmp_path / "other.pem").write_bytes(OTHER.certificate_pem)
    command = "openssl smime -sign -binary -md sha256 -outform PEM -signer cert.pem -inkey key.pem -in content"
    signed = subprocess.run([*command.split(), *options], cwd=tmp_path, capture_output=True, check=True).stdout

    facts = check_signature(signed, CONTENT, where=WHERE)

    assert (facts.signer, facts.covers_descriptor, facts.problem) == ("ACME VIB Signing", True, "")
    assert check_signature(signed, CONTENT + b" ", where=WHERE).covers_descriptor is False


def test_whatever_a_library_still_refuses_is_our_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> bytes:
        raise ValueError("digest too large for this key")

    monkeypatch.setattr(cms_format, "_render_signed_data", refuse)

    with pytest.raises(ModelError) as caught:
        sign()
    assert caught.value.found == "digest too large for this key"


# Reading


def test_of_several_common_names_the_last_is_given() -> None:
    info = parsed()
    values = [{"type": "common_name", "value": asn1_x509.DirectoryString("utf8_string", text)} for text in ("A", "B")]
    info["content"]["certificates"][0].chosen["tbs_certificate"]["subject"] = asn1_x509.Name(
        name="", value=asn1_x509.RDNSequence([[value] for value in values])
    )

    assert describe_signature(as_pem(info.dump(force=True)), where=WHERE).signer == "B"


def test_a_subject_without_common_name_is_given_in_full() -> None:
    facts = describe_signature(sign(pair=make_pair(None)), where=WHERE)

    assert facts.signer == "Organization: ACME"


def test_the_certificate_may_be_named_by_its_key() -> None:
    info = parsed()
    certificate = info["content"]["certificates"][0].chosen
    extension = {"extn_id": "key_identifier", "critical": False, "extn_value": b"twenty bytes of a key"}
    certificate["tbs_certificate"]["extensions"] = [extension]
    signer = info["content"]["signer_infos"][0]
    signer["sid"] = asn1_cms.SignerIdentifier(name="subject_key_identifier", value=b"twenty bytes of a key")
    signer["version"] = info["content"]["version"] = "v3"

    facts = check_signature(as_pem(info.dump(force=True)), CONTENT, where=WHERE)

    assert (facts.signer, facts.covers_descriptor) == ("ACME VIB Signing", True)


def test_converted_line_ends_and_blank_lines_do_no_harm() -> None:
    pem = b"\r\n" + SIGNATURE.replace(b"\n", b"\r\n") + b"\r\n\r\n" + SIGNATURE

    assert len(describe_signatures(pem, where=WHERE)) == 2


def without_certificates() -> bytes:
    info = parsed()
    del info["content"]["certificates"]
    return as_pem(info.dump(force=True))


def with_other_certificate() -> bytes:
    info = parsed()
    info["content"]["certificates"] = parsed(sign(pair=OTHER))["content"]["certificates"]
    return as_pem(info.dump(force=True))


def with_signers(count: int) -> bytes:
    info = parsed()
    signer = info["content"]["signer_infos"][0]
    info["content"]["signer_infos"] = [signer] * count
    return as_pem(info.dump(force=True))


def with_two_times() -> bytes:
    info = parsed()
    signer = info["content"]["signer_infos"][0]
    signer["signed_attrs"] = [*signer["signed_attrs"], signer["signed_attrs"][1]]
    return as_pem(info.dump(force=True))


@pytest.mark.parametrize(
    ("pem", "message", "found"),
    [
        pytest.param(b"", "no PEM text", "nothing", id="empty"),
        pytest.param(as_der(SIGNATURE), "no PEM text", "b'0\\x82", id="der"),
        pytest.param(SIGNATURE[:-30], "no PEM text", "b'-----BEGIN", id="cut"),
        pytest.param(SIGNATURE + b"x", "no PEM text", "b'x'", id="text-behind"),
        pytest.param(SIGNATURE * 17, "no PEM text", "b'-----BEGIN", id="far-too-many"),
        pytest.param(SIGNATURE.replace(b"M", b"*"), "signature 1", "base64", id="not-base64"),
        pytest.param(PAIR.certificate_pem, "no PEM text", "b'-----BEGIN CERT", id="certificate"),
        pytest.param(as_pem(b""), "signature 1 is no PKCS#7", "", id="no-der"),
        pytest.param(SIGNATURE + as_pem(b"\x30\x03abc"), "signature 2 is no PKCS#7", "", id="second-broken"),
        pytest.param(as_pem(as_der(SIGNATURE) + b"x"), "signature 1 is no PKCS#7", "", id="der-and-more"),
        pytest.param(as_pem(bytes.fromhex("300f06092a864886f70d010701a0020400")), "signature 1", "'data'", id="data"),
        pytest.param(without_certificates(), "signature 1", "no certificate", id="no-certificate"),
        pytest.param(with_other_certificate(), "signature 1", "not enclosed", id="other-certificate"),
        pytest.param(with_signers(0), "signature 1", "0 signers", id="no-signer"),
        pytest.param(with_signers(2), "signature 1", "2 signers", id="two-signers"),
        pytest.param(with_two_times(), "signature 1", "'signing_time'", id="two-signing-times"),
    ],
)
def test_what_is_no_signature_is_refused(pem: bytes, message: str, found: str) -> None:
    with pytest.raises(MalformedDocumentError) as caught:
        describe_signature(pem, where=WHERE)

    assert message in caught.value.message
    assert found in caught.value.found
    assert caught.value.where == WHERE


def test_a_file_larger_than_any_signature_is_not_parsed() -> None:
    with pytest.raises(LimitExceededError):
        describe_signature(SIGNATURE + b" " * 2_000_000, where=WHERE)


@pytest.mark.parametrize("bit", range(8))
def test_no_flipped_bit_in_a_signature_goes_unseen(bit: int) -> None:
    """What the signature of the signer does not cover is covered by form, or by the issuer of the certificate."""
    pem, pair = SELF_SIGNED
    for at in range(0, len(pem), 5):
        changed = pem[:at] + bytes([pem[at] ^ 1 << bit]) + pem[at + 1 :]
        with contextlib.suppress(EsxImageError):
            found = check_signatures(changed, CONTENT, where=WHERE, anchors=pair.certificate_pem)
            assert not all(facts.is_trusted for facts in found), at


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        pytest.param(lambda pem: pem.replace(b"\n", b" \n"), "PEM", id="blanks"),
        pytest.param(lambda pem: pem[:60] + b"\n" + pem[60:], "lines of different lengths", id="lines"),
        pytest.param(lambda pem: pem.replace(b"\n", b"\x0b", 3), "base64", id="other line ends"),
        pytest.param(lambda _: respelt(), "base64 that nobody writes", id="spare bits"),
    ],
)
def test_one_signature_has_one_spelling(change: Callable[[bytes], bytes], problem: str) -> None:
    """Bytes that no checksum covers must not be changed in silence."""
    with pytest.raises(MalformedDocumentError) as caught:
        check_signatures(change(SIGNATURE), CONTENT, where=WHERE)
    assert problem in caught.value.message + caught.value.found


def respelt() -> bytes:
    """Return a signature with a spare bit set behind its last byte."""
    signatures = (sign(pair=make_pair("A" * length)) for length in range(5, 8))
    pem = next(pem for pem in signatures if b"=" in pem)
    letters = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    at = pem.index(b"=") - 1
    return pem[:at] + bytes([letters[letters.index(pem[at]) + 1]]) + pem[at + 1 :]


def test_one_that_cannot_be_read_hides_none_of_the_others() -> None:
    """Of two signatures the first may be damaged."""
    damaged = SIGNATURE.replace(b"M", b"*")
    first, second, third = check_each_signature(SIGNATURE + damaged + SIGNATURE, CONTENT, where=WHERE)
    assert isinstance(second, MalformedDocumentError)
    assert "signature 2" in second.message
    assert [item.covers_descriptor for item in (first, third) if not isinstance(item, Exception)] == [True, True]


@settings(max_examples=400, deadline=None)
@given(st.data())
def test_mutated_signatures_raise_only_our_errors_and_never_cover_by_accident(data: st.DataObject) -> None:
    der = bytearray(as_der(SIGNATURE))
    for _ in range(data.draw(st.integers(1, 3))):
        der[data.draw(st.integers(0, len(der) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(EsxImageError):
        facts = check_signature(as_pem(bytes(der)), CONTENT, where=WHERE)
        assert isinstance(facts.signer, str)
        assert facts.signed_at is None or facts.signed_at.tzinfo is UTC
    with contextlib.suppress(EsxImageError):
        assert check_signature(as_pem(bytes(der)), b"other", where=WHERE).covers_descriptor is not True


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=80))
def test_arbitrary_bytes_raise_only_our_errors(data: bytes) -> None:
    for pem in (data, as_pem(data), as_pem(as_der(SIGNATURE)[: len(data) * 20])):
        with contextlib.suppress(EsxImageError):
            check_signatures(pem, CONTENT, where=WHERE)


@pytest.mark.parametrize("missing", ["asn1crypto", "cryptography"])
def test_without_the_extra_the_error_says_what_to_install(missing: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.split(".")[0] == missing]:
        monkeypatch.setitem(sys.modules, name, None)

    for call in (lambda: check_signature(SIGNATURE, CONTENT, where=WHERE), sign):
        with pytest.raises(MissingExtraError) as caught:
            call()
        assert caught.value.hint == "pip install esximage-builder[signatures]"


def test_the_module_loads_neither_library(tmp_path: Path) -> None:
    code = "import sys, esximage_builder.containers.cms; print({'asn1crypto', 'cryptography'} & set(sys.modules))"
    folder = Path(cms_format.__file__).parents[2]

    result = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(folder)},
        capture_output=True,
        text=True,
        check=True,
    )

    assert result.stdout.strip() == "set()"


# Real ones


def test_real_signatures_cover_their_descriptors() -> None:
    vibs = real_signed_vibs()

    assert len(vibs) == 2
    for name, (pem, descriptor) in vibs.items():
        checked = check_signatures(pem, descriptor, where=name)
        assert [(facts.covers_descriptor, facts.problem) for facts in checked] == [(True, "")] * 2, name
        assert check_signature(pem, descriptor, where=name).covers_descriptor is True
        assert check_signature(pem, descriptor.rstrip() + b" ", where=name).covers_descriptor is False


def test_real_signatures_say_who_signed_for_which_level() -> None:
    signers = {
        (facts.signer, facts.issuer)
        for pem, _ in real_signed_vibs().values()
        for facts in describe_signatures(pem, where=WHERE)
    }

    assert signers == {
        ("VMware Accepted VIB Signing", "VMware Root CA"),
        ("VMware Accepted VIB Signing", "VMware Certified VIB Signing"),
        ("VMware Partner Supported VIB Signing", "VMware Root CA"),
        ("VMware Partner Supported VIB Signing", "VMware Certified VIB Signing"),
    }


def test_openssl_agrees_about_each_real_signature(tmp_path: Path) -> None:
    for pem, descriptor in real_signed_vibs().values():
        for block in pem.split(b"-----END PKCS7-----")[:-1]:
            one = block.strip() + b"\n-----END PKCS7-----\n"
            assert openssl_accepts(one, descriptor, tmp_path)
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                assert check_signature(one, descriptor, where=WHERE).covers_descriptor is True
