"""Checking VIBs and payloads: each checksum is computed over the bytes it covers, and each difference is named."""

from __future__ import annotations

import gzip
import hashlib
import io
from typing import TYPE_CHECKING, Any

import attrs
import pytest
from hypothesis import given, settings, strategies as st
from support.changed_depots import ar_members, render_vib
from support.small_images import small_vib

from esximage_builder.authoring.vib import raw_payload, vgz_payload
from esximage_builder.checksums import Checksum
from esximage_builder.depot.vib_check import check_head, check_payload, check_vib
from esximage_builder.errors import EsxImageError, MalformedDocumentError
from esximage_builder.findings import Severity
from esximage_builder.limits import ReadLimits
from esximage_builder.models.vib import Payload, Vib, VibFile
from esximage_builder.models.vib_facts import VibFacts
from esximage_builder.rules.vib_facts import check_signed
from esximage_builder.vocabulary import AcceptanceLevel

if TYPE_CHECKING:
    from collections.abc import Callable

    from esximage_builder.findings import Finding

LIMITS = ReadLimits()
CONTENTS = bytes(range(256)) * 300
PACKED = gzip.compress(CONTENTS, mtime=0)


def sum_of(data: bytes, algorithm: str = "sha256") -> str:
    return hashlib.new(algorithm, data).hexdigest()


def stored_sum(data: bytes) -> Checksum:
    return Checksum("sha-256", sum_of(data))


def gunzip_sum(data: bytes) -> Checksum:
    return Checksum("sha-256", sum_of(data), "gunzip")


def payload_of(data: bytes, *sums: Checksum, kind: str = "vgz", **changes: Any) -> Payload:
    return attrs.evolve(Payload(name="p", type=kind, size_bytes=len(data), checksums=sums), **changes)


def check(payload: Payload, data: bytes, *, deep: bool = True, limits: ReadLimits = LIMITS) -> list[Finding]:
    source = io.BytesIO(data)
    found = check_payload(payload, source, size_bytes=len(data), where="a.vib", limits=limits, deep=deep)
    assert source.read() == b"", "a payload is read to its end, whatever is wrong with it"
    assert all(finding.where == "a.vib!p" for finding in found)
    return list(found)


def codes(found: list[Finding] | tuple[Finding, ...]) -> list[str]:
    return [finding.code for finding in found]


# Payloads


WITH_MORE = PACKED + b"more"
DAMAGED = PACKED[:-5] + bytes([PACKED[-5] ^ 0x55]) + PACKED[-4:]
GZIP_SUMS = (gunzip_sum(CONTENTS), stored_sum(PACKED), Checksum("sha-1", sum_of(CONTENTS, "sha1"), "gunzip"))


@pytest.mark.parametrize("kind", ["boot", "vgz", "tgz", "of-a-kind-to-come"])
def test_all_three_checksums_of_a_gzip_payload_are_computed(kind: str) -> None:
    assert check(payload_of(PACKED, *GZIP_SUMS, kind=kind), PACKED) == []
    for number, wrong in enumerate(GZIP_SUMS):
        sums = [*GZIP_SUMS]
        sums[number] = attrs.evolve(wrong, digest="0" * len(wrong.digest))
        (finding,) = check(payload_of(PACKED, *sums, kind=kind), PACKED)
        assert finding.code == "payload-checksum-differs"
        assert f"{wrong.algorithm} {wrong.verify_process}".strip() + " checksum" in finding.message
        assert finding.cause == f"{wrong.digest} instead of {'0' * len(wrong.digest)}"
        assert finding.severity is Severity.ERROR


@pytest.mark.parametrize(
    ("checksum", "expected"),
    [
        pytest.param(Checksum("sha-512", sum_of(b"data", "sha512")), [], id="sha-512"),
        pytest.param(Checksum("md5", sum_of(b"data", "md5")), [], id="md5"),
        pytest.param(
            Checksum("sha-256", "00", "txt-mle"), ["payload-without-checksum"], id="the one whose rule is not public"
        ),
        pytest.param(Checksum("blake3", "00"), ["payload-checksum-unknown"], id="an algorithm to come"),
        pytest.param(
            Checksum("sha-256", "00", "unzip"),
            ["payload-checksum-unknown", "payload-without-checksum"],
            id="a way to unpack to come",
        ),
    ],
)
def test_unknown_checksums_are_no_damage_but_told(checksum: Checksum, expected: list[str]) -> None:
    found = check(payload_of(b"data", checksum, kind="upgrade"), b"data")

    assert codes(found) == expected
    assert all(finding.severity is Severity.WARNING for finding in found)


def test_an_unknown_checksum_over_unpacked_bytes_is_told_beside_a_known_one() -> None:
    found = check(payload_of(PACKED, *GZIP_SUMS, Checksum("blake3", "00", "gunzip")), PACKED)

    assert codes(found) == ["payload-checksum-unknown"]
    assert "blake3 gunzip" in found[0].message


def test_a_payload_without_checksum_is_said_to_be_unchecked() -> None:
    (finding,) = check(payload_of(b"text", kind="text"), b"text")

    assert (finding.code, finding.severity) == ("payload-without-checksum", Severity.WARNING)


@pytest.mark.parametrize(
    ("payload", "data", "expected"),
    [
        pytest.param(
            payload_of(PACKED, *GZIP_SUMS), PACKED[:-1],
            ["payload-size-differs", "payload-damaged", "payload-checksum-differs"],
            id="cut short",
        ),
        pytest.param(
            payload_of(PACKED[:-1], stored_sum(PACKED[:-1]), gunzip_sum(CONTENTS)), PACKED[:-1], ["payload-damaged"],
            id="cut short before it was described",
        ),
        pytest.param(
            payload_of(WITH_MORE, stored_sum(WITH_MORE), gunzip_sum(CONTENTS)), WITH_MORE, ["payload-damaged"],
            id="something behind it",
        ),
        pytest.param(
            payload_of(b"plain", stored_sum(b"plain")), b"plain", ["payload-damaged"], id="a vgz that is no gzip",
        ),
        pytest.param(
            payload_of(b"plain", stored_sum(b"plain"), kind="boot"), b"plain", [], id="a boot payload unpacked",
        ),
        pytest.param(
            payload_of(DAMAGED, stored_sum(DAMAGED), kind="boot"), DAMAGED, ["payload-damaged"],
            id="a compressed boot payload without a checksum over unpacked bytes",
        ),
        pytest.param(
            payload_of(PACKED, stored_sum(PACKED), kind="boot", uncompressed_size_bytes=1), PACKED,
            ["payload-size-differs"], id="a compressed boot payload of another unpacked size",
        ),
        pytest.param(payload_of(b"plain", stored_sum(b"plain"), kind="text"), b"plain", [], id="a text"),
        pytest.param(payload_of(b"", stored_sum(b""), kind="text"), b"", [], id="an empty text"),
        pytest.param(
            payload_of(PACKED, *GZIP_SUMS, size_bytes=7), PACKED, ["payload-size-differs"], id="size stated wrongly",
        ),
        pytest.param(payload_of(PACKED, *GZIP_SUMS, size_bytes=None), PACKED, [], id="size not stated"),
        pytest.param(
            payload_of(PACKED, *GZIP_SUMS, uncompressed_size_bytes=len(CONTENTS)), PACKED, [], id="unpacked size right",
        ),
        pytest.param(
            payload_of(PACKED, *GZIP_SUMS, uncompressed_size_bytes=len(CONTENTS) + 1), PACKED, ["payload-size-differs"],
            id="unpacked size stated wrongly",
        ),
    ],
)  # fmt: skip
def test_payloads_are_compared_with_what_is_said_of_them(payload: Payload, data: bytes, expected: list[str]) -> None:
    assert codes(check(payload, data)) == expected


def test_the_stored_sum_may_be_right_and_the_unpacked_one_wrong() -> None:
    payload = payload_of(PACKED, stored_sum(PACKED), gunzip_sum(b"other contents"))

    assert codes(check(payload, PACKED)) == ["payload-checksum-differs"]
    assert check(payload, PACKED, deep=False) == []


def test_a_limit_is_no_damage_but_no_pass_either() -> None:
    (finding,) = check(payload_of(PACKED, *GZIP_SUMS), PACKED, limits=ReadLimits(payload_bytes=1000))

    assert (finding.code, finding.severity) == ("payload-too-large", Severity.ERROR)


# Zstandard payloads


def vzstd(contents: bytes = CONTENTS) -> tuple[bytes, bytes]:
    """A zstandard stream, and the stream in its gzip wrapper."""
    zstd = pytest.importorskip("backports.zstd", reason="the extra `zstd` is not installed")
    inner = bytes(zstd.compress(contents, 18))
    return inner, gzip.compress(inner, 0, mtime=0)


def vzstd_payload(inner: bytes, packed: bytes, contents: bytes = CONTENTS) -> Payload:
    once = Checksum("sha-256-gunzip1", sum_of(inner))
    return payload_of(packed, gunzip_sum(contents), stored_sum(packed), once, kind="vzstd")


def test_a_zstandard_payload_has_checksums_at_three_depths() -> None:
    inner, packed = vzstd()
    payload = vzstd_payload(inner, packed)
    assert check(payload, packed) == []
    for checksum in payload.checksums:
        others = [attrs.evolve(known, digest="00") if known == checksum else known for known in payload.checksums]
        (finding,) = check(attrs.evolve(payload, checksums=others), packed)
        assert finding.code == "payload-checksum-differs"
        assert finding.message.startswith(f"the payload's {checksum.algorithm} {checksum.verify_process}".strip())


def test_a_damaged_zstandard_stream_in_a_whole_wrapper_is_damage() -> None:
    inner, _ = vzstd()
    broken = inner[:-5]
    packed = gzip.compress(broken, 0, mtime=0)

    assert codes(check(vzstd_payload(broken, packed), packed)) == ["payload-damaged"]


@pytest.mark.parametrize(("stated", "expected"), [(0, []), (1, ["payload-size-differs"])])
def test_a_zstandard_payload_has_the_unpacked_size_that_is_stated(stated: int, expected: list[str]) -> None:
    inner, packed = vzstd()
    payload = attrs.evolve(vzstd_payload(inner, packed), uncompressed_size_bytes=len(CONTENTS) + stated)

    assert codes(check(payload, packed)) == expected


def test_without_the_extra_the_wrapper_is_still_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    inner, packed = vzstd()
    payload = vzstd_payload(inner, packed)
    monkeypatch.setattr("esximage_builder.containers.zstd.importlib.import_module", _no_module)

    (finding,) = check(payload, packed)
    assert (finding.code, finding.severity) == ("payload-not-unpacked", Severity.WARNING)
    assert "esximage-builder[zstd]" in finding.remedy
    wrong = attrs.evolve(payload, checksums=[Checksum("sha-256-gunzip1", "00"), stored_sum(packed)])
    assert codes(check(wrong, packed)) == ["payload-not-unpacked", "payload-checksum-differs"]
    assert codes(check(payload, packed[:-1])) == ["payload-size-differs", "payload-damaged", "payload-checksum-differs"]


def _no_module(name: str) -> Any:
    raise ImportError(name)


def test_a_gzip_payload_may_have_the_checksum_after_one_gunzip_too() -> None:
    payload = payload_of(PACKED, stored_sum(PACKED), Checksum("sha-256-gunzip1", sum_of(CONTENTS)))

    assert check(payload, PACKED) == []


# VIBs


def a_vib() -> tuple[Vib, bytes]:
    authored = small_vib(
        "acme", "1.0-1", (vgz_payload("one", {"bin/one": b"1"}), raw_payload("two", b"two\n", type="text"))
    )
    return authored.vib, authored.data


def with_facts(vib: Vib, data: bytes) -> Vib:
    return vib.with_file(VibFile(size_bytes=len(data), sha256=sum_of(data)))


def changed(data: bytes, change: Callable[[dict[str, bytes]], None]) -> bytes:
    members = ar_members(data)
    change(members)
    return render_vib(members)


def check_whole(vib: Vib, data: bytes, *, deep: bool = True) -> list[str]:
    return codes(check_vib(vib, io.BytesIO(data), where="a.vib", limits=LIMITS, deep=deep))


def test_a_whole_vib_is_no_finding() -> None:
    vib, data = a_vib()

    assert check_whole(with_facts(vib, data), data) == []
    assert check_whole(vib.with_file(None), data) == []


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        pytest.param(
            lambda members: members.update({"two": b"TWO\n"}), ["payload-checksum-differs"], id="a payload changed"
        ),
        pytest.param(
            lambda members: members.update({"one": members["one"][:-1], "two": b"TWO\n"}),
            ["payload-size-differs", "payload-damaged", "payload-checksum-differs", "payload-checksum-differs"],
            id="two payloads changed",
        ),
        pytest.param(lambda members: members.pop("two"), ["vib-damaged"], id="a payload gone"),
        pytest.param(lambda members: members.update({"sig.pkcs7": b"PEM"}), [], id="a signature added"),
    ],
)
def test_what_differs_inside_a_vib_is_named(change: Callable[[dict[str, bytes]], None], expected: list[str]) -> None:
    vib, data = a_vib()
    damaged = changed(data, change)

    assert check_whole(with_facts(vib, damaged), damaged) == expected


def test_metadata_of_another_file_differs_in_size_and_digest() -> None:
    vib, data = a_vib()

    assert check_whole(with_facts(vib, data + b"more"), data) == ["vib-size-differs", "vib-checksum-differs"]
    assert check_whole(vib.with_file(VibFile(size_bytes=1)), data) == ["vib-size-differs"]


@pytest.mark.parametrize("keep", [0, 5, 8, 40, 100, 700, -1])
def test_a_vib_that_is_cut_short_is_damaged(keep: int) -> None:
    vib, data = a_vib()
    found = check_whole(with_facts(vib, data), data[:keep])

    assert {"vib-damaged", "vib-size-differs", "vib-checksum-differs"} <= set(found)


def test_a_source_that_fails_midway_is_damage_and_no_exception() -> None:
    vib, data = a_vib()

    class Failing(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            if self.tell() >= 500:
                raise MalformedDocumentError("the zip member is damaged", where="depot.zip!a.vib")
            return super().read(min(size or 0, 500))

    junk = check_vib(vib, Failing(bytes(5000)), where="a.vib", limits=LIMITS)
    assert codes(junk) == ["vib-damaged", "vib-damaged"], "no VIB, and the source fails later on"
    found = check_vib(with_facts(vib, data), Failing(data), where="a.vib", limits=LIMITS)
    assert codes(found)[-1] == "vib-damaged"
    assert codes(found).count("vib-damaged") == 1
    assert found[-1].where == "depot.zip!a.vib"


@settings(max_examples=80)
@given(edits=st.lists(st.tuples(st.integers(0, 1 << 20), st.integers(0, 255)), min_size=1, max_size=4))
def test_no_changed_byte_of_a_vib_goes_unseen(edits: list[tuple[int, int]]) -> None:
    vib, data = a_vib()
    damaged = bytearray(data)
    for at, value in edits:
        damaged[at % len(damaged)] = value

    assert bool(check_whole(with_facts(vib, data), bytes(damaged))) is (bytes(damaged) != data)


@given(data=st.binary(max_size=300))
def test_arbitrary_bytes_are_findings(data: bytes) -> None:
    vib, _ = a_vib()

    assert "vib-damaged" in check_whole(vib, data)
    assert "vib-damaged" in check_whole(vib, b"!<arch>\n" + data)


def test_two_payloads_of_one_name_are_damage() -> None:
    """One of them would never be looked at."""
    vib, data = a_vib()
    doubled = attrs.evolve(vib, payloads=[*vib.payloads, attrs.evolve(vib.payloads[0], size_bytes=1)])
    found = check_vib(doubled, io.BytesIO(data), where="a.vib", limits=LIMITS)
    assert "vib-damaged" in codes(found)
    assert "two payloads of the VIB have one name" in [finding.message for finding in found]


def test_two_members_of_one_name_are_damage() -> None:
    vib, data = a_vib()
    members = ar_members(data)
    name = vib.payloads[0].name
    doubled = data + render_vib({name: members[name]}).removeprefix(b"!<arch>\n")
    found = check_vib(vib.with_file(None), io.BytesIO(doubled), where="a.vib", limits=LIMITS)
    assert [(finding.code, finding.message) for finding in found] == [
        ("vib-damaged", f"two members are named {name!r}")
    ]


# Heads and signatures


def test_a_descriptor_that_says_something_else_is_named() -> None:
    vib, data = a_vib()

    assert check_head(vib, io.BytesIO(data), where="a.vib", limits=LIMITS) == ()
    (finding,) = check_head(attrs.evolve(vib, overlay=True), io.BytesIO(data), where="a.vib", limits=LIMITS)
    assert (finding.code, finding.where) == ("descriptor-differs", "a.vib")


def test_a_file_without_descriptor_raises_our_error() -> None:
    with pytest.raises(EsxImageError):
        check_head(a_vib()[0], io.BytesIO(b"!<arch>\n"), where="a.vib", limits=LIMITS)


@pytest.mark.parametrize("level", AcceptanceLevel)
@pytest.mark.parametrize("is_signed", [True, False])
def test_a_signature_is_wanted_from_partner_level_up(level: AcceptanceLevel, is_signed: bool) -> None:  # noqa: FBT001 - a table
    vib = attrs.evolve(a_vib()[0], acceptance_level=level)
    found = tuple(check_signed(vib, VibFacts(vib_id=vib.id, is_signed=is_signed, signatures=()), where="a.vib"))

    assert codes(found) == ([] if is_signed or level is AcceptanceLevel.COMMUNITY else ["signature-missing"])
