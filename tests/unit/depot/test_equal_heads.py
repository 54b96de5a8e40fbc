"""Two VIBs of one id whose descriptor and signature are equal byte for byte are one."""

from __future__ import annotations

import hashlib
import itertools
import re
from typing import TYPE_CHECKING

import pytest
from support.changed_depots import ar_members
from support.damaged_depots import SMALL_VERSION, certified_depot, with_changed_metadata, with_changed_vib

import esximage_builder as eib

if TYPE_CHECKING:
    from pathlib import Path

VIB = "odd-driver"


def with_other_headers(source: Path, target: Path) -> Path:
    """A copy with another spelling of the mode in all headers of one VIB, and the digest of that."""
    return with_changed_vib(source, target, VIB, lambda _: None, mode="0o0")


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return certified_depot(tmp_path_factory.mktemp("certified"), VIB)


def the_vib(depot: eib.Depot) -> eib.Vib:
    (vib,) = (vib for vib in depot.catalog.vibs if vib.name == VIB)
    return vib


def read(depot: eib.Depot, vib: eib.Vib) -> bytes:
    with depot.open_vib(vib) as stream:
        return stream.read()


def test_other_headers_make_no_other_vib(source: Path, tmp_path: Path) -> None:
    other = with_other_headers(source, tmp_path / "other.zip")
    found = []
    for paths in itertools.permutations((source, other)):
        with eib.open_depot(*paths) as depot:
            vib = the_vib(depot)
            found.append(vib.fingerprint)
            assert depot.catalog.findings == ()
            assert set(depot.catalog.sources_of(vib)) == {str(source), str(other)}
            assert hashlib.sha256(read(depot, vib)).hexdigest() == vib.fingerprint
            image = eib.compose(depot.catalog, base_image=SMALL_VERSION)
            assert eib.validate(image, depot).findings == ()
            eib.export_bundle(image, depot, tmp_path / f"{len(found)}.zip")
    assert found[0] == found[1]
    assert (tmp_path / "1.zip").read_bytes() == (tmp_path / "2.zip").read_bytes()


def test_two_descriptions_of_one_vib_are_not_guessed_at(source: Path, tmp_path: Path) -> None:
    other = with_changed_metadata(source, tmp_path / "a.zip", VIB, rb"<overlay>false<", b"<overlay>true<")
    with eib.open_depot(other, source) as depot:
        assert [finding.code for finding in depot.catalog.findings] == ["vib-content-differs"]


@pytest.mark.parametrize("what", ["signature", "descriptor"])
def test_other_signatures_or_descriptors_stay_apart(source: Path, tmp_path: Path, what: str) -> None:
    def change(members: dict[str, bytes]) -> None:
        if what == "signature":
            members["sig.pkcs7"] += b"\n"
        else:
            members["descriptor.xml"] = re.sub(rb"<summary>", b"<summary>Not ", members["descriptor.xml"])

    other = with_changed_vib(source, tmp_path / "other.zip", VIB, change)
    with eib.open_depot(source, other) as depot:
        assert [finding.code for finding in depot.catalog.findings] == ["vib-content-differs"]


def test_payloads_that_no_checksum_covers_stay_apart(source: Path, tmp_path: Path) -> None:
    sums = rb"<checksum [^>]*>[0-9a-f]*</checksum>"

    def without_sums(members: dict[str, bytes]) -> None:
        members["descriptor.xml"] = re.sub(sums, b"", members["descriptor.xml"])

    one = with_changed_vib(source, tmp_path / "one.zip", VIB, without_sums)
    two = with_other_headers(one, tmp_path / "two.zip")
    with eib.open_depot(one, two) as depot:
        assert [finding.code for finding in depot.catalog.findings] == ["vib-content-differs"]


def test_from_a_disc_a_vib_is_that_of_its_bundle(source: Path, tmp_path: Path) -> None:
    """Also where the bundle has it in an archive of another form."""
    with eib.open_depot(source) as depot:
        eib.export_iso(eib.compose(depot.catalog, base_image=SMALL_VERSION), depot, tmp_path / "a.iso")
    other = with_other_headers(source, tmp_path / "other.zip")
    with eib.open_depot(tmp_path / "a.iso", other, source) as depot:
        vib = the_vib(depot)
        assert "vib-content-differs" not in {finding.code for finding in depot.catalog.findings}
        assert ar_members(read(depot, vib)).keys() == {"descriptor.xml", "sig.pkcs7", "odd.name"}
