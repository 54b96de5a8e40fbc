"""Making VIBs, components, release units and depots: what comes out is right, what cannot be is refused."""

from __future__ import annotations

import gzip
import hashlib
import io
import shutil
import subprocess
import tarfile
import zipfile
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import attrs
import pytest
from hypothesis import given, settings, strategies as st

from esximage_builder.authoring.component import author_component
from esximage_builder.authoring.depot import AuthoredVibStore, write_authored_depot
from esximage_builder.authoring.release_unit import author_add_on, author_base_image
from esximage_builder.authoring.vib import (
    AuthoredPayload,
    AuthoredVib,
    VibSigner,
    author_vib,
    boot_payload,
    raw_payload,
    tgz_payload,
    vgz_payload,
)
from esximage_builder.containers.ar import read_ar_index
from esximage_builder.containers.cms import check_signature
from esximage_builder.containers.vmtar import parse_vmtar
from esximage_builder.depot.opening import open_depot
from esximage_builder.documents.depot_index import MetadataEntry
from esximage_builder.documents.vib_archive import iter_payloads, read_vib_head
from esximage_builder.errors import ModelError, NotInDepotError
from esximage_builder.limits import ReadLimits
from esximage_builder.models.component import Component
from esximage_builder.models.constraint import Constraint, Provide
from esximage_builder.models.image_profile import ImageProfile, ProfileVib
from esximage_builder.models.solution import Solution
from esximage_builder.models.vib import MaintenanceMode, SoftwarePlatform, Vib, VibFile
from esximage_builder.versions import AddOnVersion, BaseImageVersion, ComponentVersion, VibVersion, short_version
from esximage_builder.vocabulary import AcceptanceLevel, Relation

KEYS = Path(__file__).parents[3] / "fixtures" / "keys"
LIMITS = ReadLimits()
RELEASED = datetime(2024, 1, 31, tzinfo=UTC)
FILES = {"opt/acme/bin/agent": b"#!/bin/sh\n", "opt/acme/etc/agent.conf": b"level=1\n"}
PRODUCTS = (MetadataEntry(version="7.0"),)


def signer(signed_at: datetime = RELEASED) -> VibSigner:
    return VibSigner(
        key_pem=(KEYS / "TEST-ONLY-key.pem").read_bytes(),
        certificate_pem=(KEYS / "TEST-ONLY-certificate.pem").read_bytes(),
        signed_at=signed_at,
    )


def bare(**changes: Any) -> Vib:
    fields: dict[str, Any] = {
        "name": "acme-agent",
        "version": VibVersion("1.2.3-4"),
        "vendor": "ACM",
        "summary": "An agent",
        "description": "An agent\nof two lines",
        "released_at": RELEASED,
    }
    return Vib(**(fields | changes))


def made(*payloads: AuthoredPayload, **changes: Any) -> AuthoredVib:
    return author_vib(bare(**changes), payloads or (vgz_payload("agent", FILES),))


def payload_bytes(authored: AuthoredVib) -> dict[str, bytes]:
    source = io.BytesIO(authored.data)
    found = iter_payloads(source, authored.vib, where="x.vib", limits=LIMITS)
    return {payload.name: stream.read() for payload, stream, _ in found}


# Payloads


def test_a_vgz_payload_is_a_gzip_of_a_vmtar() -> None:
    payload = vgz_payload("agent", FILES)
    entries = parse_vmtar(gzip.decompress(payload.data), where="agent")

    assert [(entry.name, entry.size_bytes) for entry in entries] == [(name, len(data)) for name, data in FILES.items()]
    assert payload.files == tuple(FILES)


def test_a_tgz_payload_is_a_gzip_of_a_plain_tar() -> None:
    payload = tgz_payload("agent", FILES)
    with tarfile.open(fileobj=io.BytesIO(payload.data), mode="r:gz") as archive:
        streams = ((member.name, archive.extractfile(member)) for member in archive)
        contents = {name: stream.read() for name, stream in streams if stream}

    assert contents == FILES
    assert payload.files == tuple(FILES)


def test_a_boot_payload_is_a_gzip_of_its_content_and_installs_no_file() -> None:
    payload = boot_payload("k", b"kernel", boot_order=50)

    assert gzip.decompress(payload.data) == b"kernel"
    assert (payload.payload.type, payload.payload.boot_order, payload.files) == ("boot", 50, ())


@pytest.mark.parametrize(
    "payload",
    [
        pytest.param(vgz_payload("p", FILES), id="vgz"),
        pytest.param(tgz_payload("p", FILES), id="tgz"),
        pytest.param(boot_payload("p", b"content"), id="boot"),
        pytest.param(boot_payload("p", bytes(200_000)), id="boot of several stored blocks"),
    ],
)
def test_compressed_payloads_carry_three_checksums_in_their_order(payload: AuthoredPayload) -> None:
    content = gzip.decompress(payload.data)

    assert [(item.algorithm, item.verify_process, item.digest) for item in payload.payload.checksums] == [
        ("sha-256", "gunzip", hashlib.sha256(content).hexdigest()),
        ("sha-256", "", hashlib.sha256(payload.data).hexdigest()),
        ("sha-1", "gunzip", hashlib.sha1(content).hexdigest()),  # noqa: S324 - as the format wants it
    ]
    assert payload.payload.size_bytes == len(payload.data)
    assert payload.payload.uncompressed_size_bytes is None


@pytest.mark.parametrize("make", [vgz_payload, tgz_payload], ids=["vgz", "tgz"])
def test_the_uncompressed_size_is_stated_on_request(make: Any) -> None:
    payload = make("p", FILES, with_uncompressed_size=True)

    assert payload.payload.uncompressed_size_bytes == len(gzip.decompress(payload.data))


@pytest.mark.parametrize(
    "payload_type",
    ["boot_loader_efi", "boot_com32_bios", "boot_iso_bios", "eltorito_image_efi", "text", "upgrade"],
)
def test_other_payloads_are_stored_as_they_are_with_one_checksum(payload_type: str) -> None:
    payload = raw_payload("README", b"read me", type=payload_type)

    assert payload.data == b"read me"
    assert payload.payload.type == payload_type
    assert [(item.algorithm, item.verify_process, item.digest) for item in payload.payload.checksums] == [
        ("sha-256", "", hashlib.sha256(b"read me").hexdigest())
    ]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        pytest.param(lambda: vgz_payload("n" * 17, FILES), "this name cannot stand in an ar archive", id="long name"),
        pytest.param(lambda: boot_payload("a/b", b""), "this name cannot stand in an ar archive", id="slash"),
        pytest.param(lambda: raw_payload("é", b"", type="text"), "this name cannot stand in an ar archive", id="é"),
        pytest.param(
            lambda: raw_payload("sig.pkcs7", b"", type="text"),
            "a payload cannot have the name of the VIB's own parts",
            id="name of the signature",
        ),
        pytest.param(
            lambda: raw_payload("p", b"", type="vgz"), "payload 'p' cannot be a raw one of this type", id="raw vgz"
        ),
        pytest.param(
            lambda: raw_payload("p", b"", type="Te xt"), "payload 'p' cannot be a raw one of this type", id="odd type"
        ),
        pytest.param(
            lambda: boot_payload("p", b"", boot_order=-1), "the boot order of payload 'p' is negative", id="boot order"
        ),
        pytest.param(
            lambda: boot_payload("p", b"", vfat_name="Features.gz"),
            "the fixed local name of payload 'p' is no 8.3 name",
            id="local name",
        ),
        pytest.param(lambda: vgz_payload("p", {"/a": b""}), "this name cannot stand in a vmtar", id="absolute path"),
        pytest.param(lambda: vgz_payload("p", {"../a": b""}), "this name cannot stand in a vmtar", id="path upwards"),
    ],
)
def test_impossible_payloads_are_refused(make: Any, message: str) -> None:
    with pytest.raises(ModelError) as caught:
        make()

    assert caught.value.message == message


# VIBs


def test_a_vib_is_descriptor_signature_and_payloads_in_that_order() -> None:
    authored = made(boot_payload("k", b"kernel"), raw_payload("README", b"odd", type="text"))
    members = read_ar_index(io.BytesIO(authored.data), where="x.vib", limits=LIMITS)

    assert [member.name for member in members] == ["descriptor.xml", "sig.pkcs7", "k", "README"]
    assert payload_bytes(authored)["README"] == b"odd"


def test_the_descriptor_reads_back_as_the_model() -> None:
    wanted = bare(
        urls=[("KB1", "https://example.com/?a=1&b=<2>")],
        depends=[Constraint("esx-version", Relation.GREATER_EQUAL, VibVersion("7.0.0")), Constraint("vmkapi_2_6_0_0")],
        conflicts=[Constraint("old", Relation.LESS, VibVersion("2.0"))],
        replaces=[Constraint("older")],
        provides=[Provide("acme-api", VibVersion("1.2"))],
        tags=["driver", "PCIID 8086158b"],
        maintenance_mode=MaintenanceMode(required=True, on_install=False),
        software_platforms=[SoftwarePlatform("8.0")],
        live_install_allowed=True,
        stateless_ready=True,
        overlay=True,
    )
    authored = author_vib(wanted, [vgz_payload("agent", FILES, with_uncompressed_size=True)])
    head = read_vib_head(io.BytesIO(authored.data), where="x.vib", limits=LIMITS)

    assert head.parse(where="x.vib", limits=LIMITS) == authored.vib
    assert attrs.evolve(authored.vib, files=(), payloads=(), file=None) == wanted
    assert authored.vib.files == tuple(FILES)


def test_the_file_facts_are_those_of_the_bytes() -> None:
    authored = made()

    assert authored.vib.file == VibFile(
        size_bytes=len(authored.data),
        sha256=hashlib.sha256(authored.data).hexdigest(),
        relative_path="vib20/acme-agent/ACM_bootbank_acme-agent_1.2.3-4.vib",
    )


def test_a_vib_without_file_list_has_none_in_its_descriptor() -> None:
    """cpu-microcode has no ``<file-list>`` at all."""
    authored = made(boot_payload("uc_amd", b"code"), files=None)

    assert authored.vib.files is None
    assert b"file-list" not in authored.data


def test_the_same_input_gives_the_same_bytes() -> None:
    level = AcceptanceLevel.CERTIFIED
    first, second = (
        author_vib(bare(acceptance_level=level), [vgz_payload("agent", FILES)], signer=signer()) for _ in range(2)
    )

    assert first == second


def test_an_unsigned_vib_has_an_empty_signature() -> None:
    assert not read_vib_head(io.BytesIO(made().data), where="x.vib", limits=LIMITS).is_signed


@pytest.mark.parametrize("level", AcceptanceLevel, ids=lambda level: level.value)
def test_a_signature_covers_the_descriptor(level: AcceptanceLevel) -> None:
    moment = datetime(2024, 2, 1, 12, tzinfo=timezone(timedelta(hours=2)))
    authored = author_vib(bare(acceptance_level=level), [vgz_payload("agent", FILES)], signer=signer(moment))
    head = read_vib_head(io.BytesIO(authored.data), where="x.vib", limits=LIMITS)
    facts = check_signature(head.signature, head.descriptor, where="x.vib")

    assert (facts.covers_descriptor, facts.signed_at, facts.signer) == (True, moment, "TEST ONLY VIB Signing")
    assert check_signature(head.signature, head.descriptor + b" ", where="x.vib").covers_descriptor is False


@pytest.mark.parametrize("level", [AcceptanceLevel.PARTNER, AcceptanceLevel.ACCEPTED, AcceptanceLevel.CERTIFIED])
def test_from_level_partner_up_leaving_it_unsigned_is_a_choice(level: AcceptanceLevel) -> None:
    with pytest.raises(ModelError) as caught:
        made(acceptance_level=level)

    assert caught.value.message == "a VIB of this acceptance level must be signed"
    assert caught.value.found == f"acceptance level {level.value}, nothing to sign with"
    assert author_vib(bare(acceptance_level=level), [boot_payload("k", b"")], unsigned=True).data


@pytest.mark.skipif(shutil.which("ar") is None, reason="ar is not installed")
def test_ar_lists_the_members(tmp_path: Path) -> None:
    path = tmp_path / "x.vib"
    path.write_bytes(made().data)
    result = subprocess.run(["ar", "t", str(path)], capture_output=True, text=True, check=True)

    assert result.stdout.split() == ["descriptor.xml", "sig.pkcs7", "agent"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        pytest.param({"name": "a b"}, "a VIB cannot have this name", id="blank in name"),
        pytest.param({"name": "a" * 36}, "a VIB cannot have this name", id="long name"),
        pytest.param({"name": "-x"}, "a VIB cannot have this name", id="hyphen first"),
        pytest.param({"vendor": "a_b"}, "a VIB cannot have this vendor", id="underscore in vendor"),
        pytest.param({"version": VibVersion("1.0")}, "a VIB cannot have this version", id="no release"),
        pytest.param({"version": VibVersion("1.0-1-2")}, "a VIB cannot have this version", id="two hyphens"),
        pytest.param({"version": VibVersion("v1.0-1")}, "a VIB cannot have this version", id="letter first"),
        pytest.param({"type": "meta"}, "a VIB cannot have this type", id="type"),
        pytest.param({"released_at": None}, "the VIB has no release date with time zone", id="no date"),
        pytest.param(
            {"released_at": datetime(2024, 1, 1)},  # noqa: DTZ001 - the point
            "the VIB has no release date with time zone",
            id="no zone",
        ),
        pytest.param({"summary": ""}, "the summary of a VIB is one line", id="no summary"),
        pytest.param({"summary": "a\nb"}, "the summary of a VIB is one line", id="two lines"),
        pytest.param({"summary": "a" * 81}, "the summary of a VIB is one line", id="long summary"),
        pytest.param({"urls": [("k" * 21, "u")]}, "the key of an address is too long", id="url key"),
        pytest.param(
            {"files": ("a",)}, "payloads, file list and file facts are made here, not passed in", id="file list given"
        ),
        pytest.param(
            {"file": VibFile()}, "payloads, file list and file facts are made here, not passed in", id="facts given"
        ),
        pytest.param({"files": None}, "a VIB without file list cannot have payloads with files", id="no file list"),
        pytest.param({"description": " a"}, "a descriptor cannot hold this description", id="blank at an end"),
        pytest.param({"tags": ["a "]}, "a descriptor cannot hold this tags", id="blank in a tag"),
        pytest.param({"depends": [Constraint("")]}, "a descriptor cannot hold what this VIB says", id="nameless"),
        pytest.param({"extra": ["<a/>"]}, "unknown elements belong to VIBs that were read", id="unknown element"),
        pytest.param({"description": "\x01"}, None, id="control character"),
        pytest.param({"description": "\ud800"}, None, id="surrogate"),
        pytest.param({"tags": ["\ufffe"]}, None, id="no character"),
    ],
)
def test_impossible_vibs_are_refused(changes: dict[str, Any], message: str | None) -> None:
    with pytest.raises(ModelError) as caught:
        made(**changes)

    assert message is None or caught.value.message == message


@pytest.mark.parametrize(
    ("payloads", "message"),
    [
        pytest.param([], "the VIB has no payload", id="none"),
        pytest.param(
            [boot_payload("k", b"1"), boot_payload("k", b"2")], "two payloads of the VIB have one name", id="k"
        ),
        pytest.param(
            [vgz_payload("a", FILES), vgz_payload("b", FILES)], "two files of the VIB have one name", id="file"
        ),
    ],
)
def test_payloads_that_do_not_go_together_are_refused(payloads: list[AuthoredPayload], message: str) -> None:
    with pytest.raises(ModelError) as caught:
        author_vib(bare(), payloads)

    assert caught.value.message == message


def test_a_payload_that_was_changed_by_hand_is_refused() -> None:
    payload = attrs.evolve(boot_payload("k", b"kernel"), data=b"other")
    with pytest.raises(ModelError) as caught:
        author_vib(bare(), [payload])

    assert caught.value.message == "the description of payload 'k' is not that of its bytes"


def test_signed_and_unsigned_at_once_is_refused() -> None:
    with pytest.raises(ModelError, match="signed and unsigned at once"):
        author_vib(bare(), [boot_payload("k", b"")], signer=signer(), unsigned=True)


@settings(max_examples=60)
@given(
    st.text(max_size=12),
    st.text(max_size=12),
    st.text(max_size=12),
    st.dictionaries(st.text(), st.binary(), max_size=2),
)
def test_any_texts_give_a_vib_that_reads_back_or_our_error(
    name: str, description: str, tag: str, files: dict[str, bytes]
) -> None:
    try:
        authored = made(vgz_payload("agent", files), name=name or "x", description=description, tags=[tag])
    except ModelError:
        return
    head = read_vib_head(io.BytesIO(authored.data), where="x.vib", limits=LIMITS)

    assert head.parse(where="x.vib", limits=LIMITS) == authored.vib


# Components


def component(name: str = "Acme-Agent", version: str = "1.2-3", *vibs: AuthoredVib, **changes: Any) -> Component:
    fields: dict[str, Any] = {"vendor": "Acme", "summary": "Agents", "released_at": RELEASED}
    members = [authored.vib for authored in vibs or (made(),)]
    return author_component(name, ComponentVersion(version), vibs=members, **(fields | changes))


def test_a_component_lists_its_vibs_and_has_the_usual_id() -> None:
    item = component("Acme-Agent", "1.2-3", made(), made(name="acme-cli"))

    assert item.bulletin.id == "Acme-Agent_1.2-3"
    assert item.vib_ids == ("ACM_bootbank_acme-agent_1.2.3-4", "ACM_bootbank_acme-cli_1.2.3-4")
    assert (item.display_name, item.display_version) == ("Acme-Agent", "1.2-3")
    assert (item.bulletin.release_type, item.bulletin.severity) == ("extension", "general")


def test_a_component_is_for_the_platforms_of_its_vibs_unless_told_otherwise() -> None:
    host, dpu = SoftwarePlatform("8.0"), SoftwarePlatform("8.0", "esxio")
    vibs = [made(software_platforms=[host]), made(name="b", software_platforms=[dpu, host])]

    assert component("A", "1-1", *vibs).bulletin.platforms == (host, dpu)
    assert component("A", "1-1", *vibs, platforms=[SoftwarePlatform("7.*")]).bulletin.platforms == (
        SoftwarePlatform("7.*"),
    )


@pytest.mark.parametrize(
    ("version", "short"),
    [
        ("12.0.1200.0-2vmw.700.1.0.15843807", "12.0.1200.0-2vmw"),
        ("4.1.9.0-1OEM.700.1.0.15525992", "4.1.9.0-1OEM"),
        ("1.46.0.E.41.1.326-2vmw.803.0.0.0.23797590", "1.46.0.E.41.1.326-2vmw.803.0.0.0.23797590"),
        ("7.0.3-0.55.20328353", "7.0.3-0.55.20328353"),
        ("1.0-1", "1.0-1"),
    ],
)
def test_the_version_for_people_leaves_the_sdk_out(version: str, short: str) -> None:
    assert short_version(version) == short


@pytest.mark.parametrize(
    ("make", "message"),
    [
        pytest.param(
            lambda: author_component(
                "A", ComponentVersion("1-1"), vibs=[], vendor="Acme", summary="s", released_at=RELEASED
            ),
            "the component has no VIB",
            id="no VIB",
        ),
        pytest.param(
            lambda: component("A", "1-1", made(), made(version=VibVersion("2-1"))),
            "the component lists two VIBs named 'acme-agent'",
            id="one VIB twice",
        ),
        pytest.param(lambda: component("A B"), "a component cannot have this name", id="name"),
        pytest.param(
            lambda: component(released_at=datetime(2024, 1, 1)),  # noqa: DTZ001 - the point
            "the release date has no time zone",
            id="date",
        ),
        pytest.param(
            lambda: component(summary=" s"),
            "the component's document cannot hold all of its texts",
            id="blank at an end",
        ),
        pytest.param(lambda: component(summary="\x00"), None, id="control character"),
        pytest.param(
            lambda: component(bulletin_id=" "), "the component's document cannot hold all of its texts", id="blank id"
        ),
    ],
)
def test_impossible_components_are_refused(make: Any, message: str | None) -> None:
    with pytest.raises(ModelError) as caught:
        make()

    assert message is None or caught.value.message == message


# Release units


def base_image(*components: Component, **changes: Any) -> Any:
    fields: dict[str, Any] = {
        "display_version": "7.0 U3g - 20328353",
        "released_at": RELEASED,
        "acceptance_level": AcceptanceLevel.CERTIFIED,
    }
    return author_base_image(BaseImageVersion("7.0.3-0.55.20328353"), components, **(fields | changes))


def add_on(*components: Component, **changes: Any) -> Any:
    fields: dict[str, Any] = {
        "vendor": "Acme",
        "released_at": RELEASED,
        "acceptance_level": AcceptanceLevel.PARTNER,
        "supported_base_images": ["7.0.3"],
    }
    return author_add_on("ACME-AddOn", AddOnVersion("703.A08"), components=components, **(fields | changes))


def test_release_units_list_their_components_by_name() -> None:
    components = component("B", "1-1"), component("A", "2-1")
    base, unit = base_image(*components), add_on(*components, removed_components=["D", "C", "D"])

    assert [str(item) for item in base.components] == ["A:2-1", "B:1-1"]
    assert base.id == "ESXi:7.0.3-0.55.20328353"
    assert [str(item) for item in unit.components] == ["A:2-1", "B:1-1"]
    assert (unit.removed_components, unit.supported_base_images) == (("C", "D"), ("7.0.3",))
    assert (unit.display_name, unit.display_version) == ("ACME-AddOn", "703.A08")


@pytest.mark.parametrize(
    ("make", "message"),
    [
        pytest.param(base_image, "the release unit has no component", id="empty base image"),
        pytest.param(add_on, "the release unit has no component", id="empty add-on"),
        pytest.param(
            lambda: base_image(component("A", "1-1"), component("A", "2-1")),
            "the release unit lists one component twice",
            id="twice",
        ),
        pytest.param(
            lambda: add_on(component("A"), removed_components=["A"]),
            "the add-on brings and removes one component",
            id="brought and removed",
        ),
        pytest.param(
            lambda: base_image(component("A"), released_at=datetime(2024, 1, 1)),  # noqa: DTZ001 - the point
            "the release date has no time zone",
            id="date",
        ),
        pytest.param(
            lambda: add_on(component("A"), supported_base_images="7.0.3"),
            "author_add_on() was given a wrong type for 'supported_base_images'",
            id="text for a list",
        ),
    ],
)
def test_impossible_release_units_are_refused(make: Any, message: str) -> None:
    with pytest.raises(ModelError) as caught:
        make()

    assert caught.value.message == message


# Depots


def write(target: str | Path, vibs: list[AuthoredVib], **changes: Any) -> None:
    fields: dict[str, Any] = {
        "vendor_name": "Acme",
        "vendor_code": "ACM",
        "products": PRODUCTS,
        "timestamp": RELEASED,
    }
    write_authored_depot(target, vibs, **(fields | changes))


def esx_base(version: str = "7.0.3-0.55.20328353") -> AuthoredVib:
    return made(boot_payload("b", b"kernel"), name="esx-base", version=VibVersion(version))


def test_a_depot_opens_as_it_was_written(tmp_path: Path) -> None:
    vibs = [made(), esx_base()]
    base_component = component("ESXi", "7.0.3-0.55.20328353", esx_base())
    agent = component("Acme-Agent", "1.2-3", made())
    profile = ImageProfile(name="P", vibs=[ProfileVib(vib_id=item.vib.id) for item in vibs])
    units = [base_image(base_component), add_on(agent), Solution(name="S", version=AddOnVersion("1"))]
    write(tmp_path / "d.zip", vibs, bulletins=[base_component, agent], units=units, profiles=[profile])

    with open_depot(tmp_path / "d.zip") as depot:
        catalog = depot.catalog
        assert catalog.findings == ()
        assert [vib.id for vib in catalog.vibs] == sorted(item.vib.id for item in vibs)
        assert set(catalog.vibs) == {item.vib for item in vibs}
        assert catalog.components == (agent, base_component)
        assert catalog.base_images == (units[0],)
        assert catalog.add_ons == (units[1],)
        assert catalog.profiles == (profile,)
        for item in vibs:
            with depot.open_vib(item.vib) as source:
                assert source.read() == item.data


def test_the_target_may_be_a_text(tmp_path: Path) -> None:
    """As for all exports."""
    write(f"{tmp_path}/d.zip", [made()])
    assert (tmp_path / "d.zip").is_file()


def test_depots_are_written_the_same_whatever_the_order_of_the_vibs(tmp_path: Path) -> None:
    vibs = [made(), made(name="acme-cli")]
    write(tmp_path / "a.zip", vibs)
    write(tmp_path / "b.zip", vibs[::-1])

    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()


def test_a_depot_zip_is_stored_and_passes_its_own_test(tmp_path: Path) -> None:
    write(tmp_path / "d.zip", [made()])
    with zipfile.ZipFile(tmp_path / "d.zip") as archive:
        assert archive.testzip() is None
        assert {info.compress_type for info in archive.infolist()} == {zipfile.ZIP_STORED}
        assert archive.namelist() == [
            "index.xml",
            "vendor-index.xml",
            "metadata.zip",
            "vib20/acme-agent/ACM_bootbank_acme-agent_1.2.3-4.vib",
        ]


@pytest.mark.parametrize(
    ("vibs", "changes", "message"),
    [
        pytest.param([made(), made()], {}, "the depot shall hold one VIB id twice", id="VIB twice"),
        pytest.param(
            [esx_base()],
            {"bulletins": [component()]},
            "the depot would not hold every VIB that it names",
            id="VIB gone",
        ),
        pytest.param(
            [made()],
            {"profiles": [ImageProfile(name="P", vibs=[ProfileVib(vib_id="x")])]},
            "the depot would not hold every VIB that it names",
            id="VIB of a profile gone",
        ),
        pytest.param(
            [made()],
            {"units": [add_on(component())]},
            "the depot would not hold every component that it names",
            id="component gone",
        ),
        pytest.param(
            [made()],
            {"units": [base_image(component())], "bulletins": [component()]},
            "the base image has not the version of its esx-base VIB",
            id="no esx-base",
        ),
        pytest.param(
            [esx_base("7.0.3-0.50.20036589")],
            {
                "units": [base_image(component("ESXi", "1-1", esx_base("7.0.3-0.50.20036589")))],
                "bulletins": [component("ESXi", "1-1", esx_base("7.0.3-0.50.20036589"))],
            },
            "the base image has not the version of its esx-base VIB",
            id="another esx-base",
        ),
        pytest.param([made()], {"vendor_code": "ACME"}, "the vendor code must be three letters or digits", id="code"),
    ],
)
def test_incomplete_depots_are_refused_and_nothing_is_written(
    vibs: list[AuthoredVib], changes: dict[str, Any], message: str, tmp_path: Path
) -> None:
    with pytest.raises(ModelError) as caught:
        write(tmp_path / "d.zip", vibs, **changes)

    assert caught.value.message == message
    assert list(tmp_path.iterdir()) == []


def test_the_store_gives_only_what_it_was_made_of() -> None:
    store = AuthoredVibStore([made()])
    with store.open_vib(made().vib) as source:
        assert source.read() == made().data
    with pytest.raises(NotInDepotError):
        store.open_vib(esx_base().vib)
