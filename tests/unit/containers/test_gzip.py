"""gzip and .tgz: stored bytes that no zlib shows in, and reading that trusts nothing."""

from __future__ import annotations

import contextlib
import gzip as standard_gzip
import hashlib
import io
import itertools
import os
import shutil
import subprocess
import tarfile
import zlib
from pathlib import Path
from typing import Any, BinaryIO, cast

import pytest
from hypothesis import given, settings, strategies as st

from esximage_builder.checksums import Checksum, sha256_hex
from esximage_builder.containers.gzip import (
    DeflatedGzipWriter,
    StoredGzipWriter,
    gunzip_blocks,
    gunzip_stream,
    stored_gzip,
)
from esximage_builder.containers.tar_gz import TarGzReader, TarGzWriter, TarMember, read_tgz, render_tgz
from esximage_builder.errors import (
    ChecksumMismatchError,
    EsxImageError,
    LimitExceededError,
    MalformedDocumentError,
    ModelError,
    UnsafeArchiveError,
)
from esximage_builder.limits import ReadBudget, ReadLimits
from esximage_builder.streams.hashing import COPY_BLOCK_BYTES

LIMITS = ReadLimits()
WHERE = "imgdb.tgz"
NOISE = hashlib.shake_128(b"noise").digest(200_000)
FILES = [("var/db/esximg/vibs/a.xml", b"<vib/>"), ("var/db/esximg/profiles/p", b""), ("x", NOISE)]


class OneWay(io.RawIOBase):
    """A source that cannot seek and gives few bytes at a time."""

    def __init__(self, data: bytes, *, most: int = 1000) -> None:
        self._rest = data
        self._most = most

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1, /) -> bytes:
        size = min(self._most, len(self._rest) if size < 0 else size)
        data, self._rest = self._rest[:size], self._rest[size:]
        return data


def gunzip(data: bytes, *, max_bytes: int = 10**9) -> bytes:
    return b"".join(gunzip_blocks(io.BytesIO(data), where=WHERE, max_bytes=max_bytes))


def untar(data: bytes, *, limits: ReadLimits = LIMITS) -> list[tuple[TarMember, bytes]]:
    return [(member, stream.read()) for member, stream in TarGzReader(io.BytesIO(data), where=WHERE, limits=limits)]


def foreign_tgz(*members: tarfile.TarInfo, data: bytes = b"", **options: Any) -> bytes:
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w:gz", **options) as archive:
        for member in members:
            archive.addfile(member, io.BytesIO(data))
    return target.getvalue()


def info(name: str, *, kind: bytes = tarfile.REGTYPE, size: int = 0) -> tarfile.TarInfo:
    made = tarfile.TarInfo(name)
    made.type = kind
    made.size = size
    return made


# gzip


def test_a_stored_stream_is_what_rfc_1952_says_byte_for_byte() -> None:
    assert stored_gzip(b"abc") == bytes.fromhex(
        "1f8b08000000000000ff"  # deflate, no name, no date, unknown system
        "01 0300 fcff 616263"  # last block, stored, length and its complement
        "c2412435 03000000"  # CRC-32, length
    )


@pytest.mark.parametrize("size_bytes", [0, 1, 65_534, 65_535, 65_536, 131_070, 131_071, 200_000])
def test_a_stored_stream_has_blocks_of_at_most_65535_bytes(size_bytes: int) -> None:
    data = NOISE[:size_bytes]

    stored = stored_gzip(data)

    block_count = max(1, -(-size_bytes // 65_535))
    assert len(stored) == 10 + 5 * block_count + size_bytes + 8
    assert standard_gzip.decompress(stored) == data
    assert gunzip(stored) == data


@settings(max_examples=40)
@given(st.lists(st.integers(0, 150_000), max_size=5))
def test_how_data_is_cut_does_not_show_in_the_stored_bytes(cuts: list[int]) -> None:
    target = io.BytesIO()
    edges = [0, *sorted(cuts), len(NOISE)]
    with StoredGzipWriter(target) as writer:
        for start, end in itertools.pairwise(edges):
            assert writer.write(NOISE[start:end]) == end - start

    assert target.getvalue() == stored_gzip(NOISE)


def test_a_deflated_stream_is_smaller_and_reads_the_same() -> None:
    target = io.BytesIO()
    with DeflatedGzipWriter(target) as writer:
        writer.write(bytes(100_000))
        writer.write(b"end")

    assert len(target.getvalue()) < 1000
    assert target.getvalue()[:10] == stored_gzip(b"")[:10]
    assert standard_gzip.decompress(target.getvalue()) == bytes(100_000) + b"end"


def test_a_writer_ends_its_stream_once_and_not_after_an_error() -> None:
    target = io.BytesIO()
    writer = StoredGzipWriter(target)
    writer.close()
    writer.close()
    assert target.getvalue() == stored_gzip(b"")
    with pytest.raises(ValueError, match="closed"):
        writer.write(b"x")

    target = io.BytesIO()
    with pytest.raises(ZeroDivisionError), StoredGzipWriter(target):
        raise ZeroDivisionError
    assert len(target.getvalue()) == 10


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(standard_gzip.compress(b"abc" * 100_000), id="one-member"),
        pytest.param(standard_gzip.compress(b"abc") + stored_gzip(b"abc" * 99_999), id="two-members"),
        pytest.param(standard_gzip.compress(b"abc" * 100_000) + bytes(1000), id="zero-padding"),
        pytest.param(stored_gzip(b"") * 3 + stored_gzip(b"abc" * 100_000), id="empty-members"),
    ],
)
def test_streams_of_other_writers_are_expanded(data: bytes) -> None:
    assert gunzip(data) == b"abc" * 100_000
    one_way = cast("BinaryIO", OneWay(data))
    assert b"".join(gunzip_blocks(one_way, where=WHERE, max_bytes=300_000)) == b"abc" * 100_000


def test_blocks_stay_small_however_well_the_data_compresses() -> None:
    data = standard_gzip.compress(bytes(20_000_000))

    sizes = [len(block) for block in gunzip_blocks(io.BytesIO(data), where=WHERE, max_bytes=20_000_000)]

    assert sum(sizes) == 20_000_000
    assert max(sizes) <= COPY_BLOCK_BYTES
    assert min(sizes) > 0


def test_very_many_small_members_cost_no_more_than_their_bytes() -> None:
    """Each member's rest is copied by zlib: with large slices this would copy gigabytes."""
    data = stored_gzip(b"x") * 30_000

    assert gunzip(data) == b"x" * 30_000


@pytest.mark.parametrize(
    ("data", "message"),
    [
        pytest.param(b"", "this is no gzip stream", id="empty"),
        pytest.param(b"\x1f", "this is no gzip stream", id="one-byte"),
        pytest.param(b"visor...", "this is no gzip stream", id="something-else"),
        pytest.param(stored_gzip(b"abc")[:-1], "cut short", id="cut-in-trailer"),
        pytest.param(stored_gzip(b"abc")[:12], "cut short", id="cut-in-data"),
        pytest.param(stored_gzip(b"abc")[:5], "cut short", id="cut-in-header"),
        pytest.param(stored_gzip(b"abc")[:-8] + bytes(4) + b"\3\0\0\0", "damaged", id="wrong-crc"),
        pytest.param(stored_gzip(b"abc")[:-4] + b"\4\0\0\0", "damaged", id="wrong-length"),
        pytest.param(stored_gzip(b"abc").replace(b"abc", b"abd"), "damaged", id="changed-data"),
        pytest.param(stored_gzip(b"abc") + b"\0\0x", "something follows", id="garbage-behind-zeros"),
        pytest.param(stored_gzip(b"abc") + b"\0" + stored_gzip(b""), "something follows", id="member-behind-zeros"),
        pytest.param(stored_gzip(b"abc") + b"\x1f", "something follows", id="half-a-magic"),
        pytest.param(stored_gzip(b"abc") + b"\x1f\x8b", "cut short", id="second-member-cut"),
    ],
)
def test_damaged_streams_are_refused(data: bytes, message: str) -> None:
    with pytest.raises(MalformedDocumentError, match=message) as caught:
        gunzip(data)

    assert caught.value.where == WHERE


def test_expanding_stops_at_the_limit() -> None:
    data = standard_gzip.compress(bytes(50_000_000))

    assert len(gunzip(data, max_bytes=50_000_000)) == 50_000_000
    with pytest.raises(LimitExceededError) as caught:
        gunzip(data, max_bytes=1_000_000)
    assert caught.value.expected == "at most 1000000 bytes"


def test_a_stream_gives_as_much_as_is_asked_for_and_then_nothing() -> None:
    stream = gunzip_stream(io.BytesIO(stored_gzip(b"abcdefgh")), where=WHERE, max_bytes=8)
    buffer = bytearray(2)

    assert stream.read(3) == b"abc"
    assert stream.readinto(buffer) == 2  # type: ignore[attr-defined]
    assert bytes(buffer) == b"de"
    assert stream.read() == b"fgh"
    assert stream.read(1) == b""
    assert stream.readable()
    assert not stream.seekable()


@given(st.binary(max_size=300))
def test_arbitrary_bytes_raise_only_our_errors(data: bytes) -> None:
    for raw in (data, b"\x1f\x8b\x08" + data, stored_gzip(data)):
        with contextlib.suppress(EsxImageError):
            gunzip(raw)
        with contextlib.suppress(EsxImageError):
            untar(raw)


# tar


def test_a_tgz_is_the_same_every_time_and_here_is_its_digest() -> None:
    made = render_tgz(FILES, timestamp=1_700_000_000)

    assert made == render_tgz(FILES, timestamp=1_700_000_000)
    assert sha256_hex(made) == sha256_hex(stored_gzip(gunzip(made)))
    assert sha256_hex(render_tgz([("a/b", b"c")])) == "66724079ee6d1e9c95f56184ddbe3833b4708594b302ca0605f585e987264c80"


def test_python_reads_what_is_written() -> None:
    made = render_tgz([("var/", b""), *FILES], timestamp=1_700_000_000)

    with tarfile.open(fileobj=io.BytesIO(made)) as archive:
        members = archive.getmembers()
        assert [(m.name, m.mode, m.isdir()) for m in members] == [
            ("var", 0o755, True),
            *((name, 0o644, False) for name, _ in FILES),
        ]
        assert {(m.uid, m.gid, m.uname, m.gname, m.mtime) for m in members} == {(0, 0, "root", "root", 1_700_000_000)}
        contents = [cast("BinaryIO", archive.extractfile(m)).read() for m in members[1:]]
    assert contents == [data for _, data in FILES]
    assert len(gunzip(made)) % 10_240 == 0


def test_a_header_is_that_of_python_in_ustar_format() -> None:
    """Second opinion on every field of the header."""
    member = info("a/b", size=1)
    member.uname = member.gname = "root"
    member.mtime = 77

    ours = gunzip(render_tgz([("a/b", b"c")], timestamp=77))[:512]

    assert ours == member.tobuf(tarfile.USTAR_FORMAT)


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("n" * 100, id="just-fits"),
        pytest.param("p" * 155 + "/" + "n" * 100, id="just-fits-with-prefix"),
        pytest.param("a/" * 60 + "n", id="many-parts"),
        pytest.param("n" * 101, id="one-too-long"),
        pytest.param("p" * 156 + "/" + "n" * 100, id="prefix-too-long"),
        pytest.param("a/" + "n" * 300, id="very-long"),
        pytest.param("\N{LATIN SMALL LETTER A WITH DIAERESIS}" * 60, id="not-ascii"),
    ],
)
@pytest.mark.parametrize("is_folder", [False, True], ids=["file", "folder"])
def test_long_names_survive_here_and_elsewhere(name: str, *, is_folder: bool) -> None:
    made = render_tgz([(name + "/" if is_folder else name, b"")])

    assert [(member.name, member.is_folder) for member, _ in untar(made)] == [(name, is_folder)]
    with tarfile.open(fileobj=io.BytesIO(made)) as archive:
        assert [(m.name, m.isdir()) for m in archive] == [(name, is_folder)]


def test_a_stream_is_written_block_by_block_and_checked_on_the_way() -> None:
    target = io.BytesIO()
    with TarGzWriter(target) as writer:
        writer.add_stream(
            "x", io.BytesIO(NOISE), size_bytes=len(NOISE), checksums=[Checksum("sha-256", sha256_hex(NOISE))]
        )
        writer.add_bytes("y", b"z")

    assert target.getvalue() == render_tgz([("x", NOISE), ("y", b"z")])
    with pytest.raises(ChecksumMismatchError, match="size differs"):
        TarGzWriter(io.BytesIO()).add_stream("x", io.BytesIO(b"ab"), size_bytes=3)
    with pytest.raises(ChecksumMismatchError, match="sha-256"):
        TarGzWriter(io.BytesIO()).add_stream(
            "x", io.BytesIO(b"ab"), size_bytes=2, checksums=[Checksum("sha-256", "00")]
        )


def test_an_archive_that_met_an_error_is_not_ended() -> None:
    target = io.BytesIO()
    with pytest.raises(ModelError), TarGzWriter(target) as writer:
        writer.add_bytes("../x", b"")

    with pytest.raises(MalformedDocumentError):
        untar(target.getvalue())
    writer.close()
    writer.close()
    assert untar(target.getvalue()) == []


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        pytest.param("", "is empty", id="empty"),
        pytest.param("/etc/x", "is absolute", id="absolute"),
        pytest.param("a/../b", "`..`", id="dots"),
        pytest.param("a//b", "empty part", id="empty-part"),
        pytest.param("a\\b", "backslash", id="backslash"),
        pytest.param("C:x", "colon", id="drive"),
        pytest.param("a\nb", "cannot be printed", id="line-feed"),
        pytest.param("\udc80", "cannot be printed", id="surrogate"),
    ],
)
def test_unsafe_names_are_not_written(name: str, problem: str) -> None:
    with pytest.raises(ModelError) as caught:
        render_tgz([(name, b"")])

    assert problem in caught.value.message


@pytest.mark.parametrize(
    "options",
    [
        pytest.param({"timestamp": -1}, id="before-1970"),
        pytest.param({"timestamp": 8**11}, id="too-late"),
    ],
)
def test_impossible_dates_are_refused(options: dict[str, int]) -> None:
    with pytest.raises(ModelError, match="timestamp"):
        render_tgz([], **options)  # type: ignore[arg-type]


def test_impossible_sizes_and_repeated_names_are_refused() -> None:
    writer = TarGzWriter(io.BytesIO())
    with pytest.raises(ModelError, match="size"):
        writer.add_stream("x", io.BytesIO(), size_bytes=8**11)
    writer.add_bytes("x", b"")
    with pytest.raises(ModelError, match="used before"):
        writer.add_folder("x/")


@pytest.mark.parametrize("deflate", [False, True], ids=["stored", "deflated"])
def test_what_is_written_is_read_back(*, deflate: bool) -> None:
    made = render_tgz([("var/", b""), *FILES], deflate=deflate)

    assert [(member.name, data) for member, data in untar(made)] == [("var", b""), *FILES]
    assert list(read_tgz(io.BytesIO(made), where=WHERE, limits=LIMITS)) == FILES


def test_a_member_stream_can_be_buffered() -> None:
    _, first = next(TarGzReader(io.BytesIO(render_tgz(FILES)), where=WHERE, limits=LIMITS))

    assert io.BufferedReader(cast("io.RawIOBase", first)).read() == b"<vib/>"


def test_members_need_not_be_read() -> None:
    reader = TarGzReader(io.BytesIO(render_tgz(FILES)), where=WHERE, limits=LIMITS)
    _, first = next(reader)
    buffer = bytearray(2)
    assert first.readinto(buffer) == 2  # type: ignore[attr-defined]

    assert [member.name for member, _ in reader] == [name for name, _ in FILES[1:]]
    with pytest.raises(ValueError, match="moved on"):
        first.read()


@pytest.mark.parametrize("tar_format", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_archives_of_python_are_read_in_every_format(tar_format: int) -> None:
    long_name = "a" * 90 + "/" + "b" * 90
    made = foreign_tgz(
        info("./", kind=tarfile.DIRTYPE),
        info("./d/", kind=tarfile.DIRTYPE),
        info("d", kind=tarfile.DIRTYPE),
        info("./f", size=3),
        info(long_name, size=3),
        info("\N{SNOWMAN}", size=3),
        data=b"xyz",
        format=tar_format,
        pax_headers={"comment": "global"} if tar_format == tarfile.PAX_FORMAT else None,
    )

    assert list(read_tgz(io.BytesIO(made), where=WHERE, limits=LIMITS)) == [
        ("f", b"xyz"),
        (long_name, b"xyz"),
        ("\N{SNOWMAN}", b"xyz"),
    ]


@pytest.mark.parametrize(
    ("members", "problem"),
    [
        pytest.param([info("../x")], "`..`", id="dots"),
        pytest.param([info("/x")], "absolute", id="absolute"),
        pytest.param([info("./../x")], "`..`", id="dots-behind-dot"),
        pytest.param([info("a\\b")], "backslash", id="backslash"),
        pytest.param([info("x" * 120 + "/../y")], "`..`", id="dots-in-long-name"),
        pytest.param([info("x", kind=tarfile.SYMTYPE)], "link, device", id="symlink"),
        pytest.param([info("x", kind=tarfile.LNKTYPE)], "link, device", id="hard-link"),
        pytest.param([info("x", kind=tarfile.CHRTYPE)], "link, device", id="device"),
        pytest.param([info("x"), info("x")], "occurs twice", id="twice"),
        pytest.param([info("x"), info("x", kind=tarfile.DIRTYPE)], "occurs twice", id="file-and-folder"),
        pytest.param([info(".")], "`.`", id="dot-as-file"),
    ],
)
def test_members_that_could_do_harm_are_refused(members: list[tarfile.TarInfo], problem: str) -> None:
    for tar_format in (tarfile.GNU_FORMAT, tarfile.PAX_FORMAT):
        with pytest.raises(UnsafeArchiveError) as caught:
            untar(foreign_tgz(*members, format=tar_format))

        assert problem in caught.value.message


def raw_tar(**options: Any) -> bytes:
    return gunzip(render_tgz([("a", b"x")], **options))


def pax_header(records: bytes) -> bytes:
    header = info("p", kind=tarfile.XHDTYPE, size=len(records)).tobuf(tarfile.USTAR_FORMAT)
    return header + records + bytes(-len(records) % 512)


NEGATIVE = info("a", size=-1).tobuf(tarfile.GNU_FORMAT)


@pytest.mark.parametrize(
    ("tar", "error", "message"),
    [
        pytest.param(b"x" * 512, MalformedDocumentError, "no tar header", id="no-header"),
        pytest.param(raw_tar()[:300], MalformedDocumentError, "no tar header", id="half-a-header"),
        pytest.param(raw_tar()[:512], MalformedDocumentError, "ends inside a member", id="no-data"),
        pytest.param(raw_tar()[:513], MalformedDocumentError, "cut short", id="no-padding"),
        pytest.param(raw_tar() + b"x", UnsafeArchiveError, "something follows", id="behind-the-end"),
        pytest.param(NEGATIVE, MalformedDocumentError, "negative size", id="negative-size"),
        pytest.param(pax_header(b"12 path=a/b\n"), MalformedDocumentError, "ends after a long name", id="pax-alone"),
        pytest.param(pax_header(b"0 path=a\n"), MalformedDocumentError, "extended header", id="pax-length-0"),
        pytest.param(pax_header(b"99 path=a\n"), MalformedDocumentError, "extended header", id="pax-too-long"),
        pytest.param(pax_header(b"x path=a\n"), MalformedDocumentError, "extended header", id="pax-no-length"),
        pytest.param(pax_header(b"7 path\n"), MalformedDocumentError, "extended header", id="pax-no-value"),
        pytest.param(pax_header(b"9 size=1\n"), UnsafeArchiveError, "sparse", id="pax-size"),
        pytest.param(pax_header(b"x" * 70_000), LimitExceededError, "too long", id="pax-huge"),
        pytest.param(pax_header(b"12 path=a/b\n")[:600], MalformedDocumentError, "cut short", id="pax-cut"),
    ],
)
def test_damaged_archives_are_refused(tar: bytes, error: type[EsxImageError], message: str) -> None:
    with pytest.raises(error, match=message) as caught:
        untar(stored_gzip(tar))

    assert caught.value.where.startswith(WHERE)


def test_an_archive_without_end_mark_is_read() -> None:
    assert [data for _, data in untar(stored_gzip(raw_tar()[:1024]))] == [b"x"]


def test_nothing_more_comes_after_an_error() -> None:
    reader = TarGzReader(io.BytesIO(foreign_tgz(info("../x"), info("y"))), where=WHERE, limits=LIMITS)
    with pytest.raises(UnsafeArchiveError):
        next(reader)

    assert list(reader) == []


@pytest.mark.parametrize(
    "limits",
    [
        pytest.param(ReadLimits(member_count=2), id="members"),
        pytest.param(ReadLimits(payload_bytes=100_000), id="expanded-bytes"),
        pytest.param(ReadLimits(document_bytes=100_000), id="one-document"),
        pytest.param(ReadLimits(metadata_bytes=100_000), id="budget"),
    ],
)
def test_limits_hold(limits: ReadLimits) -> None:
    with pytest.raises(LimitExceededError, match="limit"):
        list(read_tgz(io.BytesIO(render_tgz(FILES)), where=WHERE, limits=limits))


def test_the_callers_budget_is_spent() -> None:
    budget = ReadBudget(LIMITS)

    list(read_tgz(io.BytesIO(render_tgz(FILES)), where=WHERE, limits=LIMITS, budget=budget))

    assert budget.metadata_bytes == sum(len(data) for _, data in FILES)


PARTS = st.text(st.characters(categories=("L", "N")), min_size=1, max_size=60)
NAMES = st.lists(PARTS, min_size=1, max_size=6).map("/".join)


@settings(max_examples=60)
@given(st.dictionaries(NAMES, st.binary(max_size=1100), max_size=5), st.booleans())
def test_any_files_survive(files: dict[str, bytes], deflate: bool) -> None:  # noqa: FBT001 - hypothesis gives it
    made = render_tgz(files.items(), deflate=deflate)

    assert list(read_tgz(io.BytesIO(made), where=WHERE, limits=LIMITS)) == list(files.items())


BASES = [
    gunzip(foreign_tgz(info("d/", kind=tarfile.DIRTYPE), info("n" * 120, size=3), data=b"xyz", format=tar_format))
    for tar_format in (tarfile.GNU_FORMAT, tarfile.PAX_FORMAT)
]


def with_right_checksum(tar: bytearray) -> bytes:
    """Make the first header's checksum right again, so that mutations reach what lies behind it."""
    tar[148:156] = b" " * 8
    tar[148:156] = b"%06o\0 " % sum(tar[:512])
    return bytes(tar)


@settings(max_examples=200)
@given(st.data())
def test_mutated_archives_raise_only_our_errors(data: st.DataObject) -> None:
    mutated = bytearray(data.draw(st.sampled_from(BASES)))
    start = 512 * data.draw(st.integers(0, 5))
    for _ in range(data.draw(st.integers(1, 3))):
        mutated[start + data.draw(st.integers(0, 511))] = data.draw(st.integers(0, 255))
    header = bytearray(mutated[start : start + 512])
    mutated[start : start + 512] = with_right_checksum(header)
    with contextlib.suppress(EsxImageError):
        untar(stored_gzip(bytes(mutated)))
    packed = bytearray(zlib.compress(bytes(mutated), 9, 31))
    packed[data.draw(st.integers(0, len(packed) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    with contextlib.suppress(EsxImageError):
        untar(bytes(packed))


def test_the_system_tools_read_what_is_written(tmp_path: Path) -> None:
    if shutil.which("gzip") is None or shutil.which("tar") is None:
        pytest.skip("no gzip or tar on the PATH")
    long_name = "long/" + "n" * 200
    (tmp_path / "x.tgz").write_bytes(render_tgz([*FILES, (long_name, b"")]))

    subprocess.run(["gzip", "-t", "x.tgz"], cwd=tmp_path, check=True)
    listed = subprocess.run(["tar", "tzf", "x.tgz"], cwd=tmp_path, capture_output=True, text=True, check=True)

    assert listed.stdout.split() == [*(name for name, _ in FILES), long_name]
    assert listed.stderr == ""


def test_gzip_payloads_of_real_vibs_expand() -> None:
    root = os.environ.get("ESXIMAGE_REALDATA")
    if not root:
        pytest.skip("ESXIMAGE_REALDATA is not set: no real VIBs at hand")
    vibs = [path.read_bytes() for path in sorted(Path(root, "vibs").rglob("*.vib"))]
    assert vibs

    for vib in vibs:
        start = vib.index(b"\x1f\x8b\x08")
        size_bytes = int(vib[start - 12 : start - 2])
        payload = vib[start : start + size_bytes]
        assert gunzip(payload) == standard_gzip.decompress(payload)
