"""VIBs, image databases, discs, folders and payloads that lie: our error, and nothing appears anywhere."""

from __future__ import annotations

import datetime as dt
import gzip
import io
import os
import re
import tarfile
import zipfile
from typing import TYPE_CHECKING

import pytest
from support.document_builders import BulletinBuilder, DepotBuilder, VibBuilder, element, sha256, zip_bytes

import esximage_builder as eib
from esximage_builder.containers.gzip import stored_gzip
from esximage_builder.containers.iso9660 import IsoFile, lay_out_iso

if TYPE_CHECKING:
    from pathlib import Path

    from support.untouched import Room

VIB = VibBuilder(payload=gzip.compress(b"module", mtime=0), acceptance_level="community")
OTHER = VibBuilder(name="other")
DEPOT = DepotBuilder().with_vibs(VIB)


# VIBs: ar archives


def member(name: str, data: bytes = b"", *, size: str = "", end: bytes = b"`\n") -> bytes:
    header = f"{name:<16}{0:<12}{0:<6}{0:<6}{0:<8}{size or len(data):<10}".encode("latin-1")
    return header + end + data + b"\n" * (len(data) % 2)


def vib_of(*members: bytes) -> bytes:
    return b"!<arch>\n" + b"".join(members)


HEAD = (member("descriptor.xml", VIB.descriptor()), member("sig.pkcs7"))
PAYLOAD = member(VIB.payload_name, VIB.payload)


def refuse_vib(room: Room, data: bytes, words: str) -> None:
    """Whoever verifies the file is told."""
    path = room.put("x.vib", data)
    with room.untouched():
        try:
            told = [
                finding.message for finding in eib.verify_vib(path).findings if finding.severity is eib.Severity.ERROR
            ]
        except eib.EsxImageError as error:
            told = [error.message]
        assert any(words in message for message in told), told


def test_a_sound_vib_of_this_make_is_read(room: Room) -> None:
    """Each refusal below is about the one lie that its test put in."""
    path = room.put("x.vib", vib_of(*HEAD, PAYLOAD))
    with room.untouched(), eib.open_depot(path) as depot:
        assert [vib.id for vib in depot.catalog.vibs] == [VIB.id]
        assert not [finding for finding in eib.verify_vib(path).findings if finding.severity is eib.Severity.ERROR]


@pytest.mark.parametrize(
    "start",
    [b"version https://git-lfs.github.com/spec/v1\n", b"PK\x03\x04", b"!<arch>\r\n", b"!<thin>\n", b"<html>", b""],
)
def test_what_is_no_ar_archive_is_no_vib(room: Room, start: bytes) -> None:
    path = room.put("x.vib", start + VIB.vib()[8:])
    room.refuses(lambda: eib.verify_vib(path), eib.NotADepotError, ".")
    room.refuses(lambda: eib.open_depot(path), eib.EsxImageError, ".")


@pytest.mark.parametrize("size", ["0x19", "-1", "+25", "2 5", "1_0", "²", "2\n5", "1e1"])
def test_a_size_that_is_no_plain_number_is_refused(room: Room, size: str) -> None:
    """Python's own ``int`` takes half of these."""
    refuse_vib(room, vib_of(*HEAD, member("netacme", VIB.payload, size=size)), "is no number")


@pytest.mark.parametrize("size", ["29", "4096", "999999999"])
def test_a_size_beyond_the_end_is_refused_before_it_is_read(room: Room, size: str) -> None:
    refuse_vib(room, vib_of(*HEAD, member("netacme", VIB.payload, size=size)), "ends inside")


@pytest.mark.parametrize("end", [b"`\r", b"\n`", b"  "])
def test_a_header_that_does_not_end_as_headers_do_is_refused(room: Room, end: bytes) -> None:
    refuse_vib(room, vib_of(*HEAD, member("netacme", VIB.payload, end=end)), "no member header")


def test_something_in_the_place_of_a_pad_byte_is_refused(room: Room) -> None:
    """There a byte would lie that no checksum covers."""
    odd = member("netacme", VIB.payload + b"x" * (1 - len(VIB.payload) % 2))
    refuse_vib(room, vib_of(*HEAD, odd[:-1] + b"\0", member("more")), "not followed by a line feed")


def test_something_behind_the_last_member_is_refused(room: Room) -> None:
    refuse_vib(room, vib_of(*HEAD, PAYLOAD) + b"trailing bytes", "member header")


@pytest.mark.parametrize("name", ["../x", "/etc/x", "a/b", "a\0b", "a\x1bb", "#1/20", "//", "/"])
def test_a_member_name_that_is_no_plain_name_is_refused(room: Room, name: str) -> None:
    refuse_vib(room, vib_of(*HEAD, PAYLOAD, member(name)), "")


def test_two_members_of_one_name_are_refused_in_a_vib(room: Room) -> None:
    refuse_vib(room, vib_of(*HEAD, PAYLOAD, PAYLOAD), "two members are named")


@pytest.mark.parametrize("name", ["../../x", "/x", "a/b"])
def test_a_payload_of_such_a_name_is_not_in_the_archive(room: Room, name: str) -> None:
    """No member can have it, so what the descriptor promises is missing."""
    descriptor = VIB.with_(payload_name=name).descriptor()
    refuse_vib(room, vib_of(member("descriptor.xml", descriptor), HEAD[1], PAYLOAD), "lacks payloads")


# Payloads


def test_a_payload_bomb_is_stopped_at_the_limit(room: Room) -> None:
    """It is unpacked in blocks, and no longer than the limit allows."""
    bomb = gzip.compress(bytes(200 << 20))
    vib = VIB.with_(payload=bomb)
    assert len(vib.vib()) < 1 << 20
    path = room.put("x.vib", vib.vib())
    with room.untouched():
        result = eib.verify_vib(path, limits=eib.ReadLimits(payload_bytes=4 << 20))
    assert any("more than the limit" in finding.message for finding in result.findings), result.findings


# Image databases: tar in gzip


def database(*members: tarfile.TarInfo, behind: bytes = b"") -> bytes:
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w", format=tarfile.GNU_FORMAT) as archive:
        for info in (tar_member("var/db/esximg/vibs/x.xml"), *members):
            archive.addfile(info, io.BytesIO(bytes(info.size)))
    return stored_gzip(target.getvalue() + behind)


def tar_member(name: str, *, kind: bytes = tarfile.REGTYPE, size: int = 0, link: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.size, info.linkname = kind, size, link
    return info


def refuse_database(
    room: Room, data: bytes, error: type[eib.EsxImageError], *, limits: eib.ReadLimits | None = None
) -> None:
    path = room.put("imgdb.tgz", data)
    room.refuses(lambda: eib.read_image_database(path, limits=limits).close(), error, ".")


@pytest.mark.parametrize("name", ["../../x", "/etc/x", "var/../../x", "a\\b", "C:x", "a/./b", "a\x1bb"])
def test_a_database_member_that_leads_out_is_refused(room: Room, name: str) -> None:
    refuse_database(room, database(tar_member(name)), eib.UnsafeArchiveError)


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE])
def test_links_and_devices_in_a_database_are_refused(room: Room, kind: bytes) -> None:
    refuse_database(room, database(tar_member("var/link", kind=kind, link=str(room.secret))), eib.UnsafeArchiveError)


def test_two_database_members_of_one_name_are_refused(room: Room) -> None:
    twice = tar_member("var/db/esximg/vibs/x.xml")
    refuse_database(room, database(twice), eib.UnsafeArchiveError)


def test_a_database_bomb_is_stopped_at_the_limit(room: Room) -> None:
    bomb = gzip.compress(gzip.decompress(database(tar_member("var/db/esximg/vibs/y.xml", size=16 << 20))))
    assert len(bomb) < 1 << 20
    refuse_database(room, bomb, eib.LimitExceededError, limits=eib.ReadLimits(document_bytes=8 << 20))


@pytest.mark.parametrize("at", [-8, -4, 40])
def test_a_database_with_a_wrong_checksum_is_refused(room: Room, at: int) -> None:
    data = bytearray(database())
    data[at] ^= 1
    refuse_database(room, bytes(data), eib.EsxImageError)


# Discs


def small_disc() -> bytes:
    files = [IsoFile(path="A/B.TXT", content=b"hello"), IsoFile(path="BOOT.CFG", content=b"bootstate=0\n")]
    when = dt.datetime(2024, 1, 31, tzinfo=dt.UTC)
    layout = lay_out_iso(files, volume_id="X", bios_boot=None, efi_boot=None, timestamp=when)
    target = io.BytesIO()
    layout.write_skeleton(target)
    return target.getvalue()


def refuse_disc(room: Room, data: bytes, words: str) -> None:
    path = room.put("disc.iso", data)
    with room.untouched():
        try:
            result = eib.verify_iso(path)
        except eib.EsxImageError as error:
            told = [error.message]
        else:
            assert not result.is_passed
            told = [finding.message for finding in result.findings]
        assert any(words in message for message in told), told
    room.refuses(lambda: eib.open_depot(path).close(), eib.EsxImageError, ".")


def changed(data: bytes, name: bytes, at: int, change: bytes) -> bytes:
    """Change a directory record, found by the name in it."""
    start = data.index(name) - 33 + at
    return data[:start] + change + data[start + len(change) :]


@pytest.mark.parametrize("name", [b"../TXT;", b"B\x00TXT;", b"C:XTX;", b"\\.TXT;"])
def test_a_name_on_a_disc_that_leads_out_is_refused(room: Room, name: bytes) -> None:
    refuse_disc(room, changed(small_disc(), b"B.TXT;1", 33, name), "not safe")


def test_a_folder_of_a_disc_that_holds_itself_is_refused(room: Room) -> None:
    disc = small_disc()
    root = disc[16 * 2048 + 158 : 16 * 2048 + 162]
    record = next(at for at in range(20 * 2048, len(disc)) if disc[at + 25] & 2 and disc[at + 32 : at + 34] == b"\x01A")
    refuse_disc(room, disc[: record + 2] + root + disc[record + 6 :], "stands twice")


def test_a_file_beyond_the_end_of_a_disc_is_refused(room: Room) -> None:
    refuse_disc(room, changed(small_disc(), b"B.TXT;1", 10, b"\xff\xff\xff\x7f"), "behind its end")


# Folders


@pytest.mark.skipif(os.name != "posix", reason="links need a POSIX file system here")
def test_links_that_lead_out_of_a_folder_are_not_followed(room: Room) -> None:
    """Neither a file nor a folder elsewhere is read because a depot folder has a link to it."""
    (room.folder / "neighbour" / "secret.vib").write_bytes(OTHER.vib())
    folder = DEPOT.unpack(room.folder / "in" / "depot")
    (folder / "link.vib").symlink_to(room.folder / "neighbour" / "secret.vib")
    (folder / "climbing.vib").symlink_to("../../neighbour/secret.vib")
    (folder / "linked").symlink_to(room.folder / "neighbour", target_is_directory=True)
    (folder / "circle").symlink_to(".", target_is_directory=True)
    with room.untouched(), eib.open_depot(folder) as depot:
        assert [vib.id for vib in depot.catalog.vibs] == [VIB.id]
        (told,) = (finding for finding in depot.catalog.findings if finding.code == "link-not-followed")
        assert told.items == ("climbing.vib", "link.vib", "linked")
    assert "link-not-followed" in {finding.code for finding in eib.verify_bundle(folder).findings}


@pytest.mark.skipif(os.name != "posix", reason="links need a POSIX file system here")
def test_a_link_inside_a_folder_stands_for_the_file_it_leads_to(room: Room) -> None:
    """And only for that one: put in its place later, no link is followed."""
    secret = room.folder / "neighbour" / "secret.vib"
    secret.write_bytes(OTHER.vib())
    folder = DEPOT.unpack(room.folder / "in" / "depot")
    place = folder / VIB.relative_path
    place.rename(folder / "kept.bin")
    place.symlink_to(folder / "kept.bin")
    with eib.open_depot(folder) as depot:
        (vib,) = depot.catalog.vibs
        with depot.open_vib(vib) as stream:
            assert stream.read() == VIB.vib()
        assert "link-not-followed" not in {finding.code for finding in depot.catalog.findings}
        (folder / "kept.bin").unlink()
        (folder / "kept.bin").symlink_to(secret)
        room.refuses(lambda: depot.open_vib(vib).read(), eib.SourceUnreadableError, "cannot be read")


@pytest.mark.skipif(os.name != "posix", reason="links need a POSIX file system here")
@pytest.mark.parametrize("is_pipe", [True, False], ids=["pipe", "link"])
def test_what_takes_the_place_of_a_file_after_it_was_listed_is_not_read(room: Room, *, is_pipe: bool) -> None:
    """A file may be exchanged between looking and opening: for a pipe nobody waits, a link is not followed."""
    (room.folder / "neighbour" / "secret.vib").write_bytes(VIB.vib())
    folder = DEPOT.unpack(room.folder / "in" / "depot")
    place = folder / VIB.relative_path
    with eib.open_depot(folder) as depot:
        (vib,) = depot.catalog.vibs
        place.unlink()
        if is_pipe:
            os.mkfifo(place)
        else:
            place.symlink_to(room.folder / "neighbour" / "secret.vib")
        room.refuses(lambda: depot.open_vib(vib).read(), eib.SourceUnreadableError, "cannot be read")


@pytest.mark.parametrize("form", ["zip", "folder"])
@pytest.mark.parametrize("where", ["../../neighbour/secret.vib", "/../secret.vib", "..\\secret.vib", "{absolute}"])
def test_a_path_in_metadata_that_leads_out_finds_nothing(room: Room, where: str, form: str) -> None:
    secret = room.folder / "neighbour" / "secret.vib"
    secret.write_bytes(VIB.vib())
    path = where.format(absolute=secret)
    astray = VIB.with_(file_elements={"relative-path": element("relative-path", path)})
    depot = DEPOT.with_vibs(astray).without(VIB.relative_path)
    source = room.put("depot.zip", depot.zip()) if form == "zip" else depot.unpack(room.folder / "in" / "depot")
    with room.untouched(), eib.open_depot(source) as opened:
        assert "vib-file-missing" in {finding.code for finding in opened.catalog.findings}
        assert opened.catalog.vibs == ()


# What is written


HOSTILE_NAMES = ["../../x", "/x", "..", "a/../../x", "a\\..\\x", "C:x", "x\0y", "x\ny", "~", "CON", "-rf"]


def depot_named(kind: str, name: str) -> bytes:
    """A depot in which one thing has this name; files and members have sound ones."""
    vib = VIB.with_(
        name=name if kind == "vib" else VIB.name,
        file_elements={"relative-path": element("relative-path", "vib20/a.vib")},
    )
    bulletin = BulletinBuilder.of(
        vib,
        id=name if kind == "bulletin" else "Acme-net_1.0-1",
        component=(name if kind == "component" else "Acme-net", "1.0-1"),
    )
    metadata = {"vibs/a.xml": vib.metadata(), "bulletins/a.xml": bulletin.document(), "vmware.xml": DEPOT.response()}
    return zip_bytes(
        {
            "index.xml": DEPOT.index(),
            "vendor-index.xml": DEPOT.vendor_index(),
            "metadata.zip": zip_bytes(metadata),
            "vib20/a.vib": vib.vib(),
        }
    )


@pytest.mark.parametrize("name", HOSTILE_NAMES)
@pytest.mark.parametrize("kind", ["vib", "component", "bulletin"])
def test_a_name_in_metadata_decides_no_place_outside(room: Room, kind: str, name: str) -> None:
    """Such names become paths in a bundle: refused, or written where others cannot be."""
    path = room.put("depot.zip", depot_named(kind, name))
    before = room.contents()
    try:
        with eib.open_depot(path, strict=False) as depot:
            eib.export_components(depot.catalog.components, depot.catalog.vibs, depot, room.out / "new.zip")
    except eib.EsxImageError:
        assert not list(room.out.iterdir())
    else:
        eib.open_depot(room.out / "new.zip").close()  # refuses a member that leads out
        members = zipfile.ZipFile(room.out / "new.zip").namelist()
        assert all(re.fullmatch(r"[\w.+~/-]+", member) and "../" not in member for member in members), members
    assert room.contents() == before
    assert {path.name for path in room.out.rglob("*")} <= {"new.zip"}


HOSTILE_PAYLOADS = [
    pytest.param("netacme", {"vfat-name": name}, id=f"vfat-name {name!r}")
    for name in (
        "../../x",
        "/x",
        "..",
        "a\\..\\x",
        "BOOT.CFG",
        "boot.cfg",
        "efi/boot/bootx64.efi",
        "x" * 300,
        "a\nkernel=/x",
    )
] + [
    pytest.param(name, {}, id=f"name {name!r}") for name in ("..", ".", "a\\b", "boot.cfg", "C:x", "a b", "a;1", "-rf")
]


@pytest.mark.parametrize(("name", "attributes"), HOSTILE_PAYLOADS)
def test_a_payload_decides_no_place_outside(room: Room, depots: Path, name: str, attributes: dict[str, str]) -> None:
    """Names of payloads become files of a network boot tree: refused, or a file that no other stands at."""
    vib = VIB.with_(payload_name=name, payload_attributes=attributes)
    path = room.put("depot.zip", DEPOT.with_vibs(vib).zip())
    tree = room.out / "tree"
    before = room.contents()
    try:
        with eib.open_depot(depots / "VMware-ESXi-7.0U3g-20328353-depot.zip", path) as depot:
            image = eib.compose(depot.catalog, base_image="7.0U3g", components=["Acme-net-acme"])
            eib.export_pxe(image, depot, tree)
    except eib.EsxImageError:
        assert not list(room.out.iterdir())
    else:
        boot_cfg = (tree / "boot.cfg").read_text(encoding="ascii")
        assert boot_cfg.count("kernel=") == 1
        assert [line for line in boot_cfg.splitlines() if not re.fullmatch(r"\w+=.*|", line)] == []
        assert all(len(path.name) <= 255 for path in tree.rglob("*"))
    assert room.contents() == before
    assert {path.name for path in room.out.iterdir()} <= {"tree"}


def test_a_source_that_turns_out_to_lie_leaves_no_output(room: Room) -> None:
    """A VIB whose bytes are not those that its metadata promises: what was begun is gone, whole and in part."""
    lie = DEPOT.with_file(VIB.relative_path, VIB.vib()[:-2] + b"XX")
    path = room.put("depot.zip", lie.zip())
    assert sha256(VIB.vib()) != sha256(lie.members()[VIB.relative_path])
    with eib.open_depot(path) as depot:
        room.refuses(
            lambda: eib.export_components(depot.catalog.components, depot.catalog.vibs, depot, room.out / "new.zip"),
            eib.ChecksumMismatchError,
            ".",
        )


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="the system has no pipes in folders")
def test_a_pipe_in_the_place_of_a_file_keeps_nobody_waiting(room: Room) -> None:
    """Opened as a file, it would wait for a writer that never comes."""
    folder = DEPOT.unpack(room.folder / "in" / "depot")
    os.mkfifo(folder / "pipe.vib")
    os.mkfifo(room.folder / "in" / "depot.zip")
    with room.untouched(), eib.open_depot(folder) as depot:
        assert [vib.id for vib in depot.catalog.vibs] == [VIB.id]
    for verify in (eib.open_depot, eib.verify_bundle, eib.verify_iso, eib.verify_vib):
        room.refuses(lambda verify=verify: verify(room.folder / "in" / "depot.zip"), eib.SourceUnreadableError, "pipe")  # type: ignore[misc]
