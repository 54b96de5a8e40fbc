"""``esximage build``: lock files, bills of materials and reports."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from support.changed_depots import DEPOTS, ROOT, SPECS, clean_environment, left_in

import esximage_builder as eib

if TYPE_CHECKING:
    from support.command_line import Runner

U3F, U3G = DEPOTS / "VMware-ESXi-7.0U3f-20036589-depot.zip", DEPOTS / "VMware-ESXi-7.0U3g-20328353-depot.zip"
ESXI_67 = DEPOTS / "VMware-ESXi-6.7.0-8169922-depot.zip"
A03 = DEPOTS / "ACME-ESXi-Addon-702.17867351.A03-depot.zip"
A08 = DEPOTS / "ACME-ESXi-Addon-703.20328353.A08-depot.zip"
I40EN_NEW = DEPOTS / "Intel-i40en_2.8.4.0-1OEM.700.1.0.15843807.zip"
WRONG = ("--base", "7.0U3g", "--add-on", "ACME-AddOn:702.17867351.A03")


def test_a_lock_builds_the_same_bytes_elsewhere(run: Runner, tmp_path: Path) -> None:
    """In another process, with another time zone and a newer driver that the open version would take."""
    lock, here, there = tmp_path / "x.lock.json", tmp_path / "here.zip", tmp_path / "there.zip"
    first = run(
        "build", "--depot", U3G, A08, "--base", "7.0U3g", "--add-on", "ACME-AddOn:703.20328353.A08",
        "--component", "Intel-i40en", "--lock", lock, "--bundle", here,
    )  # fmt: skip
    command = ["build", "--depot", I40EN_NEW, A08, U3G, "--locked", lock, "--bundle", there]
    second = subprocess.run(
        [sys.executable, "-m", "esximage_builder", *map(str, command)],
        cwd=ROOT,
        env=clean_environment(TZ="America/St_Johns"),
        capture_output=True,
        text=True,
        check=False,
    )

    assert (first.code, first.err) == (second.returncode, second.stderr) == (0, "")
    assert f"  File     {lock}\n  Size     {lock.stat().st_size:,} bytes (" in first.out
    assert hashlib.sha256(here.read_bytes()).digest() == hashlib.sha256(there.read_bytes()).digest()


def locked(run: Runner, folder: Path) -> Path:
    lock = folder / "x.lock.json"
    assert run("build", "--depot", U3G, "--base", "7.0U3g", "--lock", lock).code == 0
    return lock


def test_a_lock_of_a_profile_is_built_again(run: Runner, tmp_path: Path) -> None:
    lock = tmp_path / "x.json"
    build = ("build", "--depot", ESXI_67)
    assert run(*build, "--profile", "ESXi-6.7.0-8169922-standard", "--lock", lock).code == 0
    outcome = run(*build, "--locked", lock, "--json")
    assert (outcome.code, outcome.err) == (0, "")
    assert json.loads(outcome.out)["image"]["digest"] == eib.read_lock(lock).digest


def test_every_difference_from_the_lock_is_told(run: Runner, tmp_path: Path) -> None:
    lock = locked(run, tmp_path)
    outcome = run("build", "--depot", U3F, "--locked", lock, "--bundle", tmp_path / "x.zip")

    lines = outcome.err.splitlines()
    assert (outcome.code, outcome.out) == (2, "")
    assert lines[0] == "esximage: the depots do not give the image of the lock"
    assert "  [error] lock-differs: the base image 7.0.3-0.55.20328353 is not loaded" in lines
    assert "  [error] lock-differs: the component ESXi:7.0.3-0.55.20328353 is not loaded" in lines
    assert left_in(tmp_path).keys() == {"x.lock.json"}


def test_the_differences_are_data_too(run: Runner, tmp_path: Path) -> None:
    outcome = run("build", "--depot", U3F, "--locked", locked(run, tmp_path), "--json")
    said = json.loads(outcome.err)

    assert (outcome.code, outcome.out, said["error"]["code"]) == (2, "", "compose-error")
    assert {finding["code"] for finding in said["findings"]} == {"lock-differs"}
    assert said["findings"][0]["cause"] == "loaded instead: 7.0.3-0.50.20036589"


def test_a_single_difference_stands_in_the_error_itself(run: Runner, tmp_path: Path) -> None:
    lock = locked(run, tmp_path)
    document = json.loads(lock.read_text())
    document["vibs"][0]["sha256"] = "1" * 64
    lock.write_text(json.dumps(document))
    outcome = run("build", "--depot", U3G, "--locked", lock)

    assert outcome.code == 2
    assert f"  found: the VIB {document['vibs'][0]['id']} has another sha-256 checksum" in outcome.err.splitlines()
    assert "lock-differs" not in outcome.err


def test_explain_takes_a_lock(run: Runner, tmp_path: Path) -> None:
    outcome = run("explain", "--depot", U3G, "--locked", locked(run, tmp_path), "Intel-i40en")
    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out.startswith("Component Intel-i40en 1.11.1.31-1vmw.703.0.20.19193900 comes from the base image")


@pytest.mark.parametrize(
    "more",
    [
        pytest.param(("--base", "7.0U3g"), id="base"),
        pytest.param(("--spec", "x.json"), id="spec"),
        pytest.param(("--profile", "x"), id="profile"),
        pytest.param(("--add-on", "a:1"), id="add-on"),
        pytest.param(("--component", "a"), id="component"),
        pytest.param(("--remove", "a"), id="removal"),
        pytest.param(("--name", "a"), id="name"),
        pytest.param(("--prefer", "a"), id="preference"),
    ],
)
def test_a_lock_takes_no_wishes(run: Runner, tmp_path: Path, more: tuple[str, str]) -> None:
    outcome = run("build", "--depot", U3G, "--locked", locked(run, tmp_path), *more)
    assert (outcome.code, outcome.out) == (2, "")
    assert more[0] in outcome.err
    assert "--locked" in outcome.err


def test_a_file_that_is_no_lock_is_told_with_its_place(run: Runner, tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    path.write_text('{"base_image": {"version": "7.0U3g"}}')
    outcome = run("build", "--depot", U3G, "--locked", path)
    assert outcome.code == 2
    assert outcome.err.startswith("esximage: this is no lock file, or one of another version\n")
    assert f"  where: {path}#/lock_version" in outcome.err.splitlines()


@pytest.mark.parametrize(
    ("options", "key", "value"),
    [
        pytest.param((), "bomFormat", "CycloneDX", id="CycloneDX unless told otherwise"),
        pytest.param(("--sbom-format", "cyclonedx"), "specVersion", "1.6", id="CycloneDX"),
        pytest.param(("--sbom-format", "spdx"), "spdxVersion", "SPDX-2.3", id="SPDX"),
    ],
)
def test_a_bill_of_materials_is_written(
    run: Runner, tmp_path: Path, options: tuple[str, ...], key: str, value: str
) -> None:
    path = tmp_path / "x.json"
    outcome = run("build", "--depot", U3G, "--base", "7.0U3g", "--sbom", path, *options)
    assert (outcome.code, outcome.err) == (0, "")
    assert json.loads(path.read_text())[key] == value
    assert f"  File     {path}\n  Size     {path.stat().st_size:,} bytes (" in outcome.out


def test_a_missing_library_is_told_before_anything_is_written(
    run: Runner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(sys.modules, "esximage_builder.documents.spdx", raising=False)
    monkeypatch.setitem(sys.modules, "spdx_tools", None)
    for name in [name for name in sys.modules if name.startswith("spdx_tools.")]:
        monkeypatch.delitem(sys.modules, name)
    outcome = run(
        "build", "--depot", U3G, "--base", "7.0U3g", "--bundle", tmp_path / "x.zip",
        "--sbom", tmp_path / "x.json", "--sbom-format", "spdx",
    )  # fmt: skip

    assert (outcome.code, outcome.out) == (2, "")
    assert "  try: pip install esximage-builder[sbom]" in outcome.err.splitlines()
    assert left_in(tmp_path) == {}


@pytest.mark.parametrize("suffix", [".txt", ".json", ".md", ".html"])
def test_a_report_tells_of_the_other_outputs(run: Runner, tmp_path: Path, suffix: str) -> None:
    report, bundle = tmp_path / f"x{suffix}", tmp_path / "x.zip"
    outcome = run("build", "--depot", U3G, "--base", "7.0U3g", "--bundle", bundle, "--report", report)
    assert (outcome.code, outcome.err) == (0, "")
    assert str(bundle) in report.read_text().replace("\\", "")
    assert f"  File     {report}\n  Size     {report.stat().st_size:,} bytes (" in outcome.out


def test_a_report_names_every_file_that_went_in(run: Runner, tmp_path: Path) -> None:
    lock, kickstart, report = tmp_path / "x.lock.json", tmp_path / "ks.cfg", tmp_path / "x.json"
    kickstart.write_text("accepteula\ninstall --firstdisk\nrootpw x1-Y2-z3-W4\n")
    assert run("build", "--depot", U3G, "--base", "7.0U3g", "--lock", lock).code == 0
    outcome = run(
        "build", "--depot", U3G, "--locked", lock, "--kickstart", kickstart, "--iso", tmp_path / "x.iso",
        "--report", report,
    )  # fmt: skip

    assert (outcome.code, outcome.err) == (0, "")
    read = [str(U3G), str(lock), str(kickstart)]
    told = {entry["path"]: entry["sha256"] for entry in json.loads(report.read_text())["inputs"]}
    assert told == {path: hashlib.sha256(Path(path).read_bytes()).hexdigest() for path in read}
    assert all(digest in outcome.out for digest in told.values()), "the terminal says so too"


def test_no_depot_is_read_to_its_end_where_nothing_is_kept(run: Runner) -> None:
    build = ("build", "--depot", U3G, "--base", "7.0U3g")
    assert run(*build, "--json").json["inputs"] == [
        {"path": str(U3G), "size_bytes": U3G.stat().st_size, "sha256": None}
    ]
    assert "Inputs" not in run(*build).out


def test_an_image_with_errors_gets_its_report_and_nothing_else(run: Runner, tmp_path: Path) -> None:
    names = ("x.lock.json", "x.cdx.json", "x.md", "x.zip")
    lock, sbom, report, bundle = (tmp_path / name for name in names)
    outcome = run(
        "build", "--depot", U3G, A03, *WRONG, "--lock", lock, "--sbom", sbom, "--report", report, "--bundle", bundle
    )

    assert outcome.code == 1
    assert outcome.err == "nothing written but the report: the image has errors\n"
    assert left_in(tmp_path).keys() == {"x.md"}
    assert "* **ERROR** `add-on-base-unsupported`" in report.read_text()


def test_a_waiver_stands_in_the_report(run: Runner, tmp_path: Path) -> None:
    report, lock = tmp_path / "x.html", tmp_path / "x.json"
    outcome = run(
        "build", "--depot", U3G, A03, *WRONG, "--allow", "add-on-base-unsupported", "--report", report, "--lock", lock
    )
    assert (outcome.code, outcome.err) == (0, "")
    assert '<div class="cause waived">' in report.read_text()
    assert eib.read_lock(lock).name == "ESXi-7.0U3g-20328353-ACME-AddOn-702.17867351.A03"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        pytest.param(("--lock", "x.json", "--sbom", "x.json"), "--lock and --sbom name one file", id="lock and sbom"),
        pytest.param(("--iso", "x.md", "--report", "./x.md"), "--iso and --report name one file", id="iso and report"),
        pytest.param(("--bundle", "x", "--lock", "x"), "--bundle and --lock name one file", id="bundle and lock"),
        pytest.param(("--report", "x.pdf", "--iso", "x.iso"), "the name of a report must say its form", id="suffix"),
        pytest.param(("--sbom", "x.json", "--sbom-format", "swid"), "invalid choice: 'swid'", id="form of the bill"),
    ],
)
def test_what_cannot_end_well_is_refused_before_anything_is_read(
    run: Runner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: tuple[str, ...], message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    outcome = run("build", "--depot", "no-such-depot.zip", "--base", "7.0U3g", *options)
    assert (outcome.code, outcome.out) == (2, "")
    assert message in outcome.err
    assert left_in(tmp_path) == {}


def test_the_json_report_lists_all_outputs(run: Runner, tmp_path: Path) -> None:
    paths = [tmp_path / name for name in ("x.zip", "x.lock.json", "x.cdx.json", "x.html")]
    bundle, lock, sbom, report = paths
    outcome = run(
        "build", "--depot", U3G, "--base", "7.0U3g", "--json",
        "--bundle", bundle, "--lock", lock, "--sbom", sbom, "--report", report,
    )  # fmt: skip
    document: Any = json.loads(outcome.out)

    assert (outcome.code, outcome.err) == (0, "")
    assert [(entry["path"], entry["size_bytes"]) for entry in document["outputs"]] == [
        (str(path), path.stat().st_size) for path in paths
    ]
    assert document["image"]["boot_bank_bytes"] > 0


def test_a_difference_as_markdown_is_a_page_with_both_names_on_top(run: Runner) -> None:
    depots = ("--depot", DEPOTS / "VMware-ESXi-7.0U3g-20328353-depot.zip", A08)
    outcome = run("diff", SPECS / "image_u3g.json", SPECS / "image_u3g_a08.json", *depots, "--markdown")
    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out.startswith("# ESXi-7.0U3g-20328353-standard → ESXi-7.0U3g-20328353-ACME-AddOn")
    assert "| ACME-AddOn | (none) | 703.20328353.A08 | added | another add-on |" in outcome.out


@pytest.mark.skipif(shutil.which("sha256sum") is None, reason="sha256sum is not installed")
def test_checksums_are_those_of_sha256sum(run: Runner, tmp_path: Path) -> None:
    out = tmp_path / "out put"
    out.mkdir()
    options = (
        "--iso",
        out / "a\nb.iso",
        "--bundle",
        tmp_path / "c.zip",
        "--pxe",
        out / "tree",
        "--report",
        out / "r.md",
    )
    outcome = run("build", "--depot", U3G, "--base", "7.0U3g", *options, "--checksums", out / "SHA256SUMS")
    assert outcome.code == 0, outcome.err
    done = subprocess.run(["sha256sum", "--check", "SHA256SUMS"], cwd=out, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert sorted(line.rpartition(": ")[2] for line in done.stdout.splitlines()) == ["OK"] * 3
    assert "../c.zip: OK" in done.stdout


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--iso", "x.iso", "--checksums", "x.iso"), "x.iso"),
        (("--iso", "x.iso", "--checksums", "there"), "the output is there already"),
    ],
)
def test_checksums_eat_nothing(
    run: Runner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: tuple[str, ...], words: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "there").write_text("x", encoding="utf-8")
    outcome = run("build", "--depot", U3G, "--base", "7.0U3g", *options)
    assert outcome.code == 2
    assert words in outcome.err
    assert left_in(tmp_path) == {"there": b"x"}


def test_an_image_with_errors_has_no_checksums(run: Runner, tmp_path: Path) -> None:
    options = ("--iso", tmp_path / "x.iso", "--checksums", tmp_path / "sums")
    assert run("build", "--depot", U3G, A03, *WRONG, *options).code == 1
    assert left_in(tmp_path) == {}


def test_quiet_prints_errors_alone_and_only_once(run: Runner, tmp_path: Path) -> None:
    quiet = run("build", "--depot", U3G, "--base", "7.0U3g", "--bundle", tmp_path / "x.zip", "--quiet")
    assert (quiet.code, quiet.out, quiet.err) == (0, "", "")
    failed = run("build", "--depot", U3G, "--base", "9.9", "--quiet")
    assert (failed.code, failed.out) == (2, "")
    assert "9.9" in failed.err
    assert run("inspect", U3G, "--quiet", "--json").json["sources"] == [str(U3G)]
    assert run("inspect", U3G).out.startswith("Sources\n")
