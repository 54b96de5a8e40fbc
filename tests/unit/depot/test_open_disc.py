"""Looking at a disc: what stands on it, what boots, and the bytes of a file, through a door of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.written_images import files_of, put, remade, written

import esximage_builder as eib

if TYPE_CHECKING:
    from pathlib import Path

RELEASE = "7.0U3g"


@pytest.fixture
def iso(tmp_path: Path) -> Path:
    return written(RELEASE).iso_in(tmp_path)


def test_every_file_is_there_with_its_length_and_bytes(iso: Path) -> None:
    expected = files_of(written(RELEASE).iso)
    with eib.open_disc(iso) as disc:
        found = {path: disc.read(path) for path in disc.files if path != "BOOT.CAT"}
        sizes = dict(disc.files)

    assert found == expected
    assert {path: len(data) for path, data in expected.items()}.items() <= sizes.items()
    assert list(sizes) == sorted(sizes)


def test_a_disc_says_what_firmware_boots(iso: Path) -> None:
    with eib.open_disc(str(iso)) as disc:
        assert [(entry.platform, entry.path) for entry in disc.boot_entries] == [
            ("bios", "ISOLINUX.BIN"),
            ("efi", "EFIBOOT.IMG"),
        ]
        assert disc.path == str(iso)
        assert disc.volume_id == "ESXI-7.0U3G-20328353-ACME-ADDON-"


def test_a_disc_of_anything_can_be_looked_at(tmp_path: Path) -> None:
    path = put(tmp_path / "other.iso", remade({"README.TXT": b"hello"}, bios=False, efi=False))
    with eib.open_disc(path) as disc:
        assert (dict(disc.files), disc.boot_entries) == ({"README.TXT": 5}, ())
        assert disc.read("readme.txt") == b"hello"


def test_a_file_is_read_as_a_stream(iso: Path) -> None:
    with eib.open_disc(iso) as disc, disc.open("boot.cfg") as stream:
        whole = disc.read("BOOT.CFG")
        stream.seek(10)
        assert stream.read() == whole[10:]
        assert eib.parse_boot_cfg(whole).kernel == "/b.b00"


def test_a_file_is_as_long_as_the_caller_allows(iso: Path) -> None:
    with eib.open_disc(iso) as disc:
        size = disc.files["VMX.V00"]
        assert len(disc.read("VMX.V00", max_bytes=size)) == size
        with pytest.raises(eib.LimitExceededError):
            disc.read("VMX.V00", max_bytes=size - 1)
    with eib.open_disc(iso, limits=eib.ReadLimits(document_bytes=size - 1)) as disc:
        with pytest.raises(eib.LimitExceededError):
            disc.read("VMX.V00")
        with disc.open("VMX.V00") as stream:
            assert len(stream.read()) == size


def test_a_file_that_is_not_there_is_named_with_those_spelled_alike(iso: Path) -> None:
    with eib.open_disc(iso) as disc:
        for look in (disc.read, disc.open):
            with pytest.raises(eib.NotInDepotError) as caught:
                look("BOOT.CFK")
            assert "BOOT.CFG" in caught.value.hint


def test_a_closed_disc_says_so_and_its_listing_stays(iso: Path) -> None:
    with eib.open_disc(iso) as disc:
        pass
    assert "BOOT.CFG" in disc.files
    with pytest.raises(eib.SourceUnreadableError):
        disc.read("BOOT.CFG")


def test_what_is_no_disc_is_an_error_of_ours(tmp_path: Path) -> None:
    with pytest.raises(eib.MalformedDocumentError) as caught:
        eib.open_disc(put(tmp_path / "x.iso", bytes(40_000)))
    assert caught.value.where == str(tmp_path / "x.iso")
    with pytest.raises(eib.SourceUnreadableError):
        eib.open_disc(tmp_path / "nowhere.iso")
    with pytest.raises(eib.SourceUnreadableError):
        eib.open_disc(tmp_path)


def test_a_disc_has_as_many_files_as_the_caller_allows(iso: Path) -> None:
    with pytest.raises(eib.LimitExceededError):
        eib.open_disc(iso, limits=eib.ReadLimits(member_count=30))
