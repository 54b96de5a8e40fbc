"""VIBs of a folder or tar and a description: what comes out, the same bytes everywhere, what is refused."""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import shutil
import socket
import subprocess
import sys
import tarfile
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from support.changed_depots import ROOT, clean_environment
from support.second_vmtar import second_reading
from support.vib_sources import AGENT, AGENT_TOML, DRIVER, DRIVER_TOML, lay_out

import esximage_builder as eib
from esximage_builder.authoring.vib import AuthoredVib, VibSigner
from esximage_builder.authoring.vib_of_files import make_vib, read_vib_description, write_vib
from esximage_builder.containers.ar import read_ar_index
from esximage_builder.containers.vmtar import parse_vmtar
from esximage_builder.documents.vib_description import parse_vib_description
from esximage_builder.errors import ExportError, LimitExceededError, ModelError, SourceUnreadableError
from esximage_builder.limits import ReadLimits

if TYPE_CHECKING:
    from collections.abc import Mapping

LIMITS = ReadLimits()
CASES = pytest.mark.parametrize(("laid", "text"), [(AGENT, AGENT_TOML), (DRIVER, DRIVER_TOML)], ids=["agent", "driver"])


@pytest.fixture(autouse=True)
def no_date(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SOURCE_DATE_EPOCH", raising=False)


def made(source: Path, text: str = AGENT_TOML, **options: Any) -> AuthoredVib:
    return make_vib(source, parse_vib_description(text.encode(), where="vib.toml", max_bytes=10_000), **options)


def payloads_of(authored: AuthoredVib) -> dict[str, bytes]:
    members = read_ar_index(io.BytesIO(authored.data), where="x.vib", limits=LIMITS)
    return {item.name: authored.data[item.offset : item.offset + item.size_bytes] for item in members}


def expanded(authored: AuthoredVib, name: str) -> bytes:
    return gzip.decompress(payloads_of(authored)[name])


# What comes out


@CASES
def test_the_payload_is_read_by_our_own_reader_and_one_of_another_hand(
    tmp_path: Path, laid: Mapping[str, Any], text: str
) -> None:
    authored = made(lay_out(tmp_path / "source", laid), text)
    payload = authored.vib.payloads[0]
    ours = parse_vmtar(expanded(authored, payload.name), where="p")
    theirs = second_reading(expanded(authored, payload.name))

    assert [(item.name, item.mode, item.mtime, item.target) for item in ours] == [
        (item.name.rstrip("/"), item.mode, item.mtime, item.target) for item in theirs
    ]
    prefix = "flux/" if laid is DRIVER else ""
    assert {prefix + item.name.rstrip("/"): (item.mode, item.content, item.target) for item in theirs} == {
        name: (mode, content if isinstance(content, bytes) else b"", content if isinstance(content, str) else "")
        for name, (mode, content) in laid.items()
        if name.startswith(prefix)
    }


@CASES
def test_ar_reads_it(tmp_path: Path, laid: Mapping[str, Any], text: str) -> None:
    if not (ar := shutil.which("ar")):
        pytest.skip("no ar at hand")
    authored = made(lay_out(tmp_path / "source", laid), text)
    (tmp_path / "x.vib").write_bytes(authored.data)
    listed = subprocess.run([ar, "t", "x.vib"], cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    printed = subprocess.run(
        [ar, "p", "x.vib", authored.vib.payloads[-1].name], cwd=tmp_path, capture_output=True, check=True
    ).stdout

    assert listed.split() == ["descriptor.xml", "sig.pkcs7", *(item.name for item in authored.vib.payloads)]
    assert hashlib.sha256(printed).hexdigest() == authored.vib.payloads[-1].checksum("sha-256")


@CASES
def test_both_families_of_checksums_are_there_and_right(tmp_path: Path, laid: Mapping[str, Any], text: str) -> None:
    """ESXi before 8 asks for SHA-1 over the unpacked bytes, 8 and later for SHA-256."""
    authored = made(lay_out(tmp_path / "source", laid), text)
    stored, full = (
        payloads_of(authored)[authored.vib.payloads[0].name],
        expanded(authored, authored.vib.payloads[0].name),
    )

    assert [(item.algorithm, item.verify_process, item.digest) for item in authored.vib.payloads[0].checksums] == [
        ("sha-256", "gunzip", hashlib.sha256(full).hexdigest()),
        ("sha-256", "", hashlib.sha256(stored).hexdigest()),
        ("sha-1", "gunzip", hashlib.sha1(full).hexdigest()),  # noqa: S324 - as the format wants it
    ]
    assert authored.vib.payloads[0].size_bytes == len(stored)
    assert authored.vib.payloads[0].uncompressed_size_bytes == (len(full) if laid is DRIVER else None)


def test_the_file_list_has_every_file_and_link_and_no_folder(tmp_path: Path) -> None:
    assert made(lay_out(tmp_path / "a", AGENT)).vib.files == (
        "etc/acme.conf", "opt/acme/bin/agent", "opt/acme/bin/alias", "opt/acme/conf",
    )  # fmt: skip
    assert made(lay_out(tmp_path / "d", DRIVER), DRIVER_TOML).vib.files == (
        "usr/lib/vmware/flux.bin", "usr/lib/vmware/nothing",
    )  # fmt: skip


@CASES
def test_a_depot_and_a_verifier_take_it(tmp_path: Path, laid: Mapping[str, Any], text: str) -> None:
    (tmp_path / "vib.toml").write_text(text)
    authored = write_vib(lay_out(tmp_path / "source", laid), tmp_path / "vib.toml", tmp_path / "x.vib")

    assert (tmp_path / "x.vib").read_bytes() == authored.data
    assert eib.verify_vib(tmp_path / "x.vib").is_passed
    with eib.open_depot(tmp_path / "x.vib") as depot:
        assert depot.catalog.vibs == (authored.vib,)
        assert not depot.catalog.findings


def test_payloads_come_in_the_order_of_their_tables(tmp_path: Path) -> None:
    authored = made(lay_out(tmp_path / "d", DRIVER), DRIVER_TOML)

    assert [(item.name, item.type, item.boot_order) for item in authored.vib.payloads] == [
        ("flux", "vgz", 7),
        ("README", "text", None),
    ]
    assert payloads_of(authored)["README"] == b"read me\n"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("acme-agent", "acme-age"),
        ("Flux.Driver", "fluxdriv"),
        ("___", "___"),
        ("A.B", "ab"),
        ("1", "1"),
        ("Ü", "payload"),
    ],
)
def test_a_payload_without_name_gets_one_of_the_boot_bank(name: str, expected: str) -> None:
    from esximage_builder.authoring.vib_of_files import _usual_name

    assert _usual_name(name) == expected


@pytest.mark.parametrize("kind", ["tgz", "boot"])
def test_other_types_of_payloads(tmp_path: Path, kind: str) -> None:
    source = lay_out(tmp_path / "s", {"p": (0o755, None), "p/opt": (0o755, None), "p/opt/a": (0o644, b"a" * 9000)})
    where = "p" if kind == "tgz" else "p/opt/a"
    text = f'{AGENT_TOML}\n[[payloads]]\nname = "p"\ntype = "{kind}"\nsource = "{where}"\n'
    authored = made(source, text)
    packed = made(source, f"deflate = true\n{text}")

    assert eib.verify_vib(_written(tmp_path, authored)).is_passed
    if kind == "tgz":
        with tarfile.open(fileobj=io.BytesIO(expanded(authored, "p"))) as archive:
            assert archive.getnames() == ["opt", "opt/a"]
    else:
        assert expanded(authored, "p") == b"a" * 9000
        assert authored.vib.files == ()
    assert expanded(packed, "p") == expanded(authored, "p")
    assert len(packed.data) < len(authored.data)


def _written(folder: Path, authored: AuthoredVib) -> Path:
    path = folder / "written.vib"
    path.write_bytes(authored.data)
    return path


# The same bytes everywhere


@CASES
def test_order_umask_dates_and_owner_do_not_show(tmp_path: Path, laid: Mapping[str, Any], text: str) -> None:
    first = made(lay_out(tmp_path / "one", laid), text).data
    old = os.umask(0o077)
    try:
        second = lay_out(tmp_path / "two", laid, backwards=True)
        for path in second.rglob("*"):
            os.utime(path, (1, 1), follow_symlinks=False)
            if os.geteuid() == 0:
                mode = path.lstat().st_mode
                os.chown(path, 12345, 54321, follow_symlinks=False)
                if not path.is_symlink():
                    path.chmod(mode & 0o7777)
        assert made(second, text).data == first
    finally:
        os.umask(old)


@CASES
@pytest.mark.parametrize("packing", ["w", "w:gz"])
def test_a_tar_of_the_folder_gives_the_same_bytes(
    tmp_path: Path, laid: Mapping[str, Any], text: str, packing: Any
) -> None:
    source = lay_out(tmp_path / "source", laid)
    with tarfile.open(tmp_path / "source.tar", packing) as archive:
        archive.add(source, arcname=".")

    assert made(tmp_path / "source.tar", text).data == made(source, text).data


def test_hard_links_become_files_of_their_own(tmp_path: Path) -> None:
    source = lay_out(tmp_path / "one", {"opt": (0o755, None), "opt/a": (0o755, b"same")})
    twice = lay_out(tmp_path / "two", {"opt": (0o755, None), "opt/a": (0o755, b"same"), "opt/b": (0o755, b"same")})
    (source / "opt/b").hardlink_to(source / "opt/a")
    with tarfile.open(tmp_path / "source.tar", "w") as archive:
        archive.add(source, arcname=".")

    assert made(source).data == made(twice).data == made(tmp_path / "source.tar").data


def test_another_process_gives_the_same_bytes(tmp_path: Path) -> None:
    (tmp_path / "vib.toml").write_text(AGENT_TOML)
    source = lay_out(tmp_path / "source", AGENT)
    arguments = [
        "vib",
        "create",
        str(source),
        "--description",
        str(tmp_path / "vib.toml"),
        "--out",
        str(tmp_path / "x.vib"),
    ]
    environment = clean_environment() | {"PYTHONHASHSEED": "7", "TZ": "Pacific/Auckland"}
    subprocess.run(
        [sys.executable, "-m", "esximage_builder", *arguments],
        cwd=ROOT,
        env=environment,
        check=True,
        capture_output=True,
    )

    assert (tmp_path / "x.vib").read_bytes() == made(source).data


def mtimes(authored: AuthoredVib) -> set[int]:
    return {item.mtime for item in parse_vmtar(expanded(authored, authored.vib.payloads[0].name), where="p")}


def test_files_have_the_release_date(tmp_path: Path) -> None:
    source = lay_out(tmp_path / "source", AGENT)
    assert mtimes(made(source)) == {int(datetime(2024, 1, 31, tzinfo=UTC).timestamp())}


@pytest.mark.parametrize("epoch", [1_600_000_000, 1_700_000_001])
def test_source_date_epoch_dates_files_and_a_vib_without_date(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, epoch: int
) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", str(epoch))
    source = lay_out(tmp_path / "source", AGENT)
    undated = AGENT_TOML.replace("release-date = 2024-01-31\n", "")

    assert mtimes(made(source)) == {epoch}
    assert made(source).vib.released_at == datetime(2024, 1, 31, tzinfo=UTC)
    assert made(source, undated).vib.released_at == datetime.fromtimestamp(epoch, tz=UTC)


def test_dates_of_the_files_are_kept_on_request(tmp_path: Path) -> None:
    source = lay_out(tmp_path / "source", {"a": (0o644, b"1"), "b": (0o644, b"2")})
    os.utime(source / "a", (1_000_000_000, 1_000_000_000.9))
    os.utime(source / "b", (5, 5))

    assert mtimes(made(source, keep_times=True)) == {1_000_000_000, 5}


def test_without_date_nothing_is_made(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="states no release date") as caught:
        made(lay_out(tmp_path / "source", AGENT), AGENT_TOML.replace("release-date = 2024-01-31\n", ""))
    assert "SOURCE_DATE_EPOCH" in caught.value.hint


def modes(authored: AuthoredVib) -> dict[str, int]:
    return {item.name: item.mode for item in parse_vmtar(expanded(authored, authored.vib.payloads[0].name), where="p")}


def test_plain_modes_take_away_what_a_umask_leaves(tmp_path: Path) -> None:
    """Two checkouts of one repository differ in what their umask left."""
    laid = {
        "d": (0o700, None),
        "d/a": (0o600, b"a"),
        "d/run": (0o750, b"r"),
        "d/s": (0o1660, b"s"),
        "d/l": (0o777, "a"),
    }
    found = modes(made(lay_out(tmp_path / "source", laid), f"plain-modes = true\n{AGENT_TOML}"))

    assert found == {"d": 0o755, "d/a": 0o644, "d/l": 0o777, "d/run": 0o755, "d/s": 0o1644}


def test_modes_can_be_given_by_path(tmp_path: Path) -> None:
    source = lay_out(tmp_path / "source", AGENT)
    found = modes(made(source, f'{AGENT_TOML}[modes]\n"/etc/acme.conf" = 0o1666\n"opt" = 0o711\n'))

    assert (found["etc/acme.conf"], found["opt"], found["etc"]) == (0o1666, 0o711, 0o755)
    with pytest.raises(ModelError, match="for what is not there") as caught:
        made(source, f'{AGENT_TOML}[modes]\n"etc/acme.cnf" = 0o644\n')
    assert caught.value.hint == "did you mean etc/acme.conf?"
    with pytest.raises(ModelError, match="for what is not there"):
        made(source, f'{AGENT_TOML}[modes]\n"opt/acme/conf" = 0o644\n')


# What is refused


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('name = "acme agent"', "a VIB cannot have this name"),
        ('name = "' + "a" * 36 + '"', "a VIB cannot have this name"),
        ('name = "Ünit"', "a VIB cannot have this name"),
        ('version = "1.0"', "a VIB cannot have this version"),
        ('version = "1.0-a"', "a VIB cannot have this version"),
        ('version = "v1-1"', "a VIB cannot have this version"),
        ('version = "1-1-1"', "a VIB cannot have this version"),
        ('vendor = "A_B"', "a VIB cannot have this vendor"),
        ('vendor = ""', "a VIB cannot have this vendor"),
        ('summary = ""', "the summary of a VIB is one line"),
        ('summary = "' + "s" * 81 + '"', "the summary of a VIB is one line"),
        ('summary = "a\\nb"', "the summary of a VIB is one line"),
        ('type = "meta"', "a VIB cannot have this type"),
        ('acceptance-level = "partner"', "a VIB of this acceptance level must be signed"),
        ('urls = { "' + "k" * 21 + '" = "x" }', "the key of an address is too long"),
        ('description = "\\u0001"', "<description> cannot be written"),
    ],
)
def test_names_versions_and_texts_are_checked(tmp_path: Path, line: str, message: str) -> None:
    key = line.partition(" ")[0]
    kept = [item for item in AGENT_TOML.splitlines() if not item.startswith(f"{key} ")]
    with pytest.raises(ModelError) as caught:
        made(lay_out(tmp_path / "source", AGENT), "\n".join([*kept, line]))
    assert caught.value.message.startswith(message) or message in str(caught.value)


@pytest.mark.parametrize("what", ["pipe", "socket"])
def test_what_is_no_file_is_refused_without_being_opened(tmp_path: Path, what: str) -> None:
    source = lay_out(tmp_path / "source", AGENT)
    if what == "pipe":
        os.mkfifo(source / "opt/odd")
    else:
        with socket.socket(socket.AF_UNIX) as bound:
            here = Path.cwd()
            os.chdir(source / "opt")
            try:
                bound.bind("odd")
            finally:
                os.chdir(here)
    with pytest.raises(ModelError, match="what no payload can") as caught:
        made(source)
    assert caught.value.where == str(source / "opt/odd")


@pytest.mark.parametrize("name", ["a:b", "a\\b", "a\nb", "a\u202eb"])
def test_names_that_mean_something_else_elsewhere_are_refused(tmp_path: Path, name: str) -> None:
    source = lay_out(tmp_path / "source", {name: (0o644, b"")})
    with pytest.raises(ModelError, match="this name cannot stand in a file tree"):
        made(source)


def test_a_name_that_is_no_utf8_is_refused(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    try:
        Path(os.fsdecode(os.fsencode(source) + b"/\xff")).write_bytes(b"")
    except OSError:
        pytest.skip("the file system takes no such name")
    with pytest.raises(ModelError, match="this name cannot stand in a file tree"):
        made(source)


@pytest.mark.parametrize(
    ("laid", "tables", "message"),
    [
        pytest.param({}, "", "there is nothing to pack", id="empty"),
        pytest.param({"d": (0o755, None)}, "", "has nothing to install", id="folders alone"),
        pytest.param(DRIVER, '[[payloads]]\nname = "flux"\n', "what no payload takes", id="left over"),
        pytest.param(DRIVER, '[[payloads]]\nname = "x"\nsource = "nix"\n', "what no payload takes", id="no such"),
        pytest.param(
            {"f": (0o644, b"f")}, '[[payloads]]\nname = "p"\ntype = "text"\nsource = ""\n', "nothing to be made of",
            id="text of a folder",
        ),
        pytest.param(
            {"f": (0o644, b"f")}, '[[payloads]]\nname = "f"\ntype = "text"\nboot-order = 1\n', "is no boot module",
            id="text with boot order",
        ),
        pytest.param(
            {"f": (0o644, b"f")}, '[[payloads]]\nname = "f"\ntype = "vzstd"\n', "cannot be a raw one", id="vzstd"
        ),
        pytest.param(
            {"a": (0o755, None), "a/f": (0o644, b"f"), "b": (0o755, None), "b/f": (0o644, b"f")},
            '[[payloads]]\nname = "a"\n[[payloads]]\nname = "b"\n', "two files of the VIB have one name",
            id="one file twice",
        ),
        pytest.param(
            {"f": (0o644, b"f")}, '[[payloads]]\nname = "sig.pkcs7"\nsource = ""\n', "the VIB's own parts",
            id="name of the signature",
        ),
    ],
)  # fmt: skip
def test_payloads_that_cannot_be_made_are_refused(
    tmp_path: Path, laid: Mapping[str, Any], tables: str, message: str
) -> None:
    with pytest.raises(ModelError) as caught:
        made(lay_out(tmp_path / "source", laid), f"{AGENT_TOML}\n{tables}")
    assert message in caught.value.message


def test_limits_bound_what_is_read(tmp_path: Path) -> None:
    source = lay_out(tmp_path / "source", AGENT)
    with pytest.raises(LimitExceededError):
        made(source, limits=ReadLimits(payload_bytes=20))
    with pytest.raises(LimitExceededError):
        made(source, limits=ReadLimits(member_count=3))


@pytest.mark.parametrize("name", ["nothing", "a\0b"])
def test_a_source_that_is_not_there_is_told(tmp_path: Path, name: str) -> None:
    with pytest.raises(SourceUnreadableError):
        made(tmp_path / name)


# Writing


@pytest.fixture
def source(tmp_path: Path) -> Path:
    (tmp_path / "vib.toml").write_text(AGENT_TOML)
    return lay_out(tmp_path / "source", AGENT)


def test_a_file_that_is_there_is_replaced_on_request_only(tmp_path: Path, source: Path) -> None:
    target = tmp_path / "x.vib"
    target.write_bytes(b"mine")
    with pytest.raises(ExportError, match="there already"):
        write_vib(source, tmp_path / "vib.toml", target)
    assert target.read_bytes() == b"mine"
    authored = write_vib(source, tmp_path / "vib.toml", target, overwrite=True)
    assert target.read_bytes() == authored.data


@pytest.mark.parametrize("eaten", ["vib.toml", "source/etc/acme.conf"])
@pytest.mark.parametrize("by_link", [False, True])
def test_no_input_is_ever_eaten(tmp_path: Path, source: Path, eaten: str, *, by_link: bool) -> None:
    target = tmp_path / "link" if by_link else tmp_path / eaten
    if by_link:
        target.symlink_to(tmp_path / eaten)
    before = (tmp_path / eaten).read_bytes()
    with pytest.raises(ExportError, match="a file that is read"):
        write_vib(source, tmp_path / "vib.toml", target, overwrite=True)
    assert (tmp_path / eaten).read_bytes() == before


def test_neither_description_nor_output_lies_in_the_source(tmp_path: Path, source: Path) -> None:
    (source / "vib.toml").write_text(AGENT_TOML)
    (tmp_path / "link").symlink_to(source)
    with pytest.raises(ModelError, match="the description lies inside"):
        write_vib(source, source / "vib.toml", tmp_path / "x.vib")
    with pytest.raises(ModelError, match="the output lies inside"):
        write_vib(source, tmp_path / "vib.toml", tmp_path / "link/x.vib")
    assert not (tmp_path / "x.vib").exists()


def test_the_suffix_must_not_lie(tmp_path: Path, source: Path) -> None:
    with pytest.raises(ModelError, match="suffix"):
        write_vib(source, tmp_path / "vib.toml", tmp_path / "x.zip")


def test_a_vib_is_signed_with_ones_own_key(tmp_path: Path, source: Path) -> None:
    keys = ROOT / "fixtures" / "keys"
    signer = VibSigner(
        key_pem=(keys / "TEST-ONLY-key.pem").read_bytes(),
        certificate_pem=(keys / "TEST-ONLY-certificate.pem").read_bytes(),
        signed_at=datetime(2024, 1, 31, tzinfo=UTC),
    )
    (tmp_path / "vib.toml").write_text(f'acceptance-level = "partner"\n{AGENT_TOML}')
    signed = write_vib(source, tmp_path / "vib.toml", tmp_path / "s.vib", signer=signer)
    unsigned = write_vib(source, tmp_path / "vib.toml", tmp_path / "u.vib", unsigned=True)

    assert payloads_of(signed)["sig.pkcs7"].startswith(b"-----BEGIN PKCS7-----")
    assert payloads_of(unsigned)["sig.pkcs7"] == b""
    assert eib.verify_vib(tmp_path / "s.vib").is_passed
    assert not eib.verify_vib(tmp_path / "u.vib").is_passed


def test_descriptions_are_read_within_bounds(tmp_path: Path) -> None:
    (tmp_path / "vib.toml").write_text(AGENT_TOML)
    assert read_vib_description(tmp_path / "vib.toml").vib.name == "acme-agent"
    with pytest.raises(LimitExceededError):
        read_vib_description(tmp_path / "vib.toml", limits=ReadLimits(document_bytes=10))
    with pytest.raises(SourceUnreadableError):
        read_vib_description(tmp_path)
