"""Taking VIBs apart: the same files come out, nothing leads outside, nothing is eaten."""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import tarfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs
import pytest
from support.vib_sources import AGENT, AGENT_TOML, DRIVER, DRIVER_TOML, lay_out, standing_in

import esximage_builder as eib
from esximage_builder.authoring.extract import extract_vib
from esximage_builder.authoring.vib import AuthoredPayload, author_vib, boot_payload, tgz_payload, vgz_payload
from esximage_builder.authoring.vib_of_files import make_vib, write_vib
from esximage_builder.checksums import Checksum
from esximage_builder.containers.ar import render_ar
from esximage_builder.containers.gzip import stored_gzip
from esximage_builder.documents.vib_description import parse_vib_description
from esximage_builder.documents.vib_descriptor import render_vib_descriptor
from esximage_builder.errors import (
    ChecksumMismatchError,
    DepotError,
    EsxImageError,
    ExportError,
    LimitExceededError,
    NotADepotError,
    UnsafeArchiveError,
)
from esximage_builder.limits import ReadLimits
from esximage_builder.models.vib import Payload, Vib
from esximage_builder.versions import VibVersion

if TYPE_CHECKING:
    from collections.abc import Mapping

CASES = pytest.mark.parametrize(("laid", "text"), [(AGENT, AGENT_TOML), (DRIVER, DRIVER_TOML)], ids=["agent", "driver"])


def written(folder: Path, laid: Mapping[str, Any], text: str) -> Path:
    (folder / "vib.toml").write_text(text)
    write_vib(lay_out(folder / "source", laid), folder / "vib.toml", folder / "x.vib")
    return folder / "x.vib"


def names_in(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def installed(laid: Mapping[str, Any]) -> dict[str, Any]:
    """What the VIB of a layout installs."""
    if laid is not DRIVER:
        return dict(laid)
    return {name.removeprefix("flux/"): item for name, item in laid.items() if name.startswith("flux/")}


# The same comes out


@CASES
def test_files_modes_and_links_come_out_the_same(tmp_path: Path, laid: Mapping[str, Any], text: str) -> None:
    vib = written(tmp_path, laid, text)
    old = os.umask(0o027)
    try:
        extracted = extract_vib(vib, tmp_path / "out")
    finally:
        os.umask(old)

    assert standing_in(tmp_path / "out") == installed(laid)
    assert [name.rstrip("/") for name in extracted.entries] == sorted(installed(laid), key=lambda name: name.split("/"))
    assert extracted.left_out == (("README",) if laid is DRIVER else ())


@CASES
def test_dates_come_out_the_same(tmp_path: Path, laid: Mapping[str, Any], text: str) -> None:
    extracted = extract_vib(written(tmp_path, laid, text), tmp_path / "out")
    assert extracted.vib.released_at is not None

    assert {int(path.lstat().st_mtime) for path in (tmp_path / "out").rglob("*")} == {
        int(extracted.vib.released_at.timestamp())
    }


@CASES
def test_a_stage_makes_the_same_vib_again(tmp_path: Path, laid: Mapping[str, Any], text: str) -> None:
    vib = written(tmp_path, laid, text.replace("uncompressed-size = true\n", ""))
    extract_vib(vib, tmp_path / "stage", as_stage=True)
    write_vib(tmp_path / "stage/payloads", tmp_path / "stage/vib.toml", tmp_path / "again.vib")

    assert (tmp_path / "again.vib").read_bytes() == vib.read_bytes()
    assert (tmp_path / "stage/descriptor.xml").read_bytes().startswith(b"<vib ")
    assert not (tmp_path / "stage/sig.pkcs7").exists()


def test_a_stage_has_boot_modules_unpacked_and_a_signature_if_there_is_one(tmp_path: Path) -> None:
    made = _vib(boot_payload("k", b"kernel"), vgz_payload("v", {"a": b"a"}))
    members = {"descriptor.xml": render_vib_descriptor(made[0]), "sig.pkcs7": b"signature", **made[1]}
    (tmp_path / "x.vib").write_bytes(render_ar(members.items()))
    extracted = extract_vib(tmp_path / "x.vib", tmp_path / "out", as_stage=True)

    assert (tmp_path / "out/payloads/k").read_bytes() == b"kernel"
    assert (tmp_path / "out/payloads/v/a").read_bytes() == b"a"
    assert (tmp_path / "out/sig.pkcs7").read_bytes() == b"signature"
    assert extracted.left_out == ()


def test_a_payload_in_zstandard_form_is_taken_apart(tmp_path: Path) -> None:
    zstd = pytest.importorskip("backports.zstd")
    tree = gzip.decompress(vgz_payload("z", {"opt/a": b"a" * 5000}).data)
    data = stored_gzip(zstd.compress(tree))
    _write(tmp_path / "x.vib", _payload("z", data, type="vzstd"), data)
    extract_vib(tmp_path / "x.vib", tmp_path / "out")

    assert (tmp_path / "out/opt/a").read_bytes() == b"a" * 5000


# Hostile VIBs


def _vib(*payloads: AuthoredPayload) -> tuple[Vib, dict[str, bytes]]:
    bare = Vib(name="a", version=VibVersion("1-1"), vendor="A", summary="s")
    return (
        attrs.evolve(bare, payloads=[item.payload for item in payloads]),
        {item.payload.name: item.data for item in payloads},
    )


def _payload(name: str, data: bytes, *, type: str = "tgz") -> Payload:  # noqa: A002 - the descriptor's own word
    return Payload(
        name=name, type=type, size_bytes=len(data), checksums=[Checksum("sha-256", hashlib.sha256(data).hexdigest())]
    )


def _write(path: Path, payload: Payload, data: bytes) -> None:
    vib = Vib(name="a", version=VibVersion("1-1"), vendor="A", summary="s", payloads=[payload])
    members = {"descriptor.xml": render_vib_descriptor(vib), "sig.pkcs7": b"", payload.name: data}
    path.write_bytes(render_ar(members.items()))


def hostile(folder: Path, *items: tarfile.TarInfo, content: bytes = b"") -> Path:
    """A VIB of a tar that no tool of ours would write."""
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w", format=tarfile.GNU_FORMAT) as archive:
        for item in items:
            item.size = len(content) if item.isreg() else 0
            archive.addfile(item, io.BytesIO(content if item.isreg() else b""))
    data = stored_gzip(target.getvalue())
    _write(folder / "x.vib", _payload("p", data), data)
    return folder / "x.vib"


def entry(name: str, kind: bytes = tarfile.REGTYPE, target: str = "", mode: int = 0o644) -> tarfile.TarInfo:
    made = tarfile.TarInfo(name)
    made.type, made.linkname, made.mode = kind, target, mode
    return made


HOSTILE = {
    "upwards": ([entry("../evil")], UnsafeArchiveError),
    "upwards inside": ([entry("a/../../evil")], UnsafeArchiveError),
    "absolute": ([entry("/opt/evil")], UnsafeArchiveError),
    "backslash": ([entry("..\\evil")], UnsafeArchiveError),
    "escape sequence": ([entry("a\x1b[2J")], UnsafeArchiveError),
    "through a link": ([entry("l", tarfile.SYMTYPE, ".."), entry("l/evil")], UnsafeArchiveError),
    "through a link inside": ([entry("d/x"), entry("l", tarfile.SYMTYPE, "d"), entry("l/evil")], UnsafeArchiveError),
    "file, then folder": ([entry("a"), entry("a/evil")], UnsafeArchiveError),
    "twice": ([entry("a"), entry("a")], UnsafeArchiveError),
    "link, then file": ([entry("a", tarfile.SYMTYPE, "b"), entry("a")], UnsafeArchiveError),
    "link upwards": ([entry("l", tarfile.SYMTYPE, "../evil")], UnsafeArchiveError),
    "link absolute": ([entry("l", tarfile.SYMTYPE, "/etc/passwd")], UnsafeArchiveError),
    "link by a link": ([entry("d/e/l", tarfile.SYMTYPE, "../.."), entry("m", tarfile.SYMTYPE, "d/e/l/../..")],
                       UnsafeArchiveError),
    "hard link": ([entry("l", tarfile.LNKTYPE, "/etc/passwd")], UnsafeArchiveError),
    "character device": ([entry("d", tarfile.CHRTYPE)], UnsafeArchiveError),
    "block device": ([entry("d", tarfile.BLKTYPE)], UnsafeArchiveError),
    "named pipe": ([entry("d", tarfile.FIFOTYPE)], UnsafeArchiveError),
    "set-user-id": ([entry("d", mode=0o4755)], UnsafeArchiveError),
    "set-group-id": ([entry("d", tarfile.DIRTYPE, mode=0o2755)], UnsafeArchiveError),
}  # fmt: skip


@pytest.mark.parametrize("as_stage", [False, True], ids=["files", "stage"])
@pytest.mark.parametrize("overwrite", [False, True], ids=["new", "force"])
@pytest.mark.parametrize(("items", "error"), HOSTILE.values(), ids=HOSTILE)
def test_nothing_appears_outside_and_nothing_inside(
    tmp_path: Path, items: list[tarfile.TarInfo], error: type[EsxImageError], *, as_stage: bool, overwrite: bool
) -> None:
    home = tmp_path / "home"
    home.mkdir()
    vib = hostile(home, *items, content=b"evil")
    if overwrite:
        (home / "out").mkdir()
        (home / "out/mine").write_bytes(b"mine")
    before = standing_in(tmp_path)
    with pytest.raises(error) as caught:
        extract_vib(vib, home / "out", as_stage=as_stage, overwrite=overwrite)

    assert str(vib) in caught.value.where or caught.value.where.startswith("A_bootbank")
    assert standing_in(tmp_path) == before


@pytest.mark.parametrize("target", ["/opt/acme", "../../x", "d/../../x"])
def test_who_trusts_a_vib_gets_its_links_and_bits(tmp_path: Path, target: str) -> None:
    vib = hostile(tmp_path, entry("l", tarfile.SYMTYPE, target), entry("d", mode=0o4755), content=b"x")
    with pytest.raises(UnsafeArchiveError) as caught:
        extract_vib(vib, tmp_path / "out")
    assert "--trusted" in caught.value.hint
    extract_vib(vib, tmp_path / "out", is_trusted=True)

    assert standing_in(tmp_path / "out") == {"l": (0o777, target), "d": (0o4755, b"x")}


@pytest.mark.parametrize(
    "pair",
    [
        pytest.param(({"opt/a": b"1"}, {"opt/a": b"2"}), id="one file"),
        pytest.param(({"opt": b"1"}, {"opt/a": b"2"}), id="file above"),
    ],
)
def test_two_payloads_with_one_name_go_into_a_stage_alone(tmp_path: Path, pair: tuple[dict[str, bytes], ...]) -> None:
    vib, members = _vib(*(tgz_payload(f"p{number}", files) for number, files in enumerate(pair)))
    whole = {"descriptor.xml": render_vib_descriptor(vib), "sig.pkcs7": b"", **members}
    (tmp_path / "x.vib").write_bytes(render_ar(whole.items()))
    with pytest.raises(UnsafeArchiveError):
        extract_vib(tmp_path / "x.vib", tmp_path / "out")
    assert not (tmp_path / "out").exists()
    extract_vib(tmp_path / "x.vib", tmp_path / "out", as_stage=True)
    assert [
        (tmp_path / f"out/payloads/p{number}" / name).read_bytes() for number, name in ((0, min(pair[0])), (1, "opt/a"))
    ] == [b"1", b"2"]


@pytest.mark.parametrize("position", [0.1, 0.5, 0.9])
def test_a_payload_that_is_not_what_the_descriptor_says_is_not_used(tmp_path: Path, position: float) -> None:
    vib = written(tmp_path, AGENT, AGENT_TOML)
    data = bytearray(vib.read_bytes())
    start = data.index(b"\x1f\x8b")
    data[start + int((len(data) - start) * position)] ^= 1
    vib.write_bytes(data)
    with pytest.raises(ChecksumMismatchError):
        extract_vib(vib, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_cut_short_vibs_leave_nothing(tmp_path: Path) -> None:
    vib = written(tmp_path, AGENT, AGENT_TOML)
    whole = vib.read_bytes()
    for length in (0, 7, 30, 100, 1500, len(whole) - 2000, len(whole) - 2):
        vib.write_bytes(whole[:length])
        with pytest.raises(DepotError):
            extract_vib(vib, tmp_path / "out")
    assert names_in(tmp_path) == {"source", "vib.toml", "x.vib"}


def test_a_bomb_stops_at_the_limit_of_all_payloads_together(tmp_path: Path) -> None:
    bombs = [boot_payload(name, bytes(300_000)) for name in ("a", "b")]
    vib, _ = _vib(*bombs)
    members = {item.payload.name: gzip.compress(bytes(300_000), mtime=0) for item in bombs}
    vib = attrs.evolve(
        vib, payloads=[attrs.evolve(_payload(name, data), type="boot") for name, data in members.items()]
    )
    whole = {"descriptor.xml": render_vib_descriptor(vib), "sig.pkcs7": b"", **members}
    (tmp_path / "x.vib").write_bytes(render_ar(whole.items()))

    extract_vib(tmp_path / "x.vib", tmp_path / "enough", as_stage=True, limits=ReadLimits(payload_bytes=600_000))
    with pytest.raises(LimitExceededError):
        extract_vib(tmp_path / "x.vib", tmp_path / "out", as_stage=True, limits=ReadLimits(payload_bytes=500_000))
    assert not (tmp_path / "out").exists()


def test_what_is_no_vib_is_told(tmp_path: Path) -> None:
    (tmp_path / "x.vib").write_bytes(b"PK\x03\x04")
    with pytest.raises(NotADepotError):
        extract_vib(tmp_path / "x.vib", tmp_path / "out")


# The target


def test_a_folder_with_files_is_refused(tmp_path: Path) -> None:
    vib = written(tmp_path, AGENT, AGENT_TOML)
    lay_out(tmp_path / "out", {"mine": (0o644, b"mine")})
    before = standing_in(tmp_path / "out")
    with pytest.raises(ExportError, match="there already"):
        extract_vib(vib, tmp_path / "out")
    assert standing_in(tmp_path / "out") == before


@CASES
def test_force_replaces_files_of_the_vib_and_no_other(tmp_path: Path, laid: Mapping[str, Any], text: str) -> None:
    vib = written(tmp_path, laid, text)
    mine: dict[str, Any] = {
        "mine": (0o600, b"mine"),
        "opt": (0o755, None),
        "opt/acme": (0o755, None),
        "opt/acme/conf": (0o644, b"old"),
    }
    out = lay_out(tmp_path / "out", mine)
    extract_vib(vib, out, overwrite=True)

    assert standing_in(out) == mine | installed(laid)
    assert names_in(tmp_path) == {"source", "vib.toml", "x.vib", "out"}


def test_force_needs_no_folder_with_files(tmp_path: Path) -> None:
    vib = written(tmp_path, AGENT, AGENT_TOML)
    (tmp_path / "empty").mkdir()
    for name in ("new", "empty"):
        extract_vib(vib, tmp_path / name, overwrite=True)
        assert standing_in(tmp_path / name) == dict(AGENT)


@pytest.mark.parametrize(
    "obstacle",
    [
        pytest.param({"etc": (0o777, "../elsewhere")}, id="link where a folder belongs"),
        pytest.param({"opt": (0o644, b"file")}, id="file where a folder belongs"),
        pytest.param({"etc": (0o755, None), "etc/acme.conf": (0o755, None)}, id="folder where a file belongs"),
    ],
)
def test_force_follows_no_link_and_takes_nothing_away(tmp_path: Path, obstacle: dict[str, Any]) -> None:
    vib = written(tmp_path, AGENT, AGENT_TOML)
    lay_out(tmp_path / "elsewhere", {"acme.conf": (0o644, b"precious")})
    lay_out(tmp_path / "out", {"mine": (0o600, b"mine"), **obstacle})
    before = standing_in(tmp_path)
    with pytest.raises(ExportError, match="something is in the way"):
        extract_vib(vib, tmp_path / "out", overwrite=True)
    assert standing_in(tmp_path) == before


def test_force_replaces_a_link_and_not_what_it_leads_to(tmp_path: Path) -> None:
    vib = written(tmp_path, AGENT, AGENT_TOML)
    (tmp_path / "precious").write_bytes(b"precious")
    lay_out(tmp_path / "out", {"etc": (0o755, None), "etc/acme.conf": (0o777, "../../precious")})
    extract_vib(vib, tmp_path / "out", overwrite=True)

    assert standing_in(tmp_path / "out") == dict(AGENT)
    assert (tmp_path / "precious").read_bytes() == b"precious"


def test_force_never_replaces_the_vib_itself(tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    made = author_vib(
        parse_vib_description(AGENT_TOML.encode(), where="x", max_bytes=1000).vib,
        [vgz_payload("p", {"x.vib": b"evil"})],
    )
    (out / "x.vib").write_bytes(made.data)
    with pytest.raises(ExportError) as caught:
        extract_vib(out / "x.vib", out, overwrite=True)
    assert caught.value.found == "the file that is read"
    assert (out / "x.vib").read_bytes() == made.data


@pytest.mark.parametrize("name", ["x.vib", "link", "no/such", "a\0b"])
@pytest.mark.parametrize("overwrite", [False, True])
def test_odd_targets_are_our_errors(tmp_path: Path, name: str, *, overwrite: bool) -> None:
    vib = written(tmp_path, AGENT, AGENT_TOML)
    lay_out(tmp_path / "full", {"mine": (0o644, b"mine")})
    (tmp_path / "link").symlink_to("full")
    before = standing_in(tmp_path)
    with pytest.raises(EsxImageError):
        extract_vib(vib, tmp_path / name, overwrite=overwrite)
    assert standing_in(tmp_path) == before


def test_a_vib_made_in_memory_and_one_taken_apart_say_the_same(tmp_path: Path) -> None:
    description = parse_vib_description(AGENT_TOML.encode(), where="x", max_bytes=1000)
    made = make_vib(lay_out(tmp_path / "source", AGENT), description)
    (tmp_path / "x.vib").write_bytes(made.data)

    assert extract_vib(tmp_path / "x.vib", tmp_path / "out").vib == made.vib
    assert eib.verify_vib(tmp_path / "x.vib").is_passed
