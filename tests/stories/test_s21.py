"""S21, broken inputs: each gives a typed error that names the path and the element, or a finding."""

from __future__ import annotations

import hashlib
import io
import re
import zipfile
from typing import TYPE_CHECKING

import pytest
from support.changed_depots import DEPOTS, ar_members, edit_zip, in_metadata, render_vib, zip_members
from support.small_images import RELEASED, base_vibs, small_vib, write_base_depot

import esximage_builder as eib
from esximage_builder.authoring.vib import raw_payload
from esximage_builder.containers.iso9660 import IsoFile, lay_out_iso

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from esximage_builder.authoring.vib import AuthoredVib

VERSION = "7.0.3-0.55.20328353"
I40EN = DEPOTS / "Intel-i40en_2.8.4.0-1OEM.700.1.0.15843807.zip"
I40EN_ID = "INT_bootbank_i40en_2.8.4.0-1OEM.700.1.0.15843807"
WISH = ("Intel-i40en", "2.8.4.0-1OEM.700.1.0.15843807")
U3G = DEPOTS / "VMware-ESXi-7.0U3g-20328353-depot.zip"

LFS_POINTER = (
    b"version https://git-lfs.github.com/spec/v1\n"
    b"oid sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393\n"
    b"size 370123456\n"
)


# Cut short


def test_a_truncated_zip_is_a_typed_error_wherever_it_is_cut(tmp_path: Path) -> None:
    """No cut goes unnoticed: what a zip holds stands at its end."""
    data, path = I40EN.read_bytes(), tmp_path / "cut.zip"
    for cut in (*range(0, 200, 7), *range(200, len(data), 311), len(data) - 1):
        path.write_bytes(data[:cut])
        with pytest.raises(eib.DepotError) as caught:
            eib.open_depot(path)
        assert str(path) in caught.value.where, cut
        assert isinstance(caught.value, eib.NotADepotError if cut < 4 else eib.MalformedDocumentError), cut
        assert caught.value.hint


def test_a_truncated_zip_says_that_it_is_cut_short(tmp_path: Path) -> None:
    path = tmp_path / "cut.zip"
    path.write_bytes(U3G.read_bytes()[:400_000])
    with pytest.raises(eib.MalformedDocumentError, match="cut short") as caught:
        eib.open_depot(path)
    assert caught.value.where == str(path)
    assert "download" in caught.value.hint


def test_a_truncated_metadata_zip_is_named(tmp_path: Path) -> None:
    path = edit_zip(I40EN, tmp_path / "d.zip", lambda name, data: data[:-30] if name == "metadata.zip" else data)
    with pytest.raises(eib.MalformedDocumentError, match="cut short") as caught:
        eib.open_depot(path)
    assert caught.value.where == f"{path}!metadata.zip"


def test_a_truncated_document_is_named_with_its_line(tmp_path: Path) -> None:
    path = edit_zip(
        I40EN, tmp_path / "d.zip", in_metadata(lambda name, data: data[:-3] if name.startswith("vibs/") else data)
    )
    with pytest.raises(eib.MalformedDocumentError, match="no well-formed XML") as caught:
        eib.open_depot(path)
    assert re.fullmatch(rf"{re.escape(str(path))}!metadata\.zip!vibs/i40en-\d+\.xml.*", caught.value.where)


def test_a_wrong_element_is_named_with_its_place(tmp_path: Path) -> None:
    def edit(name: str, data: bytes) -> bytes:
        return data.replace(b"<packed-size>", b"<packed-size>-") if name.startswith("vibs/") else data

    path = edit_zip(I40EN, tmp_path / "d.zip", in_metadata(edit))
    with pytest.raises(eib.InvalidFieldError) as caught:
        eib.open_depot(path)
    assert caught.value.where.startswith(f"{path}!metadata.zip!vibs/i40en-")
    assert caught.value.where.endswith(":1 <vib>/packed-size")
    assert caught.value.found.strip("'").startswith("-")


def test_a_vib_cut_short_is_found_when_its_bytes_are_needed(tmp_path: Path) -> None:
    """Opening reads metadata only; the size in the zip's directory gives it away already."""
    path = edit_zip(U3G, tmp_path / "d.zip", lambda name, data: data[:-99] if "/esx-base/" in name else data)
    with eib.open_depot(path) as depot:
        (noticed,) = depot.catalog.findings
        assert (noticed.code, noticed.where) == ("vib-size-differs", str(path))
        image = eib.compose(depot.catalog, base_image=VERSION)
        (finding,) = eib.validate(image, depot.catalog).errors
        assert finding.code == "vib-size-differs"
        for export in (eib.export_bundle, eib.export_iso):
            with pytest.raises(eib.DepotError) as caught:
                export(image, depot, tmp_path / "out")
            assert f"VMware_bootbank_esx-base_{VERSION}" in str(caught.value)
    assert not (tmp_path / "out").exists()


# Something else


def ordinary_disc() -> bytes:
    """An ISO of something that is not ESXi."""
    layout = lay_out_iso(
        [IsoFile(path="README.TXT", content=b"drivers for Windows\n")],
        volume_id="DRIVERS",
        bios_boot=None,
        efi_boot=None,
        timestamp=RELEASED,
    )
    target = io.BytesIO()
    layout.write_skeleton(target)
    return target.getvalue()


@pytest.mark.parametrize(
    ("make", "found", "advice"),
    [
        pytest.param(lambda: LFS_POINTER, "Git LFS pointer", "git lfs pull", id="LFS pointer"),
        pytest.param(ordinary_disc, "a disc without image database", "offline bundle", id="another ISO"),
        pytest.param(lambda: b"", "empty file", "download it again", id="empty"),
        pytest.param(lambda: b"<!DOCTYPE html><html>Login", "HTML page", "expired or wants a login", id="login page"),
        pytest.param(lambda: b"\x1f\x8b\x08\0\0\0\0\0", "gzip file", "zip", id="gzip"),
        pytest.param(lambda: b"7z\xbc\xaf\x27\x1c\0\4", "7-Zip archive", "unpack it", id="7-Zip"),
        pytest.param(lambda: b"MZ\x90\0", "Windows program", "unpack it", id="self-extracting"),
        pytest.param(lambda: b'{"base_image": {}}', "JSON document", "--spec", id="a spec"),
        pytest.param(lambda: b"!<arch>\r\ndescriptor.xml", "line ends", "binary mode", id="mangled VIB"),
        pytest.param(lambda: I40EN.read_bytes()[100:], "unknown file", "", id="without its beginning"),
    ],
)
@pytest.mark.parametrize("name", ["depot.zip", "depot.vib", "depot.iso"])
def test_something_else_under_the_name_of_a_depot(
    tmp_path: Path, make: Callable[[], bytes], found: str, advice: str, name: str
) -> None:
    """The first bytes decide, never the name; the error says what it is and what to do."""
    path = tmp_path / name
    path.write_bytes(make())
    with pytest.raises(eib.NotADepotError) as caught:
        eib.open_depot(path)
    assert caught.value.where == str(path)
    assert found in caught.value.found
    assert caught.value.expected
    assert advice in caught.value.hint


def test_the_lfs_pointer_is_as_small_as_real_ones() -> None:
    assert len(LFS_POINTER) == 134


def test_an_installer_disc_given_as_bundle_is_read_as_what_it_is(tmp_path: Path) -> None:
    """Whatever its name; one that lacks a byte of a file is refused, one that lacks padding fails verification."""
    with eib.open_depot(U3G) as depot:
        image = eib.compose(depot.catalog, base_image=VERSION)
        eib.export_iso(image, depot, tmp_path / "disc.iso")
    (tmp_path / "disc.iso").rename(tmp_path / "disc.zip")
    with eib.open_depot(tmp_path / "disc.zip") as depot:
        assert eib.sniff(tmp_path / "disc.zip").kind is eib.FileKind.ISO
        assert {vib.id for vib in depot.catalog.vibs} == {vib.id for vib in image.host_vibs}
    data = (tmp_path / "disc.zip").read_bytes()
    padding_at = len(data.rstrip(b"\0"))
    for cut in (*range(40_000, padding_at, 90_000), padding_at - 1):
        (tmp_path / "cut.iso").write_bytes(data[:cut])
        with pytest.raises(eib.DepotError) as caught:
            eib.open_depot(tmp_path / "cut.iso")
        assert str(tmp_path / "cut.iso") in caught.value.where
    for cut in (len(data) - 2048, len(data) - 1):
        (tmp_path / "cut.iso").write_bytes(data[:cut])
        with eib.open_depot(tmp_path / "cut.iso") as depot:
            assert {vib.id for vib in depot.catalog.vibs} == {vib.id for vib in image.host_vibs}
        assert "disc-contradicts-itself" in {finding.code for finding in eib.verify_iso(tmp_path / "cut.iso").findings}


def test_a_zip_of_something_else_lists_what_it_holds(tmp_path: Path) -> None:
    path = tmp_path / "photos.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("holiday/beach.jpg", b"")
    with pytest.raises(eib.NotADepotError) as caught:
        eib.open_depot(path)
    assert caught.value.found == "1 files: holiday/beach.jpg"


def test_one_broken_source_does_not_hide_the_others(tmp_path: Path) -> None:
    (tmp_path / "pointer.zip").write_bytes(LFS_POINTER)
    with pytest.raises(eib.NotADepotError):
        eib.open_depot(I40EN, tmp_path / "pointer.zip")
    with eib.open_depot(I40EN, tmp_path / "pointer.zip", strict=False) as depot:
        assert [vib.id for vib in depot.catalog.vibs] == [I40EN_ID]
        (finding,) = depot.catalog.findings
    assert (finding.code, finding.severity) == ("unreadable-source", eib.Severity.ERROR)
    assert finding.where == str(tmp_path / "pointer.zip")
    assert "Git LFS pointer" in finding.message


# Two metadata versions in one bundle


def with_second_metadata(target: Path, *, url: str, second: bytes | None) -> Path:
    """A copy of a bundle whose vendor index names two metadata zips."""
    members = zip_members(I40EN)
    entry = re.search(rb"<metadata>.*</metadata>", members["vendor-index.xml"], re.DOTALL)
    assert entry is not None
    other = entry[0].replace(b"metadata.zip", url.encode()).replace(b"<version>7.*<", b"<version>8.0<")
    members["vendor-index.xml"] = members["vendor-index.xml"].replace(entry[0], entry[0] + other)
    if second is not None:
        members[url] = second
    with zipfile.ZipFile(target, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return target


def changed_metadata(old: bytes, new: bytes) -> bytes:
    """The bundle's metadata zip with something replaced in its VIB's description."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for name, data in zip_members(zip_members(I40EN)["metadata.zip"]).items():
            assert not name.startswith("vibs/") or old in data
            archive.writestr(name, data.replace(old, new) if name.startswith("vibs/") else data)
    return target.getvalue()


def test_two_entries_for_one_metadata_zip_are_one(tmp_path: Path) -> None:
    path = with_second_metadata(tmp_path / "d.zip", url="metadata.zip", second=None)
    with eib.open_depot(path) as depot, eib.open_depot(I40EN) as plain:
        assert depot.catalog.vibs == plain.catalog.vibs
        assert depot.catalog.components == plain.catalog.components
        assert depot.catalog.findings == ()


def test_two_metadata_zips_that_agree_are_one(tmp_path: Path) -> None:
    second = zip_members(I40EN)["metadata.zip"]
    path = with_second_metadata(tmp_path / "d.zip", url="metadata-8.zip", second=second)
    with eib.open_depot(path) as depot:
        assert [vib.id for vib in depot.catalog.vibs] == [I40EN_ID]
        assert len(depot.catalog.components) == 1
        assert depot.catalog.findings == ()


@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param(b">accepted<", b">certified<", id="another level"),
        pytest.param(b"vmkapi_2_6_0_0", b"vmkapi_2_10_0_0", id="another dependency"),
    ],
)
def test_two_metadata_zips_that_disagree_are_a_finding_and_an_error_if_needed(
    tmp_path: Path, old: bytes, new: bytes
) -> None:
    """One VIB id, two descriptions: no guess which is right, and no source to prefer."""
    path = with_second_metadata(tmp_path / "d.zip", url="metadata-8.zip", second=changed_metadata(old, new))
    with eib.open_depot(U3G, path) as depot:
        (noticed,) = depot.catalog.findings
        assert (noticed.code, noticed.severity) == ("vib-content-differs", eib.Severity.WARNING)
        assert noticed.items == (I40EN_ID,)
        assert str(path) in noticed.cause
        without = eib.compose(depot.catalog, base_image=VERSION)
        assert eib.validate(without, depot.catalog).is_valid
        needing = eib.compose(depot.catalog, base_image=VERSION, components=dict([WISH]), prefer=[str(path)])
        codes = {finding.code for finding in eib.validate(needing, depot.catalog).errors}
        assert "vib-content-differs" in codes


def test_a_metadata_zip_that_is_named_and_missing_is_a_finding(tmp_path: Path) -> None:
    path = with_second_metadata(tmp_path / "d.zip", url="metadata-8.zip", second=None)
    with eib.open_depot(path) as depot:
        (finding,) = depot.catalog.findings
        assert [vib.id for vib in depot.catalog.vibs] == [I40EN_ID]
    assert (finding.code, finding.severity) == ("metadata-missing", eib.Severity.ERROR)
    assert (finding.where, finding.items) == (str(path), ("metadata-8.zip",))


def test_a_second_metadata_zip_that_is_broken_is_named(tmp_path: Path) -> None:
    path = with_second_metadata(tmp_path / "d.zip", url="metadata-8.zip", second=b"PK\x03\x04 no more")
    with pytest.raises(eib.MalformedDocumentError) as caught:
        eib.open_depot(path)
    assert caught.value.where == f"{path}!metadata-8.zip"


@pytest.mark.parametrize("url", ["../metadata.zip", "/etc/passwd", "..\\metadata.zip"])
def test_a_metadata_address_that_leads_out_finds_nothing(tmp_path: Path, url: str) -> None:
    path = with_second_metadata(tmp_path / "d.zip", url=url, second=None)
    with eib.open_depot(path) as depot:
        assert [finding.code for finding in depot.catalog.findings] == ["metadata-missing"]


# A wrong hash


def test_a_wrong_vib_hash_is_found_when_the_bytes_are_copied(tmp_path: Path) -> None:
    """With the VIB's id, the digest there should be and the one there is."""
    data = next(data for name, data in zip_members(I40EN).items() if name.endswith(".vib"))
    members = ar_members(data)
    other = render_vib(members, mode="0644")  # of the same length, with the same descriptor and signature
    assert len(other) == len(data)
    path = edit_zip(I40EN, tmp_path / "d.zip", lambda name, data: other if name.endswith(".vib") else data)
    with eib.open_depot(U3G, path) as depot:
        assert depot.catalog.findings == ()
        image = eib.compose(depot.catalog, base_image=VERSION, components=["Intel-i40en"])
        with pytest.raises(eib.ChecksumMismatchError) as caught:
            eib.export_bundle(image, depot, tmp_path / "out.zip")
        file = image.vibs_by_id[I40EN_ID].file
    assert file is not None
    assert (caught.value.where, caught.value.expected) == (I40EN_ID, file.sha256)
    assert re.fullmatch("[0-9a-f]{64}", caught.value.found)
    assert not (tmp_path / "out.zip").exists()


# Two VIBs of one id


def write_depots(folder: Path) -> tuple[Path, Path]:
    """Two depots of one base image; one driver of the second has the same id and another payload."""
    paths = (folder / "first.zip", folder / "second.zip")
    for path, content in zip(paths, (b"built once", b"built again"), strict=True):
        vibs: list[AuthoredVib] = base_vibs(VERSION, kernel=b"kernel", bios_loader=None, efi_image=None)
        driver = small_vib("twice", "1.0-1", (raw_payload("twice", content, type="text"),))
        write_base_depot(path, VERSION, [*vibs, driver])
    return paths


TWICE = "ACM_bootbank_twice_1.0-1"


@pytest.fixture
def twins(tmp_path: Path) -> tuple[Path, Path]:
    return write_depots(tmp_path)


def test_unequal_vibs_of_one_id_are_a_warning_of_the_depots(twins: tuple[Path, Path]) -> None:
    with eib.open_depot(*twins) as depot:
        (finding,) = depot.catalog.findings
        assert len(depot.catalog.vibs_by_id[TWICE]) == 2
        assert all(len(vibs) == 1 for vib_id, vibs in depot.catalog.vibs_by_id.items() if vib_id != TWICE)
    assert (finding.code, finding.severity, finding.items) == ("vib-content-differs", eib.Severity.WARNING, (TWICE,))
    assert all(str(path) in finding.cause for path in twins)
    assert finding.remedy


def test_they_are_an_error_if_the_image_needs_one_and_none_was_chosen(twins: tuple[Path, Path], tmp_path: Path) -> None:
    with eib.open_depot(*twins) as depot:
        image = eib.compose(depot.catalog, base_image=VERSION)
        (finding,) = eib.validate(image, depot.catalog).errors
        with pytest.raises(eib.IncompatibleImageError) as caught:
            eib.export_bundle(image, depot, tmp_path / "out.zip")
    assert (finding.code, finding.items) == ("vib-content-differs", (TWICE,))
    assert image.unchosen_vibs == (TWICE,)
    assert [finding.code for finding in caught.value.findings] == ["vib-content-differs"]
    assert not (tmp_path / "out.zip").exists()


def test_they_are_no_error_where_the_image_does_without(tmp_path: Path) -> None:
    other = tmp_path / "other.zip"
    with zipfile.ZipFile(other, "w") as archive:
        for name, data in zip_members(I40EN).items():
            archive.writestr(name, changed_metadata(b">accepted<", b">partner<") if name == "metadata.zip" else data)
    with eib.open_depot(U3G, I40EN, other) as depot:
        image = eib.compose(depot.catalog, base_image=VERSION)
        assert [finding.items for finding in depot.catalog.findings] == [(I40EN_ID,)]
        assert image.unchosen_vibs == ()
        assert eib.validate(image, depot.catalog).findings == ()
        eib.export_bundle(image, depot, tmp_path / "out.zip")
    assert not any("i40en_2.8" in name for name in zip_members(tmp_path / "out.zip"))


def test_a_reserved_vib_counts_as_needed(twins: tuple[Path, Path]) -> None:
    """It is not installed, but bundle and disc carry it: which bytes?"""
    with eib.open_depot(*twins) as depot:
        image = eib.compose(depot.catalog, base_image=VERSION, removed_components=["Acme-twice"])
        assert [entry.vib.id for entry in image.reserved_vibs] == [TWICE]
        assert [finding.code for finding in eib.validate(image, depot.catalog).errors] == ["vib-content-differs"]


@pytest.mark.parametrize("first", [0, 1])
@pytest.mark.parametrize("export", [eib.export_bundle, eib.export_iso], ids=["bundle", "ISO"])
def test_a_preferred_source_settles_it(
    twins: tuple[Path, Path], tmp_path: Path, first: int, export: Callable[..., eib.ExportResult]
) -> None:
    """The bytes written are those of that source, in whichever order the depots were opened."""
    wanted = twins[first]
    results = []
    for order in (twins, twins[::-1]):
        with eib.open_depot(*order) as depot:
            image = eib.compose(depot.catalog, base_image=VERSION, prefer=[str(wanted), str(twins[1 - first])])
            assert image.unchosen_vibs == ()
            assert eib.validate(image, depot.catalog).is_valid
            with depot.open_vib(image.vibs_by_id[TWICE]) as source:
                assert source.read() == zip_members(wanted)[f"vib20/twice/{TWICE}.vib"]
            export(image, depot, tmp_path / "out", overwrite=True)
            results.append((tmp_path / "out").read_bytes())
    assert results[0] == results[1]
    with eib.open_depot(wanted) as depot:
        export(eib.compose(depot.catalog, base_image=VERSION), depot, tmp_path / "alone")
    assert (tmp_path / "alone").read_bytes() == results[0]


@pytest.mark.parametrize("prefer", [[], ["nobody.zip"], [""]])
def test_a_preference_that_fits_no_source_settles_nothing(twins: tuple[Path, Path], prefer: list[str]) -> None:
    with eib.open_depot(*twins) as depot:
        image = eib.compose(depot.catalog, base_image=VERSION, prefer=prefer)
        assert [finding.code for finding in eib.validate(image, depot.catalog).errors] == ["vib-content-differs"]


def test_copies_that_differ_in_their_signature_only_are_unequal_too(tmp_path: Path) -> None:
    """Their descriptors agree; the sha-256 of the files does not."""
    copy = tmp_path / "copy.zip"

    def resign(name: str, data: bytes) -> bytes:
        if not name.endswith(".vib"):
            return data
        members = ar_members(data)
        return render_vib(members | {"sig.pkcs7": members["sig.pkcs7"].replace(b"PKCS7", b"PKCS8")})

    resigned = next(resign(name, data) for name, data in zip_members(I40EN).items() if name.endswith(".vib"))
    old = hashlib.sha256(next(data for name, data in zip_members(I40EN).items() if name.endswith(".vib"))).hexdigest()
    new = hashlib.sha256(resigned).hexdigest()
    edit_zip(I40EN, tmp_path / "a.zip", resign)
    edit_zip(tmp_path / "a.zip", copy, in_metadata(lambda _, data: data.replace(old.encode(), new.encode())))
    with eib.open_depot(I40EN, copy) as depot:
        assert [finding.code for finding in depot.catalog.findings] == ["vib-content-differs"]
        first, second = depot.catalog.vibs_by_id[I40EN_ID]
        assert first == second
        assert first.fingerprint != second.fingerprint


def test_a_loose_copy_without_known_hash_is_no_second_content(tmp_path: Path) -> None:
    """Its descriptor says the same, and nothing says otherwise."""
    loose = tmp_path / "i40en.vib"
    loose.write_bytes(next(data for name, data in zip_members(I40EN).items() if name.endswith(".vib")))
    with eib.open_depot(I40EN, loose) as depot:
        assert depot.catalog.findings == ()
        (vib,) = depot.catalog.vibs
        assert depot.catalog.sources_of(vib) == tuple(sorted((str(I40EN), str(loose))))
