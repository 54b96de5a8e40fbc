"""Signatures of VIBs that others made: intact and trusted by nobody, or none at all."""

from __future__ import annotations

import base64
import contextlib
import random
from typing import TYPE_CHECKING

import pytest
from support.changed_depots import ar_members, render_vib
from support.effort import SHARE, share

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


SEED = 20


def signed_vibs(realdata: Path) -> list[dict[str, bytes]]:
    """Return the members of the smallest signed VIB, and of all others in a long run."""
    found = []
    for path in depots_with_vibs(realdata):
        with contextlib.suppress(eib.EsxImageError), eib.open_depot(path) as depot:  # other zips
            for vib in depot.catalog.vibs:
                with depot.open_vib(vib) as stream:
                    members = ar_members(stream.read())
                found += [members] if members.get("sig.pkcs7", b"").strip() else []
    assert found
    smallest_first = sorted(found, key=lambda members: sum(map(len, members.values())))
    return smallest_first[:1] if SHARE > 1 else smallest_first


def flipped(data: bytes, at: int, bit: int = 0) -> bytes:
    return data[:at] + bytes([data[at] ^ 1 << bit]) + data[at + 1 :]


def blocks_of(members: dict[str, bytes]) -> int:
    return members["sig.pkcs7"].count(b"-----BEGIN PKCS7-----")


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
    for members in signed_vibs(realdata):
        for at in range(len(members["descriptor.xml"])):
            found = eib.verify_detached(flipped(members["descriptor.xml"], at), members["sig.pkcs7"])
            assert [item.status for item in found] == [eib.SignatureStatus.BROKEN] * blocks_of(members), at


def test_every_flip_in_a_real_signature_is_seen(realdata: Path) -> None:
    """With the signers' certificates given; without them only what a certificate says of its holder is unproven."""
    chosen = random.Random(SEED)
    for members in signed_vibs(realdata):
        descriptor, signature = members["descriptor.xml"], members["sig.pkcs7"]
        anchors = as_pem(certificates_of(signature))
        assert all(item.is_trusted for item in eib.verify_detached(descriptor, signature, anchors=anchors))

        for at in range(0, len(signature), SHARE):
            found = eib.verify_detached(descriptor, flipped(signature, at, chosen.randrange(8)), anchors=anchors)
            assert not (len(found) == blocks_of(members) and all(item.is_trusted for item in found)), at


def test_without_anchors_certificates_alone_are_unproven(realdata: Path) -> None:
    """Their issuers are not enclosed: about half of their bytes say what nobody can prove."""
    members = signed_vibs(realdata)[0]
    signature = members["sig.pkcs7"]
    offsets = random.Random(SEED).sample(range(len(signature)), 1000)
    changed = (eib.verify_detached(members["descriptor.xml"], flipped(signature, at)) for at in offsets)
    unproven = sum(all(item.is_intact for item in found) for found in changed)
    in_certificates = sum(map(len, certificates_of(signature))) * 4 / 3 / len(signature)
    assert unproven / 1000 < in_certificates / 2


def test_flips_in_a_real_vib_fail_a_check_and_name_the_file(realdata: Path, tmp_path: Path) -> None:
    """Every byte of the descriptor, and a thousand of the payload, by the VIB's file alone."""
    members = signed_vibs(realdata)[0]
    (payload,) = members.keys() - {"descriptor.xml", "sig.pkcs7"}
    chosen = random.Random(SEED)
    offsets = [("descriptor.xml", at) for at in range(0, len(members["descriptor.xml"]), SHARE)]
    offsets += [(payload, chosen.randrange(len(members[payload]))) for _ in range(share(1000))]
    path = tmp_path / "flipped.vib"
    path.write_bytes(render_vib(members))
    assert eib.verify_vib(path).is_passed
    for name, at in offsets:
        path.write_bytes(render_vib({**members, name: flipped(members[name], at)}))
        verification = eib.verify_vib(path)
        errors = [item for item in verification.findings if item.severity is eib.Severity.ERROR]
        assert errors, (name, at)
        assert all(str(path) in item.where for item in errors), (name, at)
