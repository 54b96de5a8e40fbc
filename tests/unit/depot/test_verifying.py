"""What signatures are worth, and all VIBs of a depot read to their ends."""

from __future__ import annotations

import contextlib
import datetime as dt
import io
import random
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID
from support.changed_depots import ar_members, edit_zip, render_vib
from support.document_builders import DepotBuilder, VibBuilder

import esximage_builder as eib
from esximage_builder.containers.cms import sign_detached
from esximage_builder.depot.verifying import verify_vibs

if TYPE_CHECKING:
    from collections.abc import Callable

FIXTURES = Path(__file__).parents[3] / "fixtures"
OURS = (FIXTURES / "keys" / "TEST-ONLY-certificate.pem").read_bytes()
KEY = (FIXTURES / "keys" / "TEST-ONLY-key.pem").read_bytes()
DRIVER = FIXTURES / "depots" / "Intel-i40en_2.8.4.0-1OEM.700.1.0.15843807.zip"
MOMENT = dt.datetime(2024, 5, 1, tzinfo=dt.UTC)
DATA = b"<vib/>"


def new_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def key_pem(key: rsa.RSAPrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def certificate(
    name: str,
    key: rsa.RSAPrivateKey,
    issuer: tuple[str, rsa.RSAPrivateKey] | None = None,
    *,
    is_ca: bool = False,
    until: dt.datetime = dt.datetime(2040, 1, 1, tzinfo=dt.UTC),
) -> bytes:
    issuer_name, issuer_key = issuer or (name, key)
    built = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer_name)]))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(dt.datetime(2015, 1, 1, tzinfo=dt.UTC))
        .not_valid_after(until)
        .add_extension(x509.BasicConstraints(ca=is_ca, path_length=None), critical=True)
        .sign(issuer_key, hashes.SHA256())
    )
    return built.public_bytes(serialization.Encoding.PEM)


def signed(certificate_pem: bytes = OURS, key: bytes = KEY, data: bytes = DATA) -> bytes:
    return sign_detached(data, key_pem=key, certificate_pem=certificate_pem, signed_at=MOMENT)


@pytest.fixture(scope="module")
def authority() -> tuple[bytes, bytes, bytes]:
    """Return the certificate of an authority, and key and certificate of somebody below it."""
    root, leaf = new_key(), new_key()
    return certificate("Root", root, is_ca=True), key_pem(leaf), certificate("Leaf", leaf, ("Root", root))


def test_what_is_intact_is_not_called_trusted_without_anchors() -> None:
    """Integrity is no trust: anybody can sign."""
    (found,) = eib.verify_detached(DATA, signed())
    assert (found.status, found.trust, found.problem) == (eib.SignatureStatus.INTACT, eib.Trust.NOT_ASKED, "")
    assert found.is_intact
    assert not found.is_trusted
    assert found.signer


def test_a_signature_by_a_given_certificate_is_trusted() -> None:
    """The signer's own certificate may be the anchor."""
    (found,) = eib.verify_detached(DATA, signed(), anchors=OURS)
    assert found.is_trusted


def test_a_chain_to_a_given_certificate_is_trusted(authority: tuple[bytes, bytes, bytes]) -> None:
    """The anchor may stand above the signer, in any place among others."""
    root, key, leaf = authority
    (found,) = eib.verify_detached(DATA, signed(leaf, key), anchors=OURS + root)
    assert (found.trust, found.signer, found.issuer) == (eib.Trust.TRUSTED, "Leaf", "Root")


def test_a_chain_to_nobody_given_is_untrusted_and_stays_intact(authority: tuple[bytes, bytes, bytes]) -> None:
    """Both answers are told apart."""
    _, key, leaf = authority
    (found,) = eib.verify_detached(DATA, signed(leaf, key), anchors=OURS)
    assert (found.status, found.trust) == (eib.SignatureStatus.INTACT, eib.Trust.UNTRUSTED)
    assert "Root" in found.problem


def test_a_name_alone_makes_nobody_trusted(authority: tuple[bytes, bytes, bytes]) -> None:
    """Another authority of the same name did not issue it."""
    _, key, leaf = authority
    namesake = certificate("Root", new_key(), is_ca=True)
    assert not eib.verify_detached(DATA, signed(leaf, key), anchors=namesake)[0].is_trusted


def test_a_certificate_that_is_no_authority_issues_nothing() -> None:
    """A trusted signer cannot make others trusted."""
    signer, other = new_key(), new_key()
    anchor, below = certificate("Signer", signer), certificate("Other", other, ("Signer", signer))
    assert not eib.verify_detached(DATA, signed(below, key_pem(other)), anchors=anchor)[0].is_trusted


def test_a_broken_signature_is_not_trusted_whoever_signed() -> None:
    """Trust needs integrity."""
    (found,) = eib.verify_detached(DATA + b" ", signed(), anchors=OURS)
    assert (found.status, found.trust) == (eib.SignatureStatus.BROKEN, eib.Trust.UNTRUSTED)


@pytest.mark.parametrize("signature", [b"x\n", b"\x00", b"-----BEGIN PKCS7-----\nMIIA\n-----END PKCS7-----\n"])
def test_what_is_no_signature_is_unreadable(signature: bytes) -> None:
    """Anything in the file is not a signature."""
    (found,) = eib.verify_detached(DATA, signature, anchors=OURS)
    assert (found.status, found.trust) == (eib.SignatureStatus.UNREADABLE, eib.Trust.UNTRUSTED)
    assert found.problem


def test_nothing_but_blanks_is_unsigned() -> None:
    """An empty file means that there is no signature."""
    assert eib.verify_detached(DATA, b" \n") == ()


def test_each_of_two_signatures_is_told() -> None:
    """One that is right does not hide one that is wrong."""
    found = eib.verify_detached(DATA, signed() + signed(data=b"other"), anchors=OURS)
    assert [item.status for item in found] == [eib.SignatureStatus.INTACT, eib.SignatureStatus.BROKEN]
    assert [item.is_trusted for item in found] == [True, False]


def test_an_expired_certificate_is_a_date_and_no_fault() -> None:
    """Dates are facts of their own."""
    key, until = new_key(), dt.datetime(2018, 3, 4, tzinfo=dt.UTC)
    old = certificate("Old", key, until=until)
    (found,) = eib.verify_detached(DATA, signed(old, key_pem(key)), anchors=old)
    assert found.is_trusted
    assert (found.valid_until, found.is_expired(MOMENT)) == (until, True)


@pytest.mark.parametrize("anchors", [b"", b"none", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"])
def test_anchors_that_are_no_certificates_are_refused(anchors: bytes) -> None:
    """Nothing to trust is a mistake of the caller, not a verdict about the file."""
    for call in (
        lambda: eib.verify_detached(DATA, signed(), anchors=anchors),
        lambda: eib.verify_bundle(DRIVER, anchors=anchors),
    ):
        with pytest.raises(eib.ModelError, match="certificates"):
            call()


# Depots


def changed(tmp_path: Path, change: Callable[[dict[str, bytes]], None]) -> Path:
    def edit(name: str, data: bytes) -> bytes:
        if not name.endswith(".vib"):
            return data
        members = ar_members(data)
        change(members)
        return render_vib(members)

    return edit_zip(DRIVER, tmp_path / "changed.zip", edit)


def codes_of(path: Path, anchors: bytes | None = None) -> set[str]:
    with eib.open_depot(path) as depot:
        return {finding.code for item in depot.verify(anchors=anchors) for finding in item.findings}


@pytest.mark.parametrize(
    ("signature", "code"),
    [(b"x\n", "signature-unreadable"), (signed(), "signature-broken"), (b"", "signature-missing")],
    ids=["garbage", "of another VIB", "none"],
)
def test_a_vib_of_partner_level_up_needs_a_signature_of_its_own(tmp_path: Path, signature: bytes, code: str) -> None:
    """Garbage and another VIB's signature passed for signed in every question."""
    path = changed(tmp_path, lambda members: members.update({"sig.pkcs7": signature}))
    assert code in codes_of(path)
    bundle = eib.verify_bundle(path, kind="esxcli")
    assert {finding.code for check in bundle.checks if check.name == "signatures" for finding in check.findings} == {
        code
    }, bundle.findings
    with eib.open_depot(path) as depot:
        (finding,) = [f for item in depot.verify() for f in item.findings if f.code == code]
        assert finding.severity is eib.Severity.ERROR
        assert finding.fact("level") == "accepted"


def test_trust_is_asked_with_anchors_alone(authority: tuple[bytes, bytes, bytes]) -> None:
    """A sound depot is intact; whether it is trusted depends on who is asked for."""
    assert codes_of(DRIVER) == set()
    assert codes_of(DRIVER, OURS) == set()
    assert codes_of(DRIVER, authority[0]) == {"signature-untrusted"}
    assert eib.verify_bundle(DRIVER, kind="esxcli", anchors=OURS).is_passed
    assert not eib.verify_bundle(DRIVER, kind="esxcli", anchors=authority[0]).is_passed


def test_findings_are_the_same_for_any_number_of_workers() -> None:
    """Threads change the time and nothing else."""
    source = FIXTURES / "depots" / "ACME-ESXi-Addon-803.24022510.A02-depot.zip"
    with eib.open_depot(source) as depot:
        told: list[tuple[str, int, int]] = []
        results = [depot.verify(workers=workers, progress=lambda *step: told.append(step)) for workers in (1, 2, 5)]
        assert results[0] == results[1] == results[2]
        assert [item.vib for item in results[0]] == list(depot.catalog.vibs)
        assert told[-1][1] == told[-1][2] > 0


def test_a_long_vib_tells_how_far_it_is(tmp_path: Path) -> None:
    """Whoever waits for one large VIB sees that something happens, from the thread that called."""
    vib = VibBuilder(
        payload=b"p" * 3_000_000, payload_attributes={"type": "text"}, acceptance_level="community", signature=b""
    )
    path = tmp_path / "depot.zip"
    path.write_bytes(DepotBuilder().with_vibs(vib).zip())
    told: list[tuple[str, int, int, int]] = []
    with eib.open_depot(path) as depot:
        (item,) = verify_vibs(
            depot.catalog.vibs,
            SlowStore(depot),
            limits=eib.ReadLimits(),
            progress=lambda *step: told.append((*step, threading.get_ident())),
        )
    done = [step[1] for step in told]
    assert item.is_sound
    assert done == sorted(done)
    assert any(0 < count < done[-1] for count in done)
    assert done[-1] == told[-1][2] == len(vib.vib())
    assert {step[3] for step in told} == {threading.get_ident()}


@pytest.mark.parametrize("workers", [0, -1, 1000])
def test_a_senseless_number_of_workers_is_refused(workers: int) -> None:
    """Nobody can be none."""
    with eib.open_depot(DRIVER) as depot, pytest.raises(eib.ModelError):
        depot.verify(workers=workers)


def test_a_closed_depot_says_so_for_each_vib() -> None:
    """No VIB passes that nobody could read."""
    with eib.open_depot(DRIVER) as depot:
        pass
    results = depot.verify()
    assert results
    assert not any(item.is_sound for item in results)


# Flips


class _Bytes:
    """A store of one VIB whose bytes can be changed."""

    def __init__(self, data: bytes) -> None:
        self.data = data

    def open_vib(self, vib: eib.Vib) -> io.BytesIO:
        del vib
        return io.BytesIO(self.data)


def flipped(data: bytes, at: int) -> bytes:
    return data[:at] + bytes([data[at] ^ 0x01]) + data[at + 1 :]


@pytest.fixture(scope="module")
def driver() -> tuple[eib.Vib, bytes, eib.VibHead]:
    with eib.open_depot(DRIVER) as depot:
        (vib,) = depot.catalog.vibs
        with contextlib.closing(depot.open_vib(vib)) as stream:
            return vib, stream.read(), depot.read_vib_head(vib)


class SlowStore:
    """Gives the bytes of an opened depot, bit by bit."""

    def __init__(self, depot: eib.Depot) -> None:
        self._depot = depot

    def __getattr__(self, name: str) -> Any:
        return getattr(self._depot, name)

    def open_vib(self, vib: eib.Vib) -> SlowStream:
        return SlowStream(self._depot.open_vib(vib).read())


class SlowStream(io.BytesIO):
    def read(self, size: int | None = -1, /) -> bytes:
        time.sleep(0.05)
        return super().read(size)


def codes_with(vib: eib.Vib, data: bytes) -> set[str]:
    store = eib.measured(_Bytes(data))
    (result,) = verify_vibs([vib], store, limits=eib.ReadLimits(), anchors=OURS, workers=1)
    assert all(vib.id in finding.message + str(finding.items) for finding in result.findings)
    return {finding.code for finding in result.findings if finding.severity is eib.Severity.ERROR}


def test_every_flip_in_a_descriptor_breaks_its_signature(driver: tuple[eib.Vib, bytes, eib.VibHead]) -> None:
    """No byte of a descriptor is beyond its signature."""
    _, _, head = driver
    for at in range(len(head.descriptor)):
        (found,) = eib.verify_detached(flipped(head.descriptor, at), head.signature, anchors=OURS)
        assert (found.status, found.trust) == (eib.SignatureStatus.BROKEN, eib.Trust.UNTRUSTED), at


def test_every_flip_in_descriptor_and_signature_of_a_vib_is_named(
    driver: tuple[eib.Vib, bytes, eib.VibHead],
) -> None:
    """Whoever flips one is told of, with the VIB's name."""
    vib, data, head = driver
    for part in (head.descriptor, head.signature):
        start = data.index(part)
        for at in range(start, start + len(part)):
            assert codes_with(vib, flipped(data, at)), at


def test_a_thousand_flips_in_payloads_are_named(driver: tuple[eib.Vib, bytes, eib.VibHead]) -> None:
    """A payload that differs by a bit is told of, and which VIB it belongs to."""
    vib, data, head = driver
    start = data.index(head.signature) + len(head.signature)
    chosen = random.Random(16)
    for at in (chosen.randrange(start, len(data)) for _ in range(1000)):
        assert codes_with(vib, flipped(data, at)), at
