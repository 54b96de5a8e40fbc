"""What is fuzzed: every public function that reads bytes or text of unknown origin, as one table.

A target takes any bytes and ends, or raises an ``EsxImageError``; all else is a finding. A
parser's target also writes what it read and reads that again: what was accepted once must
be accepted in our own spelling, and mean the same.

No target knows who calls it, so the test suite runs them too, over the committed corpus.
"""

from __future__ import annotations

import contextlib
import enum
import io
import os
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar, final

import attrs

import esximage_builder as eib
from esximage_builder.containers import boot_info_table, cms, iso9660, json_document, tar_head, ustar, vmtar, xml
from esximage_builder.containers.ar import ArMember, ArSplitter, ArStream, read_ar_index
from esximage_builder.containers.dates import parse_time, render_time
from esximage_builder.containers.gzip import gunzip_blocks, gunzip_stream
from esximage_builder.containers.iso9660_reader import open_iso
from esximage_builder.containers.member_name import name_problem
from esximage_builder.containers.tar_gz import TarGzReader, read_tgz
from esximage_builder.containers.zip import ZipReader, open_zip, require_zip_signature
from esximage_builder.containers.zstd import unzstd_blocks
from esximage_builder.depot.opening import read_image_database
from esximage_builder.documents import image_database, kickstart
from esximage_builder.documents.boot_cfg import parse_boot_cfg, render_boot_cfg
from esximage_builder.documents.bulletin import parse_bulletin, parse_bulletin_element, render_bulletin
from esximage_builder.documents.depot_index import (
    parse_index,
    parse_vendor_index,
    render_index,
    render_vendor_index,
)
from esximage_builder.documents.image_profile import parse_image_profile, render_image_profile
from esximage_builder.documents.lock_file import parse_lock, render_lock
from esximage_builder.documents.metadata_response import parse_metadata_response
from esximage_builder.documents.release_unit import (
    UnitKind,
    parse_release_unit,
    render_release_unit,
    unit_folder_kind,
)
from esximage_builder.documents.software_platform import parse_software_platforms
from esximage_builder.documents.software_spec import parse_software_spec, render_software_spec
from esximage_builder.documents.vib_archive import PayloadSplitter, iter_payloads, read_vib_head
from esximage_builder.documents.vib_descriptor import parse_relationships, parse_vib_descriptor, render_vib_descriptor

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from esximage_builder.models.vib import Payload

__all__ = ["TARGETS", "Shape", "Target"]

_Model = TypeVar("_Model")
_WHERE: Final = "input"
_MAX_BYTES: Final = 1 << 20
_LIMITS: Final = eib.ReadLimits()
_WHEN: Final = datetime(2024, 1, 31, tzinfo=UTC)
_FILES_READ: Final = 50
_MEMORY: Final = Path("/dev/shm")  # noqa: S108 - a folder of random name is made in it


class Shape(enum.StrEnum):
    """How inputs of a target are built, so that changes reach what lies inside and behind checksums."""

    TEXT = "text"
    BINARY = "binary"
    PEM = "pem"
    GZIP = "gzip"
    TAR = "tar"
    AR = "ar"
    ZIP = "zip"
    ISO = "iso"


@final
@attrs.frozen
class Target:
    """One row of the table.

    Attributes:
        name: Names the corpus, and the row in the log.
        call: Is given the input.
        covers: Public functions that get it, as ``module.function``.
        shape: How to change inputs.
        most_bytes: Longest input that is tried.
    """

    name: str
    call: Callable[[bytes], object]
    covers: tuple[str, ...]
    shape: Shape = Shape.TEXT
    most_bytes: int = 1 << 14


def _go_round(parse: Callable[..., _Model], render: Callable[[_Model], bytes], data: bytes, **options: object) -> None:
    model = parse(data, where=_WHERE, max_bytes=_MAX_BYTES, **options)
    try:
        written = render(model)
    except eib.EsxImageError:  # it says that the model cannot be written
        return
    try:
        again = parse(written, where="what we wrote", max_bytes=16 * _MAX_BYTES, **options)
    except eib.EsxImageError as error:
        raise AssertionError("what we wrote of it cannot be read") from error
    if render(again) != written:
        raise AssertionError("what we wrote of it means something else when it is read again")


def _drain(stream: io.BufferedIOBase | Any) -> None:
    while stream.read(1 << 16):
        pass


# Containers


class _PassOver:
    """Takes what an archive or VIB that is pushed has in it."""

    def begin_member(self, member: ArMember) -> None:
        """Take note."""

    def end_member(self) -> None:
        """Take note."""

    def begin_payload(self, payload: Payload, size_bytes: int) -> None:
        """Take note."""

    def end_payload(self) -> None:
        """Take note."""

    def take(self, data: memoryview) -> None:
        """Take note."""


def _ar_stream(data: bytes) -> None:
    for _, stream in ArStream(io.BytesIO(data), where=_WHERE, limits=_LIMITS):
        _drain(stream)


def _ar_pushed(data: bytes) -> None:
    splitter = ArSplitter(_PassOver(), where=_WHERE, limits=_LIMITS)
    step = 1 + len(data) // 7
    for at in range(0, len(data), step):
        splitter.write(data[at : at + step])
    splitter.close()


def _ar(data: bytes) -> None:
    """Whoever reads an archive, in whatever way, accepts it or none does."""
    _require_agreement(
        data,
        _ar_stream,
        _ar_pushed,
        lambda data: read_ar_index(io.BytesIO(data), where=_WHERE, limits=_LIMITS),
    )


def _require_agreement(data: bytes, *readers: Callable[[bytes], object]) -> None:
    refusals = []
    for read in readers:
        try:
            read(data)
        except eib.EsxImageError as error:
            refusals.append(error)
    if refusals and len(refusals) < len(readers):
        raise AssertionError("some of the readers refuse it") from refusals[0]


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
        errors += _refusal(call, data, where=_WHERE)
    for check in (cms.check_signatures, cms.check_signature):
        errors += _refusal(check, data, b"<vib/>", where=_WHERE)
    if errors:
        raise errors[0]


def _refusal(call: Callable[..., object], *arguments: Any, **options: Any) -> list[eib.EsxImageError]:
    try:
        call(*arguments, **options)
    except eib.EsxImageError as error:
        return [error]
    return []


def _signing(data: bytes) -> None:
    cms.sign_detached(b"<vib/>", key_pem=data, certificate_pem=data, signed_at=_WHEN)


def _gzip(data: bytes) -> None:
    for _ in gunzip_blocks(io.BytesIO(data), where=_WHERE, max_bytes=16 * _MAX_BYTES):
        pass
    _drain(gunzip_stream(io.BytesIO(data), where=_WHERE, max_bytes=16 * _MAX_BYTES))


def _lay_out(data: bytes) -> None:
    paths = data.decode("latin-1").split("\n")[:_FILES_READ]
    files = [iso9660.IsoFile(path=path, content=b"x") for path in paths if iso9660.is_legal_iso_path(path)]
    layout = iso9660.lay_out_iso(files, volume_id="X", bios_boot=None, efi_boot=None, timestamp=_WHEN)
    disc = io.BytesIO()
    layout.write_skeleton(disc)
    with open_iso(disc, where="what we wrote", limits=_LIMITS) as reader:
        assert {file.path for file in files} == set(reader.files)


def _disc(data: bytes) -> None:
    with open_iso(io.BytesIO(data), where=_WHERE, limits=_LIMITS) as disc:
        for _ in disc.recorded_names():
            pass
        for path in list(disc.files)[:_FILES_READ]:
            disc.read(path, max_bytes=_MAX_BYTES)


def _json(data: bytes) -> None:
    document = json_document.parse_json_object(data, where=_WHERE, max_bytes=_MAX_BYTES)
    json_document.json_pairs(document, frozenset())
    again = json_document.parse_json_object(
        json_document.render_json(document), where="what we wrote", max_bytes=16 * _MAX_BYTES
    )
    assert json_document.canonical_json(again) == json_document.canonical_json(document)


def _tar_gz(data: bytes) -> None:
    for _, stream in TarGzReader(io.BytesIO(data), where=_WHERE, limits=_LIMITS):
        _drain(stream)
    for _ in read_tgz(io.BytesIO(data), where=_WHERE, limits=_LIMITS):
        pass


def _tar_head(data: bytes) -> None:
    tar_head.first_member_names(data)
    ustar.checksum_of(data[: ustar.BLOCK_BYTES])
    ustar.split_name(data)


def _vmtar(data: bytes) -> None:
    vmtar.detect_tar_kind(data)
    vmtar.parse_vmtar(data, where=_WHERE)
    vmtar.read_vmtar(io.BytesIO(data), where=_WHERE, limits=_LIMITS)


_GETTERS: tuple[Callable[[xml.XmlElement], object], ...] = (
    lambda element: xml.place(element, _WHERE),
    lambda element: xml.children_by_tag(element, where=_WHERE),
    lambda element: xml.require_text({str(element.tag): element}, str(element.tag), of=element, where=_WHERE),
    lambda element: xml.require_child({}, "x", of=element, where=_WHERE),
    lambda element: xml.time_of(element, where=_WHERE),
    lambda element: xml.boolean(element, where=_WHERE),
    lambda element: xml.attribute(element, "name", where=_WHERE),
    lambda element: xml.integer(element, xml.text_of(element), where=_WHERE, of="it"),
    lambda element: xml.unknown_children(xml.child_elements(element), frozenset()),
    parse_software_platforms,
    lambda element: parse_relationships(element, where=_WHERE),
    lambda element: parse_bulletin_element(element, where=_WHERE),
)


def _xml(data: bytes) -> None:
    root = xml.parse_xml(data, where=_WHERE, root="vib", max_bytes=_MAX_BYTES)
    for element in [root, *xml.child_elements(root)][:_FILES_READ]:
        for getter in _GETTERS:
            _refusal(getter, element)
    parent = xml.new_element("vib")
    xml.add_raw(parent, xml.raw_text(root))
    xml.parse_xml(xml.render_xml(parent, pretty=True), where="what we wrote", root="vib", max_bytes=16 * _MAX_BYTES)


def _add_raw(data: bytes) -> None:
    xml.add_raw(xml.new_element("vib"), data.decode("utf-8", "replace"))


def _drain_member(archive: ZipReader, name: str) -> None:
    _drain(archive.open(name))


def _zip(data: bytes) -> None:
    require_zip_signature(data[:4], size_bytes=len(data), where=_WHERE)
    with open_zip(io.BytesIO(data), where=_WHERE, limits=_LIMITS) as archive:
        for name in list(archive.members)[:_FILES_READ]:
            _refusal(_drain_member, archive, name)
            _refusal(archive.read, name, max_bytes=_MAX_BYTES)


def _zstd(data: bytes) -> None:
    for _ in unzstd_blocks([data[:100], data[100:]], where=_WHERE, max_bytes=16 * _MAX_BYTES):
        pass


# Documents


def _release_unit(data: bytes) -> None:
    kinds: Iterable[UnitKind | None] = (None, *UnitKind)
    errors = [error for kind in kinds for error in _refusal(_one_unit, data, kind)]
    if errors:
        raise errors[0]


def _one_unit(data: bytes, kind: UnitKind | None) -> None:
    _go_round(parse_release_unit, render_release_unit, data, kind=kind)


def _kickstart(data: bytes) -> None:
    kickstart.check_kickstart(data, where=_WHERE)
    options, _, names = data.decode("utf-8", "replace").partition("\n")
    kickstart.check_kickstart_options(options, has_kickstart=bool(names), disc_names=names.split() or None)


def _vib_head(data: bytes) -> None:
    read_vib_head(io.BytesIO(data), where=_WHERE, limits=_LIMITS).parse(where=_WHERE, limits=_LIMITS)


def _vib_payloads(data: bytes) -> None:
    """Whoever reads a VIB, in whatever way, accepts it or none does."""
    vib = read_vib_head(io.BytesIO(data), where=_WHERE, limits=_LIMITS).parse(where=_WHERE, limits=_LIMITS)

    def pulled(data: bytes) -> None:
        for _, stream, _ in iter_payloads(io.BytesIO(data), vib, where=_WHERE, limits=_LIMITS):
            _drain(stream)

    def pushed(data: bytes) -> None:
        splitter = PayloadSplitter(_PassOver(), vib, where=_WHERE, limits=_LIMITS)
        splitter.write(data)
        splitter.close()

    _require_agreement(data, pulled, pushed)


def _words(data: bytes) -> None:
    """Rules about single words, which other parsers ask."""
    for text in data.decode("utf-8", "surrogateescape").split("\n")[:_FILES_READ]:
        name_problem(text)
        iso9660.is_legal_iso_path(text)
        image_database.safe_file_name(text)
        image_database.database_kind(text)
        image_database.database_folder(text.__contains__)
        unit_folder_kind(text)
        _refusal(kickstart.kickstart_option, text)
        _refusal(_time, text)


def _time(text: str) -> None:
    if (moment := parse_time(text, where=_WHERE)) is not None:
        assert parse_time(render_time(moment), where="what we wrote") == moment


# Whole files


@contextlib.contextmanager
def _in_a_file(data: bytes, name: str) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(dir=_MEMORY if _MEMORY.is_dir() else None) as folder:
        path = Path(folder, name)
        path.write_bytes(data)
        try:
            yield path
        finally:
            assert os.listdir(folder) == [name], "reading left something behind"  # noqa: PTH208 - names only


def _open_depot(data: bytes) -> None:
    with _in_a_file(data, "depot.zip") as path:
        errors = _refusal(_open_and_look, path, strict=False) + _refusal(_open_and_look, path, strict=True)
    if errors:
        raise errors[0]


def _open_and_look(path: Path, *, strict: bool) -> None:
    with eib.open_depot(path, strict=strict) as depot:
        for vib in list(depot.catalog.vibs)[:_FILES_READ]:
            _refusal(_read_vib, depot, vib)


def _read_vib(depot: eib.Depot, vib: eib.Vib) -> None:
    with depot.open_vib(vib) as stream:
        _drain(stream)


def _image_database(data: bytes) -> None:
    with _in_a_file(data, "imgdb.tgz") as path:
        read_image_database(path, strict=False).close()


def _verified(verify: Callable[[Path], eib.Verification], name: str) -> Callable[[bytes], None]:
    def call(data: bytes) -> None:
        with _in_a_file(data, name) as path:
            verify(path)

    return call


_BIG = 1 << 18
_DISC = 1 << 21

TARGETS: Final = {
    target.name: target
    for target in (
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
            ("cms.describe_signature", "cms.describe_signatures", "cms.check_signature", "cms.check_signatures"),
            Shape.PEM,
        ),
        Target("cms_signing", _signing, ("cms.sign_detached",), Shape.PEM),
        Target("gzip", _gzip, ("gzip.gunzip_blocks", "gzip.gunzip_stream"), Shape.GZIP, _BIG),
        Target("iso_layout", _lay_out, ("iso9660.lay_out_iso", "iso9660.is_legal_iso_path"), Shape.TEXT, 2048),
        Target("iso_reader", _disc, ("iso9660_reader.open_iso", "iso9660_reader.read_disc"), Shape.ISO, _BIG),
        Target(
            "json",
            _json,
            tuple(
                f"json_document.{name}" for name in ("parse_json_object", "json_pairs", "canonical_json", "render_json")
            ),
        ),
        Target("tar_gz", _tar_gz, ("tar_gz.TarGzReader", "tar_gz.read_tgz"), Shape.GZIP, _BIG),
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
        Target("zip", _zip, ("zip.open_zip", "zip.require_zip_signature"), Shape.ZIP, _BIG),
        Target("zstd", _zstd, ("zstd.unzstd_blocks",), Shape.BINARY, 1 << 16),
        Target("boot_cfg", lambda data: _go_round(parse_boot_cfg, render_boot_cfg, data), ("boot_cfg.parse_boot_cfg",)),
        Target("bulletin", lambda data: _go_round(parse_bulletin, render_bulletin, data), ("bulletin.parse_bulletin",)),
        Target("index", lambda data: _go_round(parse_index, render_index, data), ("depot_index.parse_index",)),
        Target(
            "vendor_index",
            lambda data: _go_round(parse_vendor_index, render_vendor_index, data),
            ("depot_index.parse_vendor_index",),
        ),
        Target(
            "image_profile",
            lambda data: _go_round(parse_image_profile, render_image_profile, data),
            ("image_profile.parse_image_profile",),
        ),
        Target("kickstart", _kickstart, ("kickstart.check_kickstart", "kickstart.check_kickstart_options")),
        Target("lock_file", lambda data: _go_round(parse_lock, render_lock, data), ("lock_file.parse_lock",)),
        Target(
            "metadata_response",
            lambda data: parse_metadata_response(data, where=_WHERE, max_bytes=_MAX_BYTES),
            ("metadata_response.parse_metadata_response",),
        ),
        Target("release_unit", _release_unit, ("release_unit.parse_release_unit",)),
        Target(
            "software_spec",
            lambda data: _go_round(parse_software_spec, render_software_spec, data),
            ("software_spec.parse_software_spec",),
        ),
        Target("vib_head", _vib_head, ("vib_archive.read_vib_head",), Shape.AR),
        Target("vib_payloads", _vib_payloads, ("vib_archive.iter_payloads", "vib_archive.PayloadSplitter"), Shape.AR),
        Target(
            "vib_descriptor",
            lambda data: _go_round(parse_vib_descriptor, render_vib_descriptor, data),
            ("vib_descriptor.parse_vib_descriptor",),
        ),
        Target(
            "words",
            _words,
            (
                "dates.parse_time",
                "dates.render_time",
                "image_database.database_folder",
                "image_database.database_kind",
                "image_database.safe_file_name",
                "kickstart.kickstart_option",
                "member_name.name_problem",
                "release_unit.unit_folder_kind",
            ),
            Shape.TEXT,
            2048,
        ),
        Target("open_depot", _open_depot, ("depot.opening.open_depot",), Shape.ZIP, _BIG),
        Target("read_image_database", _image_database, ("depot.opening.read_image_database",), Shape.GZIP, _BIG),
        Target(
            "verify_bundle", _verified(eib.verify_bundle, "b.zip"), ("verify.bundle.verify_bundle",), Shape.ZIP, _BIG
        ),
        Target("verify_iso", _verified(eib.verify_iso, "d.iso"), ("verify.disc.verify_iso",), Shape.ISO, _DISC),
        Target("verify_vib", _verified(eib.verify_vib, "v.vib"), ("verify.vib_file.verify_vib",), Shape.AR, 1 << 16),
    )
}
