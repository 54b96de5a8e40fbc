"""Opening depots: every quirk of real ones is read, each thing stands in the catalog once."""

from __future__ import annotations

import contextlib
import gc
import itertools
import json
import os
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs
import pytest
from hypothesis import given, settings, strategies as st
from support.document_builders import (
    BulletinBuilder,
    DepotBuilder,
    VibBuilder,
    element,
    profile_document,
    sha256,
    wrapped,
    zip_bytes,
)

from esximage_builder.depot.opening import open_depot
from esximage_builder.depot.source import SourceContents, _Reading
from esximage_builder.depot.spool import Spool
from esximage_builder.depot.tree import FolderTree
from esximage_builder.documents.vib_archive import iter_payloads
from esximage_builder.documents.vib_descriptor import parse_vib_descriptor
from esximage_builder.errors import (
    DepotErrors,
    EsxImageError,
    InvalidFieldError,
    LimitExceededError,
    MalformedDocumentError,
    ModelError,
    NotADepotError,
    NotInDepotError,
    SourceUnreadableError,
)
from esximage_builder.findings import Severity
from esximage_builder.limits import ReadBudget, ReadLimits
from esximage_builder.models.catalog import Catalog
from esximage_builder.views.catalog import catalog_as_dict, render_text_listing

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

OPEN_FILES = Path("/proc/self/fd")
VIB = VibBuilder()
OTHER = VibBuilder(name="scsi-acme", version="2.0-1", payload_name="scsiacme")
DEPOT = DepotBuilder()
LEGACY = BulletinBuilder.of(VIB, id="ACME-2024-001", component=None)


def catalog_of(*sources: Path, **options: Any) -> Catalog:
    with open_depot(*sources, **options) as depot:
        return depot.catalog


def write(path: Path, data: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def codes(catalog: Catalog) -> list[str]:
    return [finding.code for finding in catalog.findings]


def without_sources(catalog: Catalog) -> Catalog:
    """All that the depots hold, whatever their files are called."""
    return attrs.evolve(catalog, sources=(), vib_sources=())


@pytest.fixture
def plain(tmp_path: Path) -> Path:
    return DEPOT.write(tmp_path / "plain.zip")


def test_a_bundle_is_read_whole(tmp_path: Path) -> None:
    units = {
        "baseimages/b.json": {"releaseID": "ESXi:7.0.3-0.55.20328353", "components": {"Acme-net-acme": VIB.version}},
        "addOns/a.json": {"releaseID": "ACME-AddOn:703.1-A00"},
        "solutions/s.json": {"releaseID": "com.acme.ha:1.0"},
        "manifests/m.json": {"releaseID": "acme:2024.1"},
    }
    depot = DEPOT.with_metadata_file("profiles/p.xml", profile_document(vib_ids=[VIB.id]))
    for path, document in units.items():
        depot = depot.with_metadata_file(path, json.dumps(document).encode())
    source = depot.write(tmp_path / "depot.zip")
    catalog = catalog_of(source)
    assert catalog.sources == (str(source),)
    assert [unit.id for unit in catalog.base_images] == ["ESXi:7.0.3-0.55.20328353"]
    assert [unit.id for unit in catalog.add_ons] == ["ACME-AddOn:703.1-A00"]
    assert [unit.id for unit in catalog.solutions] == ["com.acme.ha:1.0"]
    assert [unit.id for unit in catalog.hardware_support] == ["acme:2024.1"]
    assert [component.id for component in catalog.components] == [f"Acme-net-acme:{VIB.version}"]
    assert [profile.name for profile in catalog.profiles] == ["ACME-ESXi-703"]
    assert [vib.id for vib in catalog.vibs] == [VIB.id]
    assert catalog.sources_of(catalog.vibs[0]) == (str(source),)
    assert catalog.findings == ()


def test_the_bytes_of_a_vib_are_those_of_its_file(plain: Path) -> None:
    with open_depot(plain) as depot:
        (vib,) = depot.catalog.vibs
        assert vib.file is not None
        assert vib.file.sha256 == sha256(VIB.vib())
        with depot.open_vib(vib) as stream:
            assert stream.read() == VIB.vib()
        head = depot.read_vib_head(vib)
        assert (head.descriptor, head.signature, head.is_signed) == (VIB.descriptor(), VIB.signed_with, True)
        assert depot.where_is(vib) == f"{plain}!{VIB.relative_path}"
        packed = depot.open_packed_vib(vib)
        assert packed is not None
        with packed as form:
            assert (form.method, form.size_bytes) == (zipfile.ZIP_DEFLATED, len(VIB.vib()))
            assert b"".join(block for _, block in form.copy_blocks()) == VIB.vib()
            assert sum(len(block) for block, _ in form.copy_blocks()) == form.compressed_bytes
        with depot.open_vib(vib) as stream:
            payloads = [
                (payload.name, data.read(), size)
                for payload, data, size in iter_payloads(stream, vib, where="x", limits=depot.limits)
            ]
        assert payloads == [(VIB.payload_name, VIB.payload, len(VIB.payload))]


def test_a_vib_that_lacks_a_payload_says_which(tmp_path: Path) -> None:
    renamed = VIB.with_element("payloads", '<payloads><payload name="other" type="vgz"/></payloads>')
    with open_depot(write(tmp_path / "x.vib", renamed.vib())) as depot:
        (vib,) = depot.catalog.vibs
        with depot.open_vib(vib) as stream, pytest.raises(MalformedDocumentError, match="lacks payloads") as caught:
            list(iter_payloads(stream, vib, where="x.vib", limits=depot.limits))
    assert caught.value.found == "no member other"


QUIRKS = [
    pytest.param(DEPOT.with_vibs(VIB.with_(folder="")), id="vib-at-the-root"),
    pytest.param(DEPOT.with_(metadata_name="Acme-net-acme-1.0-metadata.zip"), id="metadata-by-another-name"),
    pytest.param(DEPOT.with_(metadata_name="meta/data.zip"), id="metadata-in-a-folder"),
    pytest.param(
        DEPOT.with_(products=(("embeddedEsx", "6.*"), ("embeddedEsx", "7.*"), ("esxio", "8.0"))),
        id="one-zip-for-several-products",
    ),
    pytest.param(DEPOT.with_(root="depot/"), id="depot-in-a-folder"),
    pytest.param(DEPOT.with_(vendor_name="github.com_tcely"), id="vendor-with-underscore"),
    pytest.param(DEPOT.without("index.xml"), id="no-index"),
    pytest.param(DEPOT.without("index.xml", "vendor-index.xml"), id="metadata-alone"),
    pytest.param(DEPOT.without("vendor-index.xml"), id="no-vendor-index"),
    pytest.param(DEPOT.without("vmware.xml"), id="no-response"),
    pytest.param(
        DEPOT.with_file("vib20/", b"").with_metadata_file("vibs/", b"").with_metadata_file("bulletins/", b""),
        id="directory-entries",
    ),
    pytest.param(DEPOT.with_file("readme.txt", b"x"), id="other-files"),
    pytest.param(DEPOT.with_(response_bulletins=(BulletinBuilder.of(VIB),)), id="bulletin-in-both-places"),
    pytest.param(
        DEPOT.with_bulletins().with_(response_bulletins=(BulletinBuilder.of(VIB),)), id="bulletin-only-in-vmware-xml"
    ),
    pytest.param(
        DEPOT.with_vibs(VIB.with_(file_elements={"relative-path": element("relative-path", f"vib20/x/{VIB.id}.vib")})),
        id="wrong-folder-in-relative-path",
    ),
    pytest.param(
        DEPOT.with_vibs(
            VIB.with_(file_elements={"relative-path": element("relative-path", f"./vib20//net-acme/{VIB.id}.vib")})
        ),
        id="dots-in-relative-path",
    ),
    pytest.param(
        DEPOT.with_vibs(VIB.with_(file_elements={"relative-path": element("relative-path", f"/{VIB.relative_path}")})),
        id="slash-before-relative-path",
    ),
    pytest.param(DEPOT.with_vibs(VIB.without("relative-path")), id="no-relative-path"),
    pytest.param(DEPOT.with_vibs(VIB.without("packed-size", "relative-path")), id="checksum-alone"),
]


@pytest.mark.parametrize("depot", QUIRKS)
@pytest.mark.parametrize("form", ["deflated", "stored", "folder"])
def test_how_a_bundle_is_laid_out_does_not_matter(tmp_path: Path, plain: Path, depot: DepotBuilder, form: str) -> None:
    if form == "folder":
        files = {path: data for path, data in depot.members().items() if not path.endswith("/")}
        source = tmp_path / "unpacked"
        for path, data in files.items():
            write(source / path, data)
    else:
        method = zipfile.ZIP_DEFLATED if form == "deflated" else zipfile.ZIP_STORED
        source = write(tmp_path / "depot.zip", depot.zip(method=method))
    with open_depot(source) as opened:
        assert without_sources(opened.catalog) == without_sources(catalog_of(plain))
        with opened.open_vib(opened.catalog.vibs[0]) as stream:
            assert stream.read() == VIB.vib()


@pytest.mark.parametrize("order", list(itertools.permutations(sorted(DEPOT.members())))[::3])
def test_the_order_of_members_does_not_matter(tmp_path: Path, plain: Path, order: Sequence[str]) -> None:
    source = write(tmp_path / "depot.zip", zip_bytes({path: DEPOT.members()[path] for path in order}))
    assert without_sources(catalog_of(source)) == without_sources(catalog_of(plain))


@pytest.mark.parametrize(
    "vib",
    [
        pytest.param(VIB.with_(has_slashes=True), id="ar-names-with-slash"),
        pytest.param(VIB.with_(mode="0o0"), id="ar-mode-0o0"),
        pytest.param(VIB.with_(mode="100644"), id="ar-mode-of-gnu-ar"),
        pytest.param(VIB.with_(is_pretty=True), id="pretty-printed"),
        pytest.param(VIB.with_appended("<!-- made with VIB2ZIP -->"), id="comment"),
        pytest.param(VIB.without("file-list"), id="no-file-list"),
        pytest.param(
            VIB.with_element("release-date", element("release-date", "2024-01-31T00:00:00.000001")),
            id="date-without-zone",
        ),
        pytest.param(
            VIB.with_element("release-date", element("release-date", "2024-01-31T08:00:00+08:00")),
            id="date-of-another-zone",
        ),
        pytest.param(
            VIB.with_element("system-requires", wrapped("system-requires", [element("maintenanceMode", "true")])),
            id="maintenanceMode",
        ),
        pytest.param(VIB.with_(signature=b""), id="unsigned"),
        pytest.param(VIB.with_(vendor="github.com_tcely"), id="vendor-with-underscore"),
        pytest.param(VIB.with_(version="8.045a-napi"), id="napi"),
        pytest.param(VIB.with_(version="2.4.5"), id="no-release"),
        pytest.param(VIB.with_(payload=b"odd"), id="odd-sized-payload"),
        pytest.param(VIB.with_(payload_name="nvme-community"), id="long-payload-name"),
    ],
)
def test_a_loose_vib_and_its_copy_in_a_depot_are_one(tmp_path: Path, vib: VibBuilder) -> None:
    depot = DEPOT.with_vibs(vib).write(tmp_path / "depot.zip")
    loose = write(tmp_path / "loose.vib", vib.vib())
    with open_depot(loose) as opened:
        (alone,) = opened.catalog.vibs
        assert (alone.id, alone.file is not None and alone.file.size_bytes) == (vib.id, len(vib.vib()))
        assert opened.read_vib_head(alone).is_signed is bool(vib.signed_with)
        assert opened.open_packed_vib(alone) is None
    both = catalog_of(loose, depot)
    assert both.vibs == (alone,)
    assert both.sources_of(both.vibs[0]) == tuple(sorted((str(depot), str(loose))))
    assert both.vibs[0].fingerprint == sha256(vib.vib())
    assert both.findings == ()


def test_vibs_may_be_known_only_by_their_own_documents(tmp_path: Path) -> None:
    catalog = catalog_of(DEPOT.with_bulletins().write(tmp_path / "depot.zip"))
    assert [vib.id for vib in catalog.vibs] == [VIB.id]
    assert (catalog.components, catalog.bulletins, catalog.findings) == ((), (), ())


def test_bulletins_may_stand_only_in_vmware_xml(tmp_path: Path) -> None:
    catalog = catalog_of(DEPOT.with_bulletins().with_(response_bulletins=(LEGACY,)).write(tmp_path / "depot.zip"))
    assert [(bulletin.id, bulletin.vib_ids) for bulletin in catalog.bulletins] == [("ACME-2024-001", (VIB.id,))]
    assert catalog.components == ()


def test_several_metadata_zips_can_sit_in_one_bundle(tmp_path: Path) -> None:
    second = DepotBuilder().with_vibs(OTHER)
    index = wrapped(
        "metaList",
        [wrapped("metadata", [element("url", url)]) for url in ("metadata.zip", "second.zip", "metadata.zip")],
    )
    depot = DEPOT.with_file("vendor-index.xml", index.encode())
    depot = depot.with_file("second.zip", zip_bytes(second.metadata_members())).with_file(
        OTHER.relative_path, OTHER.vib()
    )
    catalog = catalog_of(depot.write(tmp_path / "depot.zip"))
    assert [vib.id for vib in catalog.vibs] == [VIB.id, OTHER.id]
    assert len(catalog.components) == 2


def test_several_vendors_can_sit_in_one_bundle(tmp_path: Path) -> None:
    second = DepotBuilder().with_vibs(OTHER)
    vendors = [
        wrapped(
            "vendor", [element("name", "A"), element("indexfile", "vendor-index.xml"), element("relativePath", folder)]
        )
        for folder in ("", "second")
    ]
    members = DEPOT.members() | {f"second/{path}": data for path, data in second.members().items()}
    members["index.xml"] = wrapped("vendorList", vendors).encode()
    catalog = catalog_of(write(tmp_path / "depot.zip", zip_bytes(members)))
    assert [vib.id for vib in catalog.vibs] == [VIB.id, OTHER.id]
    assert catalog.findings == ()


def test_a_zip_of_depots_is_read_one_level_down(tmp_path: Path, plain: Path) -> None:
    second = DepotBuilder().with_vibs(OTHER).write(tmp_path / "second.zip")
    members = {
        "readme.pdf": b"%PDF",
        "drivers/plain.zip": plain.read_bytes(),
        "second.ZIP": second.read_bytes(),
        "source.zip": zip_bytes({"main.c": b"int main;"}),
    }
    for method in (zipfile.ZIP_DEFLATED, zipfile.ZIP_STORED):
        source = write(tmp_path / "oem.zip", zip_bytes(members, method=method))
        with open_depot(source) as depot:
            assert without_sources(depot.catalog) == without_sources(catalog_of(plain, second))
            for vib, builder in zip(depot.catalog.vibs, (VIB, OTHER), strict=True):
                with depot.open_vib(vib) as stream:
                    assert stream.read() == builder.vib()


def test_a_folder_of_zips_and_vibs_is_read(tmp_path: Path, plain: Path) -> None:
    folder = tmp_path / "downloads"
    write(folder / "a.zip", plain.read_bytes())
    write(folder / "below" / "b.VIB", OTHER.vib())
    write(folder / "notes.txt", b"x")
    with open_depot(folder) as depot:
        assert [vib.id for vib in depot.catalog.vibs] == [VIB.id, OTHER.id]
        with depot.open_vib(depot.catalog.vibs[1]) as stream:
            assert stream.read() == OTHER.vib()
        assert depot.where_is(depot.catalog.vibs[1]) == str(folder / "below" / "b.VIB")


def test_a_zip_of_bare_vibs_is_read(tmp_path: Path) -> None:
    source = write(tmp_path / "vibs.zip", zip_bytes({"x/a.vib": VIB.vib(), "b.vib": OTHER.vib()}))
    assert [vib.id for vib in catalog_of(source).vibs] == [VIB.id, OTHER.id]


def test_archives_are_not_nested_without_end(tmp_path: Path, plain: Path) -> None:
    inner = zip_bytes({"a.vib": OTHER.vib(), "depot.zip": plain.read_bytes()})
    source = write(tmp_path / "outer.zip", zip_bytes({"inner.zip": inner}))
    assert [vib.id for vib in catalog_of(source).vibs] == [VIB.id, OTHER.id]
    for depth in (1, 2):
        with pytest.raises(LimitExceededError):
            open_depot(source, limits=ReadLimits(archive_depth=depth))
    bomb = plain.read_bytes()
    for _ in range(6):
        bomb = zip_bytes({"a.vib": OTHER.vib(), "depot.zip": bomb})
    with pytest.raises(LimitExceededError, match="nested deeper than the limit"):
        open_depot(write(tmp_path / "bomb.zip", bomb))


@pytest.mark.skipif(not OPEN_FILES.is_dir(), reason="open files are counted where Linux lists them")
@pytest.mark.parametrize("form", ["folder", "zip"])
def test_zips_that_are_no_depots_do_not_stay_open(tmp_path: Path, plain: Path, form: str) -> None:
    large = zip_bytes({"main.c": bytes(17 * 1024 * 1024)}, method=zipfile.ZIP_STORED)
    members = {"depot.zip": plain.read_bytes(), "a.zip": zip_bytes({"main.c": b""}), "b.zip": large, "c.zip": large[1:]}
    source = tmp_path / "downloads"
    if form == "zip":
        write(source, zip_bytes(members))
    else:
        for name, data in members.items():
            write(source / name, data)
    gc.collect()
    before = len(list(OPEN_FILES.iterdir()))
    with open_depot(source, strict=False) as depot:
        assert [vib.id for vib in depot.catalog.vibs] == [VIB.id]
        assert len(list(OPEN_FILES.iterdir())) - before <= 2, "the outer one, and the depot in it"
    assert len(list(OPEN_FILES.iterdir())) == before


@contextlib.contextmanager
def files_of_at_most(size_bytes: int) -> Iterator[None]:
    """Let the operating system refuse to make any file longer, while the block runs."""
    resource = pytest.importorskip("resource")
    usual = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size_bytes, usual[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, usual)


MEBIBYTE = 1024 * 1024
ZEROS = zip_bytes({"zeros.bin": bytes(20 * MEBIBYTE)}, method=zipfile.ZIP_STORED)


def test_zips_in_zips_share_one_budget(tmp_path: Path, plain: Path) -> None:
    """A file of a few kilobytes must not fill the disc by what it holds, nor by how much of it there is."""
    members = {"depot.zip": plain.read_bytes()} | {f"{number}.zip": ZEROS for number in range(3)}
    source = write(tmp_path / "oem.zip", zip_bytes(members))
    assert source.stat().st_size < 100_000
    limits = ReadLimits(nested_bytes=50 * MEBIBYTE)
    with pytest.raises(LimitExceededError, match="more than the limit") as caught:
        open_depot(source, limits=limits)
    assert caught.value.where == f"{source}!2.zip"
    assert caught.value.expected == f"at most {50 * MEBIBYTE} bytes"
    assert "ReadLimits(nested_bytes=...)" in caught.value.hint
    with pytest.raises(LimitExceededError):
        open_depot(
            source, write(tmp_path / "same.zip", zip_bytes(members)), limits=ReadLimits(nested_bytes=110 * MEBIBYTE)
        )
    assert [vib.id for vib in catalog_of(source, limits=limits, strict=False).vibs] == [VIB.id]
    assert [vib.id for vib in catalog_of(source).vibs] == [VIB.id]


def test_a_zip_that_would_pass_the_budget_is_not_copied_at_all(tmp_path: Path) -> None:
    source = write(tmp_path / "oem.zip", zip_bytes({"zeros.zip": ZEROS}))
    with files_of_at_most(4096), pytest.raises(LimitExceededError):
        open_depot(source, limits=ReadLimits(nested_bytes=MEBIBYTE))


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_what_only_is_called_a_zip_is_not_copied(tmp_path: Path, plain: Path, method: int) -> None:
    members = {"depot.zip": plain.read_bytes(), "page.zip": b"<html>" + bytes(20 * MEBIBYTE), "none.zip": b""}
    source = write(tmp_path / "oem.zip", zip_bytes(members, method=method))
    with (
        files_of_at_most(MEBIBYTE),
        open_depot(source, strict=False, limits=ReadLimits(nested_bytes=MEBIBYTE)) as depot,
    ):
        assert [vib.id for vib in depot.catalog.vibs] == [VIB.id]
        findings = {(finding.message, finding.where) for finding in depot.catalog.findings}
    assert findings == {("this is no zip archive", f"{source}!{name}.zip") for name in ("page", "none")}


def test_zips_that_are_no_depots_give_their_room_back(tmp_path: Path) -> None:
    broken = bytearray(ZEROS)
    broken[-1] = 1
    members = {"a.zip": DEPOT.zip(), "b.zip": ZEROS, "c.zip": bytes(broken), "d.zip": ZEROS}
    members["e.zip"] = DepotBuilder().with_vibs(OTHER).zip()
    source = write(tmp_path / "oem.zip", zip_bytes(members))
    with files_of_at_most(len(ZEROS) + MEBIBYTE), open_depot(source, strict=False) as depot:
        assert [vib.id for vib in depot.catalog.vibs] == [VIB.id, OTHER.id]
        for vib, builder in zip(depot.catalog.vibs, (VIB, OTHER), strict=True):
            with depot.open_vib(vib) as stream:
                assert stream.read() == builder.vib()
        assert codes(depot.catalog) == ["unreadable-document"], "the broken one"


def test_no_room_for_a_zip_in_a_zip_is_our_error(tmp_path: Path) -> None:
    source = write(tmp_path / "oem.zip", zip_bytes({"a.zip": DEPOT.zip(), "b.zip": ZEROS}))
    with files_of_at_most(MEBIBYTE), pytest.raises(SourceUnreadableError, match="temporary file") as caught:
        open_depot(source)
    assert caught.value.where == f"{source}!b.zip"
    assert "TMPDIR" in caught.value.hint
    with files_of_at_most(MEBIBYTE):
        assert [vib.id for vib in catalog_of(source, strict=False).vibs] == [VIB.id]


@pytest.mark.parametrize("depth", [1, 2, 3, 4, 5])
def test_the_archive_at_the_limit_of_depth_is_still_read(tmp_path: Path, depth: int) -> None:
    vibs = [VibBuilder(name=f"level-{level}", payload_name="x") for level in range(1, depth + 1)]
    archive = b""
    for vib in reversed(vibs):
        archive = zip_bytes({"a.vib": vib.vib()} | ({"inner.zip": archive} if archive else {}))
    source = write(tmp_path / "nested.zip", archive)
    assert {vib.id for vib in catalog_of(source, limits=ReadLimits(archive_depth=depth)).vibs} == {
        vib.id for vib in vibs
    }
    if depth > 1:
        with pytest.raises(LimitExceededError, match="deeper than the limit") as caught:
            open_depot(source, limits=ReadLimits(archive_depth=depth - 1))
        assert (caught.value.found, caught.value.expected) == (f"depth {depth}", f"at most {depth - 1}")
        assert "archive_depth" in caught.value.hint


@pytest.mark.parametrize(
    ("limits", "message"),
    [
        pytest.param(ReadLimits(metadata_bytes=1000), "limit", id="all-metadata"),
        pytest.param(ReadLimits(document_bytes=100), "limit", id="one-document"),
        pytest.param(ReadLimits(member_count=2), "limit", id="members"),
    ],
)
def test_reading_is_bounded(tmp_path: Path, limits: ReadLimits, message: str) -> None:
    bundle = DEPOT.write(tmp_path / "depot.zip")
    folder = DEPOT.unpack(tmp_path / "folder")
    for source in (bundle, folder):
        with pytest.raises(EsxImageError, match=message) as caught:
            open_depot(source, limits=limits)
        assert isinstance(caught.value, LimitExceededError | DepotErrors)


def test_one_vib_in_two_sources_stands_there_once(tmp_path: Path, plain: Path) -> None:
    copy = DEPOT.with_vibs(VIB.with_(folder="other/")).write(tmp_path / "copy.zip")
    catalog = catalog_of(plain, copy)
    assert len(catalog.vibs) == len(catalog.components) == 1
    assert catalog.sources_of(catalog.vibs[0]) == (str(copy), str(plain))
    assert catalog.findings == ()


def test_one_source_given_twice_is_read_once(plain: Path) -> None:
    assert catalog_of(plain, plain).sources == (str(plain),)


@pytest.mark.parametrize(
    "changed",
    [
        pytest.param(VIB.with_(payload=b"other payload"), id="payload"),
        pytest.param(VIB.with_(signature=b""), id="signature"),
        pytest.param(VIB.with_element("summary", element("summary", "other")), id="descriptor"),
    ],
)
def test_one_id_with_two_contents_is_kept_apart(tmp_path: Path, plain: Path, changed: VibBuilder) -> None:
    assert changed.id == VIB.id
    second = DEPOT.with_vibs(changed).write(tmp_path / "second.zip")
    with open_depot(plain, second) as depot:
        catalog = depot.catalog
        assert [vib.id for vib in catalog.vibs] == [VIB.id, VIB.id]
        assert len(catalog.vibs_by_id[VIB.id]) == 2
        assert {vib.fingerprint for vib in catalog.vibs} == {sha256(VIB.vib()), sha256(changed.vib())}
        contents = {catalog.sources_of(vib): depot.open_vib(vib).read() for vib in catalog.vibs}
        assert contents == {(str(plain),): VIB.vib(), (str(second),): changed.vib()}
    (finding,) = catalog.findings
    assert (finding.code, finding.severity, finding.items) == ("vib-content-differs", Severity.WARNING, (VIB.id,))
    assert str(plain) in finding.cause
    assert str(second) in finding.cause


def test_a_loose_vib_with_other_words_is_kept_apart(tmp_path: Path, plain: Path) -> None:
    changed = VIB.with_element("summary", element("summary", "other"))
    catalog = catalog_of(plain, write(tmp_path / "loose.vib", changed.vib()))
    assert len(catalog.vibs) == 2
    assert codes(catalog) == ["vib-content-differs"]


@pytest.mark.parametrize(
    ("path", "one", "other", "code"),
    [
        pytest.param(
            "addons/a.json",
            b'{"releaseID":"A:1.0"}',
            b'{"releaseID":"A:1.0","removedComponents":["x"]}',
            "add-on-content-differs",
            id="add-on",
        ),
        pytest.param(
            "baseimages/b.json",
            b'{"version":"7.0.3-0.55.20328353"}',
            b'{"version":"7.0.3-0.55.20328353","components":{"x":"1"}}',
            "base-image-content-differs",
            id="base-image",
        ),
        pytest.param(
            "baseimages/b.json",
            b'{"version":"9.0.2-0.25148076"}',
            b'{"version":"9.0.2.0.25148076","components":{"x":"1"}}',
            "base-image-content-differs",
            id="both-spellings",
        ),
        pytest.param(
            "profiles/p.xml",
            profile_document(),
            profile_document(vib_ids=["x"]),
            "profile-content-differs",
            id="profile",
        ),
        pytest.param(
            "solutions/s.json",
            b'{"releaseID":"A:1.0"}',
            b'{"releaseID":"A:1.0","components":["x"]}',
            "solution-content-differs",
            id="solution",
        ),
        pytest.param(
            "manifests/m.json",
            b'{"releaseID":"A:1.0"}',
            b'{"releaseID":"A:1.0","components":{"x":"1"}}',
            "hardware-support-content-differs",
            id="hardware-support",
        ),
    ],
)
def test_units_of_one_name_with_two_contents_are_kept_apart(
    tmp_path: Path, path: str, one: bytes, other: bytes, code: str
) -> None:
    sources = [
        DEPOT.with_metadata_file(path, data).write(tmp_path / f"{number}.zip")
        for number, data in enumerate((one, other, one))
    ]
    assert codes(catalog_of(*sources)) == [code]
    assert codes(catalog_of(sources[0], sources[2])) == []


def test_components_of_one_name_with_other_vibs_are_kept_apart(tmp_path: Path, plain: Path) -> None:
    bulletin = BulletinBuilder.of(VIB, vib_ids=(VIB.id, OTHER.id))
    second = DepotBuilder().with_vibs(VIB, OTHER).with_bulletins(bulletin).write(tmp_path / "second.zip")
    catalog = catalog_of(plain, second)
    assert sorted(len(component.vib_ids) for component in catalog.components) == [1, 2]
    assert codes(catalog) == ["component-content-differs"]


UNKNOWN = ("<acme>one</acme>", "<acme>two</acme>")


@pytest.mark.parametrize(
    "depots",
    [
        pytest.param(
            [DEPOT.with_bulletins(BulletinBuilder.of(VIB).with_element("acme", xml)) for xml in UNKNOWN], id="component"
        ),
        pytest.param(
            [
                DEPOT.with_metadata_file("bulletins/legacy.xml", LEGACY.with_element("acme", xml).document())
                for xml in UNKNOWN
            ],
            id="bulletin",
        ),
        pytest.param(
            [DEPOT.with_metadata_file("profiles/p.xml", profile_document(inside=xml)) for xml in UNKNOWN], id="profile"
        ),
        *(
            pytest.param(
                [
                    DEPOT.with_metadata_file(path, json.dumps({"releaseID": unit, "acme": value}).encode())
                    for value in ("one", "two")
                ],
                id=path.partition("/")[0],
            )
            for path, unit in (
                ("baseimages/b.json", "ESXi:7.0.3-0.55.20328353"),
                ("addOns/a.json", "ACME-AddOn:703.1-A00"),
                ("solutions/s.json", "com.acme.ha:1.0"),
                ("manifests/m.json", "acme:2024.1"),
            )
        ),
        pytest.param([DEPOT.with_vibs(VIB.with_appended(xml).without("checksum")) for xml in UNKNOWN], id="vib"),
        pytest.param(
            [
                DEPOT.with_vibs(
                    VIB.with_element("system-requires", wrapped("system-requires", [xml])).without("checksum")
                )
                for xml in UNKNOWN
            ],
            id="vib-inside",
        ),
        pytest.param(
            [
                DEPOT.with_vibs(VIB.with_(payload_attributes={"acme": value}).without("checksum"))
                for value in ("one", "two")
            ],
            id="payload-attribute",
        ),
        pytest.param([DEPOT.with_vibs(VIB), DEPOT.with_vibs(VIB.without("packed-size"))], id="facts-of-the-file"),
    ],
)
def test_what_differs_in_unknown_elements_only_comes_in_one_order(tmp_path: Path, depots: list[DepotBuilder]) -> None:
    """Also what ``repr`` leaves out puts things in order, so the sources' order does not matter."""
    sources = [depot.write(tmp_path / f"{number}.zip") for number, depot in enumerate(depots)]
    one, other = catalog_of(*sources), catalog_of(*reversed(sources))
    assert attrs.evolve(one, sources=()) == attrs.evolve(other, sources=())
    assert [vib.file for vib in one.vibs] == [vib.file for vib in other.vibs]


def test_the_name_in_a_finding_is_that_of_no_source_order(tmp_path: Path) -> None:
    sources = [
        DEPOT.with_metadata_file(
            "baseimages/b.json", json.dumps({"version": version, "components": components}).encode()
        ).write(tmp_path / f"{version}.zip")
        for version, components in (("9.0.2-0.25148076", {}), ("9.0.2.0.25148076", {"x": "1"}))
    ]
    assert catalog_of(*sources).findings == catalog_of(*reversed(sources)).findings


def test_vibs_that_differ_in_unknown_elements_keep_their_own_bytes(tmp_path: Path) -> None:
    """Loose files have no stated digest; the name of the content covers what ``repr`` leaves out."""
    vibs = [VIB.with_appended(xml) for xml in UNKNOWN]
    sources = [write(tmp_path / f"{number}.vib", vib.vib()) for number, vib in enumerate(vibs)]
    with open_depot(*sources) as depot:
        assert codes(depot.catalog) == ["vib-content-differs"]
        assert [depot.catalog.sources_of(vib) for vib in depot.catalog.vibs] == [(str(source),) for source in sources]
        for vib, built in zip(depot.catalog.vibs, vibs, strict=True):
            with depot.open_vib(vib) as stream:
                assert stream.read() == built.vib()


@pytest.fixture(scope="module")
def many_sources(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Sources that repeat and contradict one another."""
    folder = tmp_path_factory.mktemp("many")
    worded = BulletinBuilder.of(VIB).with_element("summary", element("summary", "in other words"))
    return {
        "plain": DEPOT.write(folder / "plain.zip"),
        "twin": DEPOT.with_bulletins(worded, LEGACY).write(folder / "twin.zip"),
        "other": DepotBuilder().with_vibs(OTHER, VIB.with_(payload=b"x")).write(folder / "other.zip"),
        "loose": write(folder / "loose.vib", VIB.vib()),
        "unpacked": DEPOT.with_vibs(OTHER.without("checksum")).unpack(folder / "unpacked"),
        "missing": DEPOT.without(VIB.relative_path).write(folder / "missing.zip"),
    }


@settings(max_examples=50)
@given(order=st.data())
def test_the_order_of_sources_does_not_matter(many_sources: dict[str, Path], order: st.DataObject) -> None:
    chosen = order.draw(st.sets(st.sampled_from(sorted(many_sources)), min_size=1))
    shuffled = order.draw(st.permutations(sorted(chosen)))
    one = catalog_of(*(many_sources[name] for name in sorted(chosen)))
    other = catalog_of(*(many_sources[name] for name in shuffled))
    assert attrs.evolve(one, sources=()) == attrs.evolve(other, sources=())
    assert [vib.fingerprint for vib in one.vibs] == [vib.fingerprint for vib in other.vibs]
    assert set(one.sources) == set(other.sources)


BAD_VIB = b"<vib version='5.0'><name>x</name></vib>"
DOCTYPE = b"<!DOCTYPE vib SYSTEM 'x'><vib/>"


def test_two_bad_documents_are_both_reported(tmp_path: Path) -> None:
    depot = DEPOT.with_metadata_file("vibs/bad.xml", BAD_VIB).with_metadata_file("bulletins/bad.xml", b"<bulletin>")
    source = depot.write(tmp_path / "depot.zip")
    with pytest.raises(DepotErrors) as caught:
        open_depot(source)
    assert [type(error) for error in caught.value.exceptions] == [InvalidFieldError, MalformedDocumentError]
    assert caught.value.where == (
        f"{source}!metadata.zip!vibs/bad.xml:1 <vib>; {source}!metadata.zip!bulletins/bad.xml"
    )
    with pytest.raises(EsxImageError):
        open_depot(source)


def test_bad_documents_can_be_findings_instead(tmp_path: Path, plain: Path) -> None:
    depot = DEPOT.with_metadata_file("vibs/bad.xml", BAD_VIB).with_metadata_file("bulletins/bad.xml", DOCTYPE)
    source = depot.write(tmp_path / "depot.zip")
    catalog = catalog_of(source, strict=False)
    assert attrs.evolve(without_sources(catalog), findings=()) == without_sources(catalog_of(plain))
    assert codes(catalog) == ["unreadable-document", "unreadable-document"]
    assert {finding.where for finding in catalog.findings} == {
        f"{source}!metadata.zip!vibs/bad.xml:1 <vib>",
        f"{source}!metadata.zip!bulletins/bad.xml",
    }
    assert all(finding.severity is Severity.ERROR for finding in catalog.findings)


@pytest.mark.parametrize(
    "path", ["index.xml", "vendor-index.xml", "vibs/x.xml", "bulletins/x.xml", "profiles/x.xml", "vmware.xml"]
)
def test_a_document_type_is_refused_wherever_it_stands(tmp_path: Path, path: str) -> None:
    is_outside = path in ("index.xml", "vendor-index.xml")
    depot = DEPOT.with_file(path, DOCTYPE) if is_outside else DEPOT.with_metadata_file(path, DOCTYPE)
    source = depot.write(tmp_path / "depot.zip")
    with pytest.raises(MalformedDocumentError, match="DOCTYPE") as caught:
        open_depot(source)
    assert caught.value.where == f"{source}!{path if is_outside else f'metadata.zip!{path}'}"
    assert codes(catalog_of(source, strict=False)) == ["unreadable-source" if is_outside else "unreadable-document"]


def test_one_bad_source_does_not_hide_the_others(tmp_path: Path, plain: Path) -> None:
    page = write(tmp_path / "page.zip", b"<html>")
    missing = tmp_path / "missing.zip"
    with pytest.raises(DepotErrors) as caught:
        open_depot(page, plain, missing)
    assert [type(error) for error in caught.value.exceptions] == [NotADepotError, SourceUnreadableError]
    catalog = catalog_of(page, plain, missing, strict=False)
    assert [vib.id for vib in catalog.vibs] == [VIB.id]
    assert catalog.sources == (str(page), str(plain), str(missing))
    assert codes(catalog) == ["unreadable-source", "unreadable-source"]


def test_one_bad_archive_in_a_folder_does_not_hide_the_others(tmp_path: Path, plain: Path) -> None:
    folder = tmp_path / "downloads"
    write(folder / "a.zip", b"PK\x03\x04 cut short")
    write(folder / "b.zip", DEPOT.with_file("index.xml", DOCTYPE).zip())
    write(folder / "c.zip", plain.read_bytes())
    write(folder / "d.vib", b"!<arch>\n")
    with pytest.raises(DepotErrors) as caught:
        open_depot(folder)
    places = [error.where for error in caught.value.exceptions if isinstance(error, EsxImageError)]
    assert places == [str(folder / "d.vib"), str(folder / "a.zip"), f"{folder / 'b.zip'}!index.xml"]
    catalog = catalog_of(folder, strict=False)
    assert [vib.id for vib in catalog.vibs] == [VIB.id]
    assert codes(catalog) == ["unreadable-document"] * 3


def test_a_vib_that_is_not_there_is_a_finding(tmp_path: Path) -> None:
    source = DEPOT.without(VIB.relative_path).write(tmp_path / "depot.zip")
    catalog = catalog_of(source)
    assert catalog.vibs == ()
    (finding,) = catalog.findings
    assert (finding.code, finding.severity, finding.items) == ("vib-file-missing", Severity.WARNING, (VIB.id,))
    loose = write(tmp_path / "loose.vib", VIB.vib())
    assert catalog_of(source, loose).findings == (), "another source holds it"


def test_a_tree_without_the_bytes_does_not_hide_those_of_the_next(tmp_path: Path) -> None:
    """A tree that holds no VIB is dropped at once, and the next one may stand where it stood in memory."""
    limits = ReadLimits()
    stack, budget = contextlib.ExitStack(), ReadBudget(limits)
    reading = _Reading(SourceContents("oem.zip"), stack, Spool(stack, budget), limits, budget)
    vib = parse_vib_descriptor(VIB.descriptor(), where="vib", max_bytes=10_000)
    for number in range(40):
        reading._place_vib(vib, FolderTree(tmp_path, {"readme.txt": 1}, where=f"{number}a"), "", "metadata.zip")
        held = FolderTree(tmp_path, {f"moved/{VIB.id}.vib": len(VIB.vib())}, where=f"{number}b")
        reading._place_vib(vib, held, "", "metadata.zip")
    assert len(reading.contents.vibs) == 40
    assert [finding.code for finding in reading.contents.findings] == ["vib-file-missing"] * 40


@pytest.mark.parametrize("path", ["../outside.vib", "vib20/../../outside.vib", "/../outside.vib", "..\\outside.vib"])
@pytest.mark.parametrize("form", ["zip", "folder"])
def test_a_path_out_of_the_depot_finds_nothing(tmp_path: Path, path: str, form: str) -> None:
    write(tmp_path / "outside.vib", VIB.vib())
    astray = VIB.with_(file_elements={"relative-path": element("relative-path", path)})
    depot = DEPOT.with_vibs(astray).without(VIB.relative_path)
    source = depot.write(tmp_path / "depot.zip") if form == "zip" else depot.unpack(tmp_path / "depot")
    catalog = catalog_of(source)
    assert (catalog.vibs, codes(catalog)) == ((), ["vib-file-missing"])


@pytest.mark.parametrize(
    "url", ["../metadata.zip", "/../metadata.zip", "https://acme.example/metadata.zip", "none.zip"]
)
def test_metadata_that_is_not_there_is_a_finding(tmp_path: Path, url: str) -> None:
    write(tmp_path / "metadata.zip", zip_bytes(DEPOT.metadata_members()))
    index = wrapped("metaList", [wrapped("metadata", [element("url", url)])]).encode()
    source = DEPOT.with_file("vendor-index.xml", index).unpack(tmp_path / "depot")
    finding, beside = catalog_of(source).findings
    assert (finding.code, finding.severity, finding.items) == ("metadata-missing", Severity.ERROR, (url,))
    assert beside.code == "vib-not-indexed"


@pytest.mark.skipif(os.name != "posix", reason="links need a POSIX file system here")
def test_links_out_of_a_folder_are_not_followed(tmp_path: Path) -> None:
    outside = write(tmp_path / "outside" / "secret.vib", OTHER.vib())
    folder = tmp_path / "depot"
    write(folder / "a.vib", VIB.vib())
    (folder / "link.vib").symlink_to(outside)
    (folder / "relative.vib").symlink_to("../outside/secret.vib")
    (folder / "linked").symlink_to(outside.parent, target_is_directory=True)
    (folder / "broken.vib").symlink_to("nowhere")
    (folder / "circle.vib").symlink_to("circle.vib")
    (folder / "up").symlink_to("..", target_is_directory=True)
    assert [vib.id for vib in catalog_of(folder).vibs] == [VIB.id]
    (folder / "inside.vib").symlink_to("a.vib")
    assert [vib.id for vib in catalog_of(folder).vibs] == [VIB.id]


def test_a_link_to_a_depot_is_a_depot(tmp_path: Path, plain: Path) -> None:
    (tmp_path / "link.zip").symlink_to(plain)
    assert without_sources(catalog_of(tmp_path / "link.zip")) == without_sources(catalog_of(plain))


def test_a_vib_of_another_length_than_stated_is_a_finding(tmp_path: Path) -> None:
    source = DEPOT.with_file(VIB.relative_path, VIB.vib()[:-2]).write(tmp_path / "depot.zip")
    catalog = catalog_of(source)
    assert [vib.id for vib in catalog.vibs] == [VIB.id]
    assert codes(catalog) == ["vib-size-differs"]
    assert str(len(VIB.vib())) in catalog.findings[0].message


def test_metadata_that_no_one_can_read_is_named(tmp_path: Path) -> None:
    depot = DEPOT.with_metadata_file("notifications.zip", b"x").with_metadata_file("configSchemas/a.json", b"{}")
    (finding,) = catalog_of(depot.write(tmp_path / "depot.zip")).findings
    assert (finding.code, finding.severity) == ("metadata-not-read", Severity.INFO)
    assert finding.items == ("configSchemas/a.json", "notifications.zip")


def test_at_least_one_source_is_needed() -> None:
    with pytest.raises(ModelError, match="no source"):
        open_depot()


def test_the_bytes_of_a_foreign_vib_are_not_there(tmp_path: Path, plain: Path) -> None:
    (foreign,) = catalog_of(write(tmp_path / "other.vib", OTHER.vib())).vibs
    with open_depot(plain) as depot:
        for ask in (depot.open_vib, depot.open_packed_vib, depot.read_vib_head, depot.where_is):
            with pytest.raises(NotInDepotError) as caught:
                ask(foreign)
            assert foreign.id in caught.value.message


def test_the_catalog_outlives_its_depot(plain: Path) -> None:
    with open_depot(plain) as depot:
        catalog = depot.catalog
    assert catalog.vibs[0].id == VIB.id
    assert depot.catalog is catalog


def test_a_damaged_member_is_noticed_while_reading(tmp_path: Path) -> None:
    data = bytearray(DEPOT.zip(method=zipfile.ZIP_STORED))
    data[data.index(VIB.payload)] ^= 1
    with open_depot(write(tmp_path / "depot.zip", bytes(data))) as depot, pytest.raises(EsxImageError) as caught:
        depot.open_vib(depot.catalog.vibs[0]).read()
    assert caught.value.code == "checksum-mismatch"


def test_what_is_opened_can_be_listed(tmp_path: Path) -> None:
    depot = (
        DEPOT.with_vibs(VIB, OTHER.with_(signature=b"", acceptance_level="community"))
        .with_(response_bulletins=(LEGACY,))
        .with_metadata_file("baseimages/b.json", b'{"version":"7.0.3-0.55.20328353","displayVersion":"7.0 U3g"}')
        .with_metadata_file("addons/a.json", b'{"releaseID":"ACME-AddOn:703.1-A00","releaseDate":"2024-01-01"}')
        .with_metadata_file("profiles/p.xml", profile_document(vib_ids=[VIB.id]))
        .with_metadata_file("x.bin", b"")
    )
    source = depot.write(tmp_path / "depot.zip")
    with open_depot(source) as opened:
        listing = catalog_as_dict(opened)
    assert json.loads(json.dumps(listing)) == listing
    assert [(vib["id"], vib["acceptance_level"], vib["signed"]) for vib in listing["vibs"]] == [
        (VIB.id, "partner", True),
        (OTHER.id, "community", False),
    ]
    assert listing["add_ons"][0]["released_at"] == "2024-01-01T00:00:00+00:00"
    text = render_text_listing(listing)
    for line in (
        f"  {source}",
        "Base images (1)",
        "  7.0.3-0.55.20328353  7.0 U3g",
        "  ACME-AddOn  703.1-A00",
        "Components (2)",
        "  ACME-2024-001  Acme",
        f"  {OTHER.id.ljust(len(VIB.id))}  CommunitySupported  unsigned",
        "  [info] metadata-not-read: 1 metadata files are of a kind this library does not read",
    ):
        assert line in text.splitlines()
    assert "Solutions" not in text


def test_every_depot_of_a_folder_is_read(tmp_path: Path) -> None:
    """Two unpacked depots side by side in one folder are two depots."""
    first, second = VibBuilder().with_(name="net-one"), VibBuilder().with_(name="net-two")
    for name, vib in (("a", first), ("b", second)):
        DepotBuilder().with_vibs(vib).unpack(tmp_path / "both" / name)

    with open_depot(tmp_path / "both") as depot:
        assert [vib.name for vib in depot.catalog.vibs] == ["net-one", "net-two"]


def test_two_ids_with_one_digest_keep_their_own_bytes(tmp_path: Path) -> None:
    """Metadata that claims the digest of another VIB must not hand out that VIB's bytes."""
    honest, liar = VibBuilder().with_(name="net-one"), VibBuilder().with_(name="net-two")
    digest = sha256(honest.vib())
    wrong = liar.metadata().replace(sha256(liar.vib()).encode(), digest.encode())
    assert wrong != liar.metadata()
    DepotBuilder().with_vibs(honest).write(tmp_path / "a.zip")
    depot = DepotBuilder().with_vibs(liar)
    depot.with_metadata_file("vibs/net-two-1.xml", wrong).write(tmp_path / "b.zip")

    with open_depot(tmp_path / "a.zip", tmp_path / "b.zip") as opened:
        for vib in opened.catalog.vibs:
            with opened.open_vib(vib) as source:
                assert source.read() == (honest if vib.name == "net-one" else liar).vib()


def test_bytes_of_a_closed_depot_are_refused(tmp_path: Path) -> None:
    """The catalog outlives its depot, the bytes do not; the error says where to export."""
    DepotBuilder().with_vibs(VibBuilder()).write(tmp_path / "a.zip")
    with open_depot(tmp_path / "a.zip") as depot:
        (vib,) = depot.catalog.vibs

    with pytest.raises(SourceUnreadableError, match="closed") as caught:
        depot.open_vib(vib)

    assert "with block" in caught.value.hint
