"""Zip archives that lie: each is refused with the right error, and nothing else ever escapes."""

from __future__ import annotations

import functools
import io
import random
import struct
import zipfile
import zlib
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import example, given, settings, strategies as st
from support.lying_zips import DATA, Part, build

from esximage_builder.containers.zip import ZipReader, open_zip
from esximage_builder.containers.zip_writer import render_zip
from esximage_builder.errors import (
    ChecksumMismatchError,
    EsxImageError,
    LimitExceededError,
    MalformedDocumentError,
    UnsafeArchiveError,
)
from esximage_builder.limits import ReadLimits

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

LIMITS = ReadLimits()


def opened(data: bytes) -> ZipReader:
    return open_zip(io.BytesIO(data), where="depot.zip", limits=LIMITS)


def exhaust(data: bytes) -> None:
    """Open, list and read in every way; all of it must end."""
    reader = opened(data)
    for name, member in reader.members.items():
        ways: tuple[Callable[[], object], ...] = (
            functools.partial(reader.read, name, max_bytes=1_000_000),
            reader.open(name).read,
            functools.partial(list, reader.copy_blocks(name)),
        )
        errors = []
        for way in ways:
            try:
                way()
            except EsxImageError as error:
                errors.append(error)
        assert len(errors) in (0, 3) or member.size_bytes > 1_000_000
        if errors:
            raise errors[0]


def drain(blocks: Iterable[bytes], *, into: list[bytes]) -> None:
    """Keep what came before an error."""
    for block in blocks:
        into.append(block)  # noqa: PERF402 - list.extend need not keep the part before an error


def test_the_builder_builds_honest_archives() -> None:
    data = build(Part(), Part(name=b"b", deflate=False), Part(name=b"folder/", data=b"", deflate=False))

    assert list(opened(data).members) == ["a.vib", "b"]
    exhaust(data)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.testzip() is None


@pytest.mark.parametrize(
    "name",
    [
        b"../x", b"/abs", b"a/../b", b"..", b".", b"./a", b"a/./b", b"a//b", b"", b"/", b"a//", b"../", b"C:\\x",
        b"C:/x", b"a\\..\\b", b"a\0b", b"a\0", b"a\nb", b"\x1b[2Jx", b"a/.. /b", b"a/.../b", b" ", b"\x7f",
    ],
)  # fmt: skip
def test_a_name_that_leads_astray_is_refused(name: bytes) -> None:
    with pytest.raises(UnsafeArchiveError, match="name is not allowed") as caught:
        opened(build(Part(name=name, data=b"", deflate=False)))
    assert all(character.isprintable() for character in str(caught.value).replace("\n", ""))


@pytest.mark.parametrize("name", [b"a..b", b"..a", b"a...", b".hidden", b"vib20/net-r8168/x y.vib", b"a-(1)[2].vib"])
def test_an_odd_but_harmless_name_is_accepted(name: bytes) -> None:
    assert list(opened(build(Part(name=name))).members) == [name.decode()]


UNSAFE = [
    pytest.param((Part(), Part()), "same name", id="doubled-name"),
    pytest.param((Part(), Part(name=b"A.VIB")), "same name", id="doubled-name-but-for-case"),
    pytest.param((Part(), Part(name=b"a.vib/", data=b"", deflate=False)), "same name", id="file-and-folder"),
    pytest.param((Part(flags=1),), "encrypted", id="encrypted"),
    pytest.param((Part(flags=0x41),), "encrypted", id="strongly-encrypted"),
    pytest.param((Part(flags=0x2000),), "encrypted", id="directory-encrypted"),
    pytest.param((Part(attributes=0o120777 << 16),), "no regular file", id="symlink"),
    pytest.param((Part(attributes=0o060600 << 16),), "no regular file", id="block-device"),
    pytest.param((Part(attributes=0o020600 << 16),), "no regular file", id="character-device"),
    pytest.param((Part(attributes=0o010600 << 16),), "no regular file", id="pipe"),
    pytest.param((Part(attributes=0o040755 << 16),), "no regular file", id="folder-named-as-file"),
    pytest.param((Part(name=b"a/", attributes=0o120777 << 16),), "no regular file", id="symlink-named-as-folder"),
    pytest.param((Part(name=b"a/"),), "contents of its own", id="folder-with-contents"),
    pytest.param((Part(), Part(name=b"b", offset=0)), "overlaps", id="same-header-twice"),
    pytest.param((Part(), Part(name=b"b", offset=20)), "overlaps", id="header-inside-a-header"),
    pytest.param((Part(compressed_bytes=10_000),), "overlaps", id="data-beyond-the-directory"),
    pytest.param((Part(offset=10_000),), "overlaps", id="header-beyond-the-directory"),
]


@pytest.mark.parametrize(("parts", "message"), UNSAFE)
def test_an_unsafe_member_is_refused_on_opening(parts: tuple[Part, ...], message: str) -> None:
    with pytest.raises(UnsafeArchiveError, match=message):
        opened(build(*parts))


VALUES = (zlib.crc32(DATA), len(Part().packed), len(DATA))
MARK = b"PK\7\x08"
DESCRIPTOR = MARK + struct.pack("<3L", *VALUES)
DEFERRED: dict[str, Any] = {"own_crc32": 0, "own_size_bytes": 0, "own_compressed_bytes": 0}
OWN_WIDE: dict[str, Any] = {"own_size_bytes": 0xFFFFFFFF, "own_compressed_bytes": 0xFFFFFFFF}


def wide_extra(size: int = len(DATA)) -> bytes:
    return struct.pack("<2H2Q", 1, 16, size, VALUES[1])


CONTRADICTIONS = [
    pytest.param(Part(own_name=b"b.vib"), "contradicts", id="name"),
    pytest.param(Part(own_method=0), "contradicts", id="method"),
    pytest.param(Part(own_flags=1), "contradicts", id="encrypted"),
    pytest.param(Part(own_crc32=1), "contradicts", id="crc"),
    pytest.param(Part(own_size_bytes=1), "contradicts", id="size"),
    pytest.param(Part(name="ä".encode(), flags=0x800, own_flags=0), "contradicts", id="name-encoding"),
    pytest.param(Part(own_compressed_bytes=1), "contradicts", id="packed-size"),
    pytest.param(Part(flags=8, own_flags=0, own_crc32=1), "contradicts", id="crc-where-only-the-directory-defers-it"),
    pytest.param(Part(flags=8, own_crc32=1, behind=DESCRIPTOR), "contradicts", id="crc-that-is-deferred-and-wrong"),
    pytest.param(Part(flags=8, own_size_bytes=1, behind=DESCRIPTOR), "contradicts", id="size-that-is-deferred"),
    pytest.param(Part(own_size_bytes=0xFFFFFFFF), "contradicts", id="size-at-its-ceiling-without-zip64"),
    pytest.param(Part(**OWN_WIDE, own_extra=wide_extra(size=1)), "contradicts", id="size-in-zip64"),
    pytest.param(Part(own_extra=struct.pack("<2HBL", 0x7075, 5, 1, 0)), "second name", id="another-name-in-unicode"),
    pytest.param(Part(flags=8, **DEFERRED), "what follows", id="nothing-where-a-descriptor-should-be"),
    pytest.param(Part(flags=8, **DEFERRED, behind=DESCRIPTOR[:-1] + b"\1"), "what follows", id="other-descriptor"),
    pytest.param(Part(flags=0, own_flags=8, **DEFERRED, behind=bytes(16)), "what follows", id="descriptor-unannounced"),
    pytest.param(Part(behind=b"PK\3\4" + bytes(26)), "does not list", id="a-member-that-is-not-listed"),
    pytest.param(Part(flags=8, **DEFERRED, behind=DESCRIPTOR + b"PK\3\4"), "does not list", id="one-further-on"),
]


@pytest.mark.parametrize(
    "part",
    [
        pytest.param(Part(flags=8, **DEFERRED, behind=DESCRIPTOR), id="descriptor"),
        pytest.param(Part(flags=8, **DEFERRED, behind=DESCRIPTOR[4:]), id="descriptor-without-mark"),
        pytest.param(Part(flags=8, **DEFERRED, behind=MARK + struct.pack("<L2Q", *VALUES)), id="wide-descriptor"),
        pytest.param(Part(flags=8, **DEFERRED, behind=struct.pack("<L2Q", *VALUES)), id="wide-without-mark"),
        pytest.param(Part(flags=8, behind=DESCRIPTOR), id="descriptor-besides"),
        pytest.param(Part(flags=0, own_flags=8, **DEFERRED, behind=DESCRIPTOR), id="descriptor-by-the-header-alone"),
        pytest.param(Part(flags=8, own_flags=0), id="descriptor-by-the-directory-alone"),
        pytest.param(Part(**OWN_WIDE, own_extra=wide_extra()), id="zip64"),
        pytest.param(Part(own_extra=struct.pack("<2H", 0x5455, 0) + b"\0"), id="other-extra-fields"),
        pytest.param(Part(behind=bytes(40)), id="filling"),
        pytest.param(Part(data=b"", deflate=False), id="nothing"),
    ],
)
def test_a_header_that_says_the_same_in_another_way_is_read(part: Part) -> None:
    """Data descriptors and zip64 sizes are how tools write that do not know the sizes before."""
    data = build(part)
    with opened(data) as archive:
        assert archive.open("a.vib").read() == part.data
    exhaust(data)


@pytest.mark.parametrize(("part", "message"), CONTRADICTIONS)
def test_a_header_that_contradicts_the_directory_is_refused_on_reading(part: Part, message: str) -> None:
    data = build(part)

    assert opened(data).members
    with pytest.raises(UnsafeArchiveError, match=message):
        exhaust(data)


def test_an_overlap_that_only_the_extra_field_makes_is_refused_on_reading() -> None:
    data = bytearray(build(Part()))
    struct.pack_into("<H", data, 28, 3)

    with pytest.raises(UnsafeArchiveError, match="overlaps"):
        exhaust(bytes(data))


DAMAGED: list[Any] = [
    pytest.param((Part(method=12),), {}, "method that is not supported", id="bzip2"),
    pytest.param((Part(method=14),), {}, "method that is not supported", id="lzma"),
    pytest.param((Part(flags=0x20),), {}, "method that is not supported", id="patch"),
    pytest.param((Part(deflate=False, size_bytes=5),), {}, "two sizes", id="stored-sizes"),
    pytest.param((Part(name=b"\xff", flags=0x800),), {}, "not UTF-8", id="name-no-utf8"),
    pytest.param((Part(magic=b"PK\0\0"),), {}, "directory is damaged", id="directory-magic"),
    pytest.param((Part(disk=1),), {}, "split", id="split-member"),
    pytest.param((Part(),), {"disk": 1}, "split", id="split-archive"),
    pytest.param((Part(),), {"count_here": 0}, "split", id="split-count"),
    pytest.param((Part(),), {"count": 2}, "fewer members", id="count-too-high"),
    pytest.param((Part(), Part(name=b"b")), {"count": 1}, "more than its members", id="count-too-low"),
    pytest.param((Part(size_bytes=0xFFFFFFFF),), {}, "zip64 sizes", id="zip64-missing"),
    pytest.param((Part(size_bytes=0xFFFFFFFF, extra=b"\1\0\4\0abcd"),), {}, "zip64 sizes", id="zip64-short"),
    pytest.param((Part(size_bytes=0xFFFFFFFF, extra=b"\2\0\xff\xff"),), {}, "zip64 sizes", id="extra-overruns"),
    pytest.param((Part(),), {"directory_offset": 5}, "cut short", id="directory-elsewhere"),
    pytest.param((Part(),), {"directory_bytes": 5}, "cut short", id="directory-size"),
    pytest.param((Part(),), {"tail": b"\n"}, "cut short", id="bytes-behind"),
]


@pytest.mark.parametrize(("parts", "options", "message"), DAMAGED)
def test_a_damaged_directory_is_refused_on_opening(
    parts: tuple[Part, ...], options: dict[str, Any], message: str
) -> None:
    with pytest.raises(MalformedDocumentError, match=message):
        opened(build(*parts, **options))


DAMAGED_MEMBERS = [
    pytest.param(Part(own_magic=b"PK\0\0"), MalformedDocumentError, "no header", id="header-magic"),
    pytest.param(
        Part(**OWN_WIDE, own_extra=struct.pack("<2H", 1, 0)),
        MalformedDocumentError,
        "missing",
        id="zip64-without-sizes",
    ),
    pytest.param(Part(deflate=False, method=8), MalformedDocumentError, "deflate stream", id="not-deflate"),
    pytest.param(
        Part(deflate=False, method=8, data=zlib.compress(DATA, wbits=-15)[:-4], size_bytes=600),
        MalformedDocumentError,
        "has no end",
        id="deflate-cut-short",
    ),
    pytest.param(
        Part(deflate=False, method=8, data=zlib.compress(DATA, wbits=-15) + b"more", size_bytes=600),
        MalformedDocumentError,
        "bytes behind",
        id="bytes-behind-deflate",
    ),
    pytest.param(Part(crc32=1), ChecksumMismatchError, "CRC-32", id="crc"),
    pytest.param(Part(deflate=False, crc32=1), ChecksumMismatchError, "CRC-32", id="crc-stored"),
    pytest.param(Part(data=b"", deflate=False, crc32=1), ChecksumMismatchError, "CRC-32", id="crc-empty"),
    pytest.param(Part(size_bytes=599), ChecksumMismatchError, "size differs", id="inflates-to-more"),
    pytest.param(Part(size_bytes=0), ChecksumMismatchError, "size differs", id="inflates-to-something"),
    pytest.param(Part(size_bytes=601), ChecksumMismatchError, "size differs", id="inflates-to-less"),
]


@pytest.mark.parametrize(("part", "error", "message"), DAMAGED_MEMBERS)
def test_a_damaged_member_is_refused_on_reading(part: Part, error: type[EsxImageError], message: str) -> None:
    with pytest.raises(error, match=message) as caught:
        exhaust(build(part))
    assert caught.value.where == "depot.zip!a.vib"


def test_a_stream_hands_out_no_last_byte_of_a_wrong_member_and_keeps_failing() -> None:
    data = random.Random(1).randbytes(1_000_000)
    stream = opened(build(Part(data=data, crc32=1))).open("a.vib")
    blocks: list[bytes] = []
    with pytest.raises(ChecksumMismatchError):
        drain(iter(functools.partial(stream.read, 1000), b""), into=blocks)

    assert 0 < len(b"".join(blocks)) < len(data)
    assert data.startswith(b"".join(blocks))
    for _ in range(2):
        with pytest.raises(MalformedDocumentError, match="earlier read"):
            stream.read(1)


def test_a_reader_of_exactly_the_size_still_learns_of_a_wrong_checksum() -> None:
    with pytest.raises(ChecksumMismatchError):
        opened(build(Part(crc32=1))).open("a.vib").read(len(DATA))


def test_a_bomb_gives_no_more_than_it_announced() -> None:
    """What is announced is bounded before, so an understated size must not let more through."""
    reader = opened(build(Part(data=bytes(50_000_000), size_bytes=1000)))
    produced: list[bytes] = []
    with pytest.raises(ChecksumMismatchError, match="size differs"):
        drain((plain for _, plain in reader.copy_blocks("a.vib")), into=produced)

    assert len(b"".join(produced)) <= 1000


def test_a_directory_of_padding_is_refused_before_it_is_read() -> None:
    parts = [Part(name=b"%d" % number, data=b"", deflate=False, extra=bytes(65_000)) for number in range(5)]

    with pytest.raises(LimitExceededError, match="larger than its members explain"):
        opened(build(*parts))


WIDE = struct.pack("<4sQ2H2L4Q", b"PK\x06\x06", 44, 45, 45, 0, 0, 0, 0, 0, 0)
LOCATOR = struct.pack("<4sLQL", b"PK\x06\x07", 0, 0, 1)
END = b"PK\x05\x06" + bytes(18)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        pytest.param(LOCATOR + END, "points nowhere", id="locator-alone"),
        pytest.param(WIDE + LOCATOR.replace(b"\1", b"\2") + END, "points nowhere", id="two-disks"),
        pytest.param(bytes(56) + LOCATOR + END, "record is damaged", id="no-record"),
        pytest.param(WIDE + b"x" + LOCATOR + END, "record is damaged", id="wrong-record-size"),
        pytest.param(WIDE[:-24] + b"\1" + WIDE[-23:] + LOCATOR + END, "contradict", id="counts-differ"),
        pytest.param(WIDE + LOCATOR + END[:12] + b"\1" + END[13:], "contradict", id="plain-record-differs"),
    ],
)
def test_damaged_zip64_end_records(data: bytes, message: str) -> None:
    assert opened(WIDE + LOCATOR + END).members == {}
    with pytest.raises(MalformedDocumentError, match=message):
        opened(data)


@pytest.mark.parametrize(
    ("data", "found"),
    [
        pytest.param(b"", "an empty file", id="empty"),
        pytest.param(b"<html>not found</html>", "<html>", id="web-page"),
        pytest.param(b"!<arch>\n", "!<arch>", id="ar"),
        pytest.param(b"version https://git-lfs.github.com/spec/v1\n", "version", id="git-lfs"),
    ],
)
def test_what_is_no_zip_is_said_to_be_none(data: bytes, found: str) -> None:
    with pytest.raises(MalformedDocumentError, match="no zip archive") as caught:
        opened(data)
    assert found in caught.value.found
    assert ("git lfs pull" in caught.value.hint) == data.startswith(b"version")


def test_a_zip_that_ends_early_is_said_to_be_cut_short() -> None:
    inner = render_zip([("vmware.xml", DATA)])
    data = render_zip([("metadata.zip", inner), ("index.xml", DATA), ("x.vib", DATA)])

    for length in range(4, len(data)):
        with pytest.raises(MalformedDocumentError, match="cut short") as caught:
            opened(data[:length])
        assert "download the file again" in caught.value.hint


def test_a_file_that_shrinks_while_open_is_said_to_be_cut_short() -> None:
    file = io.BytesIO(build(Part(data=DATA * 1000, deflate=False)))
    reader = open_zip(file, where="depot.zip", limits=LIMITS)
    file.truncate(100)

    with pytest.raises(MalformedDocumentError, match="cut short"):
        reader.read("a.vib", max_bytes=1_000_000)


VALID = (
    build(Part(), Part(name=b"b", deflate=False), Part(name=b"folder/", data=b"", deflate=False)),
    build(Part(extra=b"\1\0\x10\0" + struct.pack("<2Q", 600, 28), size_bytes=0xFFFFFFFF)),
    render_zip([("index.xml", DATA), ("vib20/x.vib", b"")], deflate=True),
    WIDE + LOCATOR + END,
)


def tolerate(data: bytes) -> None:
    try:
        exhaust(data)
    except EsxImageError as error:
        assert str(error)  # noqa: PT017 - any of ours will do; another class is the failure


@settings(max_examples=150, deadline=None)
@given(data=st.binary(max_size=200))
@example(data=END)
@example(data=b"PK")
def test_arbitrary_bytes_raise_only_our_errors(data: bytes) -> None:
    tolerate(data)
    tolerate(data + END)
    tolerate(b"PK\x03\x04" + data)


@settings(max_examples=600, deadline=None)
@given(
    data=st.sampled_from(VALID),
    changes=st.lists(st.tuples(st.integers(0, 2000), st.integers(0, 255)), min_size=1, max_size=4),
    cut=st.one_of(st.none(), st.integers(0, 2000)),
)
def test_mutated_archives_raise_only_our_errors(data: bytes, changes: list[tuple[int, int]], cut: int | None) -> None:
    mutated = bytearray(data)
    for at, value in changes:
        mutated[at % len(mutated)] = value
    tolerate(bytes(mutated[: len(mutated) if cut is None else cut]))


@pytest.mark.parametrize("data", VALID, ids=["mixed", "zip64-extra", "ours", "zip64-end"])
def test_every_single_flipped_byte_raises_only_our_errors(data: bytes) -> None:
    for at in range(len(data)):
        for flip in (0x01, 0x80, 0xFF):
            mutated = bytearray(data)
            mutated[at] ^= flip
            tolerate(bytes(mutated))


@settings(max_examples=150, deadline=None)
@given(
    part=st.builds(
        Part,
        name=st.binary(max_size=8),
        data=st.binary(max_size=50),
        deflate=st.booleans(),
        method=st.sampled_from([None, 0, 8, 9]),
        flags=st.sampled_from([0, 8, 0x800]),
        crc32=st.sampled_from([None, 0]),
        size_bytes=st.one_of(st.none(), st.integers(0, 0xFFFFFFFF)),
        compressed_bytes=st.one_of(st.none(), st.integers(0, 100), st.just(0xFFFFFFFF)),
        extra=st.one_of(st.binary(max_size=30), st.binary(max_size=24).map(lambda data: b"\1\0\x18\0" + data)),
        offset=st.sampled_from([None, 0, 1, 0xFFFFFFFF]),
    )
)
def test_lying_fields_raise_only_our_errors(part: Part) -> None:
    tolerate(build(part))
