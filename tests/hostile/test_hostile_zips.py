"""Zips that lie, escape or swell: our error from every reader of depots, and nothing appears anywhere."""

from __future__ import annotations

import zipfile
from typing import TYPE_CHECKING

import attrs
import pytest
from support.document_builders import DepotBuilder, VibBuilder, zip_bytes
from support.lying_zips import Part, build

import esximage_builder as eib

if TYPE_CHECKING:
    from collections.abc import Callable

    from support.untouched import Room

VIB = VibBuilder()
DEPOT = DepotBuilder().with_vibs(VIB)
LEVELS = ["depot", "metadata"]


def parts_of(members: dict[str, bytes]) -> list[Part]:
    return [Part(name=name.encode(), data=data) for name, data in members.items()]


def depot_with(*hostile: Part, level: str) -> bytes:
    """A sound depot with such members too: beside its index, or in its metadata."""
    if level == "metadata":
        return DEPOT.with_file("metadata.zip", build(*parts_of(DEPOT.metadata_members()), *hostile)).zip()
    return build(*parts_of(DEPOT.members()), *hostile)


@pytest.mark.parametrize("level", LEVELS)
def test_a_sound_archive_of_this_make_is_read(room: Room, level: str) -> None:
    """Each refusal below is about the one member that its test put in."""
    path = room.put("depot.zip", depot_with(Part(name=b"extra.txt"), level=level))
    with room.untouched(), eib.open_depot(path) as depot:
        assert [vib.id for vib in depot.catalog.vibs] == [VIB.id]


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize(
    "name",
    [
        "../x",
        "../../x",
        "vib20/../../x",
        "{absolute}",
        "/x",
        "C:\\x",
        "C:x",
        "..\\x",
        "a\\..\\..\\x",
        "a//x",
        "./x",
        ".. /x",
        "~/../x",
    ],
)
def test_a_name_that_leads_out_is_refused(room: Room, name: str, level: str) -> None:
    """Zip-slip: nothing is ever written by the name of a member, and such an archive is not read either."""
    escape = name.format(absolute=room.secret.parent / "x").encode()
    room.refuses_depot(depot_with(Part(name=escape), level=level), eib.UnsafeArchiveError, "name is not allowed")


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("name", [b"a\0b", b"index.xml\0.txt", b"\0"])
def test_a_name_with_a_nul_is_refused(room: Room, name: bytes, level: str) -> None:
    """Readers in C, and Python's own, see no more than what stands before it."""
    room.refuses_depot(depot_with(Part(name=name), level=level), eib.UnsafeArchiveError, "name is not allowed")


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("change", [bytes, bytes.upper, bytes.title])
def test_two_members_of_one_name_are_refused(room: Room, level: str, change: Callable[[bytes], bytes]) -> None:
    """One reader takes the first, another the last, and a disc has no difference of case."""
    name = b"vendor-index.xml"
    room.refuses_depot(depot_with(Part(name=change(name)), level=level), eib.UnsafeArchiveError, "same name")


@pytest.mark.parametrize("level", LEVELS)
def test_members_that_share_bytes_are_refused(room: Room, level: str) -> None:
    """So a small file unpacks to a huge sum, and a member hides in another."""
    room.refuses_depot(depot_with(Part(offset=0), level=level), eib.UnsafeArchiveError, "overlaps")


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("mode", [0o120777, 0o060600, 0o020600, 0o010600, 0o140600])
def test_links_devices_pipes_and_sockets_are_refused(room: Room, mode: int, level: str) -> None:
    link = Part(data=str(room.secret).encode(), attributes=mode << 16)
    room.refuses_depot(depot_with(link, level=level), eib.UnsafeArchiveError, "no regular file")


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("flags", [0x1, 0x41, 0x2000])
def test_encryption_is_refused(room: Room, flags: int, level: str) -> None:
    room.refuses_depot(depot_with(Part(flags=flags), level=level), eib.UnsafeArchiveError, "encrypted")


@pytest.mark.parametrize("level", LEVELS)
def test_a_header_that_contradicts_the_directory_is_refused(room: Room, level: str) -> None:
    """Who reads from front to end sees another member than who reads the directory."""
    members = DEPOT.metadata_members() if level == "metadata" else DEPOT.members()
    parts = parts_of(members)
    at = 2 if level == "metadata" else 1  # one that is read
    parts[at] = Part(name=parts[at].name, data=parts[at].data, own_name=b"other.xml".ljust(len(parts[at].name), b"x"))
    data = build(*parts)
    if level == "metadata":
        data = DEPOT.with_file("metadata.zip", data).zip()
    room.refuses_depot(data, eib.UnsafeArchiveError, "contradicts")


def test_a_bomb_of_one_member_is_stopped_by_its_announced_size(room: Room) -> None:
    bomb = DEPOT.with_metadata_file("vibs/bomb.xml", bytes(70 << 20)).zip()
    assert len(bomb) < 1 << 20
    room.refuses_depot(
        bomb, eib.LimitExceededError, "larger than the limit", limits=eib.ReadLimits(document_bytes=8 << 20)
    )


def test_a_bomb_that_understates_its_size_gives_no_more_than_it_said(room: Room) -> None:
    """Bytes that come out are counted, not those that a header promises."""
    parts = [part for part in parts_of(DEPOT.members()) if part.name != b"index.xml"]
    bomb = Part(name=b"index.xml", data=bytes(50 << 20), size_bytes=1000, own_size_bytes=1000)
    room.refuses_depot(build(*parts, bomb), eib.ChecksumMismatchError, "size differs")


def test_a_bomb_of_many_members_is_stopped_by_their_sum(room: Room) -> None:
    bomb = DEPOT
    for number in range(30):
        bomb = bomb.with_metadata_file(f"vibs/{number}.xml", b"<vib/>" + b" " * 100_000)
    room.refuses_depot(
        bomb.zip(),
        eib.LimitExceededError,
        "unpacks to more than the limit",
        limits=eib.ReadLimits(metadata_bytes=1 << 20),
    )


@pytest.mark.parametrize("level", LEVELS)
def test_a_bomb_of_empty_members_is_stopped_by_their_number(room: Room, level: str) -> None:
    many = (Part(name=b"%d" % number, data=b"", deflate=False) for number in range(3000))
    room.refuses_depot(
        depot_with(*many, level=level), eib.LimitExceededError, "more members", limits=eib.ReadLimits(member_count=2000)
    )


def test_zips_in_zips_share_one_budget(room: Room) -> None:
    """Else each level would multiply what the one above allows."""
    inner = {
        f"{number}.zip": zip_bytes({"x.vib": VIB.vib(), "pad": bytes(1 << 20)}, method=zipfile.ZIP_STORED)
        for number in range(8)
    }
    bomb = zip_bytes(inner)
    assert len(bomb) < 1 << 20
    room.refuses_depot(
        bomb, eib.LimitExceededError, "unpack to more than the limit", limits=eib.ReadLimits(nested_bytes=4 << 20)
    )


def test_metadata_of_all_depots_in_a_zip_shares_one_budget(room: Room) -> None:
    swollen = DEPOT.with_metadata_file("vibs/0.xml", VIB.metadata() + b" " * 400_000).zip()
    bomb = zip_bytes({f"{number}.zip": swollen for number in range(4)}, method=zipfile.ZIP_STORED)
    room.refuses_depot(
        bomb, eib.LimitExceededError, "unpacks to more than the limit", limits=eib.ReadLimits(metadata_bytes=1 << 20)
    )


def test_zips_are_not_nested_without_end(room: Room) -> None:
    bomb = DEPOT.zip()
    for _ in range(8):
        bomb = zip_bytes({"depot.zip": bomb, "x.vib": VIB.vib()})
    room.refuses_depot(bomb, eib.LimitExceededError, "nested deeper")


@pytest.mark.parametrize("name", ["index.xml", "vendor-index.xml", "metadata.zip"])
def test_nothing_of_a_document_counts_before_its_checksum_is_right(room: Room, name: str) -> None:
    parts = [
        Part(name=part.name, data=part.data, crc32=1) if part.name == name.encode() else part
        for part in parts_of(DEPOT.members())
    ]
    room.refuses_depot(build(*parts), eib.ChecksumMismatchError, "CRC-32")


@pytest.mark.parametrize("lie", ["crc", "bytes"])
def test_nothing_is_written_of_a_vib_before_its_checksum_is_right(room: Room, lie: str) -> None:
    """The bytes had gone out when the lie was found; what they went into is gone again."""
    wrong = VIB.vib().replace(VIB.payload, bytes(len(VIB.payload)))
    parts = [
        attrs.evolve(part, **({"crc32": 1} if lie == "crc" else {"data": wrong}))
        if part.name.endswith(b".vib")
        else part
        for part in parts_of(DEPOT.members())
    ]
    path = room.put("depot.zip", build(*parts))
    with eib.open_depot(path) as depot:
        components = depot.catalog.components
        room.refuses(
            lambda: eib.export_components(components, depot.catalog.vibs, depot, room.out / "new.zip"),
            eib.ChecksumMismatchError,
            "CRC-32|differ",
        )


@pytest.mark.parametrize("at", ["start", "middle", "end"])
def test_an_archive_that_is_not_all_of_the_file_is_refused(room: Room, at: str) -> None:
    """Two archives in one file are two truths, and half of one is none."""
    data = DEPOT.zip()
    changed = {"start": b"#!/bin/sh\n" + data, "middle": data[: len(data) // 2], "end": data + data}[at]
    room.refuses_depot(changed, eib.DepotError, ".")
