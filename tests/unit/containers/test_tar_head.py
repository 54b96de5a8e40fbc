"""The first names in a ``.tgz``: enough to say what it is, from any beginning of it."""

from __future__ import annotations

import gzip
import io
import tarfile

import pytest
from hypothesis import given, strategies as st

from esximage_builder.containers.tar_gz import render_tgz
from esximage_builder.containers.tar_head import first_member_names

FILES = {"var/db/esximg/profiles/p": b"x" * 700, "var/db/esximg/vibs/a.xml": b"<vib/>", "z": b""}


def tarred(form: int, *names: str) -> bytes:
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w:gz", format=form) as archive:
        for name in names:
            info = tarfile.TarInfo(name)
            info.type = tarfile.DIRTYPE if name.endswith("/") else tarfile.REGTYPE
            archive.addfile(info)
    return target.getvalue()


def test_names_come_in_order_and_the_end_is_no_name() -> None:
    assert first_member_names(render_tgz(FILES.items())) == list(FILES)


@pytest.mark.parametrize("form", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_each_form_of_tar_is_understood(form: int) -> None:
    assert first_member_names(tarred(form, "./var/", "var/a", "b")) == ["var/", "var/a", "b"]


def test_a_long_name_of_ustar_is_put_together() -> None:
    name = f"{'folder/' * 15}name"
    assert first_member_names(tarred(tarfile.USTAR_FORMAT, name)) == [name]


@given(keep=st.integers(0, 3000))
def test_a_beginning_gives_the_first_names(keep: int) -> None:
    names = first_member_names(render_tgz(FILES.items())[:keep])
    assert names == list(FILES)[: len(names)]


@given(data=st.binary(max_size=2000), is_packed=st.booleans())
def test_whatever_it_is_nothing_is_raised(data: bytes, *, is_packed: bool) -> None:
    assert isinstance(first_member_names(gzip.compress(data) if is_packed else b"\x1f\x8b\x08" + data), list)


@pytest.mark.parametrize("size", [b"99999999999", b"-0000000001", b"\x80" + bytes(10), b"00000000008", b"          "])
def test_an_impossible_size_ends_the_list(size: bytes) -> None:
    tar = bytearray(gzip.decompress(render_tgz(FILES.items())))
    tar[124:135] = size
    assert first_member_names(gzip.compress(bytes(tar))) == []


def test_a_small_file_does_not_unpack_to_much() -> None:
    """A head that claims a huge first member costs a bounded piece of memory."""
    header = gzip.decompress(render_tgz([("a", b"")]))[:512]
    assert first_member_names(gzip.compress(header + bytes(1 << 25))) == ["a"]
