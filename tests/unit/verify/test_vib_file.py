"""Verifying a single ``.vib``: whole or not, by what its own descriptor says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs
import pytest
from hypothesis import HealthCheck, given, settings, strategies as st
from support.changed_depots import DEPOTS, ar_members, render_vib
from support.small_images import small_vib
from support.written_images import put

import esximage_builder as eib
from esximage_builder.authoring import author_vib, raw_payload, vgz_payload

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

AUTHORED = small_vib(
    "acme-agent",
    "1.0-1",
    (vgz_payload("one", {"opt/acme/readme": b"hello"}), raw_payload("two", b"two\n", type="text")),
)
NAMES = ["archive", "descriptor", "signature", "bytes"]
Members = dict[str, bytes]


def failed(verification: eib.Verification) -> dict[str, list[str]]:
    """The codes of each check that has findings."""
    return {check.name: [f.code for f in check.findings] for check in verification.checks if check.findings}


def changed(folder: Path, change: Callable[[Members], Any]) -> Path:
    members = ar_members(AUTHORED.data)
    change(members)
    return put(folder / "changed.vib", render_vib(members))


@pytest.mark.parametrize("deep", [True, False])
def test_a_whole_vib_passes_every_check(tmp_path: Path, *, deep: bool) -> None:
    path = put(tmp_path / "a.vib", AUTHORED.data)
    verification = eib.verify_vib(str(path), deep=deep)

    assert verification.is_passed
    assert (verification.path, verification.kind, verification.findings) == (str(path), "vib", ())
    assert [check.name for check in verification.checks] == NAMES
    assert ("unpacked" in verification.checks[-1].question) is deep


@pytest.mark.parametrize("path", sorted(DEPOTS.glob("*.vib")), ids=lambda path: path.name)
def test_the_loose_vibs_of_the_fixtures_are_whole(path: Path) -> None:
    assert eib.verify_vib(path).findings == ()


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        pytest.param(
            lambda members: members.update({"two": b"TWO\n"}), {"bytes": ["payload-checksum-differs"]}, id="changed"
        ),
        pytest.param(
            lambda members: members.update({"two": b"two\n\n"}),
            {"bytes": ["payload-size-differs", "payload-checksum-differs"]},
            id="longer",
        ),
        pytest.param(lambda members: members.pop("two"), {"archive": ["vib-damaged"]}, id="a payload is gone"),
        pytest.param(lambda members: members.pop("sig.pkcs7"), {"archive": ["vib-damaged"]}, id="no signature member"),
        pytest.param(
            lambda members: members.update({"descriptor.xml": b"<vib>"}),
            {"descriptor": ["unreadable-document"]},
            id="no descriptor",
        ),
    ],
)
def test_what_is_wrong_is_named_by_its_check(
    tmp_path: Path, change: Callable[[Members], Any], expected: dict[str, list[str]]
) -> None:
    path = changed(tmp_path, change)
    verification = eib.verify_vib(path)

    assert not verification.is_passed
    assert failed(verification) == expected
    assert all(finding.where.startswith(str(path)) and finding.remedy for finding in verification.findings)


def test_unpacked_bytes_are_looked_at_only_deep(tmp_path: Path) -> None:
    """A checksum over unpacked bytes that is wrong, in a VIB that is as it was stored."""
    packed, _ = AUTHORED.vib.payloads
    old = next(found.digest for found in packed.checksums if found.verify_process)
    path = changed(
        tmp_path,
        lambda members: members.update(
            {"descriptor.xml": members["descriptor.xml"].replace(old.encode(), b"0" * len(old))}
        ),
    )
    assert failed(eib.verify_vib(path)) == {"bytes": ["payload-checksum-differs"]}
    assert failed(eib.verify_vib(path, deep=False)) == {}


def test_a_vib_that_claims_a_level_must_be_signed(tmp_path: Path) -> None:
    partner = attrs.evolve(
        AUTHORED.vib.with_file(None), acceptance_level=eib.AcceptanceLevel.PARTNER, payloads=[], files=[]
    )
    made = author_vib(partner, [vgz_payload("one", {"opt/acme/readme": b"hello"})], unsigned=True)
    path = put(tmp_path / "a.vib", made.data)
    assert failed(eib.verify_vib(path)) == {"signature": ["signature-missing"]}


def test_a_damaged_descriptor_does_not_hide_a_damaged_archive(tmp_path: Path) -> None:
    path = changed(tmp_path, lambda members: members.update({"descriptor.xml": b"<vib>"}))
    path.write_bytes(path.read_bytes()[:-3])
    assert failed(eib.verify_vib(path)) == {"archive": ["vib-damaged"], "descriptor": ["unreadable-document"]}


def test_a_vib_is_as_long_as_the_caller_allows(tmp_path: Path) -> None:
    path = put(tmp_path / "a.vib", AUTHORED.data)
    assert eib.verify_vib(path, limits=eib.ReadLimits(vib_bytes=len(AUTHORED.data))).is_passed
    assert "archive" in failed(eib.verify_vib(path, limits=eib.ReadLimits(vib_bytes=1000)))


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(keep=st.integers(8, len(AUTHORED.data) - 2))
def test_a_vib_that_is_cut_short_anywhere_fails(tmp_path: Path, keep: int) -> None:
    assert not eib.verify_vib(put(tmp_path / "short.vib", AUTHORED.data[:keep])).is_passed


@pytest.mark.parametrize(
    ("data", "found", "hint"),
    [
        pytest.param(b"", "empty file", "download it again", id="empty"),
        pytest.param(b"PK\x03\x04" + bytes(40), "zip archive", "verify_bundle", id="zip"),
        pytest.param(bytes(32769) + b"CD001" + bytes(4096), "ISO image", "verify_iso", id="iso"),
        pytest.param(b"!<arch>\r\n", "VIB with converted line ends", "binary mode", id="mangled"),
    ],
)
def test_what_is_no_vib_is_named(tmp_path: Path, data: bytes, found: str, hint: str) -> None:
    with pytest.raises(eib.NotADepotError) as caught:
        eib.verify_vib(put(tmp_path / "a.vib", data))

    assert (caught.value.found, caught.value.expected) == (found, "VIB")
    assert hint in caught.value.hint


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(eib.SourceUnreadableError):
        eib.verify_vib(tmp_path / "nowhere.vib")
