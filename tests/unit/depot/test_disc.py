"""Installer discs as depots: the VIBs come back byte for byte, and the same disc can be written again."""

from __future__ import annotations

import contextlib
import functools
import gzip
import hashlib
import io
import tarfile
import threading
from typing import TYPE_CHECKING

import pytest
from support.changed_depots import ar_members, render_vib
from support.counted_lines import lines_run_in
from support.small_images import DPU_VIB, base_vibs, small_vib, write_base_depot
from support.written_images import (
    DATABASE,
    GENERATIONS,
    disc_of,
    files_of,
    patched,
    put,
    remade,
    tgz_members,
    tgz_of,
    written,
)

import esximage_builder as eib
from esximage_builder.authoring.vib import raw_payload
from esximage_builder.depot import disc as disc_module
from esximage_builder.depot.disc import DiscTree, is_installer_disc, read_database
from esximage_builder.depot.origins import Origin
from esximage_builder.depot.source import read_source
from esximage_builder.depot.spool import Spool
from esximage_builder.limits import ReadBudget

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from esximage_builder.authoring.vib import AuthoredVib

U3G = "7.0U3g"
U3 = "8.0U3"
VERSION = "7.0.3-0.55.20328353"


@functools.cache
def originals(name: str) -> Mapping[str, bytes]:
    """Every ``.vib`` of the depots that a generation's disc was made of, by id."""
    with eib.open_depot(*GENERATIONS[name].paths) as depot:
        return {vib.id: read_vib(depot, vib) for vib in depot.catalog.vibs}


def read_vib(depot: eib.Depot, vib: eib.Vib) -> bytes:
    with depot.open_vib(vib) as source:
        return source.read()


def vib_of(depot: eib.Depot, name: str) -> eib.Vib:
    (vib,) = (vib for vib in depot.catalog.vibs if vib.name == name)
    return vib


def depot_of(folder: Path, iso: bytes, *beside: Path, strict: bool = True) -> eib.Depot:
    return eib.open_depot(put(folder / "disc.iso", iso), *beside, strict=strict)


def changed_archive(iso: bytes, name: str, change: Callable[[dict[str, bytes]], None]) -> bytes:
    files = dict(files_of(iso))
    members = tgz_members(files[name])
    change(members)
    return remade({**files, name: tgz_of(members)})


# What a disc holds


@pytest.mark.parametrize("name", GENERATIONS)
def test_every_vib_comes_back_byte_for_byte(tmp_path: Path, name: str) -> None:
    """Installed, reserved and made for data processing units: what is put together is what was taken apart."""
    image = written(name).image
    with depot_of(tmp_path, written(name).iso) as depot:
        found = {vib.id: read_vib(depot, vib) for vib in depot.catalog.vibs}
        sizes = {vib.id: vib.file.size_bytes for vib in depot.catalog.vibs if vib.file is not None}
        heads = {vib.id: depot.read_vib_head(vib) for vib in depot.catalog.vibs}

    assert found.keys() == {vib.id for vib in image.all_vibs}
    for vib_id, data in found.items():
        assert data == originals(name)[vib_id], vib_id
        assert sizes[vib_id] == len(data)
        members = ar_members(data)
        assert (heads[vib_id].descriptor, heads[vib_id].signature) == (members["descriptor.xml"], members["sig.pkcs7"])


@pytest.mark.parametrize("name", GENERATIONS)
def test_components_units_and_profile_are_read(tmp_path: Path, name: str) -> None:
    image = written(name).image
    with depot_of(tmp_path, written(name).iso) as depot:
        catalog = depot.catalog

    components = [*(entry.component for entry in image.components), *image.reserved_components]
    assert {component.id for component in catalog.components} == {component.id for component in components}
    assert catalog.base_images == ((image.base_image,) if image.base_image else ())
    assert catalog.add_ons == ((image.add_on,) if image.add_on else ())
    (profile,) = catalog.profiles
    assert profile.name == image.name
    assert set(profile.vib_ids) == {vib.id for vib in image.host_vibs}
    assert catalog.findings == ()


@pytest.mark.parametrize("name", GENERATIONS)
def test_the_image_on_a_disc_is_recognised_and_written_again(tmp_path: Path, name: str) -> None:
    with depot_of(tmp_path, written(name).iso) as depot:
        image = eib.recognise(depot.catalog)
        eib.export_iso(image, depot, tmp_path / "again.iso")
        eib.export_bundle(image, depot, tmp_path / "again.zip")

    assert image.digest == written(name).image.digest
    assert (tmp_path / "again.iso").read_bytes() == written(name).iso
    assert (tmp_path / "again.zip").read_bytes() == written(name).bundle


def test_a_disc_without_place_for_dpu_vibs_says_what_it_lacks(tmp_path: Path) -> None:
    """Composed or locked, an image of 7.0 with such a VIB is not what its disc gives."""
    with written_base(tmp_path, [*_small_base(), DPU_VIB]) as depot, eib.open_depot(tmp_path / "depot.zip") as whole:
        composed = eib.compose(whole.catalog, base_image=VERSION)
        image = eib.recognise(depot.catalog)
        report = eib.validate(image, depot.catalog)
        with pytest.raises(eib.ComposeError) as caught:
            eib.compose_locked(depot, eib.make_lock(composed, whole))

    assert [entry.vib_id for entry in image.missing_vibs] == [DPU_VIB.vib.id]
    assert [finding.code for finding in report.errors] == ["vib-missing"]
    assert image.host_vibs == composed.host_vibs
    assert image.components == composed.components
    assert [finding.message for finding in caught.value.findings] == [f"the VIB {DPU_VIB.vib.id} is not loaded"]


@pytest.mark.parametrize("name", GENERATIONS)
def test_disc_and_depots_opened_together_hold_everything_once(tmp_path: Path, name: str) -> None:
    generation = GENERATIONS[name]
    with eib.open_depot(*generation.paths) as alone, depot_of(tmp_path, written(name).iso, *generation.paths) as depot:
        assert depot.catalog.vibs == alone.catalog.vibs
        assert [vib.file for vib in depot.catalog.vibs] == [vib.file for vib in alone.catalog.vibs]
        assert depot.catalog.components == alone.catalog.components
        assert depot.catalog.base_images == alone.catalog.base_images
        assert depot.catalog.add_ons == alone.catalog.add_ons
        assert depot.catalog.findings == ()
        image = generation.image(alone.catalog)
        eib.export_iso(image, depot, tmp_path / "again.iso")

    assert (tmp_path / "again.iso").read_bytes() == written(name).iso


def test_the_depot_beside_a_disc_completes_it(tmp_path: Path) -> None:
    written_base(tmp_path, [*_small_base(), DPU_VIB]).close()
    with eib.open_depot(tmp_path / "depot.zip") as whole:
        composed = eib.compose(whole.catalog, base_image=VERSION)
    with eib.open_depot(tmp_path / "disc.iso", tmp_path / "depot.zip") as depot:
        image = eib.recognise(depot.catalog, composed.name)
        eib.export_iso(image, depot, tmp_path / "again.iso")

    assert image.digest == composed.digest
    assert (tmp_path / "again.iso").read_bytes() == (tmp_path / "disc.iso").read_bytes()


def test_the_disc_can_come_first_or_last(tmp_path: Path) -> None:
    iso = put(tmp_path / "disc.iso", written(U3).iso)
    paths = GENERATIONS[U3].paths
    with eib.open_depot(iso, *paths) as first, eib.open_depot(*paths, iso) as last:
        assert first.catalog.vibs == last.catalog.vibs
        assert first.catalog.findings == last.catalog.findings
        assert [first.where_is(vib) for vib in first.catalog.vibs] == [last.where_is(vib) for vib in last.catalog.vibs]


def test_opening_reads_no_payload(tmp_path: Path) -> None:
    """Damage in payloads is no matter until somebody asks for them."""
    iso = patched(patched(written(U3G).iso, "VMX.V00", -20, bytes(20)), "IMGPAYLD.TGZ", 600, bytes(300))
    with depot_of(tmp_path, iso) as depot:
        assert len(depot.catalog.vibs) > 70


# Discs that leave something out


def test_a_vib_whose_payload_was_left_out_is_known_but_not_held(tmp_path: Path) -> None:
    generation = GENERATIONS[U3]
    with eib.open_depot(*generation.paths) as depot:
        image = generation.image(depot.catalog)
        eib.export_iso(image, depot, tmp_path / "disc.iso", with_installer=False)
    with eib.open_depot(tmp_path / "disc.iso") as depot:
        assert eib.recognise(depot.catalog).digest == image.digest
        for vib in depot.catalog.vibs:
            if vib.name != "esx-update":
                assert read_vib(depot, vib) == originals(U3)[vib.id]
        with pytest.raises(eib.NotInDepotError, match="does not hold payload") as caught:
            read_vib(depot, vib_of(depot, "esx-update"))
    assert "open the offline bundle of the release beside the disc" in caught.value.hint
    with eib.open_depot(tmp_path / "disc.iso", *generation.paths) as depot:
        vib = vib_of(depot, "esx-update")
        assert read_vib(depot, vib) == originals(U3)[vib.id]


def test_a_disc_without_tools_does_not_know_them(tmp_path: Path) -> None:
    """Neither the VIB nor its component stands in the profile; the rest is what it was."""
    generation = GENERATIONS[U3]
    with eib.open_depot(*generation.paths) as depot:
        image = generation.image(depot.catalog)
        eib.export_iso(image, depot, tmp_path / "disc.iso", with_tools=False)
    with eib.open_depot(tmp_path / "disc.iso") as depot:
        found = eib.recognise(depot.catalog)
    names = {entry.component.name for entry in image.components}
    assert names - {entry.component.name for entry in found.components} == {"VMware-VM-Tools"}
    assert {v.id for v in image.host_vibs} - {v.id for v in found.host_vibs} == {
        vib.id for vib in image.host_vibs if vib.type == "locker"
    }


def test_a_disc_with_renamed_modules_gives_the_vibs_back(tmp_path: Path) -> None:
    """Local names that are no legal 8.3 names, or are taken, stand on the disc under others."""
    vibs = _small_base()
    with written_base(tmp_path, vibs) as depot:
        assert {vib.id: read_vib(depot, vib) for vib in depot.catalog.vibs} == {
            authored.vib.id: authored.data for authored in vibs
        }


def test_two_vibs_with_a_text_of_one_name_get_their_own(tmp_path: Path) -> None:
    """Same name, same length: only the checksum tells them apart."""
    vibs = _small_base()
    vibs.append(small_vib("agent", "1.0-1", (raw_payload("osl.txt", b"AN INVENTED LICENCE.\n", type="text"),)))
    with written_base(tmp_path, vibs) as depot:
        for authored in vibs:
            assert read_vib(depot, vib_of(depot, authored.vib.name)) == authored.data


def _small_base() -> list[AuthoredVib]:
    return base_vibs(VERSION, kernel=b"kernel", bios_loader=bytes(2048), efi_image=b"efi" * 700)


def written_base(folder: Path, vibs: list[AuthoredVib]) -> eib.Depot:
    write_base_depot(folder / "depot.zip", VERSION, vibs)
    with eib.open_depot(folder / "depot.zip") as depot:
        image = eib.compose(depot.catalog, base_image=VERSION)
        eib.export_iso(image, depot, folder / "disc.iso")
    return eib.open_depot(folder / "disc.iso")


# Discs as others write them


def test_a_vib_without_orig_has_its_xml_for_descriptor(tmp_path: Path) -> None:
    """A host keeps ``.orig`` only where writing anew changed bytes."""

    def drop_orig(members: dict[str, bytes]) -> None:
        for name in [name for name in members if "/vibs/ne1000-" in name and name.endswith(".orig")]:
            members[name.removesuffix(".orig")] = members.pop(name)

    with depot_of(tmp_path, changed_archive(written(U3G).iso, "IMGDB.TGZ", drop_orig)) as depot:
        vib = vib_of(depot, "ne1000")
        assert read_vib(depot, vib) == originals(U3G)[vib.id]


def test_the_order_and_other_files_of_the_database_do_not_matter(tmp_path: Path) -> None:
    def shuffle(members: dict[str, bytes]) -> None:
        reordered = dict(sorted(members.items(), reverse=True))
        members.clear()
        members.update(reordered)
        members["var/db/esximg/notes.txt"] = b"?"
        members["var/db/esximg/bulletins/signature.p7"] = b"?"
        members["var/db/esximg/configSchemas/schema.json"] = b"{}"
        members["etc/other"] = b"?"

    with depot_of(tmp_path, changed_archive(written(U3).iso, "IMGDB.TGZ", shuffle)) as depot:
        assert eib.recognise(depot.catalog).digest == written(U3).image.digest


@pytest.mark.parametrize("spelling", ["baseImages", "BASEIMAGES", "base-images"])
def test_folders_of_release_units_have_any_spelling(tmp_path: Path, spelling: str) -> None:
    def rename(members: dict[str, bytes]) -> None:
        for name in [name for name in members if "/baseimages/" in name]:
            members[name.replace("baseimages", spelling)] = members.pop(name)

    with depot_of(tmp_path, changed_archive(written(U3G).iso, "IMGDB.TGZ", rename)) as depot:
        assert len(depot.catalog.base_images) == 1


def test_the_archives_may_be_packed_by_others(tmp_path: Path) -> None:
    """Compressed, with folders and ``./`` before every name, as GNU tar packs."""
    files = dict(files_of(written(U3).iso))
    for name in ("IMGDB.TGZ", "IMGPAYLD.TGZ", "RESVIBS.TGZ", "ESXIODPT.TGZ"):
        target = io.BytesIO()
        with tarfile.open(fileobj=target, mode="w", format=tarfile.GNU_FORMAT) as archive:
            folder = tarfile.TarInfo("./")
            folder.type = tarfile.DIRTYPE
            archive.addfile(folder)
            for path, data in tgz_members(files[name]).items():
                info = tarfile.TarInfo(f"./{path}")
                info.size = len(data)
                archive.addfile(info, io.BytesIO(data))
        files[name] = gzip.compress(target.getvalue(), 9)
    with depot_of(tmp_path, remade(files)) as depot:
        assert eib.recognise(depot.catalog).digest == written(U3).image.digest
        for vib in depot.catalog.vibs:
            assert read_vib(depot, vib) == originals(U3)[vib.id]


def test_a_vib_that_lies_whole_in_an_archive_is_taken_from_there(tmp_path: Path) -> None:
    """The database may list VIBs for data processing units, whose payloads are no files of the disc."""
    depot_files = tgz_members(files_of(written(U3).iso)["ESXIODPT.TGZ"])
    vibs = {name: data for name, data in depot_files.items() if name.endswith(".vib")}

    def add(members: dict[str, bytes]) -> None:
        for number, data in enumerate(vibs.values()):
            members[f"{DATABASE}vibs/dpu{number}.xml"] = ar_members(data)["descriptor.xml"]

    with depot_of(tmp_path, changed_archive(written(U3).iso, "IMGDB.TGZ", add)) as depot:
        assert vibs
        assert {hashlib.sha256(data).digest() for data in vibs.values()} <= {
            hashlib.sha256(read_vib(depot, vib)).digest() for vib in depot.catalog.vibs
        }
        assert eib.recognise(depot.catalog).digest == written(U3).image.digest


@pytest.mark.parametrize("name", ["AAA-other", "ZZZ-other"])
@pytest.mark.parametrize("named", ["vmx.v77", "sb.v00"])
def test_a_second_profile_hides_no_payload(tmp_path: Path, name: str, named: str) -> None:
    """It may give a module another name, of no file or of another module's, and stand before or behind."""

    def add(members: dict[str, bytes]) -> None:
        own = next(data for path, data in members.items() if "/profiles/" in path)
        other = own.replace(written(U3G).image.name.encode(), name.encode())
        members[f"{DATABASE}profiles/{name}"] = other.replace(b">vmx.v00<", f">{named}<".encode())

    with depot_of(tmp_path, changed_archive(written(U3G).iso, "IMGDB.TGZ", add)) as depot:
        assert {profile.name for profile in depot.catalog.profiles} == {name, written(U3G).image.name}
        vib = vib_of(depot, "esx-base")
        assert read_vib(depot, vib) == originals(U3G)[vib.id]


# How the work grows


def archive_with_more_members(count: int) -> bytes:
    def add(members: dict[str, bytes]) -> None:
        members.update({f"var/db/payloads/more/{number:05d}.b00": b"" for number in range(count)})

    return changed_archive(written(U3G).iso, "IMGPAYLD.TGZ", add)


def database_with_more_entries(count: int) -> bytes:
    def add(members: dict[str, bytes]) -> None:
        name = next(name for name in members if "/profiles/" in name)
        entry = b"<vib><vib-id>ACM_bootbank_none-%05d_1.0-1</vib-id><payloads/></vib>"
        more = b"".join(entry % number for number in range(count))
        members[name] = members[name].replace(b"</viblist>", more + b"</viblist>")
        assert more in members[name]

    return changed_archive(written(U3G).iso, "IMGDB.TGZ", add)


@pytest.mark.parametrize(
    "disc_with_more",
    [
        pytest.param(archive_with_more_members, id="members of the payload archive"),
        pytest.param(database_with_more_entries, id="entries of the profile"),
    ],
)
def test_each_payload_and_vib_is_looked_up_without_walking_all_others(
    tmp_path: Path, disc_with_more: Callable[[int], bytes]
) -> None:
    """A thing more on the disc costs a few steps, not some for each payload or VIB."""
    few, many = (put(tmp_path / f"{count}.iso", disc_with_more(count)) for count in (1, 501))
    steps = [lines_run_in(disc_module, lambda disc=disc: eib.verify_iso(disc, deep=False)) for disc in (few, many)]  # type: ignore[misc]

    assert (steps[1] - steps[0]) / 500 < 20


def test_places_are_told_in_the_order_of_the_archive(tmp_path: Path) -> None:
    """Two members with names of one payload: the first of the archive is told first, whatever its name."""

    def add(members: dict[str, bytes]) -> None:
        members.update({f"{folder}/safeboot.efi": b"another of 1 name" for folder in ("z", "a", "m")})

    with contextlib.ExitStack() as stack:
        limits = eib.ReadLimits()
        path = put(tmp_path / "disc.iso", changed_archive(written(U3G).iso, "IMGPAYLD.TGZ", add))
        budget = ReadBudget(limits)
        contents = read_source(
            Origin(str(path), path=path), stack=stack, spool=Spool(stack, budget), limits=limits, budget=budget
        )
        vib, location = next(pair for pair in contents.vibs if pair[0].name == "esx-base")
        payload = next(payload for payload in vib.payloads if payload.name == "safeboot.efi")
        assert isinstance(location.tree, DiscTree)
        places = [place.where.rpartition("!")[2] for place in location.tree.places(location.path, payload)]
    assert places[-3:] == ["z/safeboot.efi", "a/safeboot.efi", "m/safeboot.efi"]


# Two of one id


def test_one_id_with_two_descriptors_stays_two_vibs(tmp_path: Path) -> None:
    def add(members: dict[str, bytes]) -> None:
        name = next(name for name in members if "/vibs/ne1000-" in name and name.endswith(".orig"))
        members[f"{DATABASE}vibs/another.xml"] = members[name].replace(b"<overlay>false", b"<overlay>true")

    with depot_of(tmp_path, changed_archive(written(U3G).iso, "IMGDB.TGZ", add)) as depot:
        assert [f.code for f in depot.catalog.findings] == ["vib-content-differs"]
        pair = [vib for vib in depot.catalog.vibs if vib.name == "ne1000"]
        descriptors = [ar_members(read_vib(depot, vib))["descriptor.xml"] for vib in pair]
        assert [b"<overlay>true" in descriptor for descriptor in descriptors] == [vib.overlay for vib in pair]
        assert sorted(vib.overlay for vib in pair) == [False, True]


# Damage


@pytest.mark.parametrize("file", ["VMX.V00", "B.B00"])
def test_a_damaged_payload_is_refused_when_it_is_read(tmp_path: Path, file: str) -> None:
    iso = patched(written(U3G).iso, file, 10, b"\x00\xff\x00\xff")
    with depot_of(tmp_path, iso) as depot:
        with pytest.raises(eib.ChecksumMismatchError) as caught:
            read_vib(depot, vib_of(depot, "esx-base"))
        assert caught.value.where == f"{tmp_path / 'disc.iso'}!{file}"
        image = eib.recognise(depot.catalog, written(U3G).image.name)
        with pytest.raises(eib.ChecksumMismatchError):
            eib.export_iso(image, depot, tmp_path / "again.iso", allow=["vib-missing"])
    assert not (tmp_path / "again.iso").exists()


@pytest.mark.parametrize("file", ["MBOOT.C32", "ISOLINUX.BIN", "EFIBOOT.IMG"])
def test_a_damaged_loader_is_taken_from_the_payload_archive(tmp_path: Path, file: str) -> None:
    iso = patched(written(U3G).iso, file, 0, b"\x00\xff")
    with depot_of(tmp_path, iso) as depot:
        vib = vib_of(depot, "esx-base")
        assert read_vib(depot, vib) == originals(U3G)[vib.id]


def test_a_payload_cut_short_is_refused(tmp_path: Path) -> None:
    files = dict(files_of(written(U3G).iso))
    files["VMX.V00"] = files["VMX.V00"][:-1]
    with (
        depot_of(tmp_path, remade(files)) as depot,
        pytest.raises(eib.ChecksumMismatchError, match="not the one of its descriptor") as caught,
    ):
        read_vib(depot, vib_of(depot, "esx-base"))
    assert caught.value.found == f"{len(files['VMX.V00'])} bytes"


@pytest.mark.parametrize("archive", ["RESVIBS.TGZ", "ESXIODPT.TGZ"])
def test_a_damaged_archive_of_vibs_hides_nothing_else(tmp_path: Path, archive: str) -> None:
    iso = patched(written(U3).iso, archive, -2000, bytes(range(256)))
    with pytest.raises(eib.EsxImageError):
        depot_of(tmp_path, iso)
    with depot_of(tmp_path, iso, strict=False) as depot:
        found = {f.code for f in depot.catalog.findings}
        assert found == {"unreadable-document"}
        assert all(archive in f.where for f in depot.catalog.findings)
        assert {vib.id for vib in depot.catalog.vibs} >= {vib.id for vib in written(U3).image.host_vibs}


def test_one_bad_vib_in_an_archive_hides_no_other(tmp_path: Path) -> None:
    def break_first(members: dict[str, bytes]) -> None:
        name = next(name for name in members if name.endswith(".vib"))
        members[name] = render_vib({"descriptor.xml": b"<vib>", "sig.pkcs7": b""})

    iso = changed_archive(written(U3).iso, "ESXIODPT.TGZ", break_first)
    with depot_of(tmp_path, iso, strict=False) as depot:
        (finding,) = depot.catalog.findings
        assert finding.code == "unreadable-document"
        dpu = [entry.vib for entry in written(U3).image.vibs if not entry.vib.is_for_host]
        assert len([vib for vib in depot.catalog.vibs if not vib.is_for_host]) == len(dpu) - 1


def test_a_damaged_payload_archive_is_tried_once(tmp_path: Path) -> None:
    iso = patched(patched(written(U3G).iso, "ISOLINUX.BIN", 0, b"\x00\xff"), "IMGPAYLD.TGZ", 600, bytes(300))
    with depot_of(tmp_path, iso) as depot:
        vib = vib_of(depot, "esx-base")
        errors = []
        for _ in range(2):
            with pytest.raises(eib.DepotError) as caught:
                read_vib(depot, vib)
            errors.append(caught.value)
        assert errors[0] is errors[1]
        assert "IMGPAYLD.TGZ" in errors[0].where


# What is no depot, and hostile discs


def test_a_disc_without_image_database_is_no_depot(tmp_path: Path) -> None:
    files = {path: data for path, data in files_of(written("6.7").iso).items() if path != "IMGDB.TGZ"}
    with disc_of(remade(files)) as disc:
        assert not is_installer_disc(disc)
    with pytest.raises(eib.NotADepotError) as caught:
        depot_of(tmp_path, remade(files))
    assert "IMGDB.TGZ" in caught.value.found


def rendered_tar(*members: tarfile.TarInfo) -> bytes:
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w", format=tarfile.GNU_FORMAT) as archive:
        for info in members:
            archive.addfile(info, io.BytesIO(bytes(info.size)))
    return target.getvalue()


def member(name: str, *, kind: bytes = tarfile.REGTYPE, size: int = 0, link: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.size, info.linkname = kind, size, link
    return info


@pytest.mark.parametrize(
    ("database", "error"),
    [
        pytest.param(b"", eib.MalformedDocumentError, id="nothing"),
        pytest.param(b"no gzip", eib.MalformedDocumentError, id="text"),
        pytest.param(gzip.compress(b"no tar" * 200), eib.MalformedDocumentError, id="no tar"),
        pytest.param(gzip.compress(rendered_tar(member("../../etc/passwd"))), eib.UnsafeArchiveError, id="escapes"),
        pytest.param(gzip.compress(rendered_tar(member("/etc/passwd"))), eib.UnsafeArchiveError, id="absolute"),
        pytest.param(
            gzip.compress(rendered_tar(member("link", kind=tarfile.SYMTYPE, link="/etc"))), eib.UnsafeArchiveError,
            id="link",
        ),
        pytest.param(
            gzip.compress(rendered_tar(member(f"{DATABASE}vibs/x.xml", size=70_000_000))), eib.LimitExceededError,
            id="huge",
        ),
        pytest.param(
            gzip.compress(rendered_tar(*(member(f"x{number}") for number in range(3000)))), eib.LimitExceededError,
            id="very many",
        ),
    ],
)  # fmt: skip
def test_a_hostile_image_database_gives_our_errors(tmp_path: Path, database: bytes, error: type[Exception]) -> None:
    iso = remade({**files_of(written("6.7").iso), "IMGDB.TGZ": database})
    with pytest.raises(error):
        eib.open_depot(put(tmp_path / "disc.iso", iso), limits=eib.ReadLimits(member_count=2500))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["disc.iso"]


def test_the_database_is_counted_against_the_budget() -> None:
    with disc_of(written("6.7").iso) as disc:
        limits = eib.ReadLimits(metadata_bytes=10_000)
        with pytest.raises(eib.LimitExceededError):
            read_database(disc, limits=limits, budget=ReadBudget(limits))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param(b'name="ne1000"', b'name="a-name-of-more-than-sixteen"', id="a payload name too long for ar"),
        pytest.param(b'name="ne1000"', b'name="../../x"', id="a payload name that leaves its place"),
        pytest.param(b' size="', b' size="99999999999', id="a payload of many terabytes"),
        pytest.param(b' size="', b' size="-', id="a payload of negative size"),
        pytest.param(b"<name>ne1000</name>", b"<name>../../ne1000</name>", id="a VIB name that leaves its place"),
    ],
)
def test_hostile_descriptors_give_our_errors(tmp_path: Path, old: bytes, new: bytes) -> None:
    def bend(members: dict[str, bytes]) -> None:
        name = next(name for name in members if "/vibs/ne1000-" in name and name.endswith(".orig"))
        assert old in members[name]
        members[name] = members[name].replace(old, new)

    iso = changed_archive(written(U3G).iso, "IMGDB.TGZ", bend)
    try:
        depot = depot_of(tmp_path, iso)
    except eib.EsxImageError:
        return
    with depot:
        (vib,) = (vib for vib in depot.catalog.vibs if "ne1000" in vib.name)
        with pytest.raises(eib.EsxImageError):
            read_vib(depot, vib)


def test_a_tree_reads_whole_files_with_bounds(tmp_path: Path) -> None:
    iso, limits = put(tmp_path / "disc.iso", written("6.7").iso), eib.ReadLimits()
    with contextlib.ExitStack() as stack:
        budget = ReadBudget(limits)
        contents = read_source(
            Origin(str(iso), path=iso), stack=stack, spool=Spool(stack, budget), limits=limits, budget=budget
        )
        for vib, location in contents.vibs:
            data = originals("6.7")[vib.id]
            budget = ReadBudget(limits)
            assert location.tree.read(location.path, budget=budget, max_bytes=len(data)) == data
            assert budget.metadata_bytes == len(data)
            with pytest.raises(eib.LimitExceededError):
                location.tree.read(location.path, budget=budget, max_bytes=len(data) - 1)


# Reading from several threads


def test_vibs_may_be_read_at_once(tmp_path: Path) -> None:
    """Payloads of the archive come from one temporary file; streams do not move each other."""
    with depot_of(tmp_path, written(U3).iso) as depot:
        vibs = [vib for vib in depot.catalog.vibs if vib.name == "esx-base" or not vib.is_for_host]
        streams = [(vib, depot.open_vib(vib)) for vib in vibs]
        pieces: dict[str, list[bytes]] = {vib.id: [] for vib in vibs}
        while streams:
            for vib, stream in list(streams):
                block = stream.read(1000)
                pieces[vib.id].append(block)
                if not block:
                    streams.remove((vib, stream))
        assert len(vibs) > 10
        for vib in vibs:
            assert b"".join(pieces[vib.id]) == originals(U3)[vib.id]


def test_vibs_may_be_read_from_several_threads(tmp_path: Path) -> None:
    wrong: list[str] = []
    with depot_of(tmp_path, written(U3).iso) as depot:

        def read_all(step: int) -> None:
            vibs = depot.catalog.vibs[::step]
            wrong.extend(vib.id for vib in vibs if read_vib(depot, vib) != originals(U3)[vib.id])

        assert originals(U3)
        threads = [threading.Thread(target=read_all, args=(step,)) for step in (1, -1, 2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert wrong == []


def test_without_room_for_a_temporary_file_the_error_says_where(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "nowhere"))
    with depot_of(tmp_path, written(U3).iso) as depot:
        assert read_vib(depot, vib_of(depot, "ne1000"))
        with pytest.raises(eib.SourceUnreadableError, match="temporary file") as caught:
            read_vib(depot, next(vib for vib in depot.catalog.vibs if not vib.is_for_host))
    assert str(tmp_path / "nowhere") in caught.value.hint
    assert "ESXIODPT.TGZ" in caught.value.where
