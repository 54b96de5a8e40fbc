"""Discs that we write are read alike by us and by four other tools; hostile ones end in our errors."""

from __future__ import annotations

import datetime as dt
import io
import itertools
import os
import pickle
import re
import shutil
import struct
import subprocess
import sys
import threading
from pathlib import Path

import attrs
import pytest
from hypothesis import given, settings, strategies as st

from esximage_builder.checksums import sha256_hex
from esximage_builder.containers import iso9660
from esximage_builder.containers.boot_info_table import with_boot_info_table
from esximage_builder.containers.iso9660 import IsoFile, IsoLayout, is_legal_iso_path, lay_out_iso
from esximage_builder.containers.iso9660_reader import BootEntry, open_iso
from esximage_builder.errors import (
    EsxImageError,
    ExportError,
    LimitExceededError,
    MalformedDocumentError,
    ModelError,
    NotInDepotError,
    SourceUnreadableError,
    UnsafeArchiveError,
)
from esximage_builder.limits import ReadLimits

WHEN = dt.datetime(2023, 3, 30, 12, 34, 56, tzinfo=dt.timezone(dt.timedelta(hours=2)))
LABEL = "ESXI-8.0U3E-24674464-STANDARD"
LIMITS = ReadLimits()
BIOS_IMAGE = bytes(range(256)) * 150 + b"odd"
EFI_IMAGE = b"FAT" + bytes(1024 * 1024 - 3)
PAYLOAD = bytes(range(251)) * 1000

FILES = (
    IsoFile(path="ISOLINUX.BIN", content=BIOS_IMAGE),
    IsoFile(path="EFIBOOT.IMG", content=EFI_IMAGE),
    IsoFile(path="BOOT.CFG", content=b"bootstate=0\n"),
    IsoFile(path="EFI/BOOT/BOOT.CFG", content=b"bootstate=0\n"),
    IsoFile(path="README", content=b"no dot\n"),
    IsoFile(path="EMPTY.TXT", content=b""),
    IsoFile(path="S.V00", size_bytes=len(PAYLOAD)),
    IsoFile(path="UPGRADE/PROFILE.XML", size_bytes=2049),
)
CALLER_WRITTEN = {"S.V00": PAYLOAD, "UPGRADE/PROFILE.XML": PAYLOAD[:2049]}


def lay_out(*files: IsoFile, **changes: object) -> IsoLayout:
    arguments: dict[str, object] = {"volume_id": LABEL, "bios_boot": None, "efi_boot": None, "timestamp": WHEN}
    return lay_out_iso(files, **(arguments | changes))  # type: ignore[arg-type]


def bootable() -> IsoLayout:
    return lay_out(*FILES, bios_boot="ISOLINUX.BIN", efi_boot="EFIBOOT.IMG")


def written(layout: IsoLayout) -> bytes:
    target = io.BytesIO()
    layout.write_skeleton(target)
    for path, content in CALLER_WRITTEN.items():
        if path in layout.offsets:
            target.seek(layout.offsets[path])
            target.write(content)
    return target.getvalue()


DISC = written(bootable())
SMALL_DISC = written(
    lay_out(
        IsoFile(path="A/B.TXT", content=b"hello"),
        IsoFile(path="BOOT.BIN", content=BIOS_IMAGE[:600]),
        bios_boot="BOOT.BIN",
        efi_boot="BOOT.BIN",
    )
)


def expected_content() -> dict[str, bytes]:
    layout = bootable()
    content = {file.path: file.content for file in FILES if file.content is not None} | CALLER_WRITTEN
    content["ISOLINUX.BIN"] = with_boot_info_table(BIOS_IMAGE, offset=layout.offsets["ISOLINUX.BIN"])
    return content


def tool(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is not installed")
    return found


def run(*command: str | Path, cwd: Path | None = None) -> bytes:
    done = subprocess.run([str(part) for part in command], check=False, capture_output=True, cwd=cwd)
    assert done.returncode == 0, done.stderr.decode(errors="replace")
    return done.stdout


@pytest.fixture
def disc(tmp_path: Path) -> Path:
    path = tmp_path / "disc.iso"
    path.write_bytes(DISC)
    return path


# Writing


def test_what_was_written_is_read_back_byte_for_byte() -> None:
    """Every file, also those the caller writes, stands where the layout says."""
    with open_iso(io.BytesIO(DISC), where="d.iso", limits=LIMITS) as reader:
        contents = {path: reader.read(path, max_bytes=2**21) for path in reader.files if path != "BOOT.CAT"}

        assert contents == expected_content()
        assert (reader.volume_id, reader.volume_bytes) == (LABEL, len(DISC))
        assert (reader.has_joliet, reader.has_rock_ridge) == (False, False)
        assert tuple(reader.files.values()) == bootable().entries
        assert reader.boot_entries == bootable().boot_entries


def test_boot_entries_are_bios_by_default_then_efi() -> None:
    """Firmware finds ISOLINUX.BIN with 4 sectors, and the whole EFIBOOT.IMG."""
    layout = bootable()
    bios, efi = layout.boot_entries

    assert bios == BootEntry(
        platform="bios",
        is_default=True,
        is_bootable=True,
        is_emulated=False,
        load_sectors=4,
        offset=layout.offsets["ISOLINUX.BIN"],
        path="ISOLINUX.BIN",
    )
    assert efi == BootEntry(
        platform="efi",
        is_default=False,
        is_bootable=True,
        is_emulated=False,
        load_sectors=2048,
        offset=layout.offsets["EFIBOOT.IMG"],
        path="EFIBOOT.IMG",
    )


@pytest.mark.parametrize(
    ("size_bytes", "load_sectors"),
    [
        pytest.param(1, 4, id="one sector of the disc at least"),
        pytest.param(1024 * 1024, 2048, id="the usual image"),
        pytest.param(40 * 1024 * 1024, 65535, id="more than the field can hold"),
    ],
)
def test_an_efi_disc_has_the_efi_image_as_default(size_bytes: int, load_sectors: int) -> None:
    layout = lay_out(IsoFile(path="EFIBOOT.IMG", content=bytes(size_bytes)), efi_boot="EFIBOOT.IMG")

    assert [(e.platform, e.is_default, e.load_sectors) for e in layout.boot_entries] == [("efi", True, load_sectors)]


def test_a_disc_without_boot_files_has_no_catalog() -> None:
    layout = lay_out(*FILES)

    assert layout.boot_entries == ()
    assert "BOOT.CAT" not in layout.offsets
    assert b"EL TORITO" not in written(layout)


def test_the_boot_information_table_holds_place_length_and_sum() -> None:
    table = struct.unpack_from("<IIII", with_boot_info_table(bytes(64) + b"\1\0\0\0\2", offset=4096), 8)

    assert table == (16, 2, 69, 3)


def test_the_result_depends_on_the_input_only() -> None:
    """Order of the files, day and time zone change nothing."""
    script = (
        "import sys, time; sys.path.insert(0, sys.argv[1]);"
        "import test_iso9660 as t; print(t.sha256_hex(t.DISC), time.timezone)"
    )
    package_root = str(Path(iso9660.__file__).parents[2])
    environment = os.environ | {"TZ": "Pacific/Kiritimati", "PYTHONPATH": package_root}
    elsewhere = subprocess.run(
        [sys.executable, "-c", script, str(Path(__file__).parent)],
        check=True,
        capture_output=True,
        text=True,
        env=environment,
    ).stdout.split()

    assert elsewhere == [sha256_hex(DISC), "-50400"]
    assert lay_out(*reversed(FILES), bios_boot="ISOLINUX.BIN", efi_boot="EFIBOOT.IMG") == bootable()


def test_every_date_is_the_callers() -> None:
    """No date of the day on which the disc was made is anywhere."""
    in_record = bytes((2023 - 1900, 3, 30, 10, 34, 56, 0))
    end = min(entry.offset for entry in bootable().entries if entry.size_bytes and entry.path != "BOOT.CAT")
    records = [m.start() for m in re.finditer(re.escape(in_record), DISC[:end])]

    assert DISC[: 17 * 2048].count(b"2023033010345600\x00") == 3
    # 8 files, catalog, 3 folders; each folder twice more and the root's three
    assert len(records) == 8 + 1 + 3 + 3 * 2 + 3


def test_layouts_are_values() -> None:
    layout = bootable()

    assert pickle.loads(pickle.dumps(layout)) == layout  # noqa: S301
    assert len(repr(layout)) < 3000


def test_a_skeleton_is_sparse_and_needs_no_memory_for_payloads(tmp_path: Path) -> None:
    """Rests on pycdlib ending a file where its source ends early: nothing of 6 GB is written."""
    size = 6_000_000_000
    layout = lay_out(IsoFile(path="BIG.V00", size_bytes=size), IsoFile(path="Z.CFG", content=b"after"))
    path = tmp_path / "big.iso"
    with path.open("w+b") as target:
        layout.write_skeleton(target)
        target.seek(layout.offsets["BIG.V00"] + size - 4)
        target.write(b"last")

    assert path.stat().st_size == layout.total_bytes > size
    if hasattr(os, "SEEK_DATA"):
        assert path.stat().st_blocks * 512 < 1_000_000
    with open_iso(path, where="big.iso", limits=LIMITS) as reader, reader.open("BIG.V00") as stream:
        assert reader.files["BIG.V00"].size_bytes == size
        assert stream.seek(-5, os.SEEK_END) == size - 5
        assert stream.read() == b"\0last"
        assert reader.read("Z.CFG", max_bytes=5) == b"after"


def test_pycdlib_writes_only_zeros_where_files_are() -> None:
    """The sink keeps metadata only, whatever the size of the files."""
    by_path = {"BIG.V00": IsoFile(path="BIG.V00", size_bytes=2**40)}

    metadata = iso9660._rendered_metadata(by_path, volume_id="X", bios_boot=None, efi_boot=None)

    assert len(metadata) < 40 * 2048


@pytest.mark.parametrize("count", [0, 1, 300])
def test_directories_of_any_length_are_laid_out(count: int) -> None:
    files = [IsoFile(path=f"EFI/F{number:07}.V00", size_bytes=number * 1000) for number in range(count)]
    layout = lay_out(*files)

    assert [(entry.path, entry.size_bytes) for entry in layout.entries] == [(f.path, f.size_bytes) for f in files]
    taken = sorted((e.offset, e.size_bytes) for e in layout.entries if e.size_bytes)
    assert all(start + size <= following for (start, size), (following, _) in itertools.pairwise(taken))
    assert len(written(layout)) == layout.total_bytes


@pytest.mark.parametrize(
    ("path", "legal"),
    [
        pytest.param("EFI/BOOT/BOOTX64.EFI", True, id="file in folders"),
        pytest.param("README", True, id="no extension"),
        pytest.param("A/B/C/D/E/F/G.TXT", True, id="seven parts"),
        pytest.param("A/B/C/D/E/F/G/H.TXT", False, id="eight parts"),
        pytest.param("boot.cfg", False, id="lower case"),
        pytest.param("BOOT.CFG;1", False, id="version"),
        pytest.param("NINECHARS.TXT", False, id="name of nine"),
        pytest.param("A.JSON", False, id="extension of four"),
        pytest.param("BOOTX64..B00", False, id="two dots"),
        pytest.param("A.", False, id="empty extension"),
        pytest.param(".CFG", False, id="empty name"),
        pytest.param("A.B/C", False, id="dot in a folder"),
        pytest.param("/A", False, id="absolute"),
        pytest.param("A//B", False, id="empty part"),
        pytest.param("../A", False, id="climbing"),
        pytest.param("A-B.TXT", False, id="hyphen"),
        pytest.param("Ä.TXT", False, id="not ASCII"),
        pytest.param("A.TXT\n", False, id="line end"),
        pytest.param("", False, id="empty"),
    ],
)
def test_legal_paths_are_those_that_can_be_laid_out(path: str, *, legal: bool) -> None:
    assert is_legal_iso_path(path) is legal
    if legal:
        assert list(lay_out(IsoFile(path=path, content=b"x")).offsets) == [path]
    else:
        with pytest.raises(ModelError, match="name cannot stand"):
            lay_out(IsoFile(path=path, content=b"x"))


TWICE = IsoFile(path="A", content=b"a")
REFUSED_FILES = [
    pytest.param((TWICE, TWICE), {}, "two files have the same name", id="same name"),
    pytest.param((TWICE, IsoFile(path="A/B", content=b"")), {}, "both a file and a folder", id="file and folder"),
    pytest.param((IsoFile(path="A", size_bytes=-1),), {}, "size of a file is wrong", id="negative size"),
    pytest.param((IsoFile(path="A", content=b"a", size_bytes=2),), {}, "size of a file is wrong", id="other size"),
    pytest.param((IsoFile(path="A", size_bytes=2**43),), {}, "larger than any disc", id="too large"),
    pytest.param((TWICE,), {"volume_id": "X" * 33}, "volume id", id="label too long"),
    pytest.param((TWICE,), {"volume_id": ""}, "volume id", id="label empty"),
    pytest.param((TWICE,), {"volume_id": "lower"}, "volume id", id="label lower"),
    pytest.param((TWICE,), {"bios_boot": "B"}, "boot file", id="boot file missing"),
    pytest.param((TWICE,), {"bios_boot": "A"}, "boot file", id="boot file too short"),
    pytest.param((IsoFile(path="A", size_bytes=9),), {"efi_boot": "A"}, "boot file", id="boot file not given"),
    pytest.param((TWICE, IsoFile(path="BOOT.CAT", content=b"")), {"efi_boot": "A"}, "catalog", id="catalog taken"),
    pytest.param((TWICE,), {"timestamp": dt.datetime(2023, 1, 1)}, "time zone", id="naive"),  # noqa: DTZ001
    pytest.param((TWICE,), {"timestamp": dt.datetime(1899, 1, 1, tzinfo=dt.UTC)}, "date cannot", id="too early"),
    pytest.param((TWICE,), {"timestamp": dt.datetime(2156, 1, 1, tzinfo=dt.UTC)}, "date cannot", id="too late"),
]


@pytest.mark.parametrize(("files", "changes", "message"), REFUSED_FILES)
def test_impossible_discs_are_refused(files: tuple[IsoFile, ...], changes: dict[str, object], message: str) -> None:
    with pytest.raises(ModelError, match=message):
        lay_out(*files, **changes)


def test_a_file_without_content_needs_a_size() -> None:
    with pytest.raises(ModelError, match="needs a size"):
        IsoFile(path="A")


def test_a_renderer_that_behaves_differently_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """If a release of pycdlib laid discs out wrongly, no disc would come of it."""
    monkeypatch.setattr(iso9660, "_pycdlib_path", lambda _path: "/OTHER.;1")

    with pytest.raises(ExportError, match="not the disc asked for"):
        lay_out(TWICE)


def test_what_pycdlib_refuses_is_our_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(iso9660, "_pycdlib_path", lambda _path: "no slash")

    with pytest.raises(ExportError, match="cannot be laid out"):
        lay_out(TWICE)


def test_rendered_bytes_that_are_no_disc_are_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(iso9660, "_rendered_metadata", lambda *_args, **_options: bytearray(40 * 2048))

    with pytest.raises(ExportError, match="not the disc asked for"):
        lay_out(TWICE)


# Second opinions


def test_isoinfo_sees_the_same_disc(disc: Path) -> None:
    isoinfo = tool("isoinfo")
    description = run(isoinfo, "-d", "-i", disc).decode()
    listing = run(isoinfo, "-f", "-i", disc).decode().split()

    assert f"Volume id: {LABEL}" in description
    assert "NO Joliet present" in description
    assert "NO Rock Ridge present" in description
    assert "Eltorito validation header" in description
    # isoinfo prints a file without extension with its dot, as the disc has it
    shown = {line.removeprefix("/").removesuffix(";1").removesuffix(".") for line in listing if ";1" in line}
    assert shown == set(bootable().offsets)
    for path, content in expected_content().items():
        stored = path if "." in path else f"{path}."
        assert run(isoinfo, "-x", f"/{stored};1", "-i", disc) == content, path


def test_xorriso_sees_the_same_boot_entries_and_bytes(disc: Path, tmp_path: Path) -> None:
    xorriso = tool("xorriso")
    lines = run(xorriso, "-indev", disc, "-report_el_torito", "plain").decode().splitlines()
    report = {" ".join(line.split()) for line in lines}
    blocks = {path: offset // 2048 for path, offset in bootable().offsets.items()}
    out = tmp_path / "out"
    run(xorriso, "-osirrox", "on", "-indev", disc, "-extract", "/", out)
    extracted = {str(p.relative_to(out)): p.read_bytes() for p in out.rglob("*") if p.is_file()}

    assert {
        f"El Torito boot img : 1 BIOS y none 0x0000 0x00 4 {blocks['ISOLINUX.BIN']}",
        f"El Torito boot img : 2 UEFI y none 0x0000 0x00 2048 {blocks['EFIBOOT.IMG']}",
        "El Torito cat path : /BOOT.CAT",
        "El Torito img path : 1 /ISOLINUX.BIN",
        "El Torito img opts : 1 boot-info-table",
        "El Torito img path : 2 /EFIBOOT.IMG",
    } <= report
    assert {path: data for path, data in extracted.items() if path != "BOOT.CAT"} == expected_content()


@pytest.mark.parametrize("command", [("bsdtar", "-tf"), ("7z", "l", "-slt", "-ba")], ids=["bsdtar", "7z"])
def test_archivers_list_the_same_files(disc: Path, command: tuple[str, ...]) -> None:
    name, *options = command
    output = run(tool(name), *options, disc).decode()
    lines = re.findall(r"(?m)^Path = (.*)$", output) if name == "7z" else output.splitlines()

    names = {line.strip().replace("\\", "/").removesuffix(".") for line in lines}

    assert set(bootable().offsets) <= names


def test_a_file_above_4_gib_is_one_file_for_isoinfo(tmp_path: Path) -> None:
    isoinfo = tool("isoinfo")
    layout = lay_out(IsoFile(path="BIG.V00", size_bytes=2**32 + 1), IsoFile(path="Z.CFG", content=b"after"))
    path = tmp_path / "big.iso"
    with path.open("w+b") as target:
        layout.write_skeleton(target)

    listing = run(isoinfo, "-l", "-i", path).decode()

    assert [int(size) for size in re.findall(r"(\d+) Mar 30 2023 .* BIG.V00", listing)] == [0xFFFFF800, 2049]
    assert run(isoinfo, "-x", "/Z.CFG;1", "-i", path) == b"after"


@pytest.mark.parametrize(
    ("command", "has_long_names"),
    [
        pytest.param(("genisoimage", "-relaxed-filenames", "-J", "-R"), True, id="genisoimage, long names"),
        pytest.param(("genisoimage",), False, id="genisoimage, plain"),
        pytest.param(("xorriso", "-as", "mkisofs", "-J", "-R"), True, id="xorriso, long names"),
    ],
)
def test_rebuilt_discs_are_read(tmp_path: Path, command: tuple[str, ...], *, has_long_names: bool) -> None:
    """The documented rebuild command makes discs that we read, under their ISO 9660 names."""
    tree = tmp_path / "tree"
    for path, content in expected_content().items():
        target = tree / path.lower()
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
    output = tmp_path / "rebuilt.iso"
    boot = "-b isolinux.bin -c boot.cat -no-emul-boot -boot-load-size 4 -boot-info-table"
    more = "-eltorito-alt-boot -e efiboot.img -no-emul-boot"
    options = ["-quiet", "-V", "REBUILT", "-o", str(output), *boot.split(), *more.split()]
    run(tool(command[0]), *command[1:], *options, tree)

    with open_iso(output, where="rebuilt.iso", limits=LIMITS) as reader:
        contents = {path: reader.read(path, max_bytes=2**21) for path in reader.files if path != "BOOT.CAT"}
        image = with_boot_info_table(BIOS_IMAGE, offset=reader.files["ISOLINUX.BIN"].offset)

        assert contents == expected_content() | {"ISOLINUX.BIN": image}
        assert reader.volume_id == "REBUILT"
        assert (reader.has_joliet, reader.has_rock_ridge) == (has_long_names, has_long_names)
        assert [(e.platform, e.load_sectors, e.path) for e in reader.boot_entries] == [
            ("bios", 4, "ISOLINUX.BIN"),
            ("efi", 2048, "EFIBOOT.IMG"),
        ]


def test_paths_longer_than_the_limit_are_refused(tmp_path: Path) -> None:
    folder = tmp_path / "tree"
    for _ in range(40):
        folder /= "F" * 30
    folder.mkdir(parents=True)
    run(tool("genisoimage"), "-quiet", "-l", "-D", "-o", tmp_path / "deep.iso", tmp_path / "tree")

    with pytest.raises(LimitExceededError, match="longer than the limit"):
        open_iso(tmp_path / "deep.iso", where="deep.iso", limits=LIMITS)


# Reading


def test_streams_are_bounded_seekable_and_independent(disc: Path) -> None:
    with (
        open_iso(disc, where="d.iso", limits=LIMITS) as reader,
        reader.open("s.v00") as first,
        reader.open("S.V00") as second,
    ):
        assert first.read(3) + second.read(3) == PAYLOAD[:3] * 2
        assert first.seek(-2, os.SEEK_CUR) == 1
        assert first.read() == PAYLOAD[1:]
        assert second.seek(len(PAYLOAD) + 5) == len(PAYLOAD) + 5
        assert second.read() == b""
        assert (first.readable(), first.seekable(), first.writable()) == (True, True, False)


def test_files_may_be_read_from_several_threads(disc: Path) -> None:
    digests: list[str] = []
    with open_iso(disc, where="d.iso", limits=LIMITS) as reader:

        def work() -> None:
            for _ in range(20):
                with reader.open("S.V00") as stream:
                    digests.append(sha256_hex(stream.read()))

        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    assert digests == [sha256_hex(PAYLOAD)] * 80


def test_a_missing_file_is_answered_with_near_ones(disc: Path) -> None:
    with open_iso(disc, where="d.iso", limits=LIMITS) as reader:
        with pytest.raises(NotInDepotError) as caught:
            reader.open("ISOLINUX.BIM")
        with pytest.raises(LimitExceededError, match="larger than the limit"):
            reader.read("S.V00", max_bytes=len(PAYLOAD) - 1)

    assert caught.value.hint == "ISOLINUX.BIN"


def test_a_path_that_cannot_be_opened_is_our_error(tmp_path: Path) -> None:
    with pytest.raises(SourceUnreadableError):
        open_iso(tmp_path / "missing.iso", where="missing.iso", limits=LIMITS)


def test_a_source_that_fails_while_it_is_read_is_our_error() -> None:
    class Failing(io.BytesIO):
        def read(self, _size: int | None = -1, /) -> bytes:
            raise OSError(5, "Input/output error")

    with pytest.raises(SourceUnreadableError, match="cannot be read"):
        open_iso(Failing(DISC), where="d.iso", limits=LIMITS)


def test_a_source_that_shrinks_is_our_error(disc: Path) -> None:
    with open_iso(disc, where="d.iso", limits=LIMITS) as reader:
        os.truncate(disc, 40 * 2048)
        with pytest.raises(MalformedDocumentError, match="ended while it was read"), reader.open("S.V00") as stream:
            stream.read()


PRIMARY = 16 * 2048
ROOT = int.from_bytes(SMALL_DISC[PRIMARY + 158 : PRIMARY + 162], "little") * 2048


def position_of(name: bytes) -> int:
    """Return the start of the directory record with this file identifier."""
    return SMALL_DISC.index(bytes((len(name),)) + name, ROOT) - 32


CATALOG = int.from_bytes(SMALL_DISC[17 * 2048 + 71 : 17 * 2048 + 75], "little") * 2048
FILE = position_of(b"B.TXT;1")
FOLDER = position_of(b"A")
OTHER = position_of(b"BOOT.BIN;1")
ROOT_BLOCK = (ROOT // 2048).to_bytes(4, "little")

DAMAGED = [
    pytest.param(PRIMARY + 1, b"XX001", MalformedDocumentError, "not an ISO 9660 disc", id="no disc"),
    pytest.param(PRIMARY, b"\x02", MalformedDocumentError, "no primary", id="no primary descriptor"),
    pytest.param(PRIMARY + 128, b"\x00\x02", MalformedDocumentError, "block size", id="blocks of 512"),
    pytest.param(PRIMARY + 158, b"\xff\xff\xff\xff", MalformedDocumentError, "cut short", id="root outside"),
    pytest.param(FOLDER + 2, ROOT_BLOCK, MalformedDocumentError, "stands twice", id="folder in itself"),
    pytest.param(FOLDER + 10, b"\x64\0", MalformedDocumentError, "crosses a sector", id="record too long"),
    pytest.param(FILE, b"\x10", MalformedDocumentError, "record is cut short", id="record too short"),
    pytest.param(FILE + 32, b"\x00", MalformedDocumentError, "impossible name", id="no name"),
    pytest.param(FILE + 32, b"\x20", MalformedDocumentError, "impossible name", id="name too long"),
    pytest.param(FILE + 26, b"\x01", MalformedDocumentError, "interleaved", id="interleaved"),
    pytest.param(FILE + 25, b"\x80", MalformedDocumentError, "last extent", id="last extent missing"),
    pytest.param(OTHER + 25, b"\x80", MalformedDocumentError, "not in one piece|last extent", id="extents of two"),
    pytest.param(FILE + 10, b"\xff\xff\xff\xff", MalformedDocumentError, "behind its end", id="file too long"),
    pytest.param(FILE + 33, b"../TXT", UnsafeArchiveError, "not safe", id="name that climbs"),
    pytest.param(FILE + 33, b"B\x00TXT", UnsafeArchiveError, "not safe", id="name with NUL"),
    pytest.param(FILE + 33, b"C:TXT", UnsafeArchiveError, "not safe", id="name with colon"),
    pytest.param(FILE + 33, b"\\.TXT", UnsafeArchiveError, "not safe", id="name with backslash"),
    pytest.param(OTHER + 33, b"BOOT.CAT", UnsafeArchiveError, "same name", id="same name"),
    pytest.param(CATALOG, b"\x02", MalformedDocumentError, "catalog is damaged", id="no validation entry"),
    pytest.param(CATALOG + 5, b"\x02", MalformedDocumentError, "catalog is damaged", id="validation sum"),
    pytest.param(CATALOG + 32, b"\x77", MalformedDocumentError, "entry of the boot catalog", id="boot indicator"),
    pytest.param(CATALOG + 40, b"\xff\xff\xff\xff", MalformedDocumentError, "entry of the", id="image outside"),
    pytest.param(CATALOG + 66, b"\xff\xff", MalformedDocumentError, "catalog", id="too many entries"),
    pytest.param(17 * 2048 + 71, b"\xff\xff\xff\xff", MalformedDocumentError, "cut short", id="catalog outside"),
]


@pytest.mark.parametrize(("position", "change", "error", "message"), DAMAGED)
def test_damage_is_named(position: int, change: bytes, error: type[EsxImageError], message: str) -> None:
    damaged = bytearray(SMALL_DISC)
    damaged[position : position + len(change)] = change

    with pytest.raises(error, match=message) as caught:
        open_iso(io.BytesIO(damaged), where="bad.iso", limits=LIMITS)

    assert caught.value.where == "bad.iso"


@pytest.mark.parametrize("length", [0, 1, PRIMARY, PRIMARY + 2047, 18 * 2048, ROOT, len(DISC) - 500_000])
def test_a_disc_cut_short_is_refused(length: int) -> None:
    with pytest.raises(MalformedDocumentError, match="cut short"):
        open_iso(io.BytesIO(DISC[:length]), where="cut.iso", limits=LIMITS)


def test_descriptors_without_end_are_refused() -> None:
    endless = DISC[:PRIMARY] + DISC[PRIMARY : PRIMARY + 2048] * 100

    with pytest.raises(MalformedDocumentError, match="no end"):
        open_iso(io.BytesIO(endless), where="d.iso", limits=LIMITS)


@pytest.mark.parametrize(
    ("limits", "hint"),
    [
        pytest.param(attrs.evolve(LIMITS, member_count=5), "member_count", id="records"),
        pytest.param(attrs.evolve(LIMITS, metadata_bytes=2048), "metadata_bytes", id="directories"),
    ],
)
def test_limits_hold(limits: ReadLimits, hint: str) -> None:
    with pytest.raises(LimitExceededError) as caught:
        open_iso(io.BytesIO(DISC), where="d.iso", limits=limits)

    assert hint in caught.value.hint


def test_an_entry_that_is_switched_off_is_shown_so() -> None:
    changed = bytearray(SMALL_DISC)
    changed[CATALOG + 32] = 0
    changed[CATALOG + 33] = 2  # emulates a floppy
    changed[CATALOG + 65] = 2  # the section is for Mac

    with open_iso(io.BytesIO(changed), where="d.iso", limits=LIMITS) as reader:
        shown = [(e.platform, e.is_default, e.is_bootable, e.is_emulated) for e in reader.boot_entries]

    assert shown == [("bios", True, False, True), ("other", False, True, False)]


def test_extensions_of_boot_entries_are_passed_over() -> None:
    changed = bytearray(SMALL_DISC)
    changed[CATALOG + 128 : CATALOG + 160] = changed[CATALOG + 96 : CATALOG + 128]
    changed[CATALOG + 96 : CATALOG + 128] = b"\x44".ljust(32, b"\x00")

    with open_iso(io.BytesIO(changed), where="d.iso", limits=LIMITS) as reader:
        assert [entry.platform for entry in reader.boot_entries] == ["bios", "efi"]


def test_a_catalog_filled_to_its_end_is_read() -> None:
    changed = bytearray(SMALL_DISC)
    changed[CATALOG + 66] = 61
    changed[CATALOG + 96 : CATALOG + 2048] = changed[CATALOG + 96 : CATALOG + 128] * 61

    with open_iso(io.BytesIO(changed), where="d.iso", limits=LIMITS) as reader:
        assert len(reader.boot_entries) == 62


def mutations() -> st.SearchStrategy[list[tuple[int, int]]]:
    """Strike where structure is: descriptors, tables, directories, catalog."""
    return st.lists(st.tuples(st.integers(PRIMARY, CATALOG + 200), st.integers(0, 255)), min_size=1, max_size=12)


def read_everything(data: bytes) -> None:
    try:
        with open_iso(io.BytesIO(data), where="fuzz.iso", limits=LIMITS) as reader:
            for path in reader.files:
                reader.read(path, max_bytes=2**24)
    except EsxImageError:
        return


@settings(max_examples=300, deadline=None)
@given(mutations())
def test_mutated_discs_raise_only_our_errors(changes: list[tuple[int, int]]) -> None:
    data = bytearray(SMALL_DISC)
    for position, value in changes:
        data[position] = value
    read_everything(bytes(data))


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(st.sampled_from([ROOT, CATALOG, FOLDER, FILE]), st.integers(0, 80), st.integers(0, 255))))
def test_mutated_records_raise_only_our_errors(changes: list[tuple[int, int, int]]) -> None:
    data = bytearray(SMALL_DISC)
    for start, offset, value in changes:
        data[start + offset] = value
    read_everything(bytes(data))


@given(st.binary(max_size=300))
def test_arbitrary_bytes_raise_only_our_errors(data: bytes) -> None:
    """With and without a descriptor's head in front of them."""
    read_everything(data)
    read_everything(bytes(PRIMARY) + (b"\x01CD001\x01" + data).ljust(2048, b"\x00") + b"\xffCD001".ljust(2048, b"\x00"))


@settings(max_examples=30, deadline=None)
@given(
    st.dictionaries(
        st.from_regex(r"(D[A-Z0-9_]{0,7}/){0,3}F[A-Z0-9_]{0,7}(\.[A-Z0-9_]{1,3})?", fullmatch=True),
        st.binary(max_size=3000),
        max_size=20,
    )
)
def test_any_legal_tree_survives_writing_and_reading(tree: dict[str, bytes]) -> None:
    layout = lay_out(*(IsoFile(path=path, content=content) for path, content in tree.items()))

    with open_iso(io.BytesIO(written(layout)), where="d.iso", limits=LIMITS) as reader:
        assert {path: reader.read(path, max_bytes=3000) for path in reader.files} == tree
