"""vmtar: entries wherever their data lies, with the checksums that real builds wrote."""

from __future__ import annotations

import contextlib
import io
import os
import struct
import tarfile
import zipfile
from pathlib import Path
from typing import Any, BinaryIO, cast

import pytest
from hypothesis import given, settings, strategies as st

from esximage_builder.containers.ar import read_ar_index
from esximage_builder.containers.gzip import gunzip_stream
from esximage_builder.containers.vmtar import (
    EntryKind,
    TarKind,
    VmtarEntry,
    detect_tar_kind,
    parse_vmtar,
    read_vmtar,
    render_vmtar,
)
from esximage_builder.errors import EsxImageError, LimitExceededError, MalformedDocumentError, ModelError
from esximage_builder.limits import ReadLimits

LIMITS = ReadLimits()
WHERE = "x.vib!payload1"
FILES = {"etc/vmware/a.xml": b"<a/>", "etc/empty": b"", "bin/big": b"B" * 5000}


class OneWay(io.RawIOBase):
    """A source that cannot seek and gives few bytes at a time."""

    def __init__(self, data: bytes) -> None:
        self._rest = data

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1, /) -> bytes:
        size = min(1000, len(self._rest) if size < 0 else size)
        data, self._rest = self._rest[:size], self._rest[size:]
        return data


def contents(data: bytes, entries: tuple[VmtarEntry, ...]) -> dict[str, bytes]:
    return {
        entry.name: data[entry.offset : entry.offset + entry.size_bytes]
        for entry in entries
        if entry.kind is EntryKind.FILE
    }


def header(
    name: bytes = b"a",
    *,
    size: bytes = b"00000000000",
    offset: int = 0,
    type_flag: bytes = b"0",
    magic: bytes = b"visor  \0",
    prefix: bytes = b"",
    mode: bytes = b"0000644",
    checksum_error: int = 0,
) -> bytes:
    """Build a header from scratch, sharing nothing with the code under test."""
    block = bytearray(512)
    for at, field in ((0, name), (100, mode), (124, size), (136, b"00000000007"), (156, type_flag)):
        block[at : at + len(field)] = field
    block[257 : 257 + len(magic)] = magic
    block[345 : 345 + len(prefix)] = prefix
    if offset:
        block[496:500] = struct.pack("<I", offset)
    block[148:156] = b"        "
    block[148:156] = b"%06o\0 " % (sum(block) + checksum_error)
    return bytes(block)


def python_tar(tar_format: int, **options: Any) -> bytes:
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w", format=tar_format, **options) as archive:
        folder = tarfile.TarInfo("etc")
        folder.type = tarfile.DIRTYPE
        archive.addfile(folder)
        for name in ("etc/f", "long/" + "n" * 200):
            member = tarfile.TarInfo(name)
            member.size = 3
            archive.addfile(member, io.BytesIO(b"xyz"))
        link = tarfile.TarInfo("etc/l")
        link.type = tarfile.SYMTYPE
        link.linkname = "f"
        archive.addfile(link)
    return target.getvalue()


@pytest.mark.parametrize("alignment", [512, 4096])
def test_what_is_written_is_read_back(alignment: int) -> None:
    data = render_vmtar(FILES, alignment=alignment, mtime=1_700_000_000, mode=0o755)

    entries = parse_vmtar(data, where=WHERE)

    assert contents(data, entries) == FILES
    assert {(entry.mode, entry.mtime, entry.tar_kind) for entry in entries} == {(0o755, 1_700_000_000, TarKind.VISOR)}
    assert [entry.offset % alignment for entry in entries] == [0, 0, 0]
    assert entries == read_vmtar(cast("BinaryIO", OneWay(data)), where=WHERE, limits=LIMITS)


def test_a_written_header_is_laid_out_as_vibauthor_does_it() -> None:
    data = render_vmtar([("etc/a", b"x")], mtime=7)

    assert data[:5] + data[257:264] == b"etc/avisor  "
    assert data[100:156].replace(b"\0", b".") == b"0000644.0000000.0000000.00000000001.00000000007.010441. "
    assert data[265:269] + data[297:301] == b"rootroot"
    assert struct.unpack("<4I", data[496:512]) == (1024, 0, 0, 0)
    assert data[512:] == bytes(512) + b"x"


def test_the_written_checksum_satisfies_python() -> None:
    data = render_vmtar([("etc/a", b"x")])

    assert tarfile.TarInfo.frombuf(data[:512], "utf-8", "strict").name == "etc/a"


def test_folders_are_written_once_and_only_on_request() -> None:
    entries = parse_vmtar(render_vmtar(FILES, with_folders=True), where=WHERE)

    assert [(entry.name, entry.kind) for entry in entries] == [
        ("etc", EntryKind.FOLDER),
        ("etc/vmware", EntryKind.FOLDER),
        ("etc/vmware/a.xml", EntryKind.FILE),
        ("etc/empty", EntryKind.FILE),
        ("bin", EntryKind.FOLDER),
        ("bin/big", EntryKind.FILE),
    ]
    assert {entry.mode for entry in entries if entry.kind is EntryKind.FOLDER} == {0o755}


def test_no_files_make_an_archive_without_entries() -> None:
    assert render_vmtar({}) == bytes(512)
    assert parse_vmtar(bytes(512), where=WHERE) == ()
    assert parse_vmtar(b"", where=WHERE) == ()


@pytest.mark.parametrize(
    ("files", "options", "message"),
    [
        pytest.param({"a": b""}, {"alignment": 100}, "alignment", id="odd-alignment"),
        pytest.param({"a": b""}, {"alignment": 0}, "alignment", id="no-alignment"),
        pytest.param({"a": b""}, {"mtime": -1}, "date or mode", id="date"),
        pytest.param({"a": b""}, {"mode": 0o10000}, "date or mode", id="mode"),
        pytest.param({"/a": b""}, {}, "this name", id="absolute"),
        pytest.param({"../a": b""}, {}, "this name", id="dots"),
        pytest.param({"a\udc80": b""}, {}, "this name", id="surrogate"),
        pytest.param({"\N{SNOWMAN}" * 34: b""}, {}, "this name", id="too-long"),
        pytest.param([("a", b""), ("a", b"")], {}, "one name", id="twice"),
    ],
)
def test_what_does_not_fit_is_not_written(files: Any, options: dict[str, int], message: str) -> None:
    with pytest.raises(ModelError, match=message):
        render_vmtar(files, **options)  # type: ignore[arg-type]


def test_offsets_beyond_four_gigabytes_are_not_written(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("esximage_builder.containers.vmtar._LARGEST_OFFSET", 2000)

    with pytest.raises(ModelError, match="cannot hold that much"):
        render_vmtar({"a": bytes(1000), "b": b"x"})


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        pytest.param(header(size=b"3", offset=1024) + bytes(512) + b"xyz", ("a", "file", 3, 1024), id="data-at-offset"),
        pytest.param(header(size=b"3") + b"xyz", ("a", "file", 3, 512), id="offset-0-means-inline"),
        pytest.param(header(size=b"3", offset=512) + b"xyz", ("a", "file", 3, 512), id="offset-names-inline-data"),
        pytest.param(header(type_flag=b"7"), ("a", "file", 0, 0), id="type-7"),
        pytest.param(header(type_flag=b"\0"), ("a", "file", 0, 0), id="type-nul"),
        pytest.param(header(b"etc/", type_flag=b"5"), ("etc", "folder", 0, 0), id="folder"),
        pytest.param(header(b"etc/", type_flag=b"5", size=b"7"), ("etc", "folder", 0, 0), id="folder-of-a-size"),
        pytest.param(header(type_flag=b"2"), ("a", "link", 0, 0), id="symlink"),
        pytest.param(header(type_flag=b"3"), ("a", "other", 0, 0), id="device"),
        pytest.param(header(checksum_error=-256), ("a", "file", 0, 0), id="checksum-field-summed-as-nuls"),
        pytest.param(header(b"n" * 100), ("n" * 100, "file", 0, 0), id="name-fills-its-field"),
        pytest.param(header(prefix=b"dir"), ("dir/a", "file", 0, 0), id="prefix"),
        pytest.param(header(b"\xff"), ("\\xff", "file", 0, 0), id="name-no-utf-8"),
        pytest.param(header(size=b"  3 \0", offset=1024) + bytes(600), ("a", "file", 3, 1024), id="blanks-in-numbers"),
        pytest.param(
            header(size=b"\x80" + bytes(9) + b"\2\1", offset=512) + bytes(513), ("a", "file", 513, 512), id="base-256"
        ),
        pytest.param(
            header(b"L", type_flag=b"L", size=b"151") + b"n" * 105 + bytes(407) + header(b"n"),
            ("n" * 105, "file", 0, 0),
            id="gnu-long-name",
        ),
    ],
)
def test_what_real_builds_and_their_cousins_write_is_read(data: bytes, expected: tuple[str, str, int, int]) -> None:
    (entry,) = parse_vmtar(data, where=WHERE)

    assert (entry.name, entry.kind.value, entry.size_bytes, entry.offset) == expected


def test_inline_data_may_be_followed_by_more_headers() -> None:
    data = header(size=b"3") + b"xyz" + bytes(509) + header(b"b", size=b"1", offset=2048) + bytes(512) + b"q"

    assert contents(data, parse_vmtar(data, where=WHERE)) == {"a": b"xyz", "b": b"q"}


@pytest.mark.parametrize(
    ("tar_format", "options", "kind"),
    [
        pytest.param(tarfile.GNU_FORMAT, {}, TarKind.GNU, id="gnu"),
        pytest.param(tarfile.PAX_FORMAT, {"pax_headers": {"comment": "global"}}, TarKind.POSIX, id="pax"),
    ],
)
def test_other_tars_are_read_and_named(tar_format: int, options: dict[str, Any], kind: TarKind) -> None:
    data = python_tar(tar_format, **options)

    entries = parse_vmtar(data, where=WHERE)

    assert detect_tar_kind(data) is kind
    assert {entry.tar_kind for entry in entries} == {kind}
    assert contents(data, entries) == {"etc/f": b"xyz", "long/" + "n" * 200: b"xyz"}
    assert [entry.kind.value for entry in entries] == ["folder", "file", "file", "link"]


@pytest.mark.parametrize(
    ("block", "kind"),
    [
        pytest.param(header(), TarKind.VISOR, id="visor"),
        pytest.param(header(magic=b"ustar  \0"), TarKind.GNU, id="gnu"),
        pytest.param(header(magic=b"ustar\00000"), TarKind.POSIX, id="posix"),
        pytest.param(bytes(512), None, id="zeros"),
        pytest.param(b"visor", None, id="short"),
    ],
)
def test_the_kind_shows_in_the_first_block(block: bytes, kind: TarKind | None) -> None:
    assert detect_tar_kind(block) is kind


@pytest.mark.parametrize(
    ("data", "message", "where"),
    [
        pytest.param(b"x" * 512, "no vmtar or tar header", f"{WHERE}, byte 512", id="no-magic"),
        pytest.param(header()[:300], "no vmtar or tar header", f"{WHERE}, byte 300", id="half-a-header"),
        pytest.param(header(checksum_error=1), "checksum of a header", f"{WHERE}, byte 512", id="checksum"),
        pytest.param(header(size=b"9"), "size in a header", f"{WHERE}, byte 512", id="size-not-octal"),
        pytest.param(header(mode=b"rwx"), "mode in a header", f"{WHERE}, byte 512", id="mode-not-octal"),
        pytest.param(header(size=b"4", offset=1024) + bytes(515), "beyond the end", f"{WHERE}!a", id="data-cut"),
        pytest.param(header(size=b"4") + b"xyz", "beyond the end", f"{WHERE}!a", id="inline-data-cut"),
        pytest.param(header(size=b"1", offset=2**32 - 1), "beyond the end", f"{WHERE}!a", id="offset-far-away"),
        pytest.param(header(type_flag=b"L", size=b"777777"), "too long", f"{WHERE}, byte 512", id="endless-name"),
        pytest.param(header(type_flag=b"L", size=b"7") + b"x", "cut short", f"{WHERE}, byte 513", id="long-name-cut"),
    ],
)
def test_damage_is_refused(data: bytes, message: str, where: str) -> None:
    with pytest.raises(MalformedDocumentError) as caught:
        parse_vmtar(data, where=WHERE)

    assert message in caught.value.message
    assert caught.value.where == where


@pytest.mark.parametrize(
    "limits",
    [
        pytest.param(ReadLimits(payload_bytes=3000), id="bytes"),
        pytest.param(ReadLimits(member_count=2), id="entries"),
    ],
)
def test_limits_hold(limits: ReadLimits) -> None:
    with pytest.raises(LimitExceededError, match="than the limit"):
        parse_vmtar(render_vmtar(FILES), where=WHERE, limits=limits)


PARTS = st.text(st.characters(categories=("L", "N")), min_size=1, max_size=8)
NAMES = st.lists(PARTS, min_size=1, max_size=3).map("/".join).filter(lambda name: len(name.encode()) <= 100)


@settings(max_examples=60)
@given(st.dictionaries(NAMES, st.binary(max_size=1100), max_size=5), st.booleans(), st.sampled_from([512, 4096]))
def test_any_files_survive(files: dict[str, bytes], with_folders: bool, alignment: int) -> None:  # noqa: FBT001
    data = render_vmtar(files, with_folders=with_folders, alignment=alignment)

    assert contents(data, parse_vmtar(data, where=WHERE)) == files


BASES = [render_vmtar(FILES, with_folders=True), python_tar(tarfile.GNU_FORMAT), python_tar(tarfile.PAX_FORMAT)]


@settings(max_examples=300)
@given(st.data())
def test_mutated_archives_raise_only_our_errors(data: st.DataObject) -> None:
    mutated = bytearray(data.draw(st.sampled_from(BASES)))
    start = 512 * data.draw(st.integers(0, 5))
    for _ in range(data.draw(st.integers(1, 3))):
        mutated[start + data.draw(st.integers(0, 511))] = data.draw(st.integers(0, 255))
    mutated[start + 148 : start + 156] = b" " * 8
    mutated[start + 148 : start + 156] = b"%06o\0 " % sum(mutated[start : start + 512])
    with contextlib.suppress(EsxImageError):
        for entry in parse_vmtar(bytes(mutated[: data.draw(st.integers(0, len(mutated)))]), where=WHERE):
            assert entry.offset + entry.size_bytes <= len(mutated)
            entry.name.encode()


@given(st.binary(max_size=600))
def test_arbitrary_bytes_raise_only_our_errors(data: bytes) -> None:
    with contextlib.suppress(EsxImageError):
        parse_vmtar(data, where=WHERE)


def real_vibs() -> list[tuple[str, bytes]]:
    root = os.environ.get("ESXIMAGE_REALDATA")
    if not root:
        pytest.skip("ESXIMAGE_REALDATA is not set: no real VIBs at hand")
    found = [(path.name, path.read_bytes()) for path in sorted(Path(root, "vibs").rglob("*.vib"))]
    for path in sorted(Path(root, "bundles").rglob("*.zip")):
        with zipfile.ZipFile(path) as bundle:
            found += [(path.name, bundle.read(name)) for name in bundle.namelist() if name.endswith(".vib")]
    return found


def test_real_payloads_hold_exactly_the_files_that_their_descriptor_lists() -> None:
    vibs = real_vibs()
    kinds = set()

    for name, vib in vibs:
        descriptor, _, payload = read_ar_index(io.BytesIO(vib), where=name, limits=LIMITS)
        text = vib[descriptor.offset : descriptor.offset + descriptor.size_bytes].decode()
        listed = {part.split("</file>")[0] for part in text.split("<file>")[1:]}
        packed = io.BytesIO(vib[payload.offset : payload.offset + payload.size_bytes])
        stream = gunzip_stream(packed, where=name, max_bytes=LIMITS.payload_bytes)
        entries = read_vmtar(stream, where=name, limits=LIMITS)
        assert {entry.name for entry in entries if entry.kind is EntryKind.FILE} == listed, name
        kinds |= {entry.tar_kind for entry in entries}

    assert kinds == {TarKind.VISOR, TarKind.GNU}
