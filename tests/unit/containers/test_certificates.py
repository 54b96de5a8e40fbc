"""Whether a signer's certificate was changed, and whether it leads to one that is trusted."""

from __future__ import annotations

import datetime as dt
import functools
import time
from typing import TYPE_CHECKING

import pytest

pytest.importorskip("cryptography", reason="the extra `signatures` is not installed")
pytest.importorskip("asn1crypto", reason="the extra `signatures` is not installed")

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from esximage_builder.containers.certificates import certificate_fault, distrust, load_anchors

if TYPE_CHECKING:
    from collections.abc import Sequence

CODE, MAIL, SERVER = (
    ExtendedKeyUsageOID.CODE_SIGNING,
    ExtendedKeyUsageOID.EMAIL_PROTECTION,
    ExtendedKeyUsageOID.SERVER_AUTH,
)
NO_USE = dict.fromkeys(
    (
        "digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement",
        "key_cert_sign", "crl_sign", "encipher_only", "decipher_only",
    ),
    False,
)  # fmt: skip
FOR_SERVER = x509.ExtendedKeyUsage([SERVER])
UNKNOWN = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\x05\x00")


@functools.cache
def key_of(name: str) -> rsa.RSAPrivateKey:
    del name
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def usage(**uses: bool) -> x509.KeyUsage:
    return x509.KeyUsage(**(NO_USE | uses))


def issued(
    name: str,
    issuer: str,
    *extensions: x509.ExtensionType,
    critical: bool = False,
    signed_by: str = "",
) -> bytes:
    """Return the certificate of a name's key; whoever signs it may be another than whom it names."""
    built = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
        .public_key(key_of(name).public_key())
        .serial_number(7)
        .not_valid_before(dt.datetime(2015, 1, 1, tzinfo=dt.UTC))
        .not_valid_after(dt.datetime(2016, 1, 1, tzinfo=dt.UTC))
    )
    for extension in extensions:
        built = built.add_extension(extension, critical=critical)
    made = built.sign(key_of(signed_by or issuer), hashes.SHA256())
    return made.public_bytes(serialization.Encoding.DER)


def authority(name: str, issuer: str = "", *, depth: int | None = None) -> bytes:
    return issued(name, issuer or name, x509.BasicConstraints(ca=True, path_length=depth))


def anchors(*ders: bytes) -> tuple[x509.Certificate, ...]:
    return tuple(map(x509.load_der_x509_certificate, ders))


ROOT = authority("Root")
LEAF = issued("Leaf", "Root")


# Whether one was changed


@pytest.mark.parametrize(
    "enclosed",
    [
        pytest.param([ROOT], id="its own issuer"),
        pytest.param([LEAF], id="issuer not at hand"),
        pytest.param([LEAF, ROOT], id="issuer enclosed"),
        pytest.param([ROOT, authority("Other")], id="others enclosed"),
    ],
)
def test_a_certificate_as_it_was_issued_has_no_fault(enclosed: Sequence[bytes]) -> None:
    """A vendor's certificate must not be called changed because its issuer is not enclosed."""
    assert certificate_fault(enclosed) == ""


@pytest.mark.parametrize("enclosed", [[ROOT], [LEAF, ROOT], [ROOT, LEAF]], ids=["self", "chain", "turned"])
def test_no_change_of_a_certificate_that_can_be_proven_goes_unseen(enclosed: list[bytes]) -> None:
    """Its dates and its signature are covered by nothing but the issuer's signature."""
    first, *others = enclosed
    for at in (first.index(b"150101000000Z"), first.index(b"160101000000Z") + 1, len(first) - 5):
        changed = first[:at] + bytes([first[at] ^ 1]) + first[at + 1 :]
        assert certificate_fault([changed, *others])


def test_bytes_that_are_no_certificate_are_a_fault() -> None:
    """Nothing foreign is raised for them."""
    assert "cannot be read" in certificate_fault([b"\x30\x03abc"])
    assert "cannot be read" in distrust(b"\x30\x03abc", [], anchors(ROOT))


def test_unusual_names_are_no_reason_to_warn() -> None:
    """The library warns of a country with more than two letters; the tests make warnings errors."""
    changed = LEAF.replace(b"Leaf", b"Lea\xc3")
    assert isinstance(certificate_fault([changed, ROOT]), str)


# Whether it leads to one that is trusted


@pytest.mark.parametrize(
    ("signer", "enclosed", "trusted"),
    [
        pytest.param(LEAF, [], [ROOT], id="issuer"),
        pytest.param(LEAF, [LEAF], [authority("Other"), ROOT], id="one of several"),
        pytest.param(LEAF, [], [LEAF], id="itself"),
        pytest.param(
            issued("Leaf", "Root", FOR_SERVER),
            [],
            [issued("Leaf", "Root", FOR_SERVER)],
            id="itself, whatever it is for",
        ),
        pytest.param(issued("Leaf", "Mid"), [authority("Mid", "Root")], [ROOT], id="below another"),
        pytest.param(issued("Leaf", "Mid"), [authority("Mid", "Root")], [authority("Root", depth=1)], id="deep enough"),
        pytest.param(LEAF, [], [authority("Root", depth=0)], id="depth of none between"),
        pytest.param(
            issued("Leaf", "Root", usage(digital_signature=True), x509.ExtendedKeyUsage([CODE])),
            [],
            [ROOT],
            id="for code",
        ),
        pytest.param(issued("Leaf", "Root", x509.ExtendedKeyUsage([SERVER, MAIL])), [], [ROOT], id="for mail too"),
        pytest.param(issued("Leaf", "Root", UNKNOWN), [], [ROOT], id="unknown, not demanded"),
        pytest.param(
            issued("Leaf", "Mid"),
            [authority("Mid", "Gone"), authority("Mid", "Root")],
            [ROOT],
            id="two ways up, one dead",
        ),
    ],
)
def test_what_leads_to_an_anchor_is_trusted(signer: bytes, enclosed: list[bytes], trusted: list[bytes]) -> None:
    """Whoever gives the right certificate must not be told that it is the wrong one."""
    assert distrust(signer, enclosed, anchors(*trusted)) == ""


@pytest.mark.parametrize(
    ("signer", "enclosed", "trusted"),
    [
        pytest.param(LEAF, [ROOT], [authority("Other")], id="another root"),
        pytest.param(LEAF, [], [], id="nobody"),
        pytest.param(issued("Leaf", "Root", signed_by="Thief"), [], [ROOT], id="a name alone"),
        pytest.param(issued("Leaf", "Signer"), [], [issued("Signer", "Root")], id="below a signer"),
        pytest.param(issued("Leaf", "Mid"), [issued("Mid", "Root")], [ROOT], id="below no authority"),
        pytest.param(
            issued("Leaf", "Root"),
            [],
            [issued("Root", "Root", x509.BasicConstraints(ca=True, path_length=None), usage(crl_sign=True))],
            id="authority that may not issue",
        ),
        pytest.param(issued("Leaf", "Mid"), [authority("Mid", "Root")], [authority("Root", depth=0)], id="too deep"),
        pytest.param(issued("Leaf", "Root", usage(key_encipherment=True)), [], [ROOT], id="not for signatures"),
        pytest.param(issued("Leaf", "Root", FOR_SERVER), [], [ROOT], id="for a server"),
        pytest.param(issued("Leaf", "Root", UNKNOWN, critical=True), [], [ROOT], id="unknown and demanded"),
        pytest.param(issued("Leaf", "Root"), [], [issued("Root", "Root")], id="anchor that is no authority"),
    ],
)
def test_what_leads_to_no_anchor_says_why(signer: bytes, enclosed: list[bytes], trusted: list[bytes]) -> None:
    """Whoever is let through here signs whatever a host installs."""
    assert distrust(signer, enclosed, anchors(*trusted))


def test_authorities_in_a_circle_cost_little() -> None:
    """Fifteen certificates of one name and key all issued each other; to go all ways would take days."""
    circle = [authority("Loop", depth=depth) for depth in range(20, 35)]
    begun = time.process_time()

    assert distrust(issued("Leaf", "Loop"), circle, anchors(ROOT))
    assert time.process_time() - begun < 5


def test_anchors_may_be_several_with_words_between() -> None:
    """Files of certificates have comments."""
    pem = [item.public_bytes(serialization.Encoding.PEM) for item in anchors(ROOT, LEAF)]
    assert load_anchors(b"# Root\n" + pem[0] + b"\n# Leaf\n" + pem[1]) == anchors(ROOT, LEAF)
