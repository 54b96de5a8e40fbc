"""Names of archive members: what is unsafe in one container is unsafe in all."""

from __future__ import annotations

import io
import tarfile
import zipfile
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, strategies as st

from esximage_builder.containers.iso9660 import IsoFile, lay_out_iso
from esximage_builder.containers.iso9660_reader import open_iso
from esximage_builder.containers.member_name import name_problem
from esximage_builder.containers.tar_gz import TarGzReader, render_tgz
from esximage_builder.containers.vmtar import render_vmtar
from esximage_builder.containers.zip import open_zip
from esximage_builder.containers.zip_writer import render_zip
from esximage_builder.errors import ModelError, UnsafeArchiveError
from esximage_builder.limits import ReadLimits

if TYPE_CHECKING:
    from collections.abc import Callable

LIMITS = ReadLimits()
MOMENT = datetime(2024, 1, 31, tzinfo=UTC)
UNSAFE = {
    "absolute": "/a",
    "absolute on Windows": "\\a",
    "upwards": "../a",
    "upwards inside": "a/../b",
    "upwards at the end": "a/..",
    "here": "./a",
    "here inside": "a/./b",
    "empty part": "a//b",
    "three dots": "a/.../b",
    "dots and a blank": "a/.. /b",
    "blank part": "a/ /b",
    "backslash": "a\\b",
    "drive": "C:a",
    "stream": "a:b",
    "line feed": "a\nb",
    "escape": "a\x1b[2Jb",
    "delete": "a\x7fb",
    "second control set": "a\x9bb",
    "text turned around": "a\u202egpj.vib",
    "line separator": "a\u2028b",
}
ODD_BUT_SAFE = ("a..b", "..a", "a...", ".hidden", "vib20/net-r8168/x y.vib", "a-(1)[2].vib", "größe/文件", "a~1")
OF_ALL_LANGUAGES = ("新しい　フォルダ", "a\u00a0b", "👩\u200d🔧")


def name_in_zip(name: str) -> None:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        info = zipfile.ZipInfo("x")
        info.filename = name  # not what the constructor makes of it
        archive.writestr(info, b"")
    target.seek(0)
    with open_zip(target, where="a.zip", limits=LIMITS):
        pass


def name_in_tgz(name: str) -> None:
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w:gz") as archive:
        archive.addfile(tarfile.TarInfo(name))
    target.seek(0)
    for _ in TarGzReader(target, where="a.tgz", limits=LIMITS):
        pass


def write_zip(name: str) -> None:
    render_zip([(name, b"")])


def write_tgz(name: str) -> None:
    render_tgz([(name, b"")])


def write_vmtar(name: str) -> None:
    render_vmtar([(name, b"")])


WAYS: dict[str, Callable[[str], None]] = {
    "read zip": name_in_zip,
    "write zip": write_zip,
    "read tgz": name_in_tgz,
    "write tgz": write_tgz,
    "write vmtar": write_vmtar,
}
each_way = pytest.mark.parametrize("way", WAYS.values(), ids=list(WAYS))


@pytest.mark.parametrize("name", UNSAFE.values(), ids=list(UNSAFE))
@each_way
def test_an_unsafe_name_is_refused_everywhere(way: Callable[[str], None], name: str) -> None:
    if way is name_in_tgz and name == "./a":
        return  # GNU tar writes it so, and it is read as "a"
    with pytest.raises((UnsafeArchiveError, ModelError)) as caught:
        way(name)
    assert name_problem(name) in str(caught.value)
    assert str(caught.value).replace("\n", "").isprintable()


@pytest.mark.parametrize("name", ODD_BUT_SAFE)
@each_way
def test_what_only_looks_odd_is_taken(way: Callable[[str], None], name: str) -> None:
    way(name)


@pytest.mark.parametrize("name", OF_ALL_LANGUAGES)
def test_zips_hold_what_people_write(name: str) -> None:
    """What counts as printable differs between releases of Python; tools that build images need no such names."""
    name_in_zip(name)
    write_zip(name)
    for way in (name_in_tgz, write_tgz, write_vmtar):
        with pytest.raises((UnsafeArchiveError, ModelError)):
            way(name)


@pytest.mark.parametrize(
    "name", ["A/BC.TXT", "A\\BC.TXT", "A:BC.TXT", "A\x1bBC.TXT", "A\x9bBC.TXT", "A\xa0BC.TXT", " ...    "]
)
def test_an_unsafe_name_on_a_disc_is_refused(name: str) -> None:
    made = lay_out_iso(
        [IsoFile(path="ABCD.TXT", content=b"x")], volume_id="X", bios_boot=None, efi_boot=None, timestamp=MOMENT
    )
    target = io.BytesIO()
    made.write_skeleton(target)
    data = target.getvalue().replace(b"ABCD.TXT", name.encode("latin-1"))
    with pytest.raises(UnsafeArchiveError, match="not safe"):
        open_iso(io.BytesIO(data), where="a.iso", limits=LIMITS)


@given(st.text(st.sampled_from("ab./\\: \n\u202e\x9bü"), max_size=8))
def test_a_safe_name_stays_below_the_target_on_every_system(name: str) -> None:
    if not name_problem(name):
        assert not set(name) & set("\\:\n\u202e\x9b")
        assert all(part.rstrip(". ") for part in name.split("/"))
    assert bool(name_problem(name, is_printable=False)) <= bool(name_problem(name))
