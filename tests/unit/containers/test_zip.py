"""Zip archives: what is written is read back, the same every time, and other tools agree."""

from __future__ import annotations

import hashlib
import io
import os
import shutil
import subprocess
import threading
import zipfile
import zlib
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings, strategies as st

from esximage_builder.containers import zip_writer
from esximage_builder.containers.zip import ZipReader, open_zip
from esximage_builder.containers.zip_records import METHOD_DEFLATED, METHOD_STORED, ZipMember
from esximage_builder.containers.zip_writer import ZipWriter, render_zip
from esximage_builder.errors import (
    ChecksumMismatchError,
    ExportError,
    LimitExceededError,
    ModelError,
    NotInDepotError,
    SourceUnreadableError,
)
from esximage_builder.limits import ReadBudget, ReadLimits

if TYPE_CHECKING:
    from collections.abc import Callable

LIMITS = ReadLimits()
WHERE = "depot.zip"
NOISE = bytes(hashlib.shake_128(b"noise").digest(700_000))
TEXT = b"<vib><name>net-r8168</name></vib>\n" * 30_000
CONTENTS = {
    "index.xml": b"<vendorList/>",
    "vib20/net/noise.vib": NOISE,
    "vib20/net/text.vib": TEXT,
    "empty": b"",
}


def open_bytes(data: bytes, **options: Any) -> ZipReader:
    return open_zip(io.BytesIO(data), where=WHERE, limits=options.pop("limits", LIMITS), **options)


def foreign_zip(contents: dict[str, bytes] = CONTENTS, *, method: int = zipfile.ZIP_DEFLATED) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", method) as archive:
        for name, data in contents.items():
            archive.writestr(name, data)
    return target.getvalue()


def written(fill: Callable[[ZipWriter], None], **options: Any) -> bytes:
    target = io.BytesIO()
    with ZipWriter(target, **options) as writer:
        fill(writer)
    return target.getvalue()


class OneWay(io.RawIOBase):
    """A target that can only be written to, as a pipe."""

    def __init__(self) -> None:
        super().__init__()
        self.data = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: Any, /) -> int:
        self.data += data
        return len(data)


class SparseTarget(io.FileIO):
    """A file in which blocks of zeros become holes."""

    def write(self, data: Any, /) -> int:
        if not any(memoryview(data)[:64]) and len(data) > 1_000_000:
            self.seek(len(data), os.SEEK_CUR)
            return len(data)
        return super().write(data)


# Reading ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(foreign_zip(), id="deflated"),
        pytest.param(foreign_zip(method=zipfile.ZIP_STORED), id="stored"),
        pytest.param(render_zip(CONTENTS.items()), id="ours-stored"),
        pytest.param(render_zip(CONTENTS.items(), deflate=True), id="ours-deflated"),
    ],
)
def test_every_way_of_reading_gives_the_contents(data: bytes) -> None:
    with open_bytes(data) as reader:
        assert list(reader.members) == list(CONTENTS)
        for name, content in CONTENTS.items():
            member = reader.members[name]
            pairs = list(reader.copy_blocks(name))

            assert reader.read(name, max_bytes=len(content)) == content
            assert reader.open(name).read() == content
            assert b"".join(plain for _, plain in pairs) == content
            raw = b"".join(raw for raw, _ in pairs)
            assert len(raw) == member.compressed_bytes
            if member.method == METHOD_DEFLATED:
                raw = zlib.decompress(raw, -15)
            assert raw == content
            assert (member.size_bytes, member.crc32) == (len(content), zlib.crc32(content))


@settings(max_examples=30, deadline=None)
@given(
    contents=st.dictionaries(st.from_regex(r"[a-zé]{1,8}(/[a-z0-9._]{1,4}[a-z]){0,2}", fullmatch=True), st.binary()),
    deflate=st.booleans(),
)
def test_reader_and_writer_agree_with_the_standard_library(contents: dict[str, bytes], *, deflate: bool) -> None:
    data = render_zip(contents.items(), deflate=deflate)

    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.testzip() is None
        assert {name: archive.read(name) for name in archive.namelist()} == contents
    for source in (data, foreign_zip(contents)):
        reader = open_bytes(source)
        assert {name: reader.read(name, max_bytes=10_000) for name in reader.members} == contents


def test_streams_of_one_reader_can_be_read_interleaved() -> None:
    reader = open_bytes(foreign_zip())
    names = ["vib20/net/noise.vib", "vib20/net/text.vib"]
    streams = {name: reader.open(name) for name in names}
    parts: dict[str, list[bytes]] = {name: [] for name in names}
    while True:
        blocks = {name: stream.read(10_001) for name, stream in streams.items()}
        reader.read("index.xml", max_bytes=100)
        if not any(blocks.values()):
            break
        for name, block in blocks.items():
            parts[name].append(block)

    assert {name: b"".join(blocks) for name, blocks in parts.items()} == {name: CONTENTS[name] for name in names}


def test_streams_of_one_reader_can_be_read_from_several_threads(tmp_path: Path) -> None:
    path = tmp_path / "depot.zip"
    contents = {f"vib20/{number}": NOISE[number:] + TEXT for number in range(8)}
    path.write_bytes(foreign_zip(contents))
    digests: dict[str, str] = {}
    with open_zip(path, where=WHERE, limits=LIMITS) as reader:

        def digest(name: str) -> None:
            hasher = hashlib.sha256()
            for _, plain in reader.copy_blocks(name):
                hasher.update(plain)
            digests[name] = hasher.hexdigest()

        threads = [threading.Thread(target=digest, args=(name,)) for name in contents]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    assert digests == {name: hashlib.sha256(content).hexdigest() for name, content in contents.items()}


def test_folders_comments_and_both_name_encodings_are_read() -> None:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        archive.mkdir("vib20")
        archive.writestr("vib20/größe.vib", b"utf-8")
        archive.writestr("vib20/plain.vib", b"ascii")
        archive.comment = b"made by hand"
    utf8 = target.getvalue()
    cp437 = foreign_zip({"gr@sse.vib": b"cp437"}).replace(b"gr@sse", b"gr\x94sse")

    assert list(open_bytes(utf8).members) == ["vib20/größe.vib", "vib20/plain.vib"]
    assert open_bytes(cp437).read("grösse.vib", max_bytes=5) == b"cp437"


def test_data_descriptors_are_read() -> None:
    target = OneWay()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a", TEXT)
        archive.writestr("b", NOISE)
    reader = open_bytes(bytes(target.data))

    assert target.data[6] & 8
    assert reader.read("a", max_bytes=len(TEXT)) == TEXT
    assert reader.read("b", max_bytes=len(NOISE)) == NOISE


@pytest.mark.parametrize("mode", [0, 0o600, 0o100644, 0o100755])
def test_modes_met_in_real_bundles_are_read(mode: int) -> None:
    target = io.BytesIO()
    info = zipfile.ZipInfo("a.vib")
    info.external_attr = mode << 16
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr(info, b"x")
        archive.filelist[0].external_attr = mode << 16

    assert open_bytes(target.getvalue()).read("a.vib", max_bytes=1) == b"x"


def test_an_archive_without_members_is_read() -> None:
    assert dict(open_bytes(foreign_zip({})).members) == {}
    assert render_zip([]) == foreign_zip({})


def test_a_block_that_swells_comes_in_bounded_pieces() -> None:
    """Memory does not grow with how well a member was compressed."""
    size_bytes = 20_000_000
    reader = open_bytes(foreign_zip({"zeros": bytes(size_bytes)}))
    pairs = [(len(raw), len(plain)) for raw, plain in reader.copy_blocks("zeros")]

    assert sum(plain for _, plain in pairs) == size_bytes
    assert max(plain for _, plain in pairs) <= 1024 * 1024
    assert [raw for raw, _ in pairs if raw] == [reader.members["zeros"].compressed_bytes]


@pytest.mark.parametrize("size_bytes", [0, 1, 2**18 - 1, 2**18, 2**18 + 1, 2**20 - 1, 2**20, 2**20 + 1, 2**21])
@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_sizes_around_the_block_size_are_read_whole(size_bytes: int, method: int) -> None:
    content = bytes(size_bytes)
    reader = open_bytes(foreign_zip({"a": content}, method=method))

    assert reader.open("a").read() == content
    assert reader.open("a").read(size_bytes) == content
    assert reader.read("a", max_bytes=size_bytes) == content


def test_reading_is_bounded_by_the_caller_and_by_the_budget() -> None:
    reader = open_bytes(foreign_zip())
    budget = ReadBudget(limits=ReadLimits(metadata_bytes=20))

    with pytest.raises(LimitExceededError, match="13 bytes") as caught:
        reader.read("index.xml", max_bytes=12)
    assert caught.value.where == "depot.zip!index.xml"
    assert reader.read("index.xml", max_bytes=13, budget=budget) == CONTENTS["index.xml"]
    assert budget.metadata_bytes == 13
    with pytest.raises(LimitExceededError):
        reader.read("index.xml", max_bytes=13, budget=budget)


def test_limits_of_count_and_depth() -> None:
    data = foreign_zip()

    assert open_bytes(data, limits=ReadLimits(member_count=4), depth=4).members
    with pytest.raises(LimitExceededError, match="4 members"):
        open_bytes(data, limits=ReadLimits(member_count=3))
    with pytest.raises(LimitExceededError, match="depth 5"):
        open_bytes(data, depth=5)


def test_an_unknown_member_is_named_with_its_near_match() -> None:
    reader = open_bytes(foreign_zip())

    with pytest.raises(NotInDepotError, match=r"did you mean 'index\.xml'"):
        reader.open("Index.XML")
    with pytest.raises(NotInDepotError):
        reader.read("nothing", max_bytes=1)
    with pytest.raises(NotInDepotError):
        reader.copy_blocks("nothing")


def test_sources_that_cannot_be_read(tmp_path: Path) -> None:
    class Blind(io.RawIOBase):
        def readable(self) -> bool:
            return True

    reader = open_bytes(foreign_zip())
    cases: list[Any] = [tmp_path / "missing.zip", tmp_path, Blind(), reader.open("index.xml")]
    for source in cases:
        with pytest.raises(SourceUnreadableError):
            open_zip(source, where=WHERE, limits=LIMITS)


def test_a_disk_that_fails_later_gives_our_error() -> None:
    class Failing(io.BytesIO):
        is_broken = False

        def read(self, size: int | None = -1, /) -> bytes:
            if self.is_broken:
                raise OSError(5, "Input/output error")
            return super().read(size)

    file = Failing(foreign_zip())
    reader = open_zip(file, where=WHERE, limits=LIMITS)
    file.is_broken = True
    with pytest.raises(SourceUnreadableError, match="Input/output error"):
        reader.read("index.xml", max_bytes=100)


def test_a_given_file_stays_open_and_an_opened_one_is_closed(tmp_path: Path) -> None:
    path = tmp_path / "depot.zip"
    path.write_bytes(foreign_zip())
    with path.open("rb") as file, open_zip(file, where=WHERE, limits=LIMITS) as given:
        given.close()
        assert not file.closed
    with open_zip(path, where=WHERE, limits=LIMITS) as opened:
        stream = opened.open("index.xml")
    with pytest.raises(ValueError, match="closed"):
        stream.read()


# Writing ---------------------------------------------------------------------------------------


def test_two_writes_are_equal_and_carry_nothing_of_the_machine() -> None:
    data = render_zip(CONTENTS.items())
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        infos = archive.infolist()

    assert render_zip(CONTENTS.items()) == data
    assert {info.date_time for info in infos} == {(1980, 1, 1, 0, 0, 0)}
    assert {(info.create_system, info.external_attr >> 16) for info in infos} == {(3, 0o100644)}
    assert {(info.extra, info.comment, info.compress_type, info.flag_bits) for info in infos} == {(b"", b"", 0, 0)}


def test_the_bytes_of_a_small_archive_are_known() -> None:
    """A change of these bytes changes every bundle that was ever reproduced."""
    assert hashlib.sha256(render_zip([("a.xml", b"<a/>"), ("ä", b"")])).hexdigest() == (
        "2f591142317d826fa28cb524b93aa11fb907ad367da28df47afecdc3940b9f79"
    )


def test_a_timestamp_is_written_in_utc() -> None:
    moment = datetime(2023, 3, 4, 1, 2, 59, tzinfo=timezone(timedelta(hours=2)))
    data = written(lambda writer: writer.add_bytes("a", b""), timestamp=moment)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.infolist()[0].date_time == (2023, 3, 3, 23, 2, 58)


@pytest.mark.parametrize(
    "moment",
    [
        pytest.param(datetime(1979, 12, 31, tzinfo=UTC), id="before-1980"),
        pytest.param(datetime(2108, 1, 1, tzinfo=UTC), id="after-2107"),
        pytest.param(datetime(2023, 1, 1, tzinfo=UTC).replace(tzinfo=None), id="naive"),
    ],
)
def test_a_timestamp_that_does_not_fit_is_refused(moment: datetime) -> None:
    with pytest.raises(ModelError):
        ZipWriter(io.BytesIO(), timestamp=moment)


def test_all_ways_of_adding_give_what_other_tools_accept(tmp_path: Path) -> None:
    path = tmp_path / "out.zip"
    source = open_bytes(foreign_zip())
    with path.open("wb") as file, ZipWriter(file) as writer:
        writer.add_bytes("bytes", TEXT)
        writer.add_bytes("deflated", TEXT, deflate=True)
        writer.add_stream("known", io.BytesIO(NOISE), size_bytes=len(NOISE), crc32=zlib.crc32(NOISE))
        writer.add_stream("patched", io.BytesIO(NOISE), size_bytes=len(NOISE))
        for name, member in source.members.items():
            writer.add_copied(f"copied/{name}", member, (raw for raw, _ in source.copy_blocks(name)))
    expected = {"bytes": TEXT, "deflated": TEXT, "known": NOISE, "patched": NOISE}
    expected |= {f"copied/{name}": content for name, content in CONTENTS.items()}

    with open_zip(path, where=WHERE, limits=LIMITS) as reader:
        assert {name: reader.read(name, max_bytes=10**7) for name in reader.members} == expected
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        assert {name: archive.read(name) for name in archive.namelist()} == expected
    if shutil.which("unzip") is None:
        pytest.skip("unzip is not installed: no second opinion on the written archive")
    result = subprocess.run(["unzip", "-tq", path], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr


def test_a_member_carried_over_raw_keeps_its_packed_bytes() -> None:
    data = foreign_zip()
    source = open_bytes(data)

    def fill(writer: ZipWriter) -> None:
        for name, member in source.members.items():
            writer.add_copied(name, member, [raw for raw, _ in source.copy_blocks(name)])

    copy = open_bytes(written(fill))
    for name in source.members:
        before, after = ([raw for raw, _ in reader.copy_blocks(name)] for reader in (source, copy))
        assert b"".join(after) == b"".join(before)
        assert after[0] in data


def test_a_known_and_a_patched_checksum_give_the_same_bytes() -> None:
    def known(writer: ZipWriter) -> None:
        writer.add_stream("a", io.BytesIO(NOISE), size_bytes=len(NOISE), crc32=zlib.crc32(NOISE))

    def patched(writer: ZipWriter) -> None:
        writer.add_stream("a", io.BytesIO(NOISE), size_bytes=len(NOISE))

    assert written(known) == written(patched) == render_zip([("a", NOISE)])


def test_a_target_that_cannot_seek_is_enough_unless_a_checksum_must_be_patched() -> None:
    target: Any = OneWay()
    with ZipWriter(target) as writer:
        writer.add_bytes("a", b"data")
    assert bytes(target.data) == render_zip([("a", b"data")])

    with pytest.raises(ExportError):
        ZipWriter(target).add_stream("b", io.BytesIO(b""), size_bytes=0)


@pytest.mark.parametrize(
    ("add", "error"),
    [
        pytest.param(lambda w: w.add_stream("a", io.BytesIO(b"abc"), size_bytes=4), ChecksumMismatchError, id="short"),
        pytest.param(lambda w: w.add_stream("a", io.BytesIO(b"abc"), size_bytes=2), ChecksumMismatchError, id="long"),
        pytest.param(
            lambda w: w.add_stream("a", io.BytesIO(b"abc"), size_bytes=3, crc32=1), ChecksumMismatchError, id="crc"
        ),
        pytest.param(
            lambda w: w.add_copied("a", member_of(5), [b"abc", b"d"]), ChecksumMismatchError, id="copied-short"
        ),
        pytest.param(
            lambda w: w.add_copied("a", member_of(2), [b"abc", b"d"]), ChecksumMismatchError, id="copied-long"
        ),
    ],
)
def test_a_member_that_is_not_what_was_announced_spoils_the_archive(
    add: Callable[[ZipWriter], None], error: type[Exception]
) -> None:
    writer = ZipWriter(io.BytesIO(), where="out.zip")
    writer.add_bytes("first", b"1")
    with pytest.raises(error) as caught:
        add(writer)
    assert caught.value.where == "out.zip!a"  # type: ignore[attr-defined]

    with pytest.raises(ExportError, match="earlier write"):
        writer.add_bytes("next", b"2")
    with pytest.raises(ExportError, match="earlier write"):
        writer.close()


def member_of(size_bytes: int) -> ZipMember:
    return ZipMember(
        name="x", size_bytes=size_bytes, compressed_bytes=size_bytes, crc32=0, method=METHOD_STORED, header_offset=0
    )


@pytest.mark.parametrize(
    "name", ["", "/a", "a/", "a//b", "../a", "a/./b", "a\\b", "c:a", "a\0", "a\n", "\ud800", "..."]
)
def test_a_name_that_the_reader_would_refuse_is_not_written(name: str) -> None:
    with pytest.raises(ModelError):
        render_zip([(name, b"")])


def test_a_name_is_not_written_twice() -> None:
    with pytest.raises(ModelError, match="same name"):
        render_zip([("a.vib", b""), ("A.VIB", b"")])


def test_a_target_that_fails_gives_our_error() -> None:
    class Full(io.RawIOBase):
        def write(self, data: Any, /) -> int:
            raise OSError(28, "No space left on device", None, None, str(len(data)))

    class Lazy(io.RawIOBase):
        def write(self, data: Any, /) -> int:
            return len(data) - 1

    for target in (Full(), Lazy()):
        sink: Any = target
        with pytest.raises(ExportError):
            ZipWriter(sink).add_bytes("a", b"")


def test_a_source_that_fails_gives_our_error() -> None:
    class Broken(io.RawIOBase):
        def read(self, size: int = -1, /) -> bytes:
            raise OSError(5, f"no {size} bytes")

    source: Any = Broken()
    with pytest.raises(SourceUnreadableError):
        ZipWriter(io.BytesIO()).add_stream("a", source, size_bytes=1, crc32=0)


def test_an_error_inside_the_with_block_leaves_no_directory() -> None:
    target = io.BytesIO()

    def spoil() -> None:
        with ZipWriter(target) as writer:
            writer.add_bytes("a", b"data")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        spoil()
    assert b"PK\x05\x06" not in target.getvalue()


def test_closing_twice_writes_once_and_then_nothing_is_added() -> None:
    target = io.BytesIO()
    writer = ZipWriter(target)
    writer.close()
    writer.close()

    assert target.getvalue() == render_zip([])
    with pytest.raises(ExportError, match="closed"):
        writer.add_bytes("a", b"")


# Zip64 -----------------------------------------------------------------------------------------


def test_more_members_than_a_plain_end_record_counts() -> None:
    count = 70_000
    data = render_zip((f"{number:x}", b"") for number in range(count))

    assert len(open_bytes(data, limits=ReadLimits(member_count=count)).members) == count
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert len(archive.namelist()) == count


@pytest.mark.parametrize("limit", [1, 4, 100, 200, 2000])
def test_zip64_forms_are_read_by_every_reader(limit: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Lowering the point from which zip64 is used shows the large forms on small files."""
    contents = {"a": b"1" * 99, "b": b"2" * 150, "empty": b"", "c": TEXT}
    monkeypatch.setattr(zip_writer, "_ZIP64_BYTES", limit)
    data = render_zip(contents.items(), deflate=True)
    path = tmp_path / "wide.zip"
    path.write_bytes(data)
    reader = open_bytes(data)

    assert b"PK\x06\x06" in data
    assert {name: reader.read(name, max_bytes=10**7) for name in reader.members} == contents
    with zipfile.ZipFile(path) as archive:
        assert {name: archive.read(name) for name in archive.namelist()} == contents
    if shutil.which("unzip") is not None:
        result = subprocess.run(["unzip", "-tq", path], capture_output=True, text=True, check=False)
        assert result.returncode == 0, result.stdout + result.stderr


def test_a_member_beyond_four_gibibytes(tmp_path: Path) -> None:
    """Size and offset past 32 bits; the large member is a hole in the file."""
    path = tmp_path / "large.zip"
    block = bytes(16 * 1024 * 1024)
    size_bytes = 257 * len(block)
    target: Any = SparseTarget(str(path), "w")
    with target, ZipWriter(target) as writer:
        writer.add_copied("large", member_of(size_bytes), (block for _ in range(257)))
        writer.add_bytes("behind", b"data")

    with open_zip(path, where=WHERE, limits=LIMITS) as reader:
        assert reader.members["large"].size_bytes == size_bytes > 2**32
        assert reader.members["behind"].header_offset > 2**32
        assert reader.read("behind", max_bytes=4) == b"data"
        assert reader.open("large").read(5) == bytes(5)
    with zipfile.ZipFile(path) as archive:
        assert archive.getinfo("large").file_size == size_bytes
        assert archive.read("behind") == b"data"


# Real files ------------------------------------------------------------------------------------


def test_real_bundles_open_and_carry_over() -> None:
    root = os.environ.get("ESXIMAGE_REALDATA")
    if not root:
        pytest.skip("ESXIMAGE_REALDATA is not set: no real bundles at hand")
    bundles = sorted(Path(root, "bundles").rglob("*.zip"))
    assert bundles
    for path in bundles:
        with open_zip(path, where=path.name, limits=LIMITS) as reader, zipfile.ZipFile(path) as archive:
            for name in reader.members:
                assert reader.read(name, max_bytes=10**8) == archive.read(name)
            assert list(reader.members) == [name for name in archive.namelist() if not name.endswith("/")]
            metadata = [name for name in reader.members if name.endswith("metadata.zip")]
            assert metadata
            for name in metadata:
                inner = io.BytesIO(reader.read(name, max_bytes=10**8))
                assert "vendor-index.xml" in open_zip(inner, where=name, limits=LIMITS, depth=2).members
