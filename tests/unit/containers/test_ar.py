"""ar archives: members in order, whatever GNU ar and VMware write; everything else refused."""

from __future__ import annotations

import contextlib
import io
import os
import shutil
import subprocess
import zipfile
from pathlib import Path
from typing import Any, BinaryIO, cast

import pytest
from hypothesis import given, settings, strategies as st

from esximage_builder.containers.ar import (
    AR_MAGIC,
    ArMember,
    ArStream,
    read_ar_index,
    render_ar,
    render_ar_header,
)
from esximage_builder.errors import (
    EsxImageError,
    LimitExceededError,
    MalformedDocumentError,
    ModelError,
    UnsafeArchiveError,
)
from esximage_builder.limits import ReadLimits

LIMITS = ReadLimits()
WHERE = "x.vib"
MALFORMED = MalformedDocumentError
UNSAFE = UnsafeArchiveError
MEMBERS = [("descriptor.xml", b"<vib/>!"), ("sig.pkcs7", b""), ("payload1", b"PAY")]


class OneWay(io.RawIOBase):
    """A source that cannot seek and gives few bytes at a time, as an inflating stream may."""

    def __init__(self, data: bytes) -> None:
        self._rest = data

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1, /) -> bytes:
        size = min(7, len(self._rest) if size < 0 else size)
        data, self._rest = self._rest[:size], self._rest[size:]
        return data


class Seeks(io.BytesIO):
    """A source that counts what is read from it."""

    read_bytes = 0

    def read(self, size: int | None = -1, /) -> bytes:
        data = super().read(size)
        self.read_bytes += len(data)
        return data


def one_way(data: bytes) -> BinaryIO:
    return cast("BinaryIO", OneWay(data))


def read_all(data: bytes, *, source: BinaryIO | None = None, **options: Any) -> list[tuple[str, bytes]]:
    limits = options.pop("limits", LIMITS)
    stream = ArStream(source or io.BytesIO(data), where=WHERE, limits=limits, **options)
    return [(member.name, data.read()) for member, data in stream]


def refusal(source: BinaryIO) -> EsxImageError | None:
    """Read everything; return our error if there is one, let any other pass."""
    try:
        read_all(b"", source=source)
    except EsxImageError as error:
        return error
    return None


def header(name: str = "a", *, size: str = "1", mode: str = "0", mtime: str = "0", uid: str = "0") -> bytes:
    return f"{name:<16}{mtime:<12}{uid:<6}{uid:<6}{mode:<8}{size:<10}`\n".encode("latin-1")


def archive(*parts: bytes) -> bytes:
    return AR_MAGIC + b"".join(parts)


def real_vibs() -> list[tuple[str, bytes]]:
    root = os.environ.get("ESXIMAGE_REALDATA")
    if not root:
        pytest.skip("ESXIMAGE_REALDATA is not set: no real VIBs at hand")
    found = [(path.name, path.read_bytes()) for path in sorted(Path(root, "vibs").rglob("*.vib"))]
    for path in sorted(Path(root, "bundles").rglob("*.zip")):
        with zipfile.ZipFile(path) as bundle:
            found += [(path.name, bundle.read(name)) for name in bundle.namelist() if name.endswith(".vib")]
    return found


def test_the_written_bytes_are_the_ones_vmware_writes() -> None:
    assert render_ar(MEMBERS) == (
        b"!<arch>\n"
        b"descriptor.xml  0           0     0     0       7         `\n<vib/>!\n"
        b"sig.pkcs7       0           0     0     0       0         `\n"
        b"payload1        0           0     0     0       3         `\nPAY\n"
    )


@pytest.mark.parametrize("open_source", [io.BytesIO, one_way], ids=["seekable", "one-way"])
def test_what_is_written_is_read_back_in_order(open_source: Any) -> None:
    assert read_all(b"", source=open_source(render_ar(MEMBERS))) == MEMBERS


def test_the_index_gives_offsets_without_reading_the_data() -> None:
    source = Seeks(render_ar([("descriptor.xml", b"<vib/>"), ("big", bytes(1_000_000)), ("last", b"xyz")]))

    index = read_ar_index(source, where=WHERE, limits=LIMITS)

    assert index == (
        ArMember(name="descriptor.xml", offset=68, size_bytes=6),
        ArMember(name="big", offset=134, size_bytes=1_000_000),
        ArMember(name="last", offset=1_000_194, size_bytes=3),
    )
    assert source.read_bytes < 300


@pytest.mark.parametrize(
    ("part", "name"),
    [
        pytest.param(header("descriptor.xml/") + b"x\n", "descriptor.xml", id="gnu-slash"),
        pytest.param(header("abcdefghijklmnop") + b"x\n", "abcdefghijklmnop", id="sixteen-characters"),
        pytest.param(header("two words") + b"x\n", "two words", id="blank-inside"),
        pytest.param(header(mode="0o0") + b"x\n", "a", id="mode-of-python-3"),
        pytest.param(header(mode="100644", mtime="1741081004", uid="29215") + b"x\n", "a", id="gnu-numbers"),
        pytest.param(header(mode="?", mtime="yesterday") + b"x\n", "a", id="nonsense-in-fields-not-looked-at"),
        pytest.param(header(size="   1") + b"x\n", "a", id="size-right-aligned"),
        pytest.param(header() + b"x", "a", id="no-pad-byte-at-the-very-end"),
    ],
)
def test_headers_of_real_writers_are_read(part: bytes, name: str) -> None:
    assert read_all(archive(part)) == [(name, b"x")]


@pytest.mark.parametrize(
    ("data", "error", "message", "where"),
    [
        pytest.param(b"", MALFORMED, "this is no ar archive", WHERE, id="empty"),
        pytest.param(b"!<arch>\r\nx", MALFORMED, "this is no ar archive", WHERE, id="crlf"),
        pytest.param(b"PK\3\4....", MALFORMED, "this is no ar archive", WHERE, id="zip"),
        pytest.param(archive(header()[:59]), MALFORMED, "no member header", "x.vib, byte 8", id="short-header"),
        pytest.param(
            archive(header(), b"x\n", b"\n"), MALFORMED, "no member header", "x.vib, byte 70", id="trailing-byte"
        ),
        pytest.param(
            archive(header(), b"x\0", header("b"), b"x\n"),
            MALFORMED,
            "not followed by a line feed",
            "x.vib, byte 69",
            id="nul-pad",
        ),
        pytest.param(archive(header(size="2"), b"x"), MALFORMED, "ends inside a member", "x.vib!a", id="cut-in-data"),
        pytest.param(archive(header(size="-1")), MALFORMED, "is no number", "x.vib, byte 8", id="negative-size"),
        pytest.param(archive(header(size="0x1")), MALFORMED, "is no number", "x.vib, byte 8", id="hex-size"),
        pytest.param(archive(header(size="")), MALFORMED, "is no number", "x.vib, byte 8", id="no-size"),
        pytest.param(archive(header(size="1 1")), MALFORMED, "is no number", "x.vib, byte 8", id="two-sizes"),
        pytest.param(
            archive(header("//")), MALFORMED, "long-name or symbol table", "x.vib, byte 8", id="gnu-long-names"
        ),
        pytest.param(archive(header("/")), MALFORMED, "long-name or symbol table", "x.vib, byte 8", id="gnu-symbols"),
        pytest.param(
            archive(header("/0")), MALFORMED, "long-name or symbol table", "x.vib, byte 8", id="gnu-reference"
        ),
        pytest.param(
            archive(header("#1/20")), MALFORMED, "long-name or symbol table", "x.vib, byte 8", id="bsd-long-name"
        ),
        pytest.param(archive(header("")), UNSAFE, "is empty", "x.vib, byte 8", id="no-name"),
        pytest.param(archive(header("../x")), UNSAFE, "is a path", "x.vib, byte 8", id="path"),
        pytest.param(archive(header("../")), UNSAFE, "is a path", "x.vib, byte 8", id="dots-and-slash"),
        pytest.param(archive(header("a\0b")), UNSAFE, "no printable ASCII", "x.vib, byte 8", id="nul-in-name"),
        pytest.param(archive(header("\xe4")), UNSAFE, "no printable ASCII", "x.vib, byte 8", id="latin-1-name"),
        pytest.param(
            archive(header(), b"x\n", header("a/"), b"x\n"),
            UNSAFE,
            "two members are named 'a'",
            "x.vib, byte 70",
            id="one-name-twice",
        ),
    ],
)
def test_what_no_vib_has_is_refused(data: bytes, error: type[EsxImageError], message: str, where: str) -> None:
    for source in (io.BytesIO(data), one_way(data)):
        with pytest.raises(error) as caught:
            read_all(data, source=source)

        assert message in caught.value.message
        assert caught.value.where == where


@pytest.mark.parametrize(
    ("start", "hint"),
    [
        pytest.param(b"!<arch>\r\ndescriptor", "transfer the file in binary mode", id="crlf"),
        pytest.param(b"version https://git-lfs", "git lfs pull", id="lfs-pointer"),
        pytest.param(b"PK\3\4", "open it as a depot", id="zip"),
        pytest.param(b"", "download the file again", id="empty"),
    ],
)
def test_each_kind_of_wrong_file_gets_its_own_advice(start: bytes, hint: str) -> None:
    with pytest.raises(MalformedDocumentError) as caught:
        read_all(start)

    assert hint in caught.value.hint


def test_a_large_member_that_is_cut_is_noticed_when_it_is_skipped_by_seeking() -> None:
    whole = render_ar([("big", bytes(1_000_000)), ("last", b"x")])

    with pytest.raises(MalformedDocumentError, match="ends inside a member"):
        list(ArStream(io.BytesIO(whole[:500_000]), where=WHERE, limits=LIMITS))


def test_a_size_beyond_the_end_is_refused_before_it_is_read() -> None:
    data = archive(header(size="1000"), b"x\n")

    with pytest.raises(MalformedDocumentError) as caught:
        read_ar_index(io.BytesIO(data), where=WHERE, limits=LIMITS)

    assert caught.value.found == "1000 bytes"
    assert caught.value.expected == "at most 2 bytes"


@pytest.mark.parametrize(
    ("limits", "field"),
    [
        pytest.param(ReadLimits(member_count=2), "member_count", id="members"),
        pytest.param(ReadLimits(vib_bytes=195), "vib_bytes", id="bytes"),
    ],
)
def test_limits_hold(limits: ReadLimits, field: str) -> None:
    with pytest.raises(LimitExceededError, match="than the limit") as caught:
        read_all(render_ar(MEMBERS), limits=limits)

    assert f"ReadLimits({field}=...)" in caught.value.hint


def test_a_member_stream_ends_with_its_member_and_closes_when_the_archive_advances() -> None:
    stream = ArStream(io.BytesIO(render_ar(MEMBERS)), where=WHERE, limits=LIMITS)
    _, first = next(stream)

    assert first.read(3) == b"<vi"
    buffer = bytearray(100)
    assert first.readinto(buffer) == 4  # type: ignore[attr-defined]
    assert buffer[:4] == b"b/>!"
    assert first.read(1) == b""
    member, _ = next(stream)
    assert member.name == "sig.pkcs7"
    with pytest.raises(ValueError, match="moved on"):
        first.read()


def test_a_member_stream_can_be_buffered() -> None:
    _, first = next(ArStream(io.BytesIO(render_ar(MEMBERS)), where=WHERE, limits=LIMITS))

    assert io.BufferedReader(cast("io.RawIOBase", first)).read() == b"<vib/>!"


def test_a_member_stream_that_its_user_closed_is_still_skipped() -> None:
    stream = ArStream(one_way(render_ar(MEMBERS)), where=WHERE, limits=LIMITS)
    _, first = next(stream)
    first.close()

    assert [member.name for member, _ in stream] == ["sig.pkcs7", "payload1"]


def test_nothing_more_comes_after_an_error() -> None:
    stream = ArStream(io.BytesIO(archive(b"rubbish" * 20, header(), b"x\n")), where=WHERE, limits=LIMITS)
    with pytest.raises(MalformedDocumentError):
        next(stream)

    assert list(stream) == []


@pytest.mark.parametrize(
    ("name", "size_bytes"),
    [
        pytest.param("", 1, id="empty"),
        pytest.param("seventeen-letters", 1, id="too-long"),
        pytest.param("a/b", 1, id="slash"),
        pytest.param(" a", 1, id="leading-blank"),
        pytest.param("#1", -1, id="negative-size"),
        pytest.param("a", 10**10, id="too-large"),
        pytest.param("\N{SNOWMAN}", 1, id="not-ascii"),
        pytest.param("__.SYMDEF", 1, id="symbol-table"),
    ],
)
def test_a_header_that_could_not_be_read_back_is_not_written(name: str, size_bytes: int) -> None:
    with pytest.raises(ModelError):
        render_ar_header(name, size_bytes)


def test_two_members_of_one_name_are_not_written() -> None:
    with pytest.raises(ModelError, match="one name"):
        render_ar([("a", b""), ("a", b"")])


NAMES = st.text(
    st.characters(min_codepoint=0x21, max_codepoint=0x7E, exclude_characters="/\\"), min_size=1, max_size=16
)


@given(st.dictionaries(NAMES.filter(lambda name: name not in (".", "..")), st.binary(max_size=40)))
def test_any_members_survive(members: dict[str, bytes]) -> None:
    members = {name: data for name, data in members.items() if not name.startswith("__.SYMDEF")}

    assert read_all(render_ar(members.items())) == list(members.items())


@settings(max_examples=200)
@given(st.data())
def test_mutated_archives_raise_only_our_errors(data: st.DataObject) -> None:
    mutated = bytearray(render_ar(MEMBERS))
    for _ in range(data.draw(st.integers(1, 4))):
        mutated[data.draw(st.integers(0, len(mutated) - 1))] = data.draw(st.integers(0, 255))
    cut = bytes(mutated[: data.draw(st.integers(0, len(mutated)))])
    for source in (io.BytesIO(cut), one_way(cut)):
        error = refusal(source)
        assert error is None or error.where.startswith(WHERE)
    with contextlib.suppress(EsxImageError):
        read_ar_index(io.BytesIO(cut), where=WHERE, limits=LIMITS)


@given(st.binary(max_size=200))
def test_arbitrary_bytes_raise_only_our_errors(data: bytes) -> None:
    for start in (b"", AR_MAGIC):
        error = refusal(io.BytesIO(start + data))
        assert error is None or error.where.startswith(WHERE)


def test_the_ar_tool_reads_what_is_written(tmp_path: Path) -> None:
    if shutil.which("ar") is None:
        pytest.skip("no ar on the PATH")
    (tmp_path / "x.vib").write_bytes(render_ar(MEMBERS))

    listed = subprocess.run(["ar", "t", "x.vib"], cwd=tmp_path, capture_output=True, text=True, check=True)
    payload = subprocess.run(["ar", "p", "x.vib", "payload1"], cwd=tmp_path, capture_output=True, check=True)

    assert listed.stdout.split() == [name for name, _ in MEMBERS]
    assert payload.stdout == b"PAY"


def test_real_vibs_have_descriptor_signature_and_one_payload() -> None:
    vibs = real_vibs()

    assert vibs
    for name, data in vibs:
        index = read_ar_index(io.BytesIO(data), where=name, limits=LIMITS)
        assert [member.name for member in index][:2] == ["descriptor.xml", "sig.pkcs7"], name
        assert len(index) == 3, name
        read = read_all(data, source=one_way(data))
        assert [data[member.offset : member.offset + member.size_bytes] for member in index] == [
            content for _, content in read
        ]
        if b"0o0" not in data[:68] and b"100644" not in data[:68]:
            assert render_ar(read) == data, name


def test_the_real_vib_with_converted_line_ends_is_named_as_such() -> None:
    root = os.environ.get("ESXIMAGE_REALDATA")
    if not root:
        pytest.skip("ESXIMAGE_REALDATA is not set: no real VIBs at hand")
    mangled = [path for path in Path(root, "vibs").rglob("*") if path.suffix == ".podman"]
    assert mangled

    with mangled[0].open("rb") as source, pytest.raises(MalformedDocumentError) as caught:
        read_ar_index(source, where=WHERE, limits=LIMITS)

    assert caught.value.found == "an ar archive whose line ends were converted"
