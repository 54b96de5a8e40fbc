"""The offline bundle: complete, verbatim, the same bytes every time, and refused rather than wrong."""

from __future__ import annotations

import hashlib
import re
import subprocess
import sys
import zipfile
from typing import TYPE_CHECKING, final

import attrs
import pytest
from support.changed_depots import (
    DEPOTS,
    SPECS,
    ar_members,
    clean_environment,
    edit_zip,
    in_metadata,
    left_in,
    needs,
    run,
    xml,
    zip_members,
)
from support.small_images import base_vibs, small_vib, write_base_depot

import esximage_builder as eib
from esximage_builder.authoring.vib import raw_payload, vgz_payload
from esximage_builder.export.bundle import bundle_contents

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from esximage_builder.authoring.vib import AuthoredVib

VERSION = "7.0.3-0.55.20328353"
U3F, U3G = "VMware-ESXi-7.0U3f-20036589-depot.zip", "VMware-ESXi-7.0U3g-20328353-depot.zip"
A08 = "ACME-ESXi-Addon-703.20328353.A08-depot.zip"
I40EN = "Intel-i40en_2.8.4.0-1OEM.700.1.0.15843807.zip"


@final
@attrs.frozen(kw_only=True)
class Exported:
    """An image, the depot it was made of, and its bundle."""

    image: eib.Image
    depot: eib.Depot
    path: Path
    result: eib.ExportResult

    @property
    def members(self) -> dict[str, bytes]:
        return zip_members(self.path)

    @property
    def metadata(self) -> dict[str, bytes]:
        return zip_members(self.members["metadata.zip"])


CASES = {
    "7.0U2a+A03": ((DEPOTS / "VMware-ESXi-7.0U2a-17867351-depot.zip",), "image_u2a_a03.json"),
    "7.0U3f+A08+i40en": ((DEPOTS / U3F, DEPOTS / A08, DEPOTS / I40EN), "image_u3f_a08_i40en.json"),
    "8.0U3+A02": ((DEPOTS / "VMware-ESXi-8.0U3-24022510-depot.zip",), "image_8u3_a02.json"),
}
ADD_ONS = [DEPOTS / f"ACME-ESXi-Addon-{version}-depot.zip" for version in ("702.17867351.A03", "803.24022510.A02")]


@pytest.fixture(scope="module", params=CASES.values(), ids=list(CASES))
def exported(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Exported]:
    depots, spec_name = request.param
    target = tmp_path_factory.mktemp("bundle") / "custom.zip"
    with eib.open_depot(*depots, *ADD_ONS) as depot:
        image = eib.compose(depot.catalog, eib.read_software_spec(SPECS / spec_name))
        yield Exported(image=image, depot=depot, path=target, result=eib.export_bundle(image, depot, target))


@pytest.fixture(scope="module")
def small_base(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[AuthoredVib]]:
    """A small depot of a base image, and its VIBs."""
    vibs = base_vibs(VERSION, kernel=b"kernel", bios_loader=bytes(4096), efi_image=bytes(4096))
    path = tmp_path_factory.mktemp("base") / "base.zip"
    write_base_depot(path, VERSION, vibs)
    return path, vibs


def named(vibs: list[AuthoredVib], name: str) -> AuthoredVib:
    return next(made for made in vibs if made.vib.name == name)


# S1 and S15


def test_s1_the_add_on_wins_over_the_base_image_and_says_so() -> None:
    with eib.open_depot(DEPOTS / U3F, DEPOTS / A08) as depot:
        image = eib.compose(depot.catalog, base_image="7.0.3-0.50.20036589", add_on=("ACME-AddOn", "703.20328353.A08"))
        base, add_on = depot.catalog.base_images[0], depot.catalog.add_ons[0]
    names = {reference.name for reference in (*base.components, *add_on.components)} - set(add_on.removed_components)
    network = next(entry for entry in image.components if entry.component.name == "Broadcom-bnxt-Net-RoCE")

    assert {entry.component.name for entry in image.components} == names
    assert network.component.version.text == "222.0.118.0-1OEM.700.1.0.15843807"
    assert network.source is eib.ComponentSource.ADD_ON
    assert [(lost.source, lost.component.version.text) for lost in network.overridden] == [
        (eib.ComponentSource.BASE_IMAGE, "216.0.50.0-44vmw.703.0.50.20036589")
    ]
    assert "7.0U3f" in image.name
    assert "ACME-AddOn" in image.name
    assert image.acceptance_level is eib.AcceptanceLevel.PARTNER


def test_s15_the_bundle_opens_and_composes_to_the_same_image(exported: Exported) -> None:
    """Nothing that the image consists of is lost on the way through the file."""
    assert exported.image.spec is not None
    with eib.open_depot(exported.path) as again:
        image = eib.compose(again.catalog, exported.image.spec)
        assert image.digest == exported.result.image_digest == exported.image.digest
        assert image.name == exported.image.name
        assert again.catalog.findings == ()
        assert [unit.version for unit in again.catalog.base_images] == [exported.image.esxi_version]
        assert len(again.catalog.add_ons) == 1
        assert eib.validate(image, again.catalog).findings == ()


def test_the_profile_in_the_bundle_is_the_image(exported: Exported) -> None:
    """Tools that know only profiles install the same VIBs."""
    with eib.open_depot(exported.path) as again:
        (profile,) = again.catalog.profiles
        image = eib.image_from_profile(again.catalog, profile)
    assert profile.name == exported.image.name
    assert set(profile.vib_ids) == {entry.vib.id for entry in exported.image.vibs}
    assert profile.acceptance_level is exported.image.acceptance_level
    assert {entry.component.id for entry in image.components} == {
        entry.component.id for entry in exported.image.components
    }
    assert {entry.vib for entry in image.vibs} == {entry.vib for entry in exported.image.vibs}


def test_a_bundle_exported_again_is_the_same_file(exported: Exported, tmp_path: Path) -> None:
    """What is written is a fixed point: no path, name or date of the first depots shows."""
    assert exported.image.spec is not None
    with eib.open_depot(exported.path) as again:
        image = eib.compose(again.catalog, exported.image.spec)
        eib.export_bundle(image, again, tmp_path / "again.zip")
    assert (tmp_path / "again.zip").read_bytes() == exported.path.read_bytes()


# Elements


def test_index_and_vendor_index_say_what_vlcm_asks_for(exported: Exported) -> None:
    members = exported.members
    index = xml(members["index.xml"])
    vendors = index.findall("vendor")
    metadata = xml(members["vendor-index.xml"]).findall("metadata")
    lines = {"embeddedEsx"} | ({"esxio"} if any(not entry.vib.is_for_host for entry in exported.image.vibs) else set())
    version = exported.image.esxi_version
    assert version is not None

    assert index.tag == "vendorList"
    assert [child.tag for child in vendors[0]] == ["name", "code", "indexfile", "patchUrl", "relativePath", "content"]
    assert vendors[0].findtext("name") == "Acme"
    assert re.fullmatch(r"[0-9A-Z]{3}", vendors[0].findtext("code") or "")
    assert vendors[0].findtext("indexfile") == "vendor-index.xml"
    assert vendors[0].findtext("content/type") == "http://www.vmware.com/depotmanagement/esx"
    assert {(entry.findtext("productId"), entry.findtext("version")) for entry in metadata} == {
        (line, f"{version.major}.{version.minor}") for line in lines
    }
    assert {entry.findtext("url") for entry in metadata} == {"metadata.zip"}


def test_metadata_has_every_element(exported: Exported) -> None:
    metadata, image = exported.metadata, exported.image
    folders = {name.rpartition("/")[0] for name in metadata}
    vib_ids = {
        f"{root.findtext('vendor')}_{root.findtext('type')}_{root.findtext('name')}_{root.findtext('version')}"
        for root in (xml(data) for name, data in metadata.items() if name.startswith("vibs/"))
    }
    bulletin_ids = {xml(data).findtext("id") for name, data in metadata.items() if name[:10] == "bulletins/"}
    response = xml(metadata["vmware.xml"])

    assert folders == {"", "vibs", "bulletins", "profiles", "baseimages", "addons"}
    assert metadata["vendor-index.xml"] == exported.members["vendor-index.xml"]
    assert vib_ids == {vib.id for vib in image.all_vibs}
    assert bulletin_ids == {entry.component.bulletin.id for entry in image.components} | {
        component.bulletin.id for component in image.reserved_components
    }
    assert response.tag == "metadataResponse"
    assert response.findtext("version") == "3.0"
    assert {entry.findtext("id") for entry in response.findall("bulletin")} == bulletin_ids


def test_each_vib_is_described_by_size_path_and_sha256(exported: Exported) -> None:
    members = exported.members
    described = 0
    for name, data in exported.metadata.items():
        if not name.startswith("vibs/"):
            continue
        root = xml(data)
        vib = members[root.findtext("relative-path") or ""]
        checksum = root.find("checksum")
        assert checksum is not None
        assert checksum.get("checksum-type") == "sha-256"
        assert checksum.text == hashlib.sha256(vib).hexdigest()
        assert root.findtext("packed-size") == str(len(vib))
        described += 1
    assert described == len(exported.image.all_vibs) == sum(name.endswith(".vib") for name in members)


@pytest.mark.parametrize(
    ("vendor", "code"),
    [
        pytest.param("VMware, Inc.", "VMW", id="VMware"),
        pytest.param("Broadcom", "VMW", id="Broadcom"),
        pytest.param("Acme", "ACM", id="first three"),
        pytest.param("H-P E", "HPE", id="letters only"),
        pytest.param("Zoë 3", "ZO3", id="ASCII only"),
        pytest.param("X1", "UNK", id="too short"),
        pytest.param("", "UNK", id="none"),
    ],
)
def test_the_vendor_code_has_three_characters(vendor: str, code: str) -> None:
    with eib.open_depot(DEPOTS / U3G) as depot:
        image = attrs.evolve(eib.compose(depot.catalog, base_image=VERSION), vendor=vendor)
        assert bundle_contents(image).vendor_code == code


@pytest.mark.parametrize("code", ["AC", "ACME", "A-C", "ÄCM", " AC"])
def test_another_vendor_code_is_refused(code: str, tmp_path: Path) -> None:
    with eib.open_depot(DEPOTS / U3G) as depot:
        image = eib.compose(depot.catalog, base_image=VERSION)
        with pytest.raises(eib.ModelError, match="three letters or digits"):
            eib.export_bundle(image, depot, tmp_path / "out.zip", vendor_code=code)
    assert left_in(tmp_path) == {}


def test_a_vendor_code_of_the_callers_own_is_taken(tmp_path: Path) -> None:
    with eib.open_depot(DEPOTS / U3G) as depot:
        image = eib.compose(depot.catalog, base_image=VERSION)
        eib.export_bundle(image, depot, tmp_path / "out.zip", vendor_code="X7y")
    assert xml(zip_members(tmp_path / "out.zip")["index.xml"]).findtext("vendor/code") == "X7y"


# Bytes


def test_vibs_are_the_sources_byte_for_byte_reserved_ones_too(exported: Exported) -> None:
    sources = {
        name: data
        for path in (*DEPOTS.glob("VMware-ESXi-*.zip"), *DEPOTS.glob("ACME-ESXi-*.zip"), DEPOTS / I40EN)
        for name, data in zip_members(path).items()
        if name.endswith(".vib")
    }
    written = {name: data for name, data in exported.members.items() if name.endswith(".vib")}
    reserved = {entry.vib.id for entry in exported.image.reserved_vibs}

    assert reserved
    assert reserved <= {name.rpartition("/")[2].removesuffix(".vib") for name in written}
    assert all(sources[name] == data for name, data in written.items())


def raw_bytes(path: Path) -> dict[str, tuple[int, bytes]]:
    """Method and raw bytes of each member, found by its local header."""
    data, found = path.read_bytes(), {}
    with zipfile.ZipFile(path) as archive:
        for info in archive.infolist():
            at = info.header_offset
            start = at + 30 + int.from_bytes(data[at + 26 : at + 28], "little")
            start += int.from_bytes(data[at + 28 : at + 30], "little")
            found[info.filename] = (info.compress_type, data[start : start + info.compress_size])
    return found


def test_vibs_that_lie_deflated_are_carried_raw(tmp_path: Path) -> None:
    """They are not packed anew: another zlib would give other bytes, and it would take its time."""
    source = edit_zip(DEPOTS / U3G, tmp_path / "deflated.zip", lambda _, data: data, deflate=True)
    with eib.open_depot(source) as depot:
        image = eib.compose(depot.catalog, base_image=VERSION)
        eib.export_bundle(image, depot, tmp_path / "out.zip")
    before, after = raw_bytes(source), raw_bytes(tmp_path / "out.zip")
    vibs = [name for name in after if name.endswith(".vib")]

    assert len(vibs) > 50
    assert all(after[name] == before[name] for name in vibs)
    assert {after[name][0] for name in vibs} == {zipfile.ZIP_DEFLATED}
    assert {after[name][0] for name in after.keys() - set(vibs)} == {zipfile.ZIP_STORED}
    assert zip_members(tmp_path / "out.zip").keys() == zip_members(source).keys()


def test_vibs_of_an_unpacked_depot_are_stored_and_the_same(tmp_path: Path) -> None:
    folder = tmp_path / "depot"
    with zipfile.ZipFile(DEPOTS / U3G) as archive:
        archive.extractall(folder)
    for source, target in ((folder, "from_folder.zip"), (DEPOTS / U3G, "from_zip.zip")):
        with eib.open_depot(source) as depot:
            eib.export_bundle(eib.compose(depot.catalog, base_image=VERSION), depot, tmp_path / target)
    assert (tmp_path / "from_folder.zip").read_bytes() == (tmp_path / "from_zip.zip").read_bytes()


def test_python_accepts_the_archive(exported: Exported) -> None:
    with zipfile.ZipFile(exported.path) as archive:
        assert archive.testzip() is None
        infos = archive.infolist()
    assert [info.filename for info in infos[:3]] == ["index.xml", "vendor-index.xml", "metadata.zip"]
    assert all(not info.extra and not info.comment and info.create_system == 3 for info in infos)
    assert {info.external_attr >> 16 for info in infos} == {0o100644}


@needs("unzip", "7z", "bsdtar")
def test_other_tools_accept_the_archive(exported: Exported) -> None:
    assert "No errors detected" in run("unzip", "-t", exported.path)
    assert "Everything is Ok" in run("7z", "t", exported.path)
    assert len(run("bsdtar", "-tf", exported.path).splitlines()) == len(exported.members)


# The same bytes every time

_EXPORT = """
import hashlib, sys
import esximage_builder as eib
with eib.open_depot(*sys.argv[2:]) as depot:
    image = eib.compose(depot.catalog, base_image="7.0.3-0.55.20328353", add_on=("ACME-AddOn", "703.20328353.A08"))
    for export, name in ((eib.export_bundle, "out.zip"), (eib.export_iso, "out.iso")):
        export(image, depot, f"{sys.argv[1]}/{name}")
"""


def export_elsewhere(folder: Path, *depots: Path, **environment: str) -> dict[str, str]:
    """Export bundle and disc in a process of its own; return their digests."""
    folder.mkdir()
    subprocess.run(
        [sys.executable, "-c", _EXPORT, str(folder), *map(str, depots)],
        env=clean_environment(**environment),
        cwd=folder,
        check=True,
    )
    return {name: hashlib.sha256(data).hexdigest() for name, data in left_in(folder).items()}


def test_no_process_clock_zone_or_locale_shows(tmp_path: Path) -> None:
    plain = export_elsewhere(tmp_path / "a", DEPOTS / U3G, DEPOTS / A08, PYTHONHASHSEED="1")
    elsewhere = export_elsewhere(
        tmp_path / "b",
        DEPOTS / A08,
        DEPOTS / U3G,
        PYTHONHASHSEED="2",
        TZ="Pacific/Kiritimati",
        LC_ALL="tr_TR.UTF-8",
        LANG="tr_TR.UTF-8",
    )
    assert plain == elsewhere
    assert set(plain) == {"out.zip", "out.iso"}


def test_two_runs_in_one_process_give_the_same_bytes(exported: Exported, tmp_path: Path) -> None:
    eib.export_bundle(exported.image, exported.depot, tmp_path / "again.zip")
    assert (tmp_path / "again.zip").read_bytes() == exported.path.read_bytes()


def test_source_date_epoch_is_the_one_date(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    epoch = {"SOURCE_DATE_EPOCH": "1600000000"}  # 2020-09-13 12:26:40 UTC
    first = export_elsewhere(tmp_path / "a", DEPOTS / U3G, DEPOTS / A08, **epoch, TZ="UTC")
    second = export_elsewhere(tmp_path / "b", DEPOTS / U3G, DEPOTS / A08, **epoch, TZ="America/St_Johns")
    monkeypatch.delenv("SOURCE_DATE_EPOCH", raising=False)

    assert first == second
    with zipfile.ZipFile(tmp_path / "a" / "out.zip") as archive:
        assert {info.date_time for info in archive.infolist()} == {(2020, 9, 13, 12, 26, 40)}


def test_without_it_the_date_is_that_of_the_add_on(exported: Exported) -> None:
    add_on = exported.image.add_on
    assert add_on is not None
    assert add_on.released_at is not None
    with zipfile.ZipFile(exported.path) as archive:
        dates = {info.date_time for info in archive.infolist()}
    assert dates == {add_on.released_at.timetuple()[:6]}


# Refused rather than wrong


@pytest.mark.parametrize("old", [None, b"an older bundle"], ids=["no target", "old target"])
@pytest.mark.parametrize("deflate", [False, True], ids=["stored", "deflated"])
def test_a_vib_with_a_wrong_hash_is_refused(
    small_base: tuple[Path, list[AuthoredVib]], tmp_path: Path, *, deflate: bool, old: bytes | None
) -> None:
    """The metadata's sha-256 decides, whatever the zip's own checksum says."""
    wrong = named(small_base[1], "odd-driver").vib

    def spoil(_: str, data: bytes) -> bytes:
        assert wrong.file is not None
        return data.replace(wrong.file.sha256.encode(), b"0" * 64)

    edit_zip(small_base[0], tmp_path / "wrong.zip", in_metadata(spoil), deflate=deflate)
    (tmp_path / "out").mkdir()
    target = tmp_path / "out" / "image.zip"
    if old is not None:
        target.write_bytes(old)
    with eib.open_depot(tmp_path / "wrong.zip") as depot:
        image = eib.compose(depot.catalog, base_image=VERSION)
        with pytest.raises(eib.ChecksumMismatchError, match="sha-256 checksum differs") as caught:
            eib.export_bundle(image, depot, target, overwrite=True)

    assert caught.value.where == wrong.id
    assert caught.value.expected == "0" * 64
    assert wrong.file is not None
    assert caught.value.found == wrong.file.sha256
    assert left_in(target.parent) == ({} if old is None else {"image.zip": old})


@pytest.mark.parametrize("what", ["packed-size", "checksum"])
def test_what_the_metadata_does_say_is_never_measured_away(
    small_base: tuple[Path, list[AuthoredVib]], tmp_path: Path, what: str
) -> None:
    """Size and hash are measured where metadata lacks one of them; the other one still must be right."""
    vib = named(small_base[1], "odd-driver").vib
    assert vib.file is not None
    size, digest = str(vib.file.size_bytes).encode(), vib.file.sha256.encode()

    def spoil(name: str, data: bytes) -> bytes:
        if not name.startswith("vibs/odd-driver"):
            return data
        if what == "checksum":  # leave only a wrong size
            data = re.sub(rb"<checksum checksum-type=\"sha-256\">" + digest + b"</checksum>", b"", data)
            return data.replace(b"<packed-size>" + size, b"<packed-size>1" + size)
        data = data.replace(b"<packed-size>" + size + b"</packed-size>", b"")
        return data.replace(digest, digest[::-1])

    edit_zip(small_base[0], tmp_path / "wrong.zip", in_metadata(spoil))
    with eib.open_depot(tmp_path / "wrong.zip") as depot:
        image = eib.compose(depot.catalog, base_image=VERSION)
        assert image.vibs_by_id[vib.id].file != vib.file
        with pytest.raises(eib.ChecksumMismatchError, match="differs from what the metadata says"):
            eib.export_bundle(image, depot, tmp_path / "image.zip")
    assert not (tmp_path / "image.zip").exists()


def test_a_loose_vib_in_an_image_gets_its_sha256(small_base: tuple[Path, list[AuthoredVib]], tmp_path: Path) -> None:
    """Its depot described it, but did not hold it: the loose file fills the gap."""
    loose = named(small_base[1], "odd-driver")

    def strip(name: str, data: bytes) -> bytes | None:
        return None if name.endswith(f"{loose.vib.id}.vib") else data

    def forget(_: str, data: bytes) -> bytes:
        assert loose.vib.file is not None
        return data.replace(loose.vib.file.sha256.encode(), b"")

    edit_zip(small_base[0], tmp_path / "a.zip", strip)
    edit_zip(tmp_path / "a.zip", tmp_path / "incomplete.zip", in_metadata(forget))
    (tmp_path / "loose.vib").write_bytes(loose.data)
    with eib.open_depot(tmp_path / "incomplete.zip", tmp_path / "loose.vib") as depot:
        image = eib.compose(depot.catalog, base_image=VERSION)
        file = image.vibs_by_id[loose.vib.id].file
        assert file is not None
        assert not file.sha256
        eib.export_bundle(image, depot, tmp_path / "image.zip")
    with eib.open_depot(tmp_path / "image.zip") as again:
        (vib,) = again.catalog.vibs_by_id[loose.vib.id]
        assert vib.file == loose.vib.file
        assert eib.compose(again.catalog, base_image=VERSION).digest == image.digest


def test_an_image_with_errors_is_refused_with_its_findings(tmp_path: Path) -> None:
    with eib.open_depot(DEPOTS / U3G, ADD_ONS[0]) as depot:
        image = eib.compose(depot.catalog, eib.read_software_spec(SPECS / "image_u3g_wrong_train.json"))
        with pytest.raises(eib.IncompatibleImageError, match="nothing is written") as caught:
            eib.export_bundle(image, depot, tmp_path / "out.zip")
    assert [finding.code for finding in caught.value.findings] == ["add-on-base-unsupported"]
    assert caught.value.found == "add-on-base-unsupported"
    assert left_in(tmp_path) == {}


def test_waived_errors_are_named_in_the_result(tmp_path: Path) -> None:
    with eib.open_depot(DEPOTS / U3G, ADD_ONS[0]) as depot:
        image = eib.compose(depot.catalog, eib.read_software_spec(SPECS / "image_u3g_wrong_train.json"))
        result = eib.export_bundle(image, depot, tmp_path / "out.zip", allow=["add-on-base-unsupported", "conflict"])
    assert [finding.code for finding in result.waived] == ["add-on-base-unsupported"]
    assert result.size_bytes == (tmp_path / "out.zip").stat().st_size


def test_components_whose_names_differ_in_case_only_are_refused_by_name(tmp_path: Path) -> None:
    """Not all file systems can hold both documents: our error, and nothing written."""
    vibs = base_vibs(VERSION, kernel=b"kernel", bios_loader=None, efi_image=None)
    twins = [small_vib(name, "1.0-1", (vgz_payload(name.lower(), {f"x/{name}": b"x"}),)) for name in ("twin", "Twin")]
    with pytest.raises(eib.ModelError, match="upper and lower case"):
        write_base_depot(tmp_path / "twins.zip", VERSION, [*vibs, *twins])
    assert left_in(tmp_path) == {}


def test_the_vibs_signatures_are_carried_along(exported: Exported) -> None:
    """Signed VIBs stay signed: their descriptor and signature are the last thing to touch."""
    heads = {name: ar_members(data) for name, data in exported.members.items() if name.endswith(".vib")}
    signed = [name for name, parts in heads.items() if parts["sig.pkcs7"].startswith(b"-----BEGIN PKCS7-----")]
    assert len(signed) == len(heads)
    with eib.open_depot(exported.path) as again:
        assert all(again.read_vib_head(vib).is_signed for vib in again.catalog.vibs)


def test_payload_types_that_nobody_knows_are_carried_along(tmp_path: Path) -> None:
    vibs = base_vibs(VERSION, kernel=b"kernel", bios_loader=None, efi_image=None)
    odd = small_vib("odd-types", "1.0-1", (raw_payload("a", b"1", type="quick_vgz"), raw_payload("b", b"", type="new")))
    write_base_depot(tmp_path / "odd.zip", VERSION, [*vibs, odd])
    with eib.open_depot(tmp_path / "odd.zip") as depot:
        image = eib.compose(depot.catalog, base_image=VERSION)
        eib.export_bundle(image, depot, tmp_path / "out.zip")
    assert zip_members(tmp_path / "out.zip")[f"vib20/odd-types/{odd.vib.id}.vib"] == odd.data
