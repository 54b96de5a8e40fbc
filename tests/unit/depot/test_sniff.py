"""What a file is, by its first bytes: what is no depot is named, with advice."""

from __future__ import annotations

import gzip
import io
from typing import TYPE_CHECKING

import pycdlib
import pytest
from hypothesis import given, strategies as st
from support.document_builders import DepotBuilder, VibBuilder, zip_bytes

from esximage_builder.containers.partition_table import FAT32, Partition, render_boot_record
from esximage_builder.depot.opening import open_depot
from esximage_builder.depot.sniff import FileKind, Sniffed, not_a_depot, sniff
from esximage_builder.errors import DepotError, MalformedDocumentError, NotADepotError, SourceUnreadableError

if TYPE_CHECKING:
    from pathlib import Path

LFS_POINTER = (
    b"version https://git-lfs.github.com/spec/v1\n"
    b"oid sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393\nsize 358743040\n"
)
DEPOT = DepotBuilder().zip()
STICK = render_boot_record([Partition(kind=FAT32, first_sector=2048, sectors=70000)], signature=1)

NOT_DEPOTS = [
    pytest.param(LFS_POINTER, FileKind.LFS_POINTER, "git lfs pull", id="lfs-pointer"),
    pytest.param(VibBuilder().vib().replace(b"\n", b"\r\n"), FileKind.MANGLED_VIB, "binary mode", id="crlf-vib"),
    pytest.param(b"<!DOCTYPE html><html><body>Sign in</body></html>", FileKind.HTML, "login", id="html"),
    pytest.param(b"\n\n<HTML lang='en'>", FileKind.HTML, "login", id="html-upper-case"),
    pytest.param(b'<?xml version="1.0"?><html><head/></html>', FileKind.HTML, "login", id="xhtml"),
    pytest.param(b"\xef\xbb\xbf<!doctype HTML>", FileKind.HTML, "login", id="html-with-mark"),
    pytest.param(STICK, FileKind.STICK, "the ISO that it was made of", id="stick"),
    pytest.param(b"", FileKind.EMPTY, "download it again", id="empty"),
    pytest.param(gzip.compress(b"tar"), FileKind.GZIP, "look for a .zip", id="gzip"),
    pytest.param(b"7z\xbc\xaf\x27\x1c\x00\x04", FileKind.SEVEN_ZIP, "unpack", id="7z"),
    pytest.param(b"Rar!\x1a\x07\x01\x00", FileKind.RAR, "unpack", id="rar"),
    pytest.param(b"MZ\x90\x00", FileKind.WINDOWS_PROGRAM, "self-extracting", id="exe"),
    pytest.param(b'{"base_image": {}}', FileKind.JSON, "read_software_spec", id="json"),
    pytest.param(b"\xef\xbb\xbf [1]", FileKind.JSON, "read_software_spec", id="json-with-mark"),
    pytest.param(b"<vendorList/>", FileKind.XML, "zip it came from", id="xml"),
    pytest.param(b"PK\x01\x02" + bytes(60), FileKind.CUT_SHORT_ZIP, "damaged", id="zip-without-beginning"),
    pytest.param(b"\x00\x01\x02", FileKind.UNKNOWN, "offline bundle", id="unknown"),
]


@pytest.mark.parametrize(("data", "kind", "advice"), NOT_DEPOTS)
def test_what_is_no_depot_is_named_with_advice(tmp_path: Path, data: bytes, kind: FileKind, advice: str) -> None:
    path = tmp_path / "depot.zip"
    path.write_bytes(data)
    assert sniff(path).kind is kind
    assert sniff(str(path)).advice == sniff(path).advice
    with pytest.raises(NotADepotError) as caught:
        open_depot(path)
    assert kind.value in caught.value.message
    assert (caught.value.where, caught.value.found) == (str(path), kind.value)
    assert advice in caught.value.hint


def test_a_disc_that_installs_nothing_is_no_depot(tmp_path: Path) -> None:
    path = tmp_path / "depot.zip"
    disc = pycdlib.PyCdlib()
    disc.new()
    disc.add_fp(io.BytesIO(b"x"), 1, "/README.TXT;1")
    disc.write(str(path))
    disc.close()
    assert sniff(path).kind is FileKind.ISO
    with pytest.raises(NotADepotError, match="an ISO image") as caught:
        open_depot(path)
    assert "IMGDB.TGZ" in caught.value.found
    assert "offline bundle" in caught.value.hint


def test_a_disc_that_is_cut_short_says_so(tmp_path: Path) -> None:
    path = tmp_path / "disc.iso"
    path.write_bytes(bytes(32768) + b"\x01CD001\x01" + bytes(2041))
    assert sniff(path).kind is FileKind.ISO
    with pytest.raises(MalformedDocumentError, match="cut short"):
        open_depot(path)


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        pytest.param(DEPOT, FileKind.ZIP, id="zip"),
        pytest.param(zip_bytes({}), FileKind.ZIP, id="empty-zip"),
        pytest.param(VibBuilder().vib(), FileKind.VIB, id="vib"),
    ],
)
def test_a_file_is_known_by_its_content_and_not_by_its_name(tmp_path: Path, data: bytes, kind: FileKind) -> None:
    path = tmp_path / "readme.txt"
    path.write_bytes(data)
    assert sniff(path).kind is kind


def test_a_folder_is_a_folder(tmp_path: Path) -> None:
    assert sniff(tmp_path).kind is FileKind.FOLDER


@pytest.mark.parametrize("cut_at", [len(DEPOT) // 4, len(DEPOT) // 2, len(DEPOT) - 30])
def test_a_zip_that_is_cut_short_says_so(tmp_path: Path, cut_at: int) -> None:
    path = tmp_path / "depot.zip"
    path.write_bytes(DEPOT[:cut_at])
    assert sniff(path).kind is FileKind.ZIP
    with pytest.raises(MalformedDocumentError) as caught:
        open_depot(path)
    assert "download" in caught.value.hint
    assert caught.value.where == str(path)


def test_a_zip_without_an_index_lists_what_it_holds(tmp_path: Path) -> None:
    path = tmp_path / "driver.zip"
    path.write_bytes(zip_bytes({"readme.txt": b"x", "setup.exe": b"MZ"}))
    with pytest.raises(NotADepotError) as caught:
        open_depot(path)
    assert caught.value.found == "2 files: readme.txt, setup.exe"
    assert "index.xml" in caught.value.hint
    path.write_bytes(zip_bytes({}))
    with pytest.raises(NotADepotError) as empty:
        open_depot(path)
    assert empty.value.found == "no files"


def test_an_empty_folder_is_no_depot(tmp_path: Path) -> None:
    with pytest.raises(NotADepotError, match="a folder") as caught:
        open_depot(tmp_path)
    assert caught.value.found == "no files"


@pytest.mark.parametrize("name", ["none.zip", "none/depot.zip", "x" * 5000, "nul\0name"])
def test_what_cannot_be_opened_is_unreadable(tmp_path: Path, name: str) -> None:
    for reading in (sniff, open_depot):
        with pytest.raises(SourceUnreadableError) as caught:
            reading(f"{tmp_path}/{name}")
        assert caught.value.where == f"{tmp_path}/{name}"
        assert caught.value.hint


@pytest.mark.parametrize("kind", FileKind)
def test_every_kind_has_advice_and_an_article(kind: FileKind) -> None:
    error = not_a_depot(Sniffed(kind=kind, advice="x"), "where")
    article = error.message.removeprefix("this is no depot but ").partition(" ")[0]
    spoken_with_vowel = {
        FileKind.ISO,
        FileKind.IMAGE_DATABASE,
        FileKind.HTML,
        FileKind.XML,
        FileKind.EMPTY,
        FileKind.UNKNOWN,
    }
    assert article == ("an" if kind in spoken_with_vowel else "a")
    assert isinstance(error, DepotError)


@given(st.binary(max_size=64))
def test_any_beginning_is_of_some_kind(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "sniffed"
    path.write_bytes(data)
    assert sniff(path).advice


@pytest.mark.parametrize("address", ["https://host/depot.zip", "HTTP://host/index.xml", "s3://bucket/depot.zip"])
def test_an_address_is_told_from_a_path(address: str) -> None:
    with pytest.raises(SourceUnreadableError) as caught:
        sniff(address)
    assert "nothing here uses a network" in caught.value.hint
