"""Signatures of VIBs that others made: intact and trusted by nobody, or none at all."""

from __future__ import annotations

import base64
import random
from typing import TYPE_CHECKING

import pytest
from support.changed_depots import ar_members, render_vib

import esximage_builder as eib
from esximage_builder.containers.ar import AR_MAGIC

pytest.importorskip("cryptography", reason="the extra `signatures` is not installed")
asn1_cms = pytest.importorskip("asn1crypto.cms", reason="the extra `signatures` is not installed")

if TYPE_CHECKING:
    from pathlib import Path


def depots_with_vibs(realdata: Path) -> list[Path]:
    paths = [path for path in sorted(realdata.rglob("*")) if path.is_file()]
    return [
        path for path in paths if (".vib" in path.name and path.read_bytes()[:8] == AR_MAGIC) or path.suffix == ".zip"
    ]


def test_signed_ones_are_intact_and_untrusted_and_the_others_unsigned(realdata: Path) -> None:
    """Nobody's signature is called trusted without a certificate to trust."""
    signed = unsigned = 0
    for path in depots_with_vibs(realdata):
        try:
            depot = eib.open_depot(path)
        except eib.EsxImageError:
            continue  # other zips
        with depot:
            for item in depot.verify():
                signatures = item.facts.signatures
                assert signatures is not None
                assert all(found.status is eib.SignatureStatus.INTACT for found in signatures), path
                assert all(found.trust is eib.Trust.NOT_ASKED for found in signatures), path
                signed, unsigned = signed + bool(signatures), unsigned + (not signatures)
    assert signed > 0
    assert unsigned > 0


SMALLEST = "60ae4825-RKN-DRPY-FW-RULE_1.0-0.0.0003-offline_bundle-16370411.zip"
SEED = 20


def smallest_signed(realdata: Path) -> dict[str, bytes]:
    """Return the members of the smallest signed VIB, which has two signatures."""
    (path,) = realdata.rglob(SMALLEST)
    with eib.open_depot(path) as depot:
        (vib,) = depot.catalog.vibs
        with depot.open_vib(vib) as stream:
            return ar_members(stream.read())


def flipped(data: bytes, at: int, bit: int = 0) -> bytes:
    return data[:at] + bytes([data[at] ^ 1 << bit]) + data[at + 1 :]


def certificates_of(signature: bytes) -> list[bytes]:
    """Return what both signatures enclose, in DER."""
    blocks = [base64.b64decode(block.split(b"-----")[0]) for block in signature.split(b"BEGIN PKCS7-----")[1:]]
    return [item.dump() for der in blocks for item in asn1_cms.ContentInfo.load(der)["content"]["certificates"]]


def as_pem(ders: list[bytes]) -> bytes:
    text = "".join(
        f"-----BEGIN CERTIFICATE-----\n{base64.encodebytes(der).decode()}-----END CERTIFICATE-----\n" for der in ders
    )
    return text.encode()


def test_every_flip_in_a_real_descriptor_breaks_both_signatures(realdata: Path) -> None:
    """No byte of a descriptor is beyond its signatures."""
    members = smallest_signed(realdata)
    for at in range(len(members["descriptor.xml"])):
        found = eib.verify_detached(flipped(members["descriptor.xml"], at), members["sig.pkcs7"])
        assert [item.status for item in found] == [eib.SignatureStatus.BROKEN] * 2, at


def test_every_flip_in_a_real_signature_is_seen(realdata: Path) -> None:
    """With the signers' certificates given; without them only what a certificate says of its holder is unproven."""
    members = smallest_signed(realdata)
    descriptor, signature = members["descriptor.xml"], members["sig.pkcs7"]
    ders = certificates_of(signature)
    anchors = as_pem(ders)
    assert all(item.is_trusted for item in eib.verify_detached(descriptor, signature, anchors=anchors))

    chosen = random.Random(SEED)
    for at in range(len(signature)):
        found = eib.verify_detached(descriptor, flipped(signature, at, chosen.randrange(8)), anchors=anchors)
        assert not (len(found) == 2 and all(item.is_trusted for item in found)), at


def test_without_anchors_certificates_alone_are_unproven(realdata: Path) -> None:
    """Their issuers are not enclosed: about half of their bytes say what nobody can prove."""
    members = smallest_signed(realdata)
    signature = members["sig.pkcs7"]
    offsets = random.Random(SEED).sample(range(len(signature)), 1000)
    changed = (eib.verify_detached(members["descriptor.xml"], flipped(signature, at)) for at in offsets)
    unproven = sum(all(item.is_intact for item in found) for found in changed)
    in_certificates = sum(map(len, certificates_of(signature))) * 4 / 3 / len(signature)
    assert unproven / 1000 < in_certificates / 2


def test_flips_in_a_real_vib_fail_a_check_and_name_the_file(realdata: Path, tmp_path: Path) -> None:
    """Every byte of the descriptor, and a thousand of the payload, by the VIB's file alone."""
    members = smallest_signed(realdata)
    (payload,) = members.keys() - {"descriptor.xml", "sig.pkcs7"}
    chosen = random.Random(SEED)
    offsets = [("descriptor.xml", at) for at in range(len(members["descriptor.xml"]))]
    offsets += [(payload, chosen.randrange(len(members[payload]))) for _ in range(1000)]
    path = tmp_path / "flipped.vib"
    path.write_bytes(render_vib(members))
    assert eib.verify_vib(path).is_passed
    for name, at in offsets:
        path.write_bytes(render_vib({**members, name: flipped(members[name], at)}))
        verification = eib.verify_vib(path)
        errors = [item for item in verification.findings if item.severity is eib.Severity.ERROR]
        assert errors, (name, at)
        assert all(str(path) in item.where for item in errors), (name, at)
