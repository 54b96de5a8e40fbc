"""The VIB descriptor: read in every shape that real files have, written as VMware's tools do."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from datetime import UTC, datetime
from typing import Any

import attrs
import pytest
from hypothesis import HealthCheck, given, settings
from support import schema_strategies as strategies
from support.document_builders import VibBuilder, element, wrapped

from esximage_builder.checksums import Checksum
from esximage_builder.documents.vib_descriptor import (
    descriptor_file_name,
    parse_vib_descriptor,
    render_vib_descriptor,
)
from esximage_builder.errors import InvalidFieldError, LimitExceededError, MalformedDocumentError
from esximage_builder.models.constraint import Constraint, Provide
from esximage_builder.models.vib import (
    HardwarePlatform,
    MaintenanceMode,
    Payload,
    SoftwarePlatform,
    Vib,
    VibFile,
)
from esximage_builder.versions import VibVersion
from esximage_builder.vocabulary import AcceptanceLevel, Relation

PLAIN = VibBuilder()
MOMENT = datetime(2024, 1, 31, 0, 0, 0, 1, tzinfo=UTC)
ORDER = [
    "type", "name", "version", "vendor", "summary", "description", "release-date", "urls", "relationships",
    "software-tags", "relative-path", "packed-size", "checksum", "system-requires", "file-list", "acceptance-level",
    "live-install-allowed", "live-remove-allowed", "cimom-restart", "stateless-ready", "overlay", "payloads",
]  # fmt: skip


def parsed(data: bytes) -> Vib:
    return parse_vib_descriptor(data, where="x.xml", max_bytes=1_000_000)


def tree(data: bytes | str) -> ET.Element:
    """The document as Python's own parser sees it."""
    return ET.fromstring(data)  # noqa: S314 - our own bytes


def of(builder: VibBuilder) -> Vib:
    return parsed(builder.descriptor())


def constraint(name: str, relation: str, version: str) -> str:
    return element("constraint", name=name, relation=relation, version=version)


def requires(*inside: str) -> VibBuilder:
    return PLAIN.with_element("system-requires", wrapped("system-requires", inside))


def test_a_plain_descriptor_is_read_whole() -> None:
    assert of(PLAIN) == Vib(
        name="net-acme",
        version=VibVersion("1.0.0-1OEM.703.0.0.18644231"),
        vendor="ACM",
        summary="Acme NIC driver",
        description="Driver for all Acme NICs",
        released_at=MOMENT,
        urls=[("KB1", "https://acme.example/kb/1")],
        tags=["driver", "module"],
        maintenance_mode=MaintenanceMode(required=True),
        files=["usr/lib/vmware/vmkmod/netacme"],
        acceptance_level=AcceptanceLevel.PARTNER,
        payloads=of(PLAIN).payloads,
    )
    assert of(PLAIN).file is None
    assert of(PLAIN).id == PLAIN.id


def test_a_depot_copy_says_what_the_file_is() -> None:
    vib = parsed(PLAIN.metadata())
    assert vib == of(PLAIN)
    assert vib.file == VibFile(
        size_bytes=len(PLAIN.vib()), sha256=vib.fingerprint, relative_path=f"vib20/net-acme/{PLAIN.id}.vib"
    )


@pytest.mark.parametrize(
    "builder",
    [
        pytest.param(PLAIN.with_(is_pretty=True), id="pretty-printed"),
        pytest.param(PLAIN.with_appended("<!-- made with VIB Author -->"), id="comment-at-end"),
        pytest.param(PLAIN.with_element("name", "<!-- c --><name>net-acme</name>"), id="comment-inside"),
        pytest.param(
            PLAIN.with_element("summary", "<summary>\n Acme NIC driver \n</summary>"), id="blanks-around-text"
        ),
        pytest.param(PLAIN.with_element("installdate", element("installdate", "2024-02-02T00:00:00Z")), id="host-copy"),
        pytest.param(
            PLAIN.with_element("urls", wrapped("urls", [element("url", " https://acme.example/kb/1 ", key="KB1")])),
            id="url-blanks",
        ),
        pytest.param(requires(element("maintenanceMode", "true")), id="maintenanceMode"),
        pytest.param(
            PLAIN.with_element("file-list", wrapped("file-list", [element("file", "/usr/lib/vmware/vmkmod/netacme")])),
            id="leading-slash",
        ),
        pytest.param(PLAIN.without("type"), id="bootbank-by-default"),
        pytest.param(
            PLAIN.without("live-install-allowed", "overlay", "cimom-restart", "stateless-ready"), id="flags-default"
        ),
        pytest.param(PLAIN.with_element("acceptance-level", element("acceptance-level", "Partner")), id="level-case"),
    ],
)
def test_how_a_descriptor_is_spelt_does_not_matter(builder: VibBuilder) -> None:
    assert of(builder) == of(PLAIN)


def test_the_order_of_elements_does_not_matter() -> None:
    root = tree(PLAIN.metadata())
    root[:] = reversed(root)
    assert parsed(ET.tostring(root)) == of(PLAIN)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        pytest.param("2024-01-31T00:00:00.000001", MOMENT, id="no-zone"),
        pytest.param("2024-01-31T00:00:00.000001+00:00", MOMENT, id="zone"),
        pytest.param("2024-01-31T00:00:00+00:00", MOMENT.replace(microsecond=0), id="no-fraction"),
        pytest.param("2024-01-31T00:00:00", MOMENT.replace(microsecond=0), id="neither"),
        pytest.param("2024-01-31T08:00:00.000001+08:00", MOMENT, id="other-zone"),
        pytest.param("2024-01-31T00:00:00.000001Z", MOMENT, id="zulu"),
        pytest.param("2024-01-31", MOMENT.replace(microsecond=0), id="day-only"),
        pytest.param(" \n ", None, id="blank"),
    ],
)
def test_dates_are_read_in_every_form(text: str, moment: datetime | None) -> None:
    vib = of(PLAIN.with_element("release-date", f"<release-date>{text}</release-date>"))
    assert vib.released_at == moment
    assert parsed(render_vib_descriptor(vib)) == vib


@pytest.mark.parametrize(
    ("missing", "changes"),
    [
        pytest.param("file-list", {"files": None}, id="file-list"),
        pytest.param("release-date", {"released_at": None}, id="release-date"),
        pytest.param("urls", {"urls": ()}, id="urls"),
        pytest.param("software-tags", {"tags": ()}, id="software-tags"),
        pytest.param("relationships", {}, id="relationships"),
        pytest.param("system-requires", {"maintenance_mode": MaintenanceMode()}, id="system-requires"),
        pytest.param("acceptance-level", {"acceptance_level": AcceptanceLevel.COMMUNITY}, id="acceptance-level"),
        pytest.param("payloads", {"payloads": ()}, id="payloads"),
        pytest.param("summary", {"summary": ""}, id="summary"),
    ],
)
def test_what_real_files_leave_out_may_be_missing(missing: str, changes: dict[str, Any]) -> None:
    vib = of(PLAIN.without(missing))
    assert vib == attrs.evolve(of(PLAIN), **changes)
    assert parsed(render_vib_descriptor(vib)) == vib


def test_a_missing_list_of_files_is_not_an_empty_one() -> None:
    assert of(PLAIN.with_element("file-list", "<file-list/>")).files == ()
    assert of(PLAIN.without("file-list")).files is None
    assert b"file-list" not in render_vib_descriptor(of(PLAIN.without("file-list")))


def test_relationships_are_read() -> None:
    vib = of(
        PLAIN.with_(
            is_pretty=True,
            relationships={
                "depends": constraint("esx-version", ">=", "8.0.0") + element("constraint", name="vmkapi_2_9_0_0"),
                "conflicts": constraint("SecondConflict", ">>", "1.2.3.4"),
                "replaces": constraint("old-net", "<<", "1.0") + constraint("qedentv_ver", "=", "X.12.6.0"),
                "provides": element("provide", name="cim.CMPI", version="1.0")
                + element("provide", name="cim.CMPI", version="2.0")
                + element("provide", name="com.vmware.driverAPI-9.2.3.0"),
                "compatibleWith": constraint("any", "<=", "7.0.0"),
            },
        )
    )
    assert vib.depends == (
        Constraint("esx-version", Relation.GREATER_EQUAL, VibVersion("8.0.0")),
        Constraint("vmkapi_2_9_0_0"),
    )
    assert vib.conflicts == (Constraint("SecondConflict", Relation.GREATER, VibVersion("1.2.3.4")),)
    assert vib.replaces == (
        Constraint("old-net", Relation.LESS, VibVersion("1.0")),
        Constraint("qedentv_ver", Relation.EQUAL, VibVersion("X.12.6.0")),
    )
    assert vib.provides == (
        Provide("cim.CMPI", VibVersion("1.0")),
        Provide("cim.CMPI", VibVersion("2.0")),
        Provide("com.vmware.driverAPI-9.2.3.0"),
    )
    assert vib.compatible_with == (Constraint("any", Relation.LESS_EQUAL, VibVersion("7.0.0")),)
    assert parsed(render_vib_descriptor(vib)) == vib


def test_what_the_host_must_be_is_read() -> None:
    vib = of(
        requires(
            '<maintenance-mode on-install="true" on-remove="false">false</maintenance-mode>',
            element("hwplatform", vendor="Acme", model="X1"),
            element("hwplatform", vendor="Acme"),
            element("softwarePlatform", version="8.*", locale="", productLineID="embeddedEsx"),
            element("softwarePlatform", productLineID="esxio", locale="", version="8.0"),
        )
    )
    assert vib.maintenance_mode == MaintenanceMode(required=False, on_install=True, on_remove=False)
    assert vib.hardware_platforms == (HardwarePlatform("Acme", "X1"), HardwarePlatform("Acme"))
    assert vib.software_platforms == (SoftwarePlatform("8.*", "embeddedEsx"), SoftwarePlatform("8.0", "esxio"))
    assert parsed(render_vib_descriptor(vib)) == vib


def test_a_payload_is_read_whole() -> None:
    digest = "AB" * 32
    xml = (
        '<payloads><payload compression-option="level=18" name="b" size="10" type="boot" boot-order="10"'
        ' uncompressed-size="20" vfat-name="b.gz" acme="1">'
        f'<checksum checksum-type="sha-256" verify-process="txt-mle">{digest}</checksum>'
        f'<checksum checksum-type="sha-256-gunzip1">\n{digest}\n</checksum></payload></payloads>'
    )
    vib = of(PLAIN.with_element("payloads", xml))
    assert vib.payloads == (
        Payload(
            name="b",
            type="boot",
            size_bytes=10,
            uncompressed_size_bytes=20,
            boot_order=10,
            vfat_name="b.gz",
            compression_option="level=18",
            checksums=[Checksum("sha-256", "ab" * 32, "txt-mle"), Checksum("sha-256-gunzip1", "ab" * 32)],
            extra=[("acme", "1")],
        ),
    )
    assert parsed(render_vib_descriptor(vib)) == vib


@pytest.mark.parametrize(
    ("builder", "vib_id"),
    [
        pytest.param(PLAIN.with_(vendor="github.com_tcely"), "github.com_tcely_bootbank_net-acme_", id="underscores"),
        pytest.param(PLAIN.with_(name="elx-esx-libelxima.so"), "ACM_bootbank_elx-esx-libelxima.so_", id="dots"),
        pytest.param(PLAIN.with_(type="locker"), "ACM_locker_net-acme_", id="locker"),
    ],
)
def test_the_id_is_made_of_the_parts(builder: VibBuilder, vib_id: str) -> None:
    assert of(builder).id == f"{vib_id}1.0.0-1OEM.703.0.0.18644231"


@pytest.mark.parametrize("version", ["v1.3-0", "2.4.5", "0.0.4", "8.045a-napi", "1.15-1vmw.900.0.84947163"])
def test_odd_versions_are_read_and_written_as_they_are(version: str) -> None:
    vib = of(PLAIN.with_(version=version))
    assert str(vib.version) == version
    assert f"<version>{version}</version>".encode() in render_vib_descriptor(vib)


@pytest.mark.parametrize(
    ("version", "shown"), [("5.0", "5.0"), ("6.5", "6.5"), (None, "")], ids=["shipped", "build-time", "template"]
)
def test_the_schema_version_does_not_decide_anything(version: str | None, shown: str) -> None:
    attribute = f' version="{version}"' if version else ""
    data = PLAIN.descriptor().replace(b' version="5.0"', attribute.encode(), 1)
    vib = parsed(data)
    assert vib == attrs.evolve(of(PLAIN), schema_version=shown)
    assert parsed(render_vib_descriptor(vib)) == vib


UNKNOWN = ('<acme-x level="1"><in>x</in></acme-x>', "<acme-y/>", "<acme-y/>")


def test_unknown_elements_survive() -> None:
    vib = of(PLAIN.with_appended("".join(UNKNOWN)))
    assert vib.extra == UNKNOWN
    assert vib != of(PLAIN)
    written = render_vib_descriptor(vib)
    assert all(raw.encode() in written for raw in UNKNOWN)
    assert parsed(written).extra == UNKNOWN


PAYLOAD_TWICE = wrapped(
    "payloads",
    [element("payload", name=name, type="vgz", size=size) for name, size in (("a", "1"), ("b", "1"), ("a", "2"))],
)
INVALID = [
    pytest.param(
        PLAIN.with_element("payloads", PAYLOAD_TWICE),
        "two payloads have one name",
        "<vib>/payloads/payload[3]",
        id="payload-twice",
    ),
    pytest.param(PLAIN.without("name"), "<name> is missing", "<vib>", id="no-name"),
    pytest.param(PLAIN.without("version"), "<version> is missing", "<vib>", id="no-version"),
    pytest.param(PLAIN.without("vendor"), "<vendor> is missing", "<vib>", id="no-vendor"),
    pytest.param(PLAIN.with_(name=""), "<name> is empty", "<vib>/name", id="empty-name"),
    pytest.param(PLAIN.with_(version="1 0"), "no VIB version", "<vib>/version", id="bad-version"),
    pytest.param(PLAIN.with_appended("<name>x</name>"), "<name> occurs twice", "<vib>/name[2]", id="name-twice"),
    pytest.param(
        PLAIN.with_element("release-date", "<release-date>soon</release-date>"),
        "no date",
        "<vib>/release-date",
        id="date",
    ),
    pytest.param(
        PLAIN.with_element("release-date", "<release-date>0001-01-01T00:00:00+08:00</release-date>"),
        "no date",
        "<vib>/release-date",
        id="date-before-all",
    ),
    pytest.param(PLAIN.with_(acceptance_level="gold"), "no acceptance level", "<vib>/acceptance-level", id="level"),
    pytest.param(
        PLAIN.with_element("overlay", "<overlay>maybe</overlay>"), "no truth value", "<vib>/overlay", id="flag"
    ),
    pytest.param(
        PLAIN.with_(relationships={"depends": "<constraint/>"}),
        "name is missing",
        "/depends/constraint",
        id="no-constraint-name",
    ),
    pytest.param(
        PLAIN.with_(relationships={"depends": element("constraint", name="a", relation="<<")}),
        "half a comparison",
        "/depends/constraint",
        id="no-constraint-version",
    ),
    pytest.param(
        PLAIN.with_(relationships={"depends": element("constraint", name="a", version="1")}),
        "half a comparison",
        "/depends/constraint",
        id="no-relation",
    ),
    pytest.param(
        PLAIN.with_(relationships={"depends": constraint("a", "<", "1")}),
        "half a comparison",
        "/depends/constraint",
        id="unknown-relation",
    ),
    pytest.param(
        PLAIN.with_(relationships={"conflicts": constraint("a", "=", "?")}),
        "no VIB version",
        "/conflicts/constraint",
        id="constraint-version",
    ),
    pytest.param(
        PLAIN.with_(relationships={"provides": "<provide/>"}),
        "name is missing",
        "/provides/provide",
        id="no-provide-name",
    ),
    pytest.param(PLAIN.with_(payload_attributes={"size": "1 MB"}), "size is no number", "/payloads/payload", id="size"),
    pytest.param(
        PLAIN.with_(payload_attributes={"boot-order": "first"}),
        "boot-order is no number",
        "/payloads/payload",
        id="boot-order",
    ),
    pytest.param(
        PLAIN.with_(payload_attributes={"type": ""}), "type is missing", "/payloads/payload", id="payload-type"
    ),
    pytest.param(PLAIN.with_(payload_name=""), "name is missing", "/payloads/payload", id="payload-name"),
    pytest.param(
        PLAIN.with_element(
            "payloads", '<payloads><payload name="a" type="vgz"><checksum>00</checksum></payload></payloads>'
        ),
        "checksum-type is missing",
        "/payload/checksum",
        id="checksum-type",
    ),
    pytest.param(
        PLAIN.with_appended("<packed-size>-1</packed-size>"),
        "packed-size is no number",
        "<vib>/packed-size",
        id="packed-size",
    ),
    pytest.param(
        requires("<maintenance-mode>maybe</maintenance-mode>"), "no truth value", "/maintenance-mode", id="maintenance"
    ),
    pytest.param(
        requires('<maintenance-mode on-install="x">true</maintenance-mode>'),
        "on-install is no truth value",
        "/maintenance-mode",
        id="on-install",
    ),
    pytest.param(requires("<hwplatform/>"), "vendor is missing", "/hwplatform", id="hwplatform"),
]


@pytest.mark.parametrize(("builder", "message", "place"), INVALID)
def test_a_wrong_value_is_named_with_its_place(builder: VibBuilder, message: str, place: str) -> None:
    with pytest.raises(InvalidFieldError, match=re.escape(message)) as caught:
        of(builder)
    assert caught.value.where.startswith("x.xml:1 <vib>")
    assert caught.value.where.endswith(place)


def test_another_document_is_no_descriptor() -> None:
    with pytest.raises(MalformedDocumentError, match="is no <vib>"):
        parsed(b"<bulletin/>")
    with pytest.raises(LimitExceededError):
        parse_vib_descriptor(PLAIN.descriptor(), where="x", max_bytes=10)


@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow])
@given(strategies.vibs())
def test_what_is_written_is_read_back(vib: Vib) -> None:
    written = render_vib_descriptor(vib, with_file=True)
    again = parsed(written)
    assert again == vib
    assert again.file == vib.file
    assert render_vib_descriptor(again, with_file=True) == written
    assert parsed(render_vib_descriptor(vib)).file is None
    assert written.isascii()


@settings(max_examples=50, suppress_health_check=[HealthCheck.too_slow])
@given(strategies.vibs())
def test_elements_are_written_in_vmware_s_order(vib: Vib) -> None:
    tags = [child.tag for child in tree(render_vib_descriptor(vib, with_file=True))]
    known = [tag for tag in tags if tag in ORDER]
    assert known == sorted(known, key=ORDER.index)
    assert tags[len(known) :] == [tree(raw).tag for raw in vib.extra]


def test_a_copy_has_a_file_name_of_its_own_that_never_changes() -> None:
    names = [descriptor_file_name(of(PLAIN.with_(version=version))) for version in ("1.0-1", "1.0-2", "1.0-1")]
    assert names[0] == names[2] != names[1]
    assert all(re.fullmatch(r"net-acme-[0-9]+\.xml", name) for name in names)


def test_all_five_groups_of_relationships_are_always_written() -> None:
    relationships = tree(render_vib_descriptor(of(PLAIN))).find("relationships")
    assert relationships is not None
    assert [child.tag for child in relationships] == [
        "depends",
        "conflicts",
        "replaces",
        "provides",
        "compatibleWith",
    ]


def test_unknown_elements_inside_known_ones_survive() -> None:
    """A later ESXi may say more of a payload, a requirement or a relationship."""
    data = VibBuilder().descriptor()
    edited = (
        data.replace(b"</system-requires>", b'<nested a="1"><deep/></nested></system-requires>')
        .replace(b"</relationships>", b"<recommends/></relationships>")
        .replace(b"</payload>", b"<note>x</note></payload>")
    )
    assert edited.count(b"nested") + edited.count(b"recommends") + edited.count(b"note") == 5

    vib = parse_vib_descriptor(edited, where="x.xml", max_bytes=1 << 20)
    again = parse_vib_descriptor(render_vib_descriptor(vib), where="y.xml", max_bytes=1 << 20)

    assert again == vib
    assert vib.extra_requirements == ('<nested a="1"><deep/></nested>',)
    assert vib.extra_relationships == ("<recommends/>",)
    assert vib.payloads[0].extra_elements == ("<note>x</note>",)
