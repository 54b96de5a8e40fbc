"""S30, mail from a mirror: one byte of a signature was changed, and everything around it packed soundly again."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from support.damaged_depots import SMALL_VERSION, certified_depot, damaged

import esximage_builder as eib
from esximage_builder.cli.app import main

pytest.importorskip("cryptography", reason="the extra `signatures` is not installed")

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

VIB = "odd-driver"
KEYS = Path(__file__).parents[2] / "fixtures" / "keys"
CODES = {"signature-broken", "signature-unreadable"}


@pytest.fixture(scope="module")
def mail(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("mirror")
    return damaged(certified_depot(folder, VIB), folder / "mail.zip", VIB, "signature flipped")


def said(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> tuple[int, dict[str, object]]:
    status = main([*map(str, arguments), "--json"])
    return status, json.loads(capsys.readouterr().out)


def other_certificate() -> bytes:
    """A certificate of somebody who signed nothing."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Somebody Else")])
    built = x509.CertificateBuilder(
        name, name, key.public_key(), 1, datetime(2020, 1, 1, tzinfo=UTC), datetime(2040, 1, 1, tzinfo=UTC)
    )
    return built.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def codes_in(value: object) -> set[str]:
    """Return every code of an error in what JSON says, wherever it stands."""
    if isinstance(value, dict):
        own = {value["code"]} if value.get("severity") == "error" else set()
        return own.union(*map(codes_in, value.values()))
    return set().union(*map(codes_in, value)) if isinstance(value, list) else set()


def test_who_looks_is_told(mail: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The zip, the metadata, its digests and the payloads are all sound."""
    _, listing = said(capsys, "inspect", mail)
    status, verification = said(capsys, "verify", mail, "--kind", "esxcli")

    assert codes_in(listing)
    assert codes_in(listing) <= CODES
    assert status == 1
    assert codes_in(verification) == codes_in(listing)
    main(["inspect", str(mail)])
    assert any(VIB in line and line.endswith(("broken", "unreadable")) for line in capsys.readouterr().out.splitlines())


@pytest.mark.parametrize(("option", "name"), [("--iso", "a.iso"), ("--bundle", "a.zip"), ("--pxe", "a")])
def test_nothing_is_written_unless_it_is_waived_by_name(
    mail: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], option: str, name: str
) -> None:
    """And what was waived stands in the report, with the level that the VIB claims."""
    build = ("build", "--depot", mail, "--base", SMALL_VERSION, option, tmp_path / name)
    status, report = said(capsys, *build)
    (code,) = codes_in(report)
    assert status == 1
    assert list(tmp_path.iterdir()) == []

    status, _ = said(capsys, *build, "--allow", code, "--report", tmp_path / "r.json")
    written = json.loads((tmp_path / "r.json").read_text())
    (waived,) = [finding for finding in written["findings"] if finding["code"] == code]
    assert status == 0
    assert (waived["waived"], waived["facts"]["level"]) == (True, "certified")
    assert (tmp_path / name).exists()


def test_a_signature_of_the_mirrors_own_is_seen_by_who_gives_certificates(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Anybody can sign anything: the depot is intact, and signed by nobody whom these certificates know."""
    depot = certified_depot(tmp_path, VIB)
    ours, theirs = KEYS / "TEST-ONLY-certificate.pem", tmp_path / "other.pem"
    theirs.write_bytes(other_certificate())
    build = ("build", "--depot", depot, "--base", SMALL_VERSION, "--bundle", tmp_path / "a.zip", "--trust")
    assert codes_in(said(capsys, "inspect", depot, "--trust", ours)[1]) == set()
    assert codes_in(said(capsys, "inspect", depot, "--trust", theirs)[1]) == {"signature-untrusted"}
    assert said(capsys, *build, theirs)[0] == 1
    assert not (tmp_path / "a.zip").exists()
    assert said(capsys, *build, theirs, "--allow", "signature-untrusted")[0] == 0
    (tmp_path / "a.zip").unlink()
    assert said(capsys, *build, ours)[0] == 0


def test_in_python_the_same_is_asked_of_validate(mail: Path) -> None:
    """Facts of signatures can be given apart, and count in place of what the depot says."""
    with eib.open_depot(mail) as depot:
        image = eib.compose(depot.catalog, base_image=SMALL_VERSION)
        facts = depot.facts_of(image.all_vibs)
        whole = eib.validate(image, depot)
        apart = eib.validate(image, depot.catalog, signatures=facts)
        errors = {finding.code for finding in whole.errors}
        assert errors
        assert errors <= CODES
        assert set(apart.errors) == set(whole.errors)
        assert eib.validate(image, depot.catalog).is_valid, "a catalog has no bytes to ask"
        good = eib.VibSignature(status=eib.SignatureStatus.INTACT)
        intact = [eib.VibFacts(vib_id=item.vib_id, is_signed=True, signatures=[good]) for item in facts]
        assert eib.validate(image, depot, signatures=intact).is_valid

        anchors = other_certificate()
        asked = eib.validate(image, depot, anchors=anchors)
        assert {finding.code for finding in asked.errors} == errors
        with pytest.raises(eib.ModelError, match="nobody can be asked"):
            eib.validate(image, depot.catalog, anchors=anchors)
