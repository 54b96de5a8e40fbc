"""``esximage verify``, and discs wherever the command line takes a depot."""

from __future__ import annotations

import json
import re
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from support.changed_depots import DEPOTS, ROOT
from support.written_images import files_of, patched, put, remade, written

from esximage_builder.cli.app import main

if TYPE_CHECKING:
    from collections.abc import Callable

    Run = Callable[..., tuple[int, str, str]]

RELEASE = "7.0U3g"


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    def run_it(*arguments: object) -> tuple[int, str, str]:
        code = main([str(argument) for argument in arguments])
        said = capsys.readouterr()
        return code, said.out, said.err

    return run_it


@pytest.fixture
def iso(tmp_path: Path) -> Path:
    return written(RELEASE).iso_in(tmp_path)


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    return written(RELEASE).bundle_in(tmp_path)


def test_what_is_whole_passes_with_one_line_for_each_check(run: Run, iso: Path, bundle: Path) -> None:
    for path, verdict, count, unasked in (
        (iso, "passed as iso", 19, 0),
        (bundle, "passed as vlcm, 1 of 18 questions not asked", 18, 1),
    ):
        code, out, err = run("verify", path)
        first, *checks = out.splitlines()

        assert (code, err) == (0, "")
        answers = [line for line in checks if line.startswith("  [")]
        assert first == f"{path}: {verdict}"
        assert len(answers) == count
        assert all(
            re.fullmatch(r"  \[(ok|not asked)\] .*\?( UEFI yes, BIOS no)? \((confirmed|inferred)\)", line)
            for line in answers
        )
        assert len([line for line in answers if "[not asked]" in line]) == unasked
        assert len(checks) == count + unasked, "each of these has its reason"


def test_damage_is_exit_code_1_and_names_place_and_remedy(run: Run, iso: Path) -> None:
    put(iso, patched(iso.read_bytes(), "VMX.V00", 10, b"\x00\xff\x00"))
    code, out, err = run("verify", iso)

    assert (code, err) == (1, "")
    assert out.startswith(f"{iso}: FAILED as iso\n")
    assert out.count("[FAILED]") == 1
    assert f"        where: {iso}!VMX.V00!vmx\n" in out
    assert "        try: the file is damaged or was changed: get it again from its publisher\n" in out


def test_a_warning_is_no_failure(run: Run, tmp_path: Path) -> None:
    path = put(tmp_path / "bios.iso", remade(files_of(written(RELEASE).iso), efi=False))
    code, out, _ = run("verify", path)

    assert code == 0
    assert "  [warning] does it boot with BIOS and UEFI? (confirmed)\n" in out


def test_json_has_every_check_and_its_certainty(run: Run, bundle: Path) -> None:
    code, out, err = run("verify", bundle, "--json")
    document = json.loads(out)

    assert (code, err) == (0, "")
    assert document.keys() == {"path", "kind", "passed", "checks"}
    assert (document["path"], document["kind"], document["passed"]) == (str(bundle), "vlcm", True)
    for check in document["checks"]:
        assert check.keys() == {"name", "question", "certainty", "passed", "asked", "why_not_asked", "findings"}
        assert (check["asked"], check["passed"]) == ((True, True) if not check["why_not_asked"] else (False, False))
        assert check["certainty"] in ("confirmed", "inferred")
        assert check["findings"] == []
    assert len({check["name"] for check in document["checks"]}) == len(document["checks"])


def test_json_of_a_failure_has_the_findings(run: Run, iso: Path) -> None:
    put(iso, patched(iso.read_bytes(), "MBOOT.C32", 0, b"\x00\xff"))
    code, out, _ = run("verify", "--json", iso)
    failed = [check for check in json.loads(out)["checks"] if not check["passed"]]

    assert code == 1
    assert [check["name"] for check in failed] == ["bytes"]
    assert [finding["code"] for finding in failed[0]["findings"]] == ["payload-checksum-differs"]


def test_who_shall_take_a_bundle_can_be_said(run: Run, tmp_path: Path) -> None:
    path = written("6.7").bundle_in(tmp_path)

    assert run("verify", path)[0] == 1
    assert "the bundle has no component: it is of the esxcli kind" in run("verify", path)[1]
    assert run("verify", path, "--kind", "vlcm")[0] == 1
    code, out, _ = run("verify", path, "--kind", "esxcli")
    assert code == 0
    assert out.startswith(f"{path}: passed as esxcli\n")


@pytest.mark.parametrize("release", ["7.0U3g", "8.0U3"])
def test_an_unpacked_bundle_is_verified_in_its_folder(run: Run, tmp_path: Path, release: str) -> None:
    with zipfile.ZipFile(written(release).bundle_in(tmp_path)) as archive:
        archive.extractall(tmp_path / "depot")
    code, out, err = run("verify", tmp_path / "depot")

    assert (code, err) == (0, "")
    assert out.startswith(f"{tmp_path / 'depot'}: passed as vlcm, 2 of 18 questions not asked\n")
    assert "  [not asked] is it a sound zip archive? (confirmed)\n      why: it is a folder\n" in out


@pytest.mark.parametrize(
    ("path", "words"),
    [
        pytest.param(ROOT / "README.md", "found: unknown file", id="a text"),
        pytest.param(DEPOTS, "found: folder", id="a folder"),
        pytest.param(Path("nowhere.iso"), "No such file", id="nothing"),
    ],
)
def test_what_can_be_no_image_is_bad_input(run: Run, path: Path, words: str) -> None:
    code, out, err = run("verify", path)

    assert (code, out) == (2, "")
    assert words in err
    code, out, err = run("verify", path, "--json")
    assert (code, out) == (2, "")
    assert set(json.loads(err)) == {"error"}


def test_a_single_vib_is_verified_by_its_own_descriptor(run: Run, tmp_path: Path) -> None:
    whole = DEPOTS / "homelab-tweaks-1.0.0-1.vib"
    code, out, err = run("verify", whole)
    assert (code, err) == (0, "")
    assert out.startswith(f"{whole}: passed as vib\n")
    assert out.count("[ok]") == 4
    code, out, _ = run("verify", put(tmp_path / "short.vib", whole.read_bytes()[:-700]), "--json")
    assert (code, json.loads(out)["kind"], json.loads(out)["passed"]) == (1, "vib", False)


# Discs in the other commands


def listing_of(run: Run, path: Path) -> dict[str, Any]:
    code, out, err = run("inspect", path, "--json")
    assert (code, err) == (0, "")
    document = json.loads(out)
    assert isinstance(document, dict)
    return document


def test_a_disc_is_inspected_like_a_bundle(run: Run, tmp_path: Path) -> None:
    bundle, iso = (
        listing_of(run, path) for path in (written("8.0U3").bundle_in(tmp_path), written("8.0U3").iso_in(tmp_path))
    )

    for key in ("base_images", "add_ons", "components"):
        assert bundle[key] == iso[key]
    assert [vib["id"] for vib in bundle["vibs"]] == [vib["id"] for vib in iso["vibs"]]
    assert [vib["signed"] for vib in bundle["vibs"]] == [vib["signed"] for vib in iso["vibs"]]


def test_disc_and_bundle_of_one_image_do_not_differ(run: Run, tmp_path: Path) -> None:
    made = written("8.0U3")
    code, out, _ = run("diff", made.iso_in(tmp_path), made.bundle_in(tmp_path), "--json")

    assert code == 0
    assert json.loads(out)["change"]["kind"] == "none"


def test_an_image_is_built_from_a_disc(run: Run, tmp_path: Path) -> None:
    iso = written("8.0U3").iso_in(tmp_path)
    target = tmp_path / "again.zip"
    code, _, err = run(
        "build", "--depot", iso, "--base", "8.0U3", "--add-on", "ACME-AddOn:803.24022510.A02", "--bundle", target
    )

    assert (code, err) == (0, "")
    assert run("verify", target)[0] == 0


def test_trust_is_asked_with_the_certificates_of_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A file that is none is told of, and one of somebody else's lets nothing pass."""
    driver = DEPOTS / "Intel-i40en_2.8.4.0-1OEM.700.1.0.15843807.zip"
    ours = ROOT / "fixtures" / "keys" / "TEST-ONLY-certificate.pem"
    arguments = ["verify", str(driver), "--kind", "esxcli", "--trust"]
    assert main([*arguments, str(ours)]) == 0
    assert "and does it lead to a certificate that is trusted" in capsys.readouterr().out
    (tmp_path / "none.pem").write_bytes(b"nothing")
    assert main([*arguments, str(tmp_path / "none.pem")]) == 2
    assert main([*arguments, str(tmp_path / "nowhere.pem")]) == 2
