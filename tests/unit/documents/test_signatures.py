"""What signatures are worth, where nobody can look and where a host keeps them."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from support.damaged_depots import SMALL_VERSION, certified_depot

import esximage_builder as eib
from esximage_builder.cli.app import main
from esximage_builder.views.catalog import catalog_as_dict, render_text_listing

if TYPE_CHECKING:
    from collections.abc import Sequence

VIB = "odd-driver"
KEYS = Path(__file__).parents[3] / "fixtures" / "keys"
ANCHORS = (KEYS / "TEST-ONLY-certificate.pem").read_bytes()


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return certified_depot(tmp_path_factory.mktemp("certified"), VIB)


@pytest.fixture(params=["cryptography", "asn1crypto"])
def _nobody_can_look(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.split(".")[0] == request.param]:
        monkeypatch.setitem(sys.modules, name, None)
    monkeypatch.setitem(sys.modules, request.param, None)


def not_checked(findings: Sequence[eib.Finding]) -> list[eib.Finding]:
    return [finding for finding in findings if finding.code == "signatures-not-checked"]


@pytest.mark.usefixtures("_nobody_can_look")
def test_without_the_extra_it_is_said_once_that_nobody_looked(source: Path, tmp_path: Path) -> None:
    """Silence would be a promise, and a line for each VIB noise; an image is neither refused nor praised for it."""
    with eib.open_depot(source) as depot:
        image = eib.compose(depot.catalog, base_image=SMALL_VERSION)
        assert any(item.is_signed and item.signatures is None for item in depot.facts_of(image.all_vibs))
        report = eib.validate(image, depot)
        assert report.is_valid
        assert len(not_checked(report.findings)) == 1
        for export, name in ((eib.export_bundle, "a.zip"), (eib.export_iso, "a.iso"), (eib.export_pxe, "a")):
            result = export(image, depot, tmp_path / name)
            assert len(not_checked(result.findings)) == 1, name
        listing = catalog_as_dict(depot)
        assert [item["code"] for item in listing["findings"]] == ["signatures-not-checked"]
        assert "not looked at" in render_text_listing(listing)
        assert all(item.is_sound for item in depot.verify())


@pytest.mark.usefixtures("_nobody_can_look")
@pytest.mark.parametrize("output", ["a.zip", "a.iso"])
def test_without_the_extra_a_verifier_says_that_it_did_not_ask(source: Path, tmp_path: Path, output: str) -> None:
    """A question that was not asked is not passed."""
    path = tmp_path / output
    with eib.open_depot(source) as depot:
        image = eib.compose(depot.catalog, base_image=SMALL_VERSION)
        (eib.export_iso if output.endswith("iso") else eib.export_bundle)(image, depot, path)
    verification = eib.verify_iso(path) if output.endswith("iso") else eib.verify_bundle(path)
    (check,) = [check for check in verification.checks if check.name == "signatures"]
    assert not check.is_asked
    assert "esximage-builder[signatures]" in check.why_not_asked
    assert not check.findings


@pytest.mark.usefixtures("_nobody_can_look")
def test_without_the_extra_trust_is_an_error_and_no_answer(source: Path, tmp_path: Path) -> None:
    """Whoever gives certificates wants to know; nothing is written for them."""
    with eib.open_depot(source) as depot:
        image = eib.compose(depot.catalog, base_image=SMALL_VERSION)
        for ask in (
            lambda: depot.facts_of(image.all_vibs, anchors=ANCHORS),
            lambda: depot.verify(anchors=ANCHORS),
            lambda: eib.validate(image, depot, anchors=ANCHORS),
            lambda: catalog_as_dict(depot, anchors=ANCHORS),
        ):
            with pytest.raises(eib.MissingExtraError):
                ask()
    trust = ("--trust", str(KEYS / "TEST-ONLY-certificate.pem"))
    out = tmp_path / "a.zip"
    assert main(["build", "--depot", str(source), "--base", SMALL_VERSION, "--bundle", str(out), *trust]) == 2
    assert not out.exists()


def test_a_host_is_asked_with_the_same_call(source: Path, tmp_path: Path) -> None:
    """Its signatures cover ``.xml.orig``, and ``.xml`` where there is no such file."""
    with eib.open_depot(source) as depot:
        eib.export_iso(eib.compose(depot.catalog, base_image=SMALL_VERSION), depot, tmp_path / "a.iso")
    folder = unpacked_database(tmp_path)
    (signature,) = (path for path in folder.rglob(f"{VIB}-*.xml.sig") if path.read_bytes())
    orig = signature.with_suffix(".orig")
    assert orig.exists()

    def worth() -> list[tuple[str, str]]:
        with eib.read_image_database(tmp_path / "host") as host:
            facts = host.facts_of([vib for vib in host.catalog.vibs if vib.name == VIB], anchors=ANCHORS)
            return [(found.status.value, found.trust.value) for item in facts for found in item.signatures or ()]

    assert worth() == [("intact", "trusted")]
    orig.rename(orig.with_suffix(""))
    assert worth() == [("intact", "trusted")]
    kept = orig.with_suffix("").read_bytes()
    assert eib.verify_detached(kept, signature.read_bytes(), anchors=ANCHORS)[0].is_trusted
    orig.with_suffix("").write_bytes(kept.replace(b"</vib>", b"\n</vib>"))
    assert worth() == [("broken", "untrusted")]


def unpacked_database(tmp_path: Path) -> Path:
    """Return the image database of the disc as a host has it, in a folder."""
    import gzip
    import io
    import tarfile

    from esximage_builder.containers.iso9660_reader import open_iso

    target = tmp_path / "host"
    with open_iso(tmp_path / "a.iso", where="a.iso", limits=eib.ReadLimits()) as disc:
        data = disc.read("IMGDB.TGZ", max_bytes=1 << 24)
    with tarfile.open(fileobj=io.BytesIO(gzip.decompress(data))) as archive:
        archive.extractall(target, filter="data")
    return target
