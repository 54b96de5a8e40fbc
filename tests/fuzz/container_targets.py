"""Calls of everything in ``containers`` that reads."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from fuzz.target import (
    BIG,
    FILES_READ,
    LIMITS,
    MAX_BYTES,
    WHERE,
    PassOver,
    Shape,
    Target,
    drain,
    refusal,
    require_agreement,
)

from esximage_builder.containers import (
    boot_info_table,
    certificates,
    cms,
    iso9660,
    json_document,
    tar_head,
    ustar,
    vmtar,
    xml,
)
from esximage_builder.containers.ar import ArSplitter, ArStream, read_ar_index
from esximage_builder.containers.boot_catalog import check_boot_catalog
from esximage_builder.containers.disc_account import check_account
from esximage_builder.containers.disc_stick import stick_of
from esximage_builder.containers.fat32 import FatFile, lay_out_stick
from esximage_builder.containers.fat32_reader import open_stick
from esximage_builder.containers.file_tree import leads_outside, load_tree, read_tree, require_tree, sorted_tree
from esximage_builder.containers.gzip import gunzip_blocks, gunzip_stream
from esximage_builder.containers.iso9660_reader import open_iso
from esximage_builder.containers.tar_gz import TarGzReader, read_tgz
from esximage_builder.containers.toml import parse_toml
from esximage_builder.containers.zip import ZipReader, open_zip, require_zip_signature
from esximage_builder.containers.zstd import unzstd_blocks
from esximage_builder.documents.bulletin import parse_bulletin_element
from esximage_builder.documents.signatures import head_facts, verify_detached
from esximage_builder.documents.software_platform import parse_software_platforms
from esximage_builder.documents.vib_archive import VibHead
from esximage_builder.documents.vib_descriptor import parse_relationships

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["CONTAINER_TARGETS"]

_WHEN: Final = datetime(2024, 1, 31, tzinfo=UTC)
_ANCHOR = (Path(__file__).parents[2] / "fixtures" / "keys" / "TEST-ONLY-certificate.pem").read_bytes()


def _ar_stream(data: bytes) -> None:
    for _, stream in ArStream(io.BytesIO(data), where=WHERE, limits=LIMITS):
        drain(stream)


def _ar_pushed(data: bytes) -> None:
    splitter = ArSplitter(PassOver(), where=WHERE, limits=LIMITS)
    step = 1 + len(data) // 7
    for at in range(0, len(data), step):
        splitter.write(data[at : at + step])
    splitter.close()


def _ar(data: bytes) -> None:
    """Whoever reads an archive, in whatever way, accepts it or none does."""
    require_agreement(
        data,
        _ar_stream,
        _ar_pushed,
        lambda data: read_ar_index(io.BytesIO(data), where=WHERE, limits=LIMITS),
    )


def _boot_info_table(data: bytes) -> None:
    boot_info_table.is_boot_info_table_right(data, offset=2048)
    boot_info_table.without_boot_info_table(data)
    list(boot_info_table.possible_originals(data))
    if len(data) >= boot_info_table.SMALLEST_LOADER_BYTES:
        loader = boot_info_table.with_boot_info_table(data, offset=2048)
        assert boot_info_table.is_boot_info_table_right(loader, offset=2048)


def _signatures(data: bytes) -> None:
    errors = []
    for call in (cms.describe_signatures, cms.describe_signature):
        errors += refusal(call, data, where=WHERE)
    for check in (cms.check_signatures, cms.check_signature):
        errors += refusal(check, data, b"<vib/>", where=WHERE)
    verify_detached(b"<vib/>", data, anchors=_ANCHOR)
    certificates.certificate_fault([data])
    certificates.distrust(data, [data], certificates.load_anchors(_ANCHOR))
    head_facts("vib", VibHead(descriptor=b"<vib/>", signature=data))
    if errors:
        raise errors[0]


def _signing(data: bytes) -> None:
    refusal(cms.require_anchors, data)
    cms.sign_detached(b"<vib/>", key_pem=data, certificate_pem=data, signed_at=_WHEN)


def _gzip(data: bytes) -> None:
    for _ in gunzip_blocks(io.BytesIO(data), where=WHERE, max_bytes=16 * MAX_BYTES):
        pass
    drain(gunzip_stream(io.BytesIO(data), where=WHERE, max_bytes=16 * MAX_BYTES))


def _lay_out(data: bytes) -> None:
    paths = data.decode("latin-1").split("\n")[:FILES_READ]
    files = [iso9660.IsoFile(path=path, content=b"x") for path in paths if iso9660.is_legal_iso_path(path)]
    layout = iso9660.lay_out_iso(files, volume_id="X", bios_boot=None, efi_boot=None, timestamp=_WHEN)
    disc = io.BytesIO()
    layout.write_skeleton(disc)
    with open_iso(disc, where="what we wrote", limits=LIMITS) as reader:
        assert {file.path for file in files} == set(reader.files)


def _disc(data: bytes) -> None:
    with open_iso(io.BytesIO(data), where=WHERE, limits=LIMITS) as disc:
        for _ in disc.recorded_names():
            pass
        for path in list(disc.files)[:FILES_READ]:
            disc.read(path, max_bytes=MAX_BYTES)


def _stick(data: bytes) -> None:
    with open_stick(io.BytesIO(data), where=WHERE, limits=LIMITS) as stick:
        for path in list(stick.files)[:FILES_READ]:
            stick.read(path, max_bytes=MAX_BYTES)
        paths = list(stick.files)[:FILES_READ]
    lay_out_stick([FatFile(path=path, content=b"x") for path in paths], label="X", timestamp=_WHEN)


def _json(data: bytes) -> None:
    document = json_document.parse_json_object(data, where=WHERE, max_bytes=MAX_BYTES)
    json_document.json_pairs(document, frozenset())
    again = json_document.parse_json_object(
        json_document.render_json(document), where="what we wrote", max_bytes=16 * MAX_BYTES
    )
    assert json_document.canonical_json(again) == json_document.canonical_json(document)


def _tar_gz(data: bytes) -> None:
    for _, stream in TarGzReader(io.BytesIO(data), where=WHERE, limits=LIMITS):
        drain(stream)
    for _ in read_tgz(io.BytesIO(data), where=WHERE, limits=LIMITS):
        pass


def _tar_head(data: bytes) -> None:
    tar_head.first_member_names(data)
    ustar.checksum_of(data[: ustar.BLOCK_BYTES])
    ustar.split_name(data)


def _vmtar(data: bytes) -> None:
    vmtar.detect_tar_kind(data)
    vmtar.parse_vmtar(data, where=WHERE)
    vmtar.read_vmtar(io.BytesIO(data), where=WHERE, limits=LIMITS)


_GETTERS: tuple[Callable[[xml.XmlElement], object], ...] = (
    lambda element: xml.place(element, WHERE),
    lambda element: xml.children_by_tag(element, where=WHERE),
    lambda element: xml.require_text({str(element.tag): element}, str(element.tag), of=element, where=WHERE),
    lambda element: xml.require_child({}, "x", of=element, where=WHERE),
    lambda element: xml.time_of(element, where=WHERE),
    lambda element: xml.boolean(element, where=WHERE),
    lambda element: xml.attribute(element, "name", where=WHERE),
    lambda element: xml.integer(element, xml.text_of(element), where=WHERE, of="it"),
    lambda element: xml.unknown_children(xml.child_elements(element), frozenset()),
    parse_software_platforms,
    lambda element: parse_relationships(element, where=WHERE),
    lambda element: parse_bulletin_element(element, where=WHERE),
)


def _xml(data: bytes) -> None:
    root = xml.parse_xml(data, where=WHERE, root="vib", max_bytes=MAX_BYTES)
    for element in [root, *xml.child_elements(root)][:FILES_READ]:
        for getter in _GETTERS:
            refusal(getter, element)
    parent = xml.new_element("vib")
    xml.add_raw(parent, xml.raw_text(root))
    xml.parse_xml(xml.render_xml(parent, pretty=True), where="what we wrote", root="vib", max_bytes=16 * MAX_BYTES)


def _add_raw(data: bytes) -> None:
    xml.add_raw(xml.new_element("vib"), data.decode("utf-8", "replace"))


def _drain_member(archive: ZipReader, name: str) -> None:
    drain(archive.open(name))


def _zip(data: bytes) -> None:
    require_zip_signature(data[:4], size_bytes=len(data), where=WHERE)
    with open_zip(io.BytesIO(data), where=WHERE, limits=LIMITS) as archive:
        for name in list(archive.members)[:FILES_READ]:
            refusal(_drain_member, archive, name)
            refusal(archive.read, name, max_bytes=MAX_BYTES)


def _zstd(data: bytes) -> None:
    for _ in unzstd_blocks([data[:100], data[100:]], where=WHERE, max_bytes=16 * MAX_BYTES):
        pass


def _file_tree(data: bytes) -> None:
    read_tree(io.BytesIO(data), where=WHERE, limits=LIMITS)
    sorted_tree(require_tree(load_tree(data, where=WHERE, limits=LIMITS)))
    name, _, target = data[:200].decode("utf-8", "replace").partition("\n")
    leads_outside(name, target)


def _disc_account(data: bytes) -> None:
    with open_iso(io.BytesIO(data), where=WHERE, limits=LIMITS) as disc:
        list(check_account(disc, limits=LIMITS))
        list(check_boot_catalog(disc, images={}))
        stick_of(disc)


CONTAINER_TARGETS: Final = (
    Target("ar", _ar, ("ar.ArStream", "ar.ArSplitter", "ar.read_ar_index"), Shape.AR),
    Target(
        "boot_info_table",
        _boot_info_table,
        tuple(f"boot_info_table.{name}" for name in boot_info_table.__all__ if name.islower()),
        Shape.BINARY,
        4096,
    ),
    Target(
        "cms",
        _signatures,
        (
            *("cms.describe_signature", "cms.describe_signatures", "cms.check_signature", "cms.check_signatures"),
            *("signatures.verify_detached", "signatures.head_facts", "cms.check_each_signature"),
            *("certificates.certificate_fault", "certificates.distrust"),
        ),
        Shape.PEM,
    ),
    Target(
        "cms_signing", _signing, ("cms.sign_detached", "cms.require_anchors", "certificates.load_anchors"), Shape.PEM
    ),
    Target("gzip", _gzip, ("gzip.gunzip_blocks", "gzip.gunzip_stream"), Shape.GZIP, BIG),
    Target("iso_layout", _lay_out, ("iso9660.lay_out_iso", "iso9660.is_legal_iso_path"), Shape.TEXT, 2048),
    Target("iso_reader", _disc, ("iso9660_reader.open_iso", "iso9660_reader.read_disc"), Shape.ISO, BIG),
    Target(
        "json",
        _json,
        tuple(f"json_document.{name}" for name in ("parse_json_object", "json_pairs", "canonical_json", "render_json")),
    ),
    Target("tar_gz", _tar_gz, ("tar_gz.TarGzReader", "tar_gz.read_tgz"), Shape.GZIP, BIG),
    Target(
        "tar_head",
        _tar_head,
        ("tar_head.first_member_names", "ustar.checksum_of", "ustar.split_name"),
        Shape.GZIP,
    ),
    Target("vmtar", _vmtar, ("vmtar.detect_tar_kind", "vmtar.parse_vmtar", "vmtar.read_vmtar"), Shape.TAR, 1 << 16),
    Target(
        "xml",
        _xml,
        (
            *(f"xml.{name}" for name in xml.__all__ if name.islower()),
            "software_platform.parse_software_platforms",
            "vib_descriptor.parse_relationships",
            "bulletin.parse_bulletin_element",
        ),
    ),
    Target("xml_raw", _add_raw, ("xml.add_raw",)),
    Target("zip", _zip, ("zip.open_zip", "zip.require_zip_signature"), Shape.ZIP, BIG),
    Target("stick", _stick, ("fat32_reader.open_stick", "fat32.lay_out_stick"), Shape.BINARY, 1 << 16),
    Target("zstd", _zstd, ("zstd.unzstd_blocks",), Shape.BINARY, 1 << 16),
    Target("toml", lambda data: parse_toml(data, where=WHERE, max_bytes=MAX_BYTES), ("toml.parse_toml",)),
    Target(
        "file_tree",
        _file_tree,
        (
            "file_tree.load_tree",
            "file_tree.read_tree",
            "file_tree.require_tree",
            "file_tree.sorted_tree",
            "file_tree.leads_outside",
        ),
        Shape.TAR,
        1 << 16,
    ),
    Target(
        "disc_account",
        _disc_account,
        (
            "disc_account.check_account",
            "disc_stick.stick_of",
            "partition_table.parse_boot_record",
            "boot_catalog.check_boot_catalog",
            "disc_tree.read_tree",
            "disc_tree.check_tree",
            "disc_dates.check_dates",
        ),
        Shape.ISO,
        BIG,
    ),
)
