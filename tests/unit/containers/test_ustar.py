"""The header that tar and vmtar share, as Python's own reader takes it apart."""

from __future__ import annotations

import struct
import tarfile

import pytest
from hypothesis import given, strategies as st

from esximage_builder.containers.ustar import (
    BLOCK_BYTES,
    LARGEST_OCTAL,
    USTAR_MAGIC,
    VISOR_MAGIC,
    checksum_of,
    render_header,
    split_name,
)


@given(
    name=st.text("abc/.", min_size=1, max_size=100).filter(lambda name: name.rstrip("/")),
    size_bytes=st.integers(0, LARGEST_OCTAL),
    mode=st.integers(0, 0o7777),
    timestamp=st.integers(0, LARGEST_OCTAL),
    magic=st.sampled_from((USTAR_MAGIC, VISOR_MAGIC)),
)
def test_another_reader_finds_what_was_written(
    name: str, size_bytes: int, mode: int, timestamp: int, magic: bytes
) -> None:
    """The checksum is right too: ``frombuf`` refuses a wrong one."""
    header = render_header(name.encode(), kind=b"0", size_bytes=size_bytes, mode=mode, timestamp=timestamp, magic=magic)
    info = tarfile.TarInfo.frombuf(header, "utf-8", "strict")

    assert len(header) == BLOCK_BYTES
    assert info.name.rstrip("/") == name.rstrip("/")
    assert (info.size, info.mode, info.mtime) == (size_bytes, mode, timestamp)
    assert (info.uid, info.gid, info.uname, info.gname) == (0, 0, "root", "root")
    assert header[257:265] == magic
    assert checksum_of(header) == int(header[148:154], 8)


def test_what_follows_the_owner_is_each_format_s_own() -> None:
    fields = {"kind": b"0", "size_bytes": 1, "mode": 0o644, "timestamp": 0}
    tar = render_header(b"b", after_owner=bytes(16) + b"prefix", **fields)  # type: ignore[arg-type]
    vmtar = render_header(
        b"b",
        magic=VISOR_MAGIC,
        after_owner=bytes(167) + struct.pack("<I", 4096),
        **fields,  # type: ignore[arg-type]
    )
    assert tarfile.TarInfo.frombuf(tar, "utf-8", "strict").name == "prefix/b"
    assert struct.unpack_from("<I", vmtar, 496) == (4096,)
    assert len(tar) == len(vmtar) == BLOCK_BYTES


@pytest.mark.parametrize(
    ("raw", "split"),
    [
        pytest.param(b"a" * 100, (b"", b"a" * 100), id="as long as the field"),
        pytest.param(b"a" * 101, None, id="no slash"),
        pytest.param(b"a/" + b"b" * 100, (b"a", b"b" * 100), id="slash"),
        pytest.param(b"a" * 155 + b"/" + b"b" * 100, (b"a" * 155, b"b" * 100), id="both full"),
        pytest.param(b"a" * 156 + b"/" + b"b" * 100, None, id="prefix too long"),
        pytest.param(b"/" + b"b" * 100, None, id="nothing before the slash"),
    ],
)
def test_a_long_name_is_split_at_a_slash(raw: bytes, split: tuple[bytes, bytes] | None) -> None:
    assert split_name(raw) == split
