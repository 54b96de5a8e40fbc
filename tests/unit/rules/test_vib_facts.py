"""Whether a VIB is what its metadata says."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import attrs
import pytest

import esximage_builder as eib
from esximage_builder.checksums import Checksum
from esximage_builder.rules.vib_facts import check_expiry, check_vib_facts, differing_fields, true_level

LEVEL = eib.AcceptanceLevel
PAYLOAD = eib.Payload(name="net", type="vgz", size_bytes=7, checksums=[Checksum("sha-256", "ab")])
VIB = eib.Vib(
    name="net",
    version=eib.VibVersion("1.0-1"),
    vendor="ACM",
    summary="a driver",
    description="of a net",
    released_at=datetime(2024, 1, 1, tzinfo=UTC),
    urls=[("KB", "http://x")],
    depends=[eib.Constraint("esx-base")],
    tags=["driver"],
    software_platforms=[eib.SoftwarePlatform("8.0")],
    hardware_platforms=[eib.HardwarePlatform("ACME")],
    acceptance_level=LEVEL.PARTNER,
    payloads=[PAYLOAD],
    extra=['<new a="1" b="2"/>'],
)


def facts(inside: eib.Vib | None = VIB, *, is_signed: bool = True) -> eib.VibFacts:
    signatures = [eib.VibSignature(status=eib.SignatureStatus.INTACT)] if is_signed else []
    return eib.VibFacts(vib_id=VIB.id, descriptor=inside, is_signed=is_signed, signatures=signatures)


@pytest.mark.parametrize(
    "change",
    [
        {"software_platforms": ()},
        {"hardware_platforms": ()},
        {"summary": ""},
        {"description": ""},
        {"released_at": None},
        {"urls": ()},
        {"extra": ()},
        {"extra": ['<other c="1"/>']},
        {"extra": ['<new b="2" a="1"/>']},
        {"payloads": [attrs.evolve(PAYLOAD, size_bytes=None)]},
        {"payloads": [attrs.evolve(PAYLOAD, checksums=())]},
    ],
    ids=str,
)
def test_what_the_metadata_lacks_contradicts_nothing(change: dict[str, Any]) -> None:
    assert differing_fields(attrs.evolve(VIB, **change), VIB) == ()


@pytest.mark.parametrize(
    "change",
    [
        {"name": "other"},
        {"software_platforms": [eib.SoftwarePlatform("7.0")]},
        {"hardware_platforms": [eib.HardwarePlatform("OTHER")]},
        {"summary": "another"},
        {"released_at": datetime(2025, 1, 1, tzinfo=UTC)},
        {"depends": ()},
        {"tags": ()},
        {"overlay": True},
        {"extra": ['<new a="1" b="3"/>']},
        {"acceptance_level": LEVEL.COMMUNITY},
        {"payloads": ()},
        {"payloads": [attrs.evolve(PAYLOAD, name="ten")]},
        {"payloads": [attrs.evolve(PAYLOAD, size_bytes=8)]},
        {"payloads": [attrs.evolve(PAYLOAD, boot_order=1)]},
        {"payloads": [attrs.evolve(PAYLOAD, checksums=[Checksum("sha-256", "cd")])]},
    ],
    ids=str,
)
def test_what_both_state_must_be_equal(change: dict[str, Any]) -> None:
    stated = attrs.evolve(VIB, **change)

    assert differing_fields(stated, VIB) == tuple(change)
    (finding,) = check_vib_facts([stated], [attrs.evolve(facts(), vib_id=stated.id)])
    assert (finding.code, finding.severity) == ("descriptor-differs", eib.Severity.ERROR)
    assert finding.fact("elements").replace(" ", "_") == "".join(change)


def test_platforms_that_only_the_metadata_has_are_a_contradiction() -> None:
    """The rules would keep a VIB for a place that the host does not know of."""
    assert differing_fields(VIB, attrs.evolve(VIB, software_platforms=())) == ("software_platforms",)


@pytest.mark.parametrize("stated", LEVEL)
@pytest.mark.parametrize("inside", LEVEL)
@pytest.mark.parametrize("is_signed", [True, False])
def test_levels_and_signatures(stated: eib.AcceptanceLevel, inside: eib.AcceptanceLevel, is_signed: bool) -> None:  # noqa: FBT001 - a table
    vib, own = (attrs.evolve(VIB, acceptance_level=level) for level in (stated, inside))
    codes = [finding.code for finding in check_vib_facts([vib], [facts(own, is_signed=is_signed)])]

    assert ("acceptance-level-differs" in codes) is (stated > inside)
    assert ("descriptor-differs" in codes) is (stated < inside)
    assert ("signature-missing" in codes) is (not is_signed and max(stated, inside) >= LEVEL.PARTNER)
    assert true_level(vib, facts(own)) is min(stated, inside)


def test_a_vib_that_cannot_be_read_is_damaged_and_one_without_facts_is_passed_over() -> None:
    unread = eib.VibFacts(vib_id=VIB.id, problem="no archive", where="a.vib")
    (finding,) = check_vib_facts([VIB, attrs.evolve(VIB, name="other")], [unread])

    assert (finding.code, finding.message, finding.where) == ("vib-damaged", "no archive", "a.vib")
    assert true_level(VIB, unread) is VIB.acceptance_level
    assert true_level(VIB, None) is VIB.acceptance_level


@pytest.mark.parametrize("level", LEVEL)
@pytest.mark.parametrize("status", [eib.SignatureStatus.BROKEN, eib.SignatureStatus.UNREADABLE])
def test_a_bad_signature_is_an_error_from_partner_level_up(
    level: eib.AcceptanceLevel, status: eib.SignatureStatus
) -> None:
    """Below, hosts do not go by signatures; a second one that is intact does not help."""
    vib = attrs.evolve(VIB, acceptance_level=level)
    signatures = [eib.VibSignature(status=eib.SignatureStatus.INTACT), eib.VibSignature(status=status, problem="p")]
    (finding,) = check_vib_facts([vib], [attrs.evolve(facts(vib), signatures=signatures)])
    assert finding.code == f"signature-{status.value}"
    assert (finding.severity is eib.Severity.ERROR) is (level >= LEVEL.PARTNER)
    assert finding.fact("level") == level.value
    assert level.display in finding.message


def test_one_trusted_signature_of_two_is_enough_and_the_other_is_told() -> None:
    """Two issuers sign one VIB, for two kinds of host; a changed certificate of one must not go unseen."""
    trusted = eib.VibSignature(status=eib.SignatureStatus.INTACT, trust=eib.Trust.TRUSTED, signer="Ours")
    untrusted = attrs.evolve(trusted, trust=eib.Trust.UNTRUSTED, signer="Theirs")
    vib = attrs.evolve(VIB, acceptance_level=LEVEL.PARTNER)
    for signatures, severity in (
        ((untrusted, trusted), eib.Severity.INFO),
        ((untrusted, untrusted), eib.Severity.ERROR),
    ):
        (found,) = check_vib_facts([vib], [attrs.evolve(facts(vib), signatures=signatures)])
        assert (found.code, found.severity) == ("signature-untrusted", severity)
        assert "Theirs" in found.message
    assert not list(check_vib_facts([vib], [attrs.evolve(facts(vib), signatures=(trusted, trusted))]))


def test_what_nobody_looked_at_is_said_once() -> None:
    """Without the extra, silence would be a promise; a line for each VIB would be noise."""
    vibs = [attrs.evolve(VIB, name=name) for name in ("a", "b", "c")]
    found = set(check_vib_facts(vibs, [eib.VibFacts(vib_id=v.id, descriptor=v, is_signed=True) for v in vibs]))
    (finding,) = found
    assert (finding.code, finding.severity) == ("signatures-not-checked", eib.Severity.INFO)


def test_expired_certificates_are_named_once_with_their_date() -> None:
    """And are no error."""
    old = eib.VibSignature(
        status=eib.SignatureStatus.INTACT, signer="Old", valid_until=datetime(2018, 3, 4, tzinfo=UTC)
    )
    two = [attrs.evolve(facts(), vib_id=name, signatures=[old]) for name in ("a", "b")]
    (finding,) = check_expiry(two, datetime(2024, 1, 1, tzinfo=UTC))
    assert (finding.code, finding.severity, finding.items) == ("certificate-expired", eib.Severity.INFO, ("a", "b"))
    assert "2018-03-04" in finding.message
    assert "Old" in finding.message
    assert not list(check_expiry(two, datetime(2018, 3, 3, tzinfo=UTC)))
